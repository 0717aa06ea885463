"""Feeding a stream of NDJSON into a database: every good line recorded, every bad one told with its reason."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import SQLAlchemyError

from app.domain.events import AnyEvent
from app.domain.language import tr
from app.domain.permissions import Actor
from app.sources.ndjson import Bad, blocks
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store

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
    first comes. Raises FaultError when the database cannot go on: everything counted in `summary` so far is durable.
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
            self._recorder(store)

    def run(self, descriptor: int, progress: Callable[[int, Summary], None] | None = None) -> Summary:
        """Reads the open descriptor to its end; `progress(bytes read, summary)` follows every batch that became durable."""
        self.rejects.unlink(missing_ok=True)  # of an earlier run
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
                self._rejects_file.close()
        self.summary.seconds = time.monotonic() - self._started
        return self.summary

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
        except FaultError:
            raise
        except (SQLAlchemyError, ValueError, OverflowError) as error:
            # One event the database cannot hold must not take its neighbours along: halve until it stands alone.
            if len(lines) == 1:
                self._reject(Bad(lines[0][0], f"cannot be stored: {str(error).splitlines()[0]}", lines[0][2]))
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
        if self._rejects_file is None:
            try:
                self._rejects_file = self.rejects.open("wb")
            except OSError as error:
                raise FaultError(
                    "readonly",
                    tr(f"无法写入 {self.rejects}：{error.strerror}。请用 --rejects 指定别处。",
                       f"Cannot write {self.rejects}: {error.strerror}. Choose another place with --rejects."),
                ) from error  # fmt: skip
        text = bad.text.decode("utf-8", "backslashreplace")
        self._rejects_file.write(json.dumps({"line": bad.line, "reason": bad.reason, "text": text}, ensure_ascii=False).encode() + b"\n")
