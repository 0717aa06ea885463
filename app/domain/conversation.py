"""The fold of a session: from its timed facts to everything that is counted of it.

A session is kept as the list of its facts, small tuples `(at, rank, …)`. Folding sorts them and replays the conversation, so the
outcome depends on what happened and when, never on the order in which it was heard. Facts at the same millisecond are ordered
by rank: opened, assigned, customer, agent, invited, rated, closed, flagged.
"""

from __future__ import annotations

from typing import Any

from app.domain.counters import FIRST_REPLY_BINS, TURN_BINS, Counts, Delta, Key, bin_of
from app.domain.localtime import LocalTime

OPENED, ASSIGNED, CUSTOMER, AGENT, INVITED, RATED, CLOSED, FLAGGED = range(8)
# Codes of enumerations inside facts and columns; 0 stands for "not given".
KINDS = ("", "online", "leave")
CHANNELS = ("", "app", "web", "mini", "phone", "other")
PAGES = ("", "item", "shop", "order", "logistics")
ORDER_STATES = ("", "none", "placed")
REASONS = ("", "routed", "returning", "transfer", "manual", "leave")
CLOSERS = ("", "customer", "agent", "timeout", "system")
FLAGS = ("", "spam", "bot_only")
ONLINE, LEAVE = 1, 2
UNRESOLVED, UNANSWERED, RESOLVED = 0, 1, 2
"""What a customer said about the resolution, as the third part of a RATED fact: no, nothing, yes."""

Fact = tuple[Any, ...]
"""(at, rank, …): OPENED tie customer kind channel page sku order_state agent group region · ASSIGNED tie agent group reason · CUSTOMER ·
AGENT agent · INVITED · RATED score resolution comment · CLOSED by · FLAGGED flag. Integers but for region and comment; ids are those
of this database, 0 for none."""


class Session:
    """A session as folded: what the reports, the live pages and the drill-down show of it.

    Times are epoch milliseconds, durations milliseconds; None where it has not happened.
    """

    __slots__ = (
        "agent", "agent_messages", "assigned_at", "channel", "closed_at", "closed_by", "code", "comment", "customer", "customer_messages",
        "customer_wrote", "first_customer_at", "first_reply_at", "first_reply_ms", "flag", "group", "id", "invited", "kind",
        "last_reply_at",
        "opened_at", "order_state", "page", "parts", "rating", "reason", "region", "resolution", "sku", "transferred_at", "turn_list",
        "waiting_since",
    )  # fmt: skip

    def __init__(self, id: int, code: str) -> None:
        self.id = id
        self.code = code
        self.opened_at: int | None = None
        self.customer = self.kind = self.channel = self.page = self.sku = self.order_state = 0
        self.agent = self.group = self.reason = 0
        self.assigned_at: int | None = None
        self.transferred_at: int | None = None
        self.parts: list[tuple[int, int]] = []
        """(agent, group) of every earlier owner, one entry for each hand-over."""
        self.first_customer_at: int | None = None
        self.customer_wrote = False
        self.first_reply_at: int | None = None
        self.first_reply_ms: int | None = None
        self.last_reply_at: int | None = None
        self.turn_list: list[int] = []
        self.agent_messages = self.customer_messages = 0
        self.waiting_since: int | None = None
        self.invited = False
        self.rating = 0
        self.resolution = UNANSWERED
        self.region = self.comment = ""
        self.closed_at: int | None = None
        self.closed_by = 0
        self.flag = 0

    @property
    def received(self) -> bool:
        """Counted in 接待量: an online session with a human reply."""
        return self.kind == ONLINE and self.first_reply_ms is not None

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None and self.closed_at is None


