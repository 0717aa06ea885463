"""A small store, and the history pages opened on it, for the journeys through those pages."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain import events as ev
from app.domain.localtime import day_date
from app.domain.metrics import METRICS
from app.domain.permissions import Actor
from app.services.reports import Question
from app.services.workspace import Workspace
from tests.journeys.seats_desk import DAY, HOUR, LOCAL, NOON, Shop
from ui import theme
from ui.pagehost import PageHost
from ui.pages.history.page import HistoryPage
from ui.pages.registry import PAGES, Page, PageContext
from ui.runtime.feed import LiveFeed
from ui.runtime.operations import Operations
from ui.runtime.preferences import Preferences
from ui.widgets.empty import EmptyState

TODAY = day_date(DAY)
YESTERDAY = TODAY - timedelta(days=1)
DAY_MS = 24 * HOUR


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


class HistoryDesk:
    """Pages in their hosts over one store, for one person."""

    def __init__(self, shop: Shop, folder: Path, qtbot: QtBot, actor: Actor) -> None:
        self.shop, self.qtbot = shop, qtbot
        self.workspace = Workspace(shop.database, actor)
        self.store = self.workspace.store("shop")
        self.operations = Operations()
        self.feed = LiveFeed(lambda: self.workspace.notices(self.store.id))
        self.prefs = Preferences(folder / "preferences.json")
        self.toasts: list[str] = []
        self.faults: list[object] = []
        self.went: list[tuple[str, dict[str, Any]]] = []
        self.context = PageContext(
            self.workspace, self.store, actor, self.feed, self.prefs, self.operations, shop.clock,
            lambda key, where: self.went.append((key, where)), lambda words, level: self.toasts.append(words),
        )  # fmt: skip
        self.hosts: dict[str, PageHost] = {}

    def open(self, key: str = "compare", where: dict[str, Any] | None = None) -> HistoryPage:
        page = self.show(key, where)
        assert isinstance(page, HistoryPage)
        return page

    def show(self, key: str, where: dict[str, Any] | None = None) -> Page:
        for other in self.hosts.values():
            other.deactivate()
            other.hide()
        host = self.hosts.get(key)
        if host is None:
            host = self.hosts[key] = PageHost(PAGES[key], self.context)
            host.faulted.connect(self.faults.append)
            self.qtbot.addWidget(host)
            self.feed.noticed.connect(host.on_notice)
            self.feed.quality_changed.connect(host.on_quality)
            host.resize(1060, 672)
        host.show()
        host.activateWindow()
        self.qtbot.waitExposed(host)
        host.activate(where)
        self.settle()
        assert host.page is not None
        return host.page

    def forget(self, key: str) -> None:
        """The window closes; what the page remembers stays."""
        host = self.hosts.pop(key)
        host.deactivate()
        host.hide()
        host.deleteLater()

    def settle(self) -> None:
        self.until(lambda: not self.operations.busy())

    def until(self, condition: Any) -> None:
        self.qtbot.waitUntil(condition, timeout=5000)

    def choose(self, page: HistoryPage, **changes: Any) -> None:
        page._choose(replace(page._choices, **changes))
        self.settle()

    def press(self, key: Qt.Key) -> None:
        """To whatever has the keyboard."""
        QTest.keyClick(QApplication.focusWidget() or next(iter(self.hosts.values())), key)
        self.settle()

    def close(self) -> None:
        for host in self.hosts.values():
            host.deactivate()
        self.feed.ask_to_end()
        assert self.feed.wait_for_end()
        assert self.operations.close()
        self.prefs.flush()


def some_days(shop: Shop) -> None:
    """Yesterday 王敏 answered three of four and 李华 one of one; the day before 王敏 had one, sold to two days later, at night."""
    shop.agent("a1", "王敏", "售前一组", since=NOON - 3 * DAY_MS)
    shop.agent("a2", "李华", "售后一组", since=NOON - 3 * DAY_MS)
    yesterday = NOON - DAY_MS
    for hours in (1, 2, 3):
        shop.session("a1", yesterday - hours * HOUR, reply_after=40_000, closed=True, score=2)
    shop.session("a1", yesterday)
    shop.session("a2", yesterday - HOUR, reply_after=10_000, closed=True, group="g2", score=5)
    night = shop.session("a1", LOCAL.start_of_day(DAY - 2) + 2 * HOUR, reply_after=5_000, closed=True)
    shop.record(
        ev.OrderPlaced(
            id=shop.name(), at=LOCAL.start_of_day(DAY - 2) + 50 * HOUR, order="o1", customer=f"c-{night}",
            lines=[ev.OrderLine(sku="k1", quantity=2, amount_fen=10_000)],
        )
    )  # fmt: skip


def shown(page: HistoryPage) -> dict[str, dict[str, str]]:
    """What the table says: {row key: {column key: text}}."""
    table = page._table()
    return {str(row_id): {key: table.model_.cell(row_id, key).text for key in table.shown_columns()} for row_id in table.model_.ids()}


def pinned(page: HistoryPage) -> dict[object, dict[str, str]]:
    return {row_id: {key: cell.text for key, cell in cells.items()} for row_id, cells in page._table().model_.pinned()}


def expected(desk: HistoryDesk, question: Question) -> dict[str, dict[str, str]]:
    report = desk.workspace.reports.ask(desk.store, question)
    return {row.key: {key: METRICS[key].text(value) for key, value in report.values(row.numbers).items()} for row in report.rows}


def said(page: HistoryPage) -> EmptyState:
    found = page._table()._placeholder
    assert isinstance(found, EmptyState)
    assert found.isVisibleTo(page)
    return found
