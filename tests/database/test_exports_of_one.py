"""Files about one order and one session: every candidate and every message, codes as texts, formulas as words, both languages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime

import openpyxl
import pytest
from sqlalchemy import update

from app.domain.language import Language, set_language
from app.domain.permissions import Actor, NotAllowedError
from app.services import sheets
from app.services.sheets import Sheet
from app.services.sheets_of_one import account_sheet, transcript_sheet
from app.services.workspace import StoreInfo, Workspace
from app.storage import schema
from app.storage.database import Database
from app.storage.faults import FaultError
from tests.database.test_exports import header, table
from tests.database.test_listings import imported
from tests.database.test_reports import DAY, DAY_1, Script

HOUR = 3_600_000
MADE = DAY_1 + 2 * DAY
FORMULA = '=HYPERLINK("http://x")'


@pytest.fixture
def shop(database: Database) -> tuple[Workspace, StoreInfo]:
    """An order of one item: bought after talking to 007 (王敏), who has a session of the day before, too; the item's name is a formula."""
    script = Script()
    script.say("agent.upserted", DAY_1 - 2 * DAY, agent="007", name="王敏")
    script.session("0001", "007", DAY_1 - 30 * HOUR, [(0, 5)], "12345678901234567890", sku="k1")
    script.session("0002", "007", DAY_1, [(0, 5)], "12345678901234567890", sku="k1")
    script.say("customer.upserted", DAY_1, customer="12345678901234567890", name="@张")
    script.say("message.sent", DAY_1 + 10_000, session="0002", sender="customer", text=FORMULA)
    script.say("message.sent", DAY_1 + 11_000, session="0002", sender="customer", text="", content="image")
    line = {"sku": "k1", "name": "+壶", "quantity": 2, "amount_fen": 1050}
    script.say("order.placed", DAY_1 + HOUR, order="009", customer="12345678901234567890", lines=[line])
    return script.record(database)


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest) -> Iterator[Language]:
    set_language(request.param)
    yield request.param
    set_language("zh")


def csv_of(sheet: Sheet) -> list[list[str]]:
    out = io.BytesIO()
    sheets.write(sheet, "csv", out)
    return list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))


def test_an_order_with_every_candidate_in_every_window(shop: tuple[Workspace, StoreInfo], language: Language) -> None:
    head, *rows = csv_of(account_sheet(*shop, "009", MADE))
    credited, missed, nobody = {
        "zh": ("归属", "未归属", "早于订单时效"), "en": ("Credited", "Not credited", "Too early for the window"),
    }[language]  # fmt: skip
    assert len(head) == 16
    assert head[5:8] == {"zh": ["订单时效", "结果", "原因"], "en": ["Order window", "Result", "Because"]}[language]
    assert [(row[6], row[14]) for row in rows] == [(credited, "0002"), (missed, "0001")] * 3
    assert rows[1][7] == nobody
    assert {tuple(row[:5]) for row in rows} == {("1", "k1", "'+壶", "2", "10.5")}
    assert rows[0][8:12] == ["007", "王敏", "2020-12-14 12:00:00", "1.0"]


def test_a_workbook_of_an_order_has_typed_cells_and_says_what_it_is(shop: tuple[Workspace, StoreInfo], language: Language) -> None:
    out = io.BytesIO()
    sheets.write(account_sheet(*shop, "009", MADE), "xlsx", out)
    page = openpyxl.load_workbook(out).worksheets[0]
    _, lines = table(page)
    above = {page.cell(row, 1).value: page.cell(row, 2).value for row in range(2, header(page))}
    assert above == {
        "zh": {"店铺": "shop", "订单编号": "009", "客户": "@张（12345678901234567890）", "下单时间": "2020-12-14 13:00:00",
               "制表时间": "2020-12-16 12:00:00 (Asia/Shanghai)"},
        "en": {"Store": "shop", "Order": "009", "Customer": "@张 (12345678901234567890)", "Placed": "2020-12-14 13:00:00",
               "Made": "2020-12-16 12:00:00 (Asia/Shanghai)"},
    }[language]  # fmt: skip
    first = lines[0]
    assert (first[8].value, first[14].value, first[2].value) == ("007", "0002", "+壶")
    assert (first[10].value, first[11].value) == (datetime(2020, 12, 14, 12), 1)  # noqa: DTZ001
    assert {cell.data_type for line in lines for cell in line if isinstance(cell.value, str)} == {"s"}


