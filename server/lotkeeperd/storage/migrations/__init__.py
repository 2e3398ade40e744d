"""Schema changes, one Alembic revision each; imported only when a database has to change."""
