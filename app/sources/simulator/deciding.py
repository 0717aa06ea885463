"""Who decides which agent takes a session: the world only tells what happens, and is told what becomes of it.

Of the past a router decides at once, in the same process; in the present an engine does, on the database, and the world hears of it later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from app.domain.events import State
from app.domain.routing.router import Decision, NotPossibleError, Router
from app.domain.routing.scopes import NewSession, Plan
from app.sources.base import Wish
from app.sources.simulator.people import GROUPS, Agent


class Decides(Protocol):
    """Each call answers what follows from it, as far as that is known at once. Times are epoch ms and do not go back."""

    def opened(self, session: NewSession, at: int) -> Sequence[Decision]: ...
    def taken(self, session: NewSession, agent: str, group: str, at: int) -> Sequence[Decision]:
        """It is with an agent already, or again."""

    def closed(self, session: str, at: int) -> Sequence[Decision]: ...
    def presence(self, agent: str, state: State, at: int) -> Sequence[Decision]: ...
    def hand_over(self, wish: Wish, at: int) -> Sequence[Decision]: ...


class InProcess:
    """The rules the engine follows, decided at once."""

    def __init__(self, plan: Plan) -> None:
        self._router = Router(plan, explains=False)

    def opened(self, session: NewSession, at: int) -> Sequence[Decision]:
        return (self._router.opened(session, at),)

    def taken(self, session: NewSession, agent: str, group: str, at: int) -> Sequence[Decision]:
        return self._router.taken(session, agent, group, at)

    def closed(self, session: str, at: int) -> Sequence[Decision]:
        return self._router.closed(session, at)

    def presence(self, agent: str, state: State, at: int) -> Sequence[Decision]:
        return self._router.presence(agent, state, at)

    def hand_over(self, wish: Wish, at: int) -> Sequence[Decision]:
        try:
            *freed, handed = self._router.transfer(wish.session, wish.group, at)
        except NotPossibleError:
            return ()
        return (handed, *freed)


class Elsewhere:
    """An engine decides on what is recorded. What agents ask it for is kept until somebody passes it on (`taken_wishes`)."""

    def __init__(self) -> None:
        self._wishes: list[Wish] = []

    def taken_wishes(self) -> list[Wish]:
        found, self._wishes = self._wishes, []
        return found

    def opened(self, session: NewSession, at: int) -> Sequence[Decision]:
        return ()

    def taken(self, session: NewSession, agent: str, group: str, at: int) -> Sequence[Decision]:
        return ()

    def closed(self, session: str, at: int) -> Sequence[Decision]:
        return ()

    def presence(self, agent: str, state: State, at: int) -> Sequence[Decision]:
        return ()

    def hand_over(self, wish: Wish, at: int) -> Sequence[Decision]:
        self._wishes.append(wish)
        return ()


def settings(agents: Sequence[Agent]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bodies of the documents `groups` and `agents` that the store begins with: everybody's groups, by the pages customers come from."""
    groups = [
        {
            "code": group.code, "name": group.name, "type": "fallback" if group.fallback else "ordinary",
            "scope": {} if group.fallback else {"pages": list(group.pages)},
            "members": [
                {"agent": agent.code, "weight": weight} for agent in agents for code, weight in agent.groups if code == group.code
            ],
        }
        for group in GROUPS
    ]  # fmt: skip
    people = [{"agent": agent.code, "name": agent.name, "team": agent.team, "capacity": agent.capacity} for agent in agents]
    return {"groups": groups, "default_group": GROUPS[0].code}, {"agents": people}
