package lotkeeper_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	"github.com/lotkeeper/lotkeeper/client/go/internal/sidecar"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func connect(test testing.TB, address string, options lotkeeper.Options) *lotkeeper.Ledger {
	test.Helper()
	ledger, err := lotkeeper.Connect(address, options)
	if err != nil {
		test.Fatal(err)
	}
	test.Cleanup(func() { _ = ledger.Close() })
	return ledger
}

func must[T any](test testing.TB) func(T, error) T {
	return func(value T, err error) T {
		test.Helper()
		if err != nil {
			test.Fatal(err)
		}
		return value
	}
}

func equal[T comparable](test testing.TB, what string, got, want T) {
	test.Helper()
	if got != want {
		test.Errorf("%s: %v, expected %v", what, got, want)
	}
}

func entry(fillID, quantity, price string) *pb.CreateEntryRequest {
	return &pb.CreateEntryRequest{Symbol: "BTC-USD", Quantity: quantity, EntryPrice: price, EntryFillId: fillID}
}

func exit(fillID, quantity, price string) *pb.CloseFifoRequest {
	return &pb.CloseFifoRequest{Symbol: "BTC-USD", Quantity: quantity, ExitPrice: price, ExitFillId: fillID}
}

// One walk through the ledger with every RPC but the streams.
func TestEveryCallOfTheContract(test *testing.T) {
	ledger := connect(test, sidecar.Start(test).Address, lotkeeper.Options{Portfolio: "desk"})
	ctx := test.Context()

	created := must[*pb.CreatePortfolioResponse](test)(ledger.CreatePortfolio(ctx, &pb.CreatePortfolioRequest{
		RequestId: "desk", Portfolio: &pb.Portfolio{InitialCash: []*pb.Money{{Currency: "USD", Amount: "20000000"}}},
	}))
	equal(test, "portfolio", created.GetPortfolio().GetPortfolioId(), "desk")
	described := "the desk"
	updated := must[*pb.UpdatePortfolioResponse](test)(ledger.UpdatePortfolio(ctx, &pb.UpdatePortfolioRequest{
		RequestId: "describe", Description: &described,
	}))
	equal(test, "description", updated.GetPortfolio().GetDescription(), described)
	defined := must[*pb.DefineInstrumentResponse](test)(ledger.DefineInstrument(ctx, &pb.DefineInstrumentRequest{
		RequestId: "btc", Instrument: &pb.Instrument{Symbol: "BTC-USD", Kind: pb.InstrumentKind_INSTRUMENT_KIND_SPOT, BaseCurrency: "BTC"},
	}))
	equal(test, "declared", defined.GetInstrument().GetDeclared(), true)

	bought := time.Date(2026, 1, 5, 12, 0, 0, 123456789, time.UTC)
	first := entry("F-1", "100", "50000")
	first.EntryTime = timestamppb.New(bought)
	opened := must[*pb.CreateEntryResponse](test)(ledger.CreateEntry(ctx, first))
	equal(test, "time, to the nanosecond", opened.GetEntry().GetEntryTime().AsTime(), bought)
	equal(test, "the caller's request", first.GetPortfolioId(), "")
	recorded := must[*pb.RecordFillResponse](test)(ledger.RecordFill(ctx, &pb.RecordFillRequest{
		Fill: &pb.Fill{FillId: "F-2", Symbol: "BTC-USD", Side: pb.Side_SIDE_BUY, Quantity: "50", Price: "51000"},
	}))
	equal(test, "average", recorded.GetPosition().GetAverageEntryPrice(), "50333.333333333333333333")
	closed := must[*pb.CloseFifoResponse](test)(ledger.CloseFifo(ctx, exit("F-3", "120", "53000")))
	equal(test, "realized", closed.GetNetPnl(), "340000")
	equal(test, "replayed", closed.GetReplayed(), false)
	again := must[*pb.CloseFifoResponse](test)(ledger.CloseFifo(ctx, exit("F-3", "120", "53000")))
	equal(test, "replayed", again.GetReplayed(), true)

	marks := []*pb.Mark{{Symbol: "BTC-USD", Price: "54000"}}
	set := must[*pb.SetMarksResponse](test)(ledger.SetMarks(ctx, &pb.SetMarksRequest{Marks: marks}))
	equal(test, "accepted", set.GetAcceptedCount(), 1)
	equal(test, "marks", len(must[*pb.ListMarksResponse](test)(ledger.ListMarks(ctx, nil)).GetMarks()), 1)
	summary := must[*pb.GetSummaryResponse](test)(ledger.GetSummary(ctx, &pb.GetSummaryRequest{IncludeEntries: true}))
	equal(test, "left", summary.GetPositions()[0].GetTotalQuantity(), "30")
	equal(test, "unrealized", summary.GetPositions()[0].GetUnrealizedPnl(), "90000")

	event := must[*pb.RecordEventResponse](test)(ledger.RecordEvent(ctx, &pb.RecordEventRequest{Event: &pb.Event{
		EventId: "wire-1", Event: &pb.Event_Deposit{Deposit: &pb.Deposit{Money: &pb.Money{Currency: "USD", Amount: "500"}}},
	}}))
	equal(test, "cash", event.GetCash()[0].GetAmount(), "18810500") // 20,000,000 - 5,000,000 - 2,550,000 + 6,360,000 + 500
	price := "50500"
	corrected := must[*pb.CorrectFillResponse](test)(ledger.CorrectFill(ctx, &pb.CorrectFillRequest{
		RequestId: "fix", Symbol: "BTC-USD", FillId: "F-2", Price: &price,
	}))
	equal(test, "restated", corrected.GetNetPnlChange(), "10000")
	busted := must[*pb.BustFillResponse](test)(ledger.BustFill(ctx, &pb.BustFillRequest{
		RequestId: "bust", Symbol: "BTC-USD", FillId: "F-3",
	}))
	equal(test, "left", busted.GetPosition().GetTotalQuantity(), "150")
	closed = must[*pb.CloseFifoResponse](test)(ledger.CloseFifo(ctx, exit("F-4", "150", "53000")))

	equal(test, "entries", count(test, ledger.ListEntries(ctx, &pb.ListEntriesRequest{
		Statuses: []pb.EntryStatus{pb.EntryStatus_ENTRY_STATUS_CLOSED},
	}).All()), 2)
	trades := ledger.ListClosedTrades(ctx, &pb.ListClosedTradesRequest{PageSize: 1})
	equal(test, "sum", must[*pb.ListClosedTradesResponse](test)(trades.Page()).GetTotals()[0].GetNetRealizedPnl(), "425000")
	equal(test, "trades", count(test, trades.All()), 2)
	equal(test, "events", count(test, ledger.ListEvents(ctx, nil).All()), 1)
	equal(test, "portfolios", count(test, ledger.ListPortfolios(ctx, &pb.ListPortfoliosRequest{PortfolioIds: []string{"desk"}}).All()), 1)
	equal(test, "instruments", count(test, ledger.ListInstruments(ctx, nil).All()), 1)
	explained := must[*pb.ExplainTradeResponse](test)(ledger.ExplainTrade(ctx, &pb.ExplainTradeRequest{
		TradeId: closed.GetClosedTrades()[0].GetTradeId(),
	}))
	equal(test, "explained", explained.GetTrade().GetNetPnl(), "300000")
	lines := ledger.ExplainPosition(ctx, &pb.ExplainPositionRequest{Symbol: "BTC-USD", PageSize: 2})
	equal(test, "side", must[*pb.ExplainPositionResponse](test)(lines.Page()).GetPosition().GetSide(), pb.PositionSide_POSITION_SIDE_FLAT)
	if count(test, lines.All()) < 4 {
		test.Error("the position is made by fewer than 4 records")
	}
	ended := must[*pb.ClosePortfolioResponse](test)(ledger.ClosePortfolio(ctx, &pb.ClosePortfolioRequest{RequestId: "end"}))
	equal(test, "closed", ended.GetPortfolio().GetClosed(), true)
}

