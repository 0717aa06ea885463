"""咨询组管理: the groups in their order, each opened beside the list; who serves them is chosen in a dialog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.domain.documents import Body
from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.routing_checks import Check, Part
from app.domain.routing_edits import GROUP, adopted, moved_group, new_group, weighed, with_group_at, without_group_at
from app.domain.routing_settings import asked
from ui.pages.registry import PageContext
from ui.pages.settings.base import Judgement
from ui.pages.settings.group_panel import WIDTH, GroupPanel
from ui.pages.settings.members import MembersDialog
from ui.pages.settings.routing import RoutingPage
from ui.theme import icon
from ui.widgets.buttons import Button
from ui.widgets.drawer import Drawer
from ui.widgets.empty import EmptyState
from ui.widgets.table import Cell, Cells, Column, DataTable, RowTableModel

COLUMNS = (
    Column("name", T("名称", "Name"), "text", 144, sticky=True, link=True, names=True),
    Column("code", T("咨询组ID", "Code"), "text", 84),
    Column("type", T("类型", "Type"), "text", 68),
    Column("open", T("入口开放", "Entry"), "state", 78, T("点按开关", "Press to open or close"), link=True),
    Column("members", T("成员", "Members"), "number", 72, T("点按选择成员", "Press to choose members"), link=True),
    Column("scope", T("服务范围", "Scope"), "text", 144, sortable=False),
    Column("sessions", T("近7天会话", "Sessions, 7 d"), "number", 88),
    Column("author", T("修改人", "Changed by"), "text", 76),
    Column("at", T("修改时间", "Changed at"), "text", 122),
    Column("edit", T("操作", "Actions"), "text", 66, sortable=False, link=True),
    Column("delete", "", "text", 58, sortable=False, link=True),
)
_CHANGING = ("open", "members", "delete")
"""Columns that only who may edit can press."""
_ORDINARY, _FALLBACK = T("普通", "ordinary"), T("兜底", "fallback")
_STAYS = T(
    "兜底咨询组不能删除：不属于其他组的客户由它接待。", "The fallback group cannot be deleted: it takes whoever belongs to no other."
)
_OPEN = T(
    "兜底咨询组的入口不能关闭：不属于其他组的客户由它接待。", "The fallback group cannot be closed: it takes whoever belongs to no other."
)


@dataclass(slots=True)
class _Opened:
    """A group of the draft, wherever it moves and whatever its code becomes. new: not saved yet."""

    place: int
    code: str
    new: bool


class GroupsPage(RoutingPage):
    """A row is called by the code of its group; of several with the same, while one is being typed, the first."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._local = LocalTime(context.store.zone)
        self._open: _Opened | None = None
        self.draft.recoded.connect(self._recoded)
        self._rendering = False
        self._wanted: tuple[str, Part, str | None] | None = None
        self.add = Button(tr("新建咨询组", "New group"), "quiet", "add", self)
        self.add.setEnabled(self.allowed)
        self.add.clicked.connect(self._add)
        columns = [replace(column, link=column.link and (self.allowed or column.key not in _CHANGING)) for column in COLUMNS]
        self.rows = RowTableModel(columns, self)
        self.table = DataTable(self.rows)
        self.table.setAccessibleName(tr("咨询组", "Groups"))
        self.table.set_tooltip(self._tooltip)
        self.table.opened.connect(lambda code: self._open_row(str(code)))
        self.table.cell_opened.connect(self._cell_opened)
        self.table.row_menu_wanted.connect(self._menu)
        self.table.selectionModel().currentRowChanged.connect(self._follow)
        self.table.columns_changed.connect(self.state_changed)
        body = QWidget()  # the drawer stands over the table, not in it: keys it leaves alone are no business of the table
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        self.lay_out(self.card((self.add,), body), self.checks)
        self.drawer = Drawer(body, WIDTH)
        self.drawer.closing.connect(self._leave_group)
        self.drawer.closed.connect(self._closed)
        self.keep_room(self.drawer)
        self.members_dialog: MembersDialog | None = None
        self.setFocusProxy(self.table)

    # -- hooks --

    def parts(self) -> Sequence[QWidget]:
        *before, foot = super().parts()
        return [*before, self.drawer, foot]

    def state(self) -> dict[str, Any]:
        return {**super().state(), "columns": self.table.columns_state()}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        if isinstance(state.get("columns"), dict):
            self.table.restore_columns(state["columns"])

    def open_at(self, where: dict[str, Any]) -> None:
        """{"group": code, "part": "basics" | "scope" | "routing" | "members", "field": the one to go to, "" the first}."""
        part: Part = where["part"] if where.get("part") in ("scope", "routing", "members") else "basics"
        self._wanted = str(where.get("group", "")), part, where.get("field")
        if self.known():
            self._open_wanted()

    def place(self) -> object:
        """The row of the open group."""
        place = self._open_place() if self.known() else None
        return None if place is None else self._row_ids()[place]

    def return_to(self, place: object) -> None:
        if place != self.place():
            self.open_at({"group": place})

    # -- showing --

    def render_draft(self) -> None:
        groups = self.groups["groups"]
        if not groups:
            self.table.set_placeholder(self._nothing())
        self._rendering = True
        self.rows.set_rows([(row, self._cells(group)) for row, group in zip(self._row_ids(), groups, strict=True)], flash=False)
        self._rendering = False
        self._show_open()
        self._open_wanted()

    def _nothing(self) -> EmptyState:
        number = len(self.facts.groups)
        if number and self.allowed:
            empty = EmptyState(
                "groups", tr("还没有设置咨询组", "No groups yet"),
                tr(f"近来的会话里有 {number} 个咨询组，可以连同接待过的客服一起建立。",
                   f"The sessions name {number} groups; they can be taken over with the agents who served them."),
                tr("从会话建立", "Take them over"), "primary",
            )  # fmt: skip
            empty.acted.connect(self._adopt)
            return empty
        words = tr("一个普通咨询组就能接待所有客户。", "A single ordinary group serves all customers.")
        empty = EmptyState(
            "groups", tr("还没有咨询组", "No groups yet"), words, tr("新建咨询组", "New group") if self.allowed else "", "primary"
        )
        empty.acted.connect(self._add)
        return empty

    def _cells(self, group: Body) -> Cells:
        fallback = group["type"] == "fallback"
        # Somebody else's of the same code, while both stand beside each other, is another group.
        author, at = self.changed_by.get(group["code"], ("", None)) if self._saved_group(group["code"]) is not None else ("", None)
        when = "" if at is None else f"{self._local.local(at):%Y-%m-%d %H:%M}"
        sessions = self.facts.sessions.get(group["code"], 0)
        dirty = group not in self.saved_bodies()["groups"]["groups"]
        return {
            "name": Cell(group["name"] or "--", group["name"], "info" if self.allowed else "", tr("未保存", "not saved") if dirty else ""),
            "code": Cell(group["code"] or "--", group["code"]),
            "type": Cell(str(_FALLBACK if fallback else _ORDINARY), int(fallback)),
            "open": Cell(
                tr("开放", "open") if group["open"] else tr("关闭", "closed"), int(group["open"]), "good" if group["open"] else ""
            ),
            "members": Cell(
                str(len(group["members"])), len(group["members"]), "warn" if not group["members"] else "info" if self.allowed else ""
            ),
            "scope": Cell(scope_words(group)),
            "sessions": Cell(f"{sessions:,}", sessions),
            "author": Cell(author or "--", author),
            "at": Cell(when or "--", at),
            "edit": Cell(tr("编辑", "Edit") if self.allowed else tr("查看", "View"), None, "info"),
            "delete": Cell(tr("删除", "Delete") if self.allowed else "", None, "quiet" if fallback else "info"),
        }

    def _tooltip(self, row: str | int, key: str) -> str:
        place = self._place(str(row))
        if place is None:
            return ""
        group = self.groups["groups"][place]
        fallback = group["type"] == "fallback"
        if key == "scope":
            return scope_words(group)
        if key == "open" and fallback:
            return str(_OPEN)
        if key == "delete" and fallback:
            return str(_STAYS)
        return ""

    def _row_ids(self) -> list[str]:
        codes = [group["code"] for group in self.groups["groups"]]
        return [code if codes.index(code) == place else f"{code}\0{place}" for place, code in enumerate(codes)]

    def _place(self, row: str) -> int | None:
        ids = self._row_ids()
        return ids.index(row) if row in ids else None

    def _saved_group(self, code: str) -> Body | None:
        found: Body | None = next((group for group in self.saved_bodies()["groups"]["groups"] if group["code"] == code), None)
        return found

    # -- what the person does in the list --

    def _cell_opened(self, row: str | int, key: str) -> None:
        code = str(row)
        place = self._place(code)
        if place is None:
            return
        if key == "open":
            self._switch(place)
        elif key == "members":
            self.open_members(code)
        elif key == "delete":
            self._delete(code)
        else:
            self.open_group(code)

    def _switch(self, place: int) -> None:
        group = self.groups["groups"][place]
        if group["type"] == "fallback" and group["open"]:
            self.context.toast(str(_OPEN), "info")
        else:
            self.edit(with_group_at(self.groups, place, lambda held: {**held, "open": not held["open"]}))

    def _delete(self, row: str) -> None:
        """Taken back by discarding until it is saved, by restoring after."""
        place, saved = self._place(row), self._saved_group(row)
        if saved is not None and saved["type"] == "fallback":
            self.context.toast(str(_STAYS), "info")
        elif place is not None:
            self.edit(without_group_at(self.groups, place))

    def _add(self) -> None:
        body, code = new_group(self.groups, tr("新咨询组", "New group"))
        self.edit(body)
        self.open_group(code)
        if isinstance(panel := self.drawer.current(), GroupPanel):
            panel.take_keyboard(select=True)

    def _adopt(self) -> None:
        self.edit(adopted(self.groups, self.facts))

    def _menu(self, row: str | int, at: QPoint) -> None:
        code = str(row)
        if self._place(code) is None:
            return
        menu = QMenu(self)
        menu.addAction(icon("edit"), tr("编辑", "Edit"), lambda: self.open_group(code))
        menu.addAction(icon("agents"), tr("成员", "Members"), lambda: self.open_members(code))
        if self.allowed:
            menu.addSeparator()
            menu.addAction(icon("up"), tr("上移", "Move up"), lambda: self.edit(moved_group(self.groups, code, -1)))
            menu.addAction(icon("down"), tr("下移", "Move down"), lambda: self.edit(moved_group(self.groups, code, 1)))
            menu.addSeparator()
            menu.addAction(icon("delete"), tr("删除", "Delete"), lambda: self._delete(code))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    # -- one group --

    def _follow(self, index: QModelIndex) -> None:
        """While a group is open, the row the person goes to is: the list never marks another than is shown."""
        panel = self.drawer.current()
        if self._rendering or self._open is None or not index.isValid() or not isinstance(panel, GroupPanel):
            return
        row = str(self.rows.row_id(index.row()))
        if self._place(row) not in (None, self._open.place):
            self.open_group(row, panel.part())

    def _open_row(self, row: str) -> None:
        """Enter shows a group, and once more goes into what is shown."""
        panel = self.drawer.current()
        if self._open is not None and self._place(row) == self._open.place and isinstance(panel, GroupPanel):
            panel.take_keyboard()
        else:
            self.open_group(row)

    def open_group(self, row: str, part: Part = "basics", field: str | None = None) -> None:
        """Beside the list, with the keyboard in that field of it, "" the first; nothing when there is no such group."""
        self._leave_group()
        place = self._place(row)
        if place is None:
            return
        panel = GroupPanel(self.allowed)
        panel.edited.connect(self._group_edited)
        panel.members_wanted.connect(self._members_of_open)
        self._open = _Opened(place, self.groups["groups"][place]["code"], self._saved_group(row) is None)
        self.drawer.open("", panel)
        self._show_open()
        panel.open_part(part)
        self.table.select(row)
        if field is not None:
            panel.take_keyboard(field)

    def _group_edited(self, group: Body) -> None:
        place = self._open_place()
        if self._open is not None and place is not None:
            renamed, self._open.code = self._open.code != group["code"], group["code"]
            self.edit(with_group_at(self.groups, place, lambda _: group))
            if renamed:  # the row is another to the table
                self.table.select(self._row_ids()[place])

    def _open_place(self) -> int | None:
        """Where the open group is now: others may have moved or taken away what stands before it."""
        opened, groups = self._open, self.groups["groups"]
        if opened is None:
            return None
        if opened.place >= len(groups) or groups[opened.place]["code"] != opened.code:
            saved = self.saved_bodies()["groups"]["groups"] if opened.new else []
            found = next((i for i, group in enumerate(groups) if group["code"] == opened.code and group not in saved), None)
            if found is None:
                return None
            opened.place = found
        return opened.place

    def _recoded(self, codes: dict[str, str]) -> None:
        if self._open is not None:
            self._open.code = codes.get(self._open.code, self._open.code)

    def _show_open(self) -> None:
        panel = self.drawer.current()
        if self._open is None or not isinstance(panel, GroupPanel):
            return
        place = self._open_place()
        if place is None:
            self.drawer.close_drawer()
            return
        group = self.groups["groups"][place]
        self._open.new = self._open.new and group not in self.saved_bodies()["groups"]["groups"]
        self.drawer.set_title(group["name"] or group["code"] or tr("新咨询组", "New group"))
        panel.offer_skus(self.facts.skus)
        panel.show_group(group, None if self._open.new else self._saved_group(self._open.code))

    def judged(self, judgement: Judgement | None) -> None:
        super().judged(judgement)
        panel, place = self.drawer.current(), self._open_place() if self.known() else None
        if judgement is None or place is None or not isinstance(panel, GroupPanel):
            return
        start = f"groups[{place}]."
        panel.show_faults(f._replace(path=f.path.removeprefix(start)) for f in judgement.faults if f.path.startswith(start))

    def take_typed(self) -> bool:
        panel = self.drawer.current()
        return not isinstance(panel, GroupPanel) or panel.take_typed()

    def _leave_group(self) -> None:
        """Takes what is typed there; what was half typed is told, since it goes."""
        if not self.take_typed():
            self.context.toast(tr("没有输完的编号未加入", "The half-typed code was not added"), "warn")

    def _closed(self) -> None:
        self._open = None

    # -- members --

    def _members_of_open(self) -> None:
        place = self._open_place()
        if place is not None:
            self.open_members(self._row_ids()[place])

    def open_members(self, row: str) -> None:
        """The dialog; nothing when there is no such group or nothing may be changed."""
        place = self._place(row)
        if place is None or not self.allowed:
            return
        group = self.groups["groups"][place]
        weights = {member["agent"]: member["weight"] for member in group["members"]}
        dialog = self.members_dialog = MembersDialog(group["name"] or group["code"], self.lines(), weights, self.finder, self)
        dialog.accepted.connect(lambda: self._members_chosen(row, weights, dialog.weights))
        dialog.finished.connect(self._members_done)
        dialog.open()

    def _members_chosen(self, row: str, before: dict[str, int], after: dict[str, int]) -> None:
        """Only what was changed there, on top of what the draft has become meanwhile."""
        place = self._place(row)
        changed: dict[str, int | None] = dict.fromkeys(agent for agent in before if agent not in after)
        changed |= {agent: weight for agent, weight in after.items() if before.get(agent) != weight}
        if changed and place is not None:
            self.edit(with_group_at(self.groups, place, lambda group: weighed(group, changed)))

    def _members_done(self) -> None:
        self.members_dialog = None

    # -- from elsewhere --

    def open_check(self, check: Check) -> None:
        ids = self._row_ids()
        row = ids[check.place] if check.place is not None and check.place < len(ids) else check.group
        if check.part == "members":
            self.open_members(row)
        else:
            self.open_group(row, check.part, check.field)

    def _open_wanted(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None and wanted[1] == "members":
            self.open_members(wanted[0])
        elif wanted is not None:
            self.open_group(*wanted)


def scope_words(group: Body) -> str:
    """What a group asks for, in a line."""
    if group["type"] == "fallback":
        return tr("其余所有客户", "everybody else")
    if not asked(group["scope"]):
        return tr("所有客户", "everybody")
    scope = next(field for field in GROUP.fields if field.key == "scope")
    return str(scope.words(group["scope"]))
