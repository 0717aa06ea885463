"""Finding by a few letters: a subsequence of the text, of its pinyin or of its initials, in any mixture (张三 by 张s, zs, zhangs).

`Reading` turns a text into what each of its characters may be typed as; `Reading.score` ranks it against what was typed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

_START, _JOINED, _WHOLE, _SKIP, _FIRST = 8, 5, 2, -1, 3
_WORST = -10_000


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with, for each character, the ways to type it, lower case; `starts` marks beginnings of words."""

    options: tuple[tuple[str, ...], ...]
    starts: tuple[bool, ...]
    joined: str

    def score(self, typed: str) -> int | None:
        """Higher is better, None when `typed` (lower case, no spaces) does not fit."""
        rest = iter(self.joined)
        if not all(letter in rest for letter in typed):
            return None
        found = self._best(typed)
        return found if found > _WORST else None

    def _best(self, typed: str) -> int:
        # state: letters typed so far -> (score, whether the last character was used)
        table: dict[int, tuple[int, bool]] = {0: (0, False)}
        finished = _WORST
        for place, (options, start) in enumerate(zip(self.options, self.starts, strict=True)):
            following: dict[int, tuple[int, bool]] = {}
            for at, (score, used) in table.items():
                _keep(following, at, score + (_SKIP if at else 0), False)
                for option in options:
                    for length in range(1, len(option) + 1):
                        if not typed.startswith(option[:length], at):
                            break
                        gain = (_START if start else 0) + (_JOINED if used else 0) + (_WHOLE if length == len(option) else 0) + length
                        if not place:
                            gain += _FIRST
                        if not start and not used and at:
                            gain -= 2
                        _keep(following, at + length, score + gain, True)
            table = following
            if len(typed) in table:
                finished = max(finished, table[len(typed)][0])
        return finished


def _keep(table: dict[int, tuple[int, bool]], at: int, score: int, used: bool) -> None:
    old = table.get(at)
    if old is None or (score, used) > old:
        table[at] = score, used


def plain(text: str) -> Reading:
    """A reading without pinyin, quick and always available."""
    return _reading(text, {})


def with_pinyin(texts: list[str]) -> list[Reading]:
    """Readings with pinyin; loads a dictionary of some 50 ms the first time, so call it off the UI thread."""
    # Single characters suffice for names; the dictionary of phrases would take ten times as long to load.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    import pypinyin

    known: dict[str, tuple[str, ...]] = {}
    for letter in {letter for text in texts for letter in text if "\u3400" <= letter <= "\u9fff"}:
        known[letter] = tuple(pypinyin.pinyin(letter, style=pypinyin.Style.NORMAL, heteronym=True)[0])
    return [_reading(text, known) for text in texts]


def _reading(text: str, pinyin: dict[str, tuple[str, ...]]) -> Reading:
    options: list[tuple[str, ...]] = []
    starts: list[bool] = []
    before = " "
    for letter in text:
        if not letter.isspace():
            small = letter.lower()
            options.append((small, *(reading for reading in pinyin.get(letter, ()) if reading != small)))
            wide = letter >= "\u2e80"
            starts.append(wide or not before.isalnum() or before >= "\u2e80" or (letter.isupper() and before.islower()))
        before = letter
    return Reading(tuple(options), tuple(starts), "".join("".join(option) for option in options))


def typed(text: str) -> str:
    """What the person typed, in the form `score` expects."""
    return "".join(text.lower().split())
