"""What the settings say of leave messages and of agents whom no document names, through the engine, on both databases."""

from __future__ import annotations

from app.domain.events import AgentUpserted
from app.storage.database import Database
from tests.database.routed_store import RoutedStore, group

HOUR = 3_600_000


def saves(store: RoutedStore, **documents: object) -> None:
    store.workspace.settings.save_all(store.info, {key: (body, None) for key, body in documents.items()})
    store.routing.turn()


class TestLeaveRule:
    def test_leave_messages_go_to_the_chosen_alone(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6, "c": 6}), here="ac")
        saves(store, leave_rule={"on": True, "agents": ["b", "c"]})
        store.opens("1", "2", kind="leave")
        assert store.has("1", "2") == "c c"
        assert "留言只分给 2 名指定客服，其中 1 名在线" in store.why("2")
        assert store.last("2").revisions == (1, 1, 1)

    def test_they_wait_for_one_of_the_chosen_and_for_nobody_when_the_rule_is_off(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), here="a")
        saves(store, leave_rule={"on": True, "agents": ["b"]})
        store.opens("1", "2", kind="leave")
        assert store.has("1", "2") == "- -"
        store.restart()
        assert store.has("1", "2") == "- -"
        saves(store, leave_rule={"on": False, "agents": ["b"]})
        assert store.has("1", "2") == "a a"


class TestDefaultGroup:
    def test_an_account_that_appears_joins_it_and_is_told_of_in_the_reasons(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="a")
        saves(store, groups={"groups": [group("g", {"a": 6})], "default_group": "g"})
        store.say(AgentUpserted(id=store.id(), at=store.now, agent="new", name="新人", capacity=1))
        store.present(new="available")
        store.opens("1", "2", "3", "4")
        assert store.has("1", "2", "3", "4") == "a new a a"
        assert any("满载" in line and "新人" in line for line in store.why("4"))

    def test_who_is_named_by_a_document_does_not(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="ab")
        saves(store, groups={"groups": [group("g", {"a": 6})], "default_group": "g"}, agents={"agents": [{"agent": "b"}]})
        store.opens("1", "2")
        assert store.has("1", "2") == "a a"
        saves(store, agents={"agents": []})
        store.opens("3", "4")
        assert set(store.has("3", "4").split()) == {"a", "b"}

    def test_nobody_joins_where_no_group_is_chosen(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6}), here="ab")
        store.opens("1", "2")
        assert store.has("1", "2") == "a a"


class TestNobodyForLeaveMessages:
    def test_it_is_told_from_the_set_hour_until_one_of_them_comes(self, database: Database) -> None:
        store = RoutedStore(database, group("g", {"a": 6, "b": 6}), here="a")
        local = store.workspace.local(store.info)
        midnight = local.start_of_day(local.day(store.now))
        saves(store, leave_rule={"on": True, "agents": ["b"], "alert_at": "10:00"})

        def told(at: int) -> list[tuple[str, int]]:
            return [(need.kind, need.count) for need in store.workspace.live.needs(store.info, at=at) if need.kind == "uncovered"]

        assert told(midnight + 10 * HOUR - 1) == []
        assert told(midnight + 10 * HOUR) == [("uncovered", 1)]
        store.present(b="available")
        assert told(store.now) == []
        store.present(b="offline")
        assert told(store.now) == []
        assert told(midnight + 34 * HOUR) == [("uncovered", 1)]
        saves(store, leave_rule={"on": False, "agents": ["b"], "alert_at": "10:00"})
        assert told(midnight + 34 * HOUR) == []
