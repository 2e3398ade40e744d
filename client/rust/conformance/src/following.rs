//! A stream that a scenario follows: what has come, and what a step still waits for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lotkeeper::v1::ledger_service_client::LedgerServiceClient;
use lotkeeper::v1::stream_pn_l_response::Event;
use lotkeeper::v1::{Heartbeat, PnLSnapshot, PnLUpdate, StreamPnLRequest, StreamPnLResponse};
use lotkeeper::{Error, Ledger, PnLEvent, timestamp};
use prost::Message;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::calls::{PATIENCE, refusal_difference};
use crate::matching::difference;
use crate::names::Names;
use crate::scenarios::{FACTS, LOOKED_FOR};
use crate::shapes::{Contract, written};

type Arrived = Result<StreamPnLResponse, Error>;

/// One open stream.
pub struct Followed {
    arriving: mpsc::UnboundedReceiver<Arrived>,
    reader: JoinHandle<()>,
    facts: BTreeMap<&'static str, VecDeque<Value>>,
    expected: BTreeSet<&'static str>,
    positions: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    last: Value,
}

impl Followed {
    /// Opens it; with `follow` it is the client's own stream, which goes on after a lost connection.
    pub fn open(ledger: &Ledger, request: StreamPnLRequest, follow: bool) -> Self {
        let (arrived, arriving) = mpsc::unbounded_channel();
        let ledger = ledger.clone();
        let reader = tokio::spawn(async move {
            let read = if follow {
                follow_on(&ledger, request, &arrived).await
            } else {
                once(&ledger, request, &arrived).await
            };
            if let Err(error) = read {
                // Nobody waits for it where the step that closed the stream was the last.
                let _ = arrived.send(Err(error));
            }
        });
        Self {
            arriving,
            reader,
            facts: FACTS.into_iter().map(|kind| (kind, VecDeque::new())).collect(),
            expected: BTreeSet::new(),
            positions: BTreeMap::new(),
            groups: BTreeMap::new(),
            last: json!({}),
        }
    }

