"""Who is credited for an order line, by which rule, and why nobody else (metrics.md §4)."""

from __future__ import annotations

import pytest

from app.domain.attribution import Line, Order, judge
from app.domain.conversation import LEAVE, ONLINE, Session
from app.domain.counters import WINDOWS
from app.domain.terms import MISSES, RULES

HOUR = 3_600_000
DAY = 24 * HOUR
PLACED = 40 * DAY
KETTLE, LAMP = 1, 2


def session(code: str, before: int, sku: int = 0, kind: int = ONLINE, replied: bool = True) -> Session:
    """A session of agent 1 opened `before` milliseconds ahead of the order."""
    made = Session(int.from_bytes(code.encode()), code)
    made.opened_at, made.kind, made.sku, made.agent = PLACED - before, kind, sku, 1
    made.first_reply_ms = 1000 if replied else None
    return made


def order(cancelled_after: int | None = None) -> Order:
    made = Order(1, "o")
    made.placed_at = PLACED
    made.cancelled_at = None if cancelled_after is None else PLACED + cancelled_after
    return made


def told(sessions: list[Session], of: Order | None = None, window: int = DAY) -> tuple[str | None, str, dict[str, str]]:
    credited, rule, missed = judge(Line(KETTLE, 1, 100), of or order(), sessions, window)
    return (None if credited is None else credited.code), rule, {s.code: why for s, why in missed}


def test_the_last_session_about_the_item_goes_before_a_later_one_about_another() -> None:
    sessions = [session("a", 5 * HOUR, KETTLE), session("b", 3 * HOUR, KETTLE), session("c", HOUR, LAMP)]
    assert told(sessions) == ("b", "about_sku", {"c": "not_about_sku", "a": "earlier"})


def test_without_one_about_the_item_the_last_is_credited() -> None:
    sessions = [session("a", 5 * HOUR), session("b", 3 * HOUR, LAMP)]
    assert told(sessions) == ("b", "last", {"a": "earlier"})


def test_every_other_session_is_told_why_not() -> None:
    sessions = [
        session("early", DAY + 1, KETTLE),
        session("unanswered", 2 * HOUR, KETTLE, replied=False),
        session("message", 2 * HOUR, KETTLE, kind=LEAVE),
        session("after", -1, KETTLE),
        session("good", 2 * HOUR, KETTLE),
    ]
    wanted = {"early": "too_early", "unanswered": "not_received", "message": "leave", "after": "after_order"}
    assert told(sessions) == ("good", "about_sku", wanted)


@pytest.mark.parametrize(("lag", "credited"), [(0, "a"), (DAY, "a"), (DAY + 1, None), (-1, None)])
def test_the_window_includes_both_its_ends(lag: int, credited: str | None) -> None:
    assert told([session("a", lag)])[0] == credited


@pytest.mark.parametrize(
    ("cancelled_after", "credited", "rule"),
    [(0, None, "cancelled"), (15 * DAY, None, "cancelled"), (15 * DAY + 1, "a", "last")],
)
def test_a_cancellation_takes_the_order_out_for_15_days(cancelled_after: int, credited: str | None, rule: str) -> None:
    assert told([session("a", HOUR)], order(cancelled_after))[:2] == (credited, rule)


def test_an_order_cancelled_in_time_tells_who_would_have_been_asked() -> None:
    assert told([session("a", HOUR), session("b", 2 * DAY)], order(HOUR))[2] == {"a": "cancelled", "b": "too_early"}


def test_an_order_not_yet_placed_is_credited_to_nobody() -> None:
    waiting = Order(1, "o")
    assert told([session("a", HOUR)], waiting) == (None, "not_placed", {})


def test_a_longer_window_may_credit_another_session() -> None:
    """An older session about the item wins as soon as the window reaches it."""
    sessions = [session("old", 3 * DAY, KETTLE), session("new", HOUR, LAMP)]
    assert [told(sessions, window=length)[0] for length in WINDOWS.values()] == ["new", "old", "old"]


def test_of_two_opened_at_once_the_later_code_is_credited() -> None:
    assert told([session("b", HOUR), session("a", HOUR)]) == ("b", "last", {"a": "earlier"})


def test_a_orders_after_two_days_and_b_within_one() -> None:
    """Worked example of metrics.md §5: window 24 h, only B converts."""
    a, b = session("a", 2 * DAY), session("b", DAY - 1)
    assert told([a])[0] is None
    assert told([b])[0] == "b"


def test_every_rule_and_reason_has_words() -> None:
    for words in (*RULES.values(), *MISSES.values()):
        assert words.zh
        assert words.en
