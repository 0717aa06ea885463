from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.domain.language import T, set_language
from ui import theme
from ui.widgets.buttons import IconButton
from ui.widgets.drawer import WIDTH, Drawer
from ui.widgets.empty import EmptyState
from ui.widgets.field import FormField, graphemes
from ui.widgets.inputs import DateEdit, NumberEdit
from ui.widgets.pill import ConnectionPill
from ui.widgets.popover import CheckMenu
from ui.widgets.search import SearchEdit
from ui.widgets.segmented import Segmented
from ui.widgets.skeleton import Skeleton
from ui.widgets.toast import FOOT, Toast, show_toast


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("abc", 3), ("您好！", 3), ("e\u0301", 1), ("👍🏽", 1), ("👨‍👩‍👧‍👦", 1), ("🇨🇳🇯🇵", 2), ("a\nb", 3), ("क्षि", 1),
    ],
)  # fmt: skip
def test_characters_are_counted_as_a_person_counts_them(text: str, count: int) -> None:
    assert graphemes(text) == count


def labels(field: FormField) -> list[str]:
    return [label.text() for label in field.findChildren(QLabel) if not label.isHidden()]


@pytest.mark.parametrize("editor_type", [QLineEdit, QPlainTextEdit])
def test_a_text_over_its_limit_is_kept_and_refused_in_words(qtbot: QtBot, editor_type: type[QLineEdit | QPlainTextEdit]) -> None:
    editor = editor_type()
    field = FormField("欢迎语", editor, "客户打开会话时看到", limit=3)
    qtbot.addWidget(field)
    qtbot.keyClicks(editor, "abc")
    assert field.error() == ""
    assert labels(field) == ["欢迎语", "客户打开会话时看到", "3/3"]
    qtbot.keyClicks(editor, "de")
    assert field.text() == "abcde"
    assert field.error() == "超出 2 个字，最多 3 个字。"
    assert labels(field) == ["欢迎语", "超出 2 个字，最多 3 个字。", "5/3"]
    assert editor.accessibleDescription() == field.error()
    assert editor.property("invalid") is True


def test_an_error_from_outside_replaces_the_help_until_it_is_taken_away(qtbot: QtBot) -> None:
    field = FormField("有效期", QLineEdit(), "格式 2024-12-31")
    qtbot.addWidget(field)
    field.set_error("这不是一个日期。")
    assert labels(field) == ["有效期", "这不是一个日期。"]
    field.set_error("")
    assert labels(field) == ["有效期", "格式 2024-12-31"]
    assert field.editor.property("invalid") is False


def test_segments_tell_the_choice_of_a_person_only(qtbot: QtBot) -> None:
    switch = Segmented([("5", T("5 分钟", "5 min")), ("30", "30"), ("60", "60")], "30")
    qtbot.addWidget(switch)
    switch.show()
    chosen: list[str] = []
    switch.chosen.connect(chosen.append)
    switch.set_value("60")
    assert (switch.value(), chosen) == ("60", [])
    qtbot.mouseClick(switch._buttons["5"], Qt.MouseButton.LeftButton)
    assert (switch.value(), chosen) == ("5", ["5"])
    switch._buttons["5"].setFocus()
    qtbot.keyClick(switch._buttons["5"], Qt.Key.Key_Right)
    assert switch.value() == "30"
    assert chosen == ["5", "30"]
    with pytest.raises(KeyError):
        switch.set_value("7")


def test_the_search_waits_for_a_pause_and_enter_does_not(qtbot: QtBot) -> None:
    field = SearchEdit()
    qtbot.addWidget(field)
    searched: list[str] = []
    field.searched.connect(searched.append)
    qtbot.keyClicks(field, "wang")
    assert searched == []
    qtbot.waitUntil(lambda: searched == ["wang"])
    qtbot.keyClicks(field, "x")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert searched == ["wang", "wangx"]


def test_escape_clears_the_search_and_then_leaves_it(qtbot: QtBot) -> None:
    field = SearchEdit()
    qtbot.addWidget(field)
    searched: list[str] = []
    left: list[None] = []
    field.searched.connect(searched.append)
    field.left.connect(lambda: left.append(None))
    field.setText("wang")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert (field.text(), searched, left) == ("", ["wang", ""], [])
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert left == [None]


