package dev.lotkeeper.conformance;

/** A step is not as the scenario says; the message says what came instead. */
final class Unmet extends RuntimeException {
    Unmet(String message) {
        super(message);
    }
}
