"""A panel over the right edge of its host; what it does not cover stays usable."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPoint, QPropertyAnimation, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.theme import SPACE_2, SPACE_4, TRANSITION_MS, color, reduced_motion
from ui.widgets.buttons import IconButton

WIDTH = 420


class Drawer(QWidget):
    """A stack of titled panels. Esc goes back one panel and closes after the last; a panel that leaves the stack is deleted.

    Opening does not take the keyboard: a table beneath keeps it, so that its arrows walk on while the drawer follows.
    """

    opened = Signal()
    closing = Signal()
    """While the panels are still there."""
    closed = Signal()

    def __init__(self, host: QWidget, width: int = WIDTH) -> None:
        super().__init__(host)
        self._host, self._width = host, width
        self._titles: list[str] = []
        self._closing = False
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_4, SPACE_2, SPACE_2, SPACE_2)
        head.setSpacing(SPACE_2)
        self._back = IconButton("back", tr("返回", "Back"), self)
        self._back.clicked.connect(self.back)
        self._title = QLabel(self)
        self._title.setProperty("look", "section")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = IconButton("close", tr("关闭", "Close"), self)
        close.clicked.connect(self.close_drawer)
        head.addWidget(self._back)
        head.addWidget(self._title, 1)
        head.addWidget(close)
        column.addLayout(head)
        self._stack = QStackedWidget(self)
        column.addWidget(self._stack, 1)
        self._slide = QPropertyAnimation(self, b"pos", self)
        self._slide.setDuration(TRANSITION_MS)
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._slide.finished.connect(self._slid)
        # Of the whole window: also when the keyboard is beside the host, Esc closes what was opened last. Hidden hosts do not hear it.
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), host)
        self._escape.setEnabled(False)
        self._escape.activated.connect(self._escaped)
        self._escape.activatedAmbiguously.connect(self._escaped)
        host.installEventFilter(self)
        self.hide()

    def is_open(self) -> bool:
        return self.isVisibleTo(self._host) and not self._closing

    def current(self) -> QWidget | None:
        """The panel on top of the stack."""
        return self._stack.currentWidget()

    def open(self, title: str, panel: QWidget) -> None:
        """Show one panel in place of all others."""
        self._drop(0)
        self.push(title, panel)

    def push(self, title: str, panel: QWidget) -> None:
        """Lay a panel over the current one, with a way back."""
        self._titles.append(title)
        self._stack.addWidget(panel)
        self._stack.setCurrentWidget(panel)
        self._head()
        if not self.is_open():
            self._show()

    def set_title(self, title: str) -> None:
        if self._titles:
            self._titles[-1] = title
            self._head()

    def back(self) -> None:
        """One panel back; closes when it was the only one."""
        if len(self._titles) > 1:
            self._drop(len(self._titles) - 1)
            self._head()
        else:
            self.close_drawer()

    def close_drawer(self) -> None:
        if not self.is_open():
            return
        self.closing.emit()
        self._closing = True
        self._escape.setEnabled(False)
        if self.isAncestorOf(self.window().focusWidget() or self.window()):
            self._host.setFocus(Qt.FocusReason.OtherFocusReason)
        if reduced_motion():
            self._slid()
        else:
            self._move(self.pos(), QPoint(self._host.width(), 0))
        self.closed.emit()

    def sizeHint(self) -> QSize:
        return QSize(self._width, 400)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host and self.is_open():
            self._slide.stop()
            self.setGeometry(self._place())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("surface"))
        painter.fillRect(QRect(0, 0, 1, self.height()), color("border"))

    def _escaped(self) -> None:
        """What is open above the drawer, such as the list at a field, goes first."""
        if (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        else:
            self.back()

    def _place(self) -> QRect:
        width = min(self._width, self._host.width())
        return QRect(self._host.width() - width, 0, width, self._host.height())

    def _show(self) -> None:
        place = self._place()
        self._closing = False
        self._escape.setEnabled(True)
        self.setGeometry(place)
        self.show()
        self.raise_()
        self.opened.emit()
        if not reduced_motion():
            self._move(QPoint(self._host.width(), 0), place.topLeft())

    def _move(self, start: QPoint, end: QPoint) -> None:
        self._slide.stop()
        self._slide.setStartValue(start)
        self._slide.setEndValue(end)
        self._slide.start()

    def _slid(self) -> None:
        if self._closing:
            self._closing = False
            self.hide()
            self._drop(0)

    def _drop(self, keep: int) -> None:
        while self._stack.count() > keep:
            if panel := self._stack.widget(self._stack.count() - 1):
                self._stack.removeWidget(panel)
                panel.deleteLater()
        del self._titles[keep:]

    def _head(self) -> None:
        self._title.setText(self._titles[-1])
        self._title.setToolTip(self._titles[-1])
        self._back.setVisible(len(self._titles) > 1)
        self.setAccessibleName(self._titles[-1])
