"""Reports, resolutions and what was taken back, as rows of the journal; differences as rows of ``discrepancies``.

``asked`` is the command whole, with everything the broker was seen to say; ``decided`` what was found and done. A report's
differences stand there once, as they stand after it: the comparison itself adds its counts.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from lotkeeperd.domain.commands import RULES_VERSION
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.reconciliation.findings import Comparison, Proposal
from lotkeeperd.domain.reconciliation.records import (
    Reconcile,
    Reported,
    Resolve,
    Resolved,
    Standing,
    Undo,
    Undone,
    place_of,
)
from lotkeeperd.service.ports import OfReconciliation
from lotkeeperd.storage.identity import KEY_VERSION, request_key
from lotkeeperd.storage.rows import JournalRow
from lotkeeperd.storage.stored_values import form_of, read, written

RECONCILE, RESOLVE, UNDO = "Reconcile", "ResolveDiscrepancy", "UndoResolution"
METHODS = frozenset({RECONCILE, RESOLVE, UNDO})
"""Of the journal's rows that are of no portfolio and no book."""

_METHOD = {Reported: RECONCILE, Resolved: RESOLVE, Undone: UNDO}

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_STANDINGS = form_of(tuple[Standing, ...])
_PROPOSALS = form_of(tuple[Proposal, ...])


def reconciliation_row(record: OfReconciliation) -> tuple[Any, ...]:
    """A row of ``journal``, without its link of the chain."""
    command = record.command
    asked = written(command)
    request_id = asked.pop("request_id")
    return (
        record.sequence,
        record.recorded_time,
        command.portfolio_id,
        command.symbol,
        _METHOD[type(record)],
        RULES_VERSION,
        KEY_VERSION,
        command.role.value,
        request_key(command.portfolio_id, request_id) if request_id else None,
        request_id,
        None,
        "",
        0,
        _encode(asked),
        _encode(_decided(record)),
    )


def _decided(record: OfReconciliation) -> dict[str, Any]:
    if isinstance(record, Reported):
        counts = record.comparison._replace(differences=())
        return {"comparison": written(counts), "found": _STANDINGS.write(record.found), "gone": list(record.gone)}
    if isinstance(record, Resolved):
        return {"standing": written(record.standing), "proposals": _PROPOSALS.write(record.proposals)}
    return {
        "standing": written(record.standing),
        "busted": list(record.busted),
        "pnl_effect": plain(record.pnl_effect),
    }


def reconciliation_of(row: Row[Any] | JournalRow) -> OfReconciliation:
    """The record of such a row."""
    asked, decided = json.loads(row.asked), json.loads(row.decided)
    asked["request_id"] = row.request_id
    head = (row.sequence, row.recorded_time)
    if row.method == RECONCILE:
        found = _STANDINGS.read(decided["found"])
        counts = read(Comparison, {"differences": []} | decided["comparison"])
        comparison = counts._replace(differences=tuple(one.difference for one in found))
        return Reported(*head, read(Reconcile, asked), comparison, found, tuple(decided["gone"]))
    standing = read(Standing, decided["standing"])
    if row.method == RESOLVE:
        return Resolved(*head, read(Resolve, asked), standing, _PROPOSALS.read(decided["proposals"]))
    return Undone(*head, read(Undo, asked), standing, tuple(decided["busted"]), Decimal(decided["pnl_effect"]))


def standing_row(standing: Standing) -> tuple[Any, ...]:
    """A row of ``discrepancies``; ``body`` is all of it."""
    difference, settled = standing.difference, standing.settled
    return (
        standing.discrepancy_id,
        *place_of(standing.discrepancy_id),
        standing.account,
        _encode(standing.portfolio_ids),
        difference.portfolio_id,
        difference.symbol,
        difference.side,
        difference.kind.value,
        difference.severity.value,
        standing.state.value,
        standing.action.value,
        standing.first_seen,
        standing.last_seen,
        standing.report,
        "" if settled is None else settled.resolution_id,
        _encode(written(standing)),
    )


def standing_of(body: str) -> Standing:
    """The difference of a row's ``body``."""
    return read(Standing, json.loads(body))
