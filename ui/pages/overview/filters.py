"""The page's controls in the top bar: group, pace of the refresh, choice of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from app.domain.language import T, tr
from ui.runtime.feed import PACES
from ui.theme import SPACE_1, SPACE_2
from ui.widgets.buttons import IconButton
from ui.widgets.tile_grid import TileGrid

if TYPE_CHECKING:
    from app.services.live import GroupInfo


def pace_label(pace: float | None) -> T:
    if pace is None:
        return T("暂停刷新", "Paused")
    if pace == 0:
        return T("实时刷新", "Live")
    if pace < 60:
        return T(f"每 {pace:g} 秒", f"Every {pace:g} s")
    return T(f"每 {pace / 60:g} 分钟", f"Every {pace / 60:g} min")


class OverviewFilters(QWidget):
    """`group_chosen(code or "")` and `pace_chosen(seconds or None)` are sent when the person chooses, not when the program does."""

    group_chosen = Signal(str)
    pace_chosen = Signal(object)

    def __init__(self, grid: TileGrid, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = grid
        self.group = QComboBox(self)
        self.group.setAccessibleName(tr("咨询组", "Group"))
        self.group.setToolTip(tr("只看一个咨询组", "Show one group only"))
        self.group.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.group.setMaximumWidth(200)
        self.group.addItem(tr("全部咨询组", "All groups"), "")
        self.pace = QComboBox(self)
        self.pace.setAccessibleName(tr("刷新频率", "Refresh pace"))
        self.pace.setToolTip(tr("数字多久刷新一次", "How often the numbers are refreshed"))
        self.pace.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for index, pace in enumerate(PACES):
            self.pace.addItem(str(pace_label(pace)))
            self.pace.setItemData(index, pace)
        self._as_of = QLabel(self)
        self._as_of.setProperty("look", "caption")
        self._as_of.hide()
        self.choose = IconButton("overview", tr("选择指标", "Choose tiles"), self)
        self.choose.clicked.connect(self._open_choice)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_2)
        row.addStretch(1)
        for widget in (self._as_of, self.group, self.pace, self.choose):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.group.activated.connect(self._on_group)
        self.pace.activated.connect(self._on_pace)

    def set_groups(self, groups: Sequence[GroupInfo], chosen: str) -> None:
        """Offer these groups; the chosen code stays chosen where it is among them."""
        offered = [("", tr("全部咨询组", "All groups")), *((group.code, group.name) for group in groups)]
        if offered != [(self.group.itemData(i), self.group.itemText(i)) for i in range(self.group.count())]:
            with QSignalBlocker(self.group):
                self.group.clear()
                for code, name in offered:
                    self.group.addItem(name, code)
        self.group.setCurrentIndex(max(0, self.group.findData(chosen)))

    def set_pace(self, pace: float | None) -> None:
        self.pace.setCurrentIndex(PACES.index(pace) if pace in PACES else 0)

    def set_as_of(self, clock: str) -> None:
        """The time of the numbers shown, "" while they follow the moment."""
        self._as_of.setText(tr(f"截至 {clock}", f"As of {clock}") if clock else "")
        self._as_of.setVisible(bool(clock))

    def _on_group(self, index: int) -> None:
        self.group_chosen.emit(self.group.itemData(index))

    def _on_pace(self, index: int) -> None:
        self.pace_chosen.emit(PACES[index])

    def _open_choice(self) -> None:
        menu = self._grid.choice_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.choose.mapToGlobal(QPoint(self.choose.width() - menu.sizeHint().width(), self.choose.height() + SPACE_1)))
