"""坐席监控, what a supervisor does: suspend, resume, hand over; carried out by the routing that an engine would run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.desk.routing import Routing
from app.domain import events as ev
from app.domain.language import set_language
from app.domain.permissions import Actor, local_owner
from app.domain.settings import DOCUMENTS
from app.services.workspace import Workspace
from app.storage import revisions
from tests.journeys.seats_desk import HOUR, MINUTE, NOON, Desk, Shop, opened
from ui.pages.seats import giving
from ui.pages.seats.handing import AskDialog, HandOverDialog
from ui.pages.seats.record import RecordDialog


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """王敏 holds two of two, 李华 has room, 曾小燕 is full, 孙丽 is suspended, 赵强 has gone home, 周杰 does not receive."""
    people = {
        "a1": ("王敏", 2, "available"), "a2": ("李华", 8, "away"), "a3": ("曾小燕", 1, "available"), "a4": ("孙丽", None, "suspended"),
        "a5": ("赵强", None, "offline"), "a6": ("周杰", None, "available"),
    }  # fmt: skip
    for code, (name, capacity, state) in people.items():
        shop.agent(code, name, "售前一组", capacity, state)  # type: ignore[arg-type]
    groups = [
        {"code": "g1", "name": "售前", "scope": {"skus": ["sku1"]}, "members": [{"agent": "a1"}, {"agent": "a3"}]},
        {"code": "g2", "name": "售后", "scope": {"skus": ["sku2"]}, "members": [{"agent": "a2"}]},
        {"code": "g3", "name": "夜班", "scope": {"skus": ["sku3"]}, "open": False, "members": [{"agent": "a2"}]},
        {"code": "all", "name": "兜底", "type": "fallback", "members": [{"agent": "a2"}]},
    ]
    revisions.save(shop.database, shop.id, DOCUMENTS["groups"], {"groups": groups}, "x")
    agents = [{"agent": code, "name": people[code][0], "capacity": people[code][1], "receives": code != "a6"} for code in people]
    revisions.save(shop.database, shop.id, DOCUMENTS["agents"], {"agents": agents}, "x")
    return shop


class Hands:
    """The page, its dialogs, and the engine's turn."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.first = desk.shop.session("a1", NOON - 20 * MINUTE)
        self.second = desk.shop.session("a1", NOON - 10 * MINUTE)
        desk.shop.session("a3", NOON - 5 * MINUTE)
        self.routing = Routing(desk.shop.database, desk.shop.id, desk.shop.clock)
        self.routing.turn()
        desk.open()
        desk.listen()

    def turn(self) -> None:
        """What a running engine does by itself; the page hears of it."""
        self.routing.turn()

    def dialog(self) -> QDialog:
        found = [widget for widget in self.desk.page.findChildren(QDialog) if widget.isVisible()]
        assert len(found) == 1
        return found[0]

    def asked(self) -> AskDialog:
        found = self.dialog()
        assert isinstance(found, AskDialog)
        return found

    def handing(self) -> HandOverDialog:
        found = self.dialog()
        assert isinstance(found, HandOverDialog)
        self.desk.settle()
        return found

    def rows(self) -> dict[str, tuple[str, str, bool]]:
        """{name: (state or why not, load, can be chosen)} of the open dialog, in order."""
        tree = self.handing().tree
        items = [tree.topLevelItem(place) for place in range(tree.topLevelItemCount())]
        return {item.text(0): (item.text(1), item.text(2), not item.isDisabled()) for item in items if item is not None}

    def menu(self, table: QWidget, choose: str) -> list[str]:
        """The menu key on the current row; chooses by words and answers all of them."""
        at = table.rect().center()
        QApplication.sendEvent(table, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, table.mapToGlobal(at)))
        (menu,) = [child for child in table.window().findChildren(QMenu) if child.isVisible()]
        actions = {action.text(): action for action in menu.actions()}
        if choose:
            actions[choose].trigger()
        menu.close()
        self.desk.settle()
        return list(actions)

    def decide(self) -> None:
        """Enter, on whatever has the keyboard in the dialog."""
        dialog = self.dialog()
        QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Return)
        self.desk.settle()

    def said(self) -> str:
        panel = self.desk.page._detail.drawer.current()
        strip = getattr(panel, "strip", self.desk.page._strip) if panel is not None else self.desk.page._strip
        return str(strip.words.text()) if strip.isVisible() else ""

    def until_said(self, words: str) -> None:
        self.desk.until(lambda: words in self.said())

    def holder(self, session: str) -> str:
        found = self.desk.workspace.live.transcript(self.desk.store, session)
        assert found is not None
        return found.session.agent or ""


