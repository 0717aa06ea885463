"""A store's own row."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from app.domain.clock import StoreClock
from app.storage import schema
from app.storage.bulk import Bulk
from app.storage.database import Database


def clock_setting(database: Database, store: int) -> str | None:
    """As domain.clock.StoreClock takes it."""
    with database.read() as connection:
        setting: str | None = connection.execute(select(schema.stores.c.clock).where(schema.stores.c.id == store)).scalar()
        return setting


def present(connection: Connection, store: int) -> int:
    """The store's present moment, epoch ms."""
    return StoreClock(connection.execute(select(schema.stores.c.clock).where(schema.stores.c.id == store)).scalar_one())()


def set_clock(database: Database, store: int, setting: str | None) -> None:
    with database.write() as connection:
        connection.execute(update(schema.stores).where(schema.stores.c.id == store).values(clock=setting))


def name_groups(database: Database, store: int, names: Mapping[str, str]) -> None:
    """Gives groups their names by code, making those that nobody has been heard of in yet."""
    with database.write() as connection:
        bulk = Bulk(connection)
        for code, name in names.items():
            bulk.run(
                "INSERT INTO skill_groups (store_id, code, name) VALUES (?, ?, ?) ON CONFLICT (store_id, code) DO UPDATE SET name = ?",
                (store, code, name, name),
            )
        bulk.close()
