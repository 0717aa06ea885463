"""A simulated store: its outside world lives, and the engine routes, as for any other store.

What it was once set up with is kept in the database and goes on. One process at a time is its world; another one waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict

import msgspec

from app.desk.engine import Engine
from app.desk.routing import Routing
from app.desk.serving import LOOK_SECONDS, Desk
from app.domain.clock import StoreClock, wall_clock
from app.domain.language import T
from app.domain.localtime import LocalTime
from app.domain.routing_settings import AGENTS, GROUPS
from app.sources.simulator import Plan, Simulator
from app.sources.simulator.feed import SimulatedStore
from app.storage import routed
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.lived import Recollection
from app.storage.ownership import ownership
from app.storage.progress import Progress
from app.storage.recorder import open_store
from app.storage.revisions import Draft, number, save_all
from app.storage.search import index_pending
from app.storage.stores import clock_setting, name_groups, set_clock

STORE_NAME = "演示店铺"
AUTHOR, NOTE = "模拟器", "演示店铺开业时的设置"
"""Of the revisions of the settings that a simulated store begins with."""
_LIVING = 2
_STILL_LIVES_MS, _STILL_STEP_MS = 900_000, 2_000
_PARTING_SECONDS = 10.0


class Setup(msgspec.Struct, kw_only=True, frozen=True):
    """What a simulated store is made of. way: 1 for one that was made when the simulator still gave sessions to agents itself."""

    plan: Plan
    days: int = 30
    way: int = 1


def engine_for(
    database: Database,
    wanted: Setup,
    speed: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_live: Callable[[], None] | None = None,
    now: Callable[[], int] | None = None,
) -> Engine:
    """What lets the world of the store `wanted.plan.store` in. A store that exists goes on with the plan it was made with.

    speed: how much faster than the wall clock the store lives from now on; None leaves it as it is. on_live is called when the present
    begins, from when on somebody is to route the store. now: instead of the store's clock.
    """
    store = open_store(database, wanted.plan.store, wanted.plan.zone, STORE_NAME)
    progress = Progress(database, store, SimulatedStore.name)
    kept = progress.plan()
    setup = Setup(plan=wanted.plan, days=wanted.days, way=_LIVING) if kept is None else msgspec.json.decode(kept, type=Setup)
    if speed is not None:
        before = StoreClock(clock_setting(database, store))
        set_clock(database, store, StoreClock.running(speed, before() if speed != 1 else wall_clock()))
    clock = now or StoreClock(clock_setting(database, store))
    simulator = Simulator(setup.plan)
    name_groups(database, store, {group.code: group.name for group in simulator.groups})
    _begin_settings(database, store, simulator)
    begin = clock()
    if setup.way < _LIVING:  # what it has is as it should be, and no day of it can be made again
        today = LocalTime(setup.plan.zone).day(begin)
        for item, value in SimulatedStore.settled(today - setup.days, today, begin).items():
            progress.keep(item, value)
    if kept is None or setup.way < _LIVING:
        progress.keep_plan(msgspec.json.encode({"plan": asdict(setup.plan), "days": setup.days, "way": _LIVING}).decode())
    with database.read() as connection:
        routing = routed.configuration(Bulk(connection), store).plan
    memory = Recollection(database, store)
    source = SimulatedStore(simulator, setup.days, begin, memory, routing, progress.kept())

    def hear() -> None:
        news = memory.news(source.heard, source.asked())
        source.hear(clock(), news.revision, news.given, news.states)

    return Engine(database, store, source, clock, source.backlog_size, on_progress, on_live, hear)


def _begin_settings(database: Database, store: int, simulator: Simulator) -> None:
    """Saves the first revision of what nobody has saved yet."""
    with database.read() as connection:
        drafts = [
            Draft(document, body, 0)
            for document, body in zip((GROUPS, AGENTS), simulator.settings, strict=True)
            if not number(connection, store, document)
        ]
    if drafts:
        save_all(database, store, drafts, AUTHOR, NOTE)


def build(database: Database, wanted: Setup, speed: float | None = None, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Builds the whole store as of now, searchable, and ends. Raises FaultError while somebody else lives it."""
    held = ownership(database, "world")
    try:
        store = open_store(database, wanted.plan.store, wanted.plan.zone, STORE_NAME)
        if store not in held.hold((store,)):
            raise FaultError(
                "refused", T("此演示店铺正在运行，请先关闭它的窗口或引擎。", "This store is running; close its window or engine first.")
            )
        engine_for(database, wanted, speed, on_progress).catch_up()
        index_pending(database, store, StoreClock(clock_setting(database, store))(), threading.Event())
    finally:
        held.close()


def build_still(database: Database, wanted: Setup, at: int) -> None:
    """Builds the whole store as of `at` (epoch ms) and stops its clock there: for pictures and measurements.

    The last minutes are lived, with an engine that routes.
    """
    store = open_store(database, wanted.plan.store, wanted.plan.zone, STORE_NAME)
    now = at - _STILL_LIVES_MS
    set_clock(database, store, StoreClock.running(0, at))
    engine = engine_for(database, wanted, now=lambda: now)
    engine.hear_seconds = 0.0
    engine.catch_up()
    routing = Routing(database, store, lambda: now)
    while now < at:
        routing.turn()
        now += _STILL_STEP_MS
        engine.tick()
    routing.turn()
    index_pending(database, store, at, threading.Event())


class SimulatedDesk:
    """Lives a simulated store and routes it, and the other stores of a local file, until `stop`.

    Where another process does either already it waits and takes over when that one is gone.
    """

    def __init__(
        self, database: Database, wanted: Setup, speed: float | None = None, on_progress: Callable[[int, int], None] | None = None
    ) -> None:
        self._database = database
        self._wanted = wanted
        self._speed = speed
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._desk = Desk(database, None if database.is_sqlite else wanted.plan.store)
        self._world: tuple[Engine, threading.Thread] | None = None
        self._routing: threading.Thread | None = None

    def stop(self) -> None:
        """Ends `run`; safe from any thread and from signal handlers."""
        self._stop.set()

    def run(self) -> None:
        """Blocks until `stop`. A lost database is waited for; other faults end the run with FaultError."""
        plan, store = self._wanted.plan, None
        owned = ownership(self._database, "world")
        try:
            while not self._stop.is_set():
                try:
                    if store is None:
                        store = open_store(self._database, plan.store, plan.zone, STORE_NAME)
                    if store not in owned.hold((store,)):
                        self._end()
                        self._route()
                    elif self._world is None:
                        self._begin()
                except FaultError as fault:
                    if fault.kind not in ("unreachable", "locked"):
                        raise
                    self._end()  # somebody else may live it by now
                if self._fault is not None:
                    raise self._fault
                self._stop.wait(LOOK_SECONDS)
        finally:
            self._stop.set()
            self._end()
            self._desk.stop()
            if self._routing is not None:
                self._routing.join(_PARTING_SECONDS)
            owned.close()

    def _begin(self) -> None:
        engine = engine_for(self._database, self._wanted, self._speed, self._on_progress, self._route)
        self._speed = None
        thread = self._thread(engine.run, "world")
        self._world = engine, thread

    def _end(self) -> None:
        world, self._world = self._world, None
        if world is not None:
            world[0].stop()
            world[1].join(_PARTING_SECONDS)

    def _route(self) -> None:
        if self._routing is None:
            self._routing = self._thread(self._desk.run, "desk")

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as fault:
                self._fault = fault

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread
