"""An engine is not alone with its store: sources assign and close as they like, at once and late, another engine decides, supervisors
name sessions that are nobody's to give."""

from __future__ import annotations

from typing import Any

import pytest

from app.desk.turn import LATE_PATIENCE_SECONDS
from app.domain.events import AgentPresence, AnyEvent, MessageSent, SessionAssigned, SessionClosed, SessionFlagged, SessionOpened
from app.storage.database import Database
from app.storage.recorder import open_store
from tests.database.routed_store import NOON, RoutedStore, group

HOUR = 3_600_000
TWO_GROUPS = (
    group("p", {"a": 6}, scope={"pages": ["item"]}),
    group("q", {"c": 6}, scope={"pages": ["shop"]}),
    group("rest", type="fallback"),
)


def with_one_waiting(database: Database, here: str = "ab") -> RoutedStore:
    """a has s1 and is full, w waits for them."""
    store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here=here)
    store.opens("s1", "w")
    assert store.has("s1", "w") == "a -"
    return store


class TestASourceAssignsWhoWaits:
    def test_and_closes_another_at_once(self, database: Database) -> None:
        store = with_one_waiting(database)
        store.say(
            SessionClosed(id="end", at=store.now, session="s1"),
            SessionAssigned(id="given", at=store.now, session="w", agent="b", group="g"),
        )
        assert (store.has("w"), store.outcomes("w")) == ("b", "waited")
        store.opens("s2", "s3")
        assert store.has("s2", "s3") == "a -", "who was freed takes one customer, and no more"

    def test_while_settings_change_for_the_better(self, database: Database) -> None:
        store = with_one_waiting(database)
        store.recorder.record([SessionAssigned(id="given", at=store.now, session="w", agent="b", group="g")])
        store.configure(group("g", {"a": 6, "c": 6}), caps={"a": 2})
        assert (store.has("w"), store.outcomes("w")) == ("b", "waited")
        store.opens("s2", "s3")
        assert store.has("s2", "s3") == "a -"

    def test_and_moves_another_at_once(self, database: Database) -> None:
        store = with_one_waiting(database)
        store.opens("w2")
        store.say(*(SessionAssigned(id=f"{session}-to-b", at=store.now, session=session, agent="b") for session in ("s1", "w")))
        assert store.has("s1", "w", "w2") == "b b a"

    @pytest.mark.parametrize("anew", [False, True])
    def test_by_a_clock_that_is_behind(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="ab")
        store.opens("s1")
        before = store.now
        store.now += 1000
        store.say(
            SessionOpened(id="w1", at=before, session="w", customer="k"),
            MessageSent(id="w2", at=before, session="w", sender="customer", text="在吗"),
        )
        assert store.outcomes("w") == "waited"
        store.say(SessionAssigned(id="given", at=before + 500, session="w", agent="b", group="g"))
        if anew:
            store.restart()
        store.closes("s1")
        assert (store.has("w"), store.outcomes("w")) == ("b", "waited")
        store.opens("s2")
        assert store.has("s2") == "a"

    @pytest.mark.parametrize("anew", [False, True])
    def test_after_it_was_taken_from_the_agent_whom_the_source_had_given_it_to(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, *TWO_GROUPS, caps={"c": 1}, here="abc")
        store.opens("s1", page="shop")
        before = store.now
        store.say(*store.arrival("w", agent="a", group="p", page="item"))
        store.now += 1000
        assert store.commands("transfer", session="w", group="q") == ""
        if anew:
            store.restart()
        assert (store.has("w"), store.outcomes("w")) == ("a", "waited"), "no event says that nobody has it"
        store.say(SessionAssigned(id="given", at=before + 500, session="w", agent="b", group="q"))
        if anew:
            store.restart()
        store.closes("s1")
        assert (store.has("w"), store.outcomes("w")) == ("b", "waited")

    def test_else_who_waits_since_a_transfer_is_taken_also_by_an_engine_that_begins_anew(self, database: Database) -> None:
        store = RoutedStore(database, *TWO_GROUPS, caps={"c": 1}, here="ac")
        store.opens("s1", page="shop")
        store.opens("w", agent="a", group="p", page="item")
        assert store.commands("transfer", session="w", group="q") == ""
        store.restart()
        store.closes("s1")
        assert (store.has("w"), store.outcomes("w")) == ("c", "waited assigned")

    @pytest.mark.parametrize("anew", [False, True])
    def test_to_the_agent_it_was_taken_from(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, *TWO_GROUPS, caps={"a": 1, "c": 1}, here="ac")
        store.opens("s1", page="shop")
        store.opens("w", page="item")
        assert store.commands("transfer", session="w", group="q") == ""
        store.opens("s2", page="item")
        store.closes("s2")
        store.assigns("w", "a")
        if anew:
            store.restart()
        store.closes("s1")
        store.opens("s3", page="item")
        assert (store.has("w", "s3"), store.outcomes("w")) == ("a -", "assigned waited")


