"""One question has one answer: on a tile, in a table, in every export and on the command line, for every report and metric."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from app.cli import run
from app.domain.events import decode
from app.domain.language import tr
from app.domain.localtime import LocalTime, day_date
from app.domain.metrics import METRICS, total
from app.domain.permissions import local_owner
from app.services.report_kinds import REPORTS
from app.services.reports import Question, Report
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from tests.databases import Fill
from tests.oracle.streams import random_stream

ZONE = "Asia/Shanghai"
AT = 1_709_092_800_000 + 3 * 86_400_000 + 43_140_000  # 23:59 of a day in the middle of the stream
LIVE_TWINS = ("seats_total", "seats_online", "active", "waiting", "consults", "received", "answer_rate", "reply_30s_rate", "satisfaction")


def filled(database: Database) -> None:
    store = open_store(database, "shop", ZONE)
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in random_stream(51, 120)])


@pytest.fixture
def content() -> Fill:
    return filled


@pytest.fixture
def shop(database: Database) -> tuple[Workspace, StoreInfo]:
    workspace = Workspace(database, local_owner())
    return workspace, workspace.store("shop")


def question_of(name: str, agent: str) -> Question:
    kind = REPORTS[name]
    if kind.live:
        return Question(name, at=AT)
    day = LocalTime(ZONE).day(AT)
    return Question(name, day_date(day - 2), day_date(day), agent=agent if kind.needs_agent else None, at=AT + 40 * 86_400_000)


def arguments(question: Question, url: str) -> list[str]:
    found = ["report", question.report, "--db", url, "--at", str(question.at)]
    for name, value in (("--from", question.first), ("--to", question.last), ("--agent", question.agent)):
        found += [] if value is None else [name, str(value)]
    return found


def as_read(values: dict[str, Any]) -> list[Any]:
    return [None if value is None else pytest.approx(value, rel=1e-12) for value in values.values()]


@pytest.mark.parametrize("name", list(REPORTS))
def test_a_report_is_the_same_wherever_it_is_read(
    shop: tuple[Workspace, StoreInfo], url: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, store = shop
    agent = workspace.reports.ask(store, question_of("compare", "")).rows[0].key
    question = question_of(name, agent)
    report = workspace.reports.ask(store, question)
    assert report.rows
    asked = arguments(question, url)

    assert run([*asked, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(report.as_json(), ensure_ascii=False))
    assert [row["key"] for row in told["rows"]] == [row.key for row in report.rows]
    assert [row["values"] for row in told["rows"]] == [report.values(row.numbers) for row in report.rows]
    assert (told["total"], told["mean"]) == (report.total(), report.mean())
    assert list(told["total"]) == list(report.keys)
    if name != "seats":  # whose total knows of the sessions that nobody has yet
        assert report.values(total(row.numbers for row in report.rows)) == report.total()

    lead = 1 + len(report.kind.beside)
    table = [report.total(), report.mean(), *(report.values(row.numbers) for row in report.rows)]
    heads = [tr("总值", "Total"), tr("均值", "Mean"), *(row.head for row in report.rows)]

    assert run([*asked, "--format", "xlsx", "--out", str(tmp_path / "report.xlsx")]) == 0
    book = CalamineWorkbook.from_path(str(tmp_path / "report.xlsx"))
    lines = book.get_sheet_by_index(0).to_python()
    lines = lines[[line[0] for line in lines].index(heads[0]) :]
    lines = [lines[2], *lines[:2], *lines[3:]]  # total and mean stand above the header
    assert [str(line[0]) for line in lines[1:]] == heads
    assert [[None if cell == "" else cell for cell in line[lead:]] for line in lines[1:]] == [as_read(values) for values in table]
    assert [str(header).split("(")[0] for header in lines[0][lead:]] == [report.label(key).zh.split("(")[0] for key in report.keys]
    explained = [row[0] for row in book.get_sheet_by_index(1).to_python()][1:]
    assert explained[: len(lines[0])] == lines[0]
    assert explained[len(lines[0]) + 2 :] == told["notes"] == [note.zh for note in report.notes]

    assert run([*asked, "--format", "csv", "--out", str(tmp_path / "report.csv")]) == 0
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.reader(file))[1:]
    assert [[None if cell == "" else float(cell) for cell in line[lead:]] for line in read] == [as_read(values) for values in table]
    capsys.readouterr()

    assert run([*asked, "--format", "table"]) == 0
    printed = capsys.readouterr().out
    for key in report.keys:
        assert report.label(key).zh in printed
        assert METRICS[key].text(report.total()[key]) in printed


def test_a_tile_a_seat_and_a_chart_say_what_the_reports_say(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    live, seats = (workspace.reports.ask(store, Question(name, at=AT)) for name in ("live", "seats"))
    overview, table = workspace.live.overview(store, at=AT), workspace.live.seats(store, at=AT)
    assert live.values(live.rows[0].numbers) == live.total()
    tiles = [key for key, metric in METRICS.items() if metric.percentile is None]  # no tile has one: histograms cost more than all else
    assert {key: overview.value(key) for key in tiles} == {key: live.total()[key] for key in tiles}
    assert live.total()["consults"]
    assert [row.code for row in table.rows] == [row.key for row in seats.rows]
    for seat, row in zip(table.rows, seats.rows):
        assert {key: table.value(seat, key) for key in seats.keys} == seats.values(row.numbers)
    assert {key: seats.total()[key] for key in LIVE_TWINS if key in seats.keys} == {
        key: live.total()[key] for key in LIVE_TWINS if key in seats.keys
    }
    curves = workspace.live.curves(store, ("consults", "received"), 30, at=AT)
    for key in ("consults", "received"):
        assert sum(value or 0 for value in curves.today[key]) == live.total()[key]  # type: ignore[misc]


def test_reports_of_the_same_days_agree_with_each_other(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    agents = [row.key for row in workspace.reports.ask(store, question_of("compare", "")).rows]
    reports: dict[str, Report] = {}
    for name, kind in REPORTS.items():
        if not kind.live:
            reports[name] = workspace.reports.ask(store, question_of(name, agents[0]))
    for names in (("compare", "daily", "workload", "sales", "ratings", "attendance"), ("groups", "group_hours", "group_halfhours"),
                  ("agent", "agent_workload", "agent_sales", "agent_ratings", "agent_attendance"), ("store", "store_overall")):  # fmt: skip
        for name in names[1:]:
            for key, value in reports[name].total().items():
                assert value == reports[names[0]].total()[key], (name, key)
    mine = next(row for row in reports["compare"].rows if row.key == agents[0])
    assert reports["compare"].values(mine.numbers) == reports["agent"].total()
    heat = workspace.reports.heat(store, question_of("store", ""), "consults")
    assert sum(value or 0 for hours in heat for value in hours) == reports["store"].total()["consults"]  # each weekday once
    band = workspace.reports.team_band(store, Question("agent", *days(reports["agent"]), agent=agents[0]), "consults")
    assert list(band) == [row.key for row in reports["agent"].rows]


def days(report: Report) -> tuple[date, date]:
    return report.first, report.last
