"""Where a figure or a row of a history page leads: another page, and what it is to show there."""

from __future__ import annotations

from typing import Any

from app.services.report_kinds import REPORTS
from ui.pages.history.choices import Choices
from ui.pages.history.picture import MEAN_ID, TOTAL_ID, Picture
from ui.widgets.table_model import RowId

Place = tuple[str, dict[str, Any]]
"""A page's key and what its `open_at` gets."""


def behind_figure(what: Picture, row_id: RowId, metric: str) -> Place | None:
    """The listing of what was counted, or a report of another page; None where nothing more can be shown."""
    filters = what.report.drill(None if row_id in (TOTAL_ID, MEAN_ID) else str(row_id), metric)
    if filters is None:
        return None
    kind = REPORTS.get(filters["report"])
    return (kind.page if kind is not None else "lookup"), filters


def behind_row(what: Picture, row_id: RowId, choices: Choices) -> Place | None:
    """The agent of the row over its days, the agents of a day of the store, else what is behind the first figure."""
    report, place = what.report, what.rows[row_id].place
    same = {
        "first": place.first or report.first, "last": place.last or report.last, "group": choices.group, "channel": choices.channel,
    }  # fmt: skip
    if place.agent is not None:
        return "agent", {"agent": place.agent, **same}
    if report.kind.rows == "period" and not report.kind.needs_agent and place.first is not None:
        return "compare", {"team": choices.team, **same}
    return behind_figure(what, row_id, report.keys[0])
