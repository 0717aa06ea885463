from __future__ import annotations

from hypothesis import settings

# The same examples in every run, however busy the machine; the campaigns are where chance has its place.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
