"""What differs from brokers, and what became of it: one table, made from the journal's reports like every other.

Nothing that is there changes, so a ledger of any size is migrated at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state IN ('OPEN', 'IGNORED')")
RESOLVED = sa.text("resolution_id <> ''")


def upgrade() -> None:
    """Make the table and its indexes."""
    op.create_table(
        "discrepancies",
        sa.Column("discrepancy_id", sa.Text(), nullable=False),
        sa.Column("first_report", SEQUENCE, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("portfolios", sa.Text(), nullable=False),
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("report", SEQUENCE, nullable=False),
        sa.Column("resolution_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("discrepancy_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "discrepancies_waiting",
        "discrepancies",
        ["first_report", "place"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "discrepancies_by_resolution",
        "discrepancies",
        ["resolution_id"],
        sqlite_where=RESOLVED,
        postgresql_where=RESOLVED,
    )
