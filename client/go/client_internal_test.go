package lotkeeper

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lotkeeper/lotkeeper/client/go/internal/sidecar"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The version is the server's; seen where the two are beside each other.
func TestTheVersionIsTheServers(test *testing.T) {
	source, err := os.ReadFile("../../server/lotkeeperd/__init__.py")
	if err != nil {
		sidecar.Missing(test, err.Error())
	}
	if line := fmt.Sprintf("__version__ = %q", Version); !strings.Contains(string(source), line) {
		test.Errorf("the server does not say %s", line)
	}
}

// Every reason of the contract has a kind, and none that the contract does not have.
func TestEveryReasonHasAKind(test *testing.T) {
	for name, number := range pb.ErrorReason_value {
		reason := strings.TrimPrefix(name, "ERROR_REASON_")
		if known := byReason[reason] != nil; known != (number != 0) {
			test.Errorf("%s: a kind is there: %v", reason, known)
		}
	}
	if len(byReason) != len(pb.ErrorReason_value)-1 {
		test.Errorf("%d kinds of %d reasons", len(byReason), len(pb.ErrorReason_value)-1)
	}
	for reason, kind := range byReason {
		if !errors.Is(kind, ErrLotkeeper) {
			test.Errorf("%s is of no group", reason)
		}
	}
}

// Only plain digits are read and written, all of them.
func TestDecimals(test *testing.T) {
	for _, text := range []string{"", "1e5", "1_000", "+1", " 1", "1.", ".5", "NaN", "٣"} {
		var value *ValueError
		if number, err := Decimal(text); !errors.As(err, &value) {
			test.Errorf("%q was read as %v", text, number)
		}
	}
	for text, written := range map[string]string{
		"12345678901234567890.123456789012345678": "12345678901234567890.123456789012345678",
		"-0.000000000000000001":                   "-0.000000000000000001",
		"-0":                                      "0",
	} {
		number, err := Decimal(text)
		if err != nil || MustText(number) != written {
			test.Errorf("%q became %q: %v", text, number, err)
		}
	}
	for number, written := range map[string]string{"1e20": "1" + strings.Repeat("0", 20), "1e-18": "0.000000000000000001"} {
		if text, err := Text(decimal.RequireFromString(number)); text != written || err != nil {
			test.Errorf("%s became %q: %v", number, text, err)
		}
	}
	for _, exponent := range []int32{101, -101, 1 << 30, -1 << 31} {
		if text, err := Text(decimal.New(1, exponent)); err == nil {
			test.Errorf("1e%d was written as %q", exponent, text)
		}
	}
	if number, err := OptionalDecimal(nil); number != nil || err != nil {
		test.Errorf("nothing became %v: %v", number, err)
	}
}

// Pauses grow to the longest, and randomness takes off half of each.
func TestPauses(test *testing.T) {
	longest, shortest := newPauses(func() float64 { return 0 }), newPauses(func() float64 { return 1 })
	for _, expected := range []int{50, 100, 200, 400, 800, 1000, 1000} {
		ceiling := time.Duration(expected) * time.Millisecond
		if pause := longest.next(); pause != ceiling {
			test.Errorf("%v, expected %v", pause, ceiling)
		}
		if pause := shortest.next(); pause != ceiling/2 {
			test.Errorf("%v, expected %v", pause, ceiling/2)
		}
	}
}

