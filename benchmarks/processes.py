"""Processes under measurement: without a screen, with settings of their own, and a clock that starts when they do."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 120.0
_END_SECONDS = 5.0


class Observed:
    """A Python process whose lines on standard output are stamped as they arrive: a word, then what it has to say.

    home: folder for its settings. Raises RuntimeError when it ends before it has said what is waited for, TimeoutError when it is silent.
    """

    def __init__(self, *arguments: str, home: Path) -> None:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "KEFU_HOME": str(home), "KEFU_TRACE_START": "1"}
        self._lines: queue.SimpleQueue[tuple[float, str]] = queue.SimpleQueue()
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def system(self) -> psutil.Process:
        """What the operating system knows about it."""
        return psutil.Process(self._process.pid)

    def wait_for(self, word: str, patience: float = PATIENCE_SECONDS) -> tuple[float, str]:
        """(seconds since the process began, the rest of the line) of the next line that begins with `word`; others are passed over."""
        until = time.perf_counter() + patience
        while True:
            try:
                at, line = self._lines.get(timeout=max(0.0, until - time.perf_counter()))
            except queue.Empty:
                raise TimeoutError(f"no {word!r} within {patience:.0f} s") from None
            if not line:
                raise RuntimeError(f"ended before {word!r}, with exit status {self._process.wait()}")
            said, _, rest = line.strip().partition(" ")
            if said == word:
                return at - self.started, rest

    def said(self, word: str) -> list[str]:
        """The rest of each line so far that begins with `word`; others are passed over."""
        found: list[str] = []
        while True:
            try:
                _, line = self._lines.get_nowait()
            except queue.Empty:
                return found
            first, _, rest = line.strip().partition(" ")
            if first == word:
                found.append(rest)

    def ask(self, command: str, word: str) -> Any:
        """Writes a command to its standard input; the JSON it answers after `word`."""
        self.tell(command)
        return json.loads(self.wait_for(word)[1])

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def end_input(self) -> None:
        """What those that listen take as the wish that they end."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def cpu_seconds(self) -> float:
        times = self.system.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """Returns when it and the processes it started are gone."""
        family = [self.system, *self.system.children(recursive=True)] if self._process.poll() is None else []
        self._process.terminate()
        self._process.wait()
        _, left = psutil.wait_procs(family, timeout=_END_SECONDS)
        for process in left:
            process.kill()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put((time.perf_counter(), line))
        self._lines.put((time.perf_counter(), ""))


@contextmanager
def observed(*arguments: str, home: Path) -> Iterator[Observed]:
    process = Observed(*arguments, home=home)
    try:
        yield process
    finally:
        process.stop()
