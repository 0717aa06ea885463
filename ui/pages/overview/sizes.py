"""How large the tiles are drawn, from the room there is."""

from __future__ import annotations

from typing import NamedTuple

from ui.theme import SPACE_4
from ui.widgets.tile import height_of
from ui.widgets.tile_grid import columns_for

CHART_WANTS = 320
"""Below this height the tiles give way to the chart and the list."""
_READABLE = 150
"""Width at scale 1 below which a tile has no room for a long amount."""
_LARGEST, _STEP = 6.0, 0.05
_LIST_SHARE = 0.75
"""On a wall the list of needs is enlarged by this part of the tiles' scale."""


class Size(NamedTuple):
    """`scale` and `dense` of the tiles, `list_scale` of the needs."""

    scale: float
    dense: bool
    list_scale: float


def desk_size(width: int, height: int, tiles: int) -> Size:
    """For a window: `width` and `height` of what the tiles and the row beneath them share."""
    dense = height - _grid_height(width, tiles, 1.0, False) - SPACE_4 < CHART_WANTS
    return Size(1.0, dense, 1.0)


def wall_size(width: int, height: int, tiles: int, list_width: int) -> Size:
    """For a wall: as large as fits beside a list that is `list_width` wide at scale 1."""
    scale = _LARGEST
    while scale > 1.0:
        list_scale = max(1.0, scale * _LIST_SHARE)
        room = round(width - list_width * list_scale - SPACE_4)
        columns = min(columns_for(round(room / scale)), max(1, tiles))
        if (room + SPACE_4) / columns - SPACE_4 >= _READABLE * scale:
            for dense in (False, True):
                if _grid_height(room, tiles, scale, dense) <= height:
                    return Size(scale, dense, list_scale)
        scale = round(scale - _STEP, 2)
    return Size(1.0, True, 1.0)


def _grid_height(width: int, tiles: int, scale: float, dense: bool) -> int:
    columns = min(columns_for(round(width / scale)), max(1, tiles))
    rows = -(-tiles // columns)
    return rows * (height_of(scale, dense) + SPACE_4) - SPACE_4
