"""The settings pages by keyboard alone: Tab goes as it is seen, through checks and drawer to the foot; Ctrl+S saves."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.permissions import local_owner
from app.domain.routing_edits import with_weights
from tests.journeys.seats_desk import Shop, opened
from tests.journeys.settings_desk import RoutingHands as Hands
from tests.journeys.settings_desk import three_agents, with_two_groups
from ui.pages.settings.base import DraftPage


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return with_two_groups(three_agents(shop))


def walk(start: QWidget, key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """Everything the keyboard comes to until it is where it was."""
    start.setFocus()
    found: list[QWidget] = []
    while (now := QApplication.focusWidget()) is not None and now not in found:
        found.append(now)
        QTest.keyClick(now, key)
    return found


def test_tab_goes_from_the_table_through_checks_and_drawer_to_the_foot_and_back(groups: Hands) -> None:
    page = groups.groups
    page._cell_opened("pre", "open")
    groups.desk.settle()
    page.open_group("pre")
    groups.desk.settle()
    assert page.checks.shown()
    for way, key in ((1, Qt.Key.Key_Tab), (-1, Qt.Key.Key_Backtab)):
        seen = walk(page.table, key)
        inside = [page.checks, page.drawer]
        parts = [next((part for part in inside if part.isAncestorOf(stop)), stop) for stop in seen]
        ordered = list(dict.fromkeys(parts))
        foot = [page.note, page.try_it, page.discard, page.save]
        wanted: list[QWidget] = [page.table, *inside, *foot]
        at = [ordered.index(part) for part in wanted]
        turned = at if way == 1 else [0, *reversed(at[1:])]
        assert turned == sorted(turned)
        assert len(seen) == len(set(seen))


@pytest.mark.parametrize("key", ["account_sync", "order_window"])
def test_tab_goes_from_the_form_to_the_foot(shop: Shop, tmp_path: Path, qtbot: QtBot, key: str) -> None:
    with opened(shop, tmp_path, qtbot, local_owner(), key) as desk:
        hands = Hands(desk)
        page = desk.host.page
        assert isinstance(page, DraftPage)
        if key == "account_sync":
            hands.page.edit(with_weights(hands.page.groups, "pre", {"a1": 1}))
        else:
            hands.click(next(button for button in page.findChildren(QAbstractButton) if button.text() == "15天"))
        desk.settle()
        seen = walk(page.discard, Qt.Key.Key_Backtab)
        assert seen.index(page.note) < min(seen.index(stop) for stop in seen if page._content.isAncestorOf(stop))  # type: ignore[union-attr]
        assert page.save in seen


def test_tab_reaches_save_beside_an_open_agent(agents: Hands) -> None:
    page = agents.agents
    page.table.select("a1")
    page._open_selected()
    agents.keys(agents.agent_panel().receives, Qt.Key.Key_Space)
    seen = walk(page.table)
    assert seen.index(page.save) > seen.index(page.note) > seen.index(agents.agent_panel().receives)


def test_ctrl_s_saves_what_was_typed_just_now(groups: Hands) -> None:
    page = groups.groups
    page.open_group("pre")
    name = groups.panel().forms["basics"].editor("name").target()
    assert isinstance(name, QLineEdit)
    name.setFocus()
    QTest.keyClicks(name, "!")
    QTest.keyClick(name, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    groups.desk.settle()
    assert [group["name"] for group in groups.saved("groups")["groups"]] == ["售前!", "兜底"]
    QTest.keyClick(name, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)  # nothing to save: nothing happens
    groups.desk.settle()
    assert not page.dirty()
