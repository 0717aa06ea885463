"""A window under measurement takes commands on standard input, one a line, and answers on standard output."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication, QObject, Signal

from benchmarks.heartbeat import Heartbeat

Command = Callable[[str], None]


class Answers(QObject):
    """`beat` begins to watch the UI thread, `rest` ends it and answers `pulse {…}`; the end of standard input ends the program.

    commands: further ones; each is called on the UI thread with the rest of its line.
    """

    _heard = Signal(str)

    def __init__(self, commands: Mapping[str, Command], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._heart = Heartbeat(self)
        self._commands: dict[str, Command] = {"beat": self._beat, "rest": self._rest, "end": self._end, **commands}
        self._heard.connect(self._obey)

    def start(self) -> None:
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            self._heard.emit(line.strip())
        self._heard.emit("end")

    def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        self._commands[word](rest)

    def _beat(self, _rest: str) -> None:
        self._heart.start()

    def _rest(self, _rest: str) -> None:
        say("pulse", self._heart.stop()._asdict())

    def _end(self, _rest: str) -> None:
        QCoreApplication.quit()


def say(word: str, what: object) -> None:
    print(word, json.dumps(what), flush=True)
