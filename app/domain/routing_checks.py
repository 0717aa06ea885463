"""What may go wrong with groups and agents as they are being edited: each with a sentence, and a remedy where one is possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from app.domain.documents import Body
from app.domain.kinds import Fault, fill, joined, same
from app.domain.language import T
from app.domain.routing_edits import AgentLine, Facts, agent_lines, new_group, with_agents, with_group, with_weights
from app.domain.routing_settings import AGENTS, DEFAULT_WEIGHT, GROUPS, Overlap, claimed, overlap_faults, overlaps, value_words

Level = Literal["alarm", "warn", "info"]
Part = Literal["basics", "scope", "routing", "members"]
_NAMED = 3
"""Agents that a sentence names."""
_ORDER: dict[Level, int] = {"alarm": 0, "warn": 1, "info": 2}
_GROUP_PATH = re.compile(r"groups\[(\d+)\]\.?(\w*)")
_FIELD_PATH = re.compile(r"groups\[\d+\]\.(?:scope\.)?(?!scope$)(\w+)")
_AGENT_PATH = re.compile(r"agents\[(\d+)\]")
_PARTS: dict[str, Part] = {"scope": "scope", "overflow": "routing", "prompt": "routing", "offline_prompt": "routing", "members": "members"}


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out: `change` answers new bodies of groups and agents."""

    label: T
    change: Callable[[Body, Body], tuple[Body, Body]]


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at. An alarm cannot be saved. path: in the document; group and part: where it is put right by hand."""

    level: Level
    sentence: T
    path: str
    remedy: Remedy | None = None
    group: str = ""
    part: Part = "basics"

    @property
    def place(self) -> int | None:
        """Of the group in the document."""
        found = _GROUP_PATH.match(self.path)
        return None if found is None else int(found[1])

    @property
    def field(self) -> str:
        """Of the group or its scope, "" where it is none of its own."""
        found = _FIELD_PATH.match(self.path)
        return "" if found is None else found[1]


def checks(groups: Body, agents: Body, facts: Facts, faults: Iterable[Fault] | None = None) -> list[Check]:
    """Of two bodies that may be wrong; the gravest first. faults: what validating them found, where that is known."""
    faults = list(dict.fromkeys([*GROUPS.validate(groups), *AGENTS.validate(agents)] if faults is None else faults))
    whole = all(_of_scopes(fault) for fault in faults)
    shared = list(overlaps(groups["groups"])) if whole and faults else []
    told = {fault for overlap in shared for fault in overlap_faults(groups["groups"], overlap)}
    found = [_fault(groups, agents, fault) for fault in faults if fault not in told]
    found += [_overlap(groups["groups"], overlap) for overlap in shared]
    if whole:
        lines = {line.code: line for line in agent_lines(groups, agents, facts)}
        found += _of_the_store(groups, facts, lines)
        for index, group in enumerate(groups["groups"]):
            found += _of_a_group(index, group, facts, lines, _has_fallback(groups))
    return sorted(found, key=lambda check: _ORDER[check.level])


def _of_scopes(fault: Fault) -> bool:
    """Whether the body is whole all the same: only its groups do not fit together."""
    return bool(re.match(r"groups\[\d+\]\.(scope|open$)", fault.path)) or fault.path == "default_group"


def _fault(groups: Body, agents: Body, fault: Fault) -> Check:
    """A fault of validation, its place in words."""
    found = _GROUP_PATH.match(fault.path)
    if found is not None and int(found[1]) < len(groups["groups"]):
        group = groups["groups"][int(found[1])]
        remedy = None
        if found[2] == "open":
            remedy = Remedy(T("开放入口", "Open the entry"), partial(_set_in_group, group["code"], {"open": True}))
        sentence = fill(T("「{0}」：{1}", "{0}: {1}"), group["name"] or group["code"], fault.words)
        return Check("alarm", sentence, fault.path, remedy, group["code"], _PARTS.get(found[2], "basics"))
    found = _AGENT_PATH.match(fault.path)
    if found is not None and int(found[1]) < len(agents["agents"]):
        agent = agents["agents"][int(found[1])]
        return Check("alarm", fill(T("客服 {0}：{1}", "Agent {0}: {1}"), agent["name"] or agent["agent"], fault.words), fault.path)
    if fault.path == "default_group":
        remedy = Remedy(T("不设默认组", "No default group"), lambda held, others: ({**held, "default_group": None}, others))
        return Check("alarm", fill(T("默认咨询组：{0}", "Default group: {0}"), fault.words), fault.path, remedy)
    return Check("alarm", fault.words, fault.path)


def _overlap(groups: Sequence[Body], found: Overlap) -> Check:
    """All that two groups share in one sentence; the remedy takes it from the later one."""
    other, group, leading, shared = groups[found.first], groups[found.second], found.leading, found.shared[found.leading]
    words = joined(value_words(leading, value) for value in sorted(shared)[:_NAMED])
    if len(shared) > _NAMED:
        words = fill(T("{0} 等 {1} 项", "{0} and others, {1} in all"), words, len(shared))
    what = T("「{0}」与「{1}」的服务范围重叠：{2}", "{0} and {1} overlap: {2}")
    remedy = None
    if leading != "order_state":
        left = [value for value in group["scope"][leading] if not claimed({leading: [value]}, leading) & shared]
        if left:  # without any the scope would be another one, and take more than before
            scope = {**group["scope"], leading: left}
            label = fill(T("从「{0}」去掉", "Take out of {0}"), group["name"])
            remedy = Remedy(label, partial(_set_in_group, group["code"], {"scope": scope}))
    sentence = fill(what, other["name"], group["name"], words)
    return Check("alarm", sentence, f"groups[{found.second}].scope.{leading}", remedy, group["code"], "scope")


def _has_fallback(groups: Body) -> bool:
    return any(group["type"] == "fallback" for group in groups["groups"])


def _of_the_store(groups: Body, facts: Facts, lines: dict[str, AgentLine]) -> Iterator[Check]:
    held = groups["groups"]
    if len(held) > 1 and not _has_fallback(groups):
        what = T("没有兜底咨询组：不属于任何组的客户无人接待", "No fallback group: customers who belong to no group are served by nobody")
        yield Check("warn", what, "groups", Remedy(T("新建兜底咨询组", "Add a fallback group"), _add_fallback))
    outside = [line for line in lines.values() if not line.weights and line.receives and not line.newcomer]
    if held and outside:
        what = T("{0} 名客服不在任何咨询组：{1}", "{0} agents are in no group: {1}")
        target = next((group for group in held if group["code"] == groups["default_group"]), None)
        remedy = None
        if target is not None:
            weights = {line.code: DEFAULT_WEIGHT for line in outside}
            change = partial(_set_weights, target["code"], weights)
            remedy = Remedy(fill(T("加入「{0}」", "Add to {0}"), target["name"]), change)
        yield Check("info", fill(what, len(outside), _named(line.label for line in outside)), "groups", remedy)
    absent = [code for code in facts.designated if code not in lines]
    if absent:
        what = T(
            "留言指定分配的 {0} 名客服不是本店客服：{1}", "{0} of the agents chosen for leave messages are not known to the store: {1}"
        )
        yield Check("warn", fill(what, len(absent), _named(absent)), "agents")
    designated = [lines[code] for code in facts.designated if code in lines]
    if designated and not any(line.receives for line in designated):
        what = T("留言指定分配的客服都未开启接待：{0}", "None of the agents chosen for leave messages receives: {0}")
        change = partial(_set_agents, [line.code for line in designated], facts, {"receives": True})
        yield Check(
            "warn", fill(what, _named(line.label for line in designated)), "agents", Remedy(T("全部开启", "Let all receive"), change)
        )


def _of_a_group(index: int, group: Body, facts: Facts, lines: dict[str, AgentLine], fallback: bool) -> Iterator[Check]:
    path, code, name = f"groups[{index}]", group["code"], group["name"]
    members = [(lines[member["agent"]], member["weight"]) for member in group["members"]]
    opened = facts.sessions.get(code, 0)
    if not group["open"] and opened:
        then = T("去兜底咨询组", "go to the fallback group") if fallback else T("无人接待", "are served by nobody")
        what = T("「{0}」入口已关闭，近7天有 {1} 个会话进入；这样的会话{2}",
                 "{0} is closed, yet {1} sessions came in the last 7 days; such sessions {2}")  # fmt: skip
        remedy = Remedy(T("开放入口", "Open the entry"), partial(_set_in_group, code, {"open": True}))
        yield Check("warn", fill(what, name, opened, then), f"{path}.open", remedy, code)
    yield from _unseen(path, group, facts)
    if not members:
        yield Check("warn", fill(T("「{0}」没有成员", "{0} has no members"), name), f"{path}.members", None, code, "members")
        return
    unknown = [line.code for line, _ in members if not line.listed and line.code not in facts.agents]
    if unknown:
        what = T("「{0}」的 {1} 名成员不是本店客服：{2}", "{1} members of {0} are not known to the store: {2}")
        remedy = Remedy(T("移出", "Take out"), partial(_set_weights, code, dict.fromkeys(unknown)))
        yield Check("warn", fill(what, name, len(unknown), _named(unknown)), f"{path}.members", remedy, code, "members")
    if all(weight == 0 for _, weight in members):
        what = T("「{0}」的权重全为 0，只接转接", "All weights of {0} are 0: it gets transfers only")
        change = partial(_set_weights, code, {line.code: DEFAULT_WEIGHT for line, _ in members})
        remedy = Remedy(fill(T("全部设为 {0}", "Set all to {0}"), DEFAULT_WEIGHT), change)
        yield Check("warn", fill(what, name), f"{path}.members", remedy, code, "members")
        return
    weighed = [line for line, weight in members if weight]
    if not any(line.receives for line in weighed):
        what = T("「{0}」的成员都未开启接待", "No member of {0} receives sessions")
        remedy = Remedy(T("全部开启", "Let all receive"), partial(_set_agents, [line.code for line in weighed], facts, {"receives": True}))
        yield Check("warn", fill(what, name), f"{path}.members", remedy, code, "members")
    elif all(line.capacity == 0 for line in weighed if line.receives):
        what = T("「{0}」的成员最大接待量全为 0，只接转接", "All members of {0} have capacity 0: it gets transfers only")
        full = [line.code for line in weighed if line.receives]
        remedy = Remedy(T("改为不限", "Make it unlimited"), partial(_set_agents, full, facts, {"capacity": None}))
        yield Check("warn", fill(what, name), f"{path}.members", remedy, code, "members")


def _unseen(path: str, group: Body, facts: Facts) -> Iterator[Check]:
    """SKUs that no event of the store has named: mistyped, names instead of codes, or items nobody has asked about yet."""
    held = group["scope"]["skus"]
    unseen = [sku for sku in held if sku not in facts.skus] if facts.skus else []
    if not unseen:
        return
    what = T("「{0}」的 {1} 个商品编号在本店从未出现：{2}", "{0} asks for SKUs never seen in this store: {2}")
    remedy = None
    if len(unseen) < len(held):  # without any the scope would be another one, and take more than before
        scope = {**group["scope"], "skus": [sku for sku in held if sku in facts.skus]}
        remedy = Remedy(T("去掉", "Take them out"), partial(_set_in_group, group["code"], {"scope": scope}))
    yield Check("warn", fill(what, group["name"], len(unseen), _named(unseen)), f"{path}.scope.skus", remedy, group["code"], "scope")


def _named(names: Iterable[str]) -> T:
    held = list(names)
    shown = joined(same(name) for name in held[:_NAMED])
    return fill(T("{0} 等", "{0} …"), shown) if len(held) > _NAMED else shown


# -- remedies --


def _set_in_group(code: str, values: dict[str, Any], groups: Body, agents: Body) -> tuple[Body, Body]:
    return with_group(groups, code, lambda group: {**group, **values}), agents


def _set_weights(code: str, weights: Mapping[str, int | None], groups: Body, agents: Body) -> tuple[Body, Body]:
    return with_weights(groups, code, weights), agents


def _set_agents(codes: Sequence[str], facts: Facts, values: dict[str, Any], groups: Body, agents: Body) -> tuple[Body, Body]:
    return with_agents(groups, agents, codes, facts, **values)


def _add_fallback(groups: Body, agents: Body) -> tuple[Body, Body]:
    """Everybody who is in a group today takes part in it."""
    everybody = dict.fromkeys(member["agent"] for group in groups["groups"] for member in group["members"])
    body, code = new_group(groups, str(T("兜底咨询组", "Fallback")), fallback=True)
    return with_weights(body, code, dict.fromkeys(everybody, DEFAULT_WEIGHT)), agents
