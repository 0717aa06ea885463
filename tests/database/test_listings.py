"""Lists say what the events say: every filter, every order, page by page; and an order's account is what the recorder credited."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.domain.counters import WINDOWS
from app.domain.events import decode
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.services import listings
from app.services.listings import LISTINGS, Wanted
from app.services.reports import Question
from app.services.workspace import StoreInfo, Workspace
from app.storage import schema
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store
from tests.database.test_reports import DAY, DAY_1, Script
from tests.databases import Fill
from tests.oracle.recompute import recompute
from tests.oracle.streams import random_stream

HOUR = 3_600_000
DAYS = (date(2020, 12, 14), date(2020, 12, 14))
MONTH = (date(2024, 2, 20), date(2024, 3, 31))
"""The days of a random stream, and those before and after that its orders lie in."""
Shop = tuple[Workspace, StoreInfo]


def recorded(database: Database, events: list[dict[str, Any]], zone: str = "Asia/Shanghai") -> Shop:
    store = open_store(database, "shop", zone)
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])
    workspace = Workspace(database, local_owner())
    return workspace, workspace.store("shop")


def order(script: Script, code: str, customer: str, at: int, *skus: str, amount: int = 1000) -> None:
    script.say("order.placed", at, order=code, customer=customer, lines=[{"sku": sku, "quantity": 1, "amount_fen": amount} for sku in skus])


def listed(workspace: Workspace, store: StoreInfo, report: str, key: str = "", **asked: Any) -> list[Any]:
    rows = workspace.listings.page(store, Wanted(report, *asked.pop("days", DAYS), **asked), limit=1000).rows
    return [row[key or report[:-1]] for row in rows]


# -- pages --


def filled(database: Database) -> None:
    recorded(database, random_stream(50, 40))


class TestOfOneStream:
    @pytest.fixture
    def content(self) -> Fill:
        return filled

    @pytest.fixture
    def shop(self, database: Database) -> Shop:
        workspace = Workspace(database, local_owner())
        return workspace, workspace.store("shop")

    @pytest.mark.parametrize("report", LISTINGS)
    def test_pages_joined_are_the_whole_in_every_order(self, shop: Shop, report: str) -> None:
        workspace, store = shop
        asked = Wanted(report, *MONTH, window="15d", cancelled=True)
        columns = LISTINGS[report].columns
        whole = workspace.listings.page(store, asked, limit=10_000)
        assert whole.after is None
        assert len(whole.rows) > 20 or report == "skus"
        assert workspace.listings.count(store, asked) == (len(whole.rows), True)
        alike_across_pages = 0
        for sort in [column.key for column in columns if column.sort]:
            for descending in (True, False):
                joined: list[dict[str, Any]] = []
                after = None
                while True:
                    found = workspace.listings.page(store, asked, sort, descending, after, limit=3)
                    joined += found.rows
                    after = found.after
                    if after is None:
                        break
                assert len(joined) == len(whole.rows)
                assert sorted(map(repr, joined)) == sorted(map(repr, whole.rows))
                known = [row[sort] for row in joined if row[sort] is not None]
                assert known == sorted(known, reverse=descending)
                assert all(row[sort] is None for row in joined[len(known) :])
                alike_across_pages += sum(last[sort] == first[sort] for last, first in zip(joined[2::3], joined[3::3]))
        assert alike_across_pages

    def test_a_file_has_the_rows_of_the_pages_with_times_as_texts(self, shop: Shop) -> None:
        workspace, store = shop
        for report in LISTINGS:
            asked = Wanted(report, *MONTH, window="15d")
            shown = workspace.listings.page(store, asked, descending=False, limit=10_000).rows
            written = list(workspace.listings.ask(store, Question(report, *MONTH, window="15d")).rows)
            times = {column.key for column in LISTINGS[report].columns if column.kind == "time"}
            assert [{key: value for key, value in row.items() if key not in times} for row in written] == [
                {key: value for key, value in row.items() if key not in times} for row in shown
            ]
            assert all(isinstance(row[key], str) or row[key] is None for row in written for key in times)
            assert all(column.key in row for row in written for column in LISTINGS[report].columns)

    @pytest.mark.parametrize("window", WINDOWS)
    def test_the_lines_listed_add_up_to_the_amount_counted(self, shop: Shop, window: Any) -> None:
        workspace, store = shop
        counted = workspace.reports.ask(store, Question("store", *MONTH, window=window)).whole
        rows = workspace.listings.page(store, Wanted("orders", *MONTH, window=window), limit=10_000).rows
        assert counted[f"order_amount_{window}"] > 0
        assert round(sum(row["amount"] for row in rows) * 100) == counted[f"order_amount_{window}"]
        assert sum(row["quantity"] for row in rows) == counted[f"order_items_{window}"]
        skus = workspace.listings.page(store, Wanted("skus", *MONTH, window=window), limit=10_000).rows
        assert round(sum(row["amount"] for row in skus) * 100) == counted[f"order_amount_{window}"]
        assert sum(row["items"] for row in skus) == counted[f"order_items_{window}"]


def test_counting_ends_somewhere(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()
    for number in range(5):
        script.session(f"s{number}", "wang", DAY_1, [(0, 5)])
    workspace, store = script.record(database)
    monkeypatch.setattr(listings, "COUNTED", 3)
    assert workspace.listings.count(store, Wanted("sessions", *DAYS)) == (3, False)
    monkeypatch.setattr(listings, "COUNTED", 6)
    assert workspace.listings.count(store, Wanted("sessions", *DAYS)) == (5, True)


# -- filters --


def test_sessions_by_every_filter(database: Database) -> None:
    script = Script()
    script.say("agent.upserted", DAY_1 - HOUR, agent="wang", name="王敏", team="一组")
    script.say("customer.upserted", DAY_1 - HOUR, customer="c1", name="赵一")
    script.session("s1", "wang", DAY_1, [(0, 5)], "c1", group="g1", channel="app", sku="kettle")
    script.session("s2", "li", DAY_1 + 1000, [(0, 0)], "c2", group="g2", channel="web", sku="lamp")
    script.session("s3", "li", DAY_1 + 9 * HOUR, [(0, 90)], "c1", group="g1", kind="online")
    script.session("s4", "li", DAY_1 + 2000, [], "c3", kind="leave")
    script.session("next day", "wang", DAY_1 + DAY, [(0, 5)], "c1")
    order(script, "o1", "c1", DAY_1 + HOUR, "kettle")
    workspace, store = script.record(database)
    for filters, wanted in (
        ({}, ["s3", "s4", "s2", "s1"]),
        ({"agent": "wang"}, ["s1"]),
        ({"agents": ("wang", "li")}, ["s3", "s4", "s2", "s1"]),
        ({"team": "一组"}, ["s1"]),
        ({"group": "g1"}, ["s3", "s1"]),
        ({"channel": "web"}, ["s2"]),
        ({"customer": "c1"}, ["s3", "s1"]),
        ({"customer": "nobody"}, []),
        ({"sku": "lamp"}, ["s2"]),
        ({"kind": "leave"}, ["s4"]),
        ({"order": "o1"}, ["s1"]),
        ({"text": "KETT"}, ["s1"]),
        ({"text": "赵"}, ["s3", "s1"]),
        ({"text": "S4"}, ["s4"]),
        ({"text": "%"}, []),
        ({"only": "unanswered"}, ["s2"]),
        ({"only": "late_30s"}, ["s3", "s2"]),
        ({"only": "late_30s", "group": "g1"}, ["s3"]),
        ({"hours": (12 * 12, 12 * 12 + 6)}, ["s4", "s2", "s1"]),
        ({"hours": (20 * 12, 12 * 12)}, ["s3"]),
    ):
        assert listed(workspace, store, "sessions", **filters) == wanted, filters


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana"])
def test_what_is_listed_behind_a_figure_is_what_was_counted(database: Database, zone: str) -> None:
    """Also where clocks change within the days, in the assessed hours."""
    start = 1_730_422_800_000 if zone == "America/Havana" else 1_711_700_000_000
    workspace, store = recorded(database, random_stream(45, 70, zone=zone, start=start), zone)
    first = workspace.local(store).local(start - 2 * DAY).date()
    days = (first, workspace.local(store).local(start + 8 * DAY).date())
    for population in ("overall", "assessed"):
        counted = workspace.reports.ask(store, Question("store", *days, population=population)).whole  # type: ignore[arg-type]
        for only, counter in (
            ("consulted", "consults"), ("received", "received"), ("rated", "rated"), ("closed", "closed"),
            ("leave_assigned", "leave_assigned"), ("invited", "invited"), ("resolved", "resolved"),
        ):  # fmt: skip
            asked = Wanted("sessions", *days, population=population, only=only)  # type: ignore[arg-type]
            assert counted[counter] > 0
            assert workspace.listings.count(store, asked) == (counted[counter], True), (population, only)


def test_the_moment_at_which_clocks_change_lies_in_the_hour_it_is_counted_in(database: Database) -> None:
    zone = "America/Santiago"  # 2026-04-05, 03:00 UTC: midnight is 23:00 once more
    changed = 1_775_358_000_000
    script = Script(zone)
    for i, at in enumerate((changed - 1, changed, changed + 1)):
        script.session(f"s{i}", "wang", at, [(0, 20)])
    workspace, store = script.record(database)
    days = (date(2026, 4, 1), date(2026, 4, 6))
    hours = workspace.reports.ask(store, Question("store", *days, by="hour")).rows
    assert {row.key: row.numbers["consults"] for row in hours if row.numbers} == {"23:00": 3}
    assert len(listed(workspace, store, "sessions", days=days, hours=(23 * 12, 24 * 12))) == 3


# -- orders --


def test_orders_say_to_whom_why_and_how_late(database: Database) -> None:
    script = Script()
    script.session("about", "wang", DAY_1, [(0, 5)], "c1", sku="kettle")
    script.session("later", "li", DAY_1 + HOUR, [(0, 5)], "c1", sku="lamp")
    order(script, "o1", "c1", DAY_1 + 3 * HOUR, "kettle", "chair", amount=1250)
    workspace, store = script.record(database)
    rows = {row["sku"]: row for row in workspace.listings.page(store, Wanted("orders", *DAYS)).rows}
    assert (rows["kettle"]["agent"], rows["kettle"]["rule"], rows["kettle"]["lag_hours"]) == ("wang", "about_sku", 3.0)
    assert (rows["chair"]["agent"], rows["chair"]["rule"], rows["chair"]["lag_hours"]) == ("li", "last", 2.0)
    assert (rows["chair"]["amount"], rows["chair"]["state"], rows["chair"]["source"]) == (12.5, "placed", "events")
    assert listed(workspace, store, "orders", "sku", agent="wang") == ["kettle"]
    assert listed(workspace, store, "orders", "sku", sku="chair") == ["chair"]
    assert listed(workspace, store, "orders", text="o1") == ["o1", "o1"]


def test_cancelled_orders_are_seen_when_asked(database: Database) -> None:
    script = Script()
    script.session("s", "wang", DAY_1, [(0, 5)], "c1")
    order(script, "kept", "c1", DAY_1 + HOUR, "k")
    order(script, "gone", "c1", DAY_1 + HOUR, "k")
    order(script, "late", "c1", DAY_1 + HOUR, "k")
    script.say("order.cancelled", DAY_1 + 2 * HOUR, order="gone")
    script.say("order.cancelled", DAY_1 + 16 * DAY, order="late")
    workspace, store = script.record(database)
    assert sorted(listed(workspace, store, "orders")) == ["kept", "late"]
    rows = {row["order"]: row for row in workspace.listings.page(store, Wanted("orders", *DAYS, cancelled=True)).rows}
    assert {code: (row["agent"], row["state"]) for code, row in rows.items()} == {
        "kept": ("wang", "placed"), "gone": (None, "cancelled"), "late": ("wang", "cancelled"),
    }  # fmt: skip


def test_imported_orders_are_among_them_and_marked(database: Database) -> None:
    script = Script()
    script.session("s", "wang", DAY_1, [(0, 5)], "c1")
    order(script, "known", "c1", DAY_1 + HOUR, "k", amount=500)
    workspace, store = script.record(database)
    imported(database, store, 1, [("known", "k", 999), ("file", "k", 700), ("file", "k2", 300)])
    imported(database, store, 2, [("file", "k", 800)])
    imported(database, store, 3, [("undone", "k", 100)], undone=True)
    rows = workspace.listings.page(store, Wanted("orders", *DAYS), "amount", descending=True).rows
    assert [(row["order"], row["sku"], row["amount"], row["source"], row["agent"]) for row in rows] == [
        ("file", "k", 8.0, "imported", "wang"), ("known", "k", 5.0, "events", "wang"), ("file", "k2", 3.0, "imported", "wang"),
    ]  # fmt: skip
    assert listed(workspace, store, "orders", agent="wang", text="file") == ["file", "file"]
    assert listed(workspace, store, "orders", only="received") == ["known"]
    skus = {row["sku"]: row["amount"] for row in workspace.listings.page(store, Wanted("skus", *DAYS)).rows}
    assert skus == {"k": 13.0, "k2": 3.0}
    account = workspace.listings.account(store, "file")
    assert account is not None
    assert [(line.sku, line.agent, line.amount_fen) for line in account.imported] == [
        ("k", "wang", 800), ("k", "wang", 700), ("k2", "wang", 300),
    ]  # fmt: skip


def imported(database: Database, store: StoreInfo, number: int, lines: list[tuple[str, str, int]], undone: bool = False) -> None:
    with database.write() as connection:
        agent = connection.execute(select(schema.agents.c.id).where(schema.agents.c.code == "wang")).scalar_one()
        connection.execute(insert(schema.imports).values(id=number, store_id=store.id, at=0, author="x", file="f.xlsx", summary="{}"))
        if undone:
            connection.execute(update(schema.imports).where(schema.imports.c.id == number).values(undone_at=1))
        for line, (code, sku, amount) in enumerate(lines):
            connection.execute(
                insert(schema.imported_orders).values(
                    import_id=number, line=line, opened_at=DAY_1, placed_at=DAY_1 + 2 * HOUR, amount_fen=amount, quantity=1, agent_id=agent,
                    cancelled=False, order_code=code, sku_code=sku, sku_name=sku, customer="c9",
                )
            )  # fmt: skip


# -- items --


def test_items_by_who_asked_and_who_bought(database: Database) -> None:
    script = Script()
    for number in range(4):
        script.session(f"s{number}", "wang", DAY_1 + number, [(0, 5)], f"c{number % 3}", sku="kettle")
    script.session("lamp", "wang", DAY_1, [(0, 5)], "c7", sku="lamp")
    order(script, "o1", "c1", DAY_1 + HOUR, "kettle", amount=3000)
    order(script, "o2", "c7", DAY_1 + HOUR, "kettle", amount=1000)  # bought without having asked about it
    order(script, "o3", "c2", DAY_1 + 2 * DAY, "kettle", amount=1000)
    workspace, store = script.record(database)
    rows = {row["sku"]: row for row in workspace.listings.page(store, Wanted("skus", *DAYS)).rows}
    kettle, lamp = rows["kettle"], rows["lamp"]
    assert (kettle["consults"], kettle["customers"], kettle["orders"], kettle["items"], kettle["amount"]) == (4, 3, 2, 2, 40.0)
    assert (kettle["share"], kettle["conversion"]) == (1.0, 1 / 3)
    assert (lamp["consults"], lamp["orders"], lamp["amount"], lamp["conversion"]) == (1, 0, 0.0, 0.0)
    longer = {row["sku"]: row for row in workspace.listings.page(store, Wanted("skus", *DAYS, window="7d")).rows}
    assert (longer["kettle"]["orders"], longer["kettle"]["conversion"]) == (3, 2 / 3)
    assert listed(workspace, store, "skus", text="lam") == ["lamp"]
    assert listed(workspace, store, "skus", sku="lamp") == ["lamp"]


# -- accounting --


@pytest.mark.parametrize("seed", range(51, 57))
def test_an_account_credits_whom_the_recorder_and_the_oracle_credit(database: Database, seed: int) -> None:
    events = random_stream(seed, 50)
    workspace, store = recorded(database, events)
    result = recompute(events, "Asia/Shanghai")
    credits = {(c.window, c.order, c.line): c.session for c in result.credits}
    seen: list[str] = []
    for code in sorted({event["order"] for event in events if "order" in event}):
        account = workspace.listings.account(store, code)
        assert account is not None
        for line in account.lines:
            for window, decision in line.decisions.items():
                credited = None if decision.credited is None else decision.credited.session
                assert credited == credits.get((window, code, line.line))
                assert decision.agrees
                assert (credited is None) == (decision.rule in ("nobody", "cancelled", "not_placed"))
                assert credited not in {candidate.session for candidate, _ in decision.missed}
                seen.append(decision.rule)
    assert len(seen) > 50
    assert set(seen) == {"about_sku", "last", "nobody", "cancelled"}


def test_an_account_tells_every_candidate_and_why_not(database: Database) -> None:
    script = Script()
    script.session("old", "wang", DAY_1 - 3 * DAY, [(0, 5)], "c1", sku="kettle")
    script.session("silent", "wang", DAY_1 - HOUR, [(0, 0)], "c1", sku="kettle")
    script.session("new", "li", DAY_1, [(0, 5)], "c1", sku="lamp")
    script.session("after", "li", DAY_1 + 4 * HOUR, [(0, 5)], "c1")
    script.session("other", "li", DAY_1, [(0, 5)], "c2", sku="kettle")
    order(script, "o1", "c1", DAY_1 + HOUR, "kettle")
    workspace, store = script.record(database)
    account = workspace.listings.account(store, "o1")
    assert account is not None
    (line,) = account.lines
    day, week = line.decisions["24h"], line.decisions["7d"]
    assert day.credited is not None
    assert week.credited is not None
    assert (day.credited.session, day.rule) == ("new", "last")
    assert {c.session: why for c, why in day.missed} == {"after": "after_order", "silent": "not_received", "old": "too_early"}
    assert (week.credited.session, week.rule) == ("old", "about_sku")
    assert {c.session: why for c, why in week.missed} == {"after": "after_order", "silent": "not_received", "new": "not_about_sku"}
    assert workspace.listings.account(store, "unknown") is None


def test_an_account_that_the_counters_contradict_says_so(database: Database) -> None:
    script = Script()
    script.session("s", "wang", DAY_1, [(0, 5)], "c1")
    order(script, "o1", "c1", DAY_1 + HOUR, "k")
    workspace, store = script.record(database)
    with database.write() as connection:
        connection.execute(update(schema.order_lines).values(session_24h=0))
    account = workspace.listings.account(store, "o1")
    assert account is not None
    assert [decision.agrees for decision in account.lines[0].decisions.values()] == [False, True, True]


# -- refusals --


def test_what_cannot_be_asked_is_refused(database: Database) -> None:
    script = Script()
    script.session("s", "wang", DAY_1, [(0, 5)])
    workspace, store = script.record(database)
    with pytest.raises(FaultError):
        workspace.listings.page(store, Wanted("sessions", *DAYS), "agent_name")
    with pytest.raises(FaultError):
        workspace.listings.page(store, Wanted("sessions", *DAYS, only="nonsense"))
    nobody = Workspace(database, Actor("nobody", frozenset({"live.view"})))
    with pytest.raises(NotAllowedError):
        nobody.listings.page(store, Wanted("sessions", *DAYS))
    with pytest.raises(NotAllowedError):
        nobody.listings.account(store, "o1")
