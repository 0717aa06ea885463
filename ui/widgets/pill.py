"""The connection pill: how fresh what is on the screen is."""

from __future__ import annotations

from typing import Literal, get_args

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.domain.language import T
from ui.theme import CAPTION, color, font, level_color

Connection = Literal["connecting", "live", "delayed", "reconnecting", "offline", "paused"]
_LOOK: dict[Connection, tuple[T, str]] = {
    "connecting": (T("正在连接", "Connecting"), "quiet"),
    "live": (T("实时", "Live"), "good"),
    "delayed": (T("有延迟", "Delayed"), "warn"),
    "reconnecting": (T("正在重连", "Reconnecting"), "warn"),
    "offline": (T("已断开", "Disconnected"), "alarm"),
    "paused": (T("已暂停", "Paused"), "quiet"),
}


class ConnectionPill(QAbstractButton):
    """Dot, word, place and age. The dot is full while data is fresh, half when late, hollow when there is none. A click asks for more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._state: Connection = "offline"
        self._place = self._age = ""
        self.set_state("offline")

    def state(self) -> Connection:
        return self._state

    def set_state(self, state: Connection, age: str = "", place: str = "") -> None:
        """`age` and `place` are texts as shown ("3 秒前", "db.example"). Raises ValueError for an unknown state."""
        if state not in get_args(Connection):
            raise ValueError(f"no such connection state: {state!r}")
        if (state, age, place) == (self._state, self._age, self._place) and self.accessibleName():
            return
        self._state, self._age, self._place = state, age, place
        self.setAccessibleName(self._words())
        self.setToolTip(self._words())
        self.updateGeometry()
        self.update()

    def _words(self) -> str:
        return " · ".join(part for part in (self._place, str(_LOOK[self._state][0]), self._age) if part)

    def sizeHint(self) -> QSize:
        return QSize(round(QFontMetricsF(font(CAPTION)).horizontalAdvance(self._words())) + 34, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(color("accent" if self.hasFocus() else "border"))
        painter.setBrush(color("hover" if self.underMouse() else "surface"))
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        ink = level_color(_LOOK[self._state][1])
        dot = QRectF(11, self.height() / 2 - 4, 8, 8)
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._state == "live":
            painter.setBrush(ink)
        painter.drawEllipse(dot)
        if self._state in ("connecting", "delayed", "reconnecting"):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink)
            painter.drawPie(dot, 90 * 16, 180 * 16)
        painter.setFont(font(CAPTION))
        x = 26.0
        metrics = QFontMetricsF(font(CAPTION))
        word = str(_LOOK[self._state][0])
        before = f"{self._place} · " if self._place else ""
        after = f" · {self._age}" if self._age else ""
        for text, pen in ((before, color("quiet")), (word, ink if self._state != "live" else color("text")), (after, color("quiet"))):
            painter.setPen(pen)
            painter.drawText(QRectF(x, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += metrics.horizontalAdvance(text)
