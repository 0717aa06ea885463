"""Words in texts: how a text is cut for an index, what a person asks for, whether a text has it, and where.

An index made from `cut` only proposes; `Query.found_in` decides on the text itself. Whatever `found_in` finds, `Query.terms` lets through.

Both work on the folded text: width and letter case do not count (NFKC of each character, then case folding), nor do kinds of blanks and
quotation marks. Scripts that are written without blanks are cut into overlapping pairs of characters, words of the others into
overlapping threes, so that any part of a word is found that has three characters; shorter words are found as a whole. An emoji stands
alone. What a character is comes from the tables of Unicode 3.2, which every Python has: a text is cut the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import add
from typing import NamedTuple
from unicodedata import ucd_3_2_0 as ucd

_PIECE = 3
"""Characters of a word that are indexed together. A word asked for that is shorter is looked for as a whole, others in any word."""
MOST_TERMS = 16
"""Of one question: more would only make the index slower, not the answer smaller."""

_RUN = re.compile("w+|d+|s")
_QUOTES = '"“”„‟«»「」『』'


class _Table(dict[int, str]):
    """For str.translate: works out a character when it is first met."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        self._rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = found = self._rule(chr(code))
        return found


def _fold(char: str) -> str:
    if char in _QUOTES:
        return '"'
    if char.isspace():
        return " "
    return ucd.normalize("NFKC", ucd.normalize("NFKC", char).casefold())


def _kind(char: str) -> str:
    """w: part of a word, d: of a script without blanks, s: a sign of its own, blank: nothing to look for."""
    if char.isascii():
        return "w" if char.isalnum() else " "
    category = ucd.category(char)
    if category[0] in "LN":
        dense = char >= "\u2e80" or "\u0e00" <= char <= "\u109f" or "\u1780" <= char <= "\u17ff"
        return "d" if dense else "w"
    return "s" if char >= "\u2190" and category in ("So", "Cn") else " "


_folded, _kinds = _Table(_fold), _Table(_kind)


def fold(text: str) -> str:
    """The text as it is compared. Some characters become several."""
    return text.translate(_folded)


def cut(text: str) -> set[str]:
    """The terms of a text, all of letters and digits: each pair of neighbours and the last character of every run of a script without
    blanks, each three neighbours of every word, shorter words, each sign as its number."""
    folded = fold(text)
    found: set[str] = set()
    for run in _RUN.finditer(folded.translate(_kinds)):
        start, end = run.span()
        kind = run[0][0]
        if kind == "d":
            piece = folded[start:end]
            found.update(map(add, piece, piece[1:]))
            found.add(piece[-1])
        elif kind == "w":
            found.update(_pieces(folded[start:end]))
        else:
            found.add(_sign(folded[start]))
    return found


class Term(NamedTuple):
    """What the index is asked for; `beginning`: any term that begins so."""

    text: str
    beginning: bool = False


class Span(NamedTuple):
    """Positions in a text, `end` excluded."""

    start: int
    end: int


