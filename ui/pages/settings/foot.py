"""The bar at the foot of a settings page: what would change, why, and the buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QWidget

from app.domain.language import tr
from ui.theme import SPACE_3, SPACE_6
from ui.widgets.buttons import Button
from ui.widgets.toast import FOOT

NOTE_LENGTH = 500
_LINES = 3
_LETTERS = 200
"""Of a line that is shown."""


class FootBar(QFrame):
    """`save`, `discard`, `undo` of discarding, `note` and `stop`, which is there while saving takes long, belong to the page; what it adds
    stands before them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(FOOT)
        self.setProperty("look", "foot")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(SPACE_6, SPACE_3, SPACE_6, SPACE_3)
        self._row.setSpacing(SPACE_3)
        self.summary = QLabel(self)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setWordWrap(True)
        self._row.addWidget(self.summary, 1)
        self.note = QLineEdit(self)
        self.note.setPlaceholderText(tr("备注：为什么改（可不填）", "Note: why (optional)"))
        self.note.setAccessibleName(tr("备注", "Note"))
        self.note.setMaxLength(NOTE_LENGTH)
        self.note.setFixedWidth(240)
        self._row.addWidget(self.note)
        self.undo = Button(tr("撤销放弃", "Bring them back"), icon_name="undo", parent=self)
        self.undo.hide()
        self._row.addWidget(self.undo)
        self.discard = Button(tr("放弃修改", "Discard"), parent=self)
        self._row.addWidget(self.discard)
        self.stop = Button(tr("取消保存", "Cancel saving"), parent=self)
        self.stop.hide()
        self._row.addWidget(self.stop)
        self.save = Button(tr("保存", "Save"), "primary", "save", self)
        self.note.returnPressed.connect(self.save.click)
        self._row.addWidget(self.save)

    def add(self, widget: QWidget) -> None:
        """Before the buttons."""
        self._row.insertWidget(self._row.indexOf(self.undo), widget)
        self.setTabOrder(self.note, widget)

    def tell(self, lines: str, look: str) -> None:
        """What would change; a few lines of it. look: "", "quiet" or "error"."""
        shown = lines.split("\n")
        told = shown
        if len(shown) > _LINES:
            further = len(shown) - _LINES + 1
            told = [*shown[: _LINES - 1], tr(f"另有 {further} 处修改", f"{further} more changes")]
        told = [line if len(line) <= _LETTERS else f"{line[: _LETTERS - 1]}…" for line in told]
        self.summary.setToolTip(lines if told != shown else "")
        self.summary.setText("\n".join(told))
        if self.summary.property("look") != look:
            self.summary.setProperty("look", look)
            self.summary.style().unpolish(self.summary)
            self.summary.style().polish(self.summary)
