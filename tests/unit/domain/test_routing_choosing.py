"""Whose turn it is, and which group a session belongs to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from app.domain.routing.choosing import Candidate, Ranking, Rotation
from app.domain.routing.scopes import NewSession
from tests.unit.domain.routing_desk import Desk, group, plan


class TestTurns:
    def sequence(self, weights: dict[str, int], number: int) -> str:
        rotation = Rotation()
        for code, weight in weights.items():
            rotation.put(rotation.join(Candidate(code), weight))
        return " ".join(rotation.take() for _ in range(number))

    @pytest.mark.parametrize(
        ("weights", "sequence"),
        [
            ({"a": 5, "b": 1, "c": 1}, "a a b a c a a"),
            ({"a": 1, "b": 1, "c": 1}, "a b c a b c"),
            ({"a": 4, "b": 2, "c": 1}, "a b a c a b a"),
            ({"a": 3, "b": 1}, "a a b a"),
            ({"a": 10}, "a a a"),
        ],
    )
    def test_published_sequences(self, weights: dict[str, int], sequence: str) -> None:
        number = len(sequence.split())
        assert self.sequence(weights, 2 * number) == f"{sequence} {sequence}"

    def test_the_same_through_the_router(self) -> None:
        assert Desk(plan(group("g", {"a": 5, "b": 1, "c": 1})), "abc").given(14) == "a a b a c a a a a b a c a a"

    def test_shares_follow_the_weights(self) -> None:
        weights = {f"w{n}": 1 + n % 10 for n in range(40)}
        desk = Desk(plan(group("g", weights)))
        for agent in weights:
            desk.router.presence(agent, "available", 0)
        got = Counter(desk.opens().agent for _ in range(10_000))
        for agent, weight in weights.items():
            fair = 10_000 * weight / sum(weights.values())
            assert abs(got[agent] - fair) <= max(1, fair / 100)

    def test_who_comes_back_keeps_what_they_were_owed(self) -> None:
        rotation = Rotation()
        a, b = (rotation.join(Candidate(code), 1) for code in "ab")
        rotation.put(a)
        rotation.put(b)
        assert rotation.take() == "a"
        rotation.drop(a)
        assert rotation.credits() == {"a": -1, "b": 1}
        rotation.drop(b)
        rotation.put(a)
        rotation.put(b)
        assert rotation.take() == "b"

    def test_ties(self) -> None:
        rotation = Rotation()
        for code, active, since in (("a", 1, 0), ("b", 0, 9), ("c", 0, 5), ("d", 0, 5)):
            candidate = Candidate(code)
            candidate.active, candidate.since = active, since
            rotation.put(rotation.join(candidate, 6))
        order = []
        while rotation.number:
            order.append(rotation.take())
            rotation.drop(rotation.turns[order[-1]])
        assert order == ["c", "d", "b", "a"]

    def test_a_rotation_does_not_grow_with_its_changes(self) -> None:
        rotation = Rotation()
        candidates = [Candidate(code) for code in "ab"]
        for candidate in candidates:
            rotation.put(rotation.join(candidate, 1))
        for n in range(10_000):
            for candidate in candidates:
                candidate.active, candidate.since = 10_000 - n, n
                candidate.changed()
        assert len(candidates[0].turns[0].peers._heap) < 100
        assert rotation.take() == "a"

    def test_a_ranking_does_not_grow_with_its_changes(self) -> None:
        ranking = Ranking()
        for n in range(10_000):
            ranking.put((n, "a"))
            ranking.put((-n, "b"))
        assert ranking.first() == (-9_999, "b")
        assert len(ranking._heap) < 100
        ranking.drop("b")
        assert [entry[-1] for entry in ranking] == ["a"]


SCOPED = (
    group("tag", scope={"customer_tags": ["PLUS", "complaint"]}),
    group("sku", scope={"skus": ["1", "2"]}),
    group("ordered", scope={"order_state": "placed"}),
    group("page", scope={"pages": ["item", "shop"]}),
    group("region", scope={"regions": ["上海", "港澳"]}),
    group("elsewhere", scope={"regions": ["其他", "海外"]}),
    group("both", scope={"pages": ["item"], "regions": ["上海"]}),
    group("shut", scope={"skus": ["9"]}, open=False),
    group("rest", type="fallback"),
)


class TestScopes:
    @pytest.mark.parametrize(
        ("about", "to", "by"),
        [
            ({"tags": ("PLUS",), "sku": "1", "page": "item", "order_state": "placed"}, "tag", "customer_tags"),
            ({"tags": ("new", "complaint")}, "tag", "customer_tags"),
            ({"tags": ("new",), "sku": "2", "page": "item", "order_state": "placed"}, "sku", "skus"),
            ({"sku": "3", "page": "item", "order_state": "placed", "region": "上海"}, "ordered", "order_state"),
            ({"page": "item", "order_state": "none"}, "page", "pages"),
            ({"page": "shop", "region": "上海"}, "page", "pages"),
            ({"page": "item", "region": "上海"}, "both", "pages"),
            ({"page": "item", "region": "上海市"}, "both", "pages"),
            ({"page": "order", "region": "上海"}, "region", "regions"),
            ({"region": "香港特别行政区"}, "region", "regions"),
            ({"region": "港澳"}, "region", "regions"),
            ({"region": "海外"}, "elsewhere", "regions"),
            ({}, "elsewhere", "regions"),
            ({"region": "北京", "page": "order"}, "rest", "fallback"),
            ({"sku": "9", "page": "item"}, "rest", "fallback"),
        ],
    )
    def test_the_more_specific_wins(self, about: dict[str, Any], to: str, by: str) -> None:
        matched = plan(*SCOPED).match(NewSession("s", "c", **about))
        assert (matched.group, matched.by) == (to, by)

    def test_all_that_is_set_must_hold(self) -> None:
        held = plan(group("g", scope={"pages": ["item"], "order_state": "none", "regions": ["上海"]}), group("rest", type="fallback"))
        whole = {"page": "item", "order_state": "none", "region": "上海"}
        assert held.match(NewSession("s", "c", **whole)).group == "g"
        for missing in whole:
            assert held.match(NewSession("s", "c", **{**whole, missing: ""})).group == "rest"

    def test_a_single_ordinary_group_takes_everybody(self) -> None:
        matched = plan(group("g", scope={"pages": ["item"]})).match(NewSession("s", "c", page="order"))
        assert (matched.group, matched.by) == ("g", "only")

    def test_without_a_fallback_the_first_open_group_takes_who_is_left(self) -> None:
        held = plan(group("shut", open=False), group("g", scope={"pages": ["item"]}), group("h", scope={"pages": ["shop"]}))
        assert held.match(NewSession("s", "c", page="item")).group == "g"
        matched = plan(*(group(c, scope={"pages": [c]}) for c in ("item", "shop"))).match(NewSession("s", "c", page="order"))
        assert (matched.group, matched.by) == ("item", "nothing")

    def test_a_group_without_a_scope_takes_who_is_left(self) -> None:
        held = plan(group("all"), group("g", scope={"regions": ["上海"]}))
        assert held.match(NewSession("s", "c", region="上海")).group == "g"
        assert held.match(NewSession("s", "c", region="北京")) == ("all", "everybody", (("everybody", "all"),))

    @pytest.mark.parametrize("groups", [(), (group("g", open=False),), (group("g", open=False), group("h", open=False))])
    def test_no_group_is_open(self, groups: tuple[dict[str, Any], ...]) -> None:
        matched = plan(*groups).match(NewSession("s", "c"))
        assert (matched.group, matched.by) == ("", "nothing")
