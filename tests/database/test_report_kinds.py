"""The history pages' reports: their columns, rows and filters, what has no value and what is said about it, figures for charts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from app.domain.counters import IMPORTED
from app.domain.events import decode
from app.domain.localtime import day_number
from app.domain.metrics import HISTORY_METRICS, METRICS, label_on
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.services.report_kinds import REPORTS, tabs
from app.services.reports import Question, Report
from app.services.workspace import StoreInfo, Workspace
from app.storage import schema
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store
from tests.database.test_reports import DAY, DAY_1, Script, assert_like
from tests.oracle.metrics import mean_row, total_row
from tests.oracle.recompute import assessed, grouped, recompute, select
from tests.oracle.streams import random_stream

HOUR, MINUTE = 3_600_000, 60_000
FIRST = date(2020, 12, 14)  # a Monday; DAY_1 is its noon in Shanghai
DAYS = (FIRST, date(2020, 12, 16))
LATER = DAY_1 + 30 * DAY
HISTORY = tuple(name for name, kind in REPORTS.items() if not kind.live)


def ask(workspace: Workspace, store: StoreInfo, report: str, *period: date, **options: Any) -> Report:
    return workspace.reports.ask(store, Question(report, *(period or DAYS), at=options.pop("at", LATER), **options))


@pytest.fixture
def shop(database: Database) -> tuple[Workspace, StoreInfo]:
    """Two teams, two groups, two channels, three days."""
    script = Script()
    for agent, team in (("wang", "一组"), ("li", "一组"), ("zhao", "二组")):
        script.say("agent.upserted", DAY_1 - 2 * DAY, agent=agent, name=agent.upper(), team=team)
        script.say("agent.presence", DAY_1 - 3 * HOUR, agent=agent, state="available")
        script.say("agent.presence", DAY_1 + 6 * HOUR, agent=agent, state="offline")
    number = 0
    for day, loads in enumerate(({"wang": 4, "li": 2, "zhao": 1}, {"wang": 3}, {"wang": 1, "li": 5})):
        for agent, sessions in loads.items():
            for i in range(sessions):
                number += 1
                group, channel = ("pre", "app") if i % 2 == 0 else ("after", "web")
                replies = [(0, 20 if i else 0)]
                at = DAY_1 + day * DAY + i * 10 * MINUTE
                script.session(f"s{number}", agent, at, replies, f"c{number % 5}", group=group, channel=channel, order_state="none")
    script.say("session.opened", DAY_1 + HOUR, session="left", customer="c9", kind="leave", group="pre", channel="app")
    script.say("visitor.entered", DAY_1, customer="c1", available=True)
    return script.record(database)


# -- declarations --


def test_tabs_of_the_history_pages_in_their_order() -> None:
    assert [str(kind.tab.zh) for kind in tabs("store").values()] == ["整体", "考核"]
    assert [kind.tab.zh for kind in tabs("compare").values()] == [
        "员工日报", "工作量", "销售绩效", "出勤", "满意度评价", "技能组按时段", "技能组半小时",
    ]  # fmt: skip
    assert [kind.tab.zh for kind in tabs("agent").values()] == ["工作量", "销售绩效", "满意度", "出勤明细"]


@pytest.mark.parametrize(
    ("report", "columns"),
    [
        ("store_assessed", "咨询量 留言量 接待量 应答率 30s应答率 满意率 平均响应时间 留言率"),
        ("workload", "登录时长 接待时长 咨询量 接待量 无响应量 应答率 30s应答率 满意率 邀评率 平均回复消息数 平均会话时长 首次平均响应时间 "
         "新平均响应时长 留言分配量 留言接待量 留言响应率 解决率"),
        ("sales", "售前接待人数 促成下单人数 促成订单数 促成商品数 促成金额 咨询下单转化率 客单价"),
        ("ratings", "邀评量 评价量 非常满意 满意 一般 不满意 非常不满意 满意率 咨询差评率 已解决 未解决"),
    ],
)  # fmt: skip
def test_columns_in_the_words_merchants_know(report: str, columns: str) -> None:
    assert " ".join(label_on(report, key).zh for key in REPORTS[report].keys) == columns


@pytest.mark.parametrize("report", HISTORY)
def test_a_declaration_is_whole(report: str) -> None:
    kind = REPORTS[report]
    assert set(kind.keys) <= set(HISTORY_METRICS)
    assert len(kind.keys) == len(set(kind.keys))
    assert not kind.groups or tuple(key for group in kind.groups for key in group.keys) == kind.keys
    labels = [label_on(report, key).zh for key in kind.keys]
    assert len(labels) == len(set(labels))


# -- rows --


def test_rows_of_each_kind(shop: tuple[Workspace, StoreInfo]) -> None:
    daily = ask(*shop, "daily")
    assert [row.key for row in daily.rows] == [
        "2020-12-14 li", "2020-12-14 wang", "2020-12-14 zhao", "2020-12-15 wang", "2020-12-16 li", "2020-12-16 wang",
    ]  # fmt: skip
    assert daily.rows[0].extra == {"agent": "li", "name": "LI", "day": "2020-12-14"}
    assert [daily.values(row.numbers)["consults"] for row in daily.rows] == [2, 4, 1, 3, 5, 1]
    assert [row.key for row in ask(*shop, "daily", by="week").rows] == ["2020-W51 li", "2020-W51 wang", "2020-W51 zhao"]
    hours = ask(*shop, "group_hours")
    assert [(row.head, row.extra["period"]) for row in hours.rows] == [("after", "12:00"), ("pre", "12:00"), ("pre", "13:00")]
    halves = ask(*shop, "group_halfhours")
    assert [row.key for row in halves.rows] == ["12:00 after", "12:30 after", "12:00 pre", "12:30 pre", "13:00 pre"]
    assert [row.key for row in ask(*shop, "agent_sales", agent="li").rows] == ["2020-12-14", "2020-12-15", "2020-12-16"]
    for report in ("daily", "workload", "group_hours", "group_halfhours"):
        assert ask(*shop, report).total()["consults"] == 16


def test_mean_is_over_rows_with_any_data_whatever_columns_are_asked_for(shop: tuple[Workspace, StoreInfo]) -> None:
    alone = ask(*shop, "daily", metrics=("orders", "consults"))
    assert alone.mean() == {"orders": 0.0, "consults": 16 / 6}
    assert METRICS["consults"].text(alone.mean()["consults"]) == "2.7"
    assert METRICS["consults"].text(alone.total()["consults"]) == "16"


def test_attendance_follows_the_store_s_days(database: Database) -> None:
    script = Script()
    midnight = DAY_1 + 12 * HOUR
    for at, state in (
        (DAY_1 - 3 * HOUR, "available"), (DAY_1, "suspended"), (DAY_1 + HOUR, "available"), (DAY_1 + 2 * HOUR, "offline"),
        (midnight - HOUR, "away"), (midnight + 2 * HOUR, "offline"), (midnight + DAY + HOUR, "available"),
    ):  # fmt: skip
        script.say("agent.presence", at, agent="wang", state=state)
    shop = script.record(database)
    now = midnight + DAY + 2 * HOUR
    report = ask(*shop, "attendance", at=now)
    rows = {row.extra["day"]: row for row in report.rows}
    stays = {day: [(stay.state, stay.start, stay.end) for stay in row.extra["stays"]] for day, row in rows.items()}
    assert stays["2020-12-14"] == [
        ("available", DAY_1 - 3 * HOUR, DAY_1), ("suspended", DAY_1, DAY_1 + HOUR), ("available", DAY_1 + HOUR, DAY_1 + 2 * HOUR),
        ("away", midnight - HOUR, midnight),
    ]  # fmt: skip
    assert stays["2020-12-15"] == [("away", midnight, midnight + 2 * HOUR)]
    assert stays["2020-12-16"] == [("available", midnight + DAY + HOUR, now)]
    times = {day: (row.extra["first_login"], row.extra["last_logout"]) for day, row in rows.items()}
    assert times == {
        "2020-12-14": (DAY_1 - 3 * HOUR, None),  # on duty when the day ended
        "2020-12-15": (None, midnight + 2 * HOUR),
        "2020-12-16": (midnight + DAY + HOUR, None),
    }
    assert [stay.running for row in report.rows for stay in row.extra["stays"]] == [False] * 5 + [True]
    for day in ("2020-12-14", "2020-12-15"):
        spent = sum(end - start for _, start, end in stays[day])
        assert report.values(rows[day].numbers)["login_hours"] == spent / HOUR
    assert report.values(rows["2020-12-14"].numbers)["logins"] == 2
    assert any("持续" in note.zh for note in report.notes)
    alone = ask(*shop, "agent_attendance", agent="wang", at=now)
    assert [row.extra for row in alone.rows] == [
        {key: row.extra[key] for key in ("first_login", "last_logout", "stays")} for row in report.rows
    ]  # fmt: skip
    spoken = report.as_json()["rows"][0]
    assert spoken["first_login"] == "2020-12-14T09:00:00.000+08:00"
    assert spoken["stays"][-1] == {"state": "away", "from": "2020-12-14T23:00:00.000+08:00", "to": "2020-12-15T00:00:00.000+08:00"}


def test_a_day_spent_suspended_keeps_its_sessions(database: Database) -> None:
    """Nothing of such a day is counted as presence."""
    script = Script()
    script.say("agent.presence", DAY_1 - DAY, agent="wang", state="suspended")
    script.session("s1", "wang", DAY_1, [(0, 20)], "c1", order_state="none")
    shop = script.record(database)
    found = ask(*shop, "attendance", FIRST, FIRST, metrics=("consults", "login_hours"), at=DAY_1 + DAY)
    assert [(row.extra["day"], found.values(row.numbers)["consults"], len(row.extra["stays"])) for row in found.rows] == [
        ("2020-12-14", 1, 1)
    ]


# -- filters --


@pytest.mark.parametrize(
    ("options", "consults"),
    [({}, 16), ({"agent": "li"}, 7), ({"agents": ("li", "zhao")}, 8), ({"team": "一组"}, 15),
     ({"team": "一组", "agents": ("li", "zhao")}, 7),
     ({"group": "pre"}, 10), ({"channel": "web"}, 6), ({"channel": "phone"}, 0), ({"group": "after", "agent": "wang"}, 3)],
)  # fmt: skip
def test_filters_hold_in_every_report(shop: tuple[Workspace, StoreInfo], options: dict[str, Any], consults: int) -> None:
    for report in HISTORY:
        if REPORTS[report].needs_agent or REPORTS[report].timeline:
            continue
        assert ask(*shop, report, **options, metrics=("consults",)).total()["consults"] == consults, report


@pytest.mark.parametrize("seed", [41, 42])
def test_every_filter_against_a_recomputation(database: Database, seed: int) -> None:
    events = random_stream(seed, 80)
    store = open_store(database, "shop", "Asia/Shanghai")
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])
    workspace = Workspace(database, local_owner())
    info = workspace.store("shop")
    counters = recompute(events, "Asia/Shanghai").counters
    days = sorted({key.day for key in counters})
    agents = sorted({key.agent for key in counters if key.agent})[:3]
    group = next(key.group for key in counters if key.group)
    period = (date.fromisoformat(days[0]), date.fromisoformat(days[-1]))
    metrics = ("consults", "received", "first_reply_p90", "avg_reply", "very_satisfied", "neutral", "order_amount", "orders")
    for options, keep in (
        ({"agents": tuple(agents)}, lambda key: key.agent in agents),
        ({"group": group}, lambda key: key.group == group),
        ({"channel": "web"}, lambda key: key.channel == "web"),
        ({"channel": "web", "group": group, "population": "assessed"},
         lambda key: key.channel == "web" and key.group == group and assessed(key)),
        ({"population": "assessed", "agents": tuple(agents)}, lambda key: key.agent in agents and assessed(key)),
    ):  # fmt: skip
        wanted = total_row([select(counters, keep)], "7d", metrics)
        for report in ("store", "daily", "compare"):
            if report != "store" and "agents" not in options:
                continue
            found = workspace.reports.ask(info, Question(report, *period, window="7d", metrics=metrics, **options))
            assert_like(found.total(), wanted)


def test_the_mean_of_hours_divides_by_all_that_have_any_data(database: Database) -> None:
    events = random_stream(43, 200)
    store = open_store(database, "shop", "Asia/Shanghai")
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])
    workspace = Workspace(database, local_owner())
    counters = recompute(events, "Asia/Shanghai").counters
    days = sorted({key.day for key in counters})
    period = (date.fromisoformat(days[0]), date.fromisoformat(days[-1]))
    of_groups = {key: counts for key, counts in counters.items() if key.group}
    for report, by, rows in (
        ("store", "halfhour", grouped(counters, lambda key: key.slot // 6)),
        ("group_halfhours", None, grouped(of_groups, lambda key: (key.group, key.slot // 6))),
    ):
        asked = Question(report, *period, by=by, metrics=("transferred_in",))  # type: ignore[arg-type]
        wanted = mean_row(list(rows.values()), "24h", ("transferred_in",))
        assert_like(workspace.reports.ask(workspace.store("shop"), asked).mean(), wanted)


def test_figures_that_are_not_told_apart_have_no_value_and_it_is_said(shop: tuple[Workspace, StoreInfo]) -> None:
    keys = ("consults", "login_hours", "logins", "serving_share", "visitors_online", "connect_rate", "leave_left", "leave_rate")
    presence, visitors, left = {"login_hours", "logins", "serving_share"}, {"visitors_online", "connect_rate"}, {"leave_left", "leave_rate"}
    for report, options, without in (
        ("store", {}, set()),
        ("store", {"group": "pre"}, presence | visitors),
        ("store", {"channel": "app"}, presence | visitors),
        ("store", {"team": "一组"}, visitors | left),
        ("compare", {}, visitors | left),
        ("groups", {}, presence | visitors),
        ("daily", {"group": "pre"}, presence | visitors | left),
    ):
        answer = ask(*shop, report, metrics=keys, **options)  # type: ignore[arg-type]
        figures = [answer.total(), answer.mean(), *(answer.values(row.numbers) for row in answer.rows)]
        for values in figures:
            assert {key for key in without if values[key] is not None} == set()
        assert answer.total().keys() - {key for key, value in answer.total().items() if value is None} >= {"consults"} | (
            presence - without - {"serving_share"}
        )
        said = [note.zh for note in answer.notes if "没有数值" in note.zh]
        assert len(said) == bool(without)
        assert all(METRICS[key].label.zh in said[0] for key in without)


def test_a_setting_of_the_store_is_the_window_unless_another_is_asked_for(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    script = Script()
    line = {"sku": "k", "quantity": 1, "amount_fen": 9900}
    script.say("order.placed", DAY_1 + 3 * DAY + 12 * HOUR, order="o1", customer="c1", lines=[line])
    script.events = [event | {"id": "x" + event["id"]} for event in script.events]
    script.record(workspace.database)
    assert ask(*shop, "sales").total()["orders"] == 0
    workspace.settings.save(store, "order_window", {"window": "7d"})
    answer = ask(*shop, "sales")
    assert (answer.total()["orders"], answer.window) == (1, "7d")
    assert ask(*shop, "sales", window="24h").total()["orders"] == 0


def test_the_assessed_rule_is_the_store_s_own(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    assert ask(*shop, "store_assessed").total()["consults"] == 16
    workspace.settings.save(store, "assessment", {"from": "12:30", "to": "13:00", "leave_out": ["spam", "bot_only"]})
    assert ask(*shop, "store_assessed").total()["consults"] == 3
    assert ask(*shop, "store_overall").total()["consults"] == 16
    assert ask(*shop, "workload", population="assessed").total()["consults"] == 3
    workspace.settings.save(store, "assessment", {"from": "00:00", "to": "24:00", "leave_out": []})
    assert ask(*shop, "store_assessed").total()["consults"] == 16


def test_what_a_report_cannot_heed_is_refused_in_one_sentence(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    for question, word in (
        (Question("live", FIRST), "--from"),
        (Question("live", None, FIRST), "--to"),
        (Question("live", population="assessed"), "--population"),
        (Question("live", agent="wang"), "--agent"),
        (Question("live", team="一组"), "--team"),
        (Question("seats", FIRST, FIRST), "--from、--to"),
        (Question("seats", channel="app"), "--channel"),
        (Question("store", hours=(0, 12)), "--hours"),
        (Question("store", only="unanswered"), "--only"),
        (Question("workload", by="day"), "day"),
        (Question("agent_sales"), "--agent"),
        (Question("workload", team="nobody's"), "nobody's"),
        (Question("workload", agents=("wang", "nobody")), "nobody"),
        (Question("workload", channel="pigeon"), "pigeon"),
    ):
        with pytest.raises(FaultError, match=word):
            workspace.reports.ask(store, question)
    assert [row.key for row in workspace.reports.ask(store, Question("seats", team="一组")).rows] == ["li", "wang"]


# -- notes --


def notes(report: Report) -> str:
    return " ".join(note.zh for note in report.notes)


def test_what_is_said_of_today_and_of_people(shop: tuple[Workspace, StoreInfo]) -> None:
    assert "今天" not in notes(ask(*shop, "store"))
    assert "今天" in notes(ask(*shop, "store", at=DAY_1 + 2 * DAY + HOUR))
    assert "售前接待人数" in notes(ask(*shop, "sales"))
    assert "在线UPV" in notes(ask(*shop, "store"))
    assert ask(*shop, "agent_sales", FIRST, FIRST, agent="wang").notes == []
    assert any("Pre-sale customers" in note.en for note in ask(*shop, "sales").notes)


def test_imported_days_are_told(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    agent = ask(*shop, "compare").rows[0]
    with workspace.database.read() as connection:
        id = connection.execute(schema.agents.select().where(schema.agents.c.code == agent.key)).one().id
    assert "导入" not in notes(ask(*shop, "compare"))
    row = {"store_id": store.id, "day": day_number(FIRST), "agent_id": id, "group_id": 0, "channel": 0, "flag": IMPORTED, "consults": 50}
    with workspace.database.engine.begin() as connection:
        connection.execute(insert(schema.day_counters).values(**row))
    for options, said in (
        ({}, "没有可点开的会话"),
        ({"metrics": ("first_reply_p90",)}, "没有首次响应P90"),
        ({"population": "assessed"}, "不计入考核"),
        ({"group": "pre"}, "不分咨询组"),
    ):
        assert said in notes(ask(*shop, "workload", **options)), options  # type: ignore[arg-type]
    assert "没有时段" in notes(ask(*shop, "store", by="hour"))
    assert "导入" not in notes(ask(*shop, "workload", agent="wang"))
    assert "导入" not in notes(ask(*shop, "workload", date(2020, 12, 15), date(2020, 12, 16)))


# -- figures for charts --


def test_one_agent_against_the_team(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    band = workspace.reports.team_band(store, Question("agent_workload", *DAYS, agent="wang"), "consults")
    assert list(band) == ["2020-12-14", "2020-12-15", "2020-12-16"]
    first = band["2020-12-14"]
    assert first is not None  # wang 4, li 2 of 一组; zhao is of another team
    assert (first.low, first.median, first.high) == (2.5, 3.0, 3.5)
    whole = workspace.reports.team_band(store, Question("agent_workload", *DAYS, agent="zhao"), "consults")["2020-12-14"]
    assert whole is not None  # alone in the team: everyone
    assert whole.median == 2.0
    by_week = workspace.reports.team_band(store, Question("agent_workload", *DAYS, agent="wang", by="week"), "answer_rate")
    assert list(by_week) == ["2020-W51"]
    week = by_week["2020-W51"]
    assert week is not None
    assert (week.low, week.high) == (pytest.approx(0.625 + 0.25 * (5 / 7 - 0.625)), pytest.approx(0.625 + 0.75 * (5 / 7 - 0.625)))


def test_heat_is_of_a_mean_weekday(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    script = Script()
    for i in range(3):
        script.session(f"w{i}", "wang", DAY_1 + 7 * DAY + i * 1000, [(0, 5)])
    script.events = [event | {"id": "h" + event["id"]} for event in script.events]
    script.record(workspace.database)
    two_weeks = Question("store", FIRST, date(2020, 12, 27))
    counts, rates = (workspace.reports.heat(store, two_weeks, key) for key in ("consults", "answer_rate"))
    assert [len(counts), *map(len, counts)] == [7, *[24] * 7]
    assert counts[0][12] == (7 + 3) / 2  # two Mondays
    assert counts[0][3] == 0
    assert counts[1][12] == 3.0
    assert counts[4] == [None] * 24  # no Friday has any data
    assert rates[0][12] == (4 + 3) / 10
    assert rates[0][3] is None


def test_imported_days_do_not_thin_the_heat_map(shop: tuple[Workspace, StoreInfo], tmp_path: Path) -> None:
    workspace, store = shop
    two_weeks = Question("store", FIRST, date(2020, 12, 27))
    before = workspace.reports.heat(store, two_weeks, "consults")
    exported = tmp_path / "exported.csv"
    exported.write_text("日期,客服,咨询量,接待量\n2020-12-21,zhao,50,50\n2020-12-25,zhao,50,50\n", encoding="utf-8")
    workspace.imports.run(workspace.imports.preview(exported, store))
    after = workspace.reports.heat(store, two_weeks, "consults")
    assert after == before
    assert after[0][12] == 7  # of the one Monday that has times
    assert after[4] == [None] * 24  # the Friday has none


def test_the_funnel_of_conversion(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    steps = workspace.reports.conversion_funnel(store, Question("sales", *DAYS))
    assert list(steps) == ["consults", "received", "presale_customers", "order_customers", "orders"]
    assert steps == {key: ask(*shop, "store").total()[key] for key in steps}
    assert workspace.reports.conversion_funnel(store, Question("sales", *DAYS, agent="wang"))["consults"] == 8


def test_the_funnel_is_of_the_same_days_at_every_step(shop: tuple[Workspace, StoreInfo], tmp_path: Path) -> None:
    """Imported consultations have no orders to go with them; what one file says of a whole day has."""
    workspace, store = shop
    before = workspace.reports.conversion_funnel(store, Question("sales", *DAYS))
    next_days = Question("sales", date(2020, 12, 21), date(2020, 12, 27))
    both = Question("sales", FIRST, date(2020, 12, 27))

    def bring(name: str, *lines: str) -> None:
        file = tmp_path / name
        file.write_text("\n".join(lines), encoding="utf-8")
        workspace.imports.run(workspace.imports.preview(file, store))

    bring("work.csv", "日期,客服,咨询量,接待量", "2020-12-21,zhao,50,50", "2020-12-25,zhao,50,40")
    assert workspace.reports.conversion_funnel(store, both) == before
    alone = {"consults": 100, "received": 90, "presale_customers": None, "order_customers": None, "orders": None}
    assert workspace.reports.conversion_funnel(store, next_days) == alone
    assert set(workspace.reports.conversion_funnel(store, Question("sales", date(2021, 3, 1), date(2021, 3, 1))).values()) == {0}
    bring("sales.csv", "日期,客服,售前接待人数,促成下单人数,促成订单数", "2020-12-25,zhao,20,5,6")
    full = {"consults": 50, "received": 40, "presale_customers": 20, "order_customers": 5, "orders": 6}
    assert workspace.reports.conversion_funnel(store, next_days) == full
    assert workspace.reports.conversion_funnel(store, both) == {key: before[key] + value for key, value in full.items()}
    bring("apart.csv", "日期,客服,售前接待人数,促成下单人数,促成订单数", "2020-12-22,zhao,20,5,6")
    assert workspace.reports.conversion_funnel(store, next_days) == full
    two_days = Question("sales", date(2020, 12, 21), date(2020, 12, 22))  # one says the work, the other the sales
    assert set(workspace.reports.conversion_funnel(store, two_days).values()) == {None}
    report = workspace.reports.ask(store, Question("compare", both.first, both.last))
    drawn = workspace.reports.conversion_funnel(store, report.question, report.whole, (*full, "conversion"))
    of_agents = ask(*shop, "compare", *DAYS).total()
    assert drawn["consults"] == of_agents["consults"] + 50
    assert drawn["conversion"] == drawn["order_customers"] / drawn["presale_customers"]


def test_figures_for_charts_ask_for_permission(shop: tuple[Workspace, StoreInfo]) -> None:
    workspace, store = shop
    nobody = Workspace(workspace.database, Actor("nobody", frozenset({"live.view"}))).reports
    for asked in (
        lambda: nobody.team_band(store, Question("agent", *DAYS, agent="wang"), "consults"),
        lambda: nobody.heat(store, Question("store", *DAYS), "consults"),
        lambda: nobody.conversion_funnel(store, Question("store", *DAYS)),
    ):
        with pytest.raises(NotAllowedError):
            asked()
