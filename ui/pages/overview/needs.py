"""需要你处理: what needs a person now, the worst first, with clocks that run by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import tr
from ui.theme import BODY, CAPTION, CARD_RADIUS, EMPHASIS, SECTION, SPACE_1, SPACE_2, SPACE_3, SPACE_4, color, font, level_color
from ui.widgets.empty import EmptyState
from ui.widgets.metric_text import clock_text
from ui.widgets.paint import LEFT, RIGHT, elided, level_mark, width_of
from ui.widgets.skeleton import Skeleton

if TYPE_CHECKING:
    from app.services.live import Need

WIDTH = 320
_ROW = 52
Index = QModelIndex | QPersistentModelIndex


def identity(need: Need) -> tuple[str, str | None, str | None]:
    """What makes it the same matter at the next reading."""
    return need.kind, need.agent, need.session


def about(need: Need, age: int) -> str:
    """Whom it concerns, in one line; `age` in milliseconds."""
    agent = need.agent_name or need.agent or ""
    match need.kind:
        case "waiting":
            return f"{need.customer} → {agent}"
        case "unassigned":
            return need.customer
        case "full":
            return tr(f"{agent} · {need.count} 个会话", f"{agent} · {need.count} sessions")
        case "silent":
            return tr(f"{agent} · {need.count} 位客户在等", f"{agent} · {need.count} waiting")
        case "uncovered":
            return tr(f"指定的 {need.count} 名客服今天都没有上线接待", f"None of the {need.count} chosen agents was here for them today")
        case "leave":
            return tr(f"{need.count} 条，最早的已等 {clock_text(age)}", f"{need.count}, the oldest for {clock_text(age)}")


class NeedsModel(QAbstractListModel):
    """The list. While it is held (the pointer is over it) nothing changes its place: what is settled stays, marked, what is new waits
    at the end."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Need] = []
        self._gone: set[tuple[str, str | None, str | None]] = set()
        self._latest: list[Need] = []
        self._held = False
        self.now = 0
        """The store's present moment, epoch ms; the ages are counted up to it."""

    def need(self, row: int) -> Need:
        return self._rows[row]

    def is_gone(self, row: int) -> bool:
        """Settled meanwhile and only kept in place."""
        return identity(self._rows[row]) in self._gone

    def age(self, row: int) -> str:
        """The clock at the right of a row; leave messages are hours old and need none."""
        need = self._rows[row]
        return "" if need.since is None or need.kind == "leave" else clock_text(self.now - need.since)

    def about(self, row: int) -> str:
        """Whom a row concerns, or that it is settled."""
        need = self._rows[row]
        return tr("已处理", "Settled") if self.is_gone(row) else about(need, self.now - (need.since or self.now))

    def set_needs(self, needs: Sequence[Need]) -> None:
        self._latest = list(needs)
        if not self._held:
            self._gone.clear()
            self._arrange(self._latest)
            return
        fresh = {identity(need): need for need in needs}
        kept = [fresh.pop(identity(need), need) for need in self._rows]
        alive = {identity(need) for need in needs}
        self._gone = {identity(need) for need in kept} - alive
        self._arrange([*kept, *fresh.values()])

    def hold(self, on: bool) -> None:
        if on != self._held:
            self._held = on
            if not on:
                self.set_needs(self._latest)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        need = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return str(need.title)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            level = tr("告警", "Alarm") if need.level == "alarm" else tr("需注意", "Warning")
            parts = (level, str(need.title), self.about(index.row()), self.age(index.row()))
            return tr("，", ", ").join(part for part in parts if part)
        return None

    def _arrange(self, wanted: list[Need]) -> None:
        """Row by row, so that the current row and the scroll position stay with what they were on."""
        top = QModelIndex()
        keys = [identity(need) for need in wanted]
        staying = set(keys)
        for row in range(len(self._rows) - 1, -1, -1):
            if identity(self._rows[row]) not in staying:
                self.beginRemoveRows(top, row, row)
                del self._rows[row]
                self.endRemoveRows()
        for row, (key, need) in enumerate(zip(keys, wanted, strict=True)):
            held = next((at for at in range(row, len(self._rows)) if identity(self._rows[at]) == key), None)
            if held is None:
                self.beginInsertRows(top, row, row)
                self._rows.insert(row, need)
                self.endInsertRows()
                continue
            if held != row:
                self.beginMoveRows(top, held, held, top, row)
                self._rows.insert(row, self._rows.pop(held))
                self.endMoveRows()
            if self._rows[row] != need:
                self._rows[row] = need
                self.dataChanged.emit(self.index(row), self.index(row))


