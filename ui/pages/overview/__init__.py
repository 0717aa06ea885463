"""全局监控, the store at a glance."""

from ui.pages.overview.page import OverviewPage

__all__ = ["OverviewPage"]
