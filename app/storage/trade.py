"""Orders of a batch, and what they and changed sessions do to the credited sales (rules: domain/attribution.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from app.domain import events as ev
from app.domain.attribution import FIFTEEN_DAYS, Line, Order, sales
from app.domain.conversation import Session
from app.domain.counters import Delta, add
from app.domain.localtime import DAY_MS, LocalTime
from app.storage import schema
from app.storage.bulk import Bulk, Row
from app.storage.codes import Codes

# A change at t reaches orders up to 15 days after it, whose other candidates lie up to 15 days before them, and the distinct counts of
# those sessions' days: nothing farther than this can change, and what lies at the edge is the same before and after.
_REACH = 2 * FIFTEEN_DAYS + DAY_MS
# Where no order can be concerned, only the distinct counts of the same local day can change; a day lies within this of its moments.
_DAY_REACH = 2 * DAY_MS

_ORDER_COLUMNS = ("id", "store_id", "code", "customer_id", "placed_at", "paid_at", "shipped_at", "cancelled_at")
LINE_COLUMNS = ("order_id", "line", "sku_id", "quantity", "amount_fen", "session_24h", "session_7d", "session_15d")


Times = dict[int, list[int]]
"""{customer: when sessions of theirs that changed were opened, and orders placed}"""


class Held(Protocol):
    session: Session


class Trade:
    """The sales side of one batch, inside its transaction, before the changed sessions are written."""

    def __init__(self, store: int, local: LocalTime, codes: Codes, bulk: Bulk) -> None:
        self._store = store
        self._local = local
        self._codes = codes
        self._bulk = bulk

    def record(self, events: Sequence[ev.OrderEvent], touched: Sequence[tuple[Session | None, Held]]) -> Delta:
        """Writes orders, lines and credits; returns the change of the sales counters."""
        times: Times = {}
        changed = [held.session for before, held in touched if _matters(before, held.session, times)]
        old, new, rewritten = self._apply(events)
        for order in (*old.values(), *new.values()):
            if order.customer and order.placed_at is not None:
                times.setdefault(order.customer, []).append(order.placed_at)
        delta: Delta = {}
        self._write_orders(new)
        recredited: list[Row] = []
        if times:
            recredited = self._resell(times, {s.id: s for s in changed}, old, new, rewritten, delta)
        self._write_lines(old, new, rewritten, recredited)
        return delta

    def _resell(
        self,
        times: Times,
        changed: Mapping[int, Session],
        old: Mapping[int, Order],
        new: Mapping[int, Order],
        rewritten: set[int],
        delta: Delta,
    ) -> list[Row]:
        """delta += sales(after) − sales(before) of the customers; returns the lines whose credits have moved."""
        known = {customer: said for customer, said in times.items() if customer not in self._codes.fresh_customers}
        orders = load_orders_of(self._bulk, list(known), *_around(known, _REACH)) if known else []
        # One customer may have tens of thousands of sessions, where a source has one code for all that are nobody in particular.
        ordering = {o.customer for o in (*old.values(), *new.values(), *orders) if _concerns(o, times.get(o.customer, ()))}
        sessions_before: dict[int, list[Session]] = {}
        sessions_after: dict[int, list[Session]] = {}
        for stored in self._sessions(known, ordering):
            sessions_before.setdefault(stored.customer, []).append(stored)
            if stored.id not in changed:
                sessions_after.setdefault(stored.customer, []).append(stored)
        for session in changed.values():
            sessions_after.setdefault(session.customer, []).append(session)
        orders_before: dict[int, list[Order]] = {}
        orders_after: dict[int, list[Order]] = {}
        for order in orders:
            if order.id not in new:
                orders_before.setdefault(order.customer, []).append(order)
                orders_after.setdefault(order.customer, []).append(order)
        for order in old.values():
            orders_before.setdefault(order.customer, []).append(order)
        for order in new.values():
            if order.customer:
                orders_after.setdefault(order.customer, []).append(order)
        moved: list[Row] = []
        for customer in times:
            before, credits_before = sales(sessions_before.get(customer, ()), orders_before.get(customer, ()), self._local)
            after, credits_after = sales(sessions_after.get(customer, ()), orders_after.get(customer, ()), self._local)
            if before != after:
                add(delta, before, -1)
                add(delta, after)
            for order in orders_after.get(customer, ()):
                credits = credits_after[order.id]
                if order.id in rewritten or credits != credits_before.get(order.id):
                    for position, (line, credit) in enumerate(zip(order.lines, credits)):
                        moved.append((order.id, position, line.sku, line.quantity, line.amount, *credit))
        return moved

    def _sessions(self, known: Times, ordering: set[int]) -> Iterator[Session]:
        """The stored sessions that decide what changes at these times; `ordering`: the customers of whom orders may be concerned."""
        far = {customer: said for customer, said in known.items() if customer in ordering}
        near = {customer: said for customer, said in known.items() if customer not in ordering}
        for some, reach in ((far, _REACH), (near, _DAY_REACH)):
            if some:
                yield from load_sessions(self._bulk, list(some), *_around(some, reach))

    def _apply(self, events: Sequence[ev.OrderEvent]) -> tuple[dict[int, Order], dict[int, Order], set[int]]:
        """(orders before, orders after, ids whose lines are new) of the orders the events speak of, by id."""
        if not events:
            return {}, {}, set()
        codes = sorted({event.order for event in events})
        old = {order.id: order for order in load_orders(self._bulk, "store_id = ? AND code IN {keys}", (self._store,), codes)}
        by_code = {order.code: _copy(order) for order in old.values()}
        unknown = [code for code in codes if code not in by_code]
        for id, code in zip(self._codes.new_ids(self._bulk, "orders", len(unknown)), unknown):
            by_code[code] = Order(id, code)
        rewritten: set[int] = set()
        for event in events:
            order = by_code[event.order]
            at = event.at
            if isinstance(event, ev.OrderPlaced):
                lines = [Line(self._codes.skus[line.sku], line.quantity, line.amount_fen) for line in event.lines]
                if order.placed_at is None or (at, _said(lines)) < (order.placed_at, _said(order.lines)):
                    order.placed_at = at
                    order.customer = self._codes.customers[event.customer]
                    order.lines = lines
                    rewritten.add(order.id)
            elif isinstance(event, ev.OrderPaid):
                order.paid_at = _earlier(order.paid_at, at)
            elif isinstance(event, ev.OrderShipped):
                order.shipped_at = _earlier(order.shipped_at, at)
            else:
                order.cancelled_at = _earlier(order.cancelled_at, at)
        return old, {order.id: order for order in by_code.values()}, rewritten

    def _write_orders(self, orders: Mapping[int, Order]) -> None:
        rows = [(o.id, self._store, o.code, o.customer, o.placed_at, o.paid_at, o.shipped_at, o.cancelled_at) for o in orders.values()]
        self._bulk.replace(schema.orders, _ORDER_COLUMNS, rows)

    def _write_lines(self, old: Mapping[int, Order], orders: Mapping[int, Order], rewritten: set[int], rows: Sequence[Row]) -> None:
        shorter = [(id, len(orders[id].lines)) for id in rewritten if id in old and len(old[id].lines) > len(orders[id].lines)]
        self._bulk.many("DELETE FROM order_lines WHERE order_id = ? AND line >= ?", shorter)
        self._bulk.replace(schema.order_lines, LINE_COLUMNS, rows)


def load_sessions(bulk: Bulk, customers: Sequence[int], low: int, high: int) -> Iterable[Session]:
    """What sales depend on, of the customers' sessions opened from `low` to `high`."""
    rows = bulk.rows_in(
        "SELECT id, code, customer_id, opened_at, kind, agent_id, group_id, channel, flag, sku_id, order_state, first_reply_ms "
        "FROM sessions WHERE opened_at BETWEEN ? AND ? AND customer_id IN {keys}",
        (low, high),
        customers,
    )
    for id, code, customer, opened_at, kind, agent, group, channel, flag, sku, order_state, first_reply_ms in rows:
        s = Session(id, code)
        s.customer, s.opened_at, s.kind, s.agent, s.group, s.channel = customer, opened_at, kind, agent, group, channel
        s.flag, s.sku, s.order_state, s.first_reply_ms = flag, sku, order_state, first_reply_ms
        yield s


