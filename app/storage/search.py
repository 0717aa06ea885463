"""The search index of transcripts, made behind the recorder and asked for sessions that may have the words
(docs/decisions/0011-transcript-search.md).

The index only proposes. Sessions that have changed since they were indexed stand in search_pending and are proposed, too, so nothing
depends on how far the index has come. Everything is proposed in order of (opened_at, id), and in steps, so that the reader may stop at
any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.words import Term, cut
from app.storage import postings, schema
from app.storage.bulk import Bulk, Row
from app.storage.database import Database
from app.storage.packing import Spoken, unpack_messages
from app.storage.recorder import lock_store

LARGEST = 4_096
"""Segments with so many sessions stay as they are."""
PIECE = LARGEST
"""Sessions that become one segment at once, at most."""
_PIECE_SECONDS = 3.0
"""A piece stops taking sessions after so long, so that it is seen how far it is."""
MERGED_AT_ONCE = 8
"""So many segments of about one size become one."""
MOST_PENDING = 20_000
"""Sessions not indexed that one answer reads."""
_ASKED_FIRST, _ASKED_AT_ONCE = 1, 32
"""Segments."""
_CHECKED_FIRST, _CHECKED_AT_ONCE = 250, 2_000
_OPEN_MS = 86_400_000
"""A session that has not been closed for so long is indexed all the same."""
_SEGMENT = ("id", "store_id", "sessions", "first_at", "last_at", "block", "blocks", "terms", "places")


class Piece(NamedTuple):
    """sessions: taken from the pending ones. last: where the next piece goes on; None when nothing is left that is ripe."""

    sessions: int
    last: int | None


class Place(NamedTuple):
    """Where a session stands in the order of time."""

    opened_at: int
    session: int


class Step(NamedTuple):
    """Sessions to look at, in order, and how far one has then come; unread: pending sessions that were left out behind that."""

    places: list[Place]
    reached: Place | None
    unread: int = 0


class Segment(NamedTuple):
    """Some indexed sessions, opened from first_at to last_at; their terms lie in so many blocks from `block` on."""

    id: int
    sessions: int
    first_at: int
    last_at: int
    block: int
    blocks: int

    @property
    def block_ids(self) -> range:
        return range(self.block, self.block + self.blocks)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions: opened in [since, until), epoch ms; whatever else is not None. `after`: only those behind it in the order."""

    store: int
    since: int | None = None
    until: int | None = None
    agent: int | None = None
    group: int | None = None
    customer: int | None = None
    newest_first: bool = True
    after: Place | None = None

    @property
    def order(self) -> str:
        return "DESC" if self.newest_first else "ASC"

    def has(self, place: Place) -> bool:
        """Whether the place is of the time wanted, and behind `after`."""
        return (
            (self.since is None or place.opened_at >= self.since)
            and (self.until is None or place.opened_at < self.until)
            and (self.after is None or self.behind(place, self.after))
        )

    def behind(self, place: Place, other: Place) -> bool:
        return place < other if self.newest_first else place > other

    def segments(self) -> tuple[str, list[int]]:
        """SQL and parameters of what `has` says, for the segments that may hold such places, in the order of where they begin."""
        clause, values = "store_id = ?", [self.store]
        since, until = self.since, None if self.until is None else self.until - 1
        if self.after is not None:
            at = self.after.opened_at
            if self.newest_first:
                until = at if until is None else min(at, until)
            else:
                since = at if since is None else max(at, since)
        if since is not None:
            clause += " AND last_at >= ?"
            values.append(since)
        if until is not None:
            clause += " AND first_at <= ?"
            values.append(until)
        return f"{clause} ORDER BY {'last_at DESC' if self.newest_first else 'first_at'}", values

    def sessions(self) -> tuple[str, list[int]]:
        """SQL and parameters of everything, for `sessions s`. With its plus, SQLite does not go through all sessions of the store."""
        clause, values = "s.opened_at IS NOT NULL", []
        if self.since is not None:
            clause += " AND s.opened_at >= ?"
            values.append(self.since)
        if self.until is not None:
            clause += " AND s.opened_at < ?"
            values.append(self.until)
        if self.after is not None:
            sign = "<" if self.newest_first else ">"
            clause += f" AND s.opened_at {sign}= ? AND (s.opened_at {sign} ? OR s.id {sign} ?)"
            values += [self.after.opened_at, *self.after]
        for column, value in (("agent_id", self.agent), ("group_id", self.group), ("customer_id", self.customer)):
            if value is not None:
                clause += f" AND s.{column} = ?"
                values.append(value)
        return f"+s.store_id = ? AND {clause}", [self.store, *values]


