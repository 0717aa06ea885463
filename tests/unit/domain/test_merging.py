"""Two people's edits of the groups and agents: what is lost of neither, and what has to be asked about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import Body
from app.domain.merging import Met, meet
from app.domain.routing_edits import moved_group, new_group, with_group, with_weights, without_group
from app.domain.routing_settings import AGENTS, GROUPS

BASE: Body = GROUPS.complete(
    {
        "groups": [
            {"code": "pre", "name": "售前", "scope": {"skus": ["sku1"]}, "members": [{"agent": "a1"}, {"agent": "a2"}]},
            {"code": "post", "name": "售后", "scope": {"skus": ["sku2"]}},
            {"code": "all", "name": "兜底", "type": "fallback", "members": [{"agent": "a1"}]},
        ],
        "default_group": "pre",
    }
)


def met(theirs: Body, mine: Body) -> Met:
    return meet(GROUPS, BASE, theirs, mine)


def made(name: str, sku: str, agent: str) -> Body:
    body, code = new_group(BASE, name)
    body = with_group(body, code, lambda group: {**group, "scope": {**group["scope"], "skus": [sku]}})
    return with_weights(body, code, {agent: 3})


def renamed(body: Body, name: str, code: str = "pre") -> Body:
    return with_group(body, code, lambda group: {**group, "name": name})


def contradictions(found: Met) -> list[tuple[str, ...]]:
    return [side.path for side in found.sides if side.contradicts]


def group(body: Body, name: str) -> Body:
    (found,) = [held for held in body["groups"] if held["name"] == name]
    return dict(found)


def test_new_groups_of_both_under_one_code_are_both_kept() -> None:
    theirs, mine = made("乙组", "skuB", "a3"), {**made("甲组", "skuA", "a2"), "default_group": "group4"}
    found = met(theirs, mine)
    assert (group(found.body, "乙组")["code"], group(found.body, "甲组")["code"]) == ("group4", "group5")
    assert group(found.body, "甲组")["members"] == [{"agent": "a2", "weight": 3}]
    assert group(found.body, "乙组")["scope"]["skus"] == ["skuB"]
    assert found.body["default_group"] == "group5"
    assert found.recoded == {"group4": "group5"}
    assert contradictions(found) == []
    assert not GROUPS.validate(found.body, theirs)


def test_new_groups_of_both_under_one_name_are_told_apart() -> None:
    found = met(made("新咨询组", "skuB", "a3"), made("新咨询组", "skuA", "a2"))
    assert [held["name"] for held in found.body["groups"][-2:]] == ["新咨询组", "新咨询组 2"]
    assert not GROUPS.validate(found.body)


def test_the_same_group_taken_over_by_both_is_one() -> None:
    theirs = mine = made("夜班", "skuN", "a2")
    found = met(theirs, renamed(mine, "早班"))
    assert [held["code"] for held in found.body["groups"]] == ["pre", "post", "all", "group4"]
    assert contradictions(found) == []


def test_a_code_typed_twice_loses_no_group() -> None:
    mine = made("甲组", "skuA", "a2")
    twice = with_group(mine, "group4", lambda held: {**held, "code": "pre"})
    found = met(renamed(BASE, "别名", "post"), twice)
    assert {held["name"] for held in found.body["groups"]} == {"售前", "别名", "兜底", "甲组"}
    assert len({held["code"] for held in found.body["groups"]}) == 4


@pytest.mark.parametrize("name", ["售前", "乙名"])
def test_one_weight_set_by_both_contradicts_whatever_the_group_is_called_by_now(name: str) -> None:
    theirs = with_weights(renamed(BASE, name), "pre", {"a1": 1})
    found = met(theirs, with_weights(BASE, "pre", {"a1": 9}))
    assert contradictions(found) == [("groups", "pre", "members", "a1", "weight")]
    assert group(found.body, name)["members"][0] == {"agent": "a1", "weight": 9}


def test_two_names_for_one_group_contradict() -> None:
    found = met(renamed(BASE, "乙名"), renamed(BASE, "甲名"))
    assert [(side.before.zh, side.theirs.zh, side.mine.zh) for side in found.sides] == [("售前", "乙名", "甲名")]  # type: ignore[union-attr]
    assert contradictions(found) == [("groups", "pre", "name")]


def test_what_one_takes_away_and_the_other_edits_contradicts_either_way() -> None:
    edited, gone = renamed(BASE, "新名", "post"), without_group(BASE, "post")
    back, away = met(gone, edited), met(edited, gone)
    assert contradictions(back) == contradictions(away) == [("groups", "post")]
    assert "新名" in back.sides[0].mine.zh  # type: ignore[union-attr]
    assert group(back.body, "新名")
    assert [held["code"] for held in away.body["groups"]] == ["pre", "all"]


def test_what_one_takes_away_and_the_other_leaves_alone_is_gone_and_no_contradiction() -> None:
    found = met(without_group(BASE, "post"), renamed(BASE, "新名"))
    assert [held["code"] for held in found.body["groups"]] == ["pre", "all"]
    assert contradictions(found) == []


def test_members_added_by_both_contradict_only_where_their_weights_differ() -> None:
    theirs, mine = with_weights(BASE, "post", {"a1": 4, "a2": 5}), with_weights(BASE, "post", {"a1": 4, "a2": 8})
    assert contradictions(met(theirs, mine)) == [("groups", "post", "members", "a2", "weight")]


def test_agents_first_listed_by_both_keep_what_each_has_said() -> None:
    base = AGENTS.default()

    def with_one(**values: Any) -> Body:
        return AGENTS.complete({"agents": [{"agent": "a1", "name": "王敏", **values}]})

    found = meet(AGENTS, base, with_one(receives=False), with_one(capacity=7))
    assert found.body["agents"] == [{"agent": "a1", "name": "王敏", "team": "", "capacity": 7, "receives": False}]
    assert contradictions(found) == []


def test_goods_taken_by_both_are_told_as_what_came_and_went() -> None:
    def scoped(*skus: str) -> Body:
        return with_group(BASE, "pre", lambda held: {**held, "scope": {**held["scope"], "skus": list(skus)}})

    found = met(scoped("sku1", "sku8"), scoped("sku9"))
    (side,) = found.sides
    assert (side.theirs.zh, side.mine.zh, side.contradicts) == ("+sku8", "+sku9，−sku1", False)  # type: ignore[union-attr]
    assert group(found.body, "售前")["scope"]["skus"] == ["sku8", "sku9"]


def test_two_orders_contradict_and_one_does_not() -> None:
    theirs, mine = moved_group(BASE, "pre", 1), moved_group(BASE, "all", -2)
    assert len(contradictions(met(theirs, mine))) == 1
    assert [held["code"] for held in met(theirs, mine).body["groups"]] == ["all", "pre", "post"]
    assert contradictions(met(theirs, renamed(BASE, "新名"))) == []
    assert [held["code"] for held in met(theirs, renamed(BASE, "新名")).body["groups"]] == ["post", "pre", "all"]


EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.sampled_from(["甲组", "乙组", "新咨询组"])),
        st.tuples(st.just("gone"), st.sampled_from(["pre", "post"])),
        st.tuples(st.just("name"), st.sampled_from(["pre", "post"])),
        st.tuples(st.just("weigh"), st.sampled_from(["pre", "post", "all"])),
        st.tuples(st.just("up"), st.sampled_from(["post", "all"])),
    ),
    max_size=5,
)


def edited(edits: list[tuple[str, str]], who: str) -> Body:
    body = BASE
    for step, (what, which) in enumerate(edits):
        there = any(held["code"] == which for held in body["groups"])
        if what == "new":
            body, code = new_group(body, which)
            body = with_group(body, code, lambda held: {**held, "prompt": f"{who}{held['code']}"})
        elif there and what == "gone":
            body = without_group(body, which)
        elif there and what == "name":
            body = renamed(body, f"{who}{step}", which)
        elif there and what == "weigh":
            body = with_weights(body, which, {"a1": len(who), f"n{who}": 2})
        elif there and what == "up":
            body = moved_group(body, which, -1)
    return body


@given(EDITS, EDITS)
def test_nothing_new_is_lost_and_codes_and_names_stay_apart(first: list[tuple[str, str]], second: list[tuple[str, str]]) -> None:
    theirs, mine = edited(first, "他"), edited(second, "我们")
    found = met(theirs, mine)
    known = {held["code"] for held in BASE["groups"]}
    wanted = {held["prompt"] for body in (theirs, mine) for held in body["groups"] if held["code"] not in known}
    assert {held["prompt"] for held in found.body["groups"] if held["prompt"]} == wanted
    assert len({held["code"] for held in found.body["groups"]}) == len(found.body["groups"])
    if not contradictions(found):  # whoever comes second, what was there before comes to the same
        turned = meet(GROUPS, BASE, mine, theirs)
        assert contradictions(turned) == []
        there, again = ({held["code"]: held for held in body["groups"] if held["code"] in known} for body in (found.body, turned.body))
        assert there.keys() == again.keys()
        assert {code: held["name"] for code, held in there.items()} == {code: held["name"] for code, held in again.items()}


@given(EDITS)
def test_whoever_is_alone_has_it_their_way(edits: list[tuple[str, str]]) -> None:
    mine = edited(edits, "我")
    assert met(BASE, mine).body == mine
    assert met(mine, BASE).body == mine
