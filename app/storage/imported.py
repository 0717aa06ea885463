"""Imports: what files say of agents' days, kept as said, and the counters of flag IMPORTED made from it.

Which import holds is the domain's rule (domain/imported.py). Writing and undoing are one transaction each under the store's lock: the
counters move by the difference between what is counted before and what holds after, so that days counted by the rules of an earlier
version come right with it; the doctor puts the others right.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from app.domain.counters import IMPORTED, PRESENCE_FIELDS, SALES_FIELDS, SESSION_FIELDS, SUM_FIELDS, Counts, Delta, Key
from app.domain.imported import PART_OF, AgentDay, Line, difference, gaps, holding, newest, sales_of, says_sales
from app.domain.language import T
from app.domain.localtime import DAY_MS, LocalTime
from app.domain.metrics import GAP_FIELDS
from app.storage import schema
from app.storage.bulk import Bulk, Row
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import add_counters, announce, lock_store

_AT_ONCE = 2_000
_TOGETHER = 10_000
"""Days of agents whose counters are in memory at once: a file may speak of a million."""
_LARGEST_NOTICE = 200
_NAMESAKES = 8
_PRESENCE, _SALES = frozenset(PRESENCE_FIELDS), frozenset(SALES_FIELDS)


class Spoken(NamedTuple):
    """What a file says of an agent's day. agent: id or name as in the file; name: what a new agent is called; day: local."""

    agent: str
    name: str
    day: int
    counts: Counts


class OrderLine(NamedTuple):
    """A credited line of a file; `line.agent` is not known yet, `agent` is as in the file."""

    agent: str
    line: Line
    sku_name: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A day of an agent that is left as recorded. presence: only its times of login and serving are, the rest is imported."""

    agent: str
    day: int
    presence: bool = False


@dataclass(slots=True)
class Lost:
    """Counters that earlier imports said and that hold no more, and on how many days of agents."""

    days: int = 0
    names: set[str] = field(default_factory=set)

    def take(self, names: set[str]) -> None:
        self.days += bool(names)
        self.names |= names


@dataclass(slots=True)
class Plan:
    """Who the agents of a file are, and what would be left out. ids: as in the file → id; those missing would be created."""

    ids: dict[str, int] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    unclear: dict[str, list[str]] = field(default_factory=dict)
    """Names of the file that several agents have → the agents' codes; nothing can be imported for them."""
    skips: list[Skip] = field(default_factory=list)
    replaced: int = 0
    """Days of agents of which an earlier import speaks."""
    unsaid: Lost = field(default_factory=Lost)
    """The file speaks of that part of the day and does not say these."""
    refuted: Lost = field(default_factory=Lost)
    """The file speaks of another part, and so that these cannot be true with it."""
    outsold: Lost = field(default_factory=Lost)
    """The file says the sales of the day, over order lines of earlier imports."""
    waiting: Lost = field(default_factory=Lost)
    """The file has order lines, and an earlier import says the sales of the day."""


@dataclass(slots=True)
class Written:
    """What an import did. changed: how many days of agents have other numbers now."""

    id: int = 0
    days: int = 0
    lines: int = 0
    changed: int = 0
    plan: Plan = field(default_factory=Plan)


@dataclass(slots=True)
class _Moved:
    """Which counters, of whom, and on how many days of agents."""

    names: set[str] = field(default_factory=set)
    agents: set[int] = field(default_factory=set)
    days: int = 0


class Import(NamedTuple):
    id: int
    at: int
    author: str
    file: str
    summary: dict[str, Any]
    undone_at: int | None


Step = Callable[[int, int], None]
"""(done, total); may raise to take everything back."""


def unclear(name: str, codes: Sequence[str]) -> T:
    """What to do about a name that several agents (by code) have."""
    shown = ", ".join(codes[:_NAMESAKES]) + (" …" if len(codes) > _NAMESAKES else "")
    return T(
        f"有 {len(codes)} 位客服都叫“{name}”：{shown}。请用客服ID的列作“客服”，或把这里改成其中一个ID。",
        f"{len(codes)} agents are called “{name}”: {shown}. Use a column of ids, or write one of these ids instead.",
    )


def examine(database: Database, store: int, days: Sequence[Spoken], of_lines: bool) -> Plan:
    """What importing these would meet. of_lines: they are what order lines come to."""
    with database.read() as connection:
        bulk = Bulk(connection)
        plan = _plan(bulk, store, sorted((spoken.agent, spoken.day) for spoken in days))
        _find_lost(bulk, store, plan, _kept([spoken for spoken in days if spoken.agent in plan.ids], plan), of_lines)
        bulk.close()
    return plan


