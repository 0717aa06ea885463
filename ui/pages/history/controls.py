"""The controls of a history page: the days and the shared switches in the top bar, reports and filters above the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QStringListModel, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QTabBar, QVBoxLayout, QWidget

from app.domain import terms
from app.domain.language import T, tr
from ui.pages.history.choices import Choices
from ui.runtime.finder import Reading, typed
from ui.theme import CAPTION, SPACE_1, SPACE_2, icon
from ui.widgets.buttons import IconButton
from ui.widgets.choice import Choice
from ui.widgets.order_window import OrderWindow
from ui.widgets.paint import elided
from ui.widgets.period import Period, PeriodButton
from ui.widgets.search import SearchEdit
from ui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from app.services.reports import By


@dataclass(frozen=True)
class Names:
    """What there is to choose from: agents, groups and terminals as (code, name), teams by name; `readings` are how names are typed."""

    agents: Sequence[tuple[str, str]] = ()
    groups: Sequence[tuple[str, str]] = ()
    teams: Sequence[str] = ()
    channels: Sequence[tuple[str, str]] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)

    def name_of(self, agent: str) -> str:
        return next((name for code, name in self.agents if code == agent), agent)


class TopControls(QWidget):
    """What all history pages have in the top bar; the signals are what the person does."""

    period_chosen = Signal(object)
    population_chosen = Signal(str)
    window_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.period = PeriodButton(self)
        self.population = Segmented(list(terms.POPULATIONS.items()), name=tr("口径", "Population"), parent=self)
        self.population.setToolTip(
            tr("整体：全部会话。考核：考核时段内的会话，不含垃圾和仅机器人会话。所有历史页面一起切换。",
               "Overall: every session. Assessed: sessions of the assessed hours, without spam and bot-only ones. "
               "Switches all history pages.")
        )  # fmt: skip
        self.window_switch = OrderWindow(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_2)
        row.addStretch(1)
        for widget in (self.period, self.population, self.window_switch):
            row.addWidget(widget)
        self.period.chosen.connect(self.period_chosen)
        self.population.chosen.connect(self.population_chosen)
        self.window_switch.chosen.connect(self.window_chosen)

    def show_choices(self, period: Period, now: date, population: str, window: str) -> None:
        self.period.set_period(period, now)
        self.population.set_value(population)
        self.window_switch.set_value(window)


class Toolbar(QWidget):
    """Tabs of the reports, filters of the rows, and buttons for chart, columns and export."""

    changed = Signal(object)
    """Choices: what the person wants now."""
    chart_toggled = Signal(bool)
    columns_wanted = Signal(QPoint)
    export_wanted = Signal()
    save_wanted = Signal(QPoint)
    """The button of the saved reports was pressed: where its menu belongs."""
    left = Signal()
    """The keyboard leaves the search line for the table."""

    def __init__(self, reports: Sequence[tuple[str, T]], one_agent: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports = [key for key, _ in reports]
        self._choices = Choices(self._reports[0])
        self.tabs = QTabBar(self)
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setAccessibleName(tr("报表", "Reports"))
        for _, title in reports:
            self.tabs.addTab(str(title))
        self.tabs.setVisible(len(reports) > 1)
        self._by = QHBoxLayout()
        self.by: Segmented | None = None
        self._offered_by: tuple[By, ...] = ()
        self.group = Filter(tr("咨询组", "Group"), tr("全部咨询组", "All groups"), self)
        self.team = Filter(tr("行政组", "Team"), tr("全部行政组", "All teams"), self)
        self.channel = Filter(tr("终端", "Terminal"), tr("全部终端", "All terminals"), self)
        self.agent = AgentPicker(self)
        self.agent.setVisible(one_agent)
        self.search = SearchEdit(tr("姓名、拼音、编号", "Name, pinyin or code"), self)
        self.search.setMaximumWidth(200)
        self.search.setMinimumWidth(120)
        self.chart = IconButton("chart", tr("显示或收起图表", "Show or hide the chart"), self)
        self.chart.setCheckable(True)
        self.columns = IconButton("columns", tr("选择列", "Choose columns"), self)
        self.save = IconButton("save", tr("保存报表、保存的报表", "Save the report, saved reports"), self)
        self.export = IconButton("export", tr("导出 (Ctrl+E)", "Export (Ctrl+E)"), self)
        self._lay_out()
        self.tabs.currentChanged.connect(lambda at: self._want(report=self._reports[at]))
        for name, box in (("group", self.group), ("team", self.team), ("channel", self.channel)):
            box.activated.connect(lambda _, name=name, box=box: self._want(**{name: box.key()}))
        self.agent.chosen.connect(lambda code: self._want(agent=code))
        self.search.searched.connect(lambda text: self._want(text=text))
        self.search.left.connect(self.left)
        self.chart.clicked.connect(self.chart_toggled)
        self.columns.clicked.connect(self._ask_columns)
        self.export.clicked.connect(self.export_wanted)
        self.save.clicked.connect(lambda: self.save_wanted.emit(self.save.mapToGlobal(QPoint(0, self.save.height() + SPACE_1))))

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setSpacing(SPACE_2)
        self._by.setSpacing(0)
        filters.addWidget(self.agent)
        filters.addLayout(self._by)
        for box in (self.group, self.team, self.channel):
            filters.addWidget(box)
        filters.addWidget(self.search, 1)
        filters.addStretch(1)
        for button in (self.chart, self.columns, self.save, self.export):
            filters.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_2)
        column.addWidget(self.tabs)
        column.addLayout(filters)

    def choices(self) -> Choices:
        return self._choices

    def show_choices(self, choices: Choices, by: tuple[By, ...], filters: frozenset[str]) -> None:
        """Show these, without a signal. by: the steps the report can be cut into; filters: which of group, team, channel, text it has."""
        self._choices = choices
        blocked = self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(self._reports.index(choices.report))
        self.tabs.blockSignals(blocked)
        self._offer_by(by if len(by) > 1 else ())
        if self.by is not None:
            self.by.set_value(choices.by if choices.by in by else by[0])
        for name, box in (("group", self.group), ("team", self.team), ("channel", self.channel)):
            box.choose(getattr(choices, name))
            box.setVisible(name in filters)
        self.agent.set_agent(choices.agent)
        self.search.setVisible("text" in filters)
        if self.search.text() != choices.text:
            self.search.setText(choices.text)

    def set_chart_open(self, on: bool) -> None:
        self.chart.setChecked(on)

    def offer(self, names: Names) -> None:
        self.group.offer(names.groups, self._choices.group)
        self.team.offer([(team, team) for team in names.teams], self._choices.team)
        self.channel.offer(names.channels, self._choices.channel)
        self.agent.offer(names)

    def take_keyboard(self) -> None:
        """Ctrl+F: where an agent is looked for."""
        if not self.agent.isHidden():
            self.agent.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.agent.selectAll()
        elif not self.search.isHidden():
            self.search.take()
        else:
            self.group.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _offer_by(self, by: tuple[By, ...]) -> None:
        if by == self._offered_by:
            return
        self._offered_by = by
        if self.by is not None:
            self._by.removeWidget(self.by)
            self.by.hide()
            self.by.deleteLater()
            self.by = None
        if by:
            self.by = Segmented([(key, terms.STEPS[key]) for key in by], name=tr("按", "By"), parent=self)
            self.by.chosen.connect(lambda key: self._want(by=key))
            self._by.addWidget(self.by)
            self.by.tab_before(self.group)

    def _want(self, **changes: str) -> None:
        wanted = replace(self._choices, **changes)  # type: ignore[arg-type]
        if wanted != self._choices:
            self._choices = wanted
            self.changed.emit(wanted)

    def _ask_columns(self) -> None:
        self.columns_wanted.emit(self.columns.mapToGlobal(QPoint(0, self.columns.height() + SPACE_1)))


class Filter(Choice):
    """As wide as what it shows."""

    def __init__(self, name: str, everything: str, parent: QWidget) -> None:
        super().__init__(name, everything, parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMaximumWidth(168)


class AgentPicker(QLineEdit):
    """One agent, found by a part of the name, its pinyin or initials, or of the code. `chosen(code)` is the person's choice."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names, self._code = Names(), ""
        self._labels: dict[str, str] = {}
        self._model = QStringListModel(self)
        completer = self._completer = QCompleter(self._model, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setMaxVisibleItems(12)
        completer.activated.connect(self._take)
        self.setCompleter(completer)
        self.setPlaceholderText(tr("选择客服：姓名、拼音、编号", "Choose an agent: name or code"))
        self.setAccessibleName(tr("客服", "Agent"))
        self.addAction(icon("agent"), QLineEdit.ActionPosition.LeadingPosition)
        self.setMinimumWidth(180)
        self.setMaximumWidth(240)
        self.textEdited.connect(self._look)
        self.returnPressed.connect(self._enter)

    def offer(self, names: Names) -> None:
        self._names = names
        self._labels = {(f"{name} ({code})" if name != code else code): code for code, name in names.agents}
        if not self.hasFocus():
            self._show()
        self._look(self.text() if self.hasFocus() else "")

    def set_agent(self, code: str) -> None:
        if code != self._code:
            self._code = code
            self._show()

    def found(self, text: str) -> list[str]:
        """The labels that fit what was typed, best first."""
        wanted = typed(text)
        if not wanted:
            return list(self._labels)
        ranked: list[tuple[int, str]] = []
        for label, code in self._labels.items():
            reading = self._names.readings.get(self._names.name_of(code))
            score = 1000 if wanted in typed(label) else reading.score(wanted) if reading is not None else None
            if score is not None:
                ranked.append((-score, label))
        return [label for _, label in sorted(ranked, key=lambda pair: pair[0])]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self._model.setStringList(list(self._labels))
            self._completer.complete()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._show()

    def _look(self, text: str) -> None:
        self._model.setStringList(self.found(text))

    def _enter(self) -> None:
        found = self.found(self.text())
        if self.text() in self._labels:
            self._take(self.text())
        elif found:
            self._take(found[0])

    def _take(self, label: str) -> None:
        code = self._labels.get(label, "")
        if code and code != self._code:
            self._code = code
            self.chosen.emit(code)
        self._show()

    def _show(self) -> None:
        self.setText(next((label for label, code in self._labels.items() if code == self._code), self._code))
        self.setCursorPosition(0)


class Footnotes(QLabel):
    """Quiet sentences on as few lines as they need, three at most; the whole of them is the tooltip and what is heard."""

    _MOST = 3

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "caption")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._words = ""

    def set_words(self, words: str) -> None:
        """One sentence a line."""
        self._words = words
        self.setToolTip(words)
        self.setAccessibleName(words)
        self._cut()

    def words(self) -> str:
        return self._words

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._cut()

    def _cut(self) -> None:
        self.ensurePolished()  # the font is that of its look
        said, room = self._words.replace("\n", "  ·  "), max(1, self.width())
        most = round((self._MOST + 0.5) * self.fontMetrics().lineSpacing())  # with whatever the style adds around them
        self.setText(said)
        usable = self._MOST * room
        while self.heightForWidth(room) > most and usable > room:  # lines break at words: how much fits shows only when it is laid out
            self.setText(elided(said, usable, CAPTION))
            usable -= max(1, room // 10)
        self.setFixedHeight(max(1, self.heightForWidth(room)))
