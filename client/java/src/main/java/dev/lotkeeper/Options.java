package dev.lotkeeper;

import java.time.Duration;

/**
 * Options of a connection. {@link #DEFAULTS} is a plain connection, the server's default portfolio and
 * {@link Ledger#DEFAULT_TIMEOUT}; each method gives a copy with one thing changed.
 */
public final class Options {
    /** A plain connection, the server's default portfolio, {@link Ledger#DEFAULT_TIMEOUT}. */
    public static final Options DEFAULTS = new Options("", Ledger.DEFAULT_TIMEOUT, false, null, null, null, "");

    final String portfolio;
    final Duration timeout;
    final boolean tls;
    final byte[] rootCertificates; // null: those of the system
    final byte[] clientCertificate; // null: none
    final byte[] clientKey;
    final String token;

    private Options(
            String portfolio,
            Duration timeout,
            boolean tls,
            byte[] rootCertificates,
            byte[] clientCertificate,
            byte[] clientKey,
            String token) {
        this.portfolio = portfolio;
        this.timeout = timeout;
        this.tls = tls;
        this.rootCertificates = rootCertificates;
        this.clientCertificate = clientCertificate;
        this.clientKey = clientKey;
        this.token = token;
    }

    /** The portfolio of all calls whose request names none; empty is the server's "default". */
    public Options portfolio(String portfolio) {
        return new Options(portfolio, timeout, tls, rootCertificates, clientCertificate, clientKey, token);
    }

    /**
     * How long an answer may take, retries included.
     *
     * @throws IllegalArgumentException it is 0 or less
     */
    public Options timeout(Duration timeout) {
        return new Options(portfolio, positive(timeout), tls, rootCertificates, clientCertificate, clientKey, token);
    }

    /** Encrypts the connection; the server's certificate is checked against those of the system. */
    public Options tls() {
        return new Options(portfolio, timeout, true, rootCertificates, clientCertificate, clientKey, token);
    }

    /** Encrypts the connection; the server's certificate is checked against these, as a PEM file holds them. */
    public Options rootCertificates(byte[] pem) {
        return new Options(portfolio, timeout, true, pem.clone(), clientCertificate, clientKey, token);
    }

    /** Encrypts the connection, and shows this certificate to the server; both as their PEM files hold them. */
    public Options clientCertificate(byte[] certificate, byte[] key) {
        return new Options(portfolio, timeout, true, rootCertificates, certificate.clone(), key.clone(), token);
    }

    /** Sent with every call as {@code authorization: Bearer ...}. Not in the clear to other machines. */
    public Options token(String token) {
        return new Options(portfolio, timeout, tls, rootCertificates, clientCertificate, clientKey, token);
    }

    static Duration positive(Duration timeout) {
        if (timeout.isZero() || timeout.isNegative()) {
            throw new IllegalArgumentException("timeout: " + timeout + " is not a time to wait; pass more than 0");
        }
        return timeout;
    }
}
