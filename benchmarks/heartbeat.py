"""How long a thread that runs an event loop could not have answered anybody."""

from __future__ import annotations

import time
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, QTimer

from benchmarks.harness import percentile

_BEAT_MS = 1


class Pulse(NamedTuple):
    """Milliseconds between two beats of a 1 ms timer: the longest, and the 99.9th percentile. `work_ms` is the most processor time
    the thread itself used between two beats: what remains of the longest where other programs did not get in the way."""

    longest_ms: float
    p999_ms: float
    work_ms: float


class Heartbeat(QObject):
    """Beats on the thread that made it, between `start` and `stop`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gaps: list[float] = []
        self._works: list[float] = []
        self._last = self._used = 0.0
        self._timer = QTimer(self, interval=_BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._gaps.clear()
        self._works.clear()
        self._last, self._used = time.perf_counter(), time.thread_time()
        self._timer.start()

    def stop(self) -> Pulse:
        self._timer.stop()
        return Pulse(max(self._gaps) * 1000, percentile(self._gaps, 0.999) * 1000, max(self._works) * 1000)

    def _beat(self) -> None:
        now, used = time.perf_counter(), time.thread_time()
        self._gaps.append(now - self._last)
        self._works.append(used - self._used)
        self._last, self._used = now, used
