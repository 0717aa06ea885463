"""From a figure of the history pages to what was counted, with the pointer and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from app.domain.permissions import Actor
from app.services.reports import Question
from tests.journeys.history_desk import DAY_MS, TODAY, YESTERDAY, HistoryDesk, shown, some_days
from tests.journeys.seats_desk import NOON, Shop, quiet_window
from ui.pages.history.controls import Footnotes
from ui.pages.history.picture import TOTAL_ID
from ui.widgets.empty import EmptyState
from ui.widgets.funnel import FunnelPlot
from ui.widgets.heatmap import HeatMap, cell_key
from ui.widgets.period import Period


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot, actor: Actor) -> Iterator[HistoryDesk]:
    with quiet_window(), closing(HistoryDesk(shop, tmp_path, qtbot, actor)) as desk:
        yield desk


def test_a_figure_opens_what_was_counted(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    page._table().cell_opened.emit("a1", "answer_rate")
    ((where, filters),) = desk.went
    assert where == "lookup"
    assert (filters["report"], filters["agent"], filters["only"]) == ("sessions", "a1", "unanswered")
    assert (filters["first"], filters["last"]) == Period("7d").days(TODAY)
    desk.went.clear()
    page._table().cell_opened.emit("a1", "login_hours")
    ((where, filters),) = desk.went
    assert (where, filters["report"], filters["agent"]) == ("agent", "agent_attendance", "a1")
    agent = desk.open("agent", filters)
    assert agent._choices.report == "agent_attendance"
    assert agent._choices.agent == "a1"


def test_what_has_no_list_behind_it_says_why(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "attendance"})
    page._table().cell_opened.emit(TOTAL_ID, "login_hours")
    assert not desk.went
    assert desk.toasts == ["总值由下面各行相加，点某一行可以继续展开。"]


def test_the_total_is_opened_and_explained_by_keyboard(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    table = page._table()
    table.setFocus()
    desk.press(Qt.Key.Key_Home)
    while table.rows().columns[table.currentIndex().column()].key != "answer_rate":
        desk.press(Qt.Key.Key_Right)
    desk.press(Qt.Key.Key_Up)
    assert table.accessibleDescription() == "均值, 应答率 83.3%"
    desk.press(Qt.Key.Key_Up)
    assert table.accessibleDescription() == "总值, 应答率 83.3%"
    desk.press(Qt.Key.Key_F1)
    assert "5 / 6 = 83.3%" in QToolTip.text()
    desk.press(Qt.Key.Key_Return)
    ((where, filters),) = desk.went
    assert (where, filters["only"], set(filters["agents"])) == ("lookup", "unanswered", {"a1", "a2"})
    desk.press(Qt.Key.Key_Right)
    assert table.accessibleDescription() == "总值, 30s应答率 33.3%"
    desk.press(Qt.Key.Key_Down)
    desk.press(Qt.Key.Key_Down)
    assert (table.accessibleDescription(), table.currentIndex().row()) == ("", 0)
    desk.press(Qt.Key.Key_Down)
    assert table.currentIndex().row() == 1


def test_a_cell_of_the_heat_map_opens_its_hour(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("store")
    desk.choose(page, period=Period("custom", YESTERDAY, YESTERDAY))
    page.charts.choose("heat", "consults")
    desk.settle()
    chart = page.charts.findChild(HeatMap)
    assert chart is not None
    busiest = max((value or 0, hour) for hour, value in enumerate(page.charts.drawing().heat[YESTERDAY.weekday()]))  # type: ignore[union-attr]
    chart.setFocus()
    chart.set_current(cell_key(YESTERDAY.weekday(), busiest[1]))
    desk.press(Qt.Key.Key_Return)
    ((where, filters),) = desk.went
    assert (where, filters["weekdays"], filters["only"]) == ("lookup", (YESTERDAY.weekday(),), "consulted")
    assert filters["hours"] == (busiest[1] * 12, busiest[1] * 12 + 12)
    assert desk.workspace.listings.count(desk.store, Question(**filters)).rows == busiest[0]


def test_a_row_opens_its_agent_over_the_same_days(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "daily", "group": "g2"})
    table = page._table()
    row = f"{YESTERDAY.isoformat()} a2"
    table.setFocus()
    table.select(row)
    desk.press(Qt.Key.Key_Return)
    ((where, filters),) = desk.went
    assert where == "agent"
    assert filters == {"agent": "a2", "first": YESTERDAY, "last": YESTERDAY, "group": "g2", "channel": ""}
    agent = desk.open("agent", filters)
    assert agent.breadcrumb == ("李华",)
    assert list(shown(agent)) == [YESTERDAY.isoformat()]
    desk.choose(agent, group="g1")
    assert desk.open("agent", {"agent": "a2"})._choices.group == ""


def test_a_day_of_the_store_opens_its_agents(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("store")
    page._table().opened.emit(YESTERDAY.isoformat())
    ((where, filters),) = desk.went
    assert (where, filters["first"], filters["last"]) == ("compare", YESTERDAY, YESTERDAY)


def colleagues(shop: Shop) -> None:
    """Four more than in `some_days`: enough to compare."""
    for number in range(3, 7):
        shop.session(f"a{number}", NOON - DAY_MS, reply_after=5_000, closed=True)


def test_of_few_agents_no_funnel_is_drawn(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    page.charts.choose("funnel", "answer_rate")
    desk.settle()
    why = page.charts._stack.currentWidget()
    assert isinstance(why, EmptyState)
    assert "不到5位客服" in why.accessibleName()
    why.acted.emit()
    desk.settle()
    assert page.charts.chart() == "ranking"


def test_a_mean_of_times_has_no_funnel_and_leads_to_the_rate(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    colleagues(shop)
    page = desk.open("compare", {"report": "workload"})
    page.charts.choose("ranking", "first_reply")
    desk.settle()
    page.charts.choose("funnel")
    desk.settle()
    why = page.charts._stack.currentWidget()
    assert isinstance(why, EmptyState)
    assert "首次平均响应时间没有随机界限" in why.accessibleName()
    why.acted.emit()
    desk.settle()
    assert (page.charts.chart(), page.charts.metric_key()) == ("funnel", "reply_30s_rate")
    assert isinstance(page.charts._stack.currentWidget(), FunnelPlot)
    page.charts.choose(metric="session_minutes")
    desk.settle()
    why = page.charts._stack.currentWidget()
    assert isinstance(why, EmptyState)
    why.acted.emit()
    desk.settle()
    assert (page.charts.chart(), page.charts.metric_key()) == ("ranking", "session_minutes")


def test_the_foot_says_on_which_day_an_order_counts_and_why_days_are_not_marked(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "sales"})
    assert "促成的订单计入咨询当天" in page._notes.words()
    desk.choose(page, report="workload")
    assert "咨询当天" not in page._notes.words()
    desk.choose(page, report="daily")
    assert "不标随机界限" not in page._notes.words()  # of two agents nobody would be marked anyway
    colleagues(shop)
    page.refresh()
    desk.settle()
    desk.until(lambda: "不标随机界限" in page._notes.words())


@pytest.mark.parametrize("width", [400, 700, 1060])
def test_footnotes_are_not_cut_while_three_lines_hold_them(qtbot: QtBot, width: int) -> None:
    notes = Footnotes()
    qtbot.addWidget(notes)
    notes.resize(width, 16)
    notes.show()
    words = "Pre-sale customers: distinct within an agent's day, then added up, so that a customer of several days counts several times."
    notes.set_words(words)
    assert notes.text() == words
    line = notes.fontMetrics().lineSpacing()
    assert notes.heightForWidth(width) == notes.height() < 4 * line
    notes.set_words("\n".join([words] * 6))
    assert 2 * line < notes.heightForWidth(width) == notes.height() < 4 * line
    assert notes.text().endswith("…")
    assert notes.toolTip().count("\n") == 5


@pytest.mark.parametrize("key", ["agent", "compare"])
def test_who_was_chosen_in_another_store_is_let_go(shop: Shop, desk: HistoryDesk, key: str) -> None:
    some_days(shop)
    desk.prefs.put_page(key, {"choices": {"agent": "kf015", "group": "old", "team": "gone", "period": Period("7d").state()}})
    page = desk.open(key)
    desk.until(lambda: page._table().picture is not None)
    assert not desk.hosts[key].failed
    assert page._choices.agent in ("a1", "a2", "")
    assert (page._choices.group, page._choices.team) == ("", "")
