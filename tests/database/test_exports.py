"""Files that people open: an Excel workbook read back cell by cell, opened by a second program, CSV for machines, nothing half written."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from threading import Event
from typing import Any

import openpyxl
import pytest

from app.domain.language import set_language
from app.domain.metrics import METRICS
from app.domain.permissions import local_owner
from app.services import sheets
from app.services.listings import Listing
from app.services.reports import Question, Report
from app.services.workspace import StoreInfo, Workspace
from app.sources import jd_export
from app.storage.database import Database
from app.storage.faults import FaultError
from tests.database.test_reports import DAY, DAY_1, Script

FIRST, LAST = date(2020, 12, 14), date(2020, 12, 15)
MADE = DAY_1 + 2 * DAY
FORMULAS = ('=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")
SOFFICE = shutil.which("soffice")


@pytest.fixture
def shop(database: Database) -> tuple[Workspace, StoreInfo]:
    """Two days of 王敏 (code "007"), one of an agent whose code and name are formulas; one session is never answered."""
    script = Script()
    for code, name in (("007", "王敏"), ("=1+1", "@SUM(A1)")):
        script.say("agent.upserted", DAY_1 - 2 * DAY, agent=code, name=name, team="一组")
        script.say("agent.presence", DAY_1 - 3_600_000, agent=code, state="available")
        script.say("agent.presence", DAY_1 + 5_400_000, agent=code, state="offline")
    script.session("s1", "007", DAY_1, [(0, 20)], "12345678901234567890", channel="app", group="pre")
    script.session("s2", "007", DAY_1 + 60_000, [(0, 0)], FORMULAS[0])
    script.session("s3", "007", DAY_1 + DAY, [(0, 45)], "c3")
    script.session("s4", "=1+1", DAY_1, [(0, 5)], "c4")
    return script.record(database)


def ask(shop: tuple[Workspace, StoreInfo], report: str = "daily", **options: Any) -> Report:
    workspace, store = shop
    return workspace.reports.ask(store, Question(report, FIRST, LAST, at=MADE, **options))


def sessions(shop: tuple[Workspace, StoreInfo], **options: Any) -> Listing:
    workspace, store = shop
    return workspace.listings.ask(store, Question("sessions", FIRST, LAST, at=MADE, **options), told=True)


def book_of(shop: tuple[Workspace, StoreInfo], answer: Report | Listing) -> Any:
    out = io.BytesIO()
    sheets.write(answer, "xlsx", out, store=shop[1], made=MADE)
    out.seek(0)
    return openpyxl.load_workbook(out)


def header(page: Any) -> int:
    """The line of the header, where the filter begins."""
    return int(page.auto_filter.ref.split(":")[0].strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def table(page: Any) -> tuple[list[str], list[list[Any]]]:
    """The header, and the lines that the filter is over."""
    lines = [list(line) for line in page[page.auto_filter.ref]]
    return [cell.value for cell in lines[0]], lines[1:]


def summary(page: Any) -> tuple[list[Any], list[Any]]:
    """The lines of total and mean, above the header."""
    total, mean = (list(line) for line in page.iter_rows(min_row=header(page) - 2, max_row=header(page) - 1))
    return total, mean


# -- Excel --


def test_what_was_asked_stands_above_the_table(shop: tuple[Workspace, StoreInfo]) -> None:
    answer = ask(shop, agents=("007",), team="一组", group="pre", channel="app", population="assessed", window="7d")
    page = book_of(shop, answer).worksheets[0]
    lines = [(page.cell(row, 1).value, page.cell(row, 2).value) for row in range(1, header(page))]
    assert [word for word, _ in lines[-2:]] == ["总值", "均值"]
    assert lines[:-2] == [
        ("客服数据对比 员工日报 2020-12-14~2020-12-15", None),
        ("店铺", "shop"),
        ("日期", "2020-12-14 至 2020-12-15"),
        ("客服", "王敏（007）"),
        ("行政组", "一组"),
        ("咨询组", "pre"),
        ("终端", "手机客户端"),
        ("口径", "考核"),
        ("订单时效", "7天"),
        ("按", "日"),
        ("制表时间", "2020-12-16 12:00:00 (Asia/Shanghai)"),
    ]


def test_cells_have_types_and_formats_of_their_units(shop: tuple[Workspace, StoreInfo]) -> None:
    keys = ("consults", "reply_30s_rate", "first_reply", "login_hours", "order_amount", "session_minutes")
    page = book_of(shop, ask(shop, metrics=keys)).worksheets[0]
    names, lines = table(page)
    assert names == ["客服", "名称", "日期", "咨询量", "30s应答率", "首次平均响应时间(秒)", "登录时长(小时)", "促成下单金额(元)", "平均会话时长(分钟)"]  # fmt: skip  # noqa: E501
    total, mean = summary(page)
    first = lines[0]
    assert [cell.value for cell in total[:4]] == ["总值", None, None, 4]
    assert mean[3].value == pytest.approx(4 / 3)
    assert mean[3].number_format == "#,##0.0"
    assert all(cell.font.b for cell in total + mean)
    assert not first[3].font.b
    shown = {name: (cell.value, cell.number_format, cell.data_type) for name, cell in zip(names, first)}
    assert shown == {
        "客服": ("007", "@", "s"), "名称": ("王敏", "@", "s"), "日期": (datetime(2020, 12, 14), "yyyy-mm-dd", "d"),  # noqa: DTZ001
        "咨询量": (2, "#,##0", "n"), "30s应答率": (0.5, "0.0%", "n"), "首次平均响应时间(秒)": (20, "0.0", "n"),
        "登录时长(小时)": (2.5, "0.00", "n"), "促成下单金额(元)": (0, "#,##0.00", "n"), "平均会话时长(分钟)": (None, "General", "n"),
    }  # fmt: skip


def test_the_head_stays_is_a_filter_and_explains_itself(shop: tuple[Workspace, StoreInfo]) -> None:
    report = ask(shop)
    book = book_of(shop, report)
    page = book.worksheets[0]
    names, lines = table(page)
    top = header(page)
    assert page.freeze_panes == f"B{top + 1}"
    assert page.auto_filter.ref == f"A{top}:{page.cell(1, len(names)).column_letter}{page.max_row}"
    assert [line[0].value for line in lines] == [row.head for row in report.rows]  # and neither total nor mean
    metric = METRICS["reply_30s_rate"]
    note = page.cell(top, names.index("30s应答率") + 1).comment
    assert str(metric.definition) in note.text
    assert metric.formula() in note.text
    assert page.cell(top, 1).comment is None
    notes = [list(line) for line in book["说明"].values]
    assert notes[0] == ["列", "定义", "公式", "来源"]
    assert [line[0] for line in notes[1 : 1 + len(names)]] == names
    assert notes[1 + names.index("30s应答率")][1:] == [str(metric.definition), metric.formula(), "京东公布的规则"]
    assert [line[0] for line in notes if line[0]][1 + len(names) + 1 :] == [note.zh for note in report.notes]


def test_columns_are_as_wide_as_what_stands_in_them(database: Database) -> None:
    script = Script()
    script.say("agent.upserted", DAY_1, agent="a", name="名字很长的客服小组长王小明同学")
    script.session("s", "a", DAY_1, [(0, 5)])
    shop = script.record(database)
    page = book_of(shop, ask(shop)).worksheets[0]
    assert page.column_dimensions["A"].width < 12
    assert 30 <= page.column_dimensions["B"].width <= 36  # fifteen Chinese characters are thirty wide


def test_times_are_real_ones_in_store_time(shop: tuple[Workspace, StoreInfo]) -> None:
    names, lines = table(book_of(shop, sessions(shop)).worksheets[0])
    opened = lines[0][names.index("咨询时间")]
    assert (opened.value, opened.number_format) == (datetime(2020, 12, 14, 12), "yyyy-mm-dd hh:mm:ss")  # noqa: DTZ001
    names, lines = table(book_of(shop, ask(shop, "attendance")).worksheets[0])
    login = lines[0][names.index("首次登录")]
    value = login.value.time() if isinstance(login.value, datetime) else login.value
    assert (value, login.number_format) == (time(11), "hh:mm:ss")


def test_codes_stay_texts_and_formulas_stay_words(shop: tuple[Workspace, StoreInfo]) -> None:
    names, lines = table(book_of(shop, sessions(shop)).worksheets[0])
    customers = [line[names.index("客户编号")] for line in lines]
    assert {cell.value for cell in customers} == {"12345678901234567890", FORMULAS[0], "c3", "c4"}
    agents = {line[names.index("客服编号")].value for line in lines} | {line[names.index("客服")].value for line in lines}
    assert agents == {"007", "=1+1", "王敏", "@SUM(A1)"}
    assert {cell.data_type for line in lines for cell in line if isinstance(cell.value, str)} == {"s"}


def test_nothing_found_is_a_file_all_the_same(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    none = Question("sessions", date(2019, 1, 1), date(2019, 1, 2))
    names, lines = table(book_of(shop, workspace.listings.ask(store, none)).worksheets[0])
    assert "会话" in names
    assert lines == []
    empty = workspace.reports.ask(store, Question("workload", date(2019, 1, 1), date(2019, 1, 2)))
    page = book_of(shop, empty).worksheets[0]
    _, lines = table(page)
    assert lines == []
    total, mean = summary(page)
    assert (total[0].value, mean[0].value) == ("总值", "均值")
    assert all(cell.value is None for cell in mean[1:])


@pytest.fixture
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("zh")


@pytest.mark.usefixtures("english")
def test_in_english(shop: tuple[Workspace, StoreInfo]) -> None:
    book = book_of(shop, ask(shop, metrics=("consults", "first_reply")))
    assert book.sheetnames == ["Data", "Notes"]
    names, _ = table(book.worksheets[0])
    assert names == ["Agent", "Name", "Date", "Consultations", "First response time (s)"]
    assert [line[0].value for line in summary(book.worksheets[0])] == ["Total", "Mean"]


# -- a second program --


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_reads_the_same_values(shop: tuple[Workspace, StoreInfo], tmp_path: Path) -> None:
    report = ask(shop)
    sheets.save(report, "xlsx", tmp_path / "daily.xlsx", store=shop[1], made=MADE)
    sheets.save(sessions(shop), "xlsx", tmp_path / "sessions.xlsx", store=shop[1], made=MADE)
    assert SOFFICE is not None
    # comma, quote, UTF-8, from the first line, no cell as shown but as it is
    shape = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false"
    home = f"-env:UserInstallation=file://{tmp_path / 'home'}"
    files = [str(tmp_path / name) for name in ("daily.xlsx", "sessions.xlsx")]
    for kind in (shape, "fods"):
        command = [SOFFICE, "--headless", home, "--convert-to", kind, "--outdir", str(tmp_path), *files]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
    rows = list(csv.reader((tmp_path / "daily.csv").read_text("utf-8").splitlines()))
    top = next(i for i, row in enumerate(rows) if row[0] == "客服")
    assert [row[0] for row in rows[top - 2 : top]] == ["总值", "均值"]
    filtered = re.search(r'table:target-range-address="\S+\.A(\d+):\S+\.[A-Z]+(\d+)"', (tmp_path / "daily.fods").read_text("utf-8"))
    assert filtered is not None
    assert tuple(map(int, filtered.groups())) == (top + 1, len(rows))
    read = {(row[0], row[2]): row for row in rows[top + 1 :]}
    assert len(read) == len(report.rows) == 3
    for row in report.rows:
        line = read[row.head, row.extra["day"]]
        for i, (key, value) in enumerate(report.values(row.numbers).items(), 3):
            shown = None if line[i] == "" else float(line[i].rstrip("%")) / (100 if "%" in line[i] else 1)
            assert shown == pytest.approx(value), key
    rows = list(csv.reader((tmp_path / "sessions.csv").read_text("utf-8").splitlines()))
    cells = {cell for row in rows for cell in row}
    assert {"12345678901234567890", FORMULAS[0], "007", "=1+1", "@SUM(A1)", "2020-12-14 12:00:00"} <= cells


# -- CSV --


def test_csv_begins_with_its_header_and_can_be_imported_again(shop: tuple[Workspace, StoreInfo], tmp_path: Path) -> None:
    path = tmp_path / "员工日报.csv"
    report = ask(shop, agents=("007",))
    sheets.save(report, "csv", path)
    assert path.read_bytes().startswith("\ufeff客服,".encode())
    read = jd_export.read(path)
    found = {(record.agent, record.day) for record in read.records}
    assert found == {("007", FIRST), ("007", LAST)}
    recognised = {column.key for column in read.columns if column.state == "used"}
    assert {"agent", "date", "consults", "received", "reply_30s_rate", "login_hours"} <= recognised


@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_what_was_exported_is_read_with_its_own_total(shop: tuple[Workspace, StoreInfo], tmp_path: Path, format: sheets.Format) -> None:
    path = tmp_path / f"out.{format}"
    report = ask(shop, agents=("007",))
    sheets.save(report, format, path, store=shop[1], made=MADE)
    read = jd_export.read(path)
    assert {(record.agent, record.day) for record in read.records} == {("007", FIRST), ("007", LAST)}
    assert read.summary_rows == 2
    assert [(total.day, total.values["consults"]) for total in read.totals] == [(None, report.total()["consults"])]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_neutralised_in_csv(text: str) -> None:
    assert sheets.neutral(text) == "'" + text


def test_numbers_are_never_neutralised() -> None:
    assert [sheets.neutral(cell) for cell in (-1, -0.5, None, True)] == [-1, -0.5, None, True]


def test_times_and_days_in_csv(shop: tuple[Workspace, StoreInfo]) -> None:
    out = io.BytesIO()
    sheets.write(sessions(shop), "csv", out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"))))
    assert rows[0]["咨询时间"] == "2020-12-14 12:00:00"
    assert {row["客户编号"] for row in rows} >= {"'" + FORMULAS[0], "12345678901234567890"}


# -- whole or not at all --


@pytest.mark.parametrize("format", ["xlsx", "csv", "json"])
def test_taken_back_it_leaves_no_file(shop: tuple[Workspace, StoreInfo], tmp_path: Path, format: sheets.Format) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(FaultError) as fault:
        sheets.save(sessions(shop), format, tmp_path / f"out.{format}", stop=stop)
    assert fault.value.kind == "cancelled"
    assert list(tmp_path.iterdir()) == [] or {path.suffix for path in tmp_path.iterdir()} <= {".db", ".db-wal", ".db-shm"}


def test_what_was_there_stays_when_writing_fails(shop: tuple[Workspace, StoreInfo], tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    path.write_bytes(b"before")
    answer = sessions(shop)

    def broken() -> Iterator[dict[str, Any]]:
        yield from answer.rows
        raise FaultError("unreachable", "gone")

    lost = Listing(answer.question, answer.title, answer.first, answer.last, answer.columns, broken())
    with pytest.raises(FaultError, match="gone"):
        sheets.save(lost, "xlsx", path)
    assert path.read_bytes() == b"before"
    assert not list(tmp_path.glob(".*part"))


def test_progress_ends_with_the_number_of_rows(shop: tuple[Workspace, StoreInfo]) -> None:
    told: list[tuple[int, int | None]] = []
    for answer in (ask(shop), sessions(shop)):
        sheets.write(answer, "xlsx", io.BytesIO(), tell=lambda done, count: told.append((done, count)))
    assert told == [(0, 3), (3, 3), (0, None), (4, 4)]


def test_a_listing_lets_go_of_its_connection(url: str, tmp_path: Path) -> None:
    workspace = Workspace.open(url, local_owner(), create=True)
    script = Script()
    script.session("s", "a", DAY_1, [(0, 5)])
    workspace, store = script.record(workspace.database)
    stop = Event()
    stop.set()
    for _ in range(40):  # more than the pool has
        with pytest.raises(FaultError):
            sheets.save(workspace.listings.ask(store, Question("sessions", FIRST, LAST)), "csv", tmp_path / "x.csv", stop=stop)
    assert len(list(workspace.listings.ask(store, Question("sessions", FIRST, LAST)).rows)) == 1
    workspace.close()
