//! The samples as users start them, and the README that shows them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::{env, fs};

use lotkeeper::v1::{Fill, RecordFillRequest, Side};
use lotkeeper::{Ledger, Options, connect};

mod sidecar;
use sidecar::Sidecar;

const SAMPLES: [&str; 3] = ["record_and_close", "watch_pnl", "reconcile_on_startup"];
const RESTARTS: usize = 20;

/// `cargo test` builds the examples beside the tests.
fn program(name: &str) -> PathBuf {
    let tests = env::current_exe().unwrap();
    tests.ancestors().nth(2).unwrap().join("examples").join(name)
}

fn run(name: &str, address: &str) -> Output {
    Command::new(program(name)).arg(address).output().expect("cargo test builds the samples first")
}

/// Two buys, one sell: first in, first out.
#[test]
fn record_and_close() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ran = run("record_and_close", &sidecar.address);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "holding 150 at 50333.333333333333333333\n\
         closed 100 from 50000 at 53000 made 300000\n\
         closed 20 from 51000 at 53000 made 40000\n\
         left 30 realized 340000\n"
    );
}

/// What differs is printed, and the exit code says so.
#[test]
fn reconcile_on_startup() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ran = run("reconcile_on_startup", &sidecar.address);
    assert_eq!(ran.status.code(), Some(3), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "TSLA ledger 0 broker -5\nAAPL ledger 10 broker 4\n");
}

/// Every closed trade is printed exactly once and in order, however often the ledger dies.
#[tokio::test]
async fn watch_pnl_survives_restarts() {
    let Some(mut sidecar) = Sidecar::start() else { return };
    let timeout = std::time::Duration::from_secs(60);
    let ledger = connect(&sidecar.address, Options { timeout, ..Options::default() }).unwrap();
    let mut watching = Watching::start(&sidecar.address);
    watching.until("snapshot");
    for round in 0..RESTARTS {
        record(&ledger, Side::Buy, format!("B-{round}")).await;
        sidecar.restart();
        record(&ledger, Side::Sell, format!("S-{round}")).await;
    }
    let seen: Vec<String> = (0..RESTARTS).map(|_| watching.until("closed")).collect();
    let mut trades = ledger.list_closed_trades(Default::default());
    for line in seen {
        let trade = trades.next().await.unwrap().unwrap();
        assert_eq!(line, format!("closed {} BTC-USD 1 made 1", trade.trade_id));
    }
    assert!(trades.next().await.unwrap().is_none());

    // One more, so that whatever would have come twice had come before it.
    record(&ledger, Side::Buy, "B-last".into()).await;
    record(&ledger, Side::Sell, "S-last".into()).await;
    let last = ledger.list_closed_trades(Default::default()).all().await.unwrap().pop().unwrap();
    assert!(watching.until("closed").contains(&last.trade_id));
}

async fn record(ledger: &Ledger, side: Side, fill_id: String) {
    let fill = Fill {
        symbol: "BTC-USD".into(),
        side: side.into(),
        quantity: "1".into(),
        price: if side == Side::Buy { "100" } else { "101" }.into(),
        fill_id,
        ..Default::default()
    };
    ledger.record_fill(RecordFillRequest { fill: Some(fill), ..Default::default() }).await.unwrap();
}

struct Watching {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watching {
    fn start(address: &str) -> Self {
        let mut child = Command::new(program("watch_pnl")).arg(address).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line that begins so.
    fn until(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "watch_pnl ended");
            if line.starts_with(word) {
                return line.trim_end().to_owned();
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The README shows the samples as they are.
#[test]
fn the_readme_shows_the_samples() {
    let readme = fs::read_to_string("README.md").unwrap();
    for name in SAMPLES {
        let code = fs::read_to_string(format!("examples/{name}.rs")).unwrap();
        assert!(readme.contains(&format!("```rust\n{code}```\n")), "README.md does not show examples/{name}.rs");
    }
}
