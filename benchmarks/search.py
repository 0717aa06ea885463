"""Searching in five million messages, against LIKE over the same messages as plain rows of the same database.

The store is made of some simulated days, told again and again with other numbers in their texts, in transcripts as the recorder writes
them. The peer is a table of messages in order of time, which may stop at the fiftieth.
"""

from __future__ import annotations

import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, MetaData, SmallInteger, Table, Text, text

from app.domain.conversation import ONLINE
from app.domain.events import MessageSent, SessionOpened
from app.domain.localtime import DAY_MS
from app.domain.permissions import local_owner
from app.services.search import SearchQuestion
from app.services.workspace import StoreInfo, Workspace
from app.sources.simulator import Plan, Simulator
from app.storage import schema
from app.storage.bulk import Bulk, Row
from app.storage.database import Database
from app.storage.packing import SENDERS, Spoken, pack_facts, pack_messages, unpack_messages
from app.storage.recorder import open_store
from benchmarks.harness import Result, paired
from benchmarks.stores import TITLES, fresh

MESSAGES, QUICK_MESSAGES = 5_000_000, 300_000
_FIRST_DAY = 20_000
_DAYS_TOLD = 5
_AT_ONCE = 2_000
_NUMBER = re.compile(r"\d+")
_ORDER = "3017740918264"
_RARE = "景德镇青花瓷"
_RARE_EVERY = 20_000
"""Sessions from one mention of something rare to the next."""
_ASKED = {
    "a rare word": "青花瓷",
    "a common word": "退款",
    "one character": "瓷",
    "a phrase": '"什么时候到账"',
    "two words": "退款 运费",
    "English": "plus",
    "an order number": _ORDER,
    "the middle of an order number": _ORDER[4:11],
    "the middle of a word": "lus",
    "a word that does not occur": "潜水艇",
}
_plain = Table(
    "plain_messages",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("sender", SmallInteger, nullable=False),
    Column("body", Text, nullable=False),
)


class Talk(NamedTuple):
    """A session: when it opened, within its day, and what was said."""

    opened: int
    messages: list[Spoken]


def run(quick: bool = False) -> list[Result]:
    found: list[Result] = []
    talks = _simulated()
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        for kind, title in TITLES.items():
            found += _measure(title, fresh(kind, Path(name)), talks, QUICK_MESSAGES if quick else MESSAGES, 3 if quick else 5)
    return found


def _measure(title: str, url: str, talks: list[Talk], messages: int, repeats: int) -> list[Result]:
    workspace = Workspace.open(url, local_owner())
    database = workspace.database
    try:
        open_store(database, "demo")
        store = workspace.store(None)
        sessions = _fill(database, store, talks, messages)
        before = _bytes(database)
        started = time.monotonic()
        assert workspace.search.catch_up(store) == sessions
        seconds = time.monotonic() - started
        added = _bytes(database) - before
        _fill_plain(database)
        size = f"{messages / 1e6:g} M messages"
        found = [
            Result(
                "search",
                f"{title}, {size}: indexing",
                f"{sessions / seconds:,.0f} sessions/s",
                "",
                seconds,
                f"{seconds:,.0f} s",
                None,
                None,
            ),
            Result(
                "search",
                f"{title}, {size}: size of the index",
                f"{added / sessions:,.0f} bytes a session",
                f"{before / sessions:,.0f} bytes a session (transcript and bare session)",
                added / before,
                f"{added / before:.2f} ×",
                None,
                None,
            ),
        ]
        for what, asked in _ASKED.items():
            found.append(_compare(f"{title}, {size}: {what}", workspace, store, asked, repeats))
        return found
    finally:
        workspace.close()


def _compare(what: str, workspace: Workspace, store: StoreInfo, asked: str, repeats: int) -> Result:
    hits: list[int] = []

    def ours() -> float:
        started = time.perf_counter()
        found = workspace.search.find(store, SearchQuestion(asked))
        hits.append(len(found.hits))
        return (time.perf_counter() - started) * 1000

    def peer() -> float:
        words = [f"%{word}%" for word in asked.strip('"').split(" ")]
        like = "ILIKE" if not workspace.is_local else "LIKE"  # SQLite's LIKE does not mind the case of English anyway
        conditions = " AND ".join(f"body {like} :w{i}" for i in range(len(words)))
        query = text(f"SELECT session_id, at, body FROM plain_messages WHERE {conditions} ORDER BY id DESC LIMIT 50")
        with workspace.database.read() as connection:
            started = time.perf_counter()
            connection.execute(query, {f"w{i}": word for i, word in enumerate(words)}).all()
            return (time.perf_counter() - started) * 1000

    mine, theirs = paired(ours, peer, repeats)
    ratio = f"{theirs / mine:,.1f} × faster" if theirs > mine else f"1/{mine / theirs:,.1f}"
    return Result(
        "search", what, f"{mine:,.1f} ms ({statistics.median_low(hits)} found)", f"{theirs:,.1f} ms (LIKE)", mine, ratio, 300, 100
    )


