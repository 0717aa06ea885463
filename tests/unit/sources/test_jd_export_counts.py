"""Counts from exported figures: what rates, means and totals of one agent's day come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import T
from app.domain.metrics import METRICS
from app.sources.jd_export import cells as reading
from app.sources.jd_export import counts
from tests.unit.sources.exported import HOUR, turned


def test_rates_become_counts() -> None:
    found, told = turned(
        consults=593, answer_rate=0.995, reply_30s_rate=0.973, reply_180s_rate=0.99, first_reply=12_500.0, avg_reply=20_000.0,
        replies_per_session=4.5, session_minutes=564_000.0, invite_rate=0.5, rating_rate=0.127, satisfaction=0.96, resolution=0.9,
        leave_assigned=4, leave_response=0.75, login_hours=8.5 * HOUR, orders=3, order_amount=199_00,
    )  # fmt: skip
    assert not told
    assert found == {
        "consults": 593, "received": 590, "replied_30s": 577, "replied_180s": 587, "first_reply_ms": 7_375_000, "agent_messages": 2655,
        "turns": 2655, "turn_ms": 53_100_000, "closed": 590, "session_ms": 590 * 564_000, "invited": 295, "rated": 75, "satisfied": 72,
        "resolved": 63, "unresolved": 7, "leave_assigned": 4, "leave_received": 3, "login_ms": 8.5 * HOUR,
        "orders_7d": 3, "order_amount_7d": 19_900,
    }  # fmt: skip
    assert "order_amount_24h" not in found


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"received": 50, "unanswered": 3}, (53, 50)), ({"consults": 50, "unanswered": 3}, (50, 47)),
        ({"received": 45, "answer_rate": 0.9}, (50, 45)), ({"consults": 50, "received": 45, "answer_rate": 0.1}, (50, 45)),
    ],
)  # fmt: skip
def test_consults_and_handled_from_what_is_there(said: dict[str, Any], wanted: tuple[int, int]) -> None:
    found, told = turned(**said)
    assert ((found["consults"], found["received"]), told) == (wanted, [])


def test_more_replies_than_consultations_are_refused_and_missing_bases_told() -> None:
    assert turned(consults=5, received=6)[1] == [("received", True)]
    assert turned(satisfaction=0.9) == ({}, [("satisfaction", False)])
    assert turned(received=5)[1] == [("received", False)]
    assert turned(rated=3, satisfied=2, very_satisfied=2, dissatisfied=1)[1] == [("rated", True)]


@given(st.integers(1, 400), st.data())
def test_a_shown_rate_gives_the_count_it_came_from(consults: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, consults))
    shown = METRICS["reply_30s_rate"].text(count / consults)
    rate = reading.rates([shown])[0]
    assert turned(consults=consults, received=consults, reply_30s_rate=rate)[0]["replied_30s"] == count


def test_rates_of_ratings_that_exclude_each_other_stand_in_the_way() -> None:
    told: list[tuple[str, bool]] = []

    def tell(key: str, sentence: T, fatal: bool) -> None:
        told.append((key, fatal))

    counts({"consults": 100, "received": 98, "rated": 50, "satisfaction": 0.96, "bad_rate": 0.9}, "24h", tell)
    assert told == [("bad_rate", True)]
    told.clear()
    found = counts({"consults": 100, "received": 98, "rated": 15, "satisfaction": 0.9, "bad_rate": 0.1}, "24h", tell)
    assert (found["satisfied"], found["dissatisfied"], told) == (14, 1, [])  # both rounded up
