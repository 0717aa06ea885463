"""A report as a file: JSON, CSV or Excel, from one description of its columns.

CSV is UTF-8 with a byte order mark (Excel opens it right) and begins with its header; texts that a spreadsheet would run as a formula are
neutralised. Rows are written while they are read, so the size of a file does not matter.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar

from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.metrics import METRICS, SOURCES
from app.services.listings import LISTINGS, ColumnKind, Listing
from app.services.report_answer import Reading
from app.services.report_kinds import BESIDE, ROW_LABELS
from app.services.reports import LongReport, Report
from app.services.sheet_words import heading
from app.storage.faults import FaultError

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo

Answer = Report | LongReport | Listing
Format = Literal["json", "csv", "xlsx"]
Cell = str | int | float | bool | date | datetime | None
Kind = Literal["text", "date", "time", "clock", "n", "%", "s", "min", "h", "yuan"]
"""What the cells of a column are: texts, days, moments, moments of which only the time of day matters, or numbers by unit."""
_R = TypeVar("_R")
Tell = Callable[[int, int | None], object]
"""(rows written, rows in all; None where nobody has counted them)"""

_STEP = 500
"""Rows between two looks at whether to go on."""
_KINDS: dict[ColumnKind, Kind] = {"time": "time", "seconds": "s", "hours": "h", "number": "n", "yuan": "yuan", "share": "%"}


@dataclass(frozen=True, slots=True)
class Column:
    """`definition`, `formula` and `source` tell where its figures come from; "" for what explains itself."""

    key: str
    label: T
    kind: Kind = "text"
    definition: str = ""
    formula: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of cells under columns; `summary` rows (total, mean) stand above them, as on screen; in a workbook above the header,
    where neither sorting nor filtering takes them for data.

    heading: what was asked, as (word, what) lines to stand above the table; the last is the moment it was made. count: the number of
    rows where it is known beforehand.
    """

    title: str
    columns: Sequence[Column]
    summary: Sequence[Sequence[Cell]]
    rows: Iterable[Sequence[Cell]]
    notes: Sequence[str] = ()
    heading: Sequence[tuple[str, str]] = ()
    count: int | None = None


def sheet_of(answer: Report | Listing, store: StoreInfo | None = None, made: int | None = None) -> Sheet:
    """made: the store's moment that counts as now, epoch ms."""
    if isinstance(answer, Listing):
        return _of_listing(answer, _title(answer), heading(answer, store, made))
    return _of_report(answer, answer.held(), _title(answer), heading(answer, store, made))


def _title(answer: Answer) -> str:
    return f"{answer.title} {answer.first.isoformat()}~{answer.last.isoformat()}"


def _of_listing(answer: Listing, title: str, above: Sequence[tuple[str, str]]) -> Sheet:
    declared = {column.key: column for column in LISTINGS[answer.question.report].columns}
    columns = [
        Column(key, label, _KINDS.get(declared[key].kind, "text"), str(declared[key].tooltip)) for key, label in answer.columns.items()
    ]
    times = {column.key for column in columns if column.kind == "time"}

    def rows() -> Iterator[Sequence[Cell]]:
        for row in answer.rows:
            yield [_moment(row[c.key]) if c.key in times else row[c.key] for c in columns]

    return Sheet(title, columns, (), rows(), heading=above)


def _moment(iso: str | None) -> datetime | None:
    """Spreadsheets know no zones: the wall clock of the store."""
    return None if iso is None else datetime.fromisoformat(iso).replace(tzinfo=None)


def _of_report(answer: Report | LongReport, reading: Reading, title: str, above: Sequence[tuple[str, str]]) -> Sheet:
    local = LocalTime(answer.zone)
    kind, by = answer.kind, answer.by
    dated = by == "day"
    head = Column("key", BESIDE["period"] if kind.rows == "period" and by in ("hour", "halfhour") else ROW_LABELS[kind.rows])
    if dated and kind.rows == "period":
        head = Column("key", head.label, "date")
    beside = [Column(key, BESIDE[key], _beside_kind(key, dated)) for key in kind.beside]
    columns = [head, *beside]
    for key in answer.keys:
        metric = METRICS[key]
        label = _with_unit(answer.label(key), metric.unit)
        columns.append(Column(key, label, metric.unit, str(metric.definition), metric.formula(answer.window), str(SOURCES[metric.source])))
    blank: list[Cell] = [None] * len(beside)
    total, mean = reading.total, reading.mean
    summary: list[list[Cell]] = [
        [tr("总值", "Total"), *blank, *(total[key] for key in answer.keys)],
        [tr("均值", "Mean"), *blank, *(mean[key] for key in answer.keys)],
    ]

    def rows() -> Iterator[Sequence[Cell]]:
        for row in reading.rows:
            values = answer.values(row.numbers)
            first = date.fromisoformat(row.head) if head.kind == "date" else row.head
            yield [first, *(_beside(c, row.extra[c.key], local) for c in beside), *values.values()]

    return Sheet(title, columns, summary, rows(), [str(note) for note in reading.notes], above, reading.length)


def _beside_kind(key: str, dated: bool) -> Kind:
    if key in ("first_login", "last_logout"):
        return "clock"
    return "date" if key == "day" and dated else "text"


def _beside(column: Column, cell: str | int | None, local: LocalTime) -> Cell:
    if cell is None or column.kind == "text":
        return cell
    if column.kind == "date":
        return date.fromisoformat(str(cell))
    return local.local(int(cell)).replace(microsecond=0, tzinfo=None)


