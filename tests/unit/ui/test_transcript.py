from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.widgets import transcript as transcript_module
from ui.widgets.transcript import Bubble, Transcript

TALK = [
    Bubble("system", "会话已分配", "09:30:00"),
    Bubble("customer", "你好 <b>XL</b> 有货吗？", "09:31:00", "客户"),
    Bubble("agent", "有的 👍🏽 今天下单明天发", "09:31:20", "王1"),
]


@pytest.fixture
def talk(qtbot: QtBot) -> Transcript:
    found = Transcript()
    qtbot.addWidget(found)
    found.resize(420, 500)
    with qtbot.waitExposed(found):
        found.show()
    return found


def long_talk(count: int) -> list[Bubble]:
    return [Bubble("customer" if n % 2 else "agent", f"第{n}条 " + "内容" * (n % 37), f"10:{n % 60:02d}", "x") for n in range(count)]


def test_customer_left_agent_right_the_rest_in_the_middle(talk: Transcript) -> None:
    talk.set_messages(TALK)
    system, customer, agent = (talk._text_at(index).x() for index in range(3))
    assert customer < system < agent


def test_markup_is_shown_as_text_and_copied_unchanged(talk: Transcript, qtbot: QtBot) -> None:
    talk.set_messages(TALK)
    assert talk._layout(1).text() == TALK[1].text
    qtbot.keyClick(talk, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(talk, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == (
        "系统 09:30:00\n会话已分配\n客户 09:31:00\n你好 <b>XL</b> 有货吗？\n王1 09:31:20\n有的 👍🏽 今天下单明天发"
    )


def test_a_part_is_selected_with_the_mouse_without_cutting_an_emoji(talk: Transcript, qtbot: QtBot) -> None:
    talk.set_messages(TALK)
    layout, at = talk._layout(2), talk._text_at(2)
    line = layout.lineAt(0)

    def point(position: int) -> QPoint:
        found = line.cursorToX(position)
        x = found[0] if isinstance(found, tuple) else found
        return (at + QPointF(x + 1, 8)).toPoint()

    viewport = talk.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=point(3))
    qtbot.mouseMove(viewport, point(8))
    talk.mouseMoveEvent(_drag(point(8)))
    assert talk.selected_text() == "👍🏽 "
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=point(1))
    assert talk.selected_text() == TALK[2].text


def _drag(at: QPoint) -> Any:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    left = Qt.MouseButton.LeftButton
    return QMouseEvent(QEvent.Type.MouseMove, QPointF(at), QPointF(at), left, left, Qt.KeyboardModifier.NoModifier)


def test_thousands_of_messages_cost_one_screenful(talk: Transcript, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[str] = []
    original = transcript_module.QTextLayout

    def counting(text: str, *rest: Any) -> Any:
        laid_out.append(text)
        return original(text, *rest)

    monkeypatch.setattr(transcript_module, "QTextLayout", counting)
    talk.set_messages(long_talk(5000))
    QApplication.processEvents()
    assert 0 < len(laid_out) < 120


def test_it_opens_at_the_end_and_follows_only_from_there(talk: Transcript) -> None:
    messages = long_talk(300)
    talk.set_messages(messages)
    bar = talk.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    talk.set_messages([*messages, Bubble("agent", "新的一条", "11:00", "x")])
    assert bar.value() == bar.maximum()
    bar.setValue(bar.maximum() // 2)
    kept = bar.value()
    talk.set_messages([*messages, Bubble("agent", "新的一条", "11:00", "x"), Bubble("agent", "又一条", "11:01", "x")])
    assert bar.value() == kept


def test_scrolling_up_through_guessed_heights_never_jumps(talk: Transcript) -> None:
    talk.set_messages([Bubble("customer", "il" * (n % 90) + " W" * (n % 40), f"10:{n}", "x") for n in range(400)])
    bar = talk.verticalScrollBar()
    guessed = list(talk._heights)
    for _ in range(60):
        first = talk._visible()[1]
        before = talk._tops[first] - bar.value()
        bar.setValue(bar.value() - 40)
        assert talk._tops[first] - bar.value() == pytest.approx(before + 40, abs=1.5)
    wrong = [index for index in talk._measured if abs(guessed[index] - talk._heights[index]) > 10]
    assert len(wrong) > 5, "the guesses were too good to show anything"


def test_a_message_can_be_brought_into_view(talk: Transcript) -> None:
    talk.set_messages(long_talk(1000))
    for index in (3, 700, 999, 0):
        talk.scroll_to(index)
        assert index in talk._visible()


def test_every_occurrence_of_the_search_is_marked(talk: Transcript) -> None:
    talk.set_messages([Bubble("customer", "Size? SIZE! 尺码 size", "1", "x")])
    talk.set_highlight("size")
    assert [(found.start, found.length) for found in talk._formats(0)] == [(0, 4), (6, 4), (15, 4)]
    talk.set_highlight("")
    assert talk._formats(0) == []


def test_a_huge_message_is_cut_on_the_screen_and_whole_when_copied(talk: Transcript) -> None:
    text = "长" * 1_000_000
    talk.set_messages([Bubble("customer", text + "\x00", "1", "x")])
    shown = talk._layout(0).text()
    assert len(shown) < 4100
    assert "1000001" in shown
    talk.select_all()
    assert talk.selected_text() == text + "\x00"


def test_messages_of_one_minute_and_person_share_a_head(talk: Transcript) -> None:
    talk.set_messages([Bubble("customer", "a", "09:31", "x"), Bubble("customer", "b", "09:31", "x"), Bubble("customer", "c", "09:32", "x")])
    assert [talk._starts_group(index) for index in range(3)] == [True, False, True]


def test_a_screen_reader_hears_how_many_and_the_last(talk: Transcript) -> None:
    talk.set_messages(TALK)
    assert talk.accessibleName() == "聊天记录，3 条消息"
    assert talk.accessibleDescription() == "王1: 有的 👍🏽 今天下单明天发"
