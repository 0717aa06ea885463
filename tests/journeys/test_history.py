"""The history pages: a real store in a file, the real pages in their hosts, sharing one set of preferences as in the window."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.domain import events as ev
from app.domain.language import set_language
from app.domain.metrics import METRICS, SALES_COLUMNS, WORKLOAD_COLUMNS, label_on
from app.domain.permissions import Actor
from app.services.report_kinds import PAGES as REPORT_PAGES
from app.services.report_kinds import REPORTS, tabs
from app.services.reports import Question, ReportService
from app.storage.faults import FaultError
from tests.journeys.history_desk import DAY_MS, TODAY, YESTERDAY, HistoryDesk, expected, pinned, said, shown, some_days
from tests.journeys.seats_desk import DAY, HOUR, LOCAL, MINUTE, NOON, Shop, quiet_window
from ui.exporting import Run, write_file
from ui.importing import ImportDialog
from ui.pages.history.charts import charts_of
from ui.pages.history.picture import LABEL, MEAN_ID, TOTAL_ID
from ui.runtime.feed import Quality
from ui.widgets.period import Period, PeriodButton, days_text
from ui.widgets.report_table import ReportModel
from ui.widgets.table import Cell, Column, DataTable
from ui.widgets.toast import Toast


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot, actor: Actor) -> Iterator[HistoryDesk]:
    with quiet_window(), closing(HistoryDesk(shop, tmp_path, qtbot, actor)) as desk:
        yield desk


# What is shown


@pytest.mark.parametrize("report", [key for page in REPORT_PAGES for key in tabs(page)])
def test_every_report_shows_what_the_engine_answers(shop: Shop, desk: HistoryDesk, report: str) -> None:
    some_days(shop)
    kind = REPORTS[report]
    page = desk.open(kind.page, {"report": report, **({"agent": "a1"} if kind.needs_agent else {})})
    days = Period("7d").days(TODAY)
    assert days is not None
    by = kind.by[0] if kind.by else None
    question = Question(report, *days, agent="a1" if kind.needs_agent else None, by=by)
    found = {key: {name: text for name, text in cells.items() if name in METRICS} for key, cells in shown(page).items()}
    assert found == expected(desk, question)
    assert found
    answer = desk.workspace.reports.ask(desk.store, question)
    for row_id, values in ((TOTAL_ID, answer.total()), (MEAN_ID, answer.mean())):
        assert {key: pinned(page)[row_id][key] for key in values} == {key: METRICS[key].text(value) for key, value in values.items()}
    assert not desk.faults


def test_tabs_and_columns_are_the_declared_ones(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare")
    bar = page._tools.tabs
    assert [bar.tabText(at) for at in range(bar.count())] == [str(kind.tab) for kind in tabs("compare").values()]
    bar.setCurrentIndex(list(tabs("compare")).index("sales"))
    desk.settle()
    assert page._table().shown_columns() == [LABEL, *SALES_COLUMNS]
    column = page._table().column("order_amount")
    assert str(label_on("sales", "order_amount")) in str(column.title)
    assert str(METRICS["order_amount"].definition) in str(column.tooltip)


def test_figures_counted_by_hand(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    row = shown(page)["a1"]
    assert (row["consults"], row["received"], row["answer_rate"], row["reply_30s_rate"]) == ("5", "4", "80.0%", "20.0%")
    assert row["satisfaction"] == "0.0%"
    assert page._table().model_.cell("a1", "answer_rate").level == "warn"
    assert pinned(page)[TOTAL_ID]["consults"] == "6"
    assert pinned(page)[MEAN_ID]["consults"] == "3"
    assert shown(page)["a2"]["leave_response"] == "--"


def test_a_cell_explains_itself(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    words = page._table().explain("a1", "answer_rate")
    assert "4 / 5 = 80.0%" in words
    assert str(METRICS["answer_rate"].definition) in words
    assert "5 / 6 = 83.3%" in page._table().explain(TOTAL_ID, "answer_rate")
    assert "王敏 (a1)" in page._table().explain("a1", LABEL)


def test_who_lies_beyond_chance_is_marked_and_told(shop: Shop, desk: HistoryDesk) -> None:
    yesterday = NOON - DAY_MS
    for number in range(6):
        shop.agent(f"a{number}", f"客服{number}", since=NOON - 2 * DAY_MS)
        for session in range(20):
            slow = number == 0 and session < 15
            shop.session(f"a{number}", yesterday - session * MINUTE, reply_after=60_000 if slow else 5_000, closed=True)
    page = desk.open("compare", {"report": "workload"})
    model = page._table().model_
    assert model.cell("a0", "reply_30s_rate").mark.startswith("low")
    assert model.cell("a0", "reply_30s_rate").mark_role in ("warn", "alarm")
    assert model.cell("a1", "consults").mark == ""
    assert "87.5%" in page._table().explain("a0", "reply_30s_rate")


# The switches that all pages share


def test_the_order_window_switches_every_page_without_reading(shop: Shop, desk: HistoryDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    some_days(shop)
    store = desk.open("store")
    page = desk.open("compare", {"report": "sales"})
    assert shown(page)["a1"]["orders"] == "0"
    asked: list[Question] = []
    ask = ReportService.ask
    monkeypatch.setattr(ReportService, "ask", lambda self, where, question: asked.append(question) or ask(self, where, question))
    page._top.window_chosen.emit("7d")
    desk.settle()
    assert asked == []
    monkeypatch.undo()
    days = Period("7d").days(TODAY)
    assert days is not None
    found = {key: {name: text for name, text in cells.items() if name in METRICS} for key, cells in shown(page).items()}
    assert found == expected(desk, Question("sales", *days, window="7d"))
    assert found["a1"]["orders"] == "1"
    assert store._top.window_switch.value() == "7d"
    desk.open("store")
    assert pinned(store)[TOTAL_ID]["orders"] == "1"
    desk.forget("compare")
    assert desk.open("compare")._top.window_switch.value() == "7d"


def test_the_population_switches_every_page(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    page._top.population_chosen.emit("assessed")
    desk.settle()
    assert shown(page)["a1"]["consults"] == "4"  # the session at two in the night is not assessed
    agent = desk.open("agent", {"agent": "a1"})
    assert pinned(agent)[TOTAL_ID]["consults"] == "4"
    store = desk.open("store", {"report": "store_assessed"})
    assert store._top.population.value() == "assessed"
    assert not store._top.population.isEnabled()


def test_the_store_decides_the_order_window_until_the_person_does(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    desk.workspace.settings.save(desk.store, "order_window", {"window": "15d"})
    page = desk.open("compare", {"report": "sales"})
    assert page._top.window_switch.value() == "15d"
    assert shown(page)["a1"]["orders"] == "1"
    page._top.window_chosen.emit("24h")
    desk.settle()
    assert shown(page)["a1"]["orders"] == "0"


# Filters, order, what is remembered


def test_filters_narrow_and_are_remembered(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    desk.choose(page, team="售后一组")
    assert list(shown(page)) == ["a2"]
    desk.choose(page, team="", group="g1", period=Period("yesterday"))
    assert shown(page)["a1"]["consults"] == "4"
    page._table().model_.sort_by("consults", True)
    desk.settle()
    page.charts.choose(chart="funnel", metric="satisfaction")
    desk.settle()
    desk.forget("compare")
    page = desk.open("compare")
    assert (page._choices.report, page._choices.group, page._choices.period.preset) == ("workload", "g1", "yesterday")
    assert page._table().model_.sort_state() == ("consults", True)
    assert (page.charts.chart(), page.charts.metric_key()) == ("funnel", "satisfaction")
    assert shown(page)["a1"]["consults"] == "4"


def test_agents_are_found_by_name_pinyin_and_code(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    page.focus_filter()
    assert QApplication.focusWidget() is page._tools.search
    for text in ("王", "wm", "wangmin", "A1"):
        page._tools.search.setText(text)
        QTest.keyClick(page._tools.search, Qt.Key.Key_Return)
        desk.settle()
        assert list(shown(page)) == ["a1"]
        assert pinned(page)[TOTAL_ID]["consults"] == "5"
    page._tools.search.setText("nobody")
    QTest.keyClick(page._tools.search, Qt.Key.Key_Return)
    desk.settle()
    assert "nobody" in said(page).accessibleName()
    said(page).acted.emit()
    desk.settle()
    assert set(shown(page)) == {"a1", "a2"}


def test_an_agent_is_chosen_with_the_keys(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("agent")
    assert page.breadcrumb == ("李华",)
    page.focus_filter()
    picker = page._tools.agent
    assert QApplication.focusWidget() is picker
    desk.qtbot.keyClicks(picker, "wm")
    assert picker.completer().popup().isVisible()
    picker.completer().popup().hide()
    desk.press(Qt.Key.Key_Return)
    assert page._choices.agent == "a1"
    assert page.breadcrumb == ("王敏",)
    assert pinned(page)[TOTAL_ID]["consults"] == "5"
    QTest.keyClick(picker, Qt.Key.Key_Down)
    assert picker.completer().popup().model().rowCount() == 2
    picker.completer().popup().hide()
    desk.forget("agent")
    assert desk.open("agent").breadcrumb == ("王敏",)


def test_sorting_puts_what_has_no_value_last(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    shop.agent("a3", "赵强", since=NOON - 2 * DAY_MS)
    page = desk.open("compare", {"report": "workload"})
    model = page._table().model_
    for descending, order in ((True, ["a2", "a1", "a3"]), (False, ["a1", "a2", "a3"])):
        model.sort_by("answer_rate", descending)
        desk.settle()
        assert model.ids() == order
    model.sort_by(LABEL)
    desk.settle()
    assert [model.cell(row, LABEL).text for row in model.ids()] == ["李华", "王敏", "赵强"]


def test_a_state_of_another_version_is_taken_as_far_as_it_fits(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    desk.prefs.put_page("compare", {
        "choices": {"report": "gone", "group": 7, "team": "售前一组", "period": {"preset": "custom", "first": "x"}},
        "tables": {"daily": {"columns": ["key", "gone", "consults"], "widths": "no"}, "gone": {}, "sales": 5},
        "chart": {"chart": "gone", "metric": 3},
    })  # fmt: skip
    page = desk.open("compare")
    assert (page._choices.report, page._choices.group, page._choices.team) == ("daily", "", "售前一组")
    assert page._table().shown_columns() == [LABEL, "consults"]
    assert shown(page)
    assert not desk.faults


def test_columns_are_chosen_one_by_one_and_by_group(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare")
    table = page._table()
    menu = table.columns_menu()
    sales = next(action for action in menu.actions() if action.text() == "销售绩效")
    sales.trigger()
    assert not set(SALES_COLUMNS) & set(table.shown_columns())
    menu.deleteLater()
    desk.forget("compare")
    assert not set(SALES_COLUMNS) & set(desk.open("compare")._table().shown_columns())


# Charts


def test_a_bar_of_the_ranking_selects_its_row(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    drawing = page.charts.drawing()
    assert drawing is not None
    assert {entry.key for entry in drawing.entries} == {"a1", "a2"}
    page.charts.row_wanted.emit("a2")
    assert page._table().current_id() == "a2"


@pytest.mark.parametrize("report", [key for page in REPORT_PAGES for key in tabs(page)])
def test_every_chart_of_a_report_draws_what_the_table_says(shop: Shop, desk: HistoryDesk, report: str) -> None:
    some_days(shop)
    kind = REPORTS[report]
    page = desk.open(kind.page, {"report": report, **({"agent": "a1"} if kind.needs_agent else {})})
    total = page._table().picture.report.whole  # type: ignore[union-attr]
    for chart in charts_of(kind):
        page.charts.choose(chart=chart)
        desk.until(lambda wanted=chart: (found := page.charts.drawing()) is not None and found.chart == wanted)
        desk.settle()
        drawing = page.charts.drawing()
        assert drawing is not None
        if chart == "ranking":
            assert sum(entry.numbers.get("consults", 0) for entry in drawing.entries) == total.get("consults", 0)
        elif chart == "orders":
            assert drawing.steps["consults"] == total["consults"]
        elif chart in ("trend", "band"):
            assert [key for key, _ in drawing.positions] == list(shown(page))
        elif chart == "presence":
            assert any(row.stretches for row in drawing.presence)
        elif chart == "heat":
            assert any(value is not None for row in drawing.heat for value in row) or "login" in page.charts.metric_key()
    assert not desk.faults


# Empty, one, broken, old, live


def test_an_empty_store_says_why_and_what_to_do(desk: HistoryDesk) -> None:
    page = desk.open("compare")
    assert not page.charts.isVisibleTo(page)
    assert said(page).button.text() == "导入报表"
    said(page).acted.emit()
    dialog = page.findChild(ImportDialog)
    assert dialog is not None
    desk.settle()
    dialog.close()
    for key in ("store", "agent"):
        assert said(desk.open(key)).button.text() == "导入报表"


def test_an_open_page_of_an_empty_store_fills_once_something_is_told(shop: Shop, desk: HistoryDesk) -> None:
    page = desk.open("compare")
    assert said(page).button.text() == "导入报表"
    shop.agent("a1", "王敏", since=NOON - DAY_MS)
    shop.session("a1", NOON - DAY_MS, reply_after=5_000, closed=True)
    page.on_notice(frozenset({"past"}))
    desk.settle()
    assert pinned(page)[TOTAL_ID]["consults"] == "1"
    desk.choose(page, period=Period("custom", TODAY - timedelta(days=90), TODAY - timedelta(days=80)))
    assert said(page).button.text() == "看近30天"


def test_days_without_data_lead_to_more_days_and_then_to_an_import(shop: Shop, desk: HistoryDesk) -> None:
    shop.agent("a1", "王敏", since=NOON - 90 * DAY_MS)
    shop.session("a1", NOON - 60 * DAY_MS, reply_after=5_000, closed=True)
    page = desk.open("compare")
    assert said(page).button.text() == "看近30天"
    said(page).acted.emit()
    desk.settle()
    assert page._choices.period.preset == "30d"
    assert said(page).button.text() == "导入报表"


def test_years_are_counted_to_their_last_day_and_more_than_ten_are_refused(shop: Shop, desk: HistoryDesk) -> None:
    shop.agent("a1", "王敏", since=NOON - 90 * DAY_MS)
    shop.session("a1", NOON - DAY_MS, reply_after=5_000, closed=True)
    page = desk.open("compare")
    desk.choose(page, period=Period("custom", TODAY - timedelta(days=3600), TODAY))
    assert pinned(page)[TOTAL_ID]["consults"] == "1"
    desk.choose(page, period=Period("custom", TODAY - timedelta(days=3800), TODAY))
    host = desk.hosts["compare"]
    assert [label.text() for label in host.findChildren(QLabel) if "十年" in label.text() and label.isVisibleTo(host)]


def test_one_agent_one_day(shop: Shop, desk: HistoryDesk) -> None:
    shop.agent("a1", "王敏", since=NOON - DAY_MS)
    shop.session("a1", NOON - DAY_MS, reply_after=5_000, closed=True)
    for key in ("store", "compare", "agent"):
        page = desk.open(key)
        assert pinned(page)[TOTAL_ID]["consults"] == "1"
        assert page.charts.drawing() is not None
    assert not desk.faults


def test_no_complete_day_offers_today(shop: Shop, desk: HistoryDesk) -> None:
    shop.agent("a1", "王敏", since=NOON - DAY_MS)
    shop.set_clock(LOCAL.start_of_day(DAY + (7 - TODAY.weekday())) + 12 * HOUR)  # a Monday
    page = desk.open("compare")
    desk.choose(page, period=Period("week"))
    said(page).acted.emit()
    desk.settle()
    assert page._choices.period.today


def test_a_fault_becomes_the_pages_own_error(shop: Shop, desk: HistoryDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    some_days(shop)

    def refuse(self: ReportService, store: object, question: Question) -> None:
        raise FaultError("unreachable", "数据库连不上。")

    with monkeypatch.context() as patch:
        patch.setattr(ReportService, "ask", refuse)
        desk.open("compare")
        assert desk.hosts["compare"].failed
    desk.hosts["compare"].refresh()
    desk.settle()
    assert not desk.hosts["compare"].failed


def test_old_numbers_look_old(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare")
    page.on_quality(Quality("reconnecting", 90))
    assert page._stale.isVisibleTo(page)
    assert page._table()._stale
    page.on_quality(Quality("live"))
    assert not page._stale.isVisibleTo(page)


def test_today_follows_live_only_when_it_was_asked_for(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    page.on_notice(frozenset({"sessions"}))
    assert not page._live.isActive()
    desk.choose(page, period=Period("7d", today=True))
    assert shown(page)["a1"]["consults"] == "5"
    page._live.setInterval(1)
    desk.feed.start()
    desk.until(lambda: desk.feed.quality == Quality("live"))
    shop.session("a1", NOON - 5 * MINUTE, reply_after=5_000)
    desk.until(lambda: shown(page)["a1"]["consults"] == "6")
    desk.settle()


def test_days_that_are_over_follow_when_they_change(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload", "first": f"{YESTERDAY}", "last": f"{YESTERDAY}"})
    before = int(shown(page)["a1"]["consults"])
    page._live.setInterval(1)
    desk.feed.start()
    desk.until(lambda: desk.feed.quality == Quality("live"))
    shop.session("a1", NOON - 24 * HOUR - 7 * MINUTE, reply_after=5_000)
    desk.until(lambda: shown(page)["a1"]["consults"] == str(before + 1))
    desk.settle()


def test_whoever_has_a_past_can_be_chosen(shop: Shop, desk: HistoryDesk) -> None:
    """Agent, team and group of three weeks ago, whom the live pages do not know any more."""
    some_days(shop)
    shop.record(ev.AgentUpserted(id=shop.name(), at=NOON - 22 * DAY_MS, agent="a9", name="阿早", team="老组"))
    shop.session("a9", NOON - 21 * DAY_MS, reply_after=5_000, closed=True, group="g9")
    page = desk.open("agent")
    names = page._reference.names
    assert "a9" in dict(names.agents)
    assert "老组" in names.teams
    assert "g9" in dict(names.groups)


# Days


def test_periods_are_whole_days() -> None:
    now = date(2026, 3, 2)  # a Monday
    assert Period("yesterday").days(now) == (date(2026, 3, 1), date(2026, 3, 1))
    assert Period("7d").days(now) == (date(2026, 2, 23), date(2026, 3, 1))
    assert Period("7d", today=True).days(now) == (date(2026, 2, 24), date(2026, 3, 2))
    assert Period("30d").days(now) == (date(2026, 1, 31), date(2026, 3, 1))
    assert Period("week").days(now) is None
    assert Period("week", today=True).days(now) == (now, now)
    assert Period("month").days(now) == (date(2026, 3, 1), date(2026, 3, 1))
    assert Period("last_week").days(now) == (date(2026, 2, 23), date(2026, 3, 1))
    assert Period("last_month").days(now) == (date(2026, 2, 1), date(2026, 2, 28))
    custom = Period("custom", date(2025, 12, 30), date(2026, 1, 2))
    assert custom.days(now) == (date(2025, 12, 30), date(2026, 1, 2))
    assert Period.of_state(custom.state()) == custom
    assert Period("custom", date(2017, 1, 1), date(2026, 3, 1)).days(now) == (date(2017, 1, 1), date(2026, 3, 1))
    assert days_text(date(2025, 12, 30), date(2026, 1, 2), now) == "2025-12-30 – 2026-01-02"


def test_the_picker_is_worked_with_keys_alone(qtbot: QtBot, qapp: QApplication) -> None:
    button = PeriodButton()
    qtbot.addWidget(button)
    button.set_period(Period(), date(2026, 3, 2))
    button.show()
    chosen: list[Period] = []
    button.chosen.connect(chosen.append)
    QTest.keyClick(button, Qt.Key.Key_Down)
    panel = button.panel()
    assert panel is not None
    assert panel.isVisible()
    QTest.keyClick(panel, Qt.Key.Key_Down)
    QTest.keyClick(panel, Qt.Key.Key_Return)
    assert not panel.isVisible()
    assert chosen == [Period("30d")]
    button.open()
    for day in (date(2026, 2, 20), date(2026, 2, 3)):
        panel.calendar._click(panel.first.date().__class__(day.year, day.month, day.day))
    assert chosen[-1] == Period("custom", date(2026, 2, 3), date(2026, 2, 20))
    button.open()
    panel.today.setChecked(True)
    assert chosen[-1].today


# The file


def test_what_is_shown_can_be_exported(shop: Shop, desk: HistoryDesk, tmp_path: Path) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "workload"})
    page.export()
    dialog = page.findChild(QFileDialog)
    assert dialog is not None
    file = tmp_path / "out.csv"
    dialog.fileSelected.emit(str(file))
    dialog.close()
    desk.settle()
    rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
    consults = next(at for at, title in enumerate(rows[0]) if title.startswith("咨询量"))
    assert {row[0]: row[consults] for row in rows if row[0] in ("a1", "a2")} == {"a1": "5", "a2": "1"}
    assert any(toast.label.text() == f"已导出：{file}" for toast in page.window().findChildren(Toast))
    assert len(rows[0]) >= len(WORKLOAD_COLUMNS)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(shop: Shop, desk: HistoryDesk, tmp_path: Path) -> None:
    some_days(shop)
    folder = tmp_path / "gone"
    with pytest.raises(FaultError, match=r"out\.xlsx"):
        write_file(desk.context, folder / "out.xlsx", lambda: desk.workspace.reports.ask(desk.store, Question("workload")), Run())
    assert not folder.exists()


@pytest.mark.parametrize("actor", [Actor("reader", frozenset({"history.view"}))])
def test_who_may_not_export_writes_nothing(shop: Shop, desk: HistoryDesk, tmp_path: Path) -> None:
    with pytest.raises(PermissionError):
        write_file(desk.context, tmp_path / "out.csv", lambda: desk.workspace.reports.ask(desk.store, Question("workload")), Run())
    assert not list(tmp_path.glob("*.csv"))


# Size, language


def test_everything_fits_at_1280_in_english(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    set_language("en")
    for key in ("store", "compare", "agent"):
        page = desk.open(key)
        bar = page._tools.tabs
        assert all(bar.tabRect(at).right() < bar.width() for at in range(bar.count()))
        for widget in (page._tools.export, page._tools.columns, page._tools.chart):
            assert widget.geometry().right() <= page._tools.width()
        assert page._top.sizeHint().width() <= 560
        assert page.minimumSizeHint().width() <= 1060


class Many:
    """50,000 rows that count how often one is made."""

    def __init__(self) -> None:
        self.ids = [f"r{number}" for number in range(50_000)]
        self.members = {row_id: at for at, row_id in enumerate(self.ids)}
        self.made = 0

    def cells(self, row_id: object) -> dict[str, Cell]:
        self.made += 1
        return {"n": Cell(str(row_id), str(row_id))}


def test_only_rows_that_are_looked_at_are_made(qtbot: QtBot, qapp: QApplication) -> None:
    source, model = Many(), ReportModel([Column("n", "n")])
    table = DataTable(model)
    qtbot.addWidget(table)
    table.resize(300, 400)
    table.show()
    model.set_source(source, flash=False)
    table.grab()
    assert model.rowCount() == 50_000
    assert 0 < source.made < 50
    table.select("r40000")
    table.grab()
    assert table.current_id() == "r40000"
    assert source.made < 100
