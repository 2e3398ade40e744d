package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

const (
	letters    = "bcdfghjklmnpqrstvwxyz" // no vowels: PERP or USD in a symbol would be read as a contract
	nameLength = 6
)

var namePattern = regexp.MustCompile(`\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// freshNames are the names that one execution of a scenario begins with.
func freshNames() map[string]any {
	drawn := make([]byte, nameLength)
	for index := range drawn {
		letter, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			panic(err) // the system has no randomness
		}
		drawn[index] = letters[letter.Int64()]
	}
	run := string(drawn)
	capitals := strings.ToUpper(run)
	return map[string]any{
		"run": run, "RUN": capitals, "portfolio": "c-" + run, "A": capitals + "-A", "B": capitals + "-B",
	}
}

// filled is value with what its names stand for. The error is a name that no step has saved.
func filled(value any, names map[string]any) (any, error) {
	switch value := value.(type) {
	case string:
		return filledText(value, names)
	case map[string]any:
		whole := make(map[string]any, len(value))
		for key, part := range value {
			name, err := filledText(key, names)
			if err != nil {
				return nil, err
			}
			if whole[fmt.Sprint(name)], err = filled(part, names); err != nil {
				return nil, err
			}
		}
		return whole, nil
	case []any:
		whole := make([]any, len(value))
		for index, part := range value {
			var err error
			if whole[index], err = filled(part, names); err != nil {
				return nil, err
			}
		}
		return whole, nil
	default:
		return value, nil
	}
}

func filledText(text string, names map[string]any) (any, error) {
	if found := namePattern.FindStringSubmatch(text); found != nil && found[0] == text && text != "$$" {
		return known(found, names)
	}
	var unknown error
	whole := namePattern.ReplaceAllStringFunc(text, func(part string) string {
		if part == "$$" {
			return "$"
		}
		value, err := known(namePattern.FindStringSubmatch(part), names)
		if err != nil {
			unknown = err
		}
		return fmt.Sprint(value)
	})
	return whole, unknown
}

func known(found []string, names map[string]any) (any, error) {
	name := found[1] + found[2]
	value, is := names[name]
	if !is {
		return nil, fmt.Errorf("$%s: no step before this one has saved it; there are %s",
			name, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
	}
	return value, nil
}

// usedNames are the names in value, at any depth.
func usedNames(value any) []string {
	var used []string
	switch value := value.(type) {
	case string:
		for _, found := range namePattern.FindAllStringSubmatch(value, -1) {
			if found[0] != "$$" {
				used = append(used, found[1]+found[2])
			}
		}
	case map[string]any:
		for key, part := range value {
			used = append(append(used, usedNames(key)...), usedNames(part)...)
		}
	case []any:
		for _, part := range value {
			used = append(used, usedNames(part)...)
		}
	}
	return used
}
