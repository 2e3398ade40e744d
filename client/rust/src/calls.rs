//! Every RPC of the contract as a method of [`Ledger`]: what it means, and what each field means, stands in the contract.
//!
//! A request's empty portfolio_id is the portfolio given to `connect`; the timeout is that given to `connect`, or to
//! `with_timeout`. A write without an id is refused before anything is sent.

use std::time::Duration;

use tokio::time::Instant;

use crate::connect::{LARGEST_MESSAGE, Ledger};
use crate::connection::Connection;
use crate::errors::Error;
use crate::pages::{Pages, next_page, prepare};
use crate::retry::{identify, identify_by_request};
use crate::v1::event_service_client::EventServiceClient;
use crate::v1::explain_service_client::ExplainServiceClient;
use crate::v1::instrument_service_client::InstrumentServiceClient;
use crate::v1::ledger_service_client::LedgerServiceClient;
use crate::v1::market_service_client::MarketServiceClient;
use crate::v1::portfolio_service_client::PortfolioServiceClient;
use crate::v1::reconciliation_service_client::ReconciliationServiceClient;
use crate::v1::*;

macro_rules! stubs {
    ($($name:ident: $client:ident;)*) => {
        impl Ledger {
            $(pub(crate) fn $name(&self) -> $client<Connection> {
                $client::new(self.connection()).max_decoding_message_size(LARGEST_MESSAGE)
            })*
        }
    };
}

stubs! {
    ledger_stub: LedgerServiceClient;
    market_stub: MarketServiceClient;
    portfolio_stub: PortfolioServiceClient;
    instrument_stub: InstrumentServiceClient;
    event_stub: EventServiceClient;
    explain_stub: ExplainServiceClient;
    reconciliation_stub: ReconciliationServiceClient;
}

