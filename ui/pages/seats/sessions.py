"""The sessions an agent holds now, each with the clock of its waiting customer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.domain.language import T, tr
from ui.pages.seats.handing import HAND_OVER
from ui.theme import icon
from ui.widgets.empty import EmptyState
from ui.widgets.metric_text import clock_text
from ui.widgets.session_facts import name_of, wait_cell, waits_words
from ui.widgets.table import Cell, Cells, Column, DataTable, RowId, RowTableModel

if TYPE_CHECKING:
    from app.services.live import SessionInfo


class SessionList(DataTable):
    """Rows are session codes; the longest wait comes first. `can_open` makes the customers' names links, `can_move` offers to hand over.

    `hand_over(code, to)`: "agent" or "group".
    """

    hand_over = Signal(str, str)

    def __init__(self, can_open: bool, can_move: bool = False) -> None:
        figure = 62 if can_move else 78
        columns = [
            Column("customer", T("客户", "Customer"), "text", 126 if can_move else 144, T("姓名与咨询组", "Name and group"), link=can_open),
            Column("waiting", T("等待", "Waiting"), "duration", figure,
                   T("客户最后一条消息等待回复的时间", "How long the customer's last message has waited for a reply")),
            Column("open", T("已进行", "Open for"), "duration", figure, T("会话开始至今", "Since the session was opened")),
            Column("messages", T("消息", "In / out"), "number", figure,
                   T("客户消息数 / 客服消息数", "Messages by the customer / by the agent")),
        ]  # fmt: skip
        if can_move:
            columns.append(Column("move", T("转移", "Move"), "text", 56, T("转给其他客服或咨询组", "To another agent or group"),
                                  sortable=False, link=True))  # fmt: skip
        super().__init__(RowTableModel(columns))
        self.rows().setParent(self)
        self._sessions: list[SessionInfo] = []
        self._can_open, self._can_move = can_open, can_move
        self.row_menu_wanted.connect(self._show_menu)
        self.setAccessibleName(tr("进行中的会话", "Current sessions"))
        self.rows().sort_by("waiting", descending=True)
        self._known = False
        self.set_placeholder(QWidget())
        self.set_tooltip(self.words_of)

    def title(self, code: str) -> str:
        """Who is on the other side of a session; its code where that is not known."""
        return next((name_of(session) for session in self._sessions if session.code == code), code)

    def session(self, code: str) -> SessionInfo | None:
        return next((session for session in self._sessions if session.code == code), None)

    def words_of(self, code: RowId, key: str) -> str:
        """The tooltip: whose session it is, and where."""
        session = self.session(str(code))
        if key != "customer" or session is None:
            return ""
        where = session.group if session.waits is None else waits_words(session.waits)
        return " · ".join(part for part in (name_of(session), where) if part)

    def _show_menu(self, code: object, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._can_open:
            menu.addAction(icon("transcripts"), tr("查看聊天记录", "Read the transcript"), lambda: self.opened.emit(code))
        if self._can_move:
            for to, (words, picture) in HAND_OVER.items():
                menu.addAction(icon(picture), str(words), partial(self.hand_over.emit, str(code), to))
        if menu.isEmpty():
            menu.deleteLater()
        else:
            menu.popup(at)

    def set_unknown(self) -> None:
        """Nothing has been read: an empty list that does not say that there are no sessions."""
        self._known = False
        self._sessions = []
        self.rows().set_rows([])
        self.set_placeholder(QWidget())

    def set_sessions(self, sessions: Sequence[SessionInfo], now: int) -> None:
        if not self._known:
            self._known = True
            none, more = tr("没有进行中的会话", "No current sessions"), tr("新分配的会话会出现在这里。", "New ones appear here.")
            self.set_placeholder(EmptyState("sessions", none, more))
        self._sessions = list(sessions)
        self.rows().set_rows([(session.code, _cells(session, now)) for session in sessions])

    def tick(self, now: int) -> None:
        self.rows().update_rows({session.code: _cells(session, now) for session in self._sessions})


def _cells(session: SessionInfo, now: int) -> Cells:
    leave = tr("留言", "Message") if session.kind == "leave" else ""
    where = session.group if session.waits is None else tr("排队中", "In line")
    return {
        "customer": Cell(name_of(session), name_of(session), detail=" · ".join(part for part in (leave, where) if part)),
        "waiting": wait_cell(session, now),
        "open": Cell(clock_text(now - session.opened_at), -session.opened_at),
        "messages": Cell(f"{session.customer_messages} / {session.agent_messages}", session.customer_messages + session.agent_messages),
        "move": Cell(tr("转移", "Move")),
    }
