"""Presence: what new change points add to the counters of time."""

from __future__ import annotations

import random

import pytest

from app.domain.counters import Delta, add
from app.domain.localtime import DAY_MS, SLOTS_PER_DAY, LocalTime
from app.domain.presence import AVAILABLE, OFFLINE, SUSPENDED, Point, changes, contribution

SHANGHAI = LocalTime("Asia/Shanghai")
START = 1_735_660_800_000


def dense(delta: Delta) -> Delta:
    found = {key: {name: value for name, value in counts.items() if value} for key, counts in delta.items()}
    return {key: counts for key, counts in found.items() if counts}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Sao_Paulo"])
def test_changes_are_the_difference_of_what_two_runs_come_to(zone: str) -> None:
    rng, local = random.Random(7), LocalTime(zone)
    for _ in range(60):
        points: set[Point] = {(START + rng.randrange(40) * DAY_MS // 3, rng.randrange(4)) for _ in range(rng.randint(1, 9))}
        after = [(START - 1, OFFLINE), *sorted(points)]
        before = [point for point in after if point[0] < START or rng.random() < 0.6]
        wanted = contribution(1, after, local)
        add(wanted, contribution(1, before, local), -1)
        found: Delta = {}
        for some in changes(1, before, after, local):
            add(found, some)
        assert dense(found) == dense(wanted)


def test_years_without_a_word_come_some_days_at_a_time_and_only_what_changes() -> None:
    year = 365 * DAY_MS
    before = [(START, AVAILABLE), (START + 4 * year, OFFLINE)]
    late = START + 4 * year - 10 * DAY_MS
    whole = list(changes(1, [(START, OFFLINE)], [(START, OFFLINE), *before], SHANGHAI))
    part = list(changes(1, before, sorted([*before, (late, SUSPENDED)]), SHANGHAI))
    assert max(map(len, whole)) <= 7 * SLOTS_PER_DAY + 1
    assert sum(map(len, whole)) >= 4 * 365 * SLOTS_PER_DAY
    assert sum(map(len, part)) <= 10 * SLOTS_PER_DAY + 1
