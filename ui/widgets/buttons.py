"""Buttons. Their words say what they do."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QToolButton, QWidget

from app.domain.language import tr
from ui.theme import CONTROL_HEIGHT, SPACE_2, icon

Kind = Literal["primary", "quiet", "danger", "plain"]


class Button(QPushButton):
    """A push button: one primary per view, quiet otherwise; danger for what cannot be undone; plain looks like a link."""

    def __init__(self, text: str, kind: Kind = "quiet", icon_name: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        if icon_name:
            ink: dict[Kind, Literal["on_accent", "text", "alarm", "accent"]] = {
                "primary": "on_accent", "quiet": "text", "danger": "alarm", "plain": "accent",
            }  # fmt: skip
            self.setIcon(icon(icon_name, ink[kind]))
            self.setIconSize(QSize(16, 16))


class IconButton(QToolButton):
    """A square button with an icon only; its words are the tooltip and the accessible name."""

    def __init__(self, icon_name: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIcon(icon(icon_name, "quiet", "accent"))
        self.setIconSize(QSize(18, 18))
        self.setFixedSize(CONTROL_HEIGHT, CONTROL_HEIGHT)
        self.setToolTip(text)
        self.setAccessibleName(text)


def answers(dialog: QDialog, go: Button) -> QHBoxLayout:
    """The foot of a dialog: a way out, and `go`, which Enter presses."""
    cancel = Button(tr("取消", "Cancel"), parent=dialog)
    cancel.clicked.connect(dialog.reject)
    go.setDefault(True)
    row = QHBoxLayout()
    row.setSpacing(SPACE_2)
    row.addStretch(1)
    row.addWidget(cancel)
    row.addWidget(go)
    return row
