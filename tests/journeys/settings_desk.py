"""The hands at a page of settings, and somebody else who saves meanwhile."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QWidget

from app.domain.permissions import Actor, local_owner
from app.services.workspace import Workspace
from tests.journeys.seats_desk import Desk
from ui.pages.settings.base import DraftPage


class Hands:
    """One page and the hands at it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.host.activate(None)
        desk.settle()

    @property
    def page(self) -> DraftPage:
        found = self.desk.host.page
        assert isinstance(found, DraftPage)
        return found

    @property
    def key(self) -> str:
        """Of the document that is looked at."""
        return self.desk.key

    def click(self, button: QWidget) -> None:
        assert button.isEnabled()
        at = QPoint(8, button.height() // 2) if isinstance(button, QCheckBox) else QPoint()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        self.desk.settle()

    def save(self) -> None:
        self.click(self.page.save)

    def keys(self, widget: QWidget, *keys: Qt.Key | str) -> None:
        widget.setFocus()
        self.desk.keys(widget, *keys)

    def saved(self, key: str = "") -> dict[str, Any]:
        return self.desk.workspace.settings.get(self.desk.store, key or self.key).body

    def somebody_saves(self, body: dict[str, Any], base: int | None = None, key: str = "") -> None:
        other = Workspace(self.desk.shop.database, Actor("张三", local_owner().permissions))
        other.settings.save(self.desk.store, key or self.key, body, base, "夜班")
