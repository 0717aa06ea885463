"""How far a source has come with filling in a store's past, so that a restart goes on and a console can show it."""

from __future__ import annotations

import json

from sqlalchemy import delete, select

from app.storage import schema
from app.storage.bulk import Bulk
from app.storage.database import Database

_STATUS = "status"
_PLAN = "plan"
_FINISHED = "finished"


class Progress:
    def __init__(self, database: Database, store: int, source: str) -> None:
        self._database = database
        self._store = store
        self._source = source

    def kept(self) -> dict[str, str]:
        """Everything, by item."""
        return self._all()

    def finish(self, item: str) -> None:
        self._put(item, _FINISHED)

    def say(self, done: tuple[int, int] | None) -> None:
        """(items done, items in all) while filling in; None when there is nothing left."""
        p = schema.source_progress
        if done is None:
            with self._database.write() as connection:
                connection.execute(delete(p).where(p.c.store_id == self._store, p.c.source == self._source, p.c.item == _STATUS))
        else:
            self._put(_STATUS, json.dumps(done))

    def said(self) -> tuple[int, int] | None:
        found = self._all().get(_STATUS)
        if found is None:
            return None
        done, total = json.loads(found)
        return int(done), int(total)

    def plan(self) -> str | None:
        """What the source was set up with, as it wrote it."""
        return self._all().get(_PLAN)

    def keep_plan(self, plan: str) -> None:
        self._put(_PLAN, plan)

    def keep(self, item: str, value: str) -> None:
        self._put(item, value)

    def _all(self) -> dict[str, str]:
        p = schema.source_progress.c
        with self._database.read() as connection:
            rows = connection.execute(select(p.item, p.value).where(p.store_id == self._store, p.source == self._source))
            return {row.item: row.value for row in rows}

    def _put(self, item: str, value: str) -> None:
        with self._database.write() as connection:
            bulk = Bulk(connection)
            bulk.replace(schema.source_progress, ("store_id", "source", "item", "value"), [(self._store, self._source, item, value)])
            bulk.close()
