"""One session in the drawer, with the ways to hand it over for whoever may."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.domain.language import tr
from app.domain.localtime import LocalTime
from ui.pages.seats.giving import GivenStrip, Giving
from ui.theme import SPACE_2
from ui.widgets.buttons import Button
from ui.widgets.session_facts import Conversation, SessionPanel


class SeatSession(SessionPanel):
    """`hand_over(to)`: "agent" or "group"; not offered once the session is closed. place: see Giving."""

    hand_over = Signal(str)

    def __init__(self, local: LocalTime, giving: Giving, place: str) -> None:
        super().__init__(local)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        self.strip = GivenStrip(giving, place, self)
        column.addWidget(self.strip)
        self.to_agent = Button(tr("转给客服…", "Move to an agent…"), icon_name="move", parent=self)
        self.to_group = Button(tr("转到咨询组…", "Move to a group…"), icon_name="transfer", parent=self)
        self.to_agent.clicked.connect(lambda: self.hand_over.emit("agent"))
        self.to_group.clicked.connect(lambda: self.hand_over.emit("group"))
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        for button in (self.to_agent, self.to_group):
            button.setVisible(giving.allowed)
            button.setEnabled(False)
            row.addWidget(button, 1)
        column.addLayout(row)

    def show_conversation(self, found: Conversation | None) -> None:
        super().show_conversation(found)
        for button in (self.to_agent, self.to_group):
            button.setEnabled(found is not None and found.session.closed_at is None)
