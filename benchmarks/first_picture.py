"""`python -m benchmarks.first_picture URL DAYS`: the console as `main.py demo` starts it, for a demo store with so many days of history.

It says `live` once it has painted today's consultations.
"""

from __future__ import annotations

import sys
from typing import Any

from PySide6.QtGui import QPaintEvent

from ui.application import Options, run
from ui.widgets.tile import MetricTile

_WATCHED = "consults"


def watch() -> None:
    watched: Any = MetricTile
    original = watched.paintEvent
    said = False

    def paint(tile: MetricTile, event: QPaintEvent) -> None:
        nonlocal said
        original(tile, event)
        if not said and tile.key == _WATCHED and tile.data().value not in ("--", "0"):
            said = True
            print("live", flush=True)

    watched.paintEvent = paint


def main() -> None:
    url, days = sys.argv[1:]
    watch()
    serve = ("--simulate", "--days", days, "--agents", "24", "--seed", "7")
    sys.exit(run(Options(url=url, store="demo", serve=serve, page="overview")))


if __name__ == "__main__":
    main()
