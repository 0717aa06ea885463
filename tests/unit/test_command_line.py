"""What is typed wrongly is refused in one sentence with exit code 2, before anything is opened or made; never a traceback."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from app.cli import run
from app.storage.database import Database
from app.storage.recorder import open_store
from tests.databases import sqlite_schema
from ui.screenshots import take


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    path.write_bytes(sqlite_schema())
    database = Database(str(path))
    open_store(database, "shop", "Asia/Shanghai")
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO agents (id, store_id, code, name) VALUES (1, 1, 'a1', '王小'), (2, 1, 'a2', '李四')")
    database.close()
    return str(path)


def wrong(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence, the last line of what click prints."""
    capsys.readouterr()
    assert run(list(arguments)) == 2, arguments
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "typed",
    [
        ["report", "compare", "--agents", ","], ["report", "compare", "--agents", " ， "], ["report", "compare", "--agents", ""],
        ["report", "compare", "--agent", ""], ["report", "compare", "--group", " "], ["report", "compare", "--team", ""],
        ["report", "compare", "--metrics", ","], ["report", "compare", "--metrics", "consults,nothing_of_it"],
        ["report", "sessions", "--only", ""], ["report", "sessions", "--metrics", "consults"],
        ["report", "compare", "--store", ""], ["report", "--saved", ""], ["report", "--saved", "weekly", "--from", "2026-01-01"],
        ["report", "--saved", "weekly", "--format", "csv"], ["report", "compare", "--from", "2026-02-02", "--to", "2026-02-01"],
        ["report", "store_assessed", "--population", "overall"], ["report", "live", "--by", "day"], ["report", "compare", "--out", ""],
        ["search", " "], ["search", '"'], ["search", '""'], ["search", "“ ” \""],
        ["search", "hello", "--customer", ""], ["search", "hello", "--from", "2026-02-02", "--to", "2026-02-01"],
        ["saved", "add", "weekly", "nothing_of_it"], ["saved", "add", "", "compare"], ["saved", "add", "weekly", "compare", "--folder", ""],
        ["saved", "add", "weekly", "compare", "--metrics", ","], ["import", "--list", "--store", ""],
        ["demo", "--speed", "nan"], ["demo", "--speed", "0"], ["demo", "--speed", "inf"], ["demo", "--days", "-1"],
        ["ingest", "nothing.ndjson", "--source", ""], ["ingest", "nothing.ndjson", "--timezone", ""],
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_option_that_says_nothing_or_nonsense(typed: list[str], shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(wrong(capsys, *typed, "--db", shop)) > 10


@pytest.mark.parametrize(
    "command", [["report", "live"], ["migrate"], ["doctor"], ["ingest", "x.ndjson"], ["demo", "--build-only"]], ids=" ".join
)
@pytest.mark.parametrize("where", ["", "  ", ".", ":memory:", "sqlite://", "sqlite:///:memory:", "mysql://host/db", "missing/shop.db"])
def test_a_database_that_cannot_be(
    command: list[str], where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(wrong(capsys, *command, "--db", where)) > 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", [".", "missing/report.csv"])
def test_a_file_that_cannot_be_written(
    out: str, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong(capsys, "report", "compare", "--db", shop, "--format", "csv", "--out", out)
    wrong(capsys, "report", "compare", "--db", shop, "--out", out)


def test_a_folder_of_events_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong(capsys, "ingest", str(tmp_path), "--db", str(tmp_path / "new.db"), "--store", "shop")
    assert not (tmp_path / "new.db").exists()


def test_a_page_that_is_not_there_is_not_pictured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Pictures:
        def console(self, url: str | None = None, store: str = "", engine: Sequence[str] = ()) -> int:
            raise AssertionError

        def take(self, out: Path, url: str | None, pages: Sequence[str]) -> Iterable[Path]:
            return take(out, url, pages)

    assert run(["screenshots", "--page", "nothing_of_it", "--out", str(tmp_path / "out")], Pictures()) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("没有页面 nothing_of_it；现有：overview、")
    assert list(tmp_path.iterdir()) == []


def test_what_is_named_twice_counts_once(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["report", "daily", "--db", shop, "--agents", "a1,,a1，a2", "--metrics", "consults, consults", "--format", "csv"]) == 0
    table = list(csv.reader(io.StringIO(capsys.readouterr().out.lstrip("\ufeff"))))
    assert [line.count("咨询量") for line in table if "咨询量" in line] == [1]


class TestSettings:
    def set(self, shop: str, document: str, body: object, tmp_path: Path) -> int:
        file = tmp_path / "body.json"
        file.write_text(json.dumps(body), encoding="utf-8")
        return run(["settings", "set", document, "--db", shop, "--file", str(file)])

    @pytest.mark.parametrize("document", ["order_window", "assessment", "standards", "groups", "agents"])
    def test_an_empty_document_is_refused(self, document: str, shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.set(shop, document, {}, tmp_path) == 1
        assert "第 0 版" in capsys.readouterr().err
        run(["settings", "history", document, "--db", shop, "--format", "json"])
        assert json.loads(capsys.readouterr().out) == []

    def test_what_a_file_leaves_out_is_told(self, shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.set(shop, "assessment", {"from": "10:00", "leave_out": []}, tmp_path) == 0
        assert capsys.readouterr().err.strip().endswith("：to")
        group = {"code": "g", "name": "组", "members": [{"agent": "a1"}]}
        assert self.set(shop, "groups", {"groups": [group], "default_group": "g"}, tmp_path) == 0
        told = capsys.readouterr().err
        assert "groups[0].type" in told
        assert "groups[0].code" not in told

    def test_a_whole_file_needs_no_words(self, shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.set(shop, "order_window", {"window": "7d"}, tmp_path) == 0
        assert capsys.readouterr().err == ""


def test_an_engine_does_not_make_the_file_that_was_mistyped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shpo.db"
    assert run(["serve", "--db", str(path)]) == 1
    assert str(path) in capsys.readouterr().err
    assert not path.exists()


def test_what_is_saved_is_told_of_what_the_pages_would_warn(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def noted(document: str, body: object) -> list[str]:
        file = tmp_path / "body.json"
        file.write_text(json.dumps(body), encoding="utf-8")
        capsys.readouterr()
        assert run(["settings", "set", document, "--db", shop, "--file", str(file)]) == 0
        return [line for line in capsys.readouterr().err.splitlines() if line.startswith("注意：")]

    group = {"code": "g", "name": "售前", "members": [{"agent": "a1"}]}
    assert noted("groups", {"groups": [group]}) == []
    assert noted("groups", {"groups": [{**group, "members": [{"agent": "a1"}, {"agent": "nobody"}]}]}) == [
        "注意：「售前」的 1 名成员不是本店客服：nobody"
    ]
    assert "注意：留言指定分配的 1 名客服不是本店客服：ghost" in noted("leave_rule", {"on": True, "agents": ["ghost"]})
    assert noted("order_window", {"window": "7d"}) == []
