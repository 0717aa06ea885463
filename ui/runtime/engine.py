"""The child engine of a local store: its own process, so that the window never shares an interpreter lock with ingest.

It must never outlive the console, not even one that was killed: the console holds the write end of the child's standard input
and never writes to it; the system closes it with the console, whatever the reason, and the child ends when it reads the end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from app.domain.language import tr

State = Literal["stopped", "starting", "running", "restarting"]

BACK_OFF_MS = (200, 500, 1_000, 2_000, 5_000)
STEADY_MS = 10_000
"""A child that has lived this long starts its back-off from the beginning when it dies."""
GRACE_MS = 2_000
LAST_WORDS = 2_000
"""Characters of the child's standard error kept to explain its death."""


def program(*arguments: str) -> list[str]:
    """The command line that runs this program headless with these arguments."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    return [sys.executable, str(Path(__file__).resolve().parents[2] / "main.py"), *arguments]


def progress_of(said: dict[str, Any]) -> tuple[int, int] | None:
    """(done, total) of a line the child said; None when there is nothing left to fill in, or it speaks of something else."""
    found = said.get("progress")
    if isinstance(found, list) and len(found) == 2 and all(type(number) is int for number in found) and 0 <= found[0] < found[1]:
        return found[0], found[1]
    return None


class ChildEngine(QObject):
    """Keeps one `serve` child alive between `start` and `stop`.

    command: program and arguments. `changed` fires on every change of `state`; `why` then says why it restarts. Each line of
    JSON on the child's standard output is passed on with `said(dict)`, such as {"progress": [done, total]}.
    """

    changed = Signal()
    said = Signal(object)

    def __init__(self, command: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = list(command)
        self.deaths = 0
        """In a row, since the child last lived for a while."""
        self._wanted = False
        self._state: State = "stopped"
        self.why = ""
        self._last_words = ""
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        self._process.readyReadStandardOutput.connect(self._hear)
        self._process.readyReadStandardError.connect(self._listen)
        self._process.started.connect(self._on_started)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._launch)
        self._steady = QTimer(self, singleShot=True, interval=STEADY_MS)
        self._steady.timeout.connect(self._on_steady)

    @property
    def state(self) -> State:
        return self._state

    @property
    def pid(self) -> int:
        """Process id of the child, 0 while there is none."""
        return self._process.processId()

    def start(self) -> None:
        self._wanted = True
        self.deaths = 0
        self._launch()

    def ask_to_end(self) -> None:
        """Close the child's standard input, which tells it to end, and return at once."""
        self._wanted = False
        self._again.stop()
        self._steady.stop()
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.closeWriteChannel()

    def stop(self) -> None:
        """Ask the child to end; after two seconds it is killed. Returns when it is gone."""
        self.ask_to_end()
        if self._process.state() != QProcess.ProcessState.NotRunning and not self._process.waitForFinished(GRACE_MS):
            self._process.kill()
            self._process.waitForFinished(GRACE_MS)
        self._set("stopped")

    def retire(self) -> None:
        """The same without waiting; the object deletes itself when the child is gone."""
        self.ask_to_end()
        if self._process.state() == QProcess.ProcessState.NotRunning:
            self.deleteLater()
            return
        self._process.finished.connect(self.deleteLater)
        QTimer.singleShot(GRACE_MS, self._process, self._process.kill)

    def _launch(self) -> None:
        if not self._wanted or self._process.state() != QProcess.ProcessState.NotRunning:
            return
        self._last_words = ""
        self._set("starting" if self.deaths == 0 else "restarting")
        self._process.start(self._command[0], self._command[1:])

    def _on_started(self) -> None:
        self._steady.start()
        self._set("running")

    def _on_steady(self) -> None:
        self.deaths = 0

    def _hear(self) -> None:
        while self._process.canReadLine():
            try:
                said = json.loads(bytes(self._process.readLine().data()))
            except ValueError:
                continue
            if isinstance(said, dict):
                self.said.emit(said)

    def _listen(self) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        self._last_words = (self._last_words + said)[-LAST_WORDS:]

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._last_words = self._process.errorString()
            self._on_finished()

    def _on_finished(self, code: int = -1) -> None:
        self._steady.stop()
        if not self._wanted:
            return
        lines = self._last_words.strip().splitlines()
        self.why = lines[-1] if lines else tr(f"引擎意外结束（{code}）", f"The engine ended unexpectedly ({code})")
        wait = BACK_OFF_MS[min(self.deaths, len(BACK_OFF_MS) - 1)]
        self.deaths += 1
        self._set("restarting")
        self._again.start(wait)

    def _set(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self.changed.emit()
