package lotkeeper

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// Publisher is an open stream of marks; PublishMarks opens one. It belongs to one goroutine.
type Publisher struct {
	ledger *Ledger
	source string
	stream grpc.ClientStreamingClient[pb.PublishMarksRequest, pb.PublishMarksResponse]
	cancel context.CancelFunc
}

// PublishMarks opens a stream of marks of one source, "api" when empty, for a bot with a feed of its own. Close it in the
// end: that tells the ledger that this source is interrupted, and its marks are stale at once.
//
// A stream that is lost is not opened again here: the marks that waited for it are old news by then. Send has an error, and
// the caller opens another with the price it has now. ctx is for the whole stream.
func (ledger *Ledger) PublishMarks(ctx context.Context, source string) (*Publisher, error) {
	ctx, cancel := context.WithCancel(ctx)
	publisher := &Publisher{ledger: ledger, source: source, cancel: cancel}
	err := publisher.within(func() (err error) {
		publisher.stream, err = ledger.market.PublishMarks(ctx)
		return err
	})
	if err != nil {
		cancel()
		return nil, err
	}
	return publisher, nil
}

// Send sends some marks, 1000 at most. It waits where the server does not keep up.
func (publisher *Publisher) Send(marks ...*pb.Mark) error {
	err := publisher.stream.Send(&pb.PublishMarksRequest{Marks: marks, Source: publisher.source})
	if err == nil {
		return nil
	}
	if !errors.Is(err, io.EOF) {
		return ErrorOf(err)
	}
	if _, err = publisher.Close(); err != nil { // the stream has ended; why it did, its answer tells
		return err
	}
	return newError(codes.Canceled, "", "PublishMarks: the server ended the stream", nil)
}

// Close ends the stream, within the timeout given to Connect, and tells what it did.
func (publisher *Publisher) Close() (*pb.PublishMarksResponse, error) {
	defer publisher.cancel()
	var answer *pb.PublishMarksResponse
	err := publisher.within(func() (err error) {
		answer, err = publisher.stream.CloseAndRecv()
		return err
	})
	return answer, err
}

// within runs a step of the stream under the timeout given to Connect: a deadline on the stream would end healthy ones.
func (publisher *Publisher) within(step func() error) error {
	timeout := publisher.ledger.timeout
	var late atomic.Bool
	watchdog := time.AfterFunc(timeout, func() {
		late.Store(true)
		publisher.cancel()
	})
	defer watchdog.Stop()
	err := step()
	if err == nil {
		return nil
	}
	if late.Load() {
		return publisher.ledger.told(newError(codes.DeadlineExceeded, "", "", nil), "PublishMarks", timeout)
	}
	return ErrorOf(err)
}
