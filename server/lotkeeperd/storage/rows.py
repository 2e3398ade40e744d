"""Domain values to rows and back. Rows to write are tuples in the order of the table's columns.

An enum's ``_name_`` and ``_value_`` (both documented) are plain attributes: ``name`` and ``value`` took a fifth of a row's time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row

from lotkeeperd.domain.book import Book, Direction, Fill, Lot, LotOpened, Origin
from lotkeeperd.domain.commands import RULES_VERSION, Command, Decision, Excess, Match, Method, origin_of
from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.fees import Charged, FeeState, Pending
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus
from lotkeeperd.storage import tables
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


READ = tuple(tables.journal.c[name] for name in JournalRow._fields)
"""The columns of a record; the chain's link is read by who checks it."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_REJECT = Excess.REJECT  # an enum's member is slow to look up
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
        asked_text(command),
        decided_text(decision),
    )


def asked_text(command: Command) -> str:
    """What the caller gave, and nothing that it left out, as a JSON object."""
    text = f'{{"price":"{plain(command.price)}"'
    if command.side is not None:
        text += f',"side":"{command.side._name_}"'
    if command.quantity is not None:
        text += f',"quantity":"{plain(command.quantity)}"'
    if command.fee is not None:
        text += f',"fee":"{plain(command.fee)}"'
    if command.time is not None:
        text += f',"time":{command.time}'
    text += _said(command)
    if not command.is_plain:
        text += "".join(f",{more}" for more in _more_asked(command))
    return text + "}"


def _said(command: Command) -> str:
    """What is no figure of it, each with a comma before it."""
    text = ',"close_all":true' if command.close_all else ""
    if command.excess is not _REJECT:
        text += f',"excess":"{command.excess._value_}"'
    if command.fee_currency:
        text += f',"fee_currency":{_text(command.fee_currency)}'
    if command.order_id:
        text += f',"order_id":{_text(command.order_id)}'
    if command.reason:
        text += f',"reason":{_text(command.reason)}'
    if command.group_id:
        text += f',"group_id":{_text(command.group_id)}'
    if command.labels:
        text += f',"labels":{_encode(dict(command.labels))}'
    return text


def _more_asked(command: Command) -> Iterator[str]:
    """What most executions do not say."""
    if command.synthetic:
        yield '"synthetic":true'
    if command.book_side is not None:
        yield f'"book_side":"{command.book_side._name_}"'
    if command.chosen:
        yield f'"chosen":{_encode([[lot, plain(quantity)] for lot, quantity in command.chosen])}'
    if command.late:
        yield '"late":true'
    if command.details:
        yield f'"details":{_encode(dict(command.details))}'


def decided_text(decision: Decision) -> str:
    """What the book made of it, as a JSON object: the fill in full, the lot it opened, the lots it closed."""
    fill, opened = decision.fill, decision.opened
    quantity = plain(fill.quantity)
    text = f'{{"side":"{fill.direction._name_}","quantity":"{quantity}","time":{fill.time}'
    if opened is not None:
        cost = "" if opened.cost is None else f',"{plain(opened.cost)}"'
        whole = quantity if opened.quantity is fill.quantity else plain(opened.quantity)
        text += f',"opened":["{whole}","{plain(opened.fee)}"{cost}]'
    if decision.matches:
        text += f',"closed":[{",".join(map(_match, decision.matches))}]'
    charged = decision.charged
    if charged.moved or charged.rate is not None or charged.state is not FeeState.SETTLED:
        text += f',"charged":{_encode(_charged_json(charged))}'
    if decision.taken:
        text += f',"taken":{_encode(decision.taken)}'
    if decision.placed:
        text += f',"placed":{_encode([_lot_json(lot) for lot in decision.placed])}'
    return text + "}"


def _match(match: Match) -> str:
    lot, quantity, gross, entry_fee, exit_fee, cost = match
    more = "" if cost is None else f',"{plain(cost)}"'
    return f'[{lot},"{plain(quantity)}","{plain(gross)}","{plain(entry_fee)}","{plain(exit_fee)}"{more}]'


def _charged_json(charged: Charged) -> list[Any]:
    return [plain(charged.amount), plain(charged.moved), charged.state.value, rate_json(charged.rate)]


def rate_json(rate: Rate | None) -> list[Any] | None:
    """A rate as JSON; None for none."""
    if rate is None:
        return None
    return [rate.base, rate.quote, plain(rate.price), rate.time, rate.source, rate.inverted]


