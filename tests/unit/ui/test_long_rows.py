"""Reports of many thousand rows: kept as columns, put in order in pieces, let go of in pieces."""

from __future__ import annotations

import random
from datetime import date

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.domain.metrics import METRICS
from app.services.questions import Question
from app.services.report_kinds import REPORTS
from app.services.report_rows import Place, Row
from app.services.reports import Report
from app.services.rows import Rows
from ui.pages.history.leftovers import Leftovers
from ui.pages.history.picture import Sort, fitting, ordered

DAY = date(2020, 12, 14)
MANY = 5_000


def some_rows(count: int) -> list[Row]:
    rng = random.Random(3)
    found = []
    for number in range(count):
        code = f"a{number % 50:02}"
        counts = {"consults": rng.randrange(40), "received": rng.randrange(40)} if rng.random() < 0.9 else {}
        extra = {"agent": code, "name": f"客服{code}", "day": str(DAY)}
        found.append(Row(f"{number} {code}", extra["name"], counts, extra, Place(DAY, DAY, code)))
    return found


def test_rows_come_back_as_they_were_given() -> None:
    given = some_rows(60)
    rows = Rows([given[:25], given[25:]])
    assert list(rows) == given
    assert (rows[-1], rows[rows.at[given[7].key]]) == (given[-1], given[7])
    assert list(rows[3:9:2]) == given[3:9:2]
    assert rows.heads() == [row.head for row in given]
    assert rows.summary(("consults",), "24h").whole == rows[:].summary(("consults",), "24h").whole


@pytest.mark.parametrize("key", ["consults", "answer_rate", "name"])
@pytest.mark.parametrize("descending", [False, True])
def test_many_rows_are_in_order_and_equals_stay_as_they_were(key: str, descending: bool) -> None:
    given = some_rows(MANY)
    report = Report(
        question=Question("daily", DAY, DAY), title=REPORTS["daily"].title, first=DAY, last=DAY, keys=REPORTS["daily"].keys, zone="UTC",
        rows=Rows([given]), whole={},
    )  # fmt: skip

    def value(row: Row) -> float | str | None:
        return METRICS[key].value(row.numbers) if key in METRICS else str(row.extra[key])

    having = sorted((row for row in given if value(row) is not None), key=value, reverse=descending)  # type: ignore[arg-type]
    assert ordered(report, Sort(key, descending)) == [row.key for row in (*having, *(row for row in given if value(row) is None))]


def test_filtered_rows_are_all_those_of_whom_it_fits() -> None:
    given = some_rows(MANY)
    assert list(fitting(Rows([given]), "a07", {})) == [row for row in given if row.head == "a07"]


def test_rows_nobody_holds_are_let_go_of_in_pieces(qtbot: QtBot) -> None:
    owner = QObject()
    leftovers, rows = Leftovers(owner), Rows([some_rows(MANY)])
    leftovers.mind(rows)
    other, numbers = rows, rows.numbers
    del rows
    assert len(numbers) == MANY  # somebody still looks at them
    del other
    seen: list[int] = []
    leftovers._timer.timeout.connect(lambda: seen.append(len(numbers)))
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == 0)
    assert len({length for length in seen if 0 < length < MANY}) >= 2
