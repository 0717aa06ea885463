"""What the settings of groups and agents are judged against: the store's agents and groups, and who served whom lately."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from app.domain.localtime import LocalTime
from app.domain.routing_edits import Facts, KnownAgent
from app.domain.routing_settings import LEAVE_RULE
from app.services.workspace import StoreInfo, Workspace
from app.storage import schema
from app.storage.revisions import current

DAYS = 7
"""Whole days, today included."""


def routing_facts(workspace: Workspace, store: StoreInfo) -> Facts:
    """As of now."""
    today = LocalTime(store.zone).day(workspace.now(store))
    a, g, k = schema.agents.c, schema.skill_groups.c, schema.skus.c
    with workspace.database.read() as connection:
        columns = a.code, a.name, a.team, a.role, a.capacity
        agents = connection.execute(select(*columns).where(a.store_id == store.id, a.active).order_by(a.code))
        known = {row.code: KnownAgent(*row) for row in agents}
        named = connection.execute(select(g.code, g.name).where(g.store_id == store.id).order_by(g.code))
        groups = {row.code: row.name for row in named}
        skus = {row.code: row.name for row in connection.execute(select(k.code, k.name).where(k.store_id == store.id).order_by(k.code))}
        sessions, served = _traffic(connection, store.id, today)
        rule = current(connection, store.id, LEAVE_RULE).body
    here = {group: [code for code in codes if code in known] for group, codes in served.items()}
    return Facts(known, groups, sessions, here, tuple(rule["agents"]) if rule["on"] else (), skus)


def _traffic(connection: Connection, store: int, today: int) -> tuple[dict[str, int], dict[str, list[str]]]:
    d, a, g = schema.day_counters.c, schema.agents.c, schema.skill_groups.c
    opened = func.sum(d.consults)
    found = connection.execute(
        select(g.code.label("group"), a.code.label("agent"), opened.label("n"))
        .select_from(schema.day_counters.join(schema.skill_groups, g.id == d.group_id).outerjoin(schema.agents, a.id == d.agent_id))
        .where(d.store_id == store, d.day > today - DAYS, d.day <= today)
        .group_by(g.code, a.code)
        .order_by(g.code, a.code)
    )
    sessions: dict[str, int] = {}
    served: dict[str, list[str]] = {}
    for row in found:
        if row.n:
            sessions[row.group] = sessions.get(row.group, 0) + int(row.n)
            if row.agent is not None:
                served.setdefault(row.group, []).append(row.agent)
    return sessions, served
