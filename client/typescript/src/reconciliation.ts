/** What a report of a reconciliation comes to. */

import { Severity, type Discrepancy, type ReconcileResponse } from "./gen/lotkeeper/v1/reconciliation_pb.js";

/** Differences that still stand: not repaired in this run, not ignored by a person, and more than information. */
export function outstanding(report: ReconcileResponse): Discrepancy[] {
  return report.discrepancies.filter(
    (found) => !found.applied && !found.ignored && found.severity !== Severity.INFO,
  );
}

/** Whether ledger and broker are known to agree; never where the answer does not hold every difference. */
export function agreed(report: ReconcileResponse): boolean {
  return (
    report.complete && outstanding(report).length === 0 && report.discrepancyCount <= report.discrepancies.length
  );
}
