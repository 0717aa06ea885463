"""The catalogue: worked examples, rounding, rows, and every formula against a second one."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import counters, metrics
from app.domain.counters import EDGES_MS, FIRST_REPLY_BINS, SUM_FIELDS, WINDOWS, bin_of, percentile_ms
from app.domain.metrics import GAUGES, METRICS, mean_values, total, values
from tests.oracle import metrics as oracle
from tests.oracle.recompute import COUNTS, UPPER_EDGES_S, histogram_bin

Numbers = dict[str, int]
ALL = tuple(METRICS)


def shown(key: str, numbers: Numbers, window: counters.Window = "24h") -> str:
    return METRICS[key].text(METRICS[key].value(numbers, window))


@pytest.mark.parametrize(
    ("key", "numbers", "text"),
    [
        ("reply_30s_rate", {"consults": 2, "replied_30s": 1}, "50.0%"),
        ("avg_reply", {"turns": 3, "turn_ms": 330_000}, "110.0"),
        ("reply_ratio", {"agent_messages": 3, "customer_messages": 3}, "100.0%"),
        ("answer_rate", {"consults": 2, "received": 1}, "50.0%"),
        ("rating_rate", {"received": 2, "rated": 1}, "50.0%"),
        ("answer_rate", {"consults": 593, "received": 590}, "99.5%"),
        ("unanswered", {"consults": 593, "received": 590}, "3"),
        ("rating_rate", {"rated": 16, "received": 126}, "12.7%"),
        ("leave_rate", {"leave_left": 4, "consults": 69}, "5.5%"),
        ("conversion", {"presale_customers": 2, "order_customers_24h": 1}, "50.0%"),
        ("answer_rate", {}, "--"),
        ("consults", {}, "0"),
        ("order_amount", {"order_amount_24h": 123_456_789}, "1,234,567.89"),
        ("average_order", {"order_amount_24h": 1000, "order_customers_24h": 3}, "3.33"),
        ("login_hours", {"login_ms": 27_018_000}, "7.51"),  # 7.505 hours
        ("session_minutes", {"session_ms": 75_000, "closed": 1}, "1.3"),  # 1.25 minutes
        ("first_reply", {"first_reply_ms": 250, "received": 1}, "0.3"),
        ("replies_per_session", {"agent_messages": 7, "received": 2}, "3.5"),
        ("satisfaction", {"satisfied": 1999, "rated": 2000}, "100.0%"),  # 99.95 %
        ("longest_wait", {"longest_wait_ms": 61_000, "waiting": 1}, "61.0"),
        ("longest_wait", {"waiting": 0}, "--"),
        ("capacity", {}, "--"),
        ("capacity", {"capacity": 0}, "0"),
        ("saturation", {"active_capped": 3, "capacity": 0}, "--"),
    ],
)
def test_worked_examples(key: str, numbers: Numbers, text: str) -> None:
    assert shown(key, numbers) == text


def test_windows_read_their_own_counters() -> None:
    numbers = {f"orders_{window}": index for index, window in enumerate(WINDOWS, 1)}
    assert [METRICS["orders"].value(numbers, window) for window in WINDOWS] == [1, 2, 3]


@given(st.sampled_from([key for key in ALL if METRICS[key].bottom]), st.integers(0, 10**7), st.integers(1, 10**5))
def test_shown_ratios_round_half_up(key: str, top: int, bottom: int) -> None:
    metric = METRICS[key]
    numbers = {name.replace("{W}", "24h"): n for terms, n in ((metric.top, top), (metric.bottom, bottom)) for name in terms}
    scale = {"%": Fraction(100), "s": Fraction(1, 1000), "min": Fraction(1, 60_000), "yuan": Fraction(1, 100)}.get(metric.unit, Fraction(1))
    numerator, denominator = metric.parts(numbers)
    assert denominator is not None
    exact = Fraction(numerator, denominator) * scale
    value = metric.value(numbers)
    assert value is not None
    places = metric.places(value)
    assert places == metric.decimals or any(limit and abs(exact - limit) < Fraction(1, 10) for limit in (metric.warn, metric.alarm))
    steps = (exact * 10**places + Fraction(1, 2)).__floor__()
    assert metric.text(value).rstrip("%").replace(",", "") == str(Decimal(steps).scaleb(-places))


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [("reply_30s_rate", 0.7997, "79.97%"), ("reply_30s_rate", 0.79996, "79.996%"), ("reply_30s_rate", 0.8, "80.0%"),
     ("reply_30s_rate", 0.8004, "80.0%"), ("reply_30s_rate", 0.7994, "79.9%"), ("reply_30s_rate", 0.5998, "59.98%"),
     ("first_reply", 29.96, "29.96"), ("first_reply", 30.04, "30.0"), ("first_reply", 29.9999999, "30.0"), ("consults", 80, "80")],
)  # fmt: skip
def test_rounding_crosses_no_threshold(key: str, value: float, text: str) -> None:
    assert METRICS[key].text(value) == text


@given(st.integers(0, 10**12))
def test_shown_amounts_and_hours_round_half_up(number: int) -> None:
    assert shown("order_amount", {"order_amount_24h": number}) == f"{Decimal(number).scaleb(-2):,.2f}"
    hours = (Decimal(number) / 36_000 + Decimal("0.5")).to_integral_value(ROUND_FLOOR).scaleb(-2)
    assert shown("login_hours", {"login_ms": number}) == f"{hours:,.2f}"


_counts = st.dictionaries(st.sampled_from((*SUM_FIELDS, *GAUGES)), st.integers(0, 500), max_size=20)
_bins = st.dictionaries(st.sampled_from(FIRST_REPLY_BINS), st.integers(0, 9), max_size=6)
_numbers = st.builds(lambda a, b: {**a, **b}, _counts, _bins)


def agree(found: dict[str, float | int | None], expected: dict[str, float | int | None]) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert (found[key] is None) == (value is None), key
        assert found[key] == (None if value is None else pytest.approx(value, rel=1e-12)), key


@given(_numbers, st.sampled_from(sorted(WINDOWS)))
def test_every_formula_against_a_second_one(numbers: Numbers, window: counters.Window) -> None:
    agree(values(numbers, ALL, window), oracle.values(numbers, window))


@given(_numbers, st.sampled_from(sorted(WINDOWS)))
def test_many_metrics_at_once_are_each_one_to_the_last_bit(numbers: Numbers, window: counters.Window) -> None:
    for key, value in values(numbers, ALL, window).items():
        one = METRICS[key].value(numbers, window)
        assert (value, type(value)) == (one, type(one)), key


@given(_numbers, st.integers(0, 20))
def test_pending_sessions_are_left_out_of_two_rates_only(numbers: Numbers, pending: int) -> None:
    live = {**numbers, "pending": pending}
    agree(values(live, ALL, pending=True), {key: oracle.value(key, numbers, pending=pending) for key in oracle.KEYS})
    agree(values(live, ALL), oracle.values(numbers))


@given(st.lists(_numbers, max_size=6), st.sampled_from(sorted(WINDOWS)))
def test_total_and_mean_rows_against_second_ones(rows: list[Numbers], window: counters.Window) -> None:
    agree(values(total(rows), ALL, window), oracle.total_row(rows, window, ALL))
    agree(mean_values(rows, ALL, window), oracle.mean_row(rows, window, ALL))


def test_mean_divides_every_column_by_the_rows_with_data() -> None:
    rows = [{"consults": 6, "received": 3}, {"login_ms": 7_200_000}, {"consults": 0}, {}]
    mean = mean_values(rows, ("consults", "login_hours", "answer_rate", "satisfaction"))
    assert mean == {"consults": 3, "login_hours": 1, "answer_rate": 0.5, "satisfaction": None}


def test_a_rate_is_pooled_never_averaged() -> None:
    rows = [{"consults": 1, "received": 1}, {"consults": 99, "received": 0}]
    assert values(total(rows), ["answer_rate"]) == mean_values(rows, ["answer_rate"]) == {"answer_rate": 0.01}


def test_no_rows_no_mean() -> None:
    assert set(mean_values([], ALL).values()) == {None}


@given(st.lists(_numbers, max_size=5), st.integers(0, 5))
def test_totals_do_not_depend_on_order_or_grouping(rows: list[Numbers], cut: int) -> None:
    assert total(rows) == total(reversed(rows)) == total([total(rows[:cut]), total(rows[cut:])])


# Histograms


@given(st.integers(0, 5_000_000))
def test_bins_include_their_upper_edge(ms: int) -> None:
    assert bin_of(ms) == histogram_bin(ms)


def test_edges_and_names_are_the_agreed_ones() -> None:
    assert [edge // 1000 for edge in EDGES_MS] == UPPER_EDGES_S
    assert set(SUM_FIELDS) == set(COUNTS)
    assert len(SUM_FIELDS) == len(set(SUM_FIELDS))


@given(st.lists(st.integers(0, 4_000_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_percentile_lies_in_the_bin_of_the_true_one(durations: list[int], share: float) -> None:
    bins = [0] * counters.BINS
    for ms in durations:
        bins[bin_of(ms)] += 1
    found = percentile_ms(bins, share)
    rank = -(-Fraction(share).limit_denominator(100) * len(durations) // 1)
    true = sorted(durations)[int(rank) - 1]
    index = bin_of(true)
    low, high = (EDGES_MS[index - 1] if index else 0), (EDGES_MS[index] if index < len(EDGES_MS) else EDGES_MS[-1])
    assert found is not None
    assert low <= found <= high


def test_percentiles_add_up() -> None:
    one, other = [0] * counters.BINS, [0] * counters.BINS
    one[0], other[59] = 9, 1
    assert percentile_ms([a + b for a, b in zip(one, other)], 0.9) == 1000
    assert percentile_ms([0] * counters.BINS, 0.9) is None


# The catalogue itself


def test_every_counter_a_formula_names_exists() -> None:
    for metric in METRICS.values():
        for name in (*metric.top, *metric.bottom):
            windows = WINDOWS if "{W}" in name else ("24h",)
            for window in windows:
                assert name.replace("{W}", window) in (*SUM_FIELDS, *GAUGES), (metric.key, name)


def test_every_metric_of_the_definition_is_there_once_with_both_names() -> None:
    assert set(METRICS) == set(oracle.KEYS)
    assert len(metrics._ENTRIES) == len(METRICS)
    for metric in METRICS.values():
        assert metric.label.zh
        assert metric.label.en
        assert metric.definition.zh
        assert metric.definition.en
    for language in ("zh", "en"):
        labels = [getattr(metric.label, language) for metric in METRICS.values()]
        assert len(labels) == len(set(labels)), language


@pytest.mark.parametrize("keys", [metrics.OVERVIEW_TILES, metrics.SEAT_COLUMNS, metrics.SEAT_OPTIONAL, sum(metrics.OVERVIEW_CHART, ())])
def test_pages_name_metrics_that_exist(keys: tuple[str, ...]) -> None:
    assert set(keys) <= set(METRICS)


@pytest.mark.parametrize(
    ("key", "value", "level"),
    [("reply_30s_rate", 0.8, ""), ("reply_30s_rate", 0.799, "warn"), ("reply_30s_rate", 0.59, "alarm"), ("reply_30s_rate", None, ""),
     ("longest_wait", 29.9, ""), ("longest_wait", 30, "warn"), ("longest_wait", 180, "alarm"), ("saturation", 0.8, "warn"),
     ("saturation", 1.0, "alarm"), ("consults", 5, "")],
)  # fmt: skip
def test_levels(key: str, value: float | None, level: str) -> None:
    assert METRICS[key].level(value) == level


def test_formulas_are_spelt_with_the_window() -> None:
    assert METRICS["conversion"].formula("7d") == "order_customers_7d / presale_customers"
    assert METRICS["unanswered"].formula() == "(consults − received)"
    assert METRICS["first_reply_p90"].formula() == "P90(first_reply)"


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_rate_exactly_at_its_threshold_has_reached_it(percent: int) -> None:
    source = METRICS["answer_rate"]
    at_it = source.value({"received": percent, "consults": 100})
    levels: dict[metrics.Better, metrics.Level] = {"up": "", "down": "warn", "": "warn"}
    for better, level in levels.items():
        assert replace(source, better=better, warn=percent, alarm=None).level(at_it) == level
