"""How everything here is measured: both sides in one run, turn by turn, and the ratio of their medians.

Machines differ and are shared; what stays is how the product compares with what its user would otherwise have.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. `value` is judged: it must be, and should be (aim), at most or at least the limit."""

    name: str
    what: str
    ours: str
    peer: str
    value: float
    shown: str
    must: float | None
    aim: float | None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        if self.must is None:
            return ""
        if self._meets(self.aim):
            return "aim"
        return "must" if self._meets(self.must) else "missed"

    @property
    def limits(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return "" if self.must is None else f"{sign} {self.must:g}" + ("" if self.aim is None else f" (aim {self.aim:g})")

    def _meets(self, limit: float | None) -> bool:
        return limit is not None and (self.value >= limit if self.at_least else self.value <= limit)


def paired(ours: Callable[[], float], peer: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Medians (ours, peer) of `repeats` runs of each, taking turns, the first turn changing sides; each call answers its own measure."""
    mine: list[float] = []
    theirs: list[float] = []
    for turn in range(repeats):
        sides: Sequence[tuple[Callable[[], float], list[float]]] = ((ours, mine), (peer, theirs))
        for measure, found in sides if turn % 2 == 0 else reversed(sides):
            found.append(measure())
    return statistics.median(mine), statistics.median(theirs)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, int(share * len(ordered) + 0.999999) - 1))]
