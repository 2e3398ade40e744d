"""Messages as a server sends them: every number set, and what a test cares about named by the test."""

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker
from grpc_status import rpc_status

from lotkeeper.v1 import (
    explain_service_pb2,
    instrument_service_pb2,
    ledger_pb2,
    ledger_service_pb2,
    portfolio_service_pb2,
)

LEDGER_ID = "ledger-1"
NOON = 1_700_000_000_123_456_789  # nanoseconds


def stamp(nanoseconds: int = NOON) -> Timestamp:
    """A Timestamp."""
    return Timestamp(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)


def entry(sequence: int = 1, symbol: str = "BTC-USD", entry_id: str = "") -> ledger_pb2.Entry:
    """A long lot of 2 at 100.5."""
    return ledger_pb2.Entry(
        entry_id=entry_id or f"e{sequence}",
        portfolio_id="p",
        symbol=symbol,
        side=ledger_pb2.POSITION_SIDE_LONG,
        quantity="2",
        remaining_quantity="2",
        entry_price="100.5",
        entry_time=stamp(),
        entry_fill_id=f"f{sequence}",
        fee="0.1",
        fee_currency="USD",
        open_fee="0.1",
        status=ledger_pb2.ENTRY_STATUS_OPEN,
        labels={"strategy": "s"},
        sequence=sequence,
    )


def closed_trade(sequence: int = 2, index: int = 0) -> ledger_pb2.ClosedTrade:
    """One unit closed with a gain of 1."""
    return ledger_pb2.ClosedTrade(
        trade_id=f"t{sequence}-{index}",
        portfolio_id="p",
        symbol="BTC-USD",
        side=ledger_pb2.POSITION_SIDE_LONG,
        entry_id="e1",
        quantity="1",
        entry_price="100.5",
        exit_price="101.5",
        entry_time=stamp(),
        exit_time=stamp(NOON + 1),
        gross_pnl="1",
        entry_fee="0.05",
        exit_fee="-0.01",
        net_pnl="0.96",
        currency="USD",
        sequence=sequence,
        index=index,
    )


def position(symbol: str = "BTC-USD") -> ledger_pb2.Position:
    """Two long, without a mark."""
    return ledger_pb2.Position(
        portfolio_id="p",
        symbol=symbol,
        side=ledger_pb2.POSITION_SIDE_LONG,
        total_quantity="2",
        average_entry_price="100.5",
        cost_basis="201",
        gross_realized_pnl="0",
        realized_fees="0",
        net_realized_pnl="0",
        open_fees="0.1",
        open_entry_count=1,
        first_entry_time=stamp(),
        last_entry_time=stamp(),
        currency="USD",
        sequence=1,
    )


def totals(realized: str = "0") -> ledger_pb2.Totals:
    """Sums in USD with nothing priced."""
    return ledger_pb2.Totals(
        currency="USD",
        gross_realized_pnl=realized,
        realized_fees="0",
        net_realized_pnl=realized,
        unpriced_symbols=["BTC-USD"],
        unpriced_count=1,
    )


def base_totals() -> ledger_pb2.BaseTotals:
    """Everything in USD, with euros at 1.1 and a coin that has no rate."""
    rate = ledger_pb2.ConversionRate(
        from_currency="EUR", to_currency="USD", rate="1.1", rate_time=stamp(), source="api"
    )
    return ledger_pb2.BaseTotals(
        currency="USD",
        gross_realized_pnl="1",
        fees="0.2",
        funding="-0.3",
        interest="0",
        dividends="0.4",
        total_value="1000.5",
        rates=[rate],
        unconverted_currencies=["XYZ"],
    )


def group_pnl() -> ledger_pb2.GroupPnL:
    """A put spread sold for 780, one contract."""
    leg = ledger_pb2.GroupLeg(
        symbol="P1",
        side=ledger_pb2.POSITION_SIDE_SHORT,
        opened_quantity="1",
        open_quantity="1",
        entry_credit="2100",
        gross_realized_pnl="0",
        unrealized_pnl="-5",
    )
    return ledger_pb2.GroupPnL(
        portfolio_id="p",
        group_id="g1",
        currency="USD",
        entry_credit="780",
        entry_credit_per_contract="780",
        contracts="1",
        gross_realized_pnl="0",
        realized_fees="0",
        open_entry_count=2,
        legs=[leg],
        sequence=2,
        leg_count=1,
    )


