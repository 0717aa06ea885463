"""The tables of a page's reports, one of them shown; each is made when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.domain.metrics import METRICS, Metric
from app.services.report_kinds import Kind
from ui.pages.history.table import ReportTable


class ReportTables(QStackedWidget):
    """The signals are those of the tables; `order_wanted`: rows are wanted in another order."""

    order_wanted = Signal()
    columns_changed = Signal()
    cell_opened = Signal(object, str)
    opened = Signal(object)
    current_changed = Signal(object)

    def __init__(self, kinds: Mapping[str, Kind], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kinds = kinds
        self._metrics: Mapping[str, Metric] = METRICS
        self._tables: dict[str, ReportTable] = {}
        self._states: dict[str, Any] = {}

    def table(self, report: str) -> ReportTable:
        table = self._tables.get(report)
        if table is None:
            table = self._tables[report] = ReportTable(report, self._kinds[report].title, self._metrics, self._states.get(report, {}))
            table.model_.order_wanted.connect(self.order_wanted)
            table.columns_changed.connect(self.columns_changed)
            table.cell_opened.connect(self.cell_opened)
            table.opened.connect(self.opened)
            table.current_changed.connect(self.current_changed)
            self.addWidget(table)
        return table

    def has_picture(self, report: str) -> bool:
        table = self._tables.get(report)
        return table is not None and table.picture is not None

    def set_stale(self, stale: bool) -> None:
        for table in self._tables.values():
            table.set_stale(stale)

    def set_metrics(self, metrics: Mapping[str, Metric]) -> bool:
        """Whether all tables are new, for the columns speak of the store's standards."""
        if metrics == self._metrics:
            return False
        self._states = self.state()
        self._metrics = metrics
        for table in self._tables.values():
            self.removeWidget(table)
            table.deleteLater()
        self._tables.clear()
        return True

    def state(self) -> dict[str, Any]:
        return {**self._states, **{report: table.columns_state() for report, table in self._tables.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """For tables that are not made yet."""
        self._states = {report: found for report, found in state.items() if report in self._kinds and isinstance(found, dict)}
