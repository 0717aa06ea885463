"""查询: from a figure to its sessions, to what was said, to the order and who got it; and what the page says when there is nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QStyle, QStyleOptionComboBox
from pytestqt.qtbot import QtBot

from app.domain import events as ev
from app.domain.language import set_language
from app.domain.permissions import Actor
from app.domain.terms import WEEKDAYS
from tests.journeys.seats_desk import DAY, HOUR, LOCAL, MINUTE, NOON, Desk, Shop, opened
from ui.pagehost import PageHost
from ui.pages.lookup import LookupPage, listing
from ui.pages.registry import PAGES
from ui.widgets.empty import EmptyState
from ui.widgets.session_facts import SessionPanel

TODAY = LOCAL.local(NOON).date()


class LookupDesk(Desk):
    size = 1060, 700

    def close(self) -> None:
        super().close()
        assert not self.faults

    @property
    def look(self) -> LookupPage:
        assert isinstance(self.host.page, LookupPage)
        return self.host.page

    def go(self, **where: Any) -> LookupPage:
        self.host.activate({"first": TODAY, "last": TODAY, **where})
        self.settle()
        return self.look

    def table(self) -> listing.ListingTable:
        found = self.look._listings.currentWidget()
        assert isinstance(found, listing.ListingTable)
        assert found.isVisibleTo(self.look)
        return found

    def column(self, key: str) -> list[str]:
        rows = self.table().rows()
        return [rows.cell(id, key).text for id in rows.ids()]

    def record(self, key: str) -> list[Any]:
        return [self.table().record(id)[key] for id in self.table().rows().ids()]

    def chips(self) -> list[str]:
        return [words for _, words in self.look._bar.chips.shown()]

    def said_instead(self) -> str:
        """What stands where there is nothing to show."""
        shown = self.look._stack.currentWidget()
        assert shown is not None
        found = [empty for empty in shown.findChildren(EmptyState) if empty.isVisibleTo(shown)]
        return (shown if isinstance(shown, EmptyState) else found[0]).accessibleName()

    def exported(self, path: Path) -> list[dict[str, str]]:
        """The rows of the file that the dialog shown is told to write."""
        dialog = self.look.findChild(QFileDialog)
        assert dialog is not None
        dialog.fileSelected.emit(str(path))
        dialog.reject()
        self.settle()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        head, *rows = csv.reader(path.read_text("utf-8-sig").splitlines())
        return [dict(zip(head, row, strict=True)) for row in rows]

    def session_panel(self) -> SessionPanel:
        found = self.look._detail.panel()
        assert found is not None
        return found


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot, actor: Actor) -> Iterator[LookupDesk]:
    with opened(shop, tmp_path, qtbot, actor, "lookup", LookupDesk) as desk:
        yield desk


def order(shop: Shop, code: str, session: str, at: int, amount: int = 9900) -> None:
    line = ev.OrderLine(sku="k1", name="电热水壶", quantity=1, amount_fen=amount)
    shop.record(ev.OrderPlaced(id=shop.name(), at=at, order=code, customer=f"c-{session}", lines=[line]))


def a_morning(shop: Shop) -> dict[str, str]:
    """王敏 answers one of two and sells a kettle, 李华 answers late."""
    shop.agent("a1", "王敏", "售前一组")
    shop.agent("a2", "李华", "售后一组")
    sold = shop.session("a1", NOON - 3 * HOUR, reply_after=5_000, closed=True, score=5)
    silent = shop.session("a1", NOON - 2 * HOUR)
    late = shop.session("a2", NOON - HOUR, reply_after=50_000, closed=True, group="g2", score=1)
    order(shop, "o1", sold, NOON - 2 * HOUR)
    return {"sold": sold, "silent": silent, "late": late}


# From a figure to what is behind it


def test_a_figure_opens_its_sessions_with_chips_that_can_be_dropped(desk: LookupDesk) -> None:
    codes = a_morning(desk.shop)
    desk.go(report="sessions", only="unanswered", agent="a1")
    assert desk.record("session") == [codes["silent"]]
    day = f"{TODAY:%m-%d}"
    assert desk.chips() == ["没有人工回复的会话", "王敏", day]
    assert desk.look.breadcrumb == ("客户咨询",)
    desk.look._bar.chips.removed.emit("only")
    desk.settle()
    assert desk.record("session") == [codes["silent"], codes["sold"]]
    assert desk.chips() == ["王敏", day]
    desk.look._bar.chips.removed.emit("agent")
    desk.settle()
    assert len(desk.record("session")) == 3
    assert desk.look._bar.count.text() == "共 3 条"


def test_a_cell_of_the_heat_map_tells_its_hour_in_chips(desk: LookupDesk) -> None:
    codes = a_morning(desk.shop)
    at = (LOCAL.local(NOON).hour - 1) * 12
    desk.go(report="sessions", weekdays=(TODAY.weekday(),), hours=(at, at + 12), grouped=True, only="consulted")
    assert desk.record("session") == [codes["late"]]
    weekday = str(WEEKDAYS[TODAY.weekday()])
    assert {weekday, "属于任一咨询组", f"{at // 12:02}:00–{at // 12 + 1:02}:00"} < set(desk.chips())
    desk.look._bar.chips.removed.emit("hours")
    desk.settle()
    assert len(desk.record("session")) == 3
    desk.go(report="sessions", weekdays=((TODAY.weekday() + 1) % 7,))
    assert desk.record("session") == []


def test_visitors_lead_to_what_they_said_that_day(desk: LookupDesk) -> None:
    codes = a_morning(desk.shop)
    for number, (customer, available) in enumerate(((f"c-{codes['late']}", True), ("c-silent", True), ("c-night", False))):
        desk.shop.record(ev.VisitorEntered(id=desk.shop.name(), at=NOON - HOUR + number, customer=customer, available=available))
    page = desk.go(report="visitors", only="visitors_online")
    assert desk.column("customer") == ["c-silent", f"c-{codes['late']}"]
    assert desk.column("sessions") == ["0", "1"]
    assert desk.chips() == ["有客服在线时进入的访客", f"{TODAY:%m-%d}"]
    page._open_row(desk.table().rows().row_id(1))
    desk.settle()
    assert desk.record("session") == [codes["late"]]
    page._go_back()
    desk.settle()
    assert len(desk.column("customer")) == 2


def test_a_session_opens_beside_the_table_and_leads_to_its_agent(desk: LookupDesk) -> None:
    codes = a_morning(desk.shop)
    page = desk.go(report="sessions")
    table = desk.table()
    table.setFocus()
    desk.press(Qt.Key.Key_Home)
    desk.press(Qt.Key.Key_Return)
    assert page._detail.session == codes["late"]
    assert table.hasFocus()
    figures = {figure.caption: figure.text for figure in desk.session_panel()._figures.figures()}
    assert figures["评价"] == "非常不满意"
    assert [bubble.text for bubble in desk.session_panel().transcript._bubbles] == ["在吗", "在的"]
    desk.press(Qt.Key.Key_Down)  # the drawer follows
    assert page._detail.session == codes["silent"]
    assert page._detail._panel is not None
    page._detail._panel.agent.click()
    assert desk.went == [("agent", {"agent": "a1"})]
    page._detail._panel.customer.click()
    desk.settle()
    assert desk.record("session") == [codes["silent"]]
    assert desk.chips() == [f"客户 c-{codes['silent']}"]


def test_whoever_may_not_read_transcripts_is_told(shop: Shop, tmp_path: Path, qtbot: QtBot, desk: LookupDesk) -> None:
    a_morning(shop)
    desk.context = replace(desk.context, actor=Actor("viewer", frozenset({"history.view"})))
    desk.host.hide()
    desk.host = PageHost(PAGES["lookup"], desk.context)
    qtbot.addWidget(desk.host)
    desk.host.show()
    page = desk.go(report="sessions")
    page._open_row(desk.table().rows().row_id(0))
    assert "没有权限查看聊天记录" in desk.toasts[-1]
    desk.go(view="transcripts", words="在吗")
    assert "没有权限查看聊天记录" in desk.said_instead()


# Orders


def test_from_an_order_to_its_account_to_the_session_and_back(desk: LookupDesk) -> None:
    codes = a_morning(desk.shop)
    page = desk.go(report="orders")
    assert (desk.column("order"), desk.column("agent_name"), desk.column("amount")) == (["o1"], ["王敏"], ["99.00"])
    assert desk.column("customer") == [f"c-{codes['sold']}"] == desk.column("customer_name")  # nobody has told a name
    assert page._bar.count.text() == "共 1 条，按咨询当天计入"
    table = desk.table()
    table.cell_opened.emit(table.rows().row_id(0), "order")
    desk.settle()
    assert page.breadcrumb == ("订单核算",)
    (candidates,) = page._account.tables
    assert candidates.rows().cell(codes["sold"], "outcome").text == "归属"
    assert candidates.rows().cell(codes["sold"], "why").text == "最后一次咨询"
    candidates.opened.emit(codes["sold"])
    desk.settle()
    assert page._detail.session == codes["sold"]
    page._bar.back.click()
    desk.settle()
    assert desk.column("order") == ["o1"]
    assert page._bar.back.isHidden()


def test_an_unknown_order_and_none_at_all_say_what_to_do(desk: LookupDesk) -> None:
    a_morning(desk.shop)
    desk.go(view="account")
    assert "输入订单编号" in desk.said_instead()
    desk.look._bar.search.setText("nothing")
    desk.look._bar.search.returnPressed.emit()
    desk.settle()
    assert "找不到这张订单" in desk.said_instead()


def test_the_window_is_switched_for_all_history_pages(desk: LookupDesk) -> None:
    codes = a_morning(desk.shop)
    order(desk.shop, "o2", codes["late"], NOON + 47 * HOUR)
    page = desk.go(report="orders")
    assert desk.column("order") == ["o1"]
    page._top.window_switch.chosen.emit("7d")
    desk.settle()
    assert desk.column("order") == ["o2", "o1"]
    assert desk.prefs.get("history_window") == "7d"


def test_items_lead_to_their_orders(desk: LookupDesk) -> None:
    a_morning(desk.shop)
    desk.go(report="skus")
    assert (desk.column("sku_name"), desk.column("amount"), desk.column("share")) == (["电热水壶"], ["99.00"], ["100.0%"])
    table = desk.table()
    table.cell_opened.emit(table.rows().row_id(0), "orders")
    desk.settle()
    assert desk.column("order") == ["o1"]
    assert "商品 k1" in desk.chips()


# Long lists


def test_a_list_is_read_on_as_it_is_scrolled(desk: LookupDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.pages.lookup.listings.PAGE_ROWS", 40)
    desk.shop.agent("a1", "王敏")
    for number in range(100):
        desk.shop.session("a1", NOON - HOUR - number * 1000, reply_after=number + 1)
    desk.go(report="sessions")
    table = desk.table()
    desk.until(lambda: not desk.operations.busy())
    read = table.count()
    assert read < 100
    assert desk.look._bar.count.text() == "共 100 条"
    for _ in range(5):
        table.verticalScrollBar().setValue(table.verticalScrollBar().maximum())
        desk.settle()
    assert table.count() == 100
    assert table.is_complete()
    codes = desk.record("opened_at")
    assert codes == sorted(codes, reverse=True)
    assert len(set(desk.record("session"))) == 100
    table.rows().sort_by("first_reply", descending=False)  # from the first row on, by the store
    desk.settle()
    assert desk.record("first_reply")[:3] == [0.001, 0.002, 0.003]


def test_filters_columns_and_view_are_remembered(desk: LookupDesk) -> None:
    a_morning(desk.shop)
    page = desk.go(report="sessions")
    page._choose(replace(page._choices, group="g2", days=False))
    desk.settle()
    desk.table().rows().sort_by("first_reply", descending=False)
    desk.settle()
    assert len(desk.record("session")) == 1
    desk.replace_page()
    desk.host.activate(None)
    desk.settle()
    assert desk.look._choices.view == "sessions"
    assert desk.look._choices.group == "g2"
    assert desk.table().order() == ("first_reply", False)
    assert len(desk.record("session")) == 1


# Transcripts


def test_words_are_found_marked_and_scrolled_to(desk: LookupDesk) -> None:
    codes = a_morning(desk.shop)
    for minute in range(40):
        desk.shop.say(codes["late"], "customer" if minute % 2 else "agent", f"第{minute}句", NOON - HOUR + minute * MINUTE)
    desk.shop.say(codes["late"], "agent", "您要的发票已经开好", NOON - HOUR + 20 * MINUTE + 1)
    page = desk.go(view="transcripts")
    assert "输入要找的文字" in desk.said_instead()
    page._bar.search.setText("发票")
    page._bar.search.returnPressed.emit()
    desk.settle()
    (entry,) = page._search.hits.entries()
    assert entry.session == codes["late"]
    assert [entry.snippet[start:end] for start, end in entry.spans] == ["发票"]
    page._search.hits.setCurrentIndex(page._search.hits.model().index(0, 0))
    page._search.hits.setFocus()
    desk.press(Qt.Key.Key_Return)
    talk = desk.session_panel().transcript
    hit = next(i for i, bubble in enumerate(talk._bubbles) if "发票" in bubble.text)
    assert hit in talk._visible()
    assert len(talk._formats(hit)) == 1
    page._bar.search.setText("没有人说过")
    page._bar.search.returnPressed.emit()
    desk.settle()
    assert "没有找到" in desk.said_instead()


def test_what_is_not_indexed_is_indexed_beside_the_search_and_told(desk: LookupDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session at a time here, so that there are several steps to tell of."""
    monkeypatch.setattr("app.storage.search.PIECE", 1)
    monkeypatch.setattr("ui.pages.lookup.search._SLICE_SECONDS", 0.0)
    codes = a_morning(desk.shop)
    desk.shop.record(ev.CustomerUpserted(id="named", at=NOON, customer=f"c-{codes['sold']}", name="赵先生"))
    told: list[str] = []
    page = desk.go(view="orders")
    say = page._search._say_pending

    def watched() -> None:
        say()
        if not page._search._foot.isHidden():
            told.append(page._search._foot.text())

    monkeypatch.setattr(page._search, "_say_pending", watched)
    desk.go(view="transcripts")
    assert desk.context.workspace.search.pending(desk.context.store) == 1, "the session that is still open waits"
    assert told == [f"正在为聊天记录编索引，还剩 {left} 个会话。" for left in (2, 1)]
    assert page._search._foot.isHidden()
    page._bar.search.setText("在的")
    page._bar.search.returnPressed.emit()
    desk.settle()
    assert [(entry.session, entry.who) for entry in page._search.hits.entries()] == [
        (codes["late"], f"c-{codes['late']} · 李华"), (codes["sold"], "赵先生 · 王敏"),
    ]  # fmt: skip


