"""Whom a session can be handed to at this moment: every agent and every group, with what keeps one from taking it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, exists, select

from app.desk.picking_up import standing
from app.domain.conversation import LEAVE, REASONS
from app.domain.language import T
from app.domain.naming import told_apart
from app.storage import routed, schema
from app.storage.bulk import Bulk

if TYPE_CHECKING:
    from app.domain.routing.scopes import GroupPlan, Plan
    from app.services.live import SeatRow, State
    from app.services.workspace import StoreInfo, Workspace


class AgentTarget(NamedTuple):
    """active: sessions held now, without leave messages, which take up no capacity, and those that wait for somebody else.

    capacity: None without limit. why_not: None for one who may take a session, however full.
    """

    code: str
    name: str
    team: str
    state: State
    active: int
    capacity: int | None
    why_not: T | None

    @property
    def full(self) -> bool:
        return self.capacity is not None and self.active >= self.capacity


class GroupTarget(NamedTuple):
    """free: members whom the group would give a session now that is handed to it: who has a turn or, where nobody has, who takes
    transfers only (docs/decisions/0013)."""

    code: str
    name: str
    members: int
    free: int
    why_not: T | None


class Targets(NamedTuple):
    """Agents by code, groups in the order of the settings."""

    agents: list[AgentTarget]
    groups: list[GroupTarget]


def targets(workspace: Workspace, store: StoreInfo) -> Targets:
    """As of now; by the settings that hold."""
    seats = workspace.live.seats(store, percentiles=False).rows
    with workspace.database.read() as connection:
        bulk = Bulk(connection)
        plan = routed.configuration(bulk, store.id).plan
        unburdening = _unburdening(connection, bulk, store.id)
        bulk.close()
    names = told_apart((seat.code, _name(seat, plan)) for seat in seats)
    agents = {seat.code: _agent(seat, names[seat.code], plan, unburdening[seat.code]) for seat in seats}
    return Targets(list(agents.values()), [_group(group, agents) for group in plan.groups.values()])


def _name(seat: SeatRow, plan: Plan) -> str:
    configured = plan.agent(seat.code)
    return configured.name if seat.code in plan.agents and configured.name != seat.code else seat.name


def _unburdening(connection: Connection, bulk: Bulk, store: int) -> Counter[str]:
    """{agent: open sessions under their name that take up no room}: leave messages, and those that wait for somebody else since."""
    s, d = schema.sessions.c, schema.decisions.c
    told = (d.outcome != routed.ASSIGNED) | (d.reason == REASONS.index("leave"))
    maybe = (s.kind == LEAVE) | exists().where(d.session_id == s.id, told)
    held = s.store_id == store, s.agent_id != 0, s.closed_at.is_(None), s.opened_at.is_not(None), maybe
    ids = list(connection.execute(select(s.id).where(*held)).scalars())
    found = ((session.agent, standing(session)) for session in routed.open_sessions(bulk, store, ids))
    return Counter(agent for agent, now in found if now.waits or now.left)


def _agent(seat: SeatRow, name: str, plan: Plan, unburdening: int) -> AgentTarget:
    configured = plan.agent(seat.code)
    why_not = None
    if not configured.receives:
        why_not = T("未开启接待", "Not receiving")
    elif seat.state == "suspended":
        why_not = T("挂起，不接转接", "Suspended: takes no transfers")
    elif seat.state == "offline":
        why_not = T("离线", "Offline")
    active = max(0, seat.numbers.get("active", 0) - unburdening)
    return AgentTarget(seat.code, name, seat.team, seat.state, active, configured.capacity, why_not)


def _group(group: GroupPlan, agents: dict[str, AgentTarget]) -> GroupTarget:
    here = [(agents[code], weight) for code, weight in group.weights.items() if code in agents and agents[code].why_not is None]
    turns = sum(weight > 0 and not agent.full for agent, weight in here)
    transfers_only = sum(agent.capacity == 0 or (weight == 0 and not agent.full) for agent, weight in here)
    why_not = None if group.open else T("入口已关闭", "The entry is closed")
    return GroupTarget(group.code, group.name, len(group.weights), turns or transfers_only, why_not)
