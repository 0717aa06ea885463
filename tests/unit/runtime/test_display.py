"""Without a display the console says so in one sentence, where Qt would abort."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize("given", [{}, {"DISPLAY": ":4711", "QT_QPA_PLATFORM": "xcb"}, {"QT_QPA_PLATFORM": "nonsense"}])
def test_no_display_is_one_sentence(given: dict[str, str], tmp_path: Path) -> None:
    """None at all, one that does not answer, a platform that Qt does not have."""
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=Path(__file__).parents[3],
        env={**environment, **given, "KEFU_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "--headless" in done.stderr
    assert len(done.stderr.splitlines()) == 1
