"""`replay`: recorded days under other settings, beside the same days under the current ones."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import day_of, open_workspace, progress, store_option, url_option
from app.commands.settings import print_table, read_json
from app.domain.language import T, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.outcomes import GroupLoad, Outcomes
    from app.services.replay import Replay

_DAY = click.DateTime(["%Y-%m-%d"])
_OUTCOMES = {"assigned": T("已分配", "assigned"), "waited": T("等待过", "waited"), "leave": T("留言", "leave message")}


class _Interruptible(click.Command):
    """Interrupted at whatever moment it says so and ends with 130: its options alone load what takes a while."""

    def make_context(self, *given: Any, **more: Any) -> click.Context:
        with _interrupts():
            return super().make_context(*given, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _interrupts():
            return super().invoke(ctx)


@contextmanager
def _interrupts() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo(tr("已取消试算。", "The replay was cancelled."), err=True)
        raise click.Abort from None


@click.command(cls=_Interruptible)
@url_option
@store_option
@click.option("--from", "first", type=_DAY, metavar="D", help="First day (default: seven days that end with the last).")
@click.option("--to", "last", type=_DAY, metavar="D", help="Last day (default: yesterday).")
@click.option("--groups", metavar="F.json", help="The document `groups` to try, as `settings get` prints it; - for standard input.")
@click.option("--agents", metavar="F.json", help="The document `agents` to try.")
@click.option("--detail", is_flag=True, help="Also what becomes of each session, in order of decision.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def replay(
    url: str, store: str | None, first: datetime | None, last: datetime | None, groups: str | None, agents: str | None, detail: bool,
    format_: str,
) -> None:  # fmt: skip
    """Try settings on recorded sessions: load per agent, waits, overflow, leave messages, beside the current settings."""
    if groups == agents == "-":
        raise click.UsageError("only one of --groups and --agents can be standard input")
    found = _run(url, store, (day_of(first), day_of(last)), groups, agents, detail)
    if format_ == "json":
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _print(found, detail)


def _run(
    url: str, store: str | None, days: tuple[date | None, date | None], groups: str | None, agents: str | None, detail: bool
) -> Replay:
    from app.storage.faults import FaultError

    tried_groups, tried_agents = (None if file is None else read_json(file) for file in (groups, agents))
    stop = Event()
    with open_workspace(url) as workspace, progress() as bar:
        tell = bar(tr("试算", "Replaying"), None)
        shop = workspace.store(store)
        before = signal.signal(signal.SIGINT, lambda *_: stop.set())
        try:
            return workspace.replay.run(shop, *days, tried_groups, tried_agents, detail, tell, stop)
        except FaultError as fault:
            if fault.kind == "cancelled":
                raise KeyboardInterrupt from fault
            raise
        finally:
            signal.signal(signal.SIGINT, before)


def _print(found: Replay, detail: bool) -> None:
    heads, figures = (tr("指标", "figure"),), [(str(label), of) for label, of in _FIGURES]
    if found.unchanged:
        print_table((*heads, tr("现行", "current")), [(label, of(found.current)) for label, of in figures])
    else:
        columns = tr("现行", "current"), tr("试算", "tried")
        print_table((*heads, *columns), [(label, of(found.current), of(found.tried)) for label, of in figures])
    click.echo()
    now = {load.agent: load for load in found.current.agents}
    rows = []
    for load in found.tried.agents:
        before = now.get(load.agent)
        change = load.sessions - (before.sessions if before else 0)
        cells = load.agent, found.names.get(load.agent, ""), str(load.sessions), str(load.peak), f"{load.share:.1%}"
        rows.append(cells if found.unchanged else (*cells, f"{change:+d}" if change else "0"))
    agent_heads = tr("客服", "agent"), tr("姓名", "name"), tr("会话", "sessions"), tr("峰值", "peak"), tr("占比", "share")
    print_table(agent_heads if found.unchanged else (*agent_heads, tr("与现行之差", "against current")), rows)
    click.echo()
    print_table(*_groups(found))
    if detail:
        click.echo()
        session_heads = (
            tr("会话", "session"),
            tr("咨询组", "group"),
            tr("客服", "agent"),
            tr("结果", "outcome"),
            tr("等待(秒)", "wait (s)"),
            tr("原因", "reason"),
        )
        print_table(
            session_heads,
            [
                (f.session, f.group, f.agent or "--", str(_OUTCOMES[f.outcome]), f"{f.wait_ms / 1000:.1f}", f.reason or "--")
                for f in found.tried.fates
            ],
        )
    for note in found.likeness_words(), *found.notes:
        if note is not None:
            click.echo(str(note), err=True)


def _groups(found: Replay) -> tuple[list[str], list[tuple[str, ...]]]:
    """Heads and rows; beside what was tried what holds now, where both are not the same."""
    now = {load.group: load for load in found.current.groups}
    heads, rows = [tr("咨询组", "group"), tr("名称", "name")], []
    for label, _ in _OF_GROUPS:
        heads += [str(label)] if found.unchanged else [str(label), tr("现行", "current")]
    for load in found.tried_groups():
        row = [load.group or "--", load.name or "--"]
        for _, of in _OF_GROUPS:
            before = now.get(load.group)
            row += [of(load)] if found.unchanged else [of(load), "--" if before is None else of(before)]
        rows.append(tuple(row))
    return heads, rows


def _seconds(value: float | None) -> str:
    return "--" if value is None else f"{value:.1f}"


def _count(name: str) -> Callable[[Outcomes | GroupLoad], str]:
    return lambda of: str(getattr(of, name))


def _wait(name: str) -> Callable[[Outcomes], str]:
    return lambda outcomes: _seconds(getattr(outcomes.waits, name))


def _group_wait(name: str) -> Callable[[GroupLoad], str]:
    return lambda load: _seconds(getattr(load, name))


_FIGURES: tuple[tuple[T, Callable[[Outcomes], str]], ...] = (
    (T("会话", "sessions"), _count("sessions")),
    (T("已分配", "assigned"), _count("assigned")),
    (T("等待过", "waited"), _count("waited")),
    (T("溢出到兜底", "overflow"), _count("overflow")),
    (T("留言", "leave messages"), _count("leave")),
    (T("回头客", "returning"), _count("returning")),
    (T("未分配", "unassigned"), _count("unassigned")),
    (T("平均等待(秒)", "mean wait (s)"), _wait("mean")),
    (T("P90等待(秒)", "P90 wait (s)"), _wait("p90")),
    (T("最长等待(秒)", "longest wait (s)"), _wait("longest")),
    (T("最高并发", "busiest"), _count("busiest")),
)
_OF_GROUPS: tuple[tuple[T, Callable[[GroupLoad], str]], ...] = (
    (T("会话", "sessions"), _count("sessions")),
    (T("已分配", "assigned"), _count("assigned")),
    (T("溢出到兜底", "overflow"), _count("overflow")),
    (T("等待过", "waited"), _count("waited")),
    (T("平均等待(秒)", "mean wait (s)"), _group_wait("mean_wait")),
    (T("最长等待(秒)", "longest wait (s)"), _group_wait("longest_wait")),
    (T("留言", "leave messages"), _count("leave")),
)
