"""What the database holds, in the oracle's terms, so that the two can be compared entry by entry."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, text

from app.domain.conversation import CHANNELS
from app.domain.counters import FIRST_REPLY_BINS, HISTOGRAM_FIELDS, SUM_FIELDS
from app.domain.events import decode
from app.domain.localtime import day_date
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from tests.oracle.recompute import Key, Result


def record(database: Database, batches: list[list[dict[str, Any]]], zone: str, recorder: Recorder | None = None) -> Recorder:
    recorder = recorder or Recorder(database, open_store(database, "shop", zone))
    for batch in batches:
        recorder.record([decode(json.dumps(event).encode()) for event in batch])
    return recorder


def stored(database: Database) -> tuple[dict[Key, dict[str, int]], dict[Any, dict[str, int]], list[Any]]:
    """(slot counters with their histograms, day counters, credits) without zeros and empty rows, ids as codes.

    Fails when the hours, days and weeks of agents and the half hours of groups are not the sums of the slots and days.
    """
    with database.read() as connection:
        assert agent_days(connection) == summed_by_agent(connection)
        assert agent_hours(connection) == summed_by_hour(connection)
        assert group_halves(connection) == summed_by_half(connection)
        agents = {row[0]: row[1] for row in connection.execute(text("SELECT id, code FROM agents"))}
        groups = {row[0]: row[1] for row in connection.execute(text("SELECT id, code FROM skill_groups"))}
        slots: dict[Key, dict[str, int]] = {}
        for row in connection.execute(text("SELECT * FROM slot_counters")).mappings():
            counts = {name: row[name] for name in SUM_FIELDS if row[name]}
            if counts:
                slots[_key(row, row["slot"], agents, groups)] = counts
        for row in connection.execute(text("SELECT * FROM slot_histograms WHERE n <> 0")).mappings():
            slots.setdefault(_key(row, row["slot"], agents, groups), {})[HISTOGRAM_FIELDS[row["bin"]]] = row["n"]
        days: dict[Any, dict[str, int]] = {}
        for row in connection.execute(text("SELECT * FROM day_counters")).mappings():
            counts = {name: row[name] for name in (*SUM_FIELDS, *HISTOGRAM_FIELDS) if row[name]}
            if counts:
                days[_key(row, -1, agents, groups)] = counts
        credits = []
        for row in connection.execute(
            text(
                "SELECT o.code, l.line, a.code, b.code, c.code FROM order_lines l JOIN orders o ON o.id = l.order_id "
                "LEFT JOIN sessions a ON a.id = l.session_24h LEFT JOIN sessions b ON b.id = l.session_7d "
                "LEFT JOIN sessions c ON c.id = l.session_15d"
            )
        ):
            credits.extend((row[0], row[1], w, code) for w, code in zip(("24h", "7d", "15d"), row[2:]) if code)
    return slots, days, sorted(credits)


AgentDays = dict[tuple[int, int, int, int, int], dict[str, int]]
"""{(store, assessed, span, first day, agent): {counter: not 0}}"""


def agent_days(connection: Connection) -> AgentDays:
    found: AgentDays = {}
    for row in connection.execute(text("SELECT * FROM agent_days")).mappings():
        counts = {name: row[name] for name in (*SUM_FIELDS, *FIRST_REPLY_BINS) if row[name]}
        if counts:
            found[row["store_id"], row["assessed"], row["span"], row["day"], row["agent_id"]] = counts
    return found


def summed_by_agent(connection: Connection) -> AgentDays:
    """What `agent_days` ought to be, from the day counters, and from the slots and flags that the store's settings keep."""
    rules = {}
    for row in connection.execute(text("SELECT id, assessed_rule FROM stores")):
        rule = json.loads(row.assessed_rule or '{"slots": [108, 276], "flags": [0]}')
        first, past = rule["slots"]
        hours = [*range(first, past)] if first < past else [*range(first, 288), *range(past)]
        rules[row.id] = {(slot, flag) for slot in hours for flag in rule["flags"]}
    found: AgentDays = {}

    def add(row: Any, assessed: int, counts: dict[str, int | None]) -> None:
        monday = next(day for day in range(row["day"], row["day"] - 7, -1) if day_date(day).weekday() == 0)
        for span, day in ((1, row["day"]), (7, monday)):
            into = found.setdefault((row["store_id"], assessed, span, day, row["agent_id"]), {})
            for name, value in counts.items():
                if value:
                    into[name] = into.get(name, 0) + value

    for row in connection.execute(text("SELECT * FROM day_counters")).mappings():
        add(row, 0, {name: row[name] for name in (*SUM_FIELDS, *FIRST_REPLY_BINS)})
    for row in connection.execute(text("SELECT * FROM slot_counters")).mappings():
        if (row["slot"], row["flag"]) in rules[row["store_id"]]:
            add(row, 1, {name: row[name] for name in SUM_FIELDS})
    for row in connection.execute(text("SELECT * FROM slot_histograms")).mappings():
        name = HISTOGRAM_FIELDS[row["bin"]]
        if (row["slot"], row["flag"]) in rules[row["store_id"]] and name in FIRST_REPLY_BINS:
            add(row, 1, {name: row["n"]})
    dense = {key: {name: value for name, value in counts.items() if value} for key, counts in found.items()}
    return {key: counts for key, counts in dense.items() if counts}


