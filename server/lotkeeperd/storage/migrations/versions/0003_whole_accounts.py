"""What accounts live through besides fills: terms, instruments, cash, two sides, corrections, and the chain over the journal.

Columns are added at the end of their tables and need no rewriting of rows; only ``books``, whose key grows by the side of
hedging portfolios, is made anew: it has a row for each symbol. An entry's fee is the whole fee of its execution from now on: of
a flip, 0002 stored the part that went with the opening.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotkeeperd.storage.columns import Exact

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NOT_EXECUTIONS = sa.text("NOT method IN ('CreateEntry', 'CloseFifo', 'RecordFill')")

BOOKS = (
    "portfolio_id, symbol, side, total_quantity, average_entry_price, cost_basis, gross_realized_pnl, realized_fees, "
    "net_realized_pnl, open_fees, open_entry_count, first_entry_time, last_entry_time, currency, sequence, newest_time"
)

WHOLE_FEES = """
UPDATE position_entries SET fee = {fee} FROM journal
WHERE journal.sequence = position_entries.sequence AND journal.trade_count > 0 AND {fee} IS NOT NULL
"""

CURRENT_POSITIONS = """
CREATE VIEW current_positions AS
SELECT portfolio_id, symbol, side, total_quantity, average_entry_price, cost_basis, gross_realized_pnl, realized_fees,
       net_realized_pnl, open_fees, open_entry_count, first_entry_time, last_entry_time, currency, sequence, book_side,
       (awaited_fees > 0 OR unconverted_fees <> '') AS provisional, unconverted_fees
FROM books
WHERE side <> 'FLAT'
"""


def upgrade() -> None:
    """Grow every table, make what is new."""
    op.add_column("ledger", sa.Column("chain_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("portfolios", sa.Column("terms", sa.Text(), nullable=False, server_default=""))
    op.add_column("portfolios", sa.Column("sequence", SEQUENCE, nullable=False, server_default="0"))
    op.add_column("journal", sa.Column("chain", sa.LargeBinary(), nullable=True))
    op.create_index(
        "journal_events",
        "journal",
        ["portfolio_id", "sequence"],
        sqlite_where=NOT_EXECUTIONS,
        postgresql_where=NOT_EXECUTIONS,
    )
    _entries_and_trades()
    _terms_and_cash()
    _books()


def _entries_and_trades() -> None:
    op.add_column("position_entries", sa.Column("cost_basis", Exact(), nullable=True))
    op.add_column("position_entries", sa.Column("fee_rate", sa.Text(), nullable=False, server_default=""))
    op.add_column("position_entries", sa.Column("fee_pending", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "position_entries_by_group",
        "position_entries",
        ["portfolio_id", "group_id"],
        sqlite_where=sa.text("group_id <> ''"),
        postgresql_where=sa.text("group_id <> ''"),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    fee = "json_extract(journal.asked, '$.fee')" if sqlite else "(journal.asked::json ->> 'fee')::numeric"
    op.execute(WHOLE_FEES.format(fee=fee))
    op.add_column("completed_trades", sa.Column("superseded_sequence", SEQUENCE, nullable=True))
    op.add_column("completed_trades", sa.Column("superseded_index", sa.Integer(), nullable=True))
    op.add_column("completed_trades", sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("completed_trades", sa.Column("exit_sequence", SEQUENCE, nullable=True))
    op.create_index(
        "completed_trades_superseded",
        "completed_trades",
        ["superseded_sequence"],
        sqlite_where=sa.text("superseded_sequence IS NOT NULL"),
        postgresql_where=sa.text("superseded_sequence IS NOT NULL"),
    )


def _terms_and_cash() -> None:
    op.create_table(
        "instruments",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.PrimaryKeyConstraint("symbol"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "balances",
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("deposited", Exact(), nullable=False),
        sa.Column("withdrawn", Exact(), nullable=False),
        sa.Column("funding", Exact(), nullable=False),
        sa.Column("interest", Exact(), nullable=False),
        sa.Column("dividends", Exact(), nullable=False),
        sa.Column("charged", Exact(), nullable=False),
        sa.Column("fees_elsewhere", Exact(), nullable=False),
        sa.Column("base_value", Exact(), nullable=True),
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id", "currency"),
        sqlite_with_rowid=False,
    )


def _books() -> None:
    op.execute("DROP VIEW current_positions")
    op.rename_table("books", "books_0002")
    op.create_table(
        "books",
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("book_side", sa.Text(), nullable=False),
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
        sa.Column("awaited_fees", sa.Integer(), nullable=False),
        sa.Column("unconverted_fees", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id", "symbol", "book_side", name="books_by_side"),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO books ({BOOKS}, book_side, awaited_fees, unconverted_fees) SELECT {BOOKS}, '', 0, '' FROM books_0002"  # noqa: S608 - two constants
    )
    op.drop_table("books_0002")
    op.execute(CURRENT_POSITIONS)
