"""The oracle itself, against the worked examples of the definitions and cases counted by hand."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import metrics
from tests.oracle.recompute import Key, Result, assessed, grouped, recompute, select
from tests.oracle.streams import batches, moment, ndjson, places, random_place, random_stream, scramble, streams

SHANGHAI = "Asia/Shanghai"
NOON = 1_709_179_200_000  # 2024-02-29 12:00 in Shanghai
S, MIN, H, D = 1000, 60_000, 3_600_000, 86_400_000
_ids = count()


def event(kind: str, at: int, /, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "id": f"t{next(_ids)}", "at": at, **fields}


def opened(at: int = NOON, session: str = "s", customer: str = "c", **fields: Any) -> dict[str, Any]:
    return event("session.opened", at, session=session, customer=customer, **fields)


def assigned(at: int, agent: str, session: str = "s", **fields: Any) -> dict[str, Any]:
    return event("session.assigned", at, session=session, agent=agent, **fields)


def asks(at: int, session: str = "s") -> dict[str, Any]:
    return event("message.sent", at, session=session, sender="customer")


def answers(at: int, agent: str | None = None, session: str = "s") -> dict[str, Any]:
    return event("message.sent", at, session=session, sender="agent", **({"agent": agent} if agent else {}))


def placed(at: int, order: str = "o", customer: str = "c", **skus: tuple[int, int]) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": quantity, "amount_fen": fen} for sku, (quantity, fen) in (skus or {"k": (1, 100)}).items()]
    return event("order.placed", at, order=order, customer=customer, lines=lines)


def handled(session: str, customer: str, at: int = NOON, agent: str = "a", after: int = S, **fields: Any) -> list[dict[str, Any]]:
    """A session answered `after` ms."""
    return [opened(at, session, customer, agent=agent, **fields), asks(at, session), answers(at + after, None, session)]


def counted(*events: Any, zone: str = SHANGHAI) -> Result:
    flat: list[dict[str, Any]] = []
    for item in events:
        flat.extend(item if isinstance(item, list) else [item])
    return recompute(flat, zone)


def by_agent(result: Result) -> dict[str | None, dict[str, int]]:
    return grouped(result.counters, lambda key: key.agent)


def value(key: str, *events: Any, window: str = "24h") -> metrics.Value:
    return metrics.value(key, select(counted(*events).counters), window)


# The worked examples of the definitions


def test_two_first_replies_one_in_time() -> None:
    assert value("reply_30s_rate", handled("s1", "c1", after=45 * S), handled("s2", "c2", after=29 * S)) == 0.5


def test_three_turns() -> None:
    at = NOON
    talk = [opened(agent="a")]
    for gap in (30, 120, 180):
        talk += [asks(at), answers(at + gap * S)]
        at += gap * S + MIN
    assert value("avg_reply", talk) == 110
    assert value("reply_ratio", talk) == 1


def test_one_of_two_never_answered() -> None:
    assert value("answer_rate", handled("s1", "c1"), opened(NOON, "s2", "c2", agent="a"), asks(NOON, "s2")) == 0.5


def test_one_of_two_rated() -> None:
    rating = event("rating.given", NOON + MIN, session="s1", score=5)
    assert value("rating_rate", handled("s1", "c1"), handled("s2", "c2"), rating) == 0.5


def test_rates_of_plain_counts() -> None:
    counts = {"consults": 593, "received": 590}
    assert metrics.value("answer_rate", counts) == pytest.approx(0.995, abs=0.0005)
    assert metrics.value("unanswered", counts) == 3
    assert metrics.value("rating_rate", {"rated": 16, "received": 126}) == pytest.approx(0.127, abs=0.0005)
    assert metrics.value("leave_rate", {"leave_left": 4, "consults": 69}) == pytest.approx(0.055, abs=0.0005)


def test_only_the_customer_who_ordered_within_a_day_counts() -> None:
    day_2, day_3 = NOON + 23 * H, NOON + 36 * H
    events = [handled("sa", "A"), handled("sb", "B"), placed(day_2, "ob", "B"), placed(day_3, "oa", "A")]
    assert value("conversion", *events) == 0.5
    assert value("conversion", *events, window="7d") == 1


# Sessions by hand


def test_a_plain_session_sits_on_its_start() -> None:
    result = counted(
        opened(NOON + 7 * MIN, agent="a", group="g", channel="app", sku="k"),
        asks(NOON + 7 * MIN),
        answers(NOON + 7 * MIN + 2500),
        event("rating.invited", NOON + 9 * MIN, session="s"),
        event("rating.given", NOON + 10 * MIN, session="s", score=4, resolved=True),
        event("session.closed", NOON + 11 * MIN, session="s"),
    )
    assert result.counters == {
        Key("2024-02-29", 145, "a", "g", "app", 0): {
            "consults": 1, "received": 1, "replied_30s": 1, "replied_180s": 1, "first_reply_ms": 2500, "first_reply_h2": 1,
            "turns": 1, "turn_ms": 2500, "turn_h2": 1, "agent_messages": 1, "customer_messages": 1, "session_ms": 4 * MIN,
            "closed": 1, "invited": 1, "rated": 1, "satisfied": 1, "resolved": 1, "presale_customers": 1,
        }
    }  # fmt: skip


def test_a_session_over_midnight_belongs_to_its_first_day() -> None:
    late = NOON + 12 * H - 1
    assert {key.day for key in counted(handled("s", "c", late, after=2 * H)).counters} == {"2024-02-29"}


def test_a_transfer_moves_everything_but_transferred_out() -> None:
    result = counted(
        opened(agent="a", group="g1"),
        asks(NOON),
        answers(NOON + 5 * S),
        asks(NOON + 10 * S),
        assigned(NOON + 20 * S, "b", group="g2"),
        asks(NOON + 25 * S),
        answers(NOON + 60 * S),
    )
    assert result.counters == {
        Key("2024-02-29", 144, "a", "g1", "other", 0): {"transferred_out": 1},
        Key("2024-02-29", 144, "b", "g2", "other", 0): {
            "consults": 1, "received": 1, "replied_180s": 1, "first_reply_ms": 40 * S, "first_reply_h39": 1,
            "turns": 1, "turn_ms": 40 * S, "turn_h39": 1, "agent_messages": 1, "customer_messages": 1, "transferred_in": 1,
            "presale_customers": 1,
        },
    }  # fmt: skip


def test_there_and_back() -> None:
    found = by_agent(
        counted(opened(agent="a"), asks(NOON), answers(NOON + S), assigned(NOON + MIN, "b"), assigned(NOON + H, "a"), answers(NOON + H + S))
    )
    assert found["b"] == {"transferred_out": 1}
    assert found["a"]["transferred_out"] == found["a"]["transferred_in"] == found["a"]["agent_messages"] == 1
    assert found["a"]["first_reply_ms"] == S
    assert "turns" not in found["a"]  # the question was answered before the transfers


def test_assigning_the_owner_again_only_changes_the_group() -> None:
    result = counted(opened(agent="a", group="g1"), asks(NOON), assigned(NOON + S, "a", group="g2"), answers(NOON + 9 * S))
    assert [(key.agent, key.group) for key in result.counters] == [("a", "g2")]
    assert select(result.counters)["first_reply_ms"] == 9 * S
    assert "transferred_out" not in select(result.counters)


def test_the_first_agent_who_writes_owns_an_unassigned_session() -> None:
    found = by_agent(counted(opened(group="g"), asks(NOON), answers(NOON + S), answers(NOON + 3 * S, "a"), answers(NOON + 4 * S, "b")))
    assert set(found) == {"a"}
    assert (found["a"]["first_reply_ms"], found["a"]["agent_messages"]) == (3 * S, 1)


def test_unassigned_counts_for_the_store_only() -> None:
    assert by_agent(counted(opened(), asks(NOON))) == {None: {"consults": 1, "customer_messages": 1}}


def test_only_who_has_been_written_to_consults() -> None:
    assert select(counted(opened(agent="a"), answers(NOON)).counters) == {"agent_messages": 1}


def test_bots_do_not_answer() -> None:
    found = select(counted(opened(agent="a"), asks(NOON), event("message.sent", NOON + S, session="s", sender="bot")).counters)
    assert found == {"consults": 1, "customer_messages": 1}


@pytest.mark.parametrize(
    ("after", "in_30s", "in_180s", "bin_"),
    [(0, 1, 1, 0), (S, 1, 1, 0), (S + 1, 1, 1, 1), (30 * S, 1, 1, 29), (30 * S + 1, 0, 1, 30), (60 * S, 0, 1, 59),
     (60 * S + 1, 0, 1, 60), (180 * S, 0, 1, 64), (180 * S + 1, 0, 0, 65), (3600 * S, 0, 0, 71), (3600 * S + 1, 0, 0, 72)],
)  # fmt: skip
def test_borders_of_first_replies(after: int, in_30s: int, in_180s: int, bin_: int) -> None:
    found = select(counted(handled("s", "c", after=after)).counters)
    assert (found.get("replied_30s", 0), found.get("replied_180s", 0)) == (in_30s, in_180s)
    assert [name for name in found if name.startswith("first_reply_h")] == [f"first_reply_h{bin_}"]


def test_an_answer_in_the_same_millisecond_comes_after_the_question() -> None:
    assert select(counted(answers(NOON, "a"), asks(NOON), opened()).counters)["received"] == 1


def test_closed_again_after_coming_back() -> None:
    close = [event("session.closed", NOON + m * MIN, session="s") for m in (5, 6, 30)]
    assert select(counted(handled("s", "c"), close).counters)["session_ms"] == 5 * MIN
    assert select(counted(handled("s", "c"), close, asks(NOON + 10 * MIN)).counters)["session_ms"] == 30 * MIN
    assert "closed" not in select(counted(handled("s", "c"), close, asks(NOON + H)).counters)


def test_the_last_rating_wins() -> None:
    ratings = [event("rating.given", NOON + at, session="s", score=score) for at, score in ((9, 1), (5, 5), (9, 2))]
    found = select(counted(opened(), ratings).counters)
    assert found == {"rated": 1, "dissatisfied": 1}


def test_leave_messages() -> None:
    result = counted(
        opened(kind="leave", group="g"),
        asks(NOON),
        assigned(NOON + H, "a"),
        answers(NOON + 2 * H),
        event("rating.given", NOON + 3 * H, session="s", score=5),
        placed(NOON + 3 * H),
    )
    assert result.counters == {
        Key("2024-02-29", 144, None, "g", "other", 0): {"leave_left": 1},
        Key("2024-02-29", 144, "a", "g", "other", 0): {"leave_assigned": 1, "leave_received": 1},
    }


def test_the_second_owner_of_a_leave_message_has_to_answer() -> None:
    found = by_agent(counted(opened(kind="leave", agent="a"), answers(NOON), assigned(NOON + S, "b")))
    assert found == {None: {"leave_left": 1}, "b": {"leave_assigned": 1}}


def test_spam_wins_over_bot_only() -> None:
    flags = [event("session.flagged", NOON + i, session="s", flag=flag) for i, flag in enumerate(("spam", "bot_only"))]
    assert {key.flag for key in counted(handled("s", "c"), flags).counters} == {1}
    assert {key.flag for key in counted(handled("s", "c"), flags[1]).counters} == {2}


def test_the_earliest_opening_counts_and_none_means_nothing() -> None:
    result = counted(opened(NOON, channel="web", agent="a"), opened(NOON + H, customer="else", channel="app", agent="b"), asks(NOON))
    assert {(key.agent, key.channel) for key in result.counters} == {("a", "web")}
    assert result.sessions["s"].customer == "c"
    assert counted(asks(NOON), answers(NOON, "a"), assigned(NOON, "a")).counters == {}


def test_facts_before_the_opening_count() -> None:
    found = by_agent(counted(asks(NOON - MIN), assigned(NOON - MIN, "a"), opened(), answers(NOON + S)))
    assert found["a"]["first_reply_ms"] == 61 * S


# Presence and visitors by hand


def presence(at: int, state: str, agent: str = "a") -> dict[str, Any]:
    return event("agent.presence", at, agent=agent, state=state)


def test_presence_is_split_at_slots() -> None:
    result = counted(presence(NOON + 4 * MIN, "available"), presence(NOON + 6 * MIN, "suspended"), presence(NOON + 12 * MIN, "offline"))
    assert result.counters == {
        Key("2024-02-29", 144, "a", None, None, 0): {"login_ms": MIN, "serving_ms": MIN, "logins": 1},
        Key("2024-02-29", 145, "a", None, None, 0): {"login_ms": 5 * MIN, "serving_ms": MIN, "suspended_ms": 4 * MIN},
        Key("2024-02-29", 146, "a", None, None, 0): {"login_ms": 2 * MIN, "suspended_ms": 2 * MIN},
    }


def test_the_running_state_is_not_counted_and_repeats_are_one() -> None:
    points = [presence(NOON, "away"), presence(NOON, "away"), presence(NOON + S, "available"), presence(NOON + 2 * S, "available")]
    assert select(counted(points).counters) == {"login_ms": 2 * S, "serving_ms": 2 * S, "logins": 1}


def test_offline_last_within_a_millisecond() -> None:
    points = [presence(NOON, "offline"), presence(NOON, "available"), presence(NOON + H, "available"), presence(NOON + 2 * H, "offline")]
    assert select(counted(points).counters) == {"login_ms": H, "serving_ms": H, "logins": 2}


@pytest.mark.parametrize(
    ("zone", "day", "hours", "slots"),
    [("Europe/Berlin", 1_711_839_600_000, 23, 276), ("Europe/Berlin", 1_729_980_000_000, 25, 288),
     ("America/New_York", 1_741_496_400_000, 23, 276), ("Asia/Kolkata", 1_709_145_000_000, 24, 288)],
)  # fmt: skip
def test_a_whole_day_online_where_clocks_change(zone: str, day: int, hours: int, slots: int) -> None:
    result = counted(presence(day, "available"), presence(day + hours * H, "offline"), zone=zone)
    assert len({key.day for key in result.counters}) == 1
    assert sorted({key.slot for key in result.counters})[:: slots - 1] == [0, 287]
    assert len(result.counters) == slots
    assert select(result.counters)["login_ms"] == hours * H


def test_visitors_are_distinct_per_day_and_kind() -> None:
    def enters(at: int, customer: str, available: bool) -> dict[str, Any]:
        return event("visitor.entered", at, customer=customer, available=available)

    result = counted(
        enters(NOON + H, "c", True), enters(NOON, "c", True), enters(NOON, "d", True), enters(NOON, "c", False), enters(NOON + D, "c", True)
    )
    assert result.counters == {
        Key("2024-02-29", 144, None, None, None, 0): {"visitors_online": 2, "visitors_leave": 1},
        Key("2024-03-01", 144, None, None, None, 0): {"visitors_online": 1},
    }


# Orders by hand


def test_a_line_goes_to_the_last_session_about_its_sku_else_to_the_last() -> None:
    result = counted(
        handled("s1", "c", NOON, "a", sku="k1"),
        handled("s2", "c", NOON + H, "b", sku="k2"),
        handled("s3", "c", NOON + 2 * H, "b", sku="k2"),
        placed(NOON + 3 * H, k1=(2, 1000), k2=(1, 500), k3=(1, 30)),
    )
    assert [(c.sku, c.session) for c in result.credits if c.window == "24h"] == [("k1", "s1"), ("k2", "s3"), ("k3", "s3")]
    found = by_agent(result)
    for agent, items, fen in (("a", 2, 1000), ("b", 2, 530)):
        assert found[agent]["order_items_7d"] == items
        assert found[agent]["order_amount_7d"] == fen
        assert found[agent]["orders_7d"] == found[agent]["order_customers_7d"] == found[agent]["presale_customers"] == 1


def test_windows_include_their_end() -> None:
    for after, windows in ((-1, ()), (0, ("24h", "7d", "15d")), (D, ("24h", "7d", "15d")), (D + 1, ("7d", "15d")),
                           (7 * D, ("7d", "15d")), (7 * D + 1, ("15d",)), (15 * D, ("15d",)), (15 * D + 1, ())):  # fmt: skip
        found = select(counted(handled("s", "c"), placed(NOON + after)).counters)
        assert {window for window in ("24h", "7d", "15d") if found.get(f"orders_{window}")} == set(windows), after


def test_each_window_has_its_own_candidates() -> None:
    result = counted(handled("s1", "c", NOON, "a", sku="k"), handled("s2", "c", NOON + 2 * D, "b"), placed(NOON + 2 * D + H))
    assert {c.window: c.agent for c in result.credits} == {"24h": "b", "7d": "a", "15d": "a"}


def test_an_unanswered_or_foreign_session_earns_nothing() -> None:
    assert not counted(opened(agent="a"), asks(NOON), handled("s2", "d"), placed(NOON + H)).credits


@pytest.mark.parametrize(("after", "stays"), [(-H, False), (0, False), (15 * D, False), (15 * D + 1, True)])
def test_cancelling(after: int, stays: bool) -> None:
    placed_at = NOON + H
    cancel = event("order.cancelled", placed_at + after, order="o")
    again = event("order.cancelled", placed_at + 20 * D, order="o")
    assert bool(counted(handled("s", "c"), placed(placed_at), again, cancel).credits) is stays


def test_the_first_placing_of_an_order_wins() -> None:
    result = counted(handled("s", "c"), placed(NOON + 2 * H, customer="d", k=(9, 9)), placed(NOON + H, k=(1, 100)))
    assert {(c.quantity, c.amount_fen) for c in result.credits} == {(1, 100)}


def test_orders_and_customers_are_distinct_per_agent_and_day() -> None:
    result = counted(
        handled("s1", "c", NOON, "a", sku="k1"),
        handled("s2", "c", NOON + MIN, "a", sku="k2"),
        handled("s3", "c", NOON + D, "a", sku="k3"),
        placed(NOON + D + H, "o1", k1=(1, 1), k2=(1, 1), k3=(1, 1)),
        placed(NOON + D + H, "o2", k1=(1, 1)),
    )
    found = grouped(result.counters, lambda key: (key.day, key.slot))
    first, second = found["2024-02-29", 144], found["2024-03-01", 144]
    assert (first["orders_7d"], first["order_customers_7d"], first["presale_customers"]) == (2, 1, 1)
    assert (second["orders_7d"], second["order_customers_7d"]) == (1, 1)


@pytest.mark.parametrize(
    ("state", "lag", "presale"),
    [("none", D, True), ("placed", None, False), (None, None, True), (None, 15 * D + 1, True), (None, 15 * D, False), (None, 1, False),
     (None, 0, True)],
)  # fmt: skip
def test_presale(state: str | None, lag: int | None, presale: bool) -> None:
    order = [] if lag is None else placed(NOON - lag)
    session = handled("s", "c", order_state=state)
    assert bool(select(counted(session, order).counters).get("presale_customers")) is presale


def test_a_presale_customer_sits_on_the_earliest_session_of_the_day() -> None:
    result = counted(handled("s2", "c", NOON), handled("s10", "c", NOON, order_state="none", group="g"), handled("s3", "c", NOON + H))
    assert [(key.slot, key.group) for key, counts in result.counters.items() if "presale_customers" in counts] == [(144, "g")]


# Populations, rows, percentiles


def test_assessed_hours_and_flags() -> None:
    nine, eleven_pm = NOON - 3 * H, NOON + 11 * H
    sessions = [handled(f"s{i}", "c", at) for i, at in enumerate((nine - 1, nine, eleven_pm - 1, eleven_pm, NOON))]
    spam = event("session.flagged", NOON, session="s4", flag="spam")
    assert select(counted(*sessions, spam).counters, assessed)["consults"] == 2


def test_mean_row() -> None:
    rows = [{"consults": 4, "received": 2}, {"consults": 0}, {"login_ms": H}]
    assert metrics.total_row(rows)["answer_rate"] == metrics.mean_row(rows)["answer_rate"] == 0.5
    assert metrics.mean_row(rows)["consults"] == 2
    assert metrics.mean_row(rows)["login_hours"] == 0.5
    assert metrics.mean_row(rows)["avg_reply"] is None
    assert set(metrics.mean_row([{}]).values()) == {None}


@pytest.mark.parametrize(
    ("bins", "seconds"),
    [({}, None), ({0: 1}, 0.9), ({0: 9, 40: 1}, 1.0), ({0: 8, 59: 2}, 59.5), ({60: 10}, 73.5), ({72: 1}, 3600), ({71: 90, 72: 10}, 3600)],
)
def test_ninetieth_percentile(bins: dict[int, int], seconds: float | None) -> None:
    found = metrics.value("first_reply_p90", {f"first_reply_h{i}": n for i, n in bins.items()})
    assert found == seconds or math.isclose(float(found or 0), float(seconds or 0))


# The oracle and the generators as a whole


def test_it_shares_no_code_with_the_program() -> None:
    names = ["metrics", "recompute", "streams", "malformed"]
    code = "import sys;" + "".join(f"import tests.oracle.{name};" for name in names)
    subprocess.run([sys.executable, "-c", code + "sys.exit(any(m.split('.')[0] in ('app', 'ui') for m in sys.modules))"], check=True)


@pytest.mark.parametrize("seed", range(13))
def test_any_order_says_the_same(seed: int) -> None:
    zone, start = places()[seed]
    stream = random_stream(seed, 40, zone=zone, start=start)
    assert stream == random_stream(seed, 40, zone=zone, start=start)
    expected = recompute(stream, zone)
    again = recompute([item for batch in scramble(stream, seed) for item in batch], zone)
    assert again.counters == expected.counters
    assert again.credits == expected.credits


def test_the_random_streams_reach_every_counter() -> None:
    from tests.oracle.recompute import COUNTS, UPPER_EDGES_S

    reached: set[str] = set()
    for seed in range(12):
        zone, start = random_place(seed)
        reached |= set(select(recompute(random_stream(seed, 150, zone=zone, start=start), zone).counters))
    histograms = {f"{name}_h{i}" for name in ("first_reply", "turn") for i in range(len(UPPER_EDGES_S) + 1)}
    assert set(COUNTS) - reached == set()
    assert reached - set(COUNTS) - histograms == set()


@settings(max_examples=60)
@given(st.data())
def test_the_strategies_agree_in_any_order(data: st.DataObject) -> None:
    stream = data.draw(streams())
    arrived = [item for batch in data.draw(batches(stream)) for item in batch]
    found, expected = recompute(arrived, "Europe/Berlin"), recompute(stream, "Europe/Berlin")
    assert found.counters == expected.counters
    totals = select(expected.counters)
    assert totals.get("received", 0) <= totals.get("consults", 0)
    assert totals.get("login_ms", 0) == totals.get("serving_ms", 0) + totals.get("suspended_ms", 0)


def test_streams_are_lines_in_order_of_time() -> None:
    stream = random_stream(3, 30)
    assert ndjson(stream).count(b"\n") == len(stream)
    assert len({item["id"] for item in stream}) < len(stream)
    moments = [moment(item["at"]) for item in stream]
    assert sum(later < earlier for earlier, later in pairwise(moments)) < len(stream) / 10
