"""The simulated store: reproducible, free of contradictions, and like a real store in its numbers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.domain.events import AgentPresence, MessageSent, decode, encode
from app.domain.lived import Given
from app.domain.localtime import LocalTime, day_number
from app.sources.simulator import Plan, Simulator
from app.sources.simulator.day import DayRun
from app.sources.simulator.deciding import Elsewhere
from app.sources.simulator.going_on import OngoingDay
from app.sources.simulator.orders import RUN_DAYS
from app.sources.simulator.world import TAIL_DAYS
from tests.unit.sources.checks import faults, most_at_once
from tests.unit.sources.observed import conversion, rates, sessions

ROOT = Path(__file__).parents[3]
DAY_MS = 86_400_000
ORDINARY = day_number(date(2026, 8, 12))  # a Wednesday
CLOCKS_FORWARD = day_number(date(2026, 3, 29))
PLAN = Plan()


@cache
def simulator(plan: Plan) -> Simulator:
    return Simulator(plan)


@cache
def a_day(plan: Plan, day: int) -> list[Any]:
    return simulator(plan).day(day)


def several(plan: Plan, first: int, days: int) -> list[Any]:
    return sorted((e for day in range(first, first + days) for e in a_day(plan, day)), key=lambda e: (e.at, e.id))


def of(kind: str, events: list[Any]) -> list[Any]:
    return [e for e in events if type(e).__name__ == kind]


def digest(plan: Plan, day: int) -> str:
    found = hashlib.sha256()
    for event in (*Simulator(plan).roster(1_700_000_000_000), *Simulator(plan).day(day)):
        found.update(encode(event))
    return found.hexdigest()


# ---- the same everywhere


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_another_process_gives_the_same_events(hash_seed: str) -> None:
    program = (
        "from tests.unit.sources.test_simulator import Plan, digest, ORDINARY\n"
        "import sys; sys.stdout.write(digest(Plan(seed=3, agents=9), ORDINARY))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == digest(Plan(seed=3, agents=9), ORDINARY)


def test_a_day_does_not_depend_on_what_was_made_before() -> None:
    plan = Plan(agents=6)
    used = Simulator(plan)
    for day in (ORDINARY + 1, ORDINARY - 1):
        used.day(day, transcripts=False)
    assert used.day(ORDINARY) == Simulator(plan).day(ORDINARY)


def test_seeds_and_days_differ() -> None:
    plan = Plan(agents=4, sessions_per_agent=20)
    texts = {tuple(e.text for e in of("MessageSent", Simulator(p).day(d)))[:50] for p, d in (
        (plan, ORDINARY), (plan, ORDINARY + 1), (replace(plan, seed=8), ORDINARY),
    )}  # fmt: skip
    assert len(texts) == 3


def test_without_transcripts_only_the_words_are_missing() -> None:
    silent = simulator(PLAN).day(ORDINARY, transcripts=False)
    spoken = a_day(PLAN, ORDINARY)
    assert all(e.text is None for e in of("MessageSent", silent))
    assert sum(e.text is not None for e in of("MessageSent", spoken)) > 0.95 * len(of("MessageSent", spoken))
    without_words = [
        MessageSent(id=e.id, at=e.at, store=e.store, session=e.session, sender=e.sender, agent=e.agent, text=None, content=e.content)
        if isinstance(e, MessageSent)
        else e
        for e in spoken
    ]
    assert without_words == silent


def test_sorted_with_unique_ids_within_the_plan() -> None:
    events = several(PLAN, ORDINARY, 3)
    assert len({e.id for e in events}) == len(events)
    for day in range(ORDINARY, ORDINARY + 3):
        order = [(e.at, e.id) for e in a_day(PLAN, day)]
        assert order == sorted(order)


def test_every_event_survives_its_line() -> None:
    for event in (*simulator(PLAN).roster(1_700_000_000_000), *a_day(PLAN, ORDINARY)):
        assert decode(encode(event)) == event


@pytest.mark.parametrize("wrong", [{"agents": 0}, {"agents": 3000}, {"sessions_per_agent": 0}])
def test_an_impossible_plan_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 to 2000"):
        Plan(**wrong)  # type: ignore[arg-type]


# ---- no contradictions


@pytest.mark.parametrize(
    ("plan", "first", "days"),
    [
        (PLAN, ORDINARY, 4),
        (Plan(seed=1, agents=15), ORDINARY + 30, 3),
        (Plan(seed=5, agents=40, sessions_per_agent=150), ORDINARY, 2),
        (Plan(seed=2, agents=1), ORDINARY, 5),
        (Plan(seed=3, agents=3), ORDINARY, 5),
        (Plan(seed=4, agents=15, zone="Europe/Berlin"), CLOCKS_FORWARD - 1, 3),
        (Plan(seed=4, agents=15, sessions_per_agent=40), day_number(date(2026, 11, 9)), 4),
    ],
    ids=["default", "small", "busy", "alone", "three", "clocks forward", "promotion"],
)
def test_presence_sessions_and_customers_agree(plan: Plan, first: int, days: int) -> None:
    own = simulator(plan)
    members = {g.code: frozenset(a.code for a in own.agents if g.code in dict(a.groups)) for g in own.groups}
    events = several(plan, first, days)
    assert faults(events, a_day(plan, first + days), members) == []
    capacity = {a.code: a.capacity for a in own.agents}
    assert {a: n for a, n in most_at_once(events).items() if n > capacity[a]} == {}


def test_sessions_start_on_their_day_and_nothing_comes_later_than_promised() -> None:
    for plan in (PLAN, Plan(seed=2, agents=3), Plan(seed=4, agents=5, zone="Europe/Berlin")):
        local = LocalTime(plan.zone)
        for day in (CLOCKS_FORWARD, ORDINARY):
            events = a_day(plan, day)
            assert {local.day(e.at) for e in of("SessionOpened", events)} == {day}
            assert events[0].at >= local.start_of_day(day)
            assert events[-1].at < local.start_of_day(day + TAIL_DAYS + 1)
            unasked = f"{day}-o"
            assert max(e.at for e in events if not e.id.startswith(unasked)) < local.start_of_day(day + RUN_DAYS + 1)


def test_orders_go_through_their_life_in_order() -> None:
    steps: dict[str, list[Any]] = defaultdict(list)
    for event in a_day(PLAN, ORDINARY):
        if hasattr(event, "order"):
            steps[event.order].append(event)
    lives = Counter(tuple(type(e).__name__.removeprefix("Order") for e in life) for life in steps.values())
    assert set(lives) == {
        ("Placed", "Paid", "Shipped"), ("Placed", "Cancelled"), ("Placed", "Paid", "Cancelled"), ("Placed", "Paid", "Shipped", "Cancelled"),
    }  # fmt: skip
    lags = [life[-1].at - life[0].at for life in steps.values() if type(life[-1]).__name__ == "OrderCancelled"]
    assert 0 < sum(lag > 15 * DAY_MS for lag in lags) < 0.2 * len(lags)
    lines = [len(e.lines) for e in of("OrderPlaced", a_day(PLAN, ORDINARY))]
    assert set(lines) == {1, 2, 3, 4}
    prices = {good.sku: good.price_fen for good in simulator(PLAN).goods}
    for event in of("OrderPlaced", a_day(PLAN, ORDINARY)):
        assert all(0.85 * prices[line.sku] <= line.amount_fen / line.quantity <= prices[line.sku] for line in event.lines)


def test_order_state_is_true_to_the_orders_of_the_days_before() -> None:
    """Who asks before ordering has no order of the last 15 days; who comes back about an order placed it."""
    plan = Plan(agents=8)
    placed = {e.customer: e for day in range(ORDINARY - 16, ORDINARY + 1) for e in of("OrderPlaced", a_day(plan, day))}
    opened = of("SessionOpened", a_day(plan, ORDINARY))
    earlier = [s for s in opened if s.customer in placed and placed[s.customer].at < s.at]
    assert len(earlier) > 50
    assert {s.order_state for s in earlier} == {"placed"}
    before = {s.customer for day in range(ORDINARY - 7, ORDINARY) for s in of("SessionOpened", a_day(plan, day))}
    again = [s for s in opened if s.customer in before and s.order_state == "none"]
    assert len(again) > 5, "undecided customers come back on later days"


# ---- like a real store


@pytest.mark.parametrize("plan", [PLAN, Plan(seed=11, agents=40), Plan(seed=12, agents=15)], ids=["24", "40", "15"])
def test_ordinary_days_look_ordinary(plan: Plan) -> None:
    events = several(plan, ORDINARY, 3)
    seen = list(sessions(events).values())
    numbers = rates(seen)
    numbers["conversion"] = conversion(seen, events, DAY_MS)
    numbers["leave_rate"] = sum(s.opened.kind == "leave" for s in seen) / len(seen)
    numbers["sessions_per_agent"] = len(seen) / 3 / round(plan.agents * 5 / 7)
    wanted = {
        "answer_rate": (0.95, 0.995), "reply_30s_rate": (0.75, 0.92), "first_reply_median": (9, 16), "satisfaction": (0.85, 0.97),
        "rating_rate": (0.10, 0.20), "invite_rate": (0.4, 0.8), "resolution": (0.80, 0.92), "messages": (10, 18),
        "session_minutes": (4.5, 9), "conversion": (0.15, 0.35), "leave_rate": (0.02, 0.09), "transfer_rate": (0.01, 0.08),
        "sessions_per_agent": (85, 115),
    }  # fmt: skip
    assert {k: numbers[k] for k, (low, high) in wanted.items() if not low <= numbers[k] <= high} == {}


def test_agents_differ() -> None:
    by_agent: dict[str, list[Any]] = defaultdict(list)
    for day in range(ORDINARY, ORDINARY + 7):
        for seen in sessions(a_day(PLAN, day)).values():
            if seen.owner:
                by_agent[seen.owner].append(seen)
    assert len(by_agent) == PLAN.agents, "everybody works in the course of a week"
    each = [rates(own) for own in by_agent.values()]
    for metric, spread in (("reply_30s_rate", 0.1), ("satisfaction", 0.05), ("invite_rate", 0.2)):
        values = sorted(agent[metric] for agent in each)
        assert values[-2] - values[1] > spread, metric


def test_visitors_come_in_the_morning_afternoon_and_evening() -> None:
    local = LocalTime(PLAN.zone)
    hours = Counter(local.day_slot(e.at)[1] // 12 for d in range(3) for e in of("SessionOpened", a_day(PLAN, ORDINARY + d)))
    assert min(hours[10], hours[15], hours[20], hours[21]) > max(hours[8], hours[12], hours[18], hours[23])
    assert sum(hours[h] for h in range(1, 7)) < 0.03 * hours.total()


def test_messages_left_at_night_are_answered_in_the_morning() -> None:
    local = LocalTime(PLAN.zone)
    seen = [s for s in sessions(a_day(PLAN, ORDINARY)).values() if s.opened.kind == "leave"]
    assert len(seen) > 30
    assert {local.day_slot(s.opened.at)[1] // 12 for s in seen} <= {*range(9), 23}
    assert sum(s.owner is not None for s in seen) == len(seen)
    assert 0.85 < sum(s.first_reply is not None for s in seen) / len(seen) <= 1
    late = [s for s in seen if local.day_slot(s.opened.at)[1] > 240]
    assert late
    assert all(local.day(s.closed.at) == ORDINARY + 1 for s in late)


def test_some_sessions_are_transferred_over_midnight_and_some_continued() -> None:
    local = LocalTime(PLAN.zone)
    events = several(PLAN, ORDINARY, 5)
    opened = {e.session: e.at for e in of("SessionOpened", events)}
    transfers = [e for e in of("SessionAssigned", events) if e.reason == "transfer"]
    assert any(local.day(e.at) > local.day(opened[e.session]) for e in transfers)
    closings = Counter(e.session for e in of("SessionClosed", events))
    assert sum(n > 1 for n in closings.values()) > 20
    assert any(e.reason == "returning" for e in of("SessionAssigned", events))
    assert {e.flag for e in of("SessionFlagged", events)} == {"spam", "bot_only"}


def test_shifts_breaks_and_days_off() -> None:
    local = LocalTime(PLAN.zone)
    days = [of("AgentPresence", a_day(PLAN, ORDINARY + d)) for d in range(7)]
    working = Counter(agent for changes in days for agent in {e.agent for e in changes})
    assert set(working.values()) == {5}
    assert {e.state for e in days[0]} == {"available", "away", "suspended", "offline"}
    come = {e.agent: local.day_slot(e.at)[1] / 12 for e in reversed(days[0])}
    for earliest, latest in ((7.5, 9.5), (11, 12), (15, 16)):
        assert sum(earliest <= hour < latest for hour in come.values()) > 2
    assert all(7.5 <= hour < 16 for hour in come.values())


def test_waits_grow_with_load() -> None:
    def median(sessions_per_agent: int) -> float:
        plan = Plan(agents=12, sessions_per_agent=sessions_per_agent)
        return rates(sessions(simulator(plan).day(ORDINARY, transcripts=False)).values())["first_reply_median"]

    quiet, busy, crowded = median(30), median(120), median(300)
    assert quiet < busy < crowded
    assert crowded > 1.5 * quiet


def test_a_promotion_day_is_ten_times_an_ordinary_one_with_a_third_more_staff() -> None:
    plan = Plan(agents=24, sessions_per_agent=30)
    own = simulator(plan)
    ordinary = own.day(day_number(date(2026, 6, 10)), transcripts=False)
    for moment in (date(2026, 6, 17), date(2026, 6, 18), date(2026, 11, 11), date(2026, 12, 12)):
        promotion = own.day(day_number(moment), transcripts=False)
        assert 8 < len(of("SessionOpened", promotion)) / len(of("SessionOpened", ordinary)) < 12
        staff = [len({e.agent for e in events if isinstance(e, AgentPresence)}) for events in (promotion, ordinary)]
        assert 1.2 < staff[0] / staff[1] < 1.4


def test_roster() -> None:
    plan = Plan(agents=500)
    roster = simulator(plan).roster(1_700_000_000_000)
    assert len({e.agent for e in roster}) == len({e.name for e in roster}) == len({e.id for e in roster}) == 500
    assert sum(e.role == "客服主管" for e in roster) == 1
    assert {e.agent for e in of("AgentPresence", a_day(PLAN, ORDINARY))} <= {e.agent for e in simulator(PLAN).roster(1_700_000_000_000)}
    assert [e.id for e in simulator(PLAN).roster(1_800_000_000_000)] == [e.id for e in simulator(PLAN).roster(1_700_000_000_000)]


def test_customers_come_from_all_provinces_and_popular_articles_sell_most() -> None:
    events = several(PLAN, ORDINARY, 4)
    regions = Counter(e.region for e in of("SessionOpened", events))
    assert len(regions) >= 32
    assert regions["广东"] > regions["浙江"] > regions["海南"]
    sold = [n for _, n in Counter(line.sku for e in of("OrderPlaced", events) for line in e.lines).most_common()]
    assert len(sold) > 150
    assert sum(sold[:20]) > 0.35 * sum(sold)


def test_words_are_varied_and_complete() -> None:
    texts = [e.text for e in of("MessageSent", a_day(PLAN, ORDINARY)) if e.text]
    assert not [text for text in texts if "%(" in text]
    asked = [e.text for e in of("MessageSent", a_day(PLAN, ORDINARY)) if e.text and e.sender == "customer"]
    assert len(set(asked)) > 0.35 * len(asked)


# ---- told by somebody else who takes a session


def test_without_anybody_who_decides_customers_wait_ask_and_leave() -> None:
    world = simulator(Plan(agents=6, sessions_per_agent=30)).world
    events = DayRun(world, ORDINARY, Elsewhere()).everything()
    assert of("SessionAssigned", events) == []
    assert {e.sender for e in of("MessageSent", events)} == {"customer", "bot", "system"}
    opened, closed = of("SessionOpened", events), {e.session: e for e in of("SessionClosed", events)}
    assert len(opened) > 100
    online = [(e, closed[e.session]) for e in opened if e.kind == "online"]
    assert all(end.at - begin.at < 15 * 60_000 for begin, end in online)
    assert {closed[e.session].by for e in opened if e.kind == "leave"} == {"system"}


def test_what_was_decided_is_carried_out_by_whoever_was_chosen() -> None:
    """All to one agent, then to another: each goes on where the one before has stopped, and nobody else writes."""
    world = simulator(Plan(agents=6, sessions_per_agent=300)).world
    run = OngoingDay(world, ORDINARY, Elsewhere())
    start = world.local.start_of_day(ORDINARY) + 10 * 3_600_000
    run.upto(start)
    opened: list[Any] = []
    while len(opened) < 3:
        start += 1_000
        fresh = run.upto(start)
        robots = {e.session for e in of("SessionFlagged", fresh)}
        opened += [e for e in of("SessionOpened", fresh) if e.session not in robots]
        run.hear(start, [Given(e.session, world.agents[0].code, "presale", False) for e in opened], {})
    first, second = (agent.code for agent in world.agents[:2])
    begun = run.upto(start + 20_000)
    talking = [e for e in opened if e.session not in {e.session for e in of("SessionClosed", begun)}]
    run.hear(start + 20_000, [Given(e.session, second, "aftersale", False) for e in talking], {})
    events = run.upto(start + 4 * 3_600_000)
    sessions = {e.session for e in talking}
    assert {e.agent for e in of("MessageSent", begun) if e.session in sessions and e.sender == "agent"} <= {first}
    writers = Counter(e.agent for e in of("MessageSent", events) if e.session in sessions and e.sender == "agent")
    assert writers[second] > 5
    assert sessions <= {e.session for e in of("SessionClosed", events)}
