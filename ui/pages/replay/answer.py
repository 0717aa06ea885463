"""What came of a replay: figures of all, a chart, and a bar and a row for each agent or group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import T, tr
from ui.pages.replay import picture
from ui.pages.replay.picture import ALONE, COLUMNS, CURRENT, CURVES, GROUP_COLUMNS, GROUPS_ALONE, TRIED, Curve, View
from ui.theme import CAPTION, SPACE_2, SPACE_3, SPACE_4
from ui.widgets.chart import ChartCard
from ui.widgets.compared import ComparedFigures
from ui.widgets.paint import elided
from ui.widgets.paired_bars import PairedBars
from ui.widgets.segmented import Segmented
from ui.widgets.table import Column, DataTable, RowTableModel

if TYPE_CHECKING:
    from app.services.replay import Replay

_LOWEST, _HIGHEST = 184, 300
"""Of the charts: a third of the height between these, for the table to have rows in a small window."""
_VIEWS: tuple[tuple[View, T], ...] = (("agents", T("客服", "Agents")), ("groups", T("咨询组", "Groups")))


class Answer(QWidget):
    """`changed()`: the person looks at something else of it."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._found: Replay | None = None
        self._agent = ""
        self.since = QLabel(self)
        self.difference = _OneLine(self)
        self.figures = ComparedFigures(self)
        self.likeness = QLabel(self)
        self.view = Segmented(_VIEWS, name=tr("按谁列出", "List by"), parent=self)
        self.bars = PairedBars(T("会话", "Sessions"), TRIED, CURRENT, self)
        self.chart = ChartCard(tuple(CURVES.items()), parent=self)
        self.table = _table(COLUMNS, tr("每位客服", "Per agent"))
        self.groups = _table(GROUP_COLUMNS, tr("每个咨询组", "Per group"))
        self._charts = QWidget(self)
        self._tables = QStackedWidget(self)
        self._lay_out()
        self.chart.tab_chosen.connect(lambda _: self._look_elsewhere())
        self.view.chosen.connect(lambda _: self._look_elsewhere())
        self.table.current_changed.connect(self._choose_agent)
        self.groups.current_changed.connect(lambda row_id: self.bars.set_current("" if row_id is None else str(row_id)))
        self.table.set_tooltip(lambda row_id, key: "" if self._found is None else picture.tooltip(self._found, str(row_id), key))
        self.bars.clicked.connect(self._choose_bar)

    def _lay_out(self) -> None:
        self.since.setProperty("look", "warn")
        self.since.setWordWrap(True)
        self.since.hide()
        self.likeness.setProperty("look", "caption")
        self.likeness.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_3)
        head = _card(self)
        inside = QVBoxLayout(head)
        inside.setContentsMargins(SPACE_4, SPACE_3, SPACE_4, SPACE_3)
        inside.setSpacing(SPACE_2)
        for told in (self.since, self.difference, self.figures, self.likeness):
            inside.addWidget(told)
        column.addWidget(head)
        charts = QHBoxLayout(self._charts)
        charts.setContentsMargins(0, 0, 0, 0)
        charts.setSpacing(SPACE_3)
        ranking = _card(self)
        inside = QVBoxLayout(ranking)
        inside.setContentsMargins(SPACE_2, SPACE_2, SPACE_2, SPACE_2)
        title = QLabel(tr("会话", "Sessions"), ranking)
        title.setProperty("look", "emphasis")
        title.setContentsMargins(SPACE_2, 0, 0, 0)
        top = QHBoxLayout()
        top.addWidget(title)
        top.addStretch(1)
        top.addWidget(self.view)
        inside.addLayout(top)
        inside.addWidget(self.bars, 1)
        charts.addWidget(ranking, 2)
        charts.addWidget(self.chart, 3)
        column.addWidget(self._charts)
        card = _card(self)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 4, 1, 4)
        inside.addWidget(self._tables)
        self._tables.addWidget(self.table)
        self._tables.addWidget(self.groups)
        column.addWidget(card, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._charts.setFixedHeight(max(_LOWEST, min(_HIGHEST, self.height() // 3)))

    def show_replay(self, found: Replay) -> None:
        self._found, self._agent = found, ""
        self.difference.set_words(*picture.difference(found))
        self.figures.set_figures(picture.key_figures(found))
        words = [found.likeness_words(), *found.notes]
        self.likeness.setText(tr("", " ").join(str(sentence) for sentence in words if sentence is not None))
        for table, columns, alone, rows in (
            (self.table, COLUMNS, ALONE, picture.rows(found)), (self.groups, GROUP_COLUMNS, GROUPS_ALONE, picture.group_rows(found)),
        ):  # fmt: skip
            table.rows().set_rows(rows, flash=False)
            shown = alone if found.unchanged else [column.key for column in columns if not column.optional]
            table.restore_columns({**table.columns_state(), "columns": list(shown)})
            table.select(None)
        self._draw()

    def set_since(self, words: str) -> None:
        """What has happened since to what was tried; "" for nothing."""
        self.since.setText(words)
        self.since.setVisible(bool(words))

    def set_view(self, view: str) -> None:
        """Choose without a signal; an unknown one changes nothing."""
        if any(view == key for key, _ in _VIEWS):
            self.view.set_value(view)
            self._draw()

    def _look_elsewhere(self) -> None:
        self._draw()
        self.changed.emit()

    def _choose_agent(self, row_id: object) -> None:
        self._agent = "" if row_id is None else str(row_id)
        self._draw_chart()
        self.bars.set_current(self._agent)

    def _choose_bar(self, key: str) -> None:
        (self.groups if self.view.value() == "groups" else self.table).select(key)

    def _draw(self) -> None:
        view = cast("View", self.view.value())
        table = self.groups if view == "groups" else self.table
        self._tables.setCurrentWidget(table)
        if self._found is not None:
            self.bars.set_pairs(picture.pairs(self._found, view))
            current = table.current_id()
            self.bars.set_current("" if current is None else str(current))
            self._draw_chart()

    def _draw_chart(self) -> None:
        if self._found is None:
            return
        curve = cast("Curve", self.chart.tab())
        agent = self._agent if curve == "sessions" and self.view.value() == "agents" else ""
        self.chart.set_title(self._found.names.get(agent, agent) if agent else "")
        data = picture.curves(self._found, curve, agent)
        if not any(any(series.values) for series in data.series):
            data = replace(data, series=())
        self.chart.set_series(data)


class _OneLine(QLabel):
    """Cut at its end where there is no room; gone where it has no words. The tooltip has all of them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("look", "caption")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def words(self) -> str:
        return self._words

    def set_words(self, words: str, whole: str) -> None:
        self._words = words
        self.setToolTip(whole)
        self.setAccessibleName(words)
        self.setVisible(bool(words))
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        self.setText(elided(self._words, self.width(), CAPTION))


def _table(columns: Sequence[Column], name: str) -> DataTable:
    model = RowTableModel(columns)
    table = DataTable(model)
    model.setParent(table)
    table.setAccessibleName(name)
    return table


def _card(parent: QWidget) -> QFrame:
    card = QFrame(parent)
    card.setProperty("look", "card")
    return card
