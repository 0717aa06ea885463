"""Importing exported reports: looked at first, then written whole or not at all, and taken back on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from app.domain.counters import Counts, Window
from app.domain.imported import Line, gaps, sales_of
from app.domain.language import T
from app.domain.localtime import LocalTime, day_date, day_number
from app.domain.metrics import METRICS
from app.domain.settings import ORDER_WINDOW
from app.services.import_words import lost_of, refusal
from app.sources import jd_export
from app.sources.jd_export import FIELDS, Export, Problem, Record, UnreadableError
from app.storage import imported, revisions
from app.storage.faults import FaultError
from app.storage.imported import Import, OrderLine, Plan, Spoken, Step, Written

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

__all__ = ["Check", "Import", "ImportService", "Imported", "Preview", "Problem"]

_CANCELLED = ("取消", "删除", "cancel", "delet")
_SCALE = {"h": 3_600_000, "min": 60_000, "s": 1_000, "yuan": 100}
_ESTIMATES = frozenset({"avg_reply", "session_minutes", "resolution", "replies_per_session"})
"""Their weights are not in the files, so a pooled value need not agree with the file's own."""

_NO_FIGURES = Problem(
    0, "", T("文件里没有可以计入的数据。请检查导出的内容。", "The file has no figures that count. Check what was exported.")
)


@dataclass(frozen=True, slots=True)
class Check:
    """A figure of the file's own summary row against what its rows come to, in the metric's unit. day: None for all of them."""

    key: str
    row: int
    day: date | None
    theirs: float
    ours: float | None

    @property
    def agrees(self) -> bool:
        if self.ours is None:
            return False
        apart = abs(self.ours - self.theirs)
        match FIELDS[self.key].kind:
            case "rate":
                return apart <= 0.001 + 1e-9
            case "count":
                return apart == 0
            case _:
                return apart <= max(0.051, 0.005 * abs(self.theirs))

    @property
    def is_estimate(self) -> bool:
        return self.key in _ESTIMATES


@dataclass(frozen=True, slots=True)
class Skipped:
    agent: str
    day: str
    what: str
    """"all", or "presence" where only the times of login and serving were left out."""


