"""What a replay (replay.py) comes to: figures of all, of each agent, of each group and of each half hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from app.domain.routing.scopes import NO_GROUP, Plan

Outcome = Literal["assigned", "waited", "leave"]


class Fate(NamedTuple):
    """What became of a session. assigned: at once. waited: it had to wait. leave: it was, or became, a leave message.

    agent: who had it last, None if nobody. wait_ms: until its first agent, or as long as it waited. reason: of its last assignment.
    """

    session: str
    group: str
    agent: str | None
    outcome: Outcome
    wait_ms: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class AgentLoad:
    """sessions: that they had last, as reports count. peak: most held at once, without leave messages. share: of all that had an agent.

    half_hours: their sessions by when they were given to them, one figure for each half hour of the replay. capacity: what they may hold
    at once, None without limit; the peak can be higher (docs/decisions/0015).
    """

    agent: str
    sessions: int
    peak: int
    share: float
    half_hours: tuple[int, ...] = ()
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class GroupLoad:
    """Of the sessions that belong to a group by the scopes, whoever took them; group "": to none.

    assigned: that had an agent. overflow: that the fallback group took because nobody here was free. mean_wait, longest_wait: seconds, of
    all online ones that did not become leave messages, 0 for those taken at once; None where there are none.
    """

    group: str
    name: str
    sessions: int = 0
    assigned: int = 0
    overflow: int = 0
    waited: int = 0
    leave: int = 0
    mean_wait: float | None = None
    longest_wait: float | None = None


@dataclass(frozen=True, slots=True)
class HalfHour:
    """From `at` on. busiest: most sessions held by all agents at once; waited: of those opened in it, how many had to wait."""

    at: int
    opened: int
    assigned: int
    waited: int
    leave: int
    busiest: int


@dataclass(frozen=True, slots=True)
class Waits:
    """Of all online sessions that did not become leave messages, 0 for those taken at once; seconds, P90 as the nearest rank."""

    mean: float | None
    p90: float | None
    longest: float | None

    @classmethod
    def of(cls, waits: Sequence[int]) -> Waits:
        """waits: ms."""
        if not waits:
            return cls(None, None, None)
        ordered = sorted(waits)
        return cls(sum(ordered) / len(ordered) / 1000, ordered[-(-len(ordered) * 9 // 10) - 1] / 1000, ordered[-1] / 1000)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How closely a replay comes to what really happened by the end of the recording.

    It is about the sessions of which that is known: who really had an agent by then, and who left by then without one. What was still
    undecided, and given to somebody later or never, says nothing about either.

    loads: of the sessions that somebody had, really or here (whichever are more), the share that need not change hands for every agent to
    have as many as they really had. same_agent: share of those that really had an agent whom the same had last here.
    real_waits: what the waits really were of those who do not become leave messages, as those of the replay are counted.
    """

    loads: float
    same_agent: float
    real_waits: Waits


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a recording comes to under a plan. assigned: sessions with an agent, also after waiting, also leave messages.

    overflow: sessions that went to the fallback group because nobody in their own was free. unassigned: that nobody had by the end.
    busiest: most sessions held at once by all agents together, first at `busiest_at` (None: there were none).
    """

    sessions: int
    assigned: int
    waited: int
    overflow: int
    leave: int
    returning: int
    handed_over: int
    unassigned: int
    waits: Waits
    busiest: int
    busiest_at: int | None
    agents: list[AgentLoad] = field(default_factory=list)
    groups: list[GroupLoad] = field(default_factory=list)
    half_hours: list[HalfHour] = field(default_factory=list)
    likeness: Likeness | None = None
    fates: list[Fate] = field(default_factory=list)


def by_group(
    plan: Plan, came: Sequence[str], outcomes: Sequence[Outcome], owners: Sequence[str | None], waits: Sequence[int],
    not_at_once: Sequence[int], overflow: Mapping[str, int],
) -> list[GroupLoad]:  # fmt: skip
    """One for each group of the plan, in its order, then what belongs to none, if there is any.

    Columns of the sessions: came, the group that each belongs to; waits in ms. not_at_once: positions of all that nobody took at once.
    overflow: by group.
    """
    sessions = Counter(came)
    waited, leave, nobody, waiting, longest = (Counter[str]() for _ in range(5))
    for i in not_at_once:
        group, wait = came[i], waits[i]
        nobody[group] += owners[i] is None
        if outcomes[i] == "leave":
            leave[group] += 1
        else:
            waited[group] += 1
            waiting[group] += wait
            longest[group] = max(longest[group], wait)
    found = []
    names = [(group.code, group.name) for group in plan.groups.values()]
    for code, name in [*names, (NO_GROUP, "")] if sessions[NO_GROUP] else names:
        count, online = sessions[code], sessions[code] - leave[code]
        mean, most = (waiting[code] / online / 1000, longest[code] / 1000) if online else (None, None)
        over = overflow.get(code, 0)
        found.append(GroupLoad(code, name, count, count - nobody[code], over, waited[code], leave[code], mean, most))
    return found
