"""At any moment, for any stream, counters = an independent recomputation from the events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from tests.database.compare import expected, record, stored
from tests.oracle.recompute import recompute
from tests.oracle.streams import batches, places, random_place, random_stream, scramble, streams


def assert_equal(database: Database, events: list[dict[str, Any]], zone: str) -> None:
    slots, days, credits = stored(database)
    wanted_slots, wanted_days, wanted_credits = expected(recompute(events, zone))
    assert slots == wanted_slots
    assert days == wanted_days
    assert credits == wanted_credits


@pytest.mark.parametrize("seed", range(6))
def test_a_stream_shuffled_repeated_and_cut(database: Database, seed: int) -> None:
    zone, start = random_place(seed)
    events = random_stream(seed, 40, zone=zone, start=start)
    record(database, scramble(events, seed), zone)
    assert_equal(database, events, zone)


def test_every_prefix_is_exact(database: Database) -> None:
    zone, start = places()[0]
    events = random_stream(11, 12, zone=zone, start=start)
    recorder = None
    so_far: list[dict[str, Any]] = []
    for batch in scramble(events, 11, largest_batch=25):
        recorder = record(database, [batch], zone, recorder)
        so_far += batch
        assert_equal(database, so_far, zone)


def test_two_recorders_taking_turns(database: Database) -> None:
    """A recorder must notice that another has moved the store on, and forget what it had cached."""
    zone = "Asia/Shanghai"
    events = random_stream(5, 40, zone=zone)
    store = open_store(database, "shop", zone)
    recorders = [Recorder(database, store), Recorder(database, store)]
    for i, batch in enumerate(scramble(events, 5)):
        record(database, [batch], zone, recorders[i % 2])
    assert_equal(database, events, zone)


def test_feeding_everything_again_changes_nothing(database: Database) -> None:
    events = random_stream(8, 30)
    recorder = record(database, [events], "Asia/Shanghai")
    before = stored(database)
    record(database, scramble(events, 1), "Asia/Shanghai", recorder)
    assert stored(database) == before


class TestProperty:
    """hypothesis over small nasty streams; one database serves all examples, each in a store of its own."""

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(data=st.data())
    def test_any_stream_in_any_batches(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        zone, start = data.draw(st.sampled_from(places()))
        events = data.draw(streams(start))
        database = Database(f"sqlite:///{tmp_path_factory.mktemp('property') / 'store.db'}")
        try:
            record(database, data.draw(batches(events)), zone)
            assert_equal(database, events, zone)
        finally:
            database.close()
