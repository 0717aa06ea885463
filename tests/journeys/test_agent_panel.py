"""One agent or several beside the table of 客服总览: values are taken as they are typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from app.domain.permissions import local_owner
from app.domain.routing_edits import with_group, with_weights
from tests.journeys.seats_desk import Shop, opened
from tests.journeys.settings_desk import RoutingHands as Hands
from tests.journeys.settings_desk import three_agents, with_two_groups
from ui.pages.settings.agent_panel import AgentPanel


@pytest.fixture
def agents(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Hands]:
    with opened(with_two_groups(three_agents(shop)), tmp_path, qtbot, local_owner(), "agents") as desk:
        yield Hands(desk)


def panel_of(agents: Hands, *codes: str) -> AgentPanel:
    page = agents.agents
    if len(codes) == 1:
        page.table.select(codes[0])
    else:
        page.table.selectAll()
    agents.click(page.change)
    return agents.agent_panel()


def typed(agents: Hands, text: str) -> None:
    """At whoever has the keyboard."""
    at = agents.page.window().focusWidget()
    assert at is not None
    QTest.keyClicks(at, text)
    agents.desk.settle()


def test_each_letter_is_in_the_draft_at_once(agents: Hands) -> None:
    panel = panel_of(agents, "a1")
    panel.name.setFocus()
    panel.name.selectAll()
    typed(agents, "Wang")
    assert agents.agents.rows.cell("a1", "name").text == "Wang"
    assert agents.page.save.isEnabled()
    panel.capacity.line.setFocus()
    panel.capacity.line.selectAll()
    typed(agents, "9")
    panel.team.setFocus()
    panel._team_line.selectAll()
    typed(agents, "Late")
    assert panel._team_line.text() == "Late"
    body = agents.page.bodies()["agents"]  # what a window that closes now would keep
    assert body["agents"] == [{"agent": "a1", "name": "Wang", "team": "Late", "capacity": 9, "receives": True}]
    agents.save()  # the first click is enough
    assert agents.saved("agents") == body


def test_a_completed_team_is_what_is_seen(agents: Hands) -> None:
    agents.agents._edit_agents(["a3"], {"team": "Evening"})
    agents.desk.settle()
    panel = panel_of(agents, "a1")
    panel.team.setFocus()
    panel._team_line.selectAll()
    typed(agents, "Ev")
    assert panel._team_line.text() == "Evening"
    assert agents.agents.rows.cell("a1", "team").text == "Evening"


def test_what_cannot_be_taken_and_what_is_as_it_was_leave_no_trace(agents: Hands) -> None:
    panel = panel_of(agents, "a1")
    line = panel.capacity.line
    line.setFocus()
    line.selectAll()
    typed(agents, "100")
    assert agents.agents.rows.cell("a1", "capacity").text == "100"
    typed(agents, "0")
    assert panel._capacity_field.error()
    assert line.text() == "1000"
    assert agents.agents.rows.cell("a1", "capacity").text == "5"
    assert not agents.page.dirty()
    line.selectAll()
    typed(agents, "5")
    assert not panel._capacity_field.error()
    assert not agents.page.dirty()
    line.selectAll()
    typed(agents, "7")
    QTest.keyClick(line, Qt.Key.Key_Return)
    typed(agents, "77")  # 777 is allowed, 7777 is not: back to what was confirmed
    typed(agents, "7")
    assert agents.agents.rows.cell("a1", "capacity").text == "7"


def test_whoever_no_longer_fits_the_filter_stays_until_the_drawer_is_closed(agents: Hands) -> None:
    page = agents.agents
    page.search.setText("wangmin")
    page._filter()
    assert page.rows.ids() == ["a1"]
    panel = panel_of(agents, "a1")
    panel.name.setFocus()
    panel.name.selectAll()
    typed(agents, "Zhang")
    assert panel.name.text() == "Zhang"
    assert page.drawer.is_open()
    page.drawer.close_drawer()
    assert page.rows.ids() == []


def test_a_step_of_weights_that_differ_starts_from_the_most_frequent(agents: Hands) -> None:
    panel = panel_of(agents, "a1", "a2", "a3")
    box, weight = panel._rows["pre"]
    assert weight.text() == "--"
    weight.setFocus()
    QTest.keyClick(weight, Qt.Key.Key_Up)
    agents.desk.settle()
    assert [group["weight"] for group in agents.page.groups["groups"][0]["members"]] == [6, 6]
    QTest.keyClick(weight, Qt.Key.Key_Down)
    agents.desk.settle()
    assert weight.value() == 5
    agents.page.edit(with_weights(agents.page.groups, "pre", {"a1": 2, "a2": 2, "a3": 9}))
    agents.desk.settle()
    QTest.keyClick(weight, Qt.Key.Key_Down)
    assert weight.value() == 2
    for _ in range(4):
        QTest.keyClick(weight, Qt.Key.Key_Down)
    assert (weight.value(), weight.text()) == (0, "0")
    agents.page.edit(with_weights(agents.page.groups, "pre", {"a1": 2}))
    agents.desk.settle()
    weight.lineEdit().deselect()
    QTest.keyClicks(weight, "4")
    assert weight.value() == 4
    assert box.isChecked()


LONG = "华东大区旗舰店售前咨询第一行政小组（家电、家居、数码）一二三"


def test_long_group_names_do_not_widen_the_panel(agents: Hands) -> None:
    agents.page.edit(with_group(agents.page.groups, "pre", lambda group: {**group, "name": LONG}))
    agents.desk.settle()
    panel = panel_of(agents, "a1")
    box, weight = panel._rows["pre"]
    area = panel.findChild(QScrollArea)
    assert area is not None
    QApplication.processEvents()
    assert area.widget().width() <= area.viewport().width()
    assert weight.mapTo(panel, weight.rect().topRight()).x() < panel.width()
    assert "…" in box.text()
    assert (box.text()[:2], box.text()[-2:]) == (LONG[:2], LONG[-2:])
    assert (box.toolTip(), box.accessibleName()) == (LONG, LONG)


def test_everything_that_takes_the_keyboard_has_a_name(agents: Hands) -> None:
    panel = panel_of(agents, "a1")
    assert panel.team.accessibleName() == "所属行政组"
    assert [area for area in panel.findChildren(QScrollArea) if area.focusPolicy() & Qt.FocusPolicy.TabFocus] == []
