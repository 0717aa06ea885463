"""The days and weeks of agents are the sums of the other counters, whatever the assessed hours are and whenever they change."""

from __future__ import annotations

import json
import random
from typing import get_args

import pytest
from sqlalchemy import Connection, text

from app.domain.assessment import DEFAULT, AssessedRule
from app.domain.counters import HISTOGRAM_FIELDS, IMPORTED, SUM_FIELDS, TURN_BINS, Counts, Key
from app.storage.agent_days import rebuild_assessed
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.doctor import examine, repair_counters
from app.storage.notices import TOPICS
from app.storage.queries import Dimension, Grain, Slice, sums
from app.storage.recorder import Recorder, add_counters, announce, lock_store, open_store
from tests.database.compare import agent_days, expected, record, stored, summed_by_agent
from tests.oracle.recompute import recompute
from tests.oracle.streams import random_place, random_stream, scramble

RULES = {
    "longer": AssessedRule((90, 288), (0,)),
    "shorter": AssessedRule((120, 150), (0, 1)),
    "past midnight": AssessedRule((264, 13), (0, 2)),
    "nearly all day": AssessedRule((12, 6), (0, 1, 2)),
    "all day": AssessedRule((108, 108), (0, 1, 2)),
    "half the day": AssessedRule((0, 144), (0,)),
    "nothing": AssessedRule((0, 288), ()),
    "cut hours": AssessedRule((119, 201), (0, 1)),
    "within an hour": AssessedRule((123, 128), (0, 1, 2)),
    "all but minutes": AssessedRule((130, 127), (0,)),
    "default": DEFAULT,
}


BY: tuple[tuple[Dimension, ...], ...] = (
    (), ("agent_id",), ("day",), ("agent_id", "day"), ("group_id",), ("day", "group_id"), ("channel",), ("slot",), ("hour",), ("half",),
    ("group_id", "hour"), ("group_id", "half"), ("day", "hour"), ("day", "half"), ("agent_id", "hour"), ("agent_id", "half"),
    ("day", "group_id", "hour"), ("channel", "half"),
)  # fmt: skip


ANSWERS = 8
"""So many of each table that hold something, and as many that hold nothing as come up on the way."""


def assess(database: Database, store: int, rule: AssessedRule) -> None:
    with database.write() as connection:
        bulk = Bulk(connection)
        revision = lock_store(bulk, store)
        rebuild_assessed(bulk, store, rule)
        announce(bulk, store, revision + 1, TOPICS, None)
        bulk.close()


def assessed(database: Database) -> dict[object, object]:
    with database.read() as connection:
        held = agent_days(connection)
        assert held == summed_by_agent(connection)
        return {key: counts for key, counts in held.items() if key[1]}


def test_other_hours_and_flags_are_as_if_they_had_always_been(database: Database) -> None:
    other = open_store(database, "other")
    for seed, code in ((31, "shop"), (32, "other")):
        zone, start = random_place(seed)
        record(database, [random_stream(seed, 60, zone=zone, start=start)], zone, Recorder(database, open_store(database, code, zone)))
    store = open_store(database, "shop")
    before = assessed(database)
    seen = []
    for what, rule in RULES.items():
        assess(database, store, rule)
        now = assessed(database)
        assert {key: counts for key, counts in now.items() if key[0] == other} == {
            key: counts for key, counts in before.items() if key[0] == other
        }
        assert bool({key for key in now if key[0] == store}) == (what != "nothing")
        seen.append(now)
    assert seen[-1] == before
    assert all(seen.count(now) == 1 for now in seen)


@pytest.mark.parametrize("seed", range(2))
def test_hours_that_change_between_batches(database: Database, seed: int) -> None:
    """A recorder that was at work before counts by the new rule from its next batch on."""
    zone, start = random_place(seed)
    events = random_stream(seed, 24, zone=zone, start=start)
    recorder = record(database, [events[:1]], zone)
    store = open_store(database, "shop")
    rules = list(RULES.values())
    batches = scramble(events, seed, largest_batch=45)
    assert len(batches) >= len(rules)
    for number, batch in enumerate(batches):
        assess(database, store, rules[number % len(rules)])
        record(database, [batch], zone, recorder)
        stored(database)
    assert stored(database) == expected(recompute(events, zone))
    assess(database, store, rules[0])
    repair_counters(database, store)
    assert assessed(database)
    assert [finding for finding in examine(database) if finding.level == "fault"] == []


def test_imported_days_are_never_assessed_and_outlive_a_repair(database: Database) -> None:
    record(database, [random_stream(33, 20)], "Asia/Shanghai")
    store = open_store(database, "shop")
    with database.read() as connection:
        before = agent_days(connection)
    day, agent = next(key[3:] for key in before if key[2] == 1 and key[4])
    counts = {"consults": 1000, "first_reply_ms": 5_000_000, "login_ms": 3_600_000}
    with database.write() as connection:
        said = {"store": store, "day": day, "agent": agent, "counts": json.dumps(counts)}
        connection.execute(text("INSERT INTO imports (id, store_id, at, author, file, summary) VALUES (1, :store, 0, '', '', '{}')"), said)
        connection.execute(text("INSERT INTO imported_days (import_id, day, agent_id, counts) VALUES (1, :day, :agent, :counts)"), said)
    repair_counters(database, store)
    for _ in range(2):
        stored(database)
        with database.read() as connection:
            now = agent_days(connection)
        more = {
            key: {name: n - before.get(key, {}).get(name, 0) for name, n in sums.items() if n != before.get(key, {}).get(name, 0)}
            for key, sums in now.items()
            if sums != before.get(key)
        }
        assert more == {(store, 0, 1, day, agent): counts, (store, 0, 7, day - (day + 3) % 7, agent): counts}
        assert [finding for finding in examine(database) if finding.level == "fault"] == []
        assess(database, store, RULES["all day"])
        assess(database, store, DEFAULT)
        repair_counters(database, store)


