"""The comparison finds nothing where logs and ledger agree, and every planted difference where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from lotkeeperd.demo.botlog import LONG, Answer, BotLog, LoggedFill
from lotkeeperd.demo.compare import NOTHING, Difference, LedgerFigures, TotalsFigures, Valuation, differences, text
from lotkeeperd.demo.recount import BookFigures, recount
from tests.demo.test_recount import fills_of

MARK = Fraction("12.5")
FILLS = fills_of("+3@10/1 +2@11/0.5 -4@13/0.7 -2@12/0.3 +5@11.5/-0.2 -1@12/0.1")


def log_of(fills: Sequence[LoggedFill]) -> BotLog:
    """A bot's log: each fill answered once, every second one delivered and answered again."""
    answers = []
    for number, fill in enumerate(fills):
        answers.append(Answer("p", fill.fill_id, number + 1, replayed=False))
        if number % 2:
            answers.append(Answer("p", fill.fill_id, number + 1, replayed=True))
    return BotLog(tuple(fills), tuple(answers))


def ledger_of(fills: Sequence[LoggedFill]) -> LedgerFigures:
    """A ledger that recorded exactly ``fills``, valued at the mark."""
    book = recount(fills)
    sign = 1 if book.position.side == LONG else -1
    unrealized = (MARK * book.position.total_quantity - book.position.cost_basis) * sign
    position = book.position
    totals = TotalsFigures(position.gross_realized_pnl, position.realized_fees, position.net_realized_pnl, unrealized)
    sequences = {fill.fill_id: frozenset({number + 1}) for number, fill in enumerate(fills)}
    return LedgerFigures({"S": book}, {"S": Valuation(MARK, unrealized)}, totals, sequences)


def found(ledger: LedgerFigures, log: BotLog | None = None) -> list[Difference]:
    """The differences between the whole log and ``ledger``."""
    return differences("p", log or log_of(FILLS), ledger, MARK)


def with_book(book: BookFigures) -> LedgerFigures:
    """A right ledger but for its book."""
    return ledger_of(FILLS)._replace(books={"S": book})


def test_a_ledger_that_recorded_everything_once_differs_in_nothing() -> None:
    """Where logs and ledger agree there is nothing to say."""
    assert found(ledger_of(FILLS)) == []


@pytest.mark.parametrize("lost", range(len(FILLS)))
def test_a_lost_fill_is_found_and_named(lost: int) -> None:
    """Whichever fill the ledger lost, the check says which."""
    ledger = ledger_of([fill for fill in FILLS if fill is not FILLS[lost]])

    assert any(f"f{lost}" in difference.what for difference in found(ledger))
    assert any(difference.ledger_says == "none" for difference in found(ledger))


@pytest.mark.parametrize("doubled", range(len(FILLS)))
def test_a_fill_counted_twice_is_found_and_named(doubled: int) -> None:
    """Whichever fill the ledger counted twice, the check says which."""
    ledger = ledger_of([*FILLS[: doubled + 1], FILLS[doubled], *FILLS[doubled + 1 :]])

    assert any(f"f{doubled}" in difference.what for difference in found(ledger))


def test_two_mistakes_that_cancel_in_the_sums_are_found() -> None:
    """A fee moved from one trade to the other leaves every sum right."""
    book = recount(FILLS)
    first, second = book.trades[:2]
    moved = (
        first._replace(exit_fee=first.exit_fee + 1, net_pnl=first.net_pnl - 1),
        second._replace(exit_fee=second.exit_fee - 1, net_pnl=second.net_pnl + 1),
    )

    assert [difference.what for difference in found(with_book(book._replace(trades=(*moved, *book.trades[2:]))))] == [
        "trade f0 x f2: exit_fee",
        "trade f0 x f2: net_pnl",
        "trade f1 x f2: exit_fee",
        "trade f1 x f2: net_pnl",
    ]


def test_a_fee_share_wrong_in_its_last_digit_is_found() -> None:
    """Nothing is rounded before it is compared."""
    book = recount(FILLS)
    wrong = book.trades[0]._replace(entry_fee=book.trades[0].entry_fee + Fraction("1e-18"))

    assert found(with_book(book._replace(trades=(wrong, *book.trades[1:])))) == [
        Difference("p", "S", "trade f0 x f2: entry_fee", "1", "1.000000000000000001")
    ]


def test_a_lot_and_a_position_figure_are_compared_field_by_field() -> None:
    """Each wrong field is one difference that says both values."""
    book = recount(FILLS)
    lots = (*book.lots[:-1], book.lots[-1]._replace(remaining_quantity=Fraction(9)))
    position = book.position._replace(average_entry_price=None)

    named = [(difference.what, difference.ledger_says) for difference in found(with_book(book._replace(lots=lots)))]
    assert (f"lot {lots[-1].entry_fill_id}: remaining_quantity", "9") in named
    assert ("position: average_entry_price", "unset") in [
        (difference.what, difference.ledger_says) for difference in found(with_book(book._replace(position=position)))
    ]


