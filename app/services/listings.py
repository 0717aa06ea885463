"""Listings: the things behind the sums, row by row: sessions, credited orders, items.

They read facts, so their cost is that of the rows asked for: a page at a time on screen, streamed into a file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import select

from app.domain import terms
from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.localtime import day_date
from app.services import paging
from app.services.drill import check_only
from app.services.listing_sources import sources
from app.services.reports import Asked, Kind, Question, check_metric, check_times, iso
from app.storage import schema
from app.storage.faults import FaultError

if TYPE_CHECKING:
    from app.services.accounting import Account
    from app.services.workspace import StoreInfo, Workspace

ColumnKind = Literal["text", "word", "flag", "time", "seconds", "hours", "number", "yuan", "share"]
"""word: a code of `words`; time: epoch ms; share: a fraction; flag: yes, no or nothing."""

COUNTED = 100_000
_COUNTING_SECONDS = 1.5
"""Counting the rows of a listing ends there: beyond it a person needs a filter, not a number."""


@dataclass(frozen=True, slots=True)
class ListingColumn:
    """A column as every place shows it. `sort`: it can be ordered by; `optional`: shown when chosen."""

    key: str
    label: T
    kind: ColumnKind = "text"
    tooltip: T | str = ""
    sort: bool = False
    optional: bool = False
    words: Mapping[Any, T] | None = None


@dataclass(frozen=True, slots=True)
class ListingKind(Kind):
    """A declared listing, in the order of `sort` unless asked otherwise."""

    columns: tuple[ListingColumn, ...] = ()
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Wanted(Question):
    """A question to a listing, with what only listings can be asked; all that is given must hold. Codes are whole ones.

    text: part of a session, customer, order or item code or name. cancelled: also orders that count for nobody
    because they were cancelled.
    """

    customer: str | None = None
    order: str | None = None
    sku: str | None = None
    kind: Literal["online", "leave"] | None = None
    text: str = ""
    cancelled: bool = False

    @classmethod
    def of(cls, question: Question) -> Wanted:
        if isinstance(question, cls):
            return question
        return cls(**{field.name: getattr(question, field.name) for field in fields(question)})

    @property
    def of_some_sessions(self) -> bool:
        """Whether it asks about sessions of a kind, which an order that was credited to none does not have."""
        who = (self.agent, self.group, self.agents, self.team, self.channel, self.grouped)
        return any((*who, self.kind, self.only, self.hours, self.weekdays))


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of things rather than of sums: one dict per row, the same keys in each, read as it is iterated."""

    question: Question
    title: T
    first: date
    last: date
    columns: dict[str, T]
    rows: Iterator[dict[str, Any]]
    names: Mapping[str, str] = field(default_factory=dict)
    """What people call the agents and the group that were asked for, by code."""


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Rows as their columns say, times in epoch ms; `after` is where the next page begins, None behind the last."""

    first: date
    last: date
    rows: list[dict[str, Any]]
    after: paging.Cursor | None


class Total(NamedTuple):
    """whole: counted to the end; otherwise there are at least so many."""

    rows: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """Agents by name and groups as (code, name), teams by name; `window` is the store's own order window; `bare`: nothing of any day has
    been recorded or imported yet."""

    agents: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    teams: list[str]
    window: Window
    bare: bool


_ORDER_STATES = {
    "placed": T("已下单", "Placed"), "paid": T("已付款", "Paid"), "shipped": T("已发货", "Shipped"), "cancelled": T("已取消", "Cancelled"),
}  # fmt: skip
_SOURCES = {"events": T("事件", "Events"), "imported": T("导入", "Imported")}
_CREDIT_RULES = {key: terms.RULES[key] for key in ("about_sku", "last")}

SESSION_COLUMNS = (
    ListingColumn("opened_at", T("咨询时间", "Opened"), "time", sort=True),
    ListingColumn("customer_name", T("客户", "Customer")),
    ListingColumn("agent_name", T("客服", "Agent"), tooltip=T("最后一位负责的客服", "The last agent who owned it")),
    ListingColumn("first_reply", T("首次响应(秒)", "First reply (s)"), "seconds",
                  T("客户第一条消息到客服第一条回复；转接后从转接算起",
                    "Customer's first message, or the transfer, to the first human reply"), True),
    ListingColumn("avg_reply", T("平均响应(秒)", "Average reply (s)"), "seconds",
                  T("每一轮客户消息到客服回复的平均时间", "Mean over all turns: customer's message to the next human reply"), True),
    ListingColumn("replies", T("客服消息数", "Agent messages"), "number", sort=True),
    ListingColumn("customer_messages", T("客户消息数", "Customer messages"), "number", sort=True),
    ListingColumn("rating", T("评分", "Rating"), "word",
                  T("客户的评价，五级", "The customer's rating, five levels"), True, words=terms.RATINGS),
    ListingColumn("resolved", T("是否解决", "Resolved"), "flag", T("客户的回答", "What the customer answered")),
    ListingColumn("transfers", T("转接次数", "Transfers"), "number", sort=True),
    ListingColumn("reason", T("分配原因", "Assigned because"), "word", words=terms.REASONS),
    ListingColumn("order_state", T("咨询时订单状态", "Ordered by then"), "word", words=terms.ORDER_STATES),
    ListingColumn("channel", T("渠道", "Channel"), "word", words=terms.CHANNELS),
    ListingColumn("page", T("来源页面", "Page"), "word", words=terms.PAGES),
    ListingColumn("sku", T("商品编号", "SKU")),
    ListingColumn("kind", T("类型", "Kind"), "word", optional=True, words=terms.KINDS),
    ListingColumn("group_name", T("咨询组", "Group"), optional=True),
    ListingColumn("closed_at", T("结束时间", "Closed"), "time", sort=True, optional=True),
    ListingColumn("session", T("会话", "Session"), optional=True),
    ListingColumn("customer", T("客户编号", "Customer code"), optional=True),
    ListingColumn("agent", T("客服编号", "Agent code"), optional=True),
    ListingColumn("group", T("咨询组编号", "Group code"), optional=True),
    ListingColumn("why", T("为什么分到这里", "Why here"), "text",
                  T("引擎最后一次分配的理由；由来源分配的没有", "Reasons of the engine's last decision; none where the source decided"),
                  optional=True),
)  # fmt: skip
ORDER_COLUMNS = (
    ListingColumn("placed_at", T("下单时间", "Placed"), "time", sort=True),
    ListingColumn("order", T("订单编号", "Order")),
    ListingColumn("sku_name", T("商品名称", "Item")),
    ListingColumn("customer_name", T("客户", "Customer")),
    ListingColumn("customer", T("客户编号", "Customer code")),
    ListingColumn("agent_name", T("归属客服", "Credited to")),
    ListingColumn("rule", T("归属依据", "Because"), "word",
                  T("优先归最后一次咨询本商品的会话，否则归最后一次会话",
                    "The last consultation about this item; failing that, the last one"),
                  words=_CREDIT_RULES),
    ListingColumn("lag_hours", T("间隔(小时)", "Lag (h)"), "hours",
                  T("咨询开始到下单", "From the start of the consultation to the order"), True),
    ListingColumn("amount", T("金额(元)", "Amount (¥)"), "yuan", T("该行商品的实付净额", "The line's net amount"), True),
    ListingColumn("quantity", T("件数", "Items"), "number", sort=True),
    ListingColumn("opened_at", T("咨询时间", "Consulted"), "time",
                  T("促成计入咨询当天：所选日期是这一天", "The credit falls on this day, which is that of the days chosen"), True),
    ListingColumn("state", T("订单状态", "State"), "word",
                  T("下单后15天内取消的不计", "Cancelled within 15 days of placing does not count"),
                  words=_ORDER_STATES),
    ListingColumn("source", T("来源", "Source"), "word",
                  T("来自事件，或导入的促成订单表", "From events, or from an imported file"), words=_SOURCES),
    ListingColumn("sku", T("商品编号", "SKU"), optional=True),
    ListingColumn("session", T("会话", "Session"), optional=True),
    ListingColumn("agent", T("客服编号", "Agent code"), optional=True),
)  # fmt: skip
SKU_COLUMNS = (
    ListingColumn("sku", T("商品编号", "SKU")),
    ListingColumn("sku_name", T("商品名称", "Item")),
    ListingColumn("consults", T("咨询量", "Consultations"), "number", T("客户从本商品发起的咨询", "Consultations about this item"), True),
    ListingColumn("customers", T("咨询人数", "Customers"), "number",
                  T("咨询过本商品的不同客户", "Distinct customers who asked about it"), True),
    ListingColumn("orders", T("促成订单数", "Credited orders"), "number", sort=True),
    ListingColumn("items", T("促成商品数", "Items"), "number", sort=True),
    ListingColumn("amount", T("促成金额(元)", "Amount (¥)"), "yuan", sort=True),
    ListingColumn("share", T("金额占比", "Share of amount"), "share",
                  T("占所选范围全部促成金额", "Of all credited amounts of this choice")),
    ListingColumn("conversion", T("咨询转化率", "Conversion"), "share",
                  T("咨询本商品并因此下单本商品的客户 / 咨询本商品的客户",
                    "Customers who asked about it and were won for it / who asked about it"), True),
)  # fmt: skip
VISITOR_COLUMNS = (
    ListingColumn("first_at", T("首次进入", "First entered"), "time",
                  T("当天第一次进入咨询的时间", "The first time they entered on that day"), True),
    ListingColumn("customer_name", T("客户", "Customer")),
    ListingColumn("customer", T("客户编号", "Customer code")),
    ListingColumn("kind", T("进入时", "When entering"), "word",
                  T("在线UPV为有客服在线时进入，留言UPV为无客服在线时进入",
                    "Online visitors entered with an agent available, leaving ones with nobody available"),
                  words=terms.ENTRIES),
    ListingColumn("sessions", T("当天会话", "Sessions that day"), "number",
                  T("这位客户当天的会话数，0为没有发起咨询", "The customer's sessions of that day; 0: they did not begin one")),
)  # fmt: skip

LISTINGS: dict[str, ListingKind] = {
    "orders": ListingKind(T("促成订单", "Credited orders"), columns=ORDER_COLUMNS, sort="placed_at"),
    "skus": ListingKind(T("单品", "Items"), columns=SKU_COLUMNS, sort="amount"),
    "sessions": ListingKind(T("客户咨询", "Sessions"), columns=SESSION_COLUMNS, sort="opened_at"),
    "visitors": ListingKind(T("访客", "Visitors"), columns=VISITOR_COLUMNS, sort="first_at"),
}


@dataclass(slots=True)
class ListingService:
    workspace: Workspace

    def ask(self, store: StoreInfo, question: Question, sort: str = "", descending: bool = False, told: bool = False) -> Listing:
        """Answers a listing of LISTINGS in full; rows are read while they are iterated, inside one snapshot. Times are ISO texts.

        told: enumerations as people call them, for a file; codes otherwise. Raises FaultError as `ReportService.ask`.
        """
        self._check(question)
        kind = LISTINGS[question.report]
        with self.workspace.database.read() as connection:
            asked = self.workspace.reports.look_up(connection, store, Wanted.of(question))
        times = [column.key for column in kind.columns if column.kind == "time"]

        def rows() -> Iterator[dict[str, Any]]:
            with self.workspace.database.read() as connection:
                for row in paging.stream(connection, sources(connection, asked), _sort(kind, sort), descending):
                    for key in times:
                        row[key] = iso(asked.local, row[key])
                    if told:
                        row |= {column.key: tell(column, row[column.key]) for column in kind.columns if column.kind in ("word", "flag")}
                    yield row

        columns = {column.key: column.label for column in kind.columns}
        return Listing(asked.question, kind.title, day_date(asked.first), day_date(asked.last), columns, rows(), asked.names)

    def page(
        self, store: StoreInfo, question: Question, sort: str = "", descending: bool = True, after: paging.Cursor | None = None,
        limit: int = 100,
    ) -> ListingPage:  # fmt: skip
        """The `limit` rows behind `after`, in the order of a sortable column; no value is last in both directions.

        Raises FaultError as `ReportService.ask`, and for a column that cannot be ordered by.
        """
        self._check(question)
        kind = LISTINGS[question.report]
        with self.workspace.database.read() as connection:
            asked = self.workspace.reports.look_up(connection, store, Wanted.of(question))
            rows, following = paging.page(connection, sources(connection, asked), _sort(kind, sort), descending, after, limit)
        return ListingPage(day_date(asked.first), day_date(asked.last), rows, following)

    def count(self, store: StoreInfo, question: Question) -> Total:
        """How many rows the whole answer has. Raises FaultError as `page`."""
        self._check(question)
        until = time.monotonic() + _COUNTING_SECONDS
        found = 0
        with self.workspace.database.read() as connection:
            asked = self.workspace.reports.look_up(connection, store, Wanted.of(question))
            for part in _parts(asked):
                if found and time.monotonic() > until:
                    return Total(found, False)
                found += paging.count(connection, sources(connection, part), COUNTED - found)
                if found >= COUNTED:
                    return Total(found, False)
        return Total(found, True)

    def offered(self, store: StoreInfo) -> Offered:
        """Whom and what a listing can be narrowed to."""
        self.workspace.actor.require("history.view")
        with self.workspace.database.read() as connection:
            asked = self.workspace.reports.look_up(connection, store, Question("sessions"))
            d = schema.day_counters.c
            bare = connection.execute(select(d.day).where(d.store_id == store.id).limit(1)).first() is None
        agents = sorted(asked.agents.values(), key=lambda pair: pair[1].encode("gb18030", "replace"))
        return Offered(agents, list(asked.groups.values()), sorted({team for team in asked.teams.values() if team}), asked.window, bare)

    def account(self, store: StoreInfo, order: str) -> Account | None:
        """Who is credited for each line of an order in each window, by which rule, and why nobody else; None for an unknown code."""
        from app.services.accounting import account

        self.workspace.actor.require("history.view")
        with self.workspace.database.read() as connection:
            return account(connection, store, order)

    def _check(self, question: Question) -> None:
        self.workspace.actor.require("history.view")
        for key in question.metrics:
            check_metric(key)
        check_times(question)
        if question.only:
            check_only(question.only, question.report)
        if not set(question.weekdays) <= set(range(7)):
            raise FaultError("refused", T("星期用 0（周一）到 6（周日）表示", "Weekdays are 0 (Monday) to 6 (Sunday)"))


def _parts(asked: Asked) -> Iterator[Asked]:
    """The question cut where counting may stop: sessions lie in days, found by an index."""
    wanted = Wanted.of(asked.question)
    if wanted.report != "sessions" or wanted.customer is not None or wanted.order is not None:
        yield asked
        return
    for day in range(asked.last, asked.first - 1, -1):
        yield replace(asked, first=day, last=day)


def tell(column: ListingColumn, value: Any) -> str | None:
    """A code of a "word" column, or the answer of a "flag" column, in words; None for no value."""
    if value is None:
        return None
    if column.kind == "flag":
        return tr("是", "Yes") if value else tr("否", "No")
    return str(column.words[value]) if column.words and value in column.words else str(value)


def _sort(kind: ListingKind, sort: str) -> str:
    if not sort:
        return kind.sort
    if sort not in {column.key for column in kind.columns if column.sort}:
        raise FaultError("refused", tr(f"不能按 {sort} 排序", f"Rows cannot be ordered by {sort}"))
    return sort
