"""A router of the tests: settings in a line, sessions that number themselves."""

from __future__ import annotations

from typing import Any

from app.domain.routing.reasons import Names, words
from app.domain.routing.router import Decision, Router
from app.domain.routing.scopes import NewSession, Plan
from app.domain.routing_settings import AGENTS, GROUPS

HOUR = 3_600_000
NAMES = Names({"a": "小安", "b": "小白", "c": "小陈"}, {"presale": "售前", "rest": "兜底"})


def group(code: str, weights: dict[str, int] | None = None, /, **fields: Any) -> dict[str, Any]:
    members = [{"agent": agent, "weight": weight} for agent, weight in (weights or {}).items()]
    return {"code": code, "name": code, "members": members, **fields}


def plan(*groups: dict[str, Any], caps: dict[str, int | None] | None = None, off: str = "", designated: tuple[str, ...] = ()) -> Plan:
    bodies = {"groups": list(groups)}, {"agents": [{"agent": a, "capacity": cap} for a, cap in (caps or {}).items()]}
    bodies[1]["agents"] += [{"agent": a, "receives": False} for a in off]
    assert GROUPS.validate(bodies[0]) == AGENTS.validate(bodies[1]) == []
    return Plan.of(*bodies, {"on": bool(designated), "agents": list(designated)})


class Desk:
    """A router, and sessions that get their numbers by themselves."""

    def __init__(self, plan: Plan, here: str = "", at: int = 0) -> None:
        self.router = Router(plan)
        self.number = 0
        for agent in here:
            self.router.presence(agent, "available", at)

    def opens(self, customer: str = "", at: int = 0, **about: Any) -> Decision:
        self.number += 1
        return self.router.opened(NewSession(f"s{self.number}", customer or f"c{self.number}", **about), at)

    def given(self, number: int, **about: Any) -> str:
        return " ".join(self.opens(**about).agent or "-" for _ in range(number))


def said(decision: Decision) -> list[str]:
    return [sentence.zh for sentence in words(decision.reasons, NAMES)]