// A new connection brings each fact once; a sequence is resumed that is whole.
func TestFactsComeOnce(test *testing.T) {
	now := time.Now()
	gone := newError(codes.Unavailable, "", "gone", nil)
	followed := newSubscription(&pb.StreamPnLRequest{})
	message := func(sequence int64, update *pb.PnLUpdate) *pb.StreamPnLResponse {
		whole := &pb.StreamPnLResponse{Sequence: sequence, LedgerId: "L", Event: &pb.StreamPnLResponse_Update{Update: update}}
		if update == nil {
			whole.Event = &pb.StreamPnLResponse_Snapshot{Snapshot: &pb.PnLSnapshot{}}
		}
		return whole
	}
	trade := func(id string, sequence int64, index int32) *pb.ClosedTrade {
		return &pb.ClosedTrade{TradeId: id, Sequence: sequence, Index: index}
	}
	var seen []string
	take := func(messages ...*pb.StreamPnLResponse) {
		for _, each := range messages {
			event, err := followed.take(each, now)
			if err != nil {
				test.Fatal(err)
			}
			update, is := event.(*Update)
			if !is {
				continue
			}
			for _, each := range update.ClosedTrades {
				seen = append(seen, each.GetTradeId())
			}
			for _, each := range update.OpenedEntries {
				seen = append(seen, each.GetEntryId())
			}
			for _, each := range update.RestatedTrades {
				seen = append(seen, each.GetBefore().GetTradeId()+">"+each.GetAfter().GetTradeId())
			}
		}
	}
	restated := &pb.RestatedTrade{Before: trade("old", 3, 0), After: trade("new", 10, 5)}
	removed := &pb.RestatedTrade{Before: trade("gone", 4, 0)}
	take(message(9, nil), message(9, &pb.PnLUpdate{
		ClosedTrades:   []*pb.ClosedTrade{trade("known", 9, 0), trade("a", 10, 0), trade("b", 10, 1)},
		OpenedEntries:  []*pb.Entry{{EntryId: "lot", Sequence: 10}},
		RestatedTrades: []*pb.RestatedTrade{restated, removed},
	}))
	if event, err := followed.lost(gone, now); event == nil || err != nil || event.Sequence != 9 {
		test.Fatalf("%v, %v", event, err)
	}
	if event, err := followed.lost(gone, now); event != nil || err != nil {
		test.Errorf("a break was told twice: %v, %v", event, err)
	}
	if request := followed.request(); request.GetAfterSequence() != 9 || request.GetLedgerId() != "L" {
		test.Errorf("resumed with %v", request)
	}
	take(message(9, &pb.PnLUpdate{
		ClosedTrades:   []*pb.ClosedTrade{trade("a", 10, 0), trade("b", 10, 1), trade("c", 10, 2)},
		RestatedTrades: []*pb.RestatedTrade{restated, removed},
	}), message(10, &pb.PnLUpdate{
		ClosedTrades:  []*pb.ClosedTrade{trade("d", 10, 3)},
		OpenedEntries: []*pb.Entry{{EntryId: "lot", Sequence: 10}, {EntryId: "other", Sequence: 10}},
	}), message(10, nil), message(11, &pb.PnLUpdate{RestatedTrades: []*pb.RestatedTrade{{Before: trade("new", 10, 5)}}}))
	if expected := []string{"a", "b", "lot", "old>new", "gone>", "c", "d", "other", "new>"}; !slices.Equal(seen, expected) {
		test.Errorf("%q, expected %q", seen, expected)
	}
	if left := len(followed.delivered.beyond); left > 1 {
		test.Errorf("%d facts are remembered", left)
	}
}

// A snapshot is whole or not there, and before the first one there is nothing to resume.
func TestASnapshotIsWhole(test *testing.T) {
	now := time.Now()
	part := func(more bool, symbol string) *pb.StreamPnLResponse {
		return &pb.StreamPnLResponse{Sequence: 9, LedgerId: "L", Event: &pb.StreamPnLResponse_Snapshot{
			Snapshot: &pb.PnLSnapshot{More: more, Positions: []*pb.Position{{Symbol: symbol}}},
		}}
	}
	followed := newSubscription(&pb.StreamPnLRequest{})
	if event, err := followed.take(part(true, "lost"), now); event != nil || err != nil {
		test.Errorf("%v, %v", event, err)
	}
	if request := followed.request(); request.AfterSequence != nil {
		test.Errorf("resumed with %v", request)
	}
	_, _ = followed.take(part(true, "A"), now)
	event, _ := followed.take(part(false, "B"), now)
	if snapshot, is := event.(*Snapshot); !is || len(snapshot.Positions) != 2 {
		test.Errorf("%v", event)
	}
}

// News that waits for its interval is no silence.
func TestTheSilenceLimit(test *testing.T) {
	for _, told := range []struct {
		heartbeat, interval, limit time.Duration
	}{
		{0, 0, 15 * time.Second},
		{time.Millisecond, 0, time.Second},
		{time.Second, 10 * time.Second, 30 * time.Second},
	} {
		followed := newSubscription(&pb.StreamPnLRequest{
			HeartbeatInterval: durationpb.New(told.heartbeat), MinUpdateInterval: durationpb.New(told.interval),
		})
		if followed.silenceLimit != told.limit {
			test.Errorf("%v, expected %v", followed.silenceLimit, told.limit)
		}
	}
}
