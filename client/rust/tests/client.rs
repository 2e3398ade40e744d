//! The client against a real sidecar.

use std::time::Duration;

use lotkeeper::v1::reconcile_request::Source;
use lotkeeper::v1::*;
use lotkeeper::{Error, Kind, Ledger, Options, PnLEvent, connect, decimal, nanoseconds, text, timestamp};

mod sidecar;
use sidecar::Sidecar;

const PATIENT: Duration = Duration::from_secs(60); // a busy machine starts a server slowly

fn dial(address: &str) -> Ledger {
    connect(address, Options { portfolio: "bot".into(), timeout: PATIENT, ..Options::default() }).unwrap()
}

fn fill(side: Side, quantity: &str, price: &str, fill_id: &str) -> Fill {
    Fill {
        symbol: "BTC-USD".into(),
        side: side.into(),
        quantity: quantity.into(),
        price: price.into(),
        fill_id: fill_id.into(),
        ..Default::default()
    }
}

async fn record(ledger: &Ledger, fill: Fill) -> Result<RecordFillResponse, Error> {
    ledger.record_fill(RecordFillRequest { fill: Some(fill), ..Default::default() }).await
}

/// A flip closes and opens in one call, the same fill counts once, and another content under its id is a conflict.
#[tokio::test]
async fn fills_count_once() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    record(&ledger, fill(Side::Buy, "1", "100", "F-1")).await.unwrap();
    let flipped = record(&ledger, fill(Side::Sell, "3", "110", "F-2")).await.unwrap();
    assert_eq!(flipped.closed_trades[0].net_pnl, "10");
    let position = flipped.position.unwrap();
    assert_eq!((position.side(), position.total_quantity.as_str()), (PositionSide::Short, "2"));

    let again = record(&ledger, fill(Side::Sell, "3.0", "110", "F-2")).await.unwrap();
    assert!(again.replayed && again.sequence == flipped.sequence);

    let refused = record(&ledger, fill(Side::Sell, "3", "111", "F-2")).await.unwrap_err();
    assert!(refused.is(Kind::FillConflict) && refused.is(Kind::Conflict), "{refused:?}");
    assert_eq!(refused.metadata()["field"], "fill.price");
}

/// What the ledger refuses has its reason, its metadata, and every broken field.
#[tokio::test]
async fn refusals_are_told_apart() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    record(&ledger, fill(Side::Buy, "1", "100", "F-1")).await.unwrap();
    let close = CloseFifoRequest {
        symbol: "BTC-USD".into(),
        quantity: "2".into(),
        exit_price: "101".into(),
        exit_fill_id: "F-2".into(),
        ..Default::default()
    };
    let refused = ledger.close_fifo(close).await.unwrap_err();
    assert_eq!((refused.kind(), refused.reason()), (Kind::InsufficientQuantity, "INSUFFICIENT_QUANTITY"));
    assert_eq!((refused.metadata()["open_quantity"].as_str(), refused.code()), ("1", tonic::Code::FailedPrecondition));

    let broken = record(&ledger, fill(Side::Buy, "-1", "1e3", "F-3")).await.unwrap_err();
    assert!(broken.is(Kind::InvalidRequest));
    let mut fields: Vec<_> = broken.violations().iter().map(|each| each.field.as_str()).collect();
    fields.sort();
    assert_eq!(fields, ["fill.price", "fill.quantity"]);
}

/// Every digit and every nanosecond comes back.
#[tokio::test]
async fn digits_and_nanoseconds_survive() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    let (quantity, price) = ("12345678901234567890.123456789012345678", "0.000000000000000001");
    let moment = 1_700_000_000_123_456_789;
    let bought = Fill {
        quantity: text(&decimal(quantity).unwrap()).unwrap(),
        price: text(&"1E-18".parse().unwrap()).unwrap(),
        fill_time: Some(timestamp(moment)),
        ..fill(Side::Buy, "", "", "F-1")
    };
    let entry = record(&ledger, bought).await.unwrap().opened_entry.unwrap();
    assert_eq!((entry.quantity.as_str(), entry.entry_price.as_str()), (quantity, price));
    assert_eq!(nanoseconds(&entry.entry_time.unwrap()), moment);
}

