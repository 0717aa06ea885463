"""The items of a group's scope as they are typed, pasted and left half typed; checks that lead to where they are put right."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QCompleter, QLineEdit, QPushButton, QWidget

from app.domain import events as ev
from app.domain.routing_edits import with_group, with_weights
from app.services.routing_facts import routing_facts
from tests.journeys.seats_desk import NOON, Shop
from tests.journeys.settings_desk import RoutingHands as Hands
from tests.journeys.settings_desk import three_agents, with_two_groups
from ui.widgets.texts import TextsEditor

SEEN = {"sku1": "连衣裙", "sku2": "", "100092971710": "空调", "100019841379": "冰箱"}


@pytest.fixture
def shop(shop: Shop) -> Shop:
    with_two_groups(three_agents(shop))
    lines = [ev.OrderLine(sku=code, name=name or None, quantity=1, amount_fen=100) for code, name in SEEN.items()]
    shop.record(ev.OrderPlaced(id=shop.name(), at=NOON - 1000, order="o", customer="c", lines=lines))
    return shop


def items(groups: Hands) -> tuple[TextsEditor, QLineEdit]:
    groups.groups.open_group("pre", "scope")
    editor = groups.panel().forms["scope"].editor("skus")
    assert isinstance(editor, TextsEditor)
    return editor, editor.line


def test_the_store_tells_what_it_has_seen(groups: Hands) -> None:
    assert dict(routing_facts(groups.desk.workspace, groups.desk.store).skus) == SEEN


def test_pasted_codes_are_parted_at_spaces_and_line_ends(groups: Hands) -> None:
    editor, line = items(groups)
    QApplication.clipboard().setText(" 100092971710 100019841379\n")
    line.setFocus()
    line.paste()
    groups.desk.settle()
    assert editor.value() == ["sku1", "sku2", "100092971710", "100019841379"]
    assert line.text() == ""
    assert groups.said() == []


def test_what_was_never_seen_is_told_and_taken_out(groups: Hands) -> None:
    editor, line = items(groups)
    groups.keys(line, "10007 ")
    editor.line.setText("裙子")
    groups.keys(line, Qt.Key.Key_Return)
    assert editor.value() == ["sku1", "sku2", "10007", "裙子"]
    assert groups.said() == ["「售前」的 2 个商品编号在本店从未出现：10007、裙子"]
    assert groups.page.save.isEnabled()
    groups.remedy("去掉")
    assert editor.value() == ["sku1", "sku2"]
    assert groups.said() == []


def test_a_half_typed_code_waits_in_the_line(groups: Hands) -> None:
    editor, line = items(groups)
    groups.keys(line, "10009")
    leave(groups, line)
    assert editor.value() == ["sku1", "sku2"]
    assert line.text() == "10009"
    assert "按回车加入" in editor._waits.text()
    assert editor._waits.isVisible()
    groups.keys(line, Qt.Key.Key_End, "2971710")
    assert not editor._waits.isVisible()
    leave(groups, line)  # what there is needs no Enter
    assert editor.value() == ["sku1", "sku2", "100092971710"]


def test_items_are_offered_by_code_and_by_name(groups: Hands) -> None:
    editor, line = items(groups)
    completer = line.completer()
    assert isinstance(completer, QCompleter)
    for typed, wanted in (("971", "100092971710"), ("冰", "100019841379")):
        completer.setCompletionPrefix(typed)
        assert [completer.pathFromIndex(completer.completionModel().index(0, 0))] == [wanted]
        line.setText(wanted)  # as the line takes what is chosen
        completer.activated.emit(wanted)
        groups.desk.settle()
        QApplication.processEvents()
        assert editor.value()[-1] == wanted
    assert line.text() == ""


def test_one_is_chosen_from_the_list_by_keyboard(groups: Hands) -> None:
    editor, line = items(groups)
    groups.keys(line, "971")
    completer = line.completer()
    assert completer is not None
    QTest.keyClick(completer.popup(), Qt.Key.Key_Down)
    QTest.keyClick(completer.popup(), Qt.Key.Key_Return)
    groups.desk.settle()
    QApplication.processEvents()
    assert editor.value() == ["sku1", "sku2", "100092971710"]
    assert line.text() == ""


def test_the_boxes_of_a_choice_of_several_are_called_by_their_own_words(groups: Hands) -> None:
    items(groups)
    pages = groups.panel().forms["scope"].editor("pages")
    assert pages.accessibleName() == "页面"
    assert [box.accessibleName() or box.text() for box in pages.findChildren(QCheckBox)] == [
        box.text() for box in pages.findChildren(QCheckBox)
    ]


def leave(groups: Hands, line: QLineEdit) -> None:
    """To the table; the click that does it has closed the list of what is offered."""
    completer = line.completer()
    assert completer is not None
    completer.popup().hide()
    groups.groups.table.setFocus()


def way(hands: Hands, words: str) -> QPushButton:
    return next(button for button in hands.page.checks.findChildren(QPushButton) if button.text() == words)


def focused(hands: Hands) -> QWidget | None:
    return hands.page.window().focusWidget()


def test_no_members_leads_to_the_dialog(groups: Hands) -> None:
    groups.page.edit(with_weights(groups.page.groups, "pre", {"a1": None, "a2": None}))
    groups.desk.settle()
    groups.click(way(groups, "选择成员…"))
    assert groups.groups.members_dialog is not None
    assert groups.groups.members_dialog.weights == {}
    groups.groups.members_dialog.reject()


def test_no_members_leads_there_from_the_agents_too(agents: Hands) -> None:
    agents.page.edit(with_weights(agents.page.groups, "pre", {"a1": None, "a2": None}))
    agents.desk.settle()
    agents.click(way(agents, "选择成员…"))
    ((key, where),) = agents.desk.went
    assert (key, where["group"], where["part"]) == ("groups", "pre", "members")


def test_no_scope_leads_to_the_tab_with_the_keyboard_in_it(groups: Hands) -> None:
    groups.page.edit(with_group(groups.page.groups, "pre", lambda group: {**group, "scope": {**group["scope"], "skus": []}}))
    groups.desk.settle()
    groups.click(way(groups, "修改服务范围"))
    assert groups.panel().tabs.currentIndex() == 1
    assert groups.panel().forms["scope"].editor("pages").isAncestorOf(focused(groups))


def test_an_overlap_that_would_empty_a_scope_leads_to_its_field(groups: Hands) -> None:
    groups.click(groups.groups.add)
    editor = groups.panel().forms["scope"].editor("skus")
    editor.set_value(["sku2"])
    editor.changed.emit()
    groups.desk.settle()
    groups.groups.drawer.close_drawer()
    groups.click(way(groups, "修改服务范围"))
    assert focused(groups) is groups.panel().forms["scope"].editor("skus").target()
    assert groups.panel().forms["basics"].editor("name").value() == "新咨询组"


def test_history_and_drawer_make_room_for_each_other_in_a_small_window(groups: Hands) -> None:
    page, host = groups.groups, groups.desk.host
    host.resize(1060, 670)
    QApplication.processEvents()
    page.open_group("pre")
    groups.click(page.past_button)
    assert page.past.isVisible()
    assert not page.drawer.is_open()
    page.open_group("pre")
    assert page.drawer.is_open()
    assert not page.past.isVisible()
    host.resize(1700, 900)
    QApplication.processEvents()
    groups.click(page.past_button)
    assert page.past.isVisible()
    assert page.drawer.is_open()


def press(widget: QWidget, key: Qt.Key, how: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """As the desktop sends it: to the window on top, shortcuts first."""
    above = QApplication.activePopupWidget()
    window = (above or widget.window()).windowHandle()
    assert window is not None
    QTest.keyClick(window, key, how)
    QApplication.processEvents()


def typed(groups: Hands, text: str) -> tuple[TextsEditor, QWidget]:
    """The code as it is typed, and the list that is offered for it."""
    groups.page.window().activateWindow()
    editor, line = items(groups)
    groups.keys(line, text)
    completer = line.completer()
    assert completer is not None
    assert completer.popup().isVisible()
    return editor, completer.popup()


SAVE = (Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)


def skus(groups: Hands) -> list[str]:
    found: list[str] = groups.page.groups["groups"][0]["scope"]["skus"]
    return found


def test_escape_closes_the_list_first_and_then_the_drawer_with_what_is_typed_in_full(groups: Hands) -> None:
    editor, offered = typed(groups, "100092971710")
    press(editor.line, Qt.Key.Key_Escape)
    assert not offered.isVisible()
    assert groups.groups.drawer.is_open()
    assert editor.line.text() == "100092971710"
    press(editor.line, Qt.Key.Key_Escape)
    assert not groups.groups.drawer.is_open()
    assert skus(groups) == ["sku1", "sku2", "100092971710"]


def test_closing_with_the_list_open_takes_what_is_typed_in_full_and_tells_what_is_not(groups: Hands) -> None:
    typed(groups, "100092971710")
    groups.groups.drawer.close_drawer()
    assert skus(groups) == ["sku1", "sku2", "100092971710"]
    assert groups.desk.toasts == []
    groups.desk.settle()
    typed(groups, "10001")
    groups.groups.drawer.close_drawer()
    assert skus(groups) == ["sku1", "sku2", "100092971710"]
    assert groups.desk.toasts == ["没有输完的编号未加入"]


def test_ctrl_s_takes_what_is_typed_in_full_and_saves_it(groups: Hands) -> None:
    editor, _ = typed(groups, "100092971710")
    press(editor.line, *SAVE)
    groups.desk.settle()
    assert groups.saved()["groups"][0]["scope"]["skus"] == ["sku1", "sku2", "100092971710"]


@pytest.mark.parametrize("changed", [False, True])
def test_ctrl_s_saves_nothing_without_a_half_typed_code(groups: Hands, changed: bool) -> None:
    if changed:
        groups.page.edit(with_weights(groups.page.groups, "pre", {"a1": 1}))
        groups.desk.settle()
    editor, offered = typed(groups, "10009")
    groups.panel().open_part("basics")
    offered.hide()
    before = groups.saved()
    press(editor.line, *SAVE)
    groups.desk.settle()
    assert groups.saved() == before
    assert "按回车加入" in editor._waits.text()
    assert editor._waits.isVisible()
    assert focused(groups) is editor.line
    if changed:
        groups.click(groups.page.save)
        assert groups.saved() == before
        groups.keys(editor.line, Qt.Key.Key_Return)
        press(editor.line, *SAVE)
        groups.desk.settle()
        assert groups.saved()["groups"][0]["scope"]["skus"] == ["sku1", "sku2", "10009"]
        assert groups.weights()["a1"] == 1


def test_the_list_stands_below_its_field_and_a_click_beside_it_counts(groups: Hands) -> None:
    editor, offered = typed(groups, "971")
    line = editor.line
    assert offered.geometry().top() >= line.mapToGlobal(QPoint(0, line.height())).y()
    close = next(button for button in groups.groups.drawer.findChildren(QAbstractButton) if button.toolTip() == "关闭")
    over, under = offered.windowHandle(), close.window().windowHandle()
    assert over is not None
    assert under is not None
    at = close.mapToGlobal(close.rect().center())
    QTest.mousePress(over, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, over.mapFromGlobal(at))
    QTest.mouseRelease(under, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, under.mapFromGlobal(at))
    assert QApplication.activePopupWidget() is None
    assert not groups.groups.drawer.is_open()


def test_the_list_marks_the_group_that_is_open(groups: Hands) -> None:
    page = groups.groups
    items(groups)
    cell = page.table.visualRect(page.rows.index(1, page.rows.column_of["code"]))
    QTest.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, cell.center())
    groups.desk.settle()
    assert page.table.current_id() == "all"
    assert groups.panel().forms["basics"].editor("code").value() == "all"
    QTest.keyClick(page.table, Qt.Key.Key_Up)
    assert groups.panel().forms["basics"].editor("code").value() == "pre"
    page._cell_opened("pre", "delete")
    groups.desk.settle()
    assert not page.drawer.is_open()
