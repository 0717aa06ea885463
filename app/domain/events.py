"""The event contract: what a source may say about a store, one struct per type.

The structs are the single declaration of the contract; decoding, validation and the reasons of rejection come from them.
After decoding, `at` is always integer milliseconds since the epoch (UTC) and texts are safe to store in any database.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

MAX_CODE = 128  # characters of a code
Code = Annotated[str, Meta(min_length=1, max_length=MAX_CODE)]
EventId = Annotated[str, Meta(min_length=1, max_length=256)]
if TYPE_CHECKING:
    At = int
else:  # what may stand in the JSON; after decoding it is always integer milliseconds
    At = Annotated[datetime, Meta(tz=True)] | int
State = Literal["available", "away", "suspended", "offline"]
Kind = Literal["online", "leave"]
Channel = Literal["app", "web", "mini", "phone", "other"]
Page = Literal["item", "shop", "order", "logistics"]
OrderState = Literal["none", "placed"]
Reason = Literal["routed", "returning", "transfer", "manual", "leave"]
Sender = Literal["customer", "agent", "bot", "system"]
Content = Literal["text", "image", "card", "file"]
ClosedBy = Literal["customer", "agent", "timeout", "system"]
Flag = Literal["spam", "bot_only"]

# An event outside these years is a source's broken clock or a wrong unit (seconds for milliseconds), not a fact.
EARLIEST = 946_684_800_000  # 2000-01-01
LATEST = 4_102_444_800_000  # 2100-01-01

MAX_AMOUNT_FEN = 100_000_000_000  # a thousand million yuan in one line: a unit error, and sums stay far from 64 bits
MAX_QUANTITY = 1_000_000
MAX_REASON = 200  # characters of a reason of rejection


class Event(Struct, tag_field="type", kw_only=True, gc=False):
    """Common to all. `id` is unique within its source; `at` is epoch milliseconds after decoding."""

    id: EventId
    at: At
    store: Code | None = None

    def __post_init__(self) -> None:
        at: object = self.at
        if isinstance(at, datetime):
            self.at = round(at.timestamp() * 1000)
        if not EARLIEST <= self.at < LATEST:
            raise ValueError("`at` is outside the years 2000 to 2099; give RFC 3339 with offset or epoch milliseconds")


class AgentUpserted(Event, tag="agent.upserted", kw_only=True):
    agent: Code
    name: str | None = None
    team: str | None = None
    role: str | None = None
    capacity: Annotated[int, Meta(ge=0, le=999)] | UnsetType | None = UNSET


class AgentPresence(Event, tag="agent.presence", kw_only=True):
    agent: Code
    state: State


class CustomerUpserted(Event, tag="customer.upserted", kw_only=True):
    customer: Code
    name: str | None = None
    region: str | None = None
    tags: list[str] | None = None
    phone: str | None = None
    address: str | None = None


class VisitorEntered(Event, tag="visitor.entered", kw_only=True):
    customer: Code
    available: bool


class SessionOpened(Event, tag="session.opened", kw_only=True):
    session: Code
    customer: Code
    kind: Kind = "online"
    channel: Channel = "other"
    page: Page | None = None
    sku: Code | None = None
    region: str | None = None
    order_state: OrderState | None = None
    agent: Code | None = None
    group: Code | None = None


class SessionAssigned(Event, tag="session.assigned", kw_only=True):
    session: Code
    agent: Code
    group: Code | None = None
    reason: Reason | None = None


class MessageSent(Event, tag="message.sent", kw_only=True):
    session: Code
    sender: Sender
    agent: Code | None = None
    text: str | None = None
    content: Content = "text"


class SessionClosed(Event, tag="session.closed", kw_only=True):
    session: Code
    by: ClosedBy | None = None


class SessionFlagged(Event, tag="session.flagged", kw_only=True):
    session: Code
    flag: Flag


class RatingInvited(Event, tag="rating.invited", kw_only=True):
    session: Code


class RatingGiven(Event, tag="rating.given", kw_only=True):
    session: Code
    score: Annotated[int, Meta(ge=1, le=5)]
    resolved: bool | None = None
    comment: str | None = None


class OrderLine(Struct, kw_only=True, gc=False):
    """One line of an order; `amount_fen` is the net amount of the whole line."""

    sku: Code
    name: str | None = None
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
    amount_fen: Annotated[int, Meta(ge=0, le=MAX_AMOUNT_FEN)]


class OrderPlaced(Event, tag="order.placed", kw_only=True):
    order: Code
    customer: Code
    lines: Annotated[list[OrderLine], Meta(min_length=1, max_length=1000)]


class OrderPaid(Event, tag="order.paid", kw_only=True):
    order: Code


class OrderShipped(Event, tag="order.shipped", kw_only=True):
    order: Code


class OrderCancelled(Event, tag="order.cancelled", kw_only=True):
    order: Code


class QuestionClicked(Event, tag="question.clicked", kw_only=True):
    customer: Code
    question: Code
    session: Code | None = None


class EntryClicked(Event, tag="entry.clicked", kw_only=True):
    customer: Code
    entry: Code


SessionEvent = SessionOpened | SessionAssigned | MessageSent | SessionClosed | SessionFlagged | RatingInvited | RatingGiven
OrderEvent = OrderPlaced | OrderPaid | OrderShipped | OrderCancelled
AnyEvent = (
    MessageSent
    | SessionOpened
    | SessionAssigned
    | SessionClosed
    | SessionFlagged
    | RatingInvited
    | RatingGiven
    | AgentUpserted
    | AgentPresence
    | CustomerUpserted
    | VisitorEntered
    | OrderPlaced
    | OrderPaid
    | OrderShipped
    | OrderCancelled
    | QuestionClicked
    | EntryClicked
)

_E = TypeVar("_E", bound=Event)


class ByType:
    """Events sorted by what they are; within a type in the order given."""

    def __init__(self, events: Iterable[AnyEvent]) -> None:
        self._of: defaultdict[type, list[Any]] = defaultdict(list)
        for event in events:
            self._of[type(event)].append(event)

    def of(self, kind: type[_E]) -> list[_E]:
        return self._of.get(kind, [])


_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()

# Fields that identify something: a NUL in one cannot be stored and must not be silently changed into another identity.
_CODES = ("id", "store", "agent", "group", "customer", "session", "order", "sku", "question", "entry")


class RejectedError(ValueError):
    """The line cannot be taken; `str()` is the reason, one sentence."""


def decode(line: bytes) -> AnyEvent:
    """One NDJSON line to a typed event.

    Raises RejectedError with the reason: not JSON, unknown type, a missing or mistyped field, an impossible value.
    """
    try:
        event: AnyEvent = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)  # may quote the line, which may be huge
        raise RejectedError(reason if len(reason) <= MAX_REASON else reason[: MAX_REASON - 1] + "…") from None
    if b"\\u0000" in line:
        _make_storable(event)
    return event


def encode(event: AnyEvent) -> bytes:
    """The NDJSON line of an event, without the line break; `decode` of it gives an equal event."""
    return _encoder.encode(event)


def _make_storable(event: AnyEvent) -> None:
    """NUL in a code is refused; in free text it becomes U+FFFD (PostgreSQL cannot hold it)."""
    structs: list[Struct] = [event]
    if isinstance(event, OrderPlaced):
        structs.extend(event.lines)
    for struct in structs:
        for field in struct.__struct_fields__:
            value = getattr(struct, field)
            if isinstance(value, str) and "\x00" in value:
                if field in _CODES:
                    raise RejectedError(f"`{field}` contains a NUL character")
                setattr(struct, field, value.replace("\x00", "�"))
            elif isinstance(value, list) and value and isinstance(value[0], str):
                setattr(struct, field, [item.replace("\x00", "�") for item in value])


_MASKED_PHONE = re.compile(r"\d{0,3}\*+\d{0,4}")


def mask_phone(phone: str) -> str:
    """138****1234: the first three and last four digits of a long number, otherwise only its last two.

    A number that shows no more than that already is returned as it is.
    """
    if _MASKED_PHONE.fullmatch(phone):
        return phone
    digits = "".join(c for c in phone if c.isdigit())
    if not digits:
        return ""
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "****" + digits[-2:]


def mask_address(address: str) -> str:
    """Keeps the first six characters (province and city) or what stands before the first asterisk, hides the rest."""
    return address.split("*")[0][:6] + "***" if address else address
