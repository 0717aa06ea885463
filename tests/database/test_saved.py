"""Saved reports: what may be saved, when it is due by the store's clock, sent once however many send, failures remembered."""

from __future__ import annotations

import csv
import threading
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import update

from app.cli import run
from app.desk.sending import send_due
from app.domain.clock import StoreClock
from app.domain.period import Every, Period
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.services import saved as saved_module
from app.services.listings import Wanted
from app.services.reports import Question
from app.services.saved import RETRY_MS, Body, SavedReport, SavedService
from app.services.workspace import StoreInfo, Workspace
from app.storage import schema
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import open_store
from app.storage.stores import set_clock
from tests.database.test_reports import DAY_1, Script

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"
WEEK = Body.of(Question("workload"), Period("week"))


def moment(text: str, zone: str = SHANGHAI) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def shop(database: Database, zone: str = SHANGHAI) -> tuple[Workspace, StoreInfo]:
    """One session of wang's on Monday, 2020-12-14 at noon in Shanghai."""
    script = Script(zone)
    script.session("s1", "wang", DAY_1, [(0, 20)], "=1+1")
    return script.record(database)


def stand(workspace: Workspace, store: StoreInfo, text: str) -> int:
    at = moment(text, store.zone)
    set_clock(workspace.database, store.id, StoreClock.running(0, at))
    return at


# -- saving --


def test_saved_listed_renamed_and_deleted(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    body = Body.of(Question("daily", agent="wang", by="week", window="7d", metrics=("consults",)), Period("30d"))
    id = workspace.saved.save(store, "  周报  一 ", body, "weekly", str(tmp_path), "csv")
    (found,) = workspace.saved.list(store)
    assert (found.id, found.name, found.body, found.every, found.folder, found.format) == (
        id,
        "周报 一",
        body,
        "weekly",
        str(tmp_path),
        "csv",
    )
    assert (found.author, found.sent_at, found.problem) == ("owner", None, "")
    assert found.words == "客服数据对比 员工日报，近30天"
    workspace.saved.save(store, "另一个", WEEK)
    with pytest.raises(FaultError, match="已有名为 另一个"):
        workspace.saved.change(store, id, "另一个", "", "", "xlsx")
    with pytest.raises(FaultError, match="已有名为 另一个"):
        workspace.saved.save(store, "另一个", WEEK)
    workspace.saved.change(store, id, "改名", "", "", "csv")
    assert [saved.name for saved in workspace.saved.list(store)] == sorted(["另一个", "改名"], key=lambda name: name)
    workspace.saved.delete(store, id)
    with pytest.raises(FaultError, match="已被删除"):
        workspace.saved.delete(store, id)
    assert [saved.name for saved in workspace.saved.list(store)] == ["另一个"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"report": "nothing"}, "没有报表 nothing"),
        ({"report": "store", "colour": "red"}, "看不懂要保存的报表"),
        ({"report": "store", "metrics": "consults"}, "看不懂要保存的报表"),
        ({"report": "store", "by": "year"}, "看不懂要保存的报表"),
        ({"report": "store", "period": {"preset": "soon"}}, "看不懂它的日期范围"),
        ({"report": "store", "metrics": ["charm"]}, "没有这个指标：charm"),
        ({"report": "sessions", "metrics": ["charm"]}, "没有这个指标：charm"),
        ({"report": "workload", "agent": "nobody"}, "没有这个客服：nobody"),
        ({"report": "sessions", "group": "nowhere"}, "没有这个咨询组：nowhere"),
        ({"report": "agent"}, "--agent"),
        ({"report": "workload", "by": "hour"}, "不能按 hour 分"),
        ({"report": "store", "period": {"preset": "custom", "first": "2015-01-01", "last": "2026-01-01"}}, "不能超过十年"),
    ],
)  # fmt: skip
def test_what_could_not_be_asked_is_not_saved(database: Database, body: dict[str, Any], sentence: str) -> None:
    workspace, store = shop(database)
    with pytest.raises(FaultError, match=sentence):
        workspace.saved.save(store, "x", body)
    assert workspace.saved.list(store) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b"])
def test_names_are_short_and_readable(database: Database, name: str) -> None:
    workspace, store = shop(database)
    with pytest.raises(FaultError, match="名称"):
        workspace.saved.save(store, name, WEEK)


