"""How days and times of the day are cut into the rows of a report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from app.domain.localtime import SLOTS_PER_DAY, day_date
from app.services.report_kinds import By
from app.storage.queries import Dimension

Grain = Literal["day", "slot"]


class Period(NamedTuple):
    """[first, past) in days, or in slots of the day for hours and half hours."""

    label: str
    first: int
    past: int


def grain(by: By) -> Grain:
    return "slot" if by in ("hour", "halfhour") else "day"


def dimension(by: By) -> Dimension:
    """By what the counters are summed for these periods: day, or the first slot of each."""
    return _DIMENSIONS.get(by, "day")


def periods(by: By, first: int, last: int) -> list[Period]:
    """The periods of the days first to last (numbers, inclusive) in order; a week or month is cut off where the days end."""
    label = _LABELS[by]
    numbers = range(SLOTS_PER_DAY) if grain(by) == "slot" else range(first, last + 1)
    found: list[Period] = []
    for number in numbers:
        name = label(number)
        if found and found[-1].label == name:
            found[-1] = found[-1]._replace(past=number + 1)
        else:
            found.append(Period(name, number, number + 1))
    return found


def _week(day: int) -> str:
    year, week, _ = day_date(day).isocalendar()
    return f"{year}-W{week:02}"


_DIMENSIONS: dict[By, Dimension] = {"hour": "hour", "halfhour": "half"}
_LABELS: dict[By, Callable[[int], str]] = {
    "day": lambda day: day_date(day).isoformat(),
    "week": _week,
    "month": lambda day: day_date(day).isoformat()[:7],
    "hour": lambda slot: f"{slot // 12:02}:00",
    "halfhour": lambda slot: f"{slot // 12:02}:{slot // 6 % 2 * 30:02}",
}
