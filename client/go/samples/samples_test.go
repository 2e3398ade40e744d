// Package samples_test runs each sample as a user does, against a real server.
package samples_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	"github.com/lotkeeper/lotkeeper/client/go/internal/sidecar"
	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
)

const (
	restarts    = 20
	tradesEach  = 3
	watchingFor = 5 * time.Minute // all restarts together may take
)

func build(test *testing.T, sample string) string {
	test.Helper()
	program := filepath.Join(test.TempDir(), sample)
	if said, err := exec.Command("go", "build", "-o", program, "./"+sample).CombinedOutput(); err != nil {
		test.Fatalf("%v: %s", err, said)
	}
	return program
}

func printed(test *testing.T, code int, program string, arguments ...string) string {
	test.Helper()
	command := exec.Command(program, arguments...)
	said, err := command.Output()
	if ended := command.ProcessState.ExitCode(); ended != code {
		test.Fatalf("%v, exit code %d, expected %d; it printed %s", err, ended, code, said)
	}
	return string(said)
}

// The scale-in example. Run again, nothing is counted twice: the trades are those of then, the holding is that of now.
func TestRecordAndClose(test *testing.T) {
	server := sidecar.Start(test)
	program := build(test, "record_and_close")
	const sold = `closed 100 from 50000 at 53000 made 300000
closed 20 from 51000 at 53000 made 40000
left 30 realized 340000
`
	for _, holding := range []string{"holding 150 at 50333.333333333333333333\n", "holding 30 at 51000\n"} {
		if said := printed(test, 0, program, server.Address); said != holding+sold {
			test.Errorf("it printed:\n%s\nexpected:\n%s", said, holding+sold)
		}
	}
}

// What differs is shown, and the exit code says so; the address may stand in the environment.
func TestReconcileOnStartup(test *testing.T) {
	server := sidecar.Start(test)
	program := build(test, "reconcile_on_startup")
	test.Setenv("LOTKEEPER_ADDRESS", server.Address)
	const expected = "TSLA ledger 0 broker -5\nAAPL ledger 10 broker 4\n"
	if said := printed(test, 3, program); said != expected {
		test.Errorf("it printed:\n%s", said)
	}
}

// Twenty restarts, half of them kills: every closed trade is printed once, in order.
func TestWatchPnLSurvivesRestarts(test *testing.T) {
	server := sidecar.Start(test)
	ctx, cancel := context.WithTimeout(test.Context(), watchingFor)
	defer cancel()
	watch := exec.CommandContext(ctx, build(test, "watch_pnl"), server.Address)
	output, err := watch.StdoutPipe()
	if err != nil {
		test.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		test.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "snapshot 0 positions at ") {
		test.Fatalf("it began with %q", lines.Text())
	}

	ledger, err := lotkeeper.Connect(server.Address, lotkeeper.Options{Timeout: time.Minute})
	if err != nil {
		test.Fatal(err)
	}
	defer ledger.Close()
	fill := func(side pb.Side, number int, quantity string) string {
		test.Helper()
		filled, err := ledger.RecordFill(ctx, &pb.RecordFillRequest{Fill: &pb.Fill{
			Symbol: "BTC-USD", Side: side, Quantity: quantity, Price: fmt.Sprint(100 + number), FillId: fmt.Sprintf("F-%d", number),
		}})
		if err != nil {
			test.Fatal(err)
		}
		if len(filled.ClosedTrades) == 0 {
			return ""
		}
		return fmt.Sprintf("closed %s BTC-USD 1 made %d", filled.ClosedTrades[0].TradeId, number)
	}
	fill(pb.Side_SIDE_BUY, 0, "1000")
	var expected []string
	for restart := range restarts {
		for range tradesEach {
			expected = append(expected, fill(pb.Side_SIDE_SELL, len(expected)+1, "1"))
		}
		if restart%2 == 0 {
			server.Kill()
		} else {
			server.Stop()
		}
		server.Start()
	}
	expected = append(expected, fill(pb.Side_SIDE_SELL, len(expected)+1, "1"))

	var closed []string
	for len(closed) < len(expected) && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "closed ") {
			closed = append(closed, lines.Text())
		}
	}
	if err := watch.Process.Signal(syscall.SIGTERM); err != nil {
		test.Error(err)
	}
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "closed ") {
			closed = append(closed, lines.Text())
		}
	}
	if err := watch.Wait(); err != nil {
		test.Errorf("it ended with %v", err)
	}
	if got, wanted := strings.Join(closed, "\n"), strings.Join(expected, "\n"); got != wanted {
		test.Errorf("it printed:\n%s\nexpected:\n%s", got, wanted)
	}
}

// The README shows the samples as they are.
func TestTheReadmeHasTheSamples(test *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		test.Fatal(err)
	}
	for _, sample := range []string{"record_and_close", "watch_pnl", "reconcile_on_startup"} {
		code, err := os.ReadFile(filepath.Join(sample, "main.go"))
		if err != nil {
			test.Fatal(err)
		}
		if !strings.Contains(string(readme), "```go\n"+string(code)+"```\n") {
			test.Errorf("README.md does not show samples/%s/main.go as it is", sample)
		}
	}
}
