from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from app.domain.language import set_language
from ui import theme


@pytest.fixture(autouse=True)
def look(qapp: QApplication) -> Iterator[None]:
    """Light, Chinese and in motion, and no widget left over."""
    set_language("zh")
    theme.set_reduced_motion(False)
    if not qapp.styleSheet() or theme.theme().name != "light":
        theme.apply(qapp, "light")
    yield
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    theme.set_reduced_motion(None)
    set_language("zh")
