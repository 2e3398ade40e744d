package lotkeeper

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A lost connection, a locked database or a full queue pass within seconds in a sidecar. Because every write carries
// an id, sending it again is safe: the very same message is sent until the deadline. Everything else the server says is
// an answer, and repeating the question does not change it.

const (
	firstPause   = 50 * time.Millisecond // a local server restarts in a few of these
	pauseGrowth  = 2
	longestPause = time.Second // a bot waits for its ledger, it does not go to sleep
)

// IsRetryable says whether the same request may succeed by itself soon. A broker that did not answer is not: the server
// has waited for it, and asking on would use up its rate limit.
func IsRetryable(err error) bool {
	failed := ErrorOf(err)
	if failed == nil || failed.Reason == "BROKER_UNAVAILABLE" {
		return false
	}
	return failed.Code == codes.Unavailable || failed.Reason == "WRITE_QUEUE_FULL"
}

// pauses grow to the longest; random, in [0, 1), takes off up to half of each.
type pauses struct {
	random  func() float64
	ceiling time.Duration
}

func newPauses(random func() float64) *pauses {
	return &pauses{random: random, ceiling: firstPause}
}

func (pauses *pauses) next() time.Duration {
	pause := pauses.ceiling - time.Duration(float64(pauses.ceiling)/2*pauses.random())
	pauses.ceiling = min(pauses.ceiling*pauseGrowth, longestPause)
	return pause
}

// pauseBeforeRetry is the time until the next try, after the server's own wish if it has one; false if there is none to
// be made. There is none when the error is an answer, or when the deadline comes first: then the error that is known says
// more than a wait for a deadline would.
func pauseBeforeRetry(failed *Error, pause, remaining time.Duration) (time.Duration, bool) {
	if !IsRetryable(failed) {
		return 0, false
	}
	wait := pause + failed.RetryDelay
	return wait, wait < remaining
}

// wait sleeps until the pause is over or ctx ends.
func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// within gives every call a deadline: that of ctx, or the one given to Connect.
func (ledger *Ledger) within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, known := ctx.Deadline(); known {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// carryOut sends request until it is answered, or until the deadline of ctx.
func carryOut[Q proto.Message, A any](
	ctx context.Context, ledger *Ledger, method string, request Q, send func(context.Context, Q, ...grpc.CallOption) (A, error),
) (A, error) {
	return carryOutWithin(ctx, ledger, method, ledger.timeout, request, send)
}

func carryOutWithin[Q proto.Message, A any](
	ctx context.Context, ledger *Ledger, method string, timeout time.Duration, request Q,
	send func(context.Context, Q, ...grpc.CallOption) (A, error),
) (A, error) {
	ctx, done := ledger.within(ctx, timeout)
	defer done()
	deadline, _ := ctx.Deadline()
	started := time.Now()
	pauses := newPauses(ledger.random)
	for {
		answer, err := send(ctx, request)
		if err == nil {
			return answer, nil
		}
		failed := ErrorOf(err)
		pause, again := pauseBeforeRetry(failed, pauses.next(), time.Until(deadline))
		if !again {
			var none A
			return none, ledger.told(failed, method, deadline.Sub(started))
		}
		wait(ctx, pause)
	}
}

// told puts into words what a caller can do about a deadline that passed.
func (ledger *Ledger) told(failed *Error, method string, timeout time.Duration) *Error {
	if failed.Code != codes.DeadlineExceeded {
		return failed
	}
	told := *failed
	told.Message = fmt.Sprintf("%s: no answer from %s within %v. A write may have been recorded: send it again with the "+
		"same ids. If this repeats, see whether the server runs.", method, ledger.address, timeout.Round(time.Millisecond))
	if said := failed.Message; said != "" && said != context.DeadlineExceeded.Error() {
		told.Message += " The last that was heard: " + said // such as a refused connection or certificate
	}
	return &told
}

// identify sees that a write carries an id: the caller's request_id, or the venue's own in ownField. Without one, nobody
// could tell a retry after a lost answer, or the same fill from a second instance of the bot, from something new.
func identify(method, requestID, ownField, ownID string) error {
	if requestID != "" || ownID != "" {
		return nil
	}
	return valueError("%s: neither %s nor request_id was given. Without one a retry after a lost answer, or a second "+
		"instance of the bot, would record it twice. Pass the venue's own id as %s, or a request_id made before the first "+
		"try and kept for the next.", method, ownField, ownField)
}

// identifyByRequest is identify for a write that only a request_id can tell from another.
func identifyByRequest(method, requestID string) error {
	if requestID != "" {
		return nil
	}
	return valueError("%s: no request_id was given. Without one a retry after a lost answer could not be told from another "+
		"command. Pass a request_id made before the first try and kept for the next.", method)
}

// inPortfolio is request with the portfolio given to Connect where it names none; the caller's message stays as it is.
func inPortfolio[Q proto.Message](ledger *Ledger, request Q, inside ...protoreflect.Name) Q {
	filled := copyOf(request)
	message := filled.ProtoReflect()
	for _, name := range inside {
		message = message.Mutable(message.Descriptor().Fields().ByName(name)).Message()
	}
	field := message.Descriptor().Fields().ByName("portfolio_id")
	if ledger.portfolio != "" && message.Get(field).String() == "" {
		message.Set(field, protoreflect.ValueOfString(ledger.portfolio))
	}
	return filled
}

// copyOf is a message to change; nil is an empty one.
func copyOf[Q proto.Message](request Q) Q {
	if !request.ProtoReflect().IsValid() {
		return request.ProtoReflect().New().Interface().(Q)
	}
	return proto.CloneOf(request)
}
