"""Writes what a page shows to a file: asks where, then reads and writes off the UI thread."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.domain.language import T, tr
from ui.pages.registry import PageContext
from ui.runtime.problems import Problem

if TYPE_CHECKING:
    from app.services.listings import Listing
    from app.services.reports import Report
    from app.services.sheets import Format

FORMATS: dict[Format, T] = {"xlsx": T("Excel 工作簿 (*.xlsx)", "Excel workbook (*.xlsx)"), "csv": T("CSV 文件 (*.csv)", "CSV file (*.csv)")}
_UNSAFE = re.compile(r'[\\/:*?"<>|\s]+')


def export(context: PageContext, owner: QWidget, name: str, answer: Callable[[], Report | Listing]) -> QFileDialog:
    """Ask for a file and write `answer()` to it; what comes of it is told in passing. `answer` runs on a worker thread.

    name: proposed for the file, without its ending. The dialog is returned shown; it deletes itself.
    """
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    dialog = QFileDialog(owner, tr("导出到文件", "Export to a file"), str(Path(folder) / (_UNSAFE.sub("_", name) + ".xlsx")))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters([str(words) for words in FORMATS.values()])
    dialog.setDefaultSuffix("xlsx")
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_format_of_filter(chosen)))
    dialog.fileSelected.connect(lambda path: _export(context, owner, Path(path), answer))
    dialog.open()
    return dialog


def _export(context: PageContext, owner: QWidget, path: Path, answer: Callable[[], Report | Listing]) -> None:
    context.toast(tr(f"正在导出 {path.name} …", f"Exporting {path.name} …"), "info")
    toast = context.toast

    def done(_: None) -> None:
        toast(tr(f"已导出：{path}", f"Exported: {path}"), "good")

    def failed(problem: Problem) -> None:
        toast(tr(f"没有导出：{problem.sentence}", f"Not exported: {problem.sentence}"), "warn")

    context.operations.read(owner, lambda: write_file(context, path, answer), done, failed)


def write_file(context: PageContext, path: Path, answer: Callable[[], Report | Listing]) -> None:
    """On a worker thread. The file appears whole or not at all. Raises FaultError and NotAllowedError."""
    from app.services import sheets
    from app.storage.faults import FaultError

    context.actor.require("export")
    format: Format = "csv" if path.suffix.lower() == ".csv" else "xlsx"
    found = answer()
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with half.open("wb") as out:
            sheets.write(found, format, out)
        os.replace(half, path)
    except OSError as error:
        why = error.strerror or str(error)
        raise FaultError(
            "refused",
            T(f"无法写入 {path}（{why}）。请换一个文件夹或文件名。", f"{path} cannot be written ({why}). Choose another folder or name."),
        ) from None
    finally:
        with suppress(OSError):
            half.unlink()


def _format_of_filter(chosen: str) -> Format:
    return next((key for key, words in FORMATS.items() if str(words) == chosen), "xlsx")
