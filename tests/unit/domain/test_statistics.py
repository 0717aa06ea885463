from __future__ import annotations

import math
import statistics
from collections import Counter

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import binom

from app.domain.metrics import METRICS
from app.domain.statistics import Funnel, is_proportion, quantile, quartiles, sentence

SATISFACTION = METRICS["satisfaction"]
RATES = (0.001, 0.02, 0.2, 0.5, 0.77, 0.95, 0.999)


def funnel(target: float, phi: float = 0.0, overdispersed: bool = False) -> Funnel:
    return Funnel(target, phi, overdispersed)


def lower(n: int, rate: float, tail: float) -> float:
    """Spiegelhalter's interpolation, written from scipy: (r − α) / n."""
    r = int(binom.ppf(tail, n, rate))
    return (r - (binom.cdf(r, n, rate) - tail) / binom.pmf(r, n, rate)) / n


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 99, 1000, 20_000, 300_000])
@pytest.mark.parametrize("rate", RATES)
def test_limits_agree_with_scipy(n: int, rate: float) -> None:
    expected = (lower(n, rate, 0.001), lower(n, rate, 0.025), 1 - lower(n, 1 - rate, 0.025), 1 - lower(n, 1 - rate, 0.001))
    found = funnel(rate).limits(n)
    assert found == pytest.approx([min(1.0, max(0.0, limit)) for limit in expected], abs=1e-9)
    assert found.low99 <= found.low95 <= rate <= found.high95 <= found.high99


def least(n: int, rate: float, hits: int) -> float:
    """P(R ≤ hits), by the incomplete beta function."""
    return 1.0 if hits >= n else float(betainc(n - hits, hits + 1, 1 - rate))


