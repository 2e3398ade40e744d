"""What came of the runs that the server makes by itself: kept, and told in the log when it is news.

A schedule says the same thing every few minutes. A log that repeats it is not read, so a failure, a difference and an agreement are
each told once, until something else is true.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from lotkeeperd.domain.reconciliation.findings import Severity
from lotkeeperd.domain.reconciliation.records import Reported, State

log = logging.getLogger(__name__)

TOLD = 1000
"""Characters of the differences in one line of the log; the report has all."""


class LastRun(NamedTuple):
    """The newest run of an account by itself: when, nanoseconds UTC, and the report, or why there is none."""

    time: int
    report: Reported | None
    failure: str = ""


class Runs:
    """The newest run of each account."""

    def __init__(self) -> None:
        self.last: dict[str, LastRun] = {}

    def failed(self, account: str, now: int, failure: str) -> None:
        """There is no report."""
        before = self.last.get(account)
        level = logging.DEBUG if before is not None and before.failure == failure else logging.WARNING
        log.log(level, "account %s was not reconciled: %s", account, failure)
        self.last[account] = LastRun(now, None, failure)

    def done(self, account: str, now: int, report: Reported) -> None:
        """There is a report."""
        before = self.last.get(account)
        known = None if before is None or before.report is None else left_open(before.report)
        found = left_open(report)
        self.last[account] = LastRun(now, report)
        if found == known:
            return
        if not found:
            log.info("account %s: the ledger and the broker agree, %s", account, report.reconciliation_id)
            return
        words = "; ".join(one.difference.explanation for one in report.found if one.discrepancy_id in found)
        log.warning("account %s: %d differences, %s: %s", account, len(found), report.reconciliation_id, words[:TOLD])


def left_open(report: Reported) -> frozenset[str]:
    """The ids of what a report left open, and that is more than information."""
    return frozenset(
        found.discrepancy_id
        for found in report.found
        if found.state is State.OPEN and found.difference.severity is not Severity.INFO
    )