_UNITS = {"s": T("(秒)", " (s)"), "min": T("(分钟)", " (min)"), "h": T("(小时)", " (h)"), "yuan": T("(元)", " (¥)")}


def _with_unit(label: T, unit: str) -> T:
    suffix = _UNITS.get(unit, T("", ""))
    return T(label.zh + suffix.zh, label.en + suffix.en)


def plain(column: Column, cell: Cell) -> str | int | float | bool | None:
    """A cell where there are only texts and numbers: days and moments as ISO writes them, in store time."""
    if isinstance(cell, datetime):
        return f"{cell:%H:%M:%S}" if column.kind == "clock" else f"{cell:%Y-%m-%d %H:%M:%S}"
    return cell.isoformat() if isinstance(cell, date) else cell


def neutral(cell: Cell) -> Cell:
    """A text that starts like a formula gets a leading apostrophe, so that opening a file never runs it."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return cell


def write(
    answer: Answer | Sheet, format: Format, out: BinaryIO, *, store: StoreInfo | None = None, made: int | None = None,
    tell: Tell | None = None, stop: Event | None = None,
) -> None:  # fmt: skip
    """Writes the whole answer, row by row. store and made go into the lines above an Excel table; a Sheet has its own.

    Raises FaultError for more rows than Excel takes, and (kind "cancelled") when `stop` is set meanwhile: `out` is then of no use.
    """

    with ExitStack() as held:
        if isinstance(answer, Listing):
            held.callback(_let_go, answer)
            sheet = sheet_of(answer, store, made)
            records: Iterable[dict[str, Any]] = answer.rows
            beside: dict[str, Any] = {}
        elif isinstance(answer, Sheet):
            sheet = answer
            records = ({c.key: plain(c, cell) for c, cell in zip(sheet.columns, row, strict=True)} for row in sheet.rows)
            beside = {"notes": [*sheet.notes]}
        else:
            reading = held.enter_context(answer.reading(lambda: _look(0, None, tell, stop)))
            sheet = _of_report(answer, reading, _title(answer), heading(answer, store, made))
            records = map(answer.row_json, reading.rows)
            beside = {"total": reading.total, "mean": reading.mean, "notes": sheet.notes}
        if format == "json":
            _write_json(watched(records, sheet.count, tell, stop), beside, out)
        elif format == "csv":
            _write_csv(sheet, watched(sheet.rows, sheet.count, tell, stop), out)
        else:
            from app.services import workbook  # xlsxwriter is loaded when the first workbook is made

            workbook.write(sheet, watched(sheet.rows, sheet.count, tell, stop), out)


def _let_go(listing: Listing) -> None:
    """Of the connection behind its rows."""
    if isinstance(listing.rows, Iterator) and hasattr(listing.rows, "close"):
        listing.rows.close()


def save(
    answer: Answer | Sheet, format: Format, path: Path, *, store: StoreInfo | None = None, made: int | None = None,
    tell: Tell | None = None, stop: Event | None = None,
) -> None:  # fmt: skip
    """`write` to a file that appears whole or not at all. Raises FaultError also for a place that cannot be written to."""
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with half.open("wb") as out:
            write(answer, format, out, store=store, made=made, tell=tell, stop=stop)
        os.replace(half, path)
    except OSError as error:
        why = error.strerror or str(error)
        raise FaultError(
            "refused",
            T(f"无法写入 {path}（{why}）。请换一个文件夹或文件名。", f"{path} cannot be written ({why}). Choose another folder or name."),
        ) from None
    finally:
        with suppress(OSError):
            half.unlink()


def watched(rows: Iterable[_R], count: int | None, tell: Tell | None, stop: Event | None) -> Iterator[_R]:
    """The rows, telling how far they are and ending in a FaultError when `stop` is set."""
    done = 0
    for row in rows:
        if done % _STEP == 0:
            _look(done, count, tell, stop)
        yield row
        done += 1
    _look(done, done, tell, stop)


def _look(done: int, count: int | None, tell: Tell | None, stop: Event | None) -> None:
    if stop is not None and stop.is_set():
        raise FaultError("cancelled", T("已取消，没有写入文件。", "Cancelled; no file was written."))
    if tell is not None:
        tell(done, count)


def _write_json(records: Iterable[dict[str, Any]], beside: Mapping[str, Any], out: BinaryIO) -> None:
    """An object with `rows`, one a line, and what stands beside them (as `Report.as_json` makes it)."""
    out.write(b'{"rows": [')
    for i, record in enumerate(records):
        out.write((b",\n" if i else b"\n") + _json(record))
    out.write(b"\n]")
    for name, what in beside.items():
        out.write(b",\n" + _json(name) + b": " + _json(what))
    out.write(b"}\n")


def _json(what: object) -> bytes:
    return json.dumps(what, ensure_ascii=False).encode()


def _write_csv(sheet: Sheet, rows: Iterable[Sequence[Cell]], out: BinaryIO) -> None:
    out.write(b"\xef\xbb\xbf")
    text = io.TextIOWrapper(out, "utf-8", newline="")
    writer = csv.writer(text)
    columns = sheet.columns
    special = [i for i, column in enumerate(columns) if column.kind in ("text", "date", "time", "clock")]

    def line(row: Sequence[Cell]) -> list[Cell]:
        cells = list(row)
        for i in special:
            cells[i] = neutral(plain(columns[i], cells[i]))
        return cells

    try:
        writer.writerow([str(column.label) for column in columns])
        writer.writerows(map(line, sheet.summary))
        writer.writerows(map(line, rows))
    finally:
        text.detach()  # flushes; closing is for whoever opened it
