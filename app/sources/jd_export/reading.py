"""An exported file into typed rows: which sheet, which row holds the headers, what each column means, what each cell says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from app.domain.language import T
from app.domain.metrics import METRICS
from app.sources.jd_export import cells
from app.sources.jd_export.fields import (
    FIELDS,
    FIGURES,
    NEEDED_OF_ORDERS,
    ORDER,
    Field,
    follows_from_others,
    meaning,
    normal,
    unit_of,
)
from app.sources.jd_export.tables import Cell, Grid, UnreadableError, grids

State = Literal["used", "unknown", "left_out", "second", "derived"]
SAMPLES = 50
MOST_PROBLEMS = 1_000
_HEADER_WITHIN = 40
_ESTIMATED = re.compile(r"\s*[(（]\s*推算\s*[)）]\s*$")
_SUMMARY = re.compile(
    r"(全店|店铺|本店|团队|全部)?(总值|均值|汇总值?|平均值?|总览|合计|总计|小计|总数|总体|全店|total|sum|mean|average|overview)(\d+人?)?|同行.*|行业.*|全店.*"
)
# Which summary row holds the sums, best first; the others are means, or speak of more than this file.
_TOTALS = ("总值", "合计", "总计", "汇总值", "汇总", "总览", "total", "sum", "overview")


class Problem(NamedTuple):
    """row: as in the file, 0 for the file as a whole. column: the header, "" for the row as a whole. fatal: nothing is imported."""

    row: int
    column: str
    sentence: T
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """state: "used"; "unknown" header; "left_out" by the person; "second": a better column says it; "derived": follows from others."""

    index: int
    header: str
    normal: str
    key: str
    state: State


@dataclass(frozen=True, slots=True)
class Record:
    """One row. values: by key of FIELDS, only what the row says; counts and fen whole, rates as fractions, durations in ms."""

    row: int
    agent: str
    name: str
    day: date
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Totals:
    """The file's own summary row; day None where it speaks of all days."""

    row: int
    label: str
    day: date | None
    values: dict[str, Any]


@dataclass(slots=True)
class Export:
    """What a file says. kind: "days", counters per agent and day; "orders", credited order lines, whose `day` is the consultation's."""

    kind: Literal["days", "orders"]
    sheet: str
    sheets: list[str]
    header_row: int
    columns: list[Column]
    samples: list[tuple[int, list[str]]]
    records: list[Record] = field(default_factory=list)
    totals: list[Totals] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    summary_rows: int = 0
    duplicates: int = 0
    dated_by: Literal["column", "given", "name", "title", ""] = "column"

    def column(self, key: str) -> Column | None:
        return next((column for column in self.columns if column.key == key and column.state == "used"), None)

    def report(self, row: int, column: str, sentence: T, fatal: bool = True) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(row, column, sentence, fatal))


def read(path: Path, mapping: Mapping[str, str] | None = None, sheet: str | None = None, given: date | None = None) -> Export:
    """Reads an export.

    mapping: header, normalised or not, → key of FIELDS, or "" to leave the column out; it goes before what is declared. sheet: name or
    number from 1; None for the one that looks most like an export. given: the day, for a file without a column of dates.
    Raises UnreadableError for a file, a sheet or a key that cannot be, OSError when the file cannot be read. Everything else is a problem
    of the result.
    """
    chosen = {normal(header): key for header, key in (mapping or {}).items()}
    for key in chosen.values():
        if key and key not in FIELDS:
            known = ", ".join(FIELDS)
            raise UnreadableError(T(f"没有“{key}”这个含义；可用：{known}", f"There is no meaning {key!r}; there are: {known}"))
    found = grids(path)
    grid, head = _table(_named(found, sheet), chosen)
    return _Reading(grid, head, chosen, [each.name for each in found]).run(path, given)


def _named(found: list[Grid], sheet: str | None) -> list[Grid]:
    if sheet is None:
        return found
    for number, grid in enumerate(found, 1):
        if sheet in (grid.name, str(number)):
            return [grid]
    names = "、".join(grid.name for grid in found)
    raise UnreadableError(T(f"没有工作表 {sheet}；现有：{names}", f"There is no sheet {sheet}; there are: {names}"))


