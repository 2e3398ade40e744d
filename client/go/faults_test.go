package lotkeeper_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What a real sidecar does not do on demand, a gRPC server does here: it is late, refuses, breaks off, speaks nonsense.
type faulty struct {
	pb.UnimplementedLedgerServiceServer
	createEntry func(context.Context, *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error)
	streamPnL   func(*pb.StreamPnLRequest, grpc.ServerStreamingServer[pb.StreamPnLResponse]) error
	recordFills func(grpc.BidiStreamingServer[pb.RecordFillsRequest, pb.RecordFillsResponse]) error
}

func (server *faulty) CreateEntry(ctx context.Context, request *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
	return server.createEntry(ctx, request)
}

func (server *faulty) StreamPnL(request *pb.StreamPnLRequest, stream grpc.ServerStreamingServer[pb.StreamPnLResponse]) error {
	return server.streamPnL(request, stream)
}

func (server *faulty) RecordFills(stream grpc.BidiStreamingServer[pb.RecordFillsRequest, pb.RecordFillsResponse]) error {
	return server.recordFills(stream)
}

func serve(test *testing.T, server *faulty, options ...grpc.ServerOption) string {
	test.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		test.Fatal(err)
	}
	served := grpc.NewServer(options...)
	pb.RegisterLedgerServiceServer(served, server)
	go func() { _ = served.Serve(listener) }()
	test.Cleanup(served.Stop)
	return listener.Addr().String()
}

func refusal(code codes.Code, reason string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Domain: "lotkeeper", Reason: reason, Metadata: map[string]string{"key": "value"}}
	said, err := status.New(code, "in words").WithDetails(append(details, info)...)
	if err != nil {
		panic(err)
	}
	return said.Err()
}

// The very same message is sent until it is answered, not before the server wants it.
func TestRetriesSendTheSameMessage(test *testing.T) {
	wish := 80 * time.Millisecond
	refusals := []error{
		status.Error(codes.Unavailable, "gone"),
		refusal(codes.Unavailable, "STORAGE_UNAVAILABLE"),
		refusal(codes.ResourceExhausted, "WRITE_QUEUE_FULL", &errdetails.RetryInfo{RetryDelay: durationpb.New(wish)}),
	}
	var requests []*pb.CreateEntryRequest
	var times []time.Time
	ledger := connect(test, serve(test, &faulty{
		createEntry: func(_ context.Context, request *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
			requests, times = append(requests, request), append(times, time.Now())
			if len(requests) <= len(refusals) {
				return nil, refusals[len(requests)-1]
			}
			return &pb.CreateEntryResponse{Sequence: 7}, nil
		},
	}), lotkeeper.Options{Portfolio: "p"})
	answer := must[*pb.CreateEntryResponse](test)(ledger.CreateEntry(test.Context(), entry("F-1", "1", "1")))
	equal(test, "sequence", answer.GetSequence(), 7)
	for _, request := range requests {
		equal(test, "the same message", proto.Equal(request, requests[0]), true)
	}
	equal(test, "tries", len(requests), len(refusals)+1)
	if waited := times[3].Sub(times[2]); waited < wish {
		test.Errorf("tried again after %v, the server asked for %v", waited, wish)
	}
}

// What the server says besides is an answer, and is not asked for twice.
func TestAnswersAreNotRetried(test *testing.T) {
	for _, answer := range []struct {
		err   error
		kinds []error
	}{
		{refusal(codes.Unavailable, "BROKER_UNAVAILABLE"), []error{lotkeeper.ErrBrokerUnavailable, lotkeeper.ErrUnavailable}},
		{refusal(codes.ResourceExhausted, "TOO_MANY_STREAMS"), []error{lotkeeper.ErrTooManyStreams, lotkeeper.ErrLimitReached}},
		{refusal(codes.FailedPrecondition, "NOT_KNOWN_YET"), []error{lotkeeper.ErrLotkeeper}},
		{refusal(codes.NotFound, "NOT_KNOWN_YET"), []error{lotkeeper.ErrNotFound}},
		{status.Error(codes.Internal, "bug"), []error{lotkeeper.ErrServerFault}},
	} {
		var tries atomic.Int32
		ledger := connect(test, serve(test, &faulty{
			createEntry: func(context.Context, *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
				tries.Add(1)
				return nil, answer.err
			},
		}), lotkeeper.Options{})
		_, err := ledger.CreateEntry(test.Context(), entry("F-1", "1", "1"))
		failed := refused(test, err, answer.kinds...)
		equal(test, "tries", tries.Load(), 1)
		if failed.Reason == "NOT_KNOWN_YET" {
			equal(test, "metadata", failed.Metadata["key"], "value")
		}
		equal(test, "code for gRPC's own functions", status.Code(err), failed.Code)
	}
}

