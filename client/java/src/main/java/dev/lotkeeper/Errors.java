package dev.lotkeeper;

import dev.lotkeeper.v1.ReconcileResponse;
import io.grpc.Status.Code;
import java.util.Map;
import java.util.function.Function;

/**
 * What the ledger refuses, as exceptions to catch by what one can do about it.
 *
 * <pre>
 * LotkeeperError                  everything below; raised itself for what this client does not know yet
 * ├── InvalidRequest              the request broke a rule; violations names every broken field
 * │   └── InvalidPageToken        the pages of a read expired; start the read again
 * ├── Conflict                    recorded before with other content; nothing was written
 * │   ├── FillConflict            the fill id: metadata names the first differing field
 * │   ├── RequestIdReused         the request id
 * │   └── PortfolioExists         the portfolio, with other terms: metadata names the field
 * ├── BookRefused                 the lots that are open do not allow it; nothing was written
 * │   ├── InsufficientQuantity    metadata: open_quantity, requested_quantity
 * │   ├── NoOpenPosition
 * │   ├── OppositeSideOpen        metadata: open_side, open_quantity
 * │   ├── LongOnly                metadata: symbol, open_quantity
 * │   └── LotNotOpen              metadata: entry_id, open_quantity
 * ├── TermsRefused                the terms of the portfolio or instrument do not allow it; nothing was written
 * │   ├── PortfolioClosed         metadata: portfolio_id
 * │   ├── PortfolioNotEmpty       metadata: symbol
 * │   ├── PortfolioInUse          metadata: field
 * │   ├── InstrumentNotDeclared   metadata: symbol
 * │   ├── InstrumentInUse         metadata: symbol, field, open_quantity
 * │   └── TradingModeMismatch     metadata: portfolio_id
 * ├── HistoryRefused              what is recorded already does not allow it; nothing was written
 * │   ├── FillBusted              metadata: fill_id, sequence
 * │   └── LaterCommandRefused     metadata: sequence, fill_id and reason of the first such command
 * ├── Restrained                  the broker holds something else, and a person has not decided yet
 * │   ├── SymbolFrozen            metadata: portfolio_id, symbol, discrepancy_id
 * │   └── PortfolioHalted         metadata: portfolio_id, discrepancy_id
 * ├── DiscrepancyNotOpen          metadata: discrepancy_id, state
 * ├── NotReconciled               report: why ledger and broker are not known to agree
 * ├── NotFound
 * │   ├── PortfolioNotFound
 * │   ├── BrokerAccountNotFound
 * │   ├── InstrumentNotFound      metadata: symbol
 * │   ├── FillNotFound            metadata: fill_id
 * │   ├── TradeNotFound           metadata: trade_id
 * │   ├── DiscrepancyNotFound     metadata: discrepancy_id
 * │   ├── ReconciliationNotFound  metadata: reconciliation_id
 * │   └── ResolutionNotFound      metadata: resolution_id
 * ├── OtherHistory                a sequence that is not one of this ledger's
 * │   ├── SequenceAhead           metadata: latest_sequence
 * │   └── LedgerReplaced          restored or another one: what was collected from it starts again
 * ├── AccessDenied
 * │   ├── TokenMissing
 * │   ├── TokenInvalid
 * │   └── PortfolioForbidden
 * ├── LimitReached
 * │   ├── TooManyStreams
 * │   └── DiskFull                reads and streams go on
 * ├── TryAgain                    recorded or not: send it again with the same ids, it counts once
 * │   ├── WriteQueueFull
 * │   ├── Unavailable             the connection was lost, or:
 * │   │   ├── StorageUnavailable
 * │   │   ├── ServerDraining
 * │   │   ├── BrokerUnavailable
 * │   │   └── Fenced              another server has the database now
 * │   └── DeadlineExceeded
 * ├── NotYetImplemented           metadata: feature
 * └── ServerFault                 a bug or worse, on the other side
 *     ├── LedgerCorrupt
 *     └── InternalError
 * </pre>
 *
 * gRPC gives one class for everything, with the reason in binary metadata; bots need {@code catch (Errors.FillConflict ...)}.
 * Therefore each reason of the contract has a class; a reason newer than this client raises its status code's, and keeps its
 * name.
 */
