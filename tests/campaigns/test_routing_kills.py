"""At least a hundred SIGKILLs of the engine that routes, on each database: `pytest -m campaign tests/campaigns/test_routing_kills.py`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.database.routing_processes import kill_repeatedly
from tests.databases import fresh

KILLS = int(os.environ.get("KEFU_CAMPAIGN_KILLS", "120"))
_KILLS_A_ROUND = 20


@pytest.mark.campaign
def test_the_engine_killed_again_and_again(kind: str, tmp_path: Path) -> None:
    done = 0
    while done < KILLS:
        folder = tmp_path / str(done)
        folder.mkdir()
        kills = min(_KILLS_A_ROUND, KILLS - done)
        kill_repeatedly(fresh(kind, folder), kills, done, acts=120)
        done += kills
    print(f"\n{kind}: {done} kills of the engine")
    assert done >= KILLS
