// Package lotkeeper is what a trading bot imports to tell the ledger what it executed, and to ask what it holds.
//
//	ledger, err := lotkeeper.Connect("127.0.0.1:50051", lotkeeper.Options{Portfolio: "scalper"})
//	if err != nil {
//		return err
//	}
//	defer ledger.Close()
//	closed, err := ledger.CloseFifo(ctx, &lotkeeperv1.CloseFifoRequest{
//		Symbol: "BTC-USD", Quantity: "120", ExitPrice: "53000", ExitFillId: "F-3",
//	})
//
// Requests and answers are the generated messages of the contract. This package adds five things to them, each in a
// file of its own: connect (connect.go), deadlines and retries with the same ids (retry.go), decimals (decimals.go),
// typed errors (errors.go), and a P&L stream that outlives its connections (resume.go, facts.go). It calculates
// nothing.
package lotkeeper

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"sync/atomic"
	"time"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// Version of this client, in step with the server's.
const Version = "0.1.0"

// DefaultTimeout is how long an answer may take, retries included, where nothing else was said.
const DefaultTimeout = 5 * time.Second

const (
	largestMessage   = 8 << 20                // bytes; the server's answers stay well below
	firstReconnect   = 100 * time.Millisecond // a restarted server is found soon
	longestReconnect = time.Second            // between two attempts to connect
	longestConnect   = 5 * time.Second        // one attempt may take
	pingInterval     = 20 * time.Second       // the server refuses more than one in 10 s
	pingTimeout      = 5 * time.Second        // without an answer to a ping, and the connection counts as lost
	receiveWindow    = 64 << 10               // bytes a slow reader lags behind at most; gRPC's own would grow
)

var addressPattern = regexp.MustCompile(`^(unix:\S+|(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):[0-9]{1,5})$`)

// Options of a connection. The zero value is a plain connection, the server's default portfolio and DefaultTimeout.
type Options struct {
	// Portfolio of all calls whose request names none; empty is the server's "default".
	Portfolio string
	// Timeout until an answer must be there, retries included, for all calls whose context has no deadline.
	// 0 is DefaultTimeout.
	Timeout time.Duration
	// TLS encrypts the connection. Certificates below turn it on, too.
	TLS bool
	// RootCertificates, PEM, that the server's certificate is checked against; empty are those of the system.
	RootCertificates []byte
	// ClientCertificate and ClientKey, PEM, that this bot shows to the server; both or neither.
	ClientCertificate []byte
	// ClientKey belongs to ClientCertificate.
	ClientKey []byte
	// Token is sent with every call as "authorization: Bearer ...". Not in the clear to other machines.
	Token string
}

// Ledger is a ledger behind a connection; Connect makes one. It may be used from several goroutines at once.
type Ledger struct {
	connection *grpc.ClientConn
	address    string
	portfolio  string
	timeout    time.Duration
	random     func() float64 // in [0, 1)
	closed     atomic.Bool

	ledger         pb.LedgerServiceClient
	market         pb.MarketServiceClient
	portfolios     pb.PortfolioServiceClient
	instruments    pb.InstrumentServiceClient
	events         pb.EventServiceClient
	explain        pb.ExplainServiceClient
	reconciliation pb.ReconciliationServiceClient
}

