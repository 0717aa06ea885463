"""What somebody would write who only wants the events in a database: a row each, one index, nothing counted.

`python -m benchmarks.raw KIND FILE WHERE` prints the seconds that inserting took; reading and parsing the file come before.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path

import psycopg

BATCH = 8_000
"""Rows of a transaction, as many as `ingest` takes."""
_COLUMNS = "id TEXT, store TEXT, type TEXT, at BIGINT, session TEXT, payload TEXT"
Row = tuple[str, str, str, int, str | None, str]


def rows_of(file: Path) -> list[Row]:
    rows: list[Row] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        rows.append((event["id"], event["store"], event["type"], event["at"], event.get("session"), line))
    return rows


def into_sqlite(rows: list[Row], path: str) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    # As durable as the product: write-ahead log, synced at checkpoints.
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536", "temp_store=MEMORY", "mmap_size=268435456"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute(f"CREATE TABLE events ({_COLUMNS})")
    connection.execute("CREATE INDEX ix_events_id ON events (id)")
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows[start : start + BATCH])
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took


def into_postgres(rows: list[Row], url: str) -> float:
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE events ({_COLUMNS})")
        connection.execute("CREATE INDEX ix_events_id ON events (id)")
        connection.commit()
        began = time.perf_counter()
        for start in range(0, len(rows), BATCH):
            with connection.cursor() as cursor, cursor.copy("COPY events FROM STDIN") as copy:
                for row in rows[start : start + BATCH]:
                    copy.write_row(row)
            connection.commit()
        return time.perf_counter() - began


def main() -> None:
    kind, file, where = sys.argv[1:]
    rows = rows_of(Path(file))
    print(into_sqlite(rows, where) if kind == "sqlite" else into_postgres(rows, where))


if __name__ == "__main__":
    main()
