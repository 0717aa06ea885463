"""What-if replay: a week of 100,000 sessions under a plan, pure and from the database, by the clock and by the processor's own time.

Sixty agents in two groups and a fallback, from nine to ten at night, each customer comes twice on average; three in a hundred are handed
over. The store has the 48 hours before, too, as many sessions a day, which are read and run and not counted. A run is that of the current
settings: edited ones are a second run of what was read, of the time of the pure one.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from app.domain import events as ev
from app.domain.localtime import DAY_MS, LocalTime, day_date
from app.domain.permissions import local_owner
from app.domain.recording import Recording
from app.domain.replay import replay
from app.domain.routing.scopes import NewSession, Plan
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from benchmarks.harness import Result
from benchmarks.stores import TITLES, fresh

SESSIONS, QUICK_SESSIONS, DAYS = 100_000, 20_000, 7
_LOCAL = LocalTime("Asia/Shanghai")
_FIRST_DAY = 20_000
_START = _LOCAL.start_of_day(_FIRST_DAY)
_BEFORE = 2
"""Days before that are recorded, too."""
_HOUR = 3_600_000
_AGENTS = [f"a{number:02}" for number in range(60)]
_BATCH = 5_000
GROUPS = {
    "groups": [
        {"code": "presale", "name": "presale", "scope": {"order_state": "none"},
         "members": [{"agent": agent, "weight": 1 + number % 10} for number, agent in enumerate(_AGENTS[:40])]},
        {"code": "delivery", "name": "delivery", "scope": {"pages": ["logistics"]},
         "members": [{"agent": agent} for agent in _AGENTS[30:50]]},
        {"code": "rest", "name": "rest", "type": "fallback", "members": [{"agent": agent} for agent in _AGENTS[20:]]},
    ]
}  # fmt: skip
AGENTS = {"agents": [{"agent": agent, "capacity": 8} for agent in _AGENTS]}


def run(quick: bool = False) -> list[Result]:
    number, repeats = (QUICK_SESSIONS, 3) if quick else (SESSIONS, 5)
    recording = recorded(number)
    plan = Plan.of(GROUPS, AGENTS)

    def pure() -> None:
        assert replay(recording, plan) is not None

    found = [_result(f"replay of {number:,} sessions, {DAYS} days, pure", number, pure, repeats)]
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        for kind, title in TITLES.items():
            workspace = Workspace(Database(fresh(kind, Path(name))), local_owner())
            before = recorded(number * _BEFORE // DAYS, -_BEFORE, _BEFORE)
            for part in (before, recording):
                _fill(workspace, part)
            workspace.settings.save_all(workspace.store("shop"), {"groups": (GROUPS, None), "agents": (AGENTS, None)})
            found.append(_result(f"{title}: read and replayed, the current settings", number, partial(_whole, workspace, number), repeats))
            workspace.close()
    return found


def _whole(workspace: Workspace, number: int) -> None:
    first = day_date(_FIRST_DAY)
    found = workspace.replay.run(workspace.store("shop"), first, first + timedelta(days=DAYS - 1))
    assert found.current.sessions == number


def recorded(number: int, first: int = 0, days: int = DAYS) -> Recording:
    """Days, made of chance that is always the same; by default the week."""
    rng = random.Random(7 + first)
    start = _START + first * DAY_MS
    opened = sorted(start + rng.randrange(days) * DAY_MS + 9 * _HOUR + rng.randrange(13 * _HOUR) for _ in range(number))
    sessions = [
        NewSession(
            f"s{first}-{i}", f"c{rng.randrange(number // 2)}", "online", rng.choice(("item", "shop", "order", "logistics")), "",
            rng.choice(("上海", "江苏", "广东")), rng.choice(("none", "placed")),
        )
        for i in range(number)
    ]  # fmt: skip
    presence: list[tuple[int, str, ev.State]] = []
    for day in range(days):
        for agent in _AGENTS:
            midnight = start + day * DAY_MS
            presence.append((midnight + 9 * _HOUR - rng.randrange(600_000), agent, "available"))
            presence.append((midnight + 22 * _HOUR + rng.randrange(600_000), agent, "offline"))
    return Recording(
        start, start + days * DAY_MS, sessions, opened, [rng.randrange(60_000, 900_000) for _ in range(number)], [None] * number,
        [rng.choice(_AGENTS) for _ in range(number)], [0] * number, sorted(presence),
    )  # fmt: skip


def _fill(workspace: Workspace, recording: Recording) -> None:
    recorder = Recorder(workspace.database, open_store(workspace.database, "shop", "Asia/Shanghai"))
    events: list[ev.AnyEvent] = [
        ev.AgentPresence(id=f"p{at}-{i}", at=at, agent=agent, state=state) for i, (at, agent, state) in enumerate(recording.presence)
    ]
    for i, s in enumerate(recording.sessions):
        at, end = recording.opened[i], recording.opened[i] + recording.handling[i]
        about: dict[str, Any] = {"page": s.page, "region": s.region, "order_state": s.order_state}
        events.append(ev.SessionOpened(id=f"o{s.id}", at=at, session=s.id, customer=s.customer, **about))
        events.append(ev.SessionAssigned(id=f"a{s.id}", at=at, session=s.id, agent=recording.agents[i]))
        if i % 33 == 0:
            events.append(ev.SessionAssigned(id=f"h{s.id}", at=(at + end) // 2, session=s.id, agent=_AGENTS[i % 60], reason="transfer"))
        events.append(ev.SessionClosed(id=f"c{s.id}", at=end, session=s.id))
    for first in range(0, len(events), _BATCH):
        recorder.record(events[first : first + _BATCH])


def _result(what: str, number: int, once: Callable[[], None], repeats: int) -> Result:
    walls, own = [], []
    for _ in range(repeats):
        began, spent = time.perf_counter(), time.process_time()
        once()
        walls.append(time.perf_counter() - began)
        own.append(time.process_time() - spent)
    speed, alone = number / statistics.median(walls), number / statistics.median(own)
    return Result(
        "replay", what, f"{speed:,.0f}/s", f"{alone:,.0f}/s (processor time)", speed, f"{speed:,.0f}/s", 50_000, 200_000, at_least=True
    )
