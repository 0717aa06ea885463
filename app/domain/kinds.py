"""What one value of a document may be: the kinds that a declaration is made of, but for lists and objects (documents.py).

A kind knows how to find what is wrong with a value, how to fill in what was left out, and how to put a value into words.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from app.domain.language import T

_LARGEST_CLUSTER = 32
"""Code points that may make up one character: more than any emoji or script needs, so that a limit in characters bounds the size too."""
_SHOWN = 40
_OPTIONS_SHOWN = 12
_SAFE_NUMBER = 10**15


class Fault(NamedTuple):
    """What is wrong at one place: `groups[1].members[0].weight` and `11 is not between 0 and 10`; the path of the whole document is "".

    pathless: the sentence for those who see the place and no paths, where `sentence` names one.
    """

    path: str
    sentence: T
    pathless: T | None = None

    @property
    def words(self) -> T:
        return self.pathless or self.sentence

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else str(self.sentence)


class Change(NamedTuple):
    """One difference, in words for people. `path` counts in the new document, for what was taken away in the old one."""

    path: str
    label: T
    before: T
    after: T

    @property
    def words(self) -> T:
        """咨询组 › 售前 › 入口：开 → 关"""
        return fill(T("{0}：{1} → {2}", "{0}: {1} → {2}"), self.label, self.before, self.after)


NOTHING = T("无", "none")
"""In a change, the side on which the thing is not there; also the words of an empty list."""
EMPTY = T("（空）", "(empty)")
"""The words of a text without letters."""


def fill(sentence: T, *parts: object) -> T:
    """The sentence with its `{0}`, `{1}` … filled in, each language with its own words of the parts."""
    return T(
        sentence.zh.format(*(part.zh if isinstance(part, T) else part for part in parts)),
        sentence.en.format(*(part.en if isinstance(part, T) else part for part in parts)),
    )


def joined(parts: Iterable[T], zh: str = "、", en: str = ", ") -> T:
    held = list(parts)
    return T(zh.join(part.zh for part in held), en.join(part.en for part in held))


def same(text: str) -> T:
    """A text that reads the same in both languages."""
    return T(text, text)


def said(value: object) -> T:
    """A value nobody has checked, short enough for a sentence and free of what a terminal would obey."""
    if isinstance(value, dict):
        return T("一个对象", "an object")
    if isinstance(value, list):
        return T("一个列表", "a list")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _SAFE_NUMBER:
        return T("一个极大的数", "an enormous number")
    text = json.dumps(value[: _SHOWN + 1] if isinstance(value, str) else value, ensure_ascii=False, default=repr)
    text = "".join(c if c.isprintable() else "�" for c in text)
    return same(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def characters(text: str) -> int:
    """How many characters a person sees: an emoji, a flag, a letter with its accents is one."""
    import regex  # only texts near their limit need it

    return max(sum(1 for _ in regex.finditer(r"\X", text)), -(-len(text) // _LARGEST_CLUSTER))


class Kind(ABC):
    """What a value may be. Values are those of JSON."""

    @abstractmethod
    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        """What is wrong with it; never an exception, whatever the value is."""

    @abstractmethod
    def words(self, value: Any) -> T:
        """A faultless value for people."""

    @abstractmethod
    def limits(self) -> T:
        """What is allowed, in words: `0 to 10`, `at most 700 characters`."""

    def complete(self, value: Any) -> Any:
        """A faultless value with everything filled in that was left out."""
        return value

    def changes(self, old: Any, new: Any, path: str, label: T) -> Iterator[Change]:
        """Between two faultless, complete values."""
        if old != new:
            yield Change(path, label, self.words(old), self.words(new))


@dataclass(frozen=True, slots=True)
class Switch(Kind):
    """true or false."""

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, bool):
            yield Fault(path, fill(T("{0} 不是 true 或 false", "{0} is not true or false"), said(value)))

    def words(self, value: Any) -> T:
        return T("开", "on") if value else T("关", "off")

    def limits(self) -> T:
        return T("true 或 false", "true or false")


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """A number from `least` to `most`, both included; `whole`: without a fraction."""

    least: float
    most: float
    unit: T = T("", "")  # noqa: RUF009
    whole: bool = False

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield Fault(path, fill(T("{0} 不是数字", "{0} is not a number"), said(value)))
        elif self.whole and not isinstance(value, int):
            yield Fault(path, fill(T("{0} 不是整数", "{0} is not a whole number"), said(value)))
        elif not self.least <= value <= self.most:
            what = T("{0} 不在 {1} 到 {2} 之间", "{0} is not between {1} and {2}")
            yield Fault(path, fill(what, said(value), plain(self.least), self.words(self.most)))

    def words(self, value: Any) -> T:
        return fill(T("{0} {1}", "{0} {1}"), plain(value), self.unit) if self.unit.zh else same(plain(value))

    def limits(self) -> T:
        return fill(T("{0} 到 {1}", "{0} to {1}"), plain(self.least), self.words(self.most))


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """A text of `least` to `most` characters as a person counts them; `lines`: it may have several lines. `word`: such as a code;
    where several are typed or pasted, spaces part them."""

    most: int
    least: int = 0
    lines: bool = False
    word: bool = False

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield Fault(path, fill(T("{0} 不是文字", "{0} is not a text"), said(value)))
            return
        if any((c < " " or "\x7f" <= c < "\xa0" or "\ud800" <= c <= "\udfff") and not (self.lines and c in "\n\t") for c in value):
            yield Fault(path, T("有不可用的控制字符，请删去", "contains control characters; remove them"))
        if self.least and not value.strip():
            yield Fault(path, T("不能为空", "must not be empty"))
        elif self.least > 1 or len(value) > self.most:  # there are never more characters than code points
            number = characters(value)
            if number > self.most:
                yield Fault(path, fill(T("有 {0} 个字符，最多 {1} 个", "has {0} characters, {1} are allowed"), number, self.most))
            elif number < self.least:
                yield Fault(path, fill(T("有 {0} 个字符，至少要 {1} 个", "has {0} characters, {1} are needed"), number, self.least))

    def words(self, value: Any) -> T:
        return same(value) if value else EMPTY

    def limits(self) -> T:
        if self.least:
            return fill(T("{0} 到 {1} 个字符", "{0} to {1} characters"), self.least, self.most)
        return fill(T("最多 {0} 个字符", "at most {0} characters"), self.most)


_names: ContextVar[Mapping[str, str]] = ContextVar("names", default=MappingProxyType({}))


@contextmanager
def calling(names: Mapping[str, str]) -> Iterator[None]:
    """While it lasts, agents are put into words by these names, {code: name}."""
    token = _names.set(names)
    try:
        yield
    finally:
        _names.reset(token)


@dataclass(frozen=True, slots=True)
class Agent(Text):
    """The code of an agent; in words the name, where one is known (`calling`)."""

    def words(self, value: Any) -> T:
        return same(_names.get().get(value, value)) if value else EMPTY


@dataclass(frozen=True, slots=True)
class Clock(Kind):
    """A time of the day "HH:MM" in steps of `step` minutes; `midnight_ends`: it may be "24:00", the end of the day."""

    step: int = 1
    midnight_ends: bool = False

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        minutes = minutes_of(value)
        if minutes is None or (minutes == 24 * 60 and not self.midnight_ends):
            what = T("{0} 不是一天中的时间；请写成 HH:MM，例如 09:00", "{0} is not a time of the day; write HH:MM, such as 09:00")
            yield Fault(path, fill(what, said(value)))
        elif minutes % self.step:
            yield Fault(path, fill(T("{0} 不是 {1} 分钟的整数倍", "{0} is not on a step of {1} minutes"), said(value), self.step))

    def words(self, value: Any) -> T:
        return same(value)

    def limits(self) -> T:
        last = "24:00" if self.midnight_ends else "23:59"
        steps = fill(T("，每 {0} 分钟一格", ", in steps of {0} minutes"), self.step) if self.step > 1 else T("", "")
        return fill(T("HH:MM，00:00 到 {0}{1}", "HH:MM, 00:00 to {0}{1}"), last, steps)


def minutes_of(clock: object) -> int | None:
    """Minutes since midnight of "HH:MM", up to "24:00" = 1440; None when it is no such text."""
    if not isinstance(clock, str) or len(clock) != 5 or clock[2] != ":" or not clock.isascii():
        return None
    hours, minutes = clock[:2], clock[3:]
    if not (hours.isdigit() and minutes.isdigit() and int(minutes) < 60):
        return None
    found = int(hours) * 60 + int(minutes)
    return found if found <= 24 * 60 else None


@dataclass(frozen=True, slots=True)
class Date(Kind):
    """A day "YYYY-MM-DD"."""

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        try:
            fine = isinstance(value, str) and len(value) == 10 and date.fromisoformat(value).isoformat() == value
        except ValueError:
            fine = False
        if not fine:
            what = T("{0} 不是日期；请写成 YYYY-MM-DD，例如 2026-03-01", "{0} is not a date; write YYYY-MM-DD, such as 2026-03-01")
            yield Fault(path, fill(what, said(value)))

    def words(self, value: Any) -> T:
        return same(value)

    def limits(self) -> T:
        return T("YYYY-MM-DD", "YYYY-MM-DD")


class Option(NamedTuple):
    """One of the values of a choice, and what people call it."""

    value: str
    label: T


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of the options."""

    options: tuple[Option, ...]

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, str) or value not in (option.value for option in self.options):
            yield Fault(path, fill(T("{0} 不在可选值之内：{1}", "{0} is not one of {1}"), said(value), self.limits()))

    def words(self, value: Any) -> T:
        return next((option.label for option in self.options if option.value == value), same(value))

    def limits(self) -> T:
        shown = [same(option.value) for option in self.options[:_OPTIONS_SHOWN]]
        return joined([*shown, *([same("…")] if len(self.options) > _OPTIONS_SHOWN else ())])


@dataclass(frozen=True, slots=True)
class Subset(Kind):
    """A list of different options, in any order, kept in the order in which they are declared."""

    options: tuple[Option, ...]

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield Fault(path, fill(T("{0} 不是列表", "{0} is not a list"), said(value)))
            return
        seen: set[str] = set()
        for index, item in enumerate(value):
            found = list(Choice(self.options).faults(item, f"{path}[{index}]"))
            yield from found
            if not found and item in seen:
                yield Fault(f"{path}[{index}]", fill(T("{0} 重复", "{0} is there twice"), said(item)))
            elif not found:
                seen.add(item)

    def complete(self, value: Any) -> Any:
        return [option.value for option in self.options if option.value in value]

    def words(self, value: Any) -> T:
        return joined(option.label for option in self.options if option.value in value) if value else NOTHING

    def limits(self) -> T:
        return fill(T("任意几个：{0}", "any of {0}"), Choice(self.options).limits())


def plain(number: float) -> str:
    """As people write it: 30, not 30.0; 0.5."""
    return f"{int(number):,}" if number == int(number) else repr(number)