# Nothing, and export


def test_what_stands_where_there_is_nothing(desk: LookupDesk) -> None:
    desk.go(report="sessions")
    assert "这些天没有记录" in desk.said_instead()
    codes = a_morning(desk.shop)
    desk.go(report="sessions", only="leave")
    assert "没有符合条件的记录" in desk.said_instead()
    empty = next(found for found in desk.table().findChildren(EmptyState) if found.isVisibleTo(desk.table()))
    empty.acted.emit()
    desk.settle()
    assert set(desk.record("session")) == set(codes.values())


def test_a_broken_read_shows_as_this_pages_error(desk: LookupDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_morning(desk.shop)
    monkeypatch.setattr("app.services.listings.ListingService.page", lambda *args: 1 // 0)
    desk.go(report="sessions")
    assert desk.host.failed


def test_the_file_has_the_rows_of_the_list_in_words(desk: LookupDesk, tmp_path: Path) -> None:
    codes = a_morning(desk.shop)
    page = desk.go(report="sessions", agent="a2")
    page.export()
    (row,) = desk.exported(tmp_path / "list.csv")
    assert (row["会话"], row["评分"], row["客服"]) == (codes["late"], "非常不满意", "李华")
    assert row["咨询时间"].startswith(date.isoformat(LOCAL.local(NOON).date()))
    assert LOCAL.day(NOON) == DAY


def test_the_account_of_an_order_and_what_was_said_go_to_files(desk: LookupDesk, tmp_path: Path) -> None:
    codes = a_morning(desk.shop)
    page = desk.go(view="account")
    page.export()
    assert desk.toasts[-1] == "请先输入订单编号。"
    page = desk.go(view="account", order="o1")
    assert page._bar.export.isVisible()
    assert not page._bar.save.isVisible()
    page._bar.export.click()
    rows = desk.exported(tmp_path / "o1.csv")
    assert {row["订单时效"] for row in rows} == {"24小时", "7天", "15天"}
    assert {(row["会话"], row["结果"]) for row in rows} >= {(codes["sold"], "归属")}

    page._account.tables[0].opened.emit(codes["sold"])
    desk.settle()
    panel = page._detail._panel
    assert panel is not None
    panel.export.click()
    said = desk.exported(tmp_path / "sold.csv")
    assert [row["谁说的"] for row in said] == ["客户", "客服"]
    page._detail.take_keyboard()
    page.export()  # Ctrl+E means what has the keyboard
    assert desk.exported(tmp_path / "again.csv") == said
    page._bar.search.setFocus()
    page.export()
    assert desk.exported(tmp_path / "behind.csv") == rows

    page = desk.go(view="transcripts")
    page._detail.close()
    page.export()
    assert "请先打开一段对话" in desk.toasts[-1]


def test_ctrl_f_brings_the_keyboard_to_the_search(desk: LookupDesk) -> None:
    a_morning(desk.shop)
    page = desk.go(report="sessions")
    desk.host.focus_filter()
    assert page._bar.search.hasFocus()
    page._bar.search.setText("c-")
    desk.press(Qt.Key.Key_Down)
    assert desk.table().hasFocus()


def test_who_was_chosen_in_another_store_is_let_go(desk: LookupDesk) -> None:
    a_morning(desk.shop)
    desk.context.prefs.put_page("lookup", {"choices": {"view": "sessions", "agent": "kf015", "group": "old", "team": "gone"}})
    desk.host.activate()
    desk.settle()
    assert not desk.host.failed
    assert (desk.look._choices.agent, desk.look._choices.group, desk.look._choices.team) == ("", "", "")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_beside_an_open_session_every_filter_can_be_read(shop: Shop, tmp_path: Path, qtbot: QtBot, actor: Actor, language: Any) -> None:
    set_language(language)
    try:
        with opened(shop, tmp_path, qtbot, actor, "lookup", LookupDesk) as desk:
            codes = a_morning(shop)
            shop.record(ev.SessionOpened(id="far", at=NOON - MINUTE, session="far", customer="c", region="河南"))
            page = desk.go(report="sessions")
            page._detail.open(codes["late"])
            desk.settle()
            boxes = [box for box in page._bar.boxes.values() if box.isVisible()]
            assert len(boxes) == 5
            for box in boxes:
                option = QStyleOptionComboBox()
                box.initStyleOption(option)
                field = box.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, box)
                assert option.fontMetrics.horizontalAdvance(box.currentText()) <= field.width() - 2, box.currentText()
                assert box.mapTo(page._bar, QPoint(box.width(), 0)).x() <= page._bar.width()
                assert box.currentText() in box.toolTip()
            assert len({box.y() for box in boxes}) == 2
            page._detail.open("far")
            desk.settle()
            assert ("河南" if language == "zh" else "Henan") in desk.session_panel()._about.text()
            page._detail.close()
            desk.host.resize(1500, 700)
            desk.until(lambda: len({box.y() for box in boxes}) == 1)
    finally:
        set_language("zh")