@dataclass(slots=True)
class Preview:
    """What importing a file would do. `problems` with `fatal` stand in its way; the rest is told and left to the person."""

    path: Path
    store: StoreInfo
    export: Export
    window: Window
    corrected: dict[str, str]
    problems: list[Problem]
    days: list[Spoken]
    lines: list[OrderLine]
    plan: Plan
    checks: list[Check] = field(default_factory=list)

    @property
    def blocked(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.fatal]

    @property
    def agents(self) -> list[str]:
        return list(dict.fromkeys(spoken.agent for spoken in self.days))

    @property
    def period(self) -> tuple[date, date] | None:
        days = [spoken.day for spoken in self.days]
        return (day_date(min(days)), day_date(max(days))) if days else None

    @property
    def skipped(self) -> list[Skipped]:
        """What is left as recorded unless mixing is asked for."""
        return _skipped(self.plan)

    @property
    def one_window(self) -> bool:
        """Whether the file has sales of one order window only, so that the others stay empty."""
        return self.export.kind == "days" and any(name.endswith(f"_{self.window}") for spoken in self.days for name in spoken.counts)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; kept with it. changed: days of agents whose numbers are others now; window: "" when there are no sales of one."""

    id: int
    file: str
    kind: str
    sheet: str
    first: str
    last: str
    agents: int
    days: int
    lines: int
    created: list[str]
    skipped: list[Skipped]
    replaced: int
    changed: int
    window: str
    duplicates: int
    summary_rows: int
    differing: list[str]
    """Metrics of the file's own summary row that its rows do not come to."""
    lost: dict[str, Any]
    """As import_words.lost_of."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class ImportService:
    """Every call blocks and asks for the permission to write data.

    Raises FaultError where a person can act: a file that cannot be read, one with problems, a cancelled run (kind "cancelled").
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def preview(
        self, path: Path, store: StoreInfo, date: date | None = None, mapping: Mapping[str, str] | None = None, sheet: str | None = None,
        window: Window | None = None,
    ) -> Preview:  # fmt: skip
        """Reads the file and says what importing it would do; writes nothing.

        date: the day, where the file does not say it. mapping: corrected meanings of columns, header → key of FIELDS or "" to leave it
        out; they are remembered when the file is imported. window: the order window that the file's sales were counted under; the store's
        when not given.
        """
        self._workspace.actor.require("data.ingest")
        corrected = {jd_export.normal(header): key for header, key in (mapping or {}).items()}
        export = _read(path, {**imported.remembered(self._database, store.id), **corrected}, sheet, date)
        chosen = window or self.window(store)
        local = LocalTime(store.zone)
        problems = [*export.problems, *_not_yet(export, day_date(local.day(self._workspace.now(store))))]
        if export.kind == "orders":
            days, lines = _orders(export, local)
            checks: list[Check] = []
        else:
            days, lines = _days(export, chosen, problems), []
            checks = _checks(export, days, chosen)
        plan = imported.examine(self._database, store.id, days, bool(lines))
        problems += _unclear(export, plan)
        problems.sort(key=lambda problem: (not problem.fatal, problem.row))
        return Preview(path, store, export, chosen, corrected, problems, days, lines, plan, checks)

    def check(self, path: Path, date: date | None = None, mapping: Mapping[str, str] | None = None, sheet: str | None = None) -> None:
        """Refuses a file that could not be imported into any store."""
        export = _read(path, mapping or {}, sheet, date)
        problems = [*export.problems, *_not_yet(export, datetime.now(UTC).date())]
        nothing = not (_days(export, "24h", problems) if export.kind == "days" else export.records)
        problems.sort(key=lambda problem: (not problem.fatal, problem.row))
        _refuse(problems, nothing)

    def window(self, store: StoreInfo) -> Window:
        """The store's order window."""
        with self._database.read() as connection:
            found: Window = revisions.current(connection, store.id, ORDER_WINDOW).body["window"]
            return found

    def run(self, preview: Preview, mix: bool = False, tell: Step | None = None, stop: Event | None = None) -> Imported:
        """Writes what was previewed, in one transaction. mix: also onto days that have real sessions. tell(done, total) is called now and
        then; setting `stop` takes everything back."""
        self._workspace.actor.require("data.ingest")
        _refuse(preview.problems, not preview.days)

        def step(done: int, total: int) -> None:
            if stop is not None and stop.is_set():
                raise FaultError("cancelled", T("已取消，没有写入任何内容。", "Cancelled; nothing was written."))
            if tell is not None:
                tell(done, total)

        def summary(written: Written) -> Mapping[str, Any]:
            return _summary(preview, written).as_dict()

        written = imported.write(
            self._database, preview.store.id, self._workspace.actor.name, preview.path.name, preview.days, preview.lines, mix,
            preview.corrected, summary, step,
        )  # fmt: skip
        return _summary(preview, written)

    def undo(self, store: StoreInfo, import_id: int) -> int:
        """Takes an import back; answers how many days of agents have other numbers now. What held before it holds again."""
        self._workspace.actor.require("data.ingest")
        return imported.undo(self._database, store.id, import_id)

    def history(self, store: StoreInfo) -> list[Import]:
        """All imports of the store, the newest first."""
        self._workspace.actor.require("data.ingest")
        return imported.history(self._database, store.id)


def _refuse(problems: Sequence[Problem], nothing: bool) -> None:
    """Raises FaultError where a problem stands in the way, or where all was left out for the first of them. problems: fatal ones first."""
    blocked = [problem for problem in problems if problem.fatal]
    if blocked or nothing:
        raise FaultError("refused", refusal(blocked or problems[:1] or [_NO_FIGURES]))


def _read(path: Path, mapping: Mapping[str, str], sheet: str | None, given: date | None) -> Export:
    try:
        return jd_export.read(path, mapping, sheet, given)
    except UnreadableError as error:
        raise FaultError("refused", error.sentence) from error
    except OSError as error:
        raise FaultError("refused", T(f"无法读取 {path}：{error.strerror}", f"Cannot read {path}: {error.strerror}")) from error


def _not_yet(export: Export, today: date) -> list[Problem]:
    """Days that have not come; tomorrow's may have, where the clock is behind."""
    latest = today + timedelta(days=1)
    of_file = export.dated_by != "column"
    found: list[Problem] = []
    for record in export.records:
        of_order: dict[str, date] = {key: record.values[key].date() for key in ("opened_at", "placed_at") if key in record.values}
        days: dict[str, date] = of_order if export.kind == "orders" else {"date": record.day}
        late = next((key for key, day in days.items() if day > latest), None)
        if late is None:
            continue
        column = export.column(late)
        sentence = T(f"{days[late]} 还没有到。请更正日期。", f"{days[late]} has not come yet. Correct the date.")
        found.append(Problem(0 if of_file else record.row, column.header if column is not None else "", sentence))
        if of_file or len(found) >= jd_export.MOST_PROBLEMS:
            break
    return found


