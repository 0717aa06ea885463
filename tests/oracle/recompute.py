"""All counters of one store, recomputed from its events, one definition after the other.

The slow and obvious way: every session is folded from all its facts at once, every order looks at all sessions of its customer.
Nothing is kept between calls and nothing is added up step by step.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Event = dict[str, Any]

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
WINDOWS = {"24h": DAY, "7d": 7 * DAY, "15d": 15 * DAY}
FIFTEEN_DAYS = 15 * DAY

SESSION_COUNTS = (
    "consults", "received", "replied_30s", "replied_180s", "first_reply_ms", "turns", "turn_ms", "agent_messages",
    "customer_messages", "session_ms", "closed", "transferred_in", "transferred_out", "invited", "rated", "satisfied",
    "very_satisfied", "dissatisfied", "very_dissatisfied", "resolved", "unresolved", "leave_left", "leave_assigned",
    "leave_received",
)  # fmt: skip
SALES_COUNTS = (
    "presale_customers",
    "order_customers_24h", "orders_24h", "order_items_24h", "order_amount_24h",
    "order_customers_7d", "orders_7d", "order_items_7d", "order_amount_7d",
    "order_customers_15d", "orders_15d", "order_items_15d", "order_amount_15d",
)  # fmt: skip
PRESENCE_COUNTS = ("login_ms", "serving_ms", "suspended_ms", "logins")
VISITOR_COUNTS = ("visitors_online", "visitors_leave")
COUNTS = (*SESSION_COUNTS, *SALES_COUNTS, *PRESENCE_COUNTS, *VISITOR_COUNTS)

UPPER_EDGES_S: list[int] = [*range(1, 61), 75, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1800, 3600]

FLAGS = {"": 0, "spam": 1, "bot_only": 2}
STATE_RANK = {"available": 0, "away": 1, "suspended": 2, "offline": 3}


class Key(NamedTuple):
    """Where a count sits: local date (ISO), five-minute slot of the local wall clock (0..287), codes or None.

    flag: 0, 1 spam, 2 bot_only.
    """

    day: str
    slot: int
    agent: str | None
    group: str | None
    channel: str | None
    flag: int


class Credit(NamedTuple):
    """One order line credited to one session within one window; `line` is its position in the order, times in epoch ms."""

    window: str
    order: str
    line: int
    sku: str
    session: str
    agent: str
    customer: str
    opened_at: int
    placed_at: int
    quantity: int
    amount_fen: int


Counters = dict[Key, dict[str, int]]


@dataclass
class Session:
    """What the facts of one opened session come to; times in epoch ms, durations in ms."""

    code: str
    customer: str
    kind: str
    channel: str
    sku: str | None
    order_state: str | None
    opened_at: int
    flag: int = 0
    owner: str | None = None
    group: str | None = None
    handed_over: list[tuple[str, str | None]] = field(default_factory=list)
    """(earlier owner, its group then) of every transfer, in order."""
    customer_wrote: bool = False
    first_reply: int | None = None
    turns: list[int] = field(default_factory=list)
    agent_messages: int = 0
    customer_messages: int = 0
    closed_at: int | None = None
    invited: bool = False
    rating: tuple[int, bool | None] | None = None

    @property
    def received(self) -> bool:
        return self.kind == "online" and self.first_reply is not None


@dataclass
class Result:
    """`counters` is sparse: no zero counts, no empty keys. Histograms are in it as `first_reply_h0..72` and `turn_h0..72`."""

    zone: str
    counters: Counters
    sessions: dict[str, Session]
    """Opened sessions only, by code."""
    credits: list[Credit]
    """Sorted."""


def recompute(events: Iterable[Event], zone: str) -> Result:
    """Counters, sessions and credits of one store whose events these are, in whatever order and however often repeated."""
    unique: dict[str, Event] = {}
    for event in events:
        unique.setdefault(event["id"], {**event, "at": moment(event["at"])})
    facts = list(unique.values())
    tz = ZoneInfo(zone)
    counters: Counters = defaultdict(lambda: defaultdict(int))

    sessions = fold_sessions(facts)
    for session in sessions.values():
        count_session(session, tz, counters)
    count_presence(facts, tz, counters)
    count_visitors(facts, tz, counters)
    orders = effective_orders(facts)
    count_presale(sessions, orders, tz, counters)
    credits = credit_lines(sessions, orders)
    count_credits(credits, sessions, tz, counters)

    dense = {key: {name: n for name, n in counts.items() if n} for key, counts in counters.items()}
    return Result(zone, {key: counts for key, counts in dense.items() if counts}, sessions, sorted(credits))


# Time


def moment(at: int | str) -> int:
    """Epoch milliseconds of an event's `at`."""
    if isinstance(at, int):
        return at
    since = datetime.fromisoformat(at) - datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
    return round(since / timedelta(microseconds=1) / 1000)


