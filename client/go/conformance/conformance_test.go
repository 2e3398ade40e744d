package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lotkeeper/lotkeeper/client/go/internal/sidecar"
)

// sidecars are real servers for the scenarios, one for each set of settings.
type sidecars struct {
	test    *testing.T
	running map[string]*sidecar.Sidecar
	latest  *sidecar.Sidecar
}

func (started *sidecars) serving(settings map[string]any) (string, error) {
	key := shown(settings)
	if started.running[key] == nil {
		started.running[key] = sidecar.StartWith(started.test, settings)
	}
	started.latest = started.running[key]
	return started.latest.Address, nil
}

func (started *sidecars) restarted(how string) (string, error) {
	if how == "kill" {
		started.latest.Kill()
	} else {
		started.latest.Stop()
	}
	started.latest.Start()
	return started.latest.Address, nil
}

// Every scenario of the project, restarts included, against a real server.
func TestScenarios(test *testing.T) {
	folder, err := nearest()
	if err != nil {
		sidecar.Missing(test, err.Error())
	}
	scenarios, err := loaded(folder)
	if err != nil {
		test.Fatal(err)
	}
	sidecar.Command(test)
	started := &sidecars{test: test, running: map[string]*sidecar.Sidecar{}}
	for _, each := range scenarios {
		test.Run(each.name, func(test *testing.T) {
			if ended := run(each, started); ended.verdict != passed {
				test.Error(line(ended))
			}
		})
	}
}

// What is printed, and the exit code, for a scenario that passes, one that fails, and one that is skipped.
func TestWhatIsPrinted(test *testing.T) {
	server := sidecar.Start(test)
	folder := write(test, `
- name: nothing is held
  steps:
    - call: LedgerService.ListEntries
      request: {portfolio_id: default}
      answer: {entries: [], next_page_token: ""}
- name: something is held
  steps:
    - call: LedgerService.ListEntries
      request: {portfolio_id: default}
      answer: {entries: ["..."]}
    - call: LedgerService.ListEntries
      request: {portfolio_id: default}
      answer: {entries: [{symbol: $A}]}
- name: a restart
  steps: [{restart: kill}]
- name: a setting
  server: {write_queue: 1}
  steps: [{close: none}]
`)
	var output bytes.Buffer
	code := command([]string{"--address", server.Address, "--scenarios", folder}, strings.NewReader(""), &output, io.Discard)
	const expected = `ok   nothing is held
FAIL something is held: step 2, answer.entries: expected 1 items, got 0: []
skip a restart: needs a server that can be restarted (restart): run it with a harness
skip a setting: needs a server started with write_queue=1: run it with a harness
{"passed":1,"failed":1,"skipped":2,`
	if code != 1 || !strings.HasPrefix(output.String(), expected) {
		test.Errorf("exit code %d:\n%s", code, &output)
	}
}

// A file that is not as the format says is refused before the first call.
func TestFilesThatAreWrong(test *testing.T) {
	for wrong, words := range map[string]string{
		"- {name: n, steps: [{call: LedgerService.None, answer: {}}]}":                                        "is no RPC",
		"- {name: n, steps: [{call: LedgerService.ListEntries, answer: {}, more: 1}]}":                        `"more" is none of`,
		"- {name: n, steps: [{call: LedgerService.ListEntries}]}":                                             "one of them, is required",
		"- {name: n, steps: [{call: LedgerService.ListEntries, request: {none: 1}, answer: {}}]}":             "no such field",
		"- {name: n, steps: [{call: LedgerService.ListEntries, request: {page_size: one}, answer: {}}]}":      "a whole number is required",
		"- {name: n, steps: [{call: LedgerService.ListEntries, request: {portfolio_id: $none}, answer: {}}]}": "no step before this one saves it",
		"- {name: n, steps: [{call: LedgerService.ListEntries, refusal: {code: NONE}}]}":                      "is no status code",
		"- {name: n, steps: [{call: LedgerService.ListEntries, refusal: {code: NOT_FOUND, reason: NONE}}]}":   "none of the contract's",
		"- {name: n, steps: [{expect: s, snapshot: {}, facts: {}}]}":                                          "one of snapshot",
		"- {name: n, steps: [{restart: often}]}":                                                              "kill or stop",
		"- {name: n, covers: [nothing], steps: [{restart: kill}]}":                                            "neither an RPC",
		"- {name: n, steps: [{restart: kill}]}\n- {name: n, steps: [{restart: kill}]}":                        "two scenarios",
		"- {name: n, steps: [{call: LedgerService.CreateEntry, request: {quantity: 1.5}, answer: {}}]}":       "put it in quotes",
		"- &a {name: n, steps: [{restart: kill}]}":                                                            "anchors",
		"- {name: n, steps: [{restart: kill}]}\n---\n- {}":                                                    "second document",
		"name: n": "a list of scenarios",
	} {
		_, err := loaded(write(test, wrong))
		if err == nil || !strings.Contains(err.Error(), words) {
			test.Errorf("%s: %v, expected %q", wrong, err, words)
		}
	}
}

func write(test *testing.T, text string) string {
	test.Helper()
	folder := test.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "theme.yaml"), []byte(text), 0o600); err != nil {
		test.Fatal(err)
	}
	return folder
}
