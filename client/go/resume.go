package lotkeeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
	"time"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/grpc/codes"
)

// A P&L stream that outlives its connections. A connection may break between any two messages, also between the parts of
// a snapshot and in the middle of a long close, whose closed trades come in several messages. Laws kept here:
//
//  1. Every fact is delivered once, in order: closed trades, opened entries, restated trades. (facts.go keeps it.)
//  2. A snapshot is delivered whole or not at all.
//  3. Before the first whole snapshot there is nothing to resume: start again, without a sequence.
//  4. A sequence belongs to one ledger. Another one's ends the stream: the facts delivered are not of its history.
//
// Whoever keeps Sequence and LedgerID of the last event, and hands them in after a restart of their own, resumes there;
// the facts of a command that was cut in the middle then come again, recognizable by their ids.

const (
	heartbeatInterval = 5 * time.Second // the server's when none is asked for
	silentHeartbeats  = 3               // missed, and the connection counts as lost
	shortestSilence   = time.Second     // a busy machine is late by less
)

// PnLEvent is what StreamPnL yields: *Snapshot, *Update, *Heartbeat or *Disconnected.
type PnLEvent interface {
	// Place in the ledger's history, and when.
	Place() Envelope
}

// Envelope is what every event has.
type Envelope struct {
	// Sequence up to which every fact has come; pass it as AfterSequence to resume.
	Sequence int64
	// LedgerID that the sequence belongs to.
	LedgerID string
	// EmitTime is the server's clock when the message was made.
	EmitTime time.Time
	// Lag until this client handed the event over, by its own clock; below 0 where the two clocks do not agree.
	Lag time.Duration
}

// Place is the envelope itself.
func (envelope Envelope) Place() Envelope { return envelope }

// Snapshot is the whole subscribed state: first of all, and again after every resumption.
type Snapshot struct {
	Envelope
	Positions []*pb.Position
	Totals    []*pb.PortfolioTotals
	Groups    []*pb.GroupPnL // those with something open
}

// Update is what changed. Facts (ClosedTrades, OpenedEntries, RestatedTrades) come exactly once and in order; values
// (Positions, Totals, Groups) are the newest at the time, and may skip what lay between.
type Update struct {
	Envelope
	Positions      []*pb.Position
	Totals         []*pb.PortfolioTotals
	ClosedTrades   []*pb.ClosedTrade
	OpenedEntries  []*pb.Entry
	RestatedTrades []*pb.RestatedTrade
	Groups         []*pb.GroupPnL // those that changed
	ConflatedCount int64          // mark changes that were folded into it
}

// Heartbeat says that nothing changed, and the connection lives.
type Heartbeat struct {
	Envelope
}

// Disconnected says that the connection was lost after the event of this sequence and time; the stream looks for a new
// one by itself. Lag is how old everything is by now.
type Disconnected struct {
	Envelope
	Cause *Error
}

// StreamPnL follows live P&L: a Snapshot, then an Update for every change, a Heartbeat while nothing changes.
//
// It goes on after a lost connection by itself, with a Disconnected to say so: every closed trade, opened entry and
// restated trade comes exactly once and in order. To go on after a restart of your own, pass Sequence and LedgerID of the
// last event. Leave the loop, or end ctx, to end the stream. An error is the last thing the loop gets: ErrLedgerReplaced
// when the ledger was restored, a ValueError for one of AfterSequence and LedgerId without the other, or what the ledger
// refused.
//
// PortfolioIds left out (nil) are the portfolio given to Connect, or all of them when none was; empty and not nil is all.
func (ledger *Ledger) StreamPnL(ctx context.Context, request *pb.StreamPnLRequest) iter.Seq2[PnLEvent, error] {
	asked := copyOf(request)
	if request.GetPortfolioIds() == nil && ledger.portfolio != "" {
		asked.PortfolioIds = []string{ledger.portfolio}
	}
	return func(yield func(PnLEvent, error) bool) {
		if (asked.AfterSequence != nil) != (asked.LedgerId != "") {
			yield(nil, valueError("StreamPnL: after_sequence=%s with ledger_id=%q: a sequence counts in one ledger only; pass "+
				"both, as the last event had them, or neither", given(asked.AfterSequence), asked.LedgerId))
			return
		}
		ledger.follow(ctx, newSubscription(asked), yield)
	}
}

func given(sequence *int64) string {
	if sequence == nil {
		return "none"
	}
	return fmt.Sprint(*sequence)
}

// follow yields the events of one connection after the other, until the caller has enough or a new one would not help.
func (ledger *Ledger) follow(ctx context.Context, followed *subscription, yield func(PnLEvent, error) bool) {
	pauses := newPauses(ledger.random)
	for {
		broken := ledger.followOneConnection(ctx, followed, func(event PnLEvent) bool {
			pauses = newPauses(ledger.random)
			return yield(event, nil)
		})
		if broken == nil || ledger.closed.Load() {
			return
		}
		if ctx.Err() != nil {
			yield(nil, ErrorOf(ctx.Err()))
			return
		}
		disconnected, err := followed.lost(broken, time.Now())
		if err != nil {
			yield(nil, err)
			return
		}
		if disconnected != nil && !yield(disconnected, nil) {
			return
		}
		wait(ctx, pauses.next())
	}
}

