package dev.lotkeeper;

import io.grpc.ChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a client reaches its server. The ledger is a sidecar: it dies and comes back at the same address while the bot goes on.
 * gRPC's defaults are made for far-away services: a restarted server is found only after a wait that grows to two minutes, a
 * slow reader has megabytes of old prices queued for it, a proxy of the environment is asked for 127.0.0.1, a dead peer is
 * noticed after hours.
 */
final class Connection implements AutoCloseable {
    private static final int LARGEST_MESSAGE = 8 << 20; // bytes; the server's answers stay well below
    private static final int RECEIVE_WINDOW = 64 << 10; // bytes a slow reader lags behind at most; gRPC's own would grow
    private static final int LONGEST_CONNECT = 5_000; // milliseconds one attempt may take
    private static final int PING_INTERVAL = 20; // seconds; the server refuses more than one in 10 s
    private static final int PING_TIMEOUT = 5; // seconds without an answer to a ping, and the connection counts as lost

    private static final Pattern ADDRESS =
            Pattern.compile("unix:(?<path>\\S+)|(?<host>\\[[0-9A-Fa-f:.%\\w]+]|[^\\s:/\\[\\]]+):(?<port>[0-9]{1,5})");
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127\\.[0-9.]+|\\[::1]");

    final String address;
    final ManagedChannel channel;
    final AtomicBoolean closed = new AtomicBoolean();

    private final EpollEventLoopGroup socketLoop; // null unless the address is a Unix socket
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("lotkeeper", true));
    private final AtomicBoolean hurrying = new AtomicBoolean();

    Connection(String address, Options options) {
        Matcher parsed = ADDRESS.matcher(address);
        if (!parsed.matches()) {
            throw new IllegalArgumentException(
                    "address \"" + address + "\" is neither host:port nor unix:/path.sock; pass such as 127.0.0.1:50051");
        }
        this.address = address;
        String path = parsed.group("path");
        ChannelCredentials credentials = credentials(options, path != null || LOOPBACK.matcher(parsed.group("host")).matches());
        NettyChannelBuilder builder;
        if (path == null) {
            socketLoop = null;
            builder = NettyChannelBuilder.forAddress(parsed.group("host"), port(parsed), credentials);
        } else {
            socketLoop = socketLoop();
            builder = NettyChannelBuilder.forAddress(new DomainSocketAddress(path), credentials)
                    .channelType(EpollDomainSocketChannel.class)
                    .eventLoopGroup(socketLoop)
                    .overrideAuthority("localhost");
        }
        if (!options.token.isEmpty()) {
            Metadata bearer = new Metadata();
            bearer.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + options.token);
            builder.intercept(MetadataUtils.newAttachHeadersInterceptor(bearer));
        }
        channel = builder.withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, LONGEST_CONNECT)
                .disableRetry() // retries are ours alone: two layers of them would multiply
                .flowControlWindow(RECEIVE_WINDOW)
                .keepAliveTime(PING_INTERVAL, TimeUnit.SECONDS)
                .keepAliveTimeout(PING_TIMEOUT, TimeUnit.SECONDS)
                .maxInboundMessageSize(LARGEST_MESSAGE)
                .proxyDetector(target -> null)
                .userAgent("lotkeeper-java/" + Ledger.VERSION)
                .build();
        timer.setRemoveOnCancelPolicy(true);
        timer.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy()); // what is watched ends with the channel
        watchState();
    }

    /** Runs {@code late} unless the answer is closed within the time. */
    Watch watch(java.time.Duration limit, Runnable late) {
        var task = timer.schedule(late, limit.toNanos(), TimeUnit.NANOSECONDS);
        return () -> task.cancel(false);
    }

    /** What {@link #watch} gives; closing it ends the watch. */
    interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        channel.shutdownNow();
        timer.shutdownNow();
        if (socketLoop != null) {
            socketLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    private static int port(Matcher parsed) {
        int port = Integer.parseInt(parsed.group("port"));
        if (port > 65_535) {
            throw new IllegalArgumentException("address \"" + parsed.group() + "\": port " + port + " is above 65535");
        }
        return port;
    }

    private static EpollEventLoopGroup socketLoop() {
        if (!Epoll.isAvailable()) {
            throw new IllegalArgumentException(
                    "a unix: address needs Linux on x86_64 or aarch64 (" + Epoll.unavailabilityCause().getMessage()
                            + "); pass host:port, and let the sidecar listen there",
                    Epoll.unavailabilityCause());
        }
        return new EpollEventLoopGroup(1, new DefaultThreadFactory("lotkeeper-socket", true));
    }

    private static ChannelCredentials credentials(Options options, boolean here) {
        if (!options.tls && options.rootCertificates == null && options.clientCertificate == null) {
            if (!options.token.isEmpty() && !here) {
                throw new IllegalArgumentException(
                        "token: the address is another machine, and the token would go there in the clear; use tls()");
            }
            return InsecureChannelCredentials.create();
        }
        TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
        try {
            if (options.rootCertificates != null) {
                tls.trustManager(new ByteArrayInputStream(options.rootCertificates));
            }
            if (options.clientCertificate != null) {
                tls.keyManager(
                        new ByteArrayInputStream(options.clientCertificate), new ByteArrayInputStream(options.clientKey));
            }
            return tls.build();
        } catch (IOException unreadable) {
            throw new IllegalArgumentException(
                    "certificates: " + unreadable.getMessage() + "; pass what the PEM files hold", unreadable);
        }
    }

    // gRPC for Java has no setting for the wait between two attempts to connect, so each wait is cut short.
    private void watchState() {
        ConnectivityState state = channel.getState(false);
        if (state == ConnectivityState.SHUTDOWN) {
            return;
        }
        hurryIfFailing();
        channel.notifyWhenStateChanged(state, this::watchState);
    }

    private void hurryIfFailing() {
        if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE && hurrying.compareAndSet(false, true)) {
            hurryAfter(new Pauses());
        }
    }

    private void hurryAfter(Pauses pauses) {
        timer.schedule(
                () -> {
                    ConnectivityState state = channel.getState(false);
                    if (state == ConnectivityState.TRANSIENT_FAILURE || state == ConnectivityState.CONNECTING) {
                        channel.resetConnectBackoff();
                        hurryAfter(pauses);
                    } else {
                        hurrying.set(false);
                        hurryIfFailing(); // it may have failed again since we looked
                    }
                },
                pauses.next().toNanos(),
                TimeUnit.NANOSECONDS);
    }
}
