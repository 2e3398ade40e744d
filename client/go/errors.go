package lotkeeper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gRPC gives one type for everything, with the reason in binary details; bots need "is it a conflict?". Therefore each
// reason of the contract is a Kind to ask errors.Is for, and so is each group of them that is handled alike:
//
//	if errors.Is(err, lotkeeper.ErrFillConflict) { ... } // this reason
//	if errors.Is(err, lotkeeper.ErrTryAgain) { ... }     // any of its group
//
// A reason newer than this client is of its status code's kind, and keeps its name.

// Kind of an error: one reason, or a group of them. ErrLotkeeper is the group of all.
type Kind struct {
	name   string
	parent *Kind
}

func (kind *Kind) Error() string { return "lotkeeper: " + kind.name }

// Unwrap is the group that the kind belongs to; nil for ErrLotkeeper.
func (kind *Kind) Unwrap() error {
	if kind == nil || kind.parent == nil {
		return nil
	}
	return kind.parent
}

// ErrLotkeeper is anything the ledger, or the way to it, answered instead of the result.
var ErrLotkeeper = &Kind{name: "LotkeeperError"}

// Kinds of errors, each group before what belongs to it.
var (

	// ErrInvalidRequest: the request broke a rule of the contract; Violations names every broken field.
	ErrInvalidRequest = &Kind{"InvalidRequest", ErrLotkeeper}
	// ErrInvalidPageToken: the pages of a read expired, or the token is another read's: start the read again.
	ErrInvalidPageToken = &Kind{"InvalidPageToken", ErrInvalidRequest}

	// ErrConflict: recorded before with other content; nothing was written.
	ErrConflict = &Kind{"Conflict", ErrLotkeeper}
	// ErrFillConflict: the fill id was recorded with other content; Metadata names the first differing field.
	ErrFillConflict = &Kind{"FillConflict", ErrConflict}
	// ErrRequestIDReused: the request id was used with other content, or by another method.
	ErrRequestIDReused = &Kind{"RequestIDReused", ErrConflict}
	// ErrPortfolioExists: the portfolio exists with other terms; Metadata names the first differing field.
	ErrPortfolioExists = &Kind{"PortfolioExists", ErrConflict}

	// ErrBookRefused: the lots that are open do not allow it; nothing was written.
	ErrBookRefused = &Kind{"BookRefused", ErrLotkeeper}
	// ErrInsufficientQuantity: fewer are open than the close asks for; Metadata: open_quantity, requested_quantity.
	ErrInsufficientQuantity = &Kind{"InsufficientQuantity", ErrBookRefused}
	// ErrNoOpenPosition: nothing is open on that side.
	ErrNoOpenPosition = &Kind{"NoOpenPosition", ErrBookRefused}
	// ErrOppositeSideOpen: the other side is open; Metadata: open_side, open_quantity.
	ErrOppositeSideOpen = &Kind{"OppositeSideOpen", ErrBookRefused}
	// ErrLongOnly: the portfolio is long-only, and this would make it short; Metadata: symbol, open_quantity.
	ErrLongOnly = &Kind{"LongOnly", ErrBookRefused}
	// ErrLotNotOpen: a lot that the close names is not open, or not that much of it; Metadata: entry_id, open_quantity.
	ErrLotNotOpen = &Kind{"LotNotOpen", ErrBookRefused}

	// ErrTermsRefused: the terms of the portfolio or the instrument do not allow it; nothing was written.
	ErrTermsRefused = &Kind{"TermsRefused", ErrLotkeeper}
	// ErrPortfolioClosed: the portfolio is closed and takes no more commands; Metadata: portfolio_id.
	ErrPortfolioClosed = &Kind{"PortfolioClosed", ErrTermsRefused}
	// ErrPortfolioNotEmpty: a portfolio with open lots cannot be closed: close them first; Metadata: symbol.
	ErrPortfolioNotEmpty = &Kind{"PortfolioNotEmpty", ErrTermsRefused}
	// ErrPortfolioInUse: what was agreed before the portfolio's first record cannot be changed after it; Metadata: field.
	ErrPortfolioInUse = &Kind{"PortfolioInUse", ErrTermsRefused}
	// ErrInstrumentNotDeclared: a contract or an option that nobody has declared: DefineInstrument first; Metadata: symbol.
	ErrInstrumentNotDeclared = &Kind{"InstrumentNotDeclared", ErrTermsRefused}
	// ErrInstrumentInUse: lots of the instrument are open, so this of it cannot change; Metadata: symbol, field, open_quantity.
	ErrInstrumentInUse = &Kind{"InstrumentInUse", ErrTermsRefused}
	// ErrTradingModeMismatch: a portfolio is of another trading mode than was asked for; Metadata: portfolio_id.
	ErrTradingModeMismatch = &Kind{"TradingModeMismatch", ErrTermsRefused}

	// ErrHistoryRefused: what is recorded already does not allow it; nothing was written.
	ErrHistoryRefused = &Kind{"HistoryRefused", ErrLotkeeper}
	// ErrFillBusted: the execution was busted before; Metadata: fill_id, sequence.
	ErrFillBusted = &Kind{"FillBusted", ErrHistoryRefused}
	// ErrLaterCommandRefused: with this change a later command would have been refused; Metadata: sequence, fill_id and reason of the first.
	ErrLaterCommandRefused = &Kind{"LaterCommandRefused", ErrHistoryRefused}

	// ErrRestrained: the broker holds something else than the ledger: this waits until a person has decided; nothing was written.
	ErrRestrained = &Kind{"Restrained", ErrLotkeeper}
	// ErrSymbolFrozen: new entries of this symbol wait: ResolveDiscrepancy first; Metadata: portfolio_id, symbol, discrepancy_id.
	ErrSymbolFrozen = &Kind{"SymbolFrozen", ErrRestrained}
	// ErrPortfolioHalted: every execution of this portfolio waits: ResolveDiscrepancy first; Metadata: portfolio_id, discrepancy_id.
	ErrPortfolioHalted = &Kind{"PortfolioHalted", ErrRestrained}

	// ErrDiscrepancyNotOpen: the difference was resolved before, or is not there any more; Metadata: discrepancy_id, state.
	ErrDiscrepancyNotOpen = &Kind{"DiscrepancyNotOpen", ErrLotkeeper}

	// ErrNotReconciled: ledger and broker are not known to agree; made by the client, and only where it was asked for; Report tells why.
	ErrNotReconciled = &Kind{"NotReconciled", ErrLotkeeper}

	// ErrNotFound: no such thing in this ledger.
	ErrNotFound = &Kind{"NotFound", ErrLotkeeper}
	// ErrPortfolioNotFound: no such portfolio; the first fill makes it.
	ErrPortfolioNotFound = &Kind{"PortfolioNotFound", ErrNotFound}
	// ErrBrokerAccountNotFound: no such broker account is configured.
	ErrBrokerAccountNotFound = &Kind{"BrokerAccountNotFound", ErrNotFound}
	// ErrInstrumentNotFound: no such instrument; Metadata: symbol.
	ErrInstrumentNotFound = &Kind{"InstrumentNotFound", ErrNotFound}
	// ErrFillNotFound: no such execution is recorded; Metadata: fill_id.
	ErrFillNotFound = &Kind{"FillNotFound", ErrNotFound}
	// ErrTradeNotFound: no such closed trade; Metadata: trade_id.
	ErrTradeNotFound = &Kind{"TradeNotFound", ErrNotFound}
	// ErrDiscrepancyNotFound: no such difference; Metadata: discrepancy_id.
	ErrDiscrepancyNotFound = &Kind{"DiscrepancyNotFound", ErrNotFound}
	// ErrReconciliationNotFound: no such report; Metadata: reconciliation_id.
	ErrReconciliationNotFound = &Kind{"ReconciliationNotFound", ErrNotFound}
	// ErrResolutionNotFound: no such resolution, or it was taken back; Metadata: resolution_id.
	ErrResolutionNotFound = &Kind{"ResolutionNotFound", ErrNotFound}

	// ErrOtherHistory: a sequence that is not one of this ledger's.
	ErrOtherHistory = &Kind{"OtherHistory", ErrLotkeeper}
	// ErrSequenceAhead: the sequence is ahead of this ledger; Metadata: latest_sequence.
	ErrSequenceAhead = &Kind{"SequenceAhead", ErrOtherHistory}
	// ErrLedgerReplaced: the ledger is another one, or was restored: what was collected from the old one starts again.
	ErrLedgerReplaced = &Kind{"LedgerReplaced", ErrOtherHistory}

	// ErrAccessDenied: credentials are missing, not accepted, or do not cover this.
	ErrAccessDenied = &Kind{"AccessDenied", ErrLotkeeper}
	// ErrTokenMissing: no credentials were sent.
	ErrTokenMissing = &Kind{"TokenMissing", ErrAccessDenied}
	// ErrTokenInvalid: the credentials were not accepted.
	ErrTokenInvalid = &Kind{"TokenInvalid", ErrAccessDenied}
	// ErrPortfolioForbidden: the credentials do not cover the portfolio or the method.
	ErrPortfolioForbidden = &Kind{"PortfolioForbidden", ErrAccessDenied}

	// ErrLimitReached: a limit of the server, or of the message size.
	ErrLimitReached = &Kind{"LimitReached", ErrLotkeeper}
	// ErrTooManyStreams: close another stream first.
	ErrTooManyStreams = &Kind{"TooManyStreams", ErrLimitReached}
	// ErrDiskFull: the server's disk is full; nothing was written, reads and streams go on.
	ErrDiskFull = &Kind{"DiskFull", ErrLimitReached}

	// ErrTryAgain: nothing is wrong with the request: send it again with the same ids, it counts once.
	ErrTryAgain = &Kind{"TryAgain", ErrLotkeeper}
	// ErrWriteQueueFull: the server has more writes waiting than it takes; nothing was written.
	ErrWriteQueueFull = &Kind{"WriteQueueFull", ErrTryAgain}
	// ErrUnavailable: the connection was lost, or the server cannot answer now.
	ErrUnavailable = &Kind{"Unavailable", ErrTryAgain}
	// ErrStorageUnavailable: the database is locked or unreachable; whether the write was recorded, the next try tells.
	ErrStorageUnavailable = &Kind{"StorageUnavailable", ErrUnavailable}
	// ErrServerDraining: the server is shutting down.
	ErrServerDraining = &Kind{"ServerDraining", ErrUnavailable}
	// ErrBrokerUnavailable: the broker did not answer, or not completely.
	ErrBrokerUnavailable = &Kind{"BrokerUnavailable", ErrUnavailable}
	// ErrFenced: another server has taken the database over; the address may soon lead there.
	ErrFenced = &Kind{"Fenced", ErrUnavailable}
	// ErrDeadlineExceeded: no answer within the timeout.
	ErrDeadlineExceeded = &Kind{"DeadlineExceeded", ErrTryAgain}

	// ErrNotYetImplemented: this version of the server does not do it yet; Metadata: feature.
	ErrNotYetImplemented = &Kind{"NotYetImplemented", ErrLotkeeper}

	// ErrServerFault: a bug or worse, on the other side.
	ErrServerFault = &Kind{"ServerFault", ErrLotkeeper}
	// ErrLedgerCorrupt: an invariant of the ledger does not hold; its writes are stopped.
	ErrLedgerCorrupt = &Kind{"LedgerCorrupt", ErrServerFault}
	// ErrInternalError: a bug of the server.
	ErrInternalError = &Kind{"InternalError", ErrServerFault}
)

