"""A small store, and the seats page opened on it, for the journeys through that page."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import text

from app.domain import events as ev
from app.domain.localtime import LocalTime
from app.domain.permissions import Actor
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from tests.databases import sqlite_schema
from ui import theme
from ui.pagehost import PageHost
from ui.pages.registry import PAGES, PageContext
from ui.pages.seats import SeatsPage
from ui.pages.seats.agent import AgentPanel
from ui.pages.seats.lines import TOTAL_ID, Filters
from ui.runtime.drafts import Drafts
from ui.runtime.feed import LiveFeed, Quality
from ui.runtime.operations import Operations
from ui.runtime.preferences import Preferences
from ui.widgets.session_facts import SessionPanel

LOCAL = LocalTime("Asia/Shanghai")
DAY = 20_000
MIDNIGHT = LOCAL.start_of_day(DAY)
MINUTE, HOUR = 60_000, 3_600_000
NOON = MIDNIGHT + 12 * HOUR


class Shop:
    """A store in a file whose clock stands still, and the hands that make things happen in it."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(sqlite_schema())
        self.database = Database(f"sqlite:///{path}")
        self.id = open_store(self.database, "shop", "Asia/Shanghai", "小店")
        self._recorder = Recorder(self.database, self.id)
        self._count = 0
        self.now = NOON
        self.set_clock(NOON)

    def set_clock(self, now: int) -> None:
        self.now = now
        with self.database.write() as connection:
            connection.execute(text("UPDATE stores SET clock = :clock"), {"clock": json.dumps({"wall": 0, "store": now, "speed": 0})})

    def clock(self) -> int:
        return self.now

    def record(self, *events: ev.AnyEvent) -> None:
        self._recorder.record(events)

    def name(self) -> str:
        self._count += 1
        return f"e{self._count}"

    def agent(
        self, code: str, name: str, team: str = "", capacity: int | None = None, state: ev.State = "available", since: int = NOON - HOUR
    ) -> None:
        self.record(
            ev.AgentUpserted(id=self.name(), at=since, agent=code, name=name, team=team, capacity=capacity),
            ev.AgentPresence(id=self.name(), at=since, agent=code, state=state),
        )

    def session(
        self, agent: str, at: int = NOON - 30 * MINUTE, reply_after: int | None = None, group: str = "g1", closed: bool = False,
        score: int | None = None,
    ) -> str:  # fmt: skip
        """A customer writes at `at`; the answer, if any, comes `reply_after` milliseconds later."""
        code = f"s-{self.name()}"
        events: list[ev.AnyEvent] = [
            ev.SessionOpened(id=self.name(), at=at, session=code, customer=f"c-{code}", group=group, agent=agent),
            ev.SessionAssigned(id=self.name(), at=at, session=code, agent=agent, group=group),
            ev.MessageSent(id=self.name(), at=at, session=code, sender="customer", text="在吗"),
        ]
        if reply_after is not None:
            events.append(ev.MessageSent(id=self.name(), at=at + reply_after, session=code, sender="agent", agent=agent, text="在的"))
        if score is not None:
            events.append(ev.RatingGiven(id=self.name(), at=at + 4 * MINUTE, session=code, score=score))
        if closed:
            events.append(ev.SessionClosed(id=self.name(), at=at + 5 * MINUTE, session=code, by="customer"))
        self.record(*events)
        return code

    def say(self, session: str, sender: ev.Sender, words: str, at: int = NOON - MINUTE) -> None:
        self.record(ev.MessageSent(id=self.name(), at=at, session=session, sender=sender, text=words))


class PageDesk:
    """Somebody's pages over one store: `went` is where they wanted to lead, `toasts` what they said, `faults` what they could not read."""

    size = 1220, 852

    def __init__(self, shop: Shop, folder: Path, qtbot: QtBot, actor: Actor) -> None:
        self.shop, self.qtbot = shop, qtbot
        self.workspace = Workspace(shop.database, actor)
        self.store = self.workspace.store("shop")
        self.operations = Operations()
        self.feed = LiveFeed(lambda: self.workspace.notices(self.store.id))
        self.prefs = Preferences(folder / "preferences.json")
        self.went: list[tuple[str, dict[str, Any]]] = []
        self.toasts: list[str] = []
        self.faults: list[object] = []
        self.context = PageContext(
            self.workspace, self.store, actor, self.feed, self.prefs, self.operations, shop.clock,
            lambda key, where: self.went.append((key, where)), lambda words, level: self.toasts.append(words),
        )  # fmt: skip

    def host_of(self, key: str) -> PageHost:
        """A page in its host, on the feed, not shown yet."""
        host = PageHost(PAGES[key], self.context)
        host.faulted.connect(self.faults.append)
        self.qtbot.addWidget(host)
        host.resize(*self.size)
        self.feed.noticed.connect(host.on_notice)
        self.feed.resumed.connect(host.refresh)
        self.feed.quality_changed.connect(host.on_quality)
        return host

    def bring_up(self, host: PageHost) -> None:
        host.show()
        host.activateWindow()
        self.qtbot.waitExposed(host)

    def open_hosts(self) -> list[PageHost]:
        raise NotImplementedError

    def settle(self) -> None:
        self.until(lambda: not self.operations.busy())

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=5000)

    def press(self, key: Qt.Key) -> None:
        """To whatever has the keyboard."""
        QTest.keyClick(QApplication.focusWidget() or self.open_hosts()[0], key)
        self.settle()

    def keys(self, widget: QWidget, *keys: Qt.Key | str) -> None:
        """Typed at a widget, one after the other."""
        for key in keys:
            if isinstance(key, str):
                QTest.keyClicks(widget, key)
            else:
                QTest.keyClick(widget, key)
        self.settle()

    def close(self) -> None:
        for host in self.open_hosts():
            host.deactivate()
        self.feed.ask_to_end()
        assert self.feed.wait_for_end()
        assert self.operations.close()
        self.prefs.flush()


