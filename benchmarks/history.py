"""Ninety days of five hundred agents, ten million sessions: the same arrays as raw sessions and as a store's counters.

Drawn a day at a time and the same for the same size. Everybody is at work for nine hours between seven and midnight; two sessions
in a hundred are spam or had bots alone. Counters are what the recorder would have made of them, summed by numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import psycopg
from sqlalchemy import Table

from app.domain.counters import BINS, EDGES_MS, FIRST_REPLY_BINS, HISTOGRAM_FIELDS, PRESENCE_FIELDS, SUM_FIELDS, TURN_BINS
from app.domain.localtime import SLOT_MS, SLOTS_PER_HALF, SLOTS_PER_HOUR
from app.storage import schema
from app.storage.agent_days import KEYS, SPANS, begin
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.recorder import open_store

FIRST_DAY = 20_003
GROUPS = 8
_SHIFT = 108
_EARLIEST, _LATEST = 84, 180
_WINDOWS = {"24h": 0.10, "7d": 0.16, "15d": 0.20}

Columns = dict[str, np.ndarray[Any, Any]]
"""Name to values, one per row. Times are ms, amounts fen; first_reply_ms is -1 where nobody replied."""


class Size(NamedTuple):
    agents: int
    days: int
    sessions: int
    """Of an agent on a day, on average."""

    @property
    def total(self) -> int:
        return self.agents * self.days * self.sessions


FULL, QUICK = Size(500, 90, 222), Size(100, 30, 60)
RAW = (
    "day", "slot", "agent", "group_id", "channel", "flag", "first_reply_ms", "turns", "turn_ms", "agent_messages", "customer_messages",
    "session_ms", "transferred_out", "invited", "rating", "resolution", "presale",
    *(f"{name}_{window}" for window in _WINDOWS for name in ("orders", "items", "amount")),
)  # fmt: skip
ATTENDANCE = ("day", "agent", *PRESENCE_FIELDS)


class Day(NamedTuple):
    """sessions: RAW in order of slot; attendance: ATTENDANCE; turn: histogram bins of all turns, and the session each belongs to."""

    day: int
    sessions: Columns
    attendance: Columns
    starts: np.ndarray[Any, Any]
    turn_of: np.ndarray[Any, Any]
    turn_bin: np.ndarray[Any, Any]


def days(size: Size) -> Iterator[Day]:
    for number in range(size.days):
        yield _day(size, FIRST_DAY + number)


def _day(size: Size, day: int) -> Day:
    chance = np.random.default_rng(day)
    starts = chance.integers(_EARLIEST, _LATEST + 1, size.agents)
    n = size.agents * size.sessions
    agent = chance.integers(0, size.agents, n)
    slot = starts[agent] + chance.integers(0, _SHIFT, n)
    order = np.lexsort((agent, slot))
    agent, slot = agent[order], slot[order]
    replied = chance.random(n) < 0.96
    wait = np.where(replied, chance.lognormal(9.6, 0.9, n).astype(np.int64), -1)
    turns = np.where(replied, 1 + chance.poisson(1.2, n), 0)
    turn_of = np.repeat(np.arange(n), turns)
    each = chance.lognormal(9.8, 0.8, len(turn_of)).astype(np.int64)
    rating = np.where(replied & (chance.random(n) < 0.22), chance.choice((1, 2, 3, 4, 5), n, p=(0.02, 0.02, 0.06, 0.25, 0.65)), 0)
    flag = np.where(chance.random(n) < 0.02, chance.integers(1, 3, n), 0)
    sessions: Columns = {
        "day": np.full(n, day), "slot": slot, "agent": agent + 1, "group_id": agent % GROUPS + 1, "channel": np.ones(n, np.int64),
        "flag": flag, "first_reply_ms": wait, "turns": turns, "turn_ms": np.bincount(turn_of, each, n).astype(np.int64),
        "agent_messages": np.where(replied, turns + chance.integers(0, 3, n), 0), "customer_messages": turns + 1,
        "session_ms": np.where(replied, chance.integers(30_000, 1_200_000, n), 0),
        "transferred_out": (chance.random(n) < 0.03).astype(np.int64), "invited": (replied & (chance.random(n) < 0.5)).astype(np.int64),
        "rating": rating, "resolution": np.where(rating > 0, chance.integers(0, 3, n), 1),
        "presale": (chance.random(n) < 0.6).astype(np.int64),
    }  # fmt: skip
    bought, items, price = chance.random(n), chance.integers(1, 4, n), chance.integers(1_000, 90_000, n)
    for window, share in _WINDOWS.items():
        within = (bought < share) & replied
        sessions |= {f"orders_{window}": within.astype(np.int64), f"items_{window}": within * items, f"amount_{window}": within * price}
    everyone = size.agents
    attendance: Columns = {
        "day": np.full(everyone, day), "agent": np.arange(1, everyone + 1), "login_ms": np.full(everyone, _SHIFT * SLOT_MS),
        "serving_ms": np.full(everyone, (_SHIFT - 12) * SLOT_MS), "suspended_ms": np.full(everyone, 12 * SLOT_MS),
        "logins": np.ones(everyone, np.int64),
    }  # fmt: skip
    return Day(day, sessions, attendance, starts, turn_of, np.searchsorted(EDGES_MS, each))


def contributions(s: Columns) -> Columns:
    """The counters of each session, of SUM_FIELDS."""
    replied, wait, rating, resolution = s["first_reply_ms"] >= 0, s["first_reply_ms"], s["rating"], s["resolution"]
    rated = rating > 0
    found = {
        "consults": np.ones_like(wait), "received": replied, "closed": replied, "replied_30s": replied & (wait <= 30_000),
        "replied_180s": replied & (wait <= 180_000), "first_reply_ms": np.where(replied, wait, 0), "rated": rated,
        "satisfied": rating >= 4, "very_satisfied": rating == 5, "dissatisfied": rated & (rating <= 2), "very_dissatisfied": rating == 1,
        "resolved": rated & (resolution == 2), "unresolved": rated & (resolution == 0), "presale_customers": s["presale"],
    }  # fmt: skip
    for name in ("turns", "turn_ms", "agent_messages", "customer_messages", "session_ms", "transferred_out", "invited"):
        found[name] = s[name]
    for window in _WINDOWS:
        found |= {f"order_customers_{window}": s[f"orders_{window}"], f"orders_{window}": s[f"orders_{window}"]}
        found |= {f"order_items_{window}": s[f"items_{window}"], f"order_amount_{window}": s[f"amount_{window}"]}
    return {name: values.astype(np.int64) for name, values in found.items()}


def summed(place: np.ndarray[Any, Any], places: int, of: Columns) -> Columns:
    """Sums by place, 0 to places − 1. Exact: the values stay far below 2 ** 53."""
    return {name: np.bincount(place, values, places).astype(np.int64) for name, values in of.items()}


@contextmanager
def filled(url: str, size: Size) -> Iterator[Store]:
    """A store with all its counters, and what the recorder sums from them; closed in the end."""
    store = Store(url, size, slots=True)
    try:
        for day in days(size):
            store.add(day)
        store.finish()
        yield store
    finally:
        store.database.close()


class Store:
    """A store's counters, filled a day at a time. slots: the five-minute ones, the day counters, the hours and the half hours, too."""

    def __init__(self, url: str, size: Size, slots: bool) -> None:
        self.database = Database(url)
        self.id = open_store(self.database, "large", name="Large")
        self._size, self._slots = size, slots
        self._weeks: dict[tuple[int, int], np.ndarray[Any, Any]] = {}
        with self.database.write() as connection:
            bulk = Bulk(connection)
            rows = [(n, self.id, f"a{n:04}", f"Agent {n:04}", f"t{n % 10}") for n in range(1, size.agents + 1)]
            bulk.insert(schema.agents, ("id", "store_id", "code", "name", "team"), rows)
            groups = [(n, self.id, f"g{n}", f"Group {n}") for n in range(1, GROUPS + 1)]
            bulk.insert(schema.skill_groups, ("id", "store_id", "code", "name"), groups)
            bulk.close()

    def add(self, day: Day) -> None:
        agents, s = self._size.agents, day.sessions
        own = contributions(s)
        bin_ = np.searchsorted(EDGES_MS, s["first_reply_ms"])
        replied = s["first_reply_ms"] >= 0
        kept = {0: np.ones_like(replied), 1: (s["flag"] == 0) & (s["slot"] >= 108) & (s["slot"] < 276)}
        # Minutes at work inside the assessed hours; the first twelve slots are the break.
        early, late = np.clip(108 - day.starts, 0, _SHIFT), np.clip(day.starts + _SHIFT - 276, 0, _SHIFT)
        with self.database.write() as connection:
            bulk = Bulk(connection)
            for assessed, keep in kept.items():
                where = s["agent"][keep] - 1
                sums = summed(where, agents, {name: values[keep] for name, values in own.items()})
                worked = _SHIFT - (early + late) * assessed
                rested = 12 - np.minimum(early, 12) * assessed
                sums |= {
                    "login_ms": worked * SLOT_MS, "suspended_ms": rested * SLOT_MS, "serving_ms": (worked - rested) * SLOT_MS,
                    "logins": np.where(early * assessed > 0, 0, 1),
                }  # fmt: skip
                with_reply = keep & replied
                place = (s["agent"][with_reply] - 1) * BINS + bin_[with_reply]
                bins = np.bincount(place, minlength=agents * BINS).reshape(agents, BINS)
                table = np.zeros((agents, len(SUM_FIELDS) + BINS), np.int64)
                for name, values in sums.items():
                    table[:, SUM_FIELDS.index(name)] = values
                table[:, len(SUM_FIELDS) :] = bins
                self._write_agents(bulk, assessed, 1, day.day, table)
                self._weeks[assessed, begin(day.day, 7)] = self._weeks.get((assessed, begin(day.day, 7)), 0) + table
            if self._slots:
                self._write_slots(bulk, day, own, bin_)
                self._write_hours(bulk, day, own, bin_)
                self._write_halves(bulk, day, own, bin_)
            bulk.close()

    def finish(self) -> None:
        """Writes the weeks, and lets the server look at its tables as it would by itself within a minute."""
        with self.database.write() as connection:
            bulk = Bulk(connection)
            for (assessed, monday), table in self._weeks.items():
                self._write_agents(bulk, assessed, 7, monday, table)
            bulk.close()
        if not self.database.is_sqlite:
            with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")

    def _write_agents(self, bulk: Bulk, assessed: int, span: int, day: int, table: np.ndarray[Any, Any]) -> None:
        assert span in SPANS
        rows = [(self.id, assessed, span, day, n, *(v or None for v in row)) for n, row in enumerate(table.tolist(), 1)]
        bulk.insert(schema.agent_days, (*KEYS, *SUM_FIELDS, *FIRST_REPLY_BINS), rows)

    def _write_slots(self, bulk: Bulk, day: Day, own: Columns, bin_: np.ndarray[Any, Any]) -> None:
        s, agents, n = day.sessions, self._size.agents, self._size.agents
        replied = s["first_reply_ms"] >= 0
        # Of the day: by agent and flag.
        of_day, where = np.unique((s["agent"] * 10 + s["flag"]), return_inverse=True)
        sums = summed(where, len(of_day), own)
        bins = np.bincount(where[replied] * BINS + bin_[replied], minlength=len(of_day) * BINS).reshape(-1, BINS)
        turn = np.bincount(where[day.turn_of] * BINS + day.turn_bin, minlength=len(of_day) * BINS).reshape(-1, BINS)
        keys = [np.full(len(of_day), day.day), of_day // 10, (of_day // 10 - 1) % GROUPS + 1, np.ones_like(of_day), of_day % 10]
        data = np.column_stack([*keys, *sums.values(), bins, turn]).tolist()
        names = ("store_id", "day", "agent_id", "group_id", "channel", "flag", *sums, *FIRST_REPLY_BINS, *TURN_BINS)
        bulk.insert(schema.day_counters, names, [(self.id, *(row[:5]), *(v or None for v in row[5:])) for row in data])
        at = day.attendance
        attended = [(self.id, day.day, a, 0, 0, 0, *(int(at[name][a - 1]) for name in PRESENCE_FIELDS)) for a in range(1, n + 1)]
        bulk.insert(schema.day_counters, (*names[:6], *PRESENCE_FIELDS), attended)
        # Of the slots: by slot, agent and flag.
        of_slot, where = np.unique((s["slot"] * (agents + 1) + s["agent"]) * 10 + s["flag"], return_inverse=True)
        slot, who, flag = of_slot // 10 // (agents + 1), of_slot // 10 % (agents + 1), of_slot % 10
        place = {"slot": slot, "agent_id": who, "group_id": (who - 1) % GROUPS + 1, "channel": np.ones_like(slot), "flag": flag}
        load(bulk, schema.slot_counters.name, {**self._of(day, len(slot)), **place, **summed(where, len(of_slot), own)})
        slots = (day.starts[:, None] + np.arange(_SHIFT)).T.ravel()
        number = np.tile(np.arange(1, n + 1), _SHIFT)
        step = np.repeat(np.arange(_SHIFT), n)
        nothing = np.zeros_like(slots)
        present = {
            "slot": slots, "agent_id": number, "group_id": nothing, "channel": nothing, "flag": nothing,
            "login_ms": np.full_like(slots, SLOT_MS), "serving_ms": (step >= 12) * SLOT_MS, "suspended_ms": (step < 12) * SLOT_MS,
            "logins": (step == 0).astype(np.int64),
        }  # fmt: skip
        load(bulk, schema.slot_counters.name, {**self._of(day, len(slots)), **present})
        width = len(HISTOGRAM_FIELDS)
        filled = (where[replied] * width + bin_[replied], where[day.turn_of] * width + BINS + day.turn_bin)
        cells, many = np.unique(np.concatenate(filled), return_counts=True)
        owner = cells // width
        spread = {name: values[owner] for name, values in place.items()}
        load(bulk, schema.slot_histograms.name, {**self._of(day, len(owner)), **spread, "bin": cells % width, "n": many})

    def _write_hours(self, bulk: Bulk, day: Day, own: Columns, bin_: np.ndarray[Any, Any]) -> None:
        s = day.sessions
        slots = (day.starts[:, None] + np.arange(_SHIFT)).ravel()
        present = np.repeat(np.arange(1, self._size.agents + 1), _SHIFT) * 240 + slots // SLOTS_PER_HOUR * 10
        places = (s["agent"] * 24 + s["slot"] // SLOTS_PER_HOUR) * 10 + s["flag"]
        keys, columns = self._by_time(day, own, bin_, places, present)
        self._insert(bulk, day, schema.agent_hours, {"agent_id": keys // 240, "hour": keys // 10 % 24, "flag": keys % 10} | columns)

    def _write_halves(self, bulk: Bulk, day: Day, own: Columns, bin_: np.ndarray[Any, Any]) -> None:
        s = day.sessions
        slots = (day.starts[:, None] + np.arange(_SHIFT)).ravel()
        places = (s["slot"] // SLOTS_PER_HALF * (GROUPS + 1) + s["group_id"]) * 10 + s["flag"]
        keys, columns = self._by_time(day, own, bin_, places, slots // SLOTS_PER_HALF * (GROUPS + 1) * 10)
        half, group = keys // 10 // (GROUPS + 1), keys // 10 % (GROUPS + 1)
        self._insert(bulk, day, schema.group_halves, {"half": half, "group_id": group, "flag": keys % 10} | columns)

    def _by_time(
        self, day: Day, own: Columns, bin_: np.ndarray[Any, Any], places: np.ndarray[Any, Any], present: np.ndarray[Any, Any]
    ) -> tuple[np.ndarray[Any, Any], Columns]:
        """The places there are, ascending, and the sums of each. places: of the sessions; present: of each agent's slots at work."""
        replied = day.sessions["first_reply_ms"] >= 0
        step = np.tile(np.arange(_SHIFT), self._size.agents)
        keys, where = np.unique(np.concatenate([places, present]), return_inverse=True)
        of, at = where[: len(places)], where[len(places) :]
        # Presence has flag 0 and no group; the first twelve slots are the break.
        rested = (step < 12).astype(np.int64) * SLOT_MS
        attended = {"login_ms": np.full_like(step, SLOT_MS), "suspended_ms": rested, "serving_ms": SLOT_MS - rested, "logins": step == 0}
        sums = summed(of, len(keys), own) | summed(at, len(keys), attended)
        bins = np.bincount(of[replied] * BINS + bin_[replied], minlength=len(keys) * BINS).reshape(-1, BINS)
        return keys, sums | dict(zip(FIRST_REPLY_BINS, bins.T))

    def _insert(self, bulk: Bulk, day: Day, table: Table, columns: Columns) -> None:
        """Rows whose first three columns are keys; elsewhere NULL stands for 0."""
        rows = np.column_stack(list(columns.values())).tolist()
        bulk.insert(table, ("store_id", "day", *columns), [(self.id, day.day, *row[:3], *(v or None for v in row[3:])) for row in rows])

    def _of(self, day: Day, rows: int) -> Columns:
        return {"store_id": np.full(rows, self.id), "day": np.full(rows, day.day)}


_SQLITE_AT_ONCE = 100_000


def load(bulk: Bulk, table: str, columns: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Many rows at once; COPY in the binary format on PostgreSQL."""
    if not bulk.sqlite:
        kinds: dict[str, int] = dict(
            bulk.rows("SELECT attname::text, atttypid::int FROM pg_attribute WHERE attrelid = ?::text::regclass", (table,))
        )
        copy_binary(bulk._cursor, table, columns, kinds)
        return
    names = list(columns)
    rows = np.column_stack([columns[name] for name in names])
    for start in range(0, len(rows), _SQLITE_AT_ONCE):
        bulk.many(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [tuple(row) for row in rows[start : start + _SQLITE_AT_ONCE].tolist()],
        )


_BYTES = {20: 8, 21: 2, 23: 4}
"""Of PostgreSQL's integers by the number of their type."""


def copy_binary(cursor: psycopg.Cursor[Any], table: str, columns: Mapping[str, np.ndarray[Any, Any]], kinds: Mapping[str, int]) -> None:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for number, name in enumerate(columns):
        width = _BYTES[kinds[name]]
        fields += [(f"w{number}", ">i4"), (f"v{number}", f">i{width}")]
    rows = np.empty(len(next(iter(columns.values()))), dtype=fields)
    rows["fields"] = len(columns)
    for number, (name, values) in enumerate(columns.items()):
        rows[f"w{number}"], rows[f"v{number}"] = _BYTES[kinds[name]], values
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        copy.write(rows.tobytes())
        copy.write(b"\xff\xff")
