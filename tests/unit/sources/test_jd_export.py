"""Exported files: every trap they set, and what comes out of it."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import T
from app.domain.metrics import METRICS
from app.sources.jd_export import FIELDS, Export, UnreadableError, counts, read
from app.sources.jd_export import cells as reading
from app.sources.jd_export.fields import follows_from_others, meaning
from tests.exports import csv_file, locked, workbook

HOUR = 3_600_000
DAY = date(2026, 8, 25)

# The headers of the specification, word for word.
SEEN = {
    "agent": "客服, 客服ID, 客服昵称, 客服账号, UID, 旺旺昵称, 账户名",
    "date": "日期, 统计日期",
    "login_hours": "登录时长, 在线时长, 累计登录总时长(小时)",
    "serving_hours": "接待时长, 累计接待总时长(小时)",
    "consults": "咨询量, 总咨询量, 咨询次数",
    "received": "接待量, 总接待量, 接待次数, 接待会话量",
    "unanswered": "无响应量, 未回复量",
    "answer_rate": "应答率, 应答率(回复率), 回复率, 会话回复率",
    "reply_30s_rate": "30s应答率, 30秒应答率, 咚咚30s应答率, 咚咚首次30秒应答率",
    "reply_180s_rate": "3分钟回复率, 3分钟人工回复率, 客服3分钟人工回复率",
    "first_reply": "首次平均响应时间, 首次响应(秒), 平均首响时长",
    "avg_reply": "新平均响应时长, 新平均响应时间, 平均响应时长(新), 平均响应时长(新标), 平均响应时间, 平均响应时长, 平均响应(秒)",
    "session_minutes": "平均会话时长",
    "replies_per_session": "平均回复消息数",
    "leave_assigned": "留言分配量",
    "leave_received": "留言接待量",
    "leave_response": "留言响应率",
    "satisfaction": "满意率, 总满意率, 咚咚满意度, 客户满意率",
    "rated": "评价量, 收到评价数",
    "invite_rate": "邀评率",
    "rating_rate": "评价率, 评价返回率",
    "resolution": "解决率",
    "presale_customers": "售前接待人数, 询单人数",
    "order_customers": "促成下单人数",
    "orders": "促成订单数",
    "order_items": "促成下单商品数",
    "order_amount": "促成下单金额, 促成下单商品金额",
    "opened_at": "咨询时间",
    "placed_at": "下单时间",
    "sku": "商品编号",
    "sku_name": "商品名称",
    "customer": "客户",
    "order": "所属订单编号",
    "price": "商品单价(?)",
    "quantity": "购买数量",
    "order_status": "订单状态",
}


@pytest.mark.parametrize(("key", "header"), [(key, header) for key, headers in SEEN.items() for header in headers.split(", ")])
def test_every_header_is_known_however_it_is_written(key: str, header: str) -> None:
    full = header.replace("(", "（").replace(")", "）")
    for written in (header, full, f" {header}\n", header.upper(), "_".join(header), "-".join(header), f"{header[:2]}\r\n{header[2:]}"):
        assert (meaning(written) or ("",))[0] == key, written


def test_what_follows_from_other_figures_is_known_and_what_nobody_declared_is_not() -> None:
    assert follows_from_others("客单价")
    assert follows_from_others("咨询下单转化率")
    assert meaning("备注") is None
    assert not follows_from_others("备注")


def values(export: Export, key: str) -> list[Any]:
    return [record.values.get(key) for record in export.records]


def fatal(export: Export) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in export.problems if problem.fatal]


PLAIN = [["客服", "咨询量", "接待量"], ["小雨", 10, 9], ["小雪", 20, 20]]


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    rows = [["客服", "咨询量", "30s应答率"], ["小雨", "1,234", "99.5%"], ["小雪", "2,000", "--%"], ["小满", "7", "100%"]]
    export = read(csv_file(tmp_path / "京东pop2026-08-25.csv", rows, encoding, separator))
    assert [record.agent for record in export.records] == ["小雨", "小雪", "小满"]
    assert values(export, "consults") == [1234, 2000, 7]
    assert values(export, "reply_30s_rate") == [0.995, None, 1.0]
    assert not export.problems


def test_a_title_above_and_a_sheet_that_is_not_the_first(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "导出.xlsx",
        {"说明": [["本表由系统导出"], ["客服"]], "数据": [[], ["统计日期：2026-08-25"], [], *PLAIN]},
        [("数据", 0, 0, 0, 2, "客服工作量")],
    )
    export = read(file)
    assert (export.sheet, export.header_row, export.dated_by) == ("数据", 4, "title")
    assert [(record.row, record.agent, record.day) for record in export.records] == [(5, "小雨", DAY), (6, "小雪", DAY)]
    assert read(file, sheet="2", given=DAY).sheet == "数据"
    with pytest.raises(UnreadableError, match="说明、数据"):
        read(file, sheet="没有")


def test_headers_in_two_rows_with_merged_cells(tmp_path: Path) -> None:
    rows = [[None, "接待", None, "质量"], [None, "咨询量", "接待量", "满意率"], ["小雨", 10, 9, 1]]
    file = workbook(tmp_path / "2026-08-25.xlsx", {"S": rows}, [("S", 0, 0, 1, 0, "客服"), ("S", 0, 1, 0, 2, "接待")])
    export = read(file)
    assert export.header_row == 2
    assert [(record.row, record.agent, record.values["consults"]) for record in export.records] == [(3, "小雨", 10)]


def test_an_agent_merged_over_several_days(tmp_path: Path) -> None:
    rows = [["客服", "日期", "咨询量"], [None, (46259, "yyyy-mm-dd"), 1], [None, 46260, 2], ["小雪", "2026年8月25日", 3]]
    export = read(workbook(tmp_path / "x.xlsx", {"S": rows}, [("S", 1, 0, 2, 0, "小雨")]))
    assert [(r.agent, r.day, r.values["consults"]) for r in export.records] == [
        ("小雨", date(2026, 8, 25), 1), ("小雨", date(2026, 8, 26), 2), ("小雪", DAY, 3),
    ]  # fmt: skip
    assert not export.problems


@pytest.mark.parametrize(
    "label",
    [
        *("总值", "均值", "汇总值", "平均值", "全店汇总值", "全店平均值", "总览", "同行均值", "同行同级优秀", "合计"),
        *("总值（12人）", " 均 值 ", "合计：", "总计*"),
    ],
)
def test_summary_rows_are_dropped(tmp_path: Path, label: str) -> None:
    export = read(csv_file(tmp_path / "2026-08-25.csv", [*PLAIN, [label, 30, 29]]))
    assert [record.agent for record in export.records] == ["小雨", "小雪"]
    assert export.summary_rows == 1


def test_a_summary_row_whose_label_stands_in_another_column(tmp_path: Path) -> None:
    rows = [["序号", "客服", "咨询量"], ["1", "小雨", 10], ["总值", "", 10]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert [record.agent for record in export.records] == ["小雨"]
    assert [(totals.label, totals.row, totals.values) for totals in export.totals] == [("总值", 3, {"consults": 10})]


def test_of_the_summary_rows_the_sums_are_kept(tmp_path: Path) -> None:
    rows = [*PLAIN, ["全店汇总值", 99, 98], ["均值", 15, 14.5], ["总值", 30, 29]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert [totals.values for totals in export.totals] == [{"consults": 30, "received": 29}]
    assert not fatal(export)  # 14.5 handled is the mean row's


def test_the_suffix_of_an_estimated_agent_is_taken_off_and_duplicates_counted_once(tmp_path: Path) -> None:
    rows = [["客服昵称", "咨询量"], ["小雨(推算)", 1], ["小雪（推算）", 2], ["小雨(推算)", 1], ["小满", 3], ["小满", 3]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert [(record.agent, record.row) for record in export.records] == [("小雨", 2), ("小雪", 3), ("小满", 5)]
    assert export.duplicates == 2
    assert not fatal(export)


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


def test_sums_neither_decide_the_unit_of_a_column_nor_end_with_the_day(tmp_path: Path) -> None:
    rows = [["客服", "咨询量", "登录时长", "平均会话时长"], *([f"客服{n}", 10, 8.5, 9.5] for n in range(40)), ["总值", 400, 340, 9.5]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert not export.problems
    assert set(values(export, "login_hours")) == {8.5 * HOUR}
    assert export.totals[0].values["login_hours"] == 340 * HOUR


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


@pytest.mark.parametrize(
    ("name", "found"),
    [("京东pop2026-08-25", DAY), ("客服数据_20260825", DAY), ("2026年8月25日 客服", DAY), ("2026.8.25(1)", DAY),
     ("2026-08-01至2026-08-25", None), ("报表", None), ("订单123202608259", None)],
)  # fmt: skip
def test_the_day_in_a_name(name: str, found: date | None) -> None:
    assert reading.date_in(name) == found


def test_a_file_that_does_not_say_its_day_asks_for_it(tmp_path: Path) -> None:
    file = csv_file(tmp_path / "报表.csv", PLAIN)
    assert [(problem.row, "日期" in problem.sentence.zh) for problem in read(file).problems] == [(0, True)]
    assert {record.day for record in read(file, given=DAY).records} == {DAY}


def test_ids_stay_text_and_an_id_goes_before_a_name(tmp_path: Path) -> None:
    rows = [["客服昵称", "客服ID", "咨询量"], ["小雨", "6925000001234567890", 1], ["小雨", "007", 2]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert [(record.agent, record.name) for record in export.records] == [("6925000001234567890", "小雨"), ("007", "小雨")]


def test_an_id_that_excel_has_rounded_is_told(tmp_path: Path) -> None:
    file = workbook(tmp_path / "2026-08-25.xlsx", {"S": [["客服ID", "咨询量"], [6925000001234567890, 1], [12345678, 2]]})
    export = read(file)
    assert fatal(export) == [(2, "客服ID")]
    assert [record.agent for record in export.records] == ["12345678"]


def test_the_newer_response_time_is_taken_where_there_are_two(tmp_path: Path) -> None:
    rows = [["客服", "平均响应时长", "咨询量", "新平均响应时长"], ["小雨", 50, 10, 20]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert values(export, "avg_reply") == [20_000]
    assert [(column.header, column.state) for column in export.columns if column.key == "avg_reply"] == [
        ("平均响应时长", "second"), ("新平均响应时长", "used"),
    ]  # fmt: skip


def test_a_corrected_column_goes_before_what_is_declared(tmp_path: Path) -> None:
    rows = [["姓名", "会话数", "接待量", "满意率"], ["小雨", 10, 9, "坏的"]]
    file = csv_file(tmp_path / "2026-08-25.csv", rows)
    assert fatal(read(file)) == [(0, ""), (2, "满意率")]
    export = read(file, {"姓名": "agent", "会话数": "consults", "满 意 率": ""})
    assert not export.problems
    assert (export.records[0].agent, export.records[0].values) == ("小雨", {"consults": 10, "received": 9})
    assert [column.state for column in export.columns] == ["used", "used", "used", "left_out"]
    with pytest.raises(UnreadableError, match="nothing_such"):
        read(file, {"姓名": "nothing_such"})


def test_a_bad_cell_is_told_with_its_row_and_column(tmp_path: Path) -> None:
    rows = [["导出时间 2026"], *PLAIN, ["小满", "一百", 3], ["", 5, 5]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert fatal(export) == [(5, "咨询量"), (6, "客服")]
    told = export.problems[0].sentence
    assert "一百" in told.zh
    assert "一百" in told.en


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空"), (b"PK\x03\x04 not a workbook", "损坏"), (b"<html><table></table></html>", "网页"), (b"\xff\xff\x00\xfe\x9c", "看不懂"),
        (b"\xef\xbb\xbf", "空"), (b"\r\n \r\n", "空"), ("天气,温度\n晴,30\n".encode(), "可识别"), (b"\xd0\xcf\x11\xe0junk", "损坏"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "x.xlsx"
    file.write_bytes(content)
    with pytest.raises(UnreadableError, match=words):
        read(file)


def test_a_cell_at_the_end_of_the_sheet_is_refused_before_it_takes_all_memory(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "far.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["客服", "咨询量"])
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(UnreadableError, match="1048576 行 × 16384 列"):
        read(tmp_path / "far.xlsx")


def test_credited_orders(tmp_path: Path) -> None:
    head = ["咨询时间", "下单时间", "商品编号", "商品名称", "客服", "客户", "所属订单编号", "商品单价(?)", "购买数量", "订单状态"]
    rows = [
        head,
        [
            "2026-08-25 10:00:00",
            "2026-08-25 11:00:00",
            "100012043978",
            "键盘",
            "小雨",
            "jd_1",
            "290000000000000001",
            "￥1,099.50",
            2,
            "已付款",
        ],
        ["2026-08-25 10:00:00", "2026-08-25 09:00:00", "1", "键盘", "小雨", "jd_1", "3", 5, 1, "已付款"],
        ["2026-08-25 10:00:00", "", "1", "键盘", "小雨", "jd_1", "3", 5, 1, "已付款"],
    ]
    export = read(csv_file(tmp_path / "促成订单.csv", rows, "gbk"))
    assert export.kind == "orders"
    assert [(r.row, r.agent, r.day, r.values["price"], r.values["order"]) for r in export.records] == [
        (2, "小雨", DAY, 109_950, "290000000000000001")
    ]
    assert [(problem.row, problem.column, problem.fatal) for problem in export.problems] == [
        (3, "下单时间", False), (4, "下单时间", True),
    ]  # fmt: skip


def turned(**said: Any) -> tuple[dict[str, int], list[tuple[str, bool]]]:
    told: list[tuple[str, bool]] = []
    return counts(said, "7d", lambda key, _, fatal: told.append((key, fatal))), told


def test_rates_become_counts() -> None:
    found, told = turned(
        consults=593, answer_rate=0.995, reply_30s_rate=0.973, reply_180s_rate=0.99, first_reply=12_500.0, avg_reply=20_000.0,
        replies_per_session=4.5, session_minutes=564_000.0, invite_rate=0.5, rating_rate=0.127, satisfaction=0.96, resolution=0.9,
        leave_assigned=4, leave_response=0.75, login_hours=8.5 * HOUR, orders=3, order_amount=199_00,
    )  # fmt: skip
    assert not told
    assert found == {
        "consults": 593, "received": 590, "replied_30s": 577, "replied_180s": 587, "first_reply_ms": 7_375_000, "agent_messages": 2655,
        "turns": 2655, "turn_ms": 53_100_000, "closed": 590, "session_ms": 590 * 564_000, "invited": 295, "rated": 75, "satisfied": 72,
        "resolved": 63, "unresolved": 7, "leave_assigned": 4, "leave_received": 3, "login_ms": 8.5 * HOUR,
        "orders_7d": 3, "order_amount_7d": 19_900,
    }  # fmt: skip
    assert "order_amount_24h" not in found


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"received": 50, "unanswered": 3}, (53, 50)), ({"consults": 50, "unanswered": 3}, (50, 47)),
        ({"received": 45, "answer_rate": 0.9}, (50, 45)), ({"consults": 50, "received": 45, "answer_rate": 0.1}, (50, 45)),
    ],
)  # fmt: skip
def test_consults_and_handled_from_what_is_there(said: dict[str, Any], wanted: tuple[int, int]) -> None:
    found, told = turned(**said)
    assert ((found["consults"], found["received"]), told) == (wanted, [])


def test_more_replies_than_consultations_are_refused_and_missing_bases_told() -> None:
    assert turned(consults=5, received=6)[1] == [("received", True)]
    assert turned(satisfaction=0.9) == ({}, [("satisfaction", False)])
    assert turned(received=5)[1] == [("received", False)]
    assert turned(rated=3, satisfied=2, very_satisfied=2, dissatisfied=1)[1] == [("rated", True)]


@given(st.integers(1, 400), st.data())
def test_a_shown_rate_gives_the_count_it_came_from(consults: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, consults))
    shown = METRICS["reply_30s_rate"].text(count / consults)
    rate = reading.rates([shown])[0]
    assert turned(consults=consults, received=consults, reply_30s_rate=rate)[0]["replied_30s"] == count


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


@given(st.lists(st.lists(st.text(max_size=12), max_size=4), max_size=6))
def test_any_table_of_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    file = tmp_path_factory.getbasetemp() / "2026-08-25.csv"
    csv_file(file, [["客服", "咨询量", "满意率", "登录时长"], *rows], "utf-8")
    export = read(file)
    for record in export.records:
        assert set(record.values) <= set(FIELDS)
        turned(**record.values)


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


def test_a_file_with_every_trap_of_text_at_once(tmp_path: Path) -> None:
    """GBK, units and brackets of both widths in headers, full-width digits, thousands, `--%`, an estimated agent, a row said twice."""
    rows = [
        ["客服昵称", "统计 日期", "咨询量（次）", "接待量[次]", "满意率【%】", "评价量", "促成下单\n金额(元)"],
        ["王小（推算）", "2026年1月5日", "１，２３４", "1,200", "99.5%", "200", "￥1.2万"],
        ["王小", "2026年1月5日", "１，２３４", "1,200", "99.5%", "200", "￥1.2万"],
        ["李四 (推算)", "2026年1月5日", "12", "10", "--%", "--", "￥ 1,234.50元"],
        ["汇总值", "--", "1,246", "1,210", "99.5%", "200", "13,234.5"],
        ["同行均值", "", "100", "90", "95%", "10", "100"],
    ]
    export = read(csv_file(tmp_path / "日报.csv", rows, "gbk"))
    assert fatal(export) == []
    assert [record.agent for record in export.records] == ["王小", "李四"]
    assert (export.duplicates, export.summary_rows) == (1, 2)
    assert values(export, "consults") == [1234, 12]
    assert values(export, "satisfaction") == [0.995, None]
    assert values(export, "order_amount") == [1_200_000, 123_450]
    assert [(totals.label, totals.values["consults"]) for totals in export.totals] == [("汇总值", 1246)]


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_two_rows_of_headers(suffix: str, tmp_path: Path) -> None:
    """In a workbook what stands above is merged, in a text it is in the first cell only."""
    above, below = [["", "工作量", "", "满意度", ""]], [["客服", "咨询量", "接待量", "满意率", "评价量"], ["a", 10, 9, 0.9, 5]]
    name = f"京东pop2026-01-05.{suffix}"
    if suffix == "csv":
        file = csv_file(tmp_path / name, above + below)
    else:
        spans = [("数据", 0, 1, 0, 2, "工作量"), ("数据", 0, 3, 0, 4, "满意度")]
        file = workbook(tmp_path / name, {"说明": [["报表说明"]], "数据": [[None] * 5, *below]}, spans)
    export = read(file)
    assert (export.header_row, export.dated_by, export.records[0].day) == (2, "name", date(2026, 1, 5))
    assert export.records[0].values == {"consults": 10, "received": 9, "satisfaction": 0.9, "rated": 5}


def formulas(path: Path, worked_out: bool) -> Path:
    """A workbook with figures that are formulas, one of them an error, and a row that is hidden."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for column, header in enumerate(["客服", "日期", "咨询量", "接待量", "应答率"]):
        sheet.write(0, column, header)
    day, percent = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "0.00%"})
    for row, agent in enumerate(["a", "b", "c"], 1):
        sheet.write(row, 0, agent)
        sheet.write_datetime(row, 1, date(2026, 1, 5), day)
        sheet.write_formula(row, 2, "=5+5", None, 10)
        sheet.write_formula(row, 3, f"=C{row + 1}-1", None, 9)
        sheet.write_formula(row, 4, "=1/0" if agent == "b" else f"=D{row + 1}/C{row + 1}", percent, "#DIV/0!" if agent == "b" else 0.9)
    sheet.set_row(3, None, None, {"hidden": True})
    book.close()
    if not worked_out:  # as programs write them that do not calculate
        with zipfile.ZipFile(path) as held:
            parts = {name: held.read(name) for name in held.namelist()}
        name = "xl/worksheets/sheet1.xml"
        parts[name] = parts[name].replace(b"</f><v>10</v>", b"</f><v></v>")
        with zipfile.ZipFile(path, "w") as changed:
            for part, content in parts.items():
                changed.writestr(part, content)
    return path


