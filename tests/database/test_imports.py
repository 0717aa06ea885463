"""The command `import`: exported files in, the same totals as the file's own, replaced, taken back, all or nothing."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text

from app.cli import run
from app.domain import imported as imported_rules
from app.domain.counters import IMPORTED, SUM_FIELDS
from app.domain.localtime import day_number
from app.domain.metrics import GAP_FIELDS, METRICS
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.services.workspace import Workspace
from app.storage import imported as imported_module
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.doctor import examine, repair_counters
from app.storage.faults import FaultError
from app.storage.imported import expected
from tests.exports import csv_file, workbook
from tests.oracle.streams import ndjson

DAY = date(2026, 8, 25)
ROOT = Path(__file__).resolve().parents[2]


def command(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> Any:
    """The JSON a command prints, or what it says when it is refused."""
    assert run([str(argument) for argument in arguments]) == code, capsys.readouterr().err
    out = capsys.readouterr()
    return out.err if code else json.loads(out.out)


def bring(capsys: pytest.CaptureFixture[str], url: str, file: Path, *options: str, code: int = 0) -> Any:
    return command(capsys, "import", file, "--db", url, "--store", "shop", "--format", "json", *options, code=code)


def compare(capsys: pytest.CaptureFixture[str], url: str, first: date = DAY, last: date = DAY, *options: str) -> Any:
    period = ["--from", first.isoformat(), "--to", last.isoformat()]
    return command(capsys, "report", "compare", "--db", url, *period, "--format", "json", *options)


def figures(report: Any, *keys: str) -> dict[str, tuple[Any, ...]]:
    return {row["key"]: tuple(row["values"][key] for key in keys) for row in report["rows"]}


def assert_sound(url: str) -> None:
    """What is held of imported days, and of no other, is what the imports come to, and the doctor has nothing to say."""
    database = Database(url)
    try:
        with database.read() as connection:
            held: dict[tuple[int, int], dict[str, int]] = {}
            for statement in (f"SELECT * FROM day_counters WHERE flag = {IMPORTED}", "SELECT * FROM imported_gaps"):
                for row in connection.execute(text(statement)).mappings():
                    counts = held.setdefault((row["day"], row["agent_id"]), {})
                    counts.update({name: value for name, value in row.items() if value and name in (*SUM_FIELDS, *GAP_FIELDS)})
            wanted = expected(Bulk(connection), 1, (0, 40_000))
            assert held == {(key.day, key.agent): {n: v for n, v in counts.items() if v} for key, counts in wanted.items()}
        assert [finding for finding in examine(database) if finding.level == "fault"] == []
    finally:
        database.close()


PEOPLE = ("小雨", "小雪", "小满", "立夏", "白露", "寒露", "谷雨", "霜降")
RATES = ("answer_rate", "reply_30s_rate", "satisfaction", "invite_rate", "rating_rate")
COUNTS = ("consults", "received", "rated")


def truth(seed: int) -> dict[str, int]:
    rng = random.Random(seed)
    consults = rng.randrange(40, 900)
    received = consults - rng.randrange(0, 12)
    rated = rng.randrange(0, received // 4)
    return {
        "consults": consults, "received": received, "replied_30s": rng.randrange(received // 2, received + 1), "rated": rated,
        "satisfied": rng.randrange(rated // 2, rated + 1), "invited": rng.randrange(received // 2, received + 1),
        "first_reply_ms": received * rng.randrange(5_000, 30_000), "login_ms": rng.randrange(6, 11) * 3_600_000,
    }  # fmt: skip


def shown(key: str, counts: dict[str, int], how: str) -> Any:
    """A figure as an export shows it. how: "text" percents, "part" of one, "percent" as numbers."""
    value = METRICS[key].value(counts)
    if METRICS[key].unit != "%":
        return f"{value:,}" if how == "text" and METRICS[key].unit == "n" else value
    if value is None:
        return "--%" if how == "text" else "--"
    return METRICS[key].text(value) if how == "text" else round(value, 4) if how == "part" else round(value * 100, 2)


KEYS = (*COUNTS, *RATES, "first_reply", "login_hours")
HEADS = [
    "总咨询量",
    "接待 量",
    "收到评价数",
    "应答率（回复率）",
    "30s应答率",
    "满意率",
    "邀评率",
    "评价返回率",
    "首次响应(秒)",
    "累计登录总时长\n(小时)",
]


def gbk_file(folder: Path) -> tuple[Path, dict[str, dict[str, int]]]:
    """One day, told by the file's name alone; percents as text, a name with a suffix in brackets of either width, a row said twice."""
    people = {name: truth(i) for i, name in enumerate(PEOPLE)}
    people["小满"] |= {"rated": 0, "satisfied": 0}
    rows: list[list[Any]] = [[f"京东客服数据 {DAY}"], [], ["客服昵称", *HEADS, "备注"]]
    for i, (name, counts) in enumerate(people.items()):
        suffix = ("(推算)", "（推算）", "")[i % 3]
        rows.append([name + suffix, *(shown(key, counts, "text") for key in KEYS), "无"])
    rows.insert(6, rows[5])
    summed = {field: sum(counts[field] for counts in people.values()) for field in people["小雨"]}
    rows.append(["总值", *(shown(key, summed, "text") for key in KEYS), ""])
    rows.append(["均值", *("1" for _ in KEYS), ""])
    return csv_file(folder / "京东pop2026-08-25.csv", rows, "gbk"), {"total": summed, **people}


