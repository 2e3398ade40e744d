package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var (
	factKinds = []string{"closed_trades", "opened_entries", "restated_trades"}
	lookedFor = []string{"snapshot", "facts", "position", "group", "heartbeat", "refusal"}

	// stepKeys are the kinds of steps, the longer names first, and the keys each may have.
	stepKinds = []string{"calls", "call", "open", "expect", "close", "restart"}
	stepKeys  = map[string][]string{
		"call":    {"call", "request", "answer", "refusal"},
		"calls":   {"calls", "requests", "answers", "refusal"},
		"open":    {"open", "stream", "request", "follow"},
		"expect":  append([]string{"expect", "sequence", "ledger_id"}, lookedFor...),
		"close":   {"close"},
		"restart": {"restart"},
	}
	refusalKeys  = []string{"code", "reason", "metadata", "violations", "retry"}
	scenarioKeys = []string{"name", "covers", "server", "steps"}
)

const measured = "measured: " // how covers names a failure of the systems that were replaced

// scenario is one of a file; theme is the file's name, server the settings its server needs.
type scenario struct {
	theme  string
	name   string
	server map[string]any
	steps  []map[string]any
}

// restarts says whether its server is restarted in between.
func (told scenario) restarts() bool {
	return slices.ContainsFunc(told.steps, func(step map[string]any) bool { return step["restart"] != nil })
}

// loaded is every scenario of the *.yaml files of folder, in the order of the files' names, known to be well formed.
func loaded(folder string) ([]scenario, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s: there is no *.yaml file in it; name another folder with --scenarios", folder)
	}
	var found []scenario
	for _, file := range files {
		scenarios, err := scenariosOf(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		for _, each := range scenarios {
			if slices.ContainsFunc(found, func(other scenario) bool { return other.name == each.name }) {
				return nil, fmt.Errorf("%s: two scenarios are named %q", filepath.Base(file), each.name)
			}
			found = append(found, each)
		}
	}
	return found, nil
}

func scenariosOf(file string) ([]scenario, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document; one file is one list of scenarios")
	}
	if !isPlain(&document) {
		return nil, errors.New("anchors, aliases and tags are not used in scenarios: write it out")
	}
	var contents []map[string]any
	if err := document.Decode(&contents); err != nil {
		return nil, fmt.Errorf("a list of scenarios is required: %w", err)
	}
	theme := strings.TrimSuffix(filepath.Base(file), ".yaml")
	scenarios := make([]scenario, len(contents))
	for index, content := range contents {
		if scenarios[index], err = scenarioOf(theme, content); err != nil {
			return nil, fmt.Errorf("scenario %d: %w", index+1, err)
		}
	}
	return scenarios, nil
}

func isPlain(node *yaml.Node) bool {
	return node.Kind != yaml.AliasNode && node.Anchor == "" && node.Style&yaml.TaggedStyle == 0 &&
		!slices.ContainsFunc(node.Content, func(part *yaml.Node) bool { return !isPlain(part) })
}

func scenarioOf(theme string, content map[string]any) (scenario, error) {
	told := scenario{theme: theme}
	if err := only(content, scenarioKeys); err != nil {
		return told, err
	}
	if err := plain(content); err != nil {
		return told, err
	}
	var named bool
	if told.name, named = content["name"].(string); !named || told.name == "" {
		return told, errors.New("a name is required")
	}
	if content["server"] != nil {
		told.server, _ = content["server"].(map[string]any)
	}
	covers, _ := content["covers"].([]any)
	for _, one := range covers {
		text := fmt.Sprint(one)
		if _, is := methods[text]; !is && !isReason(text) && !strings.HasPrefix(text, measured) {
			return told, fmt.Errorf("%q covers %q: neither an RPC, a reason nor %s...", told.name, text, measured)
		}
	}
	steps, _ := content["steps"].([]any)
	if len(steps) == 0 {
		return told, fmt.Errorf("%q: steps are required", told.name)
	}
	names := slices.Collect(maps.Keys(freshNames()))
	for index, one := range steps {
		step, is := one.(map[string]any)
		if !is {
			return told, fmt.Errorf("%q, step %d: a map is required", told.name, index+1)
		}
		if wrong := wrongStep(step); wrong != "" {
			return told, fmt.Errorf("%q, step %d: %s", told.name, index+1, wrong)
		}
		for _, name := range usedNames(step) {
			if !slices.Contains(names, name) {
				return told, fmt.Errorf("%q, step %d: $%s: no step before this one saves it", told.name, index+1, name)
			}
		}
		names = append(names, savedNames(step)...)
		told.steps = append(told.steps, step)
	}
	return told, nil
}

func only(content map[string]any, keys []string) error {
	for key := range content {
		if !slices.Contains(keys, key) {
			return fmt.Errorf("%q is none of %s", key, strings.Join(keys, ", "))
		}
	}
	return nil
}