public final class Errors {

    private static final Map<String, Function<LotkeeperError.Details, LotkeeperError>> BY_REASON = Map.ofEntries(
            Map.entry("FIELD_VIOLATION", InvalidRequest::new),
            Map.entry("INVALID_PAGE_TOKEN", InvalidPageToken::new),
            Map.entry("REQUEST_ID_REUSED", RequestIdReused::new),
            Map.entry("FILL_CONFLICT", FillConflict::new),
            Map.entry("INSUFFICIENT_QUANTITY", InsufficientQuantity::new),
            Map.entry("NO_OPEN_POSITION", NoOpenPosition::new),
            Map.entry("OPPOSITE_SIDE_OPEN", OppositeSideOpen::new),
            Map.entry("PORTFOLIO_NOT_FOUND", PortfolioNotFound::new),
            Map.entry("SEQUENCE_AHEAD", SequenceAhead::new),
            Map.entry("LEDGER_REPLACED", LedgerReplaced::new),
            Map.entry("TOKEN_MISSING", TokenMissing::new),
            Map.entry("TOKEN_INVALID", TokenInvalid::new),
            Map.entry("PORTFOLIO_FORBIDDEN", PortfolioForbidden::new),
            Map.entry("TOO_MANY_STREAMS", TooManyStreams::new),
            Map.entry("WRITE_QUEUE_FULL", WriteQueueFull::new),
            Map.entry("STORAGE_UNAVAILABLE", StorageUnavailable::new),
            Map.entry("SERVER_DRAINING", ServerDraining::new),
            Map.entry("BROKER_UNAVAILABLE", BrokerUnavailable::new),
            Map.entry("LEDGER_CORRUPT", LedgerCorrupt::new),
            Map.entry("INTERNAL_ERROR", InternalError::new),
            Map.entry("BROKER_ACCOUNT_NOT_FOUND", BrokerAccountNotFound::new),
            Map.entry("DISK_FULL", DiskFull::new),
            Map.entry("FENCED", Fenced::new),
            Map.entry("NOT_YET_IMPLEMENTED", NotYetImplemented::new),
            Map.entry("PORTFOLIO_EXISTS", PortfolioExists::new),
            Map.entry("PORTFOLIO_CLOSED", PortfolioClosed::new),
            Map.entry("PORTFOLIO_NOT_EMPTY", PortfolioNotEmpty::new),
            Map.entry("PORTFOLIO_IN_USE", PortfolioInUse::new),
            Map.entry("INSTRUMENT_NOT_DECLARED", InstrumentNotDeclared::new),
            Map.entry("INSTRUMENT_IN_USE", InstrumentInUse::new),
            Map.entry("LONG_ONLY", LongOnly::new),
            Map.entry("LOT_NOT_OPEN", LotNotOpen::new),
            Map.entry("FILL_NOT_FOUND", FillNotFound::new),
            Map.entry("FILL_BUSTED", FillBusted::new),
            Map.entry("LATER_COMMAND_REFUSED", LaterCommandRefused::new),
            Map.entry("TRADE_NOT_FOUND", TradeNotFound::new),
            Map.entry("INSTRUMENT_NOT_FOUND", InstrumentNotFound::new),
            Map.entry("SYMBOL_FROZEN", SymbolFrozen::new),
            Map.entry("PORTFOLIO_HALTED", PortfolioHalted::new),
            Map.entry("DISCREPANCY_NOT_FOUND", DiscrepancyNotFound::new),
            Map.entry("DISCREPANCY_NOT_OPEN", DiscrepancyNotOpen::new),
            Map.entry("RECONCILIATION_NOT_FOUND", ReconciliationNotFound::new),
            Map.entry("RESOLUTION_NOT_FOUND", ResolutionNotFound::new),
            Map.entry("TRADING_MODE", TradingModeMismatch::new));

