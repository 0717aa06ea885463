"""Try before apply on both databases: what is read of a store, what it comes to, and the command line."""

from __future__ import annotations

import json
import operator
import pkgutil
import signal
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.cli import run
from app.domain import events as ev
from app.domain.localtime import DAY_MS, LocalTime, day_number
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.services.replay import LONGEST_DAYS
from app.services.settings import InvalidError
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store

DAY = date(2026, 3, 9)
LOCAL = LocalTime("Asia/Shanghai")
START = LOCAL.start_of_day(day_number(DAY))
MINUTE = 60_000
HOUR_MS = 60 * MINUTE
NINE = START + 9 * 60 * MINUTE
TURNS = ["a", "a", "b", "a", "c", "a", "a"]
"""The published sequence of the weights 5, 1, 1."""


class Shop:
    """A store that is filled by hand."""

    def __init__(self, database: Database) -> None:
        self.workspace = Workspace(database, local_owner())
        self.workspace.create_store("shop", "Shop")
        self.store: StoreInfo = self.workspace.store("shop")
        self._recorder = Recorder(database, open_store(database, "shop", "Asia/Shanghai"))
        self._count = 0

    def name(self) -> str:
        self._count += 1
        return f"e{self._count}"

    def record(self, *events: ev.AnyEvent) -> None:
        self._recorder.record(events)

    def agents(self, codes: str, since: int = NINE - MINUTE, capacity: int | None = None) -> None:
        for code in codes:
            self.record(
                ev.AgentUpserted(id=self.name(), at=since, agent=code, name=f"客服{code}", capacity=capacity),
                ev.AgentPresence(id=self.name(), at=since, agent=code, state="available"),
            )

    def session(
        self, code: str, at: int, agent: str = "", minutes: int = 1, group: str | None = None, after: int = 0, customer: str = "",
        **about: Any,
    ) -> None:  # fmt: skip
        """Opened, given to an agent `after` milliseconds, closed minutes after that."""
        customer = customer or f"c-{code}"
        events: list[ev.AnyEvent] = [ev.SessionOpened(id=self.name(), at=at, session=code, customer=customer, group=group, **about)]
        if agent:
            events.append(ev.SessionAssigned(id=self.name(), at=at + after, session=code, agent=agent, group=group))
        if minutes:
            events.append(ev.SessionClosed(id=self.name(), at=at + after + minutes * MINUTE, session=code))
        self.record(*events)

    def week_of_turns(self) -> None:
        """Seven sessions, two minutes apart, that really went round by the weights 5, 1, 1."""
        self.agents("abc")
        for number, agent in enumerate(TURNS):
            self.session(f"s{number}", NINE + 2 * number * MINUTE, agent)

    def save(self, **weights: int) -> None:
        self.workspace.settings.save(self.store, "groups", groups(**weights))

    def replay(self, **how: Any) -> Any:
        return self.workspace.replay.run(self.store, DAY, DAY, **how)


def groups(**weights: int) -> dict[str, Any]:
    return {"groups": [{"code": "g", "name": "全部", "members": [{"agent": agent, "weight": weight} for agent, weight in weights.items()]}]}


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def test_unchanged_settings_reproduce_what_happened(shop: Shop) -> None:
    shop.week_of_turns()
    shop.save(a=5, b=1, c=1)
    found = shop.replay(detail=True)
    assert [fate.agent for fate in found.tried.fates] == TURNS
    assert found.unchanged
    assert found.current.likeness is not None
    assert (found.current.likeness.loads, found.current.likeness.same_agent) == (1.0, 1.0)
    assert "100.0%" in str(found.likeness_words())