def test_a_schedule_needs_a_folder_and_saving_the_permission_to_export(database: Database) -> None:
    workspace, store = shop(database)
    with pytest.raises(FaultError, match="文件夹"):
        workspace.saved.save(store, "x", WEEK, "daily", " ")
    reader = Workspace(database, Actor("reader", frozenset({"history.view"})))
    for forbidden in (
        lambda: reader.saved.save(store, "x", WEEK),
        lambda: reader.saved.change(store, 1, "y", "", "", "xlsx"),
        lambda: reader.saved.delete(store, 1),
    ):
        with pytest.raises(NotAllowedError):
            forbidden()
    id = workspace.saved.save(store, "x", WEEK)
    with pytest.raises(NotAllowedError):
        reader.saved.run(store, id)


def test_one_that_a_newer_version_saved_can_be_seen_and_deleted_but_not_run(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    id = workspace.saved.save(store, "x", WEEK, folder=str(tmp_path))
    with database.write() as connection:
        connection.execute(update(schema.saved_reports).values(body='{"report": "workload", "from_the_future": 1}'))
    with pytest.raises(FaultError, match="没有报表"):
        workspace.saved.run(store, id)
    workspace.saved.delete(store, id)


def test_stores_with_one_folder_do_not_write_over_each_other(database: Database, tmp_path: Path) -> None:
    workspace, _ = shop(database)
    open_store(database, "other", SHANGHAI)
    stores = workspace.stores()
    assert len(stores) == 2
    files = [workspace.saved.run(one, workspace.saved.save(one, "周报", WEEK, folder=str(tmp_path))) for one in stores]
    assert len({file.name for file in files}) == 2
    assert all(file.exists() and one.code in file.name for file, one in zip(files, stores))


def test_the_longest_name_is_written_too(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    files = [workspace.saved.run(store, workspace.saved.save(store, "客" * 99 + end, WEEK, folder=str(tmp_path))) for end in "甲乙"]
    assert len({file.name for file in files if file.exists()}) == 2


# -- due --


@pytest.mark.parametrize(
    ("every", "period", "zone", "now", "first", "last"),
    [
        ("daily", "yesterday", SHANGHAI, "2020-12-15 00:10", "2020-12-14", "2020-12-14"),
        ("daily", "7d", SHANGHAI, "2020-12-15 23:59", "2020-12-08", "2020-12-14"),
        ("weekly", "week", SHANGHAI, "2020-12-21 00:10", "2020-12-14", "2020-12-20"),
        ("weekly", "7d", SHANGHAI, "2020-12-24 09:00", "2020-12-14", "2020-12-20"),
        ("weekly", "week", SHANGHAI, "2021-01-03 23:00", "2020-12-21", "2020-12-27"),
        ("monthly", "month", SHANGHAI, "2021-01-01 00:10", "2020-12-01", "2020-12-31"),
        ("monthly", "last_month", SHANGHAI, "2021-01-31 12:00", "2020-12-01", "2020-12-31"),
        ("monthly", "month", SHANGHAI, "2021-03-31 12:00", "2021-02-01", "2021-02-28"),
        ("monthly", "30d", SHANGHAI, "2021-03-05 12:00", "2021-01-30", "2021-02-28"),
        ("daily", "yesterday", BERLIN, "2020-10-26 00:10", "2020-10-25", "2020-10-25"),  # a day of 25 hours
        ("daily", "yesterday", BERLIN, "2021-03-29 00:10", "2021-03-28", "2021-03-28"),  # a day of 23 hours
        ("daily", "yesterday", BERLIN, "2020-10-25 00:10", "2020-10-24", "2020-10-24"),
    ],
)  # fmt: skip
def test_when_it_comes_round_it_is_about_the_days_completed(
    database: Database, tmp_path: Path, every: Every, period: Any, zone: str, now: str, first: str, last: str
) -> None:
    workspace, store = shop(database, zone)
    workspace.saved.save(store, "x", Body.of(Question("store_overall"), Period(period)), every, str(tmp_path), "csv")
    at = stand(workspace, store, now)
    workspace.saved.send_due(store)
    days = first if first == last else f"{first}_{last}"
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".csv"] == [f"x_{days}.csv"]
    (found,) = workspace.saved.list(store)
    assert (found.sent_at, found.problem) == (at, "")
    assert workspace.saved.due(store) == []


@pytest.mark.parametrize(
    ("every", "sent", "quiet", "due"),
    [
        ("daily", "2020-12-14 12:00", "2020-12-15 00:09:59", "2020-12-15 00:10"),
        ("weekly", "2020-12-14 12:00", "2020-12-21 00:09:59", "2020-12-21 00:10"),
        ("monthly", "2020-12-14 12:00", "2021-01-01 00:09:59", "2021-01-01 00:10"),
        ("monthly", "2021-01-31 12:00", "2021-02-01 00:09:59", "2021-02-01 00:10"),
    ],
)  # fmt: skip
def test_it_is_due_once_a_turn_from_ten_minutes_after_midnight(
    database: Database, tmp_path: Path, every: Every, sent: str, quiet: str, due: str
) -> None:
    workspace, store = shop(database)
    workspace.saved.save(store, "x", WEEK, every, str(tmp_path))
    assert len(workspace.saved.send_due(store, moment(sent))) == 1
    assert workspace.saved.due(store, moment(quiet)) == []
    assert [saved.name for saved in workspace.saved.due(store, moment(due))] == ["x"]


def test_missed_turns_are_made_up_for_once_with_the_newest(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    workspace.saved.save(store, "x", Body.of(Question("workload"), Period("yesterday")), "daily", str(tmp_path))
    workspace.saved.send_due(store, moment("2020-12-10 08:00"))
    later = moment("2020-12-15 08:00")
    assert [path.name for path in workspace.saved.send_due(store, later)] == ["x_2020-12-14.xlsx"]
    assert workspace.saved.send_due(store, later + 60_000) == []


def test_without_a_schedule_it_is_never_due(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    workspace.saved.save(store, "x", WEEK, folder=str(tmp_path))
    assert workspace.saved.due(store, moment("2020-12-21 08:00")) == []


# -- sending --


def test_names_that_a_file_name_cannot_tell_apart_have_files_of_their_own(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    stand(workspace, store, "2020-12-22 08:00")
    (elsewhere := tmp_path / "other").mkdir()
    saved, folder = workspace.saved, str(tmp_path)
    ids = [saved.save(store, name, WEEK, folder=folder) for name in ("日报 A", "日报_A", "日报 a")]
    apart = saved.save(store, "日报/A", WEEK, folder=str(elsewhere)), saved.save(store, "日报:A", WEEK, folder=folder, format="csv")
    names = [saved.run(store, id).name for id in (*ids, *apart)]
    tail = "_2020-12-21"
    assert names == [
        f"日报_A{tail}.xlsx", f"日报_A_{ids[1]}{tail}.xlsx", f"日报_a_{ids[2]}{tail}.xlsx", f"日报_A{tail}.xlsx", f"日报_A{tail}.csv",
    ]  # fmt: skip
    # A name that is what another's file is called.
    last = saved.save(store, f"日报_A {ids[1]}", WEEK, folder=folder + "/")
    assert saved.run(store, last).name == f"日报_A_{ids[1]}_{last}{tail}.xlsx"


def test_two_senders_send_it_once(url: str, database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    for number in range(6):
        workspace.saved.save(store, f"x{number}", WEEK, "daily", str(tmp_path), "csv")
    at = moment("2020-12-21 08:00")
    others = [Workspace.open(url, local_owner()) for _ in range(2)]
    lists = [other.saved.due(store, at) for other in others]
    assert [len(found) for found in lists] == [6, 6]
    gate, claims = threading.Barrier(2), []

    def claim(other: Workspace, found: list[Any]) -> None:
        gate.wait(10)
        claims.extend(saved.name for saved in found if other.saved._claim(saved, at))

    threads = [threading.Thread(target=claim, args=pair) for pair in zip(others, lists)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(claims) == [f"x{number}" for number in range(6)]
    for other in others:
        other.close()


def test_a_sender_that_died_does_not_lose_the_report(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    workspace.saved.save(store, "x", WEEK, "daily", str(tmp_path))
    at = moment("2020-12-21 08:00")
    (saved,) = workspace.saved.due(store, at)
    assert workspace.saved._claim(saved, at)
    assert workspace.saved.due(store, at + RETRY_MS - 1) == []
    assert len(workspace.saved.send_due(store, at + RETRY_MS)) == 1
    assert workspace.saved.list(store)[0].problem == ""


def test_a_report_that_takes_longer_than_a_claim_lasts_is_sent_once(
    url: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, store = shop(database)
    workspace.saved.save(store, "x", WEEK, "daily", str(tmp_path))
    begin = stand(workspace, store, "2020-12-21 08:00")
    renewed, claim = threading.Event(), SavedService._claim
    other = Workspace.open(url, local_owner())
    sent_meanwhile = []

    def tell(service: SavedService, saved: SavedReport, at: int) -> bool:
        kept = claim(service, saved, at)
        if at > begin and kept and saved.sent_at is not None:
            renewed.set()
        return kept

    def slow(*arguments: Any, **options: Any) -> None:
        for step in range(1, 4):  # each less than a claim lasts, together more
            set_clock(database, store.id, StoreClock.running(0, begin + step * (RETRY_MS - 1)))
            renewed.clear()
            assert renewed.wait(20)
            if step > 1:
                sent_meanwhile.extend(other.saved.due(store))
        save(*arguments, **options)

    save = saved_module.save
    monkeypatch.setattr(saved_module, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(saved_module, "save", slow)
    monkeypatch.setattr(SavedService, "_claim", tell)
    assert len(workspace.saved.send_due(store)) == 1
    assert sent_meanwhile == []
    found = workspace.saved.get(store, "x")
    assert (found.sent_at, found.problem) == (begin, "")
    assert other.saved.due(store) == []
    assert [thread.name for thread in threading.enumerate() if "claim" in thread.name] == []
    other.close()


def test_a_claim_that_somebody_else_has_taken_stays_theirs(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, store = shop(database)
    workspace.saved.save(store, "x", WEEK, "daily", str(tmp_path))
    begin = stand(workspace, store, "2020-12-21 08:00")
    refused, claim, claims = threading.Event(), SavedService._claim, []

    def tell(service: SavedService, saved: SavedReport, at: int) -> bool:
        kept = claim(service, saved, at)
        if not kept:
            refused.set()
        return kept

    def slow(*_: Any, **__: Any) -> None:
        with database.write() as connection:
            connection.execute(update(schema.saved_reports).values(sent_at=begin + 7))
        assert refused.wait(20)
        claims.append(workspace.saved.get(store, "x").sent_at)

    monkeypatch.setattr(saved_module, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(saved_module, "save", slow)
    monkeypatch.setattr(SavedService, "_claim", tell)
    workspace.saved.send_due(store)
    assert claims == [begin + 7]


def test_a_failure_is_remembered_tried_again_and_forgotten(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    folder = tmp_path / "reports"
    workspace.saved.save(store, "缺文件夹", WEEK, "daily", str(folder))
    workspace.saved.save(store, "好的", WEEK, "daily", str(tmp_path))
    at = moment("2020-12-21 08:00")
    assert [path.parent for path in workspace.saved.send_due(store, at)] == [tmp_path]
    failed = workspace.saved.get(store, "缺文件夹")
    assert failed.problem == f"没有文件夹 {folder}。请新建它，或换一个文件夹重新保存。"
    assert failed.sent_at == at
    assert workspace.saved.send_due(store, at + RETRY_MS - 1) == []
    folder.mkdir()
    (path,) = workspace.saved.send_due(store, at + RETRY_MS)
    assert path == folder / "缺文件夹_2020-12-14_2020-12-20.xlsx"
    assert workspace.saved.get(store, "缺文件夹").problem == ""


def test_one_that_can_no_longer_be_asked_does_not_keep_others_back(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    workspace.saved.save(store, "a", WEEK, "daily", str(tmp_path))
    workspace.saved.save(store, "b", WEEK, "daily", str(tmp_path))
    with database.write() as connection:
        s = schema.saved_reports
        connection.execute(update(s).where(s.c.name == "a").values(body='{"report": "workload", "agent": "gone"}'))
    assert [path.name[0] for path in workspace.saved.send_due(store, moment("2020-12-21 08:00"))] == ["b"]
    assert "gone" in workspace.saved.get(store, "a").problem


def test_written_now_with_what_was_asked(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    stand(workspace, store, "2020-12-15 10:00")
    question = Question("workload", agents=("wang",), window="7d", metrics=("received", "reply_30s_rate"))
    id = workspace.saved.save(store, "按需/报表", Body.of(question, Period("7d", today=True)), folder=str(tmp_path))
    path = workspace.saved.run(store, id)
    assert path == tmp_path / "按需_报表_2020-12-09_2020-12-15.xlsx"
    rows = [[cell for cell in row if cell is not None] for row in openpyxl.load_workbook(path).worksheets[0].values]
    assert ["客服", "名称", "接待量", "30s应答率"] in rows
    assert ["wang", "wang", 1, 1] in rows
    assert ["制表时间", "2020-12-15 10:00:00 (Asia/Shanghai)"] in rows
    assert workspace.saved.list(store)[0].sent_at == moment("2020-12-15 10:00")
    with pytest.raises(FaultError, match="已被删除"):
        workspace.saved.run(store, id + 1)


def test_a_listing_keeps_its_filters_and_its_order(database: Database, tmp_path: Path) -> None:
    script = Script()
    for number, late in enumerate((5, 50, 20)):
        script.session(f"s{number}", "wang", DAY_1 + number, [(0, late)], "=1+1")
    script.session("other", "li", DAY_1, [(0, 5)])
    workspace, store = script.record(database)
    stand(workspace, store, "2020-12-15 10:00")
    body = Body.of(Wanted("sessions", agent="wang", text="s"), Period("yesterday"), "first_reply", True)
    path = workspace.saved.run(store, workspace.saved.save(store, "x", body, folder=str(tmp_path), format="csv"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["会话"] for row in rows] == ["s1", "s2", "s0"]
    assert {row["客户编号"] for row in rows} == {"'=1+1"}


def test_a_file_of_its_own_is_no_sending(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    at = stand(workspace, store, "2020-12-15 10:00")
    id = workspace.saved.save(store, "x", WEEK, "weekly", str(tmp_path / "gone"))
    assert workspace.saved.run(store, id, tmp_path / "mine.xlsx") == tmp_path / "mine.xlsx"
    assert [saved.id for saved in workspace.saved.due(store, at)] == [id]
    with pytest.raises(FaultError, match="没有文件夹"):
        workspace.saved.run(store, id)
    assert "没有文件夹" in workspace.saved.list(store)[0].problem


# -- from outside --


def test_the_desk_sends_what_is_due(database: Database, tmp_path: Path) -> None:
    workspace, store = shop(database)
    stand(workspace, store, "2020-12-15 10:00")
    workspace.saved.save(store, "x", Body.of(Question("store"), Period("yesterday")), "daily", str(tmp_path))
    assert send_due(database, "shop") == [tmp_path / "x_2020-12-14.xlsx"]
    assert send_due(database, "shop") == []


def test_the_command_line(url: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace, store = shop(database)
    stand(workspace, store, "2020-12-15 10:00")
    assert run(["saved", "add", "日报", "store", "--db", url, "--days", "yesterday", "--every", "daily", "--folder", str(tmp_path)]) == 0
    assert run(["saved", "add", "错", "nothing", "--db", url]) == 2
    capsys.readouterr()
    assert run(["saved", "run", "--due", "--db", url]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "日报_2020-12-14.xlsx")]
    assert run(["report", "--saved", "日报", "--db", url, "--out", str(tmp_path / "now.xlsx")]) == 0
    assert (tmp_path / "now.xlsx").exists()
    capsys.readouterr()
    assert run(["saved", "list", "--db", url]) == 0
    assert "日报" in capsys.readouterr().out
    assert run(["report", "--db", url]) == 2
    assert run(["saved", "change", "日报", "--db", url]) == 2
    assert run(["saved", "change", "日报", "--name", "每周", "--every", "weekly", "--format", "csv", "--db", url]) == 0
    (changed,) = workspace.saved.list(store)
    assert (changed.name, changed.every, changed.folder, changed.format) == ("每周", "weekly", str(tmp_path), "csv")
    assert changed.body.report == "store"
    assert run(["saved", "change", "每周", "--name", "日报", "--every", "never", "--db", url]) == 0
    assert workspace.saved.due(store) == []
    assert run(["saved", "remove", "日报", "--db", url]) == 0
    assert run(["report", "--saved", "日报", "--db", url]) == 1
    assert "没有名为 日报" in capsys.readouterr().err
