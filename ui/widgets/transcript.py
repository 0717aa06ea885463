"""A conversation, read like a chat: the customer on the left, the agent on the right, everything else in the middle.

Only the messages in view are laid out, so thousands cost no more than a screenful. Texts are plain: nothing in them is interpreted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QMenu, QWidget

from app.domain.events import Sender
from app.domain.language import tr
from app.domain.words import parse
from ui.theme import CAPTION, SPACE_2, SPACE_3, SPACE_4, color, font
from ui.theme.fonts import BODY
from ui.widgets.paint import CENTER, LEFT, RIGHT, elided, metrics

_WIDEST, _HEAD, _GAP, _INSIDE = 520, 20, 10, 8
_SHOWN_CHARS = 4000
_KEPT_LAYOUTS = 300

Place = tuple[int, int]
"""(message, position in its shown text in UTF-16 units, as Qt counts)"""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message; `time` and `name` as shown."""

    sender: Sender
    text: str
    time: str = ""
    name: str = ""


class Transcript(QAbstractScrollArea):
    """Shows Bubbles. Text is selected with the mouse across messages or with Ctrl+A, and copied with Ctrl+C."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bubbles: list[Bubble] = []
        self._heights: list[float] = []
        self._tops: list[float] = [0.0]
        self._measured: set[int] = set()
        self._layouts: OrderedDict[int, QTextLayout] = OrderedDict()
        self._anchor: Place | None = None
        self._end: Place | None = None
        self._highlight, self._query = "", parse("")
        self._settling = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.verticalScrollBar().setSingleStep(32)
        self.verticalScrollBar().valueChanged.connect(self._settle)

    def set_messages(self, bubbles: Sequence[Bubble]) -> None:
        """Show these. When they only continue what is shown, the place is kept, and the end followed if it was in view."""
        bar = self.verticalScrollBar()
        known = len(self._bubbles)
        continues = known > 0 and list(bubbles[:known]) == self._bubbles
        follow = not continues or bar.value() >= bar.maximum() - 4
        if not continues:
            self._anchor = self._end = None
            self._forget(0)
        self._bubbles = list(bubbles)
        self._heights += [self._guess(index) for index in range(len(self._heights), len(bubbles))]
        self._settle()
        if follow:
            self.scroll_to(len(bubbles) - 1)
        self._describe()
        self.viewport().update()

    def set_highlight(self, text: str) -> None:
        """Mark what a search for the text finds (app/domain/words.py); "" marks nothing."""
        if text != self._highlight:
            self._highlight, self._query = text, parse(text)
            self.viewport().update()

    def scroll_to(self, index: int) -> None:
        """Bring a message into view, the last one with its foot at the foot."""
        if not 0 <= index < len(self._bubbles):
            return
        bar = self.verticalScrollBar()
        # Heights above are guesses until they have been in view, so the way there is repeated until it holds.
        for _ in range(4):
            last = index == len(self._bubbles) - 1
            wanted = bar.maximum() if last else min(bar.maximum(), round(self._tops[index]) - SPACE_4)
            if bar.value() == wanted:
                return
            bar.setValue(wanted)
            self._settle()

    def selected_text(self) -> str:
        """The selected part as plain text; whole messages carry their sender and time."""
        span = self._span()
        if span is None:
            return ""
        (first, start), (last, end) = span
        if first == last:
            return self._part(first, start, end)
        parts = []
        for index in range(first, last + 1):
            text = self._part(index, start if index == first else 0, end if index == last else None)
            bubble = self._bubbles[index]
            head = " ".join(part for part in (bubble.name or _sender_word(bubble.sender), bubble.time) if part)
            parts.append(f"{head}\n{text}")
        return "\n".join(parts)

    def select_all(self) -> None:
        if self._bubbles:
            last = len(self._bubbles) - 1
            self._anchor, self._end = (0, 0), (last, _units(self._shown(last)))
            self.viewport().update()

    def copy(self) -> None:
        if text := self.selected_text():
            QApplication.clipboard().setText(text)

    # Texts

    def _shown(self, index: int) -> str:
        text = self._bubbles[index].text
        if len(text) > _SHOWN_CHARS:
            rest = tr(f"…（共 {len(text)} 字，复制可得全文）", f"… ({len(text)} characters in all; copy gives the whole)")
            text = text[:_SHOWN_CHARS] + rest
        return text.replace("\x00", "�").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\u2028")

    def _part(self, index: int, start: int, end: int | None) -> str:
        shown = self._shown(index)
        if start == 0 and (end is None or end >= _units(shown)):
            return self._bubbles[index].text
        return shown.encode("utf-16-le")[2 * start : None if end is None else 2 * end].decode("utf-16-le", "ignore").replace("\u2028", "\n")

    def _span(self) -> tuple[Place, Place] | None:
        if self._anchor is None or self._end is None or self._anchor == self._end:
            return None
        return min(self._anchor, self._end), max(self._anchor, self._end)

    # Heights and layouts

    def _text_width(self, index: int) -> float:
        width = self.viewport().width() - 2 * SPACE_4
        if self._bubbles[index].sender in ("bot", "system"):
            return max(60.0, width * 0.8)
        return max(60.0, min(_WIDEST, width * 0.78) - 2 * SPACE_3)

    def _starts_group(self, index: int) -> bool:
        """Whether the message says anew who speaks and when."""
        if index == 0:
            return True
        before, this = self._bubbles[index - 1], self._bubbles[index]
        return (before.sender, before.name, before.time) != (this.sender, this.name, this.time)

    def _around(self, index: int) -> float:
        """The height of a message beside its text."""
        head = _HEAD if self._starts_group(index) else 0
        return head + (_GAP if self._bubbles[index].sender in ("bot", "system") else 2 * _INSIDE + _GAP / 2)

    def _guess(self, index: int) -> float:
        text = self._bubbles[index].text[:_SHOWN_CHARS]
        # Ideographs take three bytes and about twice the width of a letter.
        broad = (len(text.encode("utf-8", "replace")) - len(text)) // 2
        lines = text.count("\n") + 1 + int((7 * (len(text) - broad) + 13 * broad) / self._text_width(index))
        return self._around(index) + lines * metrics(BODY).height()

    def _layout(self, index: int) -> QTextLayout:
        found = self._layouts.get(index)
        if found is not None:
            self._layouts.move_to_end(index)
            return found
        found = QTextLayout(self._shown(index), font(BODY))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        found.setTextOption(option)
        found.setCacheEnabled(True)
        found.beginLayout()
        y, width = 0.0, self._text_width(index)
        while (line := found.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, y))
            y += line.height()
        found.endLayout()
        self._layouts[index] = found
        if len(self._layouts) > _KEPT_LAYOUTS:
            self._layouts.popitem(last=False)
        return found

    def _settle(self) -> None:
        """Measure what is in view; where a guess was wrong above the top edge, scroll along so that nothing moves."""
        if self._settling:
            return
        self._settling = True
        bar = self.verticalScrollBar()
        for _ in range(6):
            self._tops = [float(SPACE_4), *accumulate(self._heights, initial=float(SPACE_4))][1:]
            bar.setRange(0, max(0, round(self._tops[-1] + SPACE_2) - self.viewport().height()))
            bar.setPageStep(self.viewport().height())
            fresh = [index for index in self._visible() if index not in self._measured]
            if not fresh:
                break
            moved = 0.0
            for index in fresh:
                height = self._around(index) + self._layout(index).boundingRect().height()
                if self._tops[index] < bar.value():
                    moved += height - self._heights[index]
                self._heights[index] = height
                self._measured.add(index)
            if moved:
                bar.setValue(round(bar.value() + moved))
        self._settling = False
        self.viewport().update()

    def _forget(self, keep: int) -> None:
        self._layouts.clear()
        self._measured.clear()
        del self._heights[keep:]

    def _visible(self) -> range:
        top = self.verticalScrollBar().value()
        first = max(0, bisect_right(self._tops, top) - 1)
        last = bisect_right(self._tops, top + self.viewport().height())
        return range(first, min(len(self._bubbles), last))

    def _text_at(self, index: int) -> QPointF:
        """Where the text of a message begins, in viewport pixels."""
        layout, bubble = self._layout(index), self._bubbles[index]
        y = self._tops[index] - self.verticalScrollBar().value() + (_HEAD if self._starts_group(index) else 0)
        width = self.viewport().width()
        if bubble.sender in ("bot", "system"):
            return QPointF((width - _natural(layout)) / 2, y)
        if bubble.sender == "customer":
            return QPointF(SPACE_4 + SPACE_3, y + _INSIDE)
        return QPointF(width - SPACE_4 - SPACE_3 - _natural(layout), y + _INSIDE)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), color("surface"))
        for index in self._visible():
            self._paint(painter, index)

    def _paint(self, painter: QPainter, index: int) -> None:
        bubble, layout, at = self._bubbles[index], self._layout(index), self._text_at(index)
        aside = bubble.sender in ("bot", "system")
        width, natural = self.viewport().width(), _natural(layout)
        if not aside:
            box = QRectF(at.x() - SPACE_3, at.y() - _INSIDE, natural + 2 * SPACE_3, layout.boundingRect().height() + 2 * _INSIDE)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("track" if bubble.sender == "customer" else "selection"))
            painter.drawRoundedRect(box, 8, 8)
        if self._starts_group(index):
            painter.setFont(font(CAPTION))
            painter.setPen(color("quiet"))
            head = " · ".join(part for part in (bubble.name or _sender_word(bubble.sender), bubble.time) if part)
            top = self._tops[index] - self.verticalScrollBar().value()
            words = elided(head, int(width - 2 * SPACE_4), CAPTION)
            align = CENTER if aside else LEFT if bubble.sender == "customer" else RIGHT
            painter.drawText(QRectF(SPACE_4, top, width - 2 * SPACE_4, _HEAD - 2), align, words)
        painter.setPen(color("quiet" if aside else "text"))
        layout.draw(painter, at, self._formats(index))

    def _formats(self, index: int) -> list[QTextLayout.FormatRange]:
        found = []
        text = self._layout(index).text()
        for start, end in self._query.spans(text) if self._query.parts else ():
            mark = QTextCharFormat()
            mark.setBackground(color("warn", 0.3))
            found.append(_range(_units(text[:start]), _units(text[start:end]), mark))
        span = self._span()
        if span is not None and span[0][0] <= index <= span[1][0]:
            start = span[0][1] if index == span[0][0] else 0
            end = span[1][1] if index == span[1][0] else _units(text)
            chosen = QTextCharFormat()
            chosen.setBackground(color("accent"))
            chosen.setForeground(color("on_accent"))
            found.append(_range(start, end - start, chosen))
        return found

    # Pointer and keyboard

    def _place_at(self, at: QPointF) -> Place:
        y = at.y() + self.verticalScrollBar().value()
        index = max(0, min(len(self._bubbles) - 1, bisect_right(self._tops, y) - 1))
        layout, origin = self._layout(index), self._text_at(index)
        inside = at - origin
        for number in range(layout.lineCount()):
            line = layout.lineAt(number)
            if inside.y() < line.y() + line.height() or number == layout.lineCount() - 1:
                return index, int(line.xToCursor(inside.x()))
        return index, 0

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._bubbles:
            place = self._place_at(event.position())
            extends = event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._anchor is not None
            self._anchor, self._end = self._anchor if extends else place, place
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._anchor is not None:
            over = min(0.0, event.position().y()) + max(0.0, event.position().y() - self.viewport().height())
            if over:
                self.verticalScrollBar().setValue(round(self.verticalScrollBar().value() + over))
            self._end = self._place_at(event.position())
            self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._bubbles:
            index, _ = self._place_at(event.position())
            self._anchor, self._end = (index, 0), (index, _units(self._shown(index)))
            self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("复制", "Copy"), self.copy).setEnabled(self._span() is not None)
        menu.addAction(tr("全选", "Select all"), self.select_all)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar, key = self.verticalScrollBar(), event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif key == Qt.Key.Key_Home:
            bar.setValue(0)
        elif key == Qt.Key.Key_End:
            self.scroll_to(len(self._bubbles) - 1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._describe()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            bar = self.verticalScrollBar()
            at_end = bar.value() >= bar.maximum() - 4
            self._forget(0)
            self._heights = [self._guess(index) for index in range(len(self._bubbles))]
            self._settle()
            if at_end:
                self.scroll_to(len(self._bubbles) - 1)
        else:
            self._settle()

    def _describe(self) -> None:
        count = len(self._bubbles)
        self.setAccessibleName(tr(f"聊天记录，{count} 条消息", f"Transcript, {count} messages"))
        if self._bubbles:
            last = self._bubbles[-1]
            self.setAccessibleDescription(f"{last.name or _sender_word(last.sender)}: {last.text[:200]}")


def _natural(layout: QTextLayout) -> float:
    return max((layout.lineAt(number).naturalTextWidth() for number in range(layout.lineCount())), default=0.0)


def _range(start: int, length: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    found = QTextLayout.FormatRange()
    found.start, found.length, found.format = start, length, look
    return found


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _sender_word(sender: Sender) -> str:
    return {
        "customer": tr("客户", "Customer"), "agent": tr("客服", "Agent"), "bot": tr("机器人", "Bot"), "system": tr("系统", "System"),
    }[sender]  # fmt: skip
