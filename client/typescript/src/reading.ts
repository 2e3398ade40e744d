/**
 * Reads the messages of a stream under watch.
 *
 * A connection can die without a word: a cable, a suspended machine, a server whose loop hangs while its sockets answer
 * pings. A deadline on the call would end healthy streams too. Therefore each read has a limit of its own; the time a
 * consumer takes between two reads does not count.
 */

import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import { errorOf } from "./status.js";

/**
 * The messages of `call`; it is cancelled when they end, fail, are no longer wanted, or when `signal` says so.
 *
 * @param limit milliseconds one read may take.
 * @param silent what is thrown when one took longer.
 * @throws LotkeeperError the stream failed.
 */
export async function* watched<M>(
  call: ClientReadableStream<M> | ClientDuplexStream<never, M>,
  limit: number,
  silent: () => Error,
): AsyncGenerator<M, void> {
  const messages = call[Symbol.asyncIterator]() as AsyncIterator<M>;
  let expired = false;
  try {
    for (;;) {
      const late = setTimeout(() => {
        expired = true;
        call.cancel();
      }, limit);
      let next: IteratorResult<M>;
      try {
        next = await messages.next();
      } finally {
        clearTimeout(late);
      }
      if (next.done) break;
      yield next.value;
    }
  } catch (broken) {
    throw expired ? silent() : errorOf(broken);
  } finally {
    call.cancel(); // a call that nobody reads any more goes on otherwise, and the server goes on sending
  }
  if (expired) throw silent();
}
