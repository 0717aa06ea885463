"""Presence: from change points to login, serving and suspended time.

Serving is 接待 and 离开 (both take sessions); login is every state but 离线. An interval counts once it is closed by the next change;
the running one is added by whoever reads (`running`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from app.domain.counters import Delta, Key
from app.domain.localtime import LocalTime

STATES = ("available", "away", "suspended", "offline")
AVAILABLE, AWAY, SUSPENDED, OFFLINE = range(4)
Point = tuple[int, int]
"""(at, state)"""


def contribution(agent: int, points: Sequence[Point], local: LocalTime) -> Delta:
    """What a run of consecutive change points adds, the first taken as already known: its own login is not counted again.

    `points` are sorted; the last one's interval is still running and not counted.
    """
    delta: Delta = {}
    for (start, state), (end, following) in pairwise(points):
        spend(delta, agent, state, start, end, local)
        if state == OFFLINE and following != OFFLINE:
            _plus(delta, agent, "logins", 1, *local.day_slot(end))
    return delta


def spend(delta: Delta, agent: int, state: int, start: int, end: int, local: LocalTime) -> None:
    """Adds the time of [start, end) in a state to `delta`, split at slot and day borders."""
    names = counters_of(state)
    if not names:
        return
    for day, slot, ms in local.split(start, end):
        for name in names:
            _plus(delta, agent, name, ms, day, slot)


def counters_of(state: int) -> tuple[str, ...]:
    """The counters that time in a state belongs to."""
    if state == OFFLINE:
        return ()
    return "login_ms", "suspended_ms" if state == SUSPENDED else "serving_ms"


def _plus(delta: Delta, agent: int, name: str, value: int, day: int, slot: int) -> None:
    counts = delta.setdefault(Key(day, slot, agent, 0, 0, 0), {})
    counts[name] = counts.get(name, 0) + value
