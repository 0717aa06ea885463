"""Sheets about one thing: an order with who is credited for it and why nobody else, a session with what was said in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from app.domain import terms
from app.domain.counters import Window
from app.domain.kinds import fill
from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.naming import with_code
from app.services.sheet_words import framed
from app.services.sheets import Cell, Column, Sheet
from app.storage.faults import FaultError

if TYPE_CHECKING:
    from app.services.accounting import Account, AccountLine, Decision
    from app.services.workspace import StoreInfo, Workspace

_HOUR_MS = 3_600_000
_ACCOUNT = (
    Column("line", T("行", "Line"), "n"),
    Column("sku", T("商品编号", "SKU")),
    Column("sku_name", T("商品", "Item")),
    Column("quantity", T("件数", "Items"), "n"),
    Column("amount", T("金额(元)", "Amount (¥)"), "yuan"),
    Column("window", T("订单时效", "Order window")),
    Column("outcome", T("结果", "Result")),
    Column("why", T("原因", "Because")),
    Column("agent", T("客服编号", "Agent code")),
    Column("agent_name", T("客服", "Agent")),
    Column("opened", T("咨询时间", "Opened"), "time"),
    Column("lag", T("早于下单(小时)", "Before the order (h)"), "h"),
    Column("about", T("咨询的商品编号", "Asked about, SKU")),
    Column("about_name", T("咨询的商品", "Asked about")),
    Column("session", T("会话", "Session")),
    Column("file", T("导入的文件", "Imported file")),
)
_TRANSCRIPT = (
    Column("at", T("时间", "Time"), "time"),
    Column("sender", T("谁说的", "Said by")),
    Column("name", T("名称", "Name")),
    Column("content", T("类型", "Kind")),
    Column("text", T("内容", "Text")),
)


def account_sheet(workspace: Workspace, store: StoreInfo, order: str, made: int) -> Sheet:
    """A row for each session that could be credited with a line, in each window, and for each line of a file. made: epoch ms.

    Raises NotAllowedError, and FaultError for an order nobody has told of.
    """
    account = workspace.listings.account(store, order)
    if account is None:
        raise FaultError("refused", fill(T("找不到订单 {0}，请核对编号。", "There is no order {0}; check the code."), order))
    local = LocalTime(store.zone)
    times = (
        (T("下单时间", "Placed"), account.placed_at), (T("付款时间", "Paid"), account.paid_at),
        (T("发货时间", "Shipped"), account.shipped_at), (T("取消时间", "Cancelled"), account.cancelled_at),
    )  # fmt: skip
    above = [(tr("订单编号", "Order"), order), (tr("客户", "Customer"), with_code(account.customer, account.customer_name))]
    above += [(str(word), f"{_moment(local, at)}") for word, at in times if at is not None]
    notes = [
        f"{line.sku} · {terms.WINDOWS[window]}: {decision.disagreement}"
        for line in account.lines for window, decision in line.decisions.items() if not decision.agrees
    ]  # fmt: skip
    if account.imported:
        notes.append(str(account.about_files))
    return Sheet(
        tr(f"订单核算 {order}", f"Order check {order}"), _ACCOUNT, (), _account_rows(account, local), notes, framed(above, store, made)
    )


def _account_rows(account: Account, local: LocalTime) -> Iterator[list[Cell]]:
    for line in account.lines:
        for window, decision in line.decisions.items():
            yield from _of_window(line, window, decision, local)
    for number, told in enumerate(account.imported, 1):
        yield [
            number, told.sku, told.sku_name, told.quantity, told.amount_fen / 100, None,
            tr("不计入", "Does not count") if account.lines else tr("归属", "Credited"), None, told.agent, told.agent_name,
            _moment(local, told.opened_at), (told.placed_at - told.opened_at) / _HOUR_MS, None, None, None, told.file,
        ]  # fmt: skip


def _of_window(line: AccountLine, window: Window, decision: Decision, local: LocalTime) -> Iterator[list[Cell]]:
    about: list[Cell] = [line.line + 1, line.sku, line.sku_name, line.quantity, line.amount_fen / 100, str(terms.WINDOWS[window])]
    found = decision.reasons()
    if not found:
        yield [*about, tr("无人", "Nobody"), str(terms.RULES[decision.rule]), *[None] * 8]
    for candidate, why, credited in found:
        yield [
            *about, tr("归属", "Credited") if credited else tr("未归属", "Not credited"), str(why), candidate.agent, candidate.agent_name,
            _moment(local, candidate.opened_at), candidate.lag_ms / _HOUR_MS, candidate.sku, candidate.sku_name, candidate.session, None,
        ]  # fmt: skip


def transcript_sheet(workspace: Workspace, store: StoreInfo, session: str, made: int) -> Sheet:
    """A row for each message, oldest first. made: epoch ms. Raises NotAllowedError, and FaultError for an unknown session."""
    found = workspace.live.transcript(store, session)
    if found is None:
        raise FaultError("refused", fill(T("找不到会话 {0}。", "There is no session {0}."), session))
    local, info = LocalTime(store.zone), found.session
    whose = tr("客服", "Agent") if info.waits is None else tr("原客服", "Agent before")
    closed = "" if info.closed_at is None else f"{_moment(local, info.closed_at)}"
    above = [
        (tr("会话", "Session"), session), (tr("客户", "Customer"), with_code(info.customer, info.customer_name)),
        (whose, with_code(info.agent, info.agent_name)), (tr("咨询组", "Group"), info.group),
        (tr("开始时间", "Opened"), f"{_moment(local, info.opened_at)}"), (tr("结束时间", "Closed"), closed),
    ]  # fmt: skip
    reasons = [str(sentence) for sentence in workspace.decisions.why(store, session)]
    rows: list[list[Cell]] = [
        [_moment(local, said.at), str(terms.SENDERS[said.sender]), said.name, _content(said.content), said.text] for said in found.messages
    ]
    title = tr(f"聊天记录 {session}", f"Transcript {session}")
    lines = [(word, what) for word, what in above if what]
    return Sheet(title, _TRANSCRIPT, (), rows, reasons, framed(lines, store, made), len(rows))


def _content(content: str) -> str:
    return str(terms.CONTENTS[content]).strip("[]") if content in terms.CONTENTS else tr("文字", "Text")


def _moment(local: LocalTime, at: int) -> datetime:
    """Spreadsheets know no zones: the wall clock of the store."""
    return local.local(at).replace(microsecond=0, tzinfo=None)
