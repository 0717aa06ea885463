"""Why a session went where it went: what the routing decided about it, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from app.desk.picking_up import standing
from app.domain import terms
from app.domain.conversation import LEAVE, REASONS
from app.domain.kinds import fill, joined
from app.domain.language import T
from app.domain.naming import told_apart
from app.domain.routing.reasons import Names, Waits, Why, items, told, words
from app.domain.routing_settings import AGENTS, GROUPS, LEAVE_RULE
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
    under: tuple[T, ...] = ()
    """By which settings, a sentence; () where there were but the defaults."""


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
            found = _decided(connection, store.id, [id]).get(id, [])
            names = _names(connection, store.id, found)
        return [
            Explained(d.at, routed.OUTCOMES[d.outcome], d.group, d.agent, d.revisions, tuple(words(d.reasons, names)), _under(d))
            for d in found
        ]  # fmt: skip

    def why(self, store: StoreInfo, session: str) -> tuple[T, ...]:
        """Why it is where it is: the sentences of the last decision and by which settings; where its source decided, what that told.

        Of one that nobody has: that its customer has not written, if that is why; else ().
        """
        found = self.of(store, session)
        if found:
            return *found[-1].lines, *found[-1].under
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
    last = {session: decided[-1] for session, decided in _decided(connection, store, sessions).items()}
    names = _names(connection, store, last.values())
    return {session: str(told(words(decision.reasons, names))) for session, decision in last.items()}


def waiting(connection: Connection, store: int, sessions: Sequence[int], agents: Mapping[str, str]) -> dict[int, Waits]:
    """Those of these open sessions (ids) that the routing lets wait, whoever their rows go on naming. agents: names by code."""
    bulk = Bulk(connection)
    decided = [(session, standing(session)) for session in routed.open_sessions(bulk, store, sessions) if session.decisions]
    bulk.close()
    held = [(session, now) for session, now in decided if now.waits]
    groups = _group_names(connection, store) if held else {}
    return {
        session.id: Waits(groups.get(now.group, now.group), now.since, agents.get(session.agent, session.agent)) for session, now in held
    }  # fmt: skip


def _decided(connection: Connection, store: int, sessions: Sequence[int]) -> dict[int, list[routed.Decided]]:
    bulk = Bulk(connection)
    found = routed.all_decisions(bulk, store, sessions)
    bulk.close()
    return found


def _under(decision: routed.Decided) -> tuple[T, ...]:
    """The rule for leave messages is told where it had a say."""
    left = "leave" in (decision.reason, routed.OUTCOMES[decision.outcome])
    asked = (GROUPS, AGENTS, LEAVE_RULE) if left else (GROUPS, AGENTS)
    held = [
        fill(T("{0}第 {1} 版", "{1} of the {0}"), T(document.title.zh, document.title.en.lower()), revision)
        for document, revision in zip(asked, decision.revisions, strict=False)
        if revision
    ]
    return (fill(T("按设置：{0}", "Under revision {0}"), joined(held)),) if held else ()


def _by_source(reason: str) -> T:
    if not reason:
        return T("由会话来源分配，未说明原因", "Assigned by its source, which gave no reason")
    return fill(T("由会话来源分配，原因记为「{0}」", "Assigned by its source; the reason on record: {0}"), terms.REASONS[reason])


def _names(connection: Connection, store: int, decided: Iterable[routed.Decided]) -> Names:
    """Of what these decisions name, as people call it now: by the settings, else by what events tell."""
    why: list[Why] = [reason for decision in decided for reason in decision.reasons]
    if not why:
        return Names()
    listed = revisions.current(connection, store, AGENTS).body["agents"]
    agents = told_apart((called(connection, store) | {entry["agent"]: entry["name"] for entry in listed if entry["name"]}).items())
    bulk = Bulk(connection)
    rows = bulk.rows_in("SELECT code, name FROM skus WHERE store_id = ? AND code IN {keys}", (store,), sorted(items(why)))
    bulk.close()
    return Names(agents, _group_names(connection, store), {code: name for code, name in rows if name})


def _group_names(connection: Connection, store: int) -> dict[str, str]:
    g = schema.skill_groups.c
    return {code: name for code, name in connection.execute(select(g.code, g.name).where(g.store_id == store)) if name}
