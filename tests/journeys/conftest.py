from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from app.domain.language import Language
from app.domain.permissions import Actor, local_owner
from app.services.workspace import Workspace
from tests.journeys.fakes import FakeSecrets, PlainPage, World
from tests.journeys.seats_desk import Desk, Shop, opened
from tests.journeys.settings_desk import RoutingHands
from ui import theme
from ui.application import Console, Options
from ui.pages.registry import PAGES
from ui.runtime import feed


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def secrets() -> FakeSecrets:
    return FakeSecrets()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An empty store in a file."""
    shop = Shop(tmp_path / "shop.db")
    yield shop
    shop.database.close()


@pytest.fixture
def groups(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[RoutingHands]:
    with opened(shop, tmp_path, qtbot, local_owner(), "groups") as desk:
        yield RoutingHands(desk)


@pytest.fixture
def agents(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[RoutingHands]:
    with opened(shop, tmp_path, qtbot, local_owner(), "agents") as desk:
        yield RoutingHands(desk)


@pytest.fixture
def actor() -> Actor:
    """Who sits at the desk."""
    return local_owner()


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot, actor: Actor) -> Iterator[Desk]:
    """The page of the seats, with hands."""
    with opened(shop, tmp_path, qtbot, actor) as desk:
        yield desk


@pytest.fixture
def plain_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both live pages are small ones that need no database, and reconnecting is quick."""
    for key in ("overview", "seats"):
        monkeypatch.setitem(PAGES, key, replace(PAGES[key], factory="tests.journeys.fakes:PlainPage"))
    monkeypatch.setattr(feed, "BACK_OFF", (0.01,))
    monkeypatch.setattr(feed, "GAP_SECONDS", 0.0)


class Person:
    """Somebody at the window."""

    def __init__(self, console: Console, qtbot: QtBot) -> None:
        self.console, self.qtbot = console, qtbot

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=5000)

    def settle(self) -> None:
        self.until(lambda: not self.console.operations.busy())

    @property
    def shell(self):  # type: ignore[no-untyped-def]
        assert self.console.shell is not None
        return self.console.shell

    @property
    def page(self) -> PlainPage:
        host = self.shell.host
        assert host is not None
        assert isinstance(host.page, PlainPage)
        return host.page


@contextmanager
def console_on(qapp: QApplication, url: str, language: Language = "zh") -> Iterator[Console]:
    """The console on a real store, without an engine."""
    theme.set_reduced_motion(True)
    gc.disable()
    console = Console(qapp, Options(url=url, engine=False), Workspace.open, FakeSecrets())
    console.set_language(language)
    console.start()
    yield console
    console.end()
    if Shiboken.isValid(console):
        console.deleteLater()
    gc.enable()
    theme.set_reduced_motion(None)


@pytest.fixture
def start(world: World, secrets: FakeSecrets, plain_pages: None, qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[..., Person]]:
    """Opens a console on the fake world; it is closed when the test ends."""
    consoles: list[Console] = []
    theme.set_reduced_motion(True)

    def begin(connected: bool = True, **options: object) -> Person:
        options.setdefault("url", "/fake/shop.db" if connected else None)
        options.setdefault("engine", False)
        console = Console(qapp, Options(**options), world.open, secrets)  # type: ignore[arg-type]
        consoles.append(console)
        console.start()
        person = Person(console, qtbot)
        if connected:
            person.until(lambda: console.connection is not None)
            person.settle()
        return person

    yield begin
    for console in consoles:
        console.end()
        if Shiboken.isValid(console):
            console.deleteLater()
    assert gc.isenabled()
    theme.set_reduced_motion(None)