@pytest.fixture
def hands(desk: Desk) -> Hands:
    return Hands(desk)


def test_suspended_and_resumed_by_keyboard_from_the_drawer(hands: Hands) -> None:
    desk = hands.desk
    desk.page._table.setFocus()
    desk.press(Qt.Key.Key_Home)
    desk.press(Qt.Key.Key_Return)
    attend = desk.panel().attend
    assert (attend.text(), attend.accessibleDescription()) == ("挂起", "王敏")
    attend.setFocus()
    desk.press(Qt.Key.Key_Space)
    assert "现有 2 个会话继续由其接待" in hands.asked().words.text()
    hands.decide()
    assert hands.said() == "挂起 王敏：已发送，等待执行"
    hands.turn()
    hands.until_said("挂起 王敏：已执行")
    desk.until(lambda: desk.page._rows.cell("a1", "state").text == "挂起")
    desk.page._tick()
    desk.until(lambda: desk.panel().attend.text() == "恢复接待")
    assert hands.holder(hands.first) == "a1"
    at = desk.host.window().focusWidget()
    assert at is desk.panel().attend  # where it was
    QTest.keyClick(at, Qt.Key.Key_Space)
    assert "排队的客户" in hands.asked().words.text()
    hands.decide()
    hands.turn()
    hands.until_said("恢复 王敏 的接待：已执行")
    desk.until(lambda: desk.page._rows.cell("a1", "state").text == "接待")


def test_nothing_is_given_when_the_question_is_taken_back(hands: Hands) -> None:
    hands.desk.page._table.select("a1")
    hands.menu(hands.desk.page._table, "挂起…")
    QTest.keyClick(hands.dialog(), Qt.Key.Key_Escape)
    hands.desk.settle()
    assert hands.desk.workspace.commands.history(hands.desk.store) == []


def test_from_the_row_by_the_menu_key_and_undone(hands: Hands) -> None:
    desk = hands.desk
    desk.page._table.select("a2")
    assert hands.menu(desk.page._table, "挂起…") == ["打开", "挂起…", "操作记录…"]
    hands.decide()
    hands.turn()
    hands.until_said("挂起 李华：已执行")
    desk.page._strip.undo.click()
    desk.settle()
    hands.turn()
    hands.until_said("恢复 李华 的接待：已执行")
    assert [command.kind for command in desk.workspace.commands.history(desk.store)] == ["resume", "suspend"]


def test_handed_to_an_agent_who_is_found_by_letters_and_given_back(hands: Hands) -> None:
    desk = hands.desk
    desk.host.activate({"agent": "a1"})
    desk.settle()
    sessions = desk.panel().sessions
    sessions.select(hands.first)
    hands.menu(sessions, "转给客服…")
    rows = hands.rows()
    assert list(rows)[:2] == ["李华", "曾小燕"]  # who has room comes first
    assert rows == {
        "李华": ("离开", "0/8", True), "曾小燕": ("接待", "1/1", True), "王敏": ("正在接待此会话", "2/2", False),
        "周杰": ("未开启接待", "0", False), "孙丽": ("挂起，不接转接", "0", False), "赵强": ("离线", "0", False),
    }  # fmt: skip
    dialog = hands.handing()
    QTest.keyClicks(dialog.search, "zxy")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.isVisible()  # Enter in the search line chooses nobody unseen
    assert list(hands.rows()) == ["曾小燕"]
    assert "已满载（1/1）" in dialog.words.text()
    assert dialog.go.text() == "转给 曾小燕"
    hands.decide()
    hands.turn()
    hands.until_said("的会话转给 曾小燕：已执行")
    assert hands.holder(hands.first) == "a3"
    desk.until(lambda: desk.text("a3", "active") == "2")
    desk.panel().strip.undo.click()
    desk.settle()
    hands.turn()
    hands.until_said("还给 王敏：已执行")
    assert hands.holder(hands.first) == "a1"


