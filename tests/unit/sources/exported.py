"""What tests of exported files share: a plain table, and what is asked of an export that was read."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.sources.jd_export import Export, counts

HOUR = 3_600_000
DAY = date(2026, 8, 25)
PLAIN = [["客服", "咨询量", "接待量"], ["小雨", 10, 9], ["小雪", 20, 20]]


def values(export: Export, key: str) -> list[Any]:
    return [record.values.get(key) for record in export.records]


def fatal(export: Export) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in export.problems if problem.fatal]


def turned(**said: Any) -> tuple[dict[str, int], list[tuple[str, bool]]]:
    """The counts of what one agent's day says, and (key, fatal) of every problem told."""
    told: list[tuple[str, bool]] = []
    return counts(said, "7d", lambda key, _, fatal: told.append((key, fatal))), told
