//! What the ledger refuses, as kinds to ask for by what one can do about it.
//!
//! gRPC gives one type for everything, with the reason in binary details; bots need "is it a conflict?". Therefore each
//! reason of the contract is a [`Kind`], and so is each group of them that is handled alike:
//!
//! ```
//! # fn handle(error: lotkeeper::Error) {
//! use lotkeeper::Kind;
//!
//! if error.is(Kind::FillConflict) { /* this reason */ }
//! if error.is(Kind::TryAgain) { /* any of its group */ }
//! # }
//! ```
//!
//! A reason newer than this client is of its status code's kind, and keeps its name.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt};

use crate::connect::chain;
use crate::v1::ReconcileResponse;

const DOMAIN: &str = "lotkeeper";
const EXPLAINED: usize = 5; // differences that the words of NotReconciled tell; its report has all

macro_rules! kinds {
    ($($(#[$words:meta])* $kind:ident in $group:ident $(for $reason:literal)?;)*) => {
        /// What kind of error it is: one reason, or a group of them. Each group stands before what belongs to it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            /// What was passed cannot be sent, or would not be safe to; nothing was sent.
            ValueError,
            /// Anything the ledger, or the way to it, answered instead of the result.
            LotkeeperError,
            $($(#[$words])* $kind,)*
        }

        impl Kind {
            /// The group that it belongs to.
            pub fn group(self) -> Option<Kind> {
                match self {
                    Kind::ValueError | Kind::LotkeeperError => None,
                    $(Kind::$kind => Some(Kind::$group),)*
                }
            }

            fn of_reason(reason: &str) -> Option<Kind> {
                match reason {
                    $($($reason => Some(Kind::$kind),)?)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// The request broke a rule of the contract; `violations` names every broken field.
    InvalidRequest in LotkeeperError for "FIELD_VIOLATION";
    /// The pages of a read expired, or the token is another read's: start the read again.
    InvalidPageToken in InvalidRequest for "INVALID_PAGE_TOKEN";

    /// Recorded before with other content; nothing was written.
    Conflict in LotkeeperError;
    /// The fill id was recorded with other content; `metadata` names the first differing field.
    FillConflict in Conflict for "FILL_CONFLICT";
    /// The request id was used with other content, or by another method.
    RequestIdReused in Conflict for "REQUEST_ID_REUSED";
    /// The portfolio exists with other terms; `metadata` names the first differing field.
    PortfolioExists in Conflict for "PORTFOLIO_EXISTS";

    /// The lots that are open do not allow it; nothing was written.
    BookRefused in LotkeeperError;
    /// Fewer are open than the close asks for; `metadata`: open_quantity, requested_quantity.
    InsufficientQuantity in BookRefused for "INSUFFICIENT_QUANTITY";
    /// Nothing is open on that side.
    NoOpenPosition in BookRefused for "NO_OPEN_POSITION";
    /// The other side is open; `metadata`: open_side, open_quantity.
    OppositeSideOpen in BookRefused for "OPPOSITE_SIDE_OPEN";
    /// The portfolio is long-only, and this would make it short; `metadata`: symbol, open_quantity.
    LongOnly in BookRefused for "LONG_ONLY";
    /// A lot that the close names is not open, or not that much of it; `metadata`: entry_id, open_quantity.
    LotNotOpen in BookRefused for "LOT_NOT_OPEN";

    /// The terms of the portfolio or the instrument do not allow it; nothing was written.
    TermsRefused in LotkeeperError;
    /// The portfolio is closed and takes no more commands; `metadata`: portfolio_id.
    PortfolioClosed in TermsRefused for "PORTFOLIO_CLOSED";
    /// A portfolio with open lots cannot be closed: close them first; `metadata`: symbol.
    PortfolioNotEmpty in TermsRefused for "PORTFOLIO_NOT_EMPTY";
    /// What was agreed before the portfolio's first record cannot be changed after it; `metadata`: field.
    PortfolioInUse in TermsRefused for "PORTFOLIO_IN_USE";
    /// A contract or an option that nobody has declared: `define_instrument` first; `metadata`: symbol.
    InstrumentNotDeclared in TermsRefused for "INSTRUMENT_NOT_DECLARED";
    /// Lots of the instrument are open, so this of it cannot change; `metadata`: symbol, field, open_quantity.
    InstrumentInUse in TermsRefused for "INSTRUMENT_IN_USE";
    /// A portfolio is of another trading mode than was asked for; `metadata`: portfolio_id.
    TradingModeMismatch in TermsRefused for "TRADING_MODE";

    /// What is recorded already does not allow it; nothing was written.
    HistoryRefused in LotkeeperError;
    /// The execution was busted before; `metadata`: fill_id, sequence.
    FillBusted in HistoryRefused for "FILL_BUSTED";
    /// With this change a later command would have been refused; `metadata`: sequence, fill_id and reason of the first.
    LaterCommandRefused in HistoryRefused for "LATER_COMMAND_REFUSED";

    /// The broker holds something else than the ledger: this waits until a person has decided; nothing was written.
    Restrained in LotkeeperError;
    /// New entries of this symbol wait: `resolve_discrepancy` first; `metadata`: portfolio_id, symbol, discrepancy_id.
    SymbolFrozen in Restrained for "SYMBOL_FROZEN";
    /// Every execution of this portfolio waits: `resolve_discrepancy` first; `metadata`: portfolio_id, discrepancy_id.
    PortfolioHalted in Restrained for "PORTFOLIO_HALTED";

    /// The difference was resolved before, or is not there any more; `metadata`: discrepancy_id, state.
    DiscrepancyNotOpen in LotkeeperError for "DISCREPANCY_NOT_OPEN";

    /// Ledger and broker are not known to agree; made by the client, and only where it was asked for; `report` tells why.
    NotReconciled in LotkeeperError;

    /// No such thing in this ledger.
    NotFound in LotkeeperError;
    /// No such portfolio; the first fill makes it.
    PortfolioNotFound in NotFound for "PORTFOLIO_NOT_FOUND";
    /// No such broker account is configured.
    BrokerAccountNotFound in NotFound for "BROKER_ACCOUNT_NOT_FOUND";
    /// No such instrument; `metadata`: symbol.
    InstrumentNotFound in NotFound for "INSTRUMENT_NOT_FOUND";
    /// No such execution is recorded; `metadata`: fill_id.
    FillNotFound in NotFound for "FILL_NOT_FOUND";
    /// No such closed trade; `metadata`: trade_id.
    TradeNotFound in NotFound for "TRADE_NOT_FOUND";
    /// No such difference; `metadata`: discrepancy_id.
    DiscrepancyNotFound in NotFound for "DISCREPANCY_NOT_FOUND";
    /// No such report; `metadata`: reconciliation_id.
    ReconciliationNotFound in NotFound for "RECONCILIATION_NOT_FOUND";
    /// No such resolution, or it was taken back; `metadata`: resolution_id.
    ResolutionNotFound in NotFound for "RESOLUTION_NOT_FOUND";

    /// A sequence that is not one of this ledger's.
    OtherHistory in LotkeeperError;
    /// The sequence is ahead of this ledger; `metadata`: latest_sequence.
    SequenceAhead in OtherHistory for "SEQUENCE_AHEAD";
    /// The ledger is another one, or was restored: what was collected from the old one starts again.
    LedgerReplaced in OtherHistory for "LEDGER_REPLACED";

    /// Credentials are missing, not accepted, or do not cover this.
    AccessDenied in LotkeeperError;
    /// No credentials were sent.
    TokenMissing in AccessDenied for "TOKEN_MISSING";
    /// The credentials were not accepted.
    TokenInvalid in AccessDenied for "TOKEN_INVALID";
    /// The credentials do not cover the portfolio or the method.
    PortfolioForbidden in AccessDenied for "PORTFOLIO_FORBIDDEN";

    /// A limit of the server, or of the message size.
    LimitReached in LotkeeperError;
    /// Close another stream first.
    TooManyStreams in LimitReached for "TOO_MANY_STREAMS";
    /// The server's disk is full; nothing was written, reads and streams go on.
    DiskFull in LimitReached for "DISK_FULL";

    /// Nothing is wrong with the request: send it again with the same ids, it counts once.
    TryAgain in LotkeeperError;
    /// The server has more writes waiting than it takes; nothing was written.
    WriteQueueFull in TryAgain for "WRITE_QUEUE_FULL";
    /// The connection was lost, or the server cannot answer now.
    Unavailable in TryAgain;
    /// The database is locked or unreachable; whether the write was recorded, the next try tells.
    StorageUnavailable in Unavailable for "STORAGE_UNAVAILABLE";
    /// The server is shutting down.
    ServerDraining in Unavailable for "SERVER_DRAINING";
    /// The broker did not answer, or not completely.
    BrokerUnavailable in Unavailable for "BROKER_UNAVAILABLE";
    /// Another server has taken the database over; the address may soon lead there.
    Fenced in Unavailable for "FENCED";
    /// No answer within the timeout.
    DeadlineExceeded in TryAgain;

    /// This version of the server does not do it yet; `metadata`: feature.
    NotYetImplemented in LotkeeperError for "NOT_YET_IMPLEMENTED";

    /// A bug or worse, on the other side.
    ServerFault in LotkeeperError;
    /// An invariant of the ledger does not hold; its writes are stopped.
    LedgerCorrupt in ServerFault for "LEDGER_CORRUPT";
    /// A bug of the server.
    InternalError in ServerFault for "INTERNAL_ERROR";
}

impl Kind {
    fn of_code(code: Code) -> Kind {
        match code {
            Code::InvalidArgument => Kind::InvalidRequest,
            Code::AlreadyExists => Kind::Conflict,
            Code::NotFound => Kind::NotFound,
            Code::Unauthenticated | Code::PermissionDenied => Kind::AccessDenied,
            Code::ResourceExhausted => Kind::LimitReached,
            Code::Unavailable => Kind::Unavailable,
            Code::DeadlineExceeded => Kind::DeadlineExceeded,
            Code::Unimplemented => Kind::NotYetImplemented,
            Code::DataLoss | Code::Internal | Code::Unknown => Kind::ServerFault,
            _ => Kind::LotkeeperError,
        }
    }
}

/// One broken field of a request, and the rule it broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Name of the field, with a path where it is inside another.
    pub field: String,
    /// The rule, the value and the way out.
    pub description: String,
}

/// Anything the ledger, or the way to it, answered instead of the result.
#[derive(Clone)]
pub struct Error(Box<Told>);

#[derive(Clone, Debug)]
struct Told {
    kind: Kind,
    code: Code,
    reason: String,
    message: String,
    metadata: BTreeMap<String, String>,
    violations: Vec<FieldViolation>,
    retry_delay: Option<Duration>,
    report: Option<ReconcileResponse>,
    lost: bool,
    cause: Option<Error>,
}

impl Error {
    pub(crate) fn new(code: Code, reason: &str, message: String) -> Self {
        Self(Box::new(Told {
            kind: Kind::of_reason(reason).unwrap_or(Kind::of_code(code)),
            code,
            reason: reason.to_owned(),
            message,
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            retry_delay: None,
            report: None,
            lost: false,
            cause: None,
        }))
    }

    pub(crate) fn value(message: String) -> Self {
        let mut error = Self::new(Code::InvalidArgument, "", message);
        error.0.kind = Kind::ValueError;
        error
    }

    /// The error of a connection that was lost, or could not be made.
    pub(crate) fn lost(message: String) -> Self {
        let mut error = Self::new(Code::Unavailable, "", message);
        error.0.lost = true;
        error
    }

    pub(crate) fn ledger_replaced(before: &str, now: &str) -> Self {
        let mut error = Self::new(
            Code::FailedPrecondition,
            "LEDGER_REPLACED",
            format!(
                "the stream was of ledger {before} and is now of {now}: drop what was collected and start a new stream"
            ),
        );
        error.0.metadata.insert("ledger_id".to_owned(), now.to_owned());
        error
    }

    pub(crate) fn not_reconciled(report: ReconcileResponse) -> Self {
        let standing = crate::reconciling::outstanding(&report);
        let mut said: Vec<_> = standing.iter().take(EXPLAINED).map(|found| found.explanation.clone()).collect();
        if standing.len() > EXPLAINED {
            said.push(format!("and {} more", standing.len() - EXPLAINED));
        }
        if !report.complete {
            said.push("the broker did not say everything".to_owned());
        }
        let message = format!("reconciliation {}: {}", report.reconciliation_id, said.join("; "));
        let mut error = Self::new(Code::FailedPrecondition, "NOT_RECONCILED", message);
        error.0.kind = Kind::NotReconciled;
        error.0.report = Some(report);
        error
    }

    pub(crate) fn caused_by(mut self, cause: Option<Error>) -> Self {
        self.0.cause = cause;
        self
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.0.lost
    }

    /// Whether it is of this kind, or of a group that is.
    pub fn is(&self, kind: Kind) -> bool {
        std::iter::successors(Some(self.0.kind), |kind| kind.group()).any(|each| each == kind)
    }

    /// Its kind, as near as this client knows it.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The gRPC status code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// `ErrorReason` without its prefix, such as `FILL_CONFLICT`; empty when the ledger gave none.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What was wrong, with the values, and what to do.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the reason carries, by name; all text.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// Every broken field of an invalid request.
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// Time to wait before trying again, when the server says so.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    /// What was compared and found, of [`Kind::NotReconciled`].
    pub fn report(&self) -> Option<&ReconcileResponse> {
        self.0.report.as_ref()
    }
}

impl From<Status> for Error {
    /// The error of a call that failed, with everything the server said about it. A proxy, or gRPC itself, sends a code
    /// and words only. Therefore the kind is chosen by the reason, then by the code, and details that cannot be read
    /// hide nothing else.
    fn from(status: Status) -> Self {
        if let Some(lost) = lost_connection(&status) {
            return lost;
        }
        let mut error = Self::new(status.code(), "", status.message().to_owned());
        for detail in status.get_error_details_vec() {
            match detail {
                ErrorDetail::ErrorInfo(info) if info.domain == DOMAIN => {
                    error.0.kind = Kind::of_reason(&info.reason).unwrap_or(error.0.kind);
                    error.0.reason = info.reason;
                    error.0.metadata = info.metadata.into_iter().collect();
                }
                ErrorDetail::BadRequest(bad) => {
                    error.0.violations = bad
                        .field_violations
                        .into_iter()
                        .map(|broken| FieldViolation { field: broken.field, description: broken.description })
                        .collect();
                }
                ErrorDetail::RetryInfo(retry) => error.0.retry_delay = retry.retry_delay,
                _ => {}
            }
        }
        error
    }
}

/// tonic gives codes of its own to what broke on the way, UNKNOWN or CANCELLED most often, and others when its server is
/// part of the build. A status that the server sent has no source; one that tonic made of a broken connection has. A
/// stream that ends without a status was cut, too.
fn lost_connection(status: &Status) -> Option<Error> {
    if let Some(cause) = std::error::Error::source(status) {
        return Some(Error::lost(format!("the connection was lost, or could not be made: {}", chain(cause))));
    }
    let cut = status.code() == Code::Unknown && status.message().contains("missing grpc-status");
    cut.then(|| Error::lost(format!("the connection was lost: {}", status.message())))
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = &self.0;
        if told.kind == Kind::ValueError {
            return formatter.write_str(&told.message);
        }
        let name = if told.reason.is_empty() { code_name(told.code) } else { &told.reason };
        write!(formatter, "{name}: ")?;
        if told.violations.is_empty() {
            return formatter.write_str(&told.message);
        }
        // The message of an invalid request tells the first broken field only.
        let broken: Vec<_> =
            told.violations.iter().map(|each| format!("{}: {}", each.field, each.description)).collect();
        formatter.write_str(&broken.join("; "))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}({self})", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;
    use crate::v1::ErrorReason;

    fn refused(code: Code, reason: &str, domain: &str) -> Error {
        let metadata = HashMap::from([("field".to_owned(), "price".to_owned())]);
        Status::with_error_details(code, "words", ErrorDetails::with_error_info(reason, domain, metadata)).into()
    }

    /// Every reason of the contract has a kind of its own.
    #[test]
    fn every_reason_has_a_kind() {
        let mut kinds = std::collections::HashSet::new();
        for number in 1.. {
            let Ok(reason) = ErrorReason::try_from(number) else { break };
            let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
            assert!(kinds.insert(Kind::of_reason(name).expect(name)), "{name}");
        }
        assert!(kinds.len() > 40);
    }

    /// A refusal is of its reason's kind and of every group above, with its metadata.
    #[test]
    fn refusals_carry_reason_and_metadata() {
        let error = refused(Code::AlreadyExists, "FILL_CONFLICT", "lotkeeper");
        assert!(error.is(Kind::FillConflict) && error.is(Kind::Conflict) && error.is(Kind::LotkeeperError));
        assert!(!error.is(Kind::TryAgain));
        assert_eq!((error.reason(), error.metadata()["field"].as_str()), ("FILL_CONFLICT", "price"));
        assert_eq!(error.to_string(), "FILL_CONFLICT: words");
    }

    /// A reason this client does not know is of its status code's kind, and keeps its name.
    #[test]
    fn unknown_reasons_keep_their_name() {
        let error = refused(Code::NotFound, "MOON_NOT_FOUND", "lotkeeper");
        assert_eq!((error.kind(), error.reason()), (Kind::NotFound, "MOON_NOT_FOUND"));
    }

    /// The reason of another domain is not the ledger's.
    #[test]
    fn other_domains_say_nothing() {
        let error = refused(Code::NotFound, "FILL_NOT_FOUND", "proxy");
        assert_eq!((error.kind(), error.reason()), (Kind::NotFound, ""));
    }

    /// Details that cannot be read hide nothing else.
    #[test]
    fn garbage_details_hide_nothing() {
        let status =
            Status::with_details(Code::NotFound, "words", prost::bytes::Bytes::from_static(b"\xff\x01garbage"));
        let error = Error::from(status);
        assert_eq!((error.kind(), error.message()), (Kind::NotFound, "words"));
    }
}
