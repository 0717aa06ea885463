"""Imports and their undoing while an engine records: neither waits in vain, neither takes anything from the other."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.domain.events import decode
from app.domain.permissions import local_owner
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder
from tests.database.imports import assert_sound
from tests.database.processes import assert_exact
from tests.exports import csv_file
from tests.oracle.streams import random_stream

ZONE = "Asia/Shanghai"
FIRST = date(2024, 2, 26)
"""Two days before the events begin."""


@pytest.mark.parametrize("seed", [3, 4])
def test_neither_loses_anything(url: str, tmp_path: Path, seed: int) -> None:
    events = random_stream(seed, 60)
    agents = sorted({event["agent"] for event in events if event.get("agent")})[:2]
    rows = [[agent, f"{FIRST + timedelta(n)}", 20 + n, 19] for agent in (*agents, "小雨") for n in range(8)]
    files = [csv_file(tmp_path / f"{n}.csv", [["客服", "日期", "咨询量", "接待量"], *rows[n:]]) for n in range(2)]
    workspace = Workspace.open(url, local_owner())
    workspace.create_store("shop", "shop")
    store = workspace.store("shop")
    recorded, failed, enough = 0, list[BaseException](), threading.Event()
    batches = [events[at : at + 12] for at in range(0, len(events), 12)]

    def record() -> None:
        nonlocal recorded
        database = Database(url)
        try:
            recorder = Recorder(database, store.id)
            for number, batch in enumerate(batches):
                if number == len(batches) - 5:
                    assert enough.wait(60)  # however fast it is, some are left to be recorded beside the last import
                recorder.record([decode(json.dumps(event).encode()) for event in batch])
                recorded += 1
        except BaseException as error:
            failed.append(error)
        finally:
            database.close()

    engine = threading.Thread(target=record)
    engine.start()
    held: list[int] = []
    seen: set[int] = set()
    rounds = 0
    try:
        while engine.is_alive():
            mixed = workspace.imports.run(workspace.imports.preview(files[rounds % 2], store), mix=rounds % 3 != 0)
            held.append(mixed.id)
            if rounds % 2:
                workspace.imports.undo(store, held.pop(0))
            seen.add(recorded)
            rounds += 1
            if rounds >= 4:
                enough.set()
    finally:
        enough.set()
        engine.join()
    assert failed == []
    assert len(seen) > 1  # they were at it at the same time
    assert held
    assert_sound(url)
    for number in held:
        workspace.imports.undo(store, number)
    workspace.close()
    assert_exact(url, events, ZONE)
