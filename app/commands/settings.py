"""`settings`: a store's settings documents, printed, replaced, compared and put back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import open_workspace, store_option, url_option
from app.domain.language import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.kinds import Change
    from app.domain.localtime import LocalTime
    from app.services.settings import Saved
    from app.services.workspace import StoreInfo, Workspace

_NAMED = 8

_document = click.argument("document")
_base = click.option("--base", type=int, metavar="N", help="Refuse when the current revision is not N any more.")
_note = click.option("--note", default="", metavar="TEXT", help="Why.")
_format = click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
_file = click.option("--file", "file", metavar="F.json", help="A document as `get` prints it; - for standard input.")


@click.group()
def settings() -> None:
    """A store's settings: documents of which every save is a revision."""


@settings.command("list")
@url_option
@store_option
@_format
def list_(url: str, store: str | None, format_: str) -> None:
    """List the documents and their current revisions."""
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        local = workspace.local(info)
        standings = workspace.settings.documents(info)
        if format_ == "json":
            _print_json([{"document": document.key, "title": str(document.title), **_facts(saved, local)} for document, saved in standings])
            return
        print_table(
            (tr("文档", "document"), tr("名称", "title"), *_heads()),
            [(document.key, str(document.title), *_cells(saved, local)) for document, saved in standings],
        )


@settings.command()
@_document
@url_option
@store_option
@click.option("--revision", type=int, metavar="N", help="An earlier revision; 0 is the defaults.")
def get(document: str, url: str, store: str | None, revision: int | None) -> None:
    """Print a document as JSON."""
    from app.domain.documents import to_json

    with open_workspace(url) as workspace:
        click.echo(to_json(workspace.settings.get(workspace.store(store), document, revision).body))


@settings.command("set")
@_document
@url_option
@store_option
@_file
@_base
@_note
def set_(document: str, url: str, store: str | None, file: str | None, base: int | None, note: str) -> None:
    """Replace a document by the one in --file (default: standard input). One line per fault, or one new revision.

    What the file leaves out takes its default, which is told; an empty document is refused.
    """
    body = read_json(file or "-")
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        _tell_saved(workspace.settings.save(info, document, body, base, note))
        _tell_left_out(document, body)
        _tell_checks(workspace, info, document)


@settings.command()
@_document
@url_option
@store_option
@_format
def history(document: str, url: str, store: str | None, format_: str) -> None:
    """List the last 100 revisions of a document, the newest first."""
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        local = workspace.local(info)
        found = workspace.settings.history(info, document)
        if format_ == "json":
            _print_json([_facts(saved, local) for saved in found])
        else:
            print_table(_heads(), [_cells(saved, local) for saved in found])


@settings.command()
@_document
@url_option
@store_option
@click.option("--base", type=int, metavar="N", help="Compare from this revision (default: the one before; with --file, the current one).")
@click.option("--revision", type=int, metavar="N", help="Compare to this revision (default: the current one).")
@_file
@_format
def diff(document: str, url: str, store: str | None, base: int | None, revision: int | None, file: str | None, format_: str) -> None:
    """Say what changed between two revisions, or what a file would change."""
    if file is not None and revision is not None:
        raise click.UsageError("--file and --revision exclude each other")
    body = None if file is None else read_json(file)
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        if file is not None:
            changes = workspace.settings.changes_of(info, document, body, base)
        else:
            last = workspace.settings.get(info, document, revision).revision
            changes = workspace.settings.difference(info, document, max(0, last - 1) if base is None else base, last)
    if format_ == "json":
        _print_json([{"path": c.path, "label": str(c.label), "before": str(c.before), "after": str(c.after)} for c in changes])
    else:
        _print_changes(changes)


@settings.command()
@_document
@url_option
@store_option
@click.option("--revision", type=int, required=True, metavar="N", help="The revision to go back to; 0 is the defaults.")
@_base
@_note
def restore(document: str, url: str, store: str | None, revision: int, base: int | None, note: str) -> None:
    """Save an earlier revision again, as the newest."""
    with open_workspace(url) as workspace:
        _tell_saved(workspace.settings.restore(workspace.store(store), document, revision, base, note))


def read_json(file: str) -> Any:
    """The JSON value in a file or, with `-`, on standard input. Raises ClickException."""
    from app.domain.documents import from_json

    name = tr("标准输入", "standard input") if file == "-" else file
    if file == "-" and sys.stdin is None:
        raise click.ClickException(tr("标准输入已关闭；请用 --file 指定文件", "Standard input is closed; name a file with --file"))
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise click.ClickException(tr(f"无法读取 {name}：{error.strerror}", f"Cannot read {name}: {error.strerror}")) from error
    try:
        return from_json(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise click.ClickException(tr(f"{name} 不是 UTF-8 编码", f"{name} is not UTF-8")) from error
    except ValueError as error:
        raise click.ClickException(tr(f"{name}：{error}", f"{name}: {error}")) from error


def _tell_saved(number: int) -> None:
    click.echo(tr(f"已保存为第 {number} 版", f"Saved as revision {number}"))


def _tell_left_out(document: str, body: Any) -> None:
    from app.services.settings import document_of

    paths = list(document_of(document).body.left_out(body))
    if paths:
        more = len(paths) - _NAMED
        named = ", ".join(paths[:_NAMED]) + (tr(f" 等 {len(paths)} 项", f" and {more} more") if more > 0 else "")
        click.echo(tr(f"文件中没有、已设为默认值：{named}", f"Not in the file, now as by default: {named}"), err=True)


def _tell_checks(workspace: Workspace, info: StoreInfo, document: str) -> None:
    """What the pages would warn of, as it is saved now."""
    from app.domain.routing_checks import checks
    from app.domain.routing_settings import AGENTS, GROUPS, LEAVE_RULE
    from app.services.routing_facts import routing_facts

    if document not in (GROUPS.key, AGENTS.key, LEAVE_RULE.key):
        return
    groups, agents = (workspace.settings.get(info, each.key).body for each in (GROUPS, AGENTS))
    for check in checks(groups, agents, routing_facts(workspace, info)):
        if check.level != "info":
            click.echo(tr("注意：", "Note: ") + str(check.sentence), err=True)


def _heads() -> tuple[str, ...]:
    return tr("版本", "revision"), tr("时间", "time"), tr("作者", "author"), tr("说明", "note")


def _cells(saved: Saved, local: LocalTime) -> tuple[str, ...]:
    if saved.at is None:
        return str(saved.revision), "", tr("（默认值）", "(defaults)"), ""
    return str(saved.revision), f"{local.local(saved.at):%Y-%m-%d %H:%M:%S}", saved.author, saved.note


def _facts(saved: Saved, local: LocalTime) -> dict[str, Any]:
    at = None if saved.at is None else local.local(saved.at).isoformat(timespec="milliseconds")
    return {"revision": saved.revision, "at": at, "author": saved.author, "note": saved.note}


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _print_changes(changes: Sequence[Change]) -> None:
    if not changes:
        click.echo(tr("没有差异", "No difference"))
        return
    heads = tr("位置", "path"), tr("名称", "label"), tr("之前", "before"), tr("之后", "after")
    print_table(heads, [(c.path, str(c.label), str(c.before), str(c.after)) for c in changes])


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A row a line, the columns in line with one another, whatever the width of their characters."""
    from rich.cells import cell_len

    shown = [tuple("".join(c if c.isprintable() else " " for c in cell) for cell in row) for row in (heads, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*shown)]
    for row in shown:
        click.echo("  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths)).rstrip())
