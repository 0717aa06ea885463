"""Counters from imported files: which import holds when several speak of the same agent's day, and what credited order lines come to.

A file speaks of some parts of a day (`PARTS`): workload, ratings, sales of one order window … For each part the newest import that speaks
of it holds, so that the workload and the sales of one day, exported as two files, stand beside each other, while a corrected file
replaces its forerunner whole. Lines of credited orders are the exception that adds up: two exports overlap, and each order line is
taken as the newest export says it. Which lines of a day an export has depends on when they were ordered, so that sales of the whole day,
where a file says them, hold over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from app.domain.counters import PRESENCE_FIELDS, SALES_FIELDS, SESSION_FIELDS, WINDOWS, Counts, Window
from app.domain.localtime import LocalTime
from app.domain.metrics import GAP_FIELDS, IMPORTED_DAYS, METRICS, Metric

_RATINGS = frozenset({"invited", "rated", "satisfied", "very_satisfied", "dissatisfied", "very_dissatisfied", "resolved", "unresolved"})
_LEAVE = frozenset(name for name in SESSION_FIELDS if name.startswith("leave_"))
PARTS: tuple[frozenset[str], ...] = (
    frozenset(SESSION_FIELDS) - _RATINGS - _LEAVE,
    _RATINGS,
    _LEAVE,
    frozenset(PRESENCE_FIELDS),
    frozenset({"presale_customers"}),
    *(frozenset(name for name in SALES_FIELDS if name.endswith(f"_{window}")) for window in WINDOWS),
)
_WORK, _RATED = 0, 1
_SOLD = frozenset(SALES_FIELDS) - {"presale_customers"}
PART_OF = {name: number for number, part in enumerate(PARTS) for name in part}
_GAPS = frozenset(GAP_FIELDS)


class Line(NamedTuple):
    """One line of a credited order. Times in epoch ms; agent: the id; cancelled lines replace what was said before and count nothing."""

    opened_at: int
    placed_at: int
    amount_fen: int
    quantity: int
    agent: int
    cancelled: bool
    order: str
    sku: str
    customer: str


AgentDay = tuple[int, int]
"""(agent's id, local day)"""


def holding(claims: Iterable[tuple[int, Counts]], lines: Counts | None, order_imports: frozenset[int]) -> Counts:
    """The counters of one agent's day.

    claims: (import's id, what it says), oldest first. lines: what all order lines of that day come to; they stand for what
    `order_imports` say, unless another import says what was sold on that day, in any window. Where workload and ratings are of two
    imports and more is rated or invited than handled, the newer holds alone: the two do not speak of the same sessions.
    """
    spoken: dict[int, tuple[int, Counts]] = {}
    for import_id, counts in _without_outsold(claims, order_imports):
        for name, value in counts.items():
            part = PART_OF[name]
            if part not in spoken or spoken[part][0] != import_id:
                spoken[part] = (import_id, {})
            spoken[part][1][name] = value
    if _WORK in spoken and _RATED in spoken and spoken[_WORK][0] != spoken[_RATED][0]:
        rated, most = spoken[_RATED][1], spoken[_WORK][1].get("received")
        if most is not None and max(rated.get("rated", 0), rated.get("invited", 0)) > most:
            del spoken[_WORK if spoken[_WORK][0] < spoken[_RATED][0] else _RATED]
    found: Counts = {}
    for part, (import_id, counts) in spoken.items():
        if import_id in order_imports:
            counts = {name: (lines or {}).get(name, 0) for name in PARTS[part]}
        found.update(counts)
    return found


def says_sales(counts: Iterable[str]) -> bool:
    """Whether these counters have sales of an order window among them."""
    return not _SOLD.isdisjoint(counts)


def _without_outsold(claims: Iterable[tuple[int, Counts]], order_imports: frozenset[int]) -> list[tuple[int, Counts]]:
    """The claims without those of order lines where a file of days says the sales."""
    every = list(claims)
    of_days = [(import_id, counts) for import_id, counts in every if import_id not in order_imports]
    return of_days if any(says_sales(counts) for _, counts in of_days) else every


def gaps(said: Counts) -> Counts:
    """The gaps of one agent's day of which files say this (`metrics.IMPORTED_DAYS`), without zeros."""
    sums, halves = _half_said(frozenset(said))
    found = dict.fromkeys((IMPORTED_DAYS, *sums), 1)
    for metric, window, alone, unsaid in halves:
        top, bottom = metric.parts(said, window)
        if top:
            found[alone] = top
        if bottom:
            found[unsaid] = bottom
    return found


@lru_cache
def _half_said(names: frozenset[str]) -> tuple[tuple[str, ...], tuple[tuple[Metric, Window, str, str], ...]]:
    """Of the metrics that these counters are not all of: the days' gaps of sums, and what else is said in part, with the names of its
    gaps."""
    sums: dict[str, None] = {}
    halves: dict[str, tuple[Metric, Window, str, str]] = {}
    for metric in METRICS.values():
        for window in WINDOWS:
            alone, unsaid = metric.gaps(window)
            fields = metric.fields(window)
            if unsaid not in _GAPS or fields <= names:
                continue
            if not metric.bottom:
                sums[unsaid] = None
            if fields & names:
                halves[unsaid] = metric, window, alone, unsaid
    return tuple(sums), tuple(halves.values())


def newest(lines: Iterable[tuple[int, Line]]) -> list[Line]:
    """Of (import's id, line), each order's line of a SKU as the newest import says it; one import may have several of them."""
    held: dict[tuple[str, str], tuple[int, list[Line]]] = {}
    for import_id, line in lines:
        known = held.get((line.order, line.sku))
        if known is None or known[0] < import_id:
            held[line.order, line.sku] = (import_id, [line])
        elif known[0] == import_id:
            known[1].append(line)
    return [line for _, same in held.values() for line in same]


def sales_of(lines: Iterable[Line], local: LocalTime) -> dict[AgentDay, Counts]:
    """The sales counters of every agent's day of consultation that the lines speak of, all windows, zeros included.

    A line counts in a window when the order was placed within it after the consultation; orders and customers are distinct per agent
    and day.
    """
    found: dict[AgentDay, Counts] = {}
    distinct: dict[tuple[AgentDay, str], set[str]] = {}
    for line in lines:
        where = (line.agent, local.day(line.opened_at))
        counts = found.get(where)
        if counts is None:
            counts = found[where] = {name: 0 for name in SALES_FIELDS if name != "presale_customers"}
        if line.cancelled:
            continue
        for window, length in WINDOWS.items():
            if not 0 <= line.placed_at - line.opened_at <= length:
                continue
            counts[f"order_items_{window}"] += line.quantity
            counts[f"order_amount_{window}"] += line.amount_fen
            for name, code in ((f"orders_{window}", line.order), (f"order_customers_{window}", line.customer or line.order)):
                seen = distinct.setdefault((where, name), set())
                if code not in seen:
                    seen.add(code)
                    counts[name] += 1
    return found


def difference(before: Mapping[AgentDay, Counts], after: Mapping[AgentDay, Counts]) -> dict[AgentDay, Counts]:
    """after − before, without zeros."""
    found: dict[AgentDay, Counts] = {}
    for where in before.keys() | after.keys():
        old, new = before.get(where, {}), after.get(where, {})
        changed = {name: new.get(name, 0) - old.get(name, 0) for name in old.keys() | new.keys() if new.get(name, 0) != old.get(name, 0)}
        if changed:
            found[where] = changed
    return found
