"""What a file holds and what importing it would do, with the meaning of every column to correct."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import T, tr
from ui.theme import SPACE_2, SPACE_3, SPACE_4, color, icon
from ui.widgets.buttons import Button
from ui.widgets.inputs import DateEdit

if TYPE_CHECKING:
    from app.services.imports import Check, Preview
    from app.sources.jd_export import Column

SAMPLES = 6
_COLUMN = 152
_PROBLEMS = 200
_STATES: dict[str, T] = {
    "unknown": T("未识别，不导入", "Not known, left out"),
    "left_out": T("不导入", "Left out"),
    "second": T("与另一列重复，不导入", "Another column says it"),
    "derived": T("由其他列算出，不导入", "Follows from others"),
    "used": T("不导入", "Left out"),
}
WINDOWS: dict[str, T] = {"24h": T("24小时", "24 hours"), "7d": T("7天", "7 days"), "15d": T("15天", "15 days")}


class _Meaning(QComboBox):
    """Turned by choosing only: the wheel scrolls the table."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class PreviewPanel(QWidget):
    """Shows a preview; every correction asks for a new one."""

    asked = Signal()
    """The sheet, the day, the window or a meaning was changed: `sheet`, `day`, `order_window` and `mapping` say what is wanted now."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.mapping: dict[str, str] = {}
        self.sheet: str | None = None
        self.day: date | None = None
        self.order_window: str | None = None
        self._seen: Preview | None = None
        self._filling = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_3)
        column.addLayout(self._head())
        self.table = QTableWidget(self)
        self.table.setAccessibleName(tr("文件的前几行和各列的含义", "First rows of the file and what its columns mean"))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.setShowGrid(False)
        self.table.verticalHeader().setDefaultSectionSize(28)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(self.table)
        column.addLayout(self._foot(), 1)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        self.name = QLabel(self)
        self.name.setProperty("look", "emphasis")
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self.sheets = QComboBox(self)
        self.sheets.setAccessibleName(tr("工作表", "Sheet"))
        self.sheets.activated.connect(self._choose_sheet)
        self._day_label = QLabel(tr("日期", "Day"), self)
        self.days = DateEdit(self)
        self.days.setAccessibleName(tr("这些数据是哪一天的", "The day of these figures"))
        self.days.dateChanged.connect(self._choose_day)
        self.take_day = Button(tr("用这一天", "Use this day"), parent=self)
        self.take_day.clicked.connect(self._choose_day)
        self._window_label = QLabel(tr("销售的订单时效", "Order window of the sales"), self)
        self.windows = QComboBox(self)
        self.windows.setAccessibleName(self._window_label.text())
        for key, words in WINDOWS.items():
            self.windows.addItem(str(words), key)
        self.windows.activated.connect(self._choose_window)
        row.addWidget(self.name, 1)
        for widget in (self.sheets, self._day_label, self.days, self.take_day, self._window_label, self.windows):
            row.addWidget(widget)
        return row

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_3)
        card = QFrame(self)
        card.setProperty("look", "card")
        around = QVBoxLayout(card)
        around.setContentsMargins(SPACE_4, SPACE_3, SPACE_2, SPACE_3)
        scroll = QScrollArea(card)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled = QWidget(scroll)
        scrolled.setObjectName("scrolled")
        scroll.setWidget(scrolled)
        around.addWidget(scroll)
        inside = QVBoxLayout(scrolled)
        inside.setContentsMargins(0, 0, SPACE_2, 0)
        inside.setSpacing(SPACE_2)
        inside.addWidget(_title(tr("将导入", "Will be imported"), scrolled))
        self.forecast = _words(scrolled)
        self.mix = QCheckBox(tr("与真实数据合并（两边相加）", "Mix with real data (both are added)"), scrolled)
        self.mix.toggled.connect(self._show_forecast)
        self.checks = _words(scrolled)
        inside.addWidget(self.forecast)
        inside.addWidget(self.mix)
        inside.addWidget(_title(tr("与文件自己的总值核对", "Against the file's own totals"), scrolled))
        inside.addWidget(self.checks)
        inside.addStretch(1)
        told = QFrame(self)
        told.setProperty("look", "card")
        inside = QVBoxLayout(told)
        inside.setContentsMargins(SPACE_4, SPACE_3, SPACE_2, SPACE_2)
        inside.setSpacing(SPACE_2)
        self.verdict = _title("", told)
        self.problems = QListWidget(told)
        self.problems.setAccessibleName(tr("逐行的问题", "Problems by row"))
        self.problems.setWordWrap(True)
        self.problems.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.problems.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside.addWidget(self.verdict)
        inside.addWidget(self.problems, 1)
        row.addWidget(card, 1)
        row.addWidget(told, 1)
        return row

    def begin(self) -> None:
        """Forget what was chosen for another file."""
        self.mapping, self.sheet, self.day, self.order_window = {}, None, None, None
        self.mix.setChecked(False)

    def show_preview(self, seen: Preview) -> None:
        self._seen = seen
        self._filling = True
        try:
            self._show_head(seen)
            self._show_table(seen)
            self._show_foot(seen)
        finally:
            self._filling = False

    def _show_head(self, seen: Preview) -> None:
        export = seen.export
        self.name.setText(seen.path.name)
        self.name.setToolTip(str(seen.path))
        self.sheets.clear()
        self.sheets.addItems(export.sheets)
        self.sheets.setCurrentText(export.sheet)
        self.sheets.setVisible(len(export.sheets) > 1)
        dated = export.dated_by != "column"
        self._day_label.setVisible(dated)
        self.days.setVisible(dated)
        self.take_day.setVisible(dated and export.dated_by == "")
        if dated:
            shown = seen.period[0] if seen.period else self.day
            self.days.setDate(QDate.currentDate().addDays(-1) if shown is None else QDate(shown.year, shown.month, shown.day))
        self._window_label.setVisible(seen.one_window)
        self.windows.setVisible(seen.one_window)
        self.windows.setCurrentIndex(self.windows.findData(seen.window))

    def _show_table(self, seen: Preview) -> None:
        columns, rows = seen.export.columns, seen.export.samples[:SAMPLES]
        wrong = {(problem.row, problem.column): problem for problem in seen.problems if problem.column}
        self.table.clear()
        self.table.setColumnCount(len(columns))
        self.table.setRowCount(1 + len(rows))
        self.table.setVerticalHeaderLabels([tr("含义", "Meaning"), *(str(number) for number, _ in rows)])
        self.table.setRowHeight(0, 40)
        for at, column in enumerate(columns):
            self.table.setHorizontalHeaderItem(at, QTableWidgetItem(column.header))
            self.table.setColumnWidth(at, _COLUMN)
            self.table.setCellWidget(0, at, self._combo(column))
            for line, (number, texts) in enumerate(rows, 1):
                cell = QTableWidgetItem(texts[column.index] if column.index < len(texts) else "")
                problem = wrong.get((number, column.header))
                if problem is not None:
                    cell.setForeground(color("alarm" if problem.fatal else "warn"))
                    cell.setToolTip(str(problem.sentence))
                elif column.state != "used":
                    cell.setForeground(color("quiet"))
                self.table.setItem(line, at, cell)
        bar = self.table.horizontalScrollBar().sizeHint().height()
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + 40 + 28 * len(rows) + bar + 4)

    def _combo(self, column: Column) -> QComboBox:
        from app.sources.jd_export import FIELDS

        combo = _Meaning(self.table)
        combo.setAccessibleName(tr(f"{column.header} 的含义", f"Meaning of {column.header}"))
        combo.addItem(str(_STATES[column.state]), "")
        for field in FIELDS.values():
            combo.addItem(str(field.label), field.key)
        combo.setCurrentIndex(max(0, combo.findData(column.key)) if column.state == "used" else 0)
        combo.activated.connect(lambda _: self._correct(column.normal, combo.currentData()))
        return combo

    def _show_forecast(self) -> None:
        from app.services.import_words import forecast, skipping

        seen = self._seen
        if seen is not None:
            lines = [*forecast(seen), *(skipping(seen.skipped) if not self.mix.isChecked() else [])]
            self.forecast.setText("\n".join(map(str, lines)) or tr("没有可导入的数据。", "Nothing to import."))

    def _show_foot(self, seen: Preview) -> None:
        from app.services.import_words import place

        self._show_forecast()
        self.mix.setVisible(bool(seen.skipped))
        self.checks.setText(_checked(seen.checks))
        blocked = len(seen.blocked)
        if blocked:
            verdict = tr(f"{blocked} 处问题，改好后才能导入", f"Problems in the way: {blocked}")
        else:
            verdict = tr("可以导入", "Ready to be imported") if not seen.problems else tr("可以导入，请留意", "Ready; please note")
        self.verdict.setText(verdict)
        self.problems.clear()
        for problem in seen.problems[:_PROBLEMS]:
            item = QListWidgetItem(icon("error" if problem.fatal else "warn", "alarm" if problem.fatal else "warn"), str(place(problem)))
            item.setToolTip(item.text())  # the list cuts off what is longer than a line
            self.problems.addItem(item)
        if len(seen.problems) > _PROBLEMS:
            self.problems.addItem(tr(f"另有 {len(seen.problems) - _PROBLEMS} 处", f"{len(seen.problems) - _PROBLEMS} more"))

    def _correct(self, header: str, key: str) -> None:
        self.mapping[header] = key
        # One meaning is one column's: the column that had it falls back to what is declared, where that is something else.
        for other in [other for other, held in self.mapping.items() if held == key and key and other != header]:
            del self.mapping[other]
        self.asked.emit()

    def _choose_sheet(self) -> None:
        self.sheet = self.sheets.currentText()
        self.asked.emit()

    def _choose_day(self) -> None:
        if not self._filling:
            chosen = self.days.date()
            self.day = date(chosen.year(), chosen.month(), chosen.day())
            self.asked.emit()

    def _choose_window(self) -> None:
        self.order_window = self.windows.currentData()
        self.asked.emit()


def _checked(checks: Sequence[Check]) -> str:
    """What differs, figure by figure, then what agrees."""
    from app.domain.metrics import METRICS

    if not checks:
        return tr("文件里没有总值行。", "The file has no row of totals.")
    lines = []
    for check in checks:
        if not check.agrees:
            metric = METRICS[check.key]
            theirs, ours = metric.text(_whole(check.theirs)), metric.text(None if check.ours is None else _whole(check.ours))
            words = tr(f"文件 {theirs}，各行合计 {ours}", f"file {theirs}, rows {ours}")
            lines.append(
                f"{'≈' if check.is_estimate else '✗'} {check.day or ''} {metric.label}".replace("  ", " ") + tr("：", ": ") + words
            )
    same = list(dict.fromkeys(str(METRICS[check.key].label) for check in checks if check.agrees))
    if same:
        lines.append(tr("✓ 一致：", "✓ The same: ") + tr("、", ", ").join(same))
    return "\n".join(lines)


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _title(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("look", "emphasis")
    return label


def _words(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
