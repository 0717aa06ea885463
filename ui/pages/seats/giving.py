"""Commands given from this page: each is followed until the engine has carried it out or refused it, where it was given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QSize, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.domain.language import tr
from ui.pages.registry import Page
from ui.theme import SPACE_1, SPACE_2, SPACE_3, icon
from ui.widgets.buttons import Button, IconButton

if TYPE_CHECKING:
    from app.services.commands import Command, Kind
    from ui.runtime.problems import Problem

PATIENCE_MS = 5000
"""An engine takes a command within a second: whoever waits so long is told that none seems to run."""
STAY_MS = 30_000
"""How long it is told that a command was carried out; a refusal stays until it is taken away."""
_WATCH_MS = 250
_TWO_LINES = 50
_NEVER = float("inf")

Standing = Literal["sent", "late", "done", "refused"]
_LEVELS: dict[Standing, str] = {"sent": "info", "late": "warn", "done": "good", "refused": "alarm"}


@dataclass(slots=True)
class Wish:
    """What is commanded. words: it as a phrase, such as 挂起王敏; body: by codes; undo: what takes it back, None where nothing can."""

    kind: Kind
    words: str
    body: dict[str, str]
    undo: Wish | None = None


@dataclass(slots=True)
class Given:
    """A wish that was given at `place`. number: of the command, once it is put down; why: that it was refused, and the reason."""

    place: str
    wish: Wish
    number: int | None = None
    standing: Standing = "sent"
    why: str = ""
    due: float = _NEVER
    """When patience ends, or the telling; by time.monotonic()."""

    @property
    def can_end(self) -> bool:
        """It can be taken back as long as the session it is about lasts."""
        return self.standing == "done" and self.wish.undo is not None and "session" in self.wish.body

    def told(self) -> str:
        words = self.wish.words
        if self.standing == "sent":
            return tr(f"{words}：已发送，等待执行", f"{words}: sent")
        if self.standing == "late":
            return tr(f"{words}：路由引擎未运行，命令将在其启动后执行", f"{words}: no routing engine is running; it waits for one")
        if self.standing == "done":
            return tr(f"{words}：已执行", f"{words}: done")
        return f"{words}{tr('：', ': ')}{self.why}"


class Giving(QObject):
    """place: names where the person is now, so that the answer is told there; elsewhere by then, they are told in passing."""

    changed = Signal()

    def __init__(self, page: Page, place: Callable[[], str]) -> None:
        super().__init__(page)
        self._page, self._place = page, place
        self._latest: dict[str, Given] = {}
        self._pending: list[Given] = []
        self._watch = QTimer(self, interval=_WATCH_MS)
        self._watch.timeout.connect(self._look)
        self.allowed = page.context.actor.may("seats.command")

    def latest(self, place: str) -> Given | None:
        """The last command given there, while it is worth telling."""
        return self._latest.get(place)

    def give(self, wish: Wish) -> None:
        context, given = self._page.context, Given(self._place(), wish)
        self._latest[given.place] = given
        commands, store = context.workspace.commands, context.store
        context.operations.change(
            self, lambda: commands.give(store, wish.kind, **wish.body), lambda number: self._put_down(given, number),
            lambda problem: self._failed(given, problem),
        )  # fmt: skip
        self.changed.emit()

    def undo(self, given: Given) -> None:
        if given.wish.undo is not None:
            self.give(given.wish.undo)

    def forget(self, given: Given) -> None:
        """It need not be told any longer."""
        if self._latest.get(given.place) is given:
            del self._latest[given.place]
            self.changed.emit()

    def refresh(self) -> None:
        """Ask what has become of those that are still to be carried out, and of the sessions that could be handed back."""
        asked = (*self._pending, *(given for given in self._latest.values() if given.can_end))
        numbers = tuple(given.number for given in asked if given.number is not None)
        if not numbers:
            return
        commands, store = self._page.context.workspace.commands, self._page.context.store
        self._page.read("commands", lambda: [commands.status(store, number) for number in numbers], self._take, numbers)

    def on_notice(self, topics: frozenset[str]) -> None:
        if "commands" in topics or ("sessions" in topics and any(given.can_end for given in self._latest.values())):
            self.refresh()

    # -- inside --

    def _put_down(self, given: Given, number: int) -> None:
        given.number = number
        self._pending.append(given)
        self._wait(given, PATIENCE_MS)
        self.refresh()

    def _failed(self, given: Given, problem: Problem) -> None:
        self._settle(given, "refused", tr(f"未执行。{problem.sentence}", f"not done. {problem.sentence}"))

    def _wait(self, given: Given, ms: int) -> None:
        given.due = time.monotonic() + ms / 1000
        self._watch.start()

    def _look(self) -> None:
        """Whose time has come; nothing runs while there is nothing to wait for."""
        held, now = [*self._pending, *self._latest.values()], time.monotonic()
        for given in held:
            if given.due <= now:
                given.due = _NEVER
                if given.standing == "sent":
                    given.standing = "late"
                    self._say(given)
                    self.refresh()
                else:
                    self.forget(given)
        if all(given.due == _NEVER for given in held):
            self._watch.stop()

    def _take(self, found: list[Command]) -> None:
        by_number = {command.id: command for command in found}
        for given in list(self._pending):
            command = by_number.get(given.number or 0)
            if command is not None and command.done_at is not None:
                self._pending.remove(given)
                refused = command.refused
                why = "" if refused is None else tr(f"未执行。{refused}", f"not done ({refused})")
                self._settle(given, "done" if refused is None else "refused", why)
        for given in self._latest.values():
            if given.can_end and (command := by_number.get(given.number or 0)) is not None and command.ended:
                given.wish.undo = None
                self.changed.emit()

    def _settle(self, given: Given, standing: Standing, why: str) -> None:
        given.standing, given.why, given.due = standing, why, _NEVER
        if standing == "done":
            self._wait(given, STAY_MS)
        self._say(given)

    def _say(self, given: Given) -> None:
        if self._place() == given.place and self._latest.get(given.place) is given:
            self.changed.emit()
        else:
            self.forget(given)
            self._page.context.toast(given.told(), _LEVELS[given.standing])


class GivenStrip(QFrame):
    """What has become of the last command given here, with a way back where there is one. Not seen while there is none."""

    def __init__(self, giving: Giving, place: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._giving, self._place = giving, place
        self.setProperty("look", "raised")
        self.setMinimumHeight(_TWO_LINES)  # so that a longer answer in the place of a shorter one moves nothing
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_3, SPACE_1, SPACE_1, SPACE_1)
        row.setSpacing(SPACE_2)
        self._mark = QLabel(self)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.undo = Button(tr("撤销", "Undo"), "plain", parent=self)
        self.undo.clicked.connect(self._undo)
        self._close = IconButton("close", tr("不再显示", "Dismiss"), self)
        self._close.setFixedSize(28, 28)
        self._close.setIconSize(QSize(14, 14))
        self._close.clicked.connect(self._dismiss)
        row.addWidget(self._mark)
        row.addWidget(self.words, 1)
        row.addWidget(self.undo)
        row.addWidget(self._close)
        giving.changed.connect(self.look)
        self.look()

    def set_place(self, place: str) -> None:
        self._place = place
        self.look()

    def look(self) -> None:
        given = self._giving.latest(self._place)
        self.setVisible(given is not None)
        if given is None:
            return
        level = _LEVELS[given.standing]
        self._mark.setPixmap(icon(level, level).pixmap(QSize(16, 16), self.devicePixelRatioF()))  # type: ignore[arg-type]
        if given.told() != self.words.text():
            self.words.setText(given.told())
            self.setAccessibleName(given.told())
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
        self.undo.setVisible(given.standing == "done" and given.wish.undo is not None)
        if given.wish.undo is not None:
            self.undo.setAccessibleDescription(given.wish.undo.words)
            self.undo.setToolTip(given.wish.undo.words)

    def _undo(self) -> None:
        if (given := self._giving.latest(self._place)) is not None:
            self._giving.undo(given)

    def _dismiss(self) -> None:
        if (given := self._giving.latest(self._place)) is not None:
            self._giving.forget(given)