def test_edited_settings_are_tried_beside_the_current_ones_and_nothing_is_saved(shop: Shop) -> None:
    shop.week_of_turns()
    shop.save(a=5, b=1, c=1)
    found = shop.replay(groups=groups(a=1, b=1))
    assert [(load.agent, load.sessions) for load in found.tried.agents] == [("a", 4), ("b", 3), ("c", 0)]
    assert [(load.agent, load.sessions) for load in found.current.agents] == [("a", 5), ("b", 1), ("c", 1)]
    capped = shop.replay(agents={"agents": [{"agent": code, "capacity": 0} for code in "ab"]})
    assert [(load.agent, load.sessions) for load in capped.tried.agents] == [("a", 0), ("b", 0), ("c", 7)]
    assert shop.workspace.settings.get(shop.store, "groups").revision == 1
    assert shop.workspace.settings.get(shop.store, "agents").revision == 0


def test_capacity_of_the_agents_own_record_holds_until_a_document_is_saved(shop: Shop) -> None:
    shop.agents("a", capacity=1)
    shop.save(a=6)
    shop.session("s1", NINE, "a", minutes=10)
    shop.session("s2", NINE + MINUTE, "a", minutes=1)
    found = shop.replay()
    assert (found.current.waited, found.current.waits.longest) == (1, 540.0)
    other = {"agents": [{"agent": "b", "capacity": 3}]}
    assert shop.replay(agents=other).tried.waited == 1
    shop.workspace.settings.save(shop.store, "agents", {"agents": [{"agent": "a", "capacity": 2}]})
    assert shop.replay().current.waited == 0


def test_a_document_given_as_it_is_saved_changes_nothing(shop: Shop) -> None:
    """A draft holds both documents though only one was edited: what the agents' own records say still holds."""
    shop.agents("ab", capacity=1)
    shop.session("s1", NINE, "a", minutes=10)
    shop.session("s2", NINE + MINUTE, "a")
    nobody = shop.workspace.settings.get(shop.store, "agents").body
    assert shop.replay(groups=groups(a=6), agents=nobody).tried.waited == 1
    assert shop.replay(agents=nobody).unchanged
    shop.save(a=6)
    assert shop.replay(groups=groups(a=6), agents=nobody).unchanged


def test_without_documents_the_plan_is_what_the_record_says(shop: Shop) -> None:
    shop.agents("abc")
    for number, (group, agent) in enumerate((("pre", "a"), ("pre", "b"), ("post", "c"), (None, "a"))):
        shop.session(f"s{number}", NINE + number * MINUTE, agent, group=group)
    found = shop.replay(detail=True)
    assert [(fate.group, fate.agent) for fate in found.tried.fates] == [("pre", "a"), ("pre", "b"), ("post", "c"), ("-", "a")]
    assert len(found.notes) == 1
    assert "咨询组" in str(found.notes[0])


def test_scopes_see_page_item_region_order_state_and_tags(shop: Shop) -> None:
    shop.agents("abcde")
    shop.record(
        ev.CustomerUpserted(id="u1", at=START, customer="vip", tags=["PLUS"]),
        ev.CustomerUpserted(id="u2", at=START, customer="gd", region="广东"),
    )
    asked: list[dict[str, Any]] = [
        {"customer": "vip"}, {"sku": "k1"}, {"order_state": "placed"}, {"page": "order"}, {"customer": "gd"}, {"region": "广东"}, {},
    ]  # fmt: skip
    for number, about in enumerate(asked):
        shop.session(f"s{number}", NINE + number * MINUTE, "a", **about)
    scopes = {"a": {"customer_tags": ["PLUS"]}, "b": {"skus": ["k1"]}, "c": {"order_state": "placed"}, "d": {"pages": ["order"]},
              "e": {"regions": ["广东"]}}  # fmt: skip
    body = {
        "groups": [
            *({"code": code, "name": code, "scope": scope, "members": [{"agent": code}]} for code, scope in scopes.items()),
            {"code": "rest", "name": "rest", "type": "fallback", "members": [{"agent": "a"}]},
        ]
    }
    found = shop.replay(groups=body, detail=True)
    assert [fate.group for fate in found.tried.fates] == ["a", "b", "c", "d", "e", "e", "rest"]


