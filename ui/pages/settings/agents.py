"""客服总览: every agent with team, capacity and groups; one or many are edited beside the table, weights also in a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QWidget

from app.domain.documents import Body
from app.domain.language import T, tr
from app.domain.routing_checks import Check
from app.domain.routing_edits import AgentLine, agent_lines, with_agents, with_weights
from ui.pages.registry import PageContext
from ui.pages.settings.agent_panel import AgentPanel
from ui.pages.settings.routing import RoutingPage
from ui.theme import SPACE_2
from ui.widgets.buttons import Button
from ui.widgets.choice import Choice
from ui.widgets.drawer import WIDTH as DRAWER_WIDTH
from ui.widgets.drawer import Drawer
from ui.widgets.empty import EmptyState
from ui.widgets.search import SearchEdit
from ui.widgets.segmented import Segmented
from ui.widgets.table import Cell, Cells, Column, DataTable, RowTableModel
from ui.widgets.weight_matrix import Edits, Line, WeightMatrix, how_to_weigh

_NONE = "\x00none"
"""The choice of those who are in no group."""
_SHORT = 12
"""Characters of a group's name in the list."""

COLUMNS = (
    Column("agent", T("客服ID", "Agent"), "text", 96, sticky=True),
    Column("name", T("姓名", "Name"), "text", 96),
    Column("weights", T("所属技能组 · 分配权重值", "Groups and weights"), "text", 300,
           T("组名和权重；0 只接转接", "Groups with the weight in each; 0 means transfers only")),
    Column("team", T("所属行政组", "Team"), "text", 112),
    Column("role", T("角色", "Role"), "text", 96),
    Column("receives", T("是否接待", "Receives"), "state", 96, T("关闭后不分配也不转入", "Off means neither new sessions nor transfers")),
    Column("capacity", T("最大接待量", "Capacity"), "number", 88, T("同时接待的会话数上限；0 只接转接",
                                                                 "Sessions held at a time; 0 means transfers only")),
)  # fmt: skip


