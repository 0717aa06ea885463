"""The desk sends the reports that are due. Several engines on one database send each of them once."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from app.domain.permissions import local_owner
from app.storage.database import Database


def send_due(database: Database, store: str, stop: Event | None = None) -> list[Path]:
    """Writes what is due in a store (code) and returns the files. What fails is remembered with its report; raises FaultError only where
    the database itself cannot be used.
    """
    from app.services.workspace import Workspace  # the services are loaded when there is something to send, not when the engine starts

    workspace = Workspace(database, local_owner())
    return workspace.saved.send_due(workspace.store(store), stop=stop)
