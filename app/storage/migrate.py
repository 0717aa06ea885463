"""Brings an older schema to the newest with Alembic; the only place that imports it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.storage.backup import back_up

if TYPE_CHECKING:
    from app.storage.database import Database

_SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
_one_at_a_time = threading.Lock()
"""Alembic hands its context to the scripts through module globals."""


def config(database: Database) -> Config:
    """Alembic's configuration for this database; the scripts find it in its attributes."""
    made = Config()
    made.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    made.attributes["database"] = database
    return made


def upgrade(database: Database) -> None:
    """To the newest revision, in one transaction. A local file is copied to `backups/` beside it first.

    Several may try at the same time: one does it, the others wait and find it done.
    """
    with _one_at_a_time:
        settings = config(database)
        if database.schema_revision() == ScriptDirectory.from_config(settings).get_current_head():
            return
        if database.path is not None:
            back_up(database)
        command.upgrade(settings, "head")


@contextmanager
def transaction(database: Database) -> Iterator[Connection]:
    """The transaction that migrations run in: nobody else changes the schema meanwhile, and nothing is kept if they fail."""
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if database.is_sqlite:
            # A table is changed by copying and dropping it, which must not take its children along; too late once a transaction is open.
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.execution_options(write=True).begin():
                if not database.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(7310)"))
                yield connection
                if database.is_sqlite and (orphans := connection.execute(text("PRAGMA foreign_key_check")).all()):
                    raise RuntimeError(f"the migration left rows without their parents: {orphans[:3]}")
        finally:
            if database.is_sqlite:
                driver.execute("PRAGMA foreign_keys=ON")
