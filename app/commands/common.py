"""What every command needs: the options, the connection, refusals as one sentence, files that appear whole, progress."""

from __future__ import annotations

import math
import re
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


class _Given(click.ParamType[str]):
    """A code or a name. Left empty it is a slip of the pen (an unset variable of a script), which would else be no filter at all."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value.strip():
            self.fail(tr("是空的；请填写，或去掉这个选项", "is empty; give a value or leave the option out"), param, ctx)
        return value.strip()


class Several(click.ParamType[tuple[str, ...]]):
    """Codes or keys between commas of either width, each once. What a file's spelling leaves between two commas is left out."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        found = tuple(dict.fromkeys(part.strip() for part in re.split("[,，]", value) if part.strip()))
        if not found:
            self.fail(tr("里一个也没有；请填写，或去掉这个选项", "names nothing; give some or leave the option out"), param, ctx)
        return found


class _Where(_Given):
    """A database that can be there: no folder, nothing in memory, and of a file the folder exists, unless it is to be made with it."""

    def __init__(self, makes_folder: bool = False) -> None:
        self._makes_folder = makes_folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from app.storage.database import url_of
        from app.storage.faults import FaultError

        where = super().convert(value, param, ctx)
        try:
            url = url_of(where)
        except FaultError as fault:
            self.fail(str(fault), param, ctx)
        if url.get_backend_name() == "sqlite":
            _check_place(self, Path(url.database or ""), param, ctx, self._makes_folder)
        return where


class _NewFile(_Given):
    """A path that a file can be written to."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, Path):
            return value
        path = Path(super().convert(value, param, ctx)).expanduser()
        _check_place(self, path, param, ctx)
        return path


class _Folder(_Given):
    """A folder that exists."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, Path):
            return value
        path = Path(super().convert(value, param, ctx)).expanduser()
        if not path.is_dir():
            self.fail(tr(f"没有文件夹 {path}；请先新建它", f"there is no folder {path}; make it first"), param, ctx)
        return path.resolve()


class _Speed(click.FloatRange):
    """A range lets "nan" through, which is neither below nor above anything."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(tr(f"{value} 不是 0.1 到 1000 之间的倍数", f"{value} is not a number from 0.1 to 1000"), param, ctx)
        return found


def _check_place(
    kind: click.ParamType[Any], path: Path, param: click.Parameter | None, ctx: click.Context | None, makes_folder: bool = False
) -> None:
    if path.is_dir():
        kind.fail(tr(f"{path} 是文件夹；请给出文件的路径", f"{path} is a folder; name a file"), param, ctx)
    if not makes_folder and not path.parent.is_dir():
        kind.fail(tr(f"没有文件夹 {path.parent}；请先新建它", f"there is no folder {path.parent}; make it first"), param, ctx)


GIVEN, SEVERAL, WHERE, NEW_FILE, FOLDER, SPEED = _Given(), Several(), _Where(), _NewFile(), _Folder(), _Speed(0.1, 1000)

_URL_HELP = "An SQLAlchemy URL or the path of a SQLite file."
url_option = click.option("--db", "url", type=WHERE, required=True, metavar="URL", help=_URL_HELP)
engine_url_option = click.option("--db", "url", type=_Where(makes_folder=True), required=True, metavar="URL", help=_URL_HELP)
"""The console's engine is the first to open a new store in the folder of the console's own data."""
store_option = click.option("--store", type=GIVEN, metavar="CODE", help="Store code; not needed where there is only one.")


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


def days_of(first: datetime | None, last: datetime | None) -> tuple[date | None, date | None]:
    """--from and --to as days. Raises UsageError for days the wrong way round."""
    if first is not None and last is not None and first > last:
        raise click.UsageError(
            tr(f"--from {first:%Y-%m-%d} 晚于 --to {last:%Y-%m-%d}", f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}")
        )
    return day_of(first), day_of(last)


def given(name: str) -> bool:
    """Whether the parameter was typed, be it with its default."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


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
