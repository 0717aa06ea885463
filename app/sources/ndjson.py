"""NDJSON from a file or a pipe: raw lines in blocks, as they become available."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from app.domain.events import AnyEvent, RejectedError, decode

BLOCK_BYTES = 2 << 20
LONGEST_LINE = 64 << 20
_BOM = b"\xef\xbb\xbf"


class Bad(NamedTuple):
    """A line that cannot be taken: its number from 1, why, and the line itself (cut when enormous)."""

    line: int
    reason: str
    text: bytes


class Block(NamedTuple):
    """What one read gave: events with their line numbers, bad lines, and how many bytes have been read so far."""

    events: list[tuple[int, AnyEvent, bytes]]
    bad: list[Bad]
    bytes_read: int


def blocks(descriptor: int) -> Iterator[Block]:
    """Reads an open file descriptor to its end; from a slow pipe, blocks are whatever has arrived, so nothing waits for more."""
    number, read, skipping = 0, 0, False
    rest: list[bytes] = []  # of a line that has not ended yet; joined once, or a long line from a slow pipe takes its length squared
    held = 0
    while True:
        chunk = os.read(descriptor, BLOCK_BYTES)
        read += len(chunk)
        rest.append(chunk)
        held += len(chunk)
        lines: list[bytes] = []
        if not chunk or b"\n" in chunk:
            lines = b"".join(rest).split(b"\n")
            last = lines.pop() if chunk else b""
            rest, held = [last], len(last)
        events: list[tuple[int, AnyEvent, bytes]] = []
        bad: list[Bad] = []
        for line in lines:
            number += 1
            if skipping:  # the end of a line that was given up
                skipping = False
                continue
            if number == 1 and line.startswith(_BOM):
                line = line[3:]
            if not line or line.isspace():
                continue
            try:
                events.append((number, decode(line), line))
            except RejectedError as error:
                bad.append(Bad(number, str(error), line))
        if held > LONGEST_LINE:
            if not skipping:
                bad.append(Bad(number + 1, f"the line is longer than {LONGEST_LINE >> 20} MB", b"".join(rest)[:200]))
            rest, held, skipping = [], 0, True
        if events or bad:
            yield Block(events, bad, read)
        if not chunk:
            return
