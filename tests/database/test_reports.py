"""Reports say what the events say: worked examples, totals and means, and one answer to one question everywhere."""

from __future__ import annotations

import json
from datetime import date
from itertools import count
from typing import Any

import pytest

from app.cli import run
from app.domain.events import decode
from app.domain.metrics import HISTORY_METRICS, METRICS, OVERVIEW_TILES
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.services.reports import Question
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store
from tests.oracle.metrics import mean_row, total_row
from tests.oracle.recompute import grouped, recompute
from tests.oracle.streams import random_stream

NOT_BY_AGENT = dict.fromkeys(("visitors_online", "visitors_leave", "connect_rate", "leave_left", "leave_rate"))
"""Nobody's yet when they are counted: an agent has no such figure."""
# Noon of 14 and 15 December 2020 in Shanghai
DAY_1 = 1_607_918_400_000
DAY = 86_400_000
SECOND = 1000


class Script:
    """Writes a store's events: who did what, seconds after a moment."""

    def __init__(self, zone: str = "Asia/Shanghai") -> None:
        self.events: list[dict[str, Any]] = []
        self.zone = zone
        self._ids = count(1)

    def say(self, type_: str, at: int, **fields: Any) -> None:
        self.events.append({"type": type_, "id": f"e{next(self._ids)}", "at": at, **fields})

    def session(self, code: str, agent: str, at: int, replies: list[tuple[float, float]], customer: str = "", **fields: Any) -> None:
        """replies: (customer writes, agent answers) in seconds after `at`; an answer of 0 is none."""
        self.say("session.opened", at, session=code, customer=customer or f"c-{code}", agent=agent or None, **fields)
        for wrote, answered in replies:
            self.say("message.sent", at + int(wrote * SECOND), session=code, sender="customer", text="在吗")
            if answered:
                self.say("message.sent", at + int(answered * SECOND), session=code, sender="agent", text="在的")

    def record(self, database: Database) -> tuple[Workspace, StoreInfo]:
        store = open_store(database, "shop", self.zone)
        Recorder(database, store).record([decode(json.dumps(event).encode()) for event in self.events])
        workspace = Workspace(database, local_owner())
        return workspace, workspace.store("shop")


def day_of(database: Database, script: Script, metrics: str, days: int = 1, **options: Any) -> dict[str, Any]:
    workspace, store = script.record(database)
    last = date(2020, 12, 13 + days)
    question = Question("store", date(2020, 12, 14), last, metrics=tuple(metrics.split(",")), **options)
    return workspace.reports.ask(store, question).total()


# -- the worked examples --


def test_first_replies_after_45_and_29_seconds(database: Database) -> None:
    script = Script()
    script.session("a", "wang", DAY_1, [(0, 45)])
    script.session("b", "wang", DAY_1, [(0, 29)])
    assert day_of(database, script, "reply_30s_rate") == {"reply_30s_rate": 0.5}


def test_gaps_of_30_120_and_180_seconds(database: Database) -> None:
    script = Script()
    script.session("a", "wang", DAY_1, [(0, 30), (100, 220), (300, 480)])
    assert day_of(database, script, "avg_reply,reply_ratio") == {"avg_reply": 110.0, "reply_ratio": 1.0}


def test_one_of_two_never_answered_and_one_of_two_rated(database: Database) -> None:
    script = Script()
    script.session("a", "wang", DAY_1, [(0, 5)])
    script.session("b", "wang", DAY_1, [(0, 0)])
    script.session("c", "li", DAY_1, [(0, 5)])
    script.session("d", "li", DAY_1, [(0, 5)])
    script.say("rating.given", DAY_1 + 60_000, session="c", score=5)
    workspace, store = script.record(database)
    rows = {row.key: row.numbers for row in workspace.reports.ask(store, Question("compare", date(2020, 12, 14), date(2020, 12, 14))).rows}
    assert METRICS["answer_rate"].value(rows["wang"]) == 0.5
    assert METRICS["rating_rate"].value(rows["li"]) == 0.5


