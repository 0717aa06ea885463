"""What a source that lives along with its store reads of it and keeps in it: where it would go on, and what others have decided."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from app.domain.conversation import LEAVE, ORDER_STATES, PAGES
from app.domain.events import State
from app.domain.lived import Ended, Given, OpenSession
from app.domain.presence import STATES
from app.storage import routed, schema
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.queries import touched_since

_PLACED = ORDER_STATES.index("placed")


class News(NamedTuple):
    """What others have done since a revision. states: of everybody, where somebody may have been commanded; else {}."""

    revision: int
    given: Sequence[Given] = ()
    states: Mapping[str, State] = {}


class Recollection:
    """domain.lived.Memory of a store."""

    def __init__(self, database: Database, store: int) -> None:
        self._database = database
        self._store = store

    def open_sessions(self) -> list[OpenSession]:
        with self._database.read() as connection:
            rows = Bulk(connection).rows(
                "SELECT s.code, c.code, s.kind, s.page, k.code, s.order_state, s.opened_at, a.code, g.code, s.first_reply_at, "
                "s.waiting_since, s.turns, s.assigned_at, s.last_reply_at, s.flag FROM sessions s "
                "LEFT JOIN customers c ON c.id = s.customer_id LEFT JOIN skus k ON k.id = s.sku_id "
                "LEFT JOIN agents a ON a.id = s.agent_id LEFT JOIN skill_groups g ON g.id = s.group_id "
                "WHERE s.store_id = ? AND s.closed_at IS NULL AND s.opened_at IS NOT NULL ORDER BY s.opened_at, s.id",
                (self._store,),
            )
        return [
            OpenSession(
                code, customer or "", kind == LEAVE, PAGES[page], sku or "", order_state == _PLACED, opened, agent or "", group or "",
                replied is not None, waiting, turns, max(at for at in (opened, waiting, assigned, last) if at is not None), flag != 0,
            )
            for code, customer, kind, page, sku, order_state, opened, agent, group, replied, waiting, turns, assigned, last, flag in rows
        ]  # fmt: skip

    def ended(self, first_day: int) -> list[Ended]:
        with self._database.read() as connection:
            rows = Bulk(connection).rows(
                "SELECT s.code, c.code, s.page, k.code, a.code, s.opened_at, s.closed_at FROM sessions s "
                "JOIN customers c ON c.id = s.customer_id JOIN agents a ON a.id = s.agent_id LEFT JOIN skus k ON k.id = s.sku_id "
                "WHERE s.store_id = ? AND s.day >= ? AND s.closed_at IS NOT NULL AND s.first_reply_at IS NOT NULL "
                f"AND s.order_state <> {_PLACED} AND s.kind <> {LEAVE} AND s.flag = 0",
                (self._store, first_day),
            )
        return [Ended(code, customer, PAGES[page], sku or "", *rest) for code, customer, page, sku, *rest in rows]

    def orders(self, since: int) -> frozenset[str]:
        with self._database.read() as connection:
            rows = Bulk(connection).rows("SELECT code FROM orders WHERE store_id = ? AND placed_at >= ?", (self._store, since))
        return frozenset(code for (code,) in rows)

    def presence(self) -> dict[str, State]:
        with self._database.read() as connection:
            return {code: state for _, code, state in routed.presence(Bulk(connection), self._store, None)}

    def last_session(self, first: str, past: str) -> str | None:
        return self._last("sessions", first, past)

    def last_customer(self, first: str, past: str) -> str | None:
        return self._last("customers", first, past)

    def _last(self, table: str, first: str, past: str) -> str | None:
        statement = f"SELECT max(code) FROM {table} WHERE store_id = ? AND code >= ? AND code < ?"
        with self._database.read() as connection:
            found: str | None = Bulk(connection).rows(statement, (self._store, first, past))[0][0]
        return found

    def news(self, revision: int, asked: Collection[str]) -> News:
        """What was decided since a revision of the store, -1 for everything. asked: sessions that may wait for somebody else."""
        with self._database.read() as connection:
            now, topics, agents = touched_since(connection, self._store, revision)
            if agents is not None and topics.isdisjoint(("routing", "commands")):
                return News(now)
            bulk = Bulk(connection)
            states = {} if agents is not None and "commands" not in topics else _states(bulk, self._store)
            return News(now, _given(bulk, self._store, agents, asked), states)


def _states(bulk: Bulk, store: int) -> dict[str, State]:
    rows = bulk.rows("SELECT code, state FROM agents WHERE store_id = ?", (store,))
    return {code: cast(State, STATES[state]) for code, state in rows}


def _given(bulk: Bulk, store: int, agents: Collection[int] | None, asked: Collection[str]) -> list[Given]:
    statement = (
        "SELECT s.id, s.code, a.code, g.code FROM sessions s JOIN agents a ON a.id = s.agent_id "
        "LEFT JOIN skill_groups g ON g.id = s.group_id WHERE s.store_id = ? AND s.closed_at IS NULL AND s.opened_at IS NOT NULL"
    )
    if agents is None:
        rows = bulk.rows(statement, (store,))
    else:
        rows = bulk.rows_in(statement + " AND s.agent_id IN {keys}", (store,), sorted(agents))
    waiting = bulk.rows_in(statement + " AND s.code IN {keys}", (store,), sorted(asked))
    decided = {id: found[-1].outcome for id, found in routed.all_decisions(bulk, store, [id for id, *_ in waiting]).items()}
    return [
        *(Given(code, agent, group or "", False) for _, code, agent, group in rows if code not in asked),
        *(Given(code, agent, group or "", decided.get(id, routed.ASSIGNED) != routed.ASSIGNED) for id, code, agent, group in waiting),
    ]


def keep(bulk: Bulk, store: int, source: str, items: Mapping[str, str]) -> None:
    """Puts down how far a source has come, in the transaction that records what it has come to."""
    rows = [(store, source, item, value) for item, value in items.items()]
    bulk.replace(schema.source_progress, ("store_id", "source", "item", "value"), rows)


def ask(bulk: Bulk, store: int, at: int, wishes: Iterable[tuple[str, str, str]]) -> None:
    """Puts down (session, agent, group): agents who want a session of theirs handed to a group. The engine carries it out."""
    names: dict[str, str] = dict(bulk.rows("SELECT code, name FROM agents WHERE store_id = ?", (store,)))
    bulk.insert(
        schema.commands,
        ("store_id", "at", "author", "kind", "body"),
        [
            (store, at, names.get(agent) or agent, "transfer", json.dumps({"session": session, "group": group}, ensure_ascii=False))
            for session, agent, group in wishes
        ],
    )
