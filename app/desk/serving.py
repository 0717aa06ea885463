"""The engine of a database: the routing of its stores, each while this process owns it, with the chores of an engine beside it.

Several engines share the stores and look every second what has become free, so that one that dies is replaced. What goes wrong in one
store is that store's alone: it is let go of and tried again after a while, longer each time; the others go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from app.desk import engine
from app.desk.engine import repeat
from app.desk.routing import Routing
from app.desk.sending import send_due
from app.domain.clock import StoreClock
from app.domain.kinds import joined, same
from app.domain.language import tr
from app.storage.backup import backup_if_due
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.ownership import ownership
from app.storage.search import index_pending
from app.storage.stores import clock_setting

LOOK_SECONDS = 1.0
"""How often it is looked for stores that nobody has."""
_AT_ONCE = 4
"""So many stores begin at once: what their first turns have to work out would hold up all the others."""
_BEGINNING_SECONDS = 1.0
"""For so long at most: a store whose lock is somebody else's may take minutes, and holds up no store after it."""
_NEXT_SECONDS = 0.05
"""How often it is looked while stores wait to begin."""
_PARTING_SECONDS = 2.0
"""How long the threads of ended stores are waited for together, while nobody takes over what is let go of. Whoever is slower ends by
itself a little later, and does no harm meanwhile: what is decided is decided under the store's lock."""
_REST_SECONDS = (1.0, 5.0, 15.0, 60.0)
"""How long a store in which something went wrong is let be, the first time, the second, …"""
_SOUND_SECONDS = 300.0
"""A store that has been served for so long had nothing wrong with it."""
_NAMED = 5
"""Stores that a sentence names."""
_OF_ALL = frozenset({"refused", "damaged", "newer", "readonly", "full"})
"""Kinds of faults that concern the database, and so every store in it."""


