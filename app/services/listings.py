"""Listings: the things behind the sums, row by row: sessions, credited orders.

They read facts, so their cost is that of the rows asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from app.domain.conversation import CHANNELS, KINDS, ONLINE, REASONS
from app.domain.language import T
from app.domain.localtime import day_date
from app.services.reports import Asked, Kind, Question, check_metric, check_times, iso
from app.storage import schema
from app.storage.queries import matches

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of things rather than of sums: one dict per row, the same keys in each, read as it is iterated."""

    question: Question
    title: T
    first: date
    last: date
    columns: dict[str, T]
    rows: Iterator[dict[str, Any]]


LISTINGS: dict[str, Kind] = {
    "orders": Kind(T("促成订单", "Credited orders")),
    "sessions": Kind(T("客户咨询", "Sessions")),
}


@dataclass(slots=True)
class ListingService:
    workspace: Workspace

    def ask(self, store: StoreInfo, question: Question) -> Listing:
        """Answers a listing of LISTINGS; rows are read while they are iterated, inside one snapshot.

        Raises FaultError as `ask`.
        """
        self.workspace.actor.require("history.view")
        kind = LISTINGS[question.report]
        for key in question.metrics:
            check_metric(key)
        check_times(question)
        with self.workspace.database.read() as connection:
            asked = self.workspace.reports.look_up(connection, store, question)
        columns, rows = (ORDER_COLUMNS, self._orders) if question.report == "orders" else (SESSION_COLUMNS, self._sessions)
        return Listing(question, kind.title, day_date(asked.first), day_date(asked.last), columns, rows(asked))

    def _sessions(self, asked: Asked) -> Iterator[dict[str, Any]]:
        s, c = schema.sessions.c, schema.customers.c
        statement = (
            select(
                s.code, c.code.label("customer"), s.agent_id, s.group_id, s.kind, s.channel, s.opened_at, s.first_reply_ms, s.turns,
                s.turn_ms, s.agent_messages, s.customer_messages, s.transfers, s.rating, s.resolution, s.closed_at, s.reason, s.flag,
                s.first_customer_at,
            )
            .select_from(schema.sessions.outerjoin(schema.customers, c.id == s.customer_id))
            .where(s.store_id == asked.store.id, s.day >= asked.first, s.day <= asked.last)
            .order_by(s.opened_at, s.code)
        )  # fmt: skip
        if asked.agent is not None:
            statement = statement.where(s.agent_id == asked.agent)
        if asked.group is not None:
            statement = statement.where(s.group_id == asked.group)
        slice_ = asked.slice
        with self.workspace.database.read() as connection:
            for r in connection.execution_options(yield_per=1000).execute(statement):
                if slice_.slots is not None and not matches(slice_, *asked.local.day_slot(r.opened_at), r.agent_id, r.group_id, r.flag):
                    continue
                replied = r.first_reply_ms is not None and r.kind == ONLINE
                yield {
                    "session": r.code,
                    "customer": r.customer or "",
                    "agent": _code(asked.agents, r.agent_id),
                    "group": _code(asked.groups, r.group_id),
                    "kind": KINDS[r.kind],
                    "channel": CHANNELS[r.channel],
                    "opened_at": iso(asked.local, r.opened_at),
                    "closed_at": iso(asked.local, r.closed_at),
                    "first_reply": r.first_reply_ms / 1000 if replied else None,
                    "avg_reply": r.turn_ms / r.turns / 1000 if r.turns and r.kind == ONLINE else None,
                    "replies": r.agent_messages,
                    "customer_messages": r.customer_messages,
                    "transfers": r.transfers,
                    "rating": r.rating or None,
                    "resolved": {0: False, 1: None, 2: True}[r.resolution] if r.rating else None,
                    "reason": REASONS[r.reason] or None,
                }

    def _orders(self, asked: Asked) -> Iterator[dict[str, Any]]:
        o, li, s, c, k = schema.orders.c, schema.order_lines.c, schema.sessions.c, schema.customers.c, schema.skus.c
        credited = li[f"session_{asked.question.window}"]
        statement = (
            select(
                o.code, li.line, k.code.label("sku"), k.name.label("sku_name"), c.code.label("customer"), s.code.label("session"),
                s.agent_id, s.group_id, s.flag, s.opened_at, o.placed_at, li.quantity, li.amount_fen,
            )
            .select_from(
                schema.orders.join(schema.order_lines, li.order_id == o.id)
                .join(schema.sessions, s.id == credited)
                .join(schema.skus, k.id == li.sku_id)
                .outerjoin(schema.customers, c.id == o.customer_id)
            )
            .where(
                # A credit falls on its session's day; the order follows within the longest window.
                o.store_id == asked.store.id,
                o.placed_at >= asked.local.start_of_day(asked.first),
                o.placed_at < asked.local.start_of_day(asked.last + 17),
                s.day >= asked.first,
                s.day <= asked.last,
            )
            .order_by(o.placed_at, o.code, li.line)
        )  # fmt: skip
        if asked.agent is not None:
            statement = statement.where(s.agent_id == asked.agent)
        if asked.group is not None:
            statement = statement.where(s.group_id == asked.group)
        slice_ = asked.slice
        with self.workspace.database.read() as connection:
            for r in connection.execution_options(yield_per=1000).execute(statement):
                if slice_.slots is not None and not matches(slice_, *asked.local.day_slot(r.opened_at), r.agent_id, r.group_id, r.flag):
                    continue
                yield {
                    "order": r.code,
                    "sku": r.sku,
                    "sku_name": r.sku_name,
                    "customer": r.customer or "",
                    "agent": _code(asked.agents, r.agent_id),
                    "session": r.session,
                    "opened_at": iso(asked.local, r.opened_at),
                    "placed_at": iso(asked.local, r.placed_at),
                    "lag_hours": (r.placed_at - r.opened_at) / 3_600_000,
                    "quantity": r.quantity,
                    "amount": r.amount_fen / 100,
                }


SESSION_COLUMNS: dict[str, T] = {
    "session": T("会话", "Session"),
    "customer": T("客户", "Customer"),
    "agent": T("客服", "Agent"),
    "group": T("咨询组", "Group"),
    "kind": T("类型", "Kind"),
    "channel": T("渠道", "Channel"),
    "opened_at": T("咨询时间", "Opened"),
    "closed_at": T("结束时间", "Closed"),
    "first_reply": T("首次响应(秒)", "First reply (s)"),
    "avg_reply": T("平均响应(秒)", "Average reply (s)"),
    "replies": T("客服消息数", "Agent messages"),
    "customer_messages": T("客户消息数", "Customer messages"),
    "transfers": T("转接次数", "Transfers"),
    "rating": T("评分", "Rating"),
    "resolved": T("是否解决", "Resolved"),
    "reason": T("分配原因", "Assigned because"),
}
ORDER_COLUMNS: dict[str, T] = {
    "order": T("订单编号", "Order"),
    "sku": T("商品编号", "SKU"),
    "sku_name": T("商品名称", "Item"),
    "customer": T("客户", "Customer"),
    "agent": T("客服", "Agent"),
    "session": T("会话", "Session"),
    "opened_at": T("咨询时间", "Consulted"),
    "placed_at": T("下单时间", "Placed"),
    "lag_hours": T("间隔(小时)", "Lag (h)"),
    "quantity": T("件数", "Items"),
    "amount": T("金额(元)", "Amount (¥)"),
}


def _code(names: dict[int, tuple[str, str]], id: int) -> str | None:
    return names[id][0] if id in names else None
