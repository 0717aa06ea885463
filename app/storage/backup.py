"""Copies of a local database beside it, the newest seven."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from pathlib import Path

from app.storage.database import Database
from app.storage.faults import explain

KEPT = 7
_EVERY_SECONDS = 86_400


def back_up(database: Database) -> Path:
    """Copies a local database, as a consistent snapshot, into `backups/` beside it; the newest `KEPT` copies stay.

    Others may go on writing meanwhile. Raises FaultError when the copy cannot be written; then nothing is left of it.
    """
    path = database.path
    assert path is not None
    folder = path.parent / "backups"
    target = folder / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}"
    # Two processes may start a copy in the same second.
    partial = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        folder.mkdir(exist_ok=True)
        for left_over in folder.glob("*.partial"):
            if time.time() - left_over.stat().st_mtime > _EVERY_SECONDS:
                left_over.unlink()
        held = database.engine.raw_connection()
        try:
            held.cursor().execute("VACUUM INTO ?", (str(partial),))
        finally:
            held.close()
        partial.replace(target)
        for old in copies(database)[:-KEPT]:
            if old != target:
                old.unlink()
    except Exception as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise explain(error) or error from error
    return target


def backup_if_due(database: Database) -> Path | None:
    """A day's copy of a local database, unless there is one from the last 24 hours; None when there was nothing to do."""
    if database.path is None:
        return None
    newest = max((copy.stat().st_mtime for copy in copies(database)), default=0.0)
    if abs(time.time() - newest) < _EVERY_SECONDS:  # a copy from the future means that the clock was wrong: make a new one
        return None
    return back_up(database)


def copies(database: Database) -> list[Path]:
    """The copies there are, oldest first."""
    path = database.path
    assert path is not None
    name = re.compile(rf"{re.escape(path.stem)}-\d{{8}}-\d{{6}}{re.escape(path.suffix)}")
    folder = path.parent / "backups"
    return sorted(found for found in folder.iterdir() if name.fullmatch(found.name)) if folder.is_dir() else []
