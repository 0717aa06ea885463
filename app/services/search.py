"""Full-text search in transcripts: which conversations have these words, in order of time, a page at a time.

An answer takes bounded time. What it could not look at in that time is behind `Found.next`, where the next question goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, select

from app.domain.language import T, tr
from app.domain.localtime import day_number
from app.domain.words import Query, Span, parse
from app.storage import schema
from app.storage.bulk import Bulk
from app.storage.faults import FaultError
from app.storage.packing import SENDERS, Sender
from app.storage.search import Place, Wanted, index_pending, pending, read_transcripts, steps

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

_SECONDS = 2.0
_FIRST_READ, _READ_AT_ONCE = 60, 250
_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """text: words, all of which a conversation has; "what stands in quotation marks" as one. Days are included; agent, group and
    customer are codes; sender: whose messages are looked at (None: all). `after`: the `next` of the page before."""

    text: str
    first: date | None = None
    last: date | None = None
    agent: str | None = None
    group: str | None = None
    customer: str | None = None
    sender: Sender | None = None
    newest_first: bool = True
    limit: int = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation, and the message that shows the most of what is asked for. Times are epoch ms; spans lie in the snippet."""

    session: str
    customer: str
    customer_name: str
    """"" where only the code is known."""
    agent: str | None
    group: str | None
    opened_at: int
    message_at: int
    sender: Sender
    snippet: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """next: where to go on when there is more, or may be. pending: sessions behind `next` that the index does not know yet."""

    hits: list[Hit]
    next: Place | None
    pending: int

    @property
    def more(self) -> bool:
        return self.next is not None


@dataclass(slots=True)
class SearchService:
    workspace: Workspace

    def find(self, store: StoreInfo, question: SearchQuestion) -> Found:
        """The next conversations with the words. Raises FaultError for a question that cannot be asked."""
        self.workspace.actor.require("transcripts.view")
        if len(question.text) > _MOST_CHARACTERS:
            raise FaultError(
                "refused",
                T(f"搜索内容不能超过{_MOST_CHARACTERS}个字符。", f"Search for {_MOST_CHARACTERS} characters at most."),
            )  # fmt: skip
        query = parse(question.text)
        if not query.parts:
            raise FaultError("refused", T("请输入要查找的文字。", "Type what to look for."))
        with self.workspace.database.read() as connection:
            wanted = self._wanted(connection, store, question)
            bulk = Bulk(connection)
            found = _look(bulk, wanted, query, question)
            hits = _describe(connection, found.hits, query)
            bulk.close()
        return Found(hits, found.next, found.pending)

    def pending(self, store: StoreInfo) -> int:
        """Sessions that the index does not know yet, open ones among them."""
        self.workspace.actor.require("transcripts.view")
        with self.workspace.database.read() as connection:
            bulk = Bulk(connection)
            count = pending(bulk, store.id)
            bulk.close()
        return count

    def catch_up(
        self,
        store: StoreInfo,
        tell: Callable[[int, int], None] = lambda done, total: None,
        stop: threading.Event | None = None,
    ) -> int:
        """Indexes what is pending and closed; returns how many sessions. Ended at any moment it goes on there the next time.

        tell(done, total) follows every piece; total counts open sessions, too, which are left for later.
        """
        self.workspace.actor.require("transcripts.view")
        total = self.pending(store)
        if not total:
            return 0
        now = self.workspace.now(store)

        def told(done: int) -> None:
            tell(done, max(total, done))

        return index_pending(self.workspace.database, store.id, now, stop or threading.Event(), told)

    def _wanted(self, connection: Connection, store: StoreInfo, question: SearchQuestion) -> Wanted:
        local = self.workspace.local(store)
        first, last = question.first, question.last
        if first is not None and last is not None and first > last:
            raise FaultError("refused", T("开始日期晚于结束日期", "The first day is after the last"))
        if any(day is not None and not 2000 <= day.year <= 2099 for day in (first, last)):
            raise FaultError("refused", T("日期须在2000年至2099年之间", "Days lie in the years 2000 to 2099"))
        return Wanted(
            store.id,
            None if first is None else local.start_of_day(day_number(first)),
            None if last is None else local.start_of_day(day_number(last) + 1),
            _id(connection, schema.agents, store, question.agent, T("客服", "agent")),
            _id(connection, schema.skill_groups, store, question.group, T("咨询组", "group")),
            _id(connection, schema.customers, store, question.customer, T("客户", "customer")),
            question.newest_first,
            question.after,
        )


@dataclass(frozen=True, slots=True)
class _Match:
    place: Place
    message_at: int
    sender: Sender
    text: str


@dataclass(slots=True)
class _Looked:
    hits: list[_Match]
    next: Place | None
    pending: int


def _look(bulk: Bulk, wanted: Wanted, query: Query, question: SearchQuestion) -> _Looked:
    """Reads what the index proposes until the page is full or time is up."""
    end = time.monotonic() + _SECONDS
    only = None if question.sender is None else SENDERS.index(question.sender)
    hits: list[_Match] = []
    for step in steps(bulk, query.terms, wanted):
        seen: Place | None = None
        for places in _growing(step.places):
            if seen is not None and time.monotonic() > end:
                return _Looked(hits, seen, 0)
            transcripts = read_transcripts(bulk, [place.session for place in places])
            for place in places:
                said = [message for message in transcripts.get(place.session, ()) if only is None or message[1] == only]
                best = query.found_in([message[4] for message in said])
                if best is not None:
                    if len(hits) == question.limit:
                        return _Looked(hits, hits[-1].place, 0)
                    at, sender, _, _, text = said[best]
                    hits.append(_Match(place, at, SENDERS[sender], text))
            seen = places[-1]
        if step.unread or (step.reached is not None and time.monotonic() > end):
            return _Looked(hits, step.reached, step.unread)
    return _Looked(hits, None, 0)


def _growing(places: list[Place]) -> Iterator[list[Place]]:
    """A few first, which is all that common words need."""
    start, size = 0, _FIRST_READ
    while start < len(places):
        yield places[start : start + size]
        start, size = start + size, _READ_AT_ONCE


def _describe(connection: Connection, matches: list[_Match], query: Query) -> list[Hit]:
    s, a, c, g = schema.sessions.c, schema.agents.c, schema.customers.c, schema.skill_groups.c
    rows = connection.execute(
        select(s.id, s.code, c.code.label("customer"), c.name, a.code.label("agent"), g.code.label("group"))
        .select_from(
            schema.sessions.outerjoin(schema.agents, a.id == s.agent_id)
            .outerjoin(schema.customers, c.id == s.customer_id)
            .outerjoin(schema.skill_groups, g.id == s.group_id)
        )
        .where(s.id.in_([match.place.session for match in matches]))
    )
    known = {row.id: row for row in rows}
    hits = []
    for match in matches:
        row, snippet = known[match.place.session], query.snippet(match.text)
        hits.append(
            Hit(
                row.code, row.customer or "", row.name or "", row.agent, row.group, match.place.opened_at, match.message_at,
                match.sender, snippet.text, snippet.spans,
            )
        )  # fmt: skip
    return hits


def _id(connection: Connection, table: Table, store: StoreInfo, code: str | None, what: T) -> int | None:
    if code is None:
        return None
    found: Any = connection.execute(select(table.c.id).where(table.c.store_id == store.id, table.c.code == code)).scalar()
    if found is None:
        raise FaultError("refused", tr(f"没有这个{what.zh}：{code}", f"There is no {what.en} {code}"))
    return int(found)