def _simulated() -> list[Talk]:
    simulator = Simulator(Plan(agents=24, store="demo"))
    found: list[Talk] = []
    for day in range(_FIRST_DAY, _FIRST_DAY + _DAYS_TOLD):
        events = simulator.day(day)
        opened = {event.session: event.at for event in events if isinstance(event, SessionOpened)}
        said: dict[str, list[Spoken]] = {}
        for event in events:
            if isinstance(event, MessageSent) and event.session in opened:
                said.setdefault(event.session, []).append((event.at, SENDERS.index(event.sender), 0, 0, event.text or ""))
        found += [Talk(opened[code], messages) for code, messages in said.items()]
    found.sort()
    return found


def _told(talks: list[Talk], messages: int) -> Iterator[tuple[int, int, list[Spoken]]]:
    """(session id, opened at, what is said), in order of time, until there are so many messages."""
    rng = random.Random(1)
    id = told = round_ = 0
    while told < messages:
        shift = round_ * _DAYS_TOLD * DAY_MS
        for talk in talks:
            id += 1
            said = [
                (at + shift, sender, agent, content, _NUMBER.sub(lambda number: str(rng.randrange(10 ** len(number[0]))), body))
                for at, sender, agent, content, body in talk.messages
            ]
            if id % 10 == 0:
                said.append((talk.opened + shift + 1, 0, 0, 0, f"订单{rng.randrange(10**12, 3 * 10**12)}到哪了"))
            if id % _RARE_EVERY == 7:
                said.append((talk.opened + shift + 2, 0, 0, 0, f"有没有{_RARE}的茶杯，订单{_ORDER}"))
            told += len(said)
            yield id, talk.opened + shift, said
            if told >= messages:
                return
        round_ += 1


def _fill(database: Database, store: StoreInfo, talks: list[Talk], messages: int) -> int:
    """Sessions and transcripts as the recorder leaves them, none indexed; returns how many."""
    count = 0
    no_facts = pack_facts(())
    columns = ("id", "store_id", "code", "customer_id", "kind", "opened_at", "day", "closed_at", "facts")
    sessions: list[Row] = []
    transcripts: list[Row] = []

    def write() -> None:
        with database.write() as connection:
            bulk = Bulk(connection)
            bulk.insert(schema.sessions, columns, sessions)
            bulk.insert(schema.transcripts, ("session_id", "messages"), transcripts)
            bulk.insert(schema.search_pending, ("session_id",), [row[:1] for row in sessions])
            bulk.close()
        sessions.clear()
        transcripts.clear()

    for id, opened, said in _told(talks, messages):
        sessions.append((id, store.id, f"s{id}", id % 90_000, ONLINE, opened, opened // DAY_MS, opened + 600_000, no_facts))
        transcripts.append((id, pack_messages(said)))
        count += 1
        if len(sessions) == _AT_ONCE:
            write()
    write()
    return count


def _fill_plain(database: Database) -> None:
    """The same messages as plain rows, read from the transcripts."""
    with database.write() as connection:
        _plain.create(connection)
    id = after = 0
    while True:
        with database.write() as connection:
            bulk = Bulk(connection)
            packed = bulk.rows(
                "SELECT session_id, messages FROM transcripts WHERE session_id > ? ORDER BY session_id LIMIT ?", (after, _AT_ONCE)
            )
            rows: list[Row] = []
            for session, messages in packed:
                for at, sender, _, _, body in unpack_messages(messages):
                    id += 1
                    rows.append((id, session, at, sender, body))
                after = session
            bulk.insert(_plain, ("id", "session_id", "at", "sender", "body"), rows)
            bulk.close()
        if len(packed) < _AT_ONCE:
            return


def _bytes(database: Database) -> int:
    if not database.is_sqlite:
        with database.read() as connection:
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    assert database.path is not None
    return database.path.stat().st_size
