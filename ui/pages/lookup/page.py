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
from ui.pages.lookup.choices import FILTERS, VIEWS, Choices, chips, opened, question_of
from ui.pages.lookup.controls import Toolbar, TopControls
from ui.pages.lookup.detail import Detail
from ui.pages.lookup.hits import Entry
from ui.pages.lookup.listings import Listings
from ui.pages.lookup.opening import behind_cell, behind_row
from ui.pages.lookup.search import TranscriptSearch
from ui.pages.registry import Page, PageContext
from ui.runtime.subscribe import subscribe
from ui.theme import SPACE_3, SPACE_4
from ui.widgets.commands import Command, one_of
from ui.widgets.drawer import WIDTH as DRAWER_WIDTH
from ui.widgets.period import Period
from ui.widgets.table import RowId
from ui.widgets.table_place import TablePlace

if TYPE_CHECKING:
    from app.services.listings import Offered, Wanted
    from ui.runtime.feed import Quality

CHANGED_MS = 2_000
"""While earlier days change, lists are read again at most this often."""
_REMEMBERED_WAYS = 20
_ROOM_FOR_TABLE = 360
"""Beside the drawer the table keeps at least this width; where there is less, the drawer lies over it."""


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
        self._top = TopControls(self)
        self._top.hide()  # until the shell takes it
        self._bar = Toolbar(self)
        self._account = AccountView(self)
        self._search = TranscriptSearch(self)
        self._listings = Listings(self)
        self._stack = QStackedWidget()
        for widget in (self._account, self._search, self._listings):
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
        self._listings.opened.connect(self._open_row)
        self._listings.cell_opened.connect(self._open_cell)
        self._listings.current_changed.connect(self._follow)
        self._listings.columns_changed.connect(self.state_changed)
        self._listings.order_chosen.connect(self._ask)
        self._listings.all_wanted.connect(lambda: self._choose(self._choices.without_filters()))
        self._listings.counted.connect(self._bar.count.setText)
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
        self._listings.set_stale(not quality.fresh)

    def state(self) -> dict[str, Any]:
        return {"choices": self._choices.state(), "columns": self._listings.columns_state()}

    def restore(self, state: dict[str, Any]) -> None:
        kept, columns = state.get("choices"), state.get("columns")
        if isinstance(columns, dict):
            self._listings.restore_columns(columns)
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
            if self._choices.lists:
                self._listings.turn_to(self._choices.view)
                self._stack.setCurrentWidget(self._listings)
                self._take_keyboard()  # Enter on a figure brought the person here

    def place(self) -> object:
        table = self._listings.place() if self._stack.currentWidget() is self._listings else None
        return _Place(self._choices, tuple(self._before), self._detail.session, table)

    def return_to(self, place: object) -> None:
        choices, before, session, table = cast("_Place", place)
        self._listings.return_to(table)
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
        elif wanted is None:
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
        listings, store, (sort, descending) = self.context.workspace.listings, self.context.store, self._listings.table(view).order()
        name = f"{VIEWS[view]}_{wanted.first}_{wanted.last}"
        export(self.context, self, name, lambda: listings.ask(store, wanted, sort, descending, told=True))

    def save_report(self) -> None:
        """Keep what is listed, with its period as it is said and the order of its rows."""
        from app.services.saved import Body
        from ui.saving import SaveDialog

        view, wanted = self._choices.view, self._wanted()
        if wanted is None:
            self.context.toast(tr("这里没有可保存的列表。", "There is no list to save here."), "info")
            return
        body = Body.of(wanted, self._choices.period, *self._listings.table(view).order())
        SaveDialog(self.context, body, str(VIEWS[view]), self).open()

    def _offer_saving(self, at: QPoint) -> None:
        from ui.saving import offer_saving

        offer_saving(self.context, self, at, self.save_report)

    def commands(self) -> list[Command]:
        from ui.saving import save_command

        view, found = self._choices.view, list[Command]()
        if self._detail.is_open:
            found.append(Command("transcript", T("导出聊天记录", "Export the transcript"), "export", self._detail.export))
        if self._choices.lists:
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
        """The question to the listing; None where the view is none, or while the period has no complete day."""
        days = self._choices.period.days(self._today())
        return question_of(self._choices, days, self._window()) if self._choices.lists and days is not None else None

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

    def _ask(self) -> None:
        choices = self._choices
        if choices.lists:
            self._stack.setCurrentWidget(self._listings)
            self._listings.ask(choices, self._wanted())
            return
        self._bar.count.setText("")
        if choices.view == "account":
            self._stack.setCurrentWidget(self._account)
            self._account.ask(choices.order, self._window())
        else:
            self._stack.setCurrentWidget(self._search)
            names = {} if self._offered is None else dict(self._offered.agents)
            self._search.ask(choices, choices.period.days(self._today()), names)

    # -- from here to there --

    def _open_row(self, row: RowId) -> None:
        record = self._record(row)
        if self._choices.view != "sessions":
            self._go(behind_row(self._choices, record, self._local))
        elif self._detail.session == record["session"]:
            self._detail.take_keyboard()
        else:
            self._detail.open(record["session"])

    def _open_cell(self, row: RowId, key: str) -> None:
        record = self._record(row)
        if key == "agent_name" and record["agent"]:
            self._open_agent(record["agent"])
        elif (found := behind_cell(self._choices, record, key, self._local)) is not None:
            self._go(found)

    def _record(self, row: RowId) -> dict[str, Any]:
        return self._listings.table(self._choices.view).record(row)

    def _follow(self, row: RowId | None) -> None:
        if row is not None and self._choices.view == "sessions" and self._detail.is_open:
            session = self._record(row)["session"]
            if session != self._detail.session:
                self._detail.open(session)

    def _open_hit(self, entry: Entry) -> None:
        self._detail.open(entry.session, entry.message_at, self._choices.words)

    def _open_agent(self, agent: str) -> None:
        self.context.navigate("agent", {"agent": agent})

    def _take_keyboard(self) -> None:
        if (shown := self._stack.currentWidget()) is not None:
            shown.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_columns(self, at: QPoint) -> None:
        menu = self._listings.table(self._choices.view).columns_menu()
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
