package main

import (
	"fmt"
	"maps"
	"slices"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
)

// outcome is what became of a scenario: verdict "ok", "FAIL" or "skip", with the step that failed, from 1, and why.
type outcome struct {
	scenario scenario
	verdict  string
	step     int
	message  string
}

const (
	passed  = "ok"
	failed  = "FAIL"
	skipped = "skip"
)

// execution is one run of one scenario: its names, its streams, its connection.
type execution struct {
	servers servers
	names   map[string]any
	streams map[string]*followed
	address string
	ledger  *lotkeeper.Ledger
	skip    error // why the scenario cannot go on here
}

// run executes a scenario once, under names of its own.
func run(told scenario, from servers) outcome {
	here := &execution{servers: from, names: freshNames(), streams: map[string]*followed{}}
	defer here.end()
	if address, is := from.(oneAddress); is && told.restarts() {
		_, err := address.restarted("restart")
		return outcome{told, skipped, 0, err.Error()}
	}
	address, err := from.serving(told.server)
	if err != nil {
		return outcome{told, skipped, 0, err.Error()}
	}
	if err := here.connect(address); err != nil {
		return outcome{told, failed, 0, err.Error()}
	}
	for index, step := range told.steps {
		found := here.take(step)
		if here.skip != nil {
			return outcome{told, skipped, 0, here.skip.Error()}
		}
		if found != "" {
			return outcome{told, failed, index + 1, found}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(here.streams)) {
		if found := here.streams[name].close(); found != "" {
			return outcome{told, failed, len(told.steps), found}
		}
	}
	return outcome{told, passed, 0, ""}
}

func (here *execution) connect(address string) error {
	if address == here.address {
		return nil
	}
	ledger, err := lotkeeper.Connect(address, lotkeeper.Options{})
	if err != nil {
		return err
	}
	if here.ledger != nil {
		_ = here.ledger.Close()
	}
	here.address, here.ledger = address, ledger
	return nil
}

func (here *execution) end() {
	for _, stream := range here.streams {
		stream.close()
	}
	if here.ledger != nil {
		_ = here.ledger.Close()
	}
}

// take executes one step; the first difference, or "".
func (here *execution) take(step map[string]any) string {
	content, err := filled(step, here.names)
	if err != nil {
		return err.Error()
	}
	saved := map[string]any{}
	found := here.do(kindOf(step), content.(map[string]any), saved)
	maps.Copy(here.names, saved)
	return found
}

func (here *execution) do(kind string, step, saved map[string]any) string {
	switch kind {
	case "call":
		return here.call(step, saved)
	case "calls":
		return here.calls(step, saved)
	case "open":
		return here.open(step)
	case "expect":
		stream, is := here.streams[fmt.Sprint(step["expect"])]
		if !is {
			return fmt.Sprintf("no stream named %v is open", step["expect"])
		}
		return stream.expect(step, saved)
	case "close":
		stream, is := here.streams[fmt.Sprint(step["close"])]
		if !is {
			return fmt.Sprintf("no stream named %v is open", step["close"])
		}
		delete(here.streams, fmt.Sprint(step["close"]))
		return stream.close()
	default:
		return here.restart(fmt.Sprint(step["restart"]))
	}
}

func (here *execution) call(step, saved map[string]any) string {
	answer, refused, err := one(here.ledger.Connection(), methods[step["call"].(string)], step["request"])
	if err != nil {
		return "request: " + err.Error()
	}
	expected, isRefusal := step["refusal"]
	switch {
	case refused != nil && isRefusal:
		return refusalDifference(expected, refused, saved)
	case refused != nil:
		return fmt.Sprintf("expected an answer, was refused: %v", refused)
	case isRefusal:
		return fmt.Sprintf("refusal: expected %s, got the answer %s", shown(expected), shown(answer))
	default:
		return difference(step["answer"], answer, "answer", saved)
	}
}

func (here *execution) calls(step, saved map[string]any) string {
	requests, _ := step["requests"].([]any)
	answers, refused, err := many(here.ledger.Connection(), methods[step["calls"].(string)], requests)
	if err != nil {
		return "requests: " + err.Error()
	}
	expected, isRefusal := step["refusal"]
	switch {
	case refused != nil && !isRefusal:
		return fmt.Sprintf("expected answers, was refused: %v", refused)
	case refused == nil && isRefusal:
		return fmt.Sprintf("refusal: expected %s, got the answers %s", shown(expected), shown(answers))
	case refused != nil:
		if found := refusalDifference(expected, refused, saved); found != "" {
			return found
		}
	}
	wanted, _ := step["answers"].([]any)
	return difference(wanted, answers, "answers", saved)
}

func (here *execution) open(step map[string]any) string {
	name := fmt.Sprint(step["open"])
	if _, is := here.streams[name]; is {
		return fmt.Sprintf("a stream named %s is open already", name)
	}
	stream, err := follow(here.ledger, step["request"], step["follow"] == true)
	if err != nil {
		return "request: " + err.Error()
	}
	here.streams[name] = stream
	return ""
}

func (here *execution) restart(how string) string {
	address, err := here.servers.restarted(how)
	if err != nil {
		here.skip = err
		return ""
	}
	if err := here.connect(address); err != nil {
		return err.Error()
	}
	return ""
}
