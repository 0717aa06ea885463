"""Columns of cells into numbers: a unit is decided for a whole column and never for a single cell. Times have no zone of their own.

Every function answers one entry per cell: the value, None for an empty cell, or the sentence that says why there is no value.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal

from app.domain.language import T
from app.sources.jd_export.tables import Cell

Unit = Literal["h", "min", "s", "ms", ""]
_EMPTY = frozenset(
    {"", "-", "--", "---", "-%", "--%", "—", "——", "–", "/", "\\", "n/a", "na", "#n/a", "#div/0!", "null", "none", "nan", "无", "暂无"}
)
_MS: dict[str, int] = {"h": 3_600_000, "min": 60_000, "s": 1000, "ms": 1}
_DAY = 86_400_000
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001
_FIRST_SERIAL, _LAST_SERIAL = 36_526, 73_050
"""2000-01-01 and 2099-12-31 as Excel counts days."""
_LARGEST = 1e12
_EXACT = 1e15
"""Excel keeps 15 digits of a number."""

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?")
_CLOCK = re.compile(r"(?:(\d+)(?:天|d|\s)\s*)?(\d{1,6}):(\d{1,2})(?::(\d{1,2})(\.\d+)?)?")
_SPOKEN = re.compile(
    r"(?:(\d+(?:\.\d+)?)(?:天|d))?(?:(\d+(?:\.\d+)?)(?:小时|时|hours?|hrs?|h))?(?:(\d+(?:\.\d+)?)(?:分钟|分|minutes?|mins?|min|m|'))?"
    r"(?:(\d+(?:\.\d+)?)(?:秒钟?|seconds?|secs?|sec|s|''|\"))?"
)
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日?|(\d{2})(\d{2}))(.*)", re.DOTALL)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(.*)", re.DOTALL)
_BARE_DATE = re.compile(r"\d{5}(\.\d+)?|\d{8}")
_TIME = re.compile(r"[t ]*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?")

_Read = float | None | T
_Order = Literal["day", "month", ""]
"""What stands first in a date with the year last; "" where the column does not tell."""


def text_of(cell: Cell) -> str:
    """The cell as a person would copy it: long numbers keep their digits, and what forces text in Excel is taken off."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e21 else repr(cell)
    text = str(cell).strip()
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.removeprefix("'").strip()


def date_text(cell: Cell) -> str:
    """As `text_of`, but a date kept as a number is shown as the day, with its time of day where it has one."""
    text = text_of(cell)
    found = _of_serial(float(text)) if _BARE_DATE.fullmatch(text) else cell
    if not isinstance(found, datetime):
        return text
    return f"{found:%Y-%m-%d}" if found.time() == time() else f"{found:%Y-%m-%d %H:%M:%S}"


def is_empty(cell: Cell) -> bool:
    return _plain(cell) in _EMPTY


def codes(cells: Sequence[Cell]) -> list[str | T | None]:
    """Names and ids: always text."""
    found: list[str | T | None] = []
    for cell in cells:
        text = text_of(cell)
        if (isinstance(cell, float) and abs(cell) >= _EXACT) or re.fullmatch(r"\d(\.\d+)?[eE]\+\d\d", text):
            found.append(
                T(f"编号 {text} 的末尾几位已在 Excel 里丢失。请把该列设为文本后重新导出。",
                  f"The last digits of the id {text} were lost in Excel. Make the column text and export it again.")
            )  # fmt: skip
        elif len(text) > 128:
            found.append(T("文字超过128个字符。请缩短。", "The text is longer than 128 characters. Shorten it."))
        else:
            found.append("".join(c for c in text if c.isprintable()) or None)
    return found


def numbers(cells: Sequence[Cell], whole: bool = True) -> list[_Read]:
    """Counts and amounts. whole: fractions are refused."""
    found: list[_Read] = []
    for cell in cells:
        value = _number(cell)
        if isinstance(value, float):
            if value < 0:
                value = T(f"{text_of(cell)} 是负数。请更正。", f"{text_of(cell)} is negative. Correct it.")
            elif whole and abs(value - round(value)) > 1e-6:
                value = T(
                    f"{text_of(cell)} 不是整数。请更正或换一列。",
                    f"{text_of(cell)} is not a whole number. Correct it or choose another column.",
                )
        found.append(value)
    return found