var byReason = map[string]*Kind{
	"FIELD_VIOLATION":          ErrInvalidRequest,
	"INVALID_PAGE_TOKEN":       ErrInvalidPageToken,
	"FILL_CONFLICT":            ErrFillConflict,
	"REQUEST_ID_REUSED":        ErrRequestIDReused,
	"PORTFOLIO_EXISTS":         ErrPortfolioExists,
	"INSUFFICIENT_QUANTITY":    ErrInsufficientQuantity,
	"NO_OPEN_POSITION":         ErrNoOpenPosition,
	"OPPOSITE_SIDE_OPEN":       ErrOppositeSideOpen,
	"LONG_ONLY":                ErrLongOnly,
	"LOT_NOT_OPEN":             ErrLotNotOpen,
	"PORTFOLIO_CLOSED":         ErrPortfolioClosed,
	"PORTFOLIO_NOT_EMPTY":      ErrPortfolioNotEmpty,
	"PORTFOLIO_IN_USE":         ErrPortfolioInUse,
	"INSTRUMENT_NOT_DECLARED":  ErrInstrumentNotDeclared,
	"INSTRUMENT_IN_USE":        ErrInstrumentInUse,
	"TRADING_MODE":             ErrTradingModeMismatch,
	"FILL_BUSTED":              ErrFillBusted,
	"LATER_COMMAND_REFUSED":    ErrLaterCommandRefused,
	"SYMBOL_FROZEN":            ErrSymbolFrozen,
	"PORTFOLIO_HALTED":         ErrPortfolioHalted,
	"DISCREPANCY_NOT_OPEN":     ErrDiscrepancyNotOpen,
	"PORTFOLIO_NOT_FOUND":      ErrPortfolioNotFound,
	"BROKER_ACCOUNT_NOT_FOUND": ErrBrokerAccountNotFound,
	"INSTRUMENT_NOT_FOUND":     ErrInstrumentNotFound,
	"FILL_NOT_FOUND":           ErrFillNotFound,
	"TRADE_NOT_FOUND":          ErrTradeNotFound,
	"DISCREPANCY_NOT_FOUND":    ErrDiscrepancyNotFound,
	"RECONCILIATION_NOT_FOUND": ErrReconciliationNotFound,
	"RESOLUTION_NOT_FOUND":     ErrResolutionNotFound,
	"SEQUENCE_AHEAD":           ErrSequenceAhead,
	"LEDGER_REPLACED":          ErrLedgerReplaced,
	"TOKEN_MISSING":            ErrTokenMissing,
	"TOKEN_INVALID":            ErrTokenInvalid,
	"PORTFOLIO_FORBIDDEN":      ErrPortfolioForbidden,
	"TOO_MANY_STREAMS":         ErrTooManyStreams,
	"DISK_FULL":                ErrDiskFull,
	"WRITE_QUEUE_FULL":         ErrWriteQueueFull,
	"STORAGE_UNAVAILABLE":      ErrStorageUnavailable,
	"SERVER_DRAINING":          ErrServerDraining,
	"BROKER_UNAVAILABLE":       ErrBrokerUnavailable,
	"FENCED":                   ErrFenced,
	"NOT_YET_IMPLEMENTED":      ErrNotYetImplemented,
	"LEDGER_CORRUPT":           ErrLedgerCorrupt,
	"INTERNAL_ERROR":           ErrInternalError,
}