def test_formulas_are_read_by_their_results_and_hidden_rows_count(tmp_path: Path) -> None:
    export = read(formulas(tmp_path / "x.xlsx", True))
    assert fatal(export) == []
    assert [record.agent for record in export.records] == ["a", "b", "c"]
    assert values(export, "consults") == [10, 10, 10]
    assert values(export, "answer_rate") == [0.9, None, 0.9]


def test_a_formula_that_was_never_worked_out_is_no_empty_cell(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="C2"):
        read(formulas(tmp_path / "x.xlsx", False))


def test_another_zip_with_the_name_of_a_workbook(tmp_path: Path) -> None:
    file = tmp_path / "京东pop2026-01-05.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "咨询量")
    with pytest.raises(UnreadableError, match="损坏"):
        read(file)


def test_a_workbook_with_a_password(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="密码"):
        read(locked(tmp_path / "x.xlsx"))


@pytest.mark.skipif(shutil.which("soffice") is None, reason="made with LibreOffice")
def test_a_workbook_of_the_old_kind(tmp_path: Path) -> None:
    rows = [["客服", "日期", "咨询量", "应答率"], ["a", (46027, "yyyy-mm-dd"), 10, (0.9, "0.00%")]]
    made = workbook(tmp_path / "x.xlsx", {"数据": rows})
    command = ["soffice", "--headless", f"-env:UserInstallation={(tmp_path / 'home').as_uri()}", "--convert-to", "xls", "--outdir"]
    subprocess.run([*command, str(tmp_path), str(made)], check=True, capture_output=True)
    (record,) = read(tmp_path / "x.xls").records
    assert (record.agent, record.day, record.values) == ("a", date(2026, 1, 5), {"consults": 10, "answer_rate": 0.9})


