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
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.domain.words import Term, cut
from app.storage import schema
from app.storage.bulk import Bulk, Row
from app.storage.database import Database
from app.storage.packing import Spoken, unpack_messages
from app.storage.recorder import lock_store

BLOCK = 16
"""Sessions whose words are indexed as one: neighbours say much the same, so that it takes a third of the space and of the time."""
PIECE = 12 * BLOCK
_PIECE_SECONDS = 0.05
"""A piece stops taking sessions after so long: writers to the store wait for it."""
_LARGEST_DOCUMENT = 400_000
"""Bytes of terms; a tsvector holds 1 MB."""
_EVERYTHING = "z" * 41
"""The one term of a block with more different words than that, which is proposed always; no word is so long."""
_COMMON = 20_000
"""With more sessions than this to propose, looking at all of them in order of time comes to a full page sooner."""
_DOCUMENT = ("id", "session_id", "opened_at", "store_id")
MOST_PENDING = 20_000
"""Sessions not indexed that one answer reads."""
_WALKED_FIRST, _WALKED_AT_ONCE = 250, 2_000
_OF_DOCUMENTS = "(SELECT session_id FROM search_documents WHERE id IN {keys})"


_OPEN_MS = 86_400_000
"""A session that has not been closed for so long is indexed all the same."""


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

    def clauses(self, at: str, id: str) -> tuple[str, list[int]]:
        """SQL and parameters of the time and the place, for a table's columns."""
        found, values = [f"{at} IS NOT NULL"], []
        if self.since is not None:
            found.append(f"{at} >= ?")
            values.append(self.since)
        if self.until is not None:
            found.append(f"{at} < ?")
            values.append(self.until)
        if self.after is not None:
            sign = "<" if self.newest_first else ">"
            found.append(f"{at} {sign}= ? AND ({at} {sign} ? OR {id} {sign} ?)")
            values += [self.after.opened_at, *self.after]
        return " AND ".join(found), values

    def sessions(self) -> tuple[str, list[int]]:
        """SQL and parameters of everything, for `sessions s`."""
        clause, values = self.clauses("s.opened_at", "s.id")
        for column, value in (("agent_id", self.agent), ("group_id", self.group), ("customer_id", self.customer)):
            if value is not None:
                clause += f" AND s.{column} = ?"
                values.append(value)
        return f"s.store_id = ? AND {clause}", [self.store, *values]


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
        piece = index_piece(database, store, after, now - _OPEN_MS)
        done += piece.sessions
        tell(done)
        if piece.last is None:
            break
        after = piece.last
        stop.wait((time.monotonic() - started) * rest)
    return done


def index_piece(database: Database, store: int, after: int, settled_before: int) -> Piece:
    """Indexes some of the store's pending sessions with ids above `after`, in one transaction.

    Ripe are those that are closed or were opened before `settled_before` (epoch ms): each time a session is indexed again costs space.
    """
    with database.write() as connection:
        bulk = Bulk(connection)
        if not bulk.sqlite:
            bulk.rows("SELECT pg_advisory_xact_lock(7312, 0)")  # ids are taken below; always before the store's lock
        lock_store(bulk, store)  # nobody writes to a transcript between its reading and its leaving the pending ones
        rows = bulk.rows(
            "SELECT p.session_id, s.opened_at, t.messages FROM search_pending p JOIN sessions s ON s.id = p.session_id "
            "LEFT JOIN transcripts t ON t.session_id = p.session_id WHERE p.session_id > ? AND s.store_id = ? "
            "AND s.opened_at IS NOT NULL AND (s.closed_at IS NOT NULL OR s.opened_at < ?) ORDER BY p.session_id LIMIT ?",
            (after, store, settled_before, PIECE),
        )
        done = _write_documents(bulk, store, rows)
        bulk.close()
    if not done:
        return Piece(0, None)
    return Piece(done, rows[done - 1][0] if done < len(rows) or len(rows) == PIECE else None)


def waiting(bulk: Bulk, store: int) -> tuple[int, int]:
    """(sessions indexed and up to date, sessions pending) of a store."""
    indexed = bulk.rows("SELECT count(DISTINCT session_id) FROM search_documents WHERE store_id = ?", (store,))[0][0]
    pending, both = bulk.rows(
        "SELECT count(*), count(CASE WHEN EXISTS (SELECT 1 FROM search_documents d WHERE d.session_id = p.session_id) THEN 1 END) "
        "FROM search_pending p JOIN sessions s ON s.id = p.session_id WHERE s.store_id = ? AND s.opened_at IS NOT NULL",
        (store,),
    )[0]
    return indexed - both, pending


