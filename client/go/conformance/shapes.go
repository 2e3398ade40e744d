package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	pb "github.com/lotkeeper/lotkeeper/client/go/lotkeeperv1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// A misspelt field in an expected answer would match nothing, and a misspelt one in a request would be a surprise at run
// time. Therefore every field is looked up in the contract's descriptors when a file is loaded.

// method is one RPC of the contract.
type method struct {
	protoreflect.MethodDescriptor
}

// path that gRPC knows it by.
func (rpc method) path() string {
	return fmt.Sprintf("/%s/%s", rpc.Parent().FullName(), rpc.Name())
}

func (rpc method) newRequest() proto.Message { return newMessage(rpc.Input()) }
func (rpc method) newAnswer() proto.Message  { return newMessage(rpc.Output()) }

func newMessage(descriptor protoreflect.MessageDescriptor) proto.Message {
	found, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())
	if err != nil {
		panic(err) // the generated code registers every message it describes
	}
	return found.New().Interface()
}

// methods are all RPCs of the contract as Service.Method.
var methods = func() map[string]method {
	all := map[string]method{}
	protoregistry.GlobalFiles.RangeFilesByPackage(pb.File_lotkeeper_v1_ledger_proto.Package(), func(file protoreflect.FileDescriptor) bool {
		for index := range file.Services().Len() {
			service := file.Services().Get(index)
			for place := range service.Methods().Len() {
				rpc := method{service.Methods().Get(place)}
				all[fmt.Sprintf("%s.%s", service.Name(), rpc.Name())] = rpc
			}
		}
		return true
	})
	return all
}()

// isReason says whether the contract has this refusal.
func isReason(name string) bool {
	return pb.ErrorReason_value["ERROR_REASON_"+name] > 0
}

// wrongShape is what does not fit into message, in words, or "". Of an expected answer matchers may stand anywhere.
func wrongShape(message protoreflect.MessageDescriptor, value any, where string, expected bool) string {
	if expected && (value == nil || isMatcher(value)) {
		return ""
	}
	switch message.FullName() {
	case "google.protobuf.Timestamp", "google.protobuf.Duration":
		if _, is := value.(string); !is {
			return fmt.Sprintf("%s: %s: a string in quotes is required", where, shown(value))
		}
		return ""
	}
	fields, is := value.(map[string]any)
	if !is {
		return fmt.Sprintf("%s: %s: a map of the fields of %s is required", where, shown(value), message.Name())
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field := message.Fields().ByName(protoreflect.Name(name))
		if field == nil {
			return fmt.Sprintf("%s.%s: %s has no such field", where, name, message.Name())
		}
		if found := wrongField(field, fields[name], where+"."+name, expected); found != "" {
			return found
		}
	}
	return ""
}

func wrongField(field protoreflect.FieldDescriptor, value any, where string, expected bool) string {
	if expected && (value == nil || isMatcher(value)) {
		return ""
	}
	switch {
	case field.IsMap():
		if _, is := value.(map[string]any); !is {
			return fmt.Sprintf("%s: %s: a map is required", where, shown(value))
		}
		return ""
	case field.IsList():
		items, is := value.([]any)
		if !is {
			return fmt.Sprintf("%s: %s: a list is required", where, shown(value))
		}
		if expected && len(items) > 0 && items[len(items)-1] == rest {
			items = items[:len(items)-1]
		}
		for index, item := range items {
			if found := wrongItem(field, item, fmt.Sprintf("%s[%d]", where, index), expected); found != "" {
				return found
			}
		}
		return ""
	default:
		return wrongItem(field, value, where, expected)
	}
}

func wrongItem(field protoreflect.FieldDescriptor, value any, where string, expected bool) string {
	if field.Message() != nil {
		return wrongShape(field.Message(), value, where, expected)
	}
	text, isText := value.(string)
	if expected && isMatcher(value) || isText && strings.Contains(text, "$") {
		return ""
	}
	right, required := false, "a string in quotes"
	switch field.Kind() {
	case protoreflect.EnumKind:
		right, required = isText && field.Enum().Values().ByName(protoreflect.Name(text)) != nil, "a name of "+string(field.Enum().Name())
	case protoreflect.BoolKind:
		_, right = value.(bool)
		required = "true or false"
	case protoreflect.StringKind:
		right = isText
	default:
		_, right = value.(int)
		required = "a whole number"
	}
	if !right {
		return fmt.Sprintf("%s: %s: %s is required", where, shown(value), required)
	}
	return ""
}

func isMatcher(value any) bool {
	_, _, is := matcher(value)
	return is
}
