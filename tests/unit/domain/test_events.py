"""What the event contract takes and refuses, and what it makes of what it takes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import events
from app.domain.events import RejectedError, decode, encode
from tests.oracle.malformed import ACCEPTED, CONTRACT, MALFORMED, Line, dump, example
from tests.oracle.streams import as_text, moment, random_stream, streams


def name(line: Line) -> str:
    return line.why


def stored(value: Any) -> Any:
    """What a value becomes that every database can hold."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    return [stored(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("line", MALFORMED, ids=name)
def test_refused_with_one_short_reason(line: Line) -> None:
    with pytest.raises(RejectedError) as refusal:
        decode(line.line)
    reason = str(refusal.value)
    assert 0 < len(reason) <= 200
    assert "\n" not in reason


@pytest.mark.parametrize("line", ACCEPTED, ids=name)
def test_accepted_and_written_back_the_same(line: Line) -> None:
    event = decode(line.line)
    said, written = json.loads(line.line, parse_int=float), json.loads(encode(event))
    for field in said.keys() & written.keys() - {"at"}:
        assert written[field] == stored(said[field]), field
    assert said.keys() - written.keys() <= {"unknown", "x"}
    assert decode(encode(event)) == event


def test_the_table_covers_every_declared_field() -> None:
    declared = {}
    for struct in events.AnyEvent.__args__:
        info = msgspec.inspect.type_info(struct)
        assert isinstance(info, msgspec.inspect.StructType)
        own = {field.name: field.required for field in info.fields if field.name not in ("id", "at", "store")}
        declared[info.tag] = ({n for n, needed in own.items() if needed}, {n for n, needed in own.items() if not needed})
    assert declared == {kind: (set(required), set(optional)) for kind, (required, optional) in CONTRACT.items()}


@pytest.mark.parametrize(
    ("field", "wrong", "words"),
    [("session", "", "`$.session`"), ("at", "2023-11-15T06:13:20", "timezone"), ("at", 1_700_000_000, "epoch milliseconds"),
     ("sender", "robot", "`$.sender`"), ("agent", "a\0", "NUL")],
)  # fmt: skip
def test_the_reason_says_what_is_wrong(field: str, wrong: object, words: str) -> None:
    with pytest.raises(RejectedError, match=words.replace("$", r"\$")):
        decode(dump(example("message.sent", **{field: wrong})))


def test_the_reason_names_the_missing_field_and_the_unknown_type() -> None:
    with pytest.raises(RejectedError, match="session"):
        decode(dump({"type": "session.closed", "id": "1", "at": 1_700_000_000_000}))
    with pytest.raises(RejectedError, match=r"order\.exploded"):
        decode(dump({"type": "order.exploded", "id": "1", "at": 1_700_000_000_000}))


@pytest.mark.parametrize(
    "at",
    ["2023-11-15T06:13:20+08:00", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000Z", "2023-11-14T17:13:20-05:00", 1_700_000_000_000],
)
def test_the_same_moment_in_every_form(at: object) -> None:
    assert decode(dump(example("order.paid", at=at))).at == 1_700_000_000_000


@given(st.integers(946_684_800_000, 4_102_444_799_999), st.integers(-14 * 60, 14 * 60))
def test_milliseconds_survive_the_way_through_text(at: int, offset: int) -> None:
    found = decode(dump(example("order.paid", at=as_text(at, offset)))).at
    assert type(found) is int
    assert found == at


def test_nul_in_a_text_is_replaced_everywhere_and_nowhere_else() -> None:
    upserted = decode(dump(example("customer.upserted", name="\0a\0", tags=["x", "\0"], region="ok")))
    assert isinstance(upserted, events.CustomerUpserted)
    assert (upserted.name, upserted.tags, upserted.region) == ("\ufffda\ufffd", ["x", "\ufffd"], "ok")
    line = {"sku": "k", "name": "a\0", "quantity": 1, "amount_fen": 1}
    placed = decode(dump(example("order.placed", lines=[line, line])))
    assert isinstance(placed, events.OrderPlaced)
    assert {line.name for line in placed.lines} == {"a\ufffd"}
    kept = decode(dump(example("message.sent", text=r"\u0000")))  # a backslash and five characters
    assert isinstance(kept, events.MessageSent)
    assert kept.text == r"\u0000"


def test_absent_is_told_from_null_where_it_matters() -> None:
    absent, unlimited = decode(dump(example("agent.upserted"))), decode(dump(example("agent.upserted", capacity=None)))
    assert isinstance(absent, events.AgentUpserted)
    assert isinstance(unlimited, events.AgentUpserted)
    assert absent.capacity is msgspec.UNSET
    assert unlimited.capacity is None
    assert decode(encode(absent)) == absent


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_refusal(line: bytes) -> None:
    with pytest.raises(RejectedError):
        decode(line)


@settings(max_examples=300)
@given(st.sampled_from(ACCEPTED[:60]), st.data())
def test_a_damaged_line_does_no_worse_than_a_refusal(line: Line, data: st.DataObject) -> None:
    good = line.line[:500]
    at = data.draw(st.integers(0, len(good)))
    damaged = good[:at] + data.draw(st.binary(max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]
    try:
        event = decode(damaged)
    except RejectedError:
        return
    assert decode(encode(event)) == event
    assert "\0" not in repr(event)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(CONTRACT)), st.data())
def test_any_value_in_any_field_is_taken_whole_or_refused(kind: str, data: st.DataObject) -> None:
    required, optional = CONTRACT[kind]
    field = data.draw(st.sampled_from(["id", "at", "store", *required, *optional]))
    value = data.draw(_json)
    try:
        event = decode(dump(example(kind, True, **{field: value})))
    except RejectedError:
        return
    assert json.loads(encode(event))[field] == stored(value)


@given(streams())
def test_what_the_strategies_say_is_accepted(stream: list[dict[str, object]]) -> None:
    for event in stream:
        decode(dump(event))


def test_what_the_random_streams_say_is_accepted() -> None:
    for said in random_stream(5, 80):
        event = decode(dump(said))
        assert event.at == moment(said["at"])


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("13812345678", "138****5678"), ("+86 138-1234-5678", "861****5678"), ("88886666", "****66"), ("12", "****12"), ("", ""),
     ("unknown", ""), ("138****5678", "138****5678"), ("****66", "****66"), ("13812345678*", "138****5678"),
     ("1381234*5678", "138****5678"), ("8888666*", "****66")],
)  # fmt: skip
def test_phones_are_masked_once_and_for_all(phone: str, masked: str) -> None:
    assert events.mask_phone(phone) == masked
    assert events.mask_phone(masked) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [("北京市朝阳区建国路1号", "北京市朝阳区***"), ("北京市", "北京市***"), ("", ""), ("北京市朝阳区***", "北京市朝阳区***"),
     ("北京市***建国路1号", "北京市***"), ("北京市朝阳区建国路1号*", "北京市朝阳区***")],
)  # fmt: skip
def test_addresses_are_masked_once_and_for_all(address: str, masked: str) -> None:
    assert events.mask_address(address) == masked
    assert events.mask_address(masked) == masked


@given(st.text(alphabet=st.sampled_from("0123456789*+- 京a"), max_size=20))
def test_no_phone_shows_more_than_seven_digits(phone: str) -> None:
    masked = events.mask_phone(phone)
    assert sum(c.isdigit() for c in masked) <= 7
    assert events.mask_phone(masked) == masked
