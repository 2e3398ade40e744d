"""Stream messages as bytes, joined from pieces that are built once for all subscribers.

Protobuf's wire format lets a message be written field after field, and a repeated field is its tag, its length and its bytes
(https://protobuf.dev/programming-guides/encoding). PnLSnapshot and PnLUpdate number positions and totals alike, so the same
piece serves both; groups they do not. A test parses what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable

from lotkeeper.v1 import ledger_service_pb2
from lotkeeperd.api.answers import Answers
from lotkeeperd.api.fields import NANOSECONDS
from lotkeeperd.domain.groups import GroupPnL
from lotkeeperd.domain.trades import ClosedTrade, Restatement
from lotkeeperd.service.ports import Clock, Fact, GroupPiece, Key
from lotkeeperd.service.valuation import PortfolioTotals, Valued


def _tag(field: int) -> bytes:
    return bytes([field << 3 | 2])


def _length(size: int) -> bytes:
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def _field(tag: bytes, payload: bytes) -> bytes:
    return tag + _length(len(payload)) + payload


_UPDATE = ledger_service_pb2.PnLUpdate
_POSITIONS, _TOTALS = _tag(_UPDATE.POSITIONS_FIELD_NUMBER), _tag(_UPDATE.TOTALS_FIELD_NUMBER)
_TRADES, _ENTRIES = _tag(_UPDATE.CLOSED_TRADES_FIELD_NUMBER), _tag(_UPDATE.OPENED_ENTRIES_FIELD_NUMBER)
_RESTATED = _tag(_UPDATE.RESTATED_TRADES_FIELD_NUMBER)
_GROUPS = _tag(_UPDATE.GROUPS_FIELD_NUMBER)
_OPEN_GROUPS = _tag(ledger_service_pb2.PnLSnapshot.GROUPS_FIELD_NUMBER)
_RESPONSE = ledger_service_pb2.StreamPnLResponse
_SNAPSHOT_EVENT, _UPDATE_EVENT = _tag(_RESPONSE.SNAPSHOT_FIELD_NUMBER), _tag(_RESPONSE.UPDATE_FIELD_NUMBER)


class StreamEncoder:
    """Satisfies ``service.ports.Encoder``."""

    def __init__(self, ledger_id: str, answers: Answers, clock: Clock) -> None:
        self._ledger_id = ledger_id
        self._answers = answers
        self._clock = clock

    def position(self, key: Key, valued: Valued) -> bytes:
        """A piece of an update or a snapshot."""
        return _field(_POSITIONS, self._answers.valued(key, valued).SerializeToString())

    def totals(self, portfolio_id: str, totals: PortfolioTotals) -> bytes:
        """A piece of an update or a snapshot."""
        message = ledger_service_pb2.PortfolioTotals(
            portfolio_id=portfolio_id,
            totals=self._answers.totals(totals),
            base_totals=self._answers.base_totals(totals.base),
        )
        return _field(_TOTALS, message.SerializeToString())

    def group(self, figures: Iterable[GroupPnL]) -> GroupPiece:
        """A piece of an update, and one of a snapshot."""
        messages = [self._answers.group(one).SerializeToString() for one in figures]
        return GroupPiece(
            b"".join(_field(_GROUPS, message) for message in messages),
            b"".join(_field(_OPEN_GROUPS, message) for message in messages),
        )

    def fact(self, fact: Fact) -> bytes:
        """A piece of an update."""
        if isinstance(fact, ClosedTrade):
            return _field(_TRADES, self._answers.trade(fact).SerializeToString())
        if isinstance(fact, Restatement):
            return _field(_RESTATED, self._answers.restated(fact).SerializeToString())
        return _field(_ENTRIES, self._answers.entry(fact).SerializeToString())

    def update(self, sequence: int, pieces: Iterable[bytes], conflated: int) -> bytes:
        """A whole message."""
        counted = _UPDATE(conflated_count=conflated).SerializeToString() if conflated else b""
        return self._envelope(sequence) + _field(_UPDATE_EVENT, b"".join([*pieces, counted]))

    def snapshot(self, sequence: int, pieces: Iterable[bytes], more: bool) -> bytes:
        """A whole message."""
        part = ledger_service_pb2.PnLSnapshot(more=more).SerializeToString()
        return self._envelope(sequence) + _field(_SNAPSHOT_EVENT, b"".join([*pieces, part]))

    def heartbeat(self, sequence: int) -> bytes:
        """A whole message."""
        beat = _RESPONSE(heartbeat=ledger_service_pb2.Heartbeat())
        return self._envelope(sequence) + beat.SerializeToString()

    def _envelope(self, sequence: int) -> bytes:
        message = _RESPONSE(sequence=sequence, ledger_id=self._ledger_id)
        message.emit_time.seconds, message.emit_time.nanos = divmod(self._clock(), NANOSECONDS)
        return message.SerializeToString()
