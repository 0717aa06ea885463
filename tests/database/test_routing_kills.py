"""Engines killed at any moment, and replaced: nothing is lost, nothing is given twice. The long run is in tests/campaigns."""

from __future__ import annotations

import os
import time
from threading import Event, Timer

import pytest

from app.storage.database import waiting_until
from tests.database.routing_processes import EngineProcess, Source, in_the_middle_of_a_turn, kill_repeatedly

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
TAKEOVER_SECONDS = 5.0


def test_killed_while_routing(url: str) -> None:
    kill_repeatedly(url, kills=3, seed=1)


def test_another_engine_takes_over(url: str) -> None:
    source = Source(url, 2)
    first = EngineProcess(url)
    first.wait_for("shop")
    second = EngineProcess(url)
    for _ in range(60):
        source.act()
    assert not second.owned
    first.kill()
    killed = time.monotonic()
    source.arrive()
    second.wait_for("shop", seconds=TAKEOVER_SECONDS)
    source.settle(TAKEOVER_SECONDS)
    assert time.monotonic() - killed < TAKEOVER_SECONDS
    for _ in range(40):
        source.act()
    source.settle()
    second.end()
    source.check_all()
    source.close()


def test_another_engine_takes_over_from_one_that_hangs(url: str) -> None:
    """And when that one goes on after all, nothing is given twice."""
    if url.startswith("sqlite"):
        pytest.skip("the locks of a local file are the operating system's: they are free when the process has ended")
    source = Source(url, 3)
    first = EngineProcess(url)
    first.wait_for("shop")
    second = EngineProcess(url)
    for _ in range(40):
        source.act()
    source.settle()
    first.freeze()
    frozen = time.monotonic()
    try:
        source.arrive()
        second.wait_for("shop", seconds=TAKEOVER_SECONDS)
        source.settle(TAKEOVER_SECONDS)
        assert time.monotonic() - frozen < TAKEOVER_SECONDS
        for _ in range(20):
            source.act()
    finally:
        first.thaw()
    for _ in range(40):
        source.act()
    source.settle()
    first.end()
    second.end()
    source.check_all()
    source.close()


def test_nor_does_one_hold_the_others_up_that_hangs_in_the_middle_of_a_turn(url: str) -> None:
    """The server gives it the store's lock, and it never lets go of it."""
    if url.startswith("sqlite"):
        pytest.skip("the lock of a local file's writer is the operating system's")
    source = Source(url, 4)
    first = EngineProcess(url)
    first.wait_for("shop")
    second = EngineProcess(url)
    source.settle()
    with in_the_middle_of_a_turn(source):
        first.freeze()
    frozen = time.monotonic()
    try:
        with waiting_until(late := Event()):
            timer = Timer(TAKEOVER_SECONDS, late.set)
            timer.start()
            source.arrive()
            timer.cancel()
        second.wait_for("shop", seconds=TAKEOVER_SECONDS)
        source.settle(TAKEOVER_SECONDS)
        assert time.monotonic() - frozen < TAKEOVER_SECONDS
    finally:
        first.thaw()
    for _ in range(20):
        source.act()
    source.settle()
    first.end()
    second.end()
    source.check_all()
    source.close()


def test_engines_share_the_stores_of_a_server(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("one computer gains nothing from sharing: whoever comes first has all")
    stores = [f"shop{n}" for n in range(4)]
    sources = [Source(url, n, store) for n, store in enumerate(stores)]
    first = EngineProcess(url)
    first.wait_for(*stores)
    second = EngineProcess(url)
    with second.changed:
        assert second.changed.wait_for(lambda: len(second.owned) == 2, 15)
    with first.changed:
        assert first.changed.wait_for(lambda: first.owned == set(stores) - second.owned, 5)
    for source in sources:
        source.arrive()
        source.settle()
    first.kill()
    second.wait_for(*stores, seconds=TAKEOVER_SECONDS)
    second.end()
    for source in sources:
        source.close()
