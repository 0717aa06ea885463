"""A day that several imports tell of, or real sessions too: what holds, what is pooled, and what is left when they are taken back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.cli import run
from app.domain.localtime import day_number
from app.storage.database import Database
from tests.database.imports import DAY, NONE_LOST, ORDER_HEAD, ORDERS, assert_sound, bring, command, compare, figures
from tests.exports import csv_file
from tests.oracle.streams import ndjson


def test_a_later_import_replaces_and_undo_brings_back(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = ["客服", "咨询量", "接待量", "评价量"]
    first = csv_file(tmp_path / "a2026-08-25.csv", [head, ["小雨", 10, 9, 3], ["小雪", 20, 20, 5]])
    second = csv_file(tmp_path / "b2026-08-25.csv", [head, ["小雨", 100, 90, 0]])
    one = bring(capsys, url, first)
    before = compare(capsys, url)
    two = bring(capsys, url, second)
    assert (two["replaced"], two["changed"]) == (1, 1)
    after = figures(compare(capsys, url), "consults", "received", "rated")
    assert after == {"小雨": (100, 90, 0), "小雪": (20, 20, 5)}
    assert_sound(url)
    for number, left in ((two["id"], figures(before, "consults")), (one["id"], {})):
        command(capsys, "import", "--undo", str(number), "--db", url, "--format", "json")
        found = figures(compare(capsys, url), "consults")
        assert {agent: value for agent, value in found.items() if value[0]} == left
        assert_sound(url)
    assert "已经撤销" in command(capsys, "import", "--undo", str(one["id"]), "--db", url, code=1)
    assert "没有编号" in command(capsys, "import", "--undo", "99", "--db", url, code=1)


def test_undoing_the_earlier_of_two_changes_nothing(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [
        bring(capsys, url, csv_file(tmp_path / f"{n}-2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", n, n]]))["id"]
        for n in (10, 20, 30)
    ]
    assert command(capsys, "import", "--undo", str(ids[1]), "--db", url, "--format", "json")["changed"] == 0
    command(capsys, "import", "--undo", str(ids[2]), "--db", url, "--format", "json")
    assert figures(compare(capsys, url), "consults") == {"小雨": (10,)}


def test_workload_and_sales_of_a_day_stand_beside_each_other(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = csv_file(tmp_path / "a2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", 10, 9]])
    sales = csv_file(tmp_path / "b2026-08-25.csv", [["客服", "售前接待人数", "促成下单人数", "促成下单金额"], ["小雨", 8, 2, "￥1,199.50"]])
    bring(capsys, url, work)
    done = bring(capsys, url, sales, "--window", "7d")
    assert done["window"] == "7d"
    keys = ("consults", "received", "presale_customers", "order_customers", "order_amount")
    assert figures(compare(capsys, url, DAY, DAY, "--window", "7d"), *keys) == {"小雨": (10, 9, 8, 2, 1199.5)}
    assert figures(compare(capsys, url), *keys) == {"小雨": (10, 9, 8, None, None)}
    assert bring(capsys, url, sales)["window"] == "24h"  # the store's own
    assert figures(compare(capsys, url), *keys) == {"小雨": (10, 9, 8, 2, 1199.5)}


SESSIONS = [
    {"type": "agent.upserted", "id": "u", "at": "2026-08-25T08:00:00+08:00", "agent": "w1", "name": "小雨"},
    {"type": "agent.presence", "id": "p1", "at": "2026-08-25T09:00:00+08:00", "agent": "w2", "state": "available"},
    {"type": "agent.presence", "id": "p2", "at": "2026-08-25T11:00:00+08:00", "agent": "w2", "state": "offline"},
    {"type": "session.opened", "id": "1", "at": "2026-08-25T10:00:00+08:00", "session": "s", "customer": "c", "agent": "w1"},
    {"type": "message.sent", "id": "2", "at": "2026-08-25T10:00:01+08:00", "session": "s", "sender": "customer"},
    {"type": "message.sent", "id": "3", "at": "2026-08-25T10:00:09+08:00", "session": "s", "sender": "agent"},
]


def test_days_with_real_sessions_are_left_alone_unless_asked(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = tmp_path / "events.ndjson"
    events.write_bytes(ndjson(SESSIONS))
    assert run(["ingest", str(events), "--db", url, "--store", "shop"]) == 0
    head = ["客服", "日期", "登录时长", "咨询量", "接待量"]
    rows = [["小雨", "2026-08-25", 8, 10, 9], ["小雨", "2026-08-26", 8, 20, 19], ["w2", "2026-08-25", 8, 5, 5]]
    file = csv_file(tmp_path / "x.csv", [head, *rows])
    capsys.readouterr()
    done = bring(capsys, url, file)
    assert done["created"] == []  # 小雨 is known by name
    assert done["skipped"] == [
        {"agent": "小雨", "day": "2026-08-25", "what": "all"}, {"agent": "w2", "day": "2026-08-25", "what": "presence"},
    ]  # fmt: skip
    keys = ("consults", "received", "login_hours")
    assert figures(compare(capsys, url), *keys) == {"w1": (1, 1, 0), "w2": (5, 5, 2)}
    tomorrow = DAY + timedelta(days=1)
    assert figures(compare(capsys, url, tomorrow, tomorrow), *keys) == {"w1": (20, 19, 8)}
    assert_sound(url)
    only = csv_file(tmp_path / "y.csv", [head, rows[0]])
    assert "真实会话" in bring(capsys, url, only, code=1)
    assert bring(capsys, url, file, "--mix")["skipped"] == []
    assert figures(compare(capsys, url), *keys) == {"w1": (11, 10, 8), "w2": (5, 5, 10)}
    assert_sound(url)


def test_what_a_file_does_not_say_has_no_value_and_is_told(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else an agent whose export has no response time is the fastest, and the team's pooled one is halved."""
    said = csv_file(tmp_path / "said.csv", [["客服", "日期", "咨询量", "接待量", "首次响应(秒)", "促成订单数"], ["甲", DAY, 10, 10, 20, 3]])
    silent = csv_file(tmp_path / "silent.csv", [["客服", "日期", "咨询量", "接待量"], ["乙", DAY, 30, 30]])
    shown = ("consults", "answer_rate", "first_reply", "reply_30s_rate", "satisfaction", "orders")
    keys = ("--metrics", ",".join(shown))

    def missing(*options: str) -> str:
        notes = compare(capsys, url, DAY, DAY, *keys, *options)["notes"]
        return next((note.partition("：")[0] for note in notes if "只按有数据的天计算" in note), "")

    bring(capsys, url, said)
    assert missing() == "30s应答率"
    assert missing("--window", "7d") == "30s应答率、促成订单数"
    number = bring(capsys, url, silent)["id"]
    assert missing() == "首次平均响应时间、30s应答率、促成订单数"
    assert missing("--agent", "甲") == "30s应答率"
    report = compare(capsys, url, DAY, DAY, *keys)
    assert figures(report, *shown) == {"甲": (10, 1.0, 20.0, None, None, 3), "乙": (30, 1.0, None, None, None, None)}
    assert report["total"] == dict(zip(shown, (40, 1.0, 20.0, None, None, 3)))
    assert report["mean"] == dict(zip(shown, (20, 1.0, 20.0, None, None, 3)))
    assert_sound(url)
    command(capsys, "import", "--undo", str(number), "--db", url, "--format", "json")
    assert missing() == "30s应答率"


