"""Replay: what recorded sessions and presence come to under other settings, on the recorded clock.

A pure function of a recording and a plan. Who opened a session, when and with what is as recorded, and so is who was here when; who takes
it is decided by the router (app/domain/routing). How long a session then keeps its agent is what it really took.

The rules where the record does not say:
- Handling is the time from the assignment to the close. It begins with the first agent; a hand-over does not prolong it. A session whose
  handling is unknown (never assigned, or not closed) takes the median of its kind; with none known, the time from its opening to its
  close, or else ten minutes.
- A customer who really left without ever having had an agent leaves at that moment here, too, if nobody has taken them by then.
- What was open when the first day began stays with the agent who really had it. The 48 hours before tell who had served whom, and whose
  turn it is. Customers who were still waiting then are left out. What is undecided when the last day ends stays so.
- A customer asks for somebody when the session opens or, where messages are told and nobody had it until then, with the first of theirs.
- At the same millisecond sessions close first, then agents come and go, then sessions open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from operator import itemgetter
from typing import Literal, NamedTuple

from app.domain.events import State
from app.domain.routing.router import Decision, Router
from app.domain.routing.scopes import NewSession, Plan

HALF_HOUR_MS = 1_800_000
UNKNOWN_HANDLING_MS = 600_000
_TELL_EVERY = 5_000
_FOREVER = 1 << 62
_BITS = 24
"""Of a position among the sessions, in what orders their ends."""
_MASK = (1 << _BITS) - 1
_CLOSED, _CAME, _GIVEN = range(3)
"""In what order things happen at the same millisecond."""
Outcome = Literal["assigned", "waited", "leave"]


class Served(NamedTuple):
    """A session of the 48 hours before the first day that had an agent. group "": not recorded, so it is that of the plan.

    given_at: when they got it; until: when it ends or ended.
    """

    session: NewSession
    group: str
    agent: str
    given_at: int
    until: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What really happened in [start, end), epoch ms: columns of the sessions in order of opening, and presence in order of time.

    handling: ms. left_at: when a customer whom nobody took left, else None. agents: who really had it last ("": nobody by `end`);
    waits: ms from opening to the assignment, None where nobody took it, where it was a leave message or was handed over.
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

    def is_anybody_here(self) -> bool:
        """At the start or later."""
        standing = {agent: state for at, agent, state in self.presence if at <= self.start}
        later = {state for at, _, state in self.presence if at > self.start}
        return not {*standing.values(), *later} <= {"offline"}


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

    half_hours: their sessions by when they were given to them, one figure for each half hour of the replay.
    """

    agent: str
    sessions: int
    peak: int
    share: float
    half_hours: tuple[int, ...] = ()


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
    """How closely a replay comes to what really happened.

    loads: share of the assigned sessions that need not change hands for every agent to have as many as they really had.
    same_agent: share of those really taken that the same agent had. real_waits: what the waits really were.
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
    half_hours: list[HalfHour] = field(default_factory=list)
    likeness: Likeness | None = None
    fates: list[Fate] = field(default_factory=list)


def handling_of(opened: int, assigned: int | None, closed: int | None, median: int | None) -> int:
    """Milliseconds a session keeps its agent; median: of the known ones of its kind, None where none is known."""
    if assigned is not None and closed is not None:
        return max(0, closed - assigned)
    if median is not None:
        return median
    return UNKNOWN_HANDLING_MS if closed is None else max(0, closed - opened)


def replay(
    recording: Recording, plan: Plan, detail: bool = False, tell: Callable[[int], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Outcomes | None:  # fmt: skip
    """Runs a recording under a plan; the same always gives the same. None when `stopped()`, asked every few thousand sessions, says so.

    detail: also what became of each session, in order of decision. tell(sessions done so far). Raises ValueError for a session that is
    recorded twice.
    """
    run = _Run(recording, plan)
    total = len(recording.sessions)
    for first in range(0, total, _TELL_EVERY):
        if stopped is not None and stopped():
            return None
        last = min(total, first + _TELL_EVERY)
        run.open(first, last)
        if tell is not None:
            tell(last)
    run.finish()
    return _outcomes(run, detail)


class _Run:
    """One pass. A session is known by its position: those of the recording, then those that were going on when it began."""

    def __init__(self, recording: Recording, plan: Plan) -> None:
        self.recording = recording
        self._plan, self._fallback = plan, plan.fallback
        start = recording.start
        self._presence = [entry for entry in recording.presence if start < entry[0] < recording.end]
        self._presence.append((_FOREVER, "", "offline"))
        self._next = 0
        going_on = [served for served in recording.before if served.until > start]
        self.ids = [session.id for session in recording.sessions] + [served.session.id for served in going_on]
        self._position = {id: position for position, id in enumerate(self.ids)}
        room = len(self.ids)
        if len(self._position) != room:
            raise ValueError("a session is recorded twice")
        self.owners: list[str | None] = [None] * room
        """Who had it last."""
        self.groups = [""] * room
        self.given: list[int | None] = [None] * room
        """When it got its first agent."""
        self.reasons: list[str | None] = [None] * room
        self.outcomes: list[Outcome] = ["assigned"] * room
        self.order = [0] * room
        """When what became of it was decided, by a count of all decisions."""
        self._decided = 0
        self._holding = [False] * room
        """An agent has it and it takes up capacity."""
        self._ends = [_FOREVER] * room
        """When it closes, or its customer leaves; what lies in the heap for another moment is out of date."""
        self._ending: list[int] = []
        """A heap of what ends: (when − start) and the position, in one number, which orders several times faster than a pair."""
        self.overflow = self.handed_over = 0
        self._held: dict[str, int] = {}
        self.peaks: dict[str, int] = {}
        self._all = self.busiest = 0
        self.busiest_at: int | None = None
        self.busiest_of = [0] * -(-max(0, recording.end - start) // HALF_HOUR_MS)
        self._half_hour, self._border = 0, start + HALF_HOUR_MS
        self._router = self._begin(plan, going_on)

    def _begin(self, plan: Plan, going_on: Sequence[Served]) -> Router:
        """What went before as it really went: so it is known at `start` who has what, who served whom, and whose turn it is."""
        recording, start = self.recording, self.recording.start
        router = Router(plan, explains=False)
        happened: list[tuple[int, int, Callable[[], object]]] = []
        for each in recording.before:
            group = each.group or plan.match(each.session).group
            happened.append((each.given_at, _GIVEN, partial(router.learn, each.session, each.agent, group, each.given_at)))
            if each.until <= start:
                order = _CLOSED if each.until > each.given_at else _GIVEN
                happened.append((each.until, order, partial(router.closed, each.session.id, each.until)))
        happened += [(at, _CAME, partial(router.presence, agent, state, at)) for at, agent, state in recording.presence if at <= start]
        for _, _, happen in sorted(happened, key=itemgetter(0, 1)):
            happen()
        for position, each in enumerate(going_on, len(recording.sessions)):
            self.owners[position], self.given[position] = each.agent, each.given_at
            self._end_at(position, each.until)
            if each.session.kind != "leave":
                self._hold(position, each.agent, start)
        return router

    # What happens

    def open(self, first: int, past: int) -> None:
        """The sessions at these positions, and all that happens before each."""
        recording, router, ending, start = self.recording, self._router, self._ending, self.recording.start
        opened, sessions = recording.opened, recording.sessions
        presence_at = self._presence[self._next][0]
        for position in range(first, past):
            at = opened[position]
            if presence_at <= at or (ending and ending[0] >> _BITS <= at - start):
                self._until(at)
                presence_at = self._presence[self._next][0]
            decision = router.opened(sessions[position], at)
            self._settle(position, decision, at)
            if decision.agent is None and decision.outcome == "waited":
                left = recording.left_at[position]
                if left is not None:
                    self._end_at(position, left)

    def finish(self) -> None:
        """All that happens from the last session to the end."""
        end = self.recording.end
        self._until(end - 1)
        self._cross(end)

    def _until(self, at: int) -> None:
        """What closes and who comes and goes, up to and including this moment."""
        ending, start, router, position_of = self._ending, self.recording.start, self._router, self._position
        while True:
            coming = self._presence[self._next][0]
            ends = start + (ending[0] >> _BITS) if ending else _FOREVER
            if ends <= coming and ends <= at:
                position = heappop(ending) & _MASK
                if self._ends[position] != ends:
                    continue
                if self._holding[position]:
                    self._let_go(position, ends)
                for decision in router.closed(self.ids[position], ends):
                    self._settle(position_of[decision.session], decision, ends)
            elif coming <= at:
                moment, agent, state = self._presence[self._next]
                self._next += 1
                for decision in router.presence(agent, state, moment):
                    self._settle(position_of[decision.session], decision, moment)
            else:
                return

    # What follows from it

    def _settle(self, position: int, decision: Decision, at: int) -> None:
        self._decided += 1
        _, outcome, group, agent, reason, _, _ = decision
        first = self.given[position] is None
        if not first:
            self.handed_over += 1
            if self._holding[position]:
                self._let_go(position, at)
        if agent is None:
            if first:
                self.outcomes[position], self.groups[position], self.order[position] = outcome, group, self._decided
            return
        self.owners[position], self.groups[position], self.reasons[position] = agent, group, reason
        if first:
            self.given[position], self.order[position] = at, self._decided
            self._end_at(position, at + self.recording.handling[position])
            if group == self._fallback and self._plan.match(self.recording.sessions[position]).group != group:
                self.overflow += 1
        if reason == "leave":
            self.outcomes[position] = "leave"
        else:
            self._hold(position, agent, at)

    def _end_at(self, position: int, at: int) -> None:
        self._ends[position] = at
        heappush(self._ending, max(0, at - self.recording.start) << _BITS | position)

    def _hold(self, position: int, agent: str, at: int) -> None:
        if at >= self._border:
            self._cross(at)
        self._holding[position] = True
        held = self._held[agent] = self._held.get(agent, 0) + 1
        if held > self.peaks.get(agent, 0):
            self.peaks[agent] = held
        self._all += 1
        if self._all > self.busiest_of[self._half_hour]:
            self.busiest_of[self._half_hour] = self._all
            if self._all > self.busiest:
                self.busiest, self.busiest_at = self._all, at

    def _let_go(self, position: int, at: int) -> None:
        if at >= self._border:
            self._cross(at)
        self._holding[position] = False
        owner = self.owners[position]
        assert owner is not None
        self._held[owner] -= 1
        self._all -= 1

    def _cross(self, at: int) -> None:
        """Into the half hour of a moment: what goes on at its beginning counts in it."""
        past = min(len(self.busiest_of), (at - self.recording.start) // HALF_HOUR_MS + 1)
        while self._half_hour + 1 < past:
            self._half_hour += 1
            self.busiest_of[self._half_hour] = self._all
        self._border = self.recording.start + (self._half_hour + 1) * HALF_HOUR_MS


def _outcomes(run: _Run, detail: bool) -> Outcomes:
    recording = run.recording
    count, start, end = len(recording.sessions), recording.start, recording.end
    owners, outcomes, given = run.owners[:count], run.outcomes[:count], run.given[:count]
    waits = [
        (left if left is not None and left < end else end) - opened if at is None else at - opened
        for at, opened, left in zip(given, recording.opened, recording.left_at)
    ]
    loads = Counter(owner for owner in owners if owner is not None)
    assigned = loads.total()
    slots = len(run.busiest_of)
    by_agent: dict[str, list[int]] = {agent: [0] * slots for agent in loads}
    taken, opened, waited, left = ([0] * slots for _ in range(4))
    for at, begun, owner, outcome in zip(given, recording.opened, owners, outcomes):
        of = (begun - start) // HALF_HOUR_MS
        opened[of] += 1
        waited[of] += outcome == "waited"
        left[of] += outcome == "leave"
        if at is not None and owner is not None:
            taken[(at - start) // HALF_HOUR_MS] += 1
            by_agent[owner][(at - start) // HALF_HOUR_MS] += 1
    agents = sorted(loads.keys() | run.peaks.keys() | {agent for agent in recording.agents if agent})
    return Outcomes(
        sessions=count,
        assigned=assigned,
        waited=outcomes.count("waited"),
        overflow=run.overflow,
        leave=outcomes.count("leave"),
        returning=run.reasons[:count].count("returning"),
        handed_over=run.handed_over,
        unassigned=count - assigned,
        waits=Waits.of([wait for wait, outcome in zip(waits, outcomes) if outcome != "leave"]),
        busiest=run.busiest,
        busiest_at=run.busiest_at,
        agents=[
            AgentLoad(
                agent, loads[agent], run.peaks.get(agent, 0), loads[agent] / assigned if assigned else 0.0,
                tuple(by_agent.get(agent, [0] * slots)),
            )
            for agent in agents
        ],
        half_hours=[
            HalfHour(start + i * HALF_HOUR_MS, *figures)
            for i, figures in enumerate(zip(opened, taken, waited, left, run.busiest_of))
        ],
        likeness=_likeness(recording, owners, loads),
        fates=[
            Fate(run.ids[i], run.groups[i], owners[i], outcomes[i], waits[i], run.reasons[i])
            for i in sorted(range(count), key=run.order.__getitem__)
        ]
        if detail
        else [],
    )  # fmt: skip


def _likeness(recording: Recording, owners: Sequence[str | None], loads: Counter[str]) -> Likeness | None:
    """None where nobody really had anything."""
    real = Counter(agent for agent in recording.agents if agent)
    if not real:
        return None
    moved = max((real - loads).total(), (loads - real).total())
    same = sum(1 for owner, agent in zip(owners, recording.agents) if agent and owner == agent)
    return Likeness(
        1 - moved / max(real.total(), loads.total()), same / real.total(), Waits.of([wait for wait in recording.waits if wait is not None])
    )
