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
        found = json.loads(setting) if setting else {"wall": 0, "store": 0, "speed": 1}
        self._wall, self._store, self.speed = found["wall"], found["store"], found["speed"]

    def __call__(self) -> int:
        return int(self._store + (wall_clock() - self._wall) * self.speed)

    @staticmethod
    def running(speed: float, store: int) -> str | None:
        """The setting of a clock that stands at `store` now and runs `speed` times as fast; None where that is the wall clock."""
        wall = wall_clock()
        if speed == 1 and abs(wall - store) < 1000:
            return None
        return json.dumps({"wall": wall, "store": store, "speed": speed})
