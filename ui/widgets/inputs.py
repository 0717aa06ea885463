"""Spin and date fields that stand in line with the other fields of a form."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QResizeEvent, QTextCharFormat, QWheelEvent
from PySide6.QtWidgets import QCalendarWidget, QCheckBox, QDateEdit, QSizePolicy, QSpinBox, QStyle, QStyleOptionButton, QWidget

from app.domain.language import language
from ui.theme import color

INDENT = 9
"""Of the text in a spin or date field, in pixels."""


class NumberEdit(QSpinBox):
    """A whole number from `low` to `high`. The wheel changes it only while it has the keyboard, so that scrolling a form is safe."""

    def __init__(self, low: int, high: int, suffix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(low, high)
        self.setSuffix(suffix)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Qt gives the editor inside a styled spin box no padding on the side where it has no button.
        self.lineEdit().setTextMargins(INDENT, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NameBox(QCheckBox):
    """A check box beside a name of any length: where it does not fit it is cut in the middle, and whole in its tooltip."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._name = name
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setMinimumWidth(64)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        room = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxContents, option, self).width()
        # An & would be read as the mark of a shortcut.
        self.setText(self.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, room).replace("&", "&&"))


class DateEdit(QDateEdit):
    """A day, written 2024-12-31, with a calendar to choose from."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCalendarPopup(True)
        self.setDisplayFormat("yyyy-MM-dd")
        dress_calendar(self.calendarWidget())


def dress_calendar(calendar: QCalendarWidget) -> None:
    """Weeks from Monday in the language of the interface, no week numbers, quiet weekends instead of red ones."""
    chinese = language() == "zh"
    calendar.setLocale(QLocale(QLocale.Language.Chinese if chinese else QLocale.Language.English))
    calendar.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
    calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
    quiet, plain = QTextCharFormat(), QTextCharFormat()
    quiet.setForeground(color("quiet"))
    quiet.setBackground(color("raised"))
    plain.setForeground(color("quiet"))
    calendar.setHeaderTextFormat(quiet)
    for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
        calendar.setWeekdayTextFormat(day, plain)
