"""At any moment, for any stream, counters = an independent recomputation from the events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.storage import recorder as recorder_module
from app.storage import trade
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


def test_counters_written_in_several_goes_are_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a batch that speaks of years are."""
    monkeypatch.setattr(recorder_module, "_MOST_COUNTED", 40)
    zone, start = random_place(21)
    events = random_stream(21, 40, zone=zone, start=start)
    record(database, scramble(events, 21), zone)
    assert_equal(database, events, zone)


@pytest.mark.parametrize("ordering", [False, True])
def test_one_customer_of_many_sessions(database: Database, ordering: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a source has one code for all that are nobody in particular, a batch reads what it may change, not all of them."""
    day, start = 86_400_000, 1_741_000_000_000

    def said(number: int, at: int) -> list[dict[str, Any]]:
        common = {"v": 1, "store": "shop", "session": f"s{number}"}
        return [
            {**common, "type": "session.opened", "id": f"o{number}", "at": at, "customer": "anybody", "kind": "online", "channel": "app",
             "agent": f"a{number % 3}"},
            {**common, "type": "message.sent", "id": f"q{number}", "at": at + 1_000, "sender": "customer", "content": "text", "text": "?"},
            {**common, "type": "message.sent", "id": f"r{number}", "at": at + 9_000, "sender": "agent", "agent": f"a{number % 3}",
             "content": "text", "text": "!"},
        ]  # fmt: skip

    def placed(number: int, at: int) -> dict[str, Any]:
        lines = [{"sku": "x", "quantity": 1, "amount_fen": 100}]
        return {"v": 1, "store": "shop", "type": "order.placed", "id": f"p{number}", "at": at, "order": f"p{number}",
                "customer": "anybody", "lines": lines}  # fmt: skip

    history = [event for number in range(60) for event in said(number, start + number * day // 2)]
    history += [placed(number, start + (3 * number + 1) * day) for number in range(6)]
    recorder = record(database, [history], "Asia/Shanghai")
    read: list[int] = []
    load = trade.load_sessions

    def counted(*where: Any) -> Any:
        found = list(load(*where))
        read.append(len(found))
        return found

    monkeypatch.setattr(trade, "load_sessions", counted)
    more = said(60, start + 24 * day) + ([placed(9, start + 24 * day + 60_000)] if ordering else [])
    record(database, [more], "Asia/Shanghai", recorder)
    assert_equal(database, [*history, *more], "Asia/Shanghai")
    assert sum(read) == 60 if ordering else 0 < sum(read) < 12