def test_handed_to_a_group_from_the_transcript(hands: Hands) -> None:
    desk = hands.desk
    desk.host.activate({"agent": "a1", "session": hands.first})
    desk.settle()
    desk.talk().to_group.click()
    assert hands.rows() == {
        "售前": ("无人空闲", "0 / 2", True), "售后": ("有人空闲", "1 / 1", True), "夜班": ("入口已关闭", "1 / 1", False),
        "兜底": ("有人空闲", "1 / 1", True),
    }  # fmt: skip
    dialog = hands.handing()
    assert "溢出" in dialog.words.text()  # the first, in which nobody is free
    QTest.keyClicks(dialog.search, "shouhou")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert "按「售后」的规则分配" in dialog.words.text()
    hands.decide()
    hands.turn()
    hands.until_said("转到「售后」：已执行")
    assert hands.holder(hands.first) == "a2"
    assert desk.talk().strip.undo.toolTip().endswith("还给 王敏，会话仍属「售后」")


@pytest.mark.parametrize("place", ["agent", "session"])
def test_what_has_ended_is_not_taken_back(hands: Hands, place: str) -> None:
    desk = hands.desk
    desk.host.activate({"agent": "a1"} if place == "agent" else {"agent": "a1", "session": hands.first})
    desk.settle()
    panel: Any = desk.panel() if place == "agent" else desk.talk()
    (panel.sessions if place == "agent" else panel).hand_over.emit(*((hands.first, "agent") if place == "agent" else ("agent",)))
    QTest.keyClick(hands.handing().search, Qt.Key.Key_Return)
    hands.decide()
    hands.turn()
    desk.until(lambda: bool(panel.strip.undo.isVisible()))
    desk.shop.record(ev.SessionClosed(id="end", at=NOON, session=hands.first, by="customer"))
    desk.until(lambda: not panel.strip.undo.isVisible())
    assert panel.strip.isVisible()


def test_a_session_is_handed_over_by_its_link(hands: Hands) -> None:
    desk = hands.desk
    desk.host.activate({"agent": "a1"})
    desk.settle()
    desk.panel().sessions.cell_opened.emit(hands.first, "move")
    assert hands.handing().to.value() == "agent"
    assert desk.page._detail.session == ""
    QTest.keyClick(hands.dialog(), Qt.Key.Key_Escape)


def test_a_customer_whom_nobody_has_is_given_to_somebody(hands: Hands) -> None:
    desk = hands.desk
    desk.shop.agent("a2", "李华", "售前一组", 8, "offline", since=NOON - MINUTE)
    desk.shop.record(
        ev.SessionOpened(id="o", at=NOON - MINUTE, session="lost", customer="c-lost"),
        ev.MessageSent(id="m", at=NOON - MINUTE, session="lost", sender="customer", text="有人吗"),
    )
    hands.turn()
    assert hands.holder("lost") == ""
    desk.host.activate({"session": "lost"})
    desk.settle()
    desk.talk().to_agent.click()
    assert list(hands.rows())[:2] == ["王敏", "曾小燕"]  # both are full
    QTest.keyClick(hands.handing().search, Qt.Key.Key_Return)
    QTest.keyClick(hands.handing().tree, Qt.Key.Key_Down)
    assert hands.handing().words.text().startswith("c-lost 的会话交给 曾小燕。")
    hands.decide()
    hands.turn()
    hands.until_said("转给 曾小燕：已执行")
    assert hands.holder("lost") == "a3"
    assert not desk.talk().strip.undo.isVisible()  # there is nobody to give it back to


def test_a_closed_session_cannot_be_handed_over(hands: Hands) -> None:
    desk = hands.desk
    code = desk.shop.session("a1", NOON - HOUR, closed=True)
    desk.host.activate({"session": code})
    desk.settle()
    assert not desk.talk().to_agent.isEnabled()
    assert not desk.talk().to_group.isEnabled()


