"""What the command `import` says of a file: looks that write nothing, refusals that name the row, corrections it remembers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from app.cli import run
from app.storage.database import Database
from tests.database.imports import DAY, ORDER_HEAD, ORDERS, assert_sound, bring, command, compare, figures
from tests.exports import csv_file


def test_a_broken_file_changes_nothing_and_says_which_row_and_why(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = csv_file(tmp_path / "2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", 10, 9]])
    bad = csv_file(tmp_path / "bad2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雪", 5, 5], ["小雨", "十二", 9], ["小满", 5, 6]])
    told = bring(capsys, url, bad, code=1)
    assert "第 3 行" in told
    assert "咨询量" in told
    assert "十二" in told
    assert "没有店铺" not in told
    bring(capsys, url, good)
    before = compare(capsys, url)
    told = bring(capsys, url, bad, code=1)
    assert "第 3 行" in told
    assert compare(capsys, url) == before
    assert [entry["file"] for entry in command(capsys, "import", "--list", "--db", url, "--format", "json")] == [good.name]
    english = run(["--language", "en", "import", str(bad), "--db", url])
    assert english == 1
    assert "Row 3, “咨询量”: “十二” is not a number." in capsys.readouterr().err


def test_a_name_that_two_agents_have_is_asked_about(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = ["客服ID", "客服昵称", "日期", "咨询量", "接待量"]
    known = csv_file(tmp_path / "1.csv", [head, ["w1", "小雨", "2026-08-24", 9, 9], ["w7", "小雨", "2026-08-24", 5, 5]])
    assert bring(capsys, url, known)["created"] == ["w1", "w7"]
    rows = [["小雪", "", "2026-08-25", 1, 1], ["小雨", "", "2026-08-25", 7, 7], ["小雨", "", "2026-08-26", 7, 7]]
    named = csv_file(tmp_path / "2.csv", [["客服", "团队", *head[2:]], *rows])
    seen = bring(capsys, url, named, "--preview")
    (problem,) = [problem for problem in seen["problems"] if problem["fatal"]]
    assert (problem["row"], problem["column"]) == (3, "客服")
    assert "有 2 位客服都叫“小雨”：w1, w7。请用客服ID" in problem["reason"]
    assert "w1, w7" in bring(capsys, url, named, code=1)
    assert figures(compare(capsys, url, DAY - timedelta(days=9), DAY + timedelta(days=9)), "consults") == {"w1": (9,), "w7": (5,)}
    corrected = csv_file(tmp_path / "3.csv", [["客服", *head[2:]], ["w7", *rows[1][2:]]])
    assert bring(capsys, url, corrected)["created"] == []
    assert figures(compare(capsys, url), "consults") == {"w7": (7,)}
    assert_sound(url)


def test_days_that_have_not_come_are_told_with_their_row(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = ["客服", "日期", "咨询量", "接待量"]
    file = csv_file(tmp_path / "x.csv", [head, ["小雨", "2026-08-25", 9, 9], ["小雨", "2062-12-01", 9, 9]])
    said = bring(capsys, url, file, code=1)
    assert "第 3 行“日期”：2062-12-01 还没有到。请更正日期。" in said
    named = csv_file(tmp_path / "2062-12-01.csv", [["客服", "咨询量", "接待量"], ["小雨", 9, 9], ["小雪", 9, 9]])
    assert bring(capsys, url, named, code=1).count("2062-12-01 还没有到") == 1
    assert "另有" not in bring(capsys, url, named, code=1)
    late = [*ORDERS[0][:1], "2062-12-01 11:00:00", *ORDERS[0][2:]]
    orders = csv_file(tmp_path / "orders.csv", [ORDER_HEAD, ORDERS[1], late])
    assert "第 3 行“下单时间”：2062-12-01 还没有到" in bring(capsys, url, orders, code=1)
    bring(capsys, url, csv_file(tmp_path / "y.csv", [head, ["小雨", "2026-08-25", 9, 9]]))
    assert "2062-12-01 还没有到" in bring(capsys, url, file, code=1)


def test_a_correction_is_remembered_for_the_next_file(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["姓名", "会话", "接待量"], ["小雨", 10, 9]]
    file = csv_file(tmp_path / "2026-08-25.csv", rows)
    assert "客服" in bring(capsys, url, file, code=1)
    bring(capsys, url, file, "--map", "姓名=agent", "--map", "会 话=consults")
    done = bring(capsys, url, csv_file(tmp_path / "2026-08-26.csv", rows))
    assert done["agents"] == 1
    seen = bring(capsys, url, file, "--preview")
    assert [(column["header"], column["meaning"]) for column in seen["columns"]] == [
        ("姓名", "agent"), ("会话", "consults"), ("接待量", "received"),
    ]  # fmt: skip


def test_looking_writes_nothing(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring(capsys, url, csv_file(tmp_path / "2026-08-24.csv", [["客服", "咨询量", "接待量"], ["小雨", 1, 1]]))
    file = csv_file(tmp_path / "2026-08-25.csv", [["客服", "咨询量", "接待量", "其他"], ["小雪", 5, 6, ""], ["总值", 6, 6, ""]])
    seen = bring(capsys, url, file, "--preview")
    assert [(problem["row"], problem["column"], problem["fatal"]) for problem in seen["problems"]] == [(2, "接待量", True)]
    assert seen["created"] == ["小雪"]
    assert [(check["key"], check["agrees"]) for check in seen["checks"]] == [("consults", False), ("received", True)]
    assert [column["state"] for column in seen["columns"]] == ["used", "used", "used", "unknown"]
    assert len(command(capsys, "import", "--list", "--db", url, "--format", "json")) == 1
    assert compare(capsys, url)["rows"] == []


def test_what_cannot_be_done_is_said_in_a_sentence(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = csv_file(tmp_path / "2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", 1, 1]])
    assert command(capsys, "import", file, "--db", url, "--store", "shop", "--preview", code=1)  # looking makes no store
    bring(capsys, url, file)
    assert "没有店铺 shpo" in command(capsys, "import", file, "--db", url, "--store", "shpo", code=1)
    assert command(capsys, "import", file, "--db", url, "--store", "two", "--timezone", "Asia/Tokyo", "--format", "json")["days"] == 1
    assert "没有时区" in command(capsys, "import", file, "--db", url, "--store", "three", "--timezone", "Mars", code=1)
    assert "无法读取" in bring(capsys, url, tmp_path / "missing.csv", code=1)
    assert run(["import", "--db", url]) == 2
    assert run(["import", str(file), "--undo", "1", "--db", url]) == 2
    assert run(["import", str(file), "--map", "nothing", "--db", url]) == 2
    capsys.readouterr()


def test_rows_that_are_added_up_are_told_with_the_import(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = csv_file(tmp_path / "twice2026-08-25.csv", [["客服", "咨询量", "接待量"], ["甲", 70, 69], ["甲", 71, 69]])
    assert run(["--language", "en", "import", str(file), "--db", url, "--store", "shop", "--format", "json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["days"] == 1
    assert "! Row 3: Row 2 has this day of 甲 as well: both are added up." in said.err


def test_a_file_without_figures_that_count_says_why(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = csv_file(tmp_path / "rates2026-08-25.csv", [["客服", "应答率", "满意率"], ["甲", "98%", "90%"]])
    for store in ("shop", "another"):
        said = command(capsys, "import", file, "--db", url, "--store", store, "--timezone", "Asia/Tokyo", code=1)
        assert "无法换算" in said
        assert "真实会话" not in said
    database = Database(url)
    assert database.stores() == []
    database.close()


def test_a_look_needs_no_database_and_tells_everything_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = csv_file(tmp_path / "京东pop2026-01-05.csv", [["客服", "咨询量", "接待量"], ["a", "-5", "3"], ["b", "x", "3"]])
    url = str(tmp_path / "new.db")
    assert run(["import", str(file), "--db", url, "--store", "shop", "--preview"]) == 0
    told = capsys.readouterr().out
    assert "-5 是负数" in told
    assert "“x”不是数字" in told
    assert not Path(url).exists()
