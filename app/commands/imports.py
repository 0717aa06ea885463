"""`import`: exported reports in, looked at, taken back."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import GIVEN, day_of, open_workspace, progress, store_option, url_option
from app.domain.language import tr

if TYPE_CHECKING:
    from app.services.imports import Imported, ImportService, Preview
    from app.services.workspace import StoreInfo, Workspace

_SHOWN = 20


@click.command("import")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@url_option
@store_option
@click.option(
    "--timezone",
    "zone",
    type=GIVEN,
    metavar="ZONE",
    help="Zone of a store that is made. Only the first store of a database is made without it (in Asia/Shanghai).",
)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="The day, for a file without a column of dates.")
@click.option("--sheet", type=GIVEN, metavar="S", help="Sheet by name or number (default: the one that looks like an export).")
@click.option("--map", "mapping", multiple=True, metavar="HEADER=KEY", help="What a column means; an empty KEY leaves it out. Remembered.")
@click.option(
    "--window",
    type=click.Choice(["24h", "7d", "15d"]),
    help="Order window that the file's sales were counted under (default: the store's).",
)
@click.option("--mix", is_flag=True, help="Also onto days of agents that have real sessions; they are left alone otherwise.")
@click.option("--preview", "only_look", is_flag=True, help="Say what would be imported, and write nothing.")
@click.option("--undo", "undone", type=int, metavar="N", help="Take import N back; what held before it holds again.")
@click.option("--list", "listed", is_flag=True, help="List the imports of the store.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
def import_(
    file: Path | None, url: str, store: str | None, zone: str | None, day: datetime | None, sheet: str | None, mapping: tuple[str, ...],
    window: Any, mix: bool, only_look: bool, undone: int | None, listed: bool, format_: str,
) -> None:  # fmt: skip
    """Import an exported report (xlsx, xls or CSV): figures of agents and days, or lines of credited orders.

    All of it or nothing: a cell that cannot be read is named with its row, and nothing is written. A later import of the same agent and
    day replaces what it speaks of; importing a file again changes nothing.
    """
    if (file is not None) + (undone is not None) + listed != 1:
        raise click.UsageError("give one of FILE, --undo N, --list")
    meanings: dict[str, str] = {}
    for pair in mapping:
        header, equals, key = pair.rpartition("=")
        if not equals or not header:
            raise click.UsageError(f"--map {pair!r} is not HEADER=KEY")
        meanings[header] = key.strip()
    as_json = format_ == "json"
    make = file is not None and not only_look and store is not None
    with ExitStack() as stack:
        if only_look and store is not None and not _there(url):
            # What the first import would do is looked at before there is a database: in one that is gone afterwards.
            url, make = str(Path(stack.enter_context(TemporaryDirectory())) / "look.db"), True
        workspace = stack.enter_context(open_workspace(url, create=make))
        service = workspace.imports
        if make and file is not None:
            check = partial(service.check, file, day_of(day), meanings, sheet)
            _make_store(workspace, store or "", zone, (lambda: None) if only_look else check)  # a look tells all that is wrong
        info = workspace.store(store)
        if undone is not None:
            changed = service.undo(info, undone)
            told = tr(f"已撤销导入 {undone}：{changed} 个客服日的数据变化", f"Import {undone} undone: {changed} agent days changed")
            _say(as_json, {"undone": undone, "changed": changed}, told)
        elif file is None:
            _list(service, info, as_json, workspace)
        else:
            seen = service.preview(file, info, day_of(day), meanings, sheet, window)
            if only_look:
                _show(seen, as_json)
            else:
                _print(_run(service, seen, mix), as_json)
                for line in _warnings(seen):
                    click.echo(line, err=True)


def _there(url: str) -> bool:
    from app.storage.database import url_of

    found = url_of(url)
    return found.get_backend_name() != "sqlite" or Path(found.database or "").exists()


def _make_store(workspace: Workspace, code: str, zone: str | None, check: Callable[[], None]) -> None:
    """Makes the store of a file that can be imported: the first of a database, or one whose zone is given, so that no typing error
    makes a second one."""
    known = [store.code for store in workspace.stores()]
    if code in known or (known and zone is None):
        return
    check()
    try:
        workspace.create_store(code, code, zone or "Asia/Shanghai")
    except ValueError as error:
        raise click.ClickException(tr(f"没有时区 {zone!r}；请用 Asia/Shanghai 这样的名称", str(error))) from error


def _run(service: ImportService, seen: Preview, mix: bool) -> Imported:
    stop = Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        with progress() as bar:
            task = bar(tr("导入", "Importing"), None)
            return service.run(seen, mix, tell=lambda done, total: task(done, total), stop=stop)
    finally:
        with suppress(TypeError):  # a handler that was not set from Python
            signal.signal(signal.SIGINT, before)


def _print(done: Imported, as_json: bool) -> None:
    from app.services.import_words import outcome

    head = tr(f"导入 {done.id}，{done.file}", f"Import {done.id}, {done.file}")
    lines = [head, *map(str, outcome(done))]
    if any(skip.what == "all" for skip in done.skipped):
        lines.append(tr("（--mix 可与真实数据合并）", "(--mix adds them to the real ones)"))
    _say(as_json, done.as_dict(), "\n".join(lines))


def _show(seen: Preview, as_json: bool) -> None:
    from app.services.import_words import forecast, lost_of, skipping

    period = seen.period
    said = {
        "kind": seen.export.kind,
        "sheet": seen.export.sheet,
        "header_row": seen.export.header_row,
        "first": period[0].isoformat() if period else None,
        "last": period[1].isoformat() if period else None,
        "agents": seen.agents,
        "days": len(seen.days),
        "lines": len(seen.lines),
        "created": seen.plan.new,
        "lost": lost_of(seen.plan),
        "skipped": [{"agent": skip.agent, "day": skip.day, "what": skip.what} for skip in seen.skipped],
        "window": seen.window if seen.one_window else "",
        "columns": [{"header": column.header, "meaning": column.key, "state": column.state} for column in seen.export.columns],
        "problems": [{"row": each.row, "column": each.column, "reason": str(each.sentence), "fatal": each.fatal} for each in seen.problems],
        "checks": [
            {"key": check.key, "row": check.row, "file": check.theirs, "rows": check.ours, "agrees": check.agrees} for check in seen.checks
        ],
    }  # fmt: skip
    marks = {"used": "✓", "unknown": "?", "left_out": "-", "second": "-", "derived": "-"}
    lines = [
        tr(
            f"工作表 {seen.export.sheet}，表头在第 {seen.export.header_row} 行",
            f"Sheet {seen.export.sheet}, headers in row {seen.export.header_row}",
        )
    ]
    lines += [f"{marks[column.state]} {column.header}" + (f" → {column.key}" if column.key else "") for column in seen.export.columns]
    lines += [str(line) for line in (*forecast(seen), *skipping(seen.skipped))]
    _say(as_json, said, "\n".join((*lines, *_warnings(seen))))


def _warnings(seen: Preview) -> list[str]:
    """What is wrong with the file, the first of it, and how much more there is."""
    from app.services.import_words import place

    lines = [("✗ " if problem.fatal else "! ") + str(place(problem)) for problem in seen.problems[:_SHOWN]]
    if len(seen.problems) > _SHOWN:
        lines.append(tr(f"另有 {len(seen.problems) - _SHOWN} 处", f"{len(seen.problems) - _SHOWN} more"))
    return lines


def _list(service: ImportService, info: StoreInfo, as_json: bool, workspace: Workspace) -> None:
    found = service.history(info)
    local = workspace.local(info)
    said = [{"id": i.id, "at": i.at, "author": i.author, "file": i.file, "undone_at": i.undone_at, "summary": i.summary} for i in found]
    lines = [
        f"{i.id}  {local.local(i.at):%Y-%m-%d %H:%M}  {i.author}  {i.file}  {i.summary['first']} – {i.summary['last']}"
        + (tr("  已撤销", "  undone") if i.undone_at is not None else "")
        for i in found
    ]
    _say(as_json, said, "\n".join(lines) or tr("还没有导入过文件", "Nothing has been imported yet"))


def _say(as_json: bool, said: Any, text: str) -> None:
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else text)
