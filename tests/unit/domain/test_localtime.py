"""Days and slots, above all where clocks change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.localtime import DAY_MS, SLOT_MS, SLOTS_PER_DAY, LocalTime, day_date, day_number
from tests.oracle.recompute import day_and_slot
from tests.oracle.streams import PLACES, places

HOUR = 3_600_000
ZONES = sorted({zone for zone, _ in PLACES})


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_day_numbers() -> None:
    assert day_number(date(1970, 1, 1)) == 0
    assert day_number(date(2024, 2, 29)) == 19_782
    assert day_date(19_782) == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("zone", "moment", "day", "slot"),
    [
        ("Asia/Shanghai", "2024-02-29T00:00:00+08:00", "2024-02-29", 0),
        ("Asia/Shanghai", "2024-02-28T23:59:59.999+08:00", "2024-02-28", 287),
        ("Asia/Kolkata", "2024-01-01T00:00:00+05:30", "2024-01-01", 0),
        ("Asia/Kathmandu", "2024-01-01T00:04:59.999+05:45", "2024-01-01", 0),
        ("Europe/Berlin", "2024-03-31T01:59:59.999+01:00", "2024-03-31", 23),
        ("Europe/Berlin", "2024-03-31T03:00:00+02:00", "2024-03-31", 36),
        ("Europe/Berlin", "2024-10-27T02:30:00+02:00", "2024-10-27", 30),
        ("Europe/Berlin", "2024-10-27T02:30:00+01:00", "2024-10-27", 30),
        ("America/New_York", "2025-11-02T01:00:00-05:00", "2025-11-02", 12),
        ("Australia/Lord_Howe", "2024-10-06T02:30:00+11:00", "2024-10-06", 30),
        ("America/Santiago", "2024-09-08T01:00:00-03:00", "2024-09-08", 12),
        ("America/Havana", "2024-11-03T00:30:00-05:00", "2024-11-03", 6),
        ("Pacific/Apia", "2011-12-31T00:00:00+14:00", "2011-12-31", 0),
        ("UTC", "2000-01-01T00:00:00Z", "2000-01-01", 0),
    ],
)
def test_known_moments(zone: str, moment: str, day: str, slot: int) -> None:
    local = LocalTime(zone)
    assert local.day_slot(at(moment)) == (day_number(date.fromisoformat(day)), slot)
    assert local.day(at(moment)) == day_number(date.fromisoformat(day))


@given(st.sampled_from(places()), st.integers(0, 3 * DAY_MS))
def test_the_wall_clock_around_changes(place: tuple[str, int], later: int) -> None:
    zone, start = place
    day, slot = LocalTime(zone).day_slot(start + later)
    assert (day_date(day).isoformat(), slot) == day_and_slot(start + later, ZoneInfo(zone))


@given(st.sampled_from(ZONES), st.integers(at("2012-01-01T00:00Z"), at("2037-01-01T00:00Z")))
def test_the_wall_clock_at_any_time(zone: str, moment: int) -> None:
    local = LocalTime(zone)
    day, slot = local.day_slot(moment)
    assert (day_date(day).isoformat(), slot) == day_and_slot(moment, ZoneInfo(zone))
    assert local.local(moment).utcoffset() == timedelta(milliseconds=local.offset(moment))


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Asia/Shanghai", "2024-02-29", "2024-02-28T16:00Z", 24),
        ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00Z", 23),
        ("Europe/Berlin", "2024-10-27", "2024-10-26T22:00Z", 25),
        ("America/New_York", "2025-03-09", "2025-03-09T05:00Z", 23),
        ("America/New_York", "2025-11-02", "2025-11-02T04:00Z", 25),
        ("Australia/Lord_Howe", "2024-10-06", "2024-10-05T13:30Z", 23.5),
        ("America/Santiago", "2024-09-08", "2024-09-08T04:00Z", 23),  # begins at 01:00
        ("America/Havana", "2024-11-03", "2024-11-03T04:00Z", 25),  # its first hour comes twice
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z", 0),  # never was
    ],
)
def test_where_days_begin_and_how_long_they_are(zone: str, day: str, begins: str, hours: float) -> None:
    local, number = LocalTime(zone), day_number(date.fromisoformat(day))
    start, end = local.start_of_day(number), local.start_of_day(number + 1)
    assert start == at(begins)
    assert end - start == hours * HOUR
    assert local.day(start - 1) < number <= local.day(start)


@given(st.sampled_from(places()), st.integers(0, 2 * DAY_MS), st.integers(0, 2 * DAY_MS))
def test_split_loses_nothing_and_stays_within_slots(place: tuple[str, int], later: int, length: int) -> None:
    zone, start = place[0], place[1] + later
    local = LocalTime(zone)
    moment = start
    for day, slot, ms in local.split(start, start + length):
        assert 0 < ms <= SLOT_MS
        assert 0 <= slot < SLOTS_PER_DAY
        assert local.day_slot(moment) == local.day_slot(moment + ms - 1) == (day, slot)
        moment += ms
    assert moment == start + length


def test_split_at_slot_borders() -> None:
    noon = at("2024-02-29T12:00+08:00")
    day = day_number(date(2024, 2, 29))
    local = LocalTime("Asia/Shanghai")
    assert list(local.split(noon - 1, noon + SLOT_MS + 1)) == [(day, 143, 1), (day, 144, SLOT_MS), (day, 145, 1)]
    assert list(local.split(noon, noon)) == []
    assert list(local.split(noon, noon - 1)) == []


def test_a_repeated_hour_fills_its_slots_twice_and_a_skipped_one_never() -> None:
    local = LocalTime("Europe/Berlin")
    for day, hours, expected in ((date(2024, 10, 27), 25, 2), (date(2024, 3, 31), 23, 0)):
        start = local.start_of_day(day_number(day))
        pieces = list(local.split(start, start + hours * HOUR))
        assert {number for number, _, _ in pieces} == {day_number(day)}
        times = [sum(slot == wanted for _, slot, _ in pieces) for wanted in range(SLOTS_PER_DAY)]
        assert times[24:36] == [expected] * 12
        assert set(times[:24] + times[36:]) == {1}


def test_the_cache_does_not_outlive_its_quarter() -> None:
    local = LocalTime("Europe/Berlin")
    change = at("2024-03-31T01:00Z")
    assert [local.offset(moment) // HOUR for moment in (change - 1, change, change - 1, change + 1)] == [1, 2, 1, 2]


@pytest.mark.parametrize("zone", ["", "Mars/Base", "Asia", "Asia/", "../../etc/passwd", "/etc/passwd", "a\0b", "UTC+8", "客服", "x" * 5000])
def test_a_zone_that_does_not_exist_is_one_clear_error(zone: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        LocalTime(zone)


def test_local_shows_the_wall_clock() -> None:
    assert LocalTime("Asia/Kolkata").local(at("2024-01-01T00:00Z")).isoformat() == "2024-01-01T05:30:00+05:30"
