"""Why a session went where it went: what the routing decided about it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from app.domain import terms
from app.domain.conversation import LEAVE, REASONS
from app.domain.kinds import fill
from app.domain.language import T, tr
from app.domain.naming import told_apart
from app.domain.routing.reasons import Names, words
from app.domain.routing_settings import AGENTS
from app.services.people import called
from app.storage import revisions, routed, schema
from app.storage.bulk import Bulk

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace


class Explained(NamedTuple):
    """A decision: "assigned", "waited" or "leave"; group and agent are codes, "" for none. revisions: of groups, agents, leave_rule.

    lines: why, a sentence each.
    """

    at: int
    outcome: str
    group: str
    agent: str
    revisions: routed.Revisions
    lines: tuple[T, ...]


_SILENT = T("客户尚未发言，发言后才会分配", "The customer has not written; whoever writes is given to an agent")


class DecisionService:
    """Open to everybody who can open the store."""

    def __init__(self, workspace: Workspace) -> None:
        self._database = workspace.database

    def of(self, store: StoreInfo, session: str) -> list[Explained]:
        """Everything that was decided about a session (code), in order; [] where its source alone decided."""
        s = schema.sessions.c
        with self._database.read() as connection:
            id = connection.execute(select(s.id).where(s.store_id == store.id, s.code == session)).scalar()
            if id is None:
                return []
            bulk = Bulk(connection)
            found = routed.all_decisions(bulk, store.id, [id]).get(id, [])
            bulk.close()
            names = _names(connection, store.id) if found else Names()
        return [
            Explained(d.at, routed.OUTCOMES[d.outcome], d.group, d.agent, d.revisions, tuple(words(d.reasons, names))) for d in found
        ]  # fmt: skip

    def why(self, store: StoreInfo, session: str) -> tuple[T, ...]:
        """Why it is where it is: the sentences of the last decision; where its source decided, what that told.

        Of one that nobody has: that its customer has not written, if that is why; else ().
        """
        found = self.of(store, session)
        if found:
            return found[-1].lines
        s = schema.sessions.c
        columns = s.agent_id, s.reason, s.kind, s.first_customer_at
        with self._database.read() as connection:
            row = connection.execute(select(*columns).where(s.store_id == store.id, s.code == session)).first()
        if row is None:
            return ()
        if row.agent_id:
            return (_by_source(REASONS[row.reason]),)
        return (_SILENT,) if row.kind != LEAVE and row.first_customer_at is None else ()


def reasons(connection: Connection, store: int, sessions: Sequence[int]) -> dict[int, str]:
    """Why each of these sessions (ids) is where it is, in the current language; those that their source decided about are left out."""
    bulk = Bulk(connection)
    found = routed.all_decisions(bulk, store, sessions)
    bulk.close()
    names = _names(connection, store) if found else Names()
    said = tr("；", "; ")
    return {session: said.join(str(line) for line in words(decided[-1].reasons, names)) for session, decided in found.items()}


def _by_source(reason: str) -> T:
    if not reason:
        return T("由会话来源分配，未说明原因", "Assigned by its source, which gave no reason")
    return fill(T("由会话来源分配，原因记为「{0}」", "Assigned by its source; the reason on record: {0}"), terms.REASONS[reason])


def _names(connection: Connection, store: int) -> Names:
    """As people call them now: by the settings, else by what events tell."""
    g = schema.skill_groups.c
    listed = revisions.current(connection, store, AGENTS).body["agents"]
    agents = told_apart((called(connection, store) | {entry["agent"]: entry["name"] for entry in listed if entry["name"]}).items())
    groups = {code: name for code, name in connection.execute(select(g.code, g.name).where(g.store_id == store)) if name}
    return Names(agents, groups)
