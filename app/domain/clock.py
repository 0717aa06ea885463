"""A store's present moment."""

from __future__ import annotations

import json
import time


def wall_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class StoreClock:
    """The wall clock; for a simulated store, one that stood at `store` when the wall said `wall` and runs `speed` times as fast.

    setting: the stored JSON {"wall": ms, "store": ms, "speed": x}, or None for the wall clock.
    """

    def __init__(self, setting: str | None) -> None:
        self.follow(setting)

    def follow(self, setting: str | None) -> None:
        """Goes by another setting from now on; safe while other threads ask for the time."""
        found = json.loads(setting) if setting else {"wall": 0, "store": 0, "speed": 1}
        self._set: tuple[int, int, float] = found["wall"], found["store"], found["speed"]

    @property
    def speed(self) -> float:
        return self._set[2]

    def __call__(self) -> int:
        wall, store, speed = self._set
        return int(store + (wall_clock() - wall) * speed)

    @staticmethod
    def running(speed: float, store: int) -> str | None:
        """The setting of a clock that stands at `store` now and runs `speed` times as fast; None where that is the wall clock."""
        wall = wall_clock()
        if speed == 1 and abs(wall - store) < 1000:
            return None
        return json.dumps({"wall": wall, "store": store, "speed": speed})
