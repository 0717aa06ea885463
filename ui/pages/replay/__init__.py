"""试算: recorded days under edited settings, beside the current ones, before anything is saved."""

from ui.pages.replay.page import ReplayPage as ReplayPage
