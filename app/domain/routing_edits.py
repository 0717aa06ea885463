"""Edits of the documents `groups` and `agents`: each answers a new body that shares what it did not touch with the old one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from app.domain.documents import Body, Object
from app.domain.naming import told_apart
from app.domain.routing_settings import AGENTS, DEFAULT_WEIGHT, GROUPS, newcomers

MAX_WEIGHT = 10


@dataclass(frozen=True, slots=True)
class KnownAgent:
    """What the store's events tell of an agent; "" and None where they tell nothing."""

    code: str
    name: str = ""
    team: str = ""
    role: str = ""
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the documents are judged against. sessions: {group: opened in the last 7 days}; groups: {code: name} that events name;
    served: {group: agents who had its sessions in these days}; designated: agents whom leave messages go to, () where to all;
    skus: {code: name} of all that the store's events have named."""

    agents: Mapping[str, KnownAgent] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    sessions: Mapping[str, int] = field(default_factory=dict)
    served: Mapping[str, Sequence[str]] = field(default_factory=dict)
    designated: Sequence[str] = ()
    skus: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentLine:
    """An agent as the documents and the events have them together. label: what to call them beside the others; weights: {group code:
    weight}; listed: in the document; newcomer: named by neither document, so in the default group if there is one."""

    code: str
    name: str
    team: str
    role: str
    capacity: int | None
    receives: bool
    weights: Mapping[str, int]
    listed: bool
    newcomer: bool = False
    label: str = ""


def agent_lines(groups: Body, agents: Body, facts: Facts) -> list[AgentLine]:
    """Every agent that the documents or the events know, in order of code."""
    listed = {entry["agent"]: entry for entry in agents["agents"]}
    weights: dict[str, dict[str, int]] = {}
    for group in groups["groups"]:
        for member in group["members"]:
            weights.setdefault(member["agent"], {})[group["code"]] = member["weight"]
    found = []
    new = frozenset(newcomers(groups, agents, facts.agents))
    for code in sorted({*listed, *weights, *facts.agents}):
        known, entry = facts.agents.get(code) or KnownAgent(code), listed.get(code)
        held = entry or _entry(known)
        name, team = held["name"] or known.name, held["team"] or known.team
        said = weights.get(code, {}), entry is not None, code in new
        found.append(AgentLine(code, name, team, known.role, held["capacity"], held["receives"], *said))
    called = told_apart((line.code, line.name) for line in found)
    return [replace(line, label=called[line.code]) for line in found]


def with_agents(groups: Body, agents: Body, codes: Collection[str], facts: Facts, **values: Any) -> tuple[Body, Body]:
    """Both documents with these fields of these agents; one not in `agents` yet starts from what the events tell.

    Whoever is in the default group only because no document names them becomes a member of it: what is edited here is not their group.
    """
    staying = dict.fromkeys((code for code in newcomers(groups, agents, facts.agents) if code in codes), DEFAULT_WEIGHT)
    wanted = dict.fromkeys(codes)
    listed = [{**entry, **values} if entry["agent"] in wanted else entry for entry in agents["agents"]]
    there = {entry["agent"] for entry in listed}
    new = [{**_entry(facts.agents.get(code) or KnownAgent(code)), **values} for code in wanted if code not in there]
    held = with_weights(groups, groups["default_group"], staying) if staying else groups
    return held, {**agents, "agents": [*listed, *new]}


def _entry(known: KnownAgent) -> Body:
    return {"agent": known.code, "name": known.name[:64], "team": known.team[:64], "capacity": known.capacity, "receives": True}


def with_group(groups: Body, code: str, change: Callable[[Body], Body]) -> Body:
    """The group of this code as `change` makes it; nothing happens when there is none."""
    return {**groups, "groups": [change(group) if group["code"] == code else group for group in groups["groups"]]}


def with_group_at(groups: Body, place: int, change: Callable[[Body], Body]) -> Body:
    """As `with_group`, by its place: while codes are being typed two groups may have the same."""
    return {**groups, "groups": [change(group) if index == place else group for index, group in enumerate(groups["groups"])]}


def with_weights(groups: Body, code: str, weights: Mapping[str, int | None]) -> Body:
    """Members of a group with new weights; None takes the agent out. New members stand at the end."""
    return with_group(groups, code, lambda group: weighed(group, weights))


def weighed(group: Body, weights: Mapping[str, int | None]) -> Body:
    """As `with_weights`, of one group."""
    left = dict(weights)
    members = []
    for member in group["members"]:
        weight = left.pop(member["agent"], member["weight"])
        if weight is not None:
            members.append(member if weight == member["weight"] else {**member, "weight": weight})
    members += [{"agent": agent, "weight": weight} for agent, weight in left.items() if weight is not None]
    return {**group, "members": members}


