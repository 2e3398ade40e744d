package dev.lotkeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Timestamp;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Numbers and times between Java and the contract. */
class DecimalsTest {
    /** Plain digits, never an exponent, nothing rounded. */
    @Test
    void textIsPlain() {
        assertEquals("0.00000001", Decimals.text(new BigDecimal("1E-8")));
        assertEquals("100000", Decimals.text(new BigDecimal("1E+5")));
        assertEquals("-1.50", Decimals.text(new BigDecimal("-1.50")));
        assertEquals("7", Decimals.text(7));
    }

    /** 1E+999999999 as plain digits would fill the memory. */
    @Test
    void aNumberThatIsTooLong() {
        assertThrows(IllegalArgumentException.class, () -> Decimals.text(new BigDecimal("1E+999999999")));
        assertThrows(IllegalArgumentException.class, () -> Decimals.text(new BigDecimal("1E-999999999")));
    }

    /** What the contract does not have is no number, and what is left out is not 0. */
    @Test
    void numbersOfAnswers() {
        assertEquals(new BigDecimal("50333.333333333333333333"), Decimals.decimal("50333.333333333333333333"));
        assertEquals(Optional.empty(), Decimals.optionalDecimal(""));
        for (String wrong : new String[] {"", "1E5", "+1", " 1", "1.", ".5", "١"}) {
            assertThrows(IllegalArgumentException.class, () -> Decimals.decimal(wrong));
        }
    }

    /** Nanoseconds go and come; what int64 nanoseconds cannot hold is refused. */
    @Test
    void times() {
        Instant time = Instant.parse("1969-12-31T23:59:59.999999999Z");
        assertEquals(Timestamp.newBuilder().setSeconds(-1).setNanos(999_999_999).build(), Times.timestamp(time));
        assertEquals(time, Times.instant(Times.timestamp(time)));
        assertThrows(IllegalArgumentException.class, () -> Times.timestamp(Instant.parse("2263-01-01T00:00:00Z")));
        assertThrows(IllegalArgumentException.class, () -> Times.duration(java.time.Duration.ofNanos(-1)));
    }
}
