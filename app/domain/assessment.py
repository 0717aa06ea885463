"""Which sessions count in the assessed population (考核): by the local time they started and by what they are flagged as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.domain.conversation import FLAGS
from app.domain.localtime import SLOTS_PER_DAY, SLOTS_PER_HOUR


@dataclass(frozen=True)
class AssessedRule:
    """slots: (first, past) in five-minute slots of the store's day, first inclusive, past exclusive; past midnight when first > past,
    the whole day when they are equal. flags: those that are kept, as in conversation.FLAGS.
    """

    slots: tuple[int, int]
    flags: tuple[int, ...]

    def keeps(self, slot: int, flag: int) -> bool:
        return flag in self.flags and self.within(slot)

    def within(self, slot: int) -> bool:
        """Whether the hours include a slot of a day."""
        first, past = self.slots
        if first < past:
            return first <= slot < past
        return slot >= first or slot < past

    @cached_property
    def hours(self) -> tuple[frozenset[int], frozenset[int]]:
        """The hours of the day, 0 to 23, that are kept as a whole, and those of which some slots are kept."""
        kept = [sum(self.within(hour * SLOTS_PER_HOUR + step) for step in range(SLOTS_PER_HOUR)) for hour in range(24)]
        return (
            frozenset(hour for hour, slots in enumerate(kept) if slots == SLOTS_PER_HOUR),
            frozenset(hour for hour, slots in enumerate(kept) if 0 < slots < SLOTS_PER_HOUR),
        )

    def to_json(self) -> str:
        return json.dumps({"slots": self.slots, "flags": self.flags})

    @classmethod
    def from_json(cls, text: str | None) -> AssessedRule:
        """The rule of a store as it is stored there; None is the default."""
        if text is None:
            return DEFAULT
        held = json.loads(text)
        first, past = held["slots"]
        return cls((first, past), tuple(held["flags"]))


DEFAULT = AssessedRule((108, 276), (0,))
"""09:00 to 23:00, neither spam nor bot-only."""


def of(body: Mapping[str, Any]) -> AssessedRule:
    """The rule of a settings document: {"from": "09:00", "to": "23:00", "leave_out": ["spam", "bot_only"]}; "to" may be "24:00"."""
    kept = tuple(number for number, name in enumerate(FLAGS) if name not in body["leave_out"])
    return AssessedRule((_slot(body["from"]) % SLOTS_PER_DAY, _slot(body["to"])), kept)


def _slot(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return (int(hours) * 60 + int(minutes)) // 5
