"""Where a figure or a row of a history page leads: another page, and what it is to show there."""

from __future__ import annotations

from typing import Any

from app.domain.language import T
from app.services.drill import behind
from app.services.report_kinds import REPORTS
from ui.pages.history.choices import Choices
from ui.pages.history.picture import MEAN_ID, TOTAL_ID, Picture
from ui.widgets.table_model import RowId

Place = tuple[str, dict[str, Any]]
"""A page's key and what its `open_at` gets."""


def behind_figure(what: Picture, row_id: RowId, metric: str) -> Place | T:
    """The listing of what was counted, or a report of another page; a sentence where nothing more can be shown."""
    return _place(behind(what.report, None if row_id in (TOTAL_ID, MEAN_ID) else str(row_id), metric))


def behind_cell(what: Picture, weekday: int, hour: int, metric: str) -> Place | T:
    """As behind_figure, of a cell of the heat map."""
    return _place(behind(what.report, None, metric, (hour * 12, hour * 12 + 12), (weekday,)))


def behind_row(what: Picture, row_id: RowId, choices: Choices) -> Place | T:
    """The agent of the row over its days, the agents of a day of the store, else what is behind the first figure."""
    report, place = what.report, what.report.rows[what.members[row_id]].place
    same = {
        "first": place.first or report.first, "last": place.last or report.last, "group": choices.group, "channel": choices.channel,
    }  # fmt: skip
    if place.agent is not None:
        return "agent", {"agent": place.agent, **same}
    if report.kind.rows == "period" and not report.kind.needs_agent and place.first is not None:
        return "compare", {"team": choices.team, **same}
    return behind_figure(what, row_id, report.keys[0])


def _place(found: dict[str, Any] | T) -> Place | T:
    if isinstance(found, T):
        return found
    kind = REPORTS.get(found["report"])
    return (kind.page if kind is not None else "lookup"), found