func count[V any](test testing.TB, all func(func(V, error) bool)) int {
	test.Helper()
	counted := 0
	for _, err := range all {
		if err != nil {
			test.Fatal(err)
		}
		counted++
	}
	return counted
}

// A difference from the report to its undoing.
func TestReconcileResolveUndo(test *testing.T) {
	ledger := connect(test, sidecar.Start(test).Address, lotkeeper.Options{Portfolio: "swing"})
	ctx := test.Context()
	must[*pb.CreateEntryResponse](test)(ledger.CreateEntry(ctx, entry("F-1", "10", "180")))
	statement := &pb.ReconcileRequest{Source: &pb.ReconcileRequest_Statement{Statement: &pb.BrokerStatement{
		AsOf:              timestamppb.Now(),
		PositionsComplete: true,
		Positions: []*pb.BrokerPosition{
			{Symbol: "BTC-USD", Side: pb.PositionSide_POSITION_SIDE_LONG, Quantity: "10", AveragePrice: "180"},
			{Symbol: "TSLA", Side: pb.PositionSide_POSITION_SIDE_SHORT, Quantity: "5", AveragePrice: "400"},
		},
	}}}

	_, err := ledger.ReconcileOnStartup(ctx, statement, true)
	var failed *lotkeeper.Error
	if !errors.Is(err, lotkeeper.ErrNotReconciled) || !errors.As(err, &failed) {
		test.Fatalf("%v, expected NotReconciled", err)
	}
	equal(test, "orphaned", failed.Report.GetOrphanedCount(), 1)
	report := must[*pb.ReconcileResponse](test)(ledger.Reconcile(ctx, statement))
	orphan := report.GetDiscrepancies()[0]
	if reports := count(test, ledger.ListReconciliations(ctx, nil).All()); reports < 2 {
		test.Errorf("%d reports, expected 2 or more", reports)
	}
	kept := must[*pb.GetReconciliationResponse](test)(ledger.GetReconciliation(ctx, &pb.GetReconciliationRequest{
		ReconciliationId: report.GetReconciliationId(),
	}))
	equal(test, "kept", kept.GetReport().GetDiscrepancyCount(), report.GetDiscrepancyCount())
	equal(test, "open", count(test, ledger.ListDiscrepancies(ctx, nil).All()), 1)
	resolved := must[*pb.ResolveDiscrepancyResponse](test)(ledger.ResolveDiscrepancy(ctx, &pb.ResolveDiscrepancyRequest{
		RequestId: "adopt", DiscrepancyId: orphan.GetDiscrepancyId(),
		Action: &pb.ResolveDiscrepancyRequest_Adopt{Adopt: &pb.AdoptPosition{PortfolioId: "swing"}},
	}))
	if agreed := must[*pb.ReconcileResponse](test)(ledger.ReconcileOnStartup(ctx, statement, true)); !lotkeeper.Agreed(agreed) {
		test.Error("the two do not agree after the position was adopted")
	}
	must[*pb.UndoResolutionResponse](test)(ledger.UndoResolution(ctx, &pb.UndoResolutionRequest{
		RequestId: "undo", ResolutionId: resolved.GetDiscrepancy().GetResolution().GetResolutionId(), Reason: "test",
	}))
	equal(test, "open", count(test, ledger.ListDiscrepancies(ctx, nil).All()), 1)
}

