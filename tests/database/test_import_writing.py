"""How an import is written: whole or not at all, in parts as if at once, announced, with permission, and mended by the doctor."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.counters import IMPORTED
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.services.workspace import Workspace
from app.storage import imported as imported_module
from app.storage.doctor import examine, repair_counters
from app.storage.faults import FaultError
from tests.database.imports import DAY, assert_sound, bring, command, compare
from tests.exports import csv_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shop(url: str) -> Any:
    workspace = Workspace.open(url, local_owner())
    workspace.create_store("shop", "shop")
    yield workspace
    workspace.close()


def agent_days(folder: Path, count: int) -> Path:
    return csv_file(folder / "2026-08-25.csv", [["客服", "咨询量", "接待量"], *([f"客服{n}", n + 1, n] for n in range(count))])


def test_the_doctor_finds_and_mends_imported_counters(shop: Workspace, tmp_path: Path) -> None:
    store = shop.store(None)
    shop.imports.run(shop.imports.preview(agent_days(tmp_path, 3), store))

    def held() -> list[Any]:
        with shop.database.read() as connection:
            return [
                sorted(connection.execute(text(f"SELECT day, agent_id, {names} FROM {table}")).all(), key=str)
                for table, names in (
                    ("day_counters", "consults, received"), ("agent_days", "consults, received"), ("imported_gaps", "unsaid_first_reply"),
                )
            ]  # fmt: skip

    before = held()
    assert [row[-1] for row in before[2]] == [None, 1, 2]
    for damage in (
        "UPDATE day_counters SET consults = consults + 1", "DELETE FROM day_counters", "DELETE FROM agent_days",
        "DELETE FROM imported_gaps", "UPDATE imported_gaps SET unsaid_first_reply = 5",
    ):  # fmt: skip
        with shop.database.write() as connection:
            connection.execute(text(damage))
        assert any(finding.level == "fault" for finding in examine(shop.database)), damage
        repair_counters(shop.database, store.id)
        assert held() == before
        assert not any(finding.level == "fault" for finding in examine(shop.database))


def test_a_cancelled_import_leaves_nothing(shop: Workspace, tmp_path: Path) -> None:
    store = shop.store(None)
    preview = shop.imports.preview(agent_days(tmp_path, 5_000), store)
    stop = Event()
    seen: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        seen.append((done, total))
        if len(seen) == 2:
            stop.set()

    with pytest.raises(FaultError) as told:
        shop.imports.run(preview, tell=tell, stop=stop)
    assert told.value.kind == "cancelled"
    assert 0 < seen[1][0] < seen[1][1]
    assert shop.imports.history(store) == []
    with shop.database.read() as connection:
        for table in ("agents", "imported_days", "imported_gaps", "day_counters", "agent_days", "changes"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0, table


def test_permission_is_asked_for(shop: Workspace, tmp_path: Path) -> None:
    guest = Workspace(shop.database, Actor("guest", frozenset({"history.view"})))
    store = guest.store(None)
    asked = (
        lambda: guest.imports.preview(agent_days(tmp_path, 1), store),
        lambda: guest.imports.history(store),
        lambda: guest.imports.undo(store, 1),
    )
    for ask in asked:
        with pytest.raises(NotAllowedError):
            ask()


def test_an_import_is_announced_with_what_it_touches(shop: Workspace, tmp_path: Path) -> None:
    store = shop.store(None)
    notices = shop.notices(store.id)
    try:
        done = shop.imports.run(shop.imports.preview(agent_days(tmp_path, 2), store))
        (notice,) = notices.wait(5)
        assert notice.topics == {"agents", "past", "sessions"}
        assert len(notice.agents or ()) == 2
        shop.imports.undo(store, done.id)
        assert [notice.topics for notice in notices.wait(5)] == [{"past", "sessions"}]
    finally:
        notices.close()


KILLED = """
import os, sys
from app.cli import run
from app.storage import imported
real = imported.announce
def announce(*arguments):
    real(*arguments)
    os.kill(os.getpid(), 9)
imported.announce = announce
sys.exit(run(sys.argv[1:]))
"""


def test_a_process_killed_before_its_commit_leaves_nothing(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring(capsys, url, csv_file(tmp_path / "2026-08-24.csv", [["客服", "咨询量", "接待量"], ["客服1", 7, 7]]))
    before = compare(capsys, url, DAY - timedelta(days=1), DAY)
    command_line = [sys.executable, "-c", KILLED, "import", str(agent_days(tmp_path, 3_000)), "--db", url, "--store", "shop"]
    died = subprocess.run(command_line, cwd=ROOT, capture_output=True, env=dict(os.environ), check=False)
    assert died.returncode == -9, died.stderr.decode()
    assert compare(capsys, url, DAY - timedelta(days=1), DAY) == before
    assert len(command(capsys, "import", "--list", "--db", url, "--format", "json")) == 1
    assert_sound(url)
    assert bring(capsys, url, agent_days(tmp_path, 3_000))["days"] == 3_000
    assert_sound(url)


def test_a_large_file_is_written_and_undone_in_parts_as_if_at_once(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files over the same days of agents, in parts of seven: what holds is what it is in one part."""
    store = shop.store("shop")
    head = ["客服", "日期", "咨询量", "接待量", "满意率", "评价量"]
    days = [f"2026-01-{day:02}" for day in range(1, 11)]
    first = [[f"a{n}", day, 10 + n, 9, "90%", 5] for n in range(5) for day in days]
    second = [[f"a{n}", day, 20 + n, 20] for n in range(1, 6) for day in days[3:]]
    files = csv_file(tmp_path / "1.csv", [head, *first]), csv_file(tmp_path / "2.csv", [head[:4], *second])

    def counted() -> list[Any]:
        with shop.database.read() as connection:
            named = "SELECT day, agent_id, consults, received, rated, satisfied FROM day_counters WHERE flag = :flag ORDER BY day, agent_id"
            return [tuple(row) for row in connection.execute(text(named), {"flag": IMPORTED})]

    def run_through() -> tuple[list[Any], list[Any], Any]:
        done = [shop.imports.run(shop.imports.preview(file, store)) for file in files]
        both = counted()
        changed = tuple(each.changed for each in done), shop.imports.undo(store, done[1].id)
        one = counted()
        shop.imports.undo(store, done[0].id)
        assert counted() == []
        return both, one, changed

    whole = run_through()
    monkeypatch.setattr(imported_module, "_TOGETHER", 7)
    assert run_through() == whole
    assert len(whole[0]) == 57
    assert whole[2] == ((50, 35), 35)
