"""Groups: legs that were opened with one group_id have one P&L, and each stays closable by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from lotkeeper.v1.event_service_pb2_grpc import EventServiceStub
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract import reading
from tests.contract.asking import LONG, SELL, SHORT, close, entry, fill, fresh, marks, summary
from tests.contract.grouping import group, groups, recounted, told
from tests.contract.happening import HEDGING, INVERSE, PERPETUAL, bust, correct, create, define, event
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Stub = Any
"""A generated stub; gRPC writes no types for it."""

MESSAGE_BYTES = 1 << 20


class Condor(NamedTuple):
    """The four options of an iron condor on one underlying."""

    long_put: str
    short_put: str
    short_call: str
    long_call: str


@pytest.fixture
def condor(symbol: str) -> Condor:
    """Of an underlying that no other test trades: long put 90, short put 95, short call 105, long call 110."""
    root = "".join(chr(ord("A") + int(digit)) for digit in symbol[1:])
    strikes = (("P", 90), ("P", 95), ("C", 105), ("C", 110))
    return Condor(*(f"Q{root}260116{right}{strike * 1000:08}" for right, strike in strikes))


def opened(ledger: Stub, portfolio: str, condor: Condor, quantity: str = "2") -> list[Any]:
    """Four entries with one group_id: 1.10 paid, 2.30 and 2.10 received, 0.90 paid; each with a fee of 1.30."""
    legs = ((LONG, "1.10"), (SHORT, "2.30"), (SHORT, "2.10"), (LONG, "0.90"))
    return [
        ledger.CreateEntry(
            entry(portfolio, symbol, quantity, price, side=side, group_id="condor", fee="1.3", entry_fill_id=fresh("f"))
        )
        for symbol, (side, price) in zip(condor, legs, strict=True)
    ]


def agrees(ledger: Stub, portfolio: str) -> None:
    """Every group equals its recount, open ones are all there, and no other is."""
    counted = recounted(ledger, portfolio)
    shown = {name: told(one) for name, one in groups(ledger, portfolio, *counted).items()}
    assert shown == counted
    assert groups(ledger, portfolio).keys() == {name for name, one in counted.items() if one.open_entries}


def test_a_spread_has_one_entry_credit_per_contract(ledger: Stub, portfolio: str, condor: Condor) -> None:
    """Long put at 13.20, short put at 21.00, one contract of 100 each: a credit of 780, and nothing known without marks."""
    ledger.CreateEntry(entry(portfolio, condor.long_put, "1", "13.20", group_id="spread"))
    last = ledger.CreateEntry(entry(portfolio, condor.short_put, "1", "21", side=SHORT, group_id="spread"))
    spread = group(ledger, portfolio, "spread")
    assert (spread.entry_credit, spread.entry_credit_per_contract, spread.contracts) == ("780", "780", "1")
    assert (spread.currency, spread.open_entry_count, spread.sequence) == ("USD", 2, last.sequence)
    assert [(leg.symbol, leg.side, leg.entry_credit) for leg in spread.legs] == [
        (condor.long_put, LONG, "-1320"),
        (condor.short_put, SHORT, "2100"),
    ]
    assert not spread.HasField("unrealized_pnl")
    assert not spread.HasField("pnl_per_contract")


def test_an_iron_condor_is_valued_leg_by_leg(ledger: Stub, market: Stub, portfolio: str, condor: Condor) -> None:
    """Credit 2.40 x 100 x 2; unrealized is known once every leg has a mark, and is the legs' together."""
    opened(ledger, portfolio, condor)
    market.SetMarks(marks((condor.long_put, "0.80"), (condor.short_put, "1.70"), (condor.short_call, "1.60")))
    one = group(ledger, portfolio, "condor")
    assert (one.entry_credit, one.entry_credit_per_contract, one.contracts) == ("480", "240", "2")
    assert [leg.HasField("unrealized_pnl") for leg in one.legs] == [True, False, True, True]
    assert not one.HasField("unrealized_pnl")
    market.SetMarks(marks((condor.long_call, "0.60")))
    one = group(ledger, portfolio, "condor")
    # Puts -0.30 and +0.60, calls +0.50 and -0.30: 0.50 x 200. Nothing is realized: fees of what is open are not, either.
    assert (one.unrealized_pnl, one.pnl_per_contract, one.realized_fees) == ("100", "50", "0")
    agrees(ledger, portfolio)


