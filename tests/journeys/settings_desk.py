"""The hands at a page of settings, and somebody else who saves meanwhile."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QPushButton, QWidget

from app.domain.permissions import Actor, local_owner
from app.services.workspace import Workspace
from tests.journeys.seats_desk import HOUR, NOON, Desk, Shop
from ui.pages.settings.agent_panel import AgentPanel
from ui.pages.settings.agents import AgentsPage
from ui.pages.settings.base import DraftPage
from ui.pages.settings.group_panel import GroupPanel
from ui.pages.settings.groups import GroupsPage
from ui.pages.settings.routing import RoutingPage


def member(agent: str, weight: int = 6) -> dict[str, Any]:
    return {"agent": agent, "weight": weight}


TWO: dict[str, Any] = {
    "groups": [
        {"code": "pre", "name": "售前", "scope": {"skus": ["sku1", "sku2"]}, "members": [member("a1"), member("a2", 3)]},
        {"code": "all", "name": "兜底", "type": "fallback", "members": [member("a1"), member("a2"), member("a3")]},
    ],
    "default_group": "pre",
}


class Hands:
    """One page and the hands at it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.host.activate(None)
        desk.settle()

    @property
    def page(self) -> DraftPage:
        found = self.desk.host.page
        assert isinstance(found, DraftPage)
        return found

    @property
    def key(self) -> str:
        """Of the document that is looked at."""
        return self.desk.key

    def click(self, button: QWidget) -> None:
        assert button.isEnabled()
        at = QPoint(8, button.height() // 2) if isinstance(button, QCheckBox) else QPoint()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        self.desk.settle()

    def save(self) -> None:
        self.click(self.page.save)

    def keys(self, widget: QWidget, *keys: Qt.Key | str) -> None:
        widget.setFocus()
        self.desk.keys(widget, *keys)

    def restore(self, note: str = "") -> None:
        """The revision that is looked at, and the answer to the question."""
        self.click(self.page.past.restore)
        question = self.page.past.question
        assert question is not None
        question.note.setText(note)
        self.click(question.go)

    def sides(self) -> list[tuple[str, str, str]]:
        """(before, theirs, mine) of what the bar of a conflict shows, "" for who left it as it was."""
        return [
            (str(side.before), "" if side.theirs is None else str(side.theirs), "" if side.mine is None else str(side.mine))
            for side in self.page.conflict.sides()
        ]

    def saved(self, key: str = "") -> dict[str, Any]:
        return self.desk.workspace.settings.get(self.desk.store, key or self.key).body

    def somebody_saves(self, body: dict[str, Any], base: int | None = None, key: str = "") -> None:
        other = Workspace(self.desk.shop.database, Actor("张三", local_owner().permissions))
        other.settings.save(self.desk.store, key or self.key, body, base, "夜班")


class RoutingHands(Hands):
    """At the pages of groups and agents."""

    @property
    def key(self) -> str:
        return "groups"

    @property
    def page(self) -> RoutingPage:
        found = super().page
        assert isinstance(found, RoutingPage)
        return found

    @property
    def groups(self) -> GroupsPage:
        assert isinstance(self.page, GroupsPage)
        return self.page

    @property
    def agents(self) -> AgentsPage:
        assert isinstance(self.page, AgentsPage)
        return self.page

    def weights(self, code: str = "pre") -> dict[str, int]:
        group = next(group for group in self.saved()["groups"] if group["code"] == code)
        return {held["agent"]: held["weight"] for held in group["members"]}

    def said(self) -> list[str]:
        return [check.sentence.zh for check in self.page.checks.shown()]

    def remedy(self, words: str) -> None:
        button = next(b for b in self.page.checks.findChildren(QPushButton) if b.text() == words)
        self.click(button)

    def panel(self) -> GroupPanel:
        found = self.groups.drawer.current()
        assert isinstance(found, GroupPanel)
        return found

    def agent_panel(self) -> AgentPanel:
        found = self.agents.drawer.current()
        assert isinstance(found, AgentPanel)
        return found


def three_agents(shop: Shop) -> Shop:
    """王敏 and 李华 have had one session each in the last hour, of a group that no document names."""
    shop.agent("a1", "王敏", "一组", capacity=5)
    shop.agent("a2", "李华", "一组", capacity=4)
    shop.agent("a3", "赵强", "二组")
    for agent in ("a1", "a2"):
        shop.session(agent, NOON - HOUR, reply_after=10_000, group="pre")
    return shop


def with_two_groups(shop: Shop) -> Shop:
    """`TWO` saved as the first revision."""
    workspace = Workspace(shop.database, local_owner())
    workspace.settings.save(workspace.store("shop"), "groups", TWO, 0, "开始")
    return shop
