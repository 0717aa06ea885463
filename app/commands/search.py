"""`search`: conversations in which something was said, with the place where it was."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import GIVEN, days_of, open_workspace, progress, store_option, url_option
from app.domain.language import T, tr

if TYPE_CHECKING:
    from app.domain.localtime import LocalTime
    from app.services.search import Found


@click.command()
@click.argument("text", type=GIVEN)
@url_option
@store_option
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="First day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="Last day, inclusive.")
@click.option("--agent", type=GIVEN, metavar="A", help="Agent code.")
@click.option("--group", type=GIVEN, metavar="G", help="Group code.")
@click.option("--customer", type=GIVEN, metavar="C", help="Customer code.")
@click.option("--sender", type=click.Choice(["customer", "agent", "bot", "system"]), help="Only what these have said.")
@click.option("--oldest-first", is_flag=True, help="Begin with the oldest conversation.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Conversations at most.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def search(
    text: str, url: str, store: str | None, first: datetime | None, last: datetime | None, agent: str | None, group: str | None,
    customer: str | None, sender: Any, oldest_first: bool, limit: int, format_: str,
) -> None:  # fmt: skip
    """Find conversations in which all words of TEXT were said; "words in quotation marks" as one."""
    from app.domain.words import parse
    from app.services.search import SearchQuestion
    from app.storage.faults import FaultError

    if not parse(text).parts:
        raise click.UsageError(tr("请输入要查找的文字", "Type what to look for"))
    days = days_of(first, last)
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        question = SearchQuestion(text, *days, agent, group, customer, sender, not oldest_first, limit)
        with progress() as bar, suppress(FaultError):  # where nothing can be written, what is not indexed is read instead
            workspace.search.catch_up(info, bar(tr("整理聊天记录索引", "Indexing transcripts"), None))
        found = workspace.search.find(info, question)
        if format_ == "json":
            click.echo(json.dumps(_as_json(found, workspace.local(info)), ensure_ascii=False))
        else:
            _print(found, workspace.local(info))


def _as_json(found: Found, local: LocalTime) -> dict[str, Any]:
    from app.services.reports import iso

    hits = [
        {
            "session": hit.session, "customer": hit.customer, "agent": hit.agent, "group": hit.group,
            "opened_at": iso(local, hit.opened_at), "message_at": iso(local, hit.message_at), "sender": hit.sender,
            "snippet": hit.snippet, "spans": [list(span) for span in hit.spans],
        }
        for hit in found.hits
    ]  # fmt: skip
    return {"hits": hits, "more": found.more, "pending": found.pending}


def _print(found: Found, local: LocalTime) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    for hit in found.hits:
        said = Text(hit.snippet)
        for start, end in hit.spans:
            said.stylize("bold reverse", start, end)
        at = local.local(hit.message_at).strftime("%Y-%m-%d %H:%M:%S")
        console.print(Text(f"{at}  {hit.session}  {hit.agent or '--'}  {hit.customer}  {_SENDERS[hit.sender]}: ") + said)
    if not found.hits and not found.more:
        click.echo(tr("没有找到。换一个词，或放宽日期和条件。", "Nothing found. Try another word, or fewer conditions."), err=True)
    if found.more:
        click.echo(tr("还有更多：请用 --limit 或日期继续。", "There may be more: raise --limit or narrow the days."), err=True)
    if found.pending:
        click.echo(tr(f"其中 {found.pending:,} 个会话尚未索引。", f"{found.pending:,} conversations are not indexed yet."), err=True)


_SENDERS = {
    "customer": T("客户", "customer"),
    "agent": T("客服", "agent"),
    "bot": T("机器人", "bot"),
    "system": T("系统", "system"),
}