var byCode = map[codes.Code]*Kind{
	codes.InvalidArgument:   ErrInvalidRequest,
	codes.AlreadyExists:     ErrConflict,
	codes.NotFound:          ErrNotFound,
	codes.Unauthenticated:   ErrAccessDenied,
	codes.PermissionDenied:  ErrAccessDenied,
	codes.ResourceExhausted: ErrLimitReached,
	codes.Unavailable:       ErrUnavailable,
	codes.DeadlineExceeded:  ErrDeadlineExceeded,
	codes.Unimplemented:     ErrNotYetImplemented,
	codes.DataLoss:          ErrServerFault,
	codes.Internal:          ErrServerFault,
	codes.Unknown:           ErrServerFault,
}

const (
	errorDomain = "lotkeeper"
	explained   = 5 // differences that the words of ErrNotReconciled tell; its Report has all
)

// FieldViolation is one broken field of a request, and the rule it broke.
type FieldViolation struct {
	Field       string
	Description string
}

// Error is what a call answered instead of its result. errors.As finds it, errors.Is tells its Kind.
type Error struct {
	// Kind by reason, or by code where the reason is not known.
	Kind *Kind
	// Code of the gRPC status.
	Code codes.Code
	// Reason as the contract names it, without ERROR_REASON_; empty when it was not the ledger that answered.
	Reason string
	// Message in words, with the values and what to do.
	Message string
	// Metadata of the reason, such as open_quantity.
	Metadata map[string]string
	// Violations of an invalid request, all of them.
	Violations []FieldViolation
	// RetryDelay that the server asks for before the next try; 0 when it does not.
	RetryDelay time.Duration
	// Report of ErrNotReconciled; nil for all others.
	Report *pb.ReconcileResponse

	status *status.Status
}

