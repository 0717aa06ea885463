"""What the page shows of a replay: figures, rows and curves, worked out of the answer; nothing here needs a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.outcomes import AgentLoad, GroupLoad, HalfHour, Outcomes
from ui.theme.roles import Level
from ui.widgets.chart_data import ChartData, Series
from ui.widgets.compared import Compared
from ui.widgets.paired_bars import Pair
from ui.widgets.table import Cell, Column, Row

if TYPE_CHECKING:
    from app.services.replay import Replay

View = Literal["agents", "groups"]
Curve = Literal["sessions", "busiest", "waited"]
CURVES: dict[Curve, T] = {
    "sessions": T("每半小时分配", "Given per half hour"),
    "busiest": T("同时接待", "Held at once"),
    "waited": T("等待的客户", "Customers who waited"),
}
TRIED, CURRENT = T("试算", "Tried"), T("现行", "Current")
_SLOTS = 48
_TOLD = 20
"""Changes that are told."""
_NOBODY = AgentLoad("", 0, 0, 0.0)
_PEAK = T(
    "最多同时接待，不含留言。手工转接或指定的会话、关闭后继续的会话、第一天开始前就在接待的会话不受接待上限限制，峰值可能高于上限。",
    "Most held at once, without leave messages. Sessions given to somebody by hand, gone on with after they closed, or going on before the "
    "first day ignore the cap, so that a peak can be above it.",
)

COLUMNS = (
    Column("name", T("客服", "Agent"), "text", 132, sticky=True),
    Column("agent", T("客服ID", "Code"), "text", 90, optional=True),
    Column("sessions", T("会话·试算", "Sessions, tried"), "bar", 132, T("试算设置下归该客服的会话", "Sessions the agent would have")),
    Column(
        "sessions_now", T("会话·现行", "Sessions, current"), tooltip=T("现行设置下归该客服的会话", "Sessions under the current settings")
    ),
    Column("sessions_change", T("变化", "Change"), tooltip=T("试算减现行", "Tried minus current")),
    Column("share", T("占比·试算", "Share, tried"), tooltip=T("占有客服接待的全部会话", "Of all sessions that had an agent")),
    Column("share_now", T("占比·现行", "Share, current")),
    Column("share_change", T("变化(百分点)", "Change (points)"), width=92),
    Column("peak", T("峰值·试算", "Peak, tried"), tooltip=_PEAK),
    Column("peak_now", T("峰值·现行", "Peak, current"), tooltip=_PEAK),
    Column("peak_change", T("变化", "Change"), optional=True),
)
ALONE = ("name", "sessions_now", "share_now", "peak_now")
"""The columns of a replay under the current settings only."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of a group, tried beside current."""

    key: str
    title: T
    of: Callable[[GroupLoad], float | None]
    tooltip: T | str = ""
    text: Callable[[Any], str] = lambda value: f"{value:,}"
    width: int = 92


_GROUP_FIGURES = (
    _Figure(
        "sessions", T("会话", "Sessions"), lambda g: g.sessions,
        T("按服务范围属于该组的会话", "Sessions that belong to the group by its scope"),
    ),
    _Figure(
        "overflow", T("溢出", "Overflow"), lambda g: g.overflow,
        T("本组无人可接，由兜底咨询组接待", "Taken by the fallback group because nobody here was free"),
    ),
    _Figure("waited", T("等待过", "Waited"), lambda g: g.waited, T("开始时无人可接的会话", "Nobody was free when they opened")),
    _Figure(
        "mean", T("平均等待", "Mean wait"), lambda g: g.mean_wait,
        T("全部在线会话，立即接待的按 0 计", "Over all online sessions, 0 for those taken at once"), lambda value: _span(value), 108,
    ),
    _Figure("longest", T("最长等待", "Longest wait"), lambda g: g.longest_wait, text=lambda value: _span(value), width=108),
    _Figure("leave", T("留言", "Messages"), lambda g: g.leave, T("留言", "Leave messages")),
    _Figure(
        "assigned", T("已分配", "Assigned"), lambda g: g.assigned,
        T("有客服接待的会话，含等待后的和留言", "Sessions that had an agent, also after waiting and as leave messages"),
    ),
)  # fmt: skip


def _group_columns() -> Iterator[Column]:
    yield Column("name", T("咨询组", "Group"), "text", 128, sticky=True)
    yield Column("group", T("咨询组ID", "Code"), "text", 90, optional=True)
    for figure in _GROUP_FIGURES:
        zh, en = figure.title
        yield Column(figure.key, T(f"{zh}·试算", f"{en}, tried"), width=figure.width, tooltip=figure.tooltip)
        yield Column(f"{figure.key}_now", T("现行", "Current"), width=72, tooltip=T(f"{zh}·现行", f"{en}, current"))
        if figure.key == "sessions":
            yield Column("sessions_change", T("变化", "Change"), width=64, tooltip=T("试算减现行", "Tried minus current"))


