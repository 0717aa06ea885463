"""Feeding a stream of NDJSON into a database: every good line recorded, every bad one told with its reason."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import DBAPIError

from app.domain.clock import StoreClock
from app.domain.events import MAX_CODE, AnyEvent
from app.domain.language import T
from app.domain.permissions import Actor
from app.sources.ndjson import Bad, blocks
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store
from app.storage.search import index_pending
from app.storage.stores import clock_setting

BATCH = 8_000
Lines = list[tuple[int, AnyEvent, bytes]]


@dataclass(slots=True)
class Summary:
    """Lines read (blank ones apart), and what became of them."""

    read: int = 0
    applied: int = 0
    repeated: int = 0
    rejected: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


class Ingest:
    """One run over one stream. Not thread-safe.

    store: code for events that name none. zone: of stores that are created. rejects: where bad lines go; the file is made when the
    first comes. Raises FaultError for a store's code or a rejects file that cannot be, and when the database cannot go on: everything
    counted as applied in `summary` so far is durable.
    """

    def __init__(self, database: Database, actor: Actor, store: str | None, zone: str, rejects: Path, source: str = "ndjson") -> None:
        actor.require("data.ingest")
        self.summary = Summary()
        self._database = database
        self._store = store
        self._zone = zone
        self._source = source
        self.rejects = rejects
        self._rejects_file: BinaryIO | None = None
        self._recorders: dict[str, Recorder] = {}
        self._started = time.monotonic()
        if store is not None:
            if not 0 < len(store) <= MAX_CODE:
                raise FaultError(
                    "refused",
                    T(f"店铺代码须为1到{MAX_CODE}个字符。", f"A store's code has 1 to {MAX_CODE} characters."),
                )  # fmt: skip
            self._recorder(store)

    def run(self, descriptor: int, progress: Callable[[int, Summary], None] | None = None) -> Summary:
        """Reads the open descriptor to its end; `progress(bytes read, summary)` follows every batch that became durable."""
        self._clear_rejects(descriptor)
        try:
            for block in blocks(descriptor):
                self.summary.read += len(block.events) + len(block.bad)
                for bad in block.bad:
                    self._reject(bad)
                for start in range(0, len(block.events), BATCH):
                    self._take(block.events[start : start + BATCH])
                self.summary.seconds = time.monotonic() - self._started
                if progress is not None:
                    progress(block.bytes_read, self.summary)
        finally:
            if self._rejects_file is not None:
                with self._writing_rejects():
                    self._rejects_file.close()
        self.summary.seconds = time.monotonic() - self._started
        return self.summary

    def index(self, tell: Callable[[int], None] = lambda done: None) -> None:
        """Makes what this run has recorded searchable; tell(sessions) follows every piece."""
        if not self.summary.applied:
            return
        for code in self._recorders:
            store = open_store(self._database, code, self._zone)
            now = StoreClock(clock_setting(self._database, store))()
            index_pending(self._database, store, now, threading.Event(), tell)

    def _take(self, lines: Lines) -> None:
        by_store: dict[str, Lines] = {}
        for line in lines:
            code = line[1].store or self._store
            if code is None:
                self._reject(Bad(line[0], "no `store` in the event; name one or give --store", line[2]))
            else:
                by_store.setdefault(code, []).append(line)
        for code, mine in by_store.items():
            self._record(self._recorder(code), mine)

    def _record(self, recorder: Recorder, lines: Lines) -> None:
        try:
            recorded = recorder.record([line[1] for line in lines], self._source)
        except Exception as error:
            if not _is_of_the_data(error):
                raise
            # One event the database cannot hold must not take its neighbours along: halve until it stands alone.
            if len(lines) == 1:
                self._reject(Bad(lines[0][0], f"cannot be stored: {(str(error).splitlines() or [''])[0]}", lines[0][2]))
                return
            middle = len(lines) // 2
            self._record(recorder, lines[:middle])
            self._record(recorder, lines[middle:])
        else:
            self.summary.applied += recorded.applied
            self.summary.repeated += recorded.repeated

    def _recorder(self, code: str) -> Recorder:
        found = self._recorders.get(code)
        if found is None:
            found = self._recorders[code] = Recorder(self._database, open_store(self._database, code, self._zone))
        return found

    def _reject(self, bad: Bad) -> None:
        self.summary.rejected += 1
        text = bad.text.decode("utf-8", "backslashreplace")
        line = json.dumps({"line": bad.line, "reason": bad.reason, "text": text}, ensure_ascii=False).encode() + b"\n"
        with self._writing_rejects():
            if self._rejects_file is None:
                self._rejects_file = self.rejects.open("wb")
            self._rejects_file.write(line)

    def _clear_rejects(self, descriptor: int) -> None:
        """Removes the rejects of an earlier run, and nothing that is not such a file."""
        with self._writing_rejects():
            try:
                there = self.rejects.stat()
            except FileNotFoundError:
                return
            if not stat.S_ISREG(there.st_mode):
                return  # /dev/null, a pipe: written to, never removed
            if os.path.samestat(there, os.fstat(descriptor)) or (there.st_size and not self._first_bytes().startswith(b'{"line":')):
                raise FaultError(
                    "refused",
                    T(f"{self.rejects} 里不是被拒绝的行，不会覆盖它。请用 --rejects 指定别处。",
                      f"{self.rejects} holds something else than rejected lines and is left alone. Choose another place with --rejects."),
                )  # fmt: skip
            self.rejects.unlink()

    def _first_bytes(self) -> bytes:
        with self.rejects.open("rb") as file:
            return file.read(8)

    @contextmanager
    def _writing_rejects(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FaultError(
                "readonly",
                T(f"无法写入 {self.rejects}：{error.strerror}。请用 --rejects 指定别处。",
                  f"Cannot write {self.rejects}: {error.strerror}. Choose another place with --rejects."),
            ) from error  # fmt: skip


def _is_of_the_data(error: Exception) -> bool:
    """Whether the database, or its driver, refused a value; anything else would be the same for every event."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, ValueError | OverflowError):
        return True
    # Of PostgreSQL: data exceptions, and limits of the program such as the size of an index entry.
    return isinstance(cause, sqlite3.DataError) or str(getattr(cause, "sqlstate", None) or "")[:2] in ("22", "54")
