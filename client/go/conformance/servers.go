package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// servers give the address of the server that a scenario needs. The error is the reason it is skipped for.
type servers interface {
	serving(settings map[string]any) (address string, err error)
	restarted(how string) (address string, err error)
}

// oneAddress is a server that is there, whose settings are not known and that nobody here may restart.
type oneAddress string

func (address oneAddress) serving(settings map[string]any) (string, error) {
	if len(settings) == 0 {
		return string(address), nil
	}
	var needed []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		needed = append(needed, fmt.Sprintf("%s=%v", name, settings[name]))
	}
	return "", fmt.Errorf("needs a server started with %s: run it with a harness", strings.Join(needed, ", "))
}

func (address oneAddress) restarted(how string) (string, error) {
	return "", fmt.Errorf("needs a server that can be restarted (%s): run it with a harness", how)
}

// harness asks whoever started this process: a line out, a line in.
type harness struct {
	asks    io.Writer
	answers *bufio.Reader
}

func (asked harness) serving(settings map[string]any) (string, error) {
	if settings == nil {
		settings = map[string]any{}
	}
	return asked.ask(struct {
		Do       string         `json:"do"`
		Settings map[string]any `json:"settings"`
	}{"server", settings})
}

func (asked harness) restarted(how string) (string, error) {
	return asked.ask(struct {
		Do  string `json:"do"`
		How string `json:"how"`
	}{"restart", how})
}

func (asked harness) ask(request any) (string, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	// What the harness looks for is `{"do": `, as other languages write it.
	fmt.Fprintln(asked.asks, strings.Replace(string(text), `{"do":`, `{"do": `, 1))
	line, err := asked.answers.ReadString('\n')
	if err != nil {
		return "", errors.New("the harness has gone")
	}
	var answer struct{ Address, Error string }
	if err := json.Unmarshal([]byte(line), &answer); err != nil {
		return "", fmt.Errorf("the harness said %q: %w", line, err)
	}
	if answer.Error != "" {
		return "", errors.New(answer.Error)
	}
	return answer.Address, nil
}
