"""Pictures of every finished page, in both themes and languages, without a screen: `python main.py screenshots`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop
from PySide6.QtWidgets import QApplication

from app.domain.kinds import fill, joined, same
from app.domain.language import T
from app.domain.routing_edits import MAX_WEIGHT, with_weights
from app.storage.faults import FaultError
from ui.application import Console, Options
from ui.pages.registry import PAGES
from ui.runtime.drafts import Draft

if TYPE_CHECKING:
    from app.services.settings import Saved

THEMES = ("light", "dark")
LANGUAGES = ("zh", "en")
SIZES = ((1280, 720), (2560, 1440))
PATIENCE_SECONDS = 30.0
# A busy evening: what a picture should show. The store's clock stands still while it is taken.
STORE_HOUR = 21
_FAVOURED = 3


def take(out: Path, url: str | None = None, pages: Sequence[str] = ()) -> Iterator[Path]:
    """Writes PAGE-THEME-LANGUAGE-WIDTHxHEIGHT.png into `out`, yielding each path as it is written.

    Without `url` a demo store is made for it. Pages: those named, else all finished ones, an opened agent, and the welcome page.
    Raises FaultError for a page that is not there, TimeoutError when one does not come to rest.
    """
    there = [*(key for key, spec in PAGES.items() if spec.factory), "agent-drawer", "welcome"]
    unknown = [key for key in pages if key not in there]
    if unknown:
        what = T("没有页面 {0}；现有：{1}", "There is no page {0}; there are: {1}")
        raise FaultError("refused", fill(what, joined(map(same, unknown)), joined(map(same, there))))
    out.mkdir(parents=True, exist_ok=True)
    with _own_settings() as folder:
        if url is None:
            url = str(folder / "demo.db")
            _build(url)
        for language in LANGUAGES:
            for theme in THEMES:
                yield from _session(out, url, pages or there, language, theme)


def _session(out: Path, url: str, wanted: Sequence[str], language: str, theme: str) -> Iterator[Path]:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    for key in wanted:
        console = Console(app, Options(url=None if key == "welcome" else url, page="seats" if key == "agent-drawer" else key, engine=False))
        console.prefs.put("connections", [])
        console.set_theme(theme)
        console.set_language(language)
        console.start()
        try:
            for width, height in SIZES:
                console.window.resize(width, height)
                _settle(console, key != "welcome")
                if key in _OPENED:
                    _OPENED[key](console)
                    _settle(console, True)
                path = out / f"{key}-{theme}-{language}-{width}x{height}.png"
                console.window.grab().save(str(path))
                yield path
            if key == "replay":  # other pictures show nothing of it
                _draft(console).discard()
                _draft(console).keep()
        finally:
            console.end()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _open_an_agent(console: Console) -> None:
    """The busiest agent now."""
    assert console.connection is not None
    assert console.shell is not None
    live, store = console.connection.workspace.live, console.connection.store
    busiest: list[str] = []

    def done(seats: Any) -> None:
        busiest.append(max(seats.rows, key=lambda row: row.numbers.get("active", 0)).code)

    console.operations.read(console.shell, lambda: live.seats(store), done)
    _until(lambda: bool(busiest))
    console.shell.open_page("seats", {"agent": busiest[0]})


def _try_weights(console: Console) -> None:
    """Some members of the first group get more than they have; replayed beside what holds."""
    assert console.connection is not None
    assert console.shell is not None
    settings, store = console.connection.workspace.settings, console.connection.store
    held: list[dict[str, Saved]] = []
    console.operations.read(console.shell, lambda: {key: settings.get(store, key) for key in ("groups", "agents")}, held.append)
    _until(lambda: bool(held))
    groups = held[0]["groups"].body
    group = groups["groups"][0]
    favoured = {member["agent"]: MAX_WEIGHT for member in group["members"][:_FAVOURED]}
    draft = _draft(console)
    draft.arrived(held[0], {})
    draft.edit({"groups": with_weights(groups, group["code"], favoured)})
    console.shell.open_page("replay", {"draft": True})


def _draft(console: Console) -> Draft:
    assert console.shell is not None
    assert console.shell.host is not None
    assert console.shell.host.page is not None
    return console.shell.host.page.context.draft("groups", "agents")


_OPENED: dict[str, Callable[[Console], None]] = {"agent-drawer": _open_an_agent, "replay": _try_weights}
"""What is done on a page before its picture is taken."""


def _settle(console: Console, connected: bool) -> None:
    """Until the page has its data and nothing is asked or animated any more."""
    if connected:
        _until(lambda: console.connection is not None)
    quiet_since = time.monotonic()

    def at_rest() -> bool:
        nonlocal quiet_since
        if console.operations.busy():
            quiet_since = time.monotonic()
        return time.monotonic() - quiet_since > 0.9

    _until(at_rest)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("a page did not come to rest")
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _build(url: str) -> None:
    from app.desk.simulated import Setup, build_still
    from app.domain.localtime import LocalTime
    from app.sources.simulator import Plan
    from app.storage.database import Database

    plan = Plan()
    zone = LocalTime(plan.zone).zone
    evening = datetime.now(zone).replace(hour=STORE_HOUR, minute=7, second=30, microsecond=0) - timedelta(days=1)
    database = Database(url)
    try:
        build_still(database, Setup(plan=plan, days=8), round(evening.timestamp() * 1000))
    finally:
        database.close()


@contextmanager
def _own_settings() -> Iterator[Path]:
    """The person's own preferences neither show nor change."""
    before = os.environ.get("KEFU_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KEFU_HOME"] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["KEFU_HOME"]
            else:
                os.environ["KEFU_HOME"] = before
