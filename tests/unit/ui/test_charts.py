from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QTabBar, QToolTip
from pytestqt.qtbot import QtBot

from app.domain.metrics import METRICS
from ui import theme
from ui.theme.fonts import BODY
from ui.widgets.chart import ChartCard
from ui.widgets.chart_data import ChartData, Series, clock, foot_labels, runs, scale_of, spread
from ui.widgets.chart_plot import name_place
from ui.widgets.empty import EmptyState
from ui.widgets.paint import elided, polylines, width_of
from ui.widgets.skeleton import Skeleton
from ui.widgets.timeline import PresenceTimeline, Stretch

NUMBERS = st.one_of(st.none(), st.floats(-1e9, 1e9, allow_nan=False), st.integers(0, 1_000_000))
RATE = METRICS["reply_30s_rate"]


@given(st.lists(NUMBERS, max_size=30), st.booleans())
def test_the_scale_holds_every_value_between_round_and_few_lines(values: list[float | None], from_zero: bool) -> None:
    scale = scale_of(ChartData((Series("x", values),), labels=[""] * len(values), from_zero=from_zero))
    known = [value for value in values if value is not None]
    span = scale.high - scale.low
    assert span > 0
    assert all(scale.low - 1e-6 * span <= value <= scale.high + 1e-6 * span for value in known)
    assert 2 <= len(scale.ticks) <= 8
    if from_zero:
        assert scale.low <= 0 <= scale.high


def test_a_single_rate_has_no_scale_below_nothing() -> None:
    scale = scale_of(ChartData((Series("x", [0.33]),), labels=[""], from_zero=False))
    assert 0 <= scale.low < 0.33 < scale.high


def test_the_scale_of_a_rate_reads_well() -> None:
    data = ChartData((Series("x", [0.82, 0.97]),), labels=["", ""], threshold=0.8, from_zero=False)
    assert [RATE.text(tick) for tick in scale_of(data).ticks] == ["80.0%", "85.0%", "90.0%", "95.0%", "100.0%"]


def test_a_threshold_far_above_the_values_does_not_flatten_them() -> None:
    data = ChartData((Series("x", [1.0, 2.0]),), labels=["", ""], threshold=500.0)
    assert scale_of(data).high < 10


def test_times_at_the_foot_are_those_people_use() -> None:
    data = ChartData(minutes=range(540, 1080, 5))
    assert [words for _, words in foot_labels(data, 640)] == [f"{hour:02d}:00" for hour in range(9, 18)]
    assert [words for _, words in foot_labels(data, 250)] == ["09:00", "12:00", "15:00"]
    assert clock(570) == "09:30"


def test_days_at_the_foot_are_thinned_out_evenly() -> None:
    data = ChartData(labels=[str(day) for day in range(1, 31)])
    assert [words for _, words in foot_labels(data, 400)] == ["1", "6", "11", "16", "21", "26"]


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8))
def test_labels_at_line_ends_never_overlap(wanted: list[float]) -> None:
    placed = spread(wanted, 16, 0, 300)
    ordered = sorted(placed)
    assert all(b - a >= 16 - 1e-6 for a, b in pairwise(ordered))
    assert ordered[0] >= -1e-6
    assert ordered[-1] <= 300 + 1e-6


def test_a_missing_value_is_a_gap_not_a_line() -> None:
    assert runs([0, 5, 10, 15, 20], [1, None, 3, 4, float("nan")]) == [([0.0], [1.0]), ([10.0, 15.0], [3.0, 4.0])]
    from PySide6.QtCore import QRectF

    assert [line.size() for line in polylines([1, 2, None, None, 3], QRectF(0, 0, 100, 20))] == [2, 1]
    assert polylines([None, None], QRectF(0, 0, 100, 20)) == []


def day(values: list[float | None], **more: Any) -> ChartData:
    minutes = range(540, 540 + 30 * len(values), 30)
    yesterday = Series("昨天", [0.9] * len(values), "compare")
    return ChartData((Series("今天", values), yesterday), minutes, format=RATE.text, **more)


@pytest.fixture
def card(qtbot: QtBot) -> ChartCard:
    found = ChartCard([("a", "应答率"), ("b", "评价率")], [("5", "5 分钟"), ("30", "30 分钟")])
    qtbot.addWidget(found)
    found.resize(800, 400)
    return found


def shown(card: ChartCard, qtbot: QtBot, data: ChartData) -> Any:
    card.set_series(data)
    with qtbot.waitExposed(card):
        card.show()
    qtbot.waitUntil(lambda: card.plot() is not None)
    return card.plot()


