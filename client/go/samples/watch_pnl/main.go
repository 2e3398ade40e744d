// Follow closed trades and P&L, through restarts of the ledger: every closed trade is printed once.
//
//	watch_pnl [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise; Ctrl-C ends it
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
)

func main() {
	address := cmp.Or(append(os.Args[1:], os.Getenv("LOTKEEPER_ADDRESS"), "127.0.0.1:50051")...)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := watchPnL(ctx, address); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func watchPnL(ctx context.Context, address string) error {
	ledger, err := lotkeeper.Connect(address, lotkeeper.Options{})
	if err != nil {
		return err
	}
	defer ledger.Close()

	for event, err := range ledger.StreamPnL(ctx, &pb.StreamPnLRequest{}) {
		if err != nil {
			return err
		}
		switch event := event.(type) {
		case *lotkeeper.Snapshot:
			// The whole state: first of all, and again after every lost connection.
			fmt.Println("snapshot", len(event.Positions), "positions at", event.Sequence)
		case *lotkeeper.Update:
			// Facts: each comes exactly once and in order, whatever happens to the connection.
			for _, trade := range event.ClosedTrades {
				fmt.Println("closed", trade.TradeId, trade.Symbol, trade.Quantity, "made", trade.NetPnl)
			}
		case *lotkeeper.Disconnected:
			// What is known may be old by now; the stream looks for the ledger by itself.
			fmt.Println("disconnected at", event.Sequence)
		}
	}
	return nil
}
