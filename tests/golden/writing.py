"""Writes the golden files of the version at hand: ``python -m tests.golden.writing``."""

from __future__ import annotations

import base64
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from sqlalchemy import Boolean, Column

from lotkeeperd import __version__
from lotkeeperd.storage.tables import metadata
from tests.conformance import harness
from tests.golden.answers import answers
from tests.golden.samples import message_types, samples

FOLDER = Path(__file__).parent
RUNNER = (sys.executable, "-m", "lotkeeperd", "conformance")


def main() -> int:
    """Play every scenario on a new ledger and keep what it wrote and answered; then every message."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        numbers = iter(range(1_000))

        def another() -> str:
            return str(folder / f"{next(numbers)}.db")

        with harness.Sidecars(another, folder) as sidecars:
            sidecars.serving({})  # the first: all scenarios that need no settings play on it
            code = harness.run(RUNNER, sidecars, print)
            sidecars.serving({})
            said = answers(sidecars.restarted("stop"))  # without the marks, which no journal holds
        if code:
            return code
        _write(f"ledger-{__version__}.json", said)
        rows = "\n".join(_rows(folder / "0.db"))
        (FOLDER / f"ledger-{__version__}.sql").write_text(rows + "\n", encoding="utf-8")
    _write(
        f"messages-{__version__}.json",
        {
            name: [
                {
                    "binary": base64.b64encode(one.SerializeToString(deterministic=True)).decode(),
                    "json": MessageToDict(one, preserving_proto_field_name=True),
                }
                for one in samples(kind)
            ]
            for name, kind in message_types().items()
        },
    )
    return 0


def _write(name: str, content: Any) -> None:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def _rows(database: Path) -> Iterator[str]:
    """Every row as a statement on a line of its own, parents before children."""
    connection = sqlite3.connect(database)
    try:
        ((revision,),) = connection.execute("SELECT version_num FROM alembic_version")
        yield f"-- {revision}: the schema of these rows. Every conformance scenario, as version {__version__} wrote it."
        for table in metadata.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            order = ", ".join(f'"{column.name}"' for column in table.primary_key) or "rowid"
            for row in connection.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}'):
                values = ", ".join(_literal(value, column) for value, column in zip(row, table.columns, strict=True))
                yield f'INSERT INTO "{table.name}" ({columns}) VALUES ({values})'
    finally:
        connection.close()


def _literal(value: Any, column: Column[Any]) -> str:
    if value is None:
        return "NULL"
    if isinstance(column.type, Boolean):
        return "true" if value else "false"  # both databases read this
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, str):
        assert "\n" not in value, "a row stands on one line"
        return "'" + value.replace("'", "''") + "'"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
