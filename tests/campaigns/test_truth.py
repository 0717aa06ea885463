"""Counters equal an independent recomputation, over many seeds and zones and with two processes writing at once.

`pytest -m campaign tests/campaigns/test_truth.py`; KEFU_CAMPAIGN_EVENTS is how many events each database gets.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from app.storage.database import Database
from app.storage.doctor import examine
from tests.database.processes import assert_holds, race
from tests.databases import fresh
from tests.oracle.streams import random_place, random_stream, scramble

EVENTS = int(os.environ.get("KEFU_CAMPAIGN_EVENTS", "1000000"))


@pytest.mark.campaign
def test_any_stream_with_two_writers(kind: str, tmp_path: Path) -> None:
    done, seed, began = 0, 0, time.monotonic()
    while done < EVENTS:
        seed += 1
        rng = random.Random(seed)
        zone, start = random_place(seed)
        sessions = rng.choice((200, 1000, 3000))
        stream = random_stream(
            seed, sessions, zone=zone, start=start, days=rng.choice((1, 4, 20)), agents=rng.choice((5, 15)), customers=max(8, sessions // 6)
        )
        events = [event for batch in scramble(stream, seed) for event in batch]
        url = fresh(kind, tmp_path)
        race(url, tmp_path, events, zone, rng.choice((50, 500, 5000)), seed)
        database = Database(url)
        assert_holds(database, events, zone)
        assert [finding for finding in examine(database) if finding.level == "fault"] == []
        if database.path is not None:
            database.close()
            for file in tmp_path.glob("store.db*"):
                file.unlink()
        database.close()
        done += len(events)
        print(f"{kind} seed {seed} {zone}: {len(events)} events, {done} so far, {done / (time.monotonic() - began):.0f}/s", flush=True)
    assert done >= EVENTS
