"""Behind every figure are exactly the sessions and orders that were counted in it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.domain.events import decode
from app.domain.language import T
from app.domain.localtime import day_date, day_number
from app.domain.metrics import HISTORY_METRICS, METRICS
from app.domain.permissions import local_owner
from app.services.drill import BEHIND, ONLY, behind
from app.services.reports import REPORTS, Question, Report
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store
from tests.databases import Fill
from tests.oracle.streams import random_place, random_stream

MISSED = {
    "answer_rate": ("consults", "received"),
    "reply_30s_rate": ("consults", "replied_30s"),
    "reply_180s_rate": ("consults", "replied_180s"),
    "satisfaction": ("rated", "satisfied"),
    "leave_response": ("leave_assigned", "leave_received"),
}
"""Rates that show what fell short: (of these, these did not)."""
SHOWN = {"bad_rate": "dissatisfied", "resolution": "unresolved", "leave_rate": "leave_left", "session_minutes": "closed"}
"""Rates that show the sessions of a counter."""
PART = {
    "first_reply": "received", "first_reply_p90": "received", "avg_reply": "received", "replies_per_session": "received",
    "reply_ratio": "consults", "invite_rate": "invited", "rating_rate": "rated", "connect_rate": "visitors_online",
}  # fmt: skip
"""Of a mean or a rate: the counter whose sessions or visitors are shown."""
SHOWN |= PART
PRESALE = "presale_customers"
COUNTS = tuple(
    key for key, found in BEHIND.items() if found.report in ("sessions", "visitors") and not METRICS[key].is_ratio and key != PRESALE
)
SALES = tuple(key for key, found in BEHIND.items() if found.report == "orders")
PRESENCE = tuple(key for key, found in BEHIND.items() if found.report == "agent_attendance")


Shop = tuple[Workspace, StoreInfo, tuple[date, date]]
"""And the days in which anything happens there."""


@cache
def filled(seed: int) -> Fill:
    def fill(database: Database) -> None:
        zone, start = random_place(seed)
        events = random_stream(seed, 80, zone=zone, start=start, days=3, agents=6)
        store = open_store(database, "shop", zone)
        Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])

    return fill


@pytest.fixture
def content(seed: int) -> Fill:
    return filled(seed)


@pytest.fixture
def shop(database: Database, seed: int) -> Shop:
    _, start = random_place(seed)
    workspace = Workspace(database, local_owner())
    day = day_number(workspace.local(workspace.store("shop")).local(start).date())
    return workspace, workspace.store("shop"), (day_date(day - 5), day_date(day + 30))


def expected(metric: str, numbers: Mapping[str, int], value: Any) -> int | None:
    if metric in MISSED:
        whole, hit = MISSED[metric]
        return numbers.get(whole, 0) - numbers.get(hit, 0)
    if metric in SHOWN:
        return numbers.get(SHOWN[metric], 0)
    return value  # type: ignore[no-any-return]


def leads(report: Report, place: str | None, metric: str, **cell: Any) -> dict[str, Any] | None:
    """None where a sentence says that there is nothing."""
    found = behind(report, place, metric, **cell)
    if not isinstance(found, T):
        return found
    assert found.zh.endswith("。")
    assert found.en.endswith(".")
    return None


def listed(workspace: Workspace, store: StoreInfo, drill: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(workspace.listings.ask(store, Question(**drill)).rows)


HANDED_OVER = ("transferred_out", "transfer_rate")


def questions(workspace: Workspace, store: StoreInfo, period: tuple[date, date], rng: random.Random) -> list[Question]:
    """Every report as it is declared, and some of them under filters."""
    agents = [row.key for row in workspace.reports.ask(store, Question("compare", *period)).rows]
    groups = [row.key for row in workspace.reports.ask(store, Question("groups", *period)).rows]
    one, two, group = rng.choice(agents), tuple(rng.sample(agents, 2)), rng.choice(groups)
    every = [
        Question(name, *period, agent=one if kind.needs_agent else None, by=rng.choice(kind.by) if kind.by else None)
        for name, kind in REPORTS.items()
        if not kind.live
    ]
    return [
        *every,
        Question("store", *period, by="week", channel="web"),
        Question("store", *period, by="hour", population="assessed"),
        Question("store_assessed", *period, group=group),
        Question("compare", *period, population="assessed"),
        Question("compare", *period, agents=two, channel="app"),
        Question("daily", *period, by="week", group=group),
        Question("groups", *period, agent=one),
        Question("agent", *period, agent=one, by="month"),
    ]


def fits(metric: str, report: Report, numbers: Mapping[str, int], rows: list[dict[str, Any]]) -> bool:
    """Whether the rows listed are what the figure counts."""
    value = report.values(numbers)[metric]
    if metric in HANDED_OVER:  # counted as often as it happened, see below
        counted = numbers.get("transferred_out", 0)
        return bool(rows) == bool(counted) and len(rows) <= counted
    if metric == PRESALE:  # once for each agent and day, in the hour, group and channel where it was first
        people = {(row["customer"], row["agent"], row["opened_at"][:10]) for row in rows}
        whole = report.parts <= {"agent"} and report.by not in ("hour", "halfhour") and report.question.population == "overall"
        return (value or 0) == len(people) if whole else (value or 0) <= len(people)
    if metric in SALES:
        return (sum(row["quantity"] for row in rows), sum(round(row["amount"] * 100) for row in rows)) == (
            numbers.get(f"order_items_{report.window}", 0), numbers.get(f"order_amount_{report.window}", 0),
        )  # fmt: skip
    return len(rows) == (expected(metric, numbers, value) or 0)


@pytest.mark.parametrize("seed", [2])
def test_behind_every_figure_of_every_report_is_what_was_counted(shop: Shop, seed: int) -> None:
    """Or a sentence says that there is nothing: for each metric in the total and in some rows."""
    workspace, store, period = shop
    rng = random.Random(seed)
    kept: dict[str, list[dict[str, Any]]] = {}
    attended: dict[str, Report] = {}
    lists: dict[str, int] = {}
    for question in questions(workspace, store, period, rng):
        report = workspace.reports.ask(store, Question(**{**asked(question), "metrics": HISTORY_METRICS}))
        fullest = max(report.rows, key=lambda row: row.numbers.get("consults", 0)).key
        for place in {None, fullest, rng.choice(report.rows).key}:
            numbers = report.whole if place is None else next(row.numbers for row in report.rows if row.key == place)
            values = report.values(numbers)
            for metric in HISTORY_METRICS:
                drill = leads(report, place, metric)
                if drill is None:
                    by_time = metric in PRESENCE and report.by in ("hour", "halfhour")
                    assert values[metric] is None or by_time or (place is None and report.kind.timeline), (question, place, metric)
                elif metric in PRESENCE:
                    where = repr(drill)
                    if where not in attended:
                        attended[where] = workspace.reports.ask(store, Question(**{**drill, "metrics": PRESENCE}))
                    assert attended[where].total()[metric] == values[metric], (question, place, metric)
                else:
                    where = repr(drill)
                    if where not in kept:
                        kept[where] = listed(workspace, store, drill)
                    assert fits(metric, report, numbers, kept[where]), (question, place, metric)
                    lists[metric] = lists.get(metric, 0) + len(kept[where])
    assert {metric for metric, rows in lists.items() if rows} >= {*COUNTS, *SALES, *MISSED, PRESALE}


@pytest.mark.parametrize("name", ["store", "groups", "agent"])
@pytest.mark.parametrize("seed", [4])
def test_a_cell_of_the_heat_map_opens_its_sessions(shop: Shop, name: str) -> None:
    """A count in it is that of a day; there are so many days of that weekday with any data."""
    workspace, store, period = shop
    agents = [row.key for row in workspace.reports.ask(store, Question("compare", *period)).rows]
    question = Question(name, *period, agent=agents[0] if name == "agent" else None)
    report = workspace.reports.ask(store, question)
    per_day = Question(**{**asked(question), "report": "group_hours"}) if name == "groups" else question
    every_day = [workspace.reports.ask(store, Question(**{**asked(per_day), "first": day, "last": day})) for day in days_of(period)]
    weekdays = [day.weekday() for day, found in zip(days_of(period), every_day, strict=True) if any(found.whole.values())]
    found = 0
    for metric in ("consults", "received", "order_items", "very_satisfied"):
        heat = workspace.reports.heat(store, question, metric)
        for weekday, hour in [(weekday, hour) for weekday in range(7) for hour in range(24)]:
            drill = leads(report, None, metric, hours=(hour * 12, hour * 12 + 12), weekdays=(weekday,))
            assert drill is not None
            if not heat[weekday][hour] and (weekday + hour) % 5:
                continue  # an empty cell costs as much as a full one
            rows = listed(workspace, store, drill)
            counted = sum(row["quantity"] for row in rows) if metric == "order_items" else len(rows)
            assert counted == pytest.approx((heat[weekday][hour] or 0) * weekdays.count(weekday))
            found += counted
    assert found > 10


def days_of(period: tuple[date, date]) -> list[date]:
    return [day_date(day) for day in range(day_number(period[0]), day_number(period[1]) + 1)]


@pytest.mark.parametrize("window", ["24h", "7d", "15d"])
@pytest.mark.parametrize("seed", [11])
def test_credited_lines_add_up_to_the_sales(shop: Shop, window: Any) -> None:
    workspace, store, period = shop
    sold = 0
    for name in ("store", "compare", "daily", "group_hours"):
        report = workspace.reports.ask(store, Question(name, *period, window=window, metrics=HISTORY_METRICS))
        for row in report.rows:
            values = report.values(row.numbers)
            drill = leads(report, row.key, "order_items")
            assert drill is not None
            lines = listed(workspace, store, drill)
            assert sum(line["quantity"] for line in lines) == values["order_items"]
            assert sum(round(line["amount"] * 100) for line in lines) == row.numbers.get(f"order_amount_{window}", 0)
            if name != "group_hours":  # there, who is counted once a day is counted in one hour and group only
                days = {(line["order"], line["agent"], line["opened_at"][:10]) for line in lines}
                buyers = {(line["customer"], line["agent"], line["opened_at"][:10]) for line in lines}
                assert (len(days), len(buyers)) == (values["orders"], values["order_customers"])
            sold += len(lines)
    assert sold > 0


@pytest.mark.parametrize("seed", [12])
def test_customers_before_their_order_are_those_of_the_listing(shop: Shop) -> None:
    workspace, store, period = shop
    report = workspace.reports.ask(store, Question("daily", *period, metrics=HISTORY_METRICS))
    found = 0
    for row in report.rows:
        drill = leads(report, row.key, "presale_customers")
        assert drill is not None
        customers = {session["customer"] for session in listed(workspace, store, drill)}
        assert len(customers) == report.values(row.numbers)["presale_customers"]
        found += len(customers)
    assert found > 0


@pytest.mark.parametrize("name", ["daily", "groups"])
@pytest.mark.parametrize("seed", [12])
def test_sessions_handed_over_are_listed_with_who_handed_them_over(shop: Shop, name: str) -> None:
    """A session that one agent handed over twice is counted twice and listed once."""
    workspace, store, period = shop
    report = workspace.reports.ask(store, Question(name, *period, metrics=HISTORY_METRICS))
    found = 0
    for row in report.rows:
        figure = report.values(row.numbers)["transferred_out"]
        drill = leads(report, row.key, "transferred_out")
        assert drill is not None
        sessions = listed(workspace, store, drill)
        assert bool(sessions) == bool(figure)
        assert len({session["session"] for session in sessions}) == len(sessions) <= (figure or 0) <= sum(s["transfers"] for s in sessions)
        found += len(sessions)
    assert found > 0


def test_every_metric_says_where_it_leads() -> None:
    assert set(BEHIND) == set(HISTORY_METRICS)
    assert {found.only for found in BEHIND.values()} - {""} <= set(ONLY)
    assert all((found.report == "visitors") == ONLY[found.only].visitors for found in BEHIND.values() if found.only)


@pytest.mark.parametrize("seed", [3])
def test_visitors_are_listed_with_what_they_went_on_to_do(shop: Shop) -> None:
    workspace, store, period = shop
    visitors = listed(workspace, store, {"report": "visitors", "first": period[0], "last": period[1]})
    sessions = listed(workspace, store, {"report": "sessions", "first": period[0], "last": period[1]})
    begun = [(session["customer"], session["opened_at"][:10]) for session in sessions]
    assert visitors
    assert [visitor["sessions"] for visitor in visitors] == [
        begun.count((visitor["customer"], visitor["first_at"][:10])) for visitor in visitors
    ]
    assert any(visitor["sessions"] for visitor in visitors)
    with pytest.raises(FaultError, match="visitors_online"):
        workspace.listings.count(store, Question("sessions", *period, only="visitors_online"))
    with pytest.raises(FaultError):
        workspace.listings.count(store, Question("visitors", *period, only="late_30s"))


@pytest.mark.parametrize("seed", [13])
def test_presence_leads_to_the_attendance_of_one_agent(shop: Shop) -> None:
    workspace, store, period = shop
    report = workspace.reports.ask(store, Question("attendance", *period))
    row = report.rows[0]
    drill = leads(report, row.key, "login_hours")
    assert drill is not None
    days = workspace.reports.ask(store, Question(**drill))
    assert days.total()["login_hours"] == report.values(row.numbers)["login_hours"]
    assert [found.extra["stays"] for found in days.rows] == [row.extra["stays"]]
    everybody = leads(workspace.reports.ask(store, Question("workload", *period)), None, "login_hours")
    assert everybody is not None
    assert workspace.reports.ask(store, Question(**everybody)).total() == report.total()


@pytest.mark.parametrize("seed", [14])
def test_what_leads_nowhere_says_why(shop: Shop) -> None:
    workspace, store, period = shop
    groups = workspace.reports.ask(store, Question("groups", *period, metrics=HISTORY_METRICS))
    hours = workspace.reports.ask(store, Question("store", *period, by="hour", metrics=HISTORY_METRICS))
    attendance = workspace.reports.ask(store, Question("attendance", *period))
    unknown, by_day = behind(groups, groups.rows[0].key, "login_hours"), behind(hours, hours.rows[0].key, "login_hours")
    rows_below = behind(attendance, None, "login_hours")
    assert len({str(unknown), str(by_day), str(rows_below)}) == 3
    assert all(isinstance(sentence, T) for sentence in (unknown, by_day, rows_below))
    with pytest.raises(KeyError):
        behind(groups, "nobody", "consults")


def asked(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in Question.__dataclass_fields__}


@pytest.mark.parametrize("seed", [12])
def test_figures_of_files_alone_say_that_no_sessions_are_behind_them(shop: Shop, tmp_path: Path) -> None:
    workspace, store, period = shop
    long_ago = period[0].replace(year=period[0].year - 1)
    exported = tmp_path / "exported.csv"
    exported.write_text(f"日期,客服,咨询量,接待量\n{long_ago},小雨,50,49\n", encoding="utf-8")
    workspace.imports.run(workspace.imports.preview(exported, store))
    alone = workspace.reports.ask(store, Question("workload", long_ago, long_ago))
    for row_key in (None, "小雨"):
        said = behind(alone, row_key, "consults")
        assert isinstance(said, T)
        assert "导入" in said.zh
    among = workspace.reports.ask(store, Question("workload", long_ago, period[1]))
    assert isinstance(behind(among, "小雨", "consults"), T)
    assert leads(among, None, "consults") is not None
    assert leads(among, next(row.key for row in among.rows if row.numbers.get("consults") and row.key != "小雨"), "consults") is not None
