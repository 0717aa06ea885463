"""A turn of the routing: what was committed since the last one is told to the router, what it decides is recorded.

All in one transaction under the store's lock, in an order in which what happened together is not decided as if only the first of it had
(docs/decisions/0014-routing-engine.md).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence

from app.desk import picking_up
from app.desk.memory import Known, Memory
from app.domain.conversation import REASONS
from app.domain.events import LATEST, AgentPresence, AnyEvent, SessionAssigned, State
from app.domain.kinds import fill, same
from app.domain.language import T
from app.domain.routing.router import GIVEN, RETURNING_MS, Decision, NotPossibleError, Router
from app.domain.routing.state import TAKING
from app.storage import routed
from app.storage.queries import touched_since
from app.storage.recorder import Batch
from app.storage.routed import ASSIGNED, Command, OpenSession

LATE_MS = 600_000
"""A session opened so long ago comes from a file or from before the engine ran: somebody may be about to tell who had it."""
LATE_PATIENCE_SECONDS = 3.0
_IDLE_MS = 2 * 86_400_000
"""Whoever has done nothing for so long, an engine that begins anew takes to be as idle as the others of them."""
_REASON = {name: number for number, name in enumerate(REASONS)}
_OUTCOME = {name: number for number, name in enumerate(routed.OUTCOMES)}


class Turn:
    """at: the store's time, epoch ms. To be carried out once."""

    def __init__(self, memory: Memory, batch: Batch, at: int) -> None:
        self._memory = memory
        self._batch = batch
        self._bulk = batch.bulk
        self._store = memory.store
        self._at = at
        self._decisions: list[Decision] = []
        """What the router has decided so far, in order."""
        self._events: list[AnyEvent] = []
        topics, agents = self._pick_up()
        self._news = memory.look(self._bulk, topics, agents)
        self._suspended = _suspended(self._news.commands)
        self._changed = routed.open_sessions(self._bulk, self._store, self._news.changed)

    def carry_out(self) -> int:
        """How many decisions were recorded."""
        held_back = self._hold_back()
        self._empty_queues()
        if self._news.configuration is not None:
            self._memory.configure(self._bulk, self._news.configuration)
            self._decisions += self._router.reconfigure(self._news.configuration.plan, self._at)
        self._follow(held_back)
        done = self._suspend_and_resume()
        self._open()
        done += self._hand_over()
        count = self._record()
        for command, refused in done:
            routed.finish_command(self._bulk, command.id, self._at, refused)
        if done:
            self._batch.also("commands")
        return count

    # What others have done

    def _hold_back(self) -> list[str]:
        """Those who are about to go, or to be given something by others, take nothing before that; answers who of them does again then."""
        states = self._memory.states
        given = {session.agent for session in self._changed if session.agent_id}
        told = {code for _, code, _ in self._news.presence}
        leaving: dict[str, str] = dict.fromkeys(self._suspended, "suspended")
        leaving |= {code: state for _, code, state in self._news.presence if state not in TAKING}
        for code in given | leaving.keys():
            if states.get(code) in TAKING:
                self._router.hold_back(code, leaving.get(code, GIVEN))
        return sorted(code for code in given - leaving.keys() - told if states.get(code) in TAKING)

    def _empty_queues(self) -> None:
        """What waits no longer, or not as the router has it: before anything that frees somebody, who would be given what others have."""
        sessions = self._memory.sessions
        for session in self._changed:
            known = sessions.get(session.id)
            if (known is None or known.waits) and not picking_up.standing(session).waits:
                self._take(session)
        for id in (*self._news.gone, *self._news.changed):
            known = sessions.get(id)
            if known is not None and known.waits:
                self._close(known)

    def _follow(self, held_back: Sequence[str]) -> None:
        """What frees agents, and who has come and gone."""
        memory = self._memory
        for id in self._news.gone:
            known = memory.sessions.get(id)
            if known is not None:
                self._close(known)
        states: dict[str, State] = {code: memory.states[code] for code in held_back}
        for session in self._changed:
            standing, known = picking_up.standing(session), memory.sessions.get(session.id)
            if standing.waits:
                continue
            if known is None or not known.is_as(session.agent_id, session.group_id):
                self._take(session)
            if standing.ours and memory.states.get(session.agent, "offline") == "offline":
                states[session.agent] = "offline"  # open again, and its agent has gone meanwhile
        for id, code, state in self._news.presence:
            memory.states[code], memory.agents[code] = state, id
            states[code] = "suspended" if code in self._suspended and state in TAKING else state
        self._decisions += self._router.presences(states.items(), self._at)

    def _take(self, session: OpenSession) -> None:
        """It has an agent by somebody else's doing, or is open again with the one it had."""
        standing = picking_up.standing(session)
        self._memory.late.pop(session.id, None)
        self._memory.sessions.keep(session)
        self._decisions += self._router.taken(
            session.new, session.agent, standing.group, self._at, given=not standing.ours, place=picking_up.place(session)
        )

    def _close(self, known: Known) -> None:
        self._memory.sessions.forget(known)
        self._decisions += self._router.closed(known.code, self._at)

    # Sessions that nobody has

    def _open(self) -> None:
        new = [session for session in self._changed if picking_up.standing(session).waits and self._is_ours(session)]
        if not new or not self._memory.configuration.plan.groups:
            return
        self._remember(new)
        for session in new:
            known = self._memory.sessions.get(session.id)
            if known is not None:  # it had an agent, whom a late fact has taken away
                self._close(known)
            self._memory.sessions.keep(session)
            place = None if session.decided is None else picking_up.place(session)
            self._decisions.append(self._router.opened(session.new, self._at, place))

    def _is_ours(self, session: OpenSession) -> bool:
        late = self._memory.late
        if session.decided is None and self._at - session.opened_at > LATE_MS and session.id not in late:
            late[session.id] = time.monotonic() + LATE_PATIENCE_SECONDS
            return False
        late.pop(session.id, None)
        return True

    def _remember(self, sessions: Sequence[OpenSession]) -> None:
        """Who served these customers."""
        customers = [session.new.customer for session in sessions]
        for customer, group, agent, when in routed.served(self._bulk, self._store, customers, self._at - RETURNING_MS):
            self._router.remember(customer, group, agent, when)

    # Commands

    def _suspend_and_resume(self) -> list[tuple[Command, T | None]]:
        done = [(command, self._attend(command)) for command in self._news.commands if command.kind in ("suspend", "resume")]
        attended = [command.body["agent"] for command, refused in done if refused is None]
        self._decisions += self._router.presences([(code, self._memory.states[code]) for code in attended], self._at)
        return done

    def _attend(self, command: Command) -> T | None:
        """Suspends or resumes an agent, who may be suspended and resumed by more than one command; answers why it is refused."""
        code, memory = command.body["agent"], self._memory
        state, name = memory.states.get(code), same(memory.configuration.plan.agent(code).name)
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
        said = [event.at for event in self._events if isinstance(event, AgentPresence) and event.agent == code]
        when = max(self._at, routed.last_presence(self._bulk, memory.agents[code]) + 1, *(each + 1 for each in said), 0)
        self._events.append(AgentPresence(id=f"command/{command.id}", at=when, agent=code, state=following))
        memory.states[code] = following
        return None

    def _hand_over(self) -> list[tuple[Command, T | None]]:
        return [(command, self._hand(command)) for command in self._news.commands if command.kind not in ("suspend", "resume")]

    def _hand(self, command: Command) -> T | None:
        """Moves or transfers a session; answers why it is refused."""
        code, sessions = command.body["session"], self._memory.sessions
        apart = sessions.coded(code) is None
        if apart and (refused := self._bring_in(command)) is not None:
            return refused
        known = sessions.coded(code)
        try:
            if command.kind == "move":
                self._decisions += self._router.move(code, command.body["agent"], self._at)
            else:
                self._decisions += self._router.transfer(code, command.body["group"], self._at)
        except NotPossibleError as error:
            if apart and known is not None:
                self._close(known)
            return error.sentence
        assert known is not None
        self._memory.late.pop(known.id, None)
        return None

    def _bring_in(self, command: Command) -> T | None:
        """An open session that is nobody's and not ours to give, for the command about it; answers why that cannot be."""
        code = command.body["session"]
        found = routed.find_open(self._bulk, self._store, code)
        if found is None:
            return None  # the router says that it is closed
        id, begun, flagged = found
        if not begun:
            return fill(T("会话 {0} 还没有开始", "the session {0} has not begun yet"), same(code))
        if command.kind == "transfer":
            if not self._memory.configuration.plan.groups:
                return T("店铺还没有咨询组，请直接指定客服", "the store has no groups yet: choose an agent instead")
            if flagged:
                return fill(T("会话 {0} 已标记，请直接指定客服", "the session {0} is flagged: choose an agent instead"), same(code))
            if id not in self._memory.late:
                silent = T("会话 {0} 的客户还没有发言，请直接指定客服", "the customer of {0} has not written yet: choose an agent instead")
                return fill(silent, same(code))
        session = routed.open_sessions(self._bulk, self._store, [id])[0]
        self._memory.sessions.keep(session)
        self._router.admit(session.new, self._at, picking_up.place(session) if command.kind == "move" or session.decided else None)
        return None

    # Recording

    def _record(self) -> int:
        memory, batch = self._memory, self._batch
        sure: list[tuple[Decision, Known, int, int]] = []
        for decision in self._decisions:
            known = memory.sessions.coded(decision.session)
            assert known is not None
            said = decision.outcome, decision.group, any(why[0] == "handed_to" for why in decision.reasons)
            if decision.outcome != "assigned" and known.said == said:
                continue  # it waits where it has been waiting
            known.number += 1
            known.at = min(max(self._at, known.at + 1), LATEST - 1)
            known.said = said
            sure.append((decision, known, known.number, known.at))
            if decision.agent is not None:
                self._events.append(
                    SessionAssigned(
                        id=f"{decision.session}/{known.number}", at=known.at, session=decision.session, agent=decision.agent,
                        group=decision.group or None, reason=decision.reason,
                    )
                )  # fmt: skip
        if self._events:
            batch.record(self._events, routed.SOURCE)
        if not sure:
            return 0
        agents = batch.codes.agents
        if any(decision.group and decision.group not in memory.groups for decision, *_ in sure):
            memory.groups = routed.group_ids(self._bulk, self._store)
        rows = []
        for decision, known, number, when in sure:
            agent = known.agent if decision.agent is None else agents[decision.agent]
            rows.append(
                (
                    known.id, number, when, self._store, *memory.configuration.revisions, memory.groups.get(decision.group, 0), agent,
                    _OUTCOME[decision.outcome], _REASON[decision.reason or ""], json.dumps(decision.reasons, ensure_ascii=False),
                )
            )  # fmt: skip
            memory.sessions.move(known, agent)
        routed.keep_decisions(self._bulk, rows)
        taken_away = {known.id: known for decision, known, *_ in sure if decision.agent is None and known.agent and known.waits}
        for id in routed.flagged(self._bulk, self._store, list(taken_away)):
            self._close(taken_away[id])
        routed.keep_turns(self._bulk, self._store, self._router.turns())
        batch.also("routing")
        return len(sure)

    # From the database alone

    def _pick_up(self) -> tuple[frozenset[str], frozenset[int] | None]:
        """Where the last turn has left off, or else from nothing; answers the topics and agents to look at."""
        memory, bulk = self._memory, self._bulk
        others_decided = memory.router is not None and routed.decided_since(bulk, self._store, memory.revision)
        if memory.router is not None and not others_decided:
            self._router = memory.router
            return touched_since(bulk.connection, self._store, memory.revision)[1:]
        self._router = memory.router = self._begin_anew()
        return frozenset(), None

    def _begin_anew(self) -> Router:
        """A router as if it had seen everything, and what it has missed meanwhile; what nothing was decided about is left to `look`."""
        memory, bulk, store, at = self._memory, self._bulk, self._store, self._at
        memory.clear()
        memory.configure(bulk, routed.configuration(bulk, store))
        configuration = memory.configuration
        people = routed.presence(bulk, store, None)
        memory.states = {code: state for _, code, state in people}
        memory.agents = {code: id for id, code, _ in people}
        suspended = _suspended(routed.pending_commands(bulk, store))
        here: dict[str, State] = {
            code: "suspended" if code in suspended and state in TAKING else state for _, code, state in people if state != "offline"
        }
        since = at - _IDLE_MS
        idle = routed.last_busy(bulk, store, [id for id, code, _ in people if code in here], since, self._batch.local.day(since))
        sessions = [
            session
            for session in routed.open_sessions(bulk, store, list(memory.standing(bulk, None)))
            if session.agent_id or (session.decided is not None and session.decided.outcome != ASSIGNED)
        ]
        for session in sessions:
            memory.sessions.keep(session)
        told = {
            "now": at, "number": len(sessions), "agents": [[code, state, idle.get(memory.agents[code], 0)] for code, state in here.items()],
            "sessions": [picking_up.told(session, number, at) for number, session in enumerate(sessions)], "served": [],
            **routed.turns(bulk, store),
        }  # fmt: skip
        self._router = Router.from_json(configuration.plan, json.dumps(told))
        waiting = [session for session in sessions if picking_up.standing(session).waits]
        self._remember(waiting)
        if any(session.decided is not None and session.decided.revisions != configuration.revisions for session in waiting):
            self._decisions += self._router.reconfigure(configuration.plan, at)
        self._decisions += self._router.presences([(code, here.get(code, state)) for _, code, state in people], at)
        return self._router


def _suspended(commands: Iterable[Command]) -> set[str]:
    """Whom these commands suspend."""
    return {command.body["agent"] for command in commands if command.kind == "suspend"}
