"""A hundred thousand rows as files: the daily figures of agents and a list of sessions, to Excel and CSV, with time and peak memory.

Ours asks the service and writes with types, formats, notes and neutralised texts. The peer is handed the same cells ready made, one row at
a time, and writes them as somebody would who wants a file: openpyxl in its write-only mode, or the csv module. Each run is a process
of its own and done once: it takes tens of seconds.
"""

from __future__ import annotations

import csv
import json
import pickle
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from app.domain.conversation import ONLINE
from app.domain.counters import FIRST_REPLY_BINS, SUM_FIELDS
from app.domain.localtime import DAY_MS, day_date
from app.domain.permissions import local_owner
from app.services import sheets
from app.services.reports import LongReport, Question
from app.services.workspace import Workspace
from app.storage import schema
from app.storage.agent_days import KEYS
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.packing import pack_facts
from app.storage.recorder import open_store
from benchmarks.harness import Result, paired

AGENTS = 500
STORE = "large"
DAYS, QUICK_DAYS = 200, 20
FIRST_DAY = 20_003
_COUNT = 40
"""The largest count of an agent's day; durations are counts of it in seconds."""
_WHAT = {"daily": "员工日报, all its columns", "sessions": "sessions, all columns"}


def run(quick: bool = False) -> list[Result]:
    days = QUICK_DAYS if quick else DAYS
    found = []
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        folder = Path(name)
        fill(str(folder / "store.db"), days)
        for report, what in _WHAT.items():
            _keep_cells(folder, report, days)
            for format in ("xlsx", "csv"):
                peak: dict[str, list[float]] = {"ours": [], "peer": []}

                def measure(side: str, report: str = report, format: str = format, peak: dict[str, list[float]] = peak) -> float:
                    seconds, megabytes = _process(side, folder, report, format, days)
                    peak[side].append(megabytes)
                    return seconds

                mine, theirs = paired(lambda m=measure: m("ours"), lambda m=measure: m("peer"), 1)  # type: ignore[misc]
                rows = AGENTS * days
                who = "openpyxl write-only" if format == "xlsx" else "csv.writer"
                theirs_at_most = max(peak["peer"])
                found.append(
                    Result(
                        "export", f"{what}, {rows:,} rows to {format}",
                        f"{mine:.1f} s, +{max(peak['ours']):,.0f} MB", f"{theirs:.1f} s, +{theirs_at_most:,.0f} MB ({who})",
                        mine / theirs, f"{mine / theirs:.2f} × the time", None, None,
                    )
                )  # fmt: skip
    return found


def main(side: str, folder: Path, report: str, format: str, days: int) -> None:
    """Prints seconds and the growth of this process at its peak, MB."""
    process = psutil.Process()
    out = folder / f"out.{format}"
    workspace = Workspace.open(str(folder / "store.db"), local_owner())
    store = workspace.store(None)
    before = process.memory_info().rss
    started = time.perf_counter()
    if side == "ours":
        sheets.save(_answer(workspace, report, days), format, out, store=store)  # type: ignore[arg-type]
    else:
        _plain(_cells(folder / f"{report}.cells"), format, out)
    seconds = time.perf_counter() - started
    workspace.close()
    print(json.dumps([seconds, (_peak(process) - before) / 1e6]))


def _process(side: str, folder: Path, report: str, format: str, days: int) -> tuple[float, float]:
    arguments = [sys.executable, "-m", "benchmarks.export", side, str(folder), report, format, str(days)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, megabytes


def _peak(process: psutil.Process) -> int:
    """Bytes resident at most so far, from what the system keeps of a process."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would begin with what the process that started this one had
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    information = process.memory_info()
    if hasattr(information, "peak_wset"):
        return int(information.peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def _answer(workspace: Workspace, report: str, days: int) -> sheets.Answer:
    question = Question(report, day_date(FIRST_DAY), day_date(FIRST_DAY + days - 1))
    store = workspace.store(None)
    if report == "sessions":
        return workspace.listings.ask(store, question, told=True)
    return workspace.reports.read(store, question)


def _keep_cells(folder: Path, report: str, days: int) -> None:
    """The cells of the file, for the peer: a pickle a row, so that it need not hold them."""
    workspace = Workspace.open(str(folder / "store.db"), local_owner())
    answer = _answer(workspace, report, days)
    if isinstance(answer, LongReport):
        answer = workspace.reports.ask(workspace.store(None), answer.question)
    sheet = sheets.sheet_of(answer)
    with (folder / f"{report}.cells").open("wb") as out:
        pickle.dump([str(column.label) for column in sheet.columns], out)
        for row in (*sheet.summary, *sheet.rows):
            pickle.dump(list(row), out)
    workspace.close()


def _cells(path: Path) -> Iterator[list[Any]]:
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)  # of this benchmark's own making
            except EOFError:
                return


def _plain(rows: Iterator[list[Any]], format: str, out: Path) -> None:
    if format == "csv":
        with out.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)
        return
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    page = book.create_sheet("Data")
    for row in rows:
        page.append(row)
    book.save(out)


def fill(url: str, days: int, sessions: bool = True) -> None:
    """Every agent has every counter on every day, and one session on each if wanted."""
    rng = random.Random(1)
    database = Database(url)
    store = open_store(database, STORE, "UTC", "Large")
    try:
        with database.write() as connection:
            bulk = Bulk(connection)
            people = [(n, store, f"a{n:04}", f"客服{n:04}", f"t{n % 10}") for n in range(1, AGENTS + 1)]
            bulk.insert(schema.agents, ("id", "store_id", "code", "name", "team"), people)
            bulk.insert(schema.customers, ("id", "store_id", "code"), [(n, store, f"c{n}") for n in range(1, AGENTS * 10)])
            bulk.close()
        for day in range(FIRST_DAY, FIRST_DAY + days):
            with database.write() as connection:
                bulk = Bulk(connection)
                bulk.insert(
                    schema.agent_days, (*KEYS, *SUM_FIELDS, *FIRST_REPLY_BINS),
                    [(store, 0, 1, day, n, *_counts(rng)) for n in range(1, AGENTS + 1)],
                )  # fmt: skip
                if sessions:
                    bulk.insert(schema.sessions, _SESSION, [_session(rng, store, day, n) for n in range(1, AGENTS + 1)])
                bulk.close()
    finally:
        database.close()


def _counts(rng: random.Random) -> list[int | None]:
    sums: list[int | None] = [
        rng.randrange(1, _COUNT) * (1000 if name.endswith("_ms") else 1) if rng.random() < 0.9 else None for name in SUM_FIELDS
    ]
    return sums + [rng.randrange(1, 3) if i % 6 == 0 else None for i in range(len(FIRST_REPLY_BINS))]


_SESSION = (
    "id", "store_id", "code", "customer_id", "agent_id", "kind", "opened_at", "day", "closed_at", "first_customer_at", "first_reply_ms",
    "turns", "turn_ms", "agent_messages", "customer_messages", "rating", "facts",
)  # fmt: skip
_NO_FACTS = pack_facts(())


def _session(rng: random.Random, store: int, day: int, agent: int) -> tuple[Any, ...]:
    at, number = day * DAY_MS + rng.randrange(DAY_MS - 600_000), (day - FIRST_DAY) * AGENTS + agent
    reply, turns = rng.randrange(1000, 90_000), rng.randrange(1, 9)
    return (
        number, store, f"s{number}", rng.randrange(1, AGENTS * 10), agent, ONLINE, at, day, at + 600_000, at, reply, turns, turns * 20_000,
        turns, turns + 1, rng.randrange(6), _NO_FACTS,
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
