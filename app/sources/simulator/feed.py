"""The simulated store as a source: the present as it happens, the days before it as a backlog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.domain.events import AnyEvent
from app.domain.localtime import LocalTime
from app.sources.simulator.live import LiveStream
from app.sources.simulator.simulator import Simulator
from app.sources.simulator.world import TAIL_DAYS

PIECE = 1_500
"""Events recorded at a time: few enough that live ones never wait long behind them."""


class SimulatedStore:
    """Source of a simulated store.

    days: how much history to fill in before the day it starts on. finished: day numbers of which everything is known to be
    recorded; they are not made again.
    """

    name = "simulator"

    def __init__(self, simulator: Simulator, days: int, now: int, finished: frozenset[int] = frozenset()) -> None:
        self._simulator = simulator
        self._local = LocalTime(simulator.plan.zone)
        self._now = now
        self._today = self._local.day(now)
        first = self._today - days
        # Yesterday and a week ago first: the live pages compare today with them.
        past = sorted(range(first, self._today), key=lambda day: (self._today - day not in (1, 7), -day))
        self._past = [day for day in past if day not in finished]
        # Everyone is on the books from the first day on.
        self._roster = simulator.roster(self._local.start_of_day(first))
        self._live: LiveStream | None = None

    @property
    def backlog_size(self) -> int:
        """Number of items `backlog` will yield."""
        return len(self._past)

    def due(self, now: int) -> Sequence[AnyEvent]:
        if self._live is None:
            self._live = LiveStream(self._simulator, self._now)
            return [*self._roster, *self._until_start(self._today), *self._live.due(now)]
        return self._live.due(now)

    def backlog(self) -> Iterator[tuple[str, Sequence[Sequence[AnyEvent]]]]:
        for day in self._past:
            yield f"day:{day}", list(_pieces(self._until_start(day)))

    def is_finished(self, item: str) -> bool:
        """Whether a filled-in backlog item can have nothing to come, however long until the next start."""
        return self._today - int(item.removeprefix("day:")) > TAIL_DAYS

    def _until_start(self, day: int) -> list[AnyEvent]:
        """The day's events up to the start; what follows them comes with the live stream."""
        return [event for event in self._simulator.day(day) if event.at <= self._now]


def _pieces(events: Sequence[AnyEvent]) -> Iterator[list[AnyEvent]]:
    """The same events in pieces of about `PIECE`, each session's in one of them."""
    together: dict[str, list[AnyEvent]] = {}
    for event in events:
        together.setdefault(getattr(event, "session", None) or event.id, []).append(event)
    piece: list[AnyEvent] = []
    for bundle in together.values():
        piece += bundle
        if len(piece) >= PIECE:
            yield piece
            piece = []
    if piece:
        yield piece
