"""Faults of the program itself: caught wherever they surface, logged, and told once per distinct fault.

Hooks the three places where an error would otherwise end on a terminal nobody looks at: the interpreter, Python threads, Qt.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, QUrl, Signal, qInstallMessageHandler
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.runtime.problems import Problem, sort, without_passwords

LOG_BYTES = 1_000_000
LOG_FILES = 3

log = logging.getLogger("kefu")

_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class _Scrubbed(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_passwords(super().format(record))


class ErrorReporter(QObject):
    """Owns the log file and the hooks between `install` and `remove`. `report` may be called from any thread.

    `window()` gives the parent for dialogs, or None before there is one; a fault then is only logged.
    """

    _raised = Signal(object)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self.window: QWidget | None = None
        self._seen: dict[str, int] = {}
        self._handler: logging.Handler | None = None
        self._crash_file: Any = None
        self._catches_crashes = False
        self._installed = False
        self._raised.connect(self._tell)

    def install(self) -> None:
        """Start logging and hook what would otherwise be lost. A log that cannot be written costs nothing but the log."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._handler = RotatingFileHandler(self.folder / "console.log", "a", LOG_BYTES, LOG_FILES, "utf-8")
            self._crash_file = (self.folder / "crash.log").open("a", encoding="utf-8")
        except OSError:
            self._handler = logging.NullHandler()
        self._handler.setFormatter(_Scrubbed("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(self._handler)
        log.setLevel(logging.INFO)
        if self._crash_file is not None and not faulthandler.is_enabled():
            faulthandler.enable(self._crash_file)
            self._catches_crashes = True
        self._old_hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        sys.unraisablehook = self._on_unraisable
        qInstallMessageHandler(self._on_qt_message)
        self._installed = True

    def remove(self) -> None:
        """Take the hooks back and close the log."""
        if not self._installed:
            return
        self._installed = False
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._old_hooks
        qInstallMessageHandler(None)
        if self._catches_crashes:
            faulthandler.disable()
            self._catches_crashes = False
        if self._crash_file is not None:
            self._crash_file.close()
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()

    def report(self, error: BaseException) -> None:
        """Log a fault and, the first time it happens, show it."""
        problem = self.note(error)
        if problem.kind == "bug":
            self._raised.emit(problem)

    def note(self, error: BaseException) -> Problem:
        """Only log it, for a fault that is shown where it happened."""
        problem = sort(error)
        if problem.kind == "bug":
            log.error("%s", problem.details)
        else:
            log.warning("%s", problem.sentence)
        return problem

    def show(self, problem: Problem) -> None:
        """Show a problem with its details, once per distinct fault."""
        self._tell(problem)

    def _tell(self, problem: Problem) -> None:
        times = self._seen[problem.fingerprint] = self._seen.get(problem.fingerprint, 0) + 1
        if times == 1 and self.window is not None and self.window.isVisible():
            ProblemDialog(problem, self.folder, self.window).show()

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self.report(error.with_traceback(trace))

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.report(args.exc_value)

    def _on_unraisable(self, args: Any) -> None:
        if args.exc_value is not None:
            self.note(args.exc_value)

    def _on_qt_message(self, kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        logging.getLogger("qt").log(_QT_LEVELS.get(kind, logging.WARNING), "%s", text)


class ProblemDialog(QDialog):
    """One sentence, the details to copy, the way to the log. Does not block the window."""

    def __init__(self, problem: Problem, folder: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("程序出错", "Something went wrong"))
        self.setMinimumSize(560, 320)
        self._folder = folder
        sentence = QLabel(problem.sentence)
        sentence.setWordWrap(True)
        details = QPlainTextEdit(problem.details)
        details.setReadOnly(True)
        details.setAccessibleName(tr("错误详情", "Details of the error"))
        self._details = details
        copy = QPushButton(tr("复制详情", "Copy details"))
        copy.clicked.connect(self._copy)
        open_log = QPushButton(tr("打开日志文件夹", "Open the log folder"))
        open_log.clicked.connect(self._open_log)
        close = QPushButton(tr("继续使用", "Continue"))
        close.setProperty("kind", "primary")
        close.setDefault(True)
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addWidget(open_log)
        buttons.addStretch(1)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addWidget(sentence)
        layout.addWidget(details, 1)
        layout.addLayout(buttons)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._details.toPlainText())

    def _open_log(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