// Without an id nobody could tell a retry from something new.
func TestAWriteWithoutAnIdIsNotSent(test *testing.T) {
	ledger := connect(test, "127.0.0.1:1", lotkeeper.Options{}) // nobody listens there: nothing is sent
	ctx := test.Context()
	writes := map[string]func() error{
		"CreateEntry: neither entry_fill_id nor request_id": func() error { _, err := ledger.CreateEntry(ctx, entry("", "1", "1")); return err },
		"CloseFifo: neither exit_fill_id nor request_id":    func() error { _, err := ledger.CloseFifo(ctx, nil); return err },
		"RecordFill: neither fill_id nor request_id":        func() error { _, err := ledger.RecordFill(ctx, nil); return err },
		"RecordEvent: neither event_id nor request_id":      func() error { _, err := ledger.RecordEvent(ctx, nil); return err },
		"BustFill: no request_id":                           func() error { _, err := ledger.BustFill(ctx, nil); return err },
		"CorrectFill: no request_id":                        func() error { _, err := ledger.CorrectFill(ctx, nil); return err },
		"CreatePortfolio: no request_id":                    func() error { _, err := ledger.CreatePortfolio(ctx, nil); return err },
		"UpdatePortfolio: no request_id":                    func() error { _, err := ledger.UpdatePortfolio(ctx, nil); return err },
		"ClosePortfolio: no request_id":                     func() error { _, err := ledger.ClosePortfolio(ctx, nil); return err },
		"DefineInstrument: no request_id":                   func() error { _, err := ledger.DefineInstrument(ctx, nil); return err },
		"ResolveDiscrepancy: no request_id":                 func() error { _, err := ledger.ResolveDiscrepancy(ctx, nil); return err },
		"UndoResolution: no request_id":                     func() error { _, err := ledger.UndoResolution(ctx, nil); return err },
		"Reconcile: APPLY without a request_id": func() error {
			_, err := ledger.Reconcile(ctx, &pb.ReconcileRequest{
				Mode:   pb.ReconcileMode_RECONCILE_MODE_APPLY,
				Source: &pb.ReconcileRequest_BrokerAccount{BrokerAccount: "a"},
			})
			return err
		},
		"Reconcile: pass a broker_account or a statement": func() error { _, err := ledger.Reconcile(ctx, nil); return err },
		"RecordFills: the fill": func() error {
			var last error
			for _, err := range ledger.RecordFills(ctx, func(yield func(*pb.Fill) bool) { yield(&pb.Fill{Symbol: "A"}) }, nil) {
				last = err
			}
			return last
		},
	}
	for words, write := range writes {
		err := write()
		var value *lotkeeper.ValueError
		if !errors.As(err, &value) || !strings.HasPrefix(err.Error(), words) {
			test.Errorf("%v, expected a ValueError that begins with %q", err, words)
		}
	}
}

