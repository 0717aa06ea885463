"""The form of the search index (docs/decisions/0011-transcript-search.md).

A segment tells of some sessions, which have numbers from 0 there, which terms they have. Its entries are in order of their terms and lie
in blocks; the first terms of all blocks are its directory. A block takes a page of a database or two, so that looking a term up reads
little of a segment however large it is. Segments are never changed; several become one (`joined`).
"""

from __future__ import annotations

import heapq
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import Any

import msgspec

from app.domain.words import Term

Entry = tuple[str, list[int]]
"""A term, and the numbers of the sessions that have it, ascending, each as the difference to the one before (the first to 0)."""

_BLOCK = 6_000
"""About as many bytes are deflated together."""
_PAGE = 512
"""Places that are deflated together."""
_WINDOW_BITS = -13
_LAST = "\U0010ffff"


def entries(sessions: Iterable[Iterable[str]]) -> Iterator[Entry]:
    """The entries of a new segment from the terms of each of its sessions."""
    numbers: dict[str, list[int]] = {}
    for number, terms in enumerate(sessions):
        for term in terms:
            numbers.setdefault(term, []).append(number)
    for term in sorted(numbers):
        found = numbers[term]
        yield term, [found[0], *(after - before for before, after in pairwise(found))]


def joined(segments: Iterable[tuple[int, Iterable[bytes]]]) -> Iterator[Entry]:
    """The entries of one segment with the sessions of several, one segment's behind the other's; given (sessions, blocks) of each."""
    streams = []
    offset = 0
    for sessions, blocks in segments:
        streams.append(_numbered(offset, blocks))
        offset += sessions
    for term, same in groupby(heapq.merge(*streams), itemgetter(0)):
        steps: list[int] = []
        end = 0
        for _, start, further in same:
            steps.append(start + further[0] - end)
            steps += further[1:]
            end = start + sum(further)
        yield term, steps


def blocks(entries: Iterable[Entry]) -> Iterator[tuple[str, bytes]]:
    """(first term, block) of each block of a segment."""
    block: list[Any] = []
    size = 0
    for term, steps in entries:
        block += (term, steps)
        size += len(term.encode()) + len(steps) + 2
        if size > _BLOCK:
            yield block[0], pack(block)
            block, size = [], 0
    if block:
        yield block[0], pack(block)


def where(directory: Sequence[str], term: Term) -> range:
    """Which blocks of a segment may have the term."""
    first = max(0, bisect_right(directory, term.text) - 1)
    return range(first, bisect_left(directory, term.text + _LAST) if term.beginning else min(first + 1, len(directory)))


def having(term: Term, blocks: Iterable[bytes]) -> set[int]:
    """The numbers of the sessions that have the term."""
    found: set[int] = set()
    for block in blocks:
        for text, steps in _entries(block):
            if text == term.text or (term.beginning and text.startswith(term.text)):
                found.update(accumulate(steps))
    return found


def pack_places(places: Sequence[tuple[int, int]]) -> bytes:
    """(opened at, session) of every session of a segment."""
    pages = [places[start : start + _PAGE] for start in range(0, len(places), _PAGE)]
    return msgspec.msgpack.encode([pack([_steps([at for at, _ in page]), _steps([session for _, session in page])]) for page in pages])


def places_of(packed: bytes, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The places of the sessions with these numbers, in their order."""
    pages: list[bytes] = msgspec.msgpack.decode(packed)
    read: dict[int, list[tuple[int, int]]] = {}
    for number in numbers:
        page, at = divmod(number, _PAGE)
        if page not in read:
            times, sessions = unpack(pages[page])
            read[page] = list(zip(accumulate(times), accumulate(sessions)))
        yield read[page][at]


def pack(value: Any) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, _WINDOW_BITS)
    return deflate.compress(msgspec.msgpack.encode(value)) + deflate.flush()


def unpack(packed: bytes) -> Any:
    return msgspec.msgpack.decode(zlib.decompress(packed, _WINDOW_BITS))


def _entries(block: bytes) -> Iterator[Entry]:
    flat = iter(unpack(block))
    return zip(flat, flat)


def _numbered(offset: int, blocks: Iterable[bytes]) -> Iterator[tuple[str, int, list[int]]]:
    for block in blocks:
        for term, steps in _entries(block):
            yield term, offset, steps


def _steps(values: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise([0, *values])]
