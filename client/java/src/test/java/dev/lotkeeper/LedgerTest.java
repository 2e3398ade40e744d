package dev.lotkeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lotkeeper.v1.*;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client against a real server. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LedgerTest {
    private static final Options DESK = Options.DEFAULTS.portfolio("desk").timeout(Duration.ofMinutes(1));

    @TempDir
    private Path folder;

    /** One walk through every RPC but the streams. */
    @Test
    void everyCallOfTheContract() {
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK)) {
            assertEquals("desk", ledger.createPortfolio(CreatePortfolioRequest.newBuilder().setRequestId("desk").build())
                    .getPortfolio().getPortfolioId());
            assertEquals("ours", ledger.updatePortfolio(
                            UpdatePortfolioRequest.newBuilder().setRequestId("ours").setDescription("ours").build())
                    .getPortfolio().getDescription());
            assertTrue(ledger.defineInstrument(DefineInstrumentRequest.newBuilder()
                            .setRequestId("btc")
                            .setInstrument(Instrument.newBuilder()
                                    .setSymbol("BTC-USD")
                                    .setKind(InstrumentKind.INSTRUMENT_KIND_SPOT)
                                    .setBaseCurrency("BTC"))
                            .build())
                    .getInstrument().getDeclared());

            Instant bought = Instant.parse("2026-01-05T12:00:00.123456789Z");
            CreateEntryResponse opened = ledger.createEntry(entry("F-1", "100", "50000").toBuilder()
                    .setEntryTime(Times.timestamp(bought))
                    .build());
            assertEquals(bought, Times.instant(opened.getEntry().getEntryTime()));
            assertEquals("desk", opened.getEntry().getPortfolioId());
            ledger.recordFill(fill("F-2", Side.SIDE_BUY, "50", "51000"));
            CloseFifoResponse closed = ledger.closeFifo(exit("F-3", "120", "53000"));
            assertEquals("340000", closed.getNetPnl());
            ledger.setMarks(SetMarksRequest.newBuilder().addMarks(mark("54000")).build());
            assertEquals("54000", ledger.listMarks(ListMarksRequest.getDefaultInstance()).getMarks(0).getPrice());

            Position position = ledger.getSummary(GetSummaryRequest.getDefaultInstance()).getPositions(0);
            assertEquals("90000", position.getUnrealizedPnl());
            assertEquals(1, ledger.listEntries(ListEntriesRequest.getDefaultInstance()).stream().count());
            Pages<ClosedTrade, ListClosedTradesResponse> trades =
                    ledger.listClosedTrades(ListClosedTradesRequest.newBuilder().setPageSize(1).build());
            assertEquals(List.of("100", "20"), trades.stream().map(ClosedTrade::getQuantity).toList());
            assertEquals("340000", trades.page().getTotals(0).getNetRealizedPnl());
            String trade = closed.getClosedTrades(0).getTradeId();
            assertEquals(trade, ledger.explainTrade(ExplainTradeRequest.newBuilder().setTradeId(trade).build())
                    .getTrade().getTradeId());
            assertEquals("30", ledger.explainPosition(ExplainPositionRequest.newBuilder().setSymbol("BTC-USD").build())
                    .page().getPosition().getTotalQuantity());

            ledger.correctFill(CorrectFillRequest.newBuilder()
                    .setRequestId("fix").setSymbol("BTC-USD").setFillId("F-3").setPrice("52000").build());
            ledger.bustFill(BustFillRequest.newBuilder().setRequestId("bust").setSymbol("BTC-USD").setFillId("F-3").build());
            ledger.recordEvent(RecordEventRequest.newBuilder()
                    .setEvent(Event.newBuilder()
                            .setEventId("wire-1")
                            .setDeposit(Deposit.newBuilder()
                                    .setMoney(Money.newBuilder().setCurrency("USD").setAmount("500"))))
                    .build());
            assertEquals("desk", ledger.listEvents(ListEventsRequest.getDefaultInstance()).iterator().next().getPortfolioId());

            ReconcileRequest silence = ReconcileRequest.newBuilder()
                    .setStatement(BrokerStatement.newBuilder().setAsOf(Times.timestamp(Instant.now())))
                    .build();
            assertFalse(Agreement.agreed(ledger.reconcileOnStartup(silence, false)));
            var different = assertThrows(Errors.NotReconciled.class, () -> ledger.reconcileOnStartup(silence, true));
            assertTrue(different.message().contains("the broker did not say everything"), different.message());
            ReconcileRequest nothing = silence.toBuilder()
                    .setStatement(silence.getStatement().toBuilder().setPositionsComplete(true))
                    .build();
            ledger.reconcile(nothing);
            String id = ledger.listReconciliations(ListReconciliationsRequest.getDefaultInstance())
                    .iterator().next().getReconciliationId();
            assertEquals(id, ledger.getReconciliation(
                            GetReconciliationRequest.newBuilder().setReconciliationId(id).build())
                    .getReconciliation().getReconciliationId());
            String difference = ledger.listDiscrepancies(ListDiscrepanciesRequest.getDefaultInstance())
                    .iterator().next().getDiscrepancy().getDiscrepancyId();
            String resolution = ledger.resolveDiscrepancy(ResolveDiscrepancyRequest.newBuilder()
                            .setRequestId("never-mind")
                            .setDiscrepancyId(difference)
                            .setIgnore(IgnoreDiscrepancy.newBuilder().setReason("a test"))
                            .build())
                    .getDiscrepancy().getResolution().getResolutionId();
            assertEquals(difference, ledger.undoResolution(UndoResolutionRequest.newBuilder()
                            .setRequestId("mind")
                            .setResolutionId(resolution)
                            .setReason("a test")
                            .build())
                    .getDiscrepancy().getDiscrepancy().getDiscrepancyId());

            assertEquals(1, ledger.listInstruments(ListInstrumentsRequest.getDefaultInstance()).stream().count());
            assertTrue(ledger.listPortfolios(ListPortfoliosRequest.getDefaultInstance()).stream().count() >= 1);
            assertThrows(
                    Errors.PortfolioNotEmpty.class,
                    () -> ledger.closePortfolio(ClosePortfolioRequest.newBuilder().setRequestId("end").build()));
        }
    }

    /** Twenty digits before the point and eighteen behind it come back as they went. */
    @Test
    void everyDigitSurvives() {
        BigDecimal quantity = new BigDecimal("12345678901234567890.123456789012345678");
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK)) {
            Entry recorded = ledger.createEntry(entry("F-1", Decimals.text(quantity), "1")).getEntry();
            assertEquals(quantity, Decimals.decimal(recorded.getQuantity()));
        }
    }

    /** A write without an id is refused before anything is sent, in the words of the other clients. */
    @Test
    void aWriteWithoutAnId() {
        try (Ledger ledger = Ledger.connect("127.0.0.1:1")) {
            var refused = assertThrows(IllegalArgumentException.class, () -> ledger.createEntry(entry("", "1", "1")));
            assertEquals(
                    "createEntry: neither entry_fill_id nor request_id was given. Without one a retry after a lost answer, or a "
                            + "second instance of the bot, would record it twice. Pass the venue's own id as entry_fill_id, or a "
                            + "request_id made before the first try and kept for the next.",
                    refused.getMessage());
        }
    }

    /** A refusal is of its reason's class, with everything the server said. */
    @Test
    void refusals() {
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK)) {
            ledger.createEntry(entry("F-1", "1", "10"));
            var tooMuch =
                    assertThrows(Errors.InsufficientQuantity.class, () -> ledger.closeFifo(exit("F-2", "5", "11")));
            assertEquals("1", tooMuch.metadata().get("open_quantity"));
            assertEquals("5", tooMuch.metadata().get("requested_quantity"));
            var broken = assertThrows(Errors.InvalidRequest.class, () -> ledger.createEntry(entry("F-3", "-1", "1E5")));
            assertEquals(
                    List.of("entry_price", "quantity"),
                    broken.violations().stream().map(LotkeeperError.FieldViolation::field).sorted().toList());
            var other = assertThrows(Errors.FillConflict.class, () -> ledger.createEntry(entry("F-1", "2", "10")));
            assertEquals("quantity", other.metadata().get("field"));
            assertFalse(other.isRetryable());
        }
    }

    /** Calls made before the server runs wait for it; a Unix socket is an address as any other. */
    @Test
    void theFirstCallWaitsForAServerThatIsStarting() throws Exception {
        Sidecar.server();
        String address = "unix:" + folder.resolve("l.sock");
        try (Sidecar server = Sidecar.at(folder, address);
                Ledger ledger = Ledger.connect(address, DESK)) {
            CompletableFuture<CreateEntryResponse> early =
                    CompletableFuture.supplyAsync(() -> ledger.createEntry(entry("F-1", "1", "10")));
            server.start();
            assertEquals("1", early.get().getPosition().getTotalQuantity());
            server.kill();
            CompletableFuture<CreateEntryResponse> again =
                    CompletableFuture.supplyAsync(() -> ledger.createEntry(entry("F-1", "1", "10")));
            server.start();
            assertTrue(again.get().getReplayed());
        }
    }

    /** Where nobody answers, the error says what to do. */
    @Test
    void aDeadlineThatPasses() {
        try (Ledger ledger = Ledger.connect("127.0.0.1:1").within(Duration.ofMillis(300))) {
            var late = assertThrows(Errors.TryAgain.class, () -> ledger.createEntry(entry("F-1", "1", "10")));
            assertInstanceOf(Errors.DeadlineExceeded.class, late);
            assertTrue(
                    late.message().startsWith("CreateEntry: no answer from 127.0.0.1:1 within 0.3 s. A write may have been recorded"),
                    late.message());
        }
    }

    /** What was not answered when the server died is sent again, and counts once. */
    @Test
    void bulkRecordingSurvivesAKilledServer() {
        int count = 5_000;
        Iterable<Fill> fills = () -> IntStream.range(0, count)
                .mapToObj(number -> fill("F-" + number, Side.SIDE_BUY, "1", "10").getFill())
                .iterator();
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK);
                FillResults results = ledger.recordFills(fills)) {
            List<String> recorded = new ArrayList<>();
            for (FillResult result : results) {
                assertEquals(ErrorReason.ERROR_REASON_UNSPECIFIED, result.getRefusal(), result.getMessage());
                recorded.add(result.getFillId());
                if (recorded.size() == 700) {
                    server.kill();
                    server.start();
                }
            }
            assertEquals(IntStream.range(0, count).mapToObj(number -> "F-" + number).toList(), recorded);
            assertEquals(
                    String.valueOf(count),
                    ledger.getSummary(GetSummaryRequest.getDefaultInstance()).getPositions(0).getTotalQuantity());
            assertThrows(
                    IllegalArgumentException.class,
                    () -> ledger.recordFills(List.of(fill("", Side.SIDE_BUY, "1", "10").getFill())).hasNext());
        }
    }

    /** A stream that nobody reads holds up no call beside it, and then has every fact. */
    @Test
    void aStreamThatIsReadLate() {
        int count = 3_000;
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK);
                PnLStream events = ledger.streamPnL(StreamPnLRequest.getDefaultInstance())) {
            assertInstanceOf(PnLEvent.Snapshot.class, events.next());
            try (FillResults results = ledger.recordFills(() -> IntStream.range(0, count)
                    .mapToObj(number -> fill("F-" + number, Side.SIDE_BUY, "1", "10").getFill())
                    .iterator())) {
                results.forEachRemaining(result -> assertEquals("", result.getMessage()));
            }
            ledger.getSummary(GetSummaryRequest.getDefaultInstance());
            List<String> opened = new ArrayList<>();
            while (opened.size() < count) {
                if (events.next() instanceof PnLEvent.Update update) {
                    update.openedEntries().forEach(entry -> opened.add(entry.getEntryFillId()));
                }
            }
            assertEquals(IntStream.range(0, count).mapToObj(number -> "F-" + number).toList(), opened);
        }
    }

    /** The end of a stream of marks interrupts its source; a mark that breaks a rule ends the stream with the reason. */
    @Test
    void publishedMarks() {
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK)) {
            try (Publisher publisher = ledger.publishMarks("bot")) {
                publisher.send(mark("10"), mark("11"));
                publisher.send(mark("12"));
                assertEquals(3, publisher.finish().getAcceptedCount());
            }
            Mark newest = ledger.listMarks(ListMarksRequest.getDefaultInstance()).getMarks(0);
            assertEquals("12", newest.getPrice());
            assertTrue(newest.getStale());
            Publisher wrong = ledger.publishMarks("bot");
            wrong.send(mark("1E5"));
            assertThrows(Errors.InvalidRequest.class, wrong::finish);
            wrong.close();
        }
    }

    /** Another ledger behind the same address ends the stream. */
    @Test
    void aReplacedLedgerEndsTheStream() throws IOException {
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK);
                PnLStream events = ledger.streamPnL(StreamPnLRequest.getDefaultInstance())) {
            assertInstanceOf(PnLEvent.Snapshot.class, events.next());
            server.kill();
            try (var files = Files.newDirectoryStream(folder, "ledger.db*")) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            server.start();
            assertInstanceOf(PnLEvent.Disconnected.class, events.next());
            assertThrows(Errors.LedgerReplaced.class, events::next);
            assertFalse(events.hasNext());
        }
    }

    /** A stream goes on from where another one stopped, and closing it from another thread ends it. */
    @Test
    void aStreamIsResumedAndClosed() {
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), DESK)) {
            PnLEvent.Place place;
            try (PnLStream events = ledger.streamPnL(StreamPnLRequest.getDefaultInstance())) {
                place = events.next().place();
            }
            ledger.createEntry(entry("F-1", "1", "10"));
            StreamPnLRequest resumed = StreamPnLRequest.newBuilder()
                    .setAfterSequence(place.sequence())
                    .setLedgerId(place.ledgerId())
                    .build();
            try (PnLStream events = ledger.streamPnL(resumed)) {
                var update = assertInstanceOf(PnLEvent.Update.class, events.next());
                assertEquals("F-1", update.openedEntries().get(0).getEntryFillId());
                assertInstanceOf(PnLEvent.Snapshot.class, events.next());
                CompletableFuture<Boolean> more = CompletableFuture.supplyAsync(events::hasNext);
                events.close();
                assertFalse(more.join());
            }
            assertThrows(
                    IllegalArgumentException.class,
                    () -> ledger.streamPnL(StreamPnLRequest.newBuilder().setAfterSequence(1).build()));
        }
    }

    private static CreateEntryRequest entry(String fillId, String quantity, String price) {
        return CreateEntryRequest.newBuilder()
                .setSymbol("BTC-USD").setQuantity(quantity).setEntryPrice(price).setEntryFillId(fillId).build();
    }

    private static CloseFifoRequest exit(String fillId, String quantity, String price) {
        return CloseFifoRequest.newBuilder()
                .setSymbol("BTC-USD").setQuantity(quantity).setExitPrice(price).setExitFillId(fillId).build();
    }

    private static RecordFillRequest fill(String fillId, Side side, String quantity, String price) {
        return RecordFillRequest.newBuilder()
                .setFill(Fill.newBuilder()
                        .setSymbol("BTC-USD").setSide(side).setQuantity(quantity).setPrice(price).setFillId(fillId))
                .build();
    }

    private static Mark mark(String price) {
        return Mark.newBuilder().setSymbol("BTC-USD").setPrice(price).build();
    }
}
