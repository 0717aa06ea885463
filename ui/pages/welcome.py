"""The first page of somebody who has no store open: three ways in, and the recent ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import T, language, tr
from app.domain.permissions import PERMISSIONS, Actor, local_owner
from ui.pages.welcome_forms import FILES, NewStoreForm, ServerForm
from ui.runtime import profiles
from ui.runtime.operations import Operations
from ui.runtime.preferences import Preferences
from ui.runtime.problems import Problem
from ui.runtime.profiles import Profile
from ui.theme import BODY, CAPTION, SPACE_1, SPACE_2, SPACE_3, SPACE_4, SPACE_6, color, font, icon
from ui.widgets.buttons import Button
from ui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from app.services.workspace import Workspace

WIDTH = 880
OpenWorkspace = Callable[[str, Actor, bool], "Workspace"]
_KIND_ICONS = {"demo": "replay", "local": "database", "server": "connections"}


class Way(QFrame):
    """One way in: what it is, what it is good for, its buttons."""

    def __init__(self, icon_name: str, title: str, sentence: str, buttons: list[Button], parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self.setMinimumHeight(216)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_2)
        picture = QLabel(self)
        picture.setPixmap(icon(icon_name, "accent").pixmap(QSize(24, 24), self.devicePixelRatioF()))
        name = QLabel(title, self)
        name.setProperty("look", "section")
        words = QLabel(sentence, self)
        words.setProperty("look", "quiet")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(picture)
        column.addSpacing(SPACE_1)
        column.addWidget(name)
        column.addWidget(words, 1)
        column.addSpacing(SPACE_2)
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)


class RecentRow(QAbstractButton):
    """A connection used before: kind, name, where it is."""

    def __init__(self, profile: Profile, parent: QWidget) -> None:
        super().__init__(parent)
        self.profile = profile
        self._icon = icon(_KIND_ICONS[profile.kind])
        self._where = profile.url if profile.kind != "server" else f"{profile.user}@{profile.place}"
        self.setText(profile.title)
        self.setAccessibleName(f"{profile.title} {self._where}")
        self.setToolTip(self._where)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(40)

    def sizeHint(self) -> QSize:
        return QSize(400, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus():
            painter.setPen(color("accent") if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(color("hover"))
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 6, 6)
        self._icon.paint(painter, QRect(SPACE_3, 11, 18, 18))
        painter.setFont(font(BODY))
        painter.setPen(color("text"))
        x = SPACE_3 + 18 + SPACE_3
        painter.drawText(QRect(x, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
        x += painter.fontMetrics().horizontalAdvance(self.text()) + SPACE_4
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        room = QRect(x, 0, self.width() - x - SPACE_3, self.height())
        where = painter.fontMetrics().elidedText(self._where, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, where)


class Welcome(QWidget):
    """`chosen(Profile, password or None, keep password)` when a way in was taken."""

    chosen = Signal(object, object, bool)
    language_wanted = Signal(str)
    theme_wanted = Signal(str)

    def __init__(self, prefs: Preferences, operations: Operations, opener: OpenWorkspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prefs = prefs
        self._operations = operations
        self._opener = opener
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.server_form = ServerForm(self)
        self.server_form.left.connect(self._show_ways)
        self.server_form.tested.connect(self._test)
        self.server_form.submitted.connect(self._connect_server)
        self.new_form = NewStoreForm(self)
        self.new_form.left.connect(self._show_ways)
        self.new_form.submitted.connect(self._create)
        self._ways = self._build_ways()
        # Not a stack: that would make every panel as high as the highest.
        self._panels = (self._ways, _narrow(self.server_form), _narrow(self.new_form))
        place = QWidget(self)
        panels = QVBoxLayout(place)
        panels.setContentsMargins(0, 0, 0, 0)
        for panel in self._panels:
            panels.addWidget(panel)
        self._show_panel(0)
        inner = QWidget(self)
        inner.setObjectName("scrolled")
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_6)
        column.setSpacing(SPACE_2)
        column.addLayout(self._build_corner())
        column.addStretch(1)
        column.addLayout(_centred(self._build_head()))
        column.addSpacing(SPACE_4)
        column.addLayout(_centred(place))
        column.addStretch(2)
        scroll = QScrollArea(self)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def edit_server(self, profile: Profile, said: str) -> None:
        """Show the form of a server that could not be opened, with the reason."""
        self.server_form.fill(profile)
        self._show_panel(1)
        self.server_form.password.setFocus(Qt.FocusReason.OtherFocusReason)
        self.server_form.say(said, "error")

    # -- building --

    def _build_corner(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        row.addStretch(1)
        languages = Segmented([("zh", "中文"), ("en", "English")], language(), tr("语言", "Language"), self)
        languages.chosen.connect(self.language_wanted)
        themes = Segmented(
            [("light", T("浅色", "Light")), ("dark", T("深色", "Dark")), ("system", T("系统", "System"))], self._prefs.get("theme"),
            tr("主题", "Theme"), self,
        )  # fmt: skip
        themes.chosen.connect(self.theme_wanted)
        row.addWidget(languages)
        row.addWidget(themes)
        return row

    def _build_head(self) -> QWidget:
        head = QWidget(self)
        column = QVBoxLayout(head)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_1)
        name = QLabel(tr("客服管家", "Kefu Manager"), head)
        name.setFont(font(28, True))
        words = QLabel(tr("看着店铺的客服现场：谁在接待，谁在等，哪里需要帮忙。",
                          "Watch your customer service live: who is serving, who is waiting, where help is needed."), head)  # fmt: skip
        words.setProperty("look", "quiet")
        column.addWidget(name)
        column.addWidget(words)
        return head

    def _build_ways(self) -> QWidget:
        panel = QWidget(self)
        column = QVBoxLayout(panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_6)
        row = QHBoxLayout()
        row.setSpacing(SPACE_4)
        self.demo = Button(tr("打开演示店铺", "Open the demo store"), "primary", parent=panel)
        self.demo.clicked.connect(self._open_demo)
        self.open_file = Button(tr("打开文件…", "Open a file …"), parent=panel)
        self.open_file.clicked.connect(self._browse)
        self.new_file = Button(tr("新建…", "New …"), parent=panel)
        self.new_file.clicked.connect(self._show_new)
        self.server = Button(tr("连接…", "Connect …"), parent=panel)
        self.server.clicked.connect(self._show_server)
        for way in (
            Way("replay", tr("先试试看", "Try it out"),
                tr("一个模拟的店铺：24 名客服，30 天历史，实时会话。几秒钟就绪，随时可以删除。",
                   "A simulated store: 24 agents, 30 days of history, live sessions. Ready in seconds."), [self.demo], panel),
            Way("database", tr("本地店铺", "Local store"),
                tr("数据保存在这台电脑的一个文件里，不需要安装数据库。", "The data lives in one file on this computer; nothing to set up."),
                [self.open_file, self.new_file], panel),
            Way("connections", tr("团队服务器", "Team server"),
                tr("连接团队共用的 PostgreSQL 数据库，多人同时查看。", "Connect to the team's PostgreSQL database and watch together."),
                [self.server], panel),
        ):  # fmt: skip
            row.addWidget(way, 1)
        column.addLayout(row)
        recent = profiles.recent(self._prefs)
        self.recent = [RecentRow(profile, panel) for profile in recent]
        if self.recent:
            caption = QLabel(tr("最近打开", "Recent"), panel)
            caption.setProperty("look", "caption")
            rows = QVBoxLayout()
            rows.setSpacing(0)
            rows.addWidget(caption)
            rows.addSpacing(SPACE_1)
            for entry in self.recent:
                entry.clicked.connect(self._open_recent)
                entry.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
                forget = entry.addAction(tr("从列表中移除", "Remove from the list"))
                forget.triggered.connect(lambda _checked=False, row=entry: self._forget(row))
                rows.addWidget(entry)
            column.addLayout(rows)
        return panel

    # -- the ways --

    def _show_panel(self, which: int) -> None:
        for number, panel in enumerate(self._panels):
            panel.setVisible(number == which)

    def _show_ways(self) -> None:
        self._show_panel(0)

    def _show_server(self) -> None:
        self._show_panel(1)
        self.server_form.host.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_new(self) -> None:
        self._show_panel(2)
        self.new_form.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open_demo(self) -> None:
        self.chosen.emit(profiles.demo(), None, False)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("打开店铺文件", "Open a store file"), str(Path.home()), str(FILES))
        if path:
            self.chosen.emit(Profile("local", path), None, False)

    def _open_recent(self) -> None:
        row = self.sender()
        assert isinstance(row, RecentRow)
        self.chosen.emit(row.profile, None, False)

    def _forget(self, row: RecentRow) -> None:
        profiles.forget(self._prefs, row.profile)
        row.hide()

    def _connect_server(self, profile: Profile, password: str, keep: bool) -> None:
        self.chosen.emit(profile, password, keep)

    def _test(self, profile: Profile, password: str) -> None:
        form = self.server_form
        form.test.setEnabled(False)
        form.say(tr("正在连接…", "Connecting …"))

        def test() -> list[str]:
            workspace = self._opener(profiles.with_password(profile.url, password), Actor(profile.user, frozenset(PERMISSIONS)), False)
            try:
                return [store.name or store.code for store in workspace.stores()]
            finally:
                workspace.close()

        def done(stores: list[str]) -> None:
            form.test.setEnabled(True)
            names = "、".join(stores) if language() == "zh" else ", ".join(stores)
            form.say(tr(f"连接成功。店铺：{names or '暂无'}", f"The connection works. Stores: {names or 'none yet'}"), "good")

        def failed(problem: Problem) -> None:
            form.test.setEnabled(True)
            form.say(problem.sentence, "error")

        self._operations.latest(self, "test", test, done, failed, question=profile)

    def _create(self, path: str, code: str, name: str) -> None:
        form = self.new_form
        form.submit.setEnabled(False)

        def create() -> None:
            workspace = self._opener(path, local_owner(), True)
            try:
                workspace.create_store(code, name)
            finally:
                workspace.close()

        def failed(problem: Problem) -> None:
            form.submit.setEnabled(True)
            form.say(problem.sentence, "error")

        self._operations.change(self, create, lambda _nothing: self.chosen.emit(Profile("local", path, code), None, False), failed)


def _narrow(form: QWidget) -> QWidget:
    panel = QWidget(form.parentWidget())
    row = QHBoxLayout(panel)
    row.setContentsMargins(0, 0, 0, 0)
    form.setMaximumWidth(560)
    row.addWidget(form, 1, Qt.AlignmentFlag.AlignTop)
    row.addStretch(0)
    return panel


def _centred(widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addStretch(1)
    widget.setMaximumWidth(WIDTH)
    row.addWidget(widget, 100)
    row.addStretch(1)
    return row
