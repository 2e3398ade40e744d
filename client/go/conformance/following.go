package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// followed is a stream that a scenario follows: facts in queues, values at their newest, read only as far as a step needs.
// How facts are spread over updates is the server's choice, and values may be folded; therefore a step says which facts come
// next, or what a position becomes, and never which message it comes in.
type followed struct {
	arriving chan arrived
	cancel   context.CancelFunc

	facts     map[string][]any
	expected  map[string]bool // kinds of facts
	positions map[string]any
	groups    map[string]any
	last      map[string]any
}

// arrived is a message, or why there are no more of them.
type arrived struct {
	message map[string]any
	refused *lotkeeper.Error
}

// follow opens a stream; with resuming it is the client's own, which goes on after a lost connection.
func follow(ledger *lotkeeper.Ledger, content any, resuming bool) (*followed, error) {
	request := &pb.StreamPnLRequest{}
	if err := parsed(content, request); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	opened := &followed{
		arriving:  make(chan arrived),
		cancel:    cancel,
		facts:     map[string][]any{},
		expected:  map[string]bool{},
		positions: map[string]any{},
		groups:    map[string]any{},
	}
	read := readOnce
	if resuming {
		read = readOn
	}
	go read(ctx, ledger, request, func(each arrived) bool {
		select {
		case opened.arriving <- each:
			return true
		case <-ctx.Done():
			return false
		}
	})
	return opened, nil
}

func readOnce(ctx context.Context, ledger *lotkeeper.Ledger, request *pb.StreamPnLRequest, give func(arrived) bool) {
	stream, err := pb.NewLedgerServiceClient(ledger.Connection()).StreamPnL(ctx, request)
	for err == nil {
		var message *pb.StreamPnLResponse
		if message, err = stream.Recv(); err == nil && !give(arrived{message: written(message)}) {
			return
		}
	}
	if errors.Is(err, io.EOF) {
		give(arrived{refused: &lotkeeper.Error{Kind: lotkeeper.ErrLotkeeper, Code: codes.OK, Message: "the server ended the stream"}})
		return
	}
	give(arrived{refused: lotkeeper.ErrorOf(err)})
}

func readOn(ctx context.Context, ledger *lotkeeper.Ledger, request *pb.StreamPnLRequest, give func(arrived) bool) {
	for event, err := range ledger.StreamPnL(ctx, request) {
		switch {
		case err != nil:
			give(arrived{refused: lotkeeper.ErrorOf(err)})
		case !isBreak(event) && !give(arrived{message: written(asMessage(event))}):
			return
		}
	}
}

func isBreak(event lotkeeper.PnLEvent) bool {
	_, is := event.(*lotkeeper.Disconnected)
	return is
}

// asMessage is an event of the client's stream as the message it was made of; a snapshot is whole.
func asMessage(event lotkeeper.PnLEvent) *pb.StreamPnLResponse {
	place := event.Place()
	message := &pb.StreamPnLResponse{
		Sequence: place.Sequence, LedgerId: place.LedgerID, EmitTime: timestamppb.New(place.EmitTime),
	}
	switch event := event.(type) {
	case *lotkeeper.Snapshot:
		message.Event = &pb.StreamPnLResponse_Snapshot{Snapshot: &pb.PnLSnapshot{
			Positions: event.Positions, Totals: event.Totals, Groups: event.Groups,
		}}
	case *lotkeeper.Update:
		message.Event = &pb.StreamPnLResponse_Update{Update: &pb.PnLUpdate{
			Positions: event.Positions, Totals: event.Totals, ClosedTrades: event.ClosedTrades,
			ConflatedCount: event.ConflatedCount, OpenedEntries: event.OpenedEntries,
			RestatedTrades: event.RestatedTrades, Groups: event.Groups,
		}}
	default:
		message.Event = &pb.StreamPnLResponse_Heartbeat{Heartbeat: &pb.Heartbeat{}}
	}
	return message
}

// expect reads until step is met; the first difference, or "".
func (stream *followed) expect(step map[string]any, saved map[string]any) string {
	timeout := time.After(patience)
	found := ""
	switch {
	case step["snapshot"] != nil:
		found = stream.expectSnapshot(step["snapshot"], timeout, saved)
	case step["facts"] != nil:
		found = stream.expectFacts(step["facts"].(map[string]any), timeout, saved)
	case step["position"] != nil:
		found = stream.expectValue("position", stream.positions, step["position"], timeout, saved)
	case step["group"] != nil:
		found = stream.expectValue("group", stream.groups, step["group"], timeout, saved)
	case step["heartbeat"] != nil:
		found = stream.expectHeartbeat(timeout)
	default:
		found = stream.expectRefusal(step["refusal"], timeout, saved)
	}
	beside := map[string]any{}
	for _, key := range []string{"sequence", "ledger_id"} {
		if wanted, is := step[key]; is {
			beside[key] = wanted
		}
	}
	if found != "" || len(beside) == 0 {
		return found
	}
	return difference(beside, stream.last, "message", saved)
}

