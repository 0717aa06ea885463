"""The rows of an answer, kept as columns: a report may have tens of thousands.

As so many objects of their own they would be followed by Python's cycle collector, which runs on the UI thread, for longer than a frame;
in columns of plain values there is next to nothing to follow. A `Row` is made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from itertools import starmap
from operator import attrgetter
from typing import Any, overload

from app.domain.counters import Counts, Window
from app.services.report_rows import Place, Row, Summary, head_of

_PLACE = ("first", "last", "agent", "group", "hours")
_COLUMNS = ("keys", "labels", "numbers", "extras", *_PLACE)
_place = attrgetter(*_PLACE)


class Rows(Sequence[Row]):
    """Never changes once it is made. `parts` are taken one after another, so that no more than one of them is held as rows."""

    def __init__(self, parts: Iterable[Iterable[Row]] = ()) -> None:
        self.keys: list[str] = []
        self.labels: list[str] = []
        self.numbers: list[Counts] = []
        self.extras: list[dict[str, Any]] = []
        self.first: list[date | None] = []
        self.last: list[date | None] = []
        self.agent: list[str | None] = []
        self.group: list[str | None] = []
        self.hours: list[tuple[int, int] | None] = []
        self._summaries: dict[tuple[tuple[str, ...], Window], Summary] = {}
        places: list[list[Any]] = [self.first, self.last, self.agent, self.group, self.hours]
        for part in parts:
            for row in part:
                self.keys.append(row.key)
                self.labels.append(row.label)
                self.numbers.append(row.numbers)
                self.extras.append(row.extra)
                for column, value in zip(places, _place(row.place), strict=True):
                    column.append(value)

    def columns(self) -> list[list[Any]]:
        return [getattr(self, name) for name in _COLUMNS]

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> Row | Rows:
        if isinstance(at, slice):
            return self.some(range(len(self))[at])
        return _row(*(column[at] for column in self.columns()))

    def __iter__(self) -> Iterator[Row]:
        return starmap(_row, zip(*self.columns(), strict=True))

    def some(self, at: Sequence[int]) -> Rows:
        """Those at these positions, in that order."""
        found = Rows()
        for name, column in zip(_COLUMNS, self.columns(), strict=True):
            setattr(found, name, [column[i] for i in at])
        return found

    @cached_property
    def at(self) -> dict[str, int]:
        """Where each row is, by its key."""
        return {key: i for i, key in enumerate(self.keys)}

    def heads(self) -> list[str]:
        """`Row.head` of each."""
        return [head_of(key, extra) for key, extra in zip(self.keys, self.extras, strict=True)]

    def summary(self, keys: tuple[str, ...], window: Window) -> Summary:
        """What is said of all of them, worked out once."""
        found = self._summaries.get((keys, window))
        if found is None:
            found = self._summaries[keys, window] = Summary(keys, window, self)
        return found


def _row(key: str, label: str, numbers: Counts, extra: dict[str, Any], *place: Any) -> Row:
    return Row(key, label, numbers, extra, Place(*place))
