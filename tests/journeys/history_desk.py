"""A small store, and the history pages opened on it, for the journeys through those pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.domain import events as ev
from app.domain.localtime import day_date
from app.domain.metrics import METRICS
from app.services.reports import Question
from tests.journeys.seats_desk import DAY, HOUR, LOCAL, NOON, PageDesk, Shop
from ui.pagehost import PageHost
from ui.pages.history.page import HistoryPage
from ui.pages.registry import Page
from ui.widgets.empty import EmptyState

TODAY = day_date(DAY)
YESTERDAY = TODAY - timedelta(days=1)
DAY_MS = 24 * HOUR


class HistoryDesk(PageDesk):
    """Pages in their hosts, one of them shown."""

    size = 1060, 672

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.hosts: dict[str, PageHost] = {}

    def open_hosts(self) -> list[PageHost]:
        return list(self.hosts.values())

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
            host = self.hosts[key] = self.host_of(key)
        self.bring_up(host)
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

    def choose(self, page: HistoryPage, **changes: Any) -> None:
        page._choose(replace(page._choices, **changes))
        self.settle()


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
