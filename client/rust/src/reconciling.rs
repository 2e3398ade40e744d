//! Is the ledger right about the broker: compare, look at what differs, decide about it.
//!
//! A bot that starts on books that are not the broker's trades on positions that are not there, so
//! `reconcile_on_startup` is one call that it puts first. Nothing is changed but by `ReconcileMode::Apply`.

use std::time::Duration;

use crate::connect::Ledger;
use crate::errors::Error;
use crate::v1::reconcile_request::Source;
use crate::v1::{Discrepancy, ReconcileMode, ReconcileRequest, ReconcileResponse, Severity};

/// How long `reconcile` may take where the ledger's timeout is shorter: a server asks its broker for 30 s and, where
/// something differs, once more.
pub const BROKER_TIMEOUT: Duration = Duration::from_secs(120);

impl Ledger {
    /// Compares the ledger with the broker: a configured `broker_account`, or the `statement` that is passed.
    ///
    /// Empty `portfolio_ids` are those configured for the account, or the portfolio given to `connect`.
    /// `ReconcileMode::Apply` takes a `request_id`, so that a retry gets the same report. It may take [`BROKER_TIMEOUT`],
    /// or the ledger's timeout where that is longer.
    ///
    /// # Errors
    /// [`Kind::ValueError`](crate::Kind::ValueError): no source, or `Apply` without a `request_id`.
    /// [`Kind::BrokerUnavailable`](crate::Kind::BrokerUnavailable): nothing is known, and nothing was changed. Or what
    /// else the ledger refused, or no answer in time.
    pub async fn reconcile(&self, mut request: ReconcileRequest) -> Result<ReconcileResponse, Error> {
        let by_account = match &request.source {
            Some(Source::BrokerAccount(account)) if !account.is_empty() => true,
            Some(Source::Statement(_)) => false,
            _ => {
                return Err(Error::value(
                    "reconcile: pass a broker_account or a statement; neither was given".to_owned(),
                ));
            }
        };
        if request.mode() == ReconcileMode::Apply && request.request_id.is_empty() {
            return Err(Error::value(
                "reconcile: APPLY without a request_id: a retry after a lost answer could not be told from another run. \
                 Pass a request_id made before the first try and kept for the next."
                    .to_owned(),
            ));
        }
        if request.portfolio_ids.is_empty() && !by_account {
            let portfolio = if self.portfolio.is_empty() { "default" } else { &self.portfolio };
            request.portfolio_ids.push(portfolio.to_owned());
        }
        let send = |request| {
            let mut stub = self.ledger_stub();
            async move { stub.reconcile(request).await }
        };
        self.carry_out("reconcile", self.timeout.max(BROKER_TIMEOUT), &request, send).await
    }

    /// What a bot calls first: compare the ledger with the broker and, with `ReconcileMode::Apply`, repair what the rules
    /// allow.
    ///
    /// With `require_agreement` the bot gets no further where the two are not known to agree. Each call is a run of its
    /// own, and a repair that was made is found made.
    ///
    /// # Errors
    /// [`Kind::NotReconciled`](crate::Kind::NotReconciled): they are not known to agree, and it was required;
    /// [`Error::report`] tells why. Or as [`reconcile`](Self::reconcile).
    pub async fn reconcile_on_startup(
        &self,
        request: ReconcileRequest,
        require_agreement: bool,
    ) -> Result<ReconcileResponse, Error> {
        let request_id = format!("startup-{:032x}", fastrand::u128(..));
        let report = self.reconcile(ReconcileRequest { request_id, ..request }).await?;
        if require_agreement && !agreed(&report) {
            return Err(Error::not_reconciled(report));
        }
        Ok(report)
    }
}

/// Differences that still stand: not repaired in this run, not ignored by a person, and more than information.
pub fn outstanding(report: &ReconcileResponse) -> Vec<&Discrepancy> {
    let stands = |found: &&Discrepancy| !found.applied && !found.ignored && found.severity() != Severity::Info;
    report.discrepancies.iter().filter(stands).collect()
}

/// Whether ledger and broker are known to agree; never where the answer does not hold every difference.
pub fn agreed(report: &ReconcileResponse) -> bool {
    let told = i32::try_from(report.discrepancies.len()).unwrap_or(i32::MAX);
    report.complete && outstanding(report).is_empty() && report.discrepancy_count <= told
}
