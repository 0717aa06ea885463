"""One draft over groups and agents for all pages that edit them: shared, remembered, met by what others save, discarded and back again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.domain.documents import Body
from app.domain.permissions import Actor, local_owner
from app.domain.routing_edits import new_group, with_group, with_weights, without_group
from app.services.workspace import Workspace
from tests.journeys.conftest import Person, console_on
from tests.journeys.history_desk import HistoryDesk
from tests.journeys.seats_desk import HOUR, NOON, Shop, quiet_window
from ui.pages.replay import ReplayPage
from ui.pages.settings.agents import AgentsPage
from ui.pages.settings.groups import GroupsPage
from ui.pages.settings.restoring import RestoreDialog
from ui.pages.settings.routing import RoutingPage
from ui.pages.settings.sync import AccountSyncPage
from ui.runtime.drafts import Drafts

TWO: dict[str, Any] = {
    "groups": [
        {"code": "pre", "name": "售前", "scope": {"skus": ["sku1"]}, "members": [{"agent": "a1"}, {"agent": "a2", "weight": 3}]},
        {"code": "all", "name": "兜底", "type": "fallback", "members": [{"agent": "a1"}]},
    ],
}


class Desk(HistoryDesk):
    @property
    def groups(self) -> GroupsPage:
        page = self.show("groups")
        assert isinstance(page, GroupsPage)
        return page

    @property
    def agents(self) -> AgentsPage:
        page = self.show("agents")
        assert isinstance(page, AgentsPage)
        return page

    def edit(self, page: RoutingPage, body: Body) -> None:
        page.edit(body)
        self.settle()

    def click(self, button: Any) -> None:
        assert button.isEnabled()
        assert button.isVisible()
        button.click()
        self.settle()

    def saved(self, key: str = "groups") -> Body:
        return self.workspace.settings.get(self.store, key).body

    def somebody(self, change: Any, key: str = "groups", name: str = "张三") -> None:
        """Saves what `change` makes of the current body, under another name, and everybody hears of it."""
        self.unheard(change, key, name)
        for host in self.hosts.values():
            if host.isVisible():
                host.refresh()
        self.settle()

    def unheard(self, change: Any, key: str = "groups", name: str = "张三") -> None:
        """The same, and nobody hears of it yet."""
        other = Workspace(self.shop.database, Actor(name, local_owner().permissions))
        other.settings.save(self.store, key, change(self.saved(key)), None, "夜班")

    def restart(self) -> None:
        for key in list(self.hosts):
            self.forget(key)
        self.context = replace(self.context, drafts=Drafts())


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    for code, name in (("a1", "王敏"), ("a2", "李华"), ("a3", "赵强")):
        shop.agent(code, name, "一组", capacity=5)
    shop.session("a1", NOON - HOUR, reply_after=10_000, group="pre")
    workspace = Workspace(shop.database, local_owner())
    workspace.settings.save(workspace.store("shop"), "groups", TWO, 0, "开始")
    with quiet_window(), closing(Desk(shop, tmp_path, qtbot, local_owner())) as desk:
        yield desk


def made(body: Body, name: str, sku: str, *agents: str) -> Body:
    body, code = new_group(body, name)
    body = with_group(body, code, lambda group: {**group, "scope": {**group["scope"], "skus": [sku]}})
    return with_weights(body, code, dict.fromkeys(agents, 6))


def renamed(body: Body, name: str, code: str = "pre") -> Body:
    return with_group(body, code, lambda group: {**group, "name": name})


def names(body: Body) -> list[str]:
    return [group["name"] for group in body["groups"]]


# -- shared --


def test_a_group_made_on_one_page_is_weighed_on_the_next_tried_and_saved_there(desk: Desk) -> None:
    desk.edit(desk.groups, made(desk.groups.groups, "夜班", "sku8", "a2"))
    page = desk.agents
    page.view.set_value("matrix")
    page._view_chosen("matrix")
    page.matrix.go_to("a3", "group3")
    desk.keys(page.matrix, "9")
    assert "夜班" in page.foot.summary.text() + page.foot.summary.toolTip()
    assert desk.groups.rows.cell("group3", "members").text == "2"
    sync = desk.show("account_sync")
    assert isinstance(sync, AccountSyncPage)
    assert sync.choice.findText("夜班") > 0
    assert sync.save.isEnabled()

    desk.click(desk.agents.try_it)
    key, where = desk.went.pop()
    tried = desk.show(key, where)
    assert isinstance(tried, ReplayPage)
    assert tried.chosen().label == "未保存的修改"
    assert "夜班" in names(tried.chosen().bodies["groups"])

    desk.click(desk.agents.save)
    assert desk.saved()["groups"][-1]["members"] == [{"agent": "a2", "weight": 6}, {"agent": "a3", "weight": 9}]
    listed = desk.groups
    assert not listed.conflict.isVisible()
    assert not listed.dirty()
    assert listed.rows.cell("group3", "name").detail == ""
    assert desk.faults == []


def test_the_draft_with_its_note_comes_back_after_a_restart_also_half_typed(desk: Desk) -> None:
    page = desk.groups
    desk.edit(page, renamed(with_weights(page.groups, "pre", {"a2": 8}), ""))
    page.note.setText("夜班")
    desk.restart()
    page = desk.groups
    assert page.groups["groups"][0]["name"] == ""
    assert page.note.text() == "夜班"
    assert not page.save.isEnabled()
    desk.edit(page, renamed(page.groups, "售前"))
    desk.click(page.save)
    assert desk.saved()["groups"][0]["members"][1]["weight"] == 8


def test_what_others_saved_between_two_starts_is_met_and_not_overwritten(desk: Desk) -> None:
    desk.edit(desk.groups, with_weights(desk.groups.groups, "pre", {"a2": 8}))
    desk.restart()
    desk.somebody(lambda body: with_weights(body, "pre", {"a1": 1}))
    page = desk.groups
    assert page.conflict.isVisible()
    assert [side.path[-2:] for side in page.conflict.sides()] == [("a1", "weight"), ("a2", "weight")]
    desk.click(page.conflict.keep)
    desk.click(page.save)
    assert [member["weight"] for member in desk.saved()["groups"][0]["members"]] == [1, 8]


def test_language_and_theme_change_and_the_draft_stays(desk: Desk, qtbot: QtBot, qapp: QApplication) -> None:
    path = desk.shop.database.path
    assert path is not None
    with console_on(qapp, str(path)) as console:
        person = Person(console, qtbot)
        person.until(lambda: console.connection is not None)

        def page_of(key: str) -> RoutingPage:
            person.shell.open_page(key)
            person.settle()
            page = person.shell.host.page
            assert isinstance(page, RoutingPage)
            return page

        page = page_of("groups")
        page.edit(made(page.groups, "夜班", "sku8", "a2"))
        console.set_language("en")
        assert names(page_of("agents").groups) == ["售前", "兜底", "夜班"]
        page = page_of("agents")
        page.edit(with_weights(page.groups, "group3", {"a3": 9}))
        console.set_theme("dark")
        assert page_of("groups").groups["groups"][-1]["members"] == [{"agent": "a2", "weight": 6}, {"agent": "a3", "weight": 9}]
        console.set_theme("light")
        console.set_language("zh")


def test_what_was_discarded_comes_back_in_another_language_and_theme(desk: Desk, qtbot: QtBot, qapp: QApplication) -> None:
    path = desk.shop.database.path
    assert path is not None
    with console_on(qapp, str(path)) as console:
        person = Person(console, qtbot)
        person.until(lambda: console.connection is not None)

        def page() -> RoutingPage:
            person.shell.open_page("groups")
            person.settle()
            found = person.shell.host.page
            assert isinstance(found, RoutingPage)
            return found

        page().edit(renamed(page().groups, "夜班"))
        page().note.setText("为什么")
        page().discard.click()
        console.set_language("en")
        assert page().foot.undo.isVisible()
        console.set_theme("dark")
        page().foot.undo.click()
        assert names(page().groups) == ["夜班", "兜底"]
        assert page().note.text() == "为什么"
        console.set_theme("light")
        console.set_language("zh")


def test_what_is_open_is_open_again_in_another_language_and_theme(desk: Desk, qtbot: QtBot, qapp: QApplication) -> None:
    path = desk.shop.database.path
    assert path is not None
    with console_on(qapp, str(path)) as console:
        console.window.resize(1900, 900)
        person = Person(console, qtbot)
        person.until(lambda: console.connection is not None)
        person.shell.open_page("groups")
        person.settle()

        def page() -> GroupsPage:
            person.settle()
            found = person.shell.host.page
            assert isinstance(found, GroupsPage)
            return found

        page().past_button.click()
        page().open_group("pre")
        for change in (lambda: console.set_language("en"), lambda: console.set_theme("dark")):
            change()
            assert page().drawer.is_open()
            assert page().place() == "pre"
            assert page().past.isVisible()
        page().drawer.close_drawer()
        console.set_theme("light")
        assert not page().drawer.is_open()

        person.shell.open_page("agents", {"agent": "a2"})
        person.settle()
        console.set_theme("dark")
        person.settle()
        agents = person.shell.host.page
        assert isinstance(agents, AgentsPage)
        assert agents.drawer.is_open()
        assert agents.place() == "a2"
        console.set_theme("light")
        console.set_language("zh")


def test_drafts_of_two_stores_are_kept_apart(desk: Desk) -> None:
    desk.edit(desk.groups, with_weights(desk.groups.groups, "pre", {"a2": 8}))
    desk.restart()
    desk.context = replace(desk.context, store=replace(desk.store, code="other"))
    assert not desk.groups.dirty()


# -- met by what others save --


def test_keeping_mine_keeps_the_new_groups_of_both(desk: Desk) -> None:
    page = desk.groups
    desk.edit(page, made(page.groups, "甲组", "skuA", "a2"))
    page.open_group("group3")
    desk.somebody(lambda body: made(body, "乙组", "skuB", "a3"))
    assert page.rows.cell("group3", "author").text == "--"
    assert not any(side.contradicts for side in page.conflict.sides())
    desk.click(page.conflict.keep)
    assert page.drawer.is_open()
    assert page._open is not None
    assert page._open.code == "group4"
    desk.click(page.save)
    assert [(group["code"], group["name"]) for group in desk.saved()["groups"][2:]] == [("group3", "乙组"), ("group4", "甲组")]
    assert desk.saved()["groups"][3]["members"] == [{"agent": "a2", "weight": 6}]


@pytest.mark.parametrize(
    ("theirs", "mine", "path"),
    [
        (lambda body: renamed(body, "乙名"), lambda body: renamed(body, "甲名"), ("groups", "pre", "name")),
        (
            lambda body: with_weights(renamed(body, "乙名"), "pre", {"a1": 1}),
            lambda body: with_weights(body, "pre", {"a1": 9}),
            ("groups", "pre", "members", "a1", "weight"),
        ),
        (lambda body: without_group(body, "pre"), lambda body: renamed(body, "甲名"), ("groups", "pre")),
        (lambda body: renamed(body, "乙名"), lambda body: without_group(body, "pre"), ("groups", "pre")),
    ],
)
def test_what_both_changed_is_said_in_the_bar(desk: Desk, theirs: Any, mine: Any, path: tuple[str, ...]) -> None:
    page = desk.groups
    desk.edit(page, mine(page.groups))
    desk.somebody(theirs)
    assert [side.path for side in page.conflict.sides() if side.contradicts] == [path]
    assert "两边都改的 1 处用你的" in page.conflict.words.text()


def test_my_side_is_shown_although_my_draft_has_a_fault(desk: Desk) -> None:
    page = desk.groups
    body, code = new_group(page.groups, "甲组")  # without a scope, which it needs beside the fallback
    desk.edit(page, body)
    desk.somebody(lambda held: renamed(held, "乙名"))
    found = {side.path: side for side in page.conflict.sides()}
    assert "甲组" in str(found["groups", code].mine)
    assert found["groups", "pre", "name"].theirs is not None


@pytest.mark.parametrize("button", ["foot", "bar"])
def test_discarding_while_somebody_has_saved_takes_theirs_and_can_be_undone(desk: Desk, button: str) -> None:
    page = desk.groups
    desk.edit(page, with_weights(page.groups, "pre", {"a2": 8}))
    desk.somebody(lambda body: renamed(body, "乙名"))
    desk.click(page.discard if button == "foot" else page.conflict.drop)
    assert not page.conflict.isVisible()
    assert names(page.groups) == ["乙名", "兜底"]
    assert not page.dirty()

    desk.click(page.foot.undo)
    assert page.conflict.isVisible()
    desk.click(page.conflict.keep)
    assert page.save.isEnabled()
    desk.click(page.save)
    assert names(desk.saved()) == ["乙名", "兜底"]
    assert desk.saved()["groups"][0]["members"][1]["weight"] == 8
    desk.edit(page, renamed(page.groups, "再改"))
    assert page.save.isEnabled()


def test_the_other_side_is_told_apart_from_this_one_under_the_same_account(desk: Desk) -> None:
    page = desk.groups
    desk.edit(page, with_weights(page.groups, "pre", {"a2": 8}))
    desk.somebody(lambda body: renamed(body, "乙名"), name="owner")
    assert page.conflict.head.text() == "你在另一处（owner） 刚保存了第 2 版，你的修改还没有保存。"
    assert "你在另一处（owner）" in [label.text() for label in page.conflict.findChildren(QLabel)]


def test_a_conflict_is_seen_and_settled_on_any_of_the_pages(desk: Desk) -> None:
    desk.edit(desk.groups, with_weights(desk.groups.groups, "pre", {"a2": 8}))
    desk.somebody(lambda body: renamed(body, "乙名"))
    page = desk.agents
    assert page.conflict.isVisible()
    desk.click(page.conflict.keep)
    assert not desk.groups.conflict.isVisible()
    assert names(desk.groups.groups) == ["乙名", "兜底"]


# -- discarded --


def test_what_was_discarded_comes_back_until_something_else_is_edited(desk: Desk) -> None:
    page = desk.groups
    desk.edit(page, made(page.groups, "夜班", "sku8", "a2"))
    page.note.setText("为什么")
    assert not page.foot.undo.isVisible()
    desk.click(page.discard)
    assert "已放弃修改" in page.foot.summary.text()
    assert page.note.text() == ""
    other = desk.agents
    desk.click(other.foot.undo)
    assert names(other.groups) == ["售前", "兜底", "夜班"]
    assert other.note.text() == "为什么"
    assert not other.foot.undo.isVisible()
    desk.click(other.discard)
    desk.edit(other, with_weights(other.groups, "pre", {"a2": 8}))
    assert not other.foot.undo.isVisible()


# -- an earlier revision --


def asked(desk: Desk) -> tuple[RestoreDialog, GroupsPage]:
    """Whether the first of two revisions is to come back; the second has given 王敏 another weight."""
    desk.somebody(lambda body: with_weights(body, "pre", {"a1": 9}))
    page = desk.groups
    desk.click(page.past_button)
    page.past.list.setCurrentRow(1)
    desk.click(page.past.restore)
    assert page.past.question is not None
    return page.past.question, page


def test_restoring_asks_what_will_change_and_keeps_the_note(desk: Desk) -> None:
    desk.somebody(lambda body: with_weights(body, "pre", {"a1": 9}))
    page = desk.groups
    desk.click(page.past_button)
    page.past.list.setCurrentRow(1)
    desk.click(page.past.restore)
    question = page.past.question
    assert question is not None
    assert desk.saved()["groups"][0]["members"][0]["weight"] == 9
    assert "第 1 版" in question.words.text()
    assert "owner" in question.words.text()
    assert question.changes.text() == "咨询组 › 售前 › 成员 › 王敏 › 分配权重值：9 → 6"
    question.reject()
    assert desk.saved()["groups"][0]["members"][0]["weight"] == 9
    desk.click(page.past.restore)
    question = page.past.question
    assert question is not None
    question.note.setText("改错了")
    desk.click(question.go)
    assert desk.saved()["groups"][0]["members"][0]["weight"] == 6
    assert "改错了" in page.past.list.item(0).text()


def test_the_question_follows_what_is_saved_while_it_stands(desk: Desk) -> None:
    question, page = asked(desk)
    question.note.setText("改错了")
    desk.somebody(lambda body: renamed(body, "乙名"))
    assert "张三 刚保存了第 3 版" in question.told.text()
    assert question.changes.text().splitlines() == [
        "咨询组 › 售前 › 名称：乙名 → 售前",
        "咨询组 › 售前 › 成员 › 王敏 › 分配权重值：9 → 6",
    ]
    assert "共 2 处变化" in question.words.text()
    desk.somebody(lambda body: TWO)
    assert question.changes.text() == "内容与当前版本相同。"
    assert not question.go.isEnabled()
    desk.somebody(lambda body: renamed(body, "丙名"), name="owner")
    assert "你在另一处（owner）" in question.told.text()
    desk.click(question.go)
    assert names(desk.saved()) == ["售前", "兜底"]
    assert "改错了" in page.past.list.item(0).text()
    assert page.past.question is None


def test_a_refused_restore_says_so_in_words_and_goes_on_from_there(desk: Desk) -> None:
    question, page = asked(desk)
    desk.unheard(lambda body: renamed(body, "乙名"))
    told: list[str] = []
    refuse = question.refuse
    question.refuse = lambda sentence: (told.append(sentence), refuse(sentence))  # type: ignore[method-assign,assignment,func-returns-value]
    desk.keys(question.note, "why", Qt.Key.Key_Return)
    (sentence,) = told
    assert sentence.startswith("没有恢复，咨询组的第 2 版已不是最新：张三 于 ")
    assert "改动：咨询组 › 乙名 › 名称。" in sentence
    assert names(desk.saved()) == ["乙名", "兜底"]
    assert page.past.question is question
    assert question.told.text().startswith("没有恢复：张三 刚保存了第 3 版")
    assert "乙名 → 售前" in question.changes.text()
    assert question.note.text() == "why"
    desk.keys(question.note, Qt.Key.Key_Return)
    assert names(desk.saved()) == ["售前", "兜底"]
    assert "why" in page.past.list.item(0).text()
    assert page.past.question is None


def test_nothing_is_restored_over_unsaved_changes_and_it_says_so(desk: Desk) -> None:
    desk.somebody(lambda body: with_weights(body, "pre", {"a1": 9}))
    page = desk.groups
    desk.edit(page, with_weights(page.groups, "pre", {"a2": 8}))
    desk.click(page.past_button)
    page.past.list.setCurrentRow(1)
    assert not page.past.restore.isEnabled()
    assert page.past.restore.toolTip() == "先保存或放弃修改，才能恢复"
    desk.click(page.discard)
    assert page.past.restore.isEnabled()
    assert page.past.restore.toolTip() == ""


# -- in words --


def test_people_are_called_by_their_names_everywhere(desk: Desk) -> None:
    page = desk.groups
    desk.edit(page, with_weights(made(page.groups, "夜班", "sku8", "a2", "a3"), "pre", {"a1": 9}))
    told = page.foot.summary.text()
    assert "售前 › 成员 › 王敏 › 分配权重值：6 → 9" in told
    assert "成员 李华 6、赵强 6" in told
    desk.somebody(lambda body: with_weights(body, "pre", {"a1": 1}))
    (side,) = [side for side in page.conflict.sides() if side.contradicts]
    assert str(side.label) == "咨询组 › 售前 › 成员 › 王敏 › 分配权重值"


def test_a_summary_of_many_members_is_cut_and_told_in_full_beside_it(desk: Desk) -> None:
    page = desk.groups
    desk.edit(page, made(page.groups, "夜班", "sku8", *(f"somebody{number:03}" for number in range(60))))
    assert page.foot.summary.text().endswith("…")
    assert "somebody059 6" in page.foot.summary.toolTip()
