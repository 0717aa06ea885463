"""Blocking work off the UI thread: reads beside each other, changes one after another, long tasks in nobody's way.

Results come back through one relay that lives as long as the console, so a result is never lost with the object that asked,
and callbacks always run on the UI thread. Whoever asked and is destroyed meanwhile simply hears nothing.

The threads are daemons of our own and not a QThreadPool: that one waits without limit for its last job when it is destroyed,
and a job stuck in a dead network connection would keep a closed console alive.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal

from ui.runtime.problems import Problem, sort

R = TypeVar("R")
Failed = Callable[[Problem], None]

READERS = 2


@dataclass(slots=True)
class _Job:
    owner: QObject
    fn: Callable[[], Any] | None
    done: Callable[[Any], None]
    failed: Failed | None
    result: Any = None
    error: BaseException | None = None
    after: Callable[[], None] | None = None


@dataclass(slots=True)
class _Topic:
    """One running read and the newest one waiting behind it."""

    question: object
    waiting: _Job | None = None


@dataclass(slots=True)
class _Lane:
    name: str
    size: int
    jobs: queue.SimpleQueue[int | None] = field(default_factory=queue.SimpleQueue)
    threads: list[threading.Thread] = field(default_factory=list)


class Operations(QObject):
    """`read`, `latest`, `change` and `task`; create and use it on the UI thread only.

    A failure goes to the asker's `failed(problem)`, or, without one, to `unhandled(problem)`; a bug is announced with
    `bug(error)` in either case, so that it is logged.
    """

    bug = Signal(object)
    unhandled = Signal(object)
    _arrived = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = count(1)
        self._jobs: dict[int, _Job] = {}
        self._topics: dict[tuple[int, str], _Topic] = {}
        self._reads = _Lane("read", READERS)
        self._changes = _Lane("change", 1)
        self._tasks = _Lane("task", 1)
        self._closed = False
        self._arrived.connect(self._deliver)

    def read(self, owner: QObject, fn: Callable[[], R], done: Callable[[R], None], failed: Failed | None = None) -> None:
        """Run blocking `fn()` on a reader thread, then `done(result)` or `failed(problem)` here, unless `owner` is gone by then."""
        self._start(self._reads, _Job(owner, fn, done, failed))

    def change(self, owner: QObject, fn: Callable[[], R], done: Callable[[R], None], failed: Failed | None = None) -> None:
        """The same for a change; changes run one after another in the order they were asked for."""
        self._start(self._changes, _Job(owner, fn, done, failed))

    def task(self, owner: QObject, fn: Callable[[], R], done: Callable[[R], None], failed: Failed | None = None) -> None:
        """The same for what may take minutes, such as an export; tasks run one after another and keep no read or change waiting."""
        self._start(self._tasks, _Job(owner, fn, done, failed))

    def latest(
        self, owner: QObject, topic: str, fn: Callable[[], R], done: Callable[[R], None], failed: Failed | None = None,
        question: object = None,
    ) -> None:  # fmt: skip
        """A read of which the owner never has more than one running per topic, and of which only the newest waits.

        question: what is asked (filters, range …), compared by equality. An answer to another question than the newest one
        is dropped; the same question asked again and again (a refresh) is answered each time a read ends.
        """
        key = (id(owner), topic)
        job = _Job(owner, fn, done, failed)
        running = self._topics.get(key)
        if running is None:
            self._topics[key] = _Topic(question)
            self._start_topic(key, question, job)
        else:
            running.question = question
            running.waiting = job

    def _start_topic(self, key: tuple[int, str], question: object, job: _Job) -> None:
        done, failed = job.done, job.failed

        def current() -> bool:
            return bool(self._topics[key].question == question)

        def after() -> None:
            topic = self._topics[key]
            if topic.waiting is None or not shiboken6.isValid(topic.waiting.owner) or self._closed:
                del self._topics[key]
                return
            following, topic.waiting = topic.waiting, None
            self._start_topic(key, topic.question, following)

        job.done = lambda result: done(result) if current() else None
        job.failed = None if failed is None else (lambda problem: failed(problem) if current() else None)
        job.after = after
        self._start(self._reads, job)

    def busy(self) -> bool:
        """Whether anything has been asked and not yet answered."""
        return bool(self._jobs)

    def close(self, seconds: float = 1.0) -> bool:
        """Take no more work, drop what waits, give what runs this long to end; False if a job is still stuck."""
        self._closed = True
        self._jobs.clear()
        self._topics.clear()
        lanes = (self._reads, self._changes, self._tasks)
        for lane in lanes:
            for _ in lane.threads:
                lane.jobs.put(None)
        until = time.monotonic() + seconds
        threads = [thread for lane in lanes for thread in lane.threads]
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _start(self, lane: _Lane, job: _Job) -> None:
        if self._closed:
            return
        number = next(self._numbers)
        self._jobs[number] = job
        lane.jobs.put(number)
        if len(lane.threads) < lane.size:
            thread = threading.Thread(target=self._work, args=(lane.jobs,), name=f"{lane.name}-{len(lane.threads)}", daemon=True)
            lane.threads.append(thread)
            thread.start()

    def _work(self, jobs: queue.SimpleQueue[int | None]) -> None:
        while (number := jobs.get()) is not None:
            self._run(number)

    def _run(self, number: int) -> None:
        # The table on the UI thread keeps the job until it is delivered. Every reference held here must be gone before the
        # announcement: the last one decides on which thread a widget caught in a closure is destroyed.
        job = self._jobs.get(number)
        if job is None or job.fn is None:
            return
        try:
            job.result = job.fn()
        except BaseException as error:
            job.error = error
        del job
        try:
            self._arrived.emit(number)
        except RuntimeError:  # the console closed while this job was stuck, and took the relay with it
            return

    def _deliver(self, number: int) -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        try:
            if shiboken6.isValid(job.owner):
                self._answer(job)
            elif job.error is not None and sort(job.error).kind == "bug":
                self.bug.emit(job.error)
        finally:
            if job.after is not None:
                job.after()

    def _answer(self, job: _Job) -> None:
        if job.error is None:
            job.done(job.result)
            return
        problem = sort(job.error)
        if problem.kind == "bug":
            self.bug.emit(job.error)
        if job.failed is not None:
            job.failed(problem)
        else:
            self.unhandled.emit(problem)