def serial_file(folder: Path) -> tuple[Path, dict[str, dict[str, int]]]:
    """Three days an agent on the second sheet; serial dates, percents 0–1 in one column and 0–100 in the next, rows of means."""
    head = ["统计日期", "客服ID", *HEADS]
    people: dict[str, dict[str, int]] = {}
    rows: list[list[Any]] = [["多日汇总"], head]
    for i, name in enumerate(PEOPLE):
        for n in range(3):
            counts = truth(i * 10 + n)
            of_agent = people.setdefault(name, dict.fromkeys(counts, 0))
            for field, value in counts.items():
                of_agent[field] += value
            how = dict.fromkeys(RATES, "part") | {"satisfaction": "percent"}
            rows.append([46_259 + n, name, *(shown(key, counts, how.get(key, "part")) for key in KEYS)])
    summed = {field: sum(counts[field] for counts in people.values()) for field in people["小雨"]}
    last = [shown(key, summed, "percent" if key == "satisfaction" else "part") for key in KEYS]
    rows += [["", "总值", *last], ["", "全店平均值", *last], ["同行均值", "", *last]]
    file = workbook(folder / "导出.xlsx", {"说明": [["只读"]], "客服": rows}, [("客服", 0, 0, 0, 11, "多日汇总")])
    return file, {"total": summed, **people}


