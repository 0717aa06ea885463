"""The one interface of everything events come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from app.domain.events import AnyEvent


class Source(Protocol):
    """A store's outside world.

    Events handed over are recorded under `name`; handing one over again is harmless.
    """

    name: str

    def due(self, now: int) -> Sequence[AnyEvent]:
        """What has happened up to `now` (epoch ms) and was not handed over yet, in order of time."""

    def backlog(self) -> Iterator[tuple[str, Sequence[Sequence[AnyEvent]]]]:
        """Older events to fill in when there is time, the most useful first: (what they are, pieces).

        The engine records one piece at a time and lets live events in between; what belongs together, such as a session, is in one
        piece, so that nobody ever sees a past conversation half told.
        """