def test_ctrl_f_brings_the_keyboard_to_the_search(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    elsewhere, field = QLineEdit(), SearchEdit()
    field.setText("old")
    column.addWidget(elsewhere)
    column.addWidget(field)
    field.listen_on(page)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    elsewhere.setFocus()
    qtbot.waitUntil(elsewhere.hasFocus)
    qtbot.keyClick(elsewhere, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert field.hasFocus()
    assert field.selectedText() == "old"


def test_the_pill_says_how_fresh_the_data_is_in_both_languages(qtbot: QtBot) -> None:
    pill = ConnectionPill()
    qtbot.addWidget(pill)
    pill.set_state("reconnecting", "40 秒前", "db.example")
    assert pill.accessibleName() == "db.example · 正在重连 · 40 秒前"
    narrow = pill.sizeHint().width()
    set_language("en")
    pill.set_state("offline", "3 min ago", "db.example.com")
    assert pill.accessibleName() == "db.example.com · Disconnected · 3 min ago"
    assert pill.sizeHint().width() > narrow
    with pytest.raises(ValueError, match="no such"):
        pill.set_state("fine")  # type: ignore[arg-type]


def test_every_connection_state_looks_different_without_colour(qtbot: QtBot) -> None:
    pill = ConnectionPill()
    qtbot.addWidget(pill)
    dots = set()
    for state in ("live", "delayed", "offline"):
        pill.set_state(state)  # type: ignore[arg-type]
        pill.resize(pill.sizeHint())
        image = pill.grab().toImage()
        dots.add(tuple(image.pixelColor(x, 13).lightness() < 170 for x in range(10, 21)))
    assert len(dots) == 3


def test_an_empty_place_says_why_and_offers_the_next_step(qtbot: QtBot) -> None:
    empty = EmptyState("empty", "还没有会话", "选择更长的日期范围。", "导入数据")
    qtbot.addWidget(empty)
    acted: list[None] = []
    empty.acted.connect(lambda: acted.append(None))
    qtbot.mouseClick(empty.button, Qt.MouseButton.LeftButton)
    assert acted == [None]
    assert empty.accessibleName() == "还没有会话 选择更长的日期范围。"


def test_markup_in_a_sentence_is_only_text(qtbot: QtBot) -> None:
    empty = EmptyState("empty", "x", "<img src=a><b>bold</b>")
    qtbot.addWidget(empty)
    assert empty._sentence.textFormat() == Qt.TextFormat.PlainText


def test_a_skeleton_moves_only_while_it_is_seen_and_motion_is_wanted(qtbot: QtBot) -> None:
    skeleton = Skeleton()
    qtbot.addWidget(skeleton)
    skeleton.show()
    assert skeleton._timer.isActive()
    skeleton.hide()
    assert not skeleton._timer.isActive()
    theme.set_reduced_motion(True)
    skeleton.show()
    assert not skeleton._timer.isActive()


def test_ticking_a_menu_entry_leaves_the_menu_open(qtbot: QtBot) -> None:
    menu = CheckMenu()
    qtbot.addWidget(menu)
    first, second = menu.addAction("a"), menu.addAction("b")
    first.setCheckable(True)
    menu.popup(QPoint(0, 0))
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(first).center())
    assert first.isChecked()
    assert menu.isVisible()
    menu.setActiveAction(first)
    qtbot.keyClick(menu, Qt.Key.Key_Space)
    assert not first.isChecked()
    assert menu.isVisible()
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(second).center())
    assert not menu.isVisible()


def test_number_and_date_fields_read_as_written(qtbot: QtBot) -> None:
    number, day = NumberEdit(0, 999, " 人"), DateEdit()
    qtbot.addWidget(number)
    qtbot.addWidget(day)
    number.setValue(8)
    assert number.text() == "8 人"
    day.lineEdit().setText("2024-12-31")
    assert day.date().toString("yyyy/M/d") == "2024/12/31"


@pytest.fixture
def host(qtbot: QtBot) -> QWidget:
    found = QWidget()
    qtbot.addWidget(found)
    found.resize(1000, 600)
    found.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    with qtbot.waitExposed(found):
        found.show()
    found.activateWindow()
    found.setFocus()
    theme.set_reduced_motion(True)
    return found


def test_the_drawer_stands_at_the_right_and_follows_its_host(host: QWidget) -> None:
    drawer = Drawer(host)
    assert not drawer.is_open()
    drawer.open("王小明", QLabel("x"))
    assert drawer.is_open()
    assert (drawer.x(), drawer.width(), drawer.height()) == (1000 - WIDTH, WIDTH, 600)
    host.resize(800, 500)
    assert (drawer.x(), drawer.height()) == (800 - WIDTH, 500)
    host.resize(300, 500)
    assert (drawer.x(), drawer.width()) == (0, 300)


def test_escape_goes_back_through_the_stack_and_then_closes(host: QWidget, qtbot: QtBot) -> None:
    drawer = Drawer(host)
    closed: list[None] = []
    drawer.closed.connect(lambda: closed.append(None))
    agent, session = QLabel("agent"), QLabel("session")
    drawer.open("王小明", agent)
    drawer.push("会话", session)
    assert drawer.current() is session
    qtbot.keyClick(host, Qt.Key.Key_Escape)
    assert drawer.current() is agent
    assert drawer.is_open()
    qtbot.keyClick(host, Qt.Key.Key_Escape)
    assert not drawer.is_open()
    assert closed == [None]
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not shiboken6.isValid(agent)
    assert not shiboken6.isValid(session)


def test_opening_a_drawer_leaves_the_keyboard_where_it_is(host: QWidget, qtbot: QtBot) -> None:
    drawer = Drawer(host)
    qtbot.waitUntil(host.hasFocus)
    panel = QPushButton("x")
    drawer.open("王小明", panel)
    assert host.hasFocus()
    panel.setFocus()
    drawer.close_drawer()
    assert host.hasFocus()


