"""Colour roles in light and dark, and which of the two is current."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PySide6.QtGui import QColor

ThemeName = Literal["light", "dark"]
Role = Literal[
    "window", "surface", "raised", "border", "text", "quiet", "accent", "good", "warn", "alarm", "info",
    "on_accent", "selection", "hover", "track", "series_2", "series_3", "series_4", "series_5",
]  # fmt: skip
Level = Literal["", "good", "warn", "alarm", "info", "quiet"]


@dataclass(frozen=True, slots=True)
class Roles:
    """One colour per role, as #RRGGBB. Selection, hover and track lie opaque on `surface`, so text on them needs no blending."""

    window: str
    surface: str
    raised: str
    border: str
    text: str
    quiet: str
    accent: str
    good: str
    warn: str
    alarm: str
    info: str
    on_accent: str
    selection: str
    hover: str
    track: str
    series_2: str = "#5B7BD5"
    series_3: str = "#D08A2E"
    series_4: str = "#7A6FC9"
    series_5: str = "#4E9A66"


@dataclass(frozen=True, slots=True)
class Theme:
    name: ThemeName
    roles: Roles


READABLE = 4.5
"""The contrast that text needs (WCAG 2, AA)."""


def mix(over: str, under: str, share: float) -> str:
    """`over` at opacity `share` (0 to 1) on `under`, as #RRGGBB."""
    pairs = zip(_channels(over), _channels(under), strict=True)
    return "#" + "".join(f"{round(o * share + u * (1 - share)):02X}" for o, u in pairs)


def contrast(a: str, b: str) -> float:
    """The WCAG contrast ratio of two colours, 1 to 21."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink_on(fill: str) -> str:
    """The colour of text on a fill of any shade: one of the theme's, or black or white where those would be hard to read."""
    roles = theme().roles
    best = max((roles.text, roles.surface, roles.on_accent), key=lambda ink: contrast(ink, fill))
    return best if contrast(best, fill) >= READABLE else max(("#000000", "#FFFFFF"), key=lambda ink: contrast(ink, fill))


def _channels(hex_color: str) -> tuple[int, int, int]:
    return int(hex_color[1:3], 16), int(hex_color[3:5], 16), int(hex_color[5:7], 16)


def _luminance(hex_color: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (n / 255 for n in _channels(hex_color))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


LIGHT = Theme(
    "light",
    Roles(
        window="#F5F6F8", surface="#FFFFFF", raised="#FFFFFF", border="#E3E6EA", text="#1B2028", quiet="#606A7E", accent="#0A757D",
        good="#18794E", warn="#9C5900", alarm="#C2363B", info="#2459C7", on_accent="#FFFFFF",
        selection=mix("#0A757D", "#FFFFFF", 0.12), hover=mix("#1B2028", "#FFFFFF", 0.035), track=mix("#1B2028", "#FFFFFF", 0.09),
    ),
)  # fmt: skip
DARK = Theme(
    "dark",
    Roles(
        window="#14171C", surface="#1C2027", raised="#242A33", border="#2F3641", text="#E7E9EC", quiet="#98A2B0", accent="#3DB8B4",
        good="#4CC38A", warn="#F1B33C", alarm="#FF6F6F", info="#7BA7FF", on_accent="#10231F",
        selection=mix("#3DB8B4", "#1C2027", 0.12), hover=mix("#E7E9EC", "#1C2027", 0.05), track=mix("#E7E9EC", "#1C2027", 0.12),
    ),
)  # fmt: skip
THEMES: dict[ThemeName, Theme] = {"light": LIGHT, "dark": DARK}

_current = LIGHT


def theme() -> Theme:
    """The theme in force; `apply` decides it."""
    return _current


def use(name: ThemeName) -> Theme:
    """Make a theme current without restyling anything; `apply` calls it."""
    global _current
    _current = THEMES[name]
    return _current


def color(role: Role, opacity: float = 1.0) -> QColor:
    """The colour of a role in the current theme. The object is shared: never change it."""
    return _color(_current.name, role, opacity)


def level_color(level: str, otherwise: Role = "text") -> QColor:
    """The colour of a level ("good", "warn", "alarm", "info", "quiet"); `otherwise` for "" and anything unknown."""
    return color(level if level in ("good", "warn", "alarm", "info", "quiet", "accent") else otherwise)  # type: ignore[arg-type]


@lru_cache(maxsize=512)
def _color(name: ThemeName, role: Role, opacity: float) -> QColor:
    found = QColor(getattr(THEMES[name].roles, role))
    found.setAlphaF(opacity)
    return found
