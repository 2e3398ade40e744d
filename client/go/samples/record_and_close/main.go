// Buy twice, sell most of it, and see what was made: first in, first out.
//
//	record_and_close [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
)

func main() {
	address := cmp.Or(append(os.Args[1:], os.Getenv("LOTKEEPER_ADDRESS"), "127.0.0.1:50051")...)
	if err := recordAndClose(context.Background(), address); err != nil {
		log.Fatal(err)
	}
}

func recordAndClose(ctx context.Context, address string) error {
	ledger, err := lotkeeper.Connect(address, lotkeeper.Options{Portfolio: "scale-in"})
	if err != nil {
		return err
	}
	defer ledger.Close()

	// Every fill carries the venue's own id: however often it is sent, it counts once.
	_, err = ledger.RecordFill(ctx, &pb.RecordFillRequest{
		Fill: &pb.Fill{Symbol: "BTC-USD", Side: pb.Side_SIDE_BUY, Quantity: "100", Price: "50000", FillId: "F-1"},
	})
	if err != nil {
		return err
	}
	bought, err := ledger.RecordFill(ctx, &pb.RecordFillRequest{
		Fill: &pb.Fill{Symbol: "BTC-USD", Side: pb.Side_SIDE_BUY, Quantity: "50", Price: "51000", FillId: "F-2"},
	})
	if err != nil {
		return err
	}
	fmt.Println("holding", bought.Position.TotalQuantity, "at", bought.Position.GetAverageEntryPrice())

	// The oldest lots go first: 100 bought at 50,000, then 20 of those bought at 51,000.
	sold, err := ledger.RecordFill(ctx, &pb.RecordFillRequest{
		Fill: &pb.Fill{Symbol: "BTC-USD", Side: pb.Side_SIDE_SELL, Quantity: "120", Price: "53000", FillId: "F-3"},
	})
	if err != nil {
		return err
	}
	for _, trade := range sold.ClosedTrades {
		fmt.Println("closed", trade.Quantity, "from", trade.EntryPrice, "at", trade.ExitPrice, "made", trade.NetPnl)
	}
	fmt.Println("left", sold.Position.TotalQuantity, "realized", sold.Position.NetRealizedPnl)
	return nil
}
