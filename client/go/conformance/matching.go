package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

const rest = "..." // as the last item of a list: more may follow

// difference between what a scenario expects and what came, in words: the first one, or "". What {save: NAME} met is put
// into saved. What came is protobuf JSON with the names of the .proto files.
func difference(expected, actual any, where string, saved map[string]any) string {
	if kind, wanted, is := matcher(expected); is {
		return matched(kind, wanted, actual, where, saved)
	}
	switch expected := expected.(type) {
	case map[string]any:
		return mapDifference(expected, actual, where, saved)
	case []any:
		return listDifference(expected, actual, where, saved)
	case nil:
		if actual != nil {
			return fmt.Sprintf("%s: expected it not to be set, got %s", where, shown(actual))
		}
		return ""
	default:
		if !same(expected, actual) {
			return fmt.Sprintf("%s: expected %s, got %s", where, shown(expected), shown(actual))
		}
		return ""
	}
}

// matcher is {save: NAME}, {greater: NUMBER} or {contains: TEXT}: no field of the contract has such a name.
func matcher(expected any) (kind string, wanted any, is bool) {
	single, is := expected.(map[string]any)
	if !is || len(single) != 1 {
		return "", nil, false
	}
	for _, kind := range []string{"save", "greater", "contains"} {
		if wanted, is := single[kind]; is {
			return kind, wanted, true
		}
	}
	return "", nil, false
}

func matched(kind string, wanted, actual any, where string, saved map[string]any) string {
	if actual == nil || actual == "" {
		return fmt.Sprintf("%s: expected a value, got %s", where, shown(actual))
	}
	switch kind {
	case "save":
		saved[fmt.Sprint(wanted)] = actual
	case "contains":
		if !strings.Contains(fmt.Sprint(actual), fmt.Sprint(wanted)) {
			return fmt.Sprintf("%s: expected %s in %s", where, shown(wanted), shown(actual))
		}
	case "greater":
		least, whole := new(big.Int).SetString(fmt.Sprint(wanted), 10)
		number, is := new(big.Int).SetString(fmt.Sprint(actual), 10)
		if !whole || !is || number.Cmp(least) <= 0 {
			return fmt.Sprintf("%s: expected more than %v, got %s", where, wanted, shown(actual))
		}
	}
	return ""
}

func mapDifference(expected map[string]any, actual any, where string, saved map[string]any) string {
	fields, is := actual.(map[string]any)
	if !is {
		return fmt.Sprintf("%s: expected %s, got %s", where, shown(expected), shown(actual))
	}
	for _, key := range slices.Sorted(maps.Keys(expected)) {
		if found := difference(expected[key], fields[key], where+"."+key, saved); found != "" {
			return found
		}
	}
	return ""
}

func listDifference(expected []any, actual any, where string, saved map[string]any) string {
	items, is := actual.([]any)
	if !is {
		return fmt.Sprintf("%s: expected a list, got %s", where, shown(actual))
	}
	least := ""
	if len(expected) > 0 && expected[len(expected)-1] == rest {
		expected, least = expected[:len(expected)-1], "at least "
	}
	if len(items) < len(expected) || len(items) > len(expected) && least == "" {
		return fmt.Sprintf("%s: expected %s%d items, got %d: %s", where, least, len(expected), len(items), shown(actual))
	}
	for index, item := range expected {
		if found := difference(item, items[index], fmt.Sprintf("%s[%d]", where, index), saved); found != "" {
			return found
		}
	}
	return ""
}

func same(expected, actual any) bool {
	switch expected := expected.(type) {
	case int, json.Number: // int64 is a string in protobuf JSON
		switch actual.(type) {
		case string, json.Number:
			return fmt.Sprint(expected) == fmt.Sprint(actual)
		}
		return false
	default:
		return expected == actual
	}
}

func shown(value any) string {
	if value == nil {
		return "nothing"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