// followOneConnection is why the connection was lost; nil when the caller has enough.
//
// A connection can die without a word: a cable, a suspended machine, a server whose loop hangs while its sockets answer
// pings. Therefore each read is watched; the time a consumer takes between two reads does not count.
func (ledger *Ledger) followOneConnection(ctx context.Context, followed *subscription, take func(PnLEvent) bool) *Error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var silent atomic.Bool
	watchdog := time.AfterFunc(followed.silenceLimit, func() {
		silent.Store(true)
		cancel()
	})
	defer watchdog.Stop()
	why := func(err error) *Error {
		switch {
		case silent.Load():
			return followed.silent()
		case errors.Is(err, io.EOF):
			return followed.ended()
		default:
			return ErrorOf(err)
		}
	}
	stream, err := ledger.ledger.StreamPnL(ctx, followed.request())
	if err != nil {
		return why(err)
	}
	for {
		watchdog.Reset(followed.silenceLimit)
		message, err := stream.Recv()
		watchdog.Stop()
		if err != nil {
			return why(err)
		}
		event, replaced := followed.take(message, time.Now())
		if replaced != nil {
			return replaced
		}
		if event != nil && !take(event) {
			return nil
		}
	}
}

// subscription is one stream across its connections: request opens each, take reads a message, lost says how to go on.
// No I/O.
type subscription struct {
	asked        *pb.StreamPnLRequest
	silenceLimit time.Duration
	resumable    bool
	sequence     int64
	ledgerID     string
	delivered    *delivered
	parts        []*pb.PnLSnapshot
	latest       *Envelope
}

func newSubscription(asked *pb.StreamPnLRequest) *subscription {
	heartbeat := asked.GetHeartbeatInterval().AsDuration()
	if heartbeat <= 0 {
		heartbeat = heartbeatInterval
	}
	// While news waits for its interval to pass there is no heartbeat either.
	interval := max(heartbeat, asked.GetMinUpdateInterval().AsDuration())
	return &subscription{
		asked:        asked,
		silenceLimit: max(interval*silentHeartbeats, shortestSilence),
		resumable:    asked.AfterSequence != nil,
		sequence:     asked.GetAfterSequence(),
		ledgerID:     asked.GetLedgerId(),
		delivered:    newDelivered(asked.GetAfterSequence()),
	}
}

// request is what to ask for on a new connection.
func (followed *subscription) request() *pb.StreamPnLRequest {
	followed.parts = nil
	request := copyOf(followed.asked)
	if followed.resumable {
		request.AfterSequence, request.LedgerId = &followed.sequence, followed.ledgerID
	}
	return copyOf(request)
}

// take is the event that message completes; nil for a part of a snapshot, or a kind this client does not know yet. The
// error is law 4.
func (followed *subscription) take(message *pb.StreamPnLResponse, now time.Time) (PnLEvent, *Error) {
	if followed.resumable && message.GetLedgerId() != followed.ledgerID {
		return nil, newError(codes.FailedPrecondition, "LEDGER_REPLACED",
			fmt.Sprintf("the stream was of ledger %s and is now of %s: drop what was collected and start a new stream",
				followed.ledgerID, message.GetLedgerId()),
			map[string]string{"ledger_id": message.GetLedgerId()})
	}
	event := followed.event(message, now)
	if event == nil {
		return nil, nil
	}
	passed := event.Place()
	followed.latest = &passed
	followed.sequence, followed.ledgerID = passed.Sequence, passed.LedgerID
	if _, whole := event.(*Snapshot); whole {
		followed.resumable = true
	}
	followed.delivered.reach(passed.Sequence)
	return event, nil
}

func (followed *subscription) event(message *pb.StreamPnLResponse, now time.Time) PnLEvent {
	emitTime := message.GetEmitTime().AsTime()
	envelope := Envelope{message.GetSequence(), message.GetLedgerId(), emitTime, now.Sub(emitTime)}
	switch kind := message.GetEvent().(type) {
	case *pb.StreamPnLResponse_Snapshot:
		followed.parts = append(followed.parts, kind.Snapshot)
		if kind.Snapshot.GetMore() {
			return nil
		}
		whole := &Snapshot{Envelope: envelope}
		for _, part := range followed.parts {
			whole.Positions = append(whole.Positions, part.GetPositions()...)
			whole.Totals = append(whole.Totals, part.GetTotals()...)
			whole.Groups = append(whole.Groups, part.GetGroups()...)
		}
		followed.parts = nil
		return whole
	case *pb.StreamPnLResponse_Update:
		trades, entries, restated := followed.delivered.fresh(message.GetSequence(), kind.Update)
		return &Update{
			Envelope:       envelope,
			Positions:      kind.Update.GetPositions(),
			Totals:         kind.Update.GetTotals(),
			ClosedTrades:   trades,
			OpenedEntries:  entries,
			RestatedTrades: restated,
			Groups:         kind.Update.GetGroups(),
			ConflatedCount: kind.Update.GetConflatedCount(),
		}
	case *pb.StreamPnLResponse_Heartbeat:
		if len(followed.parts) > 0 {
			return nil
		}
		return &Heartbeat{envelope}
	default:
		return nil
	}
}

// lost is the event that tells of a connection lost to broken; nil if no event came since the last one. The error is
// broken itself, when a new connection would not help.
func (followed *subscription) lost(broken *Error, now time.Time) (*Disconnected, error) {
	// Canceled is no answer: gRPC ends so what reaches a server in the moment that it shuts down.
	if !IsRetryable(broken) && broken.Code != codes.Canceled {
		return nil, broken
	}
	if followed.latest == nil {
		return nil, nil
	}
	place := *followed.latest
	followed.latest = nil
	place.Lag = now.Sub(place.EmitTime)
	return &Disconnected{place, broken}, nil
}

func (followed *subscription) silent() *Error {
	return newError(codes.Unavailable, "",
		fmt.Sprintf("StreamPnL: not even a heartbeat for %v; connecting anew", followed.silenceLimit), nil)
}

func (followed *subscription) ended() *Error {
	return newError(codes.Unavailable, "", "StreamPnL: the server ended the stream; connecting anew", nil)
}
