package dev.lotkeeper;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * When a failure is tried again. A lost connection, a locked database or a full queue pass within seconds in a sidecar. Because
 * every write carries an id, sending it again is safe: the very same message is sent until the deadline. Everything else the
 * server says is an answer, and repeating the question does not change it.
 */
final class Pauses {
    private static final Duration FIRST = Duration.ofMillis(50); // a local server restarts in a few of these
    private static final int GROWTH = 2;
    private static final Duration LONGEST = Duration.ofSeconds(1); // a bot waits for its ledger, it does not go to sleep

    private Duration ceiling = FIRST;

    /** Grows to the longest; chance takes off up to half. */
    Duration next() {
        long nanos = ceiling.toNanos();
        Duration pause = Duration.ofNanos(nanos - (long) (nanos / 2 * ThreadLocalRandom.current().nextDouble()));
        Duration grown = ceiling.multipliedBy(GROWTH);
        ceiling = grown.compareTo(LONGEST) < 0 ? grown : LONGEST;
        return pause;
    }

    /**
     * The time until the next try, after the server's own wish if it has one; empty if there is none to be made. There is none
     * when the error is an answer, or when the deadline comes first: then the error that is known says more than a wait for a
     * deadline would.
     */
    Optional<Duration> beforeRetry(LotkeeperError failed, Duration remaining) {
        Duration wait = next().plus(failed.retryDelay().orElse(Duration.ZERO));
        return failed.isRetryable() && wait.compareTo(remaining) < 0 ? Optional.of(wait) : Optional.empty();
    }
}
