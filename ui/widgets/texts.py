"""A list of short texts as chips: typed or pasted at the foot, taken away with a click or Delete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    QStringListModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCompleter,
    QLabel,
    QLineEdit,
    QListView,
    QListWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import tr
from ui.theme import BODY, SPACE_1, color, font
from ui.widgets.editor import Editor
from ui.widgets.paint import LEFT, elided, width_of

_BETWEEN = re.compile(r"[,，;；、\r\n\t]+")
_BETWEEN_WORDS = re.compile(r"[,，;；、\s]+")
_GAP = "  "
"""Between a code and its name where completions are listed."""
_TALL, _CROSS, _PAD, _WIDEST = 28, 14, 10, 220
_ROWS = 4


class TextsEditor(Editor):
    """Holds a list of texts, no two alike. Commas and line breaks part what is typed or pasted; spaces, too, where each is one word.

    Where it is known what there is, that is offered, and anything else waits in the line for Enter: it may be half typed.
    """

    def __init__(self, name: str, words: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._between = _BETWEEN_WORDS if words else _BETWEEN
        self._known: Mapping[str, str] = {}
        self._offered = QStringListModel(self)
        self._chips = _Chips(self)
        self._chips.setAccessibleName(name)
        self._chips.taken.connect(self._take)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText(tr("输入后按回车；可一次粘贴多个", "Type and press Enter; paste many at once"))
        self.line.returnPressed.connect(self._add)
        self.line.editingFinished.connect(self._leave)
        self.line.textEdited.connect(self._typed)
        self.line.installEventFilter(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_1)
        column.addWidget(self._chips)
        column.addWidget(self.line)
        self._waits = QLabel(self)
        self._waits.setProperty("look", "warn")
        self._waits.setTextFormat(Qt.TextFormat.PlainText)
        self._waits.setWordWrap(True)
        self._waits.hide()
        self.line.textChanged.connect(self._waits.hide)
        column.addWidget(self._waits)
        self._fit()

    def offer(self, known: Mapping[str, str]) -> None:
        """{text: what else people call it}: all that there is. Nothing is offered, and nothing waits, while it is empty."""
        if known == self._known:
            return
        self._known = known
        self._offered.setStringList([f"{text}{_GAP}{name}" if name and name != text else text for text, name in known.items()])
        if self.line.completer() is None:
            completer = _Completer(self._offered, self)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setMaxVisibleItems(10)
            completer.activated.connect(self._add, Qt.ConnectionType.QueuedConnection)  # after the line has taken it
            self.line.setCompleter(completer)
            if (popup := completer.popup()) is not None:
                popup.setProperty("look", "offered")
                popup.installEventFilter(self)

    def value(self) -> Any:
        return [self._chips.item(row).text() for row in range(self._chips.count())]

    def set_value(self, value: Any) -> None:
        self._chips.clear()
        self._chips.addItems([str(text) for text in value])
        self._fit()

    def take_typed(self) -> bool:
        if (completer := self.line.completer()) is not None and (popup := completer.popup()) is not None:
            popup.hide()
        self._leave()
        return not self.line.text().strip()

    def target(self) -> QWidget:
        return self.line

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Backspace in the empty line takes the last one away; what is offered stands below the line and is in nobody's way."""
        if isinstance(watched, QAbstractItemView):
            return self._offering(watched, event)
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress or event.key() != Qt.Key.Key_Backspace:
            return False
        if self.line.text() or not self._chips.count():
            return False
        self._take([self._chips.count() - 1])
        return True

    def _offering(self, popup: QAbstractItemView, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.Move):
            top, below = (self.line.mapToGlobal(QPoint(0, y)).y() for y in (0, self.line.height() + SPACE_1))
            if top < popup.y() < below:  # Qt lays it over the lower edge
                popup.move(popup.x(), below)
        elif isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            window = self.window().windowHandle()
            if window is not None and not popup.rect().contains(event.position().toPoint()):
                popup.hide()
                at = event.globalPosition()
                again = QMouseEvent(event.type(), window.mapFromGlobal(at), at, event.button(), event.buttons(), event.modifiers())
                QApplication.sendEvent(window, again)
                return True
        return False

    def _typed(self, text: str) -> None:
        if self._between.search(text):
            self._add()

    def _leave(self) -> None:
        text = self.line.text().strip()
        if self._known and text and text not in self._known:
            self._waits.setText(tr(f"{text} 还没有加入：按回车加入，或删去", f"{text} is not in yet: press Enter to add it, or delete it"))
            self._waits.show()
        else:
            self._add()

    def _add(self) -> None:
        held = set(self.value())
        new = [part for part in dict.fromkeys(part.strip() for part in self._between.split(self.line.text())) if part and part not in held]
        self.line.clear()
        if new:
            self._chips.addItems(new)
            self._fit()
            self._chips.scrollToBottom()
            self.changed.emit()

    def _take(self, rows: list[int]) -> None:
        for row in sorted(rows, reverse=True):
            self._chips.takeItem(row)
        self._fit()
        self.changed.emit()

    def _fit(self) -> None:
        """As high as its chips, up to a few rows; then it scrolls."""
        number = self._chips.count()
        self._chips.setVisible(number > 0)
        rows = min(_ROWS, max(1, -(-number // 3)))
        self._chips.setFixedHeight(rows * (_TALL + SPACE_1) + SPACE_1)
        QAccessible.updateAccessibility(QAccessibleEvent(self._chips, QAccessible.Event.NameChanged))


class _Completer(QCompleter):
    """Finds by code and name, and puts the code."""

    def pathFromIndex(self, index: QModelIndex | QPersistentModelIndex) -> str:
        return str(index.data()).partition(_GAP)[0]


class _Chips(QListWidget):
    taken = Signal(object)
    """list[int]: rows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSpacing(2)
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_ChipDelegate(self))
        self.setObjectName("scrolled")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows = [index.row() for index in self.selectedIndexes()]
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and rows:
            self.taken.emit(rows)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.position().x() > self.visualRect(index).right() - _PAD - _CROSS:
            self.taken.emit([index.row()])


class _ChipDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(min(_WIDEST, int(width_of(str(index.data()), BODY)) + 2 * _PAD + _CROSS + 4), _TALL)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        rect = QRect(option.rect).adjusted(1, 1, -1, -1)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(color("accent") if chosen else Qt.PenStyle.NoPen)
        painter.setBrush(color("selection"))
        painter.drawRoundedRect(QRectF(rect), rect.height() / 2, rect.height() / 2)
        painter.setFont(font(BODY))
        painter.setPen(color("text"))
        words = rect.adjusted(_PAD, 0, -_PAD - _CROSS, 0)
        painter.drawText(words, LEFT, elided(str(index.data()), words.width(), BODY))
        painter.setPen(color("quiet"))
        painter.drawText(rect.adjusted(0, 0, -_PAD, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "×")
        painter.restore()
