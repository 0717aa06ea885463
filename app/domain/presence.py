"""Presence: from change points to login, serving and suspended time.

Serving is 接待 and 离开 (both take sessions); login is every state but 离线. An interval counts once it is closed by the next change;
the running one is added by whoever reads (`running`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.domain.counters import Delta, Key
from app.domain.localtime import DAY_MS, LocalTime

STATES = ("available", "away", "suspended", "offline")
AVAILABLE, AWAY, SUSPENDED, OFFLINE = range(4)
_AT_ONCE = 7 * DAY_MS
Point = tuple[int, int]
"""(at, state)"""


def contribution(agent: int, points: Sequence[Point], local: LocalTime) -> Delta:
    """What a run of consecutive change points adds, the first taken as already known: its own login is not counted again.

    `points` are sorted; the last one's interval is still running and not counted.
    """
    delta: Delta = {}
    for (start, state), (end, _) in pairwise(points):
        spend(delta, agent, state, start, end, local)
    _logins(delta, agent, points, local)
    return delta


def _logins(delta: Delta, agent: int, points: Sequence[Point], local: LocalTime, sign: int = 1) -> None:
    for (_, state), (at, following) in pairwise(points):
        if state == OFFLINE and following != OFFLINE:
            _plus(delta, agent, "logins", sign, *local.day_slot(at))


def changes(agent: int, before: Sequence[Point], after: Sequence[Point], local: LocalTime) -> Iterator[Delta]:
    """contribution(after) − contribution(before), some days at a time; both are as there.

    Only what differs is split: a word in the middle of years without any costs no more than the part that it changes.
    """
    logins: Delta = {}
    _logins(logins, agent, before, local, -1)
    _logins(logins, agent, after, local, 1)
    yield logins
    for start, end, was, now in _differing(before, after):
        at = start
        while at < end:
            delta: Delta = {}
            stop = min(end, at + _AT_ONCE)
            spend(delta, agent, was, at, stop, local, -1)
            spend(delta, agent, now, at, stop, local)
            yield delta
            at = stop


def _differing(before: Sequence[Point], after: Sequence[Point]) -> Iterator[tuple[int, int, int, int]]:
    """(start, end, state before, state after) of the intervals whose state is another; outside its points a run is offline."""
    cuts = sorted({at for at, _ in (*before, *after)})
    for start, end, was, now in zip(cuts, cuts[1:], _states(before, cuts), _states(after, cuts)):
        if was != now:
            yield start, end, was, now


def _states(points: Sequence[Point], cuts: Sequence[int]) -> Iterator[int]:
    """The state from each of the cuts on, of which every point is one."""
    state, following = OFFLINE, 0
    for cut in cuts:
        while following < len(points) and points[following][0] <= cut:
            state = points[following][1]
            following += 1
        yield state if following < len(points) else OFFLINE


def spend(delta: Delta, agent: int, state: int, start: int, end: int, local: LocalTime, sign: int = 1) -> None:
    """Adds the time of [start, end) in a state to `delta`, split at slot and day borders."""
    names = counters_of(state)
    if not names:
        return
    for day, slot, ms in local.split(start, end):
        for name in names:
            _plus(delta, agent, name, sign * ms, day, slot)


def counters_of(state: int) -> tuple[str, ...]:
    """The counters that time in a state belongs to."""
    if state == OFFLINE:
        return ()
    return "login_ms", "suspended_ms" if state == SUSPENDED else "serving_ms"


def _plus(delta: Delta, agent: int, name: str, value: int, day: int, slot: int) -> None:
    counts = delta.setdefault(Key(day, slot, agent, 0, 0, 0), {})
    counts[name] = counts.get(name, 0) + value