GROUP_COLUMNS = tuple(_group_columns())
GROUPS_ALONE = ("name", *(f"{figure.key}_now" for figure in _GROUP_FIGURES))


def key_figures(found: Replay) -> list[Compared]:
    tried, now = found.tried, found.current

    def count(of: Callable[[Outcomes], int], caption: T, worse: bool = False, explained: T | None = None) -> Compared:
        return _compared(found, caption, of(tried), of(now), _whole, lambda a, b: _whole(abs(a - b)), worse, explained)

    def wait(of: Callable[[Outcomes], float | None], caption: T, explained: T | None = None) -> Compared:
        return _compared(found, caption, of(tried), of(now), _span, _span_between, True, explained)

    return [
        count(lambda o: o.sessions, T("会话", "Sessions"), explained=T("这些天开始的会话", "Sessions opened on these days")),
        count(lambda o: o.waited, T("等待过", "Waited"), True, T("开始时无人可接的会话", "Nobody was free when they opened")),
        wait(
            lambda o: o.waits.mean,
            T("平均等待", "Mean wait"),
            T("全部在线会话，立即接待的按 0 计", "Over all online sessions, 0 for those taken at once"),
        ),
        wait(lambda o: o.waits.p90, T("P90等待", "P90 wait")),
        wait(lambda o: o.waits.longest, T("最长等待", "Longest wait")),
        count(
            lambda o: o.overflow,
            T("溢出到兜底", "Overflow"),
            explained=T("本组无人可接，由兜底咨询组接待", "Taken by the fallback group because nobody in their own was free"),
        ),
        count(lambda o: o.leave, T("留言", "Leave messages"), True),
        count(
            lambda o: o.unassigned,
            T("无人接待", "Unassigned"),
            True,
            T("到最后一天结束仍没有客服的会话", "Still without an agent when the last day ends"),
        ),
        count(
            lambda o: o.busiest, T("最高并发", "Busiest"), explained=T("全店同时接待的最多会话", "Most sessions held at once by all agents")
        ),
    ]


def rows(found: Replay) -> list[Row]:
    """One per agent of either side, those with most sessions first."""
    now = {load.agent: load for load in found.current.agents}
    tried = {load.agent: load for load in found.tried.agents}
    most = max((load.sessions for load in tried.values()), default=0)
    pairs = [(tried.get(code, _NOBODY), now.get(code, _NOBODY), code) for code in tried.keys() | now.keys()]
    pairs.sort(key=lambda pair: (-pair[0].sessions, -pair[1].sessions, pair[2]))
    return [(code, _cells(found, code, load, before, most)) for load, before, code in pairs]


def group_rows(found: Replay) -> list[Row]:
    """One per group of either side, in the order of the settings."""
    now = {load.group: load for load in found.current.groups}
    return [(load.group, _group_cells(load, now.get(load.group), found.unchanged)) for load in found.tried_groups()]


def _group_cells(load: GroupLoad, before: GroupLoad | None, alone: bool) -> dict[str, Cell]:
    name = _group_name(load)
    cells = {"name": Cell(name, name), "group": Cell(load.group, load.group)}
    for figure in _GROUP_FIGURES:
        for key, side in ((figure.key, load), (f"{figure.key}_now", before)):
            value = None if side is None else figure.of(side)
            cells[key] = Cell("--", None, "quiet") if value is None else Cell(figure.text(value), value)
    change = load.sessions - (0 if before is None else before.sessions)
    cells["sessions_change"] = Cell() if alone else _signed(change, f"{change:+,}")
    return cells


def _group_name(load: GroupLoad) -> str:
    return (load.name or load.group) if load.group else tr("无咨询组", "No group")


def pairs(found: Replay, view: View) -> list[Pair]:
    """Sessions of each agent or group, tried beside current."""
    if view == "groups":
        names = {load.group: _group_name(load) for load in found.tried_groups()}
        now = {load.group: load.sessions for load in found.current.groups}
        tried = {load.group: load.sessions for load in found.tried.groups}
    else:
        now = {load.agent: load.sessions for load in found.current.agents}
        tried = {load.agent: load.sessions for load in found.tried.agents}
        names = {code: found.names.get(code, code) for code in tried.keys() | now.keys()}
    return [Pair(code, name, tried.get(code, 0), None if found.unchanged else now.get(code, 0)) for code, name in sorted(names.items())]