def rates(cells: Sequence[Cell], most: float = 1.0) -> list[_Read]:
    """Fractions 0–1. Numbers without a percent sign are all parts of one, or, if any of them is above `most`, all percent."""
    read = [_number(cell) for cell in cells]
    signed = ["%" in _plain(cell) for cell in cells]
    percent = largest_bare(cells) > most + 1e-9
    found: list[_Read] = []
    for cell, value, sign in zip(cells, read, signed):
        if isinstance(value, float):
            value = value / 100 if percent and not sign else value
            if value < 0 or value > most + 1e-9:
                value = T(f"{text_of(cell)} 不在 0 到 100% 之间。请更正。", f"{text_of(cell)} is not between 0 and 100 %. Correct it.")
        found.append(value)
    return found


def largest_bare(cells: Sequence[Cell]) -> float:
    """Of the numbers without a percent sign; 0 where there are none."""
    return max((value for cell in cells if isinstance(value := _number(cell), float) and "%" not in _plain(cell)), default=0.0)


def durations(cells: Sequence[Cell], kind: Literal["h", "min", "s"], unit: Unit, rows: int | None = None) -> list[_Read]:
    """Milliseconds. kind: what the figure usually is in; unit: what the header says, "" for nothing.

    rows: how many of the cells, from the first, are of agents' days: they decide the unit and last a day at most; the others are sums.

    Bare numbers are in the header's unit; without one, numbers too small for their kind are parts of a day, as Excel keeps times,
    and hours or minutes too large for a day are seconds.
    """
    read = [_duration(cell, kind) for cell in cells]
    bare = [value for value in read[:rows] if isinstance(value, float)]
    largest = max(bare, default=0.0)
    factor = float(_MS[unit or kind])
    if not unit:
        if 0 < largest <= (1 if kind == "h" else 0.1):
            factor = _DAY
        elif kind != "s" and largest > (200 if kind == "h" else 720):
            factor = 1000
    found: list[_Read] = []
    for at, (cell, value) in enumerate(zip(cells, read)):
        if not isinstance(value, int | float):
            found.append(value)
            continue
        ms = value * factor if isinstance(value, float) else float(value)
        if ms < 0 or (ms > _DAY + 1 and (rows is None or at < rows)):
            found.append(T(f"{text_of(cell)} 不是 0 到 24 小时之间的时长。请更正。",
                           f"{text_of(cell)} is not a duration between 0 and 24 hours. Correct it."))  # fmt: skip
        else:
            found.append(ms)
    return found


def days(cells: Sequence[Cell]) -> list[date | T | None]:
    return [moment.date() if isinstance(moment, datetime) else moment for moment in moments(cells)]


def moments(cells: Sequence[Cell]) -> list[datetime | T | None]:
    """Local times of the store, without a zone. Where the year stands last, the column tells whether the day or the month is first."""
    pairs = [(int(found[1]), int(found[3])) for cell in cells if isinstance(cell, str) and (found := _YEAR_LAST.fullmatch(_plain(cell)))]
    day_first, month_first = any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs)
    order: _Order = "" if day_first == month_first else "day" if day_first else "month"
    return [_moment(cell, order) for cell in cells]


def date_in(text: str) -> date | None:
    """The one date that a file's name or a title speaks of; None where there is none, or several."""
    found = set()
    for year, month, day in re.findall(r"(?<!\d)(20\d\d)[-_.年/ ]?(\d{1,2})[-_.月/ ]?(\d{1,2})(?:日|(?!\d))", text):
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return found.pop() if len(found) == 1 else None


def _plain(cell: Cell) -> str:
    return unicodedata.normalize("NFKC", text_of(cell)).strip().lower() if isinstance(cell, str) else "" if cell is None else "value"


def _number(cell: Cell) -> _Read:
    if cell is None:
        return None
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return _no_number(cell)
    if isinstance(cell, str):
        text = _plain(cell)
        if text in _EMPTY:
            return None
        factor = 1.0
        text = text.removeprefix("¥").removeprefix("rmb").removeprefix("cny").replace(",", "").replace(" ", "")
        for suffix in ("元", "次", "个", "人", "件", "条"):
            text = text.removesuffix(suffix)
        if text.endswith("%"):
            text, factor = text[:-1], 0.01
        elif text.endswith("万"):
            text, factor = text[:-1], 10_000.0
        if not text.isascii() or not _NUMBER.fullmatch(text):
            return _no_number(cell)
        value = float(text) * factor
    else:
        value = float(cell) if abs(cell) <= _LARGEST else math.inf
    if not math.isfinite(value) or abs(value) > _LARGEST:
        return T(f"{_shown(cell)} 大得不可能。请更正。", f"{_shown(cell)} is impossibly large. Correct it.")
    return value


