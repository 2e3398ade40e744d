"""What may be wrong with what is imported.

    Exception
    ├── BadMap          the column map, or a flag, cannot be used: the command line is wrong
    ├── UnreadableFile  nothing of the file can be used, or nothing after the place that is named
    ├── WrongCell       one cell breaks a rule: its line is refused, the others go on
    └── NotRecorded     the database did not take it

Each message names the value, the rule and the way out.
"""

from __future__ import annotations


class BadMap(Exception):
    """The column map cannot be used."""


class UnreadableFile(Exception):
    """The file cannot be used."""


class WrongCell(ValueError):
    """A cell breaks a rule."""


class NotRecorded(Exception):
    """The database did not take it, or did not say that it did."""
