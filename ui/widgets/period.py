"""The days a page looks back on: quick ranges, days of one's own from a calendar, and whether today belongs to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from PySide6.QtCore import QDate, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QButtonGroup,
    QCalendarWidget,
    QCheckBox,
    QDateEdit,
    QFrame,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import tr
from app.domain.period import PRESETS as PRESETS
from app.domain.period import Period as Period
from app.domain.period import Preset as Preset
from app.domain.period import days_text as days_text
from ui.theme import SPACE_1, SPACE_2, SPACE_3, SPACE_4, color
from ui.widgets.buttons import Button
from ui.widgets.inputs import INDENT, dress_calendar


def _qdate(day: date) -> QDate:
    return QDate(day.year, day.month, day.day)


class PeriodButton(Button):
    """Shows the chosen period and opens the picker. `chosen(Period)` is sent for what the person does."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", icon_name="calendar", parent=parent)
        self._period, self._now = Period(), date(2000, 1, 1)
        self._panel: PeriodPanel | None = None
        self.setToolTip(tr("选择日期范围", "Choose the days"))
        self.clicked.connect(self.open)
        self._say()

    def period(self) -> Period:
        return self._period

    def set_period(self, period: Period, now: date) -> None:
        """Show this, without a signal; `now` is the store's today."""
        if (period, now) != (self._period, self._now):
            self._period, self._now = period, now
            self._say()

    def open(self) -> None:
        if self._panel is None:
            self._panel = PeriodPanel(self)
            self._panel.chosen.connect(self._choose)
        self._panel.show_period(self._period, self._now)
        self._panel.popup(self.mapToGlobal(QPoint(0, self.height() + SPACE_1)))

    def panel(self) -> PeriodPanel | None:
        """None until it was opened."""
        return self._panel

    def _choose(self, period: Period) -> None:
        if period != self._period:
            self._period = period
            self._say()
            self.chosen.emit(period)

    def _say(self) -> None:
        days, name = self._period.days(self._now), str(PRESETS[self._period.preset])
        words = "" if days is None else days_text(*days, self._now)
        if self._period.today and self._period.may_have_today:
            words += tr("（含今天）", " (with today)")
        self.setText(" " + (words if self._period.preset == "custom" and words else f"{name}  {words}".rstrip()))
        self.setAccessibleName(tr("日期范围", "Days") + f" {name} {words}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open()
        else:
            super().keyPressEvent(event)


class PeriodPanel(QFrame):
    """Quick ranges at the left, a calendar at the right, today's switch at the foot. Closes when a choice is complete."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("look", "raised")
        self.setAccessibleName(tr("日期范围", "Days"))
        self._period, self._now = Period(), date(2000, 1, 1)
        self._group = QButtonGroup(self)
        self.presets: dict[Preset, QToolButton] = {}
        left = QVBoxLayout()
        left.setSpacing(2)
        for preset, label in PRESETS.items():
            button = QToolButton(self)
            button.setText(str(label))
            button.setCheckable(True)
            button.setMinimumWidth(112)
            button.setMinimumHeight(28)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.clicked.connect(lambda _=False, key=preset: self._take_preset(key))
            self._group.addButton(button)
            self.presets[preset] = button
            left.addWidget(button)
        left.addStretch(1)
        self.first, self.last = QDateEdit(self), QDateEdit(self)
        for edit, name in ((self.first, tr("开始日期", "First day")), (self.last, tr("结束日期", "Last day"))):
            edit.setDisplayFormat("yyyy-MM-dd")
            edit.setAccessibleName(name)
            edit.lineEdit().setTextMargins(INDENT, 0, 0, 0)
            edit.dateChanged.connect(self._typed)
        self.calendar = _RangeCalendar(self)
        self.calendar.picked.connect(self._picked)
        self.apply = Button(tr("查看这些天", "Show these days"), "primary", parent=self)
        self.apply.clicked.connect(self._take_custom)
        self.today = QCheckBox(tr("包含今天（还没有结束）", "Include today, which is not over"), self)
        self.today.toggled.connect(self._toggle_today)
        dates = QHBoxLayout()
        dates.setSpacing(SPACE_2)
        dates.addWidget(self.first, 1)
        dates.addWidget(QLabel("–", self))
        dates.addWidget(self.last, 1)
        right = QVBoxLayout()
        right.setSpacing(SPACE_2)
        right.addLayout(dates)
        right.addWidget(self.calendar)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.apply)
        right.addLayout(foot)
        row = QHBoxLayout()
        row.setSpacing(SPACE_4)
        row.addLayout(left)
        row.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_3, SPACE_3, SPACE_3, SPACE_3)
        column.setSpacing(SPACE_2)
        column.addLayout(row)
        column.addWidget(self.today)

    def show_period(self, period: Period, now: date) -> None:
        self._period, self._now = period, now
        self.presets[period.preset].setChecked(True)
        blocked = self.today.blockSignals(True)
        self.today.setChecked(period.today)
        self.today.blockSignals(blocked)
        self.today.setEnabled(period.may_have_today)
        days = period.days(now) or (now, now)
        self.calendar.setMaximumDate(_qdate(now))
        for edit in (self.first, self.last):
            edit.setMaximumDate(_qdate(now))
        self._show_days(*days)

    def popup(self, at: QPoint) -> None:
        self.adjustSize()
        room = self.screen().availableGeometry()
        self.move(max(room.left(), min(at.x(), room.right() - self.width())), max(room.top(), min(at.y(), room.bottom() - self.height())))
        self.show()
        self.presets[self._period.preset].setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        focused, buttons = self.focusWidget(), list(self.presets.values())
        if step is not None and isinstance(focused, QToolButton) and focused in buttons:
            buttons[(buttons.index(focused) + step) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if isinstance(focused, QToolButton):
                focused.click()
            else:
                self._take_custom()
        else:
            super().keyPressEvent(event)

    def _show_days(self, first: date, last: date) -> None:
        for edit, day in ((self.first, first), (self.last, last)):
            blocked = edit.blockSignals(True)
            edit.setDate(_qdate(day))
            edit.blockSignals(blocked)
        self.calendar.show_range(first, last)

    def _days(self) -> tuple[date, date]:
        ends = [date(edit.date().year(), edit.date().month(), edit.date().day()) for edit in (self.first, self.last)]
        return min(ends), max(ends)

    def _take_preset(self, preset: Preset) -> None:
        if preset == "custom":
            self.first.setFocus(Qt.FocusReason.TabFocusReason)
            self.first.setSelectedSection(QDateEdit.Section.YearSection)  # with everything selected, digits would be refused
            return
        self.hide()
        self.chosen.emit(replace(self._period, preset=preset, first=None, last=None))

    def _toggle_today(self, on: bool) -> None:
        self.hide()
        self.chosen.emit(replace(self._period, today=on))

    def _typed(self) -> None:
        self.presets["custom"].setChecked(True)
        self.calendar.show_range(*self._days())

    def _picked(self, first: date, last: date, complete: bool) -> None:
        self.presets["custom"].setChecked(True)
        self._show_days(first, last)
        if complete:
            self._take_custom()

    def _take_custom(self) -> None:
        self.hide()
        self.chosen.emit(Period("custom", *self._days()))


class _RangeCalendar(QCalendarWidget):
    """Two clicks make a range: `picked(first, last, complete)`."""

    picked = Signal(object, object, bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        dress_calendar(self)
        self._from: date | None = None
        self._range = (date.min, date.min)
        self.clicked.connect(self._click)
        self.activated.connect(self._entered)

    def show_range(self, first: date, last: date) -> None:
        self._range = (first, last)
        if self._from is None:
            self.setSelectedDate(_qdate(last))
        self.updateCells()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._from = None

    def _entered(self, day: QDate) -> None:
        """Enter; Qt says the same of a double click, which has been two clicks already."""
        if QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self._click(day)

    def _click(self, day: QDate) -> None:
        picked = date(day.year(), day.month(), day.day())
        if self._from is None:
            self._from = picked
            self.picked.emit(picked, picked, False)
        else:
            first, self._from = self._from, None
            self.picked.emit(min(first, picked), max(first, picked), True)

    def paintCell(self, painter: QPainter, rect: QRect, day: QDate | date) -> None:
        found = day if isinstance(day, date) else date(day.year(), day.month(), day.day())
        first, last = self._range
        if not first <= found <= last:
            super().paintCell(painter, rect, _qdate(found))
            return
        ends = found in (first, last)
        painter.save()
        painter.fillRect(rect.adjusted(0, 1, 0, -1), color("accent") if ends else color("selection"))
        painter.setPen(color("on_accent") if ends else color("text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, str(found.day))
        painter.restore()
