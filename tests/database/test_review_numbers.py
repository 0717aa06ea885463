"""Numbers that a review found wrong once."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from app.domain.events import decode
from app.domain.permissions import local_owner
from app.services.reports import Question
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store

HOUR, DAY = 3_600_000, 86_400_000
MIDNIGHT = 1_773_072_000_000  # 2026-03-10 00:00 in Shanghai


class Shop:
    def __init__(self, database: Database) -> None:
        self.recorder = Recorder(database, open_store(database, "shop"))
        self.workspace = Workspace(database, local_owner())
        self.info: StoreInfo = self.workspace.store("shop")
        self._count = 0

    def happens(self, *events: tuple[str, int, dict[str, Any]]) -> None:
        """(type, at, fields)"""
        batch = []
        for kind, at, fields in events:
            self._count += 1
            batch.append(decode(json.dumps({"type": kind, "id": str(self._count), "at": at, **fields}).encode()))
        self.recorder.record(batch)

    def consult(self, code: str, at: int, agent: str | None, reply: int | None = None) -> None:
        self.happens(
            ("session.opened", at, {"session": code, "customer": "c" + code, "agent": agent}),
            ("message.sent", at, {"session": code, "sender": "customer"}),
        )
        if reply is not None:
            self.happens(("message.sent", at + reply, {"session": code, "sender": "agent"}))

    def ask(self, report: str, at: int, *metrics: str, **more: Any) -> dict[str, Any]:
        answer = self.workspace.reports.ask(self.info, Question(report, at=at, metrics=metrics, **more))
        return answer.as_json()


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def test_yesterdays_pending_session_is_not_taken_from_todays_consultations(shop: Shop) -> None:
    shop.consult("yesterday", MIDNIGHT - 5_000, "A")
    shop.consult("today", MIDNIGHT + 1_000, "A", reply=2_000)
    today = shop.ask("live", MIDNIGHT + 10_000, "consults", "received", "answer_rate", "reply_30s_rate")["total"]
    assert today == {"consults": 1, "received": 1, "answer_rate": 1.0, "reply_30s_rate": 1.0}


def test_an_agent_first_heard_of_in_a_session_takes_a_seat_at_once(shop: Shop) -> None:
    shop.happens(("agent.upserted", MIDNIGHT, {"agent": "A"}))
    at = MIDNIGHT + HOUR
    assert [row["key"] for row in shop.ask("seats", at, "consults")["rows"]] == ["A"]
    shop.consult("s", at, "B")
    answer = shop.ask("seats", at, "consults", "active")
    assert {row["key"]: row["values"]["consults"] for row in answer["rows"]} == {"A": 0, "B": 1}
    assert shop.ask("live", at, "seats_total")["total"]["seats_total"] == 2


def test_a_cap_is_no_data(shop: Shop) -> None:
    """均值 divides by the agents that have any data; a cap is a setting."""
    shop.happens(("agent.upserted", MIDNIGHT, {"agent": "idle", "capacity": 5}))
    shop.consult("s", MIDNIGHT + HOUR, "busy", reply=1_000)
    answer = shop.ask("seats", MIDNIGHT + 2 * HOUR, "consults", "capacity")
    assert answer["total"] == {"consults": 1, "capacity": 5}
    assert answer["mean"] == {"consults": 1.0, "capacity": 5.0}


def test_a_day_has_one_login_time_whatever_days_are_asked_with_it(shop: Shop) -> None:
    from datetime import date

    shop.happens(("agent.presence", MIDNIGHT - 2 * HOUR, {"agent": "A", "state": "available"}))
    at = MIDNIGHT + 9 * HOUR
    monday, tuesday = date(2026, 3, 9), date(2026, 3, 10)
    for hours in (0.0, 2.0):  # history holds closed intervals: before the logout and after it
        alone = shop.ask("store", at, "login_hours", first=monday, last=monday)["rows"]
        together = shop.ask("store", at, "login_hours", first=monday, last=tuesday)["rows"]
        assert alone[0] == together[0] == {"key": "2026-03-09", "values": {"login_hours": hours}}
        shop.happens(("agent.presence", at, {"agent": "A", "state": "offline"}))


def test_the_comparison_sees_a_past_that_is_still_being_filled_in(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    at = MIDNIGHT + 12 * HOUR
    assert shop.workspace.live.overview(shop.info, at=at).change("consults", "yesterday") == (None, None)
    shop.consult("s", MIDNIGHT - 20 * HOUR, "A", reply=1_000)
    later = time.monotonic() + 31
    monkeypatch.setattr("app.services.live.time.monotonic", lambda: later)
    assert shop.workspace.live.overview(shop.info, at=at + 31_000).change("consults", "yesterday") == (1, -1)


def _orders(first: int, second: int) -> list[tuple[str, int, dict[str, Any]]]:
    placed = [{"order": "o", "customer": "cs", "lines": [{"sku": "k", "quantity": 1, "amount_fen": fen}]} for fen in (first, second)]
    return [("order.placed", MIDNIGHT + 2 * HOUR, fields) for fields in placed]


def test_an_order_placed_twice_in_one_moment_does_not_depend_on_what_came_first(shop: Shop, tmp_path: Any) -> None:
    amounts = []
    for name, events in (("ab", _orders(100, 500)), ("ba", _orders(500, 100))):
        other = Shop(Database(str(tmp_path / f"{name}.db")))
        other.consult("s", MIDNIGHT + HOUR, "A", reply=1_000)
        for event in events:
            other.happens(event)
        amounts.append(other.ask("live", MIDNIGHT + 3 * HOUR, "order_amount")["total"]["order_amount"])
    assert amounts[0] == amounts[1]


def test_a_session_opened_twice_in_one_moment_does_not_depend_on_what_came_first(tmp_path: Any) -> None:
    owners = []
    opened = [("session.opened", MIDNIGHT, {"session": "s", "customer": "c" + a, "agent": a}) for a in "AB"]
    for name, events in (("ab", opened), ("ba", opened[::-1])):
        shop = Shop(Database(str(tmp_path / f"{name}.db")))
        for event in events:
            shop.happens(event)
        shop.happens(("message.sent", MIDNIGHT + 1, {"session": "s", "sender": "customer"}))
        answer = shop.ask("seats", MIDNIGHT + HOUR, "consults")
        owners.append({row["key"]: row["values"]["consults"] for row in answer["rows"]})
    assert owners[0] == owners[1]


def test_gauges_of_a_store_follow_one_change_at_a_time(shop: Shop) -> None:
    """What the live service remembers between two questions never shows: a service that has just been made says the same."""
    rng = random.Random(5)
    at = MIDNIGHT + 8 * HOUR
    keys = ("consults", "received", "active", "waiting", "longest_wait", "answer_rate", "login_hours", "seats_online", "seats_serving",
            "capacity", "saturation", "order_amount", "transfer_rate", "leave_left")  # fmt: skip
    line = {"sku": "k", "quantity": 1, "amount_fen": 100}
    for step in range(120):
        at += rng.choice((0, 1, 500, 20_000, 31_000, HOUR // 4))
        agent, session = f"a{rng.randrange(4)}", f"s{rng.randrange(12)}"
        kind, fields = rng.choice(
            (
                ("session.opened", {"session": session, "customer": "c" + session, "kind": rng.choice(("online", "online", "leave"))}),
                ("session.assigned", {"session": session, "agent": agent}),
                ("message.sent", {"session": session, "sender": "customer"}),
                ("message.sent", {"session": session, "sender": "agent"}),
                ("session.closed", {"session": session}),
                ("agent.presence", {"agent": agent, "state": rng.choice(("available", "away", "suspended", "offline"))}),
                ("agent.upserted", {"agent": agent, "capacity": rng.choice((None, 1, 5))}),
                ("order.placed", {"order": f"o{step}", "customer": "c" + session, "lines": [line]}),
            )
        )  # fmt: skip
        shop.happens((kind, at - rng.choice((0, 0, 40_000, 2 * HOUR)), fields))
        fresh = Workspace(shop.workspace.database, local_owner())
        for report in ("live", "seats"):
            question = Question(report, at=at, metrics=keys)
            assert shop.workspace.reports.ask(shop.info, question).as_json() == fresh.reports.ask(shop.info, question).as_json(), step
