package dev.lotkeeper;

import dev.lotkeeper.v1.Fill;
import dev.lotkeeper.v1.FillResult;
import dev.lotkeeper.v1.LedgerServiceGrpc;
import dev.lotkeeper.v1.RecordFillsRequest;
import dev.lotkeeper.v1.RecordFillsResponse;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What became of many executions over one stream; {@link Ledger#recordFills} makes one. Read it in one thread, to the end, or
 * close it.
 *
 * <p>One call per execution costs a flush and a round trip each; a stream that breaks in the middle leaves its caller to find out
 * what was recorded. Therefore fills are sent in messages, a few of them ahead of the answers, and what is not answered yet when
 * the connection is lost is sent again. Each fill has its id, so what was recorded already is found, and comes back as replayed.
 */
public final class FillResults implements Iterator<FillResult>, Iterable<FillResult>, AutoCloseable {
    private static final int FILLS = 500; // in one message; the server takes 1000
    private static final int AHEAD = 4; // messages that wait for their answers

    private final Ledger ledger;
    private final Iterator<Fill> fills;
    private final RecordFillsRequest envelope;
    private final Deque<RecordFillsRequest> unanswered = new ArrayDeque<>();
    private Iterator<FillResult> results = List.<FillResult>of().iterator();
    private Talk talk; // null between connections
    private Pauses pauses = new Pauses();
    private Deadline deadline; // of the tries since the last answer; null when none failed since
    private boolean closed;

    FillResults(Ledger ledger, Iterator<Fill> fills, RecordFillsRequest envelope) {
        this.ledger = ledger;
        this.fills = fills;
        this.envelope = envelope.toBuilder().clearFills().build();
    }

    /**
     * Waits for the next result; false after the last.
     *
     * @throws IllegalArgumentException a fill has no {@code fill_id}
     * @throws LotkeeperError the ledger refused a whole message, or did not answer in time. Fills whose results came are recorded;
     *     to go on, record the others again, or all of them
     */
    @Override
    public boolean hasNext() {
        try {
            while (!results.hasNext() && !closed) {
                readAnswer();
            }
        } catch (RuntimeException fatal) {
            close();
            throw fatal;
        }
        return results.hasNext();
    }

    @Override
    public FillResult next() {
        if (!hasNext()) {
            throw new NoSuchElementException("every fill has its result");
        }
        return results.next();
    }

    /** The results that are still to come; they are read once. */
    @Override
    public Iterator<FillResult> iterator() {
        return this;
    }

    /** Ends the stream; fills whose results were not read may have been recorded. */
    @Override
    public void close() {
        closed = true;
        if (talk != null) {
            talk.call.cancel("the caller has enough", null);
            talk = null;
        }
    }

    private void readAnswer() {
        List<RecordFillsRequest> following = following();
        if (unanswered.isEmpty()) {
            close();
            return;
        }
        try {
            if (talk == null) {
                talk = new Talk();
                unanswered.forEach(talk.requests::onNext);
            } else {
                following.forEach(talk.requests::onNext);
            }
            RecordFillsResponse answer = talk.answer();
            unanswered.removeFirst();
            deadline = null;
            results = answer.getResultsList().iterator();
        } catch (StatusRuntimeException broken) {
            talk = null;
            pauseBeforeRetry(LotkeeperError.of(broken));
        }
    }

    private void pauseBeforeRetry(LotkeeperError failed) {
        if (deadline == null) {
            deadline = Ledger.deadline(ledger.timeout());
            pauses = new Pauses();
        }
        Optional<Duration> pause = pauses.beforeRetry(failed, Ledger.remaining(deadline));
        if (pause.isEmpty()) {
            throw ledger.told(failed, "RecordFills", ledger.timeout());
        }
        Ledger.sleep(pause.get());
    }

    // The next messages, from now on unanswered: until there are no more fills, or enough of them wait.
    private List<RecordFillsRequest> following() {
        int waiting = unanswered.size();
        while (unanswered.size() < AHEAD && fills.hasNext()) {
            RecordFillsRequest.Builder message = envelope.toBuilder();
            while (message.getFillsCount() < FILLS && fills.hasNext()) {
                message.addFills(identified(fills.next()));
            }
            unanswered.addLast(message.build());
        }
        return unanswered.stream().skip(waiting).toList();
    }

    private static Fill identified(Fill fill) {
        if (fill.getFillId().isEmpty()) {
            throw new IllegalArgumentException("recordFills: the fill " + fill.getSide() + " of " + fill.getQuantity() + " "
                    + fill.getSymbol() + " at " + fill.getPrice() + " has no fill_id. Without one a fill that is sent again would "
                    + "be recorded twice. Pass the venue's execution id, or one of your own that is the same the next time.");
        }
        return fill;
    }

    /** One connection's stream. */
    private final class Talk implements StreamObserver<RecordFillsResponse> {
        final ClientCall<RecordFillsRequest, RecordFillsResponse> call =
                ledger.connection().channel.newCall(LedgerServiceGrpc.getRecordFillsMethod(), Ledger.CALL);
        final StreamObserver<RecordFillsRequest> requests;
        private final BlockingQueue<Said> said = new LinkedBlockingQueue<>(); // never more than AHEAD answers and the end

        Talk() {
            requests = ClientCalls.asyncBidiStreamingCall(call, this);
        }

        /** One answer, or why there is none. */
        RecordFillsResponse answer() {
            Said next;
            try {
                next = said.poll(ledger.timeout().toNanos(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException interrupted) {
                throw Ledger.interrupted();
            }
            if (next == null) {
                call.cancel("no answer in time", null);
                throw ledger.told(LotkeeperError.found(Code.DEADLINE_EXCEEDED, ""), "RecordFills", ledger.timeout());
            }
            if (next.answer() != null) {
                return next.answer();
            }
            if (next.broken() instanceof StatusRuntimeException broken) {
                throw broken;
            }
            throw io.grpc.Status.UNAVAILABLE
                    .withDescription("RecordFills: the server ended the stream before everything was answered; send it again with "
                            + "the same fill ids")
                    .asRuntimeException();
        }

        @Override
        public void onNext(RecordFillsResponse answer) {
            said.add(new Said(answer, null));
        }

        @Override
        public void onError(Throwable broken) {
            said.add(new Said(null, broken));
        }

        @Override
        public void onCompleted() {
            said.add(new Said(null, null));
        }
    }

    /** What the server said: an answer, a failure, or with neither the end. */
    private record Said(RecordFillsResponse answer, Throwable broken) {}
}
