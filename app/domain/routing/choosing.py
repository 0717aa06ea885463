"""Whose turn it is: smooth weighted round robin among thousands who come and go, in time that hardly depends on how many they are.

The rule: everybody eligible gains their weight, the one with most is taken and loses the weights of all. Followed to the letter it
touches everybody each time. But those of one weight all gain the same, so their order only changes when one of them is taken; and there are
no more than ten weights. So each weight keeps its own in order, with what they hold counted from the gains of all rounds so far, and a
decision compares the first of each (docs/decisions/0013-routing.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any

Entry = tuple[Any, ...]
"""What it is ordered by, and last the code of whom or what it is of."""

_SLACK = 64


class Ranking:
    """Entries in order, one for each code; the least is always at hand. Putting and dropping cost O(log n), amortised."""

    __slots__ = ("_heap", "_held", "top")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._held: dict[str, Entry] = {}
        self.top: Entry | None = None
        """The first, where it is known; `first()` finds it again."""

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, code: str) -> bool:
        return code in self._held

    def __iter__(self) -> Iterator[Entry]:
        """In order."""
        return iter(sorted(self._held.values()))

    def put(self, entry: Entry) -> None:
        """In place of what its code had."""
        self._held[entry[-1]] = entry
        heap, top = self._heap, self.top
        heappush(heap, entry)
        if top is not None:
            if entry < top:
                self.top = entry
            elif entry[-1] == top[-1]:
                self.top = None
        if len(heap) > 2 * len(self._held) + _SLACK:
            self._heap = list(self._held.values())
            heapify(self._heap)

    def drop(self, code: str) -> None:
        if self._held.pop(code, None) is self.top:
            self.top = None

    def first(self) -> Entry | None:
        if self.top is None:
            heap, held = self._heap, self._held
            while heap:
                entry = heap[0]
                if held.get(entry[-1]) is entry:
                    self.top = entry
                    break
                heappop(heap)
        return self.top


class Candidate:
    """Somebody with turns. active: sessions they have; since: when that changed last, which never goes back.

    Whoever changes either calls `changed`.
    """

    __slots__ = ("active", "code", "since", "turns")

    def __init__(self, code: str) -> None:
        self.code = code
        self.active = 0
        self.since = 0
        self.turns: list[Turn] = []

    def changed(self) -> None:
        active = self.active
        for turn in self.turns:
            if active < turn.floor:
                turn.peers.push(turn)
            elif turn.peers.top is turn.entry:
                turn.peers.top = None


class Turn:
    """What somebody holds in a rotation. entry: theirs among their peers, None while they are not eligible; floor: the `active` in it."""

    __slots__ = ("candidate", "credit", "entry", "floor", "lost", "peers", "weight")

    def __init__(self, candidate: Candidate, weight: int, credit: int, peers: _Peers) -> None:
        self.candidate = candidate
        self.weight = weight
        self.peers = peers
        self.credit = credit
        """While they are not eligible."""
        self.lost = 0
        """While they are: without what their weight has gained them in all rounds."""
        self.entry: _Standing | None = None
        self.floor = 0


_Standing = tuple[int, int, int, str, Turn]
"""(lost, active, since, code): so they come in order."""


class _Peers:
    """The eligible of one weight, the first at hand.

    An entry may lag behind what its candidate has become since, but only towards the front: it goes in as of somebody with nothing to do,
    and is put right when it comes up. So most changes of load touch no heap.
    """

    __slots__ = ("_heap", "number", "top", "weight")

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.number = 0
        self._heap: list[_Standing] = []
        self.top: _Standing | None = None
        """The first, where it is known; `first()` finds it again."""

    def push(self, turn: Turn) -> None:
        turn.floor = 0
        turn.entry = turn.lost, 0, 0, turn.candidate.code, turn
        heappush(self._heap, turn.entry)
        self.top = None
        if len(self._heap) > 2 * self.number + _SLACK:
            self._heap = [entry for entry in self._heap if entry[4].entry is entry]
            heapify(self._heap)

    def first(self) -> _Standing | None:
        heap = self._heap
        while heap:
            entry = heap[0]
            lost, active, since, code, turn = entry
            if turn.entry is not entry:
                heappop(heap)
                continue
            candidate = turn.candidate
            if candidate.active == active and turn.lost == lost and candidate.since == since:
                self.top = entry
                return entry
            turn.floor = candidate.active
            turn.entry = turn.lost, turn.floor, candidate.since, code, turn
            heapreplace(heap, turn.entry)
        return None


class Rotation:
    """Smooth weighted round robin. Who is not eligible keeps what they hold until they are again.

    Between those who hold the same: fewest active sessions, then longest idle (the smaller `since`), then the code.
    credits: what those who are to take part hold from before, by code.
    """

    __slots__ = ("_before", "_peers", "_round", "number", "total", "turns")

    def __init__(self, credits: Mapping[str, int] | None = None) -> None:
        self.number = 0
        """Of those who are eligible."""
        self.total = 0
        """Their weights together."""
        self.turns: dict[str, Turn] = {}
        """Of all who take part."""
        self._before = credits or {}
        self._round = 0
        self._peers: dict[int, _Peers] = {}

    def join(self, candidate: Candidate, weight: int) -> Turn:
        """They take part with a weight above 0, and are not eligible yet."""
        peers = self._peers.get(weight)
        if peers is None:
            peers = self._peers[weight] = _Peers(weight)
        turn = self.turns[candidate.code] = Turn(candidate, weight, self._before.get(candidate.code, 0), peers)
        candidate.turns.append(turn)
        return turn

    def put(self, turn: Turn) -> None:
        """Eligible from now on."""
        if turn.entry is None:
            turn.lost = turn.weight * self._round - turn.credit
            turn.peers.number += 1
            turn.peers.push(turn)
            self.number += 1
            self.total += turn.weight

    def drop(self, turn: Turn) -> None:
        """Not eligible any more."""
        if turn.entry is not None:
            if turn.peers.top is turn.entry:
                turn.peers.top = None
            turn.entry, turn.floor = None, 0
            turn.credit = turn.weight * self._round - turn.lost
            turn.peers.number -= 1
            self.number -= 1
            self.total -= turn.weight

    def is_eligible(self, code: str) -> bool:
        turn = self.turns.get(code)
        return turn is not None and turn.entry is not None

    def take(self) -> str:
        """Whose turn it is. There must be somebody."""
        entry, _ = self._next()
        turn = entry[4]
        turn.lost += self.total
        turn.peers.top = None
        return entry[3]

    def grant(self, code: str) -> None:
        """It was the turn of one who is eligible: they held as much as anybody, whatever was known of it."""
        _, least = self._next()
        turn = self.turns[code]
        turn.lost = min(turn.lost, least + turn.weight * self._round) + self.total
        turn.peers.push(turn)

    def begin_anew(self) -> None:
        """Nobody holds anything."""
        self._before = {}
        for turn in self.turns.values():
            turn.credit = 0
            if turn.entry is not None:
                turn.lost = turn.weight * self._round
                turn.peers.push(turn)

    def _next(self) -> tuple[_Standing, int]:
        """Whose turn it is in another round, and what they are short of."""
        self._round = now = self._round + 1
        best: _Standing | None = None
        least = 0
        for peers in self._peers.values():
            entry = peers.top or peers.first()
            if entry is not None:
                short = entry[0] - peers.weight * now
                if best is None or short < least or (short == least and entry[1:4] < best[1:4]):
                    best, least = entry, short
        assert best is not None
        return best, least

    def credits(self) -> dict[str, int]:
        """What each holds, by code; those with nothing are left out."""
        found = dict(self._before)
        for code, turn in self.turns.items():
            found[code] = turn.credit if turn.entry is None else turn.weight * self._round - turn.lost
        return {code: found[code] for code in sorted(found) if found[code]}