// close ends it; what is left that should not be, or "".
func (stream *followed) close() string {
	stream.cancel()
	for _, kind := range slices.Sorted(maps.Keys(stream.expected)) {
		if left := stream.facts[kind]; len(left) > 0 {
			return fmt.Sprintf("%s: not expected, but came: %s", kind, shown(left))
		}
	}
	return ""
}

func (stream *followed) expectSnapshot(expected any, timeout <-chan time.Time, saved map[string]any) string {
	whole := map[string]any{"positions": []any{}, "totals": []any{}, "groups": []any{}}
	for {
		message, missing := stream.next(timeout, "a snapshot")
		if missing != "" {
			return missing
		}
		part, is := message["snapshot"].(map[string]any)
		if !is {
			continue
		}
		for name, items := range whole {
			whole[name] = append(items.([]any), part[name].([]any)...)
		}
		if part["more"] == false {
			return difference(expected, whole, "snapshot", saved)
		}
	}
}

func (stream *followed) expectFacts(expected map[string]any, timeout <-chan time.Time, saved map[string]any) string {
	taken := map[string]any{}
	for kind, listed := range expected {
		stream.expected[kind] = true
		wanted := len(listed.([]any))
		for len(stream.facts[kind]) < wanted {
			awaited := fmt.Sprintf("%d of %s, of which %d came", wanted, kind, len(stream.facts[kind]))
			if _, missing := stream.next(timeout, awaited); missing != "" {
				return missing
			}
		}
		taken[kind] = slices.Clone(stream.facts[kind][:wanted])
		stream.facts[kind] = stream.facts[kind][wanted:]
	}
	return difference(expected, taken, "facts", saved)
}

func (stream *followed) expectValue(
	kind string, newest map[string]any, expected any, timeout <-chan time.Time, saved map[string]any,
) string {
	for {
		for _, value := range newest {
			met := map[string]any{}
			if difference(expected, value, kind, met) == "" {
				maps.Copy(saved, met)
				return ""
			}
		}
		awaited := fmt.Sprintf("a %s like %s; the newest are %s", kind, shown(expected), shown(slices.Collect(maps.Values(newest))))
		if _, missing := stream.next(timeout, awaited); missing != "" {
			return missing
		}
	}
}

func (stream *followed) expectHeartbeat(timeout <-chan time.Time) string {
	for {
		message, missing := stream.next(timeout, "a heartbeat")
		if missing != "" || message["heartbeat"] != nil {
			return missing
		}
	}
}

func (stream *followed) expectRefusal(expected any, timeout <-chan time.Time, saved map[string]any) string {
	for {
		select {
		case each := <-stream.arriving:
			if each.refused != nil {
				return refusalDifference(expected, each.refused, saved)
			}
		case <-timeout:
			return fmt.Sprintf("waited %v for a refusal", patience)
		}
	}
}

// next is the next message, or why there is none.
func (stream *followed) next(timeout <-chan time.Time, awaited string) (map[string]any, string) {
	select {
	case each := <-stream.arriving:
		if each.refused != nil {
			return nil, fmt.Sprintf("the stream ended with %v before %s", each.refused, awaited)
		}
		stream.took(each.message)
		return each.message, ""
	case <-timeout:
		return nil, fmt.Sprintf("waited %v for %s", patience, awaited)
	}
}

func (stream *followed) took(message map[string]any) {
	stream.last = message
	state, is := message["snapshot"].(map[string]any)
	if !is {
		state, _ = message["update"].(map[string]any)
	}
	keep(stream.positions, state["positions"], "portfolio_id", "symbol", "book_side")
	keep(stream.groups, state["groups"], "portfolio_id", "group_id", "currency")
	for _, kind := range factKinds {
		if items, is := state[kind].([]any); is {
			stream.facts[kind] = append(stream.facts[kind], items...)
		}
	}
}

func keep(newest map[string]any, items any, key ...string) {
	listed, _ := items.([]any)
	for _, item := range listed {
		named := make([]string, len(key))
		for index, field := range key {
			named[index] = fmt.Sprint(item.(map[string]any)[field])
		}
		newest[strings.Join(named, "\n")] = item
	}
}
