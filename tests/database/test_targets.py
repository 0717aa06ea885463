"""Whom a session is offered to be handed to is whom the routing lets it be handed to."""

from __future__ import annotations

import time
from typing import Any

import pytest

from app.desk.routing import Routing
from app.domain import events as ev
from app.domain.permissions import local_owner
from app.services.targets import targets
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from tests.database.routed_store import RoutedStore, group

STATES: dict[str, ev.State] = {"a1": "available", "a2": "away", "a3": "available", "a4": "suspended", "a5": "offline", "a6": "available",
                               "a7": "available"}  # fmt: skip
GROUPS: list[dict[str, Any]] = [
    {"code": "free", "scope": {"skus": ["k1"]}, "members": [{"agent": "a1"}, {"agent": "a2"}], "overflow": False},
    {"code": "full", "scope": {"skus": ["k2"]}, "members": [{"agent": "a3"}], "overflow": False},
    {"code": "transfers", "scope": {"skus": ["k3"]}, "members": [{"agent": "a2", "weight": 0}], "overflow": False},
    {"code": "cap-0", "scope": {"skus": ["k6"]}, "members": [{"agent": "a3", "weight": 0}, {"agent": "a7"}], "overflow": False},
    {"code": "away", "scope": {"skus": ["k4"]}, "members": [{"agent": "a4"}, {"agent": "a5"}, {"agent": "a6"}], "overflow": False},
    {"code": "closed", "scope": {"skus": ["k5"]}, "members": [{"agent": "a1"}], "open": False},
    {"code": "full-0", "scope": {"skus": ["k7"]}, "members": [{"agent": "a3", "weight": 0}], "overflow": False},
    {"code": "all", "type": "fallback", "members": [{"agent": "a1"}]},
]


class Floor:
    """A store with one session at a1, and a3 at cap; a6 does not receive."""

    def __init__(self, database: Database) -> None:
        now = time.time_ns() // 1_000_000
        recorder = Recorder(database, open_store(database, "shop", "Asia/Shanghai", "shop"))
        recorder.record([ev.AgentUpserted(id=f"u{code}", at=now - 9000, agent=code, name=f"名{code}") for code in STATES])
        recorder.record([ev.AgentPresence(id=f"p{code}", at=now - 9000, agent=code, state=state) for code, state in STATES.items()])
        self.workspace = Workspace(database, local_owner())
        self.store: StoreInfo = self.workspace.store("shop")
        self.workspace.settings.save(self.store, "groups", {"groups": [{**group, "name": group["code"]} for group in GROUPS]})
        agents = [{"agent": "a3", "capacity": 1}, {"agent": "a6", "receives": False}, {"agent": "a7", "capacity": 0}]
        self.workspace.settings.save(self.store, "agents", {"agents": agents})
        for code, agent in (("held", "a1"), ("other", "a3")):
            recorder.record(
                [
                    ev.SessionOpened(id=f"o{code}", at=now - 5000, session=code, customer=f"c{code}"),
                    ev.SessionAssigned(id=f"s{code}", at=now - 5000, session=code, agent=agent, group="all"),
                    ev.MessageSent(id=f"m{code}", at=now - 5000, session=code, sender="customer", text="在吗"),
                ]
            )
        self.routing = Routing(database, self.store.id, lambda: self.workspace.now(self.store))
        self.routing.turn()

    def give(self, kind: Any, **body: str) -> bool:
        """Whether it was carried out."""
        number = self.workspace.commands.give(self.store, kind, session="held", **body)
        self.routing.turn()
        status = self.workspace.commands.status(self.store, number)
        assert status.done_at is not None
        return status.refused is None

    def decided(self) -> tuple[str, str]:
        last = self.workspace.decisions.of(self.store, "held")[-1]
        return last.outcome, last.group


@pytest.mark.parametrize("agent", [code for code in STATES if code != "a1"])
def test_an_agent_is_offered_who_may_be_given_a_session(database: Database, agent: str) -> None:
    floor = Floor(database)
    offered = {target.code: target for target in targets(floor.workspace, floor.store).agents}
    assert set(offered) == set(STATES)
    assert (offered["a1"].active, offered["a3"].active, offered["a3"].full) == (1, 1, True)
    assert floor.give("move", agent=agent) == (offered[agent].why_not is None)


@pytest.mark.parametrize("group", [group["code"] for group in GROUPS])
def test_a_group_is_free_when_it_would_take_the_session_at_once(database: Database, group: str) -> None:
    floor = Floor(database)
    offered = {target.code: target for target in targets(floor.workspace, floor.store).groups}
    assert list(offered) == [group["code"] for group in GROUPS]
    assert floor.give("transfer", group=group) == (offered[group].why_not is None)
    if offered[group].why_not is None:
        assert floor.decided() == ("assigned" if offered[group].free else "waited", group)


def test_a_leave_message_takes_up_no_room(database: Database) -> None:
    shop = RoutedStore(database, group("g", {"a": 6}), caps={"a": 1})
    shop.opens("left")
    shop.present(a="available")
    assert shop.has("left") == "a"
    found = targets(shop.workspace, shop.info)
    assert (found.agents[0].active, found.agents[0].full, found.groups[0].free) == (0, False, 1)
    shop.opens("new")
    assert shop.has("new") == "a"
    found = targets(shop.workspace, shop.info)
    assert (found.agents[0].active, found.agents[0].full, found.groups[0].free) == (1, True, 0)


def test_who_waits_elsewhere_takes_up_no_room(database: Database) -> None:
    """Its row goes on naming whom it was taken from."""
    groups = [group(code, {agent: 1}, scope={"skus": [sku]}, overflow=False) for code, agent, sku in (("g", "a", "1"), ("h", "b", "2"))]
    shop = RoutedStore(database, *groups, caps={"a": 1, "b": 1}, here="ab")
    shop.opens("s1", sku="1")
    shop.opens("s2", sku="2")
    assert shop.commands("transfer", session="s1", group="h") == ""
    assert (shop.has("s1"), shop.last("s1").outcome) == ("a", "waited")
    found = targets(shop.workspace, shop.info)
    assert [(agent.active, agent.full) for agent in found.agents] == [(0, False), (1, True)]
    assert [group.free for group in found.groups] == [1, 0]
    shop.opens("s3", sku="1")
    assert shop.has("s3") == "a"
    assert targets(shop.workspace, shop.info).groups[0].free == 0
    shop.assigns("s1", "a")
    assert targets(shop.workspace, shop.info).agents[0].active == 2


def test_a_leave_message_is_one_also_after_a_move_until_others_take_it_over(database: Database) -> None:
    shop = RoutedStore(database, group("g", {"a": 1, "b": 1}), caps={"a": 1, "b": 1})
    shop.opens("left")
    shop.present(a="available", b="available")
    had = shop.has("left")
    other = "b" if had == "a" else "a"
    assert shop.commands("move", session="left", agent=other) == ""
    assert [(agent.active, agent.full) for agent in targets(shop.workspace, shop.info).agents] == [(0, False)] * 2
    shop.now += 1000
    shop.assigns("left", had)
    assert [agent.code for agent in targets(shop.workspace, shop.info).agents if agent.full] == [had]
    assert shop.commands("move", session="left", agent=other) == ""
    assert [agent.code for agent in targets(shop.workspace, shop.info).agents if agent.full] == [other]
