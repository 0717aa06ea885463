"""From the service's answer to the rows of the table: which seats are shown, what their cells say, and the total above them.

Made on a worker thread. A row that shows nothing new is handed over as the very same object, so the window compares identities and
touches only what changed. What ages by itself (state, longest wait) is put in by `aged`, on the window's own clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from app.domain.counters import FIRST_REPLY_BINS, WINDOWS, Counts
from app.domain.language import tr
from app.domain.metrics import IMPORTED_DAYS, METRICS, PENDING_RULE, SEAT_COLUMNS, SEAT_OPTIONAL, Metric, Numbers, total
from app.domain.settings import Effective
from ui.runtime.finder import Reading, typed, with_pinyin
from ui.theme.roles import Level
from ui.widgets.metric_text import clock_text
from ui.widgets.table_model import Cell, Cells
from ui.widgets.timeline import STATES

if TYPE_CHECKING:
    from app.domain.events import State
    from app.services.live import SeatRow, Seats

Catalogue = Mapping[str, Metric]
"""METRICS with a store's standards."""
METRIC_KEYS = (*SEAT_COLUMNS, *SEAT_OPTIONAL)
TOTAL_ID = "\0total"
"""No agent's code: a code cannot hold a NUL."""

_RANK = {state: rank for rank, state in enumerate(STATES)}
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_RANK_STEP = 10**14
"""Beyond any time in milliseconds: seats are ordered by state, then by how long they have been in it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the person wants to see; "" means all. `group` is a code, `text` a part of a name, its pinyin or initials, or of a code."""

    group: str = ""
    team: str = ""
    everyone: bool = False
    text: str = ""

    @property
    def narrows(self) -> bool:
        """Whether fewer seats may be shown than the service counted."""
        return bool(self.team or typed(self.text)) or not self.everyone


class Line(NamedTuple):
    """One seat of the table; `cells` without what ages."""

    code: str
    cells: dict[str, Cell]
    state: State | None
    state_since: int | None
    wait_since: int | None


class Picture(NamedTuple):
    """All that the page shows at one moment. `numbers` are those of the total row; `by_code` holds every seat, shown or not."""

    seats: Seats
    filters: Filters
    by_code: dict[str, SeatRow]
    lines: list[Line]
    total: Line
    numbers: Counts


