"""What must be true of a store's events, told as faults; presence and sessions of several days together."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from app.sources.simulator.talk import QUEUE

TEN_MINUTES = 600_000
ABLE = ("available", "away")


class Presence:
    """States over time, from agent.presence events in order. An agent is in the state of the last change at or before a moment."""

    def __init__(self, events: Iterable[Any]) -> None:
        self._times: dict[str, list[int]] = defaultdict(list)
        self._states: dict[str, list[str]] = defaultdict(list)
        self._able_times: list[int] = []
        self._able: list[int] = []
        self._online: list[int] = []
        now: dict[str, str] = {}
        for e in events:
            if type(e).__name__ == "AgentPresence":
                now[e.agent] = e.state
                self._times[e.agent].append(e.at)
                self._states[e.agent].append(e.state)
                self._able_times.append(e.at)
                self._able.append(sum(state in ABLE for state in now.values()))
                self._online.append(sum(state != "offline" for state in now.values()))

    def state(self, agent: str, at: int) -> str:
        place = bisect_right(self._times[agent], at)
        return self._states[agent][place - 1] if place else "offline"

    def anybody(self, at: int) -> bool:
        place = bisect_right(self._able_times, at)
        return bool(place and self._able[place - 1])

    def anybody_online(self, at: int) -> bool:
        place = bisect_right(self._able_times, at)
        return bool(place and self._online[place - 1])


def faults(events: list[Any], morning_after: list[Any], members: dict[str, frozenset[str]]) -> list[str]:
    """Broken rules in whole consecutive days of events sorted by (at, id).

    morning_after: events of the day that follows, where messages left in the last night are answered. members: group code to the codes
    of its agents.
    """
    found: list[str] = []
    presence = Presence([*events, *morning_after])
    by_session: dict[str, list[Any]] = defaultdict(list)
    last: dict[str, str] = {}
    for e in events:
        kind = type(e).__name__
        if (session := getattr(e, "session", None)) is not None and kind != "QuestionClicked":
            by_session[session].append(e)
        if kind == "AgentPresence":
            if last.get(e.agent, "offline") == e.state:
                found.append(f"{e.id}: {e.agent} is {e.state} twice in a row")
            last[e.agent] = e.state
        if kind == "VisitorEntered" and e.available != presence.anybody(e.at):
            found.append(f"{e.id}: available={e.available} is not what presence says")
    customers: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for code, facts in by_session.items():
        found += _session_faults(code, facts, presence, members)
        if type(facts[0]).__name__ == "SessionOpened":
            customers[facts[0].customer].append((facts[0].at, facts[-1].at, code))
    for customer, spans in customers.items():
        spans.sort()
        for (_, closed, one), (opened, _, other) in pairwise(spans):
            if opened < closed + TEN_MINUTES:
                found.append(f"{customer}: {other} opens before, or within ten minutes after, the end of {one}")
    return found


def _session_faults(code: str, facts: list[Any], presence: Presence, members: dict[str, frozenset[str]]) -> list[str]:
    found: list[str] = []
    opened = facts[0]
    if type(opened).__name__ != "SessionOpened" or sum(type(e).__name__ == "SessionOpened" for e in facts) != 1:
        return [f"{code}: is not opened once, first of all"]
    if type(facts[-1]).__name__ != "SessionClosed":
        found.append(f"{code}: does not end with closed")
    if (opened.kind == "online") != presence.anybody_online(opened.at):
        found.append(f"{code}: kind {opened.kind} is not what presence says")
    owner: str | None = None
    closed_at: int | None = None
    for e in facts:
        kind = type(e).__name__
        if closed_at is not None:
            if kind != "MessageSent" or e.sender != "customer" or e.at >= closed_at + TEN_MINUTES:
                found.append(f"{code}: goes on with {kind} {e.at - closed_at} ms after it was closed")
            closed_at = None
        if kind == "SessionAssigned":
            if e.agent == owner and e.reason != "transfer":  # nobody else of that group was free
                found.append(f"{code}: assigned to its owner again")
            if (e.reason == "transfer") != (owner is not None) or (e.reason == "leave") != (opened.kind == "leave" and owner is None):
                found.append(f"{code}: assigned for reason {e.reason}")
            if presence.state(e.agent, e.at) not in ABLE:
                found.append(f"{code}: given to {e.agent} who is {presence.state(e.agent, e.at)}")
            if e.agent not in members[e.group]:
                found.append(f"{code}: given to {e.agent} who is not in {e.group}")
            owner = e.agent
        elif kind == "MessageSent" and e.sender == "agent":
            if owner is None or e.agent != owner:
                found.append(f"{code}: {e.agent} writes in a session of {owner}")
            elif presence.state(owner, e.at) == "offline":
                found.append(f"{code}: {owner} writes while offline")
        elif kind == "SessionClosed":
            closed_at = e.at
    return found


def most_at_once(events: Iterable[Any]) -> dict[str, int]:
    """The largest number of open sessions an agent held, from events in order; messages left and sessions kept overnight left out.

    Whoever was handed over to a group in which nobody was free has been told that they wait, and is in nobody's hands.
    """
    events = list(events)
    opened = {e.session: e.at for e in events if type(e).__name__ == "SessionOpened"}
    overnight = {e.session for e in events if type(e).__name__ == "SessionClosed" and e.at - opened[e.session] > 4 * 3_600_000}
    owner: dict[str, str] = {}
    leave: set[str] = set()
    held: dict[str, int] = defaultdict(int)
    most: dict[str, int] = defaultdict(int)
    for e in events:
        kind = type(e).__name__
        if kind == "SessionOpened" and e.kind == "leave":
            leave.add(e.session)
        elif kind == "SessionAssigned" and e.session not in leave and e.session not in overnight:
            if e.session in owner:
                held[owner[e.session]] -= 1
            owner[e.session] = e.agent
            held[e.agent] += 1
            most[e.agent] = max(most[e.agent], held[e.agent])
        elif (kind == "SessionClosed" or (kind == "MessageSent" and e.text in QUEUE)) and e.session in owner:
            held[owner.pop(e.session)] -= 1
    return most
