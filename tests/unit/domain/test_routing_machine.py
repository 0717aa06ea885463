"""Anything may happen to a router, in any order: no session is lost, doubled, given to somebody who may not take it, or kept waiting while
somebody is free; and whose turn it is, is what the rule followed to the letter says."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.routing.choosing import Candidate, Rotation
from app.domain.routing.reasons import words
from app.domain.routing.router import RETURNING_MS, Decision, NotPossibleError, Router
from app.domain.routing.scopes import AgentPlan, GroupPlan, NewSession, Plan

AGENTS = ("a", "b", "c", "d", "e")
PAGES = ("item", "shop", "order")
TAKING = ("available", "away")

agents = st.sampled_from(AGENTS)
weights = st.dictionaries(agents, st.sampled_from([0, 1, 1, 3, 5, 10]), max_size=5)


class Naive:
    """Smooth weighted round robin to the letter."""

    def __init__(self) -> None:
        self.current: dict[str, int] = {}

    def take(self, eligible: dict[str, tuple[int, int, int]]) -> str:
        """eligible: (weight, active, since) by code."""
        for code, (weight, _, _) in eligible.items():
            self.current[code] = self.current.get(code, 0) + weight
        chosen = min(eligible, key=lambda code: (-self.current[code], eligible[code][1], eligible[code][2], code))
        self.current[chosen] -= sum(weight for weight, _, _ in eligible.values())
        return chosen


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    pages = draw(st.lists(st.sampled_from(PAGES), unique=True, max_size=3))
    groups = [
        GroupPlan(f"g-{page}", page, draw(st.integers(0, 3)) > 0, draw(st.booleans()), False, {"pages": frozenset({page})}, draw(weights))
        for page in pages
    ]
    if draw(st.booleans()):
        groups.append(GroupPlan("rest", "Rest", True, True, True, {}, draw(weights)))
    capacities = draw(st.lists(st.sampled_from([None, 0, 1, 1, 2, 3]), min_size=5, max_size=5))
    designated = draw(st.lists(agents, unique=True, max_size=2)) if draw(st.integers(0, 2)) == 0 else []
    receives = draw(st.integers(0, 9))
    return Plan(groups, [AgentPlan(code, code, cap, receives != n) for n, (code, cap) in enumerate(zip(AGENTS, capacities))], designated)


class Session:
    """As the decisions left it."""

    def __init__(self, new: NewSession, at: int, number: int) -> None:
        self.new = new
        self.age = at, number
        self.agent: str | None = None
        self.left = False
        self.had_one = False
        self.pinned: str | None = None


def tried(router: Router, call: str, about: tuple[Any, ...]) -> Any:
    """What a call answers, or how it is refused."""
    try:
        return getattr(router, call)(*about)
    except NotPossibleError as error:
        return error


class RouterMachine(RuleBasedStateMachine):
    @initialize(plan=plans())
    def start(self, plan: Plan) -> None:
        self.plan = plan
        self.router = Router(plan)
        self.terse = Router(plan, explains=False)
        self.now = 0
        self.number = 0
        self.state = dict.fromkeys(AGENTS, "offline")
        self.since = dict.fromkeys(AGENTS, 0)
        self.open: dict[str, Session] = {}
        self.served: dict[tuple[str, str], tuple[str, int]] = {}
        self.naive: dict[str, Naive] = {}

    # What the model knows

    def active(self, agent: str) -> int:
        return sum(s.agent == agent and not s.left for s in self.open.values())

    def may_take(self, agent: str) -> bool:
        return self.state[agent] in TAKING and self.plan.agent(agent).receives

    def eligible(self, group: str) -> dict[str, tuple[int, int, int]]:
        found = {}
        for agent, weight in self.plan.groups[group].weights.items():
            cap, active = self.plan.agent(agent).capacity, self.active(agent)
            if self.may_take(agent) and weight > 0 and (cap is None or active < cap):
                found[agent] = weight, active, self.since[agent]
        return found

    def spare(self, group: str, avoid: str | None = None) -> list[str]:
        """Who takes transfers only, whom it would be first: while nobody else has a turn they get what was handed to their group."""
        if self.eligible(group).keys() - {avoid}:
            return []
        found = []
        for agent, weight in self.plan.groups[group].weights.items():
            cap, active = self.plan.agent(agent).capacity, self.active(agent)
            if self.may_take(agent) and (cap == 0 or (weight == 0 and (cap is None or active < cap))):
                found.append((agent == avoid, active, self.since[agent], agent))
        return [agent for *_, agent in sorted(found)]

    def home(self, s: Session) -> str:
        return s.pinned or self.plan.match(s.new).group

    def reach(self, s: Session) -> list[str]:
        """The groups whose members may serve it."""
        home = self.home(s)
        if not home:
            return []
        beyond = self.plan.fallback if self.plan.groups[home].overflow else None
        return [home, beyond] if beyond not in (None, home) else [home]

    def candidates(self, s: Session) -> set[str]:
        """Who may be given a leave message."""
        if self.plan.designated:
            return {agent for agent in self.plan.designated if self.may_take(agent)}
        group = self.plan.groups.get(self.home(s))
        held = group.weights if group else {}
        found = {agent for agent, weight in held.items() if weight and self.plan.agent(agent).capacity != 0 and self.may_take(agent)}
        return found if found or not s.pinned else set(self.spare(s.pinned)[:1])

    def tick(self, ms: int) -> int:
        self.now += ms
        return self.now

    def free(self, session: str) -> str | None:
        """Takes a session from its agent."""
        s = self.open[session]
        before, s.agent = s.agent, None
        if before is not None:
            group = self.groups[session]
            self.served[s.new.customer, group] = before, self.now
            self.since[before] = self.now
            s.had_one = True
        return before

    groups: dict[str, str]
    """Of the last decision about each session."""

    def take_in(self, decisions: list[Decision], avoid: str | None = None) -> None:
        for d in decisions:
            s = self.open[d.session]
            assert s.agent is None, "given away twice"
            for sentence in words(d.reasons):
                assert all(sentence)
                assert "{" not in sentence.zh + sentence.en
            codes = [why[0] for why in d.reasons]
            assert d.at == self.now
            assert (d.agent is not None) == (d.reason is not None) == (d.outcome == "assigned")
            if d.outcome == "leave" or d.reason == "leave":
                s.left = True
            if d.outcome == "assigned":
                assert d.agent is not None
                if d.reason == "leave":
                    assert d.agent in self.candidates(s)
                elif d.reason != "manual":
                    self.check_choice(d, s, codes, avoid)
                s.agent = d.agent
                self.since[d.agent] = self.now
                self.served[s.new.customer, d.group] = d.agent, self.now
            self.groups[d.session] = d.group

    def check_choice(self, d: Decision, s: Session, codes: list[str], avoid: str | None) -> None:
        assert d.agent is not None
        assert d.group in self.reach(s)
        older = [o for o in self.open.values() if o is not s and o.agent is None and not o.left and o.age < s.age]
        older = [o for o in older if self.home(o) == self.home(s)]
        if s.pinned and (spare := self.spare(s.pinned, avoid)):
            assert (d.group, d.agent) == (s.pinned, spare[0])
            assert "spare" in codes
            assert d.reason == ("transfer" if s.had_one else "routed")
            assert not any(o.pinned for o in older), "somebody older was handed to the same group and waits"
            return
        assert not older, "somebody older waits in the same group"
        eligible = self.eligible(d.group)
        if avoid is not None and len(eligible) > 1:
            eligible.pop(avoid, None)
        assert d.agent in eligible
        if d.group != self.home(s):
            assert not self.eligible(self.home(s))
        last, at = self.served.get((s.new.customer, d.group), ("", 0))
        if last in eligible and self.now - at <= RETURNING_MS:
            assert "returning" in codes
            assert d.agent == last
        else:
            assert "turn" in codes
            assert d.agent == self.naive.setdefault(d.group, Naive()).take(eligible)
        expected = "transfer" if s.had_one else "returning" if "returning" in codes else "routed"
        assert d.reason == expected

    def both(self, call: str, *about: Any) -> Any:
        """Of the router; one that need not explain decides alike, and is refused what the other is refused."""
        found, silent = tried(self.router, call, about), tried(self.terse, call, about)
        if isinstance(found, NotPossibleError):
            assert str(silent) == str(found)
            raise found
        told = found if isinstance(found, list) else [found]
        assert (silent if isinstance(silent, list) else [silent]) == [decision._replace(reasons=()) for decision in told]
        assert all(decision.reasons for decision in told)
        return found

    # What happens

    @initialize()
    def nothing_yet(self) -> None:
        self.groups = {}

    @rule(
        customer=st.sampled_from("xyz"),
        page=st.sampled_from((*PAGES, "")),
        leave=st.integers(0, 9),
        ms=st.sampled_from([0, 1000, RETURNING_MS]),
    )
    def opens(self, customer: str, page: str, leave: int, ms: int) -> None:
        self.number += 1
        new = NewSession(f"s{self.number}", customer, "leave" if leave == 0 else "online", page)
        s = self.open[new.id] = Session(new, self.tick(ms), self.number)
        d = self.both("opened", new, self.now)
        online = any(state != "offline" and self.plan.agent(agent).receives for agent, state in self.state.items())
        self.take_in([d])
        assert d.session == new.id
        assert s.left == (new.kind == "leave" or not online)

    @precondition(lambda self: self.open)
    @rule(pick=st.integers(0, 99), ms=st.sampled_from([0, 5000]))
    def closes(self, pick: int, ms: int) -> None:
        session = list(self.open)[pick % len(self.open)]
        self.tick(ms)
        self.free(session)
        del self.open[session]
        self.take_in(self.both("closed", session, self.now))
        assert self.router.closed(session, self.now) == []

    @rule(
        agent=agents,
        state=st.sampled_from(["available", "available", "available", "away", "suspended", "offline"]),
        ms=st.sampled_from([0, 100]),
    )
    def turns(self, agent: str, state: str, ms: int) -> None:
        self.tick(ms)
        if self.state[agent] == "offline" and state != "offline":
            self.since[agent] = self.now
        self.state[agent] = state
        if state == "offline":
            for session, s in self.open.items():
                if s.agent == agent:
                    self.free(session)
        decisions = self.both("presence", agent, state, self.now)
        if state == "offline":  # what they had is told of one by one, and in no queue until then
            held = {d.session: self.open.pop(d.session) for d in decisions}
            for d in decisions:
                self.open[d.session] = held.pop(d.session)
                self.take_in([d])
            assert not held
        else:
            self.take_in(decisions)

    @rule(several=st.dictionaries(agents, st.sampled_from(["available", "away", "suspended"]), min_size=2))
    def several_turn(self, several: dict[str, str]) -> None:
        self.tick(0)
        for agent, state in several.items():
            if self.state[agent] == "offline":
                self.since[agent] = self.now
            self.state[agent] = state
        self.take_in(self.both("presences", list(several.items()), self.now))

    @precondition(lambda self: self.open)
    @rule(pick=st.integers(0, 99), agent=agents)
    def moves(self, pick: int, agent: str) -> None:
        session = list(self.open)[pick % len(self.open)]
        possible = self.may_take(agent) and self.open[session].agent != agent
        try:
            decisions = self.both("move", session, agent, self.now)
        except NotPossibleError:
            assert not possible
            return
        assert possible
        self.free(session)
        assert (decisions[0].session, decisions[0].agent, decisions[0].reason) == (session, agent, "manual")
        self.take_in(decisions)

    @precondition(lambda self: self.open)
    @rule(pick=st.integers(0, 99), page=st.sampled_from((*PAGES, "rest")))
    def transfers(self, pick: int, page: str) -> None:
        session = list(self.open)[pick % len(self.open)]
        group = page if page == "rest" else f"g-{page}"
        try:
            decisions = self.both("transfer", session, group, self.now)
        except NotPossibleError:
            assert group not in self.plan.groups or not self.plan.groups[group].open
            return
        before = self.free(session)
        self.open[session].pinned = group
        s = self.open.pop(session)  # while others are given its agent, it is in no queue
        self.take_in(decisions[:-1])
        self.open[session] = s
        assert decisions[-1].session == session
        self.take_in(decisions[-1:], avoid=before)

    @rule(plan=plans())
    def reconfigured(self, plan: Plan) -> None:
        self.plan = plan
        for code, naive in self.naive.items():
            held = plan.groups[code].weights if code in plan.groups else {}
            naive.current = {agent: current for agent, current in naive.current.items() if agent in held}
        for s in self.open.values():
            kept = s.pinned is not None and s.pinned in plan.groups and plan.groups[s.pinned].open
            if not kept:
                s.pinned = None
        self.take_in(self.both("reconfigure", plan, self.now))

    @rule()
    def restarted(self) -> None:
        text = self.router.to_json()
        self.router = Router.from_json(self.plan, text)
        assert json.loads(self.router.to_json()) == json.loads(text)
        assert self.terse.to_json() == text
        self.terse = Router.from_json(self.plan, text, explains=False)

    # What always holds

    @invariant()
    def all_sessions_are_where_the_decisions_put_them(self) -> None:
        held = {row[0]: row[11] for row in json.loads(self.router.to_json())["sessions"]}
        assert held == {session: s.agent for session, s in self.open.items()}

    @invariant()
    def nobody_waits_while_somebody_is_free(self) -> None:
        for s in self.open.values():
            if s.agent is None and s.left:
                assert not self.candidates(s)
            elif s.agent is None:
                assert not any(self.eligible(group) for group in self.reach(s))
                assert s.pinned is None or not self.spare(s.pinned)


TestRouterMachine = RouterMachine.TestCase
TestRouterMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class RotationMachine(RuleBasedStateMachine):
    """The fast rotation beside the naive one, with members who come, go and change their load between the turns."""

    @initialize()
    def start(self) -> None:
        self.naive = Naive()
        self.weight = {code: 1 + 7 * n % 10 for n, code in enumerate("abcdefghij")}
        self.eligible: dict[str, tuple[int, int, int]] = {}
        self.now = 0
        self.candidates = {code: Candidate(code) for code in self.weight}
        self.fast = self.rotation({})

    def rotation(self, credits: dict[str, int]) -> Rotation:
        found = Rotation(credits)
        for code, candidate in self.candidates.items():
            candidate.turns.clear()
            found.join(candidate, self.weight[code])
        return found

    @rule(code=st.sampled_from("abcdefghij"), active=st.integers(0, 3), later=st.integers(0, 1))
    def comes_or_changes(self, code: str, active: int, later: int) -> None:
        self.now += later
        candidate = self.candidates[code]
        candidate.active, candidate.since = active, self.now
        candidate.changed()
        self.eligible[code] = self.weight[code], active, self.now
        self.fast.put(self.fast.turns[code])

    @rule(code=st.sampled_from("abcdefghij"))
    def goes(self, code: str) -> None:
        self.eligible.pop(code, None)
        self.fast.drop(self.fast.turns[code])

    @precondition(lambda self: self.eligible)
    @rule(times=st.integers(1, 30), more=st.integers(0, 1))
    def turns(self, times: int, more: int) -> None:
        for _ in range(times):
            expected = self.naive.take(self.eligible)
            assert self.fast.take() == expected
            self.comes_or_changes(expected, self.eligible[expected][1] + more, more)

    @rule()
    def restored(self) -> None:
        self.fast = self.rotation(self.fast.credits())
        for code in self.eligible:
            self.fast.put(self.fast.turns[code])

    @invariant()
    def they_hold_the_same(self) -> None:
        assert self.fast.credits() == {code: held for code, held in sorted(self.naive.current.items()) if held}
        assert self.fast.total == sum(weight for weight, _, _ in self.eligible.values())
        assert self.fast.number == len(self.eligible)


TestRotationMachine = RotationMachine.TestCase
TestRotationMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