def _table(found: Sequence[Grid], chosen: Mapping[str, str]) -> tuple[Grid, int]:
    """The sheet and the index of its header row: where most different meanings stand in one row."""
    best: tuple[int, int, int] | None = None
    for at, grid in enumerate(found):
        for index, row in enumerate(grid.rows[:_HEADER_WITHIN]):
            texts = {cells.text_of(cell) for cell in row} - {""}
            meanings = {key for key in (chosen.get(normal(text)) or (meaning(text) or ("",))[0] for text in texts) if key}
            score = len(meanings) + 2 * ("agent" in meanings)
            if meanings and (best is None or score > best[0]):
                best = (score, at, index)
    if best is None or best[0] < 2:
        raise UnreadableError(
            T("没有找到可识别的列（如 客服、咨询量、接待量）。请确认导出的是客服数据，或在表头行写上列名。",
              "No known columns were found (such as 客服, 咨询量, 接待量). Is this an export of agents' figures, with a row of headers?")
        )  # fmt: skip
    return found[best[1]], best[2]


class _Reading:
    def __init__(self, grid: Grid, head: int, chosen: Mapping[str, str], sheets: list[str]) -> None:
        self._grid = grid
        self._head = head
        self._width = max(map(len, grid.rows[head:]))
        headers = [cells.text_of(cell) for cell in grid.rows[head]]
        headers += [""] * (self._width - len(headers))
        columns = _columns(headers, chosen)
        used = {column.key for column in columns if column.state == "used"}
        orders = {"opened_at", "placed_at", "order"} <= used
        kind: Literal["days", "orders"] = "orders" if orders else "days"
        dated = {column.index for column in columns if column.state == "used" and FIELDS[column.key].kind in ("date", "moment")}
        shown = [
            (grid.numbers[i], [cells.date_text(cell) if at in dated else cells.text_of(cell) for at, cell in enumerate(grid.rows[i])])
            for i in range(head + 1, min(len(grid.rows), head + 1 + SAMPLES))
        ]
        self._export = Export(kind, grid.name, sheets, grid.numbers[head], columns, shown)
        wanted = ("agent", "agent_name", *ORDER) if orders else ("agent", "agent_name", "date", *FIGURES)
        self._used = [column for column in columns if column.state == "used" and column.key in wanted]

    def run(self, path: Path, given: date | None) -> Export:
        export = self._export
        for key in ("agent", *(NEEDED_OF_ORDERS if export.kind == "orders" else ())):
            if export.column(key) is None:
                label = FIELDS[key].label
                export.report(0, "", T(f"没有“{label.zh}”列。请指定哪一列是它。", f"There is no column “{label.en}”. Say which one it is."))
        if not any(column.key in FIGURES or column.key in ORDER for column in self._used):
            export.report(0, "", T("没有可导入的数据列。请指定各列的含义。", "There is no column of figures. Say what the columns mean."))
        fallback = None
        if export.kind == "days" and export.column("date") is None:
            fallback, export.dated_by = self._date(path, given)
            if fallback is None:
                export.report(
                    0, "",
                    T("没有日期列，文件名和标题里也没有唯一的一天。请指定日期。",
                      "There is no column of dates, and neither name nor title of the file says which one day it is. Give the date."),
                )  # fmt: skip
        kept, summaries = self._sift()
        self._compare_units([*kept, *summaries])
        values = self._values(kept, summaries)
        for index in kept:
            self._take(index, values, fallback)
        self._keep_totals(summaries, values)
        if not export.records and not any(problem.fatal for problem in export.problems):
            export.report(
                0, "", T("表里没有任何客服的数据。请检查导出的内容。", "The table holds no figures of any agent. Check what was exported.")
            )
        return export

    def _date(self, path: Path, given: date | None) -> tuple[date | None, Literal["given", "name", "title", ""]]:
        if given is not None:
            return given, "given"
        named = cells.date_in(path.stem)
        if named is not None:
            return named, "name"
        titles = " ".join(cells.text_of(cell) for row in self._grid.rows[: self._head] for cell in row)
        titled = cells.date_in(titles)
        return titled, "title" if titled is not None else ""

    def _sift(self) -> tuple[list[int], list[int]]:
        """(rows to import, summary rows) as indices; empty rows, headers said again and whole-row duplicates are dropped."""
        rows, export = self._grid.rows, self._export
        header = _texts(rows[self._head])
        agent = export.column("agent")
        labelled = [column.index for column in (agent, export.column("date")) if column is not None]
        seen: dict[tuple[str, ...], int] = {}
        kept: list[int] = []
        summaries: list[int] = []
        first = self._head  # a workbook of this program has its summary rows above the header, out of the filter's way
        while first and self._label(rows[first - 1], labelled) and self._has_figures(rows[first - 1]):
            first -= 1
        for index in range(first, len(rows)):
            row = rows[index]
            texts = _texts(row)
            if texts == header or all(cells.is_empty(cell) for cell in row):
                continue
            if self._label(row, labelled):
                summaries.append(index)
                continue
            if not self._has_figures(row):
                continue  # a note, or an agent without any figure
            if agent is not None and agent.index < len(texts):
                texts[agent.index] = _ESTIMATED.sub("", texts[agent.index])
            earlier = seen.setdefault(tuple(texts), self._grid.numbers[index])
            if earlier != self._grid.numbers[index]:
                export.duplicates += 1
                export.report(
                    self._grid.numbers[index],
                    "",
                    T(f"与第 {earlier} 行相同，只算一次。", f"The same as row {earlier}; counted once."),
                    fatal=False,
                )
                continue
            kept.append(index)
        export.summary_rows = len(summaries)
        return kept, summaries

    def _has_figures(self, row: Sequence[Cell]) -> bool:
        used = (column for column in self._used if column.key not in ("agent", "agent_name", "date"))
        return not all(cells.is_empty(_at(row, column.index)) for column in used)

    def _label(self, row: Sequence[Cell], labelled: Sequence[int]) -> str:
        """The words that make a summary row of it: with the agent or the date, or, where both are empty, first in the row."""
        texts = [cells.text_of(_at(row, index)) for index in labelled]
        if not any(texts[:1]):
            texts.append(next((text for text in map(cells.text_of, row) if text), ""))
        return next((text for text in texts if _SUMMARY.fullmatch(normal(text).strip(":*"))), "")

    def _values(self, kept: list[int], summaries: list[int]) -> dict[int, dict[str, Any]]:
        """{row index: {key: value, or the sentence that says why there is none}}, decided column by column."""
        indices = kept + summaries
        found: dict[int, dict[str, Any]] = {index: {} for index in indices}
        for column in self._used:
            column_cells = [_at(self._grid.rows[index], column.index) for index in indices]
            for index, value in zip(indices, _reader(FIELDS[column.key], column.header, len(kept))(column_cells)):
                if value is not None:
                    found[index][column.key] = value
        return found

    def _compare_units(self, indices: Sequence[int]) -> None:
        """Small percentages without a sign look like parts of one: of rates that are better small that is told where others are percent."""
        rates = [column for column in self._used if FIELDS[column.key].kind == "rate"]
        largest = [cells.largest_bare([_at(self._grid.rows[index], column.index) for index in indices]) for column in rates]
        if max(largest, default=0.0) <= 1:
            return
        for column, most in zip(rates, largest):
            if 0 < most < 1 and METRICS[column.key].better == "down":
                self._export.report(
                    0, column.header,
                    T(f"其他比率是百分数，这一列没有超过1的数：{most:g} 按 {most:.0%} 计。如果是 {most:g}%，请在单元格里加上百分号。",
                      f"Other rates are percent, and this column has no number above 1: {most:g} is taken for {most:.0%}. "
                      f"If it is {most:g}%, write the percent sign into the cells."),
                    fatal=False,
                )  # fmt: skip

    def _take(self, index: int, values: Mapping[int, dict[str, Any]], fallback: date | None) -> None:
        export, row = self._export, self._grid.numbers[index]
        said = values[index]
        good: dict[str, Any] = {}
        for column in self._used:
            value = said.get(column.key)
            if isinstance(value, T):
                export.report(row, column.header, value)
            elif value is not None:
                good[column.key] = value
        agent = _ESTIMATED.sub("", str(good.pop("agent", "")))
        name = _ESTIMATED.sub("", str(good.pop("agent_name", "")))
        column_of_agent = export.column("agent")
        if not agent and column_of_agent is not None and not isinstance(said.get("agent"), T):
            export.report(
                row,
                column_of_agent.header,
                T("这一行没有客服。请补上或删除这一行。", "This row names no agent. Add one or delete the row."),
            )
        day: date | None
        if export.kind == "orders":
            day = self._check_order(row, said, good)
        else:
            day = good.pop("date", fallback)
            dates = export.column("date")
            if day is None and dates is not None and "date" not in said:
                export.report(row, dates.header, T("这一行没有日期。请补上。", "This row has no date. Add it."))
        if agent and day is not None:
            export.records.append(Record(row, agent, name, day, good))

    def _check_order(self, row: int, said: Mapping[str, Any], good: Mapping[str, Any]) -> date | None:
        for key in NEEDED_OF_ORDERS:
            column = self._export.column(key)
            if column is not None and key not in said:
                self._export.report(row, column.header, T("这一格是空的。请补上。", "This cell is empty. Fill it in."))
        opened, placed = good.get("opened_at"), good.get("placed_at")
        if not isinstance(opened, datetime) or not isinstance(placed, datetime) or not all(key in good for key in NEEDED_OF_ORDERS):
            return None
        if placed < opened:
            column = self._export.column("placed_at")
            self._export.report(
                row, column.header if column else "",
                T("下单早于咨询，不算促成，已忽略。", "Ordered before the consultation: not credited, left out."), fatal=False,
            )  # fmt: skip
            return None
        return opened.date()

    def _keep_totals(self, summaries: Sequence[int], values: Mapping[int, dict[str, Any]]) -> None:
        labelled = [column.index for column in (self._export.column("agent"), self._export.column("date")) if column is not None]
        ranked: dict[int, list[Totals]] = {}
        for index in summaries:
            row = self._grid.rows[index]
            label = self._label(row, labelled)
            rank = next((i for i, word in enumerate(_TOTALS) if normal(label).startswith(word)), None)
            if rank is None:
                continue
            said = {key: value for key, value in values[index].items() if not isinstance(value, T)}
            day = said.get("date")
            figures = {key: value for key, value in said.items() if key in FIGURES}
            ranked.setdefault(rank, []).append(Totals(self._grid.numbers[index], label, day, figures))
        if ranked:
            self._export.totals = ranked[min(ranked)]