// plain refuses what not every language's YAML reader reads alike: dates, fractions, keys that are no text.
func plain(value any) error {
	switch value := value.(type) {
	case nil, string, int, bool:
		return nil
	case map[string]any:
		for _, part := range value {
			if err := plain(part); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for _, part := range value {
			if err := plain(part); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("%v: put it in quotes", value)
	}
}

func savedNames(value any) []string {
	var saved []string
	if kind, name, is := matcher(value); is && kind == "save" {
		return []string{fmt.Sprint(name)}
	}
	switch value := value.(type) {
	case map[string]any:
		for _, part := range value {
			saved = append(saved, savedNames(part)...)
		}
	case []any:
		for _, part := range value {
			saved = append(saved, savedNames(part)...)
		}
	}
	return saved
}

func kindOf(step map[string]any) string {
	for _, kind := range stepKinds {
		if _, is := step[kind]; is {
			return kind
		}
	}
	return ""
}

func wrongStep(step map[string]any) string {
	kind := kindOf(step)
	if kind == "" {
		return "one of " + strings.Join(stepKinds, ", ") + " is required"
	}
	if err := only(step, stepKeys[kind]); err != nil {
		return err.Error()
	}
	switch kind {
	case "call":
		return wrongCall(step, fmt.Sprint(step["call"]))
	case "calls":
		return wrongCalls(step, fmt.Sprint(step["calls"]))
	case "open":
		rpc, is := methods[fmt.Sprint(step["stream"])]
		if !is || rpc.IsStreamingClient() || !rpc.IsStreamingServer() {
			return fmt.Sprintf("%v is no RPC that streams answers to one request", step["stream"])
		}
		return wrongShape(rpc.Input(), orEmpty(step["request"]), "request", false)
	case "expect":
		return wrongExpectation(step)
	case "restart":
		if how := step["restart"]; how != "kill" && how != "stop" {
			return "restart: kill or stop"
		}
	}
	return ""
}

func wrongCall(step map[string]any, name string) string {
	rpc, is := methods[name]
	if !is || rpc.IsStreamingClient() || rpc.IsStreamingServer() {
		return name + " is no RPC of one request and one answer"
	}
	if found := wrongShape(rpc.Input(), orEmpty(step["request"]), "request", false); found != "" {
		return found
	}
	answer, answered := step["answer"]
	refusal, isRefused := step["refusal"]
	switch {
	case answered == isRefused:
		return "answer or refusal, one of them, is required"
	case isRefused:
		return wrongRefusal(refusal)
	default:
		return wrongShape(rpc.Output(), answer, "answer", true)
	}
}

func wrongCalls(step map[string]any, name string) string {
	rpc, is := methods[name]
	if !is || !rpc.IsStreamingClient() {
		return name + " is no RPC of many requests"
	}
	requests, _ := step["requests"].([]any)
	for index, request := range requests {
		if found := wrongShape(rpc.Input(), request, fmt.Sprintf("requests[%d]", index), false); found != "" {
			return found
		}
	}
	if refusal, is := step["refusal"]; is {
		if found := wrongRefusal(refusal); found != "" {
			return found
		}
	}
	return wrongItems(rpc.Output(), step["answers"], "answers")
}

func wrongItems(message protoreflect.MessageDescriptor, value any, where string) string {
	items, is := value.([]any)
	if !is && value != nil {
		return where + ": a list is required"
	}
	for index, item := range items {
		if index == len(items)-1 && item == rest {
			return ""
		}
		if found := wrongShape(message, item, fmt.Sprintf("%s[%d]", where, index), true); found != "" {
			return found
		}
	}
	return ""
}

func wrongExpectation(step map[string]any) string {
	var kinds []string
	for _, kind := range lookedFor {
		if _, is := step[kind]; is {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) != 1 {
		return "one of " + strings.Join(lookedFor, ", ") + " is required"
	}
	expected := step[kinds[0]]
	switch kinds[0] {
	case "snapshot":
		return wrongShape((&pb.PnLSnapshot{}).ProtoReflect().Descriptor(), expected, "snapshot", true)
	case "position":
		return wrongShape((&pb.Position{}).ProtoReflect().Descriptor(), expected, "position", true)
	case "group":
		return wrongShape((&pb.GroupPnL{}).ProtoReflect().Descriptor(), expected, "group", true)
	case "refusal":
		return wrongRefusal(expected)
	case "facts":
		facts, _ := expected.(map[string]any)
		if err := only(facts, factKinds); err != nil {
			return err.Error()
		}
		return wrongShape((&pb.PnLUpdate{}).ProtoReflect().Descriptor(), expected, "facts", true)
	}
	return ""
}

func wrongRefusal(value any) string {
	refusal, is := value.(map[string]any)
	if !is {
		return "refusal: a map is required"
	}
	if err := only(refusal, refusalKeys); err != nil {
		return "refusal: " + err.Error()
	}
	if !slices.Contains(slices.Collect(maps.Values(codeNames)), fmt.Sprint(refusal["code"])) {
		return fmt.Sprintf("refusal.code: %v is no status code", refusal["code"])
	}
	if reason, is := refusal["reason"]; is && !isReason(fmt.Sprint(reason)) {
		return fmt.Sprintf("refusal.reason: %v is none of the contract's", reason)
	}
	return ""
}

func orEmpty(request any) any {
	if request == nil {
		return map[string]any{}
	}
	return request
}

// codeNames are the status codes as every language but Go spells them.
var codeNames = map[codes.Code]string{
	codes.OK: "OK", codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS",
	codes.PermissionDenied: "PERMISSION_DENIED", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
	codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED", codes.OutOfRange: "OUT_OF_RANGE",
	codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE",
	codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
}