// 20 digits before the point and 18 after it go there and come back.
func TestDecimalsAreExact(test *testing.T) {
	ledger := connect(test, sidecar.Start(test).Address, lotkeeper.Options{})
	longest := decimal.RequireFromString("12345678901234567890.123456789012345678")
	smallest := decimal.New(1, -18)
	opened := must[*pb.CreateEntryResponse](test)(ledger.CreateEntry(test.Context(),
		entry("F-1", lotkeeper.MustText(smallest), lotkeeper.MustText(longest))))
	equal(test, "price", must[decimal.Decimal](test)(lotkeeper.Decimal(opened.GetEntry().GetEntryPrice())).Equal(longest), true)
	equal(test, "quantity", must[decimal.Decimal](test)(lotkeeper.Decimal(opened.GetEntry().GetQuantity())).Equal(smallest), true)
	cost := must[decimal.Decimal](test)(lotkeeper.Decimal(opened.GetPosition().GetCostBasis()))
	equal(test, "cost", cost.Equal(longest.Mul(smallest)), true)
}

// What the ledger refuses is told by its kind, with all it said.
func TestRefusals(test *testing.T) {
	ledger := connect(test, sidecar.Start(test).Address, lotkeeper.Options{})
	ctx := test.Context()
	must[*pb.CreateEntryResponse](test)(ledger.CreateEntry(ctx, entry("F-1", "10", "180")))

	_, err := ledger.CreateEntry(ctx, entry("F-1", "11", "180"))
	failed := refused(test, err, lotkeeper.ErrFillConflict, lotkeeper.ErrConflict)
	equal(test, "field", failed.Metadata["field"], "quantity")
	_, err = ledger.CloseFifo(ctx, exit("F-2", "11", "181"))
	failed = refused(test, err, lotkeeper.ErrInsufficientQuantity, lotkeeper.ErrBookRefused)
	equal(test, "open", failed.Metadata["open_quantity"], "10")
	_, err = ledger.CreateEntry(ctx, entry("F-3", "1e5", "-"))
	failed = refused(test, err, lotkeeper.ErrInvalidRequest, lotkeeper.ErrLotkeeper)
	equal(test, "violations", len(failed.Violations), 2)
	if !strings.Contains(err.Error(), "quantity: ") || !strings.Contains(err.Error(), "entry_price: ") {
		test.Errorf("%v does not tell both fields", err)
	}
	_, err = ledger.GetSummary(ctx, &pb.GetSummaryRequest{PortfolioId: "none"})
	refused(test, err, lotkeeper.ErrPortfolioNotFound, lotkeeper.ErrNotFound)
}

