"""Exported files as a whole: encodings, sheets, the day they are of, and files that are none."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from app.sources.jd_export import FIELDS, UnreadableError, read
from app.sources.jd_export import cells as reading
from tests.exports import csv_file, locked, workbook
from tests.unit.sources.exported import DAY, PLAIN, fatal, turned, values


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


@given(st.lists(st.lists(st.text(max_size=12), max_size=4), max_size=6))
def test_any_table_of_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    file = tmp_path_factory.getbasetemp() / "2026-08-25.csv"
    csv_file(file, [["客服", "咨询量", "满意率", "登录时长"], *rows], "utf-8")
    export = read(file)
    for record in export.records:
        assert set(record.values) <= set(FIELDS)
        turned(**record.values)


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
