"""坐席监控, the table: a real store in a file, the real page in its host, fed by the store's own notices."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.domain import events as ev
from app.domain.metrics import METRICS, SEAT_COLUMNS, SEAT_OPTIONAL
from app.services.live import LiveService
from app.sources.simulator import Plan, Simulator
from app.storage.faults import FaultError
from tests.journeys.seats_desk import DAY, HOUR, MIDNIGHT, MINUTE, NOON, Desk, Shop, a_day
from ui.pages.seats import SeatsPage
from ui.pages.seats.lines import TOTAL_ID, Filters
from ui.runtime.feed import Quality
from ui.widgets.empty import EmptyState

ALL_KEYS = (*SEAT_COLUMNS, *SEAT_OPTIONAL)


# What is shown


def test_every_cell_says_what_the_service_says(shop: Shop, desk: Desk) -> None:
    simulated = Simulator(Plan(agents=6, sessions_per_agent=12, store="shop"))
    events = [event for event in (*simulated.roster(MIDNIGHT), *simulated.day(DAY)) if event.at <= NOON]
    shop.record(*sorted(events, key=lambda event: event.at))
    page = desk.open(filters=Filters(everyone=True))
    for action in page._table.columns_menu().actions():
        if action.isCheckable() and not action.isChecked():
            action.trigger()  # every optional column, those that cost more to read among them
    seats = desk.workspace.live.seats(desk.store)
    slowest = max(seats.rows, key=lambda row: seats.value(row, "first_reply_p90") or 0)
    desk.until(lambda: desk.text(slowest.code, "first_reply_p90") != "--")
    assert len(seats.rows) == 6
    assert any(row.numbers.get("consults") for row in seats.rows)
    for row in seats.rows:
        shown = {key: desk.text(row.code, key) for key in ALL_KEYS}
        assert shown == {key: METRICS[key].text(seats.value(row, key)) for key in ALL_KEYS}
        assert desk.text(row.code, "agent") == row.name
    assert {key: desk.total(key) for key in ALL_KEYS} == {
        key: METRICS[key].text(METRICS[key].value(seats.numbers, pending=True)) for key in ALL_KEYS
    }


def test_figures_counted_by_hand(desk: Desk) -> None:
    a_day(desk.shop)
    desk.open()
    shown = {key: desk.text("a1", key) for key in ("capacity", "active", "saturation", "consults", "received", "unanswered", "answer_rate")}
    assert shown == {
        "capacity": "2", "active": "1", "saturation": "50.0%", "consults": "4", "received": "3", "unanswered": "1", "answer_rate": "75.0%",
    }  # fmt: skip
    assert desk.text("a2", "capacity") == "--"  # no cap is not a cap of 0
    assert desk.text("a2", "saturation") == "--"
    assert desk.text("a1", "longest_wait") == "600.0"
    assert desk.page._rows.cell("a1", "longest_wait").level == "alarm"
    assert desk.page._rows.cell("a1", "answer_rate").level == "warn"
    assert desk.text("a1", "satisfaction") == "0.0%"


def test_columns_are_those_of_the_catalogue(desk: Desk) -> None:
    page = desk.open()
    assert page._table.shown_columns() == ["agent", "state", *SEAT_COLUMNS]
    assert set(SEAT_OPTIONAL) < {column.key for column in page._rows.columns}
    head = {column.key: column for column in page._rows.columns}
    assert str(METRICS["answer_rate"].definition) in str(head["answer_rate"].tooltip)
    assert "商家后台的口径" in str(head["answer_rate"].tooltip)
    assert str(head["longest_wait"].title).endswith("(秒)")


def test_a_cell_explains_itself(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    assert "3 / 4 = 75.0%" in page._tooltip("a1", "answer_rate")
    assert "4 / 5 = 80.0%" in page._tooltip(TOTAL_ID, "answer_rate")
    assert "售前一组" in page._tooltip("a1", "agent")
    assert "挂起" in page._tooltip("a2", "state")
    assert "11:00:00" in page._tooltip("a2", "state")


def test_the_total_pools_the_rows_that_are_shown(desk: Desk) -> None:
    a_day(desk.shop)
    desk.open()
    # 王敏 3 of 4 and 李华 1 of 1: 4 of 5, where the mean of their rates would be 87.5 %.
    assert (desk.total("consults"), desk.total("answer_rate")) == ("5", "80.0%")
    assert desk.total("saturation") == "50.0%"
    desk.choose(Filters(everyone=True))
    assert (desk.total("consults"), desk.total("answer_rate")) == ("6", "83.3%")
    desk.choose(Filters(everyone=True, team="售后一组"))
    assert (desk.total("consults"), desk.total("answer_rate"), desk.total("capacity")) == ("2", "100.0%", "5")


def test_the_total_of_everybody_holds_what_nobody_has(desk: Desk) -> None:
    a_day(desk.shop)
    desk.shop.record(
        ev.SessionOpened(id="o", at=NOON - MINUTE, session="lost", customer="x"),
        ev.MessageSent(id="m", at=NOON - MINUTE, session="lost", sender="customer", text="有人吗"),
    )
    desk.open(filters=Filters(everyone=True))
    assert desk.total("consults") == "7"
    desk.choose(Filters())
    assert desk.total("consults") == "5"


# Live


def test_an_event_changes_its_own_row_by_itself(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.listen()
    changed: set[object] = set()

    def note(first: QModelIndex, last: QModelIndex, roles: object = ()) -> None:
        changed.update(page._rows.row_id(row) for row in range(first.row(), last.row() + 1))

    page._rows.dataChanged.connect(note)
    desk.shop.session("a2", NOON - 5 * MINUTE, reply_after=5_000)
    desk.until(lambda: desk.text("a2", "consults") == "2")
    desk.settle()
    assert changed == {"a2"}
    assert desk.total("consults") == "6"
    page._rows.dataChanged.disconnect(note)


def test_only_changed_cells_are_signalled(desk: Desk) -> None:
    for number in range(60):
        desk.shop.agent(f"b{number:02}", f"客服{number}", capacity=5)
    page = desk.open()
    desk.listen()
    cells: list[tuple[int, int]] = []

    def note(first: QModelIndex, last: QModelIndex, roles: object = ()) -> None:
        cells.extend((row, column) for row in range(first.row(), last.row() + 1) for column in range(first.column(), last.column() + 1))

    page._rows.dataChanged.connect(note)
    code = desk.shop.session("b07", NOON - 5 * MINUTE)
    desk.until(lambda: desk.text("b07", "active") == "1")
    desk.settle()
    names = {page._rows.columns[column].key for _, column in cells}
    assert {row for row, _ in cells} == {7}
    assert {"active", "saturation", "consults", "unanswered", "waiting"} <= names
    assert not {"capacity", "received", "order_amount", "state", "agent"} & names
    cells.clear()
    page.refresh()
    desk.settle()
    assert cells == []  # the same answer again touches nothing
    page._rows.dataChanged.disconnect(note)
    assert code


def test_rows_do_not_move_under_the_pointer(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.listen()
    page._rows.sort_by("consults", descending=True)
    assert desk.ids() == ["a1", "a2"]
    QApplication.sendEvent(page._table, QEnterEvent(QPointF(5, 5), QPointF(5, 5), QPointF(5, 5)))
    for minute in range(1, 6):
        desk.shop.session("a2", NOON - minute * MINUTE, reply_after=1_000, closed=True)
    desk.until(lambda: desk.text("a2", "consults") == "6")
    desk.settle()
    assert desk.ids() == ["a1", "a2"]
    QApplication.sendEvent(page._table, QEvent(QEvent.Type.Leave))
    assert desk.ids() == ["a2", "a1"]


def test_a_filter_is_answered_even_under_the_pointer(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    QApplication.sendEvent(page._table, QEnterEvent(QPointF(5, 5), QPointF(5, 5), QPointF(5, 5)))
    desk.choose(Filters(text="王敏"))
    assert desk.ids() == ["a1"]


def test_clocks_run_without_reading(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)
    page = desk.open()
    page.on_quality(Quality("live"))
    cell = page._rows.cell("a1", "state")
    assert (cell.text, cell.detail) == ("接待", "1时00分")
    desk.shop.agent("a4", "孙丽", since=NOON - 65_000)
    page.refresh()
    desk.settle()
    assert page._rows.cell("a4", "state").detail == "1:05"
    changed: list[tuple[object, str]] = []
    page._rows.dataChanged.connect(
        lambda first, last, roles=(): changed.append((page._rows.row_id(first.row()), page._rows.columns[first.column()].key))
    )
    desk.shop.now += 5_000
    page._tick()
    assert not desk.operations.busy()
    assert page._rows.cell("a4", "state").detail == "1:10"
    assert desk.text("a1", "longest_wait") == "605.0"
    assert desk.total("longest_wait") == "605.0"
    assert sorted(changed) == [("a1", "longest_wait"), ("a4", "state")]
    page.on_quality(Quality("reconnecting", 4))
    desk.shop.now += 5_000
    page._tick()
    assert page._rows.cell("a4", "state").detail == "1:10"  # what is old does not pretend to be live


def test_nothing_ticks_on_a_hidden_page(desk: Desk) -> None:
    page = desk.open()
    assert page._timer.isActive()
    desk.host.deactivate()
    assert not page._timer.isActive()


def test_old_numbers_say_how_old_they_are(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    page.on_quality(Quality("live"))
    assert page._stale.isHidden()
    page.on_quality(Quality("reconnecting", 42))
    assert not page._stale.isHidden()
    assert "42" in page._stale.text()
    assert page._table._stale
    page.on_quality(Quality("live"))
    assert page._stale.isHidden()
    assert not page._table._stale


def test_a_failing_read_shows_on_this_page_and_passes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)

    def refuse(*_: object, **__: object) -> None:
        raise FaultError("unreachable", "无法连接数据库服务器。")

    monkeypatch.setattr(LiveService, "seats", refuse)
    desk.host.activate()
    desk.settle()
    assert desk.host.failed
    assert desk.host._error is not None
    assert "无法连接数据库服务器" in desk.host._error.accessibleName()
    monkeypatch.undo()
    desk.host.retry()
    desk.until(lambda: not desk.host.failed)
    desk.settle()
    assert desk.ids() == ["a1", "a2"]


def test_a_bug_shows_its_details_and_takes_nothing_down(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)
    page = desk.open()
    monkeypatch.setattr(LiveService, "seats", lambda *_, **__: 1 / 0)
    page.refresh()
    desk.settle()
    assert desk.host.failed
    assert desk.host._error is not None
    assert "ZeroDivisionError" in desk.host._error.details.toPlainText()


# Order


def test_no_value_sorts_last_both_ways(desk: Desk) -> None:
    a_day(desk.shop)
    desk.shop.agent("a4", "孙丽")
    page = desk.open()
    page._rows.sort_by("answer_rate", descending=True)
    assert desk.ids() == ["a2", "a1", "a4"]
    page._rows.sort_by("answer_rate", descending=False)
    assert desk.ids() == ["a1", "a2", "a4"]
    page._rows.sort_by("capacity")
    assert desk.ids() == ["a1", "a2", "a4"]
    page._rows.sort_by("state")
    assert desk.ids()[-1] == "a2"  # suspended after available
    page._rows.sort_by("agent")
    assert [desk.text(str(code), "agent") for code in desk.ids()] == ["李华", "孙丽", "王敏"]  # as in a dictionary


def test_the_longest_wait_is_on_top_when_sorted_by_it(desk: Desk) -> None:
    for code, minutes in (("a1", 3), ("a2", 9), ("a3", 6)):
        desk.shop.agent(code, code)
        desk.shop.session(code, NOON - minutes * MINUTE)
    desk.shop.agent("a4", "a4")
    page = desk.open()
    page._rows.sort_by("longest_wait", descending=True)
    assert desk.ids() == ["a2", "a3", "a1", "a4"]


# Filters


def test_at_first_only_who_is_not_offline(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    assert desk.ids() == ["a1", "a2"]
    button = next(button for button in page._bar._everyone.findChildren(type(page._bar._everyone._group.checkedButton()))
                  if button.property("key") == "everyone")  # fmt: skip
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    desk.settle()
    assert desk.ids() == ["a1", "a2", "a3"]


def test_names_are_found_by_what_can_be_typed(desk: Desk) -> None:
    a_day(desk.shop)
    desk.shop.agent("a4", "曾小燕")  # 曾 is read zeng and ceng
    page = desk.open()
    wanted = {
        "王": ["a1"], "wangmin": ["a1"], "wm": ["a1"], "WangM": ["a1"], "lih": ["a2"], "hua": ["a2"], "A1": ["a1"],
        "a": ["a1", "a2", "a4"], "cxy": ["a4"], "zengx": ["a4"], "wh": [], "minw": [], "": ["a1", "a2", "a4"],
    }  # fmt: skip
    for typed, found in wanted.items():
        page._bar.search.setText(typed)
        page._bar.search.returnPressed.emit()
        desk.settle()
        assert (typed, desk.ids()) == (typed, found)


def test_a_group_shows_its_own_agents_and_numbers(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    combo = page._bar._group
    combo.setCurrentIndex(combo.findData("g2"))
    combo.activated.emit(combo.currentIndex())
    desk.settle()
    assert desk.ids() == ["a2"]
    assert desk.total("consults") == "1"


def test_what_was_chosen_is_remembered(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.choose(Filters(group="g1", team="售前一组", everyone=True, text="王"))
    menu = page._table.columns_menu()
    next(action for action in menu.actions() if action.data() == "waiting").trigger()
    menu.deleteLater()
    page._rows.sort_by("consults", descending=True)
    page = desk.reopen()
    assert page._bar.filters() == Filters(group="g1", team="售前一组", everyone=True, text="王")
    assert page._bar.search.text() == "王"
    assert desk.ids() == ["a1"]
    assert "waiting" in page._table.shown_columns()
    assert page._rows.sort_state() == ("consults", True)


def test_a_state_of_another_version_is_taken_as_far_as_it_fits(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    page.restore({"filters": {"group": 3, "everyone": "yes", "text": "王", "later": 1}, "table": {"columns": ["state", "gone"]}, "more": 1})
    assert page._bar.filters() == Filters(text="王")
    page.restore({"filters": [], "table": 5})
    assert page._bar.filters() == Filters(text="王")


# Nothing to show


def why(page: SeatsPage) -> EmptyState:
    found = page._table._placeholder
    assert isinstance(found, EmptyState)
    assert found.isVisible()
    return found


def test_an_empty_store_says_what_to_do(desk: Desk) -> None:
    page = desk.open()
    assert "还没有客服" in why(page).accessibleName()
    assert "ingest" in why(page).accessibleName()
    desk.shop.agent("a1", "王敏")
    why(page).button.click()
    desk.settle()
    assert desk.ids() == ["a1"]


def test_nobody_online_offers_the_others(desk: Desk) -> None:
    desk.shop.agent("a1", "王敏", state="offline")
    page = desk.open()
    assert "没有客服在线" in why(page).accessibleName()
    why(page).button.click()
    desk.settle()
    assert desk.ids() == ["a1"]
    assert page._bar.filters().everyone


def test_no_match_first_looks_further_then_gives_up(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.choose(Filters(text="没有这个人"))
    assert "没有这个人" in why(page).accessibleName()
    why(page).button.click()
    desk.settle()
    assert page._bar.filters() == Filters(text="没有这个人", everyone=True)
    why(page).button.click()
    desk.settle()
    assert page._bar.search.text() == ""
    assert desk.ids() == ["a1", "a2", "a3"]


def test_an_unknown_group_or_team_can_be_left(desk: Desk) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.choose(Filters(group="gone"))
    assert desk.ids() == []
    why(page).button.click()
    desk.settle()
    assert page._bar.filters() == Filters()
    desk.choose(Filters(team="没有的组"))
    assert "没有的组" in why(page).accessibleName()
    why(page).button.click()
    desk.settle()
    assert desk.ids() == ["a1", "a2"]


# On the wall


def test_on_the_wall_the_worst_comes_first(desk: Desk) -> None:
    a_day(desk.shop)
    desk.shop.agent("a4", "孙丽", capacity=3)
    desk.shop.session("a4", NOON - 50_000)  # beyond the warning
    desk.shop.agent("a5", "周杰")
    page = desk.open()
    page.set_wallboard(True)
    assert page._wall is not None
    assert page._wall.names() == ["王敏", "孙丽", "李华", "周杰"]
    assert not page._wall.grab().isNull()
    page.set_wallboard(False)
    assert page._wall is None
    assert desk.ids() == ["a1", "a2", "a4", "a5"]


def test_colours_follow_the_stores_standards(shop: Shop, desk: Desk) -> None:
    a_day(shop)
    page = desk.open()
    desk.listen()
    assert page._rows.cell("a1", "answer_rate").level == "warn"  # three of four: below 90
    settings = desk.workspace.settings
    body = settings.get(desk.store, "standards").body
    body["answer_rate"] = {"target": 80, "warn": None, "alarm": 76}
    settings.save(desk.store, "standards", body)
    desk.until(lambda: page._rows.cell("a1", "answer_rate").level == "alarm")
    assert "76" in page._tooltip("a1", "answer_rate")


def test_the_order_window_of_the_store_holds_here_too(shop: Shop, desk: Desk) -> None:
    shop.agent("a1", "王敏")
    session = shop.session("a1", NOON - 11 * HOUR, reply_after=10_000, closed=True)
    bought = ev.OrderLine(sku="x", quantity=1, amount_fen=990)
    shop.record(ev.OrderPlaced(id=shop.name(), at=NOON + 30 * HOUR, order="o", customer=f"c-{session}", lines=[bought]))
    page = desk.open()
    desk.listen()
    assert desk.text("a1", "order_amount") == "0.00"
    desk.workspace.settings.save(desk.store, "order_window", {"window": "7d"})
    desk.until(lambda: desk.text("a1", "order_amount") == "9.90")
    assert "9.90" in page._tooltip("a1", "order_amount")


def test_the_clock_of_the_console_follows_a_setting_that_comes_later(desk: Desk) -> None:
    clock = desk.workspace.clock(desk.store)
    desk.open()
    desk.shop.set_clock(NOON + HOUR)
    desk.shop.say(desk.shop.session("a1"), "customer", "在吗")
    desk.listen()
    desk.page.refresh()
    desk.until(lambda: clock() == NOON + HOUR)
