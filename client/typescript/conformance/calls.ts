/** The RPCs of the contract by name, each made once through the stubs, with requests and answers as protobuf JSON. */

import {
  fromJson,
  toJson,
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodUnary,
  type DescService,
  type JsonValue,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import type { Channel } from "#client/channel.js";
import { LotkeeperError } from "lotkeeper";
import { watched } from "#client/reading.js";
import { errorOf } from "#client/status.js";
import * as v1 from "lotkeeper/v1";
import { match, Mismatch, shown, type Json, type Names } from "./matching.js";

/** Milliseconds that a call, or a step that reads a stream, may take. */
export const DEADLINE = 10_000;

const SERVICES = new Map<string, DescService>(
  [
    v1.EventService,
    v1.ExplainService,
    v1.InstrumentService,
    v1.LedgerService,
    v1.MarketService,
    v1.PortfolioService,
    v1.ReconciliationService,
  ].map((service) => [service.name, service]),
);

/** The method `Service.Method` of the contract. @throws RangeError there is none. */
export function methodOf(name: string): DescMethod {
  const [service = "", method = ""] = name.split(".");
  const found = SERVICES.get(service)?.methods.find((each) => each.name === method);
  if (!found) throw new RangeError(`${name}: the contract has no such method`);
  return found;
}

/** `json` as a message of `schema`. */
export function read<D extends DescMessage>(schema: D, json: Json): MessageShape<D> {
  return fromJson(schema, json as JsonValue);
}

/** `message` as protobuf JSON, names as in the proto files, fields without presence always there. */
export function written<D extends DescMessage>(schema: D, message: MessageShape<D>): { [name: string]: Json } {
  return toJson(schema, message, { alwaysEmitImplicit: true, useProtoFieldName: true }) as { [name: string]: Json };
}

/** One request, one answer. */
export async function call(channel: Channel, method: DescMethod, request: Json): Promise<Json> {
  if (method.methodKind !== "unary") throw new Mismatch(`${method.name} is a stream; use calls or open`);
  try {
    return written(method.output, await channel.unary(method as DescMethodUnary, read(method.input, request), DEADLINE));
  } catch (failed) {
    throw errorOf(failed);
  }
}

/** All requests, then the answers to them, given to `take` as they come. */
export async function calls(
  channel: Channel,
  method: DescMethod,
  requests: Json[],
  take: (answer: Json) => void,
): Promise<void> {
  const messages = requests.map((request) => read(method.input, request));
  if (method.methodKind === "client_streaming") {
    take(written(method.output, await collected(channel, method as DescMethodClientStreaming, messages)));
    return;
  }
  if (method.methodKind !== "bidi_streaming") throw new Mismatch(`${method.name} takes one request; use call or open`);
  const stream: ClientDuplexStream<Message, Message> = channel.bothStreams(method as DescMethodBiDiStreaming);
  for (const message of messages) stream.write(message);
  stream.end();
  for await (const answer of reading(stream)) take(written(method.output, answer));
}

function collected(
  channel: Channel,
  method: DescMethodClientStreaming,
  messages: Message[],
): Promise<Message> {
  return new Promise((resolve, reject) => {
    const stream = channel.clientStream(method, (failed, answer) => {
      clearTimeout(late);
      if (answer && !failed) resolve(answer);
      else reject(errorOf(failed));
    });
    const late = setTimeout(() => stream.cancel(), DEADLINE);
    for (const message of messages) stream.write(message);
    stream.end();
  });
}

/** The messages of a stream; each may take as long as a call. */
export function reading<M>(stream: ClientReadableStream<M> | ClientDuplexStream<never, M>): AsyncGenerator<M, void> {
  return watched(stream, DEADLINE, () => new Mismatch(`nothing came for ${DEADLINE} ms`));
}

/** See that `failed` is the refusal that was `expected`. @throws Mismatch it is not. @throws what is no refusal. */
export function matchRefusal(expected: { [name: string]: Json }, failed: unknown, names: Names): void {
  if (!(failed instanceof LotkeeperError)) throw failed;
  const { code, reason, metadata, violations, retryDelayMs, message } = failed;
  for (const [key, wanted] of Object.entries(expected)) {
    try {
      if (key === "violations") match(sorted(wanted), sorted(violations.map((each) => each.field)), key, names);
      else match(wanted, { code, reason, metadata: { ...metadata }, retry: retryDelayMs !== undefined }[key], key, names);
    } catch (mismatch) {
      if (!(mismatch instanceof Mismatch)) throw mismatch;
      throw new Mismatch(`refusal.${mismatch.message} (${code} ${reason}: ${message})`);
    }
  }
}

function sorted(fields: Json): Json {
  return Array.isArray(fields) ? [...fields].sort() : fields;
}

/** A failure where none was expected. */
export function unexpected(failed: unknown): unknown {
  if (!(failed instanceof LotkeeperError)) return failed;
  return new Mismatch(`expected an answer, got ${failed.code} ${failed.reason}: ${shown(failed.message)}`);
}
