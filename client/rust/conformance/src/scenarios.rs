//! Files of scenarios, read and checked: what is executed is known to be well formed before the first call.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::calls::CODES;
use crate::matching::matcher;
use crate::names;
use crate::shapes::{Contract, fits};

/// Kinds of facts in an update of StreamPnL.
pub const FACTS: [&str; 3] = ["closed_trades", "opened_entries", "restated_trades"];
/// What an `expect` step may expect, one of them.
pub const LOOKED_FOR: [&str; 6] = ["snapshot", "facts", "position", "group", "heartbeat", "refusal"];

const MEASURED: &str = "measured: ";
const STEPS: [(&str, &[&str]); 6] = [
    ("calls", &["calls", "requests", "answers", "refusal"]),
    ("call", &["call", "request", "answer", "refusal"]),
    ("open", &["open", "stream", "request", "follow"]),
    ("expect", &["expect", "sequence", "ledger_id", "snapshot", "facts", "position", "group", "heartbeat", "refusal"]),
    ("close", &["close"]),
    ("restart", &["restart"]),
];

/// One scenario; `theme` is its file's name, `server` the settings that its server needs.
pub struct Scenario {
    pub theme: String,
    pub name: String,
    pub server: Map<String, Value>,
    pub steps: Vec<Value>,
}

impl Scenario {
    /// Whether its server is restarted in between.
    pub fn restarts(&self) -> bool {
        self.steps.iter().any(|step| step.get("restart").is_some())
    }
}

/// The folder of the project's scenarios.
pub fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/conformance")
}

/// Every scenario of the `*.yaml` files of `folder`, in the order of the files' names; the error says what is wrong where.
pub fn loaded(folder: &Path, contract: &Contract) -> Result<Vec<Scenario>, String> {
    let unreadable = |failed: std::io::Error| format!("{}: {failed}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: there is no *.yaml file in it", folder.display()));
    }
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for file in files {
        let theme = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).map_err(unreadable)?;
        spelled_out(&theme, &text)?;
        let content: Value =
            serde_norway::from_str(&text).map_err(|failed| format!("{theme}.yaml: not YAML: {failed}"))?;
        let Value::Array(contents) = content else {
            return Err(format!("{theme}.yaml: a list of scenarios is required"));
        };
        for (number, one) in contents.into_iter().enumerate() {
            let scenario = checked(&theme, number + 1, one, contract)?;
            if !seen.insert(scenario.name.clone()) {
                return Err(format!("{theme}.yaml: two scenarios are named {:?}", scenario.name));
            }
            found.push(scenario);
        }
    }
    Ok(found)
}

/// Anchors, aliases and tags are not used: a value that begins so is refused, wherever it stands.
fn spelled_out(theme: &str, text: &str) -> Result<(), String> {
    for (number, line) in text.lines().enumerate() {
        let mut quote = None;
        let mut before = ' ';
        let mut separated = true; // a value may begin here
        for letter in line.chars() {
            match (quote, letter) {
                (Some(end), _) if letter == end => quote = None,
                (Some(_), _) => {}
                (None, '#') if before == ' ' => break,
                (None, '"' | '\'') if separated => quote = Some(letter),
                (None, '&' | '*' | '!') if separated => {
                    return Err(format!(
                        "{theme}.yaml, line {}: anchors, aliases and tags are not used in scenarios: write it out",
                        number + 1
                    ));
                }
                _ => {}
            }
            separated =
                quote.is_none() && (matches!(letter, '[' | '{' | ',' | ':' | '-') || letter == ' ' && separated);
            before = letter;
        }
    }
    Ok(())
}

fn checked(theme: &str, number: usize, content: Value, contract: &Contract) -> Result<Scenario, String> {
    let place = format!("{theme}.yaml, scenario {number}");
    only(&place, &content, &["name", "covers", "server", "steps"])?;
    plain(&place, &content)?;
    let name =
        content["name"].as_str().filter(|name| !name.is_empty()).ok_or(format!("{place}: a name is required"))?;
    let place = format!("{theme}.yaml, {name:?}");
    let steps = content["steps"].as_array().filter(|steps| !steps.is_empty());
    let steps = steps.ok_or(format!("{place}: steps are required"))?;
    for one in content["covers"].as_array().into_iter().flatten() {
        let one = one.as_str().unwrap_or_default();
        if contract.method(one).is_none() && !contract.reasons.contains(one) && !one.starts_with(MEASURED) {
            return Err(format!("{place}: covers {one:?}: neither an RPC, a reason nor {MEASURED}..."));
        }
    }
    let mut known: BTreeSet<String> = names::fresh().into_keys().collect();
    for (number, step) in steps.iter().enumerate() {
        check_step(&format!("{place}, step {}", number + 1), step, &mut known, contract)?;
    }
    Ok(Scenario {
        theme: theme.to_owned(),
        name: name.to_owned(),
        server: content["server"].as_object().cloned().unwrap_or_default(),
        steps: steps.clone(),
    })
}

/// Only what every language's YAML reader reads alike: no dates, no fractions.
fn plain(place: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Number(number) if !number.is_i64() => Err(format!("{place}: {number}: put decimals in quotes")),
        Value::Array(items) => items.iter().try_for_each(|item| plain(place, item)),
        Value::Object(map) => map.values().try_for_each(|part| plain(place, part)),
        _ => Ok(()),
    }
}