def test_trades_in_another_order_are_found() -> None:
    """First in, first out is an order, so the order is compared."""
    book = recount(FILLS)

    assert [difference.what for difference in found(with_book(book._replace(trades=book.trades[::-1])))] == [
        "order of every trade"
    ]


@pytest.mark.parametrize(
    ("valuation", "what"),
    [
        (Valuation(MARK + 1, Fraction(0)), "mark_price"),
        (Valuation(MARK, Fraction(0)), "unrealized_pnl"),
        (Valuation(MARK, Fraction(0)), "gross realized + unrealized = cash + mark x quantity"),
        (Valuation(MARK, None), "unrealized_pnl"),
        (Valuation(None, None), "mark_price"),
    ],
)
def test_a_wrong_valuation_is_found(valuation: Valuation, what: str) -> None:
    """The mark, the unrealized P&L and law 6 are compared."""
    ledger = ledger_of(FILLS)._replace(valuations={"S": valuation})

    assert what in [difference.what for difference in found(ledger)]


def test_unknown_is_not_zero() -> None:
    """Law 12: without a mark the right unrealized P&L is none at all."""
    ledger = ledger_of(FILLS)
    unpriced = ledger._replace(
        valuations={"S": Valuation(None, None)}, totals=ledger.totals._replace(unrealized_pnl=None)
    )
    zero = unpriced._replace(valuations={"S": Valuation(None, Fraction())})

    assert differences("p", log_of(FILLS), unpriced, None) == []
    assert "unrealized_pnl" in [difference.what for difference in differences("p", log_of(FILLS), zero, None)]


@pytest.mark.parametrize("name", TotalsFigures._fields)
def test_totals_that_are_not_the_sum_of_the_positions_are_found(name: str) -> None:
    """Each total is compared."""
    ledger = ledger_of(FILLS)
    wrong = ledger._replace(totals=ledger.totals._replace(**{name: Fraction(-77)}))

    assert [(difference.what, difference.ledger_says) for difference in found(wrong)] == [
        (f"totals: {name} (against the positions)", "-77")
    ]


def test_an_acknowledged_fill_under_another_sequence_is_found() -> None:
    """What was acknowledged before a crash stands under the same sequence after it."""
    ledger = ledger_of(FILLS)
    moved = ledger._replace(sequences={**ledger.sequences, "f3": frozenset({4, 9})})

    assert found(moved) == [Difference("p", "", "fill f3: sequence", "4", "4 9")]


def test_a_second_delivery_that_was_not_a_replay_is_found() -> None:
    """A fill answered twice as new was counted twice."""
    log = log_of(FILLS)
    answers = tuple(answer._replace(replayed=False) for answer in log.answers)

    said = found(ledger_of(FILLS), BotLog(log.fills, answers))

    assert [difference.what for difference in said] == [f"fill f{number} delivered again" for number in (1, 3, 5)]


def test_a_fill_that_was_never_answered_is_found() -> None:
    """A logged fill whose delivery nobody acknowledged is not proven."""
    log = log_of(FILLS)

    said = found(ledger_of(FILLS), BotLog(log.fills, log.answers[1:]))

    assert said == [Difference("p", "", "fill f0: sequence", "none", "1")]


def test_a_fill_that_was_logged_and_never_sent_is_found() -> None:
    """That neither answers nor ledger know a fill does not make it agree."""
    log = log_of(FILLS)
    sequences = {fill_id: number for fill_id, number in ledger_of(FILLS).sequences.items() if fill_id != "f0"}

    said = found(ledger_of(FILLS)._replace(sequences=sequences), BotLog(log.fills, log.answers[1:]))

    assert said == [Difference("p", "", "fill f0: sequence", "none", "none")]


def test_a_ledger_that_knows_nothing_has_lost_everything() -> None:
    """An empty ledger differs in every lot and every trade."""
    said = found(NOTHING)

    assert {f"lot {lot.entry_fill_id}" for lot in recount(FILLS).lots} <= {difference.what for difference in said}
    assert "mark_price" not in [difference.what for difference in said]


def test_a_book_nobody_logged_is_found() -> None:
    """A symbol that stands in the ledger alone is a difference, too."""
    ledger = ledger_of(FILLS)
    other = recount(fills_of("+1@5"))

    said = found(ledger._replace(books={**ledger.books, "OTHER": other}))

    assert ("OTHER", "lot f0", "0 of it", "1 of it") in [
        (difference.symbol, difference.what, difference.logs_say, difference.ledger_says) for difference in said
    ]


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (Fraction("-0.050"), "-0.05"),
        (Fraction(12), "12"),
        (Fraction(0), "0"),
        (Fraction("1234567890123456789.000000000000000001"), "1234567890123456789.000000000000000001"),
        (None, "unset"),
        ("LONG", "LONG"),
        (7, "7"),
    ],
)
def test_figures_are_shown_digit_for_digit(figure: Fraction | int | str | None, said: str) -> None:
    """A person sees the whole number."""
    assert text(figure) == said
