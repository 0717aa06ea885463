"""Whether one of the agents chosen for leave messages has been there by the set hour, on both databases."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.events import AgentPresence
from app.domain.localtime import LocalTime
from app.domain.permissions import local_owner
from app.services.leave_cover import uncovered
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store

BERLIN = "Europe/Berlin"


def moment(text: str, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN), fold=fold).timestamp() * 1000)


class Shop:
    """A store in which leave messages go to `a` and `b`, and one of them is to come by `alert_at`."""

    def __init__(self, database: Database, alert_at: str = "10:00") -> None:
        self.database = database
        self.store = open_store(database, "shop", BERLIN)
        self.recorder = Recorder(database, self.store)
        self.number = 0
        self.saves(leave_rule={"on": True, "agents": ["a", "b"], "alert_at": alert_at})

    def saves(self, **documents: Any) -> None:
        workspace = Workspace(self.database, local_owner())
        workspace.settings.save_all(workspace.store("shop"), {key: (body, None) for key, body in documents.items()})

    def turns(self, agent: str, state: Any, when: str) -> None:
        self.number += 1
        self.recorder.record([AgentPresence(id=str(self.number), at=moment(when), agent=agent, state=state)])

    def uncovered(self, when: str | int) -> tuple[int, int] | None:
        with self.database.read() as connection:
            return uncovered(connection, self.store, LocalTime(BERLIN), when if isinstance(when, int) else moment(when))


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-10-25", "2026-12-31"])
def test_the_hour_is_what_clocks_show_also_on_days_on_which_they_change(database: Database, day: str) -> None:
    shop = Shop(database)
    due = moment(f"{day} 10:00")
    assert shop.uncovered(due - 1) is None
    assert shop.uncovered(due) == (2, due)


def test_an_hour_that_comes_twice_is_the_first_and_one_that_never_comes_is_behind_the_change(database: Database) -> None:
    shop = Shop(database, "02:30")
    assert shop.uncovered(moment("2026-10-25 02:30") - 1) is None
    assert shop.uncovered(moment("2026-10-25 02:30", fold=1)) == (2, moment("2026-10-25 02:30"))
    assert shop.uncovered("2026-03-29 01:59") is None
    assert shop.uncovered("2026-03-29 03:30") == (2, moment("2026-03-29 03:30"))


def test_who_comes_covers_the_day_and_no_later_one(database: Database) -> None:
    shop = Shop(database)
    shop.turns("b", "away", "2026-03-05 09:00")
    shop.turns("b", "offline", "2026-03-05 09:10")
    assert shop.uncovered("2026-03-05 23:00") is None
    assert shop.uncovered("2026-03-06 10:00") is not None


def test_who_stays_over_midnight_covers_the_day_they_leave_on(database: Database) -> None:
    shop = Shop(database)
    shop.turns("a", "offline", "2026-03-04 20:00")
    shop.turns("a", "available", "2026-03-04 21:00")
    shop.turns("a", "offline", "2026-03-06 00:30")
    assert [shop.uncovered(f"2026-03-{day} 12:00") is None for day in ("04", "05", "06", "07")] == [False, True, True, False]


def test_who_is_told_to_be_offline_again_was_not_here(database: Database) -> None:
    shop = Shop(database)
    shop.turns("a", "available", "2026-03-01 09:00")
    shop.turns("a", "offline", "2026-03-01 10:00")
    shop.turns("a", "offline", "2026-03-05 06:00")
    assert shop.uncovered("2026-03-05 15:00") is not None


def test_who_is_suspended_covers_nothing_until_they_take_again(database: Database) -> None:
    shop = Shop(database)
    shop.turns("a", "suspended", "2026-03-05 08:00")
    assert shop.uncovered("2026-03-05 11:00") is not None
    shop.turns("a", "available", "2026-03-05 11:30")
    assert shop.uncovered("2026-03-05 12:00") is None


def test_who_does_not_receive_covers_nothing(database: Database) -> None:
    shop = Shop(database)
    shop.saves(agents={"agents": [{"agent": "a", "receives": False}]})
    shop.turns("a", "available", "2026-03-05 08:00")
    assert shop.uncovered("2026-03-05 11:00") is not None
    shop.turns("b", "available", "2026-03-05 11:30")
    assert shop.uncovered("2026-03-05 12:00") is None


def test_agents_who_are_not_chosen_cover_nothing_and_without_the_rule_nobody_need_come(database: Database) -> None:
    shop = Shop(database)
    shop.turns("c", "available", "2026-03-05 08:00")
    assert shop.uncovered("2026-03-05 11:00") is not None
    shop.saves(leave_rule={"on": False, "agents": ["a"]})
    assert shop.uncovered("2026-03-05 11:00") is None