@given(st.integers(1, 400), st.sampled_from(RATES), st.data())
def test_a_point_is_beyond_a_limit_exactly_when_chance_would_rarely_carry_it_there(n: int, rate: float, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = least(n, rate, hits), least(n, 1 - rate, n - hits)
    if any(abs(chance - tail) < 1e-9 for chance in (low, high) for tail in (0.025, 0.001)):
        return
    side, chance = ("low", low) if low < high else ("high", high)
    expected = "" if chance >= 0.025 else f"{side}95" if chance >= 0.001 else f"{side}99"
    assert funnel(rate).mark(hits, n) == expected


@given(st.integers(1, 500), st.sampled_from(RATES))
def test_a_rate_and_its_complement_have_mirrored_limits(n: int, rate: float) -> None:
    one, other = funnel(rate).limits(n), funnel(1 - rate).limits(n)
    assert [1 - limit for limit in reversed(one)] == pytest.approx(list(other), abs=1e-9)


def test_limits_narrow_with_volume() -> None:
    widths = [found.high95 - found.low95 for n in (10, 100, 1000, 10_000) for found in (funnel(0.8).limits(n),)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(2 * 1.96 * math.sqrt(0.16 / 10_000), rel=0.02)


def test_nobody_nothing_and_one() -> None:
    assert Funnel.of([]).target is None
    with pytest.raises(ValueError, match="no limits"):
        Funnel.of([]).limits(5)
    alone = Funnel.of([("a", 3, 4)])
    assert (alone.target, alone.overdispersed, alone.marks) == (0.75, False, {"a": ""})
    with pytest.raises(ValueError, match="0 cases"):
        alone.limits(0)
    assert Funnel.of([("a", 1, 1), ("b", 0, 1)]).marks == {"a": "", "b": ""}


@pytest.mark.parametrize("hits", [0, 1])
def test_where_all_or_none_succeed_nobody_differs(hits: int) -> None:
    found = Funnel.of([(str(n), hits * n, n) for n in (1, 5, 500)])
    assert found.target == hits
    assert found.limits(5) == (hits,) * 4
    assert (found.phi, set(found.marks.values())) == (0.0, {""})


def test_who_has_no_case_or_more_hits_than_cases_has_no_part() -> None:
    found = Funnel.of([("a", 8, 10), ("none", 0, 0), ("wrong", 12, 10)])
    assert (found.target, found.left_out) == (0.8, ("none", "wrong"))
    assert found.marks == {"a": "", "none": "", "wrong": ""}


@pytest.mark.parametrize("rate", [0.5, 0.85, 0.96])
def test_teams_without_differences_are_marked_as_often_as_the_limits_promise(rate: float) -> None:
    """2,000 teams of 40. What is promised at a volume is what the exact distribution leaves beyond the limits: less than 5 % and 0.2 %,
    because counts are whole."""
    random = numpy.random.default_rng(20260101)
    volumes = random.integers(5, 400, size=(2000, 8)).repeat(5, axis=1)  # a team's limits at a volume are worked out once
    hits = random.binomial(volumes, rate)
    truth = Funnel(rate)
    around_truth, pooled, recognised = Counter[str](), Counter[str](), 0
    for n, r in zip(volumes.tolist(), hits.tolist(), strict=True):
        found = Funnel.of((str(i), r[i], n[i]) for i in range(40))
        recognised += found.overdispersed
        for seen, marks in ((pooled, found.marks.values()), (around_truth, [truth.mark(r[i], n[i]) for i in range(40)])):
            seen["95"] += sum(map(bool, marks))
            seen["99"] += sum(mark.endswith("99") for mark in marks)
    total = volumes.size
    for tail, name, most in ((0.025, "95", 0.05), (0.001, "99", 0.002)):
        promised = 0.0
        for n, times in zip(*numpy.unique(volumes, return_counts=True), strict=True):
            below, above = binom.ppf(tail, n, rate) - 1, binom.ppf(tail, n, 1 - rate) - 1
            promised += times / total * (binom.cdf(below, n, rate) + binom.cdf(above, n, 1 - rate))
        assert promised <= most
        error = 4 * math.sqrt(promised * (1 - promised) / total)
        assert around_truth[name] / total == pytest.approx(promised, abs=error)
        # Everybody pulls the team's own rate a little towards themselves, so around it slightly fewer are marked.
        assert 0.75 * promised - error <= pooled[name] / total <= promised + error
    assert recognised <= 10


def test_one_who_differs_is_found_among_many_who_do_not() -> None:
    random = numpy.random.default_rng(7)
    points = [(str(i), int(random.binomial(300, 0.9)), 300) for i in range(30)]
    found = Funnel.of([*points, ("poor", 222, 300), ("best", 300, 300)])
    assert (found.marks["poor"], found.marks["best"]) == ("low99", "high99")
    assert not found.overdispersed


def test_a_team_that_truly_varies_is_recognised_and_its_limits_are_widened() -> None:
    random = numpy.random.default_rng(11)
    own = numpy.clip(random.normal(0.85, 0.06, 40), 0, 1)
    points = [(str(i), int(random.binomial(500, own[i])), 500) for i in range(40)]
    found = Funnel.of(points)
    assert found.overdispersed
    assert found.phi > 1 + 2 * math.sqrt(2 / 40)
    assert found.target is not None
    exact, wide = Funnel(found.target).limits(500), found.limits(500)
    assert wide.low95 - found.target == pytest.approx(math.sqrt(found.phi) * (exact.low95 - found.target))
    assert sum(map(bool, found.marks.values())) < sum(bool(Funnel(found.target).mark(top, n)) for _, top, n in points)


def test_one_extreme_agent_does_not_widen_everybodys_limits() -> None:
    points = [(str(i), 180 + i % 3, 200) for i in range(30)]
    assert not Funnel.of([*points, ("odd", 20, 200)]).overdispersed


def test_only_cases_out_of_cases_have_limits() -> None:
    assert is_proportion(SATISFACTION)
    for key in ("first_reply", "avg_reply", "consults", "serving_share", "reply_ratio", "transfer_rate", "conversion", "first_reply_p90"):
        assert not is_proportion(METRICS[key]), key


def test_what_a_mark_means_is_said_in_both_languages() -> None:
    team = funnel(0.932)
    assert str(sentence("low99", SATISFACTION, team)) == "低于团队的 93.2%，差距大于随机波动能解释的"
    assert sentence("high99", SATISFACTION, team).en == "Above the team's 93.2%: this difference is larger than chance explains"
    assert sentence("", SATISFACTION, team).en == "Within what chance explains around the team's 93.2%"
    assert "1 in 20" in sentence("low95", SATISFACTION, team).en
    assert "even allowing for" in sentence("low99", SATISFACTION, funnel(0.932, 3.0, True)).en


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(numpy.quantile(values, share)), abs=1e-6)


def test_quartiles_leave_out_what_is_unknown() -> None:
    assert quartiles([None, 4, 1, None, 2, 3]) == (1.75, 2.5, 3.25)
    assert quartiles([None, 7.0]) == (7, 7, 7)
    assert quartiles([None]) is None
    values = [3.0, 9.0, 1.0, 4.0, 4.5]
    found = quartiles(values)
    assert found is not None
    assert found.median == statistics.median(values)
    with pytest.raises(ValueError, match="no share"):
        quantile(values, 1.5)
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
