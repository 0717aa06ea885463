"""Where the console keeps its own files on this machine."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "KEFU_HOME"
"""When set, everything is kept below this folder instead of the system's places."""


def config_dir() -> Path:
    return _place("config")


def data_dir() -> Path:
    return _place("data")


def log_dir() -> Path:
    return _place("log")


def _place(kind: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home) / kind
    import platformdirs

    found: Path = getattr(platformdirs, f"user_{kind}_path")("kefu-manager", appauthor=False)
    return found
