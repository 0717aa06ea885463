"""The first schema: stores and their people, sessions, orders, presence, visitors, counters, the log of changes.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_CODE = sa.String(128)
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
_BINS = 73


def _key(name: str, type_: Any = sa.Integer) -> sa.Column[Any]:
    return sa.Column(name, type_, autoincrement=False, nullable=False)


def _id(name: str = "id") -> sa.Column[Any]:
    return _key(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"))


def _zero(name: str, type_: Any = sa.SmallInteger) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False, server_default="0")


def _text(name: str, default: str = "") -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _at(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger)


def _sums() -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger if name in _WIDE else sa.Integer) for name in _SUMS]


def _bins() -> list[sa.Column[Any]]:
    return [sa.Column(f"{what}_h{i}", sa.Integer) for what in ("first_reply", "turn") for i in range(_BINS)]


def _slice() -> list[sa.Column[Any]]:
    return [_key("agent_id"), _key("group_id"), _key("channel", sa.SmallInteger), _key("flag", sa.SmallInteger)]


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("customers", "sessions", "orders"):
            op.execute(f"CREATE SEQUENCE {table}_ids")
    op.create_table(
        "stores",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("code", _CODE, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        _zero("revision", sa.BigInteger),
        sa.Column("clock", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_stores"),
        sa.UniqueConstraint("code", name="uq_stores_code"),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("store_id", sa.Integer, nullable=False),
        sa.Column("code", _CODE, nullable=False),
        _text("name"),
        _text("team"),
        _text("role"),
        sa.Column("capacity", sa.Integer),
        sa.Column("active", sa.Boolean, nullable=False, server_default="1"),
        _text("stamps", "{}"),
        sa.Column("state", sa.SmallInteger, nullable=False, server_default="3"),
        _at("state_since"),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_agents_store_id"),
        sa.UniqueConstraint("store_id", "code", name="uq_agents_store_id_code"),
    )
    for table in ("skill_groups", "skus"):
        op.create_table(
            table,
            sa.Column("id", sa.Integer, nullable=False),
            sa.Column("store_id", sa.Integer, nullable=False),
            sa.Column("code", _CODE, nullable=False),
            _text("name"),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=f"fk_{table}_store_id"),
            sa.UniqueConstraint("store_id", "code", name=f"uq_{table}_store_id_code"),
        )
    op.create_table(
        "customers",
        _id(),
        sa.Column("store_id", sa.Integer, nullable=False),
        sa.Column("code", _CODE, nullable=False),
        _text("name"),
        _text("region"),
        _text("tags", "[]"),
        _text("phone"),
        _text("address"),
        _text("stamps", "{}"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("store_id", "code", name="uq_customers_store_id_code"),
    )
    _sessions()
    _orders()
    op.create_table(
        "presence",
        _key("agent_id"),
        _key("at", sa.BigInteger),
        _key("state", sa.SmallInteger),
        sa.PrimaryKeyConstraint("agent_id", "at", "state", name="pk_presence"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visitors",
        _key("store_id"),
        _key("day"),
        _key("kind", sa.SmallInteger),
        _key("customer_id", sa.BigInteger),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "day", "kind", "customer_id", name="pk_visitors"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "clicks",
        _key("store_id"),
        _key("at", sa.BigInteger),
        _key("key", sa.BigInteger),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("code", _CODE, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "at", "key", name="pk_clicks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen_events",
        _key("store_id"),
        _key("day"),
        _key("revision", sa.BigInteger),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "day", "revision", name="pk_seen_events"),
        sqlite_with_rowid=False,
    )
    _counters()
    op.create_table(
        "changes",
        _key("store_id"),
        _key("revision", sa.BigInteger),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "revision", name="pk_changes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_progress",
        _key("store_id"),
        sa.Column("source", _CODE, nullable=False),
        sa.Column("item", _CODE, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "source", "item", name="pk_source_progress"),
        sqlite_with_rowid=False,
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        _id(),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        _at("opened_at"),
        _at("assigned_at"),
        _at("transferred_at"),
        _at("first_customer_at"),
        _at("first_reply_at"),
        _at("first_reply_ms"),
        _at("last_reply_at"),
        _zero("turn_ms", sa.BigInteger),
        _at("waiting_since"),
        _at("closed_at"),
        sa.Column("store_id", sa.Integer, nullable=False),
        _zero("sku_id", sa.Integer),
        sa.Column("day", sa.Integer),
        _zero("agent_id", sa.Integer),
        _zero("group_id", sa.Integer),
        _zero("turns", sa.Integer),
        _zero("agent_messages", sa.Integer),
        _zero("customer_messages", sa.Integer),
        _zero("kind"),
        _zero("channel"),
        _zero("page"),
        _zero("order_state"),
        _zero("reason"),
        _zero("transfers", sa.Integer),
        _zero("invited"),
        _zero("rating"),
        _zero("resolution"),
        _zero("closed_by"),
        _zero("flag"),
        sa.Column("code", _CODE, nullable=False),
        _text("region"),
        _text("comment"),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("store_id", "code", name="uq_sessions_store_id_code"),
    )
    is_open = sa.text("closed_at IS NULL AND opened_at IS NOT NULL")
    op.create_index("ix_sessions_customer_id_opened_at", "sessions", ["customer_id", "opened_at"])
    op.create_index("ix_sessions_store_id_day_agent_id", "sessions", ["store_id", "day", "agent_id"])
    op.create_index("ix_sessions_open", "sessions", ["store_id", "agent_id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "transcripts",
        _id("session_id"),
        sa.Column("messages", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_transcripts"),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        _id(),
        _zero("customer_id", sa.BigInteger),
        _at("placed_at"),
        _at("paid_at"),
        _at("shipped_at"),
        _at("cancelled_at"),
        sa.Column("store_id", sa.Integer, nullable=False),
        sa.Column("code", _CODE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("store_id", "code", name="uq_orders_store_id_code"),
    )
    op.create_index("ix_orders_customer_id_placed_at", "orders", ["customer_id", "placed_at"])
    op.create_index("ix_orders_store_id_placed_at", "orders", ["store_id", "placed_at"])
    op.create_table(
        "order_lines",
        _key("order_id", sa.BigInteger),
        _key("line"),
        sa.Column("sku_id", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        _zero("session_24h", sa.BigInteger),
        _zero("session_7d", sa.BigInteger),
        _zero("session_15d", sa.BigInteger),
        sa.PrimaryKeyConstraint("order_id", "line", name="pk_order_lines"),
        sqlite_with_rowid=False,
    )


def _counters() -> None:
    keys = ("agent_id", "group_id", "channel", "flag")
    op.create_table(
        "slot_counters",
        *(_key("store_id"), _key("day"), _key("slot", sa.SmallInteger), *_slice()),
        *_sums(),
        sa.PrimaryKeyConstraint("store_id", "day", "slot", *keys, name="pk_slot_counters"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slot_histograms",
        *(_key("store_id"), _key("day"), _key("slot", sa.SmallInteger), *_slice(), _key("bin", sa.SmallInteger)),
        sa.Column("n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "day", "slot", *keys, "bin", name="pk_slot_histograms"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "day_counters",
        *(_key("store_id"), _key("day"), *_slice()),
        *_sums(),
        *_bins(),
        sa.PrimaryKeyConstraint("store_id", "day", *keys, name="pk_day_counters"),
        sqlite_with_rowid=False,
    )
