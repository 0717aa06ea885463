"""What became of a recorded session after its first agent had it: who had it then and why, and whether it closed and went on."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from app.domain.conversation import AGENT, ASSIGNED, CLOSED, CUSTOMER, OPENED, REASONS, Fact
from app.domain.recording import Stint
from app.storage.packing import unpack_facts

MANUAL, LEFT, TRANSFER = (REASONS.index(reason) for reason in ("manual", "leave", "transfer"))


class Names(Protocol):
    """agents, groups: their codes, by id."""

    agents: dict[int, str]
    groups: dict[int, str]


class Asked(NamedTuple):
    """A command that was carried out: to an agent by hand, or ("") to a group."""

    at: int
    agent: str
    group: str


class Later(NamedTuple):
    """A hand-over, or, with a pause, a close after which its customer went on.

    since: when whoever got it had it, or it went on; until: when it is handed on or closes, None if that is not known.
    """

    at: int
    agent: str
    group: str
    since: int
    until: int | None
    pause: bool = False


class Had(NamedTuple):
    """assigned, group, reason: of the first agent. stints: of all agents. chosen: when and for whom it was asked while nobody had it."""

    assigned: int | None
    group: int
    reason: int
    stints: Sequence[Stint]
    later: Sequence[Later]
    chosen: tuple[int, str, str] | None


class _Owner(NamedTuple):
    """As recorded, with ids."""

    at: int
    agent: int
    group: int
    reason: int


class HandOvers:
    """presence: as a recording has it. asked: what commands asked for, by session; of those without, the record of agents tells."""

    def __init__(self, presence: Iterable[tuple[int, str, str]], asked: Mapping[str, Sequence[Asked]]) -> None:
        self.asked = asked
        self._gone: defaultdict[str, list[int]] = defaultdict(list)
        for at, agent, state in presence:
            if state == "offline":
                self._gone[agent].append(at)

    def of(self, code: str, last: tuple[int | None, int, int, int], facts: bytes | None, closed: int | None, names: Names) -> Had:
        """last: when its last agent got it, who that is, the group and the reason. facts: None where it had no other and never went on."""
        told = [] if facts is None else unpack_facts(facts)
        owners = _owners(told) if told else [_Owner(last[0], *last[1:])] if last[0] is not None else []
        if not owners:
            return Had(last[0], last[2], last[3], (), (), None)
        first = owners[0]
        owners = [owners[0], *(after for before, after in pairwise(owners) if before.agent != after.agent or after.reason == TRANSFER)]
        stints = [Stint(at, names.agents[agent], names.groups.get(group, ""), reason != MANUAL) for at, agent, group, reason in owners]
        asked = self.asked.get(code) or [
            Asked(after.at, "" if after.by_turn else after.agent, after.group)
            for before, after in pairwise(stints)
            if not self._went(before.agent, before.at, after.at)
        ]
        chosen = (first.at, stints[0].agent, "") if first.reason == MANUAL else None
        later: list[Later] = []
        for each in asked:
            if each.at <= first.at:
                chosen = each if chosen is None or each.agent else chosen
            else:
                since = next((stint.at for stint in stints if stint.at >= each.at), each.at)
                later.append(Later(each.at, each.agent, each.group, since, closed))
        later += (Later(at, "", "", since, closed, True) for at, since in _pauses(told) if at >= first.at)
        later.sort()
        later[:-1] = [each._replace(until=after.at) for each, after in pairwise(later)]
        return Had(first.at, first.group, first.reason, stints, later, chosen)

    def _went(self, agent: str, since: int, until: int) -> bool:
        """Offline, so that their sessions went to others."""
        gone = self._gone.get(agent, ())
        found = bisect_left(gone, since)
        return found < len(gone) and gone[found] <= until


def _owners(facts: Collection[Fact]) -> list[_Owner]:
    """In order of time; who was assigned what they had already is there again."""
    found: list[_Owner] = []
    group = 0
    for fact in facts:
        at, rank = fact[0], fact[1]
        if rank == ASSIGNED:
            _, _, _, agent, told, reason = fact
        elif rank == OPENED:
            agent, told, reason = fact[9], fact[10], 0
        elif rank == AGENT and not found:
            agent, told, reason = fact[2], 0, 0
        else:
            continue
        group = told or group
        if agent:
            found.append(_Owner(at, agent, group, reason))
    return found


def _pauses(facts: Collection[Fact]) -> Iterator[tuple[int, int]]:
    """(closed, went on): a customer who writes again continues the session."""
    closed: int | None = None
    for fact in facts:
        if fact[1] == CLOSED and closed is None:
            closed = fact[0]
        elif fact[1] == CUSTOMER and closed is not None:
            yield closed, fact[0]
            closed = None
