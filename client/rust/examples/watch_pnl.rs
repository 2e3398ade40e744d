//! Follow closed trades and P&L, through restarts of the ledger: every closed trade is printed once.
//!
//!     watch_pnl [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise; Ctrl-C ends it

use std::env;

use lotkeeper::v1::StreamPnLRequest;
use lotkeeper::{Error, Options, PnLEvent, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let address = env::args().nth(1).or(env::var("LOTKEEPER_ADDRESS").ok());
    let address = address.unwrap_or("127.0.0.1:50051".into());
    let ledger = connect(&address, Options::default())?;

    let mut events = ledger.stream_pnl(StreamPnLRequest::default())?;
    while let Some(event) = events.next().await? {
        match event {
            // The whole state: first of all, and again after every lost connection.
            PnLEvent::Snapshot(event) => {
                println!("snapshot {} positions at {}", event.positions.len(), event.envelope.sequence);
            }
            // Facts: each comes exactly once and in order, whatever happens to the connection.
            PnLEvent::Update(event) => {
                for trade in event.closed_trades {
                    println!("closed {} {} {} made {}", trade.trade_id, trade.symbol, trade.quantity, trade.net_pnl);
                }
            }
            // What is known may be old by now; the stream looks for the ledger by itself.
            PnLEvent::Disconnected(event) => println!("disconnected at {}", event.envelope.sequence),
            PnLEvent::Heartbeat(_) => {}
        }
    }
    Ok(())
}