/// Summaries and lists are whole, whatever the size of a page; sums stand beside the list.
#[tokio::test]
async fn pages_are_read_to_the_end() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    let fills = (0..1203).map(|number| match number % 3 {
        0 => fill(Side::Buy, "2", "100", &format!("F-{number}")),
        _ => fill(Side::Sell, "1", "101", &format!("F-{number}")),
    });
    let mut results = ledger.record_fills(fills, RecordFillsRequest::default());
    let mut recorded = 0;
    while let Some(result) = results.next().await.unwrap() {
        assert_eq!(result.refusal(), ErrorReason::Unspecified, "{}", result.message);
        recorded += 1;
    }
    assert_eq!(recorded, 1203);

    let mut trades = ledger.list_closed_trades(ListClosedTradesRequest { page_size: 7, ..Default::default() });
    assert_eq!(trades.newest().await.unwrap().totals[0].net_realized_pnl, "802");
    assert_eq!(trades.all().await.unwrap().len(), 802);

    for symbol in ["A", "B", "C"] {
        let bought = Fill { symbol: symbol.into(), ..fill(Side::Buy, "1", "1", symbol) };
        record(&ledger, bought).await.unwrap();
    }
    let summary = ledger.get_summary(GetSummaryRequest { page_size: 2, ..Default::default() }).await.unwrap();
    assert_eq!(summary.positions.len(), 3);
    assert!(summary.next_page_token.is_empty() && !summary.ledger_id.is_empty());
}

/// Executions in bulk whose server dies in between are recorded once each, and each has its result.
#[tokio::test]
async fn bulk_survives_a_restart() {
    let Some(mut sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    let fills = (0..6000).map(|number| fill(Side::Buy, "1", "1", &format!("F-{number}")));
    let mut results = ledger.record_fills(fills, RecordFillsRequest::default());
    let mut recorded = 0;
    while let Some(result) = results.next().await.unwrap() {
        assert_eq!(result.fill_id, format!("F-{recorded}"));
        recorded += 1;
        if recorded == 1000 {
            sidecar.restart();
        }
    }
    assert_eq!(recorded, 6000);
    let summary = ledger.get_summary(GetSummaryRequest::default()).await.unwrap();
    assert_eq!(summary.positions[0].total_quantity, "6000");
}

/// Marks value what is open; the end of their stream makes them stale; a mark that cannot be is refused.
#[tokio::test]
async fn marks_value_what_is_open() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    record(&ledger, fill(Side::Buy, "2", "100", "F-1")).await.unwrap();
    let mark = |price: &str| Mark { symbol: "BTC-USD".into(), price: price.into(), ..Default::default() };
    let set = SetMarksRequest { marks: vec![mark("101")], ..Default::default() };
    assert_eq!(ledger.set_marks(set).await.unwrap().accepted_count, 1);
    let summary = ledger.get_summary(GetSummaryRequest::default()).await.unwrap();
    assert_eq!(summary.positions[0].unrealized_pnl(), "2");

    let mut publisher = ledger.publish_marks("feed").unwrap();
    publisher.send(vec![mark("102")]).await.unwrap();
    publisher.send(vec![mark("103")]).await.unwrap();
    assert_eq!(publisher.end().await.unwrap().accepted_count, 2);
    let feeds = ledger.list_marks(ListMarksRequest::default()).await.unwrap().feeds;
    assert!(feeds.iter().any(|feed| feed.source == "feed" && !feed.connected));

    let mut publisher = ledger.publish_marks("feed").unwrap();
    publisher.send(vec![mark("none")]).await.unwrap();
    assert!(publisher.end().await.unwrap_err().is(Kind::InvalidRequest));
}