# Making it


def index_pending(
    database: Database,
    store: int,
    now: int,
    stop: threading.Event,
    tell: Callable[[int], None] = lambda done: None,
    rest: float = 0.25,
) -> int:
    """Indexes piece by piece what is pending and ripe, until `stop`; returns how many sessions.

    now: the store's, epoch ms. tell(done) follows every piece. rest: pauses as shares of the time that the piece before them took: a local
    file lets in another writer only by chance.
    """
    done, after = 0, 0
    while not stop.is_set():
        started = time.monotonic()
        piece = index_piece(database, store, after, now - _OPEN_MS, stop)
        done += piece.sessions
        tell(done)
        while merge_some(database, store) and not stop.is_set():
            pass
        if piece.last is None:
            break
        after = piece.last
        stop.wait((time.monotonic() - started) * rest)
    return done


def index_piece(database: Database, store: int, after: int, settled_before: int, stop: threading.Event) -> Piece:
    """Indexes some of the store's pending sessions with ids above `after` as one segment.

    Ripe are those that are closed or were opened before `settled_before` (epoch ms): each time a session is indexed again costs space.
    Writers to the store wait only while the segment is written: what has changed since it was read is left pending. `stop` ends it early.
    """
    with database.read() as connection:
        bulk = Bulk(connection)
        rows = bulk.rows(
            "SELECT p.session_id, s.opened_at, t.messages FROM search_pending p JOIN sessions s ON s.id = p.session_id "
            "LEFT JOIN transcripts t ON t.session_id = p.session_id WHERE p.session_id > ? AND +s.store_id = ? "
            "AND s.opened_at IS NOT NULL AND (s.closed_at IS NOT NULL OR s.opened_at < ?) ORDER BY p.session_id LIMIT ?",
            (after, store, settled_before, PIECE),
        )
        bulk.close()
    if not rows:
        return Piece(0, None)
    taken: list[Row] = []

    def terms() -> Iterator[set[str]]:
        end = time.monotonic() + _PIECE_SECONDS
        for row in rows:
            taken.append(row)
            packed = row[2]  # None: one that has only moved in time may have no messages
            yield cut("\n".join(message[4] for message in unpack_messages(packed))) if packed is not None else set()
            if stop.is_set() or time.monotonic() > end:
                return

    blocks = list(postings.blocks(postings.entries(terms())))
    with database.write() as connection:
        bulk = Bulk(connection)
        _lock_index(bulk)
        lock_store(bulk, store)  # nobody writes to a transcript between being found unchanged and leaving the pending ones
        now = bulk.rows_in(
            "SELECT p.session_id, s.opened_at, t.messages FROM search_pending p JOIN sessions s ON s.id = p.session_id "
            "LEFT JOIN transcripts t ON t.session_id = p.session_id WHERE p.session_id IN {keys}",
            (),
            [row[0] for row in taken],
        )
        unchanged = set(taken).intersection(now)
        if unchanged:  # otherwise somebody else has indexed them
            _write_segment(bulk, store, [(opened_at, session) for session, opened_at, _ in taken], blocks)
            bulk.many("DELETE FROM search_pending WHERE session_id = ?", [row[:1] for row in unchanged])
        bulk.close()
    last = taken[-1][0]
    return Piece(len(unchanged), last if last != rows[-1][0] or len(rows) == PIECE else None)


def merge_some(database: Database, store: int) -> bool:
    """Makes one segment of several of about the same size; False when there are not enough of any. Writers wait only for the writing."""
    with database.read() as connection:
        bulk = Bulk(connection)
        chosen = _to_merge(bulk, store)
        ids = [segment.id for segment in chosen]
        packed: dict[int, bytes] = dict(_packed_places(bulk, ids))
        blocks = _blocks(bulk, [id for segment in chosen for id in segment.block_ids])
        bulk.close()
    if not chosen:
        return False
    parts = [(segment.sessions, [blocks[id] for id in segment.block_ids]) for segment in chosen]
    places = [place for segment in chosen for place in postings.places_of(packed[segment.id], range(segment.sessions))]
    written = list(postings.blocks(postings.joined(parts)))
    with database.write() as connection:
        bulk = Bulk(connection)
        _lock_index(bulk)
        if len(bulk.rows_in("SELECT id FROM search_segments WHERE id IN {keys}", (), ids)) == len(ids):  # nobody else was first
            _write_segment(bulk, store, places, written)
            bulk.many("DELETE FROM search_segments WHERE id = ?", [(id,) for id in ids])
            bulk.many("DELETE FROM search_blocks WHERE id >= ? AND id < ?", [(s.block, s.block + s.blocks) for s in chosen])
        bulk.close()
    return True


