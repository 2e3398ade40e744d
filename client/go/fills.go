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

// Many executions over one stream. One call per execution costs a flush and a round trip each; a stream that breaks in
// the middle leaves its caller to find out what was recorded. Therefore fills are sent in messages, a few of them ahead of
// the answers, and what is not answered yet when the connection is lost is sent again. Each fill has its id, so what was
// recorded already is found, and comes back as replayed.

const (
	fillsPerMessage = 500 // the server takes 1000
	messagesAhead   = 4   // that wait for their answers
)

// RecordFills records many executions in order, and yields a result for each. Nothing is sent until the results are read.
//
// fills is taken from as results are, so it may read a file. A fill that is refused says so in its own result, and the
// others go on. envelope has what is the same for all of them: PortfolioId, ExcessPolicy, LatePolicy; nil is none of these.
// The timeout given to Connect is for each answer, of some hundred fills; a deadline of ctx is for all of them. An error is
// the last thing the loop gets: a ValueError for a fill without a FillId, or what the ledger refused. Fills whose results
// came are recorded; to go on, record the others again, or all of them.
func (ledger *Ledger) RecordFills(
	ctx context.Context, fills iter.Seq[*pb.Fill], envelope *pb.RecordFillsRequest,
) iter.Seq2[*pb.FillResult, error] {
	return func(yield func(*pb.FillResult, error) bool) {
		next, stop := iter.Pull(fills)
		defer stop()
		recorded := &recording{next: next, envelope: inPortfolio(ledger, envelope), timeout: ledger.timeout}
		ledger.record(ctx, recorded, yield)
	}
}

func (ledger *Ledger) record(ctx context.Context, recorded *recording, yield func(*pb.FillResult, error) bool) {
	var deadline time.Time // of the tries since the last result; zero when there was none yet
	var pauses *pauses
	for {
		broken := ledger.recordOverOneStream(ctx, recorded, func(result *pb.FillResult) bool {
			deadline = time.Time{}
			return yield(result, nil)
		})
		if broken == nil {
			return
		}
		if deadline.IsZero() {
			deadline, pauses = time.Now().Add(recorded.timeout), newPauses(ledger.random)
		}
		var failed *Error
		if !errors.As(broken, &failed) {
			yield(nil, broken)
			return
		}
		pause, again := pauseBeforeRetry(failed, pauses.next(), time.Until(deadline))
		if !again {
			yield(nil, ledger.told(failed, "RecordFills", recorded.timeout))
			return
		}
		wait(ctx, pause)
	}
}

// recordOverOneStream is why the stream broke; nil when everything was answered or the caller has enough.
func (ledger *Ledger) recordOverOneStream(ctx context.Context, recorded *recording, take func(*pb.FillResult) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var silent atomic.Bool
	watchdog := time.AfterFunc(recorded.timeout, func() {
		silent.Store(true)
		cancel()
	})
	defer watchdog.Stop()
	why := func(err error) error {
		switch {
		case silent.Load():
			return newError(codes.DeadlineExceeded, "", "", nil)
		case errors.Is(err, io.EOF):
			return newError(codes.Unavailable, "",
				"RecordFills: the server ended the stream before everything was answered; send it again with the same fill ids", nil)
		default:
			return ErrorOf(err)
		}
	}
	if _, err := recorded.following(); err != nil || len(recorded.unanswered) == 0 {
		return err
	}
	stream, err := ledger.ledger.RecordFills(ctx)
	if err != nil {
		return why(err)
	}
	for sending := recorded.unanswered; ; {
		watchdog.Reset(recorded.timeout)
		for _, message := range sending {
			_ = stream.Send(message) // it fails when the stream is broken; why it is, the next read tells
		}
		answer, err := stream.Recv()
		watchdog.Stop()
		if err != nil {
			return why(err)
		}
		recorded.unanswered = recorded.unanswered[1:]
		for _, result := range answer.GetResults() {
			if !take(result) {
				return nil
			}
		}
		if sending, err = recorded.following(); err != nil || len(recorded.unanswered) == 0 {
			return err
		}
	}
}

// recording is what of one RecordFills still waits for an answer, and what comes next.
type recording struct {
	next       func() (*pb.Fill, bool)
	envelope   *pb.RecordFillsRequest
	timeout    time.Duration
	unanswered []*pb.RecordFillsRequest
}

// following are the next messages, from now on unanswered: until there are no more fills, or enough of them wait.
func (recorded *recording) following() ([]*pb.RecordFillsRequest, error) {
	waiting := len(recorded.unanswered)
	for len(recorded.unanswered) < messagesAhead {
		message, err := recorded.message()
		if err != nil {
			return nil, err
		}
		if len(message.GetFills()) == 0 {
			break
		}
		recorded.unanswered = append(recorded.unanswered, message)
	}
	return recorded.unanswered[waiting:], nil
}

func (recorded *recording) message() (*pb.RecordFillsRequest, error) {
	message := copyOf(recorded.envelope)
	message.Fills = nil
	for len(message.Fills) < fillsPerMessage {
		fill, more := recorded.next()
		if !more {
			break
		}
		if fill.GetFillId() == "" {
			return nil, valueError("RecordFills: %s has no fill_id. Without one a fill that is sent again would be recorded "+
				"twice. Pass the venue's execution id, or one of your own that is the same the next time.", describe(fill))
		}
		message.Fills = append(message.Fills, fill)
	}
	return message, nil
}

func describe(fill *pb.Fill) string {
	return fmt.Sprintf("the fill %s of %s %s at %s", fill.GetSide(), fill.GetQuantity(), fill.GetSymbol(), fill.GetPrice())
}
