"""Two agents of one name can be told apart wherever people read names."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest

from app.domain.routing_edits import agent_lines
from app.services.listings import Wanted
from app.services.reports import Question
from app.services.routing_facts import routing_facts
from app.services.sheet_words import filters
from app.services.sheets import write
from app.services.targets import targets
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from tests.database.test_reports import DAY_1, Script

DAYS = (date(2020, 12, 14), date(2020, 12, 14))
NOW = DAY_1 + 3_600_000
TOLD = {"u1": "小美（u1）", "u2": "小美（u2）", "u3": "小丽"}


@pytest.fixture
def shop(database: Database) -> tuple[Workspace, StoreInfo]:
    script = Script()
    for agent, name in (("u1", "小美"), ("u2", "小美"), ("u3", "小丽")):
        script.say("agent.upserted", DAY_1 - 5000, agent=agent, name=name)
        script.say("agent.presence", DAY_1 - 4000, agent=agent, state="available")
        script.session(f"s-{agent}", agent, DAY_1, [(1, 9), (60, 0)], customer=f"c-{agent}")
        line = {"sku": "k1", "quantity": 1, "amount_fen": 500}
        script.say("order.placed", DAY_1 + 120_000, order=f"o-{agent}", customer=f"c-{agent}", lines=[line])
    return script.record(database)


@pytest.mark.parametrize("question", [Question("compare", *DAYS), Question("daily", *DAYS), Question("seats", at=NOW)])
def test_rows_of_reports(shop: tuple[Workspace, StoreInfo], question: Question) -> None:
    workspace, store = shop
    rows = workspace.reports.ask(store, question).rows
    assert {row.head: row.extra["name"] for row in rows} == TOLD


def test_live_pages(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    assert {seat.code: seat.name for seat in workspace.live.seats(store, at=NOW).rows} == TOLD
    waiting = [need for need in workspace.live.needs(store, at=NOW) if need.kind == "waiting"]
    assert {need.agent: need.agent_name for need in waiting} == TOLD
    day = workspace.live.agent_day(store, "u2", at=NOW)
    assert day is not None
    assert [session.agent_name for session in day.open_sessions] == ["小美（u2）"]
    talk = workspace.live.transcript(store, "s-u1")
    assert talk is not None
    assert {talk.session.agent_name} | {m.name for m in talk.messages if m.sender == "agent"} == {"小美（u1）"}


def test_choosers_listings_and_the_account_of_an_order(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    assert dict(workspace.listings.offered(store).agents) == TOLD
    for report in ("sessions", "orders"):
        rows = workspace.listings.page(store, Wanted(report, *DAYS, window="24h")).rows
        assert {row["agent"]: row["agent_name"] for row in rows} == TOLD
    account = workspace.listings.account(store, "o-u2")
    assert account is not None
    credited = account.lines[0].decisions["24h"].credited
    assert credited is not None
    assert credited.agent_name == "小美（u2）"


def test_routing_pages_and_targets(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    workspace.settings.save(store, "agents", {"agents": [{"agent": "u3", "name": "小美"}]})
    told = {**TOLD, "u3": "小美（u3）"}
    assert {agent.code: agent.name for agent in targets(workspace, store).agents} == told
    bodies = [workspace.settings.get(store, key).body for key in ("groups", "agents")]
    assert {line.code: line.label for line in agent_lines(*bodies, routing_facts(workspace, store))} == told


def test_files_have_codes_in_a_column_of_their_own_and_no_code_twice(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop

    def file(format: Any, **asked: Any) -> str:
        out = io.BytesIO()
        write(workspace.reports.ask(store, Question("compare", *DAYS, metrics=("consults",), **asked)), format, out, store=store)
        return out.getvalue().decode("utf-8-sig")

    assert [line.split(",")[0] for line in file("csv").splitlines()][-3:] == ["u1", "u2", "u3"]
    assert [row["key"] for row in json.loads(file("json"))["rows"]] == ["u1", "u2", "u3"]
    above = filters(workspace.reports.ask(store, Question("compare", *DAYS, agents=("u1", "u3"))))
    assert ("客服", "小美（u1）、小丽（u3）") in above
