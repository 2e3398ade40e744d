"""One row to one command: a fill, or the lot of an open position. Everything that is wrong with a row is said at once.

A row without a fill id gets one that another run finds again. Of a fill it is made from portfolio, symbol, side, quantity, price
and time, and from how many equal rows stood before it. Of a position from portfolio, symbol and side, and how many of those:
a position is moved in once, so that a file which was written again meanwhile is refused as a conflict, and not added.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from lotkeeperd.api.fields import DAY, FAR, ID_LENGTH, NAME_LENGTH, TEXT_LENGTH, Fields, Sign
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.refusals import shown
from lotkeeperd.intake.cells import text_of
from lotkeeperd.intake.columns import FIELDS, LABEL, ColumnMap
from lotkeeperd.intake.problems import UnreadableFile, WrongCell
from lotkeeperd.intake.rows import Cells

SIDES = {
    **dict.fromkeys(("buy", "b", "bot", "bought", "long", "side_buy"), Direction.LONG),
    **dict.fromkeys(("sell", "s", "sld", "sold", "short", "side_sell"), Direction.SHORT),
}
"""What a side may be called, in any case; [values.side] of the map adds to it."""

BOOK_SIDES = {
    "long": Direction.LONG,
    "short": Direction.SHORT,
    "position_side_long": Direction.LONG,
    "position_side_short": Direction.SHORT,
    **dict.fromkeys(("", "both", "net", "position_side_unspecified")),
}
"""What a position_side may be called, in any case: a venue says that there is one book, too."""

_ROLES = {
    "": Method.RECORD_FILL,
    "both": Method.RECORD_FILL,
    "entry": Method.CREATE_ENTRY,
    "exit": Method.CLOSE_FIFO,
}
_TRUE, _FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no", "")
_REQUIRED = ("symbol", "quantity", "price")

Occurrence = Callable[[bytes], int]
"""How often it was asked of what it is given, now included."""


class RowReader:
    """Reads rows by a map. ``positions``: each is an open lot; ``latest`` is the newest time allowed, in nanoseconds UTC."""

    def __init__(
        self,
        columns: ColumnMap,
        names: tuple[str, ...] | None,
        positions: bool,
        excess: Excess,
        now: int,
    ) -> None:
        """``names`` are the source's columns, None where rows differ. Raises UnreadableFile when required ones are missing."""
        self._map = columns
        self._positions = positions
        self._excess = excess
        self._latest = now + DAY
        self._columns = self._placed(names)
        self._labels = tuple(field for field in {**self._columns, **columns.constants} if field.startswith(LABEL))

    def _placed(self, names: tuple[str, ...] | None) -> dict[str, str]:
        """The column of every field that has one."""
        mapped = dict(self._map.columns)
        if names is None:
            return {field: field for field in FIELDS if field not in self._map.constants} | mapped
        own = [name for name in names if name in FIELDS or (name.startswith(LABEL) and name != LABEL)]
        placed = {name: name for name in own if name not in self._map.constants} | mapped
        missing = [f"{column!r} (for {field})" for field, column in mapped.items() if column not in names]
        missing += [f"{column!r} (of [only])" for column in self._map.only if column not in names]
        required = (
            *_REQUIRED,
            *([] if self._positions else ["fill_time"]),
            *([] if self._map.numbers.signed else ["side"]),
        )
        missing += [f"one for {field}" for field in required if field not in {**placed, **self._map.constants}]
        if missing:
            raise UnreadableFile(
                f"there is no column {', '.join(missing)}; it has {', '.join(map(repr, names))}; map them with --map FIELD=COLUMN"
            )
        return placed

    @property
    def used(self) -> frozenset[str]:
        """The columns that are read."""
        return frozenset(self._columns.values()) | frozenset(self._map.only)

    @property
    def named(self) -> frozenset[str]:
        """The columns that the map names."""
        return frozenset(self._map.columns.values()) | frozenset(self._map.only)

    def wanted(self, cells: Cells) -> bool:
        """Whether the row is one to record: [only] takes it, and a position has something open."""
        for column, choice in self._map.only.items():
            if text_of(cells.get(column)) not in choice:
                return False
        return not self._positions or not _is_zero(self._text(cells, "quantity"))

    def command(self, cells: Cells, occurrence: Occurrence) -> Command:
        """What the row asks for. Raises FieldViolations naming every broken field, or WrongCell."""
        fields = Fields()
        method = Method.CREATE_ENTRY if self._positions else self._method(fields, cells)
        side, quantity = self._size(fields, cells)
        command = Command(
            method,
            fields.portfolio(self._name("portfolio_id"), self._text(cells, "portfolio_id")),
            fields.symbol(self._name("symbol"), self._text(cells, "symbol")),
            side,
            quantity,
            fields.decimal(
                self._name("price"), self._number(fields, cells, "price"), Sign.ANY
            ),  # its instrument decides
            self._fee(fields, cells),
            fields.text(self._name("fee_currency"), self._text(cells, "fee_currency"), NAME_LENGTH),
            self._time(fields, cells),
            fields.text(self._name("order_id"), self._text(cells, "order_id"), ID_LENGTH),
            fields.text(self._name("fill_id"), self._text(cells, "fill_id"), ID_LENGTH),
            excess=self._excess if method is Method.RECORD_FILL else Excess.REJECT,
            reason=fields.text(self._name("reason"), self._text(cells, "reason"), TEXT_LENGTH),
            group_id=fields.text(self._name("group_id"), self._text(cells, "group_id"), ID_LENGTH),
            labels=self._read_labels(fields, cells),
            synthetic=self._flag(fields, cells, "synthetic") or self._positions,
            book_side=self._book_side(fields, cells, method, side),
        )
        fields.check()
        return command if command.fill_id else command._replace(fill_id=self._made_id(command, occurrence))

    def _name(self, field: str) -> str:
        """The field and its column, as a person looks for it."""
        column = self._columns.get(field, field)
        return field if column == field else f"{field} (column {column!r})"

    def _text(self, cells: Cells, field: str) -> str:
        column = self._columns.get(field)
        cell = self._map.constants.get(field, "") if column is None else cells.get(column)
        text = text_of(cell)
        if not text.isascii():
            _check_writable(text)
        meant = self._map.values.get(field)
        return meant.get(text, text) if meant else text

    def _number(self, fields: Fields, cells: Cells, field: str) -> str:
        try:
            text = self._text(cells, field)
            return self._map.numbers.read(text) if text else text
        except WrongCell as error:
            fields.wrong(self._name(field), str(error))
            return "0" if field != "quantity" else "1"

    def _size(self, fields: Fields, cells: Cells) -> tuple[Direction | None, Decimal]:
        """Side and quantity; where the map says that it has a sign, a quantity alone says both.

        Nothing is taken for bought because no side was found: under another name it may say that it was sold.
        """
        text, said = self._number(fields, cells, "quantity"), self._text(cells, "side")
        if self._map.numbers.signed and not said:
            side = Direction.SHORT if text.startswith("-") else Direction.LONG
            return side, fields.decimal(self._name("quantity"), text.removeprefix("-"), Sign.POSITIVE)
        found = SIDES.get(said.lower())
        if not said:
            fields.wrong(
                self._name("side"), "is empty; where the sign of the quantity says it, [numbers] signed = true"
            )
        elif found is None:
            way_out = "name what it means under [values.side]"
            fields.wrong(self._name("side"), f"{shown(said)} is neither buy nor sell, long nor short; {way_out}")
        return found, fields.decimal(self._name("quantity"), text, Sign.POSITIVE)

    def _fee(self, fields: Fields, cells: Cells) -> Decimal | None:
        fee = fields.optional_decimal(self._name("fee"), self._number(fields, cells, "fee"), Sign.ANY)
        return fee.copy_negate() if fee and self._map.numbers.negate_fee else fee

    def _book_side(self, fields: Fields, cells: Cells, method: Method, side: Direction | None) -> Direction | None:
        """The book of a hedging portfolio. An entry or an exit says it with its side, and is not to say another."""
        said, name = self._text(cells, "position_side"), self._name("position_side")
        if said.lower() not in BOOK_SIDES:
            fields.wrong(
                name, f"{shown(said)} is neither long nor short; name what it means under [values.position_side]"
            )
        found = BOOK_SIDES.get(said.lower())
        if method is Method.RECORD_FILL or found is None or side is None:
            return found
        if found is not (side if method is Method.CREATE_ENTRY else side.opposite):
            fields.wrong(name, f"{shown(said)} is not the side of the lots that this row opens or closes; leave it out")
        return None

    def _time(self, fields: Fields, cells: Cells) -> int | None:
        column = self._columns.get("fill_time")
        cell = self._map.constants.get("fill_time") if column is None else cells.get(column)
        name = self._name("fill_time")
        if cell is None or cell == "":
            if not self._positions:
                fields.wrong(name, "is empty, the time of the execution is required")
            return None
        try:
            time = self._map.times.read(cell)
        except WrongCell as error:
            fields.wrong(name, str(error))
            return None
        if not 0 <= time <= min(self._latest, FAR):
            fields.wrong(name, f"{shown(text_of(cell))} is before 1970, or ahead of the clock; is the unit right?")
        return time

    def _method(self, fields: Fields, cells: Cells) -> Method:
        """What asks for the role of a fill; the book decides unless it is said."""
        role = self._text(cells, "role").lower()
        if role not in _ROLES:
            fields.wrong(self._name("role"), f"{shown(role)} is neither entry, exit nor both")
        return _ROLES.get(role, Method.RECORD_FILL)

    def _flag(self, fields: Fields, cells: Cells, field: str) -> bool:
        text = self._text(cells, field).lower()
        if text not in _TRUE + _FALSE:
            fields.wrong(self._name(field), f"{shown(text)} is neither true nor false")
        return text in _TRUE

    def _read_labels(self, fields: Fields, cells: Cells) -> tuple[tuple[str, str], ...]:
        column = self._columns.get("labels")
        labels = self._object(fields, cells.get(column)) if column is not None else {}
        for field in self._labels:
            if text := self._text(cells, field):
                labels[field.removeprefix(LABEL)] = text
        return fields.labels("labels", labels)

    def _object(self, fields: Fields, cell: object) -> dict[str, str]:
        """All labels of one cell: an object, or the text of one."""
        if isinstance(cell, str) and cell:
            try:
                cell = json.loads(cell, parse_float=str, parse_int=str)
            except (ValueError, RecursionError):
                fields.wrong(self._name("labels"), f"{shown(str(cell))} is not a JSON object")
                return {}
        if not isinstance(cell, dict):
            return {}
        return {str(name): _writable(text_of(value)) for name, value in cell.items() if value not in ("", None)}

    def _made_id(self, command: Command, occurrence: Occurrence) -> str:
        parts: list[Any] = [command.portfolio_id, command.symbol, command.side and command.side.name]
        if not self._positions:
            parts += [plain(command.quantity or ZERO), plain(command.price), command.time]
        if command.book_side is not None:  # a name more than older runs gave: theirs stay as they are
            parts.append(command.book_side.name)
        what = blake2b(json.dumps(parts).encode(), digest_size=16, person=b"lotkeeper-intake")
        kind = "position" if self._positions else "row"
        return f"{kind}-{what.hexdigest()}-{occurrence(kind.encode() + what.digest())}"


def _writable(text: str) -> str:
    _check_writable(text)
    return text


def _check_writable(text: str) -> None:
    """JSON can hold half of a character, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise WrongCell(f"{text.encode('ascii', 'backslashreplace').decode()!r} holds half of a character") from error


def _is_zero(text: str) -> bool:
    return bool(text) and not text.strip("-0.,")
