"""What is recorded of a store, as a source needs it that goes on living where it was interrupted, and that is told what others decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from app.domain.events import State


class OpenSession(NamedTuple):
    """A session that is open. Times are epoch ms, None where it has not happened; agent, group, sku: codes, "" for none.

    placed: the customer has an order. turns: questions that were answered. last: of the last thing that happened in it. flagged: a robot
    or spam.
    """

    code: str
    customer: str
    leave: bool
    page: str
    sku: str
    placed: bool
    opened: int
    agent: str
    group: str
    answered: bool
    waiting_since: int | None
    turns: int
    last: int
    flagged: bool


class Ended(NamedTuple):
    """A session that an agent has had and in which the customer, who had no order, was answered; times are epoch ms."""

    code: str
    customer: str
    page: str
    sku: str
    agent: str
    opened: int
    closed: int


class Given(NamedTuple):
    """Who has an open session. waits: it was asked for somebody else, and waits for one."""

    code: str
    agent: str
    group: str
    waits: bool


class Memory(Protocol):
    """Raises FaultError where the database cannot be read."""

    def open_sessions(self) -> list[OpenSession]:
        """The oldest first."""

    def ended(self, first_day: int) -> list[Ended]:
        """Those opened on a day or later."""

    def orders(self, since: int) -> frozenset[str]:
        """Codes of those placed since."""

    def presence(self) -> Mapping[str, State]:
        """Of everybody who was ever heard of."""

    def last_session(self, first: str, past: str) -> str | None:
        """The greatest code in [first, past)."""

    def last_customer(self, first: str, past: str) -> str | None:
        """The greatest code in [first, past)."""
