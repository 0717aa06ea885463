"""Told when somebody else has saved while there are changes here: both sides beside each other, and the two ways on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.domain.language import tr
from app.domain.merging import Side
from ui.theme import SPACE_1, SPACE_2, SPACE_3, SPACE_4
from ui.widgets.buttons import Button

_TALLEST = 200
_SHOWN = 60


class ConflictBar(QFrame):
    """`kept`: my changes on top of what the other saved. `dropped`: theirs alone."""

    kept = Signal()
    dropped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "raised")
        self._sides: list[Side] = []
        self.head = QLabel(self)
        self.head.setProperty("look", "emphasis")
        self.head.setWordWrap(True)
        self.head.setTextFormat(Qt.TextFormat.PlainText)
        self.words = QLabel(self)
        self.words.setProperty("look", "caption")
        self.words.setWordWrap(True)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self.keep = Button(tr("在最新版上保留我的修改", "Keep my changes on top of it"), parent=self)
        self.keep.clicked.connect(self.kept)
        self.drop = Button(tr("放弃我的修改", "Drop my changes"), parent=self)
        self.drop.clicked.connect(self.dropped)
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        row.addWidget(self.keep)
        row.addWidget(self.drop)
        row.addWidget(self.words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_3, SPACE_3, SPACE_3, SPACE_3)
        column.setSpacing(SPACE_2)
        column.addWidget(self.head)
        column.addWidget(self._area)
        column.addLayout(row)
        self.hide()

    def sides(self) -> list[Side]:
        """What is shown."""
        return list(self._sides)

    def tell(self, sentence: str, who: str, sides: Sequence[Side]) -> None:
        """Show both sides, those that contradict each other first; `sentence` says what happened, `who` did it."""
        found = sorted(sides, key=lambda side: not side.contradicts)
        self.head.setText(sentence)
        contradictions = sum(side.contradicts for side in found)
        self.words.setText(
            tr(f"保留时，两边都改的 {contradictions} 处用你的，其余两边的修改都在。",
               f"Kept together: yours where both changed the same ({contradictions}), both sides elsewhere.")
            if contradictions
            else tr("两边改的不是同一处，可以一起保留。", "The two do not touch the same places and can be kept together.")
        )  # fmt: skip
        if found == self._sides and not self.isHidden():
            return
        self._sides = found
        holder = QWidget()
        holder.setObjectName("scrolled")
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, SPACE_4, 0)
        grid.setHorizontalSpacing(SPACE_4)
        grid.setVerticalSpacing(SPACE_1)
        for column, title in enumerate((tr("设置", "Setting"), tr("原来", "Before"), who, tr("你", "You"))):
            grid.addWidget(_label(title, "caption", holder), 0, column)
            grid.setColumnStretch(column, 2 if column == 0 else 1)
        same = tr("不变", "as before")
        for row, side in enumerate(found[:_SHOWN], 1):
            look = "warn" if side.contradicts else ""
            both = tr("（两边都改）", " (both)") if side.contradicts else ""
            grid.addWidget(_label(f"{side.label}{both}", look, holder), row, 0)
            grid.addWidget(_label(str(side.before), "quiet", holder), row, 1)
            for column, words in ((2, side.theirs), (3, side.mine)):
                grid.addWidget(_label(same if words is None else str(words), "quiet" if words is None else look, holder), row, column)
        if len(found) > _SHOWN:
            more = len(found) - _SHOWN
            grid.addWidget(_label(tr(f"另有 {more} 处", f"{more} more"), "quiet", holder), _SHOWN + 1, 0)
        self._area.setWidget(holder)
        self._area.setFixedHeight(min(_TALLEST, holder.sizeHint().height()))
        self.show()


def _label(words: str, look: str, parent: QWidget) -> QLabel:
    label = QLabel(words, parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    if look:
        label.setProperty("look", look)
    return label
