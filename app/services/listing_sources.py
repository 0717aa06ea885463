"""The SQL of each listing. Filters are conditions on facts; names are looked up for the rows of a page only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    and_,
    bindparam,
    case,
    distinct,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)

from app.domain.attribution import FIFTEEN_DAYS
from app.domain.conversation import CHANNELS, KINDS, ONLINE, ORDER_STATES, PAGES, REASONS, RESOLVED, UNRESOLVED, contribution, fold
from app.domain.counters import WINDOWS
from app.domain.language import T
from app.domain.localtime import DAY_MS, SLOT_MS, LocalTime
from app.services.decisions import reasons
from app.services.drill import HANDED_OVER, condition
from app.services.paging import Source, Term
from app.services.reports import Asked
from app.storage import schema
from app.storage.faults import FaultError
from app.storage.packing import unpack_facts

if TYPE_CHECKING:
    from app.services.listings import Wanted

_LONGEST_WINDOW = WINDOWS["15d"]
_NAMED_IDS = 30_000
Conditions = list[ColumnElement[bool]]


def sources(connection: Connection, asked: Asked) -> Sequence[Source]:
    """What the rows of a listing are read from; `asked.question` is a Wanted."""
    wanted = cast("Wanted", asked.question)
    if wanted.report == "sessions":
        return (_sessions(connection, asked, wanted),)
    if wanted.report == "skus":
        return (_skus(connection, asked, wanted),)
    if wanted.report == "visitors":
        return (_visitors(connection, asked, wanted),)
    return (_credited(connection, asked, wanted), _imported(asked, wanted))


# -- sessions --


def _sessions(connection: Connection, asked: Asked, wanted: Wanted) -> Source:
    s = schema.sessions.c
    statement = select(
        s.id, s.code, s.customer_id, s.sku_id, s.agent_id, s.group_id, s.kind, s.channel, s.page, s.order_state, s.opened_at,
        s.first_reply_ms, s.turns, s.turn_ms, s.agent_messages, s.customer_messages, s.transfers, s.rating, s.resolution, s.closed_at,
        s.reason,
    ).where(*_of_sessions(connection, asked, wanted))  # fmt: skip
    if wanted.text:
        told = _like(wanted.text)
        by_customer, by_sku = s.customer_id.in_(_customers_like(asked, told)), s.sku_id.in_(_skus_like(asked, told))
        statement = statement.where(or_(told(s.code), by_customer, by_sku))
    if wanted.order is not None:
        statement = statement.where(s.id.in_(_sessions_of_order(asked, wanted)))
    online = s.kind == ONLINE
    orders = {
        "opened_at": (Term(s.day), Term(s.opened_at)),
        "closed_at": (Term(s.closed_at, True),),
        "first_reply": (Term(case((online, s.first_reply_ms)), True),),
        "avg_reply": (Term(case((online & (s.turns > 0), s.turn_ms.cast(Float(53)) / func.nullif(s.turns, 0))), True),),
        "replies": (Term(s.agent_messages),),
        "customer_messages": (Term(s.customer_messages),),
        "rating": (Term(func.nullif(s.rating, 0), True),),
        "transfers": (Term(s.transfers),),
    }

    def make(connection: Connection, records: Sequence[Any]) -> list[dict[str, Any]]:
        customers = _named(connection, schema.customers, {r.customer_id for r in records})
        skus = _named(connection, schema.skus, {r.sku_id for r in records})
        why = reasons(connection, asked.store.id, [r.id for r in records])
        rows = []
        for r in records:
            customer, agent, group = customers.get(r.customer_id, ("", "")), _of(asked.agents, r.agent_id), _of(asked.groups, r.group_id)
            is_online = r.kind == ONLINE
            rows.append({
                "session": r.code,
                "customer": customer[0],
                "agent": agent[0],
                "group": group[0],
                "kind": KINDS[r.kind],
                "channel": CHANNELS[r.channel],
                "opened_at": r.opened_at,
                "closed_at": r.closed_at,
                "first_reply": r.first_reply_ms / 1000 if is_online and r.first_reply_ms is not None else None,
                "avg_reply": r.turn_ms / r.turns / 1000 if is_online and r.turns else None,
                "replies": r.agent_messages,
                "customer_messages": r.customer_messages,
                "transfers": r.transfers,
                "rating": r.rating or None,
                "resolved": {UNRESOLVED: False, RESOLVED: True}.get(r.resolution) if r.rating else None,
                "reason": REASONS[r.reason] or None,
                "page": PAGES[r.page] or None,
                "order_state": ORDER_STATES[r.order_state] or None,
                "sku": skus.get(r.sku_id, (None, ""))[0],
                "customer_name": customer[1] or customer[0],
                "agent_name": agent[1],
                "group_name": group[1],
                "why": why.get(r.id),
            })  # fmt: skip
        return rows

    # By code and not by id: which of two was heard of first is nobody's business.
    return Source(statement, orders, (Term(s.code),), make)


def _of_sessions(connection: Connection, asked: Asked, wanted: Wanted, credited: bool = False) -> Conditions:
    """The conditions on schema.sessions that every listing shares. `credited`: for sessions reached from their orders, where the
    item bought decides, not the one asked about.
    """
    s, slice_ = schema.sessions.c, asked.slice
    # No index knows a sum. Without statistics a planner would else begin at the days, where order lines have no index of credits and
    # where a customer has a few sessions among millions.
    elsewhere = credited or wanted.customer is not None or wanted.order is not None
    day, agent = (s.day + 0, s.agent_id + 0) if elsewhere else (s.day, s.agent_id)
    handed_over = wanted.only == HANDED_OVER
    terms: Conditions = [day >= asked.first, day <= asked.last]
    terms += [s.id.in_(_handed_over(connection, asked))] if handed_over else _agents(asked, agent)
    if not credited:
        terms.append((s.store_id + 0 if elsewhere else s.store_id) == asked.store.id)
    if asked.group is not None and not handed_over:
        terms.append(s.group_id == asked.group)
    if wanted.grouped and not handed_over:
        terms.append(s.group_id > 0)
    if slice_.flags is not None:
        terms.append(s.flag.in_(slice_.flags))
    if slice_.slots is not None:
        terms.append(_in_slots(asked, slice_.slots, s.opened_at))
    if wanted.hours is not None:
        terms.append(_in_slots(asked, wanted.hours, s.opened_at))
    if wanted.weekdays:
        terms.append(_on_weekdays(wanted, s.day))
    if wanted.only:
        terms.append(condition(wanted.only, s))
    if asked.channel is not None:
        terms.append(s.channel == asked.channel)
    if wanted.kind is not None:
        terms.append(s.kind == KINDS.index(wanted.kind))
    if wanted.customer is not None and not credited:
        terms.append(s.customer_id == _id_of(connection, schema.customers, asked, wanted.customer))
    if wanted.sku is not None and not credited:
        terms.append(s.sku_id == _id_of(connection, schema.skus, asked, wanted.sku))
    return terms


def _handed_over(connection: Connection, asked: Asked) -> list[int]:
    """Ids of the sessions that an agent asked for, in a group asked for, has handed to another. Few are: their facts are looked at.

    Raises FaultError for more than a statement can name.
    """
    s, grouped = schema.sessions.c, asked.question.grouped
    handed = select(s.id, s.code, s.facts).where(
        s.store_id == asked.store.id, s.day >= asked.first, s.day <= asked.last, s.kind == ONLINE, s.transfers > 0
    )
    found = []
    for id, code, facts in connection.execute(handed.execution_options(yield_per=1000)):
        counted = contribution(fold(id, code, unpack_facts(facts)), asked.local)
        if any(
            counts.get("transferred_out") and asked.has(key.agent) and asked.group in (None, key.group) and (key.group or not grouped)
            for key, counts in counted.items()
        ):
            found.append(id)
    if len(found) > _NAMED_IDS:
        raise FaultError("refused", T("转出的会话太多，请缩短日期范围。", "Too many sessions were handed over; choose fewer days."))
    return found


# -- credited orders --


def _credited(connection: Connection, asked: Asked, wanted: Wanted) -> Source:
    o, li, s = schema.orders.c, schema.order_lines.c, schema.sessions.c
    credited = li[f"session_{asked.window}"]
    lag = o.placed_at - s.opened_at
    statement = select(
        o.code, o.customer_id, o.placed_at, o.paid_at, o.shipped_at, o.cancelled_at, li.line, li.sku_id, li.quantity, li.amount_fen,
        s.code.label("session"), s.agent_id, s.sku_id.label("about"), s.opened_at,
    ).select_from(schema.orders.join(schema.order_lines, li.order_id == o.id).outerjoin(schema.sessions, s.id == credited))  # fmt: skip
    start, end = asked.local.start_of_day(asked.first), asked.local.start_of_day(asked.last + 1)
    counted = and_(credited != 0, *_of_sessions(connection, asked, wanted, credited=True))
    if wanted.cancelled and not wanted.of_some_sessions:
        # What counts for nobody falls on the day it was placed.
        taken_out = and_(o.cancelled_at.is_not(None), o.cancelled_at - o.placed_at <= FIFTEEN_DAYS, o.placed_at >= start, o.placed_at < end)
        counted = or_(counted, and_(credited == 0, taken_out))
    statement = statement.where(
        # A credit falls on its session's day; the order follows within the longest window.
        o.store_id == asked.store.id, o.placed_at >= start, o.placed_at < end + _LONGEST_WINDOW + DAY_MS, counted
    )  # fmt: skip
    if wanted.customer is not None:
        statement = statement.where(o.customer_id == _id_of(connection, schema.customers, asked, wanted.customer))
    if wanted.order is not None:
        statement = statement.where(o.code == wanted.order)
    if wanted.sku is not None:
        statement = statement.where(li.sku_id == _id_of(connection, schema.skus, asked, wanted.sku))
    if wanted.text:
        told = _like(wanted.text)
        by_customer, by_sku = o.customer_id.in_(_customers_like(asked, told)), li.sku_id.in_(_skus_like(asked, told))
        statement = statement.where(or_(told(o.code), told(s.code), by_customer, by_sku))
    orders = {
        "placed_at": (Term(o.placed_at),),
        "opened_at": (Term(s.opened_at, True),),
        "lag_hours": (Term(lag, True),),
        "quantity": (Term(li.quantity),),
        "amount": (Term(li.amount_fen),),
    }

    def make(connection: Connection, records: Sequence[Any]) -> list[dict[str, Any]]:
        customers = _named(connection, schema.customers, {r.customer_id for r in records})
        skus = _named(connection, schema.skus, {r.sku_id for r in records})
        rows = []
        for r in records:
            sku, agent = skus.get(r.sku_id, ("", "")), _of(asked.agents, r.agent_id)
            cancelled = r.cancelled_at is not None
            state = "cancelled" if cancelled else "shipped" if r.shipped_at is not None else "paid" if r.paid_at is not None else "placed"
            rule = None if r.session is None else "about_sku" if r.about and r.about == r.sku_id else "last"
            lag_hours = None if r.opened_at is None else (r.placed_at - r.opened_at) / 3_600_000
            rows.append(
                _order_row(
                    r.code, r.line, sku, customers.get(r.customer_id, ("", "")), agent, r.session, r.opened_at, r.placed_at, lag_hours,
                    r.quantity, r.amount_fen, rule, state, "events",
                )
            )  # fmt: skip
        return rows

    return Source(statement, orders, (Term(literal(0)), Term(o.code), Term(literal(0)), Term(li.line)), make)


def _imported(asked: Asked, wanted: Wanted) -> Source:
    """Credited lines of files. A line imported again holds in its newest import, and what events tell of an order goes before."""
    io = schema.imported_orders.c
    statement = select(
        io.order_code, io.line, io.sku_code, io.sku_name, io.customer, io.agent_id, io.opened_at, io.placed_at, io.quantity, io.amount_fen,
        io.cancelled,
    ).where(*_of_imported(asked, wanted))  # fmt: skip
    lag = io.placed_at - io.opened_at
    orders = {
        "placed_at": (Term(io.placed_at),),
        "opened_at": (Term(io.opened_at, True),),
        "lag_hours": (Term(lag, True),),
        "quantity": (Term(io.quantity),),
        "amount": (Term(io.amount_fen),),
    }

    def make(connection: Connection, records: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            _order_row(
                r.order_code, r.line, (r.sku_code, r.sku_name), (r.customer, ""), _of(asked.agents, r.agent_id), None, r.opened_at,
                r.placed_at, (r.placed_at - r.opened_at) / 3_600_000, r.quantity, r.amount_fen, None,
                "cancelled" if r.cancelled else "placed", "imported",
            )
            for r in records
        ]  # fmt: skip

    return Source(statement, orders, (Term(literal(1)), Term(io.order_code), Term(io.import_id), Term(io.line)), make)


def _of_imported(asked: Asked, wanted: Wanted) -> Conditions:
    io, im, o = schema.imported_orders.c, schema.imports.c, schema.orders.c
    of_sessions = asked.group is not None or asked.channel is not None or wanted.kind == "leave" or bool(wanted.only) or wanted.grouped
    if of_sessions or wanted.hours is not None or bool(wanted.weekdays) or wanted.population == "assessed":
        return [false()]  # files do not say, and what they credit counts for no time of day
    start, end = asked.local.start_of_day(asked.first), asked.local.start_of_day(asked.last + 1)
    held = select(im.id).where(im.store_id == asked.store.id, im.undone_at.is_(None))
    later = schema.imported_orders.alias().c
    again = (later.import_id.in_(held), later.import_id > io.import_id, later.order_code == io.order_code, later.sku_code == io.sku_code)
    terms: Conditions = [
        io.import_id.in_(held),
        io.opened_at >= start,
        io.opened_at < end,
        (io.placed_at - io.opened_at).between(0, WINDOWS[asked.window]),
        ~exists().where(o.store_id == asked.store.id, o.code == io.order_code, o.placed_at.is_not(None)),
        ~exists().where(*again),
        *_agents(asked, io.agent_id),
    ]
    if not wanted.cancelled:
        terms.append(~io.cancelled)
    if wanted.customer is not None:
        terms.append(io.customer == wanted.customer)
    if wanted.order is not None:
        terms.append(io.order_code == wanted.order)
    if wanted.sku is not None:
        terms.append(io.sku_code == wanted.sku)
    if wanted.text:
        told = _like(wanted.text)
        terms.append(or_(told(io.order_code), told(io.customer), told(io.sku_code), told(io.sku_name)))
    return terms


def _order_row(
    order: str, line: int, sku: tuple[str, str], customer: tuple[str, str], agent: tuple[str | None, str], session: str | None,
    opened_at: int | None, placed_at: int, lag_hours: float | None, quantity: int, amount_fen: int, rule: str | None, state: str,
    source: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "order": order, "sku": sku[0], "sku_name": sku[1] or sku[0], "customer": customer[0],
        "customer_name": customer[1] or customer[0], "agent": agent[0], "session": session,
        "opened_at": opened_at, "placed_at": placed_at, "lag_hours": lag_hours, "quantity": quantity, "amount": amount_fen / 100,
        "line": line, "agent_name": agent[1], "rule": rule, "state": state, "source": source,
    }  # fmt: skip


def _sessions_of_order(asked: Asked, wanted: Wanted) -> Any:
    o, li = schema.orders.c, schema.order_lines.c
    credited = li[f"session_{asked.window}"]
    return select(credited).join_from(schema.orders, schema.order_lines, li.order_id == o.id).where(
        o.store_id == asked.store.id, o.code == wanted.order
    )  # fmt: skip


# -- items --


def _skus(connection: Connection, asked: Asked, wanted: Wanted) -> Source:
    o, li, s, k, io = schema.orders.c, schema.order_lines.c, schema.sessions.c, schema.skus.c, schema.imported_orders.c
    nothing = literal(0)
    by_consults = (
        select(
            s.sku_id, func.count().label("consults"), func.count(distinct(s.customer_id)).label("customers"),
        )
        .where(*_of_sessions(connection, asked, wanted), s.sku_id != 0, s.kind == ONLINE, s.first_customer_at.is_not(None))
        .group_by(s.sku_id)
        .subquery()
    )  # fmt: skip
    start, end = asked.local.start_of_day(asked.first), asked.local.start_of_day(asked.last + 1)
    bought = _of_sessions(connection, asked, wanted, credited=True)
    if wanted.customer is not None:
        bought.append(o.customer_id == _id_of(connection, schema.customers, asked, wanted.customer))
    if wanted.sku is not None:
        bought.append(li.sku_id == _id_of(connection, schema.skus, asked, wanted.sku))
    by_credits = (
        select(
            li.sku_id, func.count(distinct(o.id)).label("orders"), func.sum(li.quantity).label("items"),
            func.sum(li.amount_fen).label("amount"), func.count(distinct(case((s.sku_id == li.sku_id, o.customer_id)))).label("buyers"),
        )
        .select_from(
            schema.orders.join(schema.order_lines, li.order_id == o.id).join(schema.sessions, s.id == li[f"session_{asked.window}"])
        )
        .where(o.store_id == asked.store.id, o.placed_at >= start, o.placed_at < end + _LONGEST_WINDOW + DAY_MS, *bought)
        .group_by(li.sku_id)
        .subquery()
    )  # fmt: skip
    parts = union_all(
        select(k.code, k.name, by_consults.c.consults, by_consults.c.customers, nothing.label("orders"), nothing.label("items"),
               nothing.label("amount"), nothing.label("buyers")).join(by_consults, by_consults.c.sku_id == k.id),
        select(k.code, k.name, nothing, nothing, by_credits.c.orders, by_credits.c["items"], by_credits.c.amount, by_credits.c.buyers)
        .join(by_credits, by_credits.c.sku_id == k.id),
        select(io.sku_code, func.max(io.sku_name), nothing, nothing, func.count(distinct(io.order_code)), func.sum(io.quantity),
               func.sum(io.amount_fen), nothing).where(*_of_imported(asked, wanted), ~io.cancelled).group_by(io.sku_code),
    ).subquery()  # fmt: skip
    p = parts.c
    # PostgreSQL answers numeric for a sum of bigint.
    sums = [func.sum(p[name]).cast(BigInteger).label(name) for name in ("consults", "customers", "orders", "items", "amount", "buyers")]
    g = select(p.code, func.max(p.name).label("name"), *sums).group_by(p.code).subquery().c
    amount_of_all = int(connection.execute(select(func.coalesce(func.sum(p.amount), 0))).scalar_one())
    conversion = g.buyers.cast(Float(53)) / func.nullif(g.customers, 0)
    statement = select(g.code, g.name, g.consults, g.customers, g.orders, g["items"], g.amount, g.buyers)
    if wanted.text:
        told = _like(wanted.text)
        statement = statement.where(or_(told(g.code), told(g.name)))
    orders: dict[str, tuple[Term, ...]] = {name: (Term(g[name]),) for name in ("consults", "customers", "orders", "items", "amount")}
    orders["conversion"] = (Term(conversion, True),)

    def make(connection: Connection, records: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            {
                "sku": r.code, "sku_name": r.name or r.code, "consults": r.consults, "customers": r.customers, "orders": r.orders,
                "items": r[5], "amount": r.amount / 100, "share": r.amount / amount_of_all if amount_of_all else None,
                "conversion": r.buyers / r.customers if r.customers else None,
            }
            for r in records
        ]  # fmt: skip

    return Source(statement, orders, (Term(g.code),), make)


# -- visitors --


def _visitors(connection: Connection, asked: Asked, wanted: Wanted) -> Source:
    """Who entered on a day, by the moment of their first entry of each kind. Nobody knows an agent, group or channel of theirs."""
    v, c, s = schema.visitors.c, schema.customers.c, schema.sessions.c
    terms: Conditions = [v.store_id == asked.store.id, v.day >= asked.first, v.day <= asked.last]
    if asked.parts or wanted.grouped or wanted.sku is not None or wanted.order is not None:
        terms = [false()]
    terms += [_in_slots(asked, slots, v.first_at) for slots in (asked.slice.slots, wanted.hours) if slots is not None]
    if wanted.weekdays:
        terms.append(_on_weekdays(wanted, v.day))
    if wanted.only:
        terms.append(condition(wanted.only, v))
    if wanted.kind is not None:
        terms.append(v.kind == (wanted.kind == "leave"))
    if wanted.customer is not None:
        terms.append(c.code == wanted.customer)
    if wanted.text:
        told = _like(wanted.text)
        terms.append(or_(told(c.code), told(c.name)))
    statement = select(v.day, v.kind, v.first_at, v.customer_id, c.code, c.name).join_from(
        schema.visitors, schema.customers, c.id == v.customer_id
    )  # fmt: skip

    def make(connection: Connection, records: Sequence[Any]) -> list[dict[str, Any]]:
        wrote: dict[tuple[int, int], int] = {}
        if records:
            theirs = s.customer_id.in_({r.customer_id for r in records}), s.day.in_({r.day for r in records})
            counts = select(s.customer_id, s.day, func.count()).where(*theirs).group_by(s.customer_id, s.day)
            wrote = {(customer, day): n for customer, day, n in connection.execute(counts)}
        return [
            {
                "first_at": r.first_at, "customer_name": r.name or r.code, "kind": "leave" if r.kind else "online",
                "sessions": wrote.get((r.customer_id, r.day), 0), "customer": r.code,
            }
            for r in records
        ]  # fmt: skip

    return Source(statement.where(*terms), {"first_at": (Term(v.day), Term(v.first_at))}, (Term(c.code), Term(v.kind)), make)


# -- what they share --


def _agents(asked: Asked, column: ColumnElement[int]) -> Conditions:
    terms: Conditions = [] if asked.agent is None else [column == asked.agent]
    if asked.chosen is not None:
        terms.append(column.in_(asked.chosen))
    return terms


def _in_slots(asked: Asked, slots: tuple[int, int], moment: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the local wall clock of a moment of the asked days lies in the slots; past midnight when the first is not below the other."""
    first, past = slots[0] * SLOT_MS, slots[1] * SLOT_MS
    ways = []
    for start, end, offset in _offsets(asked.local, asked.first, asked.last):
        clock = (moment + offset) % DAY_MS
        inside = and_(clock >= first, clock < past) if first < past else or_(clock >= first, clock < past)
        ways.append(and_(moment >= start, moment < end, inside))
    return or_(*ways)


