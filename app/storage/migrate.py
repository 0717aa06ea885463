"""Brings an older schema to the newest with Alembic; the only place that imports it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from app.storage.database import Database

_SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"


def config(database: Database) -> Config:
    """Alembic's configuration for this database; scripts find the open engine in its attributes."""
    made = Config()
    made.set_main_option("script_location", str(_SCRIPTS))
    made.attributes["database"] = database
    return made


def upgrade(database: Database) -> None:
    """To the newest revision, in one transaction. A local file is copied to `backups/` beside it first."""
    if database.path is not None:
        back_up(database)
    command.upgrade(config(database), "head")


def back_up(database: Database, keep: int = 7) -> Path:
    """Copies a local database, as a consistent snapshot, into `backups/` beside it; the newest `keep` stay."""
    path = database.path
    assert path is not None
    folder = path.parent / "backups"
    folder.mkdir(exist_ok=True)
    target = folder / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}"
    partial = target.with_suffix(target.suffix + ".partial")
    partial.unlink(missing_ok=True)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM INTO ?", (str(partial),))
    shutil.move(partial, target)
    for old in sorted(folder.glob(f"{path.stem}-*{path.suffix}"))[:-keep]:
        old.unlink()
    return target
