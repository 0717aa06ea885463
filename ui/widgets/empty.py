"""What stands where there is nothing to show: why, and the next step."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.theme import SPACE_2, SPACE_4, icon
from ui.widgets.buttons import Button

_LONGEST_LINE = 440


class EmptyState(QWidget):
    """Icon, title, one sentence, and a button when `action` has words; `acted` is its click."""

    acted = Signal()

    def __init__(
        self, icon_name: str, title: str, sentence: str = "", action: str = "", kind: str = "quiet", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        column = self._column = QVBoxLayout(self)
        column.setSpacing(SPACE_2)
        column.addStretch(1)
        picture = QLabel(self)
        picture.setPixmap(icon(icon_name).pixmap(QSize(32, 32), self.devicePixelRatioF()))
        self._title = QLabel(title, self)
        self._title.setProperty("look", "emphasis")
        self._sentence = QLabel(sentence, self)
        self._sentence.setProperty("look", "quiet")
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        for label in (picture, self._title, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(label is not picture)
            column.addWidget(label)  # without an alignment: the layout then gives wrapped words the height they need
        self._sentence.setVisible(bool(sentence))
        if action:
            column.addSpacing(SPACE_4 - SPACE_2)
            self.button = Button(action, "primary" if kind == "primary" else "quiet", parent=self)
            self.button.clicked.connect(self.acted)
            column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.setAccessibleName(f"{title} {sentence}".strip())

    def resizeEvent(self, event: QResizeEvent) -> None:
        side = max(SPACE_4, (self.width() - _LONGEST_LINE) // 2)
        self._column.setContentsMargins(side, SPACE_4, side, SPACE_4)
