from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import qWarning
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.language import set_language
from app.storage.faults import FaultError
from ui.runtime.errors import ErrorReporter, ProblemDialog
from ui.runtime.problems import sort, without_passwords


def fault(text: str = "broken") -> Exception:
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        return error


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    found = QWidget()
    qtbot.addWidget(found)
    found.show()
    return found


@pytest.fixture
def reporter(window: QWidget, tmp_path: Path) -> Iterator[ErrorReporter]:
    found = ErrorReporter(tmp_path / "log")
    found.window = window
    found.install()
    yield found
    found.remove()


def log_of(reporter: ErrorReporter) -> str:
    return (reporter.folder / "console.log").read_text("utf-8")


def dialogs(window: QWidget) -> list[ProblemDialog]:
    return [dialog for dialog in window.findChildren(ProblemDialog) if dialog.isVisible()]


def test_one_dialog_per_distinct_fault_and_every_one_in_the_log(reporter: ErrorReporter, window: QWidget) -> None:
    for _ in range(3):
        reporter.report(fault())
    assert len(dialogs(window)) == 1
    try:
        {}["missing"]
    except KeyError as error:
        reporter.report(error)
    assert len(dialogs(window)) == 2
    assert log_of(reporter).count("RuntimeError: broken") == 3


def test_a_thread_that_dies_is_reported_here(reporter: ErrorReporter, window: QWidget, qtbot: QtBot) -> None:
    thread = threading.Thread(target=lambda: 1 / 0, name="worker-7")
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(dialogs(window)) == 1)
    assert "ZeroDivisionError" in dialogs(window)[0].findChildren(QPlainTextEdit)[0].toPlainText()


def test_what_the_interpreter_and_qt_say_is_logged(reporter: ErrorReporter, window: QWidget) -> None:
    error = fault("from a slot")
    sys.excepthook(type(error), error, error.__traceback__)
    qWarning("a warning of Qt")
    assert "from a slot" in log_of(reporter)
    assert "a warning of Qt" in log_of(reporter)


def test_the_hooks_are_given_back(window: QWidget, tmp_path: Path) -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook, list(logging.getLogger().handlers)
    reporter = ErrorReporter(tmp_path / "log")
    reporter.install()
    assert sys.excepthook != before[0]
    reporter.remove()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook, list(logging.getLogger().handlers)) == before


def test_a_log_that_cannot_be_written_stops_nothing(window: QWidget, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    reporter = ErrorReporter(blocked / "log")
    reporter.window = window
    reporter.install()
    reporter.report(fault())
    assert len(dialogs(window)) == 1
    reporter.remove()


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://anna:secret@db/kefu", "could not connect: password=secret host=db", "postgresql+psycopg://a:secret@h:1/d?x=1",
        "PASSWORD=secret",
    ],
)  # fmt: skip
def test_no_password_gets_into_log_or_details(reporter: ErrorReporter, text: str) -> None:
    assert "secret" not in without_passwords(text)
    reporter.report(fault(text))
    logging.getLogger("kefu").error("said: %s", text)
    assert "secret" not in log_of(reporter)
    assert "secret" not in sort(fault(text)).details


def test_a_persons_fault_is_a_sentence_without_details() -> None:
    set_language("en")
    problem = sort(FaultError("refused", "Wrong password."))
    assert (problem.kind, problem.sentence, problem.details, problem.fingerprint) == ("act", "Wrong password.", "", "refused")
