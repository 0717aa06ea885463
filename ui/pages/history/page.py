"""The history pages: what the report engine declares for a page, as tabs of tables with their charts.

Everything is read and worked out on worker threads. The table shows what was last answered; choices that need no new numbers (order
window, search, sorting) are answered from what is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from PySide6.QtCore import QElapsedTimer, QPoint, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.localtime import day_date
from app.domain.metrics import label_on
from app.domain.terms import POPULATIONS, WINDOWS
from app.services.report_kinds import Kind, tabs
from app.services.reports import Question
from ui.pages.history import empty
from ui.pages.history.chart_panel import ChartPanel
from ui.pages.history.charts import Drawing, draw
from ui.pages.history.choices import Choices, question_of
from ui.pages.history.controls import Footnotes, Toolbar, TopControls
from ui.pages.history.leftovers import Leftovers
from ui.pages.history.names import Reference, read_reference
from ui.pages.history.opening import Place, behind_cell, behind_figure, behind_row
from ui.pages.history.picture import TOTAL_ID, Picture, in_window, picture
from ui.pages.history.table import ReportTable
from ui.pages.history.tables import ReportTables
from ui.pages.registry import Page, PageContext
from ui.runtime.subscribe import subscribe
from ui.theme import SPACE_2, SPACE_3, SPACE_4
from ui.widgets.commands import Command, one_of
from ui.widgets.empty import EmptyState
from ui.widgets.metric_text import ago_text
from ui.widgets.table import RowId
from ui.widgets.table_place import TablePlace, bring_back, place_of

if TYPE_CHECKING:
    from app.services.report_kinds import Population
    from app.services.reports import Report
    from ui.runtime.feed import Quality

LIVE_MS = 2_000
"""With today included, or while earlier days change, the report is read again at most this often."""
_SHARE = 4
"""Where answers come slowly the gap grows with them: reading takes at most a quarter of the time."""
_SHARED = ("history_population", "history_window")


class _Held(NamedTuple):
    """An answer and the question to it, whatever the order window."""

    asked: Question
    report: Report


class HistoryPage(Page):
    """`key` is the page's key among the declared reports; a subclass says it."""

    key = ""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._kinds: dict[str, Kind] = tabs(self.key)
        self._choices = Choices(next(iter(self._kinds)))
        self._reference = Reference()
        self._held: _Held | None = None
        self._due = False
        """Whether what is held is to be read again: until that is answered, nothing asked meanwhile is answered from it."""
        self._shown: tuple[Any, ...] | None = None
        self._drawn: tuple[Any, ...] | None = None
        self._reason: empty.Reason | None = None
        self._returning: TablePlace | None = None
        self._local = context.workspace.local(context.store)
        self._top = TopControls(self)
        self._top.hide()  # until the shell takes it
        one_agent = any(kind.needs_agent for kind in self._kinds.values())
        self._tools = Toolbar([(key, kind.tab) for key, kind in self._kinds.items()], one_agent, self)
        self._notes = Footnotes(self)
        self._stale = QLabel(self)
        self._stale.setProperty("look", "warn")
        self._stale.setContentsMargins(SPACE_4, SPACE_2, SPACE_4, SPACE_2)
        self._stale.hide()
        self._tables = ReportTables(self._kinds, self)
        self.charts = ChartPanel(self)
        self._chart_open = True
        self._lay_out()
        self._leftovers = Leftovers(self)
        self._live = QTimer(self, singleShot=True, interval=LIVE_MS)
        self._live.timeout.connect(self._read_again)
        self._asked = QElapsedTimer()
        self._connect()

    def _lay_out(self) -> None:
        card = QFrame(self)
        card.setProperty("look", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 4, 1, 4)
        inside.setSpacing(0)
        inside.addWidget(self._tables, 1)
        inside.addWidget(self._stale)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_2, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addWidget(self._tools)
        column.addWidget(self.charts)
        column.addWidget(card, 1)
        column.addWidget(self._notes)

    def _connect(self) -> None:
        self._top.period_chosen.connect(lambda period: self._choose(replace(self._choices, period=period)))
        self._top.population_chosen.connect(lambda key: self.context.prefs.put("history_population", key))
        self._top.window_chosen.connect(self._choose_window)
        subscribe(self.context.prefs.changed, self, self._preferred)
        self._tools.changed.connect(self._choose)
        self._tools.chart_toggled.connect(self._open_chart)
        self.charts.wanted.connect(self._chart_chosen)
        self.charts.row_wanted.connect(self._select_row)
        self.charts.figure_wanted.connect(lambda key: self._open_figure(TOTAL_ID, key))
        self.charts.cell_wanted.connect(self._open_cell)
        self._tools.columns_wanted.connect(lambda at: self._table().show_columns(at))
        self._tools.export_wanted.connect(self.export)
        self._tools.save_wanted.connect(self._offer_saving)
        self._tools.left.connect(lambda: self._table().setFocus())
        self._tables.order_wanted.connect(self._ask)
        self._tables.columns_changed.connect(self.state_changed)
        self._tables.cell_opened.connect(self._open_figure)
        self._tables.opened.connect(self._open_row)
        self._tables.current_changed.connect(self._row_current)

    # -- hooks --

    def filters(self) -> QWidget | None:
        return self._top

    def deactivate(self) -> None:
        self._live.stop()

    def refresh(self) -> None:
        context = self.context
        # Not through `read`: names alone are no numbers, and do not make a page work whose numbers cannot be read.
        context.operations.latest(
            self, "names", lambda: read_reference(context.workspace, context.store), self._take_reference, self._on_failed
        )  # fmt: skip
        self._ask(again=True)

    def on_notice(self, topics: frozenset[str]) -> None:
        if "settings" in topics or self._reference.bare:
            self.refresh()
        elif ("past" in topics or self._choices.period.has_today(self._today())) and not self._live.isActive():
            self._live.start()

    def on_quality(self, quality: Quality) -> None:
        stale = not quality.fresh and quality.state != "connecting"
        self._tables.set_stale(stale)
        self.charts.set_stale(stale)
        self._stale.setText(tr(f"数字停在 {ago_text(quality.age)}", f"These numbers are from {ago_text(quality.age)}"))
        self._stale.setVisible(stale and self._held is not None)

    def state(self) -> dict[str, Any]:
        chart = {"open": self._chart_open, **self.charts.state()}
        return {"choices": self._choices.state(), "tables": self._tables.state(), "chart": chart}

    def restore(self, state: dict[str, Any]) -> None:
        kept, tables = state.get("choices"), state.get("tables")
        if isinstance(kept, dict):
            self._choices = replace(self._choices, **self._choices.taken_from(kept, tuple(self._kinds)))
        if isinstance(tables, dict):
            self._tables.restore(tables)
        if isinstance(chart := state.get("chart"), dict):
            self._chart_open = chart.get("open") is not False
            self.charts.restore(chart)
        self._show_choices()

    def open_at(self, where: dict[str, Any]) -> None:
        """`report`, `agent`, `group`, `team`, `channel` as in Choices; `first` and `last` are days in ISO form."""
        changes = self._choices.taken_from({**where, "period": {"preset": "custom", **where}}, tuple(self._kinds))
        plain = replace(self._choices, group="", team="", channel="", text="")  # what is asked for is not hidden by what was chosen before
        self._choose(replace(plain, **changes))

    def place(self) -> object:
        return self._choices, place_of(self._table())

    def return_to(self, place: object) -> None:
        choices, self._returning = cast("tuple[Choices, TablePlace]", place)
        if choices != self._choices:
            self._choose(choices)

    def export(self) -> None:
        from ui.exporting import export

        question = self._question()
        if question is None or self._reason is not None:
            self.context.toast(tr("现在没有可导出的数据。", "There is nothing to export now."), "info")
            return
        found = self._table().picture
        wanted = replace(question, metrics=self._table().metric_keys())
        if found is not None and found.text:
            wanted = replace(wanted, agents=tuple(dict.fromkeys(found.report.rows.heads())))
        reports, store = self.context.workspace.reports, self.context.store
        days = f"{wanted.first} {wanted.last}" if wanted.first != wanted.last else f"{wanted.first}"
        export(self.context, self, f"{self._kind().title} {days}", lambda: reports.read(store, wanted))

    def save_report(self) -> None:
        """Keep what is asked, with its period as it is said."""
        from app.services.saved import Body
        from ui.saving import SaveDialog

        question = self._question()
        if question is None:
            self.context.toast(tr("现在没有可保存的报表。", "There is no report to save now."), "info")
            return
        body = Body.of(replace(question, metrics=self._table().metric_keys()), self._choices.period)
        SaveDialog(self.context, body, str(self._kind().title), self).open()

    def _offer_saving(self, at: QPoint) -> None:
        from ui.saving import offer_saving

        offer_saving(self.context, self, at, self.save_report)

    def commands(self) -> list[Command]:
        from ui.saving import save_command

        prefs = self.context.prefs
        found = [save_command(self.context, self.save_report)]
        if self._kind().population is None:
            found += one_of("population", T("口径", "Population"), "clock", POPULATIONS, self._population(),
                            lambda key: prefs.put("history_population", key))  # fmt: skip
        return found + one_of("window", T("订单时效", "Order window"), "window", WINDOWS, self._window(), self._choose_window)

    def focus_filter(self) -> None:
        self._tools.take_keyboard()

    @property
    def breadcrumb(self) -> tuple[str, ...]:
        if self._kind().needs_agent and self._choices.agent:
            return (self._reference.names.name_of(self._choices.agent),)
        return ()

    # -- what is asked --

    def _kind(self) -> Kind:
        return self._kinds[self._choices.report]

    def _today(self) -> date:
        return day_date(self._local.day(self.context.clock()))

    def _window(self) -> Window:
        chosen = self.context.prefs.get("history_window")
        window: Window = chosen or self._reference.window
        return window

    def _population(self) -> Population:
        population: Population = self._kind().population or self.context.prefs.get("history_population")
        return population

    def _question(self) -> Question | None:
        """None while something is missing that the report needs."""
        days = self._choices.period.days(self._today())
        return None if days is None else question_of(self._choices, self._kind(), days, self._population(), self._window())

    def _choose(self, choices: Choices) -> None:
        """The person wants something else."""
        before, self._choices = self._choices, choices
        self._show_choices()
        if choices.report != before.report:
            self._shown = None
            self._let_go()
            self._tables.table(before.report).clear()
        if (choices.report, choices.agent) != (before.report, before.agent):
            self.breadcrumb_changed.emit()
        self._ask()
        self.state_changed.emit()

    def _choose_window(self, key: str) -> None:
        """The store's own is not remembered: who has chosen it follows when the store's changes."""
        self.context.prefs.put("history_window", "" if key == self._reference.window else key)

    def _preferred(self, key: str) -> None:
        """Another history page may have switched what all of them share."""
        if key in _SHARED:
            self._show_choices()
            if self.isVisible():
                self._ask()

    def _read_again(self) -> None:
        self._asked.start()
        self._ask(again=True)

    def _ask(self, again: bool = False) -> None:
        """Bring the table up to the choices; `again` also reads what is held already."""
        question, table = self._question(), self._table()
        if question is None:
            self._let_go()
            self._say(self._bare() or (empty.no_agent() if self._choices.period.days(self._today()) else empty.no_days()))
            return
        asked = replace(question, window="24h")
        self._due = self._due or again
        held = self._held if self._held is not None and self._held.asked == asked and not self._due else None
        if held is None and self._shown is None:
            table.wait()
            self._reason = None
        reports, store, text, sort = self.context.workspace.reports, self.context.store, self._choices.text, table.sorting()
        readings, metrics, window = self._reference.names.readings, self._reference.metrics, self._window()
        leftovers = self._leftovers

        def answer() -> tuple[_Held, Picture]:
            found = held
            if found is None:
                found = _Held(asked, reports.ask(store, question))
                leftovers.mind(found.report.rows)
            return found, picture(in_window(found.report, window), text, sort, readings, metrics)

        self.read("table", answer, self._take, (question, text, sort))

    def _let_go(self) -> None:
        self._held = None

    # -- what is answered --

    def _take_reference(self, found: Reference) -> None:
        before, self._reference = self._reference, found
        chosen, names = self._choices, found.names
        self._tools.offer(names)
        self._choices = self._choices.known_to(dict(names.agents), dict(names.groups), names.teams)
        if self._kind().needs_agent and not self._choices.agent and names.agents:
            self._choices = replace(self._choices, agent=names.agents[0][0])
        if self._tables.set_metrics(found.metrics):
            self._shown = None
        self._show_choices()
        self.breadcrumb_changed.emit()
        if before != found or chosen != self._choices:
            self._ask()

    def _take(self, answer: tuple[_Held, Picture]) -> None:
        if self._asked.isValid():
            self._live.setInterval(max(LIVE_MS, self._asked.elapsed() * _SHARE))
            self._asked.invalidate()
        before, (self._held, found) = self._held, answer
        self._due = self._due and self._held is before
        table, identity = self._table(), (found.report.question, found.text)
        same, self._shown = self._shown == identity, identity
        if found.is_empty:
            if bare := self._bare():
                self._say(bare)
            elif self._held.report.rows and not found.report.rows:
                self._say(empty.no_match(self._choices))
            else:
                self._say(empty.no_data(self._choices, self.context.preparing(), self.context.actor.may("data.ingest")))
            return
        self._reason = None
        table.show_picture(found, flash=same)
        if (place := self._returning) is not None:
            self._returning = None
            bring_back(table, place)
        self._show_notes(found.notes)
        self._fit()
        self._draw()

    def _bare(self) -> empty.Reason | None:
        if not self._reference.bare:
            return None
        return empty.no_store(self.context.preparing(), self.context.actor.may("data.ingest"))

    def _say(self, why: empty.Reason) -> None:
        table = self._table()
        table.clear()
        self._shown = None
        self._notes.hide()
        self.charts.hide()
        self._reason = why
        words = EmptyState(why.icon, why.title, why.sentence, why.action)
        words.acted.connect(self._remedy)
        table.set_placeholder(words)

    def _remedy(self) -> None:
        why = self._reason
        if why is not None and why.remedy is not None:
            self._choose(why.remedy(self._choices))
        elif why is not None and why.imports:
            from ui.importing import ImportDialog

            dialog = ImportDialog(self.context, self)
            dialog.finished.connect(self.refresh)
            dialog.open()
        else:
            self.refresh()

    def _draw(self) -> None:
        """Bring the chart up to what the table shows."""
        found = self._table().picture
        if found is None or not self._chart_open:
            return
        chart, metric, day = self.charts.chart(), self.charts.metric_key(), self.charts.day()
        service, store, asked = self.context.workspace.reports, self.context.store, found.report.question
        question = (asked, found.text, chart, metric, day)
        drawn, before, self._drawn = self.charts.drawing(), self._drawn, question
        if drawn is None or drawn.report.rows is not found.report.rows or before != question:  # else only the order is another
            self.read("chart", lambda: draw(found, chart, metric, day, service, store, asked), self._take_drawing, question)

    def _take_drawing(self, drawing: Drawing) -> None:
        self.charts.show_drawing(drawing, self._reference.names.name_of(self._choices.agent))

    def _chart_chosen(self) -> None:
        self._draw()
        self.state_changed.emit()

    def _open_chart(self, on: bool) -> None:
        self._chart_open = on
        self._fit()
        self._draw()
        self.state_changed.emit()

    def _select_row(self, key: str) -> None:
        """The row of that key, or the first one of that agent."""
        table = self._table()
        if table.picture is not None:
            rows = table.picture.report.rows
            heads = rows.heads()
            table.select(key if key in rows.at else next((id for id in table.model_.ids() if heads[rows.at[str(id)]] == key), None))

    def _row_current(self, row_id: RowId | None) -> None:
        found = self._table().picture
        row = found.row(row_id) if found is not None and row_id is not None else None
        self.charts.highlight("" if row is None else row.head)

    def _fit(self) -> None:
        """The chart takes its share of the height, where there is anything to draw."""
        self.charts.setVisible(self._chart_open and self._tables.has_picture(self._choices.report))
        self.charts.fit(self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _show_notes(self, notes: Iterable[T]) -> None:
        words = "\n".join(map(str, notes))
        self._notes.set_words(words)
        self._notes.setVisible(bool(words))

    # -- the parts of the page --

    def _show_choices(self) -> None:
        kind = self._kind()
        self._top.show_choices(self._choices.period, self._today(), self._population(), self._window())
        self._top.population.setEnabled(kind.population is None)
        filters = {"group", "channel"}
        if not kind.needs_agent:
            filters.add("team")
            if kind.rows in ("agent", "agent_period"):
                filters.add("text")
        self._tools.show_choices(self._choices, kind.by, frozenset(filters))
        self._tools.set_chart_open(self._chart_open)
        self.charts.offer(kind, lambda key: label_on(self._choices.report, key))
        table = self._table()
        if self._tables.currentWidget() is not table:
            self._tables.setCurrentWidget(table)
            self._fit()

    def _table(self) -> ReportTable:
        return self._tables.table(self._choices.report)

    def _open_figure(self, row_id: RowId, key: str) -> None:
        """To what was counted: a listing, or a report of another page."""
        if (found := self._table().picture) is not None:
            self._go(behind_figure(found, row_id, key))

    def _open_row(self, row_id: RowId) -> None:
        if (found := self._table().picture) is not None and row_id in found.members:
            self._go(behind_row(found, row_id, self._choices))

    def _open_cell(self, weekday: int, hour: int, key: str) -> None:
        if (found := self._table().picture) is not None:
            self._go(behind_cell(found, weekday, hour, key))

    def _go(self, place: Place | T) -> None:
        if isinstance(place, T):
            self.context.toast(str(place), "info")
        else:
            self.context.navigate(*place)
