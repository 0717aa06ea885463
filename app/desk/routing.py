"""The routing of one store, carried out: what is committed to the database goes into the router, what it decides is committed.

The database is the meeting point, so it does not matter who writes the sessions. A turn happens in one transaction under the store's
lock: it looks at what is new, lets the router decide, and records the decisions with the events they lead to. So a decision is always
made on what is there, also by an engine that has lost its store without knowing; and a kill at any moment leaves all of a turn or
nothing (docs/decisions/0014-routing-engine.md).
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event

from app.desk import picking_up
from app.domain.conversation import REASONS
from app.domain.events import LATEST, AgentPresence, AnyEvent, SessionAssigned, State
from app.domain.kinds import fill, same
from app.domain.language import T
from app.domain.routing.router import RETURNING_MS, Decision, NotPossibleError, Router
from app.domain.routing.scopes import Plan
from app.domain.routing.state import TAKING
from app.storage import routed
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.notices import Notices
from app.storage.queries import touched_since
from app.storage.recorder import Batch, Recorder
from app.storage.routed import ASSIGNED, Command, Configuration, OpenSession

LATE_MS = 600_000
"""A session opened so long ago comes from a file or from before the engine ran: somebody may be about to tell who had it."""
LATE_PATIENCE_SECONDS = 3.0
WAIT_SECONDS = 0.25
_RETRY_SECONDS = (0.2, 0.5, 1.0)
_IDLE_MS = 2 * 86_400_000
"""Whoever has done nothing for so long, an engine that begins anew takes to be as idle as the others of them."""
_REASON = {name: number for number, name in enumerate(REASONS)}
_OUTCOME = {name: number for number, name in enumerate(routed.OUTCOMES)}


class _Known:
    """A session that the router holds, as the database had it last."""

    __slots__ = ("agent", "at", "code", "id", "number", "said")

    def __init__(self, session: OpenSession) -> None:
        self.id = session.id
        self.code = session.new.id
        self.agent = session.agent_id
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

    @property
    def waits(self) -> bool:
        return self.said is not None and self.said[0] != "assigned"


@dataclass(slots=True)
class _News:
    """What differs from what the router knows."""

    configuration: Configuration | None = None
    presence: list[tuple[int, str, State]] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.configuration or self.presence or self.changed or self.gone or self.commands)


class Routing:
    """now: the store's clock, epoch ms. One thread at a time."""

    def __init__(self, database: Database, store: int, now: Callable[[], int]) -> None:
        self._database = database
        self._store = store
        self._now = now
        self._recorder = Recorder(database, store)
        self._router: Router | None = None
        self._revision = -1
        self._configuration = Configuration((-1, -1, -1), (), Plan((), ()))
        self._groups: dict[str, int] = {}
        self._agents: dict[str, int] = {}
        self._states: dict[str, State] = {}
        self._known: dict[int, _Known] = {}
        self._ids: dict[str, int] = {}
        self._by_agent: defaultdict[int, set[int]] = defaultdict(set)
        self._late: dict[int, float] = {}
        """When to take sessions that are old already, by time.monotonic()."""

    def run(self, stop: Event) -> None:
        """Blocks until `stop`. A lost database is waited for; other faults end the run with FaultError."""
        notices: Notices | None = None
        tries = 0
        try:
            while not stop.is_set():
                try:
                    if notices is None:
                        notices = Notices(self._database, self._store)
                    self.turn()
                    tries = 0
                    while not stop.is_set():
                        heard = notices.wait(WAIT_SECONDS)
                        if self._is_late_due() or (heard and heard[-1].revision > self._revision):
                            break
                except FaultError as fault:
                    if fault.kind not in ("unreachable", "locked"):
                        raise
                    stop.wait(_RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)])
                    tries += 1
        finally:
            if notices is not None:
                notices.close()

    def turn(self) -> int:
        """Carries out all that follows from what has been committed, and returns how many decisions that was.

        Raises FaultError; then nothing of it is recorded, and the next turn begins anew from the database.
        """
        if self._router is not None and not self._is_anything_new():
            return 0
        try:
            with self._recorder.locked() as batch:
                decisions = self._turn(batch)
        except BaseException:
            self._router = None
            raise
        self._revision = batch.revision
        return decisions

    # Looking

    def _is_anything_new(self) -> bool:
        """Read without a lock, for most of what happens calls for no decision."""
        with self._database.read() as connection:
            revision, topics, agents = touched_since(connection, self._store, self._revision)
            if revision == self._revision:
                return self._is_late_due()
            if agents is None or "routing" in topics:  # somebody else's decisions, for after a turn of our own its revision is known
                return True
            bulk = Bulk(connection)
            news = self._look(bulk, topics, agents)
            bulk.close()
        if not news and not self._is_late_due():
            self._revision = revision
            return False
        return True

    def _look(self, bulk: Bulk, topics: Collection[str], agents: Collection[int] | None) -> _News:
        """agents: those touched; None: anybody could be, and by anything."""
        news, anything = _News(), agents is None
        if anything or not {"settings", "agents"}.isdisjoint(topics):
            found = routed.configuration(bulk, self._store)
            if found[:2] != self._configuration[:2]:
                news.configuration = found
        if anything or "presence" in topics:
            states = routed.presence(bulk, self._store, agents)
            news.presence = [(id, code, state) for id, code, state in states if self._states.get(code, "offline") != state]
        if anything or "commands" in topics:
            news.commands = routed.pending_commands(bulk, self._store)
        opens = not self._configuration.plan.groups and news.configuration is not None and bool(news.configuration.plan.groups)
        if anything or opens or "sessions" in topics or self._is_late_due():
            whose = None if anything or opens else {0, *(agents or ())}
            there = routed.standing(bulk, self._store, whose)
            known = self._known
            for id, agent in there.items():
                held = known.get(id)
                if (held is None and not self._is_let_be(id, agent, news)) or (held is not None and held.agent != agent):
                    news.changed.append(id)
            named = [id for id, agent in there.items() if agent and id in known and known[id].agent == agent and known[id].waits]
            news.changed += [id for id, at in routed.named_at(bulk, self._store, named).items() if at > known[id].at]
            held_by = self._by_agent if whose is None else whose
            news.gone = [id for agent in held_by for id in self._by_agent.get(agent, ()) if id not in there]
            for id in self._late.keys() - there.keys():
                if whose is None or 0 in whose:
                    del self._late[id]
        return news

    def _is_let_be(self, id: int, agent: int, news: _News) -> bool:
        """A session of nobody that is not ours to give: no groups, or it is not yet clear that nobody has it."""
        if agent:
            return False
        plan = (news.configuration or self._configuration).plan
        return not plan.groups or self._late.get(id, 0.0) > time.monotonic()

    def _is_late_due(self) -> bool:
        return bool(self._late) and min(self._late.values()) <= time.monotonic()

    # Deciding

    def _turn(self, batch: Batch) -> int:
        at, bulk = self._now(), batch.bulk
        found: list[Decision] = []
        if self._router is not None:
            _, topics, agents = touched_since(bulk.connection, self._store, self._revision)
            if routed.decided_since(bulk, self._store, self._revision):
                self._router = None  # by somebody else
        if self._router is None:
            found += self._rebuild(batch, at)
            topics, agents = frozenset(), None
        router = self._router
        assert router is not None
        news = self._look(bulk, topics, agents)
        changed = routed.open_sessions(bulk, self._store, news.changed)
        held_back = self._hold_back(router, news, changed, at)
        self._empty_queues(router, news, changed, at)
        if news.configuration is not None:
            self._configure(bulk, news.configuration)
            found += router.reconfigure(news.configuration.plan, at)
        done: list[tuple[Command, T | None]] = []
        events: list[AnyEvent] = []
        found += self._follow(router, news, changed, held_back, at)
        for command in news.commands:
            if command.kind in ("suspend", "resume"):
                done.append((command, self._attend(bulk, command, at, events)))
        attended = [command.body["agent"] for command, refused in done if refused is None]
        found += router.presences([(code, self._states[code]) for code in attended], at)
        found += self._open(router, bulk, changed, at)
        for command in news.commands:
            if command.kind not in ("suspend", "resume"):
                done.append((command, self._hand_over(router, bulk, command, at, found)))
        count = self._record(batch, router, found, events, at)
        for command, refused in done:
            routed.finish_command(bulk, command.id, at, refused)
        if done:
            batch.also("commands")
        return count

    def _hold_back(self, router: Router, news: _News, changed: Sequence[OpenSession], at: int) -> set[str]:
        """Those who are about to go, or to be given something by others, take nothing before that; answers who of them does again then.

        Several things that were committed together are not decided as if only the first had happened.
        """
        given = {session.agent for session in changed if session.agent_id}
        told = {code for _, code, _ in news.presence}
        leaving = {code for _, code, state in news.presence if state not in TAKING} | _suspended(news.commands)
        for code in given | leaving:
            if self._states.get(code) in TAKING:
                router.presence(code, "suspended", at)
        return {code for code in given - leaving - told if self._states.get(code) in TAKING}

    def _empty_queues(self, router: Router, news: _News, changed: Sequence[OpenSession], at: int) -> None:
        """What waits no longer, or not as the router has it: before anything that frees somebody, who would be given what others have."""
        for session in changed:
            known = self._known.get(session.id)
            if (known is None or known.waits) and not picking_up.standing(session).waits:
                self._take(router, session, at)
        for id in (*news.gone, *news.changed):
            known = self._known.get(id)
            if known is not None and known.waits:
                self._forget(known)
                router.closed(known.code, at)

    def _follow(
        self, router: Router, news: _News, changed: Sequence[OpenSession], held_back: Collection[str], at: int
    ) -> list[Decision]:  # fmt: skip
        """What others have done that frees agents, and who has come and gone."""
        found: list[Decision] = []
        for known in [self._known[id] for id in news.gone if id in self._known]:
            self._forget(known)
            found += router.closed(known.code, at)
        states: dict[str, State] = {code: self._states[code] for code in sorted(held_back)}
        for session in changed:
            standing = picking_up.standing(session)
            if standing.waits:
                continue
            if self._known[session.id].agent != session.agent_id:
                found += self._take(router, session, at)
            if standing.ours and self._states.get(session.agent, "offline") == "offline":
                states[session.agent] = "offline"  # open again, and its agent has gone meanwhile
        suspended = _suspended(news.commands)
        for id, code, state in news.presence:
            self._states[code], self._agents[code] = state, id
            states[code] = "suspended" if code in suspended and state in TAKING else state
        return found + router.presences(states.items(), at)

    def _take(self, router: Router, session: OpenSession, at: int) -> list[Decision]:
        """A session has an agent by somebody else's doing, or is open again with the one it had."""
        standing = picking_up.standing(session)
        self._late.pop(session.id, None)
        self._keep(session)
        return router.taken(session.new, session.agent, standing.group, at, given=not standing.ours)

    def _open(self, router: Router, bulk: Bulk, changed: Sequence[OpenSession], at: int) -> list[Decision]:
        """Sessions that nobody has."""
        new = [session for session in changed if picking_up.standing(session).waits and self._is_ours(session, at)]
        if not new or not self._configuration.plan.groups:
            return []
        found: list[Decision] = []
        self._remember(router, bulk, new, at)
        for session in new:
            if session.id in self._known:  # it had an agent, whom a late fact has taken away
                self._forget(self._known[session.id])
                found += router.closed(session.new.id, at)
            self._keep(session)
            found.append(router.opened(session.new, at))
        return found

    def _remember(self, router: Router, bulk: Bulk, sessions: Sequence[OpenSession], at: int) -> None:
        """Who served these customers."""
        served = routed.served(bulk, self._store, (session.new.customer for session in sessions), at - RETURNING_MS)
        for customer, group, agent, when in served:
            router.remember(customer, group, agent, when)

    def _is_ours(self, session: OpenSession, at: int) -> bool:
        if session.decided is None and at - session.opened_at > LATE_MS and session.id not in self._late:
            self._late[session.id] = time.monotonic() + LATE_PATIENCE_SECONDS
            return False
        self._late.pop(session.id, None)
        return True

    # Commands

    def _attend(self, bulk: Bulk, command: Command, at: int, events: list[AnyEvent]) -> T | None:
        """Suspends or resumes an agent, who may be suspended and resumed by more than one command; answers why it is refused."""
        code = command.body["agent"]
        state, name = self._states.get(code), same(self._configuration.plan.agent(code).name)
        if command.kind == "suspend":
            if state in (None, "offline"):
                return fill(T("{0} 已离线，无需挂起", "{0} is offline, there is nothing to suspend"), name)
            if state == "suspended":
                return fill(T("{0} 已挂起", "{0} is suspended already"), name)
            following: State = "suspended"
        else:
            if state != "suspended":
                return fill(T("{0} 没有挂起", "{0} is not suspended"), name)
            following = "available"
        said = [event.at for event in events if isinstance(event, AgentPresence) and event.agent == code]
        when = max(at, routed.last_presence(bulk, self._agents[code]) + 1, *(each + 1 for each in said), 0)
        events.append(AgentPresence(id=f"command/{command.id}", at=when, agent=code, state=following))
        self._states[code] = following
        return None

    def _hand_over(self, router: Router, bulk: Bulk, command: Command, at: int, found: list[Decision]) -> T | None:
        code = command.body["session"]
        apart = code not in self._ids
        if apart and (refused := self._bring_in(router, bulk, command, at)) is not None:
            return refused
        try:
            if command.kind == "move":
                found += router.move(code, command.body["agent"], at)
            else:
                found += router.transfer(code, command.body["group"], at)
        except NotPossibleError as error:
            if apart and code in self._ids:
                self._forget(self._known[self._ids[code]])
                router.closed(code, at)
            return error.sentence
        self._late.pop(self._ids[code], None)
        return None

    def _bring_in(self, router: Router, bulk: Bulk, command: Command, at: int) -> T | None:
        """An open session that is nobody's and not ours to give, for the command about it; answers why that cannot be."""
        code = command.body["session"]
        found = routed.find_open(bulk, self._store, code)
        if found is None:
            return None  # the router says that it is closed
        id, begun, flagged = found
        if not begun:
            return fill(T("会话 {0} 还没有开始", "the session {0} has not begun yet"), same(code))
        if command.kind == "transfer":
            if not self._configuration.plan.groups:
                return T("店铺还没有咨询组，请直接指定客服", "the store has no groups yet: choose an agent instead")
            if flagged:
                return fill(T("会话 {0} 已标记，请直接指定客服", "the session {0} is flagged: choose an agent instead"), same(code))
            if id not in self._late:
                silent = T("会话 {0} 的客户还没有发言，请直接指定客服", "the customer of {0} has not written yet: choose an agent instead")
                return fill(silent, same(code))
        session = routed.open_sessions(bulk, self._store, [id])[0]
        self._keep(session)
        router.admit(session.new, at)
        return None

    # Recording

    def _record(self, batch: Batch, router: Router, found: Sequence[Decision], events: list[AnyEvent], at: int) -> int:
        bulk = batch.bulk
        sure: list[tuple[Decision, _Known, int, int]] = []
        for decision in found:
            known = self._known[self._ids[decision.session]]
            said = decision.outcome, decision.group, any(why[0] == "handed_to" for why in decision.reasons)
            if decision.outcome != "assigned" and known.said == said:
                continue  # it waits where it has been waiting
            known.number += 1
            known.at = min(max(at, known.at + 1), LATEST - 1)
            known.said = said
            sure.append((decision, known, known.number, known.at))
            if decision.agent is not None:
                events.append(
                    SessionAssigned(
                        id=f"{decision.session}/{known.number}", at=known.at, session=decision.session, agent=decision.agent,
                        group=decision.group or None, reason=decision.reason,
                    )
                )  # fmt: skip
        if events:
            batch.record(events, routed.SOURCE)
        if not sure:
            return 0
        agents = batch.codes.agents
        if any(decision.group and decision.group not in self._groups for decision in found):
            self._groups = routed.group_ids(bulk, self._store)
        rows = []
        for decision, known, number, when in sure:
            agent = known.agent if decision.agent is None else agents[decision.agent]
            rows.append(
                (
                    known.id, number, when, self._store, *self._configuration.revisions, self._groups.get(decision.group, 0), agent,
                    _OUTCOME[decision.outcome], _REASON[decision.reason or ""], json.dumps(decision.reasons, ensure_ascii=False),
                )
            )  # fmt: skip
            self._move(known, agent)
        routed.keep_decisions(bulk, rows)
        routed.keep_turns(bulk, self._store, router.turns())
        batch.also("routing")
        return len(sure)

    # What is known

    def _keep(self, session: OpenSession) -> None:
        before = self._known.get(session.id)
        if before is not None:
            self._forget(before)
        known = self._known[session.id] = _Known(session)
        self._ids[known.code] = known.id
        self._by_agent[known.agent].add(known.id)

    def _forget(self, known: _Known) -> None:
        del self._known[known.id], self._ids[known.code]
        self._by_agent[known.agent].discard(known.id)

    def _move(self, known: _Known, agent: int) -> None:
        self._by_agent[known.agent].discard(known.id)
        known.agent = agent
        self._by_agent[agent].add(known.id)

    def _configure(self, bulk: Bulk, found: Configuration) -> None:
        self._configuration = found
        self._groups = routed.name_groups(bulk, self._store, found.plan)

    # From the database alone

    def _rebuild(self, batch: Batch, at: int) -> list[Decision]:
        """A router as if it had seen everything, and what it has missed meanwhile; what nothing was decided about is left to `_look`."""
        bulk, store = batch.bulk, self._store
        self._known.clear()
        self._ids.clear()
        self._by_agent.clear()
        self._late.clear()
        self._configure(bulk, routed.configuration(bulk, store))
        configuration = self._configuration
        people = routed.presence(bulk, store, None)
        self._states = {code: state for _, code, state in people}
        self._agents = {code: id for id, code, _ in people}
        suspended = _suspended(routed.pending_commands(bulk, store))
        here: dict[str, State] = {
            code: "suspended" if code in suspended and state in TAKING else state for _, code, state in people if state != "offline"
        }
        since = at - _IDLE_MS
        idle = routed.last_busy(bulk, store, [id for id, code, _ in people if code in here], since, batch.local.day(since))
        sessions = [
            session
            for session in routed.open_sessions(bulk, store, list(routed.standing(bulk, store, None)))
            if session.agent_id or (session.decided is not None and session.decided.outcome != ASSIGNED)
        ]
        for session in sessions:
            self._keep(session)
        told = {
            "now": at, "number": len(sessions), "agents": [[code, state, idle.get(self._agents[code], 0)] for code, state in here.items()],
            "sessions": [picking_up.told(session, number, at) for number, session in enumerate(sessions)], "served": [],
            **routed.turns(bulk, store),
        }  # fmt: skip
        router = self._router = Router.from_json(configuration.plan, json.dumps(told))
        waiting = [session for session in sessions if self._known[session.id].waits]
        self._remember(router, bulk, waiting, at)
        found: list[Decision] = []
        if any(session.decided is not None and session.decided.revisions != configuration.revisions for session in waiting):
            found += router.reconfigure(configuration.plan, at)
        return found + router.presences([(code, here.get(code, state)) for _, code, state in people], at)


def _suspended(commands: Iterable[Command]) -> set[str]:
    """Whom these commands suspend."""
    return {command.body["agent"] for command in commands if command.kind == "suspend"}
