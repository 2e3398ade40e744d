"""Moving in, as a test does it: a file beside the ledger, an import in this process, and a look at the ledger with plain SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lotkeeperd.domain.commands import Excess
from lotkeeperd.intake.columns import read_map
from lotkeeperd.intake.report import Report
from lotkeeperd.intake.run import Request, run
from tests.support.plain_sql import PlainSql

NOW = 1_800_000_000_000_000_000
"""Nanoseconds UTC: what the clock of these imports always says."""

FILLS = """\
fill_id,portfolio_id,symbol,side,quantity,price,fee,fill_time
F-1,p,AAPL,buy,10,100,1,2024-01-05T15:30:00Z
F-2,p,AAPL,buy,5,110,1,2024-01-05T15:31:00Z
F-3,p,AAPL,sell,12,120,2,2024-01-05T15:32:00Z
F-4,p,AAPL,sell,5,90,,2024-01-05T15:33:00Z
"""
"""Opened 10 at 100, added 5 at 110, closed 12 at 120, and flipped the 3 that were left into short 2 at 90."""


def silent(_done: int, _of: int) -> None:
    """No progress is shown."""


class House(NamedTuple):
    """A folder with files, and a ledger at ``database``."""

    folder: Path
    database: str

    def file(self, name: str, content: str | bytes) -> Path:
        """A file with that content."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def imported(
        self,
        path: Path | None,
        *,
        table: str = "",
        toml: str = "",
        columns: Sequence[str] = (),
        constants: Sequence[str] = (),
        form: Mapping[str, str] | None = None,
        positions: bool = False,
        excess: Excess = Excess.UNSPECIFIED,
        apply: bool = True,
        keep_going: bool = False,
        takeover: bool = True,
    ) -> Report:
        """What the import says of it; ``toml`` is a column map."""
        stored = self.file("map.toml", toml) if toml else None
        request = Request(
            path,
            table,
            read_map(stored, columns, constants, form or {}),
            positions,
            excess,
            self.database,
            "",
            "",
            True,
            apply,
            keep_going,
            takeover,
        )
        return run(request, NOW, silent, silent)

    def fills(self, text: str, **options: object) -> Report:
        """Import a CSV file of that text."""
        return self.imported(self.file("fills.csv", text), **options)  # type: ignore[arg-type]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What plain SQL finds in the ledger."""
        with PlainSql(self.database) as sql:
            return [tuple(row.values()) for row in sql.rows(query)]

    def records(self) -> int:
        """How many records the journal holds."""
        with PlainSql(self.database) as sql:
            return sql.records()
