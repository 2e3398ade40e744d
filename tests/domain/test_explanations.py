"""Journal records in words, and what each made of a closed trade."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest

from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.commands import Command, Decision, Method, Terms
from lotkeeperd.domain.course import NO_FIGURES, Figures
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.explanations import Line, RecordKind, line_of, trade_changes
from lotkeeperd.domain.history import Amend, Amendment, BookRecord, Correction, Rematch
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate
from tests.domain.asking import NOW, SOLD, TERMS
from tests.domain.journal import Journal
from tests.domain.test_views import renamed


@pytest.fixture(autouse=True)
def _exactly() -> Any:
    """Books run under the exact context."""
    with localcontext(EXACT):
        yield


def told(record: BookRecord) -> Line:
    """The line of a record of which only the words are of interest."""
    return line_of(record, "USD", NO_FIGURES)


def words(journal: Journal) -> list[str]:
    """Of all records."""
    return [told(record).words for record in journal.records]


def test_a_fill_says_what_it_opened_and_closed() -> None:
    """Three lots are named, the others counted; a flip does both."""
    journal = Journal()
    for text in ("+1@100", "+1@101", "+1@102", "+1@103", "+1@104", "-7@110.50"):
        journal.tell(text)
    assert words(journal)[0] == "bought 1 at 100: opened 1 as E1"
    assert (
        words(journal)[5] == "sold 7 at 110.5: closed 1 of E1, 1 of E2, 1 of E3 and of 2 more lots and opened 2 as E6"
    )


def test_a_line_has_the_execution_as_the_venue_said_it() -> None:
    """With the fee in its own currency and the rate that turned it into the book's."""
    rate = Rate("BNB", "USD", Decimal(2), 1, "told")
    journal = Journal(TERMS._replace(rate=rate))
    journal.record(journal.command("+1@100 fee 3 t7", fee_currency="BNB", order_id="o"))
    line = told(journal.records[0])
    assert (line.sequence, line.kind, line.recorded_time, line.time) == (1, RecordKind.FILL, NOW, 7)
    assert (line.fill_id, line.order_id, line.fee, line.rate) == ("f1", "o", ("BNB", Decimal(3)), rate)
    assert line.fill is not None
    assert (line.fill.quantity, line.fill.price) == (Decimal(1), Decimal(100))


def test_a_fee_in_the_coin_that_was_bought_came_out_of_the_quantity() -> None:
    """The line shows what was executed, the words what became of it."""
    spot = Instrument("X", base_currency="BTC", declared=True)
    journal = Journal(Terms(spot, Portfolio("p", "USD")))
    journal.record(journal.command("+1@50 fee 0.001", fee_currency="BTC"))
    line = told(journal.records[0])
    assert line.fill is not None
    assert (line.fill.quantity, line.fee) == (Decimal(1), ("BTC", Decimal("0.001")))
    assert line.words == "bought 0.999 at 50: opened 0.999 as E1; its fee of 0.001 BTC came out of the quantity"


def test_fees_that_are_in_no_figure_yet_are_said() -> None:
    """One without a rate, and one that the broker tells later."""
    journal = Journal(Terms(Instrument("X"), Portfolio("p", "USD", fees_later=True)))
    journal.record(journal.command("+1@100 fee 3", fee_currency="BNB"))
    journal.record(journal.command("+1@100")._replace(fee=None))
    assert words(journal) == [
        "bought 1 at 100: opened 1 as E1; its fee in BNB has no rate yet",
        "bought 1 at 100: opened 1 as E2; its fee is still to come",
    ]
    assert told(journal.records[1]).fee is None


def test_ends_and_splits_are_told_by_their_names() -> None:
    """A split trades nothing; an expiry closes at zero."""
    journal = Journal()
    journal.tell("+1@100")
    journal.tell("+1@100")
    journal.split(3, 2)
    journal.record(Command(Method.EXPIRY, "p", "X", None, None, ZERO, close_all=True))
    assert words(journal)[2:] == [
        "3 for 2: 2 lots carried on at the same cost",
        "expired, sold 3 at 0: closed 1.5 of E1, 1.5 of E2",
    ]
    split, expiry = (told(record) for record in journal.records[2:])
    assert (split.kind, split.fill) == (RecordKind.CORPORATE_ACTION, None)
    assert expiry.kind is RecordKind.SETTLEMENT