class _Delegate(QStyledItemDelegate):
    """Paints mark, title and age, and beneath them whom it concerns."""

    def __init__(self, model: NeedsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self.scale = 1.0
        self.stale = False

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, round(_ROW * self.scale))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, scale = index.row(), self.scale
        need = self._model.need(row)
        quiet = self.stale or self._model.is_gone(row)
        box = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        face = box.adjusted(SPACE_2, 1, -SPACE_2, -1)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(color("accent") if focused else Qt.PenStyle.NoPen)
        painter.setBrush(color("selection") if focused else color("hover") if hovered else Qt.BrushStyle.NoBrush)
        if hovered or focused:
            painter.drawRoundedRect(face.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        ink = color("quiet") if quiet else level_color(need.level)
        left, right = box.left() + SPACE_4, box.right() - SPACE_4
        first = QRectF(left, box.top() + 7 * scale, right - left, 20 * scale)
        level_mark(painter, left, first.center().y(), need.level, ink, 10 * scale)
        indent = 18 * scale
        age = self._model.age(row)
        age_size = round(EMPHASIS * scale)
        painter.setFont(font(age_size, True))
        painter.setPen(ink)
        painter.drawText(first, RIGHT, age)
        title_size = round(BODY * scale)
        room = int(first.width() - indent - width_of(age, age_size, True) - SPACE_2)
        painter.setFont(font(title_size, need.level == "alarm" and not quiet))
        painter.setPen(color("quiet") if quiet else color("text"))
        title = elided(str(need.title), room, title_size, need.level == "alarm" and not quiet)
        painter.drawText(first.adjusted(indent, 0, 0, 0), LEFT, title)
        size = round(CAPTION * scale)
        painter.setFont(font(size))
        painter.setPen(color("quiet"))
        second = QRectF(left + indent, box.top() + 27 * scale, right - left - indent, 18 * scale)
        painter.drawText(second, LEFT, elided(self._model.about(row), int(second.width()), size))
        painter.restore()


class _Counts(QWidget):
    """How many alarms and warnings there are, each with its mark."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._counts: tuple[int, int] = (0, 0)
        self._scale, self._stale = 1.0, False

    def show_counts(self, alarms: int, warnings: int, scale: float, stale: bool) -> None:
        if (alarms, warnings, scale, stale) != (*self._counts, self._scale, self._stale):
            self._counts, self._scale, self._stale = (alarms, warnings), scale, stale
            self.setAccessibleName(tr(f"{alarms} 个告警，{warnings} 个需注意", f"{alarms} alarms, {warnings} warnings"))
            self.setFixedSize(self._extent())
            self.update()

    def _extent(self) -> QSize:
        size = round(EMPHASIS * self._scale)
        width = sum(width_of(str(count), size, True) + 28 * self._scale for count in self._counts if count)
        return QSize(max(1, round(width)), round(22 * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        size, scale = round(EMPHASIS * self._scale), self._scale
        x, middle = 0.0, self.height() / 2
        for level, count in zip(("alarm", "warn"), self._counts, strict=True):
            if not count:
                continue
            ink = color("quiet") if self._stale else level_color(level)
            level_mark(painter, x + 4 * scale, middle, level, ink, 10 * scale)
            painter.setFont(font(size, True))
            painter.setPen(ink)
            painter.drawText(QRectF(x + 18 * scale, 0, 60 * scale, self.height()), LEFT, str(count))
            x += width_of(str(count), size, True) + 28 * scale


class NeedsCard(QFrame):
    """`opened(Need)` when a row is clicked, or Enter pressed on it. Shows grey shapes until the first answer."""

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self._scale, self._stale, self._alarmed = 0.0, False, False
        self.model = NeedsModel(self)
        self._title = QLabel(tr("需要你处理", "Needs you now"), self)
        self._counts = _Counts(self)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_4, SPACE_3, SPACE_3, SPACE_1)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._counts)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self._delegate = _Delegate(self.model, self)
        self.list.setItemDelegate(self._delegate)
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setAccessibleName(self._title.text())
        self.list.clicked.connect(self._open)
        self.list.installEventFilter(self)
        self.list.viewport().installEventFilter(self)
        self._nothing = EmptyState(
            "good",
            tr("现在没有需要处理的事", "Nothing needs you now"),
            tr("等得太久的客户、满载或沉默的坐席、积压的留言会出现在这里。",
               "Customers who wait too long, agents who are full or silent, and leave messages left lying show up here."),
            parent=self,
        )  # fmt: skip
        self._waiting = Skeleton("text", self)
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        for widget in (self._waiting, self._nothing, self.list):
            self._stack.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, SPACE_2)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(body, 1)
        self.set_size(1.0)

    def set_needs(self, needs: Sequence[Need], now: int) -> None:
        self.model.now = now
        self.model.set_needs(needs)
        shown: QWidget = self.list if self.model.rowCount() else self._nothing
        self._stack.setCurrentWidget(shown)
        self._tell()

    def tick(self, now: int) -> None:
        """Let the ages run on; only what is visible is painted."""
        self.model.now = now
        if self.model.rowCount() and not self._stale:
            self.list.viewport().update()

    def set_stale(self, stale: bool) -> None:
        if stale != self._stale:
            self._stale = self._delegate.stale = stale
            self.update()
            self.list.viewport().update()
            self._tell()

    def set_size(self, scale: float) -> None:
        """Enlarge everything for a wallboard."""
        if scale == self._scale:
            return
        self._scale = self._delegate.scale = scale
        self.setFixedWidth(round(WIDTH * scale))
        self._title.setFont(font(round(SECTION * scale), True))
        self.list.doItemsLayout()
        self._tell()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._alarmed and not self._stale:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(color("alarm"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self.list.viewport() and kind in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.model.hold(kind == QEvent.Type.Enter)
            self._tell()
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and watched is self.list:
            keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
            if event.key() in keys and self.list.currentIndex().isValid():
                self._open(self.list.currentIndex())
                return True
        elif watched is self.list and kind == QEvent.Type.FocusIn and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index(0))
        return False

    def _tell(self) -> None:
        rows = range(self.model.rowCount())
        levels = [self.model.need(row).level for row in rows if not self.model.is_gone(row)]
        if self._alarmed != ("alarm" in levels):
            self._alarmed = "alarm" in levels
            self.update()
        self._counts.show_counts(levels.count("alarm"), levels.count("warn"), self._scale, self._stale)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.need(index.row()))