def test_small_percentages_among_percent_columns_are_told(tmp_path: Path) -> None:
    head = ["客服", "咨询量", "接待量", "应答率", "转接率", "满意率"]
    export = read(csv_file(tmp_path / "2026-08-25.csv", [head, ["小雨", 200, 196, 98, 0.5, "0.9%"], ["小雪", 100, 99, 99, 0.7, "1%"]]))
    assert [(problem.column, problem.fatal) for problem in export.problems] == [("转接率", False)]
    assert "0.7 按 70% 计" in export.problems[0].sentence.zh
    for plain in ([0.98, 0.5, 0.9], [98, 5, 0.9]):
        assert read(csv_file(tmp_path / "2026-08-26.csv", [head, ["小雨", 200, 196, *plain]])).problems == []


def test_rates_of_ratings_that_exclude_each_other_stand_in_the_way() -> None:
    told: list[tuple[str, bool]] = []

    def tell(key: str, sentence: T, fatal: bool) -> None:
        told.append((key, fatal))

    counts({"consults": 100, "received": 98, "rated": 50, "satisfaction": 0.96, "bad_rate": 0.9}, "24h", tell)
    assert told == [("bad_rate", True)]
    told.clear()
    found = counts({"consults": 100, "received": 98, "rated": 15, "satisfaction": 0.9, "bad_rate": 0.1}, "24h", tell)
    assert (found["satisfied"], found["dissatisfied"], told) == (14, 1, [])  # both rounded up