class TestWhoTakesNothingYet:
    """Reasons tell how they stand, not that they are kept out."""

    def freed(self, database: Database, *events: AnyEvent) -> RoutedStore:
        """a and b have one each, w waits; b's ends together with this."""
        store = RoutedStore(database, group("g", {"a": 1, "b": 1}), caps={"a": 1, "b": 1}, here="ab")
        store.opens("s1", "s2", "w")
        assert store.has("s1", "s2", "w") == "a b -"
        store.say(SessionClosed(id="end", at=store.now, session="s2"), *events)
        assert store.has("w") == "b"
        return store

    def test_given_one_by_their_source_who_is_full(self, database: Database) -> None:
        store = self.freed(database, SessionOpened(id="o", at=NOON, session="s9", customer="k", agent="a"))
        assert [line for line in store.why("w") if "（a）" in line] == ["1 名满载（a）"]

    def test_who_goes(self, database: Database) -> None:
        store = self.freed(database, AgentPresence(id="gone", at=NOON + 9000, agent="a", state="offline"))
        assert [line for line in store.why("w") if "（a）" in line] == ["1 名离线（a）"]

    def test_given_one_by_their_source_who_was_free(self, database: Database) -> None:
        """While settings change."""
        store = RoutedStore(database, group("g", {"b": 1}), caps={"a": 2, "b": 1}, here="ab")
        store.opens("s1", "w", "w2")
        store.recorder.record([SessionOpened(id="o", at=NOON, session="s9", customer="k", agent="a")])
        store.configure(group("g", {"a": 1, "b": 1}), caps={"a": 2, "b": 2})
        assert store.has("w", "w2") == "b a"
        assert [line for line in store.why("w") if "（a）" in line] == ["1 名刚由来源分配了会话（a）"]
        assert [line for line in store.why("w2") if "（a）" in line] == ["「g」2 名成员中 1 名可接（a）"]


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("had", [False, True])
@pytest.mark.parametrize("flag", ["spam", "bot_only"])
def test_who_is_flagged_while_they_wait_is_given_to_nobody(database: Database, flag: Any, had: bool, anew: bool) -> None:
    """had: an agent had them before, and the row goes on naming that agent."""
    store = RoutedStore(database, group("g", {"a": 1, "b": 1}), caps={"a": 1, "b": 1}, here="a")
    store.opens("w") if had else store.opens("s1", "w")
    if had:
        store.present(a="offline")
    assert store.last("w").outcome == "waited"
    decided = store.outcomes("w")
    store.say(SessionFlagged(id="flag", at=store.now, session="w", flag=flag))
    if anew:
        store.restart()
    store.present(b="available")
    assert store.outcomes("w") == decided
    store.opens("s2")
    assert store.has("s2") == "b"
    store.closes("s2")
    store.assigns("w", "b")
    store.opens("s3")
    assert store.outcomes("s3") == "waited", "given to somebody by its source it counts as load"


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("first", ["p", None])
def test_a_source_names_another_group_for_the_same_agent(database: Database, first: str | None, anew: bool) -> None:
    store = RoutedStore(database, *TWO_GROUPS, here="abc")
    store.opens("s1", wrote=False, customer="k")
    store.now += 1000
    store.assigns("s1", "b", first)
    store.now += 1000
    store.assigns("s1", "b", "q")
    if anew:
        store.restart()
    store.now += 1000
    assert store.commands("move", session="s1", agent="a") == ""
    assert store.last("s1").group == "q"
    assert store.rows("SELECT g.code FROM sessions s JOIN skill_groups g ON g.id = s.group_id") == [("q",)]


@pytest.mark.parametrize("anew", [False, True])
def test_nor_is_who_was_flagged_before_their_agent_left(database: Database, anew: bool) -> None:
    store = RoutedStore(database, group("g", {"a": 1, "b": 1}), here="a")
    store.opens("w")
    store.say(SessionFlagged(id="flag", at=store.now, session="w", flag="spam"))
    store.present(a="offline")
    if anew:
        store.restart()
    store.present(b="available")
    assert store.outcomes("w") == "assigned waited"
    assert store.commands("move", session="w", agent="b") == ""
    assert store.has("w") == "b"


