"""The controls of the seats page in the top bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.domain.language import T, tr
from ui.pages.seats.lines import Filters
from ui.theme import SPACE_1, SPACE_2
from ui.widgets.buttons import IconButton
from ui.widgets.choice import Choice
from ui.widgets.search import SearchEdit
from ui.widgets.segmented import Segmented


class FilterBar(QWidget):
    """Shows and changes `filters()`; `changed` is only sent for what the person does."""

    changed = Signal()
    columns_wanted = Signal(QPoint)
    """The button of the columns was pressed: where its menu belongs."""
    left = Signal()
    """The keyboard leaves the search line for the table."""

    def __init__(self, filters: Filters, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters = filters
        self._group = Choice(tr("咨询组", "Group"), tr("全部咨询组", "All groups"), self)
        self._team = Choice(tr("行政组", "Team"), tr("全部行政组", "All teams"), self)
        self._everyone = Segmented(
            (("online", T("非离线", "Not offline")), ("everyone", T("全部", "All"))), name=tr("显示", "Show"), parent=self
        )  # fmt: skip
        self.search = SearchEdit(tr("姓名、拼音、编号", "Name, pinyin or code"), self)
        self.search.setMinimumWidth(88)
        self.search.setMaximumWidth(220)
        self._columns = IconButton("columns", tr("选择列", "Choose columns"), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_2)
        row.addStretch(1)
        row.addWidget(self._everyone)
        row.addWidget(self._group)
        row.addWidget(self._team)
        row.addWidget(self.search, 2)
        row.addWidget(self._columns)
        self._show()
        self._everyone.chosen.connect(self._read)
        self._group.activated.connect(self._read)
        self._team.activated.connect(self._read)
        self.search.searched.connect(self._read)
        self.search.left.connect(self.left)
        self._columns.clicked.connect(self._ask_columns)

    def filters(self) -> Filters:
        return self._filters

    def set_filters(self, filters: Filters) -> None:
        """Show other filters, without a signal."""
        self._filters = filters
        self._show()

    def offer(self, groups: Sequence[tuple[str, str]], teams: Sequence[str]) -> None:
        """What there is to choose from: groups as (code, name). A choice that has gone stays until another is made."""
        self._group.offer(groups, self._filters.group)
        self._team.offer([(team, team) for team in teams], self._filters.team)

    def _show(self) -> None:
        self._everyone.set_value("everyone" if self._filters.everyone else "online")
        self._group.choose(self._filters.group)
        self._team.choose(self._filters.team)
        if self.search.text() != self._filters.text:
            self.search.setText(self._filters.text)

    def _read(self) -> None:
        filters = Filters(self._group.key(), self._team.key(), self._everyone.value() == "everyone", self.search.text())
        if filters != self._filters:
            self._filters = filters
            self.changed.emit()

    def _ask_columns(self) -> None:
        self.columns_wanted.emit(self._columns.mapToGlobal(QPoint(0, self._columns.height() + SPACE_1)))
