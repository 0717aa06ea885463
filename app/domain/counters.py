"""The additive counters: their names, the keys they are kept under, the edges of the histograms.

Everything that is ever reported is a sum of these, or a ratio of such sums (metrics.py).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Literal, NamedTuple

Window = Literal["24h", "7d", "15d"]
WINDOWS: dict[Window, int] = {"24h": 86_400_000, "7d": 7 * 86_400_000, "15d": 15 * 86_400_000}

SESSION_FIELDS = (
    "consults", "received", "replied_30s", "replied_180s", "first_reply_ms", "turns", "turn_ms",
    "agent_messages", "customer_messages", "session_ms", "closed", "transferred_in", "transferred_out",
    "invited", "rated", "satisfied", "very_satisfied", "dissatisfied", "very_dissatisfied", "resolved", "unresolved",
    "leave_left", "leave_assigned", "leave_received",
)  # fmt: skip
SALES_FIELDS = (
    "presale_customers",
    *(f"{name}_{window}" for window in WINDOWS for name in ("order_customers", "orders", "order_items", "order_amount")),
)
PRESENCE_FIELDS = ("login_ms", "serving_ms", "suspended_ms", "logins")
VISITOR_FIELDS = ("visitors_online", "visitors_leave")
SUM_FIELDS = (*SESSION_FIELDS, *SALES_FIELDS, *PRESENCE_FIELDS, *VISITOR_FIELDS)

# Upper edges in milliseconds, inclusive: every second up to a minute, then coarser; the last bin is open.
EDGES_MS = (*(s * 1000 for s in range(1, 61)), *(s * 1000 for s in (75, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1800, 3600)))
BINS = len(EDGES_MS) + 1
FIRST_REPLY_BINS = tuple(f"first_reply_h{i}" for i in range(BINS))
TURN_BINS = tuple(f"turn_h{i}" for i in range(BINS))
HISTOGRAM_FIELDS = (*FIRST_REPLY_BINS, *TURN_BINS)

IMPORTED = 9
"""The flag under which imported counters are kept, beyond those of sessions (conversation.FLAGS). They have a day but no slot, so they
are never assessed."""

Counts = dict[str, int]
"""Sparse counters: field name to value; a missing field is 0."""


class Key(NamedTuple):
    """Where a count is kept. 0 stands for "none" in agent, group and channel; day and slot are the store's local ones."""

    day: int
    slot: int
    agent: int
    group: int
    channel: int
    flag: int


Delta = dict[Key, Counts]


def bin_of(ms: int) -> int:
    """Histogram bin of a duration: the first whose upper edge is not below it."""
    return bisect_left(EDGES_MS, ms)


def add(into: Delta, what: Delta, sign: int = 1) -> None:
    """into += sign * what, in place."""
    for key, counts in what.items():
        target = into.get(key)
        if target is None:
            target = into[key] = {}
        for field, value in counts.items():
            target[field] = target.get(field, 0) + sign * value


def percentile_ms(bins: list[int], share: float) -> float | None:
    """The duration below which `share` of the histogram lies, interpolated inside its bin; None when the histogram is empty.

    The open last bin answers its lower edge.
    """
    total = sum(bins)
    if total <= 0:
        return None
    wanted, seen = share * total, 0
    for index, count in enumerate(bins):
        if count and seen + count >= wanted:
            low = EDGES_MS[index - 1] if index else 0
            if index == len(EDGES_MS):
                return float(low)
            return low + (EDGES_MS[index] - low) * (wanted - seen) / count
        seen += count
    return float(EDGES_MS[-1])
