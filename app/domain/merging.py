"""Two people's edits of one document put together."""

from __future__ import annotations

from typing import Any

from app.domain.documents import List, Object
from app.domain.kinds import Kind, Subset


def merged(kind: Kind, base: Any, theirs: Any, mine: Any) -> Any:
    """Theirs, with everything that mine changed since the base as mine has it. All three are complete values of the kind.

    Objects are merged field by field, lists item by item: what mine added or took away, and fields changed in an item. Where both
    changed the same field, mine holds; an item that theirs took away stays away unless mine changed it.
    """
    if mine == base or base is None or theirs is None or mine is None:
        return theirs if mine == base else mine
    if isinstance(kind, Object):
        return {f.key: merged(f.kind, base[f.key], theirs[f.key], mine[f.key]) for f in kind.fields}
    if isinstance(kind, List) and kind.unique:
        return _merged_items(kind, base, theirs, mine)
    if isinstance(kind, List | Subset):
        kept = [item for item in theirs if item in mine or item not in base]
        return kind.complete([*kept, *(item for item in mine if item not in base and item not in kept)])
    return mine


def _merged_items(kind: List, base: list[Any], theirs: list[Any], mine: list[Any]) -> list[Any]:
    key = kind.unique[0]
    before, there, here = ({item[key]: item for item in items} for items in (base, theirs, mine))
    found: dict[Any, Any] = {}
    for code in [*there, *(code for code in here if code not in there)]:
        was, their, my = before.get(code), there.get(code), here.get(code)
        if my is None:
            if was is None:
                found[code] = their
        elif their is None:
            if was is None or my != was:
                found[code] = my
        else:
            found[code] = my if was is None else merged(kind.of, was, their, my)
    if kind.ordered and [code for code in before if code in here] != [code for code in here if code in before]:
        found = {code: found[code] for code in [*(code for code in here if code in found), *(code for code in found if code not in here)]}
    return list(found.values())
