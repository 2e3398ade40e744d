package dev.lotkeeper.conformance;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.ToNumberPolicy;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.lotkeeper.v1.ErrorReason;
import dev.lotkeeper.v1.EventServiceGrpc;
import dev.lotkeeper.v1.ExplainServiceGrpc;
import dev.lotkeeper.v1.InstrumentServiceGrpc;
import dev.lotkeeper.v1.LedgerServiceGrpc;
import dev.lotkeeper.v1.MarketServiceGrpc;
import dev.lotkeeper.v1.PortfolioServiceGrpc;
import dev.lotkeeper.v1.ReconciliationServiceGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The contract as its descriptors tell it: which methods there are, whether a request or an answer is of their shape, and both as
 * protobuf JSON with the names of the {@code .proto} files.
 */
final class Contract {
    /** Every RPC of the contract as {@code Service.Method}. */
    static final Map<String, MethodDescriptor<Message, Message>> METHODS = methods();

    /** Every refusal reason, as it stands in ErrorInfo. */
    static final Set<String> REASONS = Stream.of(ErrorReason.values())
            .filter(reason -> reason != ErrorReason.UNRECOGNIZED && reason != ErrorReason.ERROR_REASON_UNSPECIFIED)
            .map(reason -> reason.name().substring("ERROR_REASON_".length()))
            .collect(Collectors.toUnmodifiableSet());

    private static final Set<String> TEXTS = Set.of("google.protobuf.Timestamp", "google.protobuf.Duration");
    private static final Gson GSON = new GsonBuilder()
            .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
            .serializeNulls()
            .create();

    private Contract() {}

    @SuppressWarnings("unchecked") // every request and answer of the contract is a message
    private static Map<String, MethodDescriptor<Message, Message>> methods() {
        Map<String, MethodDescriptor<Message, Message>> methods = new TreeMap<>();
        Stream.of(
                        LedgerServiceGrpc.getServiceDescriptor(),
                        MarketServiceGrpc.getServiceDescriptor(),
                        PortfolioServiceGrpc.getServiceDescriptor(),
                        InstrumentServiceGrpc.getServiceDescriptor(),
                        EventServiceGrpc.getServiceDescriptor(),
                        ExplainServiceGrpc.getServiceDescriptor(),
                        ReconciliationServiceGrpc.getServiceDescriptor())
                .flatMap(service -> service.getMethods().stream())
                .forEach(method -> methods.put(
                        method.getFullMethodName().substring("lotkeeper.v1.".length()).replace('/', '.'),
                        (MethodDescriptor<Message, Message>) method));
        return methods;
    }

    static Message request(MethodDescriptor<Message, Message> method) {
        return (Message) ((PrototypeMarshaller<?>) method.getRequestMarshaller()).getMessagePrototype();
    }

    static Message answer(MethodDescriptor<Message, Message> method) {
        return (Message) ((PrototypeMarshaller<?>) method.getResponseMarshaller()).getMessagePrototype();
    }

    /** Protobuf JSON; what has no presence is always there. */
    static Map<String, Object> written(MessageOrBuilder message) {
        try {
            String text = JsonFormat.printer().preservingProtoFieldNames().alwaysPrintFieldsWithNoPresence().print(message);
            return object(text);
        } catch (InvalidProtocolBufferException unprintable) {
            throw new Unmet("the answer cannot be written as JSON: " + unprintable.getMessage());
        }
    }

    @SuppressWarnings("unchecked") // a JSON object is read as a map with text for keys
    static Map<String, Object> object(String json) {
        return GSON.fromJson(json, Map.class);
    }

    /**
     * A request as a message.
     *
     * @throws Unmet it cannot be one
     */
    static Message parsed(MethodDescriptor<Message, Message> method, Object request) {
        Message.Builder builder = request(method).newBuilderForType();
        try {
            JsonFormat.parser().merge(GSON.toJson(request), builder);
        } catch (InvalidProtocolBufferException wrong) {
            throw new Unmet("request: " + wrong.getMessage());
        }
        return builder.build();
    }

    /** What does not fit into a request, in words, or null. */
    static String wrongInRequest(Message message, Object value, String where) {
        return wrong(message.getDescriptorForType(), value, where, false);
    }

    /** What no answer can have, in words, or null; matchers may stand anywhere. */
    static String wrongInAnswer(Message message, Object value, String where) {
        return wrong(message.getDescriptorForType(), value, where, true);
    }

    private static String wrong(Descriptor message, Object value, String where, boolean expected) {
        if (expected && (value == null || Matching.isMatcher(value))) {
            return null;
        }
        if (TEXTS.contains(message.getFullName())) {
            return value instanceof String ? null : where + ": " + value + ": a string in quotes is required";
        }
        if (!(value instanceof Map<?, ?> map)) {
            return where + ": " + value + ": a map of the fields of " + message.getName() + " is required";
        }
        for (var part : map.entrySet()) {
            String name = String.valueOf(part.getKey());
            FieldDescriptor field = message.findFieldByName(name);
            if (field == null) {
                return where + "." + name + ": " + message.getName() + " has no such field";
            }
            String found = wrongField(field, part.getValue(), where + "." + name, expected);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static String wrongField(FieldDescriptor field, Object value, String where, boolean expected) {
        if (expected && (value == null || Matching.isMatcher(value))) {
            return null;
        }
        if (field.isMapField()) {
            return value instanceof Map ? null : where + ": " + value + ": a map is required";
        }
        if (!field.isRepeated()) {
            return wrongItem(field, value, where, expected);
        }
        if (!(value instanceof List<?> items)) {
            return where + ": " + value + ": a list is required";
        }
        for (int index = 0; index < items.size(); index++) {
            boolean rest = expected && index == items.size() - 1 && Matching.REST.equals(items.get(index));
            String found = rest ? null : wrongItem(field, items.get(index), where + "[" + index + "]", expected);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static String wrongItem(FieldDescriptor field, Object value, String where, boolean expected) {
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            return wrong(field.getMessageType(), value, where, expected);
        }
        boolean open = expected && Matching.isMatcher(value) || value instanceof String text && text.contains("$");
        boolean fits = open
                || switch (field.getJavaType()) {
                    case ENUM -> field.getEnumType().getValues().stream().map(EnumValueDescriptor::getName).anyMatch(
                            name -> name.equals(value));
                    case BOOLEAN -> value instanceof Boolean;
                    case INT, LONG -> value instanceof Number;
                    default -> value instanceof String;
                };
        return fits ? null : where + ": " + value + " is no value of " + field.getFullName();
    }
}
