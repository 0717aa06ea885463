"""A small fold of simulated events, written from the definitions of the metrics and sharing nothing with the product's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

HALF_MINUTE = 30_000


class Seen:
    """One session as its events tell it. Times in epoch ms."""

    def __init__(self, opened: Any) -> None:
        self.opened = opened
        self.owner: str | None = None
        self.first_asked: int | None = None
        self.clock = 0
        self.first_reply: int | None = None
        self.messages = 0
        self.invited = self.transferred = False
        self.rating: Any = None
        self.closed: Any = None
        self.flag: str | None = None


def sessions(events: Iterable[Any]) -> dict[str, Seen]:
    """Folds events in order. The owner is the last agent assigned; the clock starts at the customer's first message or the transfer."""
    found: dict[str, Seen] = {}
    for e in events:
        kind = type(e).__name__
        if kind == "SessionOpened":
            found[e.session] = Seen(e)
            continue
        s = found.get(getattr(e, "session", None) or "")
        if s is None:
            continue
        if kind == "MessageSent":
            s.messages += 1
            if e.sender == "customer" and s.first_asked is None:
                s.first_asked = s.clock = e.at
            elif e.sender == "agent" and e.agent == s.owner and s.first_reply is None:
                s.first_reply = e.at - s.clock
        elif kind == "SessionAssigned":
            if s.owner not in (None, e.agent):
                s.first_reply, s.clock, s.transferred = None, e.at, True
            s.owner = e.agent
        elif kind == "RatingInvited":
            s.invited = True
        elif kind == "RatingGiven":
            s.rating = e
        elif kind == "SessionClosed":
            s.closed = e
        elif kind == "SessionFlagged":
            s.flag = e.flag
    return found


def rates(all_sessions: Iterable[Seen]) -> dict[str, float]:
    """What the metric catalogue calls by these names, of online sessions; rates as fractions, minutes, seconds."""
    online = [s for s in all_sessions if s.opened.kind == "online"]
    got = [s for s in online if s.first_reply is not None]
    waits = sorted(s.first_reply for s in got)
    rated = [s.rating for s in got if s.rating]
    said = [r.resolved for r in rated if r.resolved is not None]
    return {
        "consults": len(online),
        "answer_rate": len(got) / len(online),
        "reply_30s_rate": sum(w <= HALF_MINUTE for w in waits) / len(online),
        "reply_180s_rate": sum(w <= 6 * HALF_MINUTE for w in waits) / len(online),
        "first_reply_median": waits[len(waits) // 2] / 1000,
        "first_reply_mean": sum(waits) / len(waits) / 1000,
        "session_minutes": sum(s.closed.at - s.opened.at for s in got) / len(got) / 60_000,
        "messages": sum(s.messages for s in got) / len(got),
        "invite_rate": sum(s.invited for s in got) / len(got),
        "rating_rate": len(rated) / len(got),
        "satisfaction": sum(r.score >= 4 for r in rated) / len(rated) if rated else 0,
        "resolution": sum(said) / len(said) if said else 0,
        "transfer_rate": sum(s.transferred for s in online) / len(online),
    }


def conversion(all_sessions: Iterable[Seen], events: Iterable[Any], window_ms: int) -> float:
    """Share of the customers handled before ordering who order within the window after their session began."""
    asked: dict[str, list[int]] = defaultdict(list)
    for s in all_sessions:
        if s.first_reply is not None and s.opened.kind == "online" and s.opened.order_state == "none":
            asked[s.opened.customer].append(s.opened.at)
    bought = {
        e.customer
        for e in events
        if type(e).__name__ == "OrderPlaced" and any(0 <= e.at - at <= window_ms for at in asked.get(e.customer, ()))
    }
    return len(bought) / len(asked)
