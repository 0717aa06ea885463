"""Whether somebody is there for leave messages that go to chosen agents alone."""

from __future__ import annotations

from sqlalchemy import Connection, exists, or_, select

from app.domain.kinds import minutes_of
from app.domain.localtime import LocalTime
from app.domain.presence import AVAILABLE, AWAY
from app.domain.routing_settings import AGENTS, LEAVE_RULE
from app.storage import schema
from app.storage.revisions import current

_TAKING = AVAILABLE, AWAY


def uncovered(connection: Connection, store: int, local: LocalTime, at: int) -> tuple[int, int] | None:
    """(how many agents are chosen, when one should have come, epoch ms), where none of them could have been given a leave message today and
    it is past that hour; None where all is well or leave messages go to everybody."""
    rule = current(connection, store, LEAVE_RULE).body
    if not rule["on"]:
        return None
    today = local.day(at)
    due = local.moment(today, minutes_of(rule["alert_at"]) or 0)
    if at < due:
        return None
    off = {entry["agent"] for entry in current(connection, store, AGENTS).body["agents"] if not entry["receives"]}
    midnight = local.start_of_day(today)
    a, p = schema.agents.c, schema.presence.c
    since = exists().where(p.agent_id == a.id, p.at >= midnight, p.at <= at, p.state.in_(_TAKING))
    newest = select(p.state).where(p.agent_id == a.id, p.at < midnight).order_by(p.at.desc(), p.state.desc()).limit(1)
    receiving = [code for code in rule["agents"] if code not in off]
    here = select(a.id).where(a.store_id == store, a.code.in_(receiving), or_(since, newest.scalar_subquery().in_(_TAKING))).limit(1)
    return None if connection.execute(here).first() is not None else (len(rule["agents"]), due)
