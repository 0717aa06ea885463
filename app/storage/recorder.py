"""The recorder: events in, exact counters out, one transaction per batch.

`record` takes events in any order and any grouping. Each changes the facts of a session, an order, an agent's presence or a day's
visitors; the counters get contribution(after) − contribution(before) of whatever changed, in the same transaction as the facts
and the notice. An event already seen (by source and id) changes nothing.

One recorder serves one store. Several, in several processes, may serve the same store: a batch holds the store's lock, and a
recorder that finds the store's revision moved by another forgets the sessions it had cached.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, get_args
from zlib import crc32

from sqlalchemy import Connection, select

from app.domain import conversation as talk
from app.domain import events as ev
from app.domain.assessment import DEFAULT, AssessedRule
from app.domain.clock import StoreClock
from app.domain.conversation import Fact, Session, contribution, fold
from app.domain.counters import HISTOGRAM_FIELDS, IMPORTED, PRESENCE_FIELDS, SUM_FIELDS, Delta, add
from app.domain.localtime import LocalTime
from app.domain.metrics import GAP_FIELDS
from app.storage import schema
from app.storage.agent_days import add_agent_days, assessed_rule
from app.storage.bulk import Bulk, Row
from app.storage.codes import Codes
from app.storage.database import Database, can_be_called_off, patiently
from app.storage.faults import SilenceError
from app.storage.group_halves import add_group_halves
from app.storage.packing import CONTENTS, SENDERS, Spoken, pack_facts, pack_messages, unpack_facts, unpack_messages
from app.storage.people import record_agents, record_customers, record_presence, record_visitors
from app.storage.seen import Seen, identity
from app.storage.trade import Trade

_SENDER = {name: i for i, name in enumerate(SENDERS)}
_CONTENT = {name: i for i, name in enumerate(CONTENTS)}
_KIND = {name: i for i, name in enumerate(talk.KINDS)}
_CHANNEL = {name: i for i, name in enumerate(talk.CHANNELS)}
_PAGE = {name: i for i, name in enumerate(talk.PAGES)}
_ORDER_STATE = {name: i for i, name in enumerate(talk.ORDER_STATES)}
_REASON = {name: i for i, name in enumerate(talk.REASONS)}
_CLOSER = {name: i for i, name in enumerate(talk.CLOSERS)}
_FLAG = {name: i for i, name in enumerate(talk.FLAGS)}
_CLICKS: tuple[type[ev.QuestionClicked | ev.EntryClicked], ...] = (ev.QuestionClicked, ev.EntryClicked)
_ORDER_EVENTS: tuple[type[ev.OrderEvent], ...] = get_args(ev.OrderEvent)
_OTHER_SESSION_EVENTS: tuple[type[ev.SessionEvent], ...] = tuple(kind for kind in get_args(ev.SessionEvent) if kind is not ev.MessageSent)
_RESOLUTION = {None: talk.UNANSWERED, True: talk.RESOLVED, False: talk.UNRESOLVED}

_CACHED_SESSIONS = 20_000
_MOST_COUNTED = 20_000
"""Counters of a batch that gather before they are written; an agent who said nothing for ten years has a million."""
_KEPT_CHANGES = 5_000
_LARGEST_NOTICE = 200
"""Agents named in one notice: a payload of PostgreSQL holds 8,000 bytes, and who has heard of more looks at all of them anyway."""

SESSION_COLUMNS = (
    "id", "store_id", "code", "customer_id", "kind", "channel", "page", "order_state", "sku_id", "region", "opened_at", "day",
    "agent_id", "group_id", "reason", "transfers", "assigned_at", "transferred_at", "first_customer_at", "first_reply_at",
    "first_reply_ms", "last_reply_at", "turns", "turn_ms", "agent_messages", "customer_messages", "waiting_since", "invited", "rating",
    "resolution", "comment", "closed_at", "closed_by", "flag", "facts",
)  # fmt: skip
_KEYS = ("store_id", "day", "slot", "agent_id", "group_id", "channel", "flag")
_FIELDS = (*SUM_FIELDS, *HISTOGRAM_FIELDS)
_PRESENCE = frozenset(PRESENCE_FIELDS)
_POSITION = {name: i for i, name in enumerate(_FIELDS)}


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
            found = connection.execute(select(schema.stores.c.zone, schema.stores.c.clock).where(schema.stores.c.id == store_id)).first()
        if found is None:
            raise LookupError(f"no store {store_id}")
        self._local = LocalTime(found.zone)
        self._clock = StoreClock(found.clock)
        self._codes = Codes(store_id)
        self._seen = Seen(store_id)
        self._kept: dict[str, _Kept] = {}
        self._rule = DEFAULT
        self._revision = -1

    def record(self, events: Sequence[ev.AnyEvent], source: str = "ndjson") -> Recorded:
        """Records a batch in one transaction. Either all of it is durable on return, or an exception says that none is.

        Raises FaultError where a person can act (unreachable, full, locked, read-only).
        """
        if not events:
            return Recorded(0, 0, self._revision)
        while True:
            try:
                with self.locked() as batch:
                    applied = batch.record(events, source)
            except SilenceError as ended:  # nothing of it is there: there was more to work out than the server had patience for
                if not ended.longer:
                    raise
            else:
                return Recorded(applied, len(events) - applied, batch.revision)

    @contextmanager
    def locked(self) -> Iterator[Batch]:
        """One transaction in which nobody else writes to the store: look first, then record what follows. Raises as `record`."""
        try:
            with self._database.write() as connection:
                batch = Batch(self, connection)
                yield batch
                batch.finish()
        except BaseException:
            self._forget()
            raise
        self._revision = batch.revision
        if len(self._kept) > _CACHED_SESSIONS:
            for code in list(self._kept)[: len(self._kept) - _CACHED_SESSIONS // 2]:
                del self._kept[code]

    def _forget(self) -> None:
        self._kept.clear()
        self._codes.forget()
        self._seen.forget()
        self._revision = -1


class Batch:
    """One transaction of a recorder. revision: the store's, before it and, once it has finished, after it."""

    def __init__(self, recorder: Recorder, connection: Connection) -> None:
        self.recorder = recorder
        self.bulk = Bulk(connection)
        self.store = recorder._store
        self.local = recorder._local
        self.codes = recorder._codes
        self.delta: Delta = {}
        self.topics: set[str] = set()
        self._changed = False
        self.seats: set[int] = set()
        self.revision = lock_store(self.bulk, self.store)
        if self.revision != recorder._revision:
            recorder._kept.clear()  # somebody else has moved the store on, and may have changed its settings
            recorder._rule = assessed_rule(self.bulk, self.store)

    def record(self, events: Sequence[ev.AnyEvent], source: str) -> int:
        """Once in a transaction. Returns how many of them had not been seen before."""
        fresh = self.recorder._seen.take(self.bulk, events, source, self.revision)
        if fresh:
            self._changed = True
            self._apply(fresh, source)
        return len(fresh)

    def also(self, topic: str) -> None:
        """Something else was written, which the notice will speak of as well."""
        self._changed = True
        self.topics.add(topic)

    def finish(self) -> None:
        """Announces what was written, if anything was; the commit follows."""
        if self._changed:
            self.revision += 1
            self._announce(self.revision)
        self.bulk.close()

    def _apply(self, fresh: list[ev.AnyEvent], source: str) -> None:
        events = ev.ByType(fresh)
        self.codes.resolve(self.bulk, events)
        agents = self.codes.agents
        talks: defaultdict[str, list[Fact]] = defaultdict(list)
        spoken: defaultdict[str, list[Spoken]] = defaultdict(list)
        for said in events.of(ev.MessageSent):
            at, session, sender = said.at, said.session, said.sender
            agent = agents[said.agent] if said.agent else 0
            if sender == "customer":
                talks[session].append((at, talk.CUSTOMER))
            elif sender == "agent":
                talks[session].append((at, talk.AGENT, agent))
            else:
                talks.setdefault(session, [])  # known from now on, though nothing counts
            spoken[session].append((at, _SENDER[sender], agent, _CONTENT[said.content], said.text or ""))
        for kind in _OTHER_SESSION_EVENTS:
            for event in events.of(kind):
                talks[event.session].append(self._fact(event.at, event))
        presences, visits, upserts = events.of(ev.AgentPresence), events.of(ev.VisitorEntered), events.of(ev.AgentUpserted)
        trades: list[ev.OrderEvent] = [event for kind in _ORDER_EVENTS for event in events.of(kind)]
        clicks: list[Row] = []
        for clicked in _CLICKS:
            for click in events.of(clicked):
                what = (1, click.question) if isinstance(click, ev.QuestionClicked) else (2, click.entry)
                key = int.from_bytes(identity(source, click), "big", signed=True)
                clicks.append((self.store, click.at, key, *what, self.codes.customers[click.customer]))
        touched = self._sessions(talks)
        if trades or touched:
            trade = Trade(self.store, self.local, self.codes, self.bulk)
            add(self.delta, trade.record(trades, touched))
            if trades:
                self.topics.add("orders")
        moved = (now.session.id for before, now in touched if before is not None and before.opened_at != now.session.opened_at)
        self._write_transcripts(spoken, moved)
        self._write_sessions([kept for _, kept in touched])
        if presences:
            for some in record_presence(self.bulk, self.codes, self.local, presences):
                add(self.delta, some)
                if len(self.delta) > _MOST_COUNTED:
                    self._count()
            self.seats.update(agents[event.agent] for event in presences)
            self.topics.add("presence")
        if visits:
            add(self.delta, record_visitors(self.bulk, self.codes, self.local, visits))
            self.topics.add("visitors")
        if upserts:
            record_agents(self.bulk, self.codes, upserts)
            self.topics.add("agents")
        record_customers(self.bulk, self.codes, events.of(ev.CustomerUpserted))
        if clicks:
            self.bulk.insert(schema.clicks, ("store_id", "at", "key", "kind", "code", "customer_id"), clicks)
            self.topics.add("clicks")
        self._count()

    def _count(self) -> None:
        """Adds to the counters what has gathered."""
        add_counters(self.bulk, self.store, self.delta, self.recorder._rule)
        self.seats.update(key.agent for key in self.delta)
        today = self.local.day(self.recorder._clock())
        if any(key.day < today for key in self.delta):
            self.topics.add("past")
        self.delta = {}

    def _fact(self, at: int, event: ev.SessionEvent) -> Fact:
        codes = self.codes
        if isinstance(event, ev.SessionAssigned):
            group = codes.groups[event.group] if event.group else 0
            # Of two in one millisecond the codes decide, not the ids, which tell who was heard of first; the same below.
            return (at, talk.ASSIGNED, crc32(event.agent.encode()), codes.agents[event.agent], group, _REASON[event.reason or ""])
        if isinstance(event, ev.SessionOpened):
            tie = crc32(f"{event.customer} {event.agent or ''}".encode())
            return (
                at, talk.OPENED, tie, codes.customers[event.customer], _KIND[event.kind], _CHANNEL[event.channel], _PAGE[event.page or ""],
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
            facts = unpack_facts(blob)
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

    def _write_transcripts(self, spoken: Mapping[str, list[Spoken]], moved: Iterable[int]) -> None:
        """Puts messages into transcripts; sessions with new ones, or that have `moved` in time, are pending for the search index."""
        changed = set(moved)
        kept = self.recorder._kept
        first: list[Row] = []
        further: dict[int, list[Spoken]] = {}
        for code, said in spoken.items():
            held = kept[code]
            if held.new:
                first.append((held.session.id, pack_messages(said)))
            else:
                further[held.session.id] = said
        columns = ("session_id", "messages")
        self.bulk.insert(schema.transcripts, columns, first)
        for id, packed in self.bulk.rows_in("SELECT session_id, messages FROM transcripts WHERE session_id IN {keys}", (), list(further)):
            further[id] += unpack_messages(packed)
        self.bulk.replace(schema.transcripts, columns, [(id, pack_messages(said)) for id, said in further.items()])
        self.bulk.insert(schema.search_pending, ("session_id",), [(row[0],) for row in first])
        self.bulk.replace(schema.search_pending, ("session_id",), [(id,) for id in changed.union(further)])
        if spoken:
            self.topics.add("messages")

    def _announce(self, revision: int) -> None:
        self.seats.discard(0)
        announce(self.bulk, self.store, revision, self.topics, self.seats if len(self.seats) <= _LARGEST_NOTICE else None)


def session_row(s: Session, facts: list[Fact], store: int, local: LocalTime) -> Row:
    """The row of a folded session, in the order of SESSION_COLUMNS."""
    return (
        s.id, store, s.code, s.customer, s.kind, s.channel, s.page, s.order_state, s.sku, s.region, s.opened_at,
        None if s.opened_at is None else local.day(s.opened_at), s.agent, s.group, s.reason, len(s.parts),
        s.assigned_at, s.transferred_at, s.first_customer_at, s.first_reply_at, s.first_reply_ms, s.last_reply_at, len(s.turn_list),
        sum(s.turn_list), s.agent_messages, s.customer_messages, s.waiting_since, int(s.invited), s.rating, s.resolution,
        s.comment, s.closed_at, s.closed_by, s.flag, pack_facts(facts),
    )  # fmt: skip


def add_counters(bulk: Bulk, store: int, delta: Delta, rule: AssessedRule | None = None) -> None:
    """Adds to the five-minute and the day counters of a store, to their histograms and to the sums of them. The store's lock is held.

    A key of slot -1 is counted by day alone; one of flag IMPORTED may have gaps (metrics.GAP_FIELDS) among its counts. rule: the store's,
    looked up when it is not given.
    """
    add_agent_days(bulk, store, delta, assessed_rule(bulk, store) if rule is None else rule)
    add_group_halves(bulk, store, delta)
    slots: list[Row] = []
    attended: list[Row] = []  # half of all rows hold nothing but presence, and a row costs by its width
    bins: list[Row] = []
    gaps: list[Row] = []
    days: dict[Row, dict[str, int]] = {}
    for key, counts in delta.items():
        if key.flag == IMPORTED:
            gaps.append((store, key.day, key.agent, *[counts.get(name) or None for name in GAP_FIELDS]))
            counts = {name: value for name, value in counts.items() if name in _POSITION}
        sums: list[int | None] = [None] * len(SUM_FIELDS)
        day: dict[str, int] | None = None
        for name, value in counts.items():
            if not value:
                continue
            if day is None:
                day = days.setdefault((store, key.day, key.agent, key.group, key.channel, key.flag), {})
            day[name] = day.get(name, 0) + value
            position = _POSITION[name]
            if key.slot < 0:
                continue
            if position < len(SUM_FIELDS):
                sums[position] = value
            else:
                bins.append((store, *key, position - len(SUM_FIELDS), value))
        if not any(sums):
            continue
        if counts.keys() <= _PRESENCE:
            attended.append((store, *key, *[counts.get(name) or None for name in PRESENCE_FIELDS]))
        else:
            slots.append((store, *key, *sums))
    bulk.add(schema.slot_counters, (*_KEYS, *SUM_FIELDS), slots)
    bulk.add(schema.slot_counters, (*_KEYS, *PRESENCE_FIELDS), attended)
    bulk.add(schema.slot_histograms, (*_KEYS, "bin", "n"), bins)
    bulk.add(schema.imported_gaps, ("store_id", "day", "agent_id", *GAP_FIELDS), gaps)
    whole: list[Row] = []
    for where, counts in days.items():
        row: list[int | None] = [None] * len(_FIELDS)
        for name, value in counts.items():
            row[_POSITION[name]] = value or None
        whole.append((*where, *row))
    bulk.add(schema.day_counters, ("store_id", "day", "agent_id", "group_id", "channel", "flag", *_FIELDS), whole)


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
    if bulk.sqlite:
        pass  # the transaction holds the only write lock from its beginning
    elif can_be_called_off():
        patiently(lambda: bool(bulk.rows("SELECT pg_try_advisory_xact_lock(7311, ?)", (store,))[0][0]))
    else:
        bulk.rows("SELECT pg_advisory_xact_lock(7311, ?)", (store,))
    revision: int = bulk.rows("SELECT revision FROM stores WHERE id = ?", (store,))[0][0]
    return revision