def test_opening_another_panel_replaces_the_whole_stack(host: QWidget) -> None:
    drawer = Drawer(host)
    drawer.open("a", QLabel("a"))
    drawer.push("b", QLabel("b"))
    drawer.open("c", other := QLabel("c"))
    drawer.back()
    assert not drawer.is_open()
    drawer.open("d", other := QLabel("d"))
    assert drawer.current() is other


def test_the_slide_is_short_and_absent_with_reduced_motion(host: QWidget, qtbot: QtBot) -> None:
    drawer = Drawer(host)
    drawer.open("a", QLabel("a"))
    assert drawer.x() == 1000 - WIDTH
    drawer.close_drawer()
    assert drawer.isHidden()
    theme.set_reduced_motion(False)
    assert theme.TRANSITION_MS <= 150
    drawer.open("a", QLabel("a"))
    qtbot.waitUntil(lambda: drawer.x() == 1000 - WIDTH, timeout=2000)
    drawer.close_drawer()
    assert not drawer.is_open()
    qtbot.waitUntil(drawer.isHidden, timeout=2000)


def test_reopening_while_it_closes_opens_it(host: QWidget, qtbot: QtBot) -> None:
    theme.set_reduced_motion(False)
    drawer = Drawer(host)
    drawer.open("a", QLabel("a"))
    drawer.close_drawer()
    drawer.open("b", panel := QLabel("b"))
    qtbot.waitUntil(lambda: drawer.x() == 1000 - WIDTH and drawer._slide.state() == drawer._slide.State.Stopped, timeout=2000)
    assert drawer.is_open()
    assert drawer.current() is panel


def toasts(window: QWidget) -> list[Toast]:
    return sorted((toast for toast in window.findChildren(Toast) if not toast.isHidden()), key=lambda toast: toast.number)


def test_a_toast_goes_by_itself_and_offers_to_undo(host: QWidget, qtbot: QtBot) -> None:
    toast = show_toast(host, "已保存", "good", "撤销", stay_ms=30)
    acted: list[None] = []
    toast.acted.connect(lambda: acted.append(None))
    assert toast.geometry().bottom() < host.height()
    assert abs(toast.geometry().center().x() - 500) <= 1
    qtbot.mouseClick(toast.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert acted == [None]
    another = show_toast(host, "又一条", stay_ms=30)
    QApplication.processEvents()
    QApplication.sendEvent(another, QEvent(QEvent.Type.Leave))  # it opened under the pointer
    qtbot.waitUntil(lambda: not host.findChildren(Toast), timeout=2000)


def test_a_toast_stays_while_the_pointer_is_on_it(host: QWidget) -> None:
    toast = show_toast(host, "已保存", stay_ms=60_000)
    QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))
    assert toast._timer.isActive()
    QApplication.sendEvent(toast, QEnterEvent(QPointF(5, 5), QPointF(5, 5), QPointF(5, 5)))
    assert not toast._timer.isActive()
    QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))
    assert toast._timer.isActive()


def test_a_toast_does_not_cover_what_the_foot_of_a_page_says(host: QWidget) -> None:
    foot = QWidget(host)
    foot.setObjectName(FOOT)
    foot.setGeometry(0, host.height() - 90, host.width(), 90)
    hidden = show_toast(host, "已保存", stay_ms=60_000)
    assert hidden.geometry().bottom() > foot.y()
    foot.show()
    shown = show_toast(host, "又一条", stay_ms=60_000)
    assert hidden.geometry().bottom() < shown.geometry().top()
    assert shown.geometry().bottom() < foot.y()
    foot.setGeometry(0, host.height() - 150, host.width(), 150)
    assert shown.geometry().bottom() < foot.y()


def test_at_most_three_toasts_stand_one_above_the_other(host: QWidget) -> None:
    for number in range(5):
        show_toast(host, f"第 {number} 条", stay_ms=60_000)
    shown = toasts(host)
    assert [toast.label.text() for toast in shown] == ["第 2 条", "第 3 条", "第 4 条"]
    edges = [(toast.geometry().top(), toast.geometry().bottom()) for toast in shown]
    assert edges == sorted(edges)
    assert all(above[1] < below[0] for above, below in pairwise(edges))
    host.resize(700, 400)
    assert max(toast.geometry().bottom() for toast in toasts(host)) < 400


@pytest.mark.parametrize("make", [SearchEdit, Skeleton, ConnectionPill, lambda: Segmented([("a", "a")]), lambda: IconButton("add", "x")])
def test_a_deleted_widget_leaves_neither_timer_nor_object(make: type[QWidget]) -> None:
    widget = make()
    widget.show()
    if isinstance(widget, SearchEdit):
        widget.setText("x")
    timers, gone = widget.findChildren(QTimer), weakref.ref(widget)
    widget.deleteLater()
    del widget
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert not any(shiboken6.isValid(timer) for timer in timers)
    assert gone() is None
