"""Ranges of days as a person says them: yesterday, the last 7 days, this month …"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, get_args

from app.domain.language import T

Preset = Literal["yesterday", "7d", "30d", "week", "last_week", "month", "last_month", "custom"]
PRESETS: dict[Preset, T] = {
    "yesterday": T("昨天", "Yesterday"),
    "7d": T("近7天", "Last 7 days"),
    "30d": T("近30天", "Last 30 days"),
    "week": T("本周", "This week"),
    "last_week": T("上周", "Last week"),
    "month": T("本月", "This month"),
    "last_month": T("上月", "Last month"),
    "custom": T("自定义", "Custom"),
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A range as a person says it. `first` and `last` count for "custom" only; `today` asks for the day that is not over yet."""

    preset: Preset = "7d"
    first: date | None = None
    last: date | None = None
    today: bool = False

    def days(self, now: date) -> tuple[date, date] | None:
        """First and last day, both included, when `now` is today; None while not a single day of the range is complete."""
        end = now if self.today else now - _DAY
        if self.preset == "custom":
            if self.first is None or self.last is None:
                return None
            return self.first, self.last
        if self.preset == "last_month":
            last = now.replace(day=1) - _DAY
            return last.replace(day=1), last
        if self.preset == "last_week":
            last = now - (now.weekday() + 1) * _DAY
            return last - 6 * _DAY, last
        first = {
            "yesterday": now - _DAY,
            "7d": end - 6 * _DAY,
            "30d": end - 29 * _DAY,
            "week": now - now.weekday() * _DAY,
            "month": now.replace(day=1),
        }[self.preset]
        return (first, end) if first <= end else None

    def completed(self, now: date) -> tuple[date, date] | None:
        """The days of a range that is over when `now` begins: on a Monday "this week" is the one that has just ended."""
        if self.preset in ("week", "month"):
            return Period(self.preset, today=True).days(now - _DAY)
        return Period(self.preset, self.first, self.last).days(now)

    def has_today(self, now: date) -> bool:
        days = self.days(now)
        return days is not None and days[1] >= now

    @property
    def may_have_today(self) -> bool:
        """Whether asking for today makes a difference."""
        return self.preset not in ("last_week", "last_month", "custom")

    def state(self) -> dict[str, Any]:
        """Made of plain JSON types, for `of_state`."""
        found: dict[str, Any] = {"preset": self.preset, "today": self.today}
        if self.preset == "custom" and self.first is not None and self.last is not None:
            found |= {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return found

    @staticmethod
    def of_state(state: object) -> Period | None:
        """A `state()`, from another version too; None for what is no period."""
        if not isinstance(state, Mapping) or state.get("preset") not in get_args(Preset):
            return None
        found = Period(state["preset"], today=state.get("today") is True)
        if found.preset != "custom":
            return found
        try:
            first, last = date.fromisoformat(str(state.get("first"))), date.fromisoformat(str(state.get("last")))
        except ValueError:
            return None
        return Period("custom", min(first, last), max(first, last))


def days_text(first: date, last: date, now: date) -> str:
    """11-15 – 11-21, with the year where it is not this one."""
    form = "%m-%d" if first.year == last.year == now.year else "%Y-%m-%d"
    return f"{first:{form}}" if first == last else f"{first:{form}} – {last:{form}}"


Every = Literal["", "daily", "weekly", "monthly"]
EVERY: dict[Every, T] = {
    "": T("不定时", "Not on a schedule"),
    "daily": T("每天", "Daily"),
    "weekly": T("每周一", "Weekly, on Monday"),
    "monthly": T("每月1日", "Monthly, on the 1st"),
}
"""How often a report is sent."""


def last_turn(every: Every, now: date) -> date:
    """The newest day, `now` included, on which something comes round. Raises ValueError for what never does."""
    if every == "daily":
        return now
    if every == "weekly":
        return now - now.weekday() * _DAY
    if every == "monthly":
        return now.replace(day=1)
    raise ValueError("not on a schedule")
