"""订单核算 on the screen: an order, and for each of its lines who got the credit, by which rule, and why nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.domain.counters import WINDOWS, Window
from app.domain.language import T, tr
from app.domain.terms import RULES
from ui.pages.registry import Page
from ui.theme import ROW_HEIGHT, SPACE_1, SPACE_2, SPACE_3, SPACE_4
from ui.widgets.empty import EmptyState
from ui.widgets.figures import Figure, Figures
from ui.widgets.table import Cell, Cells, Column, DataTable, RowTableModel

if TYPE_CHECKING:
    from app.services.accounting import Account, AccountLine, Candidate, Decision, ImportedLine

_WINDOW_WORDS: dict[Window, T] = {
    "24h": T("24小时时效", "24 h window"), "7d": T("7天时效", "7 d window"), "15d": T("15天时效", "15 d window"),
}  # fmt: skip
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_MOST_ROWS_SHOWN, _EMPTY_HEIGHT = 8, 132


class AccountView(QScrollArea):
    """`session_wanted(code)` and `agent_wanted(code)`: a candidate was opened, or its agent."""

    session_wanted = Signal(str)
    agent_wanted = Signal(str)

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._local = page.context.workspace.local(page.context.store)
        self.tables: list[DataTable] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName(tr("订单核算", "Order check"))

    def ask(self, order: str, window: Window) -> None:
        """Check an order; window: the one that is chosen."""
        if not order:
            self._explain(
                "orders", tr("核算一张订单", "Check an order"),
                tr("输入订单编号，看每件商品在三种时效下归给谁、依据哪条规则、其他会话为什么没有归属。",
                   "Type an order code to see who is credited for each item in each window, by which rule, and why nobody else."),
            )  # fmt: skip
            return
        listings, store = self._page.context.workspace.listings, self._page.context.store
        self._page.read("account", lambda: listings.account(store, order), lambda found: self._take_account(found, window), order)

    def _take_account(self, account: Account | None, window: Window) -> None:
        if account is None:
            self._explain(
                "lookup", tr("找不到这张订单", "This order cannot be found"),
                tr("请核对订单编号；编号要完整，区分大小写。", "Check the code: it has to be whole, and upper and lower case count."),
            )  # fmt: skip
        else:
            self.show_account(account, window)

    def _explain(self, icon: str, title: str, sentence: str) -> None:
        self.tables = []
        self._take(EmptyState(icon, title, sentence))

    def _take(self, widget: QWidget) -> None:
        self.setWidget(widget)
        widget.setAutoFillBackground(False)  # the card beneath shows through

    def show_account(self, account: Account, window: Window) -> None:
        self.tables = []
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE_4, SPACE_3, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        title = QLabel(tr(f"订单 {account.order}", f"Order {account.order}"), inside)
        title.setProperty("look", "section")
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        figures = Figures(inside)
        figures.set_figures(self._facts(account))
        column.addWidget(title)
        column.addWidget(figures)
        if account.cancelled_at is not None and not account.imported:
            column.addWidget(_note(self._cancelled(account), inside))
        for line in account.lines:
            column.addWidget(self._line(line, window, inside))
        if account.imported:
            column.addWidget(self._imported(account, inside))
        column.addStretch(1)
        place = self.verticalScrollBar().value()
        self._take(inside)
        self.verticalScrollBar().setValue(place)

    def _facts(self, account: Account) -> list[Figure]:
        amount = sum(line.amount_fen for line in account.lines) or sum(line.amount_fen for line in account.imported)
        state = "cancelled" if account.cancelled_at else "shipped" if account.shipped_at else "paid" if account.paid_at else "placed"
        words = {
            "cancelled": T("已取消", "Cancelled"), "shipped": T("已发货", "Shipped"), "paid": T("已付款", "Paid"),
            "placed": T("已下单", "Placed"),
        }  # fmt: skip
        return [
            Figure(tr("客户", "Customer"), account.customer_name or account.customer or "--"),
            Figure(tr("下单时间", "Placed"), self._moment(account.placed_at)),
            Figure(tr("订单状态", "State"), str(words[state]), "", "warn" if state == "cancelled" else ""),
            Figure(tr("金额", "Amount"), f"{amount / 100:,.2f}", tr("元", "CNY")),
        ]

    def _cancelled(self, account: Account) -> str:
        when = self._moment(account.cancelled_at)
        if account.counts:
            return tr(f"{when} 取消，已过15天，仍然计入。", f"Cancelled {when}, later than 15 days after it was placed: it still counts.")
        return tr(f"{when} 取消，在15天内，不计给任何人。", f"Cancelled {when}, within 15 days of placing: it counts for nobody.")

    def _line(self, line: AccountLine, window: Window, parent: QWidget) -> QWidget:
        card = QFrame(parent)
        card.setProperty("look", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(1, SPACE_3, 1, SPACE_1)
        column.setSpacing(SPACE_2)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_4, 0, SPACE_4, 0)
        name = QLabel(line.sku_name, card)
        name.setProperty("look", "emphasis")
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        amount = f"{line.amount_fen / 100:,.2f}"
        about = QLabel(
            tr(f"{line.sku} · {line.quantity} 件 · {amount} 元", f"{line.sku} · {line.quantity} pcs · {amount} CNY"), card
        )  # fmt: skip
        about.setProperty("look", "caption")
        head.addWidget(name, 1)
        head.addWidget(about)
        column.addLayout(head)
        decision = line.decisions[window]
        answers = Figures(card)
        answers.set_figures([_answer(key, line.decisions[key], key == window) for key in WINDOWS])
        room = QVBoxLayout()
        room.setContentsMargins(SPACE_4, 0, SPACE_4, 0)
        room.setSpacing(SPACE_2)
        room.addWidget(answers)
        room.addWidget(_note(_because(decision, window), card))
        if not decision.agrees:
            room.addWidget(_note(decision.disagreement, card, "warn"))
        column.addLayout(room)
        column.addWidget(self._candidates(decision, card))
        return card

    def _candidates(self, decision: Decision, parent: QWidget) -> QWidget:
        columns = (
            Column("outcome", T("结果", "Outcome"), "state", 96, sticky=True, sortable=False),
            Column("why", T("原因", "Because"), "text", 200, sortable=False),
            Column("agent", T("客服", "Agent"), "text", 96, sortable=False, link=True),
            Column("opened", T("咨询时间", "Opened"), "text", 108, sortable=False),
            Column("lag", T("距下单", "Before the order"), "number", 88, sortable=False),
            Column("sku", T("咨询的商品", "Asked about"), "text", 176, sortable=False),
            Column("session", T("会话", "Session"), "text", 120, sortable=False),
        )
        rows = [(c.session, self._cells(c, str(why), credited), c.agent) for c, why, credited in decision.reasons()]
        return self._table(columns, rows, parent)

    def _cells(self, candidate: Candidate, why: str, credited: bool) -> Cells:
        outcome = Cell(tr("归属", "Credited"), None, "good") if credited else Cell(tr("未归属", "Not credited"), None, "quiet")
        same = tr("本商品 ", "This item: ") if candidate.same_sku else ""
        return {
            "outcome": outcome,
            "why": Cell(why),
            "agent": Cell(candidate.agent_name or "--"),
            "opened": Cell(self._moment(candidate.opened_at)),
            "lag": lag_cell(candidate.lag_ms),
            "sku": Cell(same + candidate.sku_name if candidate.sku else "--"),
            "session": Cell(candidate.session),
        }

    def _imported(self, account: Account, parent: QWidget) -> QWidget:
        card = QFrame(parent)
        card.setProperty("look", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(1, SPACE_3, 1, SPACE_1)
        note = _note(str(account.about_files), card)
        note.setContentsMargins(SPACE_4, 0, SPACE_4, 0)
        column.addWidget(note)
        columns = (
            Column("sku", T("商品", "Item"), "text", 176, sticky=True, sortable=False),
            Column("agent", T("客服", "Agent"), "text", 96, sortable=False, link=True),
            Column("opened", T("咨询时间", "Consulted"), "text", 108, sortable=False),
            Column("lag", T("距下单", "Before the order"), "number", 88, sortable=False),
            Column("quantity", T("件数", "Items"), "number", 64, sortable=False),
            Column("amount", T("金额(元)", "Amount (¥)"), "number", 88, sortable=False),
            Column("file", T("文件", "File"), "text", 200, sortable=False),
        )
        rows = [(f"{i}", self._file_cells(line), line.agent) for i, line in enumerate(account.imported)]
        column.addWidget(self._table(columns, rows, card, can_open=False))
        return card

    def _file_cells(self, line: ImportedLine) -> Cells:
        return {
            "sku": Cell(line.sku_name),
            "agent": Cell(line.agent_name or "--"),
            "opened": Cell(self._moment(line.opened_at)),
            "lag": lag_cell(line.placed_at - line.opened_at),
            "quantity": Cell(f"{line.quantity:,}"),
            "amount": Cell(f"{line.amount_fen / 100:,.2f}"),
            "file": Cell(line.file),
        }

    def _table(
        self, columns: tuple[Column, ...], rows: list[tuple[str, Cells, str | None]], parent: QWidget, can_open: bool = True
    ) -> DataTable:
        table = DataTable(RowTableModel(columns), parent=parent)
        table.rows().setParent(table)
        table.setAccessibleName(tr("候选会话", "Candidate sessions"))
        table.set_placeholder(EmptyState("sessions", tr("前后没有这位客户的会话", "No session of this customer around it")))
        table.rows().set_rows([(id, cells) for id, cells, _ in rows])
        agents = {id: agent for id, _, agent in rows}
        table.cell_opened.connect(lambda id, key: self.agent_wanted.emit(agents[id]) if agents[id] else None)
        if can_open:
            table.opened.connect(lambda id: self.session_wanted.emit(str(id)))
        shown = min(len(rows), _MOST_ROWS_SHOWN)
        table.setFixedHeight(table.horizontalHeader().sizeHint().height() + shown * ROW_HEIGHT + SPACE_3 if rows else _EMPTY_HEIGHT)
        self.tables.append(table)
        return table

    def _moment(self, at: int | None) -> str:
        return "--" if at is None else f"{self._local.local(at):%m-%d %H:%M}"


def lag_cell(lag_ms: int) -> Cell:
    """How long before the order, or after it, in the largest unit that says something."""
    size = abs(lag_ms)
    if size < 60_000:
        text, unit = f"{size // 1000}", tr("秒", "s")
    elif size < _HOUR_MS:
        text, unit = f"{size // 60_000}", tr("分钟", "min")
    elif size < 2 * _DAY_MS:
        text, unit = f"{size / _HOUR_MS:.1f}", tr("小时", "h")
    else:
        text, unit = f"{size / _DAY_MS:.1f}", tr("天", "d")
    return Cell(("−" if lag_ms < 0 else "") + text, None, "", unit)


def _answer(window: Window, decision: Decision, chosen: bool) -> Figure:
    who = tr("无人", "Nobody") if decision.credited is None else decision.credited.agent_name
    caption = str(_WINDOW_WORDS[window]) + (tr("（当前）", " (chosen)") if chosen else "")
    return Figure(caption, who, "", "" if decision.agrees else "warn", str(RULES[decision.rule]))


def _because(decision: Decision, window: Window) -> str:
    rule = str(RULES[decision.rule])
    if decision.credited is None:
        return tr(f"{_WINDOW_WORDS[window].zh}内不归任何人：{rule}。", f"{_WINDOW_WORDS[window].en}: nobody. {rule}.")
    return tr(
        f"{_WINDOW_WORDS[window].zh}归 {decision.credited.agent_name}：{rule}。",
        f"{_WINDOW_WORDS[window].en}: {decision.credited.agent_name}. {rule}.",
    )


def _note(words: str, parent: QWidget, look: str = "quiet") -> QLabel:
    note = QLabel(words, parent)
    note.setProperty("look", look)
    note.setTextFormat(Qt.TextFormat.PlainText)
    note.setWordWrap(True)
    return note
