"""The report engine: a report is rows × metrics × filters × period, and all of them are declared here.

Every figure is taken after summing counters, so the same question has the same answer in a tile, a table, a chart, an export
and on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, select

from app.domain.conversation import CHANNELS, KINDS, ONLINE, REASONS
from app.domain.counters import Counts, Window
from app.domain.events import EARLIEST, LATEST
from app.domain.language import T, tr
from app.domain.localtime import DAY_MS, LocalTime, day_date, day_number
from app.domain.metrics import HISTORY_METRICS, METRICS, mean_values, total, values
from app.storage import schema
from app.storage.faults import FaultError
from app.storage.queries import Slice, matches, sums

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

By = Literal["day", "week", "month", "hour", "halfhour"]
Population = Literal["overall", "assessed"]
Value = float | int | None

ASSESSED_SLOTS = (9 * 12, 23 * 12)
"""Sessions started 09:00 to 23:00 store time are assessed; spam and bot-only ones are not."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Days are inclusive and in the store's zone; None means yesterday (for the live reports: today)."""

    report: str
    first: date | None = None
    last: date | None = None
    agent: str | None = None
    group: str | None = None
    by: By | None = None
    population: Population = "overall"
    window: Window = "24h"
    at: int | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, what people call it, its summed counters, and what is said beside the metrics (`state` …)."""

    key: str
    label: str
    numbers: Counts
    extra: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer: `values(row)` are unrounded, as the command line's JSON gives them (events contract, section 2)."""

    question: Question
    title: T
    first: date
    last: date
    rows: list[Row]
    keys: tuple[str, ...]
    whole: Counts

    @property
    def live(self) -> bool:
        return REPORTS[self.question.report].live

    def values(self, numbers: Counts) -> dict[str, Value]:
        return values(numbers, self.keys, self.question.window, self.live)

    def total(self) -> dict[str, Value]:
        return self.values(self.whole)

    def mean(self) -> dict[str, Value]:
        return mean_values((row.numbers for row in self.rows), self.keys, self.question.window, self.live)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": [{"key": row.key, **row.extra, "values": self.values(row.numbers)} for row in self.rows],
            "total": self.total(),
            "mean": self.mean(),
        }


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of things rather than of sums: one dict per row, the same keys in each, read as it is iterated."""

    question: Question
    title: T
    first: date
    last: date
    columns: dict[str, T]
    rows: Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared report. `by`: how its rows can be cut; the first is the default, () means that rows are not periods."""

    title: T
    by: tuple[By, ...] = ()
    live: bool = False
    keys: tuple[str, ...] = ()
    needs_agent: bool = False


SEAT_KEYS = tuple(key for key in METRICS if key != "active" and not key.startswith(("seats_", "visitors_", "connect_")))
"""What makes sense of one seat: no counts of seats, nothing of visitors, whom no agent has yet."""

_PERIODS: tuple[By, ...] = ("day", "week", "month", "hour", "halfhour")
REPORTS: dict[str, Kind] = {
    "live": Kind(T("全局监控", "Store overview"), live=True, keys=tuple(METRICS)),
    "seats": Kind(T("坐席监控", "Seats"), live=True, keys=("active", *SEAT_KEYS)),
    "store": Kind(T("服务商经营数据", "Store"), _PERIODS, keys=HISTORY_METRICS),
    "compare": Kind(T("客服数据对比", "Compare agents"), keys=HISTORY_METRICS),
    "agent": Kind(T("客服个人工作数据", "One agent"), _PERIODS, keys=HISTORY_METRICS, needs_agent=True),
    "groups": Kind(T("咨询组数据", "Groups"), keys=HISTORY_METRICS),
}
LISTINGS: dict[str, Kind] = {
    "orders": Kind(T("促成订单", "Credited orders")),
    "sessions": Kind(T("客户咨询", "Sessions")),
}


@dataclass(slots=True)
class _Asked:
    """A question with its names looked up."""

    question: Question
    store: StoreInfo
    local: LocalTime
    at: int
    first: int
    last: int
    agent: int | None
    group: int | None
    agents: dict[int, tuple[str, str]]
    groups: dict[int, tuple[str, str]]

    @property
    def slice(self) -> Slice:
        assessed = self.question.population == "assessed"
        return Slice(
            self.store.id, self.first, self.last, self.agent, self.group, ASSESSED_SLOTS if assessed else None, (0,) if assessed else None
        )


