"""Setting up the engine of a simulated store: what it was once set up with is kept in the database and goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import msgspec

from app.desk.engine import Engine
from app.desk.sending import send_due
from app.domain.clock import StoreClock, wall_clock
from app.sources.simulator import Plan, Simulator
from app.sources.simulator.feed import SimulatedStore
from app.storage.backup import backup_if_due
from app.storage.database import Database
from app.storage.progress import Progress
from app.storage.recorder import open_store
from app.storage.stores import clock_setting, name_groups, set_clock

STORE_NAME = "演示店铺"


class Setup(msgspec.Struct, kw_only=True, frozen=True):
    """What a simulated store is made of."""

    plan: Plan
    days: int = 30


def engine_for(
    database: Database,
    wanted: Setup,
    speed: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Engine:
    """The engine of the simulated store `wanted.plan.store`. A store that exists goes on with the plan it was made with.

    speed: how much faster than the wall clock the store lives from now on; None leaves it as it is.
    """
    store = open_store(database, wanted.plan.store, wanted.plan.zone, STORE_NAME)
    progress = Progress(database, store, SimulatedStore.name)
    kept = progress.plan()
    if kept is None:
        setup = wanted
        progress.keep_plan(msgspec.json.encode({"plan": asdict(setup.plan), "days": setup.days}).decode())
    else:
        setup = msgspec.json.decode(kept, type=Setup)
    if speed is not None:
        before = StoreClock(clock_setting(database, store))
        set_clock(database, store, StoreClock.running(speed, before() if speed != 1 else wall_clock()))
    clock = StoreClock(clock_setting(database, store))
    finished = frozenset(int(item.removeprefix("day:")) for item in progress.finished())
    simulator = Simulator(setup.plan)
    if kept is None:
        name_groups(database, store, {group.code: group.name for group in simulator.groups})
    source = SimulatedStore(simulator, setup.days, clock(), finished)
    return Engine(
        database, store, source, clock, source.is_finished, source.backlog_size, on_progress, lambda: backup_if_due(database),
        lambda stop: send_due(database, wanted.plan.store, stop),
    )  # fmt: skip


def build_still(database: Database, wanted: Setup, at: int) -> None:
    """Builds the whole store as of `at` (epoch ms) and stops its clock there: for pictures and measurements."""
    store = open_store(database, wanted.plan.store, wanted.plan.zone, STORE_NAME)
    set_clock(database, store, StoreClock.running(0, at))
    engine_for(database, wanted).catch_up()