def test_days_that_say_and_days_that_do_not_are_pooled_by_those_that_do(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With real sessions, over days and weeks, by day, agent and store: of each rate only what has both of its sides."""
    events = tmp_path / "events.ndjson"
    placed = {"type": "order.placed", "id": "o", "at": "2026-08-25T10:05:00+08:00", "order": "o", "customer": "c",
              "lines": [{"sku": "k", "quantity": 1, "amount_fen": 500}]}  # fmt: skip
    events.write_bytes(ndjson([*SESSIONS, placed]))
    assert run(["ingest", str(events), "--db", url, "--store", "shop"]) == 0
    capsys.readouterr()
    next_day = DAY + timedelta(days=1)
    work = [["客服", "日期", "咨询量", "接待量", "30s应答率"], ["小雨", next_day, 100, 90, "50%"], ["小雪", DAY, 60, 60, "--"]]
    bring(capsys, url, csv_file(tmp_path / "work.csv", work))
    ratings = [["客服", "日期", "邀评量", "评价量", "满意率"], ["小雪", next_day, 8, 4, "75%"]]
    bring(capsys, url, csv_file(tmp_path / "ratings.csv", ratings))
    bring(capsys, url, csv_file(tmp_path / "orders.csv", [ORDER_HEAD, ORDERS[3]]))
    rates = ("reply_30s_rate", "first_reply", "invite_rate", "satisfaction", "conversion")
    # One real session: answered after 8 s, not rated; its customer had not ordered before and then did.
    wanted = (51 / 101, 8.0, 0.0, 0.75, 1.0)
    options = ("--metrics", ",".join((*rates, "rated", "reply_ratio")))
    report = compare(capsys, url, DAY, next_day, *options)
    assert tuple(report["total"][key] for key in rates) == pytest.approx(wanted)
    assert (report["total"]["rated"], report["total"]["reply_ratio"]) == (4, 1.0)
    nothing = (None,) * len(rates)
    assert figures(report, *rates) == {"w1": (51 / 101, 8.0, 0.0, None, 1.0), "w2": nothing, "小雪": (None, None, None, 0.75, None)}
    for days in (0, 40):
        period = ("--from", (DAY - timedelta(days)).isoformat(), "--to", (next_day + timedelta(days)).isoformat())
        store = command(capsys, "report", "store", "--db", url, *period, "--format", "json", *options)
        assert tuple(store["total"][key] for key in rates) == pytest.approx(wanted)
    by_day = {key: values for key, values in figures(store, *rates).items() if values != nothing}
    assert by_day == {DAY.isoformat(): (1.0, 8.0, 0.0, None, 1.0), next_day.isoformat(): (0.5, None, None, 0.75, None)}
    assert_sound(url)


def test_a_later_part_that_cannot_be_true_with_an_earlier_one_drops_it_and_says_so(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = ["客服", "咨询量", "接待量", "30s应答率", "首次响应(秒)", "邀评率", "评价量", "满意率"]
    whole = csv_file(tmp_path / "a2026-08-25.csv", [head, ["小雨", 500, 480, "90%", 12, "95%", 60, "98%"]])
    less = csv_file(tmp_path / "b2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", 10, 9]])
    bring(capsys, url, whole)
    before = compare(capsys, url)
    lost = {
        "unsaid": {"days": 1, "figures": ["reply_30s_rate", "first_reply"]},
        "refuted": {"days": 1, "figures": ["invited", "rated", "satisfaction"]},
        "outsold": NONE_LOST,
        "waiting": NONE_LOST,
    }
    seen = bring(capsys, url, less, "--preview")
    assert seen["lost"] == lost
    assert run(["import", str(less), "--db", url, "--store", "shop", "--preview"]) == 0
    told = capsys.readouterr().out
    assert "不再有较早导入的30s应答率、首次平均响应时间" in told
    assert "与较早导入的邀评量、评价量、满意率矛盾" in told
    done = bring(capsys, url, less)
    assert done["lost"] == lost
    keys = ("consults", "received", "first_reply", "reply_30s_rate", "invite_rate", "rated", "satisfaction")
    assert figures(compare(capsys, url), *keys) == {"小雨": (10, 9, None, None, None, None, None)}
    assert_sound(url)
    again = bring(capsys, url, less)
    assert again["lost"] == dict.fromkeys(("unsaid", "refuted", "outsold", "waiting"), NONE_LOST)
    # The other way round the ratings are newer, so that it is the workload that goes.
    ratings = csv_file(tmp_path / "c2026-08-25.csv", [["客服", "邀评量", "评价量"], ["小雨", 300, 50]])
    assert bring(capsys, url, ratings)["lost"]["refuted"]["figures"] == ["consults", "received"]
    assert figures(compare(capsys, url), *keys)["小雨"] == (None, None, None, None, None, 50, None)
    assert_sound(url)
    for number in (4, 3, 2):
        command(capsys, "import", "--undo", str(number), "--db", url, "--format", "json")
    assert compare(capsys, url) == before


def test_of_days_whose_imports_are_all_undone_nothing_is_left(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring(capsys, url, csv_file(tmp_path / "1-2026-08-24.csv", [["客服", "咨询量", "接待量"], ["小雨", 10, 9]]))
    days = [csv_file(tmp_path / f"{n}-2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", n, n]]) for n in (10, 20)]
    for number in [bring(capsys, url, file)["id"] for file in days]:
        assert "导入" in "".join(compare(capsys, url)["notes"])
        command(capsys, "import", "--undo", str(number), "--db", url, "--format", "json")
    assert "导入" not in "".join(compare(capsys, url)["notes"])
    assert compare(capsys, url)["rows"] == []
    database = Database(url)
    try:
        with database.read() as connection:
            for table in ("day_counters", "imported_gaps"):
                assert connection.execute(text(f"SELECT DISTINCT day FROM {table}")).scalars().all() == [day_number(DAY) - 1], table
    finally:
        database.close()
    assert_sound(url)
