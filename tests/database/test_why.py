"""Why a session went where it went is told with it: in the look-up, in files, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import run
from app.domain.events import AgentUpserted, SessionAssigned
from app.domain.language import set_language
from app.domain.routing.reasons import Waits
from app.services.listings import LISTINGS
from app.services.sheets_of_one import transcript_sheet
from app.storage import schema
from app.storage.database import Database
from tests.database.routed_store import RoutedStore, group

DAY = ("--from", "2026-09-21", "--to", "2026-09-23")


@pytest.fixture
def store(database: Database) -> RoutedStore:
    """s1: by turn; s2: waits; s3: by its source."""
    made = RoutedStore(database, {**group("g", {"a": 6}), "name": "售前"}, caps={"a": 1}, here="a")
    made.opens("s1", "s2")
    made.opens("s3", agent="b")
    return made


def test_each_session_of_the_look_up_tells_why(url: str, store: RoutedStore, capsys: pytest.CaptureFixture[str]) -> None:
    found = {}
    for language in ("zh", "en"):
        capsys.readouterr()
        assert run(["--language", language, "report", "sessions", "--db", url, *DAY, "--format", "json"]) == 0
        found[language] = {row["session"]: row["why"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert found["zh"]["s1"].startswith("「售前」是唯一的咨询组，接待所有人；")
    assert "按权重轮到 a" in found["zh"]["s1"]
    assert "在「售前」排队" in found["zh"]["s2"]
    assert found["en"]["s1"].startswith("售前 is the only group and takes everybody. ")
    assert "Waiting in 售前" in found["en"]["s2"]
    assert found["zh"]["s3"] is found["en"]["s3"] is None
    set_language("zh")


def test_also_in_a_file_and_only_when_chosen_on_the_page(url: str, store: RoutedStore, tmp_path: Path) -> None:
    out = tmp_path / "sessions.csv"
    assert run(["report", "sessions", "--db", url, *DAY, "--format", "csv", "--out", str(out)]) == 0
    text = out.read_text("utf-8-sig")
    assert "为什么分到这里" in text
    assert "按权重轮到 a" in text
    assert next(column for column in LISTINGS["sessions"].columns if column.key == "why").optional


def test_the_last_decision_is_told(url: str, store: RoutedStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.closes("s1")
    capsys.readouterr()
    assert run(["report", "sessions", "--db", url, *DAY, "--format", "json"]) == 0
    told = {row["session"]: row["why"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert "等待了" in told["s2"]
    assert told["s2"] == "；".join(store.why("s2"))


def test_where_its_source_decided_what_that_told_is_told(store: RoutedStore) -> None:
    def told(session: str) -> list[str]:
        return [line.zh for line in store.workspace.decisions.why(store.info, session)]

    store.say(*store.arrival("s4"), SessionAssigned(id="x", at=store.now, session="s4", agent="b", reason="returning"))
    assert told("s3") == ["由会话来源分配，未说明原因"]
    assert told("s4") == ["由会话来源分配，原因记为「回头客」"]
    assert told("s1") == [*store.why("s1"), "按设置：咨询组第 1 版、客服第 1 版"]
    assert told("unheard of") == []
    store.say(*store.arrival("s5", wrote=False))
    assert told("s5") == ["客户尚未发言，发言后才会分配"]


def test_the_settings_of_that_decision_are_told_and_not_those_of_now(store: RoutedStore) -> None:
    store.configure({**group("g", {"a": 6}), "name": "售前一组"}, caps={"a": 3})
    store.configure({**group("g", {"a": 7}), "name": "售前一组"}, caps={"a": 3})
    assert store.workspace.decisions.why(store.info, "s1")[-1].en == "Under revision 1 of the groups, 1 of the agents"
    store.opens("s4")
    assert store.workspace.decisions.why(store.info, "s4")[-1].en == "Under revision 3 of the groups, 3 of the agents"


def test_an_item_is_told_by_its_name_where_the_store_knows_it(database: Database) -> None:
    store = RoutedStore(database, group("g", {"a": 1}, scope={"skus": ["100", "200"]}), group("all", {"a": 1}, type="fallback"), here="a")
    with database.write() as connection:
        known = {"store_id": store.store, "code": "100", "name": "连衣裙"}
        connection.execute(schema.skus.insert(), [known])
    store.opens("named", sku="100")
    store.opens("unnamed", sku="200")
    assert "咨询商品 100（连衣裙）的" in store.why("named")[0]
    assert "咨询商品 200 的" in store.why("unnamed")[0]


def test_a_session_that_waits_tells_where_since_when_and_whose_it_was(store: RoutedStore) -> None:
    """Its row goes on naming who had it."""

    def told(session: str) -> Waits | None:
        found = store.workspace.live.transcript(store.info, session)
        assert found is not None
        return found.session.waits

    opened_at = store.rows("SELECT opened_at FROM sessions WHERE code = 's2'")[0][0]
    assert told("s1") is None
    assert told("s2") == Waits("售前", opened_at, "")
    store.say(AgentUpserted(id="name", at=store.now, agent="a", name="小王"))
    store.present(a="offline", c="available")
    left_at = store.last("s1").at
    assert store.last("s1").outcome == "waited"
    assert told("s1") == Waits("售前", left_at, "小王")
    day = store.workspace.live.agent_day(store.info, "a", store.now)
    assert day is not None
    assert {session.code: session.waits is not None for session in day.open_sessions} == {"s1": True}
    heads = [words for words, _ in transcript_sheet(store.workspace, store.info, "s1", store.now).heading]
    assert "原客服" in heads
    assert "客服" not in heads
    assert store.commands("move", session="s1", agent="c") == ""
    assert told("s1") is None
