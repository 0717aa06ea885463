"""What both live pages ask for after ten new events, in a store with one day of data against the same store with 400 days.

The long history is one simulated day, recorded as usual and then copied by SQL to each of the days before it: counters, histograms,
sessions, presence, visitors and orders. Both stores then record the same today, up to the afternoon. PostgreSQL has looked at its tables
(ANALYZE), as its own housekeeping does within a minute.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from sqlalchemy import Table, text

from app.domain.events import AnyEvent
from app.domain.localtime import DAY_MS
from app.domain.permissions import local_owner
from app.services.workspace import Workspace
from app.sources.simulator import Plan, Simulator
from app.storage import schema
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from benchmarks.harness import Result, paired
from benchmarks.stores import TITLES, fresh
from benchmarks.streams import FIRST_DAY, STORE

_HOURS = 15.5
_BATCH = 8_000
_NEWS = 10
_IDS = {
    schema.sessions: ("id",), schema.orders: ("id",), schema.order_lines: ("order_id", "session_24h", "session_7d", "session_15d"),
}  # fmt: skip
_COPIED = (
    schema.day_counters, schema.slot_counters, schema.slot_histograms, schema.visitors, schema.presence, *_IDS,
)  # fmt: skip


def run(quick: bool = False) -> list[Result]:
    days, agents = (100, 15) if quick else (400, 24)
    simulator = Simulator(Plan(agents=agents, store=STORE))
    now = simulator.world.local.start_of_day(FIRST_DAY) + int(_HOURS * 3_600_000)
    day = simulator.day(FIRST_DAY, transcripts=False)
    today, coming = [event for event in day if event.at <= now], [event for event in day if event.at > now]
    yesterday = [event for event in simulator.day(FIRST_DAY - 1, transcripts=False) if event.at <= now]
    roster = simulator.roster(now - days * DAY_MS)
    found: list[Result] = []
    for kind, title in TITLES.items():
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
            short, long = fresh(kind, _folder(name, "short")), fresh(kind, _folder(name, "long"))
            _fill(short, roster, [], today, 1)
            rows = _fill(long, roster, yesterday, today, days)
            one, many = Workspace.open(short, local_owner()), Workspace.open(long, local_owner())
            try:
                many_days, one_day = paired(_refresh(many, coming), _refresh(one, coming), 30 if quick else 200)
            finally:
                one.close()
                many.close()
        found.append(
            Result(
                "live_refresh",
                f"{title}, {days} days ({rows:,} sessions), {agents} agents",
                f"{many_days * 1000:.1f} ms",
                f"{one_day * 1000:.1f} ms with 1 day",
                many_days / one_day,
                f"{many_days / one_day:.2f} ×",
                1.2,
                1.0,
            )
        )
    return found


def _folder(parent: str, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir()
    return folder


def _refresh(workspace: Workspace, coming: list[AnyEvent]) -> Callable[[], float]:
    """Records the next few events, then answers the seconds that reading both pages takes."""
    store = workspace.store(STORE)
    recorder = Recorder(workspace.database, store.id)
    rest = iter(coming)

    def refresh() -> float:
        news = list(islice(rest, _NEWS))
        recorder.record(news)
        now = news[-1].at
        began = time.perf_counter()
        workspace.live.overview(store, at=now)
        workspace.live.seats(store, at=now)
        return time.perf_counter() - began

    refresh()  # connections, statements, and what is kept of earlier days for ten minutes
    return refresh


def _fill(url: str, roster: list[AnyEvent], yesterday: list[AnyEvent], today: list[AnyEvent], days: int) -> int:
    """How many sessions there are in the end."""
    database = Database(url)
    try:
        recorder = Recorder(database, open_store(database, STORE))
        _record(recorder, [*roster, *yesterday])
        if days > 2:
            _copy(database, days - 2)
        _record(recorder, today)
        with database.write() as connection:
            if not database.is_sqlite:
                connection.execute(text("ANALYZE"))
            return int(connection.execute(text("SELECT count(*) FROM sessions")).scalar() or 0)
    finally:
        database.close()


def _record(recorder: Recorder, events: list[AnyEvent]) -> None:
    for start in range(0, len(events), _BATCH):
        recorder.record(events[start : start + _BATCH])


def _copy(database: Database, times: int) -> None:
    """All that is there once more for each of so many days before it."""
    with database.write() as connection:
        for table in _COPIED:
            names = ", ".join(column.name for column in table.columns)
            values = ", ".join(_moved(table, column.name) for column in table.columns)
            where = "WHERE closed_at IS NOT NULL" if table is schema.sessions else ""
            connection.execute(
                text(
                    f"WITH RECURSIVE ago (days) AS (SELECT 1 UNION ALL SELECT days + 1 FROM ago WHERE days < {times}) "
                    f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {table.name} CROSS JOIN ago {where}"
                )
            )
        if not database.is_sqlite:
            for name in ("sessions", "orders"):
                connection.execute(text(f"SELECT setval('{name}_ids', (SELECT max(id) FROM {name}))"))


def _moved(table: Table, name: str) -> str:
    if name in _IDS.get(table, ()):
        return f"CASE WHEN {name} > 0 THEN {name} + 1000000 * CAST(days AS BIGINT) ELSE 0 END"
    if name == "day":
        return "day - days"
    if name == "code":
        return "code || '-' || days"
    if name == "at" or name.endswith("_at"):
        return f"{name} - {DAY_MS} * CAST(days AS BIGINT)"
    return name
