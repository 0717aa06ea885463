"""Colour roles, type scale, spacing, icons, chart pens: the one place where the look is decided.

Painting code asks `color(role)` and `font(size)` when it paints and keeps neither, so a change of theme needs a repaint only.
"""

from ui.theme.fonts import BODY, CAPTION, EMPHASIS, SECTION, TITLE, VALUE, WALL, font
from ui.theme.icons import icon
from ui.theme.motion import FLASH_MS, TRANSITION_MS, reduced_motion, set_reduced_motion
from ui.theme.roles import Role, Roles, Theme, ThemeName, color, contrast, ink_on, level_color, mix, theme
from ui.theme.spacing import CARD_RADIUS, CONTROL_HEIGHT, CONTROL_RADIUS, ROW_HEIGHT, SPACE_1, SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.theme.style import apply

__all__ = [
    "BODY", "CAPTION", "CARD_RADIUS", "CONTROL_HEIGHT", "CONTROL_RADIUS", "EMPHASIS", "FLASH_MS", "ROW_HEIGHT", "SECTION", "SPACE_1",
    "SPACE_2", "SPACE_3", "SPACE_4", "SPACE_6", "TITLE", "TRANSITION_MS", "VALUE", "WALL", "Role", "Roles", "Theme", "ThemeName", "apply",
    "color", "contrast", "font", "icon", "ink_on", "level_color", "mix", "reduced_motion", "set_reduced_motion", "theme",
]  # fmt: skip
