//! A P&L stream that outlives its connections: what to ask for next, and which facts are new.
//!
//! A connection may break between any two messages, also between the parts of a snapshot and in the middle of a long
//! close, whose closed trades come in several messages. Laws kept here:
//!
//!  1. Every fact is delivered once, in order: closed trades, opened entries, restated trades. (`facts.rs` keeps it.)
//!  2. A snapshot is delivered whole or not at all.
//!  3. Before the first whole snapshot there is nothing to resume: start again, without a sequence.
//!  4. A sequence belongs to one ledger. Another one's ends the stream: the facts delivered are not of its history.
//!
//! Whoever keeps `sequence` and `ledger_id` of the last event, and hands them in after a restart of their own, resumes
//! there; the facts of a command that was cut in the middle then come again, recognizable by their ids.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tonic::{Code, Streaming};

use crate::connect::Ledger;
use crate::errors::Error;
use crate::facts::Delivered;
use crate::retry::{Pauses, is_retryable};
use crate::times::{nanoseconds, now};
use crate::v1::stream_pn_l_response::Event;
use crate::v1::{
    ClosedTrade, Entry, GroupPnL, PnLSnapshot, PnLUpdate, PortfolioTotals, Position, RestatedTrade, StreamPnLRequest,
    StreamPnLResponse,
};

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5); // the server's when none is asked for
const SILENT_HEARTBEATS: u32 = 3; // missed, and the connection counts as lost
const SHORTEST_SILENCE: Duration = Duration::from_secs(1); // a busy machine is late by less

/// What [`PnLStream::next`] gives. A lost connection is an event too: whoever shows prices must know that they are old.
#[derive(Clone, Debug)]
pub enum PnLEvent {
    /// The whole subscribed state.
    Snapshot(Snapshot),
    /// What changed.
    Update(Update),
    /// Nothing changed.
    Heartbeat(Heartbeat),
    /// The connection was lost.
    Disconnected(Disconnected),
}

impl PnLEvent {
    /// Its place in the ledger's history, and when.
    pub fn envelope(&self) -> &Envelope {
        match self {
            PnLEvent::Snapshot(event) => &event.envelope,
            PnLEvent::Update(event) => &event.envelope,
            PnLEvent::Heartbeat(event) => &event.envelope,
            PnLEvent::Disconnected(event) => &event.envelope,
        }
    }
}

/// What every event has.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Every fact up to here has come; pass it as `after_sequence` to resume.
    pub sequence: i64,
    /// That the sequence belongs to.
    pub ledger_id: String,
    /// The server's clock when the message was made, in nanoseconds since 1970 UTC.
    pub emit_time: i64,
    /// Nanoseconds until this client handed the event over, by its own clock; below 0 where the two do not agree.
    pub lag: i64,
}

/// The whole subscribed state: first of all, and again after every resumption.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its place.
    pub envelope: Envelope,
    /// Every open position, and flat ones that were named.
    pub positions: Vec<Position>,
    /// Per portfolio.
    pub totals: Vec<PortfolioTotals>,
    /// Those with something open.
    pub groups: Vec<GroupPnL>,
}

/// What changed. Facts (`closed_trades`, `opened_entries`, `restated_trades`) come exactly once and in order; values
/// (`positions`, `totals`, `groups`) are the newest at the time, and may skip what lay between.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its place.
    pub envelope: Envelope,
    /// Those that changed.
    pub positions: Vec<Position>,
    /// Of the portfolios they belong to.
    pub totals: Vec<PortfolioTotals>,
    /// Trades closed.
    pub closed_trades: Vec<ClosedTrade>,
    /// Lots opened.
    pub opened_entries: Vec<Entry>,
    /// Trades restated by a bust, a correction or a late fill.
    pub restated_trades: Vec<RestatedTrade>,
    /// Those that changed.
    pub groups: Vec<GroupPnL>,
    /// Mark changes that were folded into it.
    pub conflated_count: i64,
}

