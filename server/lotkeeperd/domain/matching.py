"""Which lots a close takes, how much of each, and what that gains.

A lot method (``LotMethod``) decides no more than the turn in which lots leave, and under AVERAGE the cost they leave with. The
fees of an entry go with the entry by every method; the fee and the value of the closing fill are shared over what it closes in
turn, the last piece is the rest (laws 4 and 6). All of this looks and changes nothing.

FIFO and LIFO look at what they close. HIFO and CHOSEN look at every open lot once per fill: 10,000 of them take milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import heapify, heappop
from types import MappingProxyType

from lotkeeperd.domain.decimals import ONE, ZERO, portion, share
from lotkeeperd.domain.lots import Contract, Direction, Fill, Lot, LotReduced, entry_id
from lotkeeperd.domain.refusals import LotNotOpen

Choice = Sequence[tuple[int, Decimal]]
"""Lots by the sequence that opened them, and how much of each."""

_LONG = Direction.LONG  # an enum's member is slow to look up

NOTHING_CHOSEN: Mapping[int, Decimal] = MappingProxyType({})


def matched(
    fill: Fill,
    sequence: int,
    quantity: Decimal,
    fee: Decimal,
    lots: Iterable[Lot],
    contract: Contract,
    value: Decimal | None = None,
    pool: Decimal | None = None,
    wanted: Mapping[int, Decimal] = NOTHING_CHOSEN,
) -> Iterator[LotReduced]:
    """One record for each lot in turn, until ``quantity`` of ``fill`` is used up; run under ``localcontext(EXACT)``.

    ``fee`` and ``value`` are what that quantity has of the fill's; ``value`` is None where it is an exact product. ``pool`` is the
    cost that leaves with it, None where each lot has its own. ``wanted`` says how much of each lot is taken, else all that is open.
    """
    buys, multiplier = fill.direction is _LONG, contract.multiplier
    for lot in lots:  # pragma: no branch - there are always enough
        taken, remaining, exit_fee, entry_fee, cost = quantity, lot.remaining, fee, lot.open_fee, lot.cost
        if wanted:
            taken = wanted[lot.sequence]
        elif remaining < quantity:
            taken = remaining
        if taken < quantity:
            exit_fee = share(fee, taken, quantity)
        if taken < remaining:
            entry_fee = share(entry_fee, taken, remaining)
        if pool is not None:
            cost = portion(pool, taken, quantity)
            pool -= cost
        elif cost is not None:
            cost = portion(cost, taken, remaining)
        if cost is None:
            gain = (lot.price - fill.price if buys else fill.price - lot.price) * taken
            gross = gain if multiplier is ONE else gain * multiplier
        else:
            worth = contract.value(taken, fill.price) if value is None else portion(value, taken, quantity)
            value = None if value is None else value - worth
            gross = contract.gain(lot.opened.direction, cost, worth)
        yield LotReduced(sequence, lot, taken, fill.price, gross, entry_fee, exit_fee, cost)
        quantity -= taken
        if not quantity:
            return
        fee -= exit_fee


def dearest_first(lots: Iterable[Lot]) -> Iterator[Lot]:
    """HIFO: in the order of least gain, whatever the price of the exit; of equals the oldest first. Takes no more than is asked."""
    heap = [(_rank(lot), lot.time, lot.sequence, lot) for lot in lots]
    heapify(heap)
    while True:
        yield heappop(heap)[-1]


def _rank(lot: Lot) -> Decimal:
    return lot.price.copy_negate() if lot.opened.direction is Direction.LONG else lot.price


def wanted_of(chosen: Choice) -> dict[int, Decimal]:
    """How much is chosen of each lot, in the order chosen; what is named twice is taken once, together."""
    wanted: dict[int, Decimal] = {}
    for sequence, quantity in chosen:
        assert quantity > 0, f"{quantity} of lot {sequence} is chosen, which is nothing to close"
        wanted[sequence] = wanted.get(sequence, ZERO) + quantity
    return wanted


def chosen_lots(lots: Iterable[Lot], wanted: Mapping[int, Decimal]) -> list[Lot]:
    """CHOSEN: the lots that are wanted, in that order. Raises LotNotOpen when one has fewer open, or nothing."""
    found = {lot.sequence: lot for lot in lots if lot.sequence in wanted}
    for sequence, quantity in wanted.items():
        lot = found.get(sequence)
        if lot is None or lot.remaining < quantity:
            raise LotNotOpen(entry_id(sequence), lot.remaining if lot else ZERO, quantity)
    return [found[sequence] for sequence in wanted]
