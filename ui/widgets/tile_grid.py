"""The tiles of a page: 4, 6 or 9 in a row, chosen and ordered by the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from app.domain.language import T, tr
from ui.theme import SPACE_4
from ui.widgets.popover import CheckMenu
from ui.widgets.tile import MetricTile, TileData, height_of

_NINE_FROM, _SIX_FROM = 1640, 900


def columns_for(width: int) -> int:
    """How many tiles stand in a row of this many pixels."""
    if width >= _NINE_FROM:
        return 9
    return 6 if width >= _SIX_FROM else 4


class TileGrid(QWidget):
    """`catalogue` are all tiles there are, as (key, caption), in their default order.

    Tiles are moved by dragging or with Ctrl and an arrow key, and chosen in the context menu; `order_changed` carries the keys shown,
    in order. The height follows from the width.
    """

    order_changed = Signal(list)
    opened = Signal(str)

    def __init__(
        self,
        catalogue: Sequence[tuple[str, T | str]],
        order: Sequence[str] | None = None,
        scale: float = 1.0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._captions = {key: str(caption) for key, caption in catalogue}
        self._scale, self._dense = scale, False
        self._tiles: dict[str, MetricTile] = {}
        self._order: list[str] = []
        self._data: dict[str, TileData] = {}
        self._pressed_at: QPoint | None = None
        self._dragged: MetricTile | None = None
        self._before_drag: list[str] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_order(order if order is not None else list(self._captions))

    def order(self) -> list[str]:
        return list(self._order)

    def set_size(self, scale: float, dense: bool) -> None:
        """Enlarge everything for a wallboard, or make the tiles lower where the page has little height."""
        if (scale, dense) != (self._scale, self._dense):
            self._scale, self._dense = scale, dense
            for tile in self._tiles.values():
                tile.set_size(scale, dense)
            self._arrange()

    def tile(self, key: str) -> MetricTile:
        """Raises KeyError for a tile that is not shown."""
        return self._tiles[key]

    def set_order(self, keys: Sequence[str]) -> None:
        """Show these tiles; keys that no longer exist are passed over."""
        wanted = [key for key in dict.fromkeys(keys) if key in self._captions]
        for key in set(self._tiles) - set(wanted):
            self._tiles.pop(key).deleteLater()
        for key in wanted:
            if key not in self._tiles:
                self._tiles[key] = self._make(key)
        self._order = wanted
        self._arrange()

    def set_data(self, data: Mapping[str, TileData]) -> None:
        """New contents by key; tiles not mentioned stay as they are."""
        self._data.update(data)
        for key, tile_data in data.items():
            if tile := self._tiles.get(key):
                tile.set_data(tile_data)

    def reset(self) -> None:
        self._change(list(self._captions))

    def sizeHint(self) -> QSize:
        return QSize(960, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.choice_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def choice_menu(self) -> CheckMenu:
        """The menu in which tiles are ticked; the caller shows and deletes it."""
        menu = CheckMenu(self)
        for key, caption in self._captions.items():
            action = menu.addAction(caption)
            action.setCheckable(True)
            action.setChecked(key in self._tiles)
            action.setData(key)
        menu.addSeparator()
        menu.addAction(tr("恢复默认", "Reset to default"), self.reset)
        menu.triggered.connect(self._ticked)
        return menu

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(watched, MetricTile):
            return False
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(watched, event)
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()
        elif event.type() == QEvent.Type.MouseMove and self._pressed_at is not None:
            return self._drag(watched, event.position().toPoint())
        elif event.type() == QEvent.Type.MouseButtonRelease and self._pressed_at is not None:
            self._pressed_at = None
            if self._dragged is not None:
                self._drop()
                return True
        return False

    def _make(self, key: str) -> MetricTile:
        tile = MetricTile(key, self._captions[key], self._scale, self, self._dense)
        tile.installEventFilter(self)
        tile.opened.connect(self.opened)
        if key in self._data:
            tile.set_data(self._data[key])
        tile.show()
        return tile

    def _columns(self) -> int:
        return min(columns_for(round(self.width() / self._scale)), max(1, len(self._order)))

    def _places(self) -> list[QRect]:
        columns = self._columns()
        gap, height = SPACE_4, height_of(self._scale, self._dense)
        found = []
        for index in range(len(self._order)):
            row, column = divmod(index, columns)
            # Rounded edges instead of rounded widths: the last tile ends exactly at the right edge.
            left = round(column * (self.width() + gap) / columns)
            right = round((column + 1) * (self.width() + gap) / columns) - gap
            found.append(QRect(left, row * (height + gap), right - left, height))
        return found

    def _arrange(self) -> None:
        places = self._places()
        before: QWidget | None = None
        for key, place in zip(self._order, places, strict=True):
            tile = self._tiles[key]
            if tile is not self._dragged:
                tile.setGeometry(place)
            if before is not None:
                QWidget.setTabOrder(before, tile)
            before = tile
        height = places[-1].bottom() + 1 if places else height_of(self._scale, self._dense)
        if self.minimumHeight() != height or self.maximumHeight() != height:
            self.setFixedHeight(height)

    def _change(self, order: list[str]) -> None:
        if order != self._order:
            self.set_order(order)
            self.order_changed.emit(self.order())

    def _key(self, tile: MetricTile, event: QKeyEvent) -> bool:
        columns = self._columns()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            return False
        here = self._order.index(tile.key)
        there = here + step
        if not 0 <= there < len(self._order):
            return True
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            order = self.order()
            order.insert(there, order.pop(here))
            self._change(order)
        else:
            self._tiles[self._order[there]].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def _drag(self, tile: MetricTile, at: QPoint) -> bool:
        assert self._pressed_at is not None
        if self._dragged is None:
            if (at - self._pressed_at).manhattanLength() < QApplication.startDragDistance():
                return False
            self._dragged = tile
            self._before_drag = self.order()
            tile.setDown(False)
            tile.raise_()
            tile.setCursor(Qt.CursorShape.ClosedHandCursor)
        tile.move(tile.pos() + at - self._pressed_at)
        middle = tile.geometry().center()
        for index, place in enumerate(self._places()):
            if place.contains(middle) and self._order[index] != tile.key:
                self._order.remove(tile.key)
                self._order.insert(index, tile.key)
                self._arrange()
                break
        return True

    def _drop(self) -> None:
        tile, self._dragged = self._dragged, None
        if tile is not None:
            tile.unsetCursor()
        self._arrange()
        if self._order != self._before_drag:
            self.order_changed.emit(self.order())

    def _ticked(self, action: QAction) -> None:
        key = action.data()
        if key is None:
            return
        if not action.isChecked():
            self._change([shown for shown in self._order if shown != key])
        elif key not in self._order:
            # Back to where the default order has it: before the first shown tile that follows it there.
            catalogue = list(self._captions)
            after = set(catalogue[catalogue.index(key) :])
            at = next((index for index, shown in enumerate(self._order) if shown in after), len(self._order))
            self._change([*self._order[:at], key, *self._order[at:]])
