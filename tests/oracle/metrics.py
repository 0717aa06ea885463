"""Every metric of the catalogue a second time, as plain arithmetic on counters.

Counters are a mapping from counter name to integer, a missing name is 0. Values are unrounded: rates as fractions, durations in
seconds, minutes or hours as the metric says, money in yuan; None where the denominator is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tests.oracle.recompute import UPPER_EDGES_S

Counts = Mapping[str, int]
Value = float | int | None


def ratio(top: float, bottom: int) -> float | None:
    return top / bottom if bottom > 0 else None


def p90_seconds(c: Counts) -> float | None:
    """Where nine tenths of the first replies are in, straight between the edges of the bin they end in."""
    bins = [c.get(f"first_reply_h{i}", 0) for i in range(len(UPPER_EDGES_S) + 1)]
    lower_edges: list[int] = [0, *UPPER_EDGES_S]
    wanted = sum(bins) * 9 / 10
    if wanted == 0:
        return None
    below = 0
    for i, (low, high) in enumerate(zip(lower_edges, UPPER_EDGES_S)):
        if bins[i] > 0 and below + bins[i] >= wanted:
            return low + (high - low) * ((wanted - below) / bins[i])
        below += bins[i]
    return float(lower_edges[-1])


class _Get:
    """Reads counters by attribute, so that the table below looks like the formulas in the definition; `W_x` is `x` in the window."""

    def __init__(self, counts: Counts, window: str, pending: int) -> None:
        self.counts, self.window, self.pending = counts, window, pending

    def __getattr__(self, name: str) -> int:
        return self.counts.get(f"{name[2:]}_{self.window}" if name.startswith("W_") else name, 0)


PLAIN: dict[str, Callable[[_Get], Value]] = {
    "seats_total": lambda c: c.seats_total,
    "seats_serving": lambda c: c.seats_serving,
    "seats_online": lambda c: c.seats_online,
    "seats_suspended": lambda c: c.seats_suspended,
    "seats_offline": lambda c: c.seats_offline,
    "active": lambda c: c.active,
    "capacity": lambda c: c.counts.get("capacity"),
    "waiting": lambda c: c.waiting,
    "visitors_online": lambda c: c.visitors_online,
    "visitors_leave": lambda c: c.visitors_leave,
    "consults": lambda c: c.consults,
    "received": lambda c: c.received,
    "unanswered": lambda c: c.consults - c.received,
    "invited": lambda c: c.invited,
    "rated": lambda c: c.rated,
    "very_satisfied": lambda c: c.very_satisfied,
    "satisfied": lambda c: c.satisfied - c.very_satisfied,
    "neutral": lambda c: c.rated - c.satisfied - c.dissatisfied,
    "dissatisfied": lambda c: c.dissatisfied - c.very_dissatisfied,
    "very_dissatisfied": lambda c: c.very_dissatisfied,
    "resolved": lambda c: c.resolved,
    "unresolved": lambda c: c.unresolved,
    "closed": lambda c: c.closed,
    "transferred_in": lambda c: c.transferred_in,
    "transferred_out": lambda c: c.transferred_out,
    "leave_left": lambda c: c.leave_left,
    "leave_assigned": lambda c: c.leave_assigned,
    "leave_received": lambda c: c.leave_received,
    "login_hours": lambda c: c.login_ms / 3_600_000,
    "serving_hours": lambda c: c.serving_ms / 3_600_000,
    "suspended_hours": lambda c: c.suspended_ms / 3_600_000,
    "logins": lambda c: c.logins,
    "presale_customers": lambda c: c.presale_customers,
    "order_customers": lambda c: c.W_order_customers,
    "orders": lambda c: c.W_orders,
    "order_items": lambda c: c.W_order_items,
    "order_amount": lambda c: c.W_order_amount / 100,
}
"""Metrics that are sums: they have a mean over rows."""

POOLED: dict[str, Callable[[_Get], Value]] = {
    "answer_rate": lambda c: ratio(c.received, c.consults - c.pending),
    "reply_30s_rate": lambda c: ratio(c.replied_30s, c.consults - c.pending),
    "reply_180s_rate": lambda c: ratio(c.replied_180s, c.consults),
    "first_reply": lambda c: ratio(c.first_reply_ms / 1000, c.received),
    "avg_reply": lambda c: ratio(c.turn_ms / 1000, c.turns),
    "first_reply_p90": lambda c: p90_seconds(c.counts),
    "session_minutes": lambda c: ratio(c.session_ms / 60_000, c.closed),
    "replies_per_session": lambda c: ratio(c.agent_messages, c.received),
    "reply_ratio": lambda c: ratio(c.agent_messages, c.customer_messages),
    "invite_rate": lambda c: ratio(c.invited, c.received),
    "rating_rate": lambda c: ratio(c.rated, c.received),
    "satisfaction": lambda c: ratio(c.satisfied, c.rated),
    "bad_rate": lambda c: ratio(c.dissatisfied, c.rated),
    "resolution": lambda c: ratio(c.resolved, c.resolved + c.unresolved),
    "connect_rate": lambda c: ratio(c.consults, c.visitors_online),
    "transfer_rate": lambda c: ratio(c.transferred_out, c.consults),
    "saturation": lambda c: ratio(c.active_capped, c.capacity),
    "longest_wait": lambda c: c.longest_wait_ms / 1000 if "longest_wait_ms" in c.counts else None,
    "leave_rate": lambda c: ratio(c.leave_left, c.consults + c.leave_left),
    "leave_response": lambda c: ratio(c.leave_received, c.leave_assigned),
    "serving_share": lambda c: ratio(c.serving_ms, c.login_ms),
    "conversion": lambda c: ratio(c.W_order_customers, c.presale_customers),
    "average_order": lambda c: ratio(c.W_order_amount / 100, c.W_order_customers),
}
"""Metrics whose mean over rows is the value of all rows together."""

KEYS = (*PLAIN, *POOLED)


def value(key: str, counts: Counts, window: str = "24h", pending: int = 0) -> Value:
    """One metric of one slice. pending: sessions the live pages leave out, still unanswered inside their first 30 s."""
    return {**PLAIN, **POOLED}[key](_Get(counts, window, pending))


def values(counts: Counts, window: str = "24h", keys: Iterable[str] = KEYS) -> dict[str, Value]:
    return {key: value(key, counts, window) for key in keys}


def summed(rows: Sequence[Counts]) -> dict[str, int]:
    names = {name for row in rows for name in row}
    largest = {"longest_wait_ms"}
    return {name: max(row.get(name, 0) for row in rows) if name in largest else sum(row.get(name, 0) for row in rows) for name in names}


def total_row(rows: Sequence[Counts], window: str = "24h", keys: Iterable[str] = KEYS) -> dict[str, Value]:
    """总值: every metric of the sums."""
    return values(summed(rows), window, keys)


def mean_row(rows: Sequence[Counts], window: str = "24h", keys: Iterable[str] = KEYS) -> dict[str, Value]:
    """均值: sums by the number of rows that have any data, ratios as in the total row. Without data, no values."""
    rows_with_data = sum(1 for row in rows if any(row.values()))
    means: dict[str, Value] = {}
    for key, number in total_row(rows, window, keys).items():
        if rows_with_data == 0 or number is None:
            means[key] = None
        else:
            means[key] = number / rows_with_data if key in PLAIN else number
    return means
