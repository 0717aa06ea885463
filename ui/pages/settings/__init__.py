"""Pages of the settings documents: those of single values made from their declarations, and those of groups and agents."""

from ui.pages.settings.agents import AgentsPage
from ui.pages.settings.groups import GroupsPage
from ui.pages.settings.page import AssessmentPage, OrderWindowPage, StandardsPage
from ui.pages.settings.sync import AccountSyncPage

__all__ = ["AccountSyncPage", "AgentsPage", "AssessmentPage", "GroupsPage", "OrderWindowPage", "StandardsPage"]
