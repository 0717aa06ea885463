"""The dialogs before a command: what suspending or resuming comes to, and whom a session is handed to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import T, tr
from ui.pages.registry import PageContext
from ui.pages.seats.giving import Wish
from ui.pages.seats.lines import holds
from ui.runtime.finder import Reading, typed, with_pinyin
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6, color
from ui.widgets.buttons import Button, answers
from ui.widgets.search import SearchEdit
from ui.widgets.segmented import Segmented
from ui.widgets.timeline import STATES

if TYPE_CHECKING:
    from app.services.live import SeatRow
    from app.services.targets import AgentTarget, GroupTarget, Targets
    from ui.runtime.problems import Problem

To = Literal["agent", "group"]
HAND_OVER: dict[To, tuple[T, str]] = {
    "agent": (T("转给客服…", "Move to an agent…"), "move"), "group": (T("转到咨询组…", "Move to a group…"), "transfer"),
}  # fmt: skip
"""The words and the icon of each way to hand a session over."""
_CODE = Qt.ItemDataRole.UserRole
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Session(NamedTuple):
    """A session to hand over. agent: code of who has it, "" for nobody; customer and agent_name as people read them."""

    code: str
    customer: str
    agent: str = ""
    agent_name: str = ""


def attending(seat: SeatRow) -> Wish:
    """To suspend an agent, or to resume one who is suspended."""
    suspend = Wish("suspend", tr(f"挂起 {seat.name}", f"Suspend {seat.name}"), {"agent": seat.code})
    resume = Wish("resume", tr(f"恢复 {seat.name} 的接待", f"Resume {seat.name}"), {"agent": seat.code})
    wish, back = (resume, suspend) if seat.state == "suspended" else (suspend, resume)
    wish.undo = Wish(back.kind, back.words, back.body)
    return wish


class AskDialog(QDialog):
    """What a command will do, in a sentence, and the button that does it. Deletes itself."""

    def __init__(self, title: str, sentence: str, action: str, icon_name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(400)
        self.setAccessibleDescription(sentence)
        self.words = QLabel(sentence, self)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.go = Button(action, "primary", icon_name, self)
        column = _column(self)
        column.addWidget(_title(title, self))
        column.addWidget(self.words)
        column.addSpacing(SPACE_2)
        self.go.clicked.connect(self.accept)
        column.addLayout(answers(self, self.go))
        self.go.setFocus()


def ask_attending(seat: SeatRow, parent: QWidget, give: Callable[[Wish], None]) -> AskDialog:
    """Asks whether an agent is to be suspended or resumed, and gives the command."""
    wish, active, name = attending(seat), seat.numbers.get("active", 0), seat.name
    if wish.kind == "suspend":
        kept = tr(f"现有 {active} 个会话继续由其接待，", f"The {active} current sessions stay with them; ") if active > 1 else (
            tr("现有 1 个会话继续由其接待，", "The current session stays with them; ") if active else ""
        )  # fmt: skip
        rest = tr("不再分配新会话，也不接转接。", "they get no new ones and no transfers.")
        dialog = AskDialog(tr(f"挂起 {name}？", f"Suspend {name}?"), f"{kept}{rest}"[:1].upper() + f"{kept}{rest}"[1:],
                           tr("挂起", "Suspend"), "suspend", parent)  # fmt: skip
    else:
        sentence = tr("状态变为接待：重新分配新会话，正在排队的客户可能立即转入。",
                      "They become available: new sessions are given again, customers in line perhaps at once.")  # fmt: skip
        dialog = AskDialog(tr(f"恢复 {name} 的接待？", f"Resume {name}?"), sentence, tr("恢复接待", "Resume"), "resume", parent)
    dialog.accepted.connect(lambda: give(wish))
    dialog.open()
    return dialog


class _Target(NamedTuple):
    """A row. why_not: "" for one that can be chosen; then: what choosing it comes to."""

    code: str
    name: str
    state: str
    load: str
    warns: bool
    why_not: str
    then: str
    reading: Reading


class HandOverDialog(QDialog):
    """Chooses the agent or the group. Letters narrow the list, Enter goes on to it and chooses there. Deletes itself.

    `chosen(Wish)` when the person has decided.
    """

    chosen = Signal(object)

    def __init__(self, context: PageContext, session: Session, to: To, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._context, self._session = context, session
        self._found: dict[str, list[_Target]] = {}
        self._lost: _Target | None = None
        """Whoever was chosen and can take it no more: nobody takes their place unasked."""
        title = tr(f"转移 {session.customer} 的会话", f"Move the session of {session.customer}")
        self.setWindowTitle(title)
        self.resize(520, 520)
        self.to = Segmented(
            (("agent", T("转给客服", "To an agent")), ("group", T("转到咨询组", "To a group"))), to, tr("转移到", "Move"), self
        )  # fmt: skip
        self.search = SearchEdit(tr("姓名、拼音、编号", "Name, pinyin or code"), self)
        self.tree = QTreeWidget(self)
        self.tree.setProperty("look", "card")
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setColumnCount(3)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setMinimumHeight(40)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.go = Button(tr("转移", "Move"), "primary", "move", self)
        top = QHBoxLayout()
        top.setSpacing(SPACE_2)
        top.addWidget(self.to)
        top.addWidget(self.search, 1)
        column = _column(self)
        column.addWidget(_title(title, self))
        column.addLayout(top)
        column.addWidget(self.tree, 1)
        column.addWidget(self.words)
        self.go.clicked.connect(self.accept)
        column.addLayout(answers(self, self.go))
        self.to.chosen.connect(self._turned)
        self.search.searched.connect(lambda _: self._anew())
        self.search.left.connect(self.tree.setFocus)
        self.tree.currentItemChanged.connect(lambda *_: self._tell())
        self.tree.itemDoubleClicked.connect(lambda *_: self.go.click())
        self.accepted.connect(self._send)
        self._turned()
        self.refresh()
        self.search.setFocus()

    def refresh(self) -> None:
        """Who is there may have changed."""
        workspace, store, session = self._context.workspace, self._context.store, self._session

        def read() -> dict[str, list[_Target]]:
            from app.services.targets import targets

            return _rows(targets(workspace, store), session)

        self._context.operations.latest(self, "targets", read, self._take, self._failed)

    def current(self) -> str:
        """Code of what is chosen, "" while nothing is."""
        item = self.tree.currentItem()
        return "" if item is None or item.isDisabled() else str(item.data(0, _CODE))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in the search line looks at what was found first: nobody is chosen unseen."""
        if event.key() in _ENTER and self.focusWidget() is self.search:
            self.tree.setFocus()
        else:
            super().keyPressEvent(event)

    # -- inside --

    def _take(self, found: dict[str, list[_Target]]) -> None:
        before = self._row(self.current()) if self.current() else None
        self._found = found
        if before is not None:
            gone = before._replace(why_not=tr("不在列表中", "not there any more"))
            now = next((row for row in found[self.to.value()] if row.code == before.code), gone)
            self._lost = now if now.why_not else None
        self._show()

    def _failed(self, problem: Problem) -> None:
        self.words.setText(problem.sentence)

    def _turned(self) -> None:
        agents = self.to.value() == "agent"
        self.tree.setHeaderLabels(
            [tr("客服", "Agent"), tr("状态", "State"), tr("接待量", "Load")] if agents
            else [tr("咨询组", "Group"), tr("状态", "State"), tr("空闲 / 成员", "Free / members")]
        )  # fmt: skip
        self.tree.headerItem().setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.setAccessibleName(tr("客服", "Agents") if agents else tr("咨询组", "Groups"))
        self.tree.clear()
        self._anew()

    def _anew(self) -> None:
        """Whoever looks for somebody else is shown the first of them."""
        self._lost = None
        self._show()

    def _show(self) -> None:
        """Those who fit what was typed; the one chosen stays chosen while it is there."""
        before, text = self.current(), typed(self.search.text())
        rows = [row for row in self._found.get(self.to.value(), ()) if not text or text in typed(row.code) or holds(row.reading, text)]
        self.tree.clear()
        for row in rows:
            self.tree.addTopLevelItem(_item(row))
        items = [self.tree.topLevelItem(place) for place in range(len(rows))]
        free = [item for item in items if item is not None and not item.isDisabled()]
        if free and self._lost is None:
            self.tree.setCurrentItem(next((item for item in free if item.data(0, _CODE) == before), free[0]))
        self._tell()

    def _tell(self) -> None:
        code, name = self.current(), ""
        if code:
            row = self._row(code)
            self.words.setText(row.then)
            name = row.name
        elif self._lost is not None:
            lost, why = self._lost.name, self._lost.why_not
            self.words.setText(tr(f"{lost} 现在不能接（{why}），请另选。", f"{lost} cannot take it any more ({why}): choose another."))
        elif self.to.value() in self._found:
            nobody = tr("没有符合的客服", "No agent fits") if self.to.value() == "agent" else tr("没有符合的咨询组", "No group fits")
            self.words.setText(nobody if not self.tree.topLevelItemCount() else tr("现在都不能接。", "None of them can take it now."))
        else:
            self.words.setText(tr("正在读取…", "Reading …"))
        self.go.setEnabled(bool(code))
        to_whom = tr(f"转给 {name}", f"Move to {name}") if self.to.value() == "agent" else tr(f"转到「{name}」", f"Move to {name}")
        self.go.setText(to_whom if name else tr("转移", "Move"))

    def _row(self, code: str) -> _Target:
        return next(row for row in self._found[self.to.value()] if row.code == code)

    def _send(self) -> None:
        code, session = self.current(), self._session
        if not code:
            return
        name, body = self._row(code).name, {"session": session.code}
        customer = session.customer
        back = None
        if session.agent:
            words = tr(f"把 {customer} 的会话还给 {session.agent_name}", f"Give {customer} back to {session.agent_name}")
            back = Wish("move", words, {**body, "agent": session.agent})
        if self.to.value() == "agent":
            words = tr(f"把 {customer} 的会话转给 {name}", f"Move {customer} to {name}")
            self.chosen.emit(Wish("move", words, {**body, "agent": code}, back))
        else:
            words = tr(f"把 {customer} 的会话转到「{name}」", f"Move {customer} to the group {name}")
            if back is not None:
                back.words += tr(f"，会话仍属「{name}」", f"; the session stays in the group {name}")
            self.chosen.emit(Wish("transfer", words, {**body, "group": code}, back))


