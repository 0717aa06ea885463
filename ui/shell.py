"""The frame around the pages: sidebar, top bar, palette, wallboard, shortcuts.

A shell is cheap and shows one store in one language and theme. When either changes, the window builds another one; pages come
back with what they remembered. It exists before a store is open, so that something can be painted at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import T, language, tr
from app.domain.localtime import LocalTime
from app.domain.permissions import PERMISSIONS, NotAllowedError
from ui.about import AboutDialog
from ui.opening import OpeningPage, TroublePage
from ui.pagehost import PageHost
from ui.pages.registry import GROUPS, PAGES, PageContext, PageSpec
from ui.palette import RECENT, CommandPalette
from ui.runtime.connection import Connection
from ui.runtime.drafts import Drafts
from ui.runtime.engine import progress_of
from ui.runtime.feed import Quality
from ui.runtime.operations import Operations
from ui.runtime.preferences import Preferences
from ui.runtime.problems import Problem, sort
from ui.sidebar import Sidebar, why_not
from ui.topbar import LANGUAGES, THEMES, Bell, TopBar, role_of
from ui.trail import Trail
from ui.wallboard import Rotation, WallboardDialog, WallHeader
from ui.widgets.commands import Command, menu_of
from ui.widgets.metric_text import ago_text
from ui.widgets.toast import show_toast

_AGENT_PAGES = ("seats", "agent")
"""Pages that show one agent, whom the palette finds by name."""
PACE_WORDS = T("暂停刷新", "Pause updates"), T("继续实时刷新", "Resume live updates")


class Shell(QWidget):
    """Signals are wishes that only the application can fulfil; everything else happens here.

    page_worked(): the current page got its first answer. faulted(error): a page broke; it is shown there and wants logging.
    """

    language_wanted = Signal(str)
    theme_wanted = Signal(str)
    store_wanted = Signal(int)
    leave_wanted = Signal()
    cancel_wanted = Signal()
    retry_wanted = Signal()
    full_screen_wanted = Signal(bool)
    quit_wanted = Signal()
    page_worked = Signal()
    faulted = Signal(object)

    def __init__(
        self, prefs: Preferences, operations: Operations, drafts: Drafts, connection: Connection | None = None, page: str = "",
        place: object = None, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._prefs = prefs
        self._operations = operations
        self._drafts = drafts
        self._connection: Connection | None = None
        self._context: PageContext | None = None
        self._hosts: dict[str, PageHost] = {}
        self._visible = True
        self._was_live = False
        self._news_of_engine = ""
        self._filling: tuple[int, int] | None = None
        self._trail = Trail()
        self._current = page if page in PAGES and PAGES[page].factory else "overview"
        self.sidebar = Sidebar(None, prefs.get("sidebar_collapsed"), prefs.get("sidebar_closed"), self)
        self.topbar = TopBar(self)
        self.wall_header = WallHeader(self)
        self.wall_header.hide()
        self._content = QStackedWidget(self)
        self._opening = OpeningPage(self)
        self._opening.cancelled.connect(self.cancel_wanted)
        self._content.addWidget(self._opening)
        self._trouble: TroublePage | None = None
        self.rotation = Rotation(self._show_on_wall, self)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.topbar)
        right.addWidget(self.wall_header)
        right.addWidget(self._content, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addLayout(right, 1)
        self._palette: CommandPalette | None = None
        # The keyboard starts on nothing in particular; the first Tab goes to the sidebar.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._connect_parts()
        self._add_shortcuts()
        self._show_place()
        if connection is not None:
            self.attach(connection, place)
        else:
            self.sidebar.set_current(self._current)
            self.topbar.set_quality(Quality("connecting"), "", "")

    # -- what the application calls --

    @property
    def current(self) -> str:
        """Key of the page shown."""
        return self._current

    @property
    def host(self) -> PageHost | None:
        return self._hosts.get(self._current)

    @property
    def bell(self) -> Bell:
        return self.topbar.bell

    def attach(self, connection: Connection, place: object = None) -> None:
        """Show this store, the page at that place of it. Call once."""
        self._connection = connection
        self._context = PageContext(
            connection.workspace, connection.store, connection.actor, connection.feed, self._prefs, self._operations, connection.clock,
            self.follow, self.toast, simulated="--simulate" in connection.profile.serve, drafts=self._drafts,
        )  # fmt: skip
        local = LocalTime(connection.store.zone)

        def clock() -> str:
            return f"{local.local(connection.clock()):%H:%M}"

        self.wall_header.set_clock(clock)
        self.topbar.bell.set_clock(clock)
        self.sidebar.set_actor(connection.actor)
        self.sidebar.set_stores([(store.id, store.name or store.code) for store in connection.stores], connection.store.id)
        self.topbar.set_actor(connection.actor)
        feed = connection.feed
        feed.noticed.connect(self._on_notice)
        feed.resumed.connect(self._on_resumed)
        feed.quality_changed.connect(self._on_quality)
        if connection.engine is not None:
            connection.engine.changed.connect(self._on_engine)
            connection.engine.said.connect(self._on_engine_said)
        self._on_quality(feed.quality)
        first = next((key for key in (self._current, *PAGES) if self._allowed(key)), None)
        if first is not None:
            self._turn_to(first, place=place if first == self._current else None)

    def say_opening(self, text: str) -> None:
        if self._trouble is None:
            self._opening.say(text)

    def say_progress(self, said: dict[str, Any]) -> None:
        """What the engine reports while the store is being opened."""
        found = progress_of(said)
        if found is not None:
            self._opening.set_share(*found)

    def show_trouble(self, place: str, problem: Problem, again_in: float) -> None:
        """In place of the pages: the store cannot be opened."""
        self.topbar.pill.set_state("reconnecting" if again_in else "offline", "", place)
        if self._trouble is not None and self._trouble.sentence == problem.sentence:
            self._trouble.wait_again()
            return
        self._drop_trouble()
        self._trouble = TroublePage(place, problem, again_in, self)
        self._trouble.retried.connect(self.retry_wanted)
        self._trouble.left.connect(self.leave_wanted)
        self._content.addWidget(self._trouble)
        self._content.setCurrentWidget(self._trouble)

    def put_away(self) -> None:
        """Before the shell is deleted: pages stop and remember."""
        self.rotation.stop()
        for host in self._hosts.values():
            host.deactivate()
            host.remember()

    def set_shown(self, shown: bool) -> None:
        """Whether anybody can see the window; a minimised one reads nothing."""
        if shown == self._visible:
            return
        self._visible = shown
        host = self.host
        if host is not None:
            if shown:
                host.activate()
            else:
                host.deactivate()

    def toast(self, text: str, level: str = "") -> None:
        """Say something in passing; warnings and alarms stay under the bell."""
        if level in ("warn", "alarm"):
            self.bell.add(text, level)
        show_toast(self, text, level)  # type: ignore[arg-type]

    # -- pages --

    def open_page(self, key: str, where: dict[str, Any] | None = None) -> None:
        """Show a page; one that may not be shown says why and changes nothing."""
        self._trail.forget()
        self._turn_to(key, where)

    def follow(self, key: str, where: dict[str, Any]) -> None:
        """As `open_page`, from the page that is shown and with a way back to it."""
        stop = Trail.stop_at(self.host) if self.host is not None else None
        if self._turn_to(key, where) and stop is not None:
            self._trail.add(stop)
            self._show_place()

    def go_back(self, at_once: bool = False) -> None:
        """Take back what was opened last on the page; else, or at_once, return to the page that led here."""
        if self.rotation.running or (not at_once and self.host is not None and self.host.back()):
            return
        stop = self._trail.pop()
        if stop is not None and self._turn_to(stop.key, place=stop.place):
            stop.take_keyboard()

    def _turn_to(self, key: str, where: dict[str, Any] | None = None, place: object = None) -> bool:
        spec = PAGES.get(key)
        if self._context is None or spec is None:
            return False
        if reason := why_not(spec, self._context.actor):
            self.toast(f"{spec.title}：{reason}" if language() == "zh" else f"{spec.title}: {reason}", "info")
            self.sidebar.set_current(self._current)
            return False
        before = self.host
        if before is not None and key != self._current:
            before.deactivate()
        self._current = key
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = PageHost(spec, self._context, self)
            host.faulted.connect(self.faulted)
            host.worked.connect(self.page_worked)
            host.changed.connect(self._show_place)
            host.set_wallboard(self.rotation.running)
            self._content.addWidget(host)
        self._drop_trouble()
        self._content.setCurrentWidget(host)
        self.sidebar.set_current(key)
        if not self.rotation.running:
            self._prefs.put("page", key)
        if self._visible:
            host.activate(where, place)
        self._show_place()
        return True

    def refresh(self) -> None:
        if self._connection is not None and not self._connection.feed.quality.fresh:
            self._connection.feed.reconnect()
        if self.host is not None:
            self.host.refresh()

    def export(self) -> None:
        if self.host is None or self._context is None:
            return
        if self._context.actor.may("export"):
            self.host.export()
        else:
            self.toast(str(NotAllowedError(PERMISSIONS["export"])), "info")

    def focus_filter(self) -> None:
        if self.host is not None:
            self.host.focus_filter()

    def fold(self, folded: bool | None = None) -> None:
        """Fold or unfold the sidebar; None turns it over."""
        self.sidebar.set_folded(not self.sidebar.folded if folded is None else folded)
        self._prefs.put("sidebar_collapsed", self.sidebar.folded)

    # -- wallboard --

    def start_wallboard(self) -> None:
        if self._context is None or self.rotation.running:
            return
        keys = [key for key in self._prefs.get("wallboard_pages") if isinstance(key, str) and self._allowed(key)]
        if not keys:
            keys = [self._current]
        self.sidebar.hide()
        self.topbar.hide()
        self.wall_header.show()
        self.wall_header.set_running(True)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.full_screen_wanted.emit(True)
        self._escape.setEnabled(True)
        self._before_wall = self._current
        if self._current in keys:  # begins with what is looked at
            at = keys.index(self._current)
            keys = keys[at:] + keys[:at]
        for host in self._hosts.values():
            host.set_wallboard(True)
        self.rotation.start(keys, self._prefs.get("wallboard_seconds"))

    def leave_wallboard(self) -> None:
        if not self.rotation.running:
            return
        self.rotation.stop()
        self._escape.setEnabled(False)
        self.wall_header.set_running(False)
        self.wall_header.hide()
        self.sidebar.show()
        self.topbar.show()
        for host in self._hosts.values():
            host.set_wallboard(False)
        self.unsetCursor()
        self.full_screen_wanted.emit(False)
        self.open_page(self._before_wall)

    def turn_wallboard(self) -> None:
        if self.rotation.running:
            self.leave_wallboard()
        else:
            self.start_wallboard()

    def _show_on_wall(self, key: str, at: int, pages: int) -> None:
        self.open_page(key)
        host = self._hosts.get(key)
        if host is not None and host.failed:
            host.retry()
        store = self._context.store if self._context is not None else None
        self.wall_header.show_page(str(PAGES[key].title), (store.name or store.code) if store else "", at, pages)

    def _configure_wallboard(self) -> None:
        dialog = WallboardDialog(self._prefs, self._allowed, self)
        dialog.started.connect(self.start_wallboard)
        dialog.show()

    def _allowed(self, key: str) -> bool:
        return self._context is not None and key in PAGES and not why_not(PAGES[key], self._context.actor)

    # -- what can be done --

    def commands(self) -> list[Command]:
        """Everything the palette offers without asking the database."""
        actor = self._context.actor if self._context is not None else None
        groups = {group.key: str(group.label) for group in GROUPS}

        def page(spec: PageSpec) -> Command:
            hint, reason = groups[spec.group], why_not(spec, actor)
            return Command(f"page:{spec.key}", spec.title, spec.icon, lambda: self.open_page(spec.key), hint=hint, why_not=reason)

        found = [page(spec) for spec in PAGES.values()]
        return [
            *self._commands_here(), *found, *self._page_actions(), *self._languages(), *self._themes(),
            Command("sidebar", T("展开或收起侧栏", "Fold or unfold the sidebar"), "collapse", self.fold, "Ctrl+B"),
            Command("wallboard_settings", T("大屏设置", "Wallboard settings"), "settings", self._configure_wallboard),
            *self._import_actions(),
            *self._connection_actions(),
            Command("about", T("关于", "About"), "info", self._about),
            Command("quit", T("退出", "Quit"), "sign_out", self.quit_wanted.emit),
        ]  # fmt: skip

    def _commands_here(self) -> list[Command]:
        """What the page that is open offers, under its name."""
        host = self.host
        if host is None:
            return []

        def here(command: Command) -> Command:
            hint = " · ".join(part for part in (str(host.spec.title), command.hint) if part)
            return replace(command, key=f"here:{host.spec.key}:{command.key}", hint=hint)

        return [here(command) for command in host.commands()]

    def _page_actions(self) -> list[Command]:
        return [
            Command("refresh", T("刷新", "Refresh"), "refresh", self.refresh, "F5"),
            Command("wallboard", T("大屏", "Wallboard"), "wallboard", self.turn_wallboard, "F11"),
            Command("export", T("导出", "Export"), "export", self.export, "Ctrl+E"),
            Command("filter", T("筛选", "Filter"), "filter", self.focus_filter, "Ctrl+F"),
        ]

    def _import_actions(self) -> list[Command]:
        if self._context is None:
            return []
        refused = "" if self._context.actor.may("data.ingest") else tr("没有权限", "Not allowed")
        return [Command("import", T("导入报表", "Import reports"), "import", self._import, why_not=refused)]

    def _import(self) -> None:
        if self._context is not None:
            from ui.importing import ImportDialog

            ImportDialog(self._context, self).open()

    def _languages(self, short: bool = False) -> list[Command]:
        def choice(key: str, name: str) -> Command:
            label = T(name, name) if short else T(f"语言：{name}", f"Language: {name}")
            return Command(f"language:{key}", label, "language", lambda: self.language_wanted.emit(key), checked=language() == key)

        return [choice(key, name) for key, name in LANGUAGES]

    def _themes(self, short: bool = False) -> list[Command]:
        now = self._prefs.get("theme")

        def choice(key: str, name: T) -> Command:
            label = name if short else T(f"主题：{name.zh}", f"Theme: {name.en}")
            return Command(f"theme:{key}", label, "theme", lambda: self.theme_wanted.emit(key), checked=now == key)

        return [choice(key, name) for key, name in THEMES]

    def _connection_actions(self) -> list[Command]:
        if self._connection is None:
            return []
        feed = self._connection.feed
        paused = feed.pace is None
        return [
            Command("pace", PACE_WORDS[paused], "play" if paused else "pause", lambda: feed.set_pace(0 if paused else None)),
            Command("reconnect", T("立即重连", "Reconnect now"), "connections", self.refresh),
            Command("leave", T("关闭店铺", "Close the store"), "sign_out", self.leave_wanted.emit),
        ]

    def open_palette(self) -> None:
        if self._palette is None:
            self._palette = CommandPalette(self.window(), self._operations)
            self.destroyed.connect(self._palette.deleteLater)
            self._palette.ran.connect(self._on_ran)
        if self._palette.isVisible():
            self._palette.shut()
            return
        recent = [key for key in self._prefs.get("palette_recent") if isinstance(key, str)]
        pages = [key for key in _AGENT_PAGES if self._allowed(key)]
        self._palette.open(self.commands(), recent, (lambda: self._fetch_agents(pages)) if pages else None)

    def _fetch_agents(self, pages: list[str]) -> list[Command]:
        """Each agent on each of these pages. On a reader thread."""
        context = self._context
        if context is None:
            return []

        def agent(code: str, name: str, team: str, page: str) -> Command:
            hint = " · ".join(part for part in (str(PAGES[page].title), code if name else "", team) if part)
            label, key = T(name or code, name or code), f"agent:{code}" + ("" if page == "seats" else f":{page}")
            return Command(key, label, PAGES[page].icon, lambda: self.open_page(page, {"agent": code}), hint=hint)

        seats = context.workspace.live.seats(context.store).rows
        return [agent(seat.code, seat.name, seat.team, page) for seat in seats for page in pages]

    def _on_ran(self, key: str) -> None:
        recent = [old for old in self._prefs.get("palette_recent") if old != key]
        self._prefs.put("palette_recent", [key, *recent][:RECENT])

    def _open_user_menu(self) -> None:
        commands: list[Command | None] = []
        if self._context is not None:
            actor = self._context.actor
            who = f"{actor.name} · {role_of(actor)}"
            commands = [Command("who", T(who, who), "user", self.fold, why_not=who), None]
        menu = menu_of(commands, self)
        menu_of(self._languages(short=True), self, menu.addMenu(tr("语言", "Language")))
        menu_of(self._themes(short=True), self, menu.addMenu(tr("主题", "Theme")))
        wall = [command for command in self._page_actions() if command.key == "wallboard"]
        settings = Command("wallboard_settings", T("大屏设置", "Wallboard settings"), "settings", self._configure_wallboard)
        about = Command("about", T("关于", "About"), "info", self._about)
        leave = [command for command in self._connection_actions() if command.key == "leave"]
        menu_of([None, *wall, settings, None, about, *leave], self, menu)
        _drop_below(menu, self.topbar.user)

    def _open_pill_menu(self) -> None:
        connection = self._connection
        if connection is None:
            return
        lines = [f"{connection.profile.title} · {connection.profile.place}"]
        quality = connection.feed.quality
        if quality.age >= 1:
            lines.append(tr("数据更新于 ", "Data from ") + ago_text(quality.age))
        if connection.feed.error is not None:
            lines.append(sort(connection.feed.error).sentence)
        if connection.engine is not None:
            lines.append(self._engine_words() or tr("引擎运行正常", "The engine is running"))
        if self._filling is not None:
            done, total = self._filling
            lines.append(tr(f"正在补充历史数据 {done}/{total} 天", f"Filling in history, day {done} of {total}"))
        commands: list[Command | None] = [Command("", T(line, line), "", self.fold, why_not=line) for line in lines]
        commands += [None, *self._connection_actions()]
        _drop_below(menu_of(commands, self), self.topbar.pill)

    def _about(self) -> None:
        AboutDialog(self._connection.profile.title if self._connection else "", self).show()

    # -- the feed and the engine --

    def _on_notice(self, topics: frozenset[str]) -> None:
        if self._visible and self.host is not None:
            self.host.on_notice(topics)

    def _on_resumed(self) -> None:
        if self._visible and self.host is not None:
            self.host.refresh()

    def _on_quality(self, quality: Quality) -> None:
        self._show_quality()
        if quality.state == "reconnecting" and self._was_live:
            self._was_live = False
            self.bell.add(tr("与数据库的连接中断，正在重连。", "The connection to the database is lost; reconnecting."), "warn")
        elif quality.fresh:
            self._was_live = True
        if self.host is not None:
            self.host.on_quality(quality)

    def _on_engine(self) -> None:
        engine = self._connection.engine if self._connection is not None else None
        if engine is not None and engine.state == "running":
            self._news_of_engine = ""  # its next death is news again
        elif engine is not None and engine.state == "restarting" and engine.why != self._news_of_engine:
            self._news_of_engine = engine.why
            self.bell.add(tr(f"引擎已停止，正在重启：{engine.why}", f"The engine stopped and is restarted: {engine.why}"), "warn")
        self._show_quality()

    def _on_engine_said(self, said: dict[str, Any]) -> None:
        self._filling = progress_of(said)
        self.topbar.set_share(None if self._filling is None else self._filling[0] / self._filling[1])

    def _engine_words(self) -> str:
        engine = self._connection.engine if self._connection is not None else None
        if engine is None:
            return ""
        if engine.state == "restarting":
            return tr("引擎重启中", "Engine restarting")
        return ""

    def _show_quality(self) -> None:
        if self._connection is None:
            return
        quality = self._connection.feed.quality
        self.topbar.set_quality(quality, self._connection.profile.place, self._engine_words())
        self.wall_header.pill.set_state(quality.state, ago_text(quality.age) if quality.age >= 1 else "")

    # -- inside --

    def _show_place(self) -> None:
        host = self.host
        self.topbar.set_back(str(PAGES[self._trail.last].title) if self._trail.last else "")
        self.topbar.set_place(str(PAGES[self._current].title), host.breadcrumb if host is not None else ())
        self.topbar.set_filters(host.filters if host is not None and not host.failed else None)

    def _drop_trouble(self) -> None:
        if self._trouble is not None:
            self._content.removeWidget(self._trouble)
            self._trouble.deleteLater()
            self._trouble = None

    def _connect_parts(self) -> None:
        self.sidebar.chosen.connect(self.open_page)
        self.sidebar.store_chosen.connect(self.store_wanted)
        self.sidebar.folding.connect(self.fold)
        self.sidebar.groups_closed.connect(self._on_groups_closed)
        self.topbar.back_wanted.connect(lambda: self.go_back(at_once=True))
        self.topbar.searched.connect(self.open_palette)
        self.topbar.user_clicked.connect(self._open_user_menu)
        self.topbar.pill_clicked.connect(self._open_pill_menu)

    def _on_groups_closed(self, closed: list[str]) -> None:
        self._prefs.put("sidebar_closed", closed)

    def _add_shortcuts(self) -> None:
        for keys, slot in (
            ("Ctrl+K", self.open_palette), ("F5", self.refresh), ("F11", self.turn_wallboard), ("Ctrl+E", self.export),
            ("Ctrl+F", self.focus_filter), ("Ctrl+B", self.fold), ("Ctrl+Q", self.quit_wanted.emit), ("Alt+Left", self.go_back),
        ):  # fmt: skip
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        self._escape.setEnabled(False)
        self._escape.activated.connect(self.leave_wallboard)


def _drop_below(menu: Any, button: QWidget) -> None:
    menu.popup(button.mapToGlobal(QPoint(button.width() - menu.sizeHint().width(), button.height() + 4)))