def test_what_was_said_line_by_line(shop: tuple[Workspace, StoreInfo], language: Language) -> None:
    head, *rows = csv_of(transcript_sheet(*shop, "0002", MADE))
    customer, agent, text, image = {"zh": ("客户", "客服", "文字", "图片"), "en": ("Customer", "Agent", "Text", "image")}[language]
    assert head[0] == {"zh": "时间", "en": "Time"}[language]
    assert rows == [
        ["2020-12-14 12:00:00", customer, "'@张", text, "在吗"], ["2020-12-14 12:00:05", agent, "王敏", text, "在的"],
        ["2020-12-14 12:00:10", customer, "'@张", text, "'" + FORMULA], ["2020-12-14 12:00:11", customer, "'@张", image, ""],
    ]  # fmt: skip
    out = io.BytesIO()
    sheets.write(transcript_sheet(*shop, "0002", MADE), "xlsx", out)
    _, lines = table(openpyxl.load_workbook(out).worksheets[0])
    assert (lines[2][4].value, lines[2][4].data_type) == (FORMULA, "s")


def test_what_files_and_damaged_counters_say_of_an_order_is_told(database: Database) -> None:
    script = Script()
    script.session("s", "wang", DAY_1, [(0, 5)], "c1")
    script.say("order.placed", DAY_1 + HOUR, order="both", customer="c1", lines=[{"sku": "k", "quantity": 1, "amount_fen": 900}])
    script.say("order.placed", DAY_1 + HOUR, order="nobody's", customer="c2", lines=[{"sku": "k", "quantity": 1, "amount_fen": 900}])
    workspace, store = script.record(database)
    imported(database, store, 1, [("both", "k", 700), ("file", "k", 700)])
    with database.write() as connection:
        connection.execute(update(schema.order_lines).values(session_24h=0))
    both, file, nobody = (account_sheet(workspace, store, order, MADE) for order in ("both", "file", "nobody's"))
    head = [str(column.label) for column in both.columns]
    told = [[(row[head.index("结果")], row[head.index("导入的文件")]) for row in sheet.rows] for sheet in (both, file, nobody)]
    assert told == [[("归属", None)] * 3 + [("不计入", "f.xlsx")], [("归属", "f.xlsx")], [("无人", None)] * 3]
    assert ["doctor --repair" in note for note in both.notes] == [True, False]
    assert "以事件为准" in both.notes[1]
    assert file.notes == ["导入的文件这样归属；文件没有说明原因。"]
    assert nobody.notes == []


def test_as_json_it_has_the_keys_of_its_columns(shop: tuple[Workspace, StoreInfo]) -> None:
    out = io.BytesIO()
    sheets.write(transcript_sheet(*shop, "0002", MADE), "json", out)
    told = json.loads(out.getvalue())
    assert told["rows"][2] == {"at": "2020-12-14 12:00:10", "sender": "客户", "name": "@张", "content": "文字", "text": FORMULA}
    assert told["notes"] == ["由会话来源分配，未说明原因"]


def test_what_is_not_there_and_who_may_not(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    for make in (account_sheet, transcript_sheet):
        with pytest.raises(FaultError, match="nothing"):
            make(workspace, store, "nothing", MADE)
    nobody = Workspace(workspace.database, Actor("nobody", frozenset({"live.view"})))
    with pytest.raises(NotAllowedError):
        account_sheet(nobody, store, "009", MADE)
    with pytest.raises(NotAllowedError):
        transcript_sheet(nobody, store, "0002", MADE)
