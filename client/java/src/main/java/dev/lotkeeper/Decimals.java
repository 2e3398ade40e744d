package dev.lotkeeper;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Numbers between {@link BigDecimal} and the contract, which has them as text: up to 20 digits before and 18 after the point on
 * input, as many as a product needs on output. A {@code double} holds 16 of them, so none is taken here.
 */
public final class Decimals {
    private static final int LONGEST_NUMBER = 100; // digits; 1E+999999999 as plain digits would fill the memory
    private static final Pattern PLAIN = Pattern.compile("-?[0-9]+(\\.[0-9]+)?");

    private Decimals() {}

    /**
     * A number of an answer, exactly.
     *
     * @throws IllegalArgumentException it is not a number as the contract has it
     */
    public static BigDecimal decimal(String text) {
        if (!PLAIN.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" is not a number of the contract: digits, with a minus sign and a point where needed");
        }
        return new BigDecimal(text);
    }

    /**
     * A number that an answer may leave out, in which case its text is empty: "not known", which is not 0.
     *
     * @throws IllegalArgumentException it is not a number as the contract has it
     */
    public static Optional<BigDecimal> optionalDecimal(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(decimal(text));
    }

    /**
     * A number as requests take it: plain digits, no exponent, nothing rounded.
     *
     * @throws IllegalArgumentException it is longer than any number the contract takes
     */
    public static String text(BigDecimal number) {
        long digitsBefore = (long) number.precision() - number.scale();
        if (Math.abs((long) number.scale()) > LONGEST_NUMBER || digitsBefore > LONGEST_NUMBER) {
            throw new IllegalArgumentException("a number of more than " + LONGEST_NUMBER + " digits (scale " + number.scale()
                    + "); the ledger takes 20 before and 18 after the point");
        }
        return number.toPlainString();
    }

    /** A whole number as requests take it. */
    public static String text(long number) {
        return Long.toString(number);
    }
}
