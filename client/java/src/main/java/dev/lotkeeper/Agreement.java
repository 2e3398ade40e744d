package dev.lotkeeper;

import dev.lotkeeper.v1.Discrepancy;
import dev.lotkeeper.v1.ReconcileResponse;
import dev.lotkeeper.v1.Severity;
import io.grpc.Status.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a report says about whether ledger and broker agree. */
public final class Agreement {
    private static final int EXPLAINED = 5; // differences that the words of NotReconciled tell; its report has all

    private Agreement() {}

    /** Differences that still stand: not repaired in this run, not ignored by a person, and more than information. */
    public static List<Discrepancy> outstanding(ReconcileResponse report) {
        return report.getDiscrepanciesList().stream()
                .filter(found -> !found.getApplied() && !found.getIgnored() && found.getSeverity() != Severity.SEVERITY_INFO)
                .toList();
    }

    /** Whether ledger and broker are known to agree; never where the answer does not hold every difference. */
    public static boolean agreed(ReconcileResponse report) {
        return report.getComplete()
                && outstanding(report).isEmpty()
                && report.getDiscrepancyCount() <= report.getDiscrepanciesCount();
    }

    static Errors.NotReconciled notReconciled(ReconcileResponse report) {
        List<Discrepancy> standing = outstanding(report);
        List<String> said = new ArrayList<>();
        standing.stream().limit(EXPLAINED).map(Discrepancy::getExplanation).forEach(said::add);
        if (standing.size() > EXPLAINED) {
            said.add("and " + (standing.size() - EXPLAINED) + " more");
        }
        if (!report.getComplete()) {
            said.add("the broker did not say everything");
        }
        String message = "reconciliation " + report.getReconciliationId() + ": " + String.join("; ", said);
        return new Errors.NotReconciled(
                new LotkeeperError.Details(Code.FAILED_PRECONDITION, message, "NOT_RECONCILED", Map.of()), report);
    }
}
