/**
 * Runs the conformance scenarios against a server, with the stubs and the stream of this client.
 *
 *     npm run conformance -- --address HOST:PORT [--scenarios FOLDER] [--only WORDS] [--json]
 *
 * Arguments, lines and exit codes are those that `tests/conformance/README.md` describes.
 */

import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { execute, Failed } from "./execution.js";
import type { Json } from "./matching.js";
import { scenarios, type Scenario } from "./scenarios.js";

const SCENARIOS = fileURLToPath(new URL("../../../../tests/conformance", import.meta.url));
const WRONG = 2;

/** A scenario that this server cannot run, and why. */
class Skipped extends Error {}

/** Where servers come from: a harness that is asked, or the one address that was given. */
interface Servers {
  server(settings: { readonly [name: string]: Json }): Promise<string>;
  restart(how: string): Promise<string>;
}

class OneAddress implements Servers {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  async server(settings: object): Promise<string> {
    if (Object.keys(settings).length) throw new Skipped("needs a server with settings of its own");
    return this.#address;
  }

  async restart(): Promise<string> {
    throw new Skipped("needs a harness that restarts the server");
  }
}

class Harness implements Servers {
  readonly #lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

  server(settings: { readonly [name: string]: Json }): Promise<string> {
    return this.#ask({ do: "server", settings });
  }

  restart(how: string): Promise<string> {
    return this.#ask({ do: "restart", how });
  }

  async #ask(request: object): Promise<string> {
    console.log(JSON.stringify(request));
    const line = await this.#lines.next();
    if (line.done) throw new Skipped("the harness has gone");
    const answer = JSON.parse(line.value) as { address?: string; error?: string };
    if (answer.address === undefined) throw new Skipped(answer.error ?? "the harness gave no address");
    return answer.address;
  }
}

interface Summary {
  passed: number;
  failed: number;
  skipped: number;
  failures: { name: string; step: number; message: string }[];
  skips: { name: string; reason: string }[];
}

async function runAll(chosen: readonly Scenario[], servers: Servers, say: (line: string) => void): Promise<Summary> {
  const summary: Summary = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
  for (const scenario of chosen) {
    try {
      await runOne(scenario, servers);
      summary.passed += 1;
      say(`ok   ${scenario.name}`);
    } catch (broken) {
      if (broken instanceof Skipped) {
        summary.skipped += 1;
        summary.skips.push({ name: scenario.name, reason: broken.message });
        say(`skip ${scenario.name}: ${broken.message}`);
      } else if (broken instanceof Failed) {
        summary.failed += 1;
        summary.failures.push({ name: scenario.name, step: broken.step, message: broken.message });
        say(`FAIL ${scenario.name}: step ${broken.step}, ${broken.message}`);
      } else throw broken;
    }
  }
  return summary;
}

async function runOne(scenario: Scenario, servers: Servers): Promise<void> {
  const restarts = scenario.steps.some((step) => step["restart"] !== undefined);
  if (restarts && servers instanceof OneAddress) await servers.restart();
  const address = await servers.server(scenario.server);
  await execute(scenario, address, (how) => servers.restart(how));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      address: { type: "string" },
      scenarios: { type: "string", default: SCENARIOS },
      only: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      harness: { type: "boolean", default: false },
    },
  });
  if ((values.address === undefined) === !values.harness) throw new RangeError("pass --address HOST:PORT or --harness");
  const servers = values.address === undefined ? new Harness() : new OneAddress(values.address);
  const { only } = values;
  const chosen = scenarios(values.scenarios).filter(({ name, file }) => name.includes(only) || file.includes(only));
  const summary = await runAll(chosen, servers, values.json ? () => undefined : (line) => console.log(line));
  console.log(JSON.stringify(summary));
  return summary.failed === 0 && summary.passed > 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (wrong) {
  console.error(`conformance: ${wrong instanceof Error ? wrong.message : String(wrong)}`);
  process.exitCode = WRONG;
}
process.stdin.destroy();
