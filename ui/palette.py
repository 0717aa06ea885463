"""The command palette: every page, agent and action by a few letters, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import tr
from ui.runtime.finder import Reading, plain, typed, with_pinyin
from ui.runtime.operations import Operations
from ui.theme import BODY, CAPTION, SPACE_2, SPACE_3, color, font, icon
from ui.widgets.commands import Command

WIDTH = 600
ROW = 38
SHOWN = 9
MOST = 50
RECENT = 8
_UNUSABLE = 100
"""What cannot be run now comes after everything that can."""

Index = QModelIndex | QPersistentModelIndex


class _Found(QAbstractListModel):
    """The commands that fit, best first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.commands: list[Command] = []

    def show(self, commands: list[Command]) -> None:
        self.beginResetModel()
        self.commands = commands
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.commands)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        command = self.commands[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return " ".join(part for part in (str(command.label), command.hint, command.keys, command.why_not) if part)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        usable = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usable if not self.commands[index.row()].why_not else Qt.ItemFlag.ItemIsSelectable


class _Row(QStyledItemDelegate):
    """Icon, name, quiet hint, shortcut at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(WIDTH, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _Found)
        command = model.commands[index.row()]
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("selection"))
            painter.drawRoundedRect(rect, 6, 6)
        ink = color("quiet" if command.why_not else "text")
        icon(command.icon, "accent" if chosen else "quiet").paint(painter, QRect(rect.x() + 10, rect.y() + (ROW - 18) // 2, 18, 18))
        x = rect.x() + 40
        painter.setFont(font(BODY))
        painter.setPen(ink)
        name = painter.fontMetrics().elidedText(str(command.label), Qt.TextElideMode.ElideRight, rect.width() - 200)
        painter.drawText(QRect(x, rect.y(), rect.width(), ROW), Qt.AlignmentFlag.AlignVCenter, name)
        x += painter.fontMetrics().horizontalAdvance(name) + SPACE_3
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        right = rect.right() - SPACE_3
        width = painter.fontMetrics().horizontalAdvance(command.keys)
        painter.drawText(QRect(right - width, rect.y(), width + 1, ROW), Qt.AlignmentFlag.AlignVCenter, command.keys)
        hint = painter.fontMetrics().elidedText(command.why_not or command.hint, Qt.TextElideMode.ElideRight, right - width - SPACE_3 - x)
        painter.drawText(QRect(x, rect.y(), right - x, ROW), Qt.AlignmentFlag.AlignVCenter, hint)
        painter.restore()


class CommandPalette(QWidget):
    """Lies over its window from `open` until something is chosen, Esc, or a click beside it. `ran(key)` after a command was run."""

    ran = Signal(str)

    def __init__(self, window: QWidget, operations: Operations) -> None:
        super().__init__(window)
        self._window = window
        self._operations = operations
        self._commands: list[Command] = []
        self._readings: dict[str, Reading] = {}
        self._recent: list[str] = []
        self._before: QWidget | None = None
        self._box = QFrame(self)
        self._box.setProperty("look", "raised")
        column = QVBoxLayout(self._box)
        column.setContentsMargins(SPACE_2, SPACE_2, SPACE_2, SPACE_2)
        column.setSpacing(SPACE_2)
        self.field = QLineEdit(self._box)
        self.field.setPlaceholderText(tr("页面、客服、操作：输入文字、拼音或首字母", "Pages, agents, actions: a few letters"))
        self.field.setMaxLength(64)
        self.field.setAccessibleName(tr("命令面板", "Command palette"))
        self.field.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self._model = _Found(self)
        self.list = QListView(self._box)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Row(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setStyleSheet("background: transparent;")
        self.list.setAccessibleName(tr("找到的命令", "Commands found"))
        self.list.clicked.connect(self._run)
        self._nothing = QLabel(tr("没有匹配的页面、客服或操作", "No page, agent or action fits"), self._box)
        self._nothing.setProperty("look", "quiet")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setFixedHeight(ROW)
        column.addWidget(self.field)
        column.addWidget(self.list)
        column.addWidget(self._nothing)
        window.installEventFilter(self)
        self.hide()

    @property
    def found(self) -> Sequence[Command]:
        """What is listed, best first."""
        return self._model.commands

    def open(self, commands: list[Command], recent: list[str], more: Callable[[], list[Command]] | None = None) -> None:
        """Show over the window with these commands; `recent` keys come first while nothing is typed.

        more: fetches further commands; it blocks and runs on a reader thread.
        """
        self._before = self.window().focusWidget()
        self._recent = recent
        self.field.clear()
        self._take(commands)
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if more is not None:
            self._operations.latest(self, "more", more, lambda found: self._take([*commands, *found]), lambda _problem: None)

    def shut(self) -> None:
        if self.isHidden():
            return
        self.hide()
        before, self._before = self._before, None
        if before is not None:
            before.setFocus(Qt.FocusReason.OtherFocusReason)

    def _take(self, commands: list[Command]) -> None:
        self._commands = commands
        texts = {_text(command) for command in commands}
        unread = [text for text in texts if text not in self._readings]
        self._readings.update((text, plain(text)) for text in unread)
        self._search()
        if unread:
            self._operations.latest(
                self, "pinyin", lambda: dict(zip(unread, with_pinyin(unread), strict=True)), self._learn, lambda _problem: None
            )

    def _learn(self, readings: dict[str, Reading]) -> None:
        self._readings.update(readings)
        self._search()

    def _search(self) -> None:
        wanted = typed(self.field.text())
        if wanted:
            ranked = []
            for order, command in enumerate(self._commands):
                score = self._readings[_text(command)].score(wanted)
                if score is not None:
                    rank = (_UNUSABLE if command.why_not else 0) - (3 if command.key in self._recent else 0) - score
                    ranked.append((rank, order, command))
            found = [command for _, _, command in sorted(ranked, key=lambda entry: entry[:2])[:MOST]]
        else:
            known = {command.key: command for command in self._commands}
            first = [known[key] for key in self._recent if key in known]
            others = [command for command in self._commands if command not in first and not command.key.startswith("agent:")]
            found = first + sorted(others, key=lambda command: bool(command.why_not))
        self._model.show(found)
        self.list.setFixedHeight(ROW * min(SHOWN, max(1, len(found))) + 2)
        self.list.setVisible(bool(found))
        self._nothing.setVisible(not found)
        self._select(0)
        self._place()

    def _select(self, row: int) -> None:
        if self._model.commands:
            index = self._model.index(row % len(self._model.commands), 0)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)

    def _run(self, index: QModelIndex | None = None) -> None:
        at = (index if index is not None else self.list.currentIndex()).row()
        if not 0 <= at < len(self._model.commands):
            return
        command = self._model.commands[at]
        if command.why_not:
            return
        self.shut()
        self.ran.emit(command.key)
        command.run()

    def _place(self) -> None:
        window = self._window
        self.setGeometry(window.rect())
        width = min(WIDTH, window.width() - 32)
        self._box.setFixedWidth(width)
        self._box.adjustSize()
        self._box.move((window.width() - width) // 2, min(96, window.height() // 8))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            if event.key() == Qt.Key.Key_Escape:  # what lies beneath is not meant
                event.accept()
                return True
        if watched is self.field and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            return self._on_key(event)
        if event.type() == QEvent.Type.Resize and watched is self._window and self.isVisible():
            self._place()
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        row = self.list.currentIndex().row()
        match event.key():
            case Qt.Key.Key_Down:
                self._select(row + 1)
            case Qt.Key.Key_Up:
                self._select(row - 1)
            case Qt.Key.Key_PageDown:
                self._select(min(row + SHOWN, len(self._model.commands) - 1))
            case Qt.Key.Key_PageUp:
                self._select(max(row - SHOWN, 0))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._run()
            case Qt.Key.Key_Escape | Qt.Key.Key_Tab | Qt.Key.Key_Backtab:
                self.shut()
            case _:
                return False
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._box.geometry().contains(event.position().toPoint()):
            self.shut()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("window", 0.6))


def _text(command: Command) -> str:
    """Everything a command can be found by: both languages and its hint."""
    return " ".join(dict.fromkeys((command.label.zh, command.label.en, command.hint)))