def load_orders_of(bulk: Bulk, customers: Sequence[int], low: int, high: int) -> list[Order]:
    """The customers' orders placed from `low` to `high`, with their lines."""
    return load_orders(bulk, "placed_at BETWEEN ? AND ? AND customer_id IN {keys}", (low, high), customers)


def load_orders(bulk: Bulk, where: str, fixed: Sequence[int], keys: Sequence[int] | Sequence[str]) -> list[Order]:
    """Orders with their lines; `where` as in Bulk.rows_in."""
    found: dict[int, Order] = {}
    for id, code, customer, placed, paid, shipped, cancelled in bulk.rows_in(
        f"SELECT id, code, customer_id, placed_at, paid_at, shipped_at, cancelled_at FROM orders WHERE {where}", fixed, keys
    ):
        order = found[id] = Order(id, code)
        order.customer, order.placed_at, order.paid_at, order.shipped_at = customer, placed, paid, shipped
        order.cancelled_at = cancelled
    for id, _, sku, quantity, amount, day, week, fortnight in bulk.rows_in(
        f"SELECT {', '.join(LINE_COLUMNS)} FROM order_lines WHERE order_id IN {{keys}} ORDER BY order_id, line", (), list(found)
    ):
        found[id].lines.append(Line(sku, quantity, amount, (day, week, fortnight)))
    return list(found.values())


def _matters(before: Session | None, after: Session, times: Times) -> bool:
    """Whether the change of a session can move sales; collects the times concerned."""
    was, now = _sold(before), _sold(after)
    if was == now:
        return False
    for side in (was, now):
        if side is not None:
            times.setdefault(side[1], []).append(side[0])
    return True


def _around(times: Times, reach: int) -> tuple[int, int]:
    """The moments that are no farther than `reach` from the first and the last of the times."""
    return min(map(min, times.values())) - reach, max(map(max, times.values())) + reach


def _concerns(order: Order, times: Sequence[int]) -> bool:
    """Whether the credits of an order may depend on what changes at these times."""
    return order.placed_at is not None and bool(times) and min(times) <= order.placed_at <= max(times) + FIFTEEN_DAYS


def _sold(s: Session | None) -> tuple[int, int, int, int, int, int, int, int] | None:
    """What sales depend on; None while the session is not one that can be credited."""
    if s is None or not s.received or not s.agent or s.opened_at is None:
        return None
    return (s.opened_at, s.customer, s.agent, s.group, s.channel, s.flag, s.sku, s.order_state)


def _copy(order: Order) -> Order:
    twin = Order(order.id, order.code)
    twin.customer, twin.placed_at, twin.paid_at = order.customer, order.placed_at, order.paid_at
    twin.shipped_at, twin.cancelled_at, twin.lines = order.shipped_at, order.cancelled_at, list(order.lines)
    return twin


def _earlier(known: int | None, at: int) -> int:
    return at if known is None or at < known else known


def _said(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """What tells two placings of one moment apart, whichever was heard of first."""
    return [(line.amount, line.quantity) for line in lines]
