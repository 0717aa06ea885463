"""Replay: what recorded sessions and presence come to under other settings, on the recorded clock.

A pure function of a recording and a plan. Who opened a session, when and with what is as recorded, and so is who was here when; who takes
it is decided by the router (app/domain/routing). How long a session then keeps its agent is what it really took.

The rules where the record does not say:
- Handling is the time from the assignment to the close. A session whose handling is unknown (never assigned, or not closed) takes the
  median of its kind; with none known, the time from its opening to its close, or else ten minutes.
- A hand-over happens again: when its agent has had the session for as long as they really had it, it goes to the group it went to, by that
  group's turns, or to the agent somebody chose by hand; where that agent cannot take it, to one of their group. Where that group is not
  there or closed, it stays where it is. Each later agent keeps it for as long as their like really did. What followed from an agent's going
  offline is no hand-over: it follows here, too.
- A session that closed and was gone on with is closed as long as it was. Then it is with its agent again.
- Who was chosen by hand for a customer who waited gets them at that moment, if they still wait, and so does a group.
- A customer who really left without ever having had an agent leaves at that moment here, too, if nobody has taken them by then.
- What was open when the first day began stays with the agent who really had it. The 48 hours before tell who had served whom, and whose
  turn it is. Customers who were still waiting then are left out. What is undecided when the last day ends stays so.
- Whose turn it is, and who served whom, begins anew where it really did.
- A customer asks for somebody when the session opens or, where messages are told and nobody had it until then, with the first of theirs.
- At the same millisecond sessions close first, then agents come and go, then sessions open.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from operator import eq

from app.domain.events import State
from app.domain.outcomes import AgentLoad, Fate, HalfHour, Likeness, Outcome, Outcomes, Waits, by_group
from app.domain.recording import Recording, Served
from app.domain.routing.router import Decision, NotPossibleError, Router
from app.domain.routing.scopes import NewSession, Plan

HALF_HOUR_MS = 1_800_000
_TELL_EVERY = 5_000
_FOREVER = 1 << 62
_BITS = 24
"""Of a position among the sessions, in what orders their ends."""
_MASK = (1 << _BITS) - 1
_CLOSED, _CAME, _GIVEN = range(3)
"""In what order things happen at the same millisecond."""


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
        self.recording, self._start = recording, recording.start
        self.plan, self._fallback = plan, plan.fallback
        start = self._start
        self._presence = [entry for entry in recording.presence if start < entry[0] < recording.end]
        self._presence.append((_FOREVER, "", "offline"))
        self._next = 0
        self._anew = [each for each in reversed(recording.anew) if each[0] > start]
        self._going_on = going_on = [served for served in recording.before if served.until > start]
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
        self.overflow: Counter[str] = Counter()
        """By the group that the sessions belong to."""
        self.came: dict[int, str] = {}
        """The group that a session belongs to, where it is not the one it went to last."""
        self.handed_over = 0
        self._ahead = {self._position[id]: [*reversed(each)] for id, each in recording.hand_overs.items() if id in self._position}
        """Hand-overs to come, the last first."""
        self._goes_on = self._ahead.keys() | {self._position[id] for id in recording.chosen if id in self._position}
        self._paused: set[int] = set()
        self._keeps: dict[int, int] = {}
        """For how long whoever gets it next has a session that is being handed over."""
        self._held: dict[str, int] = {}
        self.peaks: dict[str, int] = {}
        self._all = self.busiest = 0
        self.busiest_at: int | None = None
        self.busiest_of = [0] * -(-max(0, recording.end - start) // HALF_HOUR_MS)
        self._half_hour, self._border = 0, start + HALF_HOUR_MS
        self._here: set[str] = set()
        self._router = self._begin(plan, going_on)

    def _begin(self, plan: Plan, going_on: Sequence[Served]) -> Router:
        """What went before as it really went: so it is known at `start` who has what, who served whom, and whose turn it is."""
        recording, start = self.recording, self.recording.start
        router = Router(plan, explains=False)
        before, presence = recording.before, recording.presence
        stints = [(each.session, stint) for each in before for stint in each.stints]
        happened = [(stint.at, _GIVEN, number) for number, (_, stint) in enumerate(stints)]
        happened += [
            (each.until, _CLOSED if each.until > each.stints[-1].at else _GIVEN + 1, number)
            for number, each in enumerate(before)
            if each.until <= start
        ]
        happened += [(at, _CLOSED, number) for number, each in enumerate(before) for at in each.paused]
        happened += [(at, _CAME, number) for number, (at, _, _) in enumerate(presence) if at <= start]
        happened.sort()
        for at, what, number in happened:
            if what == _GIVEN:
                session, (_, agent, group, by_turn) = stints[number]
                (router.learn if by_turn else router.taken)(session, agent, group or plan.match(session).group, at)
            elif what == _CAME:
                self._stand(*presence[number][1:])
                router.presence(*presence[number][1:], at)
            else:
                router.closed(before[number].session.id, at)
        for position, each in enumerate(going_on, len(recording.sessions)):
            first, last = each.stints[0], each.stints[-1]
            self.owners[position], self.groups[position], self.given[position] = last.agent, last.group, first.at
            self._end_at(position, each.until)
            if each.session.kind == "leave":
                self.outcomes[position] = "leave"
            else:
                self._hold(position, last.agent, start)
        for moment, forgets in recording.anew:
            if moment == start:
                router.begin_anew(forgets)
        return router

    # What happens

    def open(self, first: int, past: int) -> None:
        """The sessions at these positions, and all that happens before each."""
        recording, router, ending, start = self.recording, self._router, self._ending, self.recording.start
        opened, sessions = recording.opened, recording.sessions
        presence_at = self._presence[self._next][0]
        for position in range(first, past):
            at = opened[position]
            while self._anew and self._anew[-1][0] <= at:
                moment, forgets = self._anew.pop()
                self._until(moment - 1)
                router.begin_anew(forgets)
                presence_at = self._presence[self._next][0]
            if presence_at <= at or (ending and ending[0] >> _BITS <= at - start):
                self._until(at)
                presence_at = self._presence[self._next][0]
            decision = router.opened(sessions[position], at)
            self._settle(position, decision, at)
            if decision.agent is None:
                left, chosen = recording.left_at[position], recording.chosen.get(decision.session)
                if chosen is not None:
                    self._end_at(position, max(at, chosen[0]))
                elif left is not None and decision.outcome == "waited":
                    self._end_at(position, left)

    def finish(self) -> None:
        """All that happens from the last session to the end."""
        end = self.recording.end
        self._until(end - 1)
        self._cross(end)

    def _until(self, at: int) -> None:
        """What closes and who comes and goes, up to and including this moment."""
        ending, start, router = self._ending, self.recording.start, self._router
        while True:
            coming = self._presence[self._next][0]
            ends = start + (ending[0] >> _BITS) if ending else _FOREVER
            if ends <= coming and ends <= at:
                position = heappop(ending) & _MASK
                if self._ends[position] != ends:
                    continue
                if position not in self._goes_on or not self._go_on(position, ends):
                    self._close(position, ends)
            elif coming <= at:
                states = []
                while self._presence[self._next][0] == coming:
                    states.append(self._presence[self._next][1:])
                    self._stand(*states[-1])
                    self._next += 1
                self._settle_all(router.presences(states, coming), coming)
            else:
                return

    def _close(self, position: int, at: int) -> None:
        if self._holding[position]:
            self._let_go(position, at)
        self._settle_all(self._router.closed(self.ids[position], at), at)

    def _go_on(self, position: int, at: int) -> bool:
        """What comes next for a session that does not end yet; False if it does."""
        if position in self._paused:
            self._paused.discard(position)
            self._again(position, at)
        elif self.given[position] is None:
            chosen = self.recording.chosen.get(self.ids[position])
            if chosen is None:
                return False
            self._ends[position] = _FOREVER
            self._hand_over(position, chosen[1], chosen[2], at)
        else:
            ahead = self._ahead.get(position)
            if not ahead:
                return False
            agent, group, keeps, pause = ahead.pop()
            self._ends[position], self._keeps[position] = _FOREVER, keeps
            if pause is None:
                self._hand_over(position, agent, group or self.groups[position], at)
            else:
                self._close(position, at)
                self._paused.add(position)
                self._end_at(position, at + pause)
        return True

    def _hand_over(self, position: int, agent: str, group: str, at: int) -> None:
        decisions = self._asked(position, agent, group, at)
        if decisions:
            self.came.setdefault(position, self.groups[position])
            if self._holding[position]:
                self._let_go(position, at)
        self._settle_all(decisions, at)
        if not decisions:
            self._keep(position, at)

    def _again(self, position: int, at: int) -> None:
        """With the agent it had; where they have gone, with another."""
        agent = self.owners[position]
        assert agent is not None
        self._keep(position, at)
        if self.outcomes[position] != "leave":
            self._hold(position, agent, at)
        self._router.taken(self._session(position), agent, self.groups[position], at, given=False)
        if agent not in self._here:
            self._settle_all(self._router.presence(agent, "offline", at), at)

    def _keep(self, position: int, at: int) -> None:
        """Whoever has it now has it for as long as its next agent really had."""
        keeps = self._keeps.pop(position, None)
        if keeps is not None:
            self._end_at(position, at + keeps)

    def _session(self, position: int) -> NewSession:
        sessions = self.recording.sessions
        return sessions[position] if position < len(sessions) else self._going_on[position - len(sessions)].session

    def _asked(self, position: int, agent: str, group: str, at: int) -> list[Decision]:
        """Nothing where it stays where it is."""
        session, router = self.ids[position], self._router
        if agent:
            if self.owners[position] == agent:
                return []
            try:
                return router.move(session, agent, at)
            except NotPossibleError:
                pass
        try:
            return router.transfer(session, group, at) if group else []
        except NotPossibleError:
            return []

    def _stand(self, agent: str, state: State) -> None:
        if state == "offline":
            self._here.discard(agent)
        else:
            self._here.add(agent)

    # What follows from it

    def _settle_all(self, decisions: Iterable[Decision], at: int) -> None:
        for decision in decisions:
            self._settle(self._position[decision.session], decision, at)

    def _settle(self, position: int, decision: Decision, at: int) -> None:
        self._decided += 1
        _, outcome, group, agent, reason, _, _ = decision
        first = self.given[position] is None
        if not first and self._holding[position]:
            self._let_go(position, at)
        if agent is None:
            if first:
                self.outcomes[position], self.groups[position], self.order[position] = outcome, group, self._decided
            return
        if first:
            self.given[position], self.order[position] = at, self._decided
            self._end_at(position, at + self.recording.handling[position])
            if group == self._fallback:
                came = self.plan.match(self.recording.sessions[position]).group
                if came != group and position not in self.came:  # who was sent there by hand did not overflow
                    self.overflow[came] += 1
                    self.came[position] = came
        else:
            self.came.setdefault(position, self.groups[position])
            self.handed_over += agent != self.owners[position]
            self._keep(position, at)
        self.owners[position], self.groups[position], self.reasons[position] = agent, group, reason
        if reason == "leave":
            self.outcomes[position] = "leave"
        elif self.outcomes[position] != "leave":
            self._hold(position, agent, at)

    def _end_at(self, position: int, at: int) -> None:
        self._ends[position] = at
        since = at - self._start
        heappush(self._ending, (since if since > 0 else 0) << _BITS | position)

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
    for at, owner in zip(given, owners):
        if at is not None and owner is not None:
            by_agent[owner][(at - start) // HALF_HOUR_MS] += 1
    borders = [bisect_left(recording.opened, start + i * HALF_HOUR_MS) for i in range(slots + 1)]
    taken = [sum(figures) for figures in zip([0] * slots, *by_agent.values())]
    not_at_once = [i for i, outcome in enumerate(outcomes) if outcome != "assigned"]
    later = Counter((outcomes[i], (recording.opened[i] - start) // HALF_HOUR_MS) for i in not_at_once)
    came = run.groups[:count]
    for position, group in run.came.items():
        if position < count:
            came[position] = group
    agents = sorted(loads.keys() | run.peaks.keys() | {agent for agent in recording.agents if agent})
    return Outcomes(
        sessions=count,
        assigned=assigned,
        waited=outcomes.count("waited"),
        overflow=run.overflow.total(),
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
                tuple(by_agent.get(agent, [0] * slots)), run.plan.agent(agent).capacity,
            )
            for agent in agents
        ],
        groups=by_group(run.plan, came, outcomes, owners, waits, not_at_once, run.overflow),
        half_hours=[
            HalfHour(start + i * HALF_HOUR_MS, borders[i + 1] - borders[i], taken[i], later["waited", i], later["leave", i], busiest)
            for i, busiest in enumerate(run.busiest_of)
        ],
        likeness=_likeness(recording, owners, outcomes, loads),
        fates=[
            Fate(run.ids[i], run.groups[i], owners[i], outcomes[i], waits[i], run.reasons[i])
            for i in sorted(range(count), key=run.order.__getitem__)
        ]
        if detail
        else [],
    )  # fmt: skip


def _likeness(
    recording: Recording, owners: Sequence[str | None], outcomes: Sequence[Outcome], loads: Counter[str]
) -> Likeness | None:  # fmt: skip
    """None where nobody really had anything. loads: how many sessions each has here."""
    agents, end = recording.agents, recording.end
    real = Counter(agents)
    nobody = real.pop("", 0)
    if not real:
        return None
    if nobody:
        known = ((left is not None and left < end) or agent for agent, left in zip(agents, recording.left_at))
        loads = Counter(owner for owner, counts in zip(owners, known) if owner is not None and counts)
    moved = max((real - loads).total(), (loads - real).total())
    same = sum(map(eq, owners, agents))
    waits = [wait for wait, outcome in zip(recording.waits, outcomes) if wait is not None and outcome != "leave"]
    return Likeness(1 - moved / max(real.total(), loads.total()), same / real.total(), Waits.of(waits))
