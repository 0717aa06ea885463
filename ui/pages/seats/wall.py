"""The seats for a wall: large type, nothing to click, the worst on top."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.domain.language import tr
from app.domain.metrics import METRICS, label_on
from ui.pages.seats.lines import Picture, aged
from ui.theme import CAPTION, color, font, level_color
from ui.widgets.metric_text import unit_of
from ui.widgets.paint import LEFT, RIGHT, elided, level_mark, width_of
from ui.widgets.table_header import wrapped
from ui.widgets.table_model import Cell, Cells
from ui.widgets.timeline import STATES

WALL_METRICS = ("active", "saturation", "waiting", "longest_wait", "consults", "answer_rate", "reply_30s_rate", "satisfaction")
_MATTER = ("longest_wait", "saturation", "waiting", "reply_30s_rate", "satisfaction", "active", "answer_rate", "consults")
"""Where there is no room for all columns, the last of these go first."""
_USUAL: dict[str, str] = {"n": "9,999", "%": "100.0%", "s": "9,999.9"}
_MOST_ROWS, _LEAST_ROW, _HIGHEST = 14, 44, 84
_MARGIN = 32
# A person can do something now about a customer who waits and an agent who is full; a rate is what has become of the day.
_WEIGHT = {"alarm": 10, "warn": 1}
_NOW, _DAY = 100, 1


@dataclass(frozen=True, slots=True)
class _Place:
    x: int
    width: int


def severity(cells: Cells) -> tuple[int, float]:
    """How much a seat needs somebody: what is wrong now before what was, alarms before warnings, then the longest wait."""
    levels = sum(_WEIGHT.get(cells[key].level, 0) * (_NOW if METRICS[key].live else _DAY) for key in WALL_METRICS)
    wait = cells["longest_wait"].value
    # The cell is sorted by minus the moment the wait began.
    return levels, wait if isinstance(wait, int | float) else float("-inf")


class SeatWall(QWidget):
    """Shows as many of the seats that are not offline as there is room for; a line at the foot tells how many are not shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Cells] = []
        self._total: Cells = {}
        self._is_stale = False
        self.setAccessibleName(tr("坐席大屏", "Seats wallboard"))

    def show_picture(self, picture: Picture, now: int) -> None:
        rows = [aged(line, now, picture.seats.settings.metrics) for line in picture.lines if line.state != "offline"]
        rows.sort(key=severity, reverse=True)
        total = aged(picture.total, now, picture.seats.settings.metrics)
        if (rows, total) != (self._rows, self._total):
            self._rows, self._total = rows, total
            self.update()

    def set_stale(self, stale: bool) -> None:
        self._is_stale = stale
        self.update()

    def names(self) -> list[str]:
        """The agents shown, the worst first."""
        return [cells["agent"].text for cells in self._rows[: self._room()[1]]]

    def _room(self) -> tuple[int, int]:
        """(height of a row, rows of agents); titles and total take two rows, the foot half of one."""
        height = self.height() - _MARGIN
        row = max(_LEAST_ROW, min(_HIGHEST, int(height / (min(len(self._rows), _MOST_ROWS) + 2.5))))
        return row, max(0, min(len(self._rows), int(height / row - 2.5)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._total:
            return
        row, count = self._room()
        places = self._places(row)
        self._titles(painter, places, QRect(0, _MARGIN // 2, self.width(), row))
        y = _MARGIN // 2 + row
        painter.fillRect(QRect(_MARGIN // 2, y, self.width() - _MARGIN, row), color("surface"))
        self._row(painter, places, self._total, y, row, strong=True)
        y += row
        for cells in self._rows[:count]:
            self._row(painter, places, cells, y, row)
            painter.fillRect(QRect(_MARGIN // 2, y + row - 1, self.width() - _MARGIN, 1), color("border"))
            y += row
        if more := len(self._rows) - count:
            painter.setFont(font(row // 3))
            painter.setPen(color("quiet"))
            words = tr(f"另有 {more} 位客服，情况更好", f"{more} more agents, doing better")
            painter.drawText(QRect(_MARGIN, y, self.width() - 2 * _MARGIN, row // 2 + 4), LEFT, words)
        elif not self._rows:
            painter.setFont(font(row // 2))
            painter.setPen(color("quiet"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("现在没有客服在线", "Nobody is online now"))

    def _places(self, row: int) -> dict[str, _Place]:
        """Every column gets what it needs and its share of what is left; the least important stay away where there is too little."""
        size, caption = _sizes(row)
        room = self.width() - 2 * _MARGIN
        needs = {
            "agent": max(width_of(cells["agent"].text, size, True) for cells in (self._total, *self._rows[: self._room()[1]])),
            "state": size + max(width_of(str(word), size) for word, _, _ in STATES.values()) + width_of("23:59:59", int(size * 0.7)),
        }
        needs["agent"] = min(needs["agent"], room * 0.25)
        for key in WALL_METRICS:
            titles = max(width_of(line, caption) for line in _title_lines(key))
            figure = width_of(_USUAL[METRICS[key].unit], size, True) + size * (0.75 if METRICS[key].warn is not None else 0)
            needs[key] = max(titles, figure + (4 * size if key == "saturation" else 0))
        gap = size
        for key in reversed(_MATTER):
            if sum(needs.values()) + gap * len(needs) <= room:
                break
            del needs[key]
        spare = max(float(gap), (room - sum(needs.values())) / len(needs))
        found, x = {}, float(_MARGIN)
        for key, need in needs.items():
            wide = need + spare
            found[key] = _Place(round(x), round(wide - gap))
            x += wide
        return found

    def _titles(self, painter: QPainter, places: dict[str, _Place], rect: QRect) -> None:
        _, caption = _sizes(rect.height())
        painter.setFont(font(caption))
        painter.setPen(color("quiet"))
        for key, place in places.items():
            side = LEFT if key in ("agent", "state") else RIGHT
            lines = _title_lines(key)
            one = " ".join(lines) if all(line.isascii() for line in lines) else "".join(lines)
            text = one if width_of(one, caption) <= place.width else "\n".join(lines)
            painter.drawText(QRect(place.x, rect.y(), place.width, rect.height()), side, text)

    def _row(self, painter: QPainter, places: dict[str, _Place], cells: Cells, y: int, row: int, strong: bool = False) -> None:
        size, _ = _sizes(row)
        for key, place in places.items():
            cell = cells.get(key)
            if cell is None:
                continue
            box = QRect(place.x, y, place.width, row)
            if key == "agent":
                self._text(painter, box, cell.text, size, strong, self._ink("text"), LEFT)
            elif key == "state":
                self._state(painter, box, cell, size)
            else:
                self._figure(painter, box, cell, size, strong, key == "saturation")

    def _state(self, painter: QPainter, box: QRect, cell: Cell, size: int) -> None:
        ink = self._ink_of(cell.level)
        painter.setPen(QPen(ink, 2))
        painter.setBrush(ink if cell.level != "quiet" else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(box.x() + size * 0.25, _middle(box, size)), size * 0.2, size * 0.2)
        shift = int(size * 0.75)
        self._text(painter, box.adjusted(shift, 0, 0, 0), cell.text, size, False, self._ink("text"), LEFT)
        shift += int(width_of(cell.text, size)) + size // 3
        self._text(painter, box.adjusted(shift, 0, 0, 0), cell.detail, int(size * 0.7), False, self._ink("quiet"), LEFT)

    def _figure(self, painter: QPainter, box: QRect, cell: Cell, size: int, strong: bool, bar: bool) -> None:
        ink = self._ink("quiet") if cell.text == "--" else self._ink_of(cell.level)
        taken = width_of(cell.text, size, strong)
        self._text(painter, box, cell.text, size, strong, ink, RIGHT)
        left = box.right() - taken - size * 0.75
        if cell.level in ("warn", "alarm") and left >= box.x():
            level_mark(painter, left, _middle(box, size), cell.level, self._ink_of(cell.level), size * 0.5)
        if bar and isinstance(cell.value, int | float):
            long = box.width() - width_of("100.0%", size, strong) - size
            if long > 2 * size:
                track = QRectF(box.x() + size * 0.4, _middle(box, size) - size * 0.14, long - size * 0.4, size * 0.28)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color("track"))
                painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
                track.setWidth(max(track.height(), track.width() * min(1.0, max(0.0, cell.value))))
                painter.setBrush(self._ink("quiet") if self._is_stale else level_color(cell.level, "accent"))
                if cell.value > 0:
                    painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)

    def _text(self, painter: QPainter, box: QRect, text: str, size: int, strong: bool, ink: QColor, side: Qt.AlignmentFlag) -> None:
        if box.width() < size:
            return
        painter.setFont(font(size, strong))
        painter.setPen(ink)
        painter.drawText(box, side, elided(text, box.width(), size, strong))

    def _ink(self, role: str) -> QColor:
        return color("quiet") if self._is_stale or role == "quiet" else color("text")

    def _ink_of(self, level: str) -> QColor:
        return color("quiet") if self._is_stale else level_color(level)


def _sizes(row: int) -> tuple[int, int]:
    """Pixels of figures and of titles in a row of this height."""
    return int(row * 0.46), max(15, int(row * 0.3))


def _middle(box: QRect, size: int) -> float:
    """Where the middle of the letters is seen: a little below that of the line."""
    return box.y() + box.height() / 2 + size * 0.04


def _title_lines(key: str) -> tuple[str, ...]:
    """A title, broken near its middle where it is long."""
    if key not in METRICS:
        return (tr("客服", "Agent") if key == "agent" else tr("接待状态", "State"),)
    unit = unit_of(METRICS[key])
    label = label_on("seats", key)
    text = f"{label} ({unit})" if unit else str(label)
    lines = wrapped(text, ceil(width_of(text, CAPTION) * 0.62))
    return (text,) if any(line.endswith("…") for line in lines) else lines
