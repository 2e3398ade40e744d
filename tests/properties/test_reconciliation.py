"""Random accounts: whatever the ledger missed, doubled or made up, what is proposed and decided makes it the broker's.

A true history of one symbol is drawn. The ledger records some of it, in ways bots have: by the broker's ids, by order, without any;
whole orders as one fill; some fills that never were, some that were made up. The broker answers with a window of the history.
Proposals are carried out on plain books; where nothing is proposed a person closes at a price, or adopts.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.reconciliation.findings import Difference, Kind, Proposal, Severity
from lotkeeperd.domain.reconciliation.repair import NoSuchRepair, adopt, close_at
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition, Statement
from tests.domain.reconciliation.bookkeeping import AS_OF, LONG, SHORT, Ledger

ROUNDS = 20
"""Decisions after which nothing may be left."""

quantities = st.integers(1, 9).map(Decimal)
prices = st.integers(90, 110).map(Decimal)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Execution, ...]:
    """Up to 10 executions of up to 6 orders, each a tick after the other."""
    orders: list[tuple[str, bool]] = []
    found = []
    for at in range(draw(st.integers(0, 10))):
        if not orders or draw(st.booleans()):
            orders.append((f"o{len(orders)}", draw(st.booleans())))
        order, bought = orders[-1]
        side = LONG if bought else SHORT
        found.append(Execution("X", side, draw(quantities), draw(prices), 10 + 5 * at, f"f{at}", order))
    return tuple(found)


def by_order(history: tuple[Execution, ...]) -> list[tuple[Execution, ...]]:
    """The executions of each order, which follow each other."""
    found: dict[str, list[Execution]] = {}
    for each in history:
        found.setdefault(each.order_id, []).append(each)
    return [tuple(order) for order in found.values()]


def summary(order: tuple[Execution, ...]) -> Execution | None:
    """One fill of it, where its average has an end."""
    quantity = sum((each.quantity for each in order), ZERO)
    worth = sum((each.quantity * each.price for each in order), ZERO)
    price = (worth / quantity).quantize(Decimal("0.0001")) if not worth * 10_000 % quantity else None
    return None if price is None else order[-1]._replace(quantity=quantity, price=price, fill_id="")


@st.composite
def ledgers(draw: st.DrawFn, history: tuple[Execution, ...], truthful: bool = False) -> Ledger:
    """What bots recorded of it; ``truthful`` ones made nothing up."""
    ledger = Ledger()
    for order in by_order(history):
        whole = summary(order)
        if whole is not None and draw(st.integers(0, 4)) == 0:
            ledger.take("p", whole)
            continue
        for each in order:
            way = draw(st.sampled_from(["id", "id", "id", "missed", "order", "nothing"]))
            if way == "id":
                ledger.take("p", each)
            elif way == "order":
                ledger.take("p", each._replace(fill_id=f"own{each.fill_id}"))
            elif way == "nothing":
                ledger.take("p", each._replace(fill_id="", order_id=""))
    if not truthful:
        for at in range(draw(st.integers(0, 2))):
            side = draw(st.sampled_from([LONG, SHORT]))
            made_up = Execution("X", side, draw(quantities), draw(prices), draw(st.integers(1, 70)), f"never{at}")
            ledger.take("p", made_up, synthetic=draw(st.booleans()))
    return ledger


def said(history: tuple[Execution, ...], cut: int, complete: bool = True) -> Statement:
    """What the broker says of it, having forgotten what was before ``cut``."""
    books = Ledger()
    for each in history:
        books.take("p", each)
    held = books.held().get("X")
    rows: tuple[HeldPosition, ...] = ()
    if held is not None:
        rows = (HeldPosition("X", LONG if held[0] > 0 else SHORT, abs(held[0]), held[1]),)
    since = history[cut].time if cut < len(history) else AS_OF
    return Statement(AS_OF, complete, rows, history[cut:], since)


def decided(difference: Difference) -> tuple[Proposal, ...]:
    """What is proposed, else what a person would say."""
    if difference.proposals or difference.kind is Kind.UNKNOWN_FILL:
        return difference.proposals
    ours = difference._replace(portfolio_id="p")  # there is no other
    try:
        return close_at(ours, Decimal(100))
    except NoSuchRepair:
        return adopt(ours, "p", Decimal(100))


def worth_a_look(found: list[Difference]) -> list[Difference]:
    """All but information."""
    return [each for each in found if each.severity is not Severity.INFO]


def repaired(ledger: Ledger, statement: Statement) -> list[Difference]:
    """What is left when everything was done that can be: one decision after the other, each after a new look."""
    for _ in range(ROUNDS):
        found = worth_a_look(ledger.differences(statement))
        decisions = next(filter(None, map(decided, found)), ())
        if not decisions:
            return found
        ledger.carry_out(decisions)
    return worth_a_look(ledger.differences(statement))


@given(st.data(), histories())
def test_a_ledger_that_made_nothing_up_is_the_brokers_after_its_executions_were_recorded(
    data: st.DataObject, history: tuple[Execution, ...]
) -> None:
    """A whole history: nothing is synthetic, nothing is asked, and the books are those of the history to the digit."""
    with localcontext(EXACT):
        ledger, statement = data.draw(ledgers(history, truthful=True)), said(history, 0)._replace(executions_since=0)
        found = ledger.differences(statement)
        assert all(not each.synthetic for difference in found for each in difference.proposals)

        for difference in found:
            ledger.carry_out(difference.proposals)

        true = Ledger()
        for each in history:
            true.take("p", each)
        assert worth_a_look(ledger.differences(statement)) == []
        assert ledger.held().get("X", (ZERO,))[0] == true.held().get("X", (ZERO,))[0]


@given(st.data(), histories(), st.integers(0, 10))
def test_a_ledger_agrees_with_any_window_of_the_history_once_everything_was_decided(
    data: st.DataObject, history: tuple[Execution, ...], cut: int
) -> None:
    """What is proposed, and where nothing is, what a person says; then comparing again finds nothing."""
    with localcontext(EXACT):
        ledger, statement = data.draw(ledgers(history, truthful=True)), said(history, min(cut, len(history)))

        assert repaired(ledger, statement) == []


@given(st.data(), histories(), st.integers(0, 10))
def test_whatever_a_ledger_made_up_its_quantities_become_the_brokers(
    data: st.DataObject, history: tuple[Execution, ...], cut: int
) -> None:
    """What may be left are fills that contradict the broker and cancel each other out: those a person busts."""
    with localcontext(EXACT):
        ledger, statement = data.draw(ledgers(history)), said(history, min(cut, len(history)))

        left = repaired(ledger, statement)

        assert {each.kind for each in left} <= {Kind.UNKNOWN_FILL, Kind.MISSING_FILL}
        held = {row.symbol: row.signed for row in statement.positions}
        assert {symbol: quantity for symbol, (quantity, _) in ledger.held().items()} == held


@given(st.data(), histories(), st.integers(0, 10))
def test_an_incomplete_statement_never_closes_or_reduces_anything(
    data: st.DataObject, history: tuple[Execution, ...], cut: int
) -> None:
    """Whatever it lists, and whatever is in it: every proposal is for more of what is there, or of what is not."""
    with localcontext(EXACT):
        ledger = data.draw(ledgers(history))
        statement = said(history, min(cut, len(history)), complete=False)
        if data.draw(st.booleans()):
            statement = statement._replace(positions=())
        before = ledger.held().get("X", (ZERO, None))[0]

        found = ledger.compared(statement)
        for difference in found.differences:
            ledger.carry_out(difference.proposals)

        after = ledger.held().get("X", (ZERO, None))[0]
        assert not found.complete
        assert after * before >= 0
        assert abs(after) >= abs(before)
        assert all(difference.kind is not Kind.MISSING_AT_BROKER for difference in found.differences)


@given(st.data(), histories(), st.integers(0, 10), st.booleans())
def test_comparing_twice_is_comparing_once(
    data: st.DataObject, history: tuple[Execution, ...], cut: int, complete: bool
) -> None:
    """And the order in which the broker tells its executions does not matter."""
    with localcontext(EXACT):
        ledger, statement = data.draw(ledgers(history)), said(history, min(cut, len(history)), complete)
        shuffled = statement._replace(executions=tuple(data.draw(st.permutations(statement.executions))))

        first = ledger.compared(statement)

        assert ledger.compared(statement) == ledger.compared(shuffled) == first
