"""全局监控 as a person meets it: a real store in a file, the real page in its host, fed by the store's own notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain import events as ev
from app.domain.language import set_language
from app.domain.localtime import DAY_MS
from app.domain.metrics import METRICS, OVERVIEW_CHART, OVERVIEW_TILES, label_on
from app.domain.permissions import Actor, local_owner
from app.services.live import LiveService
from app.storage.faults import FaultError
from tests.journeys.seats_desk import HOUR, MIDNIGHT, MINUTE, NOON, Desk, Shop, opened
from ui.pages.overview import OverviewPage
from ui.pages.overview.needs import identity
from ui.runtime.feed import Quality


class LiveShop(Shop):
    """Agents who have been there since the morning, customers who come by themselves."""

    def agent(self, code: str, name: str, capacity: int | None = None, state: ev.State = "available") -> None:
        at = MIDNIGHT + 8 * HOUR
        self.record(
            ev.AgentUpserted(id=self.name(), at=at, agent=code, name=name, capacity=capacity),
            ev.AgentPresence(id=self.name(), at=at, agent=code, state=state),
        )

    def session(
        self, at: int, agent: str | None = "a1", reply_after: int | None = None, group: str = "g1", closed: bool = False, customer: str = ""
    ) -> str:
        """A customer writes at `at`; the answer, if any, comes `reply_after` milliseconds later."""
        code = self.name()
        who = customer or f"c-{code}"
        events: list[ev.AnyEvent] = [
            ev.VisitorEntered(id=self.name(), at=at, customer=who, available=True),
            ev.SessionOpened(id=self.name(), at=at, session=code, customer=who, group=group),
        ]
        if agent:
            events.append(ev.SessionAssigned(id=self.name(), at=at, session=code, agent=agent, group=group))
        events.append(ev.MessageSent(id=self.name(), at=at, session=code, sender="customer", text="在吗"))
        if reply_after is not None:
            events.append(ev.MessageSent(id=self.name(), at=at + reply_after, session=code, sender="agent", agent=agent, text="在的"))
        if closed:
            events.append(ev.SessionClosed(id=self.name(), at=at + 5 * MINUTE, session=code, by="customer"))
        self.record(*events)
        return code


class OverviewDesk(Desk):
    """The page in its host, on its feed."""

    @property
    def page(self) -> OverviewPage:
        assert isinstance(self.host.page, OverviewPage)
        return self.host.page

    def shown(self, key: str) -> str:
        return self.page.grid.tile(key).data().value

    def needs(self) -> list[tuple[str, str | None, str | None]]:
        model = self.page.needs.model
        return [identity(model.need(row)) for row in range(model.rowCount())]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    shop = LiveShop(tmp_path / "shop.db")
    yield shop
    shop.database.close()


@pytest.fixture
def desk(shop: LiveShop, tmp_path: Path, qtbot: QtBot) -> Iterator[OverviewDesk]:
    set_language("zh")
    with opened(shop, tmp_path, qtbot, local_owner(), "overview", OverviewDesk) as desk:
        yield desk
    set_language("zh")


def a_day(shop: LiveShop) -> None:
    """Today three answered of four, yesterday two sessions, a week ago one."""
    shop.agent("a1", "王敏", capacity=5)
    shop.agent("a2", "李华", state="suspended")
    for ago, starts in ((0, (9, 10, 11)), (1, (9, 10)), (7, (9,))):
        for hour in starts:
            shop.session(MIDNIGHT - ago * DAY_MS + hour * HOUR, reply_after=20_000, closed=True)
    shop.session(NOON - 10 * MINUTE, agent="a1", group="g2")


def test_tiles_show_what_the_service_says(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    assert page.grid.order() == list(OVERVIEW_TILES)
    overview = desk.workspace.live.overview(desk.store)
    assert {key: desk.shown(key) for key in OVERVIEW_TILES} == {key: METRICS[key].text(overview.value(key)) for key in OVERVIEW_TILES}
    # counted by hand
    assert desk.shown("consults") == "4"
    assert desk.shown("received") == "3"
    assert desk.shown("answer_rate") == "75.0%"
    assert desk.shown("seats_online") == "2"
    assert desk.shown("seats_suspended") == "1"
    assert desk.shown("satisfaction") == "--"


def test_a_tile_explains_itself(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    tile = page.grid.tile("answer_rate")
    data = tile.data()
    assert data.level == "warn"  # below 90, not below 70
    assert "3 / 4 = 75.0%" in tile.toolTip()
    assert str(METRICS["answer_rate"].definition) in tile.toolTip()
    assert "received" not in tile.toolTip()  # no names of counters: the definition says it in words
    assert [(c.base, c.text, c.direction) for c in data.changes] == [("yesterday", "25.0pp", -1), ("week", "25.0pp", -1)]
    assert [(c.text, c.direction) for c in page.grid.tile("consults").data().changes] == [("100.0%", 1), ("300.0%", 1)]
    assert "需注意" in tile.accessibleName()
    # half hours from midnight to the last complete one
    assert page.grid.tile("consults").data().spark == (*(0,) * 18, 1, 0, 1, 0, 1, 1)


def test_an_event_moves_its_tile_by_itself(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    desk.open()
    desk.listen()
    assert desk.shown("consults") == "4"
    desk.shop.session(NOON - MINUTE, reply_after=5_000)
    desk.until(lambda: desk.shown("consults") == "5")
    assert desk.shown("answer_rate") == "80.0%"


def test_only_what_changed_is_painted(desk: OverviewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.listen()
    painted: list[str] = []
    for key in OVERVIEW_TILES:
        tile = page.grid.tile(key)
        monkeypatch.setattr(tile, "update", lambda key=key: painted.append(key))
    desk.shop.agent("a3", "赵强", state="offline")
    desk.until(lambda: desk.shown("seats_offline") == "1")
    desk.settle()
    assert set(painted) <= {"seats_total", "seats_offline", "seats_online", "seats_suspended"}  # the last two: their share of all


def test_a_waiting_customer_is_listed_and_opens_its_session(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    waiting = desk.shop.session(NOON - 50_000, customer="刘女士")
    page = desk.open()
    assert ("waiting", "a1", waiting) in desk.needs()
    row = desk.needs().index(("waiting", "a1", waiting))
    assert page.needs.model.age(row) == "0:50"
    spoken = page.needs.model.data(page.needs.model.index(row), Qt.ItemDataRole.AccessibleTextRole)
    assert "需注意" in spoken
    assert "刘女士 → 王敏" in spoken
    desk.shop.now += 15_000
    page.needs.tick(desk.shop.now)
    assert page.needs.model.age(row) == "1:05"
    page.needs.list.setCurrentIndex(page.needs.model.index(row))
    QTest.keyClick(page.needs.list, Qt.Key.Key_Return)
    assert desk.went == [("seats", {"agent": "a1", "session": waiting})]
    place = page.needs.list.visualRect(page.needs.model.index(row)).center()
    QTest.mouseClick(page.needs.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.went[1:] == desk.went[:1]


def test_rows_keep_their_places_under_the_pointer(desk: OverviewDesk) -> None:
    desk.shop.agent("a1", "王敏")
    first = desk.shop.session(NOON - 100_000)
    second = desk.shop.session(NOON - 60_000)
    page = desk.open()
    desk.listen()
    before = [("waiting", "a1", first), ("waiting", "a1", second)]
    assert desk.needs() == before
    page.needs.model.hold(True)
    desk.shop.record(ev.MessageSent(id="reply", at=NOON - 1000, session=first, sender="agent", agent="a1", text="您好"))
    desk.until(lambda: page.needs.model.is_gone(0))
    assert desk.needs() == before
    page.needs.model.hold(False)
    assert desk.needs() == before[1:]


def test_waits_that_pass_the_limit_appear_without_any_event(desk: OverviewDesk) -> None:
    desk.shop.agent("a1", "王敏")
    waiting = desk.shop.session(NOON - 25_000)
    page = desk.open()
    desk.listen()
    assert desk.needs() == []
    desk.shop.now += 10_000
    desk.shop.set_clock(desk.shop.now)
    for _ in range(5):  # five seconds of the page's own clock
        page._on_tick()
    desk.until(lambda: desk.needs() == [("waiting", "a1", waiting)])


def test_tiles_are_chosen_and_ordered_and_remembered(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    menu = page.grid.choice_menu()
    next(action for action in menu.actions() if action.data() == "seats_total").trigger()
    menu.deleteLater()
    tile = page.grid.tile("consults")
    tile.setFocus()
    QTest.keyClick(tile, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    wanted = [key for key in OVERVIEW_TILES if key != "seats_total"]
    at = wanted.index("consults")
    wanted[at - 1], wanted[at] = wanted[at], wanted[at - 1]
    assert page.grid.order() == wanted
    page = desk.reopen()
    assert page.grid.order() == wanted
    assert desk.shown("consults") == "4"


def test_the_default_order_is_not_written_down(desk: OverviewDesk) -> None:
    """So that a tile of a later version appears for those who never chose."""
    page = desk.open()
    assert "tiles" not in page.state()
    page.restore({"tiles": ["received", "no such", "consults"], "chart": "no such", "step": 7, "pace": "fast", "group": 3})
    assert page.grid.order() == ["received", "consults"]
    assert page.chart.step() == "30"


def test_chart_has_a_tab_for_each_entry_and_follows_step_and_tile(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    plot = page.chart.plot
    desk.until(lambda: plot() is not None)
    labels = [page.chart._tabs.tabText(index) for index in range(page.chart._tabs.count())]
    assert labels[: len(OVERVIEW_CHART)] == ["/".join(str(label_on("overview", key)) for key in keys) for keys in OVERVIEW_CHART]

    page.grid.tile("consults").click()
    assert page.chart.tab() == "consults"
    desk.settle()
    data = page.chart._data
    assert data is not None
    names = [str(series.name) for series in data.series]
    assert names == ["今日", "昨日", "周五均值（1）"]  # day 20,000 is a Friday
    curves = desk.workspace.live.curves(desk.store, ("consults",), 30)
    assert list(data.series[1].values) == curves.yesterday["consults"]
    assert data.series[0].values[20] == 1  # 10:00
    assert list(data.series[0].values[24:]) == [None] * 24  # noon has only begun

    page.chart.set_step("5")
    page.chart.step_chosen.emit("5")
    desk.settle()
    assert page.chart._data is not None
    assert len(page.chart._data.minutes) == 288
    page = desk.reopen()
    assert (page.chart.tab(), page.chart.step()) == ("consults", "5")


def test_the_combined_tab_shows_both_numbers_and_a_rate_its_target(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    page.chart._tabs.setCurrentIndex(page.chart._keys.index("received+consults"))
    desk.settle()
    assert page.chart._data is not None
    assert [str(series.name) for series in page.chart._data.series[:2]] == ["咨询量", "接待量"]
    assert page.chart._data.threshold is None
    page.grid.tile("reply_30s_rate").click()
    desk.settle()
    assert page.chart._data.threshold == 0.8


def test_a_number_without_a_past_opens_the_seats(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    page.grid.tile("seats_suspended").click()
    assert desk.went == [("seats", {})]


def test_the_group_filter_narrows_every_part(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    other = desk.shop.session(NOON - 50_000, group="g1")
    page = desk.open()
    assert ("waiting", "a1", other) in desk.needs()
    box = page._filters.group
    assert [box.itemData(index) for index in range(box.count())] == ["", "g1", "g2"]
    box.setCurrentIndex(2)
    box.activated.emit(2)
    desk.settle()
    assert desk.shown("consults") == "1"
    assert {kind for kind, _, _ in desk.needs()} == {"silent", "waiting"}
    assert ("waiting", "a1", other) not in desk.needs()
    page = desk.reopen()
    desk.settle()
    assert page._filters.group.currentData() == "g2"
    assert desk.shown("consults") == "1"


def test_the_pace_is_passed_to_the_feed_and_a_pause_is_not_remembered(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    page._filters.pace.activated.emit(2)
    assert desk.feed.pace == 10
    assert page.state()["pace"] == 10
    page.refresh()
    desk.settle()
    assert "12:00:00" in page._filters._as_of.text()
    page._filters.pace.activated.emit(6)
    assert desk.feed.pace is None
    assert "pace" not in page.state()


def test_old_numbers_look_old_and_are_not_asked_for(desk: OverviewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.host.on_quality(Quality("reconnecting", 95.0))
    assert page.grid.tile("consults").data().stale == "1 分钟前"
    assert "1 分钟前" in page.grid.tile("consults").accessibleName()
    asked: list[object] = []
    monkeypatch.setattr(page, "read", lambda *question: asked.append(question))
    monkeypatch.setattr(desk.feed, "_quality", Quality("reconnecting", 95.0))
    desk.shop.now += HOUR  # long past the end of a slot
    for _ in range(10):
        page._on_tick()
    assert asked == []
    desk.host.on_quality(Quality("live"))
    assert page.grid.tile("consults").data().stale == ""


def test_a_broken_service_is_this_pages_own_trouble(desk: OverviewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("curves")

    monkeypatch.setattr(LiveService, "curves", broken)
    desk.host.activate()
    desk.settle()
    assert desk.host.failed
    monkeypatch.undo()
    desk.host.retry()
    desk.settle()
    assert not desk.host.failed
    assert desk.shown("consults") == "4"


def test_a_fault_that_passes_leaves_the_numbers_in_sight(desk: OverviewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)
    desk.open()

    def unreachable(*_: object) -> None:
        raise FaultError("unreachable", "无法连接")

    monkeypatch.setattr(LiveService, "overview", unreachable)
    desk.host.refresh()
    desk.settle()
    assert not desk.host.failed
    assert desk.shown("consults") == "4"


def test_who_may_not_look_is_told(shop: LiveShop, tmp_path: Path, qtbot: QtBot) -> None:
    desk = OverviewDesk(shop, tmp_path, qtbot, Actor("nobody", frozenset()), "overview")
    desk.host.activate()
    desk.settle()
    assert desk.host.failed
    desk.close()


def test_an_empty_store_says_how_to_begin_and_fills_by_itself(desk: OverviewDesk) -> None:
    page = desk.open()
    assert page._stack.currentWidget() is page._empty
    page._empty.button.click()
    assert QGuiApplication.clipboard().text().endswith("--store shop")
    assert len(desk.toasts) == 1
    desk.listen()
    desk.shop.agent("a1", "王敏")
    desk.until(lambda: page._stack.currentWidget() is page._scroll)
    assert desk.shown("seats_total") == "1"


def test_a_hidden_page_asks_nothing(desk: OverviewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(desk.shop)
    page = desk.open()
    page.on_notice(frozenset({"sessions"}))
    page.on_notice(frozenset({"sessions"}))
    desk.host.deactivate()
    desk.settle()
    assert not page._tick.isActive()
    asked: list[object] = []
    monkeypatch.setattr(page, "read", lambda *question: asked.append(question))
    QTest.qWait(150)  # longer than the gap between two readings of the numbers
    assert asked == []


def test_on_a_wall_everything_is_large_and_nothing_overlaps(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.host.resize(1920, 1008)
    desk.host.set_wallboard(True)
    QTest.qWait(0)
    assert not page.chart.isVisible()
    assert page.grid.height() <= 1008 - 48
    assert page.grid.tile("consults").height() >= 92 * 1.7
    assert page.grid.geometry().right() < page.needs.geometry().left()
    assert page.needs.geometry().right() < 1920
    desk.host.set_wallboard(False)
    QTest.qWait(0)
    assert page.chart.isVisible()
    assert page.needs.width() == 320


@pytest.mark.parametrize(("width", "height", "dense"), [(1060, 672, True), (1220, 852, False), (2340, 1392, False)])
def test_tiles_chart_and_list_share_the_window(desk: OverviewDesk, width: int, height: int, dense: bool) -> None:
    a_day(desk.shop)
    page = desk.open()
    desk.host.resize(width, height)
    QTest.qWait(0)
    assert (page.grid.tile("consults").height() < 100) is dense
    assert page._scroll.verticalScrollBar().maximum() == 0  # nothing is below the edge
    assert page.chart.height() >= 290


def test_in_english_nothing_stays_chinese(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    desk.shop.session(NOON - 50_000)
    set_language("en")
    page = desk.open()
    words = [page.grid.tile(key).accessibleName() + page.grid.tile(key).toolTip() for key in OVERVIEW_TILES]
    assert page.chart._data is not None
    words += [str(series.name) for series in page.chart._data.series]
    words += [page._filters.pace.itemText(index) for index in range(page._filters.pace.count())]
    assert [word for word in words if any("一" <= letter <= "鿿" for letter in word)] == []


def test_tiles_and_the_list_follow_the_stores_standards(desk: OverviewDesk) -> None:
    a_day(desk.shop)
    settings = desk.workspace.settings
    body = settings.get(desk.store, "standards").body
    body["answer_rate"] = {"target": 80, "warn": 70, "alarm": None}
    body["longest_wait"] = {"target": None, "warn": None, "alarm": None}
    before = desk.workspace.live.needs(desk.store)
    settings.save(desk.store, "standards", body)
    page = desk.open()
    assert page.grid.tile("answer_rate").data().level == ""
    assert any(need.kind == "waiting" for need in before)
    assert not any(need.kind == "waiting" for need in desk.workspace.live.needs(desk.store))