// A deadline comes before a retry that would be too late: what is known says more.
func TestTheDeadlineEndsRetries(test *testing.T) {
	ledger := connect(test, serve(test, &faulty{
		createEntry: func(context.Context, *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
			return nil, refusal(codes.Unavailable, "FENCED")
		},
	}), lotkeeper.Options{Timeout: 300 * time.Millisecond})
	_, err := ledger.CreateEntry(test.Context(), entry("F-1", "1", "1"))
	if !errors.Is(err, lotkeeper.ErrDeadlineExceeded) { // it may come in the middle of the last try
		refused(test, err, lotkeeper.ErrFenced)
	}
}

// A server that is too slow.
func TestASlowServer(test *testing.T) {
	ledger := connect(test, serve(test, &faulty{
		createEntry: func(ctx context.Context, _ *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		recordFills: func(stream grpc.BidiStreamingServer[pb.RecordFillsRequest, pb.RecordFillsResponse]) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		},
	}), lotkeeper.Options{Timeout: 100 * time.Millisecond})
	_, err := ledger.CreateEntry(test.Context(), entry("F-1", "1", "1"))
	refused(test, err, lotkeeper.ErrDeadlineExceeded)
	for _, err := range ledger.RecordFills(test.Context(), func(yield func(*pb.Fill) bool) { yield(&pb.Fill{FillId: "F-1"}) }, nil) {
		refused(test, err, lotkeeper.ErrDeadlineExceeded)
	}
}

// Details that cannot be read hide nothing else.
func TestGarbageInTheTrailers(test *testing.T) {
	ledger := connect(test, serve(test, &faulty{
		createEntry: func(ctx context.Context, _ *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
			_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-status-details-bin", "\xff\xfe garbage", "x-other-bin", "\x00"))
			return nil, status.Error(codes.NotFound, "in words")
		},
	}), lotkeeper.Options{Timeout: time.Second})
	_, err := ledger.CreateEntry(test.Context(), entry("F-1", "1", "1"))
	equal(test, "code", refused(test, err, lotkeeper.ErrNotFound).Code, codes.NotFound)
}

// Results that were cut off come after the fills are sent again.
func TestRecordFillsGoesOnOverAnotherStream(test *testing.T) {
	streams := 0
	ledger := connect(test, serve(test, &faulty{
		recordFills: func(stream grpc.BidiStreamingServer[pb.RecordFillsRequest, pb.RecordFillsResponse]) error {
			streams++
			for range streams { // each stream answers one message more, and then breaks off
				request, err := stream.Recv()
				if err != nil {
					return err
				}
				answer := &pb.RecordFillsResponse{}
				for _, fill := range request.GetFills() {
					answer.Results = append(answer.Results, &pb.FillResult{FillId: fill.GetFillId()})
				}
				if err := stream.Send(answer); err != nil {
					return err
				}
			}
			if streams == 2 {
				return nil // as if there was nothing more to say
			}
			return status.Error(codes.Unavailable, "gone")
		},
	}), lotkeeper.Options{})
	var ids []string
	fills := func(yield func(*pb.Fill) bool) {
		for index := range 2600 { // six messages
			if !yield(&pb.Fill{FillId: big.NewInt(int64(index)).String()}) {
				return
			}
		}
	}
	for result, err := range ledger.RecordFills(test.Context(), fills, nil) {
		if err != nil {
			test.Fatal(err)
		}
		equal(test, "fill", result.GetFillId(), big.NewInt(int64(len(ids))).String())
		ids = append(ids, result.GetFillId())
	}
	equal(test, "results", len(ids), 2600)
	equal(test, "streams", streams, 3)
}

