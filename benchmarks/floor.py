"""The floor: a window that shows nothing, as anybody would begin a program with Qt, pyqtgraph and SQLAlchemy.

Says `painted` when it has been, and answers `beat` and `rest` as the console under measurement does (benchmarks/console.py).
"""

from __future__ import annotations

import sys

import pyqtgraph
import sqlalchemy
from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow

LIBRARIES = (pyqtgraph, sqlalchemy)


class Bare(QMainWindow):
    def __init__(self) -> None:
        super().__init__()
        self.resize(1440, 900)
        self._painted = False

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, lambda: print("painted", flush=True))


def main() -> None:
    app = QApplication(sys.argv)
    window = Bare()
    window.show()
    if "--answering" in sys.argv:
        from benchmarks.answers import Answers

        answers = Answers({}, window)
        answers.start()
    app.exec()


if __name__ == "__main__":
    main()
