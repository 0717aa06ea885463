"""Decisions tell the revision of the leave rule that held, too.

Policy: see script.py.mako.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("leave_rule_revision", sa.Integer))
