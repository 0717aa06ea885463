"""What every editor of a declared value is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Editor(QWidget):
    """Holds one value. `changed` is sent when the person changes it, not when the program does."""

    changed = Signal()

    def value(self) -> Any:
        raise AssertionError(type(self))

    def set_value(self, value: Any) -> None:
        raise AssertionError(type(self))

    def take_typed(self) -> bool:
        """Make what is typed part of the value, as leaving the field does. False when it waits for the person, who has been told."""
        return True

    def target(self) -> QWidget:
        """What takes the keyboard, the name and the mark of an error."""
        raise AssertionError(type(self))
