"""Pages of a long answer: each begins where the last ended, so page 1,000 costs what page 1 costs.

An answer may come from several sources of the same columns (recorded and imported orders); they are merged in the order asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, literal_column, or_, select

Cursor = tuple[Any, ...]
"""The place of a row in one order of one listing: its sort values, then what tells ties apart."""

_CHUNK = 1000


class Term(NamedTuple):
    """Something rows are ordered by; nulls come last in either direction."""

    value: ColumnElement[Any]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One SELECT without an order; what each sort key orders by; `make` turns records into rows and may read what goes with them."""

    statement: Select[Any]
    orders: Mapping[str, tuple[Term, ...]]
    tie: tuple[Term, ...]
    make: Callable[[Connection, Sequence[Any]], list[dict[str, Any]]]


class Placed(NamedTuple):
    cursor: Cursor
    row: dict[str, Any]


def page(
    connection: Connection, sources: Sequence[Source], sort: str, descending: bool, after: Cursor | None, limit: int
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """Up to `limit` rows behind `after`, and the cursor of the last one; None when there are no more."""
    found: list[Placed] = []
    for source in sources:
        statement, width = _ordered(source, sort, descending, after)
        records = connection.execute(statement.limit(limit + 1)).all()
        found += _placed(connection, source, records, width)
    found.sort(key=lambda placed: _key(placed.cursor, descending), reverse=descending)
    kept = found[:limit]
    return [placed.row for placed in kept], kept[-1].cursor if len(found) > limit else None


def stream(connection: Connection, sources: Sequence[Source], sort: str, descending: bool) -> Iterator[dict[str, Any]]:
    """Every row, read while it is iterated."""

    def rows(source: Source) -> Iterator[Placed]:
        statement, width = _ordered(source, sort, descending, None)
        records = iter(connection.execute(statement, execution_options={"yield_per": _CHUNK}))
        while chunk := list(islice(records, _CHUNK)):
            yield from _placed(connection, source, chunk, width)

    merged = heapq.merge(*map(rows, sources), key=lambda placed: _key(placed.cursor, descending), reverse=descending)
    return (placed.row for placed in merged)


def count(connection: Connection, sources: Sequence[Source], most: int) -> int:
    """How many rows there are; counting ends at `most`."""
    total = 0
    for source in sources:
        one = source.statement.with_only_columns(literal_column("1"), maintain_column_froms=True).limit(most - total).subquery()
        total += connection.execute(select(func.count()).select_from(one)).scalar_one()
        if total >= most:
            break
    return total


def _ordered(source: Source, sort: str, descending: bool, after: Cursor | None) -> tuple[Select[Any], int]:
    terms = (*source.orders[sort], *source.tie)
    statement = source.statement.add_columns(*(term.value.label(f"cursor_{i}") for i, term in enumerate(terms)))
    if after is not None:
        statement = statement.where(_beyond(terms, after, descending))
        first, value = terms[0], after[0]
        if not first.nullable:  # implied by the condition above, but one that an index can follow
            statement = statement.where(first.value <= value if descending else first.value >= value)
    for term in terms:
        place = term.value.desc() if descending else term.value.asc()
        statement = statement.order_by(place.nulls_last() if term.nullable else place)
    return statement, len(terms)


def _placed(connection: Connection, source: Source, records: Sequence[Any], width: int) -> list[Placed]:
    return [Placed(tuple(record[-width:]), row) for record, row in zip(records, source.make(connection, records), strict=True)]


def _beyond(terms: Sequence[Term], after: Cursor, descending: bool) -> ColumnElement[bool]:
    ways: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for term, value in zip(terms, after, strict=True):
        step: ColumnElement[bool] = false()  # behind no value there is only no value
        equal = term.value.is_(None)
        if value is not None:
            step, equal = (term.value < value if descending else term.value > value), term.value == value
            if term.nullable:
                step = or_(step, term.value.is_(None))
        ways.append(and_(*same, step))
        same.append(equal)
    return or_(*ways)


def _key(cursor: Cursor, descending: bool) -> tuple[tuple[bool, Any], ...]:
    """Sorts as the database does: no value is last, also when the order is turned round."""
    return tuple((value is not None if descending else value is None, value) for value in cursor)
