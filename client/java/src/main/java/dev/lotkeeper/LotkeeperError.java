package dev.lotkeeper;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Anything the ledger, or the way to it, answered instead of the result. {@link Errors} has the classes below it, and their
 * tree.
 *
 * <p>The server sends {@code google.rpc.Status} in binary trailing metadata; a proxy, or gRPC itself, sends a code and words
 * only. Therefore the class is chosen by the reason, then by the code, and what cannot be read hides nothing else.
 */
public class LotkeeperError extends RuntimeException {
    private static final String DOMAIN = "lotkeeper";
    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

    private final Details details;

    LotkeeperError(Details details) {
        super(details.told());
        this.details = details;
    }

    /** The gRPC status code. */
    public Code code() {
        return details.code();
    }

    /** {@code ErrorReason} without its prefix, such as {@code FILL_CONFLICT}; empty when the ledger gave none. */
    public String reason() {
        return details.reason();
    }

    /** What was wrong, with the values, and what to do. {@link #getMessage} has the reason, and every broken field, too. */
    public String message() {
        return details.message();
    }

    /** What the reason carries, by name; all text. */
    public Map<String, String> metadata() {
        return details.metadata();
    }

    /** Every broken field of an invalid request. */
    public List<FieldViolation> violations() {
        return details.violations();
    }

    /** How long to wait before trying again, when the server says so. */
    public Optional<Duration> retryDelay() {
        return Optional.ofNullable(details.retryDelay());
    }

    /**
     * Whether the same request may succeed by itself soon. A broker that did not answer is not: the server has waited for it,
     * and asking on would use up its rate limit.
     */
    public boolean isRetryable() {
        if (reason().equals("BROKER_UNAVAILABLE")) {
            return false;
        }
        return code() == Code.UNAVAILABLE || reason().equals("WRITE_QUEUE_FULL");
    }

    /** One broken field of a request, and the rule it broke. */
    public record FieldViolation(String field, String description) implements Serializable {}

    /** All that was said. {@code retryDelay} is null when nothing was said of it. */
    record Details(
            Code code,
            String message,
            String reason,
            Map<String, String> metadata,
            List<FieldViolation> violations,
            Duration retryDelay)
            implements Serializable {

        Details(Code code, String message, String reason, Map<String, String> metadata) {
            this(code, message, reason, metadata, List.of(), null);
        }

        // The message of an invalid request tells the first broken field only.
        private String told() {
            String broken =
                    violations.stream().map(each -> each.field() + ": " + each.description()).collect(Collectors.joining("; "));
            return (reason.isEmpty() ? code.name() : reason) + ": " + (broken.isEmpty() ? message : broken);
        }
    }

    /** The exception for a call that failed, with everything the server said about it. */
    public static LotkeeperError of(StatusRuntimeException failed) {
        return of(failed.getStatus(), failed.getTrailers());
    }

    static LotkeeperError of(Status status, Metadata trailers) {
        ErrorInfo info = ErrorInfo.getDefaultInstance();
        BadRequest bad = BadRequest.getDefaultInstance();
        RetryInfo retry = RetryInfo.getDefaultInstance();
        for (Any detail : detailsOf(trailers)) {
            info = unpack(detail, info);
            bad = unpack(detail, bad);
            retry = unpack(detail, retry);
        }
        boolean ours = info.getDomain().equals(DOMAIN);
        return Errors.of(new Details(
                status.getCode(),
                status.getDescription() == null ? "" : status.getDescription(),
                ours ? info.getReason() : "",
                ours ? Map.copyOf(info.getMetadataMap()) : Map.of(),
                bad.getFieldViolationsList().stream()
                        .map(each -> new FieldViolation(each.getField(), each.getDescription()))
                        .toList(),
                retry.hasRetryDelay()
                        ? Duration.ofSeconds(retry.getRetryDelay().getSeconds(), retry.getRetryDelay().getNanos())
                        : null));
    }

    /** An error that this client found itself. */
    static LotkeeperError found(Code code, String message) {
        return Errors.of(new Details(code, message, "", Map.of()));
    }

    // A status whose details cannot be read is still a status.
    private static List<Any> detailsOf(Metadata trailers) {
        byte[] packed = trailers == null ? null : trailers.get(DETAILS);
        try {
            return packed == null ? List.of() : com.google.rpc.Status.parseFrom(packed).getDetailsList();
        } catch (InvalidProtocolBufferException unreadable) {
            return List.of();
        }
    }

    @SuppressWarnings("unchecked") // a message unpacks to its own class
    private static <M extends Message> M unpack(Any detail, M otherwise) {
        try {
            return detail.is(otherwise.getClass()) ? (M) detail.unpack(otherwise.getClass()) : otherwise;
        } catch (InvalidProtocolBufferException unreadable) {
            return otherwise;
        }
    }
}
