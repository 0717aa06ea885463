from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QEnterEvent, QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QToolTip
from pytestqt.qtbot import QtBot

from app.domain.language import T, set_language
from ui import theme
from ui.theme import ROW_HEIGHT
from ui.widgets import table as table_module
from ui.widgets.table import Cell, Cells, Column, DataTable, RowTableModel

COLUMNS = (
    Column("name", T("客服", "Agent"), "text", 120, sticky=True),
    Column("state", T("状态", "State"), "state", 120),
    Column("load", T("饱和度", "Saturation"), "bar", 150),
    *(Column(f"c{n}", T(f"指标{n}", f"Metric {n}"), width=80, link=n == 2, tooltip=f"definition {n}") for n in range(6)),
    Column("extra", T("更多", "More"), optional=True),
)


def cells(name: str, number: int = 0) -> Cells:
    figures = {f"c{n}": Cell(str(number + n), number + n) for n in range(6)}
    return {"name": Cell(name, name), "state": Cell("接待", 1, "good", "5 分"), "load": Cell("50%", 0.5), "extra": Cell("x"), **figures}


@pytest.fixture
def table(qtbot: QtBot) -> DataTable:
    model = RowTableModel(COLUMNS)
    model.set_rows([(f"r{n}", cells(f"agent {n}", n * 10)) for n in range(40)])
    view = DataTable(model, multiple=True)
    qtbot.addWidget(view)
    view.resize(700, 400)
    with qtbot.waitExposed(view):
        view.show()
    QApplication.processEvents()
    leave(view)  # a window may open under the pointer
    return view


def enter(view: DataTable) -> None:
    QApplication.sendEvent(view, QEnterEvent(QPointF(5, 90), QPointF(5, 90), QPointF(5, 90)))


def leave(view: DataTable) -> None:
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))


def title(view: DataTable, key: str) -> QPoint:
    header = view.horizontalHeader()
    column = view.rows().column_of[key]
    return QPoint(header.sectionViewportPosition(column) + header.sectionSize(column) // 2, 10)


def painted_cells(view: DataTable, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    original = DataTable._paint_cell

    def spy(self: DataTable, pen: Any, row_id: Any, row: Cells, column: int, *rest: Any) -> None:
        found.append((row_id, COLUMNS[column].key))
        original(self, pen, row_id, row, column, *rest)

    monkeypatch.setattr(table_module.DataTable, "_paint_cell", spy)
    return found


def test_a_changed_cell_is_the_only_one_painted(table: DataTable, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    QApplication.processEvents()
    painted = painted_cells(table, monkeypatch)
    table.rows().update_rows({"r3": {**cells("agent 3", 30), "c1": Cell("99", 99)}})
    qtbot.waitUntil(lambda: bool(painted))
    assert set(painted) == {("r3", "c1")}


def test_a_change_out_of_view_paints_nothing(table: DataTable, monkeypatch: pytest.MonkeyPatch) -> None:
    QApplication.processEvents()
    painted = painted_cells(table, monkeypatch)
    table.rows().update_rows({"r39": {**cells("agent 39", 390), "c1": Cell("99", 99)}}, flash=False)
    QApplication.processEvents()
    assert painted == []


def test_rows_keep_their_place_under_the_pointer_and_move_when_it_leaves(table: DataTable) -> None:
    model = table.rows()
    model.sort_by("c0", descending=True)
    assert model.ids()[0] == "r39"
    enter(table)
    model.update_rows({"r0": cells("agent 0", 9999)})
    assert model.ids()[0] == "r39"
    leave(table)
    assert model.ids()[0] == "r0"


def test_walking_with_the_keys_holds_the_order_until_escape(table: DataTable, qtbot: QtBot) -> None:
    model = table.rows()
    model.sort_by("c0")
    table.setFocus()
    table.select("r1")
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.current_id() == "r2"
    model.update_rows({"r2": cells("agent 2", 5000)})
    assert model.ids()[2] == "r2"
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert model.ids()[-1] == "r2"
    assert table.current_id() == "r2"


def test_home_end_and_enter(table: DataTable, qtbot: QtBot) -> None:
    opened: list[object] = []
    current: list[object] = []
    table.opened.connect(opened.append)
    table.current_changed.connect(current.append)
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_End)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.keyClick(table, Qt.Key.Key_Home)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened == ["r39", "r0"]
    assert current == ["r39", "r0"]
    assert table.selected_ids() == ["r0"]


def test_shift_and_end_selects_to_the_last_row(table: DataTable, qtbot: QtBot) -> None:
    table.select("r37")
    qtbot.keyClick(table, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert table.selected_ids() == ["r37", "r38", "r39"]


def test_alt_with_an_arrow_sorts_by_the_current_column(table: DataTable, qtbot: QtBot) -> None:
    table.setCurrentIndex(table.rows().index(0, table.rows().column_of["c3"]))
    qtbot.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert table.rows().sort_state() == ("c3", True)
    qtbot.keyClick(table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert table.rows().sort_state() == ("c3", False)


def test_clicks_on_a_title_sort_down_up_and_not_at_all(table: DataTable, qtbot: QtBot) -> None:
    viewport = table.horizontalHeader().viewport()
    states = []
    for _ in range(3):
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=title(table, "c0"))
        states.append(table.rows().sort_state())
    assert states == [("c0", True), ("c0", False), ("", False)]


def test_a_click_on_a_link_cell_opens_it_and_a_double_click_elsewhere_the_row(table: DataTable, qtbot: QtBot) -> None:
    cells_opened: list[tuple[object, str]] = []
    rows_opened: list[object] = []
    table.cell_opened.connect(lambda row_id, key: cells_opened.append((row_id, key)))
    table.opened.connect(rows_opened.append)

    def middle(key: str) -> QPoint:
        return table.visualRect(table.rows().index(2, table.rows().column_of[key])).center()

    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle("c2"))
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle("c1"))
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle("c1"))
    assert cells_opened == [("r2", "c2")]
    assert rows_opened == ["r2"]