def indexed(bulk: Bulk, store: int) -> int:
    """Sessions of a store whose transcripts the index knows as they are."""
    count: int = bulk.rows(
        "SELECT count(*) FROM sessions s JOIN transcripts t ON t.session_id = s.id WHERE s.store_id = ? AND s.opened_at IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM search_pending p WHERE p.session_id = s.id)",
        (store,),
    )[0][0]
    return count


def pending(bulk: Bulk, store: int) -> int:
    """Sessions of a store that have changed since they were indexed, if they were."""
    count: int = bulk.rows(
        "SELECT count(*) FROM search_pending p JOIN sessions s ON s.id = p.session_id WHERE +s.store_id = ? AND s.opened_at IS NOT NULL",
        (store,),
    )[0][0]
    return count


def _lock_index(bulk: Bulk) -> None:
    """Only one at a time takes ids; always before the store's lock."""
    if not bulk.sqlite:
        bulk.rows("SELECT pg_advisory_xact_lock(7312, 0)")


def _write_segment(bulk: Bulk, store: int, places: Sequence[tuple[int, int]], blocks: Sequence[tuple[str, bytes]]) -> None:
    ((id,),) = bulk.rows("SELECT coalesce(max(id), 0) + 1 FROM search_segments")
    ((block,),) = bulk.rows("SELECT coalesce(max(id), 0) + 1 FROM search_blocks")
    first, last = min(places)[0], max(places)[0]
    directory = postings.pack([term for term, _ in blocks])
    row = (id, store, len(places), first, last, block, len(blocks), directory, postings.pack_places(places))
    bulk.insert(schema.search_segments, _SEGMENT, [row])
    bulk.insert(schema.search_blocks, ("id", "entries"), [(block + i, packed) for i, (_, packed) in enumerate(blocks)])


