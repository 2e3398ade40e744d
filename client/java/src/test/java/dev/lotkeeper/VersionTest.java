package dev.lotkeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import dev.lotkeeper.v1.ErrorReason;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What has to be in step with the server and its contract. */
class VersionTest {
    /** The version of the package, of the client and of the server are one. */
    @Test
    void oneVersion() throws IOException {
        assertEquals(Ledger.VERSION, found("<artifactId>lotkeeper</artifactId>\\s*<version>([^<]+)", Path.of("pom.xml")));
        assertEquals(Ledger.VERSION, found("__version__ = \"([^\"]+)", Path.of("..", "..", "server", "lotkeeperd", "__init__.py")));
        assertTrue(Files.readString(Path.of("CHANGELOG.md")).contains("## " + Ledger.VERSION));
    }

    /** Every reason of the contract has a class of its own. */
    @Test
    void aClassForEveryReason() {
        List<String> reasons = Stream.of(ErrorReason.values())
                .filter(reason -> reason != ErrorReason.UNRECOGNIZED && reason != ErrorReason.ERROR_REASON_UNSPECIFIED)
                .map(reason -> reason.name().substring("ERROR_REASON_".length()))
                .toList();
        long classes = reasons.stream().map(VersionTest::refused).map(Object::getClass).distinct().count();
        assertEquals(reasons.size(), classes);
        assertTrue(reasons.stream().map(VersionTest::refused).noneMatch(error -> error.getClass() == LotkeeperError.class));
    }

    // With a code that has no class, so that only the reason can choose one.
    private static LotkeeperError refused(String reason) {
        Metadata trailers = new Metadata();
        ErrorInfo info = ErrorInfo.newBuilder().setDomain("lotkeeper").setReason(reason).build();
        trailers.put(
                Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
                com.google.rpc.Status.newBuilder().addDetails(Any.pack(info)).build().toByteArray());
        return LotkeeperError.of(Status.ABORTED.asRuntimeException(trailers));
    }

    private static String found(String pattern, Path file) throws IOException {
        Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(file));
        assertTrue(matcher.find(), file + " names no version");
        return matcher.group(1);
    }
}
