"""Every report there is, as a declaration: its rows, its columns, the page it is a tab of. A further report is a further entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from app.domain.language import T
from app.domain.metrics import (
    ASSESSED_COLUMNS,
    ATTENDANCE_COLUMNS,
    GROUP_COLUMNS,
    HISTORY_METRICS,
    METRICS,
    RATING_COLUMNS,
    SALES_COLUMNS,
    WORKLOAD_COLUMNS,
)

By = Literal["day", "week", "month", "hour", "halfhour"]
Population = Literal["overall", "assessed"]
RowsOf = Literal["store", "seat", "period", "agent", "agent_period", "group", "group_period"]
"""What a row is: the store or a seat now, a period, an agent, an agent's period, a group, a group's period."""


_NO_TAB = T("", "")


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Columns that stand together under one heading and can be shown or hidden at once."""

    title: T
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared report. `by`: how its rows can be cut; the first is the default, () means that rows are not periods.

    `page`: the history page it is a tab of ("" for none), where it is called `tab`. `keys`: the metrics unless others are asked for,
    in order; `beside`: what stands in `Row.extra`, shown before them. `population`: the only one it is about.
    """

    title: T
    by: tuple[By, ...] = ()
    live: bool = False
    keys: tuple[str, ...] = ()
    needs_agent: bool = False
    rows: RowsOf = "period"
    page: str = ""
    tab: T = _NO_TAB
    groups: tuple[ColumnGroup, ...] = ()
    beside: tuple[str, ...] = ()
    population: Population | None = None
    timeline: bool = False
    """Rows carry presence: first login, last logout, intervals."""

    @property
    def of_groups(self) -> bool:
        """Whether rows are groups, and leave out what belongs to none."""
        return self.rows in ("group", "group_period")


BESIDE: dict[str, T] = {
    "day": T("日期", "Date"),
    "period": T("时段", "Time"),
    "name": T("名称", "Name"),
    "team": T("行政组", "Team"),
    "state": T("接待状态", "State"),
    "first_login": T("首次登录", "First login"),
    "last_logout": T("最后登出", "Last logout"),
}
"""What stands beside the metrics of a row."""
ROW_LABELS: dict[RowsOf, T] = {
    "store": T("店铺", "Store"),
    "seat": T("客服", "Agent"),
    "period": T("日期", "Date"),
    "agent": T("客服", "Agent"),
    "agent_period": T("客服", "Agent"),
    "group": T("咨询组", "Group"),
    "group_period": T("咨询组", "Group"),
}
PAGES: dict[str, T] = {
    "store": T("服务商经营数据", "Store"),
    "compare": T("客服数据对比", "Compare agents"),
    "agent": T("客服个人工作数据", "One agent"),
}
"""The history pages whose tabs are reports."""

SEAT_KEYS = tuple(key for key in METRICS if key != "active" and not key.startswith(("seats_", "visitors_", "connect_")))
"""What makes sense of one seat: no counts of seats, nothing of visitors, whom no agent has yet."""

_DAYS: tuple[By, ...] = ("day", "week", "month")
_PERIODS: tuple[By, ...] = (*_DAYS, "hour", "halfhour")
_PRESENCE = ("login_hours", "serving_hours")


def _groups(*, presence: bool) -> tuple[ColumnGroup, ...]:
    """Workload, sales, satisfaction; what stands in one is not repeated in the next."""
    workload = tuple(key for key in WORKLOAD_COLUMNS if presence or key not in _PRESENCE)
    ratings = tuple(key for key in (*RATING_COLUMNS, "resolution") if key not in workload or key in ("satisfaction", "resolution"))
    workload = tuple(key for key in workload if key not in ratings)
    return (
        ColumnGroup(T("工作量", "Workload"), workload),
        ColumnGroup(T("销售绩效", "Sales"), SALES_COLUMNS),
        ColumnGroup(T("满意度", "Satisfaction"), ratings),
    )


def _keys(groups: tuple[ColumnGroup, ...]) -> tuple[str, ...]:
    return tuple(key for group in groups for key in group.keys)


_STORE, _DAILY = _groups(presence=False), _groups(presence=True)
_BESIDE_ROWS: dict[RowsOf, tuple[str, ...]] = {
    "seat": ("name", "team", "state"), "agent": ("name",), "group": ("name",), "agent_period": ("name", "day"),
    "group_period": ("name", "period"),
}  # fmt: skip


def _tab(page: str, tab: T, keys: tuple[str, ...], rows: RowsOf, by: tuple[By, ...] = (), **more: Any) -> Kind:
    beside = _BESIDE_ROWS.get(rows, ())
    if more.get("timeline"):
        beside += ("first_login", "last_logout")
    title = T(f"{PAGES[page].zh} {tab.zh}", f"{PAGES[page].en}: {tab.en}")
    return Kind(title, by, keys=keys, rows=rows, page=page, tab=tab, beside=beside, **more)


def _store(tab: T, keys: tuple[str, ...], **more: Any) -> Kind:
    return _tab("store", tab, keys, "period", _PERIODS, **more)


def _compare(tab: T, keys: tuple[str, ...], rows: RowsOf = "agent", by: tuple[By, ...] = (), **more: Any) -> Kind:
    return _tab("compare", tab, keys, rows, by, **more)


def _agent(tab: T, keys: tuple[str, ...], by: tuple[By, ...] = _PERIODS, **more: Any) -> Kind:
    return _tab("agent", tab, keys, "period", by, needs_agent=True, **more)


REPORTS: dict[str, Kind] = {
    "live": Kind(T("全局监控", "Store overview"), live=True, keys=tuple(METRICS), rows="store"),
    "seats": Kind(T("坐席监控", "Seats"), live=True, keys=("active", *SEAT_KEYS), rows="seat", beside=_BESIDE_ROWS["seat"]),
    "store": Kind(PAGES["store"], _PERIODS, keys=HISTORY_METRICS),
    "compare": Kind(PAGES["compare"], keys=HISTORY_METRICS, rows="agent", beside=("name",)),
    "agent": Kind(PAGES["agent"], _PERIODS, keys=HISTORY_METRICS, needs_agent=True),
    "groups": Kind(T("咨询组数据", "Groups"), keys=HISTORY_METRICS, rows="group", beside=("name",)),
    "store_overall": _store(T("整体", "Overall"), _keys(_STORE), groups=_STORE),
    "store_assessed": _store(T("考核", "Assessed"), ASSESSED_COLUMNS, population="assessed"),
    "daily": _compare(T("员工日报", "Daily"), _keys(_DAILY), "agent_period", _DAYS, groups=_DAILY),
    "workload": _compare(T("工作量", "Workload"), WORKLOAD_COLUMNS),
    "sales": _compare(T("销售绩效", "Sales"), SALES_COLUMNS),
    "attendance": _compare(T("出勤", "Attendance"), ATTENDANCE_COLUMNS, "agent_period", ("day",), timeline=True),
    "ratings": _compare(T("满意度评价", "Ratings"), RATING_COLUMNS),
    "group_hours": _compare(T("技能组按时段", "Groups by hour"), GROUP_COLUMNS, "group_period", ("hour",)),
    "group_halfhours": _compare(T("技能组半小时", "Groups by half hour"), GROUP_COLUMNS, "group_period", ("halfhour",)),
    "agent_workload": _agent(T("工作量", "Workload"), WORKLOAD_COLUMNS),
    "agent_sales": _agent(T("销售绩效", "Sales"), SALES_COLUMNS),
    "agent_ratings": _agent(T("满意度", "Satisfaction"), RATING_COLUMNS),
    "agent_attendance": _agent(T("出勤明细", "Attendance"), ATTENDANCE_COLUMNS, ("day",), timeline=True),
}


def tabs(page: str) -> dict[str, Kind]:
    """The reports of a history page by key, in the order of its tabs."""
    return {key: kind for key, kind in REPORTS.items() if kind.page == page}
