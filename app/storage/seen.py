"""Which events of a store have been recorded: 64 bits of each identity, eight bytes apiece, in rows of one day and one batch.

A row per event would cost ten times its key, and an index insert at a random place for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from app.domain.events import AnyEvent
from app.domain.localtime import DAY_MS
from app.storage import schema
from app.storage.bulk import Bulk, Row

_BYTES = 8
_REMEMBERED = 2_000_000
"""Identities kept in memory, some 80 bytes each; beyond, the days least recently read are let go."""


def identity(source: str, event: AnyEvent) -> bytes:
    return blake2b(source.encode() + b"\0" + event.id.encode(), digest_size=_BYTES).digest()


class Seen:
    """Remembers whole days, and of each up to which revision of the store: what others add is read when it is needed."""

    def __init__(self, store: int) -> None:
        self._store = store
        self._days: dict[int, set[bytes]] = {}
        self._read_to: dict[int, int] = {}

    def forget(self) -> None:
        """After a transaction that was rolled back: some of what is remembered never happened."""
        self._days.clear()
        self._read_to.clear()

    def take(self, bulk: Bulk, events: Iterable[AnyEvent], source: str, revision: int) -> list[AnyEvent]:
        """The events not seen before, each once; from now on they have been.

        The store's lock is held and the store is at `revision`; this batch will make it the next one.
        """
        offered: defaultdict[int, dict[bytes, AnyEvent]] = defaultdict(dict)
        prefix = source.encode() + b"\0"
        for event in events:  # `identity`, written out: it is asked for every event
            key = blake2b(prefix + event.id.encode(), digest_size=_BYTES).digest()
            offered[event.at // DAY_MS].setdefault(key, event)
        fresh: list[AnyEvent] = []
        rows: list[Row] = []
        for day, mine in offered.items():
            known = self._up_to_date(bulk, day, revision)
            if not known.isdisjoint(mine):
                mine = {key: event for key, event in mine.items() if key not in known}
                if not mine:
                    continue
            known.update(mine)
            fresh += mine.values()
            rows.append((self._store, day, revision + 1, b"".join(mine)))
        bulk.insert(schema.seen_events, ("store_id", "day", "revision", "keys"), rows)
        if rows:
            self._read_to.update(dict.fromkeys(offered, revision + 1))
        self._tidy()
        return fresh

    def _up_to_date(self, bulk: Bulk, day: int, revision: int) -> set[bytes]:
        known = self._days.pop(day, None)
        since = -1 if known is None else self._read_to[day]
        self._days[day] = known = known or set()  # put at the end: the most recently used
        if since < revision:
            statement = "SELECT keys FROM seen_events WHERE store_id = ? AND day = ? AND revision > ?"
            for (keys,) in bulk.rows(statement, (self._store, day, since)):
                known.update(keys[i : i + _BYTES] for i in range(0, len(keys), _BYTES))
            self._read_to[day] = revision
        return known

    def _tidy(self) -> None:
        held = sum(map(len, self._days.values()))
        for day in list(self._days)[:-1]:
            if held <= _REMEMBERED:
                return
            held -= len(self._days.pop(day))
            del self._read_to[day]
