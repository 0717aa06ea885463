"""A discrete-event run that gives its events in order, all at once or as time passes.

A step of the run happens at its time and may add events of that time or later, never earlier. So whatever lies before the next step
is final, and a live store can be run along with the clock instead of a day in advance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

from app.domain.events import AnyEvent
from app.sources.simulator.orders import OrderEvent

AT = attrgetter("at")
AT_ID = attrgetter("at", "id")
_ID = attrgetter("id")
Step = Callable[[int, Any], None]


class Clockwork:
    """Event ids are `tag` and a number that rises in the order of adding, written so that they sort as numbers."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._numbered = self._stepped = 0
        self._steps: list[tuple[int, int, Step, Any]] = []
        # Messages and the like are added for the next minutes and kept in one list; orders reach days ahead and have a heap.
        self._soon: list[AnyEvent] = []
        self._in_order = 0
        self._orders: list[tuple[int, str, OrderEvent]] = []
        self._unasked: list[OrderEvent] = []
        """Events known beforehand, sorted by (at, id)."""
        self._unasked_given = 0

    def everything(self) -> list[AnyEvent]:
        """All events, sorted by (at, id). For a run of which nothing was taken yet."""
        self._run_to(None)
        # By id, then stably by time: faster than by both at once. Ids of unasked events come after all others of their day.
        events: list[AnyEvent] = [*self._soon, *(event for _, _, event in self._orders)]
        events.sort(key=_ID)
        events += self._unasked
        events.sort(key=AT)
        return events

    def upto(self, until: int) -> list[AnyEvent]:
        """The events not given yet with `at` <= until, sorted by (at, id). Costs what happens in that time, not what the day holds."""
        self._run_to(until)
        soon, orders, unasked = self._soon, self._orders, self._unasked
        if len(soon) != self._in_order:
            soon.sort(key=AT)
        cut = bisect_right(soon, until, key=AT)
        events = soon[:cut]
        del soon[:cut]
        self._in_order = len(soon)
        alone = True
        while orders and orders[0][0] <= until:
            events.append(heappop(orders)[2])
            alone = False
        first = last = self._unasked_given
        while last < len(unasked) and AT(unasked[last]) <= until:
            last += 1
        if last > first:
            events.extend(unasked[first:last])
            self._unasked_given = last
            alone = False
        if not alone:
            events.sort(key=AT_ID)
        return events

    @property
    def exhausted(self) -> bool:
        return not (self._steps or self._soon or self._orders or self._unasked_given < len(self._unasked))

    def _run_to(self, until: int | None) -> None:
        steps = self._steps
        while steps and (until is None or steps[0][0] <= until):
            at, _, step, what = heappop(steps)
            step(at, what)

    def _plan(self, at: int, step: Step, what: Any) -> None:
        """Has `step(at, what)` done when the time comes; steps of one millisecond run in the order of planning."""
        self._stepped = number = self._stepped + 1
        heappush(self._steps, (at, number, step, what))

    def _id(self) -> str:
        self._numbered = number = self._numbered + 1
        return f"{self._tag}{number:07d}"

    def _add_order(self, event: OrderEvent) -> None:
        heappush(self._orders, (AT(event), event.id, event))
