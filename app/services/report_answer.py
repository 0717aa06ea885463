"""What every answer of the report engine says beside its rows, and the answers whose rows are read while they are written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from app.domain.counters import Counts, Window
from app.domain.language import T
from app.domain.localtime import LocalTime
from app.domain.metrics import Part, Value, is_known_by, label_on, values
from app.services.questions import Asked, Question, iso
from app.services.report_kinds import REPORTS, By, Kind
from app.services.report_rows import Row, Summary, notes_of, read_rows


class Reading(NamedTuple):
    """All that is to be written: `rows` can be gone through once, there are `length` of them."""

    total: dict[str, Value]
    mean: dict[str, Value]
    notes: Sequence[T]
    length: int
    rows: Iterable[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(ABC):
    """An answer without its rows. `question` is the one asked with the window and population that hold."""

    question: Question
    title: T
    first: date
    last: date
    keys: tuple[str, ...]
    zone: str
    parts: frozenset[Part] = frozenset()
    """What the figures are told apart by: a metric that is not known by it has no value."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What people call the agents and the group that were asked for, by code."""

    @property
    def kind(self) -> Kind:
        return REPORTS[self.question.report]

    @property
    def live(self) -> bool:
        return self.kind.live

    @property
    def by(self) -> By | None:
        """What its rows are cut by."""
        return self.question.by or (self.kind.by[0] if self.kind.by else None)

    @property
    def window(self) -> Window:
        return self.question.window or "24h"

    def label(self, key: str) -> T:
        """What a metric is called in this report."""
        return label_on(self.question.report, key)

    def values(self, numbers: Counts) -> dict[str, Value]:
        """Unrounded, as the command line's JSON gives them (events contract, section 2)."""
        return self._known(values(numbers, self.keys, self.window, self.live))

    @abstractmethod
    def reading(self, look: Callable[[], object]) -> AbstractContextManager[Reading]:
        """The rows and what is said of all of them. look: called now and then meanwhile; what it raises ends the reading."""

    def row_json(self, row: Row) -> dict[str, Any]:
        return {"key": row.key, **self._extra(row), "values": self.values(row.numbers)}

    def _known(self, found: dict[str, Value]) -> dict[str, Value]:
        for key in _unknown(self.keys, self.parts):
            found[key] = None
        return found

    def _extra(self, row: Row) -> dict[str, Any]:
        if not self.kind.timeline:
            return row.extra
        local = LocalTime(self.zone)
        found = {**row.extra, "first_login": iso(local, row.extra["first_login"]), "last_logout": iso(local, row.extra["last_logout"])}
        found["stays"] = [
            {"state": stay.state, "from": iso(local, stay.start), "to": None if stay.running else iso(local, stay.end)}
            for stay in row.extra["stays"]
        ]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LongReport(Answered):
    """A report of many thousand rows, of which only some are held at any moment.

    They are read twice, both times in one snapshot: first for their total and mean, which stand above them, then to be written.
    """

    asked: Asked
    snapshot: Callable[[], AbstractContextManager[Connection]]

    @contextmanager
    def reading(self, look: Callable[[], object]) -> Iterator[Reading]:
        with self.snapshot() as connection:
            summary = self._summary(connection, look)
            notes = notes_of(connection, self.asked, self.kind, self.by, self.keys, summary)
            rows = (row for part in read_rows(connection, self.asked, self.kind, self.by, self.keys) for row in part)
            yield Reading(self.values(summary.whole), self._known(summary.mean()), notes, summary.rows, rows)

    def _summary(self, connection: Connection, look: Callable[[], object]) -> Summary:
        summary = Summary(self.keys, self.window)
        for part in read_rows(connection, self.asked, self.kind, self.by, self.keys):
            look()
            for row in part:
                summary.add(row)
        return summary


@lru_cache(maxsize=64)
def _unknown(keys: tuple[str, ...], parts: frozenset[Part]) -> tuple[str, ...]:
    return tuple(key for key in keys if not is_known_by(key, parts))
