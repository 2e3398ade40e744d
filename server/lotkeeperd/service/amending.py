"""Busts, corrections, late fills, and fees that come later: each re-matches one book and is one record of it."""

from __future__ import annotations

from lotkeeperd.domain.accounts import elsewhere
from lotkeeperd.domain.amendments import check_amendable, corrected
from lotkeeperd.domain.book import Book, Fill
from lotkeeperd.domain.commands import Command, Decision, Excess, Terms
from lotkeeperd.domain.deciding import check_portfolio, decide, filled
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import Charged, FeeState
from lotkeeperd.domain.history import Amend, Amendment, Correction, History, Late, Slot
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.refusals import (
    FieldViolations,
    FillBusted,
    FillNotFound,
    LedgerCorrupt,
    PortfolioNotFound,
    Violation,
)
from lotkeeperd.domain.rematch import Rematched, net_change, rematched
from lotkeeperd.service.agreements import first_contract
from lotkeeperd.service.happenings import check_side
from lotkeeperd.service.outcomes import IN_ANSWER, Happened
from lotkeeperd.service.ports import Key, Transaction
from lotkeeperd.service.stage import Stage, key_of


def late(command: Command, key: Key, book: Book, stage: Stage, transaction: Transaction) -> tuple[Late, Rematched]:
    """An execution put where its time belongs. Raises what ``decide`` raises, and LaterCommandRefused."""
    terms = _terms(key, stage, transaction, command.fee_currency)
    history = _history(key, stage, transaction)
    assert command.time is not None
    place = history.place_for(command.time)
    then = history.folded(Book(book.contract, book.method), place)
    sequence = stage.next_sequence
    what = decide(command, then, sequence, stage.now, terms)  # as it would have been decided then
    slot = Slot(Decision(sequence, stage.now, command, what.fill, None, (), what.charged), ())
    after = [*history.slots[:place], slot, *history.slots[place:]]
    flips = command.excess is Excess.REVERSE
    done = _rematched(history, after, sequence, book, stage, terms, flips)
    mine = next((slot for slot in done.rematch.slots if slot.sequence == sequence), slot)
    return Late(mine.decision, done.rematch), done


def amended(command: Amendment, stage: Stage, transaction: Transaction) -> Happened:
    """A bust, a correction, a fee or a rate. Raises what says why not."""
    stage = stage.fork() if command.validate_only else stage
    portfolio = stage.portfolio(command.portfolio_id)
    if portfolio is None:
        raise PortfolioNotFound(command.portfolio_id)
    check_portfolio(portfolio)
    if command.method is Amend.FEE_RATE:
        return _rated(command, stage, transaction)
    key, history, at = _found(command, stage, transaction)
    book = stage.book(key)
    assert book is not None
    terms = _terms(key, stage, transaction)
    slot = history.slots[at]
    check_amendable(command, slot.decision)
    after = [other for other in history.slots if other is not slot]
    changed = _changed(command, slot, stage, terms) if command.method is not Amend.BUST else None
    if changed is not None:
        moved = changed.decision.fill.time != slot.decision.fill.time
        place = History.placed(after, changed.decision.fill.time) if moved else at
        after.insert(place, changed)
    command = command._replace(target=slot.sequence, book_side=slot.decision.command.book_side)
    return _recorded(command, key, history, after, slot.sequence, stage, terms)


def _found(command: Amendment, stage: Stage, transaction: Transaction) -> tuple[Key, History, int]:
    """The book, and the one slot in it, that a correction names."""
    named = command.fill_id or f"record {command.target}"
    found: list[tuple[Key, History, int]] = []
    keys = _keys(command, stage)
    for key in keys:
        history = _history(key, stage, transaction)
        found += [(key, history, place) for place in history.find(command.fill_id, command.target)]
    if len(found) > 1:
        raise FillNotFound(command.symbol, named, " alone: two commands recorded it; name one by fill_sequence")
    if found:
        return found[0]
    for key in keys:
        if busted := _busted(command, [*transaction.history(key), *stage.book_records(key)]):
            raise FillBusted(named, busted)
    raise FillNotFound(command.symbol, named)


