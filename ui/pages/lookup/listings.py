"""The listings: a table for each view, read a page at a time, with how many rows there are, or why there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.domain.language import tr
from ui.pages.lookup.cells import cells, count_text, row_id
from ui.pages.lookup.choices import Choices
from ui.pages.lookup.listing import PAGE_ROWS, ListingTable, Piece
from ui.pages.lookup.search import choose_other_days
from ui.pages.registry import Page
from ui.widgets.empty import EmptyState
from ui.widgets.skeleton import Skeleton
from ui.widgets.table_place import TablePlace, bring_back, place_of

if TYPE_CHECKING:
    from app.services.listings import Total, Wanted

_MOST_READ_AGAIN = 1000


class Listings(QStackedWidget):
    """`opened`, `cell_opened` and `current_changed` are those of the table that is shown; `counted` is said beside the views."""

    opened = Signal(object)
    cell_opened = Signal(object, str)
    current_changed = Signal(object)
    columns_changed = Signal()
    order_chosen = Signal()
    """The rows are to be asked for anew."""
    all_wanted = Signal()
    """Without any filter."""
    counted = Signal(str)

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._local = page.context.workspace.local(page.context.store)
        self._tables: dict[str, ListingTable] = {}
        self._kept_columns: dict[str, dict[str, Any]] = {}
        self._choices = Choices()
        self._wanted: Wanted | None = None
        self._answered: object = None
        self._returning: TablePlace | None = None

    def table(self, view: str) -> ListingTable:
        """Of a view, made when it is first asked for."""
        table = self._tables.get(view)
        if table is None:
            from app.services.listings import LISTINGS

            table = self._tables[view] = ListingTable(view, LISTINGS[view])
            table.restore_columns(self._kept_columns.get(view, {}))
            table.set_tooltip(table.tooltip)
            table.more_wanted.connect(self._read_more)
            table.sort_wanted.connect(self.order_chosen)
            table.opened.connect(self.opened)
            table.cell_opened.connect(self.cell_opened)
            table.current_changed.connect(self.current_changed)
            table.columns_changed.connect(self.columns_changed)
            self.addWidget(table)
        return table

    def turn_to(self, view: str) -> ListingTable:
        table = self.table(view)
        self.setCurrentWidget(table)
        self.setFocusProxy(table)
        return table

    def set_stale(self, stale: bool) -> None:
        for table in self._tables.values():
            table.set_stale(stale)

    def columns_state(self) -> dict[str, dict[str, Any]]:
        return {**self._kept_columns, **{view: table.columns_state() for view, table in self._tables.items()}}

    def restore_columns(self, state: dict[str, Any]) -> None:
        """For tables that are not made yet."""
        self._kept_columns = {view: value for view, value in state.items() if isinstance(value, dict)}

    def place(self) -> TablePlace | None:
        shown = self.currentWidget()
        return place_of(shown) if isinstance(shown, ListingTable) else None

    def return_to(self, place: TablePlace | None) -> None:
        """With the next rows that come."""
        self._returning = place

    def ask(self, choices: Choices, wanted: Wanted | None) -> None:
        """Turn to the view of the choices and read it. wanted None: not a single day of the period is complete."""
        self._choices, self._wanted = choices, wanted
        table = self.turn_to(choices.view)
        if wanted is None:
            table.forget()
            self.counted.emit("")
            table.set_placeholder(self._why_empty())
            return
        order = table.order()
        question = (wanted, order)
        again = question == self._answered
        if not again:
            table.set_placeholder(Skeleton("rows"))
            table.forget()
            self.counted.emit("")
        limit = min(_MOST_READ_AGAIN, max(PAGE_ROWS, table.count() if again else 0))
        self._page.read("rows", lambda: self._piece(wanted, order, None, limit), lambda piece: self._take_first(question, piece), question)
        listings, store = self._page.context.workspace.listings, self._page.context.store
        self._page.read("count", lambda: listings.count(store, wanted), self._take_count, wanted)

    def _piece(self, wanted: Wanted, order: tuple[str, bool], after: tuple[Any, ...] | None, limit: int) -> Piece:
        """On a worker thread."""
        from app.services.listings import LISTINGS

        context = self._page.context
        found = context.workspace.listings.page(context.store, wanted, *order, after, limit)
        columns = LISTINGS[wanted.report].columns
        return Piece([(row_id(wanted.report, row), row, cells(columns, row, self._local)) for row in found.rows], found.after)

    def _take_first(self, question: tuple[Wanted, tuple[str, bool]], piece: Piece) -> None:
        table = self.table(question[0].report)
        if not piece.rows:
            table.set_placeholder(self._why_empty())
        scrolled = table.verticalScrollBar().value() if question == self._answered else 0
        self._answered = question
        table.show_first(piece)
        table.verticalScrollBar().setValue(scrolled)
        if (place := self._returning) is not None:
            self._returning = None
            bring_back(table, place)

    def _read_more(self) -> None:
        wanted = self._wanted
        if wanted is None or not self.isVisible():
            return
        table = self.table(wanted.report)
        order, after = table.order(), table.after
        if after is None or (wanted, order) != self._answered:
            return

        def take(piece: Piece) -> None:
            if table.after == after:
                table.show_more(piece)

        self._page.read("rows", lambda: self._piece(wanted, order, after, PAGE_ROWS), take, (wanted, order, after))

    def _take_count(self, total: Total) -> None:
        words = count_text(total)
        if self._choices.view == "orders":
            words += tr("，按咨询当天计入", ", by day of consultation")
        self.counted.emit(words)

    def _why_empty(self) -> QWidget:
        """What stands in place of rows: why there are none, and the next step."""
        if self._wanted is None:
            return EmptyState("calendar", tr("所选日期还没有结束", "The days are not over yet"), choose_other_days())
        if self._choices.narrows:
            empty = EmptyState(
                "filter", tr("没有符合条件的记录", "Nothing fits these filters"), tr("去掉条件看看全部。", "Drop them to see everything."),
                tr("去掉全部条件", "Drop all filters"),
            )  # fmt: skip
            empty.acted.connect(self.all_wanted)
            return empty
        title, sentence = self._page.context.preparing() or (
            tr("这些天没有记录", "No records of these days"),
            tr("选择其他日期，或先写入这些天的事件。", "Choose other days, or feed the events of these first."),
        )
        return EmptyState("empty", title, sentence)
