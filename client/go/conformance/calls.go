package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	lotkeeper "github.com/lotkeeper/lotkeeper/client/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// patience is the deadline of a call, and how long a step waits for messages of a stream.
const patience = 10 * time.Second

// written is protobuf JSON with the names of the .proto files; what has no presence is always there.
func written(message proto.Message) map[string]any {
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(message)
	if err != nil {
		panic(err) // a message that came over the wire can be written
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var content map[string]any
	if err := decoder.Decode(&content); err != nil {
		panic(err)
	}
	return content
}

// parsed puts what a scenario says into message.
func parsed(content any, message proto.Message) error {
	text, err := json.Marshal(orEmpty(content))
	if err != nil {
		return err
	}
	return protojson.Unmarshal(text, message)
}

// one request, one answer; the refusal is nil where there is an answer.
func one(connection grpc.ClientConnInterface, rpc method, content any) (map[string]any, *lotkeeper.Error, error) {
	request, answer := rpc.newRequest(), rpc.newAnswer()
	if err := parsed(content, request); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := connection.Invoke(ctx, rpc.path(), request, answer); err != nil {
		return nil, lotkeeper.ErrorOf(err), nil
	}
	return written(answer), nil, nil
}

// many requests, then the end of them; the answers before a refusal count.
func many(connection grpc.ClientConnInterface, rpc method, contents []any) ([]any, *lotkeeper.Error, error) {
	answers := []any{}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	shape := &grpc.StreamDesc{ClientStreams: true, ServerStreams: rpc.IsStreamingServer()}
	requests := make([]proto.Message, len(contents))
	for index, content := range contents {
		requests[index] = rpc.newRequest()
		if err := parsed(content, requests[index]); err != nil {
			return nil, nil, err
		}
	}
	stream, err := connection.NewStream(ctx, shape, rpc.path())
	if err != nil {
		return answers, lotkeeper.ErrorOf(err), nil
	}
	for _, request := range requests {
		if stream.SendMsg(request) != nil {
			break // the stream has ended; why it did, the next read tells
		}
	}
	_ = stream.CloseSend()
	for {
		answer := rpc.newAnswer()
		err := stream.RecvMsg(answer)
		if errors.Is(err, io.EOF) {
			return answers, nil, nil
		}
		if err != nil {
			return answers, lotkeeper.ErrorOf(err), nil
		}
		answers = append(answers, written(answer))
		if !shape.ServerStreams {
			return answers, nil, nil
		}
	}
}

// refusalDifference is what of a refusal is not as expected, or "".
func refusalDifference(expected any, refused *lotkeeper.Error, saved map[string]any) string {
	violations := []string{}
	for _, violation := range refused.Violations {
		violations = append(violations, violation.Field)
	}
	metadata := map[string]any{}
	for key, value := range refused.Metadata {
		metadata[key] = value
	}
	content := map[string]any{
		"code":       codeNames[refused.Code],
		"reason":     refused.Reason,
		"metadata":   metadata,
		"violations": sorted(violations),
		"retry":      refused.RetryDelay > 0,
	}
	wanted := map[string]any{}
	for key, value := range expected.(map[string]any) {
		wanted[key] = value
	}
	if listed, is := wanted["violations"].([]any); is {
		names := []string{}
		for _, name := range listed {
			names = append(names, fmt.Sprint(name))
		}
		wanted["violations"] = sorted(names)
	}
	if found := difference(wanted, content, "refusal", saved); found != "" {
		return fmt.Sprintf("%s (%v)", found, refused)
	}
	return ""
}

func sorted(names []string) []any {
	slices.Sort(names)
	items := make([]any, len(names))
	for index, name := range names {
		items[index] = name
	}
	return items
}