def test_one_leg_is_closed_one_expires_one_is_assigned(
    ledger: Stub, market: Stub, events: Stub, portfolio: str, condor: Condor
) -> None:
    """Each by its own means; the group keeps the sum, and is gone from the open ones when the last leg is."""
    opened(ledger, portfolio, condor)
    market.SetMarks(marks(*((symbol, "1") for symbol in condor)))
    ledger.CloseFifo(close(portfolio, condor.short_put, "1", "1.20", fee="0.65"))
    one = group(ledger, portfolio, "condor")
    assert (one.gross_realized_pnl, one.realized_fees, one.open_entry_count) == ("110", "1.3", 4)
    assert {leg.symbol: leg.open_quantity for leg in one.legs}[condor.short_put] == "1"
    agrees(ledger, portfolio)
    events.RecordEvent(event(portfolio, "expiry", symbol=condor.long_put))
    one = group(ledger, portfolio, "condor")
    assert (one.gross_realized_pnl, one.open_entry_count) == ("-110", 3)
    assert {leg.symbol: leg.unrealized_pnl for leg in one.legs}[condor.long_put] == "0"
    events.RecordEvent(event(portfolio, "assignment", symbol=condor.short_call))
    one = group(ledger, portfolio, "condor")
    assert (one.gross_realized_pnl, one.contracts, one.open_entry_count) == ("310", "2", 2)
    agrees(ledger, portfolio)
    ledger.CloseFifo(close(portfolio, condor.short_put, "1", "1.20"))
    assert groups(ledger, portfolio).keys() == {"condor"}
    ledger.CloseFifo(close(portfolio, condor.long_call, "2", "0.50"))
    assert groups(ledger, portfolio) == {}
    done = group(ledger, portfolio, "condor")
    assert (done.gross_realized_pnl, done.unrealized_pnl, done.open_entry_count) == ("340", "0", 0)
    assert done.pnl_per_contract == "167.075"  # 340 less fees of 4 x 1.3 + 0.65, by 2
    agrees(ledger, portfolio)


def test_legs_of_unequal_quantity_have_no_figure_per_contract(
    ledger: Stub, market: Stub, portfolio: str, condor: Condor
) -> None:
    """A ratio spread is summed; per contract means nothing for it, until it is made even."""
    market.SetMarks(marks(*((symbol, "1") for symbol in condor)))
    ledger.CreateEntry(entry(portfolio, condor.long_call, "1", "4", group_id="ratio"))
    ledger.CreateEntry(entry(portfolio, condor.short_call, "2", "3", side=SHORT, group_id="ratio"))
    one = group(ledger, portfolio, "ratio")
    assert (one.entry_credit, one.unrealized_pnl) == ("200", "100")
    assert not any(map(one.HasField, ("contracts", "entry_credit_per_contract", "pnl_per_contract")))
    ledger.CreateEntry(entry(portfolio, condor.long_call, "1", "4", group_id="ratio"))
    one = group(ledger, portfolio, "ratio")
    assert (one.entry_credit_per_contract, one.contracts, one.pnl_per_contract) == ("-100", "2", "-100")
    agrees(ledger, portfolio)


def test_groups_of_one_symbol_are_kept_apart(ledger: Stub, market: Stub, portfolio: str, symbol: str) -> None:
    """Lots of two groups and of none in one book: a close takes the oldest, whosever it is."""
    market.SetMarks(marks((symbol, "103")))
    for name, quantity in (("a", "2"), ("", "1"), ("b", "3"), ("a", "1")):
        ledger.CreateEntry(entry(portfolio, symbol, quantity, group_id=name))
    ledger.CloseFifo(close(portfolio, symbol, "4", "110", fee="0.4"))
    shown = groups(ledger, portfolio)
    assert [(name, one.gross_realized_pnl, one.unrealized_pnl) for name, one in sorted(shown.items())] == [
        ("a", "20", "3"),
        ("b", "10", "6"),
    ]
    agrees(ledger, portfolio)


def test_a_flip_opens_the_rest_in_its_group(ledger: Stub, market: Stub, portfolio: str, symbol: str) -> None:
    """RecordFill closes what one group holds and opens the rest in another one, on the other side."""
    market.SetMarks(marks((symbol, "100")))
    ledger.CreateEntry(entry(portfolio, symbol, "1", group_id="a"))
    ledger.RecordFill(fill(portfolio, symbol, "3", "110", side=SELL, group_id="b", fee="0.3"))
    shown = groups(ledger, portfolio, "a")
    assert (shown["a"].gross_realized_pnl, shown["a"].open_entry_count) == ("10", 0)
    assert (shown["b"].entry_credit, shown["b"].unrealized_pnl) == ("220", "20")
    agrees(ledger, portfolio)


