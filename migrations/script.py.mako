"""${message}

Policy, the same for every migration:
- Forward only. There is no downgrade: an older program refuses a newer database, and a local file was copied to backups/ first.
- Additive first. New tables, and new columns with a default, so that a console of the release before can go on for a while; what is no
  longer used is dropped one release later.
- A migration that has been released is never edited. Mend it with the next one.
- One transaction for all of them: a process killed half-way leaves the database as it was.
- The same file works on SQLite and PostgreSQL. SQLite changes a table only by copying it: use op.batch_alter_table, and ask
  op.get_bind().dialect.name where the two must differ (sequences, triggers, roles).
- Literal names and types only. Nothing is imported from app: what stands there will change, what stands here must not.
- Large tables: no rewrite of millions of rows while people wait. Fill a new column where it is read, or in the engine, in batches.
- Afterwards: HEAD in app/storage/database.py, the same change in app/storage/schema.py; tests/database/test_migrations.py compares them.

Revision ID: ${up_revision}
Revises: ${down_revision or "nothing"}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}
