"""Counters of agents by hour and flag, from which other assessed hours are worked out; transcripts to be indexed anew, by parts of words.

Policy: see script.py.mako.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SUMS = (
    "consults", "received", "replied_30s", "replied_180s", "first_reply_ms", "turns", "turn_ms", "agent_messages", "customer_messages",
    "session_ms", "closed", "transferred_in", "transferred_out", "invited", "rated", "satisfied", "very_satisfied", "dissatisfied",
    "very_dissatisfied", "resolved", "unresolved", "leave_left", "leave_assigned", "leave_received",
    "presale_customers",
    "order_customers_24h", "orders_24h", "order_items_24h", "order_amount_24h",
    "order_customers_7d", "orders_7d", "order_items_7d", "order_amount_7d",
    "order_customers_15d", "orders_15d", "order_items_15d", "order_amount_15d",
    "login_ms", "serving_ms", "suspended_ms", "logins", "visitors_online", "visitors_leave",
)  # fmt: skip
_WIDE = {
    "first_reply_ms", "turn_ms", "session_ms", "login_ms", "serving_ms", "suspended_ms", "order_items_24h", "order_amount_24h",
    "order_items_7d", "order_amount_7d", "order_items_15d", "order_amount_15d",
}  # fmt: skip
_BINS = tuple(f"first_reply_h{i}" for i in range(73))
_IMPORTED = 9
"""The flag of days from files."""


def _key(name: str, type_: Any = sa.Integer) -> sa.Column[Any]:
    return sa.Column(name, type_, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "agent_hours",
        *(_key("store_id"), _key("day"), _key("agent_id"), _key("hour", sa.SmallInteger), _key("flag", sa.SmallInteger)),
        *(sa.Column(name, sa.BigInteger if name in _WIDE else sa.Integer) for name in _SUMS),
        *(sa.Column(name, sa.Integer) for name in _BINS),
        sa.PrimaryKeyConstraint("store_id", "day", "agent_id", "hour", "flag", name="pk_agent_hours"),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO agent_hours (store_id, day, agent_id, hour, flag, {', '.join(_SUMS)}) "
        f"SELECT store_id, day, agent_id, slot / 12 AS hour, flag, {', '.join(f'sum({name})' for name in _SUMS)} "
        "FROM slot_counters GROUP BY store_id, day, agent_id, hour, flag"
    )
    bins = ", ".join(f"sum(CASE WHEN bin = {i} THEN n END) AS b{i}" for i in range(len(_BINS)))
    op.execute(
        f"WITH h AS (SELECT store_id, day, agent_id, slot / 12 AS hour, flag, {bins} FROM slot_histograms WHERE bin < {len(_BINS)} "
        "GROUP BY store_id, day, agent_id, hour, flag) "
        f"UPDATE agent_hours SET {', '.join(f'{name} = h.b{i}' for i, name in enumerate(_BINS))} FROM h "
        "WHERE agent_hours.store_id = h.store_id AND agent_hours.day = h.day AND agent_hours.agent_id = h.agent_id "
        "AND agent_hours.hour = h.hour AND agent_hours.flag = h.flag"
    )
    names = ", ".join((*_SUMS, *_BINS))
    op.execute(
        f"INSERT INTO agent_hours (store_id, day, agent_id, hour, flag, {names}) "
        f"SELECT store_id, day, agent_id, -1, flag, {', '.join(f'sum({name})' for name in (*_SUMS, *_BINS))} "
        f"FROM day_counters WHERE flag = {_IMPORTED} GROUP BY store_id, day, agent_id, flag"
    )
    # The index finds parts of words now; behind the recorder it is made again from the transcripts, which are read directly until then.
    op.execute("DELETE FROM search_segments")
    op.execute("DELETE FROM search_blocks")
    op.execute("INSERT INTO search_pending (session_id) SELECT session_id FROM transcripts WHERE true ON CONFLICT DO NOTHING")
