"""A session as the router keeps it, from its row and what was decided about it: what an engine that begins anew goes on from."""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

from app.storage.routed import ASSIGNED, OUTCOMES, Decided, OpenSession


class Standing(NamedTuple):
    """waits: nobody has it, whoever the row names. ours: by the engine's own decision. pinned: the group it was transferred to.

    since: when it opened, or the last agent of one that waits had it last.
    """

    waits: bool
    ours: bool
    group: str
    pinned: str
    left: bool
    since: int


def standing(session: OpenSession) -> Standing:
    last = session.decided
    # Who had it before stays in the row. Anybody else there was told of since, whatever the time of that: clocks of sources differ.
    had = next((each.had or each.agent for each in reversed(session.decisions) if each.had or each.agent), "")
    taken_away = last is not None and last.outcome != ASSIGNED and session.agent == had and (session.assigned_at or 0) <= last.at
    waits = not session.agent_id or taken_away
    ours = last is not None and (waits or (last.outcome == ASSIGNED and last.agent == session.agent))
    group, pinned, left = session.group, "", session.new.kind == "leave"
    if last is not None and ours:
        group = last.group
        routed = _routed(session)
        pinned = next((str(about[0]) for code, *about in routed.reasons if code == "handed_to"), "")
        left = left or "leave" in (routed.reason, OUTCOMES[routed.outcome])
    since = session.opened_at
    if waits and had:
        undecided = takewhile(lambda each: each.outcome != ASSIGNED, reversed(session.decisions))
        since = min((each.at for each in undecided if each.had == had), default=since)
    return Standing(waits, ours, group, pinned, left, since)


def _routed(session: OpenSession) -> Decided:
    """What tells where a session belongs and what it is: a supervisor who moves it changes neither, others who take it over change both."""
    decisions = session.decisions
    for each, before in zip(reversed(decisions), reversed(decisions[:-1]), strict=False):
        if each.reason != "manual":
            return each
        at, agent = next((named for named in reversed(session.named) if named[0] < each.at), (0, ""))
        if agent != (before.agent or before.had) or (before.outcome != ASSIGNED and at > before.at):
            return each
    return decisions[0]


def place(session: OpenSession) -> int:
    """Since when it stands in line: when it was first decided about or, of one that others had before, when it opened."""
    first = session.decisions[0] if session.decisions else None
    if first is None or first.had or first.reason in ("transfer", "manual"):
        return session.opened_at
    return first.at


def told(session: OpenSession, number: int, at: int) -> list[object]:
    """As `Router.to_json` writes it. number: its place among those opened at the same time."""
    new, (waits, ours, group, pinned, left, since), stands = session.new, standing(session), place(session)
    return [
        new.id, new.customer, new.kind, new.page, new.sku, new.region, new.order_state, list(new.tags), min(stands, at), number,
        group, None if waits else session.agent, left, bool(session.agent_id), pinned, not ours, min(max(since, stands), at),
    ]  # fmt: skip
