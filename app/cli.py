"""The command line: each command parses, asks a service, prints. Exit code 0 success, 1 a refusal with one sentence, 2 wrong usage.

Heavy modules are imported inside the commands, so that `--help` and the console start fast.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from app.domain.language import set_language, tr

if TYPE_CHECKING:
    from app.domain.localtime import LocalTime
    from app.services.reports import Listing, Report
    from app.services.workspace import Workspace
    from app.storage.database import Database

DEMO_DATABASE = "demo.db"
_REPORTS = ("live", "seats", "store", "compare", "agent", "groups", "orders", "sessions")


class Screen(Protocol):
    """What needs one; the core never imports it, `main.py` hands it in."""

    def console(self, url: str | None = None, store: str = "", engine: Sequence[str] = ()) -> int:
        """Runs the console until it is closed; returns the exit code."""

    def take(self, out: Path, url: str | None, pages: Sequence[str]) -> Iterable[Path]:
        """Pictures of pages, each path as it is written."""


def run(arguments: list[str], screen: Screen | None = None) -> int:
    """Runs one command and returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe on Windows may know neither ✓ nor Chinese
    try:
        main.main(args=arguments, prog_name="main.py", standalone_mode=False, obj=screen)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        error.show()
        return 2
    except click.Abort:
        return 130
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return 1
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:  # of standard output: files and databases have their own sentences
        _drop_output()
        click.echo(tr(f"无法输出：{error.strerror}", f"Cannot print: {error.strerror}"), err=True)
        return 1
    return 0


def _drop_output() -> None:
    """What is still held back for standard output would fail again at the end of the program."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns what a person can act on into one sentence and exit code 1."""
    from app.domain.permissions import NotAllowedError
    from app.storage.faults import FaultError

    try:
        yield
    except (FaultError, NotAllowedError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _workspace(url: str, create: bool = False) -> Iterator[Workspace]:
    from app.domain.permissions import local_owner
    from app.services.workspace import Workspace

    with _refusals():
        workspace = Workspace.open(url, local_owner(), create)
        try:
            yield workspace
        finally:
            workspace.close()


@contextmanager
def _database(url: str, create: bool = True) -> Iterator[Database]:
    from app.storage.database import Database

    with _refusals():
        database = Database(url, create)
        try:
            yield database
        finally:
            database.close()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--language", type=click.Choice(["zh", "en"]), help="Language of what is printed (default: zh, or KEFU_LANGUAGE).")
def main(language: str | None) -> None:
    """客服管家 Kefu Manager. Without a command the console opens."""
    chosen = language or os.environ.get("KEFU_LANGUAGE", "zh")
    set_language("en" if chosen == "en" else "zh")


_url = click.option("--db", "url", required=True, metavar="URL", help="An SQLAlchemy URL or the path of a SQLite file.")
_store = click.option("--store", metavar="CODE", help="Store code; not needed where there is only one.")


# -- sources --


@main.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(0, 400), help="Days of history.")
@click.option("--agents", default=24, show_default=True, type=click.IntRange(15, 500), help="Number of agents.")
@click.option("--seed", default=7, show_default=True, help="Another seed is another store.")
@click.option("--db", "url", default=DEMO_DATABASE, show_default=True, metavar="FILE", help="Where the demo store lives.")
@click.option("--speed", type=click.FloatRange(0.1, 1000), help="How much faster than real time the store lives.")
@click.option("--headless", is_flag=True, help="No window: build the store, then keep its engine running.")
@click.option("--build-only", is_flag=True, help="No window and no engine: build the whole store and end.")
@click.pass_obj
def demo(screen: Screen, days: int, agents: int, seed: int, url: str, speed: float | None, headless: bool, build_only: bool) -> None:
    """Build a demo store if there is none, start its live engine, open the console."""
    options = ["--simulate", "--days", str(days), "--agents", str(agents), "--seed", str(seed)]
    if speed is not None:
        options += ["--speed", str(speed)]
    if not headless and not build_only:
        raise click.exceptions.Exit(screen.console(url=url, store="demo", engine=options))
    _simulate(url, "demo", days, agents, seed, speed, build_only, with_parent=False)


