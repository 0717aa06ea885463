"""Imported order lines: every window they fit, the sales of a whole day beside them, and orders that change hands."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from app.cli import run
from app.domain import imported as imported_rules
from app.domain.localtime import day_number
from app.storage.database import Database
from tests.database.imports import DAY, NONE_LOST, ORDER_HEAD, ORDERS, assert_sound, bring, command, compare, figures
from tests.exports import csv_file

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


def test_imported_days_are_of_the_stores_own_day(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = [["2026-08-25 23:59:30", "2026-08-26 00:10:00", *ORDERS[0][2:]]]
    bring(capsys, url, csv_file(tmp_path / "late.csv", [ORDER_HEAD, *late]), "--timezone", "America/New_York")
    database = Database(url)
    try:
        with database.read() as connection:
            assert connection.execute(text("SELECT DISTINCT day FROM day_counters")).scalars().all() == [day_number(DAY)]
    finally:
        database.close()
