"""The page: five views of one question, a drawer for a session, and the ways between them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.localtime import day_date
from app.domain.terms import WINDOWS
from ui.exporting import export
from ui.pages.lookup.account import AccountView
from ui.pages.lookup.cells import cells, count_text, row_id
from ui.pages.lookup.choices import FILTERS, VIEWS, Choices, chips, opened
from ui.pages.lookup.controls import Toolbar, TopControls
from ui.pages.lookup.detail import Detail
from ui.pages.lookup.hits import Entry
from ui.pages.lookup.listing import PAGE_ROWS, ListingTable, Piece
from ui.pages.lookup.search import TranscriptSearch, choose_other_days
from ui.pages.registry import Page, PageContext
from ui.runtime.subscribe import subscribe
from ui.theme import SPACE_3, SPACE_4
from ui.widgets.commands import Command, one_of
from ui.widgets.drawer import WIDTH as DRAWER_WIDTH
from ui.widgets.empty import EmptyState
from ui.widgets.period import Period
from ui.widgets.skeleton import Skeleton
from ui.widgets.table import RowId
from ui.widgets.table_place import TablePlace, bring_back, place_of

if TYPE_CHECKING:
    from app.services.accounting import Account
    from app.services.listings import Offered, Total, Wanted
    from ui.runtime.feed import Quality

CHANGED_MS = 2_000
"""While earlier days change, lists are read again at most this often."""
_REMEMBERED_WAYS = 20
_ROOM_FOR_TABLE = 360
"""Beside the drawer the table keeps at least this width; where there is less, the drawer lies over it."""
_MOST_READ_AGAIN = 1000


class _Place(NamedTuple):
    """What is listed, what had been before it, the session opened ("" for none), and the place in the list."""

    choices: Choices
    before: tuple[Choices, ...]
    session: str
    table: TablePlace | None


class LookupPage(Page):
    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._local = context.workspace.local(context.store)
        self._choices = Choices()
        self._before: list[Choices] = []
        self._offered: Offered | None = None
        self._tables: dict[str, ListingTable] = {}
        self._kept_columns: dict[str, dict[str, Any]] = {}
        self._answered: object = None
        self._returning: TablePlace | None = None
        self._top = TopControls(self)
        self._top.hide()  # until the shell takes it
        self._bar = Toolbar(self)
        self._account = AccountView(self._local)
        self._search = TranscriptSearch(self)
        self._stack = QStackedWidget()
        for widget in (self._account, self._search):
            self._stack.addWidget(widget)
        card = QFrame(self)
        card.setProperty("look", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 4, 1, 4)
        inside.setSpacing(0)
        inside.addWidget(self._stack)
        self._column = QVBoxLayout(self)
        self._column.setSpacing(SPACE_3)
        self._column.addWidget(self._bar)
        self._column.addWidget(card, 1)
        self._detail = Detail(self)
        self._changing = QTimer(self, singleShot=True, interval=CHANGED_MS)
        self._changing.timeout.connect(self.refresh)
        self._make_room()
        self._connect()
        self._show_choices()

    def _connect(self) -> None:
        self._top.period_chosen.connect(lambda period: self._choose(replace(self._choices, period=period, days=False)))
        self._top.window_chosen.connect(self._choose_window)
        self._bar.changed.connect(self._choose)
        self._bar.back_wanted.connect(self._go_back)
        self._bar.columns_wanted.connect(self._show_columns)
        self._bar.export_wanted.connect(self.export)
        self._bar.save_wanted.connect(self._offer_saving)
        self._bar.left.connect(self._take_keyboard)
        self._account.session_wanted.connect(self._detail.open)
        self._account.agent_wanted.connect(self._open_agent)
        self._search.hits.opened.connect(self._open_hit)
        self._search.counted.connect(self._bar.count.setText)
        self._detail.changed.connect(self._detail_changed)
        self._detail.agent_wanted.connect(self._open_agent)
        self._detail.customer_wanted.connect(lambda code: self._go(Choices("sessions", Period("30d", today=True), customer=code)))
        subscribe(self.context.prefs.changed, self, self._preferred)

    # -- hooks --

    def filters(self) -> QWidget | None:
        return self._top

    def refresh(self) -> None:
        self.read("offered", lambda: self.context.workspace.listings.offered(self.context.store), self._take_offered)
        self._detail.refresh()
        if self._offered is not None:
            self._ask()

    def on_notice(self, topics: frozenset[str]) -> None:
        """Lists stay as they are while today goes on; they follow when what is over has changed: an import, late events, settings."""
        if topics & {"past", "settings"} and not self._changing.isActive():
            self._changing.start()

    def deactivate(self) -> None:
        self._changing.stop()

    def on_quality(self, quality: Quality) -> None:
        for table in self._tables.values():
            table.set_stale(not quality.fresh)

    def state(self) -> dict[str, Any]:
        columns = {key: table.columns_state() for key, table in self._tables.items()}
        return {"choices": self._choices.state(), "columns": {**self._kept_columns, **columns}}

    def restore(self, state: dict[str, Any]) -> None:
        kept, columns = state.get("choices"), state.get("columns")
        if isinstance(columns, dict):
            self._kept_columns = {key: value for key, value in columns.items() if isinstance(value, dict)}
        if isinstance(kept, dict):
            self._choices = Choices.of_state(kept)
        self._show_choices()

    def open_at(self, where: dict[str, Any]) -> None:
        self._before.clear()
        self._choices = opened(where, self._choices)
        self._show_choices()
        if isinstance(where.get("session"), str):
            self._detail.open(where["session"])
        else:
            self._detail.close()
            if self._choices.view not in ("account", "transcripts"):
                self._table(self._choices.view).setFocus(Qt.FocusReason.OtherFocusReason)  # Enter on a figure brought the person here

    def place(self) -> object:
        shown = self._stack.currentWidget()
        table = place_of(shown) if isinstance(shown, ListingTable) else None
        return _Place(self._choices, tuple(self._before), self._detail.session, table)

    def return_to(self, place: object) -> None:
        choices, before, session, self._returning = cast("_Place", place)
        self._before = list(before)
        if choices != self._choices:
            self._choices = choices
            self._changed()
        if session != self._detail.session:
            self._detail.open(session) if session else self._detail.close()

    def back(self) -> bool:
        if self._detail.is_open:
            self._detail.close()
            return True
        if self._before:
            self._go_back()
            return True
        return False

    def export(self) -> None:
        """Of the conversation while the keyboard is in it, else of what lies behind it."""
        view, wanted = self._choices.view, self._wanted()
        if self._detail.is_open and (view == "transcripts" or self._detail.has_keyboard()):
            self._detail.export()
        elif view == "account" and self._choices.order:
            self._export_account(self._choices.order)
        elif view in ("account", "transcripts") or wanted is None:
            self.context.toast(self._nothing_to_export(), "info")
        else:
            self._export_list(wanted)

    def _nothing_to_export(self) -> str:
        return {
            "account": tr("请先输入订单编号。", "Type an order code first."),
            "transcripts": tr("请先打开一段对话，再导出它。", "Open a conversation first, then export it."),
        }.get(self._choices.view, tr("这里没有可导出的列表。", "There is no list to export here."))

    def _export_account(self, order: str) -> None:
        from app.services.sheets_of_one import account_sheet

        workspace, store, clock = self.context.workspace, self.context.store, self.context.clock
        export(self.context, self, f"{VIEWS['account']}_{order}", lambda: account_sheet(workspace, store, order, clock()))

    def _export_list(self, wanted: Wanted) -> None:
        view = self._choices.view
        listings, store, (sort, descending) = self.context.workspace.listings, self.context.store, self._table(view).order()
        name = f"{VIEWS[view]}_{wanted.first}_{wanted.last}"
        export(self.context, self, name, lambda: listings.ask(store, wanted, sort, descending, told=True))

    def save_report(self) -> None:
        """Keep what is listed, with its period as it is said and the order of its rows."""
        from app.services.saved import Body
        from ui.saving import SaveDialog

        view, wanted = self._choices.view, self._wanted()
        if view in ("account", "transcripts") or wanted is None:
            self.context.toast(tr("这里没有可保存的列表。", "There is no list to save here."), "info")
            return
        body = Body.of(wanted, self._choices.period, *self._table(view).order())
        SaveDialog(self.context, body, str(VIEWS[view]), self).open()

    def _offer_saving(self, at: QPoint) -> None:
        from ui.saving import offer_saving

        offer_saving(self.context, self, at, self.save_report)

    def commands(self) -> list[Command]:
        from ui.saving import save_command

        view, found = self._choices.view, list[Command]()
        if self._detail.is_open:
            found.append(Command("transcript", T("导出聊天记录", "Export the transcript"), "export", self._detail.export))
        if view not in ("account", "transcripts"):
            found.append(save_command(self.context, self.save_report))
        found += one_of("view", T("查询", "Look up"), "lookup", VIEWS, view, lambda key: self._choose(replace(self._choices, view=key)))
        if "window" in FILTERS[view]:
            found += one_of("window", T("订单时效", "Order window"), "window", WINDOWS, self._window(), self._choose_window)
        return found

    def focus_filter(self) -> None:
        self._bar.search.take()

    @property
    def breadcrumb(self) -> tuple[str, ...]:
        view = str(VIEWS[self._choices.view])
        return (view, self._detail.title) if self._detail.is_open else (view,)

    # -- what is asked --

    def _today(self) -> date:
        return day_date(self._local.day(self.context.clock()))

    def _window(self) -> Window:
        kept = self._choices.window or self.context.prefs.get("history_window")
        window: Window = kept or (self._offered.window if self._offered is not None else "24h")
        return window

    def _wanted(self) -> Wanted | None:
        """The question to a listing; None while the period has no complete day."""
        from app.services.listings import Wanted

        choices = self._choices
        days = choices.period.days(self._today())
        if days is None:
            return None
        has = FILTERS[choices.view]
        narrowing = [name for name in ("agent", "group", "team", "channel", "kind") if name in has]
        chosen: dict[str, Any] = {name: getattr(choices, name) or None for name in narrowing}
        return Wanted(
            choices.view, *days, **chosen, population="assessed" if choices.assessed else "overall", window=self._window(),
            agents=choices.agents, hours=choices.hours, weekdays=choices.weekdays, grouped=choices.grouped,
            only=choices.only if choices.view in ("sessions", "visitors") else "",
            customer=choices.customer or None, sku=choices.sku or None, order=choices.order or None, text=choices.text,
            cancelled=choices.cancelled,
        )  # fmt: skip

    def _choose(self, choices: Choices) -> None:
        """What the person wants now. Another view keeps the days, the agent and what else both have."""
        if choices.view != self._choices.view:
            self._before.clear()
            self._detail.close()
            choices = replace(choices, text="", order="" if self._choices.view != "account" else choices.order, only="", sku="")
        self._choices = choices
        self._changed()

    def _go(self, choices: Choices) -> None:
        """To another view, with a way back."""
        self._before = [*self._before, self._choices][-_REMEMBERED_WAYS:]
        self._choices = choices
        self._changed()

    def _go_back(self) -> None:
        if self._before:
            self._choices = self._before.pop()
            self._changed()

    def _changed(self) -> None:
        self._show_choices()
        self._ask()
        self.state_changed.emit()
        self.breadcrumb_changed.emit()

    def _choose_window(self, window: str) -> None:
        self._choices = replace(self._choices, window="")
        self.context.prefs.put("history_window", window)

    def _preferred(self, key: str) -> None:
        if key == "history_window":
            self._show_choices()
            if self._offered is not None:
                self._ask()

    def _show_choices(self) -> None:
        choices = self._choices
        names = dict(self._offered.agents) if self._offered is not None else {}
        self._top.show_choices(choices, self._today(), self._window())
        self._bar.show_choices(choices, chips(choices, names, _only_words(choices.only)), bool(self._before))

    def _take_offered(self, offered: Offered) -> None:
        first = self._offered is None
        self._offered = offered
        self._choices = self._choices.known_to(dict(offered.agents), dict(offered.groups), offered.teams)
        self._bar.offer(offered)
        self._show_choices()
        if first:
            self._ask()

    # -- reading --

    def _ask(self) -> None:
        view = self._choices.view
        if view == "account":
            self._ask_account()
        elif view == "transcripts":
            self._ask_hits()
        else:
            self._ask_rows()

    def _ask_rows(self) -> None:
        wanted = self._wanted()
        table = self._table(self._choices.view)
        self._stack.setCurrentWidget(table)
        if wanted is None:
            table.forget()
            self._bar.count.setText("")
            table.set_placeholder(self._why_empty())
            return
        order = table.order()
        question = (wanted, order)
        again = question == self._answered
        if not again:
            table.set_placeholder(Skeleton("rows"))
            table.forget()
            self._bar.count.setText("")
        limit = min(_MOST_READ_AGAIN, max(PAGE_ROWS, table.count() if again else 0))
        self.read("rows", lambda: self._piece(wanted, order, None, limit), lambda piece: self._take_first(question, piece), question)
        listings, store = self.context.workspace.listings, self.context.store
        self.read("count", lambda: listings.count(store, wanted), self._take_count, wanted)

    def _piece(self, wanted: Wanted, order: tuple[str, bool], after: tuple[Any, ...] | None, limit: int) -> Piece:
        """On a worker thread."""
        from app.services.listings import LISTINGS

        found = self.context.workspace.listings.page(self.context.store, wanted, *order, after, limit)
        columns = LISTINGS[wanted.report].columns
        return Piece([(row_id(wanted.report, row), row, cells(columns, row, self._local)) for row in found.rows], found.after)

    def _take_first(self, question: tuple[Wanted, tuple[str, bool]], piece: Piece) -> None:
        table = self._table(question[0].report)
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
        wanted = self._wanted()
        if wanted is None or self._choices.view in ("account", "transcripts"):
            return
        table = self._table(wanted.report)
        order, after = table.order(), table.after
        if after is None or (wanted, order) != self._answered:
            return

        def take(piece: Piece) -> None:
            if table.after == after:
                table.show_more(piece)

        self.read("rows", lambda: self._piece(wanted, order, after, PAGE_ROWS), take, (wanted, order, after))

    def _take_count(self, total: Total) -> None:
        words = count_text(total)
        if self._choices.view == "orders":
            words += tr("，按咨询当天计入", ", by day of consultation")
        self._bar.count.setText(words)

    def _ask_account(self) -> None:
        order = self._choices.order
        self._stack.setCurrentWidget(self._account)
        self._bar.count.setText("")
        if not order:
            self._account.show_nothing(
                "orders", tr("核算一张订单", "Check an order"),
                tr("输入订单编号，看每件商品在三种时效下归给谁、依据哪条规则、其他会话为什么没有归属。",
                   "Type an order code to see who is credited for each item in each window, by which rule, and why nobody else."),
            )  # fmt: skip
            return
        listings, store = self.context.workspace.listings, self.context.store
        self.read("account", lambda: listings.account(store, order), self._take_account, order)

    def _take_account(self, account: Account | None) -> None:
        if account is None:
            self._account.show_nothing(
                "lookup", tr("找不到这张订单", "This order cannot be found"),
                tr("请核对订单编号；编号要完整，区分大小写。", "Check the code: it has to be whole, and upper and lower case count."),
            )  # fmt: skip
        else:
            self._account.show_account(account, self._window())

    def _ask_hits(self) -> None:
        self._bar.count.setText("")
        self._stack.setCurrentWidget(self._search)
        names = {} if self._offered is None else dict(self._offered.agents)
        self._search.ask(self._choices, self._choices.period.days(self._today()), names)

    # -- what is shown --

    def _table(self, view: str) -> ListingTable:
        table = self._tables.get(view)
        if table is None:
            from app.services.listings import LISTINGS

            table = self._tables[view] = ListingTable(view, LISTINGS[view])
            table.restore_columns(self._kept_columns.get(view, {}))
            table.set_tooltip(table.tooltip)
            table.more_wanted.connect(self._read_more)
            table.sort_wanted.connect(self._ask_rows)
            table.opened.connect(self._open_row)
            table.cell_opened.connect(self._open_cell)
            table.current_changed.connect(self._follow)
            table.columns_changed.connect(self.state_changed)
            self._stack.addWidget(table)
        return table

    def _why_empty(self) -> QWidget:
        """What stands in place of rows: why there are none, and the next step."""
        choices = self._choices
        if choices.period.days(self._today()) is None:
            return EmptyState("calendar", tr("所选日期还没有结束", "The days are not over yet"), choose_other_days())
        if choices.narrows:
            empty = EmptyState(
                "filter", tr("没有符合条件的记录", "Nothing fits these filters"), tr("去掉条件看看全部。", "Drop them to see everything."),
                tr("去掉全部条件", "Drop all filters"),
            )  # fmt: skip
            empty.acted.connect(lambda: self._choose(self._choices.without_filters()))
            return empty
        title, sentence = self.context.preparing() or (
            tr("这些天没有记录", "No records of these days"),
            tr("选择其他日期，或先写入这些天的事件。", "Choose other days, or feed the events of these first."),
        )
        return EmptyState("empty", title, sentence)

    # -- from here to there --

    def _open_row(self, row: RowId) -> None:
        view = self._choices.view
        record = self._table(view).record(row)
        if view == "sessions":
            if self._detail.session == record["session"]:
                self._detail.take_keyboard()
            else:
                self._detail.open(record["session"])
        elif view == "visitors":
            day = self._local.local(record["first_at"]).date()
            self._go(Choices("sessions", Period("custom", day, day), customer=record["customer"], days=True))
        elif view == "orders":
            self._go(replace(Choices("account", self._choices.period), order=record["order"]))
        else:
            self._go(replace(self._choices, view="orders", sku=record["sku"], text=""))

    def _open_cell(self, row: RowId, key: str) -> None:
        view = self._choices.view
        record = self._table(view).record(row)
        if key == "agent_name" and record["agent"]:
            self._open_agent(record["agent"])
        elif key == "order" or view == "visitors":
            self._open_row(row)
        elif key in ("consults", "orders") and view == "skus":
            to: Any = "sessions" if key == "consults" else "orders"
            self._go(replace(self._choices, view=to, sku=record["sku"], text="", only="consulted" if key == "consults" else ""))

    def _follow(self, row: RowId | None) -> None:
        if row is not None and self._choices.view == "sessions" and self._detail.is_open:
            record = self._table("sessions").record(row)
            if record["session"] != self._detail.session:
                self._detail.open(record["session"])

    def _open_hit(self, entry: Entry) -> None:
        self._detail.open(entry.session, entry.message_at, self._choices.words)

    def _open_agent(self, agent: str) -> None:
        self.context.navigate("agent", {"agent": agent})

    def _take_keyboard(self) -> None:
        if (shown := self._stack.currentWidget()) is not None:
            shown.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_columns(self, at: QPoint) -> None:
        menu = self._table(self._choices.view).columns_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(QPoint(at.x() - menu.sizeHint().width(), at.y()))

    def _detail_changed(self) -> None:
        self._make_room()
        if not self._detail.is_open and self.hasFocus():  # it was in the drawer
            self._take_keyboard()
        self.breadcrumb_changed.emit()

    def _make_room(self) -> None:
        """The table ends where the drawer begins, so that its last columns can be reached."""
        beside = self._detail.is_open and self.width() - DRAWER_WIDTH - 2 * SPACE_4 >= _ROOM_FOR_TABLE
        self._column.setContentsMargins(SPACE_4, SPACE_4, SPACE_4 + (DRAWER_WIDTH if beside else 0), SPACE_4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()


def _only_words(only: str) -> str:
    from app.services.drill import ONLY

    return str(ONLY[only].label) if only in ONLY else only
