"""Domain values to rows and back. Rows to write are tuples in the order of the table's columns.

An enum's ``_name_`` and ``_value_`` (both documented) are plain attributes: ``name`` and ``value`` took a fifth of a row's time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row

from lotkeeperd.domain.book import Book, Direction, Fill, LotOpened, Origin
from lotkeeperd.domain.commands import RULES_VERSION, Command, Decision, Excess, Match, Method
from lotkeeperd.domain.decimals import ZERO, average, plain
from lotkeeperd.domain.trades import ClosedTrade, Entry
from lotkeeperd.storage.columns import labels_of, labels_text
from lotkeeperd.storage.identity import KEY_VERSION, fill_key, request_key

Amount = Callable[[Decimal], Any]

FLAT = "FLAT"


class JournalRow(NamedTuple):
    """A row of ``journal``, its columns in order, as a bare cursor reads it."""

    sequence: int
    recorded_time: int
    portfolio_id: str
    symbol: str
    method: str
    rules: int
    key_version: int
    roles: int
    request_key: int | None
    request_id: str
    fill_key: int | None
    fill_id: str
    trade_count: int
    asked: str
    decided: str


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_text = json.encoder.encode_basestring


def journal_row(decision: Decision) -> tuple[Any, ...]:
    """One record: keys, what was asked, what was decided."""
    command = decision.command
    portfolio_id, request_id, fill_id = command.portfolio_id, command.request_id, command.fill_id
    return (
        decision.sequence,
        decision.recorded_time,
        portfolio_id,
        command.symbol,
        command.method._value_,
        RULES_VERSION,
        KEY_VERSION,
        command.role._value_,
        request_key(portfolio_id, request_id) if request_id else None,
        request_id,
        fill_key(portfolio_id, fill_id) if fill_id else None,
        fill_id,
        len(decision.matches),
        _asked(command),
        _decided(decision),
    )


def _asked(command: Command) -> str:
    """What the caller gave, and nothing that it left out, as a JSON object."""
    parts = [f'"price":"{plain(command.price)}"']
    if command.side is not None:
        parts.append(f'"side":"{command.side._name_}"')
    if command.quantity is not None:
        parts.append(f'"quantity":"{plain(command.quantity)}"')
    if command.fee is not None:
        parts.append(f'"fee":"{plain(command.fee)}"')
    if command.time is not None:
        parts.append(f'"time":{command.time}')
    if command.close_all:
        parts.append('"close_all":true')
    if command.excess is not Excess.REJECT:
        parts.append(f'"excess":"{command.excess._value_}"')
    for name, text in (
        ("fee_currency", command.fee_currency),
        ("order_id", command.order_id),
        ("reason", command.reason),
        ("group_id", command.group_id),
    ):
        if text:
            parts.append(f'"{name}":{_text(text)}')
    if command.labels:
        parts.append(f'"labels":{_encode(dict(command.labels))}')
    return f"{{{','.join(parts)}}}"


def _decided(decision: Decision) -> str:
    """What the book made of it, as a JSON object: the fill in full, the lot it opened, the lots it closed."""
    fill, opened = decision.fill, decision.opened
    text = f'{{"side":"{fill.direction._name_}","quantity":"{plain(fill.quantity)}","time":{fill.time}'
    if opened is not None:
        text += f',"opened":["{plain(opened.quantity)}","{plain(opened.fee)}"]'
    if decision.matches:
        text += f',"closed":[{",".join(map(_match, decision.matches))}]'
    return text + "}"


def _match(match: Match) -> str:
    lot, quantity, gross, entry_fee, exit_fee = match
    return f'[{lot},"{plain(quantity)}","{plain(gross)}","{plain(entry_fee)}","{plain(exit_fee)}"]'


def decision_of(row: Row[Any] | JournalRow) -> Decision:
    """The record of a journal row."""
    asked, what = json.loads(row.asked), json.loads(row.decided)
    command = _command(row, asked)
    fill = _fill(command, what)
    matches = tuple(Match(lot, *map(Decimal, amounts)) for lot, *amounts in what.get("closed", ()))
    return Decision(row.sequence, row.recorded_time, command, fill, _opened(row, command, fill, what), matches)


def opened_of(row: Row[Any] | JournalRow) -> LotOpened | None:
    """The lot that a journal row opened, without a look at what it closed."""
    command, what = _command(row, json.loads(row.asked)), json.loads(row.decided)
    return _opened(row, command, _fill(command, what), what)


def _command(row: Row[Any] | JournalRow, asked: dict[str, Any]) -> Command:
    return Command(
        Method(row.method),
        row.portfolio_id,
        row.symbol,
        Direction[asked["side"]] if "side" in asked else None,
        Decimal(asked["quantity"]) if "quantity" in asked else None,
        Decimal(asked["price"]),
        Decimal(asked["fee"]) if "fee" in asked else None,
        asked.get("fee_currency", ""),
        asked.get("time"),
        asked.get("order_id", ""),
        row.fill_id,
        row.request_id,
        asked.get("close_all", False),
        Excess(asked.get("excess", Excess.REJECT.value)),
        asked.get("reason", ""),
        asked.get("group_id", ""),
        tuple(asked.get("labels", {}).items()),
    )


def _fill(command: Command, what: dict[str, Any]) -> Fill:
    return Fill(Direction[what["side"]], Decimal(what["quantity"]), command.price, command.fee or ZERO, what["time"])


def _opened(row: Row[Any] | JournalRow, command: Command, fill: Fill, what: dict[str, Any]) -> LotOpened | None:
    if "opened" not in what:
        return None
    quantity, fee = what["opened"]
    origin = Origin(command.order_id, command.fill_id, command.fee_currency, command.group_id, command.labels)
    return LotOpened(row.sequence, fill.direction, Decimal(quantity), fill.price, Decimal(fee), fill.time, origin)


def entry_row(entry: Entry, currency: str, amount: Amount) -> tuple[Any, ...]:
    """A row of ``position_entries``."""
    opened = entry.opened
    origin = opened.origin
    return (
        entry.portfolio_id,
        opened.time,
        opened.sequence,
        entry.entry_id,
        entry.symbol,
        opened.direction._name_,
        amount(opened.quantity),
        amount(entry.remaining_quantity),
        amount(opened.price),
        origin.order_id,
        origin.fill_id,
        amount(opened.fee),
        origin.fee_currency or currency,
        amount(entry.open_fee),
        entry.status._value_,
        origin.group_id,
        labels_text(origin.labels),
        origin.synthetic,
    )


def entry_of_row(row: Row[Any]) -> Entry:
    """The entry of a row read through the table."""
    origin = Origin(
        row.entry_order_id,
        row.entry_fill_id,
        row.fee_currency,
        row.group_id,
        labels_of(row.labels),
        bool(row.synthetic),
    )
    direction = Direction[row.side]
    opened = LotOpened(row.sequence, direction, row.quantity, row.entry_price, row.fee, row.entry_time, origin)
    return Entry(row.portfolio_id, row.symbol, row.remaining_quantity, row.open_fee, opened)


def trade_row(trade: ClosedTrade, currency: str, amount: Amount) -> tuple[Any, ...]:
    """A row of ``completed_trades``."""
    return (
        trade.portfolio_id,
        trade.sequence,
        trade.trade_index,
        trade.trade_id,
        trade.symbol,
        trade.side._name_,
        trade.entry_id,
        amount(trade.quantity),
        amount(trade.entry_price),
        amount(trade.exit_price),
        trade.entry_time,
        trade.exit_time,
        trade.exit_order_id,
        trade.exit_fill_id,
        trade.exit_reason,
        amount(trade.gross_pnl),
        amount(trade.entry_fee),
        amount(trade.exit_fee),
        amount(trade.net_pnl),
        None if trade.pnl_pct is None else amount(trade.pnl_pct),
        currency,
        trade.entry_order_id,
        trade.entry_fill_id,
        trade.group_id,
        labels_text(trade.labels),
        trade.synthetic,
    )


def trade_of_row(row: Row[Any]) -> ClosedTrade:
    """The closed trade of a row read through the table."""
    return ClosedTrade(
        row.portfolio_id,
        row.symbol,
        Direction[row.side],
        row.sequence,
        row._mapping["index"],
        int(row.entry_id[1:]),
        row.quantity,
        row.entry_price,
        row.exit_price,
        row.entry_time,
        row.exit_time,
        row.exit_order_id,
        row.exit_fill_id,
        row.exit_reason,
        row.gross_pnl,
        row.entry_fee,
        row.exit_fee,
        row.net_pnl,
        row.pnl_pct,
        row.entry_order_id,
        row.entry_fill_id,
        row.group_id,
        labels_of(row.labels),
        bool(row.synthetic),
    )


def book_row(portfolio_id: str, symbol: str, book: Book, currency: str, amount: Amount) -> tuple[Any, ...]:
    """A row of ``books``."""
    oldest, newest = book.oldest, book.newest
    return (
        portfolio_id,
        symbol,
        FLAT if book.direction is None else book.direction._name_,
        amount(book.quantity),
        amount(average(book.cost, book.quantity)) if book.quantity else None,
        amount(book.cost),
        amount(book.gross),
        amount(book.fees),
        amount(book.gross - book.fees),
        amount(book.open_fees),
        book.lot_count,
        oldest and oldest.time,
        newest and newest.time,
        currency,
        book.sequence,
        book.newest_time,
    )
