"""What is behind a figure: for every metric the listing that shows it, and the sessions of it that a listing then keeps.

`ONLY` are conditions over the columns of the session table (of visitors: of theirs), declared once for the reports that name them and
the listing that applies them: a listing under the filters of a figure has exactly the sessions that were counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, or_

from app.domain.attribution import FIFTEEN_DAYS, NOT_ORDERED
from app.domain.conversation import LEAVE, ONLINE, RESOLVED, UNRESOLVED
from app.domain.language import T, tr
from app.domain.metrics import is_from_files, is_known_by
from app.services.report_kinds import REPORTS
from app.services.report_rows import Place, Row
from app.storage import schema
from app.storage.faults import FaultError

if TYPE_CHECKING:
    from app.services.reports import Report

Condition = ColumnElement[bool]
WITHIN_MS = (30_000, 180_000)


@dataclass(frozen=True, slots=True)
class Only:
    """Sessions kept: `label` is said above the listing, `where` makes the condition from the columns of schema.sessions (or an alias).

    visitors: it chooses visitors instead, and the columns are those of schema.visitors.
    """

    label: T
    where: Callable[[Any], Condition]
    visitors: bool = False


class Behind(NamedTuple):
    """Where a figure is shown in detail: a listing or report, and which of its sessions. Of a rate it is the part one looks for."""

    report: str
    only: str = ""


def _consulted(s: Any) -> Condition:
    return and_(s.kind == ONLINE, s.first_customer_at.is_not(None))


def _received(s: Any) -> Condition:
    return and_(s.kind == ONLINE, s.first_reply_ms.is_not(None))


def _rated(*scores: int) -> Callable[[Any], Condition]:
    return lambda s: and_(s.kind == ONLINE, s.rating.in_(scores))


def _answered(resolution: int) -> Callable[[Any], Condition]:
    return lambda s: and_(s.kind == ONLINE, s.rating > 0, s.resolution == resolution)


def _late(limit: int) -> Callable[[Any], Condition]:
    return lambda s: and_(_consulted(s), or_(s.first_reply_ms.is_(None), s.first_reply_ms > limit))


def _presale(s: Any) -> Condition:
    """As attribution.py counts customers before their order; who is counted once a day may have several such sessions."""
    o = schema.orders.c
    ordered = exists().where(o.customer_id == s.customer_id, o.placed_at >= s.opened_at - FIFTEEN_DAYS, o.placed_at < s.opened_at)
    return and_(_received(s), s.agent_id > 0, or_(s.order_state == NOT_ORDERED, and_(s.order_state == 0, ~ordered)))


HANDED_OVER = "transferred_out"
"""The filters of agent and group then mean those who handed the session over, whom only its facts know."""

ONLY: dict[str, Only] = {
    "consulted": Only(T("计入咨询量的会话", "Consultations"), _consulted),
    "received": Only(T("已接待的会话", "Handled"), _received),
    "unanswered": Only(T("没有人工回复的会话", "Unanswered"), lambda s: and_(_consulted(s), s.first_reply_ms.is_(None))),
    "late_30s": Only(T("30秒内没有人工回复的会话", "Without a reply within 30 s"), _late(WITHIN_MS[0])),
    "late_180s": Only(T("3分钟内没有人工回复的会话", "Without a reply within 3 min"), _late(WITHIN_MS[1])),
    "closed": Only(T("已结束的接待会话", "Handled and closed"), lambda s: and_(_received(s), s.closed_at.is_not(None))),
    "transferred_in": Only(T("由其他客服转来的会话", "Transferred in"), lambda s: and_(s.kind == ONLINE, s.transfers > 0)),
    HANDED_OVER: Only(T("转给其他客服的会话", "Transferred out"), lambda s: and_(s.kind == ONLINE, s.transfers > 0)),
    "invited": Only(T("邀请过评价的会话", "Invited to rate"), lambda s: and_(s.kind == ONLINE, s.invited > 0)),
    "rated": Only(T("有评价的会话", "Rated"), _rated(1, 2, 3, 4, 5)),
    "very_satisfied": Only(T("评为非常满意的会话", "Rated very satisfied"), _rated(5)),
    "satisfied": Only(T("评为满意的会话", "Rated satisfied"), _rated(4)),
    "neutral": Only(T("评为一般的会话", "Rated neutral"), _rated(3)),
    "dissatisfied": Only(T("评为不满意的会话", "Rated dissatisfied"), _rated(2)),
    "very_dissatisfied": Only(T("评为非常不满意的会话", "Rated very dissatisfied"), _rated(1)),
    "not_satisfied": Only(T("评价不是满意的会话", "Rated below satisfied"), _rated(1, 2, 3)),
    "bad": Only(T("差评的会话", "Badly rated"), _rated(1, 2)),
    "resolved": Only(T("客户答已解决的会话", "Said to be resolved"), _answered(RESOLVED)),
    "unresolved": Only(T("客户答未解决的会话", "Said not to be resolved"), _answered(UNRESOLVED)),
    "leave": Only(T("留言", "Leave messages"), lambda s: s.kind == LEAVE),
    "leave_assigned": Only(T("已分配的留言", "Leave messages assigned"), lambda s: and_(s.kind == LEAVE, s.agent_id > 0)),
    "leave_received": Only(
        T("已回复的留言", "Leave messages answered"), lambda s: and_(s.kind == LEAVE, s.agent_id > 0, s.agent_messages > 0)
    ),
    "leave_waiting": Only(
        T("已分配未回复的留言", "Leave messages assigned, not answered"),
        lambda s: and_(s.kind == LEAVE, s.agent_id > 0, s.agent_messages == 0),
    ),
    "presale": Only(T("接待时尚未下单的会话", "Handled before ordering"), _presale),
    "visitors_online": Only(T("有客服在线时进入的访客", "Entered with an agent available"), lambda v: v.kind == 0, visitors=True),
    "visitors_leave": Only(T("无客服在线时进入的访客", "Entered with nobody available"), lambda v: v.kind == 1, visitors=True),
}

_ORDERS, _ATTENDANCE = Behind("orders"), Behind("agent_attendance")
_ALL_ATTENDANCE = "attendance"
"""Instead of that of one agent, for a figure of several."""
BEHIND: dict[str, Behind] = {
    "visitors_online": Behind("visitors", "visitors_online"),
    "visitors_leave": Behind("visitors", "visitors_leave"),
    "connect_rate": Behind("visitors", "visitors_online"),
    "consults": Behind("sessions", "consulted"),
    "received": Behind("sessions", "received"),
    "unanswered": Behind("sessions", "unanswered"),
    "answer_rate": Behind("sessions", "unanswered"),
    "reply_30s_rate": Behind("sessions", "late_30s"),
    "reply_180s_rate": Behind("sessions", "late_180s"),
    "first_reply": Behind("sessions", "received"),
    "first_reply_p90": Behind("sessions", "received"),
    "avg_reply": Behind("sessions", "received"),
    "closed": Behind("sessions", "closed"),
    "session_minutes": Behind("sessions", "closed"),
    "replies_per_session": Behind("sessions", "received"),
    "reply_ratio": Behind("sessions", "consulted"),
    "transferred_in": Behind("sessions", "transferred_in"),
    "transferred_out": Behind("sessions", HANDED_OVER),
    "transfer_rate": Behind("sessions", HANDED_OVER),
    "invited": Behind("sessions", "invited"),
    "invite_rate": Behind("sessions", "invited"),
    "rated": Behind("sessions", "rated"),
    "rating_rate": Behind("sessions", "rated"),
    "very_satisfied": Behind("sessions", "very_satisfied"),
    "satisfied": Behind("sessions", "satisfied"),
    "neutral": Behind("sessions", "neutral"),
    "dissatisfied": Behind("sessions", "dissatisfied"),
    "very_dissatisfied": Behind("sessions", "very_dissatisfied"),
    "satisfaction": Behind("sessions", "not_satisfied"),
    "bad_rate": Behind("sessions", "bad"),
    "resolved": Behind("sessions", "resolved"),
    "unresolved": Behind("sessions", "unresolved"),
    "resolution": Behind("sessions", "unresolved"),
    "leave_left": Behind("sessions", "leave"),
    "leave_rate": Behind("sessions", "leave"),
    "leave_assigned": Behind("sessions", "leave_assigned"),
    "leave_received": Behind("sessions", "leave_received"),
    "leave_response": Behind("sessions", "leave_waiting"),
    "presale_customers": Behind("sessions", "presale"),
    "order_customers": _ORDERS,
    "orders": _ORDERS,
    "order_items": _ORDERS,
    "order_amount": _ORDERS,
    "conversion": _ORDERS,
    "average_order": _ORDERS,
    "login_hours": _ATTENDANCE,
    "serving_hours": _ATTENDANCE,
    "suspended_hours": _ATTENDANCE,
    "logins": _ATTENDANCE,
    "serving_share": _ATTENDANCE,
}
"""Every metric of history."""
_NOT_KNOWN = T("按这些条件细分时没有这个数字，也就没有明细。", "This figure is not known in this breakdown, so nothing is behind it.")
_FROM_FILES = T("这些数字来自导入的文件，文件里没有会话。", "These figures are from imported files, which hold no sessions.")
_BY_DAY = T("出勤明细按天列出，不分时段。请改为按日查看。", "Attendance is listed by day, not by time of day. Show the report by day.")
_ROWS_BELOW = T("总值由下面各行相加，点某一行可以继续展开。", "The total adds up the rows below; open one of them to go on.")


def behind(
    report: Report, row_key: str | None, metric: str, hours: tuple[int, int] | None = None, weekdays: tuple[int, ...] = ()
) -> dict[str, Any] | T:  # fmt: skip
    """What is behind a figure, as the fields of a Question to the listing or report that shows it; of the total row for None.

    hours, weekdays: of the figure as in a Question, where it is the cell of a heat map. A sentence where nothing more can be shown.
    Raises KeyError for a row that is not there.
    """
    if not is_known_by(metric, report.parts):
        return _NOT_KNOWN
    found, asked, kind = BEHIND[metric], report.question, report.kind
    if row_key is None and kind.timeline and kind.rows != "period":
        return _ROWS_BELOW  # of days without attendance there are no rows, and no filter says so
    row = None if row_key is None else _row_of(report, row_key)
    leave = found.only.startswith("leave")  # of real ones nothing tells among imported ones
    if found.report == "sessions" and not leave and is_from_files(report.whole if row is None else row.numbers):
        return _FROM_FILES
    place = Place() if row is None else row.place
    agent, hours = place.agent or asked.agent, hours or place.hours
    same = {
        "first": place.first or report.first,
        "last": place.last or report.last,
        "channel": asked.channel,
        "population": asked.population,
        "window": asked.window,
    }
    if found.report in REPORTS:
        target = found.report if agent else _ALL_ATTENDANCE
        if hours is not None:
            return _BY_DAY
        if target == asked.report and row_key is None:
            return _ROWS_BELOW
        of_all = {} if agent else {"agents": asked.agents, "team": asked.team}
        return {"report": target, "agent": agent, **same, **of_all}
    of_agents = row_key is None and agent is None
    named = tuple(dict.fromkeys(row.place.agent for row in report.rows if row.place.agent)) if of_agents else ()
    group = place.group or asked.group
    return {
        "report": found.report,
        "agent": agent,
        "agents": named or (() if agent else asked.agents),
        "team": None if named or agent else asked.team,
        "group": group,
        "grouped": kind.of_groups and group is None,  # the rows leave out sessions of no group
        "hours": hours,
        "weekdays": weekdays,
        "only": found.only,
        **same,
    }


def _row_of(report: Report, row_key: str) -> Row:
    for row in report.rows:
        if row.key == row_key:
            return row
    raise KeyError(row_key)


def condition(only: str, s: Any) -> Condition:
    """The condition of this name over the columns `s` of schema.sessions. Raises FaultError for a name that is not declared."""
    check_only(only)
    return ONLY[only].where(s)


def check_only(only: str, report: str = "") -> None:
    """Raises FaultError for a name that is not declared, or that chooses nothing of this listing."""
    if only not in ONLY:
        there = " ".join(ONLY)
        raise FaultError(
            "refused", tr(f"没有这种会话筛选：{only}；现有：{there}", f"There is no choice of sessions {only}; there are: {there}")
        )
    if report and ONLY[only].visitors != (report == "visitors"):
        raise FaultError("refused", tr(f"{report} 不能按 {only} 筛选", f"Listing {report} cannot be narrowed to {only}"))