def _duration(cell: Cell, kind: str) -> float | int | T | None:
    """An int is milliseconds, a float a bare number."""
    if isinstance(cell, timedelta):
        return round(cell.total_seconds() * 1000)
    if isinstance(cell, time):
        return round(((cell.hour * 60 + cell.minute) * 60 + cell.second) * 1000 + cell.microsecond / 1000)
    if isinstance(cell, datetime):  # a length of a day and more that is formatted as a time of day
        return round((cell.replace(tzinfo=None) - _SERIAL_ZERO).total_seconds() * 1000)
    if isinstance(cell, str):
        text = _plain(cell)
        clock = _CLOCK.fullmatch(text)
        if clock:
            whole, a, b, c, part = clock.groups()
            if c is None and kind != "h":
                a, b, c = "0", a, b
            seconds = int(whole or 0) * 86_400 + int(a) * 3600 + int(b) * 60 + int(c or 0) + float(part or 0)
            return round(min(seconds, _LARGEST) * 1000)
        spoken = _SPOKEN.fullmatch(text.replace(" ", ""))
        if spoken and any(spoken.groups()):
            parts = [float(part or 0) for part in spoken.groups()]
            return round(min(parts[0] * 24 * 3600 + parts[1] * 3600 + parts[2] * 60 + parts[3], _LARGEST) * 1000)
        if "%" in text:
            return _no_number(cell)
    return _number(cell)


def _moment(cell: Cell, order: _Order) -> datetime | T | None:
    found: datetime | None = None
    if isinstance(cell, datetime):
        found = cell.replace(tzinfo=None)
    elif isinstance(cell, date):
        found = datetime.combine(cell, time())
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        found = _of_serial(float(cell))
    elif isinstance(cell, str):
        text = _plain(cell)
        if text in _EMPTY:
            return None
        turned = _YEAR_LAST.fullmatch(text)
        if turned is not None:
            first, _, second, year, rest = turned.groups()
            if not order and first != second:
                return T(f"{_shown(cell)} 分不清日和月。请写成 {year}-{second:0>2}-{first:0>2} 这样的日期。",
                         f"{_shown(cell)} does not tell day from month. Write it such as {year}-{second:0>2}-{first:0>2}.")  # fmt: skip
            text = f"{year}-{first}-{second}{rest}" if order == "month" else f"{year}-{second}-{first}{rest}"
        found = _of_serial(float(text)) if re.fullmatch(r"\d{5}(\.\d+)?", text) else _of_text(text)
    elif cell is None:
        return None
    if found is None or not 2000 <= found.year <= 2099:
        shown = _shown(cell)
        return T(f"{shown} 不是 2000 到 2099 年的日期。请更正，例如 2026-08-25。",
                 f"{shown} is not a date of the years 2000 to 2099. Correct it, such as 2026-08-25.")  # fmt: skip
    return found


def _of_serial(number: float) -> datetime | None:
    if _FIRST_SERIAL <= number < _LAST_SERIAL + 1:
        return _SERIAL_ZERO + timedelta(seconds=round(number * 86_400))
    if 20_000_000 <= number < 21_000_000:
        return _of_text(str(int(number)))
    return None


def _of_text(text: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, *parts, rest = match.groups()
    month, day = (part for part in parts if part is not None)
    clock = _TIME.match(rest)
    rest = rest[clock.end() :] if clock else rest
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
    # A weekday may follow, another date may not: that would be a period.
    if re.search(r"\d", rest):
        return None
    try:
        return datetime(int(year), int(month), int(day), hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None


def _shown(cell: Cell) -> str:
    text = text_of(cell)
    return text if len(text) <= 40 else text[:40] + "…"


def _no_number(cell: Cell) -> T:
    return T(f"“{_shown(cell)}”不是数字。请更正，或把这一列设为不导入。",
             f"“{_shown(cell)}” is not a number. Correct it, or leave this column out.")  # fmt: skip
