"""A card with one chart: tabs for what is shown, a switch for its step, the plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.domain.language import T, tr
from ui.theme import SPACE_2, SPACE_3, SPACE_4
from ui.widgets.chart_data import ChartData, Series
from ui.widgets.empty import EmptyState
from ui.widgets.segmented import Segmented
from ui.widgets.skeleton import Skeleton

if TYPE_CHECKING:
    from ui.widgets.chart_plot import ChartPlot

__all__ = ["ChartCard", "ChartData", "Series"]


class ChartCard(QFrame):
    """`tabs` and `steps` are (key, label); either may be empty. The plot is made when the card is first shown.

    New data of a hidden card is kept and drawn when it is seen. `tab_chosen` and `step_chosen` are sent when the person chooses,
    `position_clicked` with the index of the position that is clicked in the plot.
    """

    tab_chosen = Signal(str)
    step_chosen = Signal(str)
    position_clicked = Signal(int)

    def __init__(
        self,
        tabs: Sequence[tuple[str, T | str]] = (),
        steps: Sequence[tuple[str, T | str]] = (),
        title: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self._data: ChartData | None = None
        self._drawn: ChartData | None = None
        self._plot: ChartPlot | None = None
        self._before: QWidget | None = None
        self._stale = False
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_2, SPACE_4, SPACE_3)
        column.setSpacing(SPACE_2)
        self._head = QHBoxLayout()
        self._head.setSpacing(SPACE_4)
        self._title = QLabel(title, self)
        self._title.setProperty("look", "emphasis")
        self._title.setVisible(bool(title))
        self._head.addWidget(self._title)
        self._keys = [key for key, _ in tabs]
        self._tabs = QTabBar(self)
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.setUsesScrollButtons(True)
        self._tabs.setAccessibleName(tr("图表指标", "Chart metric"))
        for _, label in tabs:
            self._tabs.addTab(str(label))
        self._tabs.setVisible(bool(tabs))
        self._head.addWidget(self._tabs, 1)
        if not tabs:
            self._head.addStretch(1)
        self._steps = Segmented(steps, name=tr("步长", "Step"), parent=self) if steps else None
        if self._steps is not None:
            self._head.addWidget(self._steps)
            self._steps.chosen.connect(self.step_chosen)
        column.addLayout(self._head)
        self._stack = QStackedWidget(self)
        self._skeleton = Skeleton("card", self._stack)
        self._empty = EmptyState(
            "chart", tr("还没有数据", "No data yet"), tr("有会话之后，这里会显示曲线。", "The curve appears once there are sessions.")
        )
        self._stack.addWidget(self._skeleton)
        self._stack.addWidget(self._empty)
        column.addWidget(self._stack, 1)
        self._tabs.currentChanged.connect(self._tab_changed)

    def tab(self) -> str:
        """The key of the chosen tab, "" without tabs."""
        return self._keys[self._tabs.currentIndex()] if self._keys else ""

    def set_tab(self, key: str) -> None:
        """Choose without a signal; an unknown key changes nothing."""
        if key in self._keys:
            blocked = self._tabs.blockSignals(True)
            self._tabs.setCurrentIndex(self._keys.index(key))
            self._tabs.blockSignals(blocked)

    def step(self) -> str:
        return self._steps.value() if self._steps is not None else ""

    def set_step(self, key: str) -> None:
        """Choose without a signal. Raises KeyError for a step that is not offered."""
        if self._steps is not None:
            self._steps.set_value(key)

    def set_title(self, title: str) -> None:
        self._title.setText(title)
        self._title.setVisible(bool(title))

    def add_tool(self, widget: QWidget) -> None:
        """Put a control at the right end of the title row."""
        self._head.addWidget(widget)

    def set_series(self, data: ChartData) -> None:
        """Draw this; data equal to what is drawn costs nothing."""
        self._data = data
        if self._plot is None:
            # The card is painted first: loading pyqtgraph takes a moment.
            QTimer.singleShot(0, self, self._draw)
        else:
            self._draw()

    def set_loading(self) -> None:
        """Show the skeleton until the next `set_series`."""
        self._data = self._drawn = None
        self._stack.setCurrentWidget(self._skeleton)

    def set_stale(self, stale: bool) -> None:
        self._stale = stale
        if self._plot is not None:
            self._plot.set_stale(stale)

    def tab_after(self, before: QWidget) -> None:
        """Tab reaches the plot, which is made late, right after `before`. Call before the card is shown."""
        self._before = before

    def plot(self) -> ChartPlot | None:
        """None until the card has been shown."""
        return self._plot

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._draw)

    def _draw(self) -> None:
        data = self._data
        if data is None or not self.isVisible():
            return
        if data.is_empty:
            self._stack.setCurrentWidget(self._empty)
            return
        if self._plot is None:
            from ui.widgets.chart_plot import ChartPlot

            self._plot = ChartPlot(self._stack)
            self._plot.set_stale(self._stale)
            self._plot.clicked.connect(self.position_clicked)
            self._stack.addWidget(self._plot)
            if self._before is not None:
                QWidget.setTabOrder(self._before, self._plot)
        self._plot.setAccessibleName(self._tabs.tabText(self._tabs.currentIndex()) if self._keys else self._title.text())
        self._stack.setCurrentWidget(self._plot)
        if data != self._drawn:
            self._drawn = data
            self._plot.set_data(data)

    def _tab_changed(self, index: int) -> None:
        self.tab_chosen.emit(self._keys[index])