// Connect gives the ledger at address, "host:port" or "unix:/path.sock"; Close it in the end.
//
// Nothing is sent yet: the first call connects, and waits for a server that is still starting. The error is a
// ValueError: the address or an option is none.
func Connect(address string, options Options) (*Ledger, error) {
	if !addressPattern.MatchString(address) {
		return nil, valueError("address %q is neither host:port nor unix:/path.sock; pass such as 127.0.0.1:50051", address)
	}
	timeout := options.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	if timeout < 0 {
		return nil, valueError("Timeout: %v is not a time to wait; pass more than 0, or 0 for %v", timeout, DefaultTimeout)
	}
	transport, err := options.transport(address)
	if err != nil {
		return nil, err
	}
	dialing := append(dialOptions(), grpc.WithTransportCredentials(transport))
	if options.Token != "" {
		dialing = append(dialing, grpc.WithPerRPCCredentials(bearer(options.Token)))
	}
	connection, err := grpc.NewClient(target(address), dialing...)
	if err != nil {
		return nil, valueError("address %q: %v", address, err)
	}
	return &Ledger{
		connection:     connection,
		address:        address,
		portfolio:      options.Portfolio,
		timeout:        timeout,
		random:         rand.Float64,
		ledger:         pb.NewLedgerServiceClient(connection),
		market:         pb.NewMarketServiceClient(connection),
		portfolios:     pb.NewPortfolioServiceClient(connection),
		instruments:    pb.NewInstrumentServiceClient(connection),
		events:         pb.NewEventServiceClient(connection),
		explain:        pb.NewExplainServiceClient(connection),
		reconciliation: pb.NewReconciliationServiceClient(connection),
	}, nil
}

// Close closes the connection; a stream that is still read ends.
func (ledger *Ledger) Close() error {
	ledger.closed.Store(true)
	return ledger.connection.Close()
}

// Connection is the connection itself, for stubs of one's own and for services beside the ledger, such as gRPC's
// health. What fails over it is read with ErrorOf.
func (ledger *Ledger) Connection() *grpc.ClientConn {
	return ledger.connection
}

// The ledger is a sidecar: it dies and comes back at the same address while the bot goes on. gRPC's defaults are made
// for far-away services; each option says what it is against.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(
			grpc.WaitForReady(true), // a call made while the server restarts waits for it
			grpc.MaxCallRecvMsgSize(largestMessage),
		),
		grpc.WithDisableRetry(), // retries are ours alone: two layers of them would multiply
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: firstReconnect, Multiplier: 1.6, Jitter: 0.2, MaxDelay: longestReconnect},
			MinConnectTimeout: longestConnect,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingInterval, Timeout: pingTimeout}),
		grpc.WithInitialWindowSize(receiveWindow),
		grpc.WithInitialConnWindowSize(largestMessage), // or one slow stream would hold up the calls beside it
		grpc.WithNoProxy(),
		grpc.WithUserAgent("lotkeeper-go/" + Version),
	}
}

// gRPC looks a host's name up once in a while; asked to pass it through, it does so at every attempt to connect.
func target(address string) string {
	if isUnix(address) {
		return address
	}
	return "passthrough:///" + address
}

func isUnix(address string) bool {
	return len(address) > 5 && address[:5] == "unix:"
}

func (options Options) transport(address string) (credentials.TransportCredentials, error) {
	encrypted := options.TLS || len(options.RootCertificates) > 0 || len(options.ClientCertificate) > 0 || len(options.ClientKey) > 0
	if !encrypted {
		if options.Token != "" && !isUnix(address) && !isLoopback(address) {
			return nil, valueError("Token: address %q is another machine, and the token would go there in the clear; set TLS", address)
		}
		return insecure.NewCredentials(), nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(options.RootCertificates) > 0 {
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(options.RootCertificates) {
			return nil, valueError("RootCertificates: no certificate in %d bytes; pass what a PEM file holds", len(options.RootCertificates))
		}
	}
	if len(options.ClientCertificate) > 0 || len(options.ClientKey) > 0 {
		pair, err := tls.X509KeyPair(options.ClientCertificate, options.ClientKey)
		if err != nil {
			return nil, valueError("ClientCertificate, ClientKey: %v; pass both as their PEM files hold them", err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(settings), nil
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// bearer is a token as gRPC wants credentials; where it may go was looked at by Connect.
type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

// ValueError says that what was passed cannot be sent, or would not be safe to; nothing was sent.
type ValueError struct {
	message string
}

func (err *ValueError) Error() string { return err.message }

func valueError(format string, values ...any) *ValueError {
	return &ValueError{fmt.Sprintf(format, values...)}
}