def test_column_state_comes_back_in_another_table(table: DataTable, qtbot: QtBot) -> None:
    header = table.horizontalHeader()
    header.moveSection(header.visualIndex(table.rows().column_of["c4"]), 1)
    header.resizeSection(table.rows().column_of["c1"], 133)
    header_menu = table.columns_menu()
    next(action for action in header_menu.actions() if action.data() == "extra").trigger()
    next(action for action in header_menu.actions() if action.data() == "c5").trigger()
    table.rows().sort_by("c3", descending=True)
    state = table.columns_state()

    other = DataTable(RowTableModel(COLUMNS))
    qtbot.addWidget(other)
    other.resize(700, 400)
    other.restore_columns(state)
    assert other.columns_state() == state
    assert other.shown_columns() == ["name", "c4", "state", "load", "c0", "c1", "c2", "c3", "extra"]
    assert other.horizontalHeader().sectionSize(other.rows().column_of["c1"]) == 133
    assert other.rows().sort_state() == ("c3", True)


def test_a_state_of_another_version_is_taken_as_far_as_it_is_known(table: DataTable) -> None:
    before = table.columns_state()
    table.restore_columns({"columns": ["gone", "c1"], "widths": {"c1": -4, "gone": 7, "c2": "wide"}, "sort": ["gone", "asc"]})
    assert table.shown_columns() == ["name", "c1"]
    table.restore_columns({"columns": "nonsense", "widths": 3, "sort": 9})
    assert table.shown_columns() == ["name", "c1"]
    table.reset_columns()
    assert table.columns_state() == before


def test_a_change_by_hand_is_told_once_after_a_moment(table: DataTable, qtbot: QtBot) -> None:
    told: list[None] = []
    table.columns_changed.connect(lambda: told.append(None))
    with qtbot.waitSignal(table.columns_changed, timeout=2000):
        for width in (90, 95, 100):
            table.horizontalHeader().resizeSection(3, width)
    assert len(told) == 1


def test_the_sticky_column_stays_at_the_left(table: DataTable) -> None:
    table.resize(420, 400)
    header = table.horizontalHeader()
    header.moveSection(0, 3)
    assert header.visualIndex(0) == 0
    table.horizontalScrollBar().setValue(150)
    index = table.indexAt(QPoint(20, ROW_HEIGHT + 5))
    assert (index.row(), index.column()) == (1, 0)
    assert table.visualRect(index).left() == 0


