"""What changed, pushed from the database to the window, together with how far it can be trusted.

A thread waits on the store's notices and hands them to the UI thread. After a break it connects again and says that
everything may have changed: reads that failed meanwhile have to be repeated, whatever the notices say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

WAIT_SECONDS = 0.5
"""Longest single wait on the database, and so the longest a closing console waits for this thread."""
GAP_SECONDS = 0.1
"""At most one announcement in this time; notices between are merged."""
BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0)
DELAYED_AFTER = 3.0
"""Seconds without contact after which the data shown counts as delayed."""

State = Literal["connecting", "live", "delayed", "reconnecting", "paused"]

PACES: tuple[float | None, ...] = (0, 3, 10, 60, 180, 300, None)
"""Choices for how often notices are passed on: 0 = at once, seconds, None = paused."""


class Quality(NamedTuple):
    """How far what is on screen can be trusted. `age` is seconds since the database last confirmed it, or since the pause began."""

    state: State
    age: float = 0.0

    @property
    def fresh(self) -> bool:
        return self.state == "live"


class Notice(Protocol):
    @property
    def topics(self) -> frozenset[str]: ...


class Notices(Protocol):
    """`wait` blocks up to about `timeout` seconds and returns what came, perhaps nothing; raises while the connection is lost, and
    may then be called again to reconnect."""

    def wait(self, timeout: float) -> list[Any]: ...

    def close(self) -> None: ...


class LiveFeed(QObject):
    """Lives on the UI thread. `connect_notices` opens the notices of one store; it blocks and is called on the feed's thread.

    noticed(topics): these topics changed; at most ten times a second, or at the chosen pace.
    resumed(): the connection was lost and is back, or the pace was taken off pause: read everything again.
    quality_changed(Quality): on every change of state, and each second while the data ages.
    """

    noticed = Signal(object)
    resumed = Signal()
    quality_changed = Signal(object)
    _heard = Signal()

    def __init__(
        self, connect_notices: Callable[[], Notices], parent: QObject | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._connect_notices = connect_notices
        self._clock = clock
        self._lock = threading.Lock()
        self._topics: set[str] = set()
        self._all = False
        self._announced = False
        self._connected = False
        self._contact = clock()
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._retry = threading.Event()
        self._thread: threading.Thread | None = None
        self._quality = Quality("connecting")
        self._pace: float | None = 0
        self._paused_at = 0.0
        self._pace_timer = QTimer(self, singleShot=True)
        self._pace_timer.timeout.connect(self._pass_on)
        self._age_timer = QTimer(self, interval=1000)
        self._age_timer.timeout.connect(self._judge)
        self._heard.connect(self._on_heard)

    # -- for pages and the shell, on the UI thread --

    @property
    def quality(self) -> Quality:
        return self._quality

    @property
    def error(self) -> BaseException | None:
        """Why the connection is down, if it is."""
        return self._error

    @property
    def pace(self) -> float | None:
        return self._pace

    def start(self) -> None:
        self._contact = self._clock()
        self._thread = threading.Thread(target=self._run, name="live-feed", daemon=True)
        self._thread.start()
        self._age_timer.start()

    def ask_to_end(self) -> None:
        """Say nothing more; the thread ends soon."""
        self._stop.set()
        self._retry.set()
        self._age_timer.stop()
        self._pace_timer.stop()

    def wait_for_end(self, seconds: float = 1.5) -> bool:
        """From any thread. False if the thread is still stuck in the database after this time (it is a daemon and holds nothing up)."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def set_pace(self, pace: float | None) -> None:
        """Pass notices on at once (0), at most every so many seconds, or not at all (None)."""
        was, self._pace = self._pace, pace
        self._pace_timer.stop()
        if was is not None and pace is None:
            self._paused_at = self._clock()
        if was is None and pace is not None:
            with self._lock:
                self._all = True
        self._judge()
        self._on_heard()

    def reconnect(self) -> None:
        """Try again now instead of at the end of the back-off."""
        self._retry.set()

    # -- on the UI thread --

    def _on_heard(self) -> None:
        with self._lock:
            self._announced = False
            something = bool(self._topics) or self._all
        self._judge()
        if not something or self._pace is None or self._stop.is_set():
            return
        if self._pace == 0:
            self._pass_on()
        elif not self._pace_timer.isActive():
            self._pace_timer.start(round(self._pace * 1000))

    def _pass_on(self) -> None:
        with self._lock:
            topics, everything = frozenset(self._topics), self._all
            self._topics.clear()
            self._all = False
        if everything:
            self.resumed.emit()
        elif topics:
            self.noticed.emit(topics)

    def _judge(self) -> None:
        with self._lock:
            connected, contact = self._connected, self._contact
        age = max(0.0, self._clock() - (self._paused_at if connected and self._pace is None else contact))
        state: State
        if not connected:
            state = "connecting" if self._error is None else "reconnecting"
        elif self._pace is None:
            state = "paused"
        elif age > DELAYED_AFTER:
            state = "delayed"
        else:
            state = "live"
        shown = Quality(state, 0.0 if state == "live" else float(int(age)))
        if shown != self._quality:
            self._quality = shown
            self.quality_changed.emit(shown)

    # -- on the feed's own thread --

    def _run(self) -> None:
        notices: Notices | None = None
        failures = 0
        while not self._stop.is_set():
            try:
                if notices is None:
                    notices = self._connect_notices()
                    found = notices.wait(0)
                else:
                    found = notices.wait(0 if failures else WAIT_SECONDS)
                topics = {topic for notice in found for topic in notice.topics}
                self._note(topics, everything=failures > 0)
                failures = 0
                if topics:
                    self._stop.wait(GAP_SECONDS)
            except Exception as error:
                self._lose(error)
                self._retry.wait(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
                self._retry.clear()
                failures += 1
        if notices is not None:
            _close_quietly(notices)

    def _note(self, topics: set[str], everything: bool) -> None:
        with self._lock:
            late = not self._connected or self._clock() - self._contact > DELAYED_AFTER
            self._contact = self._clock()
            self._topics.update(topics)
            self._all = self._all or everything
            self._connected = True
            self._error = None
        if topics or everything or late:
            self._announce()

    def _lose(self, error: BaseException) -> None:
        with self._lock:
            self._connected = False
            self._error = error
        self._announce()

    def _announce(self) -> None:
        with self._lock:
            if self._announced or self._stop.is_set():
                return
            self._announced = True
        try:
            self._heard.emit()
        except RuntimeError:  # the window is gone and took the feed's C++ half with it
            self._stop.set()


def _close_quietly(notices: Notices) -> None:
    try:
        notices.close()
    except Exception:  # a lost connection cannot be closed in good order; the reason is already told
        return
