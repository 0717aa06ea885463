"""Asks before an earlier revision comes back: which, of whom, and what it changes; with a note, as for any other save."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.pages.settings.foot import NOTE_LENGTH
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button, answers

_TALLEST = 240


class RestoreDialog(QDialog):
    """`wanted(note)`: yes; the question stands until `accept`, for `refuse` leaves it open with what was typed. `called_off`: closed while
    the answer is waited for. Deletes itself."""

    wanted = Signal(str)
    called_off = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(480)
        self.waiting = False
        """Between `wanted` and its answer."""
        self._possible, self._refused = True, False
        self.words = _label("", self)
        self.changes = _label("", self)
        self.changes.setObjectName("scrolled")
        self.changes.setProperty("look", "quiet")
        self.changes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._area = QScrollArea(self)
        self._area.setWidget(self.changes)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self.told = _label("", self)
        self.told.setProperty("look", "warn")
        self.told.hide()
        self.note = QLineEdit(self)
        self.note.setPlaceholderText(tr("备注：为什么恢复（可不填）", "Note: why (optional)"))
        self.note.setAccessibleName(tr("备注", "Note"))
        self.note.setMaxLength(NOTE_LENGTH)
        self.go = Button(tr("恢复", "Restore"), "primary", "undo", self)
        self.go.clicked.connect(self._go)
        heading = _label(title, self)
        heading.setProperty("look", "section")
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        for widget in (heading, self.told, self.words, self._area, self.note):
            column.addWidget(widget)
        column.addLayout(answers(self, self.go))
        self.note.setFocus()

    def show_changes(self, sentence: str, changes: str, possible: bool) -> None:
        """`sentence` says what will be, `changes` has a line for each difference from now; possible: whether it can be restored."""
        self.setAccessibleDescription(sentence)
        self.words.setText(sentence)
        self.changes.setText(changes)
        self._area.setFixedHeight(min(_TALLEST, self.changes.heightForWidth(self.minimumWidth() - 2 * SPACE_6 - SPACE_4) + SPACE_2))
        self._possible = possible
        self.go.setEnabled(possible and not self.waiting)

    def tell(self, sentence: str) -> None:
        """Above everything else."""
        self.told.setText(sentence)
        self.told.show()
        self.adjustSize()

    def refuse(self, sentence: str) -> None:
        """It was not restored, and why."""
        self.waiting, self._refused = False, True
        self.go.setEnabled(self._possible)
        self.tell(sentence)

    def renewed(self, sentence: str) -> None:
        """What it changes is another by now, and why."""
        self.tell(tr("没有恢复：", "Not restored. ") + sentence if self._refused else sentence)

    def reject(self) -> None:
        if self.waiting:
            self.called_off.emit()
        super().reject()

    def _go(self) -> None:
        self.waiting, self._refused = True, False
        self.go.setEnabled(False)
        self.told.hide()
        self.wanted.emit(self.note.text())


def _label(words: str, parent: QWidget) -> QLabel:
    label = QLabel(words, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
