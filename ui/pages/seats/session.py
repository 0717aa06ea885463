"""The drawer's panel of one session: who, since when, waiting how long, and what was said, as it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtWidgets import QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.metrics import METRICS
from ui.pages.seats.figures import Figure, Figures
from ui.pages.seats.sessions import name_of, wait_cell
from ui.theme import SPACE_1, SPACE_2, SPACE_3, SPACE_4
from ui.widgets.empty import EmptyState
from ui.widgets.metric_text import unit_of
from ui.widgets.skeleton import Skeleton
from ui.widgets.transcript import Bubble, Transcript

if TYPE_CHECKING:
    from app.services import live

CHANNELS = {
    "app": T("手机客户端", "App"), "web": T("网页", "Web"), "mini": T("小程序", "Mini program"), "phone": T("电话", "Phone"),
    "other": T("其他渠道", "Other channel"),
}  # fmt: skip
PAGES = {
    "item": T("商品页", "Item page"), "shop": T("店铺首页", "Shop page"), "order": T("订单页", "Order page"),
    "logistics": T("物流页", "Delivery page"),
}  # fmt: skip
CLOSERS = {
    "customer": T("客户结束", "closed by the customer"), "agent": T("客服结束", "closed by the agent"),
    "timeout": T("超时结束", "timed out"), "system": T("系统结束", "closed by the system"),
}  # fmt: skip
CONTENTS = {"image": T("[图片]", "[image]"), "card": T("[卡片]", "[card]"), "file": T("[文件]", "[file]")}


class Conversation(NamedTuple):
    """A session ready to be shown; made off the UI thread."""

    session: live.SessionInfo
    at: int
    bubbles: list[Bubble]


def conversation(found: live.Transcript, at: int, local: LocalTime) -> Conversation:
    today = local.day(at)
    bubbles = []
    for message in found.messages:
        moment = local.local(message.at)
        time = f"{moment:%H:%M}" if local.day(message.at) == today else f"{moment:%m-%d %H:%M}"
        text = message.text
        if message.content in CONTENTS:
            text = f"{CONTENTS[message.content]} {text}".strip()
        bubbles.append(Bubble(message.sender, text, time, message.name))
    return Conversation(found.session, at, bubbles)


class SessionPanel(QWidget):
    def __init__(self, local: LocalTime) -> None:
        super().__init__()
        self._local = local
        self._session: live.SessionInfo | None = None
        self._about = QLabel(self)
        self._about.setProperty("look", "caption")
        self._about.setWordWrap(True)
        self._figures = Figures(self)
        self._figures.set_figures([Figure(caption, "--") for caption in _captions()])
        self.transcript = Transcript(self)
        self._stack = QStackedWidget(self)
        self._skeleton = Skeleton("text")
        self._silent = EmptyState("sessions", tr("还没有消息", "No messages yet"), tr("新消息会出现在这里。", "New ones appear here."))
        self._unknown = EmptyState(
            "lookup", tr("找不到这个会话", "This session cannot be found"), tr("它可能属于另一个店铺。", "It may belong to another store.")
        )
        for widget in (self._skeleton, self.transcript, self._silent, self._unknown):
            self._stack.addWidget(widget)
        frame = QFrame(self)
        frame.setProperty("look", "card")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(1, SPACE_1, 1, SPACE_1)
        inside.addWidget(self._stack)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, 0, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        column.addWidget(self._about)
        column.addWidget(self._figures)
        column.addSpacing(SPACE_2 - SPACE_3)
        column.addWidget(frame, 1)
        self.setFocusProxy(self.transcript)

    def show_conversation(self, found: Conversation | None) -> None:
        """None: there is no such session."""
        if found is None:
            self._stack.setCurrentWidget(self._unknown)
            return
        self._session = session = found.session
        channel, page = CHANNELS.get(session.channel, ""), PAGES.get(session.page, "")
        leave = tr("留言", "Message left") if session.kind == "leave" else ""
        about = (leave, session.agent_name, session.group, str(channel), str(page), session.region, session.code)
        self._about.setText(" · ".join(part for part in about if part))
        self.tick(found.at)
        self._show_messages(found.bubbles)
        self._stack.setCurrentWidget(self.transcript if found.bubbles else self._silent)

    def _show_messages(self, bubbles: list[Bubble]) -> None:
        """The end is followed. Whoever reads further up stays there, also when a late message comes in between."""
        bar = self.transcript.verticalScrollBar()
        place, reads_above = bar.value(), bar.value() < bar.maximum() - 4
        self.transcript.set_messages(bubbles)
        if reads_above and bar.value() != place:
            bar.setValue(place)

    def title(self) -> str:
        """Who is on the other side; "" until it is known."""
        return "" if self._session is None else name_of(self._session)

    def tick(self, now: int) -> None:
        """Move the clock on to `now`, epoch ms."""
        session = self._session
        if session is None:
            return
        waiting, opened, first, messages = _captions()
        if session.closed_at is None:
            cell = wait_cell(session, now)
            state = Figure(waiting, cell.text, "", cell.level)
        else:
            state = Figure(str(CLOSERS.get(session.closed_by, T("已结束", "closed"))), f"{self._local.local(session.closed_at):%H:%M}")
        reply = METRICS["first_reply"]
        seconds = None if session.first_reply_ms is None else session.first_reply_ms / 1000
        self._figures.set_figures(
            (
                state,
                Figure(opened, f"{self._local.local(session.opened_at):%H:%M}"),
                Figure(first, reply.text(seconds), unit_of(reply) if seconds is not None else "", reply.level(seconds)),
                Figure(messages, f"{session.customer_messages} / {session.agent_messages}"),
            )
        )

    def set_stale(self, stale: bool) -> None:
        self._figures.set_stale(stale)

    def take_keyboard(self) -> None:
        self.transcript.setFocus()


def _captions() -> tuple[str, str, str, str]:
    return (
        tr("等待回复", "Waiting"), tr("开始", "Opened"), tr("首次响应", "First reply"), tr("客户 / 客服消息", "In / out"),
    )  # fmt: skip
