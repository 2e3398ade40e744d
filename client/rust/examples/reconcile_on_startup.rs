//! Before the first order: is the ledger right about the broker?
//!
//!     reconcile_on_startup [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise

use std::env;
use std::process::ExitCode;
use std::time::SystemTime;

use lotkeeper::v1::reconcile_request::Source;
use lotkeeper::v1::{BrokerPosition, BrokerStatement, Fill, PositionSide, ReconcileRequest, RecordFillRequest, Side};
use lotkeeper::{Error, Options, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    let address = env::args().nth(1).or(env::var("LOTKEEPER_ADDRESS").ok());
    let address = address.unwrap_or("127.0.0.1:50051".into());
    let ledger = connect(&address, Options { portfolio: "swing".into(), ..Options::default() })?;

    // What the bot knows: it bought 10 AAPL, and then was down for a while.
    let fill = Fill {
        symbol: "AAPL".into(),
        side: Side::Buy.into(),
        quantity: "10".into(),
        price: "180".into(),
        fill_id: "X-1".into(),
        ..Default::default()
    };
    ledger.record_fill(RecordFillRequest { fill: Some(fill), ..Default::default() }).await?;

    // What the broker says it holds: 4 of them, and 5 TSLA short that nobody watches.
    let statement = BrokerStatement {
        as_of: Some(SystemTime::now().into()),
        positions_complete: true,
        positions: vec![held("AAPL", PositionSide::Long, "4", "180"), held("TSLA", PositionSide::Short, "5", "400")],
        ..Default::default()
    };

    // Nothing is changed; a bot that must not trade on wrong books stops here.
    let source = Some(Source::Statement(statement));
    let reconciled = ledger.reconcile_on_startup(ReconcileRequest { source, ..Default::default() }, true).await;
    if let Some(report) = reconciled.as_ref().err().and_then(Error::report) {
        for found in &report.discrepancies {
            println!("{} ledger {} broker {}", found.symbol, found.ledger_quantity, found.broker_quantity);
        }
        return Ok(ExitCode::from(3));
    }
    reconciled?;
    println!("agreed: nothing to do");
    Ok(ExitCode::SUCCESS)
}

fn held(symbol: &str, side: PositionSide, quantity: &str, average_price: &str) -> BrokerPosition {
    BrokerPosition {
        symbol: symbol.into(),
        side: side.into(),
        quantity: quantity.into(),
        average_price: average_price.into(),
        ..Default::default()
    }
}
