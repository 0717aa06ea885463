"""Lets a source's events into a store as they happen and fills in its past in between.

Always in a process of its own. Killed at any moment it loses nothing: what was recorded is durable, the rest comes again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from app.domain.events import AnyEvent
from app.sources.base import Slice, Source
from app.storage import lived
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.progress import Progress
from app.storage.recorder import Recorder

TICK_SECONDS = 0.02
HEAR_SECONDS = 0.1
UPKEEP_AFTER_SECONDS = 300.0
UPKEEP_EVERY_SECONDS = 3600.0
INDEX_EVERY_SECONDS = 30.0
SEND_AFTER_SECONDS = 20.0
SEND_EVERY_SECONDS = 180.0
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0)


class Engine:
    """Runs one store from one source until `stop`.

    now: the store's clock, epoch ms. on_progress(done, total) is told at the start and after each backlog item. on_live is called once
    everything up to now is recorded. hear is called several times a second: it tells the source what others have done.
    """

    def __init__(
        self,
        database: Database,
        store: int,
        source: Source,
        now: Callable[[], int],
        backlog_size: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
        on_live: Callable[[], None] | None = None,
        hear: Callable[[], None] | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._source = source
        self._now = now
        self._recorder = Recorder(database, store)
        self._progress = Progress(database, store, source.name)
        self._total = backlog_size
        self._done = 0
        self._on_progress = on_progress
        self._on_live = on_live
        self._hear = hear
        self.hear_seconds = HEAR_SECONDS
        self._heard = 0.0
        self._stop = threading.Event()
        self._fill: Iterator[tuple[str, Sequence[Sequence[AnyEvent]]]] | None = source.backlog()
        self._item = ""
        self._pieces: deque[Sequence[AnyEvent]] = deque()

    def stop(self) -> None:
        """Ends `run` within a tick; safe from any thread and from signal handlers."""
        self._stop.set()

    def run(self) -> None:
        """Blocks until `stop`. A lost database is waited for; other faults end the run with FaultError."""
        self._tell()
        self.live()
        if self._on_live is not None and not self._stop.is_set():
            self._on_live()
        while not self._stop.is_set():
            self.tick()
            if not self._fill_some():
                self._stop.wait(TICK_SECONDS)

    def tick(self) -> None:
        """What others have done meanwhile, then what has happened."""
        if self._hear is not None and time.monotonic() >= self._heard + self.hear_seconds:
            self._insist(self._hear)
            self._heard = time.monotonic()
        self.live()

    def catch_up(self) -> None:
        """Records everything up to now and the whole backlog, then returns."""
        self._tell()
        self.live()
        while not self._stop.is_set() and self._fill_some():
            pass

    def live(self) -> None:
        """Records what has happened up to now."""
        for part in self._source.due(self._now()):
            if self._stop.is_set():
                return
            self._insist(partial(self._keep, part))

    def _keep(self, part: Slice) -> None:
        name = self._source.name
        with self._recorder.locked() as batch:
            if part.events:
                batch.record(part.events, name)
            if part.kept:
                lived.keep(batch.bulk, self._store, name, part.kept)
            if part.wishes:
                lived.ask(batch.bulk, self._store, self._now(), part.wishes)
                batch.also("commands")

    def _fill_some(self) -> bool:
        """One piece of the backlog; False when there is none left."""
        if self._fill is None:
            return False
        if not self._pieces:
            item = next(self._fill, None)
            if item is None:
                self._fill = None
                self._insist(lambda: self._progress.say(None))
                return False
            self._item, pieces = item
            self._pieces = deque(pieces)
        if self._pieces:
            self._insist(partial(self._recorder.record, self._pieces.popleft(), self._source.name))
        if not self._pieces:
            self._insist(lambda: self._progress.finish(self._item))
            self._done += 1
            self._tell()
        return True

    def _tell(self) -> None:
        if self._total:
            self._insist(lambda: self._progress.say((self._done, self._total)))
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)

    def _insist(self, action: Callable[[], object]) -> None:
        """Does it, waiting for a database that is away or locked: doing it again is harmless, losing it is not."""
        tries = 0
        while not self._stop.is_set():
            try:
                action()
                return
            except FaultError as fault:
                if fault.kind not in ("unreachable", "locked"):
                    raise
                self._stop.wait(_RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)])
                tries += 1


def repeat(stop: threading.Event, task: Callable[[], object], first: float, every: float, name: str) -> threading.Thread:
    """Does a task beside the work until `stop`: after `first` seconds, then `every` so many."""

    def keep_up() -> None:
        pause = first
        while not stop.wait(pause):
            pause = every
            try:
                task()
            except FaultError:  # a full disk, a lost connection: there will be another time
                continue

    thread = threading.Thread(target=keep_up, name=name, daemon=True)
    thread.start()
    return thread


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Calls `stop` when standard input ends, which it does when the parent is gone, whatever ended it."""

    def watch() -> None:
        descriptor = sys.stdin.fileno()  # whoever waits in the buffered reader holds its lock, which a program that ends needs
        while os.read(descriptor, 4096):
            pass
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()
