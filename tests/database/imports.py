"""Exported files brought in by the command `import`, and what reports then say of them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.cli import run
from app.domain.counters import IMPORTED, SUM_FIELDS
from app.domain.metrics import GAP_FIELDS
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.doctor import examine
from app.storage.imported import expected

DAY = date(2026, 8, 25)


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


ORDER_HEAD = ["咨询时间", "下单时间", "商品编号", "商品名称", "客服", "客户", "所属订单编号", "商品单价(?)", "购买数量", "订单状态"]
ORDERS = [
    ["2026-08-25 10:00:00", "2026-08-25 11:00:00", "100012043978", "键盘", "小雨", "甲", "290000000000000001", "￥100.50", 2, "已付款"],
    ["2026-08-25 10:00:00", "2026-08-25 11:00:00", "100012043979", "鼠标", "小雨", "甲", "290000000000000001", 50, 1, "已付款"],
    ["2026-08-25 12:00:00", "2026-08-27 11:00:00", "100012043978", "键盘", "小雨", "乙", "290000000000000002", 100, 1, "已付款"],
    ["2026-08-25 13:00:00", "2026-09-05 11:00:00", "100012043978", "键盘", "小雪", "丙", "290000000000000003", 100, 1, "已付款"],
    ["2026-08-25 13:00:00", "2026-08-25 14:00:00", "100012043978", "键盘", "小雪", "丁", "290000000000000004", 100, 1, "已取消"],
]
NONE_LOST = {"days": 0, "figures": []}