def test_the_plot_is_made_when_the_card_is_first_seen(card: ChartCard, qtbot: QtBot) -> None:
    card.set_series(day([0.8, 0.7]))
    QApplication.processEvents()
    assert card.plot() is None
    card.show()
    qtbot.waitUntil(lambda: card.plot() is not None)


def test_until_there_is_data_a_skeleton_and_then_the_reason(card: ChartCard, qtbot: QtBot) -> None:
    card.show()
    assert isinstance(card._stack.currentWidget(), Skeleton)
    card.set_series(ChartData((Series("今天", [None]),), [0]))
    qtbot.waitUntil(lambda: isinstance(card._stack.currentWidget(), EmptyState))
    plot = shown(card, qtbot, day([0.8]))
    assert card._stack.currentWidget() is plot
    card.set_loading()
    assert isinstance(card._stack.currentWidget(), Skeleton)


def test_the_crosshair_walks_with_the_keys_and_reads_every_series(card: ChartCard, qtbot: QtBot) -> None:
    plot = shown(card, qtbot, day([0.8, 0.705, None]))
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.cursor_index() == 1  # begins at the newest value of today
    assert [(name, value) for _, name, value in plot.reading()] == [("09:30", ""), ("今天", "70.5%"), ("昨天", "90.0%")]
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert plot.cursor_index() == 2
    assert plot.reading()[1][2] == "--"
    assert "今天 --" in plot.accessibleDescription()
    qtbot.keyClick(plot, Qt.Key.Key_Home)
    assert plot.cursor_index() == 0
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.cursor_index() == -1


def test_the_crosshair_follows_the_pointer_to_the_nearest_position(card: ChartCard, qtbot: QtBot) -> None:
    plot = shown(card, qtbot, day([0.8, 0.7, 0.6, 0.5]))
    at = plot.pixel(600, 0.7)
    qtbot.mouseMove(plot, QPoint(round(at.x()) + 9, round(at.y())))
    assert plot.cursor_index() == 2
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert plot.cursor_index() == -1


def test_the_crosshair_survives_new_data_and_shrinks_with_it(card: ChartCard, qtbot: QtBot) -> None:
    plot = shown(card, qtbot, day([0.8, 0.7, 0.6]))
    plot.set_cursor_index(2)
    card.set_series(day([0.8, 0.7, 0.9]))
    assert plot.reading()[1][2] == "90.0%"
    card.set_series(day([0.8]))
    assert plot.cursor_index() == 0


def test_equal_data_is_not_drawn_again(card: ChartCard, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = shown(card, qtbot, day([0.8, 0.7]))
    drawn: list[ChartData] = []
    monkeypatch.setattr(plot, "set_data", drawn.append)
    card.set_series(day([0.8, 0.7]))
    assert drawn == []
    card.set_series(day([0.8, 0.71]))
    assert len(drawn) == 1


def test_a_hidden_card_draws_nothing_until_it_is_seen(card: ChartCard, qtbot: QtBot) -> None:
    plot = shown(card, qtbot, day([0.8, 0.7]))
    card.hide()
    card.set_series(day([0.8, 0.1]))
    plot.set_cursor_index(1)
    assert plot.reading()[1][2] == "70.0%"
    card.show()
    qtbot.waitUntil(lambda: plot.reading()[1][2] == "10.0%")


def test_line_threshold_and_guides_are_where_their_values_are(card: ChartCard, qtbot: QtBot) -> None:
    plot = shown(card, qtbot, day([0.5, 0.5, 0.5], threshold=0.8, threshold_name="目标"))
    QApplication.processEvents()
    image = plot.grab().toImage()

    def stands_out(value: float, role: theme.Role) -> bool:
        """Whether somewhere along this height there is the role's colour, at least half covering a pixel."""
        at, ink = plot.pixel(570, value), theme.color(role)
        seen = [image.pixelColor(x, round(at.y()) + dy) for x in range(round(at.x()), round(at.x()) + 12) for dy in (-1, 0, 1)]
        return any(
            abs(pixel.hue() - ink.hue()) < 12 and pixel.saturation() > 0.4 * ink.saturation() if ink.saturation() > 40 else pixel == ink
            for pixel in seen
        )

    assert stands_out(0.5, "accent")
    assert stands_out(0.8, "warn")
    assert not stands_out(0.65, "accent")
    assert not stands_out(0.65, "warn")
    ticks = [tick for tick in plot._scale.ticks if tick > 0.5 and tick != 0.8]
    assert ticks
    assert all(stands_out(tick, "border") for tick in ticks)


def test_tabs_and_steps_tell_the_choice_of_a_person_only(card: ChartCard, qtbot: QtBot) -> None:
    tabs: list[str] = []
    steps: list[str] = []
    card.tab_chosen.connect(tabs.append)
    card.step_chosen.connect(steps.append)
    card.set_tab("b")
    card.set_tab("unknown")
    card.set_step("30")
    assert (card.tab(), card.step(), tabs, steps) == ("b", "30", [], [])
    bar = card.findChild(QTabBar)
    assert bar is not None
    card.show()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(0).center())
    qtbot.mouseClick(card._steps._buttons["5"], Qt.MouseButton.LeftButton)
    assert (tabs, steps) == (["a"], ["5"])