def test_a_group_that_closed_may_be_opened_again(ledger: Stub, portfolio: str, symbol: str) -> None:
    """What it made before stays in it."""
    for price in ("100", "90"):
        ledger.CreateEntry(entry(portfolio, symbol, "1", price, group_id="again"))
        ledger.CloseFifo(close(portfolio, symbol))
    ledger.CreateEntry(entry(portfolio, symbol, "2", "80", group_id="again"))
    one = group(ledger, portfolio, "again")
    assert (one.gross_realized_pnl, one.entry_credit, one.open_entry_count) == ("30", "-350", 1)
    agrees(ledger, portfolio)


def test_a_busted_leg_was_never_there(ledger: Stub, market: Stub, events: Stub, portfolio: str, condor: Condor) -> None:
    """Neither its credit nor its trades count, nor does it spoil the figures per contract."""
    market.SetMarks(marks(*((symbol, "1") for symbol in condor)))
    entries = opened(ledger, portfolio, condor)
    extra = ledger.CreateEntry(entry(portfolio, condor.long_put, "5", "3", group_id="condor", entry_fill_id="extra"))
    ledger.CloseFifo(close(portfolio, condor.long_put, "3", "2", exit_fill_id="out"))
    assert not group(ledger, portfolio, "condor").HasField("contracts")
    events.BustFill(bust(portfolio, condor.long_put, "out"))
    busted = events.BustFill(bust(portfolio, condor.long_put, "extra"))
    one = group(ledger, portfolio, "condor")
    assert (one.entry_credit, one.contracts, one.gross_realized_pnl) == ("480", "2", "0")
    assert (one.sequence, one.open_entry_count) == (busted.sequence, 4)
    assert extra.entry.sequence < one.sequence
    agrees(ledger, portfolio)
    for symbol, answer in zip(condor, entries, strict=True):
        events.BustFill(bust(portfolio, symbol, answer.entry.entry_fill_id))
    gone = group(ledger, portfolio, "condor")
    assert (gone.entry_credit, gone.leg_count, gone.open_entry_count, gone.unrealized_pnl) == ("0", 0, 0, "0")
    assert groups(ledger, portfolio) == {}


def test_a_corrected_price_corrects_the_group(ledger: Stub, events: Stub, portfolio: str, condor: Condor) -> None:
    """The credit of an open leg, and what a closed one made."""
    entries = opened(ledger, portfolio, condor)
    ledger.CloseFifo(close(portfolio, condor.long_call, "2", "1"))
    assert group(ledger, portfolio, "condor").gross_realized_pnl == "20"
    for place, price in ((1, "2.40"), (3, "0.80")):
        events.CorrectFill(correct(portfolio, condor[place], entries[place].entry.entry_fill_id, price=price))
    one = group(ledger, portfolio, "condor")
    assert (one.entry_credit_per_contract, one.gross_realized_pnl) == ("260", "40")
    agrees(ledger, portfolio)


def test_a_busted_exit_opens_the_group_again(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """It is among the open ones again, with what was open of it."""
    ledger.CreateEntry(entry(portfolio, symbol, "2", group_id="a"))
    ledger.CloseFifo(close(portfolio, symbol, "2", exit_fill_id="out"))
    assert groups(ledger, portfolio) == {}
    events.BustFill(bust(portfolio, symbol, "out"))
    assert groups(ledger, portfolio)["a"].gross_realized_pnl == "0"
    agrees(ledger, portfolio)


def test_a_group_follows_its_lots_through_splits_and_new_symbols(
    ledger: Stub, market: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """One leg, under the name that its entries have now: what it made under the old one stays in it."""
    ledger.CreateEntry(entry(portfolio, symbol, "3", "100", group_id="a"))
    ledger.CloseFifo(close(portfolio, symbol, "1", "110"))
    events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=3, denominator=1))
    agrees(ledger, portfolio)
    renamed = f"{symbol}.B"
    events.RecordEvent(event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=renamed))
    market.SetMarks(marks((symbol, "1"), (renamed, "40")))
    (leg,) = group(ledger, portfolio, "a").legs
    assert (leg.symbol, leg.opened_quantity, leg.gross_realized_pnl) == (renamed, "6", "10")
    assert leg.unrealized_pnl == "40"
    ledger.CloseFifo(close(portfolio, renamed, "2", "50"))
    assert group(ledger, portfolio, "a").open_entry_count == 1
    agrees(ledger, portfolio)


