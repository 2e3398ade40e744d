"""What a refusal says: the value, the rule and the way out in words, and metadata for a program."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from lotkeeperd.domain import refusals
from lotkeeperd.domain.refusals import SHOWN, Refusal, Violation, shown

# a refusal; its metadata; what its words must hold
REFUSALS: list[tuple[Refusal, dict[str, str], list[str]]] = [
    (
        refusals.FieldViolations([Violation("quantity", "0 is not greater than 0")]),
        {},
        ["quantity: 0 is not greater than 0"],
    ),
    (
        refusals.InvalidPageToken("expired", "its read is over a minute old"),
        {"cause": "expired"},
        ["page_token: its read is over a minute old", "start again without page_token"],
    ),
    (refusals.RequestIdReused("r1", "quantity"), {"field": "quantity"}, ["'r1'", "quantity", "needs a new request_id"]),
    (
        refusals.FillConflict("f1", "exit_price", "1", "2", trade_id="T7.0"),
        {"field": "exit_price", "trade_id": "T7.0"},
        ["'f1'", "T7.0", "exit_price 1, not 2", "look up which report is right"],
    ),
    (
        refusals.EventConflict("e1", "amount"),
        {"field": "amount"},
        ["event 'e1' is recorded with another amount", "look up which report is right"],
    ),
    (
        refusals.InsufficientQuantity("X", Decimal("1.50"), Decimal(5)),
        {"open_quantity": "1.5", "requested_quantity": "5"},
        ["'X'", "1.5 open", "the 5 to close", "close_all", "EXCESS_POLICY_REVERSE"],
    ),
    (refusals.NoOpenPosition("X", ""), {}, ["'X' has nothing open", "nothing to close"]),
    (refusals.NeverTraded("X", "p"), {}, ["'X' was never traded in 'p'", "GetSummary with include_flat"]),
    (
        refusals.LotNotOpen("E7", Decimal("1.50"), Decimal(5)),
        {"entry_id": "E7", "open_quantity": "1.5"},
        ["'E7'", "1.5 open", "the 5 to close", "choose among the open entries"],
    ),
    (
        refusals.OppositeSideOpen("X", "LONG", Decimal("3.0")),
        {"open_side": "LONG", "open_quantity": "3"},
        ["'X' is LONG 3", "RecordFill"],
    ),
    (
        refusals.InstrumentNotDeclared("BTC-PERP", "it is spelled like a perpetual contract"),
        {"symbol": "BTC-PERP"},
        ["'BTC-PERP'", "it is spelled like a perpetual contract", "DefineInstrument, with its kind and multiplier"],
    ),
    (
        refusals.InstrumentInUse("ESZ4", "multiplier", "50", "5", Decimal("2.0")),
        {"symbol": "ESZ4", "field": "multiplier", "open_quantity": "2"},
        ["'ESZ4' has 2 open", "multiplier 50", "cannot become 5", "close it first"],
    ),
    (
        refusals.LongOnly("X", Decimal("1.50")),
        {"symbol": "X", "open_quantity": "1.5"},
        ["'X' has 1.5 open", "long-only", "sell at most that"],
    ),
    (
        refusals.PortfolioExists("p9", "lot_method"),
        {"field": "lot_method"},
        ["'p9' exists with another lot_method", "another portfolio_id, or UpdatePortfolio"],
    ),
    (
        refusals.PortfolioInUse("p9", "lot_method"),
        {"field": "lot_method"},
        ["'p9' has records", "fixed its lot_method", "create another portfolio"],
    ),
    (refusals.PortfolioClosed("p9"), {"portfolio_id": "p9"}, ["'p9' is closed", "use another"]),
    (
        refusals.PortfolioNotEmpty("p9", "X"),
        {"symbol": "X"},
        ["'p9' has open lots of 'X'", "close them before the portfolio"],
    ),
    (refusals.PortfolioNotFound("p9"), {}, ["'p9'", "the first entry or fill recorded in it makes it"]),
    (
        refusals.FillNotFound("X", "f1", " alone"),
        {"fill_id": "f1"},
        ["'X' has no execution 'f1' alone", "ListEntries and ListClosedTrades"],
    ),
    (
        refusals.FillBusted("f1", 7),
        {"fill_id": "f1", "sequence": "7"},
        ["'f1' was busted already", "under its own id"],
    ),
    (
        refusals.LaterCommandRefused(7, "f1", refusals.InsufficientQuantity("X", Decimal(1), Decimal(5))),
        {"sequence": "7", "fill_id": "f1", "reason": "INSUFFICIENT_QUANTITY"},
        ["record 7 (fill 'f1') would have been refused", "fewer than the 5", "correct that one first"],
    ),
    (refusals.TradeNotFound("T7.0"), {"trade_id": "T7.0"}, ["no closed trade 'T7.0'"]),
    (
        refusals.InstrumentNotFound("X"),
        {"symbol": "X"},
        ["no instrument 'X'", "its first entry or fill makes it, or DefineInstrument"],
    ),
    (
        refusals.SymbolFrozen("p", "X", "D7.0"),
        {"portfolio_id": "p", "symbol": "X", "discrepancy_id": "D7.0"},
        ["'X' in 'p' is frozen", "D7.0", "close what is open, or resolve"],
    ),
    (
        refusals.PortfolioHalted("p", "D7.0"),
        {"portfolio_id": "p", "discrepancy_id": "D7.0"},
        ["'p' is halted", "D7.0", "ResolveDiscrepancy"],
    ),
    (
        refusals.DiscrepancyNotFound("D7.0"),
        {"discrepancy_id": "D7.0"},
        ["no discrepancy 'D7.0'", "ListDiscrepancies"],
    ),
    (
        refusals.DiscrepancyNotOpen("D7.0", "GONE"),
        {"discrepancy_id": "D7.0", "state": "GONE"},
        ["'D7.0' is GONE, not OPEN", "reconcile again"],
    ),
    (
        refusals.ReconciliationNotFound("R7"),
        {"reconciliation_id": "R7"},
        ["no reconciliation 'R7'", "ListReconciliations"],
    ),
    (refusals.ResolutionNotFound("S7.0"), {"resolution_id": "S7.0"}, ["no resolution 'S7.0' to take back"]),
    (
        refusals.TradingModeMismatch("p", "PAPER", "LIVE"),
        {"portfolio_id": "p"},
        ["'p' is PAPER, not LIVE", "portfolios of one mode"],
    ),
    (
        refusals.SequenceAhead("after_sequence", 9, 7),
        {"latest_sequence": "7"},
        ["after_sequence 9", "at 7", "restored from a backup"],
    ),
    (
        refusals.LedgerReplaced("mine", "ours"),
        {"ledger_id": "ours"},
        ["'mine'", "ours", "start again without after_sequence"],
    ),
    (refusals.TooManyStreams(2), {}, ["2 streams", "raise max_streams"]),
    (refusals.TooManyStreams(2, of_caller=True), {}, ["2 streams", "on this connection", "max_streams_per_caller"]),
    (refusals.WriteQueueFull(100, 0.05), {}, ["100 commands", "retry with the same ids in 0.05 s"]),
    (refusals.StorageUnavailable("it is locked"), {}, ["it is locked", "retry with the same ids"]),
    (
        refusals.DiskFull(),
        {},
        ["disk is full", "reads and streams go on", "free some space", "retry with the same ids"],
    ),
    (refusals.Fenced(), {}, ["FENCED", "another server", "connect to the other"]),
    (
        refusals.BrokerUnavailable("it answered 503", "alpaca-1"),
        {},
        ["'alpaca-1'", "it answered 503", "nothing was compared"],
    ),
    (
        refusals.BrokerAccountNotFound("alpaca-1"),
        {"broker_account": "alpaca-1"},
        ["'alpaca-1'", "[accounts.NAME]", "bring a statement"],
    ),
    (
        refusals.SymbolFrozen("swing", "BTC", "D7.0"),
        {"portfolio_id": "swing", "symbol": "BTC", "discrepancy_id": "D7.0"},
        ["'BTC' in 'swing' is frozen", "D7.0", "ResolveDiscrepancy"],
    ),
    (
        refusals.PortfolioHalted("swing", "D7.0"),
        {"portfolio_id": "swing", "discrepancy_id": "D7.0"},
        ["'swing' is halted", "D7.0", "ResolveDiscrepancy"],
    ),
    (refusals.DiscrepancyNotFound("D7.0"), {"discrepancy_id": "D7.0"}, ["'D7.0'", "ListDiscrepancies"]),
    (
        refusals.DiscrepancyNotOpen("D7.0", "GONE"),
        {"discrepancy_id": "D7.0", "state": "GONE"},
        ["'D7.0' is GONE, not OPEN", "reconcile again"],
    ),
    (refusals.ReconciliationNotFound("R7"), {"reconciliation_id": "R7"}, ["'R7'", "ListReconciliations"]),
    (refusals.ResolutionNotFound("S7.0"), {"resolution_id": "S7.0"}, ["'S7.0'", "ListDiscrepancies"]),
    (
        refusals.TradingModeMismatch("swing", "PAPER", "LIVE"),
        {"portfolio_id": "swing"},
        ["'swing' is PAPER, not LIVE", "portfolios of one mode"],
    ),
    (refusals.ServerDraining(), {}, ["shutting down", "retry with the same ids"]),
    (refusals.LedgerCorrupt("lot 3 is missing"), {}, ["lot 3 is missing", "writes are stopped", "lotkeeper verify"]),
    (refusals.NotYetImplemented("orders"), {"feature": "orders"}, ["orders is not implemented"]),
    (refusals.InternalError(), {}, ["log has the trace", "a retry with the same ids is safe"]),
]


@pytest.mark.parametrize(
    ("refusal", "metadata", "words"), REFUSALS, ids=[type(refusal).__name__ for refusal, _, _ in REFUSALS]
)
def test_a_refusal_says_what_was_wrong_and_what_to_do(
    refusal: Refusal, metadata: dict[str, str], words: list[str]
) -> None:
    """In words for a person and in metadata for a program."""
    assert refusal.metadata == metadata
    assert str(refusal) == refusal.message
    for word in words:
        assert word in refusal.message


def test_every_refusal_stands_in_the_tree_of_the_module_and_in_this_table() -> None:
    """The tree is the table of contents; none is forgotten here."""
    classes = {refusal.__name__ for refusal in Refusal.__subclasses__()}
    drawn = set(re.findall(r"[├└]── (\w+)", refusals.__doc__ or ""))

    assert drawn == classes == {type(refusal).__name__ for refusal, _, _ in REFUSALS}


def test_every_refusal_is_a_reason_of_the_contract_under_its_own_name() -> None:
    """A correction that is refused names the reason of the command that stands in its way."""
    contract = (Path(__file__).parents[2] / "protos" / "lotkeeper" / "v1" / "error_reason.proto").read_text()
    reasons = set(re.findall(r"ERROR_REASON_(\w+) = ", contract))

    assert {refusals.reason_of(refusal) for refusal, _, _ in REFUSALS} <= reasons


def test_a_refused_correction_of_a_record_without_an_id_names_its_sequence() -> None:
    """A split, or a fill that came without one."""
    refusal = refusals.LaterCommandRefused(7, "", refusals.NoOpenPosition("X", ""))

    assert "record 7 would have been refused" in refusal.message


def test_every_broken_field_is_counted_and_the_first_is_in_the_message() -> None:
    """The rest travels in the details."""
    violations = [Violation("quantity", "is empty"), Violation("fee", "'x' is not a decimal"), Violation("side", "?")]

    refusal = refusals.FieldViolations(violations)

    assert refusal.message == "quantity: is empty (and 2 more)"
    assert refusal.violations == violations


def test_fields_that_are_not_listed_are_counted_too() -> None:
    """A request may have more broken fields than the details hold."""
    violations = [Violation("quantity", "is empty"), Violation("fee", "?")]

    assert refusals.FieldViolations(violations, 40).message == "quantity: is empty (and 39 more)"
    assert refusals.FieldViolations(violations[:1], 1).message == "quantity: is empty"


@pytest.mark.parametrize("refusal", [refusal for refusal, _, _ in REFUSALS], ids=lambda refusal: type(refusal).__name__)
def test_the_same_refusal_for_another_caller_says_the_same_and_keeps_nobodys_frames(refusal: Refusal) -> None:
    """One that was raised holds the frames of its caller."""
    with pytest.raises(type(refusal)) as raised:
        raise refusal

    again = raised.value.again()

    assert type(again) is type(refusal)
    assert (str(again), vars(again)) == (str(refusal), vars(refusal))
    assert (again.__traceback__, again.__context__, again.__cause__) == (None, None, None)


def test_the_wait_before_a_retry_is_in_seconds() -> None:
    """For RetryInfo."""
    assert refusals.WriteQueueFull(100, 0.05).retry_after == 0.05


def test_a_long_value_is_cut_before_it_stands_in_a_message() -> None:
    """A caller's value is repeated, but not at any length."""
    assert shown("x" * SHOWN) == repr("x" * SHOWN)
    assert shown("x" * (SHOWN + 1)) == repr("x" * SHOWN + "…")
    assert shown("a'b\n") == repr("a'b\n")