def write(
    database: Database, store: int, author: str, file: str, days: Sequence[Spoken], lines: Sequence[OrderLine], mix: bool,
    columns: Mapping[str, str], summary: Callable[[Written], Mapping[str, Any]], step: Step,
) -> Written:  # fmt: skip
    """Writes an import. days: one entry per agent and day; those of `lines` are among them.

    mix: also onto days that have sessions of their own. columns: corrected meanings to remember, by normalised header.
    Raises FaultError when a name fits several agents or nothing at all would be left to write, and whatever `step` raises; nothing is
    written then.
    """
    with database.write(long=True) as connection:
        bulk = Bulk(connection)
        revision = lock_store(bulk, store)
        written = Written(plan=_plan(bulk, store, [(spoken.agent, spoken.day) for spoken in days]))
        plan = written.plan
        if plan.unclear:
            raise FaultError("refused", unclear(*next(iter(plan.unclear.items()))))
        if mix:
            plan.skips = []
        _create(bulk, store, plan, {spoken.agent: spoken.name for spoken in days})
        kept = _kept(days, plan)
        if not kept:
            raise FaultError(
                "refused",
                T("这些客服在这些天都已有真实会话，没有可导入的内容。要叠加请选择“与真实数据合并”（--mix）。",
                  "All of these agents have real sessions on these days: nothing to import. Choose to mix with real data (--mix) to add."),
            )  # fmt: skip
        local = _local(bulk, store)
        own = [_stored(line, plan.ids[line.agent]) for line in lines if (plan.ids[line.agent], local.day(line.line.opened_at)) in kept]
        written.days, written.lines = len(kept), len(own)
        affected = set(kept) | _lines_elsewhere(bulk, store, {line.order for line, _ in own}, local)
        _find_lost(bulk, store, plan, kept, bool(lines))
        total = len(kept) + len(own) + 1
        columns_of = ("store_id", "at", "author", "file", "summary")
        now = time.time_ns() // 1_000_000
        written.id = bulk.rows(
            f"INSERT INTO imports ({', '.join(columns_of)}) VALUES (?, ?, ?, ?, ?) RETURNING id", (store, now, author, file, "{}")
        )[0][0]
        names = (
            "import_id", "line", "opened_at", "placed_at", "amount_fen", "quantity", "agent_id", "cancelled", "order_code", "sku_code",
            "customer", "sku_name",
        )  # fmt: skip
        moved = _Moved()
        done = 0
        # Lines of an order can belong to any of the days, so those of a file with lines are looked at together.
        for part in _parts(affected, len(affected) if own else _TOGETHER):
            before = _counted(bulk, store, part)
            rows = [(written.id, day, agent, json.dumps(kept[agent, day])) for agent, day in sorted(part & kept.keys())]
            _insert(bulk, "imported_days", ("import_id", "day", "agent_id", "counts"), rows, done, total, step)
            done += len(rows)
            if own:
                order_rows = [(written.id, number, *line, name) for number, (line, name) in enumerate(own)]
                _insert(bulk, "imported_orders", names, order_rows, done, total, step)
            _move(bulk, store, before, held(bulk, store, part, local), moved)
        for header, meaning in columns.items():
            bulk.replace(schema.import_columns, ("store_id", "header", "meaning"), [(store, header, meaning)])
        written.changed = moved.days
        bulk.run("UPDATE imports SET summary = ? WHERE id = ?", (json.dumps(summary(written), ensure_ascii=False), written.id))
        _announce(bulk, store, revision + 1, moved, bool(plan.new))
        step(total, total)
        bulk.close()
    return written