class Desk:
    """wanted: the code of the only store to serve, whether it is there already or not; None: all, those that come later too.

    on_store(code, owned) is told when this engine takes a store and when it gives one up; on_fault(code, fault, seconds) when something
    went wrong in one, which is then let be for so long; on_wait(sentence) what it waits for, once until that changes: a lost database,
    a first store, stores that other engines have.
    """

    def __init__(
        self,
        database: Database,
        wanted: str | None = None,
        on_store: Callable[[str, bool], None] | None = None,
        on_fault: Callable[[str, Exception, float], None] | None = None,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self._database = database
        self._wanted = wanted
        self._on_store = on_store
        self._on_fault = on_fault
        self._on_wait = on_wait
        self._awaited = ""
        self._resting: dict[int, _Rest] = {}
        self._ownership = ownership(database)
        self._served: dict[int, _Served] = {}
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ends `run`; safe from any thread and from signal handlers."""
        self._stop.set()

    def run(self) -> None:
        """Blocks until `stop`. A lost database is waited for; another fault of the database ends the run with FaultError."""
        repeat(self._stop, lambda: backup_if_due(self._database), engine.UPKEEP_AFTER_SECONDS, engine.UPKEEP_EVERY_SECONDS, "upkeep")
        try:
            while not self._stop.is_set():
                pause = LOOK_SECONDS
                try:
                    if self._share_out():
                        pause = min(LOOK_SECONDS, _NEXT_SECONDS)
                except FaultError as fault:
                    if fault.kind not in ("unreachable", "locked"):
                        raise
                    self._part(list(self._served))  # whose owner nobody is now
                    self._wait_for(str(fault))
                self._stop.wait(pause)
        finally:
            self._stop.set()
            self._part(list(self._served))
            self._ownership.close()

    def _share_out(self) -> bool:
        """Whether stores that are held have yet to begin."""
        stores = {id: code for id, code in self._ownership.stores().items() if self._wanted in (None, code)}
        failed = {store: served for store, served in self._served.items() if served.fault is not None}
        self._part(failed)
        for store, served in failed.items():
            if isinstance(served.fault, FaultError) and served.fault.kind in _OF_ALL:
                raise served.fault
            self._rest(store, served)
        now = time.monotonic()
        resting = {store for store, rest in self._resting.items() if rest.until > now}
        held = self._ownership.hold(stores.keys() - resting)
        surplus = self._ownership.surplus()
        self._part([store for store in self._served if store not in held or store in surplus])
        for store in surplus:
            self._ownership.release(store)
        waiting = sorted(held - surplus - self._served.keys())
        begin = waiting[: max(0, _AT_ONCE - sum(served.is_beginning for served in self._served.values()))]
        for store in begin:
            self._served[store] = _Served(self._database, store, stores[store])
            self._tell(stores[store], True)
        elsewhere = [code for store, code in stores.items() if store not in resting and (store not in held or store in surplus)]
        self._wait_for(_awaited(self._wanted, len(stores), elsewhere))
        return len(begin) < len(waiting)

    def _wait_for(self, what: str) -> None:
        if what and what != self._awaited and self._on_wait is not None:
            self._on_wait(what)
        self._awaited = what

    def _rest(self, store: int, served: _Served) -> None:
        """Another engine may take it meanwhile."""
        self._ownership.release(store)
        now, before = time.monotonic(), self._resting.get(store)
        times = 0 if before is None or now - served.began > _SOUND_SECONDS else before.times + 1
        seconds = _REST_SECONDS[min(times, len(_REST_SECONDS) - 1)]
        self._resting[store] = _Rest(times, now + seconds)
        assert served.fault is not None
        if self._on_fault is not None:
            self._on_fault(served.code, served.fault, seconds)

    def _part(self, stores: Collection[int]) -> None:
        """All at once, so that it takes no longer for many than for one."""
        parting = [self._served.pop(store) for store in stores]
        for served in parting:
            served.stop()
        until = time.monotonic() + _PARTING_SECONDS
        for served in parting:
            served.join(until)
            self._tell(served.code, False)

    def _tell(self, code: str, owned: bool) -> None:
        if self._on_store is not None:
            self._on_store(code, owned)


def _awaited(wanted: str | None, stores: int, elsewhere: Sequence[str]) -> str:
    """What an engine waits for, "" for nothing."""
    if not stores and wanted is None:
        return tr("还没有店铺，等它出现", "There is no store yet; waiting for one")
    if not stores:
        return tr(f"还没有店铺 {wanted}，等它出现", f"There is no store {wanted} yet; waiting for it")
    if not elsewhere:
        return ""
    named, more = joined(map(same, elsewhere[:_NAMED])), " …" if len(elsewhere) > _NAMED else ""
    return tr(f"由其他引擎分配，空出时接手：{named.zh}{more}", f"Routed by other engines, taken over when they end: {named.en}{more}")


class _Rest(NamedTuple):
    """times: how often before something has gone wrong; until: when to try again, by time.monotonic()."""

    times: int
    until: float


class _Served:
    """A store that is being served, on threads of its own: whoever makes one waits for nothing."""

    def __init__(self, database: Database, store: int, code: str) -> None:
        self.code = code
        self.began = time.monotonic()
        self.fault: Exception | None = None
        self._database, self._store = database, store
        self._stop = stop = threading.Event()
        self._routing: Routing | None = None
        self._thread = threading.Thread(target=self._run, name=f"routing {code}", daemon=True)
        self._thread.start()
        every = engine.INDEX_EVERY_SECONDS
        self._indexing = repeat(stop, lambda: index_pending(database, store, self._clock()(), stop, rest=1.0), every, every, "index")
        repeat(stop, lambda: send_due(database, code, stop), engine.SEND_AFTER_SECONDS, engine.SEND_EVERY_SECONDS, "reports")

    @property
    def is_beginning(self) -> bool:
        """Whether it is at its first turn, as far as that is waited for."""
        has_begun = self._routing is not None and self._routing.has_begun
        return not has_begun and time.monotonic() - self.began < _BEGINNING_SECONDS

    def _clock(self) -> StoreClock:
        return StoreClock(clock_setting(self._database, self._store))

    def _run(self) -> None:
        try:
            self._routing = Routing(self._database, self._store, self._clock())
            self._routing.run(self._stop)
        except Exception as fault:
            self.fault = fault

    def stop(self) -> None:
        self._stop.set()

    def join(self, until: float) -> None:
        """until: by time.monotonic()."""
        for thread in (self._thread, self._indexing):
            thread.join(max(0.0, until - time.monotonic()))
