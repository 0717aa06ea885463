"""A filter of a list: everything, or one of what is offered."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QWidget

from app.domain.language import tr
from ui.theme import BODY
from ui.widgets.paint import width_of

_AROUND = 48
"""Pixels beside the word: borders and the arrow."""
_NARROW = 64


class Choice(QComboBox):
    """As wide as its word for everything, narrower where it must be. What is offered may change; a choice that has gone stays until
    another is made."""

    def __init__(self, name: str, everything: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offered: list[tuple[str, str]] = []
        self.setAccessibleName(name)
        self.currentIndexChanged.connect(lambda _: self.setToolTip(f"{name}{tr('：', ': ')}{self.currentText()}"))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self._wide = round(width_of(everything, BODY)) + _AROUND
        self.setMaxVisibleItems(20)
        self.addItem(everything, "")

    def sizeHint(self) -> QSize:
        return QSize(self._wide, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROW, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """What does not fit ends in …, the tooltip has all of it: the style would cut it within a letter."""
        option, painter = QStyleOptionComboBox(), QStylePainter(self)
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        option.currentText = option.fontMetrics.elidedText(option.currentText, Qt.TextElideMode.ElideRight, room - 2)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def key(self) -> str:
        return str(self.currentData() or "")

    def choose(self, key: str) -> None:
        """ "" is everything."""
        self.offer(self._offered, key)

    def offer(self, offered: Sequence[tuple[str, str]], key: str) -> None:
        """(key, label) each, with `key` chosen."""
        wanted = list(offered)
        if key and key not in {code for code, _ in wanted}:
            wanted.append((key, key))
        if wanted != self._offered:
            self._offered = wanted
            while self.count() > 1:
                self.removeItem(1)
            for code, label in wanted:
                self.addItem(label, code)
                self.setItemData(self.count() - 1, label, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(max(0, self.findData(key)))
