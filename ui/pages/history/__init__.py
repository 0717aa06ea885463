"""The history pages, each what the report engine declares for it."""

from __future__ import annotations

from ui.pages.history.page import HistoryPage


class StorePage(HistoryPage):
    """服务商经营数据"""

    key = "store"


class ComparePage(HistoryPage):
    """客服数据对比"""

    key = "compare"


class AgentPage(HistoryPage):
    """客服个人工作数据"""

    key = "agent"


__all__ = ["AgentPage", "ComparePage", "StorePage"]
