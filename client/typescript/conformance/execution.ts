/** One execution of one scenario against a server. */

import { randomInt } from "node:crypto";
import { Channel } from "#client/channel.js";
import { connect, type Ledger } from "lotkeeper";
import { StreamPnLRequestSchema } from "lotkeeper/v1";
import { call, calls, matchRefusal, methodOf, read, unexpected } from "./calls.js";
import { Followed } from "./following.js";
import { filled, match, Mismatch, type Json, type Names } from "./matching.js";
import type { Scenario, Step } from "./scenarios.js";

const LETTERS = "bcdfghjklmnpqrstvwxyz"; // without vowels, so that no word comes out that a server knows

/** Stops and starts the server; gives its address. */
export type Restart = (how: string) => Promise<string>;

/** A step that did not go as the scenario says. */
export class Failed extends Error {
  readonly step: number;

  constructor(step: number, message: string) {
    super(message);
    this.step = step;
  }
}

/** Execute `scenario` against the server at `address`. @throws Failed a step did not go as it says. */
export async function execute(scenario: Scenario, address: string, restart: Restart): Promise<void> {
  const execution = new Execution(address, restart);
  let step = 0;
  try {
    for (const each of scenario.steps) {
      step += 1;
      await execution.take(each);
    }
    execution.finish();
  } catch (broken) {
    throw new Failed(step, broken instanceof Error ? broken.message : String(broken));
  } finally {
    execution.close();
  }
}

class Execution {
  readonly #names: Names;
  readonly #streams = new Map<string, Followed>();
  readonly #restart: Restart;
  #channel: Channel;
  #ledger: Ledger;
  #address: string;

  constructor(address: string, restart: Restart) {
    const run = Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
    const names = { run, RUN: run.toUpperCase(), portfolio: `c-${run}` };
    this.#names = new Map(Object.entries({ ...names, A: `${names.RUN}-A`, B: `${names.RUN}-B` }));
    this.#restart = restart;
    this.#address = address;
    this.#channel = new Channel(address, {});
    this.#ledger = connect(address);
  }

  async take(step: Step): Promise<void> {
    const given = filled({ ...step }, this.#names) as { [key: string]: Json };
    if (given["call"] !== undefined) return this.#call(given);
    if (given["calls"] !== undefined) return this.#calls(given);
    if (given["open"] !== undefined) return this.#open(given);
    if (given["expect"] !== undefined) return this.#stream(given["expect"]).expect(given, this.#names);
    if (given["restart"] !== undefined) return this.#restarted(String(given["restart"]));
    this.#stream(given["close"] as Json).close();
    this.#streams.delete(String(given["close"]));
  }

  /** See that no stream still open has a fact that nothing expected. */
  finish(): void {
    for (const stream of this.#streams.values()) stream.close();
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.abandon();
    this.#ledger.close();
    this.#channel.close();
  }

  async #call(step: Step): Promise<void> {
    let answer: Json;
    try {
      answer = await call(this.#channel, methodOf(String(step["call"])), step["request"] ?? {});
    } catch (failed) {
      return this.#refused(step, failed);
    }
    if (step["refusal"] !== undefined) throw new Mismatch("expected a refusal, got an answer");
    match(step["answer"] ?? {}, answer, "answer", this.#names);
  }

  async #calls(step: Step): Promise<void> {
    const answers: Json[] = [];
    const requests = step["requests"] as Json[];
    let refused = false;
    try {
      await calls(this.#channel, methodOf(String(step["calls"])), requests, (answer) => answers.push(answer));
    } catch (failed) {
      this.#refused(step, failed);
      refused = true;
    }
    if (step["refusal"] !== undefined && !refused) throw new Mismatch("expected a refusal, got answers alone");
    if (step["answers"] !== undefined) match(step["answers"], answers, "answers", this.#names);
  }

  #refused(step: Step, failed: unknown): void {
    if (step["refusal"] === undefined) throw unexpected(failed);
    matchRefusal(step["refusal"] as { [name: string]: Json }, failed, this.#names);
  }

  #open(step: Step): void {
    const name = methodOf(String(step["stream"])).name;
    if (name !== "StreamPnL") throw new Mismatch(`${name} is no stream that is followed`);
    const request = read(StreamPnLRequestSchema, step["request"] ?? {});
    const stream = step["follow"] === true ? Followed.resuming(this.#ledger, request) : Followed.raw(this.#channel, request);
    this.#streams.set(String(step["open"]), stream);
  }

  #stream(name: Json): Followed {
    const stream = this.#streams.get(String(name));
    if (!stream) throw new Mismatch(`no stream is open as ${String(name)}`);
    return stream;
  }

  async #restarted(how: string): Promise<void> {
    const address = await this.#restart(how);
    if (address === this.#address) return;
    this.#address = address;
    this.#channel.close();
    this.#channel = new Channel(address, {});
  }
}
