"""The charts beside a report's table: which there are follows from what its rows are, what they show from the answer and the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.metrics import METRICS, Metric, is_known_by, mean_values, total
from app.domain.statistics import Funnel, is_proportion
from app.services.report_kinds import Kind
from ui.pages.history.picture import Picture, name_of
from ui.widgets.chart_data import ChartData, Series
from ui.widgets.metric_text import with_unit
from ui.widgets.order_funnel import FIGURES
from ui.widgets.painted import Entry
from ui.widgets.timeline import DAY_MINUTES, PresenceRow, Stretch

if TYPE_CHECKING:
    from app.services.report_charts import Band
    from app.services.reports import Question, Report, ReportService, Row, Value
    from app.services.workspace import StoreInfo

Chart = Literal["ranking", "funnel", "orders", "trend", "band", "heat", "presence"]
CHARTS: dict[Chart, T] = {
    "presence": T("在线时间轴", "Timeline"),
    "ranking": T("排名", "Ranking"),
    "funnel": T("漏斗图", "Funnel plot"),
    "orders": T("咨询到下单", "To the order"),
    "trend": T("趋势", "Trend"),
    "band": T("与团队比较", "Against the team"),
    "heat": T("按星期和小时", "By weekday and hour"),
}
NO_LIMITS: dict[str, str] = {"first_reply": "reply_30s_rate", "avg_reply": "reply_30s_rate", "session_minutes": ""}
"""Means of times people look for in the funnel, and the rate that answers the same question with limits ("" for none)."""
_FIRST_LOOK = ("reply_30s_rate", "order_amount", "satisfaction", "login_hours", "consults")
"""What a chart shows until another metric is chosen: the first of these that the report has."""


@dataclass(frozen=True)
class Drawing:
    """What one chart shows; only what its kind needs is filled in."""

    chart: Chart
    metric: Metric
    report: Report
    entries: Sequence[Entry] = ()
    funnel: Funnel = field(default_factory=lambda: Funnel(None))
    mean: Value = None
    heat: Sequence[Sequence[Value]] = ()
    steps: Mapping[str, Value] = field(default_factory=dict)
    positions: Sequence[tuple[str, str]] = ()
    """Of a trend: row key and words of each position."""
    data: ChartData = field(default_factory=ChartData)
    band: Sequence[Band] = ()
    presence: Sequence[PresenceRow] = ()
    days: Sequence[date] = ()
    """Of the timeline of several agents: the days there are, of which one is shown."""
    day: date | None = None


def charts_of(kind: Kind) -> tuple[Chart, ...]:
    if kind.rows == "period":
        found: tuple[Chart, ...] = ("band", "heat") if kind.needs_agent else ("trend", "heat")
    elif kind.rows in ("agent", "agent_period"):
        found = ("ranking",)
        if any(is_proportion(METRICS[key]) for key in kind.keys) and kind.rows == "agent":
            found += ("funnel",)
        if "conversion" in kind.keys and kind.rows == "agent":
            found += ("orders",)
    else:
        found = ("heat",)
    return ("presence", *found) if kind.timeline else found


def metrics_of(kind: Kind, chart: Chart) -> tuple[str, ...]:
    """The metrics a chart can show; () for one that shows no single metric."""
    if chart in ("orders", "presence"):
        return ()
    if chart == "funnel":
        return tuple(key for key in kind.keys if is_proportion(METRICS[key]) or key in NO_LIMITS)
    return kind.keys


def first_metric(keys: Sequence[str], wanted: str) -> str:
    if wanted in keys:
        return wanted
    return next((key for key in _FIRST_LOOK if key in keys), keys[0] if keys else "")


def draw(
    what: Picture, chart: Chart, key: str, day: date | None, service: ReportService, store: StoreInfo, asked: Question
) -> Drawing:  # fmt: skip
    """On a worker thread: from the answer held, and from the service what the answer does not hold. day: of the timeline of agents."""
    report = what.report
    metric = replace(what.metrics[key], label=report.label(key)) if key else METRICS["consults"]
    drawing = Drawing(chart, metric, report)
    known = is_known_by(key, report.parts) if key else True
    funnel = what.funnels.get(key, Funnel(None))
    if chart == "ranking" and known:
        people = _people(report)
        mean = mean_values((entry.numbers for entry in people), (key,), report.window)[key]
        return replace(drawing, entries=people, funnel=funnel, mean=mean)
    if chart == "funnel":
        return replace(drawing, entries=_people(report), funnel=funnel)
    if chart == "heat":
        return replace(drawing, heat=service.heat(store, asked, key))
    if chart in ("trend", "band"):
        # A day without anything is a gap: nobody was there to answer slowly or quickly.
        line = [report.values(row.numbers).get(key) if row.numbers else None for row in report.rows]
        band = service.team_band(store, asked, key) if chart == "band" else {}
        positions = [(row.key, period_words(row.label)) for row in report.rows]
        data = _lines(metric, [words for _, words in positions], line)
        return replace(drawing, data=data, positions=positions, band=[band.get(row.key) for row in report.rows])
    if chart == "orders":
        # Of the rows above which it stands: the store's own steps would count sessions that nobody was given, too.
        steps = service.conversion_funnel(store, asked, report.whole, FIGURES)
        return replace(drawing, steps={key: value if is_known_by(key, report.parts) else None for key, value in steps.items()})
    if chart == "presence":
        if report.kind.needs_agent:
            return replace(drawing, presence=[_presence(row, period_words(row.label), report.zone) for row in report.rows])
        days = sorted({row.place.first for row in report.rows if row.place.first is not None})
        shown = day if day in days else days[-1] if days else None
        rows = [_presence(row, name_of(row), report.zone) for row in report.rows if row.place.first == shown]
        return replace(drawing, presence=rows, days=days, day=shown)
    return drawing


def _people(report: Report) -> list[Entry]:
    """One entry an agent, whatever the report cuts their days into."""
    if report.kind.rows == "agent":
        return [Entry(row.key, name_of(row), row.numbers) for row in report.rows]
    rows, gathered = report.rows, dict[str, list[int]]()
    for i, head in enumerate(rows.heads()):
        gathered.setdefault(head, []).append(i)
    return [Entry(code, name_of(rows[at[0]]), total(rows.numbers[i] for i in at)) for code, at in gathered.items()]


def _lines(metric: Metric, labels: Sequence[str], values: Sequence[Value]) -> ChartData:
    warn = metric.warn
    limit = None if warn is None else warn / 100 if metric.unit == "%" else float(warn)
    return ChartData(
        (Series(metric.label, tuple(values), "today"),),
        labels=tuple(labels),
        format=lambda value: with_unit(metric, value),
        threshold=limit,
        threshold_name=tr("需注意", "Warning"),
        from_zero=metric.unit != "%",
    )


def period_words(label: str) -> str:
    """A day without its year, for the foot of a chart; weeks, months and times as they are."""
    return label[5:] if len(label) == 10 else label


def _presence(row: Row, name: str, zone: str) -> PresenceRow:
    return PresenceRow(row.key, name, _stretches(row.extra.get("stays") or (), row.place.first, LocalTime(zone)))


def _stretches(stays: Sequence[Any], day: date | None, local: LocalTime) -> list[Stretch]:
    if day is None:
        return []

    def minute(at: int) -> float:
        there = local.local(at)
        return DAY_MINUTES if there.date() > day else there.hour * 60 + there.minute + there.second / 60

    return [Stretch(minute(stay.start), minute(stay.end), stay.state) for stay in stays]
