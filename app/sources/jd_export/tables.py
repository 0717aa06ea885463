"""Files into grids of cells: Excel workbooks, and text tables in any of the encodings and with any of the separators they come in."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from app.domain.language import T

Cell = str | int | float | bool | date | datetime | time | timedelta | None
LARGEST = 200 * 1024 * 1024
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SEPARATORS = ",;\t|"
_MOST_CELLS = 10_000_000
_PLACE = re.compile(rb'\sr="([A-Z]{1,3})(\d{1,7})"')
_UNCALCULATED = re.compile(rb'<c r="([A-Z]{1,3}\d{1,7})"(?: s="\d+")?><f[^>]*>[^<]*</f>(?:<v></v>|<v ?/>)?</c>')
_CHUNK, _TAIL = 1 << 20, 4096


class UnreadableError(Exception):
    """The file as a whole cannot be read; `sentence` says why and what to do."""

    def __init__(self, sentence: T) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet. `rows[i]` stands in row or line `numbers[i]` of the file; merged cells hold their value everywhere."""

    name: str
    rows: list[list[Cell]]
    numbers: list[int]


def grids(path: Path) -> list[Grid]:
    """The sheets of a workbook, or the one table of a text file.

    Raises UnreadableError for what is neither, OSError when the file cannot be read.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise UnreadableError(
            T(f"文件超过 {LARGEST // 1024 // 1024} MB。请按较短的时间段分次导出。",
              f"The file is larger than {LARGEST // 1024 // 1024} MB. Export shorter periods, one after another.")
        )  # fmt: skip
    content = path.read_bytes()
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise UnreadableError(T("文件是空的。请重新导出。", "The file is empty. Export it again."))
    if content.startswith(_WORKBOOKS):
        return _workbook(content)
    return [_text(path.name, content)]


def _workbook(content: bytes) -> list[Grid]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

    password = T("文件有密码。请在 Excel 里取消密码后再导入。", "The file has a password. Take it off in Excel and import it again.")
    damaged = T("文件已损坏，不是完整的 Excel 工作簿。请重新导出。", "The file is damaged: not a whole Excel workbook. Export it again.")
    if not content.startswith(b"PK") and _ENCRYPTED in content:  # the reader only looks for it in files that it opens by name
        raise UnreadableError(password)
    try:
        if content.startswith(b"PK"):
            _check_cells(content)
        with CalamineWorkbook.from_object(io.BytesIO(content)) as book:
            found = []
            for sheet in book.sheets_metadata:
                if sheet.typ != SheetTypeEnum.WorkSheet:
                    continue
                held = book.get_sheet_by_name(sheet.name)
                rows: list[list[Cell]] = [list(row) for row in held.to_python(skip_empty_area=False)]
                _fill(rows, held.merged_cell_ranges or [])
                found.append(Grid(sheet.name, rows, list(range(1, len(rows) + 1))))
            return found
    except PasswordError:
        raise UnreadableError(password) from None
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError, OverflowError, RuntimeError):
        raise UnreadableError(damaged) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # the reader gave up where it never expected to; it is no subclass of Exception
            raise UnreadableError(damaged) from None
        raise


def _check_cells(content: bytes) -> None:
    """Refuses a workbook with a cell so far out that the reader, which holds the whole rectangle, would take all memory, and one with
    a formula but not its result, which the reader would take for an empty cell.

    Raises UnreadableError, or zipfile.BadZipFile where there is no workbook.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            rows = columns = 0
            with archive.open(name) as sheet:
                tail = b""
                while chunk := sheet.read(_CHUNK):
                    for letters, row in _PLACE.findall(tail + chunk):
                        rows = max(rows, int(row))
                        if len(letters) > 1 or columns < 26:
                            columns = max(columns, _column(letters))
                    formula = _UNCALCULATED.search(tail + chunk)
                    if formula is not None:
                        place = formula[1].decode()
                        raise UnreadableError(
                            T(f"单元格 {place} 的公式还没有算出结果。请用 Excel 打开并保存后再导入。",
                              f"The formula in cell {place} was never worked out. Open the file in Excel, save it, and import it again.")
                        )  # fmt: skip
                    tail = chunk[-_TAIL:]
            if rows * columns > _MOST_CELLS:
                raise UnreadableError(
                    T(f"表格太大（{rows} 行 × {columns} 列）。请删除数据以外的单元格，或分次导出。",
                      f"The table is too large ({rows} rows × {columns} columns). Delete cells outside the data, or export in parts.")
                )  # fmt: skip


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _fill(rows: list[list[Cell]], merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    for (top, left), (bottom, right) in merged:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top : bottom + 1]:
            for column in range(left, min(right + 1, len(row))):
                row[column] = rows[top][left]


def _text(name: str, content: bytes) -> Grid:
    text = _decoded(content)
    if text.lstrip()[:1] == "<":
        raise UnreadableError(
            T(
                "这是网页，不是表格。请用 Excel 打开并另存为 xlsx。",
                "This is a web page, not a table. Open it in Excel and save it as xlsx.",
            )
        )
    skipped = 0
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) <= 5:
        separator, text, skipped = first[4:5] if first[4:5].strip("\r") else ",", rest, 1
    else:
        separator = _separator(text)
    rows: list[list[Cell]] = []
    numbers: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        before = 0
        for row in reader:
            rows.append(list(row))
            numbers.append(before + 1 + skipped)
            before = reader.line_num
    except csv.Error:
        raise UnreadableError(
            T(f"第 {reader.line_num + skipped} 行无法按表格读取（引号不成对？）。请重新导出。",
              f"Line {reader.line_num + skipped} cannot be read as a table (a quote that is not closed?). Export the file again.")
        ) from None  # fmt: skip
    return Grid(name, rows, numbers)


def _decoded(content: bytes) -> str:
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    # A line break or a separator has a zero byte in UTF-16, at an even place in one order and at an odd one in the other.
    even, odd = content[:4096:2].count(0), content[1:4096:2].count(0)
    guesses = ["utf-16-be" if even > odd else "utf-16-le"] if even + odd else []
    for encoding in (*guesses, "utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError(
        T("看不懂这个文件：既不是 Excel 工作簿，也不是 GBK 或 UTF-8 的文本。请导出为 xlsx 或 CSV。",
          "This file is neither an Excel workbook nor text in GBK or UTF-8. Export it as xlsx or CSV.")
    )  # fmt: skip


def _separator(text: str) -> str:
    """The one that cuts most lines of the beginning into the same number of cells, and into many."""
    lines = [line for line in text[:20_000].splitlines()[:50] if line.strip()]

    def fit(separator: str) -> int:
        widths = Counter(line.count(separator) for line in lines if separator in line)
        return max((width * lines_of_it for width, lines_of_it in widths.items()), default=0)

    return max(_SEPARATORS, key=fit)