def rate_of(stored: list[Any] | None) -> Rate | None:
    """The rate of such JSON."""
    if stored is None:
        return None
    base, quote, price, time, source, inverted = stored
    return Rate(base, quote, Decimal(price), time, source, inverted)


def _lot_json(lot: Lot) -> list[Any]:
    opened = lot.opened
    return [
        lot.sequence,
        opened.direction.name,
        lot.time,
        plain(opened.quantity),
        plain(lot.remaining),
        plain(lot.price),
        plain(opened.fee),
        plain(lot.open_fee),
        None if lot.cost is None else plain(lot.cost),
        _origin_json(opened.origin),
    ]


def _lot_of(stored: list[Any]) -> Lot:
    sequence, side, time, quantity, remaining, price, fee, open_fee, cost, origin = stored
    kept = None if cost is None else Decimal(cost)
    opened = LotOpened(
        sequence, Direction[side], Decimal(quantity), Decimal(price), Decimal(fee), time, _origin_of(origin), kept
    )
    return Lot(time, sequence, Decimal(remaining), opened.price, Decimal(open_fee), opened, kept)


def _origin_json(origin: Origin) -> list[Any]:
    order_id, fill_id, fee_currency, group_id, labels, synthetic, fee, rate, pending = origin
    return [order_id, fill_id, fee_currency, group_id, dict(labels), synthetic, plain(fee), rate_json(rate), pending]


def _origin_of(stored: list[Any]) -> Origin:
    order_id, fill_id, fee_currency, group_id, labels, synthetic, fee, rate, pending = stored
    return Origin(
        order_id,
        fill_id,
        fee_currency,
        group_id,
        tuple(labels.items()),
        synthetic,
        Decimal(fee),
        rate_of(rate),
        pending,
    )


def decision_of(row: Row[Any] | JournalRow) -> Decision:
    """The record of a journal row."""
    asked, what = json.loads(row.asked), json.loads(row.decided)
    command = command_of(row.method, row.portfolio_id, row.symbol, row.fill_id, row.request_id, asked)
    return decision_from(row.sequence, row.recorded_time, command, what)


def execution_of(row: Row[Any] | JournalRow) -> Decision:
    """The record of a journal row without the lots that it opened and closed: what the venue executed, and how its fee came in."""
    asked, what = json.loads(row.asked), json.loads(row.decided)
    for lots in ("opened", "closed", "placed", "taken"):
        what.pop(lots, None)
    command = command_of(row.method, row.portfolio_id, row.symbol, row.fill_id, row.request_id, asked)
    return decision_from(row.sequence, row.recorded_time, command, what)


def opened_of(row: Row[Any] | JournalRow) -> LotOpened | None:
    """The lot that a journal row opened, without a look at what it closed."""
    asked, what = json.loads(row.asked), json.loads(row.decided)
    what.pop("closed", None)
    command = command_of(row.method, row.portfolio_id, row.symbol, row.fill_id, row.request_id, asked)
    return decision_from(row.sequence, row.recorded_time, command, what).opened


def command_of(
    method: str, portfolio_id: str, symbol: str, fill_id: str, request_id: str, asked: dict[str, Any]
) -> Command:
    """The command of what was stored of it."""
    return Command(
        Method(method),
        portfolio_id,
        symbol,
        Direction[asked["side"]] if "side" in asked else None,
        Decimal(asked["quantity"]) if "quantity" in asked else None,
        Decimal(asked["price"]),
        Decimal(asked["fee"]) if "fee" in asked else None,
        asked.get("fee_currency", ""),
        asked.get("time"),
        asked.get("order_id", ""),
        fill_id,
        request_id,
        asked.get("close_all", False),
        Excess(asked.get("excess", Excess.REJECT.value)),
        asked.get("reason", ""),
        asked.get("group_id", ""),
        tuple(asked.get("labels", {}).items()),
        False,
        asked.get("synthetic", False),
        Direction[asked["book_side"]] if "book_side" in asked else None,
        tuple((lot, Decimal(quantity)) for lot, quantity in asked.get("chosen", ())),
        asked.get("late", False),
        tuple(asked.get("details", {}).items()),
    )


