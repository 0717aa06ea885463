"""The one interface of everything events come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from app.domain.events import AnyEvent


class Wish(NamedTuple):
    """An agent asks for a session of theirs to be handed to a group."""

    session: str
    agent: str
    group: str


class Slice(NamedTuple):
    """What belongs together: all of it is recorded, or nothing.

    kept: {item: value} for the source to find after a restart. wishes: for the engine that routes.
    """

    events: Sequence[AnyEvent] = ()
    kept: Mapping[str, str] = {}
    wishes: Sequence[Wish] = ()


class Source(Protocol):
    """A store's outside world.

    Events handed over are recorded under `name`; handing one over again is harmless.
    """

    name: str

    def due(self, now: int) -> Iterable[Slice]:
        """What has happened up to `now` (epoch ms) and was not handed over yet, in order of time. Each slice is recorded before the next
        is asked for."""

    def backlog(self) -> Iterator[tuple[str, Sequence[Sequence[AnyEvent]]]]:
        """Older events to fill in when there is time, the most useful first: (what they are, pieces).

        The engine records one piece at a time and lets live events in between; what belongs together, such as a session, is in one
        piece, so that nobody ever sees a past conversation half told. The next is asked for when all pieces are recorded.
        """