@pytest.mark.parametrize("make", [gbk_file, serial_file])
def test_an_export_comes_to_the_totals_it_states_itself(make: Any, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, people = make(tmp_path)
    done = bring(capsys, url, file)
    last = DAY if make is gbk_file else DAY + timedelta(days=2)
    assert (done["first"], done["last"], done["agents"]) == (DAY.isoformat(), last.isoformat(), len(PEOPLE))
    assert sorted(done["created"]) == sorted(PEOPLE)
    assert done["differing"] == []
    report = compare(capsys, url, DAY, last)
    summed = people.pop("total")
    for key in (*COUNTS, *RATES, "first_reply", "login_hours"):
        assert report["total"][key] == pytest.approx(METRICS[key].value(summed), abs=0.001), key
        for row in report["rows"]:
            wanted = METRICS[key].value(people[row["key"]])
            assert row["values"][key] == (None if wanted is None else pytest.approx(wanted, abs=0.001)), (key, row["key"])
    assert_sound(url)

    again = bring(capsys, url, file)
    assert (again["changed"], again["created"]) == (0, [])
    assert compare(capsys, url, DAY, last) == report


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


ORDER_HEAD = ["咨询时间", "下单时间", "商品编号", "商品名称", "客服", "客户", "所属订单编号", "商品单价(?)", "购买数量", "订单状态"]
ORDERS = [
    ["2026-08-25 10:00:00", "2026-08-25 11:00:00", "100012043978", "键盘", "小雨", "甲", "290000000000000001", "￥100.50", 2, "已付款"],
    ["2026-08-25 10:00:00", "2026-08-25 11:00:00", "100012043979", "鼠标", "小雨", "甲", "290000000000000001", 50, 1, "已付款"],
    ["2026-08-25 12:00:00", "2026-08-27 11:00:00", "100012043978", "键盘", "小雨", "乙", "290000000000000002", 100, 1, "已付款"],
    ["2026-08-25 13:00:00", "2026-09-05 11:00:00", "100012043978", "键盘", "小雪", "丙", "290000000000000003", 100, 1, "已付款"],
    ["2026-08-25 13:00:00", "2026-08-25 14:00:00", "100012043978", "键盘", "小雪", "丁", "290000000000000004", 100, 1, "已取消"],
]
SALES = ("order_customers", "orders", "order_items", "order_amount")


def test_credited_orders_count_in_every_window_they_fit(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = csv_file(tmp_path / "a2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", 10, 9], ["小雪", 5, 5]])
    bring(capsys, url, work)
    orders = csv_file(tmp_path / "促成订单.csv", [ORDER_HEAD, *ORDERS], "gbk")
    done = bring(capsys, url, orders)
    assert (done["kind"], done["lines"], done["days"], done["window"]) == ("orders", 5, 2, "")
    wanted = {
        "24h": {"小雨": (1, 1, 3, 251.0), "小雪": (0, 0, 0, 0.0)},
        "7d": {"小雨": (2, 2, 4, 351.0), "小雪": (0, 0, 0, 0.0)},
        "15d": {"小雨": (2, 2, 4, 351.0), "小雪": (1, 1, 1, 100.0)},
    }
    for window, figure in wanted.items():
        assert figures(compare(capsys, url, DAY, DAY, "--window", window), *SALES) == figure
    assert_sound(url)

    # A later export of other orders of the same day adds, and says anew what has become of one.
    news = [
        [*ORDERS[2][:-1], "已删除"],
        ["2026-08-25 15:00:00", "2026-08-25 16:00:00", "1", "线", "小雨", "戊", "290000000000000005", 10, 3, "已付款"],
    ]
    second = bring(capsys, url, csv_file(tmp_path / "促成订单2.csv", [ORDER_HEAD, *news]))
    later = figures(compare(capsys, url, DAY, DAY, "--window", "7d"), "consults", *SALES)
    assert later == {"小雨": (10, 2, 2, 6, 281.0), "小雪": (5, 0, 0, 0, 0.0)}
    assert_sound(url)
    command(capsys, "import", "--undo", str(second["id"]), "--db", url, "--format", "json")
    assert figures(compare(capsys, url, DAY, DAY, "--window", "7d"), *SALES) == wanted["7d"]
    command(capsys, "import", "--undo", str(done["id"]), "--db", url, "--format", "json")
    assert figures(compare(capsys, url), "consults", *SALES) == {"小雨": (10, *[None] * 4), "小雪": (5, *[None] * 4)}
    assert_sound(url)


def whole_day_and_lines(folder: Path) -> tuple[Path, Path]:
    """Sales of a day, and an export of the next day's orders: of each agent one line consulted late that evening, one of them cancelled."""
    whole = [["客服", "促成下单人数", "促成订单数", "促成下单金额"], ["小雨", 20, 22, 43_809], ["小雪", 3, 3, 300]]
    late = ["2026-08-25 22:30:00", "2026-08-26 08:00:00", "1", "线", "小雨", "甲", "290000000000000009", 99, 1, "已付款"]
    lines = [late, [*late[:4], "小雪", "乙", "290000000000000010", 99, 1, "已取消"]]
    sales = csv_file(folder / "sales2026-08-25.csv", whole)
    return sales, csv_file(folder / "促成订单2026-08-26.csv", [ORDER_HEAD, *lines])