def test_what_was_before_the_first_day_is_known(shop: Shop) -> None:
    """How everybody stood, who was still at it, and who had served whom."""
    shop.agents("ab", since=START - 20 * 60 * MINUTE, capacity=1)
    shop.save(a=1, b=9)
    shop.session("old", START - 10 * 60 * MINUTE, "a", customer="c1")
    shop.session("long", START - 5 * MINUTE, "b", minutes=10)
    shop.session("s1", START + MINUTE, "a", customer="c1")
    shop.session("s2", START + 2 * MINUTE + 1, "a", minutes=9)
    shop.session("s3", START + 3 * MINUTE, "b", after=2 * MINUTE)
    found = shop.replay(detail=True)
    assert [(fate.session, fate.agent, fate.wait_ms, fate.reason) for fate in found.tried.fates] == [
        ("s1", "a", 0, "returning"), ("s2", "a", 0, "routed"), ("s3", "b", 2 * MINUTE, "routed"),
    ]  # fmt: skip
    assert found.current.sessions == 3
    assert found.current.likeness is not None
    assert found.current.likeness.real_waits.longest == 120.0


def test_what_was_undecided_at_the_end_and_given_to_somebody_later_is_no_difference(shop: Shop) -> None:
    """Nor is what became of it after the end; a customer who left without anybody before it is one if somebody takes them here."""
    end = START + DAY_MS
    shop.agents("ab", capacity=2)
    shop.save(a=6, b=0)
    shop.session("s1", NINE, "a")
    shop.session("late", end - 5_000, "b", after=9_000)
    shop.session("passed", end - 4_000, "a", minutes=0)
    shop.record(ev.SessionAssigned(id="t1", at=end + MINUTE, session="passed", agent="b", reason="transfer"))
    found = shop.replay(detail=True)
    assert [fate.agent for fate in found.tried.fates] == ["a", "a", "a"]
    likeness = found.current.likeness
    assert likeness is not None
    assert (likeness.loads, likeness.same_agent) == (1.0, 1.0)
    shop.session("left", NINE + HOUR_MS, minutes=3)
    likeness = shop.replay().current.likeness
    assert likeness is not None
    assert likeness.loads == pytest.approx(2 / 3)
    assert likeness.same_agent == 1.0
    assert likeness.real_waits.longest == 180.0


def test_waits_of_leave_messages_are_left_out_of_what_waits_really_were(shop: Shop) -> None:
    """As the replay leaves them out: who came at night, whoever tells that their sessions were online ones."""
    shop.agents("a")
    shop.save(a=6)
    shop.record(
        ev.SessionOpened(id="n1", at=START, session="night", customer="c9"),
        ev.SessionAssigned(id="n2", at=NINE, session="night", agent="a", reason="leave"),
    )
    shop.session("s1", NINE, "a", after=2_000)
    likeness = shop.replay().current.likeness
    assert likeness is not None
    assert (likeness.same_agent, likeness.real_waits.longest) == (1.0, 2.0)


def test_what_only_a_bot_had_is_left_out_and_what_opened_late_is_told(shop: Shop) -> None:
    shop.agents("a")
    shop.save(a=6)
    shop.session("bot", NINE)
    shop.record(ev.SessionFlagged(id="f1", at=NINE + 1, session="bot", flag="bot_only"))
    shop.session("night", START, "a", after=9 * 60 * MINUTE)
    shop.session("gone", NINE + MINUTE, minutes=3)
    shop.record(ev.AgentPresence(id="p9", at=NINE + 1_000, agent="a", state="suspended"))
    found = shop.replay(detail=True)
    fates = {fate.session: (fate.outcome, fate.agent, fate.wait_ms) for fate in found.tried.fates}
    assert fates == {"night": ("leave", "a", 9 * 60 * MINUTE - MINUTE), "gone": ("waited", None, 3 * MINUTE)}


