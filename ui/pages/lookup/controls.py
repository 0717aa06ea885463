"""The controls of the page: the views, what narrows them, and the days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.terms import CHANNELS, KINDS
from ui.pages.lookup.choices import FILTERS, VIEWS, Choices
from ui.theme import SPACE_1, SPACE_2, SPACE_3
from ui.widgets.buttons import IconButton
from ui.widgets.chips import Chips
from ui.widgets.choice import Choice
from ui.widgets.flow import FlowLayout
from ui.widgets.order_window import OrderWindow
from ui.widgets.period import PeriodButton
from ui.widgets.search import SearchEdit
from ui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from app.services.listings import Offered

_SENDERS = {"customer": T("客户说的", "By the customer"), "agent": T("客服说的", "By the agent"), "bot": T("机器人说的", "By the bot")}
_SEARCHES = {
    "text": T("编号、名称", "Code or name"), "words": T("聊天内容，例如 发票", "Words, such as invoice"),
    "order": T("订单编号", "Order code"),
}  # fmt: skip


class TopControls(QWidget):
    """In the top bar: the days and the order window."""

    period_chosen = Signal(object)
    window_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.period = PeriodButton(self)
        self.window_switch = OrderWindow(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_2)
        row.addStretch(1)
        row.addWidget(self.period)
        row.addWidget(self.window_switch)
        self.period.chosen.connect(self.period_chosen)
        self.window_switch.chosen.connect(self.window_chosen)

    def show_choices(self, choices: Choices, now: date, window: Window) -> None:
        self.period.set_period(choices.period, now)
        self.window_switch.set_value(window)
        self.period.setVisible("period" in FILTERS[choices.view])
        self.window_switch.setVisible("window" in FILTERS[choices.view])


class Toolbar(QWidget):
    """Views, filters, chips. `changed(Choices)` is what the person wants now."""

    changed = Signal(object)
    back_wanted = Signal()
    columns_wanted = Signal(QPoint)
    export_wanted = Signal()
    save_wanted = Signal(QPoint)
    left = Signal()
    """The keyboard leaves the search line for what is below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = Choices()
        self.back = IconButton("back", tr("返回刚才的列表", "Back to the list before"), self)
        self.back.hide()
        self.views = Segmented(list(VIEWS.items()), name=tr("查询", "Look up"), parent=self)
        self.count = _Count(self)
        self.count.setProperty("look", "caption")
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.columns = IconButton("columns", tr("选择列", "Choose columns"), self)
        self.save = IconButton("save", tr("保存报表、保存的报表", "Save the report, saved reports"), self)
        self.export = IconButton("export", tr("导出 (Ctrl+E)", "Export (Ctrl+E)"), self)
        self.search = SearchEdit("", self)
        self.search.setMinimumWidth(176)
        self.search.setMaximumWidth(280)
        self.boxes = {
            "agent": Choice(tr("客服", "Agent"), tr("全部客服", "All agents"), self),
            "group": Choice(tr("咨询组", "Group"), tr("全部咨询组", "All groups"), self),
            "team": Choice(tr("行政组", "Team"), tr("全部行政组", "All teams"), self),
            "channel": Choice(tr("渠道", "Channel"), tr("全部渠道", "All channels"), self),
            "kind": Choice(tr("类型", "Kind"), tr("在线与留言", "Online and left"), self),
            "sender": Choice(tr("谁说的", "Said by"), tr("不限谁说的", "Said by anybody"), self),
        }
        self.boxes["channel"].offer([(key, str(words)) for key, words in CHANNELS.items()], "")
        self.boxes["kind"].offer([(key, str(words)) for key, words in KINDS.items()], "")
        self.boxes["sender"].offer([(key, str(words)) for key, words in _SENDERS.items()], "")
        self.cancelled = QCheckBox(tr("含已取消", "With cancelled"), self)
        self.cancelled.setToolTip(
            tr("15天内取消的订单不计给任何人；勾选后也列出来。按客服或咨询组筛选时不列。",
               "Orders cancelled within 15 days count for nobody; tick to list them, too. Not listed with filters on agents or groups.")
        )  # fmt: skip
        self.newest = Segmented((("newest", T("最新在前", "Newest first")), ("oldest", T("最早在前", "Oldest first"))),
                                name=tr("顺序", "Order"), parent=self)  # fmt: skip
        self.chips = Chips(self)
        self._lay_out()
        self.back.clicked.connect(self.back_wanted)
        self.views.chosen.connect(lambda key: self._want(view=key))
        self.search.searched.connect(self._searched)
        self.search.left.connect(self.left)
        for name, box in self.boxes.items():
            box.activated.connect(lambda _, name=name, box=box: self._want(**{name: box.key()}))
        self.cancelled.toggled.connect(lambda on: self._want(cancelled=on))
        self.newest.chosen.connect(lambda key: self._want(newest=key == "newest"))
        self.chips.removed.connect(lambda key: self.changed.emit(self._choices.without(key)))
        self.chips.cleared.connect(self._clear)
        self.columns.clicked.connect(lambda: self.columns_wanted.emit(self._under(self.columns)))
        self.save.clicked.connect(lambda: self.save_wanted.emit(self._under(self.save)))
        self.export.clicked.connect(self.export_wanted)

    def _lay_out(self) -> None:
        top, filters = QHBoxLayout(), FlowLayout(SPACE_2)
        top.setSpacing(SPACE_2)
        top.addWidget(self.back)
        top.addWidget(self.views)
        top.addWidget(self.count, 1)
        for widget in (self.columns, self.save, self.export):
            top.addWidget(widget)
        filters.addWidget(self.search)
        for box in self.boxes.values():
            filters.addWidget(box)
        filters.addWidget(self.cancelled)
        filters.addWidget(self.newest)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_3)
        for row in (top, filters):
            column.addLayout(row)
        column.addWidget(self.chips)

    def show_choices(self, choices: Choices, chips: Sequence[tuple[str, str]], may_go_back: bool) -> None:
        """Show these, without a signal."""
        self._choices = choices
        has = FILTERS[choices.view]
        self.views.set_value(choices.view)
        self.back.setVisible(may_go_back)
        field = self._field()
        self.search.setPlaceholderText(str(_SEARCHES[field]))
        self.search.setAccessibleName(str(_SEARCHES[field]))
        if self.search.text().strip() != getattr(choices, field):
            self.search.setText(getattr(choices, field))
        for name, box in self.boxes.items():
            box.choose(getattr(choices, name))
            box.setVisible(name in has)
        blocked = self.cancelled.blockSignals(True)
        self.cancelled.setChecked(choices.cancelled)
        self.cancelled.blockSignals(blocked)
        self.cancelled.setVisible("cancelled" in has)
        self.newest.set_value("newest" if choices.newest else "oldest")
        self.newest.setVisible("newest" in has)
        listing = choices.view not in ("account", "transcripts")
        for widget in (self.columns, self.save):
            widget.setVisible(listing)
        self.export.setVisible(choices.view != "transcripts")
        self.chips.set_chips(chips)

    def offer(self, offered: Offered) -> None:
        self.boxes["agent"].offer(offered.agents, self._choices.agent)
        self.boxes["group"].offer(offered.groups, self._choices.group)
        self.boxes["team"].offer([(team, team) for team in offered.teams], self._choices.team)

    def _field(self) -> str:
        return {"account": "order", "transcripts": "words"}.get(self._choices.view, "text")

    def _searched(self, text: str) -> None:
        self._want(**{self._field(): text.strip()})

    def _want(self, **changes: Any) -> None:
        wanted = replace(self._choices, **changes)
        if wanted != self._choices:
            self.changed.emit(wanted)

    def _clear(self) -> None:
        choices = self._choices
        for key, _ in self.chips.shown():
            choices = choices.without(key)
        self.changed.emit(choices)

    def _under(self, button: QWidget) -> QPoint:
        return button.mapToGlobal(QPoint(0, button.height() + SPACE_1))


class _Count(QLabel):
    """Shown where there is room for the whole of it: a part of a number is another number."""

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.fontMetrics().horizontalAdvance(self.text()) <= self.width():
            super().paintEvent(event)
