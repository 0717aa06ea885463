"""坐席监控, the drawer: from a seat to its sessions, to what is said in one, and back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from app.desk.routing import Routing
from app.domain import events as ev
from app.domain.permissions import Actor
from app.domain.settings import DOCUMENTS
from app.storage import revisions
from tests.journeys.seats_desk import MINUTE, NOON, Desk, a_day
from ui.runtime.feed import Quality

# One seat, one session


def test_from_the_table_to_a_transcript_and_back_by_keyboard(desk: Desk) -> None:
    a_day(desk.shop)
    first = desk.shop.session("a1", NOON - 20 * MINUTE, reply_after=3_000)
    page = desk.open()
    page._table.setFocus()
    desk.press(Qt.Key.Key_Home)
    desk.press(Qt.Key.Key_Return)
    assert page._detail.agent == "a1"
    assert page._table.hasFocus()
    assert page.breadcrumb == ("王敏",)
    desk.press(Qt.Key.Key_Down)  # the drawer follows
    assert page._detail.agent == "a2"
    desk.press(Qt.Key.Key_Up)
    desk.press(Qt.Key.Key_Return)  # into the drawer
    assert desk.panel().sessions.hasFocus()
    assert desk.panel().sessions.current_id() != first  # the waiting one comes first
    desk.press(Qt.Key.Key_Down)
    desk.press(Qt.Key.Key_Return)
    assert page._detail.session == first
    assert desk.talk().transcript.hasFocus()
    assert page.breadcrumb == ("王敏", f"c-{first}")
    desk.press(Qt.Key.Key_Escape)
    assert page._detail.session == ""
    assert desk.panel().sessions.hasFocus()
    assert page.breadcrumb == ("王敏",)
    desk.press(Qt.Key.Key_Escape)
    assert not page._detail.is_open
    assert page._table.hasFocus()
    assert page.breadcrumb == ()


def test_the_drawer_shows_the_agents_day(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    page._table.opened.emit("a1")
    desk.settle()
    figures = {figure.caption: figure for figure in desk.panel()._figures.figures()}
    assert (figures["正在接待量"].text, figures["正在接待量"].unit) == ("1", "/ 2")
    assert figures["总咨询量"].text == "4"
    assert figures["应答率"].text == "75.0%"
    assert "3 / 4 = 75.0%" in figures["应答率"].tooltip
    assert figures["最长等待"].level == "alarm"
    assert [(s.start, s.end, s.state) for s in desk.panel().timeline._stretches] == [(660, 720, "available")]
    drawn = desk.panel().trend._data
    assert drawn is not None
    assert sum(value or 0 for value in drawn.series[0].values) == 4
    (waiting,) = desk.panel().sessions.rows().ids()
    assert desk.panel().sessions.rows().cell(waiting, "waiting").text == "10:00"
    desk.shop.now += 1_000
    page.on_quality(Quality("live"))
    page._tick()
    assert desk.panel().sessions.rows().cell(waiting, "waiting").text == "10:01"
    assert desk.panel()._figures.figures()[2].text == "10:01"


def test_a_session_tells_why_it_is_here(desk: Desk) -> None:
    a_day(desk.shop)
    group = {"code": "g", "name": "售前", "members": [{"agent": "a2", "weight": 6}]}
    revisions.save(desk.shop.database, desk.shop.id, DOCUMENTS["groups"], {"groups": [group]}, "x")
    at = NOON - MINUTE
    desk.shop.record(
        ev.SessionOpened(id="o", at=at, session="mine", customer="c"),
        ev.MessageSent(id="m", at=at, session="mine", sender="customer", text="在吗"),
    )
    Routing(desk.shop.database, desk.shop.id, desk.shop.clock).turn()
    desk.open({"agent": "a2", "session": "mine"})
    desk.settle()
    told = desk.talk()._why
    assert told.isVisible()
    assert "「售前」是唯一的咨询组" in told.text()
    by_source = desk.shop.session("a1")
    desk.page._detail.open_session(by_source)
    desk.settle()
    assert desk.talk()._why.text().endswith("由会话来源分配，未说明原因")


def test_the_table_stays_usable_beside_the_drawer(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    page._table.opened.emit("a1")
    desk.settle()
    drawer = page._detail.drawer
    right_edge = page._table.mapTo(page, QPoint(page._table.width(), 0)).x()
    assert right_edge <= drawer.x()
    page._detail.close()
    desk.until(lambda: page._table.width() > 1000)


def test_an_open_agent_follows_the_store(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.listen()
    page._table.opened.emit("a2")
    desk.settle()
    assert desk.panel().sessions.rows().rowCount() == 0
    code = desk.shop.session("a2", NOON - MINUTE)
    desk.until(lambda: desk.text("a2", "active") == "1")
    page._tick()
    desk.until(lambda: desk.panel().sessions.rows().ids() == [code])


def test_a_transcript_follows_what_is_said(desk: Desk) -> None:
    a_day(desk.shop)
    code = desk.shop.session("a1", NOON - 5 * MINUTE)
    for number in range(40):
        desk.shop.say(code, "customer", f"第{number}句，请尽快回复我。", NOON - 4 * MINUTE + number * 1000)
    page = desk.open({"agent": "a1", "session": code})
    desk.listen()
    desk.until(lambda: len(desk.talk().transcript._bubbles) == 41)
    bar = desk.talk().transcript.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    desk.shop.say(code, "agent", "马上为您处理")
    desk.until(lambda: len(desk.talk().transcript._bubbles) == 42)
    assert bar.value() == bar.maximum()
    bar.setValue(bar.maximum() // 3)
    place = bar.value()
    desk.shop.say(code, "customer", "好的", NOON)
    desk.until(lambda: len(desk.talk().transcript._bubbles) == 43)
    assert bar.value() == place  # whoever reads further up is left alone
    desk.shop.say(code, "customer", "迟到的一句", NOON - 3 * MINUTE)
    desk.until(lambda: len(desk.talk().transcript._bubbles) == 44)
    assert bar.value() == place
    assert page._detail.agent == "a1"


def test_a_long_transcript_of_ugly_texts(desk: Desk) -> None:
    a_day(desk.shop)
    code = desk.shop.session("a1", NOON - 50 * MINUTE)
    ugly = (
        "<b onclick=alert(1)>粗</b>&amp;", "👩‍👩‍👧‍👦🏳️‍🌈" * 40, "مرحبا بالعالم ‮evil", "x" * 1_000_000, "=cmd|' /C calc'!A0", "行\n" * 300,
        "\u200b", " ",
    )  # fmt: skip
    desk.shop.record(
        *(
            ev.MessageSent(id=f"u{i}", at=NOON - 40 * MINUTE + i * 1000, session=code, sender=("customer", "agent", "bot", "system")[i % 4],
                           text=ugly[i % len(ugly)] if i < 64 else f"第 {i} 条")
            for i in range(2_000)
        )
    )  # fmt: skip
    desk.open({"agent": "a1", "session": code})
    shown = desk.talk().transcript
    assert len(shown._bubbles) == 2_001
    assert shown._bubbles[1].text == ugly[0]  # as it was written, nothing interpreted
    assert len(shown._bubbles[4].text) == 1_000_000
    bar = shown.verticalScrollBar()
    assert bar.value() == bar.maximum()
    for place in (0, bar.maximum() // 2, bar.maximum()):
        bar.setValue(place)
        assert not shown.grab().isNull()
    assert desk.faults == []


def test_pictures_and_other_days_are_told_in_words(desk: Desk) -> None:
    a_day(desk.shop)
    code = desk.shop.session("a1", NOON - 5 * MINUTE)
    desk.shop.record(ev.MessageSent(id="p", at=NOON - 4 * MINUTE, session=code, sender="customer", content="image"))
    desk.open({"agent": "a1", "session": code})
    texts = [(bubble.text, bubble.time) for bubble in desk.talk().transcript._bubbles]
    assert texts == [("在吗", "11:55"), ("[图片]", "11:56")]


def test_a_closed_session_says_so_and_waits_no_longer(desk: Desk) -> None:
    a_day(desk.shop)
    code = desk.shop.session("a1", NOON - 5 * MINUTE)
    page = desk.open({"session": code})
    desk.listen()
    assert page._detail.agent == ""  # opened alone, as for a customer nobody has
    assert desk.talk()._figures.figures()[0] == ("等待回复", "5:00", "", "alarm", "")
    desk.shop.record(ev.SessionClosed(id="bye", at=NOON, session=code, by="customer"))
    desk.until(lambda: desk.talk()._figures.figures()[0].caption == "客户结束")
    assert desk.talk()._figures.figures()[0].text == "12:00"


def test_opened_from_elsewhere_even_where_the_filters_hide_it(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open({"agent": "a3"})
    assert desk.panel()._state.accessibleName().startswith("离线")
    assert page.breadcrumb == ("赵强",)
    assert "a3" not in desk.ids()
    desk.host.activate({"agent": "a2"})
    desk.settle()
    assert page._table.current_id() == "a2"
    assert page.breadcrumb == ("李华",)


def test_a_session_opened_alone_is_left_alone(desk: Desk) -> None:
    a_day(desk.shop)
    first, second = desk.shop.session("a1", NOON - 5 * MINUTE), desk.shop.session("a2", NOON - 5 * MINUTE)
    page = desk.open({"session": first})
    page._table.select("a1")  # as the keyboard does when it comes to the table
    desk.settle()
    assert (page._detail.agent, page._detail.session) == ("", first)
    desk.host.activate({"session": second})
    desk.settle()
    assert desk.talk().title() == f"c-{second}"
    desk.press(Qt.Key.Key_Escape)  # nothing beneath it
    assert not page._detail.is_open


def test_what_does_not_exist_is_told_in_the_drawer(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open({"agent": "nobody"})
    assert "没有这个客服" in desk.panel()._count.text()
    desk.host.activate({"session": "nothing"})
    desk.settle()
    assert desk.talk()._stack.currentWidget() is desk.talk()._unknown
    assert not desk.host.failed
    assert page._detail.agent == "nobody"


class TestWithoutTranscripts:
    @pytest.fixture
    def actor(self) -> Actor:
        return Actor("junior", frozenset({"live.view"}))

    def test_sessions_are_seen_but_not_opened(self, desk: Desk) -> None:
        a_day(desk.shop)
        code = desk.shop.session("a1", NOON - 5 * MINUTE)
        page = desk.open({"agent": "a1", "session": code})
        assert page._detail.session == ""
        assert len(desk.toasts) == 1
        assert desk.panel().sessions.rows().rowCount() == 2
        desk.panel().sessions.opened.emit(code)
        assert page._detail.session == ""
        assert "权限" in desk.panel()._count.text()
        assert not desk.host.failed
