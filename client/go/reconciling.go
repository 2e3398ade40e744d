package lotkeeper

import (
	"context"
	"crypto/rand"
	"time"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
)

// Is the ledger right about the broker: compare, look at what differs, decide about it. A bot that starts on books that
// are not the broker's trades on positions that are not there, so ReconcileOnStartup is one call that it puts first.
// Nothing is changed but by RECONCILE_MODE_APPLY.

// BrokerTimeout is the deadline of Reconcile where the context has none: a server asks its broker for 30 s and, where
// something differs, once more.
const BrokerTimeout = 120 * time.Second

// Reconcile compares the ledger with the broker: a configured BrokerAccount, or the Statement that is passed. Empty
// PortfolioIds are those configured for the account, or the portfolio given to Connect. APPLY takes a RequestId, so that a
// retry gets the same report.
func (ledger *Ledger) Reconcile(ctx context.Context, request *pb.ReconcileRequest) (*pb.ReconcileResponse, error) {
	if request.GetStatement() == nil && request.GetBrokerAccount() == "" {
		return nil, valueError("Reconcile: pass a broker_account or a statement; neither was given")
	}
	if request.GetMode() == pb.ReconcileMode_RECONCILE_MODE_APPLY && request.GetRequestId() == "" {
		return nil, valueError("Reconcile: APPLY without a request_id: a retry after a lost answer could not be told from " +
			"another run. Pass a request_id made before the first try and kept for the next.")
	}
	asked := copyOf(request)
	if len(asked.GetPortfolioIds()) == 0 && asked.GetBrokerAccount() == "" && ledger.portfolio != "" {
		asked.PortfolioIds = []string{ledger.portfolio}
	}
	return carryOutWithin(ctx, ledger, "Reconcile", BrokerTimeout, asked, ledger.ledger.Reconcile)
}

// ReconcileOnStartup is what a bot calls first: compare the ledger with the broker and, with RECONCILE_MODE_APPLY, repair
// what the rules allow. With requireAgreement the bot gets no further where the two are not known to agree: the error is
// ErrNotReconciled, and its Report tells why. Each call is a run of its own, and a repair that was made is found made.
func (ledger *Ledger) ReconcileOnStartup(
	ctx context.Context, request *pb.ReconcileRequest, requireAgreement bool,
) (*pb.ReconcileResponse, error) {
	asked := copyOf(request)
	asked.RequestId = "startup-" + rand.Text()
	report, err := ledger.Reconcile(ctx, asked)
	if err != nil {
		return nil, err
	}
	if requireAgreement && !Agreed(report) {
		return nil, notReconciled(report)
	}
	return report, nil
}

// GetReconciliation reads one report, as it was answered then.
func (ledger *Ledger) GetReconciliation(
	ctx context.Context, request *pb.GetReconciliationRequest,
) (*pb.GetReconciliationResponse, error) {
	return carryOut(ctx, ledger, "GetReconciliation", request, ledger.reconciliation.GetReconciliation)
}

// ResolveDiscrepancy decides about one difference; with ValidateOnly it shows the effect on P&L and changes nothing.
func (ledger *Ledger) ResolveDiscrepancy(
	ctx context.Context, request *pb.ResolveDiscrepancyRequest,
) (*pb.ResolveDiscrepancyResponse, error) {
	if err := identifyByRequest("ResolveDiscrepancy", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "ResolveDiscrepancy", request, ledger.reconciliation.ResolveDiscrepancy)
}

// UndoResolution takes a resolution back: what it recorded is busted, and the difference is open again.
func (ledger *Ledger) UndoResolution(
	ctx context.Context, request *pb.UndoResolutionRequest,
) (*pb.UndoResolutionResponse, error) {
	if err := identifyByRequest("UndoResolution", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "UndoResolution", request, ledger.reconciliation.UndoResolution)
}
