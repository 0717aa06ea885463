"""The tables, once for SQLite and PostgreSQL.

Large tables are keyed by surrogate integers in order of time, so that inserts stay at the right edge of their trees. Times are epoch
milliseconds (UTC), durations milliseconds, money fen. Enumerations are the small integers of domain/conversation.py and
domain/presence.py; 0 means "none". `day` and `slot` are the store's local ones (domain/localtime.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from app.domain.counters import FIRST_REPLY_BINS, HISTOGRAM_FIELDS, SUM_FIELDS
from app.domain.metrics import GAP_FIELDS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_CODE = String(128)


def _key(name: str, type_: type[TypeEngine[int]] = Integer) -> Column[int]:
    return Column(name, type_, primary_key=True, autoincrement=False)


def _id(name: str = "id") -> Column[int]:
    # Only this type makes the key SQLite's own row number, which needs no index beside the table.
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)


def _zero(name: str, type_: type[TypeEngine[int]] = SmallInteger) -> Column[int]:
    return Column(name, type_, nullable=False, server_default="0")


def _at(name: str) -> Column[int]:
    return Column(name, BigInteger)


# The recorder takes ids in blocks, which neither identity columns nor RETURNING do as fast; SQLite, with one writer, needs none.
for _table in ("customers", "sessions", "orders"):
    Sequence(f"{_table}_ids", metadata=metadata)

stores = Table(
    "stores",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", _CODE, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    # A simulated store may run faster than the wall clock: {"wall": ms, "store": ms, "speed": x}; NULL for real time.
    Column("clock", Text),
    # What the settings document `assessment` comes to for the counters: {"slots": [first, past], "flags": [kept]}; NULL for its defaults.
    Column("assessed_rule", Text),
)

agents = Table(
    "agents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("code", _CODE, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("team", Text, nullable=False, server_default=""),
    Column("role", Text, nullable=False, server_default=""),
    Column("capacity", Integer),
    Column("active", Boolean, nullable=False, server_default="1"),
    Column("stamps", Text, nullable=False, server_default="{}"),  # {field: time it was last set}
    Column("state", SmallInteger, nullable=False, server_default="3"),
    _at("state_since"),
    UniqueConstraint("store_id", "code"),
)

skill_groups = Table(
    "skill_groups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("code", _CODE, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    UniqueConstraint("store_id", "code"),
)

skus = Table(
    "skus",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("code", _CODE, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    UniqueConstraint("store_id", "code"),
)

customers = Table(
    "customers",
    metadata,
    _id(),
    Column("store_id", Integer, nullable=False),
    Column("code", _CODE, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("region", Text, nullable=False, server_default=""),
    Column("tags", Text, nullable=False, server_default="[]"),
    Column("phone", Text, nullable=False, server_default=""),  # masked before it gets here
    Column("address", Text, nullable=False, server_default=""),
    Column("stamps", Text, nullable=False, server_default="{}"),
    UniqueConstraint("store_id", "code"),
)

# Wide columns first: PostgreSQL pads a narrow one that stands before them.
sessions = Table(
    "sessions",
    metadata,
    _id(),
    Column("customer_id", BigInteger, nullable=False),
    _at("opened_at"),  # NULL: facts have arrived before the session was heard to open
    _at("assigned_at"),
    _at("transferred_at"),
    _at("first_customer_at"),
    _at("first_reply_at"),
    _at("first_reply_ms"),
    _at("last_reply_at"),
    _zero("turn_ms", BigInteger),
    _at("waiting_since"),
    _at("closed_at"),
    Column("store_id", Integer, nullable=False),
    _zero("sku_id", Integer),
    Column("day", Integer),
    _zero("agent_id", Integer),
    _zero("group_id", Integer),
    _zero("turns", Integer),
    _zero("agent_messages", Integer),
    _zero("customer_messages", Integer),
    _zero("kind"),
    _zero("channel"),
    _zero("page"),
    _zero("order_state"),
    _zero("reason"),
    _zero("transfers", Integer),
    _zero("invited"),
    _zero("rating"),
    _zero("resolution"),
    _zero("closed_by"),
    _zero("flag"),
    Column("code", _CODE, nullable=False),
    Column("region", Text, nullable=False, server_default=""),
    Column("comment", Text, nullable=False, server_default=""),
    Column("facts", LargeBinary, nullable=False),  # domain.conversation.Fact, packing.py
    UniqueConstraint("store_id", "code"),
    Index("ix_sessions_customer_id_opened_at", "customer_id", "opened_at"),
    Index("ix_sessions_store_id_day_agent_id", "store_id", "day", "agent_id"),
)
_open = sessions.c.closed_at.is_(None) & sessions.c.opened_at.is_not(None)
Index("ix_sessions_open", sessions.c.store_id, sessions.c.agent_id, sqlite_where=_open, postgresql_where=_open)

transcripts = Table(
    "transcripts",
    metadata,
    _id("session_id"),
    Column("messages", LargeBinary, nullable=False),  # packing.py
)

orders = Table(
    "orders",
    metadata,
    _id(),
    Column("customer_id", BigInteger, nullable=False, server_default="0"),
    _at("placed_at"),
    _at("paid_at"),
    _at("shipped_at"),
    _at("cancelled_at"),
    Column("store_id", Integer, nullable=False),
    Column("code", _CODE, nullable=False),
    UniqueConstraint("store_id", "code"),
    Index("ix_orders_customer_id_placed_at", "customer_id", "placed_at"),
    Index("ix_orders_store_id_placed_at", "store_id", "placed_at"),
)

order_lines = Table(
    "order_lines",
    metadata,
    _key("order_id", BigInteger),
    _key("line"),
    Column("sku_id", Integer, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    _zero("session_24h", BigInteger),
    _zero("session_7d", BigInteger),
    _zero("session_15d", BigInteger),
    sqlite_with_rowid=False,
)

presence = Table(
    "presence",
    metadata,
    _key("agent_id"),
    _key("at", BigInteger),
    _key("state", SmallInteger),
    sqlite_with_rowid=False,
)

visitors = Table(
    "visitors",
    metadata,
    _key("store_id"),
    _key("day"),
    _key("kind", SmallInteger),
    _key("customer_id", BigInteger),
    Column("first_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

clicks = Table(
    "clicks",
    metadata,
    _key("store_id"),
    _key("at", BigInteger),
    _key("key", BigInteger),
    Column("kind", SmallInteger, nullable=False),  # 1 related question, 2 quick entry
    Column("code", _CODE, nullable=False),
    Column("customer_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

seen_events = Table(
    "seen_events",
    metadata,
    _key("store_id"),
    _key("day"),  # UTC day of the events
    _key("revision", BigInteger),  # of the batch that brought them
    Column("keys", LargeBinary, nullable=False),  # 8 bytes of each identity (seen.py)
    sqlite_with_rowid=False,
)

_WIDE = ("_ms", "order_items", "order_amount")


def _sums(names: Iterable[str]) -> list[Column[int]]:
    """NULL where nothing has been counted: most are, and on PostgreSQL that costs one bit."""
    return [Column(name, BigInteger if any(part in name for part in _WIDE) else Integer) for name in names]


def _counter_keys() -> list[Column[int]]:
    return [_key("agent_id"), _key("group_id"), _key("channel", SmallInteger), _key("flag", SmallInteger)]


slot_counters = Table(
    "slot_counters",
    metadata,
    *(_key("store_id"), _key("day"), _key("slot", SmallInteger), *_counter_keys()),
    *_sums(SUM_FIELDS),
    sqlite_with_rowid=False,
)
# A slot of one agent holds one or two sessions, so its histogram is narrow rows; a day's is columns, which sum 6 times faster.
slot_histograms = Table(
    "slot_histograms",
    metadata,
    *(_key("store_id"), _key("day"), _key("slot", SmallInteger), *_counter_keys(), _key("bin", SmallInteger)),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)
day_counters = Table(
    "day_counters",
    metadata,
    *(_key("store_id"), _key("day"), *_counter_keys()),
    *_sums(SUM_FIELDS),
    *_sums(HISTOGRAM_FIELDS),
    sqlite_with_rowid=False,
)
# The same counters by agent and day alone, which is what comparisons of many agents over many days read; once for all sessions
# (assessed 0) and once for those the assessment settings keep (assessed 1), once by day (span 1) and once by week (span 7).
agent_days = Table(
    "agent_days",
    metadata,
    *(_key("store_id"), _key("assessed", SmallInteger), _key("span", SmallInteger), _key("day"), _key("agent_id")),
    *_sums(SUM_FIELDS),
    *_sums(FIRST_REPLY_BINS),
    sqlite_with_rowid=False,
)

# What agent_days are sums of, told apart by what the assessment settings may keep or not: the hour of the day (-1: imported, which has
# none) and the flag. Other settings are worked out from these.
agent_hours = Table(
    "agent_hours",
    metadata,
    *(_key("store_id"), _key("day"), _key("agent_id"), _key("hour", SmallInteger), _key("flag", SmallInteger)),
    *_sums(SUM_FIELDS),
    *_sums(FIRST_REPLY_BINS),
    sqlite_with_rowid=False,
)

# The five-minute counters without agents and channels, by half hour of the day: what reports cut by time read.
group_halves = Table(
    "group_halves",
    metadata,
    *(_key("store_id"), _key("day"), _key("half", SmallInteger), _key("group_id"), _key("flag", SmallInteger)),
    *_sums(SUM_FIELDS),
    *_sums(FIRST_REPLY_BINS),
    sqlite_with_rowid=False,
)

changes = Table(
    "changes",
    metadata,
    _key("store_id"),
    _key("revision", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("topics", Text, nullable=False),
    sqlite_with_rowid=False,
)

source_progress = Table(
    "source_progress",
    metadata,
    _key("store_id"),
    Column("source", _CODE, primary_key=True),
    Column("item", _CODE, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

settings_revisions = Table(
    "settings_revisions",
    metadata,
    _key("store_id"),
    Column("document", String(32), primary_key=True),
    _key("revision"),  # 1, 2, … per document
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("body", Text, nullable=False),  # the whole document, JSON
    sqlite_with_rowid=False,
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("summary", Text, nullable=False),  # JSON, as services/imports.py tells it
    _at("undone_at"),
    Index("ix_imports_store_id", "store_id"),
)
# What imported files say of an agent's day. The newest import not undone holds; the counters of flag IMPORTED are made from it.
imported_days = Table(
    "imported_days",
    metadata,
    _key("import_id"),
    _key("day"),
    _key("agent_id"),
    Column("counts", Text, nullable=False),  # {counter: value}, JSON
    Index("ix_imported_days_agent_id_day", "agent_id", "day"),
    sqlite_with_rowid=False,
)
# What keeps days from files out of figures that the files do not say, beside the counters of flag IMPORTED (domain/imported.py).
imported_gaps = Table(
    "imported_gaps",
    metadata,
    *(_key("store_id"), _key("day"), _key("agent_id")),
    *(Column(name, BigInteger) for name in GAP_FIELDS),
    sqlite_with_rowid=False,
)
imported_orders = Table(
    "imported_orders",
    metadata,
    _key("import_id"),
    _key("line"),
    Column("opened_at", BigInteger, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("agent_id", Integer, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("order_code", _CODE, nullable=False),
    Column("sku_code", _CODE, nullable=False),
    Column("sku_name", Text, nullable=False),
    Column("customer", Text, nullable=False),
    sqlite_with_rowid=False,
)
import_columns = Table(
    "import_columns",
    metadata,
    _key("store_id"),
    Column("header", _CODE, primary_key=True),  # as the importer normalises it
    Column("meaning", String(64), nullable=False),  # a metric key or a field of the importer; "" to leave the column out
    sqlite_with_rowid=False,
)

# Sessions whose transcript has changed since it was indexed; what is indexed may be out of date, so a hit is checked in the transcript.
search_pending = Table("search_pending", metadata, _id("session_id"))
# Which sessions of a segment have which terms lies in the blocks from `block` on (postings.py).
search_segments = Table(
    "search_segments",
    metadata,
    _id(),
    Column("store_id", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("blocks", Integer, nullable=False),
    Column("terms", LargeBinary, nullable=False),  # the first of each block
    Column("places", LargeBinary, nullable=False),
)
search_blocks = Table("search_blocks", metadata, _id(), Column("entries", LargeBinary, nullable=False))

saved_reports = Table(
    "saved_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),  # what is asked, JSON (services/saved.py)
    Column("every", String(8), nullable=False, server_default=""),  # "", daily, weekly, monthly
    Column("folder", Text, nullable=False, server_default=""),
    Column("format", String(8), nullable=False, server_default="xlsx"),
    Column("author", Text, nullable=False),
    _at("sent_at"),
    Column("problem", Text, nullable=False, server_default=""),  # why the last sending failed
    UniqueConstraint("store_id", "name"),
)

# What routing decided about a session, one after another: the last one holds. Written with the event that it led to.
decisions = Table(
    "decisions",
    metadata,
    _key("session_id", BigInteger),
    _key("number"),  # 1, 2, … per session
    Column("at", BigInteger, nullable=False),
    Column("store_id", Integer, nullable=False),
    Column("groups_revision", Integer, nullable=False),  # of the settings documents that held
    Column("agents_revision", Integer, nullable=False),
    _zero("group_id", Integer),
    _zero("agent_id", Integer),  # who has it now; of a session that waits: who had it until then
    Column("outcome", SmallInteger, nullable=False),  # routed.py
    _zero("reason"),
    Column("reasons", Text, nullable=False),  # domain.routing.reasons.Why, JSON
    Column("leave_rule_revision", Integer),  # as those above; NULL: of a release that did not keep it
    sqlite_with_rowid=False,
)
# What supervisors want done; carried out by the engine, once, in the transaction that records what follows from it.
commands = Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # suspend, resume, move, transfer
    Column("body", Text, nullable=False),  # JSON
    _at("done_at"),
    Column("result", Text, nullable=False, server_default=""),  # why it was refused, JSON [zh, en]; "" where it was carried out
    Index("ix_commands_store_id_done_at", "store_id", "done_at"),
)
