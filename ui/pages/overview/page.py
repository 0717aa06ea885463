"""全局监控: the store's numbers of this moment, their day as curves, and what needs a person now.

Three reads with three paces: the numbers on every notice, the needs at most once a second, the curves every few seconds and when a
five-minute slot ends. Ages run on the page's own second, without a read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from app.domain.language import tr
from app.domain.localtime import SLOT_MS, LocalTime, day_date
from app.domain.metrics import METRICS, OVERVIEW_TILES, label_on
from ui.pages.overview.filters import OverviewFilters
from ui.pages.overview.lines import CURVED, STEPS, TABS, chart_data, spark_line, tab_label
from ui.pages.overview.needs import WIDTH as LIST_WIDTH
from ui.pages.overview.needs import NeedsCard
from ui.pages.overview.sizes import desk_size, wall_size
from ui.pages.overview.throttle import Throttle
from ui.pages.overview.tiles import tile_data
from ui.pages.registry import PAGES, Page, PageContext
from ui.runtime.feed import PACES, Quality
from ui.theme import SPACE_4, SPACE_6
from ui.widgets.chart import ChartCard
from ui.widgets.empty import EmptyState
from ui.widgets.metric_text import ago_text
from ui.widgets.tile_grid import TileGrid

if TYPE_CHECKING:
    from app.services.live import Curves, Need, Overview

NUMBERS_GAP_MS, NEEDS_GAP_MS, CURVES_GAP_MS = 100, 1_000, 3_000
QUIET_SECONDS = 5
"""Without any notice, numbers and needs are read again this often: waits grow and pending sessions fall due by time alone."""
_SPARK_STEP = 30
_SLOT_MINUTES = SLOT_MS // 60_000
_COUNTED = frozenset({"sessions", "presence", "orders", "visitors", "agents"})
_NEEDY = frozenset({"sessions", "presence", "agents"})


class OverviewPage(Page):
    """State: the tiles in order (absent while they are the default), the chart's tab and step, the group's code, the pace."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._local = LocalTime(context.store.zone)
        self._overview: Overview | None = None
        self._lines: dict[str, tuple[float | None, ...]] = {}
        self._groups: dict[str, int] = {}
        self._group = ""
        self._stale = ""
        self._wall = False
        self._seconds = 0
        self._slot = 0

        self.grid = TileGrid([(key, label_on("overview", key)) for key in OVERVIEW_TILES], parent=self)
        self.grid.order_changed.connect(self._on_order)
        self.grid.opened.connect(self._open_metric)
        self.chart = ChartCard([(tab, tab_label(tab)) for tab in TABS], STEPS, parent=self)
        self.chart.set_step(str(_SPARK_STEP))
        self.chart.tab_chosen.connect(self._on_chart)
        self.chart.step_chosen.connect(self._on_chart)
        self.needs = NeedsCard(self)
        self.needs.opened.connect(self._open_need)
        self._filters = OverviewFilters(self.grid, self)
        self._filters.hide()  # until the shell takes it
        self._filters.group_chosen.connect(self._on_group)
        self._filters.pace_chosen.connect(self._on_pace)
        self._empty = self._nothing_yet()
        self._empty.acted.connect(self._copy_command)
        self._lay_out()

        self._read_numbers = Throttle(self._ask_numbers, NUMBERS_GAP_MS, self)
        self._read_needs = Throttle(self._ask_needs, NEEDS_GAP_MS, self)
        self._read_curves = Throttle(self._ask_curves, CURVES_GAP_MS, self)
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._on_tick)

    def _lay_out(self) -> None:
        self._content = QWidget()
        self._content.setObjectName("scrolled")
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_6)
        self._column.setSpacing(SPACE_4)
        self._column.addWidget(self.grid)
        self._row = QHBoxLayout()
        self._row.setSpacing(SPACE_4)
        self._row.addWidget(self.chart, 1)
        self._row.addWidget(self.needs)
        self._column.addLayout(self._row, 1)
        self.chart.setMinimumHeight(240)
        self.needs.setMinimumHeight(200)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._content)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._scroll)
        self._stack.addWidget(self._empty)

    # -- hooks --

    def _nothing_yet(self) -> EmptyState:
        preparing = self.context.preparing()
        if preparing is not None:
            return EmptyState("overview", *preparing, parent=self)
        return EmptyState(
            "overview",
            tr("店铺里还没有数据", "This store has no data yet"),
            tr("数据源送来客服、访客或会话后，数字会自动出现。可以用 ingest 命令写入事件文件，或用 demo 命令打开演示店铺。",
               "Numbers appear by themselves once a source sends agents, visitors or sessions. Feed a file of events with the ingest "
               "command, or open a demo store with the demo command."),
            tr("复制写入命令", "Copy the ingest command"),
            parent=self,
        )  # fmt: skip

    def filters(self) -> QWidget:
        return self._filters

    def activate(self) -> None:
        self._tick.start()

    def deactivate(self) -> None:
        self._tick.stop()
        for read in (self._read_numbers, self._read_needs, self._read_curves):
            read.stop()

    def refresh(self) -> None:
        self._read_numbers.now()
        self._read_needs.now()
        self._read_curves.now()

    def on_notice(self, topics: frozenset[str]) -> None:
        if topics & _COUNTED:
            self._read_numbers.ask()
            self._read_curves.ask()
        if topics & _NEEDY:
            self._read_needs.ask()

    def on_quality(self, quality: Quality) -> None:
        self._filters.set_pace(self.context.feed.pace)  # the shell can pause too
        # "connecting" is the first second of a window: what was just read is not old.
        stale = "" if quality.fresh or quality.state == "connecting" else ago_text(quality.age)
        if stale != self._stale:
            self._stale = stale
            self.needs.set_stale(bool(stale))
            self.chart.set_stale(bool(stale))
            self._show_numbers()

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = {"chart": self.chart.tab(), "step": self.chart.step(), "group": self._group}
        if self.grid.order() != list(OVERVIEW_TILES):
            found["tiles"] = self.grid.order()
        if self.context.feed.pace:
            found["pace"] = self.context.feed.pace
        return found

    def restore(self, state: dict[str, Any]) -> None:
        tiles, tab, step, group, pace = (state.get(key) for key in ("tiles", "chart", "step", "group", "pace"))
        if isinstance(tiles, list):
            self.grid.set_order([key for key in tiles if isinstance(key, str)])
        if isinstance(tab, str):
            self.chart.set_tab(tab)
        if step in dict(STEPS):
            self.chart.set_step(str(step))
        if isinstance(group, str):
            self._group = group
        # A pause is for the moment: nobody wants to come back to a window that stands still.
        if pace in PACES and pace and self.context.feed.pace == 0:
            self.context.feed.set_pace(pace)
        self._fit()

    def export(self) -> None:
        """The tiles shown, in their order."""
        from app.services.reports import Question
        from ui.exporting import export

        question = Question("live", group=self._group or None, metrics=tuple(self.grid.order()))
        reports, store = self.context.workspace.reports, self.context.store
        name = f"{tr('全局监控', 'Overview')} {self._local.local(self.context.clock()):%Y-%m-%d %H%M}"
        export(self.context, self, name, lambda: reports.ask(store, question))

    def focus_filter(self) -> None:
        self._filters.group.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def set_wallboard(self, on: bool) -> None:
        self._wall = on
        self._content.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, on)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if on else Qt.FocusPolicy.NoFocus)
        if on:
            self.setFocus()
        # On a wall the list stands beside the tiles, at full height, and the sparklines stand for the chart.
        self.chart.setVisible(not on)
        self._column.setDirection(QVBoxLayout.Direction.LeftToRight if on else QVBoxLayout.Direction.TopToBottom)
        self._column.setAlignment(self.grid, Qt.AlignmentFlag.AlignTop if on else Qt.AlignmentFlag(0))
        self._column.setStretch(0, int(on))
        self._column.setStretch(1, int(not on))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # -- reading --

    def _ask_numbers(self) -> None:
        live, store, group = self.context.workspace.live, self.context.store, self._groups.get(self._group)
        self.read("numbers", lambda: live.overview(store, group), lambda overview: self._on_numbers(overview, group), self._group)

    def _ask_needs(self) -> None:
        if not self._group_settled():
            return
        live, store, group = self.context.workspace.live, self.context.store, self._groups.get(self._group)
        self.read("needs", lambda: live.needs(store, group), self._on_needs, self._group)

    def _ask_curves(self) -> None:
        if not self._group_settled():
            return
        live, store, group = self.context.workspace.live, self.context.store, self._groups.get(self._group)
        keys, step = TABS[self.chart.tab()], int(self.chart.step())

        def answer() -> tuple[Curves, Curves]:
            sparks = live.curves(store, CURVED, _SPARK_STEP, group)
            return sparks, sparks if step == _SPARK_STEP else live.curves(store, keys, step, group)

        self.read("curves", answer, self._on_curves, (self._group, keys, step))

    def _group_settled(self) -> bool:
        """Whether the remembered group's id is known; the first answer brings it."""
        return not self._group or self._group in self._groups

    def _on_numbers(self, overview: Overview, group: int | None) -> None:
        self._read_numbers.answered()
        self._groups = {info.code: info.id for info in overview.groups}
        if self._group not in self._groups:
            self._group = ""
        self._filters.set_groups(overview.groups, self._group)
        if group != self._groups.get(self._group):
            self.refresh()
            return
        self._overview = overview
        self._filters.set_as_of(f"{self._local.local(overview.at):%H:%M:%S}" if self.context.feed.pace else "")
        empty = group is None and overview.yesterday is None and overview.week_ago is None and not any(overview.numbers.values())
        shown: QWidget = self._empty if empty else self._scroll
        if self._stack.currentWidget() is not shown:
            self._stack.setCurrentWidget(shown)
        self._show_numbers()

    def _on_needs(self, needs: list[Need]) -> None:
        self._read_needs.answered()
        self.needs.set_needs(needs, self.context.clock())

    def _on_curves(self, curves: tuple[Curves, Curves]) -> None:
        self._read_curves.answered()
        sparks, shown = curves
        day, slot = self._local.day_slot(self.context.clock())
        self.chart.set_series(chart_data(self.chart.tab(), shown, slot * _SLOT_MINUTES, day_date(day)))
        self._lines = {key: spark_line(key, sparks, slot * _SLOT_MINUTES) for key in CURVED}
        self._show_numbers()

    def _show_numbers(self) -> None:
        if (overview := self._overview) is not None:
            self.grid.set_data({key: tile_data(overview, key, self._lines.get(key, ()), self._stale) for key in self.grid.order()})

    def _on_tick(self) -> None:
        self._seconds += 1
        now = self.context.clock()
        self.needs.tick(now)
        feed = self.context.feed
        if feed.quality.state not in ("live", "connecting"):
            return
        if (slot := now // SLOT_MS) != self._slot:
            self._slot = slot
            self._read_curves.ask()
        if self._seconds % max(QUIET_SECONDS, round(feed.pace or 0)) == 0:
            self._read_numbers.ask()
            self._read_needs.ask()

    # -- what the person does --

    def _on_order(self) -> None:
        self._fit()
        self._show_numbers()
        self.state_changed.emit()

    def _on_chart(self) -> None:
        self._read_curves.now()
        self.state_changed.emit()

    def _on_group(self, code: str) -> None:
        self._group = code
        self.refresh()
        self.state_changed.emit()

    def _on_pace(self, pace: float | None) -> None:
        self.context.feed.set_pace(pace)
        self.state_changed.emit()

    def _open_metric(self, key: str) -> None:
        """A number of this moment has no curve: it opens the seats it counts."""
        if METRICS[key].live:
            self.context.navigate("seats", {})
            return
        self.chart.set_tab(key)
        self._scroll.ensureWidgetVisible(self.chart)
        self._on_chart()

    def _open_need(self, need: Need) -> None:
        if need.kind == "uncovered" and PAGES["leave"].factory is not None:
            self.context.navigate("leave", {})
            return
        about = {"agent": need.agent, "session": need.session}
        self.context.navigate("seats", {name: code for name, code in about.items() if code is not None})

    def _copy_command(self) -> None:
        path = self.context.workspace.database.path
        where = f'"{path}"' if path is not None else "URL"
        QGuiApplication.clipboard().setText(f"python main.py ingest events.ndjson --db {where} --store {self.context.store.code}")
        told = tr("已复制。请把 events.ndjson 换成你的事件文件。", "Copied. Put your own file in place of events.ndjson.")
        self.context.toast(told, "good")

    # -- size --

    def _fit(self) -> None:
        """Let tiles, chart and list share the room there is."""
        width, height = self.width() - 2 * SPACE_6, self.height() - 2 * SPACE_6
        tiles = len(self.grid.order())
        size = wall_size(width, height, tiles, LIST_WIDTH) if self._wall else desk_size(width, height, tiles)
        self.grid.set_size(size.scale, size.dense)
        self.needs.set_size(size.list_scale)