def fold(id: int, code: str, facts: list[Fact]) -> Session:
    """Replays `facts` (sorted in place). Without an OPENED fact the session counts nowhere, but is kept for when one arrives."""
    facts.sort()
    s = Session(id, code)
    owner = 0
    closed_at: int | None = None
    waiting: int | None = None
    transferred_at: int | None = None
    for fact in facts:
        at, rank = fact[0], fact[1]
        if rank == CUSTOMER:
            if s.first_customer_at is None:
                s.first_customer_at = at
            s.customer_messages += 1
            if waiting is None:
                waiting = at
            closed_at = None  # a customer who writes again continues the session
        elif rank == AGENT:
            sender = fact[2] or owner
            if not owner and sender:  # the first human who writes without having been assigned owns the session
                owner = sender
                s.assigned_at = at
            if sender != owner or not owner:
                continue
            s.agent_messages += 1
            s.last_reply_at = at
            if s.first_reply_at is None and s.first_customer_at is not None:
                clock = s.first_customer_at
                if transferred_at is not None and transferred_at > clock:
                    clock = transferred_at
                s.first_reply_at = at
                s.first_reply_ms = at - clock
            if waiting is not None:
                s.turn_list.append(at - waiting)
                waiting = None
        elif rank <= ASSIGNED:
            if rank == ASSIGNED:
                _, _, _, agent, group, reason = fact
            elif s.opened_at is None:
                s.opened_at = at
                _, _, _, s.customer, s.kind, s.channel, s.page, s.sku, s.order_state, agent, group, s.region = fact
                reason = 0
            else:
                continue  # opened twice: the first time counts
            if agent and agent != owner:
                if owner:
                    s.parts.append((owner, s.group))
                    transferred_at = at
                    s.agent_messages = s.customer_messages = 0
                    s.first_reply_at = s.first_reply_ms = s.last_reply_at = None
                    s.turn_list = []
                    if waiting is not None:
                        waiting = at
                owner = agent
                s.assigned_at = at
                s.reason = reason
            s.group = group or s.group
        elif rank == CLOSED:
            if closed_at is None:
                closed_at = at
                s.closed_by = fact[2]
        elif rank == INVITED:
            s.invited = True
        elif rank == RATED:
            s.rating, s.resolution, s.comment = fact[2], fact[3], fact[4]
        elif rank == FLAGGED and (not s.flag or fact[2] < s.flag):
            s.flag = fact[2]
    s.agent = owner
    s.transferred_at = transferred_at
    s.customer_wrote = s.first_customer_at is not None
    s.closed_at = closed_at
    if closed_at is None:
        s.closed_by = 0
        s.waiting_since = waiting
    return s


def contribution(s: Session, local: LocalTime) -> Delta:
    """What the session adds to the counters (orders and pre-sale customers apart: attribution.py).

    Counters are at any moment the sum of this over all sessions; a change is recorded as after − before.
    """
    if s.opened_at is None:
        return {}
    day, slot = local.day_slot(s.opened_at)
    own = Key(day, slot, s.agent, s.group, s.channel, s.flag)
    if s.kind == LEAVE:
        left: Delta = {Key(day, slot, 0, s.group, s.channel, s.flag): {"leave_left": 1}}
        if s.agent:
            left[own] = {"leave_assigned": 1, "leave_received": 1} if s.agent_messages else {"leave_assigned": 1}
        return left
    c: Counts = {}
    delta: Delta = {own: c}
    if s.customer_wrote:
        c["consults"] = 1
    if s.first_reply_ms is not None:
        wait = s.first_reply_ms
        c["received"] = 1
        c["first_reply_ms"] = wait
        c[FIRST_REPLY_BINS[bin_of(wait)]] = 1
        if wait <= 180_000:
            c["replied_180s"] = 1
            if wait <= 30_000:
                c["replied_30s"] = 1
        if s.closed_at is not None:
            c["closed"] = 1
            c["session_ms"] = max(0, s.closed_at - s.opened_at)
    if s.turn_list:
        c["turns"] = len(s.turn_list)
        c["turn_ms"] = sum(s.turn_list)
        for turn in s.turn_list:
            name = TURN_BINS[bin_of(turn)]
            c[name] = c.get(name, 0) + 1
    if s.agent_messages:
        c["agent_messages"] = s.agent_messages
    if s.customer_messages:
        c["customer_messages"] = s.customer_messages
    if s.invited:
        c["invited"] = 1
    if s.rating:
        c["rated"] = 1
        if s.rating >= 4:
            c["satisfied"] = 1
            if s.rating == 5:
                c["very_satisfied"] = 1
        elif s.rating <= 2:
            c["dissatisfied"] = 1
            if s.rating == 1:
                c["very_dissatisfied"] = 1
        if s.resolution == RESOLVED:
            c["resolved"] = 1
        elif s.resolution == UNRESOLVED:
            c["unresolved"] = 1
    if s.parts:
        c["transferred_in"] = 1
        for agent, group in s.parts:
            out = delta.setdefault(Key(day, slot, agent, group, s.channel, s.flag), {})
            out["transferred_out"] = out.get("transferred_out", 0) + 1
    return delta
