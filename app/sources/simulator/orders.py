"""Orders: what is in them and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.domain.events import OrderCancelled, OrderLine, OrderPaid, OrderPlaced, OrderShipped
from app.sources.simulator.chance import SIZE, even, lognormal, source
from app.sources.simulator.goods import GOODS, POPULAR

if TYPE_CHECKING:
    from app.sources.simulator.people import Agent
    from app.sources.simulator.world import World

OrderEvent = OrderPlaced | OrderPaid | OrderShipped | OrderCancelled
_HOUR_S, _DAY_S = 3600, 86_400
_PAY = lognormal(75, 1.4, 6, 1500)
_NEVER_PAID = even(1800, 20 * _HOUR_S)
_REGRET = lognormal(2700, 1.2, 240, 5 * _HOUR_S)
_SHIP = lognormal(12 * _HOUR_S, 0.7, _HOUR_S, 60 * _HOUR_S)
_RETURN = even(3 * _DAY_S, 14.9 * _DAY_S)
_RETURN_LATE = even(15.02 * _DAY_S, 16.5 * _DAY_S)
_DECIDE = lognormal(720, 1.9, 15, 23.5 * _HOUR_S)
LATEST_PAYMENT_MS = 1_500_000
RUN_DAYS = 1
"""Sessions and the orders they lead to are over so many days after the day of the session."""
_KEEN_ELSEWHERE = 0.55
_PART_OF_PRICE = (100, 100, 100, 98, 95, 95, 92, 90)


def lines(rnd: Callable[[], float], wanted: int) -> list[OrderLine]:
    """One to four articles, usually the one that was wanted first; amounts net of coupons."""
    first = wanted if rnd() < 0.8 else POPULAR[int(rnd() * SIZE)]
    chosen = {first: 1}
    more = rnd()
    for _ in range((more < 0.38) + (more < 0.13) + (more < 0.04)):
        chosen.setdefault(POPULAR[int(rnd() * SIZE)], 1)
    part = _PART_OF_PRICE[int(rnd() * len(_PART_OF_PRICE))]
    found: list[OrderLine] = []
    for index in chosen:
        good = GOODS[index]
        many = rnd()
        quantity = 1 + (many < 0.2) + (many < 0.06)
        found.append(OrderLine(sku=good.sku, name=good.name, quantity=quantity, amount_fen=good.price_fen * quantity * part // 100))
    return found


def within(rnd: Callable[[], float], table: tuple[int, ...], room: int) -> int:
    """A duration drawn from a table, or any shorter than `room` where the draw would reach it."""
    drawn = table[int(rnd() * SIZE)]
    return drawn if drawn < room else int(room * rnd())


def write(
    rnd: Callable[[], float],
    add: Callable[[OrderEvent], None],
    number: Callable[[], str],
    store: str,
    order: str,
    customer: str,
    wanted: int,
    placed: int,
    until: int,
) -> None:
    """Adds an order and its life; `number` gives the next event id.

    Everything happens before `until`, which is more than LATEST_PAYMENT_MS after placing. Goods that come back do so mostly within 15
    days, a few later; those that would come back after `until` are kept.
    """
    add(OrderPlaced(id=number(), at=placed, store=store, order=order, customer=customer, lines=lines(rnd, wanted)))
    if rnd() < 0.05:
        add(OrderCancelled(id=number(), at=placed + within(rnd, _NEVER_PAID, until - placed), store=store, order=order))
        return
    paid = placed + _PAY[int(rnd() * SIZE)]
    add(OrderPaid(id=number(), at=paid, store=store, order=order))
    if rnd() < 0.035:
        add(OrderCancelled(id=number(), at=paid + within(rnd, _REGRET, until - paid), store=store, order=order))
        return
    add(OrderShipped(id=number(), at=paid + within(rnd, _SHIP, until - paid), store=store, order=order))
    fate = rnd()
    if fate < 0.065:
        returned = placed + (_RETURN if fate < 0.055 else _RETURN_LATE)[int(rnd() * SIZE)]
        if returned < until:
            add(OrderCancelled(id=number(), at=returned, store=store, order=order))


def code_of(session: str) -> str:
    """Of the order that a session may lead to."""
    return "3" + session.replace("-", "")


def promised(
    world: World, session: str, customer: str, good: int, page: str, agent: Agent, opened: int, closed: int
) -> list[OrderEvent]:  # fmt: skip
    """The order that a session leads to, the placing first; [] if to none.

    A function of what is recorded of a session, so that a store that goes on after an interruption knows what is still to come.
    """
    rnd = source(world.plan.seed, "order", session).random
    if rnd() >= agent.conversion * (_KEEN_ELSEWHERE if page == "shop" else 1.0):
        return []
    day = world.local.day(opened)
    settled = world.local.start_of_day(day + RUN_DAYS + 1)
    room = settled - closed - 2 * LATEST_PAYMENT_MS
    if room <= 0:
        return []
    found: list[OrderEvent] = []
    placed = closed + within(rnd, _DECIDE, room)
    write(
        rnd, found.append, lambda: f"{day}-n{session}-{len(found)}", world.plan.store, code_of(session), customer, good, placed, settled
    )  # fmt: skip
    return found