    private static final Map<Code, Function<LotkeeperError.Details, LotkeeperError>> BY_CODE = Map.ofEntries(
            Map.entry(Code.INVALID_ARGUMENT, InvalidRequest::new),
            Map.entry(Code.ALREADY_EXISTS, Conflict::new),
            Map.entry(Code.NOT_FOUND, NotFound::new),
            Map.entry(Code.UNAUTHENTICATED, AccessDenied::new),
            Map.entry(Code.PERMISSION_DENIED, AccessDenied::new),
            Map.entry(Code.RESOURCE_EXHAUSTED, LimitReached::new),
            Map.entry(Code.UNAVAILABLE, Unavailable::new),
            Map.entry(Code.DEADLINE_EXCEEDED, DeadlineExceeded::new),
            Map.entry(Code.UNIMPLEMENTED, NotYetImplemented::new),
            Map.entry(Code.DATA_LOSS, ServerFault::new),
            Map.entry(Code.INTERNAL, ServerFault::new),
            Map.entry(Code.UNKNOWN, ServerFault::new));

    private Errors() {}

    /** The exception for what was said: of its reason's class, or else of its status code's. */
    static LotkeeperError of(LotkeeperError.Details details) {
        return BY_REASON.getOrDefault(details.reason(), BY_CODE.getOrDefault(details.code(), LotkeeperError::new)).apply(details);
    }

    /** The request broke a rule of the contract; {@code violations} names every broken field. */
    public static class InvalidRequest extends LotkeeperError {
        InvalidRequest(Details details) {
            super(details);
        }
    }

    /** The pages of a read expired, or the token is another read's: start the read again. */
    public static class InvalidPageToken extends InvalidRequest {
        InvalidPageToken(Details details) {
            super(details);
        }
    }

    /** Recorded before with other content; nothing was written. */
    public static class Conflict extends LotkeeperError {
        Conflict(Details details) {
            super(details);
        }
    }

    /** The fill id was recorded with other content; {@code metadata} names the first differing field. */
    public static class FillConflict extends Conflict {
        FillConflict(Details details) {
            super(details);
        }
    }

    /** The request id was used with other content, or by another method. */
    public static class RequestIdReused extends Conflict {
        RequestIdReused(Details details) {
            super(details);
        }
    }

    /** The portfolio exists with other terms; {@code metadata} names the first differing field. */
    public static class PortfolioExists extends Conflict {
        PortfolioExists(Details details) {
            super(details);
        }
    }

    /** The lots that are open do not allow it; nothing was written. */
    public static class BookRefused extends LotkeeperError {
        BookRefused(Details details) {
            super(details);
        }
    }

    /** Fewer are open than the close asks for. */
    public static class InsufficientQuantity extends BookRefused {
        InsufficientQuantity(Details details) {
            super(details);
        }
    }

    /** Nothing is open on that side. */
    public static class NoOpenPosition extends BookRefused {
        NoOpenPosition(Details details) {
            super(details);
        }
    }

    /** The other side is open. */
    public static class OppositeSideOpen extends BookRefused {
        OppositeSideOpen(Details details) {
            super(details);
        }
    }

    /** The portfolio is long-only, and this would make it short. */
    public static class LongOnly extends BookRefused {
        LongOnly(Details details) {
            super(details);
        }
    }

    /** A lot that the close names is not open, or not that much of it. */
    public static class LotNotOpen extends BookRefused {
        LotNotOpen(Details details) {
            super(details);
        }
    }

    /** The terms of the portfolio or the instrument do not allow it; nothing was written. */
    public static class TermsRefused extends LotkeeperError {
        TermsRefused(Details details) {
            super(details);
        }
    }

    /** The portfolio is closed and takes no more commands. */
    public static class PortfolioClosed extends TermsRefused {
        PortfolioClosed(Details details) {
            super(details);
        }
    }

