"""What supervisors command from the console: put down here, carried out by the engine, told back.

A command is its own audit entry: who gave it, when, and what became of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from sqlalchemy import Connection, Row, Select, insert, or_, select

from app.domain.kinds import fill, joined, same
from app.domain.language import T
from app.storage import schema
from app.storage.bulk import Bulk
from app.storage.faults import FaultError
from app.storage.recorder import announce, lock_store

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

Kind = Literal["suspend", "resume", "move", "transfer"]
BODIES: dict[Kind, tuple[str, ...]] = {
    "suspend": ("agent",), "resume": ("agent",), "move": ("session", "agent"), "transfer": ("session", "group"),
}  # fmt: skip
"""What each names, by code."""
_WHAT = {"agent": T("客服", "agent"), "session": T("会话", "session"), "group": T("咨询组", "group")}
_TABLES = {"agent": schema.agents, "session": schema.sessions}
_HAD = "from"
"""Beside what a command names its body keeps who had the session: later that could only be guessed."""


class Command(NamedTuple):
    """Times are epoch ms; done_at None: the engine has not come to it yet. refused: why it was not carried out.

    Of one about a session: `had` is the agent (code) who had it when the command was given, `customer` what people call its customer, ""
    where it is not known; `ended`: the session is closed by now.
    """

    id: int
    at: int
    author: str
    kind: Kind
    body: Mapping[str, str]
    done_at: int | None
    refused: T | None
    had: str = ""
    customer: str = ""
    ended: bool = False


class CommandService:
    """Giving needs the permission seats.command, looking none but the store."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def give(self, store: StoreInfo, kind: Kind, **body: str) -> int:
        """Puts a command down for the engine: suspend and resume (agent), move (session, agent), transfer (session, group), by codes.

        Returns its number for `status`. Raises NotAllowedError; FaultError where it can never be carried out.
        """
        self._workspace.actor.require("seats.command")
        if kind not in get_args(Kind):
            known = joined(same(each) for each in BODIES)
            raise FaultError("refused", fill(T("没有命令 {0}；现有：{1}", "There is no command {0}; there are: {1}"), kind, known))
        missing = [_WHAT[name] for name in BODIES[kind] if not body.get(name)]
        if missing or len(body) != len(BODIES[kind]):
            wanted = joined(missing or [_WHAT[name] for name in BODIES[kind]])
            raise FaultError("refused", fill(T("命令 {0} 需要：{1}", "The command {0} needs: {1}"), kind, wanted))
        at = self._workspace.now(store)
        with self._database.write() as connection:
            for name, table in _TABLES.items():
                if name in body:
                    there = select(table.c.id).where(table.c.store_id == store.id, table.c.code == body[name])
                    if connection.execute(there).first() is None:
                        raise FaultError("refused", fill(T("没有{0} {1}", "There is no {0} {1}"), _WHAT[name], body[name]))
            kept = dict(body)
            if "session" in body:
                kept[_HAD] = _holder(connection, store.id, body["session"])
            bulk = Bulk(connection)
            revision = lock_store(bulk, store.id)
            values = {
                "store_id": store.id, "at": at, "author": self._workspace.actor.name, "kind": kind,
                "body": json.dumps(kept, ensure_ascii=False),
            }  # fmt: skip
            made = connection.execute(insert(schema.commands).values(values)).inserted_primary_key
            announce(bulk, store.id, revision + 1, {"commands"}, ())
            bulk.close()
        assert made is not None
        return int(made[0])

    def status(self, store: StoreInfo, number: int) -> Command:
        """Raises FaultError when there is no such command."""
        with self._database.read() as connection:
            found = connection.execute(_of(store.id).where(schema.commands.c.id == number)).all()
            if not found:
                raise FaultError("refused", fill(T("没有第 {0} 号命令", "There is no command {0}"), number))
            return _told(connection, store.id, found)[0]

    def history(self, store: StoreInfo, limit: int = 100, agent: str = "") -> list[Command]:
        """The last commands, the newest first. agent: only those that name them, or a session that they had."""
        wanted = _of(store.id)
        if agent:
            # What json.dumps wrote; inside another text its quotation marks would be escaped.
            names = [f'"{key}": {json.dumps(agent, ensure_ascii=False)}' for key in ("agent", _HAD)]
            wanted = wanted.where(or_(*(schema.commands.c.body.contains(name, autoescape=True) for name in names)))
        with self._database.read() as connection:
            rows = connection.execute(wanted.order_by(schema.commands.c.id.desc()).limit(limit)).all()
            return _told(connection, store.id, rows)


def _of(store: int) -> Select[Any]:
    c = schema.commands.c
    return select(c.id, c.at, c.author, c.kind, c.body, c.done_at, c.result).where(c.store_id == store)


def _holder(connection: Connection, store: int, session: str) -> str:
    """Code of the agent who has a session, "" for nobody."""
    s, a = schema.sessions.c, schema.agents.c
    has = select(a.code).select_from(schema.sessions.join(schema.agents, a.id == s.agent_id)).where(s.store_id == store, s.code == session)
    return connection.execute(has).scalar() or ""


def _told(connection: Connection, store: int, rows: Sequence[Row[Any]]) -> list[Command]:
    bodies: list[dict[str, str]] = [json.loads(row.body) for row in rows]
    s, c = schema.sessions.c, schema.customers.c
    named = (
        select(s.code, c.name, c.code.label("customer"), s.closed_at)
        .select_from(schema.sessions.outerjoin(schema.customers, c.id == s.customer_id))
        .where(s.store_id == store, s.code.in_({body["session"] for body in bodies if "session" in body}))
    )
    sessions = {row.code: (row.name or row.customer or "", row.closed_at is not None) for row in connection.execute(named)}
    found = []
    for row, body in zip(rows, bodies, strict=True):
        had, refused = body.pop(_HAD, ""), T(*json.loads(row.result)) if row.result else None
        session = sessions.get(body.get("session", ""), ("", False))
        found.append(Command(row.id, row.at, row.author, row.kind, body, row.done_at, refused, had, *session))
    return found
