"""Figures for charts of the history pages, from the same counters and filters as the tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sqlalchemy import Connection

from app.domain.conversation import FLAGS
from app.domain.counters import Counts
from app.domain.localtime import day_date
from app.domain.metrics import METRICS, is_known_by, total
from app.domain.statistics import Quartiles, quartiles
from app.services.periods import dimension, periods
from app.services.questions import Asked
from app.services.report_kinds import By
from app.storage.queries import Dimension, sums

Value = float | int | None
Band = Quartiles | None
"""Lower quartile, median and upper quartile over agents; None where nobody has a value."""

FUNNEL = ("consults", "received", "presale_customers", "order_customers", "orders")


def team_band(connection: Connection, asked: Asked, metric: str, by: By) -> dict[str, Band]:
    """{period: quartiles over the agents of the team that have any data in it}, for every period of the days asked for."""
    what = asked.slice
    if asked.agent is not None and asked.chosen is None:
        mine = asked.teams[asked.agent]
        mates = tuple(id for id, team in asked.teams.items() if team == mine)
        what = replace(what, agents=mates if mine and len(mates) > 1 else None)
    found = sums(connection, replace(what, agent=None), ("agent_id", dimension(by)), METRICS[metric].percentile is not None)
    cut = periods(by, asked.first, asked.last)
    period_of = {number: period.label for period in cut for number in range(period.first, period.past)}
    gathered: dict[str, dict[int, list[Counts]]] = {period.label: {} for period in cut}
    for (agent, number), counts in found.items():
        if agent:
            gathered[period_of[number]].setdefault(agent, []).append(counts)
    known = is_known_by(metric, asked.parts | {"agent"})
    return {
        label: quartiles(METRICS[metric].value(total(parts), asked.window) for parts in agents.values()) if known else None
        for label, agents in gathered.items()
    }


def heat(connection: Connection, asked: Asked, metric: str, grouped: bool = False) -> list[list[Value]]:
    """[weekday, Monday first][hour]: a count per day of that weekday that has any data, a ratio of all of them together. Imported days
    have no times and are no such days.

    grouped: without what belongs to no group, as the rows of a report of groups.
    """
    what = METRICS[metric]
    parts: dict[tuple[int, int], list[Counts]] = {}
    fields = what.fields(asked.window)
    by: tuple[Dimension, ...] = ("day", "hour", "group_id") if grouped else ("day", "hour")
    for (day, slot, *group), counts in sums(connection, asked.slice, by, what.percentile is not None, fields=fields).items():
        if all(group):
            parts.setdefault((day_date(day).weekday(), slot // 12), []).append(counts)
    timed = asked.slice if asked.slice.assessed else replace(asked.slice, flags=tuple(range(len(FLAGS))))
    having: set[int] = set(sums(connection, timed, ("day",)))
    if grouped:
        having = {day for day, group in sums(connection, asked.slice, ("day", "group_id")) if group}
    days = Counter(day_date(day).weekday() for day in having)
    known = is_known_by(metric, asked.parts)

    def value(weekday: int, hour: int) -> Value:
        if not known or not days[weekday]:
            return None
        found = what.value(total(parts.get((weekday, hour), ())), asked.window)
        return found if found is None or what.is_ratio else found / days[weekday]

    return [[value(weekday, hour) for hour in range(24)] for weekday in range(7)]


def conversion_funnel(connection: Connection, asked: Asked) -> dict[str, Value]:
    """{metric: value} of FUNNEL, in its order."""
    counts = total(sums(connection, asked.slice).values())
    return {key: METRICS[key].value(counts, asked.window) for key in FUNNEL}
