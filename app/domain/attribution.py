"""Who is credited for an order line, and which customers were handled before they ordered.

Rules (metrics.md §4, after the original tool's order-window setting): an order line counts for a consultation when it was placed
after it and within the window; among the customer's received sessions it is credited to the last one about that SKU, failing
that to the last one. A cancellation within 15 days of placing takes the order out. All three windows are kept at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from app.domain.conversation import LEAVE, Session
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


class Candidates:
    """Sessions that lines of orders may be credited to, looked up by time; they are received ones, oldest first."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._all: _InTime = ([], [])
        self._about: dict[int, _InTime] = {}
        for session in sessions:
            assert session.opened_at is not None
            for opened, known in (self._all, self._about.setdefault(session.sku, ([], []))):
                opened.append(session.opened_at)
                known.append(session)

    def credited(self, line: Line, placed_at: int, window: int) -> Session | None:
        """The session credited for a line within `window` milliseconds."""
        about = self._about.get(line.sku) if line.sku else None
        return (about and _last(about, placed_at, window)) or _last(self._all, placed_at, window)


_InTime = tuple[list[int], list[Session]]
"""Times of opening, ascending, and the sessions."""


def _last(candidates: _InTime, placed_at: int, window: int) -> Session | None:
    opened, sessions = candidates
    at = bisect_right(opened, placed_at) - 1
    return sessions[at] if at >= 0 and placed_at - opened[at] <= window else None


Rule = Literal["about_sku", "last", "nobody", "cancelled", "not_placed"]
"""What decided: the last session about the SKU; the last session, none being about it; none that could be credited; the order was
cancelled within 15 days; it has not been heard to be placed."""
Miss = Literal["leave", "not_received", "after_order", "too_early", "cancelled", "not_about_sku", "earlier"]
"""Why a session was not credited: a message left; no human reply; opened after the order; opened longer before it than the window;
the order does not count; another session was about this SKU; a later one of the same kind was credited."""


class Verdict(NamedTuple):
    """Who is credited for a line in one window, by which rule, and why every other session of the customer is not."""

    credited: Session | None
    rule: Rule
    missed: list[tuple[Session, Miss]]
    """Latest opened first."""


def creditable(sessions: Sequence[Session]) -> list[Session]:
    """The sessions that can be credited at all: received ones, by time of opening, then code."""
    return sorted((s for s in sessions if s.received and s.agent and s.opened_at is not None), key=_order)


def judge(line: Line, order: Order, sessions: Sequence[Session], window: int) -> Verdict:
    """The credit of a line within `window` milliseconds with its reasons; `sessions` are all of the customer, in any order."""
    placed = order.placed_at
    chosen = Candidates(creditable(sessions)).credited(line, placed, window) if placed is not None and order.counts else None
    rule: Rule = "last"
    if chosen is None:
        rule = "not_placed" if placed is None else "nobody" if order.counts else "cancelled"
    elif chosen.sku and chosen.sku == line.sku:
        rule = "about_sku"
    others = sorted((s for s in sessions if s is not chosen and s.opened_at is not None), key=_order, reverse=True)
    return Verdict(chosen, rule, [] if placed is None else [(s, _miss(s, line, placed, window, rule)) for s in others])


def _miss(session: Session, line: Line, placed: int, window: int, rule: Rule) -> Miss:
    opened = session.opened_at or 0
    if session.kind == LEAVE:
        return "leave"
    if not session.received or not session.agent:
        return "not_received"
    if opened > placed:
        return "after_order"
    if placed - opened > window:
        return "too_early"
    if rule == "cancelled":
        return "cancelled"
    return "not_about_sku" if rule == "about_sku" and session.sku != line.sku else "earlier"


def sales(sessions: Sequence[Session], orders: Sequence[Order], local: LocalTime) -> tuple[Delta, dict[int, list[tuple[int, int, int]]]]:
    """What one customer's sessions add to the sales counters, and the credits of each order's lines.

    Returns (delta, {order id: [(session id for 24h, 7d, 15d; 0 for nobody) per line]}). Distinct customers and orders are counted once
    per agent and local day, at the earliest session concerned (by time, then code).
    """
    received = creditable(sessions)
    if not received:
        return {}, {order.id: [(0, 0, 0)] * len(order.lines) for order in orders}
    delta: Delta = {}
    _presale(received, orders, local, delta)
    candidates = Candidates(received)
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
                session = candidates.credited(line, placed, length)
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
    placed = sorted(order.placed_at for order in orders if order.placed_at is not None)
    for session in received:
        opened = session.opened_at or 0
        if session.order_state:
            presale = session.order_state == NOT_ORDERED
        else:
            before = bisect_left(placed, opened)
            presale = not before or placed[before - 1] < opened - FIFTEEN_DAYS
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