def state_age(ms: int) -> str:
    """0:07, 12:40, then 2时05分, then 15小时, then 3天: the longer it lasts, the less the rest matters."""
    if ms < _HOUR_MS:
        return clock_text(ms)
    if ms < 10 * _HOUR_MS:
        hours, minutes = divmod(ms // 60_000, 60)
        return tr(f"{hours}时{minutes:02}分", f"{hours} h {minutes:02}")
    if ms < _DAY_MS:
        return tr(f"{ms // _HOUR_MS}小时", f"{ms // _HOUR_MS} h")
    return tr(f"{ms // _DAY_MS}天", f"{ms // _DAY_MS} d")


def aged(line: Line, now: int, metrics: Catalogue) -> Cells:
    """The cells of a line as they are at `now`, epoch ms; `metrics` has the store's standards."""
    cells = dict(line.cells)
    if line.state is not None:
        cells["state"] = state_cell(line.state, line.state_since, now)
    if line.wait_since is not None:
        metric = metrics["longest_wait"]
        seconds = max(0, now - line.wait_since) / 1000
        # Sorted by the moment the wait began, so that the order does not change by mere ageing.
        cells["longest_wait"] = Cell(metric.text(seconds), -line.wait_since, metric.level(seconds))
    return cells


def state_cell(state: State, since: int | None, now: int) -> Cell:
    """Dot, word and age of a state."""
    word, role, _ = STATES[state]
    level: Level = "quiet" if role == "track" else role  # type: ignore[assignment]
    age = "" if since is None else state_age(max(0, now - since))
    return Cell(str(word), _RANK[state] * _RANK_STEP + (since or 0), level, age)


class _Kept(NamedTuple):
    row: SeatRow
    keys: frozenset[str]
    settings: Effective
    line: Line


class LineMaker:
    """Makes pictures and remembers the lines of the last ones. May be used by several threads: what it keeps is only ever replaced."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._readings: dict[str, Reading] = {}

    def picture(self, seats: Seats, filters: Filters, keys: frozenset[str] = frozenset(METRIC_KEYS)) -> Picture:
        """Only the metrics of `keys` are worked out: some change with every answer, and nobody looks at a hidden column."""
        rows = self._shown(seats.rows, filters)
        numbers = _sums(rows, keys) if filters.narrows else seats.numbers
        label = Cell(tr("总览", "All"), detail=tr(f"{len(rows)}人", f"{len(rows)}"))
        cells = {"agent": label, **_UNKNOWN, **_cells(numbers, keys, seats.settings)}
        whole = Line(TOTAL_ID, cells, None, None, _wait_since(numbers, seats.at))
        lines = [self._line(row, keys, seats.settings, seats.at) for row in rows]
        return Picture(seats, filters, {row.code: row for row in seats.rows}, lines, whole, numbers)

    def _shown(self, rows: Iterable[SeatRow], filters: Filters) -> list[SeatRow]:
        wanted = [
            row for row in rows if (filters.everyone or row.state != "offline") and (not filters.team or row.team == filters.team)
        ]  # fmt: skip
        text = typed(filters.text)
        if not text:
            return wanted
        if missing := {row.name for row in wanted} - self._readings.keys():
            names = sorted(missing)
            self._readings.update(zip(names, with_pinyin(names), strict=True))
        return [row for row in wanted if text in typed(row.code) or holds(self._readings[row.name], text)]

    def _line(self, row: SeatRow, keys: frozenset[str], settings: Effective, at: int) -> Line:
        kept = self._kept.get(row.code)
        wait_since = _wait_since(row.numbers, at)
        if kept is None or kept.keys != keys or kept.settings is not settings:
            cells = {**_labels(row), **_UNKNOWN, **_cells(row.numbers, keys, settings)}
            line = Line(row.code, cells, row.state, row.state_since, wait_since)
        else:
            was, _, _, line = kept
            new: dict[str, Cell] = {}
            if (row.name, row.team) != (was.name, was.team):
                new = _labels(row)
            changed = {name for name, _ in was.numbers.items() ^ row.numbers.items()}
            touched = keys.intersection([key for name in changed for key in _AFFECTED.get(name, ())])
            for key, cell in _cells(row.numbers, touched, settings).items():
                # A value that reads the same is the same: a running clock would otherwise touch every seat with every answer.
                if cell.text != line.cells[key].text or cell.level != line.cells[key].level:
                    new[key] = cell
            fresh = Line(row.code, {**line.cells, **new} if new else line.cells, row.state, row.state_since, wait_since)
            if new or fresh[2:] != line[2:]:
                line = fresh
        self._kept[row.code] = _Kept(row, keys, settings, line)
        return line


def _labels(row: SeatRow) -> dict[str, Cell]:
    return {
        "agent": Cell(row.name, _alphabetical(row.name)),
        "team": Cell(row.team, _alphabetical(row.team) if row.team else None),
    }  # fmt: skip


def _sums(rows: Iterable[SeatRow], keys: Iterable[str]) -> Counts:
    """The numbers of some rows together, as far as these metrics are made of them."""
    names = {name for key in keys for name in _names(METRICS[key])} | {IMPORTED_DAYS, "customer_messages"}
    return total({name: row.numbers[name] for name in names & row.numbers.keys()} for row in rows)


def holds(reading: Reading, text: str) -> bool:
    """Whether a run of characters can be typed as `text`, each as itself, its pinyin or the beginning of it."""
    options, end = reading.options, len(text)

    def fits(character: int, at: int) -> bool:
        if at == end:
            return True
        if character == len(options):
            return False
        return any(
            fits(character + 1, at + length)
            for option in options[character]
            for length in range(1, len(option) + 1)
            if text.startswith(option[:length], at)
        )

    return any(fits(start, 0) for start in range(len(options)))


def _alphabetical(text: str) -> str:
    """A sort key: Latin first, then Chinese by pinyin, which is how this encoding numbers the common characters."""
    return text.lower().encode("gb18030", "replace").hex()


def _wait_since(numbers: Mapping[str, int], at: int) -> int | None:
    waits = numbers.get("longest_wait_ms") if numbers.get("waiting") else None
    return None if waits is None else at - waits


def _cells(numbers: Numbers, keys: Iterable[str], settings: Effective) -> dict[str, Cell]:
    found = {}
    for key in keys:
        metric = settings.metrics[key]
        value = None if key == "longest_wait" else metric.value(numbers, settings.window, pending=True)
        found[key] = _cell(key, value, metric.warn, metric.alarm)
    return found


@lru_cache(maxsize=8_000)
def _cell(key: str, value: float | int | None, warn: float | None, alarm: float | None) -> Cell:
    metric = replace(METRICS[key], warn=warn, alarm=alarm)
    return Cell(metric.text(value), value, metric.level(value))


def _names(metric: Metric) -> Iterable[str]:
    """The numbers a metric is made of."""
    for window in WINDOWS:
        yield from (*metric.fields(window), *metric.gaps(window))
    if metric.key in PENDING_RULE:
        yield "pending"
    if metric.percentile is not None:
        yield from FIRST_REPLY_BINS


_UNKNOWN = {key: Cell(METRICS[key].text(None)) for key in METRIC_KEYS}
_AFFECTED: dict[str, list[str]] = {}
for _key in METRIC_KEYS:
    for _name in _names(METRICS[_key]):
        _AFFECTED.setdefault(_name, []).append(_key)
