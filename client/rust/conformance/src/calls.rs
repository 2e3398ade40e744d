//! Calls of scenarios through the client's own stubs: protobuf JSON in, protobuf JSON out, each made once.

use std::time::Duration;

use lotkeeper::v1::event_service_client::EventServiceClient;
use lotkeeper::v1::explain_service_client::ExplainServiceClient;
use lotkeeper::v1::instrument_service_client::InstrumentServiceClient;
use lotkeeper::v1::ledger_service_client::LedgerServiceClient;
use lotkeeper::v1::market_service_client::MarketServiceClient;
use lotkeeper::v1::portfolio_service_client::PortfolioServiceClient;
use lotkeeper::v1::reconciliation_service_client::ReconciliationServiceClient;
use lotkeeper::v1::*;
use lotkeeper::{Connection, Error};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Request, Status};

use crate::matching::difference;
use crate::names::Names;

/// How long a call, and a step that reads a stream, may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Names of status codes, by their numbers.
pub const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

fn read<M: Message + Default>(bytes: &[u8]) -> M {
    M::decode(bytes).expect("a message that was encoded here")
}

fn request<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

macro_rules! unary {
    ($($service:ident.$rpc:ident: $client:ident.$method:ident($question:ident);)*) => {
        /// One answer to one request.
        pub async fn one(connection: Connection, name: &str, bytes: &[u8]) -> Result<Vec<u8>, Status> {
            match name {
                $(concat!(stringify!($service), ".", stringify!($rpc)) => {
                    let question = request(read::<$question>(bytes));
                    Ok($client::new(connection).$method(question).await?.into_inner().encode_to_vec())
                })*
                _ => Err(Status::unimplemented(format!("this runner has no stub of {name}"))),
            }
        }
    };
}

unary! {
    LedgerService.CreateEntry: LedgerServiceClient.create_entry(CreateEntryRequest);
    LedgerService.CloseFifo: LedgerServiceClient.close_fifo(CloseFifoRequest);
    LedgerService.RecordFill: LedgerServiceClient.record_fill(RecordFillRequest);
    LedgerService.GetSummary: LedgerServiceClient.get_summary(GetSummaryRequest);
    LedgerService.Reconcile: LedgerServiceClient.reconcile(ReconcileRequest);
    LedgerService.ListEntries: LedgerServiceClient.list_entries(ListEntriesRequest);
    LedgerService.ListClosedTrades: LedgerServiceClient.list_closed_trades(ListClosedTradesRequest);
    MarketService.SetMarks: MarketServiceClient.set_marks(SetMarksRequest);
    MarketService.ListMarks: MarketServiceClient.list_marks(ListMarksRequest);
    PortfolioService.CreatePortfolio: PortfolioServiceClient.create_portfolio(CreatePortfolioRequest);
    PortfolioService.UpdatePortfolio: PortfolioServiceClient.update_portfolio(UpdatePortfolioRequest);
    PortfolioService.ClosePortfolio: PortfolioServiceClient.close_portfolio(ClosePortfolioRequest);
    PortfolioService.ListPortfolios: PortfolioServiceClient.list_portfolios(ListPortfoliosRequest);
    InstrumentService.DefineInstrument: InstrumentServiceClient.define_instrument(DefineInstrumentRequest);
    InstrumentService.ListInstruments: InstrumentServiceClient.list_instruments(ListInstrumentsRequest);
    EventService.RecordEvent: EventServiceClient.record_event(RecordEventRequest);
    EventService.ListEvents: EventServiceClient.list_events(ListEventsRequest);
    EventService.BustFill: EventServiceClient.bust_fill(BustFillRequest);
    EventService.CorrectFill: EventServiceClient.correct_fill(CorrectFillRequest);
    ExplainService.ExplainTrade: ExplainServiceClient.explain_trade(ExplainTradeRequest);
    ExplainService.ExplainPosition: ExplainServiceClient.explain_position(ExplainPositionRequest);
    ReconciliationService.ListReconciliations:
        ReconciliationServiceClient.list_reconciliations(ListReconciliationsRequest);
    ReconciliationService.GetReconciliation: ReconciliationServiceClient.get_reconciliation(GetReconciliationRequest);
    ReconciliationService.ListDiscrepancies: ReconciliationServiceClient.list_discrepancies(ListDiscrepanciesRequest);
    ReconciliationService.ResolveDiscrepancy:
        ReconciliationServiceClient.resolve_discrepancy(ResolveDiscrepancyRequest);
    ReconciliationService.UndoResolution: ReconciliationServiceClient.undo_resolution(UndoResolutionRequest);
}

/// Messages in, messages out: all are sent, then the answers are put into `answers` to the end.
pub async fn many(
    connection: Connection,
    name: &str,
    requests: Vec<Vec<u8>>,
    answers: &mut Vec<Vec<u8>>,
) -> Result<(), Status> {
    match name {
        "LedgerService.RecordFills" => {
            let sent: Vec<RecordFillsRequest> = requests.iter().map(|bytes| read(bytes)).collect();
            let sent = request(tokio_stream::iter(sent));
            let mut stream = LedgerServiceClient::new(connection).record_fills(sent).await?.into_inner();
            while let Some(answer) = stream.message().await? {
                answers.push(answer.encode_to_vec());
            }
            Ok(())
        }
        "MarketService.PublishMarks" => {
            let sent: Vec<PublishMarksRequest> = requests.iter().map(|bytes| read(bytes)).collect();
            let answer = MarketServiceClient::new(connection).publish_marks(request(tokio_stream::iter(sent))).await?;
            answers.push(answer.into_inner().encode_to_vec());
            Ok(())
        }
        _ => Err(Status::unimplemented(format!("this runner has no stub of {name}"))),
    }
}

/// What of a refusal is not as expected.
pub fn refusal_difference(expected: &Value, refused: &Error, saved: &mut Names) -> Result<(), String> {
    let mut wanted = expected.clone();
    if let Some(violations) = wanted.get_mut("violations").and_then(Value::as_array_mut) {
        violations.sort_by_key(Value::to_string);
    }
    let mut fields: Vec<_> = refused.violations().iter().map(|broken| broken.field.as_str()).collect();
    fields.sort_unstable();
    let content = json!({
        "code": CODES[refused.code() as usize],
        "reason": (!refused.reason().is_empty()).then_some(refused.reason()),
        "metadata": refused.metadata(),
        "violations": fields,
        "retry": refused.retry_delay().is_some(),
    });
    difference(&wanted, Some(&content), "refusal", saved).map_err(|found| format!("{found} ({refused})"))
}
