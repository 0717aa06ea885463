"""Chance that is the same everywhere.

`random.Random.random` and integer arithmetic give the same values on every machine; `log`, `exp` and `pow` may differ in the last
bit between C libraries, and one differing bit would change every later draw. So curved distributions are tables of whole numbers,
made once, and a draw is `table[int(random() * SIZE)]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from random import Random
from statistics import NormalDist

SIZE = 4096
_MASK = (1 << 64) - 1


def source(*parts: object) -> Random:
    """A generator of its own for what `parts` name; text seeds do not depend on the interpreter's hash seed."""
    return Random("/".join(map(str, parts)))


def lognormal(median_s: float, spread: float, low_s: float, high_s: float) -> tuple[int, ...]:
    """SIZE equally likely durations in milliseconds, log-normal around a median, cut at both ends (all given in seconds)."""
    normal = NormalDist()
    low, high = round(low_s * 1000), round(high_s * 1000)
    return tuple(min(max(round(median_s * 1000 * exp(spread * normal.inv_cdf((i + 0.5) / SIZE))), low), high) for i in range(SIZE))


def even(low_s: float, high_s: float) -> tuple[int, ...]:
    """SIZE equally likely durations in milliseconds between two bounds given in seconds."""
    return tuple(round((low_s + (high_s - low_s) * (i + 0.5) / SIZE) * 1000) for i in range(SIZE))


def weighted(weights: Sequence[float]) -> tuple[int, ...]:
    """SIZE indexes into `weights`, each as often as its weight asks."""
    total = sum(weights)
    table: list[int] = []
    reached = 0.0
    for index, weight in enumerate(weights):
        reached += weight
        table.extend([index] * (round(SIZE * reached / total) - len(table)))
    return tuple(table)


def mix(number: int) -> int:
    """64 well-stirred bits of a number (splitmix64): what a customer is like, without a generator per customer."""
    x = (number + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)