@main.command()
@_url
@click.option("--store", default="demo", show_default=True, metavar="CODE", help="Store code.")
@click.option("--simulate", is_flag=True, required=True, help="The source of events: the built-in simulator.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(0, 400), help="Days of history to fill in.")
@click.option("--agents", default=24, show_default=True, type=click.IntRange(15, 500))
@click.option("--seed", default=7, show_default=True)
@click.option("--speed", type=click.FloatRange(0.1, 1000), help="How much faster than real time the store lives.")
@click.option("--parent", is_flag=True, help="End when standard input ends (the console's child does).")
def serve(url: str, store: str, simulate: bool, days: int, agents: int, seed: int, speed: float | None, parent: bool) -> None:
    """The headless engine: lets a source's events into the store as they happen."""
    _simulate(url, store, days, agents, seed, speed, build_only=False, with_parent=parent)


def _simulate(url: str, store: str, days: int, agents: int, seed: int, speed: float | None, build_only: bool, with_parent: bool) -> None:
    from app.desk.engine import stop_with_parent
    from app.desk.simulated import Setup, engine_for
    from app.sources.simulator import Plan

    _collect_rarely()
    with _database(url) as database, _progress(quiet=with_parent) as bar:
        task = bar(tr("生成历史", "Filling in history"), days)

        def told(done: int, total: int) -> None:
            task(done, total)
            if with_parent:  # the console reads this
                click.echo(json.dumps({"progress": [done, total] if done < total else None}))
                sys.stdout.flush()

        engine = engine_for(database, Setup(plan=Plan(seed=seed, agents=agents, store=store), days=days), speed, told)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: engine.stop())
        if with_parent:
            stop_with_parent(engine)
        if build_only:
            engine.catch_up()
        else:
            engine.run()


@main.command()
@click.argument("file", metavar="FILE|-")
@_url
@click.option("--store", metavar="CODE", help="Store of events that name none.")
@click.option("--timezone", "zone", default="Asia/Shanghai", show_default=True, help="Zone of a store that is created.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where bad lines go (default: FILE.rejected.ndjson).")
@click.option("--source", default="ndjson", show_default=True, help="Event ids are unique within a source.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the summary.")
def ingest(file: str, url: str, store: str | None, zone: str, rejects: Path | None, source: str, format_: str) -> None:
    """Feed NDJSON events in from FILE, or from standard input (-). Feeding a file again changes nothing."""
    from app.domain.localtime import LocalTime
    from app.domain.permissions import local_owner
    from app.services.ingest import Ingest, Summary
    from app.storage.faults import FaultError

    _collect_rarely()
    try:
        LocalTime(zone)
    except ValueError as error:
        raise click.ClickException(tr(f"没有时区 {zone!r}；请用 Asia/Shanghai 这样的名称", str(error))) from error
    if file == "-":
        if sys.stdin is None:
            raise click.ClickException(tr("标准输入已关闭", "Standard input is closed"))
        descriptor, size, name = sys.stdin.fileno(), 0, "stdin"
    else:
        try:
            descriptor, size, name = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0)), os.path.getsize(file), file
        except OSError as error:
            raise click.ClickException(tr(f"无法读取 {file}：{error.strerror}", f"Cannot read {file}: {error.strerror}")) from error
    with _database(url) as database, _progress() as bar:
        task = bar(tr("写入事件", "Recording events"), size or None)

        def told(read: int, summary: Summary) -> None:
            task(read, size or None, f"{summary.applied:,}")

        run = Ingest(database, local_owner(), store, zone, rejects or Path(f"{name}.rejected.ndjson"), source)
        try:
            summary = run.run(descriptor, told)
        except FaultError as fault:
            done = run.summary.applied + run.summary.repeated
            if not done:
                raise
            so_far = tr(
                f"此前的 {done:,} 条已保存，再次运行同一命令即可继续。",
                f"The {done:,} events before are saved; run the same command again to go on.",
            )
            raise click.ClickException(f"{fault} {so_far}") from fault
        except OSError as error:
            raise click.ClickException(tr(f"读取 {file} 失败：{error.strerror}", f"Reading {file} failed: {error.strerror}")) from error
    if format_ == "json":
        click.echo(json.dumps(summary.as_dict()))
    else:
        rate = summary.read / summary.seconds if summary.seconds else 0
        click.echo(
            tr(
                f"读取 {summary.read:,}，写入 {summary.applied:,}，重复 {summary.repeated:,}，拒绝 {summary.rejected:,}，"
                f"{summary.seconds:.1f} 秒（{rate:,.0f} 条/秒）",
                f"read {summary.read:,}, applied {summary.applied:,}, repeated {summary.repeated:,}, rejected {summary.rejected:,}, "
                f"{summary.seconds:.1f} s ({rate:,.0f} events/s)",
            )
        )
        if summary.rejected:
            click.echo(tr(f"被拒绝的行：{run.rejects}", f"rejected lines: {run.rejects}"))


