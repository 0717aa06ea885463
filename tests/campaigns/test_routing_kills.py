"""At least a hundred SIGKILLs of the engine that routes, on each database: `pytest -m campaign tests/campaigns/test_routing_kills.py`."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.database.routing_processes import EngineProcess, Source, kill_repeatedly
from tests.databases import fresh

KILLS = int(os.environ.get("KEFU_CAMPAIGN_KILLS", "120"))
_KILLS_A_ROUND = 20
TIMES = int(os.environ.get("KEFU_CAMPAIGN_TAKEOVERS", "10"))
TAKEOVER_SECONDS = 5.0
_STORES = 20


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


@pytest.mark.campaign
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("end", [EngineProcess.kill, EngineProcess.freeze])
def test_many_stores_are_taken_over_as_quickly_as_one(end: Callable[[EngineProcess], None], tmp_path: Path) -> None:
    """From the end of one of two engines that share them to a decision in every store."""
    took = sorted(_take_over(fresh("postgresql", tmp_path), end) for _ in range(TIMES))
    print(f"\n{took[0]:.2f} s, median {statistics.median(took):.2f} s, at most {took[-1]:.2f} s")
    assert took[-1] < TAKEOVER_SECONDS


def _take_over(url: str, end: Callable[[EngineProcess], None]) -> float:
    sources = [Source(url, number, f"shop{number}") for number in range(_STORES)]
    first = EngineProcess(url)
    first.wait_for(*(source.code for source in sources))
    second = EngineProcess(url)
    with second.changed:
        assert second.changed.wait_for(lambda: len(second.owned) == _STORES // 2, 30)
    for source in sources:
        source.settle()
    end(first)
    ended = time.monotonic()
    for source, session in [(source, source.arrive()) for source in sources]:
        source.wait_for_decision(session)
    took = time.monotonic() - ended
    if first.process.returncode is None:
        first.thaw()
        first.end()
    second.end()
    for source in sources:
        source.check()
        source.close()
    return took
