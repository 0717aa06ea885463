from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# The same examples in every run, however busy the machine; the campaigns are where chance has its place.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
