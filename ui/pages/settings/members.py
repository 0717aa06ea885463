"""Who serves a group: the members with their weights on the left, all agents by team on the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.domain.language import tr
from app.domain.routing_edits import AgentLine
from app.domain.routing_settings import DEFAULT_WEIGHT
from ui.theme import SPACE_2, SPACE_3, SPACE_4
from ui.widgets.buttons import Button
from ui.widgets.search import SearchEdit
from ui.widgets.weight_matrix import Edits, Line, WeightMatrix, how_to_weigh

_CODE = Qt.ItemDataRole.UserRole
_GROUP = "group"


class MembersDialog(QDialog):
    """Works on `weights`, {agent: weight}, of its own; whoever opened it takes them over when it is accepted."""

    def __init__(
        self, title: str, lines: Sequence[AgentLine], weights: dict[str, int], finder: Callable[[str], Callable[[AgentLine], bool]],
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle(tr(f"成员 · {title}", f"Members · {title}"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.weights = dict(weights)
        self._title, self._finder = title, finder
        self._lines = {line.code: line for line in lines}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._teams: list[QTreeWidgetItem] = []
        self._filling = False
        self.resize(860, 560)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_4, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        sides = QHBoxLayout()
        sides.setSpacing(SPACE_4)
        sides.addLayout(self._left(), 1)
        sides.addLayout(self._right(), 1)
        column.addLayout(sides, 1)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_2)
        hint = QLabel(how_to_weigh(), self)
        hint.setProperty("look", "caption")
        foot.addWidget(hint, 1)
        cancel = Button(tr("取消", "Cancel"), parent=self)
        cancel.clicked.connect(self.reject)
        self.done_button = Button(tr("完成", "Done"), "primary", parent=self)
        self.done_button.clicked.connect(self.accept)
        self.done_button.setDefault(True)
        foot.addWidget(cancel)
        foot.addWidget(self.done_button)
        column.addLayout(foot)
        self._fill()
        self._show()
        self.search.setFocus()

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE_2)
        self._head = QLabel(self)
        self._head.setProperty("look", "emphasis")
        column.addWidget(self._head)
        self.matrix = WeightMatrix(self)
        self.matrix.edited.connect(self._weighed)
        self.matrix.set_placeholder(tr("还没有成员：在右侧勾选客服。", "Nobody yet: tick agents on the right."))
        card = QFrame(self)
        card.setProperty("look", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.addWidget(self.matrix)
        column.addWidget(card, 1)
        return column

    def _right(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE_2)
        self.search = SearchEdit(tr("姓名、拼音、编号", "Name, pinyin or code"), self)
        self.search.searched.connect(self._narrow)
        column.addWidget(self.search)
        self.tree = QTreeWidget(self)
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setProperty("look", "card")
        self.tree.setAccessibleName(tr("全部客服", "All agents"))
        self.tree.itemChanged.connect(self._ticked)
        self.search.left.connect(self._to_tree)
        column.addWidget(self.tree, 1)
        return column

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter is done with the dialog, but in the search line it goes on to who was found."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.focusWidget() is self.search:
            self._to_tree()
        else:
            super().keyPressEvent(event)

    def _to_tree(self) -> None:
        """The first who is seen, so that a space ticks them."""
        seen = [item for item in self._items.values() if not item.isHidden()]
        if seen and self.tree.currentItem() not in seen:
            self.tree.setCurrentItem(seen[0])
        self.tree.setFocus()

    def tick(self, code: str, on: bool) -> None:
        """As the person does by the box of an agent. Raises KeyError for one who is not there."""
        self._items[code].setCheckState(0, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def _fill(self) -> None:
        teams: dict[str, QTreeWidgetItem] = {}
        self._filling = True
        for line in sorted(self._lines.values(), key=lambda line: (not line.team, line.team, line.code)):
            team = teams.get(line.team)
            if team is None:
                team = teams[line.team] = QTreeWidgetItem(self.tree, [line.team or tr("未分组", "No team")])
                team.setFlags(team.flags() | Qt.ItemFlag.ItemIsAutoTristate | Qt.ItemFlag.ItemIsUserCheckable)
            item = self._items[line.code] = QTreeWidgetItem(team, [f"{line.name}  {line.code}" if line.name else line.code])
            item.setData(0, _CODE, line.code)
            item.setFlags((item.flags() | Qt.ItemFlag.ItemIsUserCheckable) & ~Qt.ItemFlag.ItemIsAutoTristate)
            item.setCheckState(0, Qt.CheckState.Checked if line.code in self.weights else Qt.CheckState.Unchecked)
        self.tree.ensurePolished()  # rows are laid out once, as high as the style sheet wants them
        self.tree.expandAll()
        self._teams = list(teams.values())
        self._filling = False

    def _ticked(self, item: QTreeWidgetItem, _column: int) -> None:
        code = item.data(0, _CODE)
        if self._filling or code is None:
            return
        if item.checkState(0) == Qt.CheckState.Checked:
            self.weights.setdefault(code, DEFAULT_WEIGHT)
        else:
            self.weights.pop(code, None)
        self._show()

    def _weighed(self, edits: Edits) -> None:
        for (code, _), weight in edits.items():
            if weight is None:
                self.tick(code, on=False)
            else:
                self.weights[code] = weight
        self._show()

    def _show(self) -> None:
        members = [self._lines[code] for code in self.weights]
        counted = {line.code for line in members if line.receives and line.capacity != 0}
        self.matrix.set_data([Line(_GROUP, self._title)], [Line(m.code, m.label, m.team) for m in members], {_GROUP: self.weights}, counted)
        self._head.setText(tr(f"已添加 {len(members)} 人", f"{len(members)} added"))

    def _narrow(self, text: str) -> None:
        """Only those who fit are seen; a team without any is hidden."""
        fits = self._finder(text)
        for code, item in self._items.items():
            item.setHidden(not fits(self._lines[code]))
        for team in self._teams:
            team.setHidden(all(item.isHidden() for item in self._items.values() if item.parent() is team))
