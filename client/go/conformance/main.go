// Command conformance runs the scenarios of tests/conformance against a real server, through this client's stubs.
//
//	go run ./conformance --address 127.0.0.1:50051
//
// What a scenario is, and what is printed, stands in README.md beside the scenarios.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// wrong is the exit code of a file or an argument that cannot be used.
const wrong = 2

func main() {
	os.Exit(command(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// command is the exit code: 0 when nothing failed, 1 when something did or nothing ran, 2 when a file or an argument is
// wrong.
func command(arguments []string, input io.Reader, output, complaints io.Writer) int {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(complaints)
	address := flags.String("address", "", "the server: HOST:PORT or unix:/path.sock")
	folder := flags.String("scenarios", "", "where the files are; tests/conformance here or above otherwise")
	only := flags.String("only", "", "scenarios whose name or whose file's name has this text in it")
	asJSON := flags.Bool("json", false, "nothing but the summary")
	harnessed := flags.Bool("harness", false, "a harness listens, instead of --address")
	if err := flags.Parse(arguments); err != nil {
		return wrong
	}
	var from servers = oneAddress(*address)
	if *harnessed {
		from = harness{output, bufio.NewReader(input)}
	} else if *address == "" {
		fmt.Fprintln(complaints, "conformance: pass --address HOST:PORT of a server, or --harness")
		return wrong
	}
	chosen, err := chosen(*folder, *only)
	if err != nil {
		fmt.Fprintf(complaints, "conformance: %v\n", err)
		return wrong
	}
	var told summary
	for _, each := range chosen {
		ended := run(each, from)
		told.add(ended)
		if !*asJSON {
			fmt.Fprintln(output, line(ended))
		}
	}
	text, err := json.Marshal(told.filled())
	if err != nil {
		fmt.Fprintf(complaints, "conformance: %v\n", err)
		return wrong
	}
	fmt.Fprintln(output, string(text))
	if told.Failed > 0 || told.Passed == 0 {
		return 1
	}
	return 0
}

func chosen(folder, only string) ([]scenario, error) {
	if folder == "" {
		var err error
		if folder, err = nearest(); err != nil {
			return nil, err
		}
	}
	found, err := loaded(folder)
	if err != nil {
		return nil, err
	}
	var kept []scenario
	for _, each := range found {
		if strings.Contains(each.name, only) || strings.Contains(each.theme, only) {
			kept = append(kept, each)
		}
	}
	return kept, nil
}

// nearest is the project's folder of scenarios, seen from here.
func nearest() (string, error) {
	here, err := os.Getwd()
	for err == nil {
		folder := filepath.Join(here, "tests", "conformance")
		if found, _ := filepath.Glob(filepath.Join(folder, "*.yaml")); len(found) > 0 {
			return folder, nil
		}
		above := filepath.Dir(here)
		if above == here {
			return "", errors.New("there is no tests/conformance here or above; name the folder with --scenarios")
		}
		here = above
	}
	return "", err
}

func line(ended outcome) string {
	why := ""
	switch {
	case ended.step > 0:
		why = fmt.Sprintf(": step %d, %s", ended.step, ended.message)
	case ended.message != "":
		why = ": " + ended.message
	}
	return fmt.Sprintf("%-4s %s%s", ended.verdict, ended.scenario.name, why)
}

// summary of all outcomes for a program: one line of JSON.
type summary struct {
	Passed   int       `json:"passed"`
	Failed   int       `json:"failed"`
	Skipped  int       `json:"skipped"`
	Failures []failure `json:"failures"`
	Skips    []skip    `json:"skips"`
}

type failure struct {
	Name    string `json:"name"`
	Step    int    `json:"step"`
	Message string `json:"message"`
}

type skip struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

func (told *summary) add(ended outcome) {
	switch ended.verdict {
	case passed:
		told.Passed++
	case failed:
		told.Failed++
		told.Failures = append(told.Failures, failure{ended.scenario.name, ended.step, ended.message})
	default:
		told.Skipped++
		told.Skips = append(told.Skips, skip{ended.scenario.name, ended.message})
	}
}

// filled has empty lists instead of none.
func (told summary) filled() summary {
	if told.Failures == nil {
		told.Failures = []failure{}
	}
	if told.Skips == nil {
		told.Skips = []skip{}
	}
	return told
}
