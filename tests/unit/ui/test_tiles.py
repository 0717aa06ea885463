from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui import theme
from ui.widgets.tile import Change, MetricTile, TileData
from ui.widgets.tile_grid import TileGrid, columns_for

CATALOGUE = [(f"k{n}", f"指标{n}") for n in range(8)]
DATA = TileData(
    "93.1%", level="warn", changes=(Change("yesterday", "3.2pp", -1), Change("week", "1.0pp", 1)), spark=(1, 2, None, 3),
    tooltip="1,204 / 1,293 = 93.1%\n接待量 ÷ 咨询量",
)  # fmt: skip


@pytest.fixture
def tile(qtbot: QtBot) -> MetricTile:
    found = MetricTile("answer_rate", "应答率")
    qtbot.addWidget(found)
    found.resize(180, 132)
    return found


def picture(widget: MetricTile) -> QImage:
    return widget.grab().toImage()


def has_colour(image: QImage, role: theme.Role) -> bool:
    wanted = theme.color(role)
    return any(image.pixelColor(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


def test_hovering_tells_how_the_number_came_about_and_moved(tile: MetricTile) -> None:
    tile.set_data(DATA)
    assert tile.toolTip() == "1,204 / 1,293 = 93.1%\n接待量 ÷ 咨询量\n较昨日 下降 3.2pp\n较上周 上升 1.0pp"


def test_a_screen_reader_hears_value_level_and_change(tile: MetricTile) -> None:
    tile.set_data(DATA)
    assert tile.accessibleName() == "应答率 93.1%，需注意，较昨日 下降 3.2pp，较上周 上升 1.0pp"


def test_the_threshold_colour_appears_only_when_it_is_crossed_and_the_data_is_fresh(tile: MetricTile) -> None:
    tile.set_data(TileData("93.1%"))
    assert not has_colour(picture(tile), "warn")
    tile.set_data(TileData("89.9%", level="warn"))
    assert has_colour(picture(tile), "warn")
    tile.set_data(TileData("89.9%", level="warn", stale="3 分钟前"))
    assert not has_colour(picture(tile), "warn")


def test_warn_and_alarm_differ_without_colour(tile: MetricTile) -> None:
    def shape(level: str) -> bytes:
        tile.set_data(TileData("1", level=level))  # type: ignore[arg-type]
        grey = picture(tile).copy(150, 8, 26, 26).convertToFormat(QImage.Format.Format_Mono, Qt.ImageConversionFlag.ThresholdDither)
        return bytes(grey.constBits())

    assert len({shape(""), shape("warn"), shape("alarm")}) == 3


def test_a_changed_value_flashes_and_the_first_one_does_not(tile: MetricTile) -> None:
    tile.set_data(TileData("1"))
    assert tile._flashes.strength("value") == 0
    tile.set_data(TileData("1", tooltip="new"))
    assert tile._flashes.strength("value") == 0
    tile.set_data(TileData("2"))
    assert tile._flashes.strength("value") > 0.9
    theme.set_reduced_motion(True)
    tile._flashes.clear()
    tile.set_data(TileData("3"))
    assert tile._flashes.strength("value") == 0


def test_a_long_amount_is_made_smaller_instead_of_being_cut(tile: MetricTile) -> None:
    tile.resize(130, 132)
    tile.set_data(TileData("1,234,567.80", "元"))
    image = picture(tile)
    ink = theme.color("text").lightness() + 40
    last = max(x for x in range(image.width() - 2) for y in range(30, 66) if image.pixelColor(x, y).lightness() < ink)
    assert last < 130 - 10


def test_click_enter_and_space_open(tile: MetricTile, qtbot: QtBot) -> None:
    opened: list[str] = []
    tile.opened.connect(opened.append)
    qtbot.mouseClick(tile, Qt.MouseButton.LeftButton)
    qtbot.keyClick(tile, Qt.Key.Key_Return)
    qtbot.keyClick(tile, Qt.Key.Key_Space)
    assert opened == ["answer_rate"] * 3


@pytest.fixture
def grid(qtbot: QtBot) -> TileGrid:
    found = TileGrid(CATALOGUE)
    qtbot.addWidget(found)
    found.resize(1200, found.height())
    found.show()
    return found


def orders(grid: TileGrid) -> list[list[str]]:
    heard: list[list[str]] = []
    grid.order_changed.connect(heard.append)
    return heard


def test_the_width_decides_how_many_stand_in_a_row(grid: TileGrid) -> None:
    assert [columns_for(width) for width in (700, 1012, 1172, 1800)] == [4, 6, 6, 9]
    heights = {}
    for width in (700, 1200, 1800):
        grid.resize(width, grid.height())
        tops = [grid.tile(key).y() for key in grid.order()]
        heights[width] = grid.height()
        assert tops.count(0) == min(8, columns_for(width))
        assert max(grid.tile(key).geometry().right() for key in grid.order()) <= width - 1
        assert grid.tile("k7").geometry().bottom() + 1 == grid.height()
    assert heights[700] == heights[1200] > heights[1800]


def test_ctrl_and_an_arrow_move_a_tile_and_the_arrow_alone_the_focus(grid: TileGrid, qtbot: QtBot) -> None:
    heard = orders(grid)
    grid.tile("k0").setFocus()
    qtbot.keyClick(grid.tile("k0"), Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert grid.order()[:3] == ["k1", "k0", "k2"]
    qtbot.keyClick(grid.tile("k0"), Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert grid.order() == ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k0"]
    qtbot.keyClick(grid.tile("k0"), Qt.Key.Key_Left)
    assert QApplication.focusWidget() is grid.tile("k7")
    assert heard == [["k1", "k0", "k2", "k3", "k4", "k5", "k6", "k7"], grid.order()]


def test_a_dragged_tile_takes_the_place_it_is_dropped_on_and_is_not_opened(grid: TileGrid) -> None:
    heard, opened = orders(grid), []
    grid.opened.connect(opened.append)
    tile, target = grid.tile("k0"), grid.tile("k2").geometry().center()
    QTest.mousePress(tile, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    for _ in range(12):
        here = tile.geometry().center()
        step = QPoint((target.x() - here.x()) // 3, (target.y() - here.y()) // 3)
        QTest.mouseMove(tile, QPoint(20, 20) + (step if step.manhattanLength() > 3 else QPoint(2, 0)))
    assert heard == []
    QTest.mouseRelease(tile, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert heard == [["k1", "k2", "k0", "k3", "k4", "k5", "k6", "k7"]]
    assert opened == []
    assert tile.geometry().left() == grid.tile("k2").geometry().right() + 17


def test_tiles_are_chosen_in_the_menu_and_come_back_to_their_place(grid: TileGrid) -> None:
    grid.set_data({"k3": TileData("42")})
    heard = orders(grid)
    entries = {action.data(): action for action in grid.choice_menu().actions()}
    entries["k3"].trigger()
    assert "k3" not in grid.order()
    entries["k3"].trigger()
    assert grid.order() == [key for key, _ in CATALOGUE]
    assert grid.tile("k3").data().value == "42"
    assert len(heard) == 2


def test_a_kept_order_may_name_tiles_that_no_longer_exist(grid: TileGrid) -> None:
    heard = orders(grid)
    grid.set_order(["k5", "gone", "k1", "k5"])
    assert grid.order() == ["k5", "k1"]
    assert heard == []
    grid.reset()
    assert heard == [[key for key, _ in CATALOGUE]]
