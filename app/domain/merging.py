"""Two people's edits of one document: what each has changed, where they contradict each other, and both put together.

Places are told apart by what they are, the keys of fields and the codes of items, never by what things are called: either may have
given them another name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.domain.documents import Body, Document, Field, List, Object
from app.domain.kinds import NOTHING, Kind, Subset, fill, joined, said, same
from app.domain.language import T
from app.domain.routing_edits import apart
from app.domain.routing_settings import GROUPS

Path = tuple[str, ...]
"""Keys of fields and codes of items, from the document inwards."""

_GONE = T("删除", "deleted")
_ORDER = T("顺序", "order")
_NAMED = 12
"""Values of a list that are told."""


class Side(NamedTuple):
    """One place that either has changed. theirs and mine: what each made of it, None for who left it as it was."""

    path: Path
    label: T
    before: T
    theirs: T | None
    mine: T | None
    contradicts: bool


class Met(NamedTuple):
    """Both put together. recoded: {code: the new one} of my new groups whose code the other has given to a new one of their own."""

    body: Body
    sides: list[Side]
    recoded: dict[str, str]


def meet(document: Document, base: Body, theirs: Body, mine: Body) -> Met:
    """Theirs, with everything that mine changed since the base as mine has it.

    All three have the declared shape; mine need not be faultless. Where both changed the same, or one took away what the other
    changed, they contradict each other, and mine holds. What both made anew under one code is kept twice.
    """
    recoded: dict[str, str] = {}
    if document.key == GROUPS.key:
        mine, recoded = apart(base, theirs, mine)
    meeting = _Meeting()
    return Met(meeting.value(document.body, (), T("", ""), base, theirs, mine), meeting.sides, recoded)


def merged(kind: Kind, base: Any, theirs: Any, mine: Any) -> Any:
    """As `meet` puts together values of any kind."""
    return _Meeting().value(kind, (), T("", ""), base, theirs, mine)


class _Meeting:
    def __init__(self) -> None:
        self.sides: list[Side] = []

    def value(self, kind: Kind, path: Path, label: T, base: Any, theirs: Any, mine: Any, field: Field | None = None) -> Any:
        if theirs == base == mine:
            return base
        there = all(value is not None for value in (base, theirs, mine))
        if there and isinstance(kind, Object):
            return {
                f.key: self.value(f.kind, (*path, f.key), _under(label, f.label), base[f.key], theirs[f.key], mine[f.key], f)
                for f in kind.fields
            }
        if there and isinstance(kind, List) and kind.unique:
            return self._items(kind, path, label, base, theirs, mine)
        if there and isinstance(kind, List | Subset):
            return self._set(kind, path, label, base, theirs, mine)
        words = [_words(kind, value, field) for value in (base, theirs, mine)]
        both = theirs != base and mine != base and theirs != mine
        self._tell(path, label, words[0], words[1] if theirs != base else None, words[2] if mine != base else None, both)
        return theirs if mine == base else mine

    def _set(self, kind: List | Subset, path: Path, label: T, base: list[Any], theirs: list[Any], mine: list[Any]) -> list[Any]:
        """What either added or took away; values have no parts that could contradict each other."""
        moved = [_moved(kind, base, values) if values != base else None for values in (theirs, mine)]
        self._tell(path, label, _listed(kind, base), moved[0], moved[1])
        kept = [item for item in theirs if item in mine or item not in base]
        found: list[Any] = kind.complete([*kept, *(item for item in mine if item not in base and item not in kept)])
        return found

    def _items(self, kind: List, path: Path, label: T, base: list[Any], theirs: list[Any], mine: list[Any]) -> list[Any]:
        key = kind.unique[0]
        before, there, here = ({item[key]: item for item in items} for items in (base, theirs, mine))
        found: dict[Any, Any] = {}
        for code in dict.fromkeys([*there, *here, *before]):
            was, their, my = before.get(code), there.get(code), here.get(code)
            place, name = (*path, str(code)), _under(label, kind.called(was or their or my))
            if was is None and their is not None and my is not None and their != my:
                assert isinstance(kind.of, Object)
                was = kind.of.complete({f.key: their[f.key] for f in kind.of.fields if f.required})  # neither has said more before
            if was is not None and their is not None and my is not None:
                found[code] = self.value(kind.of, place, name, was, their, my)
                continue
            first, second = (_made(kind.of, was, now) for now in (their, my))
            contradicts = first is not None and second is not None and their != my
            self._tell(place, name, NOTHING if was is None else kind.of.words(was), first, second, contradicts)
            kept = their if second is None else my
            if kept is not None:
                found[code] = kept
        return self._ordered(kind, path, label, (before, there, here), found)

    def _ordered(
        self, kind: List, path: Path, label: T, versions: Sequence[dict[Any, Any]], found: dict[Any, Any]
    ) -> list[Any]:  # fmt: skip
        """As mine has them where mine moved any, what is theirs alone at the end."""
        here = versions[2]
        orders = [[code for code in version if all(code in other for other in versions)] for version in versions]
        if not kind.ordered or orders[0] == orders[1] == orders[2]:
            return list(found.values())
        words = [_listed(kind, [version[code] for code in order]) for version, order in zip(versions, orders, strict=True)]
        first, second = (words[i] if orders[i] != orders[0] else None for i in (1, 2))
        self._tell((*path, ""), _under(label, _ORDER), words[0], first, second, None not in (first, second) and orders[1] != orders[2])
        if second is not None:
            found = {code: found[code] for code in [*(c for c in here if c in found), *(c for c in found if c not in here)]}
        return list(found.values())

    def _tell(self, path: Path, label: T, before: T, theirs: T | None, mine: T | None, contradicts: bool = False) -> None:
        if theirs is not None or mine is not None:
            self.sides.append(Side(path, label, before, theirs, mine, contradicts))


def _made(kind: Kind, was: Any, now: Any) -> T | None:
    """What somebody made of an item, in words; None where they left it alone."""
    if now == was:
        return None
    if now is None:
        return _GONE
    if was is None:
        return kind.words(now)
    changed = [fill(T("{0} {1}", "{0} {1}"), change.label, change.after) for change in kind.changes(was, now, "", T("", ""))]
    return joined(changed, "，", ", ")


def _words(kind: Kind, value: Any, field: Field | None) -> T:
    """Of a value that may be wrong."""
    if value is None:
        return NOTHING if field is None else field.words(None)
    if not isinstance(kind, Object | List | Subset) and any(kind.faults(value, "")) and not isinstance(value, str):
        return said(value)
    return kind.words(value)


def _listed(kind: List | Subset, values: Sequence[Any]) -> T:
    more = [same(f"… {len(values)}")] if len(values) > _NAMED else []
    return joined([*(kind.words([value]) for value in values[:_NAMED]), *more]) if values else NOTHING


def _moved(kind: List | Subset, base: Sequence[Any], values: Sequence[Any]) -> T:
    """What came and went."""
    parts = []
    for sign, some, others in (("+", values, base), ("−", base, values)):
        known = set(others)
        moved = [value for value in some if value not in known]
        parts += [fill(T("{0}{1}", "{0}{1}"), sign, _listed(kind, moved))] if moved else []
    return joined(parts, "，", ", ")


def _under(label: T, further: T) -> T:
    return fill(T("{0} › {1}", "{0} › {1}"), label, further) if label.zh else further