def _keys(command: Amendment, stage: Stage) -> list[Key]:
    """The books that the execution may be in. Raises FieldViolations."""
    check_side(command.book_side, command.portfolio_id, stage)
    sides = ("", "LONG", "SHORT") if command.book_side is None else (command.book_side.name,)
    keys = [(command.portfolio_id, command.symbol, side) for side in sides]
    return [key for key in keys if stage.book(key) is not None]


def _busted(command: Amendment, records: list[Decision | Late | Correction]) -> int:
    """The sequence of the record that took the execution back, 0 when there is none."""
    named = {
        record.sequence
        for record in records
        if not isinstance(record, Correction)
        and (record.sequence == command.target if command.target else record.command.fill_id == command.fill_id)
    }
    for record in records:
        if isinstance(record, Correction) and record.command.method is Amend.BUST and record.command.target in named:
            return record.sequence
    return 0


def _changed(command: Amendment, slot: Slot, stage: Stage, terms: Terms) -> Slot:
    """The slot with what is corrected of it."""
    was = slot.decision
    now = stage.in_full(corrected(was.command, command, terms.instrument), terms)
    fee_terms = terms._replace(rate=_rate(command, was, now, stage, terms))
    if now.fee is None and was.charged.state is FeeState.SETTLED:
        fee_terms = fee_terms._replace(portfolio=terms.portfolio._replace(fees_later=False))
    fill, charged = _refilled(now, was, command, stage, fee_terms)
    return Slot(was._replace(command=now, fill=fill, charged=charged), slot.trades)


def _refilled(now: Command, was: Decision, command: Amendment, stage: Stage, terms: Terms) -> tuple[Fill, Charged]:
    """What was left out stays as it was filled in then."""
    side = now.side or was.fill.direction
    quantity = was.fill.quantity if now.quantity is None else now.quantity
    time = was.fill.time if now.time is None else now.time
    if command.fee is None and command.fee_currency is None and command.rate is None and not was.charged.moved:
        return Fill(side, quantity, now.price, was.charged.amount, time), was.charged
    return filled(now._replace(side=side, quantity=quantity, time=time), Book(), stage.now, terms)


def _rate(command: Amendment, was: Decision, now: Command, stage: Stage, terms: Terms) -> Rate | None:
    """What turns the fee into the book's currency: what was given, what was used, or what is known now."""
    into = terms.instrument.settlement_currency
    if command.rate is not None:
        return Rate(now.fee_currency, into, command.rate, stage.now, command.source)
    if was.charged.rate is not None and now.fee_currency == was.command.fee_currency:
        return was.charged.rate
    return stage.rate(now.fee_currency, into) if now.fee_currency else None


def _rated(command: Amendment, stage: Stage, transaction: Transaction) -> Happened:
    """A rate for every fee of its currency that had none, book by book: in all of them, or in none."""
    # Several records may be made before one is refused: they are tried apart, and made again where they stay.
    trial = _rated_in(command, stage.fork(), transaction)
    if not trial:
        what = f"no fee in {command.fee_currency} of a book in {command.into} waits for a rate"
        raise FieldViolations([Violation("event.fee_rate.fee_currency", what)])
    lead = command._replace(records=len(trial))
    return _together(command, trial if command.validate_only else _rated_in(lead, stage, transaction))


