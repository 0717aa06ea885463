"""Agents, customers, presence and visitors of a batch: each written, each answering with what it adds to the counters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from app.domain import events as ev
from app.domain.counters import Delta, Key, add
from app.domain.localtime import LocalTime
from app.domain.presence import OFFLINE, STATES, Point, changes
from app.storage import schema
from app.storage.bulk import Bulk, Row
from app.storage.codes import Codes

_STATE = {name: i for i, name in enumerate(STATES)}
_AGENT_FIELDS = ("name", "team", "role", "capacity")
_CUSTOMER_FIELDS = ("name", "region", "tags", "phone", "address")


def record_presence(bulk: Bulk, codes: Codes, local: LocalTime, events: Sequence[ev.AgentPresence]) -> Iterator[Delta]:
    """Writes new change points of some agents; the closed intervals they make or cut are the difference, told some days at a time."""
    fresh: dict[int, set[Point]] = {}
    for event in events:
        fresh.setdefault(codes.agents[event.agent], set()).add((event.at, _STATE[event.state]))
    points_of: list[Row] = []
    states: list[Row] = []
    for agent, points in fresh.items():
        first = min(points)[0]
        known: list[Point] = bulk.rows(
            "SELECT at, state FROM presence WHERE agent_id = ? AND at >= "
            "coalesce((SELECT max(at) FROM presence WHERE agent_id = ? AND at < ?), ?) ORDER BY at, state",
            (agent, agent, first, first),
        )
        new = sorted(points.difference(known))
        if not new:
            continue
        after = sorted([*known, *new])
        # An agent never heard of is offline.
        if known and known[0] < new[0]:
            before = known
        else:
            before = [(after[0][0], OFFLINE), *known]
            after.insert(0, (after[0][0], OFFLINE))
        yield from changes(agent, before, after, local)
        points_of += [(agent, at, state) for at, state in new]
        since, state = after[-1]
        for at, earlier in reversed(after):
            if earlier != state:
                break
            since = at
        if known and after[-1] == known[-1]:
            continue
        # The same state said again began when it was first said.
        states.append((state, None if known and since == known[0][0] else since, agent))
    bulk.insert(schema.presence, ("agent_id", "at", "state"), points_of)
    bulk.many("UPDATE agents SET state = ?, state_since = coalesce(?, state_since) WHERE id = ?", states)


def record_visitors(bulk: Bulk, codes: Codes, local: LocalTime, events: Sequence[ev.VisitorEntered]) -> Delta:
    """Distinct customers per day and kind, each counted in the slot of the earliest entry."""
    first: dict[tuple[int, int, int], int] = {}
    for event in events:
        at = event.at
        key = (local.day(at), 0 if event.available else 1, codes.customers[event.customer])
        if key not in first or at < first[key]:
            first[key] = at
    store = codes.store
    known: dict[tuple[int, int, int], int] = {}
    for day in {key[0] for key in first}:
        wanted = sorted({key[2] for key in first if key[0] == day and key[2] not in codes.fresh_customers})
        for kind, customer, at in bulk.rows_in(
            "SELECT kind, customer_id, first_at FROM visitors WHERE store_id = ? AND day = ? AND kind IN (0, 1) AND customer_id IN {keys}",
            (store, day),
            wanted,
        ):
            known[day, kind, customer] = at
    delta: Delta = {}
    rows = []
    for key, at in first.items():
        before = known.get(key)
        if before is not None:
            if before <= at:
                continue
            _count(delta, local, key[1], before, -1)
        _count(delta, local, key[1], at, 1)
        rows.append((store, *key, at))
    bulk.replace(schema.visitors, ("store_id", "day", "kind", "customer_id", "first_at"), rows)
    return delta


def _count(delta: Delta, local: LocalTime, kind: int, at: int, sign: int) -> None:
    name = "visitors_leave" if kind else "visitors_online"
    add(delta, {Key(*local.day_slot(at), 0, 0, 0, 0): {name: 1}}, sign)


def record_agents(bulk: Bulk, codes: Codes, events: Sequence[ev.AgentUpserted]) -> None:
    """Each field keeps the value last said about it, whatever the order of arrival."""
    said = [(codes.agents[e.agent], e) for e in events]
    names = ", ".join(_AGENT_FIELDS)
    rows = bulk.rows_in(f"SELECT id, {names}, stamps FROM agents WHERE id IN {{keys}}", (), sorted({id for id, _ in said}))
    merged = _merge(_AGENT_FIELDS, {row[0]: row[1:] for row in rows}, said)
    sets = ", ".join(f"{field} = ?" for field in (*_AGENT_FIELDS, "stamps"))
    bulk.many(f"UPDATE agents SET {sets} WHERE id = ?", [(*values, id) for id, values in merged.items()])


def record_customers(bulk: Bulk, codes: Codes, events: Sequence[ev.CustomerUpserted]) -> None:
    """As `record_agents`; phone and address are masked here, before anything is stored. Writes the batch's fresh customers, too."""
    for event in events:
        if event.phone is not None:
            event.phone = ev.mask_phone(event.phone)
        if event.address is not None:
            event.address = ev.mask_address(event.address)
    said = [(codes.customers[e.customer], e) for e in events]
    known = sorted({id for id, _ in said if id not in codes.fresh_customers})
    columns = ("id", "store_id", "code", *_CUSTOMER_FIELDS, "stamps")
    rows = bulk.rows_in(f"SELECT {', '.join(columns)} FROM customers WHERE id IN {{keys}}", (), known)
    blank = ("", "", "[]", "", "", "")
    rows += [(id, codes.store, code, *blank) for id, code in codes.fresh_customers.items()]
    merged = _merge(_CUSTOMER_FIELDS, {row[0]: row[3:] for row in rows}, said)
    after = [(*row[:3], *merged[row[0]]) for row in rows]
    bulk.replace(schema.customers, columns, after[: len(rows) - len(codes.fresh_customers)])
    bulk.insert(schema.customers, columns, after[len(rows) - len(codes.fresh_customers) :])


def _merge(fields: Sequence[str], held: dict[int, Row], said: Sequence[tuple[int, Any]]) -> dict[int, Row]:
    """{id: (*fields, stamps)} after what was said; `held` is the same before it."""
    now = {id: (_unpack_stamps(row[-1]), list(row[:-1])) for id, row in held.items()}
    for id, event in said:
        stamps, values = now[id]
        for i, field in enumerate(fields):
            value = getattr(event, field)
            if value is msgspec.UNSET or (value is None and field != "capacity"):  # not said; no cap is a thing to say
                continue
            if isinstance(value, list):
                value = json.dumps(value, ensure_ascii=False)
            # At the same moment the larger value wins, so that the order of arrival never shows.
            if (event.at, str(value)) >= (stamps.get(i, -1), str(values[i])):
                stamps[i] = event.at
                values[i] = value
    return {id: (*values, _pack_stamps(stamps)) for id, (stamps, values) in now.items()}


def _pack_stamps(stamps: dict[int, int]) -> str:
    """When each field was last said, as "time:fields" by positions: "1766880558787:013 1766880559000:2"."""
    times: dict[int, str] = {}
    for field in sorted(stamps):
        times[stamps[field]] = times.get(stamps[field], "") + str(field)
    return " ".join(f"{at}:{fields}" for at, fields in times.items())


def _unpack_stamps(packed: str) -> dict[int, int]:
    return {int(field): int(at) for at, _, fields in (part.partition(":") for part in packed.split()) for field in fields}
