"""The child engine against tiny stand-ins for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from ui.runtime import engine as module
from ui.runtime.engine import ChildEngine

OBEDIENT = "import sys; print('{\"progress\": [1, 3]}', flush=True); print('noise', flush=True); sys.stdin.buffer.read()"
STUBBORN = "import sys, time; print('{}', flush=True); time.sleep(60)"
DYING = "import sys; sys.exit('the disk is full')"


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Callable[[str], ChildEngine]]:
    engines: list[ChildEngine] = []

    def begin(script: str) -> ChildEngine:
        engine = ChildEngine([sys.executable, "-c", script])
        engines.append(engine)
        engine.start()
        return engine

    yield begin
    for engine in engines:
        engine.stop()


def test_it_runs_says_and_ends_when_its_input_ends(start: Callable[[str], ChildEngine], qtbot: QtBot) -> None:
    engine = start(OBEDIENT)
    said: list[object] = []
    engine.said.connect(said.append)
    qtbot.waitUntil(lambda: said == [{"progress": [1, 3]}])
    assert engine.state == "running"
    pid = engine.pid
    engine.stop()
    assert engine.state == "stopped"
    assert not psutil.pid_exists(pid)


def test_a_child_that_dies_is_started_again_and_says_why(
    start: Callable[[str], ChildEngine], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACK_OFF_MS", (1,))
    states: list[str] = []
    engine = ChildEngine([sys.executable, "-c", DYING])
    engine.changed.connect(lambda: states.append(engine.state))
    engine.start()
    qtbot.waitUntil(lambda: engine.deaths >= 2)
    engine.stop()
    assert engine.why == "the disk is full"
    assert states[:3] == ["starting", "running", "restarting"]


def test_a_killed_child_comes_back(start: Callable[[str], ChildEngine], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACK_OFF_MS", (1,))
    engine = start(OBEDIENT)
    qtbot.waitUntil(lambda: engine.state == "running")
    first = engine.pid
    psutil.Process(first).kill()
    qtbot.waitUntil(lambda: engine.state == "running" and engine.pid not in (0, first))


def test_a_program_that_cannot_be_started_is_told(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACK_OFF_MS", (1,))
    engine = ChildEngine(["/nowhere/at/all"])
    engine.start()
    qtbot.waitUntil(lambda: engine.deaths >= 2)
    assert engine.why
    engine.stop()


def test_a_child_that_does_not_listen_is_killed(start: Callable[[str], ChildEngine], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_MS", 50)
    engine = start(STUBBORN)
    with qtbot.waitSignal(engine.said):
        pass
    pid = engine.pid
    engine.stop()
    assert not psutil.pid_exists(pid)


def test_retiring_waits_for_nobody_and_leaves_nobody(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_MS", 100)
    for script in (OBEDIENT, STUBBORN):
        engine = ChildEngine([sys.executable, "-c", script])
        engine.start()
        with qtbot.waitSignal(engine.said):
            pass
        pid = engine.pid
        with qtbot.waitSignal(engine.destroyed):
            began = time.monotonic()
            engine.retire()
            assert time.monotonic() - began < 0.05
        assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_the_child_ends_when_the_console_is_killed(tmp_path: Path) -> None:
    """A whole console process, killed without a chance to clean up."""
    script = textwrap.dedent(
        f"""
        import sys
        from PySide6.QtCore import QCoreApplication
        from ui.runtime.engine import ChildEngine
        app = QCoreApplication([])
        engine = ChildEngine([sys.executable, "-c", {OBEDIENT!r}])
        engine.said.connect(lambda _: print(engine.pid, flush=True))
        engine.start()
        app.exec()
        """
    )
    root = Path(__file__).resolve().parents[3]
    console = subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True)
    try:
        assert console.stdout is not None
        child = psutil.Process(int(console.stdout.readline()))
        os.kill(console.pid, signal.SIGKILL)
        gone, alive = psutil.wait_procs([child], timeout=5)
        assert [process.pid for process in gone] == [child.pid]
        assert alive == []
    finally:
        console.kill()
        console.communicate()
