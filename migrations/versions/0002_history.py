"""What history and routing need: revisions of settings, agent days, imports, the search index, saved reports, decisions, commands.

Policy: see script.py.mako.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
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
_BINS = tuple(f"first_reply_h{i}" for i in range(73))
_GAPS = (
    "imported_days", "unsaid_visitors_online", "unsaid_visitors_leave", "unsaid_consults", "unsaid_received", "alone_unanswered",
    "unsaid_unanswered", "alone_answer_rate", "unsaid_answer_rate", "alone_reply_30s_rate", "unsaid_reply_30s_rate",
    "alone_reply_180s_rate", "unsaid_reply_180s_rate", "alone_first_reply", "unsaid_first_reply", "alone_avg_reply", "unsaid_avg_reply",
    "unsaid_closed", "alone_session_minutes", "unsaid_session_minutes", "alone_replies_per_session", "unsaid_replies_per_session",
    "alone_reply_ratio", "unsaid_reply_ratio", "alone_invite_rate", "unsaid_invite_rate", "unsaid_invited", "unsaid_rated",
    "alone_rating_rate", "unsaid_rating_rate", "alone_satisfaction", "unsaid_satisfaction", "unsaid_very_satisfied", "alone_satisfied",
    "unsaid_satisfied", "alone_neutral", "unsaid_neutral", "alone_dissatisfied", "unsaid_dissatisfied", "unsaid_very_dissatisfied",
    "alone_bad_rate", "unsaid_bad_rate", "unsaid_resolved", "unsaid_unresolved", "alone_resolution", "unsaid_resolution",
    "alone_connect_rate", "unsaid_connect_rate", "unsaid_transferred_in", "unsaid_transferred_out", "alone_transfer_rate",
    "unsaid_transfer_rate", "unsaid_leave_left", "alone_leave_rate", "unsaid_leave_rate", "unsaid_leave_assigned",
    "unsaid_leave_received", "alone_leave_response", "unsaid_leave_response", "unsaid_login_hours", "unsaid_serving_hours",
    "unsaid_suspended_hours", "unsaid_logins", "alone_serving_share", "unsaid_serving_share", "unsaid_presale_customers",
    "unsaid_order_customers_24h", "unsaid_order_customers_7d", "unsaid_order_customers_15d", "unsaid_orders_24h", "unsaid_orders_7d",
    "unsaid_orders_15d", "unsaid_order_items_24h", "unsaid_order_items_7d", "unsaid_order_items_15d", "unsaid_order_amount_24h",
    "unsaid_order_amount_7d", "unsaid_order_amount_15d", "alone_conversion_24h", "unsaid_conversion_24h", "alone_conversion_7d",
    "unsaid_conversion_7d", "alone_conversion_15d", "unsaid_conversion_15d", "alone_average_order_24h", "unsaid_average_order_24h",
    "alone_average_order_7d", "unsaid_average_order_7d", "alone_average_order_15d", "unsaid_average_order_15d",
)  # fmt: skip
_ASSESSED = "slot >= 108 AND slot < 276 AND flag = 0"
"""The defaults of the assessment settings: 09:00 to 23:00, neither spam nor bot-only."""


def _key(name: str, type_: Any = sa.Integer) -> sa.Column[Any]:
    return sa.Column(name, type_, autoincrement=False, nullable=False)


def _id(name: str = "id") -> sa.Column[Any]:
    return _key(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"))


def _text(name: str, default: str = "") -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _at(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    op.add_column("stores", sa.Column("assessed_rule", sa.Text))
    _agent_days()
    op.create_table(
        "settings_revisions",
        _key("store_id"),
        sa.Column("document", sa.String(32), nullable=False),
        _key("revision"),
        _at("at"),
        sa.Column("author", sa.Text, nullable=False),
        _text("note"),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "document", "revision", name="pk_settings_revisions"),
        sqlite_with_rowid=False,
    )
    _imports()
    _search()
    _routing()
    op.create_table(
        "saved_reports",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("store_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("every", sa.String(8), nullable=False, server_default=""),
        _text("folder"),
        sa.Column("format", sa.String(8), nullable=False, server_default="xlsx"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        _text("problem"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_reports"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_saved_reports_store_id"),
        sa.UniqueConstraint("store_id", "name", name="uq_saved_reports_store_id_name"),
    )


def _agent_days() -> None:
    op.create_table(
        "agent_days",
        *(_key("store_id"), _key("assessed", sa.SmallInteger), _key("span", sa.SmallInteger), _key("day"), _key("agent_id")),
        *(sa.Column(name, sa.BigInteger if name in _WIDE else sa.Integer) for name in _SUMS),
        *(sa.Column(name, sa.Integer) for name in _BINS),
        sa.PrimaryKeyConstraint("store_id", "assessed", "span", "day", "agent_id", name="pk_agent_days"),
        sqlite_with_rowid=False,
    )
    names = (*_SUMS, *_BINS)
    op.execute(
        f"INSERT INTO agent_days (store_id, assessed, span, day, agent_id, {', '.join(names)}) "
        f"SELECT store_id, 0, 1, day, agent_id, {', '.join(f'sum({name})' for name in names)} "
        "FROM day_counters GROUP BY store_id, day, agent_id"
    )
    op.execute(
        f"INSERT INTO agent_days (store_id, assessed, span, day, agent_id, {', '.join(_SUMS)}) "
        f"SELECT store_id, 1, 1, day, agent_id, {', '.join(f'sum({name})' for name in _SUMS)} "
        f"FROM slot_counters WHERE {_ASSESSED} GROUP BY store_id, day, agent_id"
    )
    bins = ", ".join(f"sum(CASE WHEN bin = {i} THEN n END) AS b{i}" for i in range(len(_BINS)))
    op.execute(
        f"WITH h AS (SELECT store_id, day, agent_id, {bins} FROM slot_histograms WHERE {_ASSESSED} GROUP BY store_id, day, agent_id) "
        f"UPDATE agent_days SET {', '.join(f'{name} = h.b{i}' for i, name in enumerate(_BINS))} FROM h "
        "WHERE agent_days.store_id = h.store_id AND agent_days.day = h.day AND agent_days.agent_id = h.agent_id AND assessed = 1"
    )
    op.execute(
        f"INSERT INTO agent_days (store_id, assessed, span, day, agent_id, {', '.join(names)}) "
        f"SELECT store_id, assessed, 7, (day + 3) / 7 * 7 - 3 AS monday, agent_id, {', '.join(f'sum({name})' for name in names)} "
        "FROM agent_days GROUP BY store_id, assessed, monday, agent_id"
    )


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("store_id", sa.Integer, nullable=False),
        _at("at"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("undone_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_imports_store_id"),
    )
    op.create_index("ix_imports_store_id", "imports", ["store_id"])
    op.create_table(
        "imported_days",
        *(_key("import_id"), _key("day"), _key("agent_id")),
        sa.Column("counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "day", "agent_id", name="pk_imported_days"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_imported_days_agent_id_day", "imported_days", ["agent_id", "day"])
    op.create_table(
        "imported_gaps",
        *(_key("store_id"), _key("day"), _key("agent_id")),
        *(sa.Column(name, sa.BigInteger) for name in _GAPS),
        sa.PrimaryKeyConstraint("store_id", "day", "agent_id", name="pk_imported_gaps"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "imported_orders",
        *(_key("import_id"), _key("line")),
        *(_at("opened_at"), _at("placed_at"), _at("amount_fen")),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("order_code", _CODE, nullable=False),
        sa.Column("sku_code", _CODE, nullable=False),
        sa.Column("sku_name", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "line", name="pk_imported_orders"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_columns",
        _key("store_id"),
        sa.Column("header", _CODE, nullable=False),
        sa.Column("meaning", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "header", name="pk_import_columns"),
        sqlite_with_rowid=False,
    )


def _search() -> None:
    op.create_table("search_pending", _id("session_id"), sa.PrimaryKeyConstraint("session_id", name="pk_search_pending"))
    op.execute("INSERT INTO search_pending (session_id) SELECT session_id FROM transcripts")
    op.create_table(
        "search_segments",
        _id(),
        sa.Column("store_id", sa.Integer, nullable=False),
        sa.Column("sessions", sa.Integer, nullable=False),
        _at("first_at"),
        _at("last_at"),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("blocks", sa.Integer, nullable=False),
        sa.Column("terms", sa.LargeBinary, nullable=False),
        sa.Column("places", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_segments"),
    )
    op.create_table(
        "search_blocks",
        _id(),
        sa.Column("entries", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_blocks"),
    )


def _routing() -> None:
    op.create_table(
        "decisions",
        *(_key("session_id", sa.BigInteger), _key("number"), _at("at")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("store_id", "groups_revision", "agents_revision")),
        *(sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in ("group_id", "agent_id")),
        sa.Column("outcome", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_decisions"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("store_id", sa.Integer, nullable=False),
        _at("at"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        _text("result"),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_commands_store_id"),
    )
    op.create_index("ix_commands_store_id_done_at", "commands", ["store_id", "done_at"])