/// A bot that must not trade on wrong books gets no further, and is told why.
#[tokio::test]
async fn disagreement_stops_a_bot() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    record(&ledger, fill(Side::Buy, "10", "100", "F-1")).await.unwrap();
    let held = |quantity: &str| {
        let position = BrokerPosition {
            symbol: "BTC-USD".into(),
            side: PositionSide::Long.into(),
            quantity: quantity.into(),
            ..Default::default()
        };
        let statement = BrokerStatement {
            as_of: Some(std::time::SystemTime::now().into()),
            positions_complete: true,
            positions: vec![position],
            ..Default::default()
        };
        ReconcileRequest { source: Some(Source::Statement(statement)), ..Default::default() }
    };
    let stopped = ledger.reconcile_on_startup(held("4"), true).await.unwrap_err();
    assert_eq!(stopped.kind(), Kind::NotReconciled);
    assert_eq!(stopped.report().unwrap().discrepancies[0].kind(), DiscrepancyKind::QuantityMismatch);
    let agreed = ledger.reconcile_on_startup(held("10"), true).await.unwrap();
    assert!(lotkeeper::agreed(&agreed));
    let differences = ledger.list_discrepancies(ListDiscrepanciesRequest::default()).all().await.unwrap();
    assert!(differences.is_empty());
    let reports = ledger.list_reconciliations(ListReconciliationsRequest::default()).all().await.unwrap();
    assert_eq!(reports.len(), 2);
}

/// The first call waits for a server that is starting, and a call made while it is gone waits until it is back.
#[tokio::test]
async fn calls_wait_for_the_server() {
    let Some(mut sidecar) = Sidecar::start() else { return };
    sidecar.kill();
    let ledger = dial(&sidecar.address);
    for fill_id in ["F-1", "F-2"] {
        let starting = tokio::task::spawn_blocking(move || {
            sidecar.start_again();
            sidecar
        });
        let (recorded, started) = tokio::join!(record(&ledger, fill(Side::Buy, "1", "100", fill_id)), starting);
        assert!(!recorded.unwrap().replayed);
        sidecar = started.unwrap();
        sidecar.kill();
    }
}

/// Nobody there: the deadline is kept, and the error says what to do.
#[tokio::test]
async fn deadlines_are_kept() {
    let Some(mut sidecar) = Sidecar::start() else { return };
    sidecar.kill();
    let ledger = dial(&sidecar.address).with_timeout(Duration::from_millis(300)).unwrap();
    let begun = std::time::Instant::now();
    let late = record(&ledger, fill(Side::Buy, "1", "100", "F-1")).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(late.kind(), Kind::DeadlineExceeded);
    let words = format!("record_fill: no answer from {} within 0.3 s. A write may have been recorded", sidecar.address);
    assert!(late.message().starts_with(&words), "{late}");
}

