"""A store's own row."""

from __future__ import annotations

from sqlalchemy import select, update

from app.storage import schema
from app.storage.database import Database


def clock_setting(database: Database, store: int) -> str | None:
    """As domain.clock.StoreClock takes it."""
    with database.read() as connection:
        setting: str | None = connection.execute(select(schema.stores.c.clock).where(schema.stores.c.id == store)).scalar()
        return setting


def set_clock(database: Database, store: int, setting: str | None) -> None:
    with database.write() as connection:
        connection.execute(update(schema.stores).where(schema.stores.c.id == store).values(clock=setting))
