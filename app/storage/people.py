"""Agents, customers, presence and visitors of a batch: each written, each answering with what it adds to the counters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain import events as ev
from app.domain.counters import Delta, Key, add
from app.domain.localtime import LocalTime
from app.domain.presence import OFFLINE, STATES, Point, contribution
from app.storage import schema
from app.storage.bulk import Bulk
from app.storage.codes import Codes

_STATE = {name: i for i, name in enumerate(STATES)}


def record_presence(bulk: Bulk, codes: Codes, local: LocalTime, events: Sequence[ev.AgentPresence]) -> Delta:
    """New change points of some agents; the closed intervals they make or cut are the difference."""
    fresh: dict[int, set[Point]] = {}
    for event in events:
        fresh.setdefault(codes.agents[event.agent], set()).add((event.at, _STATE[event.state]))
    delta: Delta = {}
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
        add(delta, contribution(agent, before, local), -1)
        add(delta, contribution(agent, after, local))
        bulk.insert(schema.presence, ("agent_id", "at", "state"), [(agent, at, state) for at, state in new])
        since, state = after[-1]
        for at, earlier in reversed(after):
            if earlier != state:
                break
            since = at
        if known and after[-1] == known[-1]:
            continue
        if known and since == known[0][0]:  # the same state said again: it began when it was first said
            bulk.run("UPDATE agents SET state = ? WHERE id = ?", (state, agent))
        else:
            bulk.run("UPDATE agents SET state = ?, state_since = ? WHERE id = ?", (state, since, agent))
    return delta


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
        wanted = sorted({key[2] for key in first if key[0] == day})
        for kind, customer, at in bulk.rows_in(
            "SELECT kind, customer_id, first_at FROM visitors WHERE store_id = ? AND day = ? AND customer_id IN {keys}",
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
    _merge(bulk, "agents", ("name", "team", "role", "capacity"), [(codes.agents[e.agent], e) for e in events])


def record_customers(bulk: Bulk, codes: Codes, events: Sequence[ev.CustomerUpserted]) -> None:
    """As `record_agents`; phone and address are masked here, before anything is stored."""
    for event in events:
        if isinstance(event.phone, str):
            event.phone = ev.mask_phone(event.phone)
        if isinstance(event.address, str):
            event.address = ev.mask_address(event.address)
    _merge(bulk, "customers", ("name", "region", "tags", "phone", "address"), [(codes.customers[e.customer], e) for e in events])


def _merge(bulk: Bulk, table: str, fields: Sequence[str], said: Sequence[tuple[int, Any]]) -> None:
    names = ", ".join(fields)
    rows = bulk.rows_in(f"SELECT id, stamps, {names} FROM {table} WHERE id IN {{keys}}", (), sorted({id for id, _ in said}))
    now = {row[0]: (json.loads(row[1]), dict(zip(fields, row[2:]))) for row in rows}
    for id, event in said:
        stamps, row_values = now[id]
        for field in fields:
            value = getattr(event, field)
            if value is msgspec.UNSET or (value is None and field != "capacity"):  # not said; no cap is a thing to say
                continue
            if isinstance(value, list):
                value = json.dumps(value, ensure_ascii=False)
            # At the same moment the larger value wins, so that the order of arrival never shows.
            if (event.at, str(value)) >= (stamps.get(field, -1), str(row_values[field])):
                stamps[field] = event.at
                row_values[field] = value
    sets = ", ".join(f"{field} = ?" for field in fields)
    for id, (stamps, row_values) in now.items():
        bulk.run(f"UPDATE {table} SET stamps = ?, {sets} WHERE id = ?", (json.dumps(stamps), *row_values.values(), id))