/// A stream tells of a lost connection, goes on by itself, and ends when another ledger is at the address.
#[tokio::test]
async fn streams_resume_and_see_another_ledger() {
    let Some(mut sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    let mut events = ledger.stream_pnl(StreamPnLRequest::default()).unwrap();
    let first = events.next().await.unwrap().unwrap();
    assert!(matches!(&first, PnLEvent::Snapshot(whole) if whole.positions.is_empty()));

    sidecar.restart();
    let lost = events.next().await.unwrap().unwrap();
    assert!(matches!(&lost, PnLEvent::Disconnected(lost) if lost.cause.is(Kind::Unavailable)), "{lost:?}");
    assert!(matches!(events.next().await.unwrap().unwrap(), PnLEvent::Snapshot(_)));
    record(&ledger, fill(Side::Buy, "1", "100", "F-1")).await.unwrap();
    let opened = loop {
        if let PnLEvent::Update(update) = events.next().await.unwrap().unwrap() {
            break update.opened_entries;
        }
    };
    assert_eq!(opened[0].entry_fill_id, "F-1");

    sidecar.kill();
    sidecar.database = sidecar.folder.join("another.db");
    sidecar.start_again();
    let replaced = loop {
        match events.next().await {
            Ok(event) => assert!(matches!(event, Some(PnLEvent::Disconnected(_))), "{event:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(replaced.kind(), Kind::LedgerReplaced);
}

/// A sequence counts in one ledger only.
#[tokio::test]
async fn a_sequence_needs_its_ledger() {
    let ledger = dial("127.0.0.1:1");
    let refused = ledger.stream_pnl(StreamPnLRequest { after_sequence: Some(3), ..Default::default() }).unwrap_err();
    assert!(refused.message().starts_with("stream_pnl: after_sequence=3 with ledger_id=\"\""), "{refused}");
}

/// Closing a ledger ends its streams and refuses its calls.
#[tokio::test]
async fn closing_ends_streams() {
    let Some(sidecar) = Sidecar::start() else { return };
    let ledger = dial(&sidecar.address);
    let mut events = ledger.stream_pnl(StreamPnLRequest::default()).unwrap();
    events.next().await.unwrap().unwrap();
    ledger.clone().close();
    assert!(events.next().await.unwrap().is_none());
    let refused = ledger.get_summary(GetSummaryRequest::default()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::ValueError);
}

/// A socket file is an address, too.
#[tokio::test]
async fn socket_files_are_addresses() {
    let Some(sidecar) = Sidecar::start_at("unix:{folder}/ledger.sock") else { return };
    let ledger = dial(&sidecar.address);
    assert!(record(&ledger, fill(Side::Buy, "1", "100", "F-1")).await.unwrap().sequence > 0);
}

/// A write that could not be told from another is refused before anything is sent, and so is what is no address.
#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let ledger = dial("127.0.0.1:1");
    let refused = record(&ledger, fill(Side::Buy, "1", "100", "")).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "record_fill: neither fill_id nor request_id was given. Without one a retry after a lost answer, or a second \
         instance of the bot, would record it twice. Pass the venue's own id as fill_id, or a request_id made before the \
         first try and kept for the next."
    );
    assert_eq!(refused.kind(), Kind::ValueError);
    let mut results = ledger.record_fills([fill(Side::Buy, "1", "100", "")], RecordFillsRequest::default());
    assert_eq!(results.next().await.unwrap_err().kind(), Kind::ValueError);
    assert_eq!(ledger.bust_fill(BustFillRequest::default()).await.unwrap_err().kind(), Kind::ValueError);
    assert_eq!(ledger.reconcile(ReconcileRequest::default()).await.unwrap_err().kind(), Kind::ValueError);
    for address in ["", "localhost", "http://localhost:1", "host:99999", "unix:", "a b:1", "[::1:1", "host:+1"] {
        assert!(connect(address, Options::default()).is_err(), "{address}");
    }
    for address in ["localhost:1", "[::1]:50051", "unix:/run/ledger.sock"] {
        assert!(connect(address, Options::default()).is_ok(), "{address}");
    }
    assert!(connect("host:1", Options { timeout: Duration::ZERO, ..Options::default() }).is_err());
}

/// A token does not leave the machine in the clear.
#[tokio::test]
async fn tokens_stay_at_home() {
    let token = || Options { token: "secret".into(), ..Options::default() };
    assert!(connect("ledger.example:50051", token()).unwrap_err().message().contains("set tls"));
    for address in ["127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/run/ledger.sock"] {
        assert!(connect(address, token()).is_ok(), "{address}");
    }
    // Whether this machine has certificates to check another with is not the question here.
    let encrypted = connect("ledger.example:50051", Options { tls: true, ..token() });
    assert!(encrypted.err().is_none_or(|error| !error.message().contains("token")));
}