def _collect_rarely() -> None:
    """What a recorder remembers is never garbage; looking through it as often as usual takes a fifth of its time."""
    gc.set_threshold(50_000, 20, 50)


# -- reports --


@main.command()
@click.argument("name", type=click.Choice(_REPORTS), metavar="|".join(_REPORTS))
@_url
@_store
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="First day (default: yesterday).")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="Last day, inclusive (default: yesterday).")
@click.option("--agent", metavar="A", help="Agent code.")
@click.option("--group", metavar="G", help="Group code.")
@click.option("--by", type=click.Choice(["day", "week", "month", "hour", "halfhour"]), help="Rows of store and agent (default: day).")
@click.option("--population", type=click.Choice(["overall", "assessed"]), default="overall", show_default=True)
@click.option("--window", type=click.Choice(["24h", "7d", "15d"]), default="24h", show_default=True, help="Order window.")
@click.option("--at", metavar="TIME", help="The moment that counts as now: RFC 3339, or store time without an offset, or epoch ms.")
@click.option("--metrics", metavar="K1,K2", help="Metric keys (default: all).")
@click.option("--format", "format_", type=click.Choice(["table", "json", "csv", "xlsx"]), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write instead of standard output.")
def report(
    name: str, url: str, store: str | None, first: datetime | None, last: datetime | None, agent: str | None, group: str | None,
    by: Any, population: Any, window: Any, at: str | None, metrics: str | None, format_: Any, out: Path | None,
) -> None:  # fmt: skip
    """Print a report. JSON keeps unrounded numbers; rates are fractions."""
    from app.services.reports import LISTINGS, REPORTS, Question
    from app.services.sheets import write

    if format_ == "xlsx" and out is None:
        raise click.UsageError("--format xlsx needs --out FILE")
    kind = (REPORTS | LISTINGS)[name]
    if kind.needs_agent and agent is None:
        raise click.UsageError(f"report {name} needs --agent A")
    if by is not None and by not in kind.by:
        raise click.UsageError(f"report {name} has no --by {by}")
    with _workspace(url) as workspace:
        info = workspace.store(store)
        question = Question(
            name, _day(first), _day(last), agent, group, by, population, window, _moment(at, workspace.local(info)),
            tuple(key.strip() for key in metrics.split(",") if key.strip()) if metrics else (),
        )  # fmt: skip
        answer = workspace.reports.listing(info, question) if name in LISTINGS else workspace.reports.ask(info, question)
        if format_ == "table":
            _print_table(answer, out)
            return
        with _output(out) as target:
            write(answer, format_, target)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _moment(text: str | None, local: LocalTime) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text!r} is neither RFC 3339 nor epoch milliseconds") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=local.zone)
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


@contextmanager
def _output(out: Path | None) -> Iterator[Any]:
    """Standard output, or a file that appears whole or not at all."""
    if out is None:
        if sys.stdout is None:
            raise click.ClickException(tr("标准输出已关闭；请用 --out 指定文件", "Standard output is closed; name a file with --out"))
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = out.with_name(out.name + ".partial")
    try:
        if out.exists() and not out.is_file():  # /dev/stdout, a pipe: written to, not replaced by a file
            with out.open("wb") as file:
                yield file
            return
        try:
            with partial.open("wb") as file:
                yield file
            partial.replace(out)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
    except OSError as error:
        raise click.ClickException(tr(f"无法写入 {out}：{error.strerror}", f"Cannot write {out}: {error.strerror}")) from error


