"""Orphaned positions, and which of them belong together. Pure.

Problem: two legs of a spread that are adopted one by one are two positions, whose P&L nobody sees as one; and two legs that only
look like a spread must not become one by themselves. Chosen: legs of one underlying and expiry are suggested as a group and wait;
they are adopted when the caller has confirmed the group by its name, or has said that legs stand alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from lotkeeper import Discrepancy, DiscrepancyKind, ReconcileResponse
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.reconciliation.legs import OrphanedLeg, Suggestion, leg_at, suggested


class Orphan(NamedTuple):
    """A position that nobody watches; ``price`` is what it would be adopted at, None when nobody gives one.

    ``group`` is what it may belong to, ``group_id`` what it is adopted under; ``waits``: the caller has to say which.
    """

    found: Discrepancy
    price: Decimal | None
    group: Suggestion | None = None
    group_id: str = ""
    waits: bool = False


class Grouping(NamedTuple):
    """What the caller has said of groups: those that are confirmed, by name; or that all legs stand alone."""

    confirmed: Collection[str] = ()
    ungrouped: bool = False


class NoSuchGroup(Exception):
    """A group was confirmed that is none; the message says what there is."""


def orphans(report: ReconcileResponse, costs: Mapping[str, Decimal], grouping: Grouping) -> list[Orphan]:
    """What is orphaned and not ignored. ``costs`` are the broker's own signed cost bases by symbol, where it gives any.

    Raises:
        NoSuchGroup: a group was confirmed that is none.
    """
    found = [
        each for each in report.discrepancies if each.kind is DiscrepancyKind.ORPHANED_POSITION and not each.ignored
    ]
    with localcontext(EXACT):
        groups = {each.group_id: each for each in suggested(_leg(one, costs) for one in found)}
    _check(grouping.confirmed, groups)
    of_symbol = {leg.symbol: group for group in groups.values() for leg in group.legs}
    return [_orphan(each, of_symbol.get(each.symbol), grouping) for each in found]


def _leg(found: Discrepancy, costs: Mapping[str, Decimal]) -> OrphanedLeg:
    if (cost := costs.get(found.symbol)) is not None:
        return OrphanedLeg(found.symbol, found.broker_quantity, cost)
    return leg_at(found.symbol, found.broker_quantity, price_of(found))


def _check(confirmed: Collection[str], groups: Mapping[str, Suggestion]) -> None:
    for name in confirmed:
        if name not in groups:
            there = ", ".join(groups) or "no group"
            raise NoSuchGroup(f"--group {name}: no such legs are orphaned; there is {there}")
        if groups[name].contracts is None:
            raise NoSuchGroup(
                f"--group {name}: its legs are not alike in quantity, so they are no group; adopt them with --ungrouped"
            )


def _orphan(found: Discrepancy, group: Suggestion | None, grouping: Grouping) -> Orphan:
    confirmed = group is not None and group.group_id in grouping.confirmed
    waits = group is not None and not confirmed and not grouping.ungrouped
    return Orphan(found, price_of(found), group, group.group_id if group is not None and confirmed else "", waits)


def price_of(found: Discrepancy) -> Decimal | None:
    """What the ledger proposes to adopt it at, or the broker's average."""
    fills = [each.fill for each in found.proposed_fills if each.fill is not None]
    return Decimal(fills[0].price) if len(fills) == 1 else found.broker_average_price


def groups_of(found: Sequence[Orphan]) -> list[Suggestion]:
    """Each group once."""
    return list({each.group.group_id: each.group for each in found if each.group is not None}.values())
