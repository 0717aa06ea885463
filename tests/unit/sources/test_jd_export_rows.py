"""Rows of exported files: sums and means left out, agents and their ids, bad cells told, and every trap at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.sources.jd_export import read
from tests.exports import csv_file, workbook
from tests.unit.sources.exported import DAY, HOUR, PLAIN, fatal, values


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


def test_sums_neither_decide_the_unit_of_a_column_nor_end_with_the_day(tmp_path: Path) -> None:
    rows = [["客服", "咨询量", "登录时长", "平均会话时长"], *([f"客服{n}", 10, 8.5, 9.5] for n in range(40)), ["总值", 400, 340, 9.5]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert not export.problems
    assert set(values(export, "login_hours")) == {8.5 * HOUR}
    assert export.totals[0].values["login_hours"] == 340 * HOUR


def test_ids_stay_text_and_an_id_goes_before_a_name(tmp_path: Path) -> None:
    rows = [["客服昵称", "客服ID", "咨询量"], ["小雨", "6925000001234567890", 1], ["小雨", "007", 2]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert [(record.agent, record.name) for record in export.records] == [("6925000001234567890", "小雨"), ("007", "小雨")]


def test_an_id_that_excel_has_rounded_is_told(tmp_path: Path) -> None:
    file = workbook(tmp_path / "2026-08-25.xlsx", {"S": [["客服ID", "咨询量"], [6925000001234567890, 1], [12345678, 2]]})
    export = read(file)
    assert fatal(export) == [(2, "客服ID")]
    assert [record.agent for record in export.records] == ["12345678"]


def test_a_bad_cell_is_told_with_its_row_and_column(tmp_path: Path) -> None:
    rows = [["导出时间 2026"], *PLAIN, ["小满", "一百", 3], ["", 5, 5]]
    export = read(csv_file(tmp_path / "2026-08-25.csv", rows))
    assert fatal(export) == [(5, "咨询量"), (6, "客服")]
    told = export.problems[0].sentence
    assert "一百" in told.zh
    assert "一百" in told.en


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
