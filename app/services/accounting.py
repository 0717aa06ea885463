"""订单核算: for each line of an order and each window, who is credited, by which rule, and why nobody else.

It is worked out anew from the facts, by the rules the recorder counts with (domain/attribution.py), and set beside what was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from app.domain.attribution import FIFTEEN_DAYS, Line, Miss, Order, Rule, judge
from app.domain.conversation import KINDS, Session
from app.domain.counters import WINDOWS, Window
from app.domain.language import T, tr
from app.domain.localtime import DAY_MS
from app.domain.terms import MISSES, RULES
from app.services.people import called
from app.storage import schema

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo

_BEFORE, _AFTER = 2 * FIFTEEN_DAYS, 7 * DAY_MS
"""Sessions of the customer this long before and after the order are told of; only those of 15 days before it can be credited."""
_FILES_ALONE = T("导入的文件这样归属；文件没有说明原因。", "Imported files credit it so; they do not tell why.")
_BESIDE_EVENTS = T(
    "导入的文件也有这张订单；以事件为准，文件的归属不计入。",
    "Imported files have this order, too; events go before, so what they credit does not count.",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session of the customer; times epoch ms. `lag_ms` = placed − opened, negative for one opened after the order."""

    session: str
    agent: str | None
    agent_name: str
    kind: str
    opened_at: int
    lag_ms: int
    sku: str
    sku_name: str
    same_sku: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """One window of one line. `counted` is the session the counters hold; it equals the credited one unless the store is damaged."""

    credited: Candidate | None
    rule: Rule
    missed: list[tuple[Candidate, Miss]]
    counted: str | None

    @property
    def agrees(self) -> bool:
        return self.counted == (None if self.credited is None else self.credited.session)

    @property
    def disagreement(self) -> str:
        """What to do where the counters hold another session."""
        counted = self.counted or tr("无人", "nobody")
        return tr(
            f"统计里记的是 {counted}，与核算不符。请用 doctor --repair 重新统计。",
            f"The counters hold {counted}, which differs. Run doctor --repair to count again.",
        )

    def reasons(self) -> list[tuple[Candidate, T, bool]]:
        """(session, why, whether it is credited), the credited one first."""
        found = [(candidate, MISSES[miss], False) for candidate, miss in self.missed]
        return found if self.credited is None else [(self.credited, RULES[self.rule], True), *found]


