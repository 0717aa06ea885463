"""What a router remembers between decisions: agents, groups with their turns and queues, open sessions."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from app.domain.routing.choosing import Ranking, Rotation
from app.domain.routing.reasons import STANDINGS, Why
from app.domain.routing.scopes import AgentPlan, GroupPlan, NewSession

TAKING = ("available", "away")
"""States in which an agent takes new sessions and transfers."""
_MOST_NAMED = 12
"""Agents that a reason names; of more it only says how many they are."""


class Held:
    """A session that is open. left: it is a leave message. agent None: it waits in the queue of its group."""

    __slots__ = ("agent", "at", "given", "group", "handed", "left", "number", "pinned", "session")

    def __init__(self, session: NewSession, at: int, number: int) -> None:
        self.session = session
        self.at = at
        self.number = number
        self.group = ""
        self.agent: str | None = None
        self.left = session.kind == "leave"
        self.handed = False
        """It has had an agent before."""
        self.pinned = ""
        """The group it was transferred to: it belongs there whatever the scopes say."""
        self.given = False
        """Somebody else gave it to its agent, and takes it away again."""

    def place(self) -> tuple[int, int, str]:
        """In a queue: the oldest first."""
        return self.at, self.number, self.session.id


class Box:
    """Leave messages of a group, or of the designated agents: who is here to take them, in turn, and those that wait for somebody."""

    __slots__ = ("_turn", "candidates", "here", "turns", "waiting")

    def __init__(self, candidates: Collection[str], turns: dict[str, int]) -> None:
        self.candidates = candidates
        self.here = Ranking()  # (turn, code)
        self.waiting = Ranking()
        self.turns = {code: turn for code, turn in turns.items() if code in candidates}
        """When each had one last, by a count of them all."""
        self._turn = max(self.turns.values(), default=0)

    def comes(self, code: str) -> None:
        self.here.put((self.turns.get(code, 0), code))

    def take(self) -> str | None:
        """Whose turn it is among those who are here."""
        found = self.here.first()
        if found is None:
            return None
        code: str = found[-1]
        self._turn += 1
        self.turns[code] = self._turn
        self.comes(code)
        return code


class Group:
    """A group with its members' turns and its waiting customers."""

    __slots__ = ("_roster", "_standing", "_who", "box", "plan", "queue", "rotation")

    def __init__(self, plan: GroupPlan, credits: dict[str, int], box: Box) -> None:
        self.plan = plan
        self.box = box
        self.rotation = Rotation()
        self.rotation.restore({code: credit for code, credit in credits.items() if code in plan.weights})
        self.queue = Ranking()
        self._standing: dict[str, str] = {}
        self._who: dict[str, dict[str, None]] = {standing: {} for standing in STANDINGS}
        self._roster: tuple[Why, ...] | None = None

    def stand(self, code: str, standing: str) -> None:
        """How a member stands to new sessions from now on."""
        before = self._standing.get(code)
        if before is not None:
            del self._who[before][code]
        self._standing[code] = standing
        self._who[standing][code] = None
        self._roster = None

    def standing(self, code: str) -> str:
        return self._standing.get(code, "gone")

    def roster(self) -> tuple[Why, ...]:
        """Who is free and who is not and why; the same until one of them changes."""
        if self._roster is None:
            free = self._who["free"]
            self._roster = (
                ("members", self.plan.code, len(self._standing), len(free), _named(free)),
                *(("left_out", standing, len(who), _named(who)) for standing, who in self._who.items() if who and standing != "free"),
            )
        return self._roster


class Seat(NamedTuple):
    """A membership."""

    group: Group
    weight: int


class Agent:
    """An agent as the router sees them. since: when the last session was given to them or ended, or they came online."""

    __slots__ = ("active", "boxes", "code", "holds", "plan", "seats", "since", "standing", "state")

    def __init__(self, plan: AgentPlan) -> None:
        self.plan = plan
        self.code = plan.code
        self.state = "offline"
        self.standing = ""
        self.since = 0
        self.active = 0
        """Sessions held, without leave messages: nobody waits at their other end, so they take up no capacity."""
        self.holds: dict[str, None] = {}
        self.seats: list[Seat] = []
        self.boxes: list[Box] = []

    @property
    def takes(self) -> bool:
        """They may be given something, be it only by transfer."""
        return self.plan.receives and self.state in TAKING

    @property
    def online(self) -> bool:
        return self.plan.receives and self.state != "offline"

    def stands(self) -> str:
        """To new sessions of any group."""
        capacity = self.plan.capacity
        if self.state not in TAKING:
            return self.state
        if not self.plan.receives:
            return "not_receiving"
        if capacity is not None and self.active >= capacity:
            return "full" if capacity else "transfers_only"
        return "free"


def _named(who: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(who)) if len(who) <= _MOST_NAMED else ()
