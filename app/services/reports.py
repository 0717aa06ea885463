"""The report engine: a report is rows × metrics × filters × period, and all of them are declared here.

Every figure is taken after summing counters, so the same question has the same answer in a tile, a table, a chart, an export
and on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, select

from app.domain.counters import Counts, Window
from app.domain.events import EARLIEST, LATEST
from app.domain.language import T, tr
from app.domain.localtime import DAY_MS, LocalTime, day_date, day_number
from app.domain.metrics import HISTORY_METRICS, METRICS, mean_values, total, values
from app.storage import schema
from app.storage.faults import FaultError
from app.storage.queries import Slice, sums

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

By = Literal["day", "week", "month", "hour", "halfhour"]
Population = Literal["overall", "assessed"]
Value = float | int | None

ASSESSED_SLOTS = (9 * 12, 23 * 12)
"""Sessions started 09:00 to 23:00 store time are assessed; spam and bot-only ones are not."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Days are inclusive and in the store's zone; None means yesterday (for the live reports: today)."""

    report: str
    first: date | None = None
    last: date | None = None
    agent: str | None = None
    group: str | None = None
    by: By | None = None
    population: Population = "overall"
    window: Window = "24h"
    at: int | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, what people call it, its summed counters, and what is said beside the metrics (`state` …)."""

    key: str
    label: str
    numbers: Counts
    extra: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer: `values(row)` are unrounded, as the command line's JSON gives them (events contract, section 2)."""

    question: Question
    title: T
    first: date
    last: date
    rows: list[Row]
    keys: tuple[str, ...]
    whole: Counts

    @property
    def live(self) -> bool:
        return REPORTS[self.question.report].live

    def values(self, numbers: Counts) -> dict[str, Value]:
        return values(numbers, self.keys, self.question.window, self.live)

    def total(self) -> dict[str, Value]:
        return self.values(self.whole)

    def mean(self) -> dict[str, Value]:
        return mean_values((row.numbers for row in self.rows), self.keys, self.question.window, self.live)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": [{"key": row.key, **row.extra, "values": self.values(row.numbers)} for row in self.rows],
            "total": self.total(),
            "mean": self.mean(),
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared report. `by`: how its rows can be cut; the first is the default, () means that rows are not periods."""

    title: T
    by: tuple[By, ...] = ()
    live: bool = False
    keys: tuple[str, ...] = ()
    needs_agent: bool = False


SEAT_KEYS = tuple(key for key in METRICS if key != "active" and not key.startswith(("seats_", "visitors_", "connect_")))
"""What makes sense of one seat: no counts of seats, nothing of visitors, whom no agent has yet."""

_PERIODS: tuple[By, ...] = ("day", "week", "month", "hour", "halfhour")
REPORTS: dict[str, Kind] = {
    "live": Kind(T("全局监控", "Store overview"), live=True, keys=tuple(METRICS)),
    "seats": Kind(T("坐席监控", "Seats"), live=True, keys=("active", *SEAT_KEYS)),
    "store": Kind(T("服务商经营数据", "Store"), _PERIODS, keys=HISTORY_METRICS),
    "compare": Kind(T("客服数据对比", "Compare agents"), keys=HISTORY_METRICS),
    "agent": Kind(T("客服个人工作数据", "One agent"), _PERIODS, keys=HISTORY_METRICS, needs_agent=True),
    "groups": Kind(T("咨询组数据", "Groups"), keys=HISTORY_METRICS),
}


@dataclass(slots=True)
class Asked:
    """A question with its names looked up."""

    question: Question
    store: StoreInfo
    local: LocalTime
    at: int
    first: int
    last: int
    agent: int | None
    group: int | None
    agents: dict[int, tuple[str, str]]
    groups: dict[int, tuple[str, str]]

    @property
    def slice(self) -> Slice:
        assessed = self.question.population == "assessed"
        return Slice(
            self.store.id, self.first, self.last, self.agent, self.group, ASSESSED_SLOTS if assessed else None, (0,) if assessed else None
        )


@dataclass(slots=True)
class ReportService:
    workspace: Workspace

    def ask(self, store: StoreInfo, question: Question) -> Report:
        """Answers a report of REPORTS.

        Raises FaultError for a question that makes no sense (unknown agent, group or metric, wrong `by`, days reversed or out of reach).
        """
        kind = REPORTS[question.report]
        self.workspace.actor.require("live.view" if kind.live else "history.view")
        keys = question.metrics or kind.keys
        for key in keys:
            check_metric(key)
            if not kind.live and METRICS[key].live:
                raise FaultError(
                    "refused",
                    tr(
                        f"{key} 只有实时数据，不能用于报表 {question.report}",
                        f"{key} is known of this moment only, not in report {question.report}",
                    ),
                )
        check_times(question)
        if question.by is not None and question.by not in kind.by:
            raise FaultError(
                "refused", tr(f"报表 {question.report} 不能按 {question.by} 分", f"Report {question.report} has no --by {question.by}")
            )
        if kind.needs_agent and question.agent is None:
            raise FaultError("refused", tr("请用 --agent 指定客服", "Say which agent with --agent"))
        if kind.live:
            return self._live(store, question, keys)
        histograms = any(METRICS[key].percentile is not None for key in keys)
        with self.workspace.database.read() as connection:
            asked = self.look_up(connection, store, question)
            if question.report == "compare":
                rows = self._by_name(connection, asked, "agent_id", asked.agents, histograms)
            elif question.report == "groups":
                rows = self._by_name(connection, asked, "group_id", asked.groups, histograms)
            else:
                rows = self._by_period(connection, asked, question.by or kind.by[0], histograms)
        return Report(question, kind.title, day_date(asked.first), day_date(asked.last), rows, tuple(keys), total(r.numbers for r in rows))

    # -- inside --

    def _live(self, store: StoreInfo, question: Question, keys: Sequence[str]) -> Report:
        at = self.workspace.now(store) if question.at is None else question.at
        local = LocalTime(store.zone)
        with self.workspace.database.read() as connection:
            group = _id(connection, schema.skill_groups, store.id, question.group, T("咨询组", "group"))
            _id(connection, schema.agents, store.id, question.agent, T("客服", "agent"))
        seats = self.workspace.live.seats(store, group, at)
        today = day_date(local.day(at))
        kind = REPORTS[question.report]
        if question.report == "live":
            rows = [Row(store.code, store.name, seats.numbers, {})]
        else:
            rows = [
                Row(
                    seat.code, seat.name, seat.numbers,
                    {"state": seat.state, "state_since": iso(local, seat.state_since), "name": seat.name, "team": seat.team},
                )
                for seat in seats.rows
                if question.agent in (None, seat.code)
            ]  # fmt: skip
        return Report(
            question,
            kind.title,
            today,
            today,
            rows,
            tuple(keys),
            seats.numbers if question.agent is None else total(r.numbers for r in rows),
        )

    def look_up(self, connection: Connection, store: StoreInfo, question: Question) -> Asked:
        local = LocalTime(store.zone)
        at = self.workspace.now(store) if question.at is None else question.at
        yesterday = local.day(at) - 1
        first = yesterday if question.first is None else day_number(question.first)
        last = (yesterday if question.first is None else max(first, yesterday)) if question.last is None else day_number(question.last)
        if question.first is None and question.last is not None:
            first = last
        if first > last:
            raise FaultError("refused", tr("开始日期晚于结束日期", "The first day is after the last"))
        if last - first > 3700:
            raise FaultError("refused", tr("时间范围不能超过十年", "A period cannot be longer than ten years"))
        a, g = schema.agents.c, schema.skill_groups.c
        agents = {r.id: (r.code, r.name or r.code) for r in connection.execute(select(a.id, a.code, a.name).where(a.store_id == store.id))}
        groups = {r.id: (r.code, r.name or r.code) for r in connection.execute(select(g.id, g.code, g.name).where(g.store_id == store.id))}
        agent = _find(agents, question.agent, T("客服", "agent"))
        group = _find(groups, question.group, T("咨询组", "group"))
        return Asked(question, store, local, at, first, last, agent, group, agents, groups)

    def _by_name(
        self,
        connection: Connection,
        asked: Asked,
        dimension: Literal["agent_id", "group_id"],
        names: dict[int, tuple[str, str]],
        histograms: bool,
    ) -> list[Row]:
        found = sums(connection, asked.slice, (dimension,), histograms)
        rows = [Row(names[id][0], names[id][1], counts, {"name": names[id][1]}) for id, counts in found.items() if id in names]
        return sorted(rows, key=lambda row: row.key)

    def _by_period(self, connection: Connection, asked: Asked, by: By, histograms: bool) -> list[Row]:
        dimension: Literal["day", "slot"] = "slot" if by in ("hour", "halfhour") else "day"
        found = sums(connection, asked.slice, (dimension,), histograms)
        label = _LABELS[by]
        periods = range(288) if dimension == "slot" else range(asked.first, asked.last + 1)
        gathered: dict[str, list[Counts]] = {}
        for period in periods:
            gathered.setdefault(label(period), []).append(found.get(period, {}))
        return [Row(key, key, total(parts), {}) for key, parts in gathered.items()]


def check_metric(key: str) -> None:
    if key not in METRICS:
        raise FaultError("refused", tr(f"没有这个指标：{key}", f"There is no metric {key}"))


def check_times(question: Question) -> None:
    """Times that no event can have are a slip of the pen."""
    moments = [] if question.at is None else [question.at]
    moments += [day_number(day) * DAY_MS for day in (question.first, question.last) if day is not None]
    if not all(EARLIEST <= moment < LATEST for moment in moments):
        raise FaultError("refused", tr("日期和时间须在2000年至2099年之间", "Days and times lie in the years 2000 to 2099"))


def _week(day: int) -> str:
    year, week, _ = day_date(day).isocalendar()
    return f"{year}-W{week:02}"


_LABELS: dict[By, Callable[[int], str]] = {
    "day": lambda day: day_date(day).isoformat(),
    "week": _week,
    "month": lambda day: day_date(day).isoformat()[:7],
    "hour": lambda slot: f"{slot // 12:02}:00",
    "halfhour": lambda slot: f"{slot // 12:02}:{slot // 6 % 2 * 30:02}",
}


def _find(names: dict[int, tuple[str, str]], code: str | None, what: T) -> int | None:
    if code is None:
        return None
    for id, (known, _) in names.items():
        if known == code:
            return id
    raise FaultError("refused", tr(f"没有这个{what.zh}：{code}", f"There is no {what.en} {code}"))


def _id(connection: Connection, table: Any, store: int, code: str | None, what: T) -> int | None:
    if code is None:
        return None
    found = connection.execute(select(table.c.id).where(table.c.store_id == store, table.c.code == code)).scalar()
    if found is None:
        raise FaultError("refused", tr(f"没有这个{what.zh}：{code}", f"There is no {what.en} {code}"))
    return int(found)


def iso(local: LocalTime, at: int | None) -> str | None:
    return None if at is None else local.local(at).isoformat(timespec="milliseconds")
