// Before the first order: is the ledger right about the broker?
//
//	reconcile_on_startup [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func main() {
	address := cmp.Or(append(os.Args[1:], os.Getenv("LOTKEEPER_ADDRESS"), "127.0.0.1:50051")...)
	err := reconcileOnStartup(context.Background(), address)
	if errors.Is(err, lotkeeper.ErrNotReconciled) {
		os.Exit(3)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func reconcileOnStartup(ctx context.Context, address string) error {
	ledger, err := lotkeeper.Connect(address, lotkeeper.Options{Portfolio: "swing"})
	if err != nil {
		return err
	}
	defer ledger.Close()

	// What the bot knows: it bought 10 AAPL, and then was down for a while.
	_, err = ledger.RecordFill(ctx, &pb.RecordFillRequest{
		Fill: &pb.Fill{Symbol: "AAPL", Side: pb.Side_SIDE_BUY, Quantity: "10", Price: "180", FillId: "X-1"},
	})
	if err != nil {
		return err
	}

	// What the broker says it holds: 4 of them, and 5 TSLA short that nobody watches.
	statement := &pb.BrokerStatement{
		AsOf:              timestamppb.Now(),
		PositionsComplete: true,
		Positions: []*pb.BrokerPosition{
			{Symbol: "AAPL", Side: pb.PositionSide_POSITION_SIDE_LONG, Quantity: "4", AveragePrice: "180"},
			{Symbol: "TSLA", Side: pb.PositionSide_POSITION_SIDE_SHORT, Quantity: "5", AveragePrice: "400"},
		},
	}

	// Nothing is changed; a bot that must not trade on wrong books stops here.
	_, err = ledger.ReconcileOnStartup(ctx, &pb.ReconcileRequest{
		Source: &pb.ReconcileRequest_Statement{Statement: statement},
	}, true)
	var failed *lotkeeper.Error
	if errors.As(err, &failed) && failed.Report != nil {
		for _, found := range failed.Report.Discrepancies {
			fmt.Println(found.Symbol, "ledger", found.LedgerQuantity, "broker", found.BrokerQuantity)
		}
		return err
	}
	if err != nil {
		return err
	}
	fmt.Println("agreed: nothing to do")
	return nil
}
