"""Messages as a server sends them: every number set, and what a test cares about named by the test."""

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker
from grpc_status import rpc_status

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2

LEDGER_ID = "ledger-1"
NOON = 1_700_000_000_123_456_789  # nanoseconds


def stamp(nanoseconds: int = NOON) -> Timestamp:
    """A Timestamp."""
    return Timestamp(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)


def entry(sequence: int = 1, symbol: str = "BTC-PERP") -> ledger_pb2.Entry:
    """A long lot of 2 at 100.5."""
    return ledger_pb2.Entry(
        entry_id=f"e{sequence}",
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
        symbol="BTC-PERP",
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


def position(symbol: str = "BTC-PERP") -> ledger_pb2.Position:
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
        unpriced_symbols=["BTC-PERP"],
        unpriced_count=1,
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


def update(sequence: int, *facts: ledger_pb2.ClosedTrade | ledger_pb2.Entry) -> ledger_service_pb2.StreamPnLResponse:
    """An update that carries facts."""
    return message(
        sequence,
        ledger_service_pb2.PnLUpdate(
            closed_trades=[fact for fact in facts if isinstance(fact, ledger_pb2.ClosedTrade)],
            opened_entries=[fact for fact in facts if isinstance(fact, ledger_pb2.Entry)],
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
