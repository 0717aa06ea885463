"""Behind every figure are exactly the sessions and orders that were counted in it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from app.domain.events import decode
from app.domain.localtime import day_date, day_number
from app.domain.metrics import HISTORY_METRICS, METRICS, VISITOR_METRICS
from app.domain.permissions import local_owner
from app.services.drill import BEHIND, ONLY
from app.services.reports import REPORTS, Question, Report
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
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
COUNTS = tuple(
    key for key, behind in BEHIND.items() if behind.report == "sessions" and not METRICS[key].is_ratio and key not in ("presale_customers",)
)


def recorded(database: Database, seed: int) -> tuple[Workspace, StoreInfo, tuple[date, date]]:
    zone, start = random_place(seed)
    events = random_stream(seed, 80, zone=zone, start=start, days=3, agents=6)
    store = open_store(database, "shop", zone)
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])
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


def listed(workspace: Workspace, store: StoreInfo, drill: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(workspace.listings.ask(store, Question(**drill)).rows)


HANDED_OVER = ("transferred_out", "transfer_rate")


def pairs(report: Report, rng: random.Random, metrics: tuple[str, ...], most: int) -> list[tuple[str | None, str]]:
    places: list[str | None] = [None, *(row.key for row in report.rows)]
    found = [(place, metric) for place in places for metric in metrics]
    rng.shuffle(found)
    return found[:most]


def questions(workspace: Workspace, store: StoreInfo, period: tuple[date, date], rng: random.Random) -> list[Question]:
    agents = [row.key for row in workspace.reports.ask(store, Question("compare", *period)).rows]
    groups = [row.key for row in workspace.reports.ask(store, Question("groups", *period)).rows]
    one, two, group = rng.choice(agents), tuple(rng.sample(agents, 2)), rng.choice(groups)
    return [
        Question("store", *period),
        Question("store", *period, by="week", channel="web"),
        Question("store", *period, by="hour", population="assessed"),
        Question("store_assessed", *period, group=group),
        Question("compare", *period, population="assessed"),
        Question("compare", *period, agents=two, channel="app"),
        Question("daily", *period, by="week", group=group),
        Question("groups", *period, agent=one),
        Question("group_halfhours", *period),
        Question("agent", *period, agent=one, by="month"),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_a_listing_has_exactly_the_sessions_counted(database: Database, seed: int) -> None:
    workspace, store, period = recorded(database, seed)
    rng = random.Random(seed)
    behind_something = 0
    for question in questions(workspace, store, period, rng):
        metrics = (*COUNTS, *MISSED, *SHOWN)
        report = workspace.reports.ask(store, Question(**{**asked(question), "metrics": HISTORY_METRICS}))
        for place, metric in pairs(report, rng, metrics, 25):
            numbers = report.whole if place is None else next(row.numbers for row in report.rows if row.key == place)
            drill = report.drill(place, metric)
            value = report.values(numbers)[metric]
            if metric in HANDED_OVER:  # counted as often as it happened, see below
                continue
            if drill is None:
                assert value is None or (place is None and report.kind.rows.startswith("group")), metric
                continue
            rows = listed(workspace, store, drill)
            assert len(rows) == expected(metric, numbers, value), (question, place, metric)
            behind_something += len(rows)
    assert behind_something > 50


@pytest.mark.parametrize("window", ["24h", "7d", "15d"])
def test_credited_lines_add_up_to_the_sales(database: Database, window: Any) -> None:
    workspace, store, period = recorded(database, 11)
    sold = 0
    for name in ("store", "compare", "daily", "group_hours"):
        report = workspace.reports.ask(store, Question(name, *period, window=window, metrics=HISTORY_METRICS))
        for row in report.rows:
            values = report.values(row.numbers)
            drill = report.drill(row.key, "order_items")
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


def test_customers_before_their_order_are_those_of_the_listing(database: Database) -> None:
    workspace, store, period = recorded(database, 12)
    report = workspace.reports.ask(store, Question("daily", *period, metrics=HISTORY_METRICS))
    found = 0
    for row in report.rows:
        drill = report.drill(row.key, "presale_customers")
        assert drill is not None
        customers = {session["customer"] for session in listed(workspace, store, drill)}
        assert len(customers) == report.values(row.numbers)["presale_customers"]
        found += len(customers)
    assert found > 0


@pytest.mark.parametrize("name", ["daily", "groups"])
def test_sessions_handed_over_are_listed_with_who_handed_them_over(database: Database, name: str) -> None:
    """A session that one agent handed over twice is counted twice and listed once."""
    workspace, store, period = recorded(database, 12)
    report = workspace.reports.ask(store, Question(name, *period, metrics=HISTORY_METRICS))
    found = 0
    for row in report.rows:
        figure = report.values(row.numbers)["transferred_out"]
        drill = report.drill(row.key, "transferred_out")
        assert drill is not None
        sessions = listed(workspace, store, drill)
        assert bool(sessions) == bool(figure)
        assert len({session["session"] for session in sessions}) == len(sessions) <= (figure or 0) <= sum(s["transfers"] for s in sessions)
        found += len(sessions)
    assert found > 0


def test_every_metric_says_where_it_leads() -> None:
    nowhere = set(VISITOR_METRICS)
    assert set(BEHIND) == set(HISTORY_METRICS) - nowhere
    assert {behind.only for behind in BEHIND.values()} - {""} <= set(ONLY)


def test_presence_leads_to_the_attendance_of_one_agent(database: Database) -> None:
    workspace, store, period = recorded(database, 13)
    report = workspace.reports.ask(store, Question("attendance", *period))
    row = report.rows[0]
    drill = report.drill(row.key, "login_hours")
    assert drill is not None
    days = workspace.reports.ask(store, Question(**drill))
    assert days.total()["login_hours"] == report.values(row.numbers)["login_hours"]
    assert [found.extra["stays"] for found in days.rows] == [row.extra["stays"]]
    assert report.drill(None, "login_hours") is None


def test_what_has_no_value_leads_nowhere(database: Database) -> None:
    workspace, store, period = recorded(database, 14)
    report = workspace.reports.ask(store, Question("groups", *period, metrics=HISTORY_METRICS))
    assert report.drill(report.rows[0].key, "login_hours") is None
    assert report.drill(None, "consults") is None
    assert report.drill(report.rows[0].key, "consults") is not None
    assert all(REPORTS[name].live or "visitors_online" not in BEHIND for name in REPORTS)


def asked(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in Question.__dataclass_fields__}
