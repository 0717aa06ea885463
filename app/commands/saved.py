"""`saved`: reports kept under a name: listed, added, changed, removed, written now or because they are due."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import FOLDER, GIVEN, open_workspace, progress, store_option, url_option
from app.commands.reports import MetricKeys, ReportName
from app.domain.language import tr

if TYPE_CHECKING:
    from app.services.saved import SavedReport
    from app.services.workspace import StoreInfo, Workspace


@click.group()
def saved() -> None:
    """Saved reports: list, add, change, remove, run."""


@saved.command("list")
@url_option
@store_option
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_(url: str, store: str | None, format_: str) -> None:
    """What is saved, when it was last written, and why that failed if it did."""
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        found, local = workspace.saved.list(info), workspace.local(info)

    def told(at: int | None) -> str | None:
        return None if at is None else local.local(at).isoformat(timespec="seconds")

    if format_ == "json":
        click.echo(json.dumps([_as_json(one, told(one.sent_at)) for one in found], ensure_ascii=False))
        return
    from app.domain.period import EVERY

    for one in found:
        click.echo(f"{one.name}  [{one.words}]  {EVERY[one.every]}  {one.format}  {one.folder or '--'}  {told(one.sent_at) or '--'}")
        if one.problem:
            click.echo(f"  ! {one.problem}")
    if not found:
        click.echo(tr("还没有保存的报表。", "No report is saved yet."), err=True)


def _as_json(one: SavedReport, sent_at: str | None) -> dict[str, Any]:
    import msgspec

    return {
        "name": one.name, "body": msgspec.to_builtins(one.body), "every": one.every, "folder": one.folder, "format": one.format,
        "author": one.author, "sent_at": sent_at, "problem": one.problem,
    }  # fmt: skip


@saved.command()
@click.argument("name", type=GIVEN)
@click.argument("report", type=ReportName())
@url_option
@store_option
@click.option(
    "--days", type=click.Choice(["yesterday", "7d", "30d", "week", "last_week", "month", "last_month"]), default="7d", show_default=True,
    help="Which days, seen from the day it is written.",
)  # fmt: skip
@click.option("--every", type=click.Choice(["daily", "weekly", "monthly"]), help="Written by the engine on a schedule.")
@click.option("--folder", type=FOLDER, help="Where it is written to.")
@click.option("--format", "format_", type=click.Choice(["xlsx", "csv", "json"]), default="xlsx", show_default=True)
@click.option("--agent", type=GIVEN, metavar="A", help="Agent code.")
@click.option("--team", type=GIVEN, metavar="T", help="Team.")
@click.option("--group", type=GIVEN, metavar="G", help="Group code.")
@click.option("--by", type=click.Choice(["day", "week", "month", "hour", "halfhour"]), help="Rows that are periods.")
@click.option("--population", type=click.Choice(["overall", "assessed"]), default="overall", show_default=True)
@click.option("--metrics", type=MetricKeys(), metavar="K1,K2", help="Metric keys (default: the report's columns).")
def add(
    name: str, report: str, url: str, store: str | None, days: str, every: Any, folder: Path | None, format_: Any, agent: str | None,
    team: str | None, group: str | None, by: Any, population: str, metrics: tuple[str, ...] | None,
) -> None:  # fmt: skip
    """Keep REPORT (a name that the command report knows) under NAME."""
    body = {
        "report": report, "period": {"preset": days, "today": False}, "agent": agent, "team": team, "group": group, "by": by,
        "population": population, "metrics": metrics or (),
    }  # fmt: skip
    with open_workspace(url) as workspace:
        place = "" if folder is None else str(folder)
        workspace.saved.save(workspace.store(store), name, body, every or "", place, format_)


@saved.command()
@click.argument("name", type=GIVEN)
@url_option
@store_option
@click.option("--name", "new_name", type=GIVEN, metavar="NEW", help="What it is called from now on.")
@click.option("--every", type=click.Choice(["never", "daily", "weekly", "monthly"]), help="Its schedule.")
@click.option("--folder", type=FOLDER, help="Where it is written to.")
@click.option("--format", "format_", type=click.Choice(["xlsx", "csv", "json"]), help="Form of the file.")
def change(
    name: str, url: str, store: str | None, new_name: str | None, every: Any, folder: Path | None, format_: Any
) -> None:  # fmt: skip
    """Change name, schedule, folder or form of a saved report; what it asks stays."""
    if not any((new_name, every, folder, format_)):
        raise click.UsageError(tr("请给出要修改的内容", "say what to change"))
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        held = workspace.saved.get(info, name)
        wanted = held.every if every is None else "" if every == "never" else every
        place = held.folder if folder is None else str(folder)
        workspace.saved.change(info, held.id, new_name or held.name, wanted, place, format_ or held.format)


@saved.command()
@click.argument("name", type=GIVEN)
@url_option
@store_option
def remove(name: str, url: str, store: str | None) -> None:
    """Delete a saved report; files that it was written to stay."""
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        workspace.saved.delete(info, workspace.saved.get(info, name).id)


@saved.command()
@click.argument("name", type=GIVEN, required=False)
@url_option
@store_option
@click.option("--due", is_flag=True, help="Every report that is due: for a computer on which no engine runs.")
def run(name: str | None, url: str, store: str | None, due: bool) -> None:
    """Write NAME now, or all that are due, and print the files."""
    if due == (name is not None):
        raise click.UsageError("give either NAME or --due")
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        if name is not None:
            run_one(workspace, info, name, None)
            return
        for path in workspace.saved.send_due(info):
            click.echo(str(path))
        failed = [one for one in workspace.saved.list(info) if one.every and one.problem]
        if failed:
            raise click.ClickException("\n".join(f"{one.name}: {one.problem}" for one in failed))


def run_one(workspace: Workspace, store: StoreInfo, name: str, out: Path | None) -> None:
    """Writes one now, into its folder or to a file of its own, and prints where."""
    with progress() as bar:
        found = workspace.saved.get(store, name)
        path = workspace.saved.run(store, found.id, out, tell=bar(tr("写入", "Writing"), None))
    click.echo(str(path))
