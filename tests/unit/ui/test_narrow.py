"""What happens to words where there is little room: they go on in the next row, or end in … with all of them in the tooltip."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget
from pytestqt.qtbot import QtBot

from ui.topbar import TopBar
from ui.widgets.choice import Choice
from ui.widgets.flow import FlowLayout


def _box(parent: QWidget, wide: int) -> QWidget:
    box = QLabel("x" * 3, parent)
    box.setFixedSize(wide, 30)
    return box


@pytest.mark.parametrize(("width", "rows"), [(1000, 1), (500, 2), (250, 5)])
def test_a_row_of_controls_goes_on_in_the_next(qtbot: QtBot, width: int, rows: int) -> None:
    bar = QWidget()
    qtbot.addWidget(bar)
    flow = FlowLayout(8)
    bar.setLayout(flow)
    search = QLabel("search", bar)
    search.setMinimumSize(120, 30)
    search.setMaximumWidth(280)
    search.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    boxes = [search, *(_box(bar, 140) for _ in range(4))]
    hidden = _box(bar, 140)
    hidden.hide()
    for box in (boxes[0], hidden, *boxes[1:]):
        flow.addWidget(box)
    bar.resize(width, flow.heightForWidth(width))
    bar.show()
    assert len({box.y() for box in boxes}) == rows
    assert all(box.geometry().right() < width for box in boxes)
    assert all(not a.geometry().intersects(b.geometry()) for a in boxes for b in boxes if a is not b)
    assert 120 <= search.width() <= 280


def test_the_way_within_a_page_has_the_room_that_the_controls_leave(qtbot: QtBot) -> None:
    bar, controls = TopBar(), QWidget()
    qtbot.addWidget(bar)
    controls.setMinimumWidth(300)
    bar.set_place("查询", ("客户咨询", "jd_d200ca84"))
    bar.set_filters(controls)
    bar.resize(1060, 48)
    bar.show()
    path = bar._path
    assert path.width() >= path.fontMetrics().horizontalAdvance(path.text())
    bar.resize(700, 48)
    qtbot.waitUntil(lambda: path.width() < path.fontMetrics().horizontalAdvance(path.text()))
    assert controls.width() >= 300
    assert path.toolTip() == "客户咨询 › jd_d200ca84"


def test_a_choice_tells_all_of_its_words(qtbot: QtBot) -> None:
    choice = Choice("咨询组", "全部咨询组")
    qtbot.addWidget(choice)
    assert choice.minimumSizeHint().width() < choice.sizeHint().width()
    name = "广东与华东大客户专属咨询服务接待组"
    choice.offer([("g", name)], "g")
    assert choice.toolTip() == f"咨询组：{name}"
    choice.choose("")
    assert choice.toolTip() == "咨询组：全部咨询组"
