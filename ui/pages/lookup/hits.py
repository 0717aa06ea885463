"""What a search in transcripts found: one conversation an entry, with the words marked in the message that has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.language import tr
from ui.theme import BODY, CAPTION, SPACE_3, SPACE_4, color, font
from ui.widgets.paint import LEFT, RIGHT, elided, width_of

_HEIGHT, _HEAD = 60, 24
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """A hit as shown. spans: (start, end) of what was found in the snippet."""

    session: str
    message_at: int
    who: str
    """Customer and agent."""
    time: str
    said_by: str
    snippet: str
    spans: tuple[tuple[int, int], ...]


class HitList(QListView):
    """`opened(Entry)`: Enter or a click; `more_wanted`: the end is near."""

    opened = Signal(object)
    more_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entries = _Entries(self)
        self.setModel(self._entries)
        self.setItemDelegate(_Painter(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("找到的聊天记录", "Transcripts found"))
        self.verticalScrollBar().setSingleStep(_HEIGHT // 2)
        self.clicked.connect(self._open)
        self.verticalScrollBar().valueChanged.connect(self._look_ahead)

    def entries(self) -> list[Entry]:
        return list(self._entries.entries)

    def set_entries(self, entries: Sequence[Entry]) -> None:
        self._entries.replace(entries)

    def add_entries(self, entries: Sequence[Entry]) -> None:
        self._entries.add(entries)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _open(self, index: _Index) -> None:
        self.opened.emit(self._entries.entries[index.row()])

    def _look_ahead(self) -> None:
        bar = self.verticalScrollBar()
        if bar.value() >= bar.maximum() - 10 * _HEIGHT:
            self.more_wanted.emit()


class _Entries(QAbstractListModel):
    def __init__(self, parent: HitList) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entries[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{entry.time} {entry.who} {entry.said_by}: {entry.snippet}"
        return None

    def replace(self, entries: Sequence[Entry]) -> None:
        self.beginResetModel()
        self.entries = list(entries)
        self.endResetModel()

    def add(self, entries: Sequence[Entry]) -> None:
        if entries:
            self.beginInsertRows(QModelIndex(), len(self.entries), len(self.entries) + len(entries) - 1)
            self.entries += entries
            self.endInsertRows()


class _Painter(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        view = self.parent()
        assert isinstance(view, HitList)
        entry = view._entries.entries[index.row()]
        box, state = _rect(option), _state(option)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, color("selection"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, color("hover"))
        painter.fillRect(QRect(box.left(), box.bottom(), box.width(), 1), color("border"))
        left, width = box.left() + SPACE_4, box.width() - 2 * SPACE_4
        time = width_of(entry.time, CAPTION)
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        painter.drawText(QRect(left, box.top() + 6, width, _HEAD), RIGHT, entry.time)
        painter.setFont(font(BODY, True))
        painter.setPen(color("text"))
        painter.drawText(QRect(left, box.top() + 6, width, _HEAD), LEFT, elided(entry.who, int(width - time - SPACE_3), BODY, True))
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        said = f"{entry.said_by}  "
        painter.drawText(QRect(left, box.top() + 30, width, _HEAD), LEFT, said)
        taken = round(width_of(said, CAPTION))
        painter.save()
        painter.setClipRect(QRect(left + taken, box.top(), width - taken, box.height()))
        painter.setPen(color("text"))
        _snippet(painter, entry, left + taken, box.top() + 30)
        painter.restore()


def _snippet(painter: QPainter, entry: Entry, x: int, y: int) -> None:
    layout = QTextLayout(entry.snippet, font(BODY))
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    layout.setTextOption(option)
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    marks = []
    for start, end in entry.spans:
        mark = QTextLayout.FormatRange()
        mark.start = _units(entry.snippet[:start])
        mark.length = _units(entry.snippet[start:end])
        look = QTextCharFormat()
        look.setBackground(color("warn", 0.3))
        mark.format = look
        marks.append(mark)
    layout.draw(painter, QPointF(x, y + (_HEAD - line.height()) / 2), marks)


def _units(text: str) -> int:
    """As Qt counts characters."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _rect(option: QStyleOptionViewItem) -> QRect:
    return QRect(option.rect)


def _state(option: QStyleOptionViewItem) -> QStyle.StateFlag:
    state: QStyle.StateFlag = option.state
    return state
