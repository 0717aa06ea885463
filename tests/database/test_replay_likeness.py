"""How closely a replay of what the engine has routed comes to what it did, on both databases."""

from __future__ import annotations

import random
from datetime import timedelta

from app.domain.events import SessionClosed
from app.domain.localtime import DAY_MS, day_date
from app.domain.replay import Likeness
from app.storage.database import Database
from tests.database.routed_store import NOON, RoutedStore, group

WEIGHTS = {"a": 5, "b": 3, "c": 3, "d": 1}
MINUTE = 60_000


def routed_days(database: Database, days: int, a_day: int) -> RoutedStore:
    """A store with capacities, two groups and a fallback, in which customers come back, wait and overflow; nobody works at midnight."""
    rng = random.Random(5)
    store = RoutedStore(
        database,
        group("pre", WEIGHTS, scope={"pages": ["item"]}),
        group("post", {"c": 2, "e": 6}, scope={"pages": ["order"]}, overflow=False),
        group("rest", {"e": 6, "f": 1}, type="fallback"),
        caps={"a": 2, "b": 2, "c": 3, "d": 1, "e": 2},
    )
    for day in range(days):
        store.now = NOON + day * DAY_MS
        store.present(**dict.fromkeys("abcdef", "available"))
        held: list[tuple[int, str]] = []
        for number in range(a_day):
            at = store.now + rng.randrange(MINUTE)
            while held and held[0][0] <= at:
                store.now, session = held.pop(0)
                store.say(SessionClosed(id=store.id(), at=store.now, session=session))
            store.now = max(store.now, at)
            session = f"s{day}-{number}"
            store.opens(session, customer=f"c{rng.randrange(a_day)}", page=rng.choice(("item", "item", "order", "shop")))
            held = sorted([*held, (store.now + rng.randrange(MINUTE, 8 * MINUTE), session)])
            if number == a_day // 2:
                store.present(b="suspended")
            if number == a_day * 2 // 3:
                store.present(b="available", a="away")
        for store.now, session in held:
            store.say(SessionClosed(id=store.id(), at=store.now, session=session))
        store.now += MINUTE
        store.present(**dict.fromkeys("abcdef", "offline"))
    return store


def likeness(store: RoutedStore, first: int, last: int) -> Likeness:
    """Of these days, counted from that of the first session."""
    begin = day_date(store.workspace.local(store.info).day(NOON))
    found = store.workspace.replay.run(store.info, begin + timedelta(days=first), begin + timedelta(days=last)).current.likeness
    assert found is not None
    return found


def test_from_the_beginning_it_is_what_the_engine_did(database: Database) -> None:
    found = likeness(routed_days(database, 2, 60), 0, 1)
    assert (found.loads, found.same_agent) == (1, 1)


def test_from_a_later_day_whose_turn_it_was_is_taken_from_the_days_before(database: Database) -> None:
    found = likeness(routed_days(database, 3, 80), 2, 2)
    assert (found.loads, found.same_agent) == (1, 1)
