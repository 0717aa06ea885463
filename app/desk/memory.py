"""What the engine knows of a store between two turns, and what of it is not so any more: all of it can be had from the database again."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from app.desk import picking_up
from app.domain.events import State
from app.domain.routing.router import Router
from app.domain.routing.scopes import Plan
from app.storage import routed
from app.storage.bulk import Bulk
from app.storage.routed import ASSIGNED, Command, Configuration, OpenSession


class Known:
    """A session that the router holds, as the database had it last."""

    __slots__ = ("_group", "agent", "at", "code", "id", "number", "said")

    def __init__(self, session: OpenSession) -> None:
        self.id = session.id
        self.code = session.new.id
        self.agent = session.agent_id
        self._group: int | None = None if picking_up.standing(session).ours else session.group_id
        """Where others put it; None: it is ours."""
        self.number = 0
        self.at = max(session.opened_at, session.assigned_at or 0)
        """Of the last thing that assigned it: the next comes after it."""
        self.said: tuple[str, str, bool] | None = None
        """Outcome and group of the last decision, while it holds, and whether that group was named by hand."""
        last = session.decided
        if last is not None:
            self.number = last.number
            self.at = max(self.at, last.at)
            standing = picking_up.standing(session)
            if last.outcome != ASSIGNED and standing.waits:
                self.said = routed.OUTCOMES[last.outcome], last.group, standing.pinned != ""

    def given(self, agent: int) -> None:
        """By the engine's own decision."""
        self.agent, self._group = agent, None

    def is_as(self, agent: int, group: int) -> bool:
        """Whether others have left it as it was. What the engine decides where it belongs stays there."""
        return self.agent == agent and self._group in (None, group)

    @property
    def waits(self) -> bool:
        return self.said is not None and self.said[0] != "assigned"


class Sessions:
    """All that the router holds, by their ids, codes and agents."""

    def __init__(self) -> None:
        self._by_id: dict[int, Known] = {}
        self._by_code: dict[str, Known] = {}
        self._by_agent: defaultdict[int, set[int]] = defaultdict(set)

    def get(self, id: int) -> Known | None:
        return self._by_id.get(id)

    def coded(self, code: str) -> Known | None:
        return self._by_code.get(code)

    def of(self, agents: Iterable[int] | None) -> Iterable[int]:
        """Ids of those of these agents (0: of nobody), or of all."""
        if agents is None:
            return self._by_id
        return [id for agent in agents for id in self._by_agent.get(agent, ())]

    def keep(self, session: OpenSession) -> None:
        before = self._by_id.get(session.id)
        if before is not None:
            self.forget(before)
        known = self._by_id[session.id] = self._by_code[session.new.id] = Known(session)
        self._by_agent[known.agent].add(known.id)

    def forget(self, known: Known) -> None:
        del self._by_id[known.id], self._by_code[known.code]
        self._by_agent[known.agent].discard(known.id)

    def move(self, known: Known, agent: int) -> None:
        self._by_agent[known.agent].discard(known.id)
        known.given(agent)
        self._by_agent[agent].add(known.id)


@dataclass(slots=True)
class News:
    """What differs from what the engine knows. changed, gone: ids of sessions."""

    configuration: Configuration | None = None
    presence: list[tuple[int, str, State]] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.configuration or self.presence or self.changed or self.gone or self.commands)


class Memory:
    """revision: of the store, up to which it holds. router None: nothing is known. groups, agents: {code: id}; states: {agent: state}."""

    def __init__(self, store: int) -> None:
        self.store = store
        self.revision = -1
        self.router: Router | None = None
        self.clear()

    def clear(self) -> None:
        self.configuration = Configuration((-1, -1, -1), (), Plan((), ()))
        self.groups: dict[str, int] = {}
        self.agents: dict[str, int] = {}
        self.states: dict[str, State] = {}
        self.sessions = Sessions()
        self.late: dict[int, float] = {}
        """When to take sessions that are old already, by time.monotonic()."""

    def configure(self, bulk: Bulk, found: Configuration) -> None:
        self.configuration = found
        self.groups = routed.name_groups(bulk, self.store, found.plan)

    def is_late_due(self) -> bool:
        return bool(self.late) and min(self.late.values()) <= time.monotonic()

    def look(self, bulk: Bulk, topics: Collection[str], agents: Collection[int] | None) -> News:
        """agents: those touched; None: anybody could be, and by anything."""
        news, anything = News(), agents is None
        if anything or not {"settings", "agents"}.isdisjoint(topics):
            found = routed.configuration(bulk, self.store)
            if found[:2] != self.configuration[:2]:
                news.configuration = found
        if anything or "presence" in topics:
            states = routed.presence(bulk, self.store, agents)
            news.presence = [(id, code, state) for id, code, state in states if self.states.get(code, "offline") != state]
        if anything or "commands" in topics:
            news.commands = routed.pending_commands(bulk, self.store)
        opens = not self.configuration.plan.groups and news.configuration is not None and bool(news.configuration.plan.groups)
        if anything or opens or "sessions" in topics or self.is_late_due():
            self._look_at_sessions(bulk, news, None if anything or opens else {0, *(agents or ())})
        return news

    def standing(self, bulk: Bulk, whose: Collection[int] | None) -> dict[int, tuple[int, int]]:
        """{session: (agent, group)} as `routed.standing`, but for those flagged while they waited: their rows name who had them before."""
        rows = routed.standing(bulk, self.store, whose)
        there = {id: (agent, group) for id, (agent, group, _) in rows.items()}
        flagged = [(id, self.sessions.get(id)) for id, (agent, _, flag) in rows.items() if flag and agent]
        maybe = [id for id, known in flagged if known is None or known.waits]
        for session in routed.open_sessions(bulk, self.store, maybe):
            if picking_up.standing(session).waits:
                del there[session.id]
        return there

    def _look_at_sessions(self, bulk: Bulk, news: News, whose: Collection[int] | None) -> None:
        there = self.standing(bulk, whose)
        taken_away: dict[int, Known] = {}
        for id, (agent, group) in there.items():
            known = self.sessions.get(id)
            if known is None:
                if agent or not self._is_let_be(id, news):
                    news.changed.append(id)
            elif not known.is_as(agent, group):
                news.changed.append(id)
            elif agent and known.waits:
                taken_away[id] = known
        named = routed.named_at(bulk, self.store, list(taken_away))
        news.changed += [id for id, at in named.items() if at > taken_away[id].at]
        news.gone = [id for id in self.sessions.of(whose) if id not in there]
        for id in self.late.keys() - there.keys():
            if whose is None or 0 in whose:
                del self.late[id]

    def _is_let_be(self, id: int, news: News) -> bool:
        """Of nobody's, those that are not ours to give: no groups, or it is not yet clear that nobody has it."""
        plan = (news.configuration or self.configuration).plan
        return not plan.groups or self.late.get(id, 0.0) > time.monotonic()
