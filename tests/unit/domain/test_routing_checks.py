"""Checks of groups and agents while they are edited: what is found, in which place, and that each remedy removes what it is for."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.merging import merged
from app.domain.routing.scopes import AgentPlan, Plan
from app.domain.routing_checks import Check, checks
from app.domain.routing_edits import (
    Facts,
    KnownAgent,
    adopted,
    agent_lines,
    last_changed,
    moved_group,
    new_group,
    with_agents,
    with_weights,
    without_group,
)
from app.domain.routing_settings import AGENTS, GROUPS, overlaps

FACTS = Facts({code: KnownAgent(code, name, "一组", "普通客服", 5) for code, name in (("a", "王敏"), ("b", "李华"), ("c", "赵强"))})


def group(code: str, members: dict[str, int] | None = None, scope: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    held = [{"agent": agent, "weight": weight} for agent, weight in ({"a": 6} if members is None else members).items()]
    return {"code": code, "name": f"组{code}", "members": held, "scope": scope or {}, **more}


def groups_of(*groups: dict[str, Any], default: str | None = None) -> dict[str, Any]:
    return GROUPS.complete({"groups": list(groups), "default_group": default})


def agents_of(**capacities: int | None) -> dict[str, Any]:
    return AGENTS.complete({"agents": [{"agent": code, "capacity": capacity} for code, capacity in capacities.items()]})


EVERYBODY = group("f", {"a": 6, "b": 6, "c": 6}, type="fallback")
NOBODY = agents_of()


def sayings(found: list[Check]) -> list[tuple[str, str, str]]:
    return [(check.level, check.path, check.sentence.zh) for check in found]


def cured(check: Check, groups: dict[str, Any], agents: dict[str, Any], facts: Facts = FACTS) -> list[str]:
    """What is still said after the remedy."""
    assert check.remedy is not None
    return [left.sentence.zh for left in checks(*check.remedy.change(groups, agents), facts)]


def test_nothing_is_said_of_a_store_in_order() -> None:
    assert checks(groups_of(group("g", scope={"skus": ["s"]}), EVERYBODY), NOBODY, FACTS) == []
    assert checks(GROUPS.default(), AGENTS.default(), Facts()) == []
    assert checks(groups_of(group("only", {"a": 6, "b": 6, "c": 6})), NOBODY, FACTS) == []


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Facts, str, str, str]] = {
    "weights": (groups_of(group("g", {"a": 0}, {"skus": ["s"]}), EVERYBODY), NOBODY, FACTS, "warn", "groups[0].members", "权重全为 0"),
    "capacity": (groups_of(group("g", {"a": 6, "b": 0}, {"skus": ["s"]}), EVERYBODY), agents_of(a=0), FACTS, "warn", "groups[0].members",
                 "最大接待量全为 0"),
    "receives": (
        groups_of(group("g", {"a": 6}, {"skus": ["s"]}), EVERYBODY),
        AGENTS.complete({"agents": [{"agent": "a", "receives": False}]}), FACTS, "warn", "groups[0].members", "都未开启接待",
    ),
    "closed": (groups_of(group("g", None, {"skus": ["s"]}, open=False), EVERYBODY), NOBODY,
               Facts(FACTS.agents, sessions={"g": 12}), "warn", "groups[0].open", "12 个会话"),
    "no fallback": (groups_of(group("g", None, {"skus": ["s"]}), group("h", {"b": 6, "c": 6}, {"skus": ["t"]})), NOBODY, FACTS, "warn",
                    "groups", "没有兜底咨询组"),
    "unknown": (groups_of(group("g", {"a": 6, "x": 6}, {"skus": ["s"]}), EVERYBODY), NOBODY, FACTS, "warn", "groups[0].members", "x"),
    "outside": (groups_of(group("g", {"a": 6, "b": 1}), default="g"), agents_of(c=5), FACTS, "info", "groups", "赵强"),
    "designated": (groups_of(group("g", {"a": 6, "b": 6, "c": 6})), AGENTS.complete({"agents": [{"agent": "c", "receives": False}]}),
                   Facts(FACTS.agents, designated=("c",)), "warn", "agents", "赵强"),
    "overlap": (
        groups_of(group("g", None, {"skus": ["s", "t"]}), group("h", None, {"skus": ["t", "u"]}), EVERYBODY), NOBODY, FACTS,
        "alarm", "groups[1].scope.skus", "组g」与「组h」的服务范围重叠：t",
    ),
    "regions": (
        groups_of(group("g", None, {"regions": ["港澳", "上海"]}), group("h", None, {"regions": ["香港", "江苏"]}), EVERYBODY), NOBODY,
        FACTS, "alarm", "groups[1].scope.regions", "香港",
    ),
    "unseen": (groups_of(group("g", {"a": 6}, {"skus": ["s", "10007", "连衣裙"]}), EVERYBODY), NOBODY,
               Facts(FACTS.agents, skus={"s": "鞋"}), "warn", "groups[0].scope.skus", "2 个商品编号在本店从未出现：10007、连衣裙"),
    "closed fallback": (groups_of({**EVERYBODY, "open": False}), NOBODY, FACTS, "alarm", "groups[0].open", "不能关闭"),
    "default": (groups_of(EVERYBODY, default="gone"), NOBODY, FACTS, "alarm", "default_group", "gone"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_is_told_once_in_its_place_and_its_remedy_cures_it(case: str) -> None:
    groups, agents, facts, level, path, words = CASES[case]
    (found,) = checks(groups, agents, facts)
    assert (found.level, found.path) == (level, path)
    assert words in found.sentence.zh
    assert found.sentence.en
    assert not [said for said in cured(found, groups, agents, facts) if words in said]


def test_a_scope_is_not_emptied_by_a_remedy() -> None:
    body = groups_of(group("g", {"a": 6}, {"skus": ["10007"]}), EVERYBODY)
    (found,) = checks(body, NOBODY, Facts(FACTS.agents, skus={"s": ""}))
    assert (found.remedy, found.place, found.part, found.field) == (None, 0, "scope", "skus")
    assert checks(body, NOBODY, FACTS) == []  # a store that has seen none yet says nothing


def test_each_knows_the_field_it_is_put_right_in() -> None:
    empty = groups_of(group("g", {"a": 6}), EVERYBODY)
    twice = groups_of(group("g", {"a": 6}, {"skus": ["s"]}), {**group("g", {"a": 6}, {"skus": ["t"]}), "name": "另一组"}, EVERYBODY)
    for body, place, part, field in ((empty, 0, "scope", ""), (twice, 1, "basics", "code")):
        (found,) = checks(body, NOBODY, FACTS)
        assert (found.place, found.part, found.field) == (place, part, field)
    assert "已被「组g」使用" in found.sentence.zh
    assert "groups[" not in found.sentence.zh + found.sentence.en


def test_accounts_that_no_document_names_are_in_the_default_group() -> None:
    body = groups_of(group("g", {"a": 6}), default="g")
    assert checks(body, NOBODY, FACTS) == []
    assert [line.code for line in agent_lines(body, agents_of(b=5), FACTS) if line.newcomer] == ["c"]
    assert not any(line.newcomer for line in agent_lines(groups_of(group("g")), NOBODY, FACTS))


def test_leave_messages_for_agents_who_are_not_there() -> None:
    everybody = groups_of(group("g", {"a": 6, "b": 6, "c": 6}))
    assert checks(everybody, NOBODY, Facts(FACTS.agents, designated=("a",))) == []
    (found,) = checks(everybody, NOBODY, Facts(FACTS.agents, designated=("a", "gone")))
    assert (found.level, found.remedy) == ("warn", None)
    assert "gone" in found.sentence.zh


def test_what_only_a_person_can_decide_has_no_remedy_but_a_place() -> None:
    for body, part in (
        (groups_of(group("g", {}, {"skus": ["s"]}), EVERYBODY), "members"),
        (groups_of(group("g"), EVERYBODY), "scope"),
        (groups_of(group("g", None, {"skus": ["s"]}), group("h", None, {"skus": ["s"]}), EVERYBODY), "scope"),
    ):
        (found,) = checks(body, NOBODY, FACTS)
        assert found.remedy is None
        assert found.part == part
        assert found.group in ("g", "h")


_UNIVERSE = {
    "customer_tags": ("PLUS", "投诉"), "skus": ("s", "t"), "order_state": ("none", "placed"), "pages": ("item", "shop"),
    "regions": ("上海", "香港", "澳门"),
}  # fmt: skip


@st.composite
def scopes(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for dimension, values in (_UNIVERSE | {"regions": ("上海", "香港", "澳门", "港澳")}).items():
        if draw(st.booleans()):
            one = st.sampled_from(values)
            found[dimension] = draw(one if dimension == "order_state" else st.lists(one, min_size=1, max_size=3, unique=True))
    return found


@given(st.lists(scopes(), min_size=2, max_size=4))
def test_groups_overlap_when_somebody_is_taken_by_both_by_the_same_conditions_and_it_is_told_once(drawn: list[dict[str, Any]]) -> None:
    """Somebody with one tag; of values that differ from all of these nothing else would come."""
    body = groups_of(*(group(str(n), {"a": 6, "b": 6, "c": 6}, scope) for n, scope in enumerate(drawn)))

    def takes(scope: dict[str, Any], customer: dict[str, str]) -> bool:
        wanted = {d: [held] if isinstance(held, str) else [*held, *["香港", "澳门"] * ("港澳" in held)] for d, held in scope.items()}
        return all(customer[d] in values for d, values in wanted.items())

    customers = [dict(zip(_UNIVERSE, values, strict=True)) for values in product(*_UNIVERSE.values())]
    expected = [
        (first, second)
        for second, first in product(range(len(drawn)), repeat=2)
        if first < second and drawn[first] and drawn[first].keys() == drawn[second].keys()
        and any(takes(drawn[first], customer) and takes(drawn[second], customer) for customer in customers)
    ]  # fmt: skip
    assert [(found.first, found.second) for found in overlaps(body["groups"])] == expected
    assert bool(GROUPS.validate(body)) == bool(expected)
    told = [check for check in checks(body, NOBODY, FACTS) if check.level == "alarm"]
    assert [check.sentence.zh.split("：")[0] for check in told] == [
        f"「组{first}」与「组{second}」的服务范围重叠" for first, second in expected
    ]


def test_what_else_is_wrong_with_a_scope_that_overlaps_is_told_beside_it() -> None:
    body = groups_of(group("g", None, {"skus": ["s"]}), group("h", None, {"skus": ["s", "t", "t"]}), EVERYBODY)
    assert [(check.path, check.remedy is not None) for check in checks(body, NOBODY, FACTS)] == [
        ("groups[1].scope.skus[2]", False), ("groups[1].scope.skus", True),
    ]  # fmt: skip


def test_an_emptied_list_would_widen_the_scope_so_it_is_left_to_the_person() -> None:
    body = groups_of(group("g", None, {"regions": ["上海"]}), group("h", None, {"regions": ["上海"]}), EVERYBODY)
    (found,) = checks(body, NOBODY, FACTS)
    assert found.remedy is None


def test_a_broken_body_is_told_with_the_name_of_its_place() -> None:
    body = groups_of(group("g"))
    body["groups"][0]["members"][0]["weight"] = 11
    (found,) = checks(body, NOBODY, FACTS)
    assert found.level == "alarm"
    assert found.sentence.zh.startswith("「组g」：")
    (found,) = checks(groups_of(group("g")), {"agents": [{"agent": "a", "name": "王敏", "capacity": 1000}]}, FACTS)
    assert found.sentence.zh.startswith("客服 王敏：")


def test_many_are_counted_not_listed() -> None:
    facts = Facts({f"n{i}": KnownAgent(f"n{i}") for i in range(9)})
    (found,) = checks(groups_of(group("g", {"n0": 6})), NOBODY, facts)
    assert found.sentence.zh == "8 名客服不在任何咨询组：n1、n2、n3 等"


def test_the_gravest_first() -> None:
    body = groups_of(group("g", {}), {**EVERYBODY, "open": False, "members": []})
    assert [check.level for check in checks(body, NOBODY, FACTS)] == ["alarm", "alarm", "warn", "warn", "info"]


class TestEdits:
    def test_an_agent_new_to_the_document_starts_from_what_the_events_tell(self) -> None:
        groups = groups_of(group("g", {"a": 6}))
        same, body = with_agents(groups, agents_of(b=3), ["a", "b"], FACTS, receives=False)
        assert same == groups
        assert body["agents"] == [
            {"agent": "b", "name": "", "team": "", "capacity": 3, "receives": False},
            {"agent": "a", "name": "王敏", "team": "一组", "capacity": 5, "receives": False},
        ]

    def test_who_is_in_the_default_group_by_default_stays_in_it(self) -> None:
        groups = groups_of(group("g", {"a": 2}), group("h", {}), default="g")
        before = Plan.of(groups, agents_of(b=3), known=[AgentPlan(code, code) for code in FACTS.agents])
        edited = with_agents(groups, agents_of(b=3), ["a", "b", "c"], FACTS, capacity=9)
        after = Plan.of(*edited)
        assert before.groups["g"].weights == after.groups["g"].weights == {"a": 2, "c": 6}
        assert not after.groups["h"].weights

    def test_lines_are_of_everybody(self) -> None:
        lines = agent_lines(groups_of(group("g", {"x": 2, "a": 6})), agents_of(b=3), FACTS)
        assert [(line.code, line.name, line.capacity, dict(line.weights), line.listed) for line in lines] == [
            ("a", "王敏", 5, {"g": 6}, False), ("b", "李华", 3, {}, True), ("c", "赵强", 5, {}, False), ("x", "", None, {"g": 2}, False),
        ]  # fmt: skip

    def test_weights_are_set_added_and_taken_out(self) -> None:
        before = groups_of(group("g", {"a": 6, "b": 2}), group("h", {"a": 1}))
        after = with_weights(before, "g", {"a": None, "b": 3, "c": 0})
        assert after["groups"][0]["members"] == [{"agent": "b", "weight": 3}, {"agent": "c", "weight": 0}]
        assert after["groups"][1] is before["groups"][1]
        assert before["groups"][0]["members"][0] == {"agent": "a", "weight": 6}

    def test_groups_come_go_and_move(self) -> None:
        body, first = new_group(groups_of(), "新组")
        body, second = new_group(body, "新组")
        assert [(g["code"], g["name"]) for g in body["groups"]] == [(first, "新组"), (second, "新组 2")]
        assert GROUPS.validate(body) == []
        assert [g["code"] for g in moved_group(body, second, -1)["groups"]] == [second, first]
        assert moved_group(body, first, -5) == body
        assert without_group({**body, "default_group": first}, first)["default_group"] is None

    def test_groups_of_the_events_are_taken_over_once(self) -> None:
        facts = Facts(FACTS.agents, {"g": "售前", "h": "售后", "i": ""}, {"h": 3}, {"h": ["a", "b"]})
        body = adopted(groups_of(group("g")), facts)
        assert [(g["code"], g["name"], len(g["members"])) for g in body["groups"]] == [("g", "组g", 1), ("h", "售后", 2), ("i", "i", 0)]
        assert adopted(body, facts) == body

    def test_who_changed_a_group_last(self) -> None:
        old, new = groups_of(group("g"), group("h")), groups_of(group("g", {"b": 1}), group("h"), group("i"))
        history = [(new, "李", 30), (new, "王", 20), (old, "张", 10), (GROUPS.default(), "", None)]
        assert last_changed(history) == {"g": ("王", 20), "i": ("王", 20), "h": ("张", 10)}


class TestMerging:
    def merge(self, base: dict[str, Any], theirs: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = merged(GROUPS.body, base, theirs, mine)
        assert GROUPS.validate(found) == []
        return found

    def test_members_changed_on_both_sides(self) -> None:
        base = groups_of(group("g", {"a": 6, "b": 6, "c": 6}))
        theirs = groups_of(group("g", {"a": 1, "b": 6, "d": 4}, name="他们的"))
        mine = groups_of(group("g", {"a": 2, "c": 6, "e": 5}))
        (found,) = self.merge(base, theirs, mine)["groups"]
        assert found["name"] == "他们的"
        assert {m["agent"]: m["weight"] for m in found["members"]} == {"a": 2, "d": 4, "e": 5}

    def test_lists_of_texts(self) -> None:
        base, theirs, mine = (groups_of(group("g", None, {"skus": skus})) for skus in (["s", "t"], ["s", "t", "u"], ["t", "v"]))
        assert self.merge(base, theirs, mine)["groups"][0]["scope"]["skus"] == ["t", "u", "v"]

    def test_a_group_they_deleted_stays_away_unless_i_changed_it(self) -> None:
        base, theirs = groups_of(group("g"), group("h")), groups_of(group("h"))
        assert self.merge(base, theirs, groups_of(group("g"), group("h", {"b": 1}))) == groups_of(group("h", {"b": 1}))
        assert [g["code"] for g in self.merge(base, theirs, groups_of(group("g", {"b": 1}), group("h")))["groups"]] == ["h", "g"]

    def test_my_order_holds_where_i_changed_it(self) -> None:
        base = groups_of(group("g"), group("h"))
        theirs, mine = groups_of(group("g"), group("h"), group("i")), groups_of(group("h"), group("g"))
        assert [g["code"] for g in self.merge(base, theirs, mine)["groups"]] == ["h", "g", "i"]
