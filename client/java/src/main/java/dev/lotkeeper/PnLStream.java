package dev.lotkeeper;

import dev.lotkeeper.v1.LedgerServiceGrpc;
import dev.lotkeeper.v1.StreamPnLRequest;
import dev.lotkeeper.v1.StreamPnLResponse;
import io.grpc.ClientCall;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Instant;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Live P&amp;L, over one connection after the other; {@link Ledger#streamPnL} makes one. Read it in one thread; {@link #close}, from
 * any thread, ends it, and so does closing the ledger.
 *
 * <p>A connection can die without a word: a cable, a suspended machine, a server whose loop hangs while its sockets answer pings.
 * Therefore each read is watched; the time a consumer takes between two reads does not count.
 */
public final class PnLStream implements Iterator<PnLEvent>, Iterable<PnLEvent>, AutoCloseable {
    private final Connection connection;
    private final Subscription subscription;
    private final CountDownLatch closed = new CountDownLatch(1);
    private Pauses pauses = new Pauses();
    private boolean pausing; // before the next connection
    private PnLEvent next; // null when it is still to be read
    private volatile ClientCall<StreamPnLRequest, StreamPnLResponse> call; // null before the first connection
    private Iterator<StreamPnLResponse> messages; // null between connections
    private volatile boolean silent;

    PnLStream(Connection connection, StreamPnLRequest request) {
        this.connection = connection;
        this.subscription = new Subscription(request);
    }

    /**
     * Waits for the next event; false only when the stream or the ledger was closed.
     *
     * @throws Errors.LedgerReplaced the ledger was restored; start a new stream
     * @throws LotkeeperError the ledger refused
     */
    @Override
    public boolean hasNext() {
        while (next == null && !isClosed()) {
            next = nextOrNull();
        }
        return next != null;
    }

    @Override
    public PnLEvent next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the stream was closed");
        }
        PnLEvent event = next;
        next = null;
        return event;
    }

    /** The events that are still to come; a stream is read once. */
    @Override
    public Iterator<PnLEvent> iterator() {
        return this;
    }

    @Override
    public void close() {
        closed.countDown();
        cancel();
    }

    private boolean isClosed() {
        return closed.getCount() == 0 || connection.closed.get();
    }

    private PnLEvent nextOrNull() {
        LotkeeperError broken;
        try {
            if (messages == null && !open()) {
                return null;
            }
            Optional<StreamPnLResponse> message = read();
            if (message.isPresent()) {
                Optional<PnLEvent> event = subscription.take(message.get(), Instant.now());
                pauses = new Pauses();
                return event.orElse(null);
            }
            broken = subscription.ended();
        } catch (StatusRuntimeException failed) {
            broken = silent ? subscription.silent() : LotkeeperError.of(failed);
        } catch (LotkeeperError fatal) {
            close();
            throw fatal;
        }
        cancel(); // gRPC keeps a call that nobody reads any more, and the server goes on sending
        messages = null;
        if (isClosed()) {
            return null;
        }
        if (Thread.currentThread().isInterrupted()) {
            throw Ledger.interrupted();
        }
        pausing = true;
        try {
            return subscription.lost(broken, Instant.now()).orElse(null);
        } catch (LotkeeperError fatal) {
            close();
            throw fatal;
        }
    }

    // False when the stream was closed meanwhile.
    private boolean open() {
        if (pausing) {
            pause();
        }
        if (isClosed()) {
            return false;
        }
        silent = false;
        call = connection.channel.newCall(LedgerServiceGrpc.getStreamPnLMethod(), Ledger.CALL);
        messages = ClientCalls.blockingServerStreamingCall(call, subscription.request());
        if (isClosed()) { // by another thread, which may have seen no call to cancel
            cancel();
        }
        return true;
    }

    private Optional<StreamPnLResponse> read() {
        try (var watch = connection.watch(subscription.silenceLimit, this::tooSilent)) {
            return messages.hasNext() ? Optional.of(messages.next()) : Optional.empty();
        }
    }

    private void tooSilent() {
        silent = true;
        cancel();
    }

    private void cancel() {
        var open = call;
        if (open != null) {
            open.cancel("the caller has enough", null);
        }
    }

    private void pause() {
        pausing = false;
        try {
            closed.await(pauses.next().toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            throw Ledger.interrupted();
        }
    }
}
