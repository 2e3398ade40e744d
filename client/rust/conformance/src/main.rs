//! Runs the conformance scenarios of the project against a server, through the stubs and the stream of the crate
//! `lotkeeper`. What a scenario is, and what equals what, stands in `tests/conformance/README.md`.

mod calls;
mod following;
mod matching;
mod names;
mod running;
mod scenarios;
mod servers;
mod shapes;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::running::{Outcome, Verdict};
use crate::scenarios::Scenario;
use crate::servers::Servers;
use crate::shapes::Contract;

const WRONG: u8 = 2; // the exit code of a file or an argument that cannot be used
const USAGE: &str =
    "usage: lotkeeper-conformance (--address HOST:PORT | --harness) [--scenarios FOLDER] [--only WORDS] [--json]";

#[derive(Default)]
struct Arguments {
    address: String,
    harness: bool,
    scenarios: Option<PathBuf>,
    only: String,
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1)).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("lotkeeper-conformance: {wrong}");
            ExitCode::from(WRONG)
        }
    }
}

async fn run(words: impl Iterator<Item = String>) -> Result<bool, String> {
    let arguments = parsed(words)?;
    let contract = Contract::compiled()?;
    let folder = arguments.scenarios.unwrap_or_else(scenarios::own_folder);
    let mut chosen = scenarios::loaded(&folder, &contract)?;
    chosen.retain(|one| one.name.contains(&arguments.only) || one.theme.contains(&arguments.only));
    let mut servers = if arguments.harness { Servers::Harness } else { Servers::At(arguments.address) };
    let mut outcomes = Vec::new();
    for scenario in &chosen {
        let outcome = running::run(scenario, &contract, &mut servers).await;
        if !arguments.json {
            println!("{}", line(scenario, &outcome));
        }
        outcomes.push((scenario, outcome));
    }
    println!("{}", summary(&outcomes));
    let count = |verdict| outcomes.iter().filter(|(_, outcome)| outcome.verdict == verdict).count();
    Ok(count(Verdict::Failed) == 0 && count(Verdict::Passed) > 0)
}

fn parsed(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value; {USAGE}"));
        match word.as_str() {
            "--address" => arguments.address = value()?,
            "--scenarios" => arguments.scenarios = Some(value()?.into()),
            "--only" => arguments.only = value()?,
            "--harness" => arguments.harness = true,
            "--json" => arguments.json = true,
            _ => return Err(format!("{word}: there is no such argument; {USAGE}")),
        }
    }
    if arguments.harness != arguments.address.is_empty() {
        return Err(format!("one of --address and --harness is required; {USAGE}"));
    }
    Ok(arguments)
}

fn line(scenario: &Scenario, outcome: &Outcome) -> String {
    let begin = match outcome.verdict {
        Verdict::Passed => return format!("ok   {}", scenario.name),
        Verdict::Failed => "FAIL",
        Verdict::Skipped => "skip",
    };
    let step = if outcome.step > 0 { format!("step {}, ", outcome.step) } else { String::new() };
    format!("{begin} {}: {step}{}", scenario.name, outcome.message)
}

fn summary(outcomes: &[(&Scenario, Outcome)]) -> String {
    let of = |verdict| outcomes.iter().filter(move |(_, outcome)| outcome.verdict == verdict);
    let failures: Vec<_> = of(Verdict::Failed)
        .map(|(scenario, one)| json!({"name": scenario.name, "step": one.step, "message": one.message}))
        .collect();
    let skips: Vec<_> =
        of(Verdict::Skipped).map(|(scenario, one)| json!({"name": scenario.name, "reason": one.message})).collect();
    json!({
        "passed": of(Verdict::Passed).count(),
        "failed": failures.len(),
        "skipped": skips.len(),
        "failures": failures,
        "skips": skips,
    })
    .to_string()
}
