//! Every scenario against real sidecars, and what the runner says of scenarios that are wrong.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::{env, fs, process};

use serde_json::{Value, json};

#[path = "../../tests/sidecar/mod.rs"]
mod sidecar;
use sidecar::Sidecar;

const RUNNER: &str = env!("CARGO_BIN_EXE_lotkeeper-conformance");

/// A folder with one file of scenarios, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, scenarios: &str) -> Self {
        let folder = env::temp_dir().join(format!("lotkeeper-scenarios-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("theme.yaml"), scenarios).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(folder: &Folder, address: &str) -> Output {
    Command::new(RUNNER).args(["--address", address, "--scenarios"]).arg(&folder.0).output().unwrap()
}

/// All scenarios that need no settings of their own pass, restarts and all.
#[test]
fn every_scenario_passes() {
    let Some(mut sidecar) = Sidecar::start() else { return };
    let mut runner =
        Command::new(RUNNER).arg("--harness").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut answers = runner.stdin.take().unwrap();
    let mut last = String::new();
    for line in BufReader::new(runner.stdout.take().unwrap()).lines() {
        last = line.unwrap();
        if !last.starts_with("{\"do\":") {
            println!("{last}");
            continue;
        }
        let request: Value = serde_json::from_str(&last).unwrap();
        let settings = request["settings"].as_object().is_some_and(|settings| !settings.is_empty());
        if request["do"] == "restart" {
            sidecar.end(request["how"] == "kill");
            sidecar.start_again();
        }
        let answer =
            if settings { json!({"error": "needs other settings"}) } else { json!({"address": sidecar.address}) };
        writeln!(answers, "{answer}").unwrap();
    }
    let summary: Value = serde_json::from_str(&last).unwrap();
    assert!(runner.wait().unwrap().success(), "{summary}");
    assert_eq!(summary["failed"], 0);
    assert!(summary["passed"].as_u64() > Some(50), "{summary}");
}

/// What is not as a scenario says is a failure, told with its step and place, and the others go on.
#[test]
fn failures_are_told() {
    let Some(sidecar) = Sidecar::start() else { return };
    let scenarios = r#"
- name: wrong quantity
  steps:
    - call: LedgerService.CreateEntry
      request: {request_id: r1, portfolio_id: $portfolio, symbol: $A, quantity: "1", entry_price: "150"}
      answer: {entry: {quantity: "2"}}
- name: wrong reason
  steps:
    - call: LedgerService.CloseFifo
      request: {request_id: r1, portfolio_id: $portfolio, symbol: $A, quantity: "1", exit_price: "150"}
      refusal: {code: NOT_FOUND, reason: FILL_NOT_FOUND}
- name: a fact too many
  steps:
    - open: watch
      stream: LedgerService.StreamPnL
      request: {portfolio_ids: [$portfolio]}
    - expect: watch
      snapshot: {positions: []}
    - calls: LedgerService.RecordFills
      requests:
        - portfolio_id: $portfolio
          fills: [{fill_id: f1, symbol: $A, side: SIDE_BUY, quantity: "1", price: "1"}, {fill_id: f2, symbol: $A, side: SIDE_BUY, quantity: "1", price: "1"}]
      answers: [{results: [{}, {}]}]
    - expect: watch
      facts: {opened_entries: [{entry_fill_id: f1}]}
    - expect: watch
      position: {total_quantity: "2"}
- name: right
  steps:
    - call: LedgerService.GetSummary
      request: {portfolio_id: $portfolio}
      refusal: {code: NOT_FOUND, reason: PORTFOLIO_NOT_FOUND}
- name: with a restart
  steps: [{restart: kill}]
"#;
    let ran = run(&Folder::with("failures", scenarios), &sidecar.address);
    let said = String::from_utf8_lossy(&ran.stdout);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(ran.status.code(), Some(1));
    assert_eq!(lines[0], "FAIL wrong quantity: step 1, answer.entry.quantity: expected \"2\", got \"1\"");
    assert!(lines[1].starts_with("FAIL wrong reason: step 1, refusal."), "{}", lines[1]);
    assert!(
        lines[2].starts_with("FAIL a fact too many: step 5, opened_entries: not expected, but came:"),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3], "ok   right");
    assert!(lines[4].starts_with("skip with a restart: needs a server that can be restarted"), "{}", lines[4]);
    let summary: Value = serde_json::from_str(lines[5]).unwrap();
    assert_eq!((&summary["passed"], &summary["failed"], &summary["skipped"]), (&json!(1), &json!(3), &json!(1)));
}

/// A file that is not as the format says is found before the first call.
#[test]
fn wrong_files_are_found() {
    for (wrong, words) in [
        ("{name: x}", "a list of scenarios is required"),
        ("- {name: x, steps: [{call: LedgerService.Nothing}]}", "there is no RPC"),
        (
            "- {name: x, steps: [{call: LedgerService.CreateEntry, request: {symbl: A}, answer: {}}]}",
            "has no such field",
        ),
        ("- {name: x, steps: [{call: LedgerService.CreateEntry, request: {symbol: $C}, answer: {}}]}", "$C"),
        ("- {name: x, steps: [{call: LedgerService.CreateEntry, request: {quantity: 1.5}, answer: {}}]}", "in quotes"),
        ("- {name: x, steps: [{call: LedgerService.CreateEntry, request: {quantity: 1}, answer: {}}]}", "in quotes"),
        ("- {name: x, steps: [{call: LedgerService.CreateEntry, request: {}}]}", "one of answer and refusal"),
        ("- {name: x, steps: [{wait: 1}]}", "no such step"),
        ("- {name: x, steps: [{restart: nicely}]}", "kill or stop"),
        ("- {name: x, steps: &a [{restart: kill}]}", "anchors"),
        ("- {name: x, steps: !list [{restart: kill}]}", "tags"),
        ("- {name: x, steps: [{restart: kill}]}\n- {name: x, steps: [{restart: kill}]}", "two scenarios"),
    ] {
        let ran = run(&Folder::with("wrong", wrong), "127.0.0.1:1");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{wrong}: {said}");
        assert!(said.contains(words), "{wrong}: {said}");
    }
}