def day_and_slot(at: int, tz: ZoneInfo) -> tuple[str, int]:
    wall = datetime.fromtimestamp(at // 1000, tz)
    return wall.date().isoformat(), (wall.hour * 60 + wall.minute) // 5


def histogram_bin(ms: int) -> int:
    for index, seconds in enumerate(UPPER_EDGES_S):
        if ms <= seconds * 1000:
            return index
    return len(UPPER_EDGES_S)


# Sessions


def rank(event: Event) -> int:
    """Order of the facts of one session within the same millisecond."""
    kind = event["type"]
    if kind == "message.sent":
        return {"customer": 2, "agent": 3}.get(event["sender"], 8)
    return {
        "session.opened": 0,
        "session.assigned": 1,
        "rating.invited": 4,
        "rating.given": 5,
        "session.closed": 6,
        "session.flagged": 7,
    }[kind]


def contents(event: Event) -> tuple[str, ...]:
    """Breaks what ties are left, so that no order of arrival can change a number."""
    rest = {name: value for name, value in event.items() if name not in ("id", "at", "store")}
    return event.get("agent") or "", event.get("group") or "", json.dumps(rest, sort_keys=True)


SESSION_TYPES = {
    "session.opened", "session.assigned", "message.sent", "session.closed", "session.flagged", "rating.invited", "rating.given",
}  # fmt: skip


def fold_sessions(facts: list[Event]) -> dict[str, Session]:
    by_session: dict[str, list[Event]] = defaultdict(list)
    for fact in facts:
        if fact["type"] in SESSION_TYPES:
            by_session[fact["session"]].append(fact)
    folded = {}
    for code, own in by_session.items():
        own.sort(key=lambda fact: (fact["at"], rank(fact), contents(fact)))
        opened = next((fact for fact in own if fact["type"] == "session.opened"), None)
        if opened is not None:
            folded[code] = fold([fact for fact in own if fact["type"] != "session.opened" or fact is opened], opened)
    return folded


def fold(facts: list[Event], opened: Event) -> Session:
    """One session from its facts in order, among them the one `opened` that counts."""
    session = Session(
        code=opened["session"],
        customer=opened["customer"],
        kind=opened.get("kind") or "online",
        channel=opened.get("channel") or "other",
        sku=opened.get("sku"),
        order_state=opened.get("order_state"),
        opened_at=opened["at"],
    )

    # Who owned it when: the owner's messages and the transfers, by position in `facts`.
    owners_messages: set[int] = set()
    transfers: list[int] = []
    for position, fact in enumerate(facts):
        if fact["type"] in ("session.opened", "session.assigned"):
            agent, group = fact.get("agent"), fact.get("group")
            if agent is not None and session.owner is not None and agent != session.owner:
                session.handed_over.append((session.owner, session.group))
                transfers.append(position)
            session.owner = agent if agent is not None else session.owner
            session.group = group if group is not None else session.group
        elif is_from(fact, "agent"):
            writer = fact.get("agent") or session.owner
            if session.owner is None:
                session.owner = writer
            if writer is not None and writer == session.owner:
                owners_messages.add(position)
    part = range(transfers[-1] + 1 if transfers else 0, len(facts))

    # First reply: the owner's first message at or after the clock.
    first_customer = next((fact["at"] for fact in facts if is_from(fact, "customer")), None)
    session.customer_wrote = first_customer is not None
    if first_customer is not None:
        clock = max(first_customer, facts[transfers[-1]]["at"]) if transfers else first_customer
        replies = [facts[i]["at"] for i in part if i in owners_messages and facts[i]["at"] >= clock]
        session.first_reply = replies[0] - clock if replies else None

    # Turns of the owner's part; one left open by an earlier owner goes on from the transfer.
    asked: int | None = None
    for position, fact in enumerate(facts):
        if is_from(fact, "customer") and asked is None:
            asked = fact["at"]
        if position in transfers and asked is not None:
            asked = fact["at"]
        if position in owners_messages and asked is not None:
            if position in part:
                session.turns.append(fact["at"] - asked)
            asked = None

    session.agent_messages = len(owners_messages & set(part))
    session.customer_messages = sum(is_from(facts[i], "customer") for i in part)

    for fact in facts:
        if fact["type"] == "session.closed" and session.closed_at is None:
            session.closed_at = fact["at"]
        if is_from(fact, "customer"):
            session.closed_at = None

    session.invited = any(fact["type"] == "rating.invited" for fact in facts)
    ratings = [fact for fact in facts if fact["type"] == "rating.given"]
    if ratings:
        last = max(ratings, key=lambda r: (r["at"], r["score"], {False: 0, None: 1, True: 2}[r.get("resolved")]))
        session.rating = last["score"], last.get("resolved")
    flags = {fact["flag"] for fact in facts if fact["type"] == "session.flagged"}
    session.flag = FLAGS["spam" if "spam" in flags else "bot_only" if "bot_only" in flags else ""]
    return session


def is_from(fact: Event, sender: str) -> bool:
    return (fact["type"], fact.get("sender")) == ("message.sent", sender)


def session_key(session: Session, tz: ZoneInfo) -> Key:
    return Key(*day_and_slot(session.opened_at, tz), session.owner, session.group, session.channel, session.flag)


def count_session(session: Session, tz: ZoneInfo, counters: Counters) -> None:
    key = session_key(session, tz)
    here = counters[key]
    if session.kind == "leave":
        counters[key._replace(agent=None)]["leave_left"] += 1
        if session.owner is not None:
            here["leave_assigned"] += 1
            here["leave_received"] += session.agent_messages > 0
        return
    here["consults"] += session.customer_wrote
    if session.first_reply is not None:
        here["received"] += 1
        here["replied_30s"] += session.first_reply <= 30_000
        here["replied_180s"] += session.first_reply <= 180_000
        here["first_reply_ms"] += session.first_reply
        here[f"first_reply_h{histogram_bin(session.first_reply)}"] += 1
        if session.closed_at is not None:
            here["closed"] += 1
            here["session_ms"] += max(0, session.closed_at - session.opened_at)
    for turn in session.turns:
        here["turns"] += 1
        here["turn_ms"] += turn
        here[f"turn_h{histogram_bin(turn)}"] += 1
    here["agent_messages"] += session.agent_messages
    here["customer_messages"] += session.customer_messages
    here["transferred_in"] += bool(session.handed_over)
    for agent, group in session.handed_over:
        counters[key._replace(agent=agent, group=group)]["transferred_out"] += 1
    here["invited"] += session.invited
    if session.rating is not None:
        score, resolved = session.rating
        here["rated"] += 1
        here["satisfied"] += score >= 4
        here["very_satisfied"] += score == 5
        here["dissatisfied"] += score <= 2
        here["very_dissatisfied"] += score == 1
        here["resolved"] += resolved is True
        here["unresolved"] += resolved is False


# Presence and visitors


def count_presence(facts: list[Event], tz: ZoneInfo, counters: Counters) -> None:
    points: dict[str, set[tuple[int, int, str]]] = defaultdict(set)
    for fact in facts:
        if fact["type"] == "agent.presence":
            points[fact["agent"]].add((fact["at"], STATE_RANK[fact["state"]], fact["state"]))
    for agent, unsorted in points.items():
        ordered = [(at, state) for at, _, state in sorted(unsorted)]
        before = "offline"
        for at, state in ordered:
            if before == "offline" and state != "offline":
                counters[Key(*day_and_slot(at, tz), agent, None, None, 0)]["logins"] += 1
            before = state
        for (start, state), (end, _) in pairwise(ordered):
            if state == "offline":
                continue
            while start < end:
                border = min(end, (start // (5 * MINUTE) + 1) * 5 * MINUTE)
                here = counters[Key(*day_and_slot(start, tz), agent, None, None, 0)]
                here["login_ms"] += border - start
                here["suspended_ms" if state == "suspended" else "serving_ms"] += border - start
                start = border


def count_visitors(facts: list[Event], tz: ZoneInfo, counters: Counters) -> None:
    entries: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for fact in facts:
        if fact["type"] == "visitor.entered":
            entries[fact["customer"], day_and_slot(fact["at"], tz)[0], fact["available"]].append(fact["at"])
    for (_, _, available), moments in entries.items():
        key = Key(*day_and_slot(min(moments), tz), None, None, None, 0)
        counters[key]["visitors_online" if available else "visitors_leave"] += 1


# Orders


@dataclass
class Order:
    code: str
    customer: str
    placed_at: int
    lines: list[dict[str, Any]]
    cancelled_at: int | None = None

    @property
    def taken_out(self) -> bool:
        return self.cancelled_at is not None and self.cancelled_at - self.placed_at <= FIFTEEN_DAYS


def effective_orders(facts: list[Event]) -> list[Order]:
    placed: dict[str, list[Event]] = defaultdict(list)
    cancelled: dict[str, list[int]] = defaultdict(list)
    for fact in facts:
        if fact["type"] == "order.placed":
            placed[fact["order"]].append(fact)
        elif fact["type"] == "order.cancelled":
            cancelled[fact["order"]].append(fact["at"])
    orders = []
    for code, events in placed.items():
        first = min(events, key=lambda event: (event["at"], contents(event)))
        orders.append(Order(code, first["customer"], first["at"], first["lines"], min(cancelled[code], default=None)))
    return orders


def by_opening(session: Session) -> tuple[int, str]:
    return session.opened_at, session.code


def count_presale(sessions: dict[str, Session], orders: list[Order], tz: ZoneInfo, counters: Counters) -> None:
    placed_by: dict[str, list[int]] = defaultdict(list)
    for order in orders:
        placed_by[order.customer].append(order.placed_at)

    def presale(session: Session) -> bool:
        if not session.received:
            return False
        if session.order_state is not None:
            return session.order_state == "none"
        before = (session.opened_at - FIFTEEN_DAYS <= at < session.opened_at for at in placed_by[session.customer])
        return not any(before)

    for session in earliest(filter(presale, sessions.values()), lambda s: (*agent_day(s, tz), s.customer)):
        counters[session_key(session, tz)]["presale_customers"] += 1


def agent_day(session: Session, tz: ZoneInfo) -> tuple[str | None, str]:
    return session.owner, day_and_slot(session.opened_at, tz)[0]


def earliest(sessions: Iterable[Session], same: Callable[[Session], tuple[Any, ...]]) -> list[Session]:
    """The earliest session of each kind that `same` tells apart."""
    found: dict[tuple[Any, ...], Session] = {}
    for session in sorted(sessions, key=by_opening):
        found.setdefault(same(session), session)
    return list(found.values())


def credit_lines(sessions: dict[str, Session], orders: list[Order]) -> list[Credit]:
    received_of: dict[str, list[Session]] = defaultdict(list)
    for session in sessions.values():
        if session.received:
            received_of[session.customer].append(session)
    credits = []
    for order in orders:
        if order.taken_out:
            continue
        for window, length in WINDOWS.items():
            candidates = [s for s in received_of[order.customer] if 0 <= order.placed_at - s.opened_at <= length]
            candidates.sort(key=by_opening)
            for number, line in enumerate(order.lines):
                about = [s for s in candidates if s.sku == line["sku"]]
                if not candidates:
                    continue
                to = about[-1] if about else candidates[-1]
                assert to.owner is not None
                credits.append(
                    Credit(
                        window, order.code, number, line["sku"], to.code, to.owner, order.customer,
                        to.opened_at, order.placed_at, line["quantity"], line["amount_fen"],
                    )
                )  # fmt: skip
    return credits


def count_credits(credits: list[Credit], sessions: dict[str, Session], tz: ZoneInfo, counters: Counters) -> None:
    for window in WINDOWS:
        by_order: dict[tuple[Any, ...], list[Session]] = defaultdict(list)
        by_customer: dict[tuple[Any, ...], list[Session]] = defaultdict(list)
        for credit in credits:
            if credit.window != window:
                continue
            session = sessions[credit.session]
            here = counters[session_key(session, tz)]
            here[f"order_items_{window}"] += credit.quantity
            here[f"order_amount_{window}"] += credit.amount_fen
            by_order[*agent_day(session, tz), credit.order].append(session)
            by_customer[*agent_day(session, tz), credit.customer].append(session)
        for held, name in ((by_order, "orders"), (by_customer, "order_customers")):
            for credited in held.values():
                holder = min(credited, key=by_opening)
                counters[session_key(holder, tz)][f"{name}_{window}"] += 1


# Slices


def select(counters: Counters, keep: Callable[[Key], bool] = lambda key: True) -> dict[str, int]:
    """Counts summed over the keys to keep."""
    summed: dict[str, int] = defaultdict(int)
    for key, counts in counters.items():
        if keep(key):
            for name, n in counts.items():
                summed[name] += n
    return dict(summed)


def grouped(counters: Counters, by: Callable[[Key], Any]) -> dict[Any, dict[str, int]]:
    """Counts summed per value of `by`, for instance `lambda key: (key.day, key.agent)`."""
    summed: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, counts in counters.items():
        for name, n in counts.items():
            summed[by(key)][name] += n
    return {value: dict(counts) for value, counts in summed.items()}


def assessed(key: Key, first_hour: float = 9, last_hour: float = 23) -> bool:
    """Whether a session counted under this key belongs to the assessed population."""
    return first_hour * 12 <= key.slot < last_hour * 12 and key.flag == 0
