//! A scenario from its first step to its last, against a server.

use std::collections::BTreeMap;

use lotkeeper::{Error, Ledger, Options, connect};
use prost::Message;
use serde_json::{Value, json};
use tokio::time::timeout;
use tonic::Status;

use crate::calls::{self, PATIENCE, refusal_difference};
use crate::following::Followed;
use crate::matching::difference;
use crate::names::{self, Names};
use crate::scenarios::{Scenario, kind_of};
use crate::servers::Servers;
use crate::shapes::{Contract, encoded, written};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    Skipped,
}

/// `message` says why it failed or was skipped, `step` where it failed, from 1.
pub struct Outcome {
    pub verdict: Verdict,
    pub message: String,
    pub step: usize,
}

/// Why a scenario ended early.
enum Ended {
    Failed(String),
    Skipped(String),
}

impl From<String> for Ended {
    fn from(difference: String) -> Self {
        Ended::Failed(difference)
    }
}

/// Executes it once, under names of its own.
pub async fn run(scenario: &Scenario, contract: &Contract, servers: &mut Servers) -> Outcome {
    let mut step = 0;
    let (verdict, message) = match executed(scenario, contract, servers, &mut step).await {
        Ok(()) => (Verdict::Passed, String::new()),
        Err(Ended::Failed(difference)) => (Verdict::Failed, difference),
        Err(Ended::Skipped(reason)) => (Verdict::Skipped, reason),
    };
    Outcome { step: if verdict == Verdict::Failed { step } else { 0 }, verdict, message }
}

async fn executed(
    scenario: &Scenario,
    contract: &Contract,
    servers: &mut Servers,
    number: &mut usize,
) -> Result<(), Ended> {
    if scenario.restarts() && !servers.can_restart() {
        servers.restarted("restart").await.map_err(Ended::Skipped)?;
    }
    let address = servers.serving(&scenario.server).await.map_err(Ended::Skipped)?;
    let ledger = dial(&address)?;
    let mut run = Run { contract, names: names::fresh(), streams: BTreeMap::new(), ledger };
    for step in &scenario.steps {
        *number += 1;
        run.take(step, servers).await?;
    }
    for stream in run.streams.values_mut() {
        stream.close(contract).await?;
    }
    Ok(())
}

fn dial(address: &str) -> Result<Ledger, String> {
    connect(address, Options::default()).map_err(|error| error.to_string())
}

/// One execution: its names, its streams, its connection.
struct Run<'a> {
    contract: &'a Contract,
    names: Names,
    streams: BTreeMap<String, Followed>,
    ledger: Ledger,
}

impl Run<'_> {
    async fn take(&mut self, step: &Value, servers: &mut Servers) -> Result<(), Ended> {
        let mut saved = Names::new();
        let content = names::filled(step, &self.names)?;
        match kind_of(step) {
            Some("call") => self.call(&content, &mut saved).await?,
            Some("calls") => self.calls(&content, &mut saved).await?,
            Some("open") => self.open(&content)?,
            Some("expect") => {
                let contract = self.contract;
                self.stream(&content["expect"])?.expect(contract, &content, &mut saved).await?;
            }
            Some("close") => {
                let contract = self.contract;
                self.stream(&content["close"])?.close(contract).await?;
                self.streams.remove(text(&content["close"]));
            }
            _ => {
                let address = servers.restarted(text(&content["restart"])).await.map_err(Ended::Skipped)?;
                // A connection of its own: the old one may not know yet that its server has gone.
                self.ledger = dial(&address)?;
            }
        }
        self.names.extend(saved);
        Ok(())
    }

    async fn call(&mut self, step: &Value, saved: &mut Names) -> Result<(), String> {
        let name = text(&step["call"]);
        let method = self.contract.method(name).ok_or(format!("there is no RPC {name}"))?;
        let request = encoded(method.input(), step.get("request").unwrap_or(&json!({})))?;
        let answer = timeout(PATIENCE, calls::one(self.ledger.connection(), name, &request)).await;
        match (answer.unwrap_or_else(|_| Err(late())), step.get("refusal")) {
            (Err(status), refusal) => refused(refusal, status, saved),
            (Ok(bytes), None) => difference(&step["answer"], Some(&written(method.output(), &bytes)), "answer", saved),
            (Ok(bytes), Some(refusal)) => {
                Err(format!("refusal: expected {refusal}, got the answer {}", written(method.output(), &bytes)))
            }
        }
    }

    async fn calls(&mut self, step: &Value, saved: &mut Names) -> Result<(), String> {
        let name = text(&step["calls"]);
        let method = self.contract.method(name).ok_or(format!("there is no RPC {name}"))?;
        let requests = step["requests"].as_array().into_iter().flatten();
        let requests = requests.map(|one| encoded(method.input(), one)).collect::<Result<Vec<_>, _>>()?;
        let mut answers = Vec::new();
        let ended = timeout(PATIENCE, calls::many(self.ledger.connection(), name, requests, &mut answers)).await;
        let ended = ended.unwrap_or_else(|_| Err(late()));
        let answers: Vec<_> = answers.iter().map(|bytes| written(method.output(), bytes)).collect();
        match (ended, step.get("refusal")) {
            (Err(status), refusal) => refused(refusal, status, saved)?,
            (Ok(()), None) => {}
            (Ok(()), Some(refusal)) => {
                return Err(format!("refusal: expected {refusal}, got the answers {}", json!(answers)));
            }
        }
        difference(step.get("answers").unwrap_or(&json!([])), Some(&json!(answers)), "answers", saved)
    }

    fn open(&mut self, step: &Value) -> Result<(), String> {
        let (name, stream) = (text(&step["open"]), text(&step["stream"]));
        let method = self.contract.method(stream).ok_or(format!("there is no RPC {stream}"))?;
        let request = encoded(method.input(), step.get("request").unwrap_or(&json!({})))?;
        let request = Message::decode(request.as_slice()).map_err(|failed| failed.to_string())?;
        if self.streams.contains_key(name) {
            return Err(format!("a stream named {name} is open already"));
        }
        let followed = Followed::open(&self.ledger, request, step["follow"] == true);
        self.streams.insert(name.to_owned(), followed);
        Ok(())
    }

    fn stream(&mut self, name: &Value) -> Result<&mut Followed, String> {
        self.streams.get_mut(text(name)).ok_or(format!("no stream named {name} is open"))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn late() -> Status {
    Status::deadline_exceeded(format!("no answer within {} s", PATIENCE.as_secs()))
}

fn refused(expected: Option<&Value>, status: Status, saved: &mut Names) -> Result<(), String> {
    let error = Error::from(status);
    match expected {
        Some(expected) => refusal_difference(expected, &error, saved),
        None => Err(format!("expected an answer, was refused: {error}")),
    }
}