def _on_weekdays(wanted: Wanted, day: ColumnElement[int]) -> ColumnElement[bool]:
    """Day 0 was a Thursday."""
    return ((day + 3) % 7).in_(wanted.weekdays)


def _offsets(local: LocalTime, first: int, last: int) -> Iterable[tuple[int, int, int]]:
    """The time of the days cut where clocks change: (start, end, milliseconds ahead of UTC)."""
    start, end = local.start_of_day(first), local.start_of_day(last + 1)
    offset = local.offset(start)
    at = start
    while at < end:
        following = min(at + DAY_MS, end)
        if local.offset(following - 1) != offset:
            low, high = at - 1, following - 1  # clocks change after `low`, which may be at `at` itself, and not after `high`
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if local.offset(middle) == offset else (low, middle)
            yield start, high, offset
            start, offset = high, local.offset(high)
            at = high
        else:
            at = following
    yield start, end, offset


def _named(connection: Connection, table: Any, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """(code, name) by id."""
    if not ids:
        return {}
    c = table.c
    statement = select(c.id, c.code, c.name).where(c.id.in_(bindparam("ids", expanding=True)))
    return {r.id: (r.code, r.name) for r in connection.execute(statement, {"ids": sorted(ids)})}


def _of(names: dict[int, tuple[str, str]], id: int | None) -> tuple[str | None, str]:
    return names.get(id or 0, (None, ""))


def _id_of(connection: Connection, table: Any, asked: Asked, code: str) -> int:
    """-1, which no row has, for an unknown code."""
    c = table.c
    found = connection.execute(select(c.id).where(c.store_id == asked.store.id, c.code == code)).scalar()
    return -1 if found is None else int(found)


def _like(text: str) -> Callable[[Any], ColumnElement[bool]]:
    return lambda column: column.icontains(text, autoescape=True)


def _customers_like(asked: Asked, told: Callable[[Any], ColumnElement[bool]]) -> Any:
    c = schema.customers.c
    return select(c.id).where(c.store_id == asked.store.id, or_(told(c.code), told(c.name)))


def _skus_like(asked: Asked, told: Callable[[Any], ColumnElement[bool]]) -> Any:
    k = schema.skus.c
    return select(k.id).where(k.store_id == asked.store.id, or_(told(k.code), told(k.name)))
