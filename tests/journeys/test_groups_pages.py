"""Groups, agents and new accounts: a real store in a file, the draft of two documents, checks and their remedies, somebody meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.domain.permissions import Actor, local_owner
from app.domain.routing_edits import with_weights
from app.domain.routing_settings import GROUPS
from tests.journeys.seats_desk import Shop, opened
from tests.journeys.settings_desk import TWO, member, three_agents, with_two_groups
from tests.journeys.settings_desk import RoutingHands as Hands
from ui.pages.settings.sync import AccountSyncPage
from ui.widgets.empty import EmptyState


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return three_agents(shop)


@pytest.fixture
def stored(shop: Shop) -> Shop:
    return with_two_groups(shop)


@pytest.fixture
def groups(stored: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Hands]:
    with opened(stored, tmp_path, qtbot, local_owner(), "groups") as desk:
        yield Hands(desk)


@pytest.fixture
def agents(stored: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Hands]:
    with opened(stored, tmp_path, qtbot, local_owner(), "agents") as desk:
        yield Hands(desk)


# -- 咨询组管理 --


def test_a_store_without_groups_takes_over_those_of_its_sessions(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    with opened(shop, tmp_path, qtbot, local_owner(), "groups") as desk:
        hands = Hands(desk)
        empty = next(state for state in hands.page.findChildren(EmptyState) if state.isVisible())
        hands.click(empty.button)
        hands.save()
        assert hands.weights() == {"a1": 6, "a2": 6}
        assert hands.groups.rows.cell("pre", "author").text == "owner"


def test_a_group_is_edited_beside_the_list(groups: Hands) -> None:
    groups.groups.table.opened.emit("pre")
    panel = groups.panel()
    panel.tabs.setCurrentIndex(1)
    line = panel.forms["scope"].editor("skus").target()
    groups.keys(line, "sku9,sku1,", Qt.Key.Key_Return)
    assert panel.forms["scope"].editor("skus").value() == ["sku1", "sku2", "sku9"]
    panel.forms["scope"].editor("regions").set_value(["上海", "海外"])
    panel.forms["scope"].changed.emit()
    groups.desk.settle()
    assert "sku9" in groups.page.foot.summary.text()
    groups.page.note.setText("新品")
    groups.save()
    scope = groups.saved()["groups"][0]["scope"]
    assert (scope["skus"], scope["regions"]) == (["sku1", "sku2", "sku9"], ["上海", "海外"])
    assert groups.page.past.list.count() == 3
    assert "新品" in groups.page.past.list.item(0).text()


def test_what_is_wrong_is_told_at_its_field_and_below_and_cannot_be_saved(groups: Hands) -> None:
    groups.groups.open_group("pre")
    name = groups.panel().forms["basics"].editor("name").target()
    name.selectAll()  # type: ignore[attr-defined]
    groups.keys(name, Qt.Key.Key_Delete)
    assert groups.panel().forms["basics"]._errors[("name",)].error()  # type: ignore[union-attr]
    assert any("不能为空" in said for said in groups.said())
    assert not groups.page.save.isEnabled()
    groups.keys(name, "Presale")
    assert groups.page.save.isEnabled()
    assert groups.groups.rows.cell("pre", "name").text == "Presale"
    groups.click(groups.page.discard)
    assert groups.groups.rows.cell("pre", "name").text == "售前"
    assert groups.panel().forms["basics"].editor("name").value() == "售前"


def test_the_fallback_is_neither_closed_nor_deleted_and_says_why(groups: Hands) -> None:
    for key in ("open", "delete"):
        groups.groups.table.cell_opened.emit("all", key)
        assert "兜底咨询组" in groups.desk.toasts.pop()
    assert not groups.page.dirty()
    groups.groups.table.cell_opened.emit("pre", "open")
    groups.desk.settle()
    assert groups.groups.rows.cell("pre", "open").text == "关闭"
    assert any("2 个会话" in said for said in groups.said())
    groups.remedy("开放入口")
    assert not groups.page.dirty()
    groups.groups.table.cell_opened.emit("pre", "delete")
    groups.desk.settle()
    groups.save()
    assert [group["code"] for group in groups.saved()["groups"]] == ["all"]
    assert groups.saved()["default_group"] is None


def test_overlapping_scopes_are_told_while_editing_with_a_way_out(groups: Hands) -> None:
    groups.click(groups.groups.add)
    assert groups.said()[0].startswith("「新咨询组」")  # beside a fallback it needs a scope
    panel = groups.panel()
    groups.keys(panel.forms["scope"].editor("skus").target(), "sku2,sku3,")
    assert groups.said()[0] == "「售前」与「新咨询组」的服务范围重叠：sku2"
    assert not groups.page.save.isEnabled()
    groups.remedy("从「新咨询组」去掉")
    assert panel.forms["scope"].editor("skus").value() == ["sku3"]
    assert groups.said() == ["「新咨询组」没有成员"]
    assert groups.page.save.isEnabled()


def test_nobody_moves_under_the_mouse_when_a_member_is_ticked(groups: Hands) -> None:
    groups.groups.open_members("pre")
    dialog = groups.groups.members_dialog
    assert dialog is not None
    items = list(dialog._items.values())

    def places() -> list[QRect]:
        QApplication.processEvents()
        return [dialog.tree.visualItemRect(item) for item in items]

    before = places()
    dialog.tick("a3", on=True)
    assert places() == before
    dialog.reject()


def test_members_are_ticked_by_team_found_by_pinyin_and_weighed_by_keyboard(groups: Hands) -> None:
    groups.groups.table.cell_opened.emit("pre", "members")
    dialog = groups.groups.members_dialog
    assert dialog is not None
    assert dialog.weights == {"a1": 6, "a2": 3}
    dialog.search.setText("zhao")
    dialog.search.searched.emit("zhao")
    assert [not dialog._items[code].isHidden() for code in ("a1", "a2", "a3")] == [False, False, True]
    dialog.tick("a3", on=True)
    dialog.tick("a2", on=False)
    dialog.matrix.go_to("a3", "group")
    groups.keys(dialog.matrix, "10")
    assert dialog.weights == {"a1": 6, "a3": 10}
    groups.click(dialog.done_button)
    assert groups.groups.members_dialog is None
    assert groups.groups.rows.cell("pre", "members").text == "2"
    groups.save()
    assert groups.weights() == {"a1": 6, "a3": 10}


def test_a_cancelled_dialog_changes_nothing(groups: Hands) -> None:
    groups.groups.open_members("pre")
    dialog = groups.groups.members_dialog
    assert dialog is not None
    dialog.tick("a3", on=True)
    dialog.reject()
    assert not groups.page.dirty()


def test_an_earlier_revision_comes_back_and_says_who_changed_what(groups: Hands) -> None:
    groups.somebody_saves(with_weights(GROUPS.complete(TWO), "pre", {"a1": 9}))
    groups.page.refresh()
    groups.desk.settle()
    assert groups.groups.rows.cell("pre", "author").text == "张三"
    assert groups.groups.rows.cell("all", "author").text == "owner"
    groups.click(groups.page.past_button)
    groups.page.past.list.setCurrentRow(1)
    assert "6 → 9" in groups.page.past._difference.text()
    groups.restore()
    assert groups.weights() == {"a1": 6, "a2": 3}


def test_my_own_save_is_no_conflict_when_the_notice_of_it_comes_before_the_answer(groups: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    page, asked = groups.page, []
    changed = with_weights(page.groups, "pre", {"a2": 8})
    page.edit(changed)
    groups.desk.settle()
    monkeypatch.setattr(page.context.operations, "change", lambda *call: asked.append(call))
    groups.click(page.save)
    groups.somebody_saves(changed)
    page.refresh()
    groups.desk.settle()
    ((_, _, answered, _),) = asked
    answered({"groups": 2})
    groups.desk.settle()
    assert page.conflict.isHidden()
    assert not page.dirty()
    page.edit(with_weights(page.groups, "pre", {"a2": 9}))
    groups.desk.settle()
    assert page.save.isEnabled()


def test_two_who_edit_different_weights_lose_nothing(groups: Hands) -> None:
    page = groups.page
    page.edit(with_weights(page.groups, "pre", {"a2": 8}))
    groups.desk.settle()
    groups.somebody_saves(with_weights(GROUPS.complete(TWO), "pre", {"a1": 1, "a3": 2}))
    groups.save()
    assert page.conflict.isVisible()
    assert "张三 刚保存了第 2 版" in page.conflict.head.text()
    assert sorted(groups.sides()) == [
        ("3", "", "8"), ("6", "1", ""), ("无", "客服 赵强，分配权重值 2", ""),
    ]  # fmt: skip
    assert "不是同一处" in page.conflict.words.text()
    assert not page.save.isEnabled()
    groups.click(page.conflict.keep)
    groups.save()
    assert groups.weights() == {"a1": 1, "a2": 8, "a3": 2}


def test_two_who_edit_the_same_weight_see_both_and_one_is_dropped(groups: Hands) -> None:
    page = groups.page
    page.edit(with_weights(page.groups, "pre", {"a1": 2, "a2": 8}))
    groups.desk.settle()
    groups.somebody_saves(with_weights(GROUPS.complete(TWO), "pre", {"a2": 1}))
    groups.save()
    first, second = page.conflict.sides()
    assert groups.sides() == [("3", "1", "8"), ("6", "", "2")]
    assert (first.contradicts, second.contradicts) == (True, False)
    assert first.path == ("groups", "pre", "members", "a2", "weight")
    assert "两边都改的 1 处用你的" in page.conflict.words.text()
    groups.click(page.conflict.drop)
    assert not page.dirty()
    assert not page.conflict.isVisible()
    assert groups.weights() == {"a1": 6, "a2": 1}
    page.edit(with_weights(page.groups, "pre", {"a2": 8}))
    groups.desk.settle()
    groups.somebody_saves(with_weights(page.saved_bodies()["groups"], "pre", {"a2": 4}))
    groups.save()
    groups.click(page.conflict.keep)  # mine, on top of theirs
    groups.save()
    assert groups.weights() == {"a1": 6, "a2": 8}


def test_what_is_not_saved_survives_the_page_and_can_be_tried(groups: Hands) -> None:
    page = groups.page
    page.edit(with_weights(page.groups, "pre", {"a2": 8}))
    groups.desk.settle()
    desk = groups.desk
    desk.restart()
    again = Hands(desk)
    assert again.page.dirty()
    assert "3 → 8" in again.page.foot.summary.text()


def test_a_broken_database_is_the_pages_own_trouble(groups: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no facts")

    monkeypatch.setattr("ui.pages.settings.routing.routing_facts", broken)
    failed: list[object] = []
    groups.page.failed.connect(failed.append)
    with pytest.MonkeyPatch.context():
        groups.page.refresh()
        groups.desk.settle()
    assert failed


# -- 客服总览 --


def test_agents_of_the_events_and_of_the_documents_stand_together(agents: Hands) -> None:
    rows = agents.agents.rows
    assert rows.ids() == ["a1", "a2", "a3"]
    assert rows.cell("a1", "weights").text == "售前 6、兜底 6"
    assert (rows.cell("a1", "capacity").text, rows.cell("a3", "capacity").text) == ("5", "不限")
    agents.agents.search.setText("lh")
    agents.agents._filter()
    assert rows.ids() == ["a2"]
    agents.agents._clear_filters()
    agents.agents.group.offer([("pre", "售前")], "pre")
    agents.agents._filter()
    assert rows.ids() == ["a1", "a2"]


def test_columns_make_room_for_the_scroll_bar(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    for number in range(30):
        shop.agent(f"b{number:02}", f"新人{number}")
    with opened(shop, tmp_path, qtbot, local_owner(), "agents") as desk:
        desk.host.resize(1060, 670)
        table = Hands(desk).agents.table
        assert table.verticalScrollBar().isVisible()
        assert table.horizontalHeader().length() == table.viewport().width()
        assert not table.horizontalScrollBar().isVisible()


def test_one_agent_touches_both_documents_and_both_are_saved_together(agents: Hands) -> None:
    page = agents.agents
    page.table.select("a3")
    agents.click(page.change)
    panel = agents.agent_panel()
    agents.keys(panel.capacity.line, "7", Qt.Key.Key_Return)
    box, weight = panel._rows["pre"]
    agents.click(box)
    weight.setValue(2)
    agents.desk.settle()
    agents.save()
    assert agents.weights() == {"a1": 6, "a2": 3, "a3": 2}
    assert agents.saved("agents")["agents"] == [{"agent": "a3", "name": "赵强", "team": "二组", "capacity": 7, "receives": True}]
    assert "咨询组" in agents.desk.toasts[-1]
    assert "客服" in agents.desk.toasts[-1]


def test_a_new_account_that_is_edited_stays_in_the_default_group_and_the_difference_says_so(agents: Hands) -> None:
    page = agents.agents
    agents.somebody_saves({**TWO, "groups": [TWO["groups"][0], {**TWO["groups"][1], "members": [member("a1")]}], "default_group": "all"})
    page.refresh()
    agents.desk.settle()
    page.table.select("a3")
    agents.click(page.change)
    agents.keys(agents.agent_panel().capacity.line, "7", Qt.Key.Key_Return)
    told = page.foot.summary.text()
    assert "赵强" in told or "a3" in told
    assert "兜底" in told
    agents.save()
    assert agents.weights("all") == {"a1": 6, "a3": 6}
    assert [entry["agent"] for entry in agents.saved("agents")["agents"]] == ["a3"]


def test_several_agents_at_once(agents: Hands) -> None:
    page = agents.agents
    page.table.selectAll()
    agents.click(page.change)
    panel = agents.agent_panel()
    assert panel.capacity.line.placeholderText() == "各不相同"
    box, _ = panel._rows["pre"]
    assert box.checkState() == Qt.CheckState.PartiallyChecked
    agents.click(box)  # whoever is in already keeps the weight
    agents.keys(panel.capacity.line, "8", Qt.Key.Key_Return)
    agents.click(panel.receives)
    agents.save()
    assert agents.weights() == {"a1": 6, "a2": 3, "a3": 6}
    assert {(held["capacity"], held["receives"]) for held in agents.saved("agents")["agents"]} == {(8, False)}
    assert any("都未开启接待" in said for said in agents.said())
    agents.remedy("全部开启")
    agents.save()
    assert {held["receives"] for held in agents.saved("agents")["agents"]} == {True}


@pytest.mark.parametrize("wrong", ["1000", "many", "-1"])
def test_an_impossible_capacity_is_told_and_not_taken(agents: Hands, wrong: str) -> None:
    agents.agents.table.select("a1")
    agents.click(agents.agents.change)
    agents.keys(agents.agent_panel().capacity.line, Qt.Key.Key_End, Qt.Key.Key_Backspace, wrong, Qt.Key.Key_Return)
    assert agents.agent_panel()._capacity_field.error()
    assert not agents.page.dirty()


def test_the_matrix_by_keyboard(agents: Hands) -> None:
    page = agents.agents
    agents.click(page.view.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)[1])
    matrix = page.matrix
    assert matrix.isVisible()
    assert matrix.current() == ("a1", "pre")
    assert matrix.share("a1", "pre") == pytest.approx(6 / 9)
    agents.keys(matrix, "10")
    assert matrix.weight("a1", "pre") == 10
    agents.keys(matrix, Qt.Key.Key_Down, Qt.Key.Key_Delete, Qt.Key.Key_Down, "4", "+", Qt.Key.Key_Right, "0")
    assert matrix.share("a3", "pre") == pytest.approx(5 / 15)
    assert matrix.share("a3", "all") is None
    assert "权重 0 · 只接转接" in matrix.accessibleDescription()
    agents.save()
    assert agents.weights() == {"a1": 10, "a3": 5}
    assert agents.weights("all") == {"a1": 6, "a2": 6, "a3": 0}


def test_a_block_of_the_matrix_is_set_at_once(agents: Hands) -> None:
    page = agents.agents
    page.view.set_value("matrix")
    page._view_chosen("matrix")
    page.matrix.go_to("a1", "pre")
    shift = Qt.KeyboardModifier.ShiftModifier
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        QTest.keyClick(page.matrix, key, shift)
    agents.keys(page.matrix, "7")
    agents.save()
    assert agents.weights() == agents.weights("all") == {"a1": 7, "a2": 7, "a3": 7}


def test_the_matrix_by_mouse(agents: Hands) -> None:
    page = agents.agents
    page.view.set_value("matrix")
    page._view_chosen("matrix")
    matrix, left = page.matrix, Qt.MouseButton.LeftButton
    start = matrix.cell_rect("a2", "pre").center()
    QTest.mousePress(matrix.viewport(), left, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(matrix.viewport(), start - QPoint(0, 16))
    QTest.mouseRelease(matrix.viewport(), left, Qt.KeyboardModifier.NoModifier, start - QPoint(0, 16))
    agents.desk.settle()
    assert matrix.weight("a2", "pre") == 5
    matrix.setFocus()
    _wheel(matrix.viewport(), start, -120)
    agents.desk.settle()
    assert matrix.weight("a2", "pre") == 4
    _wheel(matrix.viewport(), matrix.cell_rect("a1", "pre").center(), -120)  # elsewhere it scrolls
    assert matrix.weight("a1", "pre") == 6


def _wheel(target: QWidget, at: QPoint, angle: int) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(target.mapToGlobal(at)), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(target, event)


def test_whoever_saves_the_other_document_does_not_disturb(agents: Hands) -> None:
    page = agents.page
    page.edit(with_weights(page.groups, "pre", {"a2": 8}))
    agents.desk.settle()
    agents.somebody_saves({"agents": [{"agent": "a1", "capacity": 2}]}, key="agents")
    page.refresh()
    agents.desk.settle()
    assert not page.conflict.isVisible()
    assert agents.agents.rows.cell("a1", "capacity").text == "2"
    agents.save()
    assert agents.weights() == {"a1": 6, "a2": 8}
    assert agents.saved("agents")["agents"][0]["capacity"] == 2


def test_whoever_may_not_edit_sees_everything_and_changes_nothing(stored: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    reader = Actor("reader", frozenset({"live.view", "history.view"}))
    with opened(stored, tmp_path, qtbot, reader, "agents") as desk:
        hands = Hands(desk)
        assert hands.page.refusal.isVisible()
        hands.agents.view.set_value("matrix")
        hands.agents._view_chosen("matrix")
        hands.keys(hands.agents.matrix, "9", Qt.Key.Key_Delete)
        assert not hands.page.dirty()
        assert not hands.page.save.isEnabled()
        assert not hands.page.try_it.isEnabled()


# -- 账号同步 --


def test_the_group_of_new_accounts(stored: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    stored.agent("a4", "孙新", "二组")
    with opened(stored, tmp_path, qtbot, local_owner(), "account_sync") as desk:
        hands = Hands(desk)
        page = hands.page
        assert isinstance(page, AccountSyncPage)
        assert page.choice.currentText() == "售前"
        assert "孙新" in page.outside.text()
        page.choice.setCurrentIndex(page.choice.findData("all"))
        page.choice.activated.emit(page.choice.currentIndex())
        hands.click(page.join)
        hands.save()
        assert hands.saved()["default_group"] == "all"
        assert hands.weights("all")["a4"] == 6


def test_a_draft_with_faults_cannot_be_tried(groups: Hands) -> None:
    page, fair = groups.page, groups.page.groups
    assert page.try_it.isEnabled()
    first, second = fair["groups"]
    page.edit({**fair, "groups": [{**first, "scope": {**first["scope"], "skus": []}}, second]})
    groups.desk.settle()
    assert not page.save.isEnabled()
    assert not page.try_it.isEnabled()
    assert page.try_it.toolTip().startswith("有 1 处需要改正")
    page.edit(fair)
    groups.desk.settle()
    assert page.try_it.isEnabled()
    assert page.try_it.toolTip().startswith("用近几天")