def test_who_never_wrote_and_had_nobody_is_left_out_where_the_source_tells_messages(shop: Shop) -> None:
    shop.agents("a")
    shop.save(a=6)
    shop.session("s1", NINE, "a")
    shop.session("silent", NINE + MINUTE)
    assert shop.replay().current.sessions == 2
    shop.record(ev.MessageSent(id="m1", at=NINE + 1, session="s1", sender="customer", text="在吗"))
    assert shop.replay().current.sessions == 1
    shop.record(ev.MessageSent(id="m2", at=NINE + MINUTE, session="silent", sender="customer", text="有人吗"))
    assert shop.replay().current.sessions == 2


def test_presence_that_was_never_recorded_is_said(shop: Shop) -> None:
    shop.save(a=6)
    shop.session("s1", NINE, "a")
    found = shop.replay()
    assert found.current.leave == found.current.sessions == 1
    assert any("离线" in str(note) for note in found.notes)


def test_what_cannot_be_replayed_is_refused(shop: Shop) -> None:
    shop.week_of_turns()
    run_ = shop.workspace.replay.run
    with pytest.raises(FaultError, match="没有会话"):
        run_(shop.store, date(2026, 1, 1), date(2026, 1, 2))
    with pytest.raises(FaultError, match="之后"):
        run_(shop.store, DAY, date(2026, 3, 1))
    with pytest.raises(FaultError, match=str(LONGEST_DAYS)):
        run_(shop.store, date(2026, 1, 1), DAY)
    with pytest.raises(FaultError, match="9998-12-31 还没到"):
        run_(shop.store, date(9998, 12, 31), date(9999, 1, 1))
    with pytest.raises(InvalidError, match=r"groups\[0\]\.members\[0\]\.weight"):
        shop.replay(groups=groups(a=11))
    with pytest.raises(NotAllowedError):
        Workspace(shop.workspace.database, Actor("viewer", frozenset({"history.view"}))).replay.run(shop.store, DAY, DAY)


def test_days_to_come_are_left_out_and_that_is_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.week_of_turns()
    shop.save(a=5, b=1, c=1)
    now = LOCAL.start_of_day(day_number(DAY) + 1) + HOUR_MS
    monkeypatch.setattr(Workspace, "now", lambda *_: now)
    found = shop.workspace.replay.run(shop.store, DAY, DAY + timedelta(days=5))
    tomorrow = DAY + timedelta(days=1)
    assert (found.first, found.last) == (DAY, tomorrow)
    assert len(found.current.half_hours) == 2 * 48
    assert f"2026-03-14 还没到：只试算到 {tomorrow}" in str(found.notes[-1])
    assert [str(note) for note in shop.workspace.replay.run(shop.store, DAY, tomorrow).notes if "还没到" in str(note)] == []
    shop.session("fast", now + 2 * DAY_MS, "a")  # of a source whose clock is ahead
    assert shop.workspace.replay.run(shop.store, DAY, DAY + timedelta(days=5)).last == DAY + timedelta(days=3)


def test_groups_tell_who_came_to_them_what_they_changed_and_add_up(shop: Shop) -> None:
    shop.agents("ab", capacity=1)
    shop.save(a=6, b=6)
    shop.record(ev.CustomerUpserted(id="u1", at=START, customer="c-s0", region="上海"))
    for number in range(4):
        shop.session(f"s{number}", NINE + number * MINUTE, "a", minutes=10, region="上海" if number < 3 else "广东")
    shop.session("night", START, "a", after=NINE - START, region="广东")
    east = {"code": "east", "name": "华东", "scope": {"regions": ["上海"]}, "members": [{"agent": "b"}]}
    rest = {"code": "g", "name": "全部", "type": "fallback", "members": [{"agent": "a", "weight": 9}, {"agent": "b"}]}
    found = shop.replay(groups={"groups": [rest, east]})
    assert [(g.group, g.name, g.sessions, g.assigned, g.overflow, g.waited, g.leave) for g in found.tried.groups] == [
        ("g", "全部", 2, 2, 0, 1, 1), ("east", "华东", 3, 3, 1, 1, 0),
    ]  # fmt: skip
    assert [(g.group, g.sessions) for g in found.current.groups] == [("g", 5)]
    changed = [str(change.words) for change in found.changes]
    assert "咨询组 › 全部 › 成员 › 客服a › 分配权重值：6 → 9" in changed
    assert any(words.startswith("咨询组 › 华东：无 → ") for words in changed)
    assert found.revisions["groups"] == 1
    for figures in (found.tried, found.current):
        for what in ("sessions", "assigned", "overflow", "waited", "leave"):
            assert sum(getattr(load, what) for load in figures.groups) == getattr(figures, what)
        assert max(load.longest_wait or 0.0 for load in figures.groups) == figures.waits.longest
    part = found.as_json()
    assert part["groups"][1] == {
        "group": "east", "name": "华东", "sessions": 3, "assigned": 3, "overflow": 1, "waited": 1, "leave": 0,
        "mean_wait_s": found.tried.groups[1].mean_wait, "longest_wait_s": found.tried.groups[1].longest_wait,
    }  # fmt: skip
    assert [group["group"] for group in part["current"]["groups"]] == ["g"]


