"""What the engine that routes reads of a store, and what it writes beside the events: decisions, whose turn it is, carried out commands.

Everything runs inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

from app.domain import conversation as talk
from app.domain.conversation import LEAVE, ORDER_STATES, PAGES, REASONS
from app.domain.events import State
from app.domain.language import T
from app.domain.presence import OFFLINE, STATES
from app.domain.routing.reasons import Why
from app.domain.routing.scopes import AgentPlan, NewSession, Plan
from app.domain.routing_settings import AGENTS, GROUPS, LEAVE_RULE
from app.storage import revisions, schema
from app.storage.bulk import Bulk, Row
from app.storage.packing import unpack_facts

SOURCE = "engine"
OUTCOMES = ("", "assigned", "waited", "leave")
"""Of decisions, by their numbers in the table."""
ASSIGNED = 1
_TURNS = "turns"
_DAY_MS = 86_400_000
_DAYS_BEFORE_MS = 14 * _DAY_MS
"""A session that ended within the last 48 hours may have begun so much earlier."""


Revisions = tuple[int, int, int | None]
"""Of the settings documents groups, agents and leave_rule; None: decided by a release that did not keep it."""


class Configuration(NamedTuple):
    """The plan of a store. beside: what it is made of beside settings."""

    revisions: Revisions
    beside: tuple[Any, ...]
    plan: Plan


class OpenSession(NamedTuple):
    """agent_id 0: nobody has it. agent, group: codes, "" for none; decisions: about it, in order.

    assigned_at: when it was given to its agent; of one that was taken from them, when they were named last. named: [(at, agent)] of all it
    was given to, by whomever, in order; of one that was moved by hand last, else ().
    """

    id: int
    new: NewSession
    opened_at: int
    assigned_at: int | None
    agent_id: int
    agent: str
    group_id: int
    group: str
    decisions: Sequence[Decided]
    named: Sequence[tuple[int, str]]

    @property
    def decided(self) -> Decided | None:
        """The last decision."""
        return self.decisions[-1] if self.decisions else None


class Decided(NamedTuple):
    """A decision as it was recorded; group, agent and had are codes, "" for none. had: of one that waits, whom it was taken from.

    No event says that nobody has a session, so its row goes on naming them.
    """

    number: int
    at: int
    outcome: int
    group: str
    agent: str
    had: str
    reason: str
    revisions: Revisions
    reasons: tuple[Why, ...]


class Command(NamedTuple):
    id: int
    kind: str
    body: Mapping[str, str]


def configuration(bulk: Bulk, store: int) -> Configuration:
    """What holds now."""
    groups, agents, leave_rule = (revisions.current(bulk.connection, store, document) for document in (GROUPS, AGENTS, LEAVE_RULE))
    rows = bulk.rows("SELECT code, name, capacity FROM agents WHERE store_id = ? AND active ORDER BY code", (store,))
    known = tuple(AgentPlan(code, name or code, capacity) for code, name, capacity in rows)
    plan = Plan.of(groups.body, agents.body, leave_rule.body, known)
    return Configuration((groups.revision, agents.revision, leave_rule.revision), known, plan)


def name_groups(bulk: Bulk, store: int, plan: Plan) -> dict[str, int]:
    """Gives the store's groups the names of their settings; {code: id} of all groups heard of."""
    held: dict[str, str] = dict(bulk.rows("SELECT code, name FROM skill_groups WHERE store_id = ?", (store,)))
    bulk.many(
        "INSERT INTO skill_groups (store_id, code, name) VALUES (?, ?, ?) ON CONFLICT (store_id, code) DO UPDATE SET name = excluded.name",
        [(store, group.code, group.name) for group in plan.groups.values() if held.get(group.code) != group.name],
    )
    return group_ids(bulk, store)


def group_ids(bulk: Bulk, store: int) -> dict[str, int]:
    return dict(bulk.rows("SELECT code, id FROM skill_groups WHERE store_id = ?", (store,)))


