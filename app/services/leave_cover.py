"""Whether somebody is there for leave messages that go to chosen agents alone."""

from __future__ import annotations

from sqlalchemy import Connection, exists, select

from app.domain.kinds import minutes_of
from app.domain.localtime import LocalTime
from app.domain.presence import OFFLINE
from app.domain.routing_settings import LEAVE_RULE
from app.storage import schema
from app.storage.revisions import current

_MINUTE_MS = 60_000


def uncovered(connection: Connection, store: int, local: LocalTime, at: int) -> tuple[int, int] | None:
    """(how many agents are chosen, when one should have come, epoch ms), where none of them has been online today and it is past that
    hour; None where all is well or leave messages go to everybody."""
    rule = current(connection, store, LEAVE_RULE).body
    if not rule["on"]:
        return None
    midnight = local.start_of_day(local.day(at))
    due = midnight + (minutes_of(rule["alert_at"]) or 0) * _MINUTE_MS
    if at < due:
        return None
    a, p = schema.agents.c, schema.presence.c
    today = exists().where(p.agent_id == a.id, p.at >= midnight, p.at <= at)  # whoever only went offline had been online until then
    here = select(a.id).where(a.store_id == store, a.code.in_(rule["agents"]), (a.state != OFFLINE) | today).limit(1)
    return None if connection.execute(here).first() is not None else (len(rule["agents"]), due)
