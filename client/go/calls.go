package lotkeeper

import (
	"context"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
)

// Every RPC of the contract as a method of Ledger: what it means, and what each field means, stands in the contract. A
// request's empty portfolio_id is the portfolio given to Connect. A context without a deadline gets the timeout given
// to Connect. A write without an id is refused with a ValueError before anything is sent; every other error is an
// *Error. Requests are never changed and may be nil where nothing has to be said.

// CreateEntry opens one lot. EntryFillId or RequestId makes it count once, however often it is sent.
func (ledger *Ledger) CreateEntry(ctx context.Context, request *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
	if err := identify("CreateEntry", request.GetRequestId(), "entry_fill_id", request.GetEntryFillId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "CreateEntry", inPortfolio(ledger, request), ledger.ledger.CreateEntry)
}

// CloseFifo closes open lots of one symbol, oldest first: Quantity of them, or CloseAll. ExitFillId or RequestId makes
// it count once, however often it is sent.
func (ledger *Ledger) CloseFifo(ctx context.Context, request *pb.CloseFifoRequest) (*pb.CloseFifoResponse, error) {
	if err := identify("CloseFifo", request.GetRequestId(), "exit_fill_id", request.GetExitFillId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "CloseFifo", inPortfolio(ledger, request), ledger.ledger.CloseFifo)
}

// RecordFill records one execution and lets the book decide: open, add, reduce, close or flip. Fill.FillId or RequestId
// makes it count once, however often it is sent.
func (ledger *Ledger) RecordFill(ctx context.Context, request *pb.RecordFillRequest) (*pb.RecordFillResponse, error) {
	if err := identify("RecordFill", request.GetRequestId(), "fill_id", request.GetFill().GetFillId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "RecordFill", inPortfolio(ledger, request), ledger.ledger.RecordFill)
}

// BustFill takes an execution back that the venue cancelled; the book is re-matched without it.
func (ledger *Ledger) BustFill(ctx context.Context, request *pb.BustFillRequest) (*pb.BustFillResponse, error) {
	if err := identifyByRequest("BustFill", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "BustFill", inPortfolio(ledger, request), ledger.events.BustFill)
}

// CorrectFill corrects an execution that the venue restated; what is set takes the place of what was recorded.
func (ledger *Ledger) CorrectFill(ctx context.Context, request *pb.CorrectFillRequest) (*pb.CorrectFillResponse, error) {
	if err := identifyByRequest("CorrectFill", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "CorrectFill", inPortfolio(ledger, request), ledger.events.CorrectFill)
}

// RecordEvent records what happens to an account besides executions: cash, corporate actions, the ends of contracts.
// Event.EventId or RequestId makes it count once, however often it is sent.
func (ledger *Ledger) RecordEvent(ctx context.Context, request *pb.RecordEventRequest) (*pb.RecordEventResponse, error) {
	if err := identify("RecordEvent", request.GetRequestId(), "event_id", request.GetEvent().GetEventId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "RecordEvent", inPortfolio(ledger, request, "event"), ledger.events.RecordEvent)
}

// GetSummary reads positions, totals and groups, all pages of them, as they stood at one journal sequence. The deadline is
// for the whole read.
func (ledger *Ledger) GetSummary(ctx context.Context, request *pb.GetSummaryRequest) (*pb.GetSummaryResponse, error) {
	ctx, done := ledger.within(ctx, ledger.timeout)
	defer done()
	whole := &pb.GetSummaryResponse{}
	for page, err := range pages(ctx, ledger, "GetSummary", inPortfolio(ledger, request), ledger.ledger.GetSummary) {
		if err != nil {
			return nil, err
		}
		whole.Positions = append(whole.Positions, page.GetPositions()...)
		whole.Groups = append(whole.Groups, page.GetGroups()...)
		whole.Totals, whole.BaseTotals = page.GetTotals(), page.GetBaseTotals()
		whole.Sequence, whole.LedgerId = page.GetSequence(), page.GetLedgerId()
	}
	return whole, nil
}

// ExplainTrade reads what makes a closed trade: the entry's execution, the exit's, and the corrections of either.
func (ledger *Ledger) ExplainTrade(ctx context.Context, request *pb.ExplainTradeRequest) (*pb.ExplainTradeResponse, error) {
	return carryOut(ctx, ledger, "ExplainTrade", inPortfolio(ledger, request), ledger.explain.ExplainTrade)
}

// CreatePortfolio creates a portfolio.
func (ledger *Ledger) CreatePortfolio(ctx context.Context, request *pb.CreatePortfolioRequest) (*pb.CreatePortfolioResponse, error) {
	if err := identifyByRequest("CreatePortfolio", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "CreatePortfolio", inPortfolio(ledger, request, "portfolio"), ledger.portfolios.CreatePortfolio)
}

// UpdatePortfolio changes the terms that are set; what is left out stays.
func (ledger *Ledger) UpdatePortfolio(ctx context.Context, request *pb.UpdatePortfolioRequest) (*pb.UpdatePortfolioResponse, error) {
	if err := identifyByRequest("UpdatePortfolio", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "UpdatePortfolio", inPortfolio(ledger, request), ledger.portfolios.UpdatePortfolio)
}

// ClosePortfolio takes no more commands for a portfolio; its history stays readable.
func (ledger *Ledger) ClosePortfolio(ctx context.Context, request *pb.ClosePortfolioRequest) (*pb.ClosePortfolioResponse, error) {
	if err := identifyByRequest("ClosePortfolio", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "ClosePortfolio", inPortfolio(ledger, request), ledger.portfolios.ClosePortfolio)
}

// DefineInstrument declares an instrument, or changes what was declared.
func (ledger *Ledger) DefineInstrument(ctx context.Context, request *pb.DefineInstrumentRequest) (*pb.DefineInstrumentResponse, error) {
	if err := identifyByRequest("DefineInstrument", request.GetRequestId()); err != nil {
		return nil, err
	}
	return carryOut(ctx, ledger, "DefineInstrument", request, ledger.instruments.DefineInstrument)
}

// SetMarks sets prices to value open lots at. It needs no id: the newest wins, so one that is sent twice is dropped.
func (ledger *Ledger) SetMarks(ctx context.Context, request *pb.SetMarksRequest) (*pb.SetMarksResponse, error) {
	return carryOut(ctx, ledger, "SetMarks", request, ledger.market.SetMarks)
}

// ListMarks reads the newest marks, all or those of some symbols, and the state of every price source.
func (ledger *Ledger) ListMarks(ctx context.Context, request *pb.ListMarksRequest) (*pb.ListMarksResponse, error) {
	return carryOut(ctx, ledger, "ListMarks", copyOf(request), ledger.market.ListMarks)
}
