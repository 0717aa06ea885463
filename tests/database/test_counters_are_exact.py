"""At any moment, for any stream, counters = an independent recomputation from the events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from tests.database.compare import expected, record, stored
from tests.databases import prepared
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
        database = Database(prepared("sqlite", tmp_path_factory.mktemp("property")))
        try:
            record(database, data.draw(batches(events)), zone)
            assert_equal(database, events, zone)
        finally:
            database.close()


def test_an_id_said_again_changes_nothing_whatever_it_says(database: Database) -> None:
    noon = 1_709_092_800_000
    first = {"type": "session.opened", "id": "1", "at": noon, "session": "s", "customer": "c", "agent": "a"}
    wrote = {"type": "message.sent", "id": "2", "at": noon + 1000, "session": "s", "sender": "customer", "text": "在吗"}
    changed = {**wrote, "at": noon + 3_600_000, "session": "other", "text": "不一样"}
    recorder = record(database, [[first, wrote, {**changed, "at": noon + 5}]], "Asia/Shanghai")
    before = stored(database)
    record(database, [[changed], [{**first, "customer": "d"}]], "Asia/Shanghai", recorder)
    record(database, [[changed]], "Asia/Shanghai", Recorder(database, open_store(database, "shop")))
    assert stored(database) == before


@pytest.mark.parametrize("heard_first", ["a", "b"])
def test_of_two_assignments_in_one_millisecond_not_the_order_of_arrival_decides(database: Database, heard_first: str) -> None:
    """Ids tell who was heard of first; sources that stamp whole seconds make such ties."""
    noon = 1_709_092_800_000
    known = [{"type": "agent.presence", "id": f"p{agent}", "at": noon - 1, "agent": agent, "state": "away"} for agent in "ab"]
    events = [
        {"type": "session.opened", "id": "1", "at": noon, "session": "s", "customer": "c"},
        {"type": "session.assigned", "id": "2", "at": noon + 1000, "session": "s", "agent": "a"},
        {"type": "session.assigned", "id": "3", "at": noon + 1000, "session": "s", "agent": "b"},
        {"type": "message.sent", "id": "4", "at": noon + 2000, "session": "s", "sender": "customer"},
    ]
    record(database, [known if heard_first == "a" else known[::-1]], "Asia/Shanghai")
    record(database, [[known[0 if heard_first == "a" else 1]], events], "Asia/Shanghai")
    slots, _, _ = stored(database)
    owners = [key.agent for key, counts in slots.items() if counts.get("consults")]
    assert owners == ["a"]
