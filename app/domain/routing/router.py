"""The router: decides for each session who takes it, and says why.

A pure machine: the same plan and the same calls always give the same decisions. It knows no clock, no storage and no thread; times are
epoch milliseconds, and one that lies before an earlier one is taken to be as late as that.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Literal, NamedTuple

from app.domain.events import Reason, State
from app.domain.kinds import fill, same
from app.domain.language import T
from app.domain.routing.board import GIVEN, RETURNING_MS, Board
from app.domain.routing.reasons import Why
from app.domain.routing.scopes import NO_GROUP, NewSession, Plan
from app.domain.routing.state import TRANSFERABLE, Agent, Group, Held

__all__ = ("GIVEN", "RETURNING_MS", "Decision", "NotPossibleError", "Outcome", "Router")
Outcome = Literal["assigned", "waited", "leave"]


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


_decided = partial(tuple.__new__, Decision)  # as Decision(*fields), in half the time


class NotPossibleError(ValueError):
    """A command that cannot be carried out; `sentence` says why."""

    def __init__(self, sentence: T) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


class Router(Board):
    """Sessions, agents and whose turn it is. No session that could be taken waits: every call settles all that follows from it.

    explains: decisions tell their reasons. Without, they are the same and cost less.
    """

    # What happens

    def opened(self, session: NewSession, at: int, place: int | None = None) -> Decision:
        """place: since when it stands in line, if it came before. Raises ValueError for a session that is open already."""
        if session.id in self._sessions:
            raise ValueError(f"{session.id!r} is open already")
        at = self._time(at)
        held = self._enter(session, at, place)
        return self._route(held, at, self._because(("left_message",)) if held.left else self._because(), new=True)

    def closed(self, session: str, at: int) -> list[Decision]:
        """Nothing for a session that is not open."""
        at = self._time(at)
        held = self._sessions.pop(session, None)
        if held is None:
            return []
        agent = self._release(held, at)
        return self._fill(agent, at) if agent is not None and self._waiting else []

    def taken(self, session: NewSession, agent: str, group: str, at: int, given: bool = True, place: int | None = None) -> list[Decision]:
        """Somebody else has given a session to an agent: it is part of their load, and stays with them when they go offline.

        given False: it was this routing's own before it was closed, and is open again. place: as of `opened`.
        """
        at = self._time(at)
        held, before = self._sessions.get(session.id), None
        if held is None:
            held = self._enter(session, at, place)
        else:
            before = self._release(held, at)
            held.left = session.kind == "leave"
        held.pinned, held.given, held.group = "", given, group
        self._served.setdefault(group, {})[session.customer] = agent, at
        self._hold(held, self._agent(agent), at)
        return [] if before is None else self._fill(before, at)

    def learn(self, session: NewSession, agent: str, group: str, at: int) -> None:
        """As `taken`, where it was by these rules: then it tells whose turn it was, which no one else may know."""
        held, found = self._groups.get(group), self._sessions.get(session.id)
        if session.kind == "leave":
            box = self._designated or (held.box if held is not None else None)
            if box is not None:
                box.had(agent)
        elif held is not None and held.rotation.is_eligible(agent):
            rotation, before = held.rotation, None if found is None or found.agent is None else found.agent.code
            kept_out = rotation.turns[before] if before not in (None, agent) and rotation.is_eligible(before) else None
            if kept_out is not None:
                rotation.drop(kept_out)
            last = held.served.get(session.customer)
            if last is None or last[0] != agent or at - last[1] > RETURNING_MS:
                rotation.grant(agent)
            if kept_out is not None:
                rotation.put(kept_out)
        self.taken(session, agent, group, at)

    def begin_anew(self, forgets: bool = False) -> None:
        """Nobody is owed a turn any more. forgets: nor has anybody been served before."""
        if forgets:
            for served in self._served.values():
                served.clear()
        for group in self._groups.values():
            group.rotation.begin_anew()
            group.box.begin_anew()
        if self._designated is not None:
            self._designated.begin_anew()

    def hold_back(self, agent: str, shown: str) -> None:
        """They are given nothing until their presence is told next. shown: as what reasons tell of them, a standing to come or GIVEN."""
        a = self._agent(agent)
        a.held_back = shown
        self._attend(a)
        self._settle(a)

    def presence(self, agent: str, state: State, at: int) -> list[Decision]:
        """Who comes takes what waits; whoever goes offline leaves their sessions to the others."""
        return self.presences([(agent, state)], at)

    def presences(self, states: Iterable[tuple[str, State]], at: int) -> list[Decision]:
        """Of several (agent, state) at once: those who come share what waits by their turns, then what others leave is given away."""
        at = self._time(at)
        touched: dict[str, Agent] = {}
        for code, state in states:
            a = touched[code] = self._agent(code)
            if a.state == "offline" and state != "offline":
                a.since = at
            self._online += (state != "offline" and a.plan.receives) - a.online
            a.held_back = ""
            a.be(state)
            self._attend(a)
            self._settle(a)
        found: list[Decision] = []
        for a in touched.values():
            if a.state != "offline":
                found += self._fill(a, at)
        for code, a in touched.items():
            if a.state == "offline":
                held = sorted((each for each in a.holds.values() if not each.given), key=Held.place)
                for each in held:
                    self._release(each, at)
                    each.handed = True
                found += [self._route(each, at, self._because(("went_offline", code)), a) for each in held]
        return found

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
            decision = self._route(held, at, self._because(("reconfigured",), ("waited", at - held.since)))
            if decision.agent is not None or decision.group != before:
                found.append(decision)
        return found

    # What a supervisor commands

    def move(self, session: str, agent: str, at: int) -> list[Decision]:
        """To an agent, whatever their weight and load. Raises NotPossibleError."""
        held = self._open(session)
        a = self._agent(agent)
        if not a.takes:
            what = T("{0} 现在不能接转接（挂起、离线或不接待）", "{0} cannot take transfers now: suspended, offline or not receiving")
            raise NotPossibleError(fill(what, a.plan.name))
        if held.agent is a:
            raise NotPossibleError(fill(T("会话已在 {0} 处", "{0} has the session already"), a.plan.name))
        at = self._time(at)
        before = self._release(held, at)
        held.handed = held.handed or before is not None
        group = self._groups.get(held.group, self._limbo)
        moved = self._assign(held, group, a, "manual", self._because(("by_hand", agent)), at)
        return [moved] if before is None else [moved, *self._fill(before, at)]

    def transfer(self, session: str, group: str, at: int) -> list[Decision]:
        """To a group: by its turns, to another agent than before if there is one, and while nobody has a turn to who takes transfers only.

        Whoever waits for the agent it is taken from comes first. The last decision is about the session. Raises NotPossibleError.
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

    def _open(self, session: str) -> Held:
        held = self._sessions.get(session)
        if held is None:
            raise NotPossibleError(fill(T("会话 {0} 已结束", "the session {0} is closed"), same(session)))
        return held

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
        placed = self._place(held, at, why, avoid)
        if placed is not None:
            return placed
        group = self._groups.get(held.group, self._limbo)
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
        return _waits(held, "waited", at, why)

    def _place(self, held: Held, at: int, why: list[Why] | None, avoid: Agent | None = None) -> Decision | None:
        """With somebody of its group or, where nobody there is free and it may, of the fallback group."""
        group = self._groups.get(held.group, self._limbo)
        if group is not self._limbo:
            if why is not None:
                why += group.roster()
            if held.pinned and (spare := self._spare(group, avoid)) is not None:
                if why is not None:
                    why.append(("spare", spare.code, spare.active))
                return self._assign(held, group, spare, "transfer" if held.handed else "routed", why, at)
            if group.rotation.number:
                return self._choose(held, group, at, why, avoid)
        beyond = self._beyond(group)
        if beyond is not None:
            if beyond.rotation.number:
                if why is not None:
                    why += (("overflow", held.group, beyond.plan.code), *beyond.roster())
                return self._choose(held, beyond, at, why, avoid)
            if why is not None:
                why += (("full_beyond", beyond.plan.code), *beyond.roster()[1:])
        return None

    def _spare(self, group: Group, avoid: Agent | None = None) -> Agent | None:
        """Of those who take transfers only: who gets what was handed to their group while nobody (but `avoid`) has a turn."""
        rotation = group.rotation
        if rotation.number > (avoid is not None and rotation.is_eligible(avoid.code)):
            return None
        members = [self._agents[code] for code in group.plan.weights if not rotation.is_eligible(code)]
        spare = [a for a in members if a.standing in TRANSFERABLE]
        return min(spare, key=lambda a: (a is avoid, a.active, a.since, a.code), default=None)

    def _choose(self, held: Held, group: Group, at: int, why: list[Why] | None, avoid: Agent | None = None) -> Decision:
        """In a group in which somebody is free."""
        rotation = group.rotation
        kept_out = None
        if avoid is not None and rotation.number > 1 and rotation.is_eligible(avoid.code):
            kept_out = rotation.turns[avoid.code]
            rotation.drop(kept_out)
        last = group.served.get(held.session.customer)
        reason: Reason = "routed"
        if last is not None and at - last[1] <= RETURNING_MS:
            if rotation.is_eligible(last[0]):
                reason = "returning"
                if why is not None:
                    why.append(("returning", last[0], at - last[1]))
            elif why is not None and (avoid is None or last[0] != avoid.code):
                why.append(("not_returning", last[0], group.standing(last[0])))
        if last is not None and reason == "returning":
            a = self._agents[last[0]]
        else:
            total = rotation.total
            a = self._agents[rotation.take()]
            if why is not None:
                why.append(("turn", a.code, group.plan.weights[a.code], total, a.active, a.plan.capacity))
        if kept_out is not None:
            rotation.put(kept_out)
        return self._assign(held, group, a, "transfer" if held.handed else reason, why, at)

    def _leave(self, held: Held, at: int, why: list[Why] | None) -> Decision:
        box, group = self._box(held), self._groups.get(held.group, self._limbo)
        if why is not None:
            if self._designated is not None:
                why.append(("designated", len(box.candidates), len(box.here)))
            elif held.group != NO_GROUP:
                why.append(("of_group", held.group, len(box.here)))
        turn = box.take()
        agent = None if turn is None else self._agents[turn]
        if agent is not None:
            if why is not None:
                why.append(("leave_turn", agent.code))
        elif held.pinned and self._designated is None and (agent := self._spare(group)) is not None and why is not None:
            why.append(("spare", agent.code, agent.active))
        if agent is None:
            if why is not None:
                why.append(("leave_waits",))
            self._queue(held)
            return _waits(held, "leave", at, why)
        return self._assign(held, group, agent, "leave", why, at)

    def _fill(self, agent: Agent, at: int) -> list[Decision]:
        """Gives an agent what waits for them: leave messages, then customers, the oldest first, until there are none or they are full.

        What they may have by transfer alone goes to whoever of their group comes first, which may be another.
        """
        found: list[Decision] = []
        if not self._waiting:
            return found
        for box in agent.boxes:
            while len(box.here) and (entry := box.waiting.first()) is not None:
                found.append(self._serve(self._sessions[entry[-1]], at))
        while agent.standing in TRANSFERABLE:
            free = agent.standing == "free"
            lines = [group.queue if turn and free else group.handed for group, turn in agent.seats]
            waiting = [entry for line in lines if (entry := line.first()) is not None]
            if not waiting:
                break
            found.append(self._serve(self._sessions[min(waiting)[-1]], at))
        return found

    def _serve(self, held: Held, at: int) -> Decision:
        """One that waits, for whom somebody is there now."""
        self._unqueue(held)
        why = self._because(("left_message",)) if held.left else self._because()
        if why is not None:
            why += (("handed_to", held.group),) if held.pinned else () if held.left else self.plan.match(held.session).reasons
            why.append(("waited", at - held.since))
        served = self._leave(held, at, why) if held.left else self._place(held, at, why)
        assert served is not None
        return served

    def _assign(self, held: Held, group: Group, a: Agent, reason: Reason, why: list[Why] | None, at: int) -> Decision:
        code, session = group.plan.code, held.session
        held.given, held.group = False, code
        group.served[session.customer] = a.code, at
        self._hold(held, a, at)
        return _decided((session.id, "assigned", code, a.code, reason, at, () if why is None else tuple(why)))

    def _hold(self, held: Held, a: Agent, at: int) -> None:
        held.agent = a
        a.holds[held.session.id] = held
        self._load(a, not held.left, at)

    def _release(self, held: Held, at: int) -> Agent | None:
        """Takes a session from its agent, who is answered, or out of its queue."""
        a = held.agent
        if a is None:
            self._unqueue(held)
            return None
        self._served[held.group][held.session.customer] = a.code, at
        held.agent, held.since = None, at
        del a.holds[held.session.id]
        self._load(a, -1 if not held.left else 0, at)
        return a


def _waits(held: Held, outcome: Outcome, at: int, why: list[Why] | None) -> Decision:
    return Decision(held.session.id, outcome, held.group, None, None, at, () if why is None else tuple(why))
