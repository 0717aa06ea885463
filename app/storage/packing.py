"""How facts and messages lie in a database: one compact value per session.

Both are lists in order of time, written as msgpack with each time as the difference to the one before; messages are compressed.
A row per message would cost more in keys than the message itself.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from app.domain.conversation import ASSIGNED, CLOSED, Fact

_encode = msgspec.msgpack.Encoder().encode
_decode_rows = msgspec.msgpack.Decoder(list[list[Any]]).decode
_TIME = rb"(?:[\x00-\x7f]|\xcc.|\xcd..|\xce....|\xcf.{8})"
_CLOSED = re.compile(rb"\x93" + _TIME + bytes((CLOSED,)), re.DOTALL)  # a list of three: time, CLOSED, …
_ASSIGNED = re.compile(rb"\x96" + _TIME + bytes((ASSIGNED,)), re.DOTALL)
_WINDOW_BITS = -12  # raw deflate, 4 KB back: a conversation is short, and setting up costs more than compressing


Sender = Literal["customer", "agent", "bot", "system"]
SENDERS: tuple[Sender, ...] = ("customer", "agent", "bot", "system")
CONTENTS = ("text", "image", "card", "file")
Spoken = tuple[int, int, int, int, str]
"""A message: (at, sender, agent, content, text); sender and content are indexes of SENDERS and CONTENTS, agent is an id, 0 for none."""


def pack_facts(facts: Iterable[Fact]) -> bytes:
    """`facts` are sorted."""
    before = 0
    rows = []
    for fact in facts:
        at = fact[0]
        rows.append((at - before, *fact[1:]))
        before = at
    return _encode(rows)


def unpack_facts(packed: bytes) -> list[Fact]:
    at = 0
    facts: list[Fact] = []
    for row in _decode_rows(packed):
        at += row[0]
        row[0] = at
        facts.append(tuple(row))
    return facts


def may_be_eventful(packed: bytes) -> bool:
    """Whether a session may have been assigned or closed more than once, told without unpacking its facts; rarely so where it was not."""
    # Counting the lists of each length alone is many times faster, and tells enough of most.
    return (packed.count(b"\x93") > 1 and len(_CLOSED.findall(packed)) > 1) or (
        packed.count(b"\x96") > 1 and len(_ASSIGNED.findall(packed)) > 1
    )


def pack_messages(messages: Iterable[Spoken]) -> bytes:
    """Messages of the same moment are ordered by what they are, so that a transcript does not depend on the order of arrival."""
    before = 0
    rows: list[Any] = []
    for at, sender, agent, content, text in sorted(messages):
        rows += (at - before, sender | content << 3, agent, text)
        before = at
    deflate = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, 5)
    return deflate.compress(_encode(rows)) + deflate.flush()


def unpack_messages(packed: bytes) -> list[Spoken]:
    rows = iter(msgspec.msgpack.decode(zlib.decompress(packed, _WINDOW_BITS)))
    at = 0
    messages: list[Spoken] = []
    for ago, what, agent, text in zip(rows, rows, rows, rows):
        at += ago
        messages.append((at, what & 7, agent, what >> 3, text))
    return messages
