"""Which events of a store have been recorded: 64 bits of each identity, eight bytes apiece, in rows of one minute and one batch.

A row per event would cost ten times its key, and an index insert at a random place for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from app.domain.events import AnyEvent
from app.storage import schema
from app.storage.bulk import Bulk, Row

_MINUTE_MS = 60_000
_BYTES = 8
_REMEMBERED = 100_000


def identity(source: str, event: AnyEvent) -> bytes:
    return blake2b(source.encode() + b"\0" + event.id.encode(), digest_size=_BYTES).digest()


class Seen:
    """Knows the minutes that were asked for last; valid while nobody else writes to the store."""

    def __init__(self, store: int) -> None:
        self._store = store
        self._minutes: dict[int, set[bytes]] = {}
        self._held = 0

    def forget(self) -> None:
        self._minutes.clear()
        self._held = 0

    def take(self, bulk: Bulk, events: Iterable[AnyEvent], source: str, revision: int) -> list[AnyEvent]:
        """The events not seen before, each once; from now on they have been. The store's lock is held, `revision` is the batch's."""
        offered: defaultdict[int, dict[bytes, AnyEvent]] = defaultdict(dict)
        prefix = source.encode() + b"\0"
        for event in events:  # `identity`, written out: it is asked for every event
            key = blake2b(prefix + event.id.encode(), digest_size=_BYTES).digest()
            offered[event.at // _MINUTE_MS].setdefault(key, event)
        self._learn(bulk, [minute for minute in offered if minute not in self._minutes])
        fresh: list[AnyEvent] = []
        rows: list[Row] = []
        for minute, mine in offered.items():
            known = self._minutes[minute]
            if not known.isdisjoint(mine):
                mine = {key: event for key, event in mine.items() if key not in known}
                if not mine:
                    continue
            known.update(mine)
            self._held += len(mine)
            fresh += mine.values()
            rows.append((self._store, minute, revision, b"".join(mine)))
        bulk.insert(schema.seen_events, ("store_id", "minute", "revision", "keys"), rows)
        self._tidy()
        return fresh

    def _learn(self, bulk: Bulk, minutes: list[int]) -> None:
        for minute in minutes:
            self._minutes[minute] = set()
        for minute, keys in bulk.rows_in(
            "SELECT minute, keys FROM seen_events WHERE store_id = ? AND minute IN {keys}", (self._store,), minutes
        ):
            self._minutes[minute].update(keys[i : i + _BYTES] for i in range(0, len(keys), _BYTES))
            self._held += len(keys) // _BYTES

    def _tidy(self) -> None:
        if self._held > _REMEMBERED:
            for minute in list(self._minutes):
                self._held -= len(self._minutes.pop(minute))
                if self._held <= _REMEMBERED // 2:
                    return