def test_593_consults_590_handled_126_of_them_16_rated(database: Database) -> None:
    script = Script()
    for i in range(593):
        script.session(f"s{i}", "wang", DAY_1 + i * 1000, [(0, 5 if i < 590 else 0)])
    workspace, store = script.record(database)
    answer = workspace.reports.ask(store, Question("store", date(2020, 12, 14), date(2020, 12, 14))).total()
    assert (answer["consults"], answer["received"], answer["unanswered"]) == (593, 590, 3)
    assert METRICS["answer_rate"].text(answer["answer_rate"]) == "99.5%"


def test_16_ratings_of_126_handled(database: Database) -> None:
    script = Script()
    for i in range(126):
        script.session(f"s{i}", "wang", DAY_1 + i * 1000, [(0, 5)])
        if i < 16:
            script.say("rating.given", DAY_1 + i * 1000 + 60_000, session=f"s{i}", score=4)
    assert METRICS["rating_rate"].text(day_of(database, script, "rating_rate")["rating_rate"]) == "12.7%"


def test_4_leave_messages_beside_69_consults(database: Database) -> None:
    script = Script()
    for i in range(69):
        script.session(f"s{i}", "wang", DAY_1 + i * 1000, [(0, 5)])
    for i in range(4):
        script.session(f"l{i}", "", DAY_1 + i, [], kind="leave")
    assert METRICS["leave_rate"].text(day_of(database, script, "leave_rate")["leave_rate"]) == "5.5%"


def test_only_the_order_within_24_hours_converts(database: Database) -> None:
    script = Script()
    for customer, lag in (("A", 2 * DAY), ("B", DAY - 1)):
        script.session(f"s{customer}", "wang", DAY_1, [(0, 5)], customer, order_state="none")
        line = {"sku": "k", "quantity": 1, "amount_fen": 9900}
        script.say("order.placed", DAY_1 + lag, order=f"o{customer}", customer=customer, lines=[line])
    workspace, store = script.record(database)
    for window, converted in (("24h", 0.5), ("7d", 1.0), ("15d", 1.0)):
        answer = workspace.reports.ask(store, Question("store", date(2020, 12, 14), date(2020, 12, 14), window=window))  # type: ignore[arg-type]
        assert answer.total()["conversion"] == converted


# -- totals and means --


def test_totals_and_means_of_days_built_to_given_values(database: Database) -> None:
    """Three days of 91, 0 and 30 consults; the empty day is left out of the mean, ratios are pooled."""
    script = Script()
    for day, (consults, handled) in enumerate([(91, 90), (0, 0), (30, 15)]):
        for i in range(consults):
            script.session(f"{day}-{i}", "wang", DAY_1 + day * DAY + i * 1000, [(0, 10 if i < handled else 0)])
    workspace, store = script.record(database)
    answer = workspace.reports.ask(store, Question("agent", date(2020, 12, 14), date(2020, 12, 16), agent="wang"))
    assert [row.key for row in answer.rows] == ["2020-12-14", "2020-12-15", "2020-12-16"]
    assert [answer.values(row.numbers)["answer_rate"] for row in answer.rows] == [90 / 91, None, 0.5]
    total, mean = answer.total(), answer.mean()
    assert (total["consults"], total["received"], total["answer_rate"]) == (121, 105, 105 / 121)
    assert (mean["consults"], mean["received"], mean["answer_rate"]) == (60.5, 52.5, 105 / 121)
    assert total["first_reply"] == mean["first_reply"] == 10.0