def presence(bulk: Bulk, store: int, agents: Collection[int] | None) -> list[tuple[int, str, State]]:
    """[(id, code, state)] of these agents, or of all."""
    statement = "SELECT id, code, state FROM agents WHERE store_id = ?"
    rows = bulk.rows(statement, (store,)) if agents is None else bulk.rows_in(statement + " AND id IN {keys}", (store,), sorted(agents))
    return [(id, code, cast(State, STATES[state])) for id, code, state in rows]


def last_presence(bulk: Bulk, agent: int) -> int:
    """When an agent's state changed last, 0 for never."""
    at: int | None = bulk.rows("SELECT max(at) FROM presence WHERE agent_id = ?", (agent,))[0][0]
    return at or 0


def standing(bulk: Bulk, store: int, agents: Collection[int] | None) -> dict[int, tuple[int, int, int]]:
    """{session: (agent, group, flag)} of the open sessions of these agents (0: of nobody), or of all.

    Without an agent only those that somebody waits in: leave messages, and customers who have written and whom no robot has served.
    """
    statement = (
        "SELECT id, agent_id, group_id, flag FROM sessions WHERE store_id = ? AND closed_at IS NULL AND opened_at IS NOT NULL "
        f"AND (agent_id <> 0 OR (flag = 0 AND (kind = {LEAVE} OR first_customer_at IS NOT NULL)))"
    )
    if agents is None:
        rows = bulk.rows(statement, (store,))
    else:
        rows = bulk.rows_in(statement + " AND agent_id IN {keys}", (store,), sorted(agents))
    return {id: (agent, group, flag) for id, agent, group, flag in rows}


def open_sessions(bulk: Bulk, store: int, ids: Sequence[int]) -> list[OpenSession]:
    """These sessions, the oldest first."""
    decided = all_decisions(bulk, store, ids)
    rows = bulk.rows_in(
        "SELECT s.id, s.code, c.code, s.kind, s.page, k.code, s.region, c.region, s.order_state, c.tags, s.opened_at, s.assigned_at, "
        "s.agent_id, a.code, s.group_id, g.code "
        "FROM sessions s LEFT JOIN customers c ON c.id = s.customer_id LEFT JOIN skus k ON k.id = s.sku_id "
        "LEFT JOIN agents a ON a.id = s.agent_id LEFT JOIN skill_groups g ON g.id = s.group_id "
        "WHERE s.store_id = ? AND s.id IN {keys} ORDER BY s.opened_at, s.id",
        (store,),
        ids,
    )
    taken_away = [id for id, *_, agent_id, _, _, _ in rows if agent_id and id in decided and decided[id][-1].outcome != ASSIGNED]
    by_hand = [id for id, about in decided.items() if about[-1].reason == "manual"]
    named = _named(bulk, store, [*taken_away, *by_hand])
    codes: dict[int, str] = dict(bulk.rows("SELECT id, code FROM agents WHERE store_id = ?", (store,))) if by_hand else {}
    at_last = {id: named[id][-1][0] for id in taken_away if id in named}
    by_name = {id: [(at, codes[agent]) for at, agent in named.get(id, ())] for id in by_hand}
    return [
        OpenSession(
            id,
            NewSession(
                code, customer or "", "leave" if kind == LEAVE else "online", PAGES[page], sku or "", region or home or "",
                ORDER_STATES[order_state], tuple(json.loads(tags or "[]")),
            ),
            opened_at, at_last.get(id, assigned_at), agent_id, agent or "", group_id, group or "", decided.get(id, ()), by_name.get(id, ()),
        )
        for (
            id, code, customer, kind, page, sku, region, home, order_state, tags, opened_at, assigned_at, agent_id, agent, group_id, group,
        ) in rows
    ]  # fmt: skip


