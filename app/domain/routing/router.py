"""The router: decides for each session who takes it, and says why.

A pure machine: the same plan and the same calls always give the same decisions. It knows no clock, no storage and no thread; times are
epoch milliseconds, and one that lies before an earlier one is taken to be as late as that.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from app.domain.events import Reason, State
from app.domain.kinds import fill, same
from app.domain.language import T
from app.domain.routing.reasons import Why
from app.domain.routing.scopes import NO_GROUP, GroupPlan, NewSession, Plan
from app.domain.routing.state import TAKING, Agent, Box, Group, Held, Seat

RETURNING_MS = 48 * 3_600_000
"""For how long a customer comes back to the agent who served them last in a group."""
Outcome = Literal["assigned", "waited", "leave"]
_DESIGNATED = ""
"""Whose turns those of the designated agents are, among those of the groups."""


class Decision(NamedTuple):
    """assigned: `agent` has the session, by `reason`. waited: it waits in `group`. leave: it is a leave message that waits for somebody.

    group "": none takes it. reasons: why (reasons.py puts them into words); () where nobody asked for them.
    """

    session: str
    outcome: Outcome
    group: str
    agent: str | None
    reason: Reason | None
    at: int
    reasons: tuple[Why, ...]


class NotPossibleError(ValueError):
    """A command that cannot be carried out; `sentence` says why."""

    def __init__(self, sentence: T) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


class Router:
    """Sessions, agents and whose turn it is. No session that could be taken waits: every call settles all that follows from it.

    explains: decisions tell their reasons. Without, they are the same and cost about half.
    """

    def __init__(self, plan: Plan, explains: bool = True) -> None:
        self._explains = explains
        self._agents: dict[str, Agent] = {}
        self._sessions: dict[str, Held] = {}
        self._served: OrderedDict[tuple[str, str], tuple[str, int]] = OrderedDict()
        """(customer, group) → (agent, at), the longest ago first."""
        self._now = 0
        self._number = 0
        self._build(plan, {}, {})

    def __contains__(self, session: str) -> bool:
        """Whether it is open."""
        return session in self._sessions

    # What happens

    def opened(self, session: NewSession, at: int) -> Decision:
        """Raises ValueError for a session that is open already."""
        if session.id in self._sessions:
            raise ValueError(f"{session.id!r} is open already")
        at = self._time(at)
        self._number += 1
        held = self._sessions[session.id] = Held(session, at, self._number)
        return self._route(held, at, self._because(("left_message",)) if held.left else self._because(), new=True)

    def closed(self, session: str, at: int) -> list[Decision]:
        """Nothing for a session that is not open."""
        at = self._time(at)
        held = self._sessions.pop(session, None)
        if held is None:
            return []
        agent = self._release(held, at)
        return [] if agent is None else self._fill(agent, at)

    def taken(self, session: NewSession, agent: str, group: str, at: int) -> list[Decision]:
        """Somebody else has given a session to an agent: it is part of their load, and stays with them when they go offline."""
        at = self._time(at)
        held, before = self._sessions.get(session.id), None
        if held is None:
            self._number += 1
            held = self._sessions[session.id] = Held(session, at, self._number)
        else:
            before = self._release(held, at)
            held.left = session.kind == "leave"
        held.pinned, held.given = "", True
        self._hold(held, group, agent, at)
        return [] if before is None else self._fill(before, at)

    def remember(self, customer: str, group: str, agent: str, at: int) -> None:
        """Who served a customer last in a group before this router was there."""
        if (customer, group) not in self._served:
            self._served[customer, group] = agent, at
            self._served.move_to_end((customer, group), last=False)

    def presence(self, agent: str, state: State, at: int) -> list[Decision]:
        """Who comes takes what waits; whoever goes offline leaves their sessions to the others."""
        at = self._time(at)
        a = self._agent(agent)
        if a.state == "offline" and state != "offline":
            a.since = at
        self._online += (state != "offline" and a.plan.receives) - a.online
        a.state = state
        self._attend(a)
        self._settle(a)
        if state != "offline":
            return self._fill(a, at)
        held = sorted((found for session in a.holds if not (found := self._sessions[session]).given), key=Held.place)
        for each in held:
            self._release(each, at)
            each.handed = True
        return [self._route(each, at, self._because(("went_offline", agent))) for each in held]

    def reconfigure(self, plan: Plan, at: int) -> list[Decision]:
        """Another plan from now on. Who has an agent keeps them; who waits is matched again, and told of if that changed anything."""
        at = self._time(at)
        for held in self._sessions.values():
            if held.pinned and not (held.pinned in plan.groups and plan.groups[held.pinned].open):
                held.pinned = ""
        waiting = sorted((held for held in self._sessions.values() if held.agent is None), key=Held.place)
        self._build(plan, *self._turns())
        found = []
        for held in waiting:
            before = held.group
            decision = self._route(held, at, self._because(("reconfigured",)))
            if decision.agent is not None or decision.group != before:
                found.append(decision)
        return found

    # What a supervisor commands

    def suspend(self, agent: str, at: int) -> list[Decision]:
        """Nothing changes for one who is offline or suspended already."""
        return self.presence(agent, "suspended", at) if self._agent(agent).state in TAKING else []

    def resume(self, agent: str, at: int) -> list[Decision]:
        """Nothing changes for one who is not suspended."""
        return self.presence(agent, "available", at) if self._agent(agent).state == "suspended" else []

    def move(self, session: str, agent: str, at: int) -> list[Decision]:
        """To an agent, whatever their weight and load. Raises NotPossibleError."""
        held = self._open(session)
        a = self._agent(agent)
        if not a.takes:
            what = T("{0} 现在不能接转接（挂起、离线或不接待）", "{0} cannot take transfers now: suspended, offline or not receiving")
            raise NotPossibleError(fill(what, a.plan.name))
        if held.agent == agent:
            raise NotPossibleError(fill(T("会话已在 {0} 处", "{0} has the session already"), a.plan.name))
        at = self._time(at)
        before = self._release(held, at)
        held.handed = held.handed or before is not None
        moved = self._assign(held, held.group, agent, "manual", self._because(("by_hand", agent)), at)
        return [moved] if before is None else [moved, *self._fill(before, at)]

    def transfer(self, session: str, group: str, at: int) -> list[Decision]:
        """To a group, by its rules; to another agent than before if there is one. Whoever waits for that agent comes first.

        The last decision is about the session. Raises NotPossibleError.
        """
        held = self._open(session)
        target = self._groups.get(group)
        if target is None:
            raise NotPossibleError(fill(T("没有编号为 {0} 的咨询组", "there is no group {0}"), group))
        if not target.plan.open:
            raise NotPossibleError(fill(T("「{0}」的入口已关闭", "the entry of {0} is closed"), target.plan.name))
        at = self._time(at)
        before = self._release(held, at)
        held.handed = held.handed or before is not None
        held.pinned = group
        filled = [] if before is None else self._fill(before, at)
        return [*filled, self._route(held, at, self._because(), before)]

    # State that survives a restart

    def to_json(self) -> str:
        """Everything but the plan."""
        rotations, turns = self._turns()
        return json.dumps(
            {
                "now": self._now,
                "number": self._number,
                "agents": [[a.code, a.state, a.since] for _, a in sorted(self._agents.items()) if a.state != "offline"],
                "sessions": [
                    [*_facts(held.session), held.at, held.number, held.group, held.agent, held.left, held.handed, held.pinned, held.given]
                    for held in self._sessions.values()
                ],
                "served": [[*key, *value] for key, value in self._served.items()],
                "rotations": rotations,
                "turns": turns,
            },
            ensure_ascii=False,
        )

    def turns(self) -> str:
        """The part of it that nothing else tells: whose turn it is."""
        rotations, turns = self._turns()
        return json.dumps({"rotations": rotations, "turns": turns}, ensure_ascii=False)

    @classmethod
    def from_json(cls, plan: Plan, text: str, explains: bool = True) -> Router:
        """As it was at `to_json`. With another plan than then, call `reconfigure` with it before anything else."""
        held: dict[str, Any] = json.loads(text)
        router = cls(plan, explains)
        router._now, router._number = held["now"], held["number"]
        for code, state, since in held["agents"]:
            agent = router._agent(code)
            agent.state, agent.since = state, since
        for id_, customer, kind, page, sku, region, order_state, tags, at, number, *standing in held["sessions"]:
            session = Held(NewSession(id_, customer, kind, page, sku, region, order_state, tuple(tags)), at, number)
            session.group, session.agent, session.left, session.handed, session.pinned, session.given = standing
            router._sessions[id_] = session
        router._served.update(((customer, group), (agent, at)) for customer, group, agent, at in held["served"])
        router._build(plan, held["rotations"], held["turns"])
        for session in router._sessions.values():
            if session.agent is None:
                router._queue(session)
        return router

    # How it is decided. why: what is to be told of it so far, None where nobody asked.

    def _because(self, *reasons: Why) -> list[Why] | None:
        return list(reasons) if self._explains else None

    def _route(self, held: Held, at: int, why: list[Why] | None, avoid: Agent | None = None, new: bool = False) -> Decision:
        """Finds a group and in it an agent for a session that has none and is in no queue."""
        if held.pinned:
            held.group = held.pinned
            if why is not None:
                why.append(("handed_to", held.group))
        else:
            matched = self.plan.match(held.session)
            held.group = matched.group
            if why is not None:
                why += matched.reasons
        if held.left:
            return self._leave(held, at, why)
        group = self._groups.get(held.group, self._limbo)
        if group is not self._limbo:
            if why is not None:
                why += group.roster()
            if len(group.rotation):
                return self._choose(held, group, at, why, avoid)
        beyond = self._beyond(group)
        if beyond is not None:
            if why is not None:
                why += (("overflow", held.group, beyond.plan.code), *beyond.roster())
            if len(beyond.rotation):
                return self._choose(held, beyond, at, why, avoid)
        if new and not self._online:
            held.left = True
            if why is not None:
                why.append(("nobody_online",))
            return self._leave(held, at, why)
        if why is not None:
            if not group.plan.overflow and self.plan.fallback not in (None, held.group):
                why.append(("no_overflow", held.group))
            if held.group != NO_GROUP:
                why.append(("in_line", held.group, len(group.queue)))
        self._queue(held)
        return _decided(held, "waited", held.group, None, None, at, why)

    def _choose(self, held: Held, group: Group, at: int, why: list[Why] | None, avoid: Agent | None = None) -> Decision:
        """In a group in which somebody is free."""
        rotation, code = group.rotation, group.plan.code
        if avoid is not None and avoid.code in rotation and len(rotation) > 1:
            rotation.drop(avoid.code)
        last = self._served.get((held.session.customer, code))
        chosen: str | None = None
        if last is not None and at - last[1] <= RETURNING_MS:
            if last[0] in rotation:
                chosen = last[0]
                if why is not None:
                    why.append(("returning", chosen, at - last[1]))
            elif why is not None and (avoid is None or last[0] != avoid.code):
                why.append(("not_returning", last[0], group.standing(last[0])))
        reason: Reason = "returning"
        if chosen is None:
            total = rotation.total
            chosen = rotation.take()
            if why is not None:
                a = self._agents[chosen]
                why.append(("turn", chosen, group.plan.weights[chosen], total, a.active, a.plan.capacity))
            reason = "routed"
        if avoid is not None:
            self._settle(avoid)
        return self._assign(held, code, chosen, "transfer" if held.handed else reason, why, at)

    def _leave(self, held: Held, at: int, why: list[Why] | None) -> Decision:
        box = self._box(held)
        if why is not None:
            if self._designated is not None:
                why.append(("designated", len(box.candidates), len(box.here)))
            elif held.group != NO_GROUP:
                why.append(("of_group", held.group, len(box.here)))
        agent = box.take()
        if why is not None:
            why.append(("leave_waits",) if agent is None else ("leave_turn", agent))
        if agent is None:
            self._queue(held)
            return _decided(held, "leave", held.group, None, None, at, why)
        return self._assign(held, held.group, agent, "leave", why, at)

    def _fill(self, agent: Agent, at: int) -> list[Decision]:
        """Gives an agent what waits for them: leave messages, then customers, the oldest first, until there are none or they are full."""
        found: list[Decision] = []
        if not self._waiting:
            return found
        for box in agent.boxes:
            while len(box.here) and (entry := box.waiting.first()) is not None:
                held = self._sessions[entry[-1]]
                self._unqueue(held)
                found.append(self._leave(held, at, self._because(("left_message",), ("waited", at - held.at))))
        while agent.standing == "free":
            places = [(entry, seat) for seat in agent.seats if seat.weight and (entry := seat.group.queue.first()) is not None]
            if not places:
                break
            oldest = min(entry for entry, _ in places)
            held = self._sessions[oldest[-1]]
            groups = [seat.group for entry, seat in places if entry == oldest]
            group = next((group for group in groups if group.plan.code == held.group), groups[0])
            why = self._because()
            if why is not None:
                why += (("handed_to", held.group),) if held.pinned else self.plan.match(held.session).reasons
                why.append(("waited", at - held.at))
                if group.plan.code != held.group:
                    why.append(("overflow", held.group, group.plan.code))
                why += group.roster()
            self._unqueue(held)
            found.append(self._choose(held, group, at, why))
        return found

    def _assign(self, held: Held, group: str, agent: str, reason: Reason, why: list[Why] | None, at: int) -> Decision:
        held.given = False
        self._hold(held, group, agent, at)
        return _decided(held, "assigned", group, agent, reason, at, why)

    def _hold(self, held: Held, group: str, agent: str, at: int) -> None:
        a = self._agent(agent)
        held.agent, held.group = agent, group
        a.holds[held.session.id] = None
        a.active += not held.left
        a.since = at
        self._settle(a)
        self._serve(held, at)

    def _release(self, held: Held, at: int) -> Agent | None:
        """Takes a session from its agent, who is answered, or out of its queue."""
        if held.agent is None:
            self._unqueue(held)
            return None
        a = self._agents[held.agent]
        self._serve(held, at)
        held.agent = None
        del a.holds[held.session.id]
        a.active -= not held.left
        a.since = at
        self._settle(a)
        return a

    def _serve(self, held: Held, at: int) -> None:
        assert held.agent is not None
        served, key = self._served, (held.session.customer, held.group)
        served[key] = held.agent, at
        served.move_to_end(key)
        while (oldest := next(iter(served))) != key and at - served[oldest][1] > RETURNING_MS:
            del served[oldest]

    # Queues

    def _queue(self, held: Held) -> None:
        self._waiting += 1
        if held.left:
            self._box(held).waiting.put(held.place())
            return
        group = self._groups.get(held.group, self._limbo)
        group.queue.put(held.place())
        beyond = self._beyond(group)
        if beyond is not None:
            beyond.queue.put(held.place())

    def _unqueue(self, held: Held) -> None:
        self._waiting -= 1
        if held.left:
            self._box(held).waiting.drop(held.session.id)
            return
        group = self._groups.get(held.group, self._limbo)
        group.queue.drop(held.session.id)
        beyond = self._beyond(group)
        if beyond is not None:
            beyond.queue.drop(held.session.id)

    def _beyond(self, group: Group) -> Group | None:
        """Where its customers may overflow to."""
        fallback = self._fallback
        return fallback if group.plan.overflow and group is not fallback else None

    def _box(self, held: Held) -> Box:
        return self._designated or self._groups.get(held.group, self._limbo).box

    # Agents

    def _settle(self, a: Agent) -> None:
        """Tells the groups of an agent how they stand now."""
        standing, before = a.stands(), a.standing
        a.standing = standing
        if standing != before:
            for group, weight in a.seats:
                if weight or standing not in ("free", "full"):
                    group.stand(a.code, standing)
                else:
                    group.stand(a.code, "transfers_only")
                if standing != "free":
                    group.rotation.drop(a.code)
        if standing == "free":
            for group, weight in a.seats:
                if weight:
                    group.rotation.put(a.code, weight, a.active, a.since)

    def _attend(self, a: Agent) -> None:
        """Tells the boxes of an agent whether they are here."""
        for box in a.boxes:
            if a.takes:
                box.comes(a.code)
            else:
                box.here.drop(a.code)

    def _agent(self, code: str) -> Agent:
        found = self._agents.get(code)
        if found is None:
            found = self._agents[code] = Agent(self.plan.agent(code))
        return found

    def _open(self, session: str) -> Held:
        held = self._sessions.get(session)
        if held is None:
            raise NotPossibleError(fill(T("会话 {0} 已结束", "the session {0} is closed"), same(session)))
        return held

    def _time(self, at: int) -> int:
        self._now = max(self._now, at)
        return self._now

    # The plan

    def _build(self, plan: Plan, rotations: dict[str, dict[str, int]], turns: dict[str, dict[str, int]]) -> None:
        """Everything that follows from the plan, anew: what stays are agents, sessions, and what each is owed. All queues are empty."""
        self.plan = plan
        self._waiting = 0
        self._designated = Box(plan.designated, turns.get(_DESIGNATED, {})) if plan.designated else None
        self._groups = {
            code: Group(group, rotations.get(code, {}), Box(self._candidates(group), turns.get(code, {})))
            for code, group in plan.groups.items()
        }
        self._limbo = Group(GroupPlan(NO_GROUP, "", False, False, False, {}, {}), {}, Box((), {}))
        self._fallback = None if plan.fallback is None else self._groups[plan.fallback]
        self._agents = {code: a for code, a in self._agents.items() if a.state != "offline"}
        for a in self._agents.values():
            a.plan = plan.agent(a.code)
            a.standing = ""
            a.seats, a.boxes = [], []
            a.holds, a.active = {}, 0
        for group in self._groups.values():
            for code, weight in group.plan.weights.items():
                agent = self._agent(code)
                agent.seats.append(Seat(group, weight))
                if self._designated is None and code in group.box.candidates:
                    agent.boxes.append(group.box)
        if self._designated is not None:
            for code in plan.designated:
                self._agent(code).boxes.append(self._designated)
        for held in sorted(self._sessions.values(), key=Held.place):
            if held.agent is not None:
                agent = self._agent(held.agent)
                agent.holds[held.session.id] = None
                agent.active += not held.left
        for a in self._agents.values():
            self._settle(a)
            self._attend(a)
        self._online = sum(a.online for a in self._agents.values())

    def _candidates(self, group: GroupPlan) -> frozenset[str]:
        """Who of a group may be given leave messages."""
        return frozenset(code for code, weight in group.weights.items() if weight and self.plan.agent(code).capacity != 0)

    def _turns(self) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
        """What the members of each group hold in its rotation, and when they had a leave message last."""
        turns = {code: group.box.turns for code, group in self._groups.items() if group.box.turns}
        if self._designated is not None:
            turns[_DESIGNATED] = self._designated.turns
        return {code: group.rotation.credits() for code, group in self._groups.items()}, turns


def _decided(
    held: Held, outcome: Outcome, group: str, agent: str | None, reason: Reason | None, at: int, why: list[Why] | None
) -> Decision:  # fmt: skip
    return Decision(held.session.id, outcome, group, agent, reason, at, () if why is None else tuple(why))


def _facts(session: NewSession) -> Iterable[Any]:
    return (
        session.id, session.customer, session.kind, session.page, session.sku, session.region, session.order_state, list(session.tags),
    )  # fmt: skip
