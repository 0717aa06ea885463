"""What a router remembers between decisions: agents, groups with their turns and queues, open sessions."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from app.domain.routing.choosing import Candidate, Ranking, Rotation, Turn
from app.domain.routing.reasons import STANDINGS, Why
from app.domain.routing.scopes import AgentPlan, GroupPlan, NewSession

TAKING = ("available", "away")
"""States in which an agent takes new sessions and transfers."""
TRANSFERABLE = ("free", "transfers_only")
"""How agents stand who take what is handed to one of their groups by hand, in their turn or not: those who are here and not full."""
_MOST_NAMED = 12
"""Agents that a reason names; of more it only says how many they are."""
_UNLIMITED = 1 << 60


class Held:
    """A session that is open. left: it is a leave message. agent None: it waits in the queue of its group."""

    __slots__ = ("agent", "at", "given", "group", "handed", "left", "number", "pinned", "session", "since")

    def __init__(self, session: NewSession, at: int, number: int) -> None:
        self.session = session
        self.at = at
        """Since when it stands in line, whoever has it meanwhile."""
        self.since = at
        """When it opened, or its last agent had it last: it has waited since."""
        self.number = number
        self.group = ""
        self.agent: Agent | None = None
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

    def begin_anew(self) -> None:
        """Nobody has had one."""
        self.turns, self._turn = {}, 0
        for _, code in self.here:
            self.comes(code)

    def take(self) -> str | None:
        """Whose turn it is among those who are here."""
        found = self.here.first()
        if found is None:
            return None
        code: str = found[-1]
        self.had(code)
        return code

    def had(self, code: str) -> None:
        """They had one just now."""
        self._turn += 1
        self.turns[code] = self._turn
        if code in self.here:
            self.comes(code)


class Group:
    """A group with its members' turns and its waiting customers. served: {customer: (agent, at)}, who had them here last.

    handed: of those who wait, what was handed to this group by hand, leave messages too: whoever takes transfers only may have it.
    """

    __slots__ = ("_roster", "_standing", "_who", "box", "handed", "plan", "queue", "rotation", "served")

    def __init__(self, plan: GroupPlan, credits: dict[str, int], box: Box, served: dict[str, tuple[str, int]]) -> None:
        self.plan = plan
        self.box = box
        self.served = served
        self.rotation = Rotation({code: credit for code, credit in credits.items() if code in plan.weights})
        self.queue = Ranking()
        self.handed = Ranking()
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
    """A membership. turn: None with weight 0."""

    group: Group
    turn: Turn | None


class Agent(Candidate):
    """An agent as the router sees them. since: when the last session was given to them or ended, or they came online.

    active: sessions held, without leave messages: nobody waits at their other end, so they take up no capacity.
    """

    __slots__ = ("_full", "_never", "boxes", "held_back", "holds", "plan", "room", "seats", "shown", "standing", "state")

    def __init__(self, plan: AgentPlan) -> None:
        super().__init__(plan.code)
        self.state = "offline"
        self.standing = self.shown = ""
        """To what is given out now, and as reasons tell it: they differ while an agent is held back."""
        self.held_back = ""
        """As what they are told of while they are given nothing, whatever their state."""
        self.holds: dict[str, Held] = {}
        self.seats: list[Seat] = []
        self.boxes: list[Box] = []
        self.follow(plan)

    def follow(self, plan: AgentPlan) -> None:
        """Another plan, and nothing known yet of what follows from it: seats, boxes and sessions."""
        self.plan = plan
        self.room = _UNLIMITED if plan.capacity is None else plan.capacity
        self._full = "full" if plan.capacity else "transfers_only"
        self.holds, self.seats, self.boxes, self.turns = {}, [], [], []
        self.active, self.standing, self.shown = 0, "", ""
        self.be(self.state)

    def be(self, state: str) -> None:
        """Here, or not."""
        self.state = state
        self._never = state if state not in TAKING else "" if self.plan.receives else "not_receiving"

    @property
    def takes(self) -> bool:
        """They may be given something, be it only by transfer."""
        return not (self._never or self.held_back)

    @property
    def online(self) -> bool:
        return self.plan.receives and self.state != "offline"

    def stands(self) -> str:
        """To new sessions of any group."""
        return self._never or ("free" if self.active < self.room else self._full)


def _named(who: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(who)) if len(who) <= _MOST_NAMED else ()
