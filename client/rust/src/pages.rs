//! Long answers, page by page, as if they were one: the server gives at most 1000 of anything at once, and whoever
//! forgets the token reads the first page and believes it is all. A page is fetched when the loop reaches it.

use std::collections::VecDeque;
use std::fmt;
use std::mem::take;

use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::connect::Ledger;
use crate::errors::Error;
use crate::v1::*;

const PAGE_SIZE: i32 = 1000; // the most a server gives at once: the fewest round trips

/// A request whose answer comes in pages; requests of the contract alone are.
pub trait Listing: Clone + Send + Sync + sealed::Turning {
    /// What is listed.
    type Item: Clone + fmt::Debug + Send + Sync;
    /// One answer.
    type Page: Clone + fmt::Debug + Send + Sync;
}

pub(crate) mod sealed {
    use super::{Error, Instant, Ledger};

    /// How to turn the pages.
    pub trait Turning: Sized {
        fn portfolio_id(&mut self) -> Option<&mut String>;
        fn page_size(&mut self) -> &mut i32;
        fn page_token(&mut self) -> &mut String;
        fn fetch(&self, ledger: &Ledger, deadline: Instant)
        -> impl Future<Output = Result<Self::Answer, Error>> + Send;
        fn items(answer: &mut Self::Answer) -> Vec<Self::Listed>;
        fn next_page_token(answer: &Self::Answer) -> &str;
        type Answer: Send;
        type Listed: Send;
    }
}

/// A list that is read page by page; `list_closed_trades` and the other lists make one.
///
/// ```no_run
/// # async fn bot(ledger: lotkeeper::Ledger) -> Result<(), lotkeeper::Error> {
/// let mut trades = ledger.list_closed_trades(Default::default());
/// while let Some(trade) = trades.next().await? {
///     println!("{} {}", trade.symbol, trade.net_pnl);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pages<L: Listing> {
    ledger: Ledger,
    request: L,
    fetched: VecDeque<L::Item>,
    newest: Option<L::Page>,
    ended: bool,
}

impl<L, I, P> Pages<L>
where
    L: Listing<Item = I, Page = P> + sealed::Turning<Answer = P, Listed = I>,
{
    pub(crate) fn new(ledger: &Ledger, mut request: L) -> Self {
        prepare(ledger, &mut request);
        Self { ledger: ledger.clone(), request, fetched: VecDeque::new(), newest: None, ended: false }
    }

    /// The next of the list; `None` after the last.
    ///
    /// # Errors
    /// What the ledger refused, or no answer in time. Called again, it asks for the same page again.
    pub async fn next(&mut self) -> Result<Option<I>, Error> {
        while self.fetched.is_empty() && !self.ended {
            self.fetch().await?;
        }
        Ok(self.fetched.pop_front())
    }

    /// All that is left of the list.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn all(mut self) -> Result<Vec<I>, Error> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await? {
            all.push(item);
        }
        Ok(all)
    }

    /// The newest page without its items, for what stands beside them, such as sums; fetches the first if need be.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn newest(&mut self) -> Result<P, Error>
    where
        P: Clone,
    {
        loop {
            if let Some(page) = &self.newest {
                return Ok(page.clone());
            }
            self.fetch().await?;
        }
    }

    async fn fetch(&mut self) -> Result<(), Error> {
        let mut page = self.request.fetch(&self.ledger, self.ledger.deadline()).await?;
        self.fetched.extend(L::items(&mut page));
        L::next_page_token(&page).clone_into(self.request.page_token());
        self.ended = self.request.page_token().is_empty();
        self.newest = Some(page);
        Ok(())
    }
}

/// Put in what the ledger was connected with, and the largest page.
pub(crate) fn prepare(ledger: &Ledger, request: &mut impl sealed::Turning) {
    if let Some(portfolio_id) = request.portfolio_id() {
        ledger.portfolio_or(portfolio_id);
    }
    if *request.page_size() == 0 {
        *request.page_size() = PAGE_SIZE;
    }
}

pub(crate) async fn next_page<L: sealed::Turning>(
    ledger: &Ledger,
    request: &L,
    deadline: Instant,
) -> Result<L::Answer, Error> {
    request.fetch(ledger, deadline).await
}

macro_rules! listings {
    ($($question:ident -> $answer:ident, $items:ident: $item:ident, $stub:ident.$method:ident
        $(, $portfolio_id:ident)?;)*) => {
        $(impl Listing for $question {
            type Item = $item;
            type Page = $answer;
        }

        impl sealed::Turning for $question {
            type Answer = $answer;
            type Listed = $item;

            fn portfolio_id(&mut self) -> Option<&mut String> {
                let named: [&mut String; { 0 $(+ { stringify!($portfolio_id); 1 })? }] = [$(&mut self.$portfolio_id)?];
                named.into_iter().next()
            }

            fn page_size(&mut self) -> &mut i32 {
                &mut self.page_size
            }

            fn page_token(&mut self) -> &mut String {
                &mut self.page_token
            }

            async fn fetch(&self, ledger: &Ledger, deadline: Instant) -> Result<$answer, Error> {
                let send = |request: Request<$question>| {
                    let mut stub = ledger.$stub();
                    async move {
                        let answered: Result<Response<$answer>, Status> = stub.$method(request).await;
                        answered
                    }
                };
                ledger.carry_out_until(stringify!($method), ledger.patience(), deadline, self, send).await
            }

            fn items(answer: &mut $answer) -> Vec<$item> {
                take(&mut answer.$items)
            }

            fn next_page_token(answer: &$answer) -> &str {
                &answer.next_page_token
            }
        })*
    };
}

listings! {
    GetSummaryRequest -> GetSummaryResponse, positions: Position, ledger_stub.get_summary, portfolio_id;
    ListEntriesRequest -> ListEntriesResponse, entries: Entry, ledger_stub.list_entries, portfolio_id;
    ListClosedTradesRequest -> ListClosedTradesResponse, closed_trades: ClosedTrade,
        ledger_stub.list_closed_trades, portfolio_id;
    ListEventsRequest -> ListEventsResponse, events: Event, event_stub.list_events, portfolio_id;
    ExplainPositionRequest -> ExplainPositionResponse, lines: ExplainLine,
        explain_stub.explain_position, portfolio_id;
    ListPortfoliosRequest -> ListPortfoliosResponse, portfolios: Portfolio, portfolio_stub.list_portfolios;
    ListInstrumentsRequest -> ListInstrumentsResponse, instruments: Instrument, instrument_stub.list_instruments;
    ListReconciliationsRequest -> ListReconciliationsResponse, reconciliations: Reconciliation,
        reconciliation_stub.list_reconciliations;
    ListDiscrepanciesRequest -> ListDiscrepanciesResponse, discrepancies: DiscrepancyRecord,
        reconciliation_stub.list_discrepancies;
}