func refused(test testing.TB, err error, kinds ...error) *lotkeeper.Error {
	test.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			test.Errorf("%v is not %v", err, kind)
		}
	}
	var failed *lotkeeper.Error
	if !errors.As(err, &failed) {
		test.Fatalf("%v is not an *Error", err)
	}
	return failed
}

// A call made before the server is there waits for it; one made while it is killed is sent again with the same id.
func TestCallsOutliveTheServer(test *testing.T) {
	address := sidecar.Socket(test)
	ledger := connect(test, address, lotkeeper.Options{Timeout: time.Minute})
	early := make(chan error, 1)
	go func() {
		_, err := ledger.CreateEntry(test.Context(), entry("F-0", "1", "100"))
		early <- err
	}()
	server := sidecar.StartAt(test, address)
	if err := <-early; err != nil {
		test.Fatal(err)
	}
	const fills, restarts = 200, 4
	recorded, ended := make(chan int, fills), make(chan error, 1)
	go func() {
		defer close(recorded)
		for number := 1; number <= fills; number++ {
			if _, err := ledger.CreateEntry(test.Context(), entry(fmt.Sprintf("F-%d", number), "1", "100")); err != nil {
				ended <- err
				return
			}
			recorded <- number
		}
		ended <- nil
	}()
	for number := range recorded {
		if number%(fills/restarts) == 0 && number < fills { // the next fills are on their way
			server.Kill()
			server.Start()
		}
	}
	if err := <-ended; err != nil {
		test.Fatal(err)
	}
	summary := must[*pb.GetSummaryResponse](test)(ledger.GetSummary(test.Context(), nil))
	equal(test, "quantity", summary.GetPositions()[0].GetTotalQuantity(), fmt.Sprint(fills+1))
}

// A deadline that passes is told with what to do, and the context's own error is known.
func TestADeadlineThatPasses(test *testing.T) {
	ledger := connect(test, "127.0.0.1:1", lotkeeper.Options{Timeout: 50 * time.Millisecond})
	_, err := ledger.CreateEntry(test.Context(), entry("F-1", "1", "1"))
	refused(test, err, lotkeeper.ErrDeadlineExceeded, lotkeeper.ErrTryAgain, context.DeadlineExceeded)
	if !strings.Contains(err.Error(), "send it again with the same ids") {
		test.Errorf("%v does not say what to do", err)
	}
	if !strings.Contains(err.Error(), "connection refused") {
		test.Errorf("%v does not say why", err)
	}
	ctx, cancel := context.WithCancel(test.Context())
	cancel()
	_, err = ledger.CreateEntry(ctx, entry("F-1", "1", "1"))
	refused(test, err, context.Canceled)
}

// Fills over one stream, with the server killed in between: each of them once, and a result for each.
func TestRecordFills(test *testing.T) {
	server := sidecar.Start(test)
	ledger := connect(test, server.Address, lotkeeper.Options{Timeout: time.Minute})
	const fills = 4000
	given := func(yield func(*pb.Fill) bool) {
		for number := range fills {
			if !yield(&pb.Fill{FillId: fmt.Sprintf("F-%d", number), Symbol: "A", Side: pb.Side_SIDE_BUY, Quantity: "1", Price: "2"}) {
				return
			}
		}
	}
	results := 0
	for result, err := range ledger.RecordFills(test.Context(), given, nil) {
		if err != nil {
			test.Fatal(err)
		}
		equal(test, "fill", result.GetFillId(), fmt.Sprintf("F-%d", results))
		equal(test, "refusal", result.GetRefusal(), pb.ErrorReason_ERROR_REASON_UNSPECIFIED)
		results++
		if results == fills/2 {
			server.Kill()
			server.Start()
		}
	}
	equal(test, "results", results, fills)
	summary := must[*pb.GetSummaryResponse](test)(ledger.GetSummary(test.Context(), nil))
	equal(test, "quantity", summary.GetPositions()[0].GetTotalQuantity(), fmt.Sprint(fills))
}