def test_comparisons_are_quiet_and_further_lines_differ(card: ChartCard, qtbot: QtBot) -> None:
    lines = (Series("a", [1, 2]), Series("b", [2, 1]), Series("c", [1, 1], "compare"), Series("d", [3, 3], "mean"))
    plot = shown(card, qtbot, ChartData(lines, labels=["1", "2"]))
    assert plot.roles() == ["accent", "series_2", "quiet", "quiet"]


DAY = [Stretch(540, 600, "available"), Stretch(600, 615, "suspended"), Stretch(615, 700, "available"), Stretch(700, 700, "away")]


@pytest.fixture
def timeline(qtbot: QtBot) -> PresenceTimeline:
    found = PresenceTimeline()
    qtbot.addWidget(found)
    found.set_stretches(DAY, 480, 1080)
    found.resize(602, found.sizeHint().height())
    found.show()
    return found


def test_a_stretch_says_state_time_and_length() -> None:
    assert DAY[0].words() == "接待 09:00–10:00 · 1 小时 0 分"
    assert DAY[1].words() == "挂起 10:00–10:15 · 15 分"


def test_hovering_the_timeline_says_what_is_there(timeline: PresenceTimeline) -> None:
    def hover(x: int) -> str:
        QApplication.sendEvent(timeline, QHelpEvent(QEvent.Type.ToolTip, QPoint(x, 10), timeline.mapToGlobal(QPoint(x, 10))))
        return QToolTip.text() if timeline.stretch_at(x) else ""

    assert hover(100) == DAY[0].words()
    assert hover(130) == DAY[1].words()
    assert hover(500) == ""
    assert timeline.stretch_at(QPointF(30, 0).x()) is None


def test_the_timeline_can_be_walked_and_heard(timeline: PresenceTimeline, qtbot: QtBot) -> None:
    assert timeline.accessibleDescription().split("; ") == [stretch.words() for stretch in DAY[:3]]
    qtbot.keyClick(timeline, Qt.Key.Key_Right)
    qtbot.keyClick(timeline, Qt.Key.Key_Right)
    assert QToolTip.text() == DAY[1].words()
    for _ in range(5):
        qtbot.keyClick(timeline, Qt.Key.Key_Right)
    assert QToolTip.text() == DAY[2].words()


def test_states_differ_without_colour(timeline: PresenceTimeline) -> None:
    timeline.set_stretches([Stretch(480, 680, "available"), Stretch(680, 880, "suspended"), Stretch(880, 1080, "away")], 480, 1080)
    image = timeline.grab().toImage()

    def lightness(x: int) -> tuple[int, ...]:
        return tuple(image.pixelColor(x + dx, 5).lightness() for dx in range(24))

    solid, hatched, other = lightness(20), lightness(220), lightness(420)
    assert len(set(solid)) == 1
    assert len(set(hatched)) > 1
    assert len(set(other)) > 1


@pytest.mark.parametrize("x", [20.0, 180.0, 199.0])
@pytest.mark.parametrize("y", [2.0, 50.0])
def test_the_name_of_a_line_covers_neither_its_end_nor_the_names_at_the_edge(x: float, y: float) -> None:
    plot, end = QRectF(0, 0, 200, 100), QPointF(x, y)
    place = name_place(end, 42, plot)
    assert place.right() <= plot.right() + 4
    assert not place.intersects(QRectF(end.x() - 2.5, end.y() - 2.5, 5, 5))
    assert place.top() >= plot.top() - 9


@pytest.mark.parametrize("width", [50, 64, 100, 150])
def test_namesakes_differ_also_where_their_names_are_cut(width: int) -> None:
    cut = [elided(f"小美（jd_shop_kf_019{digit}）", width, BODY) for digit in (3, 4)]
    assert cut[0] != cut[1]
    assert all("…" in words and width_of(words, BODY) <= width for words in cut)
    assert elided("木禾 移动固态硬盘 标配 (黑)", width, BODY).endswith("黑)")
