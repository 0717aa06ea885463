"""Streams of valid events that are as awkward as real ones, and worse.

`random_stream` is fast and seeded, for long campaigns; the strategies are for hypothesis, which shrinks what it finds. Both avoid
only what has no defined answer: two facts of the same millisecond that contradict each other (`settle`). Repeats of an id are
exact repeats. Everything returned is a list of plain dicts, one store's, without the field `store`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

Event = dict[str, Any]

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000

# Codes a database could confuse: case, white space, quotes, wildcards, digits, scripts, emoji, the longest allowed.
AGENTS = ("a1", "A1", "a1 ", "客服-小红", "O'Brien", "50%_", "🦊", "007", "7", "x" * 128)
CUSTOMERS = ("c1", "C1", "c 1", "李雷", "c'2;--", "c\\3", "é", "e\u0301", "0", "none", "null", "\u202edlro", "c10", "c9")
GROUPS = ("售前", "售后", "vip", "VIP", "g%")
SKUS = ("k1", "K1", "100012345678", "k 2", "键盘")
CHANNELS = ("app", "web", "mini", "phone", "other")
STATES = ("available", "away", "suspended", "offline")

# (zone, a moment less than two days before its clocks change, or an ordinary one where they never do)
PLACES = (
    ("Europe/Berlin", "2024-03-30T10:00+01:00"),
    ("Europe/Berlin", "2024-10-26T10:00+02:00"),
    ("America/New_York", "2025-03-08T10:00-05:00"),
    ("America/New_York", "2025-11-01T10:00-04:00"),
    ("Asia/Shanghai", "2024-02-28T12:00+08:00"),
    ("Asia/Kolkata", "2023-12-30T12:00+05:30"),
    ("Asia/Kathmandu", "2024-06-29T12:00+05:45"),
    ("Australia/Lord_Howe", "2024-10-05T10:00+10:30"),
    ("Australia/Lord_Howe", "2024-04-06T10:00+11:00"),
    ("America/Santiago", "2024-09-07T10:00-04:00"),  # midnight itself is skipped
    ("America/Havana", "2024-11-02T10:00-04:00"),  # midnight happens twice
    ("Pacific/Apia", "2011-12-28T12:00-10:00"),  # a whole day is skipped
    ("UTC", "2024-12-30T12:00+00:00"),
)


def places() -> list[tuple[str, int]]:
    """(zone, epoch ms) pairs around which streams are worth trying."""
    return [(zone, round(datetime.fromisoformat(text).timestamp() * 1000)) for zone, text in PLACES]


def random_place(seed: int) -> tuple[str, int]:
    return random.Random(seed).choice(places())


# Waits around every threshold and histogram edge, and long ones that cross slots, days and windows.
GAPS = (
    0, 0, 0, 1, 2, 500, 999, 1000, 1001, 2000, 29_999, 30_000, 30_001, 31_000, 59_999, 60_000, 60_001, 75_000, 75_001, 179_999,
    180_000, 180_001, 299_999, 300_000, 300_001, 600_000, 1_800_001, 3_600_000, 3_600_001, 7 * HOUR,
)  # fmt: skip
LAGS = (
    -15 * DAY - 1, -15 * DAY, -DAY, -1, 0, 1, MINUTE, DAY - 1, DAY, DAY + 1, 3 * DAY, 7 * DAY,
    7 * DAY + 1, 12 * DAY, 15 * DAY, 15 * DAY + 1, 20 * DAY,
)  # fmt: skip
CANCELS = (-5 * MINUTE, 0, 1, DAY, 15 * DAY - 1, 15 * DAY, 15 * DAY + 1, 20 * DAY)
TEXTS = ("你好", "", "=cmd|' /C calc'!A0", "<b>x</b>", "👋🏽", "\u202eabc", "a\nb", "%s {0}", "x" * 300)


class _Writer:
    """Collects events and numbers them."""

    def __init__(self, rng: random.Random, prefix: str) -> None:
        self.rng, self.prefix = rng, prefix
        self.events: list[Event] = []

    def put(self, kind: str, at: int, /, **fields: Any) -> Event:
        event = {"type": kind, "id": f"{self.prefix}e{len(self.events)}", "at": at}
        event.update((name, value) for name, value in fields.items() if value is not None)
        self.events.append(event)
        return event


def random_stream(
    seed: int,
    sessions: int = 60,
    *,
    zone: str = "Asia/Shanghai",
    start: int = 1_709_092_800_000,
    days: int = 4,
    agents: int = 5,
    customers: int = 8,
    ties: bool = False,
) -> list[Event]:
    """A stream in order of time, with some events said twice; the same for the same arguments.

    sessions: about how many; orders, visitors and presence grow with them. start: epoch ms. zone: whose midnights and clock
    changes to crowd around. Session, order and event ids carry the seed, so streams of different seeds can be joined; agents and
    customers are shared. ties: leave in facts of the same millisecond that contradict each other.
    """
    rng = random.Random(f"{seed}/{sessions}/{start}/{days}")
    writer = _Writer(rng, f"{seed}-")
    team = pool(AGENTS, "a", agents)
    people = pool(CUSTOMERS, "c", customers)
    borders = day_borders(zone, start, days)

    def when() -> int:
        draw = rng.random()
        if draw < 0.25:
            return rng.choice(borders) + rng.choice((-2 * SECOND, -1, 0, 1, 2 * SECOND, -HOUR, HOUR, -5 * MINUTE))
        if draw < 0.4:
            at = rng.randrange(start, start + days * DAY)
            return at - at % (5 * MINUTE) + rng.choice((-1, 0, 0, 1))
        return rng.randrange(start, start + days * DAY)

    opened: list[tuple[int, str, str | None]] = []
    for number in range(sessions):
        # Now and then the same customer opens two sessions in the same millisecond.
        if opened and rng.random() < 0.1:
            at, customer, _ = rng.choice(opened)
        else:
            at, customer = when(), rng.choice(people)
        sku = rng.choice((None, *SKUS))
        _session(writer, f"{rng.choice('sS')}{seed}-{number}", at, customer, sku, team)
        opened.append((at, customer, sku))
    for number in range(sessions // 2):
        _order(writer, f"o{seed}-{number}", opened, people, when)
    for agent in team:
        _presence(writer, agent, when, max(2, min(60, sessions // agents)))
        if rng.random() < 0.5:
            writer.put("agent.upserted", when(), agent=agent, name=rng.choice(TEXTS), capacity=rng.choice((0, 5, 999)))
    for _ in range(sessions):
        writer.put("visitor.entered", when(), customer=rng.choice(people), available=rng.random() < 0.7)
    for _ in range(sessions // 10 + 1):
        customer = rng.choice(people)
        writer.put("question.clicked", when(), customer=customer, question="q1")
        writer.put("entry.clicked", when(), customer=customer, entry="e1")
        writer.put("customer.upserted", when(), customer=customer, name=rng.choice(TEXTS), tags=["x"], phone="13812345678")

    events = writer.events if ties else settle(writer.events)
    for event in events:
        if rng.random() < 0.1:
            event["at"] = as_text(event["at"], rng.choice((0, 330, 480, -570, 840)))
    events.sort(key=lambda event: moment(event["at"]))
    for event in rng.sample(events, len(events) // 30):
        events.insert(rng.randrange(len(events)), dict(event))
    return events


def pool(nasty: tuple[str, ...], prefix: str, size: int) -> list[str]:
    """`size` different codes: the nasty ones first, then plain ones."""
    return [*nasty[:size], *(f"{prefix}-{i}" for i in range(size - len(nasty)))]


def day_borders(zone: str, start: int, days: int) -> list[int]:
    """Epoch ms of the local midnights and clock changes in the days from `start`."""
    tz = ZoneInfo(zone)
    found = [start]
    for at in range(start - start % (15 * MINUTE), start + days * DAY, 15 * MINUTE):
        before, after = (datetime.fromtimestamp(t // 1000, tz) for t in (at - 1, at))
        if before.date() != after.date() or before.utcoffset() != after.utcoffset():
            found.append(at)
    return found


def _session(writer: _Writer, code: str, at: int, customer: str, sku: str | None, team: list[str]) -> None:
    rng = writer.rng

    def maybe(share: float, *values: Any) -> Any:
        return rng.choice(values) if rng.random() < share else None

    def opened(at: int, customer: str) -> None:
        writer.put(
            "session.opened", at, session=code, customer=customer, kind=maybe(0.3, "online", "online", "leave"),
            channel=maybe(0.7, *CHANNELS), page=maybe(0.3, "item", "shop", "order", "logistics"), sku=sku,
            region=maybe(0.2, "北京"), order_state=maybe(0.5, "none", "none", "placed"),
            agent=maybe(0.3, *team), group=maybe(0.5, *GROUPS),
        )  # fmt: skip

    if rng.random() < 0.97:  # some are never opened
        opened(at, customer)
    if rng.random() < 0.04:  # some are opened twice
        opened(at + rng.choice((-HOUR, 1, MINUTE, DAY)), rng.choice((customer, "c-else")))
    now = at
    if rng.random() < 0.12:  # some facts come before the opening
        now -= rng.choice(GAPS)
    owner: str | None = None
    if rng.random() < 0.6:
        owner = rng.choice(team)
        writer.put("session.assigned", now, session=code, agent=owner, group=maybe(0.5, *GROUPS), reason=maybe(0.5, "routed"))
    steps = ("customer",) * 8 + ("owner",) * 7 + ("other", "bot", "system", "unnamed", "transfer", "again", "closed", "invited", "rated")
    for _ in range(rng.choice((0, 1, 2, 3, 5, 8, 12, 20))):
        now += rng.choice(GAPS)
        step = rng.choice(steps)
        if step in ("customer", "bot", "system"):
            writer.put("message.sent", now, session=code, sender=step, text=maybe(0.7, *TEXTS), content=maybe(0.2, "image"))
        elif step == "owner" or step == "again":
            owner = owner or rng.choice(team)
            if step == "owner":
                writer.put("message.sent", now, session=code, sender="agent", agent=owner, text=maybe(0.7, *TEXTS))
            else:
                writer.put("session.assigned", now, session=code, agent=owner, group=maybe(0.5, *GROUPS))
        elif step == "other":
            writer.put("message.sent", now, session=code, sender="agent", agent=rng.choice(team))
        elif step == "unnamed":
            writer.put("message.sent", now, session=code, sender="agent")
        elif step == "transfer":
            owner = rng.choice(team)
            writer.put("session.assigned", now, session=code, agent=owner, group=maybe(0.5, *GROUPS), reason="transfer")
        elif step == "closed":
            writer.put("session.closed", now, session=code, by=maybe(0.7, "customer", "agent", "timeout", "system"))
        elif step == "invited":
            writer.put("rating.invited", now, session=code)
        else:
            writer.put("rating.given", now, session=code, score=rng.randint(1, 5), resolved=maybe(0.6, True, False))
    if rng.random() < 0.5:
        writer.put("session.closed", now + rng.choice(GAPS), session=code)
    for flag in ("spam", "bot_only"):
        if rng.random() < 0.06:
            writer.put("session.flagged", now + rng.choice((-DAY, 0, HOUR)), session=code, flag=flag)


def _order(writer: _Writer, code: str, opened: list[tuple[int, str, str | None]], people: list[str], when: Any) -> None:
    rng = writer.rng
    at, customer, sku = rng.choice(opened) if opened and rng.random() < 0.9 else (when(), rng.choice(people), None)
    placed_at = at + rng.choice(LAGS)

    def lines() -> list[dict[str, Any]]:
        skus = [rng.choice((sku or "k1", *SKUS)) for _ in range(rng.choice((1, 1, 2, 4)))]
        return [{"sku": s, "quantity": rng.choice((1, 2, 1000)), "amount_fen": rng.choice((0, 1, 9_999, 123_456_789))} for s in skus]

    if rng.random() < 0.97:  # some orders are only ever cancelled
        writer.put("order.placed", placed_at, order=code, customer=customer, lines=lines())
    if rng.random() < 0.05:  # some are placed again, otherwise
        writer.put("order.placed", placed_at + rng.choice((-HOUR, 1, DAY)), order=code, customer=rng.choice(people), lines=lines())
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        writer.put("order.cancelled", placed_at + rng.choice(CANCELS), order=code)
    if rng.random() < 0.3:
        writer.put("order.paid", placed_at + 1, order=code)
        writer.put("order.shipped", placed_at + DAY, order=code)


def _presence(writer: _Writer, agent: str, when: Any, points: int) -> None:
    rng = writer.rng
    for _ in range(points):
        at, state = when(), rng.choice(STATES)
        writer.put("agent.presence", at, agent=agent, state=state)
        if rng.random() < 0.1:  # the same point under another id, or another state in the same millisecond
            writer.put("agent.presence", at, agent=agent, state=rng.choice((state, *STATES)))


# What has no defined answer


def settle(events: list[Event]) -> list[Event]:
    """Moves apart, a millisecond at a time, facts of the same moment whose order would decide a number; changes them in place.

    Two openings of a session, two assignments of it, messages of two different agents (one of them could be the first), two
    placings of an order.
    """
    taken: dict[tuple[Any, ...], Any] = {}
    for event in events:
        kind = event["type"]
        if kind == "message.sent" and event["sender"] == "agent":
            about, what = event["session"], event.get("agent")
        elif kind in ("session.opened", "session.assigned"):
            about, what = event["session"], event["id"]
        elif kind == "order.placed":
            about, what = event["order"], event["id"]
        else:
            continue
        while taken.setdefault((kind, about, event["at"]), what) != what:
            event["at"] += 1
    return events


# Forms


def moment(at: int | str) -> int:
    return at if isinstance(at, int) else round(datetime.fromisoformat(at).timestamp() * 1000)


def as_text(at: int, offset_minutes: int = 0) -> str:
    """RFC 3339 with this offset from UTC."""
    there = timezone(timedelta(minutes=offset_minutes))
    whole = datetime.fromtimestamp(at // 1000, there).replace(microsecond=at % 1000 * 1000)
    return whole.isoformat(timespec="milliseconds")


def ndjson(events: Iterable[Event]) -> bytes:
    return b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)


def scramble(stream: list[Event], seed: int, largest_batch: int = 50) -> list[list[Event]]:
    """The same facts in another order, some of them repeated, cut into batches of at most this size; says the same as `stream`."""
    rng = random.Random(seed)
    events = [*stream, *rng.choices(stream, k=len(stream) // 10)] if stream else []
    rng.shuffle(events)
    batches = []
    while events:
        size = rng.randint(1, largest_batch)
        batches.append(events[:size])
        events = events[size:]
    return batches


# Strategies

_STEPS = (0, 0, 0, 1, 999, 1000, 29_999, 30_000, 30_001, 60_000, 180_000, 299_999, 300_000, HOUR, 6 * HOUR, DAY, 7 * DAY, 15 * DAY)


def moments(start: int) -> st.SearchStrategy[int]:
    """Moments that often coincide, and lie apart by lengths that decide something."""
    return st.builds(lambda a, b, c: start + a + b - c, *(st.sampled_from(_STEPS) for _ in range(2)), st.sampled_from(_STEPS[:-3]))


def _maybe(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


@st.composite
def streams(draw: st.DrawFn, start: int = 1_709_092_800_000, max_facts: int = 40, ties: bool = False) -> list[Event]:
    """Few sessions, customers and agents with many facts about them, in no order of time."""
    at = moments(start)
    agent, group = st.sampled_from(AGENTS[:3]), _maybe(GROUPS[:2])
    customer, sku = st.sampled_from(CUSTOMERS[:2]), st.sampled_from(SKUS[:2])
    session = st.sampled_from(("s1", "s2", "S2", "s10"))
    order = st.sampled_from(("o1", "o2"))
    line = st.fixed_dictionaries({"sku": sku, "quantity": st.integers(1, 9), "amount_fen": st.integers(0, 10**6)})

    def event(kind: str, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
        return st.fixed_dictionaries({"type": st.just(kind), "at": at, **fields}).map(_without_none)

    opened = event(
        "session.opened", session=session, customer=customer, kind=_maybe(("online", "leave")), channel=_maybe(("app", "web")),
        sku=st.none() | sku, order_state=_maybe(("none", "placed")), agent=st.none() | agent, group=group,
    )  # fmt: skip
    assigned = event("session.assigned", session=session, agent=agent, group=group)
    asks = event("message.sent", session=session, sender=st.just("customer"))
    answers = event("message.sent", session=session, sender=st.just("agent"), agent=st.none() | agent)
    fact = st.one_of(
        opened, opened, assigned, assigned, asks, asks, asks, answers, answers, answers,
        event("message.sent", session=session, sender=st.sampled_from(("bot", "system"))),
        event("session.closed", session=session),
        event("session.flagged", session=session, flag=st.sampled_from(("spam", "bot_only"))),
        event("rating.invited", session=session),
        event("rating.given", session=session, score=st.integers(1, 5), resolved=_maybe((True, False))),
        event("agent.presence", agent=agent, state=st.sampled_from(STATES)),
        event("visitor.entered", customer=customer, available=st.booleans()),
        event("order.placed", order=order, customer=customer, lines=st.lists(line, min_size=1, max_size=3)),
        event("order.placed", order=order, customer=customer, lines=st.lists(line, min_size=1, max_size=3)),
        event("order.cancelled", order=order),
    )  # fmt: skip
    events = [dict(found, id=f"e{number}") for number, found in enumerate(draw(st.lists(fact, max_size=max_facts)))]
    return events if ties else settle(events)


def _without_none(event: Event) -> Event:
    return {name: value for name, value in event.items() if value is not None}


@st.composite
def batches(draw: st.DrawFn, stream: list[Event]) -> list[list[Event]]:
    """The stream in a drawn order with drawn repeats, cut at drawn places."""
    repeats = draw(st.lists(st.sampled_from(stream), max_size=5)) if stream else []
    events = draw(st.permutations([*stream, *repeats]))
    cuts = sorted(draw(st.lists(st.integers(0, len(events)), max_size=6)))
    edges = [0, *cuts, len(events)]
    return [list(events[low:high]) for low, high in pairwise(edges) if low < high]