def test_the_list_follows_who_comes_and_goes(hands: Hands) -> None:
    desk = hands.desk
    desk.host.activate({"agent": "a1", "session": hands.first})
    desk.settle()
    desk.talk().to_agent.click()
    assert hands.handing().current() == "a2"
    desk.shop.agent("a2", "李华", "售前一组", 8, "offline", since=NOON)
    desk.until(lambda: hands.rows()["李华"] == ("离线", "0/8", False))
    handing = hands.handing()
    assert handing.current() == ""  # nobody takes the place of whom the button named
    assert not handing.go.isEnabled()
    assert "李华 现在不能接（离线）" in handing.words.text()
    desk.shop.agent("a1", "王敏", "售前一组", 2, "away", since=NOON)
    desk.until(lambda: hands.rows()["王敏"][0] != "接待")
    assert handing.current() == ""
    handing.search.setText("曾")
    desk.until(lambda: handing.current() == "a3")
    assert handing.go.isEnabled()
    QTest.keyClick(hands.dialog(), Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", "挂起 李华：未执行。李华 已挂起"),
        ("en", "Suspend 李华: not done (李华 is suspended already)"),
    ],
)
def test_what_the_engine_refuses_is_told_in_its_words(shop: Shop, tmp_path: Path, qtbot: QtBot, language: Any, words: str) -> None:
    set_language(language)
    try:
        with opened(shop, tmp_path, qtbot, local_owner()) as desk:
            hands = Hands(desk)
            desk.host.activate({"agent": "a2"})
            desk.settle()
            other = Workspace(shop.database, Actor("张三", local_owner().permissions))
            other.commands.give(desk.store, "suspend", agent="a2")
            desk.panel().attend.click()
            hands.decide()
            hands.turn()
            hands.until_said(words)
            assert not desk.panel().strip.undo.isVisible()
            desk.panel().record.click()
            desk.settle()
            record = hands.dialog()
            assert isinstance(record, RecordDialog)
            table = record.table.rows()
            told = [(table.cell(row, "author").text, table.cell(row, "result").text) for row in table.ids()]
            refused = words.split(": not done (" if language == "en" else "：未执行。")[1].removesuffix(")")
            assert told == [
                ("owner", f"Not done: {refused}" if language == "en" else f"未执行：{refused}"),
                ("张三", "Done" if language == "en" else "已执行"),
            ]
            record.reject()
    finally:
        set_language("zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_record_of_an_agent_has_what_was_taken_from_them(shop: Shop, tmp_path: Path, qtbot: QtBot, language: Any) -> None:
    set_language(language)
    try:
        with opened(shop, tmp_path, qtbot, local_owner()) as desk:
            hands = Hands(desk)
            shop.record(ev.CustomerUpserted(id=shop.name(), at=NOON, customer=f"c-{hands.first}", name="林小姐"))
            give, store = desk.workspace.commands.give, desk.store
            give(store, "move", session=hands.first, agent="a2")
            give(store, "suspend", agent="a3")
            hands.turn()
            give(store, "transfer", session=hands.first, group="g1")
            for agent, moves in (("a1", ["move"]), ("a2", ["transfer", "move"]), ("a3", ["suspend"])):
                desk.page._show_record(agent)
                desk.settle()
                record = hands.dialog()
                assert isinstance(record, RecordDialog)
                table = record.table.rows()
                told = [table.cell(row, "what").text for row in table.ids()]
                words = {
                    "move": f"林小姐 ({hands.first}) from 王敏 to 李华", "transfer": f"林小姐 ({hands.first}) from 李华 to the group 售前",
                    "suspend": "Suspend 曾小燕",
                } if language == "en" else {
                    "move": f"林小姐（{hands.first}）从 王敏 转给 李华", "transfer": f"林小姐（{hands.first}）从 李华 转到「售前」",
                    "suspend": "挂起 曾小燕",
                }  # fmt: skip
                assert told == [words[kind] for kind in moves]
                record.reject()
                desk.settle()
    finally:
        set_language("zh")


def test_without_an_engine_it_is_said_and_done_once_one_runs(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "PATIENCE_MS", 1)
    hands.desk.page._table.select("a2")
    hands.menu(hands.desk.page._table, "挂起…")
    hands.decide()
    hands.until_said("挂起 李华：路由引擎未运行，命令将在其启动后执行")
    hands.turn()
    hands.until_said("挂起 李华：已执行")


def test_who_has_gone_elsewhere_is_told_in_passing(hands: Hands) -> None:
    desk = hands.desk
    desk.host.activate({"agent": "a1"})
    desk.settle()
    desk.panel().attend.click()
    hands.decide()
    desk.page._detail.close()
    hands.turn()
    desk.until(lambda: desk.toasts == ["挂起 王敏：已执行"])


def test_an_offline_agent_can_be_neither(hands: Hands) -> None:
    hands.desk.host.activate({"agent": "a5"})
    hands.desk.settle()
    assert not hands.desk.panel().attend.isEnabled()
    assert "离线" in hands.desk.panel().attend.toolTip()


class TestWithoutPermission:
    @pytest.fixture
    def actor(self) -> Actor:
        return Actor("junior", frozenset({"live.view", "transcripts.view"}))

    def test_nothing_is_offered(self, hands: Hands) -> None:
        desk = hands.desk
        desk.host.activate({"agent": "a1"})
        desk.settle()
        assert not desk.panel().attend.isVisible()
        assert not desk.panel().record.isVisible()
        assert "move" not in desk.panel().sessions.shown_columns()
        desk.panel().sessions.select(hands.first)
        assert hands.menu(desk.panel().sessions, "") == ["查看聊天记录"]
        assert hands.menu(desk.page._table, "") == ["打开"]
        desk.page._detail.open_session(hands.first)
        desk.settle()
        assert not desk.talk().to_agent.isVisible()
        assert desk.host.failed is False


def test_what_is_told_of_a_command_moves_nothing_and_the_session_leaves_the_list(hands: Hands) -> None:
    """At the height of a small screen."""
    desk = hands.desk
    desk.host.resize(1060, 672)
    desk.host.activate({"agent": "a1"})
    desk.settle()
    panel = desk.panel()
    assert not panel.trend.isVisible()
    rows = [panel.sessions.visualRect(panel.sessions.model().index(row, 0)) for row in range(2)]
    assert panel.sessions.viewport().height() >= 5 * rows[0].height()
    top = panel.sessions.mapToGlobal(rows[0].topLeft())
    panel.hand_over.emit(hands.first, "agent")
    QTest.keyClick(hands.handing().search, Qt.Key.Key_Return)
    hands.decide()
    hands.turn()
    hands.until_said("的会话转给 李华：已执行")
    desk.page._tick()
    desk.until(lambda: panel.sessions.rows().ids() == [hands.second])
    assert panel.sessions.mapToGlobal(rows[0].topLeft()) == top
    assert panel.sessions.viewport().height() >= 4 * rows[0].height()
    panel.strip.undo.click()
    desk.settle()
    hands.turn()
    hands.until_said("还给 王敏：已执行")
    desk.page._tick()
    desk.until(lambda: set(panel.sessions.rows().ids()) == {hands.first, hands.second})


def test_the_trend_has_its_place_beside_the_sessions_or_in_it(hands: Hands) -> None:
    desk = hands.desk
    desk.host.activate({"agent": "a1"})
    desk.settle()
    panel = desk.panel()

    def seen() -> tuple[bool, bool, bool]:
        return panel.switch.isVisible(), panel.sessions.isVisible(), panel.trend.isVisible()

    desk.host.resize(1220, 900)
    desk.until(lambda: seen() == (False, True, True))
    desk.host.resize(1060, 672)
    desk.until(lambda: seen() == (True, True, False))
    panel.switch._buttons["trend"].click()
    assert seen() == (True, False, True)
    desk.host.resize(1220, 900)
    desk.until(lambda: seen() == (False, True, True))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_who_waits_in_line_is_not_told_as_served_by_whoever_had_them(shop: Shop, tmp_path: Path, qtbot: QtBot, language: Any) -> None:
    set_language(language)
    try:
        with opened(shop, tmp_path, qtbot, local_owner()) as desk:
            hands = Hands(desk)
            shop.agent("a2", "李华", "售前一组", 8, "offline", since=NOON)
            shop.session("a1", NOON - 15 * MINUTE)
            desk.workspace.commands.give(desk.store, "transfer", session=hands.first, group="g1")
            hands.turn()
            desk.host.activate({"agent": "a1"})
            desk.settle()
            listed = desk.panel().sessions.rows().cell(hands.first, "customer").detail
            assert listed == ("排队中" if language == "zh" else "In line")
            assert ("在「售前」排队" if language == "zh" else "Waiting in 售前") in desk.panel().sessions.words_of(hands.first, "customer")
            desk.host.activate({"agent": "a1", "session": hands.first})
            desk.settle()
            told = "在「售前」排队，12:00 起（原客服 王敏）" if language == "zh" else "Waiting in 售前 since 12:00 (before: 王敏)"
            assert desk.talk()._about.text().startswith(told)
            desk.talk().to_agent.click()
            assert hands.rows()["王敏"][2]  # may have it again
            QTest.keyClick(hands.dialog(), Qt.Key.Key_Escape)
    finally:
        set_language("zh")


def test_the_record_tells_the_chosen_row_in_full(hands: Hands) -> None:
    desk = hands.desk
    desk.shop.record(ev.SessionClosed(id="end", at=NOON, session=hands.first, by="customer"))
    desk.workspace.commands.give(desk.store, "move", session=hands.first, agent="a2")
    hands.turn()
    desk.host.activate({"agent": "a1"})
    desk.settle()
    desk.panel().record.click()
    desk.settle()
    record = hands.dialog()
    assert isinstance(record, RecordDialog)
    told = record.words.text()
    assert told.startswith(f"c-{hands.first}（{hands.first}）从 王敏 转给 李华。未执行：")
    assert told.endswith("已结束")
    assert record.words.wordWrap()
    record.reject()