def decision_from(sequence: int, recorded_time: int, command: Command, what: dict[str, Any]) -> Decision:
    """The record of a command and what was stored of its decision."""
    charged = _charged_of(command, what.get("charged"))
    fill = Fill(Direction[what["side"]], Decimal(what["quantity"]), command.price, charged.amount, what["time"])
    opened = None
    if "opened" in what:
        quantity, fee, *cost = what["opened"]
        origin = origin_of(command, charged)
        kept = Decimal(cost[0]) if cost else None
        opened = LotOpened(
            sequence, fill.direction, Decimal(quantity), fill.price, Decimal(fee), fill.time, origin, kept
        )
    matches = tuple(Match(lot, *map(Decimal, amounts)) for lot, *amounts in what.get("closed", ()))
    placed = tuple(map(_lot_of, what.get("placed", ())))
    return Decision(
        sequence, recorded_time, command, fill, opened, matches, charged, tuple(what.get("taken", ())), placed
    )


def _charged_of(command: Command, stored: list[Any] | None) -> Charged:
    if stored is None:
        return Charged(command.fee or ZERO)
    amount, moved, state, rate = stored
    return Charged(Decimal(amount), Decimal(moved), FeeState(state), rate_of(rate))


def entry_row(entry: Entry, currency: str, amount: Amount) -> tuple[Any, ...]:
    """A row of ``position_entries``."""
    opened = entry.opened
    origin = opened.origin
    quantity, fee = amount(opened.quantity), amount(origin.fee)
    return (
        entry.portfolio_id,
        opened.time,
        opened.sequence,
        entry.entry_id,
        entry.symbol,
        opened.direction._name_,
        quantity,
        quantity if entry.remaining_quantity is opened.quantity else amount(entry.remaining_quantity),
        amount(opened.price),
        origin.order_id,
        origin.fill_id,
        fee,
        origin.fee_currency or currency,
        fee if entry.open_fee is origin.fee else amount(entry.open_fee),
        entry.status._value_,
        origin.group_id,
        labels_text(origin.labels),
        origin.synthetic,
        None if entry.cost is None else amount(entry.cost),
        "" if origin.fee_rate is None else _encode(rate_json(origin.fee_rate)),
        origin.fee_pending,
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
        row.fee,
        rate_of(json.loads(row.fee_rate)) if row.fee_rate else None,
        bool(row.fee_pending),
    )
    direction = Direction[row.side]
    opened = LotOpened(row.sequence, direction, row.quantity, row.entry_price, row.fee, row.entry_time, origin)
    superseded = row.status == EntryStatus.SUPERSEDED.value
    return Entry(row.portfolio_id, row.symbol, row.remaining_quantity, row.open_fee, opened, row.cost_basis, superseded)


def lot_of(entry: Entry) -> Lot:
    """What is open of an entry that was read."""
    opened = entry.opened
    return Lot(opened.time, opened.sequence, entry.remaining_quantity, opened.price, entry.open_fee, opened, entry.cost)


def trade_row(trade: ClosedTrade, amount: Amount) -> tuple[Any, ...]:
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
        trade.currency,
        trade.entry_order_id,
        trade.entry_fill_id,
        trade.group_id,
        labels_text(trade.labels),
        trade.synthetic,
        trade.superseded_by and trade.superseded_by[0],
        trade.superseded_by and trade.superseded_by[1],
        trade.provisional,
        None if trade.exit_sequence == trade.sequence else trade.exit_sequence,
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
        row.currency,
        row.exit_sequence or row.sequence,
        bool(row.provisional),
        None if row.superseded_sequence is None else (row.superseded_sequence, row.superseded_index),
    )


def book_row(portfolio_id: str, symbol: str, side: str, book: Book, amount: Amount) -> tuple[Any, ...]:
    """A row of ``books``."""
    oldest, newest, price, pending = book.oldest, book.newest, book.average_price(), book.pending
    return (
        portfolio_id,
        symbol,
        side,
        FLAT if book.direction is None else book.direction._name_,
        amount(book.quantity),
        None if price is None else amount(price),
        amount(book.cost),
        amount(book.gross),
        amount(book.fees),
        amount(book.gross - book.fees),
        amount(book.open_fees),
        book.lot_count,
        oldest and oldest.time,
        newest and newest.time,
        book.contract.currency,
        book.sequence,
        book.newest_time,
        pending.awaited,
        _encode([[name, plain(fee)] for name, fee in pending.unconverted]) if pending.unconverted else "",
    )


def pending_of(row: Row[Any]) -> Pending:
    """What fees a row of ``books`` says are in no figure yet."""
    stored = json.loads(row.unconverted_fees) if row.unconverted_fees else []
    return Pending(row.awaited_fees, tuple((name, Decimal(fee)) for name, fee in stored))