fn only(place: &str, content: &Value, allowed: &[&str]) -> Result<(), String> {
    let map = content.as_object().ok_or(format!("{place}: a map is required, not {content}"))?;
    match map.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(format!("{place}: there is no key {key:?} here; there are {}", allowed.join(", "))),
        None => Ok(()),
    }
}

/// What a step does: the key that it begins with.
pub fn kind_of(step: &Value) -> Option<&'static str> {
    STEPS.iter().map(|(kind, _)| *kind).find(|kind| step.get(kind).is_some())
}

fn check_step(place: &str, step: &Value, known: &mut BTreeSet<String>, contract: &Contract) -> Result<(), String> {
    let kind = kind_of(step).ok_or(format!("{place}: {step}: no such step"))?;
    let allowed = STEPS.iter().find(|(each, _)| *each == kind).map_or(&[][..], |(_, keys)| keys);
    only(place, step, allowed)?;
    match kind {
        "call" => check_call(place, step, contract)?,
        "calls" => check_calls(place, step, contract)?,
        "open" => check_open(place, step, contract)?,
        "expect" => check_expect(place, step, contract)?,
        "restart" if !["kill", "stop"].map(Value::from).contains(&step["restart"]) => {
            return Err(format!("{place}: restart: kill or stop"));
        }
        _ => {}
    }
    let mut used = BTreeSet::new();
    names::used(step, &mut used);
    if let Some(name) = used.difference(known).next() {
        return Err(format!("{place}: ${name}: no step before this one has saved it"));
    }
    saved(step, known);
    step.get("refusal").map_or(Ok(()), |refusal| check_refusal(place, refusal, contract))
}

fn saved(value: &Value, known: &mut BTreeSet<String>) {
    match (matcher(value), value) {
        (Some(("save", name)), _) => known.extend(name.as_str().map(str::to_owned)),
        (_, Value::Array(items)) => items.iter().for_each(|item| saved(item, known)),
        (_, Value::Object(map)) => map.values().for_each(|part| saved(part, known)),
        _ => {}
    }
}

fn method(place: &str, name: &Value, contract: &Contract) -> Result<prost_reflect::MethodDescriptor, String> {
    let found = name.as_str().and_then(|name| contract.method(name));
    found.ok_or(format!("{place}: there is no RPC {name}"))
}

fn check_call(place: &str, step: &Value, contract: &Contract) -> Result<(), String> {
    let method = method(place, &step["call"], contract)?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(format!("{place}: {} is a stream: use calls, or open and expect", step["call"]));
    }
    if step.get("answer").is_some() == step.get("refusal").is_some() {
        return Err(format!("{place}: one of answer and refusal is required"));
    }
    parts(place, step, "request", &method.input(), false)?;
    parts(place, step, "answer", &method.output(), true)
}

fn check_calls(place: &str, step: &Value, contract: &Contract) -> Result<(), String> {
    let method = method(place, &step["calls"], contract)?;
    if !method.is_client_streaming() {
        return Err(format!("{place}: {} takes one message: use call, or open and expect", step["calls"]));
    }
    if step.get("answers").is_none() && step.get("refusal").is_none() {
        return Err(format!("{place}: answers, refusal or both are required"));
    }
    for (key, message, answer) in [("requests", method.input(), false), ("answers", method.output(), true)] {
        for one in step[key].as_array().into_iter().flatten() {
            fits(&message, one, &format!("{place}: {key}"), answer)?;
        }
    }
    Ok(())
}

fn check_open(place: &str, step: &Value, contract: &Contract) -> Result<(), String> {
    let method = method(place, &step["stream"], contract)?;
    if method.is_client_streaming() || !method.is_server_streaming() {
        return Err(format!("{place}: {} does not answer one request with many messages", step["stream"]));
    }
    parts(place, step, "request", &method.input(), false)
}

fn check_expect(place: &str, step: &Value, contract: &Contract) -> Result<(), String> {
    let asked: Vec<_> = LOOKED_FOR.iter().filter(|kind| step.get(kind).is_some()).collect();
    let [kind] = asked[..] else {
        return Err(format!("{place}: one of {} is required", LOOKED_FOR.join(", ")));
    };
    let message = match *kind {
        "snapshot" => "PnLSnapshot",
        "facts" => "PnLUpdate",
        "position" => "Position",
        "group" => "GroupPnL",
        _ => return Ok(()),
    };
    parts(place, step, kind, &contract.message(message), true)?;
    if *kind == "facts" { only(place, &step["facts"], &FACTS) } else { Ok(()) }
}

fn parts(
    place: &str,
    step: &Value,
    key: &str,
    message: &prost_reflect::MessageDescriptor,
    answer: bool,
) -> Result<(), String> {
    step.get(key).map_or(Ok(()), |value| fits(message, value, &format!("{place}: {key}"), answer))
}

fn check_refusal(place: &str, refusal: &Value, contract: &Contract) -> Result<(), String> {
    only(place, refusal, &["code", "reason", "metadata", "violations", "retry"])?;
    if !refusal["code"].as_str().is_some_and(|code| CODES.contains(&code)) {
        return Err(format!("{place}: refusal.code: {} is no status code", refusal["code"]));
    }
    match refusal.get("reason") {
        Some(reason) if !reason.as_str().is_some_and(|reason| contract.reasons.contains(reason)) => {
            Err(format!("{place}: refusal.reason: {reason} is no reason of the contract"))
        }
        _ => Ok(()),
    }
}