@dataclass(slots=True)
class ReportService:
    workspace: Workspace

    def ask(self, store: StoreInfo, question: Question) -> Report:
        """Answers a report of REPORTS.

        Raises FaultError for a question that makes no sense (unknown agent, group or metric, wrong `by`, days reversed or out of reach).
        """
        kind = REPORTS[question.report]
        self.workspace.actor.require("live.view" if kind.live else "history.view")
        keys = question.metrics or kind.keys
        for key in keys:
            _check_metric(key)
            if not kind.live and METRICS[key].live:
                raise FaultError(
                    "refused",
                    tr(
                        f"{key} 只有实时数据，不能用于报表 {question.report}",
                        f"{key} is known of this moment only, not in report {question.report}",
                    ),
                )
        _check_times(question)
        if question.by is not None and question.by not in kind.by:
            raise FaultError(
                "refused", tr(f"报表 {question.report} 不能按 {question.by} 分", f"Report {question.report} has no --by {question.by}")
            )
        if kind.needs_agent and question.agent is None:
            raise FaultError("refused", tr("请用 --agent 指定客服", "Say which agent with --agent"))
        if kind.live:
            return self._live(store, question, keys)
        histograms = any(METRICS[key].percentile is not None for key in keys)
        with self.workspace.database.read() as connection:
            asked = self._look_up(connection, store, question)
            if question.report == "compare":
                rows = self._by_name(connection, asked, "agent_id", asked.agents, histograms)
            elif question.report == "groups":
                rows = self._by_name(connection, asked, "group_id", asked.groups, histograms)
            else:
                rows = self._by_period(connection, asked, question.by or kind.by[0], histograms)
        return Report(question, kind.title, day_date(asked.first), day_date(asked.last), rows, tuple(keys), total(r.numbers for r in rows))

    def listing(self, store: StoreInfo, question: Question) -> Listing:
        """Answers a listing of LISTINGS; rows are read while they are iterated, inside one snapshot.

        Raises FaultError as `ask`.
        """
        self.workspace.actor.require("history.view")
        kind = LISTINGS[question.report]
        for key in question.metrics:
            _check_metric(key)
        _check_times(question)
        with self.workspace.database.read() as connection:
            asked = self._look_up(connection, store, question)
        columns, rows = (ORDER_COLUMNS, self._orders) if question.report == "orders" else (SESSION_COLUMNS, self._sessions)
        return Listing(question, kind.title, day_date(asked.first), day_date(asked.last), columns, rows(asked))

    # -- inside --

    def _live(self, store: StoreInfo, question: Question, keys: Sequence[str]) -> Report:
        at = self.workspace.now(store) if question.at is None else question.at
        local = LocalTime(store.zone)
        with self.workspace.database.read() as connection:
            group = _id(connection, schema.skill_groups, store.id, question.group, T("咨询组", "group"))
            _id(connection, schema.agents, store.id, question.agent, T("客服", "agent"))
        seats = self.workspace.live.seats(store, group, at)
        today = day_date(local.day(at))
        kind = REPORTS[question.report]
        if question.report == "live":
            rows = [Row(store.code, store.name, seats.numbers, {})]
        else:
            rows = [
                Row(
                    seat.code, seat.name, seat.numbers,
                    {"state": seat.state, "state_since": _iso(local, seat.state_since), "name": seat.name, "team": seat.team},
                )
                for seat in seats.rows
                if question.agent in (None, seat.code)
            ]  # fmt: skip
        return Report(
            question,
            kind.title,
            today,
            today,
            rows,
            tuple(keys),
            seats.numbers if question.agent is None else total(r.numbers for r in rows),
        )

    def _look_up(self, connection: Connection, store: StoreInfo, question: Question) -> _Asked:
        local = LocalTime(store.zone)
        at = self.workspace.now(store) if question.at is None else question.at
        yesterday = local.day(at) - 1
        first = yesterday if question.first is None else day_number(question.first)
        last = (yesterday if question.first is None else max(first, yesterday)) if question.last is None else day_number(question.last)
        if question.first is None and question.last is not None:
            first = last
        if first > last:
            raise FaultError("refused", tr("开始日期晚于结束日期", "The first day is after the last"))
        if last - first > 3700:
            raise FaultError("refused", tr("时间范围不能超过十年", "A period cannot be longer than ten years"))
        a, g = schema.agents.c, schema.skill_groups.c
        agents = {r.id: (r.code, r.name or r.code) for r in connection.execute(select(a.id, a.code, a.name).where(a.store_id == store.id))}
        groups = {r.id: (r.code, r.name or r.code) for r in connection.execute(select(g.id, g.code, g.name).where(g.store_id == store.id))}
        agent = _find(agents, question.agent, T("客服", "agent"))
        group = _find(groups, question.group, T("咨询组", "group"))
        return _Asked(question, store, local, at, first, last, agent, group, agents, groups)

    def _by_name(
        self,
        connection: Connection,
        asked: _Asked,
        dimension: Literal["agent_id", "group_id"],
        names: dict[int, tuple[str, str]],
        histograms: bool,
    ) -> list[Row]:
        found = sums(connection, asked.slice, (dimension,), histograms)
        rows = [Row(names[id][0], names[id][1], counts, {"name": names[id][1]}) for id, counts in found.items() if id in names]
        return sorted(rows, key=lambda row: row.key)

    def _by_period(self, connection: Connection, asked: _Asked, by: By, histograms: bool) -> list[Row]:
        dimension: Literal["day", "slot"] = "slot" if by in ("hour", "halfhour") else "day"
        found = sums(connection, asked.slice, (dimension,), histograms)
        label = _LABELS[by]
        periods = range(288) if dimension == "slot" else range(asked.first, asked.last + 1)
        gathered: dict[str, list[Counts]] = {}
        for period in periods:
            gathered.setdefault(label(period), []).append(found.get(period, {}))
        return [Row(key, key, total(parts), {}) for key, parts in gathered.items()]

    def _sessions(self, asked: _Asked) -> Iterator[dict[str, Any]]:
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
                    "opened_at": _iso(asked.local, r.opened_at),
                    "closed_at": _iso(asked.local, r.closed_at),
                    "first_reply": r.first_reply_ms / 1000 if replied else None,
                    "avg_reply": r.turn_ms / r.turns / 1000 if r.turns and r.kind == ONLINE else None,
                    "replies": r.agent_messages,
                    "customer_messages": r.customer_messages,
                    "transfers": r.transfers,
                    "rating": r.rating or None,
                    "resolved": {0: False, 1: None, 2: True}[r.resolution] if r.rating else None,
                    "reason": REASONS[r.reason] or None,
                }

    def _orders(self, asked: _Asked) -> Iterator[dict[str, Any]]:
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
                    "opened_at": _iso(asked.local, r.opened_at),
                    "placed_at": _iso(asked.local, r.placed_at),
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


