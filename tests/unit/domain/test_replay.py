"""Replay on hand-made recordings: what each session becomes is known beforehand."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from app.domain.events import State
from app.domain.outcomes import Outcomes
from app.domain.recording import UNKNOWN_HANDLING_MS, HandOver, Recording, Served, Stint, handling_of
from app.domain.replay import HALF_HOUR_MS, replay
from app.domain.routing.scopes import NewSession, Plan
from tests.unit.domain.routing_desk import HOUR, group, plan

DAY = 24 * HOUR
MINUTE = 60_000


def recording(
    opened: list[int], presence: list[tuple[int, str, State]], handling: int | list[int] = MINUTE, kind: Any = "online", **columns: Any
) -> Recording:
    """Sessions s1, s2, … of customers of their own, of one day."""
    count = len(opened)
    sessions = [NewSession(f"s{i + 1}", f"c{i + 1}", kind) for i in range(count)]
    held = [handling] * count if isinstance(handling, int) else handling
    blank = {"left_at": [None] * count, "agents": [""] * count, "waits": [None] * count, "sessions": sessions}
    return Recording(0, DAY, opened=opened, handling=held, presence=presence, **{**blank, **columns})


def here(agents: str, at: int = 0) -> list[tuple[int, str, State]]:
    return [(at, agent, "available") for agent in agents]


def had(session: str, customer: str, agent: str, at: int, until: int) -> Served:
    return Served(NewSession(session, customer), [Stint(at, agent, "g")], until)


def run(found: Recording, under: Plan) -> Outcomes:
    outcomes = replay(found, under, detail=True)
    assert outcomes is not None
    return outcomes


def given(outcomes: Outcomes) -> str:
    return " ".join(fate.agent or "-" for fate in outcomes.fates)


def test_published_turns_through_a_replay() -> None:
    outcomes = run(recording([at * MINUTE for at in range(7)], here("abc")), plan(group("g", {"a": 5, "b": 1, "c": 1})))
    assert given(outcomes) == "a a b a c a a"
    assert [(load.agent, load.sessions, load.peak) for load in outcomes.agents] == [("a", 5, 1), ("b", 1, 1), ("c", 1, 1)]
    assert [load.share for load in outcomes.agents] == [5 / 7, 1 / 7, 1 / 7]


def test_shares_follow_the_weights() -> None:
    outcomes = run(recording(list(range(0, 10_000 * 1000, 1000)), here("abc")), plan(group("g", {"a": 6, "b": 3, "c": 1})))
    for load, share in zip(outcomes.agents, (0.6, 0.3, 0.1), strict=True):
        assert load.share == pytest.approx(share, abs=0.01)


def test_who_waits_is_taken_when_somebody_is_free_and_the_wait_is_told() -> None:
    one = plan(group("g", {"a": 6}), caps={"a": 1})
    outcomes = run(recording([0, 10_000, 20_000], here("a"), handling=[60_000, 30_000, 5_000]), one)
    assert [(f.session, f.agent, f.outcome, f.wait_ms) for f in outcomes.fates] == [
        ("s1", "a", "assigned", 0), ("s2", "a", "waited", 50_000), ("s3", "a", "waited", 70_000),
    ]  # fmt: skip
    assert (outcomes.waited, outcomes.assigned, outcomes.busiest, outcomes.agents[0].peak) == (2, 3, 1, 1)
    assert (outcomes.waits.mean, outcomes.waits.p90, outcomes.waits.longest) == (40.0, 70.0, 70.0)


def test_the_ninth_of_ten_waits_is_the_p90() -> None:
    one = plan(group("g", {"a": 6}), caps={"a": 1})
    outcomes = run(recording([0] * 10, here("a"), handling=1_000), one)
    assert (outcomes.waits.p90, outcomes.waits.longest) == (8.0, 9.0)


def test_more_capacity_shortens_the_waits() -> None:
    busy = recording(list(range(0, 60_000, 1_000)), here("ab"), handling=20_000)
    waits = [run(busy, plan(group("g", {"a": 6, "b": 6}), caps={"a": cap, "b": cap})).waits.mean for cap in (1, 5, 20)]
    assert waits[0] > waits[1] > waits[2] == 0  # type: ignore[operator]


def test_a_closing_frees_its_agent_before_a_session_of_the_same_moment_opens() -> None:
    one = plan(group("g", {"a": 6}), caps={"a": 1})
    assert run(recording([0, 60_000], here("a"), handling=60_000), one).waited == 0


def test_overflow_to_the_fallback_counts_and_a_match_of_the_fallback_does_not() -> None:
    presale = group("pre", {"a": 6}, scope={"pages": ["item"]})
    both = plan(presale, group("rest", {"b": 6}, type="fallback"), caps={"a": 1})
    sessions = [NewSession("s1", "c1", page="item"), NewSession("s2", "c2", page="item"), NewSession("s3", "c3", page="shop")]
    outcomes = run(recording([0, 1_000, 2_000], here("ab"), sessions=sessions), both)
    assert [(f.group, f.agent) for f in outcomes.fates] == [("pre", "a"), ("rest", "b"), ("rest", "b")]
    assert outcomes.overflow == 1


def test_nobody_online_is_a_leave_message_for_who_comes_first_and_takes_up_nothing() -> None:
    presence = here("a", at=HOUR)
    outcomes = run(recording([0, 1_000, HOUR], presence, handling=2 * HOUR), plan(group("g", {"a": 6}), caps={"a": 1}))
    assert [(f.session, f.outcome, f.agent, f.reason) for f in outcomes.fates] == [
        ("s1", "leave", "a", "leave"), ("s2", "leave", "a", "leave"), ("s3", "assigned", "a", "routed"),
    ]  # fmt: skip
    assert (outcomes.leave, outcomes.unassigned, outcomes.waits.longest) == (2, 0, 0.0)
    assert (outcomes.busiest, outcomes.busiest_at, outcomes.agents[0].peak) == (1, HOUR, 1)


def test_a_leave_message_that_nobody_comes_for_stays_unassigned() -> None:
    outcomes = run(recording([0], []), plan(group("g", {"a": 6})))
    assert [(f.outcome, f.agent, f.reason) for f in outcomes.fates] == [("leave", None, None)]
    assert (outcomes.leave, outcomes.unassigned, outcomes.assigned, outcomes.agents) == (1, 1, 0, [])


def test_a_customer_who_really_left_leaves_here_too_unless_taken_before() -> None:
    one = plan(group("g", {"a": 6}), caps={"a": 1})
    for frees, outcome, agent in ((60_000, "waited", None), (20_000, "waited", "a")):
        found = recording([0, 10_000], here("a"), handling=[frees, 5_000], left_at=[None, 40_000])
        last = run(found, one).fates[-1 if agent else 1]
        assert (last.session, last.outcome, last.agent, last.wait_ms) == ("s2", outcome, agent, 10_000 if agent else 30_000)


def test_a_session_whose_agent_goes_offline_goes_to_another_and_ends_when_it_would_have() -> None:
    presence = [*here("a"), (MINUTE, "b", "available"), (2 * MINUTE, "a", "offline")]
    outcomes = run(
        recording([0, 9 * MINUTE, 11 * MINUTE], presence, handling=10 * MINUTE), plan(group("g", {"a": 6, "b": 6}), caps={"b": 1})
    )
    assert [(f.session, f.agent, f.wait_ms) for f in outcomes.fates] == [("s1", "b", 0), ("s2", "b", MINUTE), ("s3", "b", 9 * MINUTE)]
    assert outcomes.handed_over == 1
    assert [(load.agent, load.sessions, load.peak) for load in outcomes.agents] == [("a", 0, 1), ("b", 3, 1)]


def test_what_was_going_on_before_holds_its_agent_and_is_not_counted() -> None:
    before = had("s0", "c9", "a", -HOUR, 5 * MINUTE)
    outcomes = run(recording([0], [(-HOUR, "a", "available")], before=[before]), plan(group("g", {"a": 6}), caps={"a": 1}))
    assert [(f.session, f.wait_ms) for f in outcomes.fates] == [("s1", 5 * MINUTE)]
    assert (outcomes.sessions, outcomes.assigned) == (1, 1)


def test_who_served_a_customer_last_before_serves_them_again() -> None:
    start = 100 * HOUR
    before = [
        had("x1", "c1", "b", start - 9 * HOUR, start - 8 * HOUR),
        had("x2", "c1", "c", start - 7 * HOUR, start - 6 * HOUR),
        had("x3", "c2", "c", start - 60 * HOUR, start - 59 * HOUR),
    ]
    found = replace(recording([start, start + 1_000], here("abc", start), before=before), start=start, end=start + DAY)
    outcomes = run(found, plan(group("g", {"a": 9, "b": 1, "c": 1})))
    assert [(f.agent, f.reason) for f in outcomes.fates] == [("c", "returning"), ("a", "routed")]
    assert outcomes.returning == 1


def test_whose_turn_it_is_is_learnt_from_what_went_before() -> None:
    start = 10 * HOUR
    earlier = [had(f"x{number}", f"d{number}", agent, HOUR + number * MINUTE, 2 * HOUR) for number, agent in enumerate("aab")]
    opened = [start + at * MINUTE for at in range(8)]
    found = replace(recording(opened, here("abc"), before=earlier), start=start, end=start + DAY)
    assert given(run(found, plan(group("g", {"a": 5, "b": 1, "c": 1})))) == "a c a a a a b a"


def test_turns_begin_anew_where_they_did() -> None:
    start = 10 * HOUR
    earlier = [had("x0", "d0", "a", HOUR, 2 * HOUR)]
    opened = [start + at * MINUTE for at in range(4)]
    three = plan(group("g", {"a": 5, "b": 1, "c": 1}))
    known = replace(recording(opened, here("abc"), before=earlier), start=start, end=start + DAY)
    assert given(run(known, three)) == "a b a c"
    assert given(run(replace(known, anew=[(start, False)]), three)) == "a a b a"
    assert given(run(replace(known, anew=[(start, False), (opened[2], False)]), three)) == "a a a a"


def test_a_hand_over_takes_a_turn_of_its_group_and_each_agent_keeps_it_as_long_as_theirs_did() -> None:
    two = plan(
        group("pre", {"a": 6}, scope={"pages": ["item"]}), group("post", {"b": 9, "c": 1}, scope={"pages": ["order"]}), caps={"b": 1}
    )
    sessions = [NewSession("s1", "c1", page="item"), *(NewSession(f"s{n}", f"c{n}", page="order") for n in (2, 3))]
    found = recording(
        [0, 5 * MINUTE, 12 * MINUTE], here("abc"), sessions=sessions, handling=[2 * MINUTE, MINUTE, MINUTE],
        hand_overs={"s1": [HandOver("", "post", 10 * MINUTE)]},
    )  # fmt: skip
    outcomes = run(found, two)
    assert [(f.session, f.group, f.agent, f.reason) for f in outcomes.fates] == [
        ("s1", "post", "b", "transfer"), ("s2", "post", "c", "routed"), ("s3", "post", "b", "routed"),
    ]  # fmt: skip
    assert (outcomes.handed_over, outcomes.busiest) == (1, 2)
    assert run(replace(found, opened=[0, 5 * MINUTE, 12 * MINUTE - 1]), two).fates[-1].agent == "c"


def test_a_hand_over_waits_where_nobody_is_free_and_is_kept_from_then() -> None:
    two = plan(group("pre", {"a": 6}, scope={"pages": ["item"]}), group("post", {"b": 6}, scope={"pages": ["order"]}), caps={"b": 1})
    sessions = [NewSession("s1", "c1", page="order"), NewSession("s2", "c2", page="item"), NewSession("s3", "c3", page="order")]
    found = recording(
        [0, 0, 14 * MINUTE], here("ab"), sessions=sessions, handling=[10 * MINUTE, MINUTE, MINUTE],
        hand_overs={"s2": [HandOver("", "post", 5 * MINUTE)]},
    )  # fmt: skip
    fates = {fate.session: (fate.agent, fate.wait_ms) for fate in run(found, two).fates}
    assert fates == {"s1": ("b", 0), "s2": ("b", 0), "s3": ("b", MINUTE)}


def test_moved_by_hand_goes_to_that_agent_or_to_one_of_the_group_who_is_here() -> None:
    under = plan(group("g", {"a": 9, "b": 1, "c": 1}))
    found = recording([0], here("abc"), hand_overs={"s1": [HandOver("c", "g", MINUTE)]})
    assert [(f.agent, f.reason) for f in run(found, under).fates] == [("c", "manual")]
    without = run(replace(found, presence=here("ab")), under)
    assert [(f.agent, f.reason) for f in without.fates] == [("b", "transfer")]


def test_what_cannot_be_handed_over_stays_as_long_as_both_had_it() -> None:
    one = plan(group("g", {"a": 6}), caps={"a": 1})
    found = recording([0, 1_000], here("a"), hand_overs={"s1": [HandOver("", "gone", 4 * MINUTE)]})
    outcomes = run(found, one)
    assert [(f.agent, f.wait_ms) for f in outcomes.fates] == [("a", 0), ("a", 5 * MINUTE - 1_000)]
    assert outcomes.handed_over == 0


def test_a_session_that_closed_and_went_on_takes_up_nothing_in_between_and_its_agent_has_it_again() -> None:
    one = plan(group("g", {"a": 6}), caps={"a": 1})
    found = recording([0, 30_000, 2 * MINUTE], here("a"), handling=[MINUTE, 20_000, 1_000])
    gone_on = replace(found, hand_overs={"s1": [HandOver("", "", 4 * MINUTE, pause=MINUTE)]})
    assert [(f.session, f.wait_ms) for f in run(gone_on, one).fates] == [("s1", 0), ("s2", 30_000), ("s3", 4 * MINUTE)]
    away = [*here("ab"), (90_000, "a", "offline")]
    assert run(replace(gone_on, presence=away), plan(group("g", {"a": 9, "b": 1}))).fates[0].agent == "b"


def test_who_was_chosen_by_hand_while_they_waited_is_chosen_again() -> None:
    one = plan(group("g", {"a": 6}), group("h", {"b": 6}, scope={"pages": ["order"]}), caps={"a": 1})
    found = recording([0, 1_000], here("ab"), handling=10 * MINUTE, chosen={"s2": (MINUTE, "b", "")})
    assert [(f.agent, f.reason, f.wait_ms) for f in run(found, one).fates] == [("a", "routed", 0), ("b", "manual", 59_000)]
    free = run(found, plan(group("g", {"a": 6}), caps={"a": 2}))
    assert [(f.agent, f.reason, f.wait_ms) for f in free.fates] == [("a", "routed", 0), ("a", "routed", 0)]


def eventful() -> tuple[Recording, Plan]:
    """A busy hour of two groups and a fallback under a cap of 2 each: messages left before anybody came, hand-overs to groups, an agent
    who goes offline and comes back."""
    rng = random.Random(3)
    under = plan(
        group("pre", {"a": 3, "b": 1}, scope={"pages": ["item"]}),
        group("post", {"c": 1, "d": 0}, scope={"pages": ["order"]}, overflow=False),
        group("shut", {"a": 1}, scope={"pages": ["logistics"]}, open=False), group("rest", {"d": 6, "e": 1}, type="fallback"),
        group("none", {"a": 1}, scope={"skus": ["nobody asks for it"]}), caps=dict.fromkeys("abcde", 2),
    )  # fmt: skip
    pages = "item", "order", "logistics", "shop"
    sessions = [NewSession(f"s{i}", f"c{rng.randrange(150)}", page=rng.choice(pages)) for i in range(600)]
    opened = sorted(rng.randrange(HOUR) for _ in sessions)
    handed = {s.id: [HandOver("", rng.choice(("pre", "post", "rest")), MINUTE)] for s in rng.sample(sessions, 60)}
    away: list[tuple[int, str, State]] = [(40 * MINUTE, "a", "offline"), (50 * MINUTE, "a", "available")]
    handling = [rng.randrange(10_000, 100_000) for _ in sessions]
    left = [at + 3 * MINUTE if rng.random() < 0.5 else None for at in opened]
    return recording(opened, here("abcde", at=10 * MINUTE) + away, handling, sessions=sessions, hand_overs=handed, left_at=left), under


def test_figures_of_groups_go_by_scopes_and_add_up_to_those_of_all() -> None:
    found, under = eventful()
    chosen = {s.id: (at + MINUTE, "", "rest") for s, at in zip(found.sessions[::7], found.opened[::7])}
    outcomes = run(replace(found, chosen=chosen), under)
    by_code = {load.group: load for load in outcomes.groups}
    assert list(by_code) == ["pre", "post", "shut", "rest", "none"]
    assert {code: load.sessions for code, load in by_code.items()} == {
        **dict.fromkeys(by_code, 0), **Counter(under.match(session).group for session in found.sessions),
    }  # fmt: skip
    for figure in ("sessions", "assigned", "overflow", "waited", "leave"):
        total = getattr(outcomes, figure)
        assert sum(getattr(load, figure) for load in outcomes.groups) == total
        assert total > 0, figure
    assert outcomes.sessions > outcomes.assigned
    assert max(load.longest_wait or 0 for load in outcomes.groups) == outcomes.waits.longest
    online = outcomes.sessions - outcomes.leave
    mean = sum((load.mean_wait or 0) * (load.sessions - load.leave) for load in outcomes.groups) / online
    assert mean == pytest.approx(outcomes.waits.mean)
    assert (by_code["none"].mean_wait, by_code["none"].longest_wait) == (None, None)
    assert by_code["post"].overflow == by_code["rest"].overflow == 0


def test_whose_group_overflows_is_told_of_the_group_they_belong_to_also_when_handed_over_later() -> None:
    both = plan(group("pre", {"a": 6}, scope={"pages": ["item"]}), group("rest", {"b": 6}, type="fallback"), caps={"a": 1})
    sessions = [NewSession(f"s{n}", f"c{n}", page=page) for n, page in enumerate(("item", "item", "shop"))]
    found = recording([0, 1_000, 2_000], here("ab"), sessions=sessions, hand_overs={"s2": [HandOver("", "pre", MINUTE)]})
    assert [(g.group, g.sessions, g.assigned, g.overflow) for g in run(found, both).groups] == [("pre", 2, 2, 1), ("rest", 1, 1, 0)]


def test_what_no_open_group_takes_belongs_to_none() -> None:
    outcomes = run(recording([0, 1_000], here("a"), left_at=[MINUTE, MINUTE]), plan(group("g", {"a": 6}, open=False)))
    assert [(g.group, g.sessions, g.assigned, g.waited, g.longest_wait) for g in outcomes.groups] == [
        ("g", 0, 0, 0, None), ("", 2, 0, 2, 60.0),
    ]  # fmt: skip


def test_only_what_is_given_by_hand_goes_on_or_went_on_before_takes_an_agent_above_their_cap() -> None:
    found, under = eventful()

    def above(**more: Any) -> set[str]:
        loads = run(replace(found, **more), under).agents
        assert max(load.peak for load in loads) >= 2
        return {load.agent for load in loads if load.peak > 2}

    assert above() == set()
    by_hand = {s.id: [HandOver("e", "rest", 5 * MINUTE)] for s in found.sessions[300:400]}
    assert above(hand_overs={**found.hand_overs, **by_hand}) == {"e"}
    chosen = {s.id: (at + 1_000, "e", "") for s, at in zip(found.sessions[300:400], found.opened[300:400])}
    assert above(chosen=chosen) == {"e"}
    gone_on = {s.id: [HandOver("", "", 5 * MINUTE, pause=MINUTE)] for s in found.sessions[300:400]}
    assert above(hand_overs=gone_on)
    assert above(before=[had(f"x{n}", f"d{n}", "b", -HOUR, 30 * MINUTE) for n in range(3)]) == {"b"}


def test_half_hours_add_up_and_carry_on_what_lasts() -> None:
    outcomes = run(recording([0, HALF_HOUR_MS + 1], here("a"), handling=[3 * HALF_HOUR_MS, MINUTE]), plan(group("g", {"a": 6})))
    first = outcomes.half_hours[:4]
    assert [(h.opened, h.assigned, h.busiest) for h in first] == [(1, 1, 1), (1, 1, 2), (0, 0, 1), (0, 0, 1)]
    assert len(outcomes.half_hours) == 48
    assert sum(h.busiest for h in outcomes.half_hours[4:]) == 0
    assert outcomes.agents[0].half_hours[:2] == (1, 1)
    assert sum(outcomes.agents[0].half_hours) == 2


def test_a_recording_that_is_its_own_replay_is_reproduced_wholly() -> None:
    two = plan(group("g", {"a": 2, "b": 1}))
    found = recording([at * MINUTE for at in range(30)], here("ab"))
    agents = [fate.agent or "" for fate in run(found, two).fates]
    alike = recording([at * MINUTE for at in range(30)], here("ab"), agents=agents, waits=[0] * 30)
    likeness = run(alike, two).likeness
    assert likeness is not None
    assert (likeness.loads, likeness.same_agent, likeness.real_waits.longest) == (1.0, 1.0, 0.0)
    other = run(alike, plan(group("g", {"a": 1, "b": 2}))).likeness
    assert other is not None
    assert other.loads == pytest.approx(2 / 3)
    assert run(found, two).likeness is None


def test_the_same_always_gives_the_same() -> None:
    found = recording([at * 7_919 % DAY // 3 for at in range(3_000)].copy(), here("abcd"), handling=5 * MINUTE)
    found = recording(sorted(found.opened), here("abcd"), handling=5 * MINUTE)
    tight = plan(group("g", {"a": 3, "b": 2, "c": 1, "d": 7}), caps={"a": 2, "b": 3, "c": 1, "d": 4})
    assert run(found, tight) == run(found, tight)


def test_it_tells_how_far_it_is_and_stops_when_asked() -> None:
    found, told = recording(list(range(12_000)), here("a"), handling=1), list[int]()
    under = plan(group("g", {"a": 6}))
    assert replay(found, under, tell=told.append) is not None
    assert told == [5_000, 10_000, 12_000]
    assert replay(found, under, tell=told.append, stopped=lambda: len(told) > 4) is None
    assert told[3:] == [5_000, 10_000]


def test_a_session_recorded_twice_is_refused() -> None:
    twice = [NewSession("s1", "c1"), NewSession("s1", "c2")]
    with pytest.raises(ValueError, match="twice"):
        replay(recording([0, 1], here("a"), sessions=twice), plan(group("g", {"a": 6})))


@pytest.mark.parametrize(
    ("opened", "assigned", "closed", "median", "expected"),
    [
        (0, 10, 70, 500, 60),
        (0, 70, 10, 500, 0),  # events of two sources: closed before it was assigned
        (0, None, 70, 500, 500),
        (0, 10, None, 500, 500),
        (0, None, 70, None, 70),
        (0, 10, None, None, UNKNOWN_HANDLING_MS),
    ],
)
def test_handling_time(opened: int, assigned: int | None, closed: int | None, median: int | None, expected: int) -> None:
    assert handling_of(opened, assigned, closed, median) == expected
