"""A page per settings document, all made from the documents' declarations."""

from ui.pages.settings.page import AssessmentPage, OrderWindowPage, StandardsPage

__all__ = ["AssessmentPage", "OrderWindowPage", "StandardsPage"]