    /** A portfolio with open lots cannot be closed: close them first. */
    public static class PortfolioNotEmpty extends TermsRefused {
        PortfolioNotEmpty(Details details) {
            super(details);
        }
    }

    /** What was agreed before the portfolio's first record cannot be changed after it. */
    public static class PortfolioInUse extends TermsRefused {
        PortfolioInUse(Details details) {
            super(details);
        }
    }

    /** A contract or an option that nobody has declared: {@code defineInstrument} first. */
    public static class InstrumentNotDeclared extends TermsRefused {
        InstrumentNotDeclared(Details details) {
            super(details);
        }
    }

    /** Lots of the instrument are open, so this of it cannot change. */
    public static class InstrumentInUse extends TermsRefused {
        InstrumentInUse(Details details) {
            super(details);
        }
    }

    /** A portfolio is of another trading mode than was asked for. */
    public static class TradingModeMismatch extends TermsRefused {
        TradingModeMismatch(Details details) {
            super(details);
        }
    }

    /** What is recorded already does not allow it; nothing was written. */
    public static class HistoryRefused extends LotkeeperError {
        HistoryRefused(Details details) {
            super(details);
        }
    }

    /** The execution was busted before. */
    public static class FillBusted extends HistoryRefused {
        FillBusted(Details details) {
            super(details);
        }
    }

    /** With this change a later command would have been refused; {@code metadata} names the first such command. */
    public static class LaterCommandRefused extends HistoryRefused {
        LaterCommandRefused(Details details) {
            super(details);
        }
    }

    /** The broker holds something else than the ledger: this waits until a person has decided; nothing was written. */
    public static class Restrained extends LotkeeperError {
        Restrained(Details details) {
            super(details);
        }
    }

    /** New entries of this symbol wait: {@code resolveDiscrepancy} first. */
    public static class SymbolFrozen extends Restrained {
        SymbolFrozen(Details details) {
            super(details);
        }
    }

    /** Every execution of this portfolio waits: {@code resolveDiscrepancy} first. */
    public static class PortfolioHalted extends Restrained {
        PortfolioHalted(Details details) {
            super(details);
        }
    }

    /** The difference was resolved before, or is not there any more; {@code metadata} tells which. */
    public static class DiscrepancyNotOpen extends LotkeeperError {
        DiscrepancyNotOpen(Details details) {
            super(details);
        }
    }

    /** Ledger and broker are not known to agree; raised by the client, and only where it was asked for. */
    public static class NotReconciled extends LotkeeperError {
        private final transient ReconcileResponse report;

        NotReconciled(Details details, ReconcileResponse report) {
            super(details);
            this.report = report;
        }

        /** What was compared and found. */
        public ReconcileResponse report() {
            return report;
        }
    }

    /** No such thing in this ledger. */
    public static class NotFound extends LotkeeperError {
        NotFound(Details details) {
            super(details);
        }
    }

    /** No such portfolio; the first fill makes it. */
    public static class PortfolioNotFound extends NotFound {
        PortfolioNotFound(Details details) {
            super(details);
        }
    }

    /** No such broker account is configured. */
    public static class BrokerAccountNotFound extends NotFound {
        BrokerAccountNotFound(Details details) {
            super(details);
        }
    }

    /** No such instrument. */
    public static class InstrumentNotFound extends NotFound {
        InstrumentNotFound(Details details) {
            super(details);
        }
    }

    /** No such execution is recorded. */
    public static class FillNotFound extends NotFound {
        FillNotFound(Details details) {
            super(details);
        }
    }

    /** No such closed trade. */
    public static class TradeNotFound extends NotFound {
        TradeNotFound(Details details) {
            super(details);
        }
    }

    /** No such difference. */
    public static class DiscrepancyNotFound extends NotFound {
        DiscrepancyNotFound(Details details) {
            super(details);
        }
    }

    /** No such report. */
    public static class ReconciliationNotFound extends NotFound {
        ReconciliationNotFound(Details details) {
            super(details);
        }
    }