AgentHours = dict[tuple[int, int, int, int, int], dict[str, int]]
"""{(store, day, agent, hour, flag): {counter: not 0}}; hour -1 for what has none"""


def agent_hours(connection: Connection) -> AgentHours:
    rows = connection.execute(text("SELECT * FROM agent_hours")).mappings()
    found = {tuple(row[name] for name in ("store_id", "day", "agent_id", "hour", "flag")): row for row in rows}
    return _dense({key: {name: row[name] for name in (*SUM_FIELDS, *FIRST_REPLY_BINS)} for key, row in found.items()})


def summed_by_hour(connection: Connection) -> AgentHours:
    """What `agent_hours` ought to be, from the slots, and from the days that have none."""
    found: AgentHours = {}

    def add(row: Any, hour: int, counts: dict[str, int | None]) -> None:
        into = found.setdefault((row["store_id"], row["day"], row["agent_id"], hour, row["flag"]), {})
        for name, value in counts.items():
            into[name] = into.get(name, 0) + (value or 0)

    for row in connection.execute(text("SELECT * FROM slot_counters")).mappings():
        add(row, row["slot"] // 12, {name: row[name] for name in SUM_FIELDS})
    for row in connection.execute(text("SELECT * FROM slot_histograms")).mappings():
        if HISTOGRAM_FIELDS[row["bin"]] in FIRST_REPLY_BINS:
            add(row, row["slot"] // 12, {HISTOGRAM_FIELDS[row["bin"]]: row["n"]})
    for row in connection.execute(text("SELECT * FROM day_counters WHERE flag = 9")).mappings():
        add(row, -1, {name: row[name] for name in (*SUM_FIELDS, *FIRST_REPLY_BINS)})
    return _dense(found)


def group_halves(connection: Connection) -> dict[tuple[int, ...], dict[str, int]]:
    """{(store, day, half hour, group, flag): {counter: not 0}}"""
    rows = connection.execute(text("SELECT * FROM group_halves")).mappings()
    found = {tuple(row[name] for name in ("store_id", "day", "half", "group_id", "flag")): row for row in rows}
    return _dense({key: {name: row[name] for name in (*SUM_FIELDS, *FIRST_REPLY_BINS)} for key, row in found.items()})


def summed_by_half(connection: Connection) -> dict[tuple[int, ...], dict[str, int]]:
    """What `group_halves` ought to be, from the slots."""
    found: dict[tuple[int, ...], dict[str, int]] = {}
    for table in ("slot_counters", "slot_histograms"):
        for row in connection.execute(text(f"SELECT * FROM {table}")).mappings():
            into = found.setdefault((row["store_id"], row["day"], row["slot"] // 6, row["group_id"], row["flag"]), {})
            counts = {name: row[name] or 0 for name in SUM_FIELDS} if "bin" not in row else {HISTOGRAM_FIELDS[row["bin"]]: row["n"]}
            for name, value in counts.items():
                if name in SUM_FIELDS or name in FIRST_REPLY_BINS:
                    into[name] = into.get(name, 0) + value
    return _dense(found)


def _dense(found: Any) -> Any:
    dense = {key: {name: value for name, value in counts.items() if value} for key, counts in found.items()}
    return {key: counts for key, counts in dense.items() if counts}


def _key(row: Any, slot: int, agents: dict[int, str], groups: dict[int, str]) -> Key:
    return Key(
        day_date(row["day"]).isoformat(),
        slot,
        agents.get(row["agent_id"]),
        groups.get(row["group_id"]),
        CHANNELS[row["channel"]] or None,
        row["flag"],
    )


def expected(result: Result) -> tuple[dict[Key, dict[str, int]], dict[Any, dict[str, int]], list[Any]]:
    """The oracle's result in the same shape."""
    slots: dict[Key, dict[str, int]] = {}
    days: dict[Any, dict[str, int]] = {}
    for key, counts in result.counters.items():
        for name, value in counts.items():
            if value:
                slots.setdefault(key, {})[name] = value
                day = days.setdefault(key._replace(slot=-1), {})
                day[name] = day.get(name, 0) + value
    return slots, days, sorted((c.order, c.line, c.window, c.session) for c in result.credits)
