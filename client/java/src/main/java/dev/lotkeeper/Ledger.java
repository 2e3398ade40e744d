package dev.lotkeeper;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.lotkeeper.v1.*;
import io.grpc.CallOptions;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A ledger behind a connection; {@link #connect} makes one. It may be used from several threads at once.
 *
 * <pre>{@code
 * try (Ledger ledger = Ledger.connect("127.0.0.1:50051", Options.DEFAULTS.portfolio("scalper"))) {
 *     CloseFifoResponse closed = ledger.closeFifo(CloseFifoRequest.newBuilder()
 *             .setSymbol("BTC-USD").setQuantity("120").setExitPrice("53000").setExitFillId("F-3").build());
 * }
 * }</pre>
 *
 * <p>Requests and answers are the generated messages of the contract; every RPC is a method, and what it and each field means
 * stands in the contract. An empty {@code portfolio_id} is the portfolio given to {@code connect}. Every call has a deadline,
 * and what passes by itself is tried again until then with the same ids. A write without an id is refused with an {@link
 * IllegalArgumentException} before anything is sent; everything else that fails is a {@link LotkeeperError}. This package
 * calculates nothing.
 */
public final class Ledger implements AutoCloseable {
    /** Version of this client, in step with the server's. */
    public static final String VERSION = "0.1.0";

    /** How long an answer may take, retries included, where nothing else was said. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(5);

    /**
     * The same for {@link #reconcile}: a server asks its broker for 30 s and, where something differs, once more. Only {@link
     * #within} changes it.
     */
    public static final Duration BROKER_TIMEOUT = Duration.ofSeconds(120);

    private final Connection connection;
    private final String portfolio;
    private final Duration timeout;
    private final Duration brokerTimeout;

    private Ledger(Connection connection, String portfolio, Duration timeout, Duration brokerTimeout) {
        this.connection = connection;
        this.portfolio = portfolio;
        this.timeout = timeout;
        this.brokerTimeout = brokerTimeout;
    }

    // 1. Connect

    /**
     * The ledger at {@code address}, {@code host:port} or {@code unix:/path.sock}; close it in the end.
     *
     * <p>Nothing is sent yet: the first call connects, and waits for a server that is still starting.
     *
     * @throws IllegalArgumentException the address or an option is none
     */
    public static Ledger connect(String address, Options options) {
        return new Ledger(new Connection(address, options), options.portfolio, options.timeout, BROKER_TIMEOUT);
    }

    /** The ledger at {@code address}, with {@link Options#DEFAULTS}. */
    public static Ledger connect(String address) {
        return connect(address, Options.DEFAULTS);
    }

    /** The same ledger over the same connection, with another time for each answer; closing one closes both. */
    public Ledger within(Duration timeout) {
        return new Ledger(connection, portfolio, Options.positive(timeout), timeout);
    }

    /** Closes the connection; a stream that another thread still reads ends. */
    @Override
    public void close() {
        connection.close();
    }

    /**
     * The connection itself, for stubs of one's own and for services beside the ledger, such as gRPC's health. What fails over it
     * is read with {@link LotkeeperError#of}.
     */
    public ManagedChannel channel() {
        return connection.channel;
    }

    // What a bot executed

    /** Opens one lot. {@code entry_fill_id} or {@code request_id} makes it count once, however often it is sent. */
    public CreateEntryResponse createEntry(CreateEntryRequest request) {
        identify("createEntry", request.getRequestId(), "entry_fill_id", request.getEntryFillId());
        return carryOut(LedgerServiceGrpc.getCreateEntryMethod(), inPortfolio(request));
    }

    /**
     * Closes open lots of one symbol, oldest first: {@code quantity} of them, or {@code close_all}. {@code exit_fill_id} or
     * {@code request_id} makes it count once, however often it is sent.
     */
    public CloseFifoResponse closeFifo(CloseFifoRequest request) {
        identify("closeFifo", request.getRequestId(), "exit_fill_id", request.getExitFillId());
        return carryOut(LedgerServiceGrpc.getCloseFifoMethod(), inPortfolio(request));
    }

    /**
     * Records one execution and lets the book decide: open, add, reduce, close or flip. {@code fill_id} or {@code request_id}
     * makes it count once, however often it is sent.
     */
    public RecordFillResponse recordFill(RecordFillRequest request) {
        identify("recordFill", request.getRequestId(), "fill_id", request.getFill().getFillId());
        return carryOut(LedgerServiceGrpc.getRecordFillMethod(), inPortfolio(request));
    }

    /**
     * Records many executions in order, and gives a result for each. Nothing is sent until the results are read; close them, or
     * read them to the end.
     *
     * <p>{@code fills} is taken from as results are, so it may read a file. A fill that is refused says so in its own result, and
     * the others go on. A lost connection is made again, and what was not answered is sent again: each fill needs its {@code
     * fill_id} and counts once. {@code envelope} has what is the same for all of them: portfolio, excess and late policy. The
     * timeout is for each answer, of some hundred fills.
     */
    public FillResults recordFills(Iterable<Fill> fills, RecordFillsRequest envelope) {
        return new FillResults(this, fills.iterator(), inPortfolio(envelope));
    }

    /** As above, with nothing but the portfolio given to {@code connect}. */
    public FillResults recordFills(Iterable<Fill> fills) {
        return recordFills(fills, RecordFillsRequest.getDefaultInstance());
    }

    /** Takes an execution back that the venue cancelled; the book is re-matched without it. */
    public BustFillResponse bustFill(BustFillRequest request) {
        identify("bustFill", request.getRequestId());
        return carryOut(EventServiceGrpc.getBustFillMethod(), inPortfolio(request));
    }

    /** Corrects an execution that the venue restated; what is set takes the place of what was recorded. */
    public CorrectFillResponse correctFill(CorrectFillRequest request) {
        identify("correctFill", request.getRequestId());
        return carryOut(EventServiceGrpc.getCorrectFillMethod(), inPortfolio(request));
    }

    // What happens to an account besides

    /**
     * Records cash, a corporate action, or the end of a contract. {@code event_id} or {@code request_id} makes it count once,
     * however often it is sent.
     */
    public RecordEventResponse recordEvent(RecordEventRequest request) {
        identify("recordEvent", request.getRequestId(), "event_id", request.getEvent().getEventId());
        return carryOut(
                EventServiceGrpc.getRecordEventMethod(),
                request.toBuilder().setEvent(inPortfolio(request.getEvent())).build());
    }

    /** Lists events in the order they were recorded. */
    public Pages<Event, ListEventsResponse> listEvents(ListEventsRequest request) {
        return pages(EventServiceGrpc.getListEventsMethod(), inPortfolio(request), ListEventsResponse::getEventsList);
    }

    // Reads

    /**
     * Reads positions, totals and groups, all pages of them, as they stood at one journal sequence. The timeout is for the whole
     * read.
     */
    public GetSummaryResponse getSummary(GetSummaryRequest request) {
        Deadline deadline = deadline(timeout);
        GetSummaryResponse.Builder whole = GetSummaryResponse.newBuilder();
        var pages = new Pages<>(
                (GetSummaryRequest page) -> carryOut(LedgerServiceGrpc.getGetSummaryMethod(), page, deadline, timeout),
                inPortfolio(request),
                List::of);
        for (GetSummaryResponse page : pages) {
            whole.clearTotals().clearBaseTotals().mergeFrom(page); // positions and groups add up, the rest is of all
        }
        return whole.clearNextPageToken().build();
    }

    /** Lists lots in FIFO order; those open and partially closed unless {@code statuses} says otherwise. */
    public Pages<Entry, ListEntriesResponse> listEntries(ListEntriesRequest request) {
        return pages(LedgerServiceGrpc.getListEntriesMethod(), inPortfolio(request), ListEntriesResponse::getEntriesList);
    }

    /** Lists closed trades in the order they were closed; the totals of its {@code page()} are the sums over all of them. */
    public Pages<ClosedTrade, ListClosedTradesResponse> listClosedTrades(ListClosedTradesRequest request) {
        return pages(
                LedgerServiceGrpc.getListClosedTradesMethod(),
                inPortfolio(request),
                ListClosedTradesResponse::getClosedTradesList);
    }

    /** Reads what makes a closed trade: the entry's execution, the exit's, and the corrections of either. */
    public ExplainTradeResponse explainTrade(ExplainTradeRequest request) {
        return carryOut(ExplainServiceGrpc.getExplainTradeMethod(), inPortfolio(request));
    }

    /** Lists the records that made a position; the position of its {@code page()} is what their changes sum to. */
    public Pages<ExplainLine, ExplainPositionResponse> explainPosition(ExplainPositionRequest request) {
        return pages(
                ExplainServiceGrpc.getExplainPositionMethod(), inPortfolio(request), ExplainPositionResponse::getLinesList);
    }

    // Terms

    /** Creates a portfolio. */
    public CreatePortfolioResponse createPortfolio(CreatePortfolioRequest request) {
        identify("createPortfolio", request.getRequestId());
        return carryOut(
                PortfolioServiceGrpc.getCreatePortfolioMethod(),
                request.toBuilder().setPortfolio(inPortfolio(request.getPortfolio())).build());
    }

    /** Changes the terms that are set; what is left out stays. */
    public UpdatePortfolioResponse updatePortfolio(UpdatePortfolioRequest request) {
        identify("updatePortfolio", request.getRequestId());
        return carryOut(PortfolioServiceGrpc.getUpdatePortfolioMethod(), inPortfolio(request));
    }

    /** Takes no more commands for a portfolio; its history stays readable. */
    public ClosePortfolioResponse closePortfolio(ClosePortfolioRequest request) {
        identify("closePortfolio", request.getRequestId());
        return carryOut(PortfolioServiceGrpc.getClosePortfolioMethod(), inPortfolio(request));
    }

    /** Lists portfolios by id. */
    public Pages<Portfolio, ListPortfoliosResponse> listPortfolios(ListPortfoliosRequest request) {
        return pages(PortfolioServiceGrpc.getListPortfoliosMethod(), request, ListPortfoliosResponse::getPortfoliosList);
    }

    /** Declares an instrument, or changes what was declared. */
    public DefineInstrumentResponse defineInstrument(DefineInstrumentRequest request) {
        identify("defineInstrument", request.getRequestId());
        return carryOut(InstrumentServiceGrpc.getDefineInstrumentMethod(), request);
    }

    /** Lists instruments by symbol. */
    public Pages<Instrument, ListInstrumentsResponse> listInstruments(ListInstrumentsRequest request) {
        return pages(InstrumentServiceGrpc.getListInstrumentsMethod(), request, ListInstrumentsResponse::getInstrumentsList);
    }

    // Is the ledger right about the broker? A bot that starts on books that are not the broker's trades on positions that are
    // not there. Nothing is changed but by RECONCILE_MODE_APPLY.

    /**
     * Compares the ledger with the broker: a configured {@code broker_account}, or the {@code statement} that is passed. Without
     * {@code portfolio_ids} they are those configured for the account, or the portfolio given to {@code connect}. APPLY takes a
     * {@code request_id}, so that a retry gets the same report.
     */
    public ReconcileResponse reconcile(ReconcileRequest request) {
        if (!request.hasStatement() && request.getBrokerAccount().isEmpty()) {
            throw new IllegalArgumentException("reconcile: pass a broker_account or a statement; neither was given");
        }
        if (request.getMode() == ReconcileMode.RECONCILE_MODE_APPLY && request.getRequestId().isEmpty()) {
            throw new IllegalArgumentException("reconcile: APPLY without a request_id: a retry after a lost answer could not be "
                    + "told from another run. Pass a request_id made before the first try and kept for the next.");
        }
        ReconcileRequest.Builder asked = request.toBuilder();
        if (request.getPortfolioIdsCount() == 0 && request.hasStatement() && !portfolio.isEmpty()) {
            asked.addPortfolioIds(portfolio);
        }
        return carryOut(LedgerServiceGrpc.getReconcileMethod(), asked.build(), deadline(brokerTimeout), brokerTimeout);
    }

    /**
     * What a bot calls first: compare the ledger with the broker and, with APPLY, repair what the rules allow. Each call is a run
     * of its own, and a repair that was made is found made.
     *
     * @param requireAgreement the bot gets no further where the two are not known to agree
     * @throws Errors.NotReconciled they are not, and that was asked for; its report tells why
     */
    public ReconcileResponse reconcileOnStartup(ReconcileRequest request, boolean requireAgreement) {
        ReconcileResponse report =
                reconcile(request.toBuilder().setRequestId("startup-" + UUID.randomUUID()).build());
        if (requireAgreement && !Agreement.agreed(report)) {
            throw Agreement.notReconciled(report);
        }
        return report;
    }

    /** Lists reports, newest first; of all portfolios and accounts unless one is named. */
    public Pages<Reconciliation, ListReconciliationsResponse> listReconciliations(ListReconciliationsRequest request) {
        return pages(
                ReconciliationServiceGrpc.getListReconciliationsMethod(),
                request,
                ListReconciliationsResponse::getReconciliationsList);
    }

    /** Reads one report, as it was answered then. */
    public GetReconciliationResponse getReconciliation(GetReconciliationRequest request) {
        return carryOut(ReconciliationServiceGrpc.getGetReconciliationMethod(), request);
    }

    /** Lists differences, worst first; the open ones unless {@code states} says otherwise, of everything not named. */
    public Pages<DiscrepancyRecord, ListDiscrepanciesResponse> listDiscrepancies(ListDiscrepanciesRequest request) {
        return pages(
                ReconciliationServiceGrpc.getListDiscrepanciesMethod(),
                request,
                ListDiscrepanciesResponse::getDiscrepanciesList);
    }

    /** Decides about one difference; with {@code validate_only} it shows the effect on P&amp;L and changes nothing. */
    public ResolveDiscrepancyResponse resolveDiscrepancy(ResolveDiscrepancyRequest request) {
        identify("resolveDiscrepancy", request.getRequestId());
        return carryOut(ReconciliationServiceGrpc.getResolveDiscrepancyMethod(), request);
    }

    /** Takes a resolution back: what it recorded is busted, and the difference is open again. */
    public UndoResolutionResponse undoResolution(UndoResolutionRequest request) {
        identify("undoResolution", request.getRequestId());
        return carryOut(ReconciliationServiceGrpc.getUndoResolutionMethod(), request);
    }

    // Prices

    /** Sets prices to value open lots at. It needs no id: the newest wins, so one that is sent twice is dropped. */
    public SetMarksResponse setMarks(SetMarksRequest request) {
        return carryOut(MarketServiceGrpc.getSetMarksMethod(), request);
    }

    /**
     * Opens a stream of marks of one source, "api" when empty, for a bot with a feed of its own. Close it in the end: that tells
     * the ledger that this source is interrupted, and its marks are stale at once.
     */
    public Publisher publishMarks(String source) {
        return new Publisher(this, source);
    }

    /** Reads the newest marks, all or those of some symbols, and the state of every price source. */
    public ListMarksResponse listMarks(ListMarksRequest request) {
        return carryOut(MarketServiceGrpc.getListMarksMethod(), request);
    }

    // Live P&L

    /**
     * Follows live P&amp;L: a {@link PnLEvent.Snapshot}, then a {@link PnLEvent.Update} for every change, a {@link
     * PnLEvent.Heartbeat} while nothing changes. It goes on after a lost connection by itself, with a {@link
     * PnLEvent.Disconnected} to say so: every closed trade, opened entry and restated trade comes exactly once and in order.
     *
     * <p>To go on after a restart of your own, pass {@code sequence} and {@code ledgerId} of the last event. Without {@code
     * portfolio_ids} it follows the portfolio given to {@code connect}, or all of them when none was.
     *
     * @throws IllegalArgumentException one of {@code after_sequence} and {@code ledger_id} without the other
     */
    public PnLStream streamPnL(StreamPnLRequest request) {
        StreamPnLRequest.Builder asked = request.toBuilder();
        if (request.getPortfolioIdsCount() == 0 && !portfolio.isEmpty()) {
            asked.addPortfolioIds(portfolio);
        }
        return new PnLStream(connection, asked.build());
    }

    // 2. Deadlines and retries with the same ids

    static final CallOptions CALL = CallOptions.DEFAULT.withWaitForReady(); // made while the server restarts, it waits for it

    Connection connection() {
        return connection;
    }

    Duration timeout() {
        return timeout;
    }

    static Deadline deadline(Duration timeout) {
        return Deadline.after(timeout.toNanos(), TimeUnit.NANOSECONDS);
    }

    static Duration remaining(Deadline deadline) {
        return Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }

    private <Q, A> A carryOut(MethodDescriptor<Q, A> method, Q request) {
        return carryOut(method, request, deadline(timeout), timeout);
    }

    private <Q, A> A carryOut(MethodDescriptor<Q, A> method, Q request, Deadline deadline, Duration within) {
        Pauses pauses = new Pauses();
        while (true) {
            LotkeeperError failed;
            try {
                return ClientCalls.blockingUnaryCall(connection.channel, method, CALL.withDeadline(deadline), request);
            } catch (StatusRuntimeException broken) {
                failed = LotkeeperError.of(broken);
            }
            Optional<Duration> pause = pauses.beforeRetry(failed, remaining(deadline));
            if (pause.isEmpty()) {
                throw told(failed, method.getBareMethodName(), within);
            }
            sleep(pause.get());
        }
    }

    /** In words, what a caller can do about a deadline that passed; any other error as it is. */
    LotkeeperError told(LotkeeperError failed, String method, Duration within) {
        if (failed.code() != Code.DEADLINE_EXCEEDED) {
            return failed;
        }
        return LotkeeperError.found(
                Code.DEADLINE_EXCEEDED,
                method + ": no answer from " + connection.address + " within " + seconds(within) + ". A write may have been "
                        + "recorded: send it again with the same ids. If this repeats, see whether the server runs.");
    }

    static String seconds(Duration duration) {
        return java.math.BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString() + " s";
    }

    static void sleep(Duration pause) {
        try {
            TimeUnit.NANOSECONDS.sleep(pause.toNanos());
        } catch (InterruptedException interrupted) {
            throw interrupted();
        }
    }

    /** The error of a thread that was told to stop while it waited; the thread stays told. */
    static LotkeeperError interrupted() {
        Thread.currentThread().interrupt();
        return LotkeeperError.found(Code.CANCELLED, "the waiting thread was interrupted");
    }

    // Without an id nobody could tell a retry after a lost answer, or the same fill from a second instance of the bot, from
    // something new.
    private static void identify(String method, String requestId, String ownField, String ownId) {
        if (requestId.isEmpty() && ownId.isEmpty()) {
            throw new IllegalArgumentException(method + ": neither " + ownField + " nor request_id was given. Without one a retry "
                    + "after a lost answer, or a second instance of the bot, would record it twice. Pass the venue's own id as "
                    + ownField + ", or a request_id made before the first try and kept for the next.");
        }
    }

    private static void identify(String method, String requestId) {
        if (requestId.isEmpty()) {
            throw new IllegalArgumentException(method + ": no request_id was given. Without one a retry after a lost answer could "
                    + "not be told from another command. Pass a request_id made before the first try and kept for the next.");
        }
    }

    @SuppressWarnings("unchecked") // a message's builder builds its own class
    private <Q extends Message> Q inPortfolio(Q request) {
        FieldDescriptor field = request.getDescriptorForType().findFieldByName("portfolio_id");
        if (portfolio.isEmpty() || !request.getField(field).equals("")) {
            return request;
        }
        return (Q) request.toBuilder().setField(field, portfolio).build();
    }

    private <V, Q extends Message, P extends Message> Pages<V, P> pages(
            MethodDescriptor<Q, P> method, Q request, Function<P, List<V>> items) {
        return new Pages<>((Q page) -> carryOut(method, page), request, items);
    }
}
