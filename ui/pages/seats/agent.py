"""The drawer's panel of one agent: the day in figures, presence, trend, current sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.metrics import label_on
from ui.pages.seats.giving import GivenStrip, Giving
from ui.pages.seats.lines import state_cell
from ui.pages.seats.sessions import SessionList
from ui.theme import CAPTION, SPACE_1, SPACE_2, SPACE_3, SPACE_4, color, icon
from ui.widgets.buttons import Button, IconButton
from ui.widgets.chart import ChartCard, ChartData, Series
from ui.widgets.figures import Figure, Figures
from ui.widgets.metric_text import clock_text, metric_tooltip, unit_of, with_unit
from ui.widgets.paint import elided, width_of
from ui.widgets.segmented import Segmented
from ui.widgets.table_cells import PADDING, CellPainter
from ui.widgets.table_model import Cell, Column
from ui.widgets.timeline import DAY_MINUTES, PresenceTimeline, Stretch

if TYPE_CHECKING:
    from app.services.live import AgentDay, Curves, Interval, SeatRow

TREND = ("consults", "received", "reply_30s_rate", "avg_reply")
FIGURES = ("active", "waiting", "longest_wait", "consults", "answer_rate", "reply_30s_rate", "satisfaction", "login_hours")
_UNLIMITED = 16_777_215
_LEAST_MINUTES = 240
_TREND_HEIGHT = 208
_TABLE_LEAST = 84
_CAPTION = 32
_SESSIONS_LEAST = 264
"""Pixels of the current sessions with their caption, five of them in sight: where there is less, the trend is shown in their place."""


class AgentPanel(QWidget):
    """Shows one seat; `session_wanted` carries the code of a session to open, `hand_over` that and "agent" or "group"."""

    session_wanted = Signal(str)
    uncovered = Signal()
    """Seen again after a session lay over it."""
    hand_over = Signal(str, str)
    attend_wanted = Signal()
    """Suspend the agent, or resume one who is suspended."""
    record_wanted = Signal()

    def __init__(self, local: LocalTime, can_open: bool, giving: Giving) -> None:
        super().__init__()
        self._local = local
        self._can_open = can_open
        self._day: AgentDay | None = None
        self._seat: SeatRow | None = None
        self._covered = False
        self._state = _StateLine(self)
        self._figures = Figures(self)
        self.timeline = PresenceTimeline(self)
        self.trend = ChartCard([(key, label_on("seats", key)) for key in TREND], parent=self)
        self.trend.tab_chosen.connect(self._draw_trend)
        self.sessions = SessionList(can_open, giving.allowed)
        self.sessions.opened.connect(self._open)
        self.sessions.cell_opened.connect(self._open_cell)
        self.sessions.hand_over.connect(self.hand_over)
        self._allowed = giving.allowed
        self.strip = GivenStrip(giving, parent=self)
        self.attend = Button("", icon_name="suspend", parent=self)
        self.attend.clicked.connect(self.attend_wanted)
        self.record = IconButton("audit", tr("操作记录", "Commands given"), self)
        self.record.clicked.connect(self.record_wanted)
        head = QHBoxLayout()
        head.setSpacing(SPACE_2)
        head.addWidget(self._state, 1)
        for button in (self.attend, self.record):
            button.setVisible(self._allowed)
            head.addWidget(button)
        self._count = QLabel(self)
        self._count.setProperty("look", "caption")
        self._count.setWordWrap(True)
        self.switch = Segmented(
            (("sessions", T("会话", "Sessions")), ("trend", T("趋势", "Trend"))), name=tr("显示", "Show"), parent=self
        )  # fmt: skip
        self.switch.chosen.connect(lambda _: self._fit())
        caption = QHBoxLayout()
        caption.setSpacing(SPACE_2)
        caption.addWidget(self._count, 1)
        caption.addWidget(self.switch)
        caption.addStrut(_CAPTION)
        self._frame = frame = QFrame(self)
        frame.setProperty("look", "card")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(1, SPACE_1, 1, SPACE_1)
        inside.addWidget(self.sessions)
        self.sessions.setMinimumHeight(_TABLE_LEAST)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, 0, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addLayout(head)
        column.addWidget(self._figures)
        column.addWidget(self.timeline)
        column.addLayout(caption)
        column.addWidget(frame, 1)
        column.addWidget(self.strip)
        self._roomy: bool | None = None
        self._fit()

    def show_seat(self, seat: SeatRow | None, now: int) -> None:
        """Another agent: what is known of the seat at once, the rest when the day has been read."""
        self._seat, self._day = seat, None
        self.strip.set_place("" if seat is None else f"agent:{seat.code}")
        self._show_head(now)
        self.timeline.set_stretches(())
        self.trend.set_loading()
        self.sessions.set_unknown()
        self._count.setText(tr("正在读取…", "Reading …"))

    def show_day(self, day: AgentDay) -> None:
        self._seat, self._day = day.seat, day
        self.strip.set_place(f"agent:{day.seat.code}")
        self._show_head(day.at)
        self._show_presence(day)
        self._draw_trend()
        self.sessions.set_sessions(day.open_sessions, day.at)
        count = len(day.open_sessions)
        words = tr(f"进行中的会话 {count}", "1 current session" if count == 1 else f"{count} current sessions")
        if not self._can_open:
            words += tr("。查看聊天记录需要权限，请向管理员申请。", ". Reading transcripts needs a permission: ask an administrator.")
        self._count.setText(words)

    def show_unknown(self) -> None:
        """The store has no such agent, or no longer."""
        self._seat = self._day = None
        self._show_head(0)
        self.sessions.set_unknown()
        self.trend.set_series(ChartData())
        self._count.setText(tr("店铺里没有这个客服，或账号已停用。", "The store has no such agent, or the account is no longer in use."))

    def cover(self) -> None:
        """A session is about to be laid over."""
        self._covered = True

    def tick(self, now: int) -> None:
        """Move the clocks on to `now`, epoch ms."""
        self._state.show_seat(self._seat, now)
        if self._day is not None:
            self.sessions.tick(now)
            self._show_figures(now)

    def set_stale(self, stale: bool) -> None:
        self._state.set_stale(stale)
        self._figures.set_stale(stale)
        self.trend.set_stale(stale)
        self.sessions.set_stale(stale)

    def take_keyboard(self) -> None:
        if self.sessions.current_id() is None and self.sessions.rows().rowCount():
            self.sessions.select(self.sessions.rows().row_id(0))
        self.sessions.setFocus()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        """The trend above the sessions where there is room for both, else one of them. What is told of a command takes none of it: it
        comes beneath the list, whose rows stay where they are.
        """
        taken = sum(widget.sizeHint().height() + SPACE_3 for widget in (self.attend, self._figures, self.timeline))
        roomy = self.height() - taken - _SESSIONS_LEAST - SPACE_4 >= _TREND_HEIGHT + SPACE_3
        if roomy != self._roomy:
            self._roomy = roomy
            self.trend.setMinimumHeight(_TREND_HEIGHT)
            self.trend.setMaximumHeight(_TREND_HEIGHT if roomy else _UNLIMITED)
            self._column.removeWidget(self.trend)
            self._column.insertWidget(3 if roomy else 4, self.trend, 0 if roomy else 1)
        self.switch.setHidden(roomy)
        self.trend.setVisible(roomy or self.switch.value() == "trend")
        self._frame.setVisible(roomy or self.switch.value() == "sessions")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._covered:
            self._covered = False
            self.uncovered.emit()

    @property
    def seat(self) -> SeatRow | None:
        return self._seat

    def _open_cell(self, code: object, key: str) -> None:
        if key == "move":
            self.hand_over.emit(str(code), "agent")
        else:
            self._open(code)

    def _show_attend(self) -> None:
        """What can be done about the agent now."""
        state = None if self._seat is None else self._seat.state
        suspended = state == "suspended"
        self.attend.setText(tr("恢复接待", "Resume") if suspended else tr("挂起", "Suspend"))
        self.attend.setIcon(icon("resume" if suspended else "suspend", "text"))
        self.attend.setEnabled(state not in (None, "offline"))
        self.attend.setToolTip(tr("离线，无需挂起", "Offline: nothing to suspend") if state == "offline" else "")
        self.attend.setAccessibleDescription("" if self._seat is None else self._seat.name)

    def _open(self, code: object) -> None:
        if self._can_open:
            self.session_wanted.emit(str(code))

    def _show_head(self, now: int) -> None:
        self._state.show_seat(self._seat, now)
        self._show_attend()
        self._show_figures(now)

    def _show_figures(self, now: int) -> None:
        if self._day is None:
            self._figures.set_figures([Figure(str(label_on("seats", key)), "--") for key in FIGURES])
            return
        numbers = dict(self._day.seat.numbers)
        if "longest_wait_ms" in numbers:
            numbers["longest_wait_ms"] += max(0, now - self._day.at)
        found = []
        settings = self._day.curves.settings
        metrics = settings.metrics
        for key in FIGURES:
            metric = metrics[key]
            value = metric.value(numbers, settings.window, pending=True)
            text, unit = metric.text(value), unit_of(metric)
            level = metric.level(value)
            if key == "active" and self._day.seat.capacity is not None:
                # The cap stands beside it, and the colour is that of the saturation.
                unit = f"/ {self._day.seat.capacity}"
                level = metrics["saturation"].level(metrics["saturation"].value(numbers))
            elif key == "longest_wait" and isinstance(value, float):
                text, unit = clock_text(round(value * 1000)), ""
            tooltip = metric_tooltip(metric, numbers, settings.window, pending=True)
            found.append(Figure(str(label_on("seats", key)), text, unit, level, tooltip))
        self._figures.set_figures(found)

    def _show_presence(self, day: AgentDay) -> None:
        stretches = [Stretch(self._minute(part.start, day), self._minute(part.end, day), part.state) for part in day.presence]
        self.timeline.set_stretches(stretches, *_hours(day.presence, stretches))

    def _minute(self, at: int, day: AgentDay) -> float:
        if at >= day.day_end:
            return DAY_MINUTES
        local = self._local.local(at)
        return local.hour * 60 + local.minute + local.second / 60

    def _draw_trend(self) -> None:
        if self._day is not None:
            self.trend.set_series(_chart(self._day.curves, self.trend.tab()))


def _hours(presence: list[Interval], stretches: list[Stretch]) -> tuple[int, int]:
    """The part of the day worth showing, in minutes: whole hours around the time the agent was there, some at least."""
    there = [stretch for part, stretch in zip(presence, stretches, strict=True) if part.state != "offline"]
    if not there:
        return 0, DAY_MINUTES
    first = int(there[0].start // 60) * 60
    last = min(DAY_MINUTES, max(int(-(-stretches[-1].end // 60)) * 60, first + _LEAST_MINUTES))
    return min(first, last - _LEAST_MINUTES), last


def _chart(curves: Curves, key: str) -> ChartData:
    metric = curves.settings.metrics[key]
    series = [Series(tr("今日", "Today"), curves.today[key])]
    if any(value is not None for value in curves.yesterday[key]):
        series.append(Series(tr("昨日", "Yesterday"), curves.yesterday[key], "compare"))
    if curves.usual_days:
        series.append(Series(tr("平时", "Usual"), curves.usual[key], "mean"))
    warn = metric.warn
    return ChartData(
        series,
        curves.minutes,
        format=lambda value: with_unit(metric, value),
        threshold=None if warn is None else warn / 100 if metric.unit == "%" else warn,
        threshold_name="" if warn is None else with_unit(metric, warn / 100 if metric.unit == "%" else float(warn)),
    )


class _StateLine(QWidget):
    """Dot, word and age of the state; team and code at the right."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._cell, self._beside, self._stale = Cell(), "", False
        self.setFixedHeight(22)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_seat(self, seat: SeatRow | None, now: int) -> None:
        cell, beside = Cell(), ""
        if seat is not None:
            cell = state_cell(seat.state, seat.state_since, now)
            beside = " · ".join(part for part in (seat.team, seat.code) if part)
        if (cell, beside) != (self._cell, self._beside):
            self._cell, self._beside = cell, beside
            self.setAccessibleName(f"{cell.text} {cell.detail} {beside}")
            self.update()

    def set_stale(self, stale: bool) -> None:
        self._stale = stale
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        pen = CellPainter(QPainter(self))
        pen.faded = self._stale
        half = self.width() // 2
        pen.cell(_STATE, self._cell, -PADDING, 0, half + 2 * PADDING, self.height())
        beside = elided(self._beside, half - PADDING, CAPTION)
        pen.text(self.width() - width_of(beside, CAPTION), 0, self.height(), beside, color("quiet"), CAPTION)


_STATE = Column("state", "", "state")
