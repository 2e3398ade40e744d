package dev.lotkeeper;

import dev.lotkeeper.v1.Mark;
import dev.lotkeeper.v1.MarketServiceGrpc;
import dev.lotkeeper.v1.PublishMarksRequest;
import dev.lotkeeper.v1.PublishMarksResponse;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * An open stream of marks; {@link Ledger#publishMarks} opens one. It belongs to one thread.
 *
 * <p>The end of the stream tells the ledger that this source is interrupted: its marks are stale at once, and not only when they
 * have grown old. A stream that is lost is not opened again here: the marks that waited for it are old news by then. {@link
 * #send} throws, and the caller opens another with the price it has now.
 */
public final class Publisher implements AutoCloseable {
    private final Ledger ledger;
    private final String source;
    private final ClientCall<PublishMarksRequest, PublishMarksResponse> call;
    private final ClientCallStreamObserver<PublishMarksRequest> requests;
    private final Answer answer = new Answer();
    private boolean closed;

    Publisher(Ledger ledger, String source) {
        this.ledger = ledger;
        this.source = source;
        call = ledger.connection().channel.newCall(MarketServiceGrpc.getPublishMarksMethod(), Ledger.CALL);
        requests = (ClientCallStreamObserver<PublishMarksRequest>) ClientCalls.asyncClientStreamingCall(call, answer);
    }

    /** Sends some marks, 1000 at most; see {@link #send(List)}. */
    public void send(Mark... marks) {
        send(List.of(marks));
    }

    /**
     * Sends some marks, 1000 at most. It waits where the server does not keep up, or is still starting.
     *
     * @throws LotkeeperError the stream has ended; the ledger refused a mark, or is gone
     */
    public void send(List<Mark> marks) {
        await(() -> requests.isReady() || answer.ended);
        if (answer.ended) {
            throw failure();
        }
        requests.onNext(
                PublishMarksRequest.newBuilder().addAllMarks(marks).setSource(source).build());
    }

    /**
     * Ends the stream, and tells what it did.
     *
     * @throws LotkeeperError the ledger refused a mark, or is gone
     */
    public PublishMarksResponse finish() {
        if (!closed) {
            closed = true;
            if (!answer.ended) {
                requests.onCompleted();
            }
        }
        await(() -> answer.ended);
        if (answer.response == null) {
            throw failure();
        }
        return answer.response;
    }

    /** Ends the stream, if {@link #finish} did not. */
    @Override
    public void close() {
        if (!closed) {
            finish();
        }
    }

    private LotkeeperError failure() {
        closed = true;
        return answer.broken instanceof StatusRuntimeException broken
                ? LotkeeperError.of(broken)
                : LotkeeperError.found(Code.CANCELLED, "PublishMarks: the server ended the stream");
    }

    private void await(BooleanSupplier reached) {
        Deadline deadline = Ledger.deadline(ledger.timeout());
        synchronized (answer) {
            while (!reached.getAsBoolean()) {
                long remaining = deadline.timeRemaining(TimeUnit.MILLISECONDS);
                if (remaining <= 0) {
                    closed = true;
                    call.cancel("no answer in time", null);
                    throw ledger.told(LotkeeperError.found(Code.DEADLINE_EXCEEDED, ""), "PublishMarks", ledger.timeout());
                }
                try {
                    answer.wait(remaining);
                } catch (InterruptedException interrupted) {
                    throw Ledger.interrupted();
                }
            }
        }
    }

    /** What the server said; guarded by itself. */
    private static final class Answer implements ClientResponseObserver<PublishMarksRequest, PublishMarksResponse> {
        private volatile boolean ended;
        private PublishMarksResponse response; // null unless the stream ended well
        private Throwable broken; // null unless it did not

        @Override
        public void beforeStart(ClientCallStreamObserver<PublishMarksRequest> requests) {
            requests.setOnReadyHandler(this::tell);
        }

        @Override
        public synchronized void onNext(PublishMarksResponse response) {
            this.response = response;
        }

        @Override
        public void onError(Throwable broken) {
            end(broken);
        }

        @Override
        public void onCompleted() {
            end(null);
        }

        private synchronized void end(Throwable broken) {
            this.broken = broken;
            ended = true;
            notifyAll();
        }

        private synchronized void tell() {
            notifyAll();
        }
    }
}
