"""A console or a feed hangs in the middle of writing: `pytest -m campaign -s tests/campaigns/test_hung_writers.py`."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.storage.database import PROCESS
from tests.database.routing_processes import ROOT, EngineProcess, Source, holding_up
from tests.databases import fresh

PATIENCE_SECONDS = 5.0
_SENDING_SECONDS = 20.0
"""For who stops while they send rows: a slow line is given 15 s for each 64 kB."""
TIMES = int(os.environ.get("KEFU_CAMPAIGN_HUNG", "10"))
_FED = 50

pytestmark = [pytest.mark.campaign, pytest.mark.skipif(os.name == "nt", reason="POSIX signals")]


def _feed(source: Source, url: str, folder: Path, messages: int = 1) -> tuple[list[str], Callable[[], int], int]:
    now = time.time_ns() // 1_000_000
    lines: list[dict[str, object]] = []
    for n in range(_FED):
        about = {"at": now, "session": f"fed{n}"}
        lines.append({"id": f"f{n}", "type": "session.opened", "customer": f"k{n}", "kind": "online", **about})
        for m in range(messages):
            lines.append({"id": f"m{n}/{m}", "type": "message.sent", "sender": "customer", "text": "在吗" * 50, **about})
    file = folder / "fed.ndjson"
    file.write_text("\n".join(map(json.dumps, lines)))
    fed = "SELECT count(*) FROM sessions WHERE store_id = :store AND code LIKE 'fed%'"
    return ["ingest", str(file), "--db", url, "--store", source.code], lambda: source.rows(fed)[0][0], _FED


def _save(source: Source, url: str, folder: Path) -> tuple[list[str], Callable[[], int], int]:
    body = source.workspace.settings.get(source.info, "agents").body
    file = folder / "agents.json"
    file.write_text(json.dumps({"agents": [{**agent, "capacity": 2} for agent in body["agents"]]}))
    saved = "SELECT max(revision) - 1 FROM settings_revisions WHERE store_id = :store AND document = 'agents'"
    return ["settings", "set", "agents", "--db", url, "--file", str(file)], lambda: source.rows(saved)[0][0], 1


@pytest.mark.parametrize("work", [_feed, _save])
def test_one_who_hangs_in_the_middle_of_writing_does_not_hold_up_the_engine(
    work: Callable[[Source, str, Path], tuple[list[str], Callable[[], int], int]], tmp_path: Path
) -> None:
    _tell(sorted(_hang(work, seed, tmp_path) for seed in range(TIMES)))


def test_nor_does_one_who_hangs_while_sending_rows(tmp_path: Path) -> None:
    """For the server they are at it: only the engine can tell."""
    _tell(sorted(_hang(_feed_much, seed, tmp_path) for seed in range(TIMES)), _SENDING_SECONDS)


def _feed_much(source: Source, url: str, folder: Path) -> tuple[list[str], Callable[[], int], int]:
    return _feed(source, url, folder, messages=2_000)


def _tell(took: list[float], patience: float = PATIENCE_SECONDS) -> None:
    print(f"\n{took[0]:.2f} s, median {statistics.median(took):.2f} s, at most {took[-1]:.2f} s")
    assert took[-1] < patience


def _hang(work: Callable[[Source, str, Path], tuple[list[str], Callable[[], int], int]], seed: int, tmp_path: Path) -> float:
    """Seconds until the engine decides what comes after somebody has stopped; what they were at is there once in the end."""
    folder = tmp_path / str(seed)
    folder.mkdir()
    url = fresh("postgresql", folder)
    source = Source(url, seed)
    engine = EngineProcess(url)
    engine.wait_for("shop")
    source.settle()
    arguments, done, whole = work(source, url, folder)
    command = [sys.executable, str(ROOT / "main.py"), "--language", "en", *arguments]
    with holding_up(source) as (_, wait_for):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder)
        wait_for(f"{PROCESS} {process.pid} %")
        if work is not _feed_much:
            os.kill(process.pid, signal.SIGSTOP)
    if work is _feed_much:
        _stop_while_sending(source, process.pid)
    before, hung = done(), time.monotonic()
    source.wait_for_decision(source.arrive(), seconds=2 * _SENDING_SECONDS)
    took = time.monotonic() - hung
    os.kill(process.pid, signal.SIGCONT)
    _, said = process.communicate()
    if work is _feed:  # which records again what was ended for its silence
        assert process.returncode == 0, said
        assert done() == whole
    else:
        assert process.returncode == 1
        assert work is _feed_much or "nothing of it was saved. Try again." in said
        assert done() == before
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    assert done() == whole
    source.settle()
    engine.end()
    source.check_all()
    source.close()
    return took


def _stop_while_sending(source: Source, pid: int) -> None:
    """Again and again until the server waits for the rest of its rows."""
    waits = "state = 'active' AND wait_event = 'ClientRead'"
    sending = f"SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '{PROCESS} {pid} %' AND {waits}"
    end = time.monotonic() + 30
    while True:
        assert time.monotonic() < end
        if source.rows(sending)[0][0]:
            os.kill(pid, signal.SIGSTOP)
            seen = [source.rows(sending)[0][0] for _ in range(20)]  # what it had sent before has arrived by then
            if all(seen):
                return
            os.kill(pid, signal.SIGCONT)
