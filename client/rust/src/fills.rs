//! Many executions over one stream, a result for each.
//!
//! One call per execution costs a flush and a round trip each; a stream that breaks in the middle leaves its caller to
//! find out what was recorded. Therefore fills are sent in messages, a few of them ahead of the answers, and what is not
//! answered yet when the connection is lost is sent again. Each fill has its id, so what was recorded already is found,
//! and comes back as replayed.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::connect::Ledger;
use crate::errors::Error;
use crate::retry::{Attempts, no_answer};
use crate::v1::{Fill, FillResult, RecordFillsRequest, RecordFillsResponse};

const FILLS: usize = 500; // in one message; the server takes 1000
const AHEAD: usize = 4; // messages that wait for their answers

/// The results of [`Ledger::record_fills`], in the order of the fills.
#[derive(Debug)]
pub struct RecordedFills<I> {
    ledger: Ledger,
    given: I,
    envelope: RecordFillsRequest,
    unanswered: VecDeque<RecordFillsRequest>,
    results: VecDeque<FillResult>,
    stream: Option<Exchange>,
}

#[derive(Debug)]
struct Exchange {
    outgoing: mpsc::Sender<RecordFillsRequest>,
    answers: Streaming<RecordFillsResponse>,
    sent: usize, // of the unanswered
}

impl Ledger {
    /// Records many executions in order, and gives a result for each. Nothing is sent until the results are read.
    ///
    /// `fills` is taken from as results are, so it may read a file. A fill that is refused says so in its own result, and
    /// the others go on. `envelope` has what is the same for all of them: `portfolio_id`, `excess_policy`, `late_policy`.
    /// The timeout is for each answer, of some hundred fills, retries included.
    pub fn record_fills<F>(&self, fills: F, mut envelope: RecordFillsRequest) -> RecordedFills<F::IntoIter>
    where
        F: IntoIterator<Item = Fill>,
    {
        self.portfolio_or(&mut envelope.portfolio_id);
        envelope.fills.clear();
        RecordedFills {
            ledger: self.clone(),
            given: fills.into_iter(),
            envelope,
            unanswered: VecDeque::new(),
            results: VecDeque::new(),
            stream: None,
        }
    }
}

impl<I: Iterator<Item = Fill>> RecordedFills<I> {
    /// What became of the next fill; `None` after the last.
    ///
    /// # Errors
    /// [`Kind::ValueError`](crate::Kind::ValueError) for a fill without a `fill_id`; what the ledger refused; or no
    /// answer in time. Fills whose results came are recorded; to go on, record the others again, or all of them.
    pub async fn next(&mut self) -> Result<Option<FillResult>, Error> {
        if self.results.is_empty() {
            self.following()?;
            if self.unanswered.is_empty() {
                self.stream = None;
                return Ok(None);
            }
            let answer = self.answered().await?;
            self.unanswered.pop_front();
            self.results.extend(answer.results);
            if let Some(stream) = &mut self.stream {
                stream.sent -= 1;
            }
        }
        Ok(self.results.pop_front())
    }

    /// Takes the next messages, until there are no more fills or enough of them wait for an answer.
    fn following(&mut self) -> Result<(), Error> {
        while self.unanswered.len() < AHEAD {
            let fills: Vec<Fill> = self.given.by_ref().take(FILLS).collect();
            if fills.is_empty() {
                break;
            }
            if let Some(unnamed) = fills.iter().find(|fill| fill.fill_id.is_empty()) {
                return Err(Error::value(format!(
                    "record_fills: the fill of {} {} at {} has no fill_id. Without one a fill that is sent again would be \
                     recorded twice. Pass the venue's execution id, or one of your own that is the same the next time.",
                    unnamed.quantity, unnamed.symbol, unnamed.price
                )));
            }
            self.unanswered.push_back(RecordFillsRequest { fills, ..self.envelope.clone() });
        }
        Ok(())
    }

    /// The answer to the oldest message, over a new stream where the old one is lost.
    async fn answered(&mut self) -> Result<RecordFillsResponse, Error> {
        let (ledger, patience) = (self.ledger.clone(), self.ledger.patience());
        let mut attempts = Attempts::new(&ledger, "record_fills", patience, ledger.deadline());
        loop {
            self.ledger.open()?;
            let error = match timeout(attempts.remaining(), self.exchange()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => no_answer(),
            };
            self.stream = None;
            let pause = attempts.failed(error)?;
            sleep_until(Instant::now() + pause).await;
        }
    }

    async fn exchange(&mut self) -> Result<RecordFillsResponse, Error> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let (outgoing, sent) = mpsc::channel(AHEAD);
                // The server may say nothing before its first answer, so there must be something to answer.
                for message in &self.unanswered {
                    // There is room for all of them, and its other end stands below.
                    let _ = outgoing.try_send(message.clone());
                }
                let answers = self.ledger.ledger_stub().record_fills(ReceiverStream::new(sent)).await?.into_inner();
                none.insert(Exchange { outgoing, answers, sent: self.unanswered.len() })
            }
        };
        while stream.sent < self.unanswered.len() {
            // It fails when the stream is broken; why it is, the next read tells.
            let _ = stream.outgoing.send(self.unanswered[stream.sent].clone()).await;
            stream.sent += 1;
        }
        stream.answers.message().await?.ok_or_else(|| {
            Error::lost(
                "record_fills: the server ended the stream before everything was answered; send it again with the same \
                 fill ids"
                    .to_owned(),
            )
        })
    }
}