func (failed *Error) Error() string {
	name := failed.Reason
	if name == "" {
		name = failed.Code.String()
	}
	if len(failed.Violations) == 0 {
		return name + ": " + failed.Message
	}
	broken := make([]string, len(failed.Violations)) // the message of an invalid request tells the first one only
	for index, each := range failed.Violations {
		broken[index] = each.Field + ": " + each.Description
	}
	return name + ": " + strings.Join(broken, "; ")
}

// Unwrap is the Kind, and for a call that the caller's context ended that context's error.
func (failed *Error) Unwrap() []error {
	switch failed.Code {
	case codes.Canceled:
		return []error{failed.Kind, context.Canceled}
	case codes.DeadlineExceeded:
		return []error{failed.Kind, context.DeadlineExceeded}
	default:
		return []error{failed.Kind}
	}
}

// GRPCStatus is the status as gRPC's own functions read it.
func (failed *Error) GRPCStatus() *status.Status {
	if failed.status != nil {
		return failed.status
	}
	return status.New(failed.Code, failed.Message)
}

// ErrorOf is what a failed call of the generated stubs says, with everything the server told; nil for nil.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	said := status.Convert(err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		said = status.FromContextError(err)
	}
	failed := &Error{Code: said.Code(), Message: said.Message(), status: said}
	for _, detail := range said.Details() { // one that cannot be read comes as an error, and hides nothing else
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == errorDomain {
				failed.Reason = detail.GetReason()
				failed.Metadata = maps.Clone(detail.GetMetadata())
			}
		case *errdetails.BadRequest:
			for _, broken := range detail.GetFieldViolations() {
				failed.Violations = append(failed.Violations, FieldViolation{broken.GetField(), broken.GetDescription()})
			}
		case *errdetails.RetryInfo:
			failed.RetryDelay = detail.GetRetryDelay().AsDuration()
		}
	}
	failed.Kind = kindOf(failed.Code, failed.Reason)
	return failed
}