class Snippet(NamedTuple):
    """A piece of a message, and where in it the words are."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: `parts` are folded, each to be found literally; together they may be said by different messages."""

    parts: tuple[str, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """What every text that has all parts has in its `cut`; empty where an index cannot help."""
        found: dict[Term, None] = {}
        for part in self.parts:
            found.update(dict.fromkeys(_terms(part)))
        return tuple(sorted(found, key=lambda term: (term.beginning, -len(term.text))))[:MOST_TERMS]

    def found_in(self, texts: Sequence[str]) -> int | None:
        """The index of the text that shows the most parts (of several the first); None unless each part is in one of them."""
        together = fold("\n".join(texts))  # most of what an index proposes in vain ends here, all messages looked at in one
        if not all(part in together for part in self.parts):
            return None
        missing = set(self.parts)
        best, most = None, 0
        for i, text in enumerate(texts):
            folded = fold(text)
            here = [part for part in self.parts if _find(folded, part, 0) >= 0]
            missing.difference_update(here)
            if len(here) > most:
                best, most = i, len(here)
                if most == len(self.parts):
                    break
        return None if missing else best

    def spans(self, text: str) -> list[Span]:
        """Where the parts are in a text, in order, none within another."""
        folded = fold(text)
        found: list[Span] = []
        for part in self.parts:
            at = _find(folded, part, 0)
            while at >= 0:
                found.append(Span(at, at + len(part)))
                at = _find(folded, part, at + len(part))
        if found and len(folded) != len(text):
            origins = [i for i, char in enumerate(text) for _ in fold(char)]
            found = [Span(origins[span.start], origins[span.end - 1] + 1) for span in found]
        merged: list[Span] = []
        for span in sorted(found):
            if merged and span.start < merged[-1].end:
                merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
            else:
                merged.append(span)
        return merged

    def snippet(self, text: str, before: int = 24, length: int = 96) -> Snippet:
        """About `length` characters of the text, from a little before the first part on, in one line."""
        spans = self.spans(text)
        start = max(0, spans[0].start - before) if spans else 0
        if len(text) - start < length:
            start = max(0, len(text) - length)
        end = min(len(text), start + max(length, spans[0].end - start if spans else 0))
        end = min(end, start + 4 * length)
        head, tail = "…" if start else "", "…" if end < len(text) else ""
        shift = len(head) - start
        shown = "".join(char if char.isprintable() else " " for char in text[start:end])
        inside = (Span(span.start + shift, min(span.end, end) + shift) for span in spans if span.start < end)
        return Snippet(head + shown + tail, tuple(inside))


def parse(text: str) -> Query:
    """The query a person typed: words divided by blanks, and "what stands in quotation marks" as one. A mark without a partner is itself.

    `parts` is empty when nothing is asked for; nothing but marks asks for nothing.
    """
    folded = fold(text).strip()
    parts: dict[str, None] = {}
    at = 0
    while at < len(folded):
        if folded[at] == " ":
            at += 1
            continue
        closing = folded.find('"', at + 1) if folded[at] == '"' else -1
        if closing >= 0:
            part, at = folded[at + 1 : closing].strip(), closing + 1
        else:
            end = folded.find(" ", at)
            end = len(folded) if end < 0 else end
            part, at = folded[at:end], end
        if part.strip('"'):
            parts[part] = None
    return Query(tuple(parts))


def _terms(part: str) -> Iterable[Term]:
    kinds = part.translate(_kinds)
    for run in _RUN.finditer(kinds):
        start, end = run.span()
        piece = part[start:end]
        kind = run[0][0]
        if kind == "s":
            yield Term(_sign(piece))
        elif kind == "w":
            pieces = _pieces(piece)
            # Digits are as good as thrown: those that do not overlap tell as much.
            yield from map(Term, [*pieces[::_PIECE], pieces[-1]] if piece.isdigit() else pieces)
        elif len(piece) == 1:
            yield Term(piece, True)
        else:
            yield from map(Term, map(add, piece, piece[1:]))


def _pieces(word: str) -> list[str]:
    """Every three neighbours; a shorter word itself."""
    return [word[at : at + _PIECE] for at in range(max(1, len(word) - _PIECE + 1))]


def _find(folded: str, part: str, start: int) -> int:
    """Where the part is; a short word at its beginning begins where a word does, and one at its end ends there."""
    at = folded.find(part, start)
    if at < 0:
        return at
    kinds = part.translate(_kinds)
    first, last = kinds[:_PIECE], kinds[-_PIECE:]
    short_first, short_last = first[:1] == "w" and first != "w" * _PIECE, last[-1:] == "w" and last != "w" * _PIECE
    while at >= 0:
        end = at + len(part)
        begins = not short_first or at == 0 or folded[at - 1].translate(_kinds) != "w"
        ends = not short_last or end == len(folded) or folded[end].translate(_kinds) != "w"
        if begins and ends:
            return at
        at = folded.find(part, at + 1)
    return at


def _sign(char: str) -> str:
    return f"u{ord(char):x}"
