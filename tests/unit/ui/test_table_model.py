from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt

from ui.widgets.table_model import EMPTY, Cell, Column, Row, RowTableModel

COLUMNS = (Column("name", "Name", "text", sticky=True), Column("a", "A"), Column("b", "B"), Column("wait", "Wait", "duration"))


def row(row_id: str, a: float | None = 0, b: float | None = 0, wait: int = 0) -> Row:
    def figure(value: float | None) -> Cell:
        return Cell("--" if value is None else str(value), value)

    return row_id, {"name": Cell(row_id, row_id), "a": figure(a), "b": figure(b), "wait": figure(wait)}


@pytest.fixture
def model(qapp: object) -> RowTableModel:
    return RowTableModel(COLUMNS)


def changes(model: RowTableModel) -> list[tuple[int, int, int, int]]:
    """What dataChanged announces, as (first row, first column, last row, last column)."""
    heard: list[tuple[int, int, int, int]] = []
    model.dataChanged.connect(lambda a, b, _roles=None: heard.append((a.row(), a.column(), b.row(), b.column())))
    return heard


def test_only_the_changed_cell_is_announced(model: RowTableModel) -> None:
    model.set_rows([row("x"), row("y"), row("z")])
    heard = changes(model)
    model.set_rows([row("x"), row("y", b=5), row("z")])
    assert heard == [(1, 2, 1, 2)]
    assert model.cell("y", "b").value == 5


def test_nothing_is_announced_when_nothing_changed(model: RowTableModel) -> None:
    model.set_rows([row("x"), row("y")])
    heard = changes(model)
    flashed: list[object] = []
    model.cells_flashed.connect(flashed.append)
    model.set_rows([row("x"), row("y")])
    model.update_rows(dict([row("x")]))
    assert heard == []
    assert flashed == []


def test_neighbouring_changes_are_one_rectangle(model: RowTableModel) -> None:
    model.set_rows([row("v"), row("w"), row("x"), row("y"), row("z")])
    heard = changes(model)
    model.set_rows([row("v"), row("w", 1, 1), row("x", 1, 1), row("y", b=1), row("z", 1, 0, 1)])
    assert sorted(heard) == [(1, 1, 2, 2), (3, 2, 3, 2), (4, 1, 4, 1), (4, 3, 4, 3)]


def test_equal_changes_of_rows_apart_do_not_touch_the_rows_between(model: RowTableModel) -> None:
    model.set_rows([row("x"), row("y"), row("z")])
    heard = changes(model)
    model.set_rows([row("x", 1), row("y"), row("z", 1)])
    assert sorted(heard) == [(0, 1, 0, 1), (2, 1, 2, 1)]


@pytest.mark.parametrize("cell", [Cell("0", 0.4), Cell("0", 0, "warn"), Cell("0", 0, "", "min")])
def test_a_cell_changes_with_its_value_level_or_detail_too(model: RowTableModel, cell: Cell) -> None:
    model.set_rows([("x", {"a": Cell("0", 0)})])
    heard = changes(model)
    flashed: list[object] = []
    model.cells_flashed.connect(flashed.append)
    model.set_rows([("x", {"a": cell})])
    assert heard == [(0, 1, 0, 1)]
    assert flashed == []


def test_a_partial_update_leaves_the_other_rows_alone(model: RowTableModel) -> None:
    model.set_rows([row("x", 1), row("y", 2)])
    heard = changes(model)
    model.update_rows(dict([row("y", 9), row("unknown", 1)]))
    assert heard == [(1, 1, 1, 1)]
    assert model.ids() == ["x", "y"]


def test_changed_figures_flash_but_running_clocks_do_not(model: RowTableModel) -> None:
    model.set_rows([row("x")])
    flashed: list[object] = []
    model.cells_flashed.connect(flashed.append)
    model.set_rows([row("x", a=1, wait=7)])
    model.set_rows([row("x", a=2, wait=8)], flash=False)
    assert flashed == [[("x", "a")]]


@pytest.mark.parametrize("descending", [False, True])
def test_no_value_sorts_last_in_both_directions(model: RowTableModel, descending: bool) -> None:
    model.set_rows([row("none", None), row("one", 1), row("also none", None), row("two", 2)])
    model.sort_by("a", descending)
    known = ["two", "one"] if descending else ["one", "two"]
    assert model.ids() == [*known, "none", "also none"]


def test_equal_values_keep_their_natural_order(model: RowTableModel) -> None:
    model.set_rows([row("x", 1), row("y", 2), row("z", 1)])
    model.sort_by("a", descending=True)
    assert model.ids() == ["y", "x", "z"]


def test_a_live_change_reorders_only_while_nobody_holds_the_order(model: RowTableModel) -> None:
    model.set_rows([row("x", 1), row("y", 2)])
    model.sort_by("a")
    waits: list[bool] = []
    model.order_waits.connect(waits.append)
    model.hold("pointer")
    model.hold("keyboard")
    model.set_rows([row("x", 5), row("y", 2)])
    assert model.ids() == ["x", "y"]
    assert model.cell("x", "a").value == 5
    model.release("pointer")
    assert model.ids() == ["x", "y"]
    model.release("keyboard")
    assert model.ids() == ["y", "x"]
    assert waits == [True, False]


