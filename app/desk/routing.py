"""The routing of one store, carried out: what is committed to the database goes into the router, what it decides is committed.

The database is the meeting point, so it does not matter who writes the sessions. A turn (turn.py) happens in one transaction under the
store's lock: it looks at what is new, lets the router decide, and records the decisions with the events they lead to. So a decision is
always made on what is there, also by an engine that has lost its store without knowing; and a kill at any moment leaves all of a turn or
nothing (docs/decisions/0014-routing-engine.md).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from app.desk.memory import Memory
from app.desk.turn import Turn
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.notices import Notices
from app.storage.queries import touched_since
from app.storage.recorder import Recorder

WAIT_SECONDS = 0.25
_RETRY_SECONDS = (0.2, 0.5, 1.0)


class Routing:
    """now: the store's clock, epoch ms. One thread at a time."""

    def __init__(self, database: Database, store: int, now: Callable[[], int]) -> None:
        self._database = database
        self._store = store
        self._now = now
        self._recorder = Recorder(database, store)
        self._memory = Memory(store)

    @property
    def has_begun(self) -> bool:
        """Whether the first turn is over, which takes longest. Safe from any thread."""
        return self._memory.revision >= 0

    def run(self, stop: Event) -> None:
        """Blocks until `stop`. A lost database is waited for; other faults end the run with FaultError."""
        notices: Notices | None = None
        tries = 0
        try:
            while not stop.is_set():
                try:
                    if notices is None:
                        notices = Notices(self._database, self._store)
                    self.turn()
                    tries = 0
                    while not stop.is_set():
                        heard = notices.wait(WAIT_SECONDS)
                        if self._memory.is_late_due() or (heard and heard[-1].revision > self._memory.revision):
                            break
                except FaultError as fault:
                    if fault.kind not in ("unreachable", "locked"):
                        raise
                    stop.wait(_RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)])
                    tries += 1
        finally:
            if notices is not None:
                notices.close()

    def turn(self) -> int:
        """Carries out all that follows from what has been committed, and returns how many decisions that was.

        Raises FaultError; then nothing of it is recorded, and the next turn begins anew from the database.
        """
        if self._memory.router is not None and not self._is_anything_new():
            return 0
        try:
            with self._recorder.locked() as batch:
                decisions = Turn(self._memory, batch, self._now()).carry_out()
        except BaseException:
            self._memory.router = None
            raise
        self._memory.revision = batch.revision
        return decisions

    def _is_anything_new(self) -> bool:
        """Read without a lock, for most of what happens calls for no decision."""
        memory = self._memory
        with self._database.read() as connection:
            revision, topics, agents = touched_since(connection, self._store, memory.revision)
            if revision == memory.revision:
                return memory.is_late_due()
            if agents is None or "routing" in topics:  # somebody else's decisions, for after a turn of our own its revision is known
                return True
            bulk = Bulk(connection)
            news = memory.look(bulk, topics, agents)
            bulk.close()
        if news or memory.is_late_due():
            return True
        memory.revision = revision
        return False
