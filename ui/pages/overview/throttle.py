"""Not too often: a read that many notices ask for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Throttle(QObject):
    """Calls `fn` at once, and again no sooner than `gap_ms` later; asked for in between, it is called once when the time is up."""

    def __init__(self, fn: Callable[[], None], gap_ms: int, owner: QObject) -> None:
        super().__init__(owner)
        self._fn = fn
        self._wanted = False
        self._timer = QTimer(self, singleShot=True, interval=gap_ms)
        self._timer.timeout.connect(self._on_time)

    def ask(self) -> None:
        if self._timer.isActive():
            self._wanted = True
        else:
            self.now()

    def now(self) -> None:
        """Call without regard to the gap, and begin it anew."""
        self._wanted = False
        self._timer.start()
        self._fn()

    def stop(self) -> None:
        """Forget what was asked for."""
        self._wanted = False
        self._timer.stop()

    def _on_time(self) -> None:
        if self._wanted:
            self.now()