@pytest.mark.parametrize("window", ["24h", "7d", "15d"])
def test_every_metric_of_every_row_equals_the_oracle(database: Database, window: Any) -> None:
    events = random_stream(31, 60)
    store = open_store(database, "shop", "Asia/Shanghai")
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])
    workspace = Workspace(database, local_owner())
    info = workspace.store("shop")
    counters = recompute(events, "Asia/Shanghai").counters
    first, last = min(key.day for key in counters), max(key.day for key in counters)
    days = grouped(counters, lambda key: key.day)

    answer = workspace.reports.ask(info, Question("store", date.fromisoformat(first), date.fromisoformat(last), window=window))
    rows = [days.get(row.key, {}) for row in answer.rows]
    assert_like(answer.total(), total_row(rows, window, HISTORY_METRICS))
    assert_like(answer.mean(), mean_row(rows, window, HISTORY_METRICS))
    for row, counts in zip(answer.rows, rows):
        assert_like(answer.values(row.numbers), total_row([counts], window, HISTORY_METRICS))

    agents = grouped({key: counts for key, counts in counters.items() if key.agent}, lambda key: key.agent)
    compared = workspace.reports.ask(info, Question("compare", date.fromisoformat(first), date.fromisoformat(last), window=window))
    assert [row.key for row in compared.rows] == sorted(agents)
    for row in compared.rows:
        assert_like(compared.values(row.numbers), total_row([agents[row.key]], window, HISTORY_METRICS) | NOT_BY_AGENT)
    assert_like(compared.mean(), mean_row(list(agents.values()), window, HISTORY_METRICS) | NOT_BY_AGENT)


def test_hours_are_the_day_cut_finer(database: Database) -> None:
    events = random_stream(32, 60)
    store = open_store(database, "shop", "Asia/Shanghai")
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])
    workspace = Workspace(database, local_owner())
    info = workspace.store("shop")
    period = (date(2024, 2, 25), date(2024, 3, 25))
    whole = workspace.reports.ask(info, Question("store", *period)).total()
    for by in ("week", "month", "hour", "halfhour"):
        assert workspace.reports.ask(info, Question("store", *period, by=by)).total() == whole  # type: ignore[arg-type]


def test_the_assessed_population_leaves_out_nights_and_spam(database: Database) -> None:
    script = Script()
    morning = DAY_1 - 3 * 3_600_000  # 09:00
    script.session("in", "wang", morning, [(0, 5)])
    script.session("before", "wang", morning - 1, [(0, 5)])
    script.session("after", "wang", morning + 14 * 3_600_000, [(0, 5)])
    script.session("last", "wang", morning + 14 * 3_600_000 - 1, [(0, 5)])
    script.session("spam", "wang", DAY_1, [(0, 5)])
    script.say("session.flagged", DAY_1 + 1, session="spam", flag="spam")
    workspace, store = script.record(database)
    period = (date(2020, 12, 14), date(2020, 12, 14))
    assert workspace.reports.ask(store, Question("store", *period)).total()["consults"] == 5
    assert workspace.reports.ask(store, Question("store", *period, population="assessed")).total()["consults"] == 2
    listed = workspace.listings.ask(store, Question("sessions", *period, population="assessed")).rows
    assert [row["session"] for row in listed] == ["in", "last"]


# -- live --


def test_a_pending_session_counts_on_neither_side_of_a_live_rate(database: Database) -> None:
    script = Script()
    script.session("answered", "wang", DAY_1 - 600_000, [(0, 10)])
    script.session("pending", "wang", DAY_1 - 10_000, [(0, 0)])
    workspace, store = script.record(database)
    early, late = workspace.live.overview(store, at=DAY_1), workspace.live.overview(store, at=DAY_1 + 25_000)
    assert (early.value("consults"), early.value("answer_rate"), early.value("reply_30s_rate")) == (2, 1.0, 1.0)
    assert (late.value("consults"), late.value("answer_rate"), late.value("reply_30s_rate")) == (2, 0.5, 0.5)
    assert (late.value("waiting"), late.value("longest_wait")) == (1, 35.0)


