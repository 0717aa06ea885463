"""A busy store of 500 seats, and the program that keeps it busy: conversations at a steady 500 events a second.

As a program, `python -m benchmarks.traffic URL`, it records into a store made by `make` until its standard input ends. Ten times a
second the customer of a marked agent asks something besides, which makes that agent's number of consultations one larger. Each such
commit is told as `marked [agent, consultations, at]`, `at` being the moment after the commit in epoch nanoseconds.
"""

from __future__ import annotations

import heapq
import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.domain import events as ev
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store
from benchmarks.processes import Observed, observed

STORE = "busy"
SEATS, RATE = 500, 500
MARKED = 12
TICK_SECONDS = 0.02
"""As often as the product's own engine looks for what is due."""
_HOURS = 10
_GROUPS, _CUSTOMERS = 8, 20_000
_LASTS_MS = 40_000
_EVENTS_A_SESSION = 9.2
_MARK_EVERY_MS, _EVENTS_A_MARK = 100, 4
_BATCH = 4_000

_LEAST_RATE = 0.9


@contextmanager
def busy(url: str, home: Path) -> Iterator[Observed]:
    """The writer as a process, while the store is busy. Raises RuntimeError when it could not keep up: then nothing was measured."""
    with observed("-m", "benchmarks.traffic", url, home=home) as writer:
        writer.wait_for("running")
        yield writer
        writer.end_input()
        events, seconds = json.loads(writer.wait_for("recorded")[1])
        if events < RATE * seconds * _LEAST_RATE:
            raise RuntimeError(f"only {events / seconds:.0f} events a second were recorded instead of {RATE}")


def agent_code(number: int) -> str:
    return f"a{number:03}"


def make(url: str, sessions: int) -> None:
    """A store in which it is about six in the evening, with `sessions` conversations since eight in the morning."""
    hour = datetime.now(UTC).hour
    ahead = (18 - hour + 12) % 24 - 12
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    database = Database(url)
    try:
        recorder = Recorder(database, open_store(database, STORE, zone, "500 seats"))
        now = time.time_ns() // 1_000_000
        begin, end = now - _HOURS * 3_600_000, now - 2 * _LASTS_MS
        staff: list[ev.AnyEvent] = []
        for number in range(SEATS):
            code = agent_code(number)
            name, team = f"Agent {number:03}", f"t{number % 5}"
            staff.append(ev.AgentUpserted(id=f"n{number}", at=begin, agent=code, name=name, team=team, capacity=10))
            staff.append(ev.AgentPresence(id=f"p{number}", at=begin + number, agent=code, state="available"))
        recorder.record(staff)
        batch: list[ev.AnyEvent] = []
        for event in conversations(begin, sessions / (end - begin), "h", end):
            batch.append(event)
            if len(batch) == _BATCH:
                recorder.record(batch)
                batch = []
        recorder.record(batch)
    finally:
        database.close()


def conversations(begin: int, per_ms: float, prefix: str, end: int | None = None) -> Iterator[ev.AnyEvent]:
    """Events in order of time: sessions begin from `begin` (epoch ms) until `end`, evenly, and take their course."""
    chance = random.Random(begin)
    waiting: list[tuple[int, int, ev.AnyEvent]] = []
    opened, count = float(begin), 0
    while end is None or opened < end:
        while waiting and waiting[0][0] <= opened:
            yield heapq.heappop(waiting)[2]
        for event in _session(f"{prefix}{count}", int(opened), chance):
            count += 1
            heapq.heappush(waiting, (event.at, count, event))
        opened += 1 / per_ms
    while waiting:
        yield heapq.heappop(waiting)[2]


