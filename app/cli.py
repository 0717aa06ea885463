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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import click

from app.commands.common import GIVEN, NEW_FILE, SPEED, WHERE, engine_url_option, open_database, progress, refusals, url_option
from app.commands.imports import import_
from app.commands.orders import command
from app.commands.replay import replay
from app.commands.reports import report
from app.commands.saved import saved
from app.commands.search import search
from app.commands.settings import settings
from app.domain.language import set_language, tr

DEMO_DATABASE = "demo.db"


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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--language", type=click.Choice(["zh", "en"]), help="Language of what is printed (default: zh, or KEFU_LANGUAGE).")
def main(language: str | None) -> None:
    """客服管家 Kefu Manager. Without a command the console opens."""
    chosen = language or os.environ.get("KEFU_LANGUAGE", "zh")
    set_language("en" if chosen == "en" else "zh")


for _command in (command, replay, report, saved, search, settings, import_):
    main.add_command(_command)


# -- sources --


@main.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(0, 400), help="Days of history.")
@click.option("--agents", default=24, show_default=True, type=click.IntRange(15, 500), help="Number of agents.")
@click.option("--seed", default=7, show_default=True, help="Another seed is another store.")
@click.option("--db", "url", type=WHERE, default=DEMO_DATABASE, show_default=True, metavar="FILE", help="Where the demo store lives.")
@click.option("--speed", type=SPEED, help="How much faster than real time the store lives.")
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
@engine_url_option
@click.option("--store", type=GIVEN, metavar="CODE", help="Only this store (default: all; with --simulate: demo).")
@click.option("--simulate", is_flag=True, help="Live a simulated store as well: its customers and agents.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(0, 400), help="Days of history to fill in (--simulate).")
@click.option("--agents", default=24, show_default=True, type=click.IntRange(15, 500), help="Number of agents (--simulate).")
@click.option("--seed", default=7, show_default=True, help="Another seed is another store (--simulate).")
@click.option("--speed", type=SPEED, help="How much faster than real time the store lives (--simulate).")
@click.option("--parent", is_flag=True, help="End when standard input ends (the console's child does).")
def serve(
    url: str, store: str | None, simulate: bool, days: int, agents: int, seed: int, speed: float | None, parent: bool
) -> None:  # fmt: skip
    """The headless engine: gives customers to agents by the settings, carries out commands; with --simulate, lives their world too."""
    if simulate:
        _simulate(url, store or "demo", days, agents, seed, speed, build_only=False, with_parent=parent)
    else:
        _route(url, store, parent)


def _route(url: str, store: str | None, with_parent: bool) -> None:
    from app.desk.engine import stop_with_parent
    from app.desk.serving import Desk
    from app.storage.database import url_of
    from app.storage.faults import FaultError

    def told(code: str, owned: bool) -> None:
        said = tr(f"开始分配店铺 {code} 的会话", f"Routing {code}")
        if not owned:
            said = tr(f"不再分配店铺 {code} 的会话", f"No longer routing {code}")
        click.echo(json.dumps({"store": code, "routing": owned}) if with_parent else said)
        sys.stdout.flush()

    def failed(code: str, fault: Exception, seconds: float) -> None:
        what = str(fault) if isinstance(fault, FaultError) else repr(fault)
        zh = f"店铺 {code} 的分配出错，{seconds:.0f} 秒后重试，其他店铺不受影响：{what}"
        click.echo(tr(zh, f"Routing {code} failed, tried again in {seconds:.0f} s, other stores go on: {what}"), err=True)

    _collect_rarely()
    # Only the console's engine makes a store: a path that somebody mistyped would be routed for ever, empty.
    with open_database(url, create=with_parent or url_of(url).get_backend_name() != "sqlite") as database:
        desk = Desk(database, store, told, failed, lambda what: click.echo(what, err=True))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: desk.stop())
        if with_parent:
            stop_with_parent(desk.stop)
        desk.run()


