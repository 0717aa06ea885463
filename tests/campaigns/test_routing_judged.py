"""Many lives of a store under the judge: `pytest -m campaign tests/campaigns/test_routing_judged.py`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.storage.database import Database
from tests.database.test_routing_judged import live
from tests.databases import prepared

LIVES = int(os.environ.get("KEFU_CAMPAIGN_LIVES", "500"))


@pytest.mark.campaign
def test_the_judge_finds_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.desk.turn.LATE_MS", 10**15)  # nobody waits for a file to be fed in
    database = Database(prepared(kind, tmp_path))
    live(database, LIVES)
    database.close()
