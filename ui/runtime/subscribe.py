"""Subscriptions that end with their owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, SignalInstance


class _Link(QObject):
    """Child of the owner, so that Qt cuts the connection when the owner goes; lives on the owner's thread, so it is called there."""

    def __init__(self, owner: QObject, fn: Callable[..., None]) -> None:
        super().__init__(owner)
        self._fn = fn

    def call(self, *args: Any) -> None:
        self._fn(*args)


def subscribe(signal: SignalInstance, owner: QObject, fn: Callable[..., None]) -> None:
    """Call `fn` with the signal's arguments on the owner's thread until the owner is destroyed.

    For lambdas and closures on senders that outlive the owner (feed, preferences, application): connected directly, they
    would never be freed, and from a sender in another thread they would run there. A bound method of a QObject may be
    connected directly.
    """
    signal.connect(_Link(owner, fn).call)