class TestASourceTakesOver:
    """What the routing had made of it before is forgotten, whoever moves it by hand afterwards."""

    @pytest.mark.parametrize("anew", [False, True])
    def test_a_leave_message_is_a_conversation_from_then_on(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, group("g", {"a": 1, "c": 1}), caps={"a": 1, "c": 1})
        store.opens("s1")
        store.present(a="available")
        assert (store.has("s1"), store.reason("s1")) == ("a", "leave")
        store.now += 1000
        store.assigns("s1", "b")
        store.present(c="available", a="offline", b="available")
        for agent in "cbc":
            assert store.commands("move", session="s1", agent=agent) == ""
        if anew:
            store.restart()
        store.opens("s2")
        assert (store.has("s1", "s2"), store.outcomes("s2")) == ("c -", "waited")

    @pytest.mark.parametrize("anew", [False, True])
    def test_also_one_that_waits_given_to_whoever_had_it(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, group("g", {"a": 1, "c": 1}), caps={"a": 1, "c": 1})
        store.opens("s1")
        store.present(a="available")
        store.present(a="offline")
        assert store.outcomes("s1") == "leave assigned leave"
        store.now += 1000
        store.assigns("s1", "a")
        store.present(c="available")
        assert store.commands("move", session="s1", agent="c") == ""
        if anew:
            store.restart()
        store.opens("s2")
        assert (store.has("s1", "s2"), store.outcomes("s2")) == ("c -", "waited")

    @pytest.mark.parametrize("anew", [False, True])
    def test_a_leave_message_that_nobody_else_took_remains_one(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, group("g", {"a": 1, "c": 1}), caps={"a": 1, "c": 1})
        store.opens("s1", "s0")
        store.present(a="available", c="available")
        for agent in "caca":
            store.commands("move", session="s1", agent=agent)
        if anew:
            store.restart()
        store.opens("s2", "s3")
        assert store.outcomes("s2") == store.outcomes("s3") == "assigned"

    @pytest.mark.parametrize("anew", [False, True])
    def test_what_was_transferred_belongs_where_its_customer_does(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, *TWO_GROUPS, here="abc")
        store.opens("s1", page="item")
        assert store.commands("transfer", session="s1", group="q") == ""
        store.now += 1000
        store.assigns("s1", "a", "p")
        assert store.commands("move", session="s1", agent="b") == ""
        if anew:
            store.restart()
        store.present(b="offline")
        assert (store.has("s1"), store.last("s1").group) == ("a", "p")


class TestWhoServedLast:
    def test_also_where_a_source_had_it_done_by_another(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), here="ab")
        store.opens("s1", customer="k")
        assert store.has("s1") == "a"
        store.closes("s1")
        at = store.now
        store.say(
            *store.arrival("s2", "k", group="g"),
            SessionAssigned(id="given", at=at + 1, session="s2", agent="b", group="g"),
            SessionClosed(id="end", at=at + 2, session="s2"),
        )
        store.now += 1000
        store.opens("s3", customer="k")
        assert (store.has("s3"), store.reason("s3")) == ("b", "returning")

    @pytest.mark.parametrize("anew", [False, True])
    def test_of_one_moved_by_hand_the_one_it_was_moved_to(self, database: Database, anew: bool) -> None:
        store = RoutedStore(database, group("g", {"a": 1, "b": 9}), here="ab")
        store.opens("s1", customer="k")
        assert store.has("s1") == "b"
        assert store.commands("move", session="s1", agent="a") == ""
        if anew:
            store.restart()
        store.opens("s2", customer="k")
        assert (store.has("s2"), store.reason("s2")) == ("a", "returning")


class TestTwoEngines:
    def test_what_the_other_decided_without_giving_it_to_anybody_is_heard(self, database: Database) -> None:
        store = RoutedStore(database, *TWO_GROUPS, caps={"a": 1, "c": 1}, here="ac")
        store.opens("s1", page="item")
        store.opens("s2", page="shop")
        store.opens("w", page="item")
        assert store.has("s1", "s2", "w") == "a c -"
        one, other = store.routing, store.engine()
        other.turn()
        store.workspace.commands.give(store.info, "transfer", session="w", group="q")
        store.now += 10
        other.turn()
        assert [decision.group for decision in store.decided("w")] == ["p", "q"]
        one.turn()
        store.closes("s1")
        assert one is store.routing
        assert (store.has("w"), store.outcomes("w")) == ("-", "waited waited")
        store.closes("s2")
        assert (store.has("w"), store.outcomes("w")) == ("c", "waited waited assigned")


