"""Which columns a table shows, in which order and how wide, and the menu in which the person decides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.domain.language import tr
from ui.widgets.popover import CheckMenu
from ui.widgets.table_header import TableHeader, title_width
from ui.widgets.table_model import RowTableModel

_KEEP_AFTER_MS = 300
_NARROWEST, _WIDEST = 40, 2000


class ColumnLayout(QObject):
    """Moves, hides and resizes the sections of a header. A width is what the person chose; on the screen it may be stretched."""

    applied = Signal()
    kept = Signal()
    """A moment after the person has changed something: `state()` is worth keeping."""

    def __init__(self, model: RowTableModel, header: TableHeader, parent: QObject) -> None:
        super().__init__(parent)
        self._model, self._header = model, header
        # A width that is not declared grows until the title, in the language of the moment, fits on two lines.
        self._declared = {column.key: column.width or max(column.start_width, title_width(str(column.title))) for column in model.columns}
        self._widths: dict[str, int] = {}
        self._room = 0
        self._fitting = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_KEEP_AFTER_MS)
        self._timer.timeout.connect(self.kept)
        header.sectionResized.connect(self._resized)
        header.sectionMoved.connect(self._moved)

    def shown(self) -> list[str]:
        """Column keys from left to right."""
        header, columns = self._header, self._model.columns
        order = (header.logicalIndex(visual) for visual in range(header.count()))
        return [columns[index].key for index in order if not header.isSectionHidden(index)]

    def touch(self) -> None:
        """The person has changed something."""
        self._timer.start()

    def reset(self) -> None:
        """The declared columns, order and widths."""
        self._widths = dict(self._declared)
        self.show([column.key for column in self._model.columns if not column.optional])

    def show(self, keys: list[str]) -> None:
        """Show these columns in this order, after the sticky one."""
        header, columns, place = self._header, self._model.columns, self._model.column_of
        ordered = [column.key for column in columns if column.sticky]
        ordered += [key for key in dict.fromkeys(keys) if not columns[place[key]].sticky]
        blocked = header.blockSignals(True)
        for visual, key in enumerate(ordered):
            header.moveSection(header.visualIndex(place[key]), visual)
        for index, column in enumerate(columns):
            header.setSectionHidden(index, column.key not in ordered)
        header.blockSignals(blocked)
        self.fit()

    def fit_into(self, room: int) -> None:
        """`fit` where this is not the room they have; when scroll bars come, a resize event may tell the old size wrong."""
        if room != self._room:
            self.fit(room)

    def fit(self, room: int | None = None) -> None:
        """Give each column its width, and all of them their share of what `room` pixels leave over."""
        self._room = self._room if room is None else room
        shown = self.shown()
        wanted = sum(self._widths[key] for key in shown)
        scale = max(1.0, self._room / wanted) if wanted else 1.0
        self._fitting = True
        edge, taken = 0.0, 0
        for key in shown:
            edge += self._widths[key] * scale
            self._header.resizeSection(self._model.column_of[key], round(edge) - taken)
            taken = round(edge)
        self._fitting = False
        self._header.fit_titles()
        self.applied.emit()

    def state(self) -> dict[str, Any]:
        """Columns shown in order, widths that differ from the declared ones, and the sorting; made of plain JSON types."""
        widths = {c.key: self._widths[c.key] for c in self._model.columns if self._widths[c.key] != self._declared[c.key]}
        key, descending = self._model.sort_state()
        return {"columns": self.shown(), "widths": widths, "sort": [key, "desc" if descending else "asc"] if key else None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a `state()`, from another version too: unknown columns are passed over, anything malformed is ignored."""
        widths = state.get("widths")
        if isinstance(widths, dict):
            for key, width in widths.items():
                if key in self._widths and isinstance(width, int) and _NARROWEST <= width <= _WIDEST:
                    self._widths[key] = width
        columns = state.get("columns")
        known = [key for key in columns if key in self._model.column_of] if isinstance(columns, list) else []
        self.show(known or self.shown())
        sort = state.get("sort")
        if isinstance(sort, list) and len(sort) == 2 and sort[0] in self._model.column_of:
            self._model.sort_by(sort[0], sort[1] == "desc")
        self._timer.stop()

    def menu(self, parent: QWidget) -> CheckMenu:
        """A tick for every column; the caller shows and deletes it."""
        menu = CheckMenu(parent)
        shown = set(self.shown())
        for column in self._model.columns:
            action = menu.addAction(str(column.title))
            action.setCheckable(True)
            action.setChecked(column.key in shown)
            action.setEnabled(not column.sticky)
            action.setData(column.key)
        menu.addSeparator()
        menu.addAction(tr("恢复默认列", "Reset columns"), self._reset_by_hand)
        menu.triggered.connect(self._ticked)
        return menu

    def _ticked(self, action: QAction) -> None:
        key = action.data()
        if key is None:
            return
        shown = self.shown()
        if not action.isChecked():
            shown.remove(key)
        elif key not in shown:
            declared = [column.key for column in self._model.columns]
            after = set(declared[declared.index(key) :])
            shown.insert(next((at for at, other in enumerate(shown) if other in after), len(shown)), key)
        self.show(shown)
        self.touch()

    def _reset_by_hand(self) -> None:
        self.reset()
        self.touch()

    def _resized(self, column: int, old: int, new: int) -> None:
        if self._fitting or not new:
            return
        # The others keep the width they have on the screen.
        for key in self.shown():
            self._widths[key] = self._header.sectionSize(self._model.column_of[key])
        self._header.fit_titles()
        self.touch()

    def _moved(self, column: int, before: int, after: int) -> None:
        sticky = self._header.sticky
        if sticky >= 0 and self._header.visualIndex(sticky) != 0:
            self._header.moveSection(self._header.visualIndex(sticky), 0)
        else:
            self.applied.emit()
            self.touch()
