"""What a person decides about one difference, as executions to record.

Problem: some differences have no execution behind them that anybody knows, or nobody knows whose it is. Seen: a position that was
bought by hand; one that was closed before the history begins; an exit on an account that two bots share. Chosen: a person says
where it belongs and at what price, and only what the broker's executions do not cover is made synthetic.

What is proposed without a person stands in ``solving``.
"""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.reconciliation.findings import Difference, Proposal
from lotkeeperd.domain.reconciliation.solving import synthetic
from lotkeeperd.domain.reconciliation.statements import Execution


class NoSuchRepair(ValueError):
    """What was asked for does not fit the difference; the message says why, and what does."""


def adopt(
    difference: Difference, portfolio_id: str, price: Decimal | None = None, group_id: str = ""
) -> tuple[Proposal, ...]:
    """Open in ``portfolio_id`` what the broker holds beyond the ledger; run under ``localcontext(EXACT)``.

    At ``price``, or where it is None at what is proposed, or else at the broker's average. Executions that are known are recorded
    with it at their own prices. Raises NoSuchRepair.
    """
    real = _real(difference)
    rest = _rest(difference, real)
    mine = tuple(each._replace(portfolio_id=portfolio_id, group_id=group_id) for each in real)
    if not rest and real and price is None:
        return mine
    if rest * difference.broker_quantity <= 0:
        raise NoSuchRepair(
            f"{_both(difference)}: beyond known executions there is nothing to adopt; accept those, or close it at a price"
        )
    planned = _planned(difference)
    if price is None:
        price = planned.price if planned else difference.broker_price
    if price is None:
        raise NoSuchRepair(f"{_both(difference)}: the broker gives no average; say at what price it is adopted")
    time = planned.time if planned else _before(difference, real)
    opening = synthetic(_key(difference), rest, price, time)
    return (Proposal(portfolio_id, opening, synthetic=True, group_id=group_id), *mine)


def close_at(difference: Difference, price: Decimal) -> tuple[Proposal, ...]:
    """Close at ``price`` what the ledger holds beyond the broker, after the executions that are known.

    What the broker holds on the other side is opened after that, at its average, or at ``price`` where it gives none. Run under
    ``localcontext(EXACT)``. Raises NoSuchRepair.
    """
    owner = difference.portfolio_id
    real = tuple(each._replace(portfolio_id=each.portfolio_id or owner) for each in _real(difference))
    rest = _rest(difference, real)
    left = difference.broker_quantity - rest
    if rest * left >= 0:
        raise NoSuchRepair(
            f"{_both(difference)}: beyond known executions there is nothing to close; adopt it, or accept what is proposed"
        )
    if not owner:
        raise NoSuchRepair(f"{_both(difference)}, in several portfolios; close it in each of them by itself")
    closed = rest if abs(rest) <= abs(left) else -left
    parts = [(closed, price)]
    if rest != closed:
        parts.append((rest - closed, price if difference.broker_price is None else difference.broker_price))
    key, time = _key(difference), difference.as_of
    return (*real, *(Proposal(owner, synthetic(key, moved, at, time), synthetic=True) for moved, at in parts))


def assign(difference: Difference, portfolio_id: str) -> tuple[Proposal, ...]:
    """Record in ``portfolio_id`` what is proposed for another one, or waits to be told whose it is. Raises NoSuchRepair."""
    if any(each.replaces for each in difference.proposals):
        raise NoSuchRepair(
            f"{_both(difference)}: what replaces recorded fills stays in their portfolio; accept what is proposed"
        )
    found = difference.proposals or tuple(Proposal("", each) for each in difference.unplaced)
    if not found:
        raise NoSuchRepair(f"{_both(difference)}: no execution of it is known; adopt it, or close it at a price")
    return tuple(each._replace(portfolio_id=portfolio_id) for each in found)


def _real(difference: Difference) -> tuple[Proposal, ...]:
    """The broker's executions behind it."""
    if any(each.replaces for each in difference.proposals):
        raise NoSuchRepair(
            f"{_both(difference)}: recorded fills are replaced by the broker's executions; accept what is proposed"
        )
    proposed = tuple(each for each in difference.proposals if not each.synthetic)
    return proposed or tuple(Proposal("", each) for each in difference.unplaced)


def _rest(difference: Difference, real: tuple[Proposal, ...]) -> Decimal:
    """What the quantities differ by beyond the executions."""
    planned = _planned(difference)
    if planned is not None:
        return planned.signed
    moved = sum((each.execution.signed for each in real if each.execution), ZERO)
    return difference.broker_quantity - difference.ledger_quantity - moved


def _planned(difference: Difference) -> Execution | None:
    """The synthetic opening that is proposed."""
    return next((each.execution for each in difference.proposals if each.synthetic), None)


def _before(difference: Difference, real: tuple[Proposal, ...]) -> int:
    """When what is in no history happened."""
    return min((each.execution.time - 1 for each in real if each.execution), default=difference.as_of)


def _key(difference: Difference) -> tuple[str, str]:
    return difference.symbol, difference.side


def _both(difference: Difference) -> str:
    theirs, ours = plain(difference.broker_quantity), plain(difference.ledger_quantity)
    return f"the broker holds {theirs} {difference.symbol}, the ledger {ours}"
