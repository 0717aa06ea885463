"""The code of a new group while it is typed: it may pass through those of others without becoming one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.domain.language import set_language
from app.domain.permissions import local_owner
from tests.journeys.seats_desk import Shop, opened
from tests.journeys.settings_desk import RoutingHands as Hands
from tests.journeys.settings_desk import three_agents, with_two_groups


@pytest.fixture
def groups(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Hands]:
    with opened(with_two_groups(three_agents(shop)), tmp_path, qtbot, local_owner(), "groups") as desk:
        yield Hands(desk)


def code_of_a_new_group(groups: Hands) -> QLineEdit:
    groups.click(groups.groups.add)
    line = groups.panel().forms["basics"].editor("code").target()
    assert isinstance(line, QLineEdit)
    line.selectAll()
    return line


def codes(groups: Hands) -> list[tuple[str, str]]:
    return [(group["code"], group["name"]) for group in groups.page.groups["groups"]]


def test_a_code_that_begins_with_another_is_typed_to_its_end(groups: Hands) -> None:
    line = code_of_a_new_group(groups)
    groups.keys(line, "pre")
    assert codes(groups) == [("pre", "售前"), ("all", "兜底"), ("pre", "新咨询组")]
    assert line.isEnabled()
    said = "咨询组ID pre 已被「售前」使用，请换一个"
    assert groups.panel().forms["basics"]._errors[("code",)].error() == said  # type: ignore[union-attr]
    assert groups.said() == [f"「新咨询组」：{said}"]
    assert not groups.page.save.isEnabled()
    groups.keys(line, "2")
    assert codes(groups) == [("pre", "售前"), ("all", "兜底"), ("pre2", "新咨询组")]
    assert groups.groups.table.selected_ids() == ["pre2"]
    assert groups.panel().forms["basics"].editor("name").value() == "新咨询组"
    assert groups.page.groups["groups"][0]["members"]


def test_what_is_done_to_one_of_two_rows_with_the_same_code_is_done_to_that_one(groups: Hands) -> None:
    groups.keys(code_of_a_new_group(groups), "pre")
    page = groups.groups
    first, _, second = page.rows.ids()
    page.table.cell_opened.emit(second, "open")
    groups.desk.settle()
    assert [group["open"] for group in page.groups["groups"]] == [True, True, False]
    page.open_members(str(second))
    assert page.members_dialog is not None
    assert page.members_dialog.weights == {}
    page.members_dialog.tick("a3", on=True)
    groups.click(page.members_dialog.done_button)
    assert [len(group["members"]) for group in page.groups["groups"]] == [2, 3, 1]
    page.table.opened.emit(first)
    groups.desk.settle()
    assert groups.panel().forms["basics"].editor("name").value() == "售前"
    assert not groups.panel().forms["basics"].editor("code").isEnabled()
    page.table.cell_opened.emit(second, "delete")
    groups.desk.settle()
    assert codes(groups) == [("pre", "售前"), ("all", "兜底")]
    assert groups.panel().forms["basics"].editor("name").value() == "售前"
    assert page.groups["groups"][0]["open"]


def test_discarding_it_closes_the_drawer_instead_of_showing_the_other(groups: Hands) -> None:
    groups.keys(code_of_a_new_group(groups), "pre")
    groups.click(groups.page.discard)
    assert not groups.groups.drawer.is_open()
    assert not groups.page.dirty()


def test_an_emptied_code_keeps_its_group(groups: Hands) -> None:
    line = code_of_a_new_group(groups)
    groups.keys(line, Qt.Key.Key_Backspace, "vip")
    assert codes(groups)[2] == ("vip", "新咨询组")
    groups.keys(groups.panel().forms["scope"].editor("skus").target(), "sku9,")
    groups.save()
    assert not line.isEnabled()  # saved, a code stays
    assert groups.saved()["groups"][2]["code"] == "vip"


def test_a_name_in_use_is_refused_with_the_code_of_its_group(groups: Hands) -> None:
    groups.click(groups.groups.add)
    name = groups.panel().forms["basics"].editor("name")
    name.set_value("售前")
    name.changed.emit()
    groups.desk.settle()
    assert any(said.endswith("名称 售前 已被「pre」使用，请换一个") for said in groups.said())


def test_in_english(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    set_language("en")
    try:
        with opened(with_two_groups(three_agents(shop)), tmp_path, qtbot, local_owner(), "groups") as desk:
            hands = Hands(desk)
            hands.keys(code_of_a_new_group(hands), "pre")
            said = [str(check.sentence) for check in hands.page.checks.shown()]
            assert said == ["New group: Code pre is already used by 售前; choose another"]
    finally:
        set_language("zh")
