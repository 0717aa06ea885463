"""The card above a report's table: which chart, of which metric, and the chart itself. Charts are made when they are first shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar, cast

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import tr
from app.domain.metrics import METRICS
from app.domain.terms import WEEKDAYS
from ui.pages.history.charts import CHARTS, NO_LIMITS, Chart, Drawing, charts_of, first_metric, metrics_of
from ui.pages.history.picture import FEWEST_PEERS
from ui.theme import SPACE_2, SPACE_3, SPACE_4
from ui.widgets.band_trend import BandTrend
from ui.widgets.empty import EmptyState
from ui.widgets.funnel import FunnelPlot
from ui.widgets.heatmap import HeatMap, cell_of
from ui.widgets.order_funnel import OrderFunnel
from ui.widgets.painted import PaintedChart
from ui.widgets.ranking import RankingBars
from ui.widgets.segmented import Segmented
from ui.widgets.skeleton import Skeleton
from ui.widgets.timeline import PresenceRows

if TYPE_CHECKING:
    from app.domain.language import T
    from app.services.report_kinds import Kind

P = TypeVar("P", bound=PaintedChart)
_TALL = frozenset({"presence", "orders"})
"""Charts with a height of their own, which scroll where the card has less."""
LOWEST, HIGHEST, SHARE = 200, 380, 0.34
"""Height of the card in pixels, and its share of the page between the two."""
LOWEST_WORDS = 256
"""With a sentence of two lines and a button in it."""


class ChartPanel(QFrame):
    """`wanted` is sent when the person chooses another chart or metric: a drawing of `chart()` and `metric_key()` is to be shown."""

    wanted = Signal()
    row_wanted = Signal(str)
    """The key of a row, or of the agent of several: somebody clicked what stands for it."""
    figure_wanted = Signal(str)
    """A metric of the whole report."""
    cell_wanted = Signal(int, int, str)
    """Weekday, hour and metric of a cell of the heat map."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self._charts: tuple[Chart, ...] = ()
        self._metrics: tuple[str, ...] = ()
        self._kind: Kind | None = None
        self._label: Callable[[str], T] = lambda key: METRICS[key].label
        self._chosen: dict[str, str] = {}
        self._stale = False
        self._highlighted = ""
        self._drawing: Drawing | None = None
        self._made: dict[str, QWidget] = {}
        self._why: EmptyState | None = None
        self._room = 0
        self._head = QHBoxLayout()
        self._head.setSpacing(SPACE_3)
        self.kinds: Segmented | None = None
        self.metrics = QComboBox(self)
        self.metrics.setAccessibleName(tr("图表指标", "Chart metric"))
        self.metrics.setToolTip(tr("图表显示的指标", "What the chart shows"))
        self.metrics.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.metrics.setMaxVisibleItems(24)
        self.days = QComboBox(self)
        self.days.setAccessibleName(tr("日期", "Day"))
        self.days.setToolTip(tr("时间轴显示的日期", "The day of the timeline"))
        self.days.setMaxVisibleItems(24)
        self.days.hide()
        self._day: date | None = None
        self._title = QLabel(self)
        self._title.setProperty("look", "emphasis")
        self._head.addWidget(self._title)
        self._head.addWidget(self.metrics)
        self._head.addWidget(self.days)
        self._head.addStretch(1)
        self._stack = QStackedWidget(self)
        self._skeleton = Skeleton("card", self._stack)
        self._stack.addWidget(self._skeleton)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_3, SPACE_4, SPACE_3)
        column.setSpacing(SPACE_2)
        column.addLayout(self._head)
        column.addWidget(self._stack, 1)
        self.metrics.activated.connect(self._on_metric)
        self.days.activated.connect(self._on_day)

    # -- what is chosen --

    def chart(self) -> Chart:
        """The chosen chart of the report offered last."""
        wanted = self._chosen.get("chart", "")
        return next((chart for chart in self._charts if chart == wanted), self._charts[0])

    def metric_key(self) -> str:
        """ "" for a chart of no single metric."""
        return first_metric(self._keys(), self._chosen.get("metric", ""))

    def day(self) -> date | None:
        """The day of the timeline that the person chose last."""
        return self._day

    def _keys(self) -> tuple[str, ...]:
        return () if self._kind is None else metrics_of(self._kind, self.chart())

    def state(self) -> dict[str, str]:
        return dict(self._chosen)

    def restore(self, state: Any) -> None:
        if isinstance(state, dict):
            self._chosen = {key: value for key, value in state.items() if key in ("chart", "metric") and isinstance(value, str)}

    def choose(self, chart: str = "", metric: str = "") -> None:
        """As the person would; what the report does not have is passed over when it is shown."""
        self._chosen |= {key: value for key, value in (("chart", chart), ("metric", metric)) if value}
        self._show_choice()
        self.wanted.emit()

    def offer(self, kind: Kind, label: Callable[[str], T]) -> None:
        """The charts of a report; label: what it calls a metric."""
        self._kind, self._label = kind, label
        charts = charts_of(kind)
        if charts != self._charts:
            self.wait()
            self._charts = charts
            if self.kinds is not None:
                self._head.removeWidget(self.kinds)
                self.kinds.hide()
                self.kinds.deleteLater()
            self.kinds = Segmented([(chart, CHARTS[chart]) for chart in charts], name=tr("图表", "Chart"), parent=self)
            self.kinds.chosen.connect(lambda chart: self.choose(chart=chart))
            self.kinds.setVisible(len(charts) > 1)
            self._title.setText(str(CHARTS[charts[0]]))
            self._title.setVisible(len(charts) == 1)
            self._head.insertWidget(0, self.kinds)
            self.kinds.tab_before(self.metrics)
        self._show_choice()

    def _show_choice(self) -> None:
        chart = self.chart()
        if self.kinds is not None:
            self.kinds.set_value(chart)
        keys = self._keys()
        with QSignalBlocker(self.metrics):
            self.metrics.clear()
            for key in keys:
                self.metrics.addItem(str(self._label(key)), key)
            self.metrics.setCurrentIndex(max(0, self.metrics.findData(self.metric_key())))
        self.metrics.setVisible(bool(keys))

    def _on_metric(self, index: int) -> None:
        self.choose(metric=str(self.metrics.itemData(index)))

    def _on_day(self, index: int) -> None:
        self._day = date.fromisoformat(str(self.days.itemData(index)))
        self.wanted.emit()

    # -- what is shown --

    def wait(self) -> None:
        self._drawing = None
        self._stack.setCurrentWidget(self._skeleton)

    def drawing(self) -> Drawing | None:
        return self._drawing

    def show_drawing(self, drawing: Drawing, agent: str = "") -> None:
        """agent: the name of the one whose trend it is."""
        self._drawing = drawing
        metric, window = drawing.metric, drawing.report.window
        self._show_days(drawing)
        if drawing.chart == "ranking":
            ranking = self._painted(drawing.chart, RankingBars)
            ranking.set_data(metric, drawing.entries, drawing.mean, drawing.funnel.marks, (self._highlighted,), window)
        elif drawing.chart == "funnel" and metric.key in NO_LIMITS:
            self._say_no_limits(metric.key)
        elif drawing.chart == "funnel" and 0 < len(drawing.entries) < FEWEST_PEERS:
            self._say(
                tr(f"不到{FEWEST_PEERS}位客服，没有漏斗图", f"No funnel plot of fewer than {FEWEST_PEERS} agents"),
                tr("人太少时，团队的值主要就是他们自己的值。", "The rate of so few is mostly their own."),
                tr("看排名", "Show the ranking"), lambda: self.choose(chart="ranking"),
            )  # fmt: skip
        elif drawing.chart == "funnel":
            self._painted(drawing.chart, FunnelPlot).set_data(metric, drawing.entries, drawing.funnel, window)
        elif drawing.chart == "orders":
            self._painted(drawing.chart, OrderFunnel).set_data(drawing.steps)
        elif drawing.chart == "heat":
            self._painted(drawing.chart, HeatMap).set_data(metric, drawing.heat)
        elif drawing.chart == "presence":
            self._painted(drawing.chart, PresenceRows).set_rows(drawing.presence)
        elif drawing.chart == "band":
            values = drawing.data.series[0].values
            self._trend().set_trend(metric, agent, drawing.positions, values, drawing.band)
        else:
            self._trend().set_series(drawing.data)
        self.fit(self._room)

    def _say_no_limits(self, key: str) -> None:
        """In place of a funnel: why a mean of times has none, and where one click leads."""
        rate, label = NO_LIMITS[key], self._label(key)
        rated = rate in self._keys()
        self._say(
            tr(f"{label}没有随机界限", f"{label} has no limits of chance"),
            tr("等待时间偏斜：少数很长的等待就能拉高均值，画出的界限会冤枉人。超时的比例可以比较。" if rated
               else "时长偏斜：少数很长的会话就能拉高均值，画出的界限会冤枉人。",
               "Times are skewed: a few very long ones raise a mean, and limits would blame the wrong people. "
               + ("How often it took too long can be compared." if rated else "")),
            tr(f"看{self._label(rate)}", f"Show {self._label(rate)}") if rated else tr("看排名", "Show the ranking"),
            lambda: self.choose(metric=rate) if rated else self.choose(chart="ranking"),
        )  # fmt: skip

    def _say(self, title: str, sentence: str, action: str, act: Callable[[], None]) -> None:
        """In place of a chart: why there is none, and where one click leads."""
        why = EmptyState("chart", title, sentence, action)
        why.acted.connect(act)
        before, self._why = self._why, why
        if before is not None:
            self._stack.removeWidget(before)
            before.deleteLater()
        self._stack.addWidget(why)
        self._stack.setCurrentWidget(why)

    def _show_days(self, drawing: Drawing) -> None:
        with QSignalBlocker(self.days):
            self.days.clear()
            for day in drawing.days:
                self.days.addItem(f"{day.isoformat()} {WEEKDAYS[day.weekday()]}", day.isoformat())
            self.days.setCurrentIndex(drawing.days.index(drawing.day) if drawing.day is not None else -1)
        self.days.setVisible(len(drawing.days) > 1)

    def set_stale(self, stale: bool) -> None:
        self._stale = stale
        for widget in self._made.values():
            if isinstance(widget, PaintedChart | BandTrend):
                widget.set_stale(stale)

    def highlight(self, key: str) -> None:
        """The agent of the row the person is at, "" for none."""
        self._highlighted = key
        ranking = self._made.get("ranking")
        if isinstance(ranking, RankingBars):
            ranking.set_highlighted((key,))

    def fit(self, room: int) -> None:
        """Take a share of the page's height, and what cannot be smaller all it needs."""
        self._room = room
        shown, lowest = self._stack.currentWidget(), LOWEST
        if isinstance(shown, HeatMap):
            lowest = self.sizeHint().height() - self._stack.sizeHint().height() + shown.minimumSizeHint().height()
        elif isinstance(shown, EmptyState):
            lowest = LOWEST_WORDS
        self.setFixedHeight(max(lowest, min(HIGHEST, round(room * SHARE))))

    def _painted(self, chart: Chart, make: Callable[[], P]) -> P:
        if chart not in self._made:
            made = make()
            made.clicked.connect(self._clicked)
            self._made[chart] = made
            self._stack.addWidget(_scrolled(made) if chart in _TALL else made)
            QWidget.setTabOrder(self.days, made)
        found = cast("P", self._made[chart])
        found.set_stale(self._stale)
        self._raise(found)
        return found

    def _trend(self) -> BandTrend:
        found = self._made.get("trend")
        if found is None:
            found = BandTrend(parent=self._stack)
            found.setProperty("look", "")
            found.setContentsMargins(-SPACE_4, -SPACE_2, -SPACE_4, -SPACE_3)  # it brings the padding of a card of its own
            found.position_clicked.connect(self._clicked_at)
            self._made["trend"] = found
            self._stack.addWidget(found)
            found.tab_after(self.days)
        assert isinstance(found, BandTrend)
        found.set_stale(self._stale)
        self._stack.setCurrentWidget(found)
        return found

    def _raise(self, widget: QWidget) -> None:
        """Show what was made, or the scroll area it is in."""
        for at in range(self._stack.count()):
            held = self._stack.widget(at)
            if held is not None and (held is widget or held.isAncestorOf(widget)):
                self._stack.setCurrentIndex(at)

    def _clicked(self, key: str) -> None:
        if self._drawing is None:
            return
        if self._drawing.chart == "orders":
            self.figure_wanted.emit(key)
        elif self._drawing.chart == "heat":
            self.cell_wanted.emit(*cell_of(key), self._drawing.metric.key)
        else:
            self.row_wanted.emit(key)

    def _clicked_at(self, index: int) -> None:
        if self._drawing is not None and index < len(self._drawing.positions):
            self.row_wanted.emit(self._drawing.positions[index][0])


def _scrolled(widget: QWidget) -> QScrollArea:
    widget.setObjectName("scrolled")
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(widget)
    return scroll