def _print_table(answer: Report | Listing, out: Path | None) -> None:
    """A table; in a terminal that is too narrow for it turned on its side or, with many rows, without its last columns."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from app.domain.metrics import METRICS
    from app.services.sheets import sheet_of

    sheet = sheet_of(answer)

    def texts(row: Sequence[Any]) -> list[str]:
        shown = []
        for column, cell in zip(sheet.columns, row):
            metric = METRICS.get(column.key)
            text = metric.text(cell) if metric else "--" if cell is None else str(cell)
            shown.append("".join(c if c.isprintable() else "�" for c in text))  # nothing that a terminal would obey
        return shown

    grid = [[str(column.label) for column in sheet.columns], *map(texts, sheet.summary), *map(texts, sheet.rows)]
    right = [column.key in METRICS for column in sheet.columns]
    bold = range(1, 1 + len(sheet.summary))
    left_out = 0

    def widths(rows: Sequence[Sequence[str]]) -> list[int]:
        return [max(map(cell_len, column)) + 3 for column in zip(*rows)]

    limit = (
        Console().width if out is None and sys.stdout and sys.stdout.isatty() else None
    )  # a pipe has no width of its own: nothing is cut for it
    if limit is not None and sum(widths(grid)) >= limit:
        turned = [list(row) for row in zip(*grid)] if len(grid) < limit else grid
        if sum(widths(turned)) < limit:
            grid, right, bold = turned, [False] + [True] * (len(grid) - 1), range(0)
        else:
            fitting = 0
            for width in widths(grid):
                limit -= width
                fitting += limit > 0
            left_out = len(right) - max(2, fitting)
            grid = [row[: len(right) - left_out] for row in grid]
    table = Table(title=Text(sheet.title), header_style="bold")
    for label, to_right in zip(grid[0], right):
        table.add_column(Text(label), justify="right" if to_right else "left", no_wrap=True)
    for i, row in enumerate(grid[1:], 1):
        table.add_row(*map(Text, row), style="bold" if i in bold else "")  # Text: brackets and colons in a code are no markup
    if limit is not None:
        Console().print(table)
    else:
        with _output(out) as raw:
            file = io.TextIOWrapper(raw, "utf-8", write_through=True)
            Console(file=file, width=sum(widths(grid)) + 1).print(table)
            file.detach()
    if left_out:
        hint = tr(f"另有 {left_out} 列放不下：请加宽窗口、用 --metrics 选择指标或用 --format csv。",
                  f"{left_out} more columns do not fit: widen the window, choose with --metrics or take --format csv.")  # fmt: skip
        click.echo(hint, err=True)


# -- upkeep --


@main.command()
@_url
def migrate(url: str) -> None:
    """Bring the database to this program's schema (a local file is backed up first), or make it."""
    with _database(url) as database:
        click.echo(tr(f"数据库结构为最新版本 {database.schema_revision()}", f"The schema is at {database.schema_revision()}, the newest"))


@main.command()
@_url
@click.option("--repair", is_flag=True, help="Rebuild counters that differ from their sessions.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def doctor(url: str, repair: bool, format_: str) -> None:
    """Examine a database: schema, integrity, space, and whether every counter equals its recomputation. Exit code 1 on a fault."""
    from app.storage import doctor as practice

    with _database(url, create=False) as database:
        if repair:
            for id, *_ in database.stores():
                practice.repair_counters(database, id)
        findings = practice.examine(database)
    if format_ == "json":
        click.echo(json.dumps([{"level": f.level, "title": str(f.title), "detail": f.detail} for f in findings], ensure_ascii=False))
    else:
        marks = {"ok": "✓", "warn": "!", "fault": "✗"}
        for finding in findings:
            click.echo(f"{marks[finding.level]} {finding.title}: {finding.detail}")
            if finding.remedy is not None:
                click.echo(f"  → {finding.remedy}")
    if any(finding.level == "fault" for finding in findings):
        raise click.exceptions.Exit(1)


@main.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("docs/screenshots"), show_default=True)
@click.option("--db", "url", metavar="URL", help="A store to picture (default: a demo store made for it).")
@click.option("--page", "pages", multiple=True, help="Only these pages.")
@click.pass_obj
def screenshots(screen: Screen, out: Path, url: str | None, pages: tuple[str, ...]) -> None:
    """Picture every page in both themes and both languages, without a screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for picture in screen.take(out, url, pages):
        click.echo(str(picture))


@main.command(hidden=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("docs"), show_default=True)
def reference(out: Path) -> None:
    """Write the documents that are derived from declarations."""
    from app.services import reference as derived

    (out / "metrics.md").write_text(derived.metrics(), encoding="utf-8")
    (out / "events.md").write_text(derived.event_contract(), encoding="utf-8")


@main.command()
@click.argument("names", nargs=-1)
@click.option("--quick", is_flag=True, help="Shorter runs.")
@click.option("--write", "write", is_flag=True, help="Put the table into docs/benchmarks.md.")
def bench(names: tuple[str, ...], quick: bool, write: bool) -> None:
    """Run benchmarks (all, or the named ones) and print their table."""
    from benchmarks.suite import run_all

    run_all(names, quick, write)


@contextmanager
def _progress(quiet: bool = False) -> Iterator[Callable[[str, int | None], Callable[..., None]]]:
    """A progress bar on standard error; nothing when it is not a terminal.

    Yields `task(label, total) -> tell(done, total, note="")`.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    shown = not quiet and console.is_terminal
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}% {task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not shown, transient=True) as bar:

        def task(label: str, total: int | None) -> Callable[..., None]:
            id = bar.add_task(label, total=total, note="")

            def tell(done: int, total: int | None = None, note: str = "") -> None:
                bar.update(id, completed=done, total=total, note=note)

            return tell

        yield task
