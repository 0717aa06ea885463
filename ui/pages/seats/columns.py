"""The columns of the seats table, as wide as their titles and usual figures need."""

from __future__ import annotations

from math import ceil

from app.domain.language import T
from app.domain.metrics import METRICS, SEAT_OPTIONAL, Metric, Unit, label_on
from ui.pages.seats.lines import METRIC_KEYS, state_age
from ui.theme import BODY, CAPTION
from ui.widgets.metric_text import metric_definition, unit_of
from ui.widgets.paint import width_of
from ui.widgets.table_cells import BAR_WIDTH, MARK_WIDTH, PADDING
from ui.widgets.table_model import Column, Kind
from ui.widgets.timeline import STATES

_USUAL: dict[Unit, str] = {"n": "9,999", "%": "100.0%", "s": "999.9", "min": "99.9", "h": "99.99", "yuan": "999,999.99"}
_MARKED: dict[Unit, str] = {"%": "99.9%"}
"""The widest usual figure that crosses a threshold, where that is not the widest there is."""
_DOT, _GAP = 14, 6
_ONE_LINE = 40
"""Titles up to this width are not broken."""
_AGENT, _TEAM = 96, 96


def columns() -> list[Column]:
    """客服, 接待状态, the declared metrics; the optional ones hidden until chosen."""
    found = [
        Column("agent", T("客服", "Agent"), "text", _AGENT, T("姓名与编号", "Name and code"), sticky=True),
        Column("state", T("接待状态", "State"), "state", _state_width(),
               T("当前状态，以及已持续的时间", "The state now and how long it has lasted")),
    ]  # fmt: skip
    for key in METRIC_KEYS:
        metric = METRICS[key]
        kind: Kind = "bar" if key == "saturation" else "duration" if key == "longest_wait" else "number"
        found.append(
            Column(key, _title(metric), kind, _width(metric, kind), metric_definition(metric), optional=key in SEAT_OPTIONAL)
        )  # fmt: skip
    found.append(Column("team", T("行政组", "Team"), "text", _TEAM, T("客服所属的行政组", "The team an agent belongs to"), optional=True))
    return found


def _title(metric: Metric) -> str:
    """The unit stands in the title, once, instead of in every cell."""
    unit = unit_of(metric)
    label = label_on("seats", metric.key)
    return f"{label} ({unit})" if unit else str(label)


def _width(metric: Metric, kind: Kind) -> int:
    figure = width_of(_USUAL[metric.unit], BODY, strong=metric.unit != "%")
    if kind == "bar":
        figure += BAR_WIDTH + MARK_WIDTH
    elif metric.warn is not None:
        figure = max(figure, width_of(_MARKED.get(metric.unit, _USUAL[metric.unit]), BODY, True) + MARK_WIDTH)
    return ceil(max(figure, _two_lines(_title(metric)))) + 2 * PADDING


def _state_width() -> int:
    words = max(width_of(str(word), BODY) for word, _, _ in STATES.values())
    ages = max(width_of(state_age(ms), CAPTION) for ms in (3_599_000, 35_940_000))
    return ceil(_DOT + words + _GAP + ages) + 2 * PADDING


def _two_lines(title: str) -> float:
    """The least width in which a title fits on two lines, broken where the header breaks it."""
    if width_of(title, CAPTION) <= _ONE_LINE:
        return width_of(title, CAPTION)
    breaks = [at for at in range(1, len(title)) if title[at - 1] == " " or not (title[at - 1].isascii() and title[at].isascii())]
    sides = [max(width_of(title[:at].rstrip(), CAPTION), width_of(title[at:].lstrip(), CAPTION)) for at in breaks]
    return min([width_of(title, CAPTION), *sides])
