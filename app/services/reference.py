"""The reference documents, derived from the declarations: docs/metrics.md, docs/events.md, docs/imports.md and
docs/settings.md. A test keeps the files equal to this."""

from __future__ import annotations

import json
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from app.domain import events
from app.domain.counters import BINS, EDGES_MS, SUM_FIELDS
from app.domain.documents import Document, Field, List, Object, to_json
from app.domain.metrics import METRICS, Metric
from app.domain.permissions import PERMISSIONS
from app.domain.settings import DOCUMENTS
from app.sources.jd_export import FIELDS

_SOURCES = {"K": "as the original tool's screens show it", "JD": "JD's published rule", "P": "proposed here"}
_READ_AS = {
    "code": "text", "date": "day", "moment": "time", "count": "whole number", "rate": "share", "number": "number", "yuan": "¥",
    "h": "duration, hours", "min": "duration, minutes", "s": "duration, seconds",
}  # fmt: skip
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
        "Days of imported files have gaps beside them (`imported_gaps`): for each figure that a day's files do not say in full, what they say of",
        "its numerator (`alone_…`) and of its denominator (`unsaid_…`; for a sum 1, the day itself). They add up as counters do and are taken out",
        "before a figure is made, so that a rate is that of the days which say both of its sides. A sum of imported days none of which says it",
        "has no value, which is not 0; a mean row divides a sum by the rows that have a value.",
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
    lines += [
        "",
        f"A line of an order: {line}. Amounts are net, in fen, of the whole line.",
        "",
        "A session for which no agent is named is given to one by the engine (`main.py serve`), in stores with groups: a leave message when it",
        "opens, an online one with the first `message.sent` of its customer.",
        "",
    ]
    return "\n".join(lines)


def imports() -> str:
    """The text of docs/imports.md."""
    lines = [
        "# Imported reports",
        "",
        "Derived from `app/sources/jd_export/fields.py`. Exports of the original tool and its neighbours, as xlsx, xls or CSV (GBK, UTF-8, UTF-16).",
        "",
        "```",
        "python main.py import FILE --db URL --store CODE [--date D] [--sheet S] [--map HEADER=KEY ...] [--window W] [--mix] [--preview]",
        "python main.py import --list|--undo N --db URL --store CODE",
        "```",
        "",
        "A header is looked up without white space, line breaks, brackets, underscores and dashes, in lower case; a unit in brackets at its end is",
        "read as the unit. Of several columns with one meaning the header that stands first below is taken. The keys and both names of a metric",
        "are known, too. Whole files are imported or nothing is; a cell that cannot be read, a day that has not come yet and a name that several",
        "agents have are named with their row.",
        "",
        "| meaning | 中文 | read as | headers |",
        "|---|---|---|---|",
    ]
    for field in FIELDS.values():
        lines.append(f"| `{field.key}` | {field.label.zh} | {_READ_AS[field.kind]} | {', '.join(field.headers)} |")
    lines += [
        "",
        "Rates become counts of what they are shares of, means become sums: `received` = answer rate × consults, `satisfied` = satisfaction × rated,",
        "`turn_ms` = mean × turns, where turns are the agent's messages if known, else `received`. Percents are parts of one or of a hundred for a",
        "whole column, never for a single cell. A file with `opened_at`, `placed_at` and `order` is one of credited order lines: they count in",
        "every order window by the time between consultation and order, on days of agents whose sales no other file says.",
        "",
        "What a file does not say has no value on its days and takes no part in any rate or mean; a cell with `--` or nothing in it does not say.",
        "Of an agent's day the newest import holds, part by part (workload; ratings; leave messages; presence; pre-sale customers; sales of each",
        "order window): of a part that a file speaks of, what it leaves out no longer holds either. Ratings and workload of two files stand together",
        "unless more is invited or rated than handled; then the newer one holds alone. Preview and summary (`lost`) say what is lost by either.",
        "",
    ]
    return "\n".join(lines)


