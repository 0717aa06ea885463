"""The cycle collector is Python's again when the window has closed."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtWidgets import QApplication

from ui.runtime.garbage import Garbage


def test_between_start_and_stop_the_collector_is_off_and_what_was_frozen_is_thawed(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for name in ("freeze", "unfreeze"):
        monkeypatch.setattr(gc, name, lambda name=name: done.append(name))
    garbage = Garbage()
    garbage.start()
    garbage.freeze()
    assert (gc.isenabled(), done) == (False, ["freeze"])
    garbage.stop()
    assert (gc.isenabled(), done) == (True, ["freeze", "unfreeze"])
