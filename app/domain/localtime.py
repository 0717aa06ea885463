"""Days and five-minute slots in a store's own time zone.

A day is the number of days since 1970-01-01; a slot is 0..287, the five-minute step of the local wall clock. Where clocks go
back, both passes of the repeated hour share their slots; where they go forward, the skipped slots stay empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SLOT_MS = 300_000
SLOTS_PER_DAY = 288
SLOTS_PER_HOUR = 12
SLOTS_PER_HALF = 6
DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
# Zones change their offset at full minutes (some did at one minute past midnight), so one look-up per minute is exact.
_MINUTE_MS = 60_000


def day_number(day: date) -> int:
    return day.toordinal() - _EPOCH


def day_date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)


class LocalTime:
    """Maps epoch milliseconds to (day, slot) of one zone, quickly.

    Raises ValueError for a zone that does not exist.
    """

    def __init__(self, zone: str) -> None:
        try:
            self.zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {zone!r}; use a name such as Asia/Shanghai") from None
        self.name = zone
        self._offsets: dict[int, int] = {}

    def offset(self, at: int) -> int:
        """Milliseconds that local time is ahead of UTC at this moment."""
        minute = at // _MINUTE_MS
        found = self._offsets.get(minute)
        if found is None:
            delta = datetime.fromtimestamp(minute * 60, UTC).astimezone(self.zone).utcoffset() or timedelta()
            found = self._offsets[minute] = round(delta.total_seconds() * 1000)
            if len(self._offsets) > 200_000:
                self._offsets.clear()
        return found

    def day_slot(self, at: int) -> tuple[int, int]:
        day, rest = divmod(at + self.offset(at), DAY_MS)
        return day, rest // SLOT_MS

    def day(self, at: int) -> int:
        return (at + self.offset(at)) // DAY_MS

    def start_of_day(self, day: int) -> int:
        """Epoch milliseconds at which the local day begins (the first instant that belongs to it)."""
        local = datetime.combine(day_date(day), datetime.min.time(), self.zone)
        at = round(local.timestamp() * 1000)
        while self.day(at) < day:  # midnight itself does not exist where clocks go forward at midnight
            at += _MINUTE_MS
        return at

    def moment(self, day: int, minutes: int) -> int:
        """Epoch milliseconds at which clocks show this time of a local day, 0..1439; the first where they do twice.

        Where they skip it: as long after the change as it lies behind the hour that is skipped.
        """
        return round(datetime.combine(day_date(day), time(*divmod(minutes, 60)), self.zone).timestamp() * 1000)

    def local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / 1000, self.zone)

    def split(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Cut [start, end) at slot borders: yields (day, slot, milliseconds), several times for a repeated slot."""
        while start < end:
            stop = min(end, start - start % SLOT_MS + SLOT_MS)
            if self.offset(stop - 1) != self.offset(start):  # clocks change inside this slot
                stop = min(stop, start - start % _MINUTE_MS + _MINUTE_MS)
            day, slot = self.day_slot(start)
            yield day, slot, stop - start
            start = stop
