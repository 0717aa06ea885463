"""The page 试算: days, the settings to try, and what the one comes to under the other."""

from __future__ import annotations

from datetime import date
from threading import Event
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import T, tr
from app.domain.localtime import day_date
from ui.pages.registry import Page, PageContext
from ui.pages.replay.answer import Answer
from ui.pages.replay.sources import DOCUMENTS, DRAFT, NOW, Source, sources
from ui.theme import SPACE_2, SPACE_3, SPACE_4
from ui.widgets.buttons import Button
from ui.widgets.empty import EmptyState
from ui.widgets.period import Period, PeriodButton

if TYPE_CHECKING:
    from app.services.replay import Replay
    from app.services.settings import Saved
    from ui.runtime.problems import Problem

_LOOK_MS = 100


class _Run:
    """What the worker and the page share of a replay."""

    def __init__(self) -> None:
        self.done: tuple[int, int] = (0, 0)
        self.stop = Event()

    def tell(self, done: int, of: int | None) -> None:
        self.done = done, of or 0


class _Running:
    """The replay that is waited for, if any."""

    def __init__(self) -> None:
        self.run: _Run | None = None

    def stop(self) -> None:
        if self.run is not None:
            self.run.stop.set()


class ReplayPage(Page):
    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._local = context.workspace.local(context.store)
        self._period = Period()
        self._source, self._offered = NOW, [Source(NOW, str(T("现行设置", "Current settings")), {})]
        self._draft = context.draft(*DOCUMENTS)
        self._history: dict[str, list[Saved]] = {}
        self._running = _Running()
        self._found: Replay | None = None
        self._tried = self._offered[0]
        self._seen = False
        self._words: EmptyState | None = None
        self.period = PeriodButton()
        self._top = QWidget(self)
        self._top.hide()  # until the shell takes it
        self.source = QComboBox(self)
        self.go = Button(tr("试算", "Try it"), "primary", "replay", self)
        self.cancel = Button(tr("取消", "Cancel"), parent=self)
        self.bar = QProgressBar(self)
        self._asked = QLabel(self)
        self._stack = QStackedWidget(self)
        self.answer = Answer(self._stack)
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
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_2, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addLayout(tools)
        column.addWidget(self._stack, 1)
        self._stack.addWidget(self.answer)
        self.bar.hide()
        self.cancel.hide()

    def _connect(self) -> None:
        self.period.chosen.connect(self._choose_period)
        self.source.activated.connect(self._choose_source)
        self.go.clicked.connect(self.start)
        self.cancel.clicked.connect(self._cancel)
        self.answer.changed.connect(self.state_changed)
        self._draft.changed.connect(self._follow)
        self.destroyed.connect(self._running.stop)

    # -- hooks --

    def filters(self) -> QWidget | None:
        return self._top

    def activate(self) -> None:
        self._seen = True
        self._follow()

    def deactivate(self) -> None:
        self._seen = False

    def refresh(self) -> None:
        settings, store = self.context.workspace.settings, self.context.store
        self._show_period()
        self.read("history", lambda: {key: settings.history(store, key, 20) for key in DOCUMENTS}, self._take_history)

    def on_notice(self, topics: frozenset[str]) -> None:
        if "settings" in topics:
            self.refresh()

    def state(self) -> dict[str, Any]:
        return {"period": self._period.state(), "source": self._source, "curve": self.answer.chart.tab(), "view": self.answer.view.value()}

    def restore(self, state: dict[str, Any]) -> None:
        if (period := Period.of_state(state.get("period"))) is not None:
            self._period = period
        if isinstance(source := state.get("source"), str):
            self._source = source
        self.answer.chart.set_tab(str(state.get("curve", "")))
        self.answer.set_view(str(state.get("view", "")))
        self._show_period()

    def open_at(self, where: dict[str, Any]) -> None:
        """`draft`: the settings that are not saved yet are to be tried. They run at once, instead of what is running."""
        if where.get("draft"):
            self._source = DRAFT
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
        self._follow()

    def _offer(self) -> None:
        """What there is to try; what was chosen stays chosen while it is there."""
        self._offered = sources(self._draft.unsaved(), self._history, self._local)
        self.source.clear()
        for source in self._offered:
            self.source.addItem(source.label, source.key)
        at = max(0, self.source.findData(self._source))
        self.source.setCurrentIndex(at)

    def _follow(self) -> None:
        """What is being edited, or what holds, is another now; while nobody looks it is enough to know when they come back."""
        if self._seen:
            self._offer()
            self._say_since()

    def chosen(self) -> Source:
        return next((source for source in self._offered if source.key == self._source), self._offered[0])

    # -- running --

    def start(self) -> None:
        """Run what is chosen; a replay that is running is called off."""
        self._running.stop()
        days = self._period.days(self._today())
        if days is None:
            self._show_running(None)
            self._say(tr("还没有完整的一天", "Not a whole day yet"), tr("请选择包含今天以前的日期。", "Choose days before today."))
            return
        run, source = _Run(), self.chosen()
        service, store, bodies = self.context.workspace.replay, self.context.store, source.bodies
        self._show_running(run)

        def done(found: Replay) -> None:
            if self._ends(run):
                self._take(found, source)

        def failed(problem: Problem) -> None:
            if self._ends(run):
                self._refused(problem)

        self.context.operations.task(
            self,
            lambda: service.run(store, *days, bodies.get("groups"), bodies.get("agents"), tell=run.tell, stop=run.stop),
            done,
            failed,
        )

    def _cancel(self) -> None:
        self._running.stop()
        self.cancel.setEnabled(False)

    def _ends(self, run: _Run) -> bool:
        """Whether it is the one that is waited for; of one that was called off for another nothing is told."""
        if run is not self._running.run:
            return False
        self._show_running(None)
        return True

    def _show_running(self, run: _Run | None) -> None:
        self._running.run, on = run, run is not None
        self.bar.setVisible(on)
        self.cancel.setVisible(on)
        self.cancel.setEnabled(on)
        for widget in (self.go, self.source, self.period, *([] if self._words is None else [self._words.button])):
            widget.setDisabled(on)
        if on:
            self.bar.setRange(0, 0)
            self._look.start()
        else:
            self._look.stop()

    def _say_progress(self) -> None:
        if self._running.run is not None:
            done, of = self._running.run.done
            self.bar.setRange(0, of)
            self.bar.setValue(done)

    def _refused(self, problem: Problem) -> None:
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
        self.worked.emit()
        self._found, self._tried = found, source
        days = str(found.first) if found.first == found.last else f"{found.first} – {found.last}"
        self._asked.setText(f"{source.label} · {days}")
        self.answer.show_replay(found)
        self._stack.setCurrentWidget(self.answer)
        self._say_since()

    def _say_since(self) -> None:
        """Whether what was tried is still what is being edited, and what it was compared with still what holds."""
        found, tried = self._found, self._tried
        if found is None:
            return
        words, unsaved = "", self._draft.unsaved()
        if tried.key == DRAFT and unsaved != tried.bodies:
            saved = {key: held.body for key, held in self._draft.saved.items()}
            if all(saved.get(key) == body for key, body in tried.bodies.items()):
                words = tr("试算的修改已保存，现在生效。", "What was tried has been saved since; it holds now.")
            elif unsaved:
                words = tr("修改在试算后又有变化，请重新试算。", "The changes were edited since; run again.")
            else:
                words = tr("试算的修改已被放弃，请选择设置重新试算。", "What was tried was discarded since; choose settings and run again.")
        elif any(history and history[0].revision != found.revisions[key] for key, history in self._history.items()):
            words = tr("现行设置在试算后有更改，请重新试算。", "The current settings have changed since; run again.")
        self.answer.set_since(words)

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
        words.button.setDisabled(self._running.run is not None)
        self._stack.addWidget(words)
        self._stack.setCurrentWidget(words)
