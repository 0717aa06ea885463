"""The drawer of the page: one agent, and from there one session. Reads what its open panels show."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from app.domain.language import tr
from ui.conversations import read_conversation
from ui.pages.registry import Page
from ui.pages.seats.agent import AgentPanel
from ui.pages.seats.giving import Giving
from ui.pages.seats.handing import HAND_OVER, HandOverDialog, Session, To, ask_attending
from ui.pages.seats.session import SeatSession
from ui.widgets.commands import Command
from ui.widgets.drawer import Drawer
from ui.widgets.session_facts import Conversation, name_of

if TYPE_CHECKING:
    from app.services.live import AgentDay, SeatRow, SessionInfo

_SPOKEN = frozenset({"messages", "routing", "sessions"})


class Detail(QObject):
    """`agent` and `session` are the codes shown, "" for none. An agent's day is read again with the next tick after a notice, a
    transcript at once."""

    changed = Signal()
    """The drawer was opened or closed, or shows something else."""
    record_wanted = Signal(str)
    """Of an agent: what has been commanded."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._page = page
        self._local = page.context.workspace.local(page.context.store)
        self._may_read = page.context.actor.may("transcripts.view")
        self.agent = self.session = ""
        self._name = ""
        self._agent_panel: AgentPanel | None = None
        self._session_panel: SeatSession | None = None
        self._shown: SessionInfo | None = None
        self.giving = Giving(page, lambda: self.place)
        self.dialog: HandOverDialog | None = None
        self._due = self._stale = False
        self.drawer = Drawer(page)
        self.drawer.closed.connect(self._forget)

    @property
    def is_open(self) -> bool:
        return bool(self.agent or self.session)

    @property
    def place(self) -> str:
        """Where the person is, as Giving names it: what the drawer shows, "" beside it."""
        return f"session:{self.session}" if self.session else f"agent:{self.agent}" if self.agent else ""

    @property
    def path(self) -> tuple[str, ...]:
        """Names of what is open, outermost first."""
        panel = self._session_panel
        session = (panel.title() or self.session,) if panel is not None else ()
        return (*((self._name,) if self.agent else ()), *session)

    def open_agent(self, code: str, seat: SeatRow | None) -> None:
        """Show an agent in place of whatever is open; `seat` is what is known of them already."""
        self._leave_session()
        self.agent, self._name = code, seat.name if seat is not None else code
        if self._agent_panel is None:
            self._agent_panel = AgentPanel(self._local, self._may_read, self.giving)
            self._agent_panel.hand_over.connect(self._hand_over_listed)
            self._agent_panel.attend_wanted.connect(self._attend)
            self._agent_panel.record_wanted.connect(lambda: self.record_wanted.emit(self.agent))
            self._agent_panel.session_wanted.connect(self._open_listed)
            self._agent_panel.uncovered.connect(self._uncovered)
            self._agent_panel.set_stale(self._stale)
            self.drawer.open(self._name, self._agent_panel)
        else:
            self.drawer.set_title(self._name)
        self._agent_panel.show_seat(seat, self._page.context.clock())
        self._read_agent()
        self.changed.emit()

    def open_session(self, code: str, title: str = "") -> None:
        """Lay a session over the agent, or show it alone. Whoever may not read transcripts is told so in words."""
        if not self._may_read:
            self._page.context.toast(
                tr("没有权限查看聊天记录。请向管理员申请。", "You may not read transcripts. Ask an administrator."), "warn"
            )
            return
        self._leave_session()
        self.session = code
        panel = self._session_panel = SeatSession(self._local, self.giving, self.place)
        panel.hand_over.connect(self._hand_over_shown)
        panel.set_stale(self._stale)
        if self._agent_panel is not None:
            self._agent_panel.cover()
            self.drawer.push(title or code, panel)
        else:
            self.drawer.open(title or code, panel)
        self._read_session()
        self.changed.emit()

    def take_keyboard(self) -> None:
        panel = self.drawer.current()
        if isinstance(panel, AgentPanel | SeatSession):
            panel.take_keyboard()

    def close(self) -> None:
        self.drawer.close_drawer()

    def refresh(self) -> None:
        self._due = False
        self.giving.refresh()
        if self.agent:
            self._read_agent()
        if self.session:
            self._read_session()

    def on_notice(self, topics: frozenset[str]) -> None:
        self._due = True
        self.giving.on_notice(topics)
        if self.dialog is not None:
            self.dialog.refresh()
        if self.session and topics & _SPOKEN:
            self._read_session()

    def tick(self) -> None:
        """Move the clocks on, and read what has become due."""
        if self._due:
            self._due = False
            if self.agent:
                self._read_agent()
        for panel in (self._agent_panel, self._session_panel):
            if panel is not None:
                panel.tick(self._page.context.clock())

    def set_stale(self, stale: bool) -> None:
        self._stale = stale
        for panel in (self._agent_panel, self._session_panel):
            if panel is not None:
                panel.set_stale(stale)

    # -- inside --

    def _open_listed(self, code: str) -> None:
        panel = self._agent_panel
        self.open_session(code, panel.sessions.title(code) if panel is not None else code)
        self.take_keyboard()

    def _read_agent(self) -> None:
        context, code = self._page.context, self.agent
        self._page.read("agent", lambda: context.workspace.live.agent_day(context.store, code), self._show_agent, code)

    def _show_agent(self, day: AgentDay | None) -> None:
        panel = self._agent_panel
        if panel is None:
            return
        if day is None:
            panel.show_unknown()
        elif day.seat.code == self.agent:
            panel.show_day(day)
            if day.seat.name != self._name:
                self._name = day.seat.name
                if not self.session:
                    self.drawer.set_title(self._name)
                self.changed.emit()

    def _read_session(self) -> None:
        context, code = self._page.context, self.session
        self._page.read("session", lambda: read_conversation(context, code), self._show_session, code)

    def _show_session(self, found: Conversation | None) -> None:
        panel = self._session_panel
        if panel is None or (found is not None and found.session.code != self.session):
            return
        self._shown = None if found is None else cast("SessionInfo", found.session)
        panel.show_conversation(found)
        if panel.title():
            self.drawer.set_title(panel.title())
            self.changed.emit()

    # -- commands --

    def commands(self) -> list[Command]:
        """To hand over the session that is open, or chosen in the agent's list."""
        listed = None if self._agent_panel is None else self._agent_panel.sessions
        session = self._shown if self.session else listed.session(str(listed.current_id())) if listed is not None else None
        if session is None or session.closed_at is not None or not self.giving.allowed:
            return []
        return [
            Command(to, words, picture, partial(self._hand_over, session, to), hint=name_of(session))
            for to, (words, picture) in HAND_OVER.items()
        ]

    def attend(self, seat: SeatRow) -> None:
        """Ask whether the agent is to be suspended or resumed."""
        ask_attending(seat, self._page, self.giving.give)

    def _attend(self) -> None:
        if self._agent_panel is not None and self._agent_panel.seat is not None:
            self.attend(self._agent_panel.seat)

    def _hand_over_listed(self, code: str, to: str) -> None:
        session = None if self._agent_panel is None else self._agent_panel.sessions.session(code)
        if session is not None:
            self._hand_over(session, cast("To", to))

    def _hand_over_shown(self, to: str) -> None:
        if self._shown is not None:
            self._hand_over(self._shown, cast("To", to))

    def _hand_over(self, session: SessionInfo, to: To) -> None:
        about = Session(session.code, name_of(session))
        if session.waits is None:
            about = about._replace(agent=session.agent or "", agent_name=session.agent_name)
        dialog = self.dialog = HandOverDialog(self._page.context, about, to, self._page)
        dialog.chosen.connect(self.giving.give)
        dialog.finished.connect(self._handed_over)
        dialog.open()

    def _handed_over(self) -> None:
        self.dialog = None

    def _leave_session(self) -> None:
        """Take the session off the agent beneath it."""
        if self._session_panel is not None and self.agent:
            self.drawer.back()
        self._session_panel = self._shown = None
        self.session = ""

    def _uncovered(self) -> None:
        """Back from a session to its agent; the keyboard comes along unless it is at work in the table."""
        self._session_panel = self._shown = None
        self.session = ""
        if self._agent_panel is not None and QApplication.focusWidget() is not self._page.focusProxy():
            self._agent_panel.take_keyboard()
        self.changed.emit()

    def _forget(self) -> None:
        self._agent_panel = self._session_panel = self._shown = None
        self.agent = self.session = self._name = ""
        self.changed.emit()