def test_a_hedging_portfolio_has_both_sides_in_one_group(
    ledger: Stub, market: Stub, portfolios: Stub, portfolio: str, symbol: str
) -> None:
    """Two legs of one symbol, each valued by itself."""
    portfolios.CreatePortfolio(create(portfolio, position_mode=HEDGING))
    market.SetMarks(marks((symbol, "105")))
    ledger.CreateEntry(entry(portfolio, symbol, "1", "100", group_id="a"))
    ledger.CreateEntry(entry(portfolio, symbol, "1", "102", side=SHORT, group_id="a"))
    one = group(ledger, portfolio, "a")
    assert {leg.side: leg.unrealized_pnl for leg in one.legs} == {LONG: "5", SHORT: "-3"}
    assert (one.entry_credit_per_contract, one.unrealized_pnl) == ("2", "2")
    ledger.CloseFifo(close(portfolio, symbol, "1", "105", side=SHORT))
    one = group(ledger, portfolio, "a")
    assert (one.gross_realized_pnl, one.unrealized_pnl, one.open_entry_count) == ("-3", "5", 1)


def test_legs_in_several_currencies_have_figures_in_each(
    ledger: Stub, market: Stub, instruments: Stub, portfolio: str, symbol: str
) -> None:
    """Nothing is added up across currencies; an inverse contract is counted in its base coin."""
    linear, inverse = f"{symbol}-PERP", f"{symbol}-INV"
    instruments.DefineInstrument(
        define(linear, PERPETUAL, multiplier="1", quote_currency="USDT", settlement_currency="USDT")
    )
    instruments.DefineInstrument(
        define(inverse, INVERSE, multiplier="100", base_currency="BTC", quote_currency="USD", settlement_currency="BTC")
    )
    ledger.CreateEntry(entry(portfolio, linear, "2", "50", group_id="basis"))
    ledger.CreateEntry(entry(portfolio, inverse, "5", "50", side=SHORT, group_id="basis"))
    market.SetMarks(marks((linear, "55"), (inverse, "40")))
    found = ledger.GetSummary(summary(portfolio, group_ids=["basis"])).groups
    assert [(one.currency, one.entry_credit, one.unrealized_pnl) for one in found] == [
        ("BTC", "10", "2.5"),  # a short of 500 USD: worth 10 coins at 50, 12.5 at 40
        ("USDT", "-100", "10"),
    ]


def test_by_average_a_group_has_its_part_of_the_pool(
    ledger: Stub, market: Stub, portfolios: Stub, portfolio: str, symbol: str
) -> None:
    """Its lots are carried at what all lots cost on average; what was paid for them is its credit still."""
    portfolios.CreatePortfolio(create(portfolio, lot_method="LOT_METHOD_AVERAGE"))
    market.SetMarks(marks((symbol, "130")))
    ledger.CreateEntry(entry(portfolio, symbol, "1", "100", group_id="a"))
    ledger.CreateEntry(entry(portfolio, symbol, "3", "120"))
    one = group(ledger, portfolio, "a")
    assert (one.entry_credit, one.unrealized_pnl) == ("-100", "15")
    ledger.CreateEntry(entry(portfolio, symbol, "1", "140"))
    assert group(ledger, portfolio, "a").unrealized_pnl == "10"
    ledger.CloseFifo(close(portfolio, symbol, "1", "125"))
    assert group(ledger, portfolio, "a").gross_realized_pnl == "5"


def test_groups_are_shown_when_asked_for(ledger: Stub, portfolio: str, symbol: str) -> None:
    """Open ones on request, named ones open or not, unknown ones not at all; whatever symbols are named; by group_id."""
    for name in ("b", "a", "c"):
        ledger.CreateEntry(entry(portfolio, symbol, group_id=name))
    ledger.CloseFifo(close(portfolio, symbol, "1"))

    def shown(**wanted: Any) -> list[str]:
        return [one.group_id for one in ledger.GetSummary(summary(portfolio, **wanted)).groups]

    assert shown() == []
    assert shown(include_groups=True) == ["a", "c"]
    assert shown(include_groups=True, symbols=["another"]) == ["a", "c"]
    assert shown(group_ids=["c", "b", "never", "", "c"]) == ["b", "c"]
    assert shown(include_groups=True, group_ids=["b"]) == ["a", "b", "c"]