@pytest.mark.parametrize("what", ["longer", "past midnight", "all day", "half the day", "cut hours"])
def test_every_table_gives_the_same_answer(database: Database, what: str) -> None:
    """Whichever table answers, it is the sum of the rows of the largest that are asked for."""
    rng = random.Random(what)
    zone, start = random_place(sum(map(ord, what)))
    record(database, [random_stream(len(what), 60, zone=zone, start=start, days=25)], zone)
    store = open_store(database, "shop")
    rule = RULES[what]
    assess(database, store, rule)
    with database.write() as connection:
        agent, day = connection.execute(text("SELECT max(agent_id), max(day) FROM day_counters")).one()
        bulk = Bulk(connection)
        add_counters(bulk, store, {Key(day - 1, -1, agent, 0, 0, IMPORTED): {"consults": 70, "login_ms": 60}})
        bulk.close()
    with database.read() as connection:
        held = rows(connection)
        days, agents, groups = (sorted({getattr(key, name) for key, _ in held}) for name in ("day", "agent", "group"))
        answered = dict.fromkeys(get_args(Grain), 0)
        while min(answered.values()) < ANSWERS:
            first, last = sorted(rng.choices(range(days[0] - 9, days[-1] + 9), k=2))
            kept = rng.random() < 0.5
            asked = Slice(
                store, first, last, agent=rng.choice((*[None] * 5, *agents)), agents=rng.choice((None, None, tuple(agents[:2]))),
                group=rng.choice((*[None] * 9, *groups)), channel=rng.choice((*[None] * 6, 0, 1)), assessed=kept,
                flags=rule.flags if kept else rng.choice((None, None, (0, 2))),
                slots=rng.choice(((120, 168), (264, 36), (126, 276), (5, 50), None, None)) if not kept
                else None if rule.slots[0] == rule.slots[1] else rule.slots,
            )  # fmt: skip
            by = rng.choice(BY)
            grain = asked.grain(by)
            if answered[grain] == ANSWERS:
                continue
            found = sums(connection, asked, by, histograms=True)
            assert found == summed(held, asked, by), (asked, by)
            if found:
                answered[grain] += 1
            if sum(answered.values()) % 5 == 0:
                few = {"consults", "login_ms"}
                wanted = {key: {name: n for name, n in counts.items() if name in few} for key, counts in found.items()}
                assert sums(connection, asked, by, fields=few) == {key: counts for key, counts in wanted.items() if counts}


def rows(connection: Connection) -> list[tuple[Key, Counts]]:
    """The five-minute counters, their histograms, and the imported days, which have slot -1."""
    found: list[tuple[Key, Counts]] = []
    for statement in (
        "SELECT * FROM slot_counters",
        "SELECT *, -1 AS slot FROM day_counters WHERE flag = 9",
        "SELECT * FROM slot_histograms",
    ):
        for row in connection.execute(text(statement)).mappings():
            key = Key(row["day"], row["slot"], row["agent_id"], row["group_id"], row["channel"], row["flag"])
            counts = {HISTOGRAM_FIELDS[row["bin"]]: row["n"]} if "bin" in row else {name: row[name] or 0 for name in SUM_FIELDS}
            found.append((key, {name: n for name, n in counts.items() if n and name not in TURN_BINS}))
    return found


def summed(held: list[tuple[Key, Counts]], asked: Slice, by: tuple[Dimension, ...]) -> dict[object, Counts]:
    found: dict[object, Counts] = {}
    first, past = asked.slots or (0, 288)
    timed = asked.slots is not None or {"slot", "half", "hour"} & {*by}
    for key, counts in held:
        if not asked.first_day <= key.day <= asked.last_day or (key.slot < 0 and timed):
            continue
        if asked.slots and not (first <= key.slot < past if first <= past else key.slot >= first or key.slot < past):
            continue
        if asked.agent not in (None, key.agent) or asked.group not in (None, key.group) or asked.channel not in (None, key.channel):
            continue
        if (asked.flags is not None and key.flag not in asked.flags) or (asked.agents is not None and key.agent not in asked.agents):
            continue
        named = {"day": key.day, "slot": key.slot, "half": key.slot // 6 * 6, "hour": key.slot // 12 * 12, "agent_id": key.agent,
                 "group_id": key.group, "channel": key.channel}  # fmt: skip
        place = tuple(named[name] for name in by)
        into = found.setdefault(place[0] if len(by) == 1 else place, {})
        for name, n in counts.items():
            into[name] = into.get(name, 0) + n
    return {place: counts for place, counts in found.items() if counts}
