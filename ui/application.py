"""The console from start to end.

Start: preferences, language, theme; the window with an empty shell is shown and painted. Only then: error hooks, log and
collector; on reader threads the modules of the first page (pyqtgraph) and the database (SQLAlchemy) are loaded and the store is
opened, its engine having been started first if it is a local one. When both are there, the page is shown, and the rest of what
is needed later is loaded behind it.

End: the window goes at once; pages remember their state; preferences are written; engine and feed are told to end, the database
is let go, reader threads and the engine are awaited, each for a limited time; hooks and collector are given back.
"""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import (
    QByteArray,
    QEvent,
    QLibraryInfo,
    QMessageLogContext,
    QObject,
    QSize,
    Qt,
    QTimer,
    QtMsgType,
    QTranslator,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from app.domain.language import Language, T, set_language, tr
from app.secrets import Secrets, SystemSecrets
from ui.pages.registry import PAGES
from ui.runtime import profiles
from ui.runtime.connection import Connection, Connector, OpenWorkspace, open_workspace
from ui.runtime.drafts import Drafts
from ui.runtime.garbage import Garbage
from ui.runtime.operations import Operations
from ui.runtime.paths import config_dir, log_dir
from ui.runtime.preferences import Preferences
from ui.runtime.problems import Problem
from ui.runtime.profiles import Profile
from ui.shell import Shell
from ui.theme import apply
from ui.widgets.toast import show_toast

if TYPE_CHECKING:
    from ui.pages.welcome import Welcome
    from ui.runtime.errors import ErrorReporter

TRACE_VARIABLE = "KEFU_TRACE_START"
"""When set to the moment of launching, in seconds since the epoch, the milliseconds since then are written to standard output as
the start proceeds: painted, connected, shown (the first page has its data)."""
RETRY_SECONDS = 2.0
NO_DISPLAY = T(
    "没有可用的显示器，无法打开窗口。请在桌面会话中运行，或使用 --headless、report 等命令行功能。",
    "There is no display to open a window on. Run it in a desktop session, or use --headless, report and the other commands.",
)
_SWITCH_SECONDS = 0.0005
"""How long a reader may keep the interpreter while the window waits for it. One paint may wait several times; Python's own 5 ms add up."""
SMALLEST = (1024, 640)
FIRST_SIZE = (1440, 900)
USUAL_FRAME = (16, 40)
"""What title and borders of a window usually take, in pixels: a screen this small is filled without them hanging over."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line. `url` is a path or URL; None means the last connection, or the welcome page.

    serve: arguments of the engine that the console keeps as its child for a local store (such as --simulate); engine: whether to
    keep one at all. page: key of the first page. quit_after: seconds, for measurements.
    """

    url: str | None = None
    store: str = ""
    serve: tuple[str, ...] = ()
    page: str = ""
    wallboard: bool = False
    engine: bool = True
    quit_after: float | None = None


class Window(QMainWindow):
    """The one top-level window. Its body changes; it stays where it is."""

    painted = Signal()
    closing = Signal()
    shown_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(*SMALLEST)
        self.setWindowTitle(tr("客服管家", "Kefu Manager"))
        self._painted = False

    def set_body(self, body: QWidget) -> None:
        old = self.takeCentralWidget()
        self.setCentralWidget(body)
        body.show()
        body.setFocus(Qt.FocusReason.OtherFocusReason)
        if old is not None:
            old.hide()
            old.deleteLater()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.painted.emit)  # after the children, which are painted in the same round
        elif event.type() == QEvent.Type.WindowStateChange:
            self.shown_changed.emit(not self.isMinimized())
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        super().closeEvent(event)


