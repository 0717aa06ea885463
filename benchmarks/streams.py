"""Files of events to measure with: days of the simulated store, in order of time, as a source would deliver them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from app.domain.events import SessionOpened, encode
from app.domain.localtime import DAY_MS
from app.sources.simulator import Plan, Simulator

FIRST_DAY = 20_450
STORE = "demo"


class Stream(NamedTuple):
    path: Path
    events: int
    sessions: int
    bytes: int


def write(folder: Path, days: int, agents: int = 24) -> Stream:
    """NDJSON of `days` days with all their texts, and of whatever follows on later days."""
    simulator = Simulator(Plan(agents=agents, store=STORE))
    events = simulator.roster(FIRST_DAY * DAY_MS)
    for day in range(FIRST_DAY, FIRST_DAY + days):
        events += simulator.day(day)
    events.sort(key=lambda event: (event.at, event.id))
    path = folder / "events.ndjson"
    with path.open("wb") as file:
        file.writelines(encode(event) + b"\n" for event in events)
    sessions = sum(isinstance(event, SessionOpened) for event in events)
    return Stream(path, len(events), sessions, path.stat().st_size)
