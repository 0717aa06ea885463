"""The simulator as others see it: a roster, and any day of a plan on its own."""

from __future__ import annotations

from typing import Any

from app.domain.events import AgentUpserted, AnyEvent
from app.domain.routing.scopes import Plan as RoutingPlan
from app.sources.simulator.day import DayRun
from app.sources.simulator.deciding import InProcess, settings
from app.sources.simulator.goods import GOODS, Good
from app.sources.simulator.people import GROUPS, Agent, Group
from app.sources.simulator.plan import Plan
from app.sources.simulator.world import World


class Simulator:
    """A store that behaves like a real one. Everything is a function of the plan; only caches are kept."""

    groups: tuple[Group, ...] = GROUPS
    goods: tuple[Good, ...] = GOODS

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.world = World(plan)
        self.agents: tuple[Agent, ...] = self.world.agents
        self.settings: tuple[dict[str, Any], dict[str, Any]] = settings(self.agents)
        """Bodies of the documents `groups` and `agents` that the store begins with."""
        self.routing = RoutingPlan.of(*self.settings)

    def roster(self, at: int) -> list[AnyEvent]:
        """agent.upserted of everybody, at the epoch milliseconds given. The ids do not depend on `at`."""
        return [
            AgentUpserted(
                id=f"roster-{a.code}",
                at=at,
                store=self.plan.store,
                agent=a.code,
                name=a.name,
                team=a.team,
                role=a.role,
                capacity=a.capacity,
            )
            for a in self.agents
        ]

    def day(self, day: int, transcripts: bool = True) -> list[AnyEvent]:
        """Every event a local day causes, sorted by (at, id): its shifts, visitors and sessions with all that follows, later days included.

        `day` counts from 1970-01-01 as localtime does. Who takes a session is decided by the settings that the store begins with. Without
        transcripts messages have `text=None` and all else is equal.
        """
        return DayRun(self.world, day, InProcess(self.routing), transcripts).everything()
