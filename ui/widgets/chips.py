"""Filters that somebody else chose, told in words, each with a way to take it back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.domain.language import tr
from ui.theme import SPACE_2, icon
from ui.widgets.buttons import Button


class Chips(QWidget):
    """`removed(key)` and `cleared()` are what the person does; the owner shows what is left."""

    removed = Signal(str)
    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: list[tuple[str, str]] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE_2)
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def shown(self) -> list[tuple[str, str]]:
        """(key, words) from left to right."""
        return list(self._shown)

    def set_chips(self, chips: Sequence[tuple[str, str]]) -> None:
        if list(chips) == self._shown:
            return
        self._shown = list(chips)
        while self._row.count() > 1:
            item = self._row.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for place, (key, words) in enumerate(chips):
            chip = QToolButton(self)
            chip.setText(words)
            chip.setIcon(icon("close"))
            chip.setIconSize(QSize(12, 12))
            chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross follows the words
            chip.setProperty("look", "chip")
            chip.setToolTip(tr("去掉这个条件", "Drop this filter"))
            chip.setAccessibleName(tr(f"条件 {words}，按下去掉", f"Filter {words}, press to drop it"))
            chip.clicked.connect(lambda _=False, key=key: self.removed.emit(key))
            self._row.insertWidget(place, chip)
        if len(chips) > 1:
            clear = Button(tr("全部去掉", "Drop all"), "plain", parent=self)
            clear.clicked.connect(self.cleared)
            self._row.insertWidget(len(chips), clear)
        self.setVisible(bool(chips))
