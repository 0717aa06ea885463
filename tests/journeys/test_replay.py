"""The page 试算 on a real store in a file: what is tried, what is seen of it, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.domain import events as ev
from app.domain.language import set_language
from app.domain.permissions import Actor, local_owner
from app.domain.routing_settings import GROUPS
from app.services.replay import ReplayService
from app.storage.faults import FaultError
from tests.journeys.history_desk import DAY_MS, HistoryDesk
from tests.journeys.seats_desk import HOUR, MINUTE, NOON, Shop, quiet_window
from ui.pages.replay import ReplayPage
from ui.widgets.empty import EmptyState

YESTERDAY = {"period": {"preset": "yesterday", "today": False}}


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Yesterday 王敏 and 李华 had three sessions each, by turns."""
    for code, name in (("a1", "王敏"), ("a2", "李华")):
        shop.agent(code, name, since=NOON - DAY_MS - HOUR)
    for number in range(6):
        shop.session(f"a{number % 2 + 1}", NOON - DAY_MS + number * 10 * MINUTE, reply_after=1_000, closed=True)
    return shop


class Desk(HistoryDesk):
    def replay(self, where: dict[str, Any] | None = None) -> ReplayPage:
        page = self.show("replay", where)
        assert isinstance(page, ReplayPage)
        return page

    def choose(self, page: ReplayPage, key: str) -> None:  # type: ignore[override]
        at = page.source.findData(key)
        assert at >= 0, [page.source.itemData(i) for i in range(page.source.count())]
        page.source.setCurrentIndex(at)
        page.source.activated.emit(at)

    def run(self, page: ReplayPage) -> None:
        page.go.click()
        self.settle()


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    with quiet_window(), closing(Desk(shop, tmp_path, qtbot, local_owner())) as desk:
        desk.prefs.put_page("replay", YESTERDAY)
        yield desk


def groups(a1: int, a2: int) -> dict[str, Any]:
    members = [{"agent": "a1", "weight": a1}, {"agent": "a2", "weight": a2}]
    return {"groups": [{"code": "g1", "name": "全部", "members": members}]}


def cells(page: ReplayPage, *keys: str) -> list[tuple[str, ...]]:
    model = page.table.rows()
    return [tuple(model.cell(row, key).text for key in keys) for row in model.ids()]


def figures(page: ReplayPage) -> dict[str, str]:
    return {figure.caption.zh: figure.value for figure in page.figures.figures()}


def words(page: ReplayPage) -> str:
    """What stands in place of an answer."""
    state = page._stack.currentWidget()
    return " ".join(label.text() for label in state.findChildren(QLabel)) if isinstance(state, EmptyState) else ""


def test_it_teaches_before_anything_was_tried_and_shows_the_current_settings(desk: Desk) -> None:
    page = desk.replay()
    assert "保存之前先试算" in words(page)
    desk.run(page)
    assert words(page) == ""
    assert cells(page, "name", "sessions_now", "share_now") == [("王敏", "3", "50.0%"), ("李华", "3", "50.0%")]
    assert "sessions_change" not in page.table.shown_columns()
    assert figures(page)["会话"] == "6"
    assert "100.0%" in page.likeness.text()
    assert "按记录推算" in page.likeness.text()
    assert desk.faults == []


def test_what_is_not_saved_yet_is_tried_beside_the_current_settings(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    page = desk.replay({"draft": True})
    assert page.chosen().key == "now"  # nothing is being edited
    held = {key: desk.workspace.settings.get(desk.store, key) for key in ("groups", "agents")}
    draft = desk.context.draft("groups", "agents")
    draft.arrived(held, {})
    draft.edit({"groups": GROUPS.complete(groups(5, 1))})
    page = desk.replay({"draft": True})
    assert page.chosen().label == "未保存的修改"
    found = cells(page, "name", "sessions", "sessions_now", "sessions_change", "share_change")
    assert found == [("王敏", "5", "3", "+2", "+33.3"), ("李华", "1", "3", "-2", "-33.3")]
    assert page.bars.words_of("a1").split("\n") == ["王敏", "试算 5", "现行 3", "+2"]
    assert desk.workspace.settings.get(desk.store, "groups").revision == 1


def test_that_these_days_ran_by_other_rules_stands_beside_how_closely_they_are_reproduced(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 1))
    page = desk.replay()
    desk.run(page)
    sentence = page.likeness.text()
    assert sentence.index("相符") < sentence.index("才首次保存咨询组")


