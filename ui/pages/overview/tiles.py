"""From the service's answer to what a tile shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from app.domain.language import tr
from app.domain.metrics import METRICS, Numbers
from ui.widgets.metric_text import metric_change, metric_tooltip, unit_of, with_unit
from ui.widgets.tile import Change, TileData

if TYPE_CHECKING:
    from app.services.live import Overview

Base = Literal["yesterday", "week_ago"]
_BASES: tuple[Base, ...] = ("yesterday", "week_ago")


def tile_data(overview: Overview, key: str, line: Sequence[float | None], stale: str) -> TileData:
    """`line` is the sparkline, empty where there is none; `stale` the age of old data as shown, "" when it is live."""
    metric = overview.settings.metrics[key]
    value = overview.value(key)
    changes: list[Change] = []
    past: list[str] = []
    for base in _BASES:
        then, difference = overview.change(key, base)
        if (change := metric_change(metric, base, then, difference)) is not None:
            changes.append(change)
        if then is not None:
            when = tr("昨日同时刻", "Same time yesterday") if base == "yesterday" else tr("上周同时刻", "Same time a week ago")
            past.append(f"{when} {with_unit(metric, then)}")
    tooltip = metric_tooltip(metric, overview.numbers, overview.settings.window, pending=True)
    return TileData(
        metric.text(value),
        unit_of(metric),
        metric.level(value),
        tuple(changes),
        tuple(line),
        "\n".join([tooltip, *past]),
        stale,
        _note(key, overview.numbers),
    )


def _note(key: str, numbers: Numbers) -> str:
    """What puts a number of this moment in proportion; it has no past to compare with."""
    seats, online = numbers.get("seats_total", 0), numbers.get("seats_online", 0)
    if key == "seats_total" and (capacity := numbers.get("capacity", 0)):
        return tr(f"最大接待量 {capacity:,}", f"Capacity {capacity:,}")
    if key == "seats_serving":
        active = numbers.get("active", 0)
        return tr(f"正在接待 {active:,} 个会话", f"{active:,} sessions now")
    if key in ("seats_online", "seats_offline") and seats:
        share = METRICS["saturation"].text(numbers.get(key, 0) / seats)
        return tr(f"占账号 {share}", f"{share} of seats")
    if key == "seats_suspended" and online:
        share = METRICS["saturation"].text(numbers.get(key, 0) / online)
        return tr(f"占在线 {share}", f"{share} of online")
    return ""