def _columns(headers: Sequence[str], chosen: Mapping[str, str]) -> list[Column]:
    wanted: dict[str, list[tuple[int, int]]] = {}
    for index, header in enumerate(headers):
        if normal(header) in chosen:
            if chosen[normal(header)]:
                wanted.setdefault(chosen[normal(header)], []).append((-1, index))
        elif (known := meaning(header)) is not None:
            wanted.setdefault(known[0], []).append((known[1], index))
    taken = {min(places)[1]: key for key, places in wanted.items()}
    second = {index: key for key, places in wanted.items() for _, index in places if index not in taken}
    names = sorted((rank, index) for rank, index in wanted.get("agent", ()) if index in second)
    if names and "agent_name" not in wanted:  # an id and a name: both are wanted
        taken[names[0][1]] = "agent_name"
        del second[names[0][1]]
    found = []
    for index, header in enumerate(headers):
        state: State = "unknown"
        if normal(header) in chosen and not chosen[normal(header)]:
            state = "left_out"
        elif index in taken:
            state = "used"
        elif index in second:
            state = "second"
        elif header and follows_from_others(header):
            state = "derived"
        if header or index in taken:
            found.append(Column(index, " ".join(header.split()), normal(header), taken.get(index) or second.get(index, ""), state))
    return found


def _reader(what: Field, header: str, rows: int) -> Callable[[Sequence[Cell]], Sequence[Any]]:
    unit = unit_of(header)
    match what.kind:
        case "code":
            return cells.codes
        case "date":
            return cells.days
        case "moment":
            return cells.moments
        case "rate":
            return cells.rates
        case "count":
            return lambda column: [round(value) if isinstance(value, float) else value for value in cells.numbers(column)]
        case "number":
            return lambda column: cells.numbers(column, whole=False)
        case "yuan":
            return lambda column: [
                round(value * 100) if isinstance(value, float) else value for value in cells.numbers(column, whole=False)
            ]
        case "h" | "min" | "s" as kind:
            return lambda column: cells.durations(column, kind, unit, rows)


def _texts(row: Sequence[Cell]) -> list[str]:
    return [unicodedata.normalize("NFKC", cells.text_of(cell)) for cell in row]


def _at(row: Sequence[Cell], index: int) -> Cell:
    return row[index] if index < len(row) else None
