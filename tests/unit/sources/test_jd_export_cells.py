"""Cells of exported files: numbers, percents, durations and days in every way they are written."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import T
from app.sources.jd_export import cells as reading
from app.sources.jd_export import read
from tests.exports import workbook
from tests.unit.sources.exported import DAY, HOUR


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (["99.9%", "--%", "50%", "100％"], [0.999, None, 0.5, 1.0]),
        ([0.999, "--", 0.5, 1], [0.999, None, 0.5, 1.0]),
        ([99.9, "", 50, 1], [0.999, None, 0.5, 0.01]),
        (["99.9", "-", "0.5", "1"], [0.999, None, 0.005, 0.01]),
        (["1", "0", "1", "1"], [1.0, 0.0, 1.0, 1.0]),
        ([1, "50%", 0.25, "--"], [1.0, 0.5, 0.25, None]),
        (["９９.９％", "０", "１００％", "——"], [0.999, 0.0, 1.0, None]),
    ],
)
def test_percents_are_decided_by_the_whole_column(column: list[Any], wanted: list[float | None]) -> None:
    assert reading.rates(column) == [None if value is None else pytest.approx(value) for value in wanted]


def test_a_percent_beyond_all_is_told() -> None:
    assert isinstance(reading.rates([99.0, 120.0])[1], T)
    assert isinstance(reading.rates(["101%"])[0], T)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1,234", 1234), ("１，２３４", 1234), ("￥1,234.00", 1234), ("¥ 5", 5), ("１２", 12), ("7次", 7), ("1.2万", 12_000), (3.0, 3),
        ("--", None), ("", None), (None, None), ("—", None), ("N/A", None), ("#DIV/0!", None), ("\t88\t", 88), ('="42"', 42), ("'42", 42),
    ],
)  # fmt: skip
def test_numbers(cell: Any, value: float | None) -> None:
    assert reading.numbers([cell]) == [value]


@pytest.mark.parametrize(
    "cell", ["abc", "12abc", "-3", -3, 2.5, "1e999", 1e300, True, "一百", "2026-08-25", time(1), float("nan"), "9" * 400]
)
def test_what_is_no_count_is_told(cell: Any) -> None:
    assert isinstance(reading.numbers([cell])[0], T)


@pytest.mark.parametrize(
    ("kind", "unit", "column", "wanted"),
    [
        ("s", "", [12.5, "30", "00:01:05", "1:05", "1分5秒", "45秒", "45s"], [12_500, 30_000, 65_000, 65_000, 65_000, 45_000, 45_000]),
        ("s", "", [time(0, 0, 30), timedelta(seconds=95), "--"], [30_000, 95_000, None]),
        ("s", "", [0.000347222222222222, 0.0006944444444444], [30_000, 60_000]),
        ("h", "", [8.5, "7.25", "08:30:00", "8:30", "8小时30分"], [8.5 * HOUR, 7.25 * HOUR, 8.5 * HOUR, 8.5 * HOUR, 8.5 * HOUR]),
        ("h", "", [0.5, 0.25], [12 * HOUR, 6 * HOUR]),
        ("h", "h", [0.5, 0.25], [HOUR / 2, HOUR / 4]),
        ("h", "", [30_600, 3600], [8.5 * HOUR, HOUR]),
        ("h", "min", [510, 60], [8.5 * HOUR, HOUR]),
        ("min", "", [9.4, "00:09:24", "9:24"], [564_000, 564_000, 564_000]),
        ("min", "s", [564], [564_000]),
        ("h", "", [timedelta(hours=23), datetime.combine(date(1899, 12, 30), time(8, 30))], [23 * HOUR, 8.5 * HOUR]),
    ],
)  # fmt: skip
def test_durations(kind: Any, unit: Any, column: list[Any], wanted: list[float | None]) -> None:
    assert reading.durations(column, kind, unit) == [None if value is None else pytest.approx(value, abs=1) for value in wanted]


def test_a_day_has_no_more_than_24_hours() -> None:
    assert isinstance(reading.durations([25.0, 8.0], "h", "")[0], T)
    assert isinstance(reading.durations(["30:00:00"], "h", "")[0], T)


@pytest.mark.parametrize(
    "cell",
    ["2026-08-25", "2026/8/25", "2026.08.25", "20260825", 20260825, "2026年8月25日", "2026-08-25 00:00:00", "2026-08-25 星期二", 46259,
     46259.0, "46259", datetime.combine(DAY, time(13)), DAY, "２０２６-08-25"],
)  # fmt: skip
def test_dates(cell: Any) -> None:
    assert reading.days([cell]) == [DAY]


def test_dates_kept_as_numbers_are_looked_at_as_days(tmp_path: Path) -> None:
    rows = [["客服", "日期", "咨询量"], ["a", "46259", 46259], ["b", 46259, 3], ["c", (46259, "yyyy-mm-dd"), 4], ["d", "2026/8/25", 3]]
    shown = [texts[1:] for _, texts in read(workbook(tmp_path / "x.xlsx", {"S": rows})).samples]
    assert shown == [["2026-08-25", "46259"], ["2026-08-25", "3"], ["2026-08-25", "4"], ["2026/8/25", "3"]]
    order = [["咨询时间", "下单时间", "客服", "订单编号", "商品单价", "购买数量"], [46259.5, "46260.25", "a", "45964", 1, 1]]
    assert read(workbook(tmp_path / "o.xlsx", {"S": order})).samples[0][1][:4] == [
        "2026-08-25 12:00:00",
        "2026-08-26 06:00:00",
        "a",
        "45964",
    ]


@pytest.mark.parametrize(
    "cell", ["2026-13-01", "2026-02-30", "昨天", "2026-08-25至2026-08-26", "2026-08-25~08-31", 7, 1e18, "1999-01-01", True]
)
def test_what_is_no_day_is_told(cell: Any) -> None:
    assert isinstance(reading.days([cell])[0], T)


def test_a_moment_keeps_its_time() -> None:
    wanted = datetime.combine(DAY, time(13, 5, 30))
    assert reading.moments(["2026-08-25 13:05:30", 46259.54548611111, wanted, "2026/8/25 13:05:30.123"]) == [wanted] * 4


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates(), st.datetimes(), st.times(), st.timedeltas(),
    st.from_regex(r"[-￥¥=']?[\d,.:年月日%％ 小时分秒-]{1,14}", fullmatch=True),
)  # fmt: skip


@given(st.lists(CELLS, max_size=6), st.sampled_from(["h", "min", "s"]), st.sampled_from(["", "h", "min", "s"]))
def test_any_cell_gives_a_value_or_a_sentence(column: list[Any], kind: Any, unit: Any) -> None:
    for found in (
        reading.numbers(column), reading.rates(column), reading.durations(column, kind, unit), reading.days(column),
        reading.moments(column), reading.codes(column),
    ):  # fmt: skip
        assert len(found) == len(column)
        assert all(value is None or isinstance(value, int | float | str | date | T) for value in found)


@pytest.mark.parametrize(
    "written",
    [
        "2026/1/5", "2026-1-5", "2026.01.05", "20260105", "2026年1月5日", "2026-01-05 00:00:00", "2026-01-05T08:30", "２０２６年１月５日",
        "2026/1/5 星期一", "46027", 46027, 20260105, datetime(2026, 1, 5, 9), date(2026, 1, 5),  # noqa: DTZ001
    ],
    ids=str,
)  # fmt: skip
def test_a_day_however_it_is_written(written: Any) -> None:
    assert reading.days([written]) == [date(2026, 1, 5)]


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (["5-1-2026", "13-1-2026"], [date(2026, 1, 5), date(2026, 1, 13)]),
        (["1/5/2026", "1/13/2026 10:00"], [date(2026, 1, 5), date(2026, 1, 13)]),
        (["5.5.2026"], [date(2026, 5, 5)]),
        (["5-1-2026"], [None]),
        (["13/1/2026", "1/13/2026"], [None, None]),
        (["5/1-2026"], [None]),
    ],
    ids=str,
)
def test_whether_the_day_or_the_month_is_first_is_told_by_the_column(column: list[str], wanted: list[date | None]) -> None:
    """Where it is not, the sentence says so; nothing is guessed."""
    found = reading.days(column)
    assert [None if isinstance(day, T) else day for day in found] == wanted
    if column == ["5-1-2026"]:
        assert "分不清日和月" in str(found[0])
