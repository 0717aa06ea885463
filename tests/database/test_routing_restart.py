"""An engine that begins anew goes on as the one before would have: what is not decided is taken from the database."""

from __future__ import annotations

from app.domain.events import AgentPresence, MessageSent, SessionClosed
from app.storage.database import Database
from tests.database.routed_store import RoutedStore, group

HOUR = 3_600_000


def test_who_has_been_idle_longest_takes_the_next(database: Database) -> None:
    """Of two who are owed the same; without a restart in between and with one."""
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, group("g", {"a": 5, "b": 5, "c": 5}), here="abc", code=code)
        store.opens("s1", "s2", "s3")
        assert store.has("s1", "s2", "s3") == "a b c"
        for session in ("s2", "s3", "s1"):
            store.now += 60_000
            store.closes(session)
        if restarts:
            store.restart()
        store.opens("s4", "s5", "s6")
        assert store.has("s4", "s5", "s6") == "b c a"


def test_who_came_last_has_been_idle_shortest(database: Database) -> None:
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, group("g", {"a": 5, "b": 5}), code=code)
        store.present(b="available")
        store.now += HOUR
        store.present(a="available")
        if restarts:
            store.restart()
        store.opens("s1")
        assert store.has("s1") == "b"


def test_who_handed_a_customer_to_another_group_takes_them_again_in_their_own(database: Database) -> None:
    groups = group("p", {"a": 1, "x": 9}, scope={"skus": ["1"]}), group("q", {"b": 6}, scope={"skus": ["2"]})
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, *groups, here="ab", code=code)
        store.opens("s1", customer="k", sku="1")
        assert store.commands("transfer", session="s1", group="q") == ""
        store.closes("s1")
        store.present(x="available")
        if restarts:
            store.restart()
        store.opens("s2", customer="k", sku="1")
        assert (store.has("s2"), store.reason("s2")) == ("a", "returning")


def test_a_customer_who_writes_again_is_given_to_somebody_when_their_agent_has_gone(database: Database) -> None:
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, group("g", {"a": 9, "b": 1}), here="ab", code=code)
        store.opens("s1")
        store.closes("s1")
        store.present(a="offline")
        if restarts:
            store.restart()
        store.say(MessageSent(id="again", at=store.now, session="s1", sender="customer", text="在吗"))
        assert (store.has("s1"), store.outcomes("s1")) == ("b", "assigned assigned")


def test_who_waited_when_they_left_waits_again_when_they_write(database: Database) -> None:
    store = RoutedStore(database, group("p", {"a": 6}, scope={"skus": ["1"]}), group("q", {"b": 6}, scope={"skus": ["2"]}), here="ab")
    store.present(b="suspended")
    store.opens("s1", sku="1")
    assert store.commands("transfer", session="s1", group="q") == ""
    store.closes("s1")
    store.say(MessageSent(id="again", at=store.now, session="s1", sender="customer", text="在吗"))
    assert (store.has("s1"), store.last("s1").outcome, store.last("s1").group) == ("a", "assigned", "p")


def test_who_was_handed_to_the_group_they_wait_in_stays_there(database: Database) -> None:
    """Also where other settings would take them elsewhere."""
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, group("p", {"a": 6}), caps={"a": 1}, here="ab", code=code)
        store.opens("s0", "s1", sku="1")
        assert store.commands("transfer", session="s1", group="p") == ""
        if restarts:
            store.restart()
        store.configure(group("p", {"a": 6}, scope={"pages": ["item"]}), group("q", {"b": 6}, scope={"skus": ["1"]}), caps={"a": 1})
        assert (store.has("s0", "s1"), store.outcomes("s1")) == ("a -", "waited waited")


def test_who_was_decided_about_first_is_next(database: Database) -> None:
    """Whoever opened a session first and wrote later comes later."""
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="a", code=code)
        store.opens("busy")
        store.say(*store.arrival("silent", wrote=False))
        store.now += 5000
        store.opens("w")
        store.now += 5000
        store.say(MessageSent(id="at-last", at=store.now, session="silent", sender="customer", text="在吗"))
        store.now += 5000
        if restarts:
            store.restart()
        store.closes("busy")
        assert store.has("silent", "w") == "- a"
        store.closes("w")
        assert store.has("silent") == "a"
        assert "等待了 5 秒" in store.why("silent")


def test_who_was_transferred_stands_in_line_since_they_came(database: Database) -> None:
    """Also where a source had given them to somebody, at once or long after they came, or a supervisor had, or they wrote once more."""
    groups = group("p", {"a": 6}, scope={"skus": ["1"]}), group("q", {"b": 6}, scope={"skus": ["2"]}, overflow=False)
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, *groups, caps={"b": 1}, here="ab", code=code)
        store.opens("busy", sku="2")
        store.opens("early", sku="1", agent="a")
        store.opens("again", sku="1")
        store.closes("again")
        store.say(*store.arrival("moved", wrote=False, sku="1"))
        store.opens("late", sku="2")
        store.now += 1000
        store.commands("move", session="moved", agent="a")
        store.say(MessageSent(id="again", at=store.now, session="again", sender="customer", text="在吗"))
        for session in ("again", "moved", "early"):
            store.now += 1000
            assert store.commands("transfer", session=session, group="q") == ""
        if restarts:
            store.restart()
        waiting, taken = {"early", "again", "moved", "late"}, ["busy"]
        while waiting:
            store.closes(taken[-1])
            (following,) = [session for session in waiting if store.last(session).outcome == "assigned"]
            waiting.remove(following)
            taken.append(following)
        assert taken == ["busy", "early", "again", "moved", "late"]


class TestSeveralThingsAtOnce:
    def test_who_is_about_to_be_suspended_takes_nothing(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), here="ab")
        store.opens("s1", "s2")
        assert store.has("s1", "s2") == "a b"
        store.workspace.commands.give(store.info, "suspend", agent="b")
        store.say(AgentPresence(id="gone", at=store.now, agent="a", state="offline"))
        assert (store.last("s1").outcome, store.has("s2")) == ("waited", "b")

    def test_nor_who_goes_while_the_settings_change(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="ab")
        store.opens("s1", "s2")
        store.recorder.record([AgentPresence(id="gone", at=store.now, agent="b", state="offline")])
        store.configure(group("g", {"a": 6, "b": 6}), caps={"a": 1})
        assert (store.has("s2"), store.outcomes("s2")) == ("-", "waited")

    def test_who_is_given_one_by_others_does_not_take_another(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="a")
        store.opens("s1", "s2")
        store.say(SessionClosed(id="end", at=store.now, session="s1"), *store.arrival("s3", agent="a"))
        assert (store.has("s2", "s3"), store.outcomes("s2")) == ("- a", "waited")


def test_a_customer_has_waited_since_their_last_agent_had_them(database: Database) -> None:
    for code, restarts in (("running", False), ("begun-anew", True)):
        store = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1}, here="a", code=code)
        store.opens("s1", "s2")
        store.now += HOUR
        store.present(a="offline")
        store.now += 50_000
        if restarts:
            store.restart()
        store.present(a="available")
        assert store.has("s1", "s2") == "a -"
        assert "等待了 50 秒" in store.why("s1")
        store.closes("s1")
        assert "等待了 60 分钟" in store.why("s2")  # nobody ever had this one
