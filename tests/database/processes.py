"""Feeding processes, started, raced and killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.storage.database import Database
from app.storage.packing import unpack_messages
from tests.database.compare import expected, stored
from tests.oracle.recompute import recompute
from tests.oracle.streams import ndjson

Event = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


def feed(url: str, file: Path, zone: str, batch: int, seed: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.database.feeder", url, str(file), zone, str(batch), str(seed), *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(*feeders: subprocess.Popen[str]) -> None:
    """Waits for all of them; each must end well."""
    readers = [threading.Thread(target=feeder.communicate) for feeder in feeders]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert [feeder.returncode for feeder in feeders] == [0] * len(feeders)


def race(url: str, folder: Path, events: list[Event], zone: str, batch: int, seed: int, writers: int = 2) -> None:
    """Several processes record the events at the same time, each its share of the batches."""
    file = folder / f"{seed}.ndjson"
    file.write_bytes(ndjson(events))
    finish(*(feed(url, file, zone, batch, seed, "--share", f"{i}/{writers}") for i in range(writers)))


def assert_exact(url: str, events: list[Event], zone: str) -> None:
    """The database says exactly what these events come to."""
    database = Database(url)
    try:
        assert_holds(database, events, zone)
    finally:
        database.close()


def assert_holds(database: Database, events: list[Event], zone: str) -> None:
    slots, days, credits = stored(database)
    wanted_slots, wanted_days, wanted_credits = expected(recompute(events, zone))
    assert slots == wanted_slots
    assert days == wanted_days
    assert credits == wanted_credits
    messages = {event["id"] for event in events if event["type"] == "message.sent"}
    with database.read() as connection:
        transcripts = connection.execute(text("SELECT messages FROM transcripts")).scalars()
        assert sum(len(unpack_messages(packed)) for packed in transcripts) == len(messages)
        log = connection.execute(text("SELECT count(*), max(revision) FROM changes")).one()
        revision = connection.execute(text("SELECT max(revision) FROM stores")).scalar()
    assert log == (revision or 0, revision or None) or (revision or 0) > 5000


def kill_repeatedly(url: str, folder: Path, events: list[Event], zone: str, kills: int, seed: int, batch: int = 40) -> int:
    """Kills a feeding process again and again, each time going on where it was, and looks after each at what is there.

    Returns how many kills came between a commit and its acknowledgement. The last process is left to finish.
    """
    rng = random.Random(seed)
    file = folder / "feed.ndjson"
    file.write_bytes(ndjson(events))
    begun = durable = unheard = 0
    for number in range(kills):
        assert durable < len(events), "more events are needed for so many kills"
        # A little of what is known to be durable is said again: a source that was killed does not know where exactly it was.
        feeder = feed(url, file, zone, batch, seed, "--from", str(max(0, durable - rng.randrange(2 * batch))))
        assert feeder.stdout is not None
        patience = rng.randrange(1, 6)
        for line in feeder.stdout:
            word, _, count = line.partition(" ")
            begun = max(begun, int(count))
            if word == "ack":
                durable = max(durable, int(count))
            patience -= word == "begin"
            if patience <= 0:
                time.sleep(rng.random() ** 2 * 0.06)
                break
        os.kill(feeder.pid, signal.SIGKILL)
        # What it still managed to say counts as said.
        for line in feeder.stdout.read().splitlines(keepends=True):
            word, _, count = line.partition(" ")
            if line.endswith("\n"):
                begun = max(begun, int(count))
                if word == "ack":
                    durable = max(durable, int(count))
        feeder.wait()
        database = Database(url)
        try:
            if not database.is_sqlite:
                _gone(database, feeder.pid)
            held = _durable(database)
            allowed = {len({event["id"] for event in events[:n]}): n for n in (durable, begun)}
            assert held in allowed, f"kill {number}: {held} events are there, {durable} lines acknowledged, {begun} begun"
            unheard += allowed[held] > durable
            durable = max(durable, allowed[held])
            assert_holds(database, events[:durable], zone)
        finally:
            database.close()
    finish(feed(url, file, zone, batch, seed))
    assert_exact(url, events, zone)
    return unheard


def _durable(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT sum(length(keys)) / 8 FROM seen_events")).scalar() or 0)


def _gone(database: Database, pid: int) -> None:
    """Waits until the server has noticed that its client is no more: a COMMIT it has received is still carried out."""
    name = f"kefu-manager {pid} %"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with database.read() as connection:
            if not connection.execute(
                text("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE :name"), {"name": name}
            ).scalar():
                return
        time.sleep(0.01)
    raise AssertionError("the server still serves a client that was killed")
