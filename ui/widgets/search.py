"""The search line of a page or a table."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QWidget

from app.domain.language import tr
from ui.theme import icon

_PAUSE_MS = 150


class SearchEdit(QLineEdit):
    """`searched(text)` follows the typing after a short pause, and Enter at once. Esc clears, and a second Esc leaves the field."""

    searched = Signal(str)
    left = Signal()
    """Esc in the empty field, or the arrow down: whoever shows the results takes the keyboard."""

    def __init__(self, placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(placeholder or tr("搜索", "Search"))
        self.setAccessibleName(self.placeholderText())
        self.setToolTip(self.placeholderText())
        self.setClearButtonEnabled(True)
        self.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._send)
        self._sent = ""
        self.textChanged.connect(self._changed)
        self.returnPressed.connect(self._send)

    def listen_on(self, host: QWidget) -> None:
        """Ctrl+F anywhere inside `host` brings the keyboard here."""
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), host)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.take)

    def take(self) -> None:
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
                self._send()
            else:
                self.left.emit()
        elif event.key() == Qt.Key.Key_Down:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _changed(self) -> None:
        self._pause.start()

    def _send(self) -> None:
        self._pause.stop()
        if self.text() != self._sent:
            self._sent = self.text()
            self.searched.emit(self._sent)
