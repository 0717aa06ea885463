"""Whose turn it is: smooth weighted round robin among thousands who come and go, in time that hardly depends on how many they are.

The rule: everybody eligible gains their weight, the one with most is taken and loses the weights of all. Followed to the letter it
touches everybody each time. But those of one weight all gain the same, so their order only changes when one of them is taken; and there are
no more than ten weights. So each weight keeps its own in order, with what they hold counted from the gains of all rounds so far, and a
decision compares the first of each (docs/decisions/0013-routing.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any

Entry = tuple[Any, ...]
"""What it is ordered by, and last the code of whom or what it is of."""

_SLACK = 64


class Ranking:
    """Entries in order, one for each code; the least is always at hand. Putting and dropping cost O(log n), amortised."""

    __slots__ = ("_heap", "_held", "top")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._held: dict[str, Entry] = {}
        self.top: Entry | None = None
        """The first, where it is known; `first()` finds it again."""

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, code: str) -> bool:
        return code in self._held

    def __iter__(self) -> Iterator[Entry]:
        """In order."""
        return iter(sorted(self._held.values()))

    def put(self, entry: Entry) -> None:
        """In place of what its code had."""
        self._held[entry[-1]] = entry
        heap, top = self._heap, self.top
        heappush(heap, entry)
        if top is not None:
            if entry < top:
                self.top = entry
            elif entry[-1] == top[-1]:
                self.top = None
        if len(heap) > 2 * len(self._held) + _SLACK:
            self._heap = list(self._held.values())
            heapify(self._heap)

    def drop(self, code: str) -> None:
        if self._held.pop(code, None) is self.top:
            self.top = None

    def first(self) -> Entry | None:
        if self.top is None:
            heap, held = self._heap, self._held
            while heap:
                entry = heap[0]
                if held.get(entry[-1]) is entry:
                    self.top = entry
                    break
                heappop(heap)
        return self.top


class Rotation:
    """Smooth weighted round robin. Who is not eligible keeps what they hold until they are again.

    Between those who hold the same: fewest active sessions, then longest idle (the smaller `since`), then the code.
    """

    __slots__ = ("_credits", "_eligible", "_ranked", "_round", "_weights", "total")

    def __init__(self) -> None:
        self.total = 0
        """Weights of all who are eligible."""
        self._round = 0
        self._credits: dict[str, int] = {}  # of those who are not eligible and have been
        self._eligible: dict[str, int] = {}  # what the eligible have lost, without what their weight has gained them in all rounds
        self._weights: dict[str, int] = {}  # of the eligible
        self._ranked: dict[int, Ranking] = {}  # by weight: (lost, active, since, code)

    def __len__(self) -> int:
        return len(self._eligible)

    def __contains__(self, code: str) -> bool:
        return code in self._eligible

    def __iter__(self) -> Iterator[str]:
        return iter(self._eligible)

    def put(self, code: str, weight: int, active: int, since: int) -> None:
        """Eligible from now on, with a weight above 0 (the same as before if they are already)."""
        lost = self._eligible.get(code)
        if lost is None:
            lost = self._eligible[code] = weight * self._round - self._credits.pop(code, 0)
            self._weights[code] = weight
            self.total += weight
            if weight not in self._ranked:
                self._ranked[weight] = Ranking()
        self._ranked[weight].put((lost, active, since, code))

    def drop(self, code: str) -> None:
        """Not eligible any more."""
        lost = self._eligible.pop(code, None)
        if lost is not None:
            weight = self._weights.pop(code)
            self.total -= weight
            self._credits[code] = weight * self._round - lost
            self._ranked[weight].drop(code)

    def take(self) -> str:
        """Whose turn it is. There must be somebody; the caller then `put`s them with their new load, or `drop`s them."""
        self._round += 1
        best: Entry = ()
        least = 0
        for weight, ranking in self._ranked.items():
            found = ranking.top or ranking.first()
            if found is not None:
                short = found[0] - weight * self._round
                if not best or short < least or (short == least and found[1:] < best[1:]):
                    best, least = found, short
        code: str = best[-1]
        self._eligible[code] += self.total
        return code

    def credits(self) -> dict[str, int]:
        """What each holds, by code; those with nothing are left out."""
        found = {code: self._weights[code] * self._round - lost for code, lost in self._eligible.items()} | self._credits
        return {code: found[code] for code in sorted(found) if found[code]}

    def restore(self, credits: dict[str, int]) -> None:
        """What `credits` said, before anybody is put."""
        self._credits = dict(credits)
