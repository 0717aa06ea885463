"""The report engine: a report is rows × metrics × filters × period, declared in report_kinds.py and answered here.

Every figure is taken after summing counters, so the same question has the same answer in a tile, a table, a chart, an export
and on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.domain.counters import Counts
from app.domain.language import T
from app.domain.localtime import day_date
from app.domain.metrics import Value as Value
from app.domain.metrics import mean_values, total
from app.services import report_charts
from app.services.questions import Asked as Asked
from app.services.questions import Question as Question
from app.services.questions import check, look_up, settled
from app.services.questions import check_metric as check_metric
from app.services.questions import check_times as check_times
from app.services.questions import iso as iso
from app.services.report_answer import Answered as Answered
from app.services.report_answer import LongReport as LongReport
from app.services.report_answer import Reading
from app.services.report_charts import Band as Band
from app.services.report_kinds import REPORTS as REPORTS
from app.services.report_kinds import By as By
from app.services.report_kinds import Kind as Kind
from app.services.report_kinds import Population as Population
from app.services.report_rows import Place, is_long, notes_of, parts_of, read_rows
from app.services.report_rows import Row as Row
from app.services.rows import Rows

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Answered):
    """The answer with all its rows. `notes` are sentences one should know to read the figures."""

    rows: Rows
    whole: Counts
    notes: list[T] = field(default_factory=list)

    def total(self) -> dict[str, Value]:
        return self.values(self.whole)

    def mean(self) -> dict[str, Value]:
        if self.live:
            return self._known(mean_values(self.rows.numbers, self.keys, self.window, pending=True))
        return self._known(self.rows.summary(self.keys, self.window).mean())

    @contextmanager
    def reading(self, look: Callable[[], object]) -> Iterator[Reading]:
        yield self.held()

    def held(self) -> Reading:
        return Reading(self.total(), self.mean(), self.notes, len(self.rows), self.rows)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": [self.row_json(row) for row in self.rows],
            "total": self.total(),
            "mean": self.mean(),
            "notes": [str(note) for note in self.notes],
        }


@dataclass(slots=True)
class ReportService:
    workspace: Workspace

    def ask(self, store: StoreInfo, question: Question) -> Report:
        """Answers a report of REPORTS.

        Raises FaultError for a question that makes no sense (unknown agent, group or metric, wrong `by`, days reversed or out of reach,
        a filter this report does not have).
        """
        kind, keys = self._admit(question)
        if kind.live:
            return self._live(store, question, keys)
        with self.workspace.database.read() as connection:
            asked = self.look_up(connection, store, settled(kind, question))
            return self._held(connection, asked, kind, keys)

    def read(self, store: StoreInfo, question: Question) -> Report | LongReport:
        """As `ask`, for whoever needs each row once: with many rows they are read only when they are written. Raises as `ask`."""
        kind, keys = self._admit(question)
        if kind.live:
            return self._live(store, question, keys)
        with self.workspace.database.read() as connection:
            asked = self.look_up(connection, store, settled(kind, question))
            if not is_long(asked, kind, asked.question.by or (kind.by[0] if kind.by else None)):
                return self._held(connection, asked, kind, keys)
        return LongReport(**_beside(asked, kind, keys), asked=asked, snapshot=self.workspace.database.read)

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

    def conversion_funnel(
        self, store: StoreInfo, question: Question, whole: Counts | None = None, keys: Sequence[str] = report_charts.FUNNEL
    ) -> dict[str, Value]:
        """{metric: value} from consultation to order, of the same days at every step; see report_charts. whole: a report's, to draw it."""
        with self._asked(store, question, *keys) as (connection, asked):
            return report_charts.conversion_funnel(connection, asked, whole, keys)

    # -- inside --

    def _admit(self, question: Question) -> tuple[Kind, tuple[str, ...]]:
        """What is asked and for which metrics, where the person may ask it and it makes sense."""
        kind = REPORTS[question.report]
        self.workspace.actor.require("live.view" if kind.live else "history.view")
        keys = tuple(question.metrics or kind.keys)
        check(kind, question, keys)
        return kind, keys

    def _held(self, connection: Connection, asked: Asked, kind: Kind, keys: tuple[str, ...]) -> Report:
        by = asked.question.by or (kind.by[0] if kind.by else None)
        rows = Rows(read_rows(connection, asked, kind, by, keys))
        summary = rows.summary(keys, asked.window)
        notes = notes_of(connection, asked, kind, by, keys, summary)
        return Report(**_beside(asked, kind, keys), rows=rows, whole=summary.whole, notes=notes)

    @contextmanager
    def _asked(self, store: StoreInfo, question: Question, *keys: str) -> Iterator[tuple[Connection, Asked]]:
        self.workspace.actor.require("history.view")
        kind = REPORTS[question.report]
        check(kind, question, keys)
        with self.workspace.database.read() as connection:
            yield connection, self.look_up(connection, store, settled(kind, question))

    def _live(self, store: StoreInfo, question: Question, keys: tuple[str, ...]) -> Report:
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
        return Report(
            question=asked.question, title=kind.title, first=today, last=today, keys=keys, zone=store.zone, names=asked.names,
            rows=Rows([rows]), whole=whole,
        )  # fmt: skip

    def look_up(self, connection: Connection, store: StoreInfo, question: Question) -> Asked:
        """The question with its names, days, order window and assessed rule. Raises FaultError for what is not there."""
        return look_up(self.workspace, connection, store, question)


def _beside(asked: Asked, kind: Kind, keys: tuple[str, ...]) -> dict[str, Any]:
    """The fields of Answered."""
    return {
        "question": asked.question, "title": kind.title, "first": day_date(asked.first), "last": day_date(asked.last), "keys": keys,
        "zone": asked.store.zone, "parts": parts_of(asked, kind), "names": asked.names,
    }  # fmt: skip