class Console(QObject):
    """One running console. `opener` and `secrets` are seams for tests."""

    finished = Signal()

    def __init__(
        self, app: QApplication, options: Options | None = None, opener: OpenWorkspace = open_workspace, secrets: Secrets | None = None
    ) -> None:
        super().__init__()
        self._app = app
        self._options = options or Options()
        self.prefs = Preferences(config_dir() / "preferences.json", self)
        set_language(cast(Language, self.prefs.get("language")))
        self._qt_words = QTranslator(self)
        self._speak()
        apply(app, self.prefs.get("theme"))
        app.setApplicationName("kefu-manager")
        app.setApplicationDisplayName(tr("客服管家", "Kefu Manager"))
        self.operations = Operations(self)
        self.operations.bug.connect(self._log)
        self.operations.unhandled.connect(self._on_unhandled)
        self._secrets = secrets or SystemSecrets()
        self._connector = Connector(self.operations, self._secrets, opener, self._options.engine, self)
        self._connector.opened.connect(self._on_opened)
        self._connector.failed.connect(self._on_failed)
        self._connector.waiting.connect(self._on_waiting)
        self._connector.noted.connect(self._say)
        self._connector.engine_said.connect(self._on_engine_said)
        self._opener = opener
        self._garbage = Garbage(self)
        self._reporter: ErrorReporter | None = None
        self._first: tuple[()] | tuple[Profile, str | None] = ()
        self._wanted: Profile | None = None
        self._password: str | None = None
        self._said = ""
        self._opened: Connection | None = None
        self.connection: Connection | None = None
        self._drafts = Drafts()  # of the store, not of its pages: a language or theme makes those anew
        self.shell: Shell | None = None
        self.welcome: Welcome | None = None
        self._warm = False
        self._page_seen = False
        self._ended = False
        self._dressing = False
        self._window_state: tuple[bool, bool] | None = None
        self.window = Window()
        self.window.painted.connect(self._after_paint)
        self.window.closing.connect(self.end)
        self.window.shown_changed.connect(self._on_window_shown)
        app.styleHints().colorSchemeChanged.connect(self._on_system_scheme)

    # -- start --

    def start(self) -> None:
        """Show the window; everything else follows once it is painted."""
        wanted, password = self._choose()
        self._place_window()
        if wanted is None:
            self._show_welcome()
        else:
            self._first = (wanted, password)
            self._show_shell(None, self._options.page or self.prefs.get("page"))
        self.window.show()
        self._keep_on_screen()

    def _choose(self) -> tuple[Profile | None, str | None]:
        options = self._options
        if options.url:
            profile, password = profiles.of(options.url, options.store, options.serve)
            return profiles.known(self.prefs, profile), password
        recent = profiles.recent(self.prefs)
        if not recent:
            return None, None
        return replace(recent[0], store=options.store or recent[0].store, serve=options.serve or recent[0].serve), None

    def _after_paint(self) -> None:
        self._trace("painted")
        from ui.runtime.errors import ErrorReporter

        self._reporter = ErrorReporter(log_dir(), self)
        self._reporter.window = self.window
        self._reporter.install()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._garbage.start()
        if self.prefs.note:
            self._say(self.prefs.note)
        if self._options.quit_after is not None:
            QTimer.singleShot(round(self._options.quit_after * 1000), self.window, self.window.close)
        page = self.shell.current if self.shell is not None else "overview"
        self.operations.read(self, lambda: _warm_up([page]), self._on_warm, self._on_warm)
        if self._first:
            self.open(*self._first)

    def _on_warm(self, _result: object) -> None:
        self._warm = True
        self._garbage.freeze()
        if self._opened is not None:
            opened, self._opened = self._opened, None
            self._show(opened)

    # -- connections --

    def open(self, profile: Profile, password: str | None = None, keep_password: bool = False) -> None:
        """Leave what is open and open another store. `keep_password` puts the password in the keyring once it has worked."""
        profile = profiles.known(self.prefs, profile)
        self._first = ()  # somebody quicker than the first paint has chosen
        self._wanted, self._password = profile, password
        if self.connection is not None or self._opened is not None or self.shell is None:
            page = self.shell.current if self.shell is not None else self._options.page or self.prefs.get("page")
            self._let_go()
            self._show_shell(None, page)
        self._connector.open(profile, password, keep_password)

    def leave(self) -> None:
        """Close the store and go to the welcome page."""
        self._first = ()
        self._connector.cancel()
        self._let_go()
        refused, said, self._wanted, self._password, self._said = self._wanted, self._said, None, None, ""
        welcome = self._show_welcome()
        if refused is not None and refused.kind == "server" and said:
            welcome.edit_server(refused, said)

    def _on_opened(self, connection: Connection) -> None:
        self._trace("connected")
        self._said = ""
        if self._warm:
            self._show(connection)
        else:
            self._opened = connection

    def _show(self, connection: Connection) -> None:
        self.connection = connection
        _guard_this_thread(True)
        profiles.remember(self.prefs, replace(connection.profile, store=connection.store.code))
        if self.shell is None:
            self._show_shell(connection, self.prefs.get("page"))
        else:
            self._title(connection)
            self.shell.attach(connection)
        if self._options.wallboard and self.shell is not None and not self._page_seen:
            self.shell.start_wallboard()
        self.operations.read(self, lambda: _warm_up(list(PAGES)), lambda _nothing: None)

    def _on_failed(self, problem: Problem) -> None:
        wanted = self._wanted
        if wanted is None or self.shell is None:
            return
        self._said = problem.sentence
        again = RETRY_SECONDS if wanted.kind == "server" and problem.fingerprint == "unreachable" else 0.0
        self.shell.show_trouble(wanted.title, problem, again)

    def _on_waiting(self, text: str) -> None:
        if self.shell is not None:
            self.shell.say_opening(text)

    def _on_engine_said(self, said: dict[str, Any]) -> None:
        if self.shell is not None:
            self.shell.say_progress(said)

    def _retry(self) -> None:
        if self._wanted is not None:
            self._connector.open(self._wanted, self._password)

    def _switch_store(self, number: int) -> None:
        if self.connection is None or number == self.connection.store.id:
            return
        store = next(store for store in self.connection.stores if store.id == number)
        self.open(replace(self.connection.profile, store=store.code))

    def _let_go(self) -> None:
        for held in (self.connection, self._opened):
            if held is not None:
                if self.shell is not None:
                    self.shell.put_away()
                held.retire()
        self.connection = self._opened = None
        self._drafts = Drafts()

    # -- the window's body --

    def _show_shell(self, connection: Connection | None, page: str, place: object = None) -> Shell:
        old = self.shell
        shell = Shell(self.prefs, self.operations, self._drafts, connection, page, place)
        if old is not None:
            shell.bell.take_over(old.bell)
        shell.language_wanted.connect(self.set_language)
        shell.theme_wanted.connect(self.set_theme)
        shell.store_wanted.connect(self._switch_store)
        shell.leave_wanted.connect(self.leave)
        shell.cancel_wanted.connect(self.leave)
        shell.retry_wanted.connect(self._retry)
        shell.full_screen_wanted.connect(self._full_screen)
        shell.quit_wanted.connect(self.window.close)
        shell.page_worked.connect(self._on_page_worked)
        shell.faulted.connect(self._log)
        self.shell, self.welcome = shell, None
        self._title(connection)
        self.window.set_body(shell)
        return shell

    def _show_welcome(self) -> Welcome:
        from ui.pages.welcome import Welcome  # most starts go straight to a store

        welcome = Welcome(self.prefs, self.operations, self._opener)
        welcome.chosen.connect(self.open)
        welcome.language_wanted.connect(self.set_language)
        welcome.theme_wanted.connect(self.set_theme)
        self.shell, self.welcome = None, welcome
        self._title(None)
        self.window.set_body(welcome)
        return welcome

    def _rebuild(self) -> None:
        """The same body again, in another language or theme."""
        self.window.setUpdatesEnabled(False)
        try:
            if self.welcome is not None:
                self._show_welcome()
            elif self.shell is not None:
                self.shell.leave_wallboard()
                place = self.shell.host.place() if self.shell.host is not None else None
                self.shell.put_away()
                self._show_shell(self.connection, self.shell.current, place)
                if self.connection is None and self._opened is None:
                    self._retry()
        finally:
            self.window.setUpdatesEnabled(True)

    def set_language(self, language: str) -> None:
        self.prefs.put("language", language)
        set_language(cast(Language, language))
        self._speak()
        self._app.setApplicationDisplayName(tr("客服管家", "Kefu Manager"))
        self._rebuild()

    def _speak(self) -> None:
        """What Qt says itself, in its file dialogs and the menus of its text fields, is in the language of the interface."""
        self._app.removeTranslator(self._qt_words)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if self._qt_words.load(tr("qtbase_zh_CN", "qtbase_en"), folder):
            self._app.installTranslator(self._qt_words)

    def set_theme(self, theme: str) -> None:
        self.prefs.put("theme", theme)
        self._dressing = True
        apply(self._app, self.prefs.get("theme"))
        self._dressing = False
        self._rebuild()

    def _on_system_scheme(self) -> None:
        # Applying a theme changes the scheme too; only a change from outside concerns us.
        if self.prefs.get("theme") == "system" and not self._dressing and not self._ended:
            apply(self._app, "system")
            self._rebuild()

    def _title(self, connection: Connection | None) -> None:
        name = tr("客服管家", "Kefu Manager")
        self.window.setWindowTitle(f"{connection.store.name or connection.store.code} · {name}" if connection is not None else name)

    def _full_screen(self, on: bool) -> None:
        window = self.window
        if on:
            self._window_state = window.isMaximized(), window.isFullScreen()
            window.showFullScreen()
        elif self._window_state is not None and self._window_state[0]:
            window.showMaximized()
        else:
            window.showNormal()

    def _place_window(self) -> None:
        stored = self.prefs.get("geometry")
        if stored and self.window.restoreGeometry(QByteArray(base64.b64decode(stored.encode("ascii", "ignore")))):
            return
        screen = QGuiApplication.primaryScreen().availableGeometry()
        self.window.resize(QSize(*FIRST_SIZE).boundedTo(screen.size() - QSize(*USUAL_FRAME)))

    def _keep_on_screen(self) -> None:
        """How thick the frame is, is known only once the window is shown."""
        window, screen = self.window, self.window.screen().availableGeometry()
        if window.isMaximized() or window.isFullScreen():
            return
        frame = window.frameGeometry()
        if not screen.contains(frame):
            around = frame.size() - window.size()
            window.resize(window.size().boundedTo(screen.size() - around))
            size = window.size() + around
            window.move(
                max(screen.left(), min(frame.left(), screen.right() + 1 - size.width())),
                max(screen.top(), min(frame.top(), screen.bottom() + 1 - size.height())),
            )  # fmt: skip

    def _on_window_shown(self, shown: bool) -> None:
        if self.shell is not None:
            self.shell.set_shown(shown)

    # -- saying --

    def _say(self, text: str) -> None:
        if self.shell is not None:
            self.shell.toast(text, "warn")
        else:
            show_toast(self.window, text, "warn")

    def _on_unhandled(self, problem: Problem) -> None:
        if problem.kind == "bug" and self._reporter is not None:
            self._reporter.show(problem)
        else:
            self._say(problem.sentence)

    def _log(self, error: BaseException) -> None:
        if self._reporter is not None:
            self._reporter.note(error)

    def _on_page_worked(self) -> None:
        if not self._page_seen:
            self._page_seen = True
            self._trace("shown")

    def _trace(self, what: str) -> None:
        launched = os.environ.get(TRACE_VARIABLE)
        if launched:
            sys.stdout.write(f"{what} {(time.time() - float(launched)) * 1000:.0f}\n")
            sys.stdout.flush()

    # -- end --

    def end(self) -> None:
        """Everything down, in the order the module tells; the second call does nothing."""
        if self._ended:
            return
        self._ended = True
        if self.shell is not None:
            self.shell.leave_wallboard()
            self.shell.put_away()
        if not self.window.isFullScreen():
            self.prefs.put("geometry", base64.b64encode(self.window.saveGeometry().data()).decode("ascii"))
        self.window.hide()
        self.prefs.flush()
        self._connector.stop()
        for held in (self.connection, self._opened):
            if held is not None:
                held.close()
        self.connection = self._opened = None
        self.operations.close()
        _guard_this_thread(False)
        self._garbage.stop()
        self._app.removeTranslator(self._qt_words)
        if self._reporter is not None:
            self._reporter.remove()
        self.window.deleteLater()
        self.shell = self.welcome = None
        self.finished.emit()


