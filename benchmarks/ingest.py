"""The whole path of `ingest`, from the file to durable rows and exact counters, against only putting the same events into a table.

Both run as programs of their own and report the seconds after opening the database. Batches are of 8,000 events; SQLite runs with a
write-ahead log synced at checkpoints, PostgreSQL with its defaults.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import streams
from benchmarks.harness import Result, paired
from benchmarks.processes import ROOT
from benchmarks.stores import TITLES, fresh

_PEERS = {"sqlite": "executemany", "postgresql": "COPY"}


def run(quick: bool = False) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        stream = streams.write(Path(name), 1 if quick else 3)
        return [_compare(kind, stream, Path(name), 3 if quick else 7) for kind in TITLES]


def _compare(kind: str, stream: streams.Stream, folder: Path, repeats: int) -> Result:
    def ours() -> float:
        return _ingest(stream, fresh(kind, Path(tempfile.mkdtemp(dir=folder))))

    def peer() -> float:
        return _raw(kind, stream, Path(tempfile.mkdtemp(dir=folder)))

    rate, raw = paired(ours, peer, repeats)
    return Result(
        "ingest",
        f"{TITLES[kind]}, {stream.events:,} events of a simulated store",
        f"{rate:,.0f} events/s",
        f"{raw:,.0f} rows/s ({_PEERS[kind]}, one index)",
        rate / raw,
        f"1/{raw / rate:.1f}",
        0.1,
        0.2,
        at_least=True,
    )


def _ingest(stream: streams.Stream, url: str) -> float:
    """Events per second."""
    summary = json.loads(_run("main.py", "ingest", str(stream.path), "--db", url, "--format", "json"))
    assert summary["applied"] == stream.events
    return stream.events / float(summary["seconds"])


def _raw(kind: str, stream: streams.Stream, folder: Path) -> float:
    where = fresh(kind, folder)
    if kind == "sqlite":
        where = str(folder / "raw.db")
    return stream.events / float(_run("-m", "benchmarks.raw", kind, str(stream.path), where))


def _run(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
