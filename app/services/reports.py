"""The report engine: a report is rows × metrics × filters × period, declared in report_kinds.py and answered here.

Every figure is taken after summing counters, so the same question has the same answer in a tile, a table, a chart, an export
and on the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.domain.counters import Counts, Window
from app.domain.language import T
from app.domain.localtime import LocalTime, day_date
from app.domain.metrics import Part, is_known_by, label_on, mean_values, total, values
from app.services import report_charts
from app.services.questions import Asked as Asked
from app.services.questions import Question as Question
from app.services.questions import check, look_up, settled
from app.services.questions import check_metric as check_metric
from app.services.questions import check_times as check_times
from app.services.questions import iso as iso
from app.services.report_charts import Band as Band
from app.services.report_kinds import REPORTS as REPORTS
from app.services.report_kinds import By as By
from app.services.report_kinds import Kind as Kind
from app.services.report_kinds import Population as Population
from app.services.report_rows import Place, notes_of, parts_of, rows_of
from app.services.report_rows import Row as Row

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

Value = float | int | None


@dataclass(frozen=True, slots=True)
class Report:
    """The answer: `values(row)` are unrounded, as the command line's JSON gives them (events contract, section 2).

    `question` is the one asked with the window and population that hold. `notes` are sentences one should know to read the figures.
    """

    question: Question
    title: T
    first: date
    last: date
    rows: list[Row]
    keys: tuple[str, ...]
    whole: Counts
    zone: str
    parts: frozenset[Part] = frozenset()
    """What the figures are told apart by: a metric that is not known by it has no value."""
    notes: list[T] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)
    """What people call the agents and the group that were asked for, by code."""

    @property
    def kind(self) -> Kind:
        return REPORTS[self.question.report]

    @property
    def live(self) -> bool:
        return self.kind.live

    @property
    def by(self) -> By | None:
        """What its rows are cut by."""
        return self.question.by or (self.kind.by[0] if self.kind.by else None)

    @property
    def window(self) -> Window:
        return self.question.window or "24h"

    def label(self, key: str) -> T:
        """What a metric is called in this report."""
        return label_on(self.question.report, key)

    def values(self, numbers: Counts) -> dict[str, Value]:
        return self._known(values(numbers, self.keys, self.window, self.live))

    def total(self) -> dict[str, Value]:
        return self.values(self.whole)

    def mean(self) -> dict[str, Value]:
        return self._known(mean_values((row.numbers for row in self.rows), self.keys, self.window, self.live))

    def _known(self, found: dict[str, Value]) -> dict[str, Value]:
        return {key: value if is_known_by(key, self.parts) else None for key, value in found.items()}

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": [{"key": row.key, **self._extra(row), "values": self.values(row.numbers)} for row in self.rows],
            "total": self.total(),
            "mean": self.mean(),
            "notes": [str(note) for note in self.notes],
        }

    def _extra(self, row: Row) -> dict[str, Any]:
        if not self.kind.timeline:
            return row.extra
        local = LocalTime(self.zone)
        found = {**row.extra, "first_login": iso(local, row.extra["first_login"]), "last_logout": iso(local, row.extra["last_logout"])}
        found["stays"] = [
            {"state": stay.state, "from": iso(local, stay.start), "to": None if stay.running else iso(local, stay.end)}
            for stay in row.extra["stays"]
        ]
        return found


@dataclass(slots=True)
class ReportService:
    workspace: Workspace

    def ask(self, store: StoreInfo, question: Question) -> Report:
        """Answers a report of REPORTS.

        Raises FaultError for a question that makes no sense (unknown agent, group or metric, wrong `by`, days reversed or out of reach,
        a filter this report does not have).
        """
        kind = REPORTS[question.report]
        self.workspace.actor.require("live.view" if kind.live else "history.view")
        keys = question.metrics or kind.keys
        check(kind, question, keys)
        if kind.live:
            return self._live(store, question, keys)
        by = question.by or (kind.by[0] if kind.by else None)
        with self.workspace.database.read() as connection:
            asked = self.look_up(connection, store, settled(kind, question))
            rows = rows_of(connection, asked, kind, by, keys)
            notes = notes_of(connection, asked, kind, by, keys, rows)
        first, last = day_date(asked.first), day_date(asked.last)
        whole = total(row.numbers for row in rows)
        return Report(
            asked.question, kind.title, first, last, rows, tuple(keys), whole, store.zone, parts_of(asked, kind), notes, asked.names
        )  # fmt: skip

    def team_band(self, store: StoreInfo, question: Question, metric: str) -> dict[str, Band]:
        """{period: median and quartiles of `metric` over the team's agents}, what one agent's trend is seen against.

        The team is the one asked for, else that of the agent asked for, else (or with nobody else in it) everyone of the store.
        """
        with self._asked(store, question, metric) as (connection, asked):
            kind = REPORTS[question.report]
            return report_charts.team_band(connection, asked, metric, question.by or (kind.by[0] if kind.by else "day"))

    def heat(self, store: StoreInfo, question: Question, metric: str) -> list[list[Value]]:
        """7 × 24 values, Monday first, by hour of the session's start: counts per day of that weekday, rates pooled."""
        with self._asked(store, question, metric) as (connection, asked):
            return report_charts.heat(connection, asked, metric, REPORTS[question.report].of_groups)

    def conversion_funnel(self, store: StoreInfo, question: Question) -> dict[str, Value]:
        """{metric: value} of report_charts.FUNNEL, from consultation to order."""
        with self._asked(store, question, *report_charts.FUNNEL) as (connection, asked):
            return report_charts.conversion_funnel(connection, asked)

    # -- inside --

    @contextmanager
    def _asked(self, store: StoreInfo, question: Question, *keys: str) -> Iterator[tuple[Connection, Asked]]:
        self.workspace.actor.require("history.view")
        kind = REPORTS[question.report]
        check(kind, question, keys)
        with self.workspace.database.read() as connection:
            yield connection, self.look_up(connection, store, settled(kind, question))

    def _live(self, store: StoreInfo, question: Question, keys: Sequence[str]) -> Report:
        with self.workspace.database.read() as connection:
            asked = self.look_up(connection, store, question)
        seats = self.workspace.live.seats(store, asked.group, asked.at)
        today = day_date(asked.local.day(asked.at))
        kind = REPORTS[question.report]
        whole = seats.numbers
        if kind.rows == "store":
            rows = [Row(store.code, store.name, seats.numbers, {})]
        else:
            chosen = {code for id, (code, _) in asked.agents.items() if asked.has(id)}
            rows = [
                Row(
                    seat.code, seat.name, seat.numbers,
                    {"state": seat.state, "state_since": iso(asked.local, seat.state_since), "name": seat.name, "team": seat.team},
                    Place(agent=seat.code),
                )
                for seat in seats.rows
                if seat.code in chosen
            ]  # fmt: skip
            if asked.agent is not None or asked.chosen is not None:
                whole = total(row.numbers for row in rows)
        return Report(asked.question, kind.title, today, today, rows, tuple(keys), whole, store.zone, names=asked.names)

    def look_up(self, connection: Connection, store: StoreInfo, question: Question) -> Asked:
        """The question with its names, days, order window and assessed rule. Raises FaultError for what is not there."""
        return look_up(self.workspace, connection, store, question)
