"""The recorder: events in, exact counters out, one transaction per batch.

`record` takes events in any order and any grouping. Each changes the facts of a session, an order, an agent's presence or a day's
visitors; the counters get contribution(after) − contribution(before) of whatever changed, in the same transaction as the facts
and the notice. An event already seen (by source and id) changes nothing.

One recorder serves one store. Several, in several processes, may serve the same store: a batch holds the store's lock, and a
recorder that finds the store's revision moved by another forgets what it had cached.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from sqlalchemy import select

from app.domain import conversation as talk
from app.domain import events as ev
from app.domain.conversation import Fact, Session, contribution, fold
from app.domain.counters import HISTOGRAM_FIELDS, SUM_FIELDS, Delta, add
from app.domain.localtime import DAY_MS, LocalTime
from app.storage import schema
from app.storage.bulk import Bulk, Row
from app.storage.codes import Codes
from app.storage.database import Database
from app.storage.people import record_agents, record_customers, record_presence, record_visitors
from app.storage.trade import Trade

_SENDERS = {"customer": 1, "agent": 2, "bot": 3, "system": 4}
_CONTENTS = {"text": 0, "image": 1, "card": 2, "file": 3}
_KIND = {name: i for i, name in enumerate(talk.KINDS)}
_CHANNEL = {name: i for i, name in enumerate(talk.CHANNELS)}
_PAGE = {name: i for i, name in enumerate(talk.PAGES)}
_ORDER_STATE = {name: i for i, name in enumerate(talk.ORDER_STATES)}
_REASON = {name: i for i, name in enumerate(talk.REASONS)}
_CLOSER = {name: i for i, name in enumerate(talk.CLOSERS)}
_FLAG = {name: i for i, name in enumerate(talk.FLAGS)}
_RESOLUTION = {None: talk.UNANSWERED, True: talk.RESOLVED, False: talk.UNRESOLVED}

_CACHED_SESSIONS = 20_000
_KEPT_CHANGES = 5_000
_LARGEST_NOTICE = 200
"""Agents named in one notice: a payload of PostgreSQL holds 8,000 bytes, and who has heard of more looks at all of them anyway."""
_facts_encoder = msgspec.msgpack.Encoder()
_facts_decoder: msgspec.msgpack.Decoder[list[Fact]] = msgspec.msgpack.Decoder(list[tuple])  # type: ignore[type-arg]

SESSION_COLUMNS = (
    "id", "store_id", "code", "customer_id", "kind", "channel", "page", "order_state", "sku_id", "region", "opened_at", "day",
    "agent_id", "group_id", "reason", "transfers", "assigned_at", "transferred_at", "first_customer_at", "first_reply_at",
    "first_reply_ms", "turns", "turn_ms", "agent_messages", "customer_messages", "waiting_since", "invited", "rating",
    "resolution", "comment", "closed_at", "closed_by", "flag", "facts",
)  # fmt: skip
_KEYS = ("store_id", "day", "slot", "agent_id", "group_id", "channel", "flag")
_BIN = {name: i for i, name in enumerate(HISTOGRAM_FIELDS)}


class Recorded(NamedTuple):
    """What became of a batch: events applied, events that had been seen before, the store's revision after it."""

    applied: int
    repeated: int
    revision: int


class _Kept:
    """A session in memory: its facts, its fold, what it has contributed."""

    __slots__ = ("added", "facts", "new", "session")

    def __init__(self, session: Session, facts: list[Fact], added: Delta, new: bool) -> None:
        self.session = session
        self.facts = facts
        self.added = added
        self.new = new


def open_store(database: Database, code: str, zone: str = "Asia/Shanghai", name: str | None = None) -> int:
    """The id of the store with this code, created in this zone if it is not there.

    Raises ValueError for a zone that does not exist.
    """
    LocalTime(zone)
    s = schema.stores
    with database.read() as connection:
        found = connection.execute(select(s.c.id).where(s.c.code == code)).scalar()
    if found is not None:
        return int(found)
    with database.write() as connection:
        bulk = Bulk(connection)
        bulk.run("INSERT INTO stores (code, name, zone) VALUES (?, ?, ?) ON CONFLICT (code) DO NOTHING", (code, name or code, zone))
        return int(bulk.rows("SELECT id FROM stores WHERE code = ?", (code,))[0][0])


