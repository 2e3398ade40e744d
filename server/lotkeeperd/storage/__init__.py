"""The edge to the database: SQLAlchemy Core, the same code for SQLite and PostgreSQL."""