def test_a_delivery_names_its_option() -> None:
    """The underlying's side of an exercise."""
    journal = Journal()
    command = journal.command("+100@50")._replace(method=Method.DELIVERY, details=(("of", "OPT"),))
    journal.record(command)
    assert words(journal) == ["delivered for OPT, bought 100 at 50: opened 100 as E1"]
    assert told(journal.records[0]).kind is RecordKind.SETTLEMENT


def test_a_change_of_symbol_is_told_on_both_sides() -> None:
    """What left, and what arrived."""
    x, y = renamed()
    assert words(x)[-1] == "2 lots left for Y"
    assert words(y)[0] == "2 lots arrived from X"


def test_a_late_fill_is_told_with_what_it_restated() -> None:
    """It stands in the journal where it was recorded."""
    journal = Journal()
    for text in ("+1@100 t2", "-1@110 t3"):
        journal.tell(text)
    journal.late("+1@90 t1")
    line = told(journal.records[2])
    assert line.words == (
        "came late and was put where its time belongs: bought 1 at 90: opened 1 as E3; 1 trade restated"
    )
    assert (line.kind, line.time, line.sequence) == (RecordKind.LATE_FILL, 1, 3)


def test_a_bust_has_no_execution_of_its_own() -> None:
    """Only what it took back, and how many trades changed."""
    journal = Journal()
    for text in ("+1@100", "+1@105", "-2@110"):
        journal.tell(text)
    journal.bust(3)
    line = told(journal.records[3])
    assert (line.words, line.kind) == ("record 3 was taken back; 2 trades restated", RecordKind.BUST)
    assert (line.fill, line.time, line.fee) == (None, None, None)


def test_a_correction_shows_the_execution_as_it_counts_now() -> None:
    """Under its own sequence."""
    journal = Journal()
    journal.tell("+1@100 fee 1 t5")
    journal.correct(1, price=Decimal(90), quantity=Decimal(2))
    line = told(journal.records[1])
    assert (line.sequence, line.kind, line.time, line.fill_id) == (2, RecordKind.CORRECTION, 5, "f1")
    assert line.fill is not None
    assert (line.fill.quantity, line.fill.price) == (Decimal(2), Decimal(90))


CORRECTIONS = {
    "quantity and price": (
        Amendment(Amend.CORRECT, "p", "X", fill_id="f1", quantity=Decimal(2), price=Decimal("90.50")),
        "f1 was corrected: quantity 2, price 90.5",
    ),
    "side and time": (
        Amendment(Amend.CORRECT, "p", "X", target=7, side=SOLD, time=5),
        "record 7 was corrected: side SHORT, another time",
    ),
    "a price of zero": (
        Amendment(Amend.CORRECT, "p", "X", fill_id="f1", price=ZERO),
        "f1 was corrected: price 0",
    ),
    "nothing": (Amendment(Amend.CORRECT, "p", "X", fill_id="f1"), "f1 was corrected: nothing"),
    "a fee": (Amendment(Amend.FILL_FEE, "p", "X", fill_id="f1", fee=Decimal(1)), "the fee of f1 came"),
    "a rate": (
        Amendment(Amend.FEE_RATE, "p", "X", fee_currency="BNB", rate=Decimal("1.50")),
        "fees in BNB have a rate: 1.5",
    ),
}


@pytest.mark.parametrize(("command", "said"), CORRECTIONS.values(), ids=CORRECTIONS)
def test_a_correction_says_what_was_corrected(command: Amendment, said: str) -> None:
    """By the names of the request."""
    record = Correction(9, NOW, command, Rematch(0, (), (), ZERO, ZERO))
    assert told(record).words == said


