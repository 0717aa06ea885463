"""The shop floor: who sits where, in what state, with how many customers, and who takes the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from app.domain.events import ClosedBy, Page, State
from app.sources.simulator.people import FALLBACK, GROUPS, Agent, Persona
from app.sources.simulator.talk import Script


class Seat:
    """An agent at work. `ending`: the shift is over, open sessions are being finished."""

    __slots__ = ("active", "agent", "capacity", "code", "ending", "groups", "state")

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.code = agent.code
        self.capacity = agent.capacity
        self.groups = agent.groups
        self.state: State = "offline"
        self.ending = False
        self.active = 0

    def group_for(self, wanted: str) -> str:
        """The wanted group if the agent is in it, else the fallback, which everybody is in."""
        return wanted if any(code == wanted for code, _ in self.groups) else FALLBACK


class Customer:
    """Somebody on one day. `ordered_at`: when the order they may ask about was placed, None without one."""

    __slots__ = ("code", "decides", "order", "ordered_at", "parkable", "persona", "seat", "visits", "welcomed")

    def __init__(self, code: str, persona: Persona, decides: bool, parkable: bool, order: str, ordered_at: int | None) -> None:
        self.code = code
        self.persona = persona
        self.decides = decides
        self.parkable = parkable
        self.order = order
        self.ordered_at = ordered_at
        self.seat: Seat | None = None
        self.visits = 0
        self.welcomed = False


class Chat:
    """A session while it lasts."""

    __slots__ = (
        "answered", "asked", "by", "code", "customer", "good", "group", "invited", "leave", "morning", "page", "parked", "presale",
        "rated", "script", "seat", "spam", "ticks", "topic", "turn", "turns", "waited", "waiting",
    )  # fmt: skip

    def __init__(self, customer: Customer, topic: str, page: Page, good: int) -> None:
        self.customer = customer
        self.topic = self.group = topic
        self.page = page
        self.good = good
        self.code = ""
        self.by: ClosedBy = "timeout"
        self.turn = self.turns = self.ticks = self.asked = self.waited = 0
        self.presale = self.waiting = self.answered = self.invited = self.rated = self.parked = self.morning = self.spam = False
        self.leave = False
        self.seat: Seat | None = None
        self.script: Script | None = None


class Floor:
    """Seats by group. Those who take sessions are kept in lists, once for every share of their weight."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self.seats = [Seat(agent) for agent in agents]
        self.able = 0
        """Agents who take new sessions: available or away, shift not over."""
        codes = [group.code for group in GROUPS]
        self.ready: dict[str, list[Seat]] = {code: [] for code in codes}
        self.away: dict[str, list[Seat]] = {code: [] for code in codes}
        self.queues: dict[str, deque[Chat]] = {code: deque() for code in codes}

    def enter(self, seat: Seat, state: State) -> None:
        """Puts a seat into a state and keeps the lists; an ending seat takes nothing in any state."""
        self._withdraw(seat, self.ready if seat.state == "available" else self.away if seat.state == "away" else None)
        seat.state = state
        lists = self.ready if state == "available" else self.away if state == "away" else None
        if lists is not None and not seat.ending:
            self.able += 1
            for code, weight in seat.groups:
                lists[code].extend([seat] * (weight // 2))

    def _withdraw(self, seat: Seat, lists: dict[str, list[Seat]] | None) -> None:
        if lists is None or seat not in lists[seat.groups[0][0]]:
            return
        self.able -= 1
        for code, weight in seat.groups:
            for _ in range(weight // 2):
                lists[code].remove(seat)

    def attended(self, group: str) -> bool:
        return bool(self.ready[group] or self.away[group])

    def choose(self, rnd: Callable[[], float], group: str, but: Seat | None = None) -> Seat | None:
        """A member with a free place: of three drawn by weight the least busy, else whoever has one, those at their desk first."""
        ready = self.ready[group]
        size = len(ready)
        best: Seat | None = None
        if size:
            least = 1.0
            for _ in range(3):
                seat = ready[int(rnd() * size)]
                load = seat.active / seat.capacity
                if load < least and seat is not but:
                    best, least = seat, load
            if best is not None:
                return best
        for seats in (ready, self.away[group]):
            for seat in seats:
                if seat.active < seat.capacity and seat is not but:
                    return seat
        return None

    def queued(self, group: str) -> bool:
        """Is anybody waiting there? Forgets those who are not waiting any more."""
        queue = self.queues[group]
        while queue and not queue[0].waiting:
            queue.popleft()
        return bool(queue)

    def next_for(self, seat: Seat) -> tuple[Chat, str] | None:
        """The customer who waits longest in the seat's groups, own group first, and the group they waited in."""
        for code, _ in seat.groups:
            if self.queued(code):
                return self.queues[code].popleft(), code
        return None