def restated(
    before: ledger_pb2.ClosedTrade | None = None, after: ledger_pb2.ClosedTrade | None = None
) -> ledger_pb2.RestatedTrade:
    """What became of one trade."""
    return ledger_pb2.RestatedTrade(before=before, after=after)


def portfolio(portfolio_id: str = "p") -> portfolio_service_pb2.Portfolio:
    """A hedging portfolio in USD."""
    return portfolio_service_pb2.Portfolio(
        portfolio_id=portfolio_id,
        base_currency="USD",
        initial_cash=[ledger_pb2.Money(currency="USD", amount="1000")],
        position_mode=portfolio_service_pb2.POSITION_MODE_HEDGING,
        trading_mode=portfolio_service_pb2.TRADING_MODE_PAPER,
        lot_method=ledger_pb2.LOT_METHOD_FIFO,
        time_zone="America/New_York",
        create_time=stamp(),
        sequence=1,
    )


def instrument(symbol: str = "SPY251219P00400000") -> instrument_service_pb2.Instrument:
    """A put that nobody had to declare."""
    return instrument_service_pb2.Instrument(
        symbol=symbol,
        kind=instrument_service_pb2.INSTRUMENT_KIND_OPTION,
        multiplier="100",
        quote_currency="USD",
        settlement_currency="USD",
        underlying="SPY",
        expiry="2025-12-19",
        strike="400",
        right=instrument_service_pb2.OPTION_RIGHT_PUT,
    )


def explain_line(sequence: int = 1) -> explain_service_pb2.ExplainLine:
    """The execution that opened two at 100.5."""
    return explain_service_pb2.ExplainLine(
        sequence=sequence,
        kind=explain_service_pb2.RECORD_KIND_FILL,
        fill_time=stamp(),
        record_time=stamp(NOON + 1),
        fill_id=f"f{sequence}",
        side=ledger_pb2.SIDE_BUY,
        quantity="2",
        price="100.5",
        fee=ledger_pb2.Money(currency="BNB", amount="0.001"),
        quantity_change="2",
        cost_change="201",
        gross_pnl_change="0",
        fees_change="0",
        open_fees_change="0.1",
        explanation="opened 2 at 100.5",
    )


def message(
    sequence: int,
    event: ledger_service_pb2.PnLSnapshot | ledger_service_pb2.PnLUpdate | None = None,
    ledger_id: str = LEDGER_ID,
) -> ledger_service_pb2.StreamPnLResponse:
    """One message of the stream; a heartbeat without an ``event``."""
    answer = ledger_service_pb2.StreamPnLResponse(sequence=sequence, ledger_id=ledger_id, emit_time=stamp())
    if isinstance(event, ledger_service_pb2.PnLSnapshot):
        answer.snapshot.CopyFrom(event)
    elif event is not None:
        answer.update.CopyFrom(event)
    else:
        answer.heartbeat.SetInParent()
    return answer


def snapshot(sequence: int, *symbols: str, more: bool = False) -> ledger_service_pb2.StreamPnLResponse:
    """A snapshot, or with ``more`` a part of one."""
    return message(sequence, ledger_service_pb2.PnLSnapshot(positions=map(position, symbols), more=more))


def update(
    sequence: int, *facts: ledger_pb2.ClosedTrade | ledger_pb2.Entry | ledger_pb2.RestatedTrade
) -> ledger_service_pb2.StreamPnLResponse:
    """An update that carries facts."""
    return message(
        sequence,
        ledger_service_pb2.PnLUpdate(
            closed_trades=[fact for fact in facts if isinstance(fact, ledger_pb2.ClosedTrade)],
            opened_entries=[fact for fact in facts if isinstance(fact, ledger_pb2.Entry)],
            restated_trades=[fact for fact in facts if isinstance(fact, ledger_pb2.RestatedTrade)],
        ),
    )


def trailing_metadata(code: grpc.StatusCode, words: str, *details: Message) -> tuple[tuple[str, str | bytes], ...]:
    """What a server sends with a status that has details, written by gRPC's own helper for servers."""
    status = status_pb2.Status(code=code.value[0], message=words)
    for detail in details:
        status.details.add().Pack(detail)
    return tuple(rpc_status.to_status(status).trailing_metadata)


def failed(code: grpc.StatusCode, words: str = "", *details: Message) -> grpc.aio.AioRpcError:
    """A call that failed, as gRPC raises it."""
    metadata = grpc.aio.Metadata(*trailing_metadata(code, words, *details))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), metadata, words)
