"""The shop floor: who sits where, in what state, with how many customers. Who takes whom is decided elsewhere (deciding.py)."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.events import ClosedBy, Page, State
from app.sources.simulator.people import Agent, Persona
from app.sources.simulator.talk import Script

ABLE = ("available", "away")


class Seat:
    """An agent at work. `ending`: the shift is over, open sessions are being finished. `ordered`: suspended by somebody else's command."""

    __slots__ = ("active", "agent", "busy_until", "capacity", "code", "ending", "leaves", "ordered", "state")

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.code = agent.code
        self.capacity = agent.capacity
        self.state: State = "offline"
        self.ending = self.ordered = False
        self.active = 0
        """Customers who are served now."""
        self.leaves = 0
        """Leave messages in hand, seen to one after another."""
        self.busy_until = 0


class Customer:
    """Somebody on one day. `ordered_at`: when the order they may ask about was placed, None without one."""

    __slots__ = ("code", "decides", "order", "ordered_at", "parkable", "persona", "visits", "welcomed")

    def __init__(self, code: str, persona: Persona, decides: bool, parkable: bool, order: str, ordered_at: int | None) -> None:
        self.code = code
        self.persona = persona
        self.decides = decides
        self.parkable = parkable
        self.order = order
        self.ordered_at = ordered_at
        self.visits = 0
        self.welcomed = False


class Chat:
    """A session while it lasts.

    seat: whose it is. held: it is in their hands, not waiting for somebody else or for the morning. handing: somebody else was asked to
    take it. gone: its end is on the way.
    """

    __slots__ = (
        "answered", "asked", "by", "code", "customer", "gone", "good", "group", "handing", "held", "invited", "leave", "morning", "opened",
        "page", "parked", "presale", "promised", "rated", "script", "seat", "spam", "step", "ticks", "topic", "turn", "turns", "waited",
        "waiting",
    )  # fmt: skip

    def __init__(self, customer: Customer, topic: str, page: Page, good: int) -> None:
        self.customer = customer
        self.topic = topic
        self.group = ""
        self.page = page
        self.good = good
        self.code = ""
        self.by: ClosedBy = "timeout"
        self.opened = self.turn = self.turns = self.ticks = self.asked = self.waited = self.step = 0
        self.presale = self.waiting = self.answered = self.invited = self.rated = self.parked = self.morning = self.spam = False
        self.leave = self.held = self.handing = self.gone = self.promised = False
        self.seat: Seat | None = None
        self.script: Script | None = None


class Floor:
    """Seats by agent. able: how many take new sessions (available or away). online: how many are here at all, suspended ones too."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self.seats = {agent.code: Seat(agent) for agent in agents}
        self.able = self.online = 0

    def enter(self, seat: Seat, state: State) -> None:
        self.able += (state in ABLE) - (seat.state in ABLE)
        self.online += (state != "offline") - (seat.state != "offline")
        seat.state = state
