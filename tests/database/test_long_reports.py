"""A report of many rows is written as it is read: the same file as from an answer that is held, in one snapshot, with less memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from app.domain.events import decode
from app.domain.localtime import LocalTime, day_date
from app.domain.metrics import HISTORY_METRICS, total
from app.domain.permissions import local_owner
from app.services import report_rows, sheets
from app.services.report_kinds import REPORTS
from app.services.reports import LongReport, Question, Report
from app.services.workspace import StoreInfo, Workspace
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store
from tests.databases import Fill
from tests.oracle.streams import random_stream

ZONE = "Asia/Shanghai"
AT = 1_709_092_800_000 + 3 * 86_400_000 + 43_140_000  # 23:59 of a day in the middle of the stream
LAST = LocalTime(ZONE).day(AT)
OF_AGENTS = [(name, by) for name, kind in REPORTS.items() if kind.rows == "agent_period" for by in kind.by]
Shop = tuple[Workspace, StoreInfo]


def filled(database: Database) -> None:
    store = open_store(database, "shop", ZONE)
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in random_stream(51, 120)])


@pytest.fixture
def content() -> Fill:
    return filled


@pytest.fixture
def shop(database: Database) -> Shop:
    workspace = Workspace(database, local_owner())
    return workspace, workspace.store("shop")


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_rows, "_AT_ONCE", 3)


def asked(name: str = "daily", **more: Any) -> Question:
    return Question(name, day_date(LAST - 12), day_date(LAST), **{"at": AT + 40 * 86_400_000, **more})


def long(shop: Shop, question: Question) -> LongReport:
    workspace, store = shop
    found = workspace.reports.read(store, question)
    assert isinstance(found, LongReport)
    return found


def written(answer: sheets.Answer, format: sheets.Format) -> Any:
    out = io.BytesIO()
    sheets.write(answer, format, out)
    if format != "xlsx":
        return out.getvalue()
    out.seek(0)
    book = CalamineWorkbook.from_filelike(out)
    return [book.get_sheet_by_index(i).to_python() for i in (0, 1)]


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("format", ["json", "csv", "xlsx"])
@pytest.mark.parametrize(("name", "by"), OF_AGENTS)
def test_the_file_is_the_same(shop: Shop, name: str, by: Any, format: sheets.Format) -> None:
    workspace, store = shop
    question = asked(name, by=by)
    held = workspace.reports.ask(store, question)
    assert len({row.key[:10] for row in held.rows}) > 1
    assert written(long(shop, question), format) == written(held, format)
    if format == "json":
        assert json.loads(written(held, format)) == json.loads(json.dumps(held.as_json()))


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize(
    "more",
    [{"population": "assessed"}, {"window": "15d"}, {"group": "g1"}, {"channel": "app"}, {"metrics": HISTORY_METRICS}, {"at": AT}],
    ids=["assessed", "15d", "group", "channel", "percentile", "today"],
)
@pytest.mark.parametrize("name", ["daily", "attendance"])
def test_total_mean_and_notes_are_the_same_under_every_filter(shop: Shop, name: str, more: dict[str, Any]) -> None:
    workspace, store = shop
    groups = {code for code, _ in workspace.listings.offered(store).groups}
    if "group" in more:
        more = {"group": min(groups)}
    held = workspace.reports.ask(store, asked(name, **more))
    with long(shop, asked(name, **more)).reading(int) as reading:
        assert (reading.total, reading.mean, reading.notes) == (held.total(), held.mean(), held.notes)
        assert reading.length == len(held.rows)
        assert list(reading.rows) == list(held.rows)


@pytest.mark.usefixtures("few_at_once")
def test_what_is_written_meanwhile_is_in_neither_total_nor_rows(shop: Shop, database: Database) -> None:
    workspace, store = shop
    before = workspace.reports.ask(store, asked())
    with long(shop, asked()).reading(int) as reading:
        Recorder(database, store.id).record([decode(json.dumps(event).encode()) for event in random_stream(52, 60)])
        rows = list(reading.rows)
    assert workspace.reports.ask(store, asked()).total() != before.total()
    assert reading.total == before.total() == before.values(total(row.numbers for row in rows))


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("format", ["json", "csv", "xlsx"])
@pytest.mark.parametrize("looks", [1, 5])
def test_taken_back_while_rows_are_read_it_leaves_nothing(shop: Shop, tmp_path: Path, format: sheets.Format, looks: int) -> None:
    (folder := tmp_path / "out").mkdir()
    stop = Event()
    told: list[int] = []

    def tell(done: int, count: int | None) -> None:
        told.append(done)
        if len(told) == looks:
            stop.set()

    with pytest.raises(FaultError) as fault:
        sheets.save(long(shop, asked()), format, folder / f"out.{format}", tell=tell, stop=stop)
    assert fault.value.kind == "cancelled"
    assert len(told) == looks
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("few_at_once")
def test_progress_knows_the_end_once_the_total_is_known(shop: Shop) -> None:
    workspace, store = shop
    told: list[tuple[int, int | None]] = []
    sheets.write(long(shop, asked()), "csv", io.BytesIO(), tell=lambda done, count: told.append((done, count)))
    rows = len(workspace.reports.ask(store, asked()).rows)
    assert told[0] == (0, None)
    assert told[-2:] == [(0, rows), (rows, rows)]


@pytest.mark.usefixtures("few_at_once")
def test_rows_are_let_go_of_as_they_are_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    alive, most = 0, 0
    made: Callable[..., list[Any]] = report_rows._made

    class Part(list[Any]):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def counted(*arguments: Any) -> list[Any]:
        nonlocal alive, most
        alive, most = alive + 1, max(most, alive + 1)
        return Part(made(*arguments))

    monkeypatch.setattr(report_rows, "_made", counted)
    with long(shop, asked()).reading(int) as reading:
        seen = sum(1 for _ in reading.rows)
    assert seen > 12
    assert most <= 2


def test_a_short_one_is_simply_held(shop: Shop) -> None:
    workspace, store = shop
    assert isinstance(workspace.reports.read(store, asked()), Report)
    assert isinstance(workspace.reports.read(store, asked("compare")), Report)


def test_the_connection_is_free_again(shop: Shop, few_at_once: None) -> None:
    def broken(rows: Iterator[Any]) -> None:
        next(rows)
        raise RuntimeError("the disk is full")

    for _ in range(40):  # more than the pool has
        with pytest.raises(RuntimeError), long(shop, asked()).reading(int) as reading:
            broken(iter(reading.rows))
    assert written(long(shop, asked()), "csv")