def test_groups_of_another_portfolio_are_another_matter(ledger: Stub, portfolio: str, symbol: str) -> None:
    """The same group_id names two groups."""
    ledger.CreateEntry(entry(portfolio, symbol, "1", group_id="a"))
    ledger.CreateEntry(entry(f"{portfolio}b", symbol, "7", group_id="a"))
    assert group(ledger, portfolio, "a").contracts == "1"
    assert group(ledger, f"{portfolio}b", "a").contracts == "7"


def test_groups_are_told_as_they_are_now(ledger: Stub, portfolio: str, symbol: str) -> None:
    """A past state and a view have none, and say so of every field; so do ids that are too long or too many."""
    sequence = ledger.CreateEntry(entry(portfolio, symbol, group_id="a")).sequence
    past = summary(portfolio, as_of_sequence=sequence, include_groups=True, group_ids=["a"])
    assert refused(ledger.GetSummary, past).fields == ["include_groups", "group_ids"]
    long = summary(portfolio, group_ids=["a", "x" * 129])
    assert refused(ledger.GetSummary, long).fields == ["group_ids[1]"]
    many = summary(portfolio, group_ids=[f"g{number}" for number in range(1001)])
    assert refused(ledger.GetSummary, many).fields == ["group_ids"]


def test_groups_that_fill_a_message_go_on_before_the_positions(ledger: Stub, portfolio: str) -> None:
    """Each group and each position once, all of one sequence, no page over 1 MiB."""
    symbols = [f"{portfolio}-{number}-".ljust(64, "s") for number in range(60)]
    names = [f"{number:04}-{'g' * 120}" for number in range(1000)]
    for start in range(0, len(names), 50):
        futures = [
            ledger.CreateEntry.future(entry(portfolio, symbols[(start + place + leg) % 60], group_id=name))
            for place, name in enumerate(names[start : start + 50])
            for leg in range(12)
        ]
        assert all(future.result() for future in futures)
    pages, token = [], ""
    while True:
        pages.append(ledger.GetSummary(summary(portfolio, include_groups=True, page_size=40, page_token=token)))
        if not (token := pages[-1].next_page_token):
            break
    assert [one.group_id for page in pages for one in page.groups] == names
    assert [one.symbol for page in pages for one in page.positions] == sorted(symbols)
    assert len(pages[0].groups) < len(names)
    assert not pages[0].positions
    assert all(page.ByteSize() <= MESSAGE_BYTES for page in pages)
    assert len({page.sequence for page in pages}) == 1
    assert {one.entry_credit for page in pages for one in page.groups} == {"-1200"}


def test_a_group_of_many_legs_shows_the_first_hundred(ledger: Stub, portfolio: str) -> None:
    """And counts all of them."""
    symbols = [f"{portfolio}-{number:03}" for number in range(130)]
    futures = [ledger.CreateEntry.future(entry(portfolio, name, group_id="wide")) for name in symbols]
    assert all(future.result() for future in futures)
    wide = group(ledger, portfolio, "wide")
    assert [leg.symbol for leg in wide.legs] == symbols[:100]
    assert (wide.leg_count, wide.open_entry_count, wide.entry_credit) == (130, 130, "-13000")


def test_groups_are_the_same_after_a_restart(database_url: str, condor: Condor, symbol: str) -> None:
    """Marks are not kept, all else is; closed groups are found when they are named; and it goes on from there."""
    with Sidecar(database_url) as running:
        with dialed(running.address) as channel:
            ledger, events = LedgerServiceStub(channel), EventServiceStub(channel)
            opened(ledger, "p", condor)
            ledger.CreateEntry(entry("p", symbol, "1", group_id="closed"))
            ledger.CreateEntry(entry("p", symbol, "1", group_id="late"))
            ledger.CloseFifo(close("p", symbol, "1"))
            ledger.CloseFifo(close("p", condor.short_put, "1", "1.20", fee="0.65"))
            events.RecordEvent(event("p", "split", symbol=symbol, numerator=2, denominator=1))
            before = groups(ledger, "p", "closed")
        running.kill()
        running.restart()
        with dialed(running.address) as channel:
            ledger, market = LedgerServiceStub(channel), MarketServiceStub(channel)
            assert groups(ledger, "p", "closed") == before
            market.SetMarks(marks(*((name, "1") for name in (*condor, symbol))))
            ledger.CloseFifo(close("p", condor.short_put, "1", "1.10"))
            agrees(ledger, "p")
            assert Decimal(group(ledger, "p", "condor").gross_realized_pnl) == 230
            assert reading.position(ledger, "p", symbol).total_quantity == "2"
