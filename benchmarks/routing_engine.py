"""Routing through the database: decisions a second when a queue has formed, and how long a customer waits for one when none has.

The rate: customers come in bursts, each recorded by a source before the engine looks, against the bare statements that such a decision
comes to (give the session its agent, keep the reason) in transactions as large. The delay: an engine in a process of its own, a source
that opens sessions evenly, and an observer who hears of the assignment as a console would.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from app.desk.routing import Routing
from app.domain.clock import wall_clock
from app.domain.events import AgentPresence, AnyEvent, MessageSent, SessionClosed, SessionOpened
from app.domain.settings import DOCUMENTS
from app.storage import revisions
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.notices import Notices
from app.storage.recorder import Recorder, open_store
from benchmarks.harness import Result, paired, percentile
from benchmarks.processes import Observed
from benchmarks.stores import TITLES, fresh

AGENTS = 200
BURST = 200
SESSIONS, QUICK_SESSIONS = 10_000, 2_000
A_SECOND = 50
SECONDS, QUICK_SECONDS = 60, 10
_SETTLE_SECONDS = 30.0


def run(quick: bool = False) -> list[Result]:
    found: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        for kind in TITLES:
            found.append(_rate(kind, Path(name), QUICK_SESSIONS if quick else SESSIONS, 1 if quick else 5))
            found += _delay(kind, Path(name), QUICK_SECONDS if quick else SECONDS)
    return found


def _store(url: str) -> tuple[Database, int]:
    """A store in which everybody is here and takes any number."""
    database = Database(url)
    store = open_store(database, "shop")
    members = [{"agent": f"a{n}", "weight": 1 + n % 10} for n in range(AGENTS)]
    revisions.save(database, store, DOCUMENTS["groups"], {"groups": [{"code": "g", "name": "g", "members": members}]}, "bench")
    present = [AgentPresence(id=f"p{n}", at=wall_clock(), agent=f"a{n}", state="available") for n in range(AGENTS)]
    Recorder(database, store).record(present)
    return database, store


def _arrival(number: int) -> list[AnyEvent]:
    at, session = wall_clock(), f"s{number}"
    return [
        SessionOpened(id=f"o{number}", at=at, session=session, customer=f"c{number}"),
        MessageSent(id=f"m{number}", at=at, session=session, sender="customer", text="在吗"),
    ]


def _rate(kind: str, folder: Path, sessions: int, repeats: int) -> Result:
    def ours() -> float:
        database, store = _store(fresh(kind, Path(tempfile.mkdtemp(dir=folder))))
        source, engine = Recorder(database, store), Routing(database, store, wall_clock)
        engine.turn()
        spent, decided = 0.0, 0
        for start in range(0, sessions, BURST):
            source.record([event for number in range(start, start + BURST) for event in _arrival(number)])
            began = time.perf_counter()
            decided += engine.turn()
            spent += time.perf_counter() - began
        database.close()
        assert decided == sessions
        return decided / spent

    def bare() -> float:
        database, store = _store(fresh(kind, Path(tempfile.mkdtemp(dir=folder))))
        source = Recorder(database, store)
        spent = 0.0
        for start in range(0, sessions, BURST):
            source.record([event for number in range(start, start + BURST) for event in _arrival(number)])
            began = time.perf_counter()
            with database.write() as connection:
                bulk = Bulk(connection)
                bulk.many(
                    "UPDATE sessions SET agent_id = ?, assigned_at = ? WHERE store_id = ? AND code = ?",
                    [(1 + n % AGENTS, wall_clock(), store, f"s{n}") for n in range(start, start + BURST)],
                )
                bulk.many(
                    "INSERT INTO decisions (session_id, number, at, store_id, groups_revision, agents_revision, outcome, reasons) "
                    "VALUES (?, 1, ?, ?, 1, 0, 1, ?)",
                    [(n + 1, wall_clock(), store, json.dumps([["turn", f"a{n % AGENTS}"]])) for n in range(start, start + BURST)],
                )
                bulk.close()
            spent += time.perf_counter() - began
        database.close()
        return sessions / spent

    rate, peer = paired(ours, bare, repeats)
    return Result(
        "routing_engine", f"{TITLES[kind]}, bursts of {BURST}, {AGENTS} agents", f"{rate:,.0f} decisions/s",
        f"{peer:,.0f}/s (bare statements)", rate / peer, f"1/{peer / rate:.1f}", None, None, at_least=True,
    )  # fmt: skip


def _delay(kind: str, folder: Path, seconds: int) -> list[Result]:
    url = fresh(kind, Path(tempfile.mkdtemp(dir=folder)))
    database, store = _store(url)
    process = Observed("main.py", "serve", "--db", url, "--parent", home=folder)
    process.wait_for('{"store":')
    opened: dict[str, float] = {}
    assigned: dict[str, float] = {}
    stop = threading.Event()
    observer = threading.Thread(target=_observe, args=(database, store, assigned, stop))
    observer.start()
    source, began = Recorder(database, store), time.perf_counter()
    for number in range(seconds * A_SECOND):
        time.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
        events = _arrival(number)
        if number >= 2 * AGENTS:
            events.append(SessionClosed(id=f"x{number}", at=wall_clock(), session=f"s{number - 2 * AGENTS}"))
        opened[f"s{number}"] = time.perf_counter()  # so the commit of the session counts as well
        source.record(events)
    _until(lambda: assigned.keys() >= opened.keys())
    stop.set()
    observer.join()
    process.stop()
    database.close()
    waits = [(assigned[session] - at) * 1000 for session, at in opened.items()]
    return [
        Result(
            "routing_engine", f"{TITLES[kind]}, opened to assigned at {A_SECOND} sessions/s, {word}",
            f"{percentile(waits, share):,.0f} ms", "", percentile(waits, share), "", None, None,
        )
        for word, share in (("p50", 0.5), ("p99", 0.99))
    ]  # fmt: skip


def _observe(database: Database, store: int, assigned: dict[str, float], stop: threading.Event) -> None:
    notices = Notices(database, store)
    last = 0
    while not stop.is_set():
        notices.wait(0.2)
        with database.read() as connection:
            rows = connection.execute(
                text(
                    "SELECT d.session_id, s.code FROM decisions d JOIN sessions s ON s.id = d.session_id "
                    "WHERE d.session_id > :last AND d.outcome = 1 ORDER BY d.session_id"
                ),
                {"last": last},
            ).all()
        heard = time.perf_counter()
        for id, code in rows:
            last = id
            assigned.setdefault(code, heard)
    notices.close()


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + _SETTLE_SECONDS
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("some sessions were never assigned")
        time.sleep(0.01)
