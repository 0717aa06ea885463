"""What changed a moment ago, and how brightly it still shows it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from time import monotonic

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from ui.theme import FLASH_MS, reduced_motion

# The flash is soft, so the eye cannot tell more steps from these few, and each step repaints what flashes.
_TICK_MS = 100
_FULL_MS = 200


class Flashes:
    """Remembers for FLASH_MS which keys changed. `repaint(keys)` is called whenever their strength has moved on."""

    def __init__(self, owner: QWidget, repaint: Callable[[Collection[Hashable]], None]) -> None:
        self._repaint = repaint
        self._since: dict[Hashable, float] = {}
        self._timer = QTimer(owner)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    def touch(self, keys: Iterable[Hashable]) -> None:
        if reduced_motion():
            return
        now = monotonic()
        for key in keys:
            self._since[key] = now
        if self._since and not self._timer.isActive():
            self._timer.start()

    def strength(self, key: Hashable) -> float:
        """1 right after the change, 0 when it is over."""
        since = self._since.get(key)
        if since is None:
            return 0.0
        passed = (monotonic() - since) * 1000
        return max(0.0, min(1.0, 1 - (passed - _FULL_MS) / (FLASH_MS - _FULL_MS)))

    def __bool__(self) -> bool:
        return bool(self._since)

    def clear(self) -> None:
        self._since.clear()
        self._timer.stop()

    def _tick(self) -> None:
        keys = list(self._since)
        over = monotonic() - FLASH_MS / 1000
        self._since = {key: since for key, since in self._since.items() if since > over}
        if not self._since:
            self._timer.stop()
        self._repaint(keys)