def new_group(groups: Body, name: str, fallback: bool = False) -> tuple[Body, str]:
    """A group of that name more, at the end, and its code."""
    codes = {group["code"] for group in groups["groups"]}
    code = "fallback" if fallback else f"group{len(codes) + 1}"
    held = {"code": _free_code(code, codes), "name": _free_name(name, {group["name"] for group in groups["groups"]})}
    made = GROUP.complete({**held, "type": "fallback" if fallback else "ordinary"})
    return {**groups, "groups": [*groups["groups"], made]}, held["code"]


def apart(base: Body, theirs: Body, mine: Body) -> tuple[Body, dict[str, str]]:
    """Mine with another code for each group made there of which the other has made one under the same code, or that shares its code in
    mine; and with another name where theirs has it. What mine says of the group by its code follows. Answers {code: the new one}, too.
    """
    known = {group["code"]: group for group in base["groups"]}
    there = {group["code"]: group for group in theirs["groups"]}
    names = {group["code"]: group["name"] for group in theirs["groups"] if group["code"] not in known}
    codes = {*known, *there, *(group["code"] for group in mine["groups"])}
    originals: dict[str, int] = {}
    for index, group in enumerate(mine["groups"]):
        if group["code"] not in originals or (group["code"] in known and group["name"] == known[group["code"]]["name"]):
            originals[group["code"]] = index
    found, recoded = [], {}
    for index, group in enumerate(mine["groups"]):
        code, twice = group["code"], originals[group["code"]] != index
        if (code not in known and there.get(code, group) != group) or twice:
            fresh = _free_code(code, codes)
            codes.add(fresh)
            if not twice:
                recoded[code] = fresh
            group = {**group, "code": fresh}
        if group["code"] not in known and any(group["name"] == name for other, name in names.items() if other != group["code"]):
            group = {**group, "name": _free_name(group["name"], {*names.values(), *(held["name"] for held in mine["groups"])})}
        found.append(group)
    default = mine["default_group"]
    return {**mine, "groups": found, "default_group": recoded.get(default, default)}, recoded


def _free_code(code: str, taken: Collection[str]) -> str:
    """The code itself, or the next one of its kind that nobody has: group4 for group3."""
    stem = code.rstrip("0123456789")
    number = int(code[len(stem) :] or 1)
    while code in taken:
        number += 1
        code = f"{stem}{number}"
    return code


def _free_name(name: str, taken: Collection[str]) -> str:
    wanted, copy = name, 1
    while name in taken:
        copy += 1
        name = f"{wanted} {copy}"
    return name


def without_group(groups: Body, code: str) -> Body:
    for place in reversed([place for place, group in enumerate(groups["groups"]) if group["code"] == code]):
        groups = without_group_at(groups, place)
    return groups


def without_group_at(groups: Body, place: int) -> Body:
    left = [group for index, group in enumerate(groups["groups"]) if index != place]
    code, default = groups["groups"][place]["code"], groups["default_group"]
    gone = default == code and all(group["code"] != code for group in left)
    return {**groups, "groups": left, "default_group": None if gone else default}


def moved_group(groups: Body, code: str, step: int) -> Body:
    """The group `step` places further down (up when negative), as far as there are places."""
    held = list(groups["groups"])
    place = next(i for i, group in enumerate(held) if group["code"] == code)
    held.insert(max(0, min(len(held) - 1, place + step)), held.pop(place))
    return {**groups, "groups": held}


def adopted(groups: Body, facts: Facts) -> Body:
    """The groups that the events name and the document has not, with the agents who served them as members."""
    codes = {group["code"] for group in groups["groups"]}
    names = {group["name"] for group in groups["groups"]}
    made = []
    for code, name in facts.groups.items():
        title = (name or code)[:30]
        if code not in codes and title not in names:
            names.add(title)
            members = [{"agent": agent, "weight": DEFAULT_WEIGHT} for agent in facts.served.get(code, ())]
            made.append(GROUP.complete({"code": code, "name": title, "members": members}))
    return {**groups, "groups": [*groups["groups"], *made]}


def last_changed(revisions: Sequence[tuple[Body, str, int | None]]) -> dict[str, tuple[str, int | None]]:
    """{group code: (author, at)} of the newest revision in which the group is not as it was before.

    revisions: (body, author, at), the newest first, the last being the one to compare the others with; of a group that is older than
    all of them nothing is said.
    """
    found: dict[str, tuple[str, int | None]] = {}
    for (body, author, at), (before, _, _) in pairwise(revisions):
        earlier = {group["code"]: group for group in before["groups"]}
        for group in body["groups"]:
            if group["code"] not in found and earlier.get(group["code"]) != group:
                found[group["code"]] = author, at
    return found


def _inside(document: Any, key: str) -> Object:
    kind: Object = next(f for f in document.body.fields if f.key == key).kind.of
    return kind


GROUP = _inside(GROUPS, "groups")
AGENT = _inside(AGENTS, "agents")
