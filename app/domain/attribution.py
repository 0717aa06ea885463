"""Who is credited for an order line, and which customers were handled before they ordered.

Rules (metrics.md §4, after the original tool's order-window setting): an order line counts for a consultation when it was placed
after it and within the window; among the customer's received sessions it is credited to the last one about that SKU, failing
that to the last one. A cancellation within 15 days of placing takes the order out. All three windows are kept at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.conversation import Session
from app.domain.counters import WINDOWS, Counts, Delta, Key, Window
from app.domain.localtime import LocalTime

FIFTEEN_DAYS = WINDOWS["15d"]
NOT_ORDERED = 1  # order_state "none", see conversation.ORDER_STATES


class Line:
    """One line of an order; `credits` holds the credited session's id per window, 0 for nobody."""

    __slots__ = ("amount", "credits", "quantity", "sku")

    def __init__(self, sku: int, quantity: int, amount: int, credits: tuple[int, int, int] = (0, 0, 0)) -> None:
        self.sku = sku
        self.quantity = quantity
        self.amount = amount
        self.credits = credits


class Order:
    """An order as known; an order that was paid or cancelled before it was heard to be placed has `placed_at` None."""

    __slots__ = ("cancelled_at", "code", "customer", "id", "lines", "paid_at", "placed_at", "shipped_at")

    def __init__(self, id: int, code: str) -> None:
        self.id = id
        self.code = code
        self.customer = 0
        self.placed_at: int | None = None
        self.paid_at: int | None = None
        self.shipped_at: int | None = None
        self.cancelled_at: int | None = None
        self.lines: list[Line] = []

    @property
    def counts(self) -> bool:
        """Placed, and not cancelled within 15 days of placing."""
        return self.placed_at is not None and (self.cancelled_at is None or self.cancelled_at - self.placed_at > FIFTEEN_DAYS)


def credit(line: Line, placed_at: int, sessions: Sequence[Session], window: int) -> Session | None:
    """The session credited for a line within `window` milliseconds; `sessions` are received ones, oldest first."""
    last: Session | None = None
    for session in reversed(sessions):
        opened = session.opened_at
        assert opened is not None
        if opened > placed_at:
            continue
        if placed_at - opened > window:
            break
        if session.sku and session.sku == line.sku:
            return session
        last = last or session
    return last


def sales(sessions: Sequence[Session], orders: Sequence[Order], local: LocalTime) -> tuple[Delta, dict[int, list[tuple[int, int, int]]]]:
    """What one customer's sessions add to the sales counters, and the credits of each order's lines.

    Returns (delta, {order id: [(session id for 24h, 7d, 15d; 0 for nobody) per line]}). Distinct customers and orders are counted once
    per agent and local day, at the earliest session concerned (by time, then code).
    """
    received = sorted((s for s in sessions if s.received and s.agent and s.opened_at is not None), key=_order)
    if not received:
        return {}, {order.id: [(0, 0, 0)] * len(order.lines) for order in orders}
    delta: Delta = {}
    _presale(received, orders, local, delta)
    credits: dict[int, list[tuple[int, int, int]]] = {}
    ordered_by: dict[tuple[int, int, Window], Session] = {}
    for order in orders:
        if not order.counts:
            credits[order.id] = [(0, 0, 0)] * len(order.lines)
            continue
        placed = order.placed_at or 0
        per_line = [[0, 0, 0] for _ in order.lines]
        for w, (window, length) in enumerate(WINDOWS.items()):
            first_of: dict[tuple[int, int], Session] = {}
            for position, line in enumerate(order.lines):
                session = credit(line, placed, received, length)
                if session is None:
                    continue
                per_line[position][w] = session.id
                counts = _at(session, local, delta)
                _plus(counts, f"order_items_{window}", line.quantity)
                _plus(counts, f"order_amount_{window}", line.amount)
                who = (session.agent, local.day(session.opened_at or 0))
                _keep_earliest(first_of, who, session)
                _keep_earliest(ordered_by, (*who, window), session)
            for session in first_of.values():
                _plus(_at(session, local, delta), f"orders_{window}", 1)
        credits[order.id] = [(a, b, c) for a, b, c in per_line]
    for (_, _, window), session in ordered_by.items():
        _plus(_at(session, local, delta), f"order_customers_{window}", 1)
    return delta, credits


def _presale(received: list[Session], orders: Sequence[Order], local: LocalTime, delta: Delta) -> None:
    seen: set[tuple[int, int]] = set()
    for session in received:
        opened = session.opened_at or 0
        if session.order_state:
            presale = session.order_state == NOT_ORDERED
        else:
            presale = not any(o.placed_at is not None and opened - FIFTEEN_DAYS <= o.placed_at < opened for o in orders)
        who = (session.agent, local.day(opened))
        if presale and who not in seen:
            seen.add(who)
            _plus(_at(session, local, delta), "presale_customers", 1)


def _order(session: Session) -> tuple[int, str]:
    return session.opened_at or 0, session.code


def _keep_earliest(found: dict[Any, Session], key: Any, session: Session) -> None:
    held = found.get(key)
    if held is None or _order(session) < _order(held):
        found[key] = session


def _at(session: Session, local: LocalTime, delta: Delta) -> Counts:
    day, slot = local.day_slot(session.opened_at or 0)
    return delta.setdefault(Key(day, slot, session.agent, session.group, session.channel, session.flag), {})


def _plus(counts: Counts, name: str, value: int) -> None:
    counts[name] = counts.get(name, 0) + value
