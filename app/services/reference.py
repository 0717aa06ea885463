"""The reference documents, derived from the declarations: docs/metrics.md and docs/events.md. A test keeps the files equal to this."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from app.domain import events
from app.domain.counters import BINS, EDGES_MS, SUM_FIELDS
from app.domain.metrics import METRICS, Metric

_SOURCES = {"K": "as the original tool's screens show it", "JD": "JD's published rule", "P": "proposed here"}
_UNITS = {"n": "", "%": "%", "s": "s", "min": "min", "h": "h", "yuan": "¥"}


def metrics() -> str:
    """The text of docs/metrics.md."""
    lines = [
        "# Metric reference",
        "",
        "Derived from `app/domain/metrics.py`. A metric is a sum of counters or a ratio of sums, taken after summing; a rate is never averaged.",
        "No value (denominator 0) is `--` on screen and `null` in JSON. `{W}` is the order window: 24h, 7d or 15d.",
        "",
        "| key | 中文 | English | unit | formula | definition | better | target | source |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for metric in METRICS.values():
        lines.append(
            f"| `{metric.key}` | {metric.label.zh} | {metric.label.en} | {_UNITS[metric.unit]} | `{_formula(metric)}` | {metric.definition.zh} "
            f"<br> {metric.definition.en} | {metric.better} | {'' if metric.target is None else f'{metric.target:g}'} | "
            f"{_SOURCES[metric.source]} |"
        )
    edges = ", ".join(f"{edge // 1000}" for edge in EDGES_MS[60:])
    lines += [
        "",
        "## Counters",
        "",
        "Kept per store, day and five-minute slot (local time of the session's start), agent, group, channel and flag; and per day with the two",
        f"histograms (first replies, turns) of {BINS} bins: every second to a minute, then {edges} s and beyond.",
        "",
        ", ".join(f"`{name}`" for name in SUM_FIELDS),
        "",
    ]
    return "\n".join(lines)


def event_contract() -> str:
    """The text of docs/events.md."""
    lines = [
        "# Event contract",
        "",
        "NDJSON, one JSON object a line. Derived from `app/domain/events.py`. Every event has `type`, `id` (unique within its source; feeding it",
        "again changes nothing), `at` (RFC 3339 with offset, or epoch milliseconds) and, unless given with `--store`, `store`. Unknown fields are",
        "ignored. An unknown type, a missing or mistyped field or an impossible value is rejected with its reason; the rest goes on. Events may",
        "come late and in any order.",
        "",
        "| type | fields (`?` = optional) |",
        "|---|---|",
    ]
    common = set(events.Event.__struct_fields__)
    for struct in sorted(get_args(events.AnyEvent), key=lambda s: s.__struct_config__.tag):
        fields = [_field(field) for field in msgspec.structs.fields(struct) if field.name not in common]
        lines.append(f"| `{struct.__struct_config__.tag}` | {', '.join(fields)} |")
    line = ", ".join(_field(field) for field in msgspec.structs.fields(events.OrderLine))
    lines += ["", f"A line of an order: {line}. Amounts are net, in fen, of the whole line.", ""]
    return "\n".join(lines)


def _formula(metric: Metric) -> str:
    return metric.formula().replace("_24h", "_{W}")


def _field(field: msgspec.structs.FieldInfo) -> str:
    shown = _type(field.type)
    return f"`{field.name}`{'' if field.required else '?'}{': ' + shown if shown else ''}"


def _type(kind: Any) -> str:
    """Text codes and names are left unsaid; what restricts is said."""
    origin = get_origin(kind)
    if origin is Annotated:
        bounds = next((m for m in get_args(kind) if isinstance(m, msgspec.Meta)), None)
        inner = _type(get_args(kind)[0])
        if bounds is not None and bounds.ge is not None:
            return f"{inner} ≥ {bounds.ge:,}" if bounds.le is None else f"{inner} {bounds.ge:,} to {bounds.le:,}"
        return inner
    if origin is Literal:
        return " · ".join(str(value) for value in get_args(kind))
    if origin in (Union, types.UnionType):
        parts = [_type(part) for part in get_args(kind) if part is not msgspec.UnsetType]
        said = [part for part in parts if part]
        return "" if said == ["null"] else " or ".join(said)
    if origin is list:
        inner = get_args(kind)[0]
        return "list of lines" if inner is events.OrderLine else "list of text"
    if kind is type(None):
        return "null"
    return {bool: "true or false", int: "integer"}.get(kind, "")
