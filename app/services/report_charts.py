"""Figures for charts of the history pages, from the same counters and filters as the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from app.domain.conversation import FLAGS
from app.domain.counters import IMPORTED, Counts
from app.domain.localtime import day_date
from app.domain.metrics import IMPORTED_DAYS, METRICS, is_from_files, is_known_by, total
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


def conversion_funnel(
    connection: Connection, asked: Asked, whole: Counts | None = None, keys: Sequence[str] = FUNNEL
) -> dict[str, Value]:  # fmt: skip
    """{metric: value} of `keys`, which are the steps of FUNNEL and rates between them.

    Of the same days at every step: imported days of agents that do not say all of the steps are in none, but steps that nothing says have
    no value. whole: the counters of what is asked, where they are known already.
    """
    counts: Counts | None = dict(total(sums(connection, asked.slice).values()) if whole is None else whole)
    if counts and counts.get(IMPORTED_DAYS):
        counts = _of_days_that_say_all(connection, asked, counts, keys)
    return {key: None if counts is None else METRICS[key].value(counts, asked.window) for key in keys}


def _of_days_that_say_all(connection: Connection, asked: Asked, counts: Counts, keys: Sequence[str]) -> Counts | None:
    """None where all that is counted is left out."""
    gaps = {key: METRICS[key].gaps(asked.window) for key in keys}
    fields = {IMPORTED_DAYS}.union(*gaps.values(), *(METRICS[key].fields(asked.window) for key in keys))
    days = sums(connection, replace(asked.slice, flags=(IMPORTED,)), ("agent_id", "day"), fields=fields).values()
    unsaid = [gaps[key][1] for key in FUNNEL]
    if is_from_files(counts):
        unsaid = [name for name in unsaid if not all(day.get(name) for day in days)]
    partial = total(day for day in days if any(day.get(name) for name in unsaid))
    left = {name: value - partial.get(name, 0) for name, value in counts.items()}
    return None if is_from_files(counts) and not left[IMPORTED_DAYS] else left
