"""From the service's curves to what the chart and the sparklines draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from app.domain.language import T, tr
from app.domain.metrics import METRICS, OVERVIEW_CHART, OVERVIEW_TILES, label_on
from ui.widgets.chart_data import ChartData, Series

if TYPE_CHECKING:
    from app.services.live import Curves

Value = float | int | None
STEPS = (("5", T("5 分钟", "5 min")), ("30", T("30 分钟", "30 min")), ("60", T("1 小时", "1 h")))
CURVED = tuple(key for key in OVERVIEW_TILES if not METRICS[key].live)
"""Tiles with a past, and so with a curve."""

_IN_A_TAB = {keys[0] for keys in OVERVIEW_CHART if len(keys) == 1}
TABS: dict[str, tuple[str, ...]] = {"+".join(keys): keys for keys in (*OVERVIEW_CHART, *((key,) for key in CURVED if key not in _IN_A_TAB))}
"""Tab key -> metrics. A tile whose metric has no tab of its own in the catalogue gets one at the end, so that a click can show it."""

_WEEKDAYS = (
    T("周一", "Mon"), T("周二", "Tue"), T("周三", "Wed"), T("周四", "Thu"), T("周五", "Fri"), T("周六", "Sat"), T("周日", "Sun"),
)  # fmt: skip


def tab_label(tab: str) -> str:
    return "/".join(str(label_on("overview", key)) for key in TABS[tab])


def complete(key: str, curves: Curves, minute: int) -> Sequence[Value]:
    """Today's values up to the last complete step: a running one looks like a collapse until it is over.

    minute: how many minutes of the store's day have passed.
    """
    values = curves.today.get(key, [])
    return [value if start + curves.step <= minute else None for start, value in zip(curves.minutes, values, strict=False)]


def spark_line(key: str, curves: Curves, minute: int) -> tuple[Value, ...]:
    """What a tile draws: `complete` from its first value to its last, so that the small picture has no empty ends."""
    values = complete(key, curves, minute)
    known = [index for index, value in enumerate(values) if value is not None]
    return tuple(values[known[0] : known[-1] + 1]) if any(values) else ()


def chart_data(tab: str, curves: Curves, minute: int, today: date) -> ChartData:
    """Today against yesterday and, for a single metric, the mean of the same weekdays."""
    keys = TABS[tab]
    single = len(keys) == 1
    lines: list[Series] = []
    for key in reversed(keys):  # the larger of a pair first: its area lies behind the other line
        name = tr("今日", "Today") if single else str(METRICS[key].label)
        lines.append(Series(name, complete(key, curves, minute), "series" if lines else "today"))
    for key in keys:
        name = tr("昨日", "Yesterday") if single else tr(f"昨日{METRICS[key].label}", f"{METRICS[key].label} yesterday")
        if any(value is not None for value in curves.yesterday[key]):
            lines.append(Series(name, curves.yesterday[key], "compare"))
        if single and curves.usual_days:
            weekday = _WEEKDAYS[today.weekday()]
            mean = tr(f"{weekday}均值（{curves.usual_days}）", f"Mean of {curves.usual_days} {weekday}")
            lines.append(Series(mean, curves.usual[key], "mean"))
    metric = curves.settings.metrics[keys[0]]
    limit = metric.warn if metric.warn is not None else metric.target
    return ChartData(
        tuple(lines),
        minutes=tuple(curves.minutes),
        format=short_text(keys[0]),
        threshold=None if limit is None or not single else limit / 100 if metric.unit == "%" else limit,
        threshold_name=tr("目标", "Target") if limit == metric.target else tr("需注意", "Warning"),
        from_zero=metric.unit != "%",
    )


@cache
def short_text(key: str) -> Callable[[Value], str]:
    """`Metric.text` without decimals that are all zero; the same function each time, so that equal charts compare equal."""
    metric = METRICS[key]

    def text(value: Value) -> str:
        shown, percent = metric.text(value), "%" if metric.unit == "%" else ""
        whole, _, decimals = shown.removesuffix("%").partition(".")
        return whole + percent if decimals and not decimals.strip("0") else shown

    return text
