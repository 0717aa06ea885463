"""What a store with all its transcripts takes on disk, against the NDJSON that made it.

SQLite: the file after a checkpoint, as it is. PostgreSQL: what the database has grown by since it was made, as it is.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sqlalchemy import text

from app.domain.permissions import local_owner
from app.services.ingest import Ingest
from app.storage.database import Database
from benchmarks import streams
from benchmarks.harness import Result
from benchmarks.stores import TITLES, fresh


def run(quick: bool = False) -> list[Result]:
    found: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        folder = Path(name)
        stream = streams.write(folder, 2 if quick else 10)
        for kind, title in TITLES.items():
            taken = _fill(fresh(kind, folder), stream, folder)
            ratio = taken / stream.bytes
            found.append(
                Result(
                    "size",
                    f"{title}, {stream.sessions:,} sessions with transcripts, orders, counters",
                    f"{taken / stream.sessions:,.0f} bytes a session",
                    f"{stream.bytes / stream.sessions:,.0f} bytes a session (NDJSON)",
                    ratio,
                    f"{ratio:.2f} ×",
                    0.8,
                    0.4,
                )
            )
    return found


def _fill(url: str, stream: streams.Stream, folder: Path) -> int:
    """Bytes that the stream has made of an empty store."""
    database = Database(url)
    before = 0 if database.is_sqlite else _size(database)
    descriptor = os.open(stream.path, os.O_RDONLY)
    try:
        summary = Ingest(database, local_owner(), None, "Asia/Shanghai", folder / "rejected.ndjson").run(descriptor)
        assert summary.applied == stream.events
        if not database.is_sqlite:
            return _size(database) - before
    finally:
        os.close(descriptor)
        database.close()  # the last connection of a local file leaves no log behind
    assert database.path is not None
    return database.path.stat().st_size


def _size(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar() or 0)
