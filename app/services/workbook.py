"""An Excel workbook of one table: typed cells, written row by row into a temporary file.

Above the table stands what was asked; its head stays in view with the first column; the second page tells what every column means.
"""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from app.domain.language import T, tr
from app.domain.metrics import MEAN_DECIMALS
from app.storage.faults import FaultError

if TYPE_CHECKING:
    from app.services.sheets import Cell, Column, Kind, Sheet

ROWS = 1_048_576
"""What Excel takes on one page."""
_LONGEST_TEXT = 32_767
_MEASURED_ROWS = 200
_NARROWEST, _WIDEST = 7.0, 44.0
_LONGEST_HEADER = 14.0
"""A header wider than this is broken into lines."""
_COUNT = "#,##0"
FORMATS: dict[Kind, str] = {
    "text": "@", "date": "yyyy-mm-dd", "time": "yyyy-mm-dd hh:mm:ss", "clock": "hh:mm:ss", "n": _COUNT, "%": "0.0%", "s": "0.0",
    "min": "0.0", "h": "0.00", "yuan": "#,##0.00",
}  # fmt: skip
_BROKEN_COUNT = _COUNT + "." + "0" * MEAN_DECIMALS
_WIDTHS: dict[Kind, float] = {"date": 11, "time": 19, "clock": 9}
_ONE_DECIMAL = frozenset({"replies_per_session"})
_HEAD: dict[str, Any] = {"bold": True, "bg_color": "#E8ECF2", "bottom": 1, "text_wrap": True, "valign": "vcenter"}
_SUMMARY: dict[str, Any] = {"bold": True, "bg_color": "#F4F6F9"}


def write(sheet: Sheet, rows: Iterable[Sequence[Cell]], out: BinaryIO) -> None:
    """`rows` are those of the sheet, perhaps watched. Raises FaultError for more rows than Excel takes; `out` is then incomplete."""
    with tempfile.TemporaryDirectory(prefix="kefu-export-", ignore_cleanup_errors=True) as folder:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        book = xlsxwriter.Workbook(out, {**options, "tmpdir": folder})
        try:
            _table(book, sheet, rows)
            _explanations(book, sheet)
            book.close()
        except FileCreateError as error:
            raise error.args[0] if isinstance(error.args[0], OSError) else error from None
        finally:
            for page in book.worksheets():  # a run that ended early would leave its files open, and Windows removes no open file
                with suppress(OSError, AttributeError):
                    page._opt_close()


def _table(book: Any, sheet: Sheet, rows: Iterable[Sequence[Cell]]) -> None:
    page = book.add_worksheet(tr("数据", "Data"))
    word = book.add_format({"font_color": "#5B6472"})
    page.write_string(0, 0, sheet.title, book.add_format({"bold": True, "font_size": 14}))
    line = 1
    for name, what in sheet.heading:
        page.write_string(line, 0, name, word)
        page.write_string(line, 1, what[:_LONGEST_TEXT])
        line += 1
    widths = [_header_width(column) for column in sheet.columns]
    puts = _puts(book, page, sheet.columns, _SUMMARY)
    blank = book.add_format(_SUMMARY)
    for row in sheet.summary:  # above the header: what is below it is sorted and filtered
        for i, cell in enumerate(row):
            if cell is None:
                page.write_blank(line, i, None, blank)
            else:
                puts[i](line, i, cell)
        _measure(widths, sheet.columns, row)
        line += 1
    top = line
    head = book.add_format(_HEAD)
    page.set_row(top, 32)
    for i, column in enumerate(sheet.columns):
        page.write_string(top, i, str(column.label), head)
        if note := _note(column):
            page.write_comment(top, i, note, {"x_scale": 2.2, "y_scale": 1.4, "font_size": 9})
    page.freeze_panes(top + 1, 1)
    line = top + 1
    puts = _puts(book, page, sheet.columns, {})
    measured = line + _MEASURED_ROWS
    for row in rows:
        if line >= ROWS:  # the library would leave the rest out without a word
            raise FaultError(
                "refused",
                T("行数超过 Excel 的上限（1,048,576）。请缩短日期范围或导出为 CSV。",
                  "More rows than Excel takes (1,048,576). Choose fewer days or export as CSV."),
            )  # fmt: skip
        for i, cell in enumerate(row):
            if cell is not None:
                puts[i](line, i, cell)
        if line < measured:
            _measure(widths, sheet.columns, row)
        line += 1
    page.autofilter(top, 0, max(top, line - 1), len(sheet.columns) - 1)
    for i, width in enumerate(widths):
        page.set_column(i, i, min(_WIDEST, max(_NARROWEST, width)))


