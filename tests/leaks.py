"""The leak net: what a test leaves behind fails the test that left it.

Looks for top-level widgets, running timers, running QThreads and Python threads that were not there before.
"""

from __future__ import annotations

import gc
import threading
import time

from PySide6.QtCore import QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import Shiboken

GRACE_SECONDS = 2.0


Running = dict[tuple[str, int], str]


def running() -> Running:
    """Everything alive now, by kind and address, with words for it."""
    found: Running = {}
    if isinstance(QApplication.instance(), QApplication):
        for widget in QApplication.topLevelWidgets():
            if not _is_qts_own(widget):
                found["widget", Shiboken.getCppPointer(widget)[0]] = _describe(widget)
    for thing in Shiboken.getAllValidWrappers():
        if isinstance(thing, QTimer) and thing.isActive():
            found["timer", Shiboken.getCppPointer(thing)[0]] = f"timer of {_describe(thing.parent())}"
        elif isinstance(thing, QThread) and thing.isRunning() and thing is not QThread.currentThread():
            found["QThread", Shiboken.getCppPointer(thing)[0]] = _describe(thing)
    for thread in threading.enumerate():
        found["thread", id(thread)] = f"thread {thread.name}"
    return found


def assert_nothing_left(before: Running) -> None:
    """What has been on its way out may take a moment. Raises AssertionError naming what stays."""
    end = time.monotonic() + GRACE_SECONDS
    while True:
        _let_go()
        left = [words for thing, words in running().items() if thing not in before]
        if not left:
            return
        if time.monotonic() > end:
            raise AssertionError("left behind: " + ", ".join(sorted(left)))
        time.sleep(0.01)


def _let_go() -> None:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QApplication.processEvents()
    gc.collect()


def _is_qts_own(widget: QWidget) -> bool:
    """Tooltips, and the invisible frames that Qt keeps for combo boxes and menus of style sheets."""
    return widget.metaObject().className() in ("QTipLabel", "QComboBoxPrivateContainer", "QRubberBand")


def _describe(thing: QObject | None) -> str:
    return "nobody" if thing is None else f"{type(thing).__name__}({thing.objectName()})"
