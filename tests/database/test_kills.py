"""Killed at any moment: what was acknowledged is there, nothing counts twice, the database opens. The long run is in tests/campaigns."""

from __future__ import annotations

from pathlib import Path

from tests.database.processes import assert_exact, kill_repeatedly, race
from tests.oracle.streams import random_place, random_stream, scramble


def test_killed_while_recording(url: str, tmp_path: Path) -> None:
    zone, start = random_place(1)
    events = [event for batch in scramble(random_stream(1, 60, zone=zone, start=start), 1) for event in batch]
    kill_repeatedly(url, tmp_path, events, zone, kills=3, seed=1)


def test_two_processes_at_once(url: str, tmp_path: Path) -> None:
    """Neither waits for the other to finish; both create the database, the store and everyone in it at the same moment."""
    zone, start = random_place(2)
    events = [event for batch in scramble(random_stream(2, 50, zone=zone, start=start), 2) for event in batch]
    race(url, tmp_path, events, zone, batch=25, seed=2)
    assert_exact(url, events, zone)
