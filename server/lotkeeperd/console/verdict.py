"""What a comparison comes to, as an exit code and in one line: what to do next.

Problem: a nightly check that says "different" over an average that brokers count otherwise, or over what somebody has looked at and
ignored, is a check that nobody reads. Chosen: what is repaired, ignored or only good to know is shown and does not count. What is
known to differ comes before what is not known: there is something to do.
"""

from __future__ import annotations

from lotkeeper import DiscrepancyKind, ReconcileMode, ReconcileResponse, ResolutionKind

AGREED, DIFFERENT, NOT_KNOWN = 0, 3, 4
"""Exit codes; 1 and 2 stay what could not be done, and a wrong command line."""


def code_of(report: ReconcileResponse) -> int:
    """The exit code of a comparison."""
    if report.outstanding or was_cut(report):
        return DIFFERENT
    return AGREED if report.complete else NOT_KNOWN


def was_cut(report: ReconcileResponse) -> bool:
    """Whether there are more differences than the answer holds: nothing is known of those but that none is worse."""
    return report.discrepancy_count > len(report.discrepancies)


def next_step(report: ReconcileResponse, mode: ReconcileMode) -> str:
    """What to do now, for somebody who was woken by it."""
    if not report.outstanding:
        return (
            "next: lotkeeper discrepancies lists those that are not shown"
            if was_cut(report)
            else _nothing_stands(report)
        )
    found = report.outstanding
    if mode is not ReconcileMode.APPLY and any(each.resolution is ResolutionKind.BACKFILL_FILLS for each in found):
        return "next: say --apply to carry out what the policy allows; the rest waits for lotkeeper resolve"
    if any(each.kind is DiscrepancyKind.ORPHANED_POSITION for each in found):
        return "next: lotkeeper recover shows how to adopt what nobody watches, and with --apply does it"
    if any(each.proposed_fills for each in found):
        return "next: lotkeeper resolve ID --accept shows what is proposed, and with --apply does it"
    return "next: nothing can be proposed: look at the broker, then lotkeeper resolve ID --help says what may be done"


def _nothing_stands(report: ReconcileResponse) -> str:
    if not report.complete:
        return "not known: the broker did not say everything, so nothing is judged missing; ask again"
    repaired = sum(each.applied for each in report.discrepancies)
    return f"agreed, after {repaired} repaired: another run finds nothing" if repaired else "agreed: nothing to do"
