"""Attendance: when agents came, were there and left, by agent and day of the store, from the points at which their state changed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from app.domain.localtime import LocalTime
from app.domain.presence import OFFLINE, STATES, Point
from app.storage import schema

_MANY = 500


class Stay(NamedTuple):
    """Time in one state within one day, epoch ms; `running`: it lasts on, and its time is counted once it has ended."""

    state: str
    start: int
    end: int
    running: bool = False


@dataclass(slots=True)
class Attended:
    """One agent's day. `first_login`: the day's first change from offline, None who stayed on from the day before or never came;
    `last_logout`: the day's last change to offline, None while still there when the day (or the present) ended.
    """

    first_login: int | None = None
    last_logout: int | None = None
    stays: list[Stay] = field(default_factory=list)
    """In order, offline left out."""


def attendance(
    connection: Connection, agents: Collection[int], local: LocalTime, first: int, last: int, at: int
) -> dict[tuple[int, int], Attended]:
    """{(agent, day): attended} of the days first to last, as known at `at`; nothing for a day without a state or a change."""
    start, end = local.start_of_day(first), local.start_of_day(last + 1)
    borders = [local.start_of_day(day) for day in range(first, last + 2)]
    found: dict[tuple[int, int], Attended] = {}
    for agent, points in _points(connection, sorted(agents), start, end, at):
        _follow(found, agent, points, first, borders, min(end, at), at)
    return found


def _follow(
    found: dict[tuple[int, int], Attended], agent: int, points: Sequence[Point], first: int, borders: Sequence[int], end: int, at: int
) -> None:
    state = OFFLINE
    for i, (since, following) in enumerate(points):
        if since >= borders[-1]:
            return
        if since >= borders[0] and (state == OFFLINE) != (following == OFFLINE):
            day = found.setdefault((agent, first + bisect_right(borders, since) - 1), Attended())
            if following == OFFLINE:
                day.last_logout = since
            else:
                day.first_login = since if day.first_login is None else day.first_login
                day.last_logout = None
        state = following
        running = i + 1 == len(points)
        until = end if running else min(end, points[i + 1][0])
        if state != OFFLINE:
            low = max(since, borders[0])
            while low < until:
                index = bisect_right(borders, low) - 1
                high = min(until, borders[index + 1])
                day = found.setdefault((agent, first + index), Attended())
                day.stays.append(Stay(STATES[state], low, high, running))
                if high < until or (running and high < at):
                    day.last_logout = None
                low = high


def _points(connection: Connection, agents: Sequence[int], start: int, past: int, at: int) -> list[tuple[int, list[Point]]]:
    """Every agent's points up to `at`, in their order: from the last one before `start` to the first one not before `past`."""
    p = schema.presence.c
    found: list[tuple[int, list[Point]]] = []
    for low in range(0, len(agents), _MANY):
        some = agents[low : low + _MANY]
        columns, known = select(p.agent_id, p.at, p.state), p.agent_id.in_(some) & (p.at <= at)
        edges = [
            select(p.agent_id, edge.label("at")).where(known, where).group_by(p.agent_id).subquery()
            for edge, where in ((func.max(p.at), p.at < start), (func.min(p.at), p.at >= past))
        ]
        held = columns.where(known, p.at >= start, p.at < past).union_all(
            *(columns.join(edge, (p.agent_id == edge.c.agent_id) & (p.at == edge.c.at)) for edge in edges)
        )
        rows = sorted(tuple(row) for row in connection.execute(held))
        found += [(agent, [(at, state) for _, at, state in of]) for agent, of in groupby(rows, itemgetter(0))]
    return found
