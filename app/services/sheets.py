"""A report as a file: JSON, CSV or Excel, from one description of its columns.

CSV is UTF-8 with a byte order mark (Excel opens it right); texts that a spreadsheet would run as a formula are neutralised.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.metrics import MEAN_DECIMALS, METRICS
from app.services.listings import Listing
from app.services.report_kinds import BESIDE, ROW_LABELS
from app.services.reports import Report
from app.storage.faults import FaultError

Format = Literal["json", "csv", "xlsx"]
Cell = str | int | float | bool | None

_EXCEL_ROWS = 1_048_576

_COUNT = "#,##0"
_NUMBER_FORMATS = {"n": _COUNT, "%": "0.0%", "s": "0.0", "min": "0.0", "h": "0.00", "yuan": "#,##0.00"}


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    label: T
    number_format: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of cells under columns; `summary` rows (total, mean) stand above them, as on screen."""

    title: str
    columns: Sequence[Column]
    summary: Sequence[Sequence[Cell]]
    rows: Iterable[Sequence[Cell]]
    notes: Sequence[str] = ()


def sheet_of(answer: Report | Listing) -> Sheet:
    period = f"{answer.first.isoformat()}~{answer.last.isoformat()}"
    title = f"{answer.title} {period}"
    if isinstance(answer, Listing):
        columns = [Column(key, label) for key, label in answer.columns.items()]
        return Sheet(title, columns, (), ([row[c.key] for c in columns] for row in answer.rows))
    local = LocalTime(answer.zone)
    extras = answer.kind.beside
    head = BESIDE["period"] if answer.kind.rows == "period" and answer.question.by in ("hour", "halfhour") else ROW_LABELS[answer.kind.rows]
    columns = [Column("key", head), *(Column(key, BESIDE[key]) for key in extras)]
    for key in answer.keys:
        metric = METRICS[key]
        note = f"{metric.definition}\n{metric.formula(answer.window)}"
        number = "0.0" if key == "replies_per_session" else _NUMBER_FORMATS[metric.unit]
        columns.append(Column(key, _with_unit(answer.label(key), metric.unit), number, note))
    blank: list[Cell] = [None] * len(extras)
    total, mean = answer.total(), answer.mean()
    summary: list[list[Cell]] = [
        [tr("总值", "Total"), *blank, *(total[key] for key in answer.keys)],
        [tr("均值", "Mean"), *blank, *(mean[key] for key in answer.keys)],
    ]

    def rows() -> Iterable[Sequence[Cell]]:
        for row in answer.rows:
            values = answer.values(row.numbers)
            yield [row.head, *(_beside(key, row.extra[key], local) for key in extras), *(values[key] for key in answer.keys)]

    return Sheet(title, columns, summary, rows(), [str(note) for note in answer.notes])


def _beside(key: str, cell: Cell, local: LocalTime) -> Cell:
    if key in ("first_login", "last_logout"):
        return None if cell is None else local.local(int(cell)).strftime("%H:%M:%S")
    return cell


_UNITS = {"s": T("(秒)", " (s)"), "min": T("(分钟)", " (min)"), "h": T("(小时)", " (h)"), "yuan": T("(元)", " (¥)")}


def _with_unit(label: T, unit: str) -> T:
    suffix = _UNITS.get(unit, T("", ""))
    return T(label.zh + suffix.zh, label.en + suffix.en)


def neutral(cell: Cell) -> Cell:
    """A text that starts like a formula gets a leading apostrophe, so that opening a file never runs it."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return cell


def write(answer: Report | Listing, format: Format, out: BinaryIO) -> None:
    """Writes the whole answer; a listing is streamed, except into Excel's format, which is made in memory.

    Raises FaultError for more rows than Excel takes.
    """
    if format == "json":
        _write_json(answer, out)
    elif format == "csv":
        _write_csv(sheet_of(answer), out)
    else:
        _write_xlsx(sheet_of(answer), out)


def _write_json(answer: Report | Listing, out: BinaryIO) -> None:
    if isinstance(answer, Report):
        out.write(json.dumps(answer.as_json(), ensure_ascii=False, indent=1).encode() + b"\n")
        return
    out.write(b'{"rows": [')
    for i, row in enumerate(answer.rows):
        out.write((b",\n" if i else b"\n") + json.dumps(row, ensure_ascii=False).encode())
    out.write(b"\n]}\n")


def _write_csv(sheet: Sheet, out: BinaryIO) -> None:
    out.write(b"\xef\xbb\xbf")
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([str(column.label) for column in sheet.columns])
    for row in sheet.summary:
        writer.writerow([neutral(cell) for cell in row])
    for row in sheet.rows:
        writer.writerow([neutral(cell) for cell in row])
    text.detach()


def _write_xlsx(sheet: Sheet, out: BinaryIO) -> None:
    import xlsxwriter

    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet(tr("数据", "Data"))
    title, head = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    formats: list[Any] = [book.add_format({"num_format": c.number_format or "@"}) for c in sheet.columns]
    mean_of_counts = book.add_format({"num_format": _COUNT + "." + "0" * MEAN_DECIMALS})
    page.write_string(0, 0, sheet.title, title)
    for i, column in enumerate(sheet.columns):
        page.set_column(i, i, 22 if not column.number_format else 12)
        page.write_string(1, i, str(column.label), head)
        if column.note:
            page.write_comment(1, i, column.note)
    page.freeze_panes(2, 1)
    line = 2
    for rows in (sheet.summary, sheet.rows):
        for row in rows:
            if line == _EXCEL_ROWS:  # the library would leave the rest out without a word
                raise FaultError(
                    "refused",
                    T("行数超过 Excel 的上限（1,048,576）。请缩短日期范围或用 --format csv。",
                      "More rows than Excel takes (1,048,576). Choose fewer days or --format csv."),
                )  # fmt: skip
            for i, cell in enumerate(row):
                broken = isinstance(cell, float) and not cell.is_integer() and sheet.columns[i].number_format == _COUNT
                _put(page, line, i, cell, mean_of_counts if broken else formats[i])
            line += 1
    page.autofilter(1, 0, max(1, line - 1), len(sheet.columns) - 1)
    if sheet.notes:
        notes = book.add_worksheet(tr("说明", "Notes"))
        for i, note in enumerate(sheet.notes):
            notes.write_string(i, 0, note)
    book.close()
    out.write(held.getvalue())


def _put(page: Any, line: int, column: int, cell: Cell, format: Any) -> None:
    if cell is None:
        page.write_blank(line, column, None, format)
    elif isinstance(cell, bool):
        page.write_boolean(line, column, cell)
    elif isinstance(cell, int | float):
        page.write_number(line, column, cell, format)
    else:
        page.write_string(line, column, cell[:32767], format)