/// Nothing changed, and the connection lives.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Its place.
    pub envelope: Envelope,
}

/// The connection was lost after the event of this place; the stream looks for a new one by itself. `lag` is how old
/// everything is by now.
#[derive(Clone, Debug)]
pub struct Disconnected {
    /// Place of the last event.
    pub envelope: Envelope,
    /// Why.
    pub cause: Error,
}

/// Live P&L across connections; [`Ledger::stream_pnl`] makes one. Drop it to end it.
#[derive(Debug)]
pub struct PnLStream {
    ledger: Ledger,
    followed: Subscription,
    connection: Option<Streaming<StreamPnLResponse>>,
    pauses: Pauses,
    again_at: Instant,
}

impl Ledger {
    /// Follows live P&L: a [`Snapshot`], then an [`Update`] for every change, a [`Heartbeat`] while nothing changes.
    ///
    /// It goes on after a lost connection by itself, with a [`Disconnected`] to say so: every closed trade, opened entry
    /// and restated trade comes exactly once and in order. To go on after a restart of your own, pass `sequence` of the
    /// last event as `after_sequence`, and its `ledger_id`. Empty `portfolio_ids` are the portfolio given to `connect`, or
    /// all of them when none was.
    ///
    /// # Errors
    /// [`Kind::ValueError`](crate::Kind::ValueError): one of `after_sequence` and `ledger_id` without the other.
    pub fn stream_pnl(&self, mut request: StreamPnLRequest) -> Result<PnLStream, Error> {
        if request.after_sequence.is_some() == request.ledger_id.is_empty() {
            let sequence = request.after_sequence.map_or("None".to_owned(), |sequence| sequence.to_string());
            return Err(Error::value(format!(
                "stream_pnl: after_sequence={sequence} with ledger_id={:?}: a sequence counts in one ledger only; pass \
                 both, as the last event had them, or neither",
                request.ledger_id
            )));
        }
        if request.portfolio_ids.is_empty() && !self.portfolio.is_empty() {
            request.portfolio_ids.push(self.portfolio.to_string());
        }
        Ok(PnLStream {
            ledger: self.clone(),
            followed: Subscription::new(request),
            connection: None,
            pauses: Pauses::new(),
            again_at: Instant::now(),
        })
    }
}

impl PnLStream {
    /// The next event; `None` once the ledger was closed. A future that is dropped loses no event.
    ///
    /// # Errors
    /// [`Kind::LedgerReplaced`](crate::Kind::LedgerReplaced) when the ledger was restored; or what else the ledger
    /// refused. Called again, it connects again.
    pub async fn next(&mut self) -> Result<Option<PnLEvent>, Error> {
        let closing = self.ledger.closing();
        tokio::select! {
            biased;
            () = closing => Ok(None),
            event = self.event() => event.map(Some),
        }
    }

    async fn event(&mut self) -> Result<PnLEvent, Error> {
        loop {
            let error = match self.message().await {
                Ok(message) => {
                    self.pauses = Pauses::new();
                    match self.followed.take(message, now()) {
                        Ok(Some(event)) => return Ok(event),
                        Ok(None) => continue,
                        Err(replaced) => {
                            self.connection = None;
                            return Err(replaced);
                        }
                    }
                }
                Err(error) => error,
            };
            self.connection = None;
            self.again_at = Instant::now() + self.pauses.next();
            if let Some(disconnected) = self.followed.lost(error, now())? {
                return Ok(disconnected);
            }
        }
    }

    /// The next message, watched: a connection can die without a word. The time that a consumer takes between two reads
    /// does not count.
    async fn message(&mut self) -> Result<StreamPnLResponse, Error> {
        let limit = self.followed.silence_limit;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                sleep_until(self.again_at).await;
                let mut stub = self.ledger.ledger_stub();
                let opening = stub.stream_pn_l(self.followed.request());
                let opened = timeout(limit, opening).await.map_err(|_| self.followed.silent())??;
                none.insert(opened.into_inner())
            }
        };
        let message = timeout(limit, connection.message()).await.map_err(|_| self.followed.silent())??;
        message.ok_or_else(|| Error::lost("stream_pnl: the server ended the stream; connecting anew".to_owned()))
    }
}