def test_rows_that_come_and_go_do_not_move_the_others_while_held(model: RowTableModel) -> None:
    model.set_rows([row("b", 2), row("c", 3)])
    model.sort_by("a")
    model.hold("pointer")
    model.set_rows([row("a", 1), row("c", 3)])
    assert model.ids() == ["b", "c", "a"]
    assert [model.is_gone(place) for place in range(3)] == [True, False, False]
    model.set_rows([row("a", 1), row("b", 2), row("c", 3)])
    assert [model.is_gone(place) for place in range(3)] == [False, False, False]
    model.set_rows([row("a", 1), row("c", 3)])
    model.release("pointer")
    assert model.ids() == ["a", "c"]


def test_another_question_is_answered_at_once_even_while_held(model: RowTableModel) -> None:
    model.set_rows([row("x", 1), row("y", 2), row("z", 3)])
    model.sort_by("a", descending=True)
    model.hold("pointer")
    model.set_rows([row("x", 9), row("y", 2)], flash=False)
    assert model.ids() == ["x", "y"]


def test_the_person_may_sort_while_the_order_is_held(model: RowTableModel) -> None:
    model.set_rows([row("x", 1), row("y", 2)])
    model.hold("pointer")
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert model.ids() == ["y", "x"]
    model.sort(-1)
    assert model.ids() == ["x", "y"]


def test_a_selected_row_stays_selected_when_it_moves(model: RowTableModel) -> None:
    model.set_rows([row("x", 1), row("y", 2), row("z", 3)])
    index = QPersistentModelIndex(model.index(0, 1))
    model.sort_by("a", descending=True)
    assert (index.row(), index.column()) == (2, 1)
    model.set_rows([row("x", 1), row("z", 3)])
    assert model.row_id(index.row()) == "x"


def test_a_screen_reader_hears_title_value_and_level(model: RowTableModel) -> None:
    model.set_rows([("x", {"a": Cell("61.0%", 0.61, "warn")})])
    assert model.index(0, 1).data(Qt.ItemDataRole.AccessibleTextRole) == "A 61.0% 需注意"
    model.set_pinned([("all", {"a": Cell("70.0%", 0.7)})])
    assert model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole) == "A, 70.0%"


class Mirror:
    """Knows only what the signals say, as a view does."""

    def __init__(self, model: RowTableModel) -> None:
        self.model, self.rows = model, self._read(0, -1)
        model.dataChanged.connect(self._changed)
        model.rowsInserted.connect(self._inserted)
        model.rowsRemoved.connect(self._removed)
        model.layoutChanged.connect(self._laid_out)

    def read_all(self) -> list[tuple[Any, ...]]:
        return self._read(0, self.model.rowCount() - 1)

    def _read(self, first: int, last: int) -> list[tuple[Any, ...]]:
        return [(self.model.row_id(r), *(self.model.cells(r).get(c.key, EMPTY) for c in COLUMNS)) for r in range(first, last + 1)]

    def _changed(self, top: QModelIndex, bottom: QModelIndex, _roles: object = None) -> None:
        for place in range(top.row(), bottom.row() + 1):
            fresh, known = self._read(place, place)[0], list(self.rows[place])
            known[top.column() + 1 : bottom.column() + 2] = fresh[top.column() + 1 : bottom.column() + 2]
            self.rows[place] = tuple(known)

    def _inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        self.rows[first:first] = self._read(first, last)

    def _removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        del self.rows[first : last + 1]

    def _laid_out(self) -> None:
        known = {line[0]: line for line in self.rows}
        self.rows = [known[row_id] for row_id in self.model.ids()]


VALUES = st.one_of(st.none(), st.integers(0, 4))
ROWS = st.dictionaries(st.sampled_from("abcdefghij"), st.tuples(VALUES, VALUES), max_size=10)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), ROWS),
        st.tuples(st.just("update"), ROWS),
        st.tuples(st.just("sort"), st.tuples(st.sampled_from(["", "a", "b"]), st.booleans())),
        st.tuples(st.just("hold"), st.sampled_from(["pointer", "keyboard"])),
        st.tuples(st.just("release"), st.sampled_from(["pointer", "keyboard"])),
    ),
    max_size=12,
)


@given(STEPS)
def test_a_view_that_only_listens_always_shows_the_truth(steps: list[tuple[str, Any]]) -> None:
    model = RowTableModel(COLUMNS)
    mirror = Mirror(model)
    truth: dict[str, Any] = {}
    for what, argument in steps:
        if what == "set":
            truth = dict(row(key, *values) for key, values in argument.items())
            model.set_rows(list(truth.items()))
        elif what == "update":
            fresh = dict(row(key, *values) for key, values in argument.items())
            truth.update({key: cells for key, cells in fresh.items() if key in truth})
            model.update_rows(fresh)
        elif what == "sort":
            model.sort_by(*argument)
        elif what == "hold":
            model.hold(argument)
        else:
            model.release(argument)
        assert mirror.rows == mirror.read_all()
        assert {key: model.cells(model.row_of(key)) for key in truth} == truth
    model.release("pointer")
    model.release("keyboard")
    key, descending = model.sort_state()
    wanted = list(truth)
    if key:
        sign = -1 if descending else 1
        wanted.sort(key=lambda row_id: (truth[row_id][key].value is None, sign * (truth[row_id][key].value or 0)))
    assert model.ids() == wanted
    assert mirror.rows == mirror.read_all()