def _unclear(export: Export, plan: Plan) -> list[Problem]:
    """Names that several agents have, each where it stands first."""
    column = export.column("agent")
    rows: dict[str, int] = {}
    for record in export.records:
        rows.setdefault(record.agent, record.row)
    header = column.header if column is not None else ""
    return [Problem(rows[name], header, imported.unclear(name, codes)) for name, codes in plan.unclear.items()]


def _days(export: Export, window: Window, problems: list[Problem]) -> list[Spoken]:
    found: dict[tuple[str, int], Spoken] = {}
    rows: dict[tuple[str, int], int] = {}
    told: set[tuple[str, T]] = set()
    for record in export.records:
        counts = jd_export.counts(record.values, window, _teller(export, record, problems, told))
        where = (record.agent, day_number(record.day))
        known = found.get(where)
        if known is None:
            found[where] = Spoken(record.agent, record.name, where[1], counts)
            rows[where] = record.row
            continue
        problems.append(
            Problem(
                record.row, "",
                T(f"{record.agent} 这一天在第 {rows[where]} 行已有数据，两行相加。",
                  f"Row {rows[where]} has this day of {record.agent} as well: both are added up."), False,
            )
        )  # fmt: skip
        for name, value in counts.items():
            known.counts[name] = known.counts.get(name, 0) + value
    return [spoken for spoken in found.values() if spoken.counts]


def _teller(export: Export, record: Record, problems: list[Problem], told: set[tuple[str, T]]) -> jd_export.counting.Tell:
    def tell(key: str, sentence: T, fatal: bool) -> None:
        column = export.column(key)
        header = column.header if column is not None else str(FIELDS[key].label)
        if not fatal and (key, sentence) in told:  # said once for the column, not for each row
            return
        told.add((key, sentence))
        problems.append(Problem(record.row, header, sentence, fatal))

    return tell


def _orders(export: Export, local: LocalTime) -> tuple[list[Spoken], list[OrderLine]]:
    agents: dict[str, int] = {}
    names: dict[int, str] = {}
    lines: list[OrderLine] = []
    for record in export.records:
        said = record.values
        agent = agents.setdefault(record.agent, len(agents))
        names[agent] = record.name
        opened, placed = (round(said[key].replace(tzinfo=local.zone).timestamp() * 1000) for key in ("opened_at", "placed_at"))
        cancelled = any(word in str(said.get("order_status", "")).lower() for word in _CANCELLED)
        line = Line(
            opened, placed, said["price"] * said["quantity"], said["quantity"], agent, cancelled, said["order"], said.get("sku", ""),
            said.get("customer", ""),
        )  # fmt: skip
        lines.append(OrderLine(record.agent, line, said.get("sku_name", "")))
    texts = list(agents)
    sold = sales_of((line.line for line in lines), local)
    return [Spoken(texts[agent], names[agent], day, counts) for (agent, day), counts in sold.items()], lines


def _checks(export: Export, days: Sequence[Spoken], window: Window) -> list[Check]:
    found = []
    for totals in export.totals:
        summed: Counts = {}
        for spoken in days:
            if totals.day is None or spoken.day == day_number(totals.day):
                for name, value in {**spoken.counts, **gaps(spoken.counts)}.items():
                    summed[name] = summed.get(name, 0) + value
        for key, theirs in totals.values.items():
            ours = METRICS[key].value(summed, window)
            found.append(Check(key, totals.row, totals.day, theirs / _SCALE.get(FIELDS[key].kind, 1), ours))
    return found


def _summary(preview: Preview, written: Written) -> Imported:
    period = preview.period
    assert period is not None
    return Imported(
        written.id, preview.path.name, preview.export.kind, preview.export.sheet, period[0].isoformat(), period[1].isoformat(),
        len(preview.agents), written.days, written.lines, written.plan.new, _skipped(written.plan), written.plan.replaced, written.changed,
        preview.window if preview.one_window else "", preview.export.duplicates, preview.export.summary_rows,
        [check.key for check in preview.checks if not check.agrees and not check.is_estimate], lost_of(written.plan),
    )  # fmt: skip


def _skipped(plan: Plan) -> list[Skipped]:
    return [Skipped(skip.agent, day_date(skip.day).isoformat(), "presence" if skip.presence else "all") for skip in plan.skips]