def named_at(bulk: Bulk, store: int, sessions: Sequence[int]) -> dict[int, int]:
    """When these sessions were given to somebody last. Given to who had it already, that is all that changes; left out: never."""
    return {id: given[-1][0] for id, given in _named(bulk, store, sessions).items()}


def _named(bulk: Bulk, store: int, sessions: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """{session: [(at, agent)]} of all they were given to, in order; left out: to nobody."""
    rows = bulk.rows_in("SELECT id, facts FROM sessions WHERE store_id = ? AND id IN {keys}", (store,), sessions)
    found: dict[int, list[tuple[int, int]]] = {}
    for id, facts in rows:
        for fact in sorted(unpack_facts(facts)):
            at, kind = fact[:2]
            # Whoever writes where nobody was named has it.
            agent = fact[3] if kind == talk.ASSIGNED else fact[9] if kind == talk.OPENED else 0
            if kind == talk.AGENT and id not in found:
                agent = fact[2]
            if agent:
                found.setdefault(id, []).append((at, agent))
    return found


def flagged(bulk: Bulk, store: int, sessions: Sequence[int]) -> list[int]:
    """Those of these sessions that are."""
    rows = bulk.rows_in("SELECT id FROM sessions WHERE store_id = ? AND flag <> 0 AND id IN {keys}", (store,), sessions)
    return [id for (id,) in rows]


def find_open(bulk: Bulk, store: int, code: str) -> tuple[int, bool, bool] | None:
    """(id, whether it has begun, whether it is flagged) of a session that is not closed."""
    statement = "SELECT id, opened_at, flag FROM sessions WHERE store_id = ? AND code = ? AND closed_at IS NULL"
    rows = bulk.rows(statement, (store, code))
    return (rows[0][0], rows[0][1] is not None, rows[0][2] != 0) if rows else None


def all_decisions(bulk: Bulk, store: int, sessions: Sequence[int]) -> dict[int, list[Decided]]:
    """In their order."""
    found: dict[int, list[Decided]] = {}
    for session, number, at, outcome, group, agent, reason, reasons, *held in bulk.rows_in(
        "SELECT d.session_id, d.number, d.at, d.outcome, g.code, a.code, d.reason, d.reasons, "
        "d.groups_revision, d.agents_revision, d.leave_rule_revision "
        "FROM decisions d LEFT JOIN skill_groups g ON g.id = d.group_id LEFT JOIN agents a ON a.id = d.agent_id "
        "WHERE d.store_id = ? AND d.session_id IN {keys} ORDER BY d.session_id, d.number",
        (store,),
        sessions,
    ):
        why = tuple(tuple(each) for each in json.loads(reasons))
        has, had = (agent or "", "") if outcome == ASSIGNED else ("", agent or "")
        decided = Decided(number, at, outcome, group or "", has, had, REASONS[reason], (held[0], held[1], held[2]), why)
        found.setdefault(session, []).append(decided)
    return found


def served(bulk: Bulk, store: int, customers: Iterable[str], since: int) -> list[tuple[str, str, str, int]]:
    """[(customer, group, agent, at)] of sessions that ended, were given, or went on to another at or after `since`; the latest last.

    Of those that a source handed from one agent to another only the last agent is known.
    """
    theirs = sorted(set(customers))
    sessions = bulk.rows_in(
        "SELECT s.id, c.code, g.code, a.code, coalesce(s.closed_at, s.assigned_at) FROM customers c "
        "JOIN sessions s ON s.customer_id = c.id AND s.opened_at >= ? JOIN agents a ON a.id = s.agent_id "
        "LEFT JOIN skill_groups g ON g.id = s.group_id WHERE c.store_id = ? AND c.code IN {keys}",
        (since - _DAYS_BEFORE_MS, store),
        theirs,
    )
    found = [(at, id, 1, customer, group, agent) for id, customer, group, agent, at in sessions if group is not None and at is not None]
    whose = {id: customer for id, customer, *_ in sessions}
    for id, decided in all_decisions(bulk, store, list(whose)).items():
        for before, after in pairwise(decided):
            if before.outcome == ASSIGNED and before.group:
                found.append((after.at, id, 0, whose[id], before.group, before.agent))
    return [(customer, group, agent, at) for at, _, _, customer, group, agent in sorted(found) if at >= since]


def last_busy(bulk: Bulk, store: int, agents: Collection[int], since: int, day: int) -> dict[int, int]:
    """{agent: when they came, were given a session or ended one last}, as far as that was at or after `since`.

    Of sessions opened on or after a day, by the store's own time.
    """
    found: dict[int, int] = {}
    busy = bulk.rows_in(
        "SELECT agent_id, max(coalesce(closed_at, assigned_at)) FROM sessions WHERE store_id = ? AND day >= ? AND agent_id IN {keys} "
        "GROUP BY agent_id",
        (store, day),
        sorted(agents),
    )
    came = bulk.rows_in(
        "SELECT p.agent_id, min(p.at) FROM presence p WHERE p.at > coalesce((SELECT q.at FROM presence q WHERE q.agent_id = p.agent_id "
        f"AND q.state = {OFFLINE} ORDER BY q.at DESC LIMIT 1), ?) AND p.agent_id IN {{keys}} GROUP BY p.agent_id",
        (since,),
        sorted(agents),
    )
    for agent, at in (*busy, *came):
        if at is not None and at >= since:
            found[agent] = max(found.get(agent, 0), at)
    return found


def decided_since(bulk: Bulk, store: int, revision: int) -> bool:
    """Whether anything was decided after a revision of the store, or may have been."""
    first = bulk.rows("SELECT min(revision) FROM changes WHERE store_id = ? AND revision > ?", (store, revision))[0][0]
    if first is not None and first != revision + 1:
        return True
    statement = "SELECT 1 FROM changes WHERE store_id = ? AND revision > ? AND topics LIKE ? LIMIT 1"
    return bool(bulk.rows(statement, (store, revision, '%"routing"%')))


def turns(bulk: Bulk, store: int) -> dict[str, Any]:
    """As a router told them (`keep_turns`)."""
    rows = bulk.rows("SELECT value FROM source_progress WHERE store_id = ? AND source = ? AND item = ?", (store, SOURCE, _TURNS))
    found: dict[str, Any] = json.loads(rows[0][0]) if rows else {"rotations": {}, "turns": {}}
    return found


def keep_turns(bulk: Bulk, store: int, told: str) -> None:
    bulk.replace(schema.source_progress, ("store_id", "source", "item", "value"), [(store, SOURCE, _TURNS, told)])


def keep_decisions(bulk: Bulk, rows: Sequence[Row]) -> None:
    """(session id, number, at, store, revisions of groups, agents and leave rule, group id, agent id, outcome, reason, reasons as JSON).

    Of one that waits the agent is whoever had it until then.
    """
    bulk.insert(schema.decisions, _DECISION, rows)


_DECISION = (
    "session_id", "number", "at", "store_id", "groups_revision", "agents_revision", "leave_rule_revision", "group_id", "agent_id",
    "outcome", "reason", "reasons",
)  # fmt: skip


def pending_commands(bulk: Bulk, store: int) -> list[Command]:
    """In the order in which they were given."""
    rows = bulk.rows("SELECT id, kind, body FROM commands WHERE store_id = ? AND done_at IS NULL ORDER BY id", (store,))
    return [Command(id, kind, json.loads(body)) for id, kind, body in rows]


def finish_command(bulk: Bulk, id: int, at: int, refused: T | None) -> None:
    result = "" if refused is None else json.dumps([refused.zh, refused.en], ensure_ascii=False)
    bulk.run("UPDATE commands SET done_at = ?, result = ? WHERE id = ?", (at, result, id))