def test_a_rate_for_many_fees_is_shown_as_it_was_given() -> None:
    """From the fees' currency into the book's, at the time it was recorded."""
    command = Amendment(Amend.FEE_RATE, "p", "X", fee_currency="BNB", rate=Decimal("1.5"), into="USD", source="desk")
    line = told(Correction(9, NOW, command, Rematch(0, (), (), ZERO, ZERO)))
    assert line.rate == Rate("BNB", "USD", Decimal("1.5"), NOW, "desk")


# Closed trades.


def changes(journal: Journal, ref: tuple[int, int]) -> dict[int, Figures]:
    """What each record made of a trade, of all versions that the journal wrote."""
    trade = journal.trades[ref]
    pair = (trade.entry_sequence, trade.exit_sequence)
    versions = [one for _, one in sorted(journal.trades.items()) if (one.entry_sequence, one.exit_sequence) == pair]
    return trade_changes(trade, versions)


def of(gross: str, fees: str) -> Figures:
    """Figures of a trade."""
    return Figures(gross=Decimal(gross), fees=Decimal(fees))


def test_a_trade_is_its_entry_s_fee_and_its_exit() -> None:
    """Gross comes with the exit."""
    journal = Journal()
    for text in ("+2@100 fee 1", "-1@110 fee 3"):
        journal.tell(text)
    assert changes(journal, (2, 0)) == {1: of("0", "0.5"), 2: of("10", "3")}


def test_a_corrected_trade_is_what_it_was_and_what_the_correction_made_of_it() -> None:
    """The sum is the trade as it counts now; of the superseded one, what it was."""
    journal = Journal()
    for text in ("+2@100 fee 1", "-1@110 fee 3"):
        journal.tell(text)
    journal.correct(1, price=Decimal(90))
    journal.correct(2, fee=Decimal(5))
    assert changes(journal, (4, 0)) == {1: of("0", "0.5"), 2: of("10", "3"), 3: of("10", "0"), 4: of("0", "2")}
    assert changes(journal, (3, 0)) == {1: of("0", "0.5"), 2: of("10", "3"), 3: of("10", "0")}
    assert changes(journal, (2, 0)) == {1: of("0", "0.5"), 2: of("10", "3")}


def test_two_executions_that_a_correction_brought_together_are_told_there() -> None:
    """Without the first lot the exit closes the second one."""
    journal = Journal()
    for text in ("+1@100 fee 1", "+1@105 fee 2", "-1@110 fee 3"):
        journal.tell(text)
    journal.bust(1)
    assert changes(journal, (4, 0)) == {2: NO_FIGURES, 3: NO_FIGURES, 4: of("5", "5")}


def test_a_trade_that_was_undone_and_came_back_is_told_three_times() -> None:
    """A late lot before the first took its place; taken back, the first is closed again."""
    journal = Journal()
    for text in ("+1@100 t2", "-1@110 t3"):
        journal.tell(text)
    journal.late("+1@90 t1")
    journal.bust(3)
    assert changes(journal, (4, 0)) == {1: NO_FIGURES, 2: of("10", "0"), 3: of("-10", "0"), 4: of("10", "0")}


@pytest.mark.parametrize("method", LotMethod)
def test_changes_sum_to_the_trade_by_every_method(method: LotMethod) -> None:
    """Gross and fees, of every trade that was ever written."""
    journal = Journal(Terms(Instrument("X"), Portfolio("p", "USD", lot_method=method)))
    for text in ("+3@100 fee 1", "+2@120 fee 0.7", "-4@110 fee 0.3", "+1@90"):
        journal.tell(text)
    journal.correct(2, price=Decimal(80), fee=Decimal(2))
    journal.late("+1@70 t1")
    journal.bust(1, flips=True)
    assert journal.trades
    for ref, trade in journal.trades.items():
        gross, fees = (sum(column) for column in list(zip(*changes(journal, ref).values(), strict=True))[2:4])
        assert (gross, fees) == (trade.gross_pnl, trade.entry_fee + trade.exit_fee)


def test_every_record_of_a_journal_has_a_kind() -> None:
    """By the contract's names."""
    journal = Journal()
    journal.tell("+1@100")
    assert isinstance(journal.records[0], Decision)
    assert {kind.value for kind in RecordKind} >= {told(record).kind.value for record in journal.records}