/// One stream across its connections: `request` opens each, `take` reads a message, `lost` says how to go on. No I/O.
#[derive(Debug)]
struct Subscription {
    asked: StreamPnLRequest,
    silence_limit: Duration,
    resumable: bool,
    sequence: i64,
    ledger_id: String,
    delivered: Delivered,
    parts: VecDeque<PnLSnapshot>,
    latest: Option<Envelope>,
}

impl Subscription {
    fn new(asked: StreamPnLRequest) -> Self {
        let asked_for = |interval: &Option<prost_types::Duration>| {
            let interval = interval.and_then(|interval| Duration::try_from(interval).ok());
            interval.filter(|interval| !interval.is_zero())
        };
        let heartbeat = asked_for(&asked.heartbeat_interval).unwrap_or(HEARTBEAT_INTERVAL);
        // While news waits for its interval to pass there is no heartbeat either.
        let interval = heartbeat.max(asked_for(&asked.min_update_interval).unwrap_or_default());
        let sequence = asked.after_sequence.unwrap_or_default();
        Self {
            silence_limit: interval.saturating_mul(SILENT_HEARTBEATS).max(SHORTEST_SILENCE),
            resumable: asked.after_sequence.is_some(),
            sequence,
            ledger_id: asked.ledger_id.clone(),
            delivered: Delivered::up_to(sequence),
            parts: VecDeque::new(),
            latest: None,
            asked,
        }
    }

    /// What to ask for on a new connection.
    fn request(&mut self) -> StreamPnLRequest {
        self.parts.clear();
        let mut request = self.asked.clone();
        if self.resumable {
            request.after_sequence = Some(self.sequence);
            request.ledger_id.clone_from(&self.ledger_id);
        }
        request
    }

    /// The event that `message` completes; `None` for a part of a snapshot, or a kind this client does not know yet.
    fn take(&mut self, message: StreamPnLResponse, now: i64) -> Result<Option<PnLEvent>, Error> {
        if self.resumable && message.ledger_id != self.ledger_id {
            return Err(Error::ledger_replaced(&self.ledger_id, &message.ledger_id));
        }
        let emit_time = message.emit_time.as_ref().map_or(0, nanoseconds);
        let envelope = Envelope {
            sequence: message.sequence,
            ledger_id: message.ledger_id,
            emit_time,
            lag: now.saturating_sub(emit_time),
        };
        let event = match message.event {
            Some(Event::Snapshot(part)) => {
                let more = part.more;
                self.parts.push_back(part);
                if more {
                    return Ok(None);
                }
                self.resumable = true;
                self.snapshot(envelope.clone())
            }
            Some(Event::Update(update)) => self.update(envelope.clone(), update),
            Some(Event::Heartbeat(_)) if self.parts.is_empty() => {
                PnLEvent::Heartbeat(Heartbeat { envelope: envelope.clone() })
            }
            _ => return Ok(None),
        };
        self.sequence = envelope.sequence;
        self.ledger_id.clone_from(&envelope.ledger_id);
        self.delivered.reach(envelope.sequence);
        self.latest = Some(envelope);
        Ok(Some(event))
    }

    fn snapshot(&mut self, envelope: Envelope) -> PnLEvent {
        let mut whole = Snapshot { envelope, positions: Vec::new(), totals: Vec::new(), groups: Vec::new() };
        for part in self.parts.drain(..) {
            whole.positions.extend(part.positions);
            whole.totals.extend(part.totals);
            whole.groups.extend(part.groups);
        }
        PnLEvent::Snapshot(whole)
    }