def _rows(found: Targets, session: Session) -> dict[str, list[_Target]]:
    """Made on a worker thread. Agents who can take it first, the least busy on top; groups as they stand in the settings."""
    names = sorted({*(agent.name for agent in found.agents), *(group.name for group in found.groups)})
    readings = dict(zip(names, with_pinyin(names), strict=True))
    agents = sorted(found.agents, key=lambda a: (_why_not(a, session) != "", a.full, a.state != "available", _load(a), a.code))
    return {
        "agent": [_agent_row(agent, session, readings[agent.name]) for agent in agents],
        "group": [_group_row(group, session, readings[group.name]) for group in found.groups],
    }


def _load(agent: AgentTarget) -> float:
    return agent.active / agent.capacity if agent.capacity else agent.active / 1000


def _why_not(agent: AgentTarget, session: Session) -> str:
    if agent.code == session.agent:
        return tr("正在接待此会话", "Has this session")
    return "" if agent.why_not is None else str(agent.why_not)


def _agent_row(agent: AgentTarget, session: Session, reading: Reading) -> _Target:
    load = str(agent.active) if agent.capacity is None else f"{agent.active}/{agent.capacity}"
    customer = session.customer
    then = (
        tr(f"{customer} 的会话从 {session.agent_name} 转给 {agent.name}。", f"{customer} goes from {session.agent_name} to {agent.name}.")
        if session.agent
        else tr(f"{customer} 的会话交给 {agent.name}。", f"{customer} goes to {agent.name}.")
    )
    if agent.full:
        then += tr(f"{agent.name} 已满载（{load}），转移仍会执行。", f" {agent.name} is at cap ({load}); the move is done all the same.")
    return _Target(agent.code, agent.name, str(STATES[agent.state][0]), load, agent.full, _why_not(agent, session), then, reading)


