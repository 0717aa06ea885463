"""Not too often: a read that many notices ask for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

_SHARE = 4


class Throttle(QObject):
    """Calls `fn` at once, and again no sooner than `gap_ms` later; asked for in between, it is called once when the time is up.

    Where answers come slowly the gap grows with them: reading takes at most a quarter of the time.
    """

    def __init__(self, fn: Callable[[], None], gap_ms: int, owner: QObject) -> None:
        super().__init__(owner)
        self._fn = fn
        self._gap = gap_ms
        self._wanted = False
        self._since = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._on_time)

    def ask(self) -> None:
        if self._timer.isActive():
            self._wanted = True
        else:
            self.now()

    def now(self) -> None:
        """Call without regard to the gap, and begin it anew."""
        self._wanted = False
        self._since.start()
        self._timer.start(self._gap)
        self._fn()

    def answered(self) -> None:
        """What was asked for last is here."""
        took = self._since.elapsed() if self._since.isValid() else 0
        if took * _SHARE > self._gap:
            self._timer.start(took * (_SHARE - 1))

    def stop(self) -> None:
        """Forget what was asked for."""
        self._wanted = False
        self._since.invalidate()
        self._timer.stop()

    def _on_time(self) -> None:
        if self._wanted:
            self.now()
