from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.storage.faults import unreachable
from app.storage.notices import Notice
from ui.runtime import feed as module
from ui.runtime.feed import DELAYED_AFTER, LiveFeed, Quality


class Line:
    """Notices whose connection can be cut and mended; `say` commits something."""

    def __init__(self) -> None:
        self.said: queue.Queue[Notice] = queue.Queue()
        self.cut = threading.Event()
        self.opened = self.closed = self.waits = 0

    def connect(self) -> Line:
        if self.cut.is_set():
            raise unreachable()
        self.opened += 1
        return self

    def wait(self, timeout: float) -> list[Notice]:
        self.waits += 1
        if self.cut.is_set():
            raise unreachable()
        try:
            return [self.said.get(timeout=min(timeout, 0.02) or 0.001)]
        except queue.Empty:
            return []

    def close(self) -> None:
        self.closed += 1

    def say(self, *topics: str) -> None:
        self.said.put(Notice(1, 1, frozenset(topics), None))


class Clock:
    """Seconds that stand still until moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> list[object]:
    return []


@pytest.fixture
def feed(line: Line, clock: Clock, heard: list[object], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveFeed]:
    monkeypatch.setattr(module, "BACK_OFF", (0.01,))
    monkeypatch.setattr(module, "GAP_SECONDS", 0.0)
    found = LiveFeed(line.connect, clock=clock)
    found.noticed.connect(lambda topics: heard.append(topics))
    found.resumed.connect(lambda: heard.append("everything"))
    yield found
    found.ask_to_end()
    assert found.wait_for_end()


def test_what_is_committed_is_heard(feed: LiveFeed, line: Line, heard: list[object], qtbot: QtBot) -> None:
    assert feed.quality == Quality("connecting")
    feed.start()
    qtbot.waitUntil(lambda: feed.quality == Quality("live"))
    line.say("sessions", "messages")
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [frozenset({"sessions", "messages"})]


def test_a_cut_connection_comes_back_and_says_that_everything_changed(
    feed: LiveFeed, line: Line, heard: list[object], qtbot: QtBot
) -> None:
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    line.cut.set()
    qtbot.waitUntil(lambda: feed.quality.state == "reconnecting")
    assert feed.error is not None
    line.cut.clear()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    assert heard == ["everything"]
    assert feed.error is None
    assert line.opened == 1  # the notices know what was missed; a new object would not


def test_a_database_that_is_away_at_the_start_is_waited_for(feed: LiveFeed, line: Line, heard: list[object], qtbot: QtBot) -> None:
    line.cut.set()
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.state == "reconnecting")
    line.cut.clear()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    assert heard == ["everything"]


def test_data_nobody_confirms_is_delayed_and_ages(
    feed: LiveFeed, line: Line, clock: Clock, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    held = threading.Event()
    entered = threading.Event()

    def silent(_timeout: float) -> list[Notice]:
        entered.set()
        held.wait(5)
        return []

    monkeypatch.setattr(line, "wait", silent)
    assert entered.wait(5)
    clock.now += DELAYED_AFTER + 4
    feed._judge()
    assert feed.quality == Quality("delayed", DELAYED_AFTER + 4)
    held.set()
    monkeypatch.undo()
    qtbot.waitUntil(lambda: feed.quality.fresh)


def test_notices_that_come_while_the_window_is_busy_are_merged(feed: LiveFeed, line: Line, heard: list[object], qtbot: QtBot) -> None:
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    waits = line.waits
    for topic in ("sessions", "messages", "orders"):
        line.say(topic)
    while not line.said.empty() or line.waits < waits + 4:  # this thread, the window's, is busy meanwhile
        pass
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [frozenset({"sessions", "messages", "orders"})]


def test_paused_says_nothing_and_then_everything(feed: LiveFeed, line: Line, clock: Clock, heard: list[object], qtbot: QtBot) -> None:
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    feed.set_pace(None)
    assert feed.quality == Quality("paused")
    line.say("sessions")
    qtbot.waitUntil(lambda: feed._announced is False and line.said.empty() and bool(feed._topics))
    clock.now += 7
    feed._judge()
    assert feed.quality.age == 7
    assert heard == []
    feed.set_pace(0)
    assert heard == ["everything"]
    qtbot.waitUntil(lambda: feed.quality.fresh)


def test_a_slower_pace_gathers(feed: LiveFeed, line: Line, heard: list[object], qtbot: QtBot) -> None:
    feed.set_pace(0.05)
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    line.say("sessions")
    line.say("orders")
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [frozenset({"sessions", "orders"})]


def test_it_ends_while_waiting_to_reconnect(line: Line, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACK_OFF", (60.0,))
    line.cut.set()
    feed = LiveFeed(line.connect)
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.state == "reconnecting")
    feed.ask_to_end()
    assert feed.wait_for_end(1)


def test_reconnecting_by_hand_does_not_wait_for_the_back_off(line: Line, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACK_OFF", (60.0,))
    line.cut.set()
    feed = LiveFeed(line.connect)
    feed.start()
    qtbot.waitUntil(lambda: feed.quality.state == "reconnecting")
    line.cut.clear()
    feed.reconnect()
    qtbot.waitUntil(lambda: feed.quality.fresh)
    feed.ask_to_end()
    assert feed.wait_for_end()
    assert line.closed == 1