def _puts(book: Any, page: Any, columns: Sequence[Column], look: dict[str, Any]) -> list[Callable[[int, int, Any], object]]:
    """For each column what puts a cell (not None) at (line, column)."""
    words = book.add_format({**look, "num_format": FORMATS["text"]})
    broken = book.add_format({**look, "num_format": _BROKEN_COUNT})
    number, text, moment, yes_no = page.write_number, page.write_string, page.write_datetime, page.write_boolean

    def maker(column: Column) -> Callable[[int, int, Any], object]:
        shape = _BROKEN_COUNT if column.key in _ONE_DECIMAL else FORMATS[column.kind]
        format = book.add_format({**look, "num_format": shape})
        counts = shape == _COUNT

        def put(line: int, i: int, cell: Cell) -> None:
            if isinstance(cell, str):
                text(line, i, cell[:_LONGEST_TEXT], words)
            elif isinstance(cell, bool):
                yes_no(line, i, cell, words)
            elif isinstance(cell, int | float):
                number(line, i, cell, broken if counts and not float(cell).is_integer() else format)
            else:
                moment(line, i, cell, format)

        return put

    return [maker(column) for column in columns]


def _explanations(book: Any, sheet: Sheet) -> None:
    """A line for every column, then what one should know to read the figures."""
    page = book.add_worksheet(tr("说明", "Notes"))
    head, wrapped = book.add_format(_HEAD), book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True})
    for i, (name, width) in enumerate(
        ((tr("列", "Column"), 24), (tr("定义", "Definition"), 70), (tr("公式", "Formula"), 56), (tr("来源", "Source"), 24))
    ):
        page.set_column(i, i, width)
        page.write_string(0, i, name, head)
    page.freeze_panes(1, 1)
    line = 1
    for column in sheet.columns:
        for i, words in enumerate((str(column.label), column.definition, column.formula, column.source)):
            if words:
                page.write_string(line, i, words, wrapped)
        line += 1
    if sheet.notes:
        line += 1
        page.write_string(line, 0, tr("读数须知", "To read these figures"), bold)
        for note in sheet.notes:
            line += 1
            page.write_string(line, 0, note)


def _note(column: Column) -> str:
    told = (column.definition, column.formula, column.source and tr("来源：", "Source: ") + column.source)
    return "\n".join(part for part in told if part)


def _measure(widths: list[float], columns: Sequence[Column], row: Sequence[Cell]) -> None:
    """Widens what this row needs wider."""
    for i, (column, cell) in enumerate(zip(columns, row, strict=True)):
        if isinstance(cell, str):
            needed = _width(cell.split("\n", 1)[0][:60]) + 2
        elif isinstance(cell, int | float):
            needed = len(f"{cell:,.2f}" if column.kind in ("yuan", "h") else f"{cell:,.1f}") + 2.0
        else:
            needed = 0.0 if cell is None else _WIDTHS.get(column.kind, 0.0) + 2
        widths[i] = max(widths[i], needed)


def _header_width(column: Column) -> float:
    return min(_width(str(column.label)), _LONGEST_HEADER) + 3  # room for the arrow of the filter


def _width(text: str) -> float:
    """In characters; a wide one, such as a Chinese one, is two."""
    return float(sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text))
