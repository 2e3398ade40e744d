"""Alembic's entry: runs the revisions on the connection it is handed, all in that connection's transaction."""

from __future__ import annotations

from alembic import context

from lotkeeperd.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
