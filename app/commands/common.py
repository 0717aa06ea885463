"""What every command needs: the options, the connection, refusals as one sentence, files that appear whole, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.domain.language import tr

if TYPE_CHECKING:
    from app.services.workspace import Workspace
    from app.storage.database import Database

url_option = click.option("--db", "url", required=True, metavar="URL", help="An SQLAlchemy URL or the path of a SQLite file.")
store_option = click.option("--store", metavar="CODE", help="Store code; not needed where there is only one.")


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what a person can act on into one sentence and exit code 1."""
    from app.domain.permissions import NotAllowedError
    from app.storage.faults import FaultError

    try:
        yield
    except (FaultError, NotAllowedError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def open_workspace(url: str, create: bool = False) -> Iterator[Workspace]:
    from app.domain.permissions import local_owner
    from app.services.workspace import Workspace

    with refusals():
        workspace = Workspace.open(url, local_owner(), create)
        try:
            yield workspace
        finally:
            workspace.close()


@contextmanager
def open_database(url: str, create: bool = True) -> Iterator[Database]:
    from app.storage.database import Database

    with refusals():
        database = Database(url, create)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def output(out: Path | None) -> Iterator[Any]:
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


def day_of(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str, int | None], Callable[..., None]]]:
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
