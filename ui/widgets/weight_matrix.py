"""Weights of agents in groups: a row per agent, a column per group, a cell 0 to 10 or empty where the agent is no member.

Painted in one pass over the visible cells, so that hundreds of agents times dozens of groups cost what the window shows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from app.domain.language import tr
from ui.theme import BODY, CAPTION, color, font
from ui.widgets.paint import CENTER, LEFT, elided, elided_name, width_of

MOST = 10
_NAMES, _COLUMN, _ROW, _HEAD = 200, 92, 32, 60
_PAD = 8
_DRAG_STEP = 8
"""Pixels of a drag up or down for one step of weight."""

Weights = Mapping[str, Mapping[str, int]]
"""{column key: {row key: weight}}, of all rows, shown or not."""
Edits = dict[tuple[str, str], int | None]
"""{(row key, column key): new weight, None to take the agent out}."""


def how_to_weigh() -> str:
    """For beside a matrix."""
    return tr("数字改权重，Delete 移出，上下拖动微调", "Digits set, Delete takes out, drag up or down to adjust")


class Line(NamedTuple):
    """A row or a column."""

    key: str
    title: str
    detail: str = ""


class WeightMatrix(QAbstractScrollArea):
    """`edited(Edits)`: what the person changed.

    Keyboard: arrows move, with Shift they extend the chosen block; digits set (1 then 0 is 10), plus and minus step, Delete takes out.
    Mouse: the wheel over the current cell steps, elsewhere it scrolls; dragging a cell up or down changes its weight.
    """

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns: list[Line] = []
        self._rows: list[Line] = []
        self._weights: dict[str, dict[str, int]] = {}
        self._counted: Collection[str] = ()
        self._totals: dict[str, int] = {}
        self._members: dict[str, int] = {}
        self._at = self._anchor = (0, 0)
        self._hover: tuple[int, int] | None = None
        self._editable = True
        self._typed_one = False
        self._drag: tuple[int, int | None] | None = None  # (y where it began, weight then)
        self._pending: int | None = None
        self._placeholder = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("权重矩阵", "Weight matrix"))

    # For pages

    def set_data(self, columns: Sequence[Line], rows: Sequence[Line], weights: Weights, counted: Collection[str]) -> None:
        """counted: rows that can be given sessions at all; only their weights make up the totals and shares."""
        key = self.current()
        self._columns, self._rows, self._counted = list(columns), list(rows), counted
        self._weights = {column.key: dict(weights.get(column.key, {})) for column in columns}
        self._totals = {c: sum(w for row, w in held.items() if row in counted) for c, held in self._weights.items()}
        self._members = {c: len(held) for c, held in self._weights.items()}
        self._drag = None
        if key is not None and key != self.current():
            self._keep_place(*key)
        self._clamp()
        self._measure()
        self.viewport().update()

    def set_placeholder(self, words: str) -> None:
        """Shown while there are no cells."""
        self._placeholder = words
        self.viewport().update()

    def set_editable(self, editable: bool) -> None:
        self._editable = editable

    def current(self) -> tuple[str, str] | None:
        """(row key, column key) of the current cell."""
        row, column = self._at
        return (self._rows[row].key, self._columns[column].key) if row < len(self._rows) and column < len(self._columns) else None

    def go_to(self, row: str, column: str) -> None:
        """Make a cell current and bring it into view; nothing when it is not there."""
        self._keep_place(row, column)
        self._anchor = self._at
        self._moved()

    def weight(self, row: str, column: str) -> int | None:
        return self._weights[column].get(row)

    def share(self, row: str, column: str) -> float | None:
        """What part of the group's sessions the agent may expect while everybody is free, 0 to 1; None where there is none.

        While a cell is dragged: as it would be, let go of now.
        """
        dragged = self._drag is not None and self.current() == (row, column)
        total, weight = self.total(column), self._pending if dragged else self._weights[column].get(row)
        return weight / total if weight and total and row in self._counted else None

    def total(self, column: str) -> int:
        """Of the weights that count; in a drag as `share`."""
        at, dragged = self.current(), 0
        if self._drag is not None and at is not None and at[1] == column and at[0] in self._counted:
            dragged = (self._pending or 0) - (self._drag[1] or 0)
        return self._totals[column] + dragged

    def cell_rect(self, row: str, column: str) -> QRect:
        """In pixels of the viewport. Raises StopIteration for a row or column not shown."""
        r = next(i for i, line in enumerate(self._rows) if line.key == row)
        c = next(i for i, line in enumerate(self._columns) if line.key == column)
        return self._rect(r, c)

    def words_of(self, row: int, column: int) -> str:
        """A cell for the pointer and the screen reader."""
        who, group = self._rows[row], self._columns[column]
        weight = self._weights[group.key].get(who.key)
        if weight is None:
            return tr(f"{who.title} 不在「{group.title}」", f"{who.title} is not in {group.title}")
        share = self.share(who.key, group.key)
        expected = tr("只接转接", "transfers only") if share is None else tr(f"预计占 {share:.1%}", f"expects {share:.1%}")
        return tr(
            f"{who.title} · {group.title} · 权重 {weight} · {expected}", f"{who.title} · {group.title} · weight {weight} · {expected}"
        )

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, text = event.key(), event.text()
        typed_one, self._typed_one = self._typed_one, False
        step = _STEPS.get(Qt.Key(key))
        if not self._rows or not self._columns:
            super().keyPressEvent(event)
        elif step is not None:
            page = max(1, self._body().height() // _ROW - 1)
            self._move(step[0] * (page if key in _PAGES else 1), step[1], bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._move(-len(self._rows) if key == Qt.Key.Key_Home else len(self._rows), 0, False)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._set(None)
        elif len(text) == 1 and text in "0123456789":
            ten = typed_one and text == "0"
            self._typed_one = text == "1"
            self._set(MOST if ten else int(text))
        elif text in ("+", "=", "-"):
            self._step(-1 if text == "-" else 1)
        else:
            super().keyPressEvent(event)

    def _move(self, down: int, across: int, extend: bool) -> None:
        row, column = self._at
        self._at = max(0, min(len(self._rows) - 1, row + down)), max(0, min(len(self._columns) - 1, column + across))
        if not extend:
            self._anchor = self._at
        self._moved()

    def _moved(self) -> None:
        self._reveal()
        if self.current() is not None:
            self.setAccessibleDescription(self.words_of(*self._at))
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        self.viewport().update()

    # Editing

    def _block(self) -> list[tuple[int, int]]:
        (r, c), (r0, c0) = self._at, self._anchor
        return [(i, j) for i in range(min(r, r0), max(r, r0) + 1) for j in range(min(c, c0), max(c, c0) + 1)]

    def _set(self, weight: int | None) -> None:
        edits: Edits = {(self._rows[i].key, self._columns[j].key): weight for i, j in self._block()}
        self._send(edits)

    def _step(self, step: int) -> None:
        """Only members have a weight to step; the empty current cell becomes a member."""
        edits: Edits = {}
        for i, j in self._block():
            row, column = self._rows[i].key, self._columns[j].key
            held = self._weights[column].get(row)
            if held is not None:
                edits[row, column] = max(0, min(MOST, held + step))
            elif (i, j) == self._at and step > 0:
                edits[row, column] = 1
        self._send(edits)

    def _send(self, edits: Edits) -> None:
        changed = {cell: weight for cell, weight in edits.items() if self._weights[cell[1]].get(cell[0]) != weight}
        if changed and self._editable:
            self.edited.emit(changed)
            self._moved()

    # Pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if cell is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._typed_one = False
        self._at = cell
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._anchor = cell
        held = self._weights[self._columns[cell[1]].key].get(self._rows[cell[0]].key)
        self._drag, self._pending = (int(event.position().y()), held), held
        self._moved()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._drag is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, held = self._drag
            steps = round((start - at.y()) / _DRAG_STEP)
            self._pending = held if steps == 0 or not self._editable else max(0, min(MOST, (held or 0) + steps))
            self.viewport().update()
            return
        hover = self._cell_at(at)
        if hover != self._hover:
            self._hover = hover
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, self._drag = self._drag, None
        if drag is not None and self._pending != drag[1]:
            self._set(self._pending)

    def wheelEvent(self, event: QWheelEvent) -> None:
        over = self._cell_at(event.position().toPoint())
        if self.hasFocus() and over is not None and over == self._at and self._editable and event.angleDelta().y():
            self._step(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell, column = self._cell_at(event.pos()), self._column_at(event.pos())
            words = self.words_of(*cell) if cell is not None else self._columns[column].title if column is not None else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().viewportEvent(event)

    # Geometry

    def sizeHint(self) -> QSize:
        return QSize(_NAMES + 4 * _COLUMN, _HEAD + 8 * _ROW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _measure(self) -> None:
        body = self._body()
        for bar, whole, page, step in (
            (self.verticalScrollBar(), len(self._rows) * _ROW, body.height(), _ROW),
            (self.horizontalScrollBar(), len(self._columns) * self._wide(), body.width(), _COLUMN),
        ):
            bar.setRange(0, max(0, whole - page))
            bar.setPageStep(page)
            bar.setSingleStep(step)

    def _wide(self) -> int:
        """Few columns share the room, up to twice their width."""
        room = self._body().width() // max(1, len(self._columns))
        return max(_COLUMN, min(2 * _COLUMN, room))

    def _body(self) -> QRect:
        return self.viewport().rect().adjusted(_NAMES, _HEAD, 0, 0)

    def _rect(self, row: int, column: int) -> QRect:
        x = _NAMES + column * self._wide() - self.horizontalScrollBar().value()
        return QRect(x, _HEAD + row * _ROW - self.verticalScrollBar().value(), self._wide(), _ROW)

    def _column_at(self, at: QPoint) -> int | None:
        column = (at.x() - _NAMES + self.horizontalScrollBar().value()) // self._wide()
        return column if at.x() >= _NAMES and 0 <= column < len(self._columns) else None

    def _cell_at(self, at: QPoint) -> tuple[int, int] | None:
        column, row = self._column_at(at), (at.y() - _HEAD + self.verticalScrollBar().value()) // _ROW
        return (row, column) if column is not None and at.y() >= _HEAD and 0 <= row < len(self._rows) else None

    def _reveal(self) -> None:
        rect, body = self._rect(*self._at), self._body()
        for bar, first, last, start, end in (
            (self.verticalScrollBar(), rect.top(), rect.bottom(), body.top(), body.bottom()),
            (self.horizontalScrollBar(), rect.left(), rect.right(), body.left(), body.right()),
        ):
            if first < start:
                bar.setValue(bar.value() - (start - first))
            elif last > end:
                bar.setValue(bar.value() + (last - end))

    def _keep_place(self, row: str, column: str) -> None:
        r = next((i for i, line in enumerate(self._rows) if line.key == row), None)
        c = next((i for i, line in enumerate(self._columns) if line.key == column), None)
        if r is not None and c is not None:
            self._at = self._anchor = (r, c)

    def _clamp(self) -> None:
        rows, columns = max(0, len(self._rows) - 1), max(0, len(self._columns) - 1)
        self._at = min(self._at[0], rows), min(self._at[1], columns)
        self._anchor = min(self._anchor[0], rows), min(self._anchor[1], columns)
        self._hover = None

    # Painting

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        whole = self.viewport().rect()
        painter.fillRect(whole, color("surface"))
        if not self._columns or not self._rows:
            painter.setFont(font(BODY))
            painter.setPen(color("quiet"))
            painter.drawText(whole.adjusted(_PAD, 0, -_PAD, 0), CENTER | Qt.TextFlag.TextWordWrap, self._placeholder)
            return
        top, left = self.verticalScrollBar().value(), self.horizontalScrollBar().value()
        body, wide = self._body(), self._wide()
        rows = range(top // _ROW, min(len(self._rows), (top + body.height()) // _ROW + 1))
        columns = range(left // wide, min(len(self._columns), (left + body.width()) // wide + 1))
        block = set(self._block()) if len(self._block()) > 1 else set()
        painter.setClipRect(body)
        painter.setFont(font(BODY))
        for j in columns:
            held = self._weights[self._columns[j].key]
            for i in rows:
                self._paint_cell(
                    painter, self._rect(i, j), held.get(self._rows[i].key), (i, j) in block, self._rows[i].key in self._counted
                )
        self._paint_current(painter)
        painter.setClipRect(QRect(0, _HEAD, whole.width(), body.height()))
        for i in rows:
            self._paint_name(painter, i)
        painter.setClipRect(QRect(_NAMES, 0, body.width(), _HEAD))
        painter.fillRect(_NAMES, 0, body.width(), _HEAD, color("surface"))
        for j in columns:
            self._paint_head(painter, j)
        painter.setClipping(False)
        painter.fillRect(0, _HEAD - 1, whole.width(), 1, color("border"))
        painter.fillRect(_NAMES - 1, 0, 1, whole.height(), color("border"))

    def _paint_cell(self, painter: QPainter, rect: QRect, weight: int | None, chosen: bool, counts: bool) -> None:
        if weight is not None:
            ground = color("accent", round(0.06 + 0.03 * weight, 2)) if counts and weight else color("hover")
            painter.fillRect(rect.adjusted(1, 1, -1, -1), ground)
            painter.setPen(color("text" if counts and weight else "quiet"))
            painter.drawText(rect, CENTER, str(weight))
        if chosen:
            painter.fillRect(rect, color("accent", 0.12))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, color("border", 0.6))

    def _paint_current(self, painter: QPainter) -> None:
        rect = self._rect(*self._at)
        if self._drag is not None and self._pending != self._drag[1]:
            painter.fillRect(rect.adjusted(1, 1, -1, -1), color("surface"))
            painter.fillRect(rect.adjusted(1, 1, -1, -1), color("accent", 0.2))
            painter.setPen(color("text"))
            painter.drawText(rect, CENTER, str(self._pending))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._hover is not None:
            painter.setPen(color("border"))
            painter.drawRect(self._rect(*self._hover).adjusted(1, 1, -2, -2))
        painter.setPen(QPen(color("accent" if self.hasFocus() else "quiet"), 2 if self.hasFocus() else 1))
        painter.drawRect(rect.adjusted(1, 1, -2, -2))

    def _paint_name(self, painter: QPainter, row: int) -> None:
        line, y = self._rows[row], _HEAD + row * _ROW - self.verticalScrollBar().value()
        here = row == (self._hover or self._at)[0]
        painter.fillRect(0, y, _NAMES, _ROW, color("hover" if here else "surface"))
        painter.fillRect(0, y + _ROW - 1, _NAMES, 1, color("border", 0.6))
        painter.setFont(font(BODY))
        painter.setPen(color("text" if line.key in self._counted else "quiet"))
        title = elided(line.title, _NAMES - 2 * _PAD, BODY)
        painter.drawText(QRectF(_PAD, y, _NAMES - 2 * _PAD, _ROW), LEFT, title)
        x = _PAD + width_of(title, BODY) + _PAD
        room = int(_NAMES - _PAD - x)
        if room > 24:
            painter.setFont(font(CAPTION))
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(x, y + 1, room, _ROW), LEFT, elided(line.detail, room, CAPTION))

    def _paint_head(self, painter: QPainter, column: int) -> None:
        line, rect = self._columns[column], self._rect(0, column)
        x, room = rect.left() + 4, rect.width() - 8
        row, at = self._hover or self._at
        if column == at:
            painter.fillRect(rect.left(), 0, rect.width(), _HEAD, color("hover"))
        painter.setFont(font(CAPTION, True))
        painter.setPen(color("text"))
        painter.drawText(QRectF(x, 4, room, 18), CENTER, elided_name(line.title, room, CAPTION, True))
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        count, total = self._members[line.key], self.total(line.key)
        painter.drawText(QRectF(x, 22, room, 16), CENTER, elided(tr(f"{count} 人 · 合计 {total}", f"{count} · sum {total}"), room, CAPTION))
        share = self.share(self._rows[row].key, line.key)
        if share is not None:
            painter.setPen(color("accent" if column == at else "quiet"))
            words = f" {share:.1%}"
            who = elided(self._rows[row].title, int(room - width_of(words, CAPTION)), CAPTION)
            painter.drawText(QRectF(x, 39, room, 16), CENTER, who + words)


_STEPS = {
    Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_PageUp: (-1, 0), Qt.Key.Key_PageDown: (1, 0),
}  # fmt: skip
_PAGES = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