def undo(database: Database, store: int, import_id: int) -> int:
    """Takes an import back: what held before it holds again. Returns how many days of agents have other numbers now.

    Raises FaultError when the store has no such import, or when it has been undone already.
    """
    with database.write(long=True) as connection:
        bulk = Bulk(connection)
        revision = lock_store(bulk, store)
        found = bulk.rows("SELECT undone_at FROM imports WHERE id = ? AND store_id = ?", (import_id, store)) if import_id < 2**31 else []
        if not found:
            raise FaultError("refused", T(f"没有编号为 {import_id} 的导入。", f"There is no import {import_id}."))
        if found[0][0] is not None:
            raise FaultError("refused", T(f"导入 {import_id} 已经撤销过了。", f"Import {import_id} has been undone already."))
        local = _local(bulk, store)
        affected = {(agent, day) for day, agent in bulk.rows("SELECT day, agent_id FROM imported_days WHERE import_id = ?", (import_id,))}
        orders = {row[0] for row in bulk.rows("SELECT DISTINCT order_code FROM imported_orders WHERE import_id = ?", (import_id,))}
        affected |= _lines_elsewhere(bulk, store, orders, local)
        moved = _Moved()
        bulk.run("UPDATE imports SET undone_at = ? WHERE id = ?", (time.time_ns() // 1_000_000, import_id))
        for part in _parts(affected, len(affected) if orders else _TOGETHER):
            _move(bulk, store, _counted(bulk, store, part), held(bulk, store, part, local), moved)
        _announce(bulk, store, revision + 1, moved, False)
        bulk.close()
    return moved.days


def history(database: Database, store: int) -> list[Import]:
    """The newest first."""
    with database.read() as connection:
        bulk = Bulk(connection)
        rows = bulk.rows("SELECT id, at, author, file, summary, undone_at FROM imports WHERE store_id = ? ORDER BY id DESC", (store,))
        bulk.close()
    return [Import(id, at, author, file, json.loads(said), undone) for id, at, author, file, said, undone in rows]


def remembered(database: Database, store: int) -> dict[str, str]:
    """Corrected meanings by normalised header; "" leaves a column out."""
    with database.read() as connection:
        bulk = Bulk(connection)
        rows = bulk.rows("SELECT header, meaning FROM import_columns WHERE store_id = ?", (store,))
        bulk.close()
    return dict(rows)


def expected(bulk: Bulk, store: int, window: tuple[int, int]) -> Delta:
    """What the day counters of flag IMPORTED and their gaps ought to be, by day as slot -1. window: local days, both included."""
    days = bulk.rows(
        "SELECT DISTINCT d.agent_id, d.day FROM imported_days d JOIN imports i ON i.id = d.import_id "
        "WHERE i.store_id = ? AND i.undone_at IS NULL AND d.day BETWEEN ? AND ?",
        (store, *window),
    )
    return {_key(where): counts for where, counts in held(bulk, store, set(days), _local(bulk, store)).items() if any(counts.values())}


def held(bulk: Bulk, store: int, wanted: set[AgentDay], local: LocalTime) -> dict[AgentDay, Counts]:
    """The counters that the imports not undone come to on these days of agents, zeros included, and their gaps."""
    if not wanted:
        return {}
    first, last = min(day for _, day in wanted), max(day for _, day in wanted)
    claims = _claims(bulk, store, wanted)
    order_imports = _with_lines(bulk, store)
    sold = sales_of(_lines(bulk, store, first, last, local), local) if order_imports else {}
    found = {where: holding(said, sold.get(where), order_imports) for where, said in claims.items()}
    return {where: counts | gaps(counts) for where, counts in found.items()}


def _counted(bulk: Bulk, store: int, wanted: Collection[AgentDay]) -> dict[AgentDay, Counts]:
    """What is counted of these days of agents and their gaps: what `held` says, or said by the rules of an earlier version."""
    first, last = min(day for _, day in wanted), max(day for _, day in wanted)
    agents = sorted({agent for agent, _ in wanted})
    found: dict[AgentDay, Counts] = {}
    for table, names, only in (("day_counters", SUM_FIELDS, f"AND flag = {IMPORTED} "), ("imported_gaps", GAP_FIELDS, "")):
        for agent, day, *values in bulk.rows_in(
            f"SELECT agent_id, day, {', '.join(names)} FROM {table} "
            f"WHERE store_id = ? AND day BETWEEN ? AND ? {only}AND agent_id IN {{keys}}",
            (store, first, last),
            agents,
        ):
            if (agent, day) in wanted:
                found.setdefault((agent, day), {}).update((name, value) for name, value in zip(names, values) if value)
    return found


def _with_lines(bulk: Bulk, store: int) -> frozenset[int]:
    """The imports of credited orders."""
    with_lines = "SELECT id FROM imports i WHERE store_id = ? AND EXISTS (SELECT 1 FROM imported_orders WHERE import_id = i.id)"
    return frozenset(row[0] for row in bulk.rows(with_lines, (store,)))


def _claims(bulk: Bulk, store: int, wanted: Collection[AgentDay]) -> dict[AgentDay, list[tuple[int, Counts]]]:
    """(import, what it says) of these days of agents, oldest first."""
    if not wanted:
        return {}
    first, last = min(day for _, day in wanted), max(day for _, day in wanted)
    claims: dict[AgentDay, list[tuple[int, Counts]]] = {}
    for import_id, agent, day, counts in bulk.rows_in(
        "SELECT d.import_id, d.agent_id, d.day, d.counts FROM imported_days d JOIN imports i ON i.id = d.import_id "
        "WHERE i.store_id = ? AND i.undone_at IS NULL AND d.day BETWEEN ? AND ? AND d.agent_id IN {keys} ORDER BY d.import_id",
        (store, first, last),
        sorted({agent for agent, _ in wanted}),
    ):
        if (agent, day) in wanted:
            claims.setdefault((agent, day), []).append((import_id, msgspec.json.decode(counts)))
    return claims


def _find_lost(bulk: Bulk, store: int, plan: Plan, kept: Mapping[AgentDay, Counts], of_lines: bool) -> None:
    """Fills in what the newest import, which says `kept`, would make of earlier ones."""
    plan.unsaid, plan.refuted, plan.outsold, plan.waiting = Lost(), Lost(), Lost(), Lost()
    order_imports = _with_lines(bulk, store)
    for part in _parts(kept, _TOGETHER):
        for where, claims in _claims(bulk, store, part).items():
            said = kept[where]
            of_days = [(import_id, counts) for import_id, counts in claims if import_id not in order_imports]
            sold = any(says_sales(counts) for _, counts in of_days)
            if of_lines:
                plan.waiting.take(set(said) if sold else set())
                continue
            newest_id = claims[-1][0] + 1
            lost = holding(of_days, None, frozenset()).keys() - holding([*of_days, (newest_id, said)], None, frozenset()).keys()
            spoken = {PART_OF[name] for name in said}
            plan.unsaid.take({name for name in lost if PART_OF[name] in spoken})
            plan.refuted.take({name for name in lost if PART_OF[name] not in spoken})
            if says_sales(said) and not sold:
                plan.outsold.take({name for import_id, counts in claims if import_id in order_imports for name in counts})
    plan.replaced -= plan.waiting.days


def _parts(wanted: Collection[AgentDay], size: int) -> Iterator[set[AgentDay]]:
    """Day after day, so that what is read of one part is read of no other."""
    ordered = sorted(wanted, key=lambda where: (where[1], where[0]))
    for start in range(0, len(ordered), max(1, size)):
        yield set(ordered[start : start + size])


def _move(bulk: Bulk, store: int, before: Mapping[AgentDay, Counts], after: Mapping[AgentDay, Counts], moved: _Moved) -> None:
    """Moves the counters from what held to what holds; of a day that no file speaks of any more nothing stays. Adds to `moved`."""
    changed = difference(before, after)
    add_counters(bulk, store, {_key(where): counts for where, counts in changed.items()})
    moved.days += len(changed)
    moved.agents.update(agent for agent, _ in changed)
    moved.names.update(name for counts in changed.values() for name in counts)
    gone = [(store, day, agent) for agent, day in sorted(before.keys() - after.keys())]
    bulk.many(f"DELETE FROM day_counters WHERE store_id = ? AND day = ? AND agent_id = ? AND flag = {IMPORTED}", gone)
    bulk.many("DELETE FROM imported_gaps WHERE store_id = ? AND day = ? AND agent_id = ?", gone)


def _lines(bulk: Bulk, store: int, first: int, last: int, local: LocalTime) -> list[Line]:
    """Every order line of these days as the newest import says it; it may say another day than an earlier one."""
    rows = bulk.rows(
        f"SELECT o.import_id, {', '.join(f'o.{name}' for name in _LINE)} FROM imported_orders o JOIN imports i ON i.id = o.import_id "
        "WHERE i.store_id = ? AND i.undone_at IS NULL "
        "AND o.order_code IN (SELECT order_code FROM imported_orders WHERE opened_at BETWEEN ? AND ?) ORDER BY o.import_id, o.line",
        (store, local.start_of_day(first) - DAY_MS, local.start_of_day(last + 1) + DAY_MS),
    )
    return newest((row[0], Line(*row[1:])) for row in rows)


_LINE = ("opened_at", "placed_at", "amount_fen", "quantity", "agent_id", "cancelled", "order_code", "sku_code", "customer")


def _lines_elsewhere(bulk: Bulk, store: int, orders: set[str], local: LocalTime) -> set[AgentDay]:
    """Days of agents that any import credits lines of these orders to."""
    rows = bulk.rows_in(
        "SELECT DISTINCT o.agent_id, o.opened_at FROM imported_orders o JOIN imports i ON i.id = o.import_id "
        "WHERE i.store_id = ? AND o.order_code IN {keys}",
        (store,),
        sorted(orders),
    )
    return {(agent, local.day(at)) for agent, at in rows}


def _local(bulk: Bulk, store: int) -> LocalTime:
    return LocalTime(bulk.rows("SELECT zone FROM stores WHERE id = ?", (store,))[0][0])


def _plan(bulk: Bulk, store: int, wanted: Sequence[tuple[str, int]]) -> Plan:
    plan = Plan()
    codes: dict[str, int] = {}
    names: dict[str, list[str]] = {}
    for id, code, name in bulk.rows("SELECT id, code, name FROM agents WHERE store_id = ? ORDER BY code", (store,)):
        codes[code] = id
        names.setdefault(name, []).append(code)
    for agent in dict.fromkeys(agent for agent, _ in wanted):
        namesakes = names.get(agent, [])
        if agent in codes:
            plan.ids[agent] = codes[agent]
        elif len(namesakes) == 1:
            plan.ids[agent] = codes[namesakes[0]]
        elif namesakes:
            plan.unclear[agent] = namesakes
        else:
            plan.new.append(agent)
    if not wanted or not plan.ids:
        return plan
    known = [(agent, day, (plan.ids[agent], day)) for agent, day in wanted if agent in plan.ids]
    span = min(day for _, day in wanted), max(day for _, day in wanted)
    ids = sorted(set(plan.ids.values()))
    real = {(agent, day): bool(sessions) for agent, day, sessions, _ in _recorded(bulk, store, span, ids)}
    for agent, day, where in known:
        if where in real:
            plan.skips.append(Skip(agent, day, presence=not real[where]))
    earlier = set(
        bulk.rows_in(
            "SELECT DISTINCT d.agent_id, d.day FROM imported_days d JOIN imports i ON i.id = d.import_id "
            "WHERE i.store_id = ? AND i.undone_at IS NULL AND d.day BETWEEN ? AND ? AND d.agent_id IN {keys}",
            (store, *span),
            ids,
        )
    )
    plan.replaced = sum(where in earlier for _, _, where in known)
    return plan


def _recorded(bulk: Bulk, store: int, span: tuple[int, int], agents: Sequence[int]) -> list[Row]:
    """(agent, day, sessions, presence) of days that have either from events."""
    sums = [" + ".join(f"coalesce({name}, 0)" for name in names) for names in (SESSION_FIELDS, PRESENCE_FIELDS)]
    return bulk.rows_in(
        f"SELECT * FROM (SELECT agent_id, day, sum({sums[0]}) AS sessions, sum({sums[1]}) AS presence FROM day_counters "
        f"WHERE store_id = ? AND day BETWEEN ? AND ? AND flag <> {IMPORTED} AND agent_id IN {{keys}} GROUP BY agent_id, day) AS real "
        "WHERE sessions > 0 OR presence > 0",
        (store, *span),
        agents,
    )


def _create(bulk: Bulk, store: int, plan: Plan, names: Mapping[str, str]) -> None:
    bulk.many("INSERT INTO agents (store_id, code, name) VALUES (?, ?, ?)", [(store, code, names.get(code) or code) for code in plan.new])
    plan.ids.update(bulk.rows_in("SELECT code, id FROM agents WHERE store_id = ? AND code IN {keys}", (store,), plan.new))


def _kept(days: Sequence[Spoken], plan: Plan) -> dict[AgentDay, Counts]:
    skipped = {(skip.agent, skip.day): skip for skip in plan.skips}
    kept: dict[AgentDay, Counts] = {}
    for spoken in days:
        skip = skipped.get((spoken.agent, spoken.day))
        counts = spoken.counts
        if skip is not None:
            counts = {name: value for name, value in counts.items() if name not in _PRESENCE} if skip.presence else {}
        if counts:
            into = kept.setdefault((plan.ids[spoken.agent], spoken.day), {})
            for name, value in counts.items():
                into[name] = into.get(name, 0) + value
    return kept


def _stored(order: OrderLine, agent: int) -> tuple[Line, str]:
    return order.line._replace(agent=agent), order.sku_name


def _insert(bulk: Bulk, table: str, columns: Sequence[str], rows: Sequence[Row], done: int, total: int, step: Step) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        step(done + start, total)
        bulk.insert(schema.metadata.tables[table], columns, rows[start : start + _AT_ONCE])


def _key(where: AgentDay) -> Key:
    agent, day = where
    return Key(day, -1, agent, 0, 0, IMPORTED)


def _announce(bulk: Bulk, store: int, revision: int, moved: _Moved, newcomers: bool) -> None:
    topics = {"past"} | ({"agents"} if newcomers else set())
    if moved.names & _SALES:
        topics.add("orders")
    if moved.names & _PRESENCE:
        topics.add("presence")
    if moved.names - _SALES - _PRESENCE or topics == {"past"}:
        topics.add("sessions")
    announce(bulk, store, revision, topics, moved.agents if len(moved.agents) <= _LARGEST_NOTICE else None)
