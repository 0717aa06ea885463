"""The dialog that brings exported files in: choose, look, correct, import, take back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QFrame, QHBoxLayout, QLabel, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import T, tr
from ui.importing_preview import PreviewPanel
from ui.pages.registry import PageContext
from ui.runtime.problems import Problem
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6, icon
from ui.widgets.buttons import Button
from ui.widgets.empty import EmptyState
from ui.widgets.table import Cell, Column, DataTable, RowTableModel

if TYPE_CHECKING:
    from app.services.imports import Import, Imported, Preview

FILES = T("导出的报表 (*.xlsx *.xls *.csv *.txt);;所有文件 (*)", "Exported reports (*.xlsx *.xls *.csv *.txt);;All files (*)")
_LOOK_AGAIN_MS = 80
_PAST = (
    Column("id", T("编号", "No."), "number", 64),
    Column("at", T("时间", "When"), "text", 136),
    Column("file", T("文件", "File"), "text", 260),
    Column("period", T("期间", "Period"), "text", 184),
    Column("days", T("客服日", "Agent days"), "number", 80),
    Column("author", T("导入人", "By"), "text", 96),
    Column("state", T("状态", "State"), "text", 88),
)


class ImportDialog(QDialog):
    """Opened over a window with `open()`; deletes itself when it is closed. Pages hear of an import through the change notices."""

    def __init__(self, context: PageContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("导入报表", "Import reports"))
        self.setAcceptDrops(True)
        self.resize(980, 680)
        self._context = context
        self._path: Path | None = None
        self._seen: Preview | None = None
        self._running = _Running()
        self._leaving = False
        self._look = QTimer(self, interval=_LOOK_AGAIN_MS)
        self._look.timeout.connect(self._show_share)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        self._stack = QStackedWidget(self)
        self.start = _StartPanel(self)
        self.preview = PreviewPanel(self)
        self._busy, self.share, self._doing = _busy_panel(self)
        self.finish = _ResultPanel(self)
        for panel in (self.start, self.preview, self._busy, self.finish):
            self._stack.addWidget(panel)
        column.addWidget(self._stack, 1)
        self._said = QLabel(self)
        self._said.setProperty("look", "error")
        self._said.setWordWrap(True)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.hide()
        column.addWidget(self._said)
        column.addLayout(self._buttons())
        self.start.chosen.connect(self.choose)
        self.start.undone.connect(self.undo)
        self.preview.asked.connect(self._read)
        self._show(self.start)
        self._read_history()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        self.again = Button(tr("选择其他文件…", "Another file…"), icon_name="back", parent=self)
        self.again.clicked.connect(self._begin_again)
        self.undo_this = Button(tr("撤销这次导入", "Undo this import"), "danger", "undo", self)
        self.undo_this.clicked.connect(lambda: self.undo(self.finish.import_id))
        self.cancel = Button(tr("取消导入", "Cancel the import"), parent=self)
        self.cancel.clicked.connect(self._running.stop)
        self.shut = Button(tr("关闭", "Close"), parent=self)
        self.shut.clicked.connect(self.reject)
        self.go = Button(tr("导入", "Import"), "primary", "import", self)
        self.go.clicked.connect(self.run)
        row.addWidget(self.again)
        row.addWidget(self.undo_this)
        row.addStretch(1)
        for button in (self.cancel, self.shut, self.go):
            row.addWidget(button)
        return row

    @property
    def shown(self) -> QWidget | None:
        """The panel on top: `start`, `preview`, `finish`, or another while something is being done."""
        return self._stack.currentWidget()

    @property
    def said(self) -> str:
        """The sentence about what went wrong, "" when nothing did."""
        return "" if self._said.isHidden() else self._said.text()

    # -- choosing --

    def choose(self) -> QFileDialog:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        dialog = QFileDialog(self, tr("选择导出的报表", "Choose an exported report"), folder, str(FILES))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.look_at(Path(path)))
        dialog.open()
        return dialog

    def look_at(self, path: Path) -> None:
        """Read a file and show what importing it would do."""
        self._path = path
        self.preview.begin()
        self._read()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and self.shown is not self._busy:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.look_at(files[0])

    def _read(self) -> None:
        path, store, imports, wanted = self._path, self._context.store, self._context.workspace, self.preview
        if path is None:
            return
        day, mapping, sheet, window = wanted.day, dict(wanted.mapping), wanted.sheet, wanted.order_window
        self._say("")
        if self.shown is not self.preview:
            self._wait(tr(f"正在读取 {path.name} …", f"Reading {path.name} …"))
        self.go.setEnabled(False)
        self._context.operations.latest(
            self, "preview", lambda: imports.imports.preview(path, store, day, mapping, sheet, window),  # type: ignore[arg-type]
            self._looked, self._not_read, (path, day, tuple(mapping.items()), sheet, window),
        )  # fmt: skip

    def _looked(self, seen: Preview) -> None:
        self._seen = seen
        self.preview.show_preview(seen)
        self._show(self.preview)
        self.go.setEnabled(not seen.blocked)

    def _not_read(self, problem: Problem) -> None:
        """What was corrected last cannot be: the table stays as it was, so that another correction is possible."""
        if self._seen is not None and self._seen.path == self._path:
            self._show(self.preview)
        else:
            self._show(self.start)
        self._say(problem.sentence)

    # -- importing --

    def run(self) -> None:
        seen, service, running = self._seen, self._context.workspace, self._running
        if seen is None:
            return
        mix = self.preview.mix.isChecked()
        running.begin()
        self._say("")
        self._wait(tr(f"正在导入 {seen.path.name} …", f"Importing {seen.path.name} …"), cancel=True)
        self._look.start()
        self._context.operations.change(
            self, lambda: service.imports.run(seen, mix, tell=running.tell, stop=running.stopped), self._imported, self._not_imported
        )

    def _imported(self, done: Imported) -> None:
        self._look.stop()
        self._leaving = False  # it was too late to cancel: what was done is shown
        self.finish.show_result(done)
        self._show(self.finish)
        self._read_history()

    def _not_imported(self, problem: Problem) -> None:
        self._look.stop()
        self._show(self.preview)
        if self._leaving:
            self.reject()
        elif problem.fingerprint == "cancelled":
            self._context.toast(problem.sentence, "info")
        else:
            self._say(problem.sentence)

    def _show_share(self) -> None:
        done, total = self._running.share
        self.share.setRange(0, total)
        self.share.setValue(done)

    def undo(self, import_id: int) -> None:
        """Take an import back; what held before it holds again."""
        service, store = self._context.workspace, self._context.store
        self._say("")
        self._wait(tr(f"正在撤销导入 {import_id} …", f"Taking import {import_id} back …"))

        def done(changed: int) -> None:
            words = tr(
                f"已撤销导入 {import_id}：{changed} 个客服日恢复原样", f"Import {import_id} undone: {changed} agent days are as before"
            )
            self._context.toast(words, "good")
            self._show(self.start)
            self._read_history()

        self._context.operations.change(self, lambda: service.imports.undo(store, import_id), done, self._not_undone)

    def _not_undone(self, problem: Problem) -> None:
        self._show(self.start)
        self._say(problem.sentence)
        self._read_history()

    def _read_history(self) -> None:
        service, store = self._context.workspace, self._context.store

        def read() -> tuple[list[Import], Callable[[int], str]]:
            local = service.local(store)
            return service.imports.history(store), lambda at: f"{local.local(at):%Y-%m-%d %H:%M}"

        self._context.operations.latest(
            self, "history", read, lambda found: self.start.show_past(*found), lambda problem: self._say(problem.sentence)
        )

    # -- panels --

    def _begin_again(self) -> None:
        self._seen = None
        self._say("")
        self._show(self.start)

    def _wait(self, words: str, cancel: bool = False) -> None:
        self._doing.setText(words)
        self.share.setRange(0, 0)
        self._show(self._busy)
        self.cancel.setVisible(cancel)

    def _show(self, panel: QWidget) -> None:
        self._stack.setCurrentWidget(panel)
        self.again.setVisible(panel in (self.preview, self.finish))
        self.undo_this.setVisible(panel is self.finish)
        self.cancel.setVisible(False)
        self.shut.setVisible(panel is not self._busy)
        self.go.setVisible(panel is self.preview)

    def _say(self, sentence: str) -> None:
        self._said.setText(sentence)
        self._said.setVisible(bool(sentence))

    def reject(self) -> None:
        """While a file is being imported, closing cancels first; the dialog goes when that has come through."""
        if self._look.isActive():
            self._leaving = True
            self._running.stop()
            return
        super().reject()


class _Running:
    """What the worker and the window share of a run: how far it is, and whether it shall stop."""

    def __init__(self) -> None:
        self.share = (0, 0)
        self.stopped = Event()

    def begin(self) -> None:
        self.share = (0, 0)
        self.stopped.clear()

    def tell(self, done: int, total: int) -> None:
        self.share = (done, total)

    def stop(self) -> None:
        self.stopped.set()


class _StartPanel(QWidget):
    """Where a file is dropped or chosen, and what has been imported so far."""

    chosen = Signal()
    undone = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_3)
        card = QFrame(self)
        card.setProperty("look", "card")
        inside = QVBoxLayout(card)
        self.empty = EmptyState(
            "import", tr("把导出的报表拖到这里", "Drop an exported report here"),
            tr("xlsx、xls 或 CSV，客服按天的数据或促成订单。先预览再写入。",
               "xlsx, xls and CSV: figures of agents by day, or credited orders. You see everything before anything is written."),
            tr("选择文件…", "Choose a file…"), "primary", card,
        )  # fmt: skip
        self.empty.acted.connect(self.chosen)
        inside.addWidget(self.empty)
        card.setFixedHeight(220)
        column.addWidget(card)
        head = QHBoxLayout()
        title = QLabel(tr("导入记录", "Imports so far"), self)
        title.setProperty("look", "section")
        self.undo = Button(tr("撤销选中的导入", "Undo the selected import"), "danger", "undo", self)
        self.undo.setEnabled(False)
        self.undo.clicked.connect(self._undo)
        head.addWidget(title, 1)
        head.addWidget(self.undo)
        column.addLayout(head)
        self.model = RowTableModel(_PAST, self)
        self.table = DataTable(self.model, parent=self)
        self.table.setAccessibleName(title.text())
        self.table.set_placeholder(EmptyState("history", tr("还没有导入过文件", "Nothing has been imported yet"), parent=self.table))
        self.table.current_changed.connect(lambda _: self._allow())
        self._open: set[int] = set()
        column.addWidget(self.table, 1)

    def show_past(self, found: list[Import], moment: Callable[[int], str]) -> None:
        self._open = {each.id for each in found if each.undone_at is None}
        rows = []
        for each in found:
            said = each.summary
            period = said["first"] if said["first"] == said["last"] else f"{said['first']} – {said['last']}"
            state = tr("有效", "Holds") if each.undone_at is None else tr("已撤销", "Undone")
            texts = {"id": str(each.id), "at": moment(each.at), "file": each.file, "period": period, "days": f"{said['days']:,}",
                     "author": each.author, "state": state}  # fmt: skip
            sort_by: dict[str, int] = {"id": each.id, "at": each.at, "days": said["days"]}
            rows.append((each.id, {key: Cell(text, sort_by.get(key, text)) for key, text in texts.items()}))
        self.model.set_rows(rows)
        self._allow()

    def _allow(self) -> None:
        self.undo.setEnabled(self.table.current_id() in self._open)

    def _undo(self) -> None:
        chosen = self.table.current_id()
        if isinstance(chosen, int):
            self.undone.emit(chosen)


class _ResultPanel(QWidget):
    """What an import did."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.import_id = 0
        column = QVBoxLayout(self)
        column.setSpacing(SPACE_3)
        column.addStretch(1)
        mark = QLabel(self)
        mark.setPixmap(icon("good", "good").pixmap(32, 32))
        mark.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.title = QLabel(self)
        self.title.setProperty("look", "section")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.lines = QLabel(self)
        self.lines.setTextFormat(Qt.TextFormat.PlainText)
        self.lines.setWordWrap(True)
        self.lines.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.lines.setFixedWidth(560)
        column.addWidget(mark)
        column.addWidget(self.title)
        words = QHBoxLayout()
        words.addStretch(1)
        words.addWidget(self.lines)
        words.addStretch(1)
        column.addLayout(words)
        column.addStretch(2)

    def show_result(self, done: Imported) -> None:
        from app.services.import_words import outcome

        self.import_id = done.id
        self.title.setText(tr(f"已导入 {done.file}", f"{done.file} is imported"))
        self.lines.setText("\n".join(f"· {line}" for line in outcome(done)))


def _busy_panel(parent: QWidget) -> tuple[QWidget, QProgressBar, QLabel]:
    panel = QWidget(parent)
    column = QVBoxLayout(panel)
    words = QLabel(panel)
    words.setTextFormat(Qt.TextFormat.PlainText)
    words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    bar = QProgressBar(panel)
    bar.setFixedWidth(420)
    column.addStretch(1)
    column.addWidget(words)
    column.addWidget(bar, 0, Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(1)
    return panel, bar, words
