package dev.lotkeeper.conformance;

import com.google.protobuf.Message;
import dev.lotkeeper.LotkeeperError;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Calls over a channel, as a scenario makes them: JSON in, JSON or a refusal out. One attempt each, with a deadline. */
final class Calls {
    /** The deadline of a call, and how long a step waits for messages of a stream. */
    static final int SECONDS = 10;

    private Calls() {}

    /**
     * One request, one answer.
     *
     * @throws LotkeeperError the server refused
     */
    static Map<String, Object> one(Channel channel, MethodDescriptor<Message, Message> method, Object request) {
        try {
            return Contract.written(
                    ClientCalls.blockingUnaryCall(channel, method, options(), Contract.parsed(method, request)));
        } catch (StatusRuntimeException refused) {
            throw LotkeeperError.of(refused);
        }
    }

    /**
     * All requests, then the end of them; what is answered goes into {@code answers} as it comes.
     *
     * @throws LotkeeperError the server refused, maybe after some answers
     */
    static void many(
            Channel channel, MethodDescriptor<Message, Message> method, List<?> requests, List<Object> answers) {
        List<Message> messages = requests.stream().map(request -> Contract.parsed(method, request)).toList();
        CompletableFuture<Void> ended = new CompletableFuture<>();
        StreamObserver<Message> sending =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(method, options()), new StreamObserver<Message>() {
                    @Override
                    public void onNext(Message answer) {
                        answers.add(Contract.written(answer));
                    }

                    @Override
                    public void onError(Throwable refused) {
                        ended.completeExceptionally(refused);
                    }

                    @Override
                    public void onCompleted() {
                        ended.complete(null);
                    }
                });
        messages.forEach(sending::onNext);
        sending.onCompleted();
        try {
            ended.get(2 * SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof StatusRuntimeException refused) {
                throw LotkeeperError.of(refused);
            }
            throw new Unmet("the call failed: " + failed.getCause());
        } catch (TimeoutException | InterruptedException late) {
            throw new Unmet("the call did not end with its deadline");
        }
    }

    /** What of a refusal is not as expected, or null. */
    static String difference(Object expected, LotkeeperError refused, Map<String, Object> saved) {
        Map<String, Object> wanted = new LinkedHashMap<>();
        ((Map<?, ?>) expected).forEach((key, value) -> wanted.put(
                String.valueOf(key), key.equals("violations") ? ((List<?>) value).stream().sorted().toList() : value));
        Map<String, Object> content = Map.of(
                "code", refused.code().name(),
                "reason", refused.reason(),
                "metadata", refused.metadata(),
                "violations", refused.violations().stream().map(LotkeeperError.FieldViolation::field).sorted().toList(),
                "retry", refused.retryDelay().isPresent());
        String found = Matching.difference(wanted, content, "refusal", saved);
        return found == null ? null : found + " (" + described(refused) + ")";
    }

    /** A refusal in words. */
    static String described(LotkeeperError refused) {
        return refused.code() + " " + refused.reason() + ": " + refused.message();
    }

    private static CallOptions options() {
        return CallOptions.DEFAULT.withWaitForReady().withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    }
}
