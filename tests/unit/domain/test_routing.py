"""Routing: whom a session goes to by the rules, case by case, and what is said about why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.routing.reasons import SENTENCES, words
from app.domain.routing.router import NotPossibleError, Router
from app.domain.routing.scopes import NewSession, Plan
from tests.unit.domain.routing_desk import HOUR, NAMES, Desk, group, plan, said


class TestWhoMayTakeIt:
    @pytest.mark.parametrize(("state", "takes"), [("available", True), ("away", True), ("suspended", False), ("offline", False)])
    def test_presence(self, state: Any, takes: bool) -> None:
        desk = Desk(plan(group("g", {"a": 6})), "b")
        desk.router.presence("a", state, 0)
        assert desk.given(1) == ("a" if takes else "-")

    def test_at_the_cap_the_others_take_over_and_then_they_wait(self) -> None:
        desk = Desk(plan(group("g", {"a": 6, "b": 1}), caps={"a": 2, "b": 1}), "ab")
        assert desk.given(5) == "a a b - -"
        assert [d.session for d in desk.router.closed("s1", 9)] == ["s4"]

    def test_without_a_cap_there_is_no_end(self) -> None:
        assert set(Desk(plan(group("g", {"a": 6})), "a").given(1_200).split()) == {"a"}

    @pytest.mark.parametrize(
        "held",
        [plan(group("g", {"a": 0, "b": 1}), caps={"b": 1}), plan(group("g", {"a": 6, "b": 1}), caps={"a": 0, "b": 1})],
        ids=["weight", "cap"],
    )
    def test_0_means_transfers_only(self, held: Plan) -> None:
        desk = Desk(held, "ab")
        assert desk.given(2) == "b -"
        assert desk.opens().reasons[-2] == ("left_out", "full", 1, ("b",))
        (moved,) = [d for d in desk.router.move("s1", "a", 5) if d.session == "s1"]
        assert (moved.agent, moved.reason) == ("a", "manual")

    def test_who_does_not_receive_is_no_help(self) -> None:
        desk = Desk(plan(group("g", {"a": 6}), off="a"), "a")
        assert desk.opens().outcome == "leave"
        with pytest.raises(NotPossibleError):
            desk.router.move("s1", "a", 0)

    def test_the_cap_holds_over_all_groups(self) -> None:
        held = plan(group("g", {"a": 6}, scope={"pages": ["item"]}), group("h", {"a": 6}, scope={"pages": ["shop"]}), caps={"a": 1})
        desk = Desk(held, "a")
        assert desk.given(1, page="item") + desk.given(1, page="shop") == "a-"
        assert [(d.session, d.group) for d in desk.router.closed("s1", 1)] == [("s2", "h")]


class TestReturning:
    def desk(self, **caps: int) -> Desk:
        desk = Desk(plan(group("g", {"a": 10, "b": 1, "c": 1}), caps=dict(caps)), "bc")
        assert desk.opens("x").agent == "b"
        desk.router.closed("s1", HOUR)
        desk.router.presence("a", "available", HOUR)
        return desk

    @pytest.mark.parametrize(("later", "agent"), [(48 * HOUR, "b"), (48 * HOUR + 1, "a")])
    def test_within_48_hours(self, later: int, agent: str) -> None:
        again = self.desk().opens("x", HOUR + later)
        assert (again.agent, again.reason) == (agent, "returning" if agent == "b" else "routed")

    def test_it_is_nobodys_turn(self) -> None:
        desk = self.desk()
        before = desk.router._groups["g"].rotation.credits()
        assert desk.opens("x", 2 * HOUR).reason == "returning"
        assert desk.router._groups["g"].rotation.credits() == before

    @pytest.mark.parametrize("state", ["suspended", "offline"])
    def test_not_to_who_may_not_take_it(self, state: Any) -> None:
        desk = self.desk()
        desk.router.presence("b", state, 2 * HOUR)
        again = desk.opens("x", 2 * HOUR)
        assert (again.agent, again.reason) == ("a", "routed")
        assert ("not_returning", "b", state) in again.reasons

    def test_not_to_who_is_full(self) -> None:
        desk = self.desk(b=1)
        desk.router.presence("a", "offline", HOUR)
        desk.router.presence("c", "offline", HOUR)
        assert desk.opens("y", HOUR).agent == "b"
        desk.router.presence("a", "available", HOUR)
        again = desk.opens("x", 2 * HOUR)
        assert again.agent == "a"
        assert ("not_returning", "b", "full") in again.reasons

    def test_not_in_another_group(self) -> None:
        shop, item = group("shop", {"a": 1, "b": 10}, scope={"pages": ["shop"]}), group("item", {"a": 1}, scope={"pages": ["item"]})
        desk = Desk(plan(shop, item), "ab")
        assert desk.opens("x", page="item").agent == "a"
        assert desk.opens("x", page="shop").agent == "b"


class TestNobodyFree:
    def desk(self, overflow: bool = True, here: str = "", **caps: int) -> Desk:
        presale = group("presale", {"a": 6}, scope={"pages": ["item"]}, overflow=overflow)
        return Desk(plan(presale, group("rest", {"b": 6}, type="fallback"), caps={"a": 1, "b": 1, **caps}), here)

    def test_overflow(self) -> None:
        desk = self.desk(here="ab")
        assert desk.given(3, page="item") == "a b -"
        assert desk.router._sessions["s2"].group == "rest"
        (next_,) = desk.router.closed("s2", 1)
        assert (next_.session, next_.agent, next_.group, next_.reason) == ("s3", "b", "rest", "routed")

    def test_no_overflow(self) -> None:
        desk = self.desk(overflow=False, here="ab")
        assert desk.given(2, page="item") == "a -"
        assert desk.router.presence("b", "away", 1) == []
        (next_,) = desk.router.closed("s1", 1)
        assert (next_.session, next_.agent, next_.group) == ("s2", "a", "presale")

    def test_nobody_of_the_group_but_somebody_online(self) -> None:
        desk = self.desk(overflow=False, here="b")
        assert desk.opens(page="item").outcome == "waited"
        assert [d.agent for d in desk.router.presence("a", "available", 1)] == ["a"]

    def test_suspended_is_online(self) -> None:
        desk = self.desk(here="a")
        desk.router.presence("a", "suspended", 0)
        assert desk.opens(page="item").outcome == "waited"
        assert [d.agent for d in desk.router.presence("a", "available", 1)] == ["a"]

    def test_those_who_come_together_share_what_waits(self) -> None:
        desk = Desk(plan(group("g", {"a": 8, "b": 2, "c": 6}), caps={"a": 3, "b": 3, "c": 3}), "c")
        desk.router.presence("c", "suspended", 0)
        assert {desk.opens().outcome for _ in range(3)} == {"waited"}
        found = desk.router.presences([("a", "available"), ("b", "available"), ("c", "offline")], 1)
        assert [(d.session, d.agent) for d in found] == [("s1", "a"), ("s2", "a"), ("s3", "b")]

    def test_those_who_come_together_serve_their_own_group_before_another_overflows_to_them(self) -> None:
        desk = Desk(plan(group("g", {"b": 6}, scope={"pages": ["item"]}), group("rest", {"a": 6}, type="fallback")), "x")
        assert desk.given(1, page="item") == "-"
        (taken,) = desk.router.presences([("a", "available"), ("b", "available")], 1)
        assert (taken.group, taken.agent) == ("g", "b")

    def test_who_waits_comes_before_what_others_leave(self) -> None:
        desk = Desk(plan(group("g", {"a": 6, "b": 6}), caps={"a": 1, "b": 1}), "a")
        assert desk.given(2) == "a -"
        found = desk.router.presences([("a", "offline"), ("b", "available")], 1)
        assert [(d.session, d.outcome, d.agent) for d in found] == [("s2", "assigned", "b"), ("s1", "waited", None)]

    def test_the_oldest_first_over_all_that_an_agent_can_serve(self) -> None:
        desk = self.desk(here="ab", b=0)
        assert desk.given(1, page="item") == "a"
        waiting = [desk.opens(at=at, page=page).session for at, page in ((1, "shop"), (2, "item"), (3, "shop"))]
        desk.router.reconfigure(self.desk(b=2).router.plan, 4)
        assert [desk.router._sessions[s].agent for s in waiting] == [desk.router._agents["b"], desk.router._agents["b"], None]

    def test_nobody_online_anywhere(self) -> None:
        desk = self.desk()
        left = desk.opens(page="item")
        assert (left.outcome, left.group, left.agent, left.reason) == ("leave", "presale", None, None)
        assert desk.router.presence("b", "available", 1) == []
        (next_,) = desk.router.presence("a", "available", 2)
        assert (next_.session, next_.agent, next_.reason) == (left.session, "a", "leave")
        assert desk.opens(page="item").agent == "a"  # a leave message takes up no capacity

    def test_a_closed_group(self) -> None:
        presale = group("presale", {"a": 6}, scope={"pages": ["item"]}, open=False)
        to = Desk(plan(presale, group("rest", {"b": 6}, type="fallback")), "ab").opens(page="item")
        assert (to.group, to.agent) == ("rest", "b")
        assert to.reasons[:2] == (("closed", "presale"), ("fallback", "rest"))

    def test_no_group_at_all(self) -> None:
        desk = Desk(plan())
        assert desk.opens().outcome == "leave"
        desk.router.presence("a", "available", 0)
        assert desk.opens().outcome == "waited"
        found = desk.router.reconfigure(plan(group("g", {"a": 6})), 1)
        assert [(d.session, d.agent, d.reason) for d in found] == [("s1", "a", "leave"), ("s2", "a", "routed")]

    def test_whoever_goes_offline_leaves_their_sessions_to_the_others(self) -> None:
        desk = Desk(plan(group("g", {"a": 6, "b": 6}), caps={"b": 1}), "a")
        assert desk.given(2) == "a a"
        desk.router.presence("b", "available", 1)
        taken, waits = desk.router.presence("a", "offline", 2)
        assert (taken.session, taken.agent, taken.reason) == ("s1", "b", "transfer")
        assert (waits.session, waits.outcome) == ("s2", "waited")
        assert [d.session for d in desk.router.presence("a", "available", 3)] == ["s2"]

    def test_whoever_is_suspended_keeps_theirs(self) -> None:
        desk = Desk(plan(group("g", {"a": 6, "b": 6})), "ab")
        assert desk.given(1) == "a"
        assert desk.router.presence("a", "suspended", 1) == []
        assert desk.router._sessions["s1"].agent is desk.router._agents["a"]


class TestLeaveMessages:
    def test_all_of_the_group_in_turn(self) -> None:
        held = plan(group("g", {"a": 10, "b": 1, "c": 0}), caps={"a": 1})
        assert Desk(held, "abc").given(5, kind="leave") == "a b a b a"

    def test_those_who_come_together_share_them(self) -> None:
        desk = Desk(plan(group("g", {"a": 10, "b": 1})))
        assert {desk.opens(kind="leave").outcome for _ in range(4)} == {"leave"}
        found = desk.router.presences([("a", "available"), ("b", "available")], 1)
        assert [d.agent for d in found] == ["a", "b", "a", "b"]

    def test_the_designated_alone_in_turn(self) -> None:
        desk = Desk(plan(group("g", {"a": 6, "b": 6, "c": 6}), designated=("b", "d")), "a")
        first, second = desk.opens(kind="leave"), desk.opens(kind="leave")
        assert (first.outcome, second.outcome) == ("leave", "leave")
        assert [(d.session, d.agent, d.reason) for d in desk.router.presence("d", "away", 1)] == [
            ("s1", "d", "leave"),
            ("s2", "d", "leave"),
        ]
        desk.router.presence("b", "available", 1)
        assert desk.given(3, kind="leave") == "b d b"
        desk.router.presence("d", "suspended", 1)
        assert desk.given(2, kind="leave") == "b b"

    def test_no_longer_designated(self) -> None:
        desk = Desk(plan(group("g", {"a": 6}), designated=("b",)), "a")
        assert desk.opens(kind="leave").outcome == "leave"
        (given,) = desk.router.reconfigure(plan(group("g", {"a": 6})), 1)
        assert (given.agent, given.reason) == ("a", "leave")


class TestCommands:
    def desk(self) -> Desk:
        groups = group("g", {"a": 6, "b": 6}, scope={"pages": ["item"]}), group("h", {"a": 6, "c": 6}, scope={"pages": ["shop"]})
        return Desk(plan(*groups, group("shut", scope={"pages": ["order"]}, open=False), caps={"a": 1, "b": 1, "c": 1}), "abc")

    def test_to_an_agent_and_who_waited_for_the_other_is_served(self) -> None:
        desk = self.desk()
        assert desk.given(3, page="item") == "a b -"
        moved, served = desk.router.move("s1", "c", 5)
        assert (moved.agent, moved.reason, moved.group) == ("c", "manual", "g")
        assert (served.session, served.agent) == ("s3", "a")

    def test_to_a_full_agent(self) -> None:
        desk = self.desk()
        assert desk.given(2, page="item") == "a b"
        assert desk.router.move("s1", "b", 5)[0].agent == "b"

    def test_to_a_group_preferring_somebody_else(self) -> None:
        desk = self.desk()
        assert desk.given(1, page="item") == "a"
        (moved,) = desk.router.transfer("s1", "h", 5)
        assert (moved.group, moved.agent, moved.reason) == ("h", "c", "transfer")
        (again,) = desk.router.transfer("s1", "g", 6)
        assert again.agent in "ab"

    def test_to_a_group_that_is_full(self) -> None:
        desk = self.desk()
        assert desk.given(1, page="item") + desk.given(1, page="shop") == "ac"
        desk.router.presence("b", "offline", 1)
        assert desk.router.transfer("s2", "g", 2)[0].outcome == "waited"
        assert [(d.session, d.agent) for d in desk.router.presence("b", "available", 3)] == [("s2", "b")]

    @pytest.mark.parametrize("way", ["weight", "cap"])
    def test_to_a_group_of_members_who_take_transfers_only(self, way: str) -> None:
        """By fewest active, then longest idle, then code; and while it waits, whoever of them comes takes it."""
        apart = group("h", dict.fromkeys("bc", 0 if way == "weight" else 6), scope={"pages": ["shop"]})
        caps: dict[str, int | None] = {"b": 0, "c": 0} if way == "cap" else {}
        desk = Desk(plan(group("g", {"a": 6}, scope={"pages": ["item"]}), apart, group("rest", type="fallback"), caps=caps), "a")
        assert desk.given(4, page="item") == "a a a a"
        assert [d.outcome for d in desk.router.transfer("s1", "h", 1)] == ["waited"]
        (came,) = desk.router.presence("c", "available", 2)
        assert (came.session, came.group, came.agent, came.reason) == ("s1", "h", "c", "transfer")
        desk.router.presence("b", "away", 3)
        found = [desk.router.transfer(f"s{n}", "h", 3 + n)[-1] for n in (2, 3, 4)]
        assert [d.agent for d in found] == ["b", "c", "b"]
        assert said(found[-1])[-4:] == [
            "转到咨询组「h」",
            "「h」2 名成员中 0 名可接",
            "2 名只接转接（小白、小陈）",
            "没有别的成员可接，交给只接转接的 小白，正接待 1",
        ]
        assert [(d.agent, d.reason) for d in desk.router.presence("b", "offline", 9)] == [("c", "transfer")] * 2
        assert desk.opens(page="shop").outcome == "waited"

    def test_to_a_group_whose_turns_come_before_those_who_take_transfers_only(self) -> None:
        desk = Desk(plan(group("g", {"a": 6, "b": 0, "c": 6}), caps={"a": 1, "b": 1, "c": 1}), "ab")
        assert desk.given(2) == "a -"
        assert desk.router.transfer("s2", "g", 1)[-1].agent == "b"
        desk.router.presence("c", "available", 2)
        assert desk.router.transfer("s2", "g", 3)[-1].agent == "c"
        assert desk.router.transfer("s2", "g", 4)[-1].agent == "b"

    def test_to_a_group_whose_members_are_full(self) -> None:
        """Who has a limit above 0 and has reached it is full, also with weight 0."""
        desk = Desk(plan(group("g", {"a": 6, "b": 0}), caps={"a": 1, "b": 1}), "ab")
        desk.opens()
        desk.router.move(desk.opens().session, "b", 1)
        waits = desk.opens()
        told = desk.router.transfer(waits.session, "g", 2)[-1]
        assert (told.outcome, told.reasons[2]) == ("waited", ("left_out", "full", 2, ("a", "b")))
        assert [(d.session, d.agent, d.reason) for d in desk.router.closed("s2", 3)] == [("s3", "b", "routed")]

    def test_to_the_group_that_has_it_already(self) -> None:
        """To another than before, be it one who takes transfers only; else it comes back."""
        desk = Desk(plan(group("g", {"a": 6, "b": 0})), "a")
        desk.opens()
        assert desk.router.transfer("s1", "g", 1)[-1].agent == "a"
        desk.router.presence("b", "available", 2)
        assert [desk.router.transfer("s1", "g", at)[-1].agent for at in (3, 4)] == ["b", "a"]
        desk.router.transfer("s1", "g", 5)
        desk.router.presence("a", "offline", 6)
        assert desk.router.transfer("s1", "g", 7)[-1].agent == "b"

    def test_those_who_take_transfers_only_come_before_overflow_and_get_nothing_by_it(self) -> None:
        held = plan(group("g", {"a": 0}, scope={"pages": ["item"]}), group("rest", {"b": 6, "c": 0}, type="fallback"), caps={"b": 2})
        desk = Desk(held, "bc")
        assert desk.given(3, page="item") == "b b -"
        assert desk.router.transfer("s3", "g", 1)[-1].outcome == "waited"
        assert [(d.session, d.group, d.agent) for d in desk.router.presence("a", "available", 2)] == [("s3", "g", "a")]
        assert desk.router.transfer("s1", "g", 3)[-1].agent == "a"

    def test_a_leave_message_goes_to_who_takes_transfers_only_by_hand_alone(self) -> None:
        held = plan(group("g", {"a": 6}, scope={"pages": ["item"]}), group("h", {"b": 0}, scope={"pages": ["shop"]}))
        desk = Desk(held, "a")
        desk.opens(kind="leave", page="item")
        assert desk.router.transfer("s1", "h", 1)[-1].outcome == "leave"
        desk.router = Router.from_json(held, desk.router.to_json())
        desk.opens(kind="leave", page="shop")
        (came,) = desk.router.presence("b", "available", 2)
        assert (came.session, came.agent, came.reason) == ("s1", "b", "leave")
        assert ("handed_to", "h") in came.reasons

    @pytest.mark.parametrize(
        ("command", "sentence"),
        [
            (("move", "s1", "b"), "b 现在不能接转接（挂起、离线或不接待）"),
            (("move", "s1", "a"), "会话已在 a 处"),
            (("move", "s9", "a"), "会话 s9 已结束"),
            (("transfer", "s1", "x"), "没有编号为 x 的咨询组"),
            (("transfer", "s1", "shut"), "「shut」的入口已关闭"),
        ],
    )
    def test_not_possible(self, command: tuple[str, str, str], sentence: str) -> None:
        desk = self.desk()
        desk.router.presence("b", "suspended", 0)
        assert desk.given(1, page="item") == "a"
        with pytest.raises(NotPossibleError, match=sentence):
            getattr(desk.router, command[0])(*command[1:], 1)
        assert desk.router._sessions["s1"].agent is desk.router._agents["a"]

    def test_a_session_is_opened_once(self) -> None:
        desk = self.desk()
        desk.opens(page="item")
        with pytest.raises(ValueError, match="open already"):
            desk.router.opened(NewSession("s1", "x"), 1)
        assert "s1" in desk.router
        assert desk.router.closed("s2", 1) == []


class TestReconfigured:
    def test_who_waits_is_matched_again_and_who_is_served_stays(self) -> None:
        desk = Desk(plan(group("g", {"a": 6}), caps={"a": 1}), "ab")
        assert desk.given(3) == "a - -"
        found = desk.router.reconfigure(plan(group("h", {"b": 6}), caps={"a": 1, "b": 1}), 5)
        assert [(d.session, d.outcome, d.group, d.agent) for d in found] == [("s2", "assigned", "h", "b"), ("s3", "waited", "h", None)]
        assert desk.router._sessions["s1"].agent is desk.router._agents["a"]
        assert found[0].reasons[0] == ("reconfigured",)

    def test_a_group_that_a_session_was_transferred_to_may_go(self) -> None:
        both = group("g", {"a": 6}, scope={"pages": ["item"]}), group("h", {"b": 6}, scope={"pages": ["shop"]})
        desk = Desk(plan(*both), "ab")
        desk.opens(page="item")
        assert desk.router.transfer("s1", "h", 1)[-1].agent == "b"
        assert desk.router.reconfigure(plan(both[0]), 2) == []
        (back,) = desk.router.presence("b", "offline", 3)
        assert (back.agent, back.group, back.reason) == ("a", "g", "transfer")

    def test_nothing_is_told_where_nothing_changed(self) -> None:
        desk = Desk(plan(group("g", {"a": 6}), caps={"a": 0}), "a")
        assert desk.given(2) == "- -"
        assert desk.router.reconfigure(plan(group("g", {"a": 6, "z": 1}), caps={"a": 0}), 5) == []

    def test_turns_go_on_with_other_weights(self) -> None:
        desk = Desk(plan(group("g", {"a": 5, "b": 1, "c": 1})), "abcd")
        assert desk.given(3) == "a a b"
        desk.router.reconfigure(plan(group("g", {"a": 1, "c": 1, "d": 1})), 5)
        assert desk.given(4).startswith("c ")

    def test_a_restart_in_the_middle(self) -> None:
        whole, split = (Desk(plan(group("g", {"a": 5, "b": 3, "c": 1}), caps={"a": 9, "b": 3}), "abc") for _ in range(2))
        assert whole.given(6) == split.given(6)
        split.router = Router.from_json(split.router.plan, split.router.to_json())
        for n in range(6):
            assert whole.router.closed(f"s{n}", 10 + n) == split.router.closed(f"s{n}", 10 + n)
            assert whole.opens("c1", 10 + n) == split.opens("c1", 10 + n)
            assert whole.opens(at=10 + n) == split.opens(at=10 + n)

    def test_a_restart_with_other_settings(self) -> None:
        desk = Desk(plan(group("g", {"a": 6}), caps={"a": 0}), "a")
        assert desk.given(2) == "- -"
        other = plan(group("h", {"a": 6}), caps={"a": 1})
        router = Router.from_json(other, desk.router.to_json())
        assert [(d.session, d.agent) for d in router.reconfigure(other, 1)] == [("s1", "a"), ("s2", None)]

    def test_a_clock_that_is_set_back(self) -> None:
        desk = Desk(plan(group("g", {"a": 6}), caps={"a": 1}), "a", at=100)
        assert [desk.opens(at=at).at for at in (200, 50, 60)] == [200, 200, 200]
        assert [d.session for d in desk.router.closed("s1", 0)] == ["s2"]


class TestWords:
    def test_why_here(self) -> None:
        presale = group("presale", {"a": 6, "b": 3, "c": 6}, scope={"pages": ["item"]})
        desk = Desk(plan(presale, group("rest", type="fallback"), caps={"a": 8, "c": 1}), "abc")
        desk.router.move(desk.opens(page="item").session, "c", 0)
        desk.router.presence("b", "suspended", 0)
        assert said(desk.opens(page="item")) == [
            "「售前」接待从商品页进入的客户",
            "「售前」3 名成员中 1 名可接（小安）",
            "1 名挂起（小白）",
            "1 名满载（小陈）",
            "按权重轮到 小安：权重 6，可接成员合计 6；正接待 0，上限 8",
        ]

    def test_why_not_yet(self) -> None:
        presale = group("presale", {"a": 6}, scope={"pages": ["item"]}, overflow=False)
        desk = Desk(plan(presale, group("rest", type="fallback"), caps={"a": 1}), "a")
        desk.opens(page="item")
        waited = desk.opens(page="item")
        assert [sentence.en for sentence in words(waited.reasons, NAMES)] == [
            "售前 takes customers from: Item page",
            "0 of 1 members of 售前 are free",
            "1 full (小安)",
            "售前 does not overflow to the fallback group",
            "Waiting in 售前",
        ]
        third = desk.opens(page="item")
        assert words(third.reasons, NAMES)[-1].zh == "在「售前」排队，另有 1 人在等"
        assert words(third.reasons, NAMES)[-1].en == "Waiting in 售前, beside 1 other"
        assert "等待了 90 秒" in said(desk.router.closed("s1", 90_000)[0])

    def test_where_the_fallback_is_full_too_nothing_overflows(self) -> None:
        presale = group("presale", {"a": 6}, scope={"pages": ["item"]})
        desk = Desk(plan(presale, group("rest", {"b": 6}, type="fallback"), caps={"a": 1, "b": 1}), "ab")
        desk.opens(page="item")
        assert said(desk.opens(page="item"))[-3:] == [
            "从「售前」溢出到兜底咨询组「兜底」",
            "「兜底」1 名成员中 1 名可接（小白）",
            "按权重轮到 小白：权重 6，可接成员合计 6；正接待 0，上限 1",
        ]
        assert said(desk.opens(page="item"))[1:] == [
            "「售前」1 名成员中 0 名可接",
            "1 名满载（小安）",
            "兜底咨询组「兜底」也无人可接",
            "1 名满载（小白）",
            "在「售前」排队",
        ]

    def test_whose_agent_went_offline_is_told_so_once(self) -> None:
        desk = Desk(plan(group("g", {"a": 6, "b": 6})), "a")
        desk.opens()
        desk.router.presence("b", "away", 1)
        (taken,) = desk.router.presence("a", "offline", 2)
        assert [why[0] for why in taken.reasons] == ["went_offline", "only", "members", "left_out", "turn"]

    def test_returning_words(self) -> None:
        desk = Desk(plan(group("g", {"a": 6})), "a")
        desk.router.closed(desk.opens(customer="c").session, 0)
        desk.router.closed(desk.opens(customer="c", at=500).session, 500)
        assert said(desk.opens(customer="c", at=700))[-1] == "小安 不到 1 秒前接待过此客户，仍由其接待"
        assert said(desk.opens(customer="d"))[-1].endswith("正接待 1，不限接待量")

    def test_of_many_only_the_number(self) -> None:
        desk = Desk(plan(group("g", {f"w{n}": 1 for n in range(300)})), "x")
        assert desk.opens().reasons[1:3] == (("members", "g", 300, 0, ()), ("left_out", "offline", 300, ()))

    def test_reasons_are_json_and_every_one_has_words(self) -> None:
        examples: dict[str, Any] = {
            "_group": "presale", "_agent": "a", "_count": 3, "_text": "PLUS", "_item": "100", "_people": ["a", "b"],
            "_span": 7_200_000, "_limit": None, "_others": 2,
            "<lambda>": "full",
        }  # fmt: skip
        reasons = [[code, *(examples[say.__name__] for say in says)] for code, (_, says) in SENTENCES.items()]
        for sentence in words(json.loads(json.dumps(reasons))):
            assert all(sentence)
            assert "{" not in sentence.zh + sentence.en
            assert sentence.en.isascii()

    def test_a_decision_survives_json(self) -> None:
        decision = Desk(plan(group("g", {"a": 6})), "a").opens()
        assert words(json.loads(json.dumps(decision.reasons))) == words(decision.reasons)