def curves(found: Replay, curve: Curve, agent: str = "") -> ChartData:
    """By time of day, the mean of the days; of one agent for "sessions"."""
    local, days = LocalTime(found.zone), (found.last - found.first).days + 1

    def line(outcomes: Outcomes) -> list[float | None]:
        values = _values(outcomes, curve, agent)
        by_slot = [0.0] * _SLOTS
        for half_hour, value in zip(outcomes.half_hours, values):
            at = local.local(half_hour.at)
            by_slot[at.hour * 2 + at.minute // 30] += value
        return [value / days for value in by_slot]

    series = [Series(CURRENT if found.unchanged else TRIED, line(found.tried))]
    if not found.unchanged:
        series.append(Series(CURRENT, line(found.current), "compare"))
    return ChartData(tuple(series), minutes=tuple(range(0, 1440, 30)), format=_number)


def _values(outcomes: Outcomes, curve: Curve, agent: str) -> Sequence[int]:
    if curve == "sessions" and agent:
        load = next((load for load in outcomes.agents if load.agent == agent), None)
        return load.half_hours if load is not None else ()
    of: dict[Curve, Callable[[HalfHour], int]] = {
        "sessions": lambda half_hour: half_hour.assigned,
        "busiest": lambda half_hour: half_hour.busiest,
        "waited": lambda half_hour: half_hour.waited,
    }
    return [of[curve](half_hour) for half_hour in outcomes.half_hours]


def _cells(found: Replay, code: str, load: AgentLoad, before: AgentLoad, most: int) -> dict[str, Cell]:
    share = round(100 * load.share, 1) - round(100 * before.share, 1)
    emptied: Level = "warn" if before.sessions and not load.sessions else ""
    name = found.names.get(code, code)
    return {
        "name": Cell(name, name), "agent": Cell(code, code),
        "sessions": Cell(f"{load.sessions:,}", load.sessions / most if most else 0.0, emptied),
        "sessions_now": Cell(f"{before.sessions:,}", before.sessions),
        "sessions_change": _signed(load.sessions - before.sessions, f"{load.sessions - before.sessions:+,}"),
        "share": Cell(f"{load.share:.1%}", load.share), "share_now": Cell(f"{before.share:.1%}", before.share),
        "share_change": _signed(round(share, 1), f"{share:+.1f}"),
        "peak": _peak(load), "peak_now": _peak(before),
        "peak_change": _signed(load.peak - before.peak, f"{load.peak - before.peak:+d}"),
    }  # fmt: skip


def _peak(load: AgentLoad) -> Cell:
    above = load.capacity is not None and load.peak > load.capacity
    return Cell(str(load.peak), load.peak, detail=tr(f"＞上限{load.capacity}", f"> cap {load.capacity}") if above else "")


def tooltip(found: Replay, code: str, key: str) -> str:
    """Of a cell of an agent: why a peak is above the cap."""
    side = {"peak": found.tried, "peak_now": found.current}.get(key)
    load = None if side is None else next((load for load in side.agents if load.agent == code), None)
    return str(_PEAK) if load is not None and _peak(load).detail else ""


def difference(found: Replay) -> tuple[str, str]:
    """(one line, all lines) of what was tried against what holds; "" where nothing differs."""
    if not found.changes:
        return "", ""
    each, number = [str(change.words) for change in found.changes], len(found.changes)
    head = tr(f"与现行设置 {number} 处不同", "1 change" if number == 1 else f"{number} changes")
    told = [*each[:_TOLD], *(["…"] if number > _TOLD else [])]
    return f"{head}{tr('：', ': ')}{tr('；', '; ').join(told)}", "\n".join([head, *told])


def _signed(value: float, text: str) -> Cell:
    """A difference; more or fewer sessions is neither good nor bad, so it has no colour."""
    return Cell(text, value) if value else Cell("0", value, "quiet")


def _compared(
    found: Replay, caption: T, tried: Any, now: Any, text: Callable[[Any], str], change_of: Callable[[Any, Any], str], worse: bool,
    explained: T | None,
) -> Compared:  # fmt: skip
    """worse: more of it is worse, and told in colour. change_of: words of the difference of what is shown."""
    words = "" if explained is None else str(explained)
    if found.unchanged:
        return Compared(caption, text(tried), tooltip=words)
    change = "" if tried is None or now is None else change_of(tried, now)
    direction = 0 if not change or text(tried) == text(now) else 1 if tried > now else -1
    level: Level = "" if not worse or not direction else "warn" if direction > 0 else "good"
    return Compared(caption, text(tried), tr(f"现行 {text(now)}", f"now {text(now)}"), change if direction else "", direction, level, words)


def _whole(value: int) -> str:
    return f"{value:,}"


def _span(value: float | None) -> str:
    """Seconds in words."""
    return "--" if value is None else _in_unit(value, _unit(value))


def _span_between(first: float, second: float) -> str:
    """The difference of two spans as they are shown."""
    units = _unit(first), _unit(second)
    shown, other = (round(value / unit, 1) * unit for value, unit in zip((first, second), units, strict=True))
    apart = abs(shown - other)
    return _in_unit(apart, units[0] if units[0] == units[1] else _unit(apart))


def _unit(seconds: float) -> int:
    """Seconds, minutes or hours."""
    return 1 if seconds < 120 else 60 if seconds < 7200 else 3600


def _in_unit(seconds: float, unit: int) -> str:
    words = {1: T("秒", "s"), 60: T("分", "min"), 3600: T("小时", "h")}
    return f"{seconds / unit:.1f} {words[unit]}"


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:,.1f}".removesuffix(".0")
