"""What a store with all its transcripts takes on disk, against the NDJSON that made it, without and with the index for searching in them.

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
            bare, indexed = _fill(fresh(kind, folder), stream, folder)
            for taken, what in ((bare, ""), (indexed, ", the search index")):
                ratio = taken / stream.bytes
                found.append(
                    Result(
                        "size",
                        f"{title}, {stream.sessions:,} sessions with transcripts, orders, counters{what}",
                        f"{taken / stream.sessions:,.0f} bytes a session",
                        f"{stream.bytes / stream.sessions:,.0f} bytes a session (NDJSON)",
                        ratio,
                        f"{ratio:.2f} ×",
                        0.8,
                        0.4,
                    )
                )
    return found


def _fill(url: str, stream: streams.Stream, folder: Path) -> tuple[int, int]:
    """Bytes that the stream has made of an empty store, before and after it is indexed."""
    database = Database(url)
    before = 0 if database.is_sqlite else _size(database)
    descriptor = os.open(stream.path, os.O_RDONLY)
    try:
        ingest = Ingest(database, local_owner(), None, "Asia/Shanghai", folder / "rejected.ndjson")
        assert ingest.run(descriptor).applied == stream.events
        bare = _size(database) - before
        ingest.index()
        return bare, _size(database) - before
    finally:
        os.close(descriptor)
        database.close()


def _size(database: Database) -> int:
    if database.path is not None:
        with database.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return database.path.stat().st_size
    with database.read() as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar() or 0)
