"""The page: one table of all seats, its filters, the drawer of one seat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import T, tr
from app.domain.metrics import METRICS, Numbers
from ui.pages.registry import Page, PageContext
from ui.pages.seats.columns import columns
from ui.pages.seats.detail import Detail
from ui.pages.seats.empty import Reason, reason
from ui.pages.seats.filters import FilterBar
from ui.pages.seats.giving import GivenStrip
from ui.pages.seats.lines import TOTAL_ID, Filters, Line, LineMaker, Picture, aged
from ui.pages.seats.record import RecordDialog
from ui.pages.seats.wall import WALL_METRICS, SeatWall
from ui.theme import SPACE_2, SPACE_4
from ui.widgets.commands import Command, menu_of
from ui.widgets.drawer import WIDTH as DRAWER_WIDTH
from ui.widgets.empty import EmptyState
from ui.widgets.metric_text import ago_text, metric_tooltip
from ui.widgets.skeleton import Skeleton
from ui.widgets.table import Cells, DataTable, RowId, RowTableModel
from ui.widgets.timeline import STATES

if TYPE_CHECKING:
    from app.services.live import GroupInfo, SeatRow
    from ui.runtime.feed import Quality

TICK_MS = 1000
_IDLE_TICKS = 5
"""Some numbers change by time alone (a session's first 30 s run out, logged-in time): without any notice they are read this often."""
_DOES_NOT_MATTER = frozenset({"clicks", "visitors"})
_NO_GROUP = -1
_ROOM_FOR_TABLE = 360
"""Beside the drawer the table keeps at least this width; where there is less, the drawer lies over it."""


class SeatsPage(Page):
    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._maker = LineMaker()
        self._picture: Picture | None = None
        self._shown: dict[RowId, tuple[Line, Cells]] = {}
        self._total: Cells = {}
        self._reason: Reason | None = None
        self._fresh = False
        self._idle = 0
        self._wanted: str | None = None
        self._bar = FilterBar(Filters(), self)
        self._bar.hide()  # until the shell takes it
        self._rows = RowTableModel(columns(), self)
        self._table = DataTable(self._rows)
        self._table.setAccessibleName(tr("坐席", "Seats"))
        self._table.set_tooltip(self._tooltip)
        self._table.set_placeholder(Skeleton("rows"))
        self._stale = QLabel()
        self._stale.setProperty("look", "warn")
        self._stale.setContentsMargins(SPACE_4, SPACE_2, SPACE_4, SPACE_2)
        self._stale.hide()
        self._wall: SeatWall | None = None
        self._stack = QStackedWidget(self)
        self._detail = Detail(self)
        self._strip = GivenStrip(self._detail.giving, parent=self)
        self._strip.setProperty("look", "foot")
        self._stack.addWidget(_card(self._table, self._stale, self._strip))
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._stack)
        self._make_room()
        self.setFocusProxy(self._table)
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._bar.changed.connect(self._filtered)
        self._bar.left.connect(self._table.setFocus)
        self._bar.columns_wanted.connect(self._show_columns)
        self._table.opened.connect(self._open_row)
        self._table.current_changed.connect(self._follow)
        self._table.row_menu_wanted.connect(self._show_menu)
        self._detail.record_wanted.connect(self._show_record)
        self._table.columns_changed.connect(self._columns_changed)
        self._table.verticalScrollBar().valueChanged.connect(self._age)
        self._detail.changed.connect(self._detail_changed)

    # -- hooks --

    def filters(self) -> QWidget | None:
        return self._bar

    def activate(self) -> None:
        self._timer.start()

    def deactivate(self) -> None:
        self._timer.stop()

    def refresh(self) -> None:
        self._ask()
        self._detail.refresh()

    def on_notice(self, topics: frozenset[str]) -> None:
        if topics - _DOES_NOT_MATTER:
            self._ask()
            self._detail.on_notice(topics)

    def on_quality(self, quality: Quality) -> None:
        self._fresh = quality.fresh
        self._table.set_stale(not quality.fresh)
        self._detail.set_stale(not quality.fresh)
        if self._wall is not None:
            self._wall.set_stale(not quality.fresh)
        self._stale.setText(tr(f"数字停在 {ago_text(quality.age)}", f"These numbers are from {ago_text(quality.age)}"))
        self._stale.setVisible(not quality.fresh and self._picture is not None)

    def state(self) -> dict[str, Any]:
        return {"filters": asdict(self._bar.filters()), "table": self._table.columns_state()}

    def restore(self, state: dict[str, Any]) -> None:
        kept, known = state.get("filters"), asdict(Filters())
        if isinstance(kept, dict):
            fitting = {key: kept[key] for key, value in known.items() if type(kept.get(key)) is type(value)}
            self._bar.set_filters(replace(Filters(), **fitting))
        table = state.get("table")
        if isinstance(table, dict):
            self._table.restore_columns(table)

    def open_at(self, where: dict[str, Any]) -> None:
        agent, session = where.get("agent"), where.get("session")
        if isinstance(agent, str):
            self._wanted = agent
            self._detail.open_agent(agent, self._seat(agent))
            self._select_wanted()
        if isinstance(session, str):
            self._detail.open_session(session)

    def export(self) -> None:
        """The seats shown, with the columns shown."""
        from app.services.reports import Question
        from ui.exporting import export

        picture, filters = self._picture, self._bar.filters()
        if picture is None or not picture.lines:
            self.context.toast(tr("现在没有可导出的数据。", "There is nothing to export now."), "info")
            return
        question = Question(
            "seats", group=filters.group or None, team=filters.team or None,
            agents=tuple(line.code for line in picture.lines) if filters.text or not filters.everyone else (),
            metrics=tuple(key for key in self._table.shown_columns() if key in METRICS),
        )  # fmt: skip
        reports, store = self.context.workspace.reports, self.context.store
        name = f"{tr('坐席监控', 'Seats')} {self.context.workspace.local(store).local(self.context.clock()):%Y-%m-%d %H%M}"
        export(self.context, self, name, lambda: reports.ask(store, question))

    def commands(self) -> list[Command]:
        """Of the session and the agent that are open, else of the agent whose row is chosen."""
        chosen = self._detail.agent or str(self._table.current_id() or "")
        return [*self._detail.commands(), *self._of_seat(chosen)]

    def focus_filter(self) -> None:
        self._bar.search.take()

    def set_wallboard(self, on: bool) -> None:
        if on == (self._wall is not None):
            return
        if on:
            self._detail.close()
            self._wall = SeatWall(self)
            self._stack.addWidget(self._wall)
            self._stack.setCurrentWidget(self._wall)
            self._wall.set_stale(not self._fresh)
            self._show_wall()
        elif self._wall is not None:
            self._stack.removeWidget(self._wall)
            self._wall.deleteLater()
            self._wall = None
        self._make_room()

    @property
    def breadcrumb(self) -> tuple[str, ...]:
        return self._detail.path

    # -- reading --

    def _ask(self) -> None:
        filters, maker = self._bar.filters(), self._maker
        workspace, store = self.context.workspace, self.context.store
        groups = [] if self._picture is None else self._picture.seats.groups
        keys = self._keys()
        percentiles = any(METRICS[key].percentile is not None for key in keys)
        self._idle = 0

        def ask() -> Picture:
            group = _id_of(filters.group, groups)
            if filters.group and group is None:
                # Remembered from before, or new: the store is asked which groups it has. One it does not have holds nobody.
                group = _id_of(filters.group, workspace.live.seats(store).groups) or _NO_GROUP
            return maker.picture(workspace.live.seats(store, group, percentiles=percentiles), filters, keys)

        self.read("seats", ask, self._take, (filters, keys))

    def _keys(self) -> frozenset[str]:
        """The metrics that are looked at: those of the columns shown, of the one the table is sorted by, and of the wall."""
        return frozenset({*self._table.shown_columns(), self._rows.sort_state()[0], *WALL_METRICS} & METRICS.keys())

    def _columns_changed(self) -> None:
        self.state_changed.emit()
        self._ask()

    def _filtered(self) -> None:
        """Other filters: at once from what is here, then with fresh numbers."""
        held, filters, maker, keys = self._picture, self._bar.filters(), self._maker, self._keys()
        if held is not None and held.filters.group == filters.group:
            self.context.operations.latest(
                self, "filter", lambda: maker.picture(held.seats, filters, keys), self._take, self._on_failed, filters
            )  # fmt: skip
        self._ask()
        self.state_changed.emit()

    def _take(self, picture: Picture) -> None:
        held = self._picture
        if picture.filters != self._bar.filters():
            return
        if held is not None and held.filters == picture.filters and held.seats.at > picture.seats.at:
            return
        self._picture = picture
        self._bar.offer([(group.code, group.name) for group in picture.seats.groups], picture.seats.teams)
        self._show(picture, same_question=held is not None and held.filters == picture.filters)
        self._show_wall()
        self._select_wanted()

    def _show(self, picture: Picture, same_question: bool) -> None:
        now, metrics = self.context.clock(), picture.seats.settings.metrics
        before, self._shown = self._shown, {}
        rows: list[tuple[RowId, Cells]] = []
        for line in picture.lines:
            kept = before.get(line.code)
            if kept is None or kept[0] is not line:
                kept = (line, aged(line, now, metrics))
            self._shown[line.code] = kept
            rows.append((line.code, kept[1]))
        self._say_why(picture)
        self._rows.set_rows(rows, flash=same_question)
        self._show_total(aged(picture.total, now, metrics), flash=same_question)

    def _show_total(self, cells: Cells, flash: bool) -> None:
        if cells != self._total:
            self._total = cells
            self._rows.set_pinned([(TOTAL_ID, cells)], flash)

    def _say_why(self, picture: Picture) -> None:
        why = reason(picture, self.context.preparing())
        if why is not None and why != self._reason:
            empty = EmptyState(why.icon, why.title, why.sentence, why.action)
            empty.acted.connect(self._remedy)
            self._table.set_placeholder(empty)
        self._reason = why

    def _remedy(self) -> None:
        if self._reason is None or self._reason.remedy is None:
            self.refresh()
        else:
            self._bar.set_filters(self._reason.remedy)
            self._filtered()

    # -- time --

    def _tick(self) -> None:
        if not self._fresh:
            return
        self._age()
        self._detail.tick()
        if self._wall is not None:
            self._show_wall()
        self._idle += 1
        if self._idle >= _IDLE_TICKS and self.context.feed.pace == 0:
            self._ask()

    def _age(self) -> None:
        """Move the clocks of the rows in view, and of the total."""
        if self._picture is None or not self._fresh:
            return
        now, metrics = self.context.clock(), self._picture.seats.settings.metrics
        table = self._table
        first = max(0, table.rowAt(0))
        last = table.rowAt(table.viewport().height() - 1)
        older: dict[RowId, Cells] = {}
        for row in range(first, (self._rows.rowCount() - 1 if last < 0 else last) + 1):
            row_id = self._rows.row_id(row)
            if kept := self._shown.get(row_id):
                line, cells = kept
                now_cells = aged(line, now, metrics)
                if any(now_cells[key] != cells.get(key) for key in ("state", "longest_wait")):
                    older[row_id] = now_cells
                    self._shown[row_id] = (line, now_cells)
        if older:
            self._rows.update_rows(older, flash=False)
        self._show_total(aged(self._picture.total, now, metrics), flash=False)

    def _show_wall(self) -> None:
        if self._wall is not None and self._picture is not None:
            self._wall.show_picture(self._picture, self.context.clock())

    # -- one seat --

    def _open_row(self, row_id: RowId) -> None:
        code = str(row_id)
        if self._detail.agent == code:
            self._detail.take_keyboard()
        else:
            self._detail.open_agent(code, self._seat(code))

    def _follow(self, row_id: RowId | None) -> None:
        """The drawer follows the walk from agent to agent; a session that was opened alone stays."""
        if row_id is not None and self._detail.agent and self._detail.agent != row_id:
            self._detail.open_agent(str(row_id), self._seat(str(row_id)))

    def _seat(self, code: str) -> SeatRow | None:
        return None if self._picture is None else self._picture.by_code.get(code)

    def _select_wanted(self) -> None:
        if self._wanted is not None and self._picture is not None:
            code, self._wanted = self._wanted, None
            self._table.select(code)

    def _show_menu(self, row_id: RowId, at: QPoint) -> None:
        code = str(row_id)
        opened = Command("open", T("打开", "Open"), "agent", lambda: self._open_row(code))
        menu_of([opened, *self._of_seat(code)], self).popup(at)

    def _of_seat(self, code: str) -> list[Command]:
        """What may be commanded of an agent."""
        seat = self._seat(code)
        if seat is None or not self._detail.giving.allowed:
            return []
        words, picture = T("挂起…", "Suspend…"), "suspend"
        if seat.state == "suspended":
            words, picture = T("恢复接待…", "Resume…"), "resume"
        idle = tr("离线，无需挂起", "Offline: nothing to suspend") if seat.state == "offline" else ""
        return [
            Command("attend", words, picture, lambda: self._detail.attend(seat), hint=seat.name, why_not=idle),
            Command("record", T("操作记录…", "Commands given…"), "audit", lambda: self._show_record(code), hint=seat.name),
        ]

    def _show_record(self, code: str) -> None:
        if self._picture is not None:
            names = {seat.code: seat.name for seat in self._picture.seats.rows}
            groups = {group.code: group.name for group in self._picture.seats.groups}
            RecordDialog(self.context, code, names, groups, self).open()

    def _detail_changed(self) -> None:
        self._make_room()
        self.breadcrumb_changed.emit()

    def _make_room(self) -> None:
        """The table ends where the drawer begins, so that its last columns can be reached."""
        margin = 0 if self._wall is not None else SPACE_4
        beside = self._detail.is_open and self.width() - DRAWER_WIDTH - 2 * SPACE_4 >= _ROOM_FOR_TABLE
        self._column.setContentsMargins(margin, margin, margin + (DRAWER_WIDTH if beside else 0), margin)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _show_columns(self, at: QPoint) -> None:
        menu = self._table.columns_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(QPoint(at.x() - menu.sizeHint().width(), at.y()))

    def _explained(self, key: str, numbers: Numbers) -> str:
        assert self._picture is not None
        settings = self._picture.seats.settings
        return metric_tooltip(settings.metrics[key], numbers, settings.window, pending=True)

    def _tooltip(self, row_id: RowId, key: str) -> str:
        if row_id == TOTAL_ID and self._picture is not None:
            return self._explained(key, self._picture.numbers) if key in METRICS else ""
        seat = self._seat(str(row_id))
        if seat is None or self._picture is None:
            return ""
        if key in METRICS:
            return self._explained(key, seat.numbers)
        if key == "state":
            word = str(STATES[seat.state][0])
            if seat.state_since is None:
                return word
            since = self.context.workspace.local(self.context.store).local(seat.state_since)
            return tr(f"{word}，自 {since:%m-%d %H:%M:%S}", f"{word} since {since:%m-%d %H:%M:%S}")
        team = tr(f"行政组：{seat.team}", f"Team: {seat.team}") if seat.team else ""
        return "\n".join(part for part in (f"{seat.name} ({seat.code})", team) if part)


def _id_of(code: str, groups: Sequence[GroupInfo]) -> int | None:
    return next((group.id for group in groups if group.code == code), None)


def _card(*widgets: QWidget) -> QFrame:
    card = QFrame()
    card.setProperty("look", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(1, 4, 1, 4)
    column.setSpacing(0)
    for widget in widgets:
        column.addWidget(widget)
    return card
