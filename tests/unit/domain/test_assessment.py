"""The assessed population: which slots and flags a settings document keeps."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.assessment import DEFAULT, AssessedRule, of
from app.domain.counters import IMPORTED

BODY: dict[str, Any] = {"from": "09:00", "to": "23:00", "leave_out": ["spam", "bot_only"]}


def kept(rule: AssessedRule, flag: int = 0) -> list[int]:
    return [slot for slot in range(288) if rule.keeps(slot, flag)]


def test_the_default_is_what_the_document_says_by_default() -> None:
    assert of(BODY) == DEFAULT
    assert kept(DEFAULT) == list(range(9 * 12, 23 * 12))
    assert not any(kept(DEFAULT, flag) for flag in (1, 2, IMPORTED))


@pytest.mark.parametrize(
    ("begin", "end", "slots"),
    [
        ("00:00", "24:00", [*range(288)]),
        ("09:30", "09:30", [*range(288)]),
        ("24:00", "00:00", [*range(288)]),
        ("22:00", "01:05", [*range(13), *range(264, 288)]),
        ("23:55", "00:00", [287]),
        ("00:00", "00:05", [0]),
    ],
)
def test_hours_may_end_at_midnight_and_go_past_it(begin: str, end: str, slots: list[int]) -> None:
    assert kept(of({**BODY, "from": begin, "to": end})) == slots


def test_only_what_is_named_is_left_out_and_imported_days_always() -> None:
    rule = of({**BODY, "leave_out": ["spam"]})
    assert [bool(kept(rule, flag)) for flag in (0, 1, 2, IMPORTED)] == [True, False, True, False]


def test_what_is_stored_is_what_was_meant() -> None:
    for rule in (DEFAULT, of({"from": "22:00", "to": "24:00", "leave_out": []})):
        assert AssessedRule.from_json(rule.to_json()) == rule
    assert AssessedRule.from_json(None) == DEFAULT


@pytest.mark.parametrize(
    ("begin", "end", "whole", "cut"),
    [
        ("09:00", "23:00", [*range(9, 23)], []),
        ("00:00", "24:00", [*range(24)], []),
        ("09:30", "21:05", [*range(10, 21)], [9, 21]),
        ("22:10", "01:00", [0, 23], [22]),
        ("10:15", "10:20", [], [10]),
        ("10:50", "10:35", [hour for hour in range(24) if hour != 10], [10]),
    ],
)
def test_hours_kept_as_a_whole_and_those_that_are_cut(begin: str, end: str, whole: list[int], cut: list[int]) -> None:
    assert tuple(map(sorted, of({**BODY, "from": begin, "to": end}).hours)) == (whole, cut)
