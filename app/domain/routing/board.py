"""What a router knows: who is here, open sessions, queues, and whose turn it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Self

from app.domain.routing.choosing import Ranking
from app.domain.routing.scopes import NO_GROUP, GroupPlan, NewSession, Plan
from app.domain.routing.state import TRANSFERABLE, Agent, Box, Group, Held, Seat

RETURNING_MS = 48 * 3_600_000
"""For how long a customer comes back to the agent who served them last in a group."""
GIVEN = "given"
"""As what an agent is told of, who is being given something by others and may be free after that."""
_DESIGNATED = ""
"""Whose turns those of the designated agents are, among those of the groups."""
_Turns = dict[str, dict[str, int]]


class Board:
    """The state of a router. explains: groups know how each of their members stands, so that reasons can tell."""

    def __init__(self, plan: Plan, explains: bool = True) -> None:
        self._explains = explains
        self._agents: dict[str, Agent] = {}
        self._sessions: dict[str, Held] = {}
        self._served: dict[str, dict[str, tuple[str, int]]] = {}
        """{group: {customer: (agent, at)}}"""
        self._now = 0
        self._forget_at = 0
        self._number = 0
        self._build(plan, {}, {})

    def __contains__(self, session: str) -> bool:
        """Whether it is open."""
        return session in self._sessions

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
                    [
                        *held.session[:-1], list(held.session.tags), held.at, held.number, held.group, held.agent and held.agent.code,
                        held.left, held.handed, held.pinned, held.given, held.since,
                    ]
                    for held in self._sessions.values()
                ],
                "served": [[customer, group, *last] for group, served in sorted(self._served.items()) for customer, last in served.items()],
                "rotations": rotations,
                "turns": turns,
            },
            ensure_ascii=False,
        )  # fmt: skip

    def turns(self) -> str:
        """The part of it that nothing else tells: whose turn it is."""
        rotations, turns = self._turns()
        return json.dumps({"rotations": rotations, "turns": turns}, ensure_ascii=False)

    @classmethod
    def from_json(cls, plan: Plan, text: str, explains: bool = True) -> Self:
        """As it was at `to_json`. With another plan than then, call `reconfigure` with it before anything else."""
        told: dict[str, Any] = json.loads(text)
        router = cls(plan, explains)
        router._now, router._number = told["now"], told["number"]
        for code, state, since in told["agents"]:
            agent = router._agent(code)
            agent.state, agent.since = state, since
        for id_, customer, kind, page, sku, region, order_state, tags, at, number, group, owner, *standing in told["sessions"]:
            held = Held(NewSession(id_, customer, kind, page, sku, region, order_state, tuple(tags)), at, number)
            held.group, held.agent = group, None if owner is None else router._agent(owner)
            held.left, held.handed, held.pinned, held.given, held.since = standing
            router._sessions[id_] = held
        for customer, group, agent, at in told["served"]:
            router.remember(customer, group, agent, at)
        router._build(plan, told["rotations"], told["turns"])
        for held in router._sessions.values():
            if held.agent is None:
                router._queue(held)
        return router

    # Who served whom

    def remember(self, customer: str, group: str, agent: str, at: int) -> None:
        """Who served a customer in a group, as others tell it; of several the last counts."""
        served = self._served.setdefault(group, {})
        last = served.get(customer)
        if last is None or at >= last[1]:
            served[customer] = agent, at

    def _forget(self) -> None:
        """Who was served so long ago that it does not matter any more."""
        self._forget_at = self._now + RETURNING_MS
        since = self._now - RETURNING_MS
        for served in self._served.values():
            for customer in [customer for customer, last in served.items() if last[1] < since]:
                del served[customer]

    # Queues

    def admit(self, session: NewSession, at: int, place: int | None = None) -> None:
        """A session that the rules give to nobody stands in line until it is moved, transferred or closed, which has to follow at once."""
        held = self._enter(session, self._time(at), place)
        held.group = self.plan.match(session).group
        self._queue(held)

    def _enter(self, session: NewSession, at: int, place: int | None) -> Held:
        self._number += 1
        held = self._sessions[session.id] = Held(session, at, self._number)
        if place is not None and place < at:
            held.at = place
        return held

    def _queue(self, held: Held) -> None:
        self._waiting += 1
        for line in self._lines(held):
            line.put(held.place())

    def _unqueue(self, held: Held) -> None:
        self._waiting -= 1
        for line in self._lines(held):
            line.drop(held.session.id)

    def _lines(self, held: Held) -> Iterator[Ranking]:
        """All in which it waits: whoever frees up looks at those of their own groups."""
        group = self._groups.get(held.group, self._limbo)
        if held.left:
            yield self._box(held).waiting
        else:
            yield group.queue
            beyond = self._beyond(group)
            if beyond is not None:
                yield beyond.queue
        if held.pinned and not (held.left and self._designated is not None):
            yield group.handed

    def _beyond(self, group: Group) -> Group | None:
        """Where its customers may overflow to."""
        fallback = self._fallback
        return fallback if group.plan.overflow and group is not fallback else None

    def _box(self, held: Held) -> Box:
        return self._designated or self._groups.get(held.group, self._limbo).box

    # Agents

    def _load(self, a: Agent, more: int, at: int) -> None:
        """They have more sessions than before, or fewer, or the same but others."""
        a.active += more
        a.since = at
        if a.standing == "free" and a.active < a.room:
            a.changed()
        else:
            self._settle(a)

    def _settle(self, a: Agent) -> None:
        """Tells the groups of an agent how they stand now."""
        standing = shown = a.stands()
        if a.held_back:
            standing, shown = "held_back", shown if a.held_back == GIVEN and shown not in TRANSFERABLE else a.held_back
        if standing == a.standing and shown == a.shown:
            return
        a.standing, a.shown = standing, shown
        for group, turn in a.seats:
            if turn is not None:
                if standing == "free":
                    group.rotation.put(turn)
                else:
                    group.rotation.drop(turn)
            if self._explains:
                group.stand(a.code, "transfers_only" if turn is None and shown == "free" else shown)

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

    def _time(self, at: int) -> int:
        if at > self._now:
            self._now = at
            if at > self._forget_at:
                self._forget()
        return self._now

    # The plan

    def _build(self, plan: Plan, rotations: _Turns, turns: _Turns) -> None:
        """Everything that follows from the plan, anew: what stays are agents, sessions, and what each is owed. All queues are empty."""
        self.plan = plan
        self._waiting = 0
        self._designated = Box(plan.designated, turns.get(_DESIGNATED, {})) if plan.designated else None
        self._groups = {code: self._group(group, rotations, turns) for code, group in plan.groups.items()}
        self._limbo = self._group(GroupPlan(NO_GROUP, "", False, False, False, {}, {}), {}, {})
        self._fallback = None if plan.fallback is None else self._groups[plan.fallback]
        self._agents = {code: a for code, a in self._agents.items() if a.state != "offline"}
        for a in self._agents.values():
            a.follow(plan.agent(a.code))
        for group in self._groups.values():
            for code, weight in group.plan.weights.items():
                agent = self._agent(code)
                agent.seats.append(Seat(group, group.rotation.join(agent, weight) if weight else None))
                if self._designated is None and code in group.box.candidates:
                    agent.boxes.append(group.box)
        if self._designated is not None:
            for code in plan.designated:
                self._agent(code).boxes.append(self._designated)
        for held in sorted(self._sessions.values(), key=Held.place):
            if held.agent is not None:
                held.agent = self._agent(held.agent.code)
                held.agent.holds[held.session.id] = held
                held.agent.active += not held.left
                self._served.setdefault(held.group, {})
        for a in self._agents.values():
            self._settle(a)
            self._attend(a)
        self._online = sum(a.online for a in self._agents.values())

    def _group(self, plan: GroupPlan, rotations: _Turns, turns: _Turns) -> Group:
        # Who may be given leave messages.
        candidates = frozenset(code for code, weight in plan.weights.items() if weight and self.plan.agent(code).capacity != 0)
        box = Box(candidates, turns.get(plan.code, {}))
        return Group(plan, rotations.get(plan.code, {}), box, self._served.setdefault(plan.code, {}))

    def _turns(self) -> tuple[_Turns, _Turns]:
        """What the members of each group hold in its rotation, and when they had a leave message last."""
        turns = {code: group.box.turns for code, group in self._groups.items() if group.box.turns}
        if self._designated is not None:
            turns[_DESIGNATED] = self._designated.turns
        return {code: group.rotation.credits() for code, group in self._groups.items()}, turns