def _warm_up(keys: Sequence[str]) -> None:
    """On a reader thread: import the modules of these pages. A module that cannot be imported tells so when its page is shown."""
    for key in keys:
        factory = PAGES[key].factory if key in PAGES else None
        if factory is not None:
            try:
                import_module(factory.partition(":")[0])
            except Exception:
                continue


def _guard_this_thread(on: bool) -> None:
    """While on, a database call on the UI thread raises instead of stalling the window."""
    database = sys.modules.get("app.storage.database")
    if database is not None:
        (database.forbid_this_thread if on else database.allow_every_thread)()


def _end_without_display(level: QtMsgType, _context: QMessageLogContext, _text: str) -> None:
    if level is QtMsgType.QtFatalMsg:
        sys.stderr.write(f"{NO_DISPLAY}\n")
        sys.stderr.flush()
        os._exit(1)  # Qt aborts as soon as this returns


def run(options: Options) -> int:
    """Run the console until its window is closed; returns the exit status."""
    if sys.platform == "linux" and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        sys.stderr.write(f"{NO_DISPLAY}\n")
        return 1
    # A display that does not answer, or a library that is missing: Qt would abort with a page about its plugins.
    before = qInstallMessageHandler(_end_without_display)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    qInstallMessageHandler(before)
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    console = Console(app, options)
    console.finished.connect(app.quit)
    console.start()
    return app.exec()
