"""What is recorded of some days, as a replay takes it (replay.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.events import State
from app.domain.routing.scopes import NewSession

UNKNOWN_HANDLING_MS = 600_000


class HandOver(NamedTuple):
    """To `group` by its turns ("": the one it is in), or to `agent` by hand, who is not "" then.

    handling: ms for which whoever gets it has it, until the next hand-over or the close. pause: not None where it was handed to nobody but
    closed, and its customer went on with the same agent so many ms later.
    """

    agent: str
    group: str
    handling: int
    pause: int | None = None


class Stint(NamedTuple):
    """Who had a session from `at` on. group "": not recorded, so it is that of the plan. by_turn: not chosen by hand."""

    at: int
    agent: str
    group: str
    by_turn: bool = True


class Served(NamedTuple):
    """A session of the 48 hours before the first day that had an agent.

    stints: before the first day, in order. until: when it ends or ended, or is handed over on those days. paused: when it closed before
    its customer went on, with which a stint begins.
    """

    session: NewSession
    stints: Sequence[Stint]
    until: int
    paused: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """What really happened in [start, end), epoch ms: columns of the sessions in order of opening, and presence in order of time.

    handling: ms, of the first agent. left_at: when a customer whom nobody took, then or later, left, else None. agents: who really had it
    last before `end` ("": nobody had by then). waits: ms from opening to the first assignment or, where nobody took it, to the customer's
    leaving; None for leave messages and where neither was before `end`.
    anew: (when, also who served whom) of when it began anew whose turn it was. hand_overs: by session, in order.
    chosen: {session: (at, agent, group)} of what was asked for while it waited.
    presence begins with how everybody stood 48 hours before `start`; before: what was going on since then.
    """

    start: int
    end: int
    sessions: Sequence[NewSession] = ()
    opened: Sequence[int] = ()
    handling: Sequence[int] = ()
    left_at: Sequence[int | None] = ()
    agents: Sequence[str] = ()
    waits: Sequence[int | None] = ()
    presence: Sequence[tuple[int, str, State]] = ()
    before: Sequence[Served] = ()
    hand_overs: Mapping[str, Sequence[HandOver]] = field(default_factory=dict)
    chosen: Mapping[str, tuple[int, str, str]] = field(default_factory=dict)
    anew: Sequence[tuple[int, bool]] = ()

    def is_anybody_here(self) -> bool:
        """At the start or later."""
        standing = {agent: state for at, agent, state in self.presence if at <= self.start}
        later = {state for at, _, state in self.presence if at > self.start}
        return not {*standing.values(), *later} <= {"offline"}


def handling_of(opened: int, assigned: int | None, closed: int | None, median: int | None) -> int:
    """Milliseconds a session keeps its agent; median: of the known ones of its kind, None where none is known."""
    if assigned is not None and closed is not None:
        return max(0, closed - assigned)
    if median is not None:
        return median
    return UNKNOWN_HANDLING_MS if closed is None else max(0, closed - opened)