def test_it_tells_how_far_it_is_and_can_be_taken_back(shop: Shop) -> None:
    shop.week_of_turns()
    told: list[tuple[int, int | None]] = []
    shop.replay(groups=groups(a=1), tell=lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1] == 21
    stop = Event()
    stop.set()
    with pytest.raises(FaultError) as refused:
        shop.replay(stop=stop)
    assert refused.value.kind == "cancelled"


def test_command_line(shop: Shop, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.week_of_turns()
    file = tmp_path / "groups.json"
    file.write_text(json.dumps(groups(a=5, b=1, c=1)), encoding="utf-8")
    common = ["replay", "--db", url, "--store", "shop", "--from", str(DAY), "--to", str(DAY), "--groups", str(file)]
    assert run([*common, "--detail", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [session["agent"] for session in found["sessions"]] == TURNS
    assert found["sessions"][0] == {
        "session": "s0", "group": "g", "agent": "a", "outcome": "assigned", "wait_s": 0, "reason": "routed",
    }  # fmt: skip
    assert [(agent["agent"], agent["sessions"], agent["peak"]) for agent in found["agents"]] == [("a", 5, 1), ("b", 1, 1), ("c", 1, 1)]
    assert found["current"].keys() == {"summary", "agents", "groups"}
    assert [(group["group"], group["sessions"]) for group in found["groups"]] == [("g", 7)]
    assert [group["group"] for group in found["current"]["groups"]] == ["-"]
    assert found["current"]["summary"].keys() == found["summary"].keys()
    assert run(common) == 0
    printed = capsys.readouterr().out
    assert "客服a" in printed
    of_groups = [line.split()[:4] for line in printed.splitlines() if line.startswith(("g ", "- "))]
    assert of_groups == [["g", "全部", "7", "--"], ["-", "-", "0", "7"]]
    file.write_text(json.dumps(groups(a=11)), encoding="utf-8")
    assert run(common) == 1
    assert capsys.readouterr().err == "groups[0].members[0].weight: 11 不在 0 到 10 之间\n"
    assert run([*common[:-1], str(tmp_path / "none.json")]) == 1


@pytest.mark.parametrize("at", ["in its options", "while it starts", "while it reads", "while it runs"])
def test_interrupted_the_command_says_so_and_ends_alike(
    shop: Shop, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    shop.week_of_turns()
    place = {
        "in its options": "app.storage.database.url_of",
        "while it starts": "app.services.workspace.Workspace.store",
        "while it reads": "app.services.replay.read_recorded",
        "while it runs": "app.services.replay.replay",
    }[at]
    module, _, name = place.rpartition(".")
    real = operator.attrgetter(name)(pkgutil.resolve_name(module))

    def interrupted(*given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(*given)

    monkeypatch.setattr(place, interrupted)
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    try:
        assert run(["replay", "--db", url, "--store", "shop", "--from", str(DAY), "--to", str(DAY)]) == 130
        assert capsys.readouterr() == ("", "已取消试算。\n")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, kept)
