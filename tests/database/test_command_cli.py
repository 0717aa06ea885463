"""Commands of a supervisor from the command line: put down, waited for, listed; a refusal is one sentence."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from app.cli import run
from app.storage.database import Database
from app.storage.notices import Notices
from tests.database.routed_store import RoutedStore, group


@pytest.fixture
def store(database: Database) -> RoutedStore:
    made = RoutedStore(database, group("g", {"a": 6, "b": 6}), here="ab")
    made.opens("s1", agent="a")
    return made


def typed(url: str, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What it prints, or for a refusal its one line."""
    capsys.readouterr()
    assert run(["command", *arguments, "--db", url]) == code
    said = capsys.readouterr()
    assert not code or said.out == ""
    return (said.err if code else said.out).strip()


def listed(url: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(typed(url, capsys, "list", "--format", "json"))
    return found


def test_each_is_put_down_carried_out_and_listed(url: str, store: RoutedStore, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["suspend", "b"], ["resume", "b"], ["move", "s1", "b"], ["transfer", "s1", "g"]):
        assert "已提交" in typed(url, capsys, *arguments)
        assert listed(url, capsys)[0]["result"] == "waiting"
        store.now += 10
        store.routing.turn()
    found = listed(url, capsys)
    assert [(each["command"], each["author"], each["result"]) for each in found] == [
        (kind, "owner", "done") for kind in ("transfer", "move", "resume", "suspend")
    ]
    assert (found[0]["session"], found[0]["from"], found[0]["group"]) == ("s1", "b", "g")
    assert (found[1]["from"], found[1]["agent"]) == ("a", "b")
    assert "from" not in found[2]
    assert store.has("s1") == "a"
    assert "s1 → b → g" in typed(url, capsys, "list")


def test_waited_for(url: str, store: RoutedStore, capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    engine = threading.Thread(target=store.routing.run, args=(stop,))
    engine.start()
    try:
        assert "已执行" in typed(url, capsys, "suspend", "b", "--wait", "10")
        assert "b 已挂起" in typed(url, capsys, "suspend", "b", "--wait", "10", code=1)
        assert "没有编号为 nowhere 的咨询组" in typed(url, capsys, "transfer", "s1", "nowhere", "--wait", "10", code=1)
    finally:
        stop.set()
        engine.join(10)
    assert "serve" in typed(url, capsys, "resume", "b", "--wait", "1", code=1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["suspend", "nobody"], 1), (["move", "nothing", "a"], 1), (["suspend", ""], 2), (["move", "s1"], 2), (["explode", "a"], 2),
        (["suspend", "a", "--wait", "nan"], 2), (["suspend", "a", "--wait", "-1"], 2), (["suspend", "a", "--store", "nowhere"], 1),
        (["list", "--limit", "0"], 2),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(
    url: str, store: RoutedStore, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:  # fmt: skip
    said = typed(url, capsys, *arguments, code=code)
    assert len(said.splitlines()[-1]) > 5
    assert code == 2 or "\n" not in said
    assert store.workspace.commands.history(store.info) == []


def test_an_engine_told_nothing_hears_of_them(url: str, store: RoutedStore, capsys: pytest.CaptureFixture[str]) -> None:
    notices = Notices(store.database, store.store)
    typed(url, capsys, "suspend", "a")
    assert any("commands" in notice.topics for notice in notices.wait(5))
    notices.close()


def test_the_commands_about_one_agent_are_found_among_any_number(store: RoutedStore) -> None:
    store.opens("s1")
    (had,) = [agent for agent in ("a", "b") if store.has("s1") == agent]
    give, other = store.workspace.commands.give, "b" if had == "a" else "a"
    give(store.info, "move", session="s1", agent=other)
    for _ in range(5):
        give(store.info, "suspend", agent=other)
    history = store.workspace.commands.history
    assert [command.kind for command in history(store.info, 3)] == ["suspend"] * 3
    assert [(command.kind, command.had) for command in history(store.info, 3, had)] == [("move", had)]
    assert [command.kind for command in history(store.info, 100, other)] == ["suspend"] * 5 + ["move"]
    assert history(store.info, 100, '"agent": "') == []
