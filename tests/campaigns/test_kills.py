"""At least a hundred SIGKILLs on each database: `pytest -m campaign tests/campaigns/test_kills.py`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.database.processes import kill_repeatedly
from tests.databases import fresh
from tests.oracle.streams import random_place, random_stream, scramble

KILLS = int(os.environ.get("KEFU_CAMPAIGN_KILLS", "120"))
_KILLS_A_ROUND = 20


@pytest.mark.campaign
def test_killed_again_and_again(kind: str, tmp_path: Path) -> None:
    unheard = done = 0
    for seed in range(-(-KILLS // _KILLS_A_ROUND)):
        zone, start = random_place(seed)
        events = [event for batch in scramble(random_stream(seed, 260, zone=zone, start=start, customers=30), seed) for event in batch]
        folder = tmp_path / str(seed)
        folder.mkdir()
        kills = min(_KILLS_A_ROUND, KILLS - done)
        unheard += kill_repeatedly(fresh(kind, folder), folder, events, zone, kills, seed)
        done += kills
    print(f"\n{kind}: {done} kills, {unheard} of them between a commit and its acknowledgement")
    assert done >= KILLS
