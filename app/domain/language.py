"""Two languages, side by side where a text is declared.

A text that is declared once and shown later is a `T(zh, en)`; `str()` of it gives the current language. A text used on the
spot is `tr(zh, en)`. Nothing is looked up in a catalogue, so a missing or stale translation cannot exist
(docs/decisions/0003-two-languages-in-place.md).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["zh", "en"]

_current: Language = "zh"


def set_language(language: Language) -> None:
    """Choose the language of every text rendered from now on."""
    global _current
    if language not in ("zh", "en"):
        raise ValueError(f"no such language: {language!r}")
    _current = language


def language() -> Language:
    return _current


class T(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh if _current == "zh" else self.en

    def format(self, *args: object, **kwargs: object) -> T:
        return T(self.zh.format(*args, **kwargs), self.en.format(*args, **kwargs))


def tr(zh: str, en: str) -> str:
    return zh if _current == "zh" else en
