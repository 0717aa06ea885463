"""One report's table: its columns from the declaration, its rows from a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction

from app.domain.language import T
from app.domain.metrics import Metric
from app.services.report_kinds import REPORTS
from ui.pages.history.picture import Picture, Sort, columns_of
from ui.widgets.popover import CheckMenu
from ui.widgets.report_table import ReportModel
from ui.widgets.skeleton import Skeleton
from ui.widgets.table import Column, DataTable, RowId


class ReportTable(DataTable):
    """The table of one declared report. `state` is what `columns_state` gave before, {} for the declared columns."""

    def __init__(self, report: str, title: T, metrics: Mapping[str, Metric], state: Mapping[str, Any]) -> None:
        self.model_ = ReportModel(columns_of(report, metrics))
        super().__init__(self.model_)
        self.model_.setParent(self)
        self.setAccessibleName(str(title))
        self.picture: Picture | None = None
        self._groups = REPORTS[report].groups
        self.set_tooltip(self.explain)
        self.set_placeholder(Skeleton("rows"))
        self.restore_columns(state)

    def sorting(self) -> Sort:
        return Sort(*self.model_.sort_state())

    def metric_keys(self) -> tuple[str, ...]:
        """The metrics shown, from left to right."""
        links = {column.key for column in self.model_.columns if column.link}
        return tuple(key for key in self.shown_columns() if key in links)

    def column(self, key: str) -> Column:
        return self.model_.columns[self.model_.column_of[key]]

    def show_picture(self, picture: Picture, flash: bool) -> None:
        """flash: the same question as before, so what changed is shown and the current row stays current."""
        at = self.current_id() if flash else None
        self.picture = picture
        self.model_.set_source(picture, flash)
        self.model_.set_pinned(() if picture.is_empty else picture.pinned, flash)
        if at is not None and self.current_id() is None:
            self.select(at)

    def clear(self) -> None:
        """No rows: what is shown instead is the placeholder."""
        self.picture = None
        self.model_.set_source(_NOTHING, flash=False)
        self.model_.set_pinned(())

    def wait(self) -> None:
        self.clear()
        self.set_placeholder(Skeleton("rows"))

    def columns_menu(self) -> CheckMenu:
        """With an entry for each declared group of columns above the columns themselves."""
        menu = super().columns_menu()
        columns = {action.data(): action for action in menu.actions()}
        first = menu.actions()[0]
        for group in self._groups:
            shown = set(self.metric_keys())
            whole = QAction(str(group.title), menu)
            whole.setCheckable(True)
            whole.setChecked(shown.issuperset(group.keys))
            whole.triggered.connect(lambda on, keys=group.keys: _tick([columns[key] for key in keys if key in columns], on))
            menu.insertAction(first, whole)
        if self._groups:
            menu.insertSeparator(first)
        return menu

    def show_columns(self, at: QPoint) -> None:
        menu = self.columns_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(QPoint(at.x() - menu.sizeHint().width(), at.y()))

    def explain(self, row_id: RowId, key: str) -> str:
        """What the pointer over a cell shows."""
        return "" if self.picture is None else self.picture.tooltip(row_id, key)


def _tick(actions: Sequence[QAction], on: bool) -> None:
    for action in actions:
        if action.isChecked() != on:
            action.trigger()


class _Nothing:
    def __init__(self) -> None:
        self.ids: list[RowId] = []
        self.members: Mapping[RowId, int] = {}

    def cells(self, row_id: RowId) -> dict[str, Any]:
        return {}


_NOTHING = _Nothing()
