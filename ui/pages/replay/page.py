"""The page 试算: days, the settings to try, and what the one comes to under the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from threading import Event
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import T, tr
from app.domain.localtime import day_date
from ui.pages.registry import Page, PageContext
from ui.pages.replay.picture import ALONE, COLUMNS, CURRENT, CURVES, TRIED, Curve, curves, key_figures, pairs, rows
from ui.pages.replay.sources import DOCUMENTS, DRAFT, NOW, Source, sources
from ui.theme import SPACE_2, SPACE_3, SPACE_4
from ui.widgets.buttons import Button
from ui.widgets.chart import ChartCard
from ui.widgets.compared import ComparedFigures
from ui.widgets.empty import EmptyState
from ui.widgets.paired_bars import PairedBars
from ui.widgets.period import Period, PeriodButton
from ui.widgets.table import DataTable, RowTableModel

if TYPE_CHECKING:
    from app.services.replay import Replay
    from app.services.settings import Saved
    from ui.runtime.problems import Problem

_LOOK_MS = 100
_CHART_HEIGHT = 236


class _Run:
    """What the worker and the page share of a replay."""

    def __init__(self) -> None:
        self.done: tuple[int, int] = (0, 0)
        self.stop = Event()

    def tell(self, done: int, of: int | None) -> None:
        self.done = done, of or 0


class ReplayPage(Page):
    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._local = context.workspace.local(context.store)
        self._period = Period()
        self._source, self._offered = NOW, [Source(NOW, str(T("现行设置", "Current settings")), {})]
        self._handed: dict[str, Any] = {}
        self._history: dict[str, list[Saved]] = {}
        self._running: _Run | None = None
        self._found: Replay | None = None
        self._agent = ""
        self._words: EmptyState | None = None
        self.period = PeriodButton()
        self._top = QWidget(self)
        self._top.hide()  # until the shell takes it
        self.source = QComboBox(self)
        self.go = Button(tr("试算", "Try it"), "primary", "replay", self)
        self.cancel = Button(tr("取消", "Cancel"), parent=self)
        self.bar = QProgressBar(self)
        self._asked = QLabel(self)
        self.figures = ComparedFigures(self)
        self.likeness = QLabel(self)
        self.bars = PairedBars(T("每位客服的会话", "Sessions per agent"), TRIED, CURRENT, self)
        self.chart = ChartCard(tuple(CURVES.items()), parent=self)
        self._model = RowTableModel(COLUMNS)
        self.table = DataTable(self._model)
        self._model.setParent(self.table)
        self._stack = QStackedWidget(self)
        self._lay_out()
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._say_progress)
        self._connect()
        self._offer()
        self._show_period()
        self._say_ready()

    def _lay_out(self) -> None:
        self.source.setAccessibleName(tr("要试算的设置", "Settings to try"))
        self.source.setToolTip(tr("要试算的设置", "Settings to try"))
        self.source.setMinimumWidth(260)
        self.bar.setTextVisible(False)
        self.bar.setMaximumWidth(240)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(tr("试算进度", "Progress of the replay"))
        self._asked.setProperty("look", "quiet")
        top = QHBoxLayout(self._top)
        top.setContentsMargins(0, 0, 0, 0)
        top.addStretch(1)
        top.addWidget(self.period)
        tools = QHBoxLayout()
        tools.setSpacing(SPACE_2)
        for widget in (QLabel(tr("试算", "Try"), self), self.source, self.go, self.bar, self.cancel):
            tools.addWidget(widget)
        tools.addStretch(1)
        tools.addWidget(self._asked)
        self.likeness.setProperty("look", "caption")
        self.likeness.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_2, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addLayout(tools)
        column.addWidget(self._stack, 1)
        self._stack.addWidget(self._answer())
        self.bar.hide()
        self.cancel.hide()

    def _answer(self) -> QWidget:
        answer = QWidget(self._stack)
        column = QVBoxLayout(answer)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_3)
        head = _card(answer)
        inside = QVBoxLayout(head)
        inside.setContentsMargins(SPACE_4, SPACE_3, SPACE_4, SPACE_3)
        inside.setSpacing(SPACE_2)
        inside.addWidget(self.figures)
        inside.addWidget(self.likeness)
        column.addWidget(head)
        charts = QHBoxLayout()
        charts.setSpacing(SPACE_3)
        ranking = _card(answer)
        inside = QVBoxLayout(ranking)
        inside.setContentsMargins(SPACE_2, SPACE_3, SPACE_2, SPACE_2)
        title = QLabel(tr("每位客服的会话", "Sessions per agent"), ranking)
        title.setProperty("look", "emphasis")
        title.setContentsMargins(SPACE_2, 0, 0, 0)
        inside.addWidget(title)
        inside.addWidget(self.bars, 1)
        charts.addWidget(ranking, 2)
        charts.addWidget(self.chart, 3)
        for widget in (ranking, self.chart):
            widget.setFixedHeight(_CHART_HEIGHT)
        column.addLayout(charts)
        table = _card(answer)
        inside = QVBoxLayout(table)
        inside.setContentsMargins(1, 4, 1, 4)
        inside.addWidget(self.table)
        self.table.setAccessibleName(tr("每位客服", "Per agent"))
        column.addWidget(table, 1)
        return answer

    def _connect(self) -> None:
        self.period.chosen.connect(self._choose_period)
        self.source.activated.connect(self._choose_source)
        self.go.clicked.connect(self.start)
        self.cancel.clicked.connect(self._cancel)
        self.chart.tab_chosen.connect(lambda _: self._draw())
        self.table.current_changed.connect(self._choose_agent)
        self.bars.clicked.connect(self.table.select)

    # -- hooks --

    def filters(self) -> QWidget | None:
        return self._top

    def refresh(self) -> None:
        settings, store = self.context.workspace.settings, self.context.store
        self._show_period()
        self.read("history", lambda: {key: settings.history(store, key, 20) for key in DOCUMENTS}, self._take_history)

    def on_notice(self, topics: frozenset[str]) -> None:
        if "settings" in topics:
            self.refresh()

    def state(self) -> dict[str, Any]:
        return {"period": self._period.state(), "source": self._source, "curve": self.chart.tab()}

    def restore(self, state: dict[str, Any]) -> None:
        if (period := Period.of_state(state.get("period"))) is not None:
            self._period = period
        if isinstance(source := state.get("source"), str):
            self._source = source
        self.chart.set_tab(str(state.get("curve", "")))
        self._show_period()

    def open_at(self, where: dict[str, Any]) -> None:
        """`draft`: the settings that are not saved yet are to be tried, or `bodies`: documents by key. It runs at once."""
        bodies = where.get("bodies")
        if isinstance(bodies, dict):
            self._handed = {key: body for key, body in bodies.items() if key in DOCUMENTS and isinstance(body, dict)}
            self._source = "handed"
        elif where.get("draft"):
            self._source = DRAFT
        else:
            return
        self._offer()
        self.start()

    # -- what is tried --

    def _today(self) -> date:
        return day_date(self._local.day(self.context.clock()))

    def _show_period(self) -> None:
        self.period.set_period(self._period, self._today())

    def _choose_period(self, period: Period) -> None:
        self._period = period
        self.state_changed.emit()

    def _choose_source(self, index: int) -> None:
        self._source = str(self.source.itemData(index))
        self.state_changed.emit()

    def _take_history(self, found: dict[str, list[Saved]]) -> None:
        self._history = found
        self._offer()

    def _offer(self) -> None:
        """What there is to try; what was chosen stays chosen while it is there."""
        self._offered = sources(self.context.draft(*DOCUMENTS).unsaved(), self._history, self._local)
        if self._handed:
            self._offered.insert(1, Source("handed", tr("正在编辑的设置", "The settings being edited"), self._handed))
        self.source.clear()
        for source in self._offered:
            self.source.addItem(source.label, source.key)
        at = max(0, self.source.findData(self._source))
        self.source.setCurrentIndex(at)

    def chosen(self) -> Source:
        return next((source for source in self._offered if source.key == self._source), self._offered[0])

    # -- running --

    def start(self) -> None:
        """Run what is chosen; a replay that is running already is left alone."""
        days = self._period.days(self._today())
        if self._running is not None:
            return
        if days is None:
            self._say(tr("还没有完整的一天", "Not a whole day yet"), tr("请选择包含今天以前的日期。", "Choose days before today."))
            return
        run, source = _Run(), self.chosen()
        self._running = run
        self.destroyed.connect(run.stop.set)
        service, store, bodies = self.context.workspace.replay, self.context.store, source.bodies
        self._show_running(True)
        self.context.operations.task(
            self,
            lambda: service.run(store, *days, bodies.get("groups"), bodies.get("agents"), tell=run.tell, stop=run.stop),
            lambda found: self._take(found, source),
            self._refused,
        )

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.stop.set()
            self.cancel.setEnabled(False)

    def _show_running(self, on: bool) -> None:
        self.bar.setVisible(on)
        self.cancel.setVisible(on)
        self.cancel.setEnabled(on)
        self.go.setDisabled(on)
        self.source.setDisabled(on)
        self.period.setDisabled(on)
        if on:
            self.bar.setRange(0, 0)
            self._look.start()
        else:
            self._look.stop()
            self._running = None

    def _say_progress(self) -> None:
        if self._running is not None:
            done, of = self._running.done
            self.bar.setRange(0, of)
            self.bar.setValue(done)

    def _refused(self, problem: Problem) -> None:
        self._show_running(False)
        if problem.fingerprint == "cancelled":
            self.context.toast(problem.sentence, "info")
        elif problem.kind == "bug":
            self.failed.emit(problem)
        else:
            self._found = None
            self._asked.clear()
            self._say(tr("没有试算", "Nothing was tried"), problem.sentence)

    # -- what came of it --

    def _take(self, found: Replay, source: Source) -> None:
        self._show_running(False)
        self.worked.emit()
        self._found, self._agent = found, ""
        days = str(found.first) if found.first == found.last else f"{found.first} – {found.last}"
        self._asked.setText(f"{source.label} · {days}")
        self.figures.set_figures(key_figures(found))
        words = [found.likeness_words(), *found.notes]
        self.likeness.setText(tr("", " ").join(str(sentence) for sentence in words if sentence is not None))
        shown = ALONE if found.unchanged else [column.key for column in COLUMNS if not column.optional]
        self._stack.setCurrentIndex(0)
        self._model.set_rows(rows(found), flash=False)
        self.table.restore_columns({**self.table.columns_state(), "columns": list(shown)})
        self.table.select(None)
        self.bars.set_pairs(pairs(found))
        self._draw()

    def _choose_agent(self, row_id: object) -> None:
        self._agent = "" if row_id is None else str(row_id)
        self.bars.set_current(self._agent)
        self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        curve = cast("Curve", self.chart.tab())
        agent = self._agent if curve == "sessions" else ""
        self.chart.set_title(self._found.names.get(agent, agent) if agent else "")
        data = curves(self._found, curve, agent)
        if not any(any(series.values) for series in data.series):
            data = replace(data, series=())
        self.chart.set_series(data)

    def _say_ready(self) -> None:
        self._say(
            tr("保存之前先试算", "Try before you save"),
            tr("用这些天的真实会话和出勤，重演要试算的设置：每位客服的会话、等待、溢出和留言，与现行设置并排比较。不会更改任何设置。",
               "The real sessions and presence of these days, replayed under the settings to try: sessions per agent, waits, overflow and "
               "leave messages, beside the current settings. Nothing is changed."),
        )  # fmt: skip

    def _say(self, title: str, sentence: str) -> None:
        if self._words is not None:
            self._stack.removeWidget(self._words)
            self._words.deleteLater()
        words = self._words = EmptyState("replay", title, sentence, tr("开始试算", "Start"))
        words.acted.connect(self.start)
        self._stack.addWidget(words)
        self._stack.setCurrentWidget(words)


def _card(parent: QWidget) -> QFrame:
    card = QFrame(parent)
    card.setProperty("look", "card")
    return card