class Recorder:
    """Records events of one store. Not thread-safe: one recorder per thread.

    Raises LookupError when the store does not exist.
    """

    def __init__(self, database: Database, store_id: int) -> None:
        self._database = database
        self._store = store_id
        with database.read() as connection:
            zone = connection.execute(select(schema.stores.c.zone).where(schema.stores.c.id == store_id)).scalar()
        if zone is None:
            raise LookupError(f"no store {store_id}")
        self._local = LocalTime(zone)
        self._codes = Codes(store_id)
        self._kept: dict[str, _Kept] = {}
        self._revision = -1

    def record(self, events: Sequence[ev.AnyEvent], source: str = "ndjson") -> Recorded:
        """Records a batch in one transaction. Either all of it is durable on return, or an exception says that none is.

        Raises FaultError where a person can act (unreachable, full, locked, read-only).
        """
        if not events:
            return Recorded(0, 0, self._revision)
        try:
            with self._database.write() as connection:
                batch = _Batch(self, Bulk(connection))
                recorded = batch.run(events, source)
                batch.bulk.close()
        except BaseException:
            self._forget()
            raise
        self._revision = recorded.revision
        if len(self._kept) > _CACHED_SESSIONS:
            for code in list(self._kept)[: len(self._kept) - _CACHED_SESSIONS // 2]:
                del self._kept[code]
        return recorded

    def _forget(self) -> None:
        self._kept.clear()
        self._codes.forget()
        self._revision = -1


class _Batch:
    """One transaction of a recorder."""

    def __init__(self, recorder: Recorder, bulk: Bulk) -> None:
        self.recorder = recorder
        self.bulk = bulk
        self.store = recorder._store
        self.local = recorder._local
        self.codes = recorder._codes
        self.delta: Delta = {}
        self.topics: set[str] = set()
        self.seats: set[int] = set()

    def run(self, events: Sequence[ev.AnyEvent], source: str) -> Recorded:
        recorder = self.recorder
        revision = lock_store(self.bulk, self.store)
        if revision != recorder._revision:
            recorder._forget()
        fresh = self._fresh(events, source)
        applied = len(fresh)
        if fresh:
            self._apply(fresh)
            revision += 1
            self._announce(revision)
        return Recorded(applied, len(events) - applied, revision)

    def _fresh(self, events: Sequence[ev.AnyEvent], source: str) -> list[tuple[int, ev.AnyEvent]]:
        """The events not seen before, each with the 64 bits that identify it."""
        prefix = source.encode() + b"\0"
        keyed: dict[Row, ev.AnyEvent] = {}
        store = self.store
        for event in events:
            digest = blake2b(prefix + event.id.encode(), digest_size=8).digest()
            row = (store, event.at // DAY_MS, int.from_bytes(digest, "big", signed=True))
            keyed.setdefault(row, event)
        claimed = self.bulk.claim(schema.seen_events, ("store_id", "day", "key"), list(keyed))
        return [(row[2], event) for row, event in keyed.items() if row in claimed]

    def _apply(self, fresh: list[tuple[int, ev.AnyEvent]]) -> None:
        self.codes.resolve(self.bulk, [event for _, event in fresh])
        agents = self.codes.agents
        talks: dict[str, list[Fact]] = {}
        spoken: list[tuple[str, int, int, int, int, int, str | None]] = []
        upserts: list[ev.AgentUpserted] = []
        people: list[ev.CustomerUpserted] = []
        presences: list[ev.AgentPresence] = []
        visits: list[ev.VisitorEntered] = []
        trades: list[ev.OrderEvent] = []
        clicks: list[Row] = []
        for key, event in fresh:
            at = event.at
            if isinstance(event, ev.MessageSent):
                agent = agents[event.agent] if event.agent else 0
                facts = talks.setdefault(event.session, [])
                if event.sender == "customer":
                    facts.append((at, talk.CUSTOMER))
                elif event.sender == "agent":
                    facts.append((at, talk.AGENT, agent))
                spoken.append((event.session, at, key, _SENDERS[event.sender], agent, _CONTENTS[event.content], event.text))
            elif isinstance(event, ev.AgentPresence):
                presences.append(event)
            elif isinstance(event, ev.VisitorEntered):
                visits.append(event)
            elif isinstance(event, ev.AgentUpserted):
                upserts.append(event)
            elif isinstance(event, ev.CustomerUpserted):
                people.append(event)
            elif isinstance(event, ev.OrderPlaced | ev.OrderPaid | ev.OrderShipped | ev.OrderCancelled):
                trades.append(event)
            elif isinstance(event, ev.QuestionClicked):
                clicks.append((self.store, at, key, 1, event.question, self.codes.customers[event.customer]))
            elif isinstance(event, ev.EntryClicked):
                clicks.append((self.store, at, key, 2, event.entry, self.codes.customers[event.customer]))
            else:
                talks.setdefault(event.session, []).append(self._fact(at, event))
        touched = self._sessions(talks)
        self._messages(spoken)
        if trades or touched:
            trade = Trade(self.store, self.local, self.codes, self.bulk)
            add(self.delta, trade.record(trades, touched))
            if trades:
                self.topics.add("orders")
        self._write_sessions([kept for _, kept in touched])
        if presences:
            add(self.delta, record_presence(self.bulk, self.codes, self.local, presences))
            self.seats.update(agents[event.agent] for event in presences)
            self.topics.add("presence")
        if visits:
            add(self.delta, record_visitors(self.bulk, self.codes, self.local, visits))
            self.topics.add("visitors")
        if upserts:
            record_agents(self.bulk, self.codes, upserts)
            self.topics.add("agents")
        if people:
            record_customers(self.bulk, self.codes, people)
        if clicks:
            self.bulk.insert(schema.clicks, ("store_id", "at", "key", "kind", "code", "customer_id"), clicks)
            self.topics.add("clicks")
        add_counters(self.bulk, self.store, self.delta)

    def _fact(self, at: int, event: ev.SessionEvent) -> Fact:
        codes = self.codes
        if isinstance(event, ev.SessionAssigned):
            group = codes.groups[event.group] if event.group else 0
            return (at, talk.ASSIGNED, codes.agents[event.agent], group, _REASON[event.reason or ""])
        if isinstance(event, ev.SessionOpened):
            return (
                at, talk.OPENED, codes.customers[event.customer], _KIND[event.kind], _CHANNEL[event.channel], _PAGE[event.page or ""],
                codes.skus[event.sku] if event.sku else 0, _ORDER_STATE[event.order_state or ""],
                codes.agents[event.agent] if event.agent else 0, codes.groups[event.group] if event.group else 0, event.region or "",
            )  # fmt: skip
        if isinstance(event, ev.SessionClosed):
            return (at, talk.CLOSED, _CLOSER[event.by or ""])
        if isinstance(event, ev.RatingInvited):
            return (at, talk.INVITED)
        if isinstance(event, ev.RatingGiven):
            return (at, talk.RATED, event.score, _RESOLUTION[event.resolved], event.comment or "")
        assert isinstance(event, ev.SessionFlagged)
        return (at, talk.FLAGGED, _FLAG[event.flag])

    def _sessions(self, talks: dict[str, list[Fact]]) -> list[tuple[Session | None, _Kept]]:
        """Folds every session that got new facts; returns [(before, after)], before None where it was not known."""
        if not talks:
            return []
        kept, store, local = self.recorder._kept, self.store, self.local
        missing = [code for code in talks if code not in kept]
        for id, code, blob in self.bulk.rows_in(
            "SELECT id, code, facts FROM sessions WHERE store_id = ? AND code IN {keys}", (store,), missing
        ):
            facts = decode_facts(blob)
            session = fold(id, code, facts)
            kept[code] = _Kept(session, facts, contribution(session, local), new=False)
        unknown = [code for code in missing if code not in kept]
        for id, code in zip(self.codes.new_ids(self.bulk, "sessions", len(unknown)), unknown):
            kept[code] = _Kept(Session(id, code), [], {}, new=True)
        touched: list[tuple[Session | None, _Kept]] = []
        for code, facts in talks.items():
            held = kept[code]
            before = None if held.new else held.session
            if facts or held.new:
                held.facts.extend(facts)
                session = held.session = fold(held.session.id, code, held.facts)
                added = contribution(session, local)
                if added != held.added:
                    add(self.delta, held.added, -1)
                    add(self.delta, added)
                    held.added = added
                touched.append((before, held))
                self.seats.add(session.agent)
                if before is not None:
                    self.seats.add(before.agent)
        self.topics.add("sessions")
        return touched

    def _write_sessions(self, touched: Iterable[_Kept]) -> None:
        new: list[Row] = []
        changed: list[Row] = []
        for held in touched:
            row = session_row(held.session, held.facts, self.store, self.local)
            (new if held.new else changed).append(row)
            held.new = False
        self.bulk.insert(schema.sessions, SESSION_COLUMNS, new)
        self.bulk.replace(schema.sessions, SESSION_COLUMNS, changed)

    def _messages(self, spoken: list[tuple[str, int, int, int, int, int, str | None]]) -> None:
        if not spoken:
            return
        kept = self.recorder._kept
        self.bulk.insert(
            schema.messages,
            ("session_id", "at", "key", "sender", "agent_id", "content", "text"),
            [(kept[code].session.id, *rest) for code, *rest in spoken],
        )
        self.topics.add("messages")

    def _announce(self, revision: int) -> None:
        self.seats.discard(0)
        announce(self.bulk, self.store, revision, self.topics, self.seats if len(self.seats) <= _LARGEST_NOTICE else None)


def decode_facts(blob: bytes) -> list[Fact]:
    """The facts of a session, as its row holds them."""
    return _facts_decoder.decode(blob)


def session_row(s: Session, facts: list[Fact], store: int, local: LocalTime) -> Row:
    """The row of a folded session, in the order of SESSION_COLUMNS."""
    return (
        s.id, store, s.code, s.customer, s.kind, s.channel, s.page, s.order_state, s.sku, s.region, s.opened_at,
        None if s.opened_at is None else local.day(s.opened_at), s.agent, s.group, s.reason, len(s.parts),
        s.assigned_at, s.transferred_at, s.first_customer_at, s.first_reply_at, s.first_reply_ms, len(s.turn_list),
        sum(s.turn_list), s.agent_messages, s.customer_messages, s.waiting_since, int(s.invited), s.rating, s.resolution,
        s.comment, s.closed_at, s.closed_by, s.flag, _facts_encoder.encode(facts),
    )  # fmt: skip


def add_counters(bulk: Bulk, store: int, delta: Delta) -> None:
    """Adds to the five-minute and the day counters of a store, and to their histograms."""
    slots: list[Row] = []
    bins: list[Row] = []
    days: dict[Row, dict[str, int]] = {}
    for key, counts in delta.items():
        if not any(counts.values()):
            continue
        row = (store, *key)
        get = counts.get
        sums = tuple([get(name, 0) for name in SUM_FIELDS])
        if any(sums):
            slots.append(row + sums)
        day = days.setdefault((store, key.day, key.agent, key.group, key.channel, key.flag), {})
        for name, value in counts.items():
            if value:
                day[name] = day.get(name, 0) + value
                if name in _BIN:
                    bins.append((*row, _BIN[name], value))
    bulk.add(schema.slot_counters, (*_KEYS, *SUM_FIELDS), slots)
    bulk.add(schema.slot_histograms, (*_KEYS, "bin", "n"), bins)
    names = (*SUM_FIELDS, *HISTOGRAM_FIELDS)
    bulk.add(
        schema.day_counters,
        ("store_id", "day", "agent_id", "group_id", "channel", "flag", *names),
        [key + tuple([counts.get(name, 0) for name in names]) for key, counts in days.items()],
    )


def announce(bulk: Bulk, store: int, revision: int, topics: Iterable[str], agents: Iterable[int] | None) -> None:
    """Makes `revision` the store's and writes the change notice (notices.py), which the commit makes visible with all it speaks of.

    agents: ids of those concerned; None for any. The store's lock is held.
    """
    what: dict[str, object] = {"topics": sorted(topics)}
    if agents is not None:
        what["agents"] = sorted(agents)
    bulk.run("UPDATE stores SET revision = ? WHERE id = ?", (revision, store))
    bulk.run(
        "INSERT INTO changes (store_id, revision, at, topics) VALUES (?, ?, ?, ?)",
        (store, revision, time.time_ns() // 1_000_000, json.dumps(what)),
    )
    if revision % 100 == 0:
        bulk.run("DELETE FROM changes WHERE store_id = ? AND revision <= ?", (store, revision - _KEPT_CHANGES))
    if not bulk.sqlite:
        bulk.rows("SELECT pg_notify('kefu', ?)", (json.dumps({"store": store, "revision": revision, **what}),))


def lock_store(bulk: Bulk, store: int) -> int:
    """Waits until no other transaction writes to the store; returns its revision."""
    if not bulk.sqlite:  # there, the transaction holds the only write lock from its beginning
        bulk.rows("SELECT pg_advisory_xact_lock(7311, ?)", (store,))
    revision: int = bulk.rows("SELECT revision FROM stores WHERE id = ?", (store,))[0][0]
    return revision
