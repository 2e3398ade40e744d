//! Which failures are tried again, and when.
//!
//! A lost connection, a locked database or a full queue pass within seconds in a sidecar. Because every write carries an
//! id, sending it again is safe: the very same message is sent until the deadline. Everything else the server says is an
//! answer, and repeating the question does not change it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Request, Response, Status};

use crate::connect::Ledger;
use crate::errors::Error;

const FIRST_PAUSE: Duration = Duration::from_millis(50); // a local server restarts in a few of these
const PAUSE_GROWTH: u32 = 2;
const LONGEST_PAUSE: Duration = Duration::from_secs(1); // a bot waits for its ledger, it does not go to sleep

/// Whether the same request may succeed by itself soon.
///
/// A broker that did not answer is not: the server has waited for it, and asking on would use up its rate limit.
pub fn is_retryable(error: &Error) -> bool {
    error.reason() != "BROKER_UNAVAILABLE"
        && (error.code() == Code::Unavailable || error.reason() == "WRITE_QUEUE_FULL")
}

/// Pauses before each further try: they grow to the longest, and up to half of each is taken off at random.
#[derive(Debug)]
pub(crate) struct Pauses {
    ceiling: Duration,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { ceiling: FIRST_PAUSE }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.ceiling.mul_f64(1.0 - fastrand::f64() / 2.0);
        self.ceiling = (self.ceiling * PAUSE_GROWTH).min(LONGEST_PAUSE);
        pause
    }
}

/// Time until the next try, after the server's own wish if it has one; `None` if there is none to be made: the error is
/// an answer, or the deadline comes first. Then the error that is known says more than a wait for a deadline would.
fn pause_before_retry(error: &Error, pause: Duration, remaining: Duration) -> Option<Duration> {
    let wait = pause + error.retry_delay().unwrap_or_default();
    (is_retryable(error) && wait < remaining).then_some(wait)
}

/// The tries of one call within one deadline.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    method: &'static str,
    address: &'a str,
    timeout: Duration,
    deadline: Instant,
    pauses: Pauses,
    last: Option<Error>,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(ledger: &'a Ledger, method: &'static str, timeout: Duration, deadline: Instant) -> Self {
        Self { method, address: &ledger.address, timeout, deadline, pauses: Pauses::new(), last: None }
    }

    /// Time that the next try may take.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Time to pause before the next try.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn failed(&mut self, error: Error) -> Result<Duration, Error> {
        match pause_before_retry(&error, self.pauses.next(), self.remaining()) {
            Some(pause) => {
                self.last = Some(error);
                Ok(pause)
            }
            None if error.code() == Code::DeadlineExceeded => Err(self.told(None)),
            None if error.is_lost() => Err(self.told(Some(error))),
            None => Err(error),
        }
    }

    /// The error of a deadline that has passed; also where nobody could be reached until then.
    fn told(&mut self, lost: Option<Error>) -> Error {
        let message = format!(
            "{}: no answer from {} within {} s. A write may have been recorded: send it again with the same ids. If this \
             repeats, see whether the server runs.",
            self.method,
            self.address,
            self.timeout.as_secs_f64()
        );
        Error::new(Code::DeadlineExceeded, "", message).caused_by(lost.or_else(|| self.last.take()))
    }
}

pub(crate) fn no_answer() -> Error {
    Error::new(Code::DeadlineExceeded, "", "no answer within the deadline".to_owned())
}

impl Ledger {
    /// Send `request` until it is answered, or until the deadline.
    pub(crate) async fn carry_out<Q: Clone, A, F>(
        &self,
        method: &'static str,
        timeout: Duration,
        request: &Q,
        send: impl Fn(Request<Q>) -> F,
    ) -> Result<A, Error>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.carry_out_until(method, timeout, Instant::now() + timeout, request, send).await
    }

    /// The same, of a longer read whose `deadline` has been set.
    pub(crate) async fn carry_out_until<Q: Clone, A, F>(
        &self,
        method: &'static str,
        whole: Duration,
        deadline: Instant,
        request: &Q,
        send: impl Fn(Request<Q>) -> F,
    ) -> Result<A, Error>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut attempts = Attempts::new(self, method, whole, deadline);
        loop {
            self.open()?;
            let remaining = attempts.remaining();
            let mut asked = Request::new(request.clone());
            asked.set_timeout(remaining);
            let error = match timeout(remaining, send(asked)).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => Error::from(status),
                Err(_) => no_answer(),
            };
            sleep(attempts.failed(error)?).await;
        }
    }
}

/// See that a write carries an id: the caller's `request_id`, or the venue's own in `own_field`. Without one, nobody
/// could tell a retry after a lost answer, or the same fill from a second instance of the bot, from something new.
pub(crate) fn identify(method: &str, request_id: &str, own_field: &str, own_id: &str) -> Result<(), Error> {
    if !request_id.is_empty() || !own_id.is_empty() {
        return Ok(());
    }
    Err(Error::value(format!(
        "{method}: neither {own_field} nor request_id was given. Without one a retry after a lost answer, or a second \
         instance of the bot, would record it twice. Pass the venue's own id as {own_field}, or a request_id made before \
         the first try and kept for the next."
    )))
}

/// The same for a write that only a request_id can tell from another.
pub(crate) fn identify_by_request(method: &str, request_id: &str) -> Result<(), Error> {
    if !request_id.is_empty() {
        return Ok(());
    }
    Err(Error::value(format!(
        "{method}: no request_id was given. Without one a retry after a lost answer could not be told from another \
         command. Pass a request_id made before the first try and kept for the next."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Code, reason: &str) -> Error {
        Error::new(code, reason, "words".to_owned())
    }

    /// What passes by itself is tried again, an answer is not, and a broker is not asked twice.
    #[test]
    fn only_what_passes_is_tried_again() {
        for (code, reason) in [
            (Code::Unavailable, ""),
            (Code::Unavailable, "STORAGE_UNAVAILABLE"),
            (Code::Unavailable, "SERVER_DRAINING"),
            (Code::Unavailable, "FENCED"),
            (Code::ResourceExhausted, "WRITE_QUEUE_FULL"),
        ] {
            assert!(is_retryable(&error(code, reason)), "{reason}");
        }
        for (code, reason) in [
            (Code::Unavailable, "BROKER_UNAVAILABLE"),
            (Code::ResourceExhausted, "DISK_FULL"),
            (Code::ResourceExhausted, "TOO_MANY_STREAMS"),
            (Code::AlreadyExists, "FILL_CONFLICT"),
            (Code::DeadlineExceeded, ""),
        ] {
            assert!(!is_retryable(&error(code, reason)), "{reason}");
        }
    }

    /// Pauses grow to one second, and each is at least half of its ceiling.
    #[test]
    fn pauses_grow_to_the_longest() {
        let mut pauses = Pauses::new();
        for ceiling in [50, 100, 200, 400, 800, 1000, 1000] {
            let ceiling = Duration::from_millis(ceiling);
            let pause = pauses.next();
            assert!(ceiling / 2 <= pause && pause <= ceiling, "{pause:?} of {ceiling:?}");
        }
    }

    /// There is no further try when the deadline comes first.
    #[test]
    fn no_try_after_the_deadline() {
        let lost = error(Code::Unavailable, "");
        let pause = Duration::from_millis(50);
        assert_eq!(pause_before_retry(&lost, pause, Duration::from_secs(1)), Some(pause));
        assert_eq!(pause_before_retry(&lost, pause, pause), None);
    }
}
