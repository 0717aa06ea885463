"""`command`: what a supervisor wants done, put down for the engine, and what became of it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import GIVEN, open_workspace, store_option, url_option
from app.commands.settings import print_table
from app.domain.language import tr

if TYPE_CHECKING:
    from app.domain.localtime import LocalTime
    from app.services.commands import Command, Kind
    from app.services.workspace import StoreInfo, Workspace

_MOST_SECONDS = 3600
_POLL_SECONDS = 0.2


_agent = click.argument("agent", type=GIVEN)
_session = click.argument("session", type=GIVEN)
_wait = click.option(
    "--wait", type=click.IntRange(0, _MOST_SECONDS), default=0, metavar="SECONDS",
    help="Wait so long for the engine and say what became of it (default: only put it down).",
)  # fmt: skip


@click.group()
def command() -> None:
    """Commands of a supervisor to the engine: `serve` carries them out; each is kept with who gave it and what became of it."""


@command.command()
@_agent
@url_option
@store_option
@_wait
def suspend(agent: str, url: str, store: str | None, wait: int) -> None:
    """Give AGENT nothing new; what they have they keep."""
    _give(url, store, wait, "suspend", agent=agent)


@command.command()
@_agent
@url_option
@store_option
@_wait
def resume(agent: str, url: str, store: str | None, wait: int) -> None:
    """End the suspension of AGENT."""
    _give(url, store, wait, "resume", agent=agent)


@command.command()
@_session
@_agent
@url_option
@store_option
@_wait
def move(session: str, agent: str, url: str, store: str | None, wait: int) -> None:
    """Hand SESSION to AGENT, whatever their weight and load."""
    _give(url, store, wait, "move", session=session, agent=agent)


@command.command()
@_session
@click.argument("group", type=GIVEN)
@url_option
@store_option
@_wait
def transfer(session: str, group: str, url: str, store: str | None, wait: int) -> None:
    """Hand SESSION to GROUP, which gives it to one of its members by its rules."""
    _give(url, store, wait, "transfer", session=session, group=group)


@command.command("list")
@url_option
@store_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_(url: str, store: str | None, limit: int, format_: str) -> None:
    """List the last commands, the newest first: who gave them, when, and what became of them."""
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        local = workspace.local(info)
        found = workspace.commands.history(info, limit)
    if format_ == "json":
        click.echo(json.dumps([_facts(each, local) for each in found], ensure_ascii=False, indent=2))
        return
    heads = "", tr("时间", "time"), tr("作者", "author"), tr("命令", "command"), tr("对象", "about"), tr("结果", "result")
    print_table(heads, [_cells(each, local) for each in found])


def _give(url: str, store: str | None, wait: int, kind: Kind, **body: str) -> None:
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        number = workspace.commands.give(info, kind, **body)
        if not wait:
            click.echo(tr(f"第 {number} 号命令已提交，由引擎执行", f"Command {number} is put down for the engine"))
            return
        done = _followed(workspace, info, number, wait)
    if done is None:
        what = tr(
            f"第 {number} 号命令 {wait} 秒内没有执行；请检查引擎（serve）是否在运行，它会在启动后执行",
            f"Command {number} was not carried out within {wait} s; check that the engine (serve) runs, it will do it then",
        )
        raise click.ClickException(what)
    if done.refused is not None:
        raise click.ClickException(tr(f"第 {number} 号命令未执行：{done.refused}", f"Command {number} was refused: {done.refused}"))
    click.echo(tr(f"第 {number} 号命令已执行", f"Command {number} is carried out"))


def _followed(workspace: Workspace, store: StoreInfo, number: int, seconds: float) -> Command | None:
    end = time.monotonic() + seconds
    while True:
        found = workspace.commands.status(store, number)
        if found.done_at is not None:
            return found
        left = end - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(_POLL_SECONDS, left))


def _cells(given: Command, local: LocalTime) -> tuple[str, ...]:
    result = tr("等待执行", "waiting") if given.done_at is None else tr("已执行", "done") if given.refused is None else str(given.refused)
    about = " → ".join(code for code in (given.body.get("session"), given.had, given.body.get("agent") or given.body.get("group")) if code)
    return str(given.id), f"{local.local(given.at):%Y-%m-%d %H:%M:%S}", given.author, given.kind, about, result


def _facts(given: Command, local: LocalTime) -> dict[str, Any]:
    def iso(at: int | None) -> str | None:
        return None if at is None else local.local(at).isoformat(timespec="milliseconds")

    result = "waiting" if given.done_at is None else "done" if given.refused is None else "refused"
    return {
        "number": given.id, "at": iso(given.at), "author": given.author, "command": given.kind, **given.body,
        **({"from": given.had or None} if "session" in given.body else {}), "result": result,
        "done_at": iso(given.done_at), "refused": None if given.refused is None else str(given.refused),
    }  # fmt: skip
