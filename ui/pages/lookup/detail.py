"""The drawer of the page: one session with its transcript, and the ways on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.conversations import read_conversation
from ui.exporting import export
from ui.pages.registry import Page
from ui.theme import SPACE_2, SPACE_4
from ui.widgets.buttons import Button, IconButton
from ui.widgets.drawer import Drawer
from ui.widgets.session_facts import Conversation, SessionPanel

if TYPE_CHECKING:
    from app.services.live import SessionInfo


class Detail(QObject):
    """`session` is the code shown, "" for none."""

    changed = Signal()
    agent_wanted = Signal(str)
    """Agent code."""
    customer_wanted = Signal(str)
    """Customer code: all their sessions."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._page = page
        self._local = page.context.workspace.local(page.context.store)
        self.session = ""
        self._words, self._message_at = "", None  # type: tuple[str, int | None]
        self._panel: _Panel | None = None
        self.drawer = Drawer(page)
        self.drawer.closed.connect(self._forget)

    @property
    def is_open(self) -> bool:
        return bool(self.session)

    @property
    def title(self) -> str:
        return "" if self._panel is None else self._panel.session.title() or self.session

    def panel(self) -> SessionPanel | None:
        return None if self._panel is None else self._panel.session

    def open(self, session: str, message_at: int | None = None, words: str = "") -> None:
        """Show a session, at the message of a moment, with what was searched for marked."""
        if not self._page.context.actor.may("transcripts.view"):
            self._page.context.toast(
                tr("没有权限查看聊天记录。请向管理员申请。", "You may not read transcripts. Ask an administrator."), "warn"
            )
            return
        self.session, self._message_at, self._words = session, message_at, words
        self._panel = panel = _Panel(SessionPanel(self._local, past=True))
        panel.agent.clicked.connect(lambda: self._leave("agent"))
        panel.customer.clicked.connect(lambda: self._leave("customer"))
        panel.export.clicked.connect(self.export)
        self.drawer.open(session, panel)
        self.refresh()
        self.changed.emit()

    def refresh(self) -> None:
        if not self.session:
            return
        context, code = self._page.context, self.session
        self._page.read("session", lambda: read_conversation(context, code), self._show, (code, self._message_at))

    def close(self) -> None:
        self.drawer.close_drawer()

    def take_keyboard(self) -> None:
        if self._panel is not None:
            self._panel.session.take_keyboard()

    def has_keyboard(self) -> bool:
        focus = self._page.window().focusWidget()
        return focus is not None and (focus is self.drawer or self.drawer.isAncestorOf(focus))

    def export(self) -> None:
        """What was said in the session, to a file."""
        from app.services.sheets_of_one import transcript_sheet

        context, code = self._page.context, self.session
        name = f"{tr('聊天记录', 'Transcript')}_{code}"
        export(context, self._page, name, lambda: transcript_sheet(context.workspace, context.store, code, context.clock()))

    def _show(self, found: Conversation | None) -> None:
        panel = self._panel
        if panel is None or (found is not None and found.session.code != self.session):
            return
        panel.session.show_conversation(found)
        panel.session.reveal(self._message_at, self._words)
        if found is not None:
            session: SessionInfo = found.session  # type: ignore[assignment]
            name = session.agent_name if session.waits is None else tr(f"原客服 {session.agent_name}", f"Before: {session.agent_name}")
            panel.offer(session.agent, name, session.customer)
            self.drawer.set_title(panel.session.title())
            self.changed.emit()

    def _leave(self, to: str) -> None:
        if self._panel is None:
            return
        if to == "agent" and self._panel.agent_code:
            self.agent_wanted.emit(self._panel.agent_code)
        elif to == "customer" and self._panel.customer_code:
            self.customer_wanted.emit(self._panel.customer_code)

    def _forget(self) -> None:
        self._panel = None
        self.session = ""
        self.changed.emit()


class _Panel(QWidget):
    """The session with what one may go on to."""

    def __init__(self, session: SessionPanel) -> None:
        super().__init__()
        self.session = session
        self.agent_code = self.customer_code = ""
        self.agent = Button("", "quiet", "agent", self)
        self.customer = Button(tr("这位客户的全部会话", "All sessions of this customer"), "quiet", "sessions", self)
        self.export = IconButton("export", tr("导出聊天记录", "Export the transcript"), self)
        for button in (self.agent, self.customer, self.export):
            button.hide()
        row = QHBoxLayout()
        row.setContentsMargins(SPACE_4, 0, SPACE_4, SPACE_2)
        row.setSpacing(SPACE_2)
        row.addWidget(self.agent)
        row.addWidget(self.customer)
        row.addStretch(1)
        row.addWidget(self.export)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(session, 1)
        self.setFocusProxy(session)

    def offer(self, agent: str | None, name: str, customer: str) -> None:
        self.agent_code, self.customer_code = agent or "", customer
        self.agent.setText(name)
        self.agent.setToolTip(tr("看这位客服的数据", "This agent's figures"))
        self.agent.setVisible(bool(agent))
        self.customer.setVisible(bool(customer))
        self.export.show()
