"""Asks before an earlier revision comes back: which, of whom, and what it changes; with a note, as for any other save."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.pages.settings.foot import NOTE_LENGTH
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button, answers

_TALLEST = 240


class RestoreDialog(QDialog):
    """`sentence` says what will be, `changes` has a line for each difference from now. Deletes itself."""

    def __init__(self, title: str, sentence: str, changes: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(480)
        self.setAccessibleDescription(sentence)
        self.words = _label(sentence, self)
        self.changes = _label(changes, self)
        self.changes.setObjectName("scrolled")
        self.changes.setProperty("look", "quiet")
        self.changes.setAlignment(Qt.AlignmentFlag.AlignTop)
        area = QScrollArea(self)
        area.setWidget(self.changes)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFixedHeight(min(_TALLEST, self.changes.heightForWidth(self.minimumWidth() - 2 * SPACE_6 - SPACE_4) + SPACE_2))
        self.note = QLineEdit(self)
        self.note.setPlaceholderText(tr("备注：为什么恢复（可不填）", "Note: why (optional)"))
        self.note.setAccessibleName(tr("备注", "Note"))
        self.note.setMaxLength(NOTE_LENGTH)
        self.go = Button(tr("恢复", "Restore"), "primary", "undo", self)
        self.go.clicked.connect(self.accept)
        heading = _label(title, self)
        heading.setProperty("look", "section")
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        for widget in (heading, self.words, area, self.note):
            column.addWidget(widget)
        column.addLayout(answers(self, self.go))
        self.note.setFocus()


def _label(words: str, parent: QWidget) -> QLabel:
    label = QLabel(words, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
