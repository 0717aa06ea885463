"""Tab through a page as it is seen, whatever order its widgets were made in.

Qt walks widgets in the order of their making, so that a row made anew, or a drawer opened late, would come after everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QWidget


def tab_on(page: QWidget, parts: Sequence[QWidget], forward: bool) -> bool:
    """Move the keyboard one stop on, or back: through the parts in their order, inside each as Qt does, and out of the page at the ends.

    A part that stands within an earlier one is no part of that. False where there is nowhere to go.
    """
    stops = stops_of(page, parts)
    here, step = page.window().focusWidget(), 1 if forward else -1
    if here not in stops:
        return False
    place = stops.index(here) + step
    target = stops[place] if 0 <= place < len(stops) else _beyond(page, here, forward) or stops[place % len(stops)]
    target.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
    _reveal(target, page)
    return True


def stops_of(page: QWidget, parts: Sequence[QWidget]) -> list[QWidget]:
    """Where Tab stops inside the page, in the order it is seen."""
    chain = [widget for widget in _chain(page, forward=True) if page.isAncestorOf(widget) and _stops(widget)]
    innermost = sorted(range(len(parts)), key=lambda place: _depth(parts[place]), reverse=True)

    def part_of(widget: QWidget) -> int:
        return next((place for place in innermost if parts[place] is widget or parts[place].isAncestorOf(widget)), -1)

    return sorted(chain, key=part_of)


def _chain(start: QWidget, forward: bool) -> Iterator[QWidget]:
    """The others of the window, in Qt's order, from one on."""
    widget = start.nextInFocusChain() if forward else start.previousInFocusChain()
    while widget is not None and widget is not start:
        yield widget
        widget = widget.nextInFocusChain() if forward else widget.previousInFocusChain()


def _beyond(page: QWidget, here: QWidget, forward: bool) -> QWidget | None:
    outside = (widget for widget in _chain(here, forward) if widget is not page and not page.isAncestorOf(widget) and _stops(widget))
    return next(outside, None)


def _stops(widget: QWidget) -> bool:
    by_tab = Qt.FocusPolicy.TabFocus
    return widget.focusPolicy() & by_tab == by_tab and widget.focusProxy() is None and widget.isVisible() and widget.isEnabled()


def _depth(widget: QWidget) -> int:
    parent = widget.parentWidget()
    return 0 if parent is None else 1 + _depth(parent)


def _reveal(widget: QWidget, page: QWidget) -> None:
    parent = widget.parentWidget()
    while parent is not None and parent is not page:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget)
        parent = parent.parentWidget()