def test_seats_gauges_and_running_presence(database: Database) -> None:
    script = Script()
    hour = 3_600_000
    script.say("agent.upserted", DAY_1 - 9 * hour, agent="wang", name="王小雨", team="一组", capacity=2)
    script.say("agent.presence", DAY_1 - 2 * hour, agent="wang", state="available")
    script.say("agent.presence", DAY_1 - hour, agent="wang", state="suspended")
    script.say("agent.presence", DAY_1 - hour // 2, agent="wang", state="away")
    script.say("agent.presence", DAY_1 - hour, agent="li", state="suspended")
    script.session("a", "wang", DAY_1 - 60_000, [(0, 10)])
    script.session("b", "wang", DAY_1 - 60_000, [(0, 0)])
    workspace, store = script.record(database)
    seats = workspace.live.seats(store, at=DAY_1)
    assert [(row.code, row.state) for row in seats.rows] == [("li", "suspended"), ("wang", "away")]
    wang = seats.rows[1]
    values = [seats.value(wang, key) for key in ("active", "saturation", "login_hours", "serving_hours", "suspended_hours", "logins")]
    assert values == [2, 1.0, 2.0, 1.5, 0.5, 1]
    assert seats.value(seats.rows[0], "saturation") is None
    whole = workspace.live.overview(store, at=DAY_1)
    assert [whole.value(key) for key in OVERVIEW_TILES[:5]] == [2, 1, 2, 1, 0]
    kinds = [(need.kind, need.agent) for need in workspace.live.needs(store, at=DAY_1)]
    assert kinds == [("waiting", "wang"), ("full", "wang")]


def test_tile_equals_report_equals_command_line(database: Database, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = Script()
    for i in range(40):
        script.session(f"s{i}", f"a{i % 3}", DAY_1 - i * 60_000, [(0, i or 0)])
    workspace, store = script.record(database)
    overview = workspace.live.overview(store, at=DAY_1)
    period = ["--from", "2020-12-14", "--to", "2020-12-14", "--format", "json", "--db", url]
    assert run(["report", "live", "--at", str(DAY_1), "--format", "json", "--db", url]) == 0
    live = json.loads(capsys.readouterr().out)["rows"][0]["values"]
    assert run(["report", "store", *period]) == 0
    day = json.loads(capsys.readouterr().out)["rows"][0]["values"]
    assert run(["report", "seats", "--at", str(DAY_1), "--format", "json", "--db", url]) == 0
    seats = json.loads(capsys.readouterr().out)
    for key in OVERVIEW_TILES:
        assert live[key] == overview.value(key)
        if key in seats["total"]:
            assert seats["total"][key] == live[key]
    assert day["consults"] == live["consults"] == sum(row["values"]["consults"] for row in seats["rows"]) == 40
    curves = workspace.live.curves(store, ("consults",), 30, at=DAY_1)
    assert sum(value or 0 for value in curves.today["consults"]) == 40  # type: ignore[misc]


# -- refusals --


def test_questions_that_make_no_sense_are_refused_in_a_sentence(database: Database) -> None:
    script = Script()
    script.session("a", "wang", DAY_1, [(0, 5)])
    workspace, store = script.record(database)
    for question in (
        Question("compare", metrics=("nonsense",)),
        Question("compare", agent="nobody"),
        Question("compare", group="none"),
        Question("compare", by="day"),
        Question("agent"),
        Question("store", date(2021, 1, 2), date(2021, 1, 1)),
    ):
        with pytest.raises(FaultError):
            workspace.reports.ask(store, question)


def test_services_ask_for_permission(database: Database) -> None:
    script = Script()
    script.session("a", "wang", DAY_1, [(0, 5)])
    _, store = script.record(database)
    nobody = Workspace(database, Actor("nobody", frozenset()))
    with pytest.raises(NotAllowedError):
        nobody.live.seats(store)
    with pytest.raises(NotAllowedError):
        nobody.reports.ask(store, Question("store"))
    with pytest.raises(NotAllowedError):
        Workspace(database, Actor("viewer", frozenset({"live.view"}))).live.transcript(store, "a")


def test_an_empty_store_has_no_values(database: Database) -> None:
    open_store(database, "shop")
    workspace = Workspace(database, local_owner())
    store = workspace.store(None)
    answer = workspace.reports.ask(store, Question("compare", date(2020, 12, 14), date(2020, 12, 14)))
    assert list(answer.rows) == []
    assert answer.total()["answer_rate"] is None
    assert set(answer.mean().values()) == {None}
    assert workspace.live.overview(store).value("consults") == 0
    assert workspace.live.seats(store).rows == []


def assert_like(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found == {key: None if value is None else pytest.approx(value, rel=1e-12) for key, value in wanted.items()}
