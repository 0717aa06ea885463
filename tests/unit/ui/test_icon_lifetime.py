"""Icons in reference cycles: a process that the collector brings down takes the whole console with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import gc, os
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication
from ui.theme import icon
app = QApplication([])
kept = icon("seats", "text")
gc.disable()

class Holder:
    pass

for _ in range(300):
    held = icon("seats")  # older than its holder, so that the collector meets it first
    holder = Holder()
    holder.itself, holder.icon = holder, held
    del holder, held
gc.collect()
picture = kept.pixmap(QSize(20, 20)).toImage()
assert any(picture.pixelColor(x, y).alpha() for x in range(20) for y in range(20))
print("alive")
"""


def test_the_cycle_collector_takes_icons_in_good_order() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "alive", done.stderr
    assert done.returncode == 0