def test_walking_left_never_leaves_the_current_cell_under_the_sticky_column(table: DataTable, qtbot: QtBot) -> None:
    table.resize(420, 400)
    table.setCurrentIndex(table.rows().index(0, table.rows().column_of["c5"]))
    for _ in range(7):
        qtbot.keyClick(table, Qt.Key.Key_Left)
        rect = table.visualRect(table.currentIndex())
        assert rect.left() >= 120 - 1 or table.currentIndex().column() == 0 or table.horizontalScrollBar().value() == 0


def test_pinned_rows_stand_in_the_header_and_scroll_with_the_columns(table: DataTable) -> None:
    header = table.horizontalHeader()
    before = header.height()
    table.rows().set_pinned([("all", cells("总览"))])
    assert header.height() == before + ROW_HEIGHT
    assert header.grab().toImage() != _without_pinned(table)


def _without_pinned(view: DataTable) -> Any:
    view.rows().set_pinned([("all", {})])
    return view.horizontalHeader().grab().toImage()


def test_columns_fill_a_wide_window_and_titles_break_rather_than_vanish(qtbot: QtBot) -> None:
    set_language("en")
    model = RowTableModel([Column("name", "Agent", "text"), Column("long", T("", "First reply within 30 s"))])
    view = DataTable(model)
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    header = view.horizontalHeader()
    assert sum(header.sectionSize(column) for column in range(2)) == view.viewport().width()
    assert theme.font(12) is not None
    from ui.widgets.table_header import title_width, wrapped

    assert wrapped("First reply within 30 s", title_width("First reply within 30 s") - 16) == ("First reply", "within 30 s")
    assert wrapped("促成下单商品金额", title_width("促成下单商品金额") - 16) == ("促成下单", "商品金额")


def test_the_selected_rows_are_copied_as_plain_text(table: DataTable, qtbot: QtBot) -> None:
    table.restore_columns({"columns": ["name", "c0"]})
    table.select("r1")
    qtbot.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "客服\t指标0\nagent 1\t10\nagent 2\t20"


def test_tooltips_of_cells_are_asked_for_and_titles_define_themselves(table: DataTable, qtbot: QtBot) -> None:
    asked: list[tuple[object, str]] = []

    def answer(row_id: object, key: str) -> str:
        asked.append((row_id, key))
        return f"1,204 / 1,293 ({key})"

    table.set_tooltip(answer)
    at = table.visualRect(table.rows().index(1, table.rows().column_of["c1"])).center()
    QApplication.sendEvent(table.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, table.viewport().mapToGlobal(at)))
    assert asked == [("r1", "c1")]
    assert QToolTip.text() == "1,204 / 1,293 (c1)"
    viewport = table.horizontalHeader().viewport()
    QApplication.sendEvent(viewport, QHelpEvent(QEvent.Type.ToolTip, title(table, "c1"), viewport.mapToGlobal(title(table, "c1"))))
    assert QToolTip.text() == "指标1\ndefinition 1"


def test_a_placeholder_stands_where_there_are_no_rows(table: DataTable) -> None:
    note = QLabel("nobody")
    table.set_placeholder(note)
    assert note.isHidden()
    table.rows().set_rows([])
    assert note.isVisible()
    table.rows().set_rows([("x", cells("x"))])
    assert note.isHidden()


def test_reduced_motion_flashes_nothing(table: DataTable, qtbot: QtBot) -> None:
    table.rows().update_rows({"r0": cells("agent 0", 1)})
    assert table._flashes.strength(("r0", "c0")) > 0.9
    table._flashes.clear()
    theme.set_reduced_motion(True)
    table.rows().update_rows({"r0": cells("agent 0", 2)})
    assert table._flashes.strength(("r0", "c0")) == 0


def test_a_deleted_table_leaves_no_timer_and_no_object_while_its_model_lives_on(qtbot: QtBot) -> None:
    model = RowTableModel(COLUMNS)
    view = DataTable(model)
    view.show()
    model.set_rows([("x", cells("x"))])
    model.update_rows({"x": cells("x", 5)})
    timers = view.findChildren(QTimer)
    assert any(timer.isActive() for timer in timers)
    gone = weakref.ref(view)
    view.deleteLater()
    del view
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not any(shiboken6.isValid(timer) for timer in timers)
    gc.collect()
    assert gone() is None
    model.update_rows({"x": cells("x", 6)})