// Marks over a stream; its end makes them stale.
func TestPublishMarks(test *testing.T) {
	server := sidecar.Start(test)
	ledger := connect(test, server.Address, lotkeeper.Options{})
	publisher := must[*lotkeeper.Publisher](test)(ledger.PublishMarks(test.Context(), "bot"))
	for _, price := range []string{"1", "2", "3"} {
		if err := publisher.Send(&pb.Mark{Symbol: "A", Price: price}); err != nil {
			test.Fatal(err)
		}
	}
	equal(test, "accepted", must[*pb.PublishMarksResponse](test)(publisher.Close()).GetAcceptedCount(), 3)
	mark := must[*pb.ListMarksResponse](test)(ledger.ListMarks(test.Context(), nil)).GetMarks()[0]
	equal(test, "price", mark.GetPrice(), "3")
	equal(test, "stale", mark.GetStale(), true)

	broken := must[*lotkeeper.Publisher](test)(ledger.PublishMarks(test.Context(), "bot"))
	var err error
	for err == nil { // the server ends the stream at the first mark it refuses; what is sent until then is lost
		err = broken.Send(&pb.Mark{Symbol: "A", Price: "none"})
	}
	refused(test, err, lotkeeper.ErrInvalidRequest)
}

// A stream across restarts: every closed trade once and in order, and the break is told.
func TestStreamPnLOutlivesTheServer(test *testing.T) {
	server := sidecar.Start(test)
	ledger := connect(test, server.Address, lotkeeper.Options{Timeout: time.Minute})
	ctx := test.Context()
	const restarts, perRestart = 4, 10
	must[*pb.CreateEntryResponse](test)(ledger.CreateEntry(ctx, entry("F-0", "1000", "100")))
	next := 0
	sell := func() {
		for range perRestart {
			next++
			must[*pb.CloseFifoResponse](test)(ledger.CloseFifo(ctx, exit(fmt.Sprintf("X-%d", next), "1", "101")))
		}
	}
	seen, disconnected, heartbeats := 0, 0, 0
	for event, err := range ledger.StreamPnL(ctx, &pb.StreamPnLRequest{}) {
		if err != nil {
			test.Fatal(err)
		}
		switch event := event.(type) {
		case *lotkeeper.Snapshot:
			if seen == 0 && next == 0 {
				sell()
			}
		case *lotkeeper.Update:
			for _, trade := range event.ClosedTrades {
				seen++
				equal(test, "trade", trade.GetExitFillId(), fmt.Sprintf("X-%d", seen))
			}
			if seen == next && seen < restarts*perRestart {
				server.Kill()
				server.Start()
				sell()
			}
		case *lotkeeper.Disconnected:
			disconnected++
		case *lotkeeper.Heartbeat:
			heartbeats++
		}
		if seen == restarts*perRestart {
			break
		}
	}
	equal(test, "disconnected", disconnected, restarts-1)
}

// Another ledger at the same address ends the stream.
func TestAReplacedLedgerEndsTheStream(test *testing.T) {
	ledger := connect(test, sidecar.Start(test).Address, lotkeeper.Options{})
	none := int64(0)
	for _, err := range ledger.StreamPnL(test.Context(), &pb.StreamPnLRequest{AfterSequence: &none, LedgerId: "another"}) {
		refused(test, err, lotkeeper.ErrLedgerReplaced, lotkeeper.ErrOtherHistory)
	}
	for _, err := range ledger.StreamPnL(test.Context(), &pb.StreamPnLRequest{AfterSequence: &none}) {
		var value *lotkeeper.ValueError
		if !errors.As(err, &value) {
			test.Errorf("%v, expected a ValueError", err)
		}
	}
}

// A stream ends with its context, with the ledger, and with the loop.
func TestAStreamEnds(test *testing.T) {
	ledger := connect(test, sidecar.Start(test).Address, lotkeeper.Options{})
	for range ledger.StreamPnL(test.Context(), nil) {
		break
	}
	ctx, cancel := context.WithCancel(test.Context())
	defer cancel()
	var last error
	for _, err := range ledger.StreamPnL(ctx, nil) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		test.Errorf("%v, expected the context's error", last)
	}
	for _, err := range ledger.StreamPnL(test.Context(), nil) {
		if err != nil {
			test.Error(err)
		}
		_ = ledger.Close()
	}
}
