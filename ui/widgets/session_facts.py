"""One session in a drawer: who, since when, waiting how long, and what was said. What is shown of it comes as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from PySide6.QtWidgets import QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.domain.events import Sender
from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.metrics import METRICS
from app.domain.routing.reasons import Waits, told
from app.domain.routing_settings import region_words
from app.domain.terms import CHANNELS, CLOSERS, CONTENTS, PAGES, RATINGS, REASONS
from ui.theme import SPACE_1, SPACE_2, SPACE_3, SPACE_4
from ui.widgets.empty import EmptyState
from ui.widgets.figures import Figure, Figures
from ui.widgets.metric_text import clock_text, unit_of
from ui.widgets.skeleton import Skeleton
from ui.widgets.table_model import Cell
from ui.widgets.transcript import Bubble, Transcript


class Facts(Protocol):
    """What is known of a session; times epoch ms, enumerations as codes of conversation.py, "" for what is not known."""

    @property
    def code(self) -> str: ...
    @property
    def customer(self) -> str: ...
    @property
    def customer_name(self) -> str: ...
    @property
    def agent_name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def page(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def opened_at(self) -> int: ...
    @property
    def first_reply_ms(self) -> int | None: ...
    @property
    def waiting_since(self) -> int | None: ...
    @property
    def agent_messages(self) -> int: ...
    @property
    def customer_messages(self) -> int: ...
    @property
    def rating(self) -> int: ...
    @property
    def closed_at(self) -> int | None: ...
    @property
    def closed_by(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def waits(self) -> Waits | None: ...


class Said(Protocol):
    """One message; `at` in epoch ms, `name` of who said it."""

    @property
    def at(self) -> int: ...
    @property
    def sender(self) -> Sender: ...
    @property
    def name(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def text(self) -> str: ...


class Conversation(NamedTuple):
    """A session ready to be shown, made off the UI thread; `times` are those of the bubbles, epoch ms; why: it is where it is."""

    session: Facts
    at: int
    bubbles: list[Bubble]
    times: list[int]
    why: Sequence[T] = ()


def conversation(session: Facts, messages: Sequence[Said], at: int, local: LocalTime, why: Sequence[T] = ()) -> Conversation:
    """`at` is the moment of looking: messages of that day are told by their time alone. why: sentences, () when nothing is known."""
    today = local.day(at)
    bubbles = []
    for message in messages:
        moment = local.local(message.at)
        time = f"{moment:%H:%M}" if local.day(message.at) == today else f"{moment:%m-%d %H:%M}"
        text = message.text
        if message.content in CONTENTS:
            text = f"{CONTENTS[message.content]} {text}".strip()
        bubbles.append(Bubble(message.sender, text, time, message.name))
    return Conversation(session, at, bubbles, [message.at for message in messages], why)


def name_of(session: Facts) -> str:
    return session.customer_name or session.customer or session.code


def waits_words(waits: Waits) -> str:
    """That nobody has a session, and where it waits."""
    return tr(f"在「{waits.group}」排队", f"Waiting in {waits.group}") if waits.group else tr("排队等待", "Waiting for an agent")


def wait_cell(session: Facts, now: int) -> Cell:
    """How long the customer has been waiting. A message left while nobody was there may wait: it crosses no threshold."""
    since = session.waiting_since
    if since is None:
        return Cell("--")
    waits = max(0, now - since)
    return Cell(clock_text(waits), -since, "" if session.kind == "leave" else METRICS["longest_wait"].level(waits / 1000))


class SessionPanel(QWidget):
    """`past`: looked up rather than watched: told with its day, how it was assigned and how it was rated, and read from the start."""

    def __init__(self, local: LocalTime, past: bool = False) -> None:
        super().__init__()
        self._local, self._past = local, past
        self._session: Facts | None = None
        self._times: list[int] = []
        self._at = 0
        self._about = QLabel(self)
        self._about.setProperty("look", "caption")
        self._about.setWordWrap(True)
        self._why = QLabel(self)
        self._why.setProperty("look", "caption")
        self._why.setWordWrap(True)
        self._why.setAccessibleName(tr("为什么分到这里", "Why here"))
        self._why.hide()
        self._figures = Figures(self)
        self._figures.set_figures([Figure(caption, "--") for caption in _captions()])
        self.transcript = Transcript(self)
        self._stack = QStackedWidget(self)
        self._skeleton = Skeleton("text")
        self._silent = EmptyState("sessions", tr("还没有消息", "No messages yet"), tr("新消息会出现在这里。", "New ones appear here."))
        if past:
            self._silent = EmptyState("sessions", tr("没有消息记录", "No messages kept"))
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
        column.addWidget(self._why)
        column.addWidget(self._figures)
        column.addSpacing(SPACE_2 - SPACE_3)
        column.addWidget(frame, 1)
        self.setFocusProxy(self.transcript)

    def show_conversation(self, found: Conversation | None) -> None:
        """None: there is no such session."""
        if found is None:
            self._stack.setCurrentWidget(self._unknown)
            return
        self._session, self._at = found.session, found.at
        session = self._session
        self._times = found.times
        channel, page = CHANNELS.get(session.channel, ""), PAGES.get(session.page, "")
        leave = tr("留言", "Message left") if session.kind == "leave" else ""
        whose = (session.agent_name, session.group) if session.waits is None else (self._waiting(session.waits),)
        about = (leave, *whose, str(channel), str(page), str(region_words(session.region)), session.code)
        self._about.setText(" · ".join(part for part in about if part))
        self._why.setText(tr("为什么分到这里：", "Why here: ") + str(told(found.why)))
        self._why.setVisible(bool(found.why))
        self.tick(found.at)
        self._show_messages(found.bubbles)
        self._stack.setCurrentWidget(self.transcript if found.bubbles else self._silent)

    def _waiting(self, waits: Waits) -> str:
        """Of a session that nobody has: where it waits, since when, and whose it was."""
        day, today = self._local.day(waits.since), self._local.day(self._at)
        since = f"{self._local.local(waits.since):{'%H:%M' if day == today else '%m-%d %H:%M'}}"
        words = waits_words(waits) + tr(f"，{since} 起", f" since {since}")
        return words + (tr(f"（原客服 {waits.before}）", f" (before: {waits.before})") if waits.before else "")

    def reveal(self, message_at: int | None, words: str = "") -> None:
        """Mark words as a search finds them, and bring the message of a moment into view: the first one without a moment."""
        self.transcript.set_highlight(words)
        index = self._times.index(message_at) if message_at in self._times else 0
        self.transcript.scroll_to(index)

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
            state = Figure(str(CLOSERS.get(session.closed_by, T("已结束", "Closed"))), f"{self._local.local(session.closed_at):%H:%M}")
        reply = METRICS["first_reply"]
        seconds = None if session.first_reply_ms is None else session.first_reply_ms / 1000
        moment = self._local.local(session.opened_at)
        figures = [
            state,
            Figure(opened, f"{moment:%m-%d %H:%M}" if self._past else f"{moment:%H:%M}"),
            Figure(first, reply.text(seconds), unit_of(reply) if seconds is not None else "", reply.level(seconds)),
            Figure(messages, f"{session.customer_messages} / {session.agent_messages}"),
        ]
        if self._past:
            rating = str(RATINGS[session.rating]) if session.rating else "--"
            figures.append(Figure(tr("评价", "Rating"), rating, "", "warn" if session.rating in (1, 2) else ""))
            figures.append(Figure(tr("分配原因", "Assigned because"), str(REASONS.get(session.reason, "--"))))
        self._figures.set_figures(figures)

    def set_stale(self, stale: bool) -> None:
        self._figures.set_stale(stale)

    def take_keyboard(self) -> None:
        self.transcript.setFocus()


def _captions() -> tuple[str, str, str, str]:
    return (
        tr("等待回复", "Waiting"), tr("开始", "Opened"), tr("首次响应", "First reply"), tr("客户 / 客服消息", "In / out"),
    )  # fmt: skip
