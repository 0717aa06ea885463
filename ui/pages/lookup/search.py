"""聊天记录: what was found in transcripts, or why there is nothing to show yet. Reads on as the list is scrolled."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import tr
from app.domain.terms import SENDERS
from app.domain.words import parse
from ui.pages.lookup.choices import Choices
from ui.pages.lookup.hits import Entry, HitList
from ui.pages.registry import Page
from ui.theme import SPACE_2, SPACE_4
from ui.widgets.empty import EmptyState
from ui.widgets.skeleton import Skeleton

if TYPE_CHECKING:
    from app.services.search import Found

Days = tuple[date, date]
_SLICE_SECONDS = 1.0
"""Indexing gives way to other tasks so often, and says how far it is."""


class TranscriptSearch(QWidget):
    """`counted` is said beside the views."""

    counted = Signal(str)

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._local = page.context.workspace.local(page.context.store)
        self._asked: tuple[Choices, Days, Mapping[str, str]] | None = None
        self._place: Any = None
        self._unread = 0
        self._indexing = False
        self._left = 0
        self.hits = HitList()
        self._reason = QWidget()
        self._foot = QLabel(self)
        self._foot.setProperty("look", "caption")
        self._foot.setContentsMargins(SPACE_4, SPACE_2, SPACE_4, SPACE_2)
        self._foot.hide()
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.hits)
        self._stack.addWidget(self._reason)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._stack, 1)
        column.addWidget(self._foot)
        self.setFocusProxy(self.hits)
        self.hits.more_wanted.connect(self._read_more)

    def ask(self, choices: Choices, days: Days | None, names: Mapping[str, str]) -> None:
        """Search anew. days None: not a single day of the period is complete; names: of agents, by code."""
        self._asked, self._place, self._unread = None, None, 0
        self._say_pending()
        if not self._page.context.actor.may("transcripts.view"):
            self._explain(
                "lock", tr("没有权限查看聊天记录", "You may not read transcripts"), tr("请向管理员申请。", "Ask an administrator.")
            )
            return
        if not self._indexing:
            self._index()
        if not parse(choices.words).parts:
            self._explain(
                "transcripts", tr("搜索聊天记录", "Search transcripts"),
                tr("输入要找的文字；用引号找完整的一句，例如 “什么时候发货”。",
                   'Type words; quote a whole phrase, such as "when will it ship".'),
            )  # fmt: skip
        elif days is None:
            self._explain("calendar", tr("所选日期还没有结束", "The days are not over yet"), choose_other_days())
        else:
            self._asked = (choices, days, names)
            self._stand_in(Skeleton("rows"))
            self._find(None)

    def _find(self, after: Any) -> None:
        from app.services.search import SearchQuestion

        if self._asked is None:
            return
        choices, days, names = self._asked
        question = SearchQuestion(
            choices.words, *days, agent=choices.agent or None, group=choices.group or None, customer=choices.customer or None,
            sender=choices.sender or None, newest_first=choices.newest, after=after,
        )  # fmt: skip
        context, local = self._page.context, self._local

        def find() -> tuple[Found, list[Entry]]:
            found = context.workspace.search.find(context.store, question)
            entries = [
                Entry(
                    hit.session, hit.message_at,
                    " · ".join(part for part in (hit.customer_name or hit.customer, names.get(hit.agent or "", "")) if part),
                    f"{local.local(hit.message_at):%Y-%m-%d %H:%M}", str(SENDERS[hit.sender]), hit.snippet, tuple(hit.spans),
                )
                for hit in found.hits
            ]  # fmt: skip
            return found, entries

        self._page.read("hits", find, lambda answer: self._take(*answer, after), question)

    def _take(self, found: Found, entries: list[Entry], after: Any) -> None:
        if self._asked is None or after != self._place:
            return
        if after is None:
            self.hits.set_entries(entries)
        else:
            self.hits.add_entries(entries)
        self._place = found.next
        count = len(self.hits.entries())
        if count:
            self._stack.setCurrentWidget(self.hits)
            more = tr("，向下滚动继续", ", scroll for more") if found.more else ""
            self.counted.emit(tr(f"{count} 段对话{more}", f"{count} conversations{more}"))
        elif not found.more:
            self._explain(
                "lookup", tr("没有找到", "Nothing found"),
                tr("换一个词，或放宽日期与条件。", "Try another word, more days or fewer filters."),
            )  # fmt: skip
        self._unread = found.pending
        self._say_pending()
        if not entries:
            self._read_more()  # what could be looked at in the time had nothing

    def _read_more(self) -> None:
        if self._place is not None and self.isVisible():
            self._find(self._place)

    def _index(self) -> None:
        """Indexes what is pending, a slice at a time. Where nothing can be written, searching reads it instead."""
        context = self._page.context

        def some() -> int:
            until, stop = time.monotonic() + _SLICE_SECONDS, threading.Event()

            def look_at_the_clock(done: int, total: int) -> None:
                if time.monotonic() > until:
                    stop.set()

            done = context.workspace.search.catch_up(context.store, look_at_the_clock, stop)
            return context.workspace.search.pending(context.store) if done and stop.is_set() else 0

        self._indexing = True
        context.operations.task(self, some, self._indexed, lambda problem: self._indexed(0))

    def _indexed(self, left: int) -> None:
        self._indexing, self._left = False, left
        self._say_pending()
        if left and self.isVisible():
            self._index()

    def _say_pending(self) -> None:
        if self._left:
            self._foot.setText(
                tr(f"正在为聊天记录编索引，还剩 {self._left:,} 个会话。", f"Indexing transcripts: {self._left:,} sessions left.")
            )
        else:
            self._foot.setText(
                tr(f"还有 {self._unread:,} 个会话没有编入索引，正在逐个查找。",
                   f"{self._unread:,} sessions are not indexed yet and are searched one by one.")
            )  # fmt: skip
        self._foot.setVisible(self._left > 0 or self._unread > 0)

    def _explain(self, icon: str, title: str, sentence: str) -> None:
        self._stand_in(EmptyState(icon, title, sentence))

    def _stand_in(self, widget: QWidget) -> None:
        self._stack.removeWidget(self._reason)
        self._reason.deleteLater()
        self._reason = widget
        self._stack.addWidget(widget)
        self._stack.setCurrentWidget(widget)


def choose_other_days() -> str:
    return tr("选择其他日期，或在日期里包含今天。", "Choose other days, or include today.")
