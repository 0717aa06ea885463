"""A workspace without a database, and small pages, for journeys through the window."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.domain.language import T
from app.domain.permissions import Actor
from app.services.workspace import StoreInfo
from app.storage.faults import FaultError, unreachable
from app.storage.notices import Notice
from ui.pages.registry import Page, PageContext
from ui.runtime.feed import Quality
from ui.widgets.commands import Command


@dataclass
class World:
    """What the fake database holds and how it behaves; tests change it while the window is open."""

    stores: list[StoreInfo] = field(default_factory=lambda: [StoreInfo(1, "shop", "小店", "Asia/Shanghai")])
    agents: list[tuple[str, str]] = field(default_factory=lambda: [("a1", "张三"), ("a2", "李小明"), ("a3", "")])
    down: threading.Event = field(default_factory=threading.Event)
    refuse: FaultError | None = None
    opened: list[tuple[str, str, bool]] = field(default_factory=list)
    closed: int = 0
    numbers: int = 0
    lines: list[queue.Queue[Notice]] = field(default_factory=list)

    def open(self, url: str, actor: Actor, create: bool) -> Any:
        self.opened.append((url, actor.name, create))
        if self.down.is_set():
            raise unreachable()
        if self.refuse is not None:
            raise self.refuse
        return FakeWorkspace(self, actor)

    def commit(self, *topics: str) -> None:
        self.numbers += 1
        for line in self.lines:
            line.put(Notice(1, self.numbers, frozenset(topics or {"sessions"}), None))

    def ask(self) -> int:
        if self.down.is_set():
            raise unreachable()
        return self.numbers


@dataclass
class Seat:
    code: str
    name: str
    team: str = "一组"


@dataclass
class Seats:
    rows: list[Seat]


class FakeWorkspace:
    def __init__(self, world: World, actor: Actor) -> None:
        self.world, self.actor = world, actor
        self.live = self

    def stores(self) -> list[StoreInfo]:
        return self.world.stores

    def clock(self, store: StoreInfo) -> Callable[[], int]:
        return lambda: 1_700_000_000_000

    def seats(self, store: StoreInfo) -> Seats:
        return Seats([Seat(code, name) for code, name in self.world.agents])

    def create_store(self, code: str, name: str) -> None:
        self.world.stores.append(StoreInfo(len(self.world.stores) + 1, code, name, "Asia/Shanghai"))

    def notices(self, store_id: int) -> FakeNotices:
        return FakeNotices(self.world)

    def close(self) -> None:
        self.world.closed += 1


class FakeNotices:
    def __init__(self, world: World) -> None:
        self._world = world
        self._line: queue.Queue[Notice] = queue.Queue()
        world.lines.append(self._line)

    def wait(self, timeout: float) -> list[Notice]:
        if self._world.down.is_set():
            raise unreachable()
        try:
            return [self._line.get(timeout=min(timeout, 0.02) or 0.001)]
        except queue.Empty:
            return []

    def close(self) -> None:
        self._world.lines.remove(self._line)


class FakeSecrets:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.usable = True

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def put(self, name: str, password: str) -> str:
        self.kept[name] = password
        return "" if self.usable else "没有可用的系统钥匙串。"

    def forget(self, name: str) -> None:
        self.kept.pop(name, None)


class PlainPage(Page):
    """Shows one number of the world, remembers a text, and writes down what happens to it."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self.number = -1
        self.calls: list[str] = []
        self.where: dict[str, Any] = {}
        self.quality = Quality("connecting")
        self.text = QLineEdit()
        self.text.textChanged.connect(self.state_changed)
        QVBoxLayout(self).addWidget(QLineEdit(self))

    def filters(self) -> QWidget | None:
        return self.text

    def activate(self) -> None:
        self.calls.append("activate")

    def deactivate(self) -> None:
        self.calls.append("deactivate")

    def refresh(self) -> None:
        self.calls.append("refresh")
        world = self.context.workspace.world  # type: ignore[attr-defined]
        self.read("number", world.ask, self._show)

    def on_notice(self, topics: frozenset[str]) -> None:
        self.refresh()

    def on_quality(self, quality: Quality) -> None:
        self.quality = quality

    def state(self) -> dict[str, Any]:
        return {"text": self.text.text()}

    def restore(self, state: dict[str, Any]) -> None:
        self.text.setText(str(state.get("text", "")))

    def open_at(self, where: dict[str, Any]) -> None:
        self.where = where
        self.breadcrumb_changed.emit()

    def focus_filter(self) -> None:
        self.text.setFocus()

    def commands(self) -> list[Command]:
        return [Command("greet", T("打招呼", "Greet"), "user", lambda: self.calls.append("greet"), hint="shop")]

    def set_wallboard(self, on: bool) -> None:
        self.calls.append(f"wallboard {on}")

    @property
    def breadcrumb(self) -> tuple[str, ...]:
        return tuple(str(value) for value in self.where.values())

    def _show(self, number: int) -> None:
        self.number = number


class BrokenPage(PlainPage):
    """Breaks where `broken` says; mended by emptying it."""

    broken: str = "build"

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._break("build")

    def _break(self, where: str) -> None:
        if self.broken == where:
            raise RuntimeError(f"broken in {where}")

    def activate(self) -> None:
        self._break("activate")

    def deactivate(self) -> None:
        self._break("deactivate")

    def refresh(self) -> None:
        self._break("refresh")
        super().refresh()

    def on_notice(self, topics: frozenset[str]) -> None:
        self._break("notice")

    def on_quality(self, quality: Quality) -> None:
        self._break("quality")

    def state(self) -> dict[str, Any]:
        self._break("state")
        return {"page": object()} if self.broken == "unstorable state" else {}

    def restore(self, state: dict[str, Any]) -> None:
        self._break("restore")

    def filters(self) -> QWidget | None:
        self._break("filters")
        return None

    def _show(self, number: int) -> None:
        self._break("show")
        super()._show(number)

    @property
    def breadcrumb(self) -> tuple[str, ...]:
        self._break("breadcrumb")
        return ()
