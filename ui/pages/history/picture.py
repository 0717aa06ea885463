"""From the report engine's answer to what the table shows. Made on a worker thread; the cells of a row only when it is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import merge
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.metrics import METRICS, SALES_COLUMNS, Metric, Unit, is_known_by, label_on, total, values
from app.domain.statistics import Funnel, is_proportion, sentence
from app.domain.terms import WEEKDAYS
from app.services.report_kinds import BESIDE, REPORTS, ROW_LABELS
from ui.runtime.finder import Reading, typed
from ui.theme import BODY
from ui.widgets.funnel_marks import mark_role
from ui.widgets.metric_text import metric_definition, metric_tooltip, unit_of
from ui.widgets.paint import width_of
from ui.widgets.table_cells import MARK_WIDTH, PADDING
from ui.widgets.table_header import title_width
from ui.widgets.table_model import Cell, Cells, Column, RowId

if TYPE_CHECKING:
    from app.services.reports import Report, Row
    from app.services.rows import Rows

TOTAL_ID, MEAN_ID = "\0total", "\0mean"
"""No row's key: a code cannot hold a NUL."""
LABEL = "key"
"""The first column: what a row is about."""
FEWEST_PEERS = 5
"""Among fewer agents nobody is marked: their pooled rate is mostly their own."""
_SORTED_AT_ONCE = 2_000
"""Sorting more in one go keeps the interpreter, and with it the window, for longer than a frame."""


_CREDITED = frozenset(key for key in SALES_COLUMNS if key != "presale_customers")
_WIDEST_SUM: dict[Unit, str] = {"n": "999,999", "%": "", "s": "", "min": "", "h": "99,999.99", "yuan": "99,999,999.99"}
_WIDEST_MEAN: dict[Unit, str] = {"n": "99.9", "%": "100.0%", "s": "999.9", "min": "99.9", "h": "99.99", "yuan": "99,999.99"}


class Sort(NamedTuple):
    """Column key, "" for the order of the report."""

    key: str = ""
    descending: bool = False


UNSORTED = Sort()


@dataclass(frozen=True)
class Picture:
    """All that one table shows. `report` has the rows that are shown, with their total and mean; `metrics` is the store's catalogue."""

    report: Report
    metrics: Mapping[str, Metric]
    text: str
    ids: list[RowId]
    members: Mapping[Any, int]
    """Where each row of the report is, by its id."""
    pinned: tuple[tuple[RowId, Cells], ...]
    funnels: Mapping[str, Funnel]
    notes: Sequence[T]

    @property
    def is_empty(self) -> bool:
        """Whether there is no number in any row."""
        return not any(self.report.whole.values())

    def row(self, row_id: RowId) -> Row | None:
        """None for a row on top, or one that is not shown."""
        at = self.members.get(row_id)
        return None if at is None else self.report.rows[at]

    def cells(self, row_id: RowId) -> Cells:
        report, row = self.report, self.report.rows[self.members[row_id]]
        cells = {LABEL: label_cell(row)}
        for key in report.kind.beside:
            if key != "name":
                cells[key] = said(key, row, report.zone)
        for key, value in report.values(row.numbers).items():
            cell = _cell(self.metrics[key], value)
            if key in self.funnels and (mark := self.funnels[key].marks.get(row.key, "")):
                cell = cell._replace(mark=mark, mark_role=mark_role(mark, METRICS[key]))
            cells[key] = cell
        return cells

    def tooltip(self, row_id: RowId, key: str) -> str:
        """How a figure came about, and whether chance explains it."""
        row = self.row(row_id)
        if key not in METRICS:
            return "" if row is None else _who(row)
        metric = replace(self.metrics[key], label=self.report.label(key))
        if not is_known_by(key, self.report.parts):
            return tr(f"{metric.label}\n这样细分时没有这个数字", f"{metric.label}\nNot known in this breakdown")
        lines = [metric_tooltip(metric, self.report.whole if row is None else row.numbers, self.report.window)]
        if row_id == MEAN_ID and not metric.is_ratio:
            mean = metric.text(self.report.mean()[key])
            lines.append(tr(f"均值 {mean} = 总值 ÷ 有数据的行数", f"Mean {mean} = total ÷ rows that have any data"))
        funnel = self.funnels.get(key)
        if funnel is not None and row is not None and row.key in funnel.marks and row.key not in funnel.left_out:
            lines.append(str(sentence(funnel.marks[row.key], metric, funnel)))
        return "\n".join(lines)


