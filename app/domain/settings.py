"""The settings documents of a store, declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.counters import Window
from app.domain.documents import Document, Field, Object, Preset
from app.domain.kinds import Choice, Clock, Fault, Number, Option, Subset, fill, plain
from app.domain.language import T
from app.domain.metrics import METRICS, Metric, Unit
from app.domain.routing_settings import AGENTS, GROUPS, LEAVE_RULE

Standard = tuple[float | None, float | None, float | None]
"""(target, warn, alarm) in display units: percent, seconds, minutes, hours, yuan."""

_WINDOWS = (
    Option("24h", T("24小时", "24 hours")),
    Option("7d", T("一周（7天）", "7 days")),
    Option("15d", T("15天", "15 days")),
)

ORDER_WINDOW = Document(
    "order_window",
    T("订单时效", "Order window"),
    T("咨询之后多久之内的下单算作促成。更改后历史数据立即按新时效显示。",
      "How long after a consultation an order still counts for it. History is shown by the new window at once."),
    "groups.edit",
    Object((
        Field("window", T("时效", "Window"), Choice(_WINDOWS), "24h", T("从咨询开始起算", "Counted from when the consultation began")),
    )),
)  # fmt: skip

ASSESSMENT = Document(
    "assessment",
    T("考核口径", "Assessment"),
    T("哪些会话计入考核：按开始时间和标记。", "Which sessions are assessed, by when they began and how they are flagged."),
    "groups.edit",
    Object((
        Field("from", T("开始时间", "From"), Clock(5), "09:00", T("店铺所在时区；含此刻开始的会话", "In the store's time zone, included")),
        Field("to", T("结束时间", "To"), Clock(5, midnight_ends=True), "23:00",
              T("不含此刻开始的会话；早于开始时间即跨过午夜，与之相同即全天",
                "Not included; earlier than the beginning means past midnight, the same means the whole day")),
        Field("leave_out", T("不计入", "Leave out"),
              Subset((Option("spam", T("垃圾会话", "spam")), Option("bot_only", T("仅机器人接待", "bot only")))),
              ["spam", "bot_only"], T("带有这些标记的会话不考核", "Sessions with these flags are not assessed")),
    )),
)  # fmt: skip

_UNITS: dict[Unit, T] = {
    "n": T("", ""), "%": T("%", "%"), "s": T("秒", "s"), "min": T("分钟", "min"), "h": T("小时", "h"), "yuan": T("元", "yuan"),
}  # fmt: skip
_MOST: dict[Unit, float] = {"n": 1e9, "%": 100, "s": 86_400, "min": 1_440, "h": 1e6, "yuan": 1e9}
_BEYOND_100 = frozenset({"reply_ratio", "saturation", "connect_rate", "conversion"})
"""Percentages of one thing by another that may be more."""

_HIGHER_ALARM = T(
    "{0} 高于提醒线 {1}；此指标越高越好，告警线应更低",
    "{0} is above the warning {1}; higher is better here, so the alarm is the lower",
)
_LOWER_ALARM = T("{0} 低于提醒线 {1}；告警线应更高", "{0} is below the warning {1}; the alarm is the higher")


def _standard(metric: Metric) -> Field:
    number = Number(0, 1_000 if metric.key in _BEYOND_100 else _MOST[metric.unit], _UNITS[metric.unit])
    unset = T("未设置", "not set")
    reached = T("低于此值", "Below this") if metric.better == "up" else T("达到或超过此值", "This or more")

    def ordered(held: Mapping[str, Any]) -> Iterator[Fault]:
        warn, alarm = held["warn"], held["alarm"]
        if warn is None or alarm is None:
            return
        if alarm > warn if metric.better == "up" else alarm < warn:
            yield Fault("alarm", fill(_HIGHER_ALARM if metric.better == "up" else _LOWER_ALARM, plain(alarm), plain(warn)))

    return Field(
        metric.key,
        metric.label,
        Object(
            (
                Field("target", T("目标", "Target"), number, metric.target, null=unset),
                Field("warn", T("提醒", "Warn"), number, metric.warn, reached, unset),
                Field("alarm", T("告警", "Alarm"), number, metric.alarm, reached, unset),
            ),
            (ordered,),
        ),
        help=metric.definition,
    )


_PLATFORM_FLOORS = {"answer_rate": 70, "satisfaction": 80}
"""What JD asks of every store; where it asks nothing, the store's own standard stays."""

_STANDARDS = Object(tuple(_standard(metric) for metric in METRICS.values()), table=True)

STANDARDS = Document(
    "standards",
    T("指标标准", "Standards"),
    T(
        "每个指标的目标、提醒线和告警线；各页面按此着色。",
        "Target, warning and alarm of each metric; every page takes its colours from them.",
    ),
    "groups.edit",
    _STANDARDS,
    (
        Preset("store", T("店铺标准", "Store"), _STANDARDS.complete({})),
        Preset(
            "platform",
            T("平台底线", "Platform"),
            _STANDARDS.complete({key: {"target": floor, "warn": None, "alarm": floor} for key, floor in _PLATFORM_FLOORS.items()}),
        ),
    ),
)

DOCUMENTS: dict[str, Document] = {document.key: document for document in (ORDER_WINDOW, ASSESSMENT, STANDARDS, GROUPS, AGENTS, LEAVE_RULE)}


def with_standards(standards: Mapping[str, Standard]) -> dict[str, Metric]:
    """The catalogue with the targets and thresholds of a store."""
    found = dict(METRICS)
    for key, (target, warn, alarm) in standards.items():
        found[key] = replace(found[key], target=target, warn=warn, alarm=alarm)
    return found


@dataclass(frozen=True, slots=True)
class Effective:
    """What the settings come to for whoever shows figures: the catalogue with the store's standards, and its order window."""

    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    window: Window = "24h"


def standards(body: Mapping[str, Any]) -> dict[str, Standard]:
    """{metric key: (target, warn, alarm)} of a body of STANDARDS."""
    return {key: (held["target"], held["warn"], held["alarm"]) for key, held in STANDARDS.complete(body).items()}