    fn update(&mut self, envelope: Envelope, mut update: PnLUpdate) -> PnLEvent {
        self.delivered.keep_fresh(envelope.sequence, &mut update);
        PnLEvent::Update(Update {
            envelope,
            positions: update.positions,
            totals: update.totals,
            closed_trades: update.closed_trades,
            opened_entries: update.opened_entries,
            restated_trades: update.restated_trades,
            groups: update.groups,
            conflated_count: update.conflated_count,
        })
    }

    /// The event that tells of a connection lost to `error`; `None` if no event came since the last one.
    ///
    /// # Errors
    /// `error` itself, when a new connection would not help.
    fn lost(&mut self, error: Error, now: i64) -> Result<Option<PnLEvent>, Error> {
        // CANCELLED is no answer: gRPC ends so what reaches a server in the moment that it shuts down.
        if !is_retryable(&error) && error.code() != Code::Cancelled {
            return Err(error);
        }
        Ok(self.latest.take().map(|latest| {
            let envelope = Envelope { lag: now.saturating_sub(latest.emit_time), ..latest };
            PnLEvent::Disconnected(Disconnected { envelope, cause: error })
        }))
    }

    fn silent(&self) -> Error {
        Error::lost(format!(
            "stream_pnl: not even a heartbeat for {} s; connecting anew",
            self.silence_limit.as_secs_f64()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Kind;
    use crate::v1::Heartbeat as Nothing;

    fn message(sequence: i64, ledger_id: &str, event: Event) -> StreamPnLResponse {
        StreamPnLResponse { sequence, ledger_id: ledger_id.into(), emit_time: None, event: Some(event) }
    }

    fn snapshot(more: bool) -> Event {
        Event::Snapshot(PnLSnapshot { positions: vec![Position::default()], more, ..Default::default() })
    }

    fn following() -> Subscription {
        Subscription::new(StreamPnLRequest::default())
    }

    /// A snapshot is delivered whole or not at all, and before it there is nothing to resume.
    #[test]
    fn snapshots_are_whole() {
        let mut followed = following();
        assert!(followed.take(message(3, "L", snapshot(true)), 0).unwrap().is_none());
        assert_eq!(followed.request().after_sequence, None);
        assert!(followed.take(message(4, "L", snapshot(true)), 0).unwrap().is_none());
        let whole = followed.take(message(4, "L", snapshot(false)), 0).unwrap();
        assert!(matches!(whole, Some(PnLEvent::Snapshot(whole)) if whole.positions.len() == 2));
        let resumed = followed.request();
        assert_eq!((resumed.after_sequence, resumed.ledger_id.as_str()), (Some(4), "L"));
    }

    /// A message of another ledger ends the stream.
    #[test]
    fn another_ledger_ends_the_stream() {
        let mut followed = following();
        followed.take(message(4, "L", snapshot(false)), 0).unwrap();
        let replaced = followed.take(message(5, "M", Event::Heartbeat(Nothing {})), 0).unwrap_err();
        assert!(replaced.is(Kind::LedgerReplaced));
        assert_eq!(replaced.metadata()["ledger_id"], "M");
    }

    /// A lost connection is told once; an answer of the ledger is an error.
    #[test]
    fn lost_connections_are_told_once() {
        let mut followed = following();
        followed.take(message(4, "L", snapshot(false)), 0).unwrap();
        let told = followed.lost(Error::lost("gone".to_owned()), 7).unwrap();
        assert!(
            matches!(told, Some(PnLEvent::Disconnected(told)) if told.envelope.sequence == 4 && told.envelope.lag == 7)
        );
        assert!(followed.lost(Error::lost("gone".to_owned()), 8).unwrap().is_none());
        let refused = Error::new(Code::OutOfRange, "SEQUENCE_AHEAD", "words".to_owned());
        assert!(followed.lost(refused, 9).unwrap_err().is(Kind::SequenceAhead));
    }
}