class AgentsPage(RoutingPage):
    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._lines: dict[str, AgentLine] = {}
        self._typing: tuple[tuple[Body, Body], tuple[Body, Body]] | None = None  # both bodies before it, and as it has made them
        self._shown: list[AgentLine] = []
        self._bar = self._filter_bar()
        self._bar.hide()  # until the shell takes it
        views = (("table", T("列表", "List")), ("matrix", T("权重矩阵", "Weight matrix")))
        self.view = Segmented(views, name=tr("视图", "View"), parent=self)
        self.view.chosen.connect(self._view_chosen)
        self.change = Button(tr("编辑", "Edit"), icon_name="edit", parent=self)
        self.change.clicked.connect(self._open_selected)
        self._count = QLabel(self)
        self._count.setProperty("look", "quiet")
        self._hint = QLabel(how_to_weigh(), self)
        self._hint.setProperty("look", "caption")
        self._hint.hide()
        self.rows = RowTableModel(COLUMNS, self)
        self.table = DataTable(self.rows, multiple=True)
        self.table.setAccessibleName(tr("客服", "Agents"))
        self.table.set_tooltip(self._tooltip)
        self.table.opened.connect(lambda _: self._open_selected())
        self.table.columns_changed.connect(self.state_changed)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._selected())
        self.matrix = WeightMatrix()
        self.matrix.set_editable(self.allowed)
        self.matrix.edited.connect(self._weighed)
        self.matrix.set_placeholder(tr("还没有咨询组，或没有符合条件的客服。", "There are no groups yet, or no agent fits."))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.matrix)
        self._nobody: EmptyState | None = None
        self.lay_out(self.card((self.view, self.change, self._count, self._hint), self._stack), self.checks)
        self.drawer = Drawer(self._stack, DRAWER_WIDTH)
        self.drawer.closed.connect(self._filter)
        self.keep_room(self.drawer)
        self.setFocusProxy(self.table)

    def _filter_bar(self) -> QWidget:
        bar = QWidget(self)
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_2)
        row.addStretch(1)
        self.group = Choice(tr("咨询组", "Group"), tr("全部咨询组", "All groups"), bar)
        self.team = Choice(tr("行政组", "Team"), tr("全部行政组", "All teams"), bar)
        self.search = SearchEdit(tr("姓名、拼音、编号", "Name, pinyin or code"), bar)
        self.search.setMaximumWidth(220)
        for choice in (self.group, self.team):
            choice.activated.connect(self._filter)
            row.addWidget(choice)
        row.addWidget(self.search, 2)
        self.search.searched.connect(self._filter)
        self.search.left.connect(lambda: (self.matrix if self._in_matrix() else self.table).setFocus())
        return bar

    # -- hooks --

    def parts(self) -> Sequence[QWidget]:
        *before, foot = super().parts()
        return [*before, self.drawer, foot]

    def filters(self) -> QWidget:
        return self._bar

    def focus_filter(self) -> None:
        self.search.take()

    def state(self) -> dict[str, Any]:
        return {
            **super().state(),
            "columns": self.table.columns_state(),
            "view": self.view.value(),
            "filter": {"group": self.group.key(), "team": self.team.key(), "text": self.search.text()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        if isinstance(state.get("columns"), dict):
            self.table.restore_columns(state["columns"])
        if state.get("view") in ("table", "matrix"):
            self.view.set_value(state["view"])
            self._view_chosen(state["view"])
        filters = state.get("filter")
        if isinstance(filters, dict):
            self.group.choose(str(filters.get("group", "")))
            self.team.choose(str(filters.get("team", "")))
            self.search.setText(str(filters.get("text", "")))

    def open_at(self, where: dict[str, Any]) -> None:
        """{"agent": code}: that agent, opened."""
        self._wanted = str(where.get("agent", ""))
        if self.known():
            self._open_wanted()

    _wanted = ""

    def place(self) -> object:
        """The one agent that is open."""
        chosen = self.table.selected_ids() if self.drawer.is_open() else []
        return str(chosen[0]) if len(chosen) == 1 else None

    def return_to(self, place: object) -> None:
        if place != self.place():
            self.open_at({"agent": place})

    # -- showing --

    def render_draft(self) -> None:
        lines = self.lines()
        self._lines = {line.code: line for line in lines}
        groups = [(group["code"], group["name"] or group["code"]) for group in self.groups["groups"]]
        self.group.offer([*groups, (_NONE, tr("不在任何组", "In no group"))], self.group.key())
        self.team.offer([(team, team) for team in sorted({line.team for line in lines if line.team})], self.team.key())
        self._show_lines()
        if isinstance(panel := self.drawer.current(), AgentPanel) and self.drawer.is_open():
            self._show_in(panel)
        if self._wanted:
            self._open_wanted()

    def _show_lines(self) -> None:
        team, group, fits = self.team.key(), self.group.key(), self.finder(self.search.text())

        def belongs(line: AgentLine) -> bool:
            return not group or (not line.weights if group == _NONE else group in line.weights)

        panel = self.drawer.current() if self.drawer.is_open() else None
        edited = panel.codes() if isinstance(panel, AgentPanel) else []  # they stay, whatever becomes of them
        self._shown = [
            line
            for line in self._lines.values()
            if line.code in edited or ((not team or line.team == team) and belongs(line) and fits(line))
        ]
        self._tell_nobody()
        self.rows.set_rows([(line.code, self._cells(line)) for line in self._shown], flash=False)
        weights: dict[str, dict[str, int]] = {
            held["code"]: {member["agent"]: member["weight"] for member in held["members"]} for held in self.groups["groups"]
        }
        self.matrix.set_data(
            [Line(held["code"], held["name"] or held["code"]) for held in self.groups["groups"]],
            [Line(line.code, line.label, line.team) for line in self._shown],
            weights,
            {line.code for line in self._lines.values() if line.receives and line.capacity != 0},
        )
        self._selected()

    def _tell_nobody(self) -> None:
        if self._shown:
            return
        if self._lines:
            empty = EmptyState("search", tr("没有符合条件的客服", "No agent fits"), action=tr("清除条件", "Clear the filters"))
            empty.acted.connect(self._clear_filters)
        else:
            empty = EmptyState("agents", tr("还没有客服", "No agents yet"),
                               tr("客服从店铺的事件里来：接入数据后自动出现在这里。",
                                  "Agents come from the store's events: once data flows they appear here by themselves."))  # fmt: skip
        self.table.set_placeholder(empty)

    def _cells(self, line: AgentLine) -> Cells:
        weights = tr("、", ", ").join(f"{_short(name)} {line.weights[code]}" for code, name in self._group_names() if code in line.weights)
        return {
            "agent": Cell(line.code, line.code, "" if line.listed or line.code in self.facts.agents else "warn"),
            "name": Cell(line.name or "--", line.name),
            "weights": Cell(weights or "--", len(line.weights)),
            "team": Cell(line.team or "--", line.team),
            "role": Cell(line.role or "--", line.role),
            "receives": (
                Cell(tr("接待", "yes"), 1, "good") if line.receives else Cell(tr("不接待", "no"), 0)
            ),
            "capacity": Cell(tr("不限", "unlimited") if line.capacity is None else str(line.capacity),
                             1_000 if line.capacity is None else line.capacity),
        }  # fmt: skip

    def _group_names(self) -> Sequence[tuple[str, str]]:
        return [(group["code"], group["name"] or group["code"]) for group in self.groups["groups"]]

    def _tooltip(self, row: str | int, key: str) -> str:
        line = self._lines.get(str(row))
        if line is None:
            return ""
        if key == "weights":
            return "\n".join(f"{name} {line.weights[code]}" for code, name in self._group_names() if code in line.weights)
        if key == "agent" and not line.listed and line.code not in self.facts.agents:
            return tr("是咨询组成员，但不是本店客服", "A member of a group, but not known to the store")
        return ""

    def _in_matrix(self) -> bool:
        return self.view.value() == "matrix"

    def _view_chosen(self, key: str) -> None:
        self._stack.setCurrentWidget(self.matrix if key == "matrix" else self.table)
        self._hint.setVisible(key == "matrix")
        self.change.setVisible(key == "table")
        self._selected()
        if key == "matrix":
            self.drawer.close_drawer()
        self.state_changed.emit()

    def _filter(self) -> None:
        if self.known():
            self._show_lines()
        self.state_changed.emit()

    def _clear_filters(self) -> None:
        self.group.choose("")
        self.team.choose("")
        self.search.clear()
        self._filter()

    # -- editing --

    def _selected(self) -> None:
        chosen = self.table.selected_ids()
        self.change.setEnabled(bool(chosen) and self.allowed)
        number, all_of_them = len(chosen), len(self._shown)
        if number > 1 and not self._in_matrix():
            self._count.setText(tr(f"已选 {number} 名", f"{number} chosen"))
        else:
            self._count.setText(tr(f"{all_of_them} 名客服", f"{all_of_them} agents"))
        if self.drawer.is_open() and isinstance(panel := self.drawer.current(), AgentPanel) and chosen:
            self._show_in(panel)

    def _open_selected(self) -> None:
        if not self.table.selected_ids() or not self.allowed:
            return
        if self.drawer.is_open():
            return
        panel = AgentPanel()
        panel.edited.connect(self._edit_agents)
        panel.typed.connect(self._typed)
        panel.left.connect(self._typing_over)
        panel.weighed.connect(self._weighed)
        self.drawer.open("", panel)
        self._show_in(panel)

    def _show_in(self, panel: AgentPanel) -> None:
        chosen = [self._lines[str(code)] for code in self.table.selected_ids() if str(code) in self._lines]
        if not chosen:
            self.drawer.close_drawer()
            return
        number = len(chosen)
        self.drawer.set_title(chosen[0].label if number == 1 else tr(f"{number} 名客服", f"{number} agents"))
        panel.show_lines(chosen, self._group_names(), sorted({line.team for line in self._lines.values() if line.team}))

    def _open_wanted(self) -> None:
        code, self._wanted = self._wanted, ""
        if code in self._lines:
            if code not in self.rows.ids():
                self._clear_filters()
            self.table.select(code)
            self._open_selected()

    def _edit_agents(self, codes: Sequence[str], values: dict[str, Any]) -> None:
        self.edit(*with_agents(self.groups, self.agents, codes, self.facts, **values))

    def _typed(self, codes: Sequence[str], values: dict[str, Any]) -> None:
        """Every letter starts from what was there before the first: what cannot be taken, or is as it was, leaves no trace."""
        now = self.groups, self.agents
        before = self._typing[0] if self._typing is not None and self._typing[1] == now else now
        were = [line for line in agent_lines(*before, self.facts) if line.code in codes]
        same = all(getattr(line, key) == value for line in were for key, value in values.items())
        self.edit(*(before if same else with_agents(*before, codes, self.facts, **values)))
        self._typing = before, (self.groups, self.agents)

    def _typing_over(self) -> None:
        self._typing = None

    def _weighed(self, edits: Edits) -> None:
        groups = self.groups
        for code in dict.fromkeys(column for _, column in edits):
            groups = with_weights(groups, code, {row: weight for (row, column), weight in edits.items() if column == code})
        self.edit(groups)

    def open_check(self, check: Check) -> None:
        if check.part == "members" and check.remedy is not None:
            self.view.set_value("matrix")
            self._view_chosen("matrix")
            if self._shown:
                self.matrix.go_to(self._shown[0].code, check.group)
            self.matrix.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().open_check(check)


def _short(name: str) -> str:
    """Of several in one cell: both ends of a long one tell it from its like."""
    half = _SHORT // 2
    return name if len(name) <= _SHORT else f"{name[:half]}…{name[-half:]}"