class Desk(PageDesk):
    """One page in its host, on its feed."""

    def __init__(self, shop: Shop, folder: Path, qtbot: QtBot, actor: Actor, key: str = "seats") -> None:
        super().__init__(shop, folder, qtbot, actor)
        self.key = key
        self.host = self._host()

    def _host(self) -> PageHost:
        host = self.host_of(self.key)
        self.bring_up(host)
        return host

    def open_hosts(self) -> list[PageHost]:
        return [self.host]

    @property
    def page(self) -> SeatsPage:
        assert isinstance(self.host.page, SeatsPage)
        return self.host.page

    def open(self, where: dict[str, Any] | None = None, filters: Filters | None = None) -> SeatsPage:
        if filters is not None:
            self.prefs.put_page("seats", {"filters": {"everyone": filters.everyone, "text": filters.text, "team": filters.team}})
        self.host.activate(where)
        self.settle()
        return self.page

    def reopen(self) -> SeatsPage:
        """The same person comes back: a new page with what the old one remembered."""
        self.replace_page()
        return self.open()

    def replace_page(self) -> None:
        """The old page is gone, and another in its place."""
        self.host.deactivate()
        self.host.hide()
        self.host.deleteLater()
        self.host = self._host()

    def restart(self) -> None:
        """As after another start, or in another language or theme: only what the preferences hold is left."""
        self.host.deactivate()
        self.context = replace(self.context, drafts=Drafts())
        self.replace_page()

    def listen(self) -> None:
        """Hear the store's notices; everything that happened before has been read."""
        self.feed.start()
        self.until(lambda: self.feed.quality == Quality("live"))
        self.settle()

    def ids(self) -> list[object]:
        return list(self.page._rows.ids())

    def text(self, code: str, key: str) -> str:
        return self.page._rows.cell(code, key).text

    def total(self, key: str) -> str:
        ((row_id, cells),) = self.page._rows.pinned()
        assert row_id == TOTAL_ID
        return cells[key].text

    def choose(self, filters: Filters) -> None:
        """As the person would, by the controls of the bar."""
        bar = self.page._bar
        bar.set_filters(filters)
        self.page._filtered()
        self.settle()

    def panel(self) -> AgentPanel:
        found = self.page._detail.drawer.current()
        assert isinstance(found, AgentPanel)
        return found

    def talk(self) -> SessionPanel:
        found = self.page._detail.drawer.current()
        assert isinstance(found, SessionPanel)
        return found


D = TypeVar("D", bound=Desk)


@contextmanager
def quiet_window() -> Iterator[None]:
    """A styled window without motion. The collector rests, as in the console: on a reader thread it would destroy widgets."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    if not app.styleSheet():
        theme.apply(app, "light")
    theme.set_reduced_motion(True)
    gc.disable()
    yield
    gc.enable()
    theme.set_reduced_motion(None)


@contextmanager
def opened(shop: Shop, folder: Path, qtbot: QtBot, actor: Actor, key: str = "seats", kind: type[D] = Desk) -> Iterator[D]:
    """A desk, with the window dressed and nothing moving."""
    with quiet_window(), closing(kind(shop, folder, qtbot, actor, key)) as desk:
        yield desk


def a_day(shop: Shop) -> None:
    """王敏 has answered three of four, 李华 one of one and is suspended, 赵强 has gone home."""
    shop.agent("a1", "王敏", "售前一组", capacity=2)
    shop.agent("a2", "李华", "售后一组", state="suspended")
    shop.agent("a3", "赵强", "售后一组", capacity=5, state="offline")
    for hours in (1, 2, 3):
        shop.session("a1", NOON - hours * HOUR, reply_after=40_000, closed=True, score=2)
    shop.session("a1", NOON - 10 * MINUTE)
    shop.session("a2", NOON - HOUR, reply_after=10_000, closed=True, group="g2", score=5)
    shop.session("a3", NOON - 4 * HOUR, reply_after=10_000, closed=True)