class TestCommandsAboutWhatIsNobodysToGive:
    def test_in_a_store_without_groups(self, database: Database) -> None:
        store = RoutedStore(database, here="ab")
        store.opens("s1")
        store.say(SessionOpened(id="elsewhere", at=NOON, session="s0", customer="k", agent="a", group="g"))
        assert store.commands("transfer", session="s1", group="g") == "店铺还没有咨询组，请直接指定客服"
        assert store.commands("move", session="s1", agent="a") == ""
        assert (store.has("s1"), store.reason("s1"), store.outcomes("s1")) == ("a", "manual", "assigned")
        store.restart()
        assert store.commands("move", session="s1", agent="b") == ""
        assert (store.has("s1"), store.outcomes("s1")) == ("b", "assigned assigned")

    def test_before_the_customer_has_written(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), caps={"a": 1}, here="ab")
        store.opens("s1", wrote=False)
        assert store.commands("transfer", session="s1", group="g") == "会话 s1 的客户还没有发言，请直接指定客服"
        store.present(b="suspended")
        assert "不能接转接" in store.commands("move", session="s1", agent="b")
        assert store.decided("s1") == []
        assert store.commands("move", session="s1", agent="a") == ""
        assert (store.has("s1"), store.reason("s1")) == ("a", "manual")
        store.say(MessageSent(id="at-last", at=store.now, session="s1", sender="customer", text="在吗"))
        store.opens("s2")
        assert store.has("s1", "s2") == "a -", "it counts as load"

    def test_of_a_flagged_session(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="a")
        store.opens("s1", turn=False)
        store.say(SessionFlagged(id="robot", at=store.now, session="s1", flag="bot_only"))
        assert store.commands("transfer", session="s1", group="g") == "会话 s1 已标记，请直接指定客服"
        assert store.commands("move", session="s1", agent="a") == ""
        assert store.has("s1") == "a"

    def test_of_one_that_has_not_begun(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="a")
        store.say(MessageSent(id="early", at=store.now, session="s1", sender="customer", text="在吗"))
        assert store.commands("move", session="s1", agent="a") == "会话 s1 还没有开始"

    @pytest.mark.parametrize(("kind", "to"), [("move", {"agent": "a"}), ("transfer", {"group": "g"})])
    def test_of_an_old_session_whose_agent_is_still_waited_for(
        self, database: Database, kind: str, to: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [0.0]
        monkeypatch.setattr("app.desk.turn.time.monotonic", lambda: clock[0])
        store = RoutedStore(database, group("g", {"a": 6}), here="a")
        store.now -= HOUR
        store.opens("s1", turn=False)
        store.now += HOUR
        store.routing.turn()
        assert store.decided("s1") == []
        assert store.commands(kind, session="s1", **to) == ""
        clock[0] += LATE_PATIENCE_SECONDS
        store.routing.turn()
        assert (store.has("s1"), store.outcomes("s1")) == ("a", "assigned")

    def test_one_that_could_not_be_moved_is_taken_when_its_time_comes(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = [0.0]
        monkeypatch.setattr("app.desk.turn.time.monotonic", lambda: clock[0])
        store = RoutedStore(database, group("g", {"a": 6}), here="ab")
        store.present(b="suspended")
        store.now -= HOUR
        store.opens("s1", turn=False)
        store.now += HOUR
        store.routing.turn()
        assert "不能接转接" in store.commands("move", session="s1", agent="b")
        clock[0] += LATE_PATIENCE_SECONDS
        store.routing.turn()
        assert (store.has("s1"), store.outcomes("s1")) == ("a", "assigned")


def test_who_has_been_idle_longest_where_it_is_still_yesterday(database: Database) -> None:
    """Two days are looked back by the store's day, which west of Greenwich ends later."""
    open_store(database, "west", "America/New_York")
    store = RoutedStore(database, group("g", {"a": 5, "b": 5, "c": 5}), code="west")
    midnight = NOON // (24 * HOUR) * 24 * HOUR
    store.now = midnight - HOUR
    store.present(a="available", b="available", c="available")
    store.now = midnight + HOUR
    store.opens("s1", "s2", "s3")
    assert store.has("s1", "s2", "s3") == "a b c"
    for session in ("s2", "s3", "s1"):
        store.now += 60_000
        store.closes(session)
    store.now = midnight + 48 * HOUR + HOUR // 2
    store.restart()
    store.opens("s4", "s5", "s6")
    assert store.has("s4", "s5", "s6") == "b c a"
