"""The tables. ``journal`` is the truth; the others are what it amounts to, written in the same transaction (law 9).

``position_entries``, ``completed_trades`` and the view ``current_positions`` (made by the migration: what is open, out of the
sums that the writer stores in ``books``; SQL adds nothing up) are for anybody's SQL: their columns are named as
the contract's fields, sides are LONG, SHORT and FLAT, labels are JSON, times are nanoseconds UTC.

Every key starts with the portfolio and nothing needs a database sequence without gaps, so that PostgreSQL-compatible
distributed engines stay possible. Identity keys (law 8) are found by a 64-bit hash in the journal row itself, with the text
beside it: two narrow indexes cost half of what an index over the texts costs once a million rows are there.

What a commit costs is the pages it touches: each goes to the WAL whole. With an index of open lots that began with the symbol, a
batch of 22 entries wrote 70 pages, and a third of the writer's time. Therefore what is written in order is kept in order (lots
by time, trades by sequence), and on SQLite a table is its primary key's tree itself, without a second one beside it.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text, false, text

from lotkeeperd.storage.columns import Exact, Nanoseconds, Sequence

REVISION = "0004"
"""The schema this program writes. A database with another one is migrated, or refused when it is newer."""

metadata = MetaData()

ledger = Table(
    "ledger",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("ledger_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("epoch", Sequence, nullable=False),
    Column("last_sequence", Sequence, nullable=False),
    Column("created_time", Nanoseconds, nullable=False),
    Column("chain_key", Text, nullable=False, server_default=text("''")),
)

portfolios = Table(
    "portfolios",
    metadata,
    Column("portfolio_id", Text, primary_key=True),
    Column("created_time", Nanoseconds, nullable=False),
    Column("terms", Text, nullable=False, server_default=text("''")),
    Column("sequence", Sequence, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

instruments = Table(
    "instruments",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("terms", Text, nullable=False),
    Column("sequence", Sequence, nullable=False),
    sqlite_with_rowid=False,
)

balances = Table(
    "balances",
    metadata,
    Column("portfolio_id", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("deposited", Exact, nullable=False),
    Column("withdrawn", Exact, nullable=False),
    Column("funding", Exact, nullable=False),
    Column("interest", Exact, nullable=False),
    Column("dividends", Exact, nullable=False),
    Column("charged", Exact, nullable=False),
    Column("fees_elsewhere", Exact, nullable=False),
    Column("base_value", Exact),
    Column("sequence", Sequence, nullable=False),
    sqlite_with_rowid=False,
)

journal = Table(
    "journal",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=False),
    Column("recorded_time", Nanoseconds, nullable=False),
    Column("portfolio_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("rules", SmallInteger, nullable=False),
    Column("key_version", SmallInteger, nullable=False),
    Column("roles", SmallInteger, nullable=False),
    Column("request_key", Sequence),
    Column("request_id", Text, nullable=False),
    Column("fill_key", Sequence),
    Column("fill_id", Text, nullable=False),
    Column("trade_count", Integer, nullable=False),
    Column("asked", Text, nullable=False),
    Column("decided", Text, nullable=False),
    Column("chain", LargeBinary),
)
EXECUTIONS = "method IN ('CreateEntry', 'CloseFifo', 'RecordFill')"
Index(
    "journal_events",
    journal.c.portfolio_id,
    journal.c.sequence,
    sqlite_where=text(f"NOT {EXECUTIONS}"),
    postgresql_where=text(f"NOT {EXECUTIONS}"),
)
Index(
    "journal_by_request",
    journal.c.request_key,
    sqlite_where=text("request_key IS NOT NULL"),
    postgresql_where=text("request_key IS NOT NULL"),
)
Index(
    "journal_by_fill",
    journal.c.fill_key,
    sqlite_where=text("fill_key IS NOT NULL"),
    postgresql_where=text("fill_key IS NOT NULL"),
)

position_entries = Table(
    "position_entries",
    metadata,
    Column("portfolio_id", Text, primary_key=True),
    Column("entry_time", Nanoseconds, primary_key=True, autoincrement=False),
    Column("sequence", Sequence, primary_key=True, autoincrement=False),
    Column("entry_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", Exact, nullable=False),
    Column("remaining_quantity", Exact, nullable=False),
    Column("entry_price", Exact, nullable=False),
    Column("entry_order_id", Text, nullable=False),
    Column("entry_fill_id", Text, nullable=False),
    Column("fee", Exact, nullable=False),
    Column("fee_currency", Text, nullable=False),
    Column("open_fee", Exact, nullable=False),
    Column("status", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("cost_basis", Exact),
    Column("fee_rate", Text, nullable=False, server_default=text("''")),
    Column("fee_pending", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)
Index(
    "position_entries_by_group",
    position_entries.c.portfolio_id,
    position_entries.c.group_id,
    sqlite_where=text("group_id <> ''"),
    postgresql_where=text("group_id <> ''"),
)
Index(
    "position_entries_open",
    position_entries.c.portfolio_id,
    position_entries.c.entry_time,
    position_entries.c.sequence,
    position_entries.c.symbol,
    sqlite_where=text("status <> 'CLOSED'"),
    postgresql_where=text("status <> 'CLOSED'"),
)

completed_trades = Table(
    "completed_trades",
    metadata,
    Column("portfolio_id", Text, primary_key=True),
    Column("sequence", Sequence, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("trade_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("quantity", Exact, nullable=False),
    Column("entry_price", Exact, nullable=False),
    Column("exit_price", Exact, nullable=False),
    Column("entry_time", Nanoseconds, nullable=False),
    Column("exit_time", Nanoseconds, nullable=False),
    Column("exit_order_id", Text, nullable=False),
    Column("exit_fill_id", Text, nullable=False),
    Column("exit_reason", Text, nullable=False),
    Column("gross_pnl", Exact, nullable=False),
    Column("entry_fee", Exact, nullable=False),
    Column("exit_fee", Exact, nullable=False),
    Column("net_pnl", Exact, nullable=False),
    Column("pnl_pct", Exact),
    Column("currency", Text, nullable=False),
    Column("entry_order_id", Text, nullable=False),
    Column("entry_fill_id", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("superseded_sequence", Sequence),
    Column("superseded_index", Integer),
    Column("provisional", Boolean, nullable=False, server_default=false()),
    Column("exit_sequence", Sequence),
    sqlite_with_rowid=False,
)
Index(
    "completed_trades_superseded",
    completed_trades.c.superseded_sequence,
    sqlite_where=text("superseded_sequence IS NOT NULL"),
    postgresql_where=text("superseded_sequence IS NOT NULL"),
)
Index("completed_trades_by_exit_time", completed_trades.c.portfolio_id, completed_trades.c.exit_time)
Index(
    "completed_trades_by_group",
    completed_trades.c.portfolio_id,
    completed_trades.c.group_id,
    sqlite_where=text("group_id <> ''"),
    postgresql_where=text("group_id <> ''"),
)

books = Table(
    "books",
    metadata,
    Column("portfolio_id", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("book_side", Text, primary_key=True),
    Column("side", Text, nullable=False),
    Column("total_quantity", Exact, nullable=False),
    Column("average_entry_price", Exact),
    Column("cost_basis", Exact, nullable=False),
    Column("gross_realized_pnl", Exact, nullable=False),
    Column("realized_fees", Exact, nullable=False),
    Column("net_realized_pnl", Exact, nullable=False),
    Column("open_fees", Exact, nullable=False),
    Column("open_entry_count", Integer, nullable=False),
    Column("first_entry_time", Nanoseconds),
    Column("last_entry_time", Nanoseconds),
    Column("currency", Text, nullable=False),
    Column("sequence", Sequence, nullable=False),
    Column("newest_time", Nanoseconds, nullable=False),
    Column("awaited_fees", Integer, nullable=False),
    Column("unconverted_fees", Text, nullable=False),
    sqlite_with_rowid=False,
)

discrepancies = Table(
    "discrepancies",
    metadata,
    Column("discrepancy_id", Text, primary_key=True),
    Column("first_report", Sequence, nullable=False),
    Column("place", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("portfolios", Text, nullable=False),
    Column("portfolio_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("first_seen", Nanoseconds, nullable=False),
    Column("last_seen", Nanoseconds, nullable=False),
    Column("report", Sequence, nullable=False),
    Column("resolution_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)
WAITING = "state IN ('OPEN', 'IGNORED')"
"""Of differences that the next report may find again."""
Index(
    "discrepancies_waiting",
    discrepancies.c.first_report,
    discrepancies.c.place,
    sqlite_where=text(WAITING),
    postgresql_where=text(WAITING),
)
Index(
    "discrepancies_by_resolution",
    discrepancies.c.resolution_id,
    sqlite_where=text("resolution_id <> ''"),
    postgresql_where=text("resolution_id <> ''"),
)
