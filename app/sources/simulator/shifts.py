"""Who is on duty on a day, and when they come, pause and go."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from app.domain.localtime import DAY_MS, LocalTime
from app.sources.simulator.chance import source
from app.sources.simulator.people import Agent
from app.sources.simulator.plan import PROMOTION_STAFF, Plan, is_promotion, ordinary_staff

Verb = Literal["in", "away", "pause", "meal", "back", "out"]
_MINUTE = 60_000
# Start and end in minutes of the local day. The last end is before midnight, so that no day depends on its eve for who takes sessions.
_EARLY, _MIDDLE, _LATE = (480, 1000), (675, 1230), (915, 1429)
_ROTA = (_LATE, _EARLY, _MIDDLE, _LATE, _EARLY, _MIDDLE, _LATE, _EARLY, _MIDDLE, _LATE)
UNDISTURBED_MS = 75 * _MINUTE
"""For so long after coming in, an agent takes no break."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One agent's day: `moves` are (epoch milliseconds, verb), the first "in", the last "out"."""

    agent: int
    moves: tuple[tuple[int, Verb], ...]


def duty(plan: Plan, agents: tuple[Agent, ...], local: LocalTime, day: int) -> tuple[Shift, ...]:
    """The shifts of a local day. Two days off in seven, a rota that moves every week, more hands on promotion days."""
    rng = source(plan.seed, "duty", day)
    working = [a.index for a in agents if (day + 3 * a.index) % 7 > 1]
    if is_promotion(day):
        wanted = min(plan.agents, round(ordinary_staff(plan) * PROMOTION_STAFF))
        off = [a.index for a in agents if (day + 3 * a.index) % 7 <= 1]
        working = sorted(working + off[: max(0, wanted - len(working))])
    if not working:
        working = [day % plan.agents]
    hours = [_ROTA[(index + day // 7) % len(_ROTA)] for index in working]
    if len(hours) == 1:
        hours = [(_EARLY[0], _LATE[1])]
    else:
        if _EARLY not in hours:
            hours[0] = _EARLY
        if _LATE not in hours:
            hours[-1] = _LATE
    return tuple(Shift(index, _moves(rng, local, day, *span)) for index, span in zip(working, hours))


def wall_clock(local: LocalTime, day: int, ms: int) -> int:
    """Epoch milliseconds at which the clocks on the wall show `ms` after midnight of a local day."""
    guess = day * DAY_MS + ms - local.offset(local.start_of_day(day))
    return day * DAY_MS + ms - local.offset(guess)


def _moves(rng: Random, local: LocalTime, day: int, start: int, end: int) -> tuple[tuple[int, Verb], ...]:
    """Comes around the hour, a short break, a meal, another short break, goes around the hour; a training now and then."""
    rnd = rng.random
    come = start + 30 * int(rnd() * 2.4) * (start == _EARLY[0]) - 6 + 10 * rnd()
    go = min(end - 4 + 8 * rnd(), _LATE[1] + 8)
    plan: list[tuple[float, Verb]] = [(come, "in")]
    for verb, earliest, spread, shortest, longest in _BREAKS:
        if rnd() < (0.85 if verb != "pause" else 0.2):
            pause = come + earliest + spread * rnd()
            length = shortest + (longest - shortest) * rnd()
            if pause + length < go - 30:
                plan += [(pause, verb), (pause + length, "back")]
    plan.append((go, "out"))
    return tuple((wall_clock(local, day, int(minute * _MINUTE)), verb) for minute, verb in plan)


# verb, minutes after coming in: from and spread, shortest and longest
_BREAKS: tuple[tuple[Verb, int, int, int, int], ...] = (
    ("away", 80, 45, 4, 11),
    ("meal", 185, 75, 30, 42),
    ("pause", 305, 30, 14, 22),
    ("away", 360, 60, 4, 11),
)