// A stream on which nothing comes any more is left for another; one that is ended, too; facts come once.
func TestStreamPnLLeavesASilentConnection(test *testing.T) {
	part := func(sequence int64, ledgerID string) *pb.StreamPnLResponse {
		return &pb.StreamPnLResponse{Sequence: sequence, LedgerId: ledgerID}
	}
	snapshot := func(sequence int64, ledgerID string) *pb.StreamPnLResponse {
		message := part(sequence, ledgerID)
		message.Event = &pb.StreamPnLResponse_Snapshot{Snapshot: &pb.PnLSnapshot{}}
		return message
	}
	update := func(sequence int64, trades ...*pb.ClosedTrade) *pb.StreamPnLResponse {
		message := part(sequence, "L")
		message.Event = &pb.StreamPnLResponse_Update{Update: &pb.PnLUpdate{ClosedTrades: trades}}
		return message
	}
	trade := func(sequence int64, index int32) *pb.ClosedTrade {
		return &pb.ClosedTrade{Sequence: sequence, Index: index}
	}
	connections := [][]*pb.StreamPnLResponse{
		{snapshot(9, "L"), part(9, "L"), update(9, trade(10, 0), trade(10, 1))},   // a kind that is not known yet; silence in the middle of a close
		{update(10, trade(10, 0), trade(10, 1), trade(10, 2)), snapshot(10, "L")}, // ended
		{snapshot(3, "another")},
	}
	var asked []*pb.StreamPnLRequest
	ledger := connect(test, serve(test, &faulty{
		streamPnL: func(request *pb.StreamPnLRequest, stream grpc.ServerStreamingServer[pb.StreamPnLResponse]) error {
			asked = append(asked, request)
			for _, message := range connections[len(asked)-1] {
				if err := stream.Send(message); err != nil {
					return err
				}
			}
			if len(asked) == 1 {
				<-stream.Context().Done()
			}
			return nil
		},
	}), lotkeeper.Options{})
	var trades []int32
	var breaks []string
	var last error
	for event, err := range ledger.StreamPnL(test.Context(), &pb.StreamPnLRequest{HeartbeatInterval: durationpb.New(time.Millisecond)}) {
		switch event := event.(type) {
		case *lotkeeper.Update:
			for _, trade := range event.ClosedTrades {
				trades = append(trades, trade.GetIndex())
			}
		case *lotkeeper.Disconnected:
			breaks = append(breaks, event.Cause.Message)
		}
		last = err
	}
	refused(test, last, lotkeeper.ErrLedgerReplaced)
	equal(test, "trades", len(trades), 3)
	if len(breaks) != 2 || !strings.Contains(breaks[0], "not even a heartbeat") || !strings.Contains(breaks[1], "ended the stream") {
		test.Errorf("breaks: %q", breaks)
	}
	equal(test, "resumed after", asked[1].GetAfterSequence(), 9)
	equal(test, "resumed after", asked[2].GetAfterSequence(), 10)
	equal(test, "ledger", asked[1].GetLedgerId(), "L")
}

// A server that shows a certificate, wants one, and is sent the token.
func TestTLSAndToken(test *testing.T) {
	authority, authorityKey := certificate(test, nil, nil)
	server, serverKey := certificate(test, authority, authorityKey)
	bot, botKey := certificate(test, authority, authorityKey)
	known := x509.NewCertPool()
	known.AddCert(authority)
	tokens := make(chan string, 1)
	address := serve(test, &faulty{
		createEntry: func(ctx context.Context, _ *pb.CreateEntryRequest) (*pb.CreateEntryResponse, error) {
			given, _ := metadata.FromIncomingContext(ctx)
			tokens <- strings.Join(given.Get("authorization"), ",")
			return &pb.CreateEntryResponse{}, nil
		},
	}, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: serverKey}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    known,
	})))
	private, err := x509.MarshalECPrivateKey(botKey)
	if err != nil {
		test.Fatal(err)
	}
	options := lotkeeper.Options{
		RootCertificates:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw}),
		ClientCertificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bot.Raw}),
		ClientKey:         pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}),
		Token:             "secret",
	}
	must[*pb.CreateEntryResponse](test)(connect(test, address, options).CreateEntry(test.Context(), entry("F-1", "1", "1")))
	equal(test, "token", <-tokens, "Bearer secret")

	options.ClientCertificate, options.ClientKey, options.Timeout = nil, nil, 300*time.Millisecond
	_, err = connect(test, address, options).CreateEntry(test.Context(), entry("F-1", "1", "1"))
	refused(test, err, lotkeeper.ErrTryAgain)
}

func certificate(test *testing.T, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	test.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		test.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "lotkeeper"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		test.Fatal(err)
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		test.Fatal(err)
	}
	return made, key
}

// What cannot be connected to is said at once, with the value and the way out.
func TestOptionsThatAreNone(test *testing.T) {
	for address, options := range map[string]lotkeeper.Options{
		"localhost":       {},
		"http://a:1":      {},
		"127.0.0.1:50051": {Timeout: -1},
		"127.0.0.1:50052": {RootCertificates: []byte("none")},
		"127.0.0.1:50053": {ClientKey: []byte("none")},
		"ledger:50051":    {Token: "secret"},
	} {
		_, err := lotkeeper.Connect(address, options)
		var value *lotkeeper.ValueError
		if !errors.As(err, &value) {
			test.Errorf("%s: %v, expected a ValueError", address, err)
		}
	}
	for _, address := range []string{"localhost:50051", "[::1]:50051", "unix:/run/l.sock"} {
		connect(test, address, lotkeeper.Options{Token: "secret"})
	}
}
