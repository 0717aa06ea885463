"""What chance explains and what it does not: funnel limits for rates, quartiles for everything.

Source: D. J. Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in Medicine 24 (2005) 1185–1202.
Formulas, choices and measurements: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy

from app.domain.language import T
from app.domain.metrics import Metric

Mark = Literal["", "low95", "low99", "high95", "high99"]
"""Where a point lies: inside, beyond the 95 % limit, or beyond the 99.8 % limit, below or above the target."""

TAIL_95, TAIL_99 = 0.025, 0.001
WINSORISED = 0.1

# Rates whose numerator is a part of their denominator, each case counted once: only there does the binomial distribution hold.
_PROPORTIONS = frozenset({
    "answer_rate", "reply_30s_rate", "reply_180s_rate", "invite_rate", "rating_rate", "satisfaction", "bad_rate", "resolution",
    "leave_rate", "leave_response",
})  # fmt: skip


class Limits(NamedTuple):
    """Rates at which chance ends, for one volume: 99.8 % below, 95 % below, 95 % above, 99.8 % above."""

    low99: float
    low95: float
    high95: float
    high99: float


class Quartiles(NamedTuple):
    low: float
    median: float
    high: float


def is_proportion(metric: Metric) -> bool:
    """Whether the metric counts cases out of cases, so that it may have a funnel.

    False for means (seconds), for amounts, for ratios of times, and for rates whose numerator is not a part of the denominator
    (conversion, transfers, replies per question): limits are not defined for them.
    """
    return metric.key in _PROPORTIONS


@dataclass(frozen=True, slots=True)
class Funnel:
    """The limits around a team's pooled rate, and who lies beyond them.

    `target` is the pooled rate, None without any case. `phi` is the winsorised dispersion factor, `overdispersed` whether it exceeds
    what chance explains; the limits are widened only then. `marks` has every key given; `left_out` those without a case or whose
    counts are no proportion, which have no part in the target.
    """

    target: float | None
    phi: float = 0.0
    overdispersed: bool = False
    marks: Mapping[str, Mark] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, points: Iterable[tuple[str, int, int]]) -> Funnel:
        """The funnel of (key, numerator, denominator).

        z = (y − θ) / sqrt(θ (1 − θ) / n) with y = numerator / n and θ the pooled rate. The z-scores are winsorised: the most extreme
        10 % on either side are set to the 10 % and 90 % quantiles. φ = mean(z²). Without overdispersion k·φ follows a chi-squared
        distribution with k degrees of freedom, so φ has mean 1 and standard deviation sqrt(2 / k): the team is overdispersed when
        φ > 1 + 2·sqrt(2 / k). Source: Spiegelhalter 2005, on over-dispersion.

        The plain z is used, not the arcsine of the rate: at a few dozen cases and a rate near 1, arcsine scores find overdispersion
        in up to a third of the teams that have none, plain scores in less than 0.2 %.
        """
        given = list(points)
        usable = [(key, top, n) for key, top, n in given if n >= 1 and 0 <= top <= n]
        left_out = tuple(key for key, top, n in given if not (n >= 1 and 0 <= top <= n))
        if not usable:
            return cls(None, marks=dict.fromkeys(left_out, ""), left_out=left_out)
        target = sum(top for _, top, _ in usable) / sum(n for _, _, n in usable)
        phi = _dispersion([(top / n, n) for _, top, n in usable], target)
        overdispersed = phi > 1 + 2 * math.sqrt(2 / len(usable))
        funnel = cls(target, phi, overdispersed)
        marks = {key: funnel.mark(top, n) if n >= 1 and 0 <= top <= n else "" for key, top, n in given}
        return cls(target, phi, overdispersed, marks, left_out)

    def limits(self, n: int) -> Limits:
        """The limits at a volume of `n` cases. Raises ValueError without a target or for n < 1.

        Exact binomial limits; where the team is overdispersed their distance from the target is multiplied by sqrt(φ), which for large
        n is the paper's θ ± z·sqrt(φ θ (1 − θ) / n). A limit beyond 0 or 1 is cut off there: nothing can lie outside it.
        """
        if self.target is None:
            raise ValueError("no cases, no limits")
        if n < 1:
            raise ValueError(f"no limits for {n} cases")
        target, exact = self.target, _limits(n, self.target)
        widen = math.sqrt(self.phi) if self.overdispersed else 1.0
        return Limits(*(min(1.0, max(0.0, target + widen * (limit - target))) for limit in exact))

    def mark(self, numerator: int, denominator: int) -> Mark:
        """Where a point lies. Raises ValueError without a target or for a denominator below 1."""
        limits, rate = self.limits(denominator), numerator / denominator
        if rate < limits.low95:
            return "low99" if rate < limits.low99 else "low95"
        if rate > limits.high95:
            return "high99" if rate > limits.high99 else "high95"
        return ""


def sentence(mark: Mark, metric: Metric, funnel: Funnel) -> T:
    """What a mark means, in one plain sentence. Nothing is called good or bad: a limit tells chance from difference, not why."""
    team = metric.text(funnel.target)
    if not mark:
        return T(f"与团队 {team} 的差距在随机波动范围内", f"Within what chance explains around the team's {team}")
    way = T("低于", "Below") if mark.startswith("low") else T("高于", "Above")
    spread = T("，已计入团队本身较大的差异", ", even allowing for how much this team varies") if funnel.overdispersed else T("", "")
    if mark.endswith("99"):
        verdict = T("，差距大于随机波动能解释的", ": this difference is larger than chance explains")
    else:
        verdict = T("，差距可能不只是随机波动（没有真实差异时约每 20 人有 1 人如此）",
                    ": perhaps more than chance (without real differences, about 1 in 20 looks like this)")  # fmt: skip
    return T(f"{way.zh}团队的 {team}{verdict.zh}{spread.zh}", f"{way.en} the team's {team}{verdict.en}{spread.en}")


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, linear between neighbours: position (n − 1)·share of the sorted values.

    This is type 7 of Hyndman & Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996) 361–365; the
    quartiles of Excel's QUARTILE.INC. Raises ValueError for no values or a share outside 0 to 1.
    """
    if not values:
        raise ValueError("no values, no quantile")
    if not 0 <= share <= 1:
        raise ValueError(f"no share: {share!r}")
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def quartiles(values: Iterable[float | None]) -> Quartiles | None:
    """Lower quartile, median and upper quartile of the known values (`quantile`); None when there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Quartiles(quantile(known, 0.25), quantile(known, 0.5), quantile(known, 0.75))


def _dispersion(rates: Sequence[tuple[float, int]], target: float) -> float:
    """φ of (rate, volume) around the target; 0 where the target leaves no room to vary."""
    variance = target * (1 - target)
    if variance <= 0:
        return 0.0
    scores = [(rate - target) / math.sqrt(variance / n) for rate, n in rates]
    low, high = quantile(scores, WINSORISED), quantile(scores, 1 - WINSORISED)
    return sum(min(high, max(low, score)) ** 2 for score in scores) / len(scores)


@lru_cache(maxsize=8192)
def _limits(n: int, target: float) -> Limits:
    """Exact limits, not cut off. The upper ones are the lower limits of the misses, mirrored.

    So a rate and its complement have the same funnel, and a point lies beyond a limit exactly when chance alone would carry it at least
    that far with less than the tail probability.
    """
    low99, low95 = _lower_limits(n, target)
    miss99, miss95 = _lower_limits(n, 1 - target)
    return Limits(low99, low95, 1 - miss95, 1 - miss99)


def _lower_limits(n: int, rate: float) -> tuple[float, float]:
    """The lower 99.8 % and 95 % limit of n cases, interpolated between binomial quantiles; may be below 0.

    With R binomial (n, rate), F its distribution function, p the tail probability and r the smallest whole number with F(r) ≥ p:
    α = (F(r) − p) / (F(r) − F(r − 1)), limit = (r − α) / n. Source: Spiegelhalter 2005, appendix on exact limits.
    """
    if rate <= 0 or rate >= 1:
        return rate, rate
    mean, spread = n * rate, math.sqrt(n * rate * (1 - rate))
    # What lies further out adds less than a double can show.
    first, last = max(0, math.floor(mean - 12 * spread - 40)), min(n, math.ceil(mean + 12 * spread + 40))
    peak = min(max(math.floor((n + 1) * rate), first), last)
    odds = rate / (1 - rate)
    up = numpy.arange(peak + 1, last + 1, dtype=float)
    down = numpy.arange(peak, first, -1, dtype=float)
    right = numpy.cumprod((n - up + 1) / up * odds)
    left = numpy.cumprod(down / (n - down + 1) / odds)
    weights = numpy.concatenate((left[::-1], [1.0], right))  # relative to the most likely count: no factorial, no overflow
    reached = numpy.cumsum(weights) / weights.sum()
    found = []
    for tail in (TAIL_99, TAIL_95):
        at = int(numpy.searchsorted(reached, tail))
        before = reached[at - 1] if at else 0.0
        found.append(float((first + at - (reached[at] - tail) / (reached[at] - before)) / n))
    return found[0], found[1]
