"""Python's cycle collector, on the UI thread only.

The collector runs on whichever thread happens to allocate. On a reader thread it would destroy widgets caught in reference
cycles there, which Qt does not survive. So it is switched off and run from a timer, small generations often, the full one
rarely; what the imports left behind is frozen out of its sight first, which keeps a full run short.
"""

from __future__ import annotations

import gc
import linecache

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1_000
FULL_EVERY = 300
"""A full collection at most once in so many rounds."""


class Garbage(QObject):
    """Collects between `start` and `stop`; `stop` gives the collector back to Python."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rounds = 0
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._collect)

    def start(self) -> None:
        gc.disable()
        self._timer.start()

    def freeze(self) -> None:
        """Call when the large imports are done and before pages are built. Does not collect first: that would stall the window."""
        gc.freeze()

    def stop(self) -> None:
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        # PySide looks through the source of every module that is imported after it, and linecache would keep it all: 16 MB.
        linecache.clearcache()
        self._rounds += 1
        young, middle, old = gc.get_count()
        if self._rounds >= FULL_EVERY and old > 0:
            self._rounds = 0
            gc.collect(2)
        elif middle > gc.get_threshold()[1]:
            gc.collect(1)
        elif young > gc.get_threshold()[0]:
            gc.collect(0)
