"""Ranking, funnel, heat map, order steps, trend and attendance: what they tell, how they are walked, that nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from app.domain.language import Language, set_language
from app.domain.metrics import METRICS, Metric
from app.domain.statistics import Funnel, Quartiles
from ui import theme
from ui.theme import contrast, ink_on
from ui.theme.roles import ThemeName
from ui.widgets.band_trend import BandTrend
from ui.widgets.funnel import FunnelPlot
from ui.widgets.funnel_marks import mark_role
from ui.widgets.heatmap import HeatMap, cell_key
from ui.widgets.order_funnel import STEPS, OrderFunnel
from ui.widgets.painted import Entry, PaintedChart
from ui.widgets.ranking import RankingBars
from ui.widgets.timeline import PresenceRow, PresenceRows, Stretch

SATISFACTION = METRICS["satisfaction"]
NARROW = 360


def entry(key: str, satisfied: int, rated: int, name: str = "") -> Entry:
    return Entry(key, name or key, {"satisfied": satisfied, "rated": rated})


def team(size: int, seed: int = 5) -> list[Entry]:
    """A team with one far below, one far above, and long names."""
    random = numpy.random.default_rng(seed)
    found = []
    for i in range(size):
        rate = {0: 0.6, 1: 0.995, 2: 0.7}.get(i, 0.9)
        rated = int(random.integers(80, 600))
        found.append(entry(f"a{i}", int(random.binomial(rated, rate)), rated, f"Alexandra 客服{i}"))
    return found


def funnel_of(entries: list[Entry], metric: Metric = SATISFACTION) -> Funnel:
    return Funnel.of((one.key, top, bottom or 0) for one in entries for top, bottom in (metric.parts(one.numbers),))


def ranking(entries: list[Entry]) -> RankingBars:
    found, funnel = RankingBars(), funnel_of(entries)
    found.set_data(SATISFACTION, entries, funnel.target, funnel.marks)
    return found


def funnel_plot(entries: list[Entry]) -> FunnelPlot:
    found = FunnelPlot()
    found.set_data(SATISFACTION, entries, funnel_of(entries))
    return found


def heat(rows: dict[tuple[int, int], float | int], metric: Metric = SATISFACTION) -> HeatMap:
    found = HeatMap()
    found.set_data(metric, [[rows.get((day, hour)) for hour in range(24)] for day in range(7)])
    return found


def steps(consults: int = 1000) -> OrderFunnel:
    found = OrderFunnel()
    counts = {"consults": consults, "received": 950, "presale_customers": 400, "order_customers": 100, "orders": 112}
    found.set_data({**counts, "answer_rate": 950 / consults, "conversion": 0.25})
    return found


def days(count: int) -> PresenceRows:
    found = PresenceRows()
    stretches = (Stretch(540, 720, "available"), Stretch(720, 780, "suspended"), Stretch(780, 1440, "away"))
    found.set_rows([PresenceRow(f"d{i}", f"6/{i + 1}", stretches) for i in range(count)])
    return found


def empties() -> list[PaintedChart]:
    return [RankingBars(), funnel_plot([]), ranking([]), heat({}), OrderFunnel(), PresenceRows()]


def clicks(chart: PaintedChart) -> list[str]:
    found: list[str] = []
    chart.clicked.connect(found.append)
    return found


def shown(qtbot: QtBot, chart: PaintedChart, width: int = 640, height: int = 400) -> None:
    qtbot.addWidget(chart)
    chart.resize(width, height)
    with qtbot.waitExposed(chart):
        chart.show()


def tooltip(chart: QWidget, at: QPoint) -> str:
    QApplication.sendEvent(chart, QHelpEvent(QEvent.Type.ToolTip, at, chart.mapToGlobal(at)))
    return QToolTip.text()


CHARTS: list[Callable[[], PaintedChart]] = [
    lambda: ranking(team(30)), lambda: funnel_plot(team(30)), lambda: heat({(0, 9): 0.8, (6, 22): 0.99}), steps, lambda: days(7),
]  # fmt: skip


@pytest.mark.parametrize("make", CHARTS)
def test_every_key_can_be_reached_heard_and_clicked_without_a_mouse(make: Callable[[], PaintedChart], qtbot: QtBot) -> None:
    chart = make()
    shown(qtbot, chart)
    sent = clicks(chart)
    assert chart.accessibleName()
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert sent == []
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.current() == chart.order()[0]
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    second = chart.current()
    assert second in chart.order()[1:]
    assert chart.accessibleDescription() == chart.words_of(second).replace("\n", ", ")
    assert QToolTip.text() == chart.words_of(second)
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    qtbot.keyClick(chart, Qt.Key.Key_End)
    qtbot.keyClick(chart, Qt.Key.Key_Space)
    assert sent == [second, chart.order()[-1]]
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.current() == ""


@pytest.mark.parametrize("make", CHARTS)
def test_a_click_where_a_key_is_painted_sends_that_key(make: Callable[[], PaintedChart], qtbot: QtBot) -> None:
    chart = make()
    shown(qtbot, chart, height=900)
    sent = clicks(chart)
    wanted = chart.order()[len(chart.order()) // 2]
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.box_of(wanted).center().toPoint())
    qtbot.mouseClick(chart, Qt.MouseButton.RightButton, pos=chart.box_of(wanted).center().toPoint())
    assert len(sent) == 1
    assert chart.box_of(sent[0]).intersects(chart.box_of(wanted))


def test_without_data_the_reason_and_nothing_to_walk(qtbot: QtBot) -> None:
    for chart in empties():
        shown(qtbot, chart)
        assert chart.is_empty()
        assert chart._empty.isVisible()
        qtbot.keyClick(chart, Qt.Key.Key_Right)
        assert chart.current() == ""
        assert tooltip(chart, QPoint(50, 50)) == ""


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_paint_in_both_themes_and_languages_fresh_and_stale(
    name: theme.ThemeName, language: Language, qapp: QApplication, qtbot: QtBot
) -> None:
    set_language(language)
    theme.apply(qapp, name)
    makers = [*CHARTS, lambda: ranking(team(1)), lambda: ranking(team(500)), lambda: funnel_plot(team(1)), lambda: funnel_plot(team(500))]
    for make in makers:
        chart = make()
        shown(qtbot, chart, NARROW, 300)
        chart.set_current(chart.order()[-1])
        fresh = picture(chart)
        assert colours(fresh) > 4
        chart.set_stale(True)
        assert picture(chart) != fresh
    theme.apply(qapp, "light")


def picture(chart: QWidget) -> QImage:
    return chart.grab().toImage()


def colours(image: QImage) -> int:
    return len({image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)})


# Ranking


def test_the_best_are_first_and_who_has_no_value_is_last() -> None:
    entries = [entry("a", 8, 10), entry("none", 0, 0), entry("b", 10, 10), entry("c", 1, 10)]
    assert ranking(entries).order() == ["b", "a", "c", "none"]
    bars = RankingBars()
    bars.set_data(
        METRICS["first_reply"], [Entry(key, key, {"first_reply_ms": ms, "received": 1}) for key, ms in (("slow", 9000), ("quick", 2000))]
    )
    assert bars.order() == ["quick", "slow"]


def test_a_bar_is_as_long_as_its_value_and_the_words_tell_how_it_came_about(qtbot: QtBot) -> None:
    bars = ranking([entry("half", 5, 10), entry("all", 10, 10), entry("none", 0, 0)])
    shown(qtbot, bars)
    assert bars.bar_of("half").width() == pytest.approx(bars.bar_of("all").width() / 2)
    assert bars.bar_of("none").width() == 0
    assert "5 / 10 = 50.0%" in bars.words_of("half")
    assert "团队 75.0%" in bars.words_of("half")
    assert tooltip(bars, bars.box_of("half").center().toPoint()) == bars.words_of("half")


def test_five_hundred_scroll_and_the_keyboard_brings_its_row_into_view(qtbot: QtBot) -> None:
    bars = ranking(team(500))
    shown(qtbot, bars, NARROW, 300)
    qtbot.keyClick(bars, Qt.Key.Key_End)
    assert bars.rect().contains(bars.box_of(bars.order()[-1]).toAlignedRect())
    qtbot.keyClick(bars, Qt.Key.Key_Home)
    assert bars.box_of(bars.order()[0]).top() >= RankingBars.ROW / 2
    bars.set_data(SATISFACTION, team(3))
    assert bars.box_of(bars.order()[2]).bottom() <= bars.height()


def test_names_bars_and_figures_keep_apart_at_360_pixels(qtbot: QtBot) -> None:
    bars = ranking(team(500))
    shown(qtbot, bars, NARROW, 300)
    for key in bars.order()[:10]:
        bar = bars.bar_of(key)
        assert 60 <= bar.left() < bar.right() <= bars._width() - bars._figures - 8
    left, right = bars._bar_span()
    assert right - left >= 80


def test_the_better_side_of_the_funnel_depends_on_the_metric() -> None:
    down = METRICS["bad_rate"]
    assert [mark_role(mark, SATISFACTION) for mark in ("high99", "low95", "low99")] == ["good", "warn", "alarm"]
    assert [mark_role(mark, down) for mark in ("high99", "low95", "low99")] == ["alarm", "good", "good"]


# Funnel


def test_points_lie_where_their_rate_and_volume_are_and_those_beyond_are_named(qtbot: QtBot) -> None:
    plot = funnel_plot(team(30))
    shown(qtbot, plot)
    rect = plot.plot_rect()
    assert all(rect.adjusted(-1, -1, 1, 1).contains(plot.point_of(key)) for key in plot.order())
    xs = [plot.point_of(key).x() for key in plot.order()]
    assert xs == sorted(xs)  # the arrows walk by volume
    assert plot.point_of("a0").y() > plot.point_of("a1").y()
    assert {"a0", "a1", "a2"} <= set(plot.label_boxes())
    assert all(plot.mark_of(key) for key in plot.label_boxes())
    assert "差距大于随机波动能解释的" in plot.words_of("a0")


@pytest.mark.parametrize(("width", "size"), [(NARROW, 12), (NARROW, 500), (900, 40), (900, 500)])
def test_names_in_the_funnel_never_overlap_nor_leave_the_plot(width: int, size: int, qtbot: QtBot) -> None:
    plot = funnel_plot(team(size))
    shown(qtbot, plot, width, 300)
    boxes = plot.label_boxes()
    assert boxes
    assert not [pair for pair in combinations(boxes.values(), 2) if pair[0].intersects(pair[1])]
    assert all(QRectF(plot.rect()).contains(box) for box in boxes.values())
    marked = [key for key in plot.order() if plot.mark_of(key)]
    assert not [key for key, box in boxes.items() for other in marked if other != key and box.contains(plot.point_of(other))]


def test_limits_enclose_the_target_and_narrow_to_the_right(qtbot: QtBot) -> None:
    plot = funnel_plot(team(30))
    shown(qtbot, plot)
    low99, low95, high95, high99 = plot._curves
    for column in range(0, len(low99), 7):
        assert low99[column].y() >= low95[column].y() >= high95[column].y() >= high99[column].y()
    assert low95[-1].y() - high95[-1].y() < low95[0].y() - high95[0].y()


def test_who_has_no_ratings_is_not_in_the_funnel(qtbot: QtBot) -> None:
    plot = funnel_plot([*team(5), entry("none", 0, 0)])
    shown(qtbot, plot)
    assert len(plot.order()) == 5


# Heat map


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_figure_of_every_cell_can_be_read(qapp: QApplication, name: ThemeName, stale: bool) -> None:
    before = theme.theme().name
    theme.apply(qapp, name)
    chart = heat({(0, hour): hour for hour in range(24)}, METRICS["consults"])
    chart.set_stale(stale)
    fills = [chart.fill(step / 200) for step in range(201)]
    assert all(contrast(ink_on(fill), fill) >= 4.5 for fill in fills)
    assert len(set(fills)) > 50
    theme.apply(qapp, before)


def test_darker_is_more_and_hours_without_any_value_are_left_away(qtbot: QtBot) -> None:
    chart = heat({(0, 9): 10, (1, 12): 40, (2, 20): 25}, METRICS["consults"])
    shown(qtbot, chart)
    shades = [chart.shade(cell_key(*cell)) for cell in ((0, 9), (2, 20), (1, 12))]
    assert shades == sorted(shades)
    assert chart.shade(cell_key(3, 12)) is None
    assert {int(key.split("-")[1]) for key in chart.order()} == set(range(9, 21))
    assert chart.words_of(cell_key(1, 12)) == "周二 12:00–13:00\n咨询量，平均每天 40"
    assert chart.words_of(cell_key(3, 12)).endswith("--")


def test_the_arrows_move_by_hour_and_by_weekday(qtbot: QtBot) -> None:
    chart = heat({(0, 0): 0.5, (6, 23): 0.9})
    shown(qtbot, chart)
    chart.set_current(cell_key(0, 0))
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        qtbot.keyClick(chart, key)
    assert chart.current() == cell_key(1, 2)


def test_with_counters_a_cell_tells_numerator_and_denominator() -> None:
    chart = HeatMap()
    values = [[0.9 if (day, hour) == (0, 9) else None for hour in range(24)] for day in range(7)]
    chart.set_data(SATISFACTION, values, {(0, 9): {"satisfied": 9, "rated": 10}})
    assert chart.words_of(cell_key(0, 9)).endswith("9 / 10 = 90.0%")
    chart.deleteLater()


@pytest.mark.parametrize("width", [NARROW, 900])
def test_cells_tile_the_map_within_its_edges(width: int, qtbot: QtBot) -> None:
    chart = heat({(0, 0): 0.5, (6, 23): 0.9})
    shown(qtbot, chart, width, 280)
    boxes = [chart.box_of(key) for key in chart.order()]
    assert len(boxes) == 7 * 24
    assert all(QRectF(chart.rect()).contains(box) for box in boxes)
    assert min(box.width() for box in boxes) >= 10


# From consultation to order


def test_steps_tell_the_rate_from_one_to_the_next(qtbot: QtBot) -> None:
    chart = steps()
    shown(qtbot, chart)
    assert chart.order() == list(STEPS)
    assert [chart.rate_words(step) for step in range(4)] == [
        "应答率 95.0%", "每次接待 0.42 位售前客户", "咨询下单转化率 25.0%", "每位下单客户 1.12 单",
    ]  # fmt: skip
    assert chart.bar_of("orders").width() == pytest.approx(chart.bar_of("consults").width() * 0.112)
    assert "100 / 400 = 25.0%" in chart.words_of("order_customers")


def test_a_step_that_is_not_known_has_no_rate(qtbot: QtBot) -> None:
    chart = OrderFunnel()
    chart.set_data({"consults": 10, "received": None, "presale_customers": 0, "order_customers": 0, "orders": 0})
    shown(qtbot, chart)
    assert [chart.rate_words(step) for step in range(4)] == ["--"] * 4
    assert picture(chart).width() > 0


# Trend


def trend(qtbot: QtBot) -> BandTrend:
    found = BandTrend()
    qtbot.addWidget(found)
    found.resize(700, 320)
    with qtbot.waitExposed(found):
        found.show()
    return found


def test_the_trend_reads_agent_median_and_middle_half(qtbot: QtBot) -> None:
    card = trend(qtbot)
    positions = [("2026-06-01", "6/1"), ("2026-06-02", "6/2"), ("2026-06-03", "6/3")]
    card.set_trend(SATISFACTION, "王小雨", positions, [0.9, None, 0.8], [Quartiles(0.7, 0.8, 0.95), None, Quartiles(0.6, 0.7, 0.9)])
    qtbot.waitUntil(lambda: card.plot() is not None)
    plot = card.plot()
    assert plot is not None
    plot.set_cursor_index(0)
    told = [(name, value) for _, name, value in plot.reading()]
    assert told == [("6/1", ""), ("王小雨", "90.0%"), ("团队中位数", "80.0%"), ("团队中间一半", "70.0% – 95.0%")]
    plot.set_cursor_index(1)
    assert [value for _, _, value in plot.reading()[1:]] == ["--", "--", "--"]
    sent: list[str] = []
    card.clicked.connect(sent.append)
    qtbot.keyClick(plot, Qt.Key.Key_End)
    qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert sent == ["2026-06-03"]


def test_the_scale_of_the_trend_holds_the_band(qtbot: QtBot) -> None:
    card = trend(qtbot)
    card.set_trend(SATISFACTION, "a", [("1", "1"), ("2", "2")], [0.9, 0.91], [Quartiles(0.5, 0.6, 0.99)] * 2)
    qtbot.waitUntil(lambda: card.plot() is not None)
    plot = card.plot()
    assert plot is not None
    top, foot = plot.pixel(0, 0.99).y(), plot.pixel(0, 0.5).y()
    assert plot.plot_rect().top() - 1 <= top < foot <= plot.plot_rect().bottom() + 1
    with pytest.raises(ValueError, match="1 positions"):
        card.set_trend(SATISFACTION, "a", [("1", "1")], [])


# Attendance


def test_rows_are_days_and_left_and_right_walk_a_days_stretches(qtbot: QtBot) -> None:
    chart = days(3)
    shown(qtbot, chart, 700, chart.sizeHint().height())
    at = chart.stretch_box("d1", Stretch(720, 780, "suspended")).center().toPoint()
    assert tooltip(chart, at) == "6/2\n挂起 12:00–13:00 · 1 小时 0 分"
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    assert chart.words_of("d1").count("\n") == 3
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.accessibleDescription() == "6/2, 挂起 12:00–13:00 · 1 小时 0 分"
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    assert chart.words_of("d2").count("\n") == 3


@pytest.mark.parametrize("width", [NARROW, 900])
def test_the_day_fits_between_its_edges_and_hours_keep_their_place(width: int, qtbot: QtBot) -> None:
    chart = days(31)
    shown(qtbot, chart, width, chart.sizeHint().height())
    boxes = [chart.stretch_box(key, Stretch(0, 1440, "available")) for key in chart.order()]
    assert all(QRectF(chart.rect()).contains(box) for box in boxes)
    assert boxes[0].width() > width * 0.5
    half = chart.stretch_box("d0", Stretch(0, 720, "available"))
    assert half.width() == pytest.approx(boxes[0].width() / 2, abs=1)


def test_rows_that_scroll_are_shown_whole(qtbot: QtBot) -> None:
    """Neither the edge nor the frame of the keyboard cuts one."""
    bars = ranking(team(30))
    shown(qtbot, bars, height=bars.HEAD + 6 * bars.ROW + 11)
    end = bars.HEAD + 6 * bars.ROW
    assert bars.key_at(QPointF(5, end - 1)) == bars.order()[5]
    assert bars.key_at(QPointF(5, end + 1)) == ""
    for key in bars.order():
        bars.set_current(key)
        assert bars.box_of(key).top() >= bars.HEAD
        assert bars.box_of(key).bottom() <= end
    image = bars.grab().toImage()
    below = {image.pixelColor(x, y).name() for x in range(8, bars.width() - 20) for y in range(end + 1, bars.height() - 4)}
    assert len(below) == 1  # nothing is painted there