def _simulate(url: str, store: str, days: int, agents: int, seed: int, speed: float | None, build_only: bool, with_parent: bool) -> None:
    from app.desk.engine import stop_with_parent
    from app.desk.simulated import Setup, SimulatedDesk, build
    from app.sources.simulator import Plan

    _collect_rarely()
    with open_database(url) as database, progress(quiet=with_parent) as bar:
        task = bar(tr("生成历史", "Filling in history"), days)

        def told(done: int, total: int) -> None:
            task(done, total)
            if with_parent:  # the console reads this
                click.echo(json.dumps({"progress": [done, total] if done < total else None}))
                sys.stdout.flush()

        setup = Setup(plan=Plan(seed=seed, agents=agents, store=store), days=days)
        if build_only:
            build(database, setup, speed, told)
            return
        desk = SimulatedDesk(database, setup, speed, told)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: desk.stop())
        if with_parent:
            stop_with_parent(desk.stop)
        desk.run()


@main.command()
@click.argument("file", metavar="FILE|-")
@url_option
@click.option("--store", type=GIVEN, metavar="CODE", help="Store of events that name none.")
@click.option("--timezone", "zone", type=GIVEN, default="Asia/Shanghai", show_default=True, help="Zone of a store that is created.")
@click.option("--rejects", type=NEW_FILE, help="Where bad lines go (default: FILE.rejected.ndjson).")
@click.option("--source", type=GIVEN, default="ndjson", show_default=True, help="Event ids are unique within a source.")
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
        if os.path.isdir(file):
            raise click.UsageError(tr(f"{file} 是文件夹；请给出事件文件", f"{file} is a folder; name a file of events"))
        try:
            descriptor, size, name = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0)), os.path.getsize(file), file
        except OSError as error:
            raise click.ClickException(tr(f"无法读取 {file}：{error.strerror}", f"Cannot read {file}: {error.strerror}")) from error
    with open_database(url) as database, progress() as bar:
        task = bar(tr("写入事件", "Recording events"), size or None)

        def told(read: int, summary: Summary) -> None:
            task(read, size or None, f"{summary.applied:,}")

        run = Ingest(database, local_owner(), store, zone, rejects or Path(f"{name}.rejected.ndjson"), source)
        try:
            summary = run.run(descriptor, told)
            run.index(bar(tr("整理聊天记录索引", "Indexing transcripts"), None))
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


# -- upkeep --


@main.command()
@url_option
def migrate(url: str) -> None:
    """Bring the database to this program's schema (a local file is backed up first), or make it."""
    with open_database(url) as database:
        click.echo(tr(f"数据库结构为最新版本 {database.schema_revision()}", f"The schema is at {database.schema_revision()}, the newest"))


@main.command()
@url_option
@click.option("--repair", is_flag=True, help="Rebuild counters that differ from their sessions.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def doctor(url: str, repair: bool, format_: str) -> None:
    """Examine a database: schema, integrity, space, and whether every counter equals its recomputation. Exit code 1 on a fault."""
    from app.storage import doctor as practice

    with open_database(url, create=False) as database:
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
@click.option("--db", "url", type=WHERE, metavar="URL", help="A store to picture (default: a demo store made for it).")
@click.option("--page", "pages", multiple=True, help="Only these pages.")
@click.pass_obj
def screenshots(screen: Screen, out: Path, url: str | None, pages: tuple[str, ...]) -> None:
    """Picture every page in both themes and both languages, without a screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with refusals():
        for picture in screen.take(out, url, pages):
            click.echo(str(picture))


@main.command(hidden=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("docs"), show_default=True)
def reference(out: Path) -> None:
    """Write the documents that are derived from declarations."""
    from app.services import reference as derived

    (out / "metrics.md").write_text(derived.metrics(), encoding="utf-8")
    (out / "events.md").write_text(derived.event_contract(), encoding="utf-8")
    (out / "imports.md").write_text(derived.imports(), encoding="utf-8")
    (out / "settings.md").write_text(derived.settings(), encoding="utf-8")


@main.command()
@click.argument("names", nargs=-1)
@click.option("--quick", is_flag=True, help="Shorter runs.")
@click.option("--write", "write", is_flag=True, help="Put the table into docs/benchmarks.md.")
def bench(names: tuple[str, ...], quick: bool, write: bool) -> None:
    """Run benchmarks (all, or the named ones) and print their table."""
    from benchmarks.suite import run_all

    run_all(names, quick, write)
