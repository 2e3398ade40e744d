"""The first schema that is released: ledger, journal, portfolios, entries, trades, books, and the view of what is open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotkeeperd.storage.columns import Exact

revision = "0002"
down_revision = None
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CURRENT_POSITIONS = """
CREATE VIEW current_positions AS
SELECT portfolio_id, symbol, side, total_quantity, average_entry_price, cost_basis, gross_realized_pnl, realized_fees,
       net_realized_pnl, open_fees, open_entry_count, first_entry_time, last_entry_time, currency, sequence
FROM books
WHERE side <> 'FLAT'
"""
# What is open now, out of the sums that the writer stores; SQL adds nothing up.


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "books",
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("total_quantity", Exact(), nullable=False),
        sa.Column("average_entry_price", Exact(), nullable=True),
        sa.Column("cost_basis", Exact(), nullable=False),
        sa.Column("gross_realized_pnl", Exact(), nullable=False),
        sa.Column("realized_fees", Exact(), nullable=False),
        sa.Column("net_realized_pnl", Exact(), nullable=False),
        sa.Column("open_fees", Exact(), nullable=False),
        sa.Column("open_entry_count", sa.Integer(), nullable=False),
        sa.Column("first_entry_time", sa.BigInteger(), nullable=True),
        sa.Column("last_entry_time", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("newest_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id", "symbol"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "completed_trades",
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("sequence", SEQUENCE, autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trade_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("quantity", Exact(), nullable=False),
        sa.Column("entry_price", Exact(), nullable=False),
        sa.Column("exit_price", Exact(), nullable=False),
        sa.Column("entry_time", sa.BigInteger(), nullable=False),
        sa.Column("exit_time", sa.BigInteger(), nullable=False),
        sa.Column("exit_order_id", sa.Text(), nullable=False),
        sa.Column("exit_fill_id", sa.Text(), nullable=False),
        sa.Column("exit_reason", sa.Text(), nullable=False),
        sa.Column("gross_pnl", Exact(), nullable=False),
        sa.Column("entry_fee", Exact(), nullable=False),
        sa.Column("exit_fee", Exact(), nullable=False),
        sa.Column("net_pnl", Exact(), nullable=False),
        sa.Column("pnl_pct", Exact(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("entry_order_id", sa.Text(), nullable=False),
        sa.Column("entry_fill_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id", "sequence", "index"),
        sqlite_with_rowid=False,
    )
    op.create_index("completed_trades_by_exit_time", "completed_trades", ["portfolio_id", "exit_time"], unique=False)
    op.create_index(
        "completed_trades_by_group",
        "completed_trades",
        ["portfolio_id", "group_id"],
        unique=False,
        sqlite_where=sa.text("group_id <> ''"),
        postgresql_where=sa.text("group_id <> ''"),
    )
    op.create_table(
        "journal",
        sa.Column("sequence", SEQUENCE, autoincrement=False, nullable=False),
        sa.Column("recorded_time", sa.BigInteger(), nullable=False),
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("rules", sa.SmallInteger(), nullable=False),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.Column("roles", sa.SmallInteger(), nullable=False),
        sa.Column("request_key", SEQUENCE, nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("fill_key", SEQUENCE, nullable=True),
        sa.Column("fill_id", sa.Text(), nullable=False),
        sa.Column("trade_count", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("decided", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index(
        "journal_by_fill",
        "journal",
        ["fill_key"],
        unique=False,
        sqlite_where=sa.text("fill_key IS NOT NULL"),
        postgresql_where=sa.text("fill_key IS NOT NULL"),
    )
    op.create_index(
        "journal_by_request",
        "journal",
        ["request_key"],
        unique=False,
        sqlite_where=sa.text("request_key IS NOT NULL"),
        postgresql_where=sa.text("request_key IS NOT NULL"),
    )
    op.create_table(
        "ledger",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("epoch", SEQUENCE, nullable=False),
        sa.Column("last_sequence", SEQUENCE, nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "portfolios",
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "position_entries",
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("entry_time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", SEQUENCE, autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", Exact(), nullable=False),
        sa.Column("remaining_quantity", Exact(), nullable=False),
        sa.Column("entry_price", Exact(), nullable=False),
        sa.Column("entry_order_id", sa.Text(), nullable=False),
        sa.Column("entry_fill_id", sa.Text(), nullable=False),
        sa.Column("fee", Exact(), nullable=False),
        sa.Column("fee_currency", sa.Text(), nullable=False),
        sa.Column("open_fee", Exact(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id", "entry_time", "sequence"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "position_entries_open",
        "position_entries",
        ["portfolio_id", "entry_time", "sequence", "symbol"],
        unique=False,
        sqlite_where=sa.text("status <> 'CLOSED'"),
        postgresql_where=sa.text("status <> 'CLOSED'"),
    )
    op.execute(CURRENT_POSITIONS)
