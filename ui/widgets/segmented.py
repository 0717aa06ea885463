"""A switch between a few choices that are all visible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QHBoxLayout, QToolButton, QWidget

from app.domain.language import T


class Segmented(QFrame):
    """`options` are (key, label). `chosen(key)` is sent when the person chooses, not when the program does."""

    chosen = Signal(str)

    def __init__(
        self, options: Sequence[tuple[str, T | str]], value: str | None = None, name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("look", "segments")
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        for key, label in options:
            button = QToolButton(self)
            button.setText(str(label))
            button.setCheckable(True)
            button.setProperty("key", key)
            button.setAccessibleName(f"{name} {label}".strip())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.installEventFilter(self)
            self._group.addButton(button)
            self._buttons[key] = button
            row.addWidget(button)
        self.setFixedHeight(32)
        if self._buttons:
            self.set_value(value if value in self._buttons else next(iter(self._buttons)))
        self._group.buttonClicked.connect(self._clicked)

    def value(self) -> str:
        checked = self._group.checkedButton()
        return str(checked.property("key")) if checked else ""

    def set_value(self, key: str) -> None:
        """Choose without a signal. Raises KeyError for a key that is not offered."""
        self._buttons[key].setChecked(True)

    def tab_before(self, follower: QWidget) -> None:
        """Tab reaches the choices right before `follower`, whichever of both was made first."""
        before = cast("QWidget", follower.previousInFocusChain())
        while before is not follower and (before.focusPolicy() == Qt.FocusPolicy.NoFocus or self.isAncestorOf(before)):
            before = cast("QWidget", before.previousInFocusChain())
        for button in self._buttons.values():
            QWidget.setTabOrder(before, button)
            before = button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Left and right choose the neighbour."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            return False
        keys = list(self._buttons)
        there = keys.index(str(watched.property("key"))) + step
        if 0 <= there < len(keys):
            button = self._buttons[keys[there]]
            button.setFocus(Qt.FocusReason.TabFocusReason)
            button.click()
        return True

    def _clicked(self, button: QAbstractButton) -> None:
        self.chosen.emit(str(button.property("key")))
