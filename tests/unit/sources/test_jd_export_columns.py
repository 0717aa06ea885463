"""What the columns of an exported file mean: by their headers however written, in one row or two, by correction."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.sources.jd_export import UnreadableError, read
from app.sources.jd_export.fields import follows_from_others, meaning
from tests.exports import csv_file, workbook
from tests.unit.sources.exported import fatal, values

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


def test_headers_in_two_rows_with_merged_cells(tmp_path: Path) -> None:
    rows = [[None, "接待", None, "质量"], [None, "咨询量", "接待量", "满意率"], ["小雨", 10, 9, 1]]
    file = workbook(tmp_path / "2026-08-25.xlsx", {"S": rows}, [("S", 0, 0, 1, 0, "客服"), ("S", 0, 1, 0, 2, "接待")])
    export = read(file)
    assert export.header_row == 2
    assert [(record.row, record.agent, record.values["consults"]) for record in export.records] == [(3, "小雨", 10)]


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


def test_small_percentages_among_percent_columns_are_told(tmp_path: Path) -> None:
    head = ["客服", "咨询量", "接待量", "应答率", "转接率", "满意率"]
    export = read(csv_file(tmp_path / "2026-08-25.csv", [head, ["小雨", 200, 196, 98, 0.5, "0.9%"], ["小雪", 100, 99, 99, 0.7, "1%"]]))
    assert [(problem.column, problem.fatal) for problem in export.problems] == [("转接率", False)]
    assert "0.7 按 70% 计" in export.problems[0].sentence.zh
    for plain in ([0.98, 0.5, 0.9], [98, 5, 0.9]):
        assert read(csv_file(tmp_path / "2026-08-26.csv", [head, ["小雨", 200, 196, *plain]])).problems == []
