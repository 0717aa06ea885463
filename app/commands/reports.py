"""`report`: asks a report or a listing and prints it, or writes it as a file."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import (
    GIVEN,
    NEW_FILE,
    SEVERAL,
    Several,
    days_of,
    given,
    open_workspace,
    output,
    progress,
    store_option,
    url_option,
)
from app.domain.language import tr

if TYPE_CHECKING:
    from app.domain.localtime import LocalTime
    from app.services.listings import Listing
    from app.services.reports import Report
    from app.services.sheets import Answer


class ReportName(click.ParamType[str]):
    """A declared report or listing; looked up late, so that starting any other command does not load them."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from app.services.listings import LISTINGS
        from app.services.report_kinds import REPORTS

        known = [*REPORTS, *LISTINGS]
        if value not in known:
            there = " ".join(known)
            self.fail(tr(f"没有报表 {value}；现有：{there}", f"There is no report {value}; there are: {there}"), param, ctx)
        return value


class MetricKeys(Several):
    """Metric keys; looked up late, as the reports are."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from difflib import get_close_matches

        from app.domain.metrics import METRICS

        found = super().convert(value, param, ctx)
        for key in found:
            if key not in METRICS:
                near = get_close_matches(key, METRICS, 1)
                hint = tr(f"；是否想写 {near[0]}？", f"; did you mean {near[0]}?") if near else ""
                self.fail(tr(f"没有指标 {key}{hint}", f"there is no metric {key}{hint}"), param, ctx)
        return found


@click.command()
@click.argument("name", type=ReportName(), metavar="NAME", required=False)
@url_option
@store_option
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="First day (default: yesterday).")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="Last day, inclusive (default: yesterday).")
@click.option("--agent", type=GIVEN, metavar="A", help="Agent code.")
@click.option("--agents", type=SEVERAL, metavar="A,B", help="Several agent codes.")
@click.option("--team", type=GIVEN, metavar="T", help="Team.")
@click.option("--group", type=GIVEN, metavar="G", help="Group code.")
@click.option("--channel", type=click.Choice(["app", "web", "mini", "phone", "other"]), help="Where customers write from.")
@click.option("--by", type=click.Choice(["day", "week", "month", "hour", "halfhour"]), help="Rows that are periods (default: day).")
@click.option("--population", type=click.Choice(["overall", "assessed"]), default="overall", show_default=True)
@click.option("--window", type=click.Choice(["24h", "7d", "15d"]), help="Order window (default: the store's setting).")
@click.option("--at", metavar="TIME", help="The moment that counts as now: RFC 3339, or store time without an offset, or epoch ms.")
@click.option("--metrics", type=MetricKeys(), metavar="K1,K2", help="Metric keys (default: the report's columns).")
@click.option("--only", type=GIVEN, metavar="NAME", help="Sessions of a listing: unanswered, late_30s, bad, transferred_in …")
@click.option("--format", "format_", type=click.Choice(["table", "json", "csv", "xlsx"]), default="table", show_default=True)
@click.option("--out", type=NEW_FILE, help="File to write instead of standard output.")
@click.option("--saved", "saved_name", type=GIVEN, metavar="NAME", help="Write a saved report now: into its folder, or to --out.")
def report(
    name: str | None, url: str, store: str | None, first: datetime | None, last: datetime | None, agent: str | None,
    agents: tuple[str, ...] | None, team: str | None, group: str | None, channel: str | None, by: Any, population: Any, window: Any,
    at: str | None, metrics: tuple[str, ...] | None, only: str | None, format_: Any, out: Path | None, saved_name: str | None,
) -> None:  # fmt: skip
    """Print a report. JSON keeps unrounded numbers; rates are fractions.

    NAME is a report (live seats store compare agent groups, or a tab of a history page: store_overall store_assessed daily workload sales
    attendance ratings group_hours group_halfhours agent_workload agent_sales agent_ratings agent_attendance) or a listing (sessions
    orders skus visitors).
    """
    from app.services.listings import LISTINGS
    from app.services.reports import REPORTS, Question
    from app.services.sheets import write

    if (name is None) == (saved_name is None):
        raise click.UsageError("give either NAME or --saved NAME")
    if name is None:
        from app.commands.saved import run_one

        beside = [option for parameter, option in _QUESTION.items() if given(parameter)]
        if beside:
            what = ", ".join(beside)
            raise click.UsageError(tr(f"保存的报表已定好内容，不接受 {what}", f"a saved report stays as saved and does not take {what}"))
        with open_workspace(url) as workspace:
            run_one(workspace, workspace.store(store), str(saved_name), out)
        return
    if format_ == "xlsx" and out is None:
        raise click.UsageError("--format xlsx needs --out FILE")
    kind = (REPORTS | LISTINGS)[name]
    if kind.needs_agent and agent is None:
        raise click.UsageError(f"report {name} needs --agent A")
    if by is not None and by not in kind.by:
        raise click.UsageError(f"report {name} has no --by {by}")
    if metrics and name in LISTINGS:
        raise click.UsageError(tr(f"报表 {name} 是明细，不接受 --metrics", f"report {name} lists things and does not take --metrics"))
    if given("population") and kind.population not in (None, population):
        raise click.UsageError(
            tr(f"报表 {name} 只有 --population {kind.population}", f"report {name} is about --population {kind.population} only")
        )
    days = days_of(first, last)
    with open_workspace(url) as workspace:
        info = workspace.store(store)
        question = Question(
            name, *days, agent, group, by, population, window, _moment(at, workspace.local(info)),
            metrics or (), agents or (), team, channel, None, only or "",
        )  # fmt: skip
        reports, listings = workspace.reports, workspace.listings
        if format_ == "table":
            _print_table(listings.ask(info, question, told=True) if name in LISTINGS else reports.ask(info, question), out)
            return
        answer: Answer = listings.ask(info, question, told=format_ != "json") if name in LISTINGS else reports.read(info, question)
        with output(out) as target, progress(quiet=out is None) as bar:
            write(answer, format_, target, store=info, made=workspace.now(info), tell=bar(tr("写入", "Writing"), None))


_QUESTION = {
    "first": "--from", "last": "--to", "agent": "--agent", "agents": "--agents", "team": "--team", "group": "--group",
    "channel": "--channel", "by": "--by", "population": "--population", "window": "--window", "at": "--at", "metrics": "--metrics",
    "only": "--only", "format_": "--format",
}  # fmt: skip
"""The options that make up a question, which a saved report has of its own."""


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


def _print_table(answer: Report | Listing, out: Path | None) -> None:
    """A table; in a terminal that is too narrow for it turned on its side or, with many rows, without its last columns."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from app.domain.metrics import METRICS, unit_text
    from app.services.reports import Report
    from app.services.sheets import plain, sheet_of

    sheet = sheet_of(answer)
    metrics = {key: METRICS[key] for key in answer.keys} if isinstance(answer, Report) else {}

    def texts(row: Sequence[Any]) -> list[str]:
        shown = []
        for column, cell in zip(sheet.columns, row):
            if column.key in metrics:
                text = metrics[column.key].text(cell)
            elif cell is None:
                text = "--"
            elif column.kind in ("n", "%", "s", "min", "h", "yuan"):
                text = unit_text(cell, column.kind)
            else:
                text = str(plain(column, cell))
            shown.append("".join(c if c.isprintable() else "�" for c in text))  # nothing that a terminal would obey
        return shown

    grid = [[str(column.label) for column in sheet.columns], *map(texts, sheet.summary), *map(texts, sheet.rows)]
    right = [column.kind in ("n", "%", "s", "min", "h", "yuan") for column in sheet.columns]
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
        with output(out) as raw:
            file = io.TextIOWrapper(raw, "utf-8", write_through=True)
            Console(file=file, width=sum(widths(grid)) + 1).print(table)
            file.detach()
    for note in sheet.notes:
        click.echo(note, err=True)
    if left_out:
        hint = tr(f"另有 {left_out} 列放不下：请加宽窗口、用 --metrics 选择指标或用 --format csv。",
                  f"{left_out} more columns do not fit: widen the window, choose with --metrics or take --format csv.")  # fmt: skip
        click.echo(hint, err=True)
