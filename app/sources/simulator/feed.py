"""The simulated store as a source: today as it happens, the days before it as a backlog."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from app.domain.events import AnyEvent
from app.domain.localtime import LocalTime
from app.sources.simulator import Simulator

TAIL_DAYS = 20
"""Orders, shipments and cancellations follow a session for at most this long."""


class SimulatedStore:
    """Source of a simulated store.

    days: how much history to fill in before the day it starts on. finished: days of which everything is known to be recorded
    already; those old enough to have no events to come are not made again.
    """

    name = "simulator"

    def __init__(self, simulator: Simulator, days: int, now: int, finished: frozenset[int] = frozenset()) -> None:
        self._simulator = simulator
        self._local = LocalTime(simulator.plan.zone)
        self._days = days
        self._finished = finished
        self._today = self._local.day(now)
        self._made = self._today - 1  # the newest day whose events are in `_coming`
        self._until = now
        self._coming: list[tuple[int, str, AnyEvent]] = []
        # Everyone is on the books from the first day on.
        self._ready: list[AnyEvent] = simulator.roster(self._local.start_of_day(self._today - days))

    def due(self, now: int) -> Sequence[AnyEvent]:
        while self._made < self._local.day(now):
            self._made += 1
            self._expect(self._simulator.day(self._made))
        found, self._ready = self._ready, []
        coming = self._coming
        while coming and coming[0][0] <= now:
            found.append(heapq.heappop(coming)[2])
        self._until = max(self._until, now)
        return found

    def backlog(self) -> Iterator[tuple[str, Sequence[AnyEvent]]]:
        """Yesterday and a week ago first (today is compared with them), then day by day into the past."""
        past = range(1, self._days + 1)
        for ago in sorted(past, key=lambda ago: (ago not in (1, 7), ago)):
            day = self._today - ago
            if day in self._finished:
                continue
            events = self._simulator.day(day)
            cut = next((i for i, event in enumerate(events) if event.at > self._until), len(events))
            self._expect(events[cut:])
            yield f"day:{day}", events[:cut]

    def is_finished(self, item: str) -> bool:
        """Whether a filled-in backlog item can have nothing to come."""
        return self._today - int(item.removeprefix("day:")) > TAIL_DAYS

    @property
    def backlog_size(self) -> int:
        return self._days - sum(self._today - self._days <= day < self._today for day in self._finished)

    def _expect(self, events: Sequence[AnyEvent]) -> None:
        for event in events:
            heapq.heappush(self._coming, (event.at, event.id, event))