def _write_documents(bulk: Bulk, store: int, rows: Sequence[Row]) -> int:
    """How many of the rows were indexed before time was up."""
    if not rows:
        return 0
    end = time.monotonic() + _PIECE_SECONDS
    newest = bulk.rows("SELECT coalesce(max(id), 0) FROM search_documents")[0][0]
    head = (newest // BLOCK + 1) * BLOCK
    documents: list[Row] = []
    words: list[Row] = []
    done = 0
    while done < len(rows) and (not done or time.monotonic() < end):
        block = rows[done : done + BLOCK]
        terms: set[str] = set()
        for _, _, packed in block:
            if packed is not None:  # one that has only moved in time may have no messages
                terms |= cut("\n".join(message[4] for message in unpack_messages(packed)))
        words.append((head, _written(terms)))
        documents += [(head + i, session, opened_at, store) for i, (session, opened_at, _) in enumerate(block)]
        done += len(block)
        head += BLOCK
    if bulk.sqlite:
        bulk.insert(schema.search_documents, _DOCUMENT, documents)
        bulk.many("INSERT INTO search_words (rowid, words) VALUES (?, ?)", words)
    else:
        by_head: dict[int, str] = dict(words)
        bulk.insert(schema.search_documents, (*_DOCUMENT, "words"), [(*row, by_head.get(row[0])) for row in documents])
    bulk.many("DELETE FROM search_pending WHERE session_id = ?", [row[:1] for row in rows[:done]])
    return done


def _written(terms: set[str]) -> str:
    words = " ".join(terms)
    return words if len(words) * 4 <= _LARGEST_DOCUMENT or len(words.encode()) <= _LARGEST_DOCUMENT else _EVERYTHING


# Asking it


def steps(bulk: Bulk, terms: Sequence[Term], wanted: Wanted) -> Iterator[Step]:
    """Every session that may have all the terms, in the order wanted, each once."""
    if wanted.customer is not None:  # of one customer there are few
        clause, values = wanted.sessions()
        query = f"SELECT s.opened_at, s.id FROM sessions s WHERE {clause} {_ordered('s.opened_at', 's.id', wanted)}"
        yield Step(_places(bulk.rows(query, values)), None)
        return
    pending, left_out = _pending(bulk, wanted)
    proposed = _proposed(bulk, terms, wanted)
    for indexed, reached in _walk(bulk, wanted) if proposed is None else [(proposed, None)]:
        last = pending[-1] if left_out and pending else None
        final = last is not None and (reached is None or not _behind(last, reached, wanted))
        upto = last if final else reached
        here = {place for place in (*indexed, *pending) if upto is None or not _behind(place, upto, wanted)}
        yield Step(sorted(here, reverse=wanted.newest_first), upto, left_out if final else 0)
        if final:
            return
        pending = [place for place in pending if place not in here]


def read_transcripts(bulk: Bulk, sessions: Sequence[int]) -> dict[int, list[Spoken]]:
    found = bulk.rows_in("SELECT session_id, messages FROM transcripts WHERE session_id IN {keys}", (), sessions)
    return {session: unpack_messages(packed) for session, packed in found}


def _pending(bulk: Bulk, wanted: Wanted) -> tuple[list[Place], int]:
    """(the first pending sessions in the order, how many there are behind them)"""
    clause, values = wanted.sessions()
    source = f"FROM search_pending p JOIN sessions s ON s.id = p.session_id WHERE {clause}"
    rows = bulk.rows(f"SELECT s.opened_at, s.id {source} {_ordered('s.opened_at', 's.id', wanted)} LIMIT ?", (*values, MOST_PENDING + 1))
    if len(rows) <= MOST_PENDING:
        return _places(rows), 0
    return _places(rows[:MOST_PENDING]), bulk.rows(f"SELECT count(*) {source}", values)[0][0] - MOST_PENDING


def _proposed(bulk: Bulk, terms: Sequence[Term], wanted: Wanted) -> list[Place] | None:
    """The indexed sessions with all the terms; None where there are too many, or nothing to ask the index for."""
    if not terms:
        return None
    limit = _COMMON // BLOCK
    if bulk.sqlite:
        asked = " AND ".join(f'"{term.text}" *' if term.beginning else f'"{term.text}"' for term in terms)
        query = "SELECT rowid FROM search_words WHERE search_words MATCH ? LIMIT ?"
        heads = bulk.rows(query, (f'({asked}) OR "{_EVERYTHING}"', limit + 1))
    else:
        asked = " & ".join(f"{term.text}:*" if term.beginning else term.text for term in terms)
        query = "SELECT id FROM search_documents WHERE words @@ ?::tsquery LIMIT ?"
        bulk.run("SET LOCAL enable_seqscan = off")  # reading the words of every block is never faster, whatever the planner believes
        heads = bulk.rows(query, (f"({asked}) | {_EVERYTHING}", limit + 1))
        bulk.run("SET LOCAL enable_seqscan = on")
    if len(heads) > limit:
        return None
    clause, values = wanted.sessions()
    query = f"SELECT s.opened_at, s.id FROM sessions s WHERE {clause} AND s.id IN {_OF_DOCUMENTS}"
    return sorted(
        _places(bulk.rows_in(query, values, [id for (head,) in heads for id in range(head, head + BLOCK)])), reverse=wanted.newest_first
    )


def _walk(bulk: Bulk, wanted: Wanted) -> Iterator[tuple[list[Place], Place | None]]:
    """All indexed sessions, some at a time, each time with the last that was looked at; None at the end."""
    filters, values = wanted.sessions()
    kept = f"SELECT s.opened_at, s.id FROM sessions s WHERE {filters} AND s.id IN {{keys}}"
    after, size = wanted.after, _WALKED_FIRST
    while True:
        clause, bounds = replace(wanted, after=after).clauses("opened_at", "session_id")
        rows = bulk.rows(
            f"SELECT opened_at, session_id FROM search_documents WHERE store_id = ? AND {clause} "
            f"{_ordered('opened_at', 'session_id', wanted)} LIMIT ?",
            (wanted.store, *bounds, size),
        )
        here = set(_places(rows))  # a session that has moved in time since is met again where it is now
        places = [place for place in _places(bulk.rows_in(kept, values, [row[1] for row in rows])) if place in here]
        after = Place(*rows[-1]) if len(rows) == size else None
        yield places, after
        if after is None:
            return
        size = _WALKED_AT_ONCE


def _behind(place: Place, other: Place, wanted: Wanted) -> bool:
    return place < other if wanted.newest_first else place > other


def _ordered(at: str, id: str, wanted: Wanted) -> str:
    return f"ORDER BY {at} {wanted.order}, {id} {wanted.order}"


def _places(rows: Sequence[Row]) -> list[Place]:
    return [Place(*row) for row in rows]
