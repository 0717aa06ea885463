"""The engine carries out the routing: every rule through the database, on both of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from app.desk.routing import Routing
from app.desk.turn import LATE_PATIENCE_SECONDS
from app.domain.events import AgentUpserted, SessionClosed
from app.domain.permissions import Actor, NotAllowedError
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.notices import Notices
from tests.database.routed_store import NOON, RoutedStore, group

HOUR = 3_600_000


def sequence(store: RoutedStore, number: int) -> str:
    names = [f"t{n}" for n in range(number)]
    store.opens(*names)
    return store.has(*names)


class TestWhoTakesIt:
    def test_in_turn_by_weight(self, database: Database) -> None:
        assert sequence(RoutedStore(database, group("g", {"a": 5, "b": 1, "c": 1}), here="abc"), 7) == "a a b a c a a"

    def test_a_burst_in_one_batch_is_decided_like_one_by_one(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 5, "b": 1, "c": 1}), here="abc")
        store.say(*(event for n in range(7) for event in store.arrival(f"t{n}")))
        assert store.has(*(f"t{n}" for n in range(7))) == "a a b a c a a"

    def test_capacity(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), caps={"a": 1, "b": 2}, here="ab")
        assert sorted(sequence(store, 4).split()) == ["-", "a", "b", "b"]

    def test_capacity_that_events_tell_holds_for_who_is_not_in_the_settings(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 1}), here="ab")
        store.say(AgentUpserted(id="cap", at=NOON, agent="a", capacity=1))
        assert sequence(store, 3) == "a b b"

    def test_what_a_source_gave_counts_as_load(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 1}), caps={"a": 1}, here="ab")
        store.say(*store.arrival("own", agent="a", wrote=False))
        assert sequence(store, 2) == "b b"
        assert store.decided("own") == []

    def test_weight_0(self, database: Database) -> None:
        assert sequence(RoutedStore(database, group("g", {"a": 0, "b": 1}), here="ab"), 3) == "b b b"

    def test_cap_0(self, database: Database) -> None:
        assert sequence(RoutedStore(database, group("g", {"a": 9, "b": 1}), caps={"a": 0}, here="ab"), 3) == "b b b"

    def test_away_takes_suspended_and_offline_do_not(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6, "c": 6}), here="abc")
        store.present(a="away", b="suspended", c="offline")
        assert sequence(store, 2) == "a a"
        assert "1 名挂起（b）" in store.why("t0")
        assert "1 名离线（c）" in store.why("t0")

    def test_by_scope_with_the_most_specific_first(self, database: Database) -> None:
        store = RoutedStore(
            database, group("tag", {"a": 6}, scope={"customer_tags": ["PLUS"]}), group("sku", {"b": 6}, scope={"skus": ["100"]}),
            group("east", {"c": 6}, scope={"regions": ["浙江"]}), group("rest", {"d": 6}, type="fallback"), here="abcd",
        )  # fmt: skip
        store.opens("s1", tags=["PLUS"], sku="100", region="浙江")
        store.opens("s2", sku="100", region="浙江省")
        store.opens("s3", region="浙江")
        store.opens("s4", region="北京", page="item")
        assert store.has("s1", "s2", "s3", "s4") == "a b c d"
        assert [store.last(session).group for session in ("s1", "s2", "s3", "s4")] == ["tag", "sku", "east", "rest"]

    def test_a_returning_customer_within_48_hours(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 1, "b": 9}), here="ab")
        store.opens("s1", "s2", customer="x")
        assert store.has("s1", "s2") == "b b"
        assert store.reason("s2") == "returning"
        store.closes("s1", "s2")
        store.restart()  # who served whom is in the database
        store.now += 47 * HOUR
        store.opens("s3", customer="x")
        assert store.reason("s3") == "returning"
        assert store.why("s3")[-1] == "b 47 小时前接待过此客户，仍由其接待"
        store.closes("s3")
        store.now += 49 * HOUR
        store.opens("s4", customer="x")
        assert store.reason("s4") == "routed"

    @pytest.mark.parametrize("how", ["offline", "suspended", "full"])
    def test_a_returning_customer_whose_agent_cannot(self, database: Database, how: str) -> None:
        store = RoutedStore(database, group("g", {"a": 1, "b": 9}), caps={"b": 1}, here="ab")
        store.opens("s1", customer="x")
        assert store.has("s1") == "b"
        if how != "full":
            store.closes("s1")
            store.present(b=how)
        store.opens("s2", customer="x")
        assert (store.has("s2"), store.reason("s2")) == ("a", "routed")
        told = {"offline": "离线", "suspended": "挂起", "full": "满载"}[how]
        assert f"48 小时内接待过此客户的 b 现在不能接（{told}）" in store.why("s2")

    def test_a_closed_group_leaves_its_customers_to_the_fallback(self, database: Database) -> None:
        store = RoutedStore(
            database, group("sku", {"a": 6}, scope={"skus": ["100"]}, open=False), group("rest", {"b": 6}, type="fallback"), here="ab"
        )  # fmt: skip
        store.opens("s1", sku="100")
        assert (store.has("s1"), store.last("s1").group) == ("b", "rest")
        assert store.why("s1")[0] == "「sku」的入口已关闭"

    def test_overflow_and_none(self, database: Database) -> None:
        groups = [group(code, {"a": 6}, scope={"skus": [sku]}, overflow=over) for code, sku, over in (("p", "1", True), ("q", "2", False))]
        store = RoutedStore(database, *groups, group("rest", {"b": 6}, type="fallback"), here="ab")
        store.present(a="suspended")
        store.opens("s1", sku="1")
        store.opens("s2", sku="2")
        assert store.has("s1", "s2") == "b -"
        assert (store.last("s1").group, store.outcomes("s2")) == ("rest", "waited")
        store.present(a="available")
        assert (store.has("s2"), store.outcomes("s2")) == ("a", "waited assigned")


class TestNobodyIsFree:
    def test_everybody_full_waits_and_is_taken_when_somebody_frees_up(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="a")
        store.opens("s1", "s2", "s3")
        assert store.has("s1", "s2", "s3") == "a - -"
        store.closes("s1")
        assert store.has("s2", "s3") == "a -"
        assert store.outcomes("s2") == "waited assigned"
        assert store.why("s2")[1].startswith("等待了")

    @pytest.mark.parametrize("anew", [False, True])
    def test_those_who_come_together_share_what_waits(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, group("g", {"a": 8, "b": 2, "c": 1}), caps={"a": 3, "b": 3}, here="c")
        store.present(c="suspended")
        store.opens("s1", "s2", "s3")
        assert store.has("s1", "s2", "s3") == "- - -"
        if anew:
            store.restart()
        store.present(a="available", b="available")
        assert store.has("s1", "s2", "s3") == "a a b"

    def test_or_comes_online(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), caps={"a": 1}, here="a")
        store.opens("s1", "s2")
        store.present(b="available")
        assert store.has("s1", "s2") == "a b"

    def test_who_waits_and_leaves_is_not_given_to_anybody(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="a")
        store.opens("s1", "s2", "s3")
        store.say(*(SessionClosed(id=f"x{s}", at=store.now, session=s) for s in ("s1", "s2")))
        assert store.has("s2", "s3") == "- a"
        assert store.outcomes("s2") == "waited"

    def test_nobody_online_is_a_leave_message(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}))
        store.opens("s1")
        store.opens("s2", kind="leave", wrote=False)
        assert (store.outcomes("s1"), store.outcomes("s2")) == ("leave", "leave")
        assert "店铺无客服在线，请客户留言" in store.why("s1")
        store.present(b="available")
        assert store.has("s1", "s2") == "b b"
        assert store.reason("s1") == store.reason("s2") == "leave"

    def test_leave_messages_take_up_no_capacity_and_go_round(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 9, "b": 1}), caps={"a": 1, "b": 1}, here="ab")
        for n in range(4):
            store.opens(f"m{n}", kind="leave", wrote=False)
        assert sorted(store.has("m0", "m1", "m2", "m3").split()) == ["a", "a", "b", "b"]
        assert sorted(sequence(store, 2).split()) == ["a", "b"]


class TestAgentsComeAndGo:
    def test_who_goes_offline_leaves_their_sessions_to_the_others(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 9, "b": 1}), here="ab")
        store.opens("s1")
        store.present(a="offline")
        assert (store.has("s1"), store.reason("s1")) == ("b", "transfer")
        assert "原客服 a 已离线" in store.why("s1")

    def test_also_when_that_happened_while_no_engine_ran(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 9, "b": 1}), here="ab")
        store.opens("s1")
        store.routing = store.engine()  # has not begun
        with database.write() as connection:
            connection.execute(text("UPDATE agents SET state = 3 WHERE code = 'a'"))
        store.routing.turn()
        assert store.has("s1") == "b"

    def test_what_their_source_gave_them_stays_with_them(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 9, "b": 1}), here="ab")
        store.opens("s1", agent="a")
        store.present(a="offline")
        assert store.has("s1") == "a"
        store.restart()
        assert store.has("s1") == "a"

    def test_who_ends_a_session_and_goes_at_once_is_given_nothing(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="a")
        store.opens("s1", "s2")
        store.recorder.record([SessionClosed(id="x", at=store.now, session="s1")])
        store.present(a="offline")
        assert (store.has("s2"), store.outcomes("s2")) == ("-", "waited")


class TestOthersDecideToo:
    def test_customers_who_never_wrote_are_left_alone(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="a")
        store.opens("s1", wrote=False)
        assert (store.has("s1"), store.decided("s1")) == ("-", [])

    def test_a_source_that_assigns_is_followed(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), caps={"a": 1, "b": 1}, here="a")
        store.opens("s1", "s2")
        assert store.has("s1", "s2") == "a -"
        store.assigns("s2", "b", "g")
        store.present(b="available")  # full by what the source gave
        store.opens("s3")
        assert store.has("s1", "s2", "s3") == "a b -"
        store.assigns("s1", "b", "g")  # which frees a
        assert store.has("s1", "s2", "s3") == "b b a"

    def test_a_store_without_groups_is_left_to_its_source(self, database: Database) -> None:
        store = RoutedStore(database, here="a")
        store.opens("s1")
        assert (store.has("s1"), store.decided("s1")) == ("-", [])
        store.configure(group("g", {"a": 6}))
        assert store.has("s1") == "a"

    def test_an_old_session_is_taken_when_nobody_tells_for_a_while_who_had_it(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, clock = RoutedStore(database, group("g", {"a": 6, "b": 6}), here="a"), [0.0]
        monkeypatch.setattr("app.desk.turn.time.monotonic", lambda: clock[0])
        store.now -= HOUR
        store.opens("s1", "s2", turn=False)
        store.now += HOUR
        store.routing.turn()
        assert store.has("s1", "s2") == "- -"
        store.assigns("s1", "b")
        clock[0] += LATE_PATIENCE_SECONDS
        store.routing.turn()
        assert store.has("s1", "s2") == "b a"
        assert store.decided("s1") == []

    def test_another_engine_on_the_same_store_never_gives_twice(self, database: Database) -> None:
        """As after a partition: the one that lost its store without knowing goes on for a moment."""
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), caps={"a": 2, "b": 2}, here="ab")
        other = store.engine()
        for n in range(8):
            store.opens(f"s{n}", turn=False)
            for engine in (other, store.routing) if n % 2 else (store.routing, other):
                engine.turn()
        assert sorted(store.has(*(f"s{n}" for n in range(8))).split()) == ["-"] * 4 + ["a"] * 2 + ["b"] * 2
        store.closes("s0")
        other.turn()
        assert store.rows("SELECT max(n) FROM (SELECT count(*) AS n FROM decisions WHERE outcome = 1 GROUP BY session_id) d") == [(1,)]


class TestSettingsChange:
    def test_they_are_followed_and_told_with_each_decision(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="ab")
        store.opens("s1")
        store.configure(group("g", {"b": 6}))
        store.opens("s2")
        assert store.has("s1", "s2") == "a b"
        assert [store.last(s).revisions for s in ("s1", "s2")] == [(1, 1, 0), (2, 2, 0)]

    def test_who_waits_is_matched_again(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="ab")
        store.opens("s1", "s2")
        store.configure(group("g", {"a": 6, "b": 6}), caps={"a": 1})
        assert store.has("s1", "s2") == "a b"

    def test_also_when_they_changed_while_no_engine_ran(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="ab")
        store.opens("s1", "s2")
        store.routing = store.engine()
        store.configure(group("g", {"a": 6, "b": 6}), caps={"a": 1})
        assert store.has("s1", "s2") == "a b"

    def test_groups_are_called_what_the_settings_call_them(self, database: Database) -> None:
        store = RoutedStore(database, {**group("g", {"a": 6}), "name": "售前"}, here="a")
        store.opens("s1")
        found = store.workspace.live.transcript(store.info, "s1")
        assert found is not None
        assert found.session.group == "售前"


class TestCommands:
    def test_suspend_and_resume(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), here="a")
        assert store.commands("suspend", agent="a") == ""
        store.opens("s1")
        assert store.has("s1") == "-"
        assert store.rows("SELECT state FROM agents WHERE code = 'a'") == [(2,)]
        assert store.commands("suspend", agent="a") == "a 已挂起"
        assert store.commands("resume", agent="a") == ""
        assert store.has("s1") == "a"
        assert store.commands("resume", agent="a") == "a 没有挂起"
        store.present(b="offline")
        assert store.commands("suspend", agent="b") == "b 已离线，无需挂起"

    def test_move(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 0}), caps={"a": 1, "b": 0}, here="ab")
        store.opens("s1", "s2")
        assert store.commands("move", session="s1", agent="b") == ""
        assert store.has("s1", "s2") == "b a"
        assert (store.reason("s1"), store.why("s1")) == ("manual", ["人工指定给 b"])
        assert store.commands("move", session="s1", agent="b") == "会话已在 b 处"
        store.present(a="offline")
        assert "不能接转接" in store.commands("move", session="s1", agent="a")
        store.closes("s1")
        assert store.commands("move", session="s1", agent="b") == "会话 s1 已结束"

    def test_transfer(self, database: Database) -> None:
        groups = (
            group("p", {"a": 6}, scope={"skus": ["1"]}),
            group("q", {"b": 6}, scope={"skus": ["2"]}),
            group("r", {"c": 6}, type="fallback"),
        )
        store = RoutedStore(database, *groups, caps={"b": 1}, here="abc")
        store.opens("s1", "s2", sku="1")
        assert store.commands("transfer", session="s1", group="q") == ""
        assert (store.has("s1"), store.reason("s1"), store.last("s1").group) == ("b", "transfer", "q")
        assert store.commands("transfer", session="s1", group="nowhere") == "没有编号为 nowhere 的咨询组"

    def test_who_is_transferred_to_where_nobody_is_free_waits_there_also_after_a_restart(self, database: Database) -> None:
        groups = group("p", {"a": 6}, scope={"skus": ["1"]}), group("q", {"b": 6}, scope={"skus": ["2"]}, overflow=False)
        store = RoutedStore(database, *groups, caps={"b": 1}, here="ab")
        store.opens("s0", sku="2")
        store.opens("s1", sku="1")
        assert store.commands("transfer", session="s1", group="q") == ""
        assert store.outcomes("s1") == "assigned waited"
        store.restart()
        assert store.outcomes("s1") == "assigned waited"
        store.closes("s0")
        assert (store.has("s1"), store.outcomes("s1"), store.last("s1").group) == ("b", "assigned waited assigned", "q")

    def test_transfer_to_a_group_of_members_who_take_transfers_only(self, database: Database) -> None:
        groups = group("g", {"a": 6}, scope={"pages": ["item"]}), group("h", {"b": 0, "c": 6}, scope={"pages": ["shop"]})
        shop = RoutedStore(database, *groups, group("f", type="fallback"), caps={"c": 0}, here="ab")
        shop.opens("s1", "s2", page="item")
        assert shop.commands("transfer", session="s1", group="h") == ""
        assert (shop.has("s1"), shop.reason("s1")) == ("b", "transfer")
        assert shop.why("s1")[-1] == "没有别的成员可接，交给只接转接的 b，正接待 0"
        shop.present(b="suspended")
        assert shop.commands("transfer", session="s2", group="h") == ""
        assert shop.last("s2").outcome == "waited"
        shop.opens("s3", page="shop")
        shop.restart()
        shop.present(c="available")
        assert (shop.has("s2", "s3"), shop.last("s3").outcome) == ("c -", "waited")

    def test_they_wait_for_an_engine_and_are_carried_out_once(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="a")
        number = store.workspace.commands.give(store.info, "suspend", agent="a")
        assert store.workspace.commands.status(store.info, number).done_at is None
        store.restart()
        assert store.workspace.commands.status(store.info, number).done_at is not None
        store.now += 10
        store.present(a="available")
        store.restart()
        assert store.rows("SELECT state FROM agents WHERE code = 'a'") == [(0,)]
        assert [(c.author, c.kind, dict(c.body)) for c in store.workspace.commands.history(store.info)] == [
            ("owner", "suspend", {"agent": "a"})
        ]

    def test_what_cannot_be_meant_is_refused_at_once(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="a")
        for kind, body in (
            ("suspend", {"agent": "nobody"}), ("move", {"session": "none", "agent": "a"}), ("move", {"agent": "a"}),
            ("suspend", {"agent": "a", "session": "x"}), ("explode", {"agent": "a"}),
        ):  # fmt: skip
            with pytest.raises(FaultError):
                store.workspace.commands.give(store.info, kind, **body)  # type: ignore[arg-type]
        with pytest.raises(FaultError):
            store.workspace.commands.status(store.info, 1)
        with pytest.raises(NotAllowedError):
            Workspace(database, Actor("guest", frozenset())).commands.give(store.info, "suspend", agent="a")
        assert store.workspace.commands.history(store.info) == []


def test_turns_go_on_after_a_restart(database: Database) -> None:
    store = RoutedStore(database, group("g", {"a": 5, "b": 1, "c": 1}), here="abc")
    found = []
    for n in range(7):
        store.opens(f"s{n}")
        found.append(store.has(f"s{n}"))
        store.restart()
    assert " ".join(found) == "a a b a c a a"


def test_a_restart_decides_nothing_again(database: Database) -> None:
    store = RoutedStore(database, group("g", {"a": 6, "b": 6}), caps={"a": 1, "b": 1}, here="ab")
    store.opens("s1", "s2", "s3", "s4")
    before = store.rows("SELECT * FROM decisions ORDER BY session_id, number"), store.rows("SELECT revision FROM stores")
    store.restart()
    assert (store.rows("SELECT * FROM decisions ORDER BY session_id, number"), store.rows("SELECT revision FROM stores")) == before


def test_a_turn_that_fails_leaves_nothing_and_is_made_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RoutedStore(database, group("g", {"a": 6}), here="a")
    with monkeypatch.context() as patch:
        patch.setattr("app.storage.routed.keep_decisions", lambda *_: (_ for _ in ()).throw(FaultError("full", "full")))
        with pytest.raises(FaultError):
            store.opens("s1")
    assert store.has("s1") == "-"
    store.routing.turn()
    assert (store.has("s1"), store.outcomes("s1")) == ("a", "assigned")


def test_it_follows_by_itself_until_stopped(database: Database) -> None:
    """Settings, a customer and a command are each followed within a second of being committed."""
    store = RoutedStore(database)
    store.present(a="available")
    stop = threading.Event()
    engine = Routing(database, store.store, lambda: store.now)
    thread = threading.Thread(target=engine.run, args=(stop,))
    store.routing.turn = lambda: 0  # type: ignore[method-assign]  # only the thread routes
    notices = Notices(database, store.store)
    thread.start()

    def soon(done: Callable[[], bool]) -> None:
        end = time.monotonic() + 1
        while not done():
            assert time.monotonic() < end
            notices.wait(0.1)

    try:
        store.configure(group("g", {"a": 6}))
        soon(lambda: store.rows("SELECT code FROM skill_groups") == [("g",)])
        store.opens("s1")
        soon(lambda: store.has("s1") == "a")
        number = store.workspace.commands.give(store.info, "suspend", agent="a")
        soon(lambda: store.workspace.commands.status(store.info, number).done_at is not None)
    finally:
        stop.set()
        thread.join(5)
        notices.close()
    assert not thread.is_alive()