    /// Reads until `step` is met; the error is what is not.
    pub async fn expect(&mut self, contract: &Contract, step: &Value, saved: &mut Names) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        let kind = LOOKED_FOR.into_iter().find(|kind| step.get(kind).is_some()).unwrap_or_default();
        let expected = &step[kind];
        match kind {
            "snapshot" => self.snapshot(contract, expected, until, saved).await?,
            "facts" => self.fact(contract, expected, until, saved).await?,
            "position" | "group" => self.value(contract, kind, expected, until, saved).await?,
            "heartbeat" => while self.next(contract, until, "a heartbeat").await?.get("heartbeat").is_none() {},
            _ => self.refusal(expected, until, saved).await?,
        }
        for key in ["sequence", "ledger_id"] {
            if let Some(expected) = step.get(key) {
                difference(expected, self.last.get(key), &format!("message.{key}"), saved)?;
            }
        }
        Ok(())
    }

    /// Ends it; the error is what is left that should not be.
    pub async fn close(&mut self, contract: &Contract) -> Result<(), String> {
        self.reader.abort();
        while let Some(arrived) = self.arriving.recv().await {
            if let Ok(message) = arrived {
                self.take(contract, message);
            }
        }
        match self.expected.iter().find(|kind| !self.facts[*kind].is_empty()) {
            Some(kind) => Err(format!("{kind}: not expected, but came: {:?}", self.facts[kind])),
            None => Ok(()),
        }
    }

    async fn snapshot(
        &mut self,
        contract: &Contract,
        expected: &Value,
        until: Instant,
        saved: &mut Names,
    ) -> Result<(), String> {
        let mut whole: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        loop {
            let message = self.next(contract, until, "a snapshot").await?;
            let Some(part) = message.get("snapshot") else { continue };
            for name in ["positions", "totals", "groups"] {
                whole.entry(name).or_default().extend(part[name].as_array().into_iter().flatten().cloned());
            }
            if part["more"] == false {
                return difference(expected, Some(&json!(whole)), "snapshot", saved);
            }
        }
    }

    async fn fact(
        &mut self,
        contract: &Contract,
        expected: &Value,
        until: Instant,
        saved: &mut Names,
    ) -> Result<(), String> {
        let mut taken = BTreeMap::new();
        for kind in FACTS.into_iter().filter(|kind| expected.get(kind).is_some()) {
            self.expected.insert(kind);
            let count = expected[kind].as_array().map_or(0, Vec::len);
            while self.facts[kind].len() < count {
                let came = self.facts[kind].len();
                self.next(contract, until, &format!("{count} of {kind}, of which {came} came")).await?;
            }
            taken.insert(kind, count);
        }
        let taken: BTreeMap<_, Vec<Value>> = taken
            .into_iter()
            .map(|(kind, count)| {
                (kind, self.facts.get_mut(kind).map_or_else(Vec::new, |all| all.drain(..count).collect()))
            })
            .collect();
        difference(expected, Some(&json!(taken)), "facts", saved)
    }

    async fn value(
        &mut self,
        contract: &Contract,
        kind: &str,
        expected: &Value,
        until: Instant,
        saved: &mut Names,
    ) -> Result<(), String> {
        loop {
            let newest = if kind == "position" { &self.positions } else { &self.groups };
            for value in newest.values() {
                let mut met = Names::new();
                if difference(expected, Some(value), kind, &mut met).is_ok() {
                    saved.extend(met);
                    return Ok(());
                }
            }
            let words = format!("a {kind} like {expected}; the newest are {}", json!(newest));
            self.next(contract, until, &words).await?;
        }
    }

    async fn refusal(&mut self, expected: &Value, until: Instant, saved: &mut Names) -> Result<(), String> {
        loop {
            if let Err(refused) = self.arrived(until, "a refusal").await? {
                return refusal_difference(expected, &refused, saved);
            }
        }
    }

    async fn next(&mut self, contract: &Contract, until: Instant, awaited: &str) -> Result<Value, String> {
        match self.arrived(until, awaited).await? {
            Ok(message) => Ok(self.take(contract, message)),
            Err(refused) => Err(format!("the stream ended with {refused} before {awaited}")),
        }
    }

    async fn arrived(&mut self, until: Instant, awaited: &str) -> Result<Arrived, String> {
        match timeout_at(until, self.arriving.recv()).await {
            Ok(Some(arrived)) => Ok(arrived),
            Ok(None) => Err(format!("the stream had ended before {awaited}")),
            Err(_) => Err(format!("waited {} s for {awaited}", PATIENCE.as_secs())),
        }
    }

    fn take(&mut self, contract: &Contract, message: StreamPnLResponse) -> Value {
        let content = written(contract.message("StreamPnLResponse"), &message.encode_to_vec());
        let state = content.get("snapshot").or(content.get("update")).unwrap_or(&Value::Null);
        let list = |key: &str| state[key].as_array().into_iter().flatten().cloned();
        let place = |value: &Value, keys: [&str; 3]| json!(keys.map(|key| &value[key])).to_string();
        for position in list("positions") {
            self.positions.insert(place(&position, ["portfolio_id", "symbol", "book_side"]), position);
        }
        for group in list("groups") {
            self.groups.insert(place(&group, ["portfolio_id", "group_id", "currency"]), group);
        }
        for (kind, facts) in &mut self.facts {
            facts.extend(list(kind));
        }
        self.last = content.clone();
        content
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The stream of the stubs, until it breaks.
async fn once(
    ledger: &Ledger,
    request: StreamPnLRequest,
    arrived: &mpsc::UnboundedSender<Arrived>,
) -> Result<(), Error> {
    let mut stream = LedgerServiceClient::new(ledger.connection()).stream_pn_l(request).await?.into_inner();
    while let Some(message) = stream.message().await? {
        if arrived.send(Ok(message)).is_err() {
            break;
        }
    }
    Ok(())
}

/// The client's own stream, its events as the messages they came from.
async fn follow_on(
    ledger: &Ledger,
    request: StreamPnLRequest,
    arrived: &mpsc::UnboundedSender<Arrived>,
) -> Result<(), Error> {
    let mut events = ledger.stream_pnl(request)?;
    while let Some(event) = events.next().await? {
        let envelope = event.envelope().clone();
        let event = match event {
            PnLEvent::Snapshot(whole) => Event::Snapshot(PnLSnapshot {
                positions: whole.positions,
                totals: whole.totals,
                groups: whole.groups,
                more: false,
            }),
            PnLEvent::Update(update) => Event::Update(PnLUpdate {
                positions: update.positions,
                totals: update.totals,
                closed_trades: update.closed_trades,
                opened_entries: update.opened_entries,
                restated_trades: update.restated_trades,
                groups: update.groups,
                conflated_count: update.conflated_count,
            }),
            PnLEvent::Heartbeat(_) => Event::Heartbeat(Heartbeat {}),
            PnLEvent::Disconnected(_) => continue,
        };
        let message = StreamPnLResponse {
            sequence: envelope.sequence,
            ledger_id: envelope.ledger_id,
            emit_time: Some(timestamp(envelope.emit_time)),
            event: Some(event),
        };
        if arrived.send(Ok(message)).is_err() {
            break;
        }
    }
    Ok(())
}
