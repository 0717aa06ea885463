"""Distances in device-independent pixels; the number in a name is the multiple of 4."""

from __future__ import annotations

SPACE_1, SPACE_2, SPACE_3, SPACE_4, SPACE_6 = 4, 8, 12, 16, 24
CARD_RADIUS = 8
CONTROL_RADIUS = 6
CONTROL_HEIGHT = 32
ROW_HEIGHT = 36