func kindOf(code codes.Code, reason string) *Kind {
	if kind := byReason[reason]; kind != nil {
		return kind
	}
	if kind := byCode[code]; kind != nil {
		return kind
	}
	return ErrLotkeeper
}

func newError(code codes.Code, reason, message string, metadata map[string]string) *Error {
	return &Error{Kind: kindOf(code, reason), Code: code, Reason: reason, Message: message, Metadata: metadata}
}

// Agreed says whether ledger and broker are known to agree; never where the report does not hold every difference.
func Agreed(report *pb.ReconcileResponse) bool {
	return report.GetComplete() && len(Outstanding(report)) == 0 &&
		int(report.GetDiscrepancyCount()) <= len(report.GetDiscrepancies())
}

// Outstanding are the differences that still stand: not repaired in this run, not ignored by a person, and more than
// information.
func Outstanding(report *pb.ReconcileResponse) []*pb.Discrepancy {
	var standing []*pb.Discrepancy
	for _, found := range report.GetDiscrepancies() {
		if !found.GetApplied() && !found.GetIgnored() && found.GetSeverity() != pb.Severity_SEVERITY_INFO {
			standing = append(standing, found)
		}
	}
	return standing
}

func notReconciled(report *pb.ReconcileResponse) *Error {
	standing := Outstanding(report)
	var said []string
	for _, found := range standing[:min(len(standing), explained)] {
		said = append(said, found.GetExplanation())
	}
	if more := len(standing) - explained; more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	if !report.GetComplete() {
		said = append(said, "the broker did not say everything")
	}
	failed := newError(codes.FailedPrecondition, "NOT_RECONCILED",
		fmt.Sprintf("reconciliation %s: %s", report.GetReconciliationId(), strings.Join(said, "; ")), nil)
	failed.Kind, failed.Report = ErrNotReconciled, report
	return failed
}
