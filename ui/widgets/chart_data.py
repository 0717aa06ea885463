"""What a chart shows, and where its lines and words go; nothing here needs a screen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.domain.language import T
from ui.theme.roles import Level

SeriesRole = Literal["today", "compare", "mean", "series"]
_TIME_STEPS = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720)


def plain_number(value: float | None) -> str:
    return "--" if value is None else f"{value:,.10g}"


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a value, or None for a gap, at each position of the chart.

    The first "today" has its area filled; "compare" and "mean" are quiet and dashed; "series" takes the next colour.
    """

    name: T | str
    values: Sequence[float | None]
    role: SeriesRole = "today"


@dataclass(frozen=True, slots=True)
class Band:
    """A range filled behind the lines, such as the team's quartiles: its ends, or None for a gap, at each position of the chart."""

    name: T | str
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class ChartData:
    """`minutes` since midnight, or else `labels`, are the positions along the foot; every series has as many values.

    `format` writes a value for people. `threshold` is drawn across, with its name and in the colour of its level. Without `from_zero`
    the scale begins near the smallest value.
    """

    series: Sequence[Series] = ()
    minutes: Sequence[int] = ()
    labels: Sequence[str] = ()
    format: Callable[[float | None], str] = plain_number
    threshold: float | None = None
    threshold_name: T | str = ""
    threshold_level: Level = "warn"
    from_zero: bool = True
    band: Band | None = None

    @property
    def positions(self) -> Sequence[int]:
        return self.minutes or range(len(self.labels))

    @property
    def is_empty(self) -> bool:
        return not any(value is not None for series in self.series for value in series.values)

    def label(self, index: int) -> str:
        """The position in words: 09:30, or the label given."""
        return clock(self.minutes[index]) if self.minutes else self.labels[index]


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical range and the guide lines in it, ascending; the first and last are its ends."""

    ticks: list[float] = field(default_factory=lambda: [0.0, 1.0])

    @property
    def low(self) -> float:
        return self.ticks[0]

    @property
    def high(self) -> float:
        return self.ticks[-1]


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def scale_of(data: ChartData, lines: int = 4) -> Scale:
    """A range of round numbers that holds all values and, when it is not far off, the threshold."""
    lines_of = [series.values for series in data.series] + ([data.band.low, data.band.high] if data.band else [])
    known = [value for values in lines_of for value in values if value is not None and math.isfinite(value)]
    if not known:
        return Scale()
    low, high = min(known), max(known)
    if data.threshold is not None and data.threshold <= max(high, 0) * 2:
        low, high = min(low, data.threshold), max(high, data.threshold)
    if data.from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-6:
        high, low = (high + 1, low) if data.from_zero else (high + 0.5, low - 0.5 if low < 0 else max(0.0, low - 0.5))
    raw = (high - low) / lines
    power = 10 ** math.floor(math.log10(raw))
    ticks: list[float] = []
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50, 100):
        step = factor * power
        if step >= raw * 0.999:
            first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
            ticks = [round(index * step, 10) for index in range(first, last + 1)]
            if len({data.format(tick) for tick in ticks}) == len(ticks):
                break  # half sessions cannot be told apart from whole ones
    return Scale(ticks)


def foot_labels(data: ChartData, width: float, room: float = 64) -> list[tuple[int, str]]:
    """(position, words) of the labels at the foot that fit `width` pixels at least `room` apart."""
    positions = data.positions
    if not positions:
        return []
    fitting = max(1, int(width // room))
    if not data.minutes:
        step = math.ceil(len(positions) / fitting)
        return [(index, data.labels[index]) for index in range(0, len(positions), step)]
    start, end = positions[0], positions[-1]
    step = next((step for step in _TIME_STEPS if (end - start) / step <= fitting), _TIME_STEPS[-1])
    return [(minute, clock(minute)) for minute in range(-(-start // step) * step, end + 1, step)]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels apart until they are `gap` pixels from each other, inside [low, high], keeping their order."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    placed = list(wanted)
    edge = low
    for index in order:
        placed[index] = max(placed[index], edge)
        edge = placed[index] + gap
    edge = high
    for index in reversed(order):
        placed[index] = min(placed[index], edge)
        edge = placed[index] - gap
    return placed


def runs(positions: Sequence[int], values: Sequence[float | None]) -> list[tuple[list[float], list[float]]]:
    """The unbroken stretches of known values, as (x, y) lists."""
    found: list[tuple[list[float], list[float]]] = []
    broken = True
    for position, value in zip(positions, values, strict=False):
        if value is None or not math.isfinite(value):
            broken = True
            continue
        if broken:
            found.append(([], []))
            broken = False
        found[-1][0].append(float(position))
        found[-1][1].append(float(value))
    return found
