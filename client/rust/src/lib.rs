//! Lotkeeper's client: what a trading bot uses to tell the ledger what it executed, and to ask what it holds.
//!
//! ```no_run
//! # async fn bot() -> Result<(), lotkeeper::Error> {
//! use lotkeeper::{Options, v1::CloseFifoRequest};
//!
//! let options = Options { portfolio: "scalper".into(), ..Options::default() };
//! let ledger = lotkeeper::connect("127.0.0.1:50051", options)?;
//! let closed = ledger
//!     .close_fifo(CloseFifoRequest {
//!         symbol: "BTC-USD".into(),
//!         quantity: "120".into(),
//!         exit_price: "53000".into(),
//!         exit_fill_id: "F-3".into(),
//!         ..Default::default()
//!     })
//!     .await?;
//! println!("{}", closed.net_pnl);
//! # Ok(())
//! # }
//! ```
//!
//! Requests and answers are the generated messages of the contract, in [`v1`]. This crate adds five things to them, each
//! in a file of its own: connect (`connect.rs`), deadlines and retries with the same ids (`retry.rs`), decimals
//! (`decimals.rs`) and times (`times.rs`), typed errors (`errors.rs`), and a P&L stream that outlives its connections
//! (`resume.rs`, `facts.rs`). It calculates nothing.

mod calls;
mod connect;
mod connection;
mod decimals;
mod errors;
mod facts;
mod fills;
mod marks;
mod pages;
mod reconciling;
mod resume;
mod retry;
mod times;

/// The messages, enums and stubs of the contract, generated from its `.proto` files.
#[rustfmt::skip]
#[allow(missing_docs, clippy::all, rustdoc::all)]
pub mod v1;

pub use bigdecimal::BigDecimal;
pub use connect::{DEFAULT_TIMEOUT, Ledger, Options, VERSION, connect};
pub use connection::{Body, Connection};
pub use decimals::{decimal, optional_decimal, text};
pub use errors::{Error, FieldViolation, Kind};
pub use fills::RecordedFills;
pub use marks::Publisher;
pub use pages::{Listing, Pages};
pub use reconciling::{BROKER_TIMEOUT, agreed, outstanding};
pub use resume::{Disconnected, Envelope, Heartbeat, PnLEvent, PnLStream, Snapshot, Update};
pub use retry::is_retryable;
pub use times::{nanoseconds, timestamp};
