"""Runs the scripts in versions/ for app/storage/migrate.py, in the one transaction that it opens."""

from __future__ import annotations

from alembic import context

from app.storage.migrate import transaction
from app.storage.schema import metadata

with transaction(context.config.attributes["database"]) as connection:
    # SQLite's schema changes are as transactional as any others once the driver's own BEGIN is out of the way (app/storage/database.py).
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