    /** No such resolution, or it was taken back. */
    public static class ResolutionNotFound extends NotFound {
        ResolutionNotFound(Details details) {
            super(details);
        }
    }

    /** A sequence that is not one of this ledger's. */
    public static class OtherHistory extends LotkeeperError {
        OtherHistory(Details details) {
            super(details);
        }
    }

    /** The sequence is ahead of this ledger. */
    public static class SequenceAhead extends OtherHistory {
        SequenceAhead(Details details) {
            super(details);
        }
    }

    /** The ledger is another one, or was restored: what was collected from the old one starts again. */
    public static class LedgerReplaced extends OtherHistory {
        LedgerReplaced(Details details) {
            super(details);
        }
    }

    /** Credentials are missing, not accepted, or do not cover this. */
    public static class AccessDenied extends LotkeeperError {
        AccessDenied(Details details) {
            super(details);
        }
    }

    /** No credentials were sent. */
    public static class TokenMissing extends AccessDenied {
        TokenMissing(Details details) {
            super(details);
        }
    }

    /** The credentials were not accepted. */
    public static class TokenInvalid extends AccessDenied {
        TokenInvalid(Details details) {
            super(details);
        }
    }

    /** The credentials do not cover the portfolio or the method. */
    public static class PortfolioForbidden extends AccessDenied {
        PortfolioForbidden(Details details) {
            super(details);
        }
    }

    /** A limit of the server, or of the message size. */
    public static class LimitReached extends LotkeeperError {
        LimitReached(Details details) {
            super(details);
        }
    }

    /** Close another stream first. */
    public static class TooManyStreams extends LimitReached {
        TooManyStreams(Details details) {
            super(details);
        }
    }

    /** The server's disk is full; nothing was written, reads and streams go on. */
    public static class DiskFull extends LimitReached {
        DiskFull(Details details) {
            super(details);
        }
    }

    /** Nothing is wrong with the request: send it again with the same ids, it counts once. */
    public static class TryAgain extends LotkeeperError {
        TryAgain(Details details) {
            super(details);
        }
    }

    /** The server has more writes waiting than it takes; nothing was written. */
    public static class WriteQueueFull extends TryAgain {
        WriteQueueFull(Details details) {
            super(details);
        }
    }

    /** The connection was lost, or the server cannot answer now. */
    public static class Unavailable extends TryAgain {
        Unavailable(Details details) {
            super(details);
        }
    }

    /** The database is locked or unreachable; whether the write was recorded, the next try tells. */
    public static class StorageUnavailable extends Unavailable {
        StorageUnavailable(Details details) {
            super(details);
        }
    }

    /** The server is shutting down. */
    public static class ServerDraining extends Unavailable {
        ServerDraining(Details details) {
            super(details);
        }
    }

    /** The broker did not answer, or not completely. */
    public static class BrokerUnavailable extends Unavailable {
        BrokerUnavailable(Details details) {
            super(details);
        }
    }

    /** Another server has taken the database over; the address may soon lead there. */
    public static class Fenced extends Unavailable {
        Fenced(Details details) {
            super(details);
        }
    }

    /** No answer within the timeout. */
    public static class DeadlineExceeded extends TryAgain {
        DeadlineExceeded(Details details) {
            super(details);
        }
    }

    /** This version of the server does not do it yet. */
    public static class NotYetImplemented extends LotkeeperError {
        NotYetImplemented(Details details) {
            super(details);
        }
    }

    /** A bug or worse, on the other side. */
    public static class ServerFault extends LotkeeperError {
        ServerFault(Details details) {
            super(details);
        }
    }

    /** An invariant of the ledger does not hold; its writes are stopped. */
    public static class LedgerCorrupt extends ServerFault {
        LedgerCorrupt(Details details) {
            super(details);
        }
    }

    /** A bug of the server. */
    public static class InternalError extends ServerFault {
        InternalError(Details details) {
            super(details);
        }
    }
}
