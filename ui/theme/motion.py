"""How long things move, and whether they move at all."""

from __future__ import annotations

import sys
from functools import lru_cache

from PySide6.QtCore import QSettings, QStandardPaths

TRANSITION_MS = 150
FLASH_MS = 600

_wanted: bool | None = None


def reduced_motion() -> bool:
    """True when nothing may slide, fade or flash: the person's setting, otherwise the system's."""
    return _system_reduces() if _wanted is None else _wanted


def set_reduced_motion(wanted: bool | None) -> None:
    """Overrule the system; None follows it again."""
    global _wanted
    _wanted = wanted


@lru_cache(maxsize=1)
def _system_reduces() -> bool:
    """Qt does not pass the system's wish on, so each desktop is asked where it keeps it. A desktop that cannot be asked wants motion."""
    if sys.platform == "win32":
        import ctypes

        enabled = ctypes.c_int(1)
        get_client_area_animation = 0x1042
        ctypes.windll.user32.SystemParametersInfoW(get_client_area_animation, 0, ctypes.byref(enabled), 0)
        return not enabled.value
    if sys.platform == "darwin":
        return QSettings("apple.com", "universalaccess").value("reduceMotion", 0) in (1, True, "1", "true")
    config = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    gtk = QSettings(f"{config}/gtk-3.0/settings.ini", QSettings.Format.IniFormat).value("Settings/gtk-enable-animations", "1")
    kde = QSettings(f"{config}/kdeglobals", QSettings.Format.IniFormat).value("KDE/AnimationDurationFactor", "1")
    return str(gtk).lower() in ("0", "false") or str(kde) in ("0", "0.0")
