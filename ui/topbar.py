"""The top bar: where one is, the page's own controls, how fresh the data is, what happened, who one is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from app.domain.language import T, tr
from app.domain.permissions import PERMISSIONS, Actor
from ui.runtime.feed import Quality
from ui.theme import CAPTION, SPACE_1, SPACE_2, SPACE_3, SPACE_6, color, font, icon
from ui.widgets.buttons import Button, IconButton
from ui.widgets.metric_text import ago_text
from ui.widgets.pill import ConnectionPill

HEIGHT = 48
KEPT_NEWS = 20
ROOMY = 1200
"""Below this width the bar keeps its room for the page's own controls."""

LANGUAGES: tuple[tuple[str, str], ...] = (("zh", "中文"), ("en", "English"))
THEMES: tuple[tuple[str, T], ...] = (
    ("light", T("浅色", "Light")),
    ("dark", T("深色", "Dark")),
    ("system", T("跟随系统", "Follow the system")),
)


class Bell(IconButton):
    """What happened while nobody looked: warnings and alarms since the start, newest first."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("bell", tr("通知", "Notifications"), parent)
        self._news: list[tuple[str, str, str]] = []
        self._unread = 0
        self._clock: Callable[[], str] = lambda: time.strftime("%H:%M")
        self.clicked.connect(self._open)

    def take_over(self, older: Bell) -> None:
        """Continue another bell's list, when the shell is built again."""
        self._news, self._unread = older._news, older._unread
        self._say()

    def set_clock(self, clock: Callable[[], str]) -> None:
        """What time it is where the store is, as shown; before a store is open it is the machine's."""
        self._clock = clock

    def add(self, text: str, level: str) -> None:
        self._news = [(self._clock(), text, level), *self._news][:KEPT_NEWS]
        self._unread += 1
        self._say()

    @property
    def unread(self) -> int:
        return self._unread

    def _say(self) -> None:
        self.setAccessibleName(tr("通知", "Notifications") + (f" ({self._unread})" if self._unread else ""))
        self.update()

    def _open(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for clock, text, level in self._news:
            action = menu.addAction(icon(level if level in ("warn", "alarm", "good") else "info", "quiet"), f"{clock}  {_short(text)}")
            action.setToolTip(text)
        if not self._news:
            menu.addAction(tr("暂无通知", "Nothing has happened")).setEnabled(False)
        menu.setToolTipsVisible(True)
        self._unread = 0
        self._say()
        menu.popup(self.mapToGlobal(QPoint(self.width() - menu.sizeHint().width(), self.height() + SPACE_1)))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._unread:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("alarm"))
        mark = QRect(self.width() - 16, 2, 14, 14)
        painter.drawEllipse(mark)
        painter.setPen(color("surface"))
        painter.setFont(font(10, True))
        painter.drawText(mark, Qt.AlignmentFlag.AlignCenter, str(min(self._unread, 9)))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


class SearchPill(QToolButton):
    """Opens the command palette; looks like a field, because that is what comes. Only its icon where there is little room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._keys = QKeySequence("Ctrl+K").toString(QKeySequence.SequenceFormat.NativeText)
        self.setAccessibleName(tr("命令面板", "Command palette"))
        self.setToolTip(tr(f"页面、客服、操作 ({self._keys})", f"Pages, agents, actions ({self._keys})"))
        self._icon = icon("search")
        self._compact = False
        self.set_compact(False)

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        self.setFixedSize(QSize(32 if compact else 92, 26))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(color("accent" if self.hasFocus() else "border"))
        painter.setBrush(color("hover" if self.underMouse() else "window"))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 13, 13)
        self._icon.paint(painter, QRect(9 if self._compact else 10, 6, 14, 14))
        if self._compact:
            return
        painter.setPen(color("quiet"))
        painter.setFont(font(CAPTION))
        painter.drawText(self.rect().adjusted(30, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, self._keys)


class _Path(QLabel):
    """The steps within a page; gives way to its controls, and what does not fit ends in …."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("look", "quiet")
        self.setTextFormat(Qt.TextFormat.PlainText)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, room = QPainter(self), self.contentsRect()
        painter.setPen(self.palette().color(self.foregroundRole()))
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)


