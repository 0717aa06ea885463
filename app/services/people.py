"""What the agents of a store are called, wherever they stand beside each other."""

from __future__ import annotations

from sqlalchemy import Connection, select

from app.domain.naming import told_apart
from app.storage import schema


def called(connection: Connection, store: int) -> dict[str, str]:
    """{code: name} of every agent that events or files have named, namesakes with their codes."""
    a = schema.agents.c
    return told_apart((row.code, row.name) for row in connection.execute(select(a.code, a.name).where(a.store_id == store)))
