package dev.lotkeeper;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import java.time.Instant;

/** Times between {@code java.time} and the contract, to the nanosecond. */
public final class Times {
    private static final Instant FIRST = Instant.ofEpochSecond(0, -Long.MAX_VALUE);
    private static final Instant LAST = Instant.ofEpochSecond(0, Long.MAX_VALUE);

    private Times() {}

    /** A time of an answer. */
    public static Instant instant(Timestamp time) {
        return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
    }

    /**
     * A time as requests take it.
     *
     * @throws IllegalArgumentException it is beyond int64 nanoseconds since 1970
     */
    public static Timestamp timestamp(Instant time) {
        if (time.isBefore(FIRST) || time.isAfter(LAST)) {
            throw new IllegalArgumentException(
                    time + " is beyond int64 nanoseconds since 1970, which reach from the year 1677 to the year 2262");
        }
        return Timestamp.newBuilder().setSeconds(time.getEpochSecond()).setNanos(time.getNano()).build();
    }

    /**
     * A duration as requests take it.
     *
     * @throws IllegalArgumentException it is negative
     */
    public static Duration duration(java.time.Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException(duration + " is no time to wait; pass 0 or more");
        }
        return Duration.newBuilder().setSeconds(duration.getSeconds()).setNanos(duration.getNano()).build();
    }

    static java.time.Duration java(Duration duration) {
        return java.time.Duration.ofSeconds(duration.getSeconds(), duration.getNanos());
    }
}