class TopBar(QWidget):
    """`back_wanted`, `searched`, `pill_clicked` and `user_clicked` are clicks; the shell decides what they open."""

    back_wanted = Signal()
    searched = Signal()
    pill_clicked = Signal()
    user_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_6, 0, SPACE_3, 1)
        row.setSpacing(SPACE_2)
        self._title = QLabel(self)
        self._title.setProperty("look", "title")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self.back = Button(tr("返回", "Back"), "plain", "back", self)
        self.back.clicked.connect(self.back_wanted)
        self.back.hide()
        self._path = _Path(self)
        self._slot = QHBoxLayout()
        self._slot.setContentsMargins(SPACE_3, 0, SPACE_3, 0)
        self._filters: QWidget | None = None
        self._share: float | None = None
        self.search = SearchPill(self)
        self.search.clicked.connect(self.searched)
        self.pill = ConnectionPill(self)
        self.pill.clicked.connect(self.pill_clicked)
        self.bell = Bell(self)
        self.user = IconButton("user", tr("账号与设置", "Account and settings"), self)
        self.user.clicked.connect(self.user_clicked)
        row.addWidget(self.back)
        row.addWidget(self._title)
        row.addWidget(self._path)
        row.addLayout(self._slot, 1)
        row.addWidget(self.search)
        row.addWidget(self.pill)
        row.addWidget(self.bell)
        row.addWidget(self.user)

    def set_back(self, page: str) -> None:
        """The title of the page one came from, "" for none."""
        self.back.setAccessibleName(tr(f"返回 {page}", f"Back to {page}"))
        self.back.setToolTip(tr(f"返回 {page} (Alt+←)", f"Back to {page} (Alt+Left)"))
        self.back.setVisible(bool(page))

    def set_place(self, title: str, breadcrumb: Sequence[str]) -> None:
        self._title.setText(title)
        self._path.setText("  ".join(f"›  {step}" for step in breadcrumb))
        self._path.setToolTip(" › ".join(breadcrumb))
        self._path.setVisible(bool(breadcrumb))

    def set_filters(self, filters: QWidget | None) -> None:
        """Show a page's controls; the ones before are hidden and stay with their page's host."""
        if self._filters is filters:
            return
        if self._filters is not None:
            self._slot.removeWidget(self._filters)
            self._filters.hide()
        self._filters = filters
        if filters is not None:
            self._slot.addWidget(filters)
            filters.show()

    def set_quality(self, quality: Quality, place: str, engine: str) -> None:
        """engine: one word of trouble with the local engine, "" when it runs."""
        age = ago_text(quality.age) if quality.state in ("delayed", "reconnecting") and quality.age >= 1 else ""
        # What is on the screen is as the database has it, but nothing new comes into the database.
        state = "delayed" if engine and quality.state == "live" else quality.state
        self.pill.set_state(state, age, " · ".join(part for part in (place, engine) if part))

    def set_share(self, share: float | None) -> None:
        """A thin line along the lower edge while something long goes on behind, 0 to 1; None takes it away."""
        self._share = share
        self.update()

    def set_actor(self, actor: Actor | None) -> None:
        if actor is not None:
            words = tr("账号与设置", "Account and settings")
            self.user.setToolTip(f"{actor.name} · {role_of(actor)}\n{words}")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("surface"))
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), color("border"))
        if self._share is not None:
            painter.fillRect(QRect(0, self.height() - 2, round(self.width() * self._share), 2), color("accent"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.search.set_compact(self.width() < ROOMY)


def role_of(actor: Actor) -> str:
    """The level of an actor in one word."""
    advanced = any(permission.level == "advanced" for permission in PERMISSIONS.values() if actor.may(permission.key))
    return tr("高级权限", "Advanced permission") if advanced else tr("普通权限", "Ordinary permission")
