"""The parts of the overview that decide without a database: places of the needs, sizes, lines of the chart."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.language import T
from app.services.live import Curves, Need
from ui.pages.overview.lines import CURVED, chart_data, complete, short_text, spark_line
from ui.pages.overview.needs import NeedsModel
from ui.pages.overview.sizes import desk_size, wall_size
from ui.widgets.chart_data import ChartData, Series, scale_of
from ui.widgets.empty import EmptyState
from ui.widgets.metric_text import clock_text
from ui.widgets.tile import height_of
from ui.widgets.tile_grid import columns_for

SESSIONS = st.lists(st.integers(0, 9), unique=True)


def needs(numbers: list[int], since: int = 0) -> list[Need]:
    return [Need("waiting", "warn", T("等待", "Waiting"), since, "a1", "王敏", f"s{number}") for number in numbers]


def sessions(model: NeedsModel) -> list[int]:
    return [int((model.need(row).session or "")[1:]) for row in range(model.rowCount())]


@given(SESSIONS, SESSIONS, SESSIONS)
def test_whatever_comes_the_rows_are_the_needs_and_indexes_follow_them(
    qapp: QApplication, first: list[int], second: list[int], third: list[int]
) -> None:
    model = NeedsModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_needs(needs(first))
    followed = {number: QPersistentModelIndex(model.index(row)) for row, number in enumerate(first)}
    model.set_needs(needs(second, since=5))
    assert sessions(model) == second
    assert {number: index.row() for number, index in followed.items() if index.isValid()} == {
        number: second.index(number) for number in first if number in second
    }
    model.hold(True)
    model.set_needs(needs(third))
    assert sessions(model)[: len(second)] == second
    assert sorted(sessions(model)) == sorted({*second, *third})
    assert [number for row, number in enumerate(sessions(model)) if model.is_gone(row)] == [n for n in second if n not in third]
    model.hold(False)
    assert sessions(model) == third
    tester.deleteLater()


@given(st.integers(900, 4000), st.integers(600, 2200), st.integers(1, 18))
def test_on_a_wall_the_tiles_fit_beside_the_list_and_could_not_be_much_larger(width: int, height: int, tiles: int) -> None:
    size = wall_size(width, height, tiles, 320)
    room = width - 320 * size.list_scale - 16
    columns = min(columns_for(round(room / size.scale)), tiles)
    rows = -(-tiles // columns)
    if size.scale > 1:
        assert rows * (height_of(size.scale, size.dense) + 16) - 16 <= height
        assert (room + 16) / columns - 16 >= 149 * size.scale
    assert size.list_scale >= 1


@pytest.mark.parametrize(("width", "height", "dense"), [(1012, 624, True), (1172, 804, False), (2292, 1344, False)])
def test_a_low_window_gets_low_tiles(width: int, height: int, dense: bool) -> None:
    assert desk_size(width, height, 18).dense is dense


def curves(step: int = 60) -> Curves:
    hours = list(range(0, 1440, step))
    today = {key: [float(index) if index < 10 else None for index in range(len(hours))] for key in CURVED}
    return Curves(step, hours, today, {key: [None] * len(hours) for key in CURVED}, {key: [1.0] * len(hours) for key in CURVED}, 7)


def test_the_running_step_is_not_drawn_until_it_is_over() -> None:
    assert list(complete("consults", curves(), 9 * 60 + 55))[8:11] == [8.0, None, None]
    assert list(complete("consults", curves(), 10 * 60))[8:11] == [8.0, 9.0, None]


def test_a_sparkline_has_no_empty_ends() -> None:
    found = curves()
    found.today["answer_rate"][:3] = [None] * 3
    assert spark_line("answer_rate", found, 8 * 60) == (3.0, 4.0, 5.0, 6.0, 7.0)
    found.today["consults"][:] = [0] * 24
    assert spark_line("consults", found, 8 * 60) == ()


def test_a_day_without_data_is_not_drawn_as_one() -> None:
    names = [str(series.name) for series in chart_data("consults", curves(), 600, date(2024, 10, 6)).series]
    assert names == ["今日", "周日均值（7）"]


def test_equal_charts_compare_equal_so_that_nothing_is_drawn_twice() -> None:
    day = date(2024, 10, 6)
    assert chart_data("order_amount", curves(), 600, day) == chart_data("order_amount", curves(), 600, day)
    assert chart_data("order_amount", curves(), 600, day) != chart_data("order_amount", curves(), 540, day)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [("order_amount", 2000.0, "2,000"), ("order_amount", 2000.5, "2,000.50"), ("answer_rate", 1.0, "100%"), ("answer_rate", 0.974, "97.4%"),
     ("consults", 1000.0, "1,000"), ("consults", None, "--")],
)  # fmt: skip
def test_figures_beside_a_chart_carry_no_idle_zeros(key: str, value: float | None, text: str) -> None:
    assert short_text(key)(value) == text


@pytest.mark.parametrize(("ms", "text"), [(-5, "0:00"), (7_999, "0:07"), (760_000, "12:40"), (3_753_000, "1:02:33")])
def test_a_running_clock(ms: int, text: str) -> None:
    assert clock_text(ms) == text


@pytest.mark.parametrize("width", [320, 700])
def test_why_there_is_nothing_is_read_to_its_end(qtbot: QtBot, width: int) -> None:
    empty = EmptyState("good", "现在没有需要处理的事", "等得太久的客户、满载或沉默的坐席、积压的留言会出现在这里。" * 2)
    qtbot.addWidget(empty)
    empty.resize(width, 400)
    empty.show()
    sentence = empty._sentence
    assert empty.rect().contains(sentence.geometry())
    assert sentence.height() >= sentence.heightForWidth(sentence.width()) > 30


def test_the_scale_of_a_few_sessions_repeats_no_figure() -> None:
    for highest in (0, 1, 2, 3, 7):
        data = ChartData((Series("今日", [0, highest]),), minutes=(0, 30), format=short_text("consults"))
        figures = [short_text("consults")(tick) for tick in scale_of(data).ticks]
        assert len(set(figures)) == len(figures)
        assert scale_of(data).high >= highest
