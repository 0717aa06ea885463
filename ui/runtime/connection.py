"""A store opened by the console, and how it gets there without the window ever waiting."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.language import T, tr
from app.domain.permissions import PERMISSIONS, Actor, local_owner
from ui.runtime.engine import ChildEngine, program
from ui.runtime.feed import LiveFeed
from ui.runtime.operations import Operations
from ui.runtime.problems import Problem
from ui.runtime.profiles import Profile, with_password

if TYPE_CHECKING:
    from app.secrets import Secrets
    from app.services.workspace import StoreInfo, Workspace

LOOK_AGAIN_MS = 200
DEATHS_ALLOWED = 3
CLOSE_SECONDS = 2.0

OpenWorkspace = Callable[[str, Actor, bool], "Workspace"]
"""(path or URL, who, whether to make a database that does not exist)."""


def open_workspace(url: str, actor: Actor, create: bool) -> Workspace:
    """Blocks. The heavy imports happen here, on the thread that waits anyway."""
    from app.services.workspace import Workspace

    return Workspace.open(url, actor, create)


@dataclass(slots=True)
class Connection:
    """One store, live. `engine` is the child that serves a local store, None for a server."""

    profile: Profile
    workspace: Workspace
    stores: list[StoreInfo]
    store: StoreInfo
    clock: Callable[[], int]
    feed: LiveFeed
    engine: ChildEngine | None

    @property
    def actor(self) -> Actor:
        return self.workspace.actor

    def close(self) -> None:
        """In order: engine and feed are told, the feed and then the database are let go, the engine is awaited. At most four seconds."""
        self.feed.ask_to_end()
        if self.engine is not None:
            self.engine.ask_to_end()
        closing = threading.Thread(target=self._let_go, name="closing", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)
        if self.engine is not None:
            self.engine.stop()
            self.engine.deleteLater()

    def retire(self) -> None:
        """The same without waiting for any of it."""
        self.feed.ask_to_end()
        if self.engine is not None:
            self.engine.retire()
        threading.Thread(target=self._let_go, name="closing", daemon=True).start()

    def _let_go(self) -> None:
        # The feed is deleted only when its thread is done with it, and by Qt: feed and engine have a parent, so that a Python
        # reference dropped on this thread destroys nothing.
        if self.feed.wait_for_end():
            self.feed.deleteLater()
        self.workspace.close()


@dataclass(frozen=True, slots=True)
class _Opened:
    workspace: Workspace
    stores: list[StoreInfo]
    store: StoreInfo
    clock: Callable[[], int]
    note: str


class Connector(QObject):
    """Opens one profile. Afterwards exactly one of `opened(Connection)` and `failed(Problem)`, unless `cancel` comes first.

    waiting(str) says what is being waited for, engine_said(dict) what the engine reports meanwhile. A profile with arguments for
    an engine gets its engine started first, and its store is there as soon as the engine has made it. Any other local store gets one that
    routes when it is open; where another console's engine has it already, this one waits until that one is gone. Whoever uses a server
    runs engines there.
    """

    opened = Signal(object)
    failed = Signal(object)
    waiting = Signal(str)
    noted = Signal(str)
    engine_said = Signal(object)

    def __init__(
        self, operations: Operations, secrets: Secrets, opener: OpenWorkspace = open_workspace, engine: bool = True,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._operations = operations
        self._secrets = secrets
        self._opener = opener
        self._with_engine = engine
        self._profile: Profile | None = None
        self._password: str | None = None
        self._keep_password = False
        self._attempt = 0
        self._engine: ChildEngine | None = None
        self._again = QTimer(self, singleShot=True, interval=LOOK_AGAIN_MS)
        self._again.timeout.connect(self._try)

    def open(self, profile: Profile, password: str | None = None, keep_password: bool = False) -> None:
        """password: as typed, kept in the keyring on success if wanted; None takes it from there."""
        self.cancel()
        self._profile, self._password, self._keep_password = profile, password, keep_password
        if profile.serve and self._with_engine:
            chosen = ("--store", profile.store) if profile.store else ()
            self._engine = self._start(profile, *chosen, *profile.serve)
        self.waiting.emit(tr(f"正在打开 {profile.title}…", f"Opening {profile.title} …"))
        self._try()

    def _start(self, profile: Profile, *arguments: str) -> ChildEngine:
        engine = ChildEngine(program("serve", "--db", profile.url, *arguments, "--parent"), self)
        engine.said.connect(self.engine_said)
        engine.start()
        return engine

    def stop(self) -> None:
        """Give up and wait for the engine to be gone."""
        engine, self._engine = self._engine, None
        self.cancel()
        if engine is not None:
            engine.stop()
            engine.deleteLater()

    def cancel(self) -> None:
        """Give up; what still opens is closed again unseen."""
        self._attempt += 1
        self._again.stop()
        self._profile = None
        if self._engine is not None:
            self._engine.retire()
            self._engine = None

    def _try(self) -> None:
        profile, password, keep, attempt = self._profile, self._password, self._keep_password, self._attempt
        if profile is None:
            return
        self._operations.read(
            self,
            lambda: self._open(profile, password, keep),
            lambda found: self._arrive(attempt, found),
            lambda problem: self._fail(attempt, problem),
        )

    def _open(self, profile: Profile, password: str | None, keep: bool) -> _Opened | None:
        """On a reader thread. None while a local store has not been made yet."""
        note = ""
        if profile.kind == "server":
            actor = Actor(profile.user, frozenset(PERMISSIONS))
            url = with_password(profile.url, password or self._secrets.get(profile.url))
        else:
            actor, url = local_owner(), profile.url
        makes = bool(profile.serve) and self._with_engine
        workspace = self._opener(url, actor, makes)
        try:
            stores = workspace.stores()
            if not stores and makes:
                workspace.close()
                return None
            if not stores:
                raise _no_store()
            store = next((store for store in stores if store.code == profile.store), stores[0])
            if profile.kind == "server" and password and keep:
                note = self._secrets.put(profile.url, password)
            return _Opened(workspace, stores, store, workspace.clock(store), note)
        except BaseException:
            workspace.close()
            raise

    def _arrive(self, attempt: int, found: _Opened | None) -> None:
        if attempt != self._attempt or self._profile is None:
            if found is not None:
                self._operations.read(self.parent() or self, found.workspace.close, lambda _nothing: None)
            return
        if found is None:
            if self._engine is not None and self._engine.deaths >= DEATHS_ALLOWED:
                self._fail(attempt, Problem("act", self._engine.why))
                return
            self.waiting.emit(tr("正在准备店铺数据…", "Preparing the store …"))
            self._again.start()
            return
        feed = LiveFeed(lambda: found.workspace.notices(found.store.id), self)
        engine, self._engine = self._engine, None
        profile, self._profile = self._profile, None
        if engine is None and self._with_engine and _is_writable(profile):
            engine = self._start(profile)  # only now: of a store that is not there it would make an empty one
        feed.start()
        if found.note:
            self.noted.emit(found.note)
        self.opened.emit(Connection(profile, found.workspace, found.stores, found.store, found.clock, feed, engine))

    def _fail(self, attempt: int, problem: Problem) -> None:
        if attempt != self._attempt:
            return
        self.cancel()
        self.failed.emit(problem)


def _is_writable(profile: Profile) -> bool:
    """A local file in which sessions can be given to agents at all."""
    path = Path(profile.url)
    return profile.kind != "server" and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _no_store() -> Exception:
    from app.storage.faults import FaultError

    return FaultError(
        "refused",
        T(
            "这个数据库里还没有店铺。请新建一个店铺，或先导入数据。",
            "There is no store in this database yet. Create one, or import data first.",
        ),
    )
