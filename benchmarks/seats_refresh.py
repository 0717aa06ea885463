"""What an update of the seats page costs the UI thread: 500 rows, 28 cells in view differ. The answer itself is made on another thread."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks.harness import Result
from benchmarks.processes import observed

_WHAT = "500 rows, 28 changed cells"


def run(quick: bool = False) -> list[Result]:
    arguments = ("-m", "benchmarks.seats_update", "10" if quick else "60")
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder, observed(*arguments, home=Path(folder)) as window:
        found = json.loads(window.wait_for("updates")[1])
    painted, fading = found["at_once"], found["after"]
    signalled, changed = found["signalled"], found["changed"]
    ours = f"{painted:.1f} ms (longest {found['worst']:.1f})"
    return [
        Result("seats_refresh", f"{_WHAT}: UI thread until painted", ours, "", painted, f"{painted:.1f} ms", 5, 1),
        Result("seats_refresh", f"{_WHAT}: … while they flash and fade", f"{fading:.1f} ms", "", fading, f"{fading:.1f} ms", None, None),
        Result("seats_refresh", f"{_WHAT}: cells signalled", f"{signalled}", f"{changed} changed", signalled / changed,
               f"{signalled / changed:.2f} ×", 1, 1),
    ]  # fmt: skip
