"""The page 试算 on a real store in a file: what is tried, what is seen of it, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.domain import events as ev
from app.domain.language import set_language
from app.domain.outcomes import Outcomes, Waits
from app.domain.permissions import Actor, local_owner
from app.domain.settings import DOCUMENTS
from app.services.replay import ReplayService
from app.storage.faults import FaultError
from tests.journeys.history_desk import DAY_MS, HistoryDesk
from tests.journeys.seats_desk import HOUR, MINUTE, NOON, Shop, quiet_window
from ui.pages.replay import ReplayPage, picture
from ui.runtime.drafts import Draft
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

    def draft(self) -> Draft:
        """As the settings pages have it, who know what holds."""
        draft = self.context.draft("groups", "agents")
        draft.arrived({key: self.workspace.settings.get(self.store, key) for key in ("groups", "agents")}, {})
        return draft

    def tries(self, **bodies: Any) -> ReplayPage:
        """These are edited on a settings page, and tried from there."""
        self.draft().edit({key: DOCUMENTS[key].complete(body) for key, body in bodies.items()})
        return self.replay({"draft": True})

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
    model = page.answer.table.rows()
    return [tuple(model.cell(row, key).text for key in keys) for row in model.ids()]


def figures(page: ReplayPage) -> dict[str, str]:
    return {figure.caption.zh: figure.value for figure in page.answer.figures.figures()}


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
    assert "sessions_change" not in page.answer.table.shown_columns()
    assert figures(page)["会话"] == "6"
    assert "100.0%" in page.answer.likeness.text()
    assert "按记录推算" in page.answer.likeness.text()
    assert desk.faults == []


def test_what_is_not_saved_yet_is_tried_beside_the_current_settings(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    page = desk.replay({"draft": True})
    assert page.chosen().key == "now"  # nothing is being edited
    page = desk.tries(groups=groups(5, 1))
    assert page.chosen().label == "未保存的修改"
    found = cells(page, "name", "sessions", "sessions_now", "sessions_change", "share_change")
    assert found == [("王敏", "5", "3", "+2", "+33.3"), ("李华", "1", "3", "-2", "-33.3")]
    assert page.answer.bars.words_of("a1").split("\n") == ["王敏", "试算 5", "现行 3", "+2"]
    assert desk.workspace.settings.get(desk.store, "groups").revision == 1


def test_that_these_days_ran_by_other_rules_stands_beside_how_closely_they_are_reproduced(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 1))
    page = desk.replay()
    desk.run(page)
    sentence = page.answer.likeness.text()
    assert sentence.index("相符") < sentence.index("才首次保存咨询组")


def test_an_agent_who_would_have_nothing_is_marked(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    page = desk.tries(groups=groups(1, 0))
    assert cells(page, "name", "sessions") == [("王敏", "6"), ("李华", "0")]
    assert page.answer.table.rows().cell("a2", "sessions").level == "warn"


def since(page: ReplayPage) -> str:
    return page.answer.since.text() if page.answer.since.isVisible() else ""


def test_what_differs_is_told_in_the_words_of_the_settings_pages(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    page = desk.tries(groups=groups(9, 6), agents={"agents": [{"agent": "a2", "capacity": 5}]})
    told = page.answer.difference
    assert told.isVisible()
    each = ["咨询组 › 全部 › 成员 › 王敏 › 分配权重值：6 → 9", "客服 › 李华：无 → 客服ID 李华，最大接待量 5"]
    assert told.words() == f"与现行设置 2 处不同：{each[0]}；{each[1]}"
    assert told.toolTip().split("\n")[1:] == each
    desk.choose(page, "now")
    desk.run(page)
    assert not told.isVisible()


def test_what_was_tried_and_discarded_is_neither_offered_nor_run_again(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    page = desk.tries(groups=groups(1, 0))
    assert since(page) == ""
    desk.show("groups")
    desk.draft().discard()
    assert desk.replay() is page
    assert "已被放弃" in since(page)
    assert page.chosen().key == "now"
    assert page.source.findData("draft") < 0
    desk.run(page)
    assert since(page) == ""
    assert cells(page, "name", "sessions_now") == [("王敏", "3"), ("李华", "3")]


def test_a_result_says_that_its_settings_were_edited_or_saved_since_or_that_others_hold_now(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    page = desk.tries(groups=groups(1, 0))
    desk.draft().edit({"groups": DOCUMENTS["groups"].complete(groups(2, 0))})
    assert "又有变化" in since(page)
    desk.draft().edit({"groups": DOCUMENTS["groups"].complete(groups(1, 0))})
    assert since(page) == ""
    desk.workspace.settings.save(desk.store, "groups", groups(1, 0))
    desk.draft()
    assert "已保存，现在生效" in since(page)
    page.refresh()
    desk.settle()
    assert "已保存，现在生效" in since(page)
    desk.run(page)
    assert since(page) == ""
    desk.workspace.settings.save(desk.store, "groups", groups(3, 3))
    page.refresh()
    desk.settle()
    assert "现行设置在试算后有更改" in since(page)


def test_groups_are_listed_tried_beside_current(desk: Desk) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    east = {"code": "east", "name": "华东", "scope": {"pages": ["item"]}, "members": [{"agent": "a2"}]}
    rest = {**groups(6, 6)["groups"][0], "type": "fallback"}
    page = desk.tries(groups={"groups": [rest, east]})
    page.answer.view._buttons["groups"].click()
    table = page.answer.groups
    assert table.isVisible()
    assert not page.answer.table.isVisible()
    keys = "name", "sessions", "sessions_now", "sessions_change", "assigned", "mean", "mean_now"
    rows = [tuple(table.rows().cell(row, key).text for key in keys) for row in table.rows().ids()]
    assert rows == [("全部", "6", "6", "0", "6", "0.0 秒", "0.0 秒"), ("华东", "0", "--", "0", "0", "--", "--")]
    assert page.answer.bars.words_of("east").split("\n") == ["华东", "试算 0", "现行 0", "+0"]
    page.answer.bars.clicked.emit("east")
    assert table.current_id() == "east"
    desk.forget("replay")
    assert desk.replay().answer.view.value() == "groups"


def test_changes_are_those_of_the_figures_shown(desk: Desk) -> None:
    """Also where the figures themselves are nearer to each other, or farther, than what is shown of them."""
    page = desk.replay()
    desk.run(page)
    assert page._found is not None
    load = page._found.tried.agents[0]

    def shown(tried: tuple[float, float], now: tuple[float, float]) -> tuple[str, str, str, str]:
        def of(share: float, wait: float) -> Outcomes:
            assert page._found is not None
            waits = Waits(wait, wait, wait)
            return replace(page._found.current, agents=[replace(load, agent="a1", share=share)], waits=waits)

        found = replace(page._found, tried=of(*tried), current=of(*now))
        mean = next(figure for figure in picture.key_figures(found) if figure.caption.zh == "平均等待")
        return mean.value, mean.now, mean.change, picture.rows(found)[0][1]["share_change"].text

    assert shown((0.0675, 7.74), (0.0674, 7.56)) == ("7.7 秒", "现行 7.6 秒", "0.1 秒", "+0.1")
    assert shown((0.06740, 7.64), (0.06660, 7.56)) == ("7.6 秒", "现行 7.6 秒", "", "0")
    assert shown((0.5, 462.9), (0.5, 455.0)) == ("7.7 分", "现行 7.6 分", "0.1 分", "0")
    assert shown((0.5, 300.0), (0.5, 0.0)) == ("5.0 分", "现行 0.0 秒", "5.0 分", "0")
    assert shown((0.5, 119.0), (0.5, 123.0)) == ("119.0 秒", "现行 2.0 分", "1.0 秒", "0")


def test_a_peak_above_the_cap_is_marked_and_explained(desk: Desk, shop: Shop) -> None:
    at = NOON - DAY_MS + 3 * HOUR
    for number in range(3):
        session = shop.session("a1", at + number * MINUTE, reply_after=1_000)
        shop.record(
            ev.SessionAssigned(id=shop.name(), at=at + (number + 4) * MINUTE, session=session, agent="a2", reason="manual"),
            ev.SessionClosed(id=shop.name(), at=at + HOUR, session=session),
        )
    desk.workspace.settings.save(desk.store, "groups", groups(6, 0))
    page = desk.tries(agents={"agents": [{"agent": "a2", "capacity": 2}]})
    cell = page.answer.table.rows().cell("a2", "peak")
    assert (cell.text, cell.detail) == ("3", "＞上限2")
    tooltip = page.answer.table._tooltip
    assert tooltip is not None
    assert "手工转接" in tooltip("a2", "peak")
    assert tooltip("a1", "peak") == tooltip("a2", "peak_now") == ""


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
    page = desk.tries(agents={"agents": [{"agent": "a1", "capacity": 1}, {"agent": "a2", "capacity": 1}]})
    found = {figure.caption.zh: figure for figure in page.answer.figures.figures()}
    assert (found["等待过"].value, found["等待过"].now, found["等待过"].direction, found["等待过"].level) == ("1", "现行 0", 1, "warn")
    assert (found["最长等待"].value, found["最长等待"].level) == ("3.0 分", "warn")
    assert (found["会话"].direction, found["会话"].level) == (0, "")
    desk.draft().discard()
    desk.workspace.settings.save(desk.store, "agents", {"agents": [{"agent": "a1", "capacity": 1}, {"agent": "a2", "capacity": 0}]})
    page = desk.tries(agents={"agents": []})
    assert {figure.caption.zh: figure.level for figure in page.answer.figures.figures()}["等待过"] == "good"


def test_an_agent_has_a_curve_of_their_own(desk: Desk) -> None:
    page = desk.tries(groups=groups(1, 0))
    desk.until(lambda: page.answer.chart.plot() is not None)
    assert page.answer.chart._data is not None
    assert sum(value or 0 for value in page.answer.chart._data.series[0].values) == 6
    page.answer.table.select("a2")
    assert [sum(value or 0 for value in series.values) for series in page.answer.chart._data.series] == [0, 3]
    assert page.answer.bars.current() == "a2"


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
    assert page._words is not None
    for start in (page.go, page._words.button):
        desk.toasts.clear()
        start.click()
        assert page.cancel.isVisible()
        assert not page.go.isEnabled()
        assert not page._words.button.isEnabled()
        page.cancel.click()
        desk.settle()
        assert desk.toasts == ["已取消试算。"]
        assert page.go.isEnabled()
        assert page._words.button.isEnabled()
        assert not page.cancel.isVisible()


def test_what_runs_ends_with_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = list[bool]()

    def endless(self: ReplayService, *_: Any, stop: Any, **__: Any) -> Any:
        stopped.append(stop.wait(10))
        raise FaultError("cancelled", "已取消试算。")

    monkeypatch.setattr(ReplayService, "run", endless)
    desk.replay().go.click()
    desk.forget("replay")
    desk.until(lambda: stopped == [True])
    desk.settle()
    assert desk.toasts == desk.faults == []


def test_what_is_to_be_tried_while_another_replay_runs_takes_its_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.workspace.settings.save(desk.store, "groups", groups(6, 6))
    real, begun = ReplayService.run, list[Any]()

    def first_is_endless(self: ReplayService, *given: Any, stop: Any, **more: Any) -> Any:
        begun.append(given[3])
        if len(begun) == 1:
            assert stop.wait(10)
            raise FaultError("cancelled", "已取消试算。")
        return real(self, *given, stop=stop, **more)

    monkeypatch.setattr(ReplayService, "run", first_is_endless)
    page = desk.replay()
    page.go.click()
    desk.tries(groups=groups(1, 0))
    assert begun[0] is None
    assert begun[1]["groups"][0]["members"][1]["weight"] == 0
    assert cells(page, "name", "sessions") == [("王敏", "6"), ("李华", "0")]
    assert desk.toasts == []
    assert page.go.isEnabled()


def test_settings_that_are_not_whole_are_told_with_their_place(desk: Desk) -> None:
    page = desk.tries(groups=groups(11, 6))
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
    page.answer.chart._tabs.setCurrentIndex(2)
    desk.forget("replay")
    again = desk.replay()
    assert again.chosen().key == "revision:groups:1"
    assert again.answer.chart.tab() == "waited"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_languages_and_one_and_many_agents(desk: Desk, shop: Shop, language: Any) -> None:
    set_language(language)
    try:
        shop.record(*(ev.AgentUpserted(id=shop.name(), at=NOON - DAY_MS, agent=f"x{n}", name=f"新人{n}") for n in range(60)))
        presence = [ev.AgentPresence(id=shop.name(), at=NOON - DAY_MS - 1, agent=f"x{n}", state="available") for n in range(60)]
        shop.record(*presence)
        many = {"groups": [{"code": "g", "name": "g", "members": [{"agent": f"x{n}"} for n in range(60)]}]}
        page = desk.tries(groups=many)
        assert len(page.answer.table.rows().ids()) == 8
        one = {"groups": [{"code": "g", "name": "g", "members": [{"agent": "x7"}]}]}
        page = desk.tries(groups=one)
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
