"""The way back: where one page led to another, its place is kept until somebody goes elsewhere by themselves."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import Shiboken

from ui.pagehost import PageHost

_MOST = 20


class Stop(NamedTuple):
    """A page that was left: its key, what its `place()` was, and what had the keyboard."""

    key: str
    place: object
    focus: QWidget | None

    def take_keyboard(self) -> None:
        if self.focus is not None and Shiboken.isValid(self.focus):
            self.focus.setFocus()


class Trail:
    def __init__(self) -> None:
        self._stops: list[Stop] = []

    @property
    def last(self) -> str:
        """Key of the page one would go back to, "" for none."""
        return self._stops[-1].key if self._stops else ""

    @staticmethod
    def stop_at(host: PageHost) -> Stop:
        return Stop(host.spec.key, host.place(), QApplication.focusWidget())

    def add(self, stop: Stop) -> None:
        self._stops = [*self._stops, stop][-_MOST:]

    def pop(self) -> Stop | None:
        return self._stops.pop() if self._stops else None

    def forget(self) -> None:
        self._stops.clear()
