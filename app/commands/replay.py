"""`replay`: recorded days under other settings, beside the same days under the current ones."""

from __future__ import annotations

import json
import signal
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import day_of, open_workspace, progress, store_option, url_option
from app.commands.settings import print_table, read_json
from app.domain.language import T, tr

if TYPE_CHECKING:
    from app.domain.replay import Outcomes
    from app.services.replay import Replay

_DAY = click.DateTime(["%Y-%m-%d"])
_OUTCOMES = {"assigned": T("已分配", "assigned"), "waited": T("等待过", "waited"), "leave": T("留言", "leave message")}


@click.command()
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
    tried_groups, tried_agents = (None if file is None else read_json(file) for file in (groups, agents))
    stop = Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        with open_workspace(url) as workspace, progress() as bar:
            tell = bar(tr("试算", "Replaying"), None)
            days = day_of(first), day_of(last)
            found = workspace.replay.run(workspace.store(store), *days, tried_groups, tried_agents, detail, tell, stop)
    finally:
        signal.signal(signal.SIGINT, before)
    if format_ == "json":
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _print(found, detail)


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


def _seconds(value: float | None) -> str:
    return "--" if value is None else f"{value:.1f}"


def _count(name: str) -> Any:
    return lambda outcomes: str(getattr(outcomes, name))


def _wait(name: str) -> Any:
    def text(outcomes: Outcomes) -> str:
        return _seconds(getattr(outcomes.waits, name))

    return text


_FIGURES = (
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
