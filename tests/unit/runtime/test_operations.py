from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from app.domain.permissions import Actor
from app.storage.faults import FaultError
from ui.runtime.operations import READERS, Operations
from ui.runtime.problems import Problem


class Gate:
    """Blocking work that says when it began and ends when it is let go."""

    def __init__(self, result: object = None) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        self.result = result

    def __call__(self) -> object:
        self.began.set()
        assert self.go.wait(5)
        return self.result


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    found = Operations()
    yield found
    assert found.close()


@pytest.fixture
def owner(qapp: object) -> QObject:
    return QObject()


@pytest.fixture
def settle(operations: Operations, qtbot: QtBot) -> Callable[[], None]:
    return lambda: qtbot.waitUntil(lambda: not operations.busy())


def test_work_runs_elsewhere_and_the_answer_comes_here(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    seen: list[Any] = []
    here = threading.get_ident()
    operations.read(owner, threading.get_ident, lambda ident: seen.append((ident != here, threading.get_ident() == here)))
    settle()
    assert seen == [(True, True)]


def test_a_destroyed_owner_hears_nothing(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    gate = Gate()
    seen: list[object] = []
    operations.read(owner, gate, seen.append, seen.append)
    assert gate.began.wait(5)
    shiboken6.delete(owner)
    gate.go.set()
    settle()
    assert seen == []


def test_an_owner_destroyed_while_its_bug_was_on_the_way_leaves_it_to_the_log(
    operations: Operations, owner: QObject, settle: Callable[[], None]
) -> None:
    bugs: list[object] = []
    operations.bug.connect(bugs.append)
    operations.read(owner, lambda: 1 / 0, lambda _: None)
    shiboken6.delete(owner)
    settle()
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]


def test_the_newest_question_gets_the_only_answer(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    gate = Gate("first")
    seen: list[object] = []
    operations.latest(owner, "rows", gate, seen.append, question=1)
    assert gate.began.wait(5)
    for question in (2, 3, 4):
        operations.latest(owner, "rows", lambda question=question: question, seen.append, question=question)
    gate.go.set()
    settle()
    assert seen == [4]


def test_one_topic_never_runs_twice_at_once(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        QThread.msleep(2)
        with lock:
            running -= 1

    for _ in range(20):
        operations.latest(owner, "rows", work, lambda _: None)
    settle()
    assert most == 1


def test_the_same_question_again_is_answered_each_time_a_read_ends(
    operations: Operations, owner: QObject, settle: Callable[[], None]
) -> None:
    """A stream of refreshes must not starve the screen."""
    gate = Gate("old")
    seen: list[object] = []
    operations.latest(owner, "rows", gate, seen.append)
    assert gate.began.wait(5)
    operations.latest(owner, "rows", lambda: "new", seen.append)
    gate.go.set()
    settle()
    assert seen == ["old", "new"]


def test_topics_of_two_owners_are_apart(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    other = QObject()
    seen: list[object] = []
    operations.latest(owner, "rows", lambda: "one", seen.append, question=1)
    operations.latest(other, "rows", lambda: "two", seen.append, question=2)
    settle()
    assert sorted(map(str, seen)) == ["one", "two"]


def test_a_topic_lives_on_after_a_failure(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    seen: list[object] = []
    operations.latest(owner, "rows", lambda: 1 / 0, seen.append, lambda problem: seen.append(problem.kind))
    settle()
    operations.latest(owner, "rows", lambda: "good", seen.append)
    settle()
    assert seen == ["bug", "good"]


def test_a_callback_that_raises_does_not_block_its_topic(
    operations: Operations, owner: QObject, settle: Callable[[], None], qtbot: QtBot
) -> None:
    def broken(_result: object) -> None:
        raise RuntimeError("drawing failed")

    with qtbot.captureExceptions() as caught:
        operations.latest(owner, "rows", lambda: 1, broken)
        settle()
    assert len(caught) == 1
    seen: list[object] = []
    operations.latest(owner, "rows", lambda: 2, seen.append)
    settle()
    assert seen == [2]


def test_changes_happen_in_the_order_they_were_asked_for(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    done: list[int] = []
    for number in range(20):
        operations.change(owner, lambda number=number: done.append(number), lambda _: None)
    settle()
    assert done == list(range(20))


def test_a_change_does_not_wait_for_stuck_reads(operations: Operations, owner: QObject, qtbot: QtBot, settle: Callable[[], None]) -> None:
    gates = [Gate() for _ in range(READERS)]
    for gate in gates:
        operations.read(owner, gate, lambda _: None)
    changed: list[object] = []
    operations.change(owner, lambda: "changed", changed.append)
    qtbot.waitUntil(lambda: changed == ["changed"])
    for gate in gates:
        gate.go.set()
    settle()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FaultError("unreachable", "无法连接。"), "act"),
        (PermissionError("disk"), "bug"),
        (ValueError("x"), "bug"),
    ],
)
def test_errors_are_sorted_at_the_border(
    operations: Operations, owner: QObject, settle: Callable[[], None], error: Exception, kind: str
) -> None:
    told: list[Problem] = []
    bugs: list[object] = []
    operations.bug.connect(bugs.append)

    def fail() -> None:
        raise error

    operations.read(owner, fail, lambda _: None, told.append)
    settle()
    assert [problem.kind for problem in told] == [kind]
    assert bool(bugs) == (kind == "bug")


def test_what_is_not_allowed_comes_as_its_sentence(operations: Operations, owner: QObject, settle: Callable[[], None]) -> None:
    told: list[Problem] = []
    operations.unhandled.connect(told.append)
    operations.change(owner, lambda: Actor("anna", frozenset()).require("groups.edit"), lambda _: None)
    settle()
    assert [problem.kind for problem in told] == ["denied"]
    assert "没有权限" in told[0].sentence


def test_closing_drops_what_waits_and_tells_of_what_is_stuck(qtbot: QtBot, owner: QObject) -> None:
    operations = Operations()
    gates = [Gate() for _ in range(READERS)]
    ran: list[object] = []
    for gate in gates:
        operations.read(owner, gate, ran.append)
    operations.read(owner, lambda: ran.append("waiting"), lambda _: None)
    for gate in gates:
        assert gate.began.wait(5)
    assert operations.close(0.05) is False
    for gate in gates:
        gate.go.set()
    assert operations.close() is True
    operations.read(owner, lambda: ran.append("late"), lambda _: None)
    assert ran == []


def test_a_widget_in_a_closure_is_never_destroyed_on_a_reader_thread(operations: Operations, settle: Callable[[], None]) -> None:
    """The last reference to the owner is let go on this thread, even when nobody but the job held it."""
    here = QThread.currentThread()
    died_on: list[bool] = []

    class Widget(QObject):
        def __del__(self) -> None:
            died_on.append(QThread.currentThread() is here)

    for _ in range(50):
        widget = Widget()
        operations.read(widget, lambda widget=widget: widget.objectName(), lambda _: None)
        del widget
        settle()
    assert died_on == [True] * 50
