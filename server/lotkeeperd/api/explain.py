"""ExplainService: the records that make a figure, summing to it exactly."""

from __future__ import annotations

from typing import Any

from lotkeeper.v1 import explain_service_pb2, ledger_pb2
from lotkeeperd.api.answers import MESSAGE_BYTES, Answers, fitting, rate_fields
from lotkeeperd.api.fields import NANOSECONDS, Fields
from lotkeeperd.api.ledger import Peer
from lotkeeperd.api.pages import PageTokens
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.explanations import Line, RecordKind
from lotkeeperd.domain.refusals import TradeNotFound
from lotkeeperd.service.explaining import PositionAsked
from lotkeeperd.service.ledger import Ledger

_explain = explain_service_pb2

ROOM = MESSAGE_BYTES - (1 << 16)
"""Of the lines of an answer, in bytes: a trade or a position stands beside them."""

DIGITS = 18
"""Of a number in a trade's id: more do not fit into 64 bits."""

_KINDS = {kind: _explain.RecordKind.Value(f"RECORD_KIND_{kind.value}") for kind in RecordKind}
_TRADED = {Direction.LONG: ledger_pb2.SIDE_BUY, Direction.SHORT: ledger_pb2.SIDE_SELL}
_SIDES = {
    ledger_pb2.POSITION_SIDE_UNSPECIFIED: None,
    ledger_pb2.POSITION_SIDE_LONG: Direction.LONG,
    ledger_pb2.POSITION_SIDE_SHORT: Direction.SHORT,
}


class ExplainServicer:
    """One method per RPC, named as in the contract."""

    def __init__(self, ledger: Ledger, answers: Answers) -> None:
        self._ledger = ledger
        self._answers = answers
        self._pages = PageTokens(ledger.ledger_id)

    async def ExplainTrade(  # noqa: N802
        self, request: _explain.ExplainTradeRequest, _peer: Peer
    ) -> _explain.ExplainTradeResponse:
        """The records behind one closed trade."""
        portfolio_id, sequence, index = _trade(request)
        told = await self._ledger.explanations.trade(portfolio_id, sequence, index)
        lines = fitting((_line(line) for line in told.lines), ROOM * 2 // 3)
        superseded = fitting((self._answers.trade(trade) for trade in told.superseded), ROOM // 3)
        return _explain.ExplainTradeResponse(
            trade=self._answers.trade(told.trade), lines=lines, superseded_trades=superseded
        )

    async def ExplainPosition(  # noqa: N802
        self, request: _explain.ExplainPositionRequest, _peer: Peer
    ) -> _explain.ExplainPositionResponse:
        """A page of the records behind one position."""
        asked, size = _position(request)
        until: int | None = None
        after = 0
        if request.page_token:
            until, after = self._pages.read(request.page_token, asked)
        told = await self._ledger.explanations.position(asked, until, after, size)
        lines = fitting((_line(line) for line in told.lines), ROOM)
        on = told.after if len(lines) == len(told.lines) else told.lines[len(lines) - 1].sequence
        return _explain.ExplainPositionResponse(
            position=self._answers.valued(told.key, told.position),
            lines=lines,
            sequence=told.sequence,
            next_page_token="" if on is None else self._pages.make(asked, told.sequence, on),
        )


def _trade(request: _explain.ExplainTradeRequest) -> tuple[str, int, int]:
    """The trade by the numbers in its id. Raises TradeNotFound for what is no id of ours."""
    fields = Fields()
    portfolio_id = fields.portfolio("portfolio_id", request.portfolio_id)
    fields.check()
    sequence, point, index = request.trade_id[1:].partition(".")
    if request.trade_id[:1] != "T" or not point or not (_is_number(sequence) and _is_number(index)):
        raise TradeNotFound(request.trade_id)
    return portfolio_id, int(sequence), int(index)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS


def _position(request: _explain.ExplainPositionRequest) -> tuple[PositionAsked, int]:
    fields = Fields()
    if request.book_side not in _SIDES:
        fields.wrong("book_side", f"{request.book_side} is neither LONG nor SHORT")
    asked = PositionAsked(
        fields.portfolio("portfolio_id", request.portfolio_id),
        fields.symbol("symbol", request.symbol),
        _SIDES.get(request.book_side),
    )
    size = fields.page_size("page_size", request.page_size)
    fields.check()
    return asked, size


def _line(line: Line) -> _explain.ExplainLine:
    """One record."""
    told: dict[str, Any] = {
        "sequence": line.sequence,
        "kind": _KINDS[line.kind],
        "record_time": _stamp(line.recorded_time),
        "fill_id": line.fill_id,
        "order_id": line.order_id,
        "quantity_change": plain(line.change.quantity),
        "cost_change": plain(line.change.cost),
        "gross_pnl_change": plain(line.change.gross),
        "fees_change": plain(line.change.fees),
        "open_fees_change": plain(line.change.open_fees),
        "explanation": line.words,
    }
    if line.time is not None:
        told["fill_time"] = _stamp(line.time)
    if line.fill is not None:
        told["side"] = _TRADED[line.fill.direction]
        told["quantity"], told["price"] = plain(line.fill.quantity), plain(line.fill.price)
    if line.fee is not None:
        told["fee"] = {"currency": line.fee[0], "amount": plain(line.fee[1])}
    if line.rate is not None:
        told["fee_rate"] = rate_fields(line.rate)
    return _explain.ExplainLine(**told)


def _stamp(nanoseconds: int) -> dict[str, int]:
    seconds, nanos = divmod(nanoseconds, NANOSECONDS)
    return {"seconds": seconds, "nanos": nanos}
