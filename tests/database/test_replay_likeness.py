"""How closely a replay of what the engine has routed comes to what it did, on both databases."""

from __future__ import annotations

import random
from datetime import timedelta

from app.desk.simulated import Setup, build_still
from app.domain.events import MessageSent, SessionClosed
from app.domain.localtime import DAY_MS, day_date
from app.domain.outcomes import Likeness
from app.domain.permissions import local_owner
from app.services.workspace import Workspace
from app.sources.simulator import Plan
from app.storage.database import Database
from tests.database.routed_store import NOON, RoutedStore, group

WEIGHTS = {"a": 5, "b": 3, "c": 3, "d": 1}
MINUTE = 60_000


def routed_days(database: Database, days: int, a_day: int, eventful: bool = False) -> RoutedStore:
    """A store with capacities, two groups and a fallback, in which customers come back, wait and overflow; nobody works at midnight.

    eventful: sessions are handed over by command and by who has them, go on after they closed, and are left while nobody is there.
    """
    rng = random.Random(5)
    store = RoutedStore(
        database,
        group("pre", WEIGHTS, scope={"pages": ["item"]}),
        group("post", {"c": 2, "e": 0, "f": 0}, scope={"pages": ["order"]}, overflow=False),
        group("rest", {"e": 6, "f": 1}, type="fallback"),
        caps={"a": 2, "b": 2, "c": 3, "d": 1, "e": 2},
    )
    for day in range(days):
        store.now = NOON + day * DAY_MS
        night = [f"night{day}-{number}" for number in range(3)] if eventful else []
        if night:
            store.opens(*night, kind="leave", page="item")
            store.now += MINUTE
        store.present(**dict.fromkeys("abcdef", "available"))
        held = [(store.now + MINUTE, session) for session in night]
        for number in range(a_day):
            at = store.now + rng.randrange(MINUTE)
            while held and held[0][0] <= at:
                store.now, session = held.pop(0)
                store.say(SessionClosed(id=store.id(), at=store.now, session=session))
            store.now = max(store.now, at)
            session = f"s{day}-{number}"
            store.opens(session, customer=f"c{rng.randrange(a_day)}", page=rng.choice(("item", "item", "order", "shop")))
            held = sorted([*held, (store.now + rng.randrange(MINUTE, 8 * MINUTE), session)])
            if eventful and number % 4 == 1:
                happens(store, rng, held)
            if number == a_day // 2:
                store.present(b="suspended")
            if number == a_day * 2 // 3:
                store.present(b="available", a="away")
        for store.now, session in held:
            store.say(SessionClosed(id=store.id(), at=store.now, session=session))
        store.now += MINUTE
        store.present(**dict.fromkeys("abcdef", "offline"))
    return store


def happens(store: RoutedStore, rng: random.Random, held: list[tuple[int, str]]) -> None:
    """Something to one of the sessions that somebody has or waits with."""
    store.now += rng.randrange(5_000)
    until, session = held[-1]
    if store.now > held[0][0]:
        return
    what = rng.randrange(3)
    if what == 0:
        store.commands("transfer", session=session, group=rng.choice(("pre", "post", "rest")))
    elif what == 1:
        store.commands("move", session=session, agent=rng.choice("cef"))
    elif store.has(session) != "-":
        store.say(SessionClosed(id=store.id(), at=store.now, session=session))
        store.now += 3_000
        store.say(MessageSent(id=store.id(), at=store.now, session=session, sender="customer", text="还有"))
        held[-1] = max(until, store.now + MINUTE), session
        held.sort()


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


def test_hand_overs_sessions_that_went_on_and_messages_left_at_night_happen_again(database: Database) -> None:
    store = routed_days(database, 3, 80, eventful=True)
    handed_over = store.rows("SELECT count(*) FROM sessions WHERE transfers > 0")[0][0]
    assert handed_over > 20
    assert len(store.rows("SELECT 1 FROM decisions WHERE reasons LIKE '%spare%'")) > 2
    for first, last in ((0, 0), (0, 2), (2, 2)):
        found = likeness(store, first, last)
        assert (found.loads, found.same_agent) == (1, 1)


def test_a_past_day_of_a_simulated_store_is_what_its_world_made_of_it(database: Database) -> None:
    build_still(database, Setup(plan=Plan(agents=15, sessions_per_agent=40), days=2), NOON)
    workspace = Workspace(database, local_owner())
    store = workspace.store("demo")
    yesterday = day_date(workspace.local(store).day(NOON) - 1)
    replayed = workspace.replay.run(store, yesterday, yesterday)
    found = replayed.current
    assert found.handed_over > 5
    assert found.likeness is not None
    assert found.likeness.same_agent > 0.98
    assert replayed.notes == []
    body = workspace.settings.get(store, "agents").body
    workspace.settings.save(store, "agents", {"agents": [{**agent, "capacity": 1} for agent in body["agents"]]})
    (note,) = workspace.replay.run(store, yesterday, yesterday).notes
    assert "更改过设置" in note.zh