@dataclass(frozen=True, slots=True)
class AccountLine:
    line: int
    sku: str
    sku_name: str
    quantity: int
    amount_fen: int
    decisions: dict[Window, Decision]


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """A line as a file credits it: the file does not tell the reasons."""

    file: str
    sku: str
    sku_name: str
    agent: str | None
    agent_name: str
    opened_at: int
    placed_at: int
    quantity: int
    amount_fen: int
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An order, times epoch ms, None where it has not happened; `imported` is what files say of it, newest first."""

    order: str
    customer: str
    customer_name: str
    placed_at: int | None
    paid_at: int | None
    shipped_at: int | None
    cancelled_at: int | None
    lines: list[AccountLine]
    imported: list[ImportedLine] = field(default_factory=list)

    @property
    def about_files(self) -> T:
        """What credits that come from files are worth."""
        return _BESIDE_EVENTS if self.lines else _FILES_ALONE

    @property
    def counts(self) -> bool:
        """Placed, and not cancelled within 15 days of placing."""
        return self.placed_at is not None and (self.cancelled_at is None or self.cancelled_at - self.placed_at > FIFTEEN_DAYS)


def account(connection: Connection, store: StoreInfo, code: str) -> Account | None:
    """None for an order nobody has told of."""
    o, c, li, k = schema.orders.c, schema.customers.c, schema.order_lines.c, schema.skus.c
    imported = _imported(connection, store.id, code)
    found = connection.execute(
        select(schema.orders, c.code.label("customer"), c.name.label("customer_name"))
        .select_from(schema.orders.outerjoin(schema.customers, c.id == o.customer_id))
        .where(o.store_id == store.id, o.code == code)
    ).one_or_none()
    if found is None:
        if not imported:
            return None
        first = imported[0]
        return Account(code, "", "", first.placed_at, None, None, first.placed_at if first.cancelled else None, [], imported)
    order = Order(found.id, code)
    order.customer, order.placed_at, order.cancelled_at = found.customer_id, found.placed_at, found.cancelled_at
    records = connection.execute(
        select(schema.order_lines, k.code.label("sku"), k.name.label("sku_name"))
        .select_from(schema.order_lines.join(schema.skus, k.id == li.sku_id))
        .where(li.order_id == order.id)
        .order_by(li.line)
    ).all()
    sessions, told = _sessions(connection, order)
    names = called(connection, store.id)
    lines = []
    for r in records:
        line = Line(r.sku_id, r.quantity, r.amount_fen, (r.session_24h, r.session_7d, r.session_15d))
        decisions = {window: _decide(line, order, sessions, told, names, i) for i, window in enumerate(WINDOWS)}
        lines.append(AccountLine(r.line, r.sku, r.sku_name or r.sku, r.quantity, r.amount_fen, decisions))
    times = (found.placed_at, found.paid_at, found.shipped_at, found.cancelled_at)
    return Account(code, found.customer or "", found.customer_name or "", *times, lines, imported)


def _decide(line: Line, order: Order, sessions: Sequence[Session], told: dict[int, Any], names: Mapping[str, str], window: int) -> Decision:
    verdict = judge(line, order, sessions, list(WINDOWS.values())[window])

    def candidate(session: Session) -> Candidate:
        r, opened = told[session.id], session.opened_at or 0
        return Candidate(
            session.code, r.agent, names.get(r.agent, ""), KINDS[session.kind], opened, (order.placed_at or 0) - opened,
            r.sku or "", r.sku_name or r.sku or "", bool(session.sku) and session.sku == line.sku,
        )  # fmt: skip

    counted = line.credits[window]
    return Decision(
        None if verdict.credited is None else candidate(verdict.credited),
        verdict.rule,
        [(candidate(session), miss) for session, miss in verdict.missed],
        (told[counted].code if counted in told else str(counted)) if counted else None,
    )


def _sessions(connection: Connection, order: Order) -> tuple[list[Session], dict[int, Any]]:
    """The customer's sessions around the order, as the rules want them, and what people call their parts, by id."""
    s, a, k = schema.sessions.c, schema.agents.c, schema.skus.c
    if order.placed_at is None or not order.customer:
        return [], {}
    records = connection.execute(
        select(
            s.id, s.code, s.opened_at, s.kind, s.agent_id, s.sku_id, s.first_reply_ms, a.code.label("agent"),
            k.code.label("sku"), k.name.label("sku_name"),
        )
        .select_from(schema.sessions.outerjoin(schema.agents, a.id == s.agent_id).outerjoin(schema.skus, k.id == s.sku_id))
        .where(s.customer_id == order.customer, s.opened_at >= order.placed_at - _BEFORE, s.opened_at <= order.placed_at + _AFTER)
    ).all()  # fmt: skip
    sessions = []
    for r in records:
        session = Session(r.id, r.code)
        session.opened_at, session.kind, session.agent = r.opened_at, r.kind, r.agent_id
        session.sku, session.first_reply_ms = r.sku_id, r.first_reply_ms
        sessions.append(session)
    return sessions, {r.id: r for r in records}


def _imported(connection: Connection, store: int, code: str) -> list[ImportedLine]:
    io, im, a = schema.imported_orders.c, schema.imports.c, schema.agents.c
    records = connection.execute(
        select(schema.imported_orders, im.file, a.code.label("agent"))
        .select_from(schema.imported_orders.join(schema.imports, im.id == io.import_id).outerjoin(schema.agents, a.id == io.agent_id))
        .where(im.store_id == store, im.undone_at.is_(None), io.order_code == code)
        .order_by(io.import_id.desc(), io.line)
    )
    names = called(connection, store)
    return [
        ImportedLine(
            r.file, r.sku_code, r.sku_name or r.sku_code, r.agent, names.get(r.agent, ""), r.opened_at, r.placed_at, r.quantity,
            r.amount_fen, bool(r.cancelled),
        )
        for r in records
    ]  # fmt: skip
