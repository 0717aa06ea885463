"""Exported files in, by the command `import`: the same totals as the file's own."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.metrics import METRICS
from tests.database.imports import DAY, assert_sound, bring, compare
from tests.exports import csv_file, workbook

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
