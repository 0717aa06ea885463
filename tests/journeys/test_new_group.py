"""A new group from its first letter to the customer it takes, and back: the real pages, and the routing that an engine would run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.desk.routing import Routing
from app.domain import events as ev
from app.domain.permissions import local_owner
from app.services.workspace import Workspace
from tests.journeys.history_desk import DAY_MS, HistoryDesk
from tests.journeys.seats_desk import HOUR, MINUTE, NOON, Shop, quiet_window
from ui.pages.replay import ReplayPage
from ui.pages.seats import SeatsPage
from ui.pages.seats.session import SeatSession
from ui.pages.settings.group_panel import GroupPanel
from ui.pages.settings.groups import GroupsPage
from ui.pages.settings.members import MembersDialog

FIRST: dict[str, Any] = {
    "groups": [
        {"code": "pre", "name": "售前", "scope": {"skus": ["sku1"]}, "members": [{"agent": "a1", "weight": 6}]},
        {"code": "all", "name": "兜底", "type": "fallback", "members": [{"agent": "a1", "weight": 6}]},
    ],
}


class Store(Shop):
    def customer(self, code: str, sku: str, region: str, at: int) -> None:
        """Opened by whoever lets customers in: no agent, no group."""
        self.record(
            ev.SessionOpened(id=self.name(), at=at, session=code, customer=f"c-{code}", sku=sku, region=region),
            ev.MessageSent(id=self.name(), at=at, session=code, sender="customer", text="在吗"),
        )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    """The engine has given 王敏 all of last week: two customers a day from 上海 for sku8, and one from 北京."""
    shop = Store(tmp_path / "shop.db")
    for code, name, team in (("a1", "王敏", "一组"), ("a2", "李华", "二组"), ("a3", "曾小燕", "二组")):
        shop.agent(code, name, team, since=NOON - 8 * DAY_MS)
    workspace = Workspace(shop.database, local_owner())
    workspace.settings.save(workspace.store("shop"), "groups", FIRST, 0, "开始")
    routing = Routing(shop.database, shop.id, shop.clock)
    for day in range(7, 0, -1):
        at = NOON - day * DAY_MS
        for number, region in enumerate(("上海市", "上海市", "北京市")):
            shop.set_clock(at + number * MINUTE)
            shop.customer(f"d{day}n{number}", "sku8", region, shop.now)
            routing.turn()
        shop.set_clock(at + HOUR)
        for number in range(3):
            shop.record(ev.SessionClosed(id=shop.name(), at=shop.now, session=f"d{day}n{number}", by="customer"))
        routing.turn()
    shop.set_clock(NOON)
    yield shop
    shop.database.close()


class Desk(HistoryDesk):
    def focused(self) -> QWidget:
        """Who has the keyboard."""
        host = next(host for host in self.hosts.values() if host.isVisible())
        found = host.window().focusWidget()
        assert found is not None
        return found

    def focused_in(self, dialog: QWidget) -> QWidget:
        found = dialog.focusWidget()
        assert found is not None
        return found

    def click(self, button: QWidget) -> None:
        assert button.isEnabled()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.settle()

    def check(self, page: GroupsPage, words: str) -> QPushButton:
        """A button of the checks below the page."""
        return next(button for button in page.checks.findChildren(QPushButton) if button.text() == words)


@pytest.fixture
def desk(shop: Store, tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    with quiet_window(), closing(Desk(shop, tmp_path, qtbot, local_owner())) as desk:
        desk.prefs.put_page("replay", {"period": {"preset": "7d"}})
        yield desk


def test_a_new_group_is_made_tried_saved_used_and_taken_back(desk: Desk, shop: Store) -> None:
    page = desk.show("groups")
    assert isinstance(page, GroupsPage)

    # A group, named and scoped by keyboard.
    desk.keys(page.add, Qt.Key.Key_Space)
    name = desk.focused()
    assert isinstance(name, QLineEdit)
    desk.keys(name, "Shanghai")  # what it was called is replaced
    panel = page.drawer.current()
    assert isinstance(panel, GroupPanel)
    assert page._open is not None
    code = page._open.code
    assert page.rows.cell(code, "name").text == "Shanghai"
    panel.tabs.tabBar().setFocus()
    desk.keys(panel.tabs.tabBar(), Qt.Key.Key_Right)
    assert panel.tabs.currentIndex() == 1
    skus = panel.forms["scope"].editor("skus").target()
    skus.setFocus()
    desk.keys(skus, "sku8,sku9,sku1", Qt.Key.Key_Return)

    # What is wrong is seen at once, with its way out.
    said = [check.sentence.zh for check in page.checks.shown()]
    assert "「售前」与「Shanghai」的服务范围重叠：sku1" in said
    assert not page.save.isEnabled()
    desk.click(desk.check(page, "从「Shanghai」去掉"))
    assert panel.forms["scope"].editor("skus").value() == ["sku8", "sku9"]
    region = next(box for box in panel.forms["scope"].editor("regions").findChildren(QCheckBox) if box.text() == "上海")
    region.setFocus()
    desk.keys(region, Qt.Key.Key_Space)
    assert "「Shanghai」没有成员" in [check.sentence.zh for check in page.checks.shown()]

    # Members by keyboard, weights by a drag and a digit.
    desk.click(panel.members)
    dialog = page.members_dialog
    assert isinstance(dialog, MembersDialog)
    for typed in ("lihua", "zxy"):
        dialog.search.setFocus()
        dialog.search.clear()
        desk.keys(dialog.search, typed, Qt.Key.Key_Return)
        assert page.members_dialog is dialog  # Enter has gone to who was found
        desk.keys(desk.focused_in(dialog), Qt.Key.Key_Space)
    assert dialog.weights == {"a2": 6, "a3": 6}
    viewport, start = dialog.matrix.viewport(), dialog.matrix.cell_rect("a2", "group").center()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(viewport, start - QPoint(0, 24))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start - QPoint(0, 24))
    desk.keys(dialog.matrix, Qt.Key.Key_Down, "3")
    assert dialog.weights == {"a2": 9, "a3": 3}
    assert dialog.matrix.share("a2", "group") == pytest.approx(0.75)
    desk.keys(dialog, Qt.Key.Key_Return)
    assert page.rows.cell(code, "members").text == "2"
    assert [check.sentence.zh for check in page.checks.shown()] == [
        "「售前」的 1 个商品编号在本店从未出现：sku1", "「Shanghai」的 1 个商品编号在本店从未出现：sku9",
    ]  # fmt: skip

    # Last week under it, before anything is saved.
    desk.click(page.try_it)
    key, where = desk.went.pop()
    tried = desk.show(key, where)
    assert isinstance(tried, ReplayPage)
    table = tried.answer.table.rows()
    found = {table.cell(row, "name").text: (table.cell(row, "sessions").text, table.cell(row, "sessions_now").text) for row in table.ids()}
    assert found["王敏"] == ("7", "21")
    assert int(found["李华"][0]) + int(found["曾小燕"][0]) == 14
    assert found["李华"][1] == "0"
    assert desk.workspace.settings.get(desk.store, "groups").revision == 1

    # Saved, and the next customer of that region goes there.
    page = desk.show("groups")
    assert isinstance(page, GroupsPage)
    page.note.setFocus()
    desk.keys(page.note, "new", Qt.Key.Key_Return)
    assert desk.workspace.settings.get(desk.store, "groups").revision == 2
    routing = Routing(shop.database, shop.id, shop.clock)
    shop.customer("next", "sku9", "上海市", NOON)
    shop.customer("other", "sku9", "北京市", NOON)
    routing.turn()
    assert why(desk, "next").startswith("为什么分到这里：")
    assert "Shanghai" in why(desk, "next")
    assert holder(desk, "next") in ("a2", "a3")
    assert "Shanghai" not in why(desk, "other")
    assert holder(desk, "other") == "a1"

    # Taken back from the history.
    page = desk.show("groups")
    assert isinstance(page, GroupsPage)
    desk.keys(page.past_button, Qt.Key.Key_Space)
    assert "new" in page.past.list.item(0).text()
    page.past.list.setFocus()
    desk.keys(page.past.list, Qt.Key.Key_Down)
    assert "Shanghai" in page.past._difference.text()
    desk.keys(page.past.list, Qt.Key.Key_Down)  # before anything was set: without the fallback, which has to stay
    assert "不能恢复：兜底咨询组" in page.past._difference.text()
    assert not page.past.restore.isEnabled()
    desk.keys(page.past.list, Qt.Key.Key_Up)
    desk.click(page.past.restore)
    assert page.past.question is not None
    desk.click(page.past.question.go)
    assert page.rows.ids() == ["pre", "all"]
    shop.customer("after", "sku9", "上海市", NOON)
    routing.turn()
    assert holder(desk, "after") == "a1"
    assert "兜底" in why(desk, "after")
    assert desk.faults == []


def why(desk: Desk, session: str) -> str:
    """As a supervisor reads it beside the transcript."""
    page = desk.show("seats", {"session": session})
    assert isinstance(page, SeatsPage)
    panel = page._detail.drawer.current()
    assert isinstance(panel, SeatSession)
    assert panel._why.isVisible()
    return panel._why.text()


def holder(desk: Desk, session: str) -> str:
    found = desk.workspace.live.transcript(desk.store, session)
    assert found is not None
    return found.session.agent or ""
