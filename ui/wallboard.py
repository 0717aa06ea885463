"""The wallboard: full screen, no chrome, pages taking turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.pages.registry import PAGES
from ui.runtime.preferences import SETTINGS, Preferences
from ui.theme import SECTION, SPACE_2, SPACE_4, SPACE_6, VALUE, color, font
from ui.widgets.buttons import Button
from ui.widgets.pill import ConnectionPill
from ui.widgets.segmented import Segmented

HEADER = 72


class WallHeader(QWidget):
    """What is shown, of which store, what time it is and whether it is fresh; nothing to click."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEADER)
        self._title = self._store = ""
        self._pages, self._at = 1, 0
        self._clock: Callable[[], str] = str
        self.pill = ConnectionPill(self)
        self.pill.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.pill.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_6, 0, 140, 0)
        row.addStretch(1)
        row.addWidget(self.pill)
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self.update)

    def set_clock(self, clock: Callable[[], str]) -> None:
        """What time it is where the store is, as shown."""
        self._clock = clock

    def show_page(self, title: str, store: str, at: int, pages: int) -> None:
        self._title, self._store, self._at, self._pages = title, store, at, pages
        self.setAccessibleName(f"{store} {title}")
        self.update()

    def set_running(self, on: bool) -> None:
        if on:
            self._tick.start()
        else:
            self._tick.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(color("text"))
        painter.setFont(font(VALUE, True))
        painter.drawText(QRect(SPACE_6, 0, self.width(), self.height()), middle, self._title)
        x = SPACE_6 + painter.fontMetrics().horizontalAdvance(self._title) + SPACE_4
        painter.drawText(QRect(self.width() - 130, 0, 130 - SPACE_6, self.height()), middle | Qt.AlignmentFlag.AlignRight,
                         self._clock())  # fmt: skip
        painter.setFont(font(SECTION))
        painter.setPen(color("quiet"))
        painter.drawText(QRect(x, 3, self.width() - x, self.height()), middle, self._store)
        x += painter.fontMetrics().horizontalAdvance(self._store) + SPACE_6
        painter.setPen(Qt.PenStyle.NoPen)
        for page in range(self._pages if self._pages > 1 else 0):
            painter.setBrush(color("accent" if page == self._at else "track"))
            painter.drawEllipse(x + page * 14, self.height() // 2 - 2, 8, 8)


class Rotation(QObject):
    """Shows one page after another: `show(key, position, pages)` now and then every so many seconds, while running."""

    def __init__(self, show: Callable[[str, int, int], None], parent: QObject) -> None:
        super().__init__(parent)
        self._show = show
        self._keys: list[str] = []
        self._at = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.next)

    @property
    def running(self) -> bool:
        return bool(self._keys)

    def start(self, keys: Sequence[str], seconds: int) -> None:
        self._keys, self._at = list(keys), 0
        self._timer.setInterval(seconds * 1000)
        if len(self._keys) > 1:
            self._timer.start()
        self._show(self._keys[0], 0, len(self._keys))

    def next(self) -> None:
        self._at = (self._at + 1) % len(self._keys)
        self._show(self._keys[self._at], self._at, len(self._keys))

    def stop(self) -> None:
        self._timer.stop()
        self._keys = []


class WallboardDialog(QDialog):
    """Which pages take turns, and how long each stays. `started` asks to begin."""

    started = Signal()

    def __init__(self, prefs: Preferences, allowed: Callable[[str], bool], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("大屏设置", "Wallboard"))
        self._prefs = prefs
        chosen = prefs.get("wallboard_pages")
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_2)
        column.addWidget(QLabel(tr("轮播的页面", "Pages that take turns"), self))
        self._boxes: dict[str, QCheckBox] = {}
        for spec in PAGES.values():
            if spec.wallboard:
                box = QCheckBox(str(spec.title), self)
                box.setChecked(spec.key in chosen and allowed(spec.key))
                box.setEnabled(allowed(spec.key))
                box.toggled.connect(self._save)
                self._boxes[spec.key] = box
                column.addWidget(box)
        column.addSpacing(SPACE_2)
        column.addWidget(QLabel(tr("每页停留", "Each stays for"), self))
        choices = [(str(seconds), tr(f"{seconds} 秒", f"{seconds} s")) for seconds in SETTINGS["wallboard_seconds"].choices]
        self._seconds = Segmented(choices, str(prefs.get("wallboard_seconds")), tr("每页停留", "Each stays for"), self)
        self._seconds.chosen.connect(self._save)
        column.addWidget(self._seconds)
        hint = QLabel(tr("F11 或 Esc 退出大屏。", "F11 or Esc leaves the wallboard."), self)
        hint.setProperty("look", "caption")
        column.addWidget(hint)
        column.addSpacing(SPACE_4)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        close = Button(tr("关闭", "Close"), parent=self)
        close.clicked.connect(self.close)
        self._start = Button(tr("开始大屏", "Start"), "primary", "wallboard", self)
        self._start.clicked.connect(self._on_start)
        buttons.addWidget(close)
        buttons.addWidget(self._start)
        column.addLayout(buttons)
        self._save()

    def _save(self) -> None:
        keys = [key for key, box in self._boxes.items() if box.isChecked()]
        self._start.setEnabled(bool(keys))
        if keys:
            self._prefs.put("wallboard_pages", keys)
        self._prefs.put("wallboard_seconds", int(self._seconds.value()))

    def _on_start(self) -> None:
        self.close()
        self.started.emit()
