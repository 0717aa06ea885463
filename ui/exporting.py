"""Writes what a page shows to a file: asks where, then reads and writes off the UI thread, telling how far it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget
from shiboken6 import isValid

from app.domain.language import T, tr
from ui.pages.registry import PageContext
from ui.runtime.problems import Problem
from ui.widgets.toast import Toast, show_toast

if TYPE_CHECKING:
    from app.services.sheets import Answer, Format, Sheet

FORMATS: dict[Format, T] = {"xlsx": T("Excel 工作簿 (*.xlsx)", "Excel workbook (*.xlsx)"), "csv": T("CSV 文件 (*.csv)", "CSV file (*.csv)")}
_UNSAFE = re.compile(r'[\\/:*?"<>|\s]+')
_LOOK_MS = 200
_UNTIL_DONE_MS = 2**31 - 1


class Run:
    """What the worker and the window share of an export: how many rows are written, of how many, and whether it shall stop."""

    def __init__(self) -> None:
        self.rows: tuple[int, int | None] = (0, None)
        self.stop = Event()

    def tell(self, done: int, count: int | None) -> None:
        self.rows = (done, count)


def export(context: PageContext, owner: QWidget, name: str, answer: Callable[[], Answer | Sheet]) -> QFileDialog:
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
    dialog.fileSelected.connect(lambda path: export_to(context, owner, Path(path), answer))
    dialog.open()
    return dialog


def export_to(context: PageContext, owner: QWidget, path: Path, answer: Callable[[], Answer | Sheet]) -> Run:
    """Write `answer()` to a file, with a cancel button while it lasts; the page may be left meanwhile."""
    run, window = Run(), owner.window()
    telling = _telling(window, path, run)
    window.destroyed.connect(run.stop.set)

    def done(_: None) -> None:
        _away(telling)
        told = show_toast(window, tr(f"已导出：{path}", f"Exported: {path}"), "good", tr("打开文件夹", "Open the folder"))
        told.acted.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))))

    def failed(problem: Problem) -> None:
        _away(telling)
        if problem.fingerprint == "cancelled":
            context.toast(problem.sentence, "info")
        else:
            context.toast(tr(f"没有导出：{problem.sentence}", f"Not exported: {problem.sentence}"), "warn")

    context.operations.task(window, lambda: write_file(context, path, answer, run), done, failed)
    return run


def write_file(context: PageContext, path: Path, answer: Callable[[], Answer | Sheet], run: Run) -> None:
    """On a worker thread. The file appears whole or not at all. Raises FaultError and NotAllowedError."""
    from app.services import sheets

    context.actor.require("export")
    format: Format = "csv" if path.suffix.lower() == ".csv" else "xlsx"
    sheets.save(answer(), format, path, store=context.store, made=context.clock(), tell=run.tell, stop=run.stop)


def _telling(window: QWidget, path: Path, run: Run) -> Toast:
    toast = show_toast(window, tr(f"正在导出 {path.name} …", f"Exporting {path.name} …"), "info", tr("取消", "Cancel"), _UNTIL_DONE_MS)
    toast.acted.connect(run.stop.set)
    look = QTimer(toast, interval=_LOOK_MS)

    def say() -> None:
        rows, count = run.rows
        if rows:
            of = "" if count is None else f" / {count:,}"
            toast.label.setText(tr(f"正在导出 {path.name} … {rows:,}{of} 行", f"Exporting {path.name} … {rows:,}{of} rows"))
            toast.adjustSize()

    look.timeout.connect(say)
    look.start()
    return toast


def _away(toast: Toast) -> None:
    """Unless the person has closed it."""
    if isValid(toast):
        toast.hide()
        toast.deleteLater()


def _format_of_filter(chosen: str) -> Format:
    return next((key for key, words in FORMATS.items() if str(words) == chosen), "xlsx")