def _to_merge(bulk: Bulk, store: int) -> list[Segment]:
    """The oldest segments of the first size of which there are enough, in order of time: what lies together in time is asked together."""
    sizes: dict[int, list[Segment]] = {}
    for segment in _segments(bulk, "store_id = ? AND sessions < ? ORDER BY first_at, id", (store, LARGEST)):
        same = sizes.setdefault((segment.sessions.bit_length() - 1) // 3, [])
        same.append(segment)
        if len(same) == MERGED_AT_ONCE:
            return same
    return []


# Asking it


def steps(bulk: Bulk, terms: Sequence[Term], wanted: Wanted) -> Iterator[Step]:
    """Every session that may have all the terms, in the order wanted, each once."""
    if wanted.customer is not None:  # of one customer there are few
        clause, values = wanted.sessions()
        query = f"SELECT s.opened_at, s.id FROM sessions s WHERE {clause} {_ordered(wanted)}"
        yield Step(_places(bulk.rows(query, values)), None)
        return
    waiting, left_out = _pending(bulk, wanted)
    for proposed, reached in _proposed(bulk, terms, wanted):
        last = waiting[-1] if left_out and waiting else None
        final = last is not None and (reached is None or not wanted.behind(last, reached))
        upto = last if final else reached
        here = {place for place in (*proposed, *waiting) if upto is None or not wanted.behind(place, upto)}
        yield Step(sorted(here, reverse=wanted.newest_first), upto, left_out if final else 0)
        if final:
            return
        waiting = [place for place in waiting if place not in here]


def read_transcripts(bulk: Bulk, sessions: Sequence[int]) -> dict[int, list[Spoken]]:
    found = bulk.rows_in("SELECT session_id, messages FROM transcripts WHERE session_id IN {keys}", (), sessions)
    return {session: unpack_messages(packed) for session, packed in found}


def _pending(bulk: Bulk, wanted: Wanted) -> tuple[list[Place], int]:
    """(the first pending sessions in the order, how many there are behind them)"""
    clause, values = wanted.sessions()
    few = bulk.rows("SELECT session_id FROM search_pending LIMIT ?", (MOST_PENDING + 1,))
    if len(few) <= MOST_PENDING:  # as nearly always: a planner that remembers more of them would go through all sessions
        query = f"SELECT s.opened_at, s.id FROM sessions s WHERE {clause} AND s.id IN {{keys}}"
        return sorted(_places(bulk.rows_in(query, values, [id for (id,) in few])), reverse=wanted.newest_first), 0
    source = f"FROM search_pending p JOIN sessions s ON s.id = p.session_id WHERE {clause}"
    rows = bulk.rows(f"SELECT s.opened_at, s.id {source} {_ordered(wanted)} LIMIT ?", (*values, MOST_PENDING + 1))
    if len(rows) <= MOST_PENDING:
        return _places(rows), 0
    return _places(rows[:MOST_PENDING]), bulk.rows(f"SELECT count(*) {source}", values)[0][0] - MOST_PENDING


def _proposed(bulk: Bulk, terms: Sequence[Term], wanted: Wanted) -> Iterator[tuple[list[Place], Place | None]]:
    """The indexed sessions with all the terms, in order, some at a time, and how far one has then come; None at the end.

    A segment is asked before the order comes to where it begins, so those that lie one behind the other in time are asked one by one.
    """
    segments = _segments(bulk, *wanted.segments())
    held: set[Place] = set()
    start, size, reached = 0, _ASKED_FIRST, wanted.after
    while start < len(segments):
        held.update(_having(bulk, segments[start : start + size], terms, wanted))
        start, size = start + size, min(2 * size, _ASKED_AT_ONCE)
        if start >= len(segments):
            break
        # No session has id 0: the place lies just before everything in the next segments.
        bound = Place(segments[start].last_at + 1 if wanted.newest_first else segments[start].first_at, 0)
        if reached is None or wanted.behind(bound, reached):
            ready = {place for place in held if not wanted.behind(place, bound)}
            held -= ready
            yield from _checked(bulk, ready, bound, wanted)
            reached = bound
    yield from _checked(bulk, held, None, wanted)


def _having(bulk: Bulk, segments: Sequence[Segment], terms: Sequence[Term], wanted: Wanted) -> list[Place]:
    """The places in these segments that have all the terms and are of the time wanted."""
    ids = [segment.id for segment in segments]
    directories: dict[int, bytes] = dict(bulk.rows_in("SELECT id, terms FROM search_segments WHERE id IN {keys}", (), ids) if terms else [])
    asked: dict[int, list[tuple[Term, list[int]]]] = {}
    for segment in segments:
        directory = postings.unpack(directories[segment.id]) if terms else []
        asked[segment.id] = [(term, [segment.block + i for i in postings.where(directory, term)]) for term in terms]
    blocks = _blocks(bulk, list({id for looked in asked.values() for _, ids in looked for id in ids}))
    found: dict[int, set[int]] = {}
    for segment in segments:
        numbers = set(range(segment.sessions))
        for term, ids in asked[segment.id]:
            numbers &= postings.having(term, [blocks[id] for id in ids])
            if not numbers:
                break
        else:
            found[segment.id] = numbers
    places = (Place(*place) for id, packed in _packed_places(bulk, list(found)) for place in postings.places_of(packed, found[id]))
    return [place for place in places if wanted.has(place)]


def _checked(bulk: Bulk, places: set[Place], bound: Place | None, wanted: Wanted) -> Iterator[tuple[list[Place], Place | None]]:
    """Those of the places that pass the filters, a few first; a session that has moved in time since is met again where it is now."""
    filters, values = wanted.sessions()
    query = f"SELECT s.opened_at, s.id FROM sessions s WHERE {filters} AND s.id IN {{keys}}"
    ordered = sorted(places, reverse=wanted.newest_first)
    start, size = 0, _CHECKED_FIRST
    while True:
        some = ordered[start : start + size]
        start, size = start + size, _CHECKED_AT_ONCE
        now = set(_places(bulk.rows_in(query, values, [place.session for place in some])))
        yield [place for place in some if place in now], some[-1] if start < len(ordered) else bound
        if start >= len(ordered):
            return


def _segments(bulk: Bulk, clause: str, values: Sequence[int]) -> list[Segment]:
    query = f"SELECT id, sessions, first_at, last_at, block, blocks FROM search_segments WHERE {clause}"
    return list(map(Segment._make, bulk.rows(query, values)))


def _blocks(bulk: Bulk, ids: Sequence[int]) -> dict[int, bytes]:
    return dict(bulk.rows_in("SELECT id, entries FROM search_blocks WHERE id IN {keys}", (), ids))


def _packed_places(bulk: Bulk, segments: Sequence[int]) -> list[Row]:
    """(id, packed places) of segments."""
    return bulk.rows_in("SELECT id, places FROM search_segments WHERE id IN {keys}", (), segments)


def _ordered(wanted: Wanted) -> str:
    return f"ORDER BY s.opened_at {wanted.order}, s.id {wanted.order}"


def _places(rows: Sequence[Row]) -> list[Place]:
    return [Place(*row) for row in rows]
