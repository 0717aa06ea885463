"""What the page shows of a replay: figures, rows and curves, worked out of the answer; nothing here needs a screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.outcomes import AgentLoad, HalfHour, Outcomes
from ui.theme.roles import Level
from ui.widgets.chart_data import ChartData, Series
from ui.widgets.compared import Compared
from ui.widgets.paired_bars import Pair
from ui.widgets.table import Cell, Column, Row

if TYPE_CHECKING:
    from app.services.replay import Replay

Curve = Literal["sessions", "busiest", "waited"]
CURVES: dict[Curve, T] = {
    "sessions": T("每半小时分配", "Given per half hour"),
    "busiest": T("同时接待", "Held at once"),
    "waited": T("等待的客户", "Customers who waited"),
}
TRIED, CURRENT = T("试算", "Tried"), T("现行", "Current")
_SLOTS = 48
_NOBODY = AgentLoad("", 0, 0, 0.0)

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
    Column("peak", T("峰值·试算", "Peak, tried"), tooltip=T("最多同时接待，不含留言", "Most held at once, without leave messages")),
    Column("peak_now", T("峰值·现行", "Peak, current")),
    Column("peak_change", T("变化", "Change"), optional=True),
)
ALONE = ("name", "sessions_now", "share_now", "peak_now")
"""The columns of a replay under the current settings only."""


def key_figures(found: Replay) -> list[Compared]:
    tried, now = found.tried, found.current

    def count(of: Callable[[Outcomes], int], caption: T, worse: bool = False, tooltip: T | None = None) -> Compared:
        return _compared(found, caption, of(tried), of(now), _whole, worse, tooltip)

    def wait(of: Callable[[Outcomes], float | None], caption: T, tooltip: T | None = None) -> Compared:
        return _compared(found, caption, of(tried), of(now), _span, True, tooltip)

    return [
        count(lambda o: o.sessions, T("会话", "Sessions"), tooltip=T("这些天开始的会话", "Sessions opened on these days")),
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
            tooltip=T("本组无人可接，由兜底咨询组接待", "Taken by the fallback group because nobody in their own was free"),
        ),
        count(lambda o: o.leave, T("留言", "Leave messages"), True),
        count(
            lambda o: o.unassigned,
            T("无人接待", "Unassigned"),
            True,
            T("到最后一天结束仍没有客服的会话", "Still without an agent when the last day ends"),
        ),
        count(
            lambda o: o.busiest, T("最高并发", "Busiest"), tooltip=T("全店同时接待的最多会话", "Most sessions held at once by all agents")
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


def pairs(found: Replay) -> list[Pair]:
    now = {load.agent: load.sessions for load in found.current.agents}
    tried = {load.agent: load.sessions for load in found.tried.agents}
    return [
        Pair(code, found.names.get(code, code), tried.get(code, 0), None if found.unchanged else now.get(code, 0))
        for code in sorted(tried.keys() | now.keys())
    ]


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
    share = 100 * (load.share - before.share)
    emptied: Level = "warn" if before.sessions and not load.sessions else ""
    name = found.names.get(code, code)
    return {
        "name": Cell(name, name), "agent": Cell(code, code),
        "sessions": Cell(f"{load.sessions:,}", load.sessions / most if most else 0.0, emptied),
        "sessions_now": Cell(f"{before.sessions:,}", before.sessions),
        "sessions_change": _signed(load.sessions - before.sessions, f"{load.sessions - before.sessions:+,}"),
        "share": Cell(f"{load.share:.1%}", load.share), "share_now": Cell(f"{before.share:.1%}", before.share),
        "share_change": _signed(round(share, 1), f"{share:+.1f}"),
        "peak": Cell(str(load.peak), load.peak), "peak_now": Cell(str(before.peak), before.peak),
        "peak_change": _signed(load.peak - before.peak, f"{load.peak - before.peak:+d}"),
    }  # fmt: skip


def _signed(value: float, text: str) -> Cell:
    """A difference; more or fewer sessions is neither good nor bad, so it has no colour."""
    return Cell(text, value) if value else Cell("0", value, "quiet")


def _compared(
    found: Replay, caption: T, tried: Any, now: Any, text: Callable[[Any], str], worse: bool, tooltip: T | None
) -> Compared:  # fmt: skip
    """worse: more of it is worse, and told in colour."""
    words = "" if tooltip is None else str(tooltip)
    if found.unchanged:
        return Compared(caption, text(tried), tooltip=words)
    change = "" if tried is None or now is None else text(abs(tried - now))
    direction = 0 if not change or text(tried) == text(now) else 1 if tried > now else -1
    level: Level = "" if not worse or not direction else "warn" if direction > 0 else "good"
    return Compared(caption, text(tried), tr(f"现行 {text(now)}", f"now {text(now)}"), change if direction else "", direction, level, words)


def _whole(value: int) -> str:
    return f"{value:,}"


def _span(value: float | None) -> str:
    """Seconds in words."""
    if value is None:
        return "--"
    if value < 120:
        return tr(f"{value:.1f} 秒", f"{value:.1f} s")
    return tr(f"{value / 60:.1f} 分", f"{value / 60:.1f} min") if value < 7200 else tr(f"{value / 3600:.1f} 小时", f"{value / 3600:.1f} h")


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:,.1f}".removesuffix(".0")
