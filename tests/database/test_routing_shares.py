"""Ten thousand customers through the engine: each agent gets what their weight says."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.storage.database import Database
from tests.database.routed_store import RoutedStore, group

WEIGHTS = {"a": 10, "b": 6, "c": 3, "d": 1, "e": 0}


@pytest.mark.parametrize(("sessions", "a_batch", "restarts"), [(10_000, 1_000, False), (1_000, 100, True)])
def test_shares_are_within_one_percent_of_the_weights(database: Database, sessions: int, a_batch: int, restarts: bool) -> None:
    store = RoutedStore(database, group("g", WEIGHTS), here="abcde")
    for start in range(0, sessions, a_batch):
        store.say(*(event for number in range(start, start + a_batch) for event in store.arrival(f"t{number}")))
        if restarts:
            store.restart()
    with database.read() as connection:
        rows = connection.execute(text("SELECT a.code, count(*) AS n FROM decisions d JOIN agents a ON a.id = d.agent_id GROUP BY a.code"))
        given: dict[str, int] = {row.code: row.n for row in rows}
    assert sum(given.values()) == sessions
    for agent, weight in WEIGHTS.items():
        assert abs(given.get(agent, 0) / sessions - weight / sum(WEIGHTS.values())) <= 0.01, given
