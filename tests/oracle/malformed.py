"""Lines no one may accept, each with what is wrong with it, and ugly lines everyone must.

Most are derived from the table of the contract below: every field of every type left out, mistyped, out of its range.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

AT = 1_700_000_000_000


class Line(NamedTuple):
    line: bytes
    why: str
    """What is wrong with it, or what is special about it."""


class Enum(NamedTuple):
    values: tuple[str, ...]


class Int(NamedTuple):
    low: int
    high: int


CODE, TEXT, BOOL, TEXTS, LINES = "code", "text", "bool", "texts", "lines"

# (required fields, optional fields) of each type, beyond the common ones.
CONTRACT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "agent.upserted": ({"agent": CODE}, {"name": TEXT, "team": TEXT, "role": TEXT, "capacity": Int(0, 999)}),
    "agent.presence": ({"agent": CODE, "state": Enum(("available", "away", "suspended", "offline"))}, {}),
    "customer.upserted": ({"customer": CODE}, {"name": TEXT, "region": TEXT, "tags": TEXTS, "phone": TEXT, "address": TEXT}),
    "visitor.entered": ({"customer": CODE, "available": BOOL}, {}),
    "session.opened": (
        {"session": CODE, "customer": CODE},
        {
            "kind": Enum(("online", "leave")),
            "channel": Enum(("app", "web", "mini", "phone", "other")),
            "page": Enum(("item", "shop", "order", "logistics")),
            "sku": CODE,
            "region": TEXT,
            "order_state": Enum(("none", "placed")),
            "agent": CODE,
            "group": CODE,
        },
    ),
    "session.assigned": (
        {"session": CODE, "agent": CODE},
        {"group": CODE, "reason": Enum(("routed", "returning", "transfer", "manual", "leave"))},
    ),
    "message.sent": (
        {"session": CODE, "sender": Enum(("customer", "agent", "bot", "system"))},
        {"agent": CODE, "text": TEXT, "content": Enum(("text", "image", "card", "file"))},
    ),
    "session.closed": ({"session": CODE}, {"by": Enum(("customer", "agent", "timeout", "system"))}),
    "session.flagged": ({"session": CODE, "flag": Enum(("spam", "bot_only"))}, {}),
    "rating.invited": ({"session": CODE}, {}),
    "rating.given": ({"session": CODE, "score": Int(1, 5)}, {"resolved": BOOL, "comment": TEXT}),
    "order.placed": ({"order": CODE, "customer": CODE, "lines": LINES}, {}),
    "order.paid": ({"order": CODE}, {}),
    "order.shipped": ({"order": CODE}, {}),
    "order.cancelled": ({"order": CODE}, {}),
    "question.clicked": ({"customer": CODE, "question": CODE}, {"session": CODE}),
    "entry.clicked": ({"customer": CODE, "entry": CODE}, {}),
}
NULLABLE = {("agent.upserted", "capacity"), ("rating.given", "resolved")}


def example(kind: str, full: bool = False, /, **changes: Any) -> dict[str, Any]:
    """A valid event of this type, with only its required fields or with all; `changes` replace or add fields."""
    required, optional = CONTRACT[kind]
    fields = {**required, **optional} if full else required
    return {"type": kind, "id": "e1", "at": AT, **{name: _good(shape) for name, shape in fields.items()}, **changes}


def dump(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _good(shape: Any) -> Any:
    if isinstance(shape, Enum):
        return shape.values[0]
    if isinstance(shape, Int):
        return shape.low
    return {
        CODE: "x1", TEXT: "hello", BOOL: True, TEXTS: ["a", "b"], LINES: [{"sku": "k1", "name": "n", "quantity": 1, "amount_fen": 100}],
    }[shape]  # fmt: skip


def _bad(shape: Any) -> Iterator[tuple[Any, str]]:
    """(value, what is wrong) for one field."""
    for value, name in ((7, "an integer"), (1.5, "a float"), (True, "a boolean"), ("x1", "a text"), ([], "a list"), ({}, "an object")):
        fits = {
            "an integer": isinstance(shape, Int),
            "a boolean": shape == BOOL,
            "a text": shape in (CODE, TEXT),
        }
        if name == "a list" and shape == TEXTS:
            continue
        if not fits.get(name, False):
            yield value, name
    if shape == CODE:
        yield "", "empty"
        yield "x" * 129, "129 characters long"
        yield "客" * 129, "129 Chinese characters long"
        yield "a\0b", "with a NUL"
    elif isinstance(shape, Enum):
        yield "", "empty"
        yield shape.values[0].upper(), "in capitals"
        yield shape.values[0] + " ", "with a space behind"
    elif isinstance(shape, Int):
        yield shape.low - 1, "too small"
        yield shape.high + 1, "too large"
        yield 10**30, "huge"
        yield float(shape.low), "a float, though whole"
        yield str(shape.low), "a number as text"
    elif shape == BOOL:
        yield 0, "0"
        yield "true", "a boolean as text"
    elif shape == TEXTS:
        yield [1], "a list of integers"
        yield [None], "a list with null"
        yield [["a"]], "a list of lists"
    elif shape == LINES:
        yield [1], "a list of integers"
        yield [None], "a list with null"
        good = _good(LINES)[0]
        for name, line_shape in (("sku", CODE), ("quantity", Int(1, 1_000_000)), ("amount_fen", Int(0, 100_000_000_000))):
            yield [{field: value for field, value in good.items() if field != name}], f"a line without {name}"
            yield [{**good, name: None}], f"a line with {name} null"
            for value, wrong in _bad(line_shape):
                yield [good, {**good, name: value}], f"a line with {name} {wrong}"
        for value, wrong in _bad(TEXT):
            yield [{**good, "name": value}], f"a line with name {wrong}"


def _derived() -> Iterator[Line]:
    for kind, (required, optional) in CONTRACT.items():
        for name in ("id", "at", *required):
            yield Line(dump({n: v for n, v in example(kind, True).items() if n != name}), f"{kind} without {name}")
            yield Line(dump(example(kind, **{name: None})), f"{kind} with {name} null")
        for name, shape in {"id": CODE, "store": CODE, **required, **optional}.items():
            for value, wrong in _bad(shape):
                if name == "id" and "long" in wrong:
                    continue
                yield Line(dump(example(kind, **{name: value})), f"{kind} with {name} {wrong}")
        for value, wrong in _BAD_MOMENTS:
            yield Line(dump(example(kind, at=value)), f"{kind} at {wrong}")
        good = dump(example(kind, True))
        yield Line(good[: len(good) // 2], f"{kind} cut in half")
        yield Line(good[:-1], f"{kind} without its last brace")
        yield Line(b"[" + good + b"]", f"{kind} in an array")
        yield Line(dump({**example(kind), "type": kind.replace(".", "_")}), f"{kind} misspelt")


_BAD_MOMENTS: tuple[tuple[Any, str], ...] = (
    (AT // 1000, "in seconds, so in 1970"),
    (AT * 1000, "in microseconds"),
    (0, "0"),
    (-AT, "negative"),
    (946_684_799_999, "a millisecond before the year 2000"),
    (4_102_444_800_000, "in the year 2100"),
    (10**30, "huge"),
    (float(AT), "a float, though whole"),
    (AT + 0.5, "a float"),
    (True, "a boolean"),
    (str(AT), "a number as text"),
    ("", "empty"),
    ("2023-11-15T06:13:20", "without an offset"),
    ("2023-11-15", "a date"),
    ("06:13:20+08:00", "a time of day"),
    ("2023-13-15T06:13:20+08:00", "in month 13"),
    ("2023-02-29T06:13:20+08:00", "on 29 February of no leap year"),
    ("2023-11-15T25:13:20+08:00", "at 25 o'clock"),
    ("2023-11-15T06:13:20+99:00", "at an impossible offset"),
    ("0001-01-01T00:00:00+14:00", "in the year 0 of UTC"),
    ("9999-12-31T23:59:59-14:00", "in the year 10000 of UTC"),
    ("1970-01-20T16:13:20Z", "in 1970"),
    ("15/11/2023 06:13", "as people write it"),
    ("٢٠٢٣-11-15T06:13:20Z", "in other digits"),
    ([AT], "a list"),
    ({"ms": AT}, "an object"),
)


def _raw(at: str = str(AT), order: str = '"o1"', more: str = "") -> bytes:
    return f'{{"type":"order.paid","id":"e1","at":{at},"order":{order}{more}}}'.encode()


DEEP = 100_000
MEGABYTE = 1_000_000

_BROKEN = (
    Line(b"", "an empty line"),
    Line(b"   ", "white space"),
    Line(b"\0", "a NUL byte"),
    Line(b"\0" * 4096, "a hole in a file"),
    Line(b"hello", "not JSON"),
    Line(b"null", "null"),
    Line(b"true", "a boolean"),
    Line(b"17", "a number"),
    Line(b'"order.paid"', "a text"),
    Line(b"[]", "an empty array"),
    Line(b"{}", "an empty object"),
    Line(b"{", "an open brace"),
    Line(b"id,at,type\n", "CSV"),
    Line(b"{'type':'order.paid'}", "single quotes"),
    Line(b'{"type":null}', "type null"),
    Line(b'{"type":7,"id":"e1","at":1700000000000}', "type a number"),
    Line(b'{"type":"","id":"e1","at":1700000000000}', "type empty"),
    Line(b'{"type":"order.exploded","id":"e1","at":1700000000000,"order":"o1"}', "unknown type"),
    Line(b'{"type":"' + b"y" * MEGABYTE + b'","id":"e1","at":1700000000000}', "a type of 1 MB"),
    Line(b'{"id":"e1","at":1700000000000,"order":"o1"}', "no type"),
    Line(b'{"type":["order.paid"],"id":"e1","at":1700000000000,"order":"o1"}', "type a list"),
    Line(dump(example("order.paid", id="x" * 257)), "an id of 257 characters"),
    Line(dump(example("order.placed", lines=[])), "no lines"),
    Line(dump(example("order.placed", lines=_good(LINES) * 1001)), "1001 lines"),
    Line(dump(example("order.placed", lines=_good(LINES)[0])), "one line that is not in a list"),
    Line(_raw() + b"x", "something behind the object"),
    Line(_raw() + _raw(), "two objects in a line"),
    Line(_raw() + b",", "a comma behind the object"),
    Line(b"\xef\xbb\xbf" + _raw(), "a byte order mark"),
    Line(_raw().decode().encode("utf-16"), "UTF-16"),
    Line(_raw(order='"订单"').decode().encode("gbk"), "GBK"),
    Line(_raw(at="NaN"), "NaN"),
    Line(_raw(at="-Infinity"), "infinity"),
    Line(_raw(at="1e400"), "a number beyond floats"),
    Line(_raw(at="1e999999999"), "a number far beyond floats"),
    Line(_raw(at="9" * 5000), "a time of 5000 digits"),
    Line(_raw(at="9" * MEGABYTE), "a time of a million digits"),
    Line(_raw(at="01700000000000"), "a leading zero"),
    Line(_raw(at="0x18BCFE56800"), "hexadecimal"),
    Line(_raw(at="1_700_000_000_000"), "underscores in a number"),
    Line(_raw(more=',"x":NaN'), "NaN in an unknown field"),
    Line(_raw(more=","), "a comma before the brace"),
    Line(_raw(more=',"x":tru'), "a misspelt literal"),
    Line(_raw(more=' // "x"'), "a comment"),
    Line(_raw(order=r'"\ud800"'), "a lone high surrogate"),
    Line(_raw(order=r'"\udc00"'), "a lone low surrogate"),
    Line(_raw(order=r'"\ud800\ud800"'), "two high surrogates"),
    Line(_raw(order=r'"\ud800\u0041"'), "half a surrogate pair"),
    Line(_raw(order=r'"a\u0000"'), "an escaped NUL in a code"),
    Line(_raw(order=r'"\x41"'), "an unknown escape"),
    Line(_raw(order=r'"\u12"'), "a cut escape"),
    Line(_raw(order='"\n"'), "a raw line break in a text"),
    Line(_raw(order='"\0"'), "a raw NUL in a code"),
    Line(_raw().replace(b"o1", b"\xff"), "a byte that is never UTF-8"),
    Line(_raw().replace(b"o1", b"\xe5\xae"), "a cut UTF-8 sequence"),
    Line(_raw().replace(b"o1", b"\xc0\x80"), "an overlong NUL"),
    Line(_raw().replace(b"o1", b"\xed\xa0\x80"), "a surrogate in UTF-8"),
    Line(_raw().replace(b"o1", b"\xf5\x80\x80\x80"), "UTF-8 beyond Unicode"),
    Line(dump(example("message.sent", text="x")).replace(b'"x"', b'"\xff"'), "a text that is not UTF-8"),
    Line(b"[" * DEEP, "a nesting bomb of arrays"),
    Line(b'{"a":' * DEEP, "a nesting bomb of objects"),
    Line(b'{"type":' + b"[" * DEEP, "a nesting bomb for a type"),
    Line(_raw(at="[" * DEEP), "a nesting bomb for a time"),
    Line(_raw(more=',"x":' + "[" * DEEP + "]" * DEEP), "deep nesting in an unknown field"),
    Line(dump(example("order.placed")).replace(b'"lines": [', b'"lines": [' + b"[" * DEEP), "a nesting bomb for lines"),
)

MALFORMED: tuple[Line, ...] = (*_BROKEN, *_derived())


def _accepted() -> Iterator[Line]:
    for kind, (required, optional) in CONTRACT.items():
        yield Line(dump(example(kind)), f"{kind}, required fields only")
        yield Line(dump(example(kind, True, store="shop")), f"{kind}, all fields")
        yield Line(dump(example(kind, unknown={"x": [1, None, "\0"]})), f"{kind} with an unknown field")
        yield Line(dump(dict(reversed(example(kind, True).items()))), f"{kind}, type last")
        for name, shape in {**required, **optional}.items():
            if isinstance(shape, Enum):
                for value in shape.values:
                    yield Line(dump(example(kind, **{name: value})), f"{kind}, {name} {value}")
            elif isinstance(shape, Int):
                for number in (shape.low, shape.high):
                    yield Line(dump(example(kind, **{name: number})), f"{kind}, {name} {number}")
            elif shape == CODE:
                for code, what in (("x" * 128, "ASCII"), ("🦊" * 128, "emoji"), (" ", "white space"), ("'; drop table x; --", "SQL")):
                    yield Line(dump(example(kind, **{name: code})), f"{kind}, {name} of {what}")
            elif shape == TEXT:
                for text, what in TEXTS_TO_KEEP:
                    yield Line(dump(example(kind, **{name: text})), f"{kind}, {name} {what}")
        for name in optional:
            if (kind, name) in NULLABLE:
                yield Line(dump(example(kind, **{name: None})), f"{kind}, {name} null")
    for at, what in (
        ("2023-11-15T06:13:20+08:00", "with an offset"),
        ("2023-11-14T22:13:20Z", "with Z"),
        ("2023-11-14T22:13:20.000Z", "with milliseconds"),
        ("2023-11-14T22:13:20.000000Z", "with microseconds"),
        ("2023-11-15T03:43:20+05:30", "with half an hour of offset"),
        ("2023-11-14T17:13:20-05:00", "west of Greenwich"),
        (AT, "in milliseconds"),
    ):
        yield Line(dump(example("order.paid", at=at)), f"the same moment {what}")
    yield Line(_raw() + b"\r\n", "a Windows line end")
    yield Line(b"\t " + _raw() + b"  ", "white space around")
    yield Line(_raw(order=r'"\ud83e\udd8a"'), "an escaped surrogate pair")
    yield Line(_raw(order=r'"\\u0000"'), "a backslash and u0000, which is no NUL")
    yield Line(_raw(more=',"x":' + "9" * 5000), "a number of 5000 digits in an unknown field")
    yield Line(_raw(more=',"x":' + "[" * 50 + "]" * 50), "some nesting in an unknown field")
    yield Line(dump(example("order.placed", lines=_good(LINES) * 1000)), "1000 lines")
    for name, most in (("quantity", 1_000_000), ("amount_fen", 100_000_000_000)):
        yield Line(dump(example("order.placed", lines=[{**_good(LINES)[0], name: most}])), f"the largest {name}")
    yield Line(dump(example("order.placed", lines=[{**_good(LINES)[0], "amount_fen": 0}])), "a gift")
    yield Line(dump(example("customer.upserted", tags=[])), "no tags")
    yield Line(dump(example("customer.upserted", tags=["", "a\0b", "🦊"])), "ugly tags")
    yield Line(dump(example("order.paid", id="x" * 256)), "an id of 256 characters")
    yield Line(dump(example("order.paid", at=946_684_800_000)), "the first moment of 2000")
    yield Line(dump(example("order.paid", at=4_102_444_799_999)), "the last moment of 2099")


TEXTS_TO_KEEP: tuple[tuple[str, str], ...] = (
    ("", "empty"),
    ("客" * (MEGABYTE // 3), "of 1 MB"),
    ("👨‍👩‍👧‍👦🏳️‍🌈🇨🇳", "of emoji"),
    ("\u202e\u0627\u0644\u0633\u0644\u0627\u0645 \u05e9\u05dc\u05d5\u05dd\u202c", "from right to left"),
    ("a\0b\0", "with NULs"),
    ("<script>alert(1)</script><img src=x onerror=y>&amp;", "of HTML"),
    ("=cmd|' /C calc'!A0", "a formula"),
    ("+1\t-1\t@SUM(A1)\r", "more formulas"),
    ("'; drop table sessions; --", "of SQL"),
    ("%s {0} ${x} \\n \\", "of placeholders"),
    ("e\u0301 \u00e9 \ufeff\u200b\u2028\u2029\ufffe", "of combining and invisible characters"),
    ("\x01\x1b[31m\x7f\x85", "of control characters"),
    ("Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘", "of stacked accents"),
)

ACCEPTED: tuple[Line, ...] = tuple(_accepted())