def _group_row(group: GroupTarget, session: Session, reading: Reading) -> _Target:
    state = tr("有人空闲", "Somebody is free") if group.free else tr("无人空闲", "Nobody is free")
    then = (
        tr(f"{session.customer} 的会话按「{group.name}」的规则分配。", f"{session.customer} goes to an agent by the rules of {group.name}.")
        if group.free
        else tr(f"「{group.name}」现在无人空闲：{session.customer} 将溢出到兜底组或排队等待。",
                f"Nobody in {group.name} is free: {session.customer} goes on to the fallback group or waits in line.")
    )  # fmt: skip
    why_not = "" if group.why_not is None else str(group.why_not)
    return _Target(group.code, group.name, state, f"{group.free} / {group.members}", not group.free, why_not, then, reading)


def _item(row: _Target) -> QTreeWidgetItem:
    item = QTreeWidgetItem([row.name, row.why_not or row.state, row.load])
    item.setData(0, _CODE, row.code)
    item.setToolTip(0, row.code)
    item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    if row.why_not:
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        for column in range(3):
            item.setForeground(column, color("quiet"))
    elif row.warns:
        item.setForeground(2, color("warn"))
    return item


def _title(words: str, parent: QWidget) -> QLabel:
    label = QLabel(words, parent)
    label.setProperty("look", "section")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _column(dialog: QDialog) -> QVBoxLayout:
    column = QVBoxLayout(dialog)
    column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
    column.setSpacing(SPACE_3)
    return column
