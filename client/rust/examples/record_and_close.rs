//! Buy twice, sell most of it, and see what was made: first in, first out.
//!
//!     record_and_close [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise

use std::env;

use lotkeeper::v1::{Fill, RecordFillRequest, Side};
use lotkeeper::{Error, Options, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let address = env::args().nth(1).or(env::var("LOTKEEPER_ADDRESS").ok());
    let address = address.unwrap_or("127.0.0.1:50051".into());
    let ledger = connect(&address, Options { portfolio: "scale-in".into(), ..Options::default() })?;

    // Every fill carries the venue's own id: however often it is sent, it counts once.
    ledger.record_fill(fill(Side::Buy, "100", "50000", "F-1")).await?;
    let bought = ledger.record_fill(fill(Side::Buy, "50", "51000", "F-2")).await?;
    let position = bought.position.unwrap_or_default();
    println!("holding {} at {}", position.total_quantity, position.average_entry_price());

    // The oldest lots go first: 100 bought at 50,000, then 20 of those bought at 51,000.
    let sold = ledger.record_fill(fill(Side::Sell, "120", "53000", "F-3")).await?;
    for trade in sold.closed_trades {
        println!("closed {} from {} at {} made {}", trade.quantity, trade.entry_price, trade.exit_price, trade.net_pnl);
    }
    let position = sold.position.unwrap_or_default();
    println!("left {} realized {}", position.total_quantity, position.net_realized_pnl);
    Ok(())
}

fn fill(side: Side, quantity: &str, price: &str, fill_id: &str) -> RecordFillRequest {
    let fill = Fill {
        symbol: "BTC-USD".into(),
        side: side.into(),
        quantity: quantity.into(),
        price: price.into(),
        fill_id: fill_id.into(),
        ..Default::default()
    };
    RecordFillRequest { fill: Some(fill), ..Default::default() }
}