def _check_metric(key: str) -> None:
    if key not in METRICS:
        raise FaultError("refused", tr(f"没有这个指标：{key}", f"There is no metric {key}"))


def _check_times(question: Question) -> None:
    """Times that no event can have are a slip of the pen."""
    moments = [] if question.at is None else [question.at]
    moments += [day_number(day) * DAY_MS for day in (question.first, question.last) if day is not None]
    if not all(EARLIEST <= moment < LATEST for moment in moments):
        raise FaultError("refused", tr("日期和时间须在2000年至2099年之间", "Days and times lie in the years 2000 to 2099"))


def _week(day: int) -> str:
    year, week, _ = day_date(day).isocalendar()
    return f"{year}-W{week:02}"


_LABELS: dict[By, Callable[[int], str]] = {
    "day": lambda day: day_date(day).isoformat(),
    "week": _week,
    "month": lambda day: day_date(day).isoformat()[:7],
    "hour": lambda slot: f"{slot // 12:02}:00",
    "halfhour": lambda slot: f"{slot // 12:02}:{slot // 6 % 2 * 30:02}",
}


def _find(names: dict[int, tuple[str, str]], code: str | None, what: T) -> int | None:
    if code is None:
        return None
    for id, (known, _) in names.items():
        if known == code:
            return id
    raise FaultError("refused", tr(f"没有这个{what.zh}：{code}", f"There is no {what.en} {code}"))


def _id(connection: Connection, table: Any, store: int, code: str | None, what: T) -> int | None:
    if code is None:
        return None
    found = connection.execute(select(table.c.id).where(table.c.store_id == store, table.c.code == code)).scalar()
    if found is None:
        raise FaultError("refused", tr(f"没有这个{what.zh}：{code}", f"There is no {what.en} {code}"))
    return int(found)


def _code(names: dict[int, tuple[str, str]], id: int) -> str | None:
    return names[id][0] if id in names else None


def _iso(local: LocalTime, at: int | None) -> str | None:
    return None if at is None else local.local(at).isoformat(timespec="milliseconds")
