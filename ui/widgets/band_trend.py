"""One agent over days or weeks, against the middle half of the team."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.language import T, tr
from app.domain.metrics import Metric
from app.domain.statistics import Quartiles
from ui.widgets.chart import ChartCard
from ui.widgets.chart_data import Band, ChartData, Series


class BandTrend(ChartCard):
    """The agent's line, the team's median dashed, the range between its quartiles filled. `tabs` choose the metric, as in ChartCard."""

    clicked = Signal(str)
    """The key of the position that is clicked; its label, where the chart was filled by `set_series`."""

    def __init__(self, tabs: Sequence[tuple[str, T | str]] = (), title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(tabs, (), title, parent)
        self._keys_along: list[str] = []
        self.position_clicked.connect(self._clicked_at)

    def set_trend(
        self,
        metric: Metric,
        name: str,
        positions: Sequence[tuple[str, str]],
        values: Sequence[float | int | None],
        team: Sequence[Quartiles | None] = (),
    ) -> None:
        """`positions` are (key, words at the foot); `values` the agent's and `team` the team's quartiles at each, None for no value.

        Raises ValueError when their lengths differ; without a team, `team` is empty.
        """
        if len(values) != len(positions) or len(team) not in (0, len(positions)):
            raise ValueError(f"{len(positions)} positions, {len(values)} values, {len(team)} of the team")
        lines = [Series(name, tuple(values), "series")]
        band = None
        if any(team):
            lines.append(Series(tr("团队中位数", "Team median"), tuple(known and known.median for known in team), "compare"))
            low, high = tuple(known and known.low for known in team), tuple(known and known.high for known in team)
            band = Band(tr("团队中间一半", "Middle half"), low, high)
        labels = tuple(words for _, words in positions)
        self.set_series(ChartData(tuple(lines), labels=labels, format=metric.text, from_zero=metric.unit != "%", band=band))
        self._keys_along = [key for key, _ in positions]

    def set_series(self, data: ChartData) -> None:
        self._keys_along = [data.label(index) for index in range(len(data.positions))]
        super().set_series(data)

    def _clicked_at(self, index: int) -> None:
        self.clicked.emit(self._keys_along[index])
