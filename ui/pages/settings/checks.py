"""The quiet list above the foot: what to look at before saving, each with its way out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.domain.language import tr
from app.domain.routing_checks import Check
from ui.theme import SPACE_1, SPACE_2, SPACE_6, icon
from ui.widgets.buttons import Button, IconButton
from ui.widgets.toast import FOOT

_TALLEST = 132
_SHOWN = 30


class ChecksList(QFrame):
    """`remedied(Check)`: its remedy is wanted; `wanted(Check)`: the place where it is put right by hand."""

    remedied = Signal(object)
    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(FOOT)
        self.setProperty("look", "foot")
        self._shown: list[Check] = []
        self._editable = True
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_1, SPACE_6, SPACE_1)
        column.setSpacing(0)
        head = QHBoxLayout()
        self._head = QLabel(self)
        self._head.setProperty("look", "caption")
        self._fold = IconButton("down", tr("收起检查", "Fold the checks"), self)
        self._fold.setFixedSize(24, 24)
        self._fold.clicked.connect(self._toggle)
        head.addWidget(self._head, 1)
        head.addWidget(self._fold)
        column.addLayout(head)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(self._area)
        self.hide()

    def shown(self) -> list[Check]:
        return list(self._shown)

    def set_editable(self, editable: bool) -> None:
        self._editable = editable

    def show_checks(self, found: Sequence[Check]) -> None:
        """The gravest first, as they come."""
        same = [_seen(check) for check in found] == [_seen(check) for check in self._shown]
        self._shown = list(found)
        self.setVisible(bool(found))
        if same:
            return
        wrong = sum(check.level == "alarm" for check in found)
        parts = [tr(f"{wrong} 处须改正", f"{wrong} to put right")] if wrong else []
        if len(found) > wrong:
            parts.append(tr(f"{len(found) - wrong} 处请留意", f"{len(found) - wrong} to look at"))
        self._head.setText(tr("检查：", "Checks: ") + tr("，", ", ").join(parts))
        holder = QWidget()
        holder.setObjectName("scrolled")
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, SPACE_2, 0)
        column.setSpacing(0)
        for place, check in enumerate(found[:_SHOWN]):
            column.addWidget(self._row(place, check, holder))
        if len(found) > _SHOWN:
            column.addWidget(QLabel(tr(f"另有 {len(found) - _SHOWN} 处", f"{len(found) - _SHOWN} more"), holder))
        self._area.setWidget(holder)
        self._area.setFixedHeight(min(_TALLEST, holder.sizeHint().height()))

    def _row(self, place: int, check: Check, parent: QWidget) -> QWidget:
        row = QWidget(parent)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(SPACE_2)
        mark = QLabel(row)
        mark.setPixmap(icon(check.level, check.level).pixmap(QSize(16, 16), self.devicePixelRatioF()))
        words = QLabel(str(check.sentence), row)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        line.addWidget(mark)
        line.addWidget(words, 1)
        row.setMinimumHeight(30)
        # The position, not the check: the list may show newer checks with the same words by the time of the click.
        if check.group:
            button = self._button(row, _by_hand(check))
            button.setEnabled(self._editable or check.part != "members")
            button.setAccessibleDescription(str(check.sentence))
            button.clicked.connect(lambda: self.wanted.emit(self._shown[place]))
        if check.remedy is not None and self._editable:
            button = self._button(row, str(check.remedy.label))
            button.setAccessibleDescription(str(check.sentence))
            button.clicked.connect(lambda: self.remedied.emit(self._shown[place]))
        return row

    def _button(self, row: QWidget, words: str) -> Button:
        button = Button(words, "plain", parent=row)
        layout = row.layout()
        assert layout is not None
        layout.addWidget(button)
        return button

    def _toggle(self) -> None:
        folded = self._area.isVisible()
        self._area.setVisible(not folded)
        words = tr("展开检查", "Unfold the checks") if folded else tr("收起检查", "Fold the checks")
        self._fold.setIcon(icon("up" if folded else "down", "quiet", "accent"))
        self._fold.setToolTip(words)
        self._fold.setAccessibleName(words)


def _seen(check: Check) -> tuple[object, ...]:
    """All that its row is made of."""
    return check.level, check.sentence, check.group, check.part, check.remedy and check.remedy.label


def _by_hand(check: Check) -> str:
    """What the place of it is opened for."""
    if check.remedy is None and check.part == "members":
        return tr("选择成员…", "Choose members…")
    if check.remedy is None and check.part == "scope":
        return tr("修改服务范围", "Edit the scope")
    return tr("打开", "Open")
