"""Documents by declaration: what a document of settings may hold is said once, and everything else comes from it.

A document is an `Object` of `Field`s, each of a kind (kinds.py) or again an `Object` or a `List`. Validation, defaults, the difference
between two versions in words, forms and the reference all read the same declaration. What is left out of a body takes its default, an
empty body and what is not declared are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from math import inf
from typing import Any

from app.domain.kinds import NOTHING, Change, Fault, Kind, fill, joined, said, same
from app.domain.language import T

Body = dict[str, Any]
"""A document as JSON has it."""
Check = Callable[[Mapping[str, Any]], Iterable[Fault]]
"""Faults between the fields of an object, paths relative to it. It is only asked about complete values whose fields are faultless."""
StepCheck = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[Fault]]
"""Faults of going from the current body to a new one, for what must not be undone."""

_REQUIRED: Any = object()
_MOST_FAULTS = 100
_MOST_DIGITS = 300


@dataclass(frozen=True, slots=True)
class Field:
    """One named value of an object.

    default: what it is when left out; without one it must be given, or, for an object, is made of its fields' defaults.
    null: what null means here, in words; without it null is refused.
    """

    key: str
    label: T
    kind: Kind
    default: Any = _REQUIRED
    help: T = T("", "")  # noqa: RUF009
    null: T | None = None

    @property
    def required(self) -> bool:
        return self.default is _REQUIRED and not (isinstance(self.kind, Object) and not any(f.required for f in self.kind.fields))

    def start(self) -> Any:
        """What it is when left out; a fresh copy."""
        if self.default is _REQUIRED:
            return self.kind.complete({})
        return self.complete(self.default)

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if value is not None or self.null is None:
            yield from self.kind.faults(value, path)

    def complete(self, value: Any) -> Any:
        return None if value is None else self.kind.complete(value)

    def words(self, value: Any) -> T:
        return (self.null or NOTHING) if value is None else self.kind.words(value)

    def changes(self, old: Any, new: Any, path: str, label: T) -> Iterator[Change]:
        if old is None or new is None:
            if old is not new:
                yield Change(path, label, self.words(old), self.words(new))
        else:
            yield from self.kind.changes(old, new, path, label)


@dataclass(frozen=True, slots=True)
class Object(Kind):
    """An object of declared fields. `table`: its fields are objects alike, better shown as the rows of a table."""

    fields: tuple[Field, ...]
    checks: tuple[Check, ...] = ()
    table: bool = False

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(path, fill(T("{0} 不是对象", "{0} is not an object"), said(value)))
            return
        fine = True
        declared = {f.key: f for f in self.fields}
        for key in value:
            if key not in declared:
                fine = False
                yield Fault(_below(path, key), _unknown(key, declared))
        for key, declaration in declared.items():
            if key in value:
                for fault in declaration.faults(value[key], _below(path, key)):
                    fine = False
                    yield fault
            elif declaration.required:
                fine = False
                yield Fault(_below(path, key), T("缺少这一项", "is missing"))
        if fine and self.checks:
            whole = self.complete(value)
            for check in self.checks:
                for fault in check(whole):
                    yield fault._replace(path=_joined(path, fault.path))

    def complete(self, value: Any) -> Any:
        return {f.key: f.complete(value[f.key]) if f.key in value else f.start() for f in self.fields}

    def left_out(self, value: Mapping[str, Any], path: str = "") -> Iterator[str]:
        """Paths of what a faultless value does not say, so that `complete` fills in its default."""
        for f in self.fields:
            place = _below(path, f.key)
            if f.key not in value:
                yield place
                continue
            inside = f.kind.of if isinstance(f.kind, List) else f.kind
            if isinstance(inside, Object) and value[f.key] is not None:
                held = enumerate(value[f.key]) if isinstance(f.kind, List) else [(None, value[f.key])]
                for index, item in held:
                    yield from inside.left_out(item, place if index is None else f"{place}[{index}]")

    def words(self, value: Any) -> T:
        """Only what is not as it would be anyway."""
        parts = [
            fill(T("{0} {1}", "{0} {1}"), f.label, f.words(value[f.key])) for f in self.fields if f.required or value[f.key] != f.start()
        ]
        return joined(parts, "，", ", ") if parts else NOTHING

    def limits(self) -> T:
        return T("对象", "object")

    def changes(self, old: Any, new: Any, path: str, label: T) -> Iterator[Change]:
        if old == new:  # most parts of a large document
            return
        for f in self.fields:
            yield from f.changes(old[f.key], new[f.key], _below(path, f.key), _under(label, f.label))


@dataclass(frozen=True, slots=True)
class List(Kind):
    """A list of at most `most` values of one kind, no two alike.

    unique: of objects, the fields in which no two may agree. The first tells which object is which between two versions.
    title: of objects, the field that people know them by (default: the first of `unique`).
    ordered: whether their order matters.
    item: what one is called ("成员", "member").
    beside: of objects, fields told beside the name where they are listed.
    """

    of: Kind
    most: int
    least: int = 0
    unique: tuple[str, ...] = ()
    title: str = ""
    ordered: bool = False
    item: T = T("项", "item")  # noqa: RUF009
    beside: tuple[str, ...] = ()

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield Fault(path, fill(T("{0} 不是列表", "{0} is not a list"), said(value)))
            return
        if not self.least <= len(value) <= self.most:
            what = T("有 {0} 个{3}，应为 {1} 到 {2} 个", "has {0} entries; {1} to {2} are allowed")
            yield Fault(path, fill(what, len(value), self.least, self.most, self.item))
        seen: dict[tuple[str, Any], int] = {}
        for index, item in enumerate(value[: self.most]):
            place = f"{path}[{index}]"
            yield from self.of.faults(item, place)
            for key in self.unique or ("",):
                held = item.get(key) if key and isinstance(item, dict) else item
                if isinstance(held, str | int):
                    first = seen.setdefault((key, held), index)
                    if first != index:
                        where = f"{path}[{first}]"
                        what = T("{0} 与 {1} 重复", "{0} is already in {1}")
                        yield Fault(
                            _below(place, key) if key else place, fill(what, said(held), where), self._taken(key, held, value[first])
                        )

    def complete(self, value: Any) -> Any:
        return [self.of.complete(item) for item in value]

    def words(self, value: Any) -> T:
        return joined(self._listed(item) for item in value) if value else NOTHING

    def limits(self) -> T:
        if isinstance(self.of, Object):
            return fill(T("{0} 到 {1} 个{2}", "{0} to {1} entries"), self.least, self.most, self.item)
        return fill(T("{0} 到 {1} 个，每个 {2}", "{0} to {1}, each {2}"), self.least, self.most, self.of.limits())

    def changes(self, old: Any, new: Any, path: str, label: T) -> Iterator[Change]:
        if not self.unique:
            if old != new and (self.ordered or sorted(map(json.dumps, old)) != sorted(map(json.dumps, new))):
                yield Change(path, label, self.words(old), self.words(new))
            return
        key = self.unique[0]
        before = {item[key]: item for item in old}
        after = {item[key] for item in new}
        for index, item in enumerate(new):
            place, name = f"{path}[{index}]", _under(label, self.called(item))
            if item[key] in before:
                yield from self.of.changes(before[item[key]], item, place, name)
            else:
                yield Change(place, name, NOTHING, self.of.words(item))
        for index, item in enumerate(old):
            if item[key] not in after:
                yield Change(f"{path}[{index}]", _under(label, self.called(item)), self.of.words(item), NOTHING)
        kept = [item for item in old if item[key] in after], [item for item in new if item[key] in before]
        if self.ordered and [item[key] for item in kept[0]] != [item[key] for item in kept[1]]:
            yield Change(path, _under(label, T("顺序", "order")), self.words(kept[0]), self.words(kept[1]))

    def _taken(self, key: str, value: str | int, holder: Any) -> T:
        """That another has it already, called by what tells it from this one."""
        others = [k for k in (self.title, *self.unique) if k != key and isinstance(holder, dict) and holder.get(k)]
        if not others or not isinstance(self.of, Object):
            return fill(T("{0} 写了两次，请去掉一个", "{0} is written twice; take one out"), _bare(value))
        label = next(field.label for field in self.of.fields if field.key == key)
        what = T("{0} {1} 已被「{2}」使用，请换一个", "{0} {1} is already used by {2}; choose another")
        return fill(what, label, _bare(value), _bare(holder[others[0]]))

    def called(self, item: Any) -> T:
        """What people know an item by: the name its code stands for, else its title, else the code."""
        if not self.unique or not isinstance(self.of, Object):
            return self.of.words(item)
        code = item[self.unique[0]]
        words = next(f.kind.words(code) for f in self.of.fields if f.key == self.unique[0])
        if words.zh == code and self.title and item[self.title]:
            return same(str(item[self.title]))
        return words if code else self.of.words(item)

    def _listed(self, item: Any) -> T:
        if not self.beside or not isinstance(self.of, Object):
            return self.called(item)
        more = [f.words(item[f.key]) for f in self.of.fields if f.key in self.beside]
        return joined([self.called(item), *more], " ", " ")


@dataclass(frozen=True, slots=True)
class Preset:
    """A body to start from."""

    key: str
    label: T
    body: Body


@dataclass(frozen=True, slots=True)
class Document:
    """A declared document. permission: the key (permissions.py) needed to save it."""

    key: str
    title: T
    help: T
    permission: str
    body: Object
    presets: tuple[Preset, ...] = ()
    steps: tuple[StepCheck, ...] = field(default=())

    def default(self) -> Body:
        """What holds while nothing has been saved."""
        return self.complete({})

    def complete(self, body: Mapping[str, Any]) -> Body:
        """A faultless body with everything filled in, in the order of the declaration. Of an older revision: what is no longer declared
        is left out."""
        found: Body = self.body.complete(body)
        return found

    def validate(self, body: Any, current: Mapping[str, Any] | None = None) -> list[Fault]:
        """Everything wrong with any JSON value, at most 100 faults; [] when it can be saved.

        current: the body it is to replace; with it, what must not be undone is looked at too.
        """
        if body == {}:
            # Far more often a mistake than a wish; the wish has a way of its own.
            return [Fault("", T("文档是空的；要回到默认值，请恢复第 0 版", "The document is empty; for the defaults, restore revision 0"))]
        faults = list(islice(self.body.faults(body, ""), _MOST_FAULTS))
        return self.undone(current, body) if not faults and current is not None else faults

    def undone(self, current: Mapping[str, Any], body: Mapping[str, Any]) -> list[Fault]:
        """What a faultless body takes back of the one it is to replace although it must not."""
        before, after = (self.complete(current), self.complete(body)) if self.steps else ({}, {})
        return [fault for step in self.steps for fault in step(before, after)]

    def difference(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
        """What changed between two faultless bodies."""
        return list(self.body.changes(self.complete(old), self.complete(new), "", T("", "")))


def to_json(body: Mapping[str, Any]) -> str:
    """A body as people edit it."""
    return json.dumps(body, ensure_ascii=False, indent=2, allow_nan=False)


def from_json(text: str) -> Any:
    """Any JSON value. Raises ValueError, its text being one sentence, for what is no JSON or names a key twice."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except json.JSONDecodeError as error:
        what = fill(T("第 {0} 行第 {1} 个字符处不是 JSON", "not JSON at line {0}, character {1}"), error.lineno, error.colno)
        raise ValueError(str(what)) from None
    except RecursionError:
        raise ValueError(str(T("嵌套太深，不是设置文档", "nested too deeply to be a settings document"))) from None


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_DIGITS else inf  # Python refuses thousands of digits; no number of ours has so many


def _once(pairs: list[tuple[str, Any]]) -> Body:
    found: Body = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(str(fill(T("{0} 写了两次", "{0} is written twice"), said(key))))
        found[key] = value
    return found


def _bare(value: object) -> T:
    """A text as people wrote it, as safe as `said`."""
    words = said(value)
    return same(words.zh.removeprefix('"').removesuffix('"')) if isinstance(value, str) else words


def _below(path: str, key: object) -> str:
    if isinstance(key, str) and key.isidentifier() and len(key) <= 40:
        return f"{path}.{key}" if path else key
    return f"{path}[{said(key)}]"


def _joined(path: str, relative: str) -> str:
    return f"{path}.{relative}" if path and relative and not relative.startswith("[") else path + relative


def _under(label: T, further: T) -> T:
    return fill(T("{0} › {1}", "{0} › {1}"), label, further) if label.zh else further


def _unknown(key: object, declared: Iterable[str]) -> T:
    near = get_close_matches(key, declared, 1) if isinstance(key, str) and len(key) <= 40 else []
    if near:
        return fill(T("没有这一项；是否想写 {0}？", "is not known; did you mean {0}?"), near[0])
    return T("没有这一项", "is not known")
