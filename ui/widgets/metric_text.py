"""Words around a metric's number: its unit, how it was made, how it moved, how long ago."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.metrics import SOURCES, Metric, Numbers, Unit
from ui.widgets.tile import Change

_UNITS: dict[Unit, T] = {
    "n": T("", ""), "%": T("", ""), "s": T("秒", "s"), "min": T("分钟", "min"), "h": T("小时", "h"), "yuan": T("元", "CNY"),
}  # fmt: skip
_PART_SCALE: dict[Unit, int] = {"s": 1000, "min": 60_000, "h": 3_600_000}


def unit_of(metric: Metric) -> str:
    """The quiet word after the figure; "" for counts and for rates, whose figure ends in %."""
    return str(_UNITS[metric.unit])


def with_unit(metric: Metric, value: float | int | None) -> str:
    """Figure and unit in one text, as spoken or written into a sentence."""
    unit = unit_of(metric)
    return f"{metric.text(value)} {unit}" if unit and value is not None else metric.text(value)


def metric_tooltip(metric: Metric, numbers: Numbers, window: Window = "24h", pending: bool = False) -> str:
    """How a number came about, one fact a line: caption, numerator / denominator = value, definition, source, thresholds.

    pending: as in `Metric.parts`, on the live pages.
    """
    lines = [str(metric.label), metric_equation(metric, numbers, window, pending), str(metric.definition)]
    if pending and (left_out := _left_out(metric, numbers)):
        lines.append(left_out)
    return "\n".join([*lines, *_rules(metric)])


def metric_equation(metric: Metric, numbers: Numbers, window: Window = "24h", pending: bool = False) -> str:
    """numerator / denominator = value, with units; the value alone for a sum."""
    value = metric.value(numbers, window, pending)
    top, bottom = metric.parts(numbers, window, pending)
    if bottom is None:
        return with_unit(metric, value)
    return f"{_part(metric, metric.top, top)} / {_part(metric, metric.bottom, bottom)} = {with_unit(metric, value)}"


def metric_definition(metric: Metric) -> str:
    """What a metric means, one fact a line, for the head of its column: definition, source, thresholds."""
    return "\n".join([str(metric.definition), *_rules(metric)])


def metric_change(metric: Metric, base: str, then: float | int | None, difference: float | int | None) -> Change | None:
    """How a value moved, as shown: percentage points for a rate, percent for everything else; None where there is nothing to compare.

    `base` is "yesterday" or "week_ago"; `then` and `difference` as from Overview.change.
    """
    if then is None or difference is None:
        return None
    if metric.unit == "%":
        text = f"{abs(difference) * 100:.1f}pp"
    elif then:
        text = f"{abs(difference / then) * 100:.1f}%"
    else:
        text = metric.text(abs(difference))
    still = not any(digit in text for digit in "123456789")
    direction = 0 if still else 1 if difference > 0 else -1
    return Change("week" if base == "week_ago" else "yesterday", text, direction)


def clock_text(ms: int) -> str:
    """A running time: 0:07, 12:40, 1:02:33."""
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def ago_text(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    whole = int(max(0.0, seconds))
    if whole < 60:
        return tr(f"{whole} 秒前", f"{whole} s ago")
    if whole < 3600:
        return tr(f"{whole // 60} 分钟前", f"{whole // 60} min ago")
    return tr(f"{whole // 3600} 小时前", f"{whole // 3600} h ago")


def _rules(metric: Metric) -> list[str]:
    lines = [tr("来源：", "Source: ") + str(SOURCES[metric.source])]
    if limits := _limits(metric):
        lines.append(limits)
    return lines


def _part(metric: Metric, terms: Mapping[str, int], number: int) -> str:
    """A numerator or denominator in units a person reads: durations in the metric's own unit, or hours in a rate; fen as yuan."""
    if any(name.endswith("_ms") for name in terms):
        return f"{number / _PART_SCALE.get(metric.unit, 3_600_000):,.1f} {str(_UNITS[metric.unit]) or _UNITS['h']}"
    if any(name.startswith("order_amount") for name in terms):
        return f"{number / 100:,.2f}"
    return f"{number:,}"


def _left_out(metric: Metric, numbers: Numbers) -> str:
    """The live rule, told where it has an effect."""
    waiting = numbers.get("pending", 0)
    if not waiting or metric.parts(numbers) == metric.parts(numbers, pending=True):
        return ""
    return tr(f"{waiting} 个会话尚在30秒内未答，暂不计入", f"{waiting} still unanswered within their first 30 s are left out for now")


def _limits(metric: Metric) -> str:
    """Target and thresholds, where the metric has any."""
    sign = "%" if metric.unit == "%" else f" {unit_of(metric)}" if unit_of(metric) else ""
    parts = []
    if metric.target is not None:
        parts.append(tr(f"目标 {metric.target:g}{sign}", f"Target {metric.target:g}{sign}"))
    below = metric.better == "up"
    for limit, word in ((metric.warn, T("需注意", "warning")), (metric.alarm, T("告警", "alarm"))):
        if limit is not None:
            side = tr("低于", "below") if below else tr("达到", "from")
            parts.append(tr(f"{side} {limit:g}{sign}{word}", f"{side} {limit:g}{sign}: {word}"))
    return tr("，", ", ").join(parts)
