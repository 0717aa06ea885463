"""A sentence at the foot of the window that goes away by itself."""

from __future__ import annotations

from itertools import count

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.domain.language import tr
from ui.theme import SPACE_1, SPACE_2, SPACE_3, SPACE_6, icon
from ui.theme.roles import Level
from ui.widgets.buttons import Button, IconButton

_STAY_MS = 5000
_AT_ONCE = 3
FOOT = "foot"
"""Object name of a bar at the foot of a page, which is not to be covered."""
_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
_numbers = count()


class Toast(QFrame):
    """Made by `show_toast`. Stays while the pointer is on it; `acted` is the click on its button, such as 撤销."""

    acted = Signal()

    def __init__(self, window: QWidget, text: str, level: Level = "", action: str = "", stay_ms: int = _STAY_MS) -> None:
        super().__init__(window)
        self.setProperty("look", "raised")
        self._window = window
        self.number = next(_numbers)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_3, SPACE_1, SPACE_1, SPACE_1)
        row.setSpacing(SPACE_2)
        if level in ("good", "warn", "alarm", "info"):
            mark = QLabel(self)
            mark.setPixmap(icon(level, level).pixmap(QSize(18, 18), self.devicePixelRatioF()))
            row.addWidget(mark)
        self.label = QLabel(text, self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setMaximumWidth(560)
        self.label.setWordWrap(self.label.sizeHint().width() > 560)
        row.addWidget(self.label)
        if action:
            button = Button(action, "plain", parent=self)
            button.clicked.connect(self._act)
            row.addWidget(button)
        close = IconButton("close", tr("关闭", "Close"), self)
        close.setFixedSize(28, 28)
        close.setIconSize(QSize(14, 14))
        close.clicked.connect(self.deleteLater)
        row.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(stay_ms)
        self._timer.timeout.connect(self.deleteLater)
        self._timer.start()
        for watched in (window, *window.findChildren(QWidget, FOOT)):
            watched.installEventFilter(self)
        self.setAccessibleName(text)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:
            _arrange(self._window)
        return False

    def _act(self) -> None:
        self.acted.emit()
        self.deleteLater()


def show_toast(near: QWidget, text: str, level: Level = "", action: str = "", stay_ms: int = _STAY_MS) -> Toast:
    """Show a sentence in the window that holds `near`. The oldest goes when a fourth comes."""
    window = near.window()
    toast = Toast(window, text, level, action, stay_ms)
    toast.show()
    for old in _toasts(window)[:-_AT_ONCE]:
        old.hide()
        old.deleteLater()
    _arrange(window)
    QAccessible.updateAccessibility(QAccessibleEvent(toast, QAccessible.Event.Alert))
    return toast


def _toasts(window: QWidget) -> list[Toast]:
    """Those shown, oldest first; Qt's own order of children is that of the stacking."""
    found = window.findChildren(Toast, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return sorted((toast for toast in found if not toast.isHidden()), key=lambda toast: toast.number)


def _arrange(window: QWidget) -> None:
    feet = [foot.mapTo(window, QPoint()).y() for foot in window.findChildren(QWidget, FOOT) if foot.isVisible()]
    bottom = min([window.height() - SPACE_6, *(top - SPACE_3 for top in feet)])
    for toast in reversed(_toasts(window)):
        toast.adjustSize()
        bottom -= toast.height()
        toast.move((window.width() - toast.width()) // 2, bottom)
        toast.raise_()
        bottom -= SPACE_2