def picture(
    report: Report, text: str = "", sort: Sort = UNSORTED, readings: Mapping[str, Reading] | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Picture:  # fmt: skip
    """`readings` of the rows' names, for `text`; without any text every row is shown. metrics: the catalogue with the store's standards."""
    shown = report
    if typed(text):
        rows = fitting(report.rows, text, readings or {})
        shown = replace(report, rows=rows, whole=total(rows.numbers))
    blank = {key: Cell() for key in report.kind.beside}
    pinned: tuple[tuple[RowId, Cells], ...] = (
        (TOTAL_ID, {**blank, LABEL: Cell(tr("总值", "Total"), detail=_count(shown)), **_cells(metrics, shown.total())}),
        (MEAN_ID, {**blank, LABEL: Cell(tr("均值", "Mean")), **_cells(metrics, shown.mean())}),
    )
    notes = (*shown.notes, *reading_notes(shown))
    return Picture(shown, metrics, text, ordered(shown, sort), shown.rows.at, pinned, funnels(report), notes)


def reading_notes(report: Report) -> list[T]:
    """How the table is to be read, beside what the engine says of its figures."""
    found = []
    sales = [key for key in report.keys if key in _CREDITED and is_known_by(key, report.parts)]
    if sales:
        found.append(T("促成的订单计入咨询当天，不是下单当天。", "Credited orders count on the day of the consultation, not of the order."))
    compared = report.kind.rows == "agent_period" and any(is_proportion(METRICS[key]) for key in report.keys)
    if compared and len(set(report.rows.heads())) >= FEWEST_PEERS:
        found.append(
            T("一天一位客服的量太少，这里不标随机界限；差距是否偶然，看工作量和满意度评价表。",
              "A day of one agent is too little to mark against chance here; Workload and Ratings tell differences from noise.")
        )  # fmt: skip
    return found


def in_window(report: Report, window: Window) -> Report:
    """The same counters under another order window: nothing has to be read for that."""
    return replace(report, question=replace(report.question, window=window))


def ordered(report: Report, sort: Sort) -> list[RowId]:
    """Row ids by a column, those without a value last."""
    rows = report.rows
    found: list[Any]
    if sort.key in METRICS:
        metric, keys = sort.key, (sort.key,)
        found = [values(numbers, keys, report.window)[metric] for numbers in rows.numbers]
    elif sort.key:
        cell = label_cell if sort.key == LABEL else lambda row: said(sort.key, row, report.zone)
        found = [cell(row).value for row in rows]
    else:
        return [*rows.keys]
    having, by = [i for i, value in enumerate(found) if value is not None], found.__getitem__
    parts = (having[i : i + _SORTED_AT_ONCE] for i in range(0, len(having), _SORTED_AT_ONCE))
    in_order = merge(*(sorted(part, key=by, reverse=sort.descending) for part in parts), key=by, reverse=sort.descending)
    return [*(rows.keys[i] for i in in_order), *(rows.keys[i] for i, value in enumerate(found) if value is None)]


def fitting(rows: Rows, text: str, readings: Mapping[str, Reading]) -> Rows:
    """Those that `fits`, asked once for each whom they are about."""
    heads = rows.heads()
    one_of = {head: i for i, head in enumerate(heads)}
    wanted = {head for head, i in one_of.items() if fits(rows[i], text, readings)}
    return rows if len(wanted) == len(one_of) else rows.some([i for i, head in enumerate(heads) if head in wanted])


def fits(row: Row, text: str, readings: Mapping[str, Reading]) -> bool:
    """Whether a row's code or name holds what was typed, or the name's pinyin or initials do."""
    wanted, name = typed(text), name_of(row)
    if not wanted or wanted in typed(row.head) or wanted in typed(name):
        return True
    reading = readings.get(name)
    return reading is not None and reading.score(wanted) is not None


def columns_of(report: str, metrics: Mapping[str, Metric] = METRICS) -> list[Column]:
    """The columns of a declared report: what a row is about, what stands beside, then its metrics."""
    kind = REPORTS[report]
    found = [Column(LABEL, ROW_LABELS[kind.rows], "text", 128, sticky=True)]
    found += [Column(key, BESIDE[key], "text", 108) for key in kind.beside if key != "name"]
    for key in kind.keys:
        metric = metrics[key]
        label, unit = label_on(report, key), unit_of(metric)
        title = f"{label} ({unit})" if unit else str(label)
        found.append(Column(key, title, "number", _width(metric, title), metric_definition(metric), link=True))
    return found


def _width(metric: Metric, title: str) -> int:
    """Of the title on two lines, and of the widest usual figure with its mark."""
    widest = _WIDEST_MEAN if metric.is_ratio else _WIDEST_SUM
    figure = width_of(widest[metric.unit], BODY, strong=True) + 2 * PADDING
    return ceil(max(title_width(title), figure + (MARK_WIDTH if metric.warn is not None or is_proportion(metric) else 0)))


def name_of(row: Row) -> str:
    return str(row.extra.get("name", row.label))


def label_cell(row: Row) -> Cell:
    """Names are sorted as people expect: Latin first, then Chinese by pinyin, which is how this encoding numbers common characters."""
    name = name_of(row)
    if "name" in row.extra:
        return Cell(name, name.lower().encode("gb18030", "replace").hex())
    one_day = row.place.first is not None and row.place.first == row.place.last and len(row.key) == 10
    return Cell(name, row.key, detail=str(WEEKDAYS[row.place.first.weekday()]) if one_day and row.place.first is not None else "")


def said(key: str, row: Row, zone: str) -> Cell:
    """What stands beside the metrics: words, or a moment as a time of day."""
    value = row.extra.get(key)
    if value is None:
        return Cell("--")
    if isinstance(value, int):
        return Cell(f"{_local(zone).local(value):%H:%M}", value)
    return Cell(str(value), str(value))


@lru_cache(maxsize=8)
def _local(zone: str) -> LocalTime:
    return LocalTime(zone)


def _who(row: Row) -> str:
    name = name_of(row)
    return name if name == row.head else f"{name} ({row.head})"


def _count(report: Report) -> str:
    return tr(f"{len(report.rows)}人", f"{len(report.rows)}") if report.kind.rows == "agent" else ""


def _cells(metrics: Mapping[str, Metric], found: Mapping[str, float | int | None]) -> dict[str, Cell]:
    return {key: _cell(metrics[key], value) for key, value in found.items()}


def _cell(metric: Metric, value: float | int | None) -> Cell:
    return Cell(metric.text(value), value, metric.level(value))


def funnels(report: Report) -> dict[str, Funnel]:
    """Limits of chance for the rates of a report whose rows are agents, by metric."""
    if report.kind.rows != "agent" or len(report.rows) < FEWEST_PEERS:
        return {}
    found = {}
    for key in report.keys:
        if is_proportion(metric := METRICS[key]):
            parts = [(row.key, *metric.parts(row.numbers, report.window)) for row in report.rows]
            found[key] = Funnel.of((code, top, bottom or 0) for code, top, bottom in parts)
    return found