def settings() -> str:
    """The text of docs/settings.md."""
    lines = [
        "# Settings documents",
        "",
        "Derived from `app/domain/settings.py`. A store's settings are documents; each save is a revision with its time, author and note, and",
        "revision 0 is the defaults. A body is checked as a whole: every fault is one line, a path and a sentence, as in",
        "`groups[1].members[0].weight: 11 is not between 0 and 10`. What a body leaves out takes its default, which `set` tells; an empty body",
        "and what is not declared are refused. Characters are counted as a person counts them: an emoji or a letter with its accents is one.",
        "",
        "```",
        "python main.py settings list|get|set|history|diff|restore DOCUMENT --db URL --store CODE [--file F.json] [--revision N] [--base N] [--note TEXT]",
        "```",
        "",
        "`set` reads `--file`, or standard input, and saves one revision or none. `--base N` refuses when N is no longer the current revision, and",
        "says who saved what meanwhile. `diff` compares two revisions (`--base`, `--revision`; without them the last two), or shows what a",
        "`--file` would change. `restore` saves an earlier revision again, as the newest.",
        "",
    ]
    for document in DOCUMENTS.values():
        lines += _document(document)
    return "\n".join(lines)


def _document(document: Document) -> list[str]:
    permission = PERMISSIONS[document.permission]
    lines = [
        f"## `{document.key}`: {document.title.zh} · {document.title.en}",
        "",
        f"{document.help.zh} <br> {document.help.en}",
        "",
        f"Saving needs the permission `{document.permission}` ({permission.label.zh} · {permission.label.en}).",
        "",
    ]
    if document.body.table:
        lines += _table_of(document.body)
    else:
        lines += ["| key | 中文 | English | allowed | default | |", "|---|---|---|---|---|---|"]
        lines += _fields(document.body, "")
        lines += ["", "```json", to_json(document.default()), "```"]
    for preset in document.presets:
        changes = [f"{change.label.en}: {change.after.en}" for change in document.difference(document.default(), preset.body)]
        lines += ["", f"Preset `{preset.key}` ({preset.label.zh} · {preset.label.en}): {'; '.join(changes) or 'the defaults'}."]
    return [*lines, ""]


def _fields(held: Object, prefix: str) -> list[str]:
    """A row per field, those of objects inside below their own."""
    lines: list[str] = []
    for field in held.fields:
        path = prefix + field.key
        null = "" if field.null is None else f"; null: {field.null.en}"
        default = (
            "required" if field.required else "" if isinstance(field.kind, Object) else f"`{json.dumps(field.start(), ensure_ascii=False)}`"
        )
        lines.append(
            f"| `{path}` | {field.label.zh} | {field.label.en} | {field.kind.limits().en}{null} | {default} | {field.help.zh} <br> {field.help.en} |"
        )
        inside, below = (field.kind.of, f"{path}[].") if isinstance(field.kind, List) else (field.kind, f"{path}.")
        if isinstance(inside, Object):
            lines += _fields(inside, below)
    return lines


def _table_of(held: Object) -> list[str]:
    """An object of objects alike: a row per object, their fields as columns."""
    first = held.fields[0].kind
    assert isinstance(first, Object)
    columns = [field.label for field in first.fields]
    heads = " | ".join(f"{label.zh} · {label.en} `{field.key}`" for label, field in zip(columns, first.fields))
    lines = [f"| key | 中文 | English | {heads} | allowed |", "|---" * (len(columns) + 4) + "|"]
    for field in held.fields:
        lines.append(f"| `{field.key}` | {field.label.zh} | {field.label.en} | {_cells(field)} |")
    return lines


def _cells(field: Field) -> str:
    assert isinstance(field.kind, Object)
    start = field.start()
    values = ["" if start[inner.key] is None else f"{start[inner.key]:g}" for inner in field.kind.fields]
    return " | ".join([*values, field.kind.fields[0].kind.limits().en])


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
