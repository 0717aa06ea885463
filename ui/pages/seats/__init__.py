"""坐席监控: every agent of the store at this moment."""

from ui.pages.seats.page import SeatsPage

__all__ = ["SeatsPage"]
