"""An engine of many stores takes and gives them up as quickly as one of few."""

from __future__ import annotations

import threading

import pytest

from app.desk.routing import Routing
from app.desk.serving import Desk
from app.storage.database import Database
from app.storage.recorder import open_store

STORES = 20
_PATIENCE = 10.0


def test_all_stores_are_told_to_end_before_any_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what each of them takes would add up, and others would take an engine for hung that is busy parting."""
    codes = {open_store(database, f"shop{n}") for n in range(STORES)}
    begun, told = threading.Semaphore(0), threading.Barrier(STORES)

    def run(_: Routing, stop: threading.Event) -> None:
        begun.release()
        stop.wait()
        told.wait(_PATIENCE)  # for all the others

    monkeypatch.setattr(Routing, "run", run)
    parted: list[bool] = []
    desk = Desk(database, on_store=lambda _, owned: None if owned else parted.append(told.broken or bool(told.n_waiting)))
    thread = threading.Thread(target=desk.run)
    thread.start()
    try:
        for _ in codes:
            assert begun.acquire(timeout=_PATIENCE)
    finally:
        desk.stop()
        thread.join(_PATIENCE)
    assert parted == [False] * STORES