def _session(code: str, at: int, chance: random.Random) -> Iterator[ev.AnyEvent]:
    number = chance.randrange(MARKED, SEATS)
    agent, customer = agent_code(number), f"c{chance.randrange(_CUSTOMERS)}"
    channel: ev.Channel = chance.choice(("app", "web", "mini"))
    pace = chance.uniform(0.5, 1.5)
    name = f"{code}-{at}"

    def later(seconds: float) -> int:
        return at + int(seconds * 1000 * pace)

    yield ev.VisitorEntered(id=f"{name}v", at=at, customer=customer, available=True)
    yield ev.SessionOpened(
        id=f"{name}o", at=later(0.5), session=name, customer=customer, channel=channel, agent=agent, group=f"g{number % _GROUPS}"
    )
    yield ev.MessageSent(id=f"{name}1", at=later(1), session=name, sender="customer", text="请问这件有货吗？")
    answered = later(chance.uniform(4, 25))
    yield ev.MessageSent(id=f"{name}2", at=answered, session=name, sender="agent", agent=agent, text="有的，今天可以发货。")
    yield ev.MessageSent(id=f"{name}3", at=later(26), session=name, sender="customer", text="好的，谢谢")
    yield ev.MessageSent(id=f"{name}4", at=later(28), session=name, sender="agent", agent=agent, text="不客气，祝您生活愉快。")
    yield ev.RatingInvited(id=f"{name}i", at=later(30), session=name)
    yield ev.RatingGiven(id=f"{name}r", at=later(34), session=name, score=chance.choice((5, 5, 5, 4, 3, 1)), resolved=chance.random() < 0.9)
    if chance.random() < 0.2:
        line = ev.OrderLine(sku=f"s{chance.randrange(300)}", quantity=chance.randrange(1, 4), amount_fen=chance.randrange(1_000, 90_000))
        yield ev.OrderPlaced(id=f"{name}b", at=later(36), order=name, customer=customer, lines=[line])
    yield ev.SessionClosed(id=f"{name}x", at=later(40), session=name, by="customer")


def marks(begin: int) -> Iterator[tuple[int, list[ev.AnyEvent], str, int]]:
    """(when, events, agent, its consultations after them): the marked agents in turn; each session is over a moment later."""
    chance = random.Random(begin)
    at, count = begin, 0
    while True:
        # Not in step with anything: neither with the writer's ticks nor with the console's.
        at += chance.randrange(_MARK_EVERY_MS // 2, _MARK_EVERY_MS * 3 // 2)
        agent, name = agent_code(count % MARKED), f"m{count}-{begin}"
        yield at, [
            ev.SessionOpened(id=f"{name}o", at=at, session=name, customer=f"c{count}", channel="app", agent=agent, group="g0"),
            ev.MessageSent(id=f"{name}1", at=at, session=name, sender="customer", text="在吗？"),
            ev.MessageSent(id=f"{name}2", at=at, session=name, sender="agent", agent=agent, text="在的。"),
            ev.SessionClosed(id=f"{name}x", at=at, session=name, by="customer"),
        ], agent, count // MARKED + 1  # fmt: skip
        count += 1


def keep_busy(url: str, ended: threading.Event) -> None:
    """Records what is due every tick. Says `running` once the present is reached and `recorded [events, seconds]` at the end."""
    database = Database(url)
    store = next(id for id, code, *_ in database.stores() if code == STORE)
    recorder = Recorder(database, store)
    begin = _now()
    # The sessions that are under way already come first, in one batch.
    rate = RATE - _EVENTS_A_MARK * 1000 / _MARK_EVERY_MS
    stream = conversations(begin - 2 * _LASTS_MS, rate / 1000 / _EVENTS_A_SESSION, "l")
    coming = next(stream)
    marked = marks(begin)
    mark = next(marked)
    count, began = 0, 0.0
    while not ended.is_set():
        now = _now()
        due: list[ev.AnyEvent] = []
        while coming.at <= now:
            due.append(coming)
            coming = next(stream)
        told: list[tuple[str, int]] = []
        while mark[0] <= now:
            due += mark[1]
            told.append(mark[2:])
            mark = next(marked)
        recorder.record(due)
        committed = time.time_ns()
        for agent, value in told:
            _say("marked", [agent, value, committed])
        if began:
            count += len(due)
        else:
            began = time.perf_counter()
            _say("running", None)
        ended.wait(max(0.0, TICK_SECONDS - (_now() - now) / 1000))
    _say("recorded", [count, time.perf_counter() - began])
    database.close()


def _say(word: str, what: object) -> None:
    print(word, json.dumps(what), flush=True)


def _now() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    ended = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    keep_busy(sys.argv[1], ended)


if __name__ == "__main__":
    main()
