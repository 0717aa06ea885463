"""What stands where there is nothing to show: why, and the next step."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.theme import SPACE_2, SPACE_4, SPACE_6, icon
from ui.widgets.buttons import Button


class EmptyState(QWidget):
    """Icon, title, one sentence, and a button when `action` has words; `acted` is its click."""

    acted = Signal()

    def __init__(
        self, icon_name: str, title: str, sentence: str = "", action: str = "", kind: str = "quiet", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_6)
        column.setSpacing(SPACE_2)
        column.addStretch(1)
        picture = QLabel(self)
        picture.setPixmap(icon(icon_name).pixmap(QSize(32, 32), self.devicePixelRatioF()))
        self._title = QLabel(title, self)
        self._title.setProperty("look", "emphasis")
        self._sentence = QLabel(sentence, self)
        self._sentence.setProperty("look", "quiet")
        self._sentence.setWordWrap(True)
        self._sentence.setMaximumWidth(440)
        self._sentence.setMinimumWidth(min(440, self._sentence.fontMetrics().horizontalAdvance(sentence) + 4))
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        for label in (picture, self._title, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        self._sentence.setVisible(bool(sentence))
        if action:
            column.addSpacing(SPACE_4 - SPACE_2)
            self.button = Button(action, "primary" if kind == "primary" else "quiet", parent=self)
            self.button.clicked.connect(self.acted)
            column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.setAccessibleName(f"{title} {sentence}".strip())
