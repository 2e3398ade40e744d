"""The three reads as calls: ``get_summary``, ``list_entries``, ``list_closed_trades``. No I/O.

Each call here is for one page; ``pages`` makes one answer of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lotkeeper import answers, calls, fields, values
from lotkeeper.answers import Page
from lotkeeper.calls import PAGE_SIZE, Call, Defaults
from lotkeeper.enums import EntryStatus, LotMethod
from lotkeeper.fields import DayLike, DecimalLike, TimeLike
from lotkeeper.v1 import ledger_service_pb2


def get_summary(
    defaults: Defaults,
    *,
    symbols: Iterable[str] = (),
    include_entries: bool = False,
    include_flat: bool = False,
    as_of_sequence: int | None = None,
    as_of_time: TimeLike | None = None,
    lot_method: LotMethod = LotMethod.UNSPECIFIED,
    marks: Mapping[str, DecimalLike] | None = None,
    include_groups: bool = False,
    group_ids: Iterable[str] = (),
    page_size: int = PAGE_SIZE,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[Page[values.Position]]:
    """Read positions and totals, all pages of them, as they stood at one journal sequence.

    No ``symbols`` means all that are open. ``as_of_sequence`` or ``as_of_time`` reads a past state, ``lot_method`` the
    same executions matched by another method; neither is valued at the live marks, but at ``marks``, ``{symbol:
    price}``. ``include_groups`` adds the groups with something open, ``group_ids`` those named. ``timeout`` is for the
    whole read.

    Raises:
        TypeError: a float, or another type that cannot be sent exactly.
        InvalidPageToken: the server lost the read between two pages; start it again.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = ledger_service_pb2.GetSummaryRequest(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbols=fields.texts("symbols", symbols),
        include_entries=include_entries,
        include_flat=include_flat,
        as_of_sequence=as_of_sequence,
        page_size=page_size,
        as_of_time=fields.timestamp("as_of_time", as_of_time),
        lot_method=fields.member("lot_method", LotMethod, lot_method),
        marks=_scenario(marks),
        include_groups=include_groups,
        group_ids=fields.texts("group_ids", group_ids),
    )
    return Call("GetSummary", request, answers.get_summary, calls.timeout_of(defaults, timeout))


def list_entries(
    defaults: Defaults,
    *,
    symbol: str = "",
    statuses: Iterable[EntryStatus] = (),
    page_size: int = PAGE_SIZE,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[Page[values.Entry]]:
    """Iterate over lots in FIFO order; no ``statuses`` means open and partially closed.

    Pages are fetched as the iteration reaches them; ``timeout`` is for each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = ledger_service_pb2.ListEntriesRequest(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        statuses=[fields.member("statuses", EntryStatus, status) for status in statuses],
        page_size=page_size,
    )
    return Call("ListEntries", request, answers.list_entries, calls.timeout_of(defaults, timeout))


def list_closed_trades(
    defaults: Defaults,
    *,
    symbol: str = "",
    start_time: TimeLike | None = None,
    end_time: TimeLike | None = None,
    day: DayLike | None = None,
    sequence: int | None = None,
    exit_fill_id: str = "",
    group_id: str = "",
    labels: Mapping[str, str] | None = None,
    include_superseded: bool = False,
    page_size: int = PAGE_SIZE,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[Page[values.ClosedTrade]]:
    """Iterate over closed trades in the order they were closed; ``totals()`` of the iterator sums all of them.

    ``start_time`` counts, ``end_time`` does not. ``day``, a date, "today" or "yesterday", is one in the portfolio's
    time zone. Pages are fetched as the iteration reaches them; ``timeout`` is for each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = ledger_service_pb2.ListClosedTradesRequest(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        start_time=fields.timestamp("start_time", start_time),
        end_time=fields.timestamp("end_time", end_time),
        page_size=page_size,
        sequence=sequence,
        exit_fill_id=fields.text("exit_fill_id", exit_fill_id),
        group_id=fields.text("group_id", group_id),
        labels=fields.labels("labels", labels),
        include_superseded=include_superseded,
        day=fields.day("day", day),
    )
    return Call("ListClosedTrades", request, answers.list_closed_trades, calls.timeout_of(defaults, timeout))


def _scenario(marks: Mapping[str, DecimalLike] | None) -> list[ledger_service_pb2.ScenarioMark]:
    return [
        ledger_service_pb2.ScenarioMark(
            symbol=fields.text("symbol", symbol), price=fields.decimal_text(f"price of {symbol}", price)
        )
        for symbol, price in (marks or {}).items()
    ]
