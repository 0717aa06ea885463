"""Two dialogs: keep a report under a name or change how it is kept, and what has been kept: open, write now, change, delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QPoint, QStandardPaths, Qt
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.domain.language import T, tr
from app.domain.period import EVERY, Every
from ui.exporting import FORMATS
from ui.pages.registry import PageContext
from ui.runtime.problems import Problem
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button, answers
from ui.widgets.commands import Command, menu_of
from ui.widgets.empty import EmptyState
from ui.widgets.field import FormField
from ui.widgets.table import Cell, Column, DataTable, RowTableModel

if TYPE_CHECKING:
    from app.services.saved import Body, SavedReport
    from app.services.sheets import Format

_COLUMNS = (
    Column("name", T("名称", "Name"), "text", 170),
    Column("what", T("内容", "Report"), "text", 290),
    Column("every", T("定时", "Schedule"), "text", 130),
    Column("sent_at", T("上次写入", "Last written"), "text", 136),
    Column("result", T("结果", "Result"), "text", 240),
)


def save_command(context: PageContext, keep: Callable[[], None]) -> Command:
    """Keep what is shown, for those who may."""
    refused = "" if context.actor.may("export") else tr("没有权限", "Not allowed")
    return Command("save", T("保存报表…", "Save the report…"), "save", keep, why_not=refused)


def offer_saving(context: PageContext, parent: QWidget, at: QPoint, keep: Callable[[], None]) -> None:
    """The menu behind a save button: keep what is shown, or see what has been kept."""
    kept = Command("saved", T("保存的报表…", "Saved reports…"), "", lambda: SavedDialog(context, parent).open())
    menu_of([save_command(context, keep), kept], parent).popup(at)


class SaveDialog(QDialog):
    """Asks for name, schedule, folder and format: of what is shown, or of what was saved (`held`), which stays what it asks.

    Deletes itself.
    """

    def __init__(self, context: PageContext, body: Body, name: str, parent: QWidget, held: SavedReport | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("保存报表", "Save the report") if held is None else tr("修改保存的报表", "Change the saved report"))
        self.setMinimumWidth(460)
        self._context, self._body, self._held = context, body, held
        self.name = QLineEdit(name, self)
        self.every, self.format = QComboBox(self), QComboBox(self)
        for every, words in EVERY.items():
            self.every.addItem(str(words), every)
        for format, words in FORMATS.items():
            self.format.addItem(str(words), format)
        self.folder = QLineEdit(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation), self)
        self.said = QLabel(self)
        self.said.setProperty("look", "error")
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.hide()
        browse = Button(tr("选择…", "Choose…"), parent=self)
        browse.clicked.connect(self._browse)
        place = QWidget(self)
        where = QHBoxLayout(place)
        where.setContentsMargins(0, 0, 0, 0)
        where.setSpacing(SPACE_2)
        where.addWidget(self.folder, 1)
        where.addWidget(browse)
        help_text = tr(
            "定时报表由引擎写入，请填引擎所在电脑上的文件夹；内容是到那时已结束的日期。",
            "Scheduled reports are written by the engine: name a folder of its computer. They are about the days over by then.",
        )
        self.go = Button(tr("保存报表", "Save the report"), "primary", "save", self)
        self.go.clicked.connect(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addWidget(FormField(tr("名称", "Name"), self.name, limit=100, parent=self))
        column.addWidget(FormField(tr("定时", "Schedule"), self.every, parent=self))
        column.addWidget(FormField(tr("格式", "Format"), self.format, parent=self))
        column.addWidget(FormField(tr("文件夹", "Folder"), place, help_text, parent=self))
        self.folder.setAccessibleName(tr("文件夹", "Folder"))
        column.addWidget(self.said)
        column.addLayout(answers(self, self.go))
        self.name.selectAll()
        if held is not None:
            self.every.setCurrentIndex(self.every.findData(held.every))
            if self.format.findData(held.format) < 0:  # saved on the command line
                self.format.addItem(held.format.upper(), held.format)
            self.format.setCurrentIndex(self.format.findData(held.format))
            self.folder.setText(held.folder)

    def save(self) -> None:
        workspace, store, body = self._context.workspace, self._context.store, self._body
        name, folder = self.name.text(), self.folder.text()
        every, format = cast("Every", self.every.currentData()), cast("Format", self.format.currentData())
        self.go.setEnabled(False)
        held = self._held

        def write() -> None:
            if held is None:
                workspace.saved.save(store, name, body, every, folder, format)
            else:
                workspace.saved.change(store, held.id, name, every, folder, format)

        self._context.operations.change(self, write, self._saved, self._refused)

    def _saved(self, _: None) -> None:
        self._context.toast(tr(f"已保存报表：{self.name.text().strip()}", f"Report saved: {self.name.text().strip()}"), "good")
        self.accept()

    def _refused(self, problem: Problem) -> None:
        self.go.setEnabled(True)
        self.said.setText(problem.sentence)
        self.said.show()

    def _browse(self) -> None:
        dialog = QFileDialog(self, tr("选择文件夹", "Choose a folder"), self.folder.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()


class SavedDialog(QDialog):
    """What has been saved in this store. Deletes itself."""

    def __init__(self, context: PageContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("保存的报表", "Saved reports"))
        self.resize(1060, 440)
        self._context = context
        self._found: dict[int, SavedReport] = {}
        self.table = DataTable(RowTableModel(_COLUMNS, self), parent=self)
        self.table.setAccessibleName(self.windowTitle())
        self.table.set_placeholder(
            EmptyState(
                "save", tr("还没有保存的报表", "No report is saved yet"),
                tr("在历史页面点“保存报表…”，可以定时写入文件夹。",
                   "Choose Save the report… on a history page; it can be written to a folder on a schedule."),
                parent=self.table,
            )
        )  # fmt: skip
        self.table.set_tooltip(lambda row, key: self.table.rows().cell(row, key).text)
        self.show_it = Button(tr("打开", "Open"), parent=self)
        self.run_it = Button(tr("现在写入", "Write now"), "quiet", "play", self)
        self.change_it = Button(tr("修改…", "Change…"), "quiet", parent=self)
        self.delete_it = Button(tr("删除", "Delete"), "danger", "delete", self)
        shut = Button(tr("关闭", "Close"), parent=self)
        self.show_it.clicked.connect(self.open_page)
        self.run_it.clicked.connect(self.write_now)
        self.change_it.clicked.connect(self.change)
        self.delete_it.clicked.connect(self.delete)
        shut.clicked.connect(self.reject)
        self.table.opened.connect(lambda _: self.open_page())
        self.table.current_changed.connect(lambda _: self._allow())
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_2)
        for button in (self.show_it, self.run_it, self.change_it, self.delete_it):
            foot.addWidget(button)
        foot.addStretch(1)
        foot.addWidget(shut)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self._allow()
        self.read()

    def read(self) -> None:
        workspace, store = self._context.workspace, self._context.store
        self._context.operations.latest(self, "saved", lambda: workspace.saved.list(store), self._show, self._failed)

    def _show(self, found: list[SavedReport]) -> None:
        self._found = {each.id: each for each in found}
        local = self._context.workspace.local(self._context.store)
        rows = []
        for each in found:
            sent = "" if each.sent_at is None else f"{local.local(each.sent_at):%Y-%m-%d %H:%M}"
            done = tr("已写入 ", "Written to ") + each.folder if sent else tr("还没有写入", "Not written yet")
            result = Cell(each.problem, each.problem, "alarm") if each.problem else Cell(done, done)
            cells = {"name": each.name, "what": each.words, "every": str(EVERY[each.every]), "sent_at": sent}
            rows.append((each.id, {**{key: Cell(text, text) for key, text in cells.items()}, "result": result}))
        self.table.rows().set_rows(rows, flash=False)
        if found and self._chosen() is None:
            self.table.select(found[0].id)
        self._allow()

    def _chosen(self) -> SavedReport | None:
        row = self.table.rows().row_id(self.table.currentIndex().row()) if self.table.currentIndex().isValid() else None
        return self._found.get(row) if isinstance(row, int) else None

    def _allow(self) -> None:
        for button in (self.show_it, self.run_it, self.change_it, self.delete_it):
            button.setEnabled(self._chosen() is not None)

    def open_page(self) -> None:
        from app.services.report_kinds import REPORTS

        chosen = self._chosen()
        if chosen is None:
            return
        body = chosen.body
        page = REPORTS[body.report].page if body.report in REPORTS else ""
        fields = ("report", "by", "group", "team", "channel", "agent")
        where = {name: value for name in fields if (value := getattr(body, name)) is not None}
        self._context.navigate(page or "lookup", {**where, **body.period})
        self.accept()

    def write_now(self) -> None:
        chosen, workspace, store = self._chosen(), self._context.workspace, self._context.store
        if chosen is None:
            return
        id = chosen.id
        self.run_it.setEnabled(False)

        def done(path: Path) -> None:
            self._context.toast(tr(f"已写入：{path}", f"Written: {path}"), "good")
            self.read()

        self._context.operations.task(self, lambda: workspace.saved.run(store, id), done, self._failed_and_read)

    def change(self) -> None:
        """Ask for another name, schedule, folder or form of the chosen one."""
        chosen = self._chosen()
        if chosen is not None:
            dialog = SaveDialog(self._context, chosen.body, chosen.name, self, chosen)
            dialog.accepted.connect(self.read)
            dialog.open()

    def delete(self) -> None:
        chosen, workspace, store = self._chosen(), self._context.workspace, self._context.store
        if chosen is not None:
            id = chosen.id
            self._context.operations.change(self, lambda: workspace.saved.delete(store, id), lambda _: self.read(), self._failed)

    def _failed_and_read(self, problem: Problem) -> None:
        self._failed(problem)
        self.read()

    def _failed(self, problem: Problem) -> None:
        self._context.toast(problem.sentence, "warn")
