"""Comparing five hundred agents over ninety days, all columns and the 90th percentile of the first reply, against the raw sessions.

Ours reads the counters and works out every metric of the report. The peers are what an analyst would do who has the sessions
themselves: one question to DuckDB, which is made for this, and one to PostgreSQL; the percentile comes from each one's own function.
All have the same ten million sessions, and before anything is timed their answers are compared.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psycopg
from sqlalchemy.engine import make_url

from app.domain.counters import EDGES_MS, PRESENCE_FIELDS, Counts, bin_of
from app.domain.metrics import HISTORY_METRICS, METRICS, values
from app.storage.queries import Slice, sums
from benchmarks.harness import Result, paired
from benchmarks.history import ATTENDANCE, FIRST_DAY, FULL, QUICK, RAW, Columns, Size, Store, copy_binary, days
from benchmarks.stores import TITLES, fresh

_COUNTS = {
    "consults": "count(*)",
    "received": "count(*) FILTER (WHERE first_reply_ms >= 0)",
    "replied_30s": "count(*) FILTER (WHERE first_reply_ms BETWEEN 0 AND 30000)",
    "replied_180s": "count(*) FILTER (WHERE first_reply_ms BETWEEN 0 AND 180000)",
    "first_reply_ms": "sum(first_reply_ms) FILTER (WHERE first_reply_ms >= 0)",
    **{
        name: f"sum({name})"
        for name in ("turns", "turn_ms", "agent_messages", "customer_messages", "session_ms", "transferred_out", "invited")
    },
    "rated": "count(*) FILTER (WHERE rating > 0)",
    "satisfied": "count(*) FILTER (WHERE rating >= 4)",
    "very_satisfied": "count(*) FILTER (WHERE rating = 5)",
    "dissatisfied": "count(*) FILTER (WHERE rating BETWEEN 1 AND 2)",
    "very_dissatisfied": "count(*) FILTER (WHERE rating = 1)",
    "resolved": "count(*) FILTER (WHERE rating > 0 AND resolution = 2)",
    "unresolved": "count(*) FILTER (WHERE rating > 0 AND resolution = 0)",
    "presale_customers": "sum(presale)",
    "orders_24h": "sum(orders_24h)",
    "order_items_24h": "sum(items_24h)",
    "order_amount_24h": "sum(amount_24h)",
}
_PERCENTILES = {
    "duckdb": "quantile_disc(first_reply_ms, 0.9) FILTER (WHERE first_reply_ms >= 0)",
    "postgresql": "percentile_disc(0.9) WITHIN GROUP (ORDER BY first_reply_ms) FILTER (WHERE first_reply_ms >= 0)",
}
_LIMITS = {"duckdb": (4.0, 20.0), "postgresql": (50.0, 200.0)}
_NAMES = {"duckdb": "DuckDB", "postgresql": "PostgreSQL"}

Answer = dict[int, tuple[int, ...]]
"""Agent to counters in the order of _ASKED, the percentile in ms last."""
_ASKED = (*_COUNTS, *PRESENCE_FIELDS)


def question(kind: str, last: int) -> str:
    sums_ = ", ".join(f"{expression} AS {name}" for name, expression in _COUNTS.items())
    present = ", ".join(f"sum({name}) AS {name}" for name in PRESENCE_FIELDS)
    return (
        f"SELECT s.agent, {', '.join(_ASKED)}, p90 FROM (SELECT agent, {sums_}, {_PERCENTILES[kind]} AS p90 "
        f"FROM sessions WHERE day BETWEEN {FIRST_DAY} AND {last} GROUP BY agent) s "
        f"JOIN (SELECT agent, {present} FROM attendance WHERE day BETWEEN {FIRST_DAY} AND {last} GROUP BY agent) a ON a.agent = s.agent"
    )


class DuckDb:
    def __init__(self, folder: Path) -> None:
        self._connection = duckdb.connect(str(folder / "raw.duckdb"))
        for table, columns in (("sessions", RAW), ("attendance", ATTENDANCE)):
            self._connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} INTEGER' for name in columns)})")

    def add(self, table: str, columns: Columns) -> None:
        self._connection.register("incoming", {name: np.ascontiguousarray(values) for name, values in columns.items()})
        self._connection.execute(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM incoming")
        self._connection.unregister("incoming")

    def finish(self) -> None:
        self._connection.execute("CHECKPOINT")

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(question).fetchall()

    def close(self) -> None:
        self._connection.close()


class PostgreSql:
    def __init__(self, folder: Path) -> None:
        url = make_url(fresh("postgresql", folder)).set(drivername="postgresql")
        self._connection = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
        for table, columns in (("sessions", RAW), ("attendance", ATTENDANCE)):
            self._connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} integer' for name in columns)})")

    def add(self, table: str, columns: Columns) -> None:
        with self._connection.cursor() as cursor:
            copy_binary(cursor, table, columns, dict.fromkeys(columns, 23))

    def finish(self) -> None:
        self._connection.execute("VACUUM ANALYZE")

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(question).fetchall()

    def close(self) -> None:
        self._connection.close()


def run(quick: bool = False) -> list[Result]:
    size = QUICK if quick else FULL
    last = FIRST_DAY + size.days - 1
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        folder = Path(name)
        stores = {kind: Store(fresh(kind, folder), size, slots=False) for kind in TITLES}
        peers: dict[str, DuckDb | PostgreSql] = {"duckdb": DuckDb(folder), "postgresql": PostgreSql(folder)}
        try:
            for day in days(size):
                for peer in peers.values():
                    peer.add("sessions", {name: day.sessions[name] for name in RAW})
                    peer.add("attendance", day.attendance)
                for store in stores.values():
                    store.add(day)
            for each in (*stores.values(), *peers.values()):
                each.finish()
            for store in stores.values():
                for kind, peer in peers.items():
                    _agree(_counted(store, last), peer.ask(question(kind, last)))
            return [
                _race(size, last, title, stores[kind], against, peers[against], quick)
                for kind, title in TITLES.items()
                for against in peers
            ]
        finally:
            for store in stores.values():
                store.database.close()
            for peer in peers.values():
                peer.close()


def _race(size: Size, last: int, title: str, store: Store, against: str, peer: DuckDb | PostgreSql, quick: bool) -> Result:
    def ours() -> float:
        return _timed(lambda: _answered(store, last))

    def theirs() -> float:
        return _timed(lambda: peer.ask(question(against, last)))

    mine, other = paired(ours, theirs, 5 if quick else 7)
    must, aim = (None, None) if quick else _LIMITS[against]  # which are of the full size
    return Result(
        "compare",
        f"{title} store, {size.agents} agents × {size.days} days, {size.total / 1e6:.1f} M sessions",
        f"{mine * 1000:.0f} ms",
        f"{other * 1000:,.0f} ms ({_NAMES[against]}, raw sessions)",
        other / mine,
        f"{other / mine:.0f} ×",
        must,
        aim,
        at_least=True,
    )


def _timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _counted(store: Store, last: int) -> dict[int, Counts]:
    with store.database.read() as connection:
        found: dict[int, Counts] = sums(connection, Slice(store.id, FIRST_DAY, last), ("agent_id",), histograms=True)
    return found


def _answered(store: Store, last: int) -> dict[int, dict[str, float | int | None]]:
    return {agent: values(counts, HISTORY_METRICS) for agent, counts in _counted(store, last).items()}


def _agree(counted: dict[int, Counts], rows: list[tuple[Any, ...]]) -> None:
    """Raises AssertionError unless both say the same: all sums exactly, the percentile to the bin of the histogram."""
    assert len(rows) == len(counted)
    for agent, *said, p90 in rows:
        counts = counted[agent]
        assert [counts.get(name, 0) for name in _ASKED] == [int(value) for value in said], agent
        ours = METRICS["first_reply_p90"].value(counts)
        assert ours is not None
        edges = (0, *EDGES_MS)
        assert edges[bin_of(p90)] <= ours * 1000 <= edges[bin_of(p90) + 1], agent
