"""The drivers' own fast paths for many rows, one face for both databases.

The ORM and multi-row INSERT … RETURNING cost 10 to 20 times as much (docs/decisions/0004-recorder-fast-paths.md). Rows are tuples in
the order of `columns`; everything runs inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

_COPY_ROWS = 100
_COPY_VALUES = 1_000
"""Fewer rows and values than this go to PostgreSQL as a pipelined executemany: a COPY through a temporary table costs three round trips.
A wide row on its own takes longer than those, only for setting up its expressions."""

Row = tuple[Any, ...]


class Bulk:
    """Fast writes and look-ups on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sqlite = connection.dialect.name == "sqlite"
        driver: Any = connection.connection.driver_connection
        self._cursor: Any = driver.cursor()
        self._filled: set[str] = set()
        self._mark = "?" if self.sqlite else "%s"

    def close(self) -> None:
        self._cursor.close()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Runs a statement written with `?` marks and returns all rows."""
        self._cursor.execute(statement if self.sqlite else statement.replace("?", "%s"), tuple(parameters))
        found: list[Row] = self._cursor.fetchall()
        return found

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._cursor.execute(statement if self.sqlite else statement.replace("?", "%s"), tuple(parameters))

    def rows_in(self, statement: str, fixed: Sequence[Any], keys: Sequence[int] | Sequence[str]) -> list[Row]:
        """As `rows`; the statement holds `{keys}` once, after the fixed marks, where the list of keys belongs."""
        if not keys:
            return []
        if self.sqlite:
            return self.rows(statement.replace("{keys}", "(SELECT value FROM json_each(?))"), (*fixed, json.dumps(list(keys))))
        kind = "text[]" if isinstance(keys[0], str) else "bigint[]"
        return self.rows(statement.replace("{keys}", f"(SELECT unnest(%s::{kind}))"), (*fixed, list(keys)))

    def many(self, statement: str, rows: Sequence[Row]) -> None:
        """Runs a statement written with `?` marks once per row."""
        if rows:
            self._each(statement if self.sqlite else statement.replace("?", "%s"), rows)

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """New rows; a duplicate key is an error."""
        if not rows:
            return
        if self._copies(rows, columns):
            self._copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", rows)
        else:
            self._each(_insert(table.name, tuple(columns), self._mark), rows)

    def replace(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Inserts, or overwrites the given columns of the row with the same primary key."""
        keys = tuple(c.name for c in table.primary_key)
        sets = tuple(f"{c} = excluded.{c}" for c in columns if c not in keys)
        self._upsert(table, tuple(columns), rows, keys, sets)

    def add(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Inserts, or adds the given columns to the row with the same primary key; NULL stands for nothing to add and nothing added."""
        keys = tuple(c.name for c in table.primary_key)
        sets = tuple(
            f"{c} = CASE WHEN excluded.{c} IS NULL THEN {table.name}.{c} ELSE coalesce({table.name}.{c}, 0) + excluded.{c} END"
            for c in columns
            if c not in keys
        )
        self._upsert(table, tuple(columns), rows, keys, sets)

    def _upsert(self, table: Table, columns: tuple[str, ...], rows: Sequence[Row], keys: tuple[str, ...], sets: tuple[str, ...]) -> None:
        if not rows:
            return
        tail = _on_conflict(keys, sets)
        if self._copies(rows, columns):
            temporary = f"incoming_{table.name}"
            if temporary in self._filled:
                self.run(f"TRUNCATE {temporary}")
            else:
                self.run(f"CREATE TEMP TABLE IF NOT EXISTS {temporary} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS")
                self._filled.add(temporary)
            names = ", ".join(columns)
            self._copy(f"COPY {temporary} ({names}) FROM STDIN", rows)
            self.run(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {temporary} {tail}")
        else:
            self._each(_insert(table.name, columns, self._mark) + " " + tail, rows)

    def _each(self, statement: str, rows: Sequence[Row]) -> None:
        self._cursor.executemany(statement, rows)
        if not self.sqlite:
            # The driver ends a pipeline with a Flush, after which PostgreSQL limits no silence (database.py) until it is asked again.
            self._cursor.execute("")

    def _copies(self, rows: Sequence[Row], columns: Sequence[str]) -> bool:
        return not self.sqlite and (len(rows) >= _COPY_ROWS or len(rows) * len(columns) >= _COPY_VALUES)

    def _copy(self, statement: str, rows: Iterable[Row]) -> None:
        with self._cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


@cache
def _insert(table: str, columns: tuple[str, ...], mark: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"


@cache
def _on_conflict(keys: tuple[str, ...], sets: tuple[str, ...]) -> str:
    return f"ON CONFLICT ({', '.join(keys)}) DO " + (f"UPDATE SET {', '.join(sets)}" if sets else "NOTHING")
