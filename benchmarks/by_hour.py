"""Reports cut by the time of the day, as the history pages ask for them: from the question to its values.

The store has all five-minute counters and histograms of its ten million sessions, and what the recorder sums from them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.domain.localtime import day_date
from app.domain.permissions import local_owner
from app.services.questions import Question
from app.services.workspace import StoreInfo, Workspace
from benchmarks.harness import Result
from benchmarks.history import FIRST_DAY, FULL, QUICK, filled
from benchmarks.stores import TITLES, fresh

_QUESTIONS = (
    ("技能组半小时", Question("group_halfhours")),
    ("技能组按时段", Question("group_hours")),
    ("the store by hour, with P90", Question("store", by="hour")),
    ("the store by half hour, assessed", Question("store_assessed", by="halfhour")),
    ("one agent by hour, with P90", Question("agent", by="hour", agent="a0007")),
    ("one agent by half hour", Question("agent_workload", by="halfhour", agent="a0007")),
    ("groups, assessed, with P90", Question("groups", population="assessed")),
)
_REPEATS = 5


def run(quick: bool = False) -> list[Result]:
    size = QUICK if quick else FULL
    first, last = day_date(FIRST_DAY), day_date(FIRST_DAY + size.days - 1)
    found: list[Result] = []
    for kind, title in TITLES.items():
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder, filled(fresh(kind, Path(folder)), size) as store:
            workspace = Workspace(store.database, local_owner())
            info = workspace.stores()[0]
            asked: list[tuple[str, Callable[[], object]]] = [
                (what, partial(_values, workspace, info, replace(question, first=first, last=last))) for what, question in _QUESTIONS
            ]
            asked.append(("the heat map", partial(workspace.reports.heat, info, Question("store_overall", first, last), "consults")))
            for what, ask in asked:
                took = [_timed(ask) for _ in range(_REPEATS)]
                seconds = statistics.median(took)
                said = f"{title}, {size.agents} agents × {size.days} days: {what}"
                ours = f"{seconds * 1000:.0f} ms (longest {max(took) * 1000:.0f})"
                found.append(Result("by_hour", said, ours, "", seconds, f"{seconds:.2f} s", 1, 0.2))
    return found


def _values(workspace: Workspace, store: StoreInfo, question: Question) -> None:
    report = workspace.reports.ask(store, question)
    assert [report.values(row.numbers) for row in report.rows]


def _timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began
