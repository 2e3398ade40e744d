// Package sidecar starts a real server in a process of its own, as a user does: what this client is tested against.
package sidecar

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startTime = 60 * time.Second
	stopTime  = 30 * time.Second
)

var ready = regexp.MustCompile(`^lotkeeper ready: listening on (\S+), `)

// Sidecar is one `lotkeeper serve` with a database of its own; it ends with the test.
type Sidecar struct {
	// Address to connect to; the same after a restart.
	Address string

	test      testing.TB
	command   []string
	arguments []string
	process   *exec.Cmd
	ended     chan error
}

// Start is a sidecar that is ready. LOTKEEPER_SERVER is the command that serves, such as "python -m lotkeeperd"; without it
// the test is skipped, and fails where LOTKEEPER_DEMAND_ALL is 1.
func Start(test testing.TB) *Sidecar {
	test.Helper()
	return StartAt(test, "127.0.0.1:0")
}

// StartAt is Start at an address of the test's choice.
func StartAt(test testing.TB, listen string) *Sidecar {
	test.Helper()
	return start(test, listen, nil)
}

// StartWith is Start with settings as they stand in a configuration file.
func StartWith(test testing.TB, settings map[string]any) *Sidecar {
	test.Helper()
	return start(test, "127.0.0.1:0", settings)
}

func start(test testing.TB, listen string, settings map[string]any) *Sidecar {
	test.Helper()
	command := Command(test)
	folder := test.TempDir()
	config := filepath.Join(folder, "settings.toml")
	var text strings.Builder
	for name, value := range settings {
		fmt.Fprintf(&text, "%s = %s\n", name, toml(test, value))
	}
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		test.Fatal(err)
	}
	started := &Sidecar{
		Address:   listen,
		test:      test,
		command:   command,
		arguments: []string{"--database", filepath.Join(folder, "ledger.db"), "--config", config},
	}
	started.Start()
	test.Cleanup(started.Kill)
	return started
}

// toml is a setting as TOML: a JSON scalar or list is one, a table is written inline.
func toml(test testing.TB, value any) string {
	test.Helper()
	if table, is := value.(map[string]any); is {
		var parts []string
		for name, part := range table {
			parts = append(parts, fmt.Sprintf("%q = %s", name, toml(test, part)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	text, err := json.Marshal(value)
	if err != nil {
		test.Fatal(err)
	}
	return string(text)
}

// Missing skips the test for a reason, and fails it where LOTKEEPER_DEMAND_ALL is 1.
func Missing(test testing.TB, reason string) {
	test.Helper()
	if os.Getenv("LOTKEEPER_DEMAND_ALL") == "1" {
		test.Fatal(reason)
	}
	test.Skip(reason)
}

// Command is what LOTKEEPER_SERVER says; without it the test is skipped, or fails where nothing may be.
func Command(test testing.TB) []string {
	test.Helper()
	command := strings.Fields(os.Getenv("LOTKEEPER_SERVER"))
	if len(command) == 0 {
		Missing(test, `LOTKEEPER_SERVER is not set; it names the command of a real server, such as "python -m lotkeeperd"`)
	}
	return command
}

// Start starts it again, at the address it had, and waits until it is ready.
func (sidecar *Sidecar) Start() {
	sidecar.test.Helper()
	arguments := slices.Concat(sidecar.command[1:], []string{"serve", "--listen", sidecar.Address}, sidecar.arguments)
	process := exec.Command(sidecar.command[0], arguments...)
	process.Env = environment()
	process.Stderr = sidecar.test.Output()
	output, err := process.StdoutPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		sidecar.test.Fatalf("LOTKEEPER_SERVER: %s: %v", strings.Join(sidecar.command, " "), err)
	}
	watchdog := time.AfterFunc(startTime, func() { _ = process.Process.Kill() })
	defer watchdog.Stop()
	lines := bufio.NewReader(output)
	line, _ := lines.ReadString('\n')
	found := ready.FindStringSubmatch(line)
	if found == nil {
		_ = process.Process.Kill()
		sidecar.test.Fatalf("the server did not start: it said %q and ended: %v", line, process.Wait())
	}
	sidecar.Address, sidecar.process = found[1], process
	ended := make(chan error, 1)
	sidecar.ended = ended
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		ended <- process.Wait()
	}()
}

// Kill is SIGKILL, and waits. One that does not run stays so.
func (sidecar *Sidecar) Kill() { sidecar.end(syscall.SIGKILL) }

// Stop is SIGTERM, and waits until it has drained.
func (sidecar *Sidecar) Stop() { sidecar.end(syscall.SIGTERM) }

func (sidecar *Sidecar) end(signal syscall.Signal) {
	if sidecar.process == nil {
		return
	}
	_ = sidecar.process.Process.Signal(signal)
	select {
	case <-sidecar.ended:
	case <-time.After(stopTime):
		_ = sidecar.process.Process.Kill()
		sidecar.test.Errorf("the server did not end within %v of %v", stopTime, signal)
		<-sidecar.ended
	}
	sidecar.process = nil
}

// environment is ours without the settings of another server.
func environment() []string {
	var kept []string
	for _, each := range os.Environ() {
		if !strings.HasPrefix(each, "LOTKEEPER_") {
			kept = append(kept, each)
		}
	}
	return kept
}

// Socket is the address of a Unix socket that nobody listens on yet.
func Socket(test testing.TB) string {
	test.Helper()
	return "unix:" + filepath.Join(test.TempDir(), "l.sock")
}
