"""The type scale: system families, sizes in pixels, two weights, tabular figures."""

from __future__ import annotations

import sys
from functools import lru_cache

from PySide6.QtGui import QFont, QFontDatabase

CAPTION, BODY, EMPHASIS, SECTION, TITLE, VALUE, WALL = 12, 13, 14, 16, 20, 28, 56

_FAMILIES = {
    "win32": ("Segoe UI Variable Text", "Segoe UI", "Microsoft YaHei UI", "Microsoft YaHei"),
    "darwin": (".AppleSystemUIFont", "PingFang SC"),
}
_OTHER_FAMILIES = ("Inter", "Noto Sans", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "DejaVu Sans")


@lru_cache(maxsize=1)
def families() -> list[str]:
    """The families of look.md that this machine has, Latin before Chinese."""
    if sys.platform == "darwin":
        return list(_FAMILIES["darwin"])  # the system family is hidden from the database
    return [name for name in _FAMILIES.get(sys.platform, _OTHER_FAMILIES) if QFontDatabase.hasFamily(name)]


@lru_cache(maxsize=64)
def font(size: int = BODY, strong: bool = False) -> QFont:
    """The interface font at a size in pixels. The object is shared: copy before changing it."""
    found = QFont()
    if names := families():
        found.setFamilies(names)
    found.setPixelSize(size)
    found.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    found.setFeature(QFont.Tag("tnum"), 1)
    found.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    return found
