"""Counters of agents by hour and of groups by half hour; transcripts to be indexed anew, by parts of words.

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
    _roll_up("agent_hours", ("store_id", "day", "agent_id", "hour", "flag"), "hour", 12)
    _roll_up("group_halves", ("store_id", "day", "half", "group_id", "flag"), "half", 6)
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


def _roll_up(table: str, keys: tuple[str, ...], time: str, slots: int) -> None:
    """Five-minute counters and bins of first replies summed by `keys`, of which `time` is so many slots of the day."""
    op.create_table(
        table,
        *(_key(name, sa.SmallInteger if name in (time, "flag") else sa.Integer) for name in keys),
        *(sa.Column(name, sa.BigInteger if name in _WIDE else sa.Integer) for name in _SUMS),
        *(sa.Column(name, sa.Integer) for name in _BINS),
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )
    listed = ", ".join(keys)
    values = ", ".join(f"slot / {slots} AS {time}" if name == time else name for name in keys)
    op.execute(
        f"INSERT INTO {table} ({listed}, {', '.join(_SUMS)}) SELECT {values}, {', '.join(f'sum({name})' for name in _SUMS)} "
        f"FROM slot_counters GROUP BY {listed}"
    )
    bins = ", ".join(f"sum(CASE WHEN bin = {i} THEN n END) AS b{i}" for i in range(len(_BINS)))
    op.execute(
        f"WITH h AS (SELECT {values}, {bins} FROM slot_histograms WHERE bin < {len(_BINS)} GROUP BY {listed}) "
        f"UPDATE {table} SET {', '.join(f'{name} = h.b{i}' for i, name in enumerate(_BINS))} FROM h "
        f"WHERE {' AND '.join(f'{table}.{name} = h.{name}' for name in keys)}"
    )
