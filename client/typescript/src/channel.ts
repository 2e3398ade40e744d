/**
 * How a client reaches its server: the address, credentials, the options of the connection, and calls of any RPC.
 *
 * Two libraries could carry the stubs: @grpc/grpc-js 1.14 and @connectrpc/connect-node 2.1. Both were tried against a real
 * sidecar. When it was killed while a stream was read, connect-node said CANCELED, which is also what a caller's own cancel
 * says; grpc-js said UNAVAILABLE. When it was still starting, connect-node failed a call at once; grpc-js let it wait within
 * its deadline. Both brought the details of a refusal. One caller waited 0.8 ms to 2.3 ms for an answer over either.
 * Therefore grpc-js, with the messages of @bufbuild/protobuf: a call needs no generated code beyond the method's descriptor.
 *
 * The ledger is a sidecar: it dies and comes back at the same address while the bot goes on. gRPC's defaults are made for
 * far-away services: a restarted server found only after a wait that grows to two minutes, a proxy from the environment
 * asked for 127.0.0.1, a dead peer noticed after hours. Each option below says what it is against.
 */

import { readFileSync } from "node:fs";
import { isIP, isIPv6 } from "node:net";
import {
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  Client,
  credentials,
  Metadata,
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
} from "@grpc/grpc-js";
import { shown, text } from "./fields.js";

/** Version of this client, in step with the server's. */
export const VERSION = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }
).version;

const LARGEST_MESSAGE = 8 * 1024 * 1024; // bytes; the server's answers stay well below
const FIRST_RECONNECT = 100; // milliseconds; a restarted server is found soon
const LONGEST_RECONNECT = 1_000; // milliseconds between two attempts to connect
const PING_INTERVAL = 20_000; // milliseconds; the server refuses more than one in 10 s
const PING_TIMEOUT = 5_000; // milliseconds without an answer to a ping, and the connection counts as lost

const OPTIONS: ChannelOptions = {
  "grpc.enable_retries": 0, // retries are ours alone: two layers of them would multiply
  "grpc.initial_reconnect_backoff_ms": FIRST_RECONNECT,
  "grpc.max_reconnect_backoff_ms": LONGEST_RECONNECT,
  "grpc.keepalive_time_ms": PING_INTERVAL,
  "grpc.keepalive_timeout_ms": PING_TIMEOUT,
  "grpc.max_receive_message_length": LARGEST_MESSAGE,
  "grpc.enable_http_proxy": 0,
  "grpc.use_local_subchannel_pool": 1, // closing one ledger must not depend on who else is connected
  "grpc.primary_user_agent": `lotkeeper-typescript/${VERSION}`,
};

const ADDRESS = /^(unix:\S+|(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/[\]]+):[0-9]{1,5})$/;

/** How a connection is secured. Certificates and keys are PEM, as their files hold them, and turn TLS on. */
export interface Security {
  /** Encrypt the connection. */
  readonly tls?: boolean;
  /** What the server's certificate is checked against; the system's roots when left out. */
  readonly rootCertificates?: string | Uint8Array;
  /** What this bot shows to the server; both or neither. */
  readonly clientCertificate?: string | Uint8Array;
  /** Belongs to `clientCertificate`. */
  readonly clientKey?: string | Uint8Array;
  /** Sent with every call as `authorization: Bearer ...`. Not in the clear to other machines. */
  readonly token?: string;
}

/** The connection to one server, made at the first call and again whenever it is lost. */
export class Channel {
  readonly #client: Client;
  readonly #token: string;

  /**
   * @throws RangeError `address` or `security` is none.
   */
  constructor(address: string, security: Security) {
    this.#client = new Client(target(address), credentialsFor(address, security), OPTIONS);
    this.#token = text("token", security.token ?? "");
  }

  /** One request, one answer, within `timeoutMs`. Waits for a server that is not there yet. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    timeoutMs: number,
  ): Promise<MessageShape<O>> {
    const { path, write, read } = wire(method);
    const options: CallOptions = { deadline: Date.now() + timeoutMs };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, write, read, request, this.#metadata(), options, (failed, answer) => {
        if (failed) reject(failed);
        else resolve(answer as MessageShape<O>);
      });
    });
  }

  /** One request, a stream of answers; without a deadline. Cancel it in the end. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageShape<I>,
  ): ClientReadableStream<MessageShape<O>> {
    const { path, write, read } = wire(method);
    return heard(this.#client.makeServerStreamRequest(path, write, read, request, this.#metadata(), {}));
  }

  /** A stream of requests, one answer, given to `done`; without a deadline. End or cancel it. */
  clientStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodClientStreaming<I, O>,
    done: (failed: Error | null, answer?: MessageShape<O>) => void,
  ): ClientWritableStream<MessageShape<I>> {
    const { path, write, read } = wire(method);
    return heard(this.#client.makeClientStreamRequest(path, write, read, this.#metadata(), {}, done));
  }

  /** A stream of requests and one of answers; without a deadline. Cancel it in the end. */
  bothStreams<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): ClientDuplexStream<MessageShape<I>, MessageShape<O>> {
    const { path, write, read } = wire(method);
    return heard(this.#client.makeBidiStreamRequest(path, write, read, this.#metadata(), {}));
  }

  /** Ends every call and the connection. */
  close(): void {
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata({ waitForReady: true }); // a call made while the server restarts waits for it
    if (this.#token) metadata.set("authorization", `Bearer ${this.#token}`);
    return metadata;
  }
}

/** How messages of `method` are written and read, and where it is. */
function wire<I extends DescMessage, O extends DescMessage>(method: DescMethod & { input: I; output: O }) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    write: (request: MessageShape<I>): Buffer => Buffer.from(toBinary(method.input, request)),
    read: (bytes: Buffer): MessageShape<O> => fromBinary(method.output, bytes),
  };
}

/** `call`, whose end without an open reader ends no process: Node makes an error that nobody listens to an exception. */
function heard<C extends { on(event: "error", listener: () => void): unknown }>(call: C): C {
  call.on("error", () => undefined);
  return call;
}

function target(address: string): string {
  if (typeof address !== "string" || !ADDRESS.test(address)) {
    throw new RangeError(
      `address ${shown(address)} is neither host:port nor unix:/path.sock; pass such as 127.0.0.1:50051`,
    );
  }
  return address;
}

function credentialsFor(address: string, security: Security): ChannelCredentials {
  const { rootCertificates, clientCertificate, clientKey, token } = security;
  if (!clientCertificate !== !clientKey) {
    throw new RangeError("clientCertificate, clientKey: one without the other; pass both as their PEM files hold them");
  }
  if (security.tls || rootCertificates || clientCertificate) {
    try {
      return credentials.createSsl(pem(rootCertificates), pem(clientKey), pem(clientCertificate));
    } catch (broken) {
      const said = broken instanceof Error ? broken.message : String(broken);
      throw new RangeError(`rootCertificates, clientCertificate, clientKey: ${said}; pass what PEM files hold`);
    }
  }
  if (token && !address.startsWith("unix:") && !isLoopback(address)) {
    throw new RangeError(
      `token: address ${shown(address)} is another machine, and the token would go there in the clear; set tls`,
    );
  }
  return credentials.createInsecure();
}

function pem(given: string | Uint8Array | undefined): Buffer | null {
  return given === undefined ? null : Buffer.from(given);
}

function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  if (!isIP(host)) return host === "localhost";
  return isIPv6(host) ? host === "::1" : host.startsWith("127.");
}
