package dev.lotkeeper.conformance;

/** A file cannot be used; the message says where and why. */
final class BadScenario extends RuntimeException {
    BadScenario(String message) {
        super(message);
    }
}
