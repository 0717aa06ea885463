"""Long names in little room: told apart by both ends, and never at the cost of what stands beside them."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from app.domain.language import T
from ui.theme import BODY, CAPTION, level_color
from ui.widgets.inputs import NameBox
from ui.widgets.paint import elided_name, width_of
from ui.widgets.table_cells import PADDING, CellPainter
from ui.widgets.table_model import Cell, Column

FAMILY = [f"华东大区旗舰店售前咨询行政小组第{number}班" for number in "一二三"]


def painted(column: Column, cell: Cell, width: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, int]]:
    """(text, x, size) of what is written into a cell."""
    written: list[tuple[str, float, int]] = []
    whole = CellPainter.text

    def text(self: CellPainter, x: float, y: float, height: float, text: str, ink: object, size: int = BODY, strong: bool = False) -> float:
        written.append((text, x, size))
        return whole(self, x, y, height, text, ink, size, strong)  # type: ignore[arg-type]

    monkeypatch.setattr(CellPainter, "text", text)
    image = QImage(width, 32, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    CellPainter(painter).cell(column, cell, 0, 0, width, 32)
    painter.end()
    return written


def test_names_of_one_family_do_not_look_alike(qtbot: QtBot) -> None:
    shown = [elided_name(name, 120, BODY) for name in FAMILY]
    assert len(set(shown)) == len(FAMILY)
    assert all("…" in name and width_of(name, BODY) <= 120 for name in shown)
    assert elided_name("售前", 120, BODY) == "售前"


def test_what_stands_beside_a_name_is_whole(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    name = Column("name", T("名称", "Name"), "text", names=True)
    (text, x, _), (beside, at, size) = painted(name, Cell(FAMILY[0], detail="not saved"), 144, monkeypatch)
    assert beside == "not saved"
    assert text[0] == FAMILY[0][0]
    assert text.endswith("班")
    assert x + width_of(text, BODY) < at
    assert at + width_of(beside, size) <= 144 - PADDING
    assert size == CAPTION


def test_a_state_that_can_be_pressed_looks_it(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    inks: list[str] = []
    monkeypatch.setattr(CellPainter, "text", lambda self, x, y, h, text, ink, *rest: inks.append(ink.name()) or 20.0)
    for link in (True, False):
        image = QImage(90, 32, QImage.Format.Format_ARGB32)
        painter = QPainter(image)
        CellPainter(painter).cell(Column("open", "Entry", "state", link=link), Cell("open", 1, "good"), 0, 0, 90, 32)
        painter.end()
    assert inks[0] == level_color("info").name() != inks[1]


def test_a_box_beside_a_long_name(qtbot: QtBot) -> None:
    box = NameBox("A & B " + FAMILY[0])
    qtbot.addWidget(box)
    box.resize(160, 24)
    box.show()
    assert "…" in box.text()
    assert box.text().startswith("A && B")
    assert box.accessibleName() == box.toolTip() == "A & B " + FAMILY[0]
    box.resize(600, 24)
    assert box.text().replace("&&", "&") == box.toolTip()
