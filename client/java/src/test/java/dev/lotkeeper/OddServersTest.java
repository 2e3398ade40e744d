package dev.lotkeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.lotkeeper.v1.CreateEntryRequest;
import dev.lotkeeper.v1.CreateEntryResponse;
import dev.lotkeeper.v1.LedgerServiceGrpc;
import dev.lotkeeper.v1.PnLSnapshot;
import dev.lotkeeper.v1.StreamPnLRequest;
import dev.lotkeeper.v1.StreamPnLResponse;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsServerCredentials;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client against servers that do what a sidecar does rarely: real gRPC servers, with answers made for the test. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class OddServersTest {
    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final CreateEntryRequest ENTRY = CreateEntryRequest.newBuilder()
            .setSymbol("BTC-USD").setQuantity("1").setEntryPrice("10").setEntryFillId("F-1").build();

    @TempDir
    private Path folder;

    private final Deque<StatusRuntimeException> failures = new ArrayDeque<>(); // of CreateEntry, before it answers
    private final List<CreateEntryRequest> asked = Collections.synchronizedList(new ArrayList<>());
    private final List<String> tokens = Collections.synchronizedList(new ArrayList<>());
    private Server server;

    @AfterEach
    void end() {
        if (server != null) {
            server.shutdownNow();
        }
    }

    /** What passes by itself is tried again with the very same message, after the server's own wish. */
    @Test
    void aFullQueueIsTriedAgainWithTheSameIds() throws Exception {
        failures.add(refusal(Code.RESOURCE_EXHAUSTED, "WRITE_QUEUE_FULL", Duration.ofMillis(300)));
        failures.add(refusal(Code.UNAVAILABLE, "STORAGE_UNAVAILABLE", Duration.ZERO));
        try (Ledger ledger = started(InsecureServerCredentials.create(), Options.DEFAULTS)) {
            long before = System.nanoTime();
            ledger.createEntry(ENTRY);
            assertTrue(System.nanoTime() - before >= TimeUnit.MILLISECONDS.toNanos(300));
            assertEquals(List.of(ENTRY, ENTRY, ENTRY), asked);
        }
    }

    /** An answer is not asked for again, and neither is a broker that was waited for already. */
    @Test
    void whatIsNotTriedAgain() throws Exception {
        failures.add(refusal(Code.UNAVAILABLE, "BROKER_UNAVAILABLE", Duration.ZERO));
        failures.add(refusal(Code.RESOURCE_EXHAUSTED, "WRITE_QUEUE_FULL", Duration.ofHours(1)));
        try (Ledger ledger = started(InsecureServerCredentials.create(), Options.DEFAULTS)) {
            assertThrows(Errors.BrokerUnavailable.class, () -> ledger.createEntry(ENTRY));
            var full = assertThrows(Errors.WriteQueueFull.class, () -> ledger.createEntry(ENTRY));
            assertEquals(Duration.ofHours(1), full.retryDelay().orElseThrow());
            assertEquals(2, asked.size());
        }
    }

    /** A reason newer than this client has its status code's class, and keeps its name. */
    @Test
    void aReasonThatIsNotKnown() throws Exception {
        failures.add(refusal(Code.NOT_FOUND, "MOON_NOT_FOUND", null));
        try (Ledger ledger = started(InsecureServerCredentials.create(), Options.DEFAULTS)) {
            var error = assertThrows(Errors.NotFound.class, () -> ledger.createEntry(ENTRY));
            assertEquals("MOON_NOT_FOUND", error.reason());
            assertEquals("MOON_NOT_FOUND: words", error.getMessage());
        }
    }

    /** Details that cannot be read hide nothing else. */
    @Test
    void garbageInTheTrailers() throws Exception {
        Metadata garbage = new Metadata();
        garbage.put(DETAILS, new byte[] {(byte) 0xff, 1, 2, 3});
        failures.add(Status.INVALID_ARGUMENT.withDescription("words").asRuntimeException(garbage));
        try (Ledger ledger = started(InsecureServerCredentials.create(), Options.DEFAULTS)) {
            var error = assertThrows(Errors.InvalidRequest.class, () -> ledger.createEntry(ENTRY));
            assertEquals("INVALID_ARGUMENT: words", error.getMessage());
        }
    }

    /** A connection on which not even a heartbeat comes is given up, and the stream goes on over another one. */
    @Test
    void aSilentStream() throws Exception {
        StreamPnLRequest request = StreamPnLRequest.newBuilder()
                .setHeartbeatInterval(Times.duration(Duration.ofMillis(100)))
                .build();
        try (Ledger ledger = started(InsecureServerCredentials.create(), Options.DEFAULTS);
                PnLStream events = ledger.streamPnL(request)) {
            assertInstanceOf(PnLEvent.Snapshot.class, events.next());
            var disconnected = assertInstanceOf(PnLEvent.Disconnected.class, events.next());
            assertTrue(disconnected.cause().message().startsWith("StreamPnL: not even a heartbeat for 1 s"));
            assertInstanceOf(PnLEvent.Snapshot.class, events.next());
        }
    }

    /** TLS with certificates on both sides, and a token with every call. */
    @Test
    void encryptedWithAToken() throws Exception {
        byte[][] ours = certificate("server");
        byte[][] theirs = certificate("client");
        ServerCredentials credentials = TlsServerCredentials.newBuilder()
                .keyManager(stream(ours[0]), stream(ours[1]))
                .trustManager(stream(theirs[0]))
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build();
        Options options = Options.DEFAULTS
                .rootCertificates(ours[0])
                .clientCertificate(theirs[0], theirs[1])
                .token("secret");
        try (Ledger ledger = started(credentials, options)) {
            ledger.createEntry(ENTRY);
            assertEquals(List.of("Bearer secret"), tokens);
        }
    }

    /** What cannot be a connection, or would not be safe, is refused by connect. */
    @Test
    void optionsThatAreNone() {
        for (String address : List.of("", "localhost", "http://localhost:1", "localhost:123456", "localhost:99999")) {
            assertThrows(IllegalArgumentException.class, () -> Ledger.connect(address));
        }
        assertThrows(
                IllegalArgumentException.class, () -> Ledger.connect("example.com:1", Options.DEFAULTS.token("secret")));
        assertThrows(
                IllegalArgumentException.class,
                () -> Ledger.connect("localhost:1", Options.DEFAULTS.rootCertificates(new byte[] {1})));
        assertThrows(IllegalArgumentException.class, () -> Options.DEFAULTS.timeout(Duration.ZERO));
    }

    private Ledger started(ServerCredentials credentials, Options options) throws Exception {
        server = Grpc.newServerBuilderForPort(0, credentials)
                .addService(new Answers())
                .intercept(new Tokens())
                .build()
                .start();
        return Ledger.connect("localhost:" + server.getPort(), options);
    }

    private static StatusRuntimeException refusal(Code code, String reason, Duration retry) {
        List<Message> details = new ArrayList<>();
        details.add(ErrorInfo.newBuilder().setDomain("lotkeeper").setReason(reason).build());
        if (retry != null) {
            details.add(RetryInfo.newBuilder().setRetryDelay(Times.duration(retry)).build());
        }
        Metadata trailers = new Metadata();
        trailers.put(
                DETAILS,
                com.google.rpc.Status.newBuilder()
                        .setCode(code.value())
                        .addAllDetails(details.stream().map(Any::pack).toList())
                        .build()
                        .toByteArray());
        return code.toStatus().withDescription("words").asRuntimeException(trailers);
    }

    /** A certificate for localhost that signed itself, and its key, as PEM files hold them. */
    private byte[][] certificate(String name) throws Exception {
        Path store = folder.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                        "-genkeypair", "-keyalg", "RSA", "-alias", name, "-dname", "CN=localhost",
                        "-ext", "SAN=dns:localhost,ip:127.0.0.1", "-storetype", "PKCS12",
                        "-keystore", store.toString(), "-storepass", "changeit")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertEquals(0, keytool.waitFor());
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(store)) {
            keys.load(file, "changeit".toCharArray());
        }
        return new byte[][] {
            pem("CERTIFICATE", keys.getCertificate(name).getEncoded()),
            pem("PRIVATE KEY", keys.getKey(name, "changeit".toCharArray()).getEncoded())
        };
    }

    private static byte[] pem(String what, byte[] content) {
        String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return ("-----BEGIN " + what + "-----\n" + lines + "\n-----END " + what + "-----\n").getBytes();
    }

    private static InputStream stream(byte[] content) {
        return new ByteArrayInputStream(content);
    }

    /** Remembers the tokens that came. */
    private final class Tokens implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            String token = headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
            if (token != null) {
                tokens.add(token);
            }
            return next.startCall(call, headers);
        }
    }

    /** Fails as the test says, then answers; its streams say nothing after the first message. */
    private final class Answers extends LedgerServiceGrpc.LedgerServiceImplBase {
        @Override
        public void createEntry(CreateEntryRequest request, StreamObserver<CreateEntryResponse> answer) {
            asked.add(request);
            StatusRuntimeException failure = failures.poll();
            if (failure != null) {
                answer.onError(failure);
                return;
            }
            answer.onNext(CreateEntryResponse.getDefaultInstance());
            answer.onCompleted();
        }

        @Override
        public void streamPnL(StreamPnLRequest request, StreamObserver<StreamPnLResponse> answer) {
            answer.onNext(StreamPnLResponse.newBuilder()
                    .setSequence(7)
                    .setLedgerId("L")
                    .setSnapshot(PnLSnapshot.getDefaultInstance())
                    .build());
        }
    }
}