SOLD = ("order_customers", "orders", "order_amount")
WHOLE_DAY = {"小雨": (20, 22, 43_809.0), "小雪": (3, 3, 300.0)}
LATE_LINES = {"小雨": (1, 1, 99.0)}
NONE_LOST = {"days": 0, "figures": []}


def test_the_sales_of_a_whole_day_hold_over_order_lines_imported_later(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sales, lines = whole_day_and_lines(tmp_path)
    first = bring(capsys, url, sales)["id"]
    assert bring(capsys, url, lines, "--preview")["lost"]["waiting"]["days"] == 2
    assert run(["import", str(lines), "--db", url, "--store", "shop"]) == 0
    told = capsys.readouterr().out
    assert "2 个客服日已有较早导入的全天销售数据，以它为准" in told
    assert "替换" not in told
    assert figures(compare(capsys, url), *SOLD) == WHOLE_DAY
    # Which lines of the wider windows are missing is as unknown.
    assert figures(compare(capsys, url, DAY, DAY, "--window", "7d"), *SOLD) == dict.fromkeys(WHOLE_DAY, (None, None, None))
    assert_sound(url)
    command(capsys, "import", "--undo", str(first), "--db", url, "--format", "json")
    assert figures(compare(capsys, url), *SOLD) == LATE_LINES
    assert figures(compare(capsys, url, DAY, DAY, "--window", "7d"), *SOLD) == LATE_LINES
    assert_sound(url)


def test_the_sales_of_a_whole_day_hold_over_order_lines_imported_before(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sales, lines = whole_day_and_lines(tmp_path)
    bring(capsys, url, lines)
    assert figures(compare(capsys, url), *SOLD) == LATE_LINES
    lost = bring(capsys, url, sales, "--preview")["lost"]
    assert (lost["outsold"]["days"], lost["unsaid"], lost["refuted"], lost["waiting"]) == (2, NONE_LOST, NONE_LOST, NONE_LOST)
    done = bring(capsys, url, sales)
    assert done["lost"] == lost
    assert figures(compare(capsys, url), *SOLD) == WHOLE_DAY
    assert_sound(url)
    # A corrected file replaces its forerunner, and has no lines to outsell any more.
    fewer = [["客服", "促成下单人数", "促成订单数", "促成下单金额"], ["小雨", 19, 21, 43_000], ["小雪", 3, 3, 300]]
    second = bring(capsys, url, csv_file(tmp_path / "corrected2026-08-25.csv", fewer))
    assert second["lost"]["outsold"] == NONE_LOST
    assert figures(compare(capsys, url), *SOLD)["小雨"] == (19, 21, 43_000.0)
    for each in (second, done):
        command(capsys, "import", "--undo", str(each["id"]), "--db", url, "--format", "json")
    assert figures(compare(capsys, url), *SOLD) == LATE_LINES
    assert_sound(url)


@pytest.mark.parametrize("cure", ["doctor", "next import", "undo"])
def test_days_counted_by_the_earlier_rule_come_right(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cure: str
) -> None:
    """Order lines once held over an earlier file's sales of the day."""
    sales, lines = whole_day_and_lines(tmp_path)
    with monkeypatch.context() as earlier:
        earlier.setattr(imported_rules, "_without_outsold", lambda claims, _: list(claims))
        bring(capsys, url, sales)
        second = bring(capsys, url, lines)["id"]
    assert figures(compare(capsys, url), *SOLD) == LATE_LINES
    if cure == "doctor":
        assert run(["doctor", "--db", url, "--repair"]) == 0
        capsys.readouterr()
    elif cure == "next import":
        bring(capsys, url, csv_file(tmp_path / "work2026-08-25.csv", [["客服", "咨询量", "接待量"], ["小雨", 9, 9], ["小雪", 5, 5]]))
    else:
        command(capsys, "import", "--undo", str(second), "--db", url, "--format", "json")
    assert figures(compare(capsys, url), *SOLD) == WHOLE_DAY
    assert_sound(url)


def test_an_order_that_a_later_export_credits_to_another_is_counted_once(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(capsys, url, csv_file(tmp_path / "1.csv", [ORDER_HEAD, ORDERS[0]]))
    moved = [*ORDERS[0]]
    moved[4] = "小雪"
    bring(capsys, url, csv_file(tmp_path / "2.csv", [ORDER_HEAD, moved]))
    assert figures(compare(capsys, url), *SALES)["小雪"] == (1, 1, 2, 201.0)
    assert compare(capsys, url)["total"]["order_amount"] == 201.0
    assert_sound(url)


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


@pytest.fixture
def shop(url: str) -> Any:
    workspace = Workspace.open(url, local_owner())
    workspace.create_store("shop", "shop")
    yield workspace
    workspace.close()


def agent_days(folder: Path, count: int) -> Path:
    return csv_file(folder / "2026-08-25.csv", [["客服", "咨询量", "接待量"], *([f"客服{n}", n + 1, n] for n in range(count))])


def test_the_doctor_finds_and_mends_imported_counters(shop: Workspace, tmp_path: Path) -> None:
    store = shop.store(None)
    shop.imports.run(shop.imports.preview(agent_days(tmp_path, 3), store))

    def held() -> list[Any]:
        with shop.database.read() as connection:
            return [
                sorted(connection.execute(text(f"SELECT day, agent_id, {names} FROM {table}")).all(), key=str)
                for table, names in (
                    ("day_counters", "consults, received"), ("agent_days", "consults, received"), ("imported_gaps", "unsaid_first_reply"),
                )
            ]  # fmt: skip

    before = held()
    assert [row[-1] for row in before[2]] == [None, 1, 2]
    for damage in (
        "UPDATE day_counters SET consults = consults + 1", "DELETE FROM day_counters", "DELETE FROM agent_days",
        "DELETE FROM imported_gaps", "UPDATE imported_gaps SET unsaid_first_reply = 5",
    ):  # fmt: skip
        with shop.database.write() as connection:
            connection.execute(text(damage))
        assert any(finding.level == "fault" for finding in examine(shop.database)), damage
        repair_counters(shop.database, store.id)
        assert held() == before
        assert not any(finding.level == "fault" for finding in examine(shop.database))


def test_a_cancelled_import_leaves_nothing(shop: Workspace, tmp_path: Path) -> None:
    store = shop.store(None)
    preview = shop.imports.preview(agent_days(tmp_path, 5_000), store)
    stop = Event()
    seen: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        seen.append((done, total))
        if len(seen) == 2:
            stop.set()

    with pytest.raises(FaultError) as told:
        shop.imports.run(preview, tell=tell, stop=stop)
    assert told.value.kind == "cancelled"
    assert 0 < seen[1][0] < seen[1][1]
    assert shop.imports.history(store) == []
    with shop.database.read() as connection:
        for table in ("agents", "imported_days", "imported_gaps", "day_counters", "agent_days", "changes"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0, table


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


def test_permission_is_asked_for(shop: Workspace, tmp_path: Path) -> None:
    guest = Workspace(shop.database, Actor("guest", frozenset({"history.view"})))
    store = guest.store(None)
    asked = (
        lambda: guest.imports.preview(agent_days(tmp_path, 1), store),
        lambda: guest.imports.history(store),
        lambda: guest.imports.undo(store, 1),
    )
    for ask in asked:
        with pytest.raises(NotAllowedError):
            ask()


def test_an_import_is_announced_with_what_it_touches(shop: Workspace, tmp_path: Path) -> None:
    store = shop.store(None)
    notices = shop.notices(store.id)
    try:
        done = shop.imports.run(shop.imports.preview(agent_days(tmp_path, 2), store))
        (notice,) = notices.wait(5)
        assert notice.topics == {"agents", "past", "sessions"}
        assert len(notice.agents or ()) == 2
        shop.imports.undo(store, done.id)
        assert [notice.topics for notice in notices.wait(5)] == [{"past", "sessions"}]
    finally:
        notices.close()


KILLED = """
import os, sys
from app.cli import run
from app.storage import imported
real = imported.announce
def announce(*arguments):
    real(*arguments)
    os.kill(os.getpid(), 9)
imported.announce = announce
sys.exit(run(sys.argv[1:]))
"""


def test_a_process_killed_before_its_commit_leaves_nothing(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring(capsys, url, csv_file(tmp_path / "2026-08-24.csv", [["客服", "咨询量", "接待量"], ["客服1", 7, 7]]))
    before = compare(capsys, url, DAY - timedelta(days=1), DAY)
    command_line = [sys.executable, "-c", KILLED, "import", str(agent_days(tmp_path, 3_000)), "--db", url, "--store", "shop"]
    died = subprocess.run(command_line, cwd=ROOT, capture_output=True, env=dict(os.environ), check=False)
    assert died.returncode == -9, died.stderr.decode()
    assert compare(capsys, url, DAY - timedelta(days=1), DAY) == before
    assert len(command(capsys, "import", "--list", "--db", url, "--format", "json")) == 1
    assert_sound(url)
    assert bring(capsys, url, agent_days(tmp_path, 3_000))["days"] == 3_000
    assert_sound(url)


def test_imported_days_are_of_the_stores_own_day(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = [["2026-08-25 23:59:30", "2026-08-26 00:10:00", *ORDERS[0][2:]]]
    bring(capsys, url, csv_file(tmp_path / "late.csv", [ORDER_HEAD, *late]), "--timezone", "America/New_York")
    database = Database(url)
    try:
        with database.read() as connection:
            assert connection.execute(text("SELECT DISTINCT day FROM day_counters")).scalars().all() == [day_number(DAY)]
    finally:
        database.close()


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


def test_a_large_file_is_written_and_undone_in_parts_as_if_at_once(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files over the same days of agents, in parts of seven: what holds is what it is in one part."""
    store = shop.store("shop")
    head = ["客服", "日期", "咨询量", "接待量", "满意率", "评价量"]
    days = [f"2026-01-{day:02}" for day in range(1, 11)]
    first = [[f"a{n}", day, 10 + n, 9, "90%", 5] for n in range(5) for day in days]
    second = [[f"a{n}", day, 20 + n, 20] for n in range(1, 6) for day in days[3:]]
    files = csv_file(tmp_path / "1.csv", [head, *first]), csv_file(tmp_path / "2.csv", [head[:4], *second])

    def counted() -> list[Any]:
        with shop.database.read() as connection:
            named = "SELECT day, agent_id, consults, received, rated, satisfied FROM day_counters WHERE flag = :flag ORDER BY day, agent_id"
            return [tuple(row) for row in connection.execute(text(named), {"flag": IMPORTED})]

    def run_through() -> tuple[list[Any], list[Any], Any]:
        done = [shop.imports.run(shop.imports.preview(file, store)) for file in files]
        both = counted()
        changed = tuple(each.changed for each in done), shop.imports.undo(store, done[1].id)
        one = counted()
        shop.imports.undo(store, done[0].id)
        assert counted() == []
        return both, one, changed

    whole = run_through()
    monkeypatch.setattr(imported_module, "_TOGETHER", 7)
    assert run_through() == whole
    assert len(whole[0]) == 57
    assert whole[2] == ((50, 35), 35)


def test_a_look_needs_no_database_and_tells_everything_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = csv_file(tmp_path / "京东pop2026-01-05.csv", [["客服", "咨询量", "接待量"], ["a", "-5", "3"], ["b", "x", "3"]])
    url = str(tmp_path / "new.db")
    assert run(["import", str(file), "--db", url, "--store", "shop", "--preview"]) == 0
    told = capsys.readouterr().out
    assert "-5 是负数" in told
    assert "“x”不是数字" in told
    assert not Path(url).exists()
