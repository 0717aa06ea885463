"""Told when somebody else has saved while there are changes here: both sides, and the two ways on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.domain.kinds import Change
from app.domain.language import tr
from ui.pages.settings.past import change_lines
from ui.theme import SPACE_2, SPACE_3, SPACE_4
from ui.widgets.buttons import Button

_TALLEST = 220


class ConflictBar(QFrame):
    """`kept`: my changes on top of what the other saved. `dropped`: theirs alone."""

    kept = Signal()
    dropped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "raised")
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_3, SPACE_3, SPACE_3, SPACE_3)
        column.setSpacing(SPACE_2)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setMaximumHeight(_TALLEST)
        holder = QWidget(area)
        holder.setObjectName("scrolled")
        sides = QHBoxLayout(holder)
        sides.setContentsMargins(0, 0, 0, 0)
        sides.setSpacing(SPACE_4)
        self.theirs, self.mine = _words(holder), _words(holder)
        sides.addWidget(self.theirs, 1)
        sides.addWidget(self.mine, 1)
        area.setWidget(holder)
        column.addWidget(area)
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        self.keep = Button(tr("在最新版上保留我的修改", "Keep my changes on top of it"), parent=self)
        self.keep.clicked.connect(self.kept)
        self.drop = Button(tr("放弃我的修改", "Drop my changes"), parent=self)
        self.drop.clicked.connect(self.dropped)
        row.addWidget(self.keep)
        row.addWidget(self.drop)
        row.addStretch(1)
        column.addLayout(row)
        self.hide()

    def tell(self, who: str, theirs: Sequence[Change], mine: Sequence[Change]) -> None:
        """Show both sides; `who` is the sentence of what happened."""
        nothing = tr("内容没有不同。", "no difference.")
        self.theirs.setText(f"{who}\n{change_lines(theirs) or nothing}")
        self.mine.setText(tr("你的修改：", "Your changes: ") + "\n" + (change_lines(mine) or nothing))
        self.show()


def _words(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label
