"""操作记录: what was commanded, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.domain.language import T, tr
from ui.pages.registry import PageContext
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button
from ui.widgets.empty import EmptyState
from ui.widgets.segmented import Segmented
from ui.widgets.table import Cell, Column, DataTable, RowTableModel

if TYPE_CHECKING:
    from app.services.commands import Command
    from ui.runtime.problems import Problem

_MOST = 500
_COLUMNS = (
    Column("at", T("时间", "When"), "text", 132),
    Column("author", T("操作人", "Who"), "text", 96),
    Column("what", T("操作", "What"), "text", 360),
    Column("result", T("结果", "Result"), "text", 320),
)


class RecordDialog(QDialog):
    """The commands about one agent, or all of them. names, groups: of agents and of groups by code. Deletes itself."""

    def __init__(
        self, context: PageContext, agent: str, names: Mapping[str, str], groups: Mapping[str, str], parent: QWidget
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("操作记录", "Commands given"))
        self.resize(1000, 440)
        self._context, self._agent, self._names, self._groups = context, agent, names, groups
        self.whose = Segmented((("agent", names.get(agent, agent)), ("all", T("全部", "All"))), name=tr("显示", "Show"), parent=self)
        self.table = DataTable(RowTableModel(_COLUMNS, self), parent=self)
        self.table.setAccessibleName(self.windowTitle())
        self.table.set_tooltip(lambda row, key: self.table.rows().cell(row, key).text)
        self.table.set_placeholder(
            EmptyState(
                "audit", tr("还没有操作", "Nothing was commanded yet"),
                tr("挂起、恢复和转移会记在这里。", "Suspending, resuming and moving are kept here."), parent=self.table,
            )
        )  # fmt: skip
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setMinimumHeight(40)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.table.current_changed.connect(lambda _: self._tell())
        shut = Button(tr("关闭", "Close"), parent=self)
        shut.clicked.connect(self.reject)
        card = QFrame(self)
        card.setProperty("look", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 4, 1, 4)
        inside.addWidget(self.table)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_2)
        foot.addWidget(self.whose)
        foot.addStretch(1)
        foot.addWidget(shut)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addWidget(card, 1)
        column.addWidget(self.words)
        column.addLayout(foot)
        self.whose.chosen.connect(lambda _: self.refresh())
        self.table.setFocus()
        self.refresh()

    def refresh(self) -> None:
        commands, store = self._context.workspace.commands, self._context.store
        agent = "" if self.whose.value() == "all" else self._agent
        self._context.operations.latest(self, "commands", lambda: commands.history(store, _MOST, agent), self._show, self._failed)

    def _failed(self, problem: Problem) -> None:
        self._context.toast(problem.sentence, "warn")

    def _show(self, found: list[Command]) -> None:
        local = self._context.workspace.local(self._context.store)
        rows = []
        for command in found:
            what, when = self._words(command), f"{local.local(command.at):%m-%d %H:%M:%S}"
            cells = {"at": Cell(when, command.at), "author": Cell(command.author, command.author), "what": Cell(what, what)}
            rows.append((command.id, {**cells, "result": _result(command)}))
        self.table.rows().set_rows(rows, flash=False)
        if rows and self.table.current_id() is None:
            self.table.select(self.table.rows().row_id(0))
        self._tell()

    def _tell(self) -> None:
        """The row in full, however long its reason."""
        row, table = self.table.current_id(), self.table.rows()
        told = [table.cell(row, key).text for key in ("what", "result")] if row is not None and row in table.ids() else []
        self.words.setText(tr("。", ". ").join(told))

    def _words(self, command: Command) -> str:
        body = command.body
        name = self._names.get(body.get("agent", ""), body.get("agent", ""))
        if command.kind == "suspend":
            return tr(f"挂起 {name}", f"Suspend {name}")
        if command.kind == "resume":
            return tr(f"恢复 {name} 的接待", f"Resume {name}")
        group = self._groups.get(body.get("group", ""), body.get("group", ""))
        target = tr(f"转给 {name}", f"to {name}") if command.kind == "move" else tr(f"转到「{group}」", f"to the group {group}")
        had = self._names.get(command.had, command.had)
        origin = tr(f"从 {had} ", f"from {had} ") if had else ""
        code = body["session"]
        session = tr(f"{command.customer}（{code}）", f"{command.customer} ({code})") if command.customer else f"{code}{tr(' ', '')}"
        return f"{session}{tr('', ' ')}{origin}{target}"


def _result(command: Command) -> Cell:
    if command.done_at is None:
        return Cell(tr("等待引擎执行", "Waiting for the engine"), 1, "warn")
    if command.refused is not None:
        return Cell(tr(f"未执行：{command.refused}", f"Not done: {command.refused}"), 2, "alarm")
    return Cell(tr("已执行", "Done"), 0, "good")
