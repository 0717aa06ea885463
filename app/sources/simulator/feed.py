"""The simulated store as a source: the present as it happens, the days before it as a backlog."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from app.domain.events import AnyEvent, State
from app.domain.lived import Given, Memory
from app.domain.localtime import LocalTime
from app.domain.routing.scopes import Plan as RoutingPlan
from app.sources.base import Slice
from app.sources.simulator.deciding import Elsewhere, InProcess
from app.sources.simulator.going_on import OngoingDay
from app.sources.simulator.simulator import Simulator
from app.sources.simulator.world import TAIL_DAYS

PIECE = 1_500
"""Events recorded at a time: few enough that live ones never wait long behind them."""
_SLICE = 3_000
_STEP_MS = 300_000
_PAUSE_MS = 900_000
"""A present that has missed so much was interrupted, as by a computer that slept."""
_REACHED, _DAY, _CUT, _FINISHED = "reached", "day:", "cut:", "finished"


class SimulatedStore:
    """Source of a simulated store.

    Whole days before the first present are functions of the plan. From then on it lives: up to `now` it decides by itself who takes a
    session, by `routing`; later it is told (`hear`). After an interruption it goes on from what is recorded (docs/decisions/0016).

    days: how much history to fill in before the day it starts on. memory: what is recorded. kept: what slices gave to be kept, and
    {"day:N": "finished"} for backlog items that are recorded.
    """

    name = "simulator"

    def __init__(
        self, simulator: Simulator, days: int, now: int, memory: Memory, routing: RoutingPlan | None = None, kept: Mapping[str, str] = {}
    ) -> None:  # fmt: skip
        self._simulator = simulator
        self._local = LocalTime(simulator.plan.zone)
        self._memory = memory
        self._routing = routing or simulator.routing
        self._kept = dict(kept)
        self._now = self._upto = now
        self._today = self._local.day(now)
        self._first = first = self._today - days
        lived = {self._today, self._reached()[0]}
        # Yesterday and a week ago first: the live pages compare today with them.
        past = sorted(range(first, self._today), key=lambda day: (self._today - day not in (1, 7), -day))
        self._past = [day for day in past if day not in lived and f"{_DAY}{day}" not in kept]
        self._run: OngoingDay | None = None
        self._elsewhere = Elsewhere()
        self.heard = -1
        """The store's revision up to which it was told what others have decided, -1 for none."""

    @property
    def backlog_size(self) -> int:
        """Number of items `backlog` will yield."""
        return len(self._past)

    def due(self, now: int) -> Iterable[Slice]:
        for part in self._due(now):
            yield part
            self._kept.update(part.kept)

    def _due(self, now: int) -> Iterator[Slice]:
        run = self._run
        if run is None or now > self._upto + _PAUSE_MS:
            yield from self._begin(now)
            return
        self._upto = now
        events, wishes = run.upto(now), self._elsewhere.taken_wishes()
        if events or wishes:
            yield Slice(events, self._reaching(run.day, now), wishes)

    def backlog(self) -> Iterator[tuple[str, Sequence[Sequence[AnyEvent]]]]:
        for day in self._past:
            until = self._cut(day)
            yield f"{_DAY}{day}", list(_pieces([event for event in self._simulator.day(day) if event.at <= until]))
            if day == self._today - 1 and self._run is not None:  # what it has left over is the present's from now on
                self._run.adopt(self._memory.open_sessions(), max(until, self._upto))
                self._run.await_orders(self._memory, until)

    def hear(self, now: int, revision: int, given: Iterable[Given], states: Mapping[str, State]) -> None:
        """What others have decided up to a revision of the store."""
        if self._run is not None:
            self._run.hear(max(now, self._upto), given, states)
            self.heard = revision

    def asked(self) -> Collection[str]:
        """Sessions that may wait for another agent than the one they have: `hear` wants to know whether they do."""
        return () if self._run is None else self._run.asked()

    @staticmethod
    def settled(first: int, today: int, now: int) -> dict[str, str]:
        """What is kept for a store that is as it should be up to now, whoever made its days from the first on."""
        return {_REACHED: f"{today} {now}", **{f"{_DAY}{day}": _FINISHED for day in range(first, today + 1)}}

    def _reached(self) -> tuple[int, int]:
        """(day, epoch ms): the day that it lives, and up to when all of it is recorded."""
        found = self._kept.get(_REACHED)
        if found is None:
            return self._today, self._local.start_of_day(self._today) - 1
        day, at = found.split()
        return int(day), int(at)

    def _reaching(self, day: int, at: int) -> dict[str, str]:
        return {_REACHED: f"{day} {at}", f"{_DAY}{day}": _FINISHED}

    def _cut(self, day: int) -> int:
        """Until when a day before is a function of the plan: what it leaves over is lived."""
        return int(self._kept.get(f"{_CUT}{day}", self._now))

    def _begin(self, now: int) -> Iterator[Slice]:
        """Everything up to now that is not in the backlog."""
        local, yesterday = self._local, self._today - 1
        if self._run is not None:
            self._now, self._today, self._run = now, local.day(now), None
        # Everyone is on the books from the first day on.
        roster = self._simulator.roster(local.start_of_day(self._first))
        yield Slice(roster, {f"{_CUT}{yesterday}": str(self._cut(yesterday))} if yesterday in self._past else {})
        day, at = min(self._reached(), (self._today, self._now))  # a clock may have been set back
        fresh = _REACHED not in self._kept
        if day < self._today:
            yield from self._fill(self._going_on(day, at), day, at)
            day, at, fresh = self._today, local.start_of_day(self._today) - 1, True
        run = self._going_on(day, at)
        run.await_unasked(range(day - TAIL_DAYS, day), self._now if fresh else at)
        yield from self._fill(run, day, at)
        run.decided_by(self._elsewhere)
        run.goes_on = True
        self._run, self._upto, self.heard = run, self._now, -1

    def _going_on(self, day: int, at: int) -> OngoingDay:
        run = OngoingDay(self._simulator.world, day, InProcess(self._routing), since=at, tag=f"{day}.{at}")
        run.resume(self._memory, at)
        if day < self._today:
            run.await_unasked(range(day - TAIL_DAYS, day), at)
        return run

    def _fill(self, run: OngoingDay, day: int, at: int) -> Iterator[Slice]:
        """In slices that end between two moments, so that an interruption leaves exactly what was recorded."""
        events: list[AnyEvent] = []
        while at < self._now:
            at = min(at + _STEP_MS, self._now)
            events += run.upto(at)
            if len(events) >= _SLICE or at == self._now:
                yield Slice(events, self._reaching(day, at))
                events = []


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
