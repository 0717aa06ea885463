"""Whom a group takes: the configuration of a store compiled, and the group that a session belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from app.domain.routing.reasons import Why
from app.domain.routing_settings import (
    AGENTS,
    DEFAULT_WEIGHT,
    DIMENSIONS,
    GROUPS,
    LEAVE_RULE,
    asked,
    claimed,
    newcomers,
    region_of,
)

NO_GROUP = ""
"""The code of no group: where sessions stay that no open group takes."""
_MOST_REMEMBERED = 20_000
_FIELDS = {"customer_tags": "tags", "skus": "sku", "order_state": "order_state", "pages": "page", "regions": "region"}
"""Of a session, where each dimension of a scope looks."""


class NewSession(NamedTuple):
    """What routing needs to know of a session; texts as in the event contract, "" where not given."""

    id: str
    customer: str
    kind: Literal["online", "leave"] = "online"
    page: str = ""
    sku: str = ""
    region: str = ""
    order_state: str = ""
    tags: tuple[str, ...] = ()


class Matched(NamedTuple):
    """The group a session belongs to (NO_GROUP: none), by what (a dimension, "only", "everybody", "fallback" or "nothing"), and why."""

    group: str
    by: str
    reasons: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A group as configured. weights: of its members by agent."""

    code: str
    name: str
    open: bool
    overflow: bool
    fallback: bool
    scope: Mapping[str, frozenset[str]]
    """Only the dimensions that it asks for, the most specific first."""
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """An agent as configured. capacity: sessions at a time, None without limit."""

    code: str
    name: str
    capacity: int | None = None
    receives: bool = True


class Plan:
    """The configuration of a store. designated: the agents that leave messages go to; empty: those of the group."""

    def __init__(self, groups: Sequence[GroupPlan], agents: Sequence[AgentPlan], designated: Sequence[str] = ()) -> None:
        self.groups = {group.code: group for group in groups}
        self.agents = {agent.code: agent for agent in agents}
        self.designated = tuple(dict.fromkeys(designated))
        self.fallback = next((group.code for group in groups if group.fallback), None)
        ordinary = [group for group in groups if not group.fallback]
        self._only = ordinary[0] if len(ordinary) == 1 and self.fallback is None else None
        # Stable: of two groups equally specific, the first.
        self._ordered = sorted(ordinary, key=lambda group: [d not in group.scope for d in DIMENSIONS])
        asked_for = [] if self._only else [field for d, field in _FIELDS.items() if any(d in group.scope for group in ordinary)]
        # What two sessions need in common to match alike.
        self._key: Callable[[NewSession], object] = attrgetter(*asked_for) if asked_for else lambda session: None
        self._remembered: dict[object, Matched] = {}

    @classmethod
    def of(
        cls, groups: Mapping[str, Any], agents: Mapping[str, Any], leave_rule: Mapping[str, Any] | None = None,
        known: Sequence[AgentPlan] = (),
    ) -> Plan:  # fmt: skip
        """From faultless bodies of GROUPS, AGENTS and LEAVE_RULE (None: as nobody has saved it).

        known: agents as events tell of them. It holds for those who are not in the document; who is in no group either is in the
        default group.
        """
        groups, agents, rule = GROUPS.complete(groups), AGENTS.complete(agents), LEAVE_RULE.complete(leave_rule or {})
        new = newcomers(groups, agents, (agent.code for agent in known))
        listed = {agent["agent"] for agent in agents["agents"]}
        return cls(
            [
                GroupPlan(
                    group["code"],
                    group["name"],
                    group["open"],
                    group["overflow"],
                    group["type"] == "fallback",
                    {d: claimed(group["scope"], d) for d in asked(group["scope"])},
                    {member["agent"]: member["weight"] for member in group["members"]}
                    | (dict.fromkeys(new, DEFAULT_WEIGHT) if group["code"] == groups["default_group"] else {}),
                )
                for group in groups["groups"]
            ],
            [AgentPlan(agent["agent"], agent["name"] or agent["agent"], agent["capacity"], agent["receives"]) for agent in agents["agents"]]
            + [agent for agent in known if agent.code not in listed],
            rule["agents"] if rule["on"] else (),
        )

    def rules(self) -> object:
        """Equal for plans that decide alike: without what people call groups and agents."""
        unlike = AgentPlan("", "")
        agents = {code: rule for code, agent in self.agents.items() if (rule := replace(agent, code="", name="")) != unlike}
        return [replace(group, name="") for group in self.groups.values()], agents, set(self.designated)

    def agent(self, code: str) -> AgentPlan:
        """One of whom neither settings nor events tell takes any number of sessions."""
        return self.agents.get(code) or AgentPlan(code, code)

    def match(self, session: NewSession) -> Matched:
        """The group that the session belongs to by the scopes, whoever is there."""
        key = self._key(session)
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[key] = self._match(session)
        return found

    def _match(self, session: NewSession) -> Matched:
        if self._only is not None:
            only = self._only
            if only.open:
                return Matched(only.code, "only", (("only", only.code),))
            return Matched(NO_GROUP, "nothing", (("closed", only.code), ("no_group",)))
        values = {
            "customer_tags": sorted(session.tags),
            "skus": (session.sku,) if session.sku else (),
            "order_state": (session.order_state,) if session.order_state else (),
            "pages": (session.page,) if session.page else (),
            "regions": (region_of(session.region),),
        }
        why: list[Why] = []
        for group in self._ordered:
            by = {d: next((value for value in values[d] if value in taken), None) for d, taken in group.scope.items()}
            if None in by.values():
                continue
            if not group.open:
                why.append(("closed", group.code))
                if self.fallback is not None:
                    break
                continue
            leading = next(iter(by), "everybody")
            why += [(d, group.code, value) for d, value in by.items()] or [("everybody", group.code)]
            return Matched(group.code, leading, tuple(why))
        if self.fallback is not None:
            return Matched(self.fallback, "fallback", (*why, ("fallback", self.fallback)))
        first = next((group for group in self.groups.values() if group.open), None)
        if first is not None and not why:
            return Matched(first.code, "nothing", (("first", first.code),))
        return Matched(NO_GROUP, "nothing", (*why, ("no_group",)))
