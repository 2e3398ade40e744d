"""A difference in one sentence, for somebody who was woken by it: who holds what, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.reconciliation.holdings import Counted
from lotkeeperd.domain.reconciliation.lines import Line
from lotkeeperd.domain.reconciliation.pairing import Pair, Replacement
from lotkeeperd.domain.reconciliation.solving import Reason, Repair
from lotkeeperd.domain.reconciliation.statements import Execution


def quantities(line: Line, repair: Repair) -> str:
    """Of quantities that differ, or executions that are missing though they do not."""
    return f"{_both(line)}: {_ENDS[repair.reason](line, repair)}"


def _both(line: Line) -> str:
    where = f" {line.key[1].lower()}" if line.key[1] else ""
    if line.theirs is None:
        return f"the ledger holds {held(line.ours)} {line.symbol}{where}, and what the broker holds was not read to its end"
    if line.nothing(line.gap):
        return f"both hold {held(line.theirs)} {line.symbol}{where}"
    if not line.holdings:
        return f"the broker holds {held(line.theirs)} {line.symbol}{where}, and no portfolio does: nobody watches it"
    return f"the broker holds {held(line.theirs)} {line.symbol}{where}, the ledger {held(line.ours)}"


def held(quantity: Decimal) -> str:
    """10, or short 10, or nothing."""
    if not quantity:
        return "no"
    return plain(quantity) if quantity > 0 else f"short {plain(-quantity)}"


def traded(executions: Sequence[Execution]) -> str:
    """Bought 6, sold 2: what they come to."""
    said = []
    for side, word in ((Direction.LONG, "bought"), (Direction.SHORT, "sold")):
        some = [each.quantity for each in executions if each.side is side]
        if some:
            said.append(f"{word} {plain(sum(some, ZERO))}")
    return " and ".join(said)


def _real(repair: Repair) -> list[Execution]:
    return [each.execution for each in repair.proposals if each.execution is not None and not each.synthetic]


def _executions(_line: Line, repair: Repair) -> str:
    real = _real(repair)
    return f"{traded(real)} while nobody looked; {_are(len(real))} there and can be recorded"


def _are(count: int) -> str:
    return "its execution is" if count == 1 else f"its {count} executions are"


def _replaced(_line: Line, repair: Repair) -> str:
    count = sum(len(each.replaces) for each in repair.proposals)
    recorded = "a recorded fill" if count == 1 else f"{count} recorded fills"
    return f"{recorded} stood for executions that are there now ({traded(_real(repair))}) and can take its place"


def _taken_back(_line: Line, repair: Repair) -> str:
    gone = sum(1 for each in repair.proposals if each.execution is None)
    real = _real(repair)
    come = f", and what it reports instead ({traded(real)}) recorded" if real else ""
    fills = "a recorded fill is" if gone == 1 else f"{gone} recorded fills are"
    return f"{fills} unknown to the broker; they agree when that is taken back{come}, if a person says so"


def _opened(_line: Line, repair: Repair) -> str:
    (first,) = [each.execution for each in repair.proposals if each.synthetic and each.execution]
    after = ""
    if repair.reason is Reason.OPENED_BEFORE:
        real = _real(repair)
        after = f"; then it {traded(real)}, and {_are(len(real))} there"
    agree = "so that the averages agree"
    if not repair.averages_agree:
        agree = "the broker's average, though the averages will differ: no price above 0 makes them agree"
    side = "buy" if first.side is Direction.LONG else "sale"
    return f"a {side} of {plain(first.quantity)} is in no history and can be adopted at {plain(first.price)}, {agree}{after}"


def _in_part(line: Line, repair: Repair) -> str:
    real = _real(repair)
    left = line.gap - sum((line.measure.moved(each) for each in real), ZERO)
    return (
        f"{traded(real)} while nobody looked, and {_are(len(real))} there and can be recorded; of the other "
        f"{plain(abs(left))} no execution is known, and a person has to give its price"
    )


def _whose(_line: Line, repair: Repair) -> str:
    if repair.unplaced:
        return f"{traded(repair.unplaced)}, and it cannot be told for which portfolio; a person has to assign it"
    return "it cannot be told whose it is; name the portfolio that adopts it"


def _no_price(line: Line, _repair: Repair) -> str:
    if line.gap * line.ours < 0:
        return "no execution of it is known, and nothing is closed without one; a person has to give the price"
    return "no execution of it is known and the broker gives no average; a person has to give the price"


def _not_read(_line: Line, repair: Repair) -> str:
    missing = f"{traded(repair.unplaced)} is not in the ledger; " if repair.unplaced else ""
    return f"{missing}read the positions to their end before anything is recorded"


def _no_side(_line: Line, repair: Repair) -> str:
    return (
        f"{traded(repair.unplaced)} is not in the ledger, and the broker does not say on which side; record it by hand"
    )


def _disputed(_line: Line, _repair: Repair) -> str:
    return "recorded fills and the broker's executions contradict each other; a person has to correct them"


def _not_explained(_line: Line, repair: Repair) -> str:
    return (
        f"{traded(repair.unplaced)} is not in the ledger, and recording it would not make them equal; ask again, and look for "
        "what else happened"
    )


_ENDS = {
    Reason.EXECUTIONS: _executions,
    Reason.REPLACED: _replaced,
    Reason.TAKEN_BACK: _taken_back,
    Reason.OPENED_BEFORE: _opened,
    Reason.OPENED: _opened,
    Reason.IN_PART: _in_part,
    Reason.WHOSE: _whose,
    Reason.NO_PRICE: _no_price,
    Reason.NOT_READ: _not_read,
    Reason.NO_SIDE: _no_side,
    Reason.DISPUTED: _disputed,
    Reason.NOT_EXPLAINED: _not_explained,
}


def summary(replacement: Replacement) -> str:
    """Of a recorded fill that is several executions."""
    fill = replacement.recorded
    return (
        f"order {fill.order_id} is recorded as one fill of {plain(fill.quantity)} {fill.key[1]} at {plain(fill.price)}; the broker "
        f"reports {len(replacement.executions)} executions of it, which can take its place"
    )


def conflict(pair: Pair) -> str:
    """Of one id with two contents."""
    told = pair.execution
    known = " and ".join(f"{_word(fill.side)} {plain(fill.quantity)} at {plain(fill.price)}" for fill in pair.recorded)
    return (
        f"fill {told.fill_id} of {told.symbol} is recorded as {known}, the broker says {_word(told.side)} "
        f"{plain(told.quantity)} at {plain(told.price)}; correct the recorded fill"
    )


def _word(side: Direction) -> str:
    return "bought" if side is Direction.LONG else "sold"


def unknown(fill: Counted) -> str:
    """Of a recorded fill that the broker does not report."""
    name = f"fill {fill.fill_id}" if fill.fill_id else "a fill without an id"
    return (
        f"the ledger has {name}, {_word(fill.side)} {plain(fill.quantity)} {fill.key[1]} at {plain(fill.price)}, and the broker "
        "does not report it; bust it if it never happened"
    )


def averages(line: Line, ours: Decimal, theirs: Decimal) -> str:
    """Of equal quantities at other averages."""
    return (
        f"both hold {held(line.ours)} {line.symbol}, the ledger at {plain(ours)}, the broker at {plain(theirs)}; brokers count "
        "commissions and averages in ways of their own: nothing to do"
    )


def cash(currency: str, ours: Decimal, theirs: Decimal) -> str:
    """Of a balance."""
    much = f"{plain(abs(theirs - ours))} {'more' if theirs > ours else 'less'}"
    return (
        f"the broker has {plain(theirs)} {currency}, the ledger {plain(ours)}: {much}; look for deposits, fees, interest or "
        "dividends that are not recorded"
    )
