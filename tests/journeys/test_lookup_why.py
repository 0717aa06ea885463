"""查询: why a session went where it went, beside its transcript."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.desk.routing import Routing
from app.domain import events as ev
from app.domain.permissions import Actor
from app.domain.settings import DOCUMENTS
from app.storage import revisions
from tests.journeys.seats_desk import MINUTE, NOON, Shop, opened
from tests.journeys.test_lookup import LookupDesk


def test_the_look_up_tells_why_a_session_is_where_it_is(shop: Shop, tmp_path: Path, qtbot: QtBot, actor: Actor) -> None:
    group = {"code": "g", "name": "售前", "members": [{"agent": "a2", "weight": 6}]}
    revisions.save(shop.database, shop.id, DOCUMENTS["groups"], {"groups": [group]}, "x")
    at = NOON - MINUTE
    shop.record(
        ev.AgentPresence(id="p", at=at, agent="a2", state="available"),
        ev.SessionOpened(id="o", at=at, session="mine", customer="c"),
        ev.MessageSent(id="m", at=at, session="mine", sender="customer", text="在吗"),
    )
    Routing(shop.database, shop.id, shop.clock).turn()
    with opened(shop, tmp_path, qtbot, actor, "lookup", LookupDesk) as desk:
        page = desk.go(report="sessions")
        page._detail.open("mine")
        desk.settle()
        told = desk.session_panel()._why
        assert told.isVisible()
        assert told.text().startswith("为什么分到这里：「售前」是唯一的咨询组")
        assert "按权重轮到" in told.text()
