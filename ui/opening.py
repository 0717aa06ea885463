"""What stands in the window while a store opens, and when it cannot be opened."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.runtime.problems import Problem
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6, icon
from ui.widgets.buttons import Button
from ui.widgets.skeleton import Skeleton

SAY_AFTER_MS = 800


class OpeningPage(QWidget):
    """Grey shapes at once; after a moment a card that says what is going on and can be cancelled."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_6)
        column = QVBoxLayout()
        column.setSpacing(SPACE_4)
        for _ in range(3):
            row = QHBoxLayout()
            row.setSpacing(SPACE_4)
            for _ in range(6):
                card = Skeleton("card", self)
                card.setFixedHeight(96)
                row.addWidget(card)
            column.addLayout(row)
        column.addWidget(Skeleton("card", self), 1)
        grid.addLayout(column, 0, 0)
        self._card = QFrame(self)
        self._card.setProperty("look", "raised")
        self._card.setFixedWidth(400)
        inside = QVBoxLayout(self._card)
        inside.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        inside.setSpacing(SPACE_3)
        self._words = QLabel(self._card)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QProgressBar(self._card)
        self._bar.setRange(0, 0)
        cancel = Button(tr("取消", "Cancel"), parent=self._card)
        cancel.clicked.connect(self.cancelled)
        inside.addWidget(self._words)
        inside.addWidget(self._bar)
        inside.addWidget(cancel, 0, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._card, 0, 0, Qt.AlignmentFlag.AlignCenter)
        self._card.hide()
        self._timer = QTimer(self, singleShot=True, interval=SAY_AFTER_MS)
        self._timer.timeout.connect(self._card.show)

    def say(self, text: str) -> None:
        self._words.setText(text)
        if self._card.isHidden():
            self._timer.start()

    def set_share(self, done: int, total: int) -> None:
        """Progress as parts of a whole; a total of 0 means that nobody knows."""
        self._bar.setRange(0, total)
        self._bar.setValue(done)


class TroublePage(QWidget):
    """A store that cannot be opened: the sentence, and what one can do. `again_in` seconds it is tried again by itself."""

    retried = Signal()
    left = Signal()

    def __init__(self, place: str, problem: Problem, again_in: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE_3)
        column.addStretch(2)
        mark = QLabel(self)
        mark.setPixmap(icon("offline" if again_in else "warn", "warn").pixmap(32, 32))
        title = QLabel(tr(f"无法打开 {place}", f"{place} cannot be opened"), self)
        title.setProperty("look", "section")
        sentence = QLabel(problem.sentence, self)
        sentence.setWordWrap(True)
        sentence.setFixedWidth(460)
        sentence.setTextFormat(Qt.TextFormat.PlainText)
        for label in (mark, title, sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(mark, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        words = QHBoxLayout()  # not an alignment, which would give wrapped words the height of one line
        words.addStretch(1)
        words.addWidget(sentence)
        words.addStretch(1)
        column.addLayout(words)
        if again_in:
            note = QLabel(tr("恢复后会自动连接。", "It connects by itself as soon as it is back."), self)
            note.setProperty("look", "caption")
            column.addWidget(note, 0, Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        self.retry = Button(tr("重试", "Try again"), "primary", "refresh", self)
        self.retry.clicked.connect(self.retried)
        other = Button(tr("换一个连接", "Another connection"), parent=self)
        other.clicked.connect(self.left)
        row.addStretch(1)
        row.addWidget(self.retry)
        row.addWidget(other)
        row.addStretch(1)
        column.addSpacing(SPACE_2)
        column.addLayout(row)
        column.addStretch(3)
        self.setAccessibleName(problem.sentence)
        self.sentence = problem.sentence
        self._again = QTimer(self, singleShot=True, interval=round(again_in * 1000))
        self._again.timeout.connect(self.retried)
        self._by_itself = again_in > 0
        self.wait_again()

    def wait_again(self) -> None:
        if self._by_itself:
            self._again.start()
