"""A replay tells when recorded days really ran under other settings than those it is compared with, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.cli import run
from app.domain.localtime import DAY_MS, day_date
from app.domain.permissions import Actor, local_owner
from app.services.workspace import Workspace
from app.storage.database import Database
from tests.database.routed_store import NOON, RoutedStore, group
from tests.database.test_replay import DAY, NINE, START, Shop, groups

HOUR = 3_600_000
SaveAt = Callable[..., int]


@pytest.fixture
def save_at(database: Database, monkeypatch: pytest.MonkeyPatch) -> SaveAt:
    """Saves a document at a moment, by somebody."""

    def save(store: Any, key: str, body: Any, at: int, author: str = "王芳") -> int:
        monkeypatch.setattr("app.domain.clock.wall_clock", lambda: at)
        workspace = Workspace(database, Actor(author, local_owner().permissions))
        return workspace.settings.save(store, key, body)

    return save


def routed_day(store: RoutedStore, day: int) -> None:
    store.now = NOON + day * DAY_MS
    for number in range(4):
        store.opens(f"d{day}-{number}")
    store.closes(*(f"d{day}-{number}" for number in range(4)))


def notes(store: RoutedStore, first: int, last: int | None = None) -> list[str]:
    """On the page, in both languages, of the days counted from that of NOON."""
    begin = day_date(store.workspace.local(store.info).day(NOON))
    days = begin + timedelta(days=first), begin + timedelta(days=first if last is None else last)
    return [words for note in store.workspace.replay.run(store.info, *days).notes for words in (note.zh, note.en)]


def test_days_that_were_routed_under_other_settings_tell_when_and_by_whom_they_changed(database: Database, save_at: SaveAt) -> None:
    store = RoutedStore(database, here="ab")
    save_at(store.info, "groups", {"groups": [group("g", {"a": 5, "b": 1})]}, NOON - HOUR)
    routed_day(store, 0)
    assert notes(store, 0) == []
    save_at(store.info, "groups", {"groups": [group("g", {"a": 1, "b": 5})]}, NOON + 20 * HOUR)
    routed_day(store, 1)
    for days in ((0, 0), (0, 1)):
        zh, en = notes(store, *days)
        assert "王芳" in zh
        assert "2026-09-22 18:13" in zh
        assert "王芳 last changed the settings on 2026-09-22 18:13" in en
    assert notes(store, 1) == []
    save_at(store.info, "agents", {"agents": [{"agent": "a", "capacity": 9}]}, NOON + 30 * HOUR, "李强")
    assert "李强" in notes(store, 1)[0]
    # All as on the first day again: only the second ran under others.
    save_at(store.info, "agents", {"agents": []}, NOON + 31 * HOUR, "李强")
    save_at(store.info, "groups", {"groups": [group("g", {"a": 5, "b": 1})]}, NOON + 31 * HOUR, "周宁")
    assert notes(store, 0) == []
    assert "周宁" in notes(store, 1)[0]


def test_another_leave_rule_is_another_setting(database: Database, save_at: SaveAt) -> None:
    store = RoutedStore(database, here="ab")
    save_at(store.info, "groups", {"groups": [group("g", {"a": 5, "b": 1})]}, NOON - HOUR)
    routed_day(store, 0)
    save_at(store.info, "leave_rule", {"on": False, "alert_at": "09:00"}, NOON + 20 * HOUR)
    assert notes(store, 0) == []
    save_at(store.info, "leave_rule", {"on": True, "agents": ["b"]}, NOON + 21 * HOUR)
    routed_day(store, 1)
    assert "王芳" in notes(store, 0)[0]
    assert notes(store, 1) == []


def test_what_routing_does_not_use_may_change(database: Database, save_at: SaveAt) -> None:
    store = RoutedStore(database, group("g", {"a": 5, "b": 1}), caps={"a": 3}, here="ab")
    routed_day(store, 0)
    other = {**group("g", {"b": 1, "a": 5}), "name": "售前", "prompt": "您好", "offline_prompt": "稍后回复"}
    save_at(store.info, "groups", {"groups": [other]}, NOON + DAY_MS)
    agents = [{"agent": "b", "name": "小王", "team": "一组"}, {"agent": "a", "capacity": 3, "team": "二组"}]
    save_at(store.info, "agents", {"agents": agents}, NOON + DAY_MS)
    assert notes(store, 0) == []
    save_at(store.info, "groups", {"groups": [{**other, "open": False}]}, NOON + 2 * DAY_MS)
    assert len(notes(store, 0)) == 2


def test_without_an_engine_the_times_of_saving_tell(database: Database, save_at: SaveAt) -> None:
    shop = Shop(database)
    shop.week_of_turns()
    shop.session("next", NINE + DAY_MS, "a")
    save_at(shop.store, "groups", groups(a=5, b=1, c=1), START - DAY_MS)
    save_at(shop.store, "groups", groups(a=1, b=1, c=5), NINE + 12 * HOUR, "李强")

    def said(days: int) -> str:
        day = DAY + timedelta(days=days)
        return "".join(note.zh for note in shop.workspace.replay.run(shop.store, day, day).notes)

    assert "李强 于 2026-03-09 21:00 更改过设置" in said(0)
    assert said(1) == ""


def test_days_before_anything_was_saved_ran_by_rules_of_the_source(database: Database, save_at: SaveAt) -> None:
    shop = Shop(database)
    shop.week_of_turns()
    save_at(shop.store, "groups", groups(a=5, b=1, c=1), START + 2 * DAY_MS)
    save_at(shop.store, "agents", {"agents": [{"agent": "a", "capacity": 3}]}, START + 3 * DAY_MS, "李强")
    (note,) = shop.replay().notes
    assert "王芳 于 2026-03-11 00:00 才首次保存咨询组" in note.zh
    assert "王芳 first saved groups on 2026-03-11 00:00" in note.en


def test_command_line(database: Database, url: str, save_at: SaveAt, capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop(database)
    shop.week_of_turns()
    save_at(shop.store, "groups", groups(a=5, b=1, c=1), START - DAY_MS)
    save_at(shop.store, "groups", groups(a=1), START + DAY_MS)
    common = ["replay", "--db", url, "--store", "shop", "--from", str(DAY), "--to", str(DAY)]
    assert run(common) == 0
    assert "王芳 于 2026-03-10 00:00 更改过设置" in capsys.readouterr().err
    assert run([*common, "--format", "json"]) == 0
    assert "王芳 于 2026-03-10 00:00 更改过设置" in json.loads(capsys.readouterr().out)["notes"][0]
