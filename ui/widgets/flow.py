"""A row of controls that goes on in the next one where it is too long."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem


class FlowLayout(QLayout):
    """From left to right, each as wide as it hints at; whatever expands shares what is left of its row, up to its maximum."""

    def __init__(self, spacing: int) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = self._rows(width)
        return sum(map(_height, rows)) + self.spacing() * max(0, len(rows) - 1)

    def sizeHint(self) -> QSize:
        shown = self._shown()
        wide = sum(item.sizeHint().width() for item in shown) + self.spacing() * max(0, len(shown) - 1)
        return QSize(wide, _height(shown))

    def minimumSize(self) -> QSize:
        shown = self._shown()
        return QSize(max((item.minimumSize().width() for item in shown), default=0), _height(shown))

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        y = rect.y()
        for row in self._rows(rect.width()):
            x, high = rect.x(), _height(row)
            spare = rect.width() - sum(map(_width, row)) - self.spacing() * (len(row) - 1)
            for item in row:
                wide = min(_width(item), rect.width())
                if spare > 0 and item.expandingDirections() & Qt.Orientation.Horizontal:
                    more = min(spare, item.maximumSize().width() - wide)
                    wide, spare = wide + more, spare - more
                tall = item.sizeHint().height()
                item.setGeometry(QRect(x, y + (high - tall) // 2, wide, tall))
                x += wide + self.spacing()
            y += high + self.spacing()

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        rows: list[list[QLayoutItem]] = []
        left = 0
        for item in self._shown():
            needed = _width(item) + self.spacing()
            if not rows or needed > left:
                rows.append([])
                left = width + self.spacing()
            rows[-1].append(item)
            left -= needed
        return rows


def _height(row: list[QLayoutItem]) -> int:
    return max((item.sizeHint().height() for item in row), default=0)


def _width(item: QLayoutItem) -> int:
    """What expands asks for no more than it must have: it is given the rest."""
    expands = item.expandingDirections() & Qt.Orientation.Horizontal
    return item.minimumSize().width() if expands else item.sizeHint().width()
