"""What is kept from one look to the next equals what a first look finds, whatever happened in between."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text

from app.domain.permissions import local_owner
from app.services.live import LiveService
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.doctor import repair_counters
from tests.database.compare import record
from tests.oracle.streams import moment, random_place, random_stream, scramble


def assert_same(workspace: Workspace, kept: LiveService, at: int) -> None:
    (store,) = workspace.stores()
    fresh = LiveService(workspace)
    whole = fresh.overview(store, at=at)
    assert kept.overview(store, at=at) == whole
    for group in (None, *(group.id for group in whole.groups[:2])):
        for percentiles in (True, False):
            assert kept.seats(store, group, at, percentiles) == fresh.seats(store, group, at, percentiles)
        if group is not None:
            assert kept.overview(store, group, at) == fresh.overview(store, group, at)


@pytest.mark.parametrize("seed", range(4))
def test_after_every_batch_of_any_stream(database: Database, seed: int) -> None:
    zone, start = random_place(seed)
    events = random_stream(seed, 25, zone=zone, start=start)
    workspace = Workspace(database, local_owner())
    recorder, kept, latest = None, LiveService(workspace), 0
    for batch in scramble(events, seed, largest_batch=30):
        recorder = record(database, [batch], zone, recorder)
        latest = max(latest, *(moment(each["at"]) for each in batch))
        assert_same(workspace, kept, latest)
    # Time goes on where nothing happens: over thirty seconds, over midnight.
    for later in (1, 29_999, 30_001, 3_600_000, 86_400_000):
        assert_same(workspace, kept, latest + later)
    assert_same(workspace, kept, start)


def test_a_repair_is_seen_though_nobody_is_named(database: Database) -> None:
    events = random_stream(3, 20)
    record(database, [events], "Asia/Shanghai")
    workspace = Workspace(database, local_owner())
    (store,) = workspace.stores()
    kept, at = LiveService(workspace), next(moment(each["at"]) for each in events if each["type"] == "session.opened")
    with database.write() as connection:
        connection.execute(text("UPDATE agent_days SET consults = coalesce(consults, 0) + 1"))
    wrong = kept.seats(store, at=at)
    repair_counters(database, store.id)
    assert kept.seats(store, at=at) != wrong
    assert_same(workspace, kept, at)


def test_only_those_who_were_touched_are_read_again(database: Database) -> None:
    events = random_stream(4, 60)
    recorder = record(database, [events[:-1]], "Asia/Shanghai")
    workspace = Workspace(database, local_owner())
    (store,) = workspace.stores()
    kept, at = LiveService(workspace), max(moment(each["at"]) for each in events)
    everyone = len(kept.seats(store, at=at).rows)
    asked: list[set[int]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "agent_days" in statement:
            values = parameters.values() if isinstance(parameters, dict) else parameters
            asked.append(set(values))  # type: ignore[call-overload]

    event.listen(database.engine, "before_cursor_execute", note)
    kept.seats(store, at=at)
    assert asked == []
    record(database, [events[-1:]], "Asia/Shanghai", recorder)
    kept.seats(store, at=at)
    (once,) = asked
    assert 0 < len(once) < everyone