macro_rules! answered {
    ($($(#[$words:meta])* $stub:ident.$method:ident($question:ident) -> $answer:ident
        |$ledger:ident, $request:ident| $prepare:block)*) => {
        impl Ledger {
            $($(#[$words])*
            ///
            /// # Errors
            /// [`Kind::ValueError`](crate::Kind::ValueError) for a request that cannot be told from another; what the
            /// ledger refused; or no answer in time.
            #[allow(unused_mut)]
            pub async fn $method(&self, mut request: $question) -> Result<$answer, Error> {
                {
                    let ($ledger, $request) = (self, &mut request);
                    $prepare
                }
                let send = |request| {
                    let mut stub = self.$stub();
                    async move { stub.$method(request).await }
                };
                self.carry_out(stringify!($method), self.timeout, &request, send).await
            })*
        }
    };
}

answered! {
    /// Opens one lot. `entry_fill_id` or `request_id` makes it count once, however often it is sent.
    ledger_stub.create_entry(CreateEntryRequest) -> CreateEntryResponse |ledger, request| {
        identify("create_entry", &request.request_id, "entry_fill_id", &request.entry_fill_id)?;
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Closes open lots of one symbol, oldest first: `quantity` of them, or `close_all`. `exit_fill_id` or `request_id`
    /// makes it count once, however often it is sent.
    ledger_stub.close_fifo(CloseFifoRequest) -> CloseFifoResponse |ledger, request| {
        identify("close_fifo", &request.request_id, "exit_fill_id", &request.exit_fill_id)?;
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Records one execution and lets the book decide: open, add, reduce, close or flip. `fill.fill_id` or `request_id`
    /// makes it count once, however often it is sent.
    ledger_stub.record_fill(RecordFillRequest) -> RecordFillResponse |ledger, request| {
        let fill_id = request.fill.as_ref().map_or("", |fill| &fill.fill_id);
        identify("record_fill", &request.request_id, "fill_id", fill_id)?;
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Takes an execution back that the venue cancelled; the book is re-matched without it.
    event_stub.bust_fill(BustFillRequest) -> BustFillResponse |ledger, request| {
        identify_by_request("bust_fill", &request.request_id)?;
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Corrects an execution that the venue restated; what is set takes the place of what was recorded.
    event_stub.correct_fill(CorrectFillRequest) -> CorrectFillResponse |ledger, request| {
        identify_by_request("correct_fill", &request.request_id)?;
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Records what happens to an account besides executions: cash, corporate actions, the ends of contracts.
    /// `event.event_id` or `request_id` makes it count once, however often it is sent.
    event_stub.record_event(RecordEventRequest) -> RecordEventResponse |ledger, request| {
        let event = request.event.get_or_insert_default();
        identify("record_event", &request.request_id, "event_id", &event.event_id)?;
        ledger.portfolio_or(&mut event.portfolio_id);
    }

    /// Reads what makes a closed trade: the entry's execution, the exit's, and the corrections of either.
    explain_stub.explain_trade(ExplainTradeRequest) -> ExplainTradeResponse |ledger, request| {
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Creates a portfolio.
    portfolio_stub.create_portfolio(CreatePortfolioRequest) -> CreatePortfolioResponse |ledger, request| {
        identify_by_request("create_portfolio", &request.request_id)?;
        ledger.portfolio_or(&mut request.portfolio.get_or_insert_default().portfolio_id);
    }

    /// Changes the terms that are set; what is left out stays.
    portfolio_stub.update_portfolio(UpdatePortfolioRequest) -> UpdatePortfolioResponse |ledger, request| {
        identify_by_request("update_portfolio", &request.request_id)?;
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Takes no more commands for a portfolio; its history stays readable.
    portfolio_stub.close_portfolio(ClosePortfolioRequest) -> ClosePortfolioResponse |ledger, request| {
        identify_by_request("close_portfolio", &request.request_id)?;
        ledger.portfolio_or(&mut request.portfolio_id);
    }

    /// Declares an instrument, or changes what was declared.
    instrument_stub.define_instrument(DefineInstrumentRequest) -> DefineInstrumentResponse |_ledger, request| {
        identify_by_request("define_instrument", &request.request_id)?;
    }

    /// Sets prices to value open lots at. It needs no id: the newest wins, so one that is sent twice is dropped.
    market_stub.set_marks(SetMarksRequest) -> SetMarksResponse |_ledger, _request| {}

    /// Reads the newest marks, all or those of some symbols, and the state of every price source.
    market_stub.list_marks(ListMarksRequest) -> ListMarksResponse |_ledger, _request| {}

    /// Reads one report, as it was answered then.
    reconciliation_stub.get_reconciliation(GetReconciliationRequest) -> GetReconciliationResponse
        |_ledger, _request| {}

    /// Decides about one difference; with `validate_only` it shows the effect on P&L and changes nothing.
    reconciliation_stub.resolve_discrepancy(ResolveDiscrepancyRequest) -> ResolveDiscrepancyResponse
        |_ledger, request| {
        identify_by_request("resolve_discrepancy", &request.request_id)?;
    }

    /// Takes a resolution back: what it recorded is busted, and the difference is open again.
    reconciliation_stub.undo_resolution(UndoResolutionRequest) -> UndoResolutionResponse |_ledger, request| {
        identify_by_request("undo_resolution", &request.request_id)?;
    }
}

macro_rules! listed {
    ($($(#[$words:meta])* $method:ident($question:ident);)*) => {
        impl Ledger {
            $($(#[$words])*
            ///
            /// Nothing is sent until the pages are read; the timeout is for each.
            pub fn $method(&self, request: $question) -> Pages<$question> {
                Pages::new(self, request)
            })*
        }
    };
}

listed! {
    /// Lots in FIFO order; no `statuses` means open and partially closed.
    list_entries(ListEntriesRequest);
    /// Closed trades in the order they were closed; [`Pages::newest`] has the sums over all of them.
    list_closed_trades(ListClosedTradesRequest);
    /// Events in the order they were recorded.
    list_events(ListEventsRequest);
    /// The records that made a position; [`Pages::newest`] has the position.
    explain_position(ExplainPositionRequest);
    /// Portfolios, by id.
    list_portfolios(ListPortfoliosRequest);
    /// Instruments, by symbol.
    list_instruments(ListInstrumentsRequest);
    /// Reports, newest first; of all portfolios and accounts unless one is named.
    list_reconciliations(ListReconciliationsRequest);
    /// Differences, worst first; the open ones unless `states` says otherwise.
    list_discrepancies(ListDiscrepanciesRequest);
}

impl Ledger {
    /// Reads positions, totals and groups, all pages of them, as they stood at one journal sequence. The timeout is for
    /// the whole read.
    ///
    /// # Errors
    /// [`Kind::InvalidPageToken`](crate::Kind::InvalidPageToken): the server lost the read between two pages, start it
    /// again; what the ledger refused; or no answer in time.
    pub async fn get_summary(&self, mut request: GetSummaryRequest) -> Result<GetSummaryResponse, Error> {
        let deadline = Instant::now() + self.timeout;
        prepare(self, &mut request);
        let mut whole = GetSummaryResponse::default();
        loop {
            let page: GetSummaryResponse = next_page(self, &request, deadline).await?;
            let (mut positions, mut groups) = (whole.positions, whole.groups);
            request.page_token.clone_from(&page.next_page_token);
            whole = page;
            positions.append(&mut whole.positions);
            groups.append(&mut whole.groups);
            (whole.positions, whole.groups) = (positions, groups);
            if request.page_token.is_empty() {
                return Ok(whole);
            }
        }
    }

    /// When a call that begins now has to be answered.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// The time that one call may take.
    pub(crate) fn patience(&self) -> Duration {
        self.timeout
    }
}
