"""New, empty databases to measure on, of both kinds."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def fresh(kind: str, folder: Path) -> str:
    """URL of a new database of a kind of TITLES; a server is started for this process if there is none."""
    url: str = import_module("tests.databases").fresh(kind, folder)
    return url