def test_another_page_hands_over_what_is_being_edited_and_it_runs_at_once(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    page = desk.replay({"bodies": {"groups": groups(1, 0)}})
    assert page.chosen().key == "handed"
    assert cells(page, "name", "sessions") == [("王敏", "6"), ("李华", "0")]
    assert page.table.rows().cell("a2", "sessions").level == "warn"


def test_an_earlier_revision_is_tried(desk: Desk) -> None:
    for weights in ((1, 0), (6, 6)):
        desk.workspace.settings.save(desk.store, "groups", groups(*weights))
    page = desk.replay()
    desk.choose(page, "revision:groups:1")
    desk.run(page)
    assert cells(page, "agent", "sessions", "sessions_now") == [("a1", "6", "3"), ("a2", "0", "3")]
    assert "第 1 版" in page._asked.text()


def test_more_waiting_is_told_in_colour_and_fewer_too(desk: Desk, shop: Shop) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    at = NOON - DAY_MS + 2 * HOUR
    for number in range(3):
        shop.session("a1", at + number * MINUTE, closed=True)
    page = desk.replay({"bodies": {"agents": {"agents": [{"agent": "a1", "capacity": 1}, {"agent": "a2", "capacity": 1}]}}})
    found = {figure.caption.zh: figure for figure in page.figures.figures()}
    assert (found["等待过"].value, found["等待过"].now, found["等待过"].direction, found["等待过"].level) == ("1", "现行 0", 1, "warn")
    assert (found["最长等待"].value, found["最长等待"].level) == ("3.0 分", "warn")
    assert (found["会话"].direction, found["会话"].level) == (0, "")
    desk.workspace.settings.save(desk.store, "agents", {"agents": [{"agent": "a1", "capacity": 1}, {"agent": "a2", "capacity": 0}]})
    page = desk.replay({"bodies": {"agents": {"agents": []}}})
    assert {figure.caption.zh: figure.level for figure in page.figures.figures()}["等待过"] == "good"


def test_an_agent_has_a_curve_of_their_own(desk: Desk) -> None:
    page = desk.replay({"bodies": {"groups": groups(1, 0)}})
    desk.until(lambda: page.chart.plot() is not None)
    assert page.chart._data is not None
    assert sum(value or 0 for value in page.chart._data.series[0].values) == 6
    page.table.select("a2")
    assert [sum(value or 0 for value in series.values) for series in page.chart._data.series] == [0, 3]
    assert page.bars.current() == "a2"


def test_days_without_sessions_say_so(desk: Desk) -> None:
    desk.prefs.put_page("replay", {"period": {"preset": "custom", "first": "2020-01-01", "last": "2020-01-02"}})
    page = desk.replay()
    desk.run(page)
    assert "没有会话" in words(page)
    assert desk.faults == []


def test_it_is_taken_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(self: ReplayService, *_: Any, stop: Any, **__: Any) -> Any:
        assert stop.wait(10)
        raise FaultError("cancelled", "已取消试算。")

    monkeypatch.setattr(ReplayService, "run", endless)
    page = desk.replay()
    page.go.click()
    assert page.cancel.isVisible()
    assert not page.go.isEnabled()
    page.cancel.click()
    desk.settle()
    assert desk.toasts == ["已取消试算。"]
    assert page.go.isEnabled()
    assert not page.cancel.isVisible()


def test_settings_that_are_not_whole_are_told_with_their_place(desk: Desk) -> None:
    page = desk.replay({"bodies": {"groups": groups(11, 6)}})
    assert "groups[0].members[0].weight" in words(page)


def test_a_bug_is_this_pages_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(ReplayService, "run", broken)
    page = desk.replay()
    desk.run(page)
    assert desk.hosts["replay"].failed


def test_what_was_chosen_is_remembered(desk: Desk) -> None:
    for weights in ((1, 0), (6, 6)):
        desk.workspace.settings.save(desk.store, "groups", groups(*weights))
    page = desk.replay()
    desk.choose(page, "revision:groups:1")
    page.chart._tabs.setCurrentIndex(2)
    desk.forget("replay")
    again = desk.replay()
    assert again.chosen().key == "revision:groups:1"
    assert again.chart.tab() == "waited"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_languages_and_one_and_many_agents(desk: Desk, shop: Shop, language: Any) -> None:
    set_language(language)
    try:
        shop.record(*(ev.AgentUpserted(id=shop.name(), at=NOON - DAY_MS, agent=f"x{n}", name=f"新人{n}") for n in range(60)))
        presence = [ev.AgentPresence(id=shop.name(), at=NOON - DAY_MS - 1, agent=f"x{n}", state="available") for n in range(60)]
        shop.record(*presence)
        many = {"groups": [{"code": "g", "name": "g", "members": [{"agent": f"x{n}"} for n in range(60)]}]}
        page = desk.replay({"bodies": {"groups": many}})
        assert len(page.table.rows().ids()) == 8
        one = {"groups": [{"code": "g", "name": "g", "members": [{"agent": "x7"}]}]}
        page = desk.replay({"bodies": {"groups": one}})
        assert cells(page, "name", "share")[0] == ("新人7", "100.0%")
        assert not page.grab().isNull()
    finally:
        set_language("zh")
    assert desk.faults == []


def test_who_may_not_edit_groups_is_told(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    desk = Desk(shop, tmp_path, qtbot, Actor("viewer", frozenset({"history.view", "live.view"})))
    try:
        page = desk.replay()
        desk.run(page)
        assert page._found is None
        assert words(page) or desk.hosts["replay"].failed
    finally:
        desk.close()
