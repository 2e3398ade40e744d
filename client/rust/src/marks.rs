//! Marks over one stream that stays open, for bots with a feed of their own.
//!
//! The end of the stream tells the ledger that this source is interrupted: its marks are stale at once, and not only when
//! they have grown old. A stream that is lost is not opened again here: the marks that waited for it are old news by then.
//! What is sent waits in a queue of a few messages; where the server does not keep up `send` waits.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::connect::Ledger;
use crate::errors::Error;
use crate::v1::{Mark, PublishMarksRequest, PublishMarksResponse};

const AHEAD: usize = 16; // messages that may wait to be sent

/// An open stream of marks; [`Ledger::publish_marks`] opens one. Dropped without [`end`](Self::end), it is cut.
#[derive(Debug)]
pub struct Publisher {
    source: String,
    patience: Duration,
    waiting: mpsc::Sender<PublishMarksRequest>,
    answer: JoinHandle<Result<PublishMarksResponse, Error>>,
}

impl Ledger {
    /// Opens a stream of marks of one source, "api" when empty. End it when the feed ends. Inside a tokio runtime.
    ///
    /// # Errors
    /// [`Kind::ValueError`](crate::Kind::ValueError): the ledger was closed.
    pub fn publish_marks(&self, source: &str) -> Result<Publisher, Error> {
        self.open()?;
        let (waiting, sent) = mpsc::channel(AHEAD);
        let mut stub = self.market_stub();
        let closing = self.closing();
        let answer = tokio::spawn(async move {
            tokio::select! {
                answer = stub.publish_marks(ReceiverStream::new(sent)) => Ok(answer?.into_inner()),
                () = closing => Err(Error::new(Code::Cancelled, "", "the ledger was closed".to_owned())),
            }
        });
        Ok(Publisher { source: source.to_owned(), patience: self.patience(), waiting, answer })
    }
}

impl Publisher {
    /// Sends some marks, 1000 at most. It waits where the server does not keep up.
    ///
    /// # Errors
    /// The stream has ended: the ledger refused a mark, or is gone. Open another, with the price of now.
    pub async fn send(&mut self, marks: Vec<Mark>) -> Result<(), Error> {
        let message = PublishMarksRequest { marks, source: self.source.clone() };
        if self.waiting.send(message).await.is_ok() {
            return Ok(());
        }
        self.answer().await?;
        Err(Error::new(Code::Cancelled, "", "publish_marks: the server ended the stream".to_owned()))
    }

    /// Ends the stream, within the ledger's timeout, and tells what it did.
    ///
    /// # Errors
    /// The ledger refused a mark, or is gone.
    pub async fn end(mut self) -> Result<PublishMarksResponse, Error> {
        // Only the end of the queue tells the stream that it has ended.
        self.waiting = mpsc::channel(1).0;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<PublishMarksResponse, Error> {
        match timeout(self.patience, &mut self.answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::new(Code::Cancelled, "", "publish_marks: the stream had ended before".to_owned())),
            Err(_) => Err(Error::new(Code::DeadlineExceeded, "", "the server did not end the stream".to_owned())),
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.answer.abort();
    }
}
