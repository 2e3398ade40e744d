/** A real sidecar in a process of its own, started by the command in LOTKEEPER_SERVER, such as `python -m lotkeeperd`. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const READY = /^lotkeeper ready: listening on (\S+), /;
const START_LIMIT = 60_000; // milliseconds
const NOT_SET = "LOTKEEPER_SERVER is not set: give the command of the server, such as 'python -m lotkeeperd'";

/** Why tests that need a sidecar are skipped; false where they are not. LOTKEEPER_DEMAND_ALL=1 lets them fail instead. */
export const skip: string | false =
  process.env["LOTKEEPER_SERVER"] || process.env["LOTKEEPER_DEMAND_ALL"] === "1" ? false : NOT_SET;

/** One `serve` on a database of its own; start it again where it was with `restart`. */
export class Sidecar implements AsyncDisposable {
  address = "";
  readonly folder = mkdtempSync(join(tmpdir(), "lotkeeper-"));
  #process: ChildProcess | undefined;

  /** A sidecar that is ready. */
  static async start(listen = "127.0.0.1:0"): Promise<Sidecar> {
    const sidecar = new Sidecar();
    try {
      await sidecar.restart(listen);
    } catch (broken) {
      await sidecar[Symbol.asyncDispose]();
      throw broken;
    }
    return sidecar;
  }

  /** Start it, on the address it had, with the ledger it had or, by another `database`, with another. */
  async restart(listen = this.address, database = "ledger.db"): Promise<void> {
    const command = process.env["LOTKEEPER_SERVER"];
    if (!command) throw new Error(NOT_SET);
    const [program = "", ...words] = command.split(" ");
    const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("LOTKEEPER_"));
    const started = spawn(
      program,
      [...words, "serve", "--listen", listen, "--database", join(this.folder, database)],
      { env: Object.fromEntries(environment), stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process = started;
    let said = "";
    started.stderr.on("data", (text: Buffer) => (said += text.toString()));
    const late = setTimeout(() => started.kill("SIGKILL"), START_LIMIT);
    try {
      for await (const line of createInterface({ input: started.stdout })) {
        const ready = READY.exec(line);
        if (!ready) continue;
        this.address = ready[1] as string;
        return;
      }
      throw new Error(`the sidecar did not start: ${said}`);
    } finally {
      clearTimeout(late);
    }
  }

  /** End it, and wait until it is gone: SIGKILL, or SIGTERM, which lets it drain. */
  async end(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, "exit");
    running.kill(signal);
    await gone;
  }

  /** Stop its process where it is: its sockets stay open, and nothing comes any more. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  /** Let it go on. */
  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An address on this machine where nobody listens. */
export async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}
