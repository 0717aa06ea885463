"""The sidebar: the store on top, pages in groups, a way to fold it at the foot."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QMenu, QScrollArea, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.domain.language import T, tr
from app.domain.permissions import Actor
from ui.pages.registry import GROUPS, PAGES, PageSpec
from ui.theme import BODY, CAPTION, EMPHASIS, SPACE_1, SPACE_2, SPACE_3, color, font, icon

WIDTH = 220
FOLDED = 56
ITEM_HEIGHT = 32
_ICON = 20
LATER = T("将在后续版本提供", "Comes in a later version")
NOT_ALLOWED = T("没有权限，请向管理员申请", "Not allowed; ask an administrator")


class NavItem(QAbstractButton):
    """One page. Disabled while it does not exist or is not allowed; the tooltip says which. `walked(±1)` are the arrow keys."""

    walked = Signal(int)

    def __init__(self, spec: PageSpec, why_not: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.key = spec.key
        self._icon = icon(spec.icon, "quiet", "accent")
        self.setText(str(spec.title))
        self.setAccessibleName(str(spec.title))
        self.setCheckable(True)
        self._folded = False
        self.set_why_not(why_not)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedHeight(ITEM_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_why_not(self, why_not: str) -> None:
        """Why the page cannot be opened, "" if it can."""
        self._why_not = why_not
        self.setEnabled(not why_not)
        self.setAccessibleDescription(why_not)
        self.fold(self._folded)

    def fold(self, folded: bool) -> None:
        self._folded = folded
        self.setToolTip("\n".join(line for line in (self.text() if folded else "", self._why_not) if line))

    def sizeHint(self) -> QSize:
        return QSize(FOLDED - 2 * SPACE_2, ITEM_HEIGHT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.walked.emit(step)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        painter.setPen(Qt.PenStyle.NoPen)
        if on or (self.underMouse() and self.isEnabled()):
            painter.setBrush(color("selection" if on else "hover"))
            painter.drawRoundedRect(self.rect(), 6, 6)
        if self.hasFocus():
            painter.setPen(color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 6, 6)
        if on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("accent"))
            painter.drawRoundedRect(QRect(0, 8, 3, self.height() - 16), 1.5, 1.5)
        _paint_row(painter, self, self._icon, on)


def _paint_row(painter: QPainter, button: QAbstractButton, picture: QIcon, on: bool) -> None:
    folded = button.width() < WIDTH // 2
    x = (button.width() - _ICON) // 2 if folded else SPACE_2 + 2
    mode = QIcon.Mode.Normal if button.isEnabled() else QIcon.Mode.Disabled
    state = QIcon.State.On if on else QIcon.State.Off
    picture.paint(painter, QRect(x, (button.height() - _ICON) // 2, _ICON, _ICON), Qt.AlignmentFlag.AlignCenter, mode, state)
    if folded:
        return
    painter.setFont(font(BODY, on))
    painter.setPen(color("accent") if on else color("text") if button.isEnabled() else color("quiet", 0.75))
    room = button.rect().adjusted(x + _ICON + SPACE_2 + 2, 0, -SPACE_1, 0)
    words = painter.fontMetrics().elidedText(button.text(), Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)


class GroupCaption(QAbstractButton):
    """The caption of a group; a click closes and opens the group."""

    def __init__(self, label: str, open_: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(label)
        self.setCheckable(True)
        self.setChecked(open_)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedHeight(28)
        self._marks = icon("down"), icon("right")
        self._folded = False
        self._describe(open_)
        self.toggled.connect(self._describe)

    def fold(self, folded: bool) -> None:
        self._folded = folded
        self.setFixedHeight(13 if folded else 28)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(FOLDED - 2 * SPACE_2, 28)

    def _describe(self, open_: bool) -> None:
        self.setAccessibleName(self.text())
        self.setAccessibleDescription(tr("展开", "Open") if open_ else tr("收起", "Closed"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._folded:
            painter.fillRect(QRect(SPACE_2, self.height() // 2, self.width() - 2 * SPACE_2, 1), color("border"))
            return
        painter.setPen(color("accent" if self.hasFocus() else "quiet"))
        painter.setFont(font(CAPTION))
        painter.drawText(self.rect().adjusted(SPACE_2 + 2, SPACE_1, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.underMouse() or not self.isChecked() or self.hasFocus():
            mark = self._marks[0 if self.isChecked() else 1]
            mark.paint(painter, QRect(self.width() - 20, (self.height() - 12) // 2 + 2, 12, 12))


class StoreButton(QAbstractButton):
    """Which store this is; a menu when there are several. Folded, it shows the store's first letter."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(48)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._caret = icon("down")
        self.several = False
        self.set_store(tr("客服管家", "Kefu Manager"), False)

    def set_store(self, name: str, several: bool) -> None:
        self.setText(name)
        self.several = several
        self.setAccessibleName(tr(f"店铺：{name}", f"Store: {name}"))
        self.setToolTip(tr("切换店铺", "Switch store") if several else name)
        self.setEnabled(several)
        self.setCursor(Qt.CursorShape.PointingHandCursor if several else Qt.CursorShape.ArrowCursor)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 48)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        folded = self.width() < WIDTH // 2
        if (self.underMouse() and self.several) or self.hasFocus():
            painter.fillRect(self.rect(), color("hover"))
        mark = QRect((self.width() - 24) // 2 if folded else SPACE_3 + SPACE_1, 12, 24, 24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("accent"))
        painter.drawRoundedRect(mark, 6, 6)
        painter.setPen(color("on_accent"))
        painter.setFont(font(BODY, True))
        painter.drawText(mark, Qt.AlignmentFlag.AlignCenter, self.text().strip()[:1].upper() or "客")
        if folded:
            return
        room = QRect(mark.right() + SPACE_2 + 2, 0, self.width() - mark.right() - SPACE_3 - 24, self.height())
        painter.setPen(color("text"))
        painter.setFont(font(EMPHASIS, True))
        name = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
        if self.several:
            self._caret.paint(painter, QRect(self.width() - 28, 18, 12, 12))


class Sidebar(QWidget):
    """`chosen(key)` when a page is clicked, `store_chosen(id)`, `folding(bool)` when the person folds or unfolds it."""

    chosen = Signal(str)
    store_chosen = Signal(int)
    folding = Signal(bool)
    groups_closed = Signal(list)

    def __init__(self, actor: Actor | None, folded: bool, closed_groups: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: dict[str, NavItem] = {}
        self._captions: dict[str, GroupCaption] = {}
        self._stores: list[tuple[int, str]] = []
        self._current_store = -1
        self.store_button = StoreButton(self)
        self.store_button.clicked.connect(self._offer_stores)
        inner = QWidget(self)
        inner.setObjectName("scrolled")
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE_2, 0, SPACE_2, SPACE_2)
        column.setSpacing(1)
        for group in GROUPS:
            caption = GroupCaption(str(group.label), group.key not in closed_groups, inner)
            caption.toggled.connect(self._on_group)
            self._captions[group.key] = caption
            column.addWidget(caption)
            for spec in PAGES.values():
                if spec.group == group.key:
                    item = NavItem(spec, why_not(spec, actor), inner)
                    item.clicked.connect(self._on_item)
                    item.walked.connect(self._walk)
                    self.items[spec.key] = item
                    column.addWidget(item)
        column.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setStyleSheet(
            "QScrollBar:vertical { width: 8px; }"
            f" QScrollBar::handle {{ background: {color('border').name()}; border-radius: 3px; margin: 0 2px 0 0; }}"
        )
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._fold_button = QToolButton(self)
        self._fold_button.setIcon(icon("collapse"))
        self._fold_button.setIconSize(QSize(18, 18))
        self._fold_button.setFixedHeight(ITEM_HEIGHT)
        self._fold_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self._fold_button.clicked.connect(self._on_fold)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 1, SPACE_2)
        whole.setSpacing(0)
        whole.addWidget(self.store_button)
        whole.addWidget(self._scroll, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(SPACE_2, SPACE_1, SPACE_2, 0)
        foot.addWidget(self._fold_button, 0, Qt.AlignmentFlag.AlignLeft)
        whole.addLayout(foot)
        self._folded = folded
        self.set_folded(folded)

    @property
    def folded(self) -> bool:
        return self._folded

    def set_folded(self, folded: bool) -> None:
        self._folded = folded
        self.setFixedWidth(FOLDED if folded else WIDTH)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff if folded else Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        for caption in self._captions.values():
            caption.fold(folded)
        for item in self.items.values():
            item.fold(folded)
        words = tr("展开侧栏 (Ctrl+B)", "Unfold the sidebar (Ctrl+B)") if folded else tr("收起侧栏 (Ctrl+B)", "Fold the sidebar (Ctrl+B)")
        self._fold_button.setToolTip(words)
        self._fold_button.setAccessibleName(words)
        self._show_groups()

    def set_current(self, key: str) -> None:
        for name, item in self.items.items():
            item.setChecked(name == key)
        if self.isVisible():
            self._scroll.ensureWidgetVisible(self.items[key], 0, SPACE_2)

    def set_actor(self, actor: Actor) -> None:
        for key, item in self.items.items():
            item.set_why_not(why_not(PAGES[key], actor))

    def set_stores(self, stores: Sequence[tuple[int, str]], current: int) -> None:
        """Stores as (id, name)."""
        self._stores = list(stores)
        self._current_store = current
        self.store_button.set_store(dict(stores)[current], len(stores) > 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("surface"))
        painter.fillRect(QRect(self.width() - 1, 0, 1, self.height()), color("border"))

    def _walk(self, step: int) -> None:
        row = [item for item in self.items.values() if item.isEnabled() and item.isVisible()]
        item = self.sender()
        assert isinstance(item, NavItem)
        following = row[(row.index(item) + step) % len(row)]
        following.setFocus(Qt.FocusReason.TabFocusReason)
        self._scroll.ensureWidgetVisible(following, 0, SPACE_2)

    def _on_item(self) -> None:
        item = self.sender()
        assert isinstance(item, NavItem)
        item.setChecked(True)
        self.chosen.emit(item.key)

    def _on_group(self) -> None:
        self._show_groups()
        self.groups_closed.emit([key for key, caption in self._captions.items() if not caption.isChecked()])

    def _show_groups(self) -> None:
        for spec in PAGES.values():
            self.items[spec.key].setVisible(self._folded or self._captions[spec.group].isChecked())

    def _on_fold(self) -> None:
        self.set_folded(not self._folded)
        self.folding.emit(self._folded)

    def _offer_stores(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for number, name in self._stores:
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(number == self._current_store)
            action.setData(number)
        menu.triggered.connect(self._on_store)
        menu.popup(self.store_button.mapToGlobal(QPoint(SPACE_2, self.store_button.height() - SPACE_1)))

    def _on_store(self, action: QAction) -> None:
        self.store_chosen.emit(int(action.data()))


def why_not(spec: PageSpec, actor: Actor | None) -> str:
    """Why a page cannot be opened; "" if it can."""
    if spec.factory is None:
        return str(LATER)
    if actor is not None and not actor.may(spec.permission):
        return str(NOT_ALLOWED)
    return ""
