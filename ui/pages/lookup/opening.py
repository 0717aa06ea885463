"""Where a row or a cell of a listing leads on this page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.localtime import LocalTime
from ui.pages.lookup.choices import Choices, View
from ui.widgets.period import Period


def behind_row(choices: Choices, record: Mapping[str, Any], local: LocalTime) -> Choices:
    """A visitor's sessions of the day, the check of an order, the orders of an item. Sessions have no further listing."""
    if choices.view == "visitors":
        day = local.local(record["first_at"]).date()
        return Choices("sessions", Period("custom", day, day), customer=record["customer"], days=True)
    if choices.view == "orders":
        return replace(Choices("account", choices.period), order=record["order"])
    return replace(choices, view="orders", sku=record["sku"], text="")


def behind_cell(choices: Choices, record: Mapping[str, Any], key: str, local: LocalTime) -> Choices | None:
    """As `behind_row`, of a cell that leads somewhere else than its row; None where it leads nowhere on this page."""
    if key == "order" or choices.view == "visitors":
        return behind_row(choices, record, local)
    if key in ("consults", "orders") and choices.view == "skus":
        to: View = "sessions" if key == "consults" else "orders"
        return replace(choices, view=to, sku=record["sku"], text="", only="consulted" if key == "consults" else "")
    return None