def _rated_in(command: Amendment, stage: Stage, transaction: Transaction) -> list[Happened]:
    happened: list[Happened] = []
    for key, book in sorted(stage.books_of(command.portfolio_id).items()):
        waits = command.fee_currency in dict(book.pending.unconverted)
        if not waits or book.contract.currency != command.into:
            continue
        terms = _terms(key, stage, transaction)
        history = _history(key, stage, transaction)
        after = [_changed(command, slot, stage, terms) if _waits(slot, command) else slot for slot in history.slots]
        lead = command if not happened else command._replace(request_id="", event_id="", records=1)
        side = history.slots[0].decision.command.book_side
        asked = lead._replace(symbol=key[1], book_side=side, target=0)
        happened.append(_recorded(asked, key, history, after, 0, stage, terms))
    return happened


def _waits(slot: Slot, command: Amendment) -> bool:
    decision = slot.decision
    return decision.charged.state is FeeState.UNCONVERTED and decision.command.fee_currency == command.fee_currency


def _together(command: Amendment, happened: list[Happened]) -> Happened:
    restated = [told for one in happened for told in one.restated]
    return Happened(
        command,
        happened[0].sequence,
        restated=restated[:IN_ANSWER],
        restated_count=sum(one.restated_count for one in happened),
        net_change=sum((one.net_change for one in happened), ZERO),
        books=[book for one in happened for book in one.books],
        cash=list(dict(cash for one in happened for cash in one.cash).items()),
    )


def _recorded(
    command: Amendment, key: Key, history: History, after: list[Slot], target: int, stage: Stage, terms: Terms
) -> Happened:
    book = stage.book(key)
    assert book is not None
    sequence = stage.next_sequence
    flips = command.excess is Excess.REVERSE
    done = _rematched(history, after, target, book, stage, terms, flips)
    stage.rematch(key, Correction(sequence, stage.now, command, done.rematch), done)
    touched = _move_fees(key, history.slots, after, sequence, book.contract.currency, stage)
    return Happened(
        command,
        0 if command.validate_only else sequence,
        restated=done.restated[:IN_ANSWER],
        restated_count=len(done.restated),
        net_change=net_change(done.restated),
        books=[(key, done.book)],
        cash=[(currency, stage.cash_in(key[0], currency)) for currency in touched],
    )


def _move_fees(
    key: Key, before: list[Slot], after: list[Slot], sequence: int, currency: str, stage: Stage
) -> dict[str, None]:
    """Fees in other coins, as far as the correction changed them; every currency whose cash it touched."""
    kept = {id(slot) for slot in before} & {id(slot) for slot in after}
    touched: dict[str, None] = {currency: None}
    for slots, sign in ((before, -1), (after, 1)):
        for slot in slots:
            if id(slot) not in kept:
                amounts = elsewhere(slot.decision, currency)
                stage.move_fees(key[0], {name: sign * amount for name, amount in amounts.items()}, sequence)
                touched |= dict.fromkeys(amounts)
    return touched


def _terms(key: Key, stage: Stage, transaction: Transaction, fee_currency: str = "") -> Terms:
    """Those of now, and since when the instrument is worth what they say."""
    terms = stage.terms(*key[:2], fee_currency)
    since = 0
    if terms.instrument.declared:
        contract = first_contract(key[1], stage.currency)
        for record in [*transaction.definitions(key[1]), *stage.definitions(key[1])]:
            if record.instrument.contract != contract:
                since, contract = record.sequence, record.instrument.contract
    return terms._replace(valued_since=since)


def _history(key: Key, stage: Stage, transaction: Transaction) -> History:
    """Of one book; a repair of many executions asks after each, and only what was recorded since is taken in then."""
    history, seen = stage.histories.get(key) or (History(transaction.history(key)), 0)
    for record in stage.records[seen:]:
        if isinstance(record, Decision | Late | Correction) and key_of(record) == key:
            history.take(record)
    stage.histories[key] = history, len(stage.records)
    return history


def _rematched(
    history: History, after: list[Slot], target: int, book: Book, stage: Stage, terms: Terms, flips: bool
) -> Rematched:
    try:
        return rematched(history, after, target, book, stage.next_sequence, terms, flips)
    except ValueError as error:
        raise LedgerCorrupt(str(error)) from error
