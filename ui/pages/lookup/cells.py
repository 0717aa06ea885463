"""Rows of a listing as cells of a table, by the kinds of their declared columns. Made off the UI thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.domain.language import tr
from app.domain.localtime import LocalTime
from app.domain.metrics import METRICS
from ui.theme.roles import Level
from ui.widgets.table import Cell, Cells, Column, RowId
from ui.widgets.table_model import Kind

if TYPE_CHECKING:
    from app.services.listings import ListingColumn, Total

_WIDTHS = {
    "first_at": 120, "sessions": 112, "kind": 148,
    "opened_at": 120, "placed_at": 120, "closed_at": 120, "customer_name": 96, "customer": 104, "agent_name": 92, "order": 132,
    "sku_name": 168, "rule": 176, "sku": 112, "reason": 112, "order_state": 124, "channel": 112, "page": 84, "session": 124,
    "rating": 112, "resolved": 84, "state": 80, "source": 64, "amount": 96, "lag_hours": 96, "first_reply": 104, "avg_reply": 104,
}  # fmt: skip
LINKS: dict[str, frozenset[str]] = {
    "orders": frozenset({"order", "agent_name"}),
    "skus": frozenset({"consults", "orders"}),
    "sessions": frozenset({"agent_name"}),
    "visitors": frozenset({"sessions"}),
}
"""Cells that lead somewhere else than their row."""
_STICKY = {"orders": "placed_at", "skus": "sku_name", "sessions": "opened_at", "visitors": "first_at"}
_ID = {"orders": ("order", "line", "source"), "skus": ("sku",), "sessions": ("session",), "visitors": ("first_at", "customer", "kind")}


def columns(report: str, declared: tuple[ListingColumn, ...]) -> tuple[Column, ...]:
    sticky = _STICKY[report]
    ordered = sorted(declared, key=lambda column: column.key != sticky)  # what stays at the left comes first
    return tuple(
        Column(
            c.key, c.label, _kind(c), _WIDTHS.get(c.key, 0), c.tooltip, c.optional, c.key == sticky, c.sort, c.key in LINKS[report]
        )
        for c in ordered
    )  # fmt: skip


def row_id(report: str, row: Mapping[str, Any]) -> RowId:
    return "/".join(str(row[key]) for key in _ID[report])


def cells(declared: tuple[ListingColumn, ...], row: Mapping[str, Any], local: LocalTime) -> Cells:
    return {column.key: _cell(column, row[column.key], local) for column in declared}


def _cell(column: ListingColumn, value: Any, local: LocalTime) -> Cell:
    from app.services.listings import tell

    if value is None:
        return Cell("--" if column.kind not in ("text", "word", "flag") else "")
    if column.kind == "time":
        return Cell(f"{local.local(value):%m-%d %H:%M:%S}", value)
    if column.kind == "seconds":
        metric = METRICS[column.key]
        return Cell(metric.text(value), value, metric.level(value))
    if column.kind == "hours":
        return Cell(f"{value:,.2f}", value)
    if column.kind == "yuan":
        return Cell(f"{value:,.2f}", value)
    if column.kind == "share":
        return Cell(f"{value * 100:.1f}%", value)
    if column.kind == "number":
        return Cell(f"{value:,}", value)
    text = tell(column, value) or ""
    return Cell(text, value, _level(column.key, value))


def _level(key: str, value: Any) -> Level:
    if (key == "rating" and value <= 2) or (key == "resolved" and value is False) or (key == "state" and value == "cancelled"):
        return "warn"
    return ""


def _kind(column: ListingColumn) -> Kind:
    return "text" if column.kind in ("text", "word", "flag", "time") else "number"


def count_text(total: Total) -> str:
    if total.whole:
        return tr(f"共 {total.rows:,} 条", f"{total.rows:,} in all")
    return tr(f"{total.rows:,} 条以上", f"{total.rows:,} or more")
