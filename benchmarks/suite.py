"""The benchmarks by name, their table, and docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Result

# Name on the command line → module with `run(quick: bool) -> list[Result]`.
BENCHMARKS = {
    "start": "benchmarks.start",
    "memory": "benchmarks.memory",
    "ingest": "benchmarks.ingest",
    "size": "benchmarks.size",
    "search": "benchmarks.search",
    "pixel": "benchmarks.pixel",
    "stall": "benchmarks.stall",
    "long_table": "benchmarks.long_table",
    "seats_refresh": "benchmarks.seats_refresh",
    "live_refresh": "benchmarks.live_refresh",
    "demo": "benchmarks.demo",
    "compare": "benchmarks.compare",
    "export": "benchmarks.export",
    "order_window": "benchmarks.order_window",
    "replay": "benchmarks.replay",
    "assessed_hours": "benchmarks.assessed_hours",
    "by_hour": "benchmarks.by_hour",
    "routing": "benchmarks.routing",
    "routing_engine": "benchmarks.routing_engine",
}
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_MARK = "<!-- {} -->"


def run_all(names: Sequence[str] = (), quick: bool = False, write: bool = False) -> list[Result]:
    """Runs the named benchmarks (all without names), prints a table of each; `write` puts them into docs/benchmarks.md."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise click.UsageError(f"no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    console = Console()
    found: list[Result] = []
    for name in names or BENCHMARKS:
        started = time.monotonic()
        results: list[Result] = import_module(BENCHMARKS[name]).run(quick)
        found += results
        console.print(_table(name, results, time.monotonic() - started))
        if write:
            _write(name, results, quick)
    return found


def _table(name: str, results: Sequence[Result], seconds: float) -> Table:
    table = Table(title=f"{name} ({seconds:.0f} s)", header_style="bold")
    for heading in ("what", "ours", "against", "result", "must (aim)", "reached"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for r in results:
        table.add_row(r.what, r.ours, r.peer, r.shown, r.limits, r.verdict)
    return table


def _write(name: str, results: Sequence[Result], quick: bool) -> None:
    """Replaces this benchmark's section, between its two marks; a new one goes to the end."""
    start, end = _MARK.format(name), _MARK.format("/" + name)
    machine = f"{os.cpu_count()} cores, {psutil.virtual_memory().total >> 30} GiB, {platform.system()}, Python {platform.python_version()}"
    lines = [
        start,
        f"## {name}",
        "",
        f"`python main.py bench {name}{' --quick' if quick else ''}`, {time.strftime('%Y-%m-%d')}, {machine}",
        "",
        "| what | ours | against | result | must (aim) | reached |",
        "|---|--:|--:|--:|--:|--:|",
        *(f"| {r.what} | {r.ours} | {r.peer} | {r.shown} | {r.limits} | {r.verdict} |" for r in results),
        end,
    ]
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else "# Benchmarks\n"
    if start in text:
        head, _, rest = text.partition(start)
        text = head + "\n".join(lines) + rest.partition(end)[2]
    else:
        text = text.rstrip() + "\n\n" + "\n".join(lines) + "\n"
    DOCUMENT.write_text(text, encoding="utf-8")
