package lotkeeper

import (
	"context"
	"iter"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Long answers, page by page, as if they were one: the server gives at most 1000 of anything at once, and whoever forgets
// the token reads the first page and believes it is all. A page is fetched when the loop reaches it, and the deadline is
// for each. An error is the last thing a loop gets:
//
//	for trade, err := range ledger.ListClosedTrades(ctx, request).All() {
//		if err != nil {
//			return err
//		}
//		...
//	}

const pageSize = 1000 // the most a server gives at once: the fewest round trips

type page interface {
	GetNextPageToken() string
}

// pages are the answers to request and to what follows it, up to the last one.
func pages[Q proto.Message, P page](
	ctx context.Context, ledger *Ledger, method string, request Q, send func(context.Context, Q, ...grpc.CallOption) (P, error),
) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		following := copyOf(request)
		message := following.ProtoReflect()
		fields := message.Descriptor().Fields()
		if size := fields.ByName("page_size"); message.Get(size).Int() == 0 {
			message.Set(size, protoreflect.ValueOfInt32(pageSize))
		}
		for {
			answer, err := carryOut(ctx, ledger, method, following, send)
			if !yield(answer, err) || err != nil || answer.GetNextPageToken() == "" {
				return
			}
			message.Set(fields.ByName("page_token"), protoreflect.ValueOfString(answer.GetNextPageToken()))
		}
	}
}

// Pages of one list, and what every page says about the whole of it.
type Pages[V any, P page] struct {
	fetch  iter.Seq2[P, error]
	items  func(P) []V
	newest P
	known  bool
}

// All are the items, page after page.
func (list *Pages[V, P]) All() iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		for fetched, err := range list.fetch {
			if err != nil {
				yield(none, err)
				return
			}
			list.newest, list.known = fetched, true
			for _, item := range list.items(fetched) {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Page is the newest page that was read, with sums that hold for the whole list; it reads the first one if need be.
func (list *Pages[V, P]) Page() (P, error) {
	if list.known {
		return list.newest, nil
	}
	for fetched, err := range list.fetch {
		list.newest, list.known = fetched, err == nil
		return fetched, err
	}
	return list.newest, nil
}

func listing[V any, Q proto.Message, P page](
	ctx context.Context, ledger *Ledger, method string, request Q,
	send func(context.Context, Q, ...grpc.CallOption) (P, error), items func(P) []V,
) *Pages[V, P] {
	return &Pages[V, P]{fetch: pages(ctx, ledger, method, request, send), items: items}
}

// ListEntries lists lots in FIFO order; those open and partially closed unless Statuses says otherwise.
func (ledger *Ledger) ListEntries(ctx context.Context, request *pb.ListEntriesRequest) *Pages[*pb.Entry, *pb.ListEntriesResponse] {
	return listing(ctx, ledger, "ListEntries", inPortfolio(ledger, request), ledger.ledger.ListEntries,
		(*pb.ListEntriesResponse).GetEntries)
}

// ListClosedTrades lists closed trades in the order they were closed; Totals of its Page are the sums over all of them.
func (ledger *Ledger) ListClosedTrades(
	ctx context.Context, request *pb.ListClosedTradesRequest,
) *Pages[*pb.ClosedTrade, *pb.ListClosedTradesResponse] {
	return listing(ctx, ledger, "ListClosedTrades", inPortfolio(ledger, request), ledger.ledger.ListClosedTrades,
		(*pb.ListClosedTradesResponse).GetClosedTrades)
}

// ListEvents lists events in the order they were recorded.
func (ledger *Ledger) ListEvents(ctx context.Context, request *pb.ListEventsRequest) *Pages[*pb.Event, *pb.ListEventsResponse] {
	return listing(ctx, ledger, "ListEvents", inPortfolio(ledger, request), ledger.events.ListEvents,
		(*pb.ListEventsResponse).GetEvents)
}

// ExplainPosition lists the records that made a position; Position of its Page is what their changes sum to.
func (ledger *Ledger) ExplainPosition(
	ctx context.Context, request *pb.ExplainPositionRequest,
) *Pages[*pb.ExplainLine, *pb.ExplainPositionResponse] {
	return listing(ctx, ledger, "ExplainPosition", inPortfolio(ledger, request), ledger.explain.ExplainPosition,
		(*pb.ExplainPositionResponse).GetLines)
}

// ListPortfolios lists portfolios by id.
func (ledger *Ledger) ListPortfolios(
	ctx context.Context, request *pb.ListPortfoliosRequest,
) *Pages[*pb.Portfolio, *pb.ListPortfoliosResponse] {
	return listing(ctx, ledger, "ListPortfolios", request, ledger.portfolios.ListPortfolios,
		(*pb.ListPortfoliosResponse).GetPortfolios)
}

// ListInstruments lists instruments by symbol.
func (ledger *Ledger) ListInstruments(
	ctx context.Context, request *pb.ListInstrumentsRequest,
) *Pages[*pb.Instrument, *pb.ListInstrumentsResponse] {
	return listing(ctx, ledger, "ListInstruments", request, ledger.instruments.ListInstruments,
		(*pb.ListInstrumentsResponse).GetInstruments)
}

// ListReconciliations lists reports, newest first; of all portfolios and accounts unless one is named.
func (ledger *Ledger) ListReconciliations(
	ctx context.Context, request *pb.ListReconciliationsRequest,
) *Pages[*pb.Reconciliation, *pb.ListReconciliationsResponse] {
	return listing(ctx, ledger, "ListReconciliations", request, ledger.reconciliation.ListReconciliations,
		(*pb.ListReconciliationsResponse).GetReconciliations)
}

// ListDiscrepancies lists differences, worst first; the open ones unless States says otherwise, of everything not named.
func (ledger *Ledger) ListDiscrepancies(
	ctx context.Context, request *pb.ListDiscrepanciesRequest,
) *Pages[*pb.DiscrepancyRecord, *pb.ListDiscrepanciesResponse] {
	return listing(ctx, ledger, "ListDiscrepancies", request, ledger.reconciliation.ListDiscrepancies,
		(*pb.ListDiscrepanciesResponse).GetDiscrepancies)
}
