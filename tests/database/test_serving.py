"""What goes wrong in one store ends neither the others nor the engine; what is wrong with the database ends it with a sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.desk import serving
from app.desk.routing import Routing
from app.desk.serving import Desk, _awaited
from app.domain.language import set_language
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.ownership import ownership
from app.storage.recorder import open_store

PATIENCE = 10.0


class Watched:
    """A desk on a thread, with the turns of one store taken over."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch, turn: Callable[[], int]) -> None:
        _, sick = (open_store(database, code) for code in ("sound", "sick"))
        self.heard: list[tuple[Any, ...]] = []
        self.changed = threading.Condition()
        turned = Routing.turn
        monkeypatch.setattr(Routing, "turn", lambda routing: turn() if routing._store == sick else turned(routing))
        self.desk = Desk(database, on_store=self._hear, on_fault=self._hear)
        self.ended: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.desk.run()
        except FaultError as fault:
            self.ended = fault

    def _hear(self, *said: Any) -> None:
        with self.changed:
            self.heard.append(said)
            self.changed.notify_all()

    def wait_for(self, what: Callable[[list[tuple[Any, ...]]], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: what(self.heard), PATIENCE), self.heard

    def end(self) -> None:
        self.desk.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(serving, "_REST_SECONDS", (0.01, 0.02, 0.03))


def test_a_store_in_which_something_goes_wrong_is_tried_again_and_the_others_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    fails = [KeyError("nonsense"), FaultError("unknown", "nonsense"), KeyError("nonsense")]

    def turn() -> int:
        if fails:
            raise fails.pop(0)
        return 0

    watched = Watched(database, monkeypatch, turn)
    try:
        watched.wait_for(lambda heard: len([said for said in heard if said == ("sick", True)]) == 4)
        assert [said[2] for said in watched.heard if len(said) == 3] == [0.01, 0.02, 0.03]
        assert [said for said in watched.heard if said[0] == "sound"] == [("sound", True)]
        assert not fails
    finally:
        watched.end()
    assert watched.ended is None


@pytest.mark.parametrize("kind", ["newer", "damaged", "full"])
def test_a_fault_of_the_database_ends_the_engine(database: Database, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def turn() -> int:
        raise FaultError(kind, "a sentence")

    watched = Watched(database, monkeypatch, turn)
    try:
        watched.thread.join(PATIENCE)
        assert str(watched.ended) == "a sentence"
        assert ("sound", False) in watched.heard
    finally:
        watched.end()


def test_what_goes_wrong_is_rested_longer_each_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def turn() -> int:
        raise KeyError("nonsense")

    watched = Watched(database, monkeypatch, turn)
    try:
        watched.wait_for(lambda heard: len([said for said in heard if len(said) == 3]) >= 5)
        assert [said[2] for said in watched.heard if len(said) == 3][:5] == [0.01, 0.02, 0.03, 0.03, 0.03]
    finally:
        watched.end()


def test_what_an_engine_waits_for_is_said_once_until_it_changes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    changed = threading.Condition()
    lost = threading.Event()

    def hear(*what: Any) -> None:
        with changed:
            said.append(what[0] if len(what) == 1 else f"{what[0]} {what[1]}")
            changed.notify_all()

    def until(last: str) -> None:
        with changed:
            assert changed.wait_for(lambda: bool(said) and said[-1] == last, PATIENCE), said

    def loses(desk: Desk) -> Desk:
        stores = desk._ownership.stores

        def looked() -> dict[int, str]:
            if lost.is_set():
                raise FaultError("unreachable", "gone")
            return stores()

        monkeypatch.setattr(desk._ownership, "stores", looked)
        return desk

    first, second = loses(Desk(database, on_store=hear, on_wait=hear)), loses(Desk(database, on_wait=hear))
    threads = [threading.Thread(target=desk.run) for desk in (first, second)]
    try:
        threads[0].start()
        until("还没有店铺，等它出现")
        open_store(database, "shop")
        until("shop True")
        threads[1].start()
        until("由其他引擎分配，空出时接手：shop")
        lost.set()
        with changed:
            assert changed.wait_for(lambda: said.count("gone") == 2, PATIENCE), said
    finally:
        for desk, thread in zip((first, second), threads):
            desk.stop()
            if thread.is_alive():
                thread.join(PATIENCE)
    assert said.count("还没有店铺，等它出现") == said.count("由其他引擎分配，空出时接手：shop") == 1


def test_a_store_that_failed_and_is_another_engines_now_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _, sick = (open_store(database, code) for code in ("sound", "sick"))
    rival = ownership(database)
    waits: list[str] = []
    named = threading.Event()

    def turn(routing: Routing) -> int:
        if routing._store == sick:
            raise KeyError("nonsense")
        return 0

    def hear(sentence: str) -> None:
        waits.append(sentence)
        named.set()

    monkeypatch.setattr(Routing, "turn", turn)
    desk = Desk(database, on_fault=lambda *_: waits.append(f"taken: {rival.hold((sick,)) == {sick}}"), on_wait=hear)
    thread = threading.Thread(target=desk.run)
    thread.start()
    try:
        assert named.wait(PATIENCE)
        assert waits == ["taken: True", "由其他引擎分配，空出时接手：sick"]
    finally:
        desk.stop()
        thread.join(PATIENCE)
        rival.close()


def test_several_stores_are_named_as_the_language_does() -> None:
    codes = [f"shop{n}" for n in range(6)]
    try:
        assert _awaited(None, 6, codes) == "由其他引擎分配，空出时接手：shop0、shop1、shop2、shop3、shop4 …"
        set_language("en")
        assert _awaited(None, 2, codes[:2]) == "Routed by other engines, taken over when they end: shop0, shop1"
    finally:
        set_language("zh")
